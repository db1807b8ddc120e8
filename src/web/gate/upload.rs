//! Long bodies on their way in: files in the spool folder, within a quota, gone when their exchange is over.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ring::rand::{SecureRandom, SystemRandom};

use super::refusal::Refusal;
use crate::disk::Room;

/// The spool folder and what may lie in it.
#[derive(Debug)]
pub struct Uploads {
    folder: PathBuf,
    /// Bytes of all uploads together.
    quota: u64,
    at_once: usize,
    /// Bytes of free disk that are left.
    reserve: u64,
    promised: Mutex<Promised>,
}

/// What the uploads under way may take.
#[derive(Debug, Default)]
struct Promised {
    uploads: usize,
    bytes: u64,
    /// Of these, not on disk yet.
    due: u64,
}

/// One body in the spool folder; its file and its share of the quota go when it is dropped.
#[derive(Debug)]
pub struct Upload {
    uploads: Arc<Uploads>,
    token: String,
    length: u64,
    written: u64,
    /// None while a thread writes to it.
    file: Option<File>,
}

/// The file behind a token (the value of `X-Body`); `None` if it is not a token.
pub fn path(folder: &Path, token: &str) -> Option<PathBuf> {
    let is_token = token.len() == 32 && token.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    is_token.then(|| folder.join(token))
}

impl Uploads {
    pub fn new(folder: PathBuf, at_once: usize, quota: u64, reserve: u64) -> Self {
        Self { folder, quota, at_once, reserve, promised: Mutex::default() }
    }

    /// A file for a body of `length` bytes. The whole length counts from now on, so that what begins can also end.
    pub fn begin(self: &Arc<Self>, length: u64) -> Result<Upload, Refusal> {
        let free = Room::of(&self.folder).map(|room| room.free).map_err(|error| self.failed(&error))?;
        let mut promised = self.promised();
        if promised.uploads >= self.at_once || promised.bytes.saturating_add(length) > self.quota {
            return Err(Refusal::Busy);
        }
        if promised.due.saturating_add(length).saturating_add(self.reserve) > free {
            return Err(Refusal::DiskFull);
        }
        promised.uploads += 1;
        promised.bytes += length;
        promised.due += length;
        drop(promised);
        let mut upload = Upload { uploads: self.clone(), token: String::new(), length, written: 0, file: None };
        let mut random = [0; 16];
        SystemRandom::new().fill(&mut random).map_err(|_| Refusal::Busy)?;
        upload.token = format!("{:032x}", u128::from_be_bytes(random));
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(upload.path());
        upload.file = Some(file.map_err(|error| self.failed(&error))?);
        Ok(upload)
    }

    fn failed(&self, error: &io::Error) -> Refusal {
        tracing::error!("{}: an upload cannot be kept: {error}", self.folder.display());
        Refusal::DiskFull
    }

    fn promised(&self) -> MutexGuard<'_, Promised> {
        self.promised.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Upload {
    /// The value of `X-Body`.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Bytes that are still to come.
    pub fn missing(&self) -> u64 {
        self.length - self.written
    }

    /// Writes `bytes` behind what is there, on another thread; gives the emptied buffer back. More bytes than
    /// [`Self::missing`] are cut off.
    pub async fn write(&mut self, mut bytes: Vec<u8>) -> Result<Vec<u8>, Refusal> {
        bytes.truncate(usize::try_from(self.missing()).unwrap_or(usize::MAX));
        let count = bytes.len() as u64;
        let mut file = self.file.take().ok_or(Refusal::DiskFull)?;
        let written = tokio::task::spawn_blocking(move || {
            file.write_all(&bytes)?;
            bytes.clear();
            io::Result::Ok((file, bytes))
        });
        let (file, bytes) =
            written.await.map_err(io::Error::other).flatten().map_err(|error| self.uploads.failed(&error))?;
        self.file = Some(file);
        self.written += count;
        self.uploads.promised().due -= count;
        Ok(bytes)
    }

    /// No more is written.
    pub fn close(&mut self) {
        self.file = None;
    }

    fn path(&self) -> PathBuf {
        self.uploads.folder.join(&self.token)
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if !self.token.is_empty()
            && let Err(error) = fs::remove_file(self.path())
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::error!("{}: {error}", self.path().display());
        }
        let mut promised = self.uploads.promised();
        promised.uploads -= 1;
        promised.bytes -= self.length;
        promised.due -= self.missing();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(folder: &Path) -> usize {
        fs::read_dir(folder).unwrap().count()
    }

    #[test]
    fn uploads_keep_within_their_quota_and_leave_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let uploads = Arc::new(Uploads::new(folder.path().to_owned(), 2, 100, 0));
        let first = uploads.begin(60).unwrap();
        assert_eq!(uploads.begin(41).unwrap_err(), Refusal::Busy);
        let second = uploads.begin(40).unwrap();
        assert_ne!(first.token(), second.token());
        assert_eq!(uploads.begin(0).unwrap_err(), Refusal::Busy, "two at a time");
        assert_eq!(files(folder.path()), 2);
        drop((first, second));
        assert_eq!(files(folder.path()), 0);
        let promised = uploads.promised();
        assert_eq!((promised.uploads, promised.bytes, promised.due), (0, 0, 0));
    }

    #[test]
    fn the_disk_keeps_its_reserve() {
        let folder = tempfile::tempdir().unwrap();
        let uploads = Arc::new(Uploads::new(folder.path().to_owned(), 2, u64::MAX, u64::MAX - 10));
        assert_eq!(uploads.begin(1).unwrap_err(), Refusal::DiskFull);
        let uploads = Arc::new(Uploads::new(folder.path().join("missing"), 2, 10, 0));
        assert_eq!(uploads.begin(1).unwrap_err(), Refusal::DiskFull);
        assert_eq!(uploads.promised().uploads, 0);
    }

    #[test]
    fn a_body_is_written_up_to_its_length() {
        let folder = tempfile::tempdir().unwrap();
        let uploads = Arc::new(Uploads::new(folder.path().to_owned(), 2, 100, 0));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let mut upload = uploads.begin(5).unwrap();
        let back = runtime.block_on(upload.write(b"abc".to_vec())).unwrap();
        assert!(back.is_empty());
        runtime.block_on(upload.write(b"defgh".to_vec())).unwrap();
        assert_eq!(upload.missing(), 0);
        assert_eq!(fs::read(path(folder.path(), upload.token()).unwrap()).unwrap(), b"abcde");
        for broken in ["", "../x", "0123456789ABCDEF0123456789abcdef", "0123456789abcdef0123456789abcde/"] {
            assert_eq!(path(folder.path(), broken), None);
        }
    }
}
