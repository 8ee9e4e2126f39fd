//! kite: what a signed-in person does to their own account.

use std::time::Duration;

use polygate_shared::identity::Account;
use reqwest::Method;
use serde_json::{Value, json};

use super::Trial;

#[tokio::test]
async fn kite_get_profile() {
    let mut trial = Trial::by_alice("kite_get_profile").await;
    trial.ask("by a session", Value::Null).await.is(200, 0);
    trial.world.note("by cookie");
    let cookie = format!("access_token={}", trial.bearer());
    trial.world.get("/kite/api/v1/profile").header("cookie", &cookie).await.is(200, 0);
    trial.token = Some(trial.world.api_token(&trial.bearer()).await);
    trial.ask("by a program", Value::Null).await.is(200, 0);
    trial.world.amend("alice", |account| Account { must_change_password: true, ..account }).await;
    trial.ask("by a program of who has to choose a password first", Value::Null).await.is(403, 40301);
    let without = |account| Account { must_change_password: false, second_factor_required: true, ..account };
    trial.world.amend("alice", without).await;
    trial.ask("by a program of who has to set up a second factor first", Value::Null).await.is(403, 40303);
    trial.token = Some(trial.world.sign_in("alice", "secret123").await);
    trial.ask("before the second factor is set up", Value::Null).await.is(200, 0);
    trial.token = Some(trial.world.sign_in("admin", "admin").await);
    trial.ask("before the password is chosen", Value::Null).await.is(200, 0);
    trial.refuses_strangers(&Value::Null).await;
    insta::assert_snapshot!(trial.told());
}

#[tokio::test]
async fn kite_put_profile() {
    let mut trial = Trial::by_alice("kite_put_profile").await;
    let good = json!({
        "nickname": "Alice Liu", "email": "alice@new.example.com", "avatar_url": "https://example.com/a.png",
    });
    trial.ask("all of it", good.clone()).await.is(200, 0);
    trial.ask("\"\" clears", json!({"nickname": "", "avatar_url": ""})).await.is(200, 0);
    trial.world.register("bob", "secret123").await;
    trial.ask("another's address", json!({"email": "BOB@example.com"})).await.is(409, 40900);
    trial
        .ask("too long", json!({"nickname": "x".repeat(33), "avatar_url": format!("https://e.co/{}", "x".repeat(500))}))
        .await;
    trial.ask("not an address, of either kind", json!({"email": "nowhere", "avatar_url": "ftp://e.co"})).await;
    trial.refuses_bodies(&good).await;
    trial.refuses_strangers(&good).await;
    trial.refuses_newcomers(&good).await;
    trial.refuses_programs(&json!({"email": "new@example.com"})).await;
    let session = trial.bearer();
    trial.token = Some(trial.world.api_token(&session).await);
    trial.ask("what a program may", json!({"nickname": "Al"})).await.is(200, 0);
    trial.token = Some(trial.world.register_proved("demo").await);
    trial.ask("a proved address changes by a code", json!({"email": "new@example.com"})).await.is(200, 0);
    trial.ask("one mail a minute", json!({"email": "new@example.com"})).await.is(429, 42900);
    let cookie = format!("access_token={session}");
    trial.world.note("a page of another origin");
    let page = trial.world.put("/kite/api/v1/profile", json!({"nickname": "Al"})).header("cookie", &cookie);
    page.header("origin", "https://evil.example").await.is(403, 40300);
    insta::assert_snapshot!(trial.told());
}

