//! Stands between the service and the engine, has the engine say what each call costs, and adds it up.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use polygate_shared::aws::client;
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
    write: f64,
    /// Read and write units of each index.
    indexes_read: BTreeMap<String, f64>,
    indexes_write: BTreeMap<String, f64>,
    /// How many items of each kind of partition are written: `total#7` is one of `total`.
    partitions_written: BTreeMap<String, u64>,
    /// The same of those that are read by their keys.
    partitions_read: BTreeMap<String, u64>,
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

    /// The same, once something is written that no answer waits for.
    pub(crate) async fn read_once_written(&self) -> Spent {
        while self.spent.lock().expect("not poisoned").write == 0.0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        self.read()
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
        for table in consumed {
            let units = table["Table"]["CapacityUnits"].as_f64().unwrap_or_default();
            *(if reads { &mut self.read } else { &mut self.write }) += units;
            let indexes = if reads { &mut self.indexes_read } else { &mut self.indexes_write };
            for (name, index) in table["GlobalSecondaryIndexes"].as_object().into_iter().flatten() {
                *indexes.entry(name.clone()).or_default() += index["CapacityUnits"].as_f64().unwrap_or_default();
            }
        }
        let partitions = if reads { &mut self.partitions_read } else { &mut self.partitions_written };
        keys(asked, &mut |pk| *partitions.entry(kind(pk)).or_default() += 1);
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

/// Every partition key in a call: of a key, or of an item that is put.
fn keys(asked: &Value, found: &mut impl FnMut(&str)) {
    match asked {
        Value::Object(fields) => {
            if let Some(pk) = fields.get("pk").and_then(|pk| pk["S"].as_str()) {
                return found(pk);
            }
            fields.values().for_each(|value| keys(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| keys(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// How large an item of each kind is on average, in bytes as DynamoDB counts them, to the next ten.
pub(crate) async fn sizes(engine: &str, table: &str) -> BTreeMap<String, usize> {
    let client = client::dynamodb(&client::connect_local(engine).expect("a configuration"));
    let items = client.scan().table_name(table).into_paginator().items().send();
    let mut sizes = BTreeMap::<String, Vec<usize>>::new();
    for item in items.collect::<Result<Vec<_>, _>>().await.expect("the whole table") {
        let part = |name: &str| item[name].as_s().expect("a text").split('#').next().unwrap_or_default().to_owned();
        // Keys of a kind that isn't one of many don't grow with the accounts.
        if !matches!(part("pk").as_str(), "signing" | "setting" | "counter" | "total") {
            let size = item.iter().map(|(name, value)| name.len() + size(value)).sum();
            // A code stands under its address.
            let sk = if part("pk") == "code" { "code".to_owned() } else { part("sk") };
            sizes.entry(format!("{} {sk}", part("pk"))).or_default().push(size);
        }
    }
    let average = |sizes: Vec<usize>| (sizes.iter().sum::<usize>() / sizes.len()).next_multiple_of(10);
    sizes.into_iter().map(|(kind, sizes)| (kind, average(sizes))).collect()
}

fn size(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(number) => number.len().div_ceil(2) + 1,
        AttributeValue::B(bytes) => bytes.as_ref().len(),
        AttributeValue::Ss(texts) => texts.iter().map(String::len).sum(),
        AttributeValue::L(list) => 3 + list.iter().map(|value| 1 + size(value)).sum::<usize>(),
        AttributeValue::M(map) => 3 + map.iter().map(|(name, value)| 1 + name.len() + size(value)).sum::<usize>(),
        // A truth or nothing.
        _ => 1,
    }
}
