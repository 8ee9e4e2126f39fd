//! What the core asks of a store. One implementation talks to a real table; this file names no technology.
//!
//! Reads that decide are strongly consistent. Writes go through [`Store::commit`]: all of its changes or none,
//! each under its own condition, so that no read-then-write can lose a race.

use std::collections::BTreeSet;

use async_trait::async_trait;
use time::OffsetDateTime;

use super::{
    Account, AccountId, ApiToken, ApiTokenId, AttemptKey, Attempts, AuditEvent, Challenge, ChallengeKey, Change, Claim,
    ClaimKind, CodeKey, Counting, EventId, Hashed, KeptReport, KeyRecord, MailLog, Mailbox, PendingId, PendingSignIn,
    Picture, RefreshChain, Refused, Result, RuntimeSettings, Session, SessionId, Trail, Version,
};

/// An account with the version under which it was read.
#[derive(Debug, Clone)]
pub struct Versioned {
    /// The account.
    pub account: Account,
    /// Its version.
    pub version: Version,
}

/// The deployment's token issuer and signing keys, oldest first, and its key of mailed codes.
#[derive(Debug, Clone, Default)]
pub struct SigningRecord {
    /// The `iss` of every token, once fixed.
    pub issuer: Option<String>,
    /// All keys that are still of use.
    pub keys: Vec<KeyRecord>,
    /// What mailed codes are derived with, once it was made.
    pub code_key: Option<CodeKey>,
}

