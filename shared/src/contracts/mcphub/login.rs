//! `POST /api/auth/login`.

use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use serde::Deserialize;
use serde_json::json;

use super::{TERMS, UserBody};
use crate::http::{App, Checks, Context, Failure, Field, Json, Routes, axum_json};
use crate::identity::{Identifier, SignIn};
use crate::messages::{self, Text};

pub(in crate::contracts) fn routes() -> Routes {
    Routes::new().at("/api/auth/login", post(login))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct LoginRequest {
    username: Field<String>,
    password: Field<String>,
}

async fn login(State(app): State<App>, context: Context, Json(body): Json<LoginRequest>) -> Result<Response, Failure> {
    let mut checks = Checks::new();
    let username = checks.text("username", body.username);
    let password = checks.password("password", body.password);
    let (Some(username), Some(password)) = (username, password) else { return Err(checks.refuse()) };
    let identifier = Identifier::new(&username);
    let attempt = SignIn { identifier, password, terms: TERMS, visitor: context.visitor() };
    let opened = app.identity.log_in(attempt).await?;
    Ok(axum_json(&json!({
        "success": true,
        "message": messages::text(Text::SignedIn, context.language),
        "token": opened.tokens.access.reveal(),
        "user": UserBody::of(&opened.account),
        "isUsingDefaultPassword": opened.account.must_change_password,
    })))
}
