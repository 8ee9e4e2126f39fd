//! Attempts at secrets: counted before anything is compared, and after some in a row each one waits.

use std::time::Duration;

use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::context::{MOST_ATTEMPTS, contended};
use super::{AccountId, ChallengeKey, Error, Hashed, Identity, Result};

/// What is counted together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttemptKey {
    /// Sign-ins with a name or address, whether anybody has it or not.
    Identifier(String),
    /// Sign-ins with it from a device that is known to it.
    Device {
        /// The name or address.
        identifier: String,
        /// Tells the device from others.
        device: Hashed,
    },
    /// Sign-ins from a network.
    SignInsFrom(String),
    /// Registrations from a network.
    RegistrationsFrom(String),
    /// Codes of an account's second factor.
    SecondFactor(AccountId),
    /// The present password of an account that somebody is signed in to.
    CurrentPassword(AccountId),
    /// Notices to an address, by its canonical form.
    NoticesTo(String),
    /// Guesses at the mailed codes of one purpose about one account or name.
    MailedCode(ChallengeKey),
    /// Guesses at any mailed codes from a network.
    MailedCodesFrom(String),
    /// Codes that an account has mailed to addresses that aren't its own.
    AddressesMailedBy(AccountId),
}

/// How long attempts in a row wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// So many attempts wait for nothing.
    pub free: u32,
    /// The wait after them; it doubles with each further one.
    pub first_wait: Duration,
    /// No wait is longer.
    pub longest_wait: Duration,
    /// They are forgotten once there was none for so long.
    pub forgotten_after: Duration,
}

/// The numbers of the deployment, one row for each thing that is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Sign-ins with one name or address, from devices that aren't known to it.
    pub identifier: Backoff,
    /// Sign-ins with it from one device that is known.
    pub device: Backoff,
    /// Sign-ins from one network, by devices that aren't known.
    pub sign_ins_from: Backoff,
    /// Registrations from one network.
    pub registrations_from: Backoff,
    /// How long a device is known after its last sign-in.
    pub devices_known_for: Duration,
    /// Codes of one account's second factor.
    pub second_factor: Backoff,
    /// The present password of one account, asked for before it is changed.
    pub current_password: Backoff,
    /// Notices to one address.
    pub notices_to: Backoff,
    /// Guesses at one account's mailed codes. The longest wait is well within a code's life: strangers' guesses must not
    /// keep the person from using the code.
    pub mailed_code: Backoff,
    /// Guesses at mailed codes from one network.
    pub mailed_codes_from: Backoff,
    /// Codes that one account has mailed to addresses that aren't its own.
    pub addresses_mailed_by: Backoff,
}

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// How often an attempt looks whether others are taken back, and how long it waits between: in all less than the first
/// wait, so that no more are let through than without it.
const LOOKS: u32 = 8;
const LOOK_GAP: Duration = Duration::from_millis(100);

impl Default for Limits {
    fn default() -> Self {
        let sign_in =
            Backoff { free: 5, first_wait: SECOND, longest_wait: MINUTE.saturating_mul(15), forgotten_after: DAY };
        Self {
            identifier: sign_in,
            device: sign_in,
            sign_ins_from: sign_in,
            registrations_from: Backoff { free: 30, first_wait: MINUTE, forgotten_after: HOUR, ..sign_in },
            devices_known_for: DAY.saturating_mul(90),
            second_factor: Backoff { first_wait: MINUTE, longest_wait: HOUR, ..sign_in },
            current_password: sign_in,
            notices_to: Backoff { free: 20, first_wait: HOUR, longest_wait: HOUR, forgotten_after: HOUR },
            mailed_code: Backoff {
                free: 10,
                first_wait: MINUTE,
                longest_wait: MINUTE.saturating_mul(5),
                forgotten_after: DAY,
            },
            mailed_codes_from: Backoff { free: 10, first_wait: MINUTE, longest_wait: HOUR, forgotten_after: DAY },
            addresses_mailed_by: Backoff { free: 20, first_wait: HOUR, longest_wait: HOUR, forgotten_after: HOUR },
        }
    }
}

impl Limits {
    /// The same where everybody comes from one address: what is counted by it is let through a hundred times as often.
    #[must_use]
    pub fn for_one_source(self) -> Self {
        self.for_shared_sources(100)
    }

