//! The file of the index, and one document put into it or taken out.

use std::cell::Cell;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, OptionalExtension, params};

use super::{IndexError, Result};
use crate::archive::commit::Number;
use crate::archive::history::Mark;
use crate::archive::record::ArchiveId;
use crate::extract::Unread;
use crate::hash::Sha256;
use crate::limits::{INDEX_CACHE, INDEX_PENDING, INDEX_PURGE, INDEX_SEARCH, INDEX_TABLES};
use crate::search::text::Columns;
use crate::search::words;

/// Of the tables below; an index of another one is made anew. See also [`words::VERSION`].
const LAYOUT: u32 = 2;

/// Times are held within some 34,000 years, so that there is a free second behind each.
const TIMES: i64 = 1 << 40;

const TABLES: &str = "
CREATE TABLE state (one INTEGER PRIMARY KEY CHECK (one = 1), version INTEGER NOT NULL, archive BLOB NOT NULL,
    sequence INTEGER NOT NULL, link BLOB NOT NULL, pack INTEGER NOT NULL, end INTEGER NOT NULL, displaced INTEGER NOT NULL,
    scrub INTEGER NOT NULL);
CREATE TABLE documents (id INTEGER PRIMARY KEY, number INTEGER NOT NULL UNIQUE, mark INTEGER NOT NULL);
CREATE TABLE taken (id INTEGER PRIMARY KEY, next INTEGER NOT NULL);
CREATE TABLE unread (id INTEGER NOT NULL, part INTEGER NOT NULL, code INTEGER NOT NULL, PRIMARY KEY (id, part)) WITHOUT ROWID;
CREATE TABLE fields (name TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE periods (period INTEGER PRIMARY KEY, purge INTEGER NOT NULL, merging INTEGER NOT NULL);
";

/// The words of one [`period`]. Most of them stand in the first column, which needs no mark.
fn table(period: i64) -> String {
    format!(
        "CREATE VIRTUAL TABLE words_{period} USING fts5 (body, place, sender, recipient, cc, subject, file, field,
            content = '', contentless_delete = 1, tokenize = 'ascii');
        INSERT INTO words_{period} (words_{period}, rank) VALUES ('hashsize', {INDEX_PENDING});
        INSERT INTO words_{period} (words_{period}, rank) VALUES ('pgsz', {LEAF});"
    )
}

/// Bytes of a leaf of FTS5: one fits into a page, so that none goes on in a page of its own, whose end keeps what stood there before.
const LEAF: i64 = 3900;

/// Seconds of half a year.
const PERIOD: i64 = 15_778_800;
/// Those of 1990 and of 2050, which hold all that is older and younger: a date is what a mail says it is, and each table costs memory.
const FIRST: i64 = 40;
const LAST: i64 = 160;

/// The half of a year in which a row stands, counted from 1970. Each has a table of its own: a search goes from one to the next and
/// stops when its page is full, whatever it looks for, and what takes the memory of all documents takes that of half a year's.
pub(super) fn period(id: i64) -> i64 {
    id.div_euclid(PERIOD).clamp(FIRST, LAST)
}

/// The rows of a period.
pub(super) fn rows(period: i64) -> (i64, i64) {
    let low = if period == FIRST { i64::MIN } else { period * PERIOD };
    let high = if period == LAST { i64::MAX } else { period * PERIOD + PERIOD - 1 };
    (low, high)
}

/// The index opened for writing; there is one of it.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    connection: Connection,
    /// The period that was written last.
    open: Cell<i64>,
    /// How many were written since the connection was opened.
    entered: Cell<usize>,
}

/// Why an index that is there is of no use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Useless(pub String);

pub(super) fn path(folder: &Path) -> PathBuf {
    folder.join("index.db")
}

impl Store {
    fn of(path: PathBuf, connection: Connection) -> Self {
        Self { path, connection, open: Cell::new(0), entered: Cell::new(0) }
    }

