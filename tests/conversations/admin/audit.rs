//! The audit trail: what administrators read of the deployment, and what people read of their own accounts.

use std::collections::BTreeSet;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::create;
use crate::support::World;

pub(super) const ALL: &str = "/api/v1/admin/audit";
pub(super) const OWN: &str = "/api/v1/audit";

pub(super) async fn items(world: &mut World, by: &str, path: &str) -> Vec<Value> {
    let answer = world.get(path).bearer(by).quietly().await;
    answer.json()["data"]["items"].as_array().unwrap_or_else(|| panic!("{}", answer.body)).clone()
}

fn id_of(event: &Value) -> String {
    event["id"].as_str().expect("an id").to_owned()
}

/// An event in one line; ids have no place in it.
fn line(event: &Value) -> String {
    let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).unwrap_or("–").to_owned();
    let detail = text("/detail");
    let detail = if detail.len() == 36 { "(id)".to_owned() } else { detail };
    let actor = match text("/actor/kind").as_str() {
        "account" => text("/actor/account/username"),
        kind => kind.to_owned(),
    };
    let refused = if text("/outcome") == "refused" { "refused: " } else { "" };
    let line = format!("{refused}{} {detail} by {actor} to {}", text("/action"), text("/subject/username"));
    format!("{line} through {} from {}", text("/interface"), text("/source")).replace("  ", " ")
}

/// What was recorded since `seen` was filled last, all in one instant and so in no order of its own. What is recorded later
/// is a moment younger.
pub(super) async fn news(world: &mut World, by: &str, seen: &mut BTreeSet<String>) -> Vec<String> {
    let mut items = items(world, by, ALL).await;
    items.retain(|event| seen.insert(id_of(event)));
    world.clock.advance(Duration::from_millis(1));
    let mut lines: Vec<_> = items.iter().map(line).collect();
    lines.sort();
    lines
}

#[tokio::test]
async fn every_act_leaves_its_event_and_nothing_else_does() {
    let mut world = World::start().await;
    let token = world.server.admin_token().reveal().to_owned();
    let boss = world.boss().await;
    let mut seen = BTreeSet::new();
    let mut told = vec!["# the first administrator".to_owned()];
    told.extend(news(&mut world, &token, &mut seen).await);
    let alice = create(&mut world, &boss, "alice", "user").await;
    told.push("# an account".to_owned());
    told.extend(news(&mut world, &token, &mut seen).await);
    let path = format!("/api/v1/admin/users/{alice}");
    let demo = "/sproutgate/api/admin/users/demo";
    for (what, method, path, body, by) in [
        (
            "another account, by the deployment's token",
            Method::POST,
            "/sproutgate/api/admin/users",
            super::demo(),
            &token,
        ),
        (
            "role, name and password",
            Method::PUT,
            &path,
            json!({"role": "admin", "username": "alicia", "password": "other-secret"}),
            &boss,
        ),
        ("addresses", Method::PUT, demo, json!({"email": "new@example.com", "secondaryEmails": []}), &token),
        ("what has no name of its own", Method::PUT, &path, json!({"storage_limit": 5}), &boss),
        ("nothing", Method::PUT, &path, json!({"storage_limit": 5}), &boss),
        ("refused", Method::PUT, &path, json!({"username": "demo"}), &boss),
        ("disabled", Method::DELETE, &path, Value::Null, &boss),
        ("disabled twice", Method::DELETE, &path, Value::Null, &boss),
        ("enabled", Method::PUT, &path, json!({"is_active": true}), &boss),
        ("settings", Method::PUT, "/api/v1/admin/settings", json!({"default_storage_limit": 7}), &boss),
        ("the same settings", Method::PUT, "/api/v1/admin/settings", json!({"default_storage_limit": 7}), &boss),
        (
            "usage",
            Method::POST,
            "/api/v1/admin/usage",
            json!({"changes": [{"username": "demo", "add": {"photos": 1}}]}),
            &boss,
        ),
        ("deleted", Method::DELETE, demo, Value::Null, &boss),
        ("deleted twice", Method::DELETE, demo, Value::Null, &boss),
    ] {
        world.ask(method, path).json(body).bearer(by).quietly().await;
        told.push(format!("# {what}"));
        told.extend(news(&mut world, &token, &mut seen).await);
    }
    insta::assert_snapshot!("every_act", told.join("\n"));
    world.get(&format!("{ALL}?limit=3")).bearer(&boss).await;
    world.get(&format!("{ALL}?user_id={alice}&limit=2")).bearer(&token).await;
    insta::assert_snapshot!(world.transcript().replace(&alice, "[id]"));
    world.is_sound().await;
}

