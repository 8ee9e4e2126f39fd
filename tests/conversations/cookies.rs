//! kite's cookies: what a browser is told of them, each time that they are set or cleared.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use polygate_shared::http::{Arrival, Endpoints, Front};
use polygate_shared::settings::Settings;
use serde_json::{Value, json};

use crate::support::World;

/// A browser's request, by https or not.
struct Browser<'a> {
    front: &'a Front,
    secure: bool,
}

/// The cookies that an answer sets, each with its value and its attributes.
struct Answer {
    body: Value,
    cookies: Vec<(String, String, BTreeSet<String>)>,
}

impl Browser<'_> {
    async fn post(&self, path: &str, token: Option<&str>, body: Value) -> Answer {
        let mut request = Request::post(path).header("content-type", "application/json");
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let mut request = request.body(Body::from(body.to_string())).expect("a request");
        let arrival = Arrival { secure: self.secure, request_id: "x".to_owned(), ..Arrival::default() };
        request.extensions_mut().insert(arrival);
        let (parts, body) = self.front.answer(request).await.into_parts();
        let bytes = axum::body::to_bytes(body, 100_000).await.expect("a body");
        assert!(parts.status.is_success(), "{path}: {}", String::from_utf8_lossy(&bytes));
        let set = parts.headers.get_all("set-cookie").iter().map(|value| value.to_str().expect("a cookie"));
        let cookies = set.map(|cookie| {
            let mut parts = cookie.split("; ");
            let (name, value) = parts.next().and_then(|pair| pair.split_once('=')).expect("a pair");
            (name.to_owned(), value.to_owned(), parts.map(str::to_owned).collect())
        });
        Answer { body: serde_json::from_slice(&bytes).expect("JSON"), cookies: cookies.collect() }
    }
}

/// Asserts that both cookies are set, each with all of these attributes and no other. None has a `Domain`: no other host,
/// and no sibling, gets them.
fn assert_both(what: &str, answer: &Answer, mount: &str, secure: bool, lives: [u32; 2]) {
    let attributes = |path: &str, same_site: &str, life: u32| {
        let always = ["HttpOnly".to_owned(), format!("SameSite={same_site}"), format!("Path={path}")];
        let own = [format!("Max-Age={life}")].into_iter().chain(secure.then(|| "Secure".to_owned()));
        always.into_iter().chain(own).collect::<BTreeSet<_>>()
    };
    let expected = [
        ("access_token", attributes("/", "Lax", lives[0])),
        ("refresh_token", attributes(&format!("{mount}/api/v1/auth"), "Strict", lives[1])),
    ];
    let found: Vec<_> =
        answer.cookies.iter().map(|(name, _, attributes)| (name.as_str(), attributes.clone())).collect();
    assert_eq!(found, expected, "{what}");
}

#[tokio::test]
async fn they_are_http_only_same_site_bound_to_this_host_and_secure_by_https() {
    let world = World::start().await;
    let settings = Settings::parse(&|_| None).expect("defaults");
    let front = Front::new(&Endpoints::ALL, Arc::clone(world.server.identity()), &settings);
    let lives = [2 * 3600, 7 * 86_400];
    for (nth, mount) in ["/kite", ""].into_iter().enumerate() {
        for secure in [true, false] {
            let browser = Browser { front: &front, secure };
            let assert_set = |what: &str, answer: &Answer| assert_both(what, answer, mount, secure, lives);
            let at = |path: &str| format!("{mount}/api/v1/auth/{path}");
            let name = format!("alice{nth}{secure}");
            let person = json!({"username": name, "email": format!("{name}@example.com"), "password": "secret123"});
            browser.post(&at("register"), None, person.clone()).await;
            let signed_in = browser.post(&at("login"), None, person.clone()).await;
            assert_set("signing in", &signed_in);
            // The cookies are the very tokens of the body.
            let values: Vec<_> = signed_in.cookies.iter().map(|(_, value, _)| Value::from(value.as_str())).collect();
            let data = &signed_in.body["data"];
            assert_eq!(values, [data["access_token"].clone(), data["refresh_token"].clone()]);
            let refreshed = browser.post(&at("refresh"), None, json!({"refresh_token": data["refresh_token"]})).await;
            assert_set("refreshing", &refreshed);
            let access = refreshed.body["data"]["access_token"].as_str().expect("a token").to_owned();
            let signed_out = browser.post(&at("logout"), Some(&access), json!({})).await;
            assert_both("signing out", &signed_out, mount, secure, [0, 0]);
            assert!(signed_out.cookies.iter().all(|(_, value, _)| value.is_empty()), "cleared");
        }
    }
    // The first administrator's reset sets them too, and the other contracts set none.
    let browser = Browser { front: &front, secure: true };
    let admin = json!({"username": "admin", "account": "admin", "password": "admin"});
    let first = browser.post("/kite/api/v1/auth/login", None, admin.clone()).await;
    for path in ["/zeaya/api/auth/login", "/sproutgate/api/auth/login", "/mcphub/api/auth/login"] {
        assert!(browser.post(path, None, admin.clone()).await.cookies.is_empty(), "{path}");
    }
    let reset = json!({"username": "boss", "email": "boss@example.com", "password": "strong-new-password"});
    let token = first.body["data"]["access_token"].as_str().expect("a token");
    let chosen = browser.post("/kite/api/v1/auth/first-login-reset", Some(token), reset).await;
    assert_both("the first reset", &chosen, "/kite", true, lives);
}
