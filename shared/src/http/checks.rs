//! Turns a body's fields into the core's types, collecting what is wrong with each.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use serde_json::Value;

use super::{Failure, Field, Nullable, Required};
use crate::identity::{
    Beginning, Code, EmailAddress, Error, Kind, Name, Password, PasswordPolicy, Problem, Violation, check_length,
};

/// Collects violations while fields are read.
#[derive(Debug, Default)]
pub struct Checks(Vec<Violation>);

impl Checks {
    /// Starts with none.
    pub fn new() -> Self {
        Self::default()
    }

    /// The refusal with everything that was found.
    pub fn refuse(self) -> Failure {
        Failure::Core(Error::Invalid(self.0))
    }

    /// Refuses if anything was found.
    pub fn finish(self) -> Result<(), Failure> {
        if self.0.is_empty() { Ok(()) } else { Err(self.refuse()) }
    }

    /// Notes that a field is not acceptable.
    pub fn note(&mut self, field: impl Into<Cow<'static, str>>, problem: Problem, value: Option<Value>) {
        self.0.push(Violation { field: field.into(), problem, value });
    }

    /// Text that must be there and not empty.
    pub fn text(&mut self, field: &'static str, given: Required<String>) -> Option<String> {
        let value = Some(Value::from(""));
        match self.optional(field, given.0, Kind::Text) {
            Some(text) if text.is_empty() => {
                self.note(field, Problem::Missing, value);
                None
            }
            Some(text) => Some(text),
            None => {
                self.note_missing(field);
                None
            }
        }
    }

    /// A value that may be absent or `null`: the outer `None` where it is absent or not acceptable, the inner one for
    /// `null`. `read` reads any other value.
    pub fn nullable<T>(
        &mut self,
        given: Nullable<T>,
        read: impl FnOnce(&mut Self, Field<T>) -> Option<T>,
    ) -> Option<Option<T>> {
        match given.0? {
            Field::Absent => Some(None),
            given => read(self, given).map(Some),
        }
    }

    /// A list of objects that must be there and not empty.
    pub fn list<T>(&mut self, field: &'static str, given: Required<Vec<T>>) -> Vec<T> {
        let list = self.optional(field, given.0, Kind::Objects).unwrap_or_default();
        if list.is_empty() {
            self.note_missing(field);
        }
        list
    }

    /// A value that may be absent; of another type it is noted.
    pub fn optional<T>(&mut self, field: &'static str, given: Field<T>, expected: Kind) -> Option<T> {
        match given {
            Field::Absent => None,
            Field::Wrong(value) => {
                self.note(field, Problem::WrongType(expected), Some(value));
                None
            }
            Field::Given(value) => Some(value),
        }
    }

    /// One of a few words that may be absent; `words` lists them.
    pub fn optional_one_of<T>(&mut self, field: &'static str, given: Field<T>, words: &'static str) -> Option<T> {
        match given {
            Field::Wrong(value @ Value::String(_)) => {
                self.note(field, Problem::NotOneOf(words), Some(value));
                None
            }
            given => self.optional(field, given, Kind::Text),
        }
    }

    /// Text that may be absent, of a bounded length in characters.
    pub fn optional_text(
        &mut self,
        field: &'static str,
        given: Field<String>,
        allowed: &RangeInclusive<usize>,
    ) -> Option<String> {
        let text = self.optional(field, given, Kind::Text)?;
        self.accept(field, check_length(&text, allowed).map(|()| text.clone()), &text)
    }

    /// Text that must be there, of a bounded length in characters.
    pub fn required_text(
        &mut self,
        field: &'static str,
        given: Required<String>,
        allowed: &RangeInclusive<usize>,
    ) -> Option<String> {
        let text = self.text(field, given)?;
        self.accept(field, check_length(&text, allowed).map(|()| text.clone()), &text)
    }

    /// A login name for a new account. Whether `@` may be in it depends on the address: pass what was read of it.
    pub fn name(
        &mut self,
        field: &'static str,
        given: Required<String>,
        allowed: &RangeInclusive<usize>,
        email: Option<&EmailAddress>,
    ) -> Option<Name> {
        let text = self.text(field, given)?;
        let name = self.accept(field, Name::parse(&text, allowed), &text)?;
        let fitting = if name.fits(email) { Ok(name) } else { Err(Problem::NotAName) };
        self.accept(field, fitting, &text)
    }

    /// An e-mail address that must be there.
    pub fn email(&mut self, field: &'static str, given: Required<String>) -> Option<EmailAddress> {
        let text = self.text(field, given)?;
        self.accept(field, EmailAddress::parse(&text), &text)
    }

    /// An e-mail address that may be absent; "" for none.
    pub fn optional_email(&mut self, field: &'static str, given: Field<String>) -> Option<Option<EmailAddress>> {
        let text = self.optional(field, given, Kind::Text)?;
        if text.is_empty() {
            return Some(None);
        }
        self.accept(field, EmailAddress::parse(&text), &text).map(Some)
    }

    /// A list of e-mail addresses that may be absent, with a bounded number of entries.
    pub fn optional_emails(
        &mut self,
        field: &'static str,
        given: Field<Vec<String>>,
        most: usize,
    ) -> Option<Vec<EmailAddress>> {
        let texts = self.optional(field, given, Kind::Texts)?;
        if texts.len() > most {
            self.note(field, Problem::TooMany(most), None);
            return None;
        }
        // Read to the end before it is given up, so that all that is wrong is told.
        let read: Vec<_> = texts.iter().map(|text| self.accept(field, EmailAddress::parse(text), text)).collect();
        read.into_iter().collect()
    }

