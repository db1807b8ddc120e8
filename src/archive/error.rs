//! What can go wrong with the data folder, and what to do then.

use std::io;
use std::path::PathBuf;

use super::recovery::WordsError;
use crate::pulse::Cancelled;

/// A failure of the archive. Each says which file it is about; damage is never mended behind somebody's back.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    #[error("{path}: {source}")]
    Io {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error(
        "the data folder {path} is in use by another archivista that does not answer here: it may be starting, so try again in a moment, or stop it"
    )]
    InUse { path: PathBuf },
    #[error("{path} at byte {offset}: {what}; nothing was changed, run `archivista verify`")]
    Damaged { path: PathBuf, offset: u64, what: String },
    #[error("{path} carries format {format}, this archivista reads format {known}: use the release that wrote it")]
    Format { path: PathBuf, format: u32, known: u32 },
    #[error(
        "{path} carries format 0, which was never frozen, and is not read any more: export its mails with the release that wrote it (`archivista export --all --format eml --out FOLDER`), then begin with an empty data folder"
    )]
    Unfrozen { path: PathBuf },
    #[error(
        "{path} belongs to another archive: put the packs of this box back, or open that archive in its own folder"
    )]
    Foreign { path: PathBuf },
    #[error(
        "the catalog knows commit {catalog}, but the packs end with commit {log}: packs are missing or cut; nothing was changed. Put them back from a backup; if they are lost, `archivista rebuild catalog` makes a catalog of what is left"
    )]
    CatalogAhead { catalog: u64, log: u64 },
    #[error(
        "the key {path} is missing or not 32 bytes long: nothing in this archive can be read without it; take it from the recovery sheet with `archivista recover`, or put it back from a backup"
    )]
    Key { path: PathBuf },
    #[error(
        "{key} is not the key that {pack} was sealed with: nothing was changed; put the key of this archive back from a backup"
    )]
    WrongKey { key: PathBuf, pack: PathBuf },
    #[error(
        "{path} is there already, and nothing was changed: if it is not the key of these packs, put it aside first, then take the key from the recovery sheet"
    )]
    KeyIsThere { path: PathBuf },
    #[error(
        "this is the sheet of another archive, and nothing was changed: the packs here belong to the archive {archive}, and its sheet has the check value {check}"
    )]
    OtherSheet { archive: String, check: String },
    #[error("document {number} was just seen in another place; it does not end now")]
    SeenAgain { number: u64 },
    #[error("these words are no key: {0}")]
    Words(#[from] WordsError),
    #[error("a sealed secret ({name}) cannot be opened with this archive's key: enter it again")]
    Sealed { name: String },
    #[error("catalog: {0}")]
    Catalog(#[source] Box<redb::Error>),
    #[error("catalog row of {table} cannot be read: {detail}; run `archivista rebuild catalog`")]
    Row { table: &'static str, detail: String },
    #[error("the catalog was made by another release")]
    Layout,
    #[error("there is no document {number}")]
    NoDocument { number: u64 },
    #[error("document {number} is damaged: {what}")]
    DocumentDamaged { number: u64, what: String },
    #[error(
        "the archive stopped after a failed write ({what}): nothing acknowledged is lost; it goes on after a restart"
    )]
    Stopped { what: String },
}

/// Result of everything in this room.
pub type Result<T> = std::result::Result<T, ArchiveError>;

impl ArchiveError {
    /// Names the file an I/O error is about.
    pub fn io(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }

    /// Whether the disk is full (or the quota is spent): nothing is damaged, and it passes when there is room.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Io { source, .. }
            if matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded))
    }
}

impl From<Cancelled> for ArchiveError {
    fn from(cancelled: Cancelled) -> Self {
        Self::Stopped { what: cancelled.to_string() }
    }
}

macro_rules! from_redb {
    ($($error:ty),*) => {
        $(impl From<$error> for ArchiveError {
            fn from(error: $error) -> Self {
                Self::Catalog(Box::new(error.into()))
            }
        })*
    };
}

from_redb!(
    redb::CommitError,
    redb::DatabaseError,
    redb::SetDurabilityError,
    redb::StorageError,
    redb::TableError,
    redb::TransactionError
);
