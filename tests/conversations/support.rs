//! A world to talk to: the whole development server in memory, a clock that only tests move, and a transcript of
//! everything that was said.

use std::collections::BTreeMap;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;

use polygate::{Bounds, Options, Server};
use polygate_shared::identity::Clock;
use reqwest::header::{HeaderMap, HeaderName};
use reqwest::{Method, StatusCode};
use serde_json::Value;

pub(crate) use crate::clock::TestClock;
use crate::functions::{Functions, Place};
use crate::redaction::{redact, redact_header, redact_ids};
use crate::watch::Watch;

pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) clock: Arc<TestClock>,
    /// Where the tests speak to processes.
    pub(crate) functions: Option<Functions>,
    client: reqwest::Client,
    transcript: String,
    pub(crate) watch: Watch,
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::with(|options| options).await
    }

    pub(crate) async fn with(change: impl FnOnce(Options) -> Options) -> Self {
        let clock = Arc::new(TestClock::start());
        let watch = Watch::start();
        // Races are about the core: all of them are to get that far.
        let bounds = Bounds { requests: 1_000, ..Bounds::default() };
        let clock_of_all = Arc::clone(&clock) as Arc<dyn Clock>;
        let options = Options { clock: clock_of_all, log: watch.log(), bounds, ..Options::default() };
        let options = change(options);
        let settings = options.settings.clone();
        let server = Server::start(options).await.expect("a server");
        let functions = match (clock.file(), watch.output()) {
            (Some(clock), Some(output)) => {
                let table = server.table();
                let place = Place { server: &server, table, settings: &settings, clock, output, secrets: None };
                Functions::start(place).await
            }
            (_, _) => None,
        };
        // Proxies of the machine are none of the tests' business.
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        Self { server, clock, functions, client, transcript: String::new(), watch }
    }

    /// Where requests go.
    pub(crate) fn base_url(&self) -> &str {
        self.functions.as_ref().map_or(self.server.base_url(), Functions::url)
    }

    pub(crate) fn ask(&mut self, method: Method, path: &str) -> Ask<'_> {
        Ask { world: self, method, path: path.to_owned(), headers: HeaderMap::new(), body: None, secret: false }
    }

    pub(crate) fn get(&mut self, path: &str) -> Ask<'_> {
        self.ask(Method::GET, path)
    }

    pub(crate) fn post(&mut self, path: &str, body: Value) -> Ask<'_> {
        self.ask(Method::POST, path).json(body)
    }

    pub(crate) fn put(&mut self, path: &str, body: Value) -> Ask<'_> {
        self.ask(Method::PUT, path).json(body)
    }

    /// The newest code that was mailed to an address.
    pub(crate) fn code_for(&self, address: &str) -> String {
        let mails = self.mails_to(address);
        let code = mails.iter().rev().find_map(|subject| {
            let code = subject.get(subject.len().checked_sub(6)?..)?;
            code.bytes().all(|byte| byte.is_ascii_digit()).then(|| code.to_owned())
        });
        code.unwrap_or_else(|| panic!("no code for {address} among {mails:?}"))
    }

    /// Subjects of all mails to an address, oldest first.
    pub(crate) fn mails_to(&self, address: &str) -> Vec<String> {
        let mails = self.server.mails();
        mails
            .iter()
            .rev()
            .filter(|mail| mail.to.iter().any(|to| to == address))
            .map(|mail| mail.subject.clone())
            .collect()
    }

    /// Writes a remark into the transcript.
    pub(crate) fn note(&mut self, remark: &str) {
        self.transcript.push_str(&format!("── {remark}\n\n"));
    }

    /// Everything that was said.
    pub(crate) fn transcript(&self) -> &str {
        self.transcript.trim_end()
    }

    /// An account made through kite, for tests about something else.
    pub(crate) async fn register(&mut self, name: &str, password: &str) {
        let body = serde_json::json!({"username": name, "email": format!("{name}@example.com"), "password": password});
        let answer = self.post("/kite/api/v1/auth/register", body).quietly().await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    }

    /// An account whose address `name@example.com` is proved, with the password `demo123`; its access token.
    pub(crate) async fn register_proved(&mut self, name: &str) -> String {
        let email = format!("{name}@example.com");
        let registration = serde_json::json!({"account": name, "password": "demo123", "username": "", "email": email});
        self.post("/sproutgate/api/auth/register", registration).quietly().await;
        let proof = serde_json::json!({"account": name, "code": self.code_for(&email)});
        let answer = self.post("/sproutgate/api/auth/verify-email", proof).quietly().await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        self.sign_in(name, "demo123").await
    }

    /// The access token of a sign-in through kite.
    pub(crate) async fn sign_in(&mut self, name: &str, password: &str) -> String {
        let body = serde_json::json!({"username": name, "password": password});
        let answer = self.post("/kite/api/v1/auth/login", body).quietly().await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        answer.text("/data/access_token")
    }

    async fn exchange(&self, request: reqwest::RequestBuilder) -> Answer {
        let request = request.build().expect("a request");
        self.watch.asked(&request);
        let answer = Answer::read(self.client.execute(request).await.expect("an answer")).await;
        self.watch.answered(&answer.headers, &answer.body);
        self.watch.mailed(&self.server.mails());
        answer
    }

    /// Sends many requests at once and returns their statuses and bodies.
    pub(crate) async fn all_at_once(&self, asked: Vec<(String, Value)>) -> Vec<Answer> {
        let asked = asked.into_iter().map(|(path, body)| (Method::POST, path, String::new(), body));
        self.all_at_once_by(asked.collect()).await
    }

    /// The same with methods, and the bearer's token of each.
    pub(crate) async fn all_at_once_by(&self, asked: Vec<(Method, String, String, Value)>) -> Vec<Answer> {
        let sent = asked.into_iter().map(|(method, path, token, body)| {
            let request = self.client.request(method, format!("{}{path}", self.base_url())).json(&body);
            let request = if token.is_empty() { request } else { request.bearer_auth(token) };
            self.exchange(request)
        });
        futures_util::future::join_all(sent).await
    }

    /// The same as one bearer, and all under one idempotency key.
    pub(crate) async fn all_at_once_under(&self, asked: Vec<(String, Value)>, token: &str, key: &str) -> Vec<Answer> {
        let sent = asked.into_iter().map(|(path, body)| {
            let request = self.client.post(format!("{}{path}", self.base_url())).json(&body).bearer_auth(token);
            self.exchange(request.header("idempotency-key", key))
        });
        futures_util::future::join_all(sent).await
    }

    /// The same, each with the bearer token that stands third.
    pub(crate) async fn all_at_once_as(&self, asked: Vec<(String, Value, String)>) -> Vec<Answer> {
        let sent = asked.into_iter().map(|(path, body, token)| {
            let request = self.client.post(format!("{}{path}", self.base_url())).json(&body).bearer_auth(token);
            self.exchange(request)
        });
        futures_util::future::join_all(sent).await
    }

    /// The same with PUT, each with the next of the tokens.
    pub(crate) async fn all_put_at_once(&self, asked: Vec<(String, Value)>, tokens: &[&str]) -> Vec<Answer> {
        let sent = asked.into_iter().zip(tokens.iter().cycle()).map(|((path, body), token)| {
            let request = self.client.put(format!("{}{path}", self.base_url())).json(&body).bearer_auth(token);
            self.exchange(request)
        });
        futures_util::future::join_all(sent).await
    }
}

