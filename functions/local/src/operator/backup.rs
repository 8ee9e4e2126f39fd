//! The file of an export: lines of JSON, the first says what it is, the last how much there is and of what hash.

use std::io::{self, BufRead, Read};

use anyhow::{Context, bail};
use polygate_shared::aws::dynamodb::DynamoStore;
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
    with_keys: bool,
    /// The version of the service that wrote it.
    written_by: String,
}

impl Head {
    pub(super) fn new(table: &str, with_keys: bool) -> Self {
        let written_by = env!("CARGO_PKG_VERSION").to_owned();
        Self { polygate_export: FORMAT, table: table.to_owned(), with_keys, written_by }
    }

    /// Whether an export with this first line may be gone on with by one with the other.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self == other
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

/// Reads a whole file and makes sure that nothing of it was lost or changed.
pub(super) fn verify(file: impl BufRead) -> anyhow::Result<Totals> {
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
        if let Ok(End { totals }) = serde_json::from_slice(&line) {
            if totals != tally.totals() {
                bail!("it was changed: its contents are not what its last line says");
            }
            if lines.next()?.is_some() {
                bail!("it goes on after its end");
            }
            return Ok(totals);
        }
        let value: Value =
            serde_json::from_slice(&line).with_context(|| format!("broken after {} items", tally.items))?;
        let is_item = DynamoStore::is_item(&value);
        if !is_item && serde_json::from_slice::<Mark>(&line).is_err() {
            bail!("after {} items there is a line that is none", tally.items);
        }
        tally.take(&line, is_item);
    }
    bail!("it was cut after {} items", tally.items)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> Vec<u8> {
        let mut text = serde_json::to_string(&Head::new("t", true)).expect("JSON") + "\n";
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
        assert_eq!(verify(file.as_slice()).expect("whole").items, 1);
        for cut in 0..file.len() {
            assert!(verify(&file[..cut]).is_err(), "cut at {cut}");
        }
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
