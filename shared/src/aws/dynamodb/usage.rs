//! Counters of an account, changed where they are.

use time::OffsetDateTime;

use super::items::{Key, ReportItem};
use super::write::Write;
use crate::identity::{AccountId, Count, Counter, Counts, KeptReport};

/// One write for all counters of an account. It is part of a transaction even when it is alone: a transaction that the
/// SDK sends again takes effect once, and an addition has no other way to know itself again.
pub(super) fn count(account: AccountId, counts: &Counts) -> anyhow::Result<Write> {
    let mut expression = "SET #version = #version + :one".to_owned();
    let mut condition = "attribute_exists(#pk)".to_owned();
    for (counter, count) in counts {
        let (name, path) = (counter.name(), path(*counter));
        match count {
            Count::Add(_) => expression.push_str(&format!(", {path} = {path} + :{name}")),
            Count::Set(_) => expression.push_str(&format!(", {path} = :{name}")),
        }
        condition.push_str(&format!(" AND {path} >= :least_{name} AND {path} <= :most_{name}"));
    }
    let mut write = Write::update(Key::account(account), expression).when(condition).value(":one", &1)?;
    for (counter, count) in counts {
        let (Count::Add(number) | Count::Set(number)) = count;
        let (name, applicable) = (counter.name(), count.applies_to(&counter.bounds()));
        write = write
            .value(format!(":{name}"), number)?
            .value(format!(":least_{name}"), applicable.start())?
            .value(format!(":most_{name}"), applicable.end())?;
    }
    Ok(write.never_alone())
}

pub(super) fn keep(report: &KeptReport, now: OffsetDateTime) -> anyhow::Result<Write> {
    Write::put(&ReportItem::new(report))?
        .when("attribute_not_exists(#pk) OR #until <= :now")
        .value(":now", &now.unix_timestamp())
}

/// Where an account's item has a counter.
fn path(counter: Counter) -> &'static str {
    match counter {
        Counter::Photos => "#account.#usage.#photos",
        Counter::Albums => "#account.#usage.#albums",
        Counter::Favorites => "#account.#usage.#favorites",
        Counter::Likes => "#account.#usage.#likes",
        Counter::StorageUsed => "#account.#storage_used",
        Counter::Coins => "#account.#coins",
        Counter::Level => "#account.#level",
    }
}
