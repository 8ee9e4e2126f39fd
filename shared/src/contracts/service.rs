//! What belongs to the service as a whole: `GET /.well-known/jwks.json`, `GET /.well-known/openid-configuration`.

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};

use crate::http::{App, Failure, Routes, axum_json};

pub(super) fn routes() -> Routes {
    Routes::new().at("/.well-known/jwks.json", get(jwks)).at("/.well-known/openid-configuration", get(discovery))
}

/// The published keys (RFC 7517). Verifiers may keep them for an hour.
async fn jwks(State(app): State<App>) -> Result<Response, Failure> {
    let (_, keys) = app.identity.public_keys().await?;
    Ok(cacheable(&json!({ "keys": keys })))
}

/// What a verifier needs to know of the issuer (RFC 8414); there are no redirecting flows, so no such endpoints.
async fn discovery(State(app): State<App>) -> Result<Response, Failure> {
    let (issuer, _) = app.identity.public_keys().await?;
    Ok(cacheable(&json!({
        "issuer": issuer,
        "jwks_uri": format!("{issuer}/.well-known/jwks.json"),
        "id_token_signing_alg_values_supported": ["ES256"],
        "subject_types_supported": ["public"],
        "response_types_supported": [],
    })))
}

fn cacheable(body: &Value) -> Response {
    let mut response = axum_json(body).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
    response
}
