//! A pack: a file header, then records, appended and never changed (docs/format.md, part 1).
//!
//! Invariants: bytes before the last synced commit are never touched; a pack that was closed is read-only; a batch of
//! records, its commit and its link lie in one pack.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::disk::{Disk, DiskFile};
use super::error::{ArchiveError, Result};
use super::keys::{KeyCheck, Keys};
use super::record::{self, ArchiveId, Erased, HEADER_LEN, Header, Kind, MAGIC, RecordWriter, Stored};
use crate::clock;
use crate::hash::{Hashing, Sha256};
use crate::pulse;

/// First bytes of every pack.
const PACK_MAGIC: &[u8; 16] = b"ARCHIVISTA PACK\n";
/// Bytes of a pack's header.
const HEAD: usize = 64;
/// Where the first record of a pack stands.
pub const PACK_HEADER_LEN: u64 = HEAD as u64;
/// Format of what lies on disk, frozen; 0 was what there was before.
pub const FORMAT: u32 = 1;
/// Bytes of the link behind each commit.
pub const LINK_LEN: u64 = 32;

/// File of pack `number` in `packs/`.
pub fn path(packs: &Path, number: u32) -> PathBuf {
    packs.join(format!("{number:06}.pack"))
}

/// Numbers of all packs, ascending. Files with other names are not ours and are left alone.
pub fn numbers(packs: &Path) -> Result<Vec<u32>> {
    let mut numbers = Vec::new();
    let entries = match fs::read_dir(packs) {
        Ok(entries) => entries,
        // The power went while it was made, or somebody took it away: what the catalog knows of it tells.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(numbers),
        Err(error) => return Err(ArchiveError::io(packs)(error)),
    };
    for entry in entries {
        let name = entry.map_err(ArchiveError::io(packs))?.file_name();
        let number = name.to_str().and_then(|name| name.strip_suffix(".pack")).and_then(|stem| stem.parse().ok());
        if let Some(number) = number.filter(|number| path(packs, *number).file_name() == Some(&name)) {
            numbers.push(number);
        }
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Bytes of pack `number`; 0 where it is missing.
pub fn size(packs: &Path, number: u32) -> Result<u64> {
    let path = path(packs, number);
    match path.metadata() {
        Ok(meta) => Ok(meta.len()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(ArchiveError::io(&path)(error)),
    }
}

/// Makes the bytes of pack `number` durable that an earlier process may have left in the kernel's memory only.
pub fn sync(disk: &Disk, packs: &Path, number: u32) -> Result<()> {
    let path = path(packs, number);
    match disk.sync_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(ArchiveError::io(&path)(error)),
        _ => Ok(()),
    }
}

/// Closes pack `number` for good, whoever wrote it: nothing is appended to a pack that is read-only.
pub fn close(disk: &Disk, packs: &Path, number: u32) -> Result<()> {
    let path = path(packs, number);
    disk.set_mode(&path, 0o440).map_err(ArchiveError::io(&path))
}

/// The head of a pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PackHeader {
    pub format: u32,
    pub number: u32,
    pub archive: ArchiveId,
    /// Unix seconds.
    pub created: i64,
    /// With which key its records are sealed.
    pub key: KeyCheck,
}

impl PackHeader {
    /// Layout, little endian: magic 16, format 4, number 4, archive id 16, created 8, check value of the key 12, CRC-32 of the
    /// 60 bytes before.
    pub fn encode(&self) -> [u8; HEAD] {
        let mut bytes = [0; HEAD];
        bytes[..16].copy_from_slice(PACK_MAGIC);
        bytes[16..20].copy_from_slice(&self.format.to_le_bytes());
        bytes[20..24].copy_from_slice(&self.number.to_le_bytes());
        bytes[24..40].copy_from_slice(&self.archive);
        bytes[40..48].copy_from_slice(&self.created.to_le_bytes());
        bytes[48..60].copy_from_slice(&self.key);
        let crc = crc32fast::hash(&bytes[..60]);
        bytes[60..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// `None` where `bytes` are no pack header.
    pub fn decode(bytes: &[u8; HEAD]) -> Option<Self> {
        if &bytes[..16] != PACK_MAGIC || crc32fast::hash(&bytes[..60]).to_le_bytes() != bytes[60..] {
            return None;
        }
        Some(Self {
            format: u32::from_le_bytes(bytes[16..20].try_into().ok()?),
            number: u32::from_le_bytes(bytes[20..24].try_into().ok()?),
            archive: bytes[24..40].try_into().ok()?,
            created: i64::from_le_bytes(bytes[40..48].try_into().ok()?),
            key: bytes[48..60].try_into().ok()?,
        })
    }
}

/// Where a record was put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    pub offset: u64,
    pub stored: Stored,
}

/// The pack that is being written.
pub struct Appender {
    file: BufWriter<DiskFile>,
    path: PathBuf,
    disk: Disk,
    number: u32,
    end: u64,
    synced: u64,
}

impl Appender {
    /// Starts pack `number` and makes its name durable.
    pub fn create(disk: &Disk, packs: &Path, number: u32, archive: ArchiveId, keys: &Keys) -> Result<Self> {
        let path = path(packs, number);
        // Under another name first: a pack without a whole head never appears, not even on a full disk.
        let new = path.with_extension("new");
        let header = PackHeader { format: FORMAT, number, archive, created: clock::now(), key: keys.check(archive) };
        let file = disk
            .open(&new, OpenOptions::new().write(true).create(true).truncate(true))
            .and_then(|mut file| file.write_all(&header.encode()).map(|()| file))
            .and_then(|file| file.sync_all().map(|()| file))
            .and_then(|file| disk.rename(&new, &path).map(|()| file));
        if file.is_err() {
            let _ = disk.remove(&new);
        }
        let file = file.map_err(ArchiveError::io(&path))?;
        disk.sync_folder(packs).map_err(ArchiveError::io(packs))?;
        Ok(Self::over(file, path, disk, number, PACK_HEADER_LEN))
    }

    /// Goes on writing pack `number` at byte `end`, where its last commit ends.
    pub fn reopen(disk: &Disk, packs: &Path, number: u32, end: u64) -> Result<Self> {
        let path = path(packs, number);
        let mut file = disk.open(&path, OpenOptions::new().write(true)).map_err(ArchiveError::io(&path))?;
        file.seek(end).map_err(ArchiveError::io(&path))?;
        Ok(Self::over(file, path, disk, number, end))
    }

    fn over(file: DiskFile, path: PathBuf, disk: &Disk, number: u32, end: u64) -> Self {
        let file = BufWriter::with_capacity(256 * 1024, file);
        Self { file, path, disk: disk.clone(), number, end, synced: end }
    }

    pub fn number(&self) -> u32 {
        self.number
    }

    /// Byte behind the last record.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// Appends one record; not durable before [`Self::sync`].
    pub fn append(
        &mut self,
        writer: &mut RecordWriter,
        kind: Kind,
        plain_len: u64,
        plain_sha256: Sha256,
        payload: &mut dyn Read,
    ) -> Result<Placed> {
        let stored = writer
            .write(&mut self.file, kind, plain_len, plain_sha256, payload)
            .map_err(ArchiveError::io(&self.path))?;
        let offset = self.end;
        self.end += stored.len;
        Ok(Placed { offset, stored })
    }

    /// Ends a batch: appends the link that speaks for its records and for the commit before it.
    pub fn append_link(&mut self, link: Sha256) -> Result<()> {
        self.file.write_all(&link.0).map_err(ArchiveError::io(&self.path))?;
        self.end += LINK_LEN;
        Ok(())
    }

    /// Hands what is buffered to the kernel.
    pub fn flush(&mut self) -> Result<()> {
        self.file.flush().map_err(ArchiveError::io(&self.path))
    }

    /// Makes all records durable. After an error nothing is known of what reached the disk (the kernel forgets failed
    /// writes once it has told of them), so the caller must stop writing and start again from the log.
    pub fn sync(&mut self) -> Result<()> {
        self.flush()?;
        self.file.get_ref().sync_data().map_err(ArchiveError::io(&self.path))?;
        self.synced = self.end;
        Ok(())
    }

    /// Takes back what was appended since the last [`Self::sync`].
    pub fn roll_back(&mut self) -> Result<()> {
        self.cut(self.synced)
    }

    /// Takes back what was appended behind `end`. Invariant: nothing that was synced is.
    pub fn cut(&mut self, end: u64) -> Result<()> {
        let end = end.max(self.synced);
        if end > self.synced {
            self.flush()?;
        }
        let file = self.file.get_ref().try_clone().map_err(ArchiveError::io(&self.path))?;
        // The old buffer holds bytes that must not be written any more.
        let old = std::mem::replace(&mut self.file, BufWriter::with_capacity(256 * 1024, file));
        drop(old.into_parts());
        let file = self.file.get_mut();
        file.set_len(end).and_then(|()| file.seek(end)).map_err(ArchiveError::io(&self.path))?;
        self.end = end;
        Ok(())
    }

    /// Closes the pack for good: read-only from now on.
    pub fn close(self) -> Result<()> {
        self.disk.set_mode(&self.path, 0o440).map_err(ArchiveError::io(&self.path))
    }
}

/// How closely a scan looks. Documents and commits are opened at any depth, where the key is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Headers and chunk lengths; payloads of messages are jumped over.
    Headers,
    /// Every stored byte is hashed; messages are not opened.
    Stored,
    /// Every record is opened and unpacked, and its plain hash checked.
    Plain,
}

/// What a scan found at `offset`.
#[derive(Debug)]
pub enum Found {
    Record {
        offset: u64,
        kind: Kind,
        /// Its length includes the link behind a commit, its hash does not. That is zero for messages at [`Depth::Headers`].
        stored: Stored,
        /// Unpacked bytes of documents and commits; empty for messages, and without the key.
        plain: Vec<u8>,
        /// What stands behind a commit.
        link: Option<Sha256>,
        /// It was taken out: the sequence of the commit that says why, zero without the key.
        erased: Option<u64>,
    },
    /// No whole record here. `next` is where the next header stands, if one does.
    Broken { offset: u64, what: String, next: Option<u64> },
}

/// What is wrong with the head of a pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadHead {
    /// The file ends within it, after so many bytes.
    Short(u64),
    Damaged,
    /// It is that of another pack of this number.
    Renamed(u32),
}

