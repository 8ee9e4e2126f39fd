//! A stage on which one request is played again and again: the same table each time, another fault.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryPartition;
use aws_sdk_dynamodb::config::{AsyncSleep, SharedAsyncSleep, Sleep};
use aws_sdk_dynamodb::types::{AttributeValue, DeleteRequest, PutRequest, WriteRequest};
use axum::body::Body;
use polygate_shared::aws::client;
use polygate_shared::aws::dynamodb::{DynamoStore, Inspection};
use polygate_shared::aws::ses::SesMailer;
use polygate_shared::http::{Arrival, Endpoints, Front, Group};
use polygate_shared::identity::{AnswerTime, Clock, HashCost, Hasher, Identity, Limits, Policy, SystemChance};
use polygate_shared::settings::Settings;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::scenes::PASSWORD;
use super::seam::{Fault, Seam};
use crate::support::{TestClock, World};

pub(super) type Item = HashMap<String, AttributeValue>;
/// All items, by their keys.
pub(super) type Table = BTreeMap<(String, String), Item>;

/// A request that can be sent more than once.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) method: &'static str,
    pub(super) path: String,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
}

impl Request {
    pub(super) fn new(method: &'static str, path: impl Into<String>) -> Self {
        Self { method, path: path.into(), headers: Vec::new(), body: Vec::new() }
    }

    pub(super) fn json(self, body: Value) -> Self {
        self.raw("application/json", body.to_string())
    }

    pub(super) fn raw(self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..self.header("content-type", content_type) }
    }

    pub(super) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub(super) fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }
}

/// What was answered.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub(super) status: u16,
    pub(super) retry_after: Option<Duration>,
    pub(super) body: String,
}

