//! What is in a ZIP file (PKWARE's APPNOTE 6.3.10), from its directory; entries are inflated as they are read. Nothing that it says
//! of sizes is believed.

use std::io::{self, BufRead, Read};
use std::ops::Range;

use flate2::bufread::DeflateDecoder;
use memchr::memmem;

use super::Unread;
use crate::limits::{EXTRACT_ENTRIES, EXTRACT_ENTRY, EXTRACT_TOKEN};
use crate::mail::charset;

const LOCAL: &[u8] = b"PK\x03\x04";
const CENTRAL: &[u8] = b"PK\x01\x02";
const END: &[u8] = b"PK\x05\x06";
const END_64: &[u8] = b"PK\x06\x06";
const LOCATOR_64: &[u8] = b"PK\x06\x07";
const END_SIZE: usize = 22;
/// A comment at the end of the file.
const COMMENT: usize = 65_535;
const EXTRA_64: u16 = 1;
const STORED: u16 = 0;
const DEFLATED: u16 = 8;
const ENCRYPTED: u16 = 1;
const UTF8: u16 = 1 << 11;
const BUFFER: usize = 16 * 1024;

/// A file within.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// With its folders.
    pub name: String,
    pub is_encrypted: bool,
    method: u16,
    /// Packed.
    size: u64,
    offset: u64,
}

/// The directory of a ZIP file, and whether it has more than [`EXTRACT_ENTRIES`].
pub(super) struct Directory<'a> {
    bytes: &'a [u8],
    /// What stands before the ZIP file itself.
    before: u64,
    pub entries: Vec<Entry>,
    pub cut: bool,
}

impl<'a> Directory<'a> {
    /// Reads the directory; a file whose end is missing is broken.
    pub fn read(bytes: &'a [u8]) -> Result<Self, Unread> {
        let (position, before) = position(bytes).ok_or(Unread::Broken)?;
        let mut directory = Self { bytes, before, entries: Vec::new(), cut: false };
        let mut at = position;
        while bytes.get(at..).is_some_and(|rest| rest.starts_with(CENTRAL)) {
            if directory.entries.len() == EXTRACT_ENTRIES {
                directory.cut = true;
                break;
            }
            let (entry, next) = entry(bytes, at).ok_or(Unread::Broken)?;
            directory.entries.push(entry);
            at = next;
        }
        Ok(directory)
    }

    pub fn find(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.name == name)
    }

    /// The bytes of an entry, inflated; at most `limit` and [`EXTRACT_ENTRY`].
    pub fn open(&self, entry: &Entry, limit: u64) -> Result<Inflated<'a>, Unread> {
        if entry.is_encrypted {
            return Err(Unread::Encrypted);
        }
        let packed = self.packed(entry).ok_or(Unread::Broken)?;
        let source = match entry.method {
            STORED => Source::Stored(packed),
            DEFLATED => Source::Deflated(Box::new(DeflateDecoder::new(packed))),
            _ => return Err(Unread::Kind),
        };
        let limit = limit.min(EXTRACT_ENTRY);
        Ok(Inflated { source, buffer: vec![0; BUFFER], ready: 0..0, left: limit, token: 0, taken: 0, cut: false })
    }

    fn packed(&self, entry: &Entry) -> Option<&'a [u8]> {
        let begin = usize::try_from(entry.offset.checked_add(self.before)?).ok()?;
        let local = self.bytes.get(begin..)?;
        if !local.starts_with(LOCAL) {
            return None;
        }
        let body = 30 + usize::from(u16_at(local, 26)?) + usize::from(u16_at(local, 28)?);
        let rest = local.get(body..)?;
        // Cut off, it is read as far as it goes.
        Some(&rest[..usize::try_from(entry.size).unwrap_or(usize::MAX).min(rest.len())])
    }
}

/// Where the directory begins, and how much stands before the ZIP file: some are behind a program that unpacks them.
fn position(bytes: &[u8]) -> Option<(usize, u64)> {
    let tail = bytes.len().saturating_sub(END_SIZE + COMMENT);
    let end = tail + memmem::rfind(&bytes[tail..], END)?;
    let record = &bytes[end..];
    let (mut size, mut offset) = (u64::from(u32_at(record, 12)?), u64::from(u32_at(record, 16)?));
    let mut stands = end;
    let locator = end.checked_sub(20).filter(|at| bytes[*at..].starts_with(LOCATOR_64));
    if let Some(locator) = locator
        && (offset == u64::from(u32::MAX) || size == u64::from(u32::MAX) || u16_at(record, 10)? == u16::MAX)
    {
        let at = usize::try_from(u64_at(bytes, locator + 8)?).ok()?;
        let at = if bytes.get(at..)?.starts_with(END_64) { at } else { memmem::rfind(&bytes[..locator], END_64)? };
        (size, offset, stands) = (u64_at(bytes, at + 40)?, u64_at(bytes, at + 48)?, at);
    }
    let begins = (stands as u64).checked_sub(size)?;
    let before = begins.checked_sub(offset)?;
    Some((usize::try_from(begins).ok()?, before))
}

