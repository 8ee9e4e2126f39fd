//! `POST /api/v1/auth/email-change/request`, `POST /api/v1/auth/email-change/confirm`.

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;

use super::profile::ProfileBody;
use super::session::Caller;
use super::{sent, success};
use crate::http::{App, Checks, Context, Failure, Field, Json};

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct ChangeRequest {
    new_email: Field<String>,
}

pub(super) async fn request(
    State(app): State<App>,
    context: Context,
    Caller(caller): Caller,
    Json(body): Json<ChangeRequest>,
) -> Result<Response, Failure> {
    let mut checks = Checks::new();
    let Some(email) = checks.email("new_email", body.new_email) else { return Err(checks.refuse()) };
    sent(app.identity.request_email_change(&caller.signed_in()?, email, context.language).await?)
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct ChangeProof {
    new_email: Field<String>,
    code: Field<String>,
}

pub(super) async fn confirm(
    State(app): State<App>,
    context: Context,
    Caller(caller): Caller,
    Json(body): Json<ChangeProof>,
) -> Result<Response, Failure> {
    let mut checks = Checks::new();
    let email = checks.email("new_email", body.new_email);
    let code = checks.code("code", body.code);
    let (Some(email), Some(code)) = (email, code) else { return Err(checks.refuse()) };
    let account = app.identity.confirm_email_change(caller.signed_in()?, &email, &code).await?;
    success(ProfileBody::of(&account, &context))
}
