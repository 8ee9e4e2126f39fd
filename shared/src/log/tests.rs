//! The line as it is written, and what CloudWatch asks of its metrics
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>).

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use time::macros::datetime;
use uuid::Uuid;

use super::*;
use crate::identity::AccountId;

const NOW: OffsetDateTime = datetime!(2026-01-02 03:04:05.678901 UTC);

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("not poisoned").write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What is written of a line: one line, which is an object.
fn written(line: &Line<'_>, stack: Option<&str>) -> Value {
    let lines = Lines::default();
    Log::json(lines.clone(), stack).write(line, NOW);
    let text = String::from_utf8(lines.0.lock().expect("not poisoned").clone()).expect("text");
    assert_eq!(text.find('\n'), Some(text.len() - 1), "{text}");
    serde_json::from_str(&text).expect("JSON")
}

fn full() -> Line<'static> {
    let metrics = Metrics {
        requests: Some(1),
        sign_in_failures: Some(0),
        mail_failures: Some(1),
        duration_ms: 12.345,
        ..Metrics::default()
    };
    Line {
        request_id: "JKJaXmPLvHcESHA=",
        xray_trace_id: Some("1-5759e988-bd862e3fe1be46a994272793"),
        contract: "kite",
        method: "POST",
        endpoint: "/api/v1/emails",
        status: Some(201),
        outcome: "ok",
        detail: Some("two\nlines"),
        account: Some(AccountId(Uuid::from_u128(7))),
        source: Some("0123456789abcdef"),
        mail: Some("throttled"),
        cold: true,
        metrics: metrics.with(Taken { round_trips: 3, read_units: 1.5, write_units: 4.0 }),
        ..Line::default()
    }
}

fn report() -> Line<'static> {
    let metrics = Metrics { faults: 1, ..Metrics::default() };
    Line { message: Subject::Report, outcome: "failed", marked: Some(0), metrics, ..Line::default() }
}

#[test]
fn every_field_stands_at_the_top() {
    insta::assert_snapshot!(serde_json::to_string_pretty(&written(&full(), Some("polygate-prod"))).expect("JSON"));
    insta::assert_snapshot!(serde_json::to_string_pretty(&written(&report(), Some("polygate-prod"))).expect("JSON"));
}

#[test]
fn without_a_stack_there_are_no_metrics() {
    for stack in [None, Some(""), Some(" ")] {
        let line = written(&full(), stack);
        assert_eq!((line.get("_aws"), line.get("Stack")), (None, None));
        assert_eq!(line["DurationMs"], json!(12.345), "the numbers are there all the same");
    }
}

/// What is wrong with a line by the format's rules.
fn faults(line: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let mut must = |rule: bool, what: &str| {
        if !rule {
            faults.push(what.to_owned());
        }
    };
    let aws = &line["_aws"];
    let keys = |object: &Value| object.as_object().map(|object| object.keys().cloned().collect::<BTreeSet<_>>());
    let named = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>());
    must(keys(aws) == named(&["Timestamp", "CloudWatchMetrics"]), "the metadata object's members");
    must(aws["Timestamp"].as_u64().is_some_and(|at| at > 1_000_000_000_000), "a time in milliseconds");
    let directives = aws["CloudWatchMetrics"].as_array().cloned().unwrap_or_default();
    must(!directives.is_empty(), "a directive");
    for directive in &directives {
        must(keys(directive) == named(&["Namespace", "Dimensions", "Metrics"]), "the directive's members");
        let namespace = directive["Namespace"].as_str().unwrap_or_default();
        must((1..=255).contains(&namespace.len()) && !namespace.starts_with("AWS/"), "a namespace");
        let sets = directive["Dimensions"].as_array().cloned().unwrap_or_default();
        must(!sets.is_empty(), "a set of dimensions");
        for set in &sets {
            let set = set.as_array().cloned().unwrap_or_default();
            must((1..=30).contains(&set.len()), "one to thirty dimensions");
            for dimension in set {
                let target = dimension.as_str().and_then(|name| line.get(name)?.as_str());
                must(target.is_some_and(|text| (1..=1024).contains(&text.len())), "a dimension's target");
            }
        }
        let metrics = directive["Metrics"].as_array().cloned().unwrap_or_default();
        must((1..=100).contains(&metrics.len()), "one to a hundred metrics");
        for metric in metrics {
            must(keys(&metric) == named(&["Name", "Unit"]), "a metric's members");
            must(matches!(metric["Unit"].as_str(), Some("Count" | "Milliseconds")), "a unit");
            let target = metric["Name"].as_str().and_then(|name| line.get(name)?.as_f64());
            must(target.is_some_and(f64::is_finite), "a metric's target");
        }
    }
    faults
}

#[test]
fn metrics_are_embedded_as_cloudwatch_reads_them() {
    for line in [full(), report()] {
        assert_eq!(faults(&written(&line, Some("polygate"))), [] as [&str; 0]);
    }
    // The rules can be broken.
    for (pointer, value, fault) in [
        ("/Stack", Value::Null, "a dimension's target"),
        ("/_aws/Timestamp", json!("2026-01-02T03:04:05Z"), "a time in milliseconds"),
        ("/_aws/CloudWatchMetrics/0/Metrics/0/Name", json!("Request"), "a metric's target"),
        ("/_aws/CloudWatchMetrics/0/Dimensions", json!(["Stack"]), "one to thirty dimensions"),
        ("/RoundTrips", json!("3"), "a metric's target"),
    ] {
        let mut line = written(&full(), Some("polygate"));
        *line.pointer_mut(pointer).expect(pointer) = value;
        assert_eq!(faults(&line), [fault], "{pointer}");
    }
}

#[test]
fn a_process_is_cold_once() {
    let log = Log::readable();
    assert_eq!([log.is_cold(), log.is_cold(), log.is_cold()], [true, false, false]);
}
