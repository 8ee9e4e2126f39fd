//! Mail through SES.

use std::error::Error as StdError;
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Context, anyhow};
use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_ses::error::{BuildError, ProvideErrorMetadata, SdkError};
use aws_sdk_ses::operation::RequestId;
use aws_sdk_ses::operation::send_email::SendEmailError;
use aws_sdk_ses::types::{Body, Content, Destination, Message, MessageTag};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::client;
use crate::identity::{Mail, Mailer, NotSent, SendError};

/// How long one mail may take. SES answers within tenths of a second; the functions that send have 15 seconds in all.
pub const TIME_OUT: Duration = Duration::from_secs(4);

/// Answers that say: not so many.
const THROTTLING: [&str; 5] =
    ["Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequestsException", "LimitExceededException"];
/// Answers that are about this mail or its address. Other refusals are about the deployment.
const ABOUT_THE_MAIL: [&str; 4] =
    ["MessageRejected", "InvalidParameterValue", "InvalidParameterCombination", "ValidationError"];

/// Sends mail through SES, from one address that SES has verified.
#[derive(Debug, Clone)]
pub struct SesMailer {
    config: SdkConfig,
    /// Made with the first mail: most processes end before that.
    client: OnceLock<aws_sdk_ses::Client>,
    from: String,
    reply_to: Option<String>,
    configuration_set: Option<String>,
    time_out: Duration,
}

impl SesMailer {
    /// Sends from an address, `a@example.com` or `Name <a@example.com>`, through a [client](client::ses) with this
    /// configuration.
    pub fn new(config: &SdkConfig, from: &str) -> Self {
        let (config, client, from) = (config.clone(), OnceLock::new(), sender(from));
        Self { config, client, from, reply_to: None, configuration_set: None, time_out: TIME_OUT }
    }

    /// The same with the address that answers go to.
    #[must_use]
    pub fn reply_to(self, address: Option<&str>) -> Self {
        Self { reply_to: address.map(sender), ..self }
    }

    /// The same under a configuration set of SES.
    #[must_use]
    pub fn under(self, configuration_set: Option<String>) -> Self {
        Self { configuration_set, ..self }
    }

    /// The same with another time that one mail may take.
    #[must_use]
    pub fn within(self, time_out: Duration) -> Self {
        Self { time_out, ..self }
    }

    fn time_outs(&self) -> aws_sdk_ses::config::Builder {
        // The time to connect stays as the client has it.
        let time_outs =
            TimeoutConfig::builder().operation_timeout(self.time_out).operation_attempt_timeout(self.time_out);
        aws_sdk_ses::config::Builder::new().timeout_config(time_outs.build())
    }
}

