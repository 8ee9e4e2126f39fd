//! `GET|POST /api/auth/verify`.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use schemars::{JsonSchema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Refusal, User, render};
use crate::http::{
    Answer, App, Checks, Context, Failure, Field, Json, Listing, Required, about, axum_json, credentials, in_own_words,
};
use crate::identity::{AccessToken, Error, Gate};
use crate::openapi::{Input, Operation, Output, Scheme, shape_of};

pub(in crate::contracts) fn routes<L: Listing>() -> L {
    L::new()
        .get("/api/auth/verify", verify_bearer, about("Tell whether the bearer's token is good, and whose it is"))
        .post("/api/auth/verify", verify_body, about("Tell whether a token is good, and whose it is"))
}

/// The bearer's token, if there is one.
struct Bearer(Option<AccessToken>);

impl<S: Sync> FromRequestParts<S> for Bearer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(credentials::bearer_token(parts)))
    }
}

impl Input for Bearer {
    fn describe(operation: &mut Operation, _: &mut SchemaGenerator) {
        operation.secured_by(&[Scheme::Bearer]);
        operation.open_to_anybody();
    }
}

#[derive(Deserialize, JsonSchema)]
struct VerifyRequest {
    /// The token; where it is missing the bearer's is meant.
    #[serde(default)]
    token: Field<String>,
}

/// What a token is worth.
enum Verdict {
    Valid(Answer<ValidAnswer>),
    NotValid(Response),
}

#[derive(Serialize, JsonSchema)]
struct ValidAnswer {
    #[schemars(extend("const" = true))]
    valid: bool,
    user: User,
}

#[derive(Serialize, JsonSchema)]
struct NotValidAnswer {
    #[serde(flatten)]
    refusal: Refusal,
    #[schemars(extend("const" = false))]
    valid: bool,
}

impl IntoResponse for Verdict {
    fn into_response(self) -> Response {
        match self {
            Self::Valid(answer) => answer.into_response(),
            Self::NotValid(response) => response,
        }
    }
}

impl Output for Verdict {
    fn describe(operation: &mut Operation, schemas: &mut SchemaGenerator) {
        Answer::<ValidAnswer>::describe(operation, schemas);
        let content = json!({"application/json": {"schema": shape_of::<NotValidAnswer>(schemas)}});
        for (status, why) in [
            (StatusCode::UNAUTHORIZED, "The token is missing, not one of ours, expired, or its session is over"),
            (StatusCode::FORBIDDEN, "The account must choose its own password or set up a second factor first"),
        ] {
            operation.answers(status, json!({"description": why, "content": content}));
        }
    }
}

async fn verify_body(
    State(app): State<App>,
    context: Context,
    Bearer(bearer): Bearer,
    Json(body): Json<VerifyRequest>,
) -> Result<Verdict, Failure> {
    if let (Field::Absent, Some(token)) = (&body.token, &bearer) {
        return verify(&app, &context, Some(token)).await;
    }
    let mut checks = Checks::new();
    let Some(token) = checks.text("token", Required::from(body.token)) else { return Err(checks.refuse()) };
    verify(&app, &context, Some(&AccessToken::new(token))).await
}

async fn verify_bearer(State(app): State<App>, context: Context, Bearer(bearer): Bearer) -> Result<Verdict, Failure> {
    verify(&app, &context, bearer.as_ref()).await
}

async fn verify(app: &App, context: &Context, token: Option<&AccessToken>) -> Result<Verdict, Failure> {
    let vouched = app.identity.authenticate(token, Gate::Closed, &context.visitor()).await;
    match vouched.and_then(|vouched| vouched.acting()) {
        Ok(account) => {
            let answer = ValidAnswer { valid: true, user: User::of(&account, context) };
            Ok(Verdict::Valid(Answer::of(&answer)?))
        }
        Err(accident) if accident.is_accident() => Err(accident.into()),
        Err(refusal) => Ok(Verdict::NotValid(not_valid(refusal, context))),
    }
}

/// The contract's refusal, saying also that the token is not valid.
fn not_valid(refusal: Error, context: &Context) -> Response {
    let failure = Failure::Core(refusal);
    let (status, mut body): (StatusCode, Value) = render(&failure, context.language);
    body["valid"] = json!(false);
    in_own_words(failure, (status, axum_json(&body)).into_response())
}
