//! `GET|POST /api/v1/emails`, `POST /api/v1/emails/verify`, `POST /api/v1/emails/promote`,
//! `POST /api/v1/emails/remove`.

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::session::Caller;
use super::{sent, success};
use crate::http::{App, Checks, Context, Failure, Field, Json};
use crate::identity::{Account, EmailAddress};

#[derive(Serialize)]
struct EmailBody<'a> {
    email: &'a str,
    verified: bool,
    primary: bool,
}

/// The account's addresses, the primary one first, the others in the order in which they came.
fn addresses(account: &Account) -> Result<Response, Failure> {
    let primary = account.email.iter().map(|claim| EmailBody {
        email: claim.address.as_str(),
        verified: claim.verified,
        primary: true,
    });
    let others = account.secondary_emails.iter().map(|address| EmailBody {
        email: address.as_str(),
        verified: true,
        primary: false,
    });
    success(primary.chain(others).collect::<Vec<_>>())
}

pub(super) async fn list(Caller(caller): Caller) -> Result<Response, Failure> {
    addresses(&caller.signed_in()?.account.account)
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct EmailRequest {
    email: Field<String>,
}

impl EmailRequest {
    fn read(self) -> Result<EmailAddress, Failure> {
        let mut checks = Checks::new();
        checks.email("email", self.email).ok_or_else(|| checks.refuse())
    }
}

pub(super) async fn request(
    State(app): State<App>,
    context: Context,
    Caller(caller): Caller,
    Json(body): Json<EmailRequest>,
) -> Result<Response, Failure> {
    let caller = caller.signed_in()?;
    sent(app.identity.request_secondary_email(&caller, body.read()?, context.language).await?)
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct EmailProof {
    email: Field<String>,
    code: Field<String>,
}

pub(super) async fn verify(
    State(app): State<App>,
    Caller(caller): Caller,
    Json(body): Json<EmailProof>,
) -> Result<Response, Failure> {
    let caller = caller.signed_in()?;
    let mut checks = Checks::new();
    let email = checks.email("email", body.email);
    let code = checks.code("code", body.code);
    let (Some(email), Some(code)) = (email, code) else { return Err(checks.refuse()) };
    addresses(&app.identity.verify_secondary_email(caller, &email, &code).await?)
}

pub(super) async fn promote(
    State(app): State<App>,
    Caller(caller): Caller,
    Json(body): Json<EmailRequest>,
) -> Result<Response, Failure> {
    let caller = caller.signed_in()?;
    addresses(&app.identity.promote_email(caller, &body.read()?).await?)
}

pub(super) async fn remove(
    State(app): State<App>,
    Caller(caller): Caller,
    Json(body): Json<EmailRequest>,
) -> Result<Response, Failure> {
    let caller = caller.signed_in()?;
    addresses(&app.identity.remove_email(caller, &body.read()?).await?)
}
