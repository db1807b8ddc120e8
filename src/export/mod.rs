//! Documents on their way out: several of them as one ZIP file, with a list of what is in it.
//!
//! Rules of the room: it reads the archive and writes nothing. Whoever calls it has looked at rights, and writes the journal. A
//! document is read twice, first for its check sums: one that is damaged is named in the list and costs no other; of those
//! that are short the bytes are kept from the first time.
//!
//! - `zip`: the file, `names`: what documents are called in it, `index`: the list, `csv`: lines of such

pub mod csv;
pub mod index;
pub mod names;
pub mod zip;

use std::io::{self, Write};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::archive::commit::Number;
use crate::archive::rows::Document;
use crate::archive::{Archive, ArchiveError};
use crate::ingest::Spool;
use crate::limits::SPOOL_IN_MEMORY;
use index::{Index, Words};
use zip::{About, Zip};

/// The most that goes into one file.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub documents: u64,
    pub bytes: u64,
}

/// What was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    pub documents: u64,
    pub bytes: u64,
    /// Damaged ones, which are in the list only; the first some.
    pub damaged: Vec<Number>,
    /// The first document for which there was no room.
    pub left: Option<Number>,
}

/// How it is to be written.
pub struct Asked<'a> {
    /// Of dates and times.
    pub zone: TimeZone,
    pub words: &'a Words,
    pub limits: Limits,
    /// Whether this document may still be given, asked before each.
    pub may: &'a dyn Fn(Number) -> io::Result<bool>,
}

/// Asks for numbers, some at a time, until there are no more; called when those before are written.
pub type More<'a> = dyn FnMut() -> io::Result<Vec<Number>> + 'a;

/// Damaged documents that are told; all are in the list.
const DAMAGED: usize = 100;

/// Writes documents and their list into `out` as one ZIP file.
pub fn write(archive: &Archive, asked: &Asked<'_>, more: &mut More<'_>, out: &mut dyn Write) -> io::Result<Written> {
    let spool = Spool::new(archive.paths().spool.clone())?;
    let mut zip = Zip::new(out);
    let mut index = Index::new(&spool, asked.words)?;
    let mut written = Written::default();
    'all: loop {
        let numbers = more()?;
        if numbers.is_empty() {
            break;
        }
        for number in numbers {
            if !(asked.may)(number)? {
                continue;
            }
            // No view is held while somebody reads slowly.
            let document = archive.view().and_then(|view| view.document(number)).map_err(io::Error::other)?;
            let Some(document) = document else { continue };
            let bytes = written.bytes.saturating_add(document.size);
            // One document always fits: a limit that nothing passes helps nobody.
            if written.documents > 0 && (written.documents >= asked.limits.documents || bytes > asked.limits.bytes) {
                written.left = Some(number);
                index.full(number)?;
                break 'all;
            }
            one(archive, asked, &mut zip, &mut index, &mut written, (number, &document))?;
        }
    }
    let time = local(&asked.zone, crate::clock::now());
    let (mut list, crc) = index.finish()?;
    let about = About { size: list.len(), crc, time };
    zip.file(index::NAME, about, &mut |out| io::copy(&mut list.reader()?, out).map(drop))?;
    zip.finish()?;
    Ok(written)
}

fn one(
    archive: &Archive,
    asked: &Asked<'_>,
    zip: &mut Zip<&mut dyn Write>,
    index: &mut Index<'_>,
    written: &mut Written,
    (number, document): (Number, &Document),
) -> io::Result<()> {
    let time = local(&asked.zone, document.time);
    let mut first =
        First { crc: crc32fast::Hasher::new(), kept: Vec::new(), keeps: document.size <= SPOOL_IN_MEMORY as u64 };
    match archive.read(number, &mut first) {
        Ok(()) => {}
        // It went since it was asked for.
        Err(ArchiveError::NoDocument { .. }) => return Ok(()),
        // Of a disk with a bad sector too: one document is lost by it, and not all that are behind it.
        Err(ArchiveError::DocumentDamaged { .. } | ArchiveError::Io { .. }) => {
            if written.damaged.len() < DAMAGED {
                written.damaged.push(number);
            }
            return index.damaged(number, document, time);
        }
        Err(error) => return Err(io::Error::other(error)),
    }
    let name = names::of(number, document, time.date());
    let about = About { size: document.size, crc: first.crc.clone().finalize(), time };
    zip.file(&name, about, &mut |out| {
        if first.keeps { out.write_all(&first.kept) } else { archive.read(number, out).map_err(io::Error::other) }
    })?;
    index.row(number, document, time, &name)?;
    written.documents += 1;
    written.bytes += document.size;
    Ok(())
}

/// A moment on the clock of a wall.
pub fn local(zone: &TimeZone, seconds: i64) -> DateTime {
    Timestamp::from_second(seconds).unwrap_or_default().to_zoned(zone.clone()).datetime()
}

/// Takes a document for the first time.
struct First {
    crc: crc32fast::Hasher,
    kept: Vec<u8>,
    keeps: bool,
}

impl Write for First {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.crc.update(bytes);
        if self.keeps {
            self.kept.extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
