//! The audit trail: who did what to which account, from where. An event is written in the transaction of its act, so that
//! neither is there without the other.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

pub(super) use super::action::Action;
use super::{Account, AccountId, Administrator, Change, Identity, Result, SignedIn, Visitor, Vouched, chance};

/// How long events are kept.
pub const AUDIT_LIFE: Duration = Duration::from_secs(400 * 86_400);
/// How long those are kept that tell of something refused: strangers cause them, so there may be many.
pub const REFUSED_LIFE: Duration = Duration::from_secs(90 * 86_400);
/// What a client may call itself, in characters.
const MOST_AGENT: usize = 256;

/// An event's identifier: a UUIDv7 (RFC 9562), so that events sort by when they were recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventId(pub Uuid);

impl EventId {
    /// Reads an id as it is shown; `None` where it can't be one.
    pub fn parse(text: &str) -> Option<Self> {
        Uuid::parse_str(text).ok().map(Self)
    }
}

impl std::fmt::Display for EventId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// An account as events name it: by what it was called at the time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// Which account.
    pub id: AccountId,
    /// Its name then, "" where that was an e-mail address.
    pub name: String,
}

impl From<&Account> for Party {
    fn from(account: &Account) -> Self {
        let name = if account.name.looks_like_an_address() { "" } else { account.name.as_str() };
        Self { id: account.id, name: name.to_owned() }
    }
}

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// Somebody with an account.
    Account(Party),
    /// Whoever holds the deployment's administrator token.
    AdminToken,
    /// Whoever runs the deployment, by its store.
    Operator,
    /// One of the administrators; which, is not told.
    Administrator,
    /// The service, by one of its rules.
    Service,
    /// Whoever tried, without having shown who they are.
    Stranger,
}

impl Actor {
    fn is(&self, account: AccountId) -> bool {
        match self {
            Self::Account(party) => party.id == account,
            Self::AdminToken | Self::Operator | Self::Administrator | Self::Service | Self::Stranger => false,
        }
    }
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was done.
    #[default]
    Done,
    /// It was refused.
    Refused,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEvent {
    /// Identifier.
    pub id: EventId,
    /// When, in whole milliseconds.
    #[serde(with = "super::millis")]
    pub at: OffsetDateTime,
    /// What.
    pub action: Action,
    /// What of it: see [`Action`]; else "". Never a secret or an address.
    pub detail: String,
    /// What came of it.
    #[serde(default)]
    pub outcome: Outcome,
    /// Who.
    pub actor: Actor,
    /// To which account; the deployment where absent.
    pub subject: Option<Party>,
    /// From which network address, "" where unknown.
    pub source: String,
    /// What the client called itself.
    pub agent: String,
    /// Through which of the service's interfaces.
    pub interface: String,
}

impl AuditEvent {
    /// The same for the person it happened to, who is told what administrators did but not which of them, nor from where.
    fn for_subject(self) -> Self {
        let own = self.subject.as_ref().is_some_and(|subject| self.actor.is(subject.id));
        match self.actor {
            Actor::Account(_) if own => self,
            Actor::Service | Actor::Stranger => self,
            Actor::Account(_) | Actor::AdminToken | Actor::Operator | Actor::Administrator => {
                let Visitor { source, agent, interface, .. } = Visitor::default();
                Self { actor: Actor::Administrator, source, agent, interface, ..self }
            }
        }
    }

    /// When it is forgotten.
    pub fn ends_at(&self) -> OffsetDateTime {
        match self.outcome {
            Outcome::Done => self.at + AUDIT_LIFE,
            Outcome::Refused => self.at + REFUSED_LIFE,
        }
    }

    /// Whether it is past its time.
    pub fn is_over(&self, now: OffsetDateTime) -> bool {
        now >= self.ends_at()
    }
}

/// Which events are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trail {
    /// All of the deployment.
    Whole,
    /// Those about one account.
    About(AccountId),
}

/// One page of a trail, newest first.
#[derive(Debug)]
pub struct TrailPage {
    /// The events.
    pub events: Vec<AuditEvent>,
    /// The event before which the next page starts, where there is one.
    pub next: Option<EventId>,
}

/// Who does something, and from where.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    pub(super) actor: Actor,
    pub(super) visitor: Visitor,
}

impl Origin {
    pub(super) fn of(account: &Account, visitor: &Visitor) -> Self {
        Self { actor: Actor::Account(account.into()), visitor: visitor.clone() }
    }

    pub(super) fn stranger(visitor: &Visitor) -> Self {
        Self { actor: Actor::Stranger, visitor: visitor.clone() }
    }

    pub(super) fn service(visitor: Visitor) -> Self {
        Self { actor: Actor::Service, visitor }
    }

    /// Whether it is somebody other than this account.
    pub(super) fn is_other_than(&self, account: &Account) -> bool {
        !self.actor.is(account.id)
    }
}

