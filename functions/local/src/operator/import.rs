//! `polygate import`: an empty pool filled from a file.

use std::fs::File;
use std::io::BufReader;
use std::time::Duration;

use anyhow::Context as _;
use futures_util::StreamExt as _;
use futures_util::stream;
use polygate_shared::aws::dynamodb::{DynamoStore, Ground, Put, create_table};
use polygate_shared::identity::Error;
use serde_json::Value;

use super::backup::{Lines, Whole, verify};
use super::check::{Progress, as_text, inspect};
use super::place::{Pool, data_directory};
use super::{Done, Outcome, foreign, print, told};
use crate::command::{Import, Place};

/// Lines, or accounts of another system, that are under way at a time.
pub(super) const PARALLEL: usize = 16;
/// How often a line is tried while the table takes no more.
const ATTEMPTS: u32 = 30;
/// Keys that are listed of items that differ.
const MOST_LISTED: usize = 20;

pub(super) async fn import(how: Import) -> Done {
    if let Some(system) = how.foreign.from {
        return foreign::import(how, system).await;
    }
    let name = how.file.display().to_string();
    if name == "-" {
        return Err(told("import reads its file twice, and can't read standard input: save it in a file first"));
    }
    let open = || File::open(&how.file).with_context(|| name.clone());
    let whole = verify(BufReader::new(open()?)).with_context(|| format!("{name} is not imported"))?;
    let pool = pool_to_fill(&how.place).await?;
    let imported = fill(&pool, &how, &whole, open()?).await;
    let outcome = match imported {
        Ok(outcome) => checked(&pool, outcome).await,
        Err(failed) => Err(failed),
    };
    pool.close().await;
    outcome
}

/// The pool at this place; in a data directory it is made where there is none.
pub(super) async fn pool_to_fill(place: &Place) -> Done<Pool> {
    match (&place.endpoint, &place.table) {
        (None, None) => {
            let pool = Pool::local(&data_directory(place))?;
            create_table(&pool.client, &pool.table).await?;
            Ok(pool)
        }
        (Some(_), _) | (None, Some(_)) => Pool::open(place).await,
    }
}

async fn fill(pool: &Pool, how: &Import, whole: &Whole, file: File) -> Done {
    let totals = &whole.totals;
    match pool.store.ground(&totals.sha256).await? {
        Ground::Empty | Ground::Begun => {}
        Ground::Used if how.merge => check_same_pool(pool, how, whole).await?,
        Ground::Used => {
            return Err(told(format!(
                "{} isn't empty: name a new directory or table, or let what is there stay with --merge",
                pool.table
            )));
        }
    }
    if !pool.store.begin_import(&totals.sha256).await? {
        return Err(told("another import was begun there: go on with that one first"));
    }
    let differing = put_all(&pool.store, file, totals.items).await?;
    pool.store.end_import().await?;
    for key in differing.iter().take(MOST_LISTED) {
        eprintln!("kept as it was, though the file has another: {key}");
    }
    let further = differing.len().saturating_sub(MOST_LISTED);
    if further > 0 {
        eprintln!("and {further} more");
    }
    print(&format!("{} items imported\n", totals.items - differing.len() as u64))?;
    Ok(if differing.is_empty() { Outcome::Well } else { Outcome::Found })
}

/// Two pools in one would share account numbers and lose each other's names and keys, beyond repair.
async fn check_same_pool(pool: &Pool, how: &Import, whole: &Whole) -> Done<()> {
    // Files of earlier versions don't say.
    let Some(of_file) = &whole.pool else { return Ok(()) };
    if of_file.is_same(&pool.store.pool_mark().await?) == Some(false) {
        return Err(told(format!(
            "{} is of another pool than {}, and two pools can't be made one: import it into a new directory or table",
            how.file.display(),
            pool.table
        )));
    }
    Ok(())
}

/// The keys of items that stood there before and are others.
async fn put_all(store: &DynamoStore, file: File, items: u64) -> Done<Vec<String>> {
    let mut lines = Lines(BufReader::new(file));
    let items_of_file = std::iter::from_fn(|| lines.next().transpose()).filter_map(|line| {
        let value = line.map_err(anyhow::Error::from).and_then(|line| Ok(serde_json::from_slice::<Value>(&line)?));
        match value {
            Ok(value) if DynamoStore::is_item(&value) => Some(Ok(value)),
            Ok(_) => None,
            Err(failed) => Some(Err(failed)),
        }
    });
    let mut put = stream::iter(items_of_file)
        .map(|value| async { put_one(store, value?).await.map_err(super::Failed::from) })
        .buffer_unordered(PARALLEL);
    let (mut progress, mut done, mut differing) = (Progress::default(), 0, Vec::new());
    while let Some(one) = put.next().await {
        done += 1;
        progress.told(&format!("of {items} imported"), done);
        match one? {
            Put::Written | Put::Same => {}
            Put::Differs(key) => differing.push(key),
        }
    }
    progress.end();
    if done != items {
        return Err(told("the file changed while it was imported: import it again"));
    }
    Ok(differing)
}

async fn put_one(store: &DynamoStore, line: Value) -> Result<Put, Error> {
    patiently(|| store.put(&line)).await
}

/// A new table takes few writes at first, and says so.
pub(super) async fn patiently<T>(write: impl AsyncFn() -> Result<T, Error>) -> Result<T, Error> {
    for _ in 1..ATTEMPTS {
        match write().await {
            Err(Error::Unavailable { retry_after, .. }) => tokio::time::sleep(retry_after.max(PAUSE)).await,
            outcome => return outcome,
        }
    }
    write().await
}

const PAUSE: Duration = Duration::from_secs(1);

pub(super) async fn checked(pool: &Pool, imported: Outcome) -> Done {
    let report = inspect(pool, false).await?;
    print(&as_text(&report, false))?;
    Ok(if report.is_sound() { imported } else { Outcome::Found })
}
