//! The item of the audit trail.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::keys::{EVENT_SHARDS, events};
use super::{CODE_TAIL, Key};
use crate::identity::AuditEvent;

#[derive(Serialize, Deserialize)]
pub(in super::super) struct EventItem<'a> {
    #[serde(flatten)]
    key: Key,
    expires_at: i64,
    initial: String,
    start: String,
    pub(in super::super) event: Cow<'a, AuditEvent>,
}

impl<'a> EventItem<'a> {
    pub(in super::super) fn new(event: &'a AuditEvent) -> Self {
        // The last byte is random, so that the shards have equal shares.
        let shard = event.id.0.as_bytes()[15] % EVENT_SHARDS;
        Self {
            key: Key::event(event.subject.as_ref().map(|subject| subject.id), event.id),
            expires_at: (event.ends_at() + CODE_TAIL).unix_timestamp(),
            initial: events(shard),
            start: event.id.to_string(),
            event: Cow::Borrowed(event),
        }
    }
}
