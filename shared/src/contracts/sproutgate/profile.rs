//! `GET /api/auth/me`, `PUT /api/auth/profile`, `POST /api/auth/secondary-email/request`,
//! `POST /api/auth/secondary-email/verify`.

use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::register::{AVATAR_URL, BIO, DISPLAY_NAME, PASSWORD, PHONE, Sent, sent};
use super::{Caller, Told, User, UserAnswer, user};
use crate::contracts::{avatars, too_many_requests};
use crate::http::{Answer, App, Checks, Context, Field, Json, Listing, Required, about};
use crate::identity::{Error, ProfileChanges};

pub(in crate::contracts) fn routes<L: Listing>() -> L {
    L::new()
        .get("/api/auth/me", me, about("The signed-in account"))
        .put("/api/auth/profile", update_profile, about("Change what is sent; a new password ends all other sessions"))
        .post(
            "/api/auth/secondary-email/request",
            request_secondary_email,
            about("Mail a code with which the account can add an address")
                .or(|| vec![Error::LimitReached, Error::Undeliverable, too_many_requests()]),
        )
        .post(
            "/api/auth/secondary-email/verify",
            verify_secondary_email,
            about("Add the address whose code came back")
                .or(|| vec![Error::CodeWrong, Error::EmailTaken, Error::LimitReached, too_many_requests()]),
        )
}

async fn me(context: Context, Caller(caller): Caller) -> Told<UserAnswer> {
    user(&caller.acting()?, &context)
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct UpdateRequest {
    #[serde(default)]
    #[schemars(length(min = *PASSWORD.start(), max = *PASSWORD.end()))]
    password: Field<String>,
    /// The name to show.
    #[serde(default)]
    #[schemars(length(max = *DISPLAY_NAME.end()))]
    username: Field<String>,
    #[serde(default)]
    #[schemars(length(max = *PHONE.end()))]
    phone: Field<String>,
    /// An http or https address, "" to clear it.
    #[serde(default)]
    #[schemars(length(max = AVATAR_URL))]
    avatar_url: Field<String>,
    #[serde(default)]
    #[schemars(length(max = *BIO.end()))]
    bio: Field<String>,
}

async fn update_profile(
    State(app): State<App>,
    context: Context,
    Caller(caller): Caller,
    Json(body): Json<UpdateRequest>,
) -> Told<UserAnswer> {
    let mut checks = Checks::new();
    let changes = ProfileChanges {
        display_name: checks.optional_text("username", body.username, &DISPLAY_NAME),
        phone: checks.optional_text("phone", body.phone, &PHONE),
        avatar_url: avatars::changed(
            checks.optional_url("avatarUrl", body.avatar_url, AVATAR_URL),
            &caller.account.account,
            &context,
        ),
        bio: checks.optional_text("bio", body.bio, &BIO),
        gender: None,
        birthday: None,
        language: None,
    };
    let password = checks.optional_new_password("password", body.password, &PASSWORD, app.identity.password_policy());
    checks.finish()?;
    let account = match password {
        Some(password) => app.identity.update_profile_and_password(caller.signed_in()?, changes, &password).await?,
        None => app.identity.update_profile(caller, changes).await?,
    };
    user(&account, &context)
}

#[derive(Deserialize, JsonSchema)]
struct SecondaryEmailRequest {
    #[schemars(email)]
    email: Required<String>,
}

async fn request_secondary_email(
    State(app): State<App>,
    context: Context,
    Caller(caller): Caller,
    Json(body): Json<SecondaryEmailRequest>,
) -> Told<Sent> {
    let mut checks = Checks::new();
    let Some(email) = checks.email("email", body.email) else { return Err(checks.refuse()) };
    sent(app.identity.request_secondary_email(&caller.signed_in()?, email, &context.errand).await?)
}

#[derive(Deserialize, JsonSchema)]
struct SecondaryEmailProof {
    #[schemars(email)]
    email: Required<String>,
    #[schemars(length(min = 1))]
    code: Required<String>,
}

#[derive(Serialize, JsonSchema)]
struct VerifiedAnswer {
    verified: bool,
    user: User,
}

async fn verify_secondary_email(
    State(app): State<App>,
    context: Context,
    Caller(caller): Caller,
    Json(body): Json<SecondaryEmailProof>,
) -> Told<VerifiedAnswer> {
    let mut checks = Checks::new();
    let email = checks.email("email", body.email);
    let code = checks.code("code", body.code);
    let (Some(email), Some(code)) = (email, code) else { return Err(checks.refuse()) };
    let account = app.identity.verify_secondary_email(caller.signed_in()?, &email, &code).await?;
    Answer::of(&VerifiedAnswer { verified: true, user: User::of(&account, &context) })
}
