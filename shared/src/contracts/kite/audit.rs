//! `GET /api/v1/audit`, `GET /api/v1/admin/audit`.

use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::admin::By;
use super::session::Caller;
use super::{Told, success};
use crate::contracts::{ToRead, rfc3339};
use crate::http::{App, Checks, Field, Listing, Query, about};
use crate::identity::{AccountId, Action, Actor, AuditEvent, Error, EventId, Kind, Outcome, Party, Trail, TrailPage};

/// Events in one answer, where the request doesn't say.
const LIMIT: u32 = 50;
/// Events in one answer at most.
const MOST: u32 = 100;

pub(super) fn routes<L: Listing>() -> L {
    L::new().get("/api/v1/audit", own, about("What happened to one's account, newest first").beyond_the_document())
}

pub(in crate::contracts) fn admin_routes<L: Listing>() -> L {
    L::new().get(
        "/api/v1/admin/audit",
        all,
        about("What happened, newest first, to all accounts and settings or to one account")
            .or(|| vec![Error::NotFound])
            .beyond_the_document(),
    )
}

#[derive(Deserialize, JsonSchema)]
struct OwnQuery {
    /// Events in one answer.
    #[serde(default)]
    #[schemars(with = "Option<u32>", range(min = 1, max = MOST))]
    limit: Field<String>,
    /// The `next_cursor` of the answer before.
    #[serde(default)]
    cursor: Field<String>,
}

#[derive(Deserialize, JsonSchema)]
struct AllQuery {
    /// Events in one answer.
    #[serde(default)]
    #[schemars(with = "Option<u32>", range(min = 1, max = MOST))]
    limit: Field<String>,
    /// The `next_cursor` of the answer before.
    #[serde(default)]
    cursor: Field<String>,
    /// Only what is about this account, which may be deleted by now.
    #[serde(default)]
    user_id: Field<String>,
}

#[derive(Serialize, JsonSchema)]
struct EventsShown {
    items: Vec<EventShown>,
    /// Where there are more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct EventShown {
    #[schemars(extend("format" = "uuid"))]
    id: String,
    #[schemars(extend("format" = "date-time"))]
    at: String,
    /// What was done, as docs/contracts/kite.md lists it.
    #[schemars(with = "String")]
    action: Action,
    /// What of it: the new role, the session, the API token, the settings, the secret that was wrong; else "".
    detail: String,
    /// What was refused is there too, where it was a wrong password or code.
    outcome: OutcomeShown,
    actor: ActorShown,
    /// The account that it happened to; null for the deployment.
    subject: Option<PartyShown>,
    /// Network address it was done from, "" where unknown or not told.
    source: String,
    /// What the client called itself.
    device: String,
    /// The contract it was done through.
    interface: String,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
enum OutcomeShown {
    Done,
    Refused,
}

impl From<Outcome> for OutcomeShown {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Done => Self::Done,
            Outcome::Refused => Self::Refused,
        }
    }
}

/// Who did it.
#[derive(Serialize, JsonSchema)]
struct ActorShown {
    kind: ActorKind,
    /// Of an account that is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    account: Option<PartyShown>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum ActorKind {
    Account,
    AdminToken,
    Operator,
    Administrator,
    Service,
    Stranger,
}

/// An account by its name at the time.
#[derive(Serialize, JsonSchema)]
struct PartyShown {
    #[schemars(extend("format" = "uuid"))]
    id: String,
    username: String,
}

impl PartyShown {
    fn of(party: &Party) -> Self {
        Self { id: party.id.to_string(), username: party.name.clone() }
    }
}

impl ActorShown {
    fn of(actor: &Actor) -> Self {
        let (kind, party) = match actor {
            Actor::Account(party) => (ActorKind::Account, Some(party)),
            Actor::AdminToken => (ActorKind::AdminToken, None),
            Actor::Operator => (ActorKind::Operator, None),
            Actor::Administrator => (ActorKind::Administrator, None),
            Actor::Service => (ActorKind::Service, None),
            Actor::Stranger => (ActorKind::Stranger, None),
        };
        Self { kind, account: party.map(PartyShown::of) }
    }
}

impl EventShown {
    fn of(event: &AuditEvent) -> Self {
        Self {
            id: event.id.to_string(),
            at: rfc3339(event.at),
            action: event.action,
            detail: event.detail.clone(),
            outcome: event.outcome.into(),
            actor: ActorShown::of(&event.actor),
            subject: event.subject.as_ref().map(PartyShown::of),
            source: event.source.clone(),
            device: event.agent.clone(),
            interface: event.interface.clone(),
        }
    }
}

fn read_page(checks: &mut Checks, limit: Field<String>, cursor: Field<String>) -> (u32, Option<EventId>) {
    let limit = checks.query_number("limit", limit, LIMIT.into(), &(1..=MOST.into()));
    (u32::try_from(limit).unwrap_or(MOST), checks.cursor("cursor", cursor, EventId::parse))
}

fn shown(page: &TrailPage) -> Told<EventsShown> {
    let items = page.events.iter().map(EventShown::of).collect();
    success(EventsShown { items, next_cursor: page.next.map(|id| id.to_string()) })
}

async fn own(State(app): State<App>, Caller(caller): Caller, Query(query): Query<OwnQuery>) -> Told<EventsShown> {
    let caller = caller.signed_in()?;
    let mut checks = Checks::new();
    let (limit, before) = read_page(&mut checks, query.limit, query.cursor);
    checks.finish()?;
    shown(&app.identity.read_own_trail(&caller, before, limit).await?)
}

async fn all(State(app): State<App>, _: By<ToRead>, Query(query): Query<AllQuery>) -> Told<EventsShown> {
    let mut checks = Checks::new();
    let (limit, before) = read_page(&mut checks, query.limit, query.cursor);
    let about = checks.optional("user_id", query.user_id, Kind::Text);
    checks.finish()?;
    let trail = match about {
        None => Trail::Whole,
        Some(id) => Trail::About(AccountId::parse(&id).ok_or(Error::NotFound)?),
    };
    shown(&app.identity.read_trail(trail, before, limit).await?)
}
