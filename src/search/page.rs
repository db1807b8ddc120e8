//! One page of the documents that fit, in an order.
//!
//! By date and by number the catalog is walked from a cursor, so that pages stand still while new mail arrives; a query with words walks what
//! the index finds, by date. By title, sender and size there is no such walk: the newest documents up to a bound are looked at, and
//! the best of them kept. By relevance, the index says it of the newest that fit.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;
use std::time::{Duration, Instant};

use super::index::{Index, IndexError, Reading, Result, Within};
use super::places::Places;
use super::query::{Asker, Put, Query};
use crate::archive::commit::Number;
use crate::archive::rows::Document;
use crate::archive::view::{Reader, Reads, View};
use crate::limits::{INDEX_NEAR, INDEX_WAIT, SEARCH_LOOKED, SEARCH_STEP, SEARCH_STEP_RANKED, SORT_CHARS, SORT_LOOKED};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    #[default]
    Date,
    Number,
    Title,
    From,
    Size,
    /// What fits best first. Without words in the query there is no such order, and it is that of dates.
    Relevance,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    pub sort: Sort,
    /// Newest, highest, last in the alphabet first.
    pub descending: bool,
}

impl Default for Order {
    /// Newest first.
    fn default() -> Self {
        Self { sort: Sort::Date, descending: true }
    }
}

/// Where a page begins: behind this document. Written `TIME.NUMBER`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// [`Document::time`]
    pub time: i64,
    pub number: Number,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.time, self.number)
    }
}

impl FromStr for Cursor {
    type Err = ();

    fn from_str(text: &str) -> std::result::Result<Self, ()> {
        let (time, number) = text.split_once('.').ok_or(())?;
        Ok(Self { time: time.parse().map_err(|_| ())?, number: number.parse().map_err(|_| ())? })
    }
}

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    pub query: &'a Query,
    pub order: Order,
    /// The page behind this document; `None`: the first one.
    pub at: Option<Cursor>,
    /// The page before it instead.
    pub back: bool,
    /// Documents of a page.
    pub most: usize,
}

/// A page.
#[derive(Debug)]
pub struct Found<T> {
    /// In order.
    pub rows: Vec<T>,
    /// Where the page before ends, and the one after begins.
    pub before: Option<Cursor>,
    pub after: Option<Cursor>,
    /// The bound was reached before the page was full: the same way goes on here.
    pub further: Option<Cursor>,
    /// Only so many of the newest documents were put in order.
    pub only_newest: bool,
    /// The index was asked and has not read all of the archive yet: documents may be missing.
    pub is_behind: bool,
}

/// Finds a page of what `reads` allows, and keeps of each document what `keep` makes of it.
///
/// The index walks through the words of all mailboxes, so that how long it takes tells how common a word is in those that somebody may not read:
/// who reads only some waits for the end of a [`SEARCH_STEP`], or of a [`SEARCH_STEP_RANKED`].
pub fn find<T>(
    index: &Index,
    view: &View,
    reads: &Reads,
    ask: Ask<'_>,
    keep: impl Fn(Number, &Document) -> T,
) -> Result<Found<T>> {
    if !ask.query.asks_index() {
        return find_with(None, view, reads, ask, keep);
    }
    let began = Instant::now();
    let found = reading(index, view).and_then(|(reading, is_behind)| {
        let found = find_with(reading.as_ref(), view, reads, ask, keep)?;
        if let Some(reading) = reading {
            index.done(reading);
        }
        Ok(Found { is_behind, ..found })
    });
    if *reads != Reads::All {
        let step = if ask.order.sort == Sort::Relevance { SEARCH_STEP_RANKED } else { SEARCH_STEP };
        std::thread::sleep(rest_of_step(step, began.elapsed()));
    }
    match found {
        // It is made anew while people search.
        Err(error) if error.is_damage() => {
            tracing::warn!(%error, "a search found no use in the index");
            index.found_broken();
            Ok(Found { is_behind: true, ..Found::default() })
        }
        found => found,
    }
}

/// How long it is to the next end of a step.
fn rest_of_step(step: Duration, elapsed: Duration) -> Duration {
    step.saturating_sub(Duration::from_nanos((elapsed.as_nanos() % step.as_nanos()).try_into().unwrap_or(0)))
}

fn find_with<T>(
    reading: Option<&Reading>,
    view: &View,
    reads: &Reads,
    ask: Ask<'_>,
    keep: impl Fn(Number, &Document) -> T,
) -> Result<Found<T>> {
    let places = Places::of(view, reads)?;
    let fields = reading.map(Reading::fields).transpose()?.unwrap_or_default();
    let put = ask.query.put(Asker { reads, places: &places, fields: &fields });
    let finding = Finding { view, documents: view.reader()?, reads, places: &places, put, reading, ask };
    match ask.order.sort {
        _ if finding.put.expression.is_some() && finding.reading.is_none() => Ok(Found::default()),
        Sort::Date => finding.walk(keep),
        Sort::Number | Sort::Relevance if finding.put.expression.is_none() => finding.walk(keep),
        Sort::Relevance => finding.ranked(keep),
        Sort::Title | Sort::From | Sort::Size | Sort::Number => finding.best(keep),
    }
}

