//! Sessions: what an access token stands for, and the rule by which refresh tokens succeed one another.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use super::chance::{self, Chance};
use super::{AccountId, Hashed, Language, Notes, RefreshToken};

/// A session's identifier, the `sid` of its access tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionId(pub Uuid);

impl std::fmt::Display for SessionId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl SessionId {
    /// Reads an id as it is shown; `None` where it can't be one.
    pub fn parse(text: &str) -> Option<Self> {
        Uuid::parse_str(text).ok().map(Self)
    }
}

/// How long what a sign-in hands out stays good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionTerms {
    /// Life of an access token.
    pub access: Duration,
    /// Terms of the refresh token; without one the session lives as long as its access token.
    pub refresh: Option<RefreshTerms>,
}

/// How long a session can be carried on by refreshing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshTerms {
    /// Life of one refresh token: the session ends when it goes unused for so long.
    pub idle: Duration,
    /// The session ends after this however often it was refreshed.
    pub absolute: Duration,
}

/// Where a request came from, for the person's list of sessions and for limits.
#[derive(Debug, Clone, Default)]
pub struct Visitor {
    /// Network address, "" where unknown.
    pub source: String,
    /// What the client calls itself, at most 256 characters.
    pub agent: String,
    /// Which of the service's interfaces the client speaks.
    pub interface: String,
    /// The language of what it is told.
    pub language: Language,
    /// The language that it asked for, if it named one.
    pub asked_language: Option<Language>,
    /// What the request turns out to be.
    pub notes: Notes,
}

/// One sign-in of one account on one device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Identifier.
    pub id: SessionId,
    /// Whose it is.
    pub account: AccountId,
    /// The account's [`session_generation`](super::Account::session_generation) when it was opened.
    pub generation: u64,
    /// Life of each access token, in seconds.
    pub access_seconds: u64,
    /// When it was opened.
    #[serde(with = "time::serde::timestamp")]
    pub opened_at: OffsetDateTime,
    /// When it was opened or last refreshed.
    #[serde(with = "time::serde::timestamp")]
    pub seen_at: OffsetDateTime,
    /// When it ends whatever happens.
    #[serde(with = "time::serde::timestamp")]
    pub ends_at: OffsetDateTime,
    /// Refresh tokens, where the session has them.
    pub refresh: Option<RefreshChain>,
    /// Network address it was opened from.
    pub source: String,
    /// What the client called itself.
    pub agent: String,
    /// Through which interface it was opened.
    pub interface: String,
}

impl Session {
    /// Opens a session; the refresh token, where the terms have one, is told this once.
    pub(crate) fn open(
        account: AccountId,
        generation: u64,
        terms: &SessionTerms,
        visitor: &Visitor,
        now: OffsetDateTime,
        chance: &dyn Chance,
    ) -> anyhow::Result<(Self, Option<RefreshToken>)> {
        let id = SessionId(uuid::Builder::from_random_bytes(chance::bytes(chance)?).into_uuid());
        let opened = match &terms.refresh {
            Some(refresh) => Some(RefreshChain::start(account, id, refresh.idle, now, chance)?),
            None => None,
        };
        let (refresh, token) = opened.unzip();
        let life = terms.refresh.map_or(terms.access, |refresh| refresh.absolute);
        let session = Self {
            id,
            account,
            generation,
            access_seconds: terms.access.as_secs(),
            opened_at: now,
            seen_at: now,
            ends_at: now + life,
            refresh,
            source: visitor.source.clone(),
            agent: visitor.agent.chars().take(256).collect(),
            interface: visitor.interface.clone(),
        };
        Ok((session, token))
    }

    /// Whether it keeps nothing that lets in.
    pub(super) fn is_hashed(&self) -> bool {
        self.refresh.as_ref().is_none_or(RefreshChain::is_hashed)
    }

    /// Whether it is over at this instant: past its absolute end, or unrefreshed for too long.
    pub fn is_over(&self, now: OffsetDateTime) -> bool {
        now >= self.last_moment()
    }

    /// The instant from which nothing of this session is good any more, unless it is refreshed before.
    pub fn last_moment(&self) -> OffsetDateTime {
        self.refresh.as_ref().map_or(self.ends_at, |chain| self.ends_at.min(chain.idle_until))
    }
}

/// How long a token that was already exchanged gets the same successor again: two tabs, or a lost answer.
pub const REPEAT_GRACE: Duration = Duration::from_secs(10);
/// How many exchanged tokens a session remembers for that.
const MOST_REMEMBERED: usize = 8;

/// The state of a session's refresh tokens: only the newest is live, its predecessor is remembered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshChain {
    /// Secret of this session from which successors and tags are derived; worthless without a token.
    family: String,
    /// Hash of the live token.
    pub current: Hashed,
    /// Tokens that were exchanged, oldest first: the last one, whose successor is the live token, and others while
    /// they get their successors again.
    exchanged: Vec<Exchanged>,
    /// Life of one token, in seconds.
    idle_seconds: u64,
    /// When the live token expires.
    #[serde(with = "time::serde::timestamp")]
    pub idle_until: OffsetDateTime,
}

/// A token that was exchanged for a successor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Exchanged {
    /// Its hash.
    token: Hashed,
    /// Makes its successor differ from one that was replaced.
    salt: String,
    /// When.
    #[serde(with = "super::millis")]
    at: OffsetDateTime,
}

