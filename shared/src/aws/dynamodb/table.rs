//! The table itself, for the development server and for tests; a deployment's comes from its template.

use std::time::Duration;

use anyhow::{Context, bail};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType,
    ScalarAttributeType, TableStatus, TimeToLiveSpecification, TimeToLiveStatus,
};

use super::items::LISTING;

const POLLS: u32 = 300;
const POLL: Duration = Duration::from_millis(100);

/// Makes the table in the shape that the template declares, unless it is there, and waits until it can be used.
pub async fn create_table(client: &Client, table: &str) -> anyhow::Result<()> {
    let index = GlobalSecondaryIndex::builder()
        .index_name(LISTING)
        .key_schema(key("listing", KeyType::Hash)?)
        .key_schema(key("number", KeyType::Range)?)
        .projection(Projection::builder().projection_type(ProjectionType::All).build())
        .build()?;
    let created = client
        .create_table()
        .table_name(table)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(attribute("pk", ScalarAttributeType::S)?)
        .attribute_definitions(attribute("sk", ScalarAttributeType::S)?)
        .attribute_definitions(attribute("listing", ScalarAttributeType::S)?)
        .attribute_definitions(attribute("number", ScalarAttributeType::N)?)
        .key_schema(key("pk", KeyType::Hash)?)
        .key_schema(key("sk", KeyType::Range)?)
        .global_secondary_indexes(index)
        .send()
        .await;
    match created {
        Ok(_) => {}
        Err(SdkError::ServiceError(answer)) if answer.err().is_resource_in_use_exception() => {}
        Err(error) => return Err(error).context("CreateTable"),
    }
    wait(client, table).await?;
    expire(client, table).await
}

fn key(name: &str, kind: KeyType) -> anyhow::Result<KeySchemaElement> {
    Ok(KeySchemaElement::builder().attribute_name(name).key_type(kind).build()?)
}

fn attribute(name: &str, kind: ScalarAttributeType) -> anyhow::Result<AttributeDefinition> {
    Ok(AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build()?)
}

async fn wait(client: &Client, table: &str) -> anyhow::Result<()> {
    for _ in 0..POLLS {
        let answer = client.describe_table().table_name(table).send().await.context("DescribeTable")?;
        if answer.table().and_then(|table| table.table_status()) == Some(&TableStatus::Active) {
            return Ok(());
        }
        tokio::time::sleep(POLL).await;
    }
    bail!("the table {table} does not become active")
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
