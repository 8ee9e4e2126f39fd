use polygate_shared::aws::client;
use polygate_shared::aws::dynamodb::DynamoStore;
use polygate_shared::aws::ses::SesMailer;
use polygate_shared::http::{Arrival, Endpoints, Front};
use polygate_shared::identity::{
    Chance, EmailAddress, Errand, Hasher, Identity, Language, Policy, Store, SystemChance,
};
use polygate_shared::settings::Settings;
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::Arc;

use crate::support::{TestClock, World};

/// A path of each contract that takes a body, with its mount.
const SIGN_IN: [&str; 4] =
    ["/kite/api/v1/auth/login", "/zeaya/api/auth/login", "/sproutgate/api/auth/login", "/mcphub/api/auth/login"];

/// Bodies that are no sign-in, and one that is too long by far.
fn bad_bodies() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    vec![
        ("bad JSON", "application/json", b"{\"username\":".to_vec()),
        ("not an object", "application/json", b"[\"alice\",\"secret123\"]".to_vec()),
        ("not UTF-8", "application/json", b"{\"username\":\"\xff\"}".to_vec()),
        ("missing fields", "application/json; charset=utf-8", b"{}".to_vec()),
        ("wrong types", "application/json", br#"{"username":1,"account":[],"password":{"a":1}}"#.to_vec()),
        ("nulls", "application/json", br#"{"username":null,"account":null,"password":null}"#.to_vec()),
        ("a form", "application/x-www-form-urlencoded", b"username=alice&password=secret123".to_vec()),
        ("2 MB", "application/json", vec![b' '; 2_000_000]),
    ]
}

#[tokio::test]
async fn every_contract_refuses_in_its_own_words() {
    let mut world = World::start().await;
    for path in SIGN_IN {
        for (what, content_type, body) in bad_bodies() {
            world.note(what);
            world.ask(Method::POST, path).raw(content_type, body).await;
        }
        world.note("no body at all");
        world.ask(Method::POST, path).await;
        world.note("wrong method");
        world.get(path).await;
        world.ask(Method::PATCH, path).await;
        world.note("unknown path");
        world.get(&format!("{path}/further")).await;
        let mount = path.split('/').nth(1).expect("a mount").to_owned();
        world.get(&format!("/{mount}")).await;
        world.note("preflight");
        world
            .ask(Method::OPTIONS, path)
            .header("origin", "https://app.example.com")
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "content-type,authorization")
            .await;
    }
    insta::assert_snapshot!(world.transcript());
}

/// Shapes by which clients recognise an error, and nothing else.
fn assert_error_shape(path: &str, body: &Value) {
    let shaped = match path.split('/').nth(1) {
        Some("kite") => {
            body["code"].is_u64() && body["code"] != json!(0) && body["message"].is_string() && body["data"].is_null()
        }
        Some("zeaya") => body["code"].is_u64() && body["code"] != json!(0) && body["message"].is_string(),
        Some("mcphub") => body["success"] == json!(false) && body["message"].is_string(),
        _ => body["error"].is_string() && body["error"] == body["message"],
    };
    assert!(shaped, "{path}: {body}");
}

#[tokio::test]
async fn no_bad_body_makes_any_endpoint_fail() {
    let mut world = World::start().await;
    let token = world.sign_in("admin", "admin").await;
    let reset = json!({"username": "boss", "email": "boss@example.com", "password": "password123"});
    world.post("/api/v1/auth/first-login-reset", reset).bearer(&token).quietly().await;
    let paths = polygate_shared::http::paths();
    for path in paths.keys().filter(|path| !path.starts_with("/.well-known")) {
        for mount in ["kite", "zeaya", "sproutgate", "mcphub"] {
            // Anew for each path: some of them end the session.
            let token = world.sign_in("boss", "password123").await;
            for method in [Method::GET, Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
                for (what, content_type, body) in bad_bodies() {
                    let path = format!("/{mount}{path}");
                    let answer =
                        world.ask(method.clone(), &path).bearer(&token).raw(content_type, body).quietly().await;
                    assert!(answer.status.as_u16() < 500, "{method} {path}, {what}: {} {}", answer.status, answer.body);
                    assert!(!answer.body.is_empty(), "{method} {path}, {what}: an empty body");
                    if !answer.status.is_success() {
                        assert_error_shape(&path, &answer.json());
                    }
                }
            }
        }
    }
}

/// A service on this store whose mails go to a port of this machine on which nothing listens.
pub(crate) fn front_without_mail(store: Arc<dyn Store>) -> Front {
    front(store, Arc::new(SystemChance::default()))
}

