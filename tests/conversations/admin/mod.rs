//! What administrators do to accounts, in the two contracts that have an administrator's side.

mod audit;
mod kite;
mod races;
mod refused;
mod search;
mod settings;
mod sproutgate;
mod usage;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::World;

/// Makes an account through kite and returns its id.
async fn create(world: &mut World, by: &str, name: &str, role: &str) -> String {
    let email = format!("{name}@example.com");
    let body = json!({"username": name, "email": email, "password": "secret123", "role": role});
    let answer = world.post("/api/v1/admin/users", body).bearer(by).quietly().await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.text("/data/id")
}

/// The document's own account.
pub(crate) fn demo() -> Value {
    json!({
        "account": "demo",
        "password": "demo123",
        "username": "示例用户",
        "email": "demo@example.com",
        "level": 0,
        "sproutCoins": 10,
        "secondaryEmails": ["demo2@example.com"],
        "phone": "13800000000",
        "avatarUrl": "https://example.com/avatar.png",
        "bio": "### 简介",
    })
}

#[tokio::test]
async fn the_last_active_administrator_stays() {
    let mut world = World::start().await;
    let token = world.server.admin_token().reveal().to_owned();
    world.note("also one that has yet to choose a password");
    world.ask(Method::DELETE, "/sproutgate/api/admin/users/admin").bearer(&token).await;
    let boss = world.boss().await;
    let listed = world.get("/api/v1/admin/users").bearer(&boss).quietly().await;
    let path = format!("/api/v1/admin/users/{}", listed.text("/data/items/0/id"));
    let all = [
        (Method::PUT, path.as_str(), json!({"role": "user", "nickname": "Nobody"})),
        (Method::PUT, &path, json!({"is_active": false})),
        (Method::DELETE, &path, json!({})),
        (Method::DELETE, "/sproutgate/api/admin/users/boss", json!({})),
    ];
    for (method, path, body) in all.clone() {
        world.ask(method, path).json(body).bearer(&boss).await;
    }
    world.note("a disabled administrator is none");
    let deputy = create(&mut world, &boss, "deputy", "admin").await;
    let deputy = format!("/api/v1/admin/users/{deputy}");
    world.ask(Method::DELETE, &deputy).bearer(&boss).await;
    for (method, path, body) in all {
        let answer = world.ask(method, path).json(body).bearer(&boss).quietly().await;
        assert_eq!(answer.status, 409, "{}", answer.body);
    }
    world.note("it may be demoted and deleted while it is none");
    world.put(&deputy, json!({"role": "user"})).bearer(&boss).quietly().await.is(200, 0);
    world.put(&deputy, json!({"role": "admin"})).bearer(&boss).quietly().await.is(200, 0);
    world.note("with another active one, anybody may go, oneself included");
    world.put(&deputy, json!({"is_active": true})).bearer(&boss).await;
    world.put(&path, json!({"role": "user", "is_active": false})).bearer(&boss).await;
    world.get("/api/v1/profile").bearer(&boss).await;
    world.ask(Method::DELETE, "/sproutgate/api/admin/users/boss").bearer(&token).await;
    world.ask(Method::DELETE, "/sproutgate/api/admin/users/deputy").bearer(&token).await;
    world.note("administrators made through mcphub count");
    let deputy = world.sign_in("deputy", "secret123").await;
    let body = json!({"username": "third", "password": "secret123", "isAdmin": true});
    world.post("/mcphub/api/auth/register", body).header("x-auth-token", &deputy).quietly().await;
    world.ask(Method::DELETE, "/sproutgate/api/admin/users/deputy").bearer(&token).await;
    world.ask(Method::DELETE, "/sproutgate/api/admin/users/third").bearer(&token).await;
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn administrators_make_accounts_while_registration_is_closed() {
    let mut world = World::with(|options| options.with("ALLOW_REGISTRATION", "false")).await;
    let token = world.server.admin_token().reveal().to_owned();
    let made = world.post("/sproutgate/api/admin/users", demo()).bearer(&token).quietly().await;
    assert_eq!(made.status, 200, "{}", made.body);
    let boss = world.boss().await;
    create(&mut world, &boss, "alice", "user").await;
}
