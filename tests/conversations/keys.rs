//! Signing keys: who signs when, and what is still taken.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use polygate_shared::aws::client;
use polygate_shared::aws::dynamodb::DynamoStore;
use polygate_shared::aws::ses::SesMailer;
use polygate_shared::identity::{Clock, Hasher, Identity, KEY_LEAD, KEY_TAIL, Policy, Scope, SystemChance};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::support::World;

const KEYS: &str = "/api/v1/admin/keys";
const ROTATE: &str = "/api/v1/admin/keys/rotate";
/// How long a process keeps the keys that it read.
const KEPT: Duration = Duration::from_secs(300);

fn header_of(token: &str) -> Value {
    let head = token.split('.').next().expect("a header");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(head).expect("base64url")).expect("JSON")
}

fn kid_of(token: &str) -> String {
    header_of(token)["kid"].as_str().expect("a key's id").to_owned()
}

async fn published(world: &mut World) -> Vec<String> {
    let set = world.get("/.well-known/jwks.json").quietly().await.json();
    let keys = set["keys"].as_array().expect("keys");
    keys.iter().map(|key| key["kid"].as_str().expect("an id").to_owned()).collect()
}

/// The statuses of a signed-in request in each contract.
async fn statuses(world: &mut World, token: &str) -> Vec<u16> {
    let mut statuses = Vec::new();
    for path in ["/kite/api/v1/profile", "/zeaya/api/auth/user", "/sproutgate/api/auth/me", "/mcphub/api/auth/user"] {
        statuses.push(world.get(path).bearer(token).quietly().await.status.as_u16());
    }
    statuses
}

/// Signs in through zeaya, whose tokens live for seven days.
async fn long_token(world: &mut World) -> String {
    let login = json!({"username": "alice", "password": "secret123"});
    world.post("/zeaya/api/auth/login", login).quietly().await.text("/data/token")
}

