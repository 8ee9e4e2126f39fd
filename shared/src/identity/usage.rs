//! Counters that applications keep with an account: added to and set in the store itself, never read and written back.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::time::Duration;

use futures_util::future::try_join;
use serde::Serialize;
use time::OffsetDateTime;

use super::context::{MOST_ATTEMPTS, contended};
use super::{Account, AccountId, Administrator, Change, Claim, ClaimKind, Error, Hashed, Identity, Result, canonical};

/// How many changes one report may have: all of them are one transaction.
pub const MOST_USAGE_CHANGES: usize = 50;
/// For how long a repeated report is known by its key.
const KEY_LIFE: Duration = Duration::from_secs(24 * 3600);
/// The largest number that every application reads exactly.
const LARGEST: i64 = 9_007_199_254_740_991;

/// Something that is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Counter {
    /// Photographs kept.
    Photos,
    /// Albums kept.
    Albums,
    /// Things marked as favourite.
    Favorites,
    /// Likes received.
    Likes,
    /// Bytes stored.
    StorageUsed,
    /// The balance, which alone may be below 0.
    Coins,
    /// The level.
    Level,
}

impl Counter {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Photos, Self::Albums, Self::Favorites, Self::Likes, Self::StorageUsed, Self::Coins, Self::Level];

    /// Its name, as applications spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Photos => "photos",
            Self::Albums => "albums",
            Self::Favorites => "favorites",
            Self::Likes => "likes",
            Self::StorageUsed => "storage_used",
            Self::Coins => "coins",
            Self::Level => "level",
        }
    }

    /// What it may be.
    pub fn bounds(self) -> RangeInclusive<i64> {
        match self {
            Self::Coins => -LARGEST..=LARGEST,
            Self::Photos | Self::Albums | Self::Favorites | Self::Likes | Self::StorageUsed | Self::Level => {
                0..=LARGEST
            }
        }
    }

    /// What it is.
    pub fn of(self, account: &Account) -> i64 {
        let whole = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        match self {
            Self::Photos => whole(account.usage.photos),
            Self::Albums => whole(account.usage.albums),
            Self::Favorites => whole(account.usage.favorites),
            Self::Likes => whole(account.usage.likes),
            Self::StorageUsed => account.storage_used,
            Self::Coins => account.coins,
            Self::Level => account.level,
        }
    }
}

/// What becomes of a counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Count {
    /// So many more, or fewer.
    Add(i64),
    /// This many, whatever there were.
    Set(i64),
}

impl Count {
    /// The same as this and then that.
    fn then(self, next: Self) -> Self {
        match (self, next) {
            (_, Self::Set(to)) => Self::Set(to),
            (Self::Add(by), Self::Add(more)) => Self::Add(by.saturating_add(more)),
            (Self::Set(to), Self::Add(more)) => Self::Set(to.saturating_add(more)),
        }
    }

    /// What it may be applied to, so that what comes of it is within the bounds.
    pub fn applies_to(self, bounds: &RangeInclusive<i64>) -> RangeInclusive<i64> {
        match self {
            Self::Add(by) => bounds.start().saturating_sub(by)..=bounds.end().saturating_sub(by),
            Self::Set(to) if bounds.contains(&to) => i64::MIN..=i64::MAX,
            Self::Set(_) => RangeInclusive::new(1, 0),
        }
    }
}

/// What becomes of an account's counters.
pub type Counts = BTreeMap<Counter, Count>;

/// Which account is meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Whose {
    /// The one of this id; what can't be one is nobody's.
    Id(String),
    /// The one of this login name, however typed.
    Name(String),
}

/// One account's part of a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UsageChange {
    /// Whose counters.
    pub whose: Whose,
    /// First these are set …
    pub set: BTreeMap<Counter, i64>,
    /// … and then these are added.
    pub add: BTreeMap<Counter, i64>,
}

/// A report that took place under a key, kept so that its repetition is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptReport {
    /// The hash of the key and of who gave it.
    pub key: Hashed,
    /// The hash of what was reported.
    pub digest: Hashed,
    /// Until when it is known.
    pub until: OffsetDateTime,
}

impl Identity {
    /// Applies all changes of a report or none; returns the accounts as they are afterwards, in no order. Under a key the
    /// same report takes place once, however often it is sent within a day.
    pub async fn report_usage(
        &self,
        by: &Administrator,
        report: &[UsageChange],
        key: Option<&str>,
    ) -> Result<Vec<Account>> {
        let kept = key.map(|key| self.keep_report(by, key, report)).transpose()?;
        let (claims, done) = try_join(self.owners(report), self.was_done(kept.as_ref())).await?;
        let changes = merge(report, &claims)?;
        if !done {
            self.apply_counts(by, &changes, kept.as_ref()).await?;
        }
        self.counters_of(&changes).await
    }

    async fn apply_counts(
        &self,
        by: &Administrator,
        changes: &BTreeMap<AccountId, Counts>,
        kept: Option<&KeptReport>,
    ) -> Result<()> {
        let mut all: Vec<_> =
            changes.iter().map(|(account, counts)| Change::Count { account: *account, counts }).collect();
        all.extend(kept.map(|report| Change::KeepReport { report, now: self.now() }));
        for attempt in 0..MOST_ATTEMPTS {
            if self.commit(&all).await? || self.was_done(kept).await? {
                return Ok(());
            }
            self.explain(changes).await?;
            self.step_aside(attempt).await?;
            self.check_still_administers(by).await?;
        }
        Err(contended())
    }

