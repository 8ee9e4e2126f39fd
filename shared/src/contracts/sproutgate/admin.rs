//! `GET /api/admin/users`.

use axum::extract::State;
use axum::http::request::Parts;
use axum::response::Response;
use axum::routing::get;
use serde::Serialize;

use super::{UserBody, success};
use crate::http::{App, Checks, Failure, Routes, credentials, query_value};
use crate::identity::Problem;

/// Accounts in one answer, where the request doesn't say.
const LIMIT: u32 = 100;
/// Accounts in one answer at most.
const MOST: u32 = 500;

pub(super) fn routes() -> Routes {
    Routes::new().at("/api/admin/users", get(list_users))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ListAnswer<'a> {
    total: u64,
    users: Vec<UserBody<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

async fn list_users(State(app): State<App>, parts: Parts) -> Result<Response, Failure> {
    app.identity.authorize_administrator(admin_token(&parts).as_deref()).await?;
    let query = parts.uri.query();
    let mut checks = Checks::new();
    let limit = number(&mut checks, "limit", query_value(query, "limit"), LIMIT.into(), 1, MOST.into());
    let after = number(&mut checks, "cursor", query_value(query, "cursor"), 0, 0, u64::MAX);
    checks.finish()?;
    let page = app.identity.list_accounts(after, u32::try_from(limit).unwrap_or(MOST)).await?;
    success(ListAnswer {
        total: page.total,
        users: page.accounts.iter().map(UserBody::of).collect(),
        next_cursor: page.next.map(|number| number.to_string()),
    })
}

/// The three ways to carry it: `?token=`, `X-Admin-Token`, bearer.
fn admin_token(parts: &Parts) -> Option<String> {
    let header = parts.headers.get("x-admin-token").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let bearer = credentials::bearer(&parts.headers).map(str::to_owned);
    let places = [query_value(parts.uri.query(), "token"), header, bearer];
    places.into_iter().flatten().find(|token| !token.is_empty())
}

/// A number of the query, or what stands for it where it is absent.
fn number(checks: &mut Checks, name: &'static str, text: Option<String>, default: u64, least: u64, most: u64) -> u64 {
    let Some(text) = text else { return default };
    let read = text.parse().ok().filter(|number| (least..=most).contains(number));
    read.unwrap_or_else(|| {
        let (least, most) = (i64::try_from(least), i64::try_from(most));
        checks.note(name, Problem::OutOfRange(least.unwrap_or(0), most.unwrap_or(i64::MAX)), Some(text.into()));
        default
    })
}
