//! Other people's libraries accept what the service hands out, and refuse what they must. They are real and go by the
//! machine's own clock, so these tests need what `just clients` installs, and only that runs them.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use polygate::Options;
use polygate_shared::identity::{Clock, KEY_LEAD, KEY_TAIL, SystemClock};
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::support::World;

/// How far behind the machine's clock the service begins: the next key signs after three hours, and what it signs then
/// has to be of the past for whoever goes by the machine's clock.
const BEHIND: Duration = Duration::from_secs(4 * 3600);

/// Begins before the present, and is moved on.
struct Behind(OffsetDateTime, AtomicI64);

impl Behind {
    fn advance(&self, by: Duration) {
        self.1.fetch_add(i64::try_from(by.as_secs()).expect("a span"), Ordering::SeqCst);
    }
}

impl Clock for Behind {
    fn now(&self) -> OffsetDateTime {
        self.0 + time::Duration::seconds(self.1.load(Ordering::SeqCst))
    }
}

/// Runs a program on an input; its output. It reaches this machine without any proxy.
fn run(program: &str, arguments: &[&str], input: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder).env("NO_PROXY", "127.0.0.1").env("no_proxy", "127.0.0.1");
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut child = piped.unwrap_or_else(|error| panic!("{program}: {error}: `just clients` installs what it takes"));
    child.stdin.take().expect("an input").write_all(input.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("an end");
    let told = String::from_utf8(output.stdout).expect("text");
    assert!(output.status.success(), "{program} {arguments:?}: {}\n{told}", output.status);
    told
}

const NODE: (&str, &[&str]) = ("node", &["target/clients/verify.mjs"]);
const PYTHON: (&str, &[&str]) = (".venv/bin/python", &["scripts/clients/verify.py"]);

/// Tokens with what they are asked to be, and what must come of it.
struct Asked {
    base: String,
    algorithm: &'static str,
    tokens: Vec<Value>,
    expected: Vec<(String, bool)>,
}

impl Asked {
    fn new(world: &World, algorithm: &'static str) -> Self {
        Self { base: world.server.base_url().to_owned(), algorithm, tokens: Vec::new(), expected: Vec::new() }
    }

    fn one(&mut self, name: &str, token: &str, audience: &str, issuer: &str, good: bool) {
        self.tokens.push(json!({"name": name, "token": token, "audience": audience, "issuer": issuer}));
        self.expected.push((name.to_owned(), good));
    }

    fn good(mut self, name: &str, token: &str) -> Self {
        let base = self.base.clone();
        self.one(name, token, &base, &base, true);
        self
    }

    fn refused(mut self, name: &str, token: &str) -> Self {
        let base = self.base.clone();
        self.one(name, token, &base, &base, false);
        self
    }

    /// The same token, forged at each of its parts, and for whoever it isn't.
    fn good_and_not_otherwise(self, name: &str, token: &str) -> Self {
        let base = self.base.clone();
        let mut asked = self.good(name, token);
        for (nth, part) in ["header", "payload", "signature"].into_iter().enumerate() {
            let mut parts: Vec<_> = token.split('.').map(str::to_owned).collect();
            let mut bytes = URL_SAFE_NO_PAD.decode(&parts[nth]).expect("base64url");
            // In a text of the JSON, so that it stays JSON: the payload's `client_id`, the header's `kid`.
            let client = bytes.windows(5).position(|word| word == b"zeaya");
            let changed = client.map_or(bytes.len() / 2, |start| start + 4);
            bytes[changed] ^= 1;
            parts[nth] = URL_SAFE_NO_PAD.encode(bytes);
            asked = asked.refused(&format!("{name}, a bit of its {part} changed"), &parts.join("."));
        }
        asked.one(&format!("{name}, for another audience"), token, "https://other.example.com", &base, false);
        asked.one(&format!("{name}, of another issuer"), token, &base, "https://other.example.com", false);
        asked
    }

