//! Where items stand: the keys of the table that [`super`] describes.

use std::borrow::Cow;
use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest;
use serde::{Deserialize, Serialize};

use super::Item;
use crate::identity::{
    AccountId, ApiTokenId, AttemptKey, Challenge, ChallengeKey, ClaimKind, EventId, Hashed, PendingId, SessionId,
};

/// Over how many partitions of that index accounts are spread, so that no single one takes all writes.
pub(in super::super) const LISTING_SHARDS: u64 = 8;
/// Over how many items the number of accounts is spread, so that registrations don't wait for one another.
pub(in super::super) const TOTAL_SHARDS: u8 = 16;

/// How the sort keys of sessions begin.
pub(in super::super) const SESSION: &str = "session#";
/// How the sort keys of API tokens begin.
pub(in super::super) const API_TOKEN: &str = "token#";

/// How the sort keys of signing keys begin.
pub(in super::super) const KEY: &str = "key#";

/// How the sort keys of events begin.
pub(in super::super) const EVENT: &str = "event#";
/// Over how many partitions of the index events are spread, and those about nobody over as many of the table.
pub(in super::super) const EVENT_SHARDS: u8 = 8;

/// The shard of an event: by its last byte, which is random, so that all have equal shares.
pub(in super::super) fn shard_of(event: EventId) -> u8 {
    event.0.as_bytes()[15] % EVENT_SHARDS
}

/// The partition of the index `claims` that has all events of a shard, among those of names and addresses.
pub(in super::super) fn events(shard: u8) -> String {
    format!("{EVENT}{shard}")
}

/// The sort key of all claims.
pub(in super::super) const CLAIM: &str = "claim";

/// Where a claim stands in the index by which names and addresses are found by how they begin, and where to look for a
/// beginning that is not empty: the partition of what starts with the same character, and as much of the key as
/// serves for finding it.
pub(in super::super) fn found_at(kind: ClaimKind, key: &str) -> (String, &str) {
    let partition = format!("{}#{}", name_of(kind), key.chars().next().unwrap_or_default());
    (partition, &key[..key.floor_char_boundary(MOST_SEARCHED)])
}

fn name_of(kind: ClaimKind) -> &'static str {
    match kind {
        ClaimKind::Name => "name",
        ClaimKind::Email => "email",
    }
}

/// Bytes of a key that are compared in a search, since a sort key has room for 1 KiB.
const MOST_SEARCHED: usize = 900;

/// The sort key of what is counted.
const COUNTER: &str = "counter";

/// The partition of attempts with a name or address.
fn attempts_with(identifier: &str) -> String {
    format!("attempts#identifier#{}", fitting(identifier))
}

/// Where an item stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(in super::super) struct Key {
    pub(in super::super) pk: String,
    pub(in super::super) sk: String,
}

impl Key {
    fn new(pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Self { pk: pk.into(), sk: sk.into() }
    }

    pub(in super::super) fn account(id: AccountId) -> Self {
        Self::new(format!("account#{id}"), "account")
    }

    pub(in super::super) fn session(account: AccountId, session: SessionId) -> Self {
        Self::new(format!("account#{account}"), format!("{SESSION}{session}"))
    }

    /// With the account that it is about. Those about nobody have partitions of their own, spread like the index's:
    /// anybody can make thousands of them a second, by signing in under names that nobody has.
    pub(in super::super) fn event(subject: Option<AccountId>, event: EventId) -> Self {
        let nobody = || format!("nobody#{}", shard_of(event));
        let partition = subject.map_or_else(nobody, |subject| Self::account(subject).pk);
        Self::new(partition, format!("{EVENT}{event}"))
    }

    pub(in super::super) fn api_token(account: AccountId, token: ApiTokenId) -> Self {
        Self::new(format!("account#{account}"), format!("{API_TOKEN}{token}"))
    }

    pub(in super::super) fn pending(account: AccountId, pending: PendingId) -> Self {
        Self::new(format!("account#{account}"), format!("pending#{pending}"))
    }

