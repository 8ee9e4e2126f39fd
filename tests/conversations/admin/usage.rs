//! Counters that applications report.

use reqwest::Method;
use serde_json::{Value, json};

use super::create;
use crate::support::World;

const USAGE: &str = "/api/v1/admin/usage";

async fn usage(world: &mut World, by: &str, id: &str) -> Value {
    let answer = world.get(&format!("/api/v1/admin/users/{id}/usage")).bearer(by).quietly().await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()["data"].clone()
}

#[tokio::test]
async fn added_to_and_set_and_seen_in_every_contract() {
    let mut world = World::start().await;
    let token = world.server.admin_token().reveal().to_owned();
    let boss = world.boss().await;
    world.register("alice", "secret123").await;
    let alice = world.sign_in("alice", "secret123").await;
    let bob = create(&mut world, &boss, "bob", "user").await;
    world.note("by whoever holds the administrator token, and by an administrator");
    let body = json!({"changes": [
        {"username": "ＡＬＩＣＥ", "add": {"photos": 3, "albums": 1, "favorites": 2, "likes": 5, "storage_used": 4096}},
        {"user_id": bob, "set": {"coins": -20, "level": 7}},
    ]});
    world.post(USAGE, body).bearer(&token).await;
    world.note("one account twice: in order; of one change what is set comes first");
    let body = json!({"changes": [
        {"user_id": bob, "add": {"coins": 30, "photos": 1}},
        {"username": "bob", "add": {"photos": -1, "level": 1}, "set": {"photos": 10}},
    ]});
    world.post(USAGE, body).bearer(&boss).await;
    world.get(&format!("/api/v1/admin/users/{bob}/usage")).bearer(&boss).await;
    world.note("what the person sees");
    world.get("/zeaya/api/auth/user").bearer(&alice).await;
    world.get("/api/v1/profile").bearer(&alice).await;
    let bob = world.sign_in("bob", "secret123").await;
    world.get("/sproutgate/api/auth/me").bearer(&bob).await;
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn all_of_a_report_or_nothing() {
    let mut world = World::start().await;
    let boss = world.boss().await;
    let alice = create(&mut world, &boss, "alice", "user").await;
    let bob = create(&mut world, &boss, "bob", "user").await;
    let good = json!({"username": "alice", "add": {"photos": 1, "coins": 1}});
    let largest = 9_007_199_254_740_991_i64;
    let before = (usage(&mut world, &boss, &alice).await, usage(&mut world, &boss, &bob).await);
    for bad in [
        json!({"username": "bob", "add": {"photos": -1}}),
        json!({"username": "bob", "add": {"coins": -largest}, "set": {"coins": -1}}),
        json!({"username": "nobody", "add": {"photos": 1}}),
        json!({"user_id": "01990000-0000-7000-8000-000000000000", "add": {"photos": 1}}),
        json!({"user_id": "bob", "add": {"photos": 1}}),
    ] {
        world.post(USAGE, json!({"changes": [good, bad]})).bearer(&boss).await;
        let after = (usage(&mut world, &boss, &alice).await, usage(&mut world, &boss, &bob).await);
        assert_eq!(after, before);
    }
    world.note("to the very bounds");
    let to_the_bounds =
        json!({"username": "bob", "set": {"coins": -largest, "photos": largest}, "add": {"level": largest}});
    world.post(USAGE, json!({"changes": [to_the_bounds]})).bearer(&boss).await;
    for add in [json!({"coins": -1}), json!({"photos": 1}), json!({"level": 1})] {
        let answer = world.post(USAGE, json!({"changes": [{"username": "bob", "add": add}]})).bearer(&boss).quietly();
        answer.await.is(409, 40907);
    }
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn what_is_reported_changes_no_session_and_not_when_the_account_was_changed() {
    let mut world = World::start().await;
    let token = world.server.admin_token().reveal().to_owned();
    world.register("alice", "secret123").await;
    let alice = world.sign_in("alice", "secret123").await;
    let before = world.get("/sproutgate/api/auth/me").bearer(&alice).quietly().await.text("/user/updatedAt");
    world.clock.advance(std::time::Duration::from_secs(60));
    let body = json!({"changes": [{"username": "alice", "add": {"coins": 1}}]});
    world.post(USAGE, body).bearer(&token).quietly().await.is(200, 0);
    let after = world.get("/sproutgate/api/auth/me").bearer(&alice).quietly().await;
    assert_eq!((after.text("/user/updatedAt"), &after.json()["user"]["sproutCoins"]), (before, &json!(1)));
}

#[tokio::test]
async fn a_report_under_a_key_takes_place_once() {
    let mut world = World::start().await;
    let token = world.server.admin_token().reveal().to_owned();
    let boss = world.boss().await;
    let alice = create(&mut world, &boss, "alice", "user").await;
    let once = json!({"changes": [{"user_id": alice, "add": {"coins": 5}}]});
    for _ in 0..3 {
        let answer = world.post(USAGE, once.clone()).header("idempotency-key", "purchase-1").bearer(&token).quietly();
        assert_eq!(answer.await.json()["data"]["items"][0]["coins"], json!(5));
    }
    world.note("another report under the key of an earlier one");
    let other = json!({"changes": [{"user_id": alice, "add": {"coins": 6}}]});
    world.post(USAGE, other.clone()).header("idempotency-key", "purchase-1").bearer(&token).await;
    assert_eq!(usage(&mut world, &boss, &alice).await["coins"], json!(5));
    world.note("a key is its caller's own");
    world.post(USAGE, other.clone()).header("idempotency-key", "purchase-1").bearer(&boss).quietly().await.is(200, 0);
    assert_eq!(usage(&mut world, &boss, &alice).await["coins"], json!(11));
    world.note("what was refused took no place under its key");
    let worse = json!({"changes": [{"user_id": alice, "add": {"photos": -1}}]});
    for _ in 0..2 {
        let asked = world.post(USAGE, worse.clone()).header("idempotency-key", "purchase-2").bearer(&token).quietly();
        asked.await.is(409, 40907);
    }
    world.post(USAGE, once.clone()).header("idempotency-key", "purchase-2").bearer(&token).quietly().await.is(200, 0);
    world.note("a day later the key is free");
    world.clock.advance(std::time::Duration::from_secs(24 * 3600 + 1));
    world.post(USAGE, other).header("idempotency-key", "purchase-1").bearer(&token).quietly().await.is(200, 0);
    assert_eq!(usage(&mut world, &token, &alice).await["coins"], json!(22));
    for key in ["", &"x".repeat(256)] {
        world.post(USAGE, once.clone()).header("idempotency-key", key).bearer(&token).await;
    }
    insta::assert_snapshot!(world.transcript());
    world.is_sound().await;
}

#[tokio::test]
async fn of_24_repetitions_at_once_one_takes_place() {
    let mut world = World::start().await;
    let token = world.server.admin_token().reveal().to_owned();
    let boss = world.boss().await;
    let alice = create(&mut world, &boss, "alice", "user").await;
    let body = json!({"changes": [{"user_id": alice, "add": {"coins": 5}}]});
    let asked = vec![(USAGE.to_owned(), body); 24];
    for answer in world.all_at_once_under(asked, &token, "purchase-1").await {
        answer.is(200, 0);
    }
    assert_eq!(usage(&mut world, &boss, &alice).await["coins"], json!(5));
}

#[tokio::test]
async fn nothing_is_lost_among_parallel_reports_and_changes_of_the_profile() {
    let mut world = World::start().await;
    let token = world.server.admin_token().reveal().to_owned();
    let boss = world.boss().await;
    let ids = [create(&mut world, &boss, "alice", "user").await, create(&mut world, &boss, "bob", "user").await];
    let alice = world.sign_in("alice", "secret123").await;
    let asked = (0..48).map(|nth| match nth % 4 {
        0 => {
            let body = if nth % 8 == 0 { json!({"bio": "about me"}) } else { json!({"phone": "13800000000"}) };
            (Method::PUT, "/sproutgate/api/auth/profile".to_owned(), alice.clone(), body)
        }
        // In either order, so that transactions meet.
        nth => {
            let mut changes: Vec<_> = ids.iter().map(|id| json!({"user_id": id, "add": {"photos": 1}})).collect();
            changes.rotate_left(nth % 2);
            (Method::POST, USAGE.to_owned(), token.clone(), json!({"changes": changes}))
        }
    });
    for answer in world.all_at_once_by(asked.collect()).await {
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    for id in &ids {
        assert_eq!(usage(&mut world, &boss, id).await["photos"], json!(36));
    }
    let user = world.get("/sproutgate/api/auth/me").bearer(&alice).quietly().await.json();
    assert_eq!((&user["user"]["bio"], &user["user"]["phone"]), (&json!("about me"), &json!("13800000000")));
}

#[tokio::test]
async fn refused() {
    let mut world = World::start().await;
    let boss = world.boss().await;
    let api_token = world.api_token(&boss).await;
    let alice_id = create(&mut world, &boss, "alice", "user").await;
    let alice = world.sign_in("alice", "secret123").await;
    let body = json!({"changes": [{"username": "alice", "add": {"photos": 1}}]});
    let shown = format!("/api/v1/admin/users/{alice_id}/usage");
    for (method, path) in [(Method::POST, USAGE), (Method::GET, shown.as_str())] {
        world.ask(method.clone(), path).json(body.clone()).await;
        for token in ["not-a-token", &alice, &api_token] {
            world.ask(method.clone(), path).json(body.clone()).bearer(token).await;
        }
        world.ask(Method::DELETE, path).bearer(&boss).await;
    }
    for id in ["01990000-0000-7000-8000-000000000000", "alice", "%ff"] {
        world.get(&format!("/api/v1/admin/users/{id}/usage")).bearer(&boss).quietly().await.is(404, 40400);
    }
    world.note("fields");
    for body in [
        json!({}),
        json!({"changes": []}),
        json!({"changes": "all"}),
        json!({"changes": [1]}),
        json!({"changes": [
            {},
            {"user_id": alice_id, "username": "alice", "add": {"photos": 1}},
            {"username": "alice", "add": {}},
            {"username": "alice", "add": 1, "set": {"photo": 1}},
            {"username": "alice", "add": {"photos": "1", "likes": 1.5, "coins": 9_007_199_254_740_992_i64}},
            {"username": "alice", "set": {"photos": -1, "storage_used": -1, "coins": null}},
        ]}),
    ] {
        world.post(USAGE, body).bearer(&boss).await;
    }
    let many = vec![json!({"username": "alice", "add": {"photos": 1}}); 51];
    world.post(USAGE, json!({"changes": many})).bearer(&boss).await;
    world.ask(Method::POST, USAGE).raw("application/json", "[").bearer(&boss).await;
    let fifty = vec![json!({"username": "alice", "add": {"photos": 1}}); 50];
    world.post(USAGE, json!({"changes": fifty})).bearer(&boss).quietly().await.is(200, 0);
    assert_eq!(usage(&mut world, &boss, &alice_id).await["photos"], json!(50));
    insta::assert_snapshot!(world.transcript());
}
