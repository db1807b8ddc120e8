//! The chain as it can be checked without the key: every stored byte against the links that stand behind the commits. So an
//! auditor, or whoever keeps a backup, can prove an archive whose mails he cannot read.
//!
//! Invariants: nothing is changed and nothing is opened; runs in constant memory.

use super::error::Result;
use super::log::Finding;
use super::pack::{self, BadHead, Depth, Found, PACK_HEADER_LEN, Scanner};
use super::record::ArchiveId;
use super::rows::Position;
use super::start::Paths;
use super::verify::{Progress, Report};
use crate::hash::{Hasher, Sha256};

/// Checks all packs of `archive` and adds to `report` what it finds. `position` is what the catalog knows, sequence 0 where
/// there is none.
pub fn check(
    paths: &Paths,
    archive: ArchiveId,
    position: Position,
    report: &mut Report,
    progress: &mut Progress<'_>,
) -> Result<()> {
    let mut chain = Chain { paths, archive, position, batch: after(&Sha256::of(&archive)), is_known: false, report };
    let numbers = pack::numbers(&paths.packs)?;
    let last = numbers.last().copied().unwrap_or(0);
    let (mut looked, total) = (0, chain.report.bytes);
    let mut expected = 1;
    for number in numbers {
        if number != expected {
            chain.find(expected, None, format!("packs before {number:06} are missing"));
        }
        expected = number.saturating_add(1);
        chain.pack(number, number == last)?;
        looked += pack::size(&paths.packs, number)?;
        progress(looked, total)?;
    }
    if chain.report.erased > 0 {
        let what = format!(
            "{} records were taken out; only with the key it can be told whether they were to",
            chain.report.erased
        );
        chain.report.notes.push(what);
    }
    if position.sequence > 0 && !chain.is_known {
        let what = format!("commit {}, the last one that the catalog knows, is missing or damaged", position.sequence);
        chain.find(position.pack, Some(position.start), what);
    }
    Ok(())
}

struct Chain<'a> {
    paths: &'a Paths,
    archive: ArchiveId,
    position: Position,
    /// The next link, as far as it was seen.
    batch: Hasher,
    /// The last commit that the catalog knows was seen.
    is_known: bool,
    report: &'a mut Report,
}

/// A link that follows `previous`. See [`Commit::link`](super::commit::Commit::link).
fn after(previous: &Sha256) -> Hasher {
    let mut link = Hasher::new();
    link.update(&previous.0);
    link
}

impl Chain<'_> {
    fn find(&mut self, number: u32, offset: Option<u64>, what: impl Into<String>) {
        let path = pack::path(&self.paths.packs, number);
        self.report.findings.push(Finding { path, offset, document: None, what: what.into() });
    }

    fn pack(&mut self, number: u32, is_last: bool) -> Result<()> {
        let packs = &self.paths.packs;
        let mut scanner = match Scanner::open(packs, number, None)? {
            Ok((scanner, header)) if header.archive == self.archive => scanner,
            Ok(_) => {
                self.find(number, Some(16), "the pack belongs to another archive; it was not read");
                return Ok(());
            }
            // It was being made when the power went.
            Err(_) if is_last && pack::size(packs, number)? <= PACK_HEADER_LEN => {
                return Ok(());
            }
            Err(bad) => {
                self.find(number, Some(0), bad.to_string());
                if bad != BadHead::Damaged {
                    return Ok(());
                }
                Scanner::behind_head(packs, number, self.archive, None)?
            }
        };
        let depth = if self.report.quick { Depth::Headers } else { Depth::Stored };
        // First byte that no commit answers for.
        let mut open_from = scanner.position();
        let mut broken = Vec::new();
        while let Some(found) = scanner.next(depth)? {
            match found {
                Found::Broken { offset, what, .. } => broken.push((offset, what)),
                Found::Record { stored, link: None, erased, .. } => {
                    self.report.erased += u64::from(erased.is_some());
                    self.batch.update(&stored.sha256.0);
                }
                Found::Record { offset, stored, link: Some(link), .. } => {
                    for (offset, what) in broken.drain(..) {
                        self.find(number, Some(offset), what);
                    }
                    let mut batch = std::mem::replace(&mut self.batch, after(&link));
                    batch.update(&stored.sha256.0);
                    if !self.report.quick && batch.finish() != link {
                        self.find(
                            number,
                            Some(offset),
                            "this commit, or a record since the one before, is not what it was",
                        );
                    }
                    self.is_known |= link == self.position.commit;
                    self.report.commits += 1;
                    self.report.head = link.to_string();
                    open_from = scanner.position();
                }
            }
        }
        if open_from == scanner.end() {
            return Ok(());
        }
        if is_last && (number, open_from) >= (self.position.pack, self.position.end) {
            let len = scanner.end() - open_from;
            self.report.notes.push(format!("pack {number:06} ends in {len} bytes that no commit answers for"));
            return Ok(());
        }
        for (offset, what) in broken {
            self.find(number, Some(offset), what);
        }
        self.find(number, Some(open_from), "the pack ends in records that no commit names");
        Ok(())
    }
}
