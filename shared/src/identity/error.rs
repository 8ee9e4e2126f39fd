//! The outcomes that are not success; each contract spells them its own way.

use std::borrow::Cow;
use std::time::Duration;

use super::Problem;

/// What the core answers instead of a result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that can go otherwise than asked. Refusals are variants of their own;
/// accidents are [`Error::Unavailable`] where trying again helps and [`Error::Internal`] where it doesn't.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Fields of the request are missing or out of range.
    #[error("invalid input: {0:?}")]
    Invalid(Vec<Violation>),
    /// Unknown name, or wrong password: which of them is not told.
    #[error("wrong name or password")]
    WrongCredentials,
    /// The right password of an account that an administrator has disabled.
    #[error("account disabled")]
    AccountDisabled,
    /// The request needs a signed-in person and carries no token.
    #[error("no access token")]
    TokenMissing,
    /// Not a token of ours, altered, or past its time.
    #[error("token invalid or expired")]
    TokenInvalid,
    /// A token of ours whose session is over.
    #[error("session ended")]
    SessionEnded,
    /// Nothing else is open to this account before it has chosen its own password.
    #[error("password must be changed first")]
    PasswordChangeRequired,
    /// The account must have a second factor: nothing else is open before it has one, and it can't be turned off.
    #[error("second factor required")]
    SecondFactorRequired,
    /// The account chose its own password long ago.
    #[error("password already chosen")]
    PasswordAlreadyChosen,
    /// An API token asks for what takes the person's own session.
    #[error("an API token may not do this")]
    ScopeMissing,
    /// Only administrators may do this.
    #[error("not an administrator")]
    NotAdministrator,
    /// The deployment takes no new accounts.
    #[error("registration closed")]
    RegistrationClosed,
    /// Another account has the name.
    #[error("name taken")]
    NameTaken,
    /// Another account has the e-mail address.
    #[error("e-mail taken")]
    EmailTaken,
    /// Afterwards there would be no active administrator.
    #[error("last active administrator")]
    LastAdministrator,
    /// The account has as many of these as it may have.
    #[error("limit reached")]
    LimitReached,
    /// The account's primary address can't be removed.
    #[error("the primary address")]
    PrimaryAddress,
    /// The address is the account's login name too, so it can't be given up.
    #[error("the address is the login name")]
    AddressIsName,
    /// An account that a list of changes names doesn't exist; holds the name or id.
    #[error("unknown account")]
    UnknownAccount(String),
    /// A counter would leave its bounds.
    #[error("counter out of bounds")]
    CounterOutOfBounds {
        /// Whose: its login name.
        account: String,
        /// Which, as applications spell it.
        counter: &'static str,
    },
    /// A key that makes repetitions harmless was used for something else.
    #[error("idempotency key reused")]
    KeyReused,
    /// A search finds more than is looked through; the beginning of a longer text finds fewer.
    #[error("too many matches")]
    TooManyMatches,
    /// The current password that a change asks for is not the account's.
    #[error("current password wrong")]
    CurrentPasswordWrong,
    /// The password is right, and the account has a second factor of which no code was given.
    #[error("second factor needed")]
    SecondFactorNeeded,
    /// The code is none of the account's second factor, or was taken before.
    #[error("second factor wrong")]
    SecondFactorWrong,
    /// The account has a second factor already.
    #[error("second factor already on")]
    SecondFactorAlreadyOn,
    /// The account has no second factor to use, or none that waits to be turned on.
    #[error("second factor not set up")]
    SecondFactorNotSetUp,
    /// The mailed code is wrong, used up or expired: which of them is not told.
    #[error("code wrong, used up or expired")]
    CodeWrong,
    /// Mail to the address came back or is unwanted, so none is sent there.
    #[error("undeliverable address")]
    Undeliverable,
    /// The bytes are no whole picture.
    #[error("picture unreadable")]
    PictureUnreadable,
    /// More pixels than are decoded.
    #[error("picture too large")]
    PictureTooLarge,
    /// Not one of the kinds of picture that are read.
    #[error("picture type unsupported")]
    PictureTypeUnsupported,
    /// There is no such thing.
    #[error("not found")]
    NotFound,
    /// Asked for too often.
    #[error("too many requests")]
    TooManyRequests {
        /// When to try again.
        retry_after: Duration,
        /// How often it may be asked for without a wait.
        limit: u32,
    },
    /// The store or the mail service can't be reached or is overloaded.
    #[error("unavailable: {cause:#}")]
    Unavailable {
        /// When to try again.
        retry_after: Duration,
        /// What happened, for the log.
        cause: anyhow::Error,
    },
    /// A fault of ours.
    #[error("internal: {0:#}")]
    Internal(#[from] anyhow::Error),
}

impl Error {
    /// Whether something went wrong on our side, as against a request that is refused.
    pub fn is_accident(&self) -> bool {
        matches!(self, Self::Internal(_) | Self::Unavailable { .. })
    }
}

/// One field of a request that is not acceptable.
#[derive(Debug, Clone, PartialEq)]
pub struct Violation {
    /// The field as the caller spells it, e.g. `email`, or `changes[2].add.photos` in a list.
    pub field: Cow<'static, str>,
    /// What is wrong with it.
    pub problem: Problem,
    /// What was sent, where it may be told again (never for secrets).
    pub value: Option<serde_json::Value>,
}
