//! Setting the second factor up, turning it on and off, and signing in with it.

use super::admission::device;
use super::audit::{Action, Origin};
use super::context::{MOST_ATTEMPTS, contended};
use super::pending::PresentedChallenge;
use super::totp::recovery_codes;
use super::{
    Account, AccountId, AttemptKey, ChallengeToken, Change, Code, Error, Identity, Opened, Password, PendingSignIn,
    Result, SessionTerms, SignedIn, TotpSecret, Versioned, Visitor,
};

/// A second factor that waits for its first code.
#[derive(Debug)]
pub struct PreparedFactor {
    /// The secret, told this once.
    pub secret: TotpSecret,
    /// The same as authenticators read it, with who it is for.
    pub uri: String,
}

/// On what a sign-in waits for its second factor, or doesn't have to.
pub(super) struct Door {
    /// What it waited as, if it did.
    pub(super) waited: Option<(PresentedChallenge, PendingSignIn)>,
    /// Whether somebody has signed in from the device before.
    pub(super) known_device: bool,
    /// What a success hands out.
    pub(super) terms: SessionTerms,
}

impl Identity {
    /// Prepares a second factor, in place of an earlier one that was never turned on.
    pub async fn prepare_second_factor(&self, signed_in: SignedIn) -> Result<PreparedFactor> {
        let secret = TotpSecret::generate(&*self.chance)?;
        let service = self.service_name().await?;
        let account = self
            .amend(signed_in.into(), |account| {
                if account.has_second_factor() {
                    return Err(Error::SecondFactorAlreadyOn);
                }
                account.prepare_second_factor(secret.clone());
                Ok(Vec::new())
            })
            .await?;
        let uri = secret.uri(&service, account.name.as_str());
        Ok(PreparedFactor { secret, uri })
    }

    /// Turns the prepared second factor on, by a code that shows that the person's authenticator has it. The recovery codes
    /// are told this once.
    pub async fn turn_on_second_factor(&self, signed_in: SignedIn, code: &Code) -> Result<Vec<Code>> {
        let prepared = |account: &Account| match (account.has_second_factor(), account.prepares_second_factor()) {
            (true, _) => Err(Error::SecondFactorAlreadyOn),
            (false, true) => Ok(()),
            (false, false) => Err(Error::SecondFactorNotSetUp),
        };
        prepared(&signed_in.account.account)?;
        let (origin, subject) = (Origin::from(&signed_in), signed_in.account.account.clone());
        let key = AttemptKey::SecondFactor(subject.id);
        self.reserve_attempt(&key).await?;
        let (told, kept) = recovery_codes(&*self.chance)?;
        let now = self.now();
        let turned_on = self.amend(signed_in.into(), |account| {
            prepared(account)?;
            if !account.turn_on_second_factor(code, kept.clone(), now)? {
                return Err(Error::CodeWrong);
            }
            Ok(Vec::new())
        });
        self.note_refusal(&origin, Some(&subject), Action::SecondFactorOn, turned_on.await).await?;
        self.forget_attempts(&key).await;
        Ok(told)
    }

    /// Turns the second factor off for a person who has it and knows the password.
    pub async fn turn_off_second_factor(&self, signed_in: SignedIn, password: &Password, code: &Code) -> Result<()> {
        self.check_may_do_without(&signed_in.account.account)?;
        let (origin, subject) = (Origin::from(&signed_in), signed_in.account.account.clone());
        let turned_off = self.amend_by_second_factor(signed_in, password, code, |account| {
            // Somebody may have demanded it since.
            self.check_may_do_without(account)?;
            account.drop_second_factor();
            Ok(())
        });
        self.note_refusal(&origin, Some(&subject), Action::SecondFactorOff, turned_off.await).await
    }

    /// Gives out other recovery codes in place of those that are left; they are told this once.
    pub async fn renew_recovery_codes(
        &self,
        signed_in: SignedIn,
        password: &Password,
        code: &Code,
    ) -> Result<Vec<Code>> {
        let (told, kept) = recovery_codes(&*self.chance)?;
        let (origin, subject) = (Origin::from(&signed_in), signed_in.account.account.clone());
        let renewed = self.amend_by_second_factor(signed_in, password, code, |account| {
            account.replace_recovery_codes(kept.clone());
            Ok(())
        });
        self.note_refusal(&origin, Some(&subject), Action::RecoveryCodesRenewed, renewed.await).await?;
        Ok(told)
    }

