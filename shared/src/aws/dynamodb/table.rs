//! The table itself, for the development server and for tests; a deployment's comes from its template.

use std::time::Duration;

use anyhow::{Context, bail};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, CreateGlobalSecondaryIndexAction, GlobalSecondaryIndex,
    GlobalSecondaryIndexUpdate, IndexStatus, KeySchemaElement, KeyType, Projection, ProjectionType,
    ScalarAttributeType, TableDescription, TableStatus, TimeToLiveSpecification, TimeToLiveStatus,
};

use super::items::{self, CLAIM, CLAIMS, ClaimItem, LISTING};
use crate::identity::Claim;

const POLLS: u32 = 300;
const POLL: Duration = Duration::from_millis(100);

/// Makes the table in the shape that the template declares, unless it is there, and waits until it can be used. A
/// table from before there was the index of claims gets it, and so do the claims that it has.
pub async fn create_table(client: &Client, table: &str) -> anyhow::Result<()> {
    let created = client
        .create_table()
        .table_name(table)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(attribute("pk", ScalarAttributeType::S)?)
        .attribute_definitions(attribute("sk", ScalarAttributeType::S)?)
        .attribute_definitions(attribute("listing", ScalarAttributeType::S)?)
        .attribute_definitions(attribute("number", ScalarAttributeType::N)?)
        .attribute_definitions(attribute("initial", ScalarAttributeType::S)?)
        .attribute_definitions(attribute("start", ScalarAttributeType::S)?)
        .key_schema(key("pk", KeyType::Hash)?)
        .key_schema(key("sk", KeyType::Range)?)
        .global_secondary_indexes(listing()?)
        .global_secondary_indexes(claims()?)
        .send()
        .await;
    match created {
        Ok(_) => {}
        Err(SdkError::ServiceError(answer)) if answer.err().is_resource_in_use_exception() => {}
        Err(error) => return Err(error).context("CreateTable"),
    }
    if !wait(client, table).await?.global_secondary_indexes().iter().any(|index| index.index_name() == Some(CLAIMS)) {
        add_claims(client, table).await?;
    }
    expire(client, table).await
}

fn listing() -> anyhow::Result<GlobalSecondaryIndex> {
    Ok(GlobalSecondaryIndex::builder()
        .index_name(LISTING)
        .key_schema(key("listing", KeyType::Hash)?)
        .key_schema(key("number", KeyType::Range)?)
        .projection(Projection::builder().projection_type(ProjectionType::All).build())
        .build()?)
}

fn claims() -> anyhow::Result<GlobalSecondaryIndex> {
    let projection = Projection::builder().projection_type(ProjectionType::Include).non_key_attributes("account");
    Ok(GlobalSecondaryIndex::builder()
        .index_name(CLAIMS)
        .key_schema(key("initial", KeyType::Hash)?)
        .key_schema(key("start", KeyType::Range)?)
        .projection(projection.build())
        .build()?)
}

fn key(name: &str, kind: KeyType) -> anyhow::Result<KeySchemaElement> {
    Ok(KeySchemaElement::builder().attribute_name(name).key_type(kind).build()?)
}

fn attribute(name: &str, kind: ScalarAttributeType) -> anyhow::Result<AttributeDefinition> {
    Ok(AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build()?)
}

/// Waits until table and indexes can be used; returns what the table is.
async fn wait(client: &Client, table: &str) -> anyhow::Result<TableDescription> {
    for _ in 0..POLLS {
        let answer = client.describe_table().table_name(table).send().await.context("DescribeTable")?;
        if let Some(described) = answer.table.filter(is_active) {
            return Ok(described);
        }
        tokio::time::sleep(POLL).await;
    }
    bail!("the table {table} does not become active")
}

fn is_active(table: &TableDescription) -> bool {
    let mut indexes = table.global_secondary_indexes().iter();
    table.table_status() == Some(&TableStatus::Active)
        && indexes.all(|index| matches!(index.index_status(), None | Some(IndexStatus::Active)))
}

/// Adds the index of claims, once every claim says where it stands in it: should this be broken off, the index is
/// still missing and the next start goes on.
async fn add_claims(client: &Client, table: &str) -> anyhow::Result<()> {
    let mut start = None;
    loop {
        let page = client
            .scan()
            .table_name(table)
            .filter_expression("#sk = :claim")
            .expression_attribute_names("#sk", "sk")
            .expression_attribute_values(":claim", AttributeValue::S(CLAIM.to_owned()))
            .set_exclusive_start_key(start)
            .send()
            .await
            .context("Scan")?;
        for item in page.items.into_iter().flatten() {
            let claim = Claim::from(items::read::<ClaimItem>(item)?);
            let item = items::write(&ClaimItem::from(&claim))?;
            client.put_item().table_name(table).set_item(Some(item)).send().await.context("PutItem")?;
        }
        start = page.last_evaluated_key;
        if start.is_none() {
            break;
        }
    }
    let claims = claims()?;
    let create = CreateGlobalSecondaryIndexAction::builder()
        .index_name(claims.index_name)
        .set_key_schema(Some(claims.key_schema))
        .set_projection(claims.projection)
        .build()?;
    client
        .update_table()
        .table_name(table)
        .attribute_definitions(attribute("initial", ScalarAttributeType::S)?)
        .attribute_definitions(attribute("start", ScalarAttributeType::S)?)
        .global_secondary_index_updates(GlobalSecondaryIndexUpdate::builder().create(create).build())
        .send()
        .await
        .context("UpdateTable")?;
    wait(client, table).await?;
    Ok(())
}

/// Lets items go once their `expires_at` has passed. Asking for it where it is so already is refused.
async fn expire(client: &Client, table: &str) -> anyhow::Result<()> {
    let answer = client.describe_time_to_live().table_name(table).send().await.context("DescribeTimeToLive")?;
    let status = answer.time_to_live_description().and_then(|told| told.time_to_live_status());
    if matches!(status, Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling)) {
        return Ok(());
    }
    let wanted = TimeToLiveSpecification::builder().enabled(true).attribute_name("expires_at").build()?;
    client
        .update_time_to_live()
        .table_name(table)
        .time_to_live_specification(wanted)
        .send()
        .await
        .context("UpdateTimeToLive")?;
    Ok(())
}
