//! `POST /api/v1/auth/login`, `POST /api/v1/auth/logout`.

use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use serde::Deserialize;

use super::session::{NewCaller, TERMS, clear_cookies, session_answer};
use super::success;
use crate::http::{App, Checks, Context, Failure, Field, Json, Routes};
use crate::identity::{Identifier, SignIn};

pub(in crate::contracts) fn routes() -> Routes {
    Routes::new().at("/api/v1/auth/login", post(login)).at("/api/v1/auth/logout", post(logout))
}

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct LoginRequest {
    username: Field<String>,
    password: Field<String>,
}

async fn login(State(app): State<App>, context: Context, Json(body): Json<LoginRequest>) -> Result<Response, Failure> {
    let mut checks = Checks::new();
    let username = checks.text("username", body.username);
    let password = checks.password("password", body.password);
    let (Some(username), Some(password)) = (username, password) else { return Err(checks.refuse()) };
    let identifier = Identifier::new(&username);
    let attempt = SignIn { identifier, password, terms: TERMS, visitor: context.visitor() };
    let opened = app.identity.log_in(attempt).await?;
    session_answer(&opened, &app, &context)
}

async fn logout(State(app): State<App>, context: Context, caller: NewCaller) -> Result<Response, Failure> {
    app.identity.log_out(&caller.0.signed_in()?).await?;
    let mut response = success(())?;
    clear_cookies(&mut response, &context)?;
    Ok(response)
}
