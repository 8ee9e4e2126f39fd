//! `POST /api/v1/auth/register`, `GET /api/v1/auth/options`, `POST /api/v1/auth/password-reset/request`,
//! `POST /api/v1/auth/password-reset/confirm`.

use std::ops::RangeInclusive;

use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Sent, Told, sent, success};
use crate::contracts::{registration_refusals, too_many_requests};
use crate::http::{App, Checks, Context, Json, Listing, Required, about};
use crate::identity::{Error, Identifier, Registration, Role};

/// Characters of a login name.
pub(super) const NAME: RangeInclusive<usize> = 3..=32;
/// Characters of a password.
pub(super) const PASSWORD: RangeInclusive<usize> = 6..=64;

pub(in crate::contracts) fn routes<L: Listing>() -> L {
    L::new()
        .post("/api/v1/auth/register", register, about("Make an account").or(registration_refusals))
        .get("/api/v1/auth/options", options, about("What is open to people without an account").beyond_the_document())
        .post(
            "/api/v1/auth/password-reset/request",
            request_reset,
            about("Mail a code for another password, if there is such an account").beyond_the_document(),
        )
        .post(
            "/api/v1/auth/password-reset/confirm",
            confirm_reset,
            about("Choose another password by the code; every session of the account ends")
                .or(|| vec![Error::CodeWrong, too_many_requests()])
                .beyond_the_document(),
        )
}

#[derive(Deserialize, JsonSchema)]
struct RegisterRequest {
    #[schemars(length(min = *NAME.start(), max = *NAME.end()))]
    username: Required<String>,
    #[schemars(email)]
    email: Required<String>,
    #[schemars(length(min = *PASSWORD.start(), max = *PASSWORD.end()))]
    password: Required<String>,
}

#[derive(Serialize, JsonSchema)]
struct RegisterAnswer {
    #[schemars(extend("format" = "uuid"))]
    id: String,
    username: String,
    email: String,
}

async fn register(
    State(app): State<App>,
    context: Context,
    Json(body): Json<RegisterRequest>,
) -> Told<RegisterAnswer, 201> {
    let mut checks = Checks::new();
    let email = checks.email("email", body.email);
    let name = checks.name("username", body.username, &NAME, email.as_ref());
    let password = checks.new_password("password", body.password, &PASSWORD, app.identity.password_policy());
    let (Some(name), Some(email), Some(password)) = (name, email, password) else { return Err(checks.refuse()) };
    let registration = Registration {
        name,
        email: Some(email),
        password,
        display_name: String::new(),
        visitor: context.visitor(),
        role: Role::User,
    };
    let account = app.identity.register(registration, None).await?;
    success(RegisterAnswer {
        id: account.id.to_string(),
        username: account.name.as_str().to_owned(),
        email: account.email_text().to_owned(),
    })
}

#[derive(Serialize, JsonSchema)]
struct OptionsAnswer {
    allow_registration: bool,
}

async fn options(State(app): State<App>) -> Told<OptionsAnswer> {
    let settings = app.identity.runtime_settings().await?;
    success(OptionsAnswer { allow_registration: app.identity.allows_registration(&settings) })
}

#[derive(Deserialize, JsonSchema)]
struct ResetRequest {
    /// Name or e-mail.
    #[schemars(length(min = 1))]
    identifier: Required<String>,
}

async fn request_reset(State(app): State<App>, context: Context, Json(body): Json<ResetRequest>) -> Told<Sent> {
    let mut checks = Checks::new();
    let Some(identifier) = checks.text("identifier", body.identifier) else { return Err(checks.refuse()) };
    sent(app.identity.forgot_password_of(&Identifier::new(&identifier), &context.errand).await)
}

#[derive(Deserialize, JsonSchema)]
struct ResetProof {
    /// Name or e-mail.
    #[schemars(length(min = 1))]
    identifier: Required<String>,
    #[schemars(length(min = 1))]
    code: Required<String>,
    #[schemars(length(min = *PASSWORD.start(), max = *PASSWORD.end()))]
    new_password: Required<String>,
}

async fn confirm_reset(State(app): State<App>, context: Context, Json(body): Json<ResetProof>) -> Told<()> {
    let mut checks = Checks::new();
    let identifier = checks.text("identifier", body.identifier);
    let code = checks.code("code", body.code);
    let password = checks.new_password("new_password", body.new_password, &PASSWORD, app.identity.password_policy());
    let (Some(identifier), Some(code), Some(password)) = (identifier, code, password) else {
        return Err(checks.refuse());
    };
    app.identity.reset_password(&Identifier::new(&identifier), &code, &password, &context.visitor()).await?;
    success(())
}
