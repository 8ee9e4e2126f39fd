//! One test for each row of the table of outcomes: every contract that can meet it is asked for it.

use std::time::Duration;

use polygate_shared::identity::{Account, AttemptKey, Attempts, Chance, Clock, CountedOn, Counting};
use reqwest::Method;
use serde_json::{Value, json};

use super::brief;
use crate::contracts::{CONTRACTS, asking_who, log_in, registering, signing_in, token_of};
use crate::refusals::{front, post};
use crate::structure::read;
use crate::support::World;

/// The rows, and the test of each.
const OUTCOMES: [(&str, &str); 23] = [
    ("malformed JSON, wrong type, missing or out-of-range field", "outcome_invalid_input_in_every_contract"),
    ("wrong name or password", "outcome_wrong_name_or_password_in_every_contract"),
    ("account disabled", "outcome_account_disabled_in_every_contract"),
    ("no token", "outcome_no_token_in_every_contract"),
    ("token bad or expired / revoked", "outcome_token_bad_expired_or_revoked_in_every_contract"),
    ("must change password first", "outcome_must_see_to_something_first_in_every_contract"),
    ("must set up a second factor first", "outcome_must_see_to_something_first_in_every_contract"),
    ("not an admin", "outcome_not_an_administrator_in_both_contracts"),
    ("registration closed", "outcome_registration_closed_in_every_contract"),
    ("name taken / e-mail taken", "outcome_name_or_address_taken_in_every_contract"),
    ("last active administrator", "outcome_last_administrator_in_both_contracts"),
    ("second factor needed / wrong", "outcome_second_factor_needed_or_wrong_in_every_contract"),
    ("API token lacks the scope", "outcome_scope_missing_in_every_contract"),
    ("unknown path / wrong method", "outcome_unknown_path_or_wrong_method_in_every_contract"),
    ("a fault of ours", "outcome_fault_in_every_contract"),
    ("current password wrong", "outcome_current_password_wrong_in_every_contract_that_asks"),
    ("code wrong, used up or expired", "outcome_code_wrong_in_both_contracts"),
    ("mail to the address can't be delivered", "outcome_undeliverable_address_in_both_contracts_that_mail"),
    ("not found", "outcome_not_found_in_every_contract_that_looks"),
    ("body too large", "outcome_body_too_large_in_every_contract"),
    ("media type unsupported", "outcome_media_type_unsupported_in_every_contract"),
    ("too many requests", "outcome_too_many_requests_in_every_contract"),
    ("store or mail unavailable", "outcome_unavailable_in_every_contract"),
];

#[test]
fn every_outcome_names_a_test() {
    let tests = read("tests/conversations/rows/outcomes.rs");
    for (outcome, test) in OUTCOMES {
        assert!(tests.contains(&format!("#[tokio::test]\nasync fn {test}()")), "{outcome}: no test is called {test}");
    }
}

const PASSWORD: &str = "Passw0rd!23";
const DAY: Duration = Duration::from_secs(24 * 3600);

/// A change of the password, in every spelling.
fn passwords(current: &str, new: &str) -> Value {
    json!({"old_password": current, "new_password": new, "currentPassword": current, "newPassword": new, "password": new})
}

/// Where each contract changes a password.
const CHANGE_PASSWORD: [(Method, &str); 4] = [
    (Method::POST, "/kite/api/v1/auth/change-password"),
    (Method::PUT, "/zeaya/api/auth/password"),
    (Method::PUT, "/sproutgate/api/auth/profile"),
    (Method::POST, "/mcphub/api/auth/change-password"),
];

/// The administrator's side, where there is one.
const ADMIN: [&str; 2] = ["/kite/api/v1/admin/users", "/sproutgate/api/admin/users"];

#[tokio::test]
async fn outcome_invalid_input_in_every_contract() {
    let mut world = World::start().await;
    for contract in CONTRACTS {
        let (path, _) = registering(contract, "", "", "");
        world.ask(Method::POST, path).raw("application/json", "{\"username\":").await;
        world.post(path, json!({"username": 1, "account": 1, "email": [], "password": null})).await;
        world.post(path, json!({})).await;
        let (path, short) = registering(contract, "", "nowhere", "short");
        world.post(path, short).await;
    }
    insta::assert_snapshot!(brief(world.transcript()));
}

#[tokio::test]
async fn outcome_wrong_name_or_password_in_every_contract() {
    let mut world = World::start().await;
    world.register("alice", PASSWORD).await;
    for contract in CONTRACTS {
        let (path, wrong) = signing_in(contract, "alice", "wrong-password");
        let (_, unknown) = signing_in(contract, "nobody", "wrong-password");
        let (wrong, unknown) = (world.post(path, wrong).await, world.post(path, unknown).await);
        assert_eq!((wrong.status, wrong.body), (unknown.status, unknown.body), "{contract}");
    }
    insta::assert_snapshot!(brief(world.transcript()));
}

