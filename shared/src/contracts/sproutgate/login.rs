//! `POST /api/auth/login`.

use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use serde::{Deserialize, Serialize};

use super::{TERMS, UserBody, success};
use crate::contracts::rfc3339;
use crate::http::{App, Checks, Context, Failure, Field, Json, Routes};
use crate::identity::{Identifier, SignIn};

pub(in crate::contracts) fn routes() -> Routes {
    Routes::new().at("/api/auth/login", post(login))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct LoginRequest {
    account: Field<String>,
    password: Field<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LoginAnswer<'a> {
    token: &'a str,
    expires_at: String,
    user: UserBody<'a>,
}

async fn login(State(app): State<App>, context: Context, Json(body): Json<LoginRequest>) -> Result<Response, Failure> {
    let mut checks = Checks::new();
    let account = checks.text("account", body.account);
    let password = checks.password("password", body.password);
    let (Some(account), Some(password)) = (account, password) else { return Err(checks.refuse()) };
    let identifier = Identifier::new(&account);
    let attempt = SignIn { identifier, password, terms: TERMS, visitor: context.visitor() };
    let opened = app.identity.log_in(attempt).await?;
    success(LoginAnswer {
        token: opened.tokens.access.reveal(),
        expires_at: rfc3339(opened.tokens.access_expires_at),
        user: UserBody::of(&opened.account, &context),
    })
}
