//! Audit events: read from an account's own partition and from all shards of the index.

use polygate_shared::identity::{Action, Actor, AuditEvent, Change, EventId, Outcome, Party, Store, Trail};
use time::OffsetDateTime;

use crate::engine::Engine;
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
    let stored = engine.expiry("setting".to_owned(), format!("event#{}", events[0].id)).await;
    assert_eq!(stored, events[0].at.unix_timestamp() + 400 * 86_400 + 3600);
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
