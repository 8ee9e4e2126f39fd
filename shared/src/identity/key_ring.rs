//! The keys of a deployment: made on first use, handed on by age or by an administrator, refused once retired.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use futures_util::future::try_join;
use time::OffsetDateTime;

use super::audit::{Action, Origin};
use super::context::{LoadedKeys, MOST_ATTEMPTS, contended};
use super::keys::SigningKey;
use super::{Administrator, Change, Identity, KeyRecord, PublicKey, Result, SigningAlgorithm, SigningRecord};

/// No access token lives longer.
pub const LONGEST_ACCESS: Duration = Duration::from_secs(7 * 86_400);
/// A key is published for so long before it signs: by our own word verifiers may keep the set for an hour, and API
/// Gateway's own authorizer keeps it for two.
pub const KEY_LEAD: Duration = Duration::from_secs(3 * 3600);
/// A key verifies for so long after another took over: until the last token that it signed is over, and no verifier can
/// have a set without its successor.
pub const KEY_TAIL: Duration = LONGEST_ACCESS.saturating_add(KEY_LEAD);
/// Another process may have changed the keys: they are read anew after so long.
const KEPT_FOR: Duration = Duration::from_secs(300);
/// An unknown key makes the ring load again, but not more often than this.
const RELOAD_GAP: Duration = Duration::from_secs(10);

/// With what a deployment signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SigningPolicy {
    /// The algorithm; another one than the present key's makes a new key.
    pub algorithm: SigningAlgorithm,
    /// How long a key signs before another takes over; for ever where absent.
    pub max_age: Option<Duration>,
}

impl Default for SigningPolicy {
    fn default() -> Self {
        Self { algorithm: SigningAlgorithm::default(), max_age: Some(Duration::from_secs(90 * 86_400)) }
    }
}

/// What a key does at some instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// It is published, and will sign.
    Waiting,
    /// It signs.
    Signing,
    /// Another took over; what it signed is still good.
    Verifying,
}

/// A key as administrators see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyStatus {
    /// Its public side.
    pub public: PublicKey,
    /// What it does.
    pub state: KeyState,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// From when on it signs.
    pub signs_from: OffsetDateTime,
    /// When it is refused, where another is to take over.
    pub retires_at: Option<OffsetDateTime>,
}

/// All keys of use, by sequence, with the issuer they sign for.
pub(crate) struct KeyRing {
    pub(crate) issuer: String,
    keys: Vec<SigningKey>,
}

impl KeyRing {
    fn load(issuer: String, record: &SigningRecord) -> anyhow::Result<Self> {
        let keys = record.keys.iter().map(SigningKey::load).collect::<anyhow::Result<_>>()?;
        Ok(Self { issuer, keys })
    }

    /// The key that signs: the last one whose time has come.
    pub(crate) fn signing(&self, now: OffsetDateTime) -> Option<&SigningKey> {
        let begun = self.keys.iter().rev().find(|key| key.record.signs_from() <= now);
        begun.or_else(|| self.keys.first())
    }

    /// The key of this id, unless it is retired.
    pub(crate) fn find(&self, kid: &str, now: OffsetDateTime) -> Option<&SigningKey> {
        self.published(now).find(|key| key.public.kid == kid)
    }

    pub(crate) fn published(&self, now: OffsetDateTime) -> impl Iterator<Item = &SigningKey> {
        let records = || self.keys.iter().map(|key| &key.record);
        let retired = move |nth| retires_at(records().skip(nth + 1)).is_some_and(|end| end <= now);
        self.keys.iter().enumerate().filter(move |(nth, _)| !retired(*nth)).map(|(_, key)| key)
    }

    /// The sequence of the newest key.
    fn newest(&self) -> Option<u64> {
        self.keys.last().map(|key| key.record.sequence)
    }

