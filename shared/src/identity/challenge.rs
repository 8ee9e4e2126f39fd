//! Mailed codes: what they are bound to, how often they may be guessed at and how often mailed.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::Error;
use super::chance::{self, Chance};
use super::{AccountId, Code, EmailAddress, Hashed, Name, PasswordHash, Result};

/// How long a code is good.
pub const CODE_LIFE: Duration = Duration::from_secs(600);
/// How many guesses a code bears, right ones included.
pub const MOST_GUESSES: u32 = 5;

/// What a code proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// That a new account's address reaches its maker.
    Register,
    /// That somebody who forgot the password reads the account's mail.
    ResetPassword,
    /// That an account's further address reaches its holder.
    SecondaryEmail,
    /// That an account's new primary address reaches its holder.
    ChangeEmail,
    /// No code: the owner of an address is told that somebody tried to register with it.
    AlreadyRegistered,
    /// No code: the owner of an address is told that another account asked to have it.
    AddressInUse,
}

impl Purpose {
    /// A stable word for keys and tags.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Register => "register",
            Self::ResetPassword => "reset_password",
            Self::SecondaryEmail => "secondary_email",
            Self::ChangeEmail => "change_email",
            Self::AlreadyRegistered => "already_registered",
            Self::AddressInUse => "address_in_use",
        }
    }
}

/// Where codes are found: by purpose and subject (a name's canonical form, or an account's id).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChallengeKey {
    /// What the codes prove.
    pub purpose: Purpose,
    /// About whom.
    pub subject: String,
}

/// An account that exists once its code comes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingAccount {
    /// Login name.
    pub name: Name,
    /// Hash of the chosen password.
    pub password: PasswordHash,
    /// Display name.
    pub display_name: String,
}

/// What a code is about.
#[derive(Debug)]
pub(crate) enum Subject {
    /// An account that doesn't exist yet.
    Registration(Purpose, Box<PendingAccount>),
    /// An account of this generation.
    Account { purpose: Purpose, account: AccountId, generation: u64 },
}

/// One code that was mailed to one address. At most one is in play per key and address, except that each request for
/// a registration has its own: a code must not make the account that a later request, perhaps a stranger's, described.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Challenge {
    /// Where it is found.
    #[serde(flatten)]
    pub key: ChallengeKey,
    /// Where it was mailed.
    pub address: EmailAddress,
    /// Tells it from others for the same key and address, where those may stand beside it.
    pub request: Option<String>,
    /// The account's [`session_generation`](super::Account::session_generation) when it was made: a new password in
    /// the meantime ends it, as it ends sessions.
    pub generation: Option<u64>,
    /// Keys the hash.
    salt: String,
    /// Hash of the code.
    pub code: Hashed,
    /// Guesses counted so far.
    pub guesses: u32,
    /// When it stops being good.
    #[serde(with = "time::serde::timestamp")]
    pub expires_at: OffsetDateTime,
    /// The account that came of using it.
    pub used_by: Option<AccountId>,
    /// What is created by using it.
    pub pending: Option<PendingAccount>,
}

impl Challenge {
    /// Makes a code and what is stored of it.
    pub(crate) fn issue(
        subject: Subject,
        address: EmailAddress,
        now: OffsetDateTime,
        chance: &dyn Chance,
    ) -> anyhow::Result<(Self, Code)> {
        let (key, request, generation, pending) = match subject {
            Subject::Registration(purpose, pending) => {
                let request = URL_SAFE_NO_PAD.encode(chance::bytes::<16>(chance)?);
                let key = ChallengeKey { purpose, subject: pending.name.key() };
                (key, Some(request), None, Some(*pending))
            }
            Subject::Account { purpose, account, generation } => {
                (ChallengeKey { purpose, subject: account.to_string() }, None, Some(generation), None)
            }
        };
        let code = Code::generate(chance)?;
        let salt = URL_SAFE_NO_PAD.encode(chance::bytes::<16>(chance)?);
        let hashed = code.hashed(salt.as_bytes(), key.purpose.as_str(), &address.key());
        let expires_at = now + CODE_LIFE;
        let challenge = Self {
            key,
            address,
            request,
            generation,
            salt,
            code: hashed,
            guesses: 0,
            expires_at,
            used_by: None,
            pending,
        };
        Ok((challenge, code))
    }

    /// Whether a guess at it may still be made.
    pub(crate) fn is_open(&self, now: OffsetDateTime) -> bool {
        now < self.expires_at && self.guesses < MOST_GUESSES
    }

