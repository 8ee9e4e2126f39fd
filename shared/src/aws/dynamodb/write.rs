//! One conditional write, sent alone or as part of a transaction.

use std::borrow::Cow;
use std::collections::HashMap;

use anyhow::Context;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::error::ConditionalCheckFailedException;
use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, Delete, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use serde::Serialize;

use super::DynamoStore;
use super::fault::{fault, patiently};
use super::items::{self, Item, Key};
use crate::identity::{Chance, Error, Refused, Result};

/// The attribute that tells a write of ours from somebody else's.
pub(super) const WRITTEN: &str = "written";

/// A mark that no other write carries.
pub(super) fn mark(chance: &dyn Chance) -> anyhow::Result<String> {
    let mut bytes = [0; 16];
    chance.fill(&mut bytes)?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}

enum Act {
    Put(Item),
    Update(Key, Cow<'static, str>),
    Delete(Key),
    Check(Key),
}

/// A write with its condition. Expressions spell each attribute as `#name`, so that none is taken for one of the
/// table's reserved words.
pub(super) struct Write {
    act: Act,
    condition: Option<Cow<'static, str>>,
    values: HashMap<String, AttributeValue>,
    mark: Option<String>,
    tells: bool,
    never_alone: bool,
    /// What it means when the condition fails.
    pub(super) refused: Refused,
}

impl Write {
    fn new(act: Act) -> Self {
        let values = HashMap::new();
        Self { act, condition: None, values, mark: None, tells: false, never_alone: false, refused: Refused::Stale }
    }

    /// Stores a whole item.
    pub(super) fn put(shape: &impl Serialize) -> anyhow::Result<Self> {
        Ok(Self::new(Act::Put(items::write(shape)?)))
    }

    /// Stores an item as it is.
    pub(super) fn put_item(item: Item) -> Self {
        Self::new(Act::Put(item))
    }

    /// Changes attributes.
    pub(super) fn update(key: Key, expression: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Act::Update(key, expression.into()))
    }

    /// Removes an item.
    pub(super) fn delete(key: Key) -> Self {
        Self::new(Act::Delete(key))
    }

    /// Writes nothing, for its condition's sake: only as part of a transaction.
    pub(super) fn check(key: Key) -> Self {
        Self::new(Act::Check(key)).never_alone()
    }

    /// Sets the condition.
    pub(super) fn when(self, condition: impl Into<Cow<'static, str>>) -> Self {
        Self { condition: Some(condition.into()), ..self }
    }

    /// Gives one of the expressions' `:name` its value.
    pub(super) fn value(mut self, name: impl Into<String>, value: &impl Serialize) -> anyhow::Result<Self> {
        self.values.insert(name.into(), items::attribute(value)?);
        Ok(self)
    }

    /// Gives each `:name` the attribute of that name.
    pub(super) fn values(mut self, attributes: Item) -> Self {
        self.values.extend(attributes.into_iter().map(|(name, value)| (format!(":{name}"), value)));
        self
    }

    /// What a failing condition means, if not [`Refused::Stale`].
    pub(super) fn or(self, refused: Refused) -> Self {
        Self { refused, ..self }
    }

    /// The write stores this under [`WRITTEN`]. Sent alone and again after its first answer was lost, it meets its
    /// own work, and the condition that fails then is none.
    pub(super) fn marked(self, mark: String) -> Self {
        Self { mark: Some(mark), ..self }
    }

    /// Nothing tells such a write that its first attempt took place: only as part of a transaction, even of no other
    /// write, does it take effect once however often the SDK sends it.
    pub(super) fn never_alone(self) -> Self {
        Self { never_alone: true, ..self }
    }

    pub(super) fn may_be_alone(&self) -> bool {
        !self.never_alone
    }

    fn names(&self) -> Option<HashMap<String, String>> {
        let update = if let Act::Update(_, expression) = &self.act { expression.as_ref() } else { "" };
        let condition = self.condition.as_deref().unwrap_or_default();
        let words = update.split(not_in_a_name).chain(condition.split(not_in_a_name));
        let names: HashMap<_, _> =
            words.filter_map(|word| word.strip_prefix('#').map(|name| (word.to_owned(), name.to_owned()))).collect();
        Some(names).filter(|names| !names.is_empty())
    }

    fn given(&self) -> Option<HashMap<String, AttributeValue>> {
        Some(&self.values).filter(|values| !values.is_empty()).cloned()
    }