impl Told {
    pub(super) fn is_fine(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// A function as one process runs it, over a seam.
#[derive(Clone)]
pub(super) struct Process {
    front: Front,
    identity: Arc<Identity>,
    clock: Arc<TestClock>,
}

impl Process {
    /// Asks it for something of its own.
    pub(super) async fn answer(&self, request: &Request) -> Told {
        ask(&self.front, request).await
    }

    /// Asks for something that may be another function's.
    pub(super) async fn answer_any(&self, request: &Request) -> Told {
        ask(&Front::new(&Endpoints::ALL, Arc::clone(&self.identity), &settings()), request).await
    }

    pub(super) fn wait(&self, span: Duration) {
        self.clock.advance(span);
    }

    pub(super) fn now(&self) -> OffsetDateTime {
        self.clock.now()
    }
}

async fn ask(front: &Front, request: &Request) -> Told {
    static REQUESTS: AtomicUsize = AtomicUsize::new(0);
    let mut asked = axum::http::Request::builder().method(request.method).uri(&request.path);
    for (name, value) in &request.headers {
        asked = asked.header(*name, value);
    }
    let mut asked = asked.body(Body::from(request.body.clone())).expect("a request");
    let request_id = format!("r-{}", REQUESTS.fetch_add(1, Ordering::Relaxed));
    let arrival = Arrival { source: "127.0.0.1".to_owned(), request_id, ..Arrival::default() };
    asked.extensions_mut().insert(arrival);
    let answer = front.answer(asked).await;
    let seconds = answer.headers().get("retry-after").map(|value| value.to_str().expect("text"));
    let retry_after = seconds.map(|text| Duration::from_secs(text.parse().expect("seconds")));
    let status = answer.status().as_u16();
    let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.expect("a body");
    Told { status, retry_after, body: String::from_utf8_lossy(&body).into_owned() }
}

fn settings() -> Settings {
    Settings::parse(&|_| None).expect("defaults")
}

/// What differs between processes.
#[derive(Default)]
pub(super) struct Circumstances {
    pub(super) fault: Option<Fault>,
    pub(super) unconditional: Option<&'static str>,
    /// Nothing was read ahead: the start met a table that did not answer.
    pub(super) cold: bool,
    /// It gives up after the time that a deployed function has, and not after that of the development server.
    pub(super) brief: bool,
}

pub(super) struct Stage {
    pub(super) world: World,
    table: Table,
    plain: Client,
    store: DynamoStore,
    engine: SdkConfig,
    /// The same, with the time limits of a deployed function.
    deployed: SdkConfig,
    mailbox: SdkConfig,
    begins: OffsetDateTime,
    group: Group,
}

impl Stage {
    /// The world as it is now is what every play begins with.
    pub(super) async fn of(world: World, group: Group) -> Self {
        let engine = client::connect_local(world.server.dynamodb_url()).expect("a configuration");
        let deployed = client::connect(&|_| Some("us-east-1".to_owned())).expect("a configuration");
        let mut brief = engine.clone().into_builder();
        brief.set_timeout_config(deployed.timeout_config().cloned());
        let deployed = brief.build();
        let mailbox = format!("{}/_local/ses", world.server.base_url());
        let mailbox = client::connect_local(mailbox).expect("a configuration");
        let plain = client::dynamodb(&engine);
        let store = DynamoStore::new(plain.clone(), world.server.table(), Arc::new(SystemChance::default()));
        let table = scan(&plain, world.server.table()).await;
        let begins = world.clock.now();
        let mut stage = Self { world, table, plain, store, engine, deployed, mailbox, begins, group };
        stage.cheapen().await;
        stage
    }

    /// Gives those who have a password of the scenes another hash of it, which costs next to nothing to verify: what a
    /// hash costs is no concern of the plays.
    async fn cheapen(&mut self) {
        let (process, _seam) = self.process(Circumstances::default()).await;
        let body = json!({"username": "hashed", "email": "hashed@example.com", "password": PASSWORD});
        let made = process.answer_any(&Request::new("POST", "/kite/api/v1/auth/register").json(body)).await;
        assert!(made.is_fine(), "{}", made.body);
        let found = self.look().await;
        let hashed = found.values().find(|item| field(item, "name").is_some_and(|name| name == "hashed"));
        let hash = hashed.and_then(|item| field(item, "password")).expect("a hash").to_owned();
        for item in self.table.values_mut().filter(|item| field(item, "name").is_some_and(|name| name == "alice")) {
            let Some(AttributeValue::M(account)) = item.get_mut("account") else { continue };
            account.insert("password".to_owned(), AttributeValue::S(hash.clone()));
        }
        self.restore(&found).await;
    }

    /// Has processes reach the engine by this address, behind which it is.
    pub(super) fn reach_by(&mut self, endpoint: &str) {
        self.engine = client::connect_local(endpoint).expect("a configuration");
    }

    /// A new process in front of the table.
    pub(super) async fn process(&self, circumstances: Circumstances) -> (Process, Seam) {
        static PROCESSES: AtomicUsize = AtomicUsize::new(0);
        let Circumstances { fault, unconditional, cold, brief } = circumstances;
        let seam = Seam::default();
        // What may be spent on retries is shared in a process: each play is one.
        let own = format!("process-{}", PROCESSES.fetch_add(1, Ordering::Relaxed));
        let config = through(&seam, if brief { &self.deployed } else { &self.engine });
        let config = aws_sdk_dynamodb::config::Builder::from(&config).retry_partition(RetryPartition::new(own));
        let chance = Arc::new(SystemChance::default());
        let store = DynamoStore::new(Client::from_conf(config.build()), self.world.server.table(), chance.clone());
        let mailer = SesMailer::new(&through(&seam, &self.mailbox), "no-reply@example.com");
        let clock = Arc::new(TestClock::default());
        let passed = self.begins - clock.now();
        clock.advance(Duration::try_from(passed).expect("a time after the start"));
        let limits = Limits::default().for_one_source();
        // Long enough for everything, also where eight plays share a processor.
        let answer_time = AnswerTime(Duration::from_secs(3));
        let policy = Policy { allow_registration: true, limits, answer_time, ..Policy::default() };
        let hasher = Hasher::at_cost(HashCost { memory: 8, passes: 1, lanes: 1 }, 1);
        let shared_clock = Arc::clone(&clock) as Arc<dyn Clock>;
        let identity = Identity::new(Arc::new(store), Arc::new(mailer), shared_clock, chance, hasher, policy);
        if !cold {
            identity.warm_up().await.expect("keys");
        }
        seam.begin(fault, unconditional);
        let identity = Arc::new(identity);
        let front = Front::new(&[Endpoints::of_group(self.group)], Arc::clone(&identity), &settings());
        (Process { front, identity, clock }, seam)
    }

    /// The table as it is now.
    pub(super) async fn look(&self) -> Table {
        scan(&self.plain, self.world.server.table()).await
    }

    /// What `polygate check` finds in it that harms anybody, in words.
    pub(super) async fn defects(&self) -> Vec<String> {
        let inspection = Inspection { repair: false, now: self.begins };
        let report = inspection.of(&self.store, &mut |_| {}).await.expect("a report");
        let harmful = report.found.iter().filter(|found| !found.defect.is_leftover());
        harmful.map(|found| found.defect.to_string()).collect()
    }

    /// Puts everything back.
    pub(super) async fn restore(&self, found: &Table) {
        let gone = self.table.iter().filter(|(key, item)| found.get(*key) != Some(item));
        let gone = gone.map(|(_, item)| {
            let put = PutRequest::builder().set_item(Some(item.clone())).build().expect("an item");
            WriteRequest::builder().put_request(put).build()
        });
        let new = found.keys().filter(|key| !self.table.contains_key(*key)).map(|(pk, sk)| {
            let key = [("pk", pk), ("sk", sk)].map(|(name, text)| (name.to_owned(), AttributeValue::S(text.clone())));
            let delete = DeleteRequest::builder().set_key(Some(key.into())).build().expect("a key");
            WriteRequest::builder().delete_request(delete).build()
        });
        let writes: Vec<_> = gone.chain(new).collect();
        for some in writes.chunks(25) {
            let request = self.plain.batch_write_item().request_items(self.world.server.table(), some.to_vec());
            let answer = request.send().await.expect("the table as it was");
            assert!(answer.unprocessed_items.is_none_or(|left| left.is_empty()), "something was not put back");
        }
    }
}

/// A text that an account's item has.
fn field<'a>(item: &'a Item, name: &str) -> Option<&'a String> {
    item.get("account")?.as_m().ok()?.get(name)?.as_s().ok()
}

async fn scan(client: &Client, table: &str) -> Table {
    let mut all = Table::new();
    let mut from = None;
    loop {
        let request = client.scan().table_name(table).consistent_read(true).set_exclusive_start_key(from);
        let page = request.send().await.expect("a page");
        for item in page.items.unwrap_or_default() {
            let text = |name: &str| item[name].as_s().expect("a key").clone();
            all.insert((text("pk"), text("sk")), item);
        }
        from = page.last_evaluated_key;
        if from.is_none() {
            return all;
        }
    }
}

/// The same configuration with a seam in it.
fn through(seam: &Seam, config: &SdkConfig) -> SdkConfig {
    let http = seam.into(config.http_client().expect("a client"));
    config.clone().into_builder().http_client(http).sleep_impl(SharedAsyncSleep::new(Hurried)).build()
}

/// Pauses between attempts last a tenth of their time; what bounds the attempts does not change.
#[derive(Debug)]
struct Hurried;

impl AsyncSleep for Hurried {
    fn sleep(&self, duration: Duration) -> Sleep {
        let pause = duration <= Duration::from_secs(1);
        Sleep::new(tokio::time::sleep(if pause { duration / 10 } else { duration }))
    }
}
