//! A disk as bytes at places: a block device, an image file, or a test's disk that forgets what was not flushed.

use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::os::unix::fs::FileExt;

use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};

/// Reads and writes whole pieces; a piece that cannot be had whole is an error.
pub trait Medium {
    /// Bytes of the disk.
    fn end(&mut self) -> io::Result<u64>;
    fn get(&mut self, at: u64, bytes: &mut [u8]) -> io::Result<()>;
    fn put(&mut self, at: u64, bytes: &[u8]) -> io::Result<()>;
    /// Returns when all that was written is on the disk itself; what is read afterwards comes from there.
    fn sync(&mut self) -> io::Result<()>;
}

impl Medium for File {
    fn end(&mut self) -> io::Result<u64> {
        self.seek(SeekFrom::End(0))
    }

    fn get(&mut self, at: u64, bytes: &mut [u8]) -> io::Result<()> {
        self.read_exact_at(bytes, at)
    }

    fn put(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.write_all_at(bytes, at)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_all()?;
        // Only a hint: where it is not taken, the copy in memory is read, as before.
        let _ = posix_fadvise(&*self, 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED);
        Ok(())
    }
}
