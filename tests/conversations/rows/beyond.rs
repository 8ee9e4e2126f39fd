//! What the native contract's endpoints beyond the documents refuse, where the tests that the table names for them, which
//! are about what they do, have no occasion for it.

use std::time::Duration;

use polygate_shared::identity::{Account, EmailAddress};
use reqwest::Method;
use serde_json::{Value, json};

use super::brief;
use super::table::ROWS;
use crate::people::Authenticator;
use crate::structure::read;
use crate::support::World;

const NOBODY: &str = "01990000-0000-7000-8000-000000000000";

#[tokio::test]
async fn what_is_too_large_or_no_json_is_refused_by_each() {
    let mut world = World::start().await;
    let boss = world.boss().await;
    let described: Value = serde_json::from_str(&read("docs/openapi/kite.json")).expect("JSON");
    for row in ROWS.iter().filter(|row| row.contract == "kite" && !row.test.starts_with("kite")) {
        let path = format!("/kite{}", row.path);
        let operation = described["paths"][row.path].get(row.method.to_lowercase()).expect("the endpoint");
        if operation.get("requestBody").is_none() {
            continue;
        }
        let method: Method = row.method.parse().expect("a method");
        let spaces = vec![b' '; 64 * 1024 + 1];
        world.ask(method.clone(), &path).bearer(&boss).raw("application/json", spaces).await.has(413);
        world.ask(method, &path).bearer(&boss).raw("text/plain", "{}").await.has(415);
    }
    insta::assert_snapshot!(brief(world.transcript()));
}

#[tokio::test]
async fn administrators_alone_see_and_change_keys_and_find_nobodys_usage() {
    let mut world = World::start().await;
    world.register("alice", "secret123").await;
    let alice = world.sign_in("alice", "secret123").await;
    world.get("/kite/api/v1/admin/keys").await.is(401, 40100);
    world.get("/kite/api/v1/admin/keys").bearer(&alice).await.is(403, 40300);
    world.post("/kite/api/v1/admin/keys/rotate", json!({})).bearer(&alice).await.is(403, 40300);
    let boss = world.boss().await;
    world.get(&format!("/kite/api/v1/admin/users/{NOBODY}/usage")).bearer(&boss).await.is(404, 40400);
    insta::assert_snapshot!(brief(world.transcript()));
}

#[tokio::test]
async fn an_eleventh_further_address_is_refused_also_when_its_code_comes_back() {
    let mut world = World::start().await;
    world.register("alice", "secret123").await;
    let alice = world.sign_in("alice", "secret123").await;
    let asked = json!({"email": "late@example.com"});
    world.post("/kite/api/v1/emails", asked).bearer(&alice).quietly().await.is(200, 0);
    let ten = (0..10).map(|nth| EmailAddress::parse(&format!("alice{nth}@example.com")).expect("an address"));
    world.amend("alice", |account| Account { secondary_emails: ten.collect(), ..account }).await;
    let proof = json!({"email": "late@example.com", "code": world.code_for("late@example.com")});
    world.post("/kite/api/v1/emails/verify", proof).bearer(&alice).await.is(409, 40902);
    world.note("wrong ones wait after ten");
    let wrong = json!({"email": "late@example.com", "code": "000000"});
    for _ in 0..10 {
        world.post("/kite/api/v1/emails/verify", wrong.clone()).bearer(&alice).quietly().await.has(400);
    }
    world.post("/kite/api/v1/emails/verify", wrong).bearer(&alice).await.is(429, 42900);
    insta::assert_snapshot!(brief(world.transcript()));
}

/// Sends it until the next one has to wait.
async fn guess(world: &mut World, path: &str, body: Value, token: &str) {
    for _ in 0..5 {
        world.post(path, body.clone()).bearer(token).quietly().await.has(400);
    }
    world.post(path, body).bearer(token).await.is(429, 42900);
}

#[tokio::test]
async fn wrong_codes_of_the_second_factor_wait_wherever_one_is_taken() {
    let mut world = World::start().await;
    world.register("alice", "secret123").await;
    let alice = world.sign_in("alice", "secret123").await;
    let setup = world.post("/kite/api/v1/auth/2fa/setup", json!({})).bearer(&alice).quietly().await;
    guess(&mut world, "/kite/api/v1/auth/2fa/enable", json!({"code": "000000"}), &alice).await;
    world.clock.advance(Duration::from_secs(60));
    let code = Authenticator::of(&setup.text("/data/secret")).next_code(&world);
    let enable = json!({"code": code});
    world.post("/kite/api/v1/auth/2fa/enable", enable).bearer(&alice).quietly().await.is(200, 0);
    let wrong = json!({"password": "secret123", "code": "000000"});
    guess(&mut world, "/kite/api/v1/auth/2fa/disable", wrong.clone(), &alice).await;
    world.post("/kite/api/v1/auth/2fa/recovery-codes", wrong).bearer(&alice).await.is(429, 42900);
    insta::assert_snapshot!(brief(world.transcript()));
}
