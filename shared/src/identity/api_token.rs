//! API tokens: what a program carries in place of a person's session.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use super::chance::{self, Chance};
use super::{AccessToken, Account, AccountId, Hashed, Scopes};

/// An API token's identifier: a UUIDv7, so that they sort by age.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ApiTokenId(pub Uuid);

impl std::fmt::Display for ApiTokenId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl ApiTokenId {
    /// Reads an id as it is shown; `None` where it can't be one.
    pub fn parse(text: &str) -> Option<Self> {
        Uuid::parse_str(text).ok().map(Self)
    }
}

/// One API token, as it is kept: without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiToken {
    /// Identifier.
    pub id: ApiTokenId,
    /// Whose it is.
    pub account: AccountId,
    /// What its owner calls it.
    pub name: String,
    /// What it may do.
    #[serde(default)]
    pub scopes: Scopes,
    /// Hash of its secret.
    pub secret: Hashed,
    /// The account's [`token_generation`](super::Account::token_generation) when it was made.
    pub generation: u64,
    /// When it was made.
    #[serde(with = "time::serde::timestamp")]
    pub created_at: OffsetDateTime,
    /// When it stops being good, if ever.
    #[serde(with = "time::serde::timestamp::option")]
    pub expires_at: Option<OffsetDateTime>,
    /// When it was last used, to the minute or so.
    #[serde(with = "time::serde::timestamp::option")]
    pub last_used: Option<OffsetDateTime>,
}

impl ApiToken {
    /// Makes a token of 256 bits, which is told this once, and what is kept of it.
    pub(crate) fn make(
        account: &Account,
        name: String,
        scopes: Scopes,
        expires_at: Option<OffsetDateTime>,
        now: OffsetDateTime,
        chance: &dyn Chance,
    ) -> anyhow::Result<(Self, AccessToken)> {
        let millis = u64::try_from(now.unix_timestamp_nanos() / 1_000_000).unwrap_or_default();
        let id = uuid::Builder::from_unix_timestamp_millis(millis, &chance::bytes(chance)?).into_uuid();
        let presented = PresentedApiToken { account: account.id, id: ApiTokenId(id), secret: chance::bytes(chance)? };
        let token = Self {
            id: presented.id,
            account: account.id,
            name,
            scopes,
            secret: Hashed::of(&presented.secret),
            generation: account.token_generation,
            created_at: now,
            expires_at,
            last_used: None,
        };
        Ok((token, presented.write()))
    }

    /// Whether it is past its time.
    pub fn is_over(&self, now: OffsetDateTime) -> bool {
        self.expires_at.is_some_and(|end| now >= end)
    }

    /// Whether it still stands for its account: not past its time, nor ended together with all others.
    pub fn is_live(&self, account: &Account, now: OffsetDateTime) -> bool {
        self.generation == account.token_generation && !self.is_over(now)
    }
}

/// By which people and scanners know a token of ours.
const PREFIX: &str = "pgt_";
const CHECKSUM_BYTES: usize = 4;

/// The parts of an API token: `pgt_` and base64url of account (16 bytes), token (16), secret (32) and, over all that
/// comes before, a checksum (4).
pub(crate) struct PresentedApiToken {
    pub(crate) account: AccountId,
    pub(crate) id: ApiTokenId,
    pub(crate) secret: [u8; 32],
}

impl PresentedApiToken {
    /// Whether a token says that it is one of these.
    pub(crate) fn is_meant(token: &AccessToken) -> bool {
        token.reveal().starts_with(PREFIX)
    }

    /// Takes a token apart; `None` where it can't be one of ours, for which nothing needs to be read.
    pub(crate) fn parse(token: &AccessToken) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(token.reveal().strip_prefix(PREFIX)?).ok()?;
        let (body, sum) = bytes.split_last_chunk::<CHECKSUM_BYTES>()?;
        let (account, rest) = body.split_first_chunk::<16>()?;
        let (id, secret) = rest.split_first_chunk::<16>()?;
        let secret = secret.try_into().ok()?;
        let right = checksum(body) == *sum;
        right.then(|| Self {
            account: AccountId(Uuid::from_bytes(*account)),
            id: ApiTokenId(Uuid::from_bytes(*id)),
            secret,
        })
    }

    fn write(&self) -> AccessToken {
        let mut bytes = [self.account.0.as_bytes().as_slice(), self.id.0.as_bytes(), &self.secret].concat();
        bytes.extend(checksum(&bytes));
        AccessToken::new(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)))
    }
}

/// Tells a mistyped or cut token from a good one without asking anybody. No secret: the secret is the hash's part.
fn checksum(body: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let mut sum = [0; CHECKSUM_BYTES];
    let whole = digest::digest(&digest::SHA256, &[PREFIX.as_bytes(), body].concat());
    sum.copy_from_slice(&whole.as_ref()[..CHECKSUM_BYTES]);
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::SystemChance;

    #[test]
    fn comes_apart_as_it_was_put_together_and_a_slip_is_seen() {
        let chance = SystemChance::default();
        let presented = PresentedApiToken {
            account: AccountId(Uuid::from_u128(7)),
            id: ApiTokenId(Uuid::from_u128(8)),
            secret: chance::bytes(&chance).expect("randomness"),
        };
        let token = presented.write();
        let read = PresentedApiToken::parse(&token).expect("a token of ours");
        assert_eq!((read.account, read.id, read.secret), (presented.account, presented.id, presented.secret));
        assert_eq!(token.reveal().len(), 4 + 91);
        for place in 4..token.reveal().len() {
            let mut slip = token.reveal().to_owned();
            let other = if &slip[place..=place] == "A" { "B" } else { "A" };
            slip.replace_range(place..=place, other);
            assert!(PresentedApiToken::parse(&AccessToken::new(slip)).is_none(), "{place}");
        }
        assert!(PresentedApiToken::parse(&AccessToken::new(&token.reveal()[..60])).is_none());
        assert!(PresentedApiToken::parse(&AccessToken::new("pgt_")).is_none());
    }
}
