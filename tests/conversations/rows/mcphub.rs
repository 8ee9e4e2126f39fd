//! mcphub, whole.

use std::time::Duration;

use polygate_shared::identity::Account;
use serde_json::{Value, json};

use super::Trial;

fn login(username: &str, password: &str) -> Value {
    json!({"username": username, "password": password})
}

#[tokio::test]
async fn mcphub_post_login() {
    let mut trial = Trial::of("mcphub_post_login").await;
    trial.world.register("alice", "secret123").await;
    trial.ask("by name", login("Alice", "secret123")).await.has(200);
    trial.ask("by address", login("ALICE@example.com", "secret123")).await.has(200);
    trial.ask("an administrator with the password of the start", login("admin", "admin")).await.has(200);
    trial.ask("wrong password", login("alice", "secret124")).await.has(401);
    trial.ask("nobody of that name", login("nobody", "secret123")).await.has(401);
    trial.world.amend("alice", |account| Account { active: false, ..account }).await;
    trial.ask("disabled, told to who knows the password", login("alice", "secret123")).await.has(401);
    trial.ask("and to nobody else", login("alice", "secret124")).await.has(401);
    trial.refuses_bodies(&login("alice", "secret123")).await;
    insta::assert_snapshot!(trial.told());
}

#[tokio::test]
async fn mcphub_post_register() {
    let mut trial = Trial::of("mcphub_post_register").await;
    let registration = |name: &str, admin: bool| json!({"username": name, "password": "password123", "isAdmin": admin});
    trial.ask("free", registration("newuser", false)).await.has(200);
    trial.ask("an administrator by one's own word", registration("eve", true)).await.has(200);
    trial.ask("taken", registration("NEWUSER", false)).await.has(400);
    trial.ask("reserved", registration("admin", false)).await.has(400);
    trial.ask("too short", json!({"username": "", "password": "12345"})).await.has(400);
    trial.ask("too long", registration(&"x".repeat(65), false)).await.has(400);
    trial.ask("an address", registration("eve@example.com", false)).await.has(400);
    trial.refuses_bodies(&registration("other", false)).await;
    trial.token = Some("not-a-token".to_owned());
    trial.ask("a stale token keeps nobody from it", registration("stale", true)).await.has(200);
    trial.token = Some(trial.world.boss().await);
    trial.ask("by an administrator's word", registration("deputy", true)).await.has(200);
    insta::assert_snapshot!(trial.told());
    let mut closed = Trial::with("mcphub_post_register", |options| options.with("ALLOW_REGISTRATION", "false")).await;
    closed.ask("closed", registration("newuser", false)).await.has(403);
    closed.token = Some(closed.world.boss().await);
    closed.ask("not to an administrator", registration("newuser", false)).await.has(200);
    insta::assert_snapshot!("mcphub_post_register_closed", closed.told());
}

#[tokio::test]
async fn mcphub_get_user() {
    let mut trial = Trial::by_alice("mcphub_get_user").await;
    trial.ask("by bearer", Value::Null).await.has(200);
    let token = trial.bearer();
    trial.world.note("in its other places");
    trial.world.get("/mcphub/api/auth/user").header("x-auth-token", &token).await.has(200);
    trial.world.get(&format!("/mcphub/api/auth/user?token={token}")).await.has(200);
    trial.world.get("/mcphub/api/auth/user").header("x-auth-token", "not-a-token").await.has(401);
    trial.world.get("/mcphub/api/auth/user?token=not-a-token").await.has(401);
    trial.token = Some(trial.world.api_token(&token).await);
    trial.ask("by a program", Value::Null).await.has(200);
    trial.refuses_strangers(&Value::Null).await;
    trial.refuses_newcomers(&Value::Null).await;
    trial.token = Some(trial.world.boss().await);
    trial.ask("an administrator", Value::Null).await.has(200);
    insta::assert_snapshot!(trial.told());
}

#[tokio::test]
async fn mcphub_post_change_password() {
    let mut trial = Trial::by_alice("mcphub_post_change_password").await;
    let change = |current: &str, new: &str| json!({"currentPassword": current, "newPassword": new});
    trial.ask("wrong", change("secret124", "newpassword123")).await.has(401);
    trial.ask("too short", change("secret123", "short")).await.has(400);
    trial.ask("right", change("secret123", "newpassword123")).await.has(200);
    trial.guesses_at_the_password(change("wrong-pass", "another-pass")).await.has(429);
    trial.world.clock.advance(Duration::from_secs(1));
    let good = change("newpassword123", "another-pass");
    trial.refuses_bodies(&good).await;
    trial.refuses_strangers(&good).await;
    trial.refuses_newcomers(&good).await;
    trial.refuses_programs(&good).await;
    trial.world.sign_in("alice", "newpassword123").await;
    insta::assert_snapshot!(trial.told());
}
