//! A deployment whose administrator's first password and token are in Secrets Manager, spoken to by the real client.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Request, StatusCode, header};
use axum::routing::post;
use axum::{Json, Router};
use polygate_shared::aws::client;
use polygate_shared::aws::dynamodb::{DynamoStore, create_table};
use polygate_shared::aws::secrets::SecretsVault;
use polygate_shared::aws::ses::SesMailer;
use polygate_shared::http::{Arrival, Endpoints, Front};
use polygate_shared::identity::{Chance, Clock, Hasher, Identity, Policy, Store, SystemChance, Vault};
use polygate_shared::settings::Settings;
use serde_json::{Value, json};

use crate::functions::{Functions, Place};
use crate::support::World;

const PASSWORD: &str = "arn:aws:secretsmanager:eu-central-1:123456789012:FirstPassword";
const TOKEN: &str = "arn:aws:secretsmanager:eu-central-1:123456789012:AdminToken";
const FIRST_PASSWORD: &str = "a-password-of-secrets-manager";
const ADMIN_TOKEN: &str = "0123456789abcdefghijABCDEFGHIJ-0123456789";

/// Secrets by their names, and which of them were read.
#[derive(Default)]
struct Secrets {
    kept: Mutex<BTreeMap<String, String>>,
    read: Mutex<Vec<String>>,
}

impl Secrets {
    /// Serves them as Secrets Manager does, and tells where.
    async fn serve() -> (Arc<Self>, String) {
        let secrets = Arc::new(Self::default());
        secrets.set(PASSWORD, &format!("{FIRST_PASSWORD}\n"));
        secrets.set(TOKEN, ADMIN_TOKEN);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let router = Router::new().route("/", post(answer)).with_state(Arc::clone(&secrets));
        tokio::spawn(async move { axum::serve(listener, router).await });
        (secrets, address)
    }

    fn set(&self, name: &str, value: &str) {
        self.kept.lock().expect("not poisoned").insert(name.to_owned(), value.to_owned());
    }

    fn lose(&self, name: &str) {
        self.kept.lock().expect("not poisoned").remove(name);
    }

    /// Which were read since this was last asked.
    fn read(&self) -> Vec<String> {
        std::mem::take(&mut *self.read.lock().expect("not poisoned"))
    }
}

async fn answer(State(secrets): State<Arc<Secrets>>, headers: HeaderMap, body: String) -> (StatusCode, Json<Value>) {
    assert_eq!(headers["x-amz-target"], "secretsmanager.GetSecretValue");
    let asked: Value = serde_json::from_str(&body).expect("JSON");
    let name = asked["SecretId"].as_str().expect("a name").to_owned();
    secrets.read.lock().expect("not poisoned").push(name.clone());
    match secrets.kept.lock().expect("not poisoned").get(&name) {
        Some(value) => (StatusCode::OK, Json(json!({"ARN": name, "Name": name, "SecretString": value}))),
        None => (StatusCode::BAD_REQUEST, Json(json!({"__type": "ResourceNotFoundException"}))),
    }
}

/// A deployment on a table of its own, where nobody made an administrator.
struct Deployment {
    world: World,
    secrets: Arc<Secrets>,
    address: String,
    store: Arc<dyn Store>,
    front: Front,
    /// Where the tests speak to processes, those in place of the front.
    functions: Option<Functions>,
}

impl Deployment {
    async fn start() -> Self {
        let world = World::start().await;
        let table = client::dynamodb(&client::connect_local(world.server.dynamodb_url()).expect("a configuration"));
        create_table(&table, "deployed").await.expect("a table");
        let chance: Arc<dyn Chance> = Arc::new(SystemChance::default());
        let store: Arc<dyn Store> = Arc::new(DynamoStore::new(table, "deployed", chance));
        let (secrets, address) = Secrets::serve().await;
        let front = Self::process(&world, &store, &address);
        let functions = Self::processes(&world, &address).await;
        Self { world, secrets, address, store, front, functions }
    }

    async fn processes(world: &World, address: &str) -> Option<Functions> {
        let (table, secrets, settings) = ("deployed", Some(address), BTreeMap::new());
        let (clock, output) = (world.clock.file()?, world.watch.output()?);
        Functions::start(Place { server: &world.server, table, settings: &settings, clock, output, secrets }).await
    }

    /// One process of it.
    fn process(world: &World, store: &Arc<dyn Store>, address: &str) -> Front {
        let settings = Settings::parse(&|name| match name {
            "ADMIN_PASSWORD_SECRET" => Some(PASSWORD.to_owned()),
            "ADMIN_TOKEN_SECRET" => Some(TOKEN.to_owned()),
            _ => None,
        });
        let settings = settings.expect("settings");
        let config = client::connect_local(address).expect("a configuration");
        let vault = SecretsVault::new(config.clone(), &settings).expect("a vault").expect("a vault");
        let identity = Identity::new(
            Arc::clone(store),
            Arc::new(SesMailer::new(&config, "no-reply@example.com")),
            Arc::clone(&world.clock) as Arc<dyn Clock>,
            Arc::new(SystemChance::default()),
            Hasher::new(2),
            Policy { issuer: Some("https://id.example.com".to_owned()), ..Policy::default() },
        );
        let identity = identity.with_vault(Some(Arc::new(vault) as Arc<dyn Vault>));
        Front::new(&Endpoints::ALL, Arc::new(identity), &settings)
    }

    async fn start_another_process(&mut self) {
        self.front = Self::process(&self.world, &self.store, &self.address);
        self.functions = Self::processes(&self.world, &self.address).await;
    }

