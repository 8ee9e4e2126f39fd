//! `POST /api/auth/register`, `POST /api/auth/verify-email`, `POST /api/auth/forgot-password`,
//! `POST /api/auth/reset-password`.

use std::ops::RangeInclusive;

use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use serde::Deserialize;
use serde_json::json;
use time::OffsetDateTime;

use super::{UserBody, success};
use crate::contracts::rfc3339;
use crate::http::{App, Checks, Context, Failure, Field, Json, Routes};
use crate::identity::{Identifier, Registration, Role};

/// Characters of an account's name.
pub(super) const NAME: RangeInclusive<usize> = 3..=32;
/// Characters of a password.
pub(super) const PASSWORD: RangeInclusive<usize> = 6..=128;
/// Characters of a display name.
pub(super) const DISPLAY_NAME: RangeInclusive<usize> = 0..=64;

pub(in crate::contracts) fn routes() -> Routes {
    Routes::new()
        .at("/api/auth/register", post(register))
        .at("/api/auth/verify-email", post(verify_email))
        .at("/api/auth/forgot-password", post(forgot_password))
        .at("/api/auth/reset-password", post(reset_password))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RegisterRequest {
    account: Field<String>,
    password: Field<String>,
    username: Field<String>,
    email: Field<String>,
}

async fn register(
    State(app): State<App>,
    context: Context,
    Json(body): Json<RegisterRequest>,
) -> Result<Response, Failure> {
    let mut checks = Checks::new();
    let email = checks.email("email", body.email);
    let name = checks.name("account", body.account, &NAME, email.as_ref());
    let password = checks.new_password("password", body.password, &PASSWORD);
    let display_name = checks.optional_text("username", body.username, &DISPLAY_NAME).unwrap_or_default();
    let (Some(name), Some(email), Some(password)) = (name, email, password) else { return Err(checks.refuse()) };
    checks.finish()?;
    let pending = Registration { name, email: Some(email), password, display_name, role: Role::User };
    let expires_at = app.identity.request_registration(pending, context.language).await?;
    sent(expires_at)
}

/// What every endpoint that mails a code answers.
pub(super) fn sent(expires_at: OffsetDateTime) -> Result<Response, Failure> {
    success(json!({"sent": true, "expiresAt": rfc3339(expires_at)}))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct VerifyEmailRequest {
    account: Field<String>,
    code: Field<String>,
}

async fn verify_email(
    State(app): State<App>,
    context: Context,
    Json(body): Json<VerifyEmailRequest>,
) -> Result<Response, Failure> {
    let mut checks = Checks::new();
    let account = checks.text("account", body.account);
    let code = checks.code("code", body.code);
    let (Some(account), Some(code)) = (account, code) else { return Err(checks.refuse()) };
    let account = app.identity.verify_email(&account, &code).await?;
    success(json!({"created": true, "user": UserBody::of(&account, &context)}))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ForgotPasswordRequest {
    account: Field<String>,
    email: Field<String>,
}

async fn forgot_password(
    State(app): State<App>,
    context: Context,
    Json(body): Json<ForgotPasswordRequest>,
) -> Result<Response, Failure> {
    let mut checks = Checks::new();
    let account = checks.text("account", body.account);
    let email = checks.email("email", body.email);
    let (Some(account), Some(email)) = (account, email) else { return Err(checks.refuse()) };
    sent(app.identity.forgot_password(&account, &email, context.language).await)
}

#[derive(Default, Deserialize)]
#[serde(default)]
#[serde(rename_all = "camelCase")]
struct ResetPasswordRequest {
    account: Field<String>,
    code: Field<String>,
    new_password: Field<String>,
}

async fn reset_password(State(app): State<App>, Json(body): Json<ResetPasswordRequest>) -> Result<Response, Failure> {
    let mut checks = Checks::new();
    let account = checks.text("account", body.account);
    let code = checks.code("code", body.code);
    let password = checks.new_password("newPassword", body.new_password, &PASSWORD);
    let (Some(account), Some(code), Some(password)) = (account, code, password) else { return Err(checks.refuse()) };
    app.identity.reset_password(&Identifier::new(&account), &code, &password).await?;
    success(json!({"reset": true}))
}
