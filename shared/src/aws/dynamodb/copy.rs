//! Takes all items out of a table and puts them into another, a page or a line at a time.

use anyhow::Context;
use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::DynamoStore;
use super::fault::fault;
use super::items::{self, CodeKeyItem, Item, Key, LISTING};
use super::lines::{from_json, to_json};
use super::write::Write;
use crate::identity::{CodeKey, Hashed, Result};

/// Some items of a table, as lines of JSON.
#[derive(Debug)]
pub struct Page {
    /// Each item, its secrets included: `{"Item":{…}}`.
    pub lines: Vec<String>,
    /// After which the next page begins; `None`: this is the last one.
    pub after: Option<Value>,
}

/// What tells a pool from others, and is no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolMark {
    /// A hash made of the key of codes, which never changes. A deployment makes one when it starts, the development server
    /// with its first mailed code; what is imported without keys has none until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    codes: Option<Hashed>,
    /// The account of number 1, where it wasn't deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    first_account: Option<String>,
}

impl PoolMark {
    /// Whether both are of one pool. `None`: nothing tells.
    pub fn is_same(&self, other: &Self) -> Option<bool> {
        let keys = self.codes.as_ref().zip(other.codes.as_ref()).map(|(one, other)| one == other);
        keys.or_else(|| Some(self.first_account.as_ref()? == other.first_account.as_ref()?))
    }
}

/// What became of a line that was put into a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Put {
    /// It is there now.
    Written,
    /// It was there before.
    Same,
    /// Another item stands under its key, and stays; holds the key.
    Differs(String),
}

/// What a table is to an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ground {
    /// It has no items.
    Empty,
    /// The same import was broken off there.
    Begun,
    /// It has items that come from elsewhere.
    Used,
}

impl DynamoStore {
    /// A page of all items, in an order that stays the same, without the signing keys and the key of codes where those
    /// aren't asked for.
    pub async fn page(&self, after: Option<&Value>, with_keys: bool) -> Result<Page> {
        let start = after.map(from_json).transpose()?;
        let page =
            self.all_items().set_exclusive_start_key(start).send().await.map_err(|error| fault("Scan", error))?;
        let wanted = page.items.into_iter().flatten().filter(|item| !is_mark(item) && (with_keys || !is_key(item)));
        let lines = wanted.map(|item| Ok(json!({ "Item": to_json(&item)? }).to_string()));
        let after = page.last_evaluated_key.as_ref().map(to_json).transpose()?;
        Ok(Page { lines: lines.collect::<anyhow::Result<_>>()?, after })
    }

    /// What tells this pool from others.
    pub async fn pool_mark(&self) -> Result<PoolMark> {
        let key = self.batch([Key::code_key()]).await?.pop().map(items::read::<CodeKeyItem<'_>>).transpose()?;
        let codes = key.map(|key| Hashed::of(format!("pool\n{}", CodeKey::from(key).reveal()).as_bytes()));
        let first = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(LISTING)
            .key_condition_expression("#listing = :listing AND #number = :first")
            .expression_attribute_names("#listing", "listing")
            .expression_attribute_names("#number", "number")
            .expression_attribute_values(":listing", AttributeValue::S(items::listing(1)))
            .expression_attribute_values(":first", AttributeValue::N("1".to_owned()))
            .send()
            .await
            .map_err(|error| fault("Query", error))?;
        let first_account = first.items().first().and_then(key_of).map(|key| key.pk);
        Ok(PoolMark { codes, first_account })
    }

    /// Whether this is the line of an item.
    pub fn is_item(line: &Value) -> bool {
        line.get("Item").and_then(|item| from_json(item).ok()).is_some_and(|item| key_of(&item).is_some())
    }

    /// Puts the item of a line into the table, if nothing stands under its key.
    pub async fn put(&self, line: &Value) -> Result<Put> {
        let item = from_json(line.get("Item").context("no item")?)?;
        let Key { pk, sk } = key_of(&item).context("an item without a key")?;
        let write = Write::put_item(item.clone()).when("attribute_not_exists(#pk)").telling();
        Ok(match write.sent(self).await? {
            Ok(()) => Put::Written,
            Err(Some(stored)) if to_json(&stored)? == to_json(&item)? => Put::Same,
            Err(_) => Put::Differs(format!("{pk} / {sk}")),
        })
    }

    /// What the table is to the import of a file with this hash.
    pub async fn ground(&self, sha256: &str) -> Result<Ground> {
        let marks = self.batch([Key::import()]).await?;
        let begun = marks.first().and_then(|mark| mark.get("sha256")?.as_s().ok());
        if let Some(begun) = begun {
            return Ok(if begun == sha256 { Ground::Begun } else { Ground::Used });
        }
        let request = self.all_items().limit(1);
        let found = request.send().await.map_err(|error| fault("Scan", error))?;
        Ok(if found.count == 0 { Ground::Empty } else { Ground::Used })
    }

    /// Marks the table as one that an import goes to. False: another one does.
    pub async fn begin_import(&self, sha256: &str) -> Result<bool> {
        let write = Write::update(Key::import(), "SET #sha256 = :sha256")
            .when("attribute_not_exists(#pk) OR #sha256 = :sha256")
            .value(":sha256", &sha256)?;
        self.write(write).await
    }

    /// Takes the mark away.
    pub async fn end_import(&self) -> Result<()> {
        self.write(Write::delete(Key::import())).await?;
        Ok(())
    }
}

fn key_of(item: &Item) -> Option<Key> {
    let text = |name: &str| Some(item.get(name)?.as_s().ok()?.clone());
    Some(Key { pk: text("pk")?, sk: text("sk")? })
}

fn is_mark(item: &Item) -> bool {
    key_of(item) == Some(Key::import())
}

/// Whether this is a key that tokens are signed or codes derived with.
fn is_key(item: &Item) -> bool {
    key_of(item).is_some_and(|key| key == Key::code_key() || (key.pk == Key::SIGNING && key.sk.starts_with(items::KEY)))
}
