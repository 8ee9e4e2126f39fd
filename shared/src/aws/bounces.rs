//! What SES tells of mails by SNS: those that came back for good or were complained about mark their addresses.

use std::sync::Arc;

use lambda_runtime::{LambdaEvent, Runtime};
use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::time::Instant;

use super::events;
use super::lambda::{self, Error};
use crate::identity::{self, EmailAddress, Identity, Undeliverable};
use crate::log::{Line, Log, Metrics, Subject, Tally, millis};
use crate::settings::environment;

/// What SNS hands a function: one record, in practice.
#[derive(Debug, Deserialize)]
pub struct SnsEvent {
    #[serde(rename = "Records")]
    records: Vec<SnsRecord>,
}

#[derive(Debug, Deserialize)]
struct SnsRecord {
    #[serde(rename = "Sns")]
    sns: SnsMessage,
}

#[derive(Debug, Deserialize)]
struct SnsMessage {
    #[serde(rename = "MessageId", default)]
    message_id: String,
    /// JSON of SES as text.
    #[serde(rename = "Message")]
    message: String,
}

/// A notification of an identity (`notificationType`) or an event of a configuration set (`eventType`): both have
/// the same parts.
#[derive(Deserialize)]
struct Report {
    #[serde(rename = "notificationType", alias = "eventType")]
    kind: String,
    bounce: Option<Bounce>,
    complaint: Option<Complaint>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bounce {
    bounce_type: String,
    bounced_recipients: Vec<Recipient>,
    timestamp: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Complaint {
    complained_recipients: Vec<Recipient>,
    timestamp: String,
    #[serde(default)]
    complaint_feedback_type: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recipient {
    email_address: String,
}

/// Addresses that a report is about.
#[derive(Debug, PartialEq, Eq)]
struct Found {
    reason: Undeliverable,
    at: OffsetDateTime,
    addresses: Vec<EmailAddress>,
    /// How many recipients were no addresses.
    unreadable: usize,
}

/// Runs the function until Lambda stops the process. It sends no mail and signs nothing.
pub async fn run() -> Result<(), Error> {
    let lookup = environment();
    events::start(&lookup);
    let (identity, _) = lambda::identity(lambda::no_mail, lambda::no_vault)?;
    let parts = Arc::new((identity, lambda::log(&lookup)));
    let service = lambda_runtime::service_fn(move |event: LambdaEvent<SnsEvent>| {
        let parts = Arc::clone(&parts);
        async move { handle(&parts.0, &parts.1, event).await.map_err(Error::from) }
    });
    Runtime::new(service).run().await
}

/// Takes an event in. What can't be understood is logged and dropped, since it would be no better the next time; where
/// the store fails the event fails, so that Lambda hands it over again. The function and the tests call this.
pub async fn handle(identity: &Identity, log: &Log, event: LambdaEvent<SnsEvent>) -> identity::Result<()> {
    let trace = lambda::trace(&event.context);
    let mut outcome = Ok(());
    for SnsRecord { sns } in event.payload.records {
        let (started, tally) = (Instant::now(), Tally::default());
        let taken_in = tally.during(take_in(identity, &sns.message)).await;
        let line = Line { request_id: &sns.message_id, xray_trace_id: trace.as_deref(), ..Line::default() };
        tell(line, &taken_in, started, &tally, log, identity);
        // The others are tried all the same.
        outcome = outcome.and(taken_in.map(|_| ()));
    }
    outcome
}

/// What came of a report that could be taken in.
enum TakenIn {
    Marked {
        reason: Undeliverable,
        marked: usize,
        unreadable: usize,
    },
    /// It is about nobody's mail.
    Ignored,
    /// It can't be understood, for this reason. The cause would quote the message, which has addresses.
    Dropped(&'static str),
}

async fn take_in(identity: &Identity, message: &str) -> identity::Result<TakenIn> {
    let Found { reason, at, addresses, unreadable } = match read(message) {
        Ok(Some(found)) => found,
        Ok(None) => return Ok(TakenIn::Ignored),
        Err(problem) => return Ok(TakenIn::Dropped(problem)),
    };
    let mut marked = 0;
    for address in &addresses {
        marked += usize::from(identity.mark_undeliverable(address, reason, at).await?);
    }
    Ok(TakenIn::Marked { reason, marked, unreadable })
}

/// The log's line of a report.
fn tell(
    line: Line<'_>,
    taken_in: &identity::Result<TakenIn>,
    started: Instant,
    tally: &Tally,
    log: &Log,
    identity: &Identity,
) {
    let (outcome, detail, marked) = match taken_in {
        Ok(TakenIn::Marked { reason, marked, unreadable: 0 }) => ("ok", reason.as_str().to_owned(), *marked),
        Ok(TakenIn::Marked { reason, marked, unreadable }) => {
            ("ok", format!("{}, {unreadable} unreadable", reason.as_str()), *marked)
        }
        Ok(TakenIn::Ignored) => ("ignored", String::new(), 0),
        Ok(TakenIn::Dropped(problem)) => ("dropped", (*problem).to_owned(), 0),
        Err(accident) => ("failed", accident.to_string(), 0),
    };
    let metrics = Metrics {
        faults: taken_in.is_err().into(),
        duration_ms: millis(started.elapsed()),
        ..Metrics::default().with(tally.taken())
    };
    let line = Line {
        message: Subject::Report,
        outcome,
        detail: Some(detail.as_str()).filter(|detail| !detail.is_empty()),
        marked: Some(marked),
        cold: log.is_cold(),
        metrics,
        ..line
    };
    log.write(&line, identity.now());
}

/// `None`: nothing that marks an address, such as a delivery or a mail that may arrive yet.
fn read(message: &str) -> Result<Option<Found>, &'static str> {
    let report: Report = serde_json::from_str(message).map_err(|_| "no report of SES")?;
    let (reason, timestamp, recipients) = match (report.kind.as_str(), report.bounce, report.complaint) {
        // Also where SES didn't try, since the address is on the account's suppression list.
        ("Bounce", Some(bounce), _) if bounce.bounce_type == "Permanent" => {
            (Undeliverable::Bounced, bounce.timestamp, bounce.bounced_recipients)
        }
        ("Complaint", _, Some(complaint)) if complaint.complaint_feedback_type.as_deref() != Some("not-spam") => {
            (Undeliverable::Complained, complaint.timestamp, complaint.complained_recipients)
        }
        ("Bounce", None, _) => return Err("a bounce without its part"),
        ("Complaint", _, None) => return Err("a complaint without its part"),
        (_, _, _) => return Ok(None),
    };
    let at = OffsetDateTime::parse(&timestamp, &Rfc3339).map_err(|_| "an instant that is none")?;
    let told = recipients.len();
    let addresses: Vec<_> = recipients.iter().filter_map(|one| address(&one.email_address)).collect();
    Ok(Some(Found { reason, at, unreadable: told - addresses.len(), addresses }))
}

/// An address alone, or as `Name <address>`.
fn address(text: &str) -> Option<EmailAddress> {
    let bare = text.rsplit_once('<').and_then(|(_, rest)| rest.trim_end().strip_suffix('>')).unwrap_or(text);
    EmailAddress::parse(bare).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    const BOUNCE: &str = r#"{"notificationType":"Bounce","bounce":{"bounceType":"Permanent","bounceSubType":"General",
        "bouncedRecipients":[{"emailAddress":"Anna <anna@example.com>"},{"emailAddress":"nowhere"}],
        "timestamp":"2026-01-01T12:00:00.250Z"},"mail":{}}"#;
    const COMPLAINT: &str = r#"{"eventType":"Complaint","complaint":{"complaintFeedbackType":"abuse",
        "complainedRecipients":[{"emailAddress":"anna@example.com"}],"timestamp":"2026-01-01T12:00:00Z"}}"#;

    fn found(message: &str) -> Option<Found> {
        read(message).expect("a report")
    }

    #[test]
    fn both_formats_tell_whom_a_mail_did_not_reach() {
        let anna = EmailAddress::parse("anna@example.com").expect("an address");
        let at = datetime!(2026-01-01 12:00:00.25 UTC);
        let expected = Found { reason: Undeliverable::Bounced, at, addresses: vec![anna.clone()], unreadable: 1 };
        assert_eq!(found(BOUNCE), Some(expected));
        let at = datetime!(2026-01-01 12:00 UTC);
        let expected = Found { reason: Undeliverable::Complained, at, addresses: vec![anna], unreadable: 0 };
        assert_eq!(found(COMPLAINT), Some(expected));
        let other = BOUNCE.replace("notificationType", "eventType").replace("General", "OnAccountSuppressionList");
        assert_eq!(found(&other).map(|found| found.reason), Some(Undeliverable::Bounced));
    }

    #[test]
    fn what_may_arrive_yet_or_was_no_complaint_marks_nobody() {
        for message in [
            BOUNCE.replace("Permanent", "Transient"),
            BOUNCE.replace("Permanent", "Undetermined"),
            COMPLAINT.replace("abuse", "not-spam"),
            r#"{"eventType":"Delivery","delivery":{}}"#.to_owned(),
            r#"{"notificationType":"AmazonSnsSubscriptionSucceeded","message":"…"}"#.to_owned(),
        ] {
            assert_eq!(found(&message), None, "{message}");
        }
    }

    #[test]
    fn what_is_no_report_is_told_without_its_words() {
        for message in ["", "hello", "{}", "[]", r#"{"eventType":"Bounce"}"#, r#"{"eventType":"Complaint"}"#] {
            assert!(read(message).is_err(), "{message}");
        }
        assert_eq!(read(&BOUNCE.replace("2026-01-01T", "")), Err("an instant that is none"));
    }
}
