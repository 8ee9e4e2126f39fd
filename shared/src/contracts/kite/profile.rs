//! `GET|PUT /api/v1/profile`, `POST /api/v1/auth/change-password`, `POST /api/v1/auth/first-login-reset`.

use std::ops::RangeInclusive;

use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};

use super::register::{NAME, PASSWORD};
use super::session::{Caller, NewCaller, TERMS, session_answer};
use super::success;
use crate::contracts::{avatars, rfc3339};
use crate::http::{App, Checks, Context, Failure, Field, Json, Routes};
use crate::identity::{Account, FirstLoginReset, ProfileChanges, Role};

/// Characters of a nickname.
pub(super) const NICKNAME: RangeInclusive<usize> = 0..=32;

pub(super) fn routes() -> Routes {
    Routes::new()
        .at("/api/v1/profile", get(profile).put(update_profile))
        .at("/api/v1/auth/change-password", post(change_password))
        .at("/api/v1/auth/first-login-reset", post(first_login_reset))
}

#[derive(Serialize)]
pub(super) struct ProfileBody<'a> {
    id: String,
    user_id: String,
    username: &'a str,
    nickname: &'a str,
    email: &'a str,
    avatar_url: String,
    role: Role,
    /// Bytes; -1 is unlimited.
    storage_limit: i64,
    /// Bytes.
    storage_used: i64,
    is_active: bool,
    password_must_change: bool,
    has_local_password: bool,
    totp_enabled: bool,
    created_at: String,
}

impl<'a> ProfileBody<'a> {
    pub(super) fn of(account: &'a Account, context: &Context) -> Self {
        Self {
            id: account.id.to_string(),
            user_id: account.id.to_string(),
            username: account.name.as_str(),
            nickname: account.display_name(),
            email: account.email_text(),
            avatar_url: avatars::address_of(account, context),
            role: account.role,
            storage_limit: account.storage_limit,
            storage_used: account.storage_used,
            is_active: account.active,
            password_must_change: account.must_change_password,
            // Every account of the pool has a password, and none has a second factor yet.
            has_local_password: true,
            totp_enabled: false,
            created_at: rfc3339(account.created_at),
        }
    }
}

async fn profile(context: Context, caller: NewCaller) -> Result<Response, Failure> {
    success(ProfileBody::of(&caller.0.account.account, &context))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct UpdateRequest {
    nickname: Field<String>,
    email: Field<String>,
    avatar_url: Field<String>,
}

async fn update_profile(
    State(app): State<App>,
    context: Context,
    Caller(mut caller): Caller,
    Json(body): Json<UpdateRequest>,
) -> Result<Response, Failure> {
    let mut checks = Checks::new();
    let changes = ProfileChanges {
        display_name: checks.optional_text("nickname", body.nickname, &NICKNAME),
        avatar_url: avatars::changed(
            checks.optional_url("avatar_url", body.avatar_url, 512),
            &caller.account.account,
            &context,
        ),
        ..ProfileChanges::default()
    };
    let email = match body.email {
        Field::Absent => None,
        given => checks.email("email", given),
    };
    checks.finish()?;
    if let Some(email) = email {
        caller = app.identity.change_unproved_email(caller, email).await?;
    }
    let account = app.identity.update_profile(caller, changes, None).await?;
    success(ProfileBody::of(&account, &context))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ChangePasswordRequest {
    old_password: Field<String>,
    current_password: Field<String>,
    new_password: Field<String>,
}

async fn change_password(
    State(app): State<App>,
    Caller(caller): Caller,
    Json(body): Json<ChangePasswordRequest>,
) -> Result<Response, Failure> {
    let mut checks = Checks::new();
    let current = checks.password("old_password", body.old_password.or(body.current_password));
    let new = checks.new_password("new_password", body.new_password, &PASSWORD);
    let (Some(current), Some(new)) = (current, new) else { return Err(checks.refuse()) };
    app.identity.change_password(caller, &current, &new).await?;
    success(())
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct FirstLoginRequest {
    username: Field<String>,
    email: Field<String>,
    password: Field<String>,
    new_username: Field<String>,
    new_email: Field<String>,
    new_password: Field<String>,
}

async fn first_login_reset(
    State(app): State<App>,
    context: Context,
    NewCaller(caller): NewCaller,
    Json(body): Json<FirstLoginRequest>,
) -> Result<Response, Failure> {
    let mut checks = Checks::new();
    let email = checks.email("email", body.email.or(body.new_email));
    let name = checks.name("username", body.username.or(body.new_username), &NAME, email.as_ref());
    let password = checks.new_password("password", body.password.or(body.new_password), &PASSWORD);
    let (Some(name), Some(email), Some(password)) = (name, email, password) else { return Err(checks.refuse()) };
    let reset = FirstLoginReset { name, email, password };
    let opened = app.identity.first_login_reset(caller, reset, &TERMS, &context.visitor()).await?;
    session_answer(&opened, &app, &context)
}
