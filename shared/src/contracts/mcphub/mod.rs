//! mcphub, the MCP hub's contract: `/api/auth/*`, answers as `{success:true,…}`, errors as
//! `{success:false,message}`.

pub(super) mod login;
pub(super) mod profile;
pub(super) mod register;

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{DAY, status};
use crate::http::{App, Failure, credentials, query_value};
use crate::identity::{AccessToken, Account, Error, Gate, Language, SessionTerms, Violation, Vouched};
use crate::messages::{self, Text};

/// Tokens live 24 hours; there is no refreshing.
const TERMS: SessionTerms = SessionTerms { access: DAY, refresh: None };

/// `user` of every answer.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UserBody<'a> {
    username: &'a str,
    is_admin: bool,
    permissions: Value,
}

impl<'a> UserBody<'a> {
    fn of(account: &'a Account) -> Self {
        let permissions = if account.is_admin() { json!({"*": true}) } else { json!({}) };
        Self { username: account.name.as_str(), is_admin: account.is_admin(), permissions }
    }
}

/// The token in any of its places: `x-auth-token`, bearer, `?token=`.
fn presented(parts: &Parts) -> Option<AccessToken> {
    let header =
        parts.headers.get("x-auth-token").and_then(|value| value.to_str().ok()).filter(|token| !token.is_empty());
    let query = || query_value(parts.uri.query(), "token").filter(|token| !token.is_empty()).map(AccessToken::new);
    header.map(AccessToken::new).or_else(|| credentials::bearer_token(parts)).or_else(query)
}

/// A signed-in person, or a program with their API token.
struct Caller(Vouched);

impl FromRequestParts<App> for Caller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        Ok(Self(app.identity.authenticate(presented(parts).as_ref(), Gate::Closed).await?))
    }
}

pub(super) fn render(failure: &Failure, language: Language) -> (StatusCode, Value) {
    let body = match failure {
        Failure::Core(Error::Invalid(violations)) => {
            let message = messages::text(Text::InvalidInput, language);
            json!({"success": false, "message": message, "errors": field_errors(violations, language)})
        }
        // Literal: clients of the upstream compare it.
        Failure::Core(Error::NameTaken) => json!({"success": false, "message": "User already exists"}),
        other => json!({"success": false, "message": messages::of(other, language)}),
    };
    (status(failure, status_of_error), body)
}

/// `[{type:"field",value?,msg,path,location:"body"}]`
fn field_errors(violations: &[Violation], language: Language) -> Value {
    let told = violations.iter().map(|found| {
        let mut error = Map::from_iter([("type".to_owned(), json!("field"))]);
        error.extend(found.value.clone().map(|value| ("value".to_owned(), value)));
        error.insert("msg".to_owned(), messages::problem(&found.problem, language).into());
        error.insert("path".to_owned(), found.field.into());
        error.insert("location".to_owned(), "body".into());
        Value::Object(error)
    });
    told.collect()
}

fn status_of_error(error: &Error) -> StatusCode {
    match error {
        Error::Invalid(_)
        | Error::CodeWrong
        | Error::NameTaken
        | Error::EmailTaken
        | Error::LastAdministrator
        | Error::LimitReached
        | Error::PrimaryAddress
        | Error::AddressIsName => StatusCode::BAD_REQUEST,
        Error::WrongCredentials
        | Error::AccountDisabled
        | Error::TokenMissing
        | Error::TokenInvalid
        | Error::SessionEnded
        | Error::CurrentPasswordWrong => StatusCode::UNAUTHORIZED,
        Error::PasswordChangeRequired
        | Error::PasswordAlreadyChosen
        | Error::ScopeMissing
        | Error::NotAdministrator
        | Error::RegistrationClosed => StatusCode::FORBIDDEN,
        Error::NotFound => StatusCode::NOT_FOUND,
        Error::PictureUnreadable => StatusCode::BAD_REQUEST,
        Error::PictureTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Error::PictureTypeUnsupported => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Error::TooManyRequests { .. } => StatusCode::TOO_MANY_REQUESTS,
        Error::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
        Error::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
