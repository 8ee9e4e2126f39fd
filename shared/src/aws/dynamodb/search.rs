//! Accounts by how their names and addresses begin: one query for each kind, side by side.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::{AttributeValue, Select};
use futures_util::future::try_join_all;
use serde::Deserialize;

use super::DynamoStore;
use super::fault::fault;
use super::items::{self, CLAIMS, found_at};
use crate::identity::{AccountId, ClaimKind, Result};

/// All that the index has besides its keys.
#[derive(Deserialize)]
struct Owned {
    account: AccountId,
}

/// `None`: more than `most` names, or as many addresses, begin so.
pub(super) async fn owners(
    store: &DynamoStore,
    beginnings: &[(ClaimKind, String)],
    most: usize,
) -> Result<Option<BTreeSet<AccountId>>> {
    let found = beginnings.iter().map(|(kind, beginning)| owners_of(store, *kind, beginning, most));
    let found: Option<Vec<_>> = try_join_all(found).await?.into_iter().collect();
    Ok(found.map(|owners| owners.into_iter().flatten().collect()))
}

async fn owners_of(
    store: &DynamoStore,
    kind: ClaimKind,
    beginning: &str,
    most: usize,
) -> Result<Option<Vec<AccountId>>> {
    let (initial, start) = found_at(kind, beginning);
    let request = store
        .client
        .query()
        .table_name(&store.table)
        .index_name(CLAIMS)
        .select(Select::AllProjectedAttributes)
        .key_condition_expression("#initial = :initial AND begins_with(#start, :start)")
        .expression_attribute_names("#initial", "initial")
        .expression_attribute_names("#start", "start")
        .expression_attribute_values(":initial", AttributeValue::S(initial))
        .expression_attribute_values(":start", AttributeValue::S(start.to_owned()))
        .limit(i32::try_from(most + 1).unwrap_or(i32::MAX));
    let (mut owners, mut from) = (Vec::new(), None);
    loop {
        let page = request.clone().set_exclusive_start_key(from).send().await.map_err(|error| fault("Query", error))?;
        for item in page.items.into_iter().flatten() {
            owners.push(items::read::<Owned>(item)?.account);
        }
        if owners.len() > most {
            return Ok(None);
        }
        from = page.last_evaluated_key;
        if from.is_none() {
            return Ok(Some(owners));
        }
    }
}
