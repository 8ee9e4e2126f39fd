//! `GET|DELETE /api/v1/sessions`, `DELETE /api/v1/sessions/{id}`,
//! `DELETE /api/v1/admin/users/{id}/sessions`.

use axum::extract::State;
use schemars::JsonSchema;
use serde::Serialize;

use super::admin::{By, find};
use super::session::{Caller, clear_cookies};
use super::{Told, success};
use crate::contracts::rfc3339;
use crate::http::{App, Context, Listing, Segment, about};
use crate::identity::{Error, Session, SessionId};

pub(super) fn routes<L: Listing>() -> L {
    L::new()
        .get("/api/v1/sessions", list, about("The account's live sessions, newest first").beyond_the_document())
        .delete("/api/v1/sessions", end_others, about("End all sessions but this one").beyond_the_document())
        .delete("/api/v1/sessions/{id}", end, about("End one session at once").beyond_the_document())
}

pub(super) fn admin_routes<L: Listing>() -> L {
    L::new().delete(
        "/api/v1/admin/users/{id}/sessions",
        end_all_of,
        about("End all sessions and API tokens of an account").beyond_the_document(),
    )
}

#[derive(Serialize, JsonSchema)]
struct SessionShown {
    #[schemars(extend("format" = "uuid"))]
    id: String,
    /// Whether it is the one that asks.
    current: bool,
    /// What the client called itself.
    device: String,
    /// Network address it was opened from.
    source: String,
    /// The contract it was opened through.
    interface: String,
    #[schemars(extend("format" = "date-time"))]
    created_at: String,
    /// When it was opened or last refreshed.
    #[schemars(extend("format" = "date-time"))]
    last_seen: String,
    /// When it ends, unless it is refreshed before.
    #[schemars(extend("format" = "date-time"))]
    expires_at: String,
}

impl SessionShown {
    fn of(session: &Session, current: SessionId) -> Self {
        Self {
            id: session.id.to_string(),
            current: session.id == current,
            device: session.agent.clone(),
            source: session.source.clone(),
            interface: session.interface.clone(),
            created_at: rfc3339(session.opened_at),
            last_seen: rfc3339(session.seen_at),
            expires_at: rfc3339(session.last_moment()),
        }
    }
}

async fn list(State(app): State<App>, Caller(caller): Caller) -> Told<Vec<SessionShown>> {
    let caller = caller.signed_in()?;
    let sessions = app.identity.list_sessions(&caller).await?;
    success(sessions.iter().map(|session| SessionShown::of(session, caller.session.id)).collect())
}

async fn end(State(app): State<App>, context: Context, Caller(caller): Caller, Segment(id): Segment) -> Told<()> {
    let caller = caller.signed_in()?;
    let id = SessionId::parse(&id).ok_or(Error::NotFound)?;
    app.identity.end_session(&caller, id).await?;
    let mut answer = success(())?;
    if id == caller.session.id {
        clear_cookies(answer.headers_mut(), &context)?;
    }
    Ok(answer)
}

async fn end_others(State(app): State<App>, Caller(caller): Caller) -> Told<()> {
    app.identity.end_other_sessions(caller.signed_in()?).await?;
    success(())
}

async fn end_all_of(State(app): State<App>, By(by, _): By, Segment(id): Segment) -> Told<()> {
    let read = find(&app, &id).await?;
    app.identity.end_everything_of(&by, read).await?;
    success(())
}
