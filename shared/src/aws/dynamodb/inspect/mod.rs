//! Reads a whole table and tells whether it is sound; mends what is safe to mend.
//!
//! Every item is read once, in pages. What looks wrong then is read again, a few times with pauses, since others may be
//! writing; only what is wrong each time is told. Everything is mended under the condition that it is as it was read.

mod confirm;
mod report;
mod totals;

use std::collections::BTreeSet;

use time::OffsetDateTime;

use super::DynamoStore;
use super::fault::fault;
use super::items::{CounterItem, Item, Key, Seen, TOTAL_SHARDS, Wrong, found_at, look};
use super::write::Write;
use crate::identity::{AccountId, Change, Claim, Record, Result, Sieve, Store as _};
use confirm::Confirm;
use totals::Counted;

pub use report::{Defect, Found, Mended, Report};

/// How an inspection is done.
#[derive(Debug, Clone, Copy)]
pub struct Inspection {
    /// Whether to mend what is safe to mend.
    pub repair: bool,
    /// The present instant.
    pub now: OffsetDateTime,
}

impl Inspection {
    /// Inspects a table. `progress` is told the number of items read so far, after each page.
    pub async fn of(self, store: &DynamoStore, progress: &mut (dyn FnMut(u64) + Send)) -> Result<Report> {
        let mut report = Report::default();
        let before = store.totals().await?;
        let mut pass = Pass::new(self.now);
        let mut start = None;
        loop {
            let page =
                store.all_items().set_exclusive_start_key(start).send().await.map_err(|error| fault("Scan", error))?;
            for item in page.items.into_iter().flatten() {
                pass.look(&item);
            }
            progress(pass.items);
            start = page.last_evaluated_key;
            if start.is_none() {
                break;
            }
        }
        report.items = pass.items;
        report.accounts = pass.sieve.accounts() as u64;
        let Pass { sieve, counted, number, odd, has_import, .. } = pass;
        if has_import {
            report.add(Defect::HalfImported);
        }
        let highest = sieve.highest_number();
        let confirm = Confirm { store, now: self.now };
        for key in odd {
            report.extend(confirm.item(&key).await?.map(|wrong| Defect::Item { pk: key.pk, sk: key.sk, wrong }));
        }
        let (suspects, codes) = sieve.finish();
        report.extend(confirm.suspects(suspects).await?.into_iter().map(Defect::Pool));
        for code in codes {
            report.extend(confirm.code(&code).await?.into_iter().map(Defect::Pool));
        }
        if number < highest && store.last_number().await? < highest {
            report.add(Defect::NumberBehind { stored: number, highest });
        }
        report.extend(store.wrong_totals(&before, &counted).await?);
        report.settle();
        // What an import has yet to bring is not to be mended away.
        if self.repair && !has_import {
            for found in &mut report.found {
                found.mended = store.mend(&found.defect).await?;
            }
        }
        Ok(report)
    }
}

/// What one reading of all items brings.
struct Pass {
    items: u64,
    sieve: Sieve,
    counted: Counted,
    number: u64,
    odd: Vec<Key>,
    has_import: bool,
}

impl Pass {
    fn new(now: OffsetDateTime) -> Self {
        let (counted, odd) = (Counted::default(), Vec::new());
        Self { items: 0, sieve: Sieve::new(now), counted, number: 0, odd, has_import: false }
    }

    fn look(&mut self, item: &Item) {
        self.items += 1;
        let (seen, wrong) = look(item);
        if !wrong.is_empty() {
            self.odd.push(key_of(item));
        }
        match seen {
            Some(Seen::Record(record)) => {
                if let Record::Account(account) = &record {
                    self.counted.add(account.id);
                }
                self.sieve.note(record);
            }
            Some(Seen::Number(number)) => self.number = number,
            Some(Seen::Import) => self.has_import = true,
            Some(Seen::Total(..) | Seen::Other) | None => {}
        }
    }
}

/// An item's own key; empty where it has none, which no table lets in.
fn key_of(item: &Item) -> Key {
    let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).cloned().unwrap_or_default();
    Key { pk: text("pk"), sk: text("sk") }
}

impl DynamoStore {
    /// The active administrators, as the table lists them.
    pub async fn administrators(&self) -> Result<BTreeSet<AccountId>> {
        let items = self.batch([Key::administrators()]).await?;
        let Some((Some(Seen::Record(Record::Administrators(listed))), _)) = items.first().map(look) else {
            return Ok(BTreeSet::new());
        };
        Ok(listed)
    }

    async fn last_number(&self) -> Result<u64> {
        Ok(self.get::<CounterItem>(Key::account_number()).await?.map_or(0, |counter| counter.count))
    }

    /// Mends what is safe to mend.
    async fn mend(&self, defect: &Defect) -> Result<Mended> {
        let done = match defect {
            Defect::Pool(finding) => match finding.mend() {
                Some(changes) => self.commit(&changes).await?.is_ok(),
                None => return Ok(Mended::Not),
            },
            Defect::Total { shard, stored, counted } => {
                let key = Key { pk: shard.clone(), ..Key::total(0) };
                let unchanged = match stored {
                    0 => "attribute_not_exists(#pk) OR #count = :stored",
                    _ => "#count = :stored",
                };
                let write = Write::update(key, "SET #count = :counted").when(unchanged);
                let write = write.value(":counted", counted)?.value(":stored", stored)?;
                self.write(write).await?
            }
            Defect::NumberBehind { highest, .. } => {
                let write = Write::update(Key::account_number(), "SET #count = :highest")
                    .when("attribute_not_exists(#pk) OR #count < :highest")
                    .value(":highest", highest)?;
                self.write(write).await?
            }
            Defect::Item { pk, sk, wrong } => match self.rewrite(&Key { pk: pk.clone(), sk: sk.clone() }, wrong).await?
            {
                Some(done) => done,
                None => return Ok(Mended::Not),
            },
            Defect::HalfImported => return Ok(Mended::Not),
        };
        Ok(if done { Mended::Yes } else { Mended::Moved })
    }

    /// Writes an account or a claim again whose place in an index is wrong. `None`: that would mend nothing.
    async fn rewrite(&self, key: &Key, wrong: &[Wrong]) -> Result<Option<bool>> {
        let placed = ["listing", "number", "initial", "start"];
        if !wrong.iter().all(|one| matches!(one, Wrong::Differs(name) if placed.contains(&name.as_str()))) {
            return Ok(None);
        }
        let Some(item) = self.batch([key.clone()]).await?.pop() else { return Ok(Some(false)) };
        let changed = match look(&item).0 {
            Some(Seen::Record(Record::Account(account))) => {
                let Some(read) = self.account(account.id).await? else { return Ok(Some(false)) };
                let again = Change::UpdateAccount { account: &read.account, was: read.version };
                self.commit(&[again]).await?.is_ok()
            }
            Some(Seen::Record(Record::Claim(claim))) => self.index_again(&claim, claim.account).await?,
            Some(Seen::Record(_) | Seen::Total(..) | Seen::Number(_) | Seen::Import | Seen::Other) | None => {
                return Ok(None);
            }
        };
        Ok(Some(changed))
    }

    /// Writes where a claim stands in its index, while the same account has it.
    async fn index_again(&self, claim: &Claim, holder: AccountId) -> Result<bool> {
        let (initial, start) = found_at(claim.kind, &claim.key);
        let write = Write::update(Key::claim(claim.kind, &claim.key), "SET #initial = :initial, #start = :start")
            .when("#account = :holder")
            .value(":initial", &initial)?
            .value(":start", &start)?
            .value(":holder", &holder)?;
        self.write(write).await
    }
}
