//! `GET|PUT /api/v1/profile`, `POST /api/v1/auth/change-password`, `POST /api/v1/auth/first-login-reset`,
//! and the routes of [`super::email_change`], [`super::emails`], [`super::sessions`] and [`super::tokens`].

use std::ops::RangeInclusive;

use axum::extract::State;
use axum::response::Response;
use axum::routing::{delete, get, post};
use serde::{Deserialize, Serialize};

use super::register::{NAME, PASSWORD};
use super::session::{Caller, NewCaller, TERMS, session_answer};
use super::{email_change, emails, sessions, success, tokens};
use crate::contracts::{avatars, rfc3339};
use crate::http::{App, Checks, Context, Failure, Field, Json, Routes};
use crate::identity::{Account, EmailChange, FirstLoginReset, ProfileChanges, Role};

/// Characters of a nickname.
pub(super) const NICKNAME: RangeInclusive<usize> = 0..=32;

pub(in crate::contracts) fn routes() -> Routes {
    Routes::new()
        .at("/api/v1/profile", get(profile).put(update_profile))
        .at("/api/v1/auth/change-password", post(change_password))
        .at("/api/v1/auth/first-login-reset", post(first_login_reset))
        .at("/api/v1/tokens", get(tokens::list).post(tokens::create))
        .at("/api/v1/tokens/{id}", delete(tokens::revoke))
        .at("/api/v1/emails", get(emails::list).post(emails::request))
        .at("/api/v1/emails/verify", post(emails::verify))
        .at("/api/v1/emails/promote", post(emails::promote))
        .at("/api/v1/emails/remove", post(emails::remove))
        .at("/api/v1/sessions", get(sessions::list).delete(sessions::end_others))
        .at("/api/v1/sessions/{id}", delete(sessions::end))
        .at("/api/v1/auth/email-change/request", post(email_change::request))
        .at("/api/v1/auth/email-change/confirm", post(email_change::confirm))
}

#[derive(Serialize)]
pub(super) struct ProfileBody<'a> {
    id: String,
    user_id: String,
    username: &'a str,
    nickname: &'a str,
    email: &'a str,
    /// An address that takes its place once the code comes back that was mailed there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pending_email: Option<&'a str>,
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
            pending_email: None,
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
    success(ProfileBody::of(&caller.0.acting(), &context))
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
    Caller(caller): Caller,
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
    let by = caller.by.clone();
    let (caller, pending_email) = match &email {
        None => (caller, None),
        Some(email) => match app.identity.change_email(caller.signed_in()?, email, context.language).await? {
            EmailChange::Done(caller) => (caller.into(), None),
            EmailChange::Pending(caller) => (caller.into(), Some(email.as_str())),
        },
    };
    let account = by.narrow(app.identity.update_profile(caller, changes).await?);
    success(ProfileBody { pending_email, ..ProfileBody::of(&account, &context) })
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
    app.identity.change_password(caller.signed_in()?, &current, &new).await?;
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
    let opened = app.identity.first_login_reset(caller.signed_in()?, reset, &TERMS, &context.visitor()).await?;
    session_answer(&opened, &app, &context)
}
