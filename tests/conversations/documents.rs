//! The documents' own examples under `examples/`: each request as it stands there, in a world in which it can succeed,
//! and an answer with every field of the document's, of its type and format. What a document leaves out (`...`) may be
//! anything; tokens and codes, which it can only hint at, are live ones.

use std::collections::BTreeMap;
use std::path::Path;

use reqwest::Method;
use serde_json::{Value, json};

use crate::avatars::{drawing, form, form_type};
use crate::redaction::shape_of_access_token;
use crate::support::{Answer, World};

const ELISION: &str = "...";

fn examples() -> BTreeMap<String, Value> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conversations/examples");
    let mut found = BTreeMap::new();
    for contract in ["kite", "zeaya", "sproutgate", "mcphub"] {
        for file in std::fs::read_dir(root.join(contract)).expect("examples") {
            let path = file.expect("a file").path();
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            let text = std::fs::read_to_string(&path).expect("a file");
            found.insert(format!("{contract}/{name}"), serde_json::from_str(&text).expect("JSON"));
        }
    }
    found
}

#[tokio::test]
async fn each_example_succeeds_and_is_answered_in_the_documents_shape() {
    let examples = examples();
    assert_eq!(examples.len(), 33);
    for (name, example) in examples {
        let ways = match example["request"]["authorization"].as_str() {
            Some("administrator") => vec![Way::Query, Way::Header, Way::Bearer],
            Some("session") => vec![Way::Bearer],
            Some(other) => panic!("{name}: {other}"),
            None => vec![Way::None],
        };
        for way in ways {
            let mut world = World::start().await;
            let live = prepare(&mut world, &name).await;
            if way != Way::None && example["request"]["authorization"] == json!("administrator") {
                let published = ask(&mut world, &name, &example, way, &live.with_token("shumengya520")).await;
                assert_eq!(published.status, 401, "{name}: {}", published.body);
            }
            let answer = ask(&mut world, &name, &example, way, &live).await;
            assert!(answer.status.is_success(), "{name}: {} {}", answer.status, answer.body);
            let body = example["request"].get("body").unwrap_or(&Value::Null);
            if let Some(expected) = example.get("answer") {
                fits(&name, expected, &answer.json(), body);
            }
        }
    }
}

/// How a token is carried.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    None,
    Query,
    Header,
    Bearer,
}

/// What stands for a document's token and code.
#[derive(Default)]
struct Live {
    token: String,
    /// In the body.
    presented: String,
    code: String,
}

impl Live {
    fn session(token: String) -> Self {
        Self { presented: token.clone(), token, ..Self::default() }
    }

    fn with_token(&self, token: &str) -> Self {
        Self { token: token.to_owned(), presented: self.presented.clone(), code: self.code.clone() }
    }
}

async fn ask(world: &mut World, name: &str, example: &Value, way: Way, live: &Live) -> Answer {
    let request = &example["request"];
    let method: Method = request["method"].as_str().expect("a method").parse().expect("a method");
    let contract = name.split('/').next().expect("a contract");
    let mut path = format!("/{contract}{}", request["path"].as_str().expect("a path"));
    if way == Way::Query {
        path = format!("{path}?token={}", live.token);
    }
    let ask = world.ask(method, &path).quietly();
    let ask = match way {
        Way::None | Way::Query => ask,
        Way::Header => ask.header("x-admin-token", &live.token),
        Way::Bearer => ask.bearer(&live.token),
    };
    if name == "zeaya/avatar" {
        return ask.raw(&form_type(), form("avatar", &drawing())).await;
    }
    let Some(body) = request.get("body") else { return ask.await };
    let mut body = body.clone();
    for (field, stand_in, carried) in [
        ("refresh_token", "eyJhbGciOi...", &live.presented),
        ("token", "jwt-token", &live.presented),
        ("code", "123456", &live.code),
    ] {
        if let Some(given) = body.get_mut(field) {
            assert_eq!(given, stand_in, "{name}: what the document shows");
            *given = carried.as_str().into();
        }
    }
    ask.json(body).await
}

