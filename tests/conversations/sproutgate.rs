use serde_json::json;
use std::time::Duration;

use crate::support::World;

#[tokio::test]
async fn register_verify_log_in_and_live() {
    let mut world = World::start().await;
    let registration =
        json!({"account": "demo", "password": "demo123", "username": "示例用户", "email": "Demo@example.com"});
    world.post("/sproutgate/api/auth/register", registration).await;
    world.note("nothing exists before the code comes back");
    world.post("/sproutgate/api/auth/login", json!({"account": "demo", "password": "demo123"})).await;
    let code = world.code_for("Demo@example.com");
    world.post("/sproutgate/api/auth/verify-email", json!({"account": "DEMO", "code": code})).await;
    world.note("the same request again, as after a lost answer");
    world.post("/sproutgate/api/auth/verify-email", json!({"account": "demo", "code": code})).await;
    world.clock.advance(Duration::from_secs(60));
    let signed_in = world.post("/sproutgate/api/auth/login", json!({"account": "demo", "password": "demo123"})).await;
    let token = signed_in.text("/token");
    world.get("/sproutgate/api/auth/me").bearer(&token).await;
    world.post("/sproutgate/api/auth/verify", json!({"token": token})).await;
    world.get("/sproutgate/api/auth/verify").bearer(&token).await;
    let changes = json!({
        "username": "新昵称", "phone": "13800000000", "avatarUrl": "https://example.com/avatar.png", "bio": "### 新简介",
    });
    world.put("/sproutgate/api/auth/profile", changes).bearer(&token).await;
    world.note("by e-mail, in other letters");
    world.post("/sproutgate/api/auth/login", json!({"account": "demo@EXAMPLE.com", "password": "demo123"})).await;
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn a_token_that_is_not_valid() {
    let mut world = World::start().await;
    world.post("/sproutgate/api/auth/verify", json!({"token": "jwt-token"})).await;
    world.get("/sproutgate/api/auth/verify").await;
    world.post("/sproutgate/api/auth/verify", json!({})).await;
    world.get("/sproutgate/api/auth/me").await;
    world.get("/sproutgate/api/auth/me").bearer("jwt-token").await;
    world.register("demo", "demo123").await;
    let token = world.sign_in("demo", "demo123").await;
    world.clock.advance(Duration::from_secs(2 * 3600));
    world.note("after its two hours");
    world.get("/sproutgate/api/auth/me").bearer(&token).await;
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn a_password_change_keeps_this_session_and_ends_the_others() {
    let mut world = World::start().await;
    world.register("demo", "demo123").await;
    let here = world.sign_in("demo", "demo123").await;
    let elsewhere = world.sign_in("demo", "demo123").await;
    world.put("/sproutgate/api/auth/profile", json!({"password": "newpass"})).bearer(&here).await;
    world.get("/sproutgate/api/auth/me").bearer(&here).await;
    world.get("/sproutgate/api/auth/me").bearer(&elsewhere).await;
    world.post("/sproutgate/api/auth/login", json!({"account": "demo", "password": "demo123"})).await;
    world.sign_in("demo", "newpass").await;
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn the_owner_of_an_address_is_told_and_nobody_else() {
    let mut world = World::start().await;
    let register =
        |account: &str| json!({"account": account, "password": "demo123", "username": "", "email": "demo@example.com"});
    world.post("/sproutgate/api/auth/register", register("demo")).quietly().await;
    let code = world.code_for("demo@example.com");
    world.post("/sproutgate/api/auth/verify-email", json!({"account": "demo", "code": code})).quietly().await;
    world.clock.advance(Duration::from_secs(60));
    world.post("/sproutgate/api/auth/register", register("other")).header("accept-language", "en").await;
    let told = world.mails_to("demo@example.com");
    assert_eq!(told.last().map(String::as_str), Some("You already have an account"));
    world.note("there is no code to guess");
    world.post("/sproutgate/api/auth/verify-email", json!({"account": "other", "code": "000000"})).await;
    world.note("one mail a minute for an address");
    world.post("/sproutgate/api/auth/register", register("third")).await;
    world.note("a name is public, so that it is taken is told");
    world.post("/sproutgate/api/auth/register", register("Demo")).await;
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn a_code_bears_five_guesses() {
    let mut world = World::start().await;
    let registration = json!({"account": "demo", "password": "demo123", "username": "", "email": "demo@example.com"});
    world.post("/sproutgate/api/auth/register", registration).quietly().await;
    let code = world.code_for("demo@example.com");
    let wrong = if code == "000000" { "000001" } else { "000000" };
    let guesses = vec![("/sproutgate/api/auth/verify-email".to_owned(), json!({"account": "demo", "code": wrong})); 8];
    for answer in world.all_at_once(guesses).await {
        assert_eq!(answer.status, 400, "{}", answer.body);
    }
    world.note("the right one comes too late");
    world.post("/sproutgate/api/auth/verify-email", json!({"account": "demo", "code": code})).await;
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn a_code_lives_ten_minutes() {
    let mut world = World::start().await;
    let registration = json!({"account": "demo", "password": "demo123", "username": "", "email": "demo@example.com"});
    world.post("/sproutgate/api/auth/register", registration).quietly().await;
    let code = world.code_for("demo@example.com");
    world.clock.advance(Duration::from_secs(600));
    let answer = world.post("/sproutgate/api/auth/verify-email", json!({"account": "demo", "code": code})).await;
    assert_eq!(answer.status, 400);
}

#[tokio::test]
async fn a_forgotten_password() {
    let mut world = World::start().await;
    world.register("demo", "demo123").await;
    let before = world.sign_in("demo", "demo123").await;
    world.post("/sproutgate/api/auth/forgot-password", json!({"account": "demo", "email": "demo@example.com"})).await;
    let code = world.code_for("demo@example.com");
    world.note("the same words where there is nothing to reset");
    world.post("/sproutgate/api/auth/forgot-password", json!({"account": "nobody", "email": "demo@example.com"})).await;
    world.post("/sproutgate/api/auth/forgot-password", json!({"account": "demo", "email": "eve@example.com"})).await;
    assert_eq!(world.server.mails().len(), 1);
    let reset = json!({"account": "demo", "code": code, "newPassword": "newpass"});
    world
        .post(
            "/sproutgate/api/auth/reset-password",
            json!({"account": "nobody", "code": code, "newPassword": "newpass"}),
        )
        .await;
    world.post("/sproutgate/api/auth/reset-password", reset.clone()).await;
    world.note("every session ended");
    world.get("/sproutgate/api/auth/me").bearer(&before).await;
    world.note("asked again after a lost answer; and again with another password, which is a replay");
    world.post("/sproutgate/api/auth/reset-password", reset).await;
    world
        .post("/sproutgate/api/auth/reset-password", json!({"account": "demo", "code": code, "newPassword": "another"}))
        .await;
    world.sign_in("demo", "newpass").await;
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn the_administrators_list() {
    let mut world = World::start().await;
    for name in ["anna", "berta", "carla", "dora"] {
        world.register(name, "demo123").await;
    }
    let token = world.server.admin_token().reveal().to_owned();
    world.get(&format!("/sproutgate/api/admin/users?limit=2&token={token}")).await;
    world.get("/sproutgate/api/admin/users?limit=2&cursor=2").header("x-admin-token", &token).await;
    world.get("/sproutgate/api/admin/users?limit=3&cursor=4").bearer(&token).await;
    world.note("refused");
    world.get("/sproutgate/api/admin/users").await;
    world.get("/sproutgate/api/admin/users").header("x-admin-token", "shumengya520").await;
    world.get("/sproutgate/api/admin/users?limit=0&cursor=x").bearer(&token).await;
    let anna = world.sign_in("anna", "demo123").await;
    world.get("/sproutgate/api/admin/users").bearer(&anna).await;
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn an_unproved_claim_on_an_address_yields_to_its_owner() {
    let mut world = World::start().await;
    let squatter = json!({"username": "squatter", "email": "victim@example.com", "password": "secret123"});
    world.post("/kite/api/v1/auth/register", squatter).await;
    let squatting = world.sign_in("squatter", "secret123").await;
    let victim = json!({"account": "victim", "password": "demo123", "username": "", "email": "victim@example.com"});
    world.post("/sproutgate/api/auth/register", victim).await;
    let code = world.code_for("victim@example.com");
    world.post("/sproutgate/api/auth/verify-email", json!({"account": "victim", "code": code})).await;
    world.note("what the squatter set up is over");
    world.get("/kite/api/v1/profile").bearer(&squatting).await;
    let squatting = world.sign_in("squatter", "secret123").await;
    world.get("/kite/api/v1/profile").bearer(&squatting).await;
    world.note("a proved claim yields to nobody");
    let again = json!({"username": "again", "email": "Victim@example.com", "password": "secret123"});
    world.post("/kite/api/v1/auth/register", again).await;
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn a_reset_code_dies_with_what_it_was_made_for() {
    let mut world = World::start().await;
    world.register("demo", "demo123").await;
    let token = world.sign_in("demo", "demo123").await;
    let forgot = |email: &str| json!({"account": "demo", "email": email});
    world.post("/sproutgate/api/auth/forgot-password", forgot("demo@example.com")).quietly().await;
    let code = world.code_for("demo@example.com");
    world.put("/kite/api/v1/profile", json!({"email": "mine@example.com"})).bearer(&token).quietly().await;
    world.note("the address is no longer the account's");
    let reset = |code: &str| json!({"account": "demo", "code": code, "newPassword": "stolen"});
    world.post("/sproutgate/api/auth/reset-password", reset(&code)).await;
    world.post("/sproutgate/api/auth/forgot-password", forgot("mine@example.com")).quietly().await;
    let code = world.code_for("mine@example.com");
    world.put("/sproutgate/api/auth/profile", json!({"password": "changed"})).bearer(&token).quietly().await;
    world.note("the password was changed meanwhile");
    world.post("/sproutgate/api/auth/reset-password", reset(&code)).await;
    world.sign_in("demo", "changed").await;
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn a_code_makes_the_account_that_its_own_request_described() {
    let mut world = World::start().await;
    let register = |password: &str| json!({"account": "demo", "password": password, "email": "demo@example.com"});
    world.post("/sproutgate/api/auth/register", register("mine-123")).quietly().await;
    let code = world.code_for("demo@example.com");
    world.clock.advance(Duration::from_secs(61));
    let later = world.post("/sproutgate/api/auth/register", register("somebody-elses")).quietly().await;
    assert_eq!(later.status, 200);
    assert_ne!(code, world.code_for("demo@example.com"), "a second request has a code of its own");
    let body = json!({"account": "demo", "code": code});
    assert_eq!(world.post("/sproutgate/api/auth/verify-email", body).quietly().await.status, 200);
    world.sign_in("demo", "mine-123").await;
}

#[tokio::test]
async fn ten_requests_for_one_name_may_wait() {
    let mut world = World::start().await;
    let register =
        |nth: usize| json!({"account": "demo", "password": "demo123", "email": format!("u{nth}@example.com")});
    for nth in 0..10 {
        assert_eq!(world.post("/sproutgate/api/auth/register", register(nth)).quietly().await.status, 200);
    }
    world.post("/sproutgate/api/auth/register", register(10)).await;
    world.clock.advance(Duration::from_secs(600));
    assert_eq!(world.post("/sproutgate/api/auth/register", register(10)).quietly().await.status, 200);
    insta::assert_snapshot!(world.transcript());
}
