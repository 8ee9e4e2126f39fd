//! What shows that a request did what it should: other requests, the status of each answer, and a field of its body.

use serde_json::Value;
use time::OffsetDateTime;

use super::stage::{Request, Told};
use crate::support::World;

/// What a proof may be put together from.
pub(super) struct Seen<'a> {
    pub(super) world: &'a World,
    /// The time of the process that answered.
    pub(super) now: OffsetDateTime,
    /// What the request itself was answered, the latest last.
    pub(super) answers: &'a [Told],
}

impl Seen<'_> {
    /// A text of the latest answer that was fine, if there was one: what was refused as done already told nothing.
    pub(super) fn text(&self, pointer: &str) -> Option<String> {
        let fine = self.answers.iter().rfind(|answer| answer.is_fine())?;
        let body: Value = serde_json::from_str(&fine.body).expect("JSON");
        Some(body.pointer(pointer)?.as_str()?.to_owned())
    }
}

/// What a field of a body must hold.
#[derive(Debug, Clone)]
pub(super) enum Holds {
    Exactly(Value),
    /// A text that is not empty.
    Text,
    /// So many elements.
    Elements(usize),
    /// What that field of the request's own answer held.
    AsAnswered(&'static str),
    /// It is no JSON and has no fields, but it is not empty.
    Bytes,
}

/// What is expected of an answer.
#[derive(Debug, Clone)]
enum Expected {
    /// That the request did what it should.
    Shows { status: u16, field: &'static str, holds: Holds },
    /// That what was used is good for nothing else.
    Refuses,
}

type Ask = Box<dyn Fn(&Seen<'_>) -> Option<Request> + Send + Sync>;

/// A request that is asked afterwards, put together at that time: it may take what was mailed or answered meanwhile.
/// Where it can't be put together, as what it needs was not told, it is left out.
pub(super) struct Proof {
    ask: Ask,
    expected: Expected,
    /// Whether it always can be put together.
    pub(super) always: bool,
}

impl Proof {
    /// Of that status, with a field that holds this.
    pub(super) fn shows(request: Request, status: u16, field: &'static str, holds: Holds) -> Self {
        Self::showing(move |_| request.clone(), status, field, holds)
    }

    pub(super) fn showing(
        ask: impl Fn(&Seen<'_>) -> Request + Send + Sync + 'static,
        status: u16,
        field: &'static str,
        holds: Holds,
    ) -> Self {
        Self {
            ask: Box::new(move |seen| Some(ask(seen))),
            expected: Expected::Shows { status, field, holds },
            always: true,
        }
    }

    /// The same with something that the request's answer told at a place.
    pub(super) fn with_told(
        pointer: &'static str,
        ask: impl Fn(&str) -> Request + Send + Sync + 'static,
        (status, field, holds): (u16, &'static str, Holds),
    ) -> Self {
        let ask: Ask = Box::new(move |seen| seen.text(pointer).map(|told| ask(&told)));
        Self { ask, expected: Expected::Shows { status, field, holds }, always: false }
    }

    /// Must be refused: it uses again what was used.
    pub(super) fn refuses(ask: impl Fn(&Seen<'_>) -> Request + Send + Sync + 'static) -> Self {
        Self { ask: Box::new(move |seen| Some(ask(seen))), expected: Expected::Refuses, always: true }
    }

    /// Whether it is one of what was done, and not of what must not be done again.
    pub(super) fn is_of_effect(&self) -> bool {
        matches!(self.expected, Expected::Shows { .. })
    }

    pub(super) fn ask(&self, seen: &Seen<'_>) -> Option<Request> {
        (self.ask)(seen)
    }

    /// What is wrong with its answer.
    pub(super) fn objection(&self, asked: &Request, answer: &Told, seen: &Seen<'_>) -> Option<String> {
        let (path, body) = (&asked.path, &answer.body);
        match &self.expected {
            Expected::Refuses if (400..500).contains(&answer.status) => None,
            Expected::Refuses => Some(format!("what was used is taken again: {path} answers {} {body}", answer.status)),
            Expected::Shows { status, field, holds } if answer.status == *status && holds.by(field, body, seen) => None,
            Expected::Shows { status, field, holds } => {
                let expected = format!("{status} with {field} {holds:?}");
                Some(format!("{NOT_DONE}: {path} answers {} {body} instead of {expected}", answer.status))
            }
        }
    }
}

/// How it is told that something was not done.
pub(super) const NOT_DONE: &str = "it is not done";

impl Holds {
    fn by(&self, field: &str, body: &str, seen: &Seen<'_>) -> bool {
        let parsed = serde_json::from_str::<Value>(body).ok();
        let found = parsed.as_ref().and_then(|body| body.pointer(field));
        match self {
            Self::Exactly(value) => found == Some(value),
            Self::Text => found.and_then(Value::as_str).is_some_and(|text| !text.is_empty()),
            Self::Elements(count) => found.and_then(Value::as_array).is_some_and(|list| list.len() == *count),
            Self::AsAnswered(pointer) => {
                let answered = seen.text(pointer);
                answered.is_some() && found.and_then(Value::as_str) == answered.as_deref()
            }
            Self::Bytes => parsed.is_none() && !body.is_empty(),
        }
    }
}
