//! `POST /api/v1/auth/login`, `POST /api/v1/auth/logout`, and a route of [`super::second_factor`].

use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::session::{NewCaller, SessionBody, TERMS, clear_cookies, session_answer_as};
use super::{Told, second_factor, success};
use crate::contracts::{rfc3339, too_many_requests};
use crate::http::{App, Checks, Context, Field, Json, Listing, Required, about};
use crate::identity::{Entrance, Error, Identifier, SignIn};

pub(in crate::contracts) fn routes<L: Listing>() -> L {
    L::new()
        .post(
            "/api/v1/auth/login",
            login,
            about("Sign in by name or e-mail; sets the cookies too").or(|| {
                vec![Error::WrongCredentials, Error::AccountDisabled, Error::SecondFactorWrong, too_many_requests()]
            }),
        )
        .post("/api/v1/auth/logout", logout, about("End this session at once and clear the cookies"))
        .and(second_factor::login_routes())
}

#[derive(Deserialize, JsonSchema)]
struct LoginRequest {
    /// Name or e-mail.
    #[schemars(length(min = 1))]
    username: Required<String>,
    #[schemars(length(min = 1))]
    password: Required<String>,
    /// Of the second factor, for clients that ask for all of it at once.
    #[serde(default)]
    code: Field<String>,
}

#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
enum LoginAnswer {
    Opened(SessionBody),
    Waiting(Waiting),
}

/// The password was right, and the account has a second factor: nothing is open before its code came to
/// `/api/v1/auth/2fa/verify`.
#[derive(Serialize, JsonSchema)]
struct Waiting {
    #[schemars(extend("const" = true))]
    pending_2fa: bool,
    challenge_token: String,
    #[schemars(extend("format" = "date-time"))]
    expires_at: String,
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
    match app.identity.begin_log_in(attempt).await? {
        Entrance::Opened(opened) => session_answer_as(LoginAnswer::Opened, &opened, &app, &context),
        Entrance::Waiting { token, expires_at } => {
            let (challenge_token, expires_at) = (token.reveal().to_owned(), rfc3339(expires_at));
            success(LoginAnswer::Waiting(Waiting { pending_2fa: true, challenge_token, expires_at }))
        }
    }
}

async fn logout(State(app): State<App>, context: Context, caller: NewCaller) -> Told<()> {
    app.identity.log_out(&caller.0.signed_in()?).await?;
    let mut answer = success(())?;
    clear_cookies(answer.headers_mut(), &context)?;
    Ok(answer)
}