#[tokio::test]
async fn kite_post_auth_change_password() {
    let mut trial = Trial::by_alice("kite_post_auth_change_password").await;
    let change = |old: &str, new: &str| json!({"old_password": old, "new_password": new});
    trial.ask("wrong", change("secret124", "stronger-pass")).await.is(400, 40010);
    trial.ask("too short", change("secret123", "short")).await.is(400, 40000);
    trial.ask("too long", change("secret123", &"x".repeat(65))).await.is(400, 40000);
    trial.ask("right", change("secret123", "stronger-pass")).await.is(200, 0);
    let spelled = json!({"current_password": "stronger-pass", "new_password": "stronger-still"});
    trial.ask("as the upstream spells it", spelled).await.is(200, 0);
    trial.guesses_at_the_password(change("wrong-pass", "another-pass")).await.is(429, 42900);
    trial.world.clock.advance(Duration::from_secs(1));
    let good = change("stronger-still", "another-pass");
    trial.refuses_bodies(&good).await;
    trial.refuses_strangers(&good).await;
    trial.refuses_who_has_to_choose(&good).await;
    trial.refuses_programs(&good).await;
    insta::assert_snapshot!(trial.told());
}

#[tokio::test]
async fn kite_post_auth_first_login_reset() {
    let mut trial = Trial::of("kite_post_auth_first_login_reset").await;
    trial.world.register("alice", "secret123").await;
    let good = json!({"username": "real-admin", "email": "admin@your-domain.com", "password": "strong-new-password"});
    trial.token = Some(trial.world.sign_in("admin", "admin").await);
    let taken = json!({"username": "ALICE", "email": "admin@your-domain.com", "password": "strong-new-password"});
    trial.ask("name taken", taken).await.is(409, 40900);
    let taken = json!({"username": "real-admin", "email": "alice@example.com", "password": "strong-new-password"});
    trial.ask("address taken", taken).await.is(409, 40900);
    trial.ask("too short", json!({"username": "ab", "email": "x", "password": "short"})).await.is(400, 40000);
    trial.refuses_bodies(&good).await;
    let first = trial.bearer();
    let reset = trial.ask("chosen", good.clone()).await;
    reset.is(200, 0);
    trial.ask("the session of before", good.clone()).await.is(401, 40102);
    trial.token = Some(reset.text("/data/access_token"));
    let again = json!({"new_username": "boss", "new_email": "boss@example.com", "new_password": "strong-new-password"});
    trial.ask("once", again).await.is(403, 40300);
    assert_ne!(first, trial.bearer());
    trial.refuses_strangers(&good).await;
    trial.refuses_programs(&good).await;
    insta::assert_snapshot!(trial.told());
}

#[tokio::test]
async fn kite_get_tokens() {
    let mut trial = Trial::by_alice("kite_get_tokens").await;
    trial.ask("none", Value::Null).await.is(200, 0);
    trial.world.api_token(&trial.bearer()).await;
    trial.ask("one", Value::Null).await.is(200, 0);
    trial.refuses_strangers(&Value::Null).await;
    trial.refuses_newcomers(&Value::Null).await;
    trial.refuses_programs(&Value::Null).await;
    insta::assert_snapshot!(trial.told());
}

#[tokio::test]
async fn kite_post_tokens() {
    let mut trial = Trial::by_alice("kite_post_tokens").await;
    let good = json!({"name": "backup", "expires_in": 30});
    trial.ask("for 30 days", good.clone()).await.is(201, 0);
    trial.ask("for ever", json!({"name": "for ever"})).await.is(201, 0);
    trial.ask("out of range", json!({"name": "", "expires_in": -1})).await.is(400, 40000);
    trial.ask("too long", json!({"name": "x".repeat(101), "expires_in": 3651})).await.is(400, 40000);
    trial.refuses_bodies(&good).await;
    trial.refuses_strangers(&good).await;
    trial.refuses_newcomers(&good).await;
    trial.refuses_programs(&good).await;
    for _ in 0..48 {
        trial.world.api_token(&trial.bearer()).await;
    }
    trial.ask("fifty are enough", good).await.is(409, 40902);
    insta::assert_snapshot!(trial.told());
}