    /// Changes an account whose person knows the password and has the second factor. Both count as one attempt.
    async fn amend_by_second_factor(
        &self,
        signed_in: SignedIn,
        password: &Password,
        code: &Code,
        change: impl Fn(&mut Account) -> Result<()>,
    ) -> Result<()> {
        let account = &signed_in.account.account;
        if !account.has_second_factor() {
            return Err(Error::SecondFactorNotSetUp);
        }
        let (key, known) = (AttemptKey::SecondFactor(account.id), account.password.clone());
        self.reserve_attempt(&key).await?;
        let right = self.hasher.verify(password, Some(&known)).await;
        if !self.counted_if_looked_at(std::slice::from_ref(&key), right).await? {
            return Err(Error::CurrentPasswordWrong);
        }
        let now = self.now();
        self.amend(signed_in.into(), |account| {
            // Somebody changed it since: the password that was checked is no longer the current one.
            if account.password != known {
                return Err(Error::CurrentPasswordWrong);
            }
            if !account.take_second_factor(code, now)? {
                return Err(Error::CodeWrong);
            }
            change(account)?;
            Ok(Vec::new())
        })
        .await?;
        self.forget_attempts(&key).await;
        Ok(())
    }

    /// Opens the session of a sign-in that waited for its second factor.
    pub async fn finish_log_in(&self, token: &ChallengeToken, code: &Code, visitor: &Visitor) -> Result<Opened> {
        visitor.notes.of_sign_in();
        let Some(presented) = PresentedChallenge::parse(token) else { return Err(Error::TokenInvalid) };
        let (read, pending) = self.waiting(&presented).await?;
        visitor.notes.of_account(read.account.id);
        let device = device(&pending.identifier, visitor);
        let (known_device, terms) = (pending.known_device, pending.terms);
        let door = Door { waited: Some((presented, pending)), known_device, terms };
        let opened = self.open_by_second_factor(read, door, code, visitor).await?;
        self.remember_device(&device).await;
        Ok(opened)
    }

    /// The sign-in that a challenge token stands for, with its account, while it waits.
    async fn waiting(&self, presented: &PresentedChallenge) -> Result<(Versioned, PendingSignIn)> {
        let read = self.store.account_and_pending(presented.account, presented.id);
        let (read, pending) = self.with_fresh_keys(read).await?;
        let (Some(read), Some(pending)) = (read, pending) else { return Err(Error::TokenInvalid) };
        let live = pending.is_live(&read.account, self.now()) && pending.secret.matches(&presented.secret);
        if live { Ok((read, pending)) } else { Err(Error::TokenInvalid) }
    }

    /// Opens a session for an account whose password was right, by a code of its second factor. That the code is taken,
    /// the session, and that nobody waits for it any more are one transaction under the account's version.
    pub(super) async fn open_by_second_factor(
        &self,
        mut read: Versioned,
        door: Door,
        code: &Code,
        visitor: &Visitor,
    ) -> Result<Opened> {
        let Door { waited, known_device, terms } = door;
        let (id, generation) = (read.account.id, read.account.session_generation);
        let key = AttemptKey::SecondFactor(id);
        self.reserve_attempt(&key).await?;
        // Without keys the code would be used up, and no token come of it.
        self.key_ring().await?;
        for attempt in 0..MOST_ATTEMPTS {
            let mut account = read.account.clone();
            if !account.take_second_factor(code, self.now())? {
                let (stranger, refused) = (Origin::stranger(visitor), Err(Error::SecondFactorWrong));
                return self.note_refusal(&stranger, Some(&read.account), Action::SignedIn, refused).await;
            }
            let (session, refresh) = self.new_session(&account, &terms, visitor)?;
            let mut changes = vec![Change::UpdateAccount { account: &account, was: read.version }];
            changes.push(Change::OpenSession(&session));
            changes.extend(waited.iter().map(|(_, pending)| Change::UsePending { account: id, pending: pending.id }));
            changes.extend(self.record_differences(&Origin::of(&account, visitor), &read.account, &account)?);
            changes.extend(self.record_arrival(&account, &session, known_device, visitor)?);
            if self.commit(&changes).await? {
                self.forget_attempts(&key).await;
                self.tell(&Origin::of(&account, visitor), &read.account, &account, &changes).await;
                return self.hand_out(account, &session, refresh).await;
            }
            self.step_aside(attempt).await?;
            read = match &waited {
                Some((presented, _)) => self.waiting(presented).await?.0,
                None => self.unchanged(id, generation).await?,
            };
        }
        Err(contended())
    }

    /// The account as it is now, if what its password was right for still stands.
    async fn unchanged(&self, id: AccountId, generation: u64) -> Result<Versioned> {
        let read = self.store.account(id).await?;
        let same = |read: &Versioned| read.account.active && read.account.session_generation == generation;
        read.filter(same).ok_or(Error::WrongCredentials)
    }

    /// What authenticators call the service: the host of its issuer.
    async fn service_name(&self) -> Result<String> {
        let ring = self.key_ring().await?;
        let authority = ring.issuer.split_once("://").map_or(ring.issuer.as_str(), |(_, rest)| rest);
        Ok(authority.split(['/', ':']).next().unwrap_or(authority).to_owned())
    }
}
