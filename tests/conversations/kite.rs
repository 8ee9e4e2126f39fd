use serde_json::json;
use std::time::Duration;

use crate::support::World;

#[tokio::test]
async fn register_log_in_refresh_and_log_out() {
    let mut world = World::start().await;
    let registration = json!({"username": "Alice", "email": "alice@example.com", "password": "secret123"});
    world.post("/api/v1/auth/register", registration).await;
    let signed_in = world.post("/api/v1/auth/login", json!({"username": "alice", "password": "secret123"})).await;
    let access = signed_in.text("/data/access_token");
    world.get("/api/v1/profile").bearer(&access).await;
    world.clock.advance(Duration::from_secs(2 * 3600));
    world.note("two hours later");
    world.get("/api/v1/profile").bearer(&access).await;
    let refresh = signed_in.text("/data/refresh_token");
    let refreshed = world.post("/api/v1/auth/refresh", json!({"refresh_token": refresh})).await;
    let access = refreshed.text("/data/access_token");
    world.get("/api/v1/profile").bearer(&access).await;
    world.ask(reqwest::Method::POST, "/api/v1/auth/logout").bearer(&access).await;
    world.note("over at once, everywhere");
    world.get("/api/v1/profile").bearer(&access).await;
    let refresh = refreshed.text("/data/refresh_token");
    world.post("/api/v1/auth/refresh", json!({"refresh_token": refresh})).await;
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn by_cookie_under_the_mount() {
    let mut world = World::with(|options| options.with("ALLOWED_ORIGINS", "https://app.example.com")).await;
    world.register("alice", "secret123").await;
    let signed_in =
        world.post("/kite/api/v1/auth/login", json!({"username": "alice@example.com", "password": "secret123"})).await;
    let access = format!("access_token={}", signed_in.cookie("access_token"));
    let refresh = format!("refresh_token={}", signed_in.cookie("refresh_token"));
    world.get("/kite/api/v1/profile").header("cookie", &access).await;
    world.note("a page of another origin may not change anything");
    let nickname = json!({"nickname": "Al"});
    world
        .put("/kite/api/v1/profile", nickname.clone())
        .header("cookie", &access)
        .header("origin", "https://evil.example")
        .await;
    world
        .ask(reqwest::Method::POST, "/kite/api/v1/auth/refresh")
        .header("cookie", &refresh)
        .header("origin", "null")
        .await;
    world.note("an allowed one may");
    world
        .put("/kite/api/v1/profile", nickname)
        .header("cookie", &access)
        .header("origin", "https://app.example.com")
        .await;
    world.ask(reqwest::Method::POST, "/kite/api/v1/auth/refresh").header("cookie", &refresh).await;
    world.ask(reqwest::Method::POST, "/kite/api/v1/auth/logout").header("cookie", &access).await;
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn the_profile_changes_by_what_is_sent() {
    let mut world = World::start().await;
    world.register("alice", "secret123").await;
    let token = world.sign_in("alice", "secret123").await;
    world
        .put("/api/v1/profile", json!({"nickname": "Alice Liu", "avatar_url": "https://example.com/a.png"}))
        .bearer(&token)
        .await;
    world.put("/api/v1/profile", json!({})).bearer(&token).await;
    world.put("/api/v1/profile", json!({"email": "Alice@new.example.com"})).bearer(&token).await;
    world.put("/api/v1/profile", json!({"nickname": "", "avatar_url": "", "email": null})).bearer(&token).await;
    world.note("the old address is free again, the new one taken");
    world.register("bob", "secret123").await;
    let bob = world.sign_in("bob", "secret123").await;
    world.put("/api/v1/profile", json!({"email": "ALICE@new.example.com"})).bearer(&bob).await;
    world.put("/api/v1/profile", json!({"email": "alice@example.com"})).bearer(&bob).await;
    world.note("refused");
    let wrong = json!({"nickname": "x".repeat(33), "avatar_url": "javascript:alert(1)", "email": "nobody"});
    world.put("/api/v1/profile", wrong).bearer(&token).await;
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn a_refresh_token_is_good_once() {
    let mut world = World::start().await;
    world.register("alice", "secret123").await;
    let login = json!({"username": "alice", "password": "secret123"});
    let first = world.post("/api/v1/auth/login", login).quietly().await.text("/data/refresh_token");
    let refresh = |token: &str| json!({"refresh_token": token});
    let second = world.post("/api/v1/auth/refresh", refresh(&first)).quietly().await.text("/data/refresh_token");
    world.clock.advance(Duration::from_secs(9));
    let repeated = world.post("/api/v1/auth/refresh", refresh(&first)).quietly().await.text("/data/refresh_token");
    assert_eq!(second, repeated, "within ten seconds the same successor");
    world.clock.advance(Duration::from_secs(2));
    let replaced = world.post("/api/v1/auth/refresh", refresh(&first)).quietly().await.text("/data/refresh_token");
    assert_ne!(second, replaced, "later another one, since the first was never used");
    let third = world.post("/api/v1/auth/refresh", refresh(&replaced)).quietly().await.text("/data/refresh_token");
    let again = world.post("/api/v1/auth/refresh", refresh(&first)).quietly().await.text("/data/refresh_token");
    assert_eq!(replaced, again, "within ten seconds also where the successor was used");
    let replaced = third;
    world.note("the replaced successor shows that somebody has a copy");
    world.post("/api/v1/auth/refresh", refresh(&second)).await;
    world.note("so the session is over");
    world.post("/api/v1/auth/refresh", refresh(&replaced)).await;

    world.note("a stranger who knows the ids can't end a session");
    let login = json!({"username": "alice", "password": "secret123"});
    let mine = world.post("/api/v1/auth/login", login).quietly().await.text("/data/refresh_token");
    let mut forged = mine.clone();
    forged.replace_range(60..64, if &forged[60..64] == "AAAA" { "BBBB" } else { "AAAA" });
    world.post("/api/v1/auth/refresh", refresh(&forged)).await;
    world.post("/api/v1/auth/refresh", refresh(&mine)).await;
    world.note("unused for seven days");
    let last = world.post("/api/v1/auth/refresh", refresh(&mine)).quietly().await.text("/data/refresh_token");
    world.clock.advance(Duration::from_secs(7 * 24 * 3600));
    world.post("/api/v1/auth/refresh", refresh(&last)).await;
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn changing_the_password() {
    let mut world = World::start().await;
    world.register("alice", "secret123").await;
    let token = world.sign_in("alice", "secret123").await;
    let change = |old: &str, new: &str| json!({"old_password": old, "new_password": new});
    world.post("/api/v1/auth/change-password", change("wrong", "stronger-pass")).bearer(&token).await;
    world.post("/api/v1/auth/change-password", change("secret123", "short")).bearer(&token).await;
    world.post("/api/v1/auth/change-password", change("secret123", "stronger-pass")).bearer(&token).await;
    world.note("in the upstream's spelling");
    let spelled = json!({"current_password": "stronger-pass", "new_password": "stronger-still"});
    world.post("/api/v1/auth/change-password", spelled).bearer(&token).await;
    world.sign_in("alice", "stronger-still").await;
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn the_first_administrator() {
    let mut world = World::start().await;
    let signed_in = world.post("/api/v1/auth/login", json!({"username": "admin", "password": "admin"})).await;
    let (token, refresh) = (signed_in.text("/data/access_token"), signed_in.text("/data/refresh_token"));
    world.get("/api/v1/profile").bearer(&token).await;
    world.note("nothing else before the reset, in any contract");
    world.put("/api/v1/profile", json!({"nickname": "Boss"})).bearer(&token).await;
    world.post("/api/v1/auth/refresh", json!({"refresh_token": refresh})).await;
    world.get("/api/v1/admin/users").bearer(&token).await;
    world.get("/zeaya/api/auth/user").bearer(&token).await;
    world.get("/sproutgate/api/auth/me").bearer(&token).await;
    world.post("/sproutgate/api/auth/verify", json!({"token": token})).await;
    world.get("/mcphub/api/auth/user").bearer(&token).await;
    world.post("/mcphub/api/auth/login", json!({"username": "admin", "password": "admin"})).await;
    world.note("the reset");
    let reset = json!({"username": "real-admin", "email": "admin@your-domain.com", "password": "strong-new-password"});
    let reset = world.post("/api/v1/auth/first-login-reset", reset).bearer(&token).await;
    let boss = reset.text("/data/access_token");
    world.get("/api/v1/profile").bearer(&token).await;
    world.get("/api/v1/admin/users?page=1&size=10").bearer(&boss).await;
    world.get("/mcphub/api/auth/user").header("x-auth-token", &boss).await;
    world.note("once");
    let again =
        json!({"new_username": "boss", "new_email": "boss@your-domain.com", "new_password": "strong-new-password"});
    world.post("/api/v1/auth/first-login-reset", again).bearer(&boss).await;
    world.note("its first name stays reserved");
    let admin = json!({"username": "Admin", "email": "x@example.com", "password": "secret123"});
    world.post("/api/v1/auth/register", admin).await;
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn pages_of_the_administrators_list() {
    let mut world = World::start().await;
    let boss = world.boss().await;
    for number in 0..7 {
        world.register(&format!("user{number}"), "secret123").await;
    }
    let mut seen = Vec::new();
    for page in 1..=4 {
        let listed = world.get(&format!("/api/v1/admin/users?page={page}&size=3")).bearer(&boss).quietly().await.json();
        assert_eq!((&listed["data"]["total"], &listed["data"]["page"]), (&json!(8), &json!(page)));
        let items = listed["data"]["items"].as_array().expect("items").clone();
        seen.extend(items.iter().map(|item| item["username"].as_str().expect("a name").to_owned()));
    }
    assert_eq!(seen, ["boss", "user0", "user1", "user2", "user3", "user4", "user5", "user6"]);
    world.get("/api/v1/admin/users?page=0&size=1000").bearer(&boss).await;
    world.get("/api/v1/admin/users").await;
    let user = world.sign_in("user0", "secret123").await;
    world.get("/api/v1/admin/users").bearer(&user).await;
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn open_questions() {
    let mut world = World::start().await;
    world.get("/api/v1/auth/options").await;
    world.get("/api/v1/health").await;
    world.get("/.well-known/jwks.json").await;
    world.get("/.well-known/openid-configuration").await;
    insta::assert_snapshot!(world.transcript());
}
