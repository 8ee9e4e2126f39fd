//! kite: signing in, registering, refreshing, signing out, and a forgotten password.

use std::time::Duration;

use polygate_shared::identity::Account;
use reqwest::Method;
use serde_json::{Value, json};

use super::Trial;

fn login(username: &str, password: &str) -> Value {
    json!({"username": username, "password": password})
}

#[tokio::test]
async fn kite_post_auth_login() {
    let mut trial = Trial::of("kite_post_auth_login").await;
    trial.world.register("alice", "secret123").await;
    trial.ask("by name", login("Alice", "secret123")).await.is(200, 0);
    trial.ask("by address", login("ALICE@example.com", "secret123")).await.is(200, 0);
    trial.ask("an administrator who has to choose a password", login("admin", "admin")).await.is(200, 0);
    trial.ask("wrong password", login("alice", "secret124")).await.is(401, 40100);
    trial.ask("nobody of that name", login("nobody", "secret123")).await.is(401, 40100);
    trial.world.amend("alice", |account| Account { active: false, ..account }).await;
    trial.ask("disabled, told to who knows the password", login("alice", "secret123")).await.is(401, 40100);
    trial.ask("and to nobody else", login("alice", "secret124")).await.is(401, 40100);
    trial.refuses_bodies(&login("alice", "secret123")).await;
    insta::assert_snapshot!(trial.told());
}

fn registration(username: &str, email: &str) -> Value {
    json!({"username": username, "email": email, "password": "strong-pass"})
}

#[tokio::test]
async fn kite_post_auth_register() {
    let mut trial = Trial::of("kite_post_auth_register").await;
    trial.ask("free", registration("Bob", "bob@example.com")).await.is(201, 0);
    trial.ask("name taken", registration("bOB", "bob2@example.com")).await.is(409, 40900);
    trial.ask("address taken", registration("bob2", "BOB@example.com")).await.is(409, 40900);
    trial.ask("reserved", registration("ADMIN", "bob2@example.com")).await.is(409, 40900);
    let short = json!({"username": "ab", "email": "nowhere", "password": "12345"});
    trial.ask("too short", short).await.is(400, 40000);
    let long = json!({"username": "x".repeat(33), "email": "", "password": "x".repeat(65)});
    trial.ask("too long", long).await.is(400, 40000);
    trial.ask("another's address for a name", registration("eve@example.com", "bob2@example.com")).await.is(400, 40000);
    trial.refuses_bodies(&registration("carl", "carl@example.com")).await;
    insta::assert_snapshot!(trial.told());
    let mut closed =
        Trial::with("kite_post_auth_register", |options| options.with("ALLOW_REGISTRATION", "false")).await;
    closed.ask("closed", registration("Bob", "bob@example.com")).await.is(403, 40300);
    insta::assert_snapshot!("kite_post_auth_register_closed", closed.told());
}

#[tokio::test]
async fn kite_post_auth_refresh() {
    let mut trial = Trial::of("kite_post_auth_refresh").await;
    trial.world.register("alice", "secret123").await;
    let path = "/kite/api/v1/auth/login";
    let first = trial.world.post(path, login("alice", "secret123")).quietly().await.text("/data/refresh_token");
    let refresh = |token: &str| json!({"refresh_token": token});
    let second = trial.ask("a wholly new pair", refresh(&first)).await.text("/data/refresh_token");
    assert_ne!(first, second);
    let cookie = format!("refresh_token={second}");
    trial.world.note("by cookie");
    let by_cookie = trial.world.ask(Method::POST, &trial.path.clone()).header("cookie", &cookie).await;
    by_cookie.is(200, 0);
    trial.ask("not a token of ours", refresh("pgr_nothing")).await.is(401, 40101);
    trial.ask("empty", refresh("")).await.is(400, 40000);
    trial.world.clock.advance(Duration::from_secs(11));
    trial.ask("used long ago: somebody has a copy", refresh(&first)).await.is(401, 40102);
    trial.ask("so the session is over", refresh(&by_cookie.text("/data/refresh_token"))).await.is(401, 40102);
    let last = trial.world.post(path, login("alice", "secret123")).quietly().await.text("/data/refresh_token");
    trial.world.amend("alice", |account| Account { active: false, ..account }).await;
    trial.ask("disabled", refresh(&last)).await.is(401, 40102);
    trial.world.amend("alice", |account| Account { active: true, must_change_password: true, ..account }).await;
    trial.ask("who has to choose a password first", refresh(&last)).await.is(403, 40301);
    trial.world.clock.advance(Duration::from_secs(7 * 24 * 3600));
    trial.ask("unused for seven days", refresh(&last)).await;
    trial.refuses_bodies(&refresh(&last)).await;
    insta::assert_snapshot!(trial.told());
}

