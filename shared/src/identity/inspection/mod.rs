//! Whether a pool is sound: what must hold among accounts and all that is theirs, whatever was broken off.
//!
//! A [`Sieve`] is shown every record once and tells what is suspect, in little memory. What is suspect is then read
//! again, together, and judged by [`Belongings`]: whoever writes meanwhile makes nothing look broken that isn't.

mod belongings;
mod finding;
mod sieve;

pub use belongings::Belongings;
pub use finding::{Finding, Pass};
pub use sieve::{Record, Sieve, Suspect};

use time::OffsetDateTime;

use super::{ApiToken, PendingSignIn, Session};

/// What the rules look at of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) active: bool,
    pub(super) session_generation: u64,
    pub(super) token_generation: u64,
}

impl From<&super::Account> for Standing {
    fn from(account: &super::Account) -> Self {
        Self {
            active: account.active,
            session_generation: account.session_generation,
            token_generation: account.token_generation,
        }
    }
}

/// What would let somebody in, by its own word, though its account is gone or disabled.
fn is_open_session(session: &Session, account: Option<Standing>, now: OffsetDateTime) -> bool {
    let blocked = account.is_none_or(|account| !account.active && account.session_generation == session.generation);
    blocked && !session.is_over(now)
}

fn is_open_token(token: &ApiToken, account: Option<Standing>, now: OffsetDateTime) -> bool {
    let blocked = account.is_none_or(|account| !account.active && account.token_generation == token.generation);
    blocked && !token.is_over(now)
}

fn is_open_pending(pending: &PendingSignIn, account: Option<Standing>, now: OffsetDateTime) -> bool {
    let blocked = account.is_none_or(|account| !account.active && account.session_generation == pending.generation);
    blocked && now < pending.expires_at
}
