//! Passwords at rest: argon2id, with as many hashes at a time as the machine has use for.

mod imported;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use argon2::password_hash::phc::{self, Output, ParamsString, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use super::chance::{self, Chance};
use super::{Error, Password, Result};

/// A password's argon2id hash as a PHC string, `$argon2id$v=19$m=…,t=…,p=…$salt$hash`, or the bcrypt hash of another system
/// until its password is next given.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Whether it can be one.
    pub(super) fn is_hash(&self) -> bool {
        let is_own = self.0.starts_with("$argon2id$v=19$") && self.0.split('$').count() == 6;
        is_own || Self::imported(&self.0).is_some()
    }
}

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// What one argon2id hash costs whoever computes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HashCost {
    /// Memory in KiB.
    pub memory: u32,
    /// Passes over it.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Default for HashCost {
    /// OWASP's recommendation for argon2id.
    fn default() -> Self {
        Self { memory: 19_456, passes: 2, lanes: 1 }
    }
}

/// Hashes and verifies passwords off the request's own thread. Each time it says so, with the cost, to whoever asked the
/// log for `debug`: that nobody can tell a known name by the work done for it rests on this.
#[derive(Clone)]
pub struct Hasher {
    cost: HashCost,
    permits: Arc<Semaphore>,
    /// Hashes that run or wait to.
    places: Arc<Semaphore>,
    desks: Desks,
}

/// What a hash is computed in.
type Memory = Vec<Block>;

/// So much is always asked of the system, and given back to it at once: from 32 MiB on the C library keeps nothing back. What
/// isn't written to is no memory, only addresses.
const ROOM: usize = 33 << 20;

/// The memory of hashes, kept from one to the next. Anew for each it would be zeroed for nothing, and leave holes in the heap
/// that add up to some thirty times as much before they are used again. What is left in it after two passes tells no more than the hash.
#[derive(Clone, Default)]
struct Desks(Arc<Mutex<Free>>);

/// Those that nobody works at.
#[derive(Default)]
struct Free {
    desks: Vec<Memory>,
    /// Whether anybody has worked since [`Desks::rest`] last looked.
    worked: bool,
}

impl Desks {
    fn work<T>(&self, work: impl FnOnce(&mut Memory) -> T) -> T {
        let free = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut memory = free().desks.pop().unwrap_or_else(|| Memory::with_capacity(ROOM / Block::SIZE));
        let outcome = work(&mut memory);
        let mut free = free();
        free.desks.push(memory);
        free.worked = true;
        outcome
    }

    fn rest(&self) {
        let mut free = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !std::mem::take(&mut free.worked) {
            free.desks = Vec::new();
        }
    }
}

/// How many hashes may wait for each that runs: about as much work as people wait for.
const QUEUE: usize = 15;
/// When a hash that found the queue full is worth another try.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

impl Hasher {
    /// A hasher that runs at most this many hashes at a time; each takes 19 MiB. Where 15 times as many wait already, a
    /// further one is [`Error::Unavailable`] at once: what waits longer is computed for people who have gone.
    pub fn new(parallel: usize) -> Self {
        Self::at_cost(HashCost::default(), parallel)
    }

    /// The same at another cost of new hashes. One that is stored is verified at its own.
    pub fn at_cost(cost: HashCost, parallel: usize) -> Self {
        let parallel = parallel.max(1);
        let (permits, places) = (Semaphore::new(parallel), Semaphore::new(parallel * (QUEUE + 1)));
        Self { cost, permits: Arc::new(permits), places: Arc::new(places), desks: Desks::default() }
    }

    /// Gives back the memory of hashes where none was computed since this was last called: for a process that stays while nobody
    /// signs in, to call every few seconds.
    pub fn rest(&self) {
        self.desks.rest();
    }

    /// Hashes a new password under a random salt of 128 bits.
    pub(crate) async fn hash(&self, password: &Password, chance: &dyn Chance) -> Result<PasswordHash> {
        let salt: [u8; 16] = chance::bytes(chance)?;
        self.compute(password, salt).await
    }

    /// Whether this is the account's password. Without an account the same work is done for nothing, so that
    /// the time tells nobody which names exist.
    pub(crate) async fn verify(&self, password: &Password, hash: Option<&PasswordHash>) -> Result<bool> {
        let Some(hash) = hash.cloned() else {
            self.compute(password, *b"nobody's account").await?;
            return Ok(false);
        };
        let password = password.clone();
        if hash.is_imported() {
            tracing::debug!("a password is compared by bcrypt");
            return self.run(move |_| imported::compare(&password, &hash)).await?;
        }
        let parsed = parse(&hash)?;
        told(&Params::try_from(&parsed).map_err(broken)?);
        self.run(move |memory| compare(&password, &parsed, memory)).await?
    }

    /// Whether a new hash would be no stronger than this one.
    pub(crate) fn is_current(&self, hash: &PasswordHash) -> bool {
        let params = parse(hash).ok().and_then(|parsed| Params::try_from(&parsed).ok());
        params.is_some_and(|has| has.m_cost() >= self.cost.memory && has.t_cost() >= self.cost.passes)
    }

