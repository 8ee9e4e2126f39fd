//! zeaya, whole.

use std::time::Duration;

use polygate_shared::identity::Account;
use serde_json::{Value, json};

use super::Trial;
use crate::avatars::{bomb, drawing, form, form_type};

fn registration(username: &str, email: &str) -> Value {
    json!({"username": username, "email": email, "password": "password123"})
}

#[tokio::test]
async fn zeaya_post_register() {
    let mut trial = Trial::of("zeaya_post_register").await;
    trial.ask("free", registration("user123", "user@example.com")).await.is(200, 0);
    trial.ask("name taken", registration("USER123", "other@example.com")).await.is(409, 10001);
    trial.ask("address taken", registration("other", "USER@example.com")).await.is(409, 10002);
    trial.ask("reserved", registration("admin", "other@example.com")).await.is(409, 10001);
    let short = json!({"username": "ab", "email": "邮箱", "password": "12345"});
    trial.ask("too short", short).await.is(400, 400);
    trial.ask("too long", registration(&"x".repeat(21), "")).await.is(400, 400);
    trial.refuses_bodies(&registration("other", "other@example.com")).await;
    insta::assert_snapshot!(trial.told());
    let mut closed = Trial::with("zeaya_post_register", |options| options.with("ALLOW_REGISTRATION", "false")).await;
    closed.ask("closed", registration("user123", "user@example.com")).await.is(403, 403);
    insta::assert_snapshot!("zeaya_post_register_closed", closed.told());
}

#[tokio::test]
async fn zeaya_post_login() {
    let mut trial = Trial::of("zeaya_post_login").await;
    trial.world.register("alice", "secret123").await;
    let login = |username: &str, password: &str| json!({"username": username, "password": password});
    trial.ask("by name", login("Alice", "secret123")).await.is(200, 0);
    trial.ask("by address", login("ALICE@example.com", "secret123")).await.is(200, 0);
    trial.ask("wrong password", login("alice", "secret124")).await.is(401, 10003);
    trial.ask("nobody of that name", login("nobody", "secret123")).await.is(401, 10003);
    trial.world.amend("alice", |account| Account { active: false, ..account }).await;
    trial.ask("disabled, told to who knows the password", login("alice", "secret123")).await.is(403, 10004);
    trial.ask("and to nobody else", login("alice", "secret124")).await.is(401, 10003);
    trial.refuses_bodies(&login("alice", "secret123")).await;
    insta::assert_snapshot!(trial.told());
}

#[tokio::test]
async fn zeaya_post_logout() {
    let mut trial = Trial::by_alice("zeaya_post_logout").await;
    trial.ask("over at once", Value::Null).await.is(200, 0);
    trial.ask("once", Value::Null).await.is(401, 10006);
    trial.token = Some(trial.world.sign_in("admin", "admin").await);
    trial.ask("also before the password is chosen", Value::Null).await.is(200, 0);
    trial.refuses_strangers(&Value::Null).await;
    trial.refuses_programs(&Value::Null).await;
    insta::assert_snapshot!(trial.told());
}

#[tokio::test]
async fn zeaya_get_user() {
    let mut trial = Trial::by_alice("zeaya_get_user").await;
    trial.ask("by a session", Value::Null).await.is(200, 0);
    trial.token = Some(trial.world.api_token(&trial.bearer()).await);
    trial.ask("by a program", Value::Null).await.is(200, 0);
    trial.refuses_strangers(&Value::Null).await;
    trial.refuses_newcomers(&Value::Null).await;
    insta::assert_snapshot!(trial.told());
}

#[tokio::test]
async fn zeaya_put_profile() {
    let mut trial = Trial::by_alice("zeaya_put_profile").await;
    let good = json!({
        "nickname": "新昵称", "bio": "这是我的简介", "gender": 1, "birthday": "1990-01-01", "mobile": "13800138000",
    });
    trial.ask("all of it", good.clone()).await.is(200, 0);
    trial.ask("some of it", json!({"gender": 0, "birthday": ""})).await.is(200, 0);
    let wrong = json!({
        "nickname": "x".repeat(65), "bio": "x".repeat(4097), "gender": 3, "birthday": "1990-02-30", "mobile": "1".repeat(33),
    });
    trial.ask("out of range", wrong).await.is(400, 400);
    trial.refuses_bodies(&good).await;
    trial.refuses_strangers(&good).await;
    trial.refuses_newcomers(&good).await;
    trial.token = Some(trial.world.api_token(&trial.bearer()).await);
    trial.ask("by a program", json!({"bio": "hello"})).await.is(200, 0);
    insta::assert_snapshot!(trial.told());
}

