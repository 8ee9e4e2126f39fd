//! mcphub, the MCP hub's contract: `/api/auth/*`, answers as `{success:true,…}`, errors as
//! `{success:false,message}`.

pub(super) mod login;
pub(super) mod profile;
pub(super) mod register;

use std::borrow::Cow;
use std::collections::BTreeMap;

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use schemars::{JsonSchema, SchemaGenerator};
use serde::Serialize;
use serde_json::Value;

use super::{DAY, callers, spelled, status};
use crate::http::{Answer, App, Context, Failure, credentials, query_value};
use crate::identity::{AccessToken, Account, Error, Gate, Language, SessionTerms, Violation, Vouched};
use crate::messages::{self, Text};
use crate::openapi::{Input, Operation, Scheme};

/// Tokens live 24 hours; there is no refreshing.
const TERMS: SessionTerms = SessionTerms { access: DAY, refresh: None };

/// An answer, which says itself that it is a success.
type Told<T> = Result<Answer<T>, Failure>;

/// `user` of every answer.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct User {
    username: String,
    is_admin: bool,
    /// `{"*": true}` for an administrator, else one `true` for each permission.
    permissions: BTreeMap<&'static str, bool>,
}

impl User {
    fn of(account: &Account) -> Self {
        let permissions = account.is_admin().then_some(("*", true)).into_iter().collect();
        Self { username: account.name.as_str().to_owned(), is_admin: account.is_admin(), permissions }
    }
}

/// A success that only says so.
#[derive(Serialize, JsonSchema)]
struct Done {
    #[schemars(extend("const" = true))]
    success: bool,
    message: &'static str,
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
        let visitor = Context::from_request_parts(parts, app).await?.visitor();
        Ok(Self(app.identity.authenticate(presented(parts).as_ref(), Gate::Closed, &visitor).await?))
    }
}

impl Input for Caller {
    fn describe(operation: &mut Operation, _: &mut SchemaGenerator) {
        operation.secured_by(&PLACES);
        operation.refuses(callers());
    }
}

/// Where requests carry their tokens.
const PLACES: [Scheme; 3] = [Scheme::TokenHeader, Scheme::Bearer, Scheme::TokenQuery];

/// Every refusal.
#[derive(Serialize, JsonSchema)]
pub(super) struct Refusal {
    #[schemars(extend("const" = false))]
    success: bool,
    message: String,
    /// What is wrong with each field, where fields are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Vec<FieldError>")]
    errors: Option<Vec<FieldError>>,
}

#[derive(Serialize, JsonSchema)]
struct FieldError {
    #[schemars(extend("const" = "field"))]
    r#type: &'static str,
    /// What was sent; never a password's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Value")]
    value: Option<Value>,
    msg: String,
    path: Cow<'static, str>,
    #[schemars(extend("const" = "body"))]
    location: &'static str,
}

pub(super) fn render(failure: &Failure, language: Language) -> (StatusCode, Value) {
    let refusal = match failure {
        Failure::Core(Error::Invalid(violations)) => {
            let message = messages::text(Text::InvalidInput, language).to_owned();
            Refusal { success: false, message, errors: Some(field_errors(violations, language)) }
        }
        // Literal: clients of the upstream compare it.
        Failure::Core(Error::NameTaken) => {
            Refusal { success: false, message: "User already exists".to_owned(), errors: None }
        }
        other => Refusal { success: false, message: messages::of(other, language), errors: None },
    };
    (status(failure, status_of_error), spelled(&refusal))
}

fn field_errors(violations: &[Violation], language: Language) -> Vec<FieldError> {
    let told = violations.iter().map(|found| FieldError {
        r#type: "field",
        value: found.value.clone(),
        msg: messages::problem(&found.problem, language),
        path: found.field.clone(),
        location: "body",
    });
    told.collect()
}

fn status_of_error(error: &Error) -> StatusCode {
    match error {
        Error::Invalid(_)
        | Error::TooManyMatches
        | Error::CodeWrong
        | Error::NameTaken
        | Error::EmailTaken
        | Error::LastAdministrator
        | Error::LimitReached
        | Error::SecondFactorAlreadyOn
        | Error::SecondFactorNotSetUp
        | Error::PrimaryAddress
        | Error::AddressIsName => StatusCode::BAD_REQUEST,
        Error::WrongCredentials
        | Error::AccountDisabled
        | Error::TokenMissing
        | Error::TokenInvalid
        | Error::SessionEnded
        | Error::SecondFactorNeeded
        | Error::SecondFactorWrong
        | Error::CurrentPasswordWrong => StatusCode::UNAUTHORIZED,
        Error::PasswordChangeRequired
        | Error::SecondFactorRequired
        | Error::PasswordAlreadyChosen
        | Error::ScopeMissing
        | Error::NotAdministrator
        | Error::RegistrationClosed => StatusCode::FORBIDDEN,
        Error::NotFound | Error::UnknownAccount(_) => StatusCode::NOT_FOUND,
        Error::CounterOutOfBounds { .. } | Error::KeyReused => StatusCode::CONFLICT,
        Error::Undeliverable | Error::PictureUnreadable => StatusCode::BAD_REQUEST,
        Error::PictureTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Error::PictureTypeUnsupported => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Error::TooManyRequests { .. } => StatusCode::TOO_MANY_REQUESTS,
        Error::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
        Error::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
