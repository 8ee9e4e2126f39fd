//! kite, the image host's contract and the native one: `/api/v1/*`, every answer in `{code,message,data}`.

pub(super) mod admin;
pub(super) mod audit;
mod email_change;
mod emails;
pub(super) mod keys;
pub(super) mod login;
pub(super) mod profile;
pub(super) mod refresh;
pub(super) mod register;
mod second_factor;
mod session;
mod sessions;
pub(super) mod settings;
mod tokens;
pub(super) mod undeliverable;
pub(super) mod usage;

use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{rfc3339, spelled};
use crate::http::{Answer, Failure};
use crate::identity::{Error, Language};
use crate::messages;

/// Every success.
#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
struct Envelope<T> {
    #[schemars(extend("const" = 0))]
    code: u32,
    #[schemars(extend("const" = "success"))]
    message: &'static str,
    data: T,
}

/// An answer in the envelope.
type Told<T, const STATUS: u16 = 200> = Result<Answer<Envelope<T>, STATUS>, Failure>;

fn success<T: Serialize, const STATUS: u16>(data: T) -> Told<T, STATUS> {
    Answer::of(&Envelope { code: 0, message: "success", data })
}

/// The success that carries no data.
pub(super) fn nothing_to_say() -> Value {
    json!({"code": 0, "message": "success", "data": null})
}

/// What every endpoint that mails a code answers.
#[derive(Serialize, JsonSchema)]
struct Sent {
    sent: bool,
    /// When the code expires.
    #[schemars(extend("format" = "date-time"))]
    expires_at: String,
}

fn sent(expires_at: OffsetDateTime) -> Told<Sent> {
    success(Sent { sent: true, expires_at: rfc3339(expires_at) })
}

/// Every refusal.
#[derive(Serialize, JsonSchema)]
pub(super) struct Refusal {
    /// Begins with the HTTP status; codes never change with the language.
    code: u32,
    message: String,
    data: (),
}

pub(super) fn render(failure: &Failure, language: Language) -> (StatusCode, Value) {
    let (status, code) = status_and_code(failure);
    (status, spelled(&Refusal { code, message: messages::of(failure, language), data: () }))
}

fn status_and_code(failure: &Failure) -> (StatusCode, u32) {
    match failure {
        Failure::Core(error) => of_error(error),
        Failure::MalformedBody | Failure::MalformedForm => (StatusCode::BAD_REQUEST, 40000),
        Failure::OriginNotAllowed => (StatusCode::FORBIDDEN, 40300),
        Failure::UnknownPath => (StatusCode::NOT_FOUND, 40400),
        Failure::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, 40500),
        Failure::BodyTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, 41300),
        Failure::UnsupportedMediaType | Failure::NotAForm => (StatusCode::UNSUPPORTED_MEDIA_TYPE, 41500),
        Failure::Panicked => (StatusCode::INTERNAL_SERVER_ERROR, 50000),
    }
}

fn of_error(error: &Error) -> (StatusCode, u32) {
    match error {
        Error::Invalid(_) | Error::TooManyMatches | Error::PictureUnreadable => (StatusCode::BAD_REQUEST, 40000),
        Error::CodeWrong => (StatusCode::BAD_REQUEST, 40001),
        Error::CurrentPasswordWrong => (StatusCode::BAD_REQUEST, 40010),
        Error::Undeliverable => (StatusCode::BAD_REQUEST, 40011),
        Error::WrongCredentials | Error::AccountDisabled | Error::TokenMissing => (StatusCode::UNAUTHORIZED, 40100),
        Error::TokenInvalid => (StatusCode::UNAUTHORIZED, 40101),
        Error::SecondFactorNeeded | Error::SecondFactorWrong => (StatusCode::UNAUTHORIZED, 40103),
        Error::SessionEnded => (StatusCode::UNAUTHORIZED, 40102),
        Error::NotAdministrator | Error::RegistrationClosed => (StatusCode::FORBIDDEN, 40300),
        Error::PasswordAlreadyChosen => (StatusCode::FORBIDDEN, 40300),
        Error::ScopeMissing => (StatusCode::FORBIDDEN, 40302),
        Error::PasswordChangeRequired => (StatusCode::FORBIDDEN, 40301),
        Error::SecondFactorRequired => (StatusCode::FORBIDDEN, 40303),
        Error::NotFound | Error::UnknownAccount(_) => (StatusCode::NOT_FOUND, 40400),
        Error::NameTaken | Error::EmailTaken => (StatusCode::CONFLICT, 40900),
        Error::LastAdministrator => (StatusCode::CONFLICT, 40901),
        Error::PictureTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, 41300),
        Error::PictureTypeUnsupported => (StatusCode::UNSUPPORTED_MEDIA_TYPE, 41500),
        Error::SecondFactorAlreadyOn => (StatusCode::CONFLICT, 40905),
        Error::SecondFactorNotSetUp => (StatusCode::CONFLICT, 40906),
        Error::LimitReached => (StatusCode::CONFLICT, 40902),
        Error::PrimaryAddress => (StatusCode::CONFLICT, 40903),
        Error::AddressIsName => (StatusCode::CONFLICT, 40904),
        Error::CounterOutOfBounds { .. } => (StatusCode::CONFLICT, 40907),
        Error::KeyReused => (StatusCode::CONFLICT, 40908),
        Error::TooManyRequests { .. } => (StatusCode::TOO_MANY_REQUESTS, 42900),
        Error::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, 50000),
        Error::Unavailable { .. } => (StatusCode::SERVICE_UNAVAILABLE, 50300),
    }
}
