//! The item of the audit trail.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::keys::{events, shard_of};
use super::{CODE_TAIL, Key};
use crate::identity::{AccountId, AuditEvent, Outcome, Party};

#[derive(Serialize, Deserialize)]
pub(in super::super) struct EventItem<'a> {
    #[serde(flatten)]
    key: Key,
    expires_at: i64,
    initial: String,
    start: String,
    /// In place of the subject where a refused attempt has none: names that somebody has and others are items of the same
    /// size, and so the same work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nobody: Option<Party>,
    pub(in super::super) event: Cow<'a, AuditEvent>,
}

impl<'a> EventItem<'a> {
    pub(in super::super) fn new(event: &'a AuditEvent) -> Self {
        Self {
            key: Key::event(event.subject.as_ref().map(|subject| subject.id), event.id),
            expires_at: (event.ends_at() + CODE_TAIL).unix_timestamp(),
            initial: events(shard_of(event.id)),
            start: event.id.to_string(),
            nobody: stand_in(event),
            event: Cow::Borrowed(event),
        }
    }
}

fn stand_in(event: &AuditEvent) -> Option<Party> {
    match (&event.subject, event.outcome) {
        (None, Outcome::Refused) => Some(Party { id: AccountId(event.id.0), name: "nobody".to_owned() }),
        (None | Some(_), Outcome::Done) | (Some(_), Outcome::Refused) => None,
    }
}
