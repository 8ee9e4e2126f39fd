//! Secrets as types: no `Display`, a redacted `Debug`, wiped when dropped, and only ever stored as hashes.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::{digest, hmac};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::chance::{self, Chance};

/// Declares a secret text.
macro_rules! secret {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Zeroize, ZeroizeOnDrop)]
        pub struct $name(String);

        impl $name {
            /// Takes the text as it is.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The secret itself, for the one place that must hand it on.
            pub fn reveal(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    };
}

secret! {
    /// A password as somebody typed it: verbatim, never trimmed or cut.
    Password
}
secret! {
    /// A code as somebody typed it: mailed, or of a second factor.
    Code
}
secret! {
    /// An access token as a client presented it: a signed one (a JWT) or an API token.
    AccessToken
}
secret! {
    /// A refresh token as a client presented it or is about to receive it.
    RefreshToken
}
secret! {
    /// What stands for a sign-in that waits for its second factor.
    ChallengeToken
}
secret! {
    /// The deployment's administrator token.
    AdminToken
}
secret! {
    /// What the deployment's mailed codes are derived with.
    CodeKey
}

/// A one-way image of a secret, as the store keeps it: SHA-256 or HMAC-SHA-256, base64url without padding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hashed(String);

impl Hashed {
    /// The hash of a secret that has enough entropy of its own (112 bits or more).
    pub fn of(secret: &[u8]) -> Self {
        Self(URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, secret)))
    }

    /// Whether it can be one: 256 bits in base64url.
    pub fn is_hash(&self) -> bool {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        self.0.len() == 43 && self.0.bytes().all(plain)
    }

    /// As it is kept.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the hash of the presented secret; takes the same time either way.
    pub fn matches(&self, secret: &[u8]) -> bool {
        self.equals(&Self::of(secret))
    }

    /// Compares two hashes in constant time.
    pub fn equals(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Code {
    /// The six decimal digits that belong to a salt, a purpose and an address, each as likely as the others and without the key
    /// not to be told from random ones.
    pub(crate) fn derive(key: &CodeKey, salt: &[u8], purpose: &str, address: &str) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key.0.as_bytes());
        let mut block: u64 = 0;
        loop {
            let mut context = hmac::Context::with_key(&key);
            for part in [&block.to_be_bytes(), salt, purpose.as_bytes(), address.as_bytes()] {
                context.update(&(part.len() as u64).to_be_bytes());
                context.update(part);
            }
            let tag = context.sign();
            let (numbers, _) = tag.as_ref().as_chunks::<4>();
            // Rejection sampling: 4294 × 10^6 is the largest multiple of 10^6 below 2^32.
            if let Some(number) =
                numbers.iter().map(|bytes| u32::from_be_bytes(*bytes)).find(|one| *one < 4_294_000_000)
            {
                return Self(format!("{:06}", number % 1_000_000));
            }
            block += 1;
        }
    }

    /// The stored image of a code, bound to what it was made for. A million guesses would undo
    /// a plain hash, so it is keyed with 128 random bits that stand beside it only while it lives.
    pub(crate) fn hashed(&self, salt: &[u8], purpose: &str, address: &str) -> Hashed {
        let key = hmac::Key::new(hmac::HMAC_SHA256, salt);
        let mut context = hmac::Context::with_key(&key);
        for part in [purpose, address, self.0.trim()] {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part.as_bytes());
        }
        Hashed(URL_SAFE_NO_PAD.encode(context.sign()))
    }
}

impl CodeKey {
    /// A new key of 256 bits.
    pub(crate) fn generate(chance: &dyn Chance) -> anyhow::Result<Self> {
        Ok(Self(URL_SAFE_NO_PAD.encode(chance::bytes::<32>(chance)?)))
    }
}

impl Password {
    /// 256 random bits, told to nobody.
    pub(crate) fn of_nobody(chance: &dyn Chance) -> anyhow::Result<Self> {
        Ok(Self(URL_SAFE_NO_PAD.encode(chance::bytes::<32>(chance)?)))
    }
}

impl AdminToken {
    /// A new token of 256 bits.
    pub fn generate(chance: &dyn Chance) -> anyhow::Result<Self> {
        Ok(Self(format!("pga_{}", URL_SAFE_NO_PAD.encode(chance::bytes::<32>(chance)?))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::SystemChance;

    #[test]
    fn debug_tells_nothing() {
        assert_eq!(format!("{:?}", Password::new("hunter2")), "Password(…)");
        assert_eq!(format!("{:?}", Some(Code::new("123456"))), "Some(Code(…))");
    }

    #[test]
    fn codes_are_six_digits_and_bound_to_their_use() {
        let key = CodeKey::generate(&SystemChance::default()).expect("randomness");
        for salt in 0..200_u32 {
            let code = Code::derive(&key, &salt.to_be_bytes(), "register", "a@b.co");
            assert!(code.reveal().len() == 6 && code.reveal().bytes().all(|b| b.is_ascii_digit()));
        }
        let code = Code::new("123456");
        let image = code.hashed(b"salt", "register", "a@b.co");
        assert!(image.equals(&Code::new(" 123456 ").hashed(b"salt", "register", "a@b.co")));
        assert!(!image.equals(&code.hashed(b"salt", "reset", "a@b.co")));
        assert!(!image.equals(&code.hashed(b"salt", "register", "x@b.co")));
        assert!(!image.equals(&code.hashed(b"other", "register", "a@b.co")));
    }

    #[test]
    fn a_code_is_derived_from_everything_it_is_bound_to() {
        let key = CodeKey::new("one key");
        let derived = |key: &CodeKey, salt: &[u8], purpose: &str, address: &str| {
            Code::derive(key, salt, purpose, address).reveal().to_owned()
        };
        let code = derived(&key, b"salt", "register", "a@b.co");
        // Codes in the store must still be told by the next version.
        assert_eq!(code, "658897");
        for other in [
            derived(&CodeKey::new("another key"), b"salt", "register", "a@b.co"),
            derived(&key, b"salts", "register", "a@b.co"),
            derived(&key, b"salt", "reset", "a@b.co"),
            derived(&key, b"salt", "register", "aa@b.co"),
        ] {
            assert_ne!(code, other);
        }
    }

    #[test]
    fn each_digit_is_as_likely_as_the_others() {
        let key = CodeKey::new("one key");
        let mut seen = [[0_u32; 10]; 6];
        for salt in 0..20_000_u32 {
            let code = Code::derive(&key, &salt.to_be_bytes(), "register", "a@b.co");
            for (place, digit) in code.reveal().bytes().enumerate() {
                seen[place][usize::from(digit - b'0')] += 1;
            }
        }
        // 2,000 of each are expected, and six standard deviations are 255.
        assert!(seen.as_flattened().iter().all(|count| (1_745..=2_255).contains(count)), "{seen:?}");
    }
}
