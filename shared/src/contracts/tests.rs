//! Every refusal and accident, as each contract spells it in each language.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use crate::contracts::{nothing_to_say, render};
use crate::http::{Contract, Failure};
use crate::identity::{Error, Language, Problem, Violation};

/// One of each. The matches below make the compiler ask for a variant that is added and not listed.
fn every_failure() -> Vec<Failure> {
    let violation = |field: &'static str, problem, value| Violation { field: field.into(), problem, value };
    let core = [
        Error::Invalid(vec![
            violation("username", Problem::TooShort(3), Some("ab".into())),
            violation("password", Problem::Missing, None),
            violation("new_password", Problem::TooCommon, None),
        ]),
        Error::WrongCredentials,
        Error::AccountDisabled,
        Error::TokenMissing,
        Error::TokenInvalid,
        Error::SessionEnded,
        Error::PasswordChangeRequired,
        Error::PasswordAlreadyChosen,
        Error::ScopeMissing,
        Error::NotAdministrator,
        Error::RegistrationClosed,
        Error::NameTaken,
        Error::EmailTaken,
        Error::LastAdministrator,
        Error::LimitReached,
        Error::PrimaryAddress,
        Error::AddressIsName,
        Error::CurrentPasswordWrong,
        Error::CodeWrong,
        Error::NotFound,
        Error::TooManyRequests { retry_after: Duration::from_millis(1500), limit: 5 },
        Error::Unavailable {
            retry_after: Duration::from_secs(1),
            cause: anyhow::anyhow!("a cause that nobody is told"),
        },
        Error::PictureUnreadable,
        Error::PictureTooLarge,
        Error::PictureTypeUnsupported,
        Error::Internal(anyhow::anyhow!("a cause that nobody is told")),
        Error::TooManyMatches,
        Error::SecondFactorNeeded,
        Error::SecondFactorWrong,
        Error::SecondFactorAlreadyOn,
        Error::SecondFactorNotSetUp,
        Error::UnknownAccount("anna".to_owned()),
        Error::CounterOutOfBounds { account: "anna".to_owned(), counter: "photos" },
        Error::KeyReused,
        Error::Undeliverable,
        Error::SecondFactorRequired,
    ];
    let own = [
        Failure::MalformedBody,
        Failure::UnknownPath,
        Failure::MethodNotAllowed,
        Failure::BodyTooLarge,
        Failure::UnsupportedMediaType,
        Failure::OriginNotAllowed,
        Failure::MalformedForm,
        Failure::NotAForm,
        Failure::Panicked,
    ];
    core.into_iter().map(Failure::Core).chain(own).collect()
}

/// The place of a failure in the list above.
fn place(failure: &Failure) -> usize {
    match failure {
        Failure::Core(error) => match error {
            Error::Invalid(_) => 0,
            Error::WrongCredentials => 1,
            Error::AccountDisabled => 2,
            Error::TokenMissing => 3,
            Error::TokenInvalid => 4,
            Error::SessionEnded => 5,
            Error::PasswordChangeRequired => 6,
            Error::PasswordAlreadyChosen => 7,
            Error::ScopeMissing => 8,
            Error::NotAdministrator => 9,
            Error::RegistrationClosed => 10,
            Error::NameTaken => 11,
            Error::EmailTaken => 12,
            Error::LastAdministrator => 13,
            Error::LimitReached => 14,
            Error::PrimaryAddress => 15,
            Error::AddressIsName => 16,
            Error::CurrentPasswordWrong => 17,
            Error::CodeWrong => 18,
            Error::NotFound => 19,
            Error::TooManyRequests { .. } => 20,
            Error::Unavailable { .. } => 21,
            Error::PictureUnreadable => 22,
            Error::PictureTooLarge => 23,
            Error::PictureTypeUnsupported => 24,
            Error::Internal(_) => 25,
            Error::TooManyMatches => 26,
            Error::SecondFactorNeeded => 27,
            Error::SecondFactorWrong => 28,
            Error::SecondFactorAlreadyOn => 29,
            Error::SecondFactorNotSetUp => 30,
            Error::UnknownAccount(_) => 31,
            Error::CounterOutOfBounds { .. } => 32,
            Error::KeyReused => 33,
            Error::Undeliverable => 34,
            Error::SecondFactorRequired => 35,
        },
        Failure::MalformedBody => 36,
        Failure::UnknownPath => 37,
        Failure::MethodNotAllowed => 38,
        Failure::BodyTooLarge => 39,
        Failure::UnsupportedMediaType => 40,
        Failure::OriginNotAllowed => 41,
        Failure::MalformedForm => 42,
        Failure::NotAForm => 43,
        Failure::Panicked => 44,
    }
}

#[test]
fn the_list_is_whole() {
    let places: Vec<_> = every_failure().iter().map(place).collect();
    assert_eq!(places, (0..45).collect::<Vec<_>>());
}

#[test]
fn each_contract_spells_each_failure() {
    for contract in Contract::ALL {
        let mut told = format!("nothing to say: {}\n", nothing_to_say(contract));
        for failure in every_failure() {
            for language in [Language::English, Language::Chinese] {
                let (status, body) = render(contract)(&failure, language);
                assert!(!body.to_string().contains("nobody is told"), "{body}");
                writeln!(told, "{status}: {body}").expect("a string takes all");
            }
        }
        insta::assert_snapshot!(contract.name(), told);
    }
}

#[test]
fn a_code_of_a_conflict_tells_which() {
    let mut told = BTreeMap::new();
    for failure in every_failure() {
        let (status, body) = render(Contract::Kite)(&failure, Language::English);
        // The document gives one code to both.
        let documented = body["code"] == 40900;
        if status == 409 && !documented {
            let code = body["code"].to_string();
            assert!(told.insert(code, body["message"].clone()).is_none(), "{body} has the code of another conflict");
        }
    }
    assert!(told.len() > 5, "{told:?}");
}
