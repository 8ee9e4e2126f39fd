//! Stands between the service and the engine, has the engine say what each call costs, and adds it up.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;
use serde_json::Value;

/// What a request cost.
#[derive(Debug, Default, Clone, Serialize)]
pub(crate) struct Spent {
    /// Calls by operation.
    calls: BTreeMap<String, u64>,
    /// Read units of the table.
    read: f64,
    /// Write units of the table.
    pub(crate) write: f64,
    /// Read and write units of each index.
    indexes_read: BTreeMap<String, f64>,
    indexes_write: BTreeMap<String, f64>,
    /// Write units of the table by kind of partition: `total#7` is one of `total`.
    partitions_written: BTreeMap<String, f64>,
    /// The same of what is read.
    partitions_read: BTreeMap<String, f64>,
}

/// The meter, reached as the engine is.
#[derive(Clone)]
pub(crate) struct Meter {
    engine: String,
    endpoint: String,
    client: reqwest::Client,
    spent: Arc<Mutex<Spent>>,
}

impl Meter {
    pub(crate) async fn start(engine: String) -> Self {
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let meter = Self { engine, endpoint, client, spent: Arc::default() };
        let router = Router::new().fallback(pass_on).with_state(meter.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        meter
    }

    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// What was spent since it was read last.
    pub(crate) fn read(&self) -> Spent {
        std::mem::take(&mut *self.spent.lock().expect("not poisoned"))
    }
}

async fn pass_on(State(meter): State<Meter>, headers: HeaderMap, body: Bytes) -> Response {
    let mut asked: Value = serde_json::from_slice(&body).expect("JSON");
    asked["ReturnConsumedCapacity"] = "INDEXES".into();
    let mut request = meter.client.post(&meter.engine).body(asked.to_string());
    for (name, value) in headers.iter().filter(|(name, _)| *name != "host" && *name != "content-length") {
        request = request.header(name, value);
    }
    let answer = request.send().await.expect("an answer");
    let mut passed = Response::builder().status(answer.status());
    // The engine's checksum is of what it said, and that is passed on as it is.
    for (name, value) in answer.headers().iter().filter(|(name, _)| *name != "content-length") {
        passed = passed.header(name, value);
    }
    let body = answer.bytes().await.expect("a body");
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    let operation = target.rsplit('.').next().unwrap_or_default();
    let answered: Value = serde_json::from_slice(&body).unwrap_or_default();
    meter.spent.lock().expect("not poisoned").add(operation, &asked, &answered);
    passed.body(Body::from(body)).expect("an answer")
}

impl Spent {
    fn add(&mut self, operation: &str, asked: &Value, answered: &Value) {
        *self.calls.entry(operation.to_owned()).or_default() += 1;
        let reads = matches!(operation, "GetItem" | "BatchGetItem" | "Query");
        let consumed = match &answered["ConsumedCapacity"] {
            Value::Array(tables) => tables.clone(),
            one => vec![one.clone()],
        };
        let mut all = 0.0;
        for table in consumed {
            let units = table["Table"]["CapacityUnits"].as_f64().unwrap_or_default();
            all += units;
            *(if reads { &mut self.read } else { &mut self.write }) += units;
            let indexes = if reads { &mut self.indexes_read } else { &mut self.indexes_write };
            for (name, index) in table["GlobalSecondaryIndexes"].as_object().into_iter().flatten() {
                *indexes.entry(name.clone()).or_default() += index["CapacityUnits"].as_f64().unwrap_or_default();
            }
        }
        let mut touched = Vec::new();
        touch(asked, &mut touched);
        // A query of the table names its partition among its values.
        let queried = asked["ExpressionAttributeValues"][":pk"]["S"].as_str();
        touched.extend(queried.filter(|_| operation == "Query").map(|pk| (kind(pk), 1.0)));
        let whole: f64 = touched.iter().map(|(_, weight)| weight).sum();
        let partitions = if reads { &mut self.partitions_read } else { &mut self.partitions_written };
        for (kind, weight) in touched {
            *partitions.entry(kind).or_default() += all * weight / whole;
        }
    }
}

/// `attempts#identifier#anna` is `attempts#identifier`, `total#7` is `total`.
fn kind(pk: &str) -> String {
    let mut parts = pk.split('#');
    let first = parts.next().unwrap_or_default();
    match (first, parts.next()) {
        ("attempts" | "code", Some(of)) => format!("{first}#{of}"),
        (_, Some(_) | None) => first.to_owned(),
    }
}

/// The kind of every partition in a call, by a key or by an item that is put, and what it bears of the call: what is
/// read, changed or taken away has at most 1 KiB here, and a picture, which is put, bears its size.
fn touch(asked: &Value, found: &mut Vec<(String, f64)>) {
    match asked {
        Value::Object(fields) => {
            if let Some(pk) = fields.get("pk").and_then(|pk| pk["S"].as_str()) {
                return found.push((kind(pk), (length(asked) as f64 / 1024.0).ceil()));
            }
            fields.values().for_each(|value| touch(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| touch(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Roughly how many bytes an item or a key has, of which each value says what it is.
fn length(item: &Value) -> usize {
    match item {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| match (name.as_str(), value) {
                ("B", Value::String(encoded)) => encoded.len() / 4 * 3,
                _ => name.len() + length(value),
            })
            .sum(),
        Value::Array(values) => values.iter().map(length).sum(),
        Value::String(text) => text.len(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 1,
    }
}
