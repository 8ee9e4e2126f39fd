//! The one line that the log has of each request, and that it keeps secrets.

use std::sync::Arc;

use axum::body::Body;
use lambda_runtime::{Context, LambdaEvent};
use polygate_shared::aws::lambda;
use polygate_shared::http::{Arrival, Endpoints, Front};
use polygate_shared::settings::Settings;
use serde_json::{Value, json};

use crate::structure::read;
use crate::support::World;

/// What one request is told of, without what differs each time.
fn told(line: &Value) -> String {
    let mut line = line.as_object().expect("an object").clone();
    assert!(
        line.shift_remove("timestamp").is_some_and(|at| at.as_str().is_some_and(|at| at.starts_with("2040-01-01T00:")))
    );
    assert!(line.shift_remove("_aws").is_some() && line.shift_remove("Stack") == Some(json!("polygate-test")));
    assert!(line.shift_remove("DurationMs").and_then(|ms| ms.as_f64()).is_some_and(|ms| ms > 0.0));
    assert!(line.shift_remove("request_id").is_some_and(|id| id.as_str().is_some_and(|id| id.len() == 16)));
    if let Some(account) = line.get_mut("account") {
        assert!(account.as_str().is_some_and(|id| id.parse::<uuid::Uuid>().is_ok()), "{account}");
        *account = json!("[uuid]");
    }
    if let Some(source) = line.get_mut("source") {
        assert!(source.as_str().is_some_and(|mark| mark.len() == 16), "{source}");
        *source = json!("[mark]");
    }
    Value::Object(line).to_string()
}

#[tokio::test]
async fn says_whose_what_and_at_what_cost() {
    let mut world = World::start().await;
    // The key of mailed codes is there once somebody was mailed one.
    world.register_proved("berta").await;
    world.watch.lines();
    let registration = json!({"username": "anna", "email": "anna@example.com", "password": "secret123"});
    world.post("/kite/api/v1/auth/register", registration).quietly().await;
    let (name, wrong) = ("anna", "not the password");
    let signed_in = json!({"username": name, "password": "secret123"});
    let answer = world.post("/kite/api/v1/auth/login", signed_in).quietly().await;
    let (access, refresh) = (answer.text("/data/access_token"), answer.text("/data/refresh_token"));
    world.post("/kite/api/v1/auth/login", json!({"username": name, "password": wrong})).quietly().await;
    world.post("/kite/api/v1/auth/login", json!({"username": "nobody", "password": wrong})).quietly().await;
    world.post("/kite/api/v1/auth/login", json!({"username": name})).quietly().await;
    world.post("/kite/api/v1/auth/refresh", json!({"refresh_token": refresh})).quietly().await;
    world.get("/kite/api/v1/profile").bearer(&access).quietly().await;
    world.get("/zeaya/api/auth/user").bearer(&access).quietly().await;
    world.get("/kite/api/v1/profile").bearer("no.such.token").quietly().await;
    world.get("/sproutgate/api/auth/verify").bearer("no.such.token").quietly().await;
    world.get("/kite/api/v1/admin/users").bearer(&access).quietly().await;
    world.get("/kite/nothing/of/the/kind").quietly().await;
    world.get("/.well-known/jwks.json").quietly().await;
    let lines: Vec<_> = world.watch.lines();
    let accounts: Vec<_> = lines.iter().filter_map(|line| line.get("account")).collect();
    assert!(accounts.windows(2).all(|two| two[0] == two[1]), "one person: {accounts:?}");
    insta::assert_snapshot!(lines.iter().map(told).collect::<Vec<_>>().join("\n"));
}

/// The line of a request from somewhere.
async fn line_from(world: &World, front: &Front, source: &str) -> Value {
    let mut request = axum::http::Request::get("/kite/api/v1/health").body(Body::empty()).expect("a request");
    request.extensions_mut().insert(Arrival { source: source.to_owned(), ..Arrival::default() });
    front.answer(request).await;
    world.watch.lines().pop().expect("a line")
}

