//! The log of all that the tests have the service do, as a deployed function writes it, and a watch over it: nothing that
//! a client sent, and no secret or address that it was told, may stand there.

use std::collections::BTreeSet;
use std::io::{Result, Write};
use std::sync::{Arc, LazyLock, Mutex, Once};

use polygate::LocalMail;
use polygate_shared::aws::events;
use polygate_shared::http::paths;
use polygate_shared::log::Log;
use reqwest::header::HeaderMap;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tracing::Level;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;

use crate::functions::Output;

/// Everything that was logged by anybody since the tests began: what doesn't belong to a request too.
static EVERYTHING: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Writes there.
struct Everything;

impl Write for Everything {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        EVERYTHING.lock().expect("not poisoned").write(bytes)
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

/// Takes in the events of the whole process, in the form that a function gives them.
fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // The store engine tells of items; where deployed there is none in the process.
        let targets = Targets::new().with_default(Level::INFO).with_target("dynoxide", LevelFilter::OFF);
        let subscriber = events::subscriber(LevelFilter::INFO, || Everything).with(targets);
        tracing::subscriber::set_global_default(subscriber).expect("nobody else listens");
    });
}

/// The lines of one world's requests.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        Everything.write_all(bytes)?;
        self.0.lock().expect("not poisoned").write(bytes)
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

/// What one world has said and was told, held against the log when the world ends.
pub(crate) struct Watch {
    lines: Lines,
    /// How long the log was when the world began.
    since: usize,
    /// What processes write, where the tests speak to some.
    output: Option<Output>,
    secrets: Mutex<BTreeSet<String>>,
}

/// Members of requests that are no secret: words of the documents.
const OPEN: [&str; 9] = ["role", "gender", "language", "lang", "scopes", "timezone", "theme", "status", "client_type"];
/// Members of answers that are secret or personal.
const SECRET: [&str; 22] = [
    "access_token",
    "accessToken",
    "address",
    "backup_codes",
    "challenge_token",
    "code",
    "codes",
    "email",
    "emails",
    "otpauth_url",
    "password",
    "provisioning_uri",
    "qr_code",
    "recovery_codes",
    "refresh_token",
    "refreshToken",
    "secondaryEmail",
    "secondaryEmails",
    "secondary_emails",
    "secret",
    "token",
    "uri",
];

impl Watch {
    pub(crate) fn start() -> Self {
        listen();
        let since = EVERYTHING.lock().expect("not poisoned").len();
        Self { lines: Lines::default(), since, output: Output::of_processes(), secrets: Mutex::default() }
    }

    /// Where processes write.
    pub(crate) fn output(&self) -> Option<&Output> {
        self.output.as_ref()
    }

    /// The log to hand to a service.
    pub(crate) fn log(&self) -> Arc<Log> {
        Arc::new(Log::json(self.lines.clone(), Some("polygate-test")))
    }

    /// The lines of the world's requests since this was last asked.
    pub(crate) fn lines(&self) -> Vec<Value> {
        let text = std::mem::take(&mut *self.lines.0.lock().expect("not poisoned"));
        let text = String::from_utf8(text).expect("text");
        let text = self.output.as_ref().map(Output::added).unwrap_or_default() + &text;
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        // Warnings and accidents stand there too, where a process writes.
        lines.filter(|line| line.get("_aws").is_some()).collect()
    }

    /// Notes what a client sends.
    pub(crate) fn asked(&self, request: &reqwest::Request) {
        for (name, value) in request.headers() {
            let value = value.to_str().unwrap_or_default();
            match name.as_str() {
                "authorization" => self.keep(value.rsplit(' ').next().unwrap_or_default()),
                "cookie" => value.split(['=', ';']).skip(1).step_by(2).for_each(|value| self.keep(value)),
                "x-auth-token" | "x-admin-token" => self.keep(value),
                _ => {}
            }
        }
        for (name, value) in request.url().query_pairs() {
            if !OPEN.contains(&name.as_ref()) {
                self.keep(&value);
            }
        }
        let Some(body) = request.body().and_then(reqwest::Body::as_bytes) else { return };
        match (serde_json::from_slice::<Value>(body), std::str::from_utf8(body)) {
            (Ok(body), _) => leaves("", &body, &mut |name, text| {
                if !OPEN.contains(&name) {
                    self.keep(text);
                }
            }),
            (Err(_), Ok(text)) if text.len() < 200 => self.keep(text),
            // A picture, or a form with one.
            (Err(_), Ok(_) | Err(_)) => {}
        }
    }