    /// Opens the index of this archive; the inner error says why there is none that can be used.
    pub fn open(folder: &Path, archive: ArchiveId) -> Result<std::result::Result<Self, Useless>> {
        let path = path(folder);
        if !path.exists() {
            return Ok(Err(Useless("there is none".into())));
        }
        let opened = connect(&path, OpenFlags::SQLITE_OPEN_READ_WRITE, INDEX_CACHE).and_then(|connection| {
            let read = "SELECT version, archive FROM state WHERE one = 1";
            let state = connection.query_row(read, [], |row| Ok((row.get::<_, u32>(0)?, row.get::<_, Vec<u8>>(1)?)))?;
            Ok((connection, state))
        });
        Ok(match opened {
            Ok((_, (version, _))) if version != self::version() => {
                Err(Useless("it was made by another release".into()))
            }
            Ok((_, (_, of))) if of != archive => Err(Useless("it is that of another archive".into())),
            Ok((connection, _)) => Ok(Self::of(path, connection)),
            Err(error) if is_damage(&error) => Err(Useless(error.to_string())),
            // Whatever it is, it says nothing of the file.
            Err(source) => return Err(IndexError::Sqlite { path, source }),
        })
    }

    /// How far the log is in it.
    pub fn through(&self) -> Result<Mark> {
        self.run(|inner| {
            let mut read = inner.prepare_cached("SELECT sequence, link, pack, end FROM state WHERE one = 1")?;
            read.query_row([], |row| {
                let (sequence, link) = (unsigned(row.get(0)?), Sha256(row.get(1)?));
                Ok(Mark { sequence, link, pack: row.get(2)?, end: unsigned(row.get(3)?) })
            })
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
            let mut connection = connect(&path, flags, INDEX_CACHE)?;
            let begun = connection.transaction()?;
            begun.execute_batch(TABLES)?;
            let none = Sha256::default().0;
            begun.execute(
                "INSERT INTO state VALUES (1, ?1, ?2, 0, ?3, 0, 0, 0, 0)",
                params![version(), archive, none],
            )?;
            begun.commit()?;
            Ok(connection)
        };
        match create() {
            Ok(connection) => Ok(Self::of(path, connection)),
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
        self.open.set(0);
        // What cannot be rolled back is when it is opened next.
        let _ = self.connection.execute_batch("ROLLBACK");
    }

    /// Whether a document is in it in just this state.
    pub fn has(&self, number: Number, mark: u64) -> Result<bool> {
        self.run(|inner| Ok(known(inner, number)?.is_some_and(|(_, there)| there == mark)))
    }

    /// Whether enough tables were written for [`Self::rest`].
    pub fn is_tired(&self) -> bool {
        self.entered.get() > INDEX_TABLES
    }

    /// Gives back, between two transactions, what FTS5 keeps of each table that was written: by far the most of it is as large as the
    /// document with the most words.
    pub fn rest(&mut self) -> Result<()> {
        let path = self.path.clone();
        match connect(&path, OpenFlags::SQLITE_OPEN_READ_WRITE, INDEX_CACHE) {
            Ok(connection) => *self = Self::of(path, connection),
            Err(source) => return Err(IndexError::Sqlite { path, source }),
        }
        Ok(())
    }

    /// Puts a document in, in place of what was known of it. `mark` tells one state of it from another.
    pub fn put(&self, number: Number, time: i64, mark: u64, columns: &Columns) -> Result<()> {
        self.run(|inner| {
            let known = known(inner, number)?;
            let id = if let Some((id, _)) = known {
                forget(inner, id)?;
                inner
                    .prepare_cached("UPDATE documents SET mark = ?2 WHERE id = ?1")?
                    .execute(params![id, signed(mark)])?;
                id
            } else {
                let time = time.clamp(-TIMES, TIMES);
                let id = free(inner, time)?;
                // A statement that may change several rows begins a savepoint, at which FTS5 writes what it collects: a part for each
                // document, and merging without end.
                let displaced = "UPDATE state SET displaced = ?1 WHERE one = 1 AND displaced < ?1";
                inner.prepare_cached(displaced)?.execute([id - time])?;
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
            let period = self.enter(id)?;
            let insert = format!(
                "INSERT INTO words_{period} (rowid, place, sender, recipient, cc, subject, file, body, field)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
            );
            let Columns { place, sender, recipient, cc, subject, file, body, field, .. } = columns;
            let values = params![id, place, sender, recipient, cc, subject, file, body, field];
            inner.prepare_cached(&insert)?.execute(values).map(|_| ())
        })
    }

    /// Takes a document out.
    pub fn remove(&self, number: Number) -> Result<()> {
        self.run(|inner| {
            let mut remove = inner.prepare_cached("DELETE FROM documents WHERE number = ?1 RETURNING id")?;
            let id: Option<i64> = remove.query_row([signed(number)], |row| row.get(0)).optional()?;
            if let Some(id) = id {
                forget(inner, id)?;
                // A round that is under way may have passed its words already.
                let owed = "UPDATE periods SET purge = 2 + merging WHERE period = ?1";
                inner.prepare_cached(owed)?.execute([period(id)])?;
            }
            Ok(())
        })
    }

    /// Documents of which something could not be read for want of a process, at most so many; each is taken for another one when it
    /// is put in next.
    pub fn untried(&self, most: usize) -> Result<Vec<Number>> {
        self.run(|inner| {
            let text = "UPDATE documents SET mark = -1 WHERE id IN (SELECT id FROM unread WHERE code = ?1 LIMIT ?2) RETURNING number";
            let mut read = inner.prepare_cached(text)?;
            let most = i64::try_from(most).unwrap_or(i64::MAX);
            let numbers = read.query_map(params![Unread::NotTried.code(), most], |row| row.get(0).map(unsigned))?;
            numbers.collect()
        })
    }

    /// Makes the table of a row's period where there is none, and gives what waits for another one to the file: only one period
    /// has words in memory.
    fn enter(&self, id: i64) -> rusqlite::Result<i64> {
        let (inner, period) = (&self.connection, period(id));
        let last = self.open.replace(period);
        if last != period {
            self.entered.set(self.entered.get() + 1);
            if last != 0 {
                let flush = format!("INSERT INTO words_{last} (words_{last}) VALUES ('flush')");
                inner.prepare_cached(&flush)?.execute([])?;
            }
            let insert = "INSERT OR IGNORE INTO periods (period, purge, merging) VALUES (?1, 0, 0)";
            if inner.prepare_cached(insert)?.execute([period])? > 0 {
                inner.execute_batch(&table(period))?;
            }
        }
        Ok(period)
    }

    /// One step of taking the words of documents that ended out of the file: FTS5 marks a document as gone, and its words lie
    /// there until the parts of its table are merged; then in pages that are free, until these are written over; and in the log beside
    /// the file, until it is cut. Says whether there is more to do.
    pub fn purge(&self) -> Result<bool> {
        self.run(|inner| {
            let owed = "SELECT period, purge, merging FROM periods WHERE purge > 0 LIMIT 1";
            let owed = inner
                .query_row(owed, [], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, bool>(2)?)))
                .optional()?;
            if let Some((period, rounds, is_merging)) = owed {
                merge(inner, period, rounds, is_merging)?;
                return Ok(true);
            }
            let state: i64 = inner.query_row("SELECT scrub FROM state", [], |row| row.get(0))?;
            if state != SCRUBBED {
                scrub(inner, state)?;
                return Ok(true);
            }
            Ok(false)
        })
    }

    fn run<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        work(&self.connection).map_err(|source| IndexError::Sqlite { path: self.path.clone(), source })
    }
}

