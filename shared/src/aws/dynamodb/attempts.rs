//! Counting attempts: one write each, refused with what is stored where that isn't what the count rests on.

use super::DynamoStore;
use super::items::{self, AttemptsItem, Key, attempts_expiry, millis};
use super::write::Write;
use crate::identity::{AttemptKey, Attempts, CountedOn, Counting, Result};

impl DynamoStore {
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
    write.value(":now", &millis(counting.now))?.value(":expires_at", &attempts_expiry(counting))
}
