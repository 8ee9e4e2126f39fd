//! Accounts in order of their number: the listing's partitions read side by side and merged.

use std::collections::VecDeque;

use anyhow::Context;
use aws_sdk_dynamodb::types::AttributeValue;
use tokio::task::JoinSet;

use super::DynamoStore;
use super::fault::fault;
use super::items::{self, AccountItem, Item, LISTING, LISTING_SHARDS};
use crate::identity::{Account, Result, Versioned};

/// How far one partition has been read.
struct Reader {
    partition: String,
    ahead: VecDeque<Account>,
    start: Option<Item>,
    done: bool,
}

pub(super) async fn list(store: &DynamoStore, after: u64, limit: u32) -> Result<Vec<Account>> {
    let limit = limit as usize;
    let mut readers: Vec<_> = (0..LISTING_SHARDS)
        .map(|shard| Reader { partition: items::listing(shard), ahead: VecDeque::new(), start: None, done: false })
        .collect();
    // Numbers go round the partitions, so that while few are missing each has its share of the answer and one
    // round trip is enough.
    let share = limit.div_ceil(readers.len()) + 1;
    let mut accounts = Vec::new();
    while accounts.len() < limit {
        // What is next can only be told while every partition shows its next account, or has none left.
        let (ready, behind) = readers.into_iter().partition(|reader| reader.done || !reader.ahead.is_empty());
        readers = ready;
        if !behind.is_empty() {
            readers.extend(read_on(store, behind, after, share).await?);
            continue;
        }
        let next = readers.iter_mut().filter(|reader| !reader.ahead.is_empty()).min_by_key(|reader| reader.number());
        let Some(account) = next.and_then(|reader| reader.ahead.pop_front()) else { break };
        accounts.push(account);
    }
    Ok(accounts)
}

impl Reader {
    fn number(&self) -> Option<u64> {
        self.ahead.front().map(|account| account.number)
    }

    /// Reads one page more.
    async fn read(mut self, store: DynamoStore, after: u64, share: usize) -> Result<Self> {
        let page = store
            .client
            .query()
            .table_name(&store.table)
            .index_name(LISTING)
            .key_condition_expression("#listing = :listing AND #number > :after")
            .expression_attribute_names("#listing", "listing")
            .expression_attribute_names("#number", "number")
            .expression_attribute_values(":listing", AttributeValue::S(self.partition.clone()))
            .expression_attribute_values(":after", AttributeValue::N(after.to_string()))
            .limit(i32::try_from(share).unwrap_or(i32::MAX))
            .set_exclusive_start_key(self.start.take())
            .send()
            .await
            .map_err(|error| fault("Query", error))?;
        for item in page.items.into_iter().flatten() {
            self.ahead.push_back(Versioned::from(items::read::<AccountItem<'_>>(item)?).account);
        }
        self.done = page.last_evaluated_key.is_none();
        self.start = page.last_evaluated_key;
        Ok(self)
    }
}

async fn read_on(store: &DynamoStore, behind: Vec<Reader>, after: u64, share: usize) -> Result<Vec<Reader>> {
    let mut reads = JoinSet::new();
    for reader in behind {
        reads.spawn(reader.read(store.clone(), after, share));
    }
    let mut readers = Vec::with_capacity(reads.len());
    while let Some(read) = reads.join_next().await {
        readers.push(read.context("reading a listing was broken off")??);
    }
    Ok(readers)
}
