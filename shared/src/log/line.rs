//! The line itself: fields at the top, where CloudWatch Logs Insights looks for them, and what makes metrics of them.

use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Taken;
use crate::identity::AccountId;

/// What came of one request, or of one report of the mail service. Nothing in it is a secret, and no name, address
/// or path of a person: the endpoint is the route's pattern.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Line<'a> {
    /// What it is about.
    pub message: Subject,
    /// Identifies the request, also to the client; of a report the mail's id at SNS.
    pub request_id: &'a str,
    /// The trace it belongs to, where it is traced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xray_trace_id: Option<&'a str>,
    /// The contract it speaks, or `service`.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub contract: &'a str,
    /// The request's method.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub method: &'a str,
    /// The route's pattern without a mount, "" where there is none.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub endpoint: &'a str,
    /// The answer's status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// `ok`, or why not, in words that stay the same.
    pub outcome: &'a str,
    /// More about the outcome: the fields that were refused, or the cause of an accident.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<&'a str>,
    /// The account that acts, or that somebody tries to sign in to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// Stands for the network it came from: equal for equal ones, and nothing else can be told from it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<&'a str>,
    /// What came of the request's newest mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mail: Option<&'a str>,
    /// How many addresses a report marked that weren't so already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marked: Option<usize>,
    /// Whether it is the first thing that its process did.
    pub cold: bool,
    /// What is counted.
    #[serde(flatten)]
    pub metrics: Metrics,
}

/// What a line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Subject {
    /// A request.
    #[default]
    Request,
    /// A report of the mail service: a mail came back or was complained about.
    Report,
}

/// The numbers of a line, by the names of their metrics.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Metrics {
    /// 1; none of a report.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests: Option<u32>,
    /// 1 where something went wrong on our side.
    pub faults: u32,
    /// 1 where an attempt to sign in was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sign_in_failures: Option<u32>,
    /// 1 where a mail did not leave, or nobody knows whether it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mail_failures: Option<u32>,
    /// From the request's arrival in the process to its answer.
    pub duration_ms: f64,
    /// Round trips to the table that it waited for.
    pub round_trips: u32,
    /// The table's capacity that reads took.
    pub read_units: f64,
    /// The table's capacity that writes took.
    pub write_units: f64,
}

impl Metrics {
    /// What a request took at the table.
    #[must_use]
    pub fn with(self, taken: Taken) -> Self {
        let Taken { round_trips, read_units, write_units } = taken;
        Self { round_trips, read_units, write_units, ..self }
    }
}

/// The line as it is written: when, how bad, and what CloudWatch is to count.
#[derive(Serialize)]
pub(super) struct Written<'a> {
    timestamp: String,
    level: &'static str,
    #[serde(flatten)]
    line: &'a Line<'a>,
    #[serde(rename = "Stack", skip_serializing_if = "Option::is_none")]
    stack: Option<&'a str>,
    #[serde(rename = "_aws", skip_serializing_if = "Option::is_none")]
    aws: Option<Embedded>,
}

impl<'a> Written<'a> {
    pub(super) fn new(line: &'a Line<'a>, now: OffsetDateTime, stack: Option<&'a str>) -> Self {
        // Milliseconds are what CloudWatch keeps.
        let now = now.replace_millisecond(now.millisecond()).unwrap_or(now);
        Self {
            timestamp: now.format(&Rfc3339).unwrap_or_default(),
            level: if line.metrics.faults > 0 { "ERROR" } else { "INFO" },
            line,
            stack,
            aws: stack.map(|_| Embedded::of(line.message, now)),
        }
    }
}

/// CloudWatch's embedded metric format: which fields of the line are metrics.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Embedded {
    timestamp: i64,
    cloud_watch_metrics: [Directive; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Directive {
    namespace: &'static str,
    dimensions: [[&'static str; 1]; 1],
    metrics: &'static [Metric],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Metric {
    name: &'static str,
    unit: &'static str,
}

const fn count(name: &'static str) -> Metric {
    Metric { name, unit: "Count" }
}

const OF_A_REQUEST: [Metric; 8] = [
    count("Requests"),
    count("Faults"),
    count("SignInFailures"),
    count("MailFailures"),
    Metric { name: "DurationMs", unit: "Milliseconds" },
    count("RoundTrips"),
    count("ReadUnits"),
    count("WriteUnits"),
];
const OF_A_REPORT: [Metric; 3] = [count("Faults"), count("ReadUnits"), count("WriteUnits")];

impl Embedded {
    fn of(subject: Subject, now: OffsetDateTime) -> Self {
        let metrics: &'static [Metric] = match subject {
            Subject::Request => &OF_A_REQUEST,
            Subject::Report => &OF_A_REPORT,
        };
        let timestamp = now.unix_timestamp() * 1000 + i64::from(now.millisecond());
        let directive = Directive { namespace: "Polygate", dimensions: [["Stack"]], metrics };
        Self { timestamp, cloud_watch_metrics: [directive] }
    }
}