    /// Asks the libraries of a program. It runs beside the server, which this thread goes on serving.
    async fn check(self, (program, arguments): (&'static str, &'static [&'static str]), subject: &str) {
        let Self { base, algorithm, tokens, expected } = self;
        let input = json!({"base": base, "algorithm": algorithm, "tokens": tokens}).to_string();
        let told = tokio::task::spawn_blocking(move || run(program, arguments, &input)).await.expect("an end");
        let told: Value = serde_json::from_str(&told).unwrap_or_else(|error| panic!("{error}: {told}"));
        for (library, found) in told.as_object().expect("libraries") {
            for (name, good) in &expected {
                let came = found[name].as_str().unwrap_or_else(|| panic!("{library}, {name}: nothing in {found}"));
                let right = if *good { came == subject } else { came.starts_with("refused: ") };
                assert!(right, "{library}, {algorithm}, {name}: {came}");
                println!("{library}, {algorithm}, {name}: {}", if *good { "taken" } else { came });
            }
        }
    }
}

/// Signs in through zeaya, whose tokens live for seven days; the token and its subject.
async fn signed_in(world: &mut World) -> (String, String) {
    let login = json!({"username": "alice", "password": "secret123"});
    let token = world.post("/zeaya/api/auth/login", login).quietly().await.text("/data/token");
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).expect("a payload")).expect("base64url");
    let claims: Value = serde_json::from_slice(&payload).expect("JSON");
    (token, claims["sub"].as_str().expect("a subject").to_owned())
}

async fn before_during_and_after_a_rotation(libraries: (&'static str, &'static [&'static str])) {
    for algorithm in ["ES256", "RS256"] {
        let clock = Arc::new(Behind(SystemClock.now() - BEHIND, AtomicI64::new(0)));
        let mut world = World::with(|options| {
            let clock = Arc::clone(&clock) as Arc<dyn Clock>;
            Options { clock, ..options }.with("SIGNING_ALGORITHM", algorithm)
        })
        .await;
        world.register("alice", "secret123").await;
        let (old, subject) = signed_in(&mut world).await;
        Asked::new(&world, algorithm).good_and_not_otherwise("before", &old).check(libraries, &subject).await;
        let admin = world.server.admin_token().reveal().to_owned();
        let rotated = world.post("/api/v1/admin/keys/rotate", json!({})).bearer(&admin).quietly().await;
        assert_eq!(rotated.json()["data"]["items"].as_array().map(Vec::len), Some(2), "{}", rotated.body);
        clock.advance(KEY_LEAD / 2);
        let (still, _) = signed_in(&mut world).await;
        let during = Asked::new(&world, algorithm).good("before", &old).good_and_not_otherwise("during", &still);
        during.check(libraries, &subject).await;
        clock.advance(KEY_LEAD / 2);
        let (new, _) = signed_in(&mut world).await;
        let after = Asked::new(&world, algorithm).good("before", &old).good("during", &still);
        after.good_and_not_otherwise("after", &new).check(libraries, &subject).await;
        // By the service's clock nothing that the old key signed is alive; by the libraries' it still would be.
        clock.advance(KEY_TAIL);
        let retired = Asked::new(&world, algorithm).good("after", &new);
        let retired = retired.refused("before, its key retired", &old).refused("during, its key retired", &still);
        retired.check(libraries, &subject).await;
        // And all at once where a key leaked.
        world.post("/api/v1/admin/keys/rotate", json!({"at_once": true})).bearer(&admin).quietly().await.is(200, 0);
        Asked::new(&world, algorithm).refused("after, its key thrown away", &new).check(libraries, &subject).await;
    }
}

#[ignore = "needs Node and packages of npm: `just clients`"]
#[tokio::test]
async fn jose_and_aws_jwt_verify_take_our_tokens_before_during_and_after_a_rotation() {
    before_during_and_after_a_rotation(NODE).await;
}

#[ignore = "needs packages of PyPI: `just clients`"]
#[tokio::test]
async fn pyjwt_takes_our_tokens_before_during_and_after_a_rotation() {
    before_during_and_after_a_rotation(PYTHON).await;
}

#[ignore = "needs packages of PyPI: `just clients`"]
#[tokio::test]
async fn pyotp_signs_in_through_every_contract() {
    let world = World::with(|options| Options { clock: Arc::new(SystemClock), ..options }).await;
    let base = world.server.base_url().to_owned();
    let told = tokio::task::spawn_blocking(move || run(PYTHON.0, &["scripts/clients/authenticator.py", &base], ""));
    print!("{}", told.await.expect("an end"));
}
