//! `POST /api/v1/auth/register`, `GET /api/v1/auth/options`.

use std::ops::RangeInclusive;

use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};

use super::{created, success};
use crate::http::{App, Checks, Failure, Field, Json, Routes};
use crate::identity::{Registration, Role};

/// Characters of a login name.
pub(super) const NAME: RangeInclusive<usize> = 3..=32;
/// Characters of a password.
pub(super) const PASSWORD: RangeInclusive<usize> = 6..=64;

pub(super) fn routes() -> Routes {
    Routes::new().at("/api/v1/auth/register", post(register)).at("/api/v1/auth/options", get(options))
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
