//! Forgotten passwords: a code to the account's own address, and nothing told to anybody else.

use std::future::Future;
use std::time::Duration;

use futures_util::future::{try_join, try_join3};
use time::OffsetDateTime;

use super::audit::{Action, Origin};
use super::challenge::Subject;
use super::code_mail::CodeMail;
use super::context::{MOST_ATTEMPTS, contended};
use super::differences;
use super::ownership::{changed_ownership, check_keeps_name};
use super::{
    Account, AccountId, CODE_LIFE, Challenge, ChallengeKey, Change, ClaimKind, Code, EmailAddress, Errand, Error,
    Identifier, Identity, Password, PasswordHash, Purpose, Result, Versioned, Visitor,
};

/// Every answer to "I forgot my password" takes just so long, whatever there was to do: time for the store and the
/// mail service, which are cut off where they take longer.
#[derive(Debug, Clone, Copy)]
pub struct AnswerTime(pub Duration);

impl Default for AnswerTime {
    fn default() -> Self {
        Self(Duration::from_millis(800))
    }
}

impl Identity {
    /// Mails a reset code if the name and the address belong to the same active account. The caller learns
    /// nothing of that: the answer is always when a code would expire, after the same time, also if the mail
    /// could not be sent (which is logged).
    pub async fn forgot_password(&self, name: &str, address: &EmailAddress, errand: &Errand) -> OffsetDateTime {
        self.say_nothing(self.mail_reset_code(&Identifier::new(name), address, errand)).await
    }

    /// The same for who gives either the name or one address: the code goes to that address, for a name to the
    /// primary one.
    pub async fn forgot_password_of(&self, identifier: &Identifier, errand: &Errand) -> OffsetDateTime {
        self.say_nothing(self.mail_reset_code_of(identifier, errand)).await
    }

    async fn say_nothing(&self, mailed: impl Future<Output = Result<()>>) -> OffsetDateTime {
        let answer_at = tokio::time::Instant::now() + self.policy.answer_time.0;
        let expires_at = self.now() + CODE_LIFE;
        // Nobody else will hear of an accident: the answer must not tell.
        match tokio::time::timeout_at(answer_at, mailed).await {
            Ok(Err(accident)) if accident.is_accident() => {
                tracing::error!(outcome = %accident, "a reset code was not mailed");
            }
            Ok(Err(refusal)) => tracing::info!(outcome = %refusal, "a reset code was not mailed"),
            Ok(Ok(())) => {}
            Err(elapsed) => tracing::error!(outcome = %elapsed, "mailing a reset code took too long"),
        }
        tokio::time::sleep_until(answer_at).await;
        expires_at
    }

    async fn mail_reset_code(&self, name: &Identifier, address: &EmailAddress, errand: &Errand) -> Result<()> {
        let names = [(ClaimKind::Name, name.name_key().to_owned())];
        let emails = [(ClaimKind::Email, address.key())];
        let (named, addressed, mailbox) =
            try_join3(self.store.claims(&names), self.store.claims(&emails), self.store.mailbox(&emails[0].1)).await?;
        let (Some(named), Some(addressed)) = (named.first(), addressed.first()) else { return Ok(()) };
        if named.account != addressed.account {
            return Ok(());
        }
        let log = mailbox.open(Purpose::ResetPassword, errand, self.now())?;
        let key = ChallengeKey { purpose: Purpose::ResetPassword, subject: named.account.to_string() };
        let read = try_join(self.store.account(named.account), self.doubtful_codes(&log, &key));
        let (Some(Versioned { account, .. }), codes) = read.await? else { return Ok(()) };
        // To the address as the account has it: who asks may have typed another that only counts as the same.
        let Some(address) = account.address(&emails[0].1).filter(|_| account.active) else { return Ok(()) };
        let doubtful = codes.into_iter().find(|code| is_good_for(code, &account) && code.address == *address);
        let mail = CodeMail {
            subject: Subject::Account {
                purpose: Purpose::ResetPassword,
                account: account.id,
                generation: account.session_generation,
            },
            address: address.clone(),
            counts_as: Purpose::ResetPassword,
            doubtful,
        };
        self.mail_code(mail, log, &errand.in_language_of(&account)).await?;
        Ok(())
    }

    async fn mail_reset_code_of(&self, identifier: &Identifier, errand: &Errand) -> Result<()> {
        let Some(owner) = self.owner_of(identifier).await? else { return Ok(()) };
        let Some(read) = self.store.account(owner).await? else { return Ok(()) };
        // An address that the account has just given up is nobody's, and no other is mailed in its place.
        let address = match identifier.address_key() {
            Some(key) => read.account.address(key),
            None => read.account.email.as_ref().map(|claim| &claim.address),
        };
        let Some(address) = address else { return Ok(()) };
        self.mail_reset_code(&Identifier::new(read.account.name.as_str()), address, errand).await
    }

