//! A sign-in that is refused costs the same whether anybody has the name or not: the same hash, the same calls to the
//! table, the same bytes. How long it took is measured and printed, and nothing is decided by it: a clock on a busy
//! machine proves nothing, counted work does.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::config::interceptors::AfterDeserializationInterceptorContextRef;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use axum::http::Request;
use polygate_shared::aws::client;
use polygate_shared::aws::dynamodb::DynamoStore;
use polygate_shared::aws::ses::SesMailer;
use polygate_shared::http::{Arrival, Endpoints, Front};
use polygate_shared::identity::{Chance, Clock, HashCost, Hasher, Identity, Policy, SystemChance};
use polygate_shared::settings::Settings;
use reqwest::Method;
use serde_json::{Value, json};

use crate::statistics::{Sample, compared};
use crate::support::World;
use crate::work::{Recorder, Work};

const LOGIN: [&str; 4] =
    ["/kite/api/v1/auth/login", "/zeaya/api/auth/login", "/sproutgate/api/auth/login", "/mcphub/api/auth/login"];
const WRONG: &str = "wrong-password";
/// Of so many in a row each one is looked at.
const FREE: usize = 5;
/// Sign-ins that are to be the same as one with a name that nobody has: what, name or address, and the second factor's code.
const KINDS: [(&str, &str, Option<&str>); 6] = [
    ("an unknown address", "unknown@example.com", None),
    ("a wrong password", "anybody", None),
    ("one for an address", "anybody@example.com", None),
    ("a disabled account's", "sleeper", None),
    ("one of who has a second factor", "factory", None),
    ("the same with a code", "factory@example.com", Some("000000")),
];

/// What a refused sign-in is to whoever looks from outside, and to whoever could measure it from there.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Outcome {
    work: Work,
    /// Accounts that were read and are there.
    accounts: usize,
    answer: String,
}

/// Counts accounts that the table answers with.
#[derive(Debug, Clone, Default)]
struct AccountsRead(Arc<AtomicUsize>);

impl Intercept for AccountsRead {
    fn name(&self) -> &'static str {
        "accounts that were read"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        // Only accounts have a version: neither claims nor counters.
        let bytes = context.response().body().bytes().unwrap_or_default();
        if String::from_utf8_lossy(bytes).contains("\"version\":") {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
        Ok(())
    }
}

/// Sign-ins without sockets, each from a source and a device of its own.
struct SignIns {
    front: Front,
    recorder: Recorder,
    accounts: AccountsRead,
    sources: u32,
}

impl SignIns {
    /// At another cost of a hash, which the accounts have that are made through it.
    fn at_cost(world: &World, cost: HashCost) -> Self {
        let accounts = AccountsRead::default();
        let table = client::connect_local(world.server.dynamodb_url()).expect("a configuration");
        let table = aws_sdk_dynamodb::config::Builder::from(&table).interceptor(accounts.clone()).build();
        let table = aws_sdk_dynamodb::Client::from_conf(table);
        let nowhere = client::connect_local("http://127.0.0.1:1").expect("a configuration");
        let chance = Arc::new(SystemChance::default());
        let identity = Identity::new(
            Arc::new(DynamoStore::new(table, world.server.table(), chance.clone())),
            Arc::new(SesMailer::new(&nowhere, "no-reply@example.com")),
            Arc::clone(&world.clock) as Arc<dyn Clock>,
            chance,
            Hasher::at_cost(cost, 2),
            Policy { allow_registration: true, ..Policy::default() },
        );
        let front = Front::new(&Endpoints::ALL, Arc::new(identity), &Settings::parse(&|_| None).expect("defaults"));
        Self { front, recorder: Recorder::start(), accounts, sources: 0 }
    }

    async fn post(&mut self, path: &str, body: Value) -> (u16, String) {
        self.sources += 1;
        let [_, a, b, c] = self.sources.to_be_bytes();
        let request = Request::post(path)
            .header("content-type", "application/json")
            .header("user-agent", format!("device {:08}", self.sources));
        let mut request = request.body(body.to_string().into()).expect("a request");
        let arrival = Arrival { source: format!("10.{a}.{b}.{c}"), request_id: "x".to_owned(), ..Arrival::default() };
        request.extensions_mut().insert(arrival);
        let (parts, body) = self.front.answer(request).await.into_parts();
        let body = axum::body::to_bytes(body, 10_000).await.expect("a body");
        (parts.status.as_u16(), format!("{} {:?}\n{}", parts.status, parts.headers, String::from_utf8_lossy(&body)))
    }

    async fn register(&mut self, name: &str) {
        let body = json!({"username": name, "email": format!("{name}@example.com"), "password": "secret123"});
        let (status, answer) = self.post("/kite/api/v1/auth/register", body).await;
        assert_eq!(status, 201, "{answer}");
    }

    async fn refused(&mut self, path: &str, name: &str, code: Option<&str>) -> Outcome {
        let mut body = json!({"username": name, "account": name, "password": WRONG});
        if let Some(code) = code {
            body["code"] = code.into();
        }
        self.recorder.take();
        self.accounts.0.store(0, Ordering::SeqCst);
        let (_, answer) = self.post(path, body).await;
        Outcome { work: self.recorder.take(), accounts: self.accounts.0.load(Ordering::SeqCst), answer }
    }
}

