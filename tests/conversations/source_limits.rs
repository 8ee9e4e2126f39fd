//! Limits per source address, with the numbers of a deployment: the development server's are a hundredfold.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use polygate_shared::aws::client;
use polygate_shared::aws::ses::SesMailer;
use polygate_shared::http::{Arrival, Endpoints, Front};
use polygate_shared::identity::{Clock, Hasher, Identity, Policy, SystemChance};
use polygate_shared::settings::Settings;
use serde_json::{Value, json};

use crate::support::{TestClock, World};

/// A deployment on the world's store and clock, without sockets, so that requests come from where a test says.
pub(crate) struct Deployment {
    world: World,
    front: Front,
}

impl Deployment {
    async fn start() -> Self {
        Self::hashing_by(Hasher::new(2)).await
    }

    pub(crate) async fn hashing_by(hasher: Hasher) -> Self {
        let world = World::start().await;
        let nowhere = client::connect_local("http://127.0.0.1:1").expect("a configuration");
        let clock: Arc<TestClock> = Arc::clone(&world.clock);
        let identity = Identity::new(
            Arc::clone(world.server.store()),
            Arc::new(SesMailer::new(&nowhere, "no-reply@example.com")),
            clock as Arc<dyn Clock>,
            Arc::new(SystemChance::default()),
            hasher,
            Policy { allow_registration: true, issuer: Some("https://id.example.com".to_owned()), ..Policy::default() },
        );
        let settings = Settings::parse(&|_| None).expect("defaults");
        Self { world, front: Front::new(&Endpoints::ALL, Arc::new(identity), &settings) }
    }

    /// Status, what tells about limits, and body.
    async fn post(&self, source: &str, agent: &str, path: &str, body: Value) -> (u16, String) {
        let request = axum::http::Request::post(path)
            .header("content-type", "application/json")
            .header("user-agent", agent)
            // What a client says of where it comes from is nobody's business.
            .header("x-forwarded-for", "192.0.2.1")
            .body(Body::from(body.to_string()));
        let mut request = request.expect("a request");
        let arrival = Arrival { source: source.to_owned(), request_id: "test".to_owned(), ..Arrival::default() };
        request.extensions_mut().insert(arrival);
        let (parts, body) = self.front.answer(request).await.into_parts();
        let body = axum::body::to_bytes(body, 100_000).await.expect("a body");
        let mut told = format!("{path} from {source}: {}", parts.status);
        for name in ["retry-after", "x-ratelimit-limit", "x-ratelimit-remaining"] {
            if let Some(value) = parts.headers.get(name) {
                told.push_str(&format!("\n  {name}: {}", value.to_str().expect("text")));
            }
        }
        (parts.status.as_u16(), format!("{told}\n{}\n", String::from_utf8_lossy(&body)))
    }

    pub(crate) async fn log_in(&self, source: &str, agent: &str, name: &str, password: &str) -> u16 {
        let body = json!({"username": name, "password": password});
        self.post(source, agent, "/kite/api/v1/auth/login", body).await.0
    }
}

#[tokio::test]
async fn guesses_at_many_names_from_one_source_wait() {
    let mut deployment = Deployment::start().await;
    deployment.world.register("alice", "secret123").await;
    assert_eq!(deployment.log_in("203.0.113.7", "phone", "alice", "secret123").await, 200);
    for nth in 0..5 {
        assert_eq!(deployment.log_in("203.0.113.7", "x", &format!("user{nth}"), "guess").await, 401);
    }
    let mut told = String::new();
    for path in
        ["/kite/api/v1/auth/login", "/zeaya/api/auth/login", "/sproutgate/api/auth/login", "/mcphub/api/auth/login"]
    {
        let body = json!({"username": "user5", "account": "user5", "password": "guess"});
        told.push_str(&deployment.post("203.0.113.7", "x", path, body).await.1);
    }
    insta::assert_snapshot!(told);
    assert_eq!(deployment.log_in("203.0.113.8", "x", "user5", "guess").await, 401, "another source");
    assert_eq!(deployment.log_in("203.0.113.7", "phone", "alice", "secret123").await, 200, "a known device");
    assert_eq!(deployment.log_in("203.0.113.7", "new", "alice", "secret123").await, 429, "a new one beside it");
    deployment.world.clock.advance(Duration::from_secs(1));
    assert_eq!(deployment.log_in("203.0.113.7", "new", "alice", "secret123").await, 200);
}

