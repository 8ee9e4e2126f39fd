//! The file of an export: lines of JSON, the first says what it is, the last how much there is and of what hash.

use std::io::{self, BufRead, Read};

use anyhow::{Context, bail};
use polygate_shared::aws::dynamodb::{DynamoStore, PoolMark};
use ring::digest;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::text::hex;

/// The form that this version writes and reads.
const FORMAT: u32 = 1;

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Head {
    polygate_export: u32,
    table: String,
    /// Absent in files of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pool: Option<PoolMark>,
    with_keys: bool,
    /// The version of the service that wrote it.
    written_by: String,
}

impl Head {
    pub(super) fn new(table: &str, pool: PoolMark, with_keys: bool) -> Self {
        let written_by = env!("CARGO_PKG_VERSION").to_owned();
        Self { polygate_export: FORMAT, table: table.to_owned(), pool: Some(pool), with_keys, written_by }
    }

    /// Whether an export with this first line may be gone on with by one with the other: not where nothing tells whether
    /// they are of one pool.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let (Some(pool), Some(of_other)) = (&self.pool, &other.pool) else { return false };
        let rest = Self { pool: self.pool.clone(), ..other.clone() };
        *self == rest && pool.is_same(of_other) == Some(true)
    }
}

/// The last line.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct End {
    #[serde(rename = "End")]
    pub(super) totals: Totals,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Totals {
    pub(super) items: u64,
    /// Of all that stands before this line, in hexadecimal.
    pub(super) sha256: String,
}

/// A line after each page: from here an export goes on.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Mark {
    #[serde(rename = "After")]
    pub(super) after: Value,
}

/// A line behind the first one.
pub(super) enum Line {
    Item,
    /// The end of a page, and after what the next one begins.
    Mark(Value),
    End(Totals),
}

impl Line {
    /// `None`: it is no line of an export.
    pub(super) fn read(line: &[u8]) -> Option<Self> {
        let value: Value = serde_json::from_slice(line).ok()?;
        if DynamoStore::is_item(&value) {
            return Some(Self::Item);
        }
        if let Ok(Mark { after }) = Mark::deserialize(&value) {
            return Some(Self::Mark(after));
        }
        End::deserialize(&value).ok().map(|End { totals }| Self::End(totals))
    }
}

/// What was written or read so far.
#[derive(Clone)]
pub(super) struct Tally {
    pub(super) items: u64,
    pub(super) bytes: u64,
    hash: digest::Context,
}

impl Tally {
    pub(super) fn new() -> Self {
        Self { items: 0, bytes: 0, hash: digest::Context::new(&digest::SHA256) }
    }

    /// Takes a line in, its end included.
    pub(super) fn take(&mut self, line: &[u8], is_item: bool) {
        self.hash.update(line);
        self.bytes += line.len() as u64;
        self.items += u64::from(is_item);
    }

    pub(super) fn totals(&self) -> Totals {
        Totals { items: self.items, sha256: hex(self.hash.clone().finish().as_ref()) }
    }
}

/// Lines with their ends, as bytes.
pub(super) struct Lines<R>(pub(super) R);

impl<R: BufRead> Lines<R> {
    /// The next line, with its end; one without an end was cut.
    pub(super) fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        // No line of ours is near that: an item has 400 KB at most, and bytes grow by a third.
        let read = Read::take(&mut self.0, 4 << 20).read_until(b'\n', &mut line)?;
        Ok(Some(line).filter(|_| read > 0))
    }
}

/// A file of which nothing was lost or changed.
#[derive(Debug)]
pub(super) struct Whole {
    pub(super) totals: Totals,
    /// The pool that it is of, where it says so.
    pub(super) pool: Option<PoolMark>,
}

