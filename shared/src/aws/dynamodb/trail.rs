//! Audit events, newest first: of one account from its own partition, of all from the index `claims`, whose shards are
//! read side by side.

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::future::try_join_all;
use serde::Deserialize;

use super::DynamoStore;
use super::fault::fault;
use super::items::{self, CLAIMS, EVENT, EVENT_SHARDS, EventItem, Item, Key};
use crate::identity::{AccountId, AuditEvent, EventId, Result, Trail};

/// Sorts behind everything that begins with [`EVENT`].
const AFTER_EVENTS: &str = "event$";
/// Sorts behind every id.
const AFTER_IDS: &str = "g";

pub(super) async fn read(
    store: &DynamoStore,
    trail: Trail,
    before: Option<EventId>,
    limit: usize,
) -> Result<Vec<AuditEvent>> {
    let items = match trail {
        Trail::About(account) => about(store, account, before, limit).await?,
        Trail::Whole => whole(store, before, limit).await?,
    };
    let events = items.into_iter().map(|item| items::read::<EventItem<'_>>(item).map(|kept| kept.event.into_owned()));
    let mut events = events.collect::<anyhow::Result<Vec<_>>>()?;
    events.sort_by_key(|event| std::cmp::Reverse(event.id));
    Ok(events)
}

async fn about(store: &DynamoStore, account: AccountId, before: Option<EventId>, limit: usize) -> Result<Vec<Item>> {
    // A range has both of its ends: the event itself is asked for too, and left out.
    let upper = before.map_or_else(|| AFTER_EVENTS.to_owned(), |before| format!("{EVENT}{before}"));
    let request = store
        .client
        .query()
        .table_name(&store.table)
        .consistent_read(true)
        .key_condition_expression("#pk = :pk AND #sk BETWEEN :first AND :last")
        .expression_attribute_names("#pk", "pk")
        .expression_attribute_names("#sk", "sk")
        .expression_attribute_values(":pk", AttributeValue::S(Key::account(account).pk))
        .expression_attribute_values(":first", AttributeValue::S(EVENT.to_owned()))
        .expression_attribute_values(":last", AttributeValue::S(upper.clone()));
    let mut found = newest(request, limit + 1).await?;
    found.retain(|item| item.get("sk").and_then(|sk| sk.as_s().ok()) != Some(&upper));
    found.truncate(limit);
    Ok(found)
}

/// What the index tells of an event.
#[derive(Deserialize)]
struct Indexed {
    #[serde(flatten)]
    key: Key,
    start: String,
}

async fn whole(store: &DynamoStore, before: Option<EventId>, limit: usize) -> Result<Vec<Item>> {
    let shards = (0..EVENT_SHARDS).map(|shard| shard_of(store, shard, before, limit));
    let mut indexed: Vec<_> = try_join_all(shards).await?.into_iter().flatten().collect();
    // The newest of each shard have the newest of all among them.
    indexed.sort_by(|one, other| other.start.cmp(&one.start));
    indexed.truncate(limit);
    store.batch(indexed.into_iter().map(|indexed| indexed.key)).await
}

async fn shard_of(store: &DynamoStore, shard: u8, before: Option<EventId>, limit: usize) -> Result<Vec<Indexed>> {
    let before = before.map_or_else(|| AFTER_IDS.to_owned(), |before| before.to_string());
    let request = store
        .client
        .query()
        .table_name(&store.table)
        .index_name(CLAIMS)
        .key_condition_expression("#initial = :initial AND #start < :before")
        .expression_attribute_names("#initial", "initial")
        .expression_attribute_names("#start", "start")
        .expression_attribute_values(":initial", AttributeValue::S(items::events(shard)))
        .expression_attribute_values(":before", AttributeValue::S(before));
    let found = newest(request, limit).await?;
    Ok(found.into_iter().map(items::read).collect::<anyhow::Result<_>>()?)
}

/// The last so many items of what is asked for, last first.
async fn newest(request: QueryFluentBuilder, limit: usize) -> Result<Vec<Item>> {
    let request = request.scan_index_forward(false).limit(i32::try_from(limit).unwrap_or(i32::MAX));
    let (mut found, mut start) = (Vec::new(), None);
    loop {
        let page =
            request.clone().set_exclusive_start_key(start).send().await.map_err(|error| fault("Query", error))?;
        found.extend(page.items.into_iter().flatten());
        start = page.last_evaluated_key;
        if start.is_none() || found.len() >= limit {
            found.truncate(limit);
            return Ok(found);
        }
    }
}
