//! Mails to people: what they say and the port through which they leave.

use async_trait::async_trait;

use super::{EmailAddress, Purpose};

/// A language that texts exist in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// Chinese, simplified.
    Chinese,
    /// English.
    English,
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

/// Sends mail. [`Error::Unavailable`](super::Error::Unavailable) means that it was not sent.
#[async_trait]
pub trait Mailer: Send + Sync {
    /// Hands one mail over, with a single attempt: a second one could send it twice.
    async fn send(&self, mail: &Mail) -> super::Result<()>;
}
