//! `GET /api/auth/me`, `PUT /api/auth/profile`.

use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, put};
use serde::Deserialize;
use serde_json::json;

use super::register::{DISPLAY_NAME, PASSWORD};
use super::{Caller, UserBody, success};
use crate::contracts::avatars;
use crate::http::{App, Checks, Context, Failure, Field, Json, Routes};
use crate::identity::ProfileChanges;

pub(super) fn routes() -> Routes {
    Routes::new().at("/api/auth/me", get(me)).at("/api/auth/profile", put(update_profile))
}

async fn me(context: Context, Caller(caller): Caller) -> Result<Response, Failure> {
    success(json!({"user": UserBody::of(&caller.account.account, &context)}))
}

#[derive(Default, Deserialize)]
#[serde(default)]
#[serde(rename_all = "camelCase")]
struct UpdateRequest {
    password: Field<String>,
    username: Field<String>,
    phone: Field<String>,
    avatar_url: Field<String>,
    bio: Field<String>,
}

async fn update_profile(
    State(app): State<App>,
    context: Context,
    Caller(caller): Caller,
    Json(body): Json<UpdateRequest>,
) -> Result<Response, Failure> {
    let mut checks = Checks::new();
    let changes = ProfileChanges {
        display_name: checks.optional_text("username", body.username, &DISPLAY_NAME),
        phone: checks.optional_text("phone", body.phone, &(0..=32)),
        avatar_url: avatars::changed(
            checks.optional_url("avatarUrl", body.avatar_url, 512),
            &caller.account.account,
            &context,
        ),
        bio: checks.optional_text("bio", body.bio, &(0..=4096)),
        gender: None,
        birthday: None,
    };
    let password = checks.optional_new_password("password", body.password, &PASSWORD);
    checks.finish()?;
    let account = app.identity.update_profile(caller, changes, password).await?;
    success(json!({"user": UserBody::of(&account, &context)}))
}
