//! The second factor: a secret shared with the person's authenticator (RFC 6238), and recovery codes in its place.

use anyhow::Context;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use totp_rs::{Builder, Secret};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::chance::{self, Chance};
use super::{Account, Code, Hashed};

/// How many recovery codes are given out together.
pub const RECOVERY_CODES: usize = 10;

/// The secret of one authenticator: 160 bits as base32. Codes are computed from it, so it is kept as it is.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(transparent)]
pub struct TotpSecret(String);

impl std::fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TotpSecret(…)")
    }
}

impl TotpSecret {
    pub(crate) fn generate(chance: &dyn Chance) -> anyhow::Result<Self> {
        Ok(Self(Secret::new_stack(chance::bytes(chance)?).to_base32()))
    }

    /// The secret of another system, of 80 bits or more in base32. `None`: it is none.
    pub fn imported(text: &str) -> Option<Self> {
        let text = text.trim().trim_end_matches('=').to_uppercase();
        let secret = Secret::try_from_base32(&text).ok()?;
        (secret.as_ref().len() >= 10).then_some(Self(text))
    }

    /// The secret itself in base32, for the one answer that tells it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What authenticators read: `otpauth://totp/…`.
    pub(crate) fn uri(&self, service: &str, account: &str) -> String {
        let encoded = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
        let (service, account) = (encoded(service), encoded(account));
        format!(
            "otpauth://totp/{service}:{account}?secret={}&issuer={service}&algorithm=SHA1&digits=6&period=30",
            self.0
        )
    }

    /// The time step whose code this is: the present one, the one before or the one after, since clocks differ.
    /// Codes are compared in constant time.
    fn step_of(&self, code: &str, now: OffsetDateTime) -> anyhow::Result<Option<u64>> {
        let secret = Secret::try_from_base32(&self.0)
            .map_err(|error| anyhow::anyhow!("a stored second factor is broken: {error:?}"))?;
        let totp = Builder::new().with_secret(secret).build().map_err(|error| anyhow::anyhow!("TOTP: {error:?}"))?;
        let seconds = u64::try_from(now.unix_timestamp()).context("a time before the epoch")?;
        Ok(totp.check(code, seconds))
    }
}

/// An account's second factor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecondFactor {
    secret: TotpSecret,
    /// False until a code has shown that the person's authenticator has the secret.
    on: bool,
    /// The latest time step of which a code was taken: none of it or before it is taken again.
    last_step: u64,
    /// Hashes of recovery codes that were not used.
    recovery: Vec<Hashed>,
}

impl SecondFactor {
    /// One that counts once a code has come back.
    fn prepared(secret: TotpSecret) -> Self {
        Self { secret, on: false, last_step: 0, recovery: Vec::new() }
    }

    /// One that counted in another system, whose recovery codes are worth nothing here.
    pub fn imported(secret: TotpSecret) -> Self {
        Self { on: true, ..Self::prepared(secret) }
    }

    /// Takes a code of the authenticator; false: it isn't one, or not after the last one that was taken.
    fn take_code(&mut self, code: &str, now: OffsetDateTime) -> anyhow::Result<bool> {
        let step = self.secret.step_of(code, now)?.filter(|step| *step > self.last_step);
        self.last_step = step.unwrap_or(self.last_step);
        Ok(step.is_some())
    }

    /// Takes a recovery code, which is used up; false: it isn't one.
    fn take_recovery_code(&mut self, code: &str) -> bool {
        let presented = Hashed::of(code.to_lowercase().as_bytes());
        // To the end, so that the time doesn't tell which one it was.
        let left: Vec<_> = self.recovery.iter().filter(|kept| !kept.equals(&presented)).cloned().collect();
        let taken = left.len() < self.recovery.len();
        self.recovery = left;
        taken
    }
}

impl Account {
    /// Whether signing in takes a second factor.
    pub fn has_second_factor(&self) -> bool {
        self.second_factor.as_ref().is_some_and(|factor| factor.on)
    }

    /// Hashes of the recovery codes that are left.
    pub(super) fn recovery_codes(&self) -> &[Hashed] {
        self.second_factor.as_ref().map_or(&[], |factor| &factor.recovery)
    }

    /// Whether a second factor waits for its first code.
    pub(super) fn prepares_second_factor(&self) -> bool {
        self.second_factor.as_ref().is_some_and(|factor| !factor.on)
    }

    /// Takes a code of the second factor, from the authenticator or for recovery. False: it is none, or was taken before.
    /// That it is taken is in the account then, which must be stored under the version that it was read with.
    pub(super) fn take_second_factor(&mut self, code: &Code, now: OffsetDateTime) -> anyhow::Result<bool> {
        let Some(factor) = self.second_factor.as_mut().filter(|factor| factor.on) else { return Ok(false) };
        let code = typed(code);
        Ok(factor.take_code(&code, now)? || factor.take_recovery_code(&code))
    }

    /// Makes a prepared second factor count, if the code is its. False: it isn't, or none is prepared.
    pub(super) fn turn_on_second_factor(
        &mut self,
        code: &Code,
        recovery: Vec<Hashed>,
        now: OffsetDateTime,
    ) -> anyhow::Result<bool> {
        let Some(factor) = self.second_factor.as_mut().filter(|factor| !factor.on) else { return Ok(false) };
        if !factor.take_code(&typed(code), now)? {
            return Ok(false);
        }
        factor.on = true;
        factor.recovery = recovery;
        Ok(true)
    }

