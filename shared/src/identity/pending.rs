//! Sign-ins that wait for their second factor: the password was right, and nothing is open yet.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use super::chance::{self, Chance};
use super::{Account, AccountId, ChallengeToken, Hashed, SessionTerms};

/// How long a sign-in waits for its second factor.
pub const PENDING_LIFE: Duration = Duration::from_secs(300);

/// A waiting sign-in's identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PendingId(pub Uuid);

impl std::fmt::Display for PendingId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// A sign-in that waits for its second factor. It opens one session, on the terms of the interface where it began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingSignIn {
    /// Identifier.
    pub id: PendingId,
    /// Whose it is.
    pub account: AccountId,
    /// Hash of its token's secret.
    pub secret: Hashed,
    /// The account's [`session_generation`](super::Account::session_generation) when the password was right.
    pub generation: u64,
    /// The name or address that was signed in with, to which the device will be known.
    pub identifier: String,
    /// Whether somebody had signed in from the device where it began.
    #[serde(default)]
    pub known_device: bool,
    /// What it will hand out.
    pub terms: SessionTerms,
    /// When it stops waiting.
    #[serde(with = "time::serde::timestamp")]
    pub expires_at: OffsetDateTime,
}

impl PendingSignIn {
    /// Begins to wait; the token is told this once.
    pub(crate) fn begin(
        account: &Account,
        identifier: String,
        known_device: bool,
        terms: SessionTerms,
        now: OffsetDateTime,
        chance: &dyn Chance,
    ) -> anyhow::Result<(Self, ChallengeToken)> {
        let id = PendingId(uuid::Builder::from_random_bytes(chance::bytes(chance)?).into_uuid());
        let presented = PresentedChallenge { account: account.id, id, secret: chance::bytes(chance)? };
        let pending = Self {
            id,
            account: account.id,
            secret: Hashed::of(&presented.secret),
            generation: account.session_generation,
            identifier,
            known_device,
            terms,
            expires_at: now + PENDING_LIFE,
        };
        Ok((pending, presented.write()))
    }

    /// Whether it still waits for the second factor of its account.
    pub(crate) fn is_live(&self, account: &Account, now: OffsetDateTime) -> bool {
        let unchanged = account.active && account.session_generation == self.generation;
        unchanged && account.has_second_factor() && now < self.expires_at
    }
}

const PREFIX: &str = "pgc_";

/// The parts of a challenge token: `pgc_` and base64url of account (16 bytes), waiting sign-in (16) and secret (32).
pub(crate) struct PresentedChallenge {
    pub(crate) account: AccountId,
    pub(crate) id: PendingId,
    pub(crate) secret: [u8; 32],
}

impl PresentedChallenge {
    /// Takes a token apart; `None` where it can't be one of ours.
    pub(crate) fn parse(token: &ChallengeToken) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(token.reveal().strip_prefix(PREFIX)?).ok()?;
        let (account, rest) = bytes.split_first_chunk::<16>()?;
        let (id, rest) = rest.split_first_chunk::<16>()?;
        let secret = rest.try_into().ok()?;
        Some(Self { account: AccountId(Uuid::from_bytes(*account)), id: PendingId(Uuid::from_bytes(*id)), secret })
    }

    fn write(&self) -> ChallengeToken {
        let bytes = [self.account.0.as_bytes().as_slice(), self.id.0.as_bytes(), &self.secret].concat();
        ChallengeToken::new(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)))
    }
}