#[tokio::test]
async fn kite_delete_token() {
    let mut trial = Trial::by_alice("kite_delete_token").await;
    let own = trial.bearer();
    let made = trial.world.post("/kite/api/v1/tokens", json!({"name": "backup"})).bearer(&own).quietly().await;
    trial.path = format!("/kite/api/v1/tokens/{}", made.text("/data/id"));
    trial.refuses_strangers(&Value::Null).await;
    trial.refuses_newcomers(&Value::Null).await;
    trial.refuses_programs(&Value::Null).await;
    trial.world.register("bob", "secret123").await;
    trial.token = Some(trial.world.sign_in("bob", "secret123").await);
    trial.ask("another's", Value::Null).await.is(404, 40400);
    trial.token = Some(own);
    trial.ask("revoked", Value::Null).await.is(200, 0);
    trial.world.get("/kite/api/v1/profile").bearer(&made.text("/data/token")).await.is(401, 40102);
    trial.ask("once", Value::Null).await.is(404, 40400);
    trial.path = "/kite/api/v1/tokens/nothing".to_owned();
    trial.ask("no id", Value::Null).await.is(404, 40400);
    insta::assert_snapshot!(trial.told());
}

#[tokio::test]
async fn kite_post_auth_email_change_request() {
    let mut trial = Trial::by_alice("kite_post_auth_email_change_request").await;
    let good = json!({"new_email": "new@example.com"});
    trial.ask("a code goes there", good.clone()).await.is(200, 0);
    trial.ask("one mail a minute", good.clone()).await.is(429, 42900);
    trial.ask("not an address", json!({"new_email": "nowhere"})).await.is(400, 40000);
    trial.world.register_proved("owner").await;
    trial.world.clock.advance(Duration::from_secs(60));
    trial.ask("another's: the same answer", json!({"new_email": "owner@example.com"})).await.is(200, 0);
    trial.refuses_bodies(&good).await;
    trial.refuses_strangers(&good).await;
    trial.refuses_newcomers(&good).await;
    trial.refuses_programs(&good).await;
    let named = json!({"username": "eve@example.com", "email": "eve@example.com", "password": "secret123"});
    trial.world.post("/kite/api/v1/auth/register", named).quietly().await.is(201, 0);
    trial.token = Some(trial.world.sign_in("eve@example.com", "secret123").await);
    trial.ask("the present address is the name too", good).await.is(409, 40904);
    insta::assert_snapshot!(trial.told());
}

#[tokio::test]
async fn kite_post_auth_email_change_confirm() {
    let mut trial = Trial::by_alice("kite_post_auth_email_change_confirm").await;
    let request = "/kite/api/v1/auth/email-change/request";
    let own = trial.bearer();
    trial.world.post(request, json!({"new_email": "new@example.com"})).bearer(&own).quietly().await.is(200, 0);
    let code = trial.world.code_for("new@example.com");
    let proof = |email: &str, code: &str| json!({"new_email": email, "code": code});
    trial.ask("wrong code", proof("new@example.com", "000000")).await.is(400, 40001);
    trial.ask("not an address", proof("nowhere", &code)).await.is(400, 40000);
    trial.ask("right", proof("new@example.com", &code)).await.is(200, 0);
    trial.world.note("proved by somebody else meanwhile");
    let ask = trial.world.ask(Method::POST, request).json(json!({"new_email": "late@example.com"}));
    ask.bearer(&own).quietly().await.is(200, 0);
    let late = trial.world.code_for("late@example.com");
    trial.world.clock.advance(Duration::from_secs(60));
    trial.world.register_proved("late").await;
    trial.ask("taken", proof("late@example.com", &late)).await.is(409, 40900);
    let good = proof("new@example.com", "000000");
    trial.refuses_bodies(&good).await;
    trial.refuses_strangers(&good).await;
    trial.refuses_newcomers(&good).await;
    trial.refuses_programs(&good).await;
    trial.guesses_at_the_code(good).await;
    insta::assert_snapshot!(trial.told());
}
