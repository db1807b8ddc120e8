//! Reading the index: what fits an expression of FTS5, newest first or oldest first, or best first.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use rusqlite::{Connection, OpenFlags, OptionalExtension, Rows, params};

use super::store::{connect, path, period, rows, signed, unsigned};
use super::{IndexError, Result};
use crate::archive::commit::Number;
use crate::extract::Unread;
use crate::limits::{INDEX_READ_CACHE, RANKED, RANKED_PHRASES};
use crate::pulse;
use crate::search::text;

/// The index opened for reading.
#[derive(Debug)]
pub struct Reading {
    path: PathBuf,
    connection: Connection,
    until: Until,
    windows: RefCell<HashMap<String, Window>>,
    pub(super) generation: u64,
}

/// When a search is to end.
#[derive(Clone, Debug, Default)]
struct Until(Arc<Mutex<Option<Instant>>>);

impl Until {
    fn is_over(&self) -> bool {
        let until = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pulse::go_on_own().is_err() || until.is_some_and(|until| Instant::now() >= until)
    }
}

/// A phrase that counts for the order of what fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rank {
    /// As FTS5 writes it.
    pub phrase: String,
    /// All that fits has it in columns that are searched for it anywhere, so that this need not be asked.
    pub is_in_all: bool,
}

/// What a phrase counts in which columns, the heaviest first. Each line is a walk through all places of the phrase.
const WEIGHTS: [(&str, f64); 3] = [("subject", 6.0), ("{sender recipient cc file}", 3.0), (text::ANYWHERE, 1.0)];

/// Steps of `SQLite` between two looks at the time.
const STEPS: i32 = 10_000;
/// Rows that are asked for at a time where single ones are wanted.
const WINDOW: usize = 2000;

