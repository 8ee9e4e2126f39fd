//! `POST /api/auth/register`.

use std::ops::RangeInclusive;

use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{TERMS, Told, User, success};
use crate::contracts::registration_refusals;
use crate::http::{App, Checks, Context, Json, Listing, Required, about};
use crate::identity::{Registration, Role};
use crate::messages::Text;

/// Characters of a login name.
const NAME: RangeInclusive<usize> = 3..=20;
/// Characters of a password.
pub(super) const PASSWORD: RangeInclusive<usize> = 6..=usize::MAX;

pub(in crate::contracts) fn routes<L: Listing>() -> L {
    L::new().post("/api/auth/register", register, about("Make an account and sign in").or(registration_refusals))
}

#[derive(Deserialize, JsonSchema)]
struct RegisterRequest {
    #[schemars(length(min = *NAME.start(), max = *NAME.end()))]
    username: Required<String>,
    #[schemars(email)]
    email: Required<String>,
    #[schemars(length(min = *PASSWORD.start()))]
    password: Required<String>,
}

#[derive(Serialize, JsonSchema)]
struct RegisterAnswer {
    user: User,
    token: String,
}

async fn register(State(app): State<App>, context: Context, Json(body): Json<RegisterRequest>) -> Told<RegisterAnswer> {
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
    let opened = app.identity.register_and_log_in(registration, None, &TERMS).await?;
    let user = User::of(&opened.account).with_create_time(&opened.account, app.zone);
    let data = RegisterAnswer { user, token: opened.tokens.access.reveal().to_owned() };
    success(Some(Text::Registered), data, context.language)
}
