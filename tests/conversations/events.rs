//! The events under `events/`, through the very code that Lambda runs: from API Gateway's JSON to API Gateway's JSON.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use lambda_runtime::{Context, LambdaEvent};
use polygate_shared::aws::lambda;
use polygate_shared::http::{Endpoints, Front, Group, paths};
use polygate_shared::identity::{ClaimKind, Clock};
use polygate_shared::settings::Settings;
use serde_json::{Value, json};

use crate::people::Authenticator;
use crate::support::World;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every event by `contract/endpoint`.
pub(crate) fn all_events() -> BTreeMap<String, Value> {
    let mut events = BTreeMap::new();
    let folders = std::fs::read_dir(root().join("events")).expect("events");
    for folder in folders.map(|entry| entry.expect("a folder").path()).filter(|path| path.is_dir()) {
        for file in std::fs::read_dir(&folder).expect("a folder").map(|entry| entry.expect("a file").path()) {
            let name = |path: &PathBuf| path.file_stem().expect("a name").to_string_lossy().into_owned();
            let text = std::fs::read_to_string(&file).expect("a file");
            let event = serde_json::from_str(&text).expect("JSON");
            events.insert(format!("{}/{}", name(&folder), name(&file)), event);
        }
    }
    events
}

/// The group whose function the gateway gives this path to: that of its route, else the default route's.
fn group_of(event: &Value) -> Group {
    let path = event["rawPath"].as_str().expect("a path");
    let bare =
        ["/kite", "/zeaya", "/sproutgate", "/mcphub"].iter().find_map(|mount| path.strip_prefix(mount)).unwrap_or(path);
    let mut fitting = paths().into_iter().filter(|(route, _)| fits(route, bare));
    let groups = fitting.next().map(|(_, groups)| groups);
    assert!(fitting.next().is_none(), "{path} fits several routes");
    groups.and_then(|groups| groups.first().copied()).unwrap_or(Group::Refresh)
}

/// Whether a path is one of a route: a parameter takes any one segment.
pub(crate) fn fits(route: &str, path: &str) -> bool {
    let (route, path): (Vec<_>, Vec<_>) = (route.split('/').collect(), path.split('/').collect());
    let fits = |(expected, given): (&&str, &&str)| match expected.starts_with('{') {
        true => !given.is_empty(),
        false => expected == given,
    };
    route.len() == path.len() && route.iter().zip(&path).all(fits)
}

pub(crate) async fn play(world: &World, group: Group, event: &Value) -> Value {
    if let Some(functions) = &world.functions {
        return functions.invoke(group, event).await;
    }
    let settings = Settings::parse(&|_| None).expect("defaults");
    let front = Front::new(&[Endpoints::of_group(group)], Arc::clone(world.server.identity()), &settings);
    let payload = serde_json::from_value(event.clone()).expect("an API Gateway event");
    let answer = lambda::handle(front, LambdaEvent::new(payload, Context::default())).await.expect("an answer");
    serde_json::to_value(answer).expect("JSON")
}

#[tokio::test]
async fn each_is_answered_as_lambda_would_answer() {
    let world = world().await;
    let mut told = String::new();
    // Those that sign in do it as whom the others registered.
    let (first, then): (Vec<_>, Vec<_>) = all_events().into_iter().partition(|(name, _)| name.ends_with("/register"));
    for (name, event) in first.into_iter().chain(then) {
        let (status, answer) = told_answer(&world, &name, &event).await;
        assert!(status < 500, "{name}: {answer}");
        if ["kite/login", "zeaya/login", "mcphub/login"].contains(&name.as_str()) {
            assert_eq!(status, 200, "{answer}");
        }
        told.push_str(&answer);
    }
    insta::assert_snapshot!(told);
}

#[tokio::test]
async fn each_that_carries_a_credential_succeeds_with_a_live_one() {
    let mut told = String::new();
    for (name, mut event) in all_events() {
        let Some(place) = Place::of(&event) else { continue };
        // A world for each, so that none depends on what another changed.
        let mut world = world().await;
        let named = ["update-user", "deactivate-user", "delete-user", "2fa-reset", "show-usage", "end-users-sessions"];
        if named.iter().any(|end| name.ends_with(end)) {
            name_somebody(&mut world, &mut event).await;
        }
        let credential = live_credential(&mut world, &name, &event, place).await;
        place.put(&mut event, &credential);
        live_subject(&mut world, &name, &mut event, &credential).await;
        let (status, answer) = told_answer(&world, &name, &event).await;
        assert!((200..300).contains(&status), "{answer}");
        told.push_str(&answer);
    }
    insta::assert_snapshot!(told);
}

