//! `POST /api/auth/login`, `POST /api/auth/logout`.

use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Done, NewCaller, TERMS, Told, User, done, success};
use crate::contracts::sign_in_refusals;
use crate::contracts::warnings::{Warning, warnings};
use crate::http::{Answer, App, Checks, Context, Failure, Field, Json, Listing, Required, about};
use crate::identity::{Identifier, SignIn};
use crate::messages::Text;

pub(in crate::contracts) fn routes<L: Listing>() -> L {
    L::new().post("/api/auth/login", login, about("Sign in by name or e-mail").or(sign_in_refusals)).post(
        "/api/auth/logout",
        logout,
        about("End this session at once"),
    )
}

#[derive(Deserialize, JsonSchema)]
struct LoginRequest {
    /// Name or e-mail.
    #[schemars(length(min = 1))]
    username: Required<String>,
    #[schemars(length(min = 1))]
    password: Required<String>,
    /// Of the second factor, where the account has one.
    #[serde(default)]
    code: Field<String>,
}

#[derive(Serialize, JsonSchema)]
struct LoginAnswer {
    user: User,
    token: String,
    /// Seconds.
    expires_in: u64,
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
    let data = LoginAnswer {
        user: User::of(&opened.account),
        token: opened.tokens.access.reveal().to_owned(),
        expires_in: TERMS.access.as_secs(),
        warnings: warnings(&opened.account, &app, &context),
    };
    success(Some(Text::SignedIn), data, context.language)
}

async fn logout(
    State(app): State<App>,
    context: Context,
    NewCaller(caller): NewCaller,
) -> Result<Answer<Done>, Failure> {
    app.identity.log_out(&caller.signed_in()?).await?;
    done(Text::SignedOut, context.language)
}