impl std::fmt::Display for BadHead {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Short(len) => write!(f, "the pack ends after {len} bytes, within its head"),
            Self::Damaged => write!(f, "the head of the pack is damaged"),
            Self::Renamed(number) => write!(f, "this is pack {number}, renamed"),
        }
    }
}

/// Reads a pack from front to back.
pub struct Scanner<'a> {
    file: BufReader<File>,
    path: PathBuf,
    position: u64,
    len: u64,
    archive: ArchiveId,
    keys: Option<&'a Keys>,
}

impl<'a> Scanner<'a> {
    /// Opens pack `number` and checks its head. Without a key every record is looked at from outside only.
    pub fn open(
        packs: &Path,
        number: u32,
        keys: Option<&'a Keys>,
    ) -> Result<std::result::Result<(Self, PackHeader), BadHead>> {
        let path = path(packs, number);
        let mut file = File::open(&path).map_err(ArchiveError::io(&path))?;
        let len = file.metadata().map_err(ArchiveError::io(&path))?.len();
        let mut head = [0; HEAD];
        if len < PACK_HEADER_LEN {
            return Ok(Err(BadHead::Short(len)));
        }
        match file.read_exact(&mut head) {
            Err(error) if is_unreadable(&error) => return Ok(Err(BadHead::Damaged)),
            read => read.map_err(ArchiveError::io(&path))?,
        }
        let Some(header) = PackHeader::decode(&head) else {
            return Ok(Err(BadHead::Damaged));
        };
        if header.format == 0 {
            return Err(ArchiveError::Unfrozen { path });
        }
        if header.format != FORMAT {
            return Err(ArchiveError::Format { path, format: header.format, known: FORMAT });
        }
        if header.number != number {
            return Ok(Err(BadHead::Renamed(header.number)));
        }
        let file = BufReader::with_capacity(128 * 1024, file);
        Ok(Ok((Self { file, path, position: PACK_HEADER_LEN, len, archive: header.archive, keys }, header)))
    }

