use serde_json::json;

use crate::support::World;

#[tokio::test]
async fn closed_registration_is_told_in_each_contracts_words() {
    let mut world = World::with(|options| options.with("ALLOW_REGISTRATION", "false")).await;
    let body = json!({"username": "anna", "account": "anna", "email": "anna@example.com", "password": "password123"});
    world.post("/kite/api/v1/auth/register", body.clone()).await;
    world.post("/zeaya/api/auth/register", body.clone()).await;
    world.post("/sproutgate/api/auth/register", body.clone()).await;
    world.post("/mcphub/api/auth/register", body).await;
    world.get("/kite/api/v1/auth/options").await;
    insta::assert_snapshot!(world.transcript());
}
