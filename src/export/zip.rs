//! A ZIP file (PKWARE's APPNOTE 6.3.10), written as a stream; nothing is held but the names of what was written.
//!
//! Files are stored and not packed: most of a mail is Base64 of what is packed already, and so everybody can read it. Size and check
//! sum stand in front of each file, for readers that do not look at the directory at the end. ZIP64 is used where a number
//! needs it, and nowhere else.

use std::io::{self, Read, Write};

use jiff::civil::DateTime;

const LOCAL: u32 = 0x0403_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
const END_64: u32 = 0x0606_4b50;
const LOCATOR_64: u32 = 0x0706_4b50;
/// Names are UTF-8.
const FLAGS: u16 = 1 << 11;
/// Made on Unix, version 4.5; needed to extract: 2.0, with ZIP64 4.5.
const MADE_BY: u16 = 0x032d;
const NEEDED: u16 = 20;
const NEEDED_64: u16 = 45;
/// A plain file that its owner may write, as Unix says it.
const ATTRIBUTES: u32 = 0o100_644 << 16;
const EXTRA_64: u16 = 1;

/// What is known of a file before its bytes come.
#[derive(Clone, Copy, Debug)]
pub struct About {
    pub size: u64,
    pub crc: u32,
    /// Local time of whoever gets it.
    pub time: DateTime,
}

impl About {
    /// Of all that `reader` gives.
    pub fn of(reader: &mut dyn Read, time: DateTime) -> io::Result<Self> {
        let mut crc = crc32fast::Hasher::new();
        let mut buffer = [0; 16 * 1024];
        let mut size = 0;
        loop {
            let count = reader.read(&mut buffer)?;
            if count == 0 {
                return Ok(Self { size, crc: crc.finalize(), time });
            }
            crc.update(&buffer[..count]);
            size += count as u64;
        }
    }
}

struct Entry {
    name: String,
    about: About,
    offset: u64,
}

/// See the module.
pub struct Zip<W: Write> {
    out: W,
    written: u64,
    entries: Vec<Entry>,
    /// Numbers from here on stand in the fields of ZIP64.
    large: u64,
}

impl<W: Write> Zip<W> {
    pub fn new(out: W) -> Self {
        Self { out, written: 0, entries: Vec::new(), large: u32::MAX.into() }
    }

    /// Writes a file. What `fill` writes has to be what `about` says; its name is one that no file had before.
    pub fn file(
        &mut self,
        name: &str,
        about: About,
        fill: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        let entry = Entry { name: name.into(), about, offset: self.written };
        self.put(&local(&entry, self.large))?;
        let mut body = Body { out: &mut self.out, left: about.size, crc: crc32fast::Hasher::new() };
        fill(&mut body)?;
        if body.left > 0 || body.crc.finalize() != about.crc {
            return Err(io::Error::other(format!("{name} is another one than was announced")));
        }
        self.written += about.size;
        self.entries.push(entry);
        Ok(())
    }

    /// Writes the directory; without it the file is none.
    pub fn finish(mut self) -> io::Result<W> {
        let begin = self.written;
        let entries = std::mem::take(&mut self.entries);
        for entry in &entries {
            self.put(&central(entry, self.large))?;
        }
        let end = end(entries.len() as u64, begin, self.written - begin, self.large);
        self.put(&end)?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.written += bytes.len() as u64;
        self.out.write_all(bytes)
    }
}

/// The bytes of one file: counted and summed on their way.
struct Body<'a, W: Write> {
    out: &'a mut W,
    left: u64,
    crc: crc32fast::Hasher,
}

impl<W: Write> Write for Body<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() as u64 > self.left {
            return Err(io::Error::other("a file is longer than was announced"));
        }
        let taken = self.out.write(bytes)?;
        self.crc.update(&bytes[..taken]);
        self.left -= taken as u64;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Numbers, little endian.
#[derive(Default)]
struct Record(Vec<u8>);

impl Record {
    fn u16(&mut self, number: u16) -> &mut Self {
        self.0.extend(number.to_le_bytes());
        self
    }

    fn u32(&mut self, number: u32) -> &mut Self {
        self.0.extend(number.to_le_bytes());
        self
    }

    fn u64(&mut self, number: u64) -> &mut Self {
        self.0.extend(number.to_le_bytes());
        self
    }

    fn text(&mut self, text: &str) -> &mut Self {
        self.0.extend(text.as_bytes());
        self
    }
}

/// As a field of four bytes has it; all ones where the number stands in the extra field.
fn short(number: u64, large: u64) -> u32 {
    if number >= large { u32::MAX } else { u32::try_from(number).unwrap_or(u32::MAX) }
}

fn length(text: &str) -> u16 {
    u16::try_from(text.len()).unwrap_or(u16::MAX)
}

/// Date and time of MS-DOS: from 1980 to 2107, in steps of two seconds.
fn dos(time: DateTime) -> (u16, u16) {
    let year = time.year().clamp(1980, 2107);
    let part = |number: i8| u16::try_from(number).unwrap_or_default();
    let date = u16::try_from(year - 1980).unwrap_or_default() << 9 | part(time.month()) << 5 | part(time.day());
    (date, part(time.hour()) << 11 | part(time.minute()) << 5 | (part(time.second()) / 2))
}

fn head(record: &mut Record, entry: &Entry, is_large: bool) {
    let (date, time) = dos(entry.about.time);
    record.u16(if is_large { NEEDED_64 } else { NEEDED }).u16(FLAGS).u16(0).u16(time).u16(date).u32(entry.about.crc);
}

