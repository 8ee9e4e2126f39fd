//! Settings that are one of a few words, or a number.

use std::time::Duration;

use crate::identity::{PasswordPolicy, SecondFactorRule, SigningAlgorithm};

pub(super) fn password_policy(text: &str) -> Result<PasswordPolicy, String> {
    match text {
        "contract" => Ok(PasswordPolicy::ByLength),
        "strict" => Ok(PasswordPolicy::Strict),
        _ => Err("write contract or strict".to_owned()),
    }
}

pub(super) fn signing_algorithm(text: &str) -> Result<SigningAlgorithm, String> {
    match text {
        "ES256" => Ok(SigningAlgorithm::Es256),
        "RS256" => Ok(SigningAlgorithm::Rs256),
        _ => Err("write ES256 or RS256".to_owned()),
    }
}

pub(super) fn days(text: &str) -> Result<Option<Duration>, String> {
    match text.parse() {
        Ok(0) => Ok(None),
        Ok(days @ 1..=3650) => Ok(Some(Duration::from_secs(days * 86_400))),
        Ok(_) | Err(_) => Err("write a number of days from 1 to 3650, or 0 for never".to_owned()),
    }
}

pub(super) fn boolean(text: &str) -> Result<bool, String> {
    text.parse().map_err(|_| "write true or false".to_owned())
}

pub(super) fn second_factor(text: &str) -> Result<SecondFactorRule, String> {
    match text {
        "nobody" => Ok(SecondFactorRule::Nobody),
        "administrators" => Ok(SecondFactorRule::Administrators),
        "everyone" => Ok(SecondFactorRule::Everyone),
        _ => Err("write nobody, administrators or everyone".to_owned()),
    }
}
