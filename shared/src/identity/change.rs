//! What a transaction can change, each under its own condition, and why one is refused.

use time::OffsetDateTime;

use super::{
    Account, AccountId, ApiToken, ApiTokenId, AuditEvent, Challenge, Counts, KeptReport, KeyRecord, MailLog, MailMark,
    PendingId, PendingSignIn, Picture, RuntimeSettings, Session, SessionId,
};

/// What owns a name or an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ClaimKind {
    /// A login name.
    Name,
    /// An e-mail address, primary or secondary.
    Email,
}

/// The ownership of one name or address by one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Name or address.
    pub kind: ClaimKind,
    /// Its canonical form.
    pub key: String,
    /// The owner.
    pub account: AccountId,
    /// Whether the owner has proved it; names always are.
    pub verified: bool,
}

/// One change of a transaction, with the condition under which it applies.
#[derive(Debug)]
pub enum Change<'a> {
    /// A new account; counts in the total. Condition: its id is new.
    CreateAccount(&'a Account),
    /// The account's new state. Condition: the stored version is `was`; the write stores `was + 1`.
    UpdateAccount {
        /// The state to store.
        account: &'a Account,
        /// The version that was read.
        was: Version,
    },
    /// Removes an account; the total counts it no more. Condition: the stored version is `was`.
    DeleteAccount {
        /// Which.
        account: AccountId,
        /// The version that was read.
        was: Version,
    },
    /// Counts an account among the active administrators. No condition: once or twice is the same.
    JoinAdministrators(AccountId),
    /// Counts an account among the active administrators no more. Condition: it isn't the only one.
    LeaveAdministrators(AccountId),
    /// Takes a name or address. Condition: nobody has it, or the same account has it already.
    TakeClaim(Claim),
    /// Takes an address from an account that never proved it. Condition: that is still so.
    TakeOverClaim {
        /// The claim to store, verified.
        claim: Claim,
        /// The account that loses it.
        from: AccountId,
    },
    /// Gives a name or address free. Condition: the account has it.
    ReleaseClaim(Claim),
    /// A new session. No condition: its id is 122 random bits.
    OpenSession(&'a Session),
    /// A sign-in that waits for its second factor. No condition: its id is random.
    OpenPending(&'a PendingSignIn),
    /// Ends the waiting of a sign-in. Condition: it waits.
    UsePending {
        /// Whose.
        account: AccountId,
        /// Which.
        pending: PendingId,
    },
    /// Carries a session over into the account's new generation. Condition: it exists and is of the old one.
    KeepSession {
        /// Whose session.
        account: AccountId,
        /// Which session.
        session: SessionId,
        /// The account's generation so far.
        from: u64,
        /// The account's new generation.
        generation: u64,
    },
    /// Ends a session. No condition: one that is gone is gone.
    EndSession {
        /// Whose.
        account: AccountId,
        /// Which.
        session: SessionId,
    },
    /// A new API token. No condition: its id is random.
    AddApiToken(&'a ApiToken),
    /// Removes an API token. No condition: one that is gone is gone.
    DropApiToken {
        /// Whose.
        account: AccountId,
        /// Which.
        token: ApiTokenId,
    },
    /// Stores a code that is about to be mailed, in place of an earlier one for the same key.
    IssueChallenge(&'a Challenge),
    /// Makes a code that is mailed again good until the instant that it now has. Condition: it is the stored one, unused and
    /// with a guess left. Guesses stay counted.
    ProlongChallenge(&'a Challenge),
    /// Removes a code that nobody got. Condition: it is the stored one.
    DropChallenge(&'a Challenge),
    /// Uses a code up. Condition: it is the stored one and unused. It stays until it expires, so that a
    /// repeated request can be told what it did.
    UseChallenge {
        /// The code as it was read.
        challenge: &'a Challenge,
        /// The account that came of it.
        account: AccountId,
    },
    /// Remembers that a mail goes out. Condition: the log's stored version is `was` (0: there is none).
    RecordMail {
        /// The log to store.
        log: &'a MailLog,
        /// The version that was read.
        was: u64,
    },
    /// Marks an address that mail can't go to. Condition: no mark there is as strong or as late.
    MarkMail(&'a MailMark),
    /// Lets mail go to an address again. No condition: a mark that is gone is gone.
    LiftMailMark {
        /// The address's canonical form.
        address_key: String,
    },
    /// Keeps a picture in place of an earlier one. No condition: it goes along with the account that names it.
    KeepPicture {
        /// The account's number.
        number: u64,
        /// The picture.
        picture: Picture,
    },
    /// Throws a picture away. No condition, as above.
    DropPicture {
        /// The account's number.
        number: u64,
    },
    /// Changes an account's counters where they are, and raises its version. Condition: it exists, and what comes of
    /// it is within each counter's bounds. Takes effect once however often the request is sent on its way.
    Count {
        /// Whose counters.
        account: AccountId,
        /// What becomes of them.
        counts: &'a Counts,
    },
    /// Remembers a report by its key. Condition: none is known by it.
    KeepReport {
        /// The report.
        report: &'a KeptReport,
        /// The present instant.
        now: OffsetDateTime,
    },
    /// Stores what administrators set. Condition: the stored version is `was` (0: there is none).
    ChangeSettings {
        /// The settings to store.
        settings: &'a RuntimeSettings,
        /// The version that was read.
        was: u64,
    },
    /// Adds a signing key under its sequence number. Condition: that number is not taken.
    AddSigningKey(&'a KeyRecord),
    /// Throws a signing key away. No condition: one that is gone is gone.
    DropSigningKey(u64),
    /// Writes down what the other changes of the transaction mean. No condition: its id is random.
    RecordEvent(Box<AuditEvent>),
    /// Writes nothing. Condition: the account's stored version is `was`, or there is none.
    Witness {
        /// Whose.
        account: AccountId,
        /// The version that was read.
        was: Option<Version>,
    },
    /// Makes sure that the first administrator is made only once. Condition: it never was.
    MarkFirstAdministrator,
}

/// Counts the writes to an account; every write raises it, so that a stale one can be refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version(pub u64);

/// Why a transaction was refused as a whole.
#[derive(Debug)]
pub enum Refused {
    /// Another account has the name.
    NameTaken,
    /// Another account has the address.
    EmailTaken,
    /// The account is the only active administrator.
    LastAdministrator,
    /// Something changed between reading and writing: read again and decide again.
    Stale,
}
