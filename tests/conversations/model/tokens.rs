//! Tokens as a client has them, and the rule by which refresh tokens succeed one another.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

/// Within so many seconds an exchanged token gets its successor again, one of the last eight of a session.
const GRACE: i64 = 10;
const REMEMBERED: usize = 8;
/// A session that isn't refreshed for so long is over.
const IDLE: i64 = 7 * 86_400;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct AccessToken {
    pub(super) text: String,
    pub(super) key: String,
    pub(super) expires_at: i64,
}

impl AccessToken {
    pub(super) fn read(text: &str) -> Self {
        let key = part(text, 0)["kid"].as_str().unwrap_or_default().to_owned();
        Self { text: text.to_owned(), key, expires_at: payload(text)["exp"].as_i64().unwrap_or_default() }
    }
}

/// What a token says.
pub(super) fn payload(token: &str) -> Value {
    part(token, 1)
}

fn part(token: &str, nth: usize) -> Value {
    let bytes = token.split('.').nth(nth).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or(Value::Null)
}

/// The refresh tokens of one session.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Refreshing {
    live: String,
    /// Token, successor, and when; in the order of the exchanges.
    exchanged: Vec<(String, String, i64)>,
    /// Successors that nobody presented before another took their place.
    replaced: Vec<String>,
    pub(super) idle_until: i64,
}

impl Refreshing {
    pub(super) fn begin(token: String, now: i64) -> Self {
        Self { live: token, exchanged: Vec::new(), replaced: Vec::new(), idle_until: now + IDLE }
    }

    /// Newest first, those that were replaced last.
    pub(super) fn all(&self) -> impl Iterator<Item = String> {
        let exchanged = self.exchanged.iter().rev().map(|(token, ..)| token);
        std::iter::once(&self.live).chain(exchanged).chain(&self.replaced).cloned().collect::<Vec<_>>().into_iter()
    }

    /// The successor that a token gets again.
    pub(super) fn repeated(&self, token: &str, now: i64) -> Option<String> {
        let of_late = self.exchanged.iter().rev().take(REMEMBERED);
        let mut same = of_late.filter(|(old, _, at)| old == token && now < at + GRACE);
        same.next().map(|(_, successor, _)| successor.clone())
    }

    /// Whether it is the live one, or the one before, whose successor nobody has presented.
    pub(super) fn may_move_on(&self, token: &str) -> bool {
        self.live == token || self.exchanged.last().is_some_and(|(old, ..)| old == token)
    }

    pub(super) fn move_on(&mut self, token: &str, successor: String, now: i64) {
        let unused = std::mem::replace(&mut self.live, successor.clone());
        if unused != token {
            self.replaced.push(unused);
            self.exchanged.pop();
        }
        self.exchanged.push((token.to_owned(), successor, now));
        self.idle_until = now + IDLE;
    }
}
