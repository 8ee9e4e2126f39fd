//! One line of the log for each request: for machines where deployed, for people on the development server.

mod line;
mod tally;

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use time::OffsetDateTime;

pub use line::{Line, Metrics, Subject};
pub use tally::{Began, Taken, Tally};

use line::Written;

/// Where the lines go.
pub struct Log {
    form: Form,
    started: AtomicBool,
}

enum Form {
    Readable,
    Json { to: Mutex<Box<dyn Write + Send>>, stack: Option<String> },
}

impl Log {
    /// For people: an event for whatever takes in the process's other events.
    pub fn readable() -> Self {
        Self { form: Form::Readable, started: AtomicBool::new(false) }
    }

    /// For CloudWatch: a JSON object on a line of its own. With the name of a stack its numbers become metrics of
    /// that stack.
    ///
    /// It bypasses the process's other events, since these put fields where CloudWatch looks for neither metrics nor
    /// columns, and are left out by level: nobody who wants fewer warnings wants fewer numbers.
    pub fn json(to: impl Write + Send + 'static, stack: Option<&str>) -> Self {
        let stack = stack.map(str::trim).filter(|stack| !stack.is_empty()).map(str::to_owned);
        Self { form: Form::Json { to: Mutex::new(Box::new(to)), stack }, started: AtomicBool::new(false) }
    }

    /// Whether this is asked for the first time: whether the process does its first work.
    pub fn is_cold(&self) -> bool {
        !self.started.swap(true, Ordering::Relaxed)
    }

    /// Writes a line.
    pub fn write(&self, line: &Line<'_>, now: OffsetDateTime) {
        match &self.form {
            Form::Readable => tell(line),
            Form::Json { to, stack } => {
                let Ok(mut text) = serde_json::to_vec(&Written::new(line, now, stack.as_deref())) else { return };
                text.push(b'\n');
                // In one piece, so that lines stay lines. Nobody is left to be told that the log can't be written.
                let _ = to.lock().unwrap_or_else(PoisonError::into_inner).write_all(&text);
            }
        }
    }
}

/// A duration in milliseconds, to the microsecond.
pub fn millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

/// What people want to see of it while they develop.
fn tell(line: &Line<'_>) {
    let Line { request_id, contract, method, endpoint, status, outcome, detail, mail, .. } = line;
    let account = line.account.map(|account| tracing::field::display(account.0));
    let (ms, round_trips) = (line.metrics.duration_ms, line.metrics.round_trips);
    // An event's level is fixed where it stands, so there are two.
    macro_rules! event {
        ($level:ident) => {
            tracing::$level!(
                request_id,
                contract,
                method,
                endpoint,
                status,
                outcome,
                detail,
                account,
                mail,
                ms,
                round_trips,
                "request"
            )
        };
    }
    if line.metrics.faults > 0 {
        event!(error);
    } else {
        event!(info);
    }
}

#[cfg(test)]
mod tests;