#[tokio::test]
async fn a_person_reads_what_happened_to_the_account() {
    let mut world = World::start().await;
    let boss = world.boss().await;
    let token = world.server.admin_token().reveal().to_owned();
    let mut seen = BTreeSet::new();
    news(&mut world, &token, &mut seen).await;
    world.register("alice", "secret123").await;
    let mut told = vec!["# registered".to_owned()];
    told.extend(news(&mut world, &token, &mut seen).await);
    let alice = world.sign_in("alice", "secret123").await;
    world.sign_in("alice", "secret123").await;
    told.push("# signed in twice".to_owned());
    told.extend(news(&mut world, &token, &mut seen).await);
    let made = world.post("/api/v1/tokens", json!({"name": "backup"})).bearer(&alice).quietly().await;
    told.push("# an API token".to_owned());
    told.extend(news(&mut world, &token, &mut seen).await);
    let revoke = format!("/api/v1/tokens/{}", made.text("/data/id"));
    world.add_email(&alice, "second@example.com").await;
    for (what, method, path, body) in [
        ("a further address", Method::GET, OWN, Value::Null),
        ("revoked", Method::DELETE, revoke.as_str(), Value::Null),
        ("the address", Method::POST, "/api/v1/emails/remove", json!({"email": "second@example.com"})),
        ("profile", Method::PUT, "/api/v1/profile", json!({"nickname": "Al"})),
        (
            "password",
            Method::POST,
            "/api/v1/auth/change-password",
            json!({"old_password": "secret123", "new_password": "secret124"}),
        ),
        (
            "a wrong one",
            Method::POST,
            "/api/v1/auth/change-password",
            json!({"old_password": "secret123", "new_password": "secret125"}),
        ),
        ("all other sessions", Method::DELETE, "/api/v1/sessions", Value::Null),
    ] {
        world.ask(method, path).json(body).bearer(&alice).quietly().await;
        told.push(format!("# {what}"));
        told.extend(news(&mut world, &token, &mut seen).await);
    }
    world.add_second_factor(&alice).await;
    told.push("# a second factor, which an administrator resets".to_owned());
    told.extend(news(&mut world, &token, &mut seen).await);
    let id = world.get("/api/v1/profile").bearer(&alice).quietly().await.text("/data/id");
    world.post(&format!("/api/v1/admin/users/{id}/2fa/reset"), json!({})).bearer(&boss).quietly().await.is(200, 0);
    told.extend(news(&mut world, &token, &mut seen).await);
    insta::assert_snapshot!("a_persons_acts", told.join("\n"));
    world.note("what administrators did, but not who");
    let alice = world.sign_in("alice", "secret124").await;
    world.get(&format!("{OWN}?limit=4")).bearer(&alice).await;
    let whole = world.get(OWN).bearer(&alice).quietly().await.body;
    for secret in ["secret12", "boss", "@example.com", "pgt_", "pgr_"] {
        assert!(!whole.contains(secret), "{secret} in {whole}");
    }
    let program = world.api_token(&alice).await;
    world.get(OWN).bearer(&program).await;
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn a_reset_and_a_copied_refresh_token_are_recorded() {
    let mut world = World::start().await;
    let token = world.server.admin_token().reveal().to_owned();
    world.register("alice", "secret123").await;
    let mut seen = BTreeSet::new();
    let login = json!({"username": "alice", "password": "secret123"});
    let answer = world.post("/api/v1/auth/login", login).quietly().await;
    news(&mut world, &token, &mut seen).await;
    let old = json!({"refresh_token": answer.text("/data/refresh_token")});
    let next = world.post("/api/v1/auth/refresh", old.clone()).quietly().await.text("/data/refresh_token");
    world.post("/api/v1/auth/refresh", json!({"refresh_token": next})).quietly().await.is(200, 0);
    world.clock.advance(Duration::from_secs(11));
    world.post("/api/v1/auth/refresh", old).quietly().await;
    let mut told = news(&mut world, &token, &mut seen).await;
    let forgot = json!({"identifier": "alice@example.com"});
    world.post("/api/v1/auth/password-reset/request", forgot).quietly().await.is(200, 0);
    let code = world.code_for("alice@example.com");
    let reset = json!({"identifier": "alice", "code": code, "new_password": "secret124"});
    world.post("/api/v1/auth/password-reset/confirm", reset.clone()).quietly().await.is(200, 0);
    world.post("/api/v1/auth/password-reset/confirm", reset).quietly().await.is(200, 0);
    told.extend(news(&mut world, &token, &mut seen).await);
    insta::assert_snapshot!(told.join("\n"));
}

#[tokio::test]
async fn pages_keep_their_place_while_events_are_added_and_end_with_the_oldest() {
    let mut world = World::start().await;
    let boss = world.boss().await;
    for nth in 0..9 {
        world.register(&format!("user{nth}"), "secret123").await;
        world.clock.advance(Duration::from_micros(1500));
    }
    let expected: Vec<_> = items(&mut world, &boss, ALL).await.iter().map(id_of).collect();
    assert!(expected.is_sorted_by(|newer, older| newer > older), "{expected:?}");
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = world.get(&format!("{ALL}?limit=2&cursor={cursor}")).bearer(&boss).quietly().await.json();
        found.extend(page["data"]["items"].as_array().expect("items").iter().map(id_of));
        world.register(&format!("late{}", found.len()), "secret123").await;
        match page["data"].get("next_cursor") {
            Some(next) => cursor = next.as_str().expect("a cursor").to_owned(),
            None => break,
        }
    }
    assert_eq!(found, expected);
}

