//! What a password must be that somebody chooses now. Passwords that exist are none of its business.

use std::ops::RangeInclusive;

use ring::digest;

use super::{Password, Problem, canonical, check_length};

/// Which passwords may be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PasswordPolicy {
    /// All of a length that the interface takes.
    #[default]
    ByLength,
    /// Of these, all of at least eight characters that aren't common.
    Strict,
}

/// Characters of a password at least where the policy is strict.
const LEAST: usize = 8;
/// The first bytes of the SHA-256 of each common password of at least [`LEAST`] characters, in lower case and in order:
/// `scripts/common-passwords.py` writes them and says where they are from.
static COMMON: &[u8] = include_bytes!("common_passwords.bin");
const COMMON_BYTES: usize = 6;

impl PasswordPolicy {
    /// Whether this may be chosen, where the interface takes passwords of such lengths.
    pub fn check(self, password: &Password, allowed: &RangeInclusive<usize>) -> Result<(), Problem> {
        match self {
            Self::ByLength => check_length(password.reveal(), allowed),
            Self::Strict => {
                let least = *allowed.start().max(&LEAST);
                check_length(password.reveal(), &(least..=*allowed.end()))?;
                if is_common(password) { Err(Problem::TooCommon) } else { Ok(()) }
            }
        }
    }
}

fn is_common(password: &Password) -> bool {
    let hash = digest::digest(&digest::SHA256, canonical(password.reveal()).as_bytes());
    let (start, (common, _)) = (&hash.as_ref()[..COMMON_BYTES], COMMON.as_chunks::<COMMON_BYTES>());
    common.binary_search_by(|one| one.as_slice().cmp(start)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANY: RangeInclusive<usize> = 6..=20;

    fn check(policy: PasswordPolicy, text: &str) -> Result<(), Problem> {
        policy.check(&Password::new(text), &ANY)
    }

    #[test]
    fn the_list_is_in_order_and_long_enough() {
        let (common, rest) = COMMON.as_chunks::<COMMON_BYTES>();
        assert!(rest.is_empty() && common.len() > 3000, "{} and {} bytes", common.len(), rest.len());
        assert!(common.is_sorted_by(|one, next| one < next), "each once, in order");
    }

    #[test]
    fn strict_refuses_what_is_short_or_common_however_typed() {
        for text in ["password", "PassWord", " password1 ", "12345678", "qwertyuiop", "iloveyou", "ｐａｓｓｗｏｒｄ"]
        {
            assert_eq!(check(PasswordPolicy::Strict, text), Err(Problem::TooCommon), "{text}");
        }
        assert_eq!(check(PasswordPolicy::Strict, "h7$kQ2!"), Err(Problem::TooShort(8)));
        assert_eq!(check(PasswordPolicy::Strict, &"x".repeat(21)), Err(Problem::TooLong(20)));
        for text in ["correct horse", "h7$kQ2!x", "密码很长的一句话", "password-of-alice"] {
            assert_eq!(check(PasswordPolicy::Strict, text), Ok(()), "{text}");
        }
    }

    #[test]
    fn it_never_lowers_what_the_interface_asks_for() {
        let password = Password::new("h7$kQ2!xy");
        assert_eq!(PasswordPolicy::Strict.check(&password, &(12..=20)), Err(Problem::TooShort(12)));
    }

    #[test]
    fn by_length_nothing_else_is_looked_at() {
        assert_eq!(check(PasswordPolicy::ByLength, "password"), Ok(()));
        assert_eq!(check(PasswordPolicy::ByLength, "12345"), Err(Problem::TooShort(6)));
    }
}