/// The same with another source of randomness.
pub(crate) fn front(store: Arc<dyn Store>, chance: Arc<dyn Chance>) -> Front {
    let nowhere = client::connect_local("http://127.0.0.1:1").expect("a configuration");
    let identity = Identity::new(
        store,
        Arc::new(SesMailer::new(&nowhere, "no-reply@example.com")),
        Arc::new(TestClock::default()),
        chance,
        Hasher::new(2),
        Policy { allow_registration: true, issuer: Some("https://id.example.com".to_owned()), ..Policy::default() },
    );
    Front::new(&Endpoints::ALL, Arc::new(identity), &Settings::parse(&|_| None).expect("defaults"))
}

/// A service whose store can't be reached either.
pub(crate) fn front_without_store() -> Front {
    let nowhere = client::connect_local("http://127.0.0.1:1").expect("a configuration");
    let store = DynamoStore::new(client::dynamodb(&nowhere), "polygate", Arc::new(SystemChance::default()));
    front_without_mail(Arc::new(store))
}

/// Status, `Retry-After` and body of an answer without sockets.
pub(crate) async fn post(front: &Front, path: &str, body: Value) -> String {
    let request =
        axum::http::Request::post(path).header("content-type", "application/json").body(body.to_string().into());
    let mut request = request.expect("a request");
    request.extensions_mut().insert(Arrival { request_id: "test".to_owned(), ..Arrival::default() });
    let (parts, body) = front.answer(request).await.into_parts();
    let body = axum::body::to_bytes(body, 10_000).await.expect("a body");
    let retry_after = parts.headers.get("retry-after").map_or("none", |value| value.to_str().expect("text"));
    format!("{path}: {}, retry-after {retry_after}\n{}\n", parts.status, String::from_utf8_lossy(&body))
}

#[tokio::test]
async fn a_mail_that_was_not_sent_may_be_asked_for_again_at_once() {
    let mut world = World::start().await;
    let front = front_without_mail(Arc::clone(world.server.store()));
    let registration = json!({"account": "demo", "password": "demo123", "username": "", "email": "demo@example.com"});
    insta::assert_snapshot!(post(&front, "/sproutgate/api/auth/register", registration.clone()).await);
    let answer = world.post("/sproutgate/api/auth/register", registration).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let code = world.code_for("demo@example.com");
    let answer = world.post("/sproutgate/api/auth/verify-email", json!({"account": "demo", "code": code})).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

#[tokio::test]
async fn a_client_that_writes_everything_before_it_reads_gets_its_answer() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let world = World::start().await;
    let address = world.base_url().strip_prefix("http://").expect("a scheme").to_owned();
    for (method, path, status) in [
        ("POST", "/kite/nowhere", "404"),
        ("DELETE", "/zeaya/api/auth/login", "405"),
        ("PUT", "/sproutgate/api/auth/profile", "401"),
        ("POST", "/mcphub/api/auth/login", "413"),
    ] {
        for size in [2_000_000, 20_000_000] {
            let mut stream = tokio::net::TcpStream::connect(&address).await.expect("a connection");
            let head = format!(
                "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {size}\r\n\r\n"
            );
            stream.write_all(head.as_bytes()).await.expect("the head is taken");
            stream.write_all(&vec![b' '; size]).await.expect("the body is taken");
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.expect("an answer");
            let expected = if size > 6_000_000 { "413" } else { status };
            assert!(answer.starts_with(&format!("HTTP/1.1 {expected}")), "{method} {path}, {size}: {answer}");
        }
    }
}

#[tokio::test]
async fn forgetting_a_password_takes_the_same_time_whatever_there_is_to_do() {
    let mut world = World::start().await;
    // Takes connections and never answers.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let ses =
        client::connect_local(format!("http://{}", silent.local_addr().expect("an address"))).expect("a configuration");
    let identity = Identity::new(
        Arc::clone(world.server.store()),
        Arc::new(SesMailer::new(&ses, "no-reply@example.com")),
        Arc::new(TestClock::default()),
        Arc::new(SystemChance::default()),
        Hasher::new(2),
        Policy { allow_registration: true, ..Policy::default() },
    );
    // A busy machine can delay one answer; what the service does would show in every round.
    let mut rounds = Vec::new();
    for round in 0..3 {
        let known = format!("demo{round}");
        world.register(&known, "demo123").await;
        let mut took = Vec::new();
        for name in [known.as_str(), "nobody"] {
            let address = EmailAddress::parse(&format!("{known}@example.com")).expect("an address");
            let started = std::time::Instant::now();
            identity.forgot_password(name, &address, &Errand::new(Language::English, "")).await;
            took.push(started.elapsed().as_secs_f64());
        }
        rounds.push((took[0] / took[1]).max(took[1] / took[0]));
    }
    assert!(rounds.iter().any(|ratio| *ratio < 1.2), "slower to faster: {rounds:?}");
}
