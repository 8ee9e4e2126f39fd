//! Passwords whose hashes are weaker than new ones are.

use polygate::{DataDir, Options};
use polygate_shared::identity::ClaimKind;
use serde_json::json;

use crate::restart::Scratch;
use crate::support::World;

/// The world of a directory, where new hashes cost this much.
async fn world(scratch: &Scratch, cost: &str) -> World {
    let data = DataDir::Folder(scratch.0.clone());
    World::with(|options| Options { data, ..options }.with("HASH_COST", cost)).await
}

/// The hash of an account's password up to its salt.
async fn kind_of_hash(world: &World, name: &str) -> String {
    let store = world.server.store();
    let claims = store.claims(&[(ClaimKind::Name, name.to_owned())]).await.expect("claims");
    let read = store.account(claims[0].account).await.expect("a read").expect("an account");
    let hash = serde_json::to_value(&read.account.password).expect("text");
    hash.as_str().expect("text").split('$').take(4).collect::<Vec<_>>().join("$")
}

#[tokio::test]
async fn weaker_hashes_are_made_anew_at_the_next_sign_in_and_stronger_ones_stay() {
    let scratch = Scratch::new();
    let mut before = world(&scratch, "m=19456,t=2").await;
    before.register("anna", "secret123").await;
    let token = before.sign_in("anna", "secret123").await;
    assert_eq!(kind_of_hash(&before, "anna").await, "$argon2id$v=19$m=19456,t=2,p=1");
    before.server.shutdown().await;

    let mut raised = world(&scratch, "m=20480,t=3").await;
    let wrong = json!({"username": "anna", "password": "secret124"});
    assert_eq!(raised.post("/kite/api/v1/auth/login", wrong).quietly().await.status, 401);
    assert_eq!(kind_of_hash(&raised, "anna").await, "$argon2id$v=19$m=19456,t=2,p=1", "nobody showed the password");
    raised.sign_in("anna", "secret123").await;
    assert_eq!(kind_of_hash(&raised, "anna").await, "$argon2id$v=19$m=20480,t=3,p=1");
    let me = raised.get("/kite/api/v1/profile").bearer(&token).quietly().await;
    assert_eq!(me.status, 200, "sessions go on: {}", me.body);
    let events = raised.get("/api/v1/audit").bearer(&token).quietly().await;
    assert!(events.status == 200 && !events.body.contains("password_changed"), "it is the same one: {}", events.body);
    raised.server.shutdown().await;

    let mut lowered = world(&scratch, "m=19456,t=2").await;
    lowered.sign_in("anna", "secret123").await;
    assert_eq!(kind_of_hash(&lowered, "anna").await, "$argon2id$v=19$m=20480,t=3,p=1");
}

#[tokio::test]
async fn many_sign_ins_at_once_all_get_in_while_one_makes_the_hash_anew() {
    let scratch = Scratch::new();
    let mut before = world(&scratch, "m=19456,t=2").await;
    before.register("anna", "secret123").await;
    before.server.shutdown().await;
    let raised = world(&scratch, "m=19456,t=3").await;
    let asked = || ("/kite/api/v1/auth/login".to_owned(), json!({"username": "anna", "password": "secret123"}));
    let answers = raised.all_at_once((0..4).map(|_| asked()).collect()).await;
    assert!(answers.iter().all(|answer| answer.status == 200), "{:?}", answers.iter().map(|one| one.status));
    assert_eq!(kind_of_hash(&raised, "anna").await, "$argon2id$v=19$m=19456,t=3,p=1");
}
