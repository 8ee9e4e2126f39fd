//! `GET /api/v1/admin/users`.

use axum::extract::State;
use axum::http::request::Parts;
use axum::response::Response;
use axum::routing::get;
use serde::Serialize;

use super::profile::ProfileBody;
use super::session::presented;
use super::success;
use crate::http::{App, Checks, Context, Failure, Routes, query_value};
use crate::identity::{AccessToken, Problem};

/// Accounts on a page, where the request doesn't say.
const PAGE_SIZE: u32 = 20;
/// Accounts on a page at most.
const MOST_ON_A_PAGE: u32 = 100;

pub(super) fn routes() -> Routes {
    Routes::new().at("/api/v1/admin/users", get(list_users))
}

#[derive(Serialize)]
struct ListAnswer<'a> {
    items: Vec<ProfileBody<'a>>,
    total: u64,
    page: u32,
    size: u32,
}

async fn list_users(State(app): State<App>, context: Context, parts: Parts) -> Result<Response, Failure> {
    let token = presented(&parts, &app, &context)?;
    app.identity.authorize_administrator(token.as_ref().map(AccessToken::reveal)).await?;
    let mut checks = Checks::new();
    let page = number(&mut checks, &parts, "page", 1, u32::MAX / MOST_ON_A_PAGE);
    let size = number(&mut checks, &parts, "size", PAGE_SIZE, MOST_ON_A_PAGE);
    checks.finish()?;
    let listed = app.identity.list_accounts_by_page(page, size).await?;
    let items = listed.accounts.iter().map(ProfileBody::of).collect();
    success(ListAnswer { items, total: listed.total, page, size })
}

/// A query parameter that counts from 1, or what stands for it where it is absent.
fn number(checks: &mut Checks, parts: &Parts, name: &'static str, default: u32, most: u32) -> u32 {
    let Some(text) = query_value(parts.uri.query(), name) else { return default };
    let read = text.parse().ok().filter(|number| (1..=most).contains(number));
    read.unwrap_or_else(|| {
        checks.note(name, Problem::OutOfRange(1, i64::from(most)), Some(text.into()));
        default
    })
}
