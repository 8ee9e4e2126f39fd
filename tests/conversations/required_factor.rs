//! A second factor that must be had: by the deployment's rule or by an administrator's word for one account.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::contracts::{CONTRACTS, asking_who, log_in, token_of};
use crate::rows::brief;
use crate::structure::read;
use crate::support::World;

const PROFILE: &str = "/api/v1/profile";
const SETUP: &str = "/api/v1/auth/2fa/setup";
const DISABLE: &str = "/api/v1/auth/2fa/disable";
const REFRESH: &str = "/api/v1/auth/refresh";
const USERS: &str = "/api/v1/admin/users";

/// What is open to who has yet to set one up, besides signing out. (`verify` answers others about them: 403 too.)
const OPEN: [(&str, &str); 5] = [
    ("get", "/kite/api/v1/profile"),
    ("post", "/kite/api/v1/auth/2fa/setup"),
    ("post", "/kite/api/v1/auth/2fa/enable"),
    ("post", "/kite/api/v1/auth/change-password"),
    // For who has to choose a password, and refused to everybody else, once the request is read.
    ("post", "/kite/api/v1/auth/first-login-reset"),
];

async fn where_required_of(whom: &str) -> World {
    World::with(|options| options.with("REQUIRE_SECOND_FACTOR", whom)).await
}

/// An account, its id and a session's token.
async fn alice(world: &mut World) -> (String, String) {
    world.register("alice", "secret123").await;
    let session = world.sign_in("alice", "secret123").await;
    let id = world.get(PROFILE).bearer(&session).quietly().await.text("/data/id");
    (id, session)
}

/// What each endpoint answers that takes a token, but for signing out: method, path and status.
async fn walked(world: &mut World, token: &str) -> Vec<(String, String, u16)> {
    let mut told = Vec::new();
    for contract in CONTRACTS {
        let described: Value = serde_json::from_str(&read(&format!("docs/openapi/{contract}.json"))).expect("JSON");
        for (path, operations) in described["paths"].as_object().expect("paths") {
            for (method, operation) in operations.as_object().expect("operations") {
                let ways = operation["security"].as_array().cloned().unwrap_or_default();
                if ways.is_empty() || ways.contains(&json!({})) || path.ends_with("/logout") {
                    continue;
                }
                let asked = format!("/{contract}{}", path.replace("{id}", "x").replace("{account}", "x"));
                let verb: Method = method.to_uppercase().parse().expect("a method");
                let ask = world.ask(verb, &asked).json(json!({})).bearer(token).quietly();
                told.push((method.clone(), asked, ask.await.status.as_u16()));
            }
        }
    }
    told
}

#[tokio::test]
async fn nothing_is_open_before_it_is_set_up_but_that() {
    let mut world = where_required_of("administrators").await;
    let boss = world.boss().await;
    let walked = walked(&mut world, &boss).await;
    assert!(walked.len() > 40, "few endpoints: {}", walked.len());
    for (method, path, status) in walked {
        let open = OPEN.contains(&(method.as_str(), path.as_str()));
        assert_eq!(status == 403, !open, "{method} {path}: {status}");
        assert_ne!(status, 401, "{method} {path}");
    }
    for sign_out in ["/zeaya/api/auth/logout", "/kite/api/v1/auth/logout"] {
        let boss = world.sign_in("boss", "strong-new-password").await;
        world.ask(Method::POST, sign_out).bearer(&boss).quietly().await.is(200, 0);
        world.get(PROFILE).bearer(&boss).quietly().await.is(401, 40102);
    }
}

