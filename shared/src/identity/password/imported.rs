//! Hashes that other systems made: bcrypt, which is compared and never made.

use std::str::FromStr as _;

use bcrypt::HashParts;

use super::{PasswordHash, broken};
use crate::identity::{Password, Result};

/// The rounds that are taken, as powers of two. One of the strongest costs about a second of work, whoever asks.
const COSTS: std::ops::RangeInclusive<u32> = 4..=14;

/// The variants that differ in nothing but their names; `$2x$` is told apart from none of them where it is wrong.
const VARIANTS: [&str; 3] = ["$2a$", "$2b$", "$2y$"];

impl PasswordHash {
    /// Takes a bcrypt hash of another system: `$2a$`, `$2b$` or `$2y$`, of a cost from 4 to 14. `None`: it is none. It
    /// is replaced by an argon2id hash when its password is next given.
    pub fn imported(text: &str) -> Option<Self> {
        let hash = Self(text.to_owned());
        let parts = HashParts::from_str(text).ok().filter(|_| hash.is_imported())?;
        COSTS.contains(&parts.get_cost()).then_some(hash)
    }

    pub(super) fn is_imported(&self) -> bool {
        VARIANTS.iter().any(|variant| self.0.starts_with(variant))
    }
}

/// What bcrypt never saw doesn't count here either: a password's bytes beyond 72.
pub(super) fn compare(password: &Password, hash: &PasswordHash) -> Result<bool> {
    Ok(bcrypt::verify(password.reveal().as_bytes(), &hash.0).map_err(broken)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::{HashCost, Hasher, SystemChance};

    /// Made by other implementations: OpenBSD's by way of Python, bcryptjs, and crypt_blowfish, which PHP uses.
    const OF_TULIP: [&str; 3] = [
        "$2a$04$YsyeVeEeZn8e9I7GqSyoGOh51/7mgTMKGwEL8fZ1IBsPGbbJSs1jq",
        "$2b$06$tV4gAPwQtbfvEMVMSaxNo.Wd1T3pK1PthHkvDIr3SGtjhk7C6Csre",
        "$2y$05$abcdefghijklmnopqrstuuIoi3ilE8UmfsxXWYvqC7TcpcNGIHk.u",
    ];

    #[tokio::test]
    async fn hashes_of_other_implementations_are_compared() {
        let hasher = Hasher::new(1);
        for text in OF_TULIP {
            let hash = PasswordHash::imported(text).expect("a hash");
            for (password, is_right) in [("tulip Grüße 7", true), ("tulip Grüße 8", false), ("", false)] {
                let verified = hasher.verify(&Password::new(password), Some(&hash)).await;
                assert_eq!(verified.expect("an answer"), is_right, "{text}: {password}");
            }
            assert!(!hasher.is_current(&hash));
        }
    }

    #[test]
    fn what_is_no_hash_or_costs_too_much_is_not_taken() {
        let good = OF_TULIP[0];
        for bad in [
            "",
            "secret",
            "5f4dcc3b5aa765d61d8327deb882cf99",
            "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaA",
            &good.replace("$2a$", "$2x$"),
            &good.replace("$2a$04$", "$2a$15$"),
            &good.replace("$2a$04$", "$2a$03$"),
            &good[..good.len() - 1],
            &format!("{good}x"),
        ] {
            assert!(PasswordHash::imported(bad).is_none(), "{bad}");
        }
    }

    #[tokio::test]
    async fn a_hash_is_current_at_the_present_cost_or_above() {
        let cost = |memory, passes| HashCost { memory, passes, lanes: 1 };
        let made = Hasher::at_cost(cost(64, 2), 1);
        let hash = made.hash(&Password::new("tulip"), &SystemChance::default()).await.expect("a hash");
        for (memory, passes, is_current) in [(64, 2, true), (32, 1, true), (65, 2, false), (64, 3, false)] {
            assert_eq!(Hasher::at_cost(cost(memory, passes), 1).is_current(&hash), is_current, "{memory} {passes}");
        }
    }
}
