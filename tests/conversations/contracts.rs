//! What all four contracts can do, each in its own spelling.

use serde_json::{Value, json};

use crate::support::{Answer, World};

pub(crate) const CONTRACTS: [&str; 4] = ["kite", "zeaya", "sproutgate", "mcphub"];

/// Makes an account through a contract, with everything that this takes there.
pub(crate) async fn register(world: &mut World, contract: &str, name: &str, password: &str) {
    let email = format!("{name}@example.com");
    let (path, body) = registering(contract, name, &email, password);
    let answer = world.post(path, body).quietly().await;
    assert!(answer.status.is_success(), "{contract}: {}", answer.body);
    if contract == "sproutgate" {
        let code = world.code_for(&email);
        let body = json!({"account": name, "code": code});
        let answer = world.post("/sproutgate/api/auth/verify-email", body).quietly().await;
        assert!(answer.status.is_success(), "{}", answer.body);
    }
}

pub(crate) async fn log_in(world: &mut World, contract: &str, name: &str, password: &str) -> Answer {
    let (path, body) = signing_in(contract, name, password);
    world.post(path, body).quietly().await
}

pub(crate) fn token_of(contract: &str, answer: &Answer) -> String {
    answer.text(match contract {
        "kite" => "/data/access_token",
        "zeaya" => "/data/token",
        _ => "/token",
    })
}

/// Asks who the token's bearer is; returns the name as that contract tells it.
pub(crate) async fn who(world: &mut World, contract: &str, token: &str) -> Result<String, u16> {
    let (path, pointer) = asking_who(contract);
    let answer = world.get(path).bearer(token).quietly().await;
    if answer.status.is_success() { Ok(answer.text(pointer)) } else { Err(answer.status.as_u16()) }
}

pub(crate) async fn log_out(world: &mut World, contract: &str, token: &str) {
    let path = if contract == "kite" { "/kite/api/v1/auth/logout" } else { "/zeaya/api/auth/logout" };
    let answer = world.ask(reqwest::Method::POST, path).bearer(token).quietly().await;
    assert!(answer.status.is_success(), "{}", answer.body);
}

/// Where a contract signs in, and what it is told.
pub(crate) fn signing_in(contract: &str, name: &str, password: &str) -> (&'static str, Value) {
    let (path, field) = match contract {
        "kite" => ("/kite/api/v1/auth/login", "username"),
        "zeaya" => ("/zeaya/api/auth/login", "username"),
        "sproutgate" => ("/sproutgate/api/auth/login", "account"),
        _ => ("/mcphub/api/auth/login", "username"),
    };
    (path, json!({field: name, "password": password}))
}

/// Where a contract tells whose token it is, and where in its answer the name stands.
pub(crate) fn asking_who(contract: &str) -> (&'static str, &'static str) {
    match contract {
        "kite" => ("/kite/api/v1/profile", "/data/username"),
        "zeaya" => ("/zeaya/api/auth/user", "/data/username"),
        "sproutgate" => ("/sproutgate/api/auth/me", "/user/account"),
        _ => ("/mcphub/api/auth/user", "/user/username"),
    }
}

/// Where a contract registers, and what it is told.
pub(crate) fn registering(contract: &str, name: &str, email: &str, password: &str) -> (&'static str, Value) {
    let path = match contract {
        "kite" => "/kite/api/v1/auth/register",
        "zeaya" => "/zeaya/api/auth/register",
        "sproutgate" => "/sproutgate/api/auth/register",
        _ => "/mcphub/api/auth/register",
    };
    (path, json!({"username": name, "account": name, "email": email, "password": password}))
}
