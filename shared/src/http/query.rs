//! The query of an address, read field by field like a body.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::Failure;

/// The query's parameters; each is text, and of one that stands there twice the first counts.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<S: Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let mut fields = Map::new();
        for (name, value) in form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()) {
            fields.entry(name).or_insert_with(|| Value::from(value));
        }
        let read = serde_json::from_value(Value::Object(fields)).map_err(anyhow::Error::from)?;
        Ok(Self(read))
    }
}
