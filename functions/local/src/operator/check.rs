//! `polygate check`: whether a whole table is sound.

use std::io::{IsTerminal as _, Write as _, stderr};

use polygate_shared::aws::dynamodb::{Inspection, Mended, Report};
use polygate_shared::identity::{Clock as _, SystemClock};
use serde::Serialize;

use super::place::Pool;
use super::{Done, Outcome, print};
use crate::command::Check;

/// Without a terminal progress is told this seldom.
const EVERY: u64 = 100_000;

pub(super) async fn check(how: Check) -> Done {
    let pool = Pool::open(&how.place).await?;
    let report = inspect(&pool, how.repair).await;
    pool.close().await;
    let report = report?;
    print(&if how.json { as_json(&report)? } else { as_text(&report, how.repair) })?;
    Ok(if report.is_sound() { Outcome::Well } else { Outcome::Found })
}

/// Inspects a pool and tells on standard error how far it is.
pub(super) async fn inspect(pool: &Pool, repair: bool) -> Done<Report> {
    let mut progress = Progress::default();
    let inspection = Inspection { repair, now: SystemClock.now() };
    let report = inspection.of(&pool.store, &mut |items| progress.told("read", items)).await;
    progress.end();
    Ok(report?)
}

/// A line on standard error that says how far something is: overwritten on a terminal, now and then elsewhere.
#[derive(Default)]
pub(super) struct Progress {
    last: u64,
    shown: bool,
}

impl Progress {
    pub(super) fn told(&mut self, verb: &str, items: u64) {
        // Whoever reads it may be gone; the work goes on.
        if stderr().is_terminal() {
            let _ = write!(stderr(), "\r{items} items {verb}");
            self.shown = true;
        } else if items >= self.last + EVERY {
            let _ = writeln!(stderr(), "{items} items {verb}");
            self.last = items;
        }
    }

    pub(super) fn end(&mut self) {
        if self.shown {
            let _ = writeln!(stderr());
        }
    }
}

pub(super) fn as_text(report: &Report, repair: bool) -> String {
    let Report { items, accounts, found } = report;
    let mut text = String::new();
    for one in found {
        let (kind, end) = match (one.defect.is_leftover(), one.mended) {
            (_, Mended::Yes) => ("mended", ""),
            (false, Mended::Moved) => ("WRONG", " (somebody wrote in between: check again)"),
            (false, Mended::Not) if repair => ("WRONG", " (not safe to mend without a person's judgement)"),
            (false, Mended::Not) => ("WRONG", ""),
            (true, Mended::Not | Mended::Moved) => ("left over", ""),
        };
        text.push_str(&format!("{kind}: {}{end}\n", one.defect));
    }
    let harms = found.iter().filter(|one| !one.defect.is_leftover() && one.mended != Mended::Yes).count();
    let end = match (harms, repair) {
        (0, _) => "sound".to_owned(),
        (harms, true) => format!("{harms} wrong"),
        (harms, false) => format!("{harms} wrong; --repair mends what is safe to mend"),
    };
    text.push_str(&format!("{items} items, {accounts} accounts: {end}\n"));
    text
}

#[derive(Serialize)]
struct ReportShown<'a> {
    sound: bool,
    items: u64,
    accounts: u64,
    found: Vec<FoundShown<'a>>,
}

#[derive(Serialize)]
struct FoundShown<'a> {
    what: String,
    harmful: bool,
    mended: &'a str,
}

fn as_json(report: &Report) -> Done<String> {
    let found = report.found.iter().map(|one| FoundShown {
        what: one.defect.to_string(),
        harmful: !one.defect.is_leftover(),
        mended: match one.mended {
            Mended::Not => "no",
            Mended::Yes => "yes",
            Mended::Moved => "somebody wrote in between",
        },
    });
    let Report { items, accounts, .. } = report;
    let shown = ReportShown { sound: report.is_sound(), items: *items, accounts: *accounts, found: found.collect() };
    let mut text = serde_json::to_string_pretty(&shown).map_err(anyhow::Error::from)?;
    text.push('\n');
    Ok(text)
}
