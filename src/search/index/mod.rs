//! The index of words: `DATA/search/index.db`, `SQLite` with FTS5. Made from the archive, behind it, and disposable: whatever is wrong with
//! it, it is made anew from the log while everything else goes on.
//!
//! - `store`: the file, its tables, and one document put in or taken out
//! - `follow`: goes after the log, commit by commit, and heals
//! - `read`: what fits a query, newest first
//!
//! Invariants: how far it has read the log is written in the transaction that holds what it read, so it never says more than it has. A
//! document's row number is its time, so that newest first is the order in which a list of hits lies on the disk. Which mailboxes a document
//! was seen in are words of it, so that rights are part of a query. As the index may be older than a block, whoever shows a document asks the
//! catalog once more.

mod follow;
mod read;
mod store;

use std::path::PathBuf;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

pub use follow::{follow, once};
pub use read::{Hit, Rank, Reading, Within};
pub use store::Store;

use crate::archive::history::Mark;
use crate::archive::{Archive, ArchiveError};
use crate::extract::Extractor;
use crate::limits::{INDEX_READERS, INDEX_SEARCH_TIME};
use crate::pulse::{self, Pulse};

/// The longest time without a look at the pulse.
const SLICE: Duration = Duration::from_millis(250);
/// How often is looked whether it was made anew.
const LOOK: Duration = Duration::from_millis(20);

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
    /// There is more to be looked through than there is memory for one search ([`crate::limits::INDEX_SEARCH`]).
    #[error("this search takes too much memory; write more of each word")]
    TooMany,
    /// It took longer than a search may ([`crate::limits::INDEX_SEARCH_TIME`]).
    #[error("this search takes too long; write more words, or a time such as after:2026-01-01")]
    TooLong,
    /// What is left is for people who log in and for the journal.
    #[error("the search index waits: there is too little room on the disk")]
    NoRoom,
    /// Whoever keeps it behind the log ended with this; it is tried again.
    #[error("the search index does not go on: {0}")]
    Stopped(String),
    #[error(transparent)]
    Archive(#[from] ArchiveError),
}

impl IndexError {
    /// Whether the file is of no use any more, and is to be made anew.
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Sqlite { path, source } if store::is_damage(source) || !path.exists())
    }

    /// Whether there was too little memory for what was asked ([`crate::limits::INDEX_SEARCH`] is for all that work on it).
    fn is_out_of_memory(&self) -> bool {
        matches!(self, Self::Sqlite { source, .. } if source.sqlite_error_code() == Some(rusqlite::ErrorCode::OutOfMemory))
    }
}

/// The number of the last commit of an archive.
fn last(archive: &Archive) -> Result<u64> {
    Ok(archive.view()?.position()?.unwrap_or_default().sequence)
}

/// Result of everything in this room.
pub type Result<T> = std::result::Result<T, IndexError>;

/// The index of an archive that this process has open: where it lies, and how far it is.
#[derive(Debug)]
pub struct Index {
    folder: PathBuf,
    progress: Mutex<Progress>,
    moved: Condvar,
    readers: Mutex<Vec<Reading>>,
    /// There is one who writes it.
    writing: Mutex<()>,
    /// The program that reads attachments, where it is not this one.
    program: Option<PathBuf>,
}

/// How far it is.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// The last commit that it has read.
    pub through: Mark,
    /// Raised whenever the file is another one.
    pub generation: u64,
    /// Why it was made anew last.
    pub healed: Option<String>,
    /// There is something to read it from.
    is_there: bool,
    /// Somebody wants it made anew.
    again: bool,
    /// Somebody waits for it.
    wanted: bool,
    followed: Followed,
}

/// Whether somebody keeps it behind the log.
#[derive(Clone, Debug, Default)]
enum Followed {
    #[default]
    No,
    Yes,
    /// No longer, for this reason; it is tried again.
    Ended(String),
}

impl Index {
    /// Opens nothing yet.
    pub fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            progress: Mutex::default(),
            moved: Condvar::new(),
            readers: Mutex::default(),
            writing: Mutex::default(),
            program: None,
        }
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

    /// Commits that it has not read yet.
    pub fn behind(&self, archive: &Archive) -> Result<u64> {
        Ok(last(archive)?.saturating_sub(self.progress().through.sequence))
    }

    /// Says that it cannot be read: whoever keeps it makes it anew.
    pub fn found_broken(&self) {
        self.with(|progress| (progress.again, progress.wanted) = (true, true));
    }

    /// Makes it anew, and waits until it has read all that the archive has now.
    pub fn make_anew(&self, archive: &Archive, pulse: &Pulse) -> Result<()> {
        let before = self.progress().generation;
        self.found_broken();
        self.settled(archive, pulse, before)
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
        self.settled(archive, pulse, 0)
    }

    /// The same, with a file that came after the one of `generation`, where it is not 0.
    fn settled(&self, archive: &Archive, pulse: &Pulse, generation: u64) -> Result<()> {
        let last = last(archive)?;
        loop {
            pulse.go_on().map_err(ArchiveError::from)?;
            match self.progress().followed {
                Followed::Ended(why) => return Err(IndexError::Stopped(why)),
                Followed::Yes => {
                    if self.reaches(last, SLICE) && (generation == 0 || self.progress().generation > generation) {
                        return Ok(());
                    }
                    std::thread::sleep(LOOK);
                }
                Followed::No => return once(archive, self, generation > 0 || self.progress().again, pulse),
            }
        }
    }

    /// Waits for the turn to write it.
    fn turn(&self, pulse: &Pulse) -> Result<MutexGuard<'_, ()>> {
        pulse::turn(&self.writing, &mut || pulse.go_on().map_err(|cancelled| ArchiveError::from(cancelled).into()))
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

    /// Something to read it with for one search, which may take [`INDEX_SEARCH_TIME`]; given back by [`Self::done`], so that its
    /// statements are kept. `None` as long as there is nothing to read.
    pub fn reading(&self) -> Result<Option<Reading>> {
        let progress = self.progress();
        if !progress.is_there {
            return Ok(None);
        }
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        readers.retain(|reading| reading.generation == progress.generation);
        let reading = readers.pop().map_or_else(|| Reading::open(&self.folder, progress.generation), Ok)?;
        reading.until(Some(Instant::now() + INDEX_SEARCH_TIME));
        Ok(Some(reading))
    }

    /// Takes back what somebody has read with.
    pub fn done(&self, reading: Reading) {
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if readers.len() < INDEX_READERS {
            reading.rest();
            readers.push(reading);
        }
    }
}
