//! The pages in `docs/contracts/`: each endpoint has a row there with the statuses that its description has, each row
//! an endpoint, what they show is answered, and each link leads somewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use reqwest::Method;
use serde_json::Value;

use crate::structure::read;
use crate::support::World;

/// A page, and the description of what is in its tables.
const PAGES: [(&str, &str); 5] =
    [("README", "service"), ("kite", "kite"), ("zeaya", "zeaya"), ("sproutgate", "sproutgate"), ("mcphub", "mcphub")];

/// What a page says of all its endpoints together: faults of ours, and bodies that are no JSON of a fair size.
const COMMON: [u16; 4] = [413, 415, 500, 503];

/// `METHOD /path`, with the statuses of its answers.
type Endpoints = BTreeMap<String, BTreeSet<u16>>;

fn described(document: &str) -> Endpoints {
    let document: Value = serde_json::from_str(&read(&format!("docs/openapi/{document}.json"))).expect("JSON");
    let mut endpoints = Endpoints::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            let Some(responses) = operation.get("responses").and_then(Value::as_object) else { continue };
            let statuses = responses.keys().map(|status| status.parse().expect("a status"));
            endpoints.insert(format!("{} {path}", method.to_uppercase()), without_common(statuses));
        }
    }
    endpoints
}

/// The rows of a page that begin with an endpoint; their last cell has the statuses.
fn rows(page: &str) -> Endpoints {
    let mut endpoints = Endpoints::new();
    for line in page.lines() {
        let cells: Vec<_> = line.trim().trim_matches('|').split('|').map(str::trim).collect();
        let Some(endpoint) = cells[0].strip_prefix('`').and_then(|cell| cell.strip_suffix('`')) else { continue };
        let method = endpoint.split_once(" /").map(|(method, _)| method);
        if !method.is_some_and(|method| method.bytes().all(|byte| byte.is_ascii_uppercase())) {
            continue;
        }
        let statuses = without_common(numbers(cells[cells.len() - 1]));
        assert_eq!(endpoints.insert(endpoint.to_owned(), statuses), None, "{endpoint} stands twice");
    }
    endpoints
}

/// Numbers of three digits. Longer ones are codes, which stand beside their status.
fn numbers(cell: &str) -> impl Iterator<Item = u16> {
    cell.split(|c: char| !c.is_ascii_digit())
        .filter(|digits| digits.len() == 3)
        .filter_map(|digits| digits.parse().ok())
}

fn without_common(statuses: impl Iterator<Item = u16>) -> BTreeSet<u16> {
    statuses.filter(|status| !COMMON.contains(status)).collect()
}

#[test]
fn contract_pages_have_each_endpoint_with_its_statuses() {
    for (page, document) in PAGES {
        let (told, described) = (rows(&read(&format!("docs/contracts/{page}.md"))), described(document));
        assert!(!described.is_empty(), "{document} describes nothing");
        let missing: Vec<_> = described.keys().filter(|endpoint| !told.contains_key(*endpoint)).collect();
        let invented: Vec<_> = told.keys().filter(|endpoint| !described.contains_key(*endpoint)).collect();
        assert!(
            missing.is_empty() && invented.is_empty(),
            "docs/contracts/{page}.md: without a row: {missing:#?}, rows of no endpoint: {invented:#?}"
        );
        for (endpoint, statuses) in &described {
            assert_eq!(&told[endpoint], statuses, "docs/contracts/{page}.md: the last cell of {endpoint}");
        }
    }
}

/// Requests that need nothing, each with the answer that the next line shows.
#[tokio::test]
async fn contract_pages_show_what_is_answered() {
    let mut world = World::start().await;
    for (page, _) in PAGES {
        let text = read(&format!("docs/contracts/{page}.md"));
        let lines: Vec<_> = text.lines().collect();
        let mut shown = 0;
        for pair in lines.windows(2) {
            let Some(path) = pair[0].strip_prefix("$ curl -s http://127.0.0.1:9000") else { continue };
            let answer = world.ask(Method::GET, path).quietly().await;
            assert_eq!(answer.body, pair[1], "docs/contracts/{page}.md: {path}");
            shown += 1;
        }
        assert_ne!(shown, 0, "docs/contracts/{page}.md shows no request");
    }
}

#[test]
fn contract_pages_link_to_what_is_there() {
    let folder = Path::new("docs/contracts");
    for (page, _) in PAGES {
        let text = read(&format!("docs/contracts/{page}.md"));
        let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        let inside = links.filter(|link| !link.contains("://") && !link.starts_with('#'));
        let files: Vec<_> = inside.map(|link| link.split('#').next().unwrap_or_default()).collect();
        assert!(!files.is_empty(), "docs/contracts/{page}.md links to nothing");
        for file in files {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join(file);
            assert!(path.exists(), "docs/contracts/{page}.md: {file} is not there");
        }
    }
}
