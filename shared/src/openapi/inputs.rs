//! What the parameters take that any contract's handlers have.

use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use schemars::{JsonSchema, SchemaGenerator};

use super::{Input, Operation, Output};
use crate::http::{App, Context, Failure, Json, Query, Segment};
use crate::identity::Error;

impl Input for State<App> {
    fn describe(_: &mut Operation, _: &mut SchemaGenerator) {}
}

impl Input for Context {
    fn describe(_: &mut Operation, _: &mut SchemaGenerator) {}
}

impl Input for HeaderMap {
    fn describe(_: &mut Operation, _: &mut SchemaGenerator) {}
}

impl Input for RawQuery {
    fn describe(_: &mut Operation, _: &mut SchemaGenerator) {}
}

/// The parameters of a path are known from the path.
impl Input for Segment {
    fn describe(operation: &mut Operation, _: &mut SchemaGenerator) {
        operation.refuses([Failure::Core(Error::NotFound)]);
    }
}

impl<T: JsonSchema> Input for Query<T> {
    fn describe(operation: &mut Operation, schemas: &mut SchemaGenerator) {
        operation.takes_query::<T>(schemas);
        operation.refuses([Failure::Core(Error::Invalid(Vec::new()))]);
    }
}

impl<T: JsonSchema> Input for Json<T> {
    fn describe(operation: &mut Operation, schemas: &mut SchemaGenerator) {
        let schema = schemas.subschema_for::<T>();
        // No body at all is read as an empty object.
        let required = T::json_schema(schemas).get("required").is_some();
        operation.takes("application/json", schema.as_value(), required);
        operation.refuses([
            Failure::MalformedBody,
            Failure::Core(Error::Invalid(Vec::new())),
            Failure::BodyTooLarge,
            Failure::UnsupportedMediaType,
        ]);
    }
}

impl<O: Output> Output for Result<O, Failure> {
    fn describe(operation: &mut Operation, schemas: &mut SchemaGenerator) {
        O::describe(operation, schemas);
    }
}