fn local(entry: &Entry, large: u64) -> Vec<u8> {
    let (size, mut record) = (entry.about.size, Record::default());
    let is_large = size >= large;
    record.u32(LOCAL);
    head(&mut record, entry, is_large);
    record.u32(short(size, large)).u32(short(size, large));
    record.u16(length(&entry.name)).u16(if is_large { 20 } else { 0 }).text(&entry.name);
    if is_large {
        record.u16(EXTRA_64).u16(16).u64(size).u64(size);
    }
    record.0
}

fn central(entry: &Entry, large: u64) -> Vec<u8> {
    let (size, offset) = (entry.about.size, entry.offset);
    let mut extra = Record::default();
    if size >= large {
        extra.u64(size).u64(size);
    }
    if offset >= large {
        extra.u64(offset);
    }
    let mut record = Record::default();
    record.u32(CENTRAL).u16(MADE_BY);
    head(&mut record, entry, !extra.0.is_empty());
    record.u32(short(size, large)).u32(short(size, large)).u16(length(&entry.name));
    let len = u16::try_from(extra.0.len()).unwrap_or_default();
    record.u16(if len == 0 { 0 } else { 4 + len });
    record.u16(0).u16(0).u16(0).u32(ATTRIBUTES).u32(short(offset, large)).text(&entry.name);
    if len > 0 {
        record.u16(EXTRA_64).u16(len);
        record.0.extend(extra.0);
    }
    record.0
}

fn end(count: u64, begin: u64, size: u64, large: u64) -> Vec<u8> {
    let mut record = Record::default();
    let short_count = u16::try_from(count).ok().filter(|count| *count < u16::MAX && large > 0);
    if short_count.is_none() || begin >= large || size >= large {
        record.u32(END_64).u64(44).u16(MADE_BY).u16(NEEDED_64).u32(0).u32(0).u64(count).u64(count).u64(size).u64(begin);
        record.u32(LOCATOR_64).u32(0).u64(begin + size).u32(1);
    }
    let count = short_count.unwrap_or(u16::MAX);
    record.u32(END).u16(0).u16(0).u16(count).u16(count).u32(short(size, large)).u32(short(begin, large)).u16(0);
    record.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(bytes: &[u8]) -> About {
        About {
            size: bytes.len() as u64,
            crc: crc32fast::hash(bytes),
            time: jiff::civil::date(2026, 11, 21).at(22, 28, 6, 0),
        }
    }

    #[test]
    fn a_small_file_is_what_the_appnote_says() {
        let mut zip = Zip::new(Vec::new());
        zip.file("ä.txt", about(b"abc"), &mut |out| out.write_all(b"abc")).unwrap();
        let bytes = zip.finish().unwrap();
        let local = b"PK\x03\x04\x14\x00\x00\x08\x00\x00\x83\xb3\x75\x5d\xc2\x41\x24\x35\x03\x00\x00\x00\x03\x00\x00\x00\x06\x00\x00\x00\xc3\xa4.txtabc";
        assert_eq!(&bytes[..local.len()], local);
        assert_eq!(&bytes[local.len()..local.len() + 4], b"PK\x01\x02");
        assert_eq!(
            &bytes[bytes.len() - 22..],
            b"PK\x05\x06\x00\x00\x00\x00\x01\x00\x01\x00\x34\x00\x00\x00\x27\x00\x00\x00\x00\x00"
        );
    }

    #[test]
    fn what_is_not_as_announced_is_an_error() {
        for wrong in [&b"ab"[..], b"abcd", b"abd"] {
            let mut zip = Zip::new(Vec::new());
            assert!(zip.file("a", about(b"abc"), &mut |out| out.write_all(wrong)).is_err());
        }
    }

    #[test]
    fn large_numbers_stand_in_the_fields_of_zip64() {
        let mut zip = Zip::new(Vec::new());
        zip.large = 0;
        zip.file("a", about(b"abc"), &mut |out| out.write_all(b"abc")).unwrap();
        let bytes = zip.finish().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.zip");
        std::fs::write(&path, bytes).unwrap();
        let script = "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); i = z.infolist()[0]\n\
            assert z.testzip() is None and z.read('a') == b'abc' and i.extract_version == 45 and i.date_time == (2026, 11, 21, 22, 28, 6)";
        let python = std::process::Command::new("python3").arg("-c").arg(script).arg(&path).status().unwrap();
        assert!(python.success());
    }

    #[test]
    fn a_small_file_behind_four_gigabytes_is_found() {
        const BEFORE: u64 = 5 << 30;
        let mut zip = Zip::new(Vec::new());
        zip.written = BEFORE;
        zip.file("a", about(b"abc"), &mut |out| out.write_all(b"abc")).unwrap();
        let bytes = zip.finish().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.zip");
        let mut file = std::fs::File::create(&path).unwrap();
        // A hole takes no room on the disk.
        std::io::Seek::seek(&mut file, std::io::SeekFrom::Start(BEFORE)).unwrap();
        file.write_all(&bytes).unwrap();
        let script = format!(
            "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); i = z.infolist()[0]\n\
             assert z.testzip() is None and z.read('a') == b'abc' and i.header_offset == {BEFORE}"
        );
        let python = std::process::Command::new("python3").arg("-c").arg(script).arg(&path).status().unwrap();
        assert!(python.success());
    }

    #[test]
    fn times_that_dos_does_not_know_are_the_nearest_that_it_knows() {
        let at = |year| dos(jiff::civil::date(year, 1, 2).at(3, 4, 5, 0)).0 >> 9;
        assert_eq!((at(1970), at(1980), at(2107), at(3000)), (0, 0, 127, 127));
    }
}