/// The entry of the directory at `at`, and where the next one is.
fn entry(bytes: &[u8], at: usize) -> Option<(Entry, usize)> {
    let record = &bytes[at..];
    let (flags, method) = (u16_at(record, 8)?, u16_at(record, 10)?);
    let (mut size, unpacked, mut offset) =
        (u64::from(u32_at(record, 20)?), u32_at(record, 24)?, u64::from(u32_at(record, 42)?));
    let name = 46..46 + usize::from(u16_at(record, 28)?);
    let extra = name.end..name.end + usize::from(u16_at(record, 30)?);
    let next = at + extra.end + usize::from(u16_at(record, 32)?);
    let mut fields = record.get(extra)?;
    while let (Some(id), Some(length)) = (u16_at(fields, 0), u16_at(fields, 2)) {
        let Some(field) = fields.get(4..4 + usize::from(length)) else { break };
        if id == EXTRA_64 {
            // Only those numbers stand there that did not fit.
            let mut numbers = field.chunks_exact(8).filter_map(|number| u64_at(number, 0));
            if unpacked == u32::MAX {
                numbers.next();
            }
            if size == u64::from(u32::MAX) {
                size = numbers.next()?;
            }
            if offset == u64::from(u32::MAX) {
                offset = numbers.next()?;
            }
        }
        fields = &fields[4 + usize::from(length)..];
    }
    let name = record.get(name)?;
    let is_utf8 = flags & UTF8 != 0 || std::str::from_utf8(name).is_ok();
    let name = if is_utf8 { String::from_utf8_lossy(name).into_owned() } else { charset::text(name, "cp850", false) };
    Some((Entry { name, is_encrypted: flags & ENCRYPTED != 0, method, size, offset }, next))
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    array(bytes, at).map(u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    array(bytes, at).map(u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    array(bytes, at).map(u64::from_le_bytes)
}

enum Source<'a> {
    Stored(&'a [u8]),
    Deflated(Box<DeflateDecoder<&'a [u8]>>),
}

/// The bytes of an entry. At its limit it ends; a token that is longer than [`EXTRACT_TOKEN`] is an error.
pub(super) struct Inflated<'a> {
    source: Source<'a>,
    buffer: Vec<u8>,
    ready: Range<usize>,
    left: u64,
    token: usize,
    taken: u64,
    cut: bool,
}

impl Inflated<'_> {
    /// A new token begins with the next byte.
    pub fn begin_token(&mut self) {
        self.token = 0;
    }

    /// Bytes that were inflated so far.
    pub fn taken(&self) -> u64 {
        self.taken
    }

    /// Whether it ended at its limit.
    pub fn is_cut(&self) -> bool {
        self.cut
    }
}

impl Read for Inflated<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let ready = self.fill_buf()?;
        let count = ready.len().min(out.len());
        out[..count].copy_from_slice(&ready[..count]);
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for Inflated<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.ready.is_empty() {
            if self.token > EXTRACT_TOKEN {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a token is too long"));
            }
            let count = match &mut self.source {
                Source::Stored(bytes) => bytes.read(&mut self.buffer)?,
                Source::Deflated(inflating) => inflating.read(&mut self.buffer)?,
            };
            self.taken += count as u64;
            let count = if count as u64 > self.left {
                self.cut = true;
                usize::try_from(self.left).unwrap_or(count)
            } else {
                count
            };
            self.left -= count as u64;
            self.ready = 0..count;
        }
        Ok(&self.buffer[self.ready.clone()])
    }

    fn consume(&mut self, count: usize) {
        self.ready.start += count;
        self.token += count;
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Write;

    use super::*;

    /// A ZIP file of these entries, deflated.
    pub fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let (mut out, mut directory) = (Vec::new(), Vec::new());
        for (name, bytes) in entries {
            let mut packing = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
            packing.write_all(bytes).unwrap();
            let packed = packing.finish().unwrap();
            let length = |count: usize| u32::try_from(count).unwrap().to_le_bytes();
            let head = [
                &[20, 0, 0, 8, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0][..],
                &length(packed.len()),
                &length(bytes.len()),
                &u16::try_from(name.len()).unwrap().to_le_bytes(),
                &[0, 0],
            ]
            .concat();
            directory.extend([CENTRAL, &[20, 0], &head, &[0; 10], &length(out.len()), name.as_bytes()].concat());
            out.extend([LOCAL, &head, name.as_bytes(), &packed].concat());
        }
        let count = u16::try_from(entries.len()).unwrap().to_le_bytes();
        let length = |count: usize| u32::try_from(count).unwrap().to_le_bytes();
        let end = [END, &[0; 4], &count, &count, &length(directory.len()), &length(out.len()), &[0, 0]].concat();
        [out, directory, end].concat()
    }

    #[test]
    fn entries_are_found_and_inflated_up_to_a_limit() {
        let large = vec![b'x'; 100_000];
        let bytes = [b"before it".to_vec(), zip(&[("ä/a.txt", b"abc"), ("b", &large)])].concat();
        let directory = Directory::read(&bytes).unwrap();
        let names: Vec<&str> = directory.entries.iter().map(|entry| entry.name.as_str()).collect();
        assert_eq!(names, ["ä/a.txt", "b"]);
        let mut found = Vec::new();
        directory.open(&directory.entries[0], 100).unwrap().read_to_end(&mut found).unwrap();
        assert_eq!(found, b"abc");
        found.clear();
        let mut opened = directory.open(directory.find("b").unwrap(), 99_999).unwrap();
        opened.read_to_end(&mut found).unwrap();
        assert_eq!((found.len(), opened.is_cut()), (99_999, true));
    }

    #[test]
    fn cut_anywhere_it_is_broken_and_nothing_worse() {
        let bytes = zip(&[("a", b"abc"), ("b", b"def")]);
        // The last two bytes say how long a comment is.
        for end in 0..bytes.len() - 2 {
            assert!(Directory::read(&bytes[..end]).is_err(), "{end}");
        }
        for at in 0..bytes.len() {
            let mut bytes = bytes.clone();
            bytes[at] ^= 0xff;
            let Ok(directory) = Directory::read(&bytes) else { continue };
            for entry in &directory.entries {
                let Ok(mut opened) = directory.open(entry, 1000) else { continue };
                let _ = opened.read_to_end(&mut Vec::new());
            }
        }
    }
}
