//! mcphub's `mcp_settings.json`: `users`, each with `username`, `password` (bcrypt), `isAdmin` and, of later versions, `email`.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use serde::Deserialize;
use serde_json::Value;

use super::row::{Read, Row, Unreadable};

#[derive(Deserialize)]
struct Settings {
    users: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct User {
    username: String,
    password: Option<String>,
    is_admin: Option<bool>,
    email: Option<String>,
}

pub(super) fn read(file: &Path) -> anyhow::Result<Vec<Read>> {
    let text = fs::read_to_string(file)?;
    let settings: Settings =
        serde_json::from_str(text.trim_start_matches('\u{feff}')).context("it is no mcp_settings.json with users")?;
    Ok(settings.users.into_iter().map(read_one).collect())
}

fn read_one(user: Value) -> Read {
    let name = user["username"].as_str().unwrap_or_default().to_owned();
    match serde_json::from_value::<User>(user) {
        Ok(user) => Ok(user.row()),
        Err(bad) => Err(Unreadable { key: name.clone(), name, why: bad.to_string() }),
    }
}

impl User {
    fn row(self) -> Row {
        Row {
            key: self.username.clone(),
            name: self.username,
            email: self.email.unwrap_or_default(),
            password_hash: self.password.unwrap_or_default(),
            is_administrator: self.is_admin.unwrap_or_default(),
            ..Row::default()
        }
    }
}