    /// As one part of a transaction.
    pub(super) fn part(&self, table: &str) -> anyhow::Result<TransactWriteItem> {
        let condition = self.condition.as_deref().map(str::to_owned);
        let (names, values) = (self.names(), self.given());
        let part = TransactWriteItem::builder();
        let part = match &self.act {
            Act::Put(item) => part.put(
                Put::builder()
                    .table_name(table)
                    .set_item(Some(item.clone()))
                    .set_condition_expression(condition)
                    .set_expression_attribute_names(names)
                    .set_expression_attribute_values(values)
                    .build()
                    .context("an incomplete put")?,
            ),
            Act::Update(key, expression) => part.update(
                Update::builder()
                    .table_name(table)
                    .set_key(Some(key.clone().attributes()))
                    .update_expression(expression.as_ref())
                    .set_condition_expression(condition)
                    .set_expression_attribute_names(names)
                    .set_expression_attribute_values(values)
                    .build()
                    .context("an incomplete update")?,
            ),
            Act::Delete(key) => part.delete(
                Delete::builder()
                    .table_name(table)
                    .set_key(Some(key.clone().attributes()))
                    .set_condition_expression(condition)
                    .set_expression_attribute_names(names)
                    .set_expression_attribute_values(values)
                    .build()
                    .context("an incomplete delete")?,
            ),
            Act::Check(key) => part.condition_check(
                ConditionCheck::builder()
                    .table_name(table)
                    .set_key(Some(key.clone().attributes()))
                    .set_condition_expression(condition)
                    .set_expression_attribute_names(names)
                    .set_expression_attribute_values(values)
                    .build()
                    .context("an incomplete check")?,
            ),
        };
        Ok(part.build())
    }

    /// A condition that fails tells what is stored.
    pub(super) fn telling(self) -> Self {
        Self { tells: true, ..self }
    }

    /// Sends it alone, at half the price of a transaction. False: the condition failed.
    pub(super) async fn alone(self, store: &DynamoStore) -> Result<bool> {
        Ok(self.sent(store).await?.is_ok())
    }

    /// The same. `Err`: the condition failed; what is stored, if the write tells that and anything is.
    pub(super) async fn sent(self, store: &DynamoStore) -> Result<Result<(), Option<Item>>> {
        let DynamoStore { client, table, chance } = store;
        let condition = self.condition.as_deref().map(str::to_owned);
        let (names, values) = (self.names(), self.given());
        let tells = self.tells || self.mark.is_some();
        let back = tells.then_some(ReturnValuesOnConditionCheckFailure::AllOld);
        match self.act {
            Act::Put(item) => {
                let request = client
                    .put_item()
                    .table_name(table)
                    .set_item(Some(item))
                    .set_condition_expression(condition)
                    .set_expression_attribute_names(names)
                    .set_expression_attribute_values(values)
                    .set_return_values_on_condition_check_failure(back);
                let sent = patiently(&**chance, || request.clone().send(), is_conflict).await;
                applied("PutItem", sent, self.mark.as_deref(), |error| match error {
                    PutItemError::ConditionalCheckFailedException(failed) => Some(failed),
                    _ => None,
                })
            }
            Act::Update(key, expression) => {
                let request = client
                    .update_item()
                    .table_name(table)
                    .set_key(Some(key.attributes()))
                    .update_expression(expression)
                    .set_condition_expression(condition)
                    .set_expression_attribute_names(names)
                    .set_expression_attribute_values(values)
                    .set_return_values_on_condition_check_failure(back);
                let sent = patiently(&**chance, || request.clone().send(), is_conflict).await;
                applied("UpdateItem", sent, self.mark.as_deref(), |error| match error {
                    UpdateItemError::ConditionalCheckFailedException(failed) => Some(failed),
                    _ => None,
                })
            }
            Act::Delete(key) => {
                let request = client
                    .delete_item()
                    .table_name(table)
                    .set_key(Some(key.attributes()))
                    .set_condition_expression(condition)
                    .set_expression_attribute_names(names)
                    .set_expression_attribute_values(values);
                let sent = patiently(&**chance, || request.clone().send(), is_conflict).await;
                applied("DeleteItem", sent, None, |error| match error {
                    DeleteItemError::ConditionalCheckFailedException(failed) => Some(failed),
                    _ => None,
                })
            }
            Act::Check(_) => Err(Error::Internal(anyhow::anyhow!("a check that is no part of a transaction"))),
        }
    }
}

fn not_in_a_name(character: char) -> bool {
    !(character.is_ascii_alphanumeric() || character == '_' || character == '#')
}

/// Whether a transaction was in the way of a single write.
pub(super) fn is_conflict(error: &impl ProvideErrorMetadata) -> bool {
    error.code() == Some("TransactionConflictException")
}

/// Whether a write took place, now or at an earlier attempt whose answer was lost; if not, what stands in its way.
fn applied<O, E>(
    operation: &'static str,
    sent: std::result::Result<O, SdkError<E>>,
    mark: Option<&str>,
    condition: impl Fn(&E) -> Option<&ConditionalCheckFailedException>,
) -> Result<Result<(), Option<Item>>>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let error = match sent {
        Ok(_) => return Ok(Ok(())),
        Err(error) => error,
    };
    let Some(failed) = error.as_service_error().and_then(condition) else { return Err(fault(operation, error)) };
    let stored = failed.item().and_then(|item| item.get(WRITTEN)).and_then(|value| value.as_s().ok());
    let own = mark.is_some() && stored.map(String::as_str) == mark;
    Ok(if own { Ok(()) } else { Err(failed.item().cloned()) })
}
