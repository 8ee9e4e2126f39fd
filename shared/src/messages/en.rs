//! English.

use super::Text;
use crate::identity::{Kind, Problem};

pub(super) fn text(key: Text) -> &'static str {
    match key {
        Text::InvalidInput => "Invalid parameters",
        Text::MalformedBody => "The body must be a JSON object",
        Text::WrongCredentials => "Wrong username or password",
        Text::AccountDisabled => "The account is disabled",
        Text::TokenMissing => "Not signed in",
        Text::TokenInvalid => "The token is invalid or has expired",
        Text::SessionEnded => "The session has ended, sign in again",
        Text::SecondFactorRequired => "This account must have a second factor",
        Text::PasswordChangeRequired => "The password must be changed first",
        Text::PasswordAlreadyChosen => "The password has been chosen already, change it instead",
        Text::ScopeMissing => "An API token may not do this, sign in instead",
        Text::NotAdministrator => "Administrators only",
        Text::RegistrationClosed => "Registration is closed",
        Text::NameTaken => "The username is taken",
        Text::EmailTaken => "The e-mail address is taken",
        Text::LastAdministrator => "The last active administrator can't be demoted, disabled or deleted",
        Text::LimitReached => "The account can't have more of these",
        Text::PrimaryAddress => "The primary e-mail can't be removed, make another one primary first",
        Text::AddressIsName => {
            "This e-mail is also the username and can't be given up; another one can be added and made primary"
        }
        Text::UnknownAccount => "No such account",
        Text::CounterOutOfBounds => "A counter would leave its bounds",
        Text::KeyReused => "This Idempotency-Key was used for another request",
        Text::TooManyMatches => "Too many accounts match, type more of the name or address",
        Text::CurrentPasswordWrong => "The current password is wrong",
        Text::OldPasswordWrong => "The old password is wrong",
        Text::SecondFactorNeeded => "Enter the code of your authenticator too",
        Text::SecondFactorWrong => "The authenticator's code is wrong or was used",
        Text::SecondFactorAlreadyOn => "Two-factor authentication is on already",
        Text::SecondFactorNotSetUp => "Two-factor authentication is not set up",
        Text::CodeWrong => "The code is wrong, used up or expired",
        Text::Undeliverable => "Mail to this e-mail address can't be delivered, use another one",
        Text::MailBounced => {
            "Mail to this e-mail address came back, so none is sent there for a while; add another one or check that it exists"
        }
        Text::MailUnwanted => {
            "Mail to this e-mail address was reported as unwanted, so none is sent there; add another one or ask an administrator"
        }
        Text::NotFound => "Not found",
        Text::UnknownPath => "No such endpoint",
        Text::MethodNotAllowed => "Method not allowed",
        Text::BodyTooLarge => "The body is too large",
        Text::UnsupportedMediaType => "Send the body as application/json",
        Text::MalformedForm => "The form is incomplete or malformed",
        Text::NotAForm => "Send the file as multipart/form-data",
        Text::PictureUnreadable => "The picture is damaged or incomplete",
        Text::PictureTooLarge => "The picture may have at most 16 megapixels",
        Text::PictureTypeUnsupported => "The picture must be a JPEG, PNG or WebP file",
        Text::OriginNotAllowed => "Pages of this origin may not do this",
        Text::TooManyRequests => "Too many requests, try again later",
        Text::Unavailable => "Temporarily unavailable, try again shortly",
        Text::Internal => "Internal server error",
        Text::Registered => "Registered",
        Text::SignedIn => "Signed in",
        Text::SignedOut => "Signed out",
        Text::Updated => "Updated",
        Text::Uploaded => "Uploaded",
        Text::PasswordChanged => "Password changed",
        Text::PasswordUpdated => "Password updated",
    }
}

pub(super) fn problem(problem: &Problem) -> String {
    match problem {
        Problem::Missing => "required".to_owned(),
        Problem::WrongType(expected) => format!("must be {}", kind(*expected)),
        Problem::TooShort(least) => format!("at least {least} characters"),
        Problem::TooCommon => "too common, choose another".to_owned(),
        Problem::TooLong(most) => format!("at most {most} characters"),
        Problem::TooMany(most) => format!("at most {most} entries"),
        Problem::NotAnEmail => "not an e-mail address".to_owned(),
        Problem::NotAName => "has characters that a username can't have".to_owned(),
        Problem::NotAUrl => "not an http or https address".to_owned(),
        Problem::NotADate => "not a date (YYYY-MM-DD)".to_owned(),
        Problem::NotACursor => "not a cursor of an earlier answer".to_owned(),
        Problem::NotOneOf(values) => format!("must be one of {values}"),
        Problem::OutOfRange(least, most) => format!("must be from {least} to {most}"),
    }
}

pub(super) fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "a string",
        Kind::Integer => "an integer",
        Kind::Boolean => "a boolean",
        Kind::Texts => "a list of strings",
        Kind::Object => "an object",
        Kind::Objects => "a list of objects",
    }
}
