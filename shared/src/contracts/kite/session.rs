//! What kite's sign-in hands out, and how its requests carry it back.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use cookie::time::Duration as CookieDuration;
use cookie::{Cookie, SameSite};
use schemars::{JsonSchema, SchemaGenerator};
use serde::Serialize;
use time::OffsetDateTime;

use super::profile::RoleName;
use super::{Told, success};
use crate::contracts::warnings::{Warning, warnings};
use crate::contracts::{DAY, HOUR, callers, callers_without_factor, rfc3339};
use crate::http::{App, Context, Failure, credentials};
use crate::identity::{AccessToken, Error, Gate, Opened, RefreshTerms, SessionTerms, Vouched};
use crate::openapi::{Input, Operation, Scheme};

/// Access tokens live 2 hours; refresh tokens 7 days, and a session 90 however often it is refreshed.
pub(super) const TERMS: SessionTerms = SessionTerms {
    access: HOUR.saturating_mul(2),
    refresh: Some(RefreshTerms { idle: DAY.saturating_mul(7), absolute: DAY.saturating_mul(90) }),
};

const ACCESS_COOKIE: &str = "access_token";
pub(super) const REFRESH_COOKIE: &str = "refresh_token";
const REFRESH_PATH: &str = "/api/v1/auth";

#[derive(Serialize, JsonSchema)]
pub(super) struct SessionBody {
    access_token: String,
    refresh_token: String,
    /// Seconds.
    expires_in: i64,
    #[schemars(extend("const" = "Bearer"))]
    token_type: &'static str,
    #[schemars(extend("format" = "date-time"))]
    expires_at: String,
    #[schemars(extend("format" = "date-time"))]
    refresh_expires_at: String,
    user: SessionUser,
    /// What the person should see to; left out where there is nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<Warning>,
}

#[derive(Serialize, JsonSchema)]
struct SessionUser {
    #[schemars(extend("format" = "uuid"))]
    id: String,
    username: String,
    /// "" if the account has none.
    email: String,
    role: RoleName,
    password_must_change: bool,
}

/// The token pair with its account, and the same pair as cookies.
pub(super) fn session_answer(opened: &Opened, app: &App, context: &Context) -> Told<SessionBody> {
    session_answer_as(std::convert::identity, opened, app, context)
}

/// The same as one of several shapes that an endpoint answers in.
pub(super) fn session_answer_as<T: Serialize>(
    shape: fn(SessionBody) -> T,
    opened: &Opened,
    app: &App,
    context: &Context,
) -> Told<T> {
    let Some((refresh, refresh_expires_at)) = &opened.tokens.refresh else {
        return Err(anyhow::anyhow!("a session without refresh token").into());
    };
    let (account, access, access_expires_at) =
        (&opened.account, &opened.tokens.access, opened.tokens.access_expires_at);
    let now = app.identity.now();
    let mut answer = success(shape(SessionBody {
        access_token: access.reveal().to_owned(),
        refresh_token: refresh.reveal().to_owned(),
        expires_in: seconds_until(access_expires_at, now),
        token_type: "Bearer",
        expires_at: rfc3339(access_expires_at),
        refresh_expires_at: rfc3339(*refresh_expires_at),
        user: SessionUser {
            id: account.id.to_string(),
            username: account.name.as_str().to_owned(),
            email: account.email_text().to_owned(),
            role: account.role.into(),
            password_must_change: account.must_change_password,
        },
        warnings: warnings(account, app, context),
    }))?;
    let headers = answer.headers_mut();
    set_cookie(headers, access_cookie(access.reveal(), access_expires_at, now, context))?;
    set_cookie(headers, refresh_cookie(refresh.reveal(), *refresh_expires_at, now, context))?;
    Ok(answer)
}

/// Makes the browser forget both cookies.
pub(super) fn clear_cookies(headers: &mut HeaderMap, context: &Context) -> Result<(), Failure> {
    let gone = OffsetDateTime::UNIX_EPOCH;
    set_cookie(headers, access_cookie("", gone, gone, context))?;
    set_cookie(headers, refresh_cookie("", gone, gone, context))
}

