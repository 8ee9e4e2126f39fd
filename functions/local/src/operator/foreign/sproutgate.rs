//! sproutgate's data directory: `users/*.json`, a file for each account. Its addresses were proved by mailed codes.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::row::Row;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct User {
    account: String,
    // Both keys are in use.
    #[serde(alias = "password")]
    password_hash: Option<String>,
    username: Option<String>,
    email: Option<String>,
    #[serde(default)]
    level: i64,
    #[serde(default)]
    sprout_coins: i64,
    secondary_emails: Option<Vec<String>>,
    phone: Option<String>,
    avatar_url: Option<String>,
    bio: Option<String>,
    created_at: Option<String>,
    updated_at: Option<String>,
}

pub(super) fn read(folder: &Path) -> anyhow::Result<Vec<Row>> {
    let users = folder.join("users");
    let users = if users.is_dir() { users } else { folder.to_owned() };
    let mut files: Vec<PathBuf> =
        fs::read_dir(&users)?.map(|entry| Ok(entry?.path())).collect::<Result<_, std::io::Error>>()?;
    files.retain(|file| file.extension().is_some_and(|end| end == "json"));
    files.sort();
    anyhow::ensure!(!files.is_empty(), "there is no .json in {}", users.display());
    files.iter().map(|file| read_one(file).with_context(|| file.display().to_string())).collect()
}

fn read_one(file: &Path) -> anyhow::Result<Row> {
    let user: User = serde_json::from_slice(&fs::read(file)?).context("it is no account")?;
    Ok(Row {
        key: user.account.clone(),
        name: user.account,
        email: user.email.unwrap_or_default(),
        addresses_are_proved: true,
        secondary_emails: user.secondary_emails.unwrap_or_default(),
        password_hash: user.password_hash.unwrap_or_default(),
        display_name: user.username.unwrap_or_default(),
        avatar: user.avatar_url.unwrap_or_default(),
        bio: user.bio.unwrap_or_default(),
        phone: user.phone.unwrap_or_default(),
        level: user.level,
        coins: user.sprout_coins,
        created_at: user.created_at.as_deref().map(instant).transpose()?,
        updated_at: user.updated_at.as_deref().map(instant).transpose()?,
        ..Row::default()
    })
}

fn instant(text: &str) -> anyhow::Result<OffsetDateTime> {
    OffsetDateTime::parse(text, &Rfc3339).with_context(|| format!("`{text}` is no time"))
}
