//! `GET|POST /api/v1/tokens`, `DELETE /api/v1/tokens/{id}`.

use std::ops::RangeInclusive;

use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::session::Caller;
use super::{Told, success};
use crate::contracts::{DAY, rfc3339};
use crate::http::{App, Checks, Field, Json, Listing, Required, Segment, about};
use crate::identity::{ApiToken, ApiTokenId, Error, Kind, Problem, Scope, Scopes};

/// Days that a token may be good at most.
const MOST_DAYS: u32 = 3650;

/// Characters of a token's name.
const NAME: RangeInclusive<usize> = 1..=100;

pub(super) fn routes<L: Listing>() -> L {
    L::new()
        .get("/api/v1/tokens", list, about("The account's API tokens"))
        .post(
            "/api/v1/tokens",
            create,
            about("Make an API token, which is shown this once")
                .or(|| vec![Error::LimitReached, Error::NotAdministrator]),
        )
        .delete("/api/v1/tokens/{id}", revoke, about("Revoke an API token at once"))
}

#[derive(Serialize, JsonSchema)]
struct Token {
    id: String,
    name: String,
    /// What it may do.
    scopes: Vec<&'static str>,
    /// The token itself, when it is made and never again.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    #[schemars(extend("format" = "date-time"))]
    last_used: Option<String>,
    /// `null` for never.
    #[schemars(extend("format" = "date-time"))]
    expires_at: Option<String>,
    #[schemars(extend("format" = "date-time"))]
    created_at: String,
}

impl Token {
    fn of(kept: &ApiToken) -> Self {
        Self {
            id: kept.id.to_string(),
            name: kept.name.clone(),
            scopes: kept.scopes.iter().map(Scope::name).collect(),
            token: None,
            last_used: kept.last_used.map(rfc3339),
            expires_at: kept.expires_at.map(rfc3339),
            created_at: rfc3339(kept.created_at),
        }
    }
}

async fn list(State(app): State<App>, Caller(caller): Caller) -> Told<Vec<Token>> {
    let tokens = app.identity.list_api_tokens(&caller.signed_in()?).await?;
    success(tokens.iter().map(Token::of).collect())
}

#[derive(Deserialize, JsonSchema)]
struct CreateRequest {
    #[schemars(length(min = *NAME.start(), max = *NAME.end()))]
    name: Required<String>,
    /// What it may do: profile:read, profile:write, and of administrators usage:write, admin:read and admin:write, which a
    /// token has only where they are named. Absent: profile:read and profile:write.
    #[serde(default)]
    scopes: Field<Vec<String>>,
    /// Days; 0 is never.
    #[serde(default)]
    #[schemars(range(min = 0, max = MOST_DAYS))]
    expires_in: Field<i64>,
}

async fn create(State(app): State<App>, Caller(caller): Caller, Json(body): Json<CreateRequest>) -> Told<Token, 201> {
    let caller = caller.signed_in()?;
    let mut checks = Checks::new();
    let name = checks.required_text("name", body.name, &NAME);
    let scopes = scopes(&mut checks, body.scopes);
    let days = days(&mut checks, body.expires_in);
    let Some(name) = name else { return Err(checks.refuse()) };
    checks.finish()?;
    let life = days.filter(|days| *days > 0).map(|days| DAY * days);
    let (kept, token) = app.identity.create_api_token(caller, name, scopes, life).await?;
    success(Token { token: Some(token.reveal().to_owned()), ..Token::of(&kept) })
}

fn scopes(checks: &mut Checks, given: Field<Vec<String>>) -> Scopes {
    let Some(names) = checks.optional("scopes", given, Kind::Texts) else { return Scopes::default() };
    let scopes: Option<Scopes> = names.iter().map(|name| Scope::named(name)).collect();
    scopes.filter(|scopes| scopes.iter().next().is_some()).unwrap_or_else(|| {
        let known = "profile:read, profile:write, usage:read, usage:write, admin:read, admin:write";
        checks.note("scopes", Problem::NotOneOf(known), Some(names.into()));
        Scopes::default()
    })
}

fn days(checks: &mut Checks, given: Field<i64>) -> Option<u32> {
    let days = checks.optional("expires_in", given, Kind::Integer)?;
    let fitting = u32::try_from(days).ok().filter(|days| *days <= MOST_DAYS);
    if fitting.is_none() {
        checks.note("expires_in", Problem::OutOfRange(0, MOST_DAYS.into()), Some(days.into()));
    }
    fitting
}

async fn revoke(State(app): State<App>, Caller(caller): Caller, Segment(id): Segment) -> Told<()> {
    let caller = caller.signed_in()?;
    // What is no id of a token is the id of none.
    let id = ApiTokenId::parse(&id).ok_or(Error::NotFound)?;
    app.identity.revoke_api_token(&caller, id).await?;
    success(())
}
