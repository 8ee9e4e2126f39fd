//! `GET /api/auth/user`, `POST /api/auth/change-password`.

use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::json;

use super::register::PASSWORD;
use super::{Caller, UserBody};
use crate::http::{App, Checks, Context, Failure, Field, Json, Routes, axum_json};
use crate::messages::{self, Text};

pub(in crate::contracts) fn routes() -> Routes {
    Routes::new().at("/api/auth/user", get(user)).at("/api/auth/change-password", post(change_password))
}

async fn user(Caller(caller): Caller) -> Result<Response, Failure> {
    Ok(axum_json(&json!({"success": true, "user": UserBody::of(&caller.acting())})))
}

#[derive(Default, Deserialize)]
#[serde(default)]
#[serde(rename_all = "camelCase")]
struct ChangePasswordRequest {
    current_password: Field<String>,
    new_password: Field<String>,
}

async fn change_password(
    State(app): State<App>,
    context: Context,
    Caller(caller): Caller,
    Json(body): Json<ChangePasswordRequest>,
) -> Result<Response, Failure> {
    let mut checks = Checks::new();
    let current = checks.password("currentPassword", body.current_password);
    let new = checks.new_password("newPassword", body.new_password, &PASSWORD);
    let (Some(current), Some(new)) = (current, new) else { return Err(checks.refuse()) };
    app.identity.change_password(caller.signed_in()?, &current, &new).await?;
    Ok(axum_json(&json!({"success": true, "message": messages::text(Text::PasswordUpdated, context.language)})))
}