impl From<&Vouched> for Origin {
    fn from(vouched: &Vouched) -> Self {
        Self::of(&vouched.account.account, &vouched.visitor)
    }
}

impl From<&SignedIn> for Origin {
    fn from(signed_in: &SignedIn) -> Self {
        Self::of(&signed_in.account.account, &signed_in.visitor)
    }
}

impl From<&Administrator> for Origin {
    fn from(administrator: &Administrator) -> Self {
        match administrator {
            Administrator::Account(by) => Self::from(&**by),
            Administrator::TokenHolder(visitor) => Self { actor: Actor::AdminToken, visitor: visitor.clone() },
            Administrator::Operator => Self { actor: Actor::Operator, visitor: Visitor::default() },
        }
    }
}

/// What was done, with its detail.
pub(super) type Act = (Action, String);

impl Identity {
    /// A page of the trail, from the event before `before` on; `limit` is at most 100. Nobody but administrators may see
    /// what is not about their own account.
    pub async fn read_trail(&self, trail: Trail, before: Option<EventId>, limit: u32) -> Result<TrailPage> {
        let now = self.now();
        let mut events = self.store.events(trail, before, limit.saturating_add(1)).await?;
        let more = events.len() > limit as usize;
        events.truncate(limit as usize);
        let next = events.last().filter(|_| more).map(|last| last.id);
        events.retain(|event| !event.is_over(now));
        Ok(TrailPage { events, next })
    }

    /// A page of what happened to the person's own account.
    pub async fn read_own_trail(&self, signed_in: &SignedIn, before: Option<EventId>, limit: u32) -> Result<TrailPage> {
        let page = self.read_trail(Trail::About(signed_in.account.account.id), before, limit).await?;
        Ok(TrailPage { events: page.events.into_iter().map(AuditEvent::for_subject).collect(), ..page })
    }

    /// What records these acts, to be committed along with them.
    pub(super) fn record(
        &self,
        origin: &Origin,
        subject: Option<&Account>,
        acts: impl IntoIterator<Item = Act>,
    ) -> Result<Vec<Change<'static>>> {
        self.record_as(Outcome::Done, origin, subject, acts)
    }

    /// The same of what came out so.
    pub(super) fn record_as(
        &self,
        outcome: Outcome,
        origin: &Origin,
        subject: Option<&Account>,
        acts: impl IntoIterator<Item = Act>,
    ) -> Result<Vec<Change<'static>>> {
        let now = self.now();
        let Visitor { source, agent, interface, .. } = &origin.visitor;
        let events = acts.into_iter().zip(0..).map(|((action, detail), nth)| {
            let event = AuditEvent {
                id: event_id(now, nth, chance::bytes(&*self.chance)?),
                at: now,
                action,
                detail,
                outcome,
                actor: origin.actor.clone(),
                subject: subject.map(Party::from),
                source: source.clone(),
                agent: agent.chars().take(MOST_AGENT).collect(),
                interface: interface.clone(),
            };
            Ok(Change::RecordEvent(Box::new(event)))
        });
        events.collect()
    }

    /// The same for all that differs between what an account was and what it becomes.
    pub(super) fn record_differences(
        &self,
        origin: &Origin,
        before: &Account,
        after: &Account,
    ) -> Result<Vec<Change<'static>>> {
        let mut acts = super::differences::between(before, after);
        if acts.is_empty() && origin.is_other_than(after) {
            acts.push((Action::AccountChanged, String::new()));
        }
        self.record(origin, Some(after), acts)
    }
}

/// Sorts by its instant, in steps of a quarter of a microsecond (RFC 9562 section 6.2, method 3), and then by its place
/// among those that are recorded together.
fn event_id(at: OffsetDateTime, nth: u8, random: [u8; 10]) -> EventId {
    let nanos = u64::try_from(at.unix_timestamp_nanos()).unwrap_or_default();
    let fraction = (nanos % 1_000_000) * 4096 / 1_000_000;
    let mut bytes = random;
    bytes[..2].copy_from_slice(&u16::try_from(fraction).unwrap_or(u16::MAX).to_be_bytes());
    bytes[2] = nth;
    EventId(uuid::Builder::from_unix_timestamp_millis(nanos / 1_000_000, &bytes).into_uuid())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_instant_and_place() {
        let at = |nanos: i128| {
            OffsetDateTime::from_unix_timestamp_nanos(1_790_000_000_000_000_000 + nanos).expect("an instant")
        };
        let ids = [(0, 0), (0, 1), (0, 63), (1_000, 0), (999_000, 0), (1_000_000, 0), (2_000_000_000, 1)]
            .map(|(nanos, nth)| event_id(at(nanos), nth, [0xff; 10]));
        assert!(ids.is_sorted() && ids.windows(2).all(|pair| pair[0] != pair[1]), "{ids:?}");
        assert!(ids.iter().all(|id| id.0.get_version_num() == 7));
    }
}