#[tokio::test]
async fn a_source_is_a_mark_that_tells_equal_ones_only() {
    let mut marks = Vec::new();
    for _ in 0..2 {
        let mut world = World::start().await;
        let settings = Settings::parse(&|_| None).expect("defaults");
        let front = Front::new(&Endpoints::ALL, Arc::clone(world.server.identity()), &settings);
        let front = front.logging_to(world.watch.log());
        assert_eq!(line_from(&world, &front, "203.0.113.7").await.get("source"), None, "without the key");
        world.register_proved("anna").await;
        // Another process may have mailed.
        world.server.identity().warm_up().await.expect("keys");
        let mark = async |source| line_from(&world, &front, source).await.get("source").cloned();
        let one = mark("203.0.113.7").await.expect("a mark");
        assert_eq!(mark("203.0.113.7").await, Some(one.clone()));
        assert_eq!(mark("::ffff:203.0.113.7").await, Some(one.clone()));
        assert_ne!(mark("203.0.113.8").await, Some(one.clone()));
        assert_eq!(mark("2001:db8:1:2::1").await, mark("2001:db8:1:2:ffff::9").await, "one customer's network");
        assert_eq!(mark("").await, None);
        marks.push(one);
    }
    assert_ne!(marks[0], marks[1], "another deployment has another mark");
}

#[tokio::test]
async fn a_deployed_function_has_marks_from_its_first_request_on() {
    let world = World::start().await;
    world.server.identity().warm_up().await.expect("keys");
    assert!(world.server.identity().source_mark("203.0.113.7").is_some());
}

#[tokio::test]
async fn a_trace_is_named_where_it_is_recorded() {
    let world = World::start().await;
    let settings = Settings::parse(&|_| None).expect("defaults");
    let front = Front::new(&Endpoints::ALL, Arc::clone(world.server.identity()), &settings);
    let front = front.logging_to(world.watch.log());
    let root = "1-5759e988-bd862e3fe1be46a994272793";
    for (header, expected) in [
        (Some(format!("Root={root};Parent=53995c3f42cd8ad8;Sampled=1")), Some(json!(root))),
        (Some(format!("Root={root};Parent=53995c3f42cd8ad8;Sampled=0")), None),
        (Some(format!("Root={root}")), None),
        (None, None),
    ] {
        let event: Value = serde_json::from_str(&read("events/kite/health.json")).expect("JSON");
        let mut context = Context::default();
        context.xray_trace_id = header;
        let event = LambdaEvent::new(serde_json::from_value(event).expect("an event"), context);
        lambda::handle(front.clone(), event).await.expect("an answer");
        let line = world.watch.lines().pop().expect("a line");
        assert_eq!(line.get("xray_trace_id").cloned(), expected);
        assert_eq!(line["message"], "request");
    }
}

#[tokio::test]
async fn only_the_first_request_of_a_process_is_cold() {
    let mut world = World::start().await;
    for _ in 0..3 {
        world.get("/kite/api/v1/health").quietly().await;
    }
    let lines = world.watch.lines();
    let cold: Vec<_> = lines.iter().map(|line| line["cold"].as_bool().expect("a truth value")).collect();
    assert_eq!(cold, [true, false, false]);
}

/// The watch that every conversation stands under sees what it is there to see.
#[tokio::test]
async fn a_password_in_the_log_is_seen() {
    let mut world = World::start().await;
    let password = "Vogelbeere-41-Laterne";
    world.register("gerda", password).await;
    assert_eq!(world.watch.leaks(), [] as [&str; 0]);
    // By a process, where the tests speak to some.
    match world.watch.output() {
        Some(output) => output.plant(&json!({"message": "planted", "detail": format!("not {password}")}).to_string()),
        None => tracing::warn!(detail = format!("could not sign in with {password}"), "planted"),
    }
    let leaks = world.watch.leaks();
    assert!(leaks.len() == 1 && leaks[0].starts_with(password), "{leaks:?}");
    // A conversation fails by it when it ends.
    let watch = world.watch;
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(watch)));
    let told = ended.expect_err("a failed test");
    let told = told.downcast_ref::<String>().map(String::as_str).unwrap_or_default();
    assert!(told.starts_with("the log tells what it shouldn't"), "{told}");
}
