//! Mailed codes and how often an address is mailed, said again without a store.

use super::acts::Seen;
use super::rules::{Kind, Pool, REFUSED};

const LIFE: i64 = 600;
const MOST_GUESSES: u32 = 5;
const GAP: i64 = 60;
const HOUR: i64 = 3600;
const MOST_OF_A_KIND: usize = 5;
const MOST_IN_ALL: usize = 10;
/// Codes that may wait for one name.
pub(super) const MOST_PENDING: usize = 10;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Code {
    pub(super) kind: Kind,
    /// The name that is asked for, or the number of the account.
    pub(super) about: String,
    pub(super) address: String,
    pub(super) text: String,
    expires_at: i64,
    guesses: u32,
    /// Guesses that may have been counted or not, since they met something else.
    doubtful_guesses: u32,
    /// Another one was mailed in its place.
    replaced: bool,
    /// The account's when it was mailed.
    pub(super) generation: u32,
    /// The number of the account that came of it.
    pub(super) used_by: Option<usize>,
    /// Number, name and password of the account that is asked for.
    pub(super) pending: Option<(usize, String, String)>,
}

impl Code {
    pub(super) fn new(kind: Kind, about: String, address: &str, text: String, now: i64) -> Self {
        Self {
            kind,
            about,
            address: address.to_owned(),
            text,
            expires_at: now + LIFE,
            guesses: 0,
            doubtful_guesses: 0,
            replaced: false,
            generation: 0,
            used_by: None,
            pending: None,
        }
    }

    pub(super) fn is_open(&self, now: i64) -> bool {
        !self.replaced && now < self.expires_at && self.guesses < MOST_GUESSES
    }
}

/// Which addresses were mailed, what for, and when.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Mails(Vec<(String, Kind, i64)>);

impl Mails {
    pub(super) fn may_go(&self, address: &str, kind: Kind, now: i64) -> bool {
        let late: Vec<_> = self.0.iter().filter(|(to, _, at)| to == address && now < at + HOUR).collect();
        let same: Vec<_> = late.iter().filter(|(_, other, _)| *other == kind).collect();
        let rested = same.iter().all(|(.., at)| now >= at + GAP);
        rested && same.len() < MOST_OF_A_KIND && late.len() < MOST_IN_ALL
    }

    /// In an order that doesn't tell how they came about.
    pub(super) fn sort(&mut self) {
        self.0.sort();
    }

    pub(super) fn note(&mut self, address: &str, kind: Kind, now: i64) {
        self.0.push((address.to_owned(), kind, now));
    }
}

impl Pool {
    /// The same in an order that doesn't tell how it came about.
    pub(super) fn sorted(mut self) -> Self {
        self.codes.sort_by(|one, other| (one.expires_at, &one.text).cmp(&(other.expires_at, &other.text)));
        self.mails.sort();
        self
    }

    /// Takes the letter that must have arrived: a code of a kind, or else a notice.
    pub(super) fn letter(&mut self, to: &str, kind: Option<Kind>) -> Result<String, String> {
        let place = self.arrived.iter().position(|letter| letter.to == to && letter.kind == kind);
        let place = place.ok_or_else(|| format!("no letter of {kind:?} to {to} among {:?}", self.arrived))?;
        Ok(self.arrived.remove(place).code)
    }

    /// One for the same thing and address takes the place of the one before.
    pub(super) fn replace(&mut self, code: Code) {
        let same = |one: &&mut Code| (one.kind, &one.about, &one.address) == (code.kind, &code.about, &code.address);
        self.codes.iter_mut().filter(same).for_each(|one| one.replaced = true);
        self.codes.push(code);
    }

    /// The code that a guess matches. It is counted at each that it could have matched, and perhaps at one that was mailed
    /// in the same instant.
    pub(super) fn guess(&mut self, at: &Guess<'_>, seen: &Seen, start: &Self) -> Option<usize> {
        let (now, known) = (self.now, start.codes.len());
        let mut hit = None;
        for (nth, code) in self.codes.iter_mut().enumerate().filter(|(_, code)| at.could_be(code)) {
            let in_doubt = code.guesses + code.doubtful_guesses >= MOST_GUESSES;
            if !code.is_open(now) || in_doubt && seen.status == REFUSED {
                continue;
            }
            if nth < known {
                code.guesses += 1;
            } else {
                code.doubtful_guesses += 1;
            }
            hit = hit.or((code.text == at.text).then_some(nth));
        }
        hit
    }

    /// A guess that may not have been counted, since whoever made it was locked out in the same instant.
    pub(super) fn doubt(&mut self, at: &Guess<'_>) {
        let now = self.now;
        let codes = self.codes.iter_mut().filter(|code| at.could_be(code) && code.is_open(now));
        codes.for_each(|code| code.doubtful_guesses += 1);
    }
}

/// A guess at the codes of a kind, about something, to one address or any.
pub(super) struct Guess<'a> {
    pub(super) kind: Kind,
    pub(super) about: &'a str,
    pub(super) address: Option<&'a str>,
    pub(super) text: &'a str,
}

impl Guess<'_> {
    fn could_be(&self, code: &Code) -> bool {
        code.kind == self.kind && code.about == self.about && self.address.is_none_or(|one| one == code.address)
    }
}
