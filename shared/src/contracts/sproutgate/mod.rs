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
use axum::response::Response;
use serde::Serialize;
use serde_json::{Value, json};

use super::{DAY, avatars, rfc3339, status};
use crate::http::{App, Context, Failure, axum_json, credentials};
use crate::identity::{Account, EmailAddress, Error, Gate, Language, SessionTerms, Vouched};
use crate::messages;

/// Tokens live 7 days; there is no refreshing.
const TERMS: SessionTerms = SessionTerms { access: DAY.saturating_mul(7), refresh: None };

fn success(body: impl Serialize) -> Result<Response, Failure> {
    let body = serde_json::to_value(body).map_err(anyhow::Error::from)?;
    Ok(axum_json(&body))
}

/// `user` of every answer.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UserBody<'a> {
    account: &'a str,
    username: &'a str,
    email: &'a str,
    level: i64,
    sprout_coins: i64,
    secondary_emails: Vec<&'a str>,
    phone: &'a str,
    avatar_url: String,
    bio: &'a str,
    created_at: String,
    updated_at: String,
}

impl<'a> UserBody<'a> {
    fn of(account: &'a Account, context: &Context) -> Self {
        Self {
            account: account.name.as_str(),
            username: account.display_name(),
            email: account.email_text(),
            level: account.level,
            sprout_coins: account.coins,
            secondary_emails: account.secondary_emails.iter().map(EmailAddress::as_str).collect(),
            phone: &account.profile.phone,
            avatar_url: avatars::address_of(account, context),
            bio: &account.profile.bio,
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
        let token = credentials::bearer_token(parts);
        Ok(Self(app.identity.authenticate(token.as_ref(), Gate::Closed).await?))
    }
}

pub(super) fn render(failure: &Failure, language: Language) -> (StatusCode, Value) {
    let message = messages::of(failure, language);
    (status(failure, status_of_error), json!({"error": message, "message": message}))
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
