//! Mail through SES.

use std::time::Duration;

use anyhow::{Context, anyhow};
use async_trait::async_trait;
use aws_sdk_ses::error::{BuildError, ProvideErrorMetadata, SdkError};
use aws_sdk_ses::operation::RequestId;
use aws_sdk_ses::operation::send_email::SendEmailError;
use aws_sdk_ses::types::{Body, Content, Destination, Message, MessageTag};

use crate::identity::{Error, Mail, Mailer, Result};

/// What SES limits it limits for longer than a moment.
const RETRY_AFTER: Duration = Duration::from_secs(60);

/// Sends mail through SES, from one address that SES has verified.
#[derive(Debug, Clone)]
pub struct SesMailer {
    client: aws_sdk_ses::Client,
    from: String,
}

impl SesMailer {
    /// The client must not retry: see [`super::client::ses`].
    pub fn new(client: aws_sdk_ses::Client, from: impl Into<String>) -> Self {
        Self { client, from: from.into() }
    }
}

#[async_trait]
impl Mailer for SesMailer {
    async fn send(&self, mail: &Mail) -> Result<()> {
        let message = message(mail).context("a mail could not be put together")?;
        let tag = MessageTag::builder().name("purpose").value(mail.purpose.as_str()).build();
        let sent = self
            .client
            .send_email()
            .source(&self.from)
            .destination(Destination::builder().to_addresses(recipient(mail)).build())
            .message(message)
            .tags(tag.context("a mail could not be tagged")?)
            .send()
            .await;
        match sent {
            Ok(_) => Ok(()),
            Err(error) => Err(Error::Unavailable { retry_after: RETRY_AFTER, cause: cause(error) }),
        }
    }
}

/// The recipient as SES takes it: a domain of another script in its ASCII form (RFC 5891).
fn recipient(mail: &Mail) -> String {
    let address = mail.to.as_str();
    let ascii = address.rsplit_once('@').and_then(|(local, domain)| {
        let domain = idna::domain_to_ascii(domain).ok()?;
        Some(format!("{local}@{domain}"))
    });
    // SES refuses what can't be written so.
    ascii.unwrap_or_else(|| address.to_owned())
}

fn message(mail: &Mail) -> Result<Message, BuildError> {
    let utf8 = |text: &str| Content::builder().charset("UTF-8").data(text).build();
    let body = Body::builder().text(utf8(&mail.text)?).html(utf8(&mail.html)?).build();
    Ok(Message::builder().subject(utf8(&mail.subject)?).body(body).build())
}

/// What went wrong, for the log. SES repeats addresses in its messages, so of its answers only the code is told,
/// with the id by which AWS finds the rest.
fn cause(error: SdkError<SendEmailError>) -> anyhow::Error {
    match error {
        SdkError::DispatchFailure(_) | SdkError::TimeoutError(_) => anyhow::Error::new(error).context("SendEmail"),
        _ => {
            let code = error.code().unwrap_or("no usable answer");
            anyhow!("SendEmail: {code} (request {})", error.request_id().unwrap_or("unknown"))
        }
    }
}
