//! `POST /api/auth/login`.

use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{TERMS, Told, User};
use crate::contracts::sign_in_refusals;
use crate::contracts::warnings::{Warning, warnings};
use crate::http::{Answer, App, Checks, Context, Field, Json, Listing, Required, about};
use crate::identity::{Identifier, SignIn};
use crate::messages::{self, Text};

pub(in crate::contracts) fn routes<L: Listing>() -> L {
    L::new().post("/api/auth/login", login, about("Sign in by name or e-mail").or(sign_in_refusals))
}

#[derive(Deserialize, JsonSchema)]
struct LoginRequest {
    #[schemars(length(min = 1))]
    username: Required<String>,
    #[schemars(length(min = 1))]
    password: Required<String>,
    /// Of the second factor, where the account has one.
    #[serde(default)]
    code: Field<String>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct LoginAnswer {
    #[schemars(extend("const" = true))]
    success: bool,
    message: &'static str,
    token: String,
    user: User,
    is_using_default_password: bool,
    /// What the person should see to; left out where there is nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<Warning>,
}

async fn login(State(app): State<App>, context: Context, Json(body): Json<LoginRequest>) -> Told<LoginAnswer> {
    let mut checks = Checks::new();
    let username = checks.text("username", body.username);
    let password = checks.password("password", body.password);
    let code = checks.optional_code("code", body.code);
    let (Some(username), Some(password)) = (username, password) else { return Err(checks.refuse()) };
    checks.finish()?;
    let identifier = Identifier::new(&username);
    let attempt = SignIn { identifier, password, code, terms: TERMS, visitor: context.visitor() };
    let opened = app.identity.log_in(attempt).await?;
    Answer::of(&LoginAnswer {
        success: true,
        message: messages::text(Text::SignedIn, context.language),
        token: opened.tokens.access.reveal().to_owned(),
        user: User::of(&opened.account),
        is_using_default_password: opened.account.must_change_password,
        warnings: warnings(&opened.account, &app, &context),
    })
}