/// Reads a whole file and makes sure that nothing of it was lost or changed.
pub(super) fn verify(file: impl BufRead) -> anyhow::Result<Whole> {
    let mut lines = Lines(file);
    let mut tally = Tally::new();
    let first = lines.next()?.context("it is empty")?;
    let head: Head = serde_json::from_slice(&first).context("it is no export of polygate")?;
    if head.polygate_export != FORMAT {
        bail!(
            "it has form {}, and this version reads {FORMAT}: import it with the one that wrote it",
            head.polygate_export
        );
    }
    tally.take(&first, false);
    while let Some(line) = lines.next()? {
        if !line.ends_with(b"\n") {
            break;
        }
        match Line::read(&line) {
            Some(Line::Item) => tally.take(&line, true),
            Some(Line::Mark(_)) => tally.take(&line, false),
            Some(Line::End(totals)) => {
                if totals != tally.totals() {
                    bail!("it was changed: its contents are not what its last line says");
                }
                if lines.next()?.is_some() {
                    bail!("it goes on after its end");
                }
                return Ok(Whole { totals, pool: head.pool });
            }
            None => bail!("after {} items there is a line that is none", tally.items),
        }
    }
    bail!("it was cut after {} items", tally.items)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(mark: &str) -> PoolMark {
        serde_json::from_str(mark).expect("a mark")
    }

    fn file() -> Vec<u8> {
        let mut text = serde_json::to_string(&Head::new("t", pool("{}"), true)).expect("JSON") + "\n";
        text.push_str("{\"Item\":{\"pk\":{\"S\":\"a\"},\"sk\":{\"S\":\"b\"}}}\n");
        text.push_str("{\"After\":{\"pk\":{\"S\":\"a\"},\"sk\":{\"S\":\"b\"}}}\n");
        let mut tally = Tally::new();
        text.split_inclusive('\n').for_each(|line| tally.take(line.as_bytes(), line.contains("Item")));
        text.push_str(&(serde_json::to_string(&End { totals: tally.totals() }).expect("JSON") + "\n"));
        text.into_bytes()
    }

    #[test]
    fn a_whole_file_is_good_and_no_part_of_one() {
        let file = file();
        assert_eq!(verify(file.as_slice()).expect("whole").totals.items, 1);
        for cut in 0..file.len() {
            assert!(verify(&file[..cut]).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn the_first_line_of_earlier_versions_is_read() {
        let before = r#"{"polygate_export":1,"table":"polygate","with_keys":true,"written_by":"0.1.0"}"#;
        let head: Head = serde_json::from_str(before).expect("a first line");
        assert_eq!(head.pool, None);
        assert!(!head.is_same(&head.clone()), "nothing says that it is of the same pool");
    }

    #[test]
    fn one_pool_is_told_by_its_key_of_codes_or_else_by_its_first_account() {
        let head = |mark| Head::new("polygate", pool(mark), true);
        for (one, other, same) in [
            (r#"{"codes":"a","first_account":"x"}"#, r#"{"codes":"a"}"#, true),
            (r#"{"codes":"a","first_account":"x"}"#, r#"{"codes":"b","first_account":"x"}"#, false),
            (r#"{"first_account":"x"}"#, r#"{"codes":"a","first_account":"x"}"#, true),
            (r#"{"first_account":"x"}"#, r#"{"codes":"a","first_account":"y"}"#, false),
            (r#"{"codes":"a"}"#, r#"{"first_account":"x"}"#, false),
            ("{}", "{}", false),
        ] {
            assert_eq!(head(one).is_same(&head(other)), same, "{one} {other}");
        }
        let mark = r#"{"codes":"a"}"#;
        assert!(!head(mark).is_same(&Head::new("polygate", pool(mark), false)));
        assert!(!head(mark).is_same(&Head::new("other", pool(mark), true)));
    }

    #[test]
    fn a_changed_file_is_refused() {
        let file = file();
        for place in 0..file.len() - 1 {
            let mut changed = file.clone();
            changed[place] ^= 1;
            assert!(verify(changed.as_slice()).is_err(), "changed at {place}");
        }
        assert!(verify([file.as_slice(), b"x"].concat().as_slice()).is_err(), "longer");
    }
}
