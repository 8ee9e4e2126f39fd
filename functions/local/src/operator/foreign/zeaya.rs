//! zeaya's table of users as a dump of MySQL: whichever table has `username` and `password`. Its addresses were never proved,
//! and its times have no zone.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use anyhow::bail;
use polygate_shared::identity::Gender;
use time::UtcOffset;

use super::dump::{self, Table};
use super::row::{Read, Row, Unreadable};
use super::when;

/// A row's values by column; a null is absent.
type Fields = HashMap<String, String>;

pub(super) fn read(file: &Path, zone: UtcOffset) -> anyhow::Result<Vec<Read>> {
    let text = fs::read_to_string(file)?;
    let mut tables = dump::tables(&text)?;
    tables.retain(|table| table.has("username") && table.has("password"));
    match tables.as_slice() {
        [Table { rows, .. }] => Ok(rows.iter().map(|fields| row(fields, zone)).collect()),
        [] => {
            bail!("no table in it has username and password: dump it by `mysqldump --complete-insert DATABASE TABLE`")
        }
        several => {
            let names = several.iter().map(|table| table.name.as_str()).collect::<Vec<_>>().join(", ");
            bail!("{names} have username and password: dump the one of users, by `mysqldump DATABASE TABLE`")
        }
    }
}

fn row(fields: &Fields, zone: UtcOffset) -> Read {
    let text = |column: &str| fields.get(column).cloned().unwrap_or_default();
    let (key, name) = (text("id"), text("username"));
    // As its framework marks what is thrown away.
    if !matches!(text("delete_time").as_str(), "" | "0") {
        return Err(Unreadable { key, name, why: "it was deleted there".to_owned() });
    }
    let gender = match text("gender").as_str() {
        "1" => Gender::Male,
        "2" => Gender::Female,
        _ => Gender::Unknown,
    };
    Ok(Row {
        email: text("email"),
        password_hash: text("password"),
        is_administrator: text("is_admin") == "1",
        is_disabled: fields.get("status").is_some_and(|status| status != "1"),
        display_name: text("nickname"),
        avatar: text("avatar"),
        bio: text("bio"),
        gender,
        birthday: when::day(&text("birthday")),
        phone: text("mobile"),
        created_at: when::local(&text("create_time"), zone),
        updated_at: when::local(&text("update_time"), zone),
        key,
        name,
        ..Row::default()
    })
}