#[tokio::test]
async fn events_are_gone_after_400_days() {
    let mut world = World::start().await;
    let token = world.server.admin_token().reveal().to_owned();
    world.register("alice", "secret123").await;
    world.clock.advance(Duration::from_secs(400 * 86_400 - 1));
    assert!(items(&mut world, &token, ALL).await.iter().any(|event| event["subject"]["username"] == "alice"));
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(items(&mut world, &token, ALL).await, Vec::<Value>::new());
}

#[tokio::test]
async fn who_may_not_read_it_and_what_can_not_be_asked() {
    let mut world = World::start().await;
    let boss = world.boss().await;
    world.get(ALL).await;
    world.register("alice", "secret123").await;
    let alice = world.sign_in("alice", "secret123").await;
    world.get(ALL).bearer(&alice).await;
    let program = world.api_token(&boss).await;
    world.get(ALL).bearer(&program).await;
    for query in ["limit=0", "limit=101", "cursor=yesterday", "user_id=nobody"] {
        world.get(&format!("{ALL}?{query}")).bearer(&boss).await;
    }
    world.get(&format!("{OWN}?limit=no&cursor=1")).bearer(&alice).await;
    world.get(OWN).await;
    world.note("nobody's");
    world.get(&format!("{ALL}?user_id=01990000-0000-7000-8000-000000000000")).bearer(&boss).await;
    insta::assert_snapshot!(world.transcript());
}

/// Does something and tells what was recorded of it.
async fn tell(world: &mut World, told: &mut Vec<String>, seen: &mut BTreeSet<String>, what: &str) {
    let token = world.server.admin_token().reveal().to_owned();
    told.push(format!("# {what}"));
    told.extend(news(world, &token, seen).await);
}

