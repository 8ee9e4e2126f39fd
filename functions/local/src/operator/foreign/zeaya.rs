//! zeaya's table of users as a dump of MySQL: whichever table has `username` and `password`. Its addresses were never proved,
//! and its times have no zone.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail};
use polygate_shared::identity::Gender;
use time::macros::format_description;
use time::{Date, PrimitiveDateTime, UtcOffset};

use super::dump::{self, Table};
use super::row::Row;

/// A row's values by column; a null is absent.
type Fields = HashMap<String, String>;

pub(super) fn read(file: &Path, zone: UtcOffset) -> anyhow::Result<Vec<Row>> {
    let text = fs::read_to_string(file)?;
    let mut tables = dump::tables(&text)?;
    tables.retain(|table| table.has("username") && table.has("password"));
    match tables.as_slice() {
        [Table { rows, .. }] => rows.iter().map(|fields| row(fields, zone)).collect(),
        [] => {
            bail!("no table in it has username and password: dump it by `mysqldump --complete-insert DATABASE TABLE`")
        }
        several => {
            let names = several.iter().map(|table| table.name.as_str()).collect::<Vec<_>>().join(", ");
            bail!("{names} have username and password: dump the one of users, by `mysqldump DATABASE TABLE`")
        }
    }
}

fn row(fields: &Fields, zone: UtcOffset) -> anyhow::Result<Row> {
    let text = |column: &str| fields.get(column).cloned().unwrap_or_default();
    let key = fields.get("id").with_context(|| "a row has no id")?.clone();
    let time = |column: &str| {
        let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
        let read = fields.get(column).map(|text| PrimitiveDateTime::parse(text, format)).transpose();
        Ok::<_, anyhow::Error>(read.with_context(|| format!("{column} of {key}"))?.map(|time| time.assume_offset(zone)))
    };
    let day = format_description!("[year]-[month]-[day]");
    let birthday = fields.get("birthday").filter(|day| *day != "0000-00-00").map(|text| Date::parse(text, day));
    let gender = match text("gender").as_str() {
        "1" => Gender::Male,
        "2" => Gender::Female,
        "" | "0" => Gender::Unknown,
        other => bail!("gender `{other}` of {key}"),
    };
    Ok(Row {
        name: text("username"),
        email: text("email"),
        password_hash: text("password"),
        is_administrator: text("is_admin") == "1",
        is_disabled: fields.get("status").is_some_and(|status| status != "1"),
        display_name: text("nickname"),
        avatar: text("avatar"),
        bio: text("bio"),
        gender,
        birthday: birthday.transpose().with_context(|| format!("birthday of {key}"))?,
        phone: text("mobile"),
        created_at: time("create_time")?,
        updated_at: time("update_time")?,
        key,
        ..Row::default()
    })
}