/// Tokens tell their issuer, which must not differ each time, since the answers' lengths are told.
async fn world() -> World {
    World::with(|options| options.with("ISSUER", "https://id.example.com")).await
}

/// Where an event carries a credential, for which the file has a stand-in.
#[derive(Clone, Copy)]
enum Place {
    Bearer,
    AuthToken,
    AdminToken,
    Cookie,
    RefreshToken,
    VerifiedToken,
}

impl Place {
    const ALL: [Self; 6] =
        [Self::Bearer, Self::AuthToken, Self::AdminToken, Self::Cookie, Self::RefreshToken, Self::VerifiedToken];

    fn stand_in(self) -> &'static str {
        match self {
            Self::Bearer => "Bearer not-a-token",
            Self::AuthToken => "not-a-token",
            Self::AdminToken => "not-the-token",
            Self::Cookie => "access_token=not-a-token",
            Self::RefreshToken => r#"{"refresh_token": "pgr_not-a-token"}"#,
            Self::VerifiedToken => r#"{"token": "jwt-token"}"#,
        }
    }

    fn of(event: &Value) -> Option<Self> {
        Self::ALL.into_iter().find(|place| place.at(event).is_some_and(|carried| *carried == place.stand_in()))
    }

    fn at(self, event: &Value) -> Option<&Value> {
        event.pointer(self.pointer())
    }

    fn pointer(self) -> &'static str {
        match self {
            Self::Bearer => "/headers/authorization",
            Self::AuthToken => "/headers/x-auth-token",
            Self::AdminToken => "/headers/x-admin-token",
            Self::Cookie => "/cookies/0",
            Self::RefreshToken | Self::VerifiedToken => "/body",
        }
    }

    fn put(self, event: &mut Value, credential: &str) {
        let carried = match self {
            Self::Bearer => format!("Bearer {credential}"),
            Self::AuthToken | Self::AdminToken => credential.to_owned(),
            Self::Cookie => format!("access_token={credential}"),
            Self::RefreshToken => json!({"refresh_token": credential}).to_string(),
            Self::VerifiedToken => json!({"token": credential}).to_string(),
        };
        *event.pointer_mut(self.pointer()).expect("the stand-in") = carried.into();
    }
}

/// What the event needs, of somebody who just signed in and may do what it asks for.
async fn live_credential(world: &mut World, name: &str, event: &Value, place: Place) -> String {
    match place {
        Place::AdminToken => return world.server.admin_token().reveal().to_owned(),
        Place::Bearer | Place::AuthToken | Place::Cookie | Place::RefreshToken | Place::VerifiedToken => {}
    }
    if name == "kite/first-login-reset" {
        return world.sign_in("admin", "admin").await;
    }
    if group_of(event) == Group::Admin {
        return administrator(world).await;
    }
    // A form, which goes in base64, says no password.
    let json = event["body"].as_str().filter(|_| event["isBase64Encoded"] == json!(false));
    let body: Value = json.map_or(Value::Null, |body| serde_json::from_str(body).expect("JSON"));
    // Who changes a password says the one that the account has.
    let password = body.get("old_password").or(body.get("currentPassword")).and_then(Value::as_str);
    let password = password.unwrap_or("secret123");
    world.register("alice", password).await;
    let login = json!({"username": "alice", "password": password});
    let answer = world.post("/kite/api/v1/auth/login", login).quietly().await;
    let refreshes = matches!(place, Place::RefreshToken);
    answer.text(if refreshes { "/data/refresh_token" } else { "/data/access_token" })
}

/// Makes the account that the event's path names; its id is another each time.
async fn name_somebody(world: &mut World, event: &mut Value) {
    world.register("demo", "secret123").await;
    let named = world.server.store().claims(&[(ClaimKind::Name, "demo".to_owned())]).await.expect("a claim");
    let id = named[0].account.to_string();
    for pointer in ["/rawPath", "/requestContext/http/path"] {
        let path = event.pointer_mut(pointer).expect("a path");
        *path = path.as_str().expect("a text").replace(NOBODY, &id).into();
    }
}

