//! `GET|DELETE /api/v1/sessions`, `DELETE /api/v1/sessions/{id}`.

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;

use super::session::{Caller, clear_cookies};
use super::success;
use crate::contracts::rfc3339;
use crate::http::{App, Context, Failure, Segment};
use crate::identity::{Error, Session, SessionId};

#[derive(Serialize)]
struct SessionBody<'a> {
    id: String,
    /// Whether it is the one that asks.
    current: bool,
    /// What the client called itself.
    device: &'a str,
    /// Network address it was opened from.
    source: &'a str,
    /// The contract it was opened through.
    interface: &'a str,
    created_at: String,
    /// When it was opened or last refreshed.
    last_seen: String,
    /// When it ends, unless it is refreshed before.
    expires_at: String,
}

impl<'a> SessionBody<'a> {
    fn of(session: &'a Session, current: SessionId) -> Self {
        Self {
            id: session.id.to_string(),
            current: session.id == current,
            device: &session.agent,
            source: &session.source,
            interface: &session.interface,
            created_at: rfc3339(session.opened_at),
            last_seen: rfc3339(session.seen_at),
            expires_at: rfc3339(session.last_moment()),
        }
    }
}

pub(super) async fn list(State(app): State<App>, Caller(caller): Caller) -> Result<Response, Failure> {
    let caller = caller.signed_in()?;
    let sessions = app.identity.list_sessions(&caller).await?;
    success(sessions.iter().map(|session| SessionBody::of(session, caller.session.id)).collect::<Vec<_>>())
}

pub(super) async fn end(
    State(app): State<App>,
    context: Context,
    Caller(caller): Caller,
    Segment(id): Segment,
) -> Result<Response, Failure> {
    let caller = caller.signed_in()?;
    let id = SessionId::parse(&id).ok_or(Error::NotFound)?;
    app.identity.end_session(&caller, id).await?;
    let mut response = success(())?;
    if id == caller.session.id {
        clear_cookies(&mut response, &context)?;
    }
    Ok(response)
}

pub(super) async fn end_others(State(app): State<App>, Caller(caller): Caller) -> Result<Response, Failure> {
    app.identity.end_other_sessions(caller.signed_in()?).await?;
    success(())
}
