//! `POST /api/auth/register`.

use std::ops::RangeInclusive;

use axum::extract::{FromRequest, Request, State};
use axum::response::Response;
use axum::routing::post;
use serde::Deserialize;
use serde_json::json;

use super::{TERMS, UserBody, presented};
use crate::http::{App, Checks, Context, Failure, Field, Json, Routes, axum_json};
use crate::identity::{Registration, Role};

/// Characters of a login name; the document sets no bounds, so the pool's own do.
const NAME: RangeInclusive<usize> = 1..=64;
/// Characters of a password.
pub(super) const PASSWORD: RangeInclusive<usize> = 6..=usize::MAX;

pub(in crate::contracts) fn routes() -> Routes {
    Routes::new().at("/api/auth/register", post(register))
}

#[derive(Default, Deserialize)]
#[serde(default)]
#[serde(rename_all = "camelCase")]
struct RegisterRequest {
    username: Field<String>,
    password: Field<String>,
    is_admin: Field<bool>,
}

async fn register(State(app): State<App>, context: Context, request: Request) -> Result<Response, Failure> {
    let (parts, body) = request.into_parts();
    let token = presented(&parts);
    let Json(body) = Json::<RegisterRequest>::from_request(Request::from_parts(parts, body), &app).await?;
    let mut checks = Checks::new();
    let name = checks.name("username", body.username, &NAME, None);
    let password = checks.new_password("password", body.password, &PASSWORD);
    let admin = checks.optional("isAdmin", body.is_admin, "boolean").unwrap_or(false);
    let (Some(name), Some(password)) = (name, password) else { return Err(checks.refuse()) };
    checks.finish()?;
    // A token matters only to an administrator; a stale one doesn't keep anybody from registering.
    let by = app.identity.administrator_behind(token.as_ref()).await?;
    let role = if admin { Role::Admin } else { Role::User };
    let registration = Registration { name, email: None, password, display_name: String::new(), role };
    let opened = app.identity.register_and_log_in(registration, by.as_ref(), &TERMS, &context.visitor()).await?;
    Ok(axum_json(&json!({
        "success": true,
        "token": opened.tokens.access.reveal(),
        "user": UserBody::of(&opened.account),
    })))
}
