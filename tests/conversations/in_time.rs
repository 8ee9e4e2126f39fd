//! A request that can't be finished is answered all the same, before its function is stopped.

use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderMap;
use lambda_runtime::{Config, Context, LambdaEvent};
use polygate_shared::aws::dynamodb::DynamoStore;
use polygate_shared::aws::ses::{SesMailer, TIME_OUT};
use polygate_shared::aws::{client, lambda};
use polygate_shared::http::{Endpoints, Front};
use polygate_shared::identity::{Clock as _, Hasher, Identity, Policy, SystemChance, SystemClock};
use polygate_shared::settings::Settings;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::events::all_events;
use crate::structure::read;

/// A service whose table takes every request and answers none.
async fn before_a_silent_table() -> Front {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let silent = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        let mut taken = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            taken.push(stream);
        }
    });
    let config = client::connect_local(silent).expect("a configuration");
    let chance = Arc::new(SystemChance::default());
    let identity = Identity::new(
        Arc::new(DynamoStore::new(client::dynamodb(&config), "polygate", chance.clone())),
        Arc::new(SesMailer::new(&config, "no-reply@example.com")),
        Arc::new(SystemClock),
        chance,
        Hasher::new(1),
        Policy { allow_registration: true, ..Policy::default() },
    );
    Front::new(&Endpoints::ALL, Arc::new(identity), &Settings::parse(&|_| None).expect("defaults"))
}

/// What Lambda tells with an event, read by its own runtime: among other things when it stops the function.
fn stopped_in(span: Duration) -> Context {
    let milliseconds = (SystemClock.now() + span).unix_timestamp_nanos() / 1_000_000;
    let mut told = HeaderMap::new();
    told.insert("lambda-runtime-deadline-ms", milliseconds.to_string().parse().expect("a header"));
    told.insert(
        "lambda-runtime-invoked-function-arn",
        "arn:aws:lambda:us-east-1:1:function:f".parse().expect("a header"),
    );
    Context::new("r-1", Arc::new(Config::default()), &told).expect("a context")
}

/// What is answered to an event, and how many milliseconds before its function would have been stopped.
async fn answered(front: &Front, event: &Value, span: Duration) -> (Value, i128) {
    let payload = serde_json::from_value(event.clone()).expect("an API Gateway event");
    let event = LambdaEvent::new(payload, stopped_in(span));
    let deadline = i128::from(event.context.deadline);
    let answer = lambda::handle(front.clone(), event).await.expect("an answer");
    let left = deadline - SystemClock.now().unix_timestamp_nanos() / 1_000_000;
    (serde_json::to_value(answer).expect("JSON"), left)
}

#[tokio::test]
async fn what_can_not_be_finished_is_told_before_the_function_is_stopped() {
    let front = before_a_silent_table().await;
    let events = all_events();
    let span = Duration::from_secs(3);
    // The calls' own bounds would end it too, but far too late.
    let config = client::connect_local("http://127.0.0.1:1").expect("a configuration");
    let attempt = config.timeout_config().and_then(|bounds| bounds.operation_attempt_timeout()).expect("a bound");
    assert!(attempt >= 3 * span, "{attempt:?}");
    for name in ["kite/login", "zeaya/register", "sproutgate/login", "mcphub/login"] {
        let (mut answer, mut left) = answered(&front, &events[name], span).await;
        // A machine may stand still for once, but not each time.
        for _ in 0..2 {
            if left <= 0 {
                (answer, left) = answered(&front, &events[name], span).await;
            }
        }
        assert!(left > 0, "{name}: answered {} ms after the function was stopped", -left);
        assert_eq!(answer["statusCode"], json!(503), "{name}: {answer}");
        assert_eq!(answer["headers"]["retry-after"], json!("1"), "{name}: {answer}");
        let body: Value = serde_json::from_str(answer["body"].as_str().expect("a body")).expect("the contract's words");
        assert!(body.get("message").or(body.get("error")).is_some(), "{name}: {body}");
    }
}

/// The limits of the functions in the template, in seconds, each with whether it sends mail.
fn limits() -> Vec<(u64, bool)> {
    let template = read("template.yaml");
    let functions = template.split("Type: AWS::Serverless::Function").skip(1);
    let limits = functions.map(|function| {
        let limit = function.lines().find_map(|line| line.trim().strip_prefix("Timeout: "));
        (limit.expect("a limit").parse().expect("seconds"), function.contains("ses:SendEmail"))
    });
    limits.collect()
}

#[test]
fn a_function_has_time_for_a_call_that_fails_and_for_saying_so() {
    let environment = |name: &str| (name == "AWS_REGION").then(|| "us-east-1".to_owned());
    let config = client::connect(&environment).expect("a configuration");
    let bounds = config.timeout_config().expect("time-outs");
    let call = bounds.operation_timeout().expect("a bound of each call");
    let attempt = bounds.operation_attempt_timeout().expect("a bound of each attempt");
    let connect = bounds.connect_timeout().expect("a bound of connecting");
    assert!(connect < attempt && 2 * attempt < call, "a call has time for a second attempt");
    let retries = config.retry_config().expect("retries");
    assert!(retries.max_attempts() > 1 && retries.max_backoff() <= attempt);
    let limits = limits();
    assert!(limits.len() >= 5, "{limits:?}");
    for (limit, mails) in limits {
        let limit = Duration::from_secs(limit);
        // One call that uses up its time, the mail after it, and the answer.
        let mail = if mails { TIME_OUT } else { Duration::ZERO };
        assert!(call + mail + lambda::RESERVE < limit, "{limit:?} is too short for {call:?} and {mail:?}");
        // The gateway waits for 30 seconds.
        assert!(limit < Duration::from_secs(29), "{limit:?}");
    }
}