#[tokio::test]
async fn every_refused_sign_in_costs_the_same_work_and_looks_the_same() {
    let mut world = World::start().await;
    for name in ["anybody", "sleeper", "factory", "earlier"] {
        world.register(name, "secret123").await;
    }
    let boss = world.boss().await;
    let listed = world.get("/api/v1/admin/users?search=sleeper").bearer(&boss).quietly().await;
    let path = format!("/api/v1/admin/users/{}", listed.text("/data/items/0/id"));
    assert_eq!(world.ask(Method::DELETE, &path).bearer(&boss).quietly().await.status, 200);
    let session = world.sign_in("factory", "secret123").await;
    world.add_second_factor(&session).await;
    let cost = HashCost::default();
    let mut sign_ins = SignIns::at_cost(&world, cost);
    // Whose account is read where nobody has a name: before the first that is read there is none.
    sign_ins.refused(LOGIN[0], "earlier", None).await;
    for path in LOGIN {
        for round in 0..FREE {
            let expected = sign_ins.refused(path, "unknown", None).await;
            let one = [cost.memory, cost.passes, cost.lanes].map(u64::from);
            assert_eq!((&expected.work.hashes[..], expected.accounts), (&[one][..], 1), "{path}, round {round}");
            for (what, name, code) in KINDS {
                assert_eq!(sign_ins.refused(path, name, code).await, expected, "{what}, {path}, round {round}");
            }
        }
        // They are forgotten; whoever comes first then also reads the keys anew.
        world.clock.advance(Duration::from_secs(86_400));
        sign_ins.refused(path, "somebody", None).await;
    }
    // One more than bear no wait is not looked at. It waits for some moments whether others are taken back, beside reading
    // the account, which may take longer than that.
    for name in ["unknown"].into_iter().chain(KINDS.map(|(_, name, _)| name)) {
        for _ in 0..FREE {
            sign_ins.refused(LOGIN[0], name, None).await;
        }
    }
    let expected = sign_ins.refused(LOGIN[0], "unknown", None).await;
    assert!(expected.work.hashes.is_empty() && expected.answer.starts_with("429"), "{expected:?}");
    for (what, name, code) in KINDS {
        let Outcome { work, answer, accounts: _ } = sign_ins.refused(LOGIN[0], name, code).await;
        assert_eq!((work, answer), (expected.work.clone(), expected.answer.clone()), "{what}, too early");
    }
}

/// How many pairs of sign-ins are measured.
const TRIALS: usize = 2000;

/// Measures pairs of a wrong password and an unknown name, whichever of the two a coin has go first, and asserts of all
/// that they were the same work and got the same answer.
async fn measured(cost: HashCost, trials: usize) -> String {
    let world = World::start().await;
    let mut sign_ins = SignIns::at_cost(&world, cost);
    let names = trials.div_ceil(FREE);
    for nth in 0..names {
        sign_ins.register(&format!("known{nth:05}")).await;
    }
    // Until an account was read there is none to read where nobody has the name.
    sign_ins.refused(LOGIN[0], "known00000@example.com", None).await;
    for nth in 0..20 {
        sign_ins.refused(LOGIN[0], &format!("warm{nth:06}"), None).await;
    }
    let (coin, expected) = (SystemChance::default(), sign_ins.refused(LOGIN[0], "other00000", None).await);
    let hash = [cost.memory, cost.passes, cost.lanes].map(u64::from);
    assert_eq!((&expected.work.hashes[..], expected.accounts), (&[hash][..], 1));
    let (mut wrong, mut unknown) = (Sample::default(), Sample::default());
    for trial in 0..trials {
        let mut side = [0];
        coin.fill(&mut side).expect("a coin");
        for known_one in [side[0] & 1 == 0, side[0] & 1 == 1] {
            let name = format!("{}{:05}", if known_one { "known" } else { "empty" }, trial % names);
            let began = Instant::now();
            let outcome = sign_ins.refused(LOGIN[0], &name, None).await;
            let took = began.elapsed();
            assert_eq!(outcome, expected, "trial {trial}, {name}");
            if known_one { wrong.push(took) } else { unknown.push(took) }
        }
    }
    let calls: Vec<_> = expected.work.calls.iter().map(|(call, times)| format!("{times} {call}")).collect();
    format!(
        "{trials} wrong passwords and {trials} unknown names in turns; each was one argon2id hash ({} KiB, {} passes), \
         {} and an answer of {} bytes\n{}",
        cost.memory,
        cost.passes,
        calls.join(", "),
        expected.answer.len(),
        compared(&wrong, &unknown),
    )
}

/// The hash is nearly all of the time that a sign-in takes, and its own jitter hides what else may differ. So most
/// trials are made with the cheapest hash that there is, where a difference of some microseconds shows, and some more
/// with the one that is deployed. The work is counted in all of them.
#[ignore = "takes a minute, and is there to be read: `just timing`"]
#[tokio::test]
async fn how_long_wrong_passwords_and_unknown_names_take() {
    println!("\nwith the cheapest hash: {}", measured(HashCost { memory: 8, passes: 1, lanes: 1 }, TRIALS).await);
    println!("\nas deployed: {}", measured(HashCost::default(), TRIALS / 4).await);
}