/// Makes the world in which an example can succeed.
async fn prepare(world: &mut World, name: &str) -> Live {
    match name {
        "kite/register" | "zeaya/register" | "mcphub/register" | "sproutgate/register" => Live::default(),
        "kite/login" => {
            world.register("alice", "secret123").await;
            Live::default()
        }
        "kite/refresh" => {
            world.register("alice", "secret123").await;
            let login = json!({"username": "alice", "password": "secret123"});
            let answer = world.post("/kite/api/v1/auth/login", login).quietly().await;
            Live { presented: answer.text("/data/refresh_token"), ..Live::default() }
        }
        "kite/logout" | "kite/update-profile" | "kite/change-password" => {
            world.register("alice", "secret123").await;
            Live::session(world.sign_in("alice", "secret123").await)
        }
        "kite/profile" => {
            world.register("alice", "secret123").await;
            let token = world.sign_in("alice", "secret123").await;
            let picture = json!({"nickname": "Alice", "avatar_url": "https://example.com/a.png"});
            world.put("/kite/api/v1/profile", picture).bearer(&token).quietly().await.is(200, 0);
            Live::session(token)
        }
        "kite/first-login-reset" => Live::session(world.sign_in("admin", "admin").await),
        "zeaya/password" => Live::session(user123(world, "oldpass123").await),
        zeaya if zeaya.starts_with("zeaya/") => Live::session(user123(world, "password123").await),
        "sproutgate/verify-email" => {
            let body = json!({"account": "demo", "password": "demo123", "username": "", "email": "demo@example.com"});
            world.post("/sproutgate/api/auth/register", body).quietly().await;
            Live { code: world.code_for("demo@example.com"), ..Live::default() }
        }
        "sproutgate/forgot-password" => {
            world.register("demo", "demo123").await;
            Live::default()
        }
        "sproutgate/reset-password" => {
            world.register("demo", "demo123").await;
            let asked = json!({"account": "demo", "email": "demo@example.com"});
            world.post("/sproutgate/api/auth/forgot-password", asked).quietly().await;
            Live { code: world.code_for("demo@example.com"), ..Live::default() }
        }
        "sproutgate/secondary-email-request" => Live::session(world.register_proved("demo").await),
        "sproutgate/secondary-email-verify" => {
            let token = world.register_proved("demo").await;
            let asked = json!({"email": "demo2@example.com"});
            world.post("/sproutgate/api/auth/secondary-email/request", asked).bearer(&token).quietly().await;
            Live { code: world.code_for("demo2@example.com"), ..Live::session(token) }
        }
        "sproutgate/create-user" => Live::session(world.server.admin_token().reveal().to_owned()),
        "sproutgate/list-users" | "sproutgate/update-user" | "sproutgate/delete-user" => {
            Live::session(demo(world).await)
        }
        "sproutgate/login" | "sproutgate/verify" | "sproutgate/me" | "sproutgate/profile" => {
            demo(world).await;
            Live::session(world.sign_in("demo", "demo123").await)
        }
        "mcphub/login" | "mcphub/user" => {
            let token = world.sign_in("admin", "admin").await;
            let reset = json!({"username": "admin", "email": "admin@example.com", "password": "admin123"});
            world.post("/kite/api/v1/auth/first-login-reset", reset).bearer(&token).quietly().await.is(200, 0);
            Live::session(world.sign_in("admin", "admin123").await)
        }
        "mcphub/change-password" => {
            world.register("somebody", "oldpassword").await;
            Live::session(world.sign_in("somebody", "oldpassword").await)
        }
        other => panic!("{other}: nobody knows in which world this succeeds"),
    }
}

/// The account of zeaya's document, with all that its answers show; its session.
async fn user123(world: &mut World, password: &str) -> String {
    let registration = json!({"username": "user123", "email": "user@example.com", "password": password});
    let token = world.post("/zeaya/api/auth/register", registration).quietly().await.text("/data/token");
    let profile = json!({
        "nickname": "用户昵称", "bio": "个人简介", "gender": 1, "birthday": "1990-01-01", "mobile": "13800138000",
    });
    world.put("/zeaya/api/auth/profile", profile).bearer(&token).quietly().await.is(200, 0);
    let ask = world.ask(Method::POST, "/zeaya/api/auth/avatar").bearer(&token).quietly();
    ask.raw(&form_type(), form("avatar", &drawing())).await.is(200, 0);
    token
}

/// The account of sproutgate's document; the token of who made it.
async fn demo(world: &mut World) -> String {
    let token = world.server.admin_token().reveal().to_owned();
    let made = world.post("/sproutgate/api/admin/users", crate::admin::demo()).bearer(&token).quietly().await;
    assert_eq!(made.status, 200, "{}", made.body);
    token
}

