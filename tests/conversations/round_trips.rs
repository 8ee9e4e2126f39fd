//! How many round trips to the table a request waits for: calls made side by side count once.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use polygate_shared::aws::client;
use polygate_shared::aws::dynamodb::DynamoStore;
use polygate_shared::aws::ses::SesMailer;
use polygate_shared::http::{Arrival, Endpoints, Front};
use polygate_shared::identity::{Clock, Hasher, Identity, Policy, SystemChance};
use polygate_shared::settings::Settings;
use serde_json::{Value, json};

use crate::support::World;

/// How long each call takes: calls made side by side overlap in it.
const CALL: Duration = Duration::from_millis(120);

/// Stands between the service and the engine, and notes when each call began and ended.
#[derive(Clone)]
struct Between {
    engine: String,
    client: reqwest::Client,
    calls: Arc<Mutex<Vec<(Instant, Instant)>>>,
}

async fn pass_on(State(between): State<Between>, headers: HeaderMap, body: Bytes) -> Response {
    let began = Instant::now();
    tokio::time::sleep(CALL).await;
    let mut request = between.client.post(&between.engine).body(body);
    for (name, value) in headers.iter().filter(|(name, _)| *name != "host" && *name != "content-length") {
        request = request.header(name, value);
    }
    let answer = request.send().await.expect("an answer");
    let mut passed = Response::builder().status(answer.status());
    for (name, value) in answer.headers().iter().filter(|(name, _)| *name != "content-length") {
        passed = passed.header(name, value);
    }
    let body = answer.bytes().await.expect("a body");
    between.calls.lock().expect("not poisoned").push((began, Instant::now()));
    passed.body(Body::from(body)).expect("an answer")
}

impl Between {
    /// The longest row of calls of which each began after the one before had ended.
    fn round_trips(&self) -> usize {
        let mut calls = std::mem::take(&mut *self.calls.lock().expect("not poisoned"));
        calls.sort_by_key(|(_, ended)| *ended);
        let mut row = 0;
        let mut free_from = None;
        for (began, ended) in calls {
            if free_from.is_none_or(|free| began >= free) {
                row += 1;
                free_from = Some(ended);
            }
        }
        row
    }
}