    /// The same where many people come from one address: what is counted by it is let through so many times as often.
    #[must_use]
    pub fn for_shared_sources(self, times: u32) -> Self {
        let often = |limit: Backoff| Backoff { free: limit.free.saturating_mul(times), ..limit };
        Self {
            sign_ins_from: often(self.sign_ins_from),
            registrations_from: often(self.registrations_from),
            mailed_codes_from: often(self.mailed_codes_from),
            ..self
        }
    }

    pub(super) fn of(&self, key: &AttemptKey) -> &Backoff {
        match key {
            AttemptKey::Identifier(_) => &self.identifier,
            AttemptKey::Device { .. } => &self.device,
            AttemptKey::SignInsFrom(_) => &self.sign_ins_from,
            AttemptKey::RegistrationsFrom(_) => &self.registrations_from,
            AttemptKey::SecondFactor(_) => &self.second_factor,
            AttemptKey::CurrentPassword(_) => &self.current_password,
            AttemptKey::NoticesTo(_) => &self.notices_to,
            AttemptKey::MailedCode(_) => &self.mailed_code,
            AttemptKey::MailedCodesFrom(_) => &self.mailed_codes_from,
            AttemptKey::AddressesMailedBy(_) => &self.addresses_mailed_by,
        }
    }
}

/// Attempts that were counted and not taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempts {
    /// How many in a row.
    pub count: u32,
    /// When the last of them was.
    #[serde(with = "super::millis")]
    pub last_at: OffsetDateTime,
    /// Of a device: until when it is known.
    #[serde(default, with = "time::serde::timestamp::option")]
    pub known_until: Option<OffsetDateTime>,
}

/// How one more attempt is to be counted, and what must still be so when it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counting {
    /// When the attempt is made.
    pub now: OffsetDateTime,
    /// What the count rests on.
    pub on: CountedOn,
    /// When the count means nothing any more.
    pub forgotten_at: OffsetDateTime,
}

/// What a count rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CountedOn {
    /// Any number below `free` of which the last came later than `since`, or none: one more. Parallel ones are all counted.
    Few {
        /// Attempts that wait for nothing.
        free: u32,
        /// What came before doesn't count any more.
        since: OffsetDateTime,
    },
    /// Exactly these, whose wait is over: `count` afterwards. Of parallel ones a single one is counted.
    Exactly {
        /// What was there.
        seen: Attempts,
        /// The count afterwards.
        count: u32,
    },
}

impl Backoff {
    /// Refuses one more attempt after those that were seen where it comes too soon.
    pub(super) fn check(&self, seen: Option<Attempts>, now: OffsetDateTime) -> Result<Counting> {
        let told = |retry_after| Error::TooManyRequests { retry_after, limit: self.free };
        self.count(seen, now).map_err(told)
    }

    /// Whether all attempts that wait for nothing are taken and no other was made.
    pub(super) fn is_just_full(&self, seen: Option<Attempts>) -> bool {
        seen.is_some_and(|seen| seen.count == self.free)
    }

    /// How one more attempt is counted after those that were seen, or how long it has to wait.
    fn count(&self, seen: Option<Attempts>, now: OffsetDateTime) -> Result<Counting, Duration> {
        let known_until = seen.and_then(|seen| seen.known_until).unwrap_or(now);
        let forgotten_at = known_until.max(now + self.forgotten_after);
        let counting = |on| Ok(Counting { now, on, forgotten_at });
        let few = CountedOn::Few { free: self.free, since: now - self.forgotten_after };
        let Some(seen) = seen else { return counting(few) };
        if seen.last_at + self.forgotten_after <= now {
            return counting(CountedOn::Exactly { seen, count: 1 });
        }
        if seen.count < self.free {
            return counting(few);
        }
        let free_at = seen.last_at + self.wait_after(seen.count);
        if now < free_at {
            return Err((free_at - now).unsigned_abs());
        }
        counting(CountedOn::Exactly { seen, count: seen.count.saturating_add(1) })
    }

    /// The wait after so many attempts, of which at least `free`.
    fn wait_after(&self, count: u32) -> Duration {
        let doublings = count.saturating_sub(self.free).min(31);
        self.first_wait.saturating_mul(1 << doublings).min(self.longest_wait)
    }
}

