//! Changes on disk: each one that this room makes goes through here, so that somebody can be told of them in their order and
//! know what a power cut at any moment could have left. Reading goes past it; so does the spool, which holds nothing that
//! matters.
//!
//! Invariant: what is done to the disk is the same with and without a [`Recorder`]; who records is told after it was done.

use std::fmt::Debug;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::ops::Bound;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::panic::RefUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use redb::backends::FileBackend;
use redb::{BackendError, Builder, Database, DatabaseError, StorageBackend};

/// Is told of every change that was made.
pub trait Recorder: Debug + RefUnwindSafe + Send + Sync {
    /// `path` is the name under which the file was opened; it may have another one by now.
    fn did(&self, path: &Path, change: Change<'_>);
}

/// One change. `file` tells files apart that had the same name one after the other: it is the number of the inode.
#[derive(Clone, Copy, Debug)]
pub enum Change<'a> {
    /// A file that was not there, empty.
    Create {
        file: u64,
    },
    Folder,
    Write {
        file: u64,
        offset: u64,
        bytes: &'a [u8],
    },
    SetLen {
        file: u64,
        len: u64,
    },
    /// All that was written to the file, and its length, is to be durable.
    SyncFile {
        file: u64,
    },
    /// All names in the folder are to be durable.
    SyncFolder,
    Rename {
        to: &'a Path,
    },
    Remove,
    Mode {
        mode: u32,
    },
}

/// The disk below a data folder.
#[derive(Clone, Debug, Default)]
pub struct Disk(Option<Arc<dyn Recorder>>);

impl Disk {
    pub fn recorded(recorder: Arc<dyn Recorder>) -> Self {
        Self(Some(recorder))
    }

    fn tell(&self, path: &Path, change: Change<'_>) {
        if let Some(recorder) = &self.0 {
            recorder.did(path, change);
        }
    }

    /// Opens a file to be written, in whatever way `options` says.
    pub fn open(&self, path: &Path, options: &OpenOptions) -> io::Result<DiskFile> {
        let was_there = self.0.is_none() || path.exists();
        let file = options.open(path)?;
        let number = if self.0.is_some() { file.metadata()?.ino() } else { 0 };
        let opened = DiskFile { file, number, path: path.into(), at: 0, disk: self.clone() };
        if !was_there {
            self.tell(path, Change::Create { file: number });
        } else if self.0.is_some() && opened.file.metadata()?.len() == 0 {
            self.tell(path, Change::SetLen { file: number, len: 0 });
        }
        Ok(opened)
    }

    /// Opens or makes a database.
    pub fn database(&self, path: &Path, builder: &Builder) -> Result<Database, DatabaseError> {
        if self.0.is_none() {
            return builder.create(path);
        }
        let file = self.open(path, OpenOptions::new().read(true).write(true).create(true).truncate(false))?;
        let backend = FileBackend::new(file.file.try_clone()?)?;
        builder.create_with_backend(Recorded { backend, file })
    }

    /// Makes a folder and those above it that are missing.
    pub fn make_folder(&self, path: &Path, mode: u32) -> io::Result<()> {
        let missing: Vec<_> = if self.0.is_some() {
            path.ancestors().take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists()).collect()
        } else {
            Vec::new()
        };
        DirBuilder::new().recursive(true).mode(mode).create(path)?;
        for folder in missing.into_iter().rev() {
            self.tell(folder, Change::Folder);
        }
        Ok(())
    }

    pub fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)?;
        self.tell(from, Change::Rename { to });
        Ok(())
    }

    pub fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)?;
        self.tell(path, Change::Remove);
        Ok(())
    }

    pub fn set_mode(&self, path: &Path, mode: u32) -> io::Result<()> {
        fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
        self.tell(path, Change::Mode { mode });
        Ok(())
    }

    /// Makes what an earlier process wrote to a file durable, as far as the kernel still has it.
    pub fn sync_file(&self, path: &Path) -> io::Result<()> {
        let file = File::open(path)?;
        file.sync_all()?;
        if self.0.is_some() {
            self.tell(path, Change::SyncFile { file: file.metadata()?.ino() });
        }
        Ok(())
    }

    /// Makes new and removed names in a folder durable.
    pub fn sync_folder(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()?;
        self.tell(path, Change::SyncFolder);
        Ok(())
    }
}

/// A file that is written front to back.
#[derive(Debug)]
pub struct DiskFile {
    file: File,
    number: u64,
    path: PathBuf,
    at: u64,
    disk: Disk,
}

impl DiskFile {
    /// Goes on writing at `offset`.
    pub fn seek(&mut self, offset: u64) -> io::Result<()> {
        self.at = self.file.seek(SeekFrom::Start(offset))?;
        Ok(())
    }

    pub fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)?;
        self.disk.tell(&self.path, Change::SetLen { file: self.number, len });
        Ok(())
    }

    /// What was written and the length are durable, or nothing is known of them.
    pub fn sync_data(&self) -> io::Result<()> {
        self.file.sync_data()?;
        self.disk.tell(&self.path, Change::SyncFile { file: self.number });
        Ok(())
    }

    pub fn sync_all(&self) -> io::Result<()> {
        self.file.sync_all()?;
        self.disk.tell(&self.path, Change::SyncFile { file: self.number });
        Ok(())
    }

    /// Another handle on the same file, at the same place.
    pub fn try_clone(&self) -> io::Result<Self> {
        let Self { number, at, .. } = *self;
        Ok(Self { file: self.file.try_clone()?, number, path: self.path.clone(), at, disk: self.disk.clone() })
    }
}

impl Write for DiskFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.file.write(bytes)?;
        self.disk.tell(&self.path, Change::Write { file: self.number, offset: self.at, bytes: &bytes[..count] });
        self.at += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// A database whose changes are recorded.
#[derive(Debug)]
struct Recorded {
    backend: FileBackend,
    file: DiskFile,
}

type Locked<T> = Result<T, BackendError>;

impl StorageBackend for Recorded {
    fn len(&self) -> io::Result<u64> {
        self.backend.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.backend.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.backend.write(offset, bytes)?;
        self.file.disk.tell(&self.file.path, Change::Write { file: self.file.number, offset, bytes });
        Ok(())
    }

    fn close(&self) -> io::Result<()> {
        self.backend.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Locked<bool> {
        self.backend.try_lock_range(start, end)
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Locked<bool> {
        self.backend.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Locked<()> {
        self.backend.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Locked<()> {
        self.backend.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Locked<()> {
        self.backend.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Locked<bool> {
        self.backend.query_lock_range(start, end)
    }
}
