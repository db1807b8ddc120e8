//! Where messages wait between a source and the archive: short ones in memory, long ones in a file without a name.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::disk::Room;
use crate::limits::SPOOL_IN_MEMORY;

/// Makes file names unique within the process; only one process has a spool open.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// A folder for messages on their way in.
#[derive(Clone, Debug)]
pub struct Spool {
    folder: Arc<Path>,
}

impl Spool {
    /// A spool in `folder`, which is made (readable by its owner only) if it is missing.
    pub fn new(folder: PathBuf) -> io::Result<Self> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        Ok(Self { folder: folder.into() })
    }

    /// Deletes the files that lie in the folder. Those of this process have no name any more: what is found was left by a
    /// crash between making a file and unlinking it, or by something else.
    pub fn empty(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                fs::remove_dir_all(entry.path())?;
            } else {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// Refuses a message of `len` bytes that would need the disk's reserve.
    pub fn keep_reserve(&self, len: u64) -> io::Result<()> {
        let room = Room::of(&self.folder)?;
        if room.is_short_of(len) {
            let what = format!("{} bytes are free on the disk, {} stay in reserve", room.free, room.reserve());
            return Err(io::Error::new(io::ErrorKind::StorageFull, what));
        }
        Ok(())
    }

    /// An empty file to fill.
    pub fn file(&self) -> SpoolFile {
        SpoolFile { folder: Arc::clone(&self.folder), buffer: Vec::new(), file: None, written: 0 }
    }

    fn create(folder: &Path) -> io::Result<File> {
        let path = folder.join(format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
        // Without a name it ends with the process, however that ends.
        fs::remove_file(&path)?;
        Ok(file)
    }
}

/// Bytes that are written once and read several times. Holds at most [`SPOOL_IN_MEMORY`] bytes of memory; its space on
/// disk is free again when it is dropped.
#[derive(Debug)]
pub struct SpoolFile {
    folder: Arc<Path>,
    /// All bytes, or those behind the `written` ones of the file. Invariant: at most [`SPOOL_IN_MEMORY`].
    buffer: Vec<u8>,
    file: Option<File>,
    written: u64,
}

impl SpoolFile {
    /// Length in bytes.
    pub fn len(&self) -> u64 {
        self.written + self.buffer.len() as u64
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the bytes lie on disk.
    pub fn is_on_disk(&self) -> bool {
        self.file.is_some()
    }

    /// Reads from the start; may be called again.
    pub fn reader(&mut self) -> io::Result<SpoolReader<'_>> {
        Ok(SpoolReader { file: self.file.as_ref(), written: self.written, buffer: &self.buffer, at: 0 })
    }

    fn spill(&mut self) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(Spool::create(&self.folder)?),
        };
        // At its place, so that a spill that failed half way can be tried again.
        file.write_all_at(&self.buffer, self.written)?;
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }
}

impl Write for SpoolFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.buffer.len() == SPOOL_IN_MEMORY && !bytes.is_empty() {
            self.spill()?;
        }
        let taken = bytes.len().min(SPOOL_IN_MEMORY - self.buffer.len());
        let needed = self.buffer.len() + taken;
        if needed > self.buffer.capacity() {
            // Grows by doubling, but never past its bound.
            let capacity = needed.max(2 * self.buffer.capacity()).min(SPOOL_IN_MEMORY);
            self.buffer.reserve_exact(capacity - self.buffer.len());
        }
        self.buffer.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    /// Nothing to do: the bytes can be read at once, and need not survive the process.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads a [`SpoolFile`].
#[derive(Debug)]
pub struct SpoolReader<'a> {
    file: Option<&'a File>,
    written: u64,
    buffer: &'a [u8],
    at: u64,
}

impl Read for SpoolReader<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = match self.file {
            Some(file) if self.at < self.written => {
                let left = usize::try_from(self.written - self.at).unwrap_or(usize::MAX);
                let wanted = into.len().min(left);
                let count = file.read_at(&mut into[..wanted], self.at)?;
                if count == 0 && wanted > 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                count
            }
            _ => {
                let start = usize::try_from(self.at - self.written).unwrap_or(usize::MAX);
                let mut rest = self.buffer.get(start..).unwrap_or_default();
                rest.read(into)?
            }
        };
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for SpoolReader<'_> {
    /// Anywhere within the bytes, or behind them, where there is nothing to read.
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let len = self.written + self.buffer.len() as u64;
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => len.checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(spool: &Spool, length: usize) -> (SpoolFile, Vec<u8>) {
        let bytes: Vec<u8> = (0..=250).cycle().take(length).collect();
        let mut file = spool.file();
        for chunk in bytes.chunks(1000) {
            file.write_all(chunk).unwrap();
        }
        (file, bytes)
    }

    #[test]
    fn bytes_come_back_as_often_as_asked() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::new(folder.path().join("a/spool")).unwrap();
        for length in [0, 1, SPOOL_IN_MEMORY, SPOOL_IN_MEMORY + 1, 3 * SPOOL_IN_MEMORY, 1_000_003] {
            let (mut file, bytes) = filled(&spool, length);
            assert_eq!(file.len(), length as u64);
            assert_eq!(file.is_on_disk(), length > SPOOL_IN_MEMORY);
            assert!(file.buffer.capacity() <= SPOOL_IN_MEMORY);
            for _ in 0..2 {
                let mut back = Vec::new();
                file.reader().unwrap().read_to_end(&mut back).unwrap();
                assert!(back == bytes, "{length}");
            }
            assert_eq!(fs::read_dir(&spool.folder).unwrap().count(), 0);
        }
    }

    #[test]
    fn leftovers_are_deleted() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::new(folder.path().to_owned()).unwrap();
        fs::write(folder.path().join("old"), "x").unwrap();
        fs::create_dir_all(folder.path().join("more/old")).unwrap();
        spool.empty().unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_folder_that_went_away_is_an_error_and_loses_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::new(folder.path().join("spool")).unwrap();
        let (mut file, bytes) = filled(&spool, SPOOL_IN_MEMORY);
        fs::remove_dir(folder.path().join("spool")).unwrap();
        file.write_all(b"x").unwrap_err();
        fs::create_dir(folder.path().join("spool")).unwrap();
        file.write_all(b"x").unwrap();
        let mut back = Vec::new();
        file.reader().unwrap().read_to_end(&mut back).unwrap();
        assert!(back[..bytes.len()] == bytes && back[bytes.len()..] == *b"x");
    }
}