impl Identity {
    /// Counts one more attempt, or refuses it where it comes too soon. It is counted before anything is compared, so that
    /// parallel ones don't slip through; whoever was right takes it back or has all of them forgotten.
    pub(super) async fn reserve_attempt(&self, key: &AttemptKey) -> Result<()> {
        self.reserve(key, None, 0).await
    }

    /// The same after what was read before. Where the attempts that wait for nothing are all taken, some of them may be
    /// right ones that are being looked at and will be taken back: it looks a few times more before it refuses.
    pub(super) async fn reserve_patiently(&self, key: &AttemptKey, seen: Option<Attempts>) -> Result<()> {
        self.reserve(key, seen, LOOKS).await
    }

    async fn reserve(&self, key: &AttemptKey, mut seen: Option<Attempts>, mut looks: u32) -> Result<()> {
        let limit = self.policy.limits.of(key);
        for _ in 0..MOST_ATTEMPTS + 2 * LOOKS {
            let counting = match limit.check(seen, self.now()) {
                Ok(counting) => counting,
                Err(refusal) if looks == 0 || !limit.is_just_full(seen) => return Err(refusal),
                Err(Error::TooManyRequests { .. }) => {
                    looks -= 1;
                    tokio::time::sleep(LOOK_GAP).await;
                    seen = None;
                    continue;
                }
                Err(other) => return Err(other),
            };
            match self.store.count_attempt(key, &counting).await? {
                Ok(()) => return Ok(()),
                Err(stored) => seen = stored,
            }
        }
        Err(contended())
    }

    /// Takes one attempt back that was right, which doesn't depend on that.
    pub(super) async fn take_attempt_back(&self, key: &AttemptKey) {
        if let Err(failed) = self.store.take_attempt_back(key).await {
            tracing::warn!(cause = %failed, "an attempt was not taken back");
        }
    }

    /// What came of looking at a secret. Where nothing did, since the store or the hasher has too much to do, what was
    /// counted is taken back: whoever asks again must not find that it counted against them.
    pub(super) async fn counted_if_looked_at<T>(&self, keys: &[AttemptKey], outcome: Result<T>) -> Result<T> {
        if outcome.as_ref().is_err_and(Error::is_accident) {
            join_all(keys.iter().map(|key| self.take_attempt_back(key))).await;
        }
        outcome
    }

    /// Starts counting anew after an attempt that was right, which doesn't depend on that.
    pub(super) async fn forget_attempts(&self, key: &AttemptKey) {
        if let Err(failed) = self.store.forget_attempts(key).await {
            tracing::warn!(cause = %failed, "attempts were not forgotten");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    const NOON: OffsetDateTime = datetime!(2026-01-01 12:00 UTC);
    const BACKOFF: Backoff = Backoff {
        free: 5,
        first_wait: Duration::from_secs(1),
        longest_wait: Duration::from_secs(900),
        forgotten_after: DAY,
    };

    fn seen(count: u32) -> Option<Attempts> {
        Some(Attempts { count, last_at: NOON, known_until: None })
    }

    #[test]
    fn five_are_free_and_then_the_wait_doubles_up_to_its_longest() {
        for few in [None, seen(1), seen(4)] {
            let counting = BACKOFF.count(few, NOON).expect("free");
            assert!(matches!(counting.on, CountedOn::Few { free: 5, .. }), "{counting:?}");
        }
        let waits = (5..18).map(|count| BACKOFF.count(seen(count), NOON).expect_err("a wait").as_secs());
        assert_eq!(waits.collect::<Vec<_>>(), [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]);
        assert_eq!(BACKOFF.count(seen(u32::MAX), NOON), Err(Duration::from_secs(900)), "never for ever");
    }

    #[test]
    fn once_the_wait_is_over_one_of_them_is_counted() {
        let over = NOON + Duration::from_secs(1);
        let just_before = over - Duration::from_millis(1);
        assert_eq!(BACKOFF.count(seen(5), just_before), Err(Duration::from_millis(1)));
        let counting = BACKOFF.count(seen(5), over).expect("over");
        assert_eq!(counting.on, CountedOn::Exactly { seen: seen(5).expect("five"), count: 6 });
    }

    #[test]
    fn a_quiet_day_makes_them_forgotten() {
        for count in [1, 5, 1000] {
            let counting = BACKOFF.count(seen(count), NOON + DAY).expect("forgotten");
            assert!(matches!(counting.on, CountedOn::Exactly { count: 1, .. }), "{counting:?}");
        }
    }
}
