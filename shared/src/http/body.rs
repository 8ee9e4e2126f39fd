//! Request bodies: JSON objects of bounded size, read field by field so that every fault can be told at once.

use std::borrow::Cow;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use http_body_util::BodyExt;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Failure;
use super::context::header_text;

/// The largest JSON body, in bytes: room for every field at its longest, each character escaped.
pub const MOST_JSON: usize = 64 * 1024;
/// How much of a body is kept, in bytes: what Lambda lets through.
const MOST_TAKEN_IN: usize = 6 * 1024 * 1024;
/// How much of a body that is too large is read on, in bytes, before it is refused.
const MOST_DRAINED: usize = 64 * 1024 * 1024;

/// A JSON object as the body. No body at all counts as an empty object.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<S: Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        let (parts, body) = request.into_parts();
        let bytes = read(body, MOST_JSON).await?;
        if bytes.is_empty() {
            return parse(b"{}").map(Self);
        }
        if !is_json(&parts.headers) {
            return Err(Failure::UnsupportedMediaType);
        }
        parse(&bytes).map(Self)
    }
}

/// Takes in a whole body before anything is answered: a client that is still writing when the answer comes, because
/// the path is unknown, say, would see a broken connection instead. Lambda hands bodies over whole anyway. Beyond
/// what any endpoint takes the bytes are dropped, and beyond any reason the connection is.
pub(super) async fn take_in(body: Body) -> Result<Body, Failure> {
    read(body, MOST_TAKEN_IN).await.map(Body::from)
}

/// Reads a body of at most so many bytes.
pub(crate) async fn read(mut body: Body, most: usize) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        // A client that breaks off in the middle sent no JSON.
        let Ok(frame) = frame else { return Err(Failure::MalformedBody) };
        let Some(chunk) = frame.data_ref() else { continue };
        length += chunk.len();
        if length <= most {
            bytes.extend_from_slice(chunk);
        } else if length <= MOST_DRAINED {
            bytes = Vec::new();
        } else {
            return Err(Failure::BodyTooLarge);
        }
    }
    if length > most { Err(Failure::BodyTooLarge) } else { Ok(bytes) }
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(content_type) = header_text(headers, &header::CONTENT_TYPE) else {
        return !headers.contains_key(header::CONTENT_TYPE);
    };
    let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    media_type == "application/json" || (media_type.starts_with("application/") && media_type.ends_with("+json"))
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Failure> {
    // A struct could also be read from an array, which no contract means.
    let object = bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
    let parsed = if object { serde_json::from_slice(bytes).ok() } else { None };
    parsed.ok_or(Failure::MalformedBody)
}

/// A field that may be absent or of a wrong type without spoiling the reading of the others.
/// JSON's `null` counts as absent. Needs `#[serde(default)]`.
#[derive(Debug, Default)]
pub enum Field<T> {
    /// Not there, or `null`.
    #[default]
    Absent,
    /// Something of another type.
    Wrong(Value),
    /// A value.
    Given(T),
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Field<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        if value.is_null() {
            return Ok(Self::Absent);
        }
        // serde's word for a mismatch would be English and name Rust's types; the contract has its own.
        Ok(serde_json::from_value(value.clone()).map_or(Self::Wrong(value), Self::Given))
    }
}

impl<T: JsonSchema> JsonSchema for Field<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(schemas: &mut SchemaGenerator) -> Schema {
        schemas.subschema_for::<Option<T>>()
    }
}

impl<T> Field<T> {
    /// This field, or another spelling of it where this one is absent. One of them must be there.
    #[must_use]
    pub fn or(self, other: Self) -> Required<T> {
        match self {
            Self::Absent => Required(other),
            Self::Wrong(_) | Self::Given(_) => Required(self),
        }
    }
}

/// A field that may be absent, or `null`, which says something else. Needs `#[serde(default)]`.
#[derive(Debug)]
pub struct Nullable<T>(pub(super) Option<Field<T>>);

impl<T> Default for Nullable<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Nullable<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Field::deserialize(deserializer).map(|field| Self(Some(field)))
    }
}

impl<T: JsonSchema> JsonSchema for Nullable<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(schemas: &mut SchemaGenerator) -> Schema {
        schemas.subschema_for::<Option<T>>()
    }
}

/// A field that must be there. That it isn't is noticed when it is checked, like everything else that is wrong with it.
/// It needs no `#[serde(default)]`, by which the documents tell it from a [`Field`].
#[derive(Debug)]
pub struct Required<T>(pub(super) Field<T>);

impl<T> Default for Required<T> {
    fn default() -> Self {
        Self(Field::Absent)
    }
}

impl<T> From<Field<T>> for Required<T> {
    fn from(field: Field<T>) -> Self {
        Self(field)
    }
}

/// Reads an option, which is what serde offers where a field is absent.
impl<'de, T: DeserializeOwned> Deserialize<'de> for Required<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let field = Option::<Field<T>>::deserialize(deserializer)?;
        Ok(Self(field.unwrap_or_default()))
    }
}

impl<T: JsonSchema> JsonSchema for Required<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(schemas: &mut SchemaGenerator) -> Schema {
        schemas.subschema_for::<T>()
    }
}
