//! What random histories have in common: steps, some of them truly at once, that are played against the service and
//! told by the shortest history that still fails.

use std::cell::Cell;
use std::fmt;
use std::sync::Arc;

use polygate_shared::aws::client;
use polygate_shared::aws::dynamodb::DynamoStore;
use polygate_shared::aws::ses::SesMailer;
use polygate_shared::http::{Endpoints, Front};
use polygate_shared::identity::{Backoff, Clock, HashCost, Hasher, Identity, Limits, Policy, SystemChance};
use polygate_shared::settings::Settings;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

use crate::support::World;

/// A step of a history.
#[derive(Debug, Clone)]
pub(crate) enum Step<W> {
    One(W),
    /// Sent in the same instant, each from a task of its own.
    Together(Vec<W>),
    Seconds(u32),
}

/// A history, which shows itself with a line for each step.
#[derive(Clone)]
pub(crate) struct Steps<W>(Vec<Step<W>>);

impl<W: fmt::Debug> fmt::Debug for Steps<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|step| f.write_str(&format!("\n  {step:?}")))
    }
}

impl<W> Steps<W> {
    /// Whether how requests meet may make a difference from one time to the next.
    fn are_at_once(&self) -> bool {
        self.0.iter().any(|step| matches!(step, Step::Together(wishes) if wishes.len() > 1))
    }
}

/// Plays histories of such steps until one fails, and then shorter ones that fail as well.
pub(crate) fn play_all<W: fmt::Debug + Clone>(
    step: impl Strategy<Value = Step<W>>,
    play: impl Fn(&[Step<W>]) -> Result<(), String>,
) {
    let config = Config {
        cases: cases(),
        // The history is told whole; a file of seeds would not bring back how parallel requests met.
        failure_persistence: None,
        // Milliseconds.
        max_shrink_time: 120_000,
        ..Config::default()
    };
    let failed_before = Cell::new(false);
    let told = TestRunner::new(config).run(&prop::collection::vec(step, 1..24).prop_map(Steps), |steps| {
        // What depends on how requests meet doesn't fail each time: what is left out must be no part of it.
        let times = if failed_before.get() && steps.are_at_once() { 4 } else { 1 };
        let played = (0..times).try_for_each(|_| play(&steps.0).map_err(TestCaseError::fail));
        failed_before.set(failed_before.get() || played.is_err());
        played
    });
    if let Err(failed) = told {
        panic!("{failed}");
    }
}

/// Enough for every run of the tests; `MODEL_CASES=2000` looks longer.
#[expect(clippy::disallowed_methods, reason = "how somebody looks longer than every run of the tests does")]
fn cases() -> u32 {
    std::env::var("MODEL_CASES").ok().map_or(48, |cases| cases.parse().expect("MODEL_CASES is a number"))
}

/// The handlers and the core on the world's store, with a mail service and rules of their own.
pub(crate) fn front(world: &World, mails: &str, policy: Policy) -> Front {
    let chance = Arc::new(SystemChance::default());
    let connect = |url: &str| client::connect_local(url).expect("a configuration");
    let table = client::dynamodb(&connect(&world.server.dynamodb_url()));
    let identity = Identity::new(
        Arc::new(DynamoStore::new(table, world.server.table(), chance.clone())),
        Arc::new(SesMailer::new(&connect(mails), "no-reply@example.com")),
        Arc::clone(&world.clock) as Arc<dyn Clock>,
        chance,
        // The cheapest that there is: thousands of passwords are looked at.
        Hasher::at_cost(HashCost { memory: 8, passes: 1, lanes: 1 }, 2),
        policy,
    );
    Front::new(&Endpoints::ALL, Arc::new(identity), &Settings::parse(&|_| None).expect("defaults"))
}

/// How many wrong ones are let through is shown elsewhere; here nothing but right and wrong is to count.
pub(crate) fn never() -> Backoff {
    Backoff { free: u32::MAX, ..Limits::default().identifier }
}

/// Counted from the newest, and from there again where there are fewer.
pub(crate) fn nth_newest<T>(all: &[T], nth: usize) -> Option<&T> {
    let back = nth.checked_rem(all.len())?;
    all.iter().rev().nth(back)
}

/// All orders of so many things.
pub(crate) fn orders(length: usize) -> Vec<Vec<usize>> {
    let Some(last) = length.checked_sub(1) else { return vec![Vec::new()] };
    let places = |shorter: Vec<usize>| {
        (0..=last).map(move |place| {
            let mut order = shorter.clone();
            order.insert(place, last);
            order
        })
    };
    orders(last).into_iter().flat_map(places).collect()
}
