//! One test for each row of the contracts' tables: its success, and each refusal that it can meet. Answers are told
//! whole, but for the headers that every answer must have, which are looked for and then left out.

mod beyond;
mod kite;
mod kite_admin;
mod kite_profile;
mod mcphub;
mod outcomes;
mod sproutgate;
mod sproutgate_admin;
pub(crate) mod table;
mod zeaya;

use std::fmt::Write as _;

use polygate::Options;
use polygate_shared::identity::{Account, ClaimKind};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, World};

/// Lines that every answer has.
const USUAL: [&str; 5] = [
    "  access-control-expose-headers: x-request-id,retry-after,x-ratelimit-limit,x-ratelimit-remaining",
    "  cache-control: no-store",
    "  content-type: application/json; charset=utf-8",
    "  x-content-type-options: nosniff",
    "  x-request-id: [request id]",
];
/// The two that differ with the contract: sproutgate is open to all origins, the others to those that are allowed.
const CORS: [&str; 2] = ["  access-control-allow-credentials: true", "  access-control-allow-origin: *"];
const VARY: &str = "  vary: origin, access-control-request-method, access-control-request-headers";

/// A transcript without the lines that every answer has; what lacks one of them says so.
pub(crate) fn brief(transcript: &str) -> String {
    let mut told = String::new();
    for block in transcript.split("\n\n") {
        let (asked, answered) = block.split_once("\n◀").unwrap_or((block, ""));
        told.push_str(asked);
        if !answered.is_empty() {
            told.push_str("\n◀");
            let lines: Vec<_> = answered.lines().collect();
            let missing = USUAL.iter().chain([&VARY]).filter(|line| !lines.contains(line)).map(|line| line.trim());
            missing.for_each(|line| write!(told, "\n  (without {line})").expect("a string takes all"));
            if !CORS.iter().any(|line| lines.contains(line)) {
                told.push_str("\n  (for no page)");
            }
            let kept = lines.iter().filter(|line| !USUAL.contains(line) && !CORS.contains(line) && **line != VARY);
            let kept: Vec<_> = kept.copied().collect();
            told.push_str(&kept.join("\n"));
        }
        told.push_str("\n\n");
    }
    told.trim_end().to_owned()
}

/// One endpoint in a world of its own, asked again and again.
pub(super) struct Trial {
    pub(super) world: World,
    method: Method,
    /// Where it is asked: of a path with a parameter, its place among real things.
    pub(super) path: String,
    /// Who asks.
    pub(super) token: Option<String>,
}

impl Trial {
    /// Asks with a wrong present password until the next one has to wait.
    pub(crate) async fn guesses_at_the_password(&mut self, wrong: Value) -> Answer {
        for _ in 0..5 {
            let path = self.path.clone();
            let (method, token) = (self.method.clone(), self.bearer());
            self.world.ask(method, &path).json(wrong.clone()).bearer(&token).quietly().await;
        }
        self.ask("after five wrong ones", wrong).await
    }

    /// Asks with a wrong mailed code until the next one has to wait.
    pub(super) async fn guesses_at_the_code(&mut self, wrong: Value) {
        for _ in 0..10 {
            let path = self.path.clone();
            let ask = self.world.ask(self.method.clone(), &path).json(wrong.clone()).quietly();
            if let Some(token) = &self.token {
                ask.bearer(token).await
            } else {
                ask.await
            };
        }
        self.ask("after ten wrong ones", wrong).await.has(429);
    }

    /// The endpoint that the table gives this test.
    pub(super) async fn of(test: &str) -> Self {
        Self::with(test, |options| options).await
    }

    /// The same on a server with other settings.
    pub(super) async fn with(test: &str, change: impl FnOnce(Options) -> Options) -> Self {
        let row = table::ROWS.iter().find(|row| row.test == test);
        let row = row.unwrap_or_else(|| panic!("{test} has no row in the table"));
        let method = row.method.parse().expect("a method");
        Self { world: World::with(change).await, method, path: format!("/{}{}", row.contract, row.path), token: None }
    }

    /// The same with an account `alice` (password `secret123`, address not proved) who asks.
    pub(super) async fn by_alice(test: &str) -> Self {
        let mut trial = Self::of(test).await;
        trial.world.register("alice", "secret123").await;
        trial.token = Some(trial.world.sign_in("alice", "secret123").await);
        trial
    }

    /// The token of who asks.
    pub(super) fn bearer(&self) -> String {
        self.token.clone().expect("somebody who asks")
    }

    /// Asks it as whoever asks now; a `null` is no body.
    pub(super) async fn ask(&mut self, what: &str, body: Value) -> Answer {
        match body {
            Value::Null => self.send(what, None).await,
            body => self.send(what, Some(("application/json", body.to_string().into_bytes()))).await,
        }
    }

    pub(super) async fn send(&mut self, what: &str, body: Option<(&str, Vec<u8>)>) -> Answer {
        self.world.note(what);
        let ask = self.world.ask(self.method.clone(), &self.path);
        let ask = if let Some(token) = &self.token { ask.bearer(token) } else { ask };
        if let Some((content_type, bytes)) = body { ask.raw(content_type, bytes).await } else { ask.await }
    }

