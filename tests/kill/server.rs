//! The real binary as a process of its own, reached over HTTP as a client reaches it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::Value;

/// A process that gets SIGKILL when it is dropped, and is gone then.
pub(crate) struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        self.0.kill().expect("it is killed");
        self.0.wait().expect("it is gone");
    }
}

/// Starts one on this directory and waits for nothing.
pub(crate) fn launch(folder: &Path) -> Process {
    // A port that another run's server left says nothing of this one's.
    let _ = std::fs::remove_file(folder.join("lambda.env"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_polygate"));
    let command = command.args(["--port", "0", "--data"]).arg(folder);
    Process(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a server"))
}

/// One that answers.
pub(crate) struct Running {
    address: Address,
    /// Where its store engine answers.
    pub(crate) engine: String,
    _process: Process,
}

/// Where a server answers, and what it takes to ask it.
#[derive(Clone)]
pub(crate) struct Address {
    base: String,
    admin_token: String,
    client: reqwest::Client,
}

/// The connection broke before the whole answer was there: whatever was asked may or may not have been done.
pub(crate) struct Gone;

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn text(&self, pointer: &str) -> String {
        let text = self.body.pointer(pointer).and_then(Value::as_str);
        text.unwrap_or_else(|| panic!("no text at {pointer} in {self:?}")).to_owned()
    }
}

/// Whom a request is by.
#[derive(Clone, Copy)]
pub(crate) enum By<'a> {
    Anybody,
    Bearer(&'a str),
    /// Whoever holds the administrator token, under an idempotency key where one is given.
    Administrator(&'a str),
}

impl Running {
    /// Starts one on this directory and waits until it answers.
    pub(crate) async fn start(folder: &Path) -> Self {
        let process = launch(folder);
        let file = folder.join("lambda.env");
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        let began = Instant::now();
        loop {
            assert!(began.elapsed() < Duration::from_secs(30), "it doesn't start again");
            tokio::time::sleep(Duration::from_millis(5)).await;
            let Some((base, engine)) = told(&file) else { continue };
            let admin_token = std::fs::read_to_string(folder.join("admin-token")).expect("the administrator token");
            let address = Address { base, admin_token: admin_token.trim().to_owned(), client: client.clone() };
            if address.ask(Method::GET, "/kite/api/v1/health", By::Anybody, None).await.is_ok() {
                return Self { address, engine, _process: process };
            }
        }
    }

    pub(crate) fn address(&self) -> Address {
        self.address.clone()
    }

    /// Asks one that nobody kills.
    pub(crate) async fn ask(&self, method: Method, path: &str, by: By<'_>, body: Option<Value>) -> Answer {
        let Ok(answer) = self.address.ask(method, path, by, body).await else { panic!("{path}: no answer") };
        answer
    }
}

/// Where it says that it answers: its own address and its engine's.
fn told(file: &PathBuf) -> Option<(String, String)> {
    let text = std::fs::read_to_string(file).ok()?;
    let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    // The file ends with this name: before it is there, the rest may be half a line.
    value("TABLE_NAME").filter(|_| text.ends_with('\n'))?;
    let own = value("AWS_ENDPOINT_URL_SES")?.strip_suffix("/_local/ses")?;
    Some((own.to_owned(), value("AWS_ENDPOINT_URL_DYNAMODB")?.to_owned()))
}

impl Address {
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        by: By<'_>,
        body: Option<Value>,
    ) -> Result<Answer, Gone> {
        let request = self.request(method, path, by);
        self.send(match body {
            Some(body) => request.json(&body),
            None => request,
        })
        .await
    }

    /// Sends a picture as a form.
    pub(crate) async fn upload(&self, path: &str, by: By<'_>, file: Vec<u8>) -> Result<Answer, Gone> {
        let part = reqwest::multipart::Part::bytes(file).file_name("picture");
        let form = reqwest::multipart::Form::new().part("avatar", part);
        self.send(self.request(Method::POST, path, by).multipart(form)).await
    }

    fn request(&self, method: Method, path: &str, by: By<'_>) -> reqwest::RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.base));
        match by {
            By::Anybody => request,
            By::Bearer(token) => request.bearer_auth(token),
            By::Administrator(key) => {
                let request = request.header("x-admin-token", &self.admin_token);
                if key.is_empty() {
                    request
                } else {
                    request.header("idempotency-key", key).bearer_auth(&self.admin_token)
                }
            }
        }
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Answer, Gone> {
        let response = request.send().await.map_err(|_| Gone)?;
        let status = response.status().as_u16();
        let bytes = response.bytes().await.map_err(|_| Gone)?;
        // A picture is no JSON, and nothing here looks into it.
        Ok(Answer { status, body: serde_json::from_slice(&bytes).unwrap_or_default() })
    }
}
