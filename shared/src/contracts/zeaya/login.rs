//! `POST /api/auth/login`, `POST /api/auth/logout`.

use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use serde::Deserialize;
use serde_json::json;

use super::{NewCaller, TERMS, UserBody, success};
use crate::http::{App, Checks, Context, Failure, Field, Json, Routes};
use crate::identity::{Identifier, SignIn};
use crate::messages::Text;

pub(in crate::contracts) fn routes() -> Routes {
    Routes::new().at("/api/auth/login", post(login)).at("/api/auth/logout", post(logout))
}

#[derive(Default, Deserialize)]
#[serde(default)]
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
    let data = json!({
        "user": UserBody::of(&opened.account),
        "token": opened.tokens.access.reveal(),
        "expires_in": TERMS.access.as_secs(),
    });
    Ok(success(Some(Text::SignedIn), Some(data), context.language))
}

async fn logout(State(app): State<App>, context: Context, NewCaller(caller): NewCaller) -> Result<Response, Failure> {
    app.identity.log_out(&caller.signed_in()?).await?;
    Ok(success(Some(Text::SignedOut), None, context.language))
}
