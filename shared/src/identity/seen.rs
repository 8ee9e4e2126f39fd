//! Access tokens that a key was found to have signed: presented again, they cost a hash and no arithmetic on curves.

use std::collections::HashMap;
use std::mem::take;
use std::sync::{Mutex, PoisonError};

use ring::digest::{SHA256, digest};

use super::{AccessToken, AccountId, SessionId};

/// How many tokens a generation has; there are two, of some 50 kB each.
const GENERATION: usize = 512;

/// What a token says whose signature, type, issuer and audience are right. Whether it is over is looked at each time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Verified {
    pub(super) account: AccountId,
    pub(super) session: SessionId,
    /// Seconds since the epoch.
    pub(super) expires_at: i64,
}

/// The tokens that one key verified lately. They belong to the key as it was read, so that they go when the keys are
/// read anew, and count for nothing where the key is refused. Tokens are kept as hashes.
#[derive(Default)]
pub(super) struct SeenTokens(Mutex<Generations>);

/// What the young ones have no place for makes them the old ones, and those go that nobody presented meanwhile.
#[derive(Default)]
struct Generations {
    young: HashMap<[u8; 32], Verified>,
    old: HashMap<[u8; 32], Verified>,
}

impl SeenTokens {
    /// What `verify` says of a token, unless that was asked before. What it refuses is not remembered.
    pub(super) fn or_verify(&self, token: &AccessToken, verify: impl FnOnce() -> Option<Verified>) -> Option<Verified> {
        let hash = hash(token);
        if let Some(known) = self.find(&hash) {
            return Some(known);
        }
        let verified = verify()?;
        self.change(|seen| seen.keep(hash, verified));
        Some(verified)
    }

    fn find(&self, hash: &[u8; 32]) -> Option<Verified> {
        self.change(|seen| {
            if let Some(known) = seen.young.get(hash) {
                return Some(*known);
            }
            let known = seen.old.remove(hash)?;
            seen.keep(*hash, known);
            Some(known)
        })
    }

    fn change<T>(&self, change: impl FnOnce(&mut Generations) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Generations {
    fn keep(&mut self, hash: [u8; 32], verified: Verified) {
        if self.young.len() >= GENERATION {
            self.old = take(&mut self.young);
        }
        self.young.insert(hash, verified);
    }
}

fn hash(token: &AccessToken) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, token.reveal().as_bytes()).as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(number: usize) -> AccessToken {
        AccessToken::new(format!("token {number}"))
    }

    fn verified(number: usize) -> Verified {
        let (account, session) = (AccountId(uuid::Uuid::nil()), SessionId(uuid::Uuid::nil()));
        Verified { account, session, expires_at: number as i64 }
    }

    /// Whether the token had to be verified.
    fn is_new(seen: &SeenTokens, number: usize) -> bool {
        let mut asked = false;
        let said = seen.or_verify(&token(number), || {
            asked = true;
            Some(verified(number))
        });
        assert_eq!(said, Some(verified(number)), "each has its own");
        asked
    }

    #[test]
    fn a_token_is_verified_once() {
        let seen = SeenTokens::default();
        assert!(is_new(&seen, 1) && is_new(&seen, 2));
        assert!(!is_new(&seen, 1) && !is_new(&seen, 2));
    }

    #[test]
    fn what_was_refused_is_asked_again() {
        let seen = SeenTokens::default();
        assert_eq!(seen.or_verify(&token(1), || None), None);
        assert!(is_new(&seen, 1));
    }

    #[test]
    fn there_is_an_end_to_what_is_remembered_and_who_comes_back_stays() {
        let seen = SeenTokens::default();
        for number in 0..10 * GENERATION {
            assert!(is_new(&seen, 1_000_000 + number));
            // Somebody who comes back all the time.
            assert_eq!(is_new(&seen, 0), number == 0);
        }
        let kept = seen.change(|seen| seen.young.len() + seen.old.len());
        assert!(kept <= 2 * GENERATION, "{kept}");
        assert!(is_new(&seen, 1_000_000), "the first one is long gone");
    }
}