    /// Opens pack `number`, whatever its head says: records stand for themselves.
    pub fn behind_head(packs: &Path, number: u32, archive: ArchiveId, keys: Option<&'a Keys>) -> Result<Self> {
        let path = path(packs, number);
        let file = File::open(&path).map_err(ArchiveError::io(&path))?;
        let len = file.metadata().map_err(ArchiveError::io(&path))?.len();
        let file = BufReader::with_capacity(128 * 1024, file);
        let mut scanner = Self { file, path, position: 0, len, archive, keys };
        scanner.seek(PACK_HEADER_LEN)?;
        Ok(scanner)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Byte behind the last one of the file when it was opened.
    pub fn end(&self) -> u64 {
        self.len
    }

    /// Where the next record is looked for.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Goes on at `offset`.
    pub fn seek(&mut self, offset: u64) -> Result<()> {
        self.file.seek(SeekFrom::Start(offset)).map_err(ArchiveError::io(&self.path))?;
        self.position = offset;
        Ok(())
    }

    /// The next record, `None` at the end of the file. After [`Found::Broken`] the scan stands at `next`, or at the end.
    pub fn next(&mut self, depth: Depth) -> Result<Option<Found>> {
        if self.position >= self.len {
            return Ok(None);
        }
        let offset = self.position;
        let found = match self.read_record(depth) {
            Ok(Some(found)) => return Ok(Some(found)),
            Ok(None) => "no record starts here".into(),
            Err(error) => match error.kind() {
                io::ErrorKind::UnexpectedEof => "the record is cut off by the end of the pack".to_string(),
                io::ErrorKind::InvalidData | io::ErrorKind::Other => error.to_string(),
                _ if is_unreadable(&error) => format!("the disk cannot read it ({error})"),
                _ => return Err(ArchiveError::io(&self.path)(error)),
            },
        };
        let next = self.search(offset + 1)?;
        self.seek(next.unwrap_or(self.len))?;
        Ok(Some(Found::Broken { offset, what: found, next }))
    }

    fn read_record(&mut self, depth: Depth) -> io::Result<Option<Found>> {
        let mut input = Hashing::new(&mut self.file);
        let mut head = [0; HEADER_LEN];
        input.read_exact(&mut head)?;
        if Erased::is_head(&head, self.archive) {
            return self.read_erased(&head, depth).map(Some);
        }
        let Some(header) = Header::decode(&head, self.archive) else { return Ok(None) };
        let kind = header.kind;
        let mut plain = Vec::new();
        let mut stored = if !kind.is_metadata() && depth == Depth::Headers {
            let len = HEADER_LEN as u64 + skip_chunks(input.get_mut())?;
            Stored { len, sha256: Sha256::default() }
        } else {
            match self.keys {
                Some(keys) if kind.is_metadata() => {
                    record::open(keys, self.archive, &header, &mut input, &mut plain)?;
                }
                Some(keys) if depth == Depth::Plain => {
                    // A large one takes its time.
                    record::open(keys, self.archive, &header, &mut input, &mut pulse::Sink)?;
                }
                _ => record::pass(&mut input)?,
            }
            Stored { len: input.count(), sha256: input.finish().1 }
        };
        let link = if kind == Kind::Commit { Some(read_link(&mut self.file)?) } else { None };
        stored.len += link.map_or(0, |_| LINK_LEN);
        let offset = self.position;
        self.position += stored.len;
        Ok(Some(Found::Record { offset, kind, stored, plain, link, erased: None }))
    }

    /// What stands in the place of a record; the scan is behind its head.
    fn read_erased(&mut self, head: &[u8; HEADER_LEN], depth: Depth) -> io::Result<Found> {
        let erased = Erased::read(head, self.archive, self.keys, &mut self.file)?;
        let zeros = erased.zeros();
        if depth == Depth::Headers {
            skip(&mut self.file, zeros)?;
        } else {
            let mut rest = (&mut self.file).take(zeros);
            loop {
                let some = rest.fill_buf()?;
                if some.is_empty() {
                    break;
                }
                if some.iter().any(|byte| *byte != 0) {
                    return Err(io::Error::new(io::ErrorKind::InvalidData, "an erased record is not empty"));
                }
                let len = some.len();
                rest.consume(len);
            }
            if rest.limit() > 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        let Erased { kind, stored, tombstone } = erased;
        let offset = self.position;
        self.position += stored.len;
        Ok(Found::Record { offset, kind, stored, plain: Vec::new(), link: None, erased: Some(tombstone) })
    }

    /// Offset of the next header at or after `from`.
    fn search(&mut self, from: u64) -> Result<Option<u64>> {
        let finder = memchr::memmem::Finder::new(&MAGIC);
        let mut window = vec![0; 64 * 1024];
        let mut start = from;
        while start + HEADER_LEN as u64 <= self.len {
            self.seek(start)?;
            let want = window.len().min(usize::try_from(self.len - start).unwrap_or(usize::MAX));
            match self.file.read_exact(&mut window[..want]) {
                // No header that can be read stands there.
                Err(error) if is_unreadable(&error) => window[..want].fill(0),
                read => read.map_err(ArchiveError::io(&self.path))?,
            }
            for hit in finder.find_iter(&window[..want]) {
                let header = window[..want].get(hit..hit + HEADER_LEN).and_then(|head| head.try_into().ok());
                match header {
                    Some(head)
                        if Header::decode(head, self.archive).is_some() || Erased::is_head(head, self.archive) =>
                    {
                        return Ok(Some(start + hit as u64));
                    }
                    _ => {}
                }
            }
            // Windows overlap by one header less a byte, so that none is missed on a border.
            start += (want - (HEADER_LEN - 1)) as u64;
        }
        Ok(None)
    }
}

/// Whether the disk itself gave up, as on a bad sector: that is damage of what stands there, and of nothing else.
fn is_unreadable(error: &io::Error) -> bool {
    error.raw_os_error() == Some(nix::libc::EIO)
}

fn skip_chunks(file: &mut BufReader<File>) -> io::Result<u64> {
    let mut skipped = 0;
    loop {
        let (len, is_last) = record::chunk_len(file)?;
        skip(file, len as u64)?;
        skipped += 4 + len as u64;
        if is_last {
            return Ok(skipped);
        }
    }
}

/// Passes over bytes that are there. A seek never fails at the end of a file; reading the last byte does.
fn skip(file: &mut BufReader<File>, len: u64) -> io::Result<()> {
    let Some(before) = len.checked_sub(1) else { return Ok(()) };
    let before = i64::try_from(before).map_err(|_| io::ErrorKind::UnexpectedEof)?;
    file.seek_relative(before)?;
    file.read_exact(&mut [0])
}

fn read_link(input: &mut impl Read) -> io::Result<Sha256> {
    let mut link = Sha256::default();
    input.read_exact(&mut link.0)?;
    Ok(link)
}

/// A record that was read alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whole {
    /// Hash of the payload when unpacked.
    pub sha256: Sha256,
    /// Its bytes on disk, without the link behind a commit.
    pub stored: Stored,
    /// What stands behind a commit.
    pub link: Option<Sha256>,
}

/// A record at its place, still closed.
pub struct Closed {
    file: BufReader<File>,
    path: PathBuf,
    archive: ArchiveId,
    header: Header,
}

/// Goes to the record at `offset` of pack `number`. `Ok(Err(what))` where there is none.
pub fn at(packs: &Path, archive: ArchiveId, number: u32, offset: u64) -> Result<std::result::Result<Closed, String>> {
    let path = path(packs, number);
    let mut file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(Err(format!("{} is missing", path.display())));
        }
        Err(error) => return Err(ArchiveError::io(&path)(error)),
    };
    file.seek(SeekFrom::Start(offset)).map_err(ArchiveError::io(&path))?;
    let mut file = BufReader::with_capacity(64 * 1024, file);
    let mut head = [0; HEADER_LEN];
    if let Err(error) = file.read_exact(&mut head) {
        return match error.kind() {
            io::ErrorKind::UnexpectedEof => Ok(Err("its pack ends before it".into())),
            _ if is_unreadable(&error) => Ok(Err(format!("{} cannot be read there: {error}", path.display()))),
            _ => Err(ArchiveError::io(&path)(error)),
        };
    }
    if Erased::is_head(&head, archive) {
        return Ok(Err("it was erased".into()));
    }
    let Some(header) = Header::decode(&head, archive) else { return Ok(Err("its header is damaged".into())) };
    Ok(Ok(Closed { file, path, archive, header }))
}