    fn statuses(&self, now: OffsetDateTime) -> Vec<KeyStatus> {
        let signing = self.signing(now).map(|key| key.record.sequence);
        let status = |key: &SigningKey| {
            let later = self.keys.iter().map(|key| &key.record).filter(|other| other.sequence > key.record.sequence);
            let state = match signing {
                Some(signing) if key.record.sequence == signing => KeyState::Signing,
                Some(signing) if key.record.sequence < signing => KeyState::Verifying,
                Some(_) | None => KeyState::Waiting,
            };
            KeyStatus {
                public: key.public.clone(),
                state,
                created_at: key.record.created_at,
                signs_from: key.record.signs_from(),
                retires_at: retires_at(later),
            }
        };
        self.published(now).map(status).collect()
    }
}

/// When a key is refused, by the keys that come after it.
fn retires_at<'a>(later: impl Iterator<Item = &'a KeyRecord>) -> Option<OffsetDateTime> {
    later.map(KeyRecord::signs_from).min().map(|taken_over| taken_over + KEY_TAIL)
}

impl Identity {
    /// Offers the issuer that tokens carry if none is set and none was ever fixed.
    pub fn propose_issuer(&self, issuer: &str) {
        self.proposed_issuer.get_or_init(|| issuer.to_owned());
    }

    /// Fetches the signing keys before they are needed, so that the first request need not wait for them.
    /// A deployment without keys yet gets them with its first token, but the key of mailed codes now: the log needs it.
    pub async fn warm_up(&self) -> Result<()> {
        let record = self.store.signing_record().await?;
        match record.code_key.clone() {
            Some(key) => _ = self.code_key.get_or_init(|| async { key }).await,
            None => _ = self.code_key().await?,
        }
        if !record.keys.is_empty() && self.issuer_of(record.issuer.as_deref()).is_some() {
            self.keep_keys(&record).await?;
        }
        Ok(())
    }

    /// The published keys, and the issuer they sign for.
    pub async fn public_keys(&self) -> Result<(String, Vec<PublicKey>)> {
        self.freshen_keys().await;
        let ring = self.key_ring().await?;
        Ok((ring.issuer.clone(), ring.published(self.now()).map(|key| key.public.clone()).collect()))
    }

    /// The keys as they are, oldest first.
    pub async fn list_keys(&self) -> Result<Vec<KeyStatus>> {
        Ok(self.load_keys().await?.ring.statuses(self.now()))
    }

    /// Has another key take over: after [`KEY_LEAD`], or `at_once`, which also has all earlier ones refused from the next
    /// request on, and with them every access token that they signed: for a key that somebody else may have. Where a key
    /// waits already, that stays so.
    pub async fn rotate_keys(&self, by: &Administrator, at_once: bool) -> Result<Vec<KeyStatus>> {
        self.load_keys().await?;
        for attempt in 0..MOST_ATTEMPTS {
            let record = self.store.signing_record().await?;
            let now = self.now();
            let newest = record.keys.last().context("a deployment without keys")?;
            let waits = newest.signs_from() > now;
            if waits && !at_once {
                return self.list_keys().await;
            }
            let signs_from = if at_once { now } else { now + KEY_LEAD };
            let next = KeyRecord::generate(self.policy.signing.algorithm, newest.sequence + 1, now, signs_from)?;
            let mut changes = vec![Change::AddSigningKey(&next)];
            let gone = record.keys.iter().filter(|key| at_once || is_retired(key, &record.keys, now));
            changes.extend(gone.map(|key| Change::DropSigningKey(key.sequence)));
            let detail = if at_once { "at_once" } else { "" };
            changes.extend(self.record(&Origin::from(by), None, [(Action::KeysRotated, detail.to_owned())])?);
            if self.commit(&changes).await? {
                return self.list_keys().await;
            }
            self.step_aside(attempt).await?;
            self.check_still_administers(by).await?;
        }
        Err(contended())
    }

    /// Does something and beside it, where they were read too long ago, reads the keys anew.
    pub(super) async fn with_fresh_keys<T>(&self, other: impl Future<Output = Result<T>>) -> Result<T> {
        let freshened = async {
            self.freshen_keys().await;
            Ok(())
        };
        Ok(try_join(other, freshened).await?.0)
    }