    /// Notes what a client is told.
    pub(crate) fn answered(&self, headers: &HeaderMap, body: &str) {
        for cookie in headers.get_all("set-cookie") {
            let cookie = cookie.to_str().expect("a cookie").split(';').next().and_then(|cookie| cookie.split_once('='));
            self.keep(cookie.map_or("", |(_, value)| value));
        }
        let Ok(body) = serde_json::from_str::<Value>(body) else { return };
        leaves("", &body, &mut |name, text| {
            if SECRET.contains(&name) || text.contains('@') {
                self.keep(text);
            }
        });
    }

    /// Notes what was mailed, and to whom.
    pub(crate) fn mailed(&self, mails: &[LocalMail]) {
        for mail in mails {
            mail.to.iter().for_each(|address| self.keep(address));
            let words = mail.text.split(|letter: char| !letter.is_ascii_digit());
            words.filter(|word| word.len() == 6).for_each(|code| self.keep(code));
        }
    }

    fn keep(&self, text: &str) {
        // An account's id stands in the log, and an instant tells nothing.
        let open = uuid::Uuid::parse_str(text).is_ok() || OffsetDateTime::parse(text, &Rfc3339).is_ok();
        if text.trim().len() > 3 && !open {
            self.secrets.lock().expect("not poisoned").insert(text.trim().to_owned());
        }
    }

    /// What stands in the log and shouldn't, with the line that has it.
    pub(crate) fn leaks(&self) -> Vec<String> {
        let log = String::from_utf8_lossy(&EVERYTHING.lock().expect("not poisoned")[self.since..]).into_owned();
        let log = log + &self.output.as_ref().map(Output::text).unwrap_or_default();
        let secrets = self.secrets.lock().expect("not poisoned");
        let leaked = |secret: &String| {
            let at = place(&log, secret)?;
            let line = &log[log[..at].rfind('\n').map_or(0, |end| end + 1)..];
            Some(format!("{secret} in {}", line.lines().next().unwrap_or_default()))
        };
        secrets.iter().filter_map(leaked).collect()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let leaks = self.leaks();
            assert!(leaks.is_empty(), "the log tells what it shouldn't: {leaks:#?}");
        }
    }
}

/// Each text of a value, with the name of the member that it is or that the list is that it stands in.
fn leaves(name: &str, value: &Value, see: &mut impl FnMut(&str, &str)) {
    match value {
        Value::String(text) => see(name, text),
        Value::Array(values) => values.iter().for_each(|value| leaves(name, value, see)),
        Value::Object(members) => members.iter().for_each(|(name, value)| leaves(name, value, see)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// What the service itself writes, besides routes.
const WORDS: &str = "wrong name or password, other, event-kite, event-zeaya, event-sproutgate, event-mcphub";
/// And what stands alone in each line.
const CONTRACTS: [&str; 4] = ["kite", "zeaya", "sproutgate", "mcphub"];

/// Where a text stands in the log as a word of its own: other worlds' lines are there too, and "short" is no leak in "shorter".
/// Words that the service writes by right count only where they are a whole value.
fn place(log: &str, secret: &str) -> Option<usize> {
    static OWN: LazyLock<String> = LazyLock::new(|| paths().into_keys().chain([WORDS]).collect::<Vec<_>>().join(" "));
    if CONTRACTS.contains(&secret) {
        return None;
    }
    let written = serde_json::to_string(secret).expect("JSON");
    if OWN.contains(secret) {
        return log.find(&written);
    }
    let written = &written[1..written.len() - 1];
    let apart = |at: &usize| {
        let (before, after) = (log[..*at].chars().next_back(), log[at + written.len()..].chars().next());
        [before, after].into_iter().flatten().all(|letter| !letter.is_ascii_alphanumeric())
    };
    log.match_indices(written).map(|(at, _)| at).find(apart)
}
