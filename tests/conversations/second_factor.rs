//! The second factor: set up in kite, asked for by every contract's sign-in.

use std::time::Duration;

use polygate_shared::identity::{ClaimKind, Clock};
use reqwest::Method;
use serde_json::{Value, json};

use crate::people::Authenticator;
use crate::support::{Answer, World};

const SETUP: &str = "/api/v1/auth/2fa/setup";
const ENABLE: &str = "/api/v1/auth/2fa/enable";
const DISABLE: &str = "/api/v1/auth/2fa/disable";
const RECOVERY: &str = "/api/v1/auth/2fa/recovery-codes";
const VERIFY: &str = "/api/v1/auth/2fa/verify";
const LOGIN: &str = "/api/v1/auth/login";

/// The sign-ins that take all of it in one request.
const IN_ONE: [&str; 4] =
    ["/kite/api/v1/auth/login", "/zeaya/api/auth/login", "/sproutgate/api/auth/login", "/mcphub/api/auth/login"];

/// A sign-in of alice's as any contract reads it.
fn login(code: Option<&str>) -> Value {
    let mut body = json!({"username": "alice", "account": "alice", "password": "secret123"});
    if let Some(code) = code {
        body["code"] = code.into();
    }
    body
}

async fn alice(world: &mut World) -> (String, Authenticator, Vec<String>) {
    world.register("alice", "secret123").await;
    let session = world.sign_in("alice", "secret123").await;
    let (authenticator, recovery) = world.add_second_factor(&session).await;
    (session, authenticator, recovery)
}

/// Signs in as far as the password goes.
async fn waiting(world: &mut World) -> String {
    world.post(LOGIN, login(None)).quietly().await.text("/data/challenge_token")
}

async fn verify(world: &mut World, token: &str, code: &str) -> Answer {
    world.post(VERIFY, json!({"challenge_token": token, "code": code})).quietly().await
}

