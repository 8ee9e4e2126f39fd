//! sproutgate: everything but the administrator's side.

use std::time::Duration;

use polygate_shared::identity::Account;
use serde_json::{Value, json};

use super::Trial;

#[tokio::test]
async fn sproutgate_post_login() {
    let mut trial = Trial::of("sproutgate_post_login").await;
    trial.world.register("demo", "demo123").await;
    let login = |account: &str, password: &str| json!({"account": account, "password": password});
    trial.ask("by name", login("DEMO", "demo123")).await.has(200);
    trial.ask("by address", login("demo@EXAMPLE.com", "demo123")).await.has(200);
    trial.ask("wrong password", login("demo", "demo124")).await.has(401);
    trial.ask("nobody of that name", login("nobody", "demo123")).await.has(401);
    trial.world.amend("demo", |account| Account { active: false, ..account }).await;
    trial.ask("disabled, told to who knows the password", login("demo", "demo123")).await.has(403);
    trial.ask("and to nobody else", login("demo", "demo124")).await.has(401);
    trial.refuses_bodies(&login("demo", "demo123")).await;
    insta::assert_snapshot!(trial.told());
}

#[tokio::test]
async fn sproutgate_post_verify() {
    let mut trial = Trial::by_alice("sproutgate_post_verify").await;
    let token = trial.token.take().expect("alice");
    trial.ask("good", json!({"token": token})).await.has(200);
    let program = trial.world.api_token(&token).await;
    trial.ask("a program's", json!({"token": program})).await.has(200);
    trial.ask("not a token", json!({"token": "jwt-token"})).await.has(401);
    trial.ask("empty", json!({"token": ""})).await.has(400);
    let first = trial.world.sign_in("admin", "admin").await;
    trial.ask("of who has to choose a password first", json!({"token": first})).await.has(403);
    trial.world.ask(reqwest::Method::POST, "/kite/api/v1/auth/logout").bearer(&token).quietly().await.has(200);
    trial.ask("signed out", json!({"token": token})).await.has(401);
    trial.refuses_bodies(&json!({"token": "jwt-token"})).await;
    insta::assert_snapshot!(trial.told());
}

#[tokio::test]
async fn sproutgate_get_verify() {
    let mut trial = Trial::by_alice("sproutgate_get_verify").await;
    trial.ask("good", Value::Null).await.has(200);
    trial.refuses_strangers(&Value::Null).await;
    trial.refuses_newcomers(&Value::Null).await;
    insta::assert_snapshot!(trial.told());
}

#[tokio::test]
async fn sproutgate_get_me() {
    let mut trial = Trial::by_alice("sproutgate_get_me").await;
    trial.ask("by a session", Value::Null).await.has(200);
    trial.token = Some(trial.world.api_token(&trial.bearer()).await);
    trial.ask("by a program", Value::Null).await.has(200);
    trial.refuses_strangers(&Value::Null).await;
    trial.refuses_newcomers(&Value::Null).await;
    insta::assert_snapshot!(trial.told());
}

#[tokio::test]
async fn sproutgate_put_profile() {
    let mut trial = Trial::by_alice("sproutgate_put_profile").await;
    let good = json!({
        "password": "newpass", "username": "新昵称", "phone": "13800000000", "avatarUrl": "https://example.com/avatar.png",
        "bio": "### 新简介",
    });
    trial.ask("all of it", good.clone()).await.has(200);
    trial.world.sign_in("alice", "newpass").await;
    trial.ask("nothing", json!({})).await.has(200);
    let wrong = json!({
        "password": "short", "username": "x".repeat(65), "phone": "1".repeat(33), "avatarUrl": "javascript:alert(1)",
        "bio": "x".repeat(4097),
    });
    trial.ask("out of range", wrong).await.has(400);
    trial.refuses_bodies(&good).await;
    trial.refuses_strangers(&good).await;
    trial.refuses_newcomers(&good).await;
    trial.refuses_programs(&good).await;
    trial.token = Some(trial.world.api_token(&trial.bearer()).await);
    trial.ask("what a program may", json!({"phone": "138"})).await.has(200);
    insta::assert_snapshot!(trial.told());
}

