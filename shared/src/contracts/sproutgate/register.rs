//! `POST /api/auth/register`, `POST /api/auth/verify-email`, `POST /api/auth/forgot-password`,
//! `POST /api/auth/reset-password`.

use std::ops::RangeInclusive;

use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{Told, User};
use crate::contracts::{rfc3339, too_many_requests};
use crate::http::{Answer, App, Checks, Context, Field, Json, Listing, Required, about};
use crate::identity::{Error, Identifier, Registration, Role};

/// Characters of an account's name.
pub(super) const NAME: RangeInclusive<usize> = 3..=32;
/// Characters of a password.
pub(super) const PASSWORD: RangeInclusive<usize> = 6..=128;
/// Characters of a display name.
pub(super) const DISPLAY_NAME: RangeInclusive<usize> = 0..=64;
/// Characters of a telephone number.
pub(super) const PHONE: RangeInclusive<usize> = 0..=32;
/// Characters of a text about the person.
pub(super) const BIO: RangeInclusive<usize> = 0..=4096;
/// Characters of an avatar's address at most.
pub(super) const AVATAR_URL: usize = 512;

pub(in crate::contracts) fn routes<L: Listing>() -> L {
    L::new()
        .post(
            "/api/auth/register",
            register,
            about("Ask for an account: a code is mailed, and nothing exists before it comes back")
                .or(|| vec![Error::RegistrationClosed, Error::NameTaken, Error::Undeliverable, too_many_requests()]),
        )
        .post(
            "/api/auth/verify-email",
            verify_email,
            about("Make the account whose code came back")
                .or(|| vec![Error::CodeWrong, Error::NameTaken, Error::EmailTaken, too_many_requests()]),
        )
        .post(
            "/api/auth/forgot-password",
            forgot_password,
            about("Mail a code for another password, if there is such an account"),
        )
        .post(
            "/api/auth/reset-password",
            reset_password,
            about("Choose another password by the code; every session of the account ends")
                .or(|| vec![Error::CodeWrong, too_many_requests()]),
        )
}

#[derive(Deserialize, JsonSchema)]
struct RegisterRequest {
    /// The login name.
    #[schemars(length(min = *NAME.start(), max = *NAME.end()))]
    account: Required<String>,
    #[schemars(length(min = *PASSWORD.start(), max = *PASSWORD.end()))]
    password: Required<String>,
    /// The name to show.
    #[serde(default)]
    #[schemars(length(max = *DISPLAY_NAME.end()))]
    username: Field<String>,
    #[schemars(email)]
    email: Required<String>,
}

async fn register(State(app): State<App>, context: Context, Json(body): Json<RegisterRequest>) -> Told<Sent> {
    let mut checks = Checks::new();
    let email = checks.email("email", body.email);
    let name = checks.name("account", body.account, &NAME, email.as_ref());
    let password = checks.new_password("password", body.password, &PASSWORD, app.identity.password_policy());
    let display_name = checks.optional_text("username", body.username, &DISPLAY_NAME).unwrap_or_default();
    let (Some(name), Some(email), Some(password)) = (name, email, password) else { return Err(checks.refuse()) };
    checks.finish()?;
    let pending =
        Registration { name, email: Some(email), password, display_name, visitor: context.visitor(), role: Role::User };
    let expires_at = app.identity.request_registration(pending, &context.errand).await?;
    sent(expires_at)
}

/// What every endpoint that mails a code answers.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Sent {
    sent: bool,
    /// When the code expires.
    #[schemars(extend("format" = "date-time"))]
    expires_at: String,
}

pub(super) fn sent(expires_at: OffsetDateTime) -> Told<Sent> {
    Answer::of(&Sent { sent: true, expires_at: rfc3339(expires_at) })
}

#[derive(Deserialize, JsonSchema)]
struct VerifyEmailRequest {
    #[schemars(length(min = 1))]
    account: Required<String>,
    #[schemars(length(min = 1))]
    code: Required<String>,
}

#[derive(Serialize, JsonSchema)]
struct CreatedAnswer {
    created: bool,
    user: User,
}

async fn verify_email(
    State(app): State<App>,
    context: Context,
    Json(body): Json<VerifyEmailRequest>,
) -> Told<CreatedAnswer> {
    let mut checks = Checks::new();
    let account = checks.text("account", body.account);
    let code = checks.code("code", body.code);
    let (Some(account), Some(code)) = (account, code) else { return Err(checks.refuse()) };
    let account = app.identity.verify_email(&account, &code, &context.visitor()).await?;
    Answer::of(&CreatedAnswer { created: true, user: User::of(&account, &context) })
}

#[derive(Deserialize, JsonSchema)]
struct ForgotPasswordRequest {
    #[schemars(length(min = 1))]
    account: Required<String>,
    #[schemars(email)]
    email: Required<String>,
}

async fn forgot_password(
    State(app): State<App>,
    context: Context,
    Json(body): Json<ForgotPasswordRequest>,
) -> Told<Sent> {
    let mut checks = Checks::new();
    let account = checks.text("account", body.account);
    let email = checks.email("email", body.email);
    let (Some(account), Some(email)) = (account, email) else { return Err(checks.refuse()) };
    sent(app.identity.forgot_password(&account, &email, &context.errand).await)
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ResetPasswordRequest {
    #[schemars(length(min = 1))]
    account: Required<String>,
    #[schemars(length(min = 1))]
    code: Required<String>,
    #[schemars(length(min = *PASSWORD.start(), max = *PASSWORD.end()))]
    new_password: Required<String>,
}

#[derive(Serialize, JsonSchema)]
struct ResetAnswer {
    reset: bool,
}

async fn reset_password(
    State(app): State<App>,
    context: Context,
    Json(body): Json<ResetPasswordRequest>,
) -> Told<ResetAnswer> {
    let mut checks = Checks::new();
    let account = checks.text("account", body.account);
    let code = checks.code("code", body.code);
    let password = checks.new_password("newPassword", body.new_password, &PASSWORD, app.identity.password_policy());
    let (Some(account), Some(code), Some(password)) = (account, code, password) else { return Err(checks.refuse()) };
    app.identity.reset_password(&Identifier::new(&account), &code, &password, &context.visitor()).await?;
    Answer::of(&ResetAnswer { reset: true })
}
