use serde_json::json;

use crate::support::World;

#[tokio::test]
async fn register_log_in_live_and_log_out() {
    let mut world = World::start().await;
    let registration = json!({"username": "user123", "email": "user@example.com", "password": "password123"});
    let registered = world.post("/zeaya/api/auth/register", registration).await;
    world.get("/zeaya/api/auth/user").bearer(&registered.text("/data/token")).await;
    let signed_in =
        world.post("/zeaya/api/auth/login", json!({"username": "user123", "password": "password123"})).await;
    let token = signed_in.text("/data/token");
    world
        .put("/zeaya/api/auth/profile", json!({"nickname": "新昵称", "bio": "这是我的简介", "gender": 1}))
        .bearer(&token)
        .await;
    world
        .put("/zeaya/api/auth/profile", json!({"birthday": "1990-01-01", "mobile": "13800138000"}))
        .bearer(&token)
        .await;
    world.get("/zeaya/api/auth/user").bearer(&token).await;
    world.put("/zeaya/api/auth/profile", json!({"birthday": "", "gender": 0})).bearer(&token).await;
    world.ask(reqwest::Method::POST, "/zeaya/api/auth/logout").bearer(&token).await;
    world.note("over at once");
    world.get("/zeaya/api/auth/user").bearer(&token).await;
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn refusals_have_codes_of_their_own() {
    let mut world = World::start().await;
    let register =
        |username: &str, email: &str| json!({"username": username, "email": email, "password": "password123"});
    world.post("/zeaya/api/auth/register", register("user123", "user@example.com")).quietly().await;
    world.post("/zeaya/api/auth/register", register("USER123", "other@example.com")).await;
    world.post("/zeaya/api/auth/register", register("other", "User@Example.com")).await;
    world.post("/zeaya/api/auth/login", json!({"username": "user123", "password": "password124"})).await;
    world.post("/zeaya/api/auth/login", json!({"username": "nobody", "password": "password123"})).await;
    world.get("/zeaya/api/auth/user").await;
    world.get("/zeaya/api/auth/user").bearer("not-a-token").await;
    world.post("/zeaya/api/auth/register", json!({"username": "ab", "email": "邮箱", "password": "12345"})).await;
    world.post("/zeaya/api/auth/register", json!({"username": "a".repeat(21), "email": 7})).await;
    world
        .post(
            "/zeaya/api/auth/register?lang=en",
            json!({"username": "eve@example.com", "email": "eve@example.org", "password": "password123"}),
        )
        .await;
    let token = world.sign_in("user123", "password123").await;
    let wrong = json!({"gender": 3, "birthday": "1990-02-30", "mobile": "1".repeat(33), "bio": {"a": 1}});
    world.put("/zeaya/api/auth/profile", wrong).bearer(&token).await;
    world.put("/zeaya/api/auth/profile", json!({"birthday": "+1990-01-01"})).bearer(&token).await;
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn changing_the_password() {
    let mut world = World::start().await;
    world.register("user123", "oldpass123").await;
    let token = world.sign_in("user123", "oldpass123").await;
    let change = |old: &str, new: &str| json!({"old_password": old, "new_password": new});
    world.put("/zeaya/api/auth/password", change("oldpass124", "newpass456")).bearer(&token).await;
    world.put("/zeaya/api/auth/password", change("oldpass123", "short")).bearer(&token).await;
    world.put("/zeaya/api/auth/password", change("oldpass123", "newpass456")).bearer(&token).await;
    world.get("/zeaya/api/auth/user").bearer(&token).quietly().await.text("/data/username");
    world.sign_in("user123", "newpass456").await;
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn times_are_told_in_the_deployments_zone() {
    let mut world = World::with(|options| options.with("TIME_ZONE", "-03:30")).await;
    let registration = json!({"username": "user123", "email": "user@example.com", "password": "password123"});
    let registered = world.post("/zeaya/api/auth/register", registration).await;
    assert_eq!(registered.text("/data/user/create_time"), "2039-12-31 20:30:00");
}
