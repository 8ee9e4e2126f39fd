//! `GET /api/auth/me`, `PUT /api/auth/profile`, `POST /api/auth/secondary-email/request`,
//! `POST /api/auth/secondary-email/verify`.

use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post, put};
use serde::Deserialize;
use serde_json::json;

use super::register::{DISPLAY_NAME, PASSWORD, sent};
use super::{Caller, UserBody, success};
use crate::contracts::avatars;
use crate::http::{App, Checks, Context, Failure, Field, Json, Routes};
use crate::identity::ProfileChanges;

pub(in crate::contracts) fn routes() -> Routes {
    Routes::new()
        .at("/api/auth/me", get(me))
        .at("/api/auth/profile", put(update_profile))
        .at("/api/auth/secondary-email/request", post(request_secondary_email))
        .at("/api/auth/secondary-email/verify", post(verify_secondary_email))
}

async fn me(context: Context, Caller(caller): Caller) -> Result<Response, Failure> {
    success(json!({"user": UserBody::of(&caller.acting(), &context)}))
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
    let account = match password {
        Some(password) => app.identity.update_profile_and_password(caller.signed_in()?, changes, &password).await?,
        None => app.identity.update_profile(caller, changes).await?,
    };
    success(json!({"user": UserBody::of(&account, &context)}))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct SecondaryEmailRequest {
    email: Field<String>,
}

async fn request_secondary_email(
    State(app): State<App>,
    context: Context,
    Caller(caller): Caller,
    Json(body): Json<SecondaryEmailRequest>,
) -> Result<Response, Failure> {
    let mut checks = Checks::new();
    let Some(email) = checks.email("email", body.email) else { return Err(checks.refuse()) };
    sent(app.identity.request_secondary_email(&caller.signed_in()?, email, context.language).await?)
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct SecondaryEmailProof {
    email: Field<String>,
    code: Field<String>,
}

async fn verify_secondary_email(
    State(app): State<App>,
    context: Context,
    Caller(caller): Caller,
    Json(body): Json<SecondaryEmailProof>,
) -> Result<Response, Failure> {
    let mut checks = Checks::new();
    let email = checks.email("email", body.email);
    let code = checks.code("code", body.code);
    let (Some(email), Some(code)) = (email, code) else { return Err(checks.refuse()) };
    let account = app.identity.verify_secondary_email(caller.signed_in()?, &email, &code).await?;
    success(json!({"verified": true, "user": UserBody::of(&account, &context)}))
}
