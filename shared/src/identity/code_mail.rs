//! Issuing a mailed code: the mail is spoken for and the code stored before anything is sent.

use time::OffsetDateTime;

use super::challenge::{GAP, Subject};
use super::{Challenge, Change, EmailAddress, Error, Identity, Language, MailLog, Result, compose};

impl Identity {
    /// Stores a code and mails it; returns when it expires. `log` is the mail log's stored version and its next
    /// state. If the mail can't be handed over its place in the log is given back, so that the person can
    /// try again at once.
    pub(super) async fn mail_challenge(
        &self,
        subject: Subject,
        address: EmailAddress,
        (was, log): (u64, MailLog),
        language: Language,
    ) -> Result<OffsetDateTime> {
        let (challenge, code) = Challenge::issue(subject, address.clone(), self.now(), &*self.chance)?;
        let purpose = challenge.key.purpose;
        let stored = self.commit(&[Change::RecordMail { log: &log, was }, Change::IssueChallenge(&challenge)]).await?;
        if !stored {
            // Another request has just mailed this address.
            return Err(Error::TooManyRequests { retry_after: GAP, limit: 1 });
        }
        let mail = compose::code_mail(purpose, address, &code, language);
        if let Err(failed) = self.mailer.send(&mail).await {
            let was = log.version;
            let freed = log.without_last();
            self.commit(&[Change::RecordMail { log: &freed, was }]).await?;
            return Err(failed);
        }
        Ok(challenge.expires_at)
    }
}