/// The index, as far as it is; waits a moment for what was archived just now, and not for one that is far behind. Whether it is behind.
fn reading(index: &Index, view: &View) -> Result<(Option<Reading>, bool)> {
    let last = view.position()?.unwrap_or_default().sequence;
    let is_near = last.saturating_sub(index.progress().through.sequence) <= INDEX_NEAR;
    let reaches = index.reaches(last, if is_near { INDEX_WAIT } else { Duration::ZERO });
    Ok((index.reading()?, !reaches))
}

impl<T> Default for Found<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), before: None, after: None, further: None, only_newest: false, is_behind: false }
    }
}

struct Finding<'a> {
    view: &'a View,
    documents: Reader,
    reads: &'a Reads,
    places: &'a Places,
    put: Put<'a>,
    reading: Option<&'a Reading>,
    ask: Ask<'a>,
}

/// A page that is being filled.
struct Filling<T> {
    rows: Vec<(Cursor, T)>,
    looked: usize,
    last: Option<Cursor>,
    further: Option<Cursor>,
    more: bool,
}

impl Finding<'_> {
    /// Where its words are asked for: the index and the question.
    fn asked(&self) -> Option<(&Reading, &str)> {
        self.reading.zip(self.put.expression.as_deref())
    }

    /// Calls `each` with what may fit, by time from the cursor on or from an end, until it says stop (`false`).
    fn by_time(
        &self,
        down: bool,
        from: Option<Cursor>,
        mut each: impl FnMut(i64, Number, Option<i64>) -> Result<bool>,
    ) -> Result<()> {
        let (since, before) = self.ask.query.times();
        let Some((reading, expression)) = self.asked() else {
            let mut from = from.map(|at| (at.time, at.number));
            if down {
                from = from.into_iter().chain(before.map(|before| (before, 0))).min();
            } else {
                from = from.into_iter().chain(since.map(|since| (since.saturating_sub(1), Number::MAX))).max();
            }
            for item in self.view.by_time(self.reads, down, from)? {
                let (time, number) = item?;
                let over =
                    if down { since.is_some_and(|since| time < since) } else { before.is_some_and(|end| time >= end) };
                if over || !each(time, number, None)? {
                    break;
                }
            }
            return Ok(());
        };
        // One that is gone by now stood about there. Where one stands that somebody may not read is not told.
        let from = match from {
            Some(at) if self.view.may_read(self.reads, at.number)? => Some(reading.id(at.number)?.unwrap_or(at.time)),
            from => from.map(|at| at.time),
        };
        let within = Within { down, from, since, before };
        reading.hits(expression, within, |hit| {
            let Some(time) = self.documents.document(hit.number)?.map(|document| document.time) else {
                return Ok(true);
            };
            each(time, hit.number, Some(hit.id))
        })
    }

    fn fits(&self, number: Number, id: Option<i64>, document: &Document) -> Result<bool> {
        // The index may be older than a right or a block; the catalog is not.
        Ok(self.put.fits(self.view, self.places, self.reading.zip(id), number, document)?
            && (id.is_none() || self.view.may_read(self.reads, number)?))
    }

    fn narrow<T>(&self, number: Number, document: Document, keep: &impl Fn(Number, &Document) -> T) -> Result<T> {
        Ok(keep(number, &self.places.narrow(self.view, number, document)?))
    }

    fn walk<T>(&self, keep: impl Fn(Number, &Document) -> T) -> Result<Found<T>> {
        let ask = self.ask;
        let by_number = ask.order.sort == Sort::Number;
        // Newest or highest first.
        let down = ask.order.descending != ask.back;
        let mut page = Filling { rows: Vec::new(), looked: 0, last: None, further: None, more: false };
        let mut look = |time: i64, number: Number, id: Option<i64>| -> Result<bool> {
            if page.looked == SEARCH_LOOKED {
                page.further = page.last;
                return Ok(false);
            }
            page.looked += 1;
            let Some(document) = self.documents.document(number)? else { return Ok(true) };
            let time = if by_number { document.time } else { time };
            let cursor = Cursor { time, number };
            page.last = Some(cursor);
            if self.fits(number, id, &document)? {
                if page.rows.len() == ask.most {
                    page.more = true;
                    return Ok(false);
                }
                page.rows.push((cursor, self.narrow(number, document, &keep)?));
            }
            Ok(true)
        };
        if by_number {
            for item in self.view.by_number(self.reads, down, ask.at.map(|at| at.number))? {
                let (time, number) = item?;
                if !look(time, number, None)? {
                    break;
                }
            }
        } else {
            let walked = self.by_time(down, ask.at, look);
            match (walked, page.last) {
                // The same way goes on where the time was over.
                (Err(IndexError::TooLong), Some(last)) => page.further = Some(last),
                (walked, _) => walked?,
            }
        }
        let Filling { mut rows, further, more, .. } = page;
        if ask.back {
            rows.reverse();
        }
        let first = rows.first().map(|(cursor, _)| *cursor);
        let end = rows.last().map(|(cursor, _)| *cursor);
        let (before, after) = if ask.back {
            (first.filter(|_| more), end.or(ask.at))
        } else {
            (ask.at.and(first.or(ask.at)), end.filter(|_| more))
        };
        let rows = rows.into_iter().map(|(_, row)| row).collect();
        Ok(Found { rows, before, after, further, ..Found::default() })
    }

    /// One page only: there is no way to go on from one that fits best.
    fn ranked<T>(&self, keep: impl Fn(Number, &Document) -> T) -> Result<Found<T>> {
        let Some((reading, expression)) = self.asked() else { return Ok(Found::default()) };
        let mut rows = Vec::new();
        let only_newest = reading.ranked(expression, &self.put.ranks, |hit| -> Result<bool> {
            if let Some(document) = self.documents.document(hit.number)?
                && self.fits(hit.number, Some(hit.id), &document)?
            {
                rows.push(self.narrow(hit.number, document, &keep)?);
            }
            Ok(rows.len() < self.ask.most)
        })?;
        Ok(Found { rows, only_newest, ..Found::default() })
    }
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Text(String),
    /// Or number.
    Size(u64),
}

