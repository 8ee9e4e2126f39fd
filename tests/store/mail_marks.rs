//! Marks of addresses that mail can't go to: a complaint outweighs a mail that came back, and the later one the earlier.

use std::time::Duration;

use polygate_shared::identity::{BOUNCE_HOLDS, Change, MailLog, MailMark, Store, Undeliverable};
use time::OffsetDateTime;

use crate::engine::Engine;
use crate::values::*;

const ADDRESS: &str = "anna@example.com";

fn mark(reason: Undeliverable, at: OffsetDateTime) -> MailMark {
    MailMark { address_key: ADDRESS.to_owned(), reason, at }
}

/// Whether the mark was taken; what stands there afterwards.
async fn put(engine: &Engine, mark: &MailMark) -> (bool, Option<MailMark>) {
    let outcome = engine.store.commit(&[Change::MarkMail(mark)]).await.expect("an outcome");
    (outcome.is_ok(), engine.store.mailbox(ADDRESS).await.expect("an answer").mark)
}

#[tokio::test]
async fn the_stronger_and_the_later_mark_stands() {
    let engine = Engine::start().await;
    let later = NOON + Duration::from_secs(1);
    let (bounced, again) = (mark(Undeliverable::Bounced, NOON), mark(Undeliverable::Bounced, later));
    let (complained, after) = (mark(Undeliverable::Complained, NOON), mark(Undeliverable::Complained, later));
    assert_eq!(put(&engine, &bounced).await, (true, Some(bounced.clone())));
    assert_eq!(put(&engine, &bounced).await, (false, Some(bounced.clone())), "the same again");
    assert_eq!(put(&engine, &again).await, (true, Some(again.clone())));
    assert_eq!(put(&engine, &bounced).await, (false, Some(again)), "one of before");
    assert_eq!(put(&engine, &complained).await, (true, Some(complained.clone())), "whenever it was");
    let last = mark(Undeliverable::Bounced, later + Duration::from_secs(1));
    assert_eq!(put(&engine, &last).await, (false, Some(complained.clone())), "the complaint outweighs it");
    assert_eq!(put(&engine, &after).await, (true, Some(after.clone())));
    assert_eq!(put(&engine, &complained).await, (false, Some(after)));
}

#[tokio::test]
async fn a_mark_stands_beside_the_log_and_goes_alone() {
    let engine = Engine::start().await;
    let log = MailLog { address_key: ADDRESS.to_owned(), ..log(1, 1) };
    let recorded = engine.store.commit(&[Change::RecordMail { log: &log, was: 0 }]).await.expect("an outcome");
    assert!(recorded.is_ok());
    let bounced = mark(Undeliverable::Bounced, NOON);
    put(&engine, &bounced).await;
    let mailbox = engine.store.mailbox(ADDRESS).await.expect("an answer");
    assert_eq!((mailbox.log, mailbox.mark), (log.clone(), Some(bounced)));
    for _ in 0..2 {
        let lift = [Change::LiftMailMark { address_key: ADDRESS.to_owned() }];
        assert!(engine.store.commit(&lift).await.expect("an outcome").is_ok(), "one that is gone is gone");
    }
    let mailbox = engine.store.mailbox(ADDRESS).await.expect("an answer");
    assert_eq!((mailbox.log, mailbox.mark), (log, None));
    assert_eq!(engine.store.mailbox("other@example.com").await.expect("an answer").log.version, 0);
}

#[tokio::test]
async fn the_table_may_drop_a_mark_that_ends_and_no_other() {
    let engine = Engine::start().await;
    let at = || ("mail#anna@example.com".to_owned(), "undeliverable".to_owned());
    put(&engine, &mark(Undeliverable::Bounced, NOON)).await;
    let (pk, sk) = at();
    let item = engine.item(pk, sk).await;
    let end = (NOON + BOUNCE_HOLDS).unix_timestamp() + 3600;
    assert_eq!(item["expires_at"].as_n(), Ok(&end.to_string()));
    put(&engine, &mark(Undeliverable::Complained, NOON)).await;
    let (pk, sk) = at();
    assert!(!engine.item(pk, sk).await.contains_key("expires_at"));
}