#[tokio::test]
async fn zeaya_put_password() {
    let mut trial = Trial::by_alice("zeaya_put_password").await;
    let change = |old: &str, new: &str| json!({"old_password": old, "new_password": new});
    let other = trial.world.sign_in("alice", "secret123").await;
    trial.ask("wrong", change("secret124", "newpass456")).await.is(400, 10005);
    trial.ask("too short", change("secret123", "short")).await.is(400, 400);
    trial.ask("right", change("secret123", "newpass456")).await.is(200, 0);
    trial.world.note("other sessions are over");
    trial.world.get("/zeaya/api/auth/user").bearer(&other).await.is(401, 10006);
    trial.guesses_at_the_password(change("wrong-pass", "another-pass")).await.is(429, 429);
    trial.world.clock.advance(Duration::from_secs(1));
    let good = change("newpass456", "another-pass");
    trial.refuses_bodies(&good).await;
    trial.refuses_strangers(&good).await;
    trial.refuses_newcomers(&good).await;
    trial.refuses_programs(&good).await;
    insta::assert_snapshot!(trial.told());
}

#[tokio::test]
async fn zeaya_post_avatar() {
    let mut trial = Trial::by_alice("zeaya_post_avatar").await;
    let kind = form_type();
    for field in ["avatar", "file"] {
        trial.send(field, Some((&kind, form(field, &drawing())))).await.is(200, 0);
    }
    trial.send("another field", Some((&kind, form("picture", &drawing())))).await.is(400, 400);
    trial.send("no picture", Some((&kind, form("avatar", b"GIF89a")))).await.is(415, 415);
    trial.send("half a picture", Some((&kind, form("avatar", &drawing()[..200])))).await.is(400, 400);
    trial.send("a bomb", Some((&kind, form("avatar", &bomb())))).await.is(413, 413);
    trial.send("more than 4 MiB", Some((&kind, form("avatar", &vec![0; 4 * 1024 * 1024 + 1])))).await.is(413, 413);
    trial.send("half a form", Some((&kind, form("avatar", &drawing())[..300].to_vec()))).await.is(400, 400);
    trial.ask("no form", json!({"avatar": "x"})).await.is(415, 415);
    trial.ask("nothing", Value::Null).await.is(415, 415);
    trial.refuses_strangers(&Value::Null).await;
    trial.refuses_newcomers(&Value::Null).await;
    trial.token = Some(trial.world.api_token(&trial.bearer()).await);
    trial.send("by a program", Some((&kind, form("avatar", &drawing())))).await.is(200, 0);
    insta::assert_snapshot!(trial.told());
}

#[tokio::test]
async fn zeaya_get_storage_avatar() {
    let mut trial = Trial::by_alice("zeaya_get_storage_avatar").await;
    let ask =
        trial.world.ask(reqwest::Method::POST, "/zeaya/api/auth/avatar").bearer(&trial.token.clone().expect("alice"));
    let path = ask.raw(&form_type(), form("avatar", &drawing())).quietly().await.text("/data/avatar");
    trial.token = None;
    trial.world.note("the picture, to anybody, under the mount and at the root");
    for path in [format!("/zeaya{}", path.trim_start_matches("/zeaya")), path.trim_start_matches("/zeaya").to_owned()] {
        let served = trial.world.get(&path).quietly().await;
        served.has(200);
        assert_eq!(served.headers["content-type"], "image/jpeg");
        assert!(served.headers.contains_key("etag"), "{:?}", served.headers);
        let cache = served.headers["cache-control"].to_str().expect("text");
        assert!(cache.contains("max-age=31536000"), "{cache}");
    }
    for (what, file) in [("nobody's", "4711.jpg"), ("no number", "x.jpg"), ("another kind", "1.png")] {
        trial.path = format!("/zeaya/storage/avatars/{file}");
        trial.ask(what, Value::Null).await.is(404, 404);
    }
    insta::assert_snapshot!(trial.told());
}
