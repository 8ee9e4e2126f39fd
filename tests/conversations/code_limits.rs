//! Guesses at mailed codes, beyond the five that a code bears, and how many addresses one account may have mailed.

use std::time::Duration;

use serde_json::{Value, json};

use crate::rows::brief;
use crate::support::World;

const FORGOT: &str = "/api/v1/auth/password-reset/request";
const RESET: &str = "/api/v1/auth/password-reset/confirm";

fn reset(identifier: &str, code: &str) -> Value {
    json!({"identifier": identifier, "code": code, "new_password": "stronger-pass"})
}

/// A fresh code for alice, whose earlier one has borne its guesses.
async fn another_code(world: &mut World) -> String {
    world.clock.advance(Duration::from_secs(60));
    world.post(FORGOT, json!({"identifier": "alice@example.com"})).quietly().await.is(200, 0);
    world.code_for("alice@example.com")
}

async fn guess(world: &mut World, identifier: &str, times: usize) {
    for _ in 0..times {
        world.post(RESET, reset(identifier, "000000")).quietly().await.is(400, 40001);
    }
}

#[tokio::test]
async fn after_ten_wrong_ones_each_waits_and_a_right_one_clears_them() {
    let mut world = World::start().await;
    world.register("alice", "secret123").await;
    another_code(&mut world).await;
    guess(&mut world, "alice", 5).await;
    let code = another_code(&mut world).await;
    guess(&mut world, "alice@example.com", 5).await;
    world.note("whatever is sent, by whatever name");
    world.post(RESET, reset("alice", "000000")).await.is(429, 42900);
    world.post(RESET, reset("alice@example.com", &code)).await.is(429, 42900);
    world.note("a minute later the next code works");
    let code = another_code(&mut world).await;
    world.post(RESET, reset("alice", &code)).await.is(200, 0);
    world.note("and ten are free again");
    another_code(&mut world).await;
    guess(&mut world, "alice", 10).await;
    world.post(RESET, reset("alice", "000000")).await.is(429, 42900);
    insta::assert_snapshot!(brief(world.transcript()));
}

#[tokio::test]
async fn nobody_waits_longer_than_half_a_codes_life() {
    let mut world = World::start().await;
    world.register("alice", "secret123").await;
    guess(&mut world, "alice", 10).await;
    let mut waits = Vec::new();
    for _ in 0..5 {
        let refused = world.post(RESET, reset("alice", "000000")).quietly().await;
        let wait = refused.headers["retry-after"].to_str().expect("text").parse().expect("seconds");
        waits.push(wait);
        world.clock.advance(Duration::from_secs(wait));
        guess(&mut world, "alice", 1).await;
    }
    assert_eq!(waits, [60, 120, 240, 300, 300]);
}

#[tokio::test]
async fn names_that_nobody_has_wait_alike() {
    let mut world = World::start().await;
    world.register("alice", "secret123").await;
    let mut told = Vec::new();
    for name in ["alice", "nobody", "nobody@example.com"] {
        let mut answers = Vec::new();
        for _ in 0..11 {
            let answer = world.post(RESET, reset(name, "000000")).quietly().await;
            answers.push((answer.status, answer.headers.get("retry-after").cloned(), answer.body));
        }
        told.push(answers);
    }
    assert_eq!(told[0].last().map(|(status, ..)| status.as_u16()), Some(429));
    assert!(told.iter().all(|answers| *answers == told[0]), "{told:?}");
}

#[tokio::test]
async fn an_account_has_twenty_addresses_mailed_and_then_waits() {
    let mut world = World::start().await;
    world.register("alice", "secret123").await;
    let alice = world.sign_in("alice", "secret123").await;
    let emails = "/api/v1/emails";
    for nth in 0..20 {
        let asked = json!({"email": format!("stranger{nth}@example.com")});
        world.post(emails, asked).bearer(&alice).quietly().await.is(200, 0);
    }
    let more = json!({"email": "one-more@example.com"});
    world.post(emails, more.clone()).bearer(&alice).await.is(429, 42900);
    let primary = json!({"new_email": "one-more@example.com"});
    world.post("/api/v1/auth/email-change/request", primary).bearer(&alice).await.is(429, 42900);
    assert!(world.mails_to("one-more@example.com").is_empty());
    world.note("its own address is mailed all the same");
    world.post(emails, json!({"email": "alice@example.com"})).bearer(&alice).await.is(200, 0);
    world.note("an hour later");
    world.clock.advance(Duration::from_secs(3600));
    world.post(emails, more).bearer(&alice).await.is(200, 0);
    insta::assert_snapshot!(brief(world.transcript()));
}
