//! Counting attempts: one write each, refused with what is stored where that isn't what the count rests on.

use time::OffsetDateTime;

use super::DynamoStore;
use super::items::{self, AttemptsItem, ClaimItem, Key, attempts_expiry, millis};
use super::write::Write;
use crate::identity::{AttemptKey, Attempts, Claim, ClaimKind, CountedOn, Counting, Result};

impl DynamoStore {
    pub(super) async fn read_claims_and_attempts(
        &self,
        names: &[(ClaimKind, String)],
        attempts: &[AttemptKey],
    ) -> Result<(Vec<Claim>, Vec<Option<Attempts>>)> {
        let keys: Vec<_> = attempts.iter().map(Key::attempts).collect();
        let claimed = names.iter().map(|(kind, key)| Key::claim(*kind, key));
        let (mut claims, mut counted) = (Vec::new(), vec![None; keys.len()]);
        for item in self.batch(claimed.chain(keys.iter().cloned())).await? {
            let at: Key = items::read(item.clone())?;
            match keys.iter().position(|key| *key == at) {
                Some(nth) => counted[nth] = Some(items::read::<AttemptsItem>(item)?.into()),
                None => claims.push(items::read::<ClaimItem>(item)?.into()),
            }
        }
        Ok((claims, counted))
    }

    pub(super) async fn take_back(&self, key: &AttemptKey) -> Result<()> {
        let write = Write::update(Key::attempts(key), "SET #count = #count - :one").when("#count > :none");
        self.write(write.value(":one", &1)?.value(":none", &0)?).await?;
        Ok(())
    }

    pub(super) async fn remember(&self, device: &AttemptKey, now: OffsetDateTime, until: OffsetDateTime) -> Result<()> {
        let expression = "SET #count = :none, #last_at = :now, #known_until = :until, #expires_at = :expires_at";
        let write = Write::update(Key::attempts(device), expression)
            .value(":none", &0)?
            .value(":now", &millis(now))?
            .value(":until", &until.unix_timestamp())?
            .value(":expires_at", &attempts_expiry(until))?;
        self.write(write).await?;
        Ok(())
    }

    /// A repetition by the SDK may count twice: that costs an attempt and never gives one away.
    pub(super) async fn count(&self, key: &AttemptKey, counting: &Counting) -> Result<Result<(), Option<Attempts>>> {
        let Err(stored) = write(key, counting)?.telling().sent(self).await? else { return Ok(Ok(())) };
        let stored = stored.map(items::read::<AttemptsItem>).transpose()?;
        Ok(Err(stored.map(Attempts::from)))
    }
}

fn write(key: &AttemptKey, counting: &Counting) -> anyhow::Result<Write> {
    let write = match counting.on {
        CountedOn::Few { free, since } => Write::update(
            Key::attempts(key),
            "SET #count = if_not_exists(#count, :none) + :one, #last_at = :now, #expires_at = :expires_at",
        )
        .when("attribute_not_exists(#count) OR (#count < :free AND #last_at > :since)")
        .value(":none", &0)?
        .value(":one", &1)?
        .value(":free", &free)?
        .value(":since", &millis(since))?,
        CountedOn::Exactly { seen, count } => {
            Write::update(Key::attempts(key), "SET #count = :count, #last_at = :now, #expires_at = :expires_at")
                .when("#count = :seen AND #last_at = :seen_at")
                .value(":count", &count)?
                .value(":seen", &seen.count)?
                .value(":seen_at", &millis(seen.last_at))?
        }
    };
    write.value(":now", &millis(counting.now))?.value(":expires_at", &attempts_expiry(counting.forgotten_at))
}
