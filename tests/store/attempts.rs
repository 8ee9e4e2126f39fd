//! Attempts are counted on what is there, and a sign-in stops waiting once.

use std::time::Duration;

use polygate_shared::identity::{AttemptKey, Attempts, Change, ClaimKind, CountedOn, Counting, Hashed, Store};
use time::OffsetDateTime;

use crate::engine::Engine;
use crate::values::*;

const DAY: Duration = Duration::from_secs(24 * 3600);

fn counting(on: CountedOn, now: OffsetDateTime) -> Counting {
    Counting { now, on, forgotten_at: now + DAY }
}

fn counted(count: u32, last_at: OffsetDateTime) -> Attempts {
    Attempts { count, last_at, known_until: None }
}

fn few(now: OffsetDateTime) -> Counting {
    counting(CountedOn::Few { free: 3, since: now - DAY }, now)
}

#[tokio::test]
async fn of_many_at_once_no_more_than_are_free_are_counted() {
    let engine = Engine::start().await;
    let key = AttemptKey::SecondFactor(id(1));
    let counting = few(NOON);
    let all_at_once = (0..20).map(|_| engine.store.count_attempt(&key, &counting));
    let outcomes = futures_util::future::join_all(all_at_once).await;
    let refused: Vec<_> = outcomes.into_iter().filter_map(|outcome| outcome.expect("an outcome").err()).collect();
    assert_eq!(refused.len(), 17);
    let all = Some(counted(3, NOON));
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
    let seen = counted(3, NOON);
    let exactly = counting(CountedOn::Exactly { seen, count: 4 }, later);
    let outcomes = futures_util::future::join_all((0..10).map(|_| engine.store.count_attempt(&key, &exactly))).await;
    let refused: Vec<_> = outcomes.into_iter().filter_map(|outcome| outcome.expect("an outcome").err()).collect();
    assert_eq!(refused, vec![Some(counted(4, later)); 9]);
}

#[tokio::test]
async fn what_is_long_ago_counts_no_more_and_what_is_forgotten_is_gone() {
    let engine = Engine::start().await;
    let key = AttemptKey::SecondFactor(id(1));
    assert_eq!(engine.store.count_attempt(&key, &few(NOON)).await.expect("an outcome"), Ok(()));
    let seen = counted(1, NOON);
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

#[tokio::test]
async fn taking_one_back_leaves_the_others_and_nothing_below_none() {
    let engine = Engine::start().await;
    let key = AttemptKey::SignInsFrom("203.0.113.7".to_owned());
    engine.store.take_attempt_back(&key).await.expect("none is no error");
    for _ in 0..2 {
        assert_eq!(engine.store.count_attempt(&key, &few(NOON)).await.expect("an outcome"), Ok(()));
    }
    for left in [1, 0, 0] {
        engine.store.take_attempt_back(&key).await.expect("taken back");
        let (_, seen) = engine.store.claims_and_attempts(&[], std::slice::from_ref(&key)).await.expect("an answer");
        assert_eq!(seen, [Some(counted(left, NOON))]);
    }
}

#[tokio::test]
async fn a_device_stays_known_whatever_is_counted_against_it() {
    let engine = Engine::start().await;
    let device = AttemptKey::Device { identifier: "alice".to_owned(), device: Hashed::of(b"a phone") };
    let until = NOON.truncate_to_second() + DAY * 90;
    engine.store.remember_device(&device, NOON, until).await.expect("remembered");
    let counting = Counting { forgotten_at: until, ..few(NOON) };
    assert_eq!(engine.store.count_attempt(&device, &counting).await.expect("an outcome"), Ok(()));
    let (_, seen) = engine.store.claims_and_attempts(&[], std::slice::from_ref(&device)).await.expect("an answer");
    assert_eq!(seen, [Some(Attempts { known_until: Some(until), ..counted(1, NOON) })]);
    let sort = format!("device#{}", Hashed::of(b"a phone").as_str());
    let expiry = engine.expiry("attempts#identifier#alice".to_owned(), sort).await;
    assert_eq!(expiry, until.unix_timestamp() + 3600, "kept for as long as it is known");
    engine.store.remember_device(&device, NOON, until).await.expect("remembered");
    let (_, seen) = engine.store.claims_and_attempts(&[], &[device]).await.expect("an answer");
    assert_eq!(seen, [Some(Attempts { known_until: Some(until), ..counted(0, NOON) })]);
}

#[tokio::test]
async fn owners_and_counts_are_read_together_and_told_in_order() {
    let engine = Engine::start().await;
    let claim = name("alice", id(1));
    engine.store.commit(&[Change::TakeClaim(claim.clone())]).await.expect("an outcome").expect("free");
    let keys = [
        AttemptKey::Identifier("alice".to_owned()),
        AttemptKey::Device { identifier: "alice".to_owned(), device: Hashed::of(b"a phone") },
        AttemptKey::SignInsFrom("203.0.113.7".to_owned()),
        AttemptKey::RegistrationsFrom("203.0.113.7".to_owned()),
    ];
    for key in [&keys[0], &keys[2], &keys[2]] {
        assert_eq!(engine.store.count_attempt(key, &few(NOON)).await.expect("an outcome"), Ok(()));
    }
    let names = [(ClaimKind::Name, "alice".to_owned()), (ClaimKind::Name, "nobody".to_owned())];
    let (claims, seen) = engine.store.claims_and_attempts(&names, &keys).await.expect("an answer");
    assert_eq!(claims, [claim]);
    assert_eq!(seen, [Some(counted(1, NOON)), None, Some(counted(2, NOON)), None]);
}