/// Merges so many pages of a period.
fn merge(inner: &Connection, period: i64, rounds: i64, is_merging: bool) -> rusqlite::Result<()> {
    let begun = inner.unchecked_transaction()?;
    let before = inner.total_changes();
    // The first step makes all parts one task, the others go on with it. Where a merge was under way the first round ends that
    // one, and the second takes what it had passed.
    let pages = if is_merging { INDEX_PURGE } else { -INDEX_PURGE };
    inner.execute(&format!("INSERT INTO words_{period} (words_{period}, rank) VALUES ('merge', ?1)"), [pages])?;
    // The command itself counts as one change.
    let is_done = inner.total_changes() - before < 2;
    let left = match (is_done, is_merging) {
        (false, _) => rounds,
        (true, true) => rounds - 1,
        (true, false) => 0,
    };
    let state = "UPDATE periods SET purge = ?2, merging = ?3 WHERE period = ?1";
    inner.execute(state, params![period, left, !is_done])?;
    inner.execute("UPDATE state SET scrub = ?1", [TAKING])?;
    begun.commit()
}

/// How far a file is scrubbed: all of it is, or a table takes what is free, or it gives it back, or the log is to be cut.
const SCRUBBED: i64 = 0;
const TAKING: i64 = 1;
const GIVING: i64 = 2;
const CUTTING: i64 = 3;

