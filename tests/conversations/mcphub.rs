use serde_json::json;

use crate::support::World;

#[tokio::test]
async fn register_log_in_and_look() {
    let mut world = World::start().await;
    let registration = json!({"username": "newuser", "password": "password123", "isAdmin": true});
    world.post("/mcphub/api/auth/register", registration).await;
    let signed_in =
        world.post("/mcphub/api/auth/login", json!({"username": "newuser", "password": "password123"})).await;
    let token = signed_in.text("/token");
    world.get("/mcphub/api/auth/user").bearer(&token).await;
    world.get("/mcphub/api/auth/user").header("x-auth-token", &token).await;
    world.get(&format!("/mcphub/api/auth/user?token={token}")).await;
    let change = |current: &str, new: &str| json!({"currentPassword": current, "newPassword": new});
    world.post("/mcphub/api/auth/change-password", change("wrong", "newpassword123")).bearer(&token).await;
    world.post("/mcphub/api/auth/change-password", change("password123", "newpassword123")).bearer(&token).await;
    world.sign_in("newuser", "newpassword123").await;
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn only_an_administrator_makes_administrators() {
    let mut world = World::start().await;
    let token = world.sign_in("admin", "admin").await;
    let registration = json!({"username": "helper", "password": "password123", "isAdmin": true});
    world.note("not before the first one has chosen a password");
    world.post("/mcphub/api/auth/register", registration).header("x-auth-token", &token).await;
    let reset = json!({"username": "boss", "email": "boss@example.com", "password": "strong-new-password"});
    let boss =
        world.post("/api/v1/auth/first-login-reset", reset).bearer(&token).quietly().await.text("/data/access_token");
    let registration = json!({"username": "deputy", "password": "password123", "isAdmin": true});
    world.post("/mcphub/api/auth/register", registration).header("x-auth-token", &boss).await;
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn refusals_name_the_fields() {
    let mut world = World::start().await;
    world.register("newuser", "password123").await;
    world.post("/mcphub/api/auth/register", json!({"username": "NewUser", "password": "password123"})).await;
    world.post("/mcphub/api/auth/register", json!({"username": "", "password": "12345", "isAdmin": "yes"})).await;
    world
        .post("/mcphub/api/auth/register", json!({"username": "eve@example.com", "password": "password123"}))
        .header("x-language", "en")
        .await;
    world.post("/mcphub/api/auth/login", json!({"username": "newuser", "password": "password124"})).await;
    world.post("/mcphub/api/auth/login", json!({"username": "newuser", "password": ["p"]})).await;
    world.get("/mcphub/api/auth/user").await;
    world.get("/mcphub/api/auth/user").header("x-auth-token", "not-a-token").await;
    insta::assert_snapshot!(world.transcript());
}
