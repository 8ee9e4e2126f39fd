//! Answers whose type tells their shape, so that the documents can tell it too.

use std::marker::PhantomData;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemars::{JsonSchema, SchemaGenerator};
use serde::Serialize;
use serde_json::json;

use super::Failure;
use crate::openapi::{Operation, Output};

/// A success with a JSON body of the shape `T`.
#[derive(Debug)]
pub struct Answer<T, const STATUS: u16 = 200> {
    response: Response,
    shape: PhantomData<fn() -> T>,
}

impl<T: Serialize, const STATUS: u16> Answer<T, STATUS> {
    /// Writes the body.
    pub fn of(body: &T) -> Result<Self, Failure> {
        let text = serde_json::to_string(body).map_err(anyhow::Error::from)?;
        let status = StatusCode::from_u16(STATUS).map_err(anyhow::Error::from)?;
        let content_type = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"))];
        Ok(Self { response: (status, content_type, text).into_response(), shape: PhantomData })
    }

    /// Its headers.
    pub fn headers_mut(&mut self) -> &mut HeaderMap {
        self.response.headers_mut()
    }
}

impl<T, const STATUS: u16> IntoResponse for Answer<T, STATUS> {
    fn into_response(self) -> Response {
        self.response
    }
}

impl<T: JsonSchema, const STATUS: u16> Output for Answer<T, STATUS> {
    fn describe(operation: &mut Operation, schemas: &mut SchemaGenerator) {
        let schema = schemas.subschema_for::<T>().to_value();
        let status = StatusCode::from_u16(STATUS).unwrap_or_default();
        let description = status.canonical_reason().unwrap_or_default();
        let answer = json!({"description": description, "content": {"application/json": {"schema": schema}}});
        operation.answers(status, answer);
    }
}
