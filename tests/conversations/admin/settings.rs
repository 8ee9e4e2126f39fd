//! What administrators set while the service runs.

use reqwest::Method;
use serde_json::{Value, json};

use super::{create, demo};
use crate::support::World;

const SETTINGS: &str = "/api/v1/admin/settings";

async fn set(world: &mut World, by: &str, body: Value) {
    world.put(SETTINGS, body).bearer(by).quietly().await.is(200, 0);
}

async fn register_everywhere(world: &mut World, name: &str) {
    let email = format!("{name}@example.com");
    for (contract, path) in [("kite", "/v1"), ("zeaya", ""), ("sproutgate", ""), ("mcphub", "")] {
        let (name, email) = (format!("{name}-{contract}"), format!("{contract}-{email}"));
        let body = json!({"username": name, "account": name, "email": email, "password": "password123"});
        world.post(&format!("/{contract}/api{path}/auth/register"), body).await;
    }
    world.get("/api/v1/auth/options").await;
}

async fn limit_of(world: &mut World, by: &str, name: &str) -> Value {
    let listed = world.get(&format!("/api/v1/admin/users?search={name}")).bearer(by).quietly().await.json();
    listed["data"]["items"][0]["storage_limit"].clone()
}

#[tokio::test]
async fn registration_closes_and_opens_in_every_contract_at_the_next_request() {
    let mut world = World::start().await;
    let boss = world.boss().await;
    let token = world.server.admin_token().reveal().to_owned();
    world.get(SETTINGS).bearer(&boss).await;
    world.put(SETTINGS, json!({"allow_registration": false})).bearer(&token).await;
    register_everywhere(&mut world, "anna").await;
    world.note("administrators still make accounts");
    create(&mut world, &boss, "alice", "user").await;
    let made = world.post("/sproutgate/api/admin/users", demo()).bearer(&token).quietly().await;
    assert_eq!(made.status, 200, "{}", made.body);
    world.note("back to the deployment's own");
    world.put(SETTINGS, json!({"allow_registration": null})).bearer(&boss).await;
    register_everywhere(&mut world, "anna").await;
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn registration_opens_where_the_deployment_closes_it() {
    let mut world = World::with(|options| options.with("ALLOW_REGISTRATION", "false")).await;
    let boss = world.boss().await;
    world.get(SETTINGS).bearer(&boss).await;
    set(&mut world, &boss, json!({"allow_registration": true})).await;
    world.register("alice", "secret123").await;
    set(&mut world, &boss, json!({"allow_registration": null})).await;
    let body = json!({"username": "bob", "email": "bob@example.com", "password": "secret123"});
    world.post("/api/v1/auth/register", body).await;
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn new_accounts_get_the_storage_limit_and_others_keep_theirs() {
    let mut world = World::start().await;
    let boss = world.boss().await;
    let token = world.server.admin_token().reveal().to_owned();
    create(&mut world, &boss, "before", "user").await;
    world.put(SETTINGS, json!({"default_storage_limit": 1024})).bearer(&boss).await;
    world.register("kitty", "secret123").await;
    for contract in ["zeaya", "mcphub"] {
        let body = json!({"username": contract, "email": format!("{contract}@example.com"), "password": "secret123"});
        world.post(&format!("/{contract}/api/auth/register"), body).quietly().await;
    }
    world.register_proved("sprout").await;
    world.post("/sproutgate/api/admin/users", demo()).bearer(&token).quietly().await;
    create(&mut world, &boss, "made", "user").await;
    for name in ["kitty", "zeaya", "mcphub", "sprout", "demo", "made"] {
        assert_eq!(limit_of(&mut world, &boss, name).await, json!(1024), "{name}");
    }
    let own = json!({"username": "vast", "email": "v@example.com", "password": "secret123", "storage_limit": 7});
    world.post("/api/v1/admin/users", own).bearer(&boss).quietly().await;
    assert_eq!(limit_of(&mut world, &boss, "vast").await, json!(7), "an administrator's word counts more");
    assert_eq!(limit_of(&mut world, &boss, "before").await, json!(10_737_418_240_u64));
    set(&mut world, &boss, json!({"default_storage_limit": -1})).await;
    world.register("endless", "secret123").await;
    assert_eq!(limit_of(&mut world, &boss, "endless").await, json!(-1));
    world.put(SETTINGS, json!({"default_storage_limit": null})).bearer(&boss).await;
    world.register("usual", "secret123").await;
    assert_eq!(limit_of(&mut world, &boss, "usual").await, json!(10_737_418_240_u64));
    insta::assert_snapshot!(world.transcript());
    world.is_sound().await;
}

#[tokio::test]
async fn parallel_changes_of_different_settings_all_take_effect() {
    for _ in 0..4 {
        let mut world = World::start().await;
        let token = world.server.admin_token().reveal().to_owned();
        let asked = (0..8).map(|nth| {
            let body =
                if nth % 2 == 0 { json!({"allow_registration": false}) } else { json!({"default_storage_limit": 5}) };
            (Method::PUT, SETTINGS.to_owned(), token.clone(), body)
        });
        for answer in world.all_at_once_by(asked.collect()).await {
            answer.is(200, 0);
        }
        let now = world.get(SETTINGS).bearer(&token).quietly().await.json();
        assert_eq!(now["data"]["set"], json!({"allow_registration": false, "default_storage_limit": 5}));
    }
}

#[tokio::test]
async fn refused() {
    let mut world = World::start().await;
    let boss = world.boss().await;
    let api_token = world.api_token(&boss).await;
    world.register("alice", "secret123").await;
    let alice = world.sign_in("alice", "secret123").await;
    let body = json!({"allow_registration": false});
    for method in [Method::GET, Method::PUT] {
        world.ask(method.clone(), SETTINGS).json(body.clone()).await;
        for token in ["not-a-token", &alice, &api_token] {
            world.ask(method.clone(), SETTINGS).json(body.clone()).bearer(token).await;
        }
    }
    let cookie = format!("access_token={boss}");
    world.put(SETTINGS, body).header("cookie", &cookie).header("origin", "https://evil.example.com").await;
    for body in [
        json!({"allow_registration": "no", "default_storage_limit": 1.5}),
        json!({"allow_registration": 0, "default_storage_limit": -2}),
        json!({"allow_registration": false, "default_storage_limit": 9_007_199_254_740_992_i64}),
    ] {
        world.put(SETTINGS, body).bearer(&boss).await;
    }
    world.ask(Method::PUT, SETTINGS).raw("application/json", "{").bearer(&boss).await;
    world.ask(Method::PUT, SETTINGS).raw("text/plain", "{}").bearer(&boss).await;
    world.ask(Method::DELETE, SETTINGS).bearer(&boss).await;
    world.note("nothing was set");
    world.put(SETTINGS, json!({})).bearer(&boss).await;
    insta::assert_snapshot!(world.transcript());
}