    pub(in super::super) fn attempts(key: &AttemptKey) -> Self {
        match key {
            AttemptKey::Identifier(identifier) => Self::new(attempts_with(identifier), COUNTER),
            AttemptKey::Device { identifier, device } => {
                Self::new(attempts_with(identifier), format!("device#{}", device.as_str()))
            }
            AttemptKey::SignInsFrom(network) => Self::new(format!("attempts#sign_in#{}", fitting(network)), COUNTER),
            AttemptKey::RegistrationsFrom(network) => {
                Self::new(format!("attempts#register#{}", fitting(network)), COUNTER)
            }
            AttemptKey::SecondFactor(account) => Self::new(format!("attempts#second_factor#{account}"), COUNTER),
            AttemptKey::CurrentPassword(account) => Self::new(format!("attempts#password#{account}"), COUNTER),
            AttemptKey::NoticesTo(address) => Self::new(format!("attempts#notices#{}", fitting(address)), COUNTER),
            AttemptKey::MailedCode(key) => Self::new(format!("attempts#{}", Self::challenges(key)), COUNTER),
            AttemptKey::MailedCodesFrom(network) => Self::new(format!("attempts#codes#{}", fitting(network)), COUNTER),
            AttemptKey::AddressesMailedBy(account) => Self::new(format!("attempts#addresses#{account}"), COUNTER),
        }
    }

    pub(in super::super) fn claim(kind: ClaimKind, key: &str) -> Self {
        Self::new(format!("{}#{}", name_of(kind), fitting(key)), CLAIM)
    }

    /// The partition of all codes of one purpose and subject.
    pub(in super::super) fn challenges(key: &ChallengeKey) -> String {
        format!("code#{}#{}", key.purpose.as_str(), fitting(&key.subject))
    }

    pub(in super::super) fn challenge(challenge: &Challenge) -> Self {
        let address = challenge.address.key();
        let sort = challenge.request.as_ref().map_or(address.clone(), |request| format!("{address}#{request}"));
        Self::new(Self::challenges(&challenge.key), fitting(&sort))
    }

    pub(in super::super) fn mail_log(address_key: &str) -> Self {
        Self::new(format!("mail#{}", fitting(address_key)), "log")
    }

    pub(in super::super) fn mail_mark(address_key: &str) -> Self {
        Self::new(format!("mail#{}", fitting(address_key)), "undeliverable")
    }

    pub(in super::super) fn report(key: &Hashed) -> Self {
        Self::new(format!("report#{}", key.as_str()), "report")
    }

    /// By the account's number, which its address tells, so that serving a picture takes one read.
    pub(in super::super) fn picture(number: u64) -> Self {
        Self::new(format!("avatar#{number}"), "picture")
    }

    pub(in super::super) fn account_number() -> Self {
        Self::new("counter#number", COUNTER)
    }

    pub(in super::super) fn total(shard: u8) -> Self {
        Self::new(format!("total#{shard}"), COUNTER)
    }

    /// The shard that counts this account: by its last byte, which is random.
    pub(in super::super) fn total_of(account: AccountId) -> Self {
        Self::total(account.0.as_bytes()[15] % TOTAL_SHARDS)
    }

    /// The partition of issuer and keys; keys sort by their sequence.
    pub(in super::super) const SIGNING: &str = "signing";

    pub(in super::super) fn issuer() -> Self {
        Self::new(Self::SIGNING, "issuer")
    }

    pub(in super::super) fn signing_key(sequence: u64) -> Self {
        Self::new(Self::SIGNING, format!("{KEY}{sequence:020}"))
    }

    pub(in super::super) fn code_key() -> Self {
        Self::new(Self::SIGNING, "code_key")
    }

    pub(in super::super) fn admin_token() -> Self {
        Self::new("setting", "admin_token")
    }

    pub(in super::super) fn runtime_settings() -> Self {
        Self::new("setting", "runtime")
    }

    pub(in super::super) fn first_administrator() -> Self {
        Self::new("setting", "first_administrator")
    }

    /// The mark of an import that is under way.
    pub(in super::super) fn import() -> Self {
        Self::new("setting", "import")
    }

    /// The set of the active administrators' ids.
    pub(in super::super) fn administrators() -> Self {
        Self::new("setting", "administrators")
    }

    pub(in super::super) fn attributes(self) -> Item {
        HashMap::from([("pk".to_owned(), AttributeValue::S(self.pk)), ("sk".to_owned(), AttributeValue::S(self.sk))])
    }
}

/// Text as part of a key, of which the table takes 1 KiB (`sk`) or 2 (`pk`). People may look for any text, so
/// longer ones stand under their hash, behind a character that no name or address has.
fn fitting(text: &str) -> Cow<'_, str> {
    if text.len() <= 900 {
        return Cow::Borrowed(text);
    }
    Cow::Owned(format!("\u{1}{}", URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, text.as_bytes()))))
}
