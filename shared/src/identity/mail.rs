//! Mails to people: what they say, for which request they are sent, and the port through which they leave.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::{Account, EmailAddress, Hashed, Purpose};

/// A language that texts exist in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Language {
    /// Chinese, simplified.
    #[serde(rename = "zh")]
    Chinese,
    /// English.
    #[default]
    #[serde(rename = "en")]
    English,
}

impl Language {
    /// Its code in two letters (ISO 639), as templates are named.
    pub fn code(self) -> &'static str {
        match self {
            Self::Chinese => "zh",
            Self::English => "en",
        }
    }

    /// As documents name it (BCP 47), with the script that its readers expect.
    pub(super) fn tag(self) -> &'static str {
        match self {
            Self::Chinese => "zh-CN",
            Self::English => "en",
        }
    }
}

/// One mail, ready to be sent.
#[derive(Debug, Clone)]
pub struct Mail {
    /// The one recipient.
    pub to: EmailAddress,
    /// Why it is sent.
    pub purpose: Purpose,
    /// Subject line.
    pub subject: String,
    /// Plain-text part.
    pub text: String,
    /// HTML part.
    pub html: String,
}

/// Why a mail certainly did not leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotSent {
    /// The mail service takes no more for now.
    Throttled,
    /// The mail service doesn't know the sender or, while it is on trial, the recipient.
    Unverified,
    /// The mail service doesn't take this address or this mail.
    Rejected,
    /// The deployment's sender, permissions or mail settings are at fault, or its sending is paused.
    Misconfigured,
    /// There was no connection to the mail service.
    Unreachable,
}

/// A mail of which nobody can say that it was sent.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// It was not.
    #[error("the mail was not sent: {cause:#}")]
    NotSent {
        /// Why.
        why: NotSent,
        /// What happened, for the log; names no address.
        cause: anyhow::Error,
    },
    /// It may have been: no answer came, or none that says.
    #[error("whether the mail was sent is unknown: {cause:#}")]
    Unknown {
        /// What happened, for the log; names no address.
        cause: anyhow::Error,
    },
}

/// What came of a mail, for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailOutcome {
    /// The mail service took it.
    Sent,
    /// It did not leave.
    NotSent(NotSent),
    /// It may have left.
    Unknown,
}

impl MailOutcome {
    /// What came of handing a mail over.
    pub fn of(handed: &Result<(), SendError>) -> Self {
        match handed {
            Ok(()) => Self::Sent,
            Err(SendError::NotSent { why, .. }) => Self::NotSent(*why),
            Err(SendError::Unknown { .. }) => Self::Unknown,
        }
    }

    /// A stable word, which logs can be counted by.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::NotSent(NotSent::Throttled) => "throttled",
            Self::NotSent(NotSent::Unverified) => "unverified",
            Self::NotSent(NotSent::Rejected) => "rejected",
            Self::NotSent(NotSent::Misconfigured) => "misconfigured",
            Self::NotSent(NotSent::Unreachable) => "unreachable",
            Self::Unknown => "unknown",
        }
    }
}

/// Sends mail.
#[async_trait]
pub trait Mailer: Send + Sync {
    /// Hands one mail over, with a single attempt: a second one could send it twice.
    async fn send(&self, mail: &Mail) -> Result<(), SendError>;
}

/// The request that mails are sent for. Clones share what came of them.
#[derive(Debug, Clone)]
pub struct Errand {
    /// The language that the request is answered in.
    pub language: Language,
    /// Hash of what tells the request from all others; a repetition of the same request has the same.
    pub(super) request: Option<Hashed>,
    outcome: Arc<Mutex<Option<MailOutcome>>>,
}

impl Errand {
    /// `request_id` is the same each time that one request is handed over, and never for two; "" where unknown.
    pub fn new(language: Language, request_id: &str) -> Self {
        let request = Some(request_id).filter(|id| !id.is_empty()).map(|id| Hashed::of(id.as_bytes()));
        Self { language, request, outcome: Arc::default() }
    }

    /// The same for mails to an account whose person has said in which language they want them.
    pub(super) fn in_language_of(&self, account: &Account) -> Self {
        Self { language: account.profile.language.unwrap_or(self.language), ..self.clone() }
    }

    /// What came of the request's newest mail, if there was one.
    pub fn outcome(&self) -> Option<MailOutcome> {
        *self.outcome.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands a mail over, and notes what comes of it: should this be broken off, that is unknown.
    pub(super) async fn send(&self, mailer: &dyn Mailer, mail: &Mail) -> Result<(), SendError> {
        self.note(MailOutcome::Unknown);
        let handed = mailer.send(mail).await;
        self.note(MailOutcome::of(&handed));
        handed
    }

    fn note(&self, outcome: MailOutcome) {
        *self.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
    }
}
