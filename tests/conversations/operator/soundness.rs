//! Whether what conversations leave behind is sound, also while they go on.

use std::sync::Arc;

use polygate_shared::aws::client;
use polygate_shared::aws::dynamodb::{DynamoStore, Inspection};
use polygate_shared::identity::{AccountId, Change, Claim, ClaimKind, Clock as _, SystemChance};
use serde_json::{Value, json};

use super::{polygate, text, world};
use crate::restart::Scratch;
use crate::support::World;

impl World {
    /// Asserts that the whole table is sound: for the ends of conversations and races.
    pub(crate) async fn is_sound(&self) {
        let config = client::connect_local(self.server.dynamodb_url()).expect("a configuration");
        let store = DynamoStore::new(client::dynamodb(&config), "polygate", Arc::new(SystemChance::default()));
        let inspection = Inspection { repair: false, now: self.clock.now() };
        let report = inspection.of(&store, &mut |_| {}).await.expect("a report");
        let told: Vec<_> = report.found.iter().map(|one| one.defect.to_string()).collect();
        assert!(report.is_sound(), "{told:#?}");
    }
}

#[tokio::test]
async fn what_people_leave_behind_is_sound_and_what_is_planted_is_found() {
    let scratch = Scratch::new();
    let data = text(&scratch.0);
    let mut world = world(&scratch).await;
    let token = world.register_proved("anna").await;
    world.register("bert", "secret123").await;
    let profile = json!({"display_name": "Anna", "bio": "x"});
    world.put("/kite/api/v1/profile", profile).bearer(&token).quietly().await;
    let admin_token = world.server.admin_token().reveal().to_owned();
    let gone = world.ask(reqwest::Method::DELETE, "/sproutgate/api/admin/users/bert").bearer(&admin_token);
    assert_eq!(gone.quietly().await.status, reqwest::StatusCode::OK);
    world.server.shutdown().await;
    let told = polygate(&["check", "--data", data]).well();
    assert!(told.ends_with("2 accounts: sound\n"), "{told}");

    let world = super::world(&scratch).await;
    let nobody = AccountId(uuid::Uuid::from_u128(7));
    let claim = Claim { kind: ClaimKind::Name, key: "ghost".to_owned(), account: nobody, verified: true };
    world.server.store().commit(&[Change::TakeClaim(claim)]).await.expect("an outcome").expect("taken");
    world.server.shutdown().await;
    let told = polygate(&["check", "--data", data]).failed();
    let expected = format!("WRONG: the name \"ghost\" is held by account {nobody}, which isn't there\n");
    assert!(told.contains(&expected) && told.contains("1 wrong; --repair mends what is safe to mend\n"), "{told}");
    let told: Value =
        serde_json::from_str(&polygate(&["check", "--json", "--repair", "--data", data]).well()).expect("JSON");
    assert_eq!((&told["sound"], &told["found"][0]["mended"]), (&json!(true), &json!("yes")), "{told}");
    let told: Value = serde_json::from_str(&polygate(&["check", "--json", "--data", data]).well()).expect("JSON");
    assert_eq!((&told["sound"], &told["found"]), (&json!(true), &json!([])));
}

/// Whoever writes while the table is read makes nothing look broken, and nothing of theirs is mended away.
#[tokio::test]
async fn what_is_under_way_is_no_finding() {
    let scratch = Scratch::new();
    let mut world = world(&scratch).await;
    let engine = world.server.dynamodb_url();
    let admin_token = world.server.admin_token().reveal().to_owned();
    let checking = tokio::task::spawn_blocking(move || {
        let once = || polygate(&["check", "--json", "--repair", "--endpoint", &engine]).well();
        (0..4).map(|_| once()).collect::<Vec<_>>()
    });
    let mut number = 0;
    while !checking.is_finished() {
        number += 1;
        let name = format!("person{number}");
        let user = json!({"account": name, "password": "secret123", "username": name});
        world.post("/sproutgate/api/admin/users", user).bearer(&admin_token).quietly().await;
        if number % 2 == 0 {
            let gone = world.ask(reqwest::Method::DELETE, &format!("/sproutgate/api/admin/users/{name}"));
            assert_eq!(gone.bearer(&admin_token).quietly().await.status, reqwest::StatusCode::OK);
        }
    }
    for told in checking.await.expect("checks") {
        let told: Value = serde_json::from_str(&told).expect("JSON");
        assert_eq!(told["found"], json!([]), "{told}");
    }
    world.server.shutdown().await;
    let told = polygate(&["check", "--data", text(&scratch.0)]).well();
    assert!(told.ends_with(": sound\n"), "{told}");
}