/// One step of writing over all pages that are free, and of cutting the log beside the file. To do so whenever a page becomes free would
/// double what is written; so a table takes them, and each is overwritten when that gives it back.
fn scrub(inner: &Connection, state: i64) -> rusqlite::Result<()> {
    if state == CUTTING {
        let is_read = inner.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, bool>(0))?;
        if !is_read {
            inner.execute("UPDATE state SET scrub = ?1", [SCRUBBED])?;
        }
        return Ok(());
    }
    let begun = inner.unchecked_transaction()?;
    inner.execute_batch("CREATE TABLE IF NOT EXISTS scrub (pages BLOB NOT NULL);")?;
    let is_over = if state == TAKING { take_free(inner)? } else { give_back(inner)? };
    if is_over {
        if state == GIVING {
            inner.execute_batch("DROP TABLE scrub")?;
        }
        inner.execute("UPDATE state SET scrub = ?1", [state + 1])?;
    }
    begun.commit()
}

/// Rows of one step, each of [`INDEX_PURGE`] pages.
const ROWS: i64 = 10;

/// Says whether nothing is free any more.
fn take_free(inner: &Connection) -> rusqlite::Result<bool> {
    let page: i64 = inner.query_row("PRAGMA page_size", [], |row| row.get(0))?;
    for _ in 0..ROWS {
        let free: i64 = inner.query_row("PRAGMA freelist_count", [], |row| row.get(0))?;
        if free == 0 {
            return Ok(true);
        }
        // A row may take one page more than its bytes fill.
        let pages = (free - 1).clamp(1, INDEX_PURGE);
        inner.execute("INSERT INTO scrub VALUES (zeroblob(?1))", [pages * page])?;
    }
    Ok(false)
}

/// Says whether nothing is left.
fn give_back(inner: &Connection) -> rusqlite::Result<bool> {
    inner.execute_batch("PRAGMA secure_delete = ON")?;
    let given = inner.execute("DELETE FROM scrub WHERE rowid IN (SELECT rowid FROM scrub LIMIT ?1)", [ROWS])?;
    inner.execute_batch("PRAGMA secure_delete = FAST")?;
    Ok(given == 0)
}

/// The row of a document, and in which state it is there.
fn known(inner: &Connection, number: Number) -> rusqlite::Result<Option<(i64, u64)>> {
    let mut read = inner.prepare_cached("SELECT id, mark FROM documents WHERE number = ?1")?;
    read.query_row([signed(number)], |row| Ok((row.get(0)?, unsigned(row.get(1)?)))).optional()
}

/// Takes out what is known of a row.
fn forget(inner: &Connection, id: i64) -> rusqlite::Result<()> {
    inner.prepare_cached(&format!("DELETE FROM words_{} WHERE rowid = ?1", period(id)))?.execute([id])?;
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

/// Whether an error says that the file is of no use: it is made anew then, and not mended.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::Error::{
        FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType, QueryReturnedNoRows, SqlInputError,
    };
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    use rusqlite::ffi::{SQLITE_ERROR, SQLITE_IOERR_READ, SQLITE_IOERR_SHORT_READ};
    let failure = match error {
        SqlInputError { error, .. } => Some(error),
        error => error.sqlite_error(),
    };
    match error {
        // Rows that cannot be as they are.
        QueryReturnedNoRows | InvalidColumnType(..) | FromSqlConversionFailure(..) | IntegralValueOutOfRange(..) => {
            true
        }
        _ => failure.is_some_and(|failure| {
            matches!(failure.code, DatabaseCorrupt | NotADatabase)
                // Sectors that cannot be read any more.
                || [SQLITE_IOERR_READ, SQLITE_IOERR_SHORT_READ].contains(&failure.extended_code)
                // A table that is gone, a format of another program; a question that FTS5 does not understand is no fault of the file.
                || failure.extended_code == SQLITE_ERROR && !error.to_string().contains("fts5")
        }),
    }
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
pub(super) fn connect(path: &Path, flags: OpenFlags, cache: usize) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(std::time::Duration::from_secs(10))?;
    // For all connections of this process: one search among millions of words that begin alike is ended, and not the process.
    connection.execute_batch(&format!("PRAGMA hard_heap_limit = {INDEX_SEARCH};"))?;
    // Losing the last transactions to a power cut costs reading them again. What is deleted within a page is overwritten; see `scrub`.
    connection.execute_batch(&format!(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA secure_delete = FAST; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -{}; PRAGMA mmap_size = 0;",
        cache / 1024
    ))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

