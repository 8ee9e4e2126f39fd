//! What the fuzz targets share: a pool of accounts made once through the real service, kept in memory and frozen, so that
//! every input meets the same state and none waits for anything.
//!
//! Reads are answered with what stood in the table; writes fail as where the store is down. That keeps inputs apart from
//! each other, and keeps password hashing out of reach (attempts are counted before), so that a million inputs take minutes.

mod frozen;
pub mod log;
mod pictures;

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::response::Response;
use http::HeaderMap;
use polygate::{Options, Server};
use polygate_shared::aws::{client, dynamodb::DynamoStore, ses::SesMailer};
use polygate_shared::http::{Arrival, Endpoints, Front};
use polygate_shared::identity::{Clock, Hasher, Identity, Policy, SystemChance, SystemClock};
use polygate_shared::log::Log;
use polygate_shared::settings::Settings;
use serde_json::{Value, json};
use time::OffsetDateTime;
use tokio::runtime::Runtime;

pub use pictures::is_left_out;

const ISSUER: &str = "https://id.example.com";

/// The instant at which the pool was made, for ever: no token ends while a run goes on.
#[derive(Clone, Copy)]
struct Stopped(OffsetDateTime);

impl Clock for Stopped {
    fn now(&self) -> OffsetDateTime {
        self.0
    }
}

/// The service over the frozen pool, and the credentials that are good in it.
pub struct Pool {
    runtime: Runtime,
    /// All endpoints of all contracts.
    pub front: Front,
    /// The core behind them.
    pub identity: Arc<Identity>,
    /// Where its lines go.
    pub log: Arc<Log>,
    /// What stands in inputs for a live credential, as in `{anna}`, and the credential.
    pub live: Vec<(&'static str, String)>,
}

/// Made at the first use.
pub static POOL: LazyLock<Pool> = LazyLock::new(Pool::make);

impl Pool {
    fn make() -> Self {
        let making = Runtime::new().expect("a runtime");
        let clock = Stopped(SystemClock.now());
        let (items, live) = making.block_on(populate(clock));
        making.shutdown_background();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let chance = Arc::new(SystemChance::default());
        let nowhere = client::connect_local("http://127.0.0.1:1").expect("a configuration");
        let identity = Arc::new(Identity::new(
            Arc::new(DynamoStore::new(frozen::client(items), "polygate", chance.clone())),
            Arc::new(SesMailer::new(&nowhere, "no-reply@example.com")),
            Arc::new(clock),
            chance,
            Hasher::new(1),
            Policy { allow_registration: true, issuer: Some(ISSUER.to_owned()), ..Policy::default() },
        ));
        // The mailed code is left out: six digits may stand anywhere.
        let secrets = live.iter().filter(|(name, _)| *name != "code").map(|(_, secret)| secret.clone()).collect();
        log::SECRETS.set(secrets).expect("set once");
        let log = Arc::new(Log::json(log::Lines, Some("fuzz")));
        let front = Front::new(&Endpoints::ALL, Arc::clone(&identity), &settings()).logging_to(Arc::clone(&log));
        let pool = Self { runtime, front, identity, log, live };
        pool.check();
        pool
    }

    /// The pool must let the live credentials in: else no input would get past the door.
    fn check(&self) {
        for (path, header) in [
            ("/kite/api/v1/profile", "authorization: Bearer {anna}"),
            ("/kite/api/v1/profile", "authorization: Bearer {program}"),
            ("/zeaya/api/auth/user", "authorization: Bearer {anna}"),
            ("/mcphub/api/auth/user", "x-auth-token: {anna}"),
            ("/kite/api/v1/tokens", "authorization: Bearer {anna}"),
            ("/kite/api/v1/admin/users", "authorization: Bearer {boss}"),
            ("/sproutgate/api/admin/users", "x-admin-token: {admin}"),
        ] {
            let request = self.request(format!("GET {path}\n{header}\n\n").as_bytes()).expect("a request");
            let response = self.ask(request).expect("an answer");
            assert_eq!(response.0, 200, "{path} with {header}: {}", String::from_utf8_lossy(&response.1));
        }
    }

    /// Runs something of the core's to its end.
    pub fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// The same for an answer to what is told here. "I forgot my password" is answered at its time, whatever there was to
    /// do: that is not waited for once the work is done, and there is no answer then.
    pub fn wait_for_answer<T>(&self, told: &str, work: impl Future<Output = T>) -> Option<T> {
        if !["forgot-password", "password-reset/request"].iter().any(|path| told.contains(path)) {
            return Some(self.wait(work));
        }
        self.wait(async { tokio::time::timeout(Duration::from_millis(1), work).await.ok() })
    }

    /// A text with the live credentials in their places.
    pub fn fill(&self, text: &[u8]) -> Vec<u8> {
        let Ok(text) = std::str::from_utf8(text) else { return text.to_vec() };
        if !text.contains('{') {
            return text.as_bytes().to_vec();
        }
        let fill = |text: String, (name, value): &(&str, String)| text.replace(&format!("{{{name}}}"), value);
        self.live.iter().fold(text.to_owned(), fill).into_bytes()
    }

