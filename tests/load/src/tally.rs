//! What was sent and what became of it, each request by itself.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::client::{Outcome, Said};

/// One request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    /// What it was about.
    pub(crate) kind: &'static str,
    /// When it was to be sent, since the beginning.
    pub(crate) meant: Duration,
    /// From when it was to be sent until it was answered or given up.
    pub(crate) took: Duration,
    pub(crate) outcome: Outcome,
}

/// What isn't as it should be, and how often.
type Faults = BTreeMap<String, u32>;

/// All requests of a run.
pub(crate) struct Tally {
    began: Instant,
    sent: AtomicU64,
    samples: Mutex<Vec<Sample>>,
    faults: Mutex<Faults>,
}

impl Tally {
    pub(crate) fn start() -> Self {
        let (samples, faults) = (Mutex::default(), Mutex::default());
        Self { began: Instant::now(), sent: AtomicU64::new(0), samples, faults }
    }

    /// Since the beginning.
    pub(crate) fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// Counts a request that is about to be sent.
    pub(crate) fn sending(&self) {
        self.sent.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes in what became of one.
    pub(crate) fn ended(&self, kind: &'static str, meant: Instant, said: &Said) {
        let sample = Sample { kind, meant: meant - self.began, took: meant.elapsed(), outcome: said.outcome };
        lock(&self.samples).push(sample);
        if let Some(fault) = said.fault {
            self.fault(format!("{kind}: {} that is {fault}: {}", said.status, said.body));
        }
    }

    /// Notes what must not be.
    pub(crate) fn fault(&self, what: String) {
        *lock(&self.faults).entry(what).or_default() += 1;
    }

    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// All that ended so far.
    pub(crate) fn samples(&self) -> Vec<Sample> {
        lock(&self.samples).clone()
    }

    pub(crate) fn faults(&self) -> Faults {
        lock(&self.faults).clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How often each outcome came.
pub(crate) fn count(samples: &[Sample]) -> BTreeMap<Outcome, usize> {
    let mut counts = BTreeMap::new();
    for sample in samples {
        *counts.entry(sample.outcome).or_default() += 1;
    }
    counts
}

/// Milliseconds within which this part of the requests that were carried out was answered; none where there were none.
pub(crate) fn percentile(samples: &[Sample], part: f64) -> Option<f64> {
    let mut took: Vec<_> = samples.iter().filter(|one| one.outcome == Outcome::Done).map(|one| one.took).collect();
    took.sort_unstable();
    let last = took.len().checked_sub(1)?;
    Some(took[(part * last as f64).round() as usize].as_secs_f64() * 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(millis: u64, outcome: Outcome) -> Sample {
        Sample { kind: "read", meant: Duration::ZERO, took: Duration::from_millis(millis), outcome }
    }

    #[test]
    fn percentiles_are_of_what_was_carried_out() {
        let mut samples: Vec<_> = (0..=100).rev().map(|millis| sample(millis, Outcome::Done)).collect();
        samples.extend((0..50).map(|_| sample(9000, Outcome::Shed)));
        assert_eq!(percentile(&samples, 0.5), Some(50.0));
        assert_eq!(percentile(&samples, 0.99), Some(99.0));
        assert_eq!(percentile(&samples[101..], 0.5), None);
        assert_eq!(count(&samples), BTreeMap::from([(Outcome::Done, 101), (Outcome::Shed, 50)]));
    }
}