    /// Sets a new password with a mailed code and ends every session and API token of the account: who forgot the
    /// password can't say who else knew it. The same request again, after its answer was lost or while it is still
    /// under way, succeeds again. A code is worth nothing once its address is no longer the account's, or the password
    /// was changed otherwise.
    pub async fn reset_password(
        &self,
        identifier: &Identifier,
        code: &Code,
        new: &Password,
        visitor: &Visitor,
    ) -> Result<()> {
        let owner = self.owner_of(identifier).await?;
        if let Some(owner) = owner {
            visitor.notes.of_account(owner);
        }
        // Of a name that nobody has the guesses are counted too, where no account's are.
        let subject = owner.map_or_else(|| format!("?{}", identifier.key()), |owner| owner.to_string());
        let key = ChallengeKey { purpose: Purpose::ResetPassword, subject };
        let guessed = self.guess_at(&key, code, visitor, |_| true).await?;
        let (Some(owner), Some(mut challenge)) = (owner, guessed) else {
            // Where nobody is found an account is read all the same, so that the time doesn't tell.
            let read = self.store.account(owner.unwrap_or(AccountId(uuid::Uuid::nil()))).await?;
            let (stranger, refused) = (Origin::stranger(visitor), Err(Error::CodeWrong));
            let subject = read.as_ref().map(|read| &read.account);
            return self.note_refusal(&stranger, subject, Action::PasswordReset, refused).await;
        };
        // Only now: a wrong code costs no hash.
        let hash = self.hasher.hash(new, &*self.chance).await?;
        for attempt in 0..MOST_ATTEMPTS {
            let Some(read) = self.store.account(owner).await? else { return Err(Error::CodeWrong) };
            if challenge.used_by.is_some() {
                return self.repeat_reset(&read, new).await;
            }
            let good = is_good_for(&challenge, &read.account);
            if good && self.try_reset(&challenge, read, &hash, visitor).await? {
                return Ok(());
            }
            let stored = self.store.challenges(&key).await?;
            let same = stored.into_iter().find(|one| one.code == challenge.code);
            // What ended it may be that it was used, in this very instant.
            let same = same.filter(|one| good || one.used_by.is_some());
            challenge = same.ok_or(Error::CodeWrong)?;
            self.step_aside(attempt).await?;
        }
        Err(contended())
    }

    /// False: something changed since it was read.
    async fn try_reset(
        &self,
        challenge: &Challenge,
        read: Versioned,
        hash: &PasswordHash,
        visitor: &Visitor,
    ) -> Result<bool> {
        let Versioned { account: before, version } = read;
        let mut account = before.clone();
        let proved = challenge.address.key();
        account.password = hash.clone();
        account.must_change_password = false;
        account.session_generation += 1;
        account.token_generation += 1;
        account.updated_at = self.now();
        account = proved_by_reset(account, &proved);
        let lifted = account.drop_mark(&proved);
        let mut changes = vec![
            Change::UpdateAccount { account: &account, was: version },
            Change::UseChallenge { challenge, account: account.id },
        ];
        changes.extend(changed_ownership(&before, &account));
        let mut acts = differences::between(&before, &account);
        acts.iter_mut()
            .filter(|(action, _)| *action == Action::PasswordChanged)
            .for_each(|act| act.0 = Action::PasswordReset);
        changes.extend(self.record(&Origin::of(&account, visitor), Some(&account), acts)?);
        changes.extend(lifted);
        if !self.commit(&changes).await? {
            return Ok(false);
        }
        self.tell(&Origin::of(&account, visitor), &before, &account, &changes).await;
        Ok(true)
    }

    /// A used code with the password that it set is a lost answer asked for again; anything else is a replay.
    async fn repeat_reset(&self, read: &Versioned, new: &Password) -> Result<()> {
        let same = self.hasher.verify(new, Some(&read.account.password)).await?;
        if same { Ok(()) } else { Err(Error::CodeWrong) }
    }
}

/// The account after a code came through one of its addresses. A primary address is proved by that; for the first time,
/// it may have been somebody else who made the account with it, and whose further addresses would let them in again: they
/// go. Where something stays that keeps the person out or lets somebody else in (a second factor, a name that is one of
/// these addresses), the address stays unproved, so that it goes to whoever proves it in an account of their own.
fn proved_by_reset(before: Account, proved: &str) -> Account {
    let is_first = before.email.as_ref().is_some_and(|claim| !claim.verified && claim.address.key() == proved);
    if !is_first || before.has_second_factor() {
        return before;
    }
    let mut account = before.clone();
    if let Some(claim) = &mut account.email {
        claim.verified = true;
    }
    account.secondary_emails.clear();
    account.drop_second_factor();
    if check_keeps_name(&before, &account).is_ok() { account } else { before }
}

/// Whether a code's address is still the account's, and no new password ended it.
fn is_good_for(challenge: &Challenge, account: &Account) -> bool {
    account.has_address(&challenge.address.key())
        && account.active
        && challenge.generation == Some(account.session_generation)
}
