//! `POST /api/auth/login`, `POST /api/auth/logout`.

use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Done, NewCaller, TERMS, Told, User, done, success};
use crate::http::{Answer, App, Checks, Context, Failure, Json, Listing, Required, about};
use crate::identity::{Error, Identifier, SignIn};
use crate::messages::Text;

pub(in crate::contracts) fn routes<L: Listing>() -> L {
    L::new()
        .post(
            "/api/auth/login",
            login,
            about("Sign in by name or e-mail").or(|| vec![Error::WrongCredentials, Error::AccountDisabled]),
        )
        .post("/api/auth/logout", logout, about("End this session at once"))
}

#[derive(Deserialize, JsonSchema)]
struct LoginRequest {
    /// Name or e-mail.
    #[schemars(length(min = 1))]
    username: Required<String>,
    #[schemars(length(min = 1))]
    password: Required<String>,
}

#[derive(Serialize, JsonSchema)]
struct LoginAnswer {
    user: User,
    token: String,
    /// Seconds.
    expires_in: u64,
}

async fn login(State(app): State<App>, context: Context, Json(body): Json<LoginRequest>) -> Told<LoginAnswer> {
    let mut checks = Checks::new();
    let username = checks.text("username", body.username);
    let password = checks.password("password", body.password);
    let (Some(username), Some(password)) = (username, password) else { return Err(checks.refuse()) };
    let identifier = Identifier::new(&username);
    let attempt = SignIn { identifier, password, terms: TERMS, visitor: context.visitor() };
    let opened = app.identity.log_in(attempt).await?;
    let data = LoginAnswer {
        user: User::of(&opened.account),
        token: opened.tokens.access.reveal().to_owned(),
        expires_in: TERMS.access.as_secs(),
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
