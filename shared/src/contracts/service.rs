//! What belongs to the service as a whole: `GET /.well-known/jwks.json`, `GET /.well-known/openid-configuration`.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::State;
use axum::http::{HeaderValue, header};
use schemars::JsonSchema;
use serde::Serialize;

use crate::http::{Answer, App, Failure, Listing, about};
use crate::identity::PublicKey;

pub(super) fn routes<L: Listing>() -> L {
    L::new().get("/.well-known/jwks.json", jwks, about("The keys that access tokens are signed with (RFC 7517)")).get(
        "/.well-known/openid-configuration",
        discovery,
        about("What a verifier needs to know (RFC 8414)"),
    )
}

#[derive(Serialize, JsonSchema)]
struct KeySet {
    #[schemars(with = "Vec<BTreeMap<String, String>>")]
    keys: Vec<PublicKey>,
}

/// The published keys. Verifiers may keep them for an hour.
async fn jwks(State(app): State<App>) -> Result<Answer<KeySet>, Failure> {
    let (_, keys) = app.identity.public_keys().await?;
    cacheable(Answer::of(&KeySet { keys })?)
}

#[derive(Serialize, JsonSchema)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
    id_token_signing_alg_values_supported: BTreeSet<&'static str>,
    subject_types_supported: [&'static str; 1],
    response_types_supported: [&'static str; 0],
}

/// There are no redirecting flows, so no such endpoints.
async fn discovery(State(app): State<App>) -> Result<Answer<Discovery>, Failure> {
    let (issuer, keys) = app.identity.public_keys().await?;
    let discovery = Discovery {
        jwks_uri: format!("{issuer}/.well-known/jwks.json"),
        issuer,
        id_token_signing_alg_values_supported: keys.iter().map(|key| key.alg).collect(),
        subject_types_supported: ["public"],
        response_types_supported: [],
    };
    cacheable(Answer::of(&discovery)?)
}

fn cacheable<T: Serialize>(mut answer: Answer<T>) -> Result<Answer<T>, Failure> {
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
    Ok(answer)
}
