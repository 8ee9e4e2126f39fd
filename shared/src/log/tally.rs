//! What a request costs at the table: how many round trips it waited for, and the capacity that they took.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

tokio::task_local! {
    /// The SDK calls its interceptors without a word about the request that a call is made for, so this can't be
    /// passed along.
    static CURRENT: Tally;
}

/// What one request took so far. Clones count together.
#[derive(Debug, Clone, Default)]
pub struct Tally(Arc<Mutex<Taken>>);

/// Numbers of a request.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Taken {
    /// Round trips that it waited for: calls made side by side count once, and each repetition by the SDK counts.
    pub round_trips: u32,
    /// Capacity that reads took, in the table's units. A call that failed tells none.
    pub read_units: f64,
    /// Capacity that writes took; a write whose condition wasn't met is charged for and tells none.
    pub write_units: f64,
}

/// A call that is under way.
#[derive(Debug, Clone, Copy)]
pub struct Began(u32);

impl Tally {
    /// Runs something whose calls are counted here.
    pub async fn during<F: Future>(&self, something: F) -> F::Output {
        CURRENT.scope(self.clone(), something).await
    }

    /// Where calls of what runs now are counted, if they are.
    pub fn current() -> Option<Self> {
        CURRENT.try_with(Self::clone).ok()
    }

    /// A call begins.
    pub fn begin(&self) -> Began {
        Began(self.lock().round_trips)
    }

    /// It ends. Of calls side by side only the first to end counts: the longest row of calls, each of which began when
    /// the one before had ended, is what the request waited for.
    pub fn end(&self, Began(before): Began) {
        let mut taken = self.lock();
        if taken.round_trips == before {
            taken.round_trips += 1;
        }
    }

    /// Adds capacity that a call took.
    pub fn add(&self, read_units: f64, write_units: f64) {
        let mut taken = self.lock();
        taken.read_units += read_units;
        taken.write_units += write_units;
    }

    /// What was taken so far.
    pub fn taken(&self) -> Taken {
        *self.lock()
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_side_by_side_count_once() {
        let tally = Tally::default();
        let (one, other) = (tally.begin(), tally.begin());
        tally.end(one);
        // Begun while the other one was still under way, and after the first had ended.
        let third = tally.begin();
        tally.end(other);
        assert_eq!(tally.taken().round_trips, 1);
        tally.end(third);
        assert_eq!(tally.taken().round_trips, 2);
        let broken_off = tally.begin();
        let last = tally.begin();
        tally.end(last);
        assert_eq!(tally.taken().round_trips, 3, "{broken_off:?}");
    }

    #[tokio::test]
    async fn what_runs_for_nobody_is_counted_nowhere() {
        assert!(Tally::current().is_none());
        let tally = Tally::default();
        tally.during(async { Tally::current().expect("a tally").add(0.5, 2.0) }).await;
        assert_eq!(tally.taken(), Taken { round_trips: 0, read_units: 0.5, write_units: 2.0 });
        assert!(Tally::current().is_none());
    }
}