    /// Begins with a second factor that doesn't count yet.
    pub(super) fn prepare_second_factor(&mut self, secret: TotpSecret) {
        self.second_factor = Some(SecondFactor::prepared(secret));
    }

    /// Goes on without a second factor.
    pub(super) fn drop_second_factor(&mut self) {
        self.second_factor = None;
    }

    /// Puts other recovery codes in place of those that are left.
    pub(super) fn replace_recovery_codes(&mut self, recovery: Vec<Hashed>) {
        if let Some(factor) = &mut self.second_factor {
            factor.recovery = recovery;
        }
    }
}

/// A code without what people put between its characters.
fn typed(code: &Code) -> Zeroizing<String> {
    Zeroizing::new(code.reveal().chars().filter(|c| !c.is_whitespace() && *c != '-').collect())
}

/// Recovery codes of 120 bits, enough to need no slow hash, to be told this once, and what is kept of them.
pub(super) fn recovery_codes(chance: &dyn Chance) -> anyhow::Result<(Vec<Code>, Vec<Hashed>)> {
    let codes = (0..RECOVERY_CODES).map(|_| {
        let text = Zeroizing::new(Secret::from(chance::bytes::<15>(chance)?).to_base32().to_lowercase());
        let groups: Vec<_> = (0..text.len()).step_by(4).map(|start| &text[start..start + 4]).collect();
        Ok((Code::new(groups.join("-")), Hashed::of(text.as_bytes())))
    });
    Ok(codes.collect::<anyhow::Result<Vec<_>>>()?.into_iter().unzip())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::SystemChance;
    use time::macros::datetime;

    const NOON: OffsetDateTime = datetime!(2026-01-01 12:00 UTC);

    fn factor() -> SecondFactor {
        // The secret of RFC 6238's test vectors, "12345678901234567890".
        SecondFactor { on: true, ..SecondFactor::prepared(TotpSecret("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ".to_owned())) }
    }

    fn code_at(now: OffsetDateTime) -> String {
        let secret = Secret::try_from_base32(&factor().secret.0).expect("base32");
        let seconds = u64::try_from(now.unix_timestamp()).expect("a time");
        Builder::new().with_secret(secret).build().expect("TOTP").generate(seconds).to_string()
    }

    #[test]
    fn the_test_vectors_of_the_rfc() {
        for (seconds, code) in [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924")] {
            let now = OffsetDateTime::from_unix_timestamp(seconds).expect("a time");
            let step = factor().secret.step_of(code, now).expect("a secret");
            assert_eq!(step, u64::try_from(seconds / 30).ok(), "{code}");
        }
    }

    #[test]
    fn one_step_off_is_taken_and_two_are_not() {
        for (seconds, taken) in [(-60, false), (-30, true), (0, true), (30, true), (60, false)] {
            let code = code_at(NOON + time::Duration::seconds(seconds));
            assert_eq!(factor().take_code(&code, NOON).expect("a secret"), taken, "{seconds}");
        }
    }

    #[test]
    fn no_code_is_taken_twice_nor_an_earlier_one_after_it() {
        let mut factor = factor();
        let earlier = code_at(NOON - time::Duration::seconds(30));
        assert!(factor.take_code(&code_at(NOON), NOON).expect("a secret"));
        assert!(!factor.take_code(&code_at(NOON), NOON).expect("a secret"));
        assert!(!factor.take_code(&earlier, NOON).expect("a secret"));
        let next = NOON + time::Duration::seconds(30);
        assert!(factor.take_code(&code_at(next), next).expect("a secret"));
    }

    #[test]
    fn what_is_no_code_is_none() {
        for text in ["", "12345", "1234567", "+12345", "１２３４５６", "abcdef"] {
            assert!(!factor().take_code(text, NOON).expect("a secret"), "{text}");
            assert!(!factor().take_recovery_code(text), "{text}");
        }
    }

    #[test]
    fn each_recovery_code_works_once_however_typed() {
        let (codes, kept) = recovery_codes(&SystemChance::default()).expect("randomness");
        assert_eq!((codes.len(), kept.len()), (RECOVERY_CODES, RECOVERY_CODES));
        let mut factor = SecondFactor { recovery: kept, ..factor() };
        assert!(codes.iter().all(|code| typed(code).len() == 24), "120 bits");
        let spaced = Code::new(codes[0].reveal().to_uppercase().replace('-', " "));
        assert!(factor.take_recovery_code(&typed(&spaced)));
        assert!(!factor.take_recovery_code(&typed(&codes[0])), "used up");
        assert!(factor.take_recovery_code(&typed(&codes[9])));
        assert_eq!(factor.recovery.len(), RECOVERY_CODES - 2);
        // Those of 80 bits that were given out before.
        factor.recovery.push(Hashed::of(b"abcdefghijklmnop"));
        assert!(factor.take_recovery_code(&typed(&Code::new("ABCD-EFGH-IJKL-MNOP"))));
    }

    #[test]
    fn the_secret_is_not_shown_by_accident_and_names_are_escaped() {
        assert!(!format!("{:?}", factor()).contains("GEZD"));
        let uri = factor().secret.uri("id.example.com", "a:b 人");
        assert!(uri.starts_with("otpauth://totp/id%2Eexample%2Ecom:a%3Ab%20%E4%BA%BA?secret=GEZD"), "{uri}");
    }
}