/// What becomes of a presented refresh token.
#[derive(Debug)]
pub(crate) enum Exchange {
    /// The chain moves on to this state (if nobody else moved it first), with this successor.
    Rotate(RefreshChain, RefreshToken),
    /// The successor that was already handed out, again.
    Repeat(RefreshToken),
    /// A token that was replaced long ago: somebody has a copy, so the session must end.
    Reused,
    /// Never a token of this session.
    Unknown,
}

impl RefreshChain {
    fn is_hashed(&self) -> bool {
        self.current.is_hash() && self.exchanged.iter().all(|exchanged| exchanged.token.is_hash())
    }

    fn start(
        account: AccountId,
        session: SessionId,
        idle: Duration,
        now: OffsetDateTime,
        chance: &dyn Chance,
    ) -> anyhow::Result<(Self, RefreshToken)> {
        let family: [u8; 32] = chance::bytes(chance)?;
        let secret: [u8; 32] = chance::bytes(chance)?;
        let chain = Self {
            family: URL_SAFE_NO_PAD.encode(family),
            current: Hashed::of(&secret),
            exchanged: Vec::new(),
            idle_seconds: idle.as_secs(),
            idle_until: now + idle,
        };
        let token = chain.token(account, session, &secret);
        Ok((chain, token))
    }

    /// Decides what a presented token is worth. Pure: the caller writes the new state under the
    /// condition that `current` is still what it was.
    pub(crate) fn exchange(
        &self,
        presented: &PresentedRefresh,
        now: OffsetDateTime,
        chance: &dyn Chance,
    ) -> anyhow::Result<Exchange> {
        if !self.is_ours(presented) {
            return Ok(Exchange::Unknown);
        }
        let before = self.exchanged.iter().rposition(|exchanged| exchanged.token.matches(&presented.secret));
        if let Some(exchanged) = before.and_then(|nth| self.exchanged.get(nth))
            && now < exchanged.at + REPEAT_GRACE
        {
            let again = self.successor(&exchanged.salt, &presented.secret);
            return Ok(Exchange::Repeat(self.token(presented.account, presented.session, &again)));
        }
        // The successor of the token that was exchanged last is the live one: never presented, it can be replaced.
        let replaceable = before.is_some_and(|nth| nth + 1 == self.exchanged.len());
        if !replaceable && !self.current.matches(&presented.secret) {
            return Ok(Exchange::Reused);
        }
        self.rotate(presented, now, chance)
    }

    fn rotate(
        &self,
        presented: &PresentedRefresh,
        now: OffsetDateTime,
        chance: &dyn Chance,
    ) -> anyhow::Result<Exchange> {
        let salt = URL_SAFE_NO_PAD.encode(chance::bytes::<16>(chance)?);
        let successor = self.successor(&salt, &presented.secret);
        let used = Hashed::of(&presented.secret);
        let repeatable = |old: &&Exchanged| now < old.at + REPEAT_GRACE && old.token != used;
        let mut exchanged: Vec<_> = self.exchanged.iter().filter(repeatable).cloned().collect();
        exchanged.drain(..exchanged.len().saturating_sub(MOST_REMEMBERED - 1));
        exchanged.push(Exchanged { token: used.clone(), salt, at: now });
        let next = Self {
            family: self.family.clone(),
            current: Hashed::of(&successor),
            exchanged,
            idle_seconds: self.idle_seconds,
            idle_until: now + Duration::from_secs(self.idle_seconds),
        };
        Ok(Exchange::Rotate(next, self.token(presented.account, presented.session, &successor)))
    }

    fn key(&self) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, self.family.as_bytes())
    }

    fn successor(&self, salt: &str, secret: &[u8; 32]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.key());
        context.update(b"successor\0");
        context.update(salt.as_bytes());
        context.update(b"\0");
        context.update(secret);
        let mut successor = [0; 32];
        successor.copy_from_slice(context.sign().as_ref());
        successor
    }

    /// Marks a token as made by this session, so that a stranger's guess can't end it as a reuse would.
    fn tag(&self, secret: &[u8; 32]) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.key());
        context.update(b"tag\0");
        context.update(secret);
        context.sign()
    }

    fn is_ours(&self, presented: &PresentedRefresh) -> bool {
        let tag = self.tag(&presented.secret);
        Hashed::of(&tag.as_ref()[..TAG_BYTES]).matches(&presented.tag)
    }

    fn token(&self, account: AccountId, session: SessionId, secret: &[u8; 32]) -> RefreshToken {
        let tag = self.tag(secret);
        let parts = [account.0.as_bytes().as_slice(), session.0.as_bytes(), secret, &tag.as_ref()[..TAG_BYTES]];
        RefreshToken::new(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(parts.concat())))
    }
}

const PREFIX: &str = "pgr_";
const TAG_BYTES: usize = 16;

/// The parts of a refresh token: `pgr_` and base64url of account (16 bytes), session (16), secret (32), tag (16).
#[derive(Debug)]
pub(crate) struct PresentedRefresh {
    pub(crate) account: AccountId,
    pub(crate) session: SessionId,
    secret: [u8; 32],
    tag: [u8; TAG_BYTES],
}

impl PresentedRefresh {
    /// Takes a token apart; `None` where it can't be one of ours.
    pub(crate) fn parse(token: &RefreshToken) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(token.reveal().strip_prefix(PREFIX)?).ok()?;
        let (account, rest) = bytes.split_first_chunk::<16>()?;
        let (session, rest) = rest.split_first_chunk::<16>()?;
        let (secret, rest) = rest.split_first_chunk::<32>()?;
        Some(Self {
            account: AccountId(Uuid::from_bytes(*account)),
            session: SessionId(Uuid::from_bytes(*session)),
            secret: *secret,
            tag: rest.try_into().ok()?,
        })
    }
}