fn registration(account: &str, email: &str) -> Value {
    json!({"account": account, "password": "demo123", "username": "示例用户", "email": email})
}

#[tokio::test]
async fn sproutgate_post_register() {
    let mut trial = Trial::of("sproutgate_post_register").await;
    let free = trial.ask("a code is mailed", registration("demo", "demo@example.com")).await;
    free.has(200);
    trial.ask("one mail a minute", registration("demo", "demo@example.com")).await.has(429);
    trial.world.register_proved("owner").await;
    trial.ask("name taken", registration("OWNER", "other@example.com")).await.has(409);
    trial.world.clock.advance(Duration::from_secs(60));
    trial.ask("an address with an owner: the same answer", registration("other", "owner@example.com")).await.has(200);
    let subjects = trial.world.mails_to("owner@example.com");
    assert_eq!(subjects.last().map(String::as_str), Some("您已有账号"));
    let short = json!({"account": "ab", "password": "short", "username": "x".repeat(65), "email": "nowhere"});
    trial.ask("out of range", short).await.has(400);
    trial.ask("too long", json!({"account": "x".repeat(33), "password": "x".repeat(129), "email": ""})).await.has(400);
    trial.refuses_bodies(&registration("other", "other@example.com")).await;
    insta::assert_snapshot!(trial.told());
    let mut closed =
        Trial::with("sproutgate_post_register", |options| options.with("ALLOW_REGISTRATION", "false")).await;
    closed.ask("closed", registration("demo", "demo@example.com")).await.has(403);
    insta::assert_snapshot!("sproutgate_post_register_closed", closed.told());
}

#[tokio::test]
async fn sproutgate_post_verify_email() {
    let mut trial = Trial::of("sproutgate_post_verify_email").await;
    let register = "/sproutgate/api/auth/register";
    trial.world.post(register, registration("demo", "demo@example.com")).quietly().await.has(200);
    let code = trial.world.code_for("demo@example.com");
    let proof = |account: &str, code: &str| json!({"account": account, "code": code});
    trial.ask("wrong code", proof("demo", "000000")).await.has(400);
    trial.ask("nobody's", proof("nobody", &code)).await.has(400);
    trial.ask("right", proof("demo", &code)).await.has(200);
    trial.ask("again, as after a lost answer", proof("demo", &code)).await.has(200);
    trial.world.post(register, registration("late", "late@example.com")).quietly().await.has(200);
    let late = trial.world.code_for("late@example.com");
    trial.world.register("late", "secret123").await;
    trial.ask("the name was taken meanwhile", proof("late", &late)).await.has(409);
    trial.world.post(register, registration("slow", "slow@example.com")).quietly().await.has(200);
    let slow = trial.world.code_for("slow@example.com");
    trial.world.clock.advance(Duration::from_secs(600));
    trial.ask("expired", proof("slow", &slow)).await.has(400);
    trial.refuses_bodies(&proof("demo", "000000")).await;
    trial.guesses_at_the_code(proof("demo", "000000")).await;
    insta::assert_snapshot!(trial.told());
}

#[tokio::test]
async fn sproutgate_post_forgot_password() {
    let mut trial = Trial::of("sproutgate_post_forgot_password").await;
    trial.world.register("demo", "demo123").await;
    let forgot = |account: &str, email: &str| json!({"account": account, "email": email});
    let known = trial.ask("a code is mailed", forgot("demo", "demo@example.com")).await;
    for (what, body) in [
        ("nobody", forgot("nobody", "demo@example.com")),
        ("another address", forgot("demo", "other@example.com")),
        ("twice in a minute", forgot("demo", "demo@example.com")),
    ] {
        let answer = trial.ask(&format!("{what}: the same answer"), body).await;
        assert_eq!((answer.status, answer.body), (known.status, known.body.clone()));
    }
    assert_eq!(trial.world.server.mails().len(), 1);
    trial.ask("no address", forgot("demo", "nowhere")).await.has(400);
    trial.refuses_bodies(&forgot("demo", "demo@example.com")).await;
    insta::assert_snapshot!(trial.told());
}