#[tokio::test]
async fn outcome_account_disabled_in_every_contract() {
    let mut world = World::start().await;
    world.register("alice", PASSWORD).await;
    world.amend("alice", |account| Account { active: false, ..account }).await;
    for contract in CONTRACTS {
        let (path, body) = signing_in(contract, "alice", PASSWORD);
        world.post(path, body).await;
        let wrong = log_in(&mut world, contract, "alice", "wrong-password").await;
        let unknown = log_in(&mut world, contract, "nobody", "wrong-password").await;
        assert_eq!(wrong.body, unknown.body, "told only to who knows the password");
    }
    insta::assert_snapshot!(brief(world.transcript()));
}

#[tokio::test]
async fn outcome_no_token_in_every_contract() {
    let mut world = World::start().await;
    for contract in CONTRACTS {
        world.get(asking_who(contract).0).await;
    }
    insta::assert_snapshot!(brief(world.transcript()));
}

#[tokio::test]
async fn outcome_token_bad_expired_or_revoked_in_every_contract() {
    let mut world = World::start().await;
    world.register("alice", PASSWORD).await;
    let expired = world.sign_in("alice", PASSWORD).await;
    world.clock.advance(Duration::from_secs(2 * 3600));
    let revoked = world.sign_in("alice", PASSWORD).await;
    world.ask(Method::POST, "/kite/api/v1/auth/logout").bearer(&revoked).quietly().await.is(200, 0);
    let mut forged = revoked.clone();
    let place = forged.len() - 10..forged.len() - 9;
    let other = if &forged[place.clone()] == "A" { "B" } else { "A" };
    forged.replace_range(place, other);
    for (what, token) in [("bad", "not-a-token"), ("forged", &forged), ("expired", &expired), ("revoked", &revoked)] {
        world.note(what);
        for contract in CONTRACTS {
            world.get(asking_who(contract).0).bearer(token).await.has(401);
        }
    }
    insta::assert_snapshot!(brief(world.transcript()));
}

#[tokio::test]
async fn outcome_must_see_to_something_first_in_every_contract() {
    let mut world = World::start().await;
    world.register("alice", PASSWORD).await;
    let (password, factor) = (world.sign_in("admin", "admin").await, world.sign_in("alice", PASSWORD).await);
    world.amend("alice", |account| Account { second_factor_required: true, ..account }).await;
    let asked = ["/kite/api/v1/sessions", "/zeaya/api/auth/user", "/sproutgate/api/auth/me", "/mcphub/api/auth/user"];
    for (token, path) in [&password, &factor].into_iter().flat_map(|token| asked.map(|path| (token, path))) {
        world.get(path).bearer(token).await.has(403);
    }
    insta::assert_snapshot!(brief(world.transcript()));
}

#[tokio::test]
async fn outcome_not_an_administrator_in_both_contracts() {
    let mut world = World::start().await;
    world.register("alice", PASSWORD).await;
    let token = world.sign_in("alice", PASSWORD).await;
    for path in ADMIN {
        world.get(path).bearer(&token).await;
        world.post(path, json!({})).bearer(&token).await;
    }
    insta::assert_snapshot!(brief(world.transcript()));
}

#[tokio::test]
async fn outcome_registration_closed_in_every_contract() {
    let mut world = World::with(|options| options.with("ALLOW_REGISTRATION", "false")).await;
    for contract in CONTRACTS {
        let (path, body) = registering(contract, "anna", "anna@example.com", PASSWORD);
        world.post(path, body).await.has(403);
    }
    insta::assert_snapshot!(brief(world.transcript()));
}

#[tokio::test]
async fn outcome_name_or_address_taken_in_every_contract() {
    let mut world = World::start().await;
    world.register_proved("owner").await;
    world.clock.advance(Duration::from_secs(60));
    for contract in CONTRACTS {
        let (path, body) = registering(contract, "OWNER", &format!("{contract}@example.com"), PASSWORD);
        world.post(path, body).await;
        if contract != "mcphub" {
            let (path, body) = registering(contract, contract, "OWNER@example.com", PASSWORD);
            world.post(path, body).await;
        }
    }
    assert_eq!(world.mails_to("OWNER@example.com"), ["您已有账号"], "its owner is told, and nobody else");
    insta::assert_snapshot!(brief(world.transcript()));
}