#[async_trait]
impl Mailer for SesMailer {
    async fn send(&self, mail: &Mail) -> Result<(), SendError> {
        let message = message(mail).context("a mail could not be put together").map_err(rejected)?;
        let tag = MessageTag::builder().name("purpose").value(mail.purpose.as_str()).build();
        let client = self.client.get_or_init(|| client::ses(&self.config));
        let sent = client
            .send_email()
            .source(&self.from)
            .set_reply_to_addresses(self.reply_to.clone().map(|address| vec![address]))
            .set_configuration_set_name(self.configuration_set.clone())
            .destination(Destination::builder().to_addresses(recipient(mail)).build())
            .message(message)
            .tags(tag.context("a mail could not be tagged").map_err(rejected)?)
            .customize()
            .config_override(self.time_outs())
            .send()
            .await;
        match sent {
            Ok(_) => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }
}

fn rejected(cause: anyhow::Error) -> SendError {
    SendError::NotSent { why: NotSent::Rejected, cause }
}

/// A sender as SES takes it: a name in other letters than ASCII as an encoded word (RFC 2047).
fn sender(text: &str) -> String {
    let Some((name, address)) = text.rsplit_once('<') else { return text.to_owned() };
    let name = name.trim().trim_matches('"');
    if name.is_ascii() {
        return text.to_owned();
    }
    // An encoded word is at most 75 characters long: 45 bytes of text, and letters stay whole.
    let mut words: Vec<String> = Vec::new();
    for letter in name.chars() {
        match words.last_mut() {
            Some(word) if word.len() + letter.len_utf8() <= 45 => word.push(letter),
            _ => words.push(letter.to_string()),
        }
    }
    let encoded: Vec<_> = words.iter().map(|word| format!("=?UTF-8?B?{}?=", STANDARD.encode(word))).collect();
    format!("{} <{address}", encoded.join(" "))
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

/// What a failure says of the mail. In doubt it may have been sent: then the same code is sent again, and not a second.
fn failed(error: SdkError<SendEmailError>) -> SendError {
    let why = match &error {
        SdkError::ConstructionFailure(_) => Some(NotSent::Misconfigured),
        SdkError::TimeoutError(_) => None,
        SdkError::DispatchFailure(failure) if failure.is_user() => Some(NotSent::Misconfigured),
        SdkError::DispatchFailure(failure) => {
            why_not_dispatched(failure.as_connector_error().and_then(StdError::source))
        }
        SdkError::ResponseError(answer) => answer.raw().status().is_client_error().then_some(NotSent::Misconfigured),
        SdkError::ServiceError(answer) => why_refused(answer.err(), answer.raw().status().is_client_error()),
        // The list is open; whatever it is, nothing speaks for that nothing was sent.
        _ => None,
    };
    let cause = cause(error);
    match why {
        Some(why) => SendError::NotSent { why, cause },
        None => SendError::Unknown { cause },
    }
}

/// `None`: the request may have gone out.
fn why_not_dispatched(source: Option<&(dyn StdError + 'static)>) -> Option<NotSent> {
    let mut source = source;
    while let Some(error) = source {
        let transport = error.downcast_ref::<hyper_util::client::legacy::Error>();
        if transport.is_some_and(hyper_util::client::legacy::Error::is_connect) {
            return Some(NotSent::Unreachable);
        }
        source = error.source();
    }
    None
}

/// `None`: SES doesn't say that it didn't send.
fn why_refused(refusal: &SendEmailError, callers_fault: bool) -> Option<NotSent> {
    let (code, told) = (refusal.code().unwrap_or_default(), refusal.message().unwrap_or_default());
    if THROTTLING.contains(&code) {
        return Some(NotSent::Throttled);
    }
    // A fault of its own, or an answer of success that breaks off.
    if !callers_fault {
        return None;
    }
    let of_the_mail = ABOUT_THE_MAIL.contains(&code);
    let unverified = code == "MessageRejected" && told.contains("not verified");
    Some(match (unverified, of_the_mail) {
        (true, _) => NotSent::Unverified,
        (false, true) => NotSent::Rejected,
        (false, false) => NotSent::Misconfigured,
    })
}

/// What went wrong, for the log. SES repeats addresses in its messages, so of its answers only the code is told,
/// with the id by which AWS finds the rest.
fn cause(error: SdkError<SendEmailError>) -> anyhow::Error {
    match error {
        SdkError::DispatchFailure(_) | SdkError::TimeoutError(_) | SdkError::ConstructionFailure(_) => {
            anyhow::Error::new(error).context("SendEmail")
        }
        _ => {
            let code = error.code().unwrap_or("no usable answer");
            anyhow!("SendEmail: {code} (request {})", error.request_id().unwrap_or("unknown"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::sender;

    #[test]
    fn a_senders_name_is_ascii_or_encoded() {
        assert_eq!(sender("a@example.com"), "a@example.com");
        assert_eq!(sender("Polygate <a@example.com>"), "Polygate <a@example.com>");
        assert_eq!(sender("账号 <a@example.com>"), "=?UTF-8?B?6LSm5Y+3?= <a@example.com>");
        let long = sender(&format!("{} <a@example.com>", "名".repeat(20)));
        let words: Vec<_> = long.split(' ').collect();
        assert!(words.len() == 3 && words.iter().all(|word| word.len() <= 75), "{long}");
    }
}
