//! The file of the index, and one document put into it or taken out.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, OptionalExtension, params};

use super::{IndexError, Result};
use crate::archive::commit::Number;
use crate::archive::history::Mark;
use crate::archive::record::ArchiveId;
use crate::hash::Sha256;
use crate::limits::{INDEX_CACHE, INDEX_PENDING, INDEX_PURGE};
use crate::search::text::Columns;
use crate::search::words;

/// Of the tables below; an index of another one is made anew. See also [`words::VERSION`].
const LAYOUT: u32 = 1;

/// Times are held within some 34,000 years, so that there is a free second behind each.
const TIMES: i64 = 1 << 40;

const TABLES: &str = "
CREATE TABLE state (one INTEGER PRIMARY KEY CHECK (one = 1), version INTEGER NOT NULL, archive BLOB NOT NULL,
    sequence INTEGER NOT NULL, link BLOB NOT NULL, pack INTEGER NOT NULL, end INTEGER NOT NULL,
    purge INTEGER NOT NULL);
CREATE TABLE documents (id INTEGER PRIMARY KEY, number INTEGER NOT NULL UNIQUE, mark INTEGER NOT NULL);
CREATE TABLE taken (id INTEGER PRIMARY KEY, next INTEGER NOT NULL);
CREATE TABLE unread (id INTEGER NOT NULL, part INTEGER NOT NULL, code INTEGER NOT NULL, PRIMARY KEY (id, part)) WITHOUT ROWID;
CREATE TABLE fields (name TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE VIRTUAL TABLE words USING fts5 (place, sender, recipient, cc, subject, file, body, field,
    content = '', contentless_delete = 1, tokenize = 'ascii');
";

/// The index opened for writing; there is one of it.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    connection: Connection,
}

/// Why an index that is there is of no use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Useless(pub String);

pub(super) fn path(folder: &Path) -> PathBuf {
    folder.join("index.db")
}

impl Store {
    /// Opens the index of this archive; the inner error says why there is none that can be used.
    pub fn open(folder: &Path, archive: ArchiveId) -> Result<std::result::Result<(Self, Mark), Useless>> {
        let path = path(folder);
        if !path.exists() {
            return Ok(Err(Useless("there is none".into())));
        }
        let opened = connect(&path, OpenFlags::SQLITE_OPEN_READ_WRITE).and_then(|connection| {
            let read = "SELECT version, archive, sequence, link, pack, end FROM state WHERE one = 1";
            let state = connection.query_row(read, [], |row| {
                let (version, of): (u32, Vec<u8>) = (row.get(0)?, row.get(1)?);
                let (sequence, link, pack): (u64, [u8; 32], u32) = (unsigned(row.get(2)?), row.get(3)?, row.get(4)?);
                let end = unsigned(row.get(5)?);
                Ok((version, of, Mark { sequence, link: Sha256(link), pack, end }))
            })?;
            Ok((connection, state))
        });
        Ok(match opened {
            Ok((_, (version, ..))) if version != self::version() => {
                Err(Useless("it was made by another release".into()))
            }
            Ok((_, (_, of, _))) if of != archive => Err(Useless("it is that of another archive".into())),
            Ok((connection, (_, _, mark))) => Ok((Self { path, connection }, mark)),
            Err(error) => Err(Useless(error.to_string())),
        })
    }