    /// A whole number that may be absent.
    pub fn optional_number(
        &mut self,
        field: &'static str,
        given: Field<i64>,
        allowed: &RangeInclusive<i64>,
    ) -> Option<i64> {
        let number = self.optional(field, given, Kind::Integer)?;
        if !allowed.contains(&number) {
            self.note(field, Problem::OutOfRange(*allowed.start(), *allowed.end()), Some(number.into()));
            return None;
        }
        Some(number)
    }

    /// A password that somebody chooses now.
    pub fn new_password(
        &mut self,
        field: &'static str,
        given: Required<String>,
        allowed: &RangeInclusive<usize>,
        policy: PasswordPolicy,
    ) -> Option<Password> {
        let text = self.secret_text(field, given)?;
        match policy.check(&text, allowed) {
            Ok(()) => Some(text),
            Err(problem) => {
                self.note(field, problem, None);
                None
            }
        }
    }

    /// A number of the query within bounds, or what stands for it where it is absent.
    pub(crate) fn query_number(
        &mut self,
        field: &'static str,
        given: Field<String>,
        default: u64,
        allowed: &RangeInclusive<u64>,
    ) -> u64 {
        let Some(text) = self.optional(field, given, Kind::Integer) else { return default };
        let read = text.parse().ok().filter(|number| allowed.contains(number));
        read.unwrap_or_else(|| {
            let (least, most) = (i64::try_from(*allowed.start()), i64::try_from(*allowed.end()));
            let problem = Problem::OutOfRange(least.unwrap_or(i64::MAX), most.unwrap_or(i64::MAX));
            self.note(field, problem, Some(text.into()));
            default
        })
    }

    /// What is searched for, of at most so many characters; `None` where that is nothing.
    pub(crate) fn search(&mut self, field: &'static str, given: Field<String>, most: usize) -> Option<Beginning> {
        Beginning::parse(&self.optional_text(field, given, &(0..=most))?)
    }

    /// Where an earlier answer left off; "" for the start.
    pub(crate) fn cursor<T>(
        &mut self,
        field: &'static str,
        given: Field<String>,
        parse: fn(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.optional(field, given, Kind::Text).filter(|text| !text.is_empty())?;
        self.accept(field, parse(&text).ok_or(Problem::NotACursor), &text)
    }

    /// A password that exists: present, and nothing else is checked.
    pub fn password(&mut self, field: &'static str, given: Required<String>) -> Option<Password> {
        self.secret_text(field, given)
    }

    /// A code, mailed or of a second factor.
    pub fn code(&mut self, field: &'static str, given: Required<String>) -> Option<Code> {
        self.secret_text(field, given).map(|text| Code::new(text.reveal()))
    }

    /// A code that may be absent or empty.
    pub fn optional_code(&mut self, field: &'static str, given: Field<String>) -> Option<Code> {
        match given {
            Field::Absent => None,
            Field::Given(text) if text.is_empty() => None,
            Field::Given(_) | Field::Wrong(_) => self.code(field, given.into()),
        }
    }

    /// A web address, "" to clear it.
    pub fn optional_url(&mut self, field: &'static str, given: Field<String>, most: usize) -> Option<String> {
        let text = self.optional_text(field, given, &(0..=most))?;
        let acceptable = text.is_empty() || is_web_address(&text);
        let checked = if acceptable { Ok(text.clone()) } else { Err(Problem::NotAUrl) };
        self.accept(field, checked, &text)
    }

    /// A password that may be absent and is chosen now.
    pub fn optional_new_password(
        &mut self,
        field: &'static str,
        given: Field<String>,
        allowed: &RangeInclusive<usize>,
        policy: PasswordPolicy,
    ) -> Option<Password> {
        if matches!(given, Field::Absent) { None } else { self.new_password(field, given.into(), allowed, policy) }
    }

    /// Text whose value is never told again.
    fn secret_text(&mut self, field: &'static str, given: Required<String>) -> Option<Password> {
        match given.0 {
            Field::Given(text) if !text.is_empty() => Some(Password::new(text)),
            Field::Given(_) | Field::Absent => {
                self.note_missing(field);
                None
            }
            Field::Wrong(_) => {
                self.note(field, Problem::WrongType(Kind::Text), None);
                None
            }
        }
    }

    /// Absent, unless a wrong type was noted already.
    fn note_missing(&mut self, field: &'static str) {
        if self.0.iter().all(|violation| violation.field != field) {
            self.note(field, Problem::Missing, None);
        }
    }

    fn accept<T>(&mut self, field: &'static str, read: Result<T, Problem>, text: &str) -> Option<T> {
        match read {
            Ok(value) => Some(value),
            Err(problem) => {
                self.note(field, problem, Some(Value::from(text)));
                None
            }
        }
    }
}

/// Whether this is an absolute `http` or `https` address without blanks, control characters or markup.
pub fn is_web_address(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let well_formed = text.parse::<axum::http::Uri>().is_ok_and(|uri| uri.host().is_some_and(|host| !host.is_empty()));
    rest.is_some_and(|rest| !rest.is_empty()) && well_formed
}
