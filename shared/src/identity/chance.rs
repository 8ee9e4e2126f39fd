//! Chance, passed in: every random byte of the service comes from here.

use ring::rand::{SecureRandom, SystemRandom};

/// A source of bytes that nobody can foresee.
pub trait Chance: Send + Sync {
    /// Fills the buffer. Fails only where the operating system has no randomness to give.
    fn fill(&self, buffer: &mut [u8]) -> anyhow::Result<()>;
}

/// The operating system's random source.
#[derive(Debug)]
pub struct SystemChance(SystemRandom);

impl Default for SystemChance {
    fn default() -> Self {
        Self(system_random())
    }
}

impl Chance for SystemChance {
    fn fill(&self, buffer: &mut [u8]) -> anyhow::Result<()> {
        self.0.fill(buffer).map_err(|_| anyhow::anyhow!("the operating system gave no randomness"))
    }
}

/// For signing and key generation, whose library takes no other source than the system's.
#[expect(clippy::disallowed_methods, reason = "the one place that reaches for the system's randomness")]
pub(crate) fn system_random() -> SystemRandom {
    SystemRandom::new()
}

/// Random bytes as an array.
pub(crate) fn bytes<const N: usize>(chance: &dyn Chance) -> anyhow::Result<[u8; N]> {
    let mut buffer = [0; N];
    chance.fill(&mut buffer)?;
    Ok(buffer)
}
