//! Forgotten passwords: a code to the account's own address, and nothing told to anybody else.

use std::time::Duration;

use futures_util::future::try_join3;
use time::OffsetDateTime;

use super::{
    CODE_LIFE, ChallengeKey, Change, ClaimKind, Code, EmailAddress, Error, Identifier, Identity, Language, Password,
    Purpose, Result, Versioned, context,
};

/// Every answer to "I forgot my password" takes at least so long, whatever there was to do.
const ANSWER_TIME: Duration = Duration::from_millis(400);

impl Identity {
    /// Mails a reset code if the name and the address belong to the same active account. The caller learns
    /// nothing of that: the answer is always when a code would expire, after the same time, also if the mail
    /// could not be sent (which is logged).
    pub async fn forgot_password(&self, name: &str, address: &EmailAddress, language: Language) -> OffsetDateTime {
        let answer_at = tokio::time::Instant::now() + ANSWER_TIME;
        let expires_at = self.now() + CODE_LIFE;
        if let Err(failed) = self.mail_reset_code(&Identifier::new(name), address, language).await {
            // Nobody else will hear of it: the answer must not tell.
            tracing::warn!(outcome = %failed, "no reset code was mailed");
        }
        tokio::time::sleep_until(answer_at).await;
        expires_at
    }

    async fn mail_reset_code(&self, name: &Identifier, address: &EmailAddress, language: Language) -> Result<()> {
        let names = [(ClaimKind::Name, name.key().to_owned())];
        let emails = [(ClaimKind::Email, address.key())];
        let (named, addressed, log) =
            try_join3(self.store.claims(&names), self.store.claims(&emails), self.store.mail_log(&emails[0].1)).await?;
        let (Some(named), Some(addressed)) = (named.first(), addressed.first()) else { return Ok(()) };
        if named.account != addressed.account {
            return Ok(());
        }
        let Some(read) = self.store.account(named.account).await? else { return Ok(()) };
        if !read.account.active {
            return Ok(());
        }
        let log = (log.version, log.with_mail(Purpose::ResetPassword, self.now())?);
        let key = ChallengeKey { purpose: Purpose::ResetPassword, subject: read.account.id.to_string() };
        self.mail_challenge(key, address.clone(), None, log, language).await?;
        Ok(())
    }

    /// Sets a new password with a mailed code and ends every session of the account. The same request again,
    /// should its answer have been lost, succeeds again.
    pub async fn reset_password(&self, name: &str, code: &Code, new: &Password) -> Result<()> {
        // Hashed first, so that an unknown name costs what a known one does.
        let hash = self.hasher.hash(new, &*self.chance).await?;
        let name = Identifier::new(name);
        let claims = self.store.claims(&[(ClaimKind::Name, name.key().to_owned())]).await?;
        let Some(claim) = claims.first() else { return Err(Error::CodeWrong) };
        let key = ChallengeKey { purpose: Purpose::ResetPassword, subject: claim.account.to_string() };
        let Some(challenge) = self.matching_challenge(&key, code).await? else { return Err(Error::CodeWrong) };
        let Some(read) = self.store.account(claim.account).await? else { return Err(Error::CodeWrong) };
        if challenge.used_by.is_some() {
            return self.repeat_reset(&read, new).await;
        }
        let proved = challenge.address.key();
        let mut account = read.account;
        account.password = hash;
        account.must_change_password = false;
        account.session_generation += 1;
        account.updated_at = self.now();
        if let Some(claim) = account.email.as_mut().filter(|claim| claim.address.key() == proved) {
            // The code came through this address, which proves it.
            claim.verified = true;
        }
        let mut changes = vec![
            Change::UpdateAccount { account: &account, was: read.version },
            Change::UseChallenge { challenge: &challenge, account: account.id },
        ];
        changes.extend(super::register::email_claim(&account).filter(|claim| claim.verified).map(Change::TakeClaim));
        if self.commit(&changes).await? { Ok(()) } else { Err(context::contended()) }
    }

    /// A used code with the password that it set is a lost answer asked for again; anything else is a replay.
    async fn repeat_reset(&self, read: &Versioned, new: &Password) -> Result<()> {
        let same = self.hasher.verify(new, Some(&read.account.password)).await?;
        if same { Ok(()) } else { Err(Error::CodeWrong) }
    }
}
