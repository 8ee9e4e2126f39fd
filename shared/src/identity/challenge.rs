//! Mailed codes: what they are bound to, how they come about and how often they may be guessed at.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::chance::{self, Chance};
use super::{AccountId, Code, CodeKey, EmailAddress, Hashed, Language, Name, Notice, PasswordHash};

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
    /// No code: the person is told what happened to their account.
    Notice(Notice),
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
            Self::Notice(notice) => notice.as_str(),
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
    /// The language that was asked for, if any was.
    #[serde(default)]
    pub language: Option<Language>,
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
    /// Random: with the deployment's key it gives the code, and it keys the hash.
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
    /// Whether it keeps neither its code nor a password.
    pub(super) fn is_hashed(&self) -> bool {
        self.code.is_hash() && self.pending.as_ref().is_none_or(|pending| pending.password.is_hash())
    }

    /// Makes a code and what is stored of it.
    pub(crate) fn issue(
        subject: Subject,
        address: EmailAddress,
        now: OffsetDateTime,
        key_of_codes: &CodeKey,
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
        let salt = URL_SAFE_NO_PAD.encode(chance::bytes::<16>(chance)?);
        let code = Code::derive(key_of_codes, salt.as_bytes(), key.purpose.as_str(), &address.key());
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

    /// The code itself, to be mailed again; `None` where this key doesn't give it.
    pub(crate) fn code_by(&self, key: &CodeKey) -> Option<Code> {
        let code = Code::derive(key, self.salt.as_bytes(), self.key.purpose.as_str(), &self.address.key());
        self.is(&code).then_some(code)
    }

    /// Whether it was asked for with these words.
    pub(crate) fn asks_for(&self, name: &Name, address: &EmailAddress, display_name: &str) -> bool {
        let same = |pending: &PendingAccount| pending.name == *name && pending.display_name == display_name;
        self.address == *address && self.pending.as_ref().is_some_and(same)
    }

    /// Whether a mail may tell it once more.
    pub(crate) fn may_be_mailed_again(&self, now: OffsetDateTime) -> bool {
        self.is_open(now) && self.used_by.is_none()
    }

    /// The same code, good for as long as a new one. Guesses that were made still count.
    pub(crate) fn prolonged(&self, now: OffsetDateTime) -> Self {
        Self { expires_at: now + CODE_LIFE, ..self.clone() }
    }

    /// Whether a guess at it may still be made.
    pub(crate) fn is_open(&self, now: OffsetDateTime) -> bool {
        now < self.expires_at && self.guesses < MOST_GUESSES
    }

    /// Compares in constant time, and says that it did to whoever asked the log for `debug`. Count the guess first.
    pub(crate) fn matches(&self, guess: &Code) -> bool {
        tracing::debug!(purpose = self.key.purpose.as_str(), "a mailed code is compared");
        self.is(guess)
    }

    fn is(&self, code: &Code) -> bool {
        let presented = code.hashed(self.salt.as_bytes(), self.key.purpose.as_str(), &self.address.key());
        self.code.equals(&presented)
    }
}
