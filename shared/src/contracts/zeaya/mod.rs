//! zeaya, the photo gallery's contract: `/api/auth/*`, every answer in `{code,message,data}`, errors with codes
//! of their own or the HTTP status.

mod avatar;
pub(super) mod login;
pub(super) mod profile;
pub(super) mod register;

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use serde::Serialize;
use serde_json::{Map, Value, json};
use time::{OffsetDateTime, UtcOffset};

use super::{DAY, avatars, status};
use crate::http::{App, Failure, axum_json, credentials};
use crate::identity::{Account, Error, Gate, Language, SessionTerms, Violation, Vouched};
use crate::messages::{self, Text};

/// Tokens live 7 days; there is no refreshing.
const TERMS: SessionTerms = SessionTerms { access: DAY.saturating_mul(7), refresh: None };

/// The success envelope; parts that an answer hasn't are left out.
fn success(message: Option<Text>, data: Option<Value>, language: Language) -> Response {
    let mut body = Map::from_iter([("code".to_owned(), Value::from(0))]);
    body.extend(message.map(|key| ("message".to_owned(), Value::from(messages::text(key, language)))));
    body.extend(data.map(|data| ("data".to_owned(), data)));
    axum_json(&Value::Object(body))
}

/// An account as the answers to register and login show it.
#[derive(Serialize)]
struct UserBody<'a> {
    id: u64,
    username: &'a str,
    email: &'a str,
    nickname: &'a str,
    avatar: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    create_time: Option<String>,
}

impl<'a> UserBody<'a> {
    fn of(account: &'a Account) -> Self {
        Self {
            id: account.number,
            username: account.name.as_str(),
            email: account.email_text(),
            nickname: account.display_name(),
            avatar: avatars::path_of(account),
            create_time: None,
        }
    }

    fn with_create_time(self, account: &Account, zone: UtcOffset) -> Self {
        Self { create_time: Some(local_time(account.created_at, zone)), ..self }
    }
}

/// `YYYY-MM-DD HH:MM:SS` in the deployment's zone.
fn local_time(instant: OffsetDateTime, zone: UtcOffset) -> String {
    let format = time::macros::format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
    instant.to_offset(zone).format(format).unwrap_or_default()
}

/// A signed-in person, or a program with their API token.
struct Caller(Vouched);

impl FromRequestParts<App> for Caller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let token = credentials::bearer_token(parts);
        Ok(Self(app.identity.authenticate(token.as_ref(), Gate::Closed).await?))
    }
}

/// A signed-in person who may yet have to choose their own password, and may sign out.
struct NewCaller(Vouched);

impl FromRequestParts<App> for NewCaller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let token = credentials::bearer_token(parts);
        Ok(Self(app.identity.authenticate(token.as_ref(), Gate::Open).await?))
    }
}

pub(super) fn render(failure: &Failure, language: Language) -> (StatusCode, Value) {
    let (status, code) = status_and_code(failure);
    let body = match failure {
        Failure::Core(Error::Invalid(violations)) => {
            let message = messages::text(Text::InvalidInput, language);
            json!({"code": code, "message": message, "errors": field_errors(violations, language)})
        }
        other => {
            let own = own_text(other).map(|key| messages::text(key, language).to_owned());
            json!({"code": code, "message": own.unwrap_or_else(|| messages::of(other, language))})
        }
    };
    (status, body)
}

/// Words that the document gives a code of its own, where they differ from what the others say.
fn own_text(failure: &Failure) -> Option<Text> {
    match own_code_of(failure) {
        Some(10005) => Some(Text::OldPasswordWrong),
        Some(10006) => Some(Text::TokenInvalid),
        Some(_) | None => None,
    }
}

/// `{field: [message, …]}`
fn field_errors(violations: &[Violation], language: Language) -> Value {
    let mut fields = Map::new();
    for found in violations {
        let entry = fields.entry(found.field).or_insert_with(|| json!([]));
        if let Value::Array(told) = entry {
            told.push(messages::problem(&found.problem, language).into());
        }
    }
    Value::Object(fields)
}

fn status_and_code(failure: &Failure) -> (StatusCode, u16) {
    let status = status(failure, status_of_error);
    (status, own_code_of(failure).unwrap_or(status.as_u16()))
}

fn own_code_of(failure: &Failure) -> Option<u16> {
    match failure {
        Failure::Core(error) => own_code(error),
        Failure::MalformedBody
        | Failure::UnknownPath
        | Failure::MethodNotAllowed
        | Failure::BodyTooLarge
        | Failure::UnsupportedMediaType
        | Failure::MalformedForm
        | Failure::NotAForm
        | Failure::OriginNotAllowed
        | Failure::Panicked => None,
    }
}

/// The codes of the document; everything else has its HTTP status.
fn own_code(error: &Error) -> Option<u16> {
    match error {
        Error::NameTaken => Some(10001),
        Error::EmailTaken => Some(10002),
        Error::WrongCredentials => Some(10003),
        Error::AccountDisabled => Some(10004),
        Error::CurrentPasswordWrong => Some(10005),
        Error::TokenMissing | Error::TokenInvalid | Error::SessionEnded => Some(10006),
        Error::Invalid(_)
        | Error::PasswordChangeRequired
        | Error::PasswordAlreadyChosen
        | Error::ScopeMissing
        | Error::NotAdministrator
        | Error::RegistrationClosed
        | Error::LastAdministrator
        | Error::LimitReached
        | Error::PrimaryAddress
        | Error::AddressIsName
        | Error::CodeWrong
        | Error::PictureUnreadable
        | Error::PictureTooLarge
        | Error::PictureTypeUnsupported
        | Error::NotFound
        | Error::TooManyRequests { .. }
        | Error::Unavailable { .. }
        | Error::Internal(_) => None,
    }
}

fn status_of_error(error: &Error) -> StatusCode {
    match error {
        Error::Invalid(_) | Error::CurrentPasswordWrong | Error::CodeWrong => StatusCode::BAD_REQUEST,
        Error::WrongCredentials | Error::TokenMissing | Error::TokenInvalid | Error::SessionEnded => {
            StatusCode::UNAUTHORIZED
        }
        Error::AccountDisabled
        | Error::PasswordChangeRequired
        | Error::PasswordAlreadyChosen
        | Error::ScopeMissing
        | Error::NotAdministrator
        | Error::RegistrationClosed => StatusCode::FORBIDDEN,
        Error::NotFound => StatusCode::NOT_FOUND,
        Error::NameTaken | Error::EmailTaken | Error::LastAdministrator | Error::LimitReached => StatusCode::CONFLICT,
        Error::PrimaryAddress | Error::AddressIsName => StatusCode::CONFLICT,
        Error::PictureUnreadable => StatusCode::BAD_REQUEST,
        Error::PictureTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Error::PictureTypeUnsupported => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Error::TooManyRequests { .. } => StatusCode::TOO_MANY_REQUESTS,
        Error::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
        Error::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
