//! Items that a deployment has one of: issuer, keys, administrator token, settings.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::Key;
use crate::identity::{CodeKey, Hashed, KeyRecord, RuntimeSettings};

#[derive(Serialize, Deserialize)]
pub(in super::super) struct IssuerItem<'a> {
    #[serde(flatten)]
    key: Key,
    pub(in super::super) issuer: Cow<'a, str>,
}

impl<'a> IssuerItem<'a> {
    pub(in super::super) fn new(issuer: &'a str) -> Self {
        Self { key: Key::issuer(), issuer: Cow::Borrowed(issuer) }
    }
}

#[derive(Serialize, Deserialize)]
pub(in super::super) struct SigningKeyItem<'a> {
    #[serde(flatten)]
    at: Key,
    pub(in super::super) key: Cow<'a, KeyRecord>,
}

impl<'a> SigningKeyItem<'a> {
    pub(in super::super) fn new(key: &'a KeyRecord) -> Self {
        Self { at: Key::signing_key(key.sequence), key: Cow::Borrowed(key) }
    }
}

/// The key of mailed codes: as it is, since codes are computed with it.
#[derive(Serialize, Deserialize)]
pub(in super::super) struct CodeKeyItem<'a> {
    #[serde(flatten)]
    at: Key,
    secret: Cow<'a, str>,
}

impl<'a> CodeKeyItem<'a> {
    pub(in super::super) fn new(key: &'a CodeKey) -> Self {
        Self { at: Key::code_key(), secret: Cow::Borrowed(key.reveal()) }
    }
}

impl From<CodeKeyItem<'_>> for CodeKey {
    fn from(item: CodeKeyItem<'_>) -> Self {
        Self::new(item.secret)
    }
}

#[derive(Serialize, Deserialize)]
pub(in super::super) struct AdminTokenItem<'a> {
    #[serde(flatten)]
    key: Key,
    pub(in super::super) hashed: Cow<'a, Hashed>,
}

impl<'a> AdminTokenItem<'a> {
    pub(in super::super) fn new(hashed: &'a Hashed) -> Self {
        Self { key: Key::admin_token(), hashed: Cow::Borrowed(hashed) }
    }
}

/// What administrators set at run time.
#[derive(Serialize, Deserialize)]
pub(in super::super) struct SettingsItem<'a> {
    #[serde(flatten)]
    key: Key,
    pub(super) written: Cow<'a, str>,
    pub(in super::super) settings: Cow<'a, RuntimeSettings>,
}

impl<'a> SettingsItem<'a> {
    pub(in super::super) fn new(settings: &'a RuntimeSettings, written: &'a str) -> Self {
        Self { key: Key::runtime_settings(), written: Cow::Borrowed(written), settings: Cow::Borrowed(settings) }
    }
}
