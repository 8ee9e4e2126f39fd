//! The functions as Lambda runs them: the very binaries that are deployed, a process each, behind a gateway that routes as
//! the template does, with the environment that the template gives. `scripts/functions.py` builds what this needs and
//! names it in `POLYGATE_FUNCTIONS`; without that the tests speak to the development server.

mod cloud;
mod gateway;
mod process;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use polygate::Server;
use polygate_shared::http::Group;
use serde::Deserialize;
use serde_json::Value;
use tokio::task::AbortHandle;

use self::cloud::Cloud;
use self::process::Function;

/// What `scripts/functions.py` says of the stack.
#[derive(Deserialize)]
pub(crate) struct Stack {
    /// The binaries by the group's name.
    binaries: BTreeMap<String, PathBuf>,
    /// The environment that the template gives them.
    environment: BTreeMap<String, BTreeMap<String, String>>,
    /// The gateway's routes.
    routes: BTreeMap<String, String>,
    /// The library that tells the tests' time.
    clock: PathBuf,
    /// Where what the functions called and wrote is kept.
    notes: PathBuf,
}

impl Stack {
    fn named() -> Option<&'static Self> {
        static STACK: OnceLock<Option<Stack>> = OnceLock::new();
        #[expect(clippy::disallowed_methods, reason = "how a test run is told what to run against")]
        let read = || {
            let file = std::env::var_os("POLYGATE_FUNCTIONS")?;
            let text = std::fs::read_to_string(file).expect("what POLYGATE_FUNCTIONS names");
            Some(serde_json::from_str(&text).expect("what scripts/functions.py writes"))
        };
        STACK.get_or_init(read).as_ref()
    }
}

/// A deployment on a development server's store and mailbox.
pub(crate) struct Functions {
    url: String,
    deployment: Arc<Deployment>,
    serving: Vec<AbortHandle>,
}

struct Deployment {
    stack: &'static Stack,
    functions: BTreeMap<String, Function>,
    events: AtomicU64,
    server_url: String,
    client: reqwest::Client,
}

/// The instant that processes read, in a file.
pub(crate) struct ClockFile {
    path: PathBuf,
    file: File,
}

impl ClockFile {
    /// A file of its own for each test, if processes are to read one.
    pub(crate) fn for_processes() -> Option<Self> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let stack = Stack::named()?;
        let number = NUMBER.fetch_add(1, Ordering::SeqCst);
        let path = stack.notes.join(format!("clock-{}-{number}", std::process::id()));
        let file = File::create(&path).expect("a file for the clock");
        Some(Self { path, file })
    }

    /// Tells the processes another instant, in milliseconds since 1970.
    pub(crate) fn tell(&self, millis: i64) {
        self.file.write_all_at(&millis.to_ne_bytes(), 0).expect("the clock is told");
    }
}

impl Drop for ClockFile {
    fn drop(&mut self) {
        // Who still reads it keeps what is mapped.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// What the processes of one test write, in a file.
pub(crate) struct Output {
    path: PathBuf,
    /// How much of it was asked for.
    read: AtomicUsize,
}

impl Output {
    /// A file of its own for each test, named after it, if processes are to write one.
    pub(crate) fn of_processes() -> Option<Self> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let stack = Stack::named()?;
        let number = NUMBER.fetch_add(1, Ordering::SeqCst);
        let test = std::thread::current().name().unwrap_or_default().replace("::", ".");
        Some(Self { path: stack.notes.join(format!("{test}-{number}.log")), read: AtomicUsize::new(0) })
    }

    /// Adds a line, for a test of who looks at it.
    pub(crate) fn plant(&self, line: &str) {
        let mut file = File::options().create(true).append(true).open(&self.path).expect("a file for a log");
        writeln!(file, "{line}").expect("a line");
    }

    /// All of it.
    pub(crate) fn text(&self) -> String {
        // Nobody writes one before the first event.
        std::fs::read_to_string(&self.path).unwrap_or_default()
    }

    /// What was added since this was last asked, up to the end of a line.
    pub(crate) fn added(&self) -> String {
        let text = self.text();
        let added = &text[self.read.load(Ordering::SeqCst)..];
        let lines = &added[..added.rfind('\n').map_or(0, |end| end + 1)];
        self.read.fetch_add(lines.len(), Ordering::SeqCst);
        lines.to_owned()
    }
}

/// Where secrets and table of a deployment are.
pub(crate) struct Place<'a> {
    pub(crate) server: &'a Server,
    /// The table's name in the server's engine.
    pub(crate) table: &'a str,
    /// Settings that differ from the template's.
    pub(crate) settings: &'a BTreeMap<String, String>,
    pub(crate) clock: &'a ClockFile,
    pub(crate) output: &'a Output,
    /// An endpoint of Secrets Manager, in place of one that knows the development server's secrets.
    pub(crate) secrets: Option<&'a str>,
}

impl Functions {
    /// Starts the gateway, if tests are to speak to processes. A function starts with its first event.
    pub(crate) async fn start(place: Place<'_>) -> Option<Self> {
        let stack = Stack::named()?;
        let mut serving = Vec::new();
        let (cloud, task) = Cloud::start(&place, stack).await;
        serving.push(task);
        let mut functions = BTreeMap::new();
        for (group, binary) in &stack.binaries {
            let mut environment = stack.environment[group].clone();
            for (name, value) in place.settings {
                // What the template gives a function no value for it can't be told either.
                if let Some(given) = environment.get_mut(name) {
                    given.clone_from(value);
                }
            }
            environment.extend(cloud.environment_of(group, &place));
            environment.insert("TEST_CLOCK".to_owned(), place.clock.path.to_string_lossy().into_owned());
            environment.insert("LD_PRELOAD".to_owned(), stack.clock.to_string_lossy().into_owned());
            let (function, task) = Function::new(group, binary, environment, &place.output.path).await;
            functions.insert(group.clone(), function);
            serving.push(task);
        }
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        let server_url = place.server.base_url().to_owned();
        let deployment = Arc::new(Deployment { stack, functions, events: AtomicU64::new(0), server_url, client });
        let (url, task) = gateway::serve(Arc::clone(&deployment)).await;
        serving.push(task);
        Some(Self { url, deployment, serving })
    }

    /// Where the gateway answers.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Status and body of what the gateway answers a request.
    pub(crate) async fn ask(&self, request: axum::http::Request<axum::body::Body>) -> (u16, Value) {
        let (parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, 1_000_000).await.expect("a body");
        let asked = self.deployment.client.request(parts.method, format!("{}{}", self.url, parts.uri));
        let answer = asked.headers(parts.headers).body(body).send().await.expect("an answer");
        (answer.status().as_u16(), answer.json().await.expect("JSON"))
    }

    /// What a group's function answers an event.
    pub(crate) async fn invoke(&self, group: Group, event: &Value) -> Value {
        self.deployment.functions[group.name()].invoke(event).await.expect("an answer")
    }

    /// What came of a report that SNS handed to the function that takes them in.
    pub(crate) async fn report(&self, event: &Value) -> Result<Value, String> {
        self.deployment.functions["bounces"].invoke(event).await
    }
}

impl Drop for Functions {
    fn drop(&mut self) {
        for task in &self.serving {
            task.abort();
        }
        for function in self.deployment.functions.values() {
            function.stop();
        }
    }
}

/// A free port, and the address for it.
async fn listen() -> (tokio::net::TcpListener, String) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address").to_string();
    (listener, address)
}
