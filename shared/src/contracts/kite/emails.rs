//! `GET|POST /api/v1/emails`, `POST /api/v1/emails/verify`, `POST /api/v1/emails/promote`,
//! `POST /api/v1/emails/remove`.

use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::session::Caller;
use super::{Sent, Told, sent, success};
use crate::contracts::too_many_requests;
use crate::http::{App, Checks, Context, Failure, Json, Listing, Required, about};
use crate::identity::{Account, EmailAddress, Error};

pub(super) fn routes<L: Listing>() -> L {
    L::new()
        .get("/api/v1/emails", list, about("The account's addresses, the primary one first").beyond_the_document())
        .post(
            "/api/v1/emails",
            request,
            about("Mail a code with which the account can add an address")
                .or(|| vec![Error::LimitReached, Error::Undeliverable, too_many_requests()])
                .beyond_the_document(),
        )
        .post(
            "/api/v1/emails/verify",
            verify,
            about("Add the address whose code came back")
                .or(|| vec![Error::CodeWrong, Error::EmailTaken, Error::LimitReached, too_many_requests()])
                .beyond_the_document(),
        )
        .post(
            "/api/v1/emails/promote",
            promote,
            about("Make a further address the primary one")
                .or(|| vec![Error::NotFound, Error::AddressIsName])
                .beyond_the_document(),
        )
        .post(
            "/api/v1/emails/remove",
            remove,
            about("Give a further address free")
                .or(|| vec![Error::NotFound, Error::PrimaryAddress, Error::AddressIsName])
                .beyond_the_document(),
        )
}

#[derive(Serialize, JsonSchema)]
struct Email {
    email: String,
    verified: bool,
    primary: bool,
}

/// The account's addresses, the primary one first, the others in the order in which they came.
fn addresses(account: &Account) -> Told<Vec<Email>> {
    let primary = account.email.iter().map(|claim| Email {
        email: claim.address.as_str().to_owned(),
        verified: claim.verified,
        primary: true,
    });
    let others = account.secondary_emails.iter().map(|address| Email {
        email: address.as_str().to_owned(),
        verified: true,
        primary: false,
    });
    success(primary.chain(others).collect())
}

async fn list(Caller(caller): Caller) -> Told<Vec<Email>> {
    addresses(&caller.signed_in()?.account.account)
}

#[derive(Deserialize, JsonSchema)]
struct EmailRequest {
    #[schemars(email)]
    email: Required<String>,
}

impl EmailRequest {
    fn read(self) -> Result<EmailAddress, Failure> {
        let mut checks = Checks::new();
        checks.email("email", self.email).ok_or_else(|| checks.refuse())
    }
}

async fn request(
    State(app): State<App>,
    context: Context,
    Caller(caller): Caller,
    Json(body): Json<EmailRequest>,
) -> Told<Sent> {
    let caller = caller.signed_in()?;
    sent(app.identity.request_secondary_email(&caller, body.read()?, &context.errand).await?)
}

#[derive(Deserialize, JsonSchema)]
struct EmailProof {
    #[schemars(email)]
    email: Required<String>,
    #[schemars(length(min = 1))]
    code: Required<String>,
}

async fn verify(State(app): State<App>, Caller(caller): Caller, Json(body): Json<EmailProof>) -> Told<Vec<Email>> {
    let caller = caller.signed_in()?;
    let mut checks = Checks::new();
    let email = checks.email("email", body.email);
    let code = checks.code("code", body.code);
    let (Some(email), Some(code)) = (email, code) else { return Err(checks.refuse()) };
    addresses(&app.identity.verify_secondary_email(caller, &email, &code).await?)
}

async fn promote(State(app): State<App>, Caller(caller): Caller, Json(body): Json<EmailRequest>) -> Told<Vec<Email>> {
    let caller = caller.signed_in()?;
    addresses(&app.identity.promote_email(caller, &body.read()?).await?)
}

async fn remove(State(app): State<App>, Caller(caller): Caller, Json(body): Json<EmailRequest>) -> Told<Vec<Email>> {
    let caller = caller.signed_in()?;
    addresses(&app.identity.remove_email(caller, &body.read()?).await?)
}
