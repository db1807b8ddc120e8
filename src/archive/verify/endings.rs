//! Whether all that is gone from the packs was to go: every record that is gone was named by a tombstone, and every one that was
//! named is gone, or its turn is yet to come. In constant memory, however many they are.

use std::io;

use super::super::error::Result;
use super::super::log::{Finding, ReadCommit};
use super::super::pack;
use super::super::read::Packs;
use super::super::view::View;
use super::Report;
use crate::hash::Sha256;
use crate::limits::{ERASE_AT_ONCE, FINDINGS};

#[derive(Default)]
pub struct Endings {
    /// How far the catalog is, where there is one.
    known: Option<u64>,
    /// Records that tombstones name, and those that are gone.
    named: HashSum,
    gone: HashSum,
    later: Vec<Gone>,
}

impl Endings {
    pub fn new(known: Option<u64>) -> Self {
        Self { known, ..Self::default() }
    }

    /// Whether a tombstone is held against what is gone: what a catalog that lags behind does not know may be gone, or not yet.
    fn counts(&self, tombstone: u64) -> bool {
        self.known.is_none_or(|known| tombstone <= known)
    }

    /// Takes what the next commit ends and what is gone of it; tells how many records that are.
    pub fn commit(&mut self, read: &ReadCommit) -> u64 {
        let commit = &read.commit;
        let ended: Vec<&Sha256> = commit.tombstones.iter().flat_map(|tombstone| &tombstone.records).collect();
        if self.counts(commit.sequence) {
            for hash in ended {
                self.named.add(hash);
            }
        } else {
            self.later.retain(|gone| gone.tombstone != commit.sequence || !ended.contains(&&gone.sha256));
        }
        let mut count = 0;
        for (index, (named, erased)) in (0u32..).zip(commit.records.iter().zip(&read.erased)) {
            let Some(tombstone) = *erased else { continue };
            count += 1;
            if self.counts(tombstone) {
                self.gone.add(&named.sha256);
            } else if self.later.len() < FINDINGS {
                // Its tombstone has to come.
                let of = commit.documents.iter().find(|new| [new.message, new.document].contains(&index));
                let document = of.map(|new| new.number).or_else(|| commit.document_at(index));
                self.later.push(Gone { tombstone, sha256: named.sha256, document });
            }
        }
        count
    }

    /// The log is over. `view` knows which records are still to go.
    pub fn finish(mut self, packs: Packs<'_>, view: Option<&View>, report: &mut Report) -> Result<()> {
        let (mut due, mut after) = (0u64, None);
        while let Some(view) = view {
            let some = view.erase_due(after, ERASE_AT_ONCE)?;
            let Some(&(pack, offset, _)) = some.last() else { break };
            after = Some((pack, offset));
            for (pack, offset, tombstone) in some {
                let Ok(closed) = pack::at(packs.folder, packs.archive, pack, offset)? else { continue };
                if !self.counts(tombstone) {
                    continue;
                }
                if let Ok(whole) = closed.open(packs.keys, &mut io::sink())? {
                    due += 1;
                    self.gone.add(&whole.stored.sha256);
                }
            }
        }
        let mut find = |document, what| {
            report.findings.push(Finding { path: "packs".into(), offset: None, document, what });
        };
        for gone in self.later {
            let what = format!("it was taken out of its pack, and commit {} does not name it", gone.tombstone);
            find(gone.document, what);
        }
        if self.named != self.gone {
            let (named, gone) = (self.named.count, self.gone.count);
            let what = format!("tombstones name {named} records, and {gone} are gone or due: these are not the same");
            // Without the catalog nothing tells which are due.
            if view.is_none() && gone <= named {
                report.notes.push(what);
            } else {
                find(None, what);
            }
        }
        if due > 0 {
            report.notes.push(format!("{due} records of ended documents are still to be taken out of their packs"));
        }
        Ok(())
    }
}

/// A record that is gone, the sequence of its tombstone, and the document that it belonged to, where it was not a part.
struct Gone {
    tombstone: u64,
    sha256: Sha256,
    document: Option<u64>,
}

/// Many hashes as one number that does not depend on their order: they are added modulo 2^256. So two sets of any size are compared
/// in constant memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct HashSum {
    sum: [u64; 4],
    count: u64,
}

impl HashSum {
    fn add(&mut self, hash: &Sha256) {
        let mut carry = false;
        for (digit, bytes) in self.sum.iter_mut().zip(hash.0.as_chunks::<8>().0) {
            let (sum, first) = digit.overflowing_add(u64::from_le_bytes(*bytes));
            let (sum, second) = sum.overflowing_add(u64::from(carry));
            (*digit, carry) = (sum, first || second);
        }
        self.count += 1;
    }
}
