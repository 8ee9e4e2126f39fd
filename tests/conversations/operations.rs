//! What `docs/operations.md` asks of the log is what the log has.

use std::collections::BTreeSet;

use polygate_shared::identity::AccountId;
use polygate_shared::log::{Line, Log, Metrics};

use crate::structure::read;
use crate::support::World;

/// The queries of the page: what stands in fences and begins as one.
fn queries(page: &str) -> Vec<String> {
    let fenced = page.split("\n```\n").filter(|part| part.starts_with("filter ") || part.starts_with("fields "));
    fenced.map(str::to_owned).collect()
}

/// The language's own words (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html>).
const WORDS: [&str; 25] = [
    "and",
    "as",
    "asc",
    "avg",
    "bin",
    "by",
    "count",
    "count_distinct",
    "desc",
    "fields",
    "filter",
    "in",
    "ispresent",
    "limit",
    "max",
    "min",
    "not",
    "or",
    "pct",
    "sort",
    "stats",
    "sum",
    "1h",
    "1d",
    "like",
];
/// What CloudWatch finds in every line, and in those that Lambda itself writes.
const GIVEN: [&str; 5] = ["@timestamp", "@message", "@log", "type", "record.metrics.initDurationMs"];
/// What events have that are no lines of requests.
const OF_EVENTS: [&str; 2] = ["level", "span.request_id"];

/// What a query names and nobody gives.
fn unknown(query: &str, fields: &BTreeSet<String>) -> Vec<String> {
    // Texts are no names.
    let bare: String = query.split('"').step_by(2).collect::<Vec<_>>().join(" ");
    let words: Vec<_> = bare.split(|c: char| !(c.is_ascii_alphanumeric() || "@._".contains(c))).collect();
    let named: BTreeSet<_> = words.windows(2).filter(|two| two[0] == "as").map(|two| two[1]).collect();
    let known = |word: &&str| {
        word.is_empty()
            || word.parse::<f64>().is_ok()
            || WORDS.contains(word)
            || GIVEN.contains(word)
            || OF_EVENTS.contains(word)
            || named.contains(word)
            || fields.contains(*word)
    };
    words.into_iter().filter(|word| !known(word)).map(str::to_owned).collect()
}

/// Every field that a line may have.
async fn fields() -> BTreeSet<String> {
    let world = World::start().await;
    let metrics =
        Metrics { requests: Some(1), sign_in_failures: Some(0), mail_failures: Some(0), ..Metrics::default() };
    let line = Line {
        xray_trace_id: Some("1-2"),
        contract: "kite",
        method: "GET",
        endpoint: "/api",
        status: Some(200),
        detail: Some("more"),
        account: Some(AccountId(uuid::Uuid::nil())),
        source: Some("0123456789abcdef"),
        mail: Some("sent"),
        marked: Some(1),
        metrics,
        ..Line::default()
    };
    let log: std::sync::Arc<Log> = world.watch.log();
    log.write(&line, world.server.identity().now());
    let line = world.watch.lines().pop().expect("a line");
    line.as_object().expect("an object").keys().cloned().collect()
}

#[tokio::test]
async fn the_queries_name_fields_that_lines_have() {
    let (fields, page) = (fields().await, read("docs/operations.md"));
    let queries = queries(&page);
    assert!(queries.len() >= 12, "{queries:?}");
    for query in &queries {
        assert_eq!(unknown(query, &fields), [] as [&str; 0], "{query}");
    }
    assert_eq!(unknown("filter Failures = 1 | stats count(*) as n by kind", &fields), ["Failures", "kind"]);
}

/// The table of fields in the page has each of them.
#[tokio::test]
async fn the_page_tells_of_every_field() {
    let page = read("docs/operations.md");
    let lines = page.lines().skip_while(|line| *line != "| field | |").take_while(|line| line.starts_with('|'));
    let cells = lines.filter_map(|line| line.split('|').nth(1));
    let told: BTreeSet<_> = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).map(str::to_owned).collect();
    let given: BTreeSet<_> = ["timestamp", "Stack", "_aws"].map(str::to_owned).into();
    let missing: Vec<_> = fields().await.difference(&told).filter(|field| !given.contains(*field)).cloned().collect();
    assert_eq!(missing, [] as [&str; 0]);
}

/// Each alarm of the template has its row in the page, and the other way about.
#[test]
fn the_page_says_of_every_alarm_what_to_do() {
    let template: serde_yaml_ng::Value = serde_yaml_ng::from_str(&read("template.yaml")).expect("YAML");
    let resources = template["Resources"].as_mapping().expect("resources");
    let alarms = resources.iter().filter(|(_, resource)| resource["Type"] == "AWS::CloudWatch::Alarm");
    let made: BTreeSet<_> = alarms.filter_map(|(name, _)| name.as_str().map(str::to_owned)).collect();
    let page = read("docs/operations.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("Alarm` |"));
    let told: BTreeSet<_> = rows.map(|(name, _)| format!("{name}Alarm")).collect();
    assert!(!made.is_empty() && made == told, "{made:?} {told:?}");
}
