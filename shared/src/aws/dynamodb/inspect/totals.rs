//! The number of accounts, which stands in shards, against the accounts that are there.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::{Defect, DynamoStore, Item, Key, Seen, TOTAL_SHARDS, fault, look};
use crate::identity::{AccountId, Result};

/// The accounts of each shard: how many, and all their ids added without carrying, which tells two sets apart.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Counted(BTreeMap<String, (u64, u128)>);

impl Counted {
    pub(super) fn add(&mut self, account: AccountId) {
        let (count, ids) = self.0.entry(Key::total_of(account).pk).or_default();
        *count += 1;
        *ids ^= account.0.as_u128();
    }
}

/// What each shard says, as it stands.
pub(super) type Stored = BTreeMap<String, u64>;

impl DynamoStore {
    pub(super) async fn totals(&self) -> Result<Stored> {
        let items = self.batch((0..TOTAL_SHARDS).map(Key::total)).await?;
        let count = |item: &Item| {
            let (Some(Seen::Total(shard, count)), _) = look(item) else { return None };
            Some((shard, count))
        };
        Ok(items.iter().filter_map(count).collect())
    }

    /// The shards that are wrong. Accounts that come and go while they are counted are in the shards and perhaps not
    /// among the counted, or the other way round: so what differs is counted a second time, and told only if the same
    /// accounts were there and the shard stood still all along.
    pub(super) async fn wrong_totals(&self, before: &Stored, counted: &Counted) -> Result<Vec<Defect>> {
        let between = self.totals().await?;
        let of = |stored: &Stored, shard: &String| stored.get(shard).copied().unwrap_or_default();
        let in_shard = |counted: &Counted, shard: &String| counted.0.get(shard).copied().unwrap_or_default();
        let shards = (0..TOTAL_SHARDS).map(|shard| Key::total(shard).pk);
        let suspect: Vec<_> = shards.filter(|shard| of(&between, shard) != in_shard(counted, shard).0).collect();
        if suspect.is_empty() {
            return Ok(Vec::new());
        }
        let again = self.count_once_more().await?;
        let after = self.totals().await?;
        let stood_still = suspect.into_iter().filter(|shard| {
            let stored = of(&after, shard);
            let is_same = in_shard(counted, shard) == in_shard(&again, shard);
            is_same && of(before, shard) == stored && of(&between, shard) == stored
        });
        let defects = stood_still.map(|shard| {
            let (stored, counted) = (of(&after, &shard), in_shard(&again, &shard).0);
            Defect::Total { shard, stored, counted }
        });
        Ok(defects.collect())
    }

    /// Counts the accounts, and reads nothing else of them.
    async fn count_once_more(&self) -> Result<Counted> {
        let (mut counted, mut start) = (Counted::default(), None);
        loop {
            let page = self
                .all_items()
                .filter_expression("#sk = :account")
                .projection_expression("#pk")
                .expression_attribute_names("#pk", "pk")
                .expression_attribute_names("#sk", "sk")
                .expression_attribute_values(":account", AttributeValue::S("account".to_owned()))
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(|error| fault("Scan", error))?;
            for item in page.items.into_iter().flatten() {
                let pk = item.get("pk").and_then(|pk| pk.as_s().ok());
                let id = pk.and_then(|pk| AccountId::parse(pk.strip_prefix("account#")?));
                id.into_iter().for_each(|id| counted.add(id));
            }
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(counted);
            }
        }
    }
}