#[tokio::test]
async fn every_contract_records_what_people_do() {
    let mut world = World::start().await;
    let (mut told, mut seen) = (Vec::new(), BTreeSet::new());
    let boss = world.boss().await;
    news(&mut world, &boss, &mut seen).await;
    let zeaya = json!({"username": "zoe", "email": "zoe@example.com", "password": "secret123"});
    let zoe = world.post("/zeaya/api/auth/register", zeaya).quietly().await.text("/data/token");
    tell(&mut world, &mut told, &mut seen, "zeaya: an account, signed in with it").await;
    let change = json!({"old_password": "secret123", "new_password": "secret124"});
    world.put("/zeaya/api/auth/password", change).bearer(&zoe).quietly().await.is(200, 0);
    tell(&mut world, &mut told, &mut seen, "zeaya: the password").await;
    let mcphub = json!({"username": "max", "password": "secret123", "isAdmin": true});
    let made = world.post("/mcphub/api/auth/register", mcphub).header("x-auth-token", &boss).quietly().await;
    tell(&mut world, &mut told, &mut seen, "mcphub: an administrator, by an administrator").await;
    let change = json!({"currentPassword": "secret123", "newPassword": "secret124"});
    let max = made.text("/token");
    world.post("/mcphub/api/auth/change-password", change).header("x-auth-token", &max).quietly().await.has(200);
    tell(&mut world, &mut told, &mut seen, "mcphub: the password").await;
    let demo = world.register_proved("demo").await;
    tell(&mut world, &mut told, &mut seen, "sproutgate: an account by a code, and kite: signed in").await;
    let change = json!({"password": "secret124"});
    world.put("/sproutgate/api/auth/profile", change).bearer(&demo).quietly().await.has(200);
    tell(&mut world, &mut told, &mut seen, "sproutgate: the password").await;
    let other = world.sign_in("demo", "secret124").await;
    let sessions = world.get("/api/v1/sessions").bearer(&other).quietly().await.json();
    let sessions = sessions["data"].as_array().expect("sessions").clone();
    let ended = sessions.iter().find(|session| session["current"] == json!(false)).expect("another")["id"].clone();
    let path = format!("/api/v1/sessions/{}", ended.as_str().expect("an id"));
    world.ask(Method::DELETE, &path).bearer(&other).quietly().await.is(200, 0);
    tell(&mut world, &mut told, &mut seen, "kite: one session").await;
    let name = json!({"username": "eve@example.com", "email": "eve@example.com", "password": "secret123"});
    world.post("/kite/api/v1/auth/register", name).quietly().await.is(201, 0);
    tell(&mut world, &mut told, &mut seen, "kite: an account whose name is an address").await;
    insta::assert_snapshot!(told.join("\n"));
}

#[tokio::test]
async fn what_proves_an_address_and_who_loses_it_are_recorded() {
    let mut world = World::start().await;
    let (mut told, mut seen) = (Vec::new(), BTreeSet::new());
    world.register("alice", "secret123").await;
    tell(&mut world, &mut told, &mut seen, "an account with an address that nobody proved").await;
    let forgot = json!({"identifier": "alice"});
    world.post("/api/v1/auth/password-reset/request", forgot).quietly().await.is(200, 0);
    let reset =
        json!({"identifier": "alice", "code": world.code_for("alice@example.com"), "new_password": "secret124"});
    world.post("/api/v1/auth/password-reset/confirm", reset).quietly().await.is(200, 0);
    tell(&mut world, &mut told, &mut seen, "a reset proves it").await;
    world.register("squatter", "secret123").await;
    let registration =
        json!({"account": "owner", "password": "secret123", "username": "", "email": "squatter@example.com"});
    world.post("/sproutgate/api/auth/register", registration).quietly().await.has(200);
    let proof = json!({"account": "owner", "code": world.code_for("squatter@example.com")});
    tell(&mut world, &mut told, &mut seen, "another one").await;
    world.post("/sproutgate/api/auth/verify-email", proof).quietly().await.has(200);
    tell(&mut world, &mut told, &mut seen, "somebody else proves its address").await;
    insta::assert_snapshot!(told.join("\n"));
    world.is_sound().await;
}

#[tokio::test]
async fn recovery_codes_renewed_and_used_are_recorded() {
    let mut world = World::start().await;
    let (mut told, mut seen) = (Vec::new(), BTreeSet::new());
    world.register("alice", "secret123").await;
    let session = world.sign_in("alice", "secret123").await;
    let (authenticator, recovery) = world.add_second_factor(&session).await;
    tell(&mut world, &mut told, &mut seen, "a second factor").await;
    let code = authenticator.next_code(&world);
    let login = |code: &str| json!({"username": "alice", "password": "secret123", "code": code});
    world.post("/mcphub/api/auth/login", login(&code)).quietly().await.has(200);
    tell(&mut world, &mut told, &mut seen, "a sign-in with it").await;
    world.post("/zeaya/api/auth/login", login(&recovery[0])).quietly().await.is(200, 0);
    tell(&mut world, &mut told, &mut seen, "one with a recovery code").await;
    let code = authenticator.next_code(&world);
    let renew = json!({"password": "secret123", "code": code});
    world.post("/api/v1/auth/2fa/recovery-codes", renew).bearer(&session).quietly().await.is(200, 0);
    tell(&mut world, &mut told, &mut seen, "other recovery codes").await;
    let code = authenticator.next_code(&world);
    let off = json!({"password": "secret123", "code": code});
    world.post("/api/v1/auth/2fa/disable", off).bearer(&session).quietly().await.is(200, 0);
    tell(&mut world, &mut told, &mut seen, "without it").await;
    insta::assert_snapshot!(told.join("\n"));
}
