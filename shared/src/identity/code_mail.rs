//! Mailing a code once: what goes out is written down before it is sent, and what came of it afterwards.

use std::time::Duration;

use anyhow::anyhow;
use time::OffsetDateTime;

use super::challenge::Subject;
use super::context::{MOST_ATTEMPTS, contended};
use super::mail_log::{GAP, Posting};
use super::{
    CODE_LIFE, Challenge, ChallengeKey, Change, Code, EmailAddress, Errand, Error, Hashed, Identity, MailEntry,
    MailLog, MailState, Purpose, Result, SendError, chance,
};

/// How often, and how far apart, a repetition looks for what came of the request's first delivery: for longer than a
/// mail may take.
const LOOKS: u32 = 60;
const LOOK_GAP: Duration = Duration::from_millis(100);

/// A code that is to be mailed.
pub(super) struct CodeMail {
    pub(super) subject: Subject,
    pub(super) address: EmailAddress,
    /// What the mail counts as. A notice in a code's place counts as the code would.
    pub(super) counts_as: Purpose,
    /// The code that may have arrived already, see [`Identity::doubtful_codes`].
    pub(super) doubtful: Option<Challenge>,
}

/// A code on its way.
struct Leaving {
    challenge: Challenge,
    code: Code,
    /// Whether it was never mailed before.
    fresh: bool,
    log: MailLog,
}

impl Identity {
    /// The codes of which one may have arrived although nobody knows: those of this key, where the newest mail for the
    /// purpose is in doubt.
    pub(super) async fn doubtful_codes(&self, log: &MailLog, key: &ChallengeKey) -> Result<Vec<Challenge>> {
        if log.is_in_doubt(key.purpose, &key.subject) { self.store.challenges(key).await } else { Ok(Vec::new()) }
    }

    /// Stores a code and mails it; returns when it expires. A repetition of the same request mails nothing, and is answered
    /// as its first delivery was.
    ///
    /// A mail that certainly did not leave takes its code with it and gives its place in the log back, so that the person
    /// can try again at once. Where that isn't known both stay, and the next try mails the same code again: whichever
    /// mail arrives works.
    pub(super) async fn mail_code(&self, mail: CodeMail, log: MailLog, errand: &Errand) -> Result<OffsetDateTime> {
        let CodeMail { subject, address, counts_as, doubtful } = mail;
        let request = match &errand.request {
            Some(request) => request.clone(),
            None => Hashed::of(&chance::bytes::<16>(&*self.chance)?),
        };
        let key = self.code_key().await?;
        let fresh = Challenge::issue(subject, address, self.now(), key, &*self.chance)?;
        let about = Hashed::of(fresh.0.key.subject.as_bytes());
        let posting = Posting { purpose: counts_as, request, about };
        let (mut log, mut doubtful) = (log, doubtful);
        for attempt in 0..MOST_ATTEMPTS {
            if let Some(first) = log.mail_for(counts_as, &posting.request) {
                return self.answer_as_first(first.clone(), &log.address_key).await;
            }
            let was = log.version;
            let next = log.with_mail(&posting, self.now())?;
            let again = doubtful.as_ref().filter(|code| code.may_be_mailed_again(self.now()));
            let again = again.and_then(|code| Some((code.prolonged(self.now()), code.code_by(key)?)));
            let (challenge, code) = again.as_ref().unwrap_or(&fresh);
            let change = match again {
                Some(_) => Change::ProlongChallenge(challenge),
                None => Change::IssueChallenge(challenge),
            };
            let written = match self.commit(&[Change::RecordMail { log: &next, was }, change]).await {
                // It may be written down all the same, and whoever asks before its minute is over is told to wait.
                Err(Error::Unavailable { cause, .. }) => Err(unavailable(cause)),
                outcome => outcome,
            };
            if written? {
                let leaving =
                    Leaving { challenge: challenge.clone(), code: code.clone(), fresh: again.is_none(), log: next };
                return self.send_code(leaving, &posting, errand).await;
            }
            // Another request has just mailed this address, or the code was used.
            self.step_aside(attempt).await?;
            log = self.store.mail_log(&log.address_key).await?;
            doubtful = match doubtful {
                None => None,
                Some(code) => self.store.challenges(&code.key).await?.into_iter().find(|one| one.code == code.code),
            };
        }
        Err(contended())
    }

    async fn send_code(&self, leaving: Leaving, posting: &Posting, errand: &Errand) -> Result<OffsetDateTime> {
        let Leaving { challenge, code, fresh, log } = leaving;
        let mail =
            self.policy.stationery.code_mail(challenge.key.purpose, &challenge.address, &code, errand.language)?;
        let (state, outcome) = match errand.send(&*self.mailer, &mail).await {
            Ok(()) => (MailState::Sent, Ok(challenge.expires_at)),
            Err(SendError::Unknown { cause }) => (MailState::Unknown, Err(unavailable(cause))),
            Err(SendError::NotSent { cause, .. }) => {
                if fresh && let Err(failed) = self.commit(&[Change::DropChallenge(&challenge)]).await {
                    tracing::warn!(outcome = %failed, "a code that nobody got stays until it expires");
                }
                (MailState::NotSent, Err(unavailable(cause)))
            }
        };
        if let Err(failed) = self.settle_mail(log, posting, state).await {
            // What stands there now is "in doubt": the same code is mailed again.
            tracing::warn!(outcome = %failed, "what came of a mail was not written down");
        }
        outcome
    }

    async fn settle_mail(&self, log: MailLog, posting: &Posting, state: MailState) -> Result<()> {
        let mut log = log;
        for attempt in 0..MOST_ATTEMPTS {
            let (was, address_key) = (log.version, log.address_key.clone());
            let Some(settled) = log.settled(posting.purpose, &posting.request, state) else { return Ok(()) };
            if self.commit(&[Change::RecordMail { log: &settled, was }]).await? {
                return Ok(());
            }
            self.step_aside(attempt).await?;
            log = self.store.mail_log(&address_key).await?;
        }
        Err(contended())
    }

    /// The answer to a request that was handed over more than once. If its mail is under way just now, by whoever got it
    /// first, this waits for what comes of that.
    pub(super) async fn answer_as_first(&self, first: MailEntry, address_key: &str) -> Result<OffsetDateTime> {
        let mut first = first;
        for _ in 0..LOOKS {
            match first.state {
                MailState::Sent => return Ok(first.at + CODE_LIFE),
                MailState::NotSent | MailState::Unknown => break,
                // Whoever sent it has long been ended.
                MailState::Sending if self.now() >= first.at + GAP => break,
                MailState::Sending => {}
            }
            tokio::time::sleep(LOOK_GAP).await;
            let (purpose, request) = (first.purpose, first.request.as_ref());
            let log = self.store.mail_log(address_key).await?;
            let Some(now) = request.and_then(|request| log.mail_for(purpose, request)) else { break };
            first = now.clone();
        }
        Err(unavailable(anyhow!("the request was handed over again, and its mail had not been sent for certain")))
    }
}

/// The same whatever the mail service said: who asks learns nothing about an address from it.
fn unavailable(cause: anyhow::Error) -> Error {
    Error::Unavailable { retry_after: GAP, cause }
}
