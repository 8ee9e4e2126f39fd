//! Killed in the middle of work: the development server gets SIGKILL again and again, and each time it is back every
//! write that it had acknowledged is there, none that it never was asked for, and the table is sound.

mod ledger;
mod people;
mod server;
mod table;
mod work;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ledger::Ledger;
use polygate_shared::settings::environment;
use server::Running;

/// How often it is killed.
const KILLS: usize = 50;
/// Who works at the same time, one request each.
const CLIENTS: usize = 4;
/// Fewer writes than this are acknowledged between two kills.
const MOST_WORK: usize = 24;
/// A machine that is too busy for them isn't waited for any longer.
const LONGEST_WORK: Duration = Duration::from_secs(10);
/// Each so many starts, one is killed before it is through.
const KILLED_STARTING: usize = 7;

/// The seed of what is done and when it ends: another each time, and told, so that a run can be had again as far as
/// the machine's timing lets it.
fn seed() -> u64 {
    let given = environment()("KILL_SEED").and_then(|text| text.parse().ok());
    given.unwrap_or_else(|| fastrand::u64(..))
}

/// What is wrong with the ledgers and the table of a server that has just started.
async fn found(server: &Running, ledgers: &mut [Ledger]) -> Vec<String> {
    let mut found = table::faults(server).await;
    for ledger in ledgers.iter_mut() {
        found.extend(ledger.settle(server).await);
    }
    // What was in doubt may have been done again by now: that too has to leave the table sound.
    found.extend(table::faults(server).await);
    for ledger in ledgers {
        found.extend(ledger.lost(server).await);
    }
    found
}

/// Waits until so many more writes were acknowledged, however fast this machine is at the moment.
async fn some_work(acknowledged: &AtomicUsize, more: usize) {
    let (began, enough) = (Instant::now(), acknowledged.load(Ordering::Relaxed) + more);
    while acknowledged.load(Ordering::Relaxed) < enough && began.elapsed() < LONGEST_WORK {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_and_nothing_is_half_done() {
    let seed = seed();
    println!("KILL_SEED={seed}");
    let mut chance = fastrand::Rng::with_seed(seed);
    let folder = tempfile::tempdir().expect("a directory");
    let acknowledged = Arc::<AtomicUsize>::default();
    let mut ledgers: Vec<_> =
        (0..CLIENTS).map(|number| Ledger::new(number, chance.fork(), Arc::clone(&acknowledged))).collect();
    let began = Instant::now();
    for kill in 0..KILLS {
        if kill % KILLED_STARTING == KILLED_STARTING - 1 {
            let starting = server::launch(folder.path());
            tokio::time::sleep(Duration::from_millis(chance.u64(0..60))).await;
            drop(starting);
        }
        let server = Running::start(folder.path()).await;
        let found = found(&server, &mut ledgers).await;
        assert!(found.is_empty(), "KILL_SEED={seed}, after {kill} kills: {found:#?}");
        if kill % 10 == 0 {
            println!("{kill} kills, {} acknowledged, {:?}", acknowledged.load(Ordering::Relaxed), began.elapsed());
        }
        let address = server.address();
        let working: Vec<_> =
            ledgers.drain(..).map(|ledger| tokio::spawn(work::until_it_is_gone(ledger, address.clone()))).collect();
        some_work(&acknowledged, chance.usize(..MOST_WORK)).await;
        tokio::time::sleep(Duration::from_millis(chance.u64(..40))).await;
        drop(server);
        for one in working {
            ledgers.push(one.await.expect("a ledger"));
        }
    }
    let server = Running::start(folder.path()).await;
    let mut found = found(&server, &mut ledgers).await;
    for ledger in &ledgers {
        found.extend(ledger.locked_out(&server).await);
    }
    assert!(found.is_empty(), "KILL_SEED={seed}, at the end: {found:#?}");
    let acknowledged = acknowledged.load(Ordering::Relaxed);
    let doubts: usize = ledgers.iter().map(|ledger| ledger.doubts).sum();
    println!("{KILLS} kills, {acknowledged} acknowledged writes, {doubts} cut off, {:?}", began.elapsed());
    // Otherwise it wasn't killed in the middle of anything.
    assert!(acknowledged > KILLS && doubts > KILLS / 2, "{acknowledged} acknowledged, {doubts} in doubt");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_that_forgets_is_noticed() {
    let folder = tempfile::tempdir().expect("a directory");
    let earlier = tempfile::tempdir().expect("a directory");
    let acknowledged = Arc::<AtomicUsize>::default();
    let mut ledger = Ledger::new(0, fastrand::Rng::with_seed(1), Arc::clone(&acknowledged));
    let work_for_a_while = async |ledger: Ledger, acknowledged: &AtomicUsize| {
        let server = Running::start(folder.path()).await;
        let working = tokio::spawn(work::until_it_is_gone(ledger, server.address()));
        some_work(acknowledged, 20).await;
        drop(server);
        working.await.expect("a ledger")
    };
    ledger = work_for_a_while(ledger, &acknowledged).await;
    let files = ["table.db", "table.db-wal", "table.db-shm", "table.db-journal"];
    for name in files.iter().filter(|name| folder.path().join(name).exists()) {
        std::fs::copy(folder.path().join(name), earlier.path().join(name)).expect("a copy");
    }
    ledger = work_for_a_while(ledger, &acknowledged).await;
    for name in files {
        // One that isn't there now or wasn't there then is as good.
        let _ = std::fs::remove_file(folder.path().join(name));
        let _ = std::fs::copy(earlier.path().join(name), folder.path().join(name));
    }
    let server = Running::start(folder.path()).await;
    let lost = ledger.lost(&server).await;
    assert!(!lost.is_empty(), "twenty writes were taken back and nobody noticed");
}