impl Closed {
    pub fn kind(&self) -> Kind {
        self.header.kind
    }

    /// Opens and unpacks it into `out`, checking its hash. `Ok(Err(what))` where it is damaged.
    pub fn open(self, keys: &Keys, out: &mut dyn Write) -> Result<std::result::Result<Whole, String>> {
        let Self { mut file, path, archive, header } = self;
        let mut stored = Hashing::new(&mut file);
        stored.note(&header.encode(archive));
        let opened = record::open(keys, archive, &header, &mut stored, out);
        let stored = Stored { len: stored.count(), sha256: stored.finish().1 };
        let read = opened.and_then(|contents| {
            let link = if header.kind == Kind::Commit { Some(read_link(&mut file)?) } else { None };
            Ok(Whole { sha256: contents.sha256, stored, link })
        });
        match read {
            Ok(whole) => Ok(Ok(whole)),
            // zstd reports damage as Other.
            Err(error)
                if is_unreadable(&error)
                    || matches!(
                        error.kind(),
                        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof | io::ErrorKind::Other
                    ) =>
            {
                Ok(Err(error.to_string()))
            }
            Err(error) => Err(ArchiveError::io(&path)(error)),
        }
    }
}

/// [`at`] and [`Closed::open`].
pub fn read(
    packs: &Path,
    archive: ArchiveId,
    keys: &Keys,
    number: u32,
    offset: u64,
    out: &mut dyn Write,
) -> Result<std::result::Result<Whole, String>> {
    match at(packs, archive, number, offset)? {
        Ok(closed) => closed.open(keys, out),
        Err(what) => Ok(Err(what)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is read at an address that nothing is mapped to fails as a bad sector does.
    #[test]
    fn what_the_disk_cannot_read_is_damage_and_nothing_else() {
        let path = PathBuf::from("/proc/self/mem");
        let file = BufReader::new(File::open(&path).unwrap());
        let mut scanner = Scanner { file, path, position: 0, len: 200_000, archive: [7; 16], keys: None };
        let Some(Found::Broken { offset: 0, what, next: None }) = scanner.next(Depth::Plain).unwrap() else { panic!() };
        assert!(what.contains("the disk cannot read it"), "{what}");
        assert!(scanner.next(Depth::Plain).unwrap().is_none());
    }
}
