//! `POST /api/auth/login`.

use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{TERMS, Told, User};
use crate::contracts::warnings::{Warning, warnings};
use crate::contracts::{rfc3339, sign_in_refusals};
use crate::http::{Answer, App, Checks, Context, Field, Json, Listing, Required, about};
use crate::identity::{Identifier, SignIn};

pub(in crate::contracts) fn routes<L: Listing>() -> L {
    L::new().post("/api/auth/login", login, about("Sign in by name or e-mail").or(sign_in_refusals))
}

#[derive(Deserialize, JsonSchema)]
struct LoginRequest {
    /// The name; an e-mail works too.
    #[schemars(length(min = 1))]
    account: Required<String>,
    #[schemars(length(min = 1))]
    password: Required<String>,
    /// Of the second factor, where the account has one.
    #[serde(default)]
    code: Field<String>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct LoginAnswer {
    token: String,
    #[schemars(extend("format" = "date-time"))]
    expires_at: String,
    user: User,
    /// What the person should see to; left out where there is nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<Warning>,
}

async fn login(State(app): State<App>, context: Context, Json(body): Json<LoginRequest>) -> Told<LoginAnswer> {
    let mut checks = Checks::new();
    let account = checks.text("account", body.account);
    let password = checks.password("password", body.password);
    let code = checks.optional_code("code", body.code);
    let (Some(account), Some(password)) = (account, password) else { return Err(checks.refuse()) };
    checks.finish()?;
    let identifier = Identifier::new(&account);
    let attempt = SignIn { identifier, password, code, terms: TERMS, visitor: context.visitor() };
    let opened = app.identity.log_in(attempt).await?;
    Answer::of(&LoginAnswer {
        token: opened.tokens.access.reveal().to_owned(),
        expires_at: rfc3339(opened.tokens.access_expires_at),
        user: User::of(&opened.account, &context),
        warnings: warnings(&opened.account, &app, &context),
    })
}
