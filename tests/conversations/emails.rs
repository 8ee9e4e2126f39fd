//! A person's addresses: listed, added by a code, made primary and given up; and a login name that is one of them.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, World};

const EMAILS: &str = "/api/v1/emails";
const VERIFY: &str = "/api/v1/emails/verify";
const PROMOTE: &str = "/api/v1/emails/promote";
const REMOVE: &str = "/api/v1/emails/remove";

fn named(email: &str) -> Value {
    json!({"email": email})
}

/// The addresses of an answer, the primary one first.
fn addresses(answer: &Answer) -> Vec<String> {
    let body = answer.json();
    let listed = body["data"].as_array().unwrap_or_else(|| panic!("{}", answer.body));
    listed.iter().map(|entry| entry["email"].as_str().expect("an address").to_owned()).collect()
}

/// In which of the contracts an identifier and a password sign in the account of this name.
async fn signs_in(world: &mut World, identifier: &str, password: &str, name: &str) -> Vec<bool> {
    let login = json!({"username": identifier, "account": identifier, "password": password});
    let mut done = Vec::new();
    for (path, told) in [
        ("/kite/api/v1/auth/login", "/data/user/username"),
        ("/zeaya/api/auth/login", "/data/user/username"),
        ("/sproutgate/api/auth/login", "/user/account"),
        ("/mcphub/api/auth/login", "/user/username"),
    ] {
        let answer = world.post(path, login.clone()).quietly().await;
        done.push(answer.json().pointer(told) == Some(&json!(name)));
    }
    done
}

/// Has a reset code mailed to an address and sets a password with it.
async fn reset(world: &mut World, address: &str, password: &str) -> u16 {
    world.clock.advance(std::time::Duration::from_secs(60));
    world.post("/api/v1/auth/password-reset/request", json!({"identifier": address})).quietly().await;
    let proof = json!({"identifier": address, "code": world.code_for(address), "new_password": password});
    world.post("/api/v1/auth/password-reset/confirm", proof).quietly().await.status.as_u16()
}

