//! Attempts are counted on what is there, and a sign-in stops waiting once.

use std::time::Duration;

use polygate_shared::identity::{AttemptKey, Attempts, Change, CountedOn, Counting, Store};
use time::OffsetDateTime;

use crate::engine::Engine;
use crate::values::*;

const DAY: Duration = Duration::from_secs(24 * 3600);

fn counting(on: CountedOn, now: OffsetDateTime) -> Counting {
    Counting { now, on, forgotten_at: now + DAY }
}

fn few(now: OffsetDateTime) -> Counting {
    counting(CountedOn::Few { free: 3, since: now - DAY }, now)
}

#[tokio::test]
async fn of_many_at_once_no_more_than_are_free_are_counted() {
    let engine = Engine::start().await;
    let key = AttemptKey::SecondFactor(id(1));
    let counting = few(NOON);
    let counted = (0..20).map(|_| engine.store.count_attempt(&key, &counting));
    let outcomes = futures_util::future::join_all(counted).await;
    let refused: Vec<_> = outcomes.into_iter().filter_map(|outcome| outcome.expect("an outcome").err()).collect();
    assert_eq!(refused.len(), 17);
    let all = Some(Attempts { count: 3, last_at: NOON });
    assert!(refused.iter().all(|seen| *seen == all), "told what is there: {refused:?}");
    let other = AttemptKey::SecondFactor(id(2));
    assert_eq!(engine.store.count_attempt(&other, &counting).await.expect("an outcome"), Ok(()), "another's");
}

#[tokio::test]
async fn of_those_that_saw_the_same_one_is_counted() {
    let engine = Engine::start().await;
    let key = AttemptKey::SecondFactor(id(1));
    for _ in 0..3 {
        assert_eq!(engine.store.count_attempt(&key, &few(NOON)).await.expect("an outcome"), Ok(()));
    }
    let later = NOON + Duration::from_millis(1500);
    let seen = Attempts { count: 3, last_at: NOON };
    let exactly = counting(CountedOn::Exactly { seen, count: 4 }, later);
    let outcomes = futures_util::future::join_all((0..10).map(|_| engine.store.count_attempt(&key, &exactly))).await;
    let refused: Vec<_> = outcomes.into_iter().filter_map(|outcome| outcome.expect("an outcome").err()).collect();
    assert_eq!(refused, vec![Some(Attempts { count: 4, last_at: later }); 9]);
}

#[tokio::test]
async fn what_is_long_ago_counts_no_more_and_what_is_forgotten_is_gone() {
    let engine = Engine::start().await;
    let key = AttemptKey::SecondFactor(id(1));
    assert_eq!(engine.store.count_attempt(&key, &few(NOON)).await.expect("an outcome"), Ok(()));
    let seen = Attempts { count: 1, last_at: NOON };
    let outcome = engine.store.count_attempt(&key, &few(NOON + DAY)).await.expect("an outcome");
    assert_eq!(outcome, Err(Some(seen)), "to be counted from the start");
    engine.store.forget_attempts(&key).await.expect("forgotten");
    let exactly = counting(CountedOn::Exactly { seen, count: 2 }, NOON);
    assert_eq!(engine.store.count_attempt(&key, &exactly).await.expect("an outcome"), Err(None));
    engine.store.forget_attempts(&key).await.expect("none is no error");
}

#[tokio::test]
async fn a_sign_in_stops_waiting_once() {
    let engine = Engine::start().await;
    let owner = account(1);
    engine.store.commit(&[Change::CreateAccount(&owner)]).await.expect("an outcome").expect("new");
    let pending = pending(owner.id);
    engine.store.commit(&[Change::OpenPending(&pending)]).await.expect("an outcome").expect("no condition");
    let (read, waiting) = engine.store.account_and_pending(owner.id, pending.id).await.expect("an answer");
    assert_eq!((read.map(|read| read.account), waiting), (Some(owner.clone()), Some(pending.clone())));
    let used = || [Change::UsePending { account: owner.id, pending: pending.id }];
    engine.store.commit(&used()).await.expect("an outcome").expect("it waits");
    engine.store.commit(&used()).await.expect("an outcome").expect_err("not any more");
    let (_, waiting) = engine.store.account_and_pending(owner.id, pending.id).await.expect("an answer");
    assert_eq!(waiting, None);
}
