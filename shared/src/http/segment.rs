//! The part of a path that names something.

use axum::extract::path::ErrorKind;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;

use super::Failure;
use crate::identity::Error;

/// The only parameter of a path, decoded. What isn't UTF-8 names nothing, which the contract says in its own
/// words: the router's would be foreign.
pub(crate) struct Segment(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Segment {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let read = Path::<String>::from_request_parts(parts, state).await;
        read.map(|Path(text)| Self(text)).map_err(|rejection| match rejection {
            PathRejection::FailedToDeserializePathParams(failed)
                if matches!(failed.kind(), ErrorKind::InvalidUtf8InPathParam { .. }) =>
            {
                Failure::Core(Error::NotFound)
            }
            other => anyhow::Error::new(other).context("a route without its one parameter").into(),
        })
    }
}