fn seconds_until(instant: OffsetDateTime, now: OffsetDateTime) -> i64 {
    instant.unix_timestamp() - now.unix_timestamp()
}

fn access_cookie(value: &str, until: OffsetDateTime, now: OffsetDateTime, context: &Context) -> String {
    cookie(ACCESS_COOKIE, value, "/".to_owned(), SameSite::Lax, seconds_until(until, now), context)
}

fn refresh_cookie(value: &str, until: OffsetDateTime, now: OffsetDateTime, context: &Context) -> String {
    // The browser sees the path with the mount, so the cookie's must carry it.
    let path = format!("{}{REFRESH_PATH}", context.mount);
    cookie(REFRESH_COOKIE, value, path, SameSite::Strict, seconds_until(until, now), context)
}

fn cookie(name: &str, value: &str, path: String, same_site: SameSite, seconds: i64, context: &Context) -> String {
    Cookie::build((name, value))
        .path(path)
        .http_only(true)
        .same_site(same_site)
        .secure(context.arrival.secure)
        .max_age(CookieDuration::seconds(seconds))
        .to_string()
}

fn set_cookie(headers: &mut HeaderMap, cookie: String) -> Result<(), Failure> {
    let value = HeaderValue::from_str(&cookie).map_err(anyhow::Error::from)?;
    headers.append(header::SET_COOKIE, value);
    Ok(())
}

/// The access token of a request: the bearer token, else the cookie (whose changes must come from our own pages).
pub(super) fn presented(parts: &Parts, app: &App, context: &Context) -> Result<Option<AccessToken>, Failure> {
    if let Some(token) = credentials::bearer_token(parts) {
        return Ok(Some(token));
    }
    let Some(token) = credentials::cookie(&parts.headers, ACCESS_COOKIE) else { return Ok(None) };
    credentials::check_origin(parts, app, context)?;
    Ok(Some(AccessToken::new(token)))
}

/// A signed-in person, or a program with their API token.
pub(super) struct Caller(pub(super) Vouched);

/// A signed-in person who may yet have to choose their own password.
pub(super) struct NewCaller(pub(super) Vouched);

/// A signed-in person who may yet have to set up the second factor that the account must have.
pub(super) struct SettingUp(pub(super) Vouched);

impl FromRequestParts<App> for Caller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        authenticate(parts, app, Gate::Closed).await.map(Self)
    }
}

impl FromRequestParts<App> for NewCaller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        authenticate(parts, app, Gate::Open).await.map(Self)
    }
}

impl FromRequestParts<App> for SettingUp {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        authenticate(parts, app, Gate::SettingUp).await.map(Self)
    }
}

impl Input for SettingUp {
    fn describe(operation: &mut Operation, _: &mut SchemaGenerator) {
        describe_credentials(operation);
        operation.refuses(callers_without_factor());
    }
}

impl Input for Caller {
    fn describe(operation: &mut Operation, _: &mut SchemaGenerator) {
        describe_credentials(operation);
        operation.refuses(callers());
    }
}

impl Input for NewCaller {
    fn describe(operation: &mut Operation, _: &mut SchemaGenerator) {
        describe_credentials(operation);
        let refusals = [Error::TokenMissing, Error::TokenInvalid, Error::SessionEnded, Error::ScopeMissing];
        operation.refuses(refusals.map(Failure::Core));
    }
}

/// How requests carry an access token, and how a page is refused that may not send its cookie.
pub(super) fn describe_credentials(operation: &mut Operation) {
    operation.secured_by(&[Scheme::Bearer, Scheme::AccessCookie]);
    operation.refuses([Failure::OriginNotAllowed]);
}

async fn authenticate(parts: &mut Parts, app: &App, gate: Gate) -> Result<Vouched, Failure> {
    let context = Context::from_request_parts(parts, app).await?;
    let token = presented(parts, app, &context)?;
    Ok(app.identity.authenticate(token.as_ref(), gate, &context.visitor()).await?)
}
