//! Every item of the table: its key, its shape, and the way between it and the core's values.
//!
//! | what | `pk` | `sk` | besides |
//! |---|---|---|---|
//! | account | `account#<id>` | `account` | `listing` and `number` for the index, `version`, `written` |
//! | session | `account#<id>` | `session#<id>` | `expires_at` |
//! | API token | `account#<id>` | `token#<id>` | `expires_at` where it has an end |
//! | sign-in that waits for its second factor | `account#<id>` | `pending#<id>` | `expires_at` |
//! | audit event | `account#<id>` of its subject, else `nobody#<shard>` | `event#<id>` | `expires_at`, `initial` and `start` for the index |
//! | attempts | `attempts#<at what>#<key>` | `counter` | `expires_at`, `count`, `last_at` |
//! | known device and attempts from it | `attempts#identifier#<key>` | `device#<hash>` | the same, `known_until` |
//! | claim | `name#<key>`, `email#<key>` | `claim` | `initial` and `start` for the index |
//! | code | `code#<purpose>#<subject>` | `<address key>`, for registrations `<address key>#<request>` | `expires_at` |
//! | mail log | `mail#<address key>` | `log` | `expires_at`, `written` |
//! | mark of an address that mail can't go to | `mail#<address key>` | `undeliverable` | `expires_at` where it ends |
//! | avatar picture | `avatar#<account number>` | `picture` | |
//! | report of usage under a key | `report#<hash of key and caller>` | `report` | `expires_at` |
//! | last account number | `counter#number` | `counter` | |
//! | number of accounts, in shards | `total#<shard>` | `counter` | |
//! | issuer, signing keys, key of mailed codes | `signing` | `issuer`, `key#<sequence>`, `code_key` | |
//! | settings | `setting` | `admin_token`, `first_administrator`, `administrators`, `runtime` | `written` of the last |
//!
//! Values of the core stand whole under one attribute (`account`, `session`, `token`, `pending`, `event`, `challenge`, `log`, `key`), so that no
//! field of theirs can meet one of the table's own: `expires_at` (when the table may drop the item, epoch
//! seconds) is later than the instant at which the core stops honouring it, and a code has both.

mod deployment;
mod event;
mod keys;
mod whole;

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Duration;

use anyhow::Context;
use aws_sdk_dynamodb::types::AttributeValue;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::identity::{
    Account, AccountId, ApiToken, Attempts, Challenge, Claim, ClaimKind, Hashed, KeptReport, MailLog, MailMark,
    PendingSignIn, Picture, RefreshChain, Session, Version, Versioned,
};

pub(super) use deployment::{AdminTokenItem, CodeKeyItem, IssuerItem, SettingsItem, SigningKeyItem};
pub(super) use event::EventItem;
pub(super) use keys::{
    API_TOKEN, CLAIM, EVENT, EVENT_SHARDS, KEY, Key, LISTING_SHARDS, SESSION, TOTAL_SHARDS, events, found_at,
};

pub use whole::Wrong;
pub(super) use whole::{Seen, look};

/// An item as the SDK knows it.
pub(super) type Item = HashMap<String, AttributeValue>;

/// The index by which accounts are listed.
pub(super) const LISTING: &str = "listing";

/// The index by which names and addresses are found by how they begin.
pub(super) const CLAIMS: &str = "claims";

/// Kept for this long after its end, so that a late request still learns what became of it.
const SESSION_TAIL: Duration = Duration::from_secs(86_400);
const CODE_TAIL: Duration = Duration::from_secs(3600);

/// The partition of the listing that has accounts of this number.
pub(super) fn listing(number: u64) -> String {
    format!("accounts#{}", number % LISTING_SHARDS)
}

#[derive(Serialize, Deserialize)]
pub(super) struct AccountItem<'a> {
    #[serde(flatten)]
    key: Key,
    listing: String,
    number: u64,
    version: u64,
    written: Cow<'a, str>,
    account: Cow<'a, Account>,
}

