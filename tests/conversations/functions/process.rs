//! One function: its processes, and the runtime API through which they get events and give answers.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path as Segments, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;

use super::listen;

/// Lambda starts another process where all are busy. More than this many are never at work here.
const MOST_PROCESSES: usize = 3;
/// How long an answer may take, in real time: the machine may be busy.
const LIMIT: Duration = Duration::from_secs(90);

pub(super) struct Function {
    shared: Arc<Shared>,
    events: mpsc::UnboundedSender<(u64, Value)>,
}

struct Shared {
    group: String,
    binary: PathBuf,
    environment: BTreeMap<String, String>,
    /// Where it writes its log.
    output: PathBuf,
    next: tokio::sync::Mutex<mpsc::UnboundedReceiver<(u64, Value)>>,
    waiting: Mutex<BTreeMap<u64, oneshot::Sender<Result<Value, String>>>>,
    processes: Mutex<Vec<Child>>,
    numbers: AtomicU64,
    /// Events that are queued or being answered.
    at_work: AtomicUsize,
}

impl Function {
    pub(super) async fn new(
        group: &str,
        binary: &Path,
        environment: BTreeMap<String, String>,
        output: &Path,
    ) -> (Self, AbortHandle) {
        let (listener, address) = listen().await;
        let (events, next) = mpsc::unbounded_channel();
        let mut environment = environment;
        environment.extend(lambdas(group));
        environment.insert("AWS_LAMBDA_RUNTIME_API".to_owned(), address);
        let shared = Arc::new(Shared {
            group: group.to_owned(),
            binary: binary.to_owned(),
            environment,
            output: output.to_owned(),
            next: tokio::sync::Mutex::new(next),
            waiting: Mutex::default(),
            processes: Mutex::default(),
            numbers: AtomicU64::new(0),
            at_work: AtomicUsize::new(0),
        });
        let runtime = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next_event))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(answered))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(failed))
            .route("/2018-06-01/runtime/init/error", post(did_not_start))
            .with_state(Arc::clone(&shared));
        let serving = tokio::spawn(async move { axum::serve(listener, runtime).await });
        (Self { shared, events }, serving.abort_handle())
    }

    /// What a process answers an event; `Err`: it ended, or said that it failed.
    pub(super) async fn invoke(&self, event: &Value) -> Result<Value, String> {
        let shared = &self.shared;
        let number = shared.numbers.fetch_add(1, Ordering::SeqCst);
        let (answer, answered) = oneshot::channel();
        shared.waiting.lock().expect("not poisoned").insert(number, answer);
        let at_work = shared.at_work.fetch_add(1, Ordering::SeqCst) + 1;
        {
            let mut processes = shared.processes.lock().expect("not poisoned");
            if at_work > processes.len() && processes.len() < MOST_PROCESSES {
                processes.push(shared.start());
            }
        }
        self.events.send((number, event.clone())).expect("the queue is open");
        let outcome = tokio::time::timeout(LIMIT, answered).await;
        shared.at_work.fetch_sub(1, Ordering::SeqCst);
        match outcome {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(format!("{} was stopped", shared.group)),
            Err(_) => Err(format!("{} did not answer in time, see {}", shared.group, shared.output.display())),
        }
    }

    /// Ends its processes, and writes down what they needed.
    pub(super) fn stop(&self) {
        for mut process in self.shared.processes.lock().expect("not poisoned").drain(..) {
            self.shared.note_needs(process.id());
            // One that ended by itself was told by who waited for it.
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    fn start(&self) -> Child {
        // Each line is added in one piece, whichever function writes it.
        let log = open(&self.output);
        Command::new(&self.binary)
            .env_clear()
            .envs(&self.environment)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log"))
            .stderr(log)
            .spawn()
            .expect("a process")
    }

    /// Peak memory in KiB, and processor time in ticks, as Linux tells them.
    fn note_needs(&self, process: u32) {
        let read = |what: &str| std::fs::read_to_string(format!("/proc/{process}/{what}")).unwrap_or_default();
        let status = read("status");
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
        let stat = read("stat");
        let ticks: u64 = stat.split(' ').skip(13).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
        let peak: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap_or_default();
        let line = json!({"peak_kib": peak, "ticks": ticks, "events": self.numbers.load(Ordering::SeqCst)});
        let needs = open(&self.output.with_file_name(format!("{}.needs", self.group)));
        (&needs).write_all(format!("{line}\n").as_bytes()).expect("a note");
    }

    fn settle(&self, id: &str, outcome: Result<Value, String>) -> StatusCode {
        let number = id.rsplit('-').next().and_then(|number| number.parse::<u64>().ok()).expect("an id of ours");
        if let Some(waiting) = self.waiting.lock().expect("not poisoned").remove(&number) {
            // Who asked may be gone.
            let _ = waiting.send(outcome);
        }
        StatusCode::ACCEPTED
    }
}

fn open(file: &Path) -> File {
    OpenOptions::new().create(true).append(true).open(file).expect("a file for notes")
}

/// What Lambda sets for a function.
fn lambdas(group: &str) -> BTreeMap<String, String> {
    let variables = [
        ("AWS_REGION", "us-east-1"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "local"),
        ("AWS_SECRET_ACCESS_KEY", "local"),
        ("AWS_SESSION_TOKEN", "local"),
        ("AWS_LAMBDA_FUNCTION_NAME", group),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1024"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "group"),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "stream"),
        ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("LAMBDA_TASK_ROOT", "/var/task"),
        ("LAMBDA_RUNTIME_DIR", "/var/runtime"),
        ("LANG", "en_US.UTF-8"),
        ("PATH", "/usr/local/bin:/usr/bin/:/bin"),
        ("TZ", ":UTC"),
        ("_HANDLER", "bootstrap"),
    ];
    variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

async fn next_event(State(function): State<Arc<Shared>>) -> (HeaderMap, Json<Value>) {
    // The lock is given back when a process that waits is ended.
    let next = function.next.lock().await.recv().await;
    let Some((number, event)) = next else { std::future::pending().await };
    let id = format!("00000000-0000-4000-8000-{number:012}");
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("lambda-runtime-aws-request-id", id.as_str()),
        // The year 2100: what the clock of the tests says doesn't end an event.
        ("lambda-runtime-deadline-ms", "4102444800000"),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:us-east-1:123456789012:function:polygate"),
        ("lambda-runtime-trace-id", "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0"),
    ] {
        headers.insert(name, value.parse().expect("a header"));
    }
    (headers, Json(event))
}

async fn answered(State(function): State<Arc<Shared>>, Segments(id): Segments<String>, body: Bytes) -> StatusCode {
    function.settle(&id, serde_json::from_slice(&body).map_err(|error| format!("not JSON: {error}")))
}

async fn failed(State(function): State<Arc<Shared>>, Segments(id): Segments<String>, body: String) -> StatusCode {
    function.settle(&id, Err(body))
}

async fn did_not_start(State(function): State<Arc<Shared>>, body: String) -> StatusCode {
    for (_, waiting) in std::mem::take(&mut *function.waiting.lock().expect("not poisoned")) {
        let _ = waiting.send(Err(body.clone()));
    }
    StatusCode::ACCEPTED
}
