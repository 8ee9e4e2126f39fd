//! `GET|POST /api/auth/verify`.

use axum::extract::{FromRequest, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;
use serde_json::json;

use super::{UserBody, render, success};
use crate::http::{App, Checks, Context, Failure, Field, Json, Routes, axum_json, credentials};
use crate::identity::{AccessToken, Error, Gate};

pub(in crate::contracts) fn routes() -> Routes {
    Routes::new().at("/api/auth/verify", get(verify_bearer).post(verify_body))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct VerifyRequest {
    token: Field<String>,
}

async fn verify_body(State(app): State<App>, context: Context, request: Request) -> Result<Response, Failure> {
    let (parts, body) = request.into_parts();
    let bearer = credentials::bearer_token(&parts);
    let Json(body) = Json::<VerifyRequest>::from_request(Request::from_parts(parts, body), &app).await?;
    if let (Field::Absent, Some(token)) = (&body.token, &bearer) {
        return verify(&app, &context, Some(token)).await;
    }
    let mut checks = Checks::new();
    let Some(token) = checks.text("token", body.token) else { return Err(checks.refuse()) };
    verify(&app, &context, Some(&AccessToken::new(token))).await
}

async fn verify_bearer(State(app): State<App>, context: Context, request: Request) -> Result<Response, Failure> {
    let (parts, _) = request.into_parts();
    verify(&app, &context, credentials::bearer_token(&parts).as_ref()).await
}

async fn verify(app: &App, context: &Context, token: Option<&AccessToken>) -> Result<Response, Failure> {
    match app.identity.authenticate(token, Gate::Closed).await {
        Ok(caller) => success(json!({"valid": true, "user": UserBody::of(&caller.acting(), context)})),
        Err(accident) if accident.is_accident() => Err(accident.into()),
        Err(refusal) => Ok(not_valid(refusal, context)),
    }
}

/// The contract's refusal, saying also that the token is not valid.
fn not_valid(refusal: Error, context: &Context) -> Response {
    let (status, mut body): (StatusCode, _) = render(&Failure::Core(refusal), context.language);
    body["valid"] = json!(false);
    (status, axum_json(&body)).into_response()
}
