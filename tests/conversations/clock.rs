//! The tests' time.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use polygate_shared::identity::Clock;
use time::OffsetDateTime;
use time::macros::datetime;

use crate::functions::ClockFile;

/// The first instant of every test: ahead of the machine's clock, by which the engine sweeps expired items.
pub(crate) const START: OffsetDateTime = datetime!(2040-01-01 00:00 UTC);

/// A clock that stands still until it is moved.
#[derive(Default)]
pub(crate) struct TestClock {
    moved: AtomicI64,
    /// Where processes read it.
    file: Option<ClockFile>,
}

impl TestClock {
    pub(crate) fn start() -> Self {
        let clock = Self { moved: AtomicI64::new(0), file: ClockFile::for_processes() };
        clock.advance(Duration::ZERO);
        clock
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.moved.fetch_add(i64::try_from(by.as_millis()).expect("a test's span"), Ordering::SeqCst);
        if let Some(file) = &self.file {
            file.tell(i64::try_from(self.now().unix_timestamp_nanos() / 1_000_000).expect("a test's instant"));
        }
    }

    /// Where processes read it.
    pub(crate) fn file(&self) -> Option<&ClockFile> {
        self.file.as_ref()
    }
}

impl Clock for TestClock {
    fn now(&self) -> OffsetDateTime {
        START + time::Duration::milliseconds(self.moved.load(Ordering::SeqCst))
    }
}