/// Statements that a connection keeps: some for each table of ten years.
const STATEMENTS: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(body: String) -> Columns {
        Columns { place: "d".into(), body, ..Columns::default() }
    }

    fn put(store: &Store, number: Number, body: &str) {
        store.put(number, i64::try_from(number).unwrap(), 1, &columns(body.into())).unwrap();
    }

    fn transact(store: &Store, work: impl Fn()) {
        store.begin().unwrap();
        work();
        store.commit(&Mark::default()).unwrap();
    }

    fn lies_in(folder: &Path, word: &str) -> bool {
        let files = fs::read_dir(folder).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap());
        files.into_iter().any(|file| memchr::memmem::find(&file, word.as_bytes()).is_some())
    }

    #[test]
    fn what_ends_while_the_file_is_purged_is_purged_too() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("search");
        let store = Store::create(&folder, ArchiveId::default()).unwrap();
        // Enough for many steps; the words that end stand first in the order in which parts are merged, and last.
        let text = |number: u64| (0..100).map(|at| format!("m{number}x{at}")).collect::<Vec<_>>().join(" ");
        for part in 0..10 {
            transact(&store, || (0..200).for_each(|at| put(&store, 1 + part * 200 + at, &text(part * 200 + at))));
        }
        transact(&store, || {
            put(&store, 5001, "aaaerstes");
            put(&store, 5002, "aaazweites");
            put(&store, 5003, "zzzdrittes");
        });
        // Of a word there stands what it has not in common with the one before it.
        let ends = ["rstes", "weites", "ittes"];
        transact(&store, || store.remove(5001).unwrap());
        assert!(ends.iter().all(|end| lies_in(&folder, end)));
        let mut steps = 0;
        while store.purge().unwrap() {
            steps += 1;
            match steps {
                2 => transact(&store, || store.remove(5002).unwrap()),
                4 => transact(&store, || put(&store, 6000, "kehrwoche")),
                5 => transact(&store, || store.remove(5003).unwrap()),
                _ => {}
            }
        }
        assert!(steps > 10, "{steps}");
        for end in ends {
            assert!(!lies_in(&folder, end), "{end}");
        }
        assert!(lies_in(&folder, "woche"));
        assert!(!store.purge().unwrap());
        transact(&store, || store.remove(6000).unwrap());
        while store.purge().unwrap() {}
        assert!(!lies_in(&folder, "woche"), "in an index of one part");
    }

    #[test]
    fn documents_of_one_transaction_are_one_part_of_a_period() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(&folder.path().join("search"), ArchiveId::default()).unwrap();
        let second = |at: u64| i64::try_from(at / 2).unwrap() * (PERIOD / 100);
        transact(&store, || {
            for number in 0..20_000 {
                let columns = Columns { names: ["Kunde".into()].into(), ..columns(format!("x{number}")) };
                store.put(number, second(number) + 50 * PERIOD, 1, &columns).unwrap();
            }
        });
        let read = |text: &str| store.connection.query_row(text, [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(read("SELECT count(*) FROM periods"), 100);
        for period in 50..150 {
            assert_eq!(read(&format!("SELECT count(DISTINCT segid) FROM words_{period}_idx")), 1, "{period}");
        }
    }

    #[test]
    fn many_of_one_second_stand_behind_it_and_say_how_far() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(&folder.path().join("search"), ArchiveId::default()).unwrap();
        for number in 1..=1000 {
            store.put(number, 77, 1, &columns("x".into())).unwrap();
        }
        let read = |text: &str| store.connection.query_row(text, [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(read("SELECT displaced FROM state"), 999);
        assert_eq!(read("SELECT max(id) - min(id) FROM documents"), 999);
    }

    #[test]
    fn what_could_not_be_tried_is_asked_for_once_more() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(&folder.path().join("search"), ArchiveId::default()).unwrap();
        let put = |unread: Vec<(usize, Unread)>| {
            store.put(7, 77, 1, &Columns { unread, ..columns("x".into()) }).unwrap();
        };
        put(vec![(2, Unread::NotTried)]);
        assert!(store.has(7, 1).unwrap());
        assert_eq!(store.untried(10).unwrap(), [7]);
        assert!(!store.has(7, 1).unwrap());
        put(vec![]);
        assert!(store.has(7, 1).unwrap());
        assert_eq!(store.untried(10).unwrap(), [0; 0]);
    }
}
