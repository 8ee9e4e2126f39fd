//! mcphub's `mcp_settings.json`: `users`, each with `username`, `password` (bcrypt), `isAdmin` and, of later versions, `email`.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use serde::Deserialize;

use super::row::Row;

#[derive(Deserialize)]
struct Settings {
    users: Vec<User>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct User {
    username: String,
    password: Option<String>,
    #[serde(default)]
    is_admin: bool,
    email: Option<String>,
}

pub(super) fn read(file: &Path) -> anyhow::Result<Vec<Row>> {
    let text = fs::read(file)?;
    let settings: Settings = serde_json::from_slice(&text).context("it is no mcp_settings.json with users")?;
    Ok(settings.users.into_iter().map(User::row).collect())
}

impl User {
    fn row(self) -> Row {
        Row {
            key: self.username.clone(),
            name: self.username,
            email: self.email.unwrap_or_default(),
            password_hash: self.password.unwrap_or_default(),
            is_administrator: self.is_admin,
            ..Row::default()
        }
    }
}
