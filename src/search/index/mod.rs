//! The index of words: `DATA/search/index.db`, `SQLite` with FTS5. Made from the archive, behind it, and disposable: whatever is wrong with
//! it, it is made anew from the log while everything else goes on.
//!
//! - `store`: the file, its tables, and one document put in or taken out
//! - `follow`: goes after the log, commit by commit, and heals
//! - `read`: what fits a query, newest first
//!
//! Invariants: how far it has read the log is written in the transaction that holds what it read, so it never says more than it has. A
//! document's row number is its time, so that newest first is the order in which a list of hits lies on the disk. Which mailboxes a document
//! was seen in are words of it, so that rights are part of a query and no filter behind it.

mod follow;
mod read;
mod store;

use std::path::PathBuf;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

pub use follow::{follow, once};
pub use read::{Hit, Reading, Within};
pub use store::Store;

use crate::archive::history::Mark;
use crate::archive::{Archive, ArchiveError};
use crate::extract::Extractor;
use crate::pulse::Pulse;

/// The longest time without a look at the pulse.
const SLICE: Duration = Duration::from_millis(250);

/// What can go wrong with the index. Nothing of it concerns the archive.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    #[error("the search index {path}: {source}; it is made anew from the archive by `archivista rebuild search`")]
    Sqlite {
        path: PathBuf,
        #[source]
        source: rusqlite::Error,
    },
    #[error("the search index {path}: {source}")]
    Io {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    /// So many words begin like this that looking for all of them takes more memory than there is for one search.
    #[error("too many words begin like this; write more of it")]
    TooMany,
    /// What is left is for people who log in and for the journal.
    #[error("the search index waits: there is too little room on the disk")]
    NoRoom,
    #[error(transparent)]
    Archive(#[from] ArchiveError),
}

/// Result of everything in this room.
pub type Result<T> = std::result::Result<T, IndexError>;

impl Progress {
    /// Commits that it has not read yet.
    pub fn behind(&self) -> u64 {
        self.until.saturating_sub(self.through.sequence)
    }
}

/// The index of an archive that this process has open: where it lies, and how far it is.
#[derive(Debug)]
pub struct Index {
    folder: PathBuf,
    progress: Mutex<Progress>,
    moved: Condvar,
    readers: Mutex<Vec<Reading>>,
    /// The program that reads attachments, where it is not this one.
    program: Option<PathBuf>,
}

/// How far it is.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// The last commit that it has read.
    pub through: Mark,
    /// The last commit that there was when somebody looked.
    pub until: u64,
    /// Raised whenever the file is another one.
    pub generation: u64,
    /// Why it was made anew last.
    pub healed: Option<String>,
    /// Somebody wants it made anew.
    again: bool,
    /// Somebody waits for it.
    wanted: bool,
    /// Somebody keeps it behind the log.
    is_followed: bool,
}

impl Index {
    /// Opens nothing yet.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, progress: Mutex::default(), moved: Condvar::new(), readers: Mutex::default(), program: None }
    }

    /// With another program that reads attachments: tests are programs of their own.
    #[must_use]
    pub fn reading_with(self, program: PathBuf) -> Self {
        Self { program: Some(program), ..self }
    }

    fn extractor(&self) -> Extractor {
        self.program.as_ref().map_or_else(Extractor::new, Extractor::of)
    }

    pub fn folder(&self) -> &std::path::Path {
        &self.folder
    }

    pub fn progress(&self) -> Progress {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks for a new index.
    pub fn make_anew(&self) {
        self.with(|progress| (progress.again, progress.wanted) = (true, true));
    }

    /// Waits until it has read up to this commit, at most so long; says whether it has.
    pub fn reaches(&self, sequence: u64, at_most: Duration) -> bool {
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        if progress.through.sequence < sequence {
            progress.wanted = true;
            self.moved.notify_all();
            let behind = |progress: &mut Progress| progress.through.sequence < sequence;
            progress =
                self.moved.wait_timeout_while(progress, at_most, behind).unwrap_or_else(PoisonError::into_inner).0;
        }
        progress.through.sequence >= sequence
    }

    /// Brings it up to what the archive has now, however long that takes: with whoever follows it, or by itself.
    pub fn settle(&self, archive: &Archive, pulse: &Pulse) -> Result<()> {
        if !self.progress().is_followed {
            return once(archive, self, false, pulse);
        }
        let last = archive.view()?.position()?.unwrap_or_default().sequence;
        while !self.reaches(last, SLICE) {
            pulse.go_on().map_err(ArchiveError::from)?;
        }
        Ok(())
    }

    /// Waits for somebody who wants it, at most so long; says whether there is one.
    fn is_wanted(&self, at_most: Duration) -> bool {
        let progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        let asleep = |progress: &mut Progress| !progress.wanted;
        self.moved.wait_timeout_while(progress, at_most, asleep).unwrap_or_else(PoisonError::into_inner).0.wanted
    }

    fn with<T>(&self, change: impl FnOnce(&mut Progress) -> T) -> T {
        let changed = change(&mut self.progress.lock().unwrap_or_else(PoisonError::into_inner));
        self.moved.notify_all();
        changed
    }

    /// Something to read it with; given back by [`Self::done`], so that its statements are kept. `None` as long as there is nothing to read.
    pub fn reading(&self) -> Result<Option<Reading>> {
        let progress = self.progress();
        if progress.generation == 0 {
            return Ok(None);
        }
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        readers.retain(|reading| reading.generation == progress.generation);
        match readers.pop() {
            Some(reading) => Ok(Some(reading)),
            None => Reading::open(&self.folder, progress.generation).map(Some),
        }
    }

    pub fn done(&self, reading: Reading) {
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if readers.len() < crate::limits::INDEX_READERS {
            readers.push(reading);
        }
    }
}
