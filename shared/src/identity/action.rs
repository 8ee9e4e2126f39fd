//! The kinds of things that the audit trail tells of.

use serde::{Deserialize, Serialize};

/// What was done. Wherever it has an object, [`AuditEvent::detail`](super::AuditEvent::detail) names it; of
/// what was refused for a secret that was wrong, which: `password` or `code`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The account was made; the detail is its role, unless that is the ordinary one.
    AccountCreated,
    /// An administrator changed something that has no action of its own.
    AccountChanged,
    /// The account was disabled.
    AccountDisabled,
    /// The account was enabled again.
    AccountEnabled,
    /// The account was deleted.
    AccountDeleted,
    /// The role changed; the detail is the new one.
    RoleChanged,
    /// The login name changed.
    NameChanged,
    /// Another primary address, or none.
    EmailChanged,
    /// A further address.
    EmailAdded,
    /// An address was given up.
    EmailRemoved,
    /// An address that the account had claimed was proved.
    EmailProved,
    /// Somebody else proved the address that the account had only claimed: its sessions and API tokens ended.
    EmailLost,
    /// Another password.
    PasswordChanged,
    /// Another password, by a mailed code: all sessions and API tokens ended.
    PasswordReset,
    /// Signing in takes a second factor.
    SecondFactorOn,
    /// Signing in takes no second factor any more.
    SecondFactorOff,
    /// An administrator demands a second factor of the account.
    SecondFactorDemanded,
    /// An administrator demands none of it any more.
    SecondFactorNotDemanded,
    /// Other recovery codes.
    RecoveryCodesRenewed,
    /// A recovery code was used up.
    RecoveryCodeUsed,
    /// Somebody signed in: recorded where it was refused, and else as [`Action::SignedInOnNewDevice`].
    SignedIn,
    /// Somebody signed in on a device that was not known; the detail is the session.
    SignedInOnNewDevice,
    /// A session was ended by its person elsewhere; the detail is the session.
    SessionEnded,
    /// All sessions ended, or all but the one that asked.
    SessionsEnded,
    /// A refresh token was presented that had been replaced long ago, so its session, the detail, was ended.
    RefreshTokenReused,
    /// An API token was made; the detail is its id.
    ApiTokenCreated,
    /// An API token was revoked; the detail is its id.
    ApiTokenRevoked,
    /// Another signing key takes over; the detail is `at_once` where all earlier ones are refused.
    KeysRotated,
    /// A mail came back or was complained about, so no more goes to one of the account's addresses; the detail is which of
    /// both.
    MailStopped,
    /// An administrator let mail go to an address again; about no account where nobody has it.
    MailResumed,
    /// The deployment's settings changed; the detail lists which.
    SettingsChanged,
}