impl<'a> AccountItem<'a> {
    pub(super) fn new(account: &'a Account, version: Version, written: &'a str) -> Self {
        Self {
            key: Key::account(account.id),
            listing: listing(account.number),
            number: account.number,
            version: version.0,
            written: Cow::Borrowed(written),
            account: Cow::Borrowed(account),
        }
    }
}

impl From<AccountItem<'_>> for Versioned {
    fn from(item: AccountItem<'_>) -> Self {
        Self { account: item.account.into_owned(), version: Version(item.version) }
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct SessionItem<'a> {
    #[serde(flatten)]
    key: Key,
    expires_at: i64,
    pub(super) session: Cow<'a, Session>,
}

impl<'a> SessionItem<'a> {
    pub(super) fn new(session: &'a Session) -> Self {
        let key = Key::session(session.account, session.id);
        Self { key, expires_at: session_expiry(session), session: Cow::Borrowed(session) }
    }
}

fn session_expiry(session: &Session) -> i64 {
    (session.last_moment() + SESSION_TAIL).unix_timestamp()
}

/// What a refresh changes: `refresh` and `seen_at` of the session itself, and the item's `expires_at`.
pub(super) fn refreshed(session: &Session, next: &RefreshChain, now: OffsetDateTime) -> anyhow::Result<Item> {
    let moved = Session { refresh: Some(next.clone()), seen_at: now, ..session.clone() };
    let mut changed = write(&moved)?;
    changed.retain(|field, _| matches!(field.as_str(), "refresh" | "seen_at"));
    changed.insert("expires_at".to_owned(), attribute(&session_expiry(&moved))?);
    Ok(changed)
}

#[derive(Serialize, Deserialize)]
pub(super) struct ApiTokenItem<'a> {
    #[serde(flatten)]
    key: Key,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<i64>,
    pub(super) token: Cow<'a, ApiToken>,
}

impl<'a> ApiTokenItem<'a> {
    pub(super) fn new(token: &'a ApiToken) -> Self {
        let expires_at = token.expires_at.map(|end| (end + SESSION_TAIL).unix_timestamp());
        Self { key: Key::api_token(token.account, token.id), expires_at, token: Cow::Borrowed(token) }
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct PendingItem<'a> {
    #[serde(flatten)]
    key: Key,
    expires_at: i64,
    pub(super) pending: Cow<'a, PendingSignIn>,
}

impl<'a> PendingItem<'a> {
    pub(super) fn new(pending: &'a PendingSignIn) -> Self {
        let expires_at = (pending.expires_at + CODE_TAIL).unix_timestamp();
        Self { key: Key::pending(pending.account, pending.id), expires_at, pending: Cow::Borrowed(pending) }
    }
}

/// Written attribute by attribute: see [`super::attempts`].
#[derive(Deserialize)]
pub(super) struct AttemptsItem {
    #[serde(flatten)]
    counted: Attempts,
}

impl From<AttemptsItem> for Attempts {
    fn from(item: AttemptsItem) -> Self {
        item.counted
    }
}

/// When the table may drop what was counted.
pub(super) fn attempts_expiry(forgotten_at: OffsetDateTime) -> i64 {
    (forgotten_at + CODE_TAIL).unix_timestamp()
}

/// An instant as milliseconds since the epoch.
pub(super) fn millis(instant: OffsetDateTime) -> i64 {
    i64::try_from(instant.unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX)
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "ClaimKind", rename_all = "lowercase")]
enum StoredClaimKind {
    Name,
    Email,
}

#[derive(Serialize, Deserialize)]
pub(super) struct ClaimItem {
    #[serde(flatten)]
    at: Key,
    #[serde(with = "StoredClaimKind")]
    kind: ClaimKind,
    key: String,
    account: AccountId,
    verified: bool,
    /// Absent in claims that were written before there was that index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    initial: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    start: Option<String>,
}

impl From<&Claim> for ClaimItem {
    fn from(claim: &Claim) -> Self {
        let Claim { kind, key, account, verified } = claim.clone();
        let (initial, start) = found_at(kind, &key);
        let (initial, start) = (Some(initial), Some(start.to_owned()));
        Self { at: Key::claim(kind, &key), kind, key, account, verified, initial, start }
    }
}

