//! What the service did for a request: hashes, comparisons and calls to the table, as it tells the log of them.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::subscriber::{DefaultGuard, Interest};
use tracing::{Dispatch, Event, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

/// Work that was done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Work {
    /// Each argon2id hash: memory in KiB, passes, lanes.
    pub(crate) hashes: Vec<[u64; 3]>,
    /// How often a guess was compared with a mailed code.
    pub(crate) compared: usize,
    /// Calls to the table, by kind.
    pub(crate) calls: BTreeMap<&'static str, usize>,
}

/// Listens to what is done on this thread, on which a test's whole server runs.
pub(crate) struct Recorder {
    work: Arc<Mutex<Work>>,
    _here: DefaultGuard,
    _second: Dispatch,
}

impl Recorder {
    pub(crate) fn start() -> Self {
        let work = Arc::<Mutex<Work>>::default();
        // While there is only one subscriber, tracing asks the thread that first comes by a line whether it is wanted,
        // and that may be another test's.
        let second = Dispatch::new(tracing_subscriber::registry());
        let here = tracing::subscriber::set_default(tracing_subscriber::registry().with(Listener(Arc::clone(&work))));
        Self { work, _here: here, _second: second }
    }

    /// What was done since it was last asked.
    pub(crate) fn take(&self) -> Work {
        std::mem::take(&mut *self.work.lock().expect("not poisoned"))
    }
}

struct Listener(Arc<Mutex<Work>>);

const HASHED: &str = "a password is hashed";
const COMPARED: &str = "a mailed code is compared";
const CALL: &str = "DynamoDB.";

impl<S: Subscriber> Layer<S> for Listener {
    /// Nothing else is listened to, so that listening costs next to nothing.
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        let ours = metadata.is_event() && metadata.target().starts_with("polygate_shared::identity");
        if ours || metadata.name().starts_with(CALL) { Interest::always() } else { Interest::never() }
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        if let Some(call) = attributes.metadata().name().strip_prefix(CALL) {
            *self.0.lock().expect("not poisoned").calls.entry(call).or_default() += 1;
        }
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut told = Told::default();
        event.record(&mut told);
        let mut work = self.0.lock().expect("not poisoned");
        match told.message.as_str() {
            HASHED => work.hashes.push(["memory", "passes", "lanes"].map(|name| told.numbers[name])),
            COMPARED => work.compared += 1,
            _ => {}
        }
    }
}

#[derive(Default)]
struct Told {
    message: String,
    numbers: BTreeMap<&'static str, u64>,
}

impl Visit for Told {
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.numbers.insert(field.name(), value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            self.message = format!("{value:?}");
        }
    }
}