/// Asks and gives back the status with the answer's body.
async fn ask(front: &Front, agent: &str, path: &str, by: &str, body: Option<Value>) -> (u16, Value) {
    let request = axum::http::Request::builder().uri(path).header("user-agent", agent);
    let request = if by.is_empty() { request } else { request.header("authorization", format!("Bearer {by}")) };
    let request = match body {
        Some(body) => {
            request.method("POST").header("content-type", "application/json").body(Body::from(body.to_string()))
        }
        None => request.body(Body::empty()),
    };
    let mut request = request.expect("a request");
    let arrival = Arrival { source: "203.0.113.7".to_owned(), request_id: "test".to_owned(), ..Arrival::default() };
    request.extensions_mut().insert(arrival);
    let answer = front.answer(request).await;
    let status = answer.status().as_u16();
    let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.expect("a body");
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

/// The service before a table that somebody watches. The keys of a deployment, which are made with its first token, are there.
async fn watched(world: &World) -> (Front, Between) {
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let between = Between { engine: world.server.dynamodb_url(), client, calls: Arc::default() };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    let router = Router::new().fallback(pass_on).with_state(between.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let table = client::dynamodb(&client::connect_local(&endpoint).expect("a configuration"));
    let chance = Arc::new(SystemChance::default());
    let mailbox = format!("{}/_local/ses", world.server.base_url());
    let mailbox = client::connect_local(mailbox).expect("a configuration");
    let identity = Identity::new(
        Arc::new(DynamoStore::new(table, world.server.table(), chance.clone())),
        Arc::new(SesMailer::new(&mailbox, "no-reply@example.com")),
        Arc::clone(&world.clock) as Arc<dyn Clock>,
        chance,
        Hasher::new(2),
        Policy { allow_registration: true, issuer: Some("https://id.example.com".to_owned()), ..Policy::default() },
    );
    identity.warm_up().await.expect("keys");
    let front = Front::new(&Endpoints::ALL, Arc::new(identity), &Settings::parse(&|_| None).expect("defaults"));
    let admin = json!({"username": "admin", "password": "admin"});
    assert_eq!(ask(&front, "x", "/kite/api/v1/auth/login", "", Some(admin)).await.0, 200);
    (front, between)
}

#[tokio::test]
async fn reading_who_it_is_takes_one_and_refreshing_two() {
    let world = World::start().await;
    let (front, between) = watched(&world).await;
    let registration = json!({"username": "alice", "email": "alice@example.com", "password": "secret123"});
    assert_eq!(ask(&front, "x", "/kite/api/v1/auth/register", "", Some(registration)).await.0, 201);
    let name = json!({"username": "alice", "password": "secret123"});
    let (status, signed_in) = ask(&front, "x", "/kite/api/v1/auth/login", "", Some(name)).await;
    assert_eq!(status, 200);
    let held = |what: &str| signed_in["data"][what].as_str().expect("a token").to_owned();
    let (access, refresh) = (held("access_token"), json!({"refresh_token": held("refresh_token")}));
    between.round_trips();
    for (what, path, body, most) in [
        ("kite's profile", "/kite/api/v1/profile", None, 1),
        ("zeaya's user", "/zeaya/api/auth/user", None, 1),
        ("sproutgate's me", "/sproutgate/api/auth/me", None, 1),
        ("mcphub's user", "/mcphub/api/auth/user", None, 1),
        ("sproutgate's verify", "/sproutgate/api/auth/verify", None, 1),
        ("a refresh", "/kite/api/v1/auth/refresh", Some(refresh.clone()), 2),
        ("the same again, as of a second tab", "/kite/api/v1/auth/refresh", Some(refresh), 2),
    ] {
        let by = if body.is_none() { access.as_str() } else { "" };
        let (status, answer) = ask(&front, "x", path, by, body).await;
        assert_eq!(status, 200, "{what}: {answer}");
        let took = between.round_trips();
        assert!((1..=most).contains(&took), "{what}: {took} and not {most}");
    }
}

#[tokio::test]
async fn signing_in_and_registering_take_three() {
    let world = World::start().await;
    let (front, between) = watched(&world).await;
    // The key of mailed codes is made with the first code.
    let mailed = |name: &str| {
        let email = format!("{name}@example.com");
        json!({"account": name, "password": "secret123", "username": "", "email": email})
    };
    let by_mail = "/sproutgate/api/auth/register";
    assert_eq!(ask(&front, "x", by_mail, "", Some(mailed("first"))).await.0, 200);
    between.round_trips();
    let registration = json!({"username": "alice", "email": "alice@example.com", "password": "secret123"});
    let (register, login) = ("/kite/api/v1/auth/register", "/kite/api/v1/auth/login");
    let name = json!({"username": "alice", "password": "secret123"});
    let address = json!({"username": "alice@example.com", "password": "secret123"});
    let wrong = json!({"username": "alice", "password": "wrong-password"});
    let unknown = json!({"username": "nobody", "password": "wrong-password"});
    for (what, agent, path, body, status, most) in [
        ("a registration", "x", register, registration, 201, 3),
        ("a registration that mails a code", "x", by_mail, mailed("second"), 200, 3),
        ("a sign-in from a new device", "x", login, name.clone(), 200, 3),
        ("one from a known device", "x", login, name, 200, 3),
        ("one by the address", "x", login, address, 200, 3),
        ("a wrong password", "y", login, wrong, 401, 3),
        ("an unknown name", "y", login, unknown, 401, 3),
    ] {
        assert_eq!(ask(&front, agent, path, "", Some(body)).await.0, status, "{what}");
        assert_eq!(between.round_trips(), most, "{what}");
    }
}