#[tokio::test]
async fn outcome_last_administrator_in_both_contracts() {
    let mut world = World::start().await;
    let boss = world.boss().await;
    let own = world.get("/kite/api/v1/profile").bearer(&boss).quietly().await.text("/data/id");
    world.put(&format!("{}/{own}", ADMIN[0]), json!({"role": "user"})).bearer(&boss).await;
    world.ask(Method::DELETE, &format!("{}/{own}", ADMIN[0])).bearer(&boss).await;
    world.ask(Method::DELETE, &format!("{}/boss", ADMIN[1])).bearer(&boss).await;
    insta::assert_snapshot!(brief(world.transcript()));
}

#[tokio::test]
async fn outcome_second_factor_needed_or_wrong_in_every_contract() {
    let mut world = World::start().await;
    world.register("alice", PASSWORD).await;
    let session = world.sign_in("alice", PASSWORD).await;
    let (authenticator, _) = world.add_second_factor(&session).await;
    for contract in CONTRACTS {
        let (path, mut body) = signing_in(contract, "alice", PASSWORD);
        world.note("needed, wrong, right");
        world.post(path, body.clone()).await;
        body["code"] = json!("000000");
        world.post(path, body.clone()).await;
        body["code"] = json!(authenticator.next_code(&world));
        world.post(path, body).quietly().await.has(200);
    }
    insta::assert_snapshot!(brief(world.transcript()));
}

#[tokio::test]
async fn outcome_scope_missing_in_every_contract() {
    let mut world = World::start().await;
    world.register("alice", PASSWORD).await;
    let session = world.sign_in("alice", PASSWORD).await;
    let program = world.api_token(&session).await;
    for (method, path) in CHANGE_PASSWORD {
        world.ask(method, path).json(passwords(PASSWORD, "stronger-pass")).bearer(&program).await;
    }
    world.sign_in("alice", PASSWORD).await;
    insta::assert_snapshot!(brief(world.transcript()));
}

#[tokio::test]
async fn outcome_unknown_path_or_wrong_method_in_every_contract() {
    let mut world = World::start().await;
    for contract in CONTRACTS {
        let (path, _) = signing_in(contract, "", "");
        world.get(&format!("{path}/further")).await;
        let answer = world.get(path).await;
        assert_eq!(answer.headers["allow"], "POST");
    }
    insta::assert_snapshot!(brief(world.transcript()));
}

/// A machine that has no randomness to give.
struct NoChance;

impl Chance for NoChance {
    fn fill(&self, _: &mut [u8]) -> anyhow::Result<()> {
        Err(anyhow::anyhow!("nothing to give"))
    }
}

#[tokio::test]
async fn outcome_fault_in_every_contract() {
    let mut world = World::start().await;
    world.register("alice", PASSWORD).await;
    let front = front(world.server.store().clone(), std::sync::Arc::new(NoChance));
    let mut told = String::new();
    for contract in CONTRACTS {
        let (path, body) = signing_in(contract, "alice", PASSWORD);
        told.push_str(&post(&front, path, body).await);
    }
    assert!(!told.contains("nothing to give"), "the cause is for the log: {told}");
    insta::assert_snapshot!(told);
}

#[tokio::test]
async fn outcome_current_password_wrong_in_every_contract_that_asks() {
    let mut world = World::start().await;
    world.register("alice", PASSWORD).await;
    let token = world.sign_in("alice", PASSWORD).await;
    // sproutgate's document changes a password without asking for the present one.
    for (method, path) in CHANGE_PASSWORD.into_iter().filter(|(_, path)| !path.starts_with("/sproutgate")) {
        world.ask(method, path).json(passwords("wrong-password", "stronger-pass")).bearer(&token).await;
    }
    world.sign_in("alice", PASSWORD).await;
    insta::assert_snapshot!(brief(world.transcript()));
}

#[tokio::test]
async fn outcome_code_wrong_in_both_contracts() {
    let mut world = World::start().await;
    world.register("alice", PASSWORD).await;
    for (request, confirm) in [
        ("/kite/api/v1/auth/password-reset/request", "/kite/api/v1/auth/password-reset/confirm"),
        ("/sproutgate/api/auth/forgot-password", "/sproutgate/api/auth/reset-password"),
    ] {
        world
            .post(request, json!({"identifier": "alice", "account": "alice", "email": "alice@example.com"}))
            .quietly()
            .await;
        let code = world.code_for("alice@example.com");
        let proof = |code: &str, new: &str| json!({"identifier": "alice", "account": "alice", "code": code, "new_password": new, "newPassword": new});
        world.note("wrong, used up, expired");
        world.post(confirm, proof("000000", "stronger-pass")).await.has(400);
        world.post(confirm, proof(&code, "stronger-pass")).quietly().await.has(200);
        world.post(confirm, proof(&code, "another-pass")).await.has(400);
        world.clock.advance(Duration::from_secs(600));
        world.post(confirm, proof(&code, "stronger-pass")).await.has(400);
    }
    insta::assert_snapshot!(brief(world.transcript()));
}

