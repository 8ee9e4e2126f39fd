//! What happens when everybody wants the same thing at once.

use std::collections::BTreeSet;

use polygate_shared::identity::{Change, ClaimKind, Store};
use tokio::task::JoinSet;

use crate::engine::Engine;
use crate::values::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_many_gets_a_name() {
    let engine = Engine::start().await;
    let mut tasks = JoinSet::new();
    for number in 1..=24 {
        let store = engine.store.clone();
        tasks.spawn(async move {
            let account = account(number);
            let changes = [Change::CreateAccount(&account), Change::TakeClaim(name("alice", account.id))];
            store.commit(&changes).await.expect("an outcome").is_ok().then_some(account.id)
        });
    }
    let winners: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
    assert_eq!(winners.len(), 1);
    let claims = engine.store.claims(&[(ClaimKind::Name, "alice".to_owned())]).await.expect("claims");
    assert_eq!(claims, [name("alice", winners[0])]);
    assert_eq!(engine.store.count_accounts().await.expect("a count"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_many_moves_a_session_on() {
    let engine = Engine::start().await;
    let session = session(id(1), 1);
    engine.store.commit(&[Change::OpenSession(&session)]).await.expect("an outcome").expect("opened");
    let was = session.refresh.as_ref().expect("refresh tokens").current.clone();
    let later = NOON + std::time::Duration::from_secs(60);
    let mut tasks = JoinSet::new();
    for number in 0..20 {
        let (store, session, was) = (engine.store.clone(), session.clone(), was.clone());
        tasks.spawn(async move {
            let next = chain(&format!("token {number}"));
            store.rotate(&session, &was, &next, later).await.expect("an outcome").then_some(next)
        });
    }
    let mut winners: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
    let next = winners.pop().expect("a winner");
    assert!(winners.is_empty());
    let (_, moved) = engine.store.account_and_session(id(1), session.id).await.expect("an answer");
    let moved = moved.expect("a session");
    assert_eq!(moved.refresh.as_ref(), Some(&next));
    assert_eq!(moved.seen_at.unix_timestamp(), later.unix_timestamp());
    assert_eq!(moved.opened_at, session.opened_at);
    let expiry = engine.expiry(format!("account#{}", id(1)), format!("session#{}", session.id)).await;
    assert_eq!(expiry, (moved.last_moment() + std::time::Duration::from_secs(86_400)).unix_timestamp());
}

#[tokio::test]
async fn what_is_gone_or_has_no_refresh_tokens_is_not_moved_on() {
    let engine = Engine::start().await;
    let (gone, bare) = (session(id(1), 1), bare_session(id(1), 2));
    engine.store.commit(&[Change::OpenSession(&bare)]).await.expect("an outcome").expect("opened");
    let (was, next) = (chain("first").current, chain("second"));
    for session in [gone, bare] {
        assert!(!engine.store.rotate(&session, &was, &next, NOON).await.expect("an outcome"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_bears_five_guesses_however_many_come_at_once() {
    let engine = Engine::start().await;
    let code = challenge("a@b.co", "111111");
    assert!(!engine.store.reserve_guess(&code, 5).await.expect("an outcome"), "it was never issued");
    engine.store.commit(&[Change::IssueChallenge(&code)]).await.expect("an outcome").expect("issued");
    let mut tasks = JoinSet::new();
    for _ in 0..50 {
        let (store, code) = (engine.store.clone(), code.clone());
        tasks.spawn(async move { store.reserve_guess(&code, 5).await.expect("an outcome") });
    }
    let counted = tasks.join_all().await.into_iter().filter(|counted| *counted).count();
    assert_eq!(counted, 5);
    let stored = engine.store.challenges(&code.key).await.expect("codes");
    assert_eq!(stored.iter().map(|code| code.guesses).collect::<Vec<_>>(), [5]);
    let other = challenge("a@b.co", "222222");
    assert!(!engine.store.reserve_guess(&other, 50).await.expect("an outcome"), "it is not the stored one");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_account_number_is_given_once() {
    let engine = Engine::start().await;
    let mut tasks = JoinSet::new();
    for _ in 0..50 {
        let store = engine.store.clone();
        tasks.spawn(async move { store.next_account_number().await.expect("a number") });
    }
    let numbers: BTreeSet<_> = tasks.join_all().await.into_iter().collect();
    assert_eq!(numbers, (1..=50).collect());
}
