//! What is said to people, in each language. Keys are an enum, so that the compiler finds a missing text.

mod en;
#[cfg(test)]
mod tests;
mod zh;

use crate::http::Failure;
use crate::identity::{Error, Language, Problem, Violation};

/// Everything that can be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Text {
    /// The input is not acceptable.
    InvalidInput,
    /// The body is not a JSON object.
    MalformedBody,
    /// Unknown name or wrong password.
    WrongCredentials,
    /// The account is disabled.
    AccountDisabled,
    /// A token is needed.
    TokenMissing,
    /// The token is invalid or expired.
    TokenInvalid,
    /// The session is over.
    SessionEnded,
    /// The password must be changed first.
    PasswordChangeRequired,
    /// The account must have a second factor.
    SecondFactorRequired,
    /// The password was chosen already.
    PasswordAlreadyChosen,
    /// Not by an API token.
    ScopeMissing,
    /// Administrators only.
    NotAdministrator,
    /// Registration is closed.
    RegistrationClosed,
    /// The name is taken.
    NameTaken,
    /// The address is taken.
    EmailTaken,
    /// There would be no active administrator.
    LastAdministrator,
    /// As many as the account may have.
    LimitReached,
    /// The primary address stays.
    PrimaryAddress,
    /// The address is the login name.
    AddressIsName,
    /// A named account doesn't exist.
    UnknownAccount,
    /// A counter would leave its bounds.
    CounterOutOfBounds,
    /// The key was used for another request.
    KeyReused,
    /// A search finds too many.
    TooManyMatches,
    /// The current password is wrong.
    CurrentPasswordWrong,
    /// The old password is wrong, in zeaya's words.
    OldPasswordWrong,
    /// A code of the second factor is needed.
    SecondFactorNeeded,
    /// The code of the second factor is wrong or was used.
    SecondFactorWrong,
    /// The second factor is on already.
    SecondFactorAlreadyOn,
    /// There is no second factor to use.
    SecondFactorNotSetUp,
    /// The code is wrong, used or expired.
    CodeWrong,
    /// Mail can't go to the address.
    Undeliverable,
    /// Mail to one of the person's addresses came back.
    MailBounced,
    /// Mail to one of the person's addresses was complained about.
    MailUnwanted,
    /// There is no such thing.
    NotFound,
    /// There is no such path.
    UnknownPath,
    /// The path has no such method.
    MethodNotAllowed,
    /// The body is too large.
    BodyTooLarge,
    /// The body's media type is not supported.
    UnsupportedMediaType,
    /// The form can't be taken apart.
    MalformedForm,
    /// A form is needed.
    NotAForm,
    /// The picture can't be read.
    PictureUnreadable,
    /// The picture has too many pixels.
    PictureTooLarge,
    /// The kind of picture is not supported.
    PictureTypeUnsupported,
    /// Pages of that origin may not do this.
    OriginNotAllowed,
    /// Too many requests.
    TooManyRequests,
    /// Temporarily unavailable.
    Unavailable,
    /// A fault of ours.
    Internal,
    /// Registered.
    Registered,
    /// Signed in.
    SignedIn,
    /// Signed out.
    SignedOut,
    /// Updated.
    Updated,
    /// Uploaded.
    Uploaded,
    /// Password changed, in zeaya's words.
    PasswordChanged,
    /// Password changed, in mcphub's words.
    PasswordUpdated,
}

/// A text in a language.
pub(crate) fn text(key: Text, language: Language) -> &'static str {
    match language {
        Language::Chinese => zh::text(key),
        Language::English => en::text(key),
    }
}

/// What is wrong with a field.
pub(crate) fn problem(problem: &Problem, language: Language) -> String {
    match language {
        Language::Chinese => zh::problem(problem),
        Language::English => en::problem(problem),
    }
}