/// A request that is being put together.
pub(crate) struct Ask<'a> {
    world: &'a mut World,
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Option<(String, Vec<u8>)>,
    secret: bool,
}

impl<'a> Ask<'a> {
    #[must_use]
    pub(crate) fn json(self, body: Value) -> Self {
        self.raw("application/json", body.to_string().into_bytes())
    }

    #[must_use]
    pub(crate) fn raw(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some((content_type.to_owned(), body.into()));
        self
    }

    #[must_use]
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        let name: HeaderName = name.parse().expect("a header name");
        self.headers.append(name, value.parse().expect("a header value"));
        self
    }

    #[must_use]
    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// Leaves it out of the transcript.
    #[must_use]
    pub(crate) fn quietly(mut self) -> Self {
        self.secret = true;
        self
    }
}

impl<'a> IntoFuture for Ask<'a> {
    type Output = Answer;
    type IntoFuture = Pin<Box<dyn Future<Output = Answer> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let Self { world, method, path, headers, body, secret } = self;
            let mut request =
                world.client.request(method.clone(), format!("{}{path}", world.base_url())).headers(headers.clone());
            if let Some((content_type, bytes)) = &body {
                request = request.header("content-type", content_type).body(bytes.clone());
            }
            let answer = world.exchange(request).await;
            if !secret {
                let asked = told(&method, &path, &headers, body.as_ref());
                let told = answer.told().replace(world.base_url(), "http://server");
                let answered = told.replace(world.server.base_url(), "http://server");
                world.transcript.push_str(&format!("{asked}\n{answered}\n\n"));
            }
            answer
        })
    }
}

