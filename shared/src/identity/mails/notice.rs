//! What people are told after something happened to their account.

use serde::{Deserialize, Serialize};

/// What a notice tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Notice {
    /// Somebody signed in on a device that was not known.
    NewDevice,
    /// Another login name.
    NameChanged,
    /// The person chose another password.
    PasswordChanged,
    /// The password was reset by a mailed code.
    PasswordReset,
    /// An administrator set another password.
    PasswordSet,
    /// Another primary address, or none.
    EmailChanged,
    /// A further address.
    EmailAdded,
    /// An address was given up.
    EmailRemoved,
    /// Signing in takes a second factor.
    SecondFactorOn,
    /// Signing in takes no second factor any more.
    SecondFactorOff,
    /// Other recovery codes.
    RecoveryCodesRenewed,
    /// An API token was made.
    ApiTokenCreated,
}

impl Notice {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::NewDevice,
        Self::NameChanged,
        Self::PasswordChanged,
        Self::PasswordReset,
        Self::PasswordSet,
        Self::EmailChanged,
        Self::EmailAdded,
        Self::EmailRemoved,
        Self::SecondFactorOn,
        Self::SecondFactorOff,
        Self::RecoveryCodesRenewed,
        Self::ApiTokenCreated,
    ];

    /// A stable word for tags and for the names of templates.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NewDevice => "new_device",
            Self::NameChanged => "name_changed",
            Self::PasswordChanged => "password_changed",
            Self::PasswordReset => "password_reset",
            Self::PasswordSet => "password_set",
            Self::EmailChanged => "email_changed",
            Self::EmailAdded => "email_added",
            Self::EmailRemoved => "email_removed",
            Self::SecondFactorOn => "second_factor_on",
            Self::SecondFactorOff => "second_factor_off",
            Self::RecoveryCodesRenewed => "recovery_codes_renewed",
            Self::ApiTokenCreated => "api_token_created",
        }
    }
}