/// Panics unless an answer has all that a document's has, with its types and formats.
fn fits(at: &str, expected: &Value, given: &Value, request: &Value) {
    match (expected, given) {
        (Value::Object(expected), Value::Object(given)) => {
            for (key, expected) in expected.iter().filter(|(key, _)| *key != ELISION) {
                let given = given.get(key).unwrap_or_else(|| panic!("{at} has no {key}"));
                fits(&format!("{at}/{key}"), expected, given, request);
            }
        }
        (Value::Array(expected), Value::Array(given)) => {
            assert!(!given.is_empty() || expected.is_empty(), "{at} is empty");
            for given in given {
                let like = expected.iter().find(|one| is_same_person(one, given)).or(expected.first());
                fits(at, like.expect("an example"), given, request);
            }
        }
        (Value::String(expected), Value::String(given)) => fits_text(at, expected, given, request),
        (Value::Number(expected), Value::Number(given)) => {
            assert!(expected.is_i64() && given.is_i64(), "{at}: {given}");
            if ["code", "expires_in", "status"].iter().any(|key| at.ends_with(&format!("/{key}"))) {
                assert_eq!(expected, given, "{at}");
            }
        }
        (expected, given) => assert_eq!(expected, given, "{at}"),
    }
}

/// Of a list of accounts, those that the document names.
fn is_same_person(expected: &Value, given: &Value) -> bool {
    expected.get("account").is_some_and(|account| given.get("account") == Some(account))
}

fn fits_text(at: &str, expected: &str, given: &str, request: &Value) {
    let key = at.rsplit('/').next().expect("a key");
    let said_in_the_request = request.as_object().is_some_and(|body| body.values().any(|value| value == expected));
    match expected {
        "uuid" => assert!(given.parse::<uuid::Uuid>().is_ok(), "{at}: {given}"),
        // Opaque here: nobody but this service reads them.
        _ if key == "refresh_token" => assert!(!given.is_empty(), "{at}"),
        "jwt-token" => assert_eq!(shape_of_access_token(given), "[access token]"),
        _ if expected.starts_with("eyJ") => assert_eq!(shape_of_access_token(given), "[access token]"),
        _ if expected.starts_with("/storage/") => {
            assert!(given.starts_with("/storage/avatars/") && given.contains(".jpg"), "{at}: {given}");
        }
        "https://..." => assert!(given.starts_with("https://"), "{at}: {given}"),
        _ if is_instant(expected) => assert_eq!(pattern(given), pattern(expected), "{at}: {given}"),
        _ if said_in_the_request || ["message", "token_type", "role"].contains(&key) => {
            assert_eq!(given, expected, "{at}")
        }
        // What the account was never given is "".
        _ => assert!(given.is_empty() || form_of(given) == form_of(expected), "{at}: {given}"),
    }
}

/// What a text is by its looks: a web address, an e-mail address, an instant, or anything else.
fn form_of(text: &str) -> &'static str {
    let domain = text.split_once('@').map(|(_, domain)| domain);
    match text {
        _ if text.starts_with("http://") || text.starts_with("https://") => "web address",
        _ if domain.is_some_and(|domain| domain.contains('.') && !text.contains(' ')) => "e-mail address",
        _ if is_instant(text) => "instant",
        _ => "text",
    }
}

/// A text with every digit made 0, by which instants of one format are alike.
fn pattern(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect()
}

fn is_instant(text: &str) -> bool {
    ["0000-00-00T00:00:00Z", "0000-00-00 00:00:00", "0000-00-00"].contains(&pattern(text).as_str())
}

#[test]
fn what_differs_from_a_document_is_seen() {
    let document = json!({"code": 0, "data": {"id": "uuid", "at": "2026-01-01T00:00:00Z", "n": 1, "is": true, "rest": {"...": "..."}, "page": "https://a.example/b", "mail": "a@a.example", "word": "some"}});
    let good = json!({"code": 0, "data": {"id": "01990000-0000-7000-8000-000000000000", "at": "2040-12-31T23:59:59Z", "n": 7, "is": true, "rest": {}, "page": "", "mail": "b@example.com", "word": "another"}});
    fits("/good", &document, &good, &Value::Null);
    for (pointer, bad) in [
        ("/code", json!(1)),
        ("/data/id", json!("7")),
        ("/data/at", json!("2040-12-31 23:59:59")),
        ("/data/n", json!("7")),
        ("/data/n", json!(7.5)),
        ("/data/is", json!(false)),
        ("/data/rest", json!([])),
        ("/data/page", json!("me@example.com")),
        ("/data/mail", json!("https://example.com")),
        ("/data/word", json!("2026-01-01")),
        ("/data", Value::Null),
    ] {
        let mut answer = good.clone();
        *answer.pointer_mut(pointer).expect("a field") = bad.clone();
        let like = document.clone();
        let seen = std::panic::catch_unwind(move || fits("/bad", &like, &answer, &Value::Null));
        assert!(seen.is_err(), "{pointer}: {bad} in place of {:?}", document.pointer(pointer));
    }
}
