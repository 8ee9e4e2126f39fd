//! `POST /api/v1/auth/register`, `GET /api/v1/auth/options`, `POST /api/v1/auth/password-reset/request`,
//! `POST /api/v1/auth/password-reset/confirm`.

use std::ops::RangeInclusive;

use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};

use super::{created, sent, success};
use crate::http::{App, Checks, Context, Failure, Field, Json, Routes};
use crate::identity::{Identifier, Registration, Role};

/// Characters of a login name.
pub(super) const NAME: RangeInclusive<usize> = 3..=32;
/// Characters of a password.
pub(super) const PASSWORD: RangeInclusive<usize> = 6..=64;

pub(in crate::contracts) fn routes() -> Routes {
    Routes::new()
        .at("/api/v1/auth/register", post(register))
        .at("/api/v1/auth/options", get(options))
        .at("/api/v1/auth/password-reset/request", post(request_reset))
        .at("/api/v1/auth/password-reset/confirm", post(confirm_reset))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RegisterRequest {
    username: Field<String>,
    email: Field<String>,
    password: Field<String>,
}

#[derive(Serialize)]
struct RegisterAnswer<'a> {
    id: String,
    username: &'a str,
    email: &'a str,
}

async fn register(State(app): State<App>, Json(body): Json<RegisterRequest>) -> Result<Response, Failure> {
    let mut checks = Checks::new();
    let email = checks.email("email", body.email);
    let name = checks.name("username", body.username, &NAME, email.as_ref());
    let password = checks.new_password("password", body.password, &PASSWORD);
    let (Some(name), Some(email), Some(password)) = (name, email, password) else { return Err(checks.refuse()) };
    let registration =
        Registration { name, email: Some(email), password, display_name: String::new(), role: Role::User };
    let account = app.identity.register(registration, None).await?;
    created(RegisterAnswer { id: account.id.to_string(), username: account.name.as_str(), email: account.email_text() })
}

#[derive(Serialize)]
struct OptionsAnswer {
    allow_registration: bool,
}

async fn options(State(app): State<App>) -> Result<Response, Failure> {
    success(OptionsAnswer { allow_registration: app.identity.allows_registration() })
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ResetRequest {
    identifier: Field<String>,
}

async fn request_reset(
    State(app): State<App>,
    context: Context,
    Json(body): Json<ResetRequest>,
) -> Result<Response, Failure> {
    let mut checks = Checks::new();
    let Some(identifier) = checks.text("identifier", body.identifier) else { return Err(checks.refuse()) };
    sent(app.identity.forgot_password_of(&Identifier::new(&identifier), context.language).await)
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ResetProof {
    identifier: Field<String>,
    code: Field<String>,
    new_password: Field<String>,
}

async fn confirm_reset(State(app): State<App>, Json(body): Json<ResetProof>) -> Result<Response, Failure> {
    let mut checks = Checks::new();
    let identifier = checks.text("identifier", body.identifier);
    let code = checks.code("code", body.code);
    let password = checks.new_password("new_password", body.new_password, &PASSWORD);
    let (Some(identifier), Some(code), Some(password)) = (identifier, code, password) else {
        return Err(checks.refuse());
    };
    app.identity.reset_password(&Identifier::new(&identifier), &code, &password).await?;
    success(())
}