    /// Compares in constant time. Count the guess first.
    pub(crate) fn matches(&self, guess: &Code) -> bool {
        let presented = guess.hashed(self.salt.as_bytes(), self.key.purpose.as_str(), &self.address.key());
        self.code.equals(&presented)
    }
}

const HOUR: Duration = Duration::from_secs(3600);
pub(super) const GAP: Duration = Duration::from_secs(60);
const MOST_PER_PURPOSE: u32 = 5;
const MOST_IN_ALL: u32 = 10;

/// One mail that went to an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailEntry {
    /// What for.
    pub purpose: Purpose,
    /// When.
    #[serde(with = "super::millis")]
    pub at: OffsetDateTime,
}

/// The last hour's mails to one address: one a minute and five an hour for each purpose, ten an hour in all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailLog {
    /// The address's canonical form.
    pub address_key: String,
    /// Mails, oldest first.
    pub entries: Vec<MailEntry>,
    /// Counts the writes.
    pub version: u64,
}

impl MailLog {
    /// An address that was never mailed.
    pub fn empty(address_key: &str) -> Self {
        Self { address_key: address_key.to_owned(), entries: Vec::new(), version: 0 }
    }

    /// The log with one more mail in it, or how long to wait before it may be sent.
    pub(crate) fn with_mail(&self, purpose: Purpose, now: OffsetDateTime) -> Result<Self> {
        let mut entries: Vec<_> = self.entries.iter().copied().filter(|entry| now < entry.at + HOUR).collect();
        let same: Vec<_> = entries.iter().copied().filter(|entry| entry.purpose == purpose).collect();
        let oldest_of = |most: u32, mails: &[MailEntry]| {
            let nth = mails.len().checked_sub(most as usize)?;
            mails.get(nth).map(|entry| (entry.at + HOUR, most))
        };
        let waits = [
            same.last().map(|last| (last.at + GAP, 1)),
            oldest_of(MOST_PER_PURPOSE, &same),
            oldest_of(MOST_IN_ALL, &entries),
        ];
        if let Some((free, limit)) = waits.into_iter().flatten().max().filter(|(free, _)| *free > now) {
            return Err(Error::TooManyRequests { retry_after: (free - now).unsigned_abs(), limit });
        }
        entries.push(MailEntry { purpose, at: now });
        Ok(Self { address_key: self.address_key.clone(), entries, version: self.version + 1 })
    }

    /// The log without its newest mail, which could not be sent.
    pub(crate) fn without_last(mut self) -> Self {
        self.entries.pop();
        self.version += 1;
        self
    }

    /// When nothing in it matters any more.
    pub fn expires_at(&self) -> Option<OffsetDateTime> {
        self.entries.last().map(|last| last.at + HOUR)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    const NOON: OffsetDateTime = datetime!(2026-01-01 12:00 UTC);

    fn wait(log: &MailLog, purpose: Purpose, now: OffsetDateTime) -> Option<u64> {
        match log.with_mail(purpose, now) {
            Err(Error::TooManyRequests { retry_after, .. }) => Some(retry_after.as_secs()),
            other => {
                other.expect("only a wait refuses a mail");
                None
            }
        }
    }

    #[test]
    fn one_a_minute_and_five_an_hour() {
        let mut log = MailLog::empty("a@b.co");
        for minute in 0..5 {
            let now = NOON + GAP * minute;
            log = log.with_mail(Purpose::Register, now).expect("a mail a minute");
            assert_eq!(
                wait(&log, Purpose::Register, now + Duration::from_secs(20)),
                Some(if minute < 4 { 40 } else { 3340 })
            );
        }
        assert_eq!(wait(&log, Purpose::Register, NOON + GAP * 5), Some(3300));
        assert_eq!(wait(&log, Purpose::ResetPassword, NOON + GAP * 5), None, "another purpose has its own five");
        assert_eq!(wait(&log, Purpose::Register, NOON + HOUR), None);
    }

    #[test]
    fn ten_an_hour_in_all() {
        let mut log = MailLog::empty("a@b.co");
        for minute in 0..10 {
            let purpose = if minute % 2 == 0 { Purpose::Register } else { Purpose::ResetPassword };
            log = log.with_mail(purpose, NOON + GAP * minute).expect("five of each");
        }
        assert_eq!(wait(&log, Purpose::AlreadyRegistered, NOON + GAP * 10), Some(3000));
        assert_eq!(wait(&log.without_last(), Purpose::AlreadyRegistered, NOON + GAP * 10), None);
    }
}
