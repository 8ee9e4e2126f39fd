//! Counters changed where they are, and reports remembered by their key.

use std::time::Duration;

use polygate_shared::identity::{
    Account, Change, Count, Counter, Counts, Error, Hashed, KeptReport, Store, Usage, Version,
};
use serde_json::Value;

use crate::engine::{Engine, StandIn};
use crate::values::*;

async fn commit(engine: &Engine, changes: &[Change<'_>]) -> Result<(), String> {
    let outcome = engine.store.commit(changes).await.expect("an outcome");
    outcome.map_err(|refused| format!("{refused:?}"))
}

fn stale() -> Result<(), String> {
    Err("Stale".to_owned())
}

/// An account that has 5 of everything.
fn five(number: u64) -> Account {
    let usage = Usage { photos: 5, albums: 5, favorites: 5, likes: 5 };
    Account { usage, storage_used: 5, coins: 5, level: 5, ..account(number) }
}

fn everything(count: Count) -> Counts {
    Counter::ALL.into_iter().map(|counter| (counter, count)).collect()
}

async fn stored(engine: &Engine, number: u64) -> (Vec<i64>, u64) {
    let read = engine.store.account(id(number)).await.expect("an answer").expect("an account");
    (Counter::ALL.into_iter().map(|counter| counter.of(&read.account)).collect(), read.version.0)
}

#[tokio::test]
async fn each_counter_is_added_to_and_set_and_the_version_rises() {
    let engine = Engine::start().await;
    let before = five(1);
    commit(&engine, &[Change::CreateAccount(&before)]).await.expect("an account");
    for (nth, (count, after)) in [(Count::Add(2), 7), (Count::Add(-7), 0), (Count::Set(9), 9)].into_iter().enumerate() {
        commit(&engine, &[Change::Count { account: id(1), counts: &everything(count) }]).await.expect("within bounds");
        assert_eq!(stored(&engine, 1).await, (vec![after; 7], 2 + nth as u64));
    }
    // Nothing else of the account is touched, and who read it before the reports writes nothing over them.
    let read = engine.store.account(id(1)).await.expect("an answer").expect("an account").account;
    let like_before = Account { usage: before.usage, storage_used: 5, coins: 5, level: 5, ..read.clone() };
    assert_eq!(like_before, before);
    assert_eq!(commit(&engine, &[Change::UpdateAccount { account: &before, was: Version(1) }]).await, stale());
    assert_eq!(commit(&engine, &[Change::UpdateAccount { account: &read, was: Version(4) }]).await, Ok(()));
}

#[tokio::test]
async fn nothing_leaves_its_bounds_and_nobody_is_made() {
    let engine = Engine::start().await;
    for number in [1, 2] {
        commit(&engine, &[Change::CreateAccount(&five(number))]).await.expect("an account");
    }
    for counter in Counter::ALL {
        let (least, most) = (*counter.bounds().start(), *counter.bounds().end());
        let good = Counts::from([(counter, Count::Add(1))]);
        for bad in [Count::Add(least - 6), Count::Add(most - 4), Count::Set(least - 1), Count::Set(most + 1)] {
            let bad = Counts::from([(counter, bad)]);
            let both =
                [Change::Count { account: id(1), counts: &good }, Change::Count { account: id(2), counts: &bad }];
            assert_eq!(commit(&engine, &both).await, stale(), "{counter:?}: {bad:?}");
        }
        let to_the_most = Counts::from([(counter, Count::Add(most - 5))]);
        assert_eq!(commit(&engine, &[Change::Count { account: id(2), counts: &to_the_most }]).await, Ok(()));
    }
    assert_eq!(stored(&engine, 1).await, (vec![5; 7], 1));
    let nobody = everything(Count::Set(1));
    assert_eq!(commit(&engine, &[Change::Count { account: id(3), counts: &nobody }]).await, stale());
    assert!(engine.store.account(id(3)).await.expect("an answer").is_none());
}

#[tokio::test]
async fn even_a_lone_one_is_a_transaction_under_one_token() {
    let table = StandIn::start(|nth, _| match nth {
        0 => (500, r#"{"__type": "com.amazonaws.dynamodb.v20120810#InternalServerError"}"#.to_owned()),
        _ => (200, "{}".to_owned()),
    })
    .await;
    let outcome: Result<_, Error> =
        table.store().commit(&[Change::Count { account: id(1), counts: &everything(Count::Add(1)) }]).await;
    assert!(outcome.expect("an outcome").is_ok());
    let seen = table.seen();
    assert!(seen.len() == 2 && seen.iter().all(|seen| seen.operation == "TransactWriteItems"), "{seen:?}");
    let tokens: Vec<&Value> = seen.iter().map(|seen| &seen.body["ClientRequestToken"]).collect();
    assert!(tokens[0].is_string() && tokens[0] == tokens[1], "{tokens:?}");
}

#[tokio::test]
async fn a_report_is_remembered_until_its_time_is_over() {
    let engine = Engine::start().await;
    let until = NOON.replace_nanosecond(0).expect("whole seconds");
    let report = |digest: &[u8]| KeptReport { key: Hashed::of(b"key"), digest: Hashed::of(digest), until };
    let (first, second) = (report(b"first"), report(b"second"));
    let before = until - Duration::from_secs(1);
    assert_eq!(engine.store.kept_report(&first.key).await.expect("an answer"), None);
    assert_eq!(commit(&engine, &[Change::KeepReport { report: &first, now: before }]).await, Ok(()));
    assert_eq!(commit(&engine, &[Change::KeepReport { report: &second, now: before }]).await, stale());
    assert_eq!(engine.store.kept_report(&first.key).await.expect("an answer"), Some(first.clone()));
    let expiry = engine.expiry(format!("report#{}", first.key.as_str()), "report".to_owned()).await;
    assert_eq!(expiry, until.unix_timestamp() + 3600);
    assert_eq!(commit(&engine, &[Change::KeepReport { report: &second, now: until }]).await, Ok(()));
    assert_eq!(engine.store.kept_report(&first.key).await.expect("an answer"), Some(second));
}
