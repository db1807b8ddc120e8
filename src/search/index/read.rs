//! Reading the index: what fits an expression of FTS5, newest first or oldest first, or best first.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, OptionalExtension, Rows, params};

use super::store::{connect, path, signed, unsigned};
use super::{IndexError, Result};
use crate::archive::commit::Number;
use crate::extract::Unread;
use crate::limits::{INDEX_SEARCH, RANKED};

/// The index opened for reading.
#[derive(Debug)]
pub struct Reading {
    path: PathBuf,
    connection: Connection,
    pub(super) generation: u64,
}

/// Seconds that a row may stand behind its time.
const DISPLACED: i64 = 86_400;

/// A document that fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Its row, in the order of time.
    pub id: i64,
    pub number: Number,
}

impl Reading {
    pub(super) fn open(folder: &Path, generation: u64) -> Result<Self> {
        let path = path(folder);
        let open = || {
            let connection = connect(&path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
            // One search among millions of words that begin alike is ended, and not the process.
            connection.execute_batch(&format!("PRAGMA hard_heap_limit = {INDEX_SEARCH};"))?;
            Ok(connection)
        };
        match open() {
            Ok(connection) => Ok(Self { path, connection, generation }),
            Err(source) => Err(IndexError::Sqlite { path, source }),
        }
    }

    /// The names of all fields that documents have.
    pub fn fields(&self) -> Result<BTreeSet<String>> {
        self.run(|inner| {
            let mut read = inner.prepare_cached("SELECT name FROM fields")?;
            let names = read.query_map([], |row| row.get(0))?;
            names.collect()
        })
    }

    /// What of a document could not be read to be searched: the part, and why.
    pub fn unread(&self, number: Number) -> Result<Vec<(usize, Unread)>> {
        self.run(|inner| {
            let text =
                "SELECT part, code FROM unread WHERE id = (SELECT id FROM documents WHERE number = ?1) ORDER BY part";
            let mut read = inner.prepare_cached(text)?;
            let rows = read.query_map([signed(number)], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, u8>(1)?)))?;
            let mut all = Vec::new();
            for row in rows {
                let (part, code) = row?;
                all.extend(usize::try_from(part).ok().zip(Unread::from_code(code)));
            }
            Ok(all)
        })
    }

    /// The row of a document.
    pub fn id(&self, number: Number) -> Result<Option<i64>> {
        self.run(|inner| {
            let mut read = inner.prepare_cached("SELECT id FROM documents WHERE number = ?1")?;
            read.query_row([signed(number)], |row| row.get(0)).optional()
        })
    }

    /// Whether a document is among those that fit.
    pub fn fits(&self, expression: &str, id: i64) -> Result<bool> {
        self.run(|inner| {
            let mut read = inner.prepare_cached("SELECT 1 FROM words WHERE words MATCH ?1 AND rowid = ?2")?;
            read.exists(params![expression, id])
        })
    }

    /// Calls `each` with the documents that fit, newest first (`down`) or oldest first, until it says stop (`false`): those behind
    /// row `from`, from time `since` on and before time `before`, and some of the day after that.
    pub fn hits<E: From<IndexError>>(
        &self,
        expression: &str,
        Within { down, from, since, before }: Within,
        mut each: impl FnMut(Hit) -> std::result::Result<bool, E>,
    ) -> std::result::Result<(), E> {
        // A row may stand behind its time, where others took that second, and never before it.
        let (mut low, mut high) =
            (since.unwrap_or(i64::MIN), before.map_or(i64::MAX, |before| before.saturating_add(DISPLACED)));
        if let Some(from) = from {
            if down {
                high = high.min(from.saturating_sub(1));
            } else {
                low = low.max(from.saturating_add(1));
            }
        }
        let order = if down { "DESC" } else { "ASC" };
        let text = format!(
            "SELECT words.rowid, (SELECT number FROM documents WHERE id = words.rowid) FROM words
            WHERE words MATCH ?1 AND words.rowid BETWEEN ?2 AND ?3 ORDER BY words.rowid {order}"
        );
        let wrong = |source| E::from(self.wrong(source));
        let mut read = self.connection.prepare_cached(&text).map_err(wrong)?;
        let mut rows = read.query(params![expression, low, high]).map_err(wrong)?;
        while let Some(hit) = next(&mut rows).map_err(wrong)? {
            if !each(hit)? {
                break;
            }
        }
        Ok(())
    }

    /// Calls `each` with the newest [`RANKED`] documents that fit, those that fit best first (BM25), until it says stop. Says whether
    /// there are more than these.
    pub fn ranked<E: From<IndexError>>(
        &self,
        expression: &str,
        mut each: impl FnMut(Hit) -> std::result::Result<bool, E>,
    ) -> std::result::Result<bool, E> {
        let wrong = |source| E::from(self.wrong(source));
        let last = "SELECT rowid FROM words WHERE words MATCH ?1 ORDER BY rowid DESC LIMIT 1 OFFSET ?2";
        let low: Option<i64> = self
            .connection
            .prepare_cached(last)
            .and_then(|mut read| read.query_row(params![expression, RANKED], |row| row.get(0)).optional())
            .map_err(wrong)?;
        // A word of a subject or a name counts for more than one among many of a text.
        let text = "SELECT rowid, (SELECT number FROM documents WHERE id = words.rowid) FROM words
            WHERE words MATCH ?1 AND rowid > ?2 ORDER BY bm25(words, 0, 4, 2, 2, 6, 3, 1, 2), rowid DESC";
        let mut read = self.connection.prepare_cached(text).map_err(wrong)?;
        let mut rows = read.query(params![expression, low.unwrap_or(i64::MIN)]).map_err(wrong)?;
        while let Some(hit) = next(&mut rows).map_err(wrong)? {
            if !each(hit)? {
                break;
            }
        }
        Ok(low.is_some())
    }

    fn run<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        work(&self.connection).map_err(|source| self.wrong(source))
    }

    fn wrong(&self, source: rusqlite::Error) -> IndexError {
        if source.sqlite_error_code() == Some(rusqlite::ErrorCode::OutOfMemory) {
            return IndexError::TooMany;
        }
        IndexError::Sqlite { path: self.path.clone(), source }
    }
}

/// Which of the documents that fit.
#[derive(Clone, Copy, Debug, Default)]
pub struct Within {
    /// Newest first.
    pub down: bool,
    /// Behind this row.
    pub from: Option<i64>,
    /// Unix seconds.
    pub since: Option<i64>,
    pub before: Option<i64>,
}

/// The next row whose document is there.
fn next(rows: &mut Rows<'_>) -> rusqlite::Result<Option<Hit>> {
    while let Some(row) = rows.next()? {
        if let Some(number) = row.get::<_, Option<i64>>(1)? {
            return Ok(Some(Hit { id: row.get(0)?, number: unsigned(number) }));
        }
    }
    Ok(None)
}
