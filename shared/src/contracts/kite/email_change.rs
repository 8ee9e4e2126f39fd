//! `POST /api/v1/auth/email-change/request`, `POST /api/v1/auth/email-change/confirm`.

use axum::extract::State;
use schemars::JsonSchema;
use serde::Deserialize;

use super::profile::Profile;
use super::session::Caller;
use super::{Sent, Told, sent, success};
use crate::contracts::too_many_requests;
use crate::http::{App, Checks, Context, Json, Listing, Required, about};
use crate::identity::Error;

pub(super) fn routes<L: Listing>() -> L {
    L::new()
        .post(
            "/api/v1/auth/email-change/request",
            request,
            about("Mail a code with which the account can make this its primary address")
                .or(|| vec![Error::AddressIsName, Error::Undeliverable, too_many_requests()])
                .beyond_the_document(),
        )
        .post(
            "/api/v1/auth/email-change/confirm",
            confirm,
            about("Make the address primary whose code came back")
                .or(|| vec![Error::CodeWrong, Error::EmailTaken, Error::AddressIsName, too_many_requests()])
                .beyond_the_document(),
        )
}

#[derive(Deserialize, JsonSchema)]
struct ChangeRequest {
    #[schemars(email)]
    new_email: Required<String>,
}

async fn request(
    State(app): State<App>,
    context: Context,
    Caller(caller): Caller,
    Json(body): Json<ChangeRequest>,
) -> Told<Sent> {
    let mut checks = Checks::new();
    let Some(email) = checks.email("new_email", body.new_email) else { return Err(checks.refuse()) };
    sent(app.identity.request_email_change(&caller.signed_in()?, email, &context.errand).await?)
}

#[derive(Deserialize, JsonSchema)]
struct ChangeProof {
    #[schemars(email)]
    new_email: Required<String>,
    #[schemars(length(min = 1))]
    code: Required<String>,
}

async fn confirm(
    State(app): State<App>,
    context: Context,
    Caller(caller): Caller,
    Json(body): Json<ChangeProof>,
) -> Told<Profile> {
    let mut checks = Checks::new();
    let email = checks.email("new_email", body.new_email);
    let code = checks.code("code", body.code);
    let (Some(email), Some(code)) = (email, code) else { return Err(checks.refuse()) };
    let account = app.identity.confirm_email_change(caller.signed_in()?, &email, &code).await?;
    success(Profile::of(&account, &context))
}