    /// Begins an empty one in place of whatever is there.
    pub fn create(folder: &Path, archive: ArchiveId) -> Result<Self> {
        match fs::remove_dir_all(folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(IndexError::Io { path: folder.into(), source: error });
            }
            _ => {}
        }
        fs::create_dir_all(folder).map_err(|source| IndexError::Io { path: folder.into(), source })?;
        let path = path(folder);
        let create = || -> rusqlite::Result<Connection> {
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
            let mut connection = connect(&path, flags)?;
            let begun = connection.transaction()?;
            begun.execute_batch(TABLES)?;
            begun.execute("INSERT INTO words (words, rank) VALUES ('hashsize', ?1)", [INDEX_PENDING])?;
            let none = Sha256::default().0;
            begun.execute("INSERT INTO state VALUES (1, ?1, ?2, 0, ?3, 0, 0, 0)", params![version(), archive, none])?;
            begun.commit()?;
            Ok(connection)
        };
        match create() {
            Ok(connection) => Ok(Self { path, connection }),
            Err(source) => Err(IndexError::Sqlite { path, source }),
        }
    }

    /// Begins a transaction; all that follows is in it, up to [`Self::commit`].
    pub fn begin(&self) -> Result<()> {
        self.run(|inner| inner.execute_batch("BEGIN IMMEDIATE"))
    }

    /// Ends it, with how far the log is in the index then.
    pub fn commit(&self, mark: &Mark) -> Result<()> {
        self.run(|inner| {
            let state = "UPDATE state SET sequence = ?1, link = ?2, pack = ?3, end = ?4";
            let Mark { sequence, link, pack, end } = mark;
            inner.execute(state, params![signed(*sequence), link.0, pack, signed(*end)])?;
            inner.execute_batch("COMMIT")
        })
    }

    /// Ends it as if it had never begun.
    pub fn roll_back(&self) {
        // What cannot be rolled back is when it is opened next.
        let _ = self.connection.execute_batch("ROLLBACK");
    }

    /// Puts a document in, in place of what was known of it. `mark` tells one state of it from another: where it is the same,
    /// nothing is done and `columns` is not asked.
    pub fn put(&self, number: Number, time: i64, mark: u64, columns: impl FnOnce() -> Result<Columns>) -> Result<bool> {
        let known = self.run(|inner| {
            let mut read = inner.prepare_cached("SELECT id, mark FROM documents WHERE number = ?1")?;
            read.query_row([signed(number)], |row| Ok((row.get::<_, i64>(0)?, unsigned(row.get(1)?)))).optional()
        })?;
        if known.is_some_and(|(_, there)| there == mark) {
            return Ok(false);
        }
        let columns = columns()?;
        self.run(|inner| {
            let id = if let Some((id, _)) = known {
                forget(inner, id)?;
                inner
                    .prepare_cached("UPDATE documents SET mark = ?2 WHERE id = ?1")?
                    .execute(params![id, signed(mark)])?;
                id
            } else {
                let id = free(inner, time.clamp(-TIMES, TIMES))?;
                let insert = "INSERT INTO documents (id, number, mark) VALUES (?1, ?2, ?3)";
                inner.prepare_cached(insert)?.execute(params![id, signed(number), signed(mark)])?;
                id
            };
            for (part, unread) in &columns.unread {
                let part = i64::try_from(*part).unwrap_or(i64::MAX);
                let insert = "INSERT OR REPLACE INTO unread (id, part, code) VALUES (?1, ?2, ?3)";
                inner.prepare_cached(insert)?.execute(params![id, part, unread.code()])?;
            }
            for name in &columns.names {
                inner.prepare_cached("INSERT OR IGNORE INTO fields (name) VALUES (?1)")?.execute([name])?;
            }
            let insert = "INSERT INTO words (rowid, place, sender, recipient, cc, subject, file, body, field)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
            let Columns { place, sender, recipient, cc, subject, file, body, field, .. } = &columns;
            let values = params![id, place, sender, recipient, cc, subject, file, body, field];
            inner.prepare_cached(insert)?.execute(values)?;
            Ok(true)
        })
    }

    /// Takes a document out.
    pub fn remove(&self, number: Number) -> Result<()> {
        self.run(|inner| {
            let mut remove = inner.prepare_cached("DELETE FROM documents WHERE number = ?1 RETURNING id")?;
            let id: Option<i64> = remove.query_row([signed(number)], |row| row.get(0)).optional()?;
            if let Some(id) = id {
                forget(inner, id)?;
                set_purge(inner, Purge::Owed)?;
            }
            Ok(())
        })
    }

    /// One step of taking the words of documents that ended out of the file: FTS5 marks a document as gone, and its words lie
    /// there until the parts of the index are merged. Says whether there is more to do.
    pub fn purge(&self) -> Result<bool> {
        self.run(|inner| {
            let purge = inner.query_row("SELECT purge FROM state", [], |row| row.get::<_, i64>(0))?;
            if purge == Purge::None as i64 {
                return Ok(false);
            }
            if purge < Purge::Merged as i64 {
                let begun = inner.unchecked_transaction()?;
                let before = inner.total_changes();
                // The first one makes all parts one task, the others go on with it.
                let pages = if purge == Purge::Owed as i64 { -INDEX_PURGE } else { INDEX_PURGE };
                inner.execute("INSERT INTO words (words, rank) VALUES ('merge', ?1)", [pages])?;
                // The command itself counts as one change.
                let is_done = inner.total_changes() - before < 2;
                set_purge(inner, if is_done { Purge::Merged } else { Purge::Merging })?;
                begun.commit()?;
                return Ok(true);
            }
            // Older pages lie in the log beside the file until it is cut.
            let is_read = inner.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, bool>(0))?;
            if !is_read {
                set_purge(inner, Purge::None)?;
            }
            Ok(is_read)
        })
    }

    fn run<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        work(&self.connection).map_err(|source| IndexError::Sqlite { path: self.path.clone(), source })
    }
}

