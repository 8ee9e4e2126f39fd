//! What is said of a field, in both languages.

use std::collections::BTreeSet;

use super::{en, zh};
use crate::identity::{Kind, Problem};

/// One of each. The match below makes the compiler ask for a variant that is added and not listed.
const EVERY_PROBLEM: [Problem; 13] = [
    Problem::Missing,
    Problem::WrongType(Kind::Text),
    Problem::TooShort(3),
    Problem::TooLong(32),
    Problem::TooMany(10),
    Problem::NotAnEmail,
    Problem::NotAName,
    Problem::NotAUrl,
    Problem::NotADate,
    Problem::NotOneOf("0, 1, 2"),
    Problem::OutOfRange(-1, 5),
    Problem::NotACursor,
    Problem::TooCommon,
];

fn place(problem: &Problem) -> usize {
    match problem {
        Problem::Missing => 0,
        Problem::WrongType(_) => 1,
        Problem::TooShort(_) => 2,
        Problem::TooLong(_) => 3,
        Problem::TooMany(_) => 4,
        Problem::NotAnEmail => 5,
        Problem::NotAName => 6,
        Problem::NotAUrl => 7,
        Problem::NotADate => 8,
        Problem::NotOneOf(_) => 9,
        Problem::OutOfRange(_, _) => 10,
        Problem::NotACursor => 11,
        Problem::TooCommon => 12,
    }
}

#[test]
fn every_problem_is_told_apart_in_each_language() {
    assert_eq!(EVERY_PROBLEM.iter().map(place).collect::<Vec<_>>(), (0..EVERY_PROBLEM.len()).collect::<Vec<_>>());
    let mut told = BTreeSet::new();
    for problem in &EVERY_PROBLEM {
        let (english, chinese) = (en::problem(problem), zh::problem(problem));
        assert!(english.is_ascii() && !english.is_empty(), "{english}");
        assert!(!chinese.is_ascii(), "{chinese}");
        told.extend([english, chinese]);
    }
    assert_eq!(told.len(), 2 * EVERY_PROBLEM.len());
}

#[test]
fn every_kind_has_words_in_each_language() {
    let kinds = [Kind::Text, Kind::Integer, Kind::Boolean, Kind::Texts, Kind::Object, Kind::Objects];
    let told: BTreeSet<_> = kinds.into_iter().flat_map(|kind| [en::kind(kind), zh::kind(kind)]).collect();
    assert_eq!(told.len(), 2 * kinds.len());
    assert!(kinds.iter().all(|kind| zh::kind(*kind).chars().all(|letter| !letter.is_ascii())));
}
