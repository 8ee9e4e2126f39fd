//! Audit events: read from an account's own partition and from all shards of the index.

use aws_sdk_dynamodb::types::AttributeValue;
use polygate_shared::aws::dynamodb::Inspection;
use polygate_shared::identity::{Action, Actor, AuditEvent, Change, EventId, Outcome, Party, Store, Trail};
use time::OffsetDateTime;

use crate::engine::{Engine, TABLE};
use crate::values::*;

fn event(nth: u8, about: Option<u8>) -> AuditEvent {
    // The last byte chooses the shard.
    let bytes = [1, 2, 3, 4, 5, 6, 0x70, nth, 0x80, 0, 0, 0, 0, 0, 0, nth];
    AuditEvent {
        id: EventId(uuid::Uuid::from_bytes(bytes)),
        at: OffsetDateTime::UNIX_EPOCH + std::time::Duration::from_millis(u64::from(nth)),
        action: Action::AccountChanged,
        detail: String::new(),
        outcome: Outcome::Done,
        actor: Actor::AdminToken,
        subject: about.map(|nth| Party { id: id(nth.into()), name: "somebody".to_owned() }),
        source: "192.0.2.1".to_owned(),
        agent: "a browser".to_owned(),
        interface: "kite".to_owned(),
    }
}

#[tokio::test]
async fn newest_first_from_every_shard_or_of_one_account() {
    let engine = Engine::start().await;
    let events: Vec<_> = (0..30).map(|nth| event(nth, (nth % 3 != 0).then_some(nth % 3))).collect();
    for event in &events {
        let stored = engine.store.commit(&[Change::RecordEvent(Box::new(event.clone()))]).await;
        stored.expect("an answer").expect("stored");
    }
    let last = &events[29];
    let stored = engine.expiry("nobody#0".to_owned(), format!("event#{}", events[0].id)).await;
    assert_eq!(stored, events[0].at.unix_timestamp() + 400 * 86_400 + 3600);
    // Those about nobody are spread over all eight.
    for nth in [3, 6, 9, 12, 15, 18, 21, 24, 27] {
        engine.item(format!("nobody#{}", nth % 8), format!("event#{}", events[nth].id)).await;
    }
    engine.item(format!("account#{}", id(2)), format!("event#{}", last.id)).await;
    let expected: Vec<_> = events.iter().rev().cloned().collect();
    for (before, limit) in [(30, 40), (30, 30), (30, 7), (17, 5), (3, 100), (0, 10)] {
        let place = 30 - before;
        let cursor = (before < 30).then(|| events[before].id);
        let wanted: Vec<_> = expected.iter().skip(place).take(limit).cloned().collect();
        let most = u32::try_from(limit).expect("small");
        let ask = async || (before, most, engine.store.events(Trail::Whole, cursor, most).await.expect("events"));
        engine.comes_to((before, most, wanted), ask).await;
    }
    let ones: Vec<_> =
        expected.iter().filter(|event| event.subject.as_ref().is_some_and(|one| one.id == id(1))).collect();
    let found = engine.store.events(Trail::About(id(1)), None, 4).await.expect("events");
    assert_eq!(found.iter().collect::<Vec<_>>(), ones[..4]);
    let found = engine.store.events(Trail::About(id(1)), Some(ones[3].id), 100).await.expect("events");
    assert_eq!(found.iter().collect::<Vec<_>>(), ones[4..]);
}

/// Puts an event beside the settings, as it is in all else.
async fn move_to_settings(engine: &Engine, from: &str, event: &AuditEvent) {
    let sk = format!("event#{}", event.id);
    let mut item = engine.item(from.to_owned(), sk.clone()).await;
    let old = [("pk", from.to_owned()), ("sk", sk)].map(|(name, text)| (name.to_owned(), AttributeValue::S(text)));
    let request = engine.client.delete_item().table_name(TABLE).set_key(Some(old.into()));
    request.send().await.expect("taken away");
    item.insert("pk".to_owned(), AttributeValue::S("setting".to_owned()));
    engine.client.put_item().table_name(TABLE).set_item(Some(item)).send().await.expect("put");
}

#[tokio::test]
async fn those_about_nobody_that_stand_beside_the_settings_are_told_and_sound() {
    let engine = Engine::start().await;
    let events = [event(1, None), event(2, None), event(3, Some(1))];
    for event in &events {
        let stored = engine.store.commit(&[Change::RecordEvent(Box::new(event.clone()))]).await;
        stored.expect("an answer").expect("stored");
    }
    move_to_settings(&engine, "nobody#1", &events[0]).await;
    let expected: Vec<_> = events.iter().rev().cloned().collect();
    engine.comes_to(expected, async || engine.store.events(Trail::Whole, None, 10).await.expect("events")).await;
    let found = async || {
        let report = Inspection { repair: false, now: NOON }.of(&engine.store, &mut |_| {}).await.expect("a report");
        report.found.iter().map(|one| one.defect.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(found().await, Vec::<String>::new());
    // One about somebody never stood there.
    move_to_settings(&engine, &format!("account#{}", id(1)), &events[2]).await;
    let found = found().await;
    assert!(matches!(&found[..], [one] if one.contains("holds what stands under another key")), "{found:?}");
}