#[tokio::test]
async fn sproutgate_post_reset_password() {
    let mut trial = Trial::by_alice("sproutgate_post_reset_password").await;
    let session = trial.token.take().expect("alice");
    let forgot = json!({"account": "alice", "email": "alice@example.com"});
    trial.world.post("/sproutgate/api/auth/forgot-password", forgot.clone()).quietly().await.has(200);
    let code = trial.world.code_for("alice@example.com");
    let reset = |code: &str, password: &str| json!({"account": "alice", "code": code, "newPassword": password});
    trial.ask("wrong code", reset("000000", "newpass")).await.has(400);
    trial.ask("too short", reset(&code, "short")).await.has(400);
    trial.ask("too long", reset(&code, &"x".repeat(129))).await.has(400);
    trial.ask("right", reset(&code, "newpass")).await.has(200);
    trial.world.note("every session is over");
    trial.world.get("/sproutgate/api/auth/me").bearer(&session).await.has(401);
    trial.ask("used up", reset(&code, "another-pass")).await.has(400);
    trial.world.clock.advance(Duration::from_secs(60));
    trial.world.post("/sproutgate/api/auth/forgot-password", forgot).quietly().await.has(200);
    let late = trial.world.code_for("alice@example.com");
    trial.world.clock.advance(Duration::from_secs(600));
    trial.ask("expired", reset(&late, "another-pass")).await.has(400);
    trial.refuses_bodies(&reset("000000", "newpass")).await;
    trial.guesses_at_the_code(reset("000000", "newpass")).await;
    insta::assert_snapshot!(trial.told());
}

#[tokio::test]
async fn sproutgate_post_secondary_email_request() {
    let mut trial = Trial::by_alice("sproutgate_post_secondary_email_request").await;
    let good = json!({"email": "demo2@example.com"});
    trial.ask("a code is mailed", good.clone()).await.has(200);
    trial.ask("one mail a minute", good.clone()).await.has(429);
    trial.ask("no address", json!({"email": "nowhere"})).await.has(400);
    trial.refuses_bodies(&good).await;
    trial.refuses_strangers(&good).await;
    trial.refuses_newcomers(&good).await;
    trial.refuses_programs(&good).await;
    for nth in 0..10 {
        trial.world.add_email(&trial.bearer(), &format!("more{nth}@example.com")).await;
    }
    trial.ask("ten are enough", json!({"email": "more@example.com"})).await.has(409);
    insta::assert_snapshot!(trial.told());
}

#[tokio::test]
async fn sproutgate_post_secondary_email_verify() {
    let mut trial = Trial::by_alice("sproutgate_post_secondary_email_verify").await;
    let request = "/sproutgate/api/auth/secondary-email/request";
    let proof = |email: &str, code: &str| json!({"email": email, "code": code});
    let own = trial.bearer();
    trial.world.post(request, json!({"email": "demo2@example.com"})).bearer(&own).quietly().await.has(200);
    let code = trial.world.code_for("demo2@example.com");
    trial.ask("wrong code", proof("demo2@example.com", "000000")).await.has(400);
    trial.ask("another address", proof("demo3@example.com", &code)).await.has(400);
    trial.ask("right", proof("demo2@example.com", &code)).await.has(200);
    trial.world.post(request, json!({"email": "late@example.com"})).bearer(&own).quietly().await.has(200);
    let late = trial.world.code_for("late@example.com");
    trial.world.clock.advance(Duration::from_secs(60));
    trial.world.register_proved("late").await;
    trial.ask("proved by somebody else meanwhile", proof("late@example.com", &late)).await.has(409);
    trial.world.clock.advance(Duration::from_secs(600));
    trial.ask("expired", proof("late@example.com", &late)).await.has(400);
    let good = proof("demo2@example.com", "000000");
    trial.refuses_bodies(&good).await;
    trial.refuses_strangers(&good).await;
    trial.refuses_newcomers(&good).await;
    trial.refuses_programs(&good).await;
    trial.guesses_at_the_code(good).await;
    insta::assert_snapshot!(trial.told());
}