impl Key {
    fn of(sort: Sort, number: Number, document: &Document) -> Self {
        let text = |text: &str| Self::Text(text.chars().take(SORT_CHARS).flat_map(char::to_lowercase).collect());
        match sort {
            Sort::Title => text(&document.metadata.title),
            Sort::From => text(document.metadata.from.trim_start_matches('"')),
            Sort::Number => Self::Size(number),
            _ => Self::Size(document.size),
        }
    }
}

impl Finding<'_> {
    fn best<T>(&self, keep: impl Fn(Number, &Document) -> T) -> Result<Found<T>> {
        let Self { view, reads, ask, .. } = *self;
        let down = ask.order.descending != ask.back;
        let compare = |one: &(Key, Number), other: &(Key, Number)| -> Ordering {
            if down { other.cmp(one) } else { one.cmp(other) }
        };
        let mut at = None;
        // Whoever may not read a document does not learn where its title stands either.
        if let Some(cursor) = ask.at
            && view.may_read(reads, cursor.number)?
            && let Some(document) = view.document(cursor.number)?
        {
            at = Some((Key::of(ask.order.sort, cursor.number, &document), cursor.number));
        }
        let mut rows: Vec<((Key, Number), Cursor, T)> = Vec::with_capacity(ask.most + 1);
        let mut only_newest = false;
        let mut more = false;
        let mut looked = 0;
        self.by_time(true, None, |time, number, id| {
            if looked == SORT_LOOKED {
                only_newest = true;
                return Ok(false);
            }
            looked += 1;
            let Some(document) = self.documents.document(number)? else { return Ok(true) };
            let key = (Key::of(ask.order.sort, number, &document), number);
            let is_behind = at.as_ref().is_none_or(|at| compare(&key, at) == Ordering::Greater);
            if !is_behind {
                return Ok(true);
            }
            let place = rows.partition_point(|(other, ..)| compare(other, &key) == Ordering::Less);
            if place == ask.most {
                // The page is full of better ones; whether this one fits is asked only until there is a next page.
                more = more || self.fits(number, id, &document)?;
            } else if self.fits(number, id, &document)? {
                rows.insert(place, (key, Cursor { time, number }, self.narrow(number, document, &keep)?));
                more |= rows.len() > ask.most;
                rows.truncate(ask.most);
            }
            Ok(true)
        })?;
        if ask.back {
            rows.reverse();
        }
        let first = rows.first().map(|(_, cursor, _)| *cursor);
        let end = rows.last().map(|(_, cursor, _)| *cursor);
        let (before, after) = if ask.back {
            (first.filter(|_| more), end.or(ask.at))
        } else {
            (at.and(first.or(ask.at)), end.filter(|_| more))
        };
        let rows = rows.into_iter().map(|(_, _, row)| row).collect();
        Ok(Found { rows, before, after, only_newest, ..Found::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_waits_to_the_end_of_a_step() {
        let micros = Duration::from_micros;
        for (elapsed, rest) in [(1, 24_999), (24_000, 1_000), (26_000, 24_000), (251_000, 24_000), (25_000, 25_000)] {
            assert_eq!(rest_of_step(micros(25_000), micros(elapsed)), micros(rest), "{elapsed}");
        }
    }
}