    async fn freshen_keys(&self) {
        let stale = self.keys.read().await.as_ref().is_some_and(|loaded| self.now() >= loaded.at + KEPT_FOR);
        if stale && let Err(failed) = self.load_keys().await {
            // Those at hand go on: nothing is lost by that but time.
            tracing::warn!(outcome = %failed, "the keys were not read anew");
        }
    }

    pub(super) async fn key_ring(&self) -> Result<Arc<KeyRing>> {
        if let Some(loaded) = self.keys.read().await.as_ref() {
            return Ok(Arc::clone(&loaded.ring));
        }
        Ok(self.load_keys().await?.ring)
    }

    /// Whether a key is one of those at hand that are published.
    pub(super) async fn has_key(&self, kid: &str) -> bool {
        let now = self.now();
        self.keys.read().await.as_ref().is_some_and(|loaded| loaded.ring.find(kid, now).is_some())
    }

    /// The ring that has this key; loads it anew where another process may have added the key since.
    pub(super) async fn ring_with(&self, kid: &str) -> Result<Option<Arc<KeyRing>>> {
        let loaded = self.keys.read().await.clone();
        let loaded = match loaded {
            Some(loaded) => loaded,
            None => self.load_keys().await?,
        };
        let now = self.now();
        let known = loaded.ring.find(kid, now).is_some();
        if known || now < loaded.at + RELOAD_GAP {
            return Ok(known.then_some(loaded.ring));
        }
        let reloaded = self.load_keys().await?;
        Ok(reloaded.ring.find(kid, now).is_some().then_some(reloaded.ring))
    }

    /// Reads the keys, making the first one and fixing the issuer where that was never done, and the next one where it is
    /// due. All of these writes are conditional, so of many processes that start together one wins and the others read
    /// what it wrote.
    async fn load_keys(&self) -> Result<LoadedKeys> {
        let mut record = self.store.signing_record().await?;
        if let Some(due) = self.due_key(&record)? {
            // Stale: another process made it.
            self.commit(&[Change::AddSigningKey(&due)]).await?;
            record = self.store.signing_record().await?;
        }
        if self.policy.issuer.is_none() && record.issuer.is_none() {
            let proposed = self.proposed_issuer.get().context("no issuer is set and none was proposed")?;
            self.store.fix_issuer(proposed).await?;
            record = self.store.signing_record().await?;
        }
        self.keep_keys(&record).await
    }

    /// The first key, or one in place of one that is too old or of another algorithm.
    fn due_key(&self, record: &SigningRecord) -> Result<Option<KeyRecord>> {
        let (now, policy) = (self.now(), self.policy.signing);
        let Some(newest) = record.keys.last() else {
            return Ok(Some(KeyRecord::generate(policy.algorithm, 1, now, now)?));
        };
        let old = policy.max_age.is_some_and(|age| now >= newest.signs_from() + age);
        if newest.signs_from() > now || !(old || newest.algorithm != policy.algorithm) {
            return Ok(None);
        }
        Ok(Some(KeyRecord::generate(policy.algorithm, newest.sequence + 1, now, now + KEY_LEAD)?))
    }

    async fn keep_keys(&self, record: &SigningRecord) -> Result<LoadedKeys> {
        let issuer = self.issuer_of(record.issuer.as_deref()).context("the issuer was not kept")?;
        let loaded = LoadedKeys { ring: Arc::new(KeyRing::load(issuer, record)?), at: self.now() };
        let mut kept = self.keys.write().await;
        // Each change of the keys adds one. What was read before it and comes later must not bring back what it threw away.
        match kept.as_ref().filter(|kept| kept.ring.newest() > loaded.ring.newest()) {
            Some(newer) => Ok(newer.clone()),
            None => Ok(kept.insert(loaded).clone()),
        }
    }

    fn issuer_of(&self, fixed: Option<&str>) -> Option<String> {
        self.policy.issuer.clone().or_else(|| fixed.map(str::to_owned))
    }
}

fn is_retired(key: &KeyRecord, all: &[KeyRecord], now: OffsetDateTime) -> bool {
    let later = all.iter().filter(|other| other.sequence > key.sequence);
    retires_at(later).is_some_and(|end| end <= now)
}
