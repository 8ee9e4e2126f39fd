//! A table that stands still, at the SDK's own seam: its HTTP client.

use std::cmp::Ordering;
use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Config, Credentials, Region};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_http_client::test_util::infallible_client_fn;
use aws_smithy_types::body::SdkBody;
use http::{Request, Response};
use polygate_shared::aws::client;
use serde_json::{Value, json};

/// Everything in a table, in DynamoDB's JSON.
pub(crate) async fn items(engine: &str, table: &str) -> Vec<Value> {
    let local = client::dynamodb(&client::connect_local(engine).expect("a configuration"));
    let scanned = local.scan().table_name(table).into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
    let item =
        |item: HashMap<_, _>| item.iter().map(|(name, value): (&String, _)| (name.clone(), written(value))).collect();
    scanned.expect("the whole table").into_iter().map(|fields| Value::Object(item(fields))).collect()
}

fn written(value: &AttributeValue) -> Value {
    use AttributeValue as A;
    match value {
        A::S(text) => json!({"S": text}),
        A::N(number) => json!({"N": number}),
        A::Bool(is) => json!({"BOOL": is}),
        A::Null(is) => json!({"NULL": is}),
        A::Ss(texts) => json!({"SS": texts}),
        A::L(list) => json!({"L": list.iter().map(written).collect::<Vec<_>>()}),
        A::M(fields) => {
            json!({"M": fields.iter().map(|(name, value)| (name.clone(), written(value))).collect::<serde_json::Map<_, _>>()})
        }
        other => panic!("nothing of the pool is {other:?}"),
    }
}

/// A client for the table that has these items and takes no others.
pub(crate) fn client(items: Vec<Value>) -> Client {
    let http = infallible_client_fn(move |request: Request<SdkBody>| answer(&items, &request));
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("us-east-1"))
        .credentials_provider(Credentials::new("local", "local", None, None, "local"))
        .endpoint_url("http://frozen.invalid")
        .http_client(http)
        .retry_config(RetryConfig::disabled());
    Client::from_conf(config.build())
}

fn answer(items: &[Value], request: &Request<SdkBody>) -> Response<SdkBody> {
    let target = request.headers().get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    let asked: Value = serde_json::from_slice(request.body().bytes().unwrap_or_default()).unwrap_or_default();
    let found = |key: &Value| items.iter().find(|item| item["pk"] == key["pk"] && item["sk"] == key["sk"]);
    let answered = match target.rsplit('.').next().unwrap_or_default() {
        "GetItem" => Some(found(&asked["Key"]).map_or(json!({}), |item| json!({"Item": item}))),
        "BatchGetItem" => {
            let tables = asked["RequestItems"].as_object().expect("tables").iter();
            let read = tables.map(|(table, asked)| {
                let keys = asked["Keys"].as_array().expect("keys").iter();
                (table.clone(), keys.filter_map(found).cloned().collect())
            });
            let responses: serde_json::Map<_, Value> = read.collect();
            Some(json!({"Responses": responses, "UnprocessedKeys": {}}))
        }
        "Query" => Some(query(items, &asked)),
        // Without it no code would be looked at: guesses are counted before.
        "UpdateItem" if asked["Key"]["pk"]["S"].as_str().is_some_and(counts_guesses) => {
            Some(json!({"Attributes": {"count": {"N": "1"}, "last_at": {"N": "0"}, "expires_at": {"N": "0"}}}))
        }
        _ => None,
    };
    let (status, body) = match answered {
        Some(answered) => (200, answered),
        None => (500, json!({"__type": "com.amazonaws.dynamodb.v20120810#InternalServerError", "message": "frozen"})),
    };
    Response::builder()
        .status(status)
        .header("content-type", "application/x-amz-json-1.0")
        .body(SdkBody::from(body.to_string()))
        .expect("an answer")
}

fn counts_guesses(pk: &str) -> bool {
    ["attempts#second_factor", "attempts#code", "code#"].iter().any(|start| pk.starts_with(start))
}

/// Items of the partition that is asked for, and of those what lies in the range, in the order that is asked for.
fn query(items: &[Value], asked: &Value) -> Value {
    let (partition, sort) = match asked["IndexName"].as_str() {
        Some("listing") => ("listing", "number"),
        Some("claims") => ("initial", "start"),
        _ => ("pk", "sk"),
    };
    let condition = asked["KeyConditionExpression"].as_str().expect("a condition");
    let (whole, range) = condition.split_once(" AND ").unwrap_or((condition, ""));
    let values = |text: &str| {
        let names = text.split(|letter: char| !letter.is_alphanumeric() && !matches!(letter, ':' | '_'));
        let values = names.filter(|name| name.starts_with(':')).map(|name| &asked["ExpressionAttributeValues"][name]);
        values.collect::<Vec<_>>()
    };
    let (of, bounds) = (values(whole), values(range));
    let within = |item: &&Value| {
        let is = |nth: usize| ordered(&item[sort], bounds[nth]);
        let fits = match range {
            "" => true,
            _ if range.contains("BETWEEN") => is(0).is_ge() && is(1).is_le(),
            _ if range.contains("begins_with") => text(&item[sort]).starts_with(text(bounds[0])),
            _ if range.contains('<') => is(0).is_lt(),
            _ if range.contains('>') => is(0).is_gt(),
            _ => panic!("a range that isn't known here: {range}"),
        };
        fits && item[partition] == *of[0]
    };
    let mut found: Vec<_> = items.iter().filter(within).collect();
    found.sort_by(|one, other| ordered(&one[sort], &other[sort]));
    if asked["ScanIndexForward"] == false {
        found.reverse();
    }
    found.truncate(asked["Limit"].as_u64().map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX)));
    json!({"Items": found, "Count": found.len(), "ScannedCount": found.len()})
}

fn text(value: &Value) -> &str {
    value["S"].as_str().unwrap_or_default()
}

/// As DynamoDB has keys in order: texts by their bytes, numbers by what they are worth.
fn ordered(one: &Value, other: &Value) -> Ordering {
    let number = |value: &Value| value["N"].as_str().and_then(|number| number.parse::<i128>().ok());
    match (number(one), number(other)) {
        (Some(one), Some(other)) => one.cmp(&other),
        _ => text(one).cmp(text(other)),
    }
}
