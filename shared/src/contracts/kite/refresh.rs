//! `POST /api/v1/auth/refresh`, `GET /api/v1/health`.

use axum::extract::{FromRequest, Request, State};
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;

use super::session::{REFRESH_COOKIE, session_answer};
use super::success;
use crate::http::{App, Checks, Context, Failure, Field, Json, Routes, credentials};
use crate::identity::RefreshToken;

pub(in crate::contracts) fn routes() -> Routes {
    Routes::new().at("/api/v1/auth/refresh", post(refresh)).at("/api/v1/health", get(health))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RefreshRequest {
    refresh_token: Field<String>,
}

async fn refresh(State(app): State<App>, context: Context, request: Request) -> Result<Response, Failure> {
    let (parts, body) = request.into_parts();
    let from_cookie = credentials::cookie(&parts.headers, REFRESH_COOKIE);
    let origin = credentials::check_origin(&parts, &app, &context);
    let Json(body) = Json::<RefreshRequest>::from_request(Request::from_parts(parts, body), &app).await?;
    let token = match (body.refresh_token, from_cookie) {
        (Field::Absent, Some(cookie)) => origin.map(|()| RefreshToken::new(cookie))?,
        (given, _) => {
            let mut checks = Checks::new();
            let Some(token) = checks.text("refresh_token", given) else { return Err(checks.refuse()) };
            RefreshToken::new(token)
        }
    };
    let opened = app.identity.refresh(&token).await?;
    session_answer(&opened, &app, &context)
}

async fn health() -> Result<Response, Failure> {
    success(serde_json::json!({"status": "ok"}))
}