/// Whether words of documents that ended still lie in the file.
#[derive(Clone, Copy)]
enum Purge {
    None = 0,
    Owed = 1,
    Merging = 2,
    /// In the log beside the file they may.
    Merged = 3,
}

fn set_purge(inner: &Connection, purge: Purge) -> rusqlite::Result<usize> {
    inner.prepare_cached("UPDATE state SET purge = ?1")?.execute([purge as i64])
}

/// Takes out what is known of a row.
fn forget(inner: &Connection, id: i64) -> rusqlite::Result<()> {
    inner.prepare_cached("DELETE FROM words WHERE rowid = ?1")?.execute([id])?;
    inner.prepare_cached("DELETE FROM unread WHERE id = ?1")?.execute([id])?;
    Ok(())
}

/// The first free second from `time` on. Who sends a thousand mails in one second makes a long row of taken ones, so that each remembers where
/// its row ended when last somebody looked.
fn free(inner: &Connection, time: i64) -> rusqlite::Result<i64> {
    let mut is_taken = inner.prepare_cached("SELECT EXISTS (SELECT 1 FROM documents WHERE id = ?1)")?;
    let mut next = inner.prepare_cached("SELECT next FROM taken WHERE id = ?1")?;
    let mut remember = inner.prepare_cached("INSERT OR REPLACE INTO taken (id, next) VALUES (?1, ?2)")?;
    let mut passed = Vec::new();
    let mut id = time;
    while is_taken.query_row([id], |row| row.get(0))? {
        passed.push(id);
        id = next.query_row([id], |row| row.get(0)).optional()?.unwrap_or(id + 1);
    }
    for one in passed {
        remember.execute([one, id + 1])?;
    }
    Ok(id)
}

fn version() -> u32 {
    LAYOUT << 16 | words::VERSION
}

/// `SQLite` has signed numbers only; ours stay below the half.
pub(super) fn signed(number: u64) -> i64 {
    number.cast_signed()
}

pub(super) fn unsigned(number: i64) -> u64 {
    number.cast_unsigned()
}

/// What readers and the writer have in common.
pub(super) fn connect(path: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(std::time::Duration::from_secs(10))?;
    // Losing the last transactions to a power cut costs reading them again. What is deleted is overwritten.
    connection.execute_batch(&format!(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -{}; PRAGMA mmap_size = 0;",
        INDEX_CACHE / 1024
    ))?;
    Ok(connection)
}
