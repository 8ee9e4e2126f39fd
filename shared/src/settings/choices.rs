//! Settings that are one of a few words, or a number.

use std::time::Duration;

use crate::identity::{HashCost, PasswordPolicy, SecondFactorRule, SigningAlgorithm};

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

/// In the notation of PHC strings, one lane always. Never below the default, which is the least that is recommended.
pub(super) fn hash_cost(text: &str) -> Result<HashCost, String> {
    let least = HashCost::default();
    let numbers = text.split_once(',').and_then(|(memory, passes)| {
        Some((memory.strip_prefix("m=")?.parse().ok()?, passes.strip_prefix("t=")?.parse().ok()?))
    });
    match numbers {
        Some((memory, passes))
            if (least.memory..=MOST_MEMORY).contains(&memory) && (least.passes..=MOST_PASSES).contains(&passes) =>
        {
            Ok(HashCost { memory, passes, ..least })
        }
        Some(_) | None => Err(format!(
            "write m=KIB,t=PASSES, from m={},t={} up to m={MOST_MEMORY},t={MOST_PASSES}",
            least.memory, least.passes
        )),
    }
}

const MOST_MEMORY: u32 = 262_144;
const MOST_PASSES: u32 = 20;

pub(super) fn days(text: &str) -> Result<Option<Duration>, String> {
    match text.parse() {
        Ok(0) => Ok(None),
        Ok(days @ 1..=3650) => Ok(Some(Duration::from_secs(days * 86_400))),
        Ok(_) | Err(_) => Err("write a number of days from 1 to 3650, or 0 for never".to_owned()),
    }
}

pub(super) fn times(text: &str) -> Result<u32, String> {
    let times = text.parse().ok().filter(|times| (1..=1000).contains(times));
    times.ok_or_else(|| "write a number from 1 to 1000".to_owned())
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