    fn keep_report(&self, by: &Administrator, key: &str, report: &[UsageChange]) -> Result<KeptReport> {
        let caller = match by {
            Administrator::TokenHolder(_) | Administrator::Operator => String::new(),
            Administrator::Account(by) => by.account.account.id.to_string(),
        };
        let report = serde_json::to_vec(report).map_err(anyhow::Error::from)?;
        Ok(KeptReport {
            // Keys are any text, an id has no line break.
            key: Hashed::of(format!("{caller}\n{key}").as_bytes()),
            digest: Hashed::of(&report),
            until: self.now() + KEY_LIFE,
        })
    }

    /// Whether this very report took place; another one under the same key is refused.
    async fn was_done(&self, report: Option<&KeptReport>) -> Result<bool> {
        let Some(report) = report else { return Ok(false) };
        let kept = self.store.kept_report(&report.key).await?.filter(|kept| self.now() < kept.until);
        match kept {
            Some(kept) if kept.digest.equals(&report.digest) => Ok(true),
            Some(_) => Err(Error::KeyReused),
            None => Ok(false),
        }
    }

    async fn owners(&self, report: &[UsageChange]) -> Result<Vec<Claim>> {
        let names: BTreeSet<_> = report.iter().filter_map(|change| change.whose.name_key()).collect();
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let keys: Vec<_> = names.into_iter().map(|name| (ClaimKind::Name, name)).collect();
        self.store.claims(&keys).await
    }

    async fn counters_of(&self, changes: &BTreeMap<AccountId, Counts>) -> Result<Vec<Account>> {
        let ids: Vec<_> = changes.keys().copied().collect();
        Ok(self.store.accounts(&ids).await?.into_iter().map(|read| read.account).collect())
    }

    /// Why a report was refused, where the accounts as they are now still tell it.
    async fn explain(&self, changes: &BTreeMap<AccountId, Counts>) -> Result<()> {
        let accounts = self.counters_of(changes).await?;
        for (id, counts) in changes {
            let account = accounts.iter().find(|account| account.id == *id);
            let account = account.ok_or_else(|| Error::UnknownAccount(id.to_string()))?;
            let fits =
                |counter: Counter, count: Count| count.applies_to(&counter.bounds()).contains(&counter.of(account));
            if let Some((counter, _)) = counts.iter().find(|(counter, count)| !fits(**counter, **count)) {
                let account = account.name.as_str().to_owned();
                return Err(Error::CounterOutOfBounds { account, counter: counter.name() });
            }
        }
        Ok(())
    }
}

impl Whose {
    fn name_key(&self) -> Option<String> {
        match self {
            Self::Id(_) => None,
            Self::Name(name) => Some(canonical(name)),
        }
    }
}

/// What a report does to each account, since a transaction can't have one account twice.
fn merge(report: &[UsageChange], claims: &[Claim]) -> Result<BTreeMap<AccountId, Counts>> {
    let mut merged = BTreeMap::<_, Counts>::new();
    for change in report {
        let id = match &change.whose {
            Whose::Id(id) => AccountId::parse(id).ok_or_else(|| Error::UnknownAccount(id.clone()))?,
            Whose::Name(name) => {
                let key = canonical(name);
                let owner = claims.iter().find(|claim| claim.key == key);
                owner.ok_or_else(|| Error::UnknownAccount(name.clone()))?.account
            }
        };
        let counts = merged.entry(id).or_default();
        let set = change.set.iter().map(|(counter, to)| (*counter, Count::Set(*to)));
        let add = change.add.iter().map(|(counter, by)| (*counter, Count::Add(*by)));
        for (counter, next) in set.chain(add) {
            counts.entry(counter).and_modify(|count| *count = count.then(next)).or_insert(next);
        }
    }
    Ok(merged)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(set: &[(Counter, i64)], add: &[(Counter, i64)]) -> UsageChange {
        let whose = Whose::Id(uuid::Uuid::from_u128(1).to_string());
        UsageChange { whose, set: set.iter().copied().collect(), add: add.iter().copied().collect() }
    }

    #[test]
    fn changes_of_one_account_are_one_in_their_order() {
        use Counter::{Coins, Likes, Photos};
        let report =
            [change(&[(Photos, 5)], &[(Photos, 2), (Likes, 1)]), change(&[(Likes, 9)], &[(Photos, -1), (Coins, -3)])];
        let merged = merge(&report, &[]).expect("known");
        let expected = Counts::from([(Photos, Count::Set(6)), (Likes, Count::Set(9)), (Coins, Count::Add(-3))]);
        assert_eq!(merged.into_values().collect::<Vec<_>>(), [expected]);
        let far = Count::Add(i64::MAX).then(Count::Add(i64::MAX));
        assert!(far.applies_to(&Photos.bounds()).is_empty() || !far.applies_to(&Photos.bounds()).contains(&0));
    }

    #[test]
    fn a_count_applies_where_its_result_is_within_bounds() {
        let bounds = Counter::Photos.bounds();
        assert_eq!(Count::Add(-3).applies_to(&bounds), 3..=LARGEST + 3);
        assert_eq!(Count::Add(3).applies_to(&bounds), -3..=LARGEST - 3);
        assert_eq!(Count::Set(3).applies_to(&bounds), i64::MIN..=i64::MAX);
        assert!(Count::Set(-1).applies_to(&bounds).is_empty());
        assert!(Counter::Coins.bounds().contains(&-1));
    }
}
