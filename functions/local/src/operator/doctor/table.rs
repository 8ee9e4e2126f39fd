//! The table: whether it is there, of the right shape, and kept safe.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata};
use aws_sdk_dynamodb::types::{
    IndexStatus, KeySchemaElement, PointInTimeRecoveryStatus, TableDescription, TableStatus, TimeToLiveStatus,
};

use super::{Findings, Pool, fine, note, wrong};

/// Whether the table can be looked into.
pub(super) async fn look(pool: &Pool, found: &mut Findings) -> bool {
    let (client, table) = (&pool.client, pool.table.as_str());
    let described = match client.describe_table().table_name(table).send().await {
        Ok(answer) => answer.table,
        Err(error) if error.as_service_error().is_some_and(|told| told.is_resource_not_found_exception()) => {
            found.push(wrong(format!(
                "there is no table {table}: name the one of the stack's output TableName, and its region with --region"
            )));
            return false;
        }
        Err(error) => {
            let code = error.code().unwrap_or("no answer").to_owned();
            let cause = DisplayErrorContext(error);
            found.push(wrong(format!(
                "the table {table} can't be looked at ({code}): mend the credentials, their rights or the way there: {cause}"
            )));
            return false;
        }
    };
    let Some(described) = described else { return false };
    if described.table_status() != Some(&TableStatus::Active) {
        found.push(wrong(format!("the table {table} isn't active: wait, or look at it in the console")));
        return false;
    }
    let before = found.len();
    shape(&described, found);
    expiry(client, table, found).await;
    if pool.config.is_some() {
        safety(client, table, &described, found).await;
    }
    if found.len() == before {
        found.push(fine(format!("the table {table} is of the right shape")));
    }
    true
}

/// As the template and the development server make it.
fn shape(table: &TableDescription, found: &mut Findings) {
    let keys =
        |schema: &[KeySchemaElement]| schema.iter().map(|key| key.attribute_name().to_owned()).collect::<Vec<_>>();
    if keys(table.key_schema()) != ["pk", "sk"] {
        found.push(wrong("the table's keys aren't pk and sk: it is another service's, name the right one"));
    }
    for (name, wanted) in [("listing", ["listing", "number"]), ("claims", ["initial", "start"])] {
        let index = table.global_secondary_indexes().iter().find(|index| index.index_name() == Some(name));
        match index {
            Some(index) if keys(index.key_schema()) != wanted => {
                found.push(wrong(format!(
                    "the index {name} has other keys than {}: deploy the template again",
                    wanted.join(" and ")
                )));
            }
            Some(index) if !matches!(index.index_status(), None | Some(IndexStatus::Active)) => {
                found.push(wrong(format!("the index {name} is still made: wait until it is active")));
            }
            Some(_) => {}
            None => found.push(wrong(format!(
                "the index {name} isn't there: deploy the template again (a local server makes it when it starts)"
            ))),
        }
    }
}

async fn expiry(client: &Client, table: &str, found: &mut Findings) {
    let answer = client.describe_time_to_live().table_name(table).send().await;
    let told = match &answer {
        Ok(answer) => answer.time_to_live_description(),
        Err(error) => return found.push(unseen("time to live", error.code())),
    };
    let on = told.is_some_and(|told| {
        let status = told.time_to_live_status();
        let is_on = matches!(status, Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling));
        is_on && told.attribute_name() == Some("expires_at")
    });
    if !on {
        found.push(wrong("what is past its time is never dropped: turn time to live on, for the attribute expires_at"));
    }
}

/// What a deployment has against loss.
async fn safety(client: &Client, table: &str, described: &TableDescription, found: &mut Findings) {
    if described.deletion_protection_enabled() != Some(true) {
        found.push(note(
            "the table can be deleted by one call: deploy with DeletionProtection=true where people rely on it",
        ));
    }
    let answer = client.describe_continuous_backups().table_name(table).send().await;
    let backups = match &answer {
        Ok(answer) => answer.continuous_backups_description(),
        Err(error) => return found.push(unseen("point-in-time recovery", error.code())),
    };
    let recovery = backups.and_then(|told| told.point_in_time_recovery_description());
    if recovery.and_then(|told| told.point_in_time_recovery_status()) != Some(&PointInTimeRecoveryStatus::Enabled) {
        found.push(wrong("the table can't be set back to an earlier moment: turn point-in-time recovery on"));
    }
}

fn unseen(what: &str, code: Option<&str>) -> super::Finding {
    note(format!("{what} can't be looked at ({}): these credentials may not", code.unwrap_or("no answer")))
}
