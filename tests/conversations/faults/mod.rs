//! Whatever breaks: every endpoint of every contract, with every call that it makes to the table or to the mail service
//! failing in every way, once and for good. See docs/reliability.md.

mod budgets;
mod scenes;
mod scenes_admin;
mod scenes_kite;
mod scenes_others;
pub(crate) mod seam;
mod stage;
mod sweep;

use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use futures_util::future::join;
use futures_util::{StreamExt as _, stream};

use crate::rows::table::ROWS;
use seam::How;
use sweep::{Findings, Part, sweep};

/// So many worlds at a time.
const AT_ONCE: usize = 6;

/// Also where the test's own output is kept back: what was tried is part of what it shows.
fn tell(line: &str) {
    writeln!(std::io::stderr(), "{line}").expect("somewhere to tell it");
}

/// The rows that are wanted: those whose contract, method and path contain this.
#[expect(clippy::disallowed_methods, reason = "how somebody looks at some of them: `FAULTS_OF='kite POST'`")]
fn wanted() -> String {
    std::env::var("FAULTS_OF").unwrap_or_default()
}

/// The endpoints that are wanted, each in so many parts.
fn parts(only: &str, wanted: impl Fn(&str) -> bool, of: usize) -> Vec<Part> {
    let rows = ROWS.iter().filter(|row| format!("{} {} {}", row.contract, row.method, row.path).contains(only));
    rows.filter(|row| wanted(row.path))
        .flat_map(|row| {
            let (contract, method, path) = (row.contract, row.method, row.path);
            (0..of).map(move |share| Part { contract, method, path, share, of, only: None, unconditional: None })
        })
        .collect()
}

/// Plays these, so many at a time.
async fn play(parts: Vec<Part>, at_once: usize) -> Findings {
    let (all, done) = (parts.len(), AtomicUsize::new(0));
    let played = stream::iter(parts).map(|part| tokio::spawn(sweep(part))).buffer_unordered(at_once);
    let played = played.map(|findings| findings.expect("a whole scene")).inspect(|_| {
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        if done.is_multiple_of(20) {
            tell(&format!("faults: {done} of {all} worlds"));
        }
    });
    let add = |mut all: Findings, one| async move {
        all.add(one);
        all
    };
    played.fold(Findings::default(), add).await
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_whatever_breaks() {
    let (began, only) = (Instant::now(), wanted());
    // Those that always take the same time only wait for it to be over, so they go on beside the others.
    let waits = |path: &str| path.ends_with("/forgot-password") || path.ends_with("/password-reset/request");
    let waiting = play(parts(&only, waits, AT_ONCE), 2 * AT_ONCE);
    let (waiting, mut found) = join(waiting, play(parts(&only, |path| !waits(path), 1), AT_ONCE)).await;
    found.add(waiting);
    let Findings { endpoints, calls, runs, healed, told, overtaken, problems, unavailable, by_fault } = found;
    let (spent, wrong) = (began.elapsed(), problems.len());
    tell(&format!("faults: {endpoints} endpoints with {calls} calls in all, {runs} faults: {by_fault:?}"));
    tell(&format!("faults: {healed} healed, {told} told as 503, {overtaken} overtaken; {wrong} problems; {spent:?}"));
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    if endpoints == ROWS.len() {
        insta::assert_snapshot!(unavailable.into_iter().collect::<Vec<_>>().join("\n"));
    } else {
        tell(&format!("faults: ONLY {endpoints} of {} endpoints, as FAULTS_OF asks", ROWS.len()));
    }
}

/// The test of the test: a name that is written without its condition must be noticed, and nothing without that.
#[tokio::test(flavor = "multi_thread")]
async fn a_condition_that_counts_for_nothing_is_noticed() {
    let part = |unconditional| {
        let (contract, method, path) = ("mcphub", "POST", "/api/auth/register");
        Part { contract, method, path, share: 0, of: 1, only: Some(How::Overtaken), unconditional }
    };
    let sound = sweep(part(None)).await;
    assert!(sound.runs > 0 && sound.problems.is_empty(), "{}", sound.problems.join("\n"));
    tell("faults: a condition is taken out of one write now, so what follows up to the next line of `faults:` must be");
    let planted = sweep(part(Some("Update:name"))).await;
    tell(&format!("faults: {} problems with it", planted.problems.len()));
    let noticed =
        planted.problems.iter().any(|problem| problem.contains("newcomer") && problem.contains("which is held by"));
    assert!(noticed, "two accounts of one name were not noticed");
}