#[tokio::test]
async fn another_key_takes_over_when_every_verifier_knows_it() {
    let mut world = World::start().await;
    let token = world.server.admin_token().reveal().to_owned();
    world.register("alice", "secret123").await;
    let old = long_token(&mut world).await;
    world.get(KEYS).bearer(&token).await;
    world.post(ROTATE, json!({})).bearer(&token).await;
    world.note("once more changes nothing");
    world.post(ROTATE, json!({"at_once": false})).bearer(&token).await;
    assert_eq!(published(&mut world).await.len(), 2, "it is published before it signs");
    world.clock.advance(KEY_LEAD - Duration::from_secs(1));
    let last = long_token(&mut world).await;
    assert_eq!(kid_of(&last), kid_of(&old));
    world.clock.advance(Duration::from_secs(1));
    let new = long_token(&mut world).await;
    assert_ne!(kid_of(&new), kid_of(&old));
    world.note("the other one signs");
    world.get(KEYS).bearer(&token).await;
    for token in [&old, &last, &new] {
        assert_eq!(statuses(&mut world, token).await, [200; 4]);
    }
    world.note("refused once no token of it can be alive");
    world.clock.advance(KEY_TAIL - Duration::from_secs(1));
    assert_eq!(published(&mut world).await, [kid_of(&old), kid_of(&new)]);
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(published(&mut world).await, [kid_of(&new)]);
    world.get(KEYS).bearer(&token).await;
    world.post(ROTATE, json!({"at_once": "now"})).bearer(&token).await;
    world.post(ROTATE, json!({})).await;
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn a_key_that_somebody_else_may_have_is_refused_at_the_next_request() {
    let mut world = World::start().await;
    let token = world.server.admin_token().reveal().to_owned();
    world.register("alice", "secret123").await;
    let old = long_token(&mut world).await;
    let login = json!({"username": "alice", "password": "secret123"});
    let kite = world.post("/kite/api/v1/auth/login", login).quietly().await;
    assert_eq!(statuses(&mut world, &old).await, [200; 4]);
    world.clock.advance(Duration::from_secs(1));
    world.post(ROTATE, json!({"at_once": true})).bearer(&token).await;
    for old in [&old, &kite.text("/data/access_token")] {
        assert_eq!(statuses(&mut world, old).await, [401; 4]);
    }
    assert_eq!(published(&mut world).await.len(), 1);
    world.note("refresh tokens are no matter of keys");
    let refresh = json!({"refresh_token": kite.text("/data/refresh_token")});
    let fresh = world.post("/kite/api/v1/auth/refresh", refresh).quietly().await.text("/data/access_token");
    assert_eq!(statuses(&mut world, &fresh).await, [200; 4]);
    let told = world.get("/api/v1/admin/audit?limit=1").bearer(&token).quietly().await.json();
    let event = &told["data"]["items"][0];
    assert_eq!((&event["action"], &event["detail"]), (&json!("keys_rotated"), &json!("at_once")));
    insta::assert_snapshot!(world.transcript());
}

/// A second process on the same table.
fn another_process(world: &World, policy: Policy) -> Identity {
    process_at(world, &world.server.dynamodb_url(), policy)
}

/// The same on a table that is reached there.
fn process_at(world: &World, endpoint: &str, policy: Policy) -> Identity {
    let table = client::dynamodb(&client::connect_local(endpoint).expect("a configuration"));
    let chance = Arc::new(SystemChance::default());
    let nowhere = client::connect_local("http://127.0.0.1:1").expect("a configuration");
    Identity::new(
        Arc::new(DynamoStore::new(table, world.server.table(), chance.clone())),
        Arc::new(SesMailer::new(&nowhere, "no-reply@example.com")),
        Arc::clone(&world.clock) as Arc<dyn Clock>,
        chance,
        Hasher::new(1),
        policy,
    )
}

#[tokio::test]
async fn what_another_process_rotates_counts_here_before_it_signs_and_after_five_minutes_if_it_must() {
    let mut world = World::start().await;
    let admin = world.server.admin_token().reveal().to_owned();
    world.register("alice", "secret123").await;
    let old = long_token(&mut world).await;
    let other = another_process(&world, Policy::default());
    let by = other
        .authorize_administrator(Some(&admin), Scope::AdminWrite, &Default::default())
        .await
        .expect("an administrator");
    other.rotate_keys(&by, true).await.expect("another key");
    world.clock.advance(KEPT);
    assert_eq!(statuses(&mut world, &old).await, [401; 4]);
    let new = long_token(&mut world).await;
    assert_eq!(vec![kid_of(&new)], published(&mut world).await);
}

#[tokio::test]
async fn a_key_hands_on_by_age() {
    let mut world = World::with(|options| options.with("KEY_MAX_AGE_DAYS", "30")).await;
    world.register("alice", "secret123").await;
    let old = long_token(&mut world).await;
    world.clock.advance(Duration::from_secs(30 * 86_400 - 1));
    assert_eq!(kid_of(&long_token(&mut world).await), kid_of(&old));
    assert_eq!(published(&mut world).await.len(), 1);
    world.clock.advance(KEPT);
    assert_eq!(kid_of(&long_token(&mut world).await), kid_of(&old));
    assert_eq!(published(&mut world).await.len(), 2);
    world.clock.advance(KEY_LEAD);
    assert_ne!(kid_of(&long_token(&mut world).await), kid_of(&old));
}

#[tokio::test]
async fn rs256_is_a_setting_and_can_follow_on_es256() {
    let mut world = World::with(|options| options.with("SIGNING_ALGORITHM", "RS256")).await;
    world.register("alice", "secret123").await;
    let token = long_token(&mut world).await;
    assert_eq!(header_of(&token)["alg"], "RS256");
    assert_eq!(statuses(&mut world, &token).await, [200; 4]);
    let set = world.get("/.well-known/jwks.json").quietly().await.json();
    let key = &set["keys"][0];
    let modulus = URL_SAFE_NO_PAD.decode(key["n"].as_str().expect("a modulus")).expect("base64url");
    assert_eq!(
        (modulus.len(), &key["e"], &key["kty"], &key["alg"]),
        (256, &json!("AQAB"), &json!("RSA"), &json!("RS256"))
    );
    let discovery = world.get("/.well-known/openid-configuration").quietly().await.json();
    assert_eq!(discovery["id_token_signing_alg_values_supported"], json!(["RS256"]));

    let mut world = World::start().await;
    world.register("alice", "secret123").await;
    let old = long_token(&mut world).await;
    let mut policy = Policy::default();
    policy.signing.algorithm = polygate_shared::identity::SigningAlgorithm::Rs256;
    another_process(&world, policy).list_keys().await.expect("keys");
    world.clock.advance(KEY_LEAD);
    let new = long_token(&mut world).await;
    assert_eq!(header_of(&new)["alg"], "RS256");
    for token in [old, new] {
        assert_eq!(statuses(&mut world, &token).await, [200; 4]);
    }
    let discovery = world.get("/.well-known/openid-configuration").quietly().await.json();
    assert_eq!(discovery["id_token_signing_alg_values_supported"], json!(["ES256", "RS256"]));
}

#[tokio::test]
async fn a_hundred_processes_that_start_together_have_one_key() {
    let world = World::start().await;
    let processes: Vec<_> = (0..100).map(|_| another_process(&world, Policy::default())).collect();
    let keys = futures_util::future::join_all(processes.iter().map(Identity::public_keys)).await;
    let keys: BTreeSet<_> = keys
        .into_iter()
        .map(|keys| keys.expect("keys").1)
        .map(|keys| keys.iter().map(|key| key.kid.clone()).collect::<Vec<_>>())
        .collect();
    assert_eq!(keys.len(), 1, "{keys:?}");
    assert_eq!(keys.first().expect("a set").len(), 1);
}

/// Stands between a process and the table. While it holds, an answer to a reading of the keys is kept back.
#[derive(Clone)]
struct Between {
    engine: String,
    client: reqwest::Client,
    holds: Arc<AtomicBool>,
    kept_back: Arc<Notify>,
    let_go: Arc<Notify>,
}

async fn pass_on(State(between): State<Between>, headers: HeaderMap, body: Bytes) -> Response {
    let is_query = headers["x-amz-target"].to_str().is_ok_and(|target| target.ends_with(".Query"));
    let request = between.client.post(&between.engine).body(body);
    let headers = headers.iter().filter(|(name, _)| *name != "host" && *name != "content-length");
    let request = headers.fold(request, |request, (name, value)| request.header(name, value));
    let answer = request.send().await.expect("an answer");
    let status = answer.status();
    let body = answer.bytes().await.expect("a body");
    if is_query && between.holds.swap(false, Ordering::SeqCst) {
        between.kept_back.notify_one();
        between.let_go.notified().await;
    }
    Response::builder().status(status).body(Body::from(body)).expect("an answer")
}

#[tokio::test]
async fn a_slow_reading_of_the_keys_does_not_bring_back_what_was_thrown_away_meanwhile() {
    let world = World::start().await;
    let between = Between {
        engine: world.server.dynamodb_url(),
        client: reqwest::Client::builder().no_proxy().build().expect("a client"),
        holds: Arc::default(),
        kept_back: Arc::default(),
        let_go: Arc::default(),
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    let router = Router::new().fallback(pass_on).with_state(between.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let process = Arc::new(process_at(&world, &endpoint, Policy::default()));
    let admin = world.server.admin_token().reveal();
    let by = process.authorize_administrator(Some(admin), Scope::AdminWrite, &Default::default()).await;
    let by = by.expect("an administrator");
    let leaked = process.public_keys().await.expect("keys").1;
    between.holds.store(true, Ordering::SeqCst);
    let slow = tokio::spawn({
        let process = Arc::clone(&process);
        async move { process.list_keys().await }
    });
    between.kept_back.notified().await;
    process.rotate_keys(&by, true).await.expect("another key");
    between.let_go.notify_one();
    slow.await.expect("a task").expect("keys");
    let published = process.public_keys().await.expect("keys").1;
    assert_eq!(published.len(), 1);
    assert_ne!(published[0].kid, leaked[0].kid);
}