/// What is said of a failure as a whole.
pub(crate) fn of(failure: &Failure, language: Language) -> String {
    match failure {
        Failure::Core(Error::Invalid(violations)) => of_violations(violations, language),
        Failure::Core(error @ Error::UnknownAccount(named)) => {
            format!("{}: {named}", text(key_of_error(error), language))
        }
        Failure::Core(error @ Error::CounterOutOfBounds { account, counter }) => {
            format!("{}: {account}, {counter}", text(key_of_error(error), language))
        }
        other => text(key(other), language).to_owned(),
    }
}

/// Names the fields, for contracts whose errors are one text.
fn of_violations(violations: &[Violation], language: Language) -> String {
    let fields: Vec<_> =
        violations.iter().map(|found| format!("{}: {}", found.field, problem(&found.problem, language))).collect();
    let separator = match language {
        Language::Chinese => "；",
        Language::English => "; ",
    };
    fields.join(separator)
}

fn key(failure: &Failure) -> Text {
    match failure {
        Failure::Core(error) => key_of_error(error),
        Failure::MalformedBody => Text::MalformedBody,
        Failure::UnknownPath => Text::UnknownPath,
        Failure::MethodNotAllowed => Text::MethodNotAllowed,
        Failure::BodyTooLarge => Text::BodyTooLarge,
        Failure::UnsupportedMediaType => Text::UnsupportedMediaType,
        Failure::MalformedForm => Text::MalformedForm,
        Failure::NotAForm => Text::NotAForm,
        Failure::OriginNotAllowed => Text::OriginNotAllowed,
        Failure::Panicked => Text::Internal,
    }
}

fn key_of_error(error: &Error) -> Text {
    match error {
        Error::Invalid(_) => Text::InvalidInput,
        Error::WrongCredentials => Text::WrongCredentials,
        Error::AccountDisabled => Text::AccountDisabled,
        Error::TokenMissing => Text::TokenMissing,
        Error::TokenInvalid => Text::TokenInvalid,
        Error::SessionEnded => Text::SessionEnded,
        Error::PasswordChangeRequired => Text::PasswordChangeRequired,
        Error::SecondFactorRequired => Text::SecondFactorRequired,
        Error::PasswordAlreadyChosen => Text::PasswordAlreadyChosen,
        Error::ScopeMissing => Text::ScopeMissing,
        Error::NotAdministrator => Text::NotAdministrator,
        Error::RegistrationClosed => Text::RegistrationClosed,
        Error::NameTaken => Text::NameTaken,
        Error::EmailTaken => Text::EmailTaken,
        Error::LastAdministrator => Text::LastAdministrator,
        Error::LimitReached => Text::LimitReached,
        Error::PrimaryAddress => Text::PrimaryAddress,
        Error::AddressIsName => Text::AddressIsName,
        Error::UnknownAccount(_) => Text::UnknownAccount,
        Error::CounterOutOfBounds { .. } => Text::CounterOutOfBounds,
        Error::KeyReused => Text::KeyReused,
        Error::TooManyMatches => Text::TooManyMatches,
        Error::CurrentPasswordWrong => Text::CurrentPasswordWrong,
        Error::SecondFactorNeeded => Text::SecondFactorNeeded,
        Error::SecondFactorWrong => Text::SecondFactorWrong,
        Error::SecondFactorAlreadyOn => Text::SecondFactorAlreadyOn,
        Error::SecondFactorNotSetUp => Text::SecondFactorNotSetUp,
        Error::CodeWrong => Text::CodeWrong,
        Error::Undeliverable => Text::Undeliverable,
        Error::PictureUnreadable => Text::PictureUnreadable,
        Error::PictureTooLarge => Text::PictureTooLarge,
        Error::PictureTypeUnsupported => Text::PictureTypeUnsupported,
        Error::NotFound => Text::NotFound,
        Error::TooManyRequests { .. } => Text::TooManyRequests,
        Error::Unavailable { .. } => Text::Unavailable,
        Error::Internal(_) => Text::Internal,
    }
}