    /// Reads a request as the seeds spell it: method and address, lines of headers, an empty line, the body.
    pub fn request(&self, input: &[u8]) -> Option<http::Request<Body>> {
        let input = self.fill(input);
        let (head, body) = match input.windows(2).position(|two| two == b"\n\n") {
            Some(end) => (&input[..end], &input[end + 2..]),
            None => (input.as_slice(), &[][..]),
        };
        let mut lines = head.split(|byte| *byte == b'\n');
        let mut first = lines.next()?.splitn(2, |byte| *byte == b' ');
        let mut request = http::Request::builder().method(first.next()?).uri(first.next()?);
        for line in lines {
            let colon = line.iter().position(|byte| *byte == b':')?;
            request = request.header(line[..colon].trim_ascii(), line[colon + 1..].trim_ascii());
        }
        request.body(Body::from(body.to_vec())).ok()
    }

    /// Answers a request and looks at the answer; status and body, if it was waited for.
    pub fn ask(&self, mut request: http::Request<Body>) -> Option<(u16, Vec<u8>)> {
        let arrival = Arrival {
            source: "203.0.113.7".to_owned(),
            request_id: "fuzz".to_owned(),
            secure: true,
            ..Arrival::default()
        };
        request.extensions_mut().insert(arrival);
        let path = request.uri().path().to_owned();
        self.wait_for_answer(&path, async { look(self.front.answer(request).await).await })
    }
}

async fn look(response: Response) -> (u16, Vec<u8>) {
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.expect("a body").to_vec();
    look_at(parts.status.as_u16(), &parts.headers, &body);
    (parts.status.as_u16(), body)
}

/// Panics unless an answer is one that the service may give to anything: no failure of its own but 503, the common headers,
/// and JSON where it says so.
pub fn look_at(status: u16, headers: &HeaderMap, body: &[u8]) {
    let told = String::from_utf8_lossy(body);
    assert!(status < 500 || status == 503, "{status}: {told}\n{}", log::last());
    assert!(headers.contains_key("x-content-type-options") && headers.contains_key("cache-control"), "{headers:?}");
    assert!(status != 503 || headers.contains_key("retry-after"), "503 without Retry-After: {told}");
    let kind = headers.get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.starts_with("application/json") && !body.is_empty() {
        assert!(serde_json::from_slice::<Value>(body).is_ok(), "no JSON: {told}");
    }
}

fn settings() -> Settings {
    Settings::parse(&|_| None).expect("defaults")
}

/// Makes the pool through the service itself, on the development server's engine. What is in the table then, and the
/// credentials.
async fn populate(clock: Stopped) -> (Vec<Value>, Vec<(&'static str, String)>) {
    let options = Options { clock: Arc::new(clock), ..Options::default() }.with("ISSUER", ISSUER);
    let server = Server::start(options).await.expect("a server");
    let front = Front::new(&Endpoints::ALL, Arc::clone(server.identity()), &settings());
    let post = async |path: &str, by: &str, body: Value| {
        let request = http::Request::post(path).header("content-type", "application/json");
        let request = if by.is_empty() { request } else { request.header("authorization", format!("Bearer {by}")) };
        let answer = front.answer(request.body(Body::from(body.to_string())).expect("a request")).await;
        let (status, body) = look(answer).await;
        assert!(status < 300, "{path}: {}", String::from_utf8_lossy(&body));
        serde_json::from_slice::<Value>(&body).expect("JSON")
    };
    let text = |answer: &Value, at: &str| answer.pointer(at).and_then(Value::as_str).expect("a text").to_owned();
    let (login, access) = ("/kite/api/v1/auth/login", "/data/access_token");
    let first = text(&post(login, "", json!({"username": "admin", "password": "admin"})).await, access);
    let reset = json!({"username": "boss", "email": "boss@example.com", "password": "strong-password"});
    let boss = text(&post("/kite/api/v1/auth/first-login-reset", &first, reset).await, access);
    let anna = json!({"username": "anna", "email": "anna@example.com", "password": "strong-password"});
    post("/kite/api/v1/auth/register", "", anna).await;
    let signed_in = post(login, "", json!({"username": "anna", "password": "strong-password"})).await;
    let (anna, refresh) = (text(&signed_in, access), text(&signed_in, "/data/refresh_token"));
    post("/kite/api/v1/auth/2fa/setup", &anna, json!({})).await;
    let made = post("/kite/api/v1/tokens", &anna, json!({"name": "backup"})).await;
    let program = text(&made, "/data/token");
    let mailed = json!({"account": "berta", "password": "demo123", "username": "", "email": "berta@example.com"});
    post("/sproutgate/api/auth/register", "", mailed).await;
    let subject = server.mails().first().expect("a mail").subject.clone();
    let code = subject[subject.len() - 6..].to_owned();
    let admin = server.admin_token().reveal().to_owned();
    let items = frozen::items(&server.dynamodb_url(), server.table()).await;
    server.shutdown().await;
    let live =
        [("boss", boss), ("anna", anna), ("refresh", refresh), ("program", program), ("admin", admin), ("code", code)];
    (items, live.into())
}
