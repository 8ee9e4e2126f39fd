//! Scopes of API tokens: what a token may do, in every contract, and who may give it.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::World;

const TOKENS: &str = "/api/v1/tokens";

async fn token(world: &mut World, session: &str, scopes: &[&str]) -> String {
    let made = world.post(TOKENS, json!({"name": scopes.join(" "), "scopes": scopes})).bearer(session).quietly().await;
    assert_eq!(made.status, 201, "{}", made.body);
    made.text("/data/token")
}

type Request = (Method, &'static str, Value);

/// Requests of each kind, of every contract that has them.
fn requests() -> Vec<(&'static str, Vec<Request>)> {
    vec![
        (
            "read the profile",
            vec![
                (Method::GET, "/kite/api/v1/profile", Value::Null),
                (Method::GET, "/zeaya/api/auth/user", Value::Null),
                (Method::GET, "/sproutgate/api/auth/me", Value::Null),
                (Method::GET, "/mcphub/api/auth/user", Value::Null),
                (Method::GET, "/sproutgate/api/auth/verify", Value::Null),
            ],
        ),
        (
            "write the profile",
            vec![
                (Method::PUT, "/kite/api/v1/profile", json!({"nickname": "Al"})),
                (Method::PUT, "/zeaya/api/auth/profile", json!({"bio": "hello"})),
                (Method::PUT, "/sproutgate/api/auth/profile", json!({"phone": "138"})),
            ],
        ),
        ("read usage", vec![(Method::GET, "/api/v1/admin/users/{id}/usage", Value::Null)]),
        (
            "report usage",
            vec![(
                Method::POST,
                "/api/v1/admin/usage",
                json!({"changes": [{"username": "boss", "add": {"photos": 1}}]}),
            )],
        ),
        (
            "administer by looking",
            vec![
                (Method::GET, "/api/v1/admin/users", Value::Null),
                (Method::GET, "/api/v1/admin/settings", Value::Null),
                (Method::GET, "/api/v1/admin/audit", Value::Null),
                (Method::GET, "/api/v1/admin/keys", Value::Null),
                (Method::GET, "/sproutgate/api/admin/users", Value::Null),
            ],
        ),
        (
            "administer by changing",
            vec![
                (Method::PUT, "/api/v1/admin/settings", json!({"default_storage_limit": 7})),
                (Method::PUT, "/api/v1/admin/users/{id}", json!({"nickname": "Boss"})),
                (Method::POST, "/api/v1/admin/keys/rotate", json!({})),
                (Method::PUT, "/sproutgate/api/admin/users/boss", json!({"level": 2})),
            ],
        ),
        (
            "hold the account's keys",
            vec![
                (Method::GET, TOKENS, Value::Null),
                (Method::GET, "/api/v1/sessions", Value::Null),
                (Method::GET, "/api/v1/audit", Value::Null),
                (Method::POST, TOKENS, json!({"name": "another", "scopes": ["admin:write"]})),
            ],
        ),
    ]
}

/// Whether all requests of a kind pass (`yes`) or all are refused for want of a scope (`no`).
async fn may(world: &mut World, token: &str, id: &str, requests: Vec<Request>) -> &'static str {
    let mut passed = Vec::new();
    for (method, path, body) in requests {
        let path = path.replace("{id}", id);
        let answer = world.ask(method, &path).json(body).bearer(token).quietly().await;
        assert!(answer.status.is_success() || answer.status == 403, "{path}: {} {}", answer.status, answer.body);
        passed.push(answer.status.is_success());
    }
    match passed.as_slice() {
        all if all.iter().all(|passed| *passed) => "yes",
        none if none.iter().all(|passed| !passed) => "no",
        mixed => panic!("{mixed:?}"),
    }
}

#[tokio::test]
async fn a_token_may_what_its_scopes_say_in_every_contract() {
    let mut world = World::start().await;
    let boss = world.boss().await;
    let id = world.get("/api/v1/profile").bearer(&boss).quietly().await.text("/data/id");
    let mut told = String::new();
    for scopes in [
        vec!["profile:read"],
        vec!["profile:write"],
        vec!["usage:read"],
        vec!["usage:write"],
        vec!["admin:read"],
        vec!["admin:write"],
        vec!["profile:read", "usage:write", "admin:read"],
    ] {
        let token = token(&mut world, &boss, &scopes).await;
        told.push_str(&format!("{}\n", scopes.join(", ")));
        for (what, requests) in requests() {
            told.push_str(&format!("  {what}: {}\n", may(&mut world, &token, &id, requests).await));
        }
    }
    let plain = world.api_token(&boss).await;
    told.push_str("none named\n");
    for (what, requests) in requests() {
        told.push_str(&format!("  {what}: {}\n", may(&mut world, &plain, &id, requests).await));
    }
    insta::assert_snapshot!(told);
}

#[tokio::test]
async fn administrators_alone_give_administrators_scopes_and_only_as_long_as_they_are() {
    let mut world = World::start().await;
    let boss = world.boss().await;
    world.register("alice", "secret123").await;
    let alice = world.sign_in("alice", "secret123").await;
    let scoped = json!({"name": "spy", "scopes": ["profile:read", "admin:read"]});
    world.post(TOKENS, scoped.clone()).bearer(&alice).await;
    for scopes in [json!([]), json!(["admin"]), json!("profile:read"), json!([1])] {
        world.post(TOKENS, json!({"name": "x", "scopes": scopes})).bearer(&alice).await;
    }
    world.note("an administrator's own");
    let made = world.post(TOKENS, scoped).bearer(&boss).await;
    let token = made.text("/data/token");
    world.get(TOKENS).bearer(&boss).await;
    world.get("/api/v1/admin/settings").bearer(&token).quietly().await.is(200, 0);
    world.note("for others it stands for an ordinary person");
    world.post("/sproutgate/api/auth/verify", json!({"token": token})).quietly().await.has(200);
    assert_eq!(world.get("/api/v1/profile").bearer(&token).quietly().await.text("/data/role"), "user");
    let admin = json!({"username": "third", "password": "secret123", "isAdmin": true});
    let made = world.post("/mcphub/api/auth/register", admin).header("x-auth-token", &token).quietly().await;
    assert_eq!(made.json()["user"]["isAdmin"], json!(false));
    world.note("no longer an administrator");
    let alices = world.get("/api/v1/profile").bearer(&alice).quietly().await.text("/data/id");
    let path = format!("/api/v1/admin/users/{alices}");
    world.put(&path, json!({"role": "admin"})).bearer(&boss).quietly().await.is(200, 0);
    let own = world.get("/api/v1/profile").bearer(&boss).quietly().await.text("/data/id");
    world.put(&format!("/api/v1/admin/users/{own}"), json!({"role": "user"})).bearer(&boss).quietly().await.is(200, 0);
    world.get("/api/v1/admin/settings").bearer(&token).await;
    insta::assert_snapshot!(world.transcript());
}
