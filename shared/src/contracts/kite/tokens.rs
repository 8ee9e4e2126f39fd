//! `GET|POST /api/v1/tokens`, `DELETE /api/v1/tokens/{id}`.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::session::Caller;
use super::{created, success};
use crate::contracts::{DAY, rfc3339};
use crate::http::{App, Checks, Failure, Field, Json};
use crate::identity::{ApiToken, ApiTokenId, Error, Problem};

/// Days that a token may be good at most.
const MOST_DAYS: u32 = 3650;

#[derive(Serialize)]
struct TokenBody<'a> {
    id: String,
    name: &'a str,
    /// The token itself, when it is made and never again.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
    last_used: Option<String>,
    expires_at: Option<String>,
    created_at: String,
}

impl<'a> TokenBody<'a> {
    fn of(kept: &'a ApiToken) -> Self {
        Self {
            id: kept.id.to_string(),
            name: &kept.name,
            token: None,
            last_used: kept.last_used.map(rfc3339),
            expires_at: kept.expires_at.map(rfc3339),
            created_at: rfc3339(kept.created_at),
        }
    }
}

pub(super) async fn list(State(app): State<App>, Caller(caller): Caller) -> Result<Response, Failure> {
    let tokens = app.identity.list_api_tokens(&caller.signed_in()?).await?;
    success(tokens.iter().map(TokenBody::of).collect::<Vec<_>>())
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct CreateRequest {
    name: Field<String>,
    /// Days; 0 is never.
    expires_in: Field<i64>,
}

pub(super) async fn create(
    State(app): State<App>,
    Caller(caller): Caller,
    Json(body): Json<CreateRequest>,
) -> Result<Response, Failure> {
    let caller = caller.signed_in()?;
    let mut checks = Checks::new();
    let name = checks.required_text("name", body.name, &(1..=100));
    let days = days(&mut checks, body.expires_in);
    let Some(name) = name else { return Err(checks.refuse()) };
    checks.finish()?;
    let life = days.filter(|days| *days > 0).map(|days| DAY * days);
    let (kept, token) = app.identity.create_api_token(caller, name, life).await?;
    created(TokenBody { token: Some(token.reveal()), ..TokenBody::of(&kept) })
}

fn days(checks: &mut Checks, given: Field<i64>) -> Option<u32> {
    let days = checks.optional("expires_in", given, "integer")?;
    let fitting = u32::try_from(days).ok().filter(|days| *days <= MOST_DAYS);
    if fitting.is_none() {
        checks.note("expires_in", Problem::OutOfRange(0, MOST_DAYS.into()), Some(days.into()));
    }
    fitting
}

pub(super) async fn revoke(
    State(app): State<App>,
    Caller(caller): Caller,
    id: Result<Path<ApiTokenId>, PathRejection>,
) -> Result<Response, Failure> {
    let caller = caller.signed_in()?;
    // What is no id of a token is the id of none.
    let Ok(Path(id)) = id else { return Err(Error::NotFound.into()) };
    app.identity.revoke_api_token(&caller, id).await?;
    success(())
}
