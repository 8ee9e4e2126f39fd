//! Whatever breaks: every endpoint of every contract, with every call that it makes to the table or to the mail service
//! failing in every way, once and for good. See docs/reliability.md.

mod budgets;
mod proof;
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
use proof::NOT_DONE;
use scenes::VARIATIONS;
use seam::How;
use sweep::{Findings, Part, sweep};

/// So many faults there are at the least: with fewer, something is no longer played.
const LEAST_FAULTS: usize = 4000;

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
    let scenes = ROWS.iter().map(|row| (row.contract, row.method, row.path, "")).chain(VARIATIONS);
    scenes
        .filter(|(contract, method, path, _)| format!("{contract} {method} {path}").contains(only) && wanted(path))
        .flat_map(|(contract, method, path, variation)| {
            let part = Part { contract, method, path, variation, share: 0, of, only: None, unconditional: None };
            (0..of).map(move |share| Part { share, ..part })
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
    if only.is_empty() {
        assert_eq!(endpoints, ROWS.len(), "every endpoint");
        assert!(runs >= LEAST_FAULTS, "only {runs} faults, and there were {LEAST_FAULTS} at the least");
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
        let only = Some(How::Overtaken);
        Part { contract, method, path, variation: "", share: 0, of: 1, only, unconditional }
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

/// Another test of the test: of each request that writes, a write that is answered as done but is not must be noticed
/// by what other requests show.
#[tokio::test(flavor = "multi_thread")]
async fn a_swallowed_write_is_noticed_in_every_scene() {
    let parts = parts(&wanted(), |_| true, 1).into_iter().filter(|part| part.method != "GET");
    let swept = parts.map(|part| async move {
        let swept = tokio::spawn(sweep(Part { only: Some(How::Swallowed), ..part })).await.expect("a whole scene");
        (format!("{} {} {}{}", part.contract, part.method, part.path, part.variation), swept)
    });
    let swept: Vec<_> = stream::iter(swept).buffer_unordered(AT_ONCE).collect().await;
    let writes: usize = swept.iter().map(|(_, findings)| findings.runs).sum();
    tell(&format!("faults: {writes} writes of {} scenes were swallowed", swept.len()));
    for (scene, Findings { runs, problems, .. }) in &swept {
        let sound = !problems.iter().any(|problem| problem.contains(" without a fault: "));
        assert!(sound, "{scene} without a fault: {problems:?}");
        let noticed = problems.iter().any(|problem| {
            // A request that was answered with an error claims nothing that could be shown to be untrue.
            let play = problem.split_once(&format!(": {NOT_DONE}")).map(|(play, _)| format!("{play}: answers "));
            play.is_some_and(|answers| !problems.iter().any(|other| other.starts_with(&answers)))
        });
        // A token is looked at, and nothing is written for it.
        let writes = !scene.ends_with("POST /api/auth/verify");
        assert_eq!(noticed, writes, "{scene}: {runs} writes swallowed, {problems:?}");
    }
}

/// An answer that never comes: the SDK's own time limits, those of a deployed function, end the attempts and the call.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_never_comes_is_given_up() {
    let (contract, method, path) = ("kite", "DELETE", "/api/v1/tokens/{id}");
    let only = Some(How::Hangs);
    let part = Part { contract, method, path, variation: "", share: 0, of: 1, only, unconditional: None };
    let found = sweep(part).await;
    tell(&format!("faults: {} answers never came; {} not felt, {} told", found.runs, found.healed, found.told));
    assert!(found.problems.is_empty(), "{}", found.problems.join("\n"));
    assert!(found.healed > 0 && found.told > 0, "once is not felt, and for good is told");
}
