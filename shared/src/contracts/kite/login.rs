//! `POST /api/v1/auth/login`, `POST /api/v1/auth/logout`.

use axum::extract::State;
use schemars::JsonSchema;
use serde::Deserialize;

use super::session::{NewCaller, SessionBody, TERMS, clear_cookies, session_answer};
use super::{Told, success};
use crate::http::{App, Checks, Context, Json, Listing, Required, about};
use crate::identity::{Error, Identifier, SignIn};

pub(in crate::contracts) fn routes<L: Listing>() -> L {
    L::new()
        .post(
            "/api/v1/auth/login",
            login,
            about("Sign in by name or e-mail; sets the cookies too")
                .or(|| vec![Error::WrongCredentials, Error::AccountDisabled]),
        )
        .post("/api/v1/auth/logout", logout, about("End this session at once and clear the cookies"))
}

#[derive(Deserialize, JsonSchema)]
struct LoginRequest {
    /// Name or e-mail.
    #[schemars(length(min = 1))]
    username: Required<String>,
    #[schemars(length(min = 1))]
    password: Required<String>,
}

async fn login(State(app): State<App>, context: Context, Json(body): Json<LoginRequest>) -> Told<SessionBody> {
    let mut checks = Checks::new();
    let username = checks.text("username", body.username);
    let password = checks.password("password", body.password);
    let (Some(username), Some(password)) = (username, password) else { return Err(checks.refuse()) };
    let identifier = Identifier::new(&username);
    let attempt = SignIn { identifier, password, terms: TERMS, visitor: context.visitor() };
    let opened = app.identity.log_in(attempt).await?;
    session_answer(&opened, &app, &context)
}

async fn logout(State(app): State<App>, context: Context, caller: NewCaller) -> Told<()> {
    app.identity.log_out(&caller.0.signed_in()?).await?;
    let mut answer = success(())?;
    clear_cookies(answer.headers_mut(), &context)?;
    Ok(answer)
}
