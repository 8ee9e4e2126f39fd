//! API tokens: made and revoked through kite, good in all four contracts.

use std::time::Duration;

use polygate_shared::identity::{Account, AccountId, Change, MOST_API_TOKENS};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::World;

const TOKENS: &str = "/api/v1/tokens";

async fn create(world: &mut World, session: &str, body: Value) -> (String, String) {
    let made = world.post(TOKENS, body).bearer(session).quietly().await;
    assert_eq!(made.status, 201, "{}", made.body);
    (made.text("/data/id"), made.text("/data/token"))
}

async fn revoke(world: &mut World, session: &str, id: &str) -> u16 {
    let answer = world.ask(Method::DELETE, &format!("{TOKENS}/{id}")).bearer(session).quietly().await;
    answer.status.as_u16()
}

#[tokio::test]
async fn made_listed_used_and_revoked() {
    let mut world = World::start().await;
    world.register("alice", "secret123").await;
    let session = world.sign_in("alice", "secret123").await;
    world.get(TOKENS).bearer(&session).await;
    let made = world.post(TOKENS, json!({"name": "backup", "expires_in": 30})).bearer(&session).await;
    let (id, token) = (made.text("/data/id"), made.text("/data/token"));
    world.clock.advance(Duration::from_secs(1));
    let body = json!({"name": "for ever", "expires_in": 0});
    world.post(TOKENS, body).bearer(&session).await;
    world.note("in each contract, in each of its places");
    world.get("/api/v1/profile").bearer(&token).await;
    world.get("/zeaya/api/auth/user").bearer(&token).await;
    world.get("/sproutgate/api/auth/me").bearer(&token).await;
    world.post("/sproutgate/api/auth/verify", json!({"token": token})).await;
    world.get("/mcphub/api/auth/user").header("x-auth-token", &token).await;
    world.get(&format!("/mcphub/api/auth/user?token={token}")).await;
    world.put("/api/v1/profile", json!({"nickname": "Al"})).bearer(&token).await;
    world.put("/zeaya/api/auth/profile", json!({"bio": "hello"})).bearer(&token).await;
    world.put("/sproutgate/api/auth/profile", json!({"phone": "138"})).bearer(&token).await;
    world.note("used a second after it was made");
    world.get(TOKENS).bearer(&session).await;
    world.note("refused as soon as it is revoked");
    world.ask(Method::DELETE, &format!("{TOKENS}/{id}")).bearer(&session).await;
    world.get("/api/v1/profile").bearer(&token).await;
    world.post("/sproutgate/api/auth/verify", json!({"token": token})).await;
    world.ask(Method::DELETE, &format!("{TOKENS}/{id}")).bearer(&session).await;
    insta::assert_snapshot!(world.transcript().replace(&id, "[id]"));
}

