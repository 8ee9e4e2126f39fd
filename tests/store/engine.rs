//! The engine that the tests talk to, and stand-ins that answer what no engine can be made to answer.

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use aws_sdk_dynamodb::types::AttributeValue;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use polygate_shared::aws::client;
use polygate_shared::aws::dynamodb::{DynamoStore, create_table};
use serde_json::Value;
use tokio::sync::oneshot;

pub(crate) const TABLE: &str = "polygate";

/// An engine in memory, of its own, for as long as this lives: the embedded one, or ExtendDB where `EXTENDDB` names its
/// program (`just store-extenddb`).
pub(crate) struct Engine {
    pub(crate) store: DynamoStore,
    pub(crate) client: Client,
    pub(crate) config: SdkConfig,
    running: Running,
}

enum Running {
    Embedded(Option<oneshot::Sender<()>>),
    Program(Child),
}

impl Engine {
    pub(crate) async fn start() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let config = client::connect_local(format!("http://{address}")).expect("a configuration");
        let (running, config) = match other_program() {
            None => (Running::Embedded(Some(embedded(listener))), config),
            Some(program) => {
                drop(listener);
                let program = Running::Program(extenddb(&program, address).await);
                (program, config.into_builder().credentials_provider(documented_credentials()).build())
            }
        };
        let client = client::dynamodb(&config);
        create_table(&client, TABLE).await.expect("a table");
        let store = DynamoStore::new(
            client.clone(),
            TABLE,
            std::sync::Arc::new(polygate_shared::identity::SystemChance::default()),
        );
        Self { store, client, config, running }
    }

    /// Asks until this is the answer: an index follows its table a moment later, in DynamoDB as in ExtendDB. The embedded
    /// engine's are never late, so it is asked once.
    pub(crate) async fn comes_to<T: PartialEq + std::fmt::Debug>(&self, expected: T, ask: impl AsyncFn() -> T) {
        let mut found = ask().await;
        let asked_again = if matches!(self.running, Running::Program(_)) { 400 } else { 0 };
        for _ in 0..asked_again {
            if found == expected {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
            found = ask().await;
        }
        assert_eq!(found, expected);
    }

    /// One item as it is stored.
    pub(crate) async fn item(&self, pk: String, sk: String) -> std::collections::HashMap<String, AttributeValue> {
        let request = self.client.get_item().table_name(TABLE);
        let answer = request.key("pk", AttributeValue::S(pk)).key("sk", AttributeValue::S(sk)).send().await;
        answer.expect("an answer").item.expect("an item")
    }

    /// When the table may drop an item.
    pub(crate) async fn expiry(&self, pk: String, sk: String) -> i64 {
        let item = self.item(pk, sk).await;
        item["expires_at"].as_n().expect("a number").parse().expect("epoch seconds")
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        match &mut self.running {
            // Connections that a test still holds open would keep the thread, so it isn't waited for.
            Running::Embedded(stop) => drop(stop.take()),
            Running::Program(program) => {
                program.kill().ok();
                program.wait().ok();
            }
        }
    }
}

/// The embedded engine works SQLite on the thread that serves it.
fn embedded(listener: std::net::TcpListener) -> oneshot::Sender<()> {
    listener.set_nonblocking(true).expect("a listener for tokio");
    let (stop, stopped) = oneshot::channel::<()>();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
            let database = dynoxide::Database::memory().expect("a database");
            let shutdown = async move {
                stopped.await.ok();
            };
            dynoxide::server::serve_with_shutdown(listener, database, shutdown).await.expect("served");
        });
    });
    stop
}

#[expect(clippy::disallowed_methods, reason = "how the tests are run against the second engine: `just store-extenddb`")]
fn other_program() -> Option<std::ffi::OsString> {
    std::env::var_os("EXTENDDB")
}

async fn extenddb(program: &OsStr, address: SocketAddr) -> Child {
    let mut command = Command::new(program);
    command.args(["serve", "--foreground"]).env("EXTENDDB__STORAGE__SQLITE__PATH", ":memory:");
    command.env("EXTENDDB__SERVER__PORT", address.port().to_string());
    let mut started = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("ExtendDB");
    while tokio::net::TcpStream::connect(address).await.is_err() {
        let ended = started.try_wait().expect("a child");
        assert!(ended.is_none(), "ExtendDB ended instead of listening at {address}: {ended:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    started
}

/// The key pair of AWS's own examples, the only one that ExtendDB takes: it verifies signatures.
fn documented_credentials() -> SharedCredentialsProvider {
    let (id, secret) = ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    SharedCredentialsProvider::new(Credentials::new(id, secret, None, None, "examples"))
}

type Answer = dyn Fn(usize, &Value) -> (u16, String) + Send + Sync;

#[derive(Clone)]
struct Script {
    answer: Arc<Answer>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

/// One request that a stand-in got.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) operation: String,
    pub(crate) body: Value,
}

/// Something that answers in the table's place.
pub(crate) struct StandIn {
    pub(crate) endpoint: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl StandIn {
    /// Starts one that answers the nth request (from 0) with this status and body.
    pub(crate) async fn start(answer: impl Fn(usize, &Value) -> (u16, String) + Send + Sync + 'static) -> Self {
        let seen = Arc::<Mutex<Vec<Seen>>>::default();
        let script = Script { answer: Arc::new(answer), seen: Arc::clone(&seen) };
        let router = Router::new().fallback(respond).with_state(script);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { endpoint, seen }
    }

    /// A store that asks the stand-in.
    pub(crate) fn store(&self) -> DynamoStore {
        let config = client::connect_local(&self.endpoint).expect("a configuration");
        DynamoStore::new(
            client::dynamodb(&config),
            TABLE,
            std::sync::Arc::new(polygate_shared::identity::SystemChance::default()),
        )
    }

    /// What it was asked.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("not poisoned").clone()
    }
}

async fn respond(State(script): State<Script>, headers: HeaderMap, body: String) -> impl IntoResponse {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
    let body: Value = serde_json::from_str(&body).unwrap_or(Value::String(body));
    let nth = {
        let mut seen = script.seen.lock().expect("not poisoned");
        seen.push(Seen { operation, body: body.clone() });
        seen.len() - 1
    };
    let (status, text) = (script.answer)(nth, &body);
    (StatusCode::from_u16(status).expect("a status"), [("x-amzn-requestid", "r-1")], text)
}