    /// What is no request of this endpoint, whatever its fields: `good` has them all.
    pub(super) async fn refuses_bodies(&mut self, good: &Value) {
        let json = "application/json";
        self.send("not JSON", Some((json, b"{\"a\":".to_vec()))).await;
        self.send("not an object", Some((json, b"[]".to_vec()))).await;
        self.send("another media type", Some(("text/plain", good.to_string().into_bytes()))).await;
        self.send("too large", Some((json, vec![b' '; 64 * 1024 + 1]))).await;
        self.ask("nothing in it", json!({})).await;
        let fields = good.as_object().expect("an object");
        let wrong = fields.iter().map(|(field, value)| (field.clone(), of_another_type(value)));
        self.ask("wrong types", wrong.collect()).await;
    }

    /// Nobody, no token of ours, and tokens that were good once.
    pub(super) async fn refuses_strangers(&mut self, body: &Value) {
        let signed_out = self.newcomer("stella").await;
        self.world.ask(Method::POST, "/kite/api/v1/auth/logout").bearer(&signed_out).quietly().await;
        let disabled = self.newcomer("dora").await;
        self.world.amend("dora", |account| Account { active: false, ..account }).await;
        let asks = self.token.take();
        self.ask("by nobody", body.clone()).await;
        for (who, token) in
            [("no token of ours", "not-a-token".to_owned()), ("signed out", signed_out), ("disabled", disabled)]
        {
            self.token = Some(token);
            self.ask(who, body.clone()).await;
        }
        self.token = asks;
    }

    /// Somebody who has to choose a password first, or to set up a second factor.
    pub(super) async fn refuses_newcomers(&mut self, body: &Value) {
        self.refuses_who_has_to_choose(body).await;
        let newcomer = self.newcomer("mina").await;
        self.world.amend("mina", |account| Account { second_factor_required: true, ..account }).await;
        self.refuses(newcomer, "who has to set up a second factor first", body).await;
    }

    /// Somebody who has to choose a password first.
    pub(super) async fn refuses_who_has_to_choose(&mut self, body: &Value) {
        let newcomer = self.newcomer("max").await;
        self.world.amend("max", |account| Account { must_change_password: true, ..account }).await;
        self.refuses(newcomer, "who has to choose a password first", body).await;
    }

    /// A program with somebody's API token.
    pub(super) async fn refuses_programs(&mut self, body: &Value) {
        let session = self.newcomer("robert").await;
        let program = self.world.api_token(&session).await;
        self.refuses(program, "a program", body).await;
    }

    /// Somebody who is no administrator.
    pub(super) async fn refuses_ordinary_people(&mut self, body: &Value) {
        let ordinary = self.newcomer("otto").await;
        self.refuses(ordinary, "no administrator", body).await;
    }

    async fn refuses(&mut self, token: String, who: &str, body: &Value) {
        let asks = self.token.replace(token);
        let answer = self.ask(who, body.clone()).await;
        assert!(answer.status.is_client_error(), "{who}: {}", answer.body);
        self.token = asks;
    }

    async fn newcomer(&mut self, name: &str) -> String {
        self.world.register(name, "secret123").await;
        self.world.sign_in(name, "secret123").await
    }

    /// Everything that was said.
    pub(super) fn told(&self) -> String {
        brief(self.world.transcript())
    }
}

impl Answer {
    /// Asserts the status, where the body has no code.
    #[track_caller]
    pub(super) fn has(&self, status: u16) {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
    }
}

fn of_another_type(value: &Value) -> Value {
    match value {
        Value::String(_) => json!(1),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => json!("one"),
    }
}

/// What only administrators of accounts can do, and nobody over HTTP: see the store's own tests for its conditions.
impl World {
    pub(crate) async fn amend(&self, name: &str, change: impl FnOnce(Account) -> Account) {
        use polygate_shared::identity::Change;
        let store = self.server.store();
        let claims = store.claims(&[(ClaimKind::Name, name.to_owned())]).await.expect("an answer");
        let read = store.account(claims[0].account).await.expect("an answer").expect("an account");
        let account = change(read.account);
        let update = Change::UpdateAccount { account: &account, was: read.version };
        store.commit(&[update]).await.expect("an outcome").expect("nobody else");
    }
}

#[test]
fn what_every_answer_has_is_left_out_and_what_lacks_it_says_so() {
    let usual = USUAL.join("\n");
    let whole = format!("▶ GET /\n◀ 200 OK\n{}\n{usual}\n{VARY}\n  {{}}", CORS[0]);
    assert_eq!(brief(&whole), "▶ GET /\n◀ 200 OK\n  {}");
    let lacking = whole.replace("  cache-control: no-store\n", "").replace(&format!("{}\n", CORS[0]), "");
    assert_eq!(brief(&lacking), "▶ GET /\n◀\n  (without cache-control: no-store)\n  (for no page) 200 OK\n  {}");
}
