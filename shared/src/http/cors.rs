//! Cross-origin requests: what pages of other origins may ask of each contract.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderName, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tower_http::cors::{AllowHeaders, AllowMethods, AllowOrigin, CorsLayer};

use super::failure::{RATE_LIMIT, RATE_REMAINING, axum_json};
use super::{App, Contract};
use crate::contracts;

/// How long a browser may remember a preflight's answer.
const PREFLIGHT_LIFE: Duration = Duration::from_secs(600);

/// zeaya and sproutgate carry their tokens in headers alone, so any page may ask; kite and mcphub are called with
/// credentials, so only pages of allowed origins may.
pub(super) fn layer(contract: Contract, app: &App) -> CorsLayer {
    let any_method = [Method::GET, Method::POST, Method::PUT, Method::DELETE];
    let exposed = [HeaderName::from_static("x-request-id"), header::RETRY_AFTER, RATE_LIMIT, RATE_REMAINING];
    let layer = CorsLayer::new()
        .allow_methods(AllowMethods::list(any_method))
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers(exposed)
        .max_age(PREFLIGHT_LIFE);
    match contract {
        Contract::Zeaya | Contract::Sproutgate => layer.allow_origin(AllowOrigin::any()),
        Contract::Kite | Contract::Mcphub => {
            let app = app.clone();
            let allowed =
                AllowOrigin::predicate(move |origin, _| origin.to_str().is_ok_and(|text| app.allows_origin(text)));
            layer.allow_origin(allowed).allow_credentials(true)
        }
    }
}

/// Gives a preflight's answer the contract's body: a person who tries one sees that the service is there.
pub(super) async fn fill_preflight(State(contract): State<Contract>, request: Request, next: Next) -> Response {
    let preflight = request.method() == Method::OPTIONS;
    let response = next.run(request).await;
    if !preflight {
        return response;
    }
    let (parts, _) = response.into_parts();
    let mut filled = (parts.status, axum_json(&contracts::nothing_to_say(contract))).into_response();
    for (name, value) in &parts.headers {
        if name != header::CONTENT_LENGTH && name != header::CONTENT_TYPE {
            filled.headers_mut().append(name, value.clone());
        }
    }
    filled
}