impl From<ClaimItem> for Claim {
    fn from(item: ClaimItem) -> Self {
        Self { kind: item.kind, key: item.key, account: item.account, verified: item.verified }
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct ChallengeItem<'a> {
    #[serde(flatten)]
    key: Key,
    expires_at: i64,
    pub(super) challenge: Cow<'a, Challenge>,
}

impl<'a> ChallengeItem<'a> {
    pub(super) fn new(challenge: &'a Challenge) -> Self {
        let expires_at = challenge_expiry(challenge);
        Self { key: Key::challenge(challenge), expires_at, challenge: Cow::Borrowed(challenge) }
    }
}

/// When the table may drop a code.
pub(super) fn challenge_expiry(challenge: &Challenge) -> i64 {
    (challenge.expires_at + CODE_TAIL).unix_timestamp()
}

#[derive(Serialize, Deserialize)]
pub(super) struct PictureItem {
    #[serde(flatten)]
    key: Key,
    /// Binary: serde would make a list of numbers of it.
    #[serde(with = "serde_bytes")]
    jpeg: Vec<u8>,
}

impl PictureItem {
    pub(super) fn new(number: u64, picture: &Picture) -> Self {
        Self { key: Key::picture(number), jpeg: picture.jpeg().to_vec() }
    }
}

impl From<PictureItem> for Picture {
    fn from(item: PictureItem) -> Self {
        Self::from_stored(&item.jpeg)
    }
}

/// Written attribute by attribute: see [`super::commit`].
#[derive(Deserialize)]
pub(super) struct MailLogItem {
    pub(super) log: MailLog,
}

/// When the table may drop a mail log. An empty one tells no instant and keeps the one it has.
pub(super) fn mail_log_expiry(log: &MailLog) -> Option<i64> {
    log.expires_at().map(|end| (end + CODE_TAIL).unix_timestamp())
}

/// What keeps mail from an address.
#[derive(Serialize, Deserialize)]
pub(super) struct MailMarkItem<'a> {
    #[serde(flatten)]
    key: Key,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<i64>,
    pub(super) mark: Cow<'a, MailMark>,
}

impl<'a> MailMarkItem<'a> {
    pub(super) fn new(mark: &'a MailMark) -> Self {
        let expires_at = mark.ends_at().map(|end| (end + CODE_TAIL).unix_timestamp());
        Self { key: Key::mail_mark(&mark.address_key), expires_at, mark: Cow::Borrowed(mark) }
    }
}

/// A report of usage that took place under a key.
#[derive(Serialize, Deserialize)]
pub(super) struct ReportItem {
    #[serde(flatten)]
    key: Key,
    expires_at: i64,
    digest: Hashed,
    /// Epoch seconds.
    until: i64,
}

impl ReportItem {
    pub(super) fn new(report: &KeptReport) -> Self {
        let until = report.until.unix_timestamp();
        let expires_at = (report.until + CODE_TAIL).unix_timestamp();
        Self { key: Key::report(&report.key), expires_at, digest: report.digest.clone(), until }
    }

    pub(super) fn report(self, key: &Hashed) -> anyhow::Result<KeptReport> {
        let until = OffsetDateTime::from_unix_timestamp(self.until)?;
        Ok(KeptReport { key: key.clone(), digest: self.digest, until })
    }
}

#[derive(Deserialize)]
pub(super) struct CounterItem {
    pub(super) count: u64,
}

/// A shape as an item.
pub(super) fn write(shape: &impl Serialize) -> anyhow::Result<Item> {
    serde_dynamo::to_item(shape).context("an item could not be written")
}

/// A value as an attribute.
pub(super) fn attribute(value: &impl Serialize) -> anyhow::Result<AttributeValue> {
    serde_dynamo::to_attribute_value(value).context("an attribute could not be written")
}

/// An item as a shape.
pub(super) fn read<T: DeserializeOwned>(item: Item) -> anyhow::Result<T> {
    serde_dynamo::from_item(item).context("a stored item could not be read")
}