/// The id in the events' paths.
const NOBODY: &str = "01990000-0000-7000-8000-000000000000";

/// Puts what an event is about in place of its stand-in: a code that was just mailed, a token that was just made.
async fn live_subject(world: &mut World, name: &str, event: &mut Value, credential: &str) {
    let asked = match name {
        "kite/email-change-confirm" => Some(("/kite/api/v1/auth/email-change/request", "new_email")),
        "kite/verify-email" => Some(("/kite/api/v1/emails", "email")),
        "sproutgate/secondary-email-verify" => Some(("/sproutgate/api/auth/secondary-email/request", "email")),
        _ => None,
    };
    if let Some((path, field)) = asked {
        let mut body: Value = serde_json::from_str(event["body"].as_str().expect("a body")).expect("JSON");
        let address = body[field].as_str().expect("an address").to_owned();
        world.post(path, json!({field: address})).bearer(credential).quietly().await;
        body["code"] = world.code_for(&address).into();
        event["body"] = body.to_string().into();
    }
    if ["kite/promote-email", "kite/remove-email"].contains(&name) {
        world.add_email(credential, "second@example.com").await;
    }
    if name == "kite/end-session" {
        let listed = world.get("/kite/api/v1/sessions").bearer(credential).quietly().await;
        event["rawPath"] = format!("/kite/api/v1/sessions/{}", listed.text("/data/0/id")).into();
    }
    if ["kite/audit", "kite/own-audit"].contains(&name) {
        // The newest event, a moment younger than all others.
        world.clock.advance(Duration::from_secs(1));
        world.api_token(credential).await;
    }
    if name == "kite/2fa-enable" {
        let prepared = world.post("/kite/api/v1/auth/2fa/setup", json!({})).bearer(credential).quietly().await;
        let code = Authenticator::of(&prepared.text("/data/secret")).code_at(world.clock.now());
        event["body"] = json!({"code": code}).to_string().into();
    }
    if ["kite/2fa-disable", "kite/2fa-recovery-codes"].contains(&name) {
        let (authenticator, _) = world.add_second_factor(credential).await;
        let code = authenticator.next_code(world);
        event["body"] = json!({"password": "secret123", "code": code}).to_string().into();
    }
    if name == "kite/lift-undeliverable" {
        crate::bounces::reported(world, "complaint", "anna@example.com").await;
    }
    if name == "kite/revoke-token" {
        let made = world.post("/kite/api/v1/tokens", json!({"name": "backup"})).bearer(credential).quietly().await;
        event["rawPath"] = format!("/kite/api/v1/tokens/{}", made.text("/data/id")).into();
    }
}

/// The access token of an administrator whose first-login reset is done.
async fn administrator(world: &mut World) -> String {
    let token = world.sign_in("admin", "admin").await;
    let reset = json!({"username": "real-admin", "email": "admin@example.com", "password": "strong-new-password"});
    let done = world.post("/kite/api/v1/auth/first-login-reset", reset).bearer(&token).quietly().await;
    done.text("/data/access_token")
}

/// The status, and the whole answer as snapshots have it.
async fn told_answer(world: &World, name: &str, event: &Value) -> (u64, String) {
    let group = group_of(event);
    let mut answer = play(world, group, event).await;
    let status = answer["statusCode"].as_u64().expect("a status");
    assert!(answer["body"].as_str().is_some_and(|body| !body.is_empty()), "{name}: an empty body");
    answer["body"] = redacted(&answer["body"]);
    if answer.pointer("/body/data/qr").is_some() {
        // How long a picture is depends on what it shows.
        answer["headers"]["content-length"] = "[length]".into();
    }
    if let Some(cookies) = answer["cookies"].as_array() {
        let names =
            cookies.iter().map(|cookie| cookie.as_str().and_then(|cookie| cookie.split('=').next()).expect("a name"));
        answer["cookies"] = names.collect::<Vec<_>>().into();
    }
    let pretty = serde_json::to_string_pretty(&answer).expect("JSON");
    (status, format!("{name} → {}: {pretty}\n", group.name()))
}

/// The body as JSON, with what differs each time replaced.
fn redacted(body: &Value) -> Value {
    let mut body: Value = serde_json::from_str(body.as_str().expect("a text")).expect("JSON");
    crate::redaction::redact("", &mut body);
    body
}

