//! sproutgate, the account centre's contract: `/api/auth/*` and `/api/admin/*`, answers without an envelope,
//! errors as `{error,message}`. Unless set otherwise it is the root contract.

pub(super) mod admin;
pub(super) mod login;
pub(super) mod profile;
pub(super) mod refresh;
pub(super) mod register;

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use schemars::{JsonSchema, SchemaGenerator};
use serde::Serialize;
use serde_json::Value;

use super::{DAY, avatars, callers, rfc3339, spelled, status};
use crate::http::{Answer, App, Context, Failure, credentials};
use crate::identity::{Account, Error, Gate, Language, SessionTerms, Vouched};
use crate::messages;
use crate::openapi::{Input, Operation, Scheme};

/// Tokens live 7 days; there is no refreshing.
const TERMS: SessionTerms = SessionTerms { access: DAY.saturating_mul(7), refresh: None };

/// An answer, which has no envelope.
type Told<T> = Result<Answer<T>, Failure>;

/// `user` of every answer.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct User {
    /// The login name.
    account: String,
    /// The name to show.
    username: String,
    /// "" if the account has none.
    email: String,
    level: i64,
    sprout_coins: i64,
    secondary_emails: Vec<String>,
    phone: String,
    /// "" if there is none.
    avatar_url: String,
    /// Text, possibly Markdown.
    bio: String,
    #[schemars(extend("format" = "date-time"))]
    created_at: String,
    #[schemars(extend("format" = "date-time"))]
    updated_at: String,
}

impl User {
    fn of(account: &Account, context: &Context) -> Self {
        Self {
            account: account.name.as_str().to_owned(),
            username: account.display_name().to_owned(),
            email: account.email_text().to_owned(),
            level: account.level,
            sprout_coins: account.coins,
            secondary_emails: account.secondary_emails.iter().map(|own| own.as_str().to_owned()).collect(),
            phone: account.profile.phone.clone(),
            avatar_url: avatars::address_of(account, context),
            bio: account.profile.bio.clone(),
            created_at: rfc3339(account.created_at),
            updated_at: rfc3339(account.updated_at),
        }
    }
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

impl Input for Caller {
    fn describe(operation: &mut Operation, _: &mut SchemaGenerator) {
        operation.secured_by(&[Scheme::Bearer]);
        operation.refuses(callers());
    }
}

/// The account, where that is all there is to say.
#[derive(Serialize, JsonSchema)]
struct UserAnswer {
    user: User,
}

fn user(account: &Account, context: &Context) -> Told<UserAnswer> {
    Answer::of(&UserAnswer { user: User::of(account, context) })
}

/// Every refusal: the same text twice.
#[derive(Serialize, JsonSchema)]
pub(super) struct Refusal {
    error: String,
    message: String,
}

pub(super) fn render(failure: &Failure, language: Language) -> (StatusCode, Value) {
    let message = messages::of(failure, language);
    (status(failure, status_of_error), spelled(&Refusal { error: message.clone(), message }))
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
