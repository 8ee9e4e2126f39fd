//! zeaya, the photo gallery's contract: `/api/auth/*`, every answer in `{code,message,data}`, errors with codes
//! of their own or the HTTP status.

mod avatar;
pub(super) mod login;
pub(super) mod profile;
pub(super) mod register;

use std::collections::BTreeMap;

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use schemars::{JsonSchema, SchemaGenerator};
use serde::Serialize;
use serde_json::{Map, Value, json};
use time::{OffsetDateTime, UtcOffset};

use super::{DAY, avatars, callers, spelled, status};
use crate::http::{Answer, App, Context, Failure, credentials};
use crate::identity::{Account, Error, Gate, Language, SessionTerms, Violation, Vouched};
use crate::messages::{self, Text};
use crate::openapi::{Input, Operation, Scheme};

/// Tokens live 7 days; there is no refreshing.
const TERMS: SessionTerms = SessionTerms { access: DAY.saturating_mul(7), refresh: None };

/// Every success.
#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
struct Envelope<T> {
    #[schemars(extend("const" = 0))]
    code: u16,
    /// Where there is something to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    message: Option<&'static str>,
    data: T,
}

/// A success that carries no data.
#[derive(Serialize, JsonSchema)]
struct Done {
    #[schemars(extend("const" = 0))]
    code: u16,
    message: &'static str,
}

/// An answer in the envelope.
type Told<T> = Result<Answer<Envelope<T>>, Failure>;

fn success<T: Serialize>(message: Option<Text>, data: T, language: Language) -> Told<T> {
    Answer::of(&Envelope { code: 0, message: message.map(|key| messages::text(key, language)), data })
}

fn done(message: Text, language: Language) -> Result<Answer<Done>, Failure> {
    Answer::of(&Done { code: 0, message: messages::text(message, language) })
}

/// An account as the answers to register and login show it.
#[derive(Serialize, JsonSchema)]
struct User {
    /// The account's number.
    id: u64,
    username: String,
    /// "" if the account has none.
    email: String,
    nickname: String,
    /// A path under the base URL or an address, "" if there is none.
    avatar: String,
    /// `YYYY-MM-DD HH:MM:SS` in the deployment's zone; when the account is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", regex(pattern = LOCAL_TIME))]
    create_time: Option<String>,
}

/// What [`local_time`] writes.
const LOCAL_TIME: &str = r"^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}$";

impl User {
    fn of(account: &Account) -> Self {
        Self {
            id: account.number,
            username: account.name.as_str().to_owned(),
            email: account.email_text().to_owned(),
            nickname: account.display_name().to_owned(),
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
        let visitor = Context::from_request_parts(parts, app).await?.visitor();
        let token = credentials::bearer_token(parts);
        Ok(Self(app.identity.authenticate(token.as_ref(), Gate::Closed, &visitor).await?))
    }
}

/// A signed-in person who may yet have to choose their own password, and may sign out.
struct NewCaller(Vouched);

impl FromRequestParts<App> for NewCaller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let visitor = Context::from_request_parts(parts, app).await?.visitor();
        let token = credentials::bearer_token(parts);
        Ok(Self(app.identity.authenticate(token.as_ref(), Gate::Open, &visitor).await?))
    }
}

impl Input for Caller {
    fn describe(operation: &mut Operation, _: &mut SchemaGenerator) {
        operation.secured_by(&[Scheme::Bearer]);
        operation.refuses(callers());
    }
}

impl Input for NewCaller {
    fn describe(operation: &mut Operation, _: &mut SchemaGenerator) {
        operation.secured_by(&[Scheme::Bearer]);
        let refusals = [Error::TokenMissing, Error::TokenInvalid, Error::SessionEnded, Error::ScopeMissing];
        operation.refuses(refusals.map(Failure::Core));
    }
}

/// Every refusal.
#[derive(Serialize, JsonSchema)]
pub(super) struct Refusal {
    /// One of the document's own codes, else the HTTP status.
    code: u16,
    message: String,
    /// What is wrong with each field, where fields are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "BTreeMap<String, Vec<String>>")]
    errors: Option<Value>,
}

pub(super) fn render(failure: &Failure, language: Language) -> (StatusCode, Value) {
    let (status, code) = status_and_code(failure);
    let refusal = match failure {
        Failure::Core(Error::Invalid(violations)) => {
            let message = messages::text(Text::InvalidInput, language).to_owned();
            Refusal { code, message, errors: Some(field_errors(violations, language)) }
        }
        other => {
            let own = own_text(other).map(|key| messages::text(key, language).to_owned());
            Refusal { code, message: own.unwrap_or_else(|| messages::of(other, language)), errors: None }
        }
    };
    (status, spelled(&refusal))
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
        let entry = fields.entry(found.field.as_ref()).or_insert_with(|| json!([]));
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
        Error::SecondFactorNeeded => Some(10007),
        Error::SecondFactorWrong => Some(10008),
        Error::Invalid(_)
        | Error::SecondFactorAlreadyOn
        | Error::SecondFactorNotSetUp
        | Error::SecondFactorRequired
        | Error::PasswordChangeRequired
        | Error::PasswordAlreadyChosen
        | Error::ScopeMissing
        | Error::NotAdministrator
        | Error::RegistrationClosed
        | Error::LastAdministrator
        | Error::LimitReached
        | Error::PrimaryAddress
        | Error::AddressIsName
        | Error::UnknownAccount(_)
        | Error::CounterOutOfBounds { .. }
        | Error::KeyReused
        | Error::TooManyMatches
        | Error::CodeWrong
        | Error::Undeliverable
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
        Error::Invalid(_) | Error::TooManyMatches | Error::CurrentPasswordWrong | Error::CodeWrong => {
            StatusCode::BAD_REQUEST
        }
        Error::WrongCredentials
        | Error::TokenMissing
        | Error::TokenInvalid
        | Error::SessionEnded
        | Error::SecondFactorNeeded
        | Error::SecondFactorWrong => StatusCode::UNAUTHORIZED,
        Error::AccountDisabled
        | Error::PasswordChangeRequired
        | Error::SecondFactorRequired
        | Error::PasswordAlreadyChosen
        | Error::ScopeMissing
        | Error::NotAdministrator
        | Error::RegistrationClosed => StatusCode::FORBIDDEN,
        Error::NotFound | Error::UnknownAccount(_) => StatusCode::NOT_FOUND,
        Error::NameTaken
        | Error::EmailTaken
        | Error::LastAdministrator
        | Error::LimitReached
        | Error::SecondFactorAlreadyOn
        | Error::SecondFactorNotSetUp => StatusCode::CONFLICT,
        Error::PrimaryAddress | Error::AddressIsName => StatusCode::CONFLICT,
        Error::CounterOutOfBounds { .. } | Error::KeyReused => StatusCode::CONFLICT,
        Error::Undeliverable | Error::PictureUnreadable => StatusCode::BAD_REQUEST,
        Error::PictureTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Error::PictureTypeUnsupported => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Error::TooManyRequests { .. } => StatusCode::TOO_MANY_REQUESTS,
        Error::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
        Error::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