/// Which rows between two fit an expression.
#[derive(Debug)]
struct Window {
    low: i64,
    high: i64,
    fit: HashSet<i64>,
}

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
        let until = Until::default();
        let deadline = until.clone();
        let is_over = move || deadline.is_over();
        let open = || {
            let mut connection = connect(&path, OpenFlags::SQLITE_OPEN_READ_WRITE, INDEX_READ_CACHE)?;
            connection.progress_handler(STEPS, Some(is_over))?;
            Ok(connection)
        };
        match open() {
            Ok(connection) => Ok(Self { path, connection, until, windows: RefCell::default(), generation }),
            Err(source) => Err(IndexError::Sqlite { path, source }),
        }
    }

    /// When a search is ended with [`IndexError::TooLong`]; `None`: never.
    pub fn until(&self, until: Option<Instant>) {
        *self.until.0.lock().unwrap_or_else(PoisonError::into_inner) = until;
    }

    /// `SQLite` looks at the time within one statement, and each table is one.
    fn go_on(&self) -> Result<()> {
        if self.until.is_over() { Err(IndexError::TooLong) } else { Ok(()) }
    }

    /// Forgets what it knew for one search.
    pub(super) fn rest(&self) {
        self.windows.borrow_mut().clear();
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

    /// Whether a row is among those that fit. Whoever goes along the rows asks for many: a beginning of words takes as long for one
    /// as for all.
    pub fn fits(&self, expression: &str, id: i64) -> Result<bool> {
        let mut windows = self.windows.borrow_mut();
        if let Some(window) = windows.get(expression)
            && (window.low..=window.high).contains(&id)
        {
            return Ok(window.fit.contains(&id));
        }
        let down = windows.get(expression).is_none_or(|window| id < window.low);
        let (first, last) = rows(period(id));
        let (low, high) = if down { (first, id) } else { (id, last) };
        let found = self.rows(period(id), expression, Span { low, high, down, most: WINDOW })?;
        let end = found.last().copied().filter(|_| found.len() == WINDOW);
        let (low, high) = if down { (end.unwrap_or(first), id) } else { (id, end.unwrap_or(last)) };
        let fit: HashSet<i64> = found.into_iter().collect();
        let is_fit = fit.contains(&id);
        windows.insert(expression.to_owned(), Window { low, high, fit });
        Ok(is_fit)
    }

    /// Calls `each` with the documents that fit, newest first (`down`) or oldest first, until it says stop (`false`): those behind
    /// row `from`, from time `since` on and before time `before`, and some behind that.
    pub fn hits<E: From<IndexError>>(
        &self,
        expression: &str,
        Within { down, from, since, before }: Within,
        mut each: impl FnMut(Hit) -> std::result::Result<bool, E>,
    ) -> std::result::Result<(), E> {
        // A row may stand behind its time, where others took that second, and never before it.
        let displaced: i64 = self.run(|inner| inner.query_row("SELECT displaced FROM state", [], |row| row.get(0)))?;
        let (mut low, mut high) =
            (since.unwrap_or(i64::MIN), before.map_or(i64::MAX, |before| before.saturating_add(displaced)));
        if let Some(from) = from {
            if down {
                high = high.min(from.saturating_sub(1));
            } else {
                low = low.max(from.saturating_add(1));
            }
        }
        let order = if down { "DESC" } else { "ASC" };
        for period in self.periods(low, high, down)? {
            self.go_on()?;
            let text = format!(
                "SELECT rowid, (SELECT number FROM documents WHERE id = words_{period}.rowid) FROM words_{period}
                WHERE words_{period} MATCH ?1 AND rowid BETWEEN ?2 AND ?3 ORDER BY rowid {order}"
            );
            let wrong = |source| E::from(self.wrong(source));
            let mut read = self.connection.prepare_cached(&text).map_err(wrong)?;
            let mut rows = read.query(params![expression, low, high]).map_err(wrong)?;
            while let Some(hit) = next(&mut rows).map_err(wrong)? {
                if !each(hit)? {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Calls `each` with the newest [`RANKED`] documents that fit, those that fit best first, until it says stop. Says whether there are
    /// more than these. The rarer a phrase is among them, and the more the column says of a document in which it stands, the more it counts;
    /// of those that count alike, the newest is first. Nothing but what fits is counted, so that an order tells nothing of other documents.
    pub fn ranked<E: From<IndexError>>(
        &self,
        expression: &str,
        ranks: &[Rank],
        mut each: impl FnMut(Hit) -> std::result::Result<bool, E>,
    ) -> std::result::Result<bool, E> {
        let most = RANKED + 1;
        let mut all = self.newest(expression, i64::MIN, most).map_err(E::from)?;
        let is_more = all.len() == most;
        all.truncate(RANKED);
        let low = all.last().copied().unwrap_or_default();
        let mut scores: HashMap<i64, f64> = all.iter().map(|id| (*id, 0.0)).collect();
        let count = |of: usize| f64::from(u32::try_from(of).unwrap_or(u32::MAX));
        let among = count(all.len());
        for Rank { phrase, is_in_all } in ranks.iter().take(RANKED_PHRASES) {
            let mut weights: HashMap<i64, f64> = HashMap::new();
            for (columns, weight) in WEIGHTS {
                let found = if *is_in_all && columns == text::ANYWHERE {
                    all.clone()
                } else {
                    let columns = format!("({expression}) AND ({columns} : {phrase})");
                    self.newest(&columns, low, most).map_err(E::from)?
                };
                for id in found {
                    weights.entry(id).or_insert(weight);
                }
            }
            let rareness = (1.0 + among / count(weights.len().max(1))).ln();
            for (id, weight) in weights {
                scores.entry(id).and_modify(|score| *score += weight * rareness);
            }
        }
        let score = |id: &i64| scores.get(id).copied().unwrap_or_default();
        // A stable order: the newest stay first.
        all.sort_by(|one, other| score(other).total_cmp(&score(one)));
        for id in all {
            if let Some(number) = self.number(id).map_err(E::from)?
                && !each(Hit { id, number })?
            {
                break;
            }
        }
        Ok(is_more)
    }

    /// Rows that fit, the newest first, down to `low`.
    fn newest(&self, expression: &str, low: i64, most: usize) -> Result<Vec<i64>> {
        let mut found = Vec::new();
        for period in self.periods(low, i64::MAX, true)? {
            self.go_on()?;
            let span = Span { low, high: i64::MAX, down: true, most: most - found.len() };
            found.extend(self.rows(period, expression, span)?);
            if found.len() == most {
                break;
            }
        }
        Ok(found)
    }

    /// Those of one period.
    fn rows(&self, period: i64, expression: &str, Span { low, high, down, most }: Span) -> Result<Vec<i64>> {
        let order = if down { "DESC" } else { "ASC" };
        let text = format!(
            "SELECT rowid FROM words_{period} WHERE words_{period} MATCH ?1 AND rowid BETWEEN ?2 AND ?3
            ORDER BY rowid {order} LIMIT ?4"
        );
        self.run(|inner| {
            let mut read = inner.prepare_cached(&text)?;
            let most = i64::try_from(most).unwrap_or(i64::MAX);
            let rows = read.query_map(params![expression, low, high, most], |row| row.get(0))?;
            rows.collect()
        })
    }

    /// The periods that have such rows, in their order.
    fn periods(&self, low: i64, high: i64, down: bool) -> Result<Vec<i64>> {
        let order = if down { "DESC" } else { "ASC" };
        let text = format!("SELECT period FROM periods WHERE period BETWEEN ?1 AND ?2 ORDER BY period {order}");
        self.run(|inner| {
            let mut read = inner.prepare_cached(&text)?;
            let periods = read.query_map([period(low), period(high)], |row| row.get(0))?;
            periods.collect()
        })
    }

    fn number(&self, id: i64) -> Result<Option<Number>> {
        self.run(|inner| {
            let mut read = inner.prepare_cached("SELECT number FROM documents WHERE id = ?1")?;
            read.query_row([id], |row| row.get(0)).optional().map(|number| number.map(unsigned))
        })
    }

    fn run<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        work(&self.connection).map_err(|source| self.wrong(source))
    }

    fn wrong(&self, source: rusqlite::Error) -> IndexError {
        match source.sqlite_error_code() {
            Some(rusqlite::ErrorCode::OutOfMemory) => IndexError::TooMany,
            Some(rusqlite::ErrorCode::OperationInterrupted) => IndexError::TooLong,
            _ => IndexError::Sqlite { path: self.path.clone(), source },
        }
    }
}

/// Rows from one to another, at most so many, the highest first (`down`) or the lowest.
struct Span {
    low: i64,
    high: i64,
    down: bool,
    most: usize,
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
