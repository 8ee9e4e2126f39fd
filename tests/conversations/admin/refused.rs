//! Refused attempts in the audit trail: recorded where they were counted, told to whom they were aimed at, and to
//! administrators only where the name is nobody's.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::audit::{ALL, OWN, items, news};
use crate::support::World;

const LOGIN: &str = "/api/v1/auth/login";

fn login(name: &str, password: &str) -> Value {
    json!({"username": name, "password": password})
}

#[tokio::test]
async fn each_kind_of_refused_attempt_is_recorded_once() {
    let mut world = World::start().await;
    let admin = world.server.admin_token().reveal().to_owned();
    world.register("alice", "secret123").await;
    let alice = world.sign_in("alice", "secret123").await;
    let mut seen = BTreeSet::new();
    news(&mut world, &admin, &mut seen).await;
    let mut told = Vec::new();
    let change = json!({"old_password": "wrong-one", "new_password": "stronger-pass"});
    let code = json!({"email": "new@example.com", "code": "000000"});
    let primary = json!({"new_email": "new@example.com", "code": "000000"});
    let reset = json!({"identifier": "alice", "code": "000000", "new_password": "stronger-pass"});
    let nobodys = json!({"identifier": "nobody@example.com", "code": "000000", "new_password": "stronger-pass"});
    let proof = json!({"account": "newcomer", "code": "000000"});
    for (what, path, body, by) in [
        ("a wrong password", LOGIN, login("alice", "wrong-one"), ""),
        (
            "by the address, elsewhere",
            "/sproutgate/api/auth/login",
            json!({"account": "alice@example.com", "password": "x"}),
            "",
        ),
        ("a name that nobody has", LOGIN, login("my-password-in-the-wrong-field", "wrong-one"), ""),
        ("a wrong present password", "/api/v1/auth/change-password", change, alice.as_str()),
        ("a wrong code for a reset", "/api/v1/auth/password-reset/confirm", reset, ""),
        ("for an address that nobody has", "/api/v1/auth/password-reset/confirm", nobodys, ""),
        ("for a registration", "/sproutgate/api/auth/verify-email", proof, ""),
        ("for a further address", "/api/v1/emails/verify", code, &alice),
        ("for another primary one", "/api/v1/auth/email-change/confirm", primary, &alice),
        ("no attempt at anything", LOGIN, json!({"username": "alice"}), ""),
    ] {
        let ask = world.post(path, body).quietly();
        let answer = if by.is_empty() { ask.await } else { ask.bearer(by).await };
        assert!(answer.status.is_client_error(), "{what}: {}", answer.body);
        told.push(format!("# {what}"));
        told.extend(news(&mut world, &admin, &mut seen).await);
    }
    world.post("/api/v1/auth/2fa/setup", json!({})).bearer(&alice).quietly().await.is(200, 0);
    let wrong = json!({"code": "000000"});
    world.post("/api/v1/auth/2fa/enable", wrong).bearer(&alice).quietly().await.is(400, 40001);
    told.push("# a wrong first code of the second factor".to_owned());
    told.extend(news(&mut world, &admin, &mut seen).await);
    let (authenticator, _) = world.add_second_factor(&alice).await;
    told.push("# a right one".to_owned());
    told.extend(news(&mut world, &admin, &mut seen).await);
    let waiting = world.post(LOGIN, login("alice", "secret123")).quietly().await.text("/data/challenge_token");
    let verify = json!({"challenge_token": waiting, "code": "000000"});
    world.post("/api/v1/auth/2fa/verify", verify).quietly().await.is(401, 40103);
    told.push("# a wrong code, signing in".to_owned());
    told.extend(news(&mut world, &admin, &mut seen).await);
    let off = json!({"password": "wrong-one", "code": authenticator.next_code(&world)});
    world.post("/api/v1/auth/2fa/disable", off).bearer(&alice).quietly().await.is(400, 40010);
    let codes = json!({"password": "secret123", "code": "000000"});
    world.post("/api/v1/auth/2fa/recovery-codes", codes).bearer(&alice).quietly().await.is(400, 40001);
    told.push("# turning it off, and new recovery codes".to_owned());
    told.extend(news(&mut world, &admin, &mut seen).await);
    insta::assert_snapshot!(told.join("\n"));
    let whole = world.get(&format!("{ALL}?limit=100")).bearer(&admin).quietly().await.body;
    for secret in ["wrong", "my-password", "000000", "@example.com", "newcomer"] {
        assert!(!whole.contains(secret), "{secret} in {whole}");
    }
}

#[tokio::test]
async fn a_person_sees_who_tried_and_from_where() {
    let mut world = World::start().await;
    world.register("alice", "secret123").await;
    let alice = world.sign_in("alice", "secret123").await;
    world.clock.advance(Duration::from_secs(1));
    world.post(LOGIN, login("alice", "wrong-one")).header("user-agent", "a stranger's").quietly().await;
    world.post(LOGIN, login("nobody", "wrong-one")).header("user-agent", "a stranger's").quietly().await;
    world.get(&format!("{OWN}?limit=1")).bearer(&alice).await.is(200, 0);
    let seen = items(&mut world, &alice, OWN).await;
    let refused = seen.iter().filter(|event| event["outcome"] == "refused").count();
    assert_eq!(refused, 1, "{seen:?}");
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn what_waits_is_not_recorded_and_what_is_is_forgotten_after_90_days() {
    let mut world = World::start().await;
    let admin = world.server.admin_token().reveal().to_owned();
    world.register("alice", "secret123").await;
    let all = format!("{ALL}?limit=100");
    let count = |items: Vec<Value>| items.iter().filter(|event| event["outcome"] == "refused").count();
    for status in [[401; 5], [429; 5]].concat() {
        let answer = world.post(LOGIN, login("alice", "wrong-one")).quietly().await;
        assert_eq!(answer.status, status, "{}", answer.body);
    }
    assert_eq!(count(items(&mut world, &admin, &all).await), 5, "one for each that was looked at");
    let asked = vec![(LOGIN.to_owned(), login("bob", "wrong-one")); 50];
    let answers = world.all_at_once(asked).await;
    let looked_at = answers.iter().filter(|answer| answer.status == 401).count();
    assert_eq!(count(items(&mut world, &admin, &all).await), 5 + looked_at);
    world.clock.advance(Duration::from_secs(90 * 86_400));
    let left = items(&mut world, &admin, &all).await;
    assert_eq!(count(left.clone()), 0);
    assert!(!left.is_empty(), "what was done is kept");
}