#[tokio::test]
async fn one_customer_of_many_addresses_is_one_source() {
    let deployment = Deployment::start().await;
    for nth in 0..5 {
        let source = format!("2001:db8:1:2::{nth}");
        assert_eq!(deployment.log_in(&source, "x", &format!("user{nth}"), "guess").await, 401);
    }
    assert_eq!(deployment.log_in("2001:db8:1:2:ffff::1", "x", "user5", "guess").await, 429);
    assert_eq!(deployment.log_in("2001:db8:1:3::1", "x", "user5", "guess").await, 401);
}

#[tokio::test]
async fn signing_in_to_an_account_of_ones_own_does_not_start_the_count_anew() {
    let mut deployment = Deployment::start().await;
    deployment.world.register("mallory", "secret123").await;
    for nth in 0..5 {
        assert_eq!(deployment.log_in("203.0.113.7", "x", &format!("user{nth}"), "guess").await, 401);
        if nth < 4 {
            assert_eq!(deployment.log_in("203.0.113.7", &format!("x{nth}"), "mallory", "secret123").await, 200);
        }
    }
    assert_eq!(deployment.log_in("203.0.113.7", "x", "user5", "guess").await, 429);
}

#[tokio::test]
async fn a_source_registers_thirty_and_then_waits() {
    let deployment = Deployment::start().await;
    let register = |contract: &str, nth: usize| {
        let path = match contract {
            "kite" => "/kite/api/v1/auth/register".to_owned(),
            other => format!("/{other}/api/auth/register"),
        };
        let name = format!("user{nth}");
        let body = json!({
            "username": name, "account": name, "password": "secret123", "email": format!("{name}@example.com"),
        });
        (path, body)
    };
    for nth in 0..30 {
        let (path, body) = register(["kite", "zeaya", "mcphub"][nth % 3], nth);
        let (status, told) = deployment.post("203.0.113.7", "x", &path, body).await;
        assert!(status < 300, "{told}");
    }
    let mut told = String::new();
    for contract in ["kite", "zeaya", "sproutgate", "mcphub"] {
        let (path, body) = register(contract, 30);
        told.push_str(&deployment.post("203.0.113.7", "x", &path, body).await.1);
    }
    insta::assert_snapshot!(told);
    let (path, body) = register("kite", 30);
    assert_eq!(deployment.post("203.0.113.8", "x", &path, body.clone()).await.0, 201, "another source");
    deployment.world.clock.advance(Duration::from_secs(60));
    let (path, body) = register("kite", 31);
    assert_eq!(deployment.post("203.0.113.7", "x", &path, body).await.0, 201, "after a minute");
}

#[tokio::test]
async fn guesses_at_codes_of_many_accounts_from_one_source_wait() {
    let mut deployment = Deployment::start().await;
    deployment.world.register("alice", "secret123").await;
    deployment.world.post("/sproutgate/api/auth/forgot-password", forgot()).quietly().await;
    let (reset, verify) = ("/sproutgate/api/auth/reset-password", "/sproutgate/api/auth/verify-email");
    let guess = |name: &str| json!({"account": name, "code": "000000", "newPassword": "newpass"});
    for nth in 0..10 {
        assert_eq!(deployment.post("203.0.113.7", "x", reset, guess(&format!("user{nth}"))).await.0, 400);
    }
    let mut told = String::new();
    for (path, body) in [(reset, guess("user10")), (verify, json!({"account": "user11", "code": "000000"}))] {
        told.push_str(&deployment.post("203.0.113.7", "x", path, body).await.1);
    }
    insta::assert_snapshot!(told);
    // Whoever waits for their source takes nothing from others, however often they try.
    for _ in 0..20 {
        assert_eq!(deployment.post("203.0.113.7", "x", reset, guess("alice")).await.0, 429);
    }
    let right =
        json!({"account": "alice", "code": deployment.world.code_for("alice@example.com"), "newPassword": "newpass"});
    assert_eq!(deployment.post("203.0.113.8", "x", reset, right).await.0, 200);
    deployment.world.clock.advance(Duration::from_secs(60));
    assert_eq!(deployment.post("203.0.113.7", "x", reset, guess("alice")).await.0, 400, "one more");
    assert_eq!(deployment.post("203.0.113.7", "x", reset, guess("alice")).await.0, 429, "and twice the wait");
}

fn forgot() -> Value {
    json!({"account": "alice", "email": "alice@example.com"})
}
