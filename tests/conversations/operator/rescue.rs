//! Keys that must go, and administrators who can't sign in.

use reqwest::StatusCode;
use serde_json::json;

use super::{polygate, run, text, world};
use crate::restart::Scratch;

#[tokio::test]
async fn keys_are_rotated_beside_a_running_server_or_without_it() {
    let scratch = Scratch::new();
    let mut world = world(&scratch).await;
    world.register("anna", "secret123").await;
    let token = world.sign_in("anna", "secret123").await;
    let held = polygate(&["keys", "rotate", "--data", text(&scratch.0)]).failed();
    let engine = world.server.dynamodb_url();
    assert!(held.contains(&format!("is in use by a running server: stop it, or give --endpoint {engine}")), "{held}");

    let keys = polygate(&["keys", "rotate", "--endpoint", &engine]).well();
    let states: Vec<_> = keys.lines().map(|line| line.split_whitespace().nth(1).unwrap_or_default()).collect();
    assert_eq!(states, ["signing,", "waiting,"], "{keys}");
    assert_eq!(polygate(&["keys", "rotate", "--endpoint", &engine]).well(), keys, "one that waits is enough");
    assert_eq!(world.get("/sproutgate/api/auth/me").bearer(&token).quietly().await.status, StatusCode::OK);
    world.server.shutdown().await;

    let keys = polygate(&["keys", "rotate", "--at-once", "--data", text(&scratch.0)]).well();
    assert!(keys.lines().count() == 1 && keys.contains("  signing, signs from "), "{keys}");
    let mut world = super::world(&scratch).await;
    let refused = world.get("/sproutgate/api/auth/me").bearer(&token).quietly().await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "of a key that is no more");
    world.sign_in("anna", "secret123").await;
}

#[tokio::test]
async fn without_keys_there_is_nothing_to_rotate() {
    let scratch = Scratch::new();
    world(&scratch).await.server.shutdown().await;
    let told = polygate(&["keys", "rotate", "--data", text(&scratch.0)]).failed();
    assert!(told.contains("there are no keys yet"), "{told}");
}

#[tokio::test]
async fn an_administrator_gets_another_password() {
    let scratch = Scratch::new();
    let data = text(&scratch.0);
    let mut world = world(&scratch).await;
    world.register("anna", "secret123").await;
    let token = world.sign_in("anna", "secret123").await;
    world.server.shutdown().await;

    let reset = ["admin", "reset-password", "anna", "--data", data];
    let told = polygate(&["admin", "reset-password", "nobody", "--data", data]).failed();
    assert!(told.contains("nobody is called nobody"), "{told}");
    let told = polygate(&reset).failed();
    assert!(told.contains("anna is no active administrator: --reinstate makes it one"), "{told}");
    let weak = run(&[&reset[..], &["--password-stdin"]].concat(), &[("PASSWORD_POLICY", "strict")], "password\n");
    assert!(weak.failed().contains("the password is one that many people have"));
    let given = [&reset[..], &["--reinstate", "--password-stdin"]].concat();
    let out = run(&given, &[], "correct horse battery\n").well();
    assert_eq!(out, "anna has a new password; its sessions and API tokens are over.\n");
    let out = polygate(&reset).well();
    let made = out.lines().find_map(|line| line.strip_prefix("password: ")).expect("a password").to_owned();
    assert_eq!(made.len(), 20);

    let mut world = super::world(&scratch).await;
    let refused = world.get("/kite/api/v1/profile").bearer(&token).quietly().await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "sessions end with the password");
    let token = world.sign_in("anna", &made).await;
    let trail = world.get("/kite/api/v1/admin/audit").bearer(&token).quietly().await.json();
    let events = trail["data"]["items"].as_array().expect("events");
    let by_operator: Vec<_> =
        events.iter().filter(|event| event["actor"]["kind"] == "operator").map(|event| &event["action"]).collect();
    assert_eq!(
        by_operator,
        [&json!("password_changed"), &json!("role_changed"), &json!("password_changed")],
        "{trail}"
    );
    let own = world.get("/kite/api/v1/audit").bearer(&token).quietly().await.text("/data/items/1/actor/kind");
    assert_eq!(own, "administrator", "people are told no more than of other administrators");
}

#[tokio::test]
async fn the_reserved_administrator_can_be_made_anew() {
    let scratch = Scratch::new();
    let data = text(&scratch.0);
    let mut world = world(&scratch).await;
    let login = json!({"username": "admin", "password": "admin"});
    let token = world.post("/kite/api/v1/auth/login", login).quietly().await.text("/data/access_token");
    let own = json!({"username": "boss", "email": "boss@example.com", "password": "secret123"});
    let done = world.post("/kite/api/v1/auth/first-login-reset", own).bearer(&token).quietly().await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.body);
    world.server.shutdown().await;

    let reset = ["admin", "reset-password", "admin", "--data", data];
    assert!(polygate(&reset).failed().contains("nobody is called admin"));
    let out = polygate(&[&reset[..], &["--reinstate"]].concat()).well();
    assert!(
        out.contains("At its first sign-in it has to choose a name, an address and a password of its own."),
        "{out}"
    );
    let made = out.lines().find_map(|line| line.strip_prefix("password: ")).expect("a password").to_owned();
    assert!(polygate(&["check", "--data", data]).well().ends_with("2 accounts: sound\n"));
    let mut world = super::world(&scratch).await;
    let token = world.sign_in("admin", &made).await;
    let gated = world.get("/kite/api/v1/admin/users").bearer(&token).quietly().await;
    assert_eq!(gated.status, StatusCode::FORBIDDEN, "{}", gated.body);
}
