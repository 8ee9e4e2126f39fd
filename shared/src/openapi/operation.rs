//! One operation of a document while it is put together.

use axum::http::StatusCode;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::http::Failure;

/// A way to carry a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// `Authorization: Bearer`, an access token or an API token.
    Bearer,
    /// The cookie `access_token`.
    AccessCookie,
    /// The cookie `refresh_token`.
    RefreshCookie,
    /// `X-Admin-Token`, the deployment's administrator token.
    AdminHeader,
    /// `x-auth-token`, an access token.
    TokenHeader,
    /// `?token=`
    TokenQuery,
}

impl Scheme {
    /// Its name in documents.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Bearer => "bearer",
            Self::AccessCookie => "accessCookie",
            Self::RefreshCookie => "refreshCookie",
            Self::AdminHeader => "adminHeader",
            Self::TokenHeader => "tokenHeader",
            Self::TokenQuery => "tokenQuery",
        }
    }

    /// Its definition.
    pub(super) fn definition(self) -> Value {
        let key = |place: &str, name: &str| json!({"type": "apiKey", "in": place, "name": name});
        match self {
            Self::Bearer => json!({"type": "http", "scheme": "bearer"}),
            Self::AccessCookie => key("cookie", "access_token"),
            Self::RefreshCookie => key("cookie", "refresh_token"),
            Self::AdminHeader => key("header", "X-Admin-Token"),
            Self::TokenHeader => key("header", "x-auth-token"),
            Self::TokenQuery => key("query", "token"),
        }
    }
}

/// What is known of an operation.
#[derive(Debug, Default)]
pub struct Operation {
    pub(super) parameters: Vec<Value>,
    pub(super) body: Option<Value>,
    pub(super) schemes: Vec<Scheme>,
    pub(super) anonymous: bool,
    pub(super) refusals: Vec<Failure>,
    pub(super) answers: Vec<(StatusCode, Value)>,
}

impl Operation {
    /// Takes a body of this media type and schema; `required` tells whether there must be one.
    pub(crate) fn takes(&mut self, media_type: &str, schema: &Value, required: bool) {
        self.body = Some(json!({"required": required, "content": {media_type: {"schema": schema}}}));
    }

    /// Takes the fields of this shape as parameters of the query.
    pub(crate) fn takes_query<T: JsonSchema>(&mut self, schemas: &mut SchemaGenerator) {
        let shape = T::json_schema(schemas).to_value();
        let required: Vec<_> = shape["required"].as_array().into_iter().flatten().cloned().collect();
        for (name, schema) in shape["properties"].as_object().into_iter().flatten() {
            let mut schema = schema.clone();
            let description = schema.as_object_mut().and_then(|fields| fields.remove("description"));
            drop_null(&mut schema);
            let mut parameter = Map::from_iter([
                ("name".to_owned(), json!(name)),
                ("in".to_owned(), json!("query")),
                ("required".to_owned(), json!(required.contains(&json!(name)))),
                ("schema".to_owned(), schema),
            ]);
            parameter.extend(description.map(|text| ("description".to_owned(), text)));
            self.parameters.push(Value::Object(parameter));
        }
    }

    /// Takes a header.
    pub(crate) fn takes_header(&mut self, name: &str, description: &str) {
        let schema = json!({"type": "string"});
        let parameter =
            json!({"name": name, "in": "header", "required": false, "description": description, "schema": schema});
        self.parameters.push(parameter);
    }

    /// Takes a credential in any of these ways.
    pub(crate) fn secured_by(&mut self, schemes: &[Scheme]) {
        self.schemes.extend(schemes);
    }

    /// The credential may be missing.
    pub(crate) fn open_to_anybody(&mut self) {
        self.anonymous = true;
    }

    /// May refuse in these ways.
    pub(crate) fn refuses(&mut self, failures: impl IntoIterator<Item = Failure>) {
        self.refusals.extend(failures);
    }

    /// Answers so with this status.
    pub(crate) fn answers(&mut self, status: StatusCode, answer: Value) {
        self.answers.push((status, answer));
    }
}

/// A parameter of a query is there or not, and never `null`.
fn drop_null(schema: &mut Value) {
    let Some(Value::Array(types)) = schema.get("type").cloned() else { return };
    if let [only] = types.into_iter().filter(|kind| kind != "null").collect::<Vec<_>>().as_slice() {
        schema["type"] = only.clone();
    }
}