#[tokio::test]
async fn kite_post_auth_logout() {
    let mut trial = Trial::by_alice("kite_post_auth_logout").await;
    trial.ask("over at once", Value::Null).await.is(200, 0);
    trial.ask("once", Value::Null).await.is(401, 40102);
    trial.token = Some(trial.world.sign_in("admin", "admin").await);
    trial.ask("also before the password is chosen", Value::Null).await.is(200, 0);
    trial.refuses_strangers(&Value::Null).await;
    trial.refuses_programs(&Value::Null).await;
    insta::assert_snapshot!(trial.told());
}

#[tokio::test]
async fn kite_get_auth_options() {
    let mut trial = Trial::of("kite_get_auth_options").await;
    trial.ask("open", Value::Null).await.is(200, 0);
    insta::assert_snapshot!(trial.told());
    let mut closed = Trial::with("kite_get_auth_options", |options| options.with("ALLOW_REGISTRATION", "false")).await;
    let answer = closed.ask("closed", Value::Null).await;
    assert_eq!(answer.json()["data"]["allow_registration"], json!(false), "{}", answer.body);
}

#[tokio::test]
async fn kite_get_health() {
    let mut trial = Trial::of("kite_get_health").await;
    trial.ask("well", Value::Null).await.is(200, 0);
    insta::assert_snapshot!(trial.told());
}

#[tokio::test]
async fn kite_post_auth_password_reset_request() {
    let mut trial = Trial::of("kite_post_auth_password_reset_request").await;
    trial.world.register("alice", "secret123").await;
    let known = trial.ask("known", json!({"identifier": "alice"})).await;
    let unknown = trial.ask("unknown: the same answer", json!({"identifier": "nobody"})).await;
    assert_eq!((known.status, known.body), (unknown.status, unknown.body));
    trial.ask("twice in a minute: the same answer, and no mail", json!({"identifier": "alice"})).await.is(200, 0);
    assert_eq!(trial.world.mails_to("alice@example.com").len(), 1);
    trial.refuses_bodies(&json!({"identifier": "alice"})).await;
    insta::assert_snapshot!(trial.told());
}

#[tokio::test]
async fn kite_post_auth_password_reset_confirm() {
    let mut trial = Trial::of("kite_post_auth_password_reset_confirm").await;
    trial.world.register("alice", "secret123").await;
    let request = "/kite/api/v1/auth/password-reset/request";
    trial.world.post(request, json!({"identifier": "alice"})).quietly().await;
    let code = trial.world.code_for("alice@example.com");
    let proof = |identifier: &str, code: &str, password: &str| json!({"identifier": identifier, "code": code, "new_password": password});
    trial.ask("wrong code", proof("alice", "000000", "stronger-pass")).await.is(400, 40001);
    trial.ask("nobody's", proof("nobody", &code, "stronger-pass")).await.is(400, 40001);
    trial.ask("too short", proof("alice", &code, "short")).await.is(400, 40000);
    trial.ask("too long", proof("alice", &code, &"x".repeat(65))).await.is(400, 40000);
    trial.ask("right", proof("alice", &code, "stronger-pass")).await.is(200, 0);
    trial.ask("used up", proof("alice", &code, "another-pass")).await.is(400, 40001);
    trial.world.sign_in("alice", "stronger-pass").await;
    trial.world.clock.advance(Duration::from_secs(60));
    trial.world.post(request, json!({"identifier": "alice"})).quietly().await;
    let late = trial.world.code_for("alice@example.com");
    trial.world.clock.advance(Duration::from_secs(600));
    trial.ask("expired", proof("alice", &late, "another-pass")).await.is(400, 40001);
    trial.refuses_bodies(&proof("alice", "000000", "stronger-pass")).await;
    trial.guesses_at_the_code(proof("alice", "000000", "stronger-pass")).await;
    insta::assert_snapshot!(trial.told());
}