#[tokio::test]
async fn making_one_is_refused() {
    let mut world = World::start().await;
    world.register("alice", "secret123").await;
    world.register("bob", "secret123").await;
    let session = world.sign_in("alice", "secret123").await;
    world.post(TOKENS, json!({"name": "x"})).await;
    world.get(TOKENS).await;
    for body in [
        json!({}),
        json!({"name": "", "expires_in": -1}),
        json!({"name": "x".repeat(101), "expires_in": 3651}),
        json!({"name": 1, "expires_in": "30"}),
        json!({"name": "x", "expires_in": 1.5}),
    ] {
        world.post(TOKENS, body).bearer(&session).await;
    }
    world.note("another's token, and what is none");
    let (id, _) = create(&mut world, &session, json!({"name": "alice's", "expires_in": 3650})).await;
    let bob = world.sign_in("bob", "secret123").await;
    assert_eq!(revoke(&mut world, &bob, &id).await, 404);
    world.ask(Method::DELETE, &format!("{TOKENS}/nothing")).bearer(&session).await;
    world.ask(Method::DELETE, &format!("{TOKENS}/%ff")).bearer(&session).await;
    world.ask(Method::DELETE, TOKENS).bearer(&session).await;
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn what_takes_the_persons_own_session_is_refused() {
    let mut world = World::start().await;
    world.register("alice", "secret123").await;
    let session = world.sign_in("alice", "secret123").await;
    let (id, token) = create(&mut world, &session, json!({"name": "backup"})).await;
    let passwords = json!({
        "old_password": "secret123", "new_password": "stronger-pass",
        "currentPassword": "secret123", "newPassword": "stronger-pass",
    });
    let email = json!({"email": "new@example.com", "new_email": "new@example.com", "code": "000000"});
    let first = json!({"username": "anna", "email": "new@example.com", "password": "stronger-pass"});
    for (method, path, body) in [
        (Method::GET, "/api/v1/tokens", None),
        (Method::POST, "/api/v1/tokens", Some(json!({"name": "another"}))),
        (Method::DELETE, "/api/v1/tokens/x", None),
        (Method::POST, "/api/v1/auth/change-password", Some(passwords.clone())),
        (Method::POST, "/api/v1/auth/first-login-reset", Some(first)),
        (Method::POST, "/api/v1/auth/logout", None),
        (Method::POST, "/api/v1/auth/email-change/request", Some(email.clone())),
        (Method::POST, "/api/v1/auth/email-change/confirm", Some(email.clone())),
        (Method::PUT, "/api/v1/profile", Some(email.clone())),
        (Method::GET, "/api/v1/admin/users", None),
        (Method::PUT, "/zeaya/api/auth/password", Some(passwords.clone())),
        (Method::POST, "/zeaya/api/auth/logout", None),
        (Method::PUT, "/sproutgate/api/auth/profile", Some(json!({"password": "stronger-pass"}))),
        (Method::POST, "/sproutgate/api/auth/secondary-email/request", Some(email.clone())),
        (Method::POST, "/sproutgate/api/auth/secondary-email/verify", Some(email)),
        (Method::GET, "/sproutgate/api/admin/users", None),
        (Method::POST, "/mcphub/api/auth/change-password", Some(passwords)),
    ] {
        let ask = world.ask(method, path).bearer(&token);
        let answer = if let Some(body) = body { ask.json(body).await } else { ask.await };
        assert_eq!(answer.status, 403, "{path}: {}", answer.body);
    }
    assert!(world.server.mails().is_empty());
    assert_eq!(revoke(&mut world, &session, &id).await, 200);
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn an_administrators_token_has_no_administrators_rights() {
    let mut world = World::start().await;
    let session = world.boss().await;
    let (_, token) = create(&mut world, &session, json!({"name": "backup"})).await;
    world.get("/api/v1/admin/users").bearer(&token).await;
    world.get("/sproutgate/api/admin/users").bearer(&token).await;
    world.note("nor does it say that it has, to those who ask whose it is");
    world.get("/api/v1/profile").bearer(&token).await;
    world.put("/api/v1/profile", json!({"nickname": "Chief"})).bearer(&token).await;
    world.get("/zeaya/api/auth/user").bearer(&token).await;
    world.get("/mcphub/api/auth/user").bearer(&token).await;
    let other = json!({"username": "other", "password": "secret123", "isAdmin": true});
    let made = world.post("/mcphub/api/auth/register", other).bearer(&token).quietly().await;
    assert_eq!(made.json()["user"]["isAdmin"], json!(false), "{}", made.body);
    world.note("the account itself is what it was");
    let profile = world.get("/api/v1/profile").bearer(&session).quietly().await;
    assert_eq!((profile.text("/data/role"), profile.text("/data/nickname")), ("admin".to_owned(), "Chief".to_owned()));
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn not_a_token_of_ours() {
    let mut world = World::start().await;
    world.register("alice", "secret123").await;
    let session = world.sign_in("alice", "secret123").await;
    let (_, token) = create(&mut world, &session, json!({"name": "backup", "expires_in": 1})).await;
    for forged in ["pgt_", "pgt_abc", &token[..token.len() - 1], &token.replace("pgt_", "pgt_A")] {
        world.get("/api/v1/profile").bearer(forged).await;
    }
    world.note("after its one day");
    world.clock.advance(Duration::from_secs(24 * 3600));
    world.get("/api/v1/profile").bearer(&token).await;
    insta::assert_snapshot!(world.transcript());
    let session = world.sign_in("alice", "secret123").await;
    assert_eq!(world.get(TOKENS).bearer(&session).quietly().await.json()["data"], json!([]));
}

#[tokio::test]
async fn a_change_of_the_password_keeps_them_and_a_reset_ends_them() {
    let mut world = World::start().await;
    world.register("alice", "secret123").await;
    let session = world.sign_in("alice", "secret123").await;
    let (id, token) = create(&mut world, &session, json!({"name": "backup"})).await;
    let change = json!({"old_password": "secret123", "new_password": "stronger-pass"});
    assert_eq!(world.post("/api/v1/auth/change-password", change).bearer(&session).quietly().await.status, 200);
    assert_eq!(world.get("/api/v1/profile").bearer(&token).quietly().await.status, 200);
    world.post("/api/v1/auth/password-reset/request", json!({"identifier": "alice"})).quietly().await;
    let code = world.code_for("alice@example.com");
    let reset = json!({"identifier": "alice", "code": code, "new_password": "another-pass"});
    assert_eq!(world.post("/api/v1/auth/password-reset/confirm", reset).quietly().await.status, 200);
    world.get("/api/v1/profile").bearer(&token).await;
    insta::assert_snapshot!(world.transcript());
    let session = world.sign_in("alice", "another-pass").await;
    assert_eq!(world.get(TOKENS).bearer(&session).quietly().await.json()["data"], json!([]));
    create(&mut world, &session, json!({"name": "another"})).await;
    assert_eq!(revoke(&mut world, &session, &id).await, 404, "cleared away");
    world.is_sound().await;
}

#[tokio::test]
async fn whoever_proves_an_address_also_ends_the_tokens_of_who_had_not() {
    let mut world = World::start().await;
    world.register("squatter", "secret123").await;
    let session = world.sign_in("squatter", "secret123").await;
    let (_, token) = create(&mut world, &session, json!({"name": "backup"})).await;
    let registration =
        json!({"account": "victim", "password": "demo123", "username": "", "email": "squatter@example.com"});
    world.post("/sproutgate/api/auth/register", registration).quietly().await;
    let proof = json!({"account": "victim", "code": world.code_for("squatter@example.com")});
    assert_eq!(world.post("/sproutgate/api/auth/verify-email", proof).quietly().await.status, 200);
    assert_eq!(world.get("/api/v1/profile").bearer(&token).quietly().await.json()["code"], json!(40102));
}

#[tokio::test]
async fn of_parallel_requests_none_passes_the_limit() {
    let mut world = World::start().await;
    world.register("alice", "secret123").await;
    let session = world.sign_in("alice", "secret123").await;
    for nth in 0..48 {
        create(&mut world, &session, json!({"name": format!("token {nth}")})).await;
    }
    let asked = vec![(TOKENS.to_owned(), json!({"name": "one more"}), session.clone()); 5];
    let answers = world.all_at_once_as(asked).await;
    let made = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(made, 2, "{answers:?}");
    world.post(TOKENS, json!({"name": "one too many"})).bearer(&session).await;
    let listed = world.get(TOKENS).bearer(&session).quietly().await.json();
    assert_eq!(listed["data"].as_array().map(Vec::len), Some(50));
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn the_last_use_is_written_once_a_minute() {
    let mut world = World::start().await;
    world.register("alice", "secret123").await;
    let session = world.sign_in("alice", "secret123").await;
    let (_, token) = create(&mut world, &session, json!({"name": "backup"})).await;
    let mut seen = Vec::new();
    for seconds in [0, 30, 29, 1, 59] {
        world.clock.advance(Duration::from_secs(seconds));
        world.get("/api/v1/profile").bearer(&token).quietly().await;
        let listed = world.get(TOKENS).bearer(&session).quietly().await.json();
        seen.push(listed["data"][0]["last_used"].as_str().expect("an instant")[14..19].to_owned());
    }
    assert_eq!(seen, ["00:00", "00:00", "00:00", "01:00", "01:00"]);
}

#[tokio::test]
async fn is_worth_what_its_owner_is() {
    let mut world = World::start().await;
    world.register("alice", "secret123").await;
    let session = world.sign_in("alice", "secret123").await;
    let (_, token) = create(&mut world, &session, json!({"name": "backup"})).await;
    let profile = world.get("/api/v1/profile").bearer(&token).quietly().await;
    let id = AccountId(profile.text("/data/id").parse().expect("a UUID"));
    for (expected, change) in [
        (40102, (|account| Account { active: false, ..account }) as fn(Account) -> Account),
        (40301, |account| Account { active: true, must_change_password: true, ..account }),
        (0, |account| Account { must_change_password: false, ..account }),
    ] {
        let store = world.server.store();
        let read = store.account(id).await.expect("an answer").expect("an account");
        let account = change(read.account);
        let update = Change::UpdateAccount { account: &account, was: read.version };
        store.commit(&[update]).await.expect("an outcome").expect("nobody else");
        let answer = world.get("/api/v1/profile").bearer(&token).quietly().await;
        assert_eq!(answer.json()["code"], json!(expected), "{}", answer.body);
    }
}

/// One without an end would stand for ever as what nobody knows of, once the trail has forgotten the account.
#[tokio::test]
async fn a_deleted_accounts_are_gone_with_it() {
    let mut world = World::start().await;
    world.register("alice", "secret123").await;
    let session = world.sign_in("alice", "secret123").await;
    for nth in 0..MOST_API_TOKENS {
        create(&mut world, &session, json!({"name": format!("token {nth}"), "expires_in": 0})).await;
    }
    let id = world.server.identity().account_named("alice").await.expect("an account").account.id;
    let kept = world.server.store().api_tokens(id).await.expect("an answer");
    assert_eq!(kept.len(), MOST_API_TOKENS, "as many as an account can have");
    let admin = world.server.admin_token().reveal().to_owned();
    let deleted = world.ask(Method::DELETE, "/sproutgate/api/admin/users/alice").bearer(&admin).quietly().await;
    assert_eq!(deleted.status, 200, "{}", deleted.body);
    assert!(world.server.store().api_tokens(id).await.expect("an answer").is_empty());
    world.is_sound().await;
}
