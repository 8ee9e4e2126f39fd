//! `POST /api/auth/register`.

use std::ops::RangeInclusive;

use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use serde::Deserialize;
use serde_json::json;

use super::{TERMS, UserBody, success};
use crate::http::{App, Checks, Context, Failure, Field, Json, Routes};
use crate::identity::{Registration, Role};
use crate::messages::Text;

/// Characters of a login name.
const NAME: RangeInclusive<usize> = 3..=20;
/// Characters of a password.
pub(super) const PASSWORD: RangeInclusive<usize> = 6..=usize::MAX;

pub(in crate::contracts) fn routes() -> Routes {
    Routes::new().at("/api/auth/register", post(register))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RegisterRequest {
    username: Field<String>,
    email: Field<String>,
    password: Field<String>,
}

async fn register(
    State(app): State<App>,
    context: Context,
    Json(body): Json<RegisterRequest>,
) -> Result<Response, Failure> {
    let mut checks = Checks::new();
    let email = checks.email("email", body.email);
    let name = checks.name("username", body.username, &NAME, email.as_ref());
    let password = checks.new_password("password", body.password, &PASSWORD);
    let (Some(name), Some(email), Some(password)) = (name, email, password) else { return Err(checks.refuse()) };
    let registration =
        Registration { name, email: Some(email), password, display_name: String::new(), role: Role::User };
    let opened = app.identity.register_and_log_in(registration, None, &TERMS, &context.visitor()).await?;
    let user = UserBody::of(&opened.account).with_create_time(&opened.account, app.zone);
    let data = json!({"user": user, "token": opened.tokens.access.reveal()});
    Ok(success(Some(Text::Registered), Some(data), context.language))
}