#[tokio::test]
async fn outcome_undeliverable_address_in_both_contracts_that_mail() {
    let mut world = World::start().await;
    world.register("alice", PASSWORD).await;
    let token = world.sign_in("alice", PASSWORD).await;
    crate::bounces::reported(&world, "bounce", "gone@example.com").await;
    let (path, body) = registering("sproutgate", "anna", "gone@example.com", PASSWORD);
    world.post(path, body).await;
    for path in ["/sproutgate/api/auth/secondary-email/request", "/kite/api/v1/emails"] {
        world.post(path, json!({"email": "gone@example.com"})).bearer(&token).await;
    }
    insta::assert_snapshot!(brief(world.transcript()));
}

#[tokio::test]
async fn outcome_not_found_in_every_contract_that_looks() {
    let mut world = World::start().await;
    world.register("alice", PASSWORD).await;
    let token = world.sign_in("alice", PASSWORD).await;
    world.ask(Method::DELETE, "/kite/api/v1/tokens/nothing").bearer(&token).await;
    world.get("/zeaya/storage/avatars/4711.jpg").await;
    let holder = world.server.admin_token().reveal().to_owned();
    world.ask(Method::DELETE, "/sproutgate/api/admin/users/nobody").bearer(&holder).await;
    world.get("/mcphub/storage/avatars/4711.jpg").await;
    insta::assert_snapshot!(brief(world.transcript()));
}

#[tokio::test]
async fn outcome_body_too_large_in_every_contract() {
    let mut world = World::start().await;
    for contract in CONTRACTS {
        let (path, _) = signing_in(contract, "", "");
        world.ask(Method::POST, path).raw("application/json", vec![b' '; 64 * 1024 + 1]).await;
    }
    insta::assert_snapshot!(brief(world.transcript()));
}

#[tokio::test]
async fn outcome_media_type_unsupported_in_every_contract() {
    let mut world = World::start().await;
    for contract in CONTRACTS {
        let (path, body) = signing_in(contract, "alice", PASSWORD);
        world.ask(Method::POST, path).raw("text/plain", body.to_string()).await;
    }
    insta::assert_snapshot!(brief(world.transcript()));
}

#[tokio::test]
async fn outcome_too_many_requests_in_every_contract() {
    for (nth, contract) in CONTRACTS.into_iter().enumerate() {
        let mut world = World::start().await;
        world.register("alice", PASSWORD).await;
        let signed_in = log_in(&mut world, contract, "alice", PASSWORD).await;
        world.add_second_factor(&token_of(contract, &signed_in)).await;
        let (path, mut body) = signing_in(contract, "alice", PASSWORD);
        body["code"] = json!("000000");
        for _ in 0..5 {
            world.post(path, body.clone()).quietly().await.has(401);
        }
        let refused = world.post(path, body).await;
        refused.has(429);
        assert!(refused.headers.contains_key("retry-after"), "{contract}, {nth}");
        insta::assert_snapshot!(format!("outcome_too_many_requests_in_{contract}"), brief(world.transcript()));
    }
}

#[tokio::test]
async fn outcome_too_many_registrations_in_every_contract() {
    let mut world = World::start().await;
    // As many as the development server lets one source make.
    let (key, now) = (AttemptKey::RegistrationsFrom("127.0.0.1".to_owned()), world.clock.now());
    let seen = Attempts { count: 1, last_at: now, known_until: None };
    for on in [CountedOn::Few { free: 1, since: now - DAY }, CountedOn::Exactly { seen, count: 3000 }] {
        let counting = Counting { now, on, forgotten_at: now + DAY };
        assert_eq!(world.server.store().count_attempt(&key, &counting).await.expect("an outcome"), Ok(()));
    }
    for contract in CONTRACTS {
        let (path, body) = registering(contract, "alice", "alice@example.com", PASSWORD);
        world.post(path, body).await.has(429);
    }
    insta::assert_snapshot!(brief(world.transcript()));
}

#[tokio::test]
async fn outcome_unavailable_in_every_contract() {
    let mut told = String::new();
    let front = crate::refusals::front_without_store();
    for contract in CONTRACTS {
        let (path, body) = signing_in(contract, "alice", PASSWORD);
        told.push_str(&post(&front, path, body).await);
    }
    assert_eq!(told.matches("retry-after none").count(), 0, "{told}");
    insta::assert_snapshot!(told);
}
