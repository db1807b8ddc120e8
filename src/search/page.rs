//! One page of the documents that fit, in an order.
//!
//! By date and by number the catalog is walked from a cursor, so that pages stand still while new mail arrives. By title,
//! sender and size there is no such walk: the newest documents up to a bound are looked at, and the best of them kept.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use super::places::Places;
use super::query::Query;
use crate::archive::commit::Number;
use crate::archive::error::Result;
use crate::archive::rows::Document;
use crate::archive::view::{Reads, View};
use crate::limits::{SEARCH_LOOKED, SORT_CHARS, SORT_LOOKED};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    #[default]
    Date,
    Number,
    Title,
    From,
    Size,
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
}

/// Finds a page of what `reads` allows, and keeps of each document what `keep` makes of it.
pub fn find<T>(view: &View, reads: &Reads, ask: Ask<'_>, keep: impl Fn(Number, &Document) -> T) -> Result<Found<T>> {
    let places = Places::of(view, reads)?;
    match ask.order.sort {
        Sort::Date | Sort::Number => walk(view, reads, &places, ask, keep),
        Sort::Title | Sort::From | Sort::Size => best(view, reads, &places, ask, keep),
    }
}

fn walk<T>(
    view: &View,
    reads: &Reads,
    places: &Places,
    ask: Ask<'_>,
    keep: impl Fn(Number, &Document) -> T,
) -> Result<Found<T>> {
    let by_date = ask.order.sort == Sort::Date;
    // Newest or highest first.
    let down = ask.order.descending != ask.back;
    let (since, before) = ask.query.times();
    let mut from = ask.at.map(|at| (at.time, at.number));
    if by_date && down {
        from = from.into_iter().chain(before.map(|before| (before, 0))).min();
    } else if by_date {
        from = from.into_iter().chain(since.map(|since| (since.saturating_sub(1), Number::MAX))).max();
    }
    let numbers = if by_date {
        view.by_time(reads, down, from)?
    } else {
        view.by_number(reads, down, from.map(|(_, number)| number))?
    };
    let documents = view.reader()?;
    let mut rows: Vec<(Cursor, T)> = Vec::new();
    let mut further = None;
    let mut more = false;
    let mut last = None;
    for (looked, item) in numbers.enumerate() {
        let (time, number) = item?;
        let over = if down { since.is_some_and(|since| time < since) } else { before.is_some_and(|end| time >= end) };
        if by_date && over {
            break;
        }
        if looked == SEARCH_LOOKED {
            further = last;
            break;
        }
        let Some(document) = documents.document(number)? else { continue };
        let cursor = Cursor { time: document.time, number };
        last = Some(cursor);
        if ask.query.fits(view, places, number, &document)? {
            if rows.len() == ask.most {
                more = true;
                break;
            }
            rows.push((cursor, keep(number, &places.narrow(view, number, document)?)));
        }
    }
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
    Ok(Found { rows, before, after, further, only_newest: false })
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Text(String),
    Size(u64),
}

impl Key {
    fn of(sort: Sort, document: &Document) -> Self {
        let text = |text: &str| Self::Text(text.chars().take(SORT_CHARS).flat_map(char::to_lowercase).collect());
        match sort {
            Sort::Title => text(&document.metadata.title),
            Sort::From => text(document.metadata.from.trim_start_matches('"')),
            _ => Self::Size(document.size),
        }
    }
}

fn best<T>(
    view: &View,
    reads: &Reads,
    places: &Places,
    ask: Ask<'_>,
    keep: impl Fn(Number, &Document) -> T,
) -> Result<Found<T>> {
    let down = ask.order.descending != ask.back;
    let compare =
        |one: &(Key, Number), other: &(Key, Number)| -> Ordering { if down { other.cmp(one) } else { one.cmp(other) } };
    let mut at = None;
    // Whoever may not read a document does not learn where its title stands either.
    if let Some(cursor) = ask.at
        && view.may_read(reads, cursor.number)?
        && let Some(document) = view.document(cursor.number)?
    {
        at = Some((Key::of(ask.order.sort, &document), cursor.number));
    }
    let documents = view.reader()?;
    let mut rows: Vec<((Key, Number), Cursor, T)> = Vec::with_capacity(ask.most + 1);
    let mut only_newest = false;
    let mut more = false;
    for (looked, item) in view.by_time(reads, true, None)?.enumerate() {
        let (time, number) = item?;
        if looked == SORT_LOOKED {
            only_newest = true;
            break;
        }
        let Some(document) = documents.document(number)? else { continue };
        let key = (Key::of(ask.order.sort, &document), number);
        let is_behind = at.as_ref().is_none_or(|at| compare(&key, at) == Ordering::Greater);
        if !is_behind {
            continue;
        }
        let place = rows.partition_point(|(other, ..)| compare(other, &key) == Ordering::Less);
        if place == ask.most {
            // The page is full of better ones; whether this one fits is asked only until there is a next page.
            more = more || ask.query.fits(view, places, number, &document)?;
        } else if ask.query.fits(view, places, number, &document)? {
            rows.insert(place, (key, Cursor { time, number }, keep(number, &places.narrow(view, number, document)?)));
            more |= rows.len() > ask.most;
            rows.truncate(ask.most);
        }
    }
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
    Ok(Found { rows, before, after, further: None, only_newest })
}
