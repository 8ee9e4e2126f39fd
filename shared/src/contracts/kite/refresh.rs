//! `POST /api/v1/auth/refresh`, `GET /api/v1/health`.

use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use schemars::{JsonSchema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use super::session::{REFRESH_COOKIE, SessionBody, session_answer};
use super::{Told, success};
use crate::http::{App, Checks, Context, Failure, Field, Json, Listing, Required, about, credentials};
use crate::identity::{Error, RefreshToken};
use crate::openapi::{Input, Operation, Scheme};

pub(in crate::contracts) fn routes<L: Listing>() -> L {
    L::new()
        .post(
            "/api/v1/auth/refresh",
            refresh,
            about("Exchange the refresh token for a wholly new pair").or(|| {
                let session = [Error::TokenInvalid, Error::SessionEnded];
                session.into_iter().chain([Error::PasswordChangeRequired, Error::SecondFactorRequired]).collect()
            }),
        )
        .get("/api/v1/health", health, about("Whether the service answers").beyond_the_document())
}

/// The cookie's refresh token, if there is one, and whether the page that sends it may.
struct FromCookie {
    token: Option<String>,
    origin: Result<(), Failure>,
}

impl FromRequestParts<App> for FromCookie {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let context = Context::from_request_parts(parts, app).await?;
        let origin = credentials::check_origin(parts, app, &context);
        Ok(Self { token: credentials::cookie(&parts.headers, REFRESH_COOKIE), origin })
    }
}

impl Input for FromCookie {
    fn describe(operation: &mut Operation, _: &mut SchemaGenerator) {
        operation.secured_by(&[Scheme::RefreshCookie]);
        operation.open_to_anybody();
        operation.refuses([Failure::OriginNotAllowed]);
    }
}

#[derive(Deserialize, JsonSchema)]
struct RefreshRequest {
    /// Where it is missing the cookie's is meant.
    #[serde(default)]
    refresh_token: Field<String>,
}

async fn refresh(
    State(app): State<App>,
    context: Context,
    cookie: FromCookie,
    Json(body): Json<RefreshRequest>,
) -> Told<SessionBody> {
    let token = match (body.refresh_token, cookie.token) {
        (Field::Absent, Some(token)) => cookie.origin.map(|()| RefreshToken::new(token))?,
        (given, _) => {
            let mut checks = Checks::new();
            let given = checks.text("refresh_token", Required::from(given));
            let Some(token) = given else { return Err(checks.refuse()) };
            RefreshToken::new(token)
        }
    };
    let opened = app.identity.refresh(&token, &context.visitor()).await?;
    session_answer(&opened, &app, &context)
}

#[derive(Serialize, JsonSchema)]
struct Health {
    #[schemars(extend("const" = "ok"))]
    status: &'static str,
}

async fn health() -> Told<Health> {
    success(Health { status: "ok" })
}
