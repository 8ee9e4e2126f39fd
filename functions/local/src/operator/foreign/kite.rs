//! kite's SQLite database: the tables `users` and `api_tokens`. Its addresses were never proved.

use std::path::Path;

use anyhow::Context as _;
use polygate_shared::identity::AccountId;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, Row as Fields};

use super::row::{Read, Row, Unreadable};
use super::when;

pub(super) fn read(file: &Path) -> anyhow::Result<Vec<Read>> {
    // Without this flag a missing file would be made.
    let database = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let tokens = match database.table_exists(None, "api_tokens")? {
        true => "(SELECT count(*) FROM api_tokens WHERE user_id = users.id)",
        false => "0",
    };
    let users = database.prepare(&format!("SELECT *, {tokens} AS tokens FROM users ORDER BY rowid"));
    let mut users = users.context("it is no database of kite")?;
    let rows = users.query_map([], |fields| Ok(row(fields)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn row(fields: &Fields<'_>) -> Read {
    let text = |column: &str| match fields.get_ref(column) {
        Ok(ValueRef::Text(bytes) | ValueRef::Blob(bytes)) => String::from_utf8_lossy(bytes).into_owned(),
        Ok(ValueRef::Integer(number)) => number.to_string(),
        Ok(ValueRef::Null | ValueRef::Real(_)) | Err(_) => String::new(),
    };
    let is_true = |column: &str| matches!(text(column).as_str(), "1" | "true");
    let (key, name) = (text("id"), text("username"));
    let unreadable = |why: String| Unreadable { key: key.clone(), name: name.clone(), why };
    let number = |column: &str| match text(column).as_str() {
        "" => Ok(None),
        digits => digits.parse().map(Some).map_err(|_| unreadable(format!("its {column} is no number"))),
    };
    let id =
        AccountId::parse(&key).filter(|id| !id.0.is_nil()).ok_or_else(|| unreadable("its id is no UUID".to_owned()))?;
    if !text("deleted_at").is_empty() {
        return Err(unreadable("it was deleted there".to_owned()));
    }
    let has_password = text("has_local_password").is_empty() || is_true("has_local_password");
    Ok(Row {
        id: Some(id),
        email: text("email"),
        password_hash: if has_password { text("password_hash") } else { String::new() },
        must_change_password: is_true("password_must_change"),
        totp_secret: is_true("totp_enabled").then(|| text("totp_secret")),
        is_administrator: text("role") == "admin",
        is_disabled: !(text("is_active").is_empty() || is_true("is_active")),
        display_name: text("nickname"),
        avatar: text("avatar_url"),
        storage_limit: number("storage_limit")?,
        storage_used: number("storage_used")?.unwrap_or_default(),
        created_at: when::zoned(&text("created_at")),
        updated_at: when::zoned(&text("updated_at")),
        // They are looked up by their hash there, and carry their id here.
        left_behind: (text("tokens") != "0").then_some("API tokens").into_iter().collect(),
        key,
        name,
        ..Row::default()
    })
}