#[test]
fn every_group_and_contract_has_one() {
    let mut seen = BTreeMap::<Group, Vec<String>>::new();
    for (name, event) in all_events() {
        seen.entry(group_of(&event)).or_default().push(name.split('/').next().expect("a contract").to_owned());
    }
    let all = ["kite", "zeaya", "sproutgate", "mcphub"].as_slice();
    for (group, contracts) in [
        (Group::Login, all),
        (Group::Register, all),
        // Contracts without endpoints of this group have their unknown paths answered by it.
        (Group::Refresh, all),
        (Group::Profile, all),
        // The other two contracts have no administrator's side.
        (Group::Admin, ["kite", "sproutgate"].as_slice()),
    ] {
        for contract in contracts {
            assert!(seen[&group].iter().any(|known| known == contract), "no event of {contract} for {}", group.name());
        }
    }
}

#[tokio::test]
async fn whatever_the_gateway_hands_over_is_answered() {
    let world = World::start().await;
    let event = &all_events()["zeaya/unknown-path"];
    for (path, query, stage) in [
        ("/zeaya/a b/ä/<x>\\`", "", "$default"),
        ("//zeaya", "", "$default"),
        ("", "", "$default"),
        ("/zeaya/%", "%", "$default"),
        ("/zeaya/a?b#c", "a=<x>&b= \"{}|^`", "$default"),
        ("/prod/zeaya/api/auth/nowhere", "lang=en", "prod"),
    ] {
        let mut event = event.clone();
        event["rawPath"] = path.into();
        event["rawQueryString"] = query.into();
        event["requestContext"]["stage"] = stage.into();
        event["headers"]["x-forwarded-proto"] = "no scheme".into();
        let answer = play(&world, Group::Refresh, &event).await;
        assert_eq!(answer["statusCode"], json!(404), "{path}: {answer}");
        if stage == "prod" {
            assert_eq!(answer["body"], json!("{\"code\":404,\"message\":\"No such endpoint\"}"));
        }
    }
}

/// `lambda_http` makes an address of it, and would panic: found by fuzzing.
#[tokio::test]
async fn a_host_that_is_none_is_answered_like_an_unknown_one() {
    let world = World::start().await;
    let hosts = |name: &str| (name == "CONTRACT_HOSTS").then(|| "photos.example.com=zeaya".to_owned());
    let settings = Settings::parse(&hosts).expect("settings");
    let front = Front::new(&[Endpoints::of_group(Group::Refresh)], Arc::clone(world.server.identity()), &settings);
    let ask = async |header: Option<&str>, domain: &str| {
        let mut event = all_events()["zeaya/unknown-path"].clone();
        event["rawPath"] = "/api/auth/nowhere".into();
        event["requestContext"]["domainName"] = domain.into();
        match header {
            Some(host) => event["headers"]["host"] = host.into(),
            None => drop(event["headers"].as_object_mut().expect("headers").remove("host")),
        }
        let payload = serde_json::from_value(event).expect("an API Gateway event");
        let answer = lambda::handle(front.clone(), LambdaEvent::new(payload, Context::default())).await;
        serde_json::to_value(answer.expect("an answer")).expect("JSON")["body"].clone()
    };
    let (mapped, unknown) = ("photos.example.com", "id.example.com");
    let (zeaya, root) = (ask(Some(mapped), unknown).await, ask(Some(unknown), mapped).await);
    assert_ne!(zeaya, root);
    assert_eq!(ask(None, mapped).await, zeaya);
    for none in ["a]b", "xn--a", "1.2.3.999", "x:99999", "", "a b", "@", "/kite/api/v1/health?"] {
        assert_eq!(ask(Some(none), mapped).await, root, "{none}");
        assert_eq!(ask(None, none).await, root, "{none}");
    }
}

#[tokio::test]
async fn a_base64_body_is_read() {
    use base64::Engine;
    let world = World::start().await;
    let mut event = all_events()["mcphub/register"].clone();
    let body = event["body"].as_str().expect("a body").to_owned();
    event["body"] = base64::engine::general_purpose::STANDARD.encode(body).into();
    event["isBase64Encoded"] = true.into();
    let answer = play(&world, Group::Register, &event).await;
    assert_eq!(answer["statusCode"], json!(200), "{answer}");
}