#[tokio::test]
async fn an_administrator_without_one_sets_it_up_and_then_administers() {
    let mut world = where_required_of("administrators").await;
    world.note("the password comes first");
    let newcomer = world.sign_in("admin", "admin").await;
    world.post(SETUP, json!({})).bearer(&newcomer).await;
    world.boss().await;
    world.note("signing in says what is missing");
    let login = json!({"username": "boss", "password": "strong-new-password"});
    let opened = world.post("/api/v1/auth/login", login).await;
    let boss = opened.text("/data/access_token");
    world.get(PROFILE).bearer(&boss).await.is(200, 0);
    world.get(USERS).bearer(&boss).await.is(403, 40303);
    world.post("/api/v1/tokens", json!({"name": "a way around"})).bearer(&boss).await.is(403, 40303);
    let refresh = json!({"refresh_token": opened.text("/data/refresh_token")});
    world.post(REFRESH, refresh.clone()).await.is(403, 40303);
    let change = json!({"old_password": "strong-new-password", "new_password": "stronger-password"});
    world.post("/api/v1/auth/change-password", change).bearer(&boss).await.is(200, 0);
    world.note("once it is on the same session is whole");
    let (authenticator, _) = world.add_second_factor(&boss).await;
    world.get(USERS).bearer(&boss).await.is(200, 0);
    world.post(REFRESH, refresh).quietly().await.is(200, 0);
    let off = json!({"password": "stronger-password", "code": authenticator.next_code(&world)});
    world.post(DISABLE, off).bearer(&boss).await.is(403, 40303);
    world.note("others need none");
    let (_, alice) = alice(&mut world).await;
    world.get("/api/v1/sessions").bearer(&alice).quietly().await.is(200, 0);
    insta::assert_snapshot!(brief(world.transcript()));
}

#[tokio::test]
async fn an_administrator_demands_one_of_an_account() {
    let mut world = World::start().await;
    let admin = world.server.admin_token().reveal().to_owned();
    let (id, session) = alice(&mut world).await;
    let program = world.api_token(&session).await;
    let user = format!("{USERS}/{id}");
    world.put(&user, json!({"totp_required": "yes"})).bearer(&admin).await.is(400, 40000);
    world.put(&user, json!({"totp_required": true})).bearer(&admin).await.is(200, 0);
    world.note("at once, for sessions and programs that were there before");
    world.get("/api/v1/sessions").bearer(&session).await.is(403, 40303);
    world.get(PROFILE).bearer(&program).await.is(403, 40303);
    world.note("in every contract, and to services that ask");
    for contract in CONTRACTS {
        let answer = log_in(&mut world, contract, "alice", "secret123").await;
        let (path, _) = asking_who(contract);
        world.get(path).bearer(&token_of(contract, &answer)).await;
    }
    world.post("/sproutgate/api/auth/verify", json!({"token": session})).await;
    world.note("until it is on");
    let (authenticator, _) = world.add_second_factor(&session).await;
    world.get(PROFILE).bearer(&program).await.is(200, 0);
    world.post("/sproutgate/api/auth/verify", json!({"token": session})).quietly().await;
    world.note("it can't be turned off while it is demanded");
    let code = authenticator.next_code(&world);
    let off = json!({"password": "secret123", "code": code});
    world.post(DISABLE, off.clone()).bearer(&session).await.is(403, 40303);
    world.put(&user, json!({"totp_required": false})).bearer(&admin).quietly().await.is(200, 0);
    world.clock.advance(Duration::from_secs(1));
    world.post(DISABLE, off).bearer(&session).await.is(200, 0);
    world.note("all of that is in the trail");
    let trail = world.get("/api/v1/audit").bearer(&session).quietly().await;
    let items = trail.json()["data"]["items"].as_array().cloned().expect("events");
    let acts: Vec<_> = items.iter().filter_map(|event| event["action"].as_str()).collect();
    let told = acts.iter().filter(|act| act.starts_with("second_factor")).copied().collect::<Vec<_>>();
    let expected = ["second_factor_off", "second_factor_not_demanded", "second_factor_on", "second_factor_demanded"];
    assert_eq!(told, expected);
    insta::assert_snapshot!(brief(world.transcript()));
}

#[tokio::test]
async fn everyone_may_be_meant_and_who_lost_theirs_sets_up_another() {
    let mut world = where_required_of("everyone").await;
    let admin = world.server.admin_token().reveal().to_owned();
    let (id, session) = alice(&mut world).await;
    world.get("/zeaya/api/auth/user").bearer(&session).await;
    world.add_second_factor(&session).await;
    world.get("/zeaya/api/auth/user").bearer(&session).quietly().await.is(200, 0);
    world.note("an administrator's reset leaves nothing but the way to another one");
    world.post(&format!("{USERS}/{id}/2fa/reset"), json!({})).bearer(&admin).await.is(200, 0);
    let session = world.sign_in("alice", "secret123").await;
    world.get("/api/v1/emails").bearer(&session).await.is(403, 40303);
    world.add_second_factor(&session).await;
    world.get("/api/v1/emails").bearer(&session).quietly().await.is(200, 0);
    insta::assert_snapshot!(brief(world.transcript()));
}