/// The store of accounts and everything that belongs to them. Errors are
/// [`Error::Unavailable`](super::Error::Unavailable) where trying again helps, else
/// [`Error::Internal`](super::Error::Internal).
#[async_trait]
pub trait Store: Send + Sync {
    /// Applies all changes or none. `Ok(Err(_))` tells which condition failed; transient conflicts between
    /// transactions are tried again inside.
    async fn commit(&self, changes: &[Change<'_>]) -> Result<Result<(), Refused>>;

    /// Who owns these names and addresses; what nobody owns is left out. One round trip.
    async fn claims(&self, keys: &[(ClaimKind, String)]) -> Result<Vec<Claim>>;

    /// The same, and what administrators have set, in the same round trip.
    async fn claims_and_settings(&self, keys: &[(ClaimKind, String)]) -> Result<(Vec<Claim>, RuntimeSettings)>;

    /// What administrators have set.
    async fn runtime_settings(&self) -> Result<RuntimeSettings>;

    /// Who owns these names and addresses, and what was counted of these attempts, in their order. One round trip.
    async fn claims_and_attempts(
        &self,
        names: &[(ClaimKind, String)],
        attempts: &[AttemptKey],
    ) -> Result<(Vec<Claim>, Vec<Option<Attempts>>)>;

    /// An account by its id.
    async fn account(&self, id: AccountId) -> Result<Option<Versioned>>;

    /// The accounts that exist of these ids, in no order.
    async fn accounts(&self, ids: &[AccountId]) -> Result<Vec<Versioned>>;

    /// An account and one of its sessions, in one round trip.
    async fn account_and_session(
        &self,
        account: AccountId,
        session: SessionId,
    ) -> Result<(Option<Versioned>, Option<Session>)>;

    /// An account and one of its API tokens, in one round trip.
    async fn account_and_api_token(
        &self,
        account: AccountId,
        token: ApiTokenId,
    ) -> Result<(Option<Versioned>, Option<ApiToken>)>;

    /// An account and one of its sign-ins that wait for their second factor, in one round trip.
    async fn account_and_pending(
        &self,
        account: AccountId,
        pending: PendingId,
    ) -> Result<(Option<Versioned>, Option<PendingSignIn>)>;

    /// Counts one more attempt, if what it rests on is so. `Err`: it isn't; what is stored now.
    async fn count_attempt(
        &self,
        key: &AttemptKey,
        counting: &Counting,
    ) -> Result<std::result::Result<(), Option<Attempts>>>;

    /// Takes one attempt back, if any is counted.
    async fn take_attempt_back(&self, key: &AttemptKey) -> Result<()>;

    /// Makes a device known until then, with no attempts counted.
    async fn remember_device(&self, device: &AttemptKey, now: OffsetDateTime, until: OffsetDateTime) -> Result<()>;

    /// Forgets the attempts that were counted.
    async fn forget_attempts(&self, key: &AttemptKey) -> Result<()>;

    /// All sessions of an account, in no order, those that are over possibly among them.
    async fn sessions(&self, account: AccountId) -> Result<Vec<Session>>;

    /// All API tokens of an account, oldest first, those that are over possibly among them.
    async fn api_tokens(&self, account: AccountId) -> Result<Vec<ApiToken>>;

    /// Writes down when an API token was used, if it still exists and no later use is known.
    async fn note_use(&self, token: &ApiToken, now: OffsetDateTime) -> Result<()>;

    /// The next account number: unique and rising, with gaps.
    async fn next_account_number(&self) -> Result<u64>;

    /// Moves a session's refresh tokens on, if its live token's hash is still `was`. False: it isn't, or the
    /// session is gone.
    async fn rotate(&self, session: &Session, was: &Hashed, next: &RefreshChain, now: OffsetDateTime) -> Result<bool>;

    /// Ends a session. Ending one that is gone is no error.
    async fn end_session(&self, account: AccountId, session: SessionId) -> Result<()>;

    /// All stored codes of one purpose and subject, expired ones possibly among them.
    async fn challenges(&self, key: &ChallengeKey) -> Result<Vec<Challenge>>;

    /// Counts one more guess at a code, if fewer than `most` were counted and it is still this code. False: not.
    async fn reserve_guess(&self, challenge: &Challenge, most: u32) -> Result<bool>;

    /// What was mailed to an address of late.
    async fn mail_log(&self, address_key: &str) -> Result<MailLog>;

    /// The same, and the mark that keeps mail away. One round trip.
    async fn mailbox(&self, address_key: &str) -> Result<Mailbox>;

    /// The report that is remembered by this key, one that is past its time possibly too.
    async fn kept_report(&self, key: &Hashed) -> Result<Option<KeptReport>>;

    /// The picture of the account of this number.
    async fn picture(&self, number: u64) -> Result<Option<Picture>>;

    /// Issuer and signing keys. One round trip.
    async fn signing_record(&self) -> Result<SigningRecord>;

    /// Keeps the key of mailed codes, unless there is one. False: there was.
    async fn add_code_key(&self, key: &CodeKey) -> Result<bool>;

    /// Fixes the issuer, unless it is fixed. False: it was.
    async fn fix_issuer(&self, issuer: &str) -> Result<bool>;

    /// The hash of the administrator token, where the deployment has one.
    async fn admin_token(&self) -> Result<Option<Hashed>>;

    /// Sets the hash of the administrator token.
    async fn set_admin_token(&self, hashed: &Hashed) -> Result<()>;

    /// Whether the first administrator was ever made.
    async fn first_administrator_was_made(&self) -> Result<bool>;

    /// Accounts in order of their number, from the one after `after`, at most `limit` of them. May lag behind
    /// by moments.
    async fn list_accounts(&self, after: u64, limit: u32) -> Result<Vec<Account>>;

    /// The accounts that own a name or an address that begins so; no beginning may be empty. `None`: more than
    /// `most` names, or as many addresses, begin so. May lag behind by moments.
    async fn owners_of_beginnings(
        &self,
        beginnings: &[(ClaimKind, String)],
        most: usize,
    ) -> Result<Option<BTreeSet<AccountId>>>;

    /// Events older than `before`, newest first, at most `limit` of them; of all events those of the last moments may be
    /// missing.
    async fn events(&self, trail: Trail, before: Option<EventId>, limit: u32) -> Result<Vec<AuditEvent>>;

    /// How many accounts there are.
    async fn count_accounts(&self) -> Result<u64>;
}
