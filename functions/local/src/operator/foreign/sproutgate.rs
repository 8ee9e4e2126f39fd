//! sproutgate's data directory: `users/*.json`, a file for each account. Its addresses were proved by mailed codes.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Deserialize;

use super::row::{Read, Row, Unreadable};
use super::when;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct User {
    account: String,
    password_hash: Option<String>,
    // Under this key, where the other one isn't there.
    password: Option<String>,
    username: Option<String>,
    email: Option<String>,
    level: Option<i64>,
    sprout_coins: Option<i64>,
    secondary_emails: Option<Vec<String>>,
    phone: Option<String>,
    avatar_url: Option<String>,
    bio: Option<String>,
    created_at: Option<String>,
    updated_at: Option<String>,
}

pub(super) fn read(folder: &Path) -> anyhow::Result<Vec<Read>> {
    let users = folder.join("users");
    let users = if users.is_dir() { users } else { folder.to_owned() };
    let mut files: Vec<PathBuf> =
        fs::read_dir(&users)?.map(|entry| Ok(entry?.path())).collect::<Result<_, std::io::Error>>()?;
    files.retain(|file| file.extension().is_some_and(|end| end == "json"));
    files.sort();
    anyhow::ensure!(!files.is_empty(), "there is no .json in {}", users.display());
    Ok(files.iter().map(|file| read_one(file).map_err(|bad| unreadable(file, &bad))).collect())
}

fn unreadable(file: &Path, bad: &anyhow::Error) -> Unreadable {
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Unreadable { key: name.clone(), name, why: format!("{bad:#}") }
}

fn read_one(file: &Path) -> anyhow::Result<Row> {
    let user: User = serde_json::from_slice(&fs::read(file)?).context("it is no account")?;
    Ok(Row {
        key: user.account.clone(),
        name: user.account,
        email: user.email.unwrap_or_default(),
        addresses_are_proved: true,
        secondary_emails: user.secondary_emails.unwrap_or_default(),
        password_hash: user.password_hash.or(user.password).unwrap_or_default(),
        display_name: user.username.unwrap_or_default(),
        avatar: user.avatar_url.unwrap_or_default(),
        bio: user.bio.unwrap_or_default(),
        phone: user.phone.unwrap_or_default(),
        level: user.level.unwrap_or_default(),
        coins: user.sprout_coins.unwrap_or_default(),
        created_at: user.created_at.as_deref().and_then(when::zoned),
        updated_at: user.updated_at.as_deref().and_then(when::zoned),
        ..Row::default()
    })
}