    async fn compute(&self, password: &Password, salt: [u8; 16]) -> Result<PasswordHash> {
        let HashCost { memory, passes, lanes } = self.cost;
        let params =
            Params::new(memory, passes, lanes, None).map_err(|error| anyhow::anyhow!("argon2 cost: {error}"))?;
        told(&params);
        let password = password.clone();
        Ok(self.run(move |memory| compute(&password, &params, &salt, memory)).await??)
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce(&mut Memory) -> T + Send + 'static) -> Result<T> {
        let Ok(_place) = self.places.try_acquire() else {
            let cause = anyhow::anyhow!("too many passwords wait to be hashed");
            return Err(Error::Unavailable { retry_after: AGAIN_AFTER, cause });
        };
        let _permit = self.permits.acquire().await.context("the hasher is closed")?;
        let desks = self.desks.clone();
        Ok(tokio::task::spawn_blocking(move || desks.work(work)).await.context("a hash did not finish")?)
    }
}

/// Tells the log that a password is hashed, and at what cost.
fn told(params: &Params) {
    let (memory, passes, lanes) = (params.m_cost(), params.t_cost(), params.p_cost());
    tracing::debug!(memory, passes, lanes, "a password is hashed");
}

fn compute(password: &Password, params: &Params, salt: &[u8], memory: &mut Memory) -> anyhow::Result<PasswordHash> {
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
    let hash = phc::PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(params).map_err(not_computed)?,
        salt: Some(Salt::new(salt).map_err(not_computed)?),
        hash: Some(output(&argon2, password, salt, memory)?),
    };
    Ok(PasswordHash(hash.to_string()))
}

/// 32 bytes, unless the parameters say otherwise.
fn output(argon2: &Argon2<'_>, password: &Password, salt: &[u8], memory: &mut Memory) -> anyhow::Result<Output> {
    let (params, mut bytes) = (argon2.params(), [0; Output::MAX_LENGTH]);
    let length = params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN);
    let out = bytes.get_mut(..length).context("argon2id: too long a hash")?;
    memory.resize(params.block_count(), Block::default());
    argon2.hash_password_into_with_memory(password.reveal().as_bytes(), salt, out, memory).map_err(not_computed)?;
    Output::new(out).map_err(not_computed)
}

fn not_computed(error: impl std::fmt::Display) -> anyhow::Error {
    anyhow::anyhow!("argon2id: {error}")
}

fn parse(hash: &PasswordHash) -> anyhow::Result<phc::PasswordHash> {
    phc::PasswordHash::new(&hash.0).map_err(broken)
}

fn broken(error: impl std::fmt::Display) -> anyhow::Error {
    anyhow::anyhow!("a stored password hash is broken: {error}")
}

/// Takes the cost from the stored hash. Outputs are compared in constant time.
fn compare(password: &Password, hash: &phc::PasswordHash, memory: &mut Memory) -> Result<bool> {
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::try_from(hash).map_err(broken)?);
    let (Some(salt), Some(stored)) = (&hash.salt, &hash.hash) else { return Err(broken("a part is missing").into()) };
    Ok(output(&argon2, password, salt, memory)? == *stored)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::SystemChance;

    #[tokio::test]
    async fn verbatim_and_salted() {
        let (hasher, chance) = (Hasher::new(1), SystemChance::default());
        let password = Password::new(" Grüße 🔑 ");
        let first = hasher.hash(&password, &chance).await.expect("a hash");
        let second = hasher.hash(&password, &chance).await.expect("a hash");
        assert_ne!(first, second, "salted");
        assert!(first.0.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", first.0);
        assert!(hasher.verify(&password, Some(&first)).await.expect("an answer"));
        assert!(!hasher.verify(&Password::new("Grüße 🔑"), Some(&first)).await.expect("an answer"), "never trimmed");
        assert!(!hasher.verify(&password, None).await.expect("an answer"));
    }

    #[test]
    fn the_memory_of_other_hashes_makes_no_difference() {
        use argon2::{PasswordHasher as _, PasswordVerifier as _};
        let (desks, password, salt) = (Desks::default(), Password::new("secret"), [7; 16]);
        for (memory, passes) in [(64, 1), (8, 2), (32, 3), (64, 1)] {
            let params = Params::new(memory, passes, 1, None).expect("params");
            let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
            let expected: phc::PasswordHash = argon2.hash_password_with_salt(b"secret", &salt).expect("a hash");
            let computed = desks.work(|memory| compute(&password, &params, &salt, memory)).expect("a hash");
            assert_eq!(computed.0, expected.to_string(), "as the crate computes it by itself");
            assert!(Argon2::default().verify_password(b"secret", &expected).is_ok());
            assert!(desks.work(|memory| compare(&password, &expected, memory)).expect("an answer"));
            assert!(!desks.work(|memory| compare(&Password::new("other"), &expected, memory)).expect("an answer"));
        }
        let kept = || desks.0.lock().expect("not poisoned").desks.len();
        assert_eq!(kept(), 1, "one after the other they share it");
        desks.rest();
        assert_eq!(kept(), 1, "somebody has just worked");
        desks.rest();
        assert_eq!(kept(), 0, "and nobody since");
    }

    #[tokio::test]
    async fn a_full_queue_refuses_at_once_and_those_in_it_are_served() {
        let (hasher, chance) =
            (Hasher::at_cost(HashCost { memory: 8, passes: 1, lanes: 1 }, 1), SystemChance::default());
        let password = Password::new("secret");
        let asked = (0..QUEUE + 5).map(|_| hasher.hash(&password, &chance));
        let outcomes = futures_util::future::join_all(asked).await;
        let (served, refused): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
        assert_eq!((served.len(), refused.len()), (QUEUE + 1, 4));
        assert!(refused.iter().all(|refusal| matches!(refusal, Err(Error::Unavailable { .. }))), "{refused:?}");
        assert!(hasher.hash(&password, &chance).await.is_ok(), "and there is room again");
    }
}
