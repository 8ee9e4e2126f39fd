//! kite's SQLite database: the tables `users` and `api_tokens`. Its addresses were never proved.

use std::path::Path;

use anyhow::Context as _;
use polygate_shared::identity::AccountId;
use rusqlite::{Connection, OpenFlags, Row as Fields};
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use super::row::Row;

const USERS: &str = "SELECT id, username, nickname, email, avatar_url, password_hash, has_local_password, role, \
                     storage_limit, storage_used, is_active, password_must_change, totp_secret, totp_enabled, \
                     CAST(created_at AS TEXT) AS created_at, CAST(updated_at AS TEXT) AS updated_at, \
                     (SELECT count(*) FROM api_tokens WHERE user_id = users.id) AS tokens FROM users ORDER BY rowid";

/// As its database layer writes times, with up to nine decimals.
const TIMES: &[BorrowedFormatItem<'_>] = format_description!(
    "[year]-[month]-[day][first [ ][T]][hour]:[minute]:[second][optional [.[subsecond]]]\
     [first [Z][[offset_hour sign:mandatory]:[offset_minute]]]"
);

pub(super) fn read(file: &Path) -> anyhow::Result<Vec<Row>> {
    // Without this flag a missing file would be made.
    let database = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut users = database.prepare(USERS).context("it is no database of kite")?;
    let rows = users.query_map([], |fields| Ok(row(fields)))?;
    rows.map(|row| row?).collect()
}

fn row(fields: &Fields<'_>) -> anyhow::Result<Row> {
    let text = |column| Ok::<_, rusqlite::Error>(fields.get::<_, Option<String>>(column)?.unwrap_or_default());
    let key = text("id")?;
    let time = |column| instant(&text(column)?).with_context(|| format!("{column} of {key}"));
    let id =
        AccountId::parse(&key).filter(|id| !id.0.is_nil()).with_context(|| format!("the id `{key}` is no UUID"))?;
    let (secret, factor_is_on) = (text("totp_secret")?, fields.get::<_, bool>("totp_enabled")?);
    let password_hash = if fields.get("has_local_password")? { text("password_hash")? } else { String::new() };
    let has_tokens = fields.get::<_, i64>("tokens")? > 0;
    Ok(Row {
        id: Some(id),
        name: text("username")?,
        email: text("email")?,
        password_hash,
        must_change_password: fields.get::<_, Option<bool>>("password_must_change")?.unwrap_or_default(),
        totp_secret: factor_is_on.then_some(secret),
        is_administrator: text("role")? == "admin",
        is_disabled: !fields.get::<_, Option<bool>>("is_active")?.unwrap_or(true),
        display_name: text("nickname")?,
        avatar: text("avatar_url")?,
        storage_limit: fields.get("storage_limit")?,
        storage_used: fields.get::<_, Option<i64>>("storage_used")?.unwrap_or_default(),
        created_at: time("created_at")?,
        updated_at: time("updated_at")?,
        // They are looked up by their hash there, and carry their id here.
        left_behind: has_tokens.then_some("API tokens").into_iter().collect(),
        key,
        ..Row::default()
    })
}

fn instant(text: &str) -> anyhow::Result<Option<OffsetDateTime>> {
    if text.is_empty() {
        return Ok(None);
    }
    Ok(Some(OffsetDateTime::parse(text, TIMES).with_context(|| format!("`{text}` is no time"))?))
}
