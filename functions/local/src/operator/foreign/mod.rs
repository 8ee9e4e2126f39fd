//! `polygate import --from`: the accounts of another system join a pool.

mod dump;
mod kite;
mod mcphub;
mod row;
mod sproutgate;
mod when;
mod zeaya;

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;
use futures_util::StreamExt as _;
use futures_util::stream;
use polygate_shared::identity::{Account, Error, Identity, Imported};
use polygate_shared::settings::{Settings, environment};
use serde_json::{Value, json};

use self::row::{Candidate, Read, Unreadable};
use super::check::Progress;
use super::import::{PARALLEL, checked, patiently, pool_to_fill};
use super::{Done, Outcome, print};
use crate::command::{Import, System};
use crate::folder::private;

pub(super) async fn import(how: Import, system: System) -> Done {
    let file = how.file.display().to_string();
    let rows = read(system, &how.file).with_context(|| format!("{file} is not imported"))?;
    let mut telling = Telling { system, map: None, counts: Counts::default() };
    if how.foreign.dry_run {
        for row in rows {
            telling.dry(row, how.foreign.administrators)?;
        }
        return telling.end("can be imported where nobody has their names and addresses");
    }
    let pool = pool_to_fill(&how.place).await?;
    telling.map = how.foreign.map.as_deref().map(map_file).transpose()?;
    let imported = match pool.identity().await {
        Ok(identity) => import_all(&identity, rows, how.foreign.administrators, telling).await,
        Err(failed) => Err(failed),
    };
    let outcome = match imported {
        Ok(outcome) => checked(&pool, outcome).await,
        Err(failed) => Err(failed),
    };
    pool.close().await;
    outcome
}

fn read(system: System, file: &Path) -> anyhow::Result<Vec<Read>> {
    match system {
        System::Kite => kite::read(file),
        System::Zeaya => zeaya::read(file, Settings::parse(&environment())?.zone),
        System::Sproutgate => sproutgate::read(file),
        System::Mcphub => mcphub::read(file),
    }
}

/// Lines go behind those of an import that was broken off.
fn map_file(path: &Path) -> Done<File> {
    let file = private(OpenOptions::new().append(true).create(true)).open(path);
    Ok(file.with_context(|| format!("{} can't be written", path.display()))?)
}

async fn import_all(identity: &Identity, rows: Vec<Read>, administrators: bool, mut telling: Telling) -> Done {
    let system = telling.system;
    let mut all = stream::iter(rows)
        .map(|read| async move {
            let (key, name) = who(&read);
            (key, name, import_one(identity, read, system, administrators).await)
        })
        .buffered(PARALLEL);
    let (mut progress, mut done) = (Progress::default(), 0);
    while let Some((key, name, became)) = all.next().await {
        telling.told(&key, &name, became?)?;
        done += 1;
        progress.told("imported", done);
    }
    progress.end();
    telling.end("imported")
}

fn who(read: &Read) -> (String, String) {
    match read {
        Ok(row) => (row.key.clone(), row.name.clone()),
        Err(bad) => (bad.key.clone(), bad.name.clone()),
    }
}

fn check(read: Read, system: System, administrators: bool) -> Result<Candidate, String> {
    match read {
        Ok(row) => row.check(system, administrators),
        Err(Unreadable { why, .. }) => Err(why),
    }
}

/// What became of an account, with what of it has no place here.
enum Became {
    New(Account, Vec<&'static str>),
    Known(Account),
    LeftOut(String),
}

async fn import_one(identity: &Identity, read: Read, system: System, administrators: bool) -> Done<Became> {
    let Candidate { account, left_behind } = match check(read, system, administrators) {
        Ok(candidate) => candidate,
        Err(why) => return Ok(Became::LeftOut(why)),
    };
    match patiently(|| identity.import_account(account.clone())).await {
        Ok(Imported::New(account)) => Ok(Became::New(account, left_behind)),
        Ok(Imported::Known(account)) => Ok(Became::Known(account)),
        Ok(Imported::Deleted) => Ok(Became::LeftOut("it was imported before, and deleted here since".to_owned())),
        Err(Error::NameTaken) => Ok(Became::LeftOut("somebody else has its name, or it is reserved".to_owned())),
        Err(Error::EmailTaken) => Ok(Became::LeftOut("somebody else has one of its addresses".to_owned())),
        Err(other) => Err(other.into()),
    }
}

/// Says what became of each account, and how many there were.
struct Telling {
    system: System,
    map: Option<File>,
    counts: Counts,
}

#[derive(Default)]
struct Counts {
    new: u64,
    known: u64,
    left_out: u64,
    left_behind: BTreeMap<&'static str, u64>,
}

impl Telling {
    fn dry(&mut self, read: Read, administrators: bool) -> Done<()> {
        let (key, name) = who(&read);
        match check(read, self.system, administrators) {
            Ok(candidate) => {
                self.counts.new += 1;
                self.left_behind(&candidate.left_behind);
                Ok(())
            }
            Err(why) => self.left_out(&key, &name, &why),
        }
    }

    fn told(&mut self, key: &str, name: &str, became: Became) -> Done<()> {
        match became {
            Became::New(account, left_behind) => {
                self.counts.new += 1;
                self.left_behind(&left_behind);
                self.map(key, name, Ok(("imported", &account)))
            }
            Became::Known(account) => {
                self.counts.known += 1;
                self.map(key, name, Ok(("imported before", &account)))
            }
            Became::LeftOut(why) => self.left_out(key, name, &why),
        }
    }

    fn left_behind(&mut self, what: &[&'static str]) {
        for one in what {
            *self.counts.left_behind.entry(one).or_default() += 1;
        }
    }

    fn left_out(&mut self, key: &str, name: &str, why: &str) -> Done<()> {
        self.counts.left_out += 1;
        eprintln!("left out: {name:?}: {why}");
        self.map(key, name, Err(why))
    }

    fn map(&mut self, key: &str, name: &str, became: Result<(&str, &Account), &str>) -> Done<()> {
        let Some(file) = &mut self.map else { return Ok(()) };
        let line: Value = match became {
            Ok((how, account)) => {
                json!({ "was": key, "name": name, "id": account.id.to_string(), "number": account.number, "outcome": how })
            }
            Err(why) => json!({ "was": key, "name": name, "outcome": "left out", "why": why }),
        };
        Ok(writeln!(file, "{line}")?)
    }

    fn end(self, done: &str) -> Done {
        let Counts { new, known, left_out, left_behind } = self.counts;
        let system = self.system.name();
        let mut text = format!("accounts of {system}: {new} {done}, {known} imported before, {left_out} left out\n");
        for (what, accounts) in left_behind {
            text.push_str(&format!("left behind: {what} (accounts: {accounts})\n"));
        }
        print(&text)?;
        Ok(if left_out == 0 { Outcome::Well } else { Outcome::Found })
    }
}
