//! `polygate doctor`: what is wrong with a setup, and how to mend it. Changes nothing.

mod local;
mod mail;
mod pool;
mod table;
mod web;

use std::collections::BTreeSet;

use polygate_shared::identity::{Clock as _, SystemClock};
use polygate_shared::mail_templates;
use polygate_shared::settings::{BadSetting, Settings, environment};
use time::macros::datetime;

use super::place::Pool;
use super::{Done, Outcome, print};
use crate::command::Doctor;

/// What one look brought.
enum Finding {
    /// All is well.
    Fine(String),
    /// Worth knowing; nothing has to be done.
    Note(String),
    /// Has to be mended; says how.
    Wrong(String),
}

type Findings = Vec<Finding>;

fn fine(text: impl Into<String>) -> Finding {
    Finding::Fine(text.into())
}

fn note(text: impl Into<String>) -> Finding {
    Finding::Note(text.into())
}

fn wrong(text: impl Into<String>) -> Finding {
    Finding::Wrong(text.into())
}

pub(super) async fn doctor(how: Doctor) -> Done {
    let (settings, mut found) = settings();
    found.push(clock());
    let is_local = how.place.endpoint.is_none() && how.place.table.is_none();
    let pool = match is_local {
        true => local::local(&how, &mut found),
        false => match Pool::find(&how.place).await {
            Ok(pool) => Some(pool),
            Err(failed) => {
                found.push(wrong(failed.to_string()));
                None
            }
        },
    };
    let mut published = None;
    if let Some(pool) = &pool
        && table::look(pool, &mut found).await
    {
        published = pool::look(pool, settings.as_ref(), &mut found).await;
        mail::look(pool, settings.as_ref(), &mut found).await;
    }
    if let Some(url) = &how.url {
        web::look(url, published.as_deref(), SystemClock.now(), &mut found).await;
    }
    if let Some(pool) = pool {
        pool.close().await;
    }
    print(&told(&found))?;
    let well = !found.iter().any(|finding| matches!(finding, Finding::Wrong(_)));
    Ok(if well { Outcome::Well } else { Outcome::Found })
}

fn told(found: &Findings) -> String {
    let lines = found.iter().map(|finding| match finding {
        Finding::Fine(text) => format!("ok     {text}\n"),
        Finding::Note(text) => format!("note   {text}\n"),
        Finding::Wrong(text) => format!("WRONG  {text}\n"),
    });
    lines.collect()
}

/// Each setting that can't be used: those that were told are passed over to find the next.
fn settings() -> (Option<Settings>, Findings) {
    let lookup = environment();
    let (mut bad, mut found): (BTreeSet<&str>, _) = (BTreeSet::new(), Findings::new());
    let settings = loop {
        match Settings::parse(&|name| if bad.contains(name) { None } else { lookup(name) }) {
            Ok(settings) => break settings,
            Err(one) => {
                found.push(wrong(one.to_string()));
                if !bad.insert(BadSetting::variable(&one)) {
                    return (None, found);
                }
            }
        }
    };
    let (_, templates) = mail_templates::stationery(&settings);
    found.extend(templates.iter().map(|bad| wrong(bad.to_string())));
    if found.is_empty() {
        found.push(fine("the settings of this environment can be used"));
    }
    (Some(settings), found)
}

/// Tokens, codes and keys go by the clock.
fn clock() -> Finding {
    match SystemClock.now() {
        now if now < datetime!(2026-01-01 00:00 UTC) => {
            wrong(format!("the clock says {}, which has been: set it", now.date()))
        }
        _ => fine("the clock can be right"),
    }
}
