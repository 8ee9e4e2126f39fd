//! kite: another primary address, and a forgotten password.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::World;

const REQUEST: &str = "/api/v1/auth/email-change/request";
const CONFIRM: &str = "/api/v1/auth/email-change/confirm";
const FORGOT: &str = "/api/v1/auth/password-reset/request";
const RESET: &str = "/api/v1/auth/password-reset/confirm";

fn confirmation(email: &str, code: &str) -> Value {
    json!({"new_email": email, "code": code})
}

#[tokio::test]
async fn a_proved_address_changes_by_a_code() {
    let mut world = World::start().await;
    let token = world.register_proved("alice").await;
    world.put("/api/v1/profile", json!({"email": "New@example.com", "nickname": "Al"})).bearer(&token).await;
    let code = world.code_for("New@example.com");
    world.note("until then nothing has changed");
    world.get("/api/v1/profile").bearer(&token).await;
    world.note("not by another code, and not to another address");
    world.post(CONFIRM, confirmation("new@example.com", "000000")).bearer(&token).await;
    world.post(CONFIRM, confirmation("other@example.com", &code)).bearer(&token).await;
    world.post(CONFIRM, confirmation("new@example.com", &code)).bearer(&token).await;
    world.note("the same request again, as after a lost answer");
    world.post(CONFIRM, confirmation("new@example.com", &code)).bearer(&token).await;
    world.note("the old address is free again, the new one proved");
    world.register("other", "secret123").await;
    let other = world.sign_in("other", "secret123").await;
    world.put("/api/v1/profile", json!({"email": "alice@example.com"})).bearer(&other).await;
    world.put("/api/v1/profile", json!({"email": "new@example.com"})).bearer(&other).await;
    world.sign_in("new@example.com", "demo123").await;
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn asked_for_by_itself() {
    let mut world = World::start().await;
    let token = world.register_proved("alice").await;
    world.post(REQUEST, json!({"new_email": "new@example.com"})).bearer(&token).await;
    let code = world.code_for("new@example.com");
    world.post(CONFIRM, confirmation("new@example.com", &code)).bearer(&token).await;
    world.note("to a further address of the account, which then is no longer one of those");
    world.add_email(&token, "second@example.com").await;
    world.post(REQUEST, json!({"new_email": "second@example.com"})).bearer(&token).quietly().await;
    let code = world.code_for("second@example.com");
    world.post(CONFIRM, confirmation("second@example.com", &code)).bearer(&token).await;
    world.get("/sproutgate/api/auth/me").bearer(&token).await;
    world.note("refused");
    world.post(REQUEST, json!({"new_email": "third@example.com"})).await;
    world.post(REQUEST, json!({"new_email": "third"})).bearer(&token).await;
    world.post(REQUEST, json!({"new_email": "second@example.com"})).bearer(&token).await;
    world.post(CONFIRM, json!({})).await;
    world.post(CONFIRM, json!({})).bearer(&token).await;
    insta::assert_snapshot!(world.transcript());
    let mails = world.server.mails();
    let carries_it = |mail: &&polygate::LocalMail| mail.to == ["second@example.com"] && mail.subject.ends_with(&code);
    let mail = mails.iter().find(carries_it).expect("a mail");
    insta::assert_snapshot!("a_code_to_change_the_address", mail.text.replace(&code, "[code]"));
}

#[tokio::test]
async fn to_an_address_of_another_account() {
    let mut world = World::start().await;
    world.register_proved("owner").await;
    let token = world.register_proved("alice").await;
    world.clock.advance(Duration::from_secs(60));
    world.note("proved: the same answer, and its owner is told");
    world.put("/api/v1/profile", json!({"email": "owner@example.com"})).bearer(&token).await;
    assert_eq!(
        world.mails_to("owner@example.com").last().map(String::as_str),
        Some("Your address stays with your account")
    );
    world.post(CONFIRM, confirmation("owner@example.com", "000000")).bearer(&token).await;
    world.note("not proved: it yields");
    world.register("squatter", "secret123").await;
    let squatting = world.sign_in("squatter", "secret123").await;
    world.post(REQUEST, json!({"new_email": "squatter@example.com"})).bearer(&token).await;
    let code = world.code_for("squatter@example.com");
    world.post(CONFIRM, confirmation("squatter@example.com", &code)).bearer(&token).await;
    world.get("/api/v1/profile").bearer(&squatting).await;
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn parallel_confirmations_of_one_code_all_succeed() {
    let mut world = World::start().await;
    let token = world.register_proved("alice").await;
    world.post(REQUEST, json!({"new_email": "new@example.com"})).bearer(&token).quietly().await;
    let proof = confirmation("new@example.com", &world.code_for("new@example.com"));
    for answer in world.all_at_once_as(vec![(CONFIRM.to_owned(), proof, token.clone()); 5]).await {
        assert_eq!((answer.status.as_u16(), answer.text("/data/email")), (200, "new@example.com".to_owned()));
    }
    world.register("alice2", "secret123").await;
}

#[tokio::test]
async fn of_two_accounts_that_change_to_one_address_at_once_one_wins() {
    let mut world = World::start().await;
    let mut asked = Vec::new();
    for name in ["anna", "berta"] {
        let token = world.register_proved(name).await;
        world.post(REQUEST, json!({"new_email": "both@example.com"})).bearer(&token).quietly().await;
        asked.push((CONFIRM.to_owned(), confirmation("both@example.com", &world.code_for("both@example.com")), token));
        world.clock.advance(Duration::from_secs(60));
    }
    let answers = world.all_at_once_as(asked).await;
    let mut statuses: Vec<_> = answers.iter().map(|answer| answer.status.as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409], "{answers:?}");
}

#[tokio::test]
async fn a_forgotten_password_by_name_or_address() {
    let mut world = World::start().await;
    world.register("alice", "secret123").await;
    let before = world.sign_in("alice", "secret123").await;
    world.post(FORGOT, json!({"identifier": "Alice"})).await;
    let code = world.code_for("alice@example.com");
    world.note("the same words where there is nothing to reset");
    world.post(FORGOT, json!({"identifier": "nobody"})).await;
    world.post(FORGOT, json!({"identifier": "nobody@example.com"})).await;
    assert_eq!(world.server.mails().len(), 1);
    world.note("refused");
    world.post(FORGOT, json!({})).await;
    world.post(RESET, json!({})).await;
    let reset = |identifier: &str, code: &str, password: &str| json!({"identifier": identifier, "code": code, "new_password": password});
    world.post(RESET, reset("nobody", &code, "stronger-pass")).await;
    world.post(RESET, reset("alice", "000000", "stronger-pass")).await;
    world.post(RESET, reset("alice", &code, "short")).await;
    world.note("by the address, though asked for by the name");
    world.post(RESET, reset("alice@EXAMPLE.com", &code, "stronger-pass")).await;
    world.note("every session ended");
    world.get("/api/v1/profile").bearer(&before).await;
    world.note("asked again after a lost answer; and again with another password, which is a replay");
    world.post(RESET, reset("alice", &code, "stronger-pass")).await;
    world.post(RESET, reset("alice", &code, "another-pass")).await;
    world.sign_in("alice", "stronger-pass").await;
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn a_reset_code_goes_to_the_address_that_was_named_and_is_dead_once_that_is_given_up() {
    let mut world = World::start().await;
    let token = world.register_proved("alice").await;
    world.add_email(&token, "second@example.com").await;
    world.post(FORGOT, json!({"identifier": "second@example.com"})).quietly().await;
    world.post(FORGOT, json!({"identifier": "alice"})).quietly().await;
    assert_eq!(
        world.mails_to("second@example.com").last().map(|subject| &subject[..24]),
        Some("Your password reset code")
    );
    let old = world.code_for("alice@example.com");
    world.post(REQUEST, json!({"new_email": "new@example.com"})).bearer(&token).quietly().await;
    let code = world.code_for("new@example.com");
    let changed = world.post(CONFIRM, confirmation("new@example.com", &code)).bearer(&token).quietly().await;
    assert_eq!(changed.status, 200, "{}", changed.body);
    let reset = |code: &str| json!({"identifier": "alice", "code": code, "new_password": "stronger-pass"});
    let refused = world.post(RESET, reset(&old)).quietly().await;
    assert_eq!(refused.json()["code"], json!(40001), "{}", refused.body);
    let done = world.post(RESET, reset(&world.code_for("second@example.com"))).quietly().await;
    assert_eq!(done.status, 200, "{}", done.body);
}