#[tokio::test]
async fn set_up_turned_on_asked_for_and_turned_off() {
    let mut world = World::start().await;
    world.register("alice", "secret123").await;
    let session = world.sign_in("alice", "secret123").await;
    let prepared = world.ask(Method::POST, SETUP).bearer(&session).await;
    let authenticator = Authenticator::of(&prepared.text("/data/secret"));
    assert!(prepared.text("/data/uri").contains(&format!("alice?secret={}", prepared.text("/data/secret"))));
    world.note("it doesn't count before a code came back");
    world.sign_in("alice", "secret123").await;
    world.get("/api/v1/profile").bearer(&session).await;
    let code = authenticator.code_at(world.clock.now());
    world.post(ENABLE, json!({"code": code})).bearer(&session).await;
    world.get("/api/v1/profile").bearer(&session).await;
    world.note("a sign-in now waits for a code");
    let token = world.post(LOGIN, login(None)).await.text("/data/challenge_token");
    let code = authenticator.next_code(&world);
    let opened = world.post(VERIFY, json!({"challenge_token": token, "code": code})).await;
    world.get("/api/v1/profile").bearer(&opened.text("/data/access_token")).await;
    world.note("or gives it at once");
    let code = authenticator.next_code(&world);
    world.post(LOGIN, login(Some(&code))).await;
    world.note("and no more once it is off");
    let code = authenticator.next_code(&world);
    world.post(DISABLE, json!({"password": "secret123", "code": code})).bearer(&session).await;
    world.post(LOGIN, login(None)).await;
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn every_contract_asks_for_it_after_the_right_password_only() {
    let mut world = World::start().await;
    let (_, authenticator, _) = alice(&mut world).await;
    for path in IN_ONE {
        for (what, code) in [("none", None), ("an empty one", Some("")), ("a wrong one", Some("000000"))] {
            world.note(what);
            world.post(path, login(code)).await;
        }
        world.note("a right one, and the same again");
        let code = authenticator.next_code(&world);
        world.post(path, login(Some(&code))).await;
        world.post(path, login(Some(&code))).await;
        world.note("a right one with a wrong password tells nothing of it, and isn't used up by that");
        let code = authenticator.next_code(&world);
        let mut wrong = login(Some(&code));
        wrong["password"] = "wrong-password".into();
        world.post(path, wrong).await;
        assert_eq!(world.post(path, login(Some(&code))).quietly().await.status, 200);
        world.note("no text");
        let mut body = login(None);
        body["code"] = json!(123_456);
        world.post(path, body).await;
    }
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn what_is_refused() {
    let mut world = World::start().await;
    world.register("alice", "secret123").await;
    let session = world.sign_in("alice", "secret123").await;
    let proof = json!({"password": "secret123", "code": "000000"});
    world.note("nothing is set up");
    for (path, body) in [(ENABLE, json!({"code": "000000"})), (DISABLE, proof.clone()), (RECOVERY, proof.clone())] {
        world.post(path, body).bearer(&session).await;
    }
    world.note("set up, with a wrong code");
    world.ask(Method::POST, SETUP).bearer(&session).quietly().await;
    world.post(ENABLE, json!({"code": "000000"})).bearer(&session).await;
    let (authenticator, _) = world.add_second_factor(&session).await;
    world.note("on already");
    world.ask(Method::POST, SETUP).bearer(&session).await;
    let code = authenticator.next_code(&world);
    world.post(ENABLE, json!({"code": code})).bearer(&session).await;
    world.note("a wrong password, a wrong code, neither");
    for path in [DISABLE, RECOVERY] {
        world.post(path, json!({"password": "wrong-password", "code": code})).bearer(&session).await;
        world.post(path, proof.clone()).bearer(&session).await;
        world.post(path, json!({"password": 1})).bearer(&session).await;
        world.post(path, json!({})).bearer(&session).await;
        world.post(path, proof.clone()).await;
    }
    world.ask(Method::POST, SETUP).await;
    world.post(ENABLE, json!({})).bearer(&session).await;
    world.post(ENABLE, json!({"code": code})).await;
    world.note("what is no challenge token");
    world.post(VERIFY, json!({})).await;
    world.post(VERIFY, json!({"challenge_token": "pgc_no", "code": "000000"})).await;
    world.post(VERIFY, json!({"challenge_token": session, "code": code})).await;
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn an_api_token_and_a_password_due_for_change_reach_none_of_it() {
    let mut world = World::start().await;
    world.register("alice", "secret123").await;
    let session = world.sign_in("alice", "secret123").await;
    let token = world.api_token(&session).await;
    let admin = world.sign_in("admin", "admin").await;
    for path in [SETUP, ENABLE, DISABLE, RECOVERY] {
        let body = json!({"password": "secret123", "code": "000000"});
        let answer = world.post(path, body.clone()).bearer(&token).await;
        answer.is(403, 40302);
        world.post(path, body).bearer(&admin).await.is(403, 40301);
    }
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn a_challenge_token_opens_one_session_and_nothing_else() {
    let mut world = World::start().await;
    let (session, authenticator, _) = alice(&mut world).await;
    let token = waiting(&mut world).await;
    world.note("it is no access token and no refresh token");
    world.get("/api/v1/profile").bearer(&token).await;
    world.post("/api/v1/auth/refresh", json!({"refresh_token": token})).await;
    world.note("a wrong code leaves it, the right one uses it up");
    verify(&mut world, &token, "000000").await.is(401, 40103);
    let code = authenticator.next_code(&world);
    verify(&mut world, &token, &code).await.is(200, 0);
    let code = authenticator.next_code(&world);
    world.post(VERIFY, json!({"challenge_token": token, "code": code})).await.is(401, 40101);
    world.note("one that was altered, one of five minutes ago, one of before the password was changed");
    let token = waiting(&mut world).await;
    let (start, place) = token.split_at(token.len() - 10);
    let other = if place.starts_with('A') { "B" } else { "A" };
    verify(&mut world, &format!("{start}{other}{}", &place[1..]), &code).await.is(401, 40101);
    world.clock.advance(Duration::from_secs(300));
    let code = authenticator.next_code(&world);
    verify(&mut world, &token, &code).await.is(401, 40101);
    let token = waiting(&mut world).await;
    let change = json!({"old_password": "secret123", "new_password": "stronger-pass"});
    assert_eq!(world.post("/api/v1/auth/change-password", change).bearer(&session).quietly().await.status, 200);
    verify(&mut world, &token, &code).await.is(401, 40101);
    insta::assert_snapshot!(world.transcript());
    world.is_sound().await;
}

#[tokio::test]
async fn of_one_code_presented_many_times_at_once_one_sign_in_comes() {
    let mut world = World::start().await;
    let (_, authenticator, _) = alice(&mut world).await;
    let code = authenticator.next_code(&world);
    let answers = world.all_at_once(vec![(LOGIN.to_owned(), login(Some(&code))); 5]).await;
    let mut statuses: Vec<_> = answers.iter().map(|answer| answer.status.as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses[0], 200, "{answers:?}");
    assert!(statuses[1..].iter().all(|status| *status == 401), "{statuses:?}");
    let token = waiting(&mut world).await;
    let code = authenticator.next_code(&world);
    let body = json!({"challenge_token": token, "code": code});
    let answers = world.all_at_once(vec![(VERIFY.to_owned(), body); 5]).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1, "{answers:?}");
}

#[tokio::test]
async fn after_five_wrong_ones_every_code_waits_and_a_right_one_starts_anew() {
    let mut world = World::start().await;
    let (_, authenticator, _) = alice(&mut world).await;
    for _ in 0..4 {
        world.post(LOGIN, login(Some("000000"))).quietly().await.is(401, 40103);
    }
    let code = authenticator.next_code(&world);
    world.post(LOGIN, login(Some(&code))).quietly().await.is(200, 0);
    let answers = world.all_at_once(vec![(LOGIN.to_owned(), login(Some("000000"))); 30]).await;
    let looked_at = answers.iter().filter(|answer| answer.status == 401).count();
    assert_eq!(looked_at, 5, "parallel guesses are counted before they are compared");
    assert!(answers.iter().all(|answer| matches!(answer.status.as_u16(), 401 | 429)), "{answers:?}");
    world.note("also the right one, in every contract, until a minute is over; then twice as long");
    let code = authenticator.next_code(&world);
    for path in IN_ONE {
        world.post(path, login(Some(&code))).await;
    }
    let token = waiting(&mut world).await;
    world.post(VERIFY, json!({"challenge_token": token, "code": code})).await;
    world.clock.advance(Duration::from_secs(30));
    world.post(LOGIN, login(Some("000000"))).await;
    world.post(LOGIN, login(Some("000000"))).await;
    world.clock.advance(Duration::from_secs(90));
    let code = authenticator.next_code(&world);
    world.post(LOGIN, login(Some(&code))).quietly().await.is(200, 0);
    world.post(LOGIN, login(Some("000000"))).quietly().await.is(401, 40103);
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn recovery_codes_work_once_each() {
    let mut world = World::start().await;
    let (session, authenticator, recovery) = alice(&mut world).await;
    for path in IN_ONE {
        let code = &recovery[IN_ONE.iter().position(|one| *one == path).expect("its place")];
        assert_eq!(world.post(path, login(Some(code))).quietly().await.status, 200, "{path}");
        assert_eq!(world.post(path, login(Some(code))).quietly().await.status, 401, "{path}");
    }
    let token = waiting(&mut world).await;
    verify(&mut world, &token, &recovery[4].to_uppercase().replace('-', " ")).await.is(200, 0);
    world.note("new ones take the place of those that are left");
    let code = authenticator.next_code(&world);
    let renewed = world.post(RECOVERY, json!({"password": "secret123", "code": code})).bearer(&session).await;
    world.post(LOGIN, login(Some(&recovery[5]))).await;
    let code = renewed.text("/data/recovery_codes/0");
    world.post(LOGIN, login(Some(&code))).quietly().await.is(200, 0);
    let code = renewed.text("/data/recovery_codes/1");
    world.post(DISABLE, json!({"password": "secret123", "code": code})).bearer(&session).await;
    insta::assert_snapshot!(world.transcript());
    world.is_sound().await;
}

#[tokio::test]
async fn a_password_reset_by_mail_does_not_get_past_it() {
    let mut world = World::start().await;
    let (_, authenticator, _) = alice(&mut world).await;
    world.post("/api/v1/auth/password-reset/request", json!({"identifier": "alice"})).quietly().await;
    let code = world.code_for("alice@example.com");
    let reset = json!({"identifier": "alice", "code": code, "new_password": "another-pass"});
    world.post("/api/v1/auth/password-reset/confirm", reset).quietly().await.is(200, 0);
    let mut body = json!({"username": "alice", "password": "another-pass"});
    world.post(LOGIN, body.clone()).await;
    body["code"] = authenticator.next_code(&world).into();
    world.post(LOGIN, body).quietly().await.is(200, 0);
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn an_administrator_takes_it_away_from_who_lost_it() {
    let mut world = World::start().await;
    let (session, ..) = alice(&mut world).await;
    let boss = world.boss().await;
    let named = world.server.store().claims(&[(ClaimKind::Name, "alice".to_owned())]).await.expect("a claim");
    let path = format!("/api/v1/admin/users/{}/2fa/reset", named[0].account);
    world.note("by administrators only");
    world.ask(Method::POST, &path).await;
    world.ask(Method::POST, &path).bearer(&session).await;
    let token = world.api_token(&boss).await;
    world.ask(Method::POST, &path).bearer(&token).await;
    world.ask(Method::POST, "/api/v1/admin/users/nobody/2fa/reset").bearer(&boss).await;
    world.note("with wrong codes before it, which are forgotten");
    for _ in 0..6 {
        world.post(LOGIN, login(Some("000000"))).quietly().await;
    }
    world.ask(Method::POST, &path).bearer(&boss).await;
    world.get("/api/v1/profile").bearer(&session).await;
    let session = world.post(LOGIN, login(None)).quietly().await.text("/data/access_token");
    world.add_second_factor(&session).await;
    world.note("who has none keeps the sessions");
    let named = world.server.store().claims(&[(ClaimKind::Name, "boss".to_owned())]).await.expect("a claim");
    let path = format!("/api/v1/admin/users/{}/2fa/reset", named[0].account);
    world.ask(Method::POST, &path).bearer(&boss).await;
    world.ask(Method::POST, &path).bearer(&boss).quietly().await.is(200, 0);
    insta::assert_snapshot!(world.transcript());
}