    async fn ask(&self, method: &str, path: &str, token: &str, body: Value) -> (u16, Value) {
        let mut request = Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, "application/json");
        if !token.is_empty() {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let mut request = request.body(Body::from(body.to_string())).expect("a request");
        if let Some(functions) = &self.functions {
            return functions.ask(request).await;
        }
        request.extensions_mut().insert(Arrival { request_id: "test".to_owned(), ..Arrival::default() });
        let (parts, body) = self.front.answer(request).await.into_parts();
        let body = axum::body::to_bytes(body, 100_000).await.expect("a body");
        (parts.status.as_u16(), serde_json::from_slice(&body).expect("JSON"))
    }

    async fn sign_in(&self, name: &str, password: &str) -> (u16, Value) {
        self.ask("POST", "/kite/api/v1/auth/login", "", json!({"username": name, "password": password})).await
    }

    async fn list_as(&self, token: &str) -> u16 {
        self.ask("GET", "/sproutgate/api/admin/users", token, Value::Null).await.0
    }
}

#[tokio::test]
async fn the_first_administrator_is_made_at_the_first_sign_in_by_that_name() {
    let mut deployment = Deployment::start().await;
    let secrets = Arc::clone(&deployment.secrets);
    assert_eq!(deployment.sign_in("alice", FIRST_PASSWORD).await.0, 401, "another name is none of it");
    assert_eq!((secrets.read(), deployment.store.count_accounts().await.expect("a count")), (vec![], 0));
    assert_eq!(deployment.sign_in("admin", "admin").await.0, 401, "the development server's password");
    assert_eq!(secrets.read(), [PASSWORD]);
    let (status, told) = deployment.sign_in("admin", FIRST_PASSWORD).await;
    assert_eq!((status, &told["data"]["user"]["role"]), (200, &json!("admin")), "{told}");
    assert_eq!(told["data"]["user"]["password_must_change"], json!(true), "{told}");
    let token = told["data"]["access_token"].as_str().expect("a token");
    let reset = json!({"username": "boss", "email": "boss@example.com", "password": "a-password-of-my-own"});
    assert_eq!(deployment.ask("POST", "/kite/api/v1/auth/first-login-reset", token, reset).await.0, 200);
    deployment.start_another_process().await;
    for password in [FIRST_PASSWORD, "a-password-of-my-own"] {
        assert_eq!(deployment.sign_in("admin", password).await.0, 401, "it goes by another name now");
    }
    assert_eq!(deployment.sign_in("boss", "a-password-of-my-own").await.0, 200);
    assert_eq!(secrets.read(), [""; 0], "the password is never read again");
    assert_eq!(deployment.store.count_accounts().await.expect("a count"), 1);
}

#[tokio::test]
async fn processes_that_make_it_at_the_same_time_make_one() {
    let deployment = Deployment::start().await;
    let processes: Vec<_> =
        (0..4).map(|_| Deployment::process(&deployment.world, &deployment.store, &deployment.address)).collect();
    let attempts = processes.iter().map(|front| async {
        let body = json!({"username": "admin", "password": FIRST_PASSWORD}).to_string();
        let request = Request::post("/kite/api/v1/auth/login").header(header::CONTENT_TYPE, "application/json");
        let mut request = request.body(Body::from(body)).expect("a request");
        request.extensions_mut().insert(Arrival { request_id: "test".to_owned(), ..Arrival::default() });
        front.answer(request).await.status().as_u16()
    });
    assert_eq!(futures_util::future::join_all(attempts).await, [200; 4]);
    assert_eq!(deployment.store.count_accounts().await.expect("a count"), 1);
}

#[tokio::test]
async fn the_token_is_read_when_a_token_comes_and_again_after_five_minutes() {
    let deployment = Deployment::start().await;
    let secrets = &deployment.secrets;
    assert_eq!(deployment.list_as("").await, 401);
    assert_eq!(secrets.read(), [""; 0]);
    assert_eq!(deployment.list_as(ADMIN_TOKEN).await, 200);
    assert_eq!(deployment.list_as("another").await, 401);
    assert_eq!(secrets.read(), [TOKEN], "once");
    let next = ADMIN_TOKEN.to_uppercase();
    secrets.set(TOKEN, &next);
    assert_eq!((deployment.list_as(ADMIN_TOKEN).await, deployment.list_as(&next).await), (200, 401));
    deployment.world.clock.advance(Duration::from_secs(300));
    assert_eq!((deployment.list_as(ADMIN_TOKEN).await, deployment.list_as(&next).await), (401, 200));
    assert_eq!(secrets.read(), [TOKEN]);
}

#[tokio::test]
async fn what_cant_be_read_is_an_accident_and_mends_itself() {
    let deployment = Deployment::start().await;
    for secret in [PASSWORD, TOKEN] {
        deployment.secrets.lose(secret);
    }
    assert_eq!(deployment.sign_in("admin", FIRST_PASSWORD).await.0, 500);
    assert_eq!(deployment.list_as(ADMIN_TOKEN).await, 500);
    deployment.secrets.set(TOKEN, "short");
    assert_eq!(deployment.list_as("short").await, 500, "it could be guessed");
    deployment.secrets.set(PASSWORD, FIRST_PASSWORD);
    deployment.secrets.set(TOKEN, ADMIN_TOKEN);
    assert_eq!(deployment.list_as(ADMIN_TOKEN).await, 200);
    assert_eq!(deployment.sign_in("admin", FIRST_PASSWORD).await.0, 200);
}