#[tokio::test]
async fn added_promoted_and_removed() {
    let mut world = World::start().await;
    let token = world.register_proved("demo").await;
    world.get(EMAILS).bearer(&token).await;
    world.post(EMAILS, named("Second+Box@example.com")).bearer(&token).await;
    let code = world.code_for("Second+Box@example.com");
    world.post(VERIFY, json!({"email": "second+box@example.com", "code": code})).bearer(&token).await;
    world.note("the same again, as after a lost answer");
    world
        .post(VERIFY, json!({"email": "second+box@example.com", "code": code}))
        .bearer(&token)
        .quietly()
        .await
        .is(200, 0);
    world.note("each signs in, also through the contracts that never show it");
    for identifier in ["demo", "DEMO@example.com", "second+box@EXAMPLE.com"] {
        assert_eq!(signs_in(&mut world, identifier, "demo123", "demo").await, [true; 4], "{identifier}");
    }
    world.post(PROMOTE, named("SECOND+box@example.com")).bearer(&token).await;
    world.get("/sproutgate/api/auth/me").bearer(&token).await;
    world.note("what is primary already stays so");
    world.post(PROMOTE, named("second+box@example.com")).bearer(&token).quietly().await.is(200, 0);
    world.note("each gets a reset code, whichever is primary");
    for (address, password) in [("demo@example.com", "demo456"), ("Second+Box@example.com", "demo789")] {
        assert_eq!(reset(&mut world, address, password).await, 200, "{address}");
        assert_eq!(signs_in(&mut world, address, password, "demo").await, [true; 4], "{address}");
    }
    let token = world.sign_in("demo", "demo789").await;
    world.post(REMOVE, named("demo@example.com")).bearer(&token).await;
    assert_eq!(signs_in(&mut world, "demo@example.com", "demo789", "demo").await, [false; 4]);
    world.note("once");
    world.post(REMOVE, named("demo@example.com")).bearer(&token).await;
    world.note("a code that was used doesn't bring its address back");
    world.post(EMAILS, named("third@example.com")).bearer(&token).quietly().await.is(200, 0);
    let proof = json!({"email": "third@example.com", "code": world.code_for("third@example.com")});
    world.post(VERIFY, proof.clone()).bearer(&token).quietly().await.is(200, 0);
    world.post(REMOVE, named("third@example.com")).bearer(&token).quietly().await.is(200, 0);
    world.post(VERIFY, proof).bearer(&token).await;
    world.note("somebody else may have what was given up");
    world.register("other", "secret123").await;
    let other = world.sign_in("other", "secret123").await;
    world.add_email(&other, "demo@example.com").await;
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn refused() {
    let mut world = World::start().await;
    let first = world.sign_in("admin", "admin").await;
    let token = world.register_proved("demo").await;
    let program = world.api_token(&token).await;
    world.register_proved("other").await;
    world.note("not signed in, not a token, an API token, a password to choose first");
    let all = [(Method::GET, EMAILS), (Method::POST, EMAILS), (Method::POST, VERIFY), (Method::POST, PROMOTE)];
    for bearer in [None, Some("not-a-token"), Some(program.as_str()), Some(first.as_str())] {
        for (method, path) in all.iter().cloned().chain([(Method::POST, REMOVE)]) {
            let ask = world.ask(method.clone(), path);
            let ask =
                if method == Method::GET { ask } else { ask.json(json!({"email": "x@example.com", "code": "000000"})) };
            if let Some(bearer) = bearer {
                ask.bearer(bearer).await
            } else {
                ask.await
            };
        }
    }
    world.note("not JSON, nothing, wrong types, no address");
    for path in [EMAILS, VERIFY, PROMOTE, REMOVE] {
        world.ask(Method::POST, path).raw("application/json", "{").bearer(&token).await;
        world.post(path, json!({})).bearer(&token).await;
        world.post(path, json!({"email": 1, "code": 123_456})).bearer(&token).await;
        world.post(path, json!({"email": "x", "code": "000000"})).bearer(&token).await;
    }
    world.note("the primary one, another account's, nobody's, and a code that was never mailed");
    world.post(REMOVE, named("Demo@example.com")).bearer(&token).await;
    for address in ["other@example.com", "nobody@example.com"] {
        world.post(PROMOTE, named(address)).bearer(&token).await;
        world.post(REMOVE, named(address)).bearer(&token).await;
        world.post(VERIFY, json!({"email": address, "code": "000000"})).bearer(&token).await;
    }
    world.note("two mails in a minute, and a method that isn't");
    world.post(EMAILS, named("second@example.com")).bearer(&token).quietly().await.is(200, 0);
    world.post(EMAILS, named("second@example.com")).bearer(&token).await;
    world.put(EMAILS, json!({})).bearer(&token).await;
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn an_unproved_primary_address_is_given_up_and_a_proved_one_kept_even_as_the_eleventh() {
    let mut world = World::start().await;
    world.register("demo", "demo123").await;
    let token = world.sign_in("demo", "demo123").await;
    for nth in 0..10 {
        world.add_email(&token, &format!("demo{nth}@example.com")).await;
    }
    world.note("ten are enough");
    world.post(EMAILS, named("more@example.com")).bearer(&token).await;
    world.note("the primary one was never proved");
    world.post(PROMOTE, named("demo3@example.com")).bearer(&token).await;
    assert_eq!(signs_in(&mut world, "demo@example.com", "demo123", "demo").await, [false; 4]);
    world.register("demo4711", "secret123").await;
    world.register_proved("nobody").await;
    world.add_email(&token, "demo10@example.com").await;
    let promoted = world.post(PROMOTE, named("demo9@example.com")).bearer(&token).quietly().await;
    let listed = addresses(&promoted);
    assert_eq!((listed.len(), listed[0].as_str(), listed[10].as_str()), (11, "demo9@example.com", "demo3@example.com"));
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn a_login_name_that_is_an_address_stays_the_accounts_own() {
    let mut world = World::start().await;
    let registration = json!({"username": "Anna@Example.com", "email": "anna@example.com", "password": "secret123"});
    world.post("/api/v1/auth/register", registration).quietly().await.is(201, 0);
    let token = world.sign_in("anna@example.com", "secret123").await;
    world.note("not proved: another primary one, and another promoted, would give it up");
    world.put("/api/v1/profile", json!({"email": "new@example.com"})).bearer(&token).await;
    world.add_email(&token, "second@example.com").await;
    world.post(PROMOTE, named("second@example.com")).bearer(&token).await;
    world.note("proved: no code is mailed that could replace it");
    world.add_email(&token, "anna@example.com").await;
    world.put("/api/v1/profile", json!({"email": "new@example.com"})).bearer(&token).await;
    world.post("/api/v1/auth/email-change/request", json!({"new_email": "new@example.com"})).bearer(&token).await;
    assert!(world.mails_to("new@example.com").is_empty());
    world.note("as a further one it stays");
    world.post(PROMOTE, named("second@example.com")).bearer(&token).await;
    world.post(REMOVE, named("ANNA@example.com")).bearer(&token).await;
    world.note("nor can an administrator take it without another name");
    let boss = world.boss().await;
    let path =
        format!("/api/v1/admin/users/{}", world.get("/api/v1/profile").bearer(&token).quietly().await.text("/data/id"));
    let none = json!({"secondaryEmails": []});
    world.put("/sproutgate/api/admin/users/anna%40example.com", none).bearer(&boss).await;
    assert_eq!(signs_in(&mut world, "Anna@example.com", "secret123", "Anna@Example.com").await, [true; 4]);
    let renamed = world.put(&path, json!({"username": "anna"})).bearer(&boss).quietly().await;
    renamed.is(200, 0);
    world.post(REMOVE, named("anna@example.com")).bearer(&token).await;
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn parallel_changes_lose_nothing() {
    let mut world = World::start().await;
    let token = world.register_proved("demo").await;
    let all: Vec<_> = (0..6).map(|nth| format!("demo{nth}@example.com")).collect();
    for address in &all {
        world.add_email(&token, address).await;
    }
    let promote = all.iter().map(|address| (PROMOTE.to_owned(), named(address), token.clone()));
    let remove = all.iter().map(|address| (REMOVE.to_owned(), named(address), token.clone()));
    let answers = world.all_at_once_as(promote.chain(remove).collect()).await;
    let listed = addresses(&world.get(EMAILS).bearer(&token).quietly().await);
    for (nth, address) in all.iter().enumerate() {
        let (promoted, removed) = (&answers[nth], &answers[nth + 6]);
        match removed.status.as_u16() {
            // Primary when it was to be removed, or removed before it was to be promoted.
            409 => assert_eq!((promoted.status.as_u16(), listed.contains(address)), (200, true), "{answers:?}"),
            200 => assert!([200, 404].contains(&promoted.status.as_u16()) && !listed.contains(address), "{answers:?}"),
            other => panic!("{other}: {answers:?}"),
        }
    }
    assert!(listed.contains(&"demo@example.com".to_owned()), "{listed:?}");
    for address in &all {
        let owned = signs_in(&mut world, address, "demo123", "demo").await;
        assert_eq!(owned, [listed.contains(address); 4], "{address} of {listed:?}");
    }
}
