//! `polygate export`: a whole pool as a file.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{BufReader, BufWriter, Seek as _, SeekFrom, Write, stdout};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Serialize;
use serde_json::Value;

use super::backup::{End, Head, Line, Lines, Mark, Tally};
use super::check::Progress;
use super::place::Pool;
use super::{Done, Outcome, told};
use crate::command::Export;
use crate::folder::private;

pub(super) async fn export(how: Export) -> Done {
    if how.file.as_os_str() != "-" && how.file.exists() {
        return Err(told(format!("{} is there already: name another file", how.file.display())));
    }
    let pool = Pool::open(&how.place).await?;
    let written = write_whole(&pool, &how).await;
    pool.close().await;
    let items = written?;
    eprintln!("{items} items exported. The file is as secret as the table: keep it where nobody else can read it.");
    Ok(Outcome::Well)
}

async fn write_whole(pool: &Pool, how: &Export) -> Done<u64> {
    let with_keys = !how.without_keys;
    let head = Head::new(&pool.table, pool.store.pool_mark().await?, with_keys);
    if how.file.as_os_str() == "-" {
        return write(pool, Begun::new(stdout()), &head, with_keys).await;
    }
    to_file(pool, &how.file, &head, with_keys).await
}

/// Writes beside the file until all is there, so that a file of that name is a whole one.
async fn to_file(pool: &Pool, path: &Path, head: &Head, with_keys: bool) -> Done<u64> {
    let part = beside(path);
    let begun = match resumed(&part, head)? {
        Some(begun) => begun,
        None => {
            let made = private(OpenOptions::new().write(true).create_new(true)).open(&part);
            Begun::new(made.with_context(|| format!("{} can't be made", part.display()))?)
        }
    };
    let file = begun.file.try_clone()?;
    let items = write(pool, begun, head, with_keys).await?;
    file.sync_all()?;
    fs::rename(&part, path).with_context(|| format!("{} can't be renamed", part.display()))?;
    Ok(items)
}

fn beside(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".part");
    name.into()
}

/// An export that was begun, possibly just now.
struct Begun<W> {
    file: W,
    tally: Tally,
    after: Option<Value>,
}

impl<W: Write> Begun<W> {
    fn new(file: W) -> Self {
        Self { file, tally: Tally::new(), after: None }
    }
}

/// What an export left that was broken off: cut back to the end of its last whole page.
fn resumed(part: &Path, head: &Head) -> Done<Option<Begun<File>>> {
    if !part.exists() {
        return Ok(None);
    }
    let other = |what: &str| told(format!("{} {what}: remove it first", part.display()));
    let opened = OpenOptions::new().read(true).write(true).open(part);
    let mut file = opened.with_context(|| format!("{} can't be gone on with", part.display()))?;
    let mut lines = Lines(BufReader::new(file.try_clone()?));
    let mut tally = Tally::new();
    let mut whole = None;
    while let Some(line) = lines.next()? {
        if tally.bytes == 0 {
            // Nothing but a part of the first line: it was broken off before anything was there.
            let Ok(found) = serde_json::from_slice::<Head>(&line) else { break };
            if !found.is_same(head) {
                return Err(other("is no export of this pool that can be gone on with"));
            }
            tally.take(&line, false);
            continue;
        }
        // Cut in the middle of a line.
        if !line.ends_with(b"\n") {
            break;
        }
        match Line::read(&line) {
            Some(Line::Item) => tally.take(&line, true),
            Some(Line::Mark(after)) => {
                tally.take(&line, false);
                whole = Some((tally.clone(), after));
            }
            Some(Line::End(_)) => break,
            None => return Err(other(&format!("has a line after {} items that no export wrote", tally.items))),
        }
    }
    let (tally, after) = whole.map_or_else(|| (Tally::new(), None), |(tally, after)| (tally, Some(after)));
    file.set_len(tally.bytes)?;
    file.seek(SeekFrom::Start(tally.bytes))?;
    if after.is_some() {
        eprintln!("going on after {} items that were exported before", tally.items);
    }
    Ok(Some(Begun { file, tally, after }))
}

/// Writes all pages and the end; the number of items.
async fn write<W: Write>(pool: &Pool, begun: Begun<W>, head: &Head, with_keys: bool) -> Done<u64> {
    let Begun { file, mut tally, mut after } = begun;
    let mut file = BufWriter::new(file);
    let mut progress = Progress::default();
    if tally.bytes == 0 {
        line(&mut file, &mut tally, &text(head)?, false)?;
    }
    loop {
        let page = pool.store.page(after.as_ref(), with_keys).await?;
        for item in &page.lines {
            line(&mut file, &mut tally, item, true)?;
        }
        progress.told("exported", tally.items);
        let Some(next) = page.after else { break };
        line(&mut file, &mut tally, &text(&Mark { after: next.clone() })?, false)?;
        // Whole pages are there however it is broken off.
        file.flush()?;
        after = Some(next);
    }
    progress.end();
    let totals = tally.totals();
    let items = totals.items;
    line(&mut file, &mut tally, &text(&End { totals })?, false)?;
    file.flush()?;
    Ok(items)
}

fn line(file: &mut impl Write, tally: &mut Tally, text: &str, is_item: bool) -> std::io::Result<()> {
    let line = format!("{text}\n");
    tally.take(line.as_bytes(), is_item);
    file.write_all(line.as_bytes())
}

fn text(line: &impl Serialize) -> anyhow::Result<String> {
    serde_json::to_string(line).context("a line could not be written")
}
