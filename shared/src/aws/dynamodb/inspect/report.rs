//! What an inspection found.

use std::fmt;

use crate::aws::dynamodb::items::Wrong;
use crate::identity::Finding;

/// What became of a defect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mended {
    /// Nothing: it wasn't asked for, or needs a person's judgement.
    Not,
    /// It is mended.
    Yes,
    /// Somebody wrote in between; another inspection tells.
    Moved,
}

/// Something that should not be so.
#[derive(Debug)]
pub enum Defect {
    /// Among accounts and what is theirs.
    Pool(Finding),
    /// In an item by itself.
    Item {
        /// Its partition.
        pk: String,
        /// Its place there.
        sk: String,
        /// What.
        wrong: Vec<Wrong>,
    },
    /// A shard of the number of accounts is wrong.
    Total {
        /// Which.
        shard: String,
        /// As it stands.
        stored: u64,
        /// As it should be.
        counted: u64,
    },
    /// The next account would get a number that one has.
    NumberBehind {
        /// The last number that was given.
        stored: u64,
        /// The highest that an account has.
        highest: u64,
    },
    /// An import was begun and not brought to its end.
    HalfImported,
}

impl Defect {
    /// Whether it harms nobody, and goes by itself or only takes room.
    pub fn is_leftover(&self) -> bool {
        match self {
            Self::Pool(finding) => finding.is_leftover(),
            Self::Item { .. } | Self::Total { .. } | Self::NumberBehind { .. } | Self::HalfImported => false,
        }
    }
}

/// A defect, and what became of it.
#[derive(Debug)]
pub struct Found {
    /// What.
    pub defect: Defect,
    /// What became of it.
    pub mended: Mended,
}

/// What an inspection found.
#[derive(Debug, Default)]
pub struct Report {
    /// How many items were read.
    pub items: u64,
    /// How many of them are accounts.
    pub accounts: u64,
    /// What is wrong.
    pub found: Vec<Found>,
}

impl Report {
    /// Whether nothing is wrong any more that harms anybody.
    pub fn is_sound(&self) -> bool {
        self.found.iter().all(|found| found.defect.is_leftover() || found.mended == Mended::Yes)
    }

    pub(super) fn add(&mut self, defect: Defect) {
        self.found.push(Found { defect, mended: Mended::Not });
    }

    pub(super) fn extend(&mut self, defects: impl IntoIterator<Item = Defect>) {
        defects.into_iter().for_each(|defect| self.add(defect));
    }

    /// Each once: one thing may have been suspect from two sides.
    pub(super) fn settle(&mut self) {
        let mut told = std::collections::BTreeSet::new();
        self.found.retain(|found| told.insert(found.defect.to_string()));
    }
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pool(finding) => finding.fmt(f),
            Self::Item { pk, sk, wrong } => {
                write!(f, "the item {pk} / {sk} ")?;
                for (nth, wrong) in wrong.iter().enumerate() {
                    write!(f, "{}{wrong}", if nth == 0 { "" } else { ", and " })?;
                }
                Ok(())
            }
            Self::Total { shard, stored, counted } => {
                write!(f, "{shard} counts {stored} accounts where there are {counted}")
            }
            Self::NumberBehind { stored, highest } => {
                write!(f, "the last account number is kept as {stored}, but an account has {highest}")
            }
            Self::HalfImported => f.write_str("an import was begun and not brought to its end: import the file again"),
        }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(why) => write!(f, "can't be read ({why})"),
            Self::Misplaced => f.write_str("holds what stands under another key"),
            Self::Differs(attribute) => write!(f, "has a wrong {attribute} for what it holds"),
            Self::Stray(path) => write!(f, "has {path}, which this version doesn't know"),
        }
    }
}