/// A request as the transcript shows it: secrets by name, long bodies by length.
fn told(method: &Method, path: &str, headers: &HeaderMap, body: Option<&(String, Vec<u8>)>) -> String {
    let path = path.split_once("token=").map_or(path.to_owned(), |(before, _)| format!("{before}token=[token]"));
    let path = path.split('/').map(|segment| if segment.parse::<uuid::Uuid>().is_ok() { "[uuid]" } else { segment });
    let mut told = format!("▶ {method} {}", path.collect::<Vec<_>>().join("/"));
    for (name, value) in headers {
        let value = value.to_str().expect("a readable header");
        let secret = matches!(name.as_str(), "authorization" | "x-auth-token" | "x-admin-token" | "cookie");
        let shown = if secret { shape_of_credential(value) } else { value.to_owned() };
        told.push_str(&format!("\n  {name}: {shown}"));
    }
    let Some((content_type, bytes)) = body else { return told };
    if content_type != "application/json" {
        told.push_str(&format!("\n  content-type: {content_type}"));
    }
    let shown = match serde_json::from_slice::<Value>(bytes) {
        _ if bytes.len() > 2000 || content_type.starts_with("multipart/") => format!("[{} bytes]", bytes.len()),
        Ok(mut value) => {
            redact_request(&mut value);
            redact_ids(&mut value);
            value.to_string()
        }
        Err(_) => String::from_utf8_lossy(bytes).into_owned(),
    };
    format!("{told}\n  {shown}")
}

fn shape_of_credential(value: &str) -> String {
    match value.strip_prefix("Bearer ") {
        Some(token) if token.starts_with("pgt_") => "Bearer [API token]".to_owned(),
        Some(token) if token.len() > 40 => "Bearer [token]".to_owned(),
        _ if value.len() > 40 => "[token]".to_owned(),
        _ => value.to_owned(),
    }
}

fn redact_request(value: &mut Value) {
    for (key, secret) in [
        ("code", "[code]"),
        ("token", "[token]"),
        ("refresh_token", "[refresh token]"),
        ("challenge_token", "[challenge token]"),
    ] {
        if let Some(text) = value.get_mut(key)
            && text.as_str().is_some_and(|text| text != "000000")
        {
            *text = secret.into();
        }
    }
}

/// An answer, as received.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    async fn read(response: reqwest::Response) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = response.bytes().await.expect("a body").to_vec();
        Self { status, headers, body: String::from_utf8_lossy(&bytes).into_owned(), bytes }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// Asserts status and code.
    #[track_caller]
    pub(crate) fn is(&self, status: u16, code: u32) {
        assert_eq!((self.status.as_u16(), &self.json()["code"]), (status, &code.into()), "{}", self.body);
    }

    /// A text in the body, by JSON pointer.
    pub(crate) fn text(&self, pointer: &str) -> String {
        let body = self.json();
        let text = body.pointer(pointer).and_then(Value::as_str);
        text.unwrap_or_else(|| panic!("no text at {pointer} in {body}")).to_owned()
    }

    /// The value of a cookie that the answer sets.
    pub(crate) fn cookie(&self, name: &str) -> String {
        let cookies = self.headers.get_all("set-cookie").iter().map(|value| value.to_str().expect("a cookie"));
        let set = cookies.filter_map(|cookie| cookie.strip_prefix(name)?.strip_prefix('=')).next();
        set.and_then(|rest| rest.split(';').next()).unwrap_or_else(|| panic!("no cookie {name}")).to_owned()
    }

    /// Status, headers and body; what differs each time is replaced once its shape was asserted.
    pub(crate) fn told(&self) -> String {
        let mut told = format!("◀ {}", self.status);
        let mut headers = BTreeMap::<&str, Vec<String>>::new();
        for (name, value) in &self.headers {
            headers.entry(name.as_str()).or_default().push(value.to_str().expect("a readable header").to_owned());
        }
        assert!(headers.remove("date").is_some(), "every answer has a date");
        let length = headers.remove("content-length").is_some();
        assert!(length || self.status == StatusCode::NOT_MODIFIED, "every answer with a body has a length");
        for (name, values) in headers {
            for value in values {
                told.push_str(&format!("\n  {name}: {}", redact_header(name, &value)));
            }
        }
        if self.body.is_empty() {
            return told;
        }
        let Ok(mut body) = serde_json::from_str::<Value>(&self.body) else { return format!("{told}\n  {}", self.body) };
        redact("", &mut body);
        let pretty = serde_json::to_string_pretty(&body).expect("JSON");
        format!("{told}\n{}", indent(&pretty))
    }
}

fn indent(text: &str) -> String {
    text.lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}
