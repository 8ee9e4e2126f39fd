//! Passwords at rest: argon2id, with as many hashes at a time as the machine has use for.

use std::sync::Arc;

use anyhow::Context;
use argon2::password_hash::phc;
use argon2::{Algorithm, Argon2, Params, PasswordVerifier, Version};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use super::chance::{self, Chance};
use super::{Password, Result};

/// A password's argon2id hash as a PHC string: `$argon2id$v=19$m=…,t=…,p=…$salt$hash`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PasswordHash(String);

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// Memory in KiB, passes and lanes: OWASP's recommendation for argon2id.
const COST: (u32, u32, u32) = (19_456, 2, 1);

/// Hashes and verifies passwords off the request's own thread.
#[derive(Clone)]
pub struct Hasher {
    permits: Arc<Semaphore>,
}

impl Hasher {
    /// A hasher that runs at most this many hashes at a time; each takes 19 MiB.
    pub fn new(parallel: usize) -> Self {
        Self { permits: Arc::new(Semaphore::new(parallel.max(1))) }
    }

    /// Hashes a new password under a random salt of 128 bits.
    pub(crate) async fn hash(&self, password: &Password, chance: &dyn Chance) -> Result<PasswordHash> {
        let salt: [u8; 16] = chance::bytes(chance)?;
        let password = password.clone();
        Ok(self.run(move || compute(&password, &salt)).await??)
    }

    /// Whether this is the account's password. Without an account the same work is done for nothing, so that
    /// the time tells nobody which names exist.
    pub(crate) async fn verify(&self, password: &Password, hash: Option<&PasswordHash>) -> Result<bool> {
        let password = password.clone();
        let Some(hash) = hash.cloned() else {
            self.run(move || compute(&password, b"nobody's account")).await??;
            return Ok(false);
        };
        self.run(move || compare(&password, &hash)).await?
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let _permit = self.permits.acquire().await.context("the hasher is closed")?;
        Ok(tokio::task::spawn_blocking(work).await.context("a hash did not finish")?)
    }
}

fn argon2id() -> anyhow::Result<Argon2<'static>> {
    let (memory, passes, lanes) = COST;
    let params = Params::new(memory, passes, lanes, None).map_err(|error| anyhow::anyhow!("argon2 cost: {error}"))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn compute(password: &Password, salt: &[u8]) -> anyhow::Result<PasswordHash> {
    use argon2::PasswordHasher as _;
    let hash: phc::PasswordHash = argon2id()?
        .hash_password_with_salt(password.reveal().as_bytes(), salt)
        .map_err(|error| anyhow::anyhow!("argon2id: {error}"))?;
    Ok(PasswordHash(hash.to_string()))
}

fn compare(password: &Password, hash: &PasswordHash) -> Result<bool> {
    let parsed = phc::PasswordHash::new(&hash.0)
        .map_err(|error| anyhow::anyhow!("a stored password hash is broken: {error}"))?;
    match argon2id()?.verify_password(password.reveal().as_bytes(), &parsed) {
        Ok(()) => Ok(true),
        Err(argon2::password_hash::Error::PasswordInvalid) => Ok(false),
        Err(error) => Err(anyhow::anyhow!("argon2id: {error}").into()),
    }
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
}
