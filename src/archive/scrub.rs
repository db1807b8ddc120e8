//! An archive read byte by byte, for as long as that takes: the half of a verification that a scrub does slowly. No view of
//! the catalog is held meanwhile, since an open one keeps the catalog from freeing pages; and it can be broken off and gone on
//! with. What is left is [`verify::compare`](super::verify::compare).

use std::io;

use minicbor::{Decode, Encode};

use super::commit::Number;
use super::error::Result;
use super::log::{self, Finding, Findings, ReadCommit, Start, Visitor};
use super::pack::{self, Depth};
use super::rows::Position;
use super::verify::Progress;
use super::{Archive, ArchiveError};

/// How far a reading is, and what it has found.
#[derive(Clone, Debug, Default, Encode, Decode)]
pub struct Reading {
    /// The last commit that was read with all that it names.
    #[n(0)]
    pub position: Position,
    #[n(1)]
    pub commits: u64,
    #[n(2)]
    pub documents: Number,
    #[n(3)]
    pub findings: Findings,
}

/// Reads on from where `reading` stands to the commit that the catalog knows at the end. `progress` is called after each
/// megabyte or pack and may take its time; an error of it ends the reading. `is_through` is called when a pack was
/// read to its end: who keeps the reading then loses a pack's work at most.
pub fn read(
    archive: &Archive,
    reading: &mut Reading,
    progress: &mut Progress<'_>,
    is_through: &mut dyn FnMut(&Reading),
) -> Result<()> {
    if !is_there(archive, &reading.position)? {
        *reading = Reading::default();
    }
    loop {
        // What came in meanwhile is read too.
        let known = archive.view()?.position()?.map_or(0, |position| position.sequence);
        if reading.position.sequence >= known {
            return Ok(());
        }
        let (looked, total) = sizes(archive, &reading.position)?;
        let position = reading.position;
        let mut pass = Pass { archive, reading, known, progress, is_through, looked, total, stopped: None };
        let start = Start { archive: archive.id, keys: &archive.keys, position, known, depth: Depth::Plain };
        let walked = log::walk(&archive.paths.packs, start, &mut pass);
        if let Some(error) = pass.stopped {
            return Err(error);
        }
        // Commits that are missing at the end are for the comparison to tell.
        if walked?.sequence < known {
            return Ok(());
        }
    }
}

/// Whether the commit stands where it stood: packs may have been put back, or written anew.
fn is_there(archive: &Archive, position: &Position) -> Result<bool> {
    if position.sequence == 0 || position.archive != archive.id {
        return Ok(false);
    }
    let Archive { paths, id, keys, .. } = archive;
    let read = pack::read(&paths.packs, *id, keys, position.pack, position.start, &mut io::sink())?;
    Ok(read.is_ok_and(|whole| whole.link == Some(position.commit)))
}

/// Bytes of the packs up to there, and of all.
fn sizes(archive: &Archive, position: &Position) -> Result<(u64, u64)> {
    let packs = &archive.paths.packs;
    let (mut before, mut all) = (position.end, 0);
    for number in pack::numbers(packs)? {
        let size = pack::size(packs, number)?;
        all += size;
        before += if number < position.pack { size } else { 0 };
    }
    Ok((before, all))
}

struct Pass<'a, 'p> {
    archive: &'a Archive,
    reading: &'a mut Reading,
    known: u64,
    progress: &'a mut Progress<'p>,
    is_through: &'a mut dyn FnMut(&Reading),
    looked: u64,
    total: u64,
    stopped: Option<ArchiveError>,
}

impl Visitor for Pass<'_, '_> {
    fn commit(&mut self, read: &ReadCommit) -> Result<bool> {
        if self.stopped.is_some() {
            return Ok(false);
        }
        let commit = &read.commit;
        if self.reading.position.sequence > 0 && read.pack != self.reading.position.pack {
            (self.is_through)(self.reading);
        }
        self.reading.commits += 1;
        let ended = commit.tombstones.len() as u64;
        self.reading.documents = (self.reading.documents + commit.documents.len() as u64).saturating_sub(ended);
        self.reading.position = Position {
            archive: self.archive.id,
            sequence: commit.sequence,
            commit: read.link,
            pack: read.pack,
            start: read.start,
            end: read.end,
            ..Position::default()
        };
        Ok(commit.sequence < self.known)
    }

    fn finding(&mut self, finding: Finding) {
        // What follows the place where it goes on is looked at a second time.
        self.reading.findings.push_new(finding);
    }

    fn progress(&mut self, bytes: u64) {
        self.looked = (self.looked + bytes).min(self.total);
        if self.stopped.is_none() {
            self.stopped = (self.progress)(self.looked, self.total).err();
        }
    }
}
