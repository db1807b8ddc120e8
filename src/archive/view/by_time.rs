//! The documents in the order in which people look for them, within what somebody may read: rights are part of the look-up.

use std::ops::Bound;

use super::super::commit::{FolderNumber, Number};
use super::super::error::Result;
use super::super::rows::{BY_PLACE, BY_TIME, DOCUMENTS, PLACE_NUMBERS};
use super::{Reads, View};

impl View {
    /// Numbers of the documents that `reads` allows, by time: newest first, or oldest first. Begins behind `from` (time and
    /// number of the last one that was seen).
    pub fn by_time(&self, reads: &Reads, newest_first: bool, from: Option<(i64, Number)>) -> Result<ByTime> {
        let places: &[FolderNumber] = match reads {
            Reads::All => &[],
            Reads::Places(places) => places,
        };
        let mut ways = Vec::with_capacity(places.len().max(1));
        if matches!(reads, Reads::All) {
            let range = match (from, newest_first) {
                (None, _) => (Bound::Unbounded, Bound::Unbounded),
                (Some(from), true) => (Bound::Unbounded, Bound::Excluded(from)),
                (Some(from), false) => (Bound::Excluded(from), Bound::Unbounded),
            };
            ways.push(Way::All(self.txn.open_table(BY_TIME)?.range::<(i64, u64)>(range)?));
        }
        let table = self.txn.open_table(BY_PLACE)?;
        for &place in places {
            let all = (Bound::Included((place, i64::MIN, 0)), Bound::Included((place, i64::MAX, u64::MAX)));
            let range = match (from, newest_first) {
                (None, _) => all,
                (Some((time, number)), true) => (all.0, Bound::Excluded((place, time, number))),
                (Some((time, number)), false) => (Bound::Excluded((place, time, number)), all.1),
            };
            ways.push(Way::Place(table.range::<(u32, i64, u64)>(range)?));
        }
        let heads = ways.iter_mut().map(|way| way.next(newest_first)).collect::<Result<_>>()?;
        Ok(ByTime { ways, heads, newest_first })
    }

    /// Numbers of the documents that `reads` allows, in their order; the times beside them are 0. Begins behind `from`.
    pub fn by_number(&self, reads: &Reads, highest_first: bool, from: Option<Number>) -> Result<ByTime> {
        let (low, high) = match (from, highest_first) {
            (None, _) => (Bound::Unbounded, Bound::Unbounded),
            (Some(from), true) => (Bound::Unbounded, Bound::Excluded(from)),
            (Some(from), false) => (Bound::Excluded(from), Bound::Unbounded),
        };
        let mut ways = Vec::new();
        match reads {
            Reads::All => ways.push(Way::Numbers(self.txn.open_table(DOCUMENTS)?.range::<u64>((low, high))?)),
            Reads::Places(places) => {
                let table = self.txn.open_table(PLACE_NUMBERS)?;
                let within = |place: FolderNumber, bound: Bound<Number>, end: Number| match bound {
                    Bound::Excluded(number) => Bound::Excluded((place, number)),
                    _ => Bound::Included((place, end)),
                };
                for &place in places {
                    let range = (within(place, low, 0), within(place, high, Number::MAX));
                    ways.push(Way::PlaceNumbers(table.range::<(u32, u64)>(range)?));
                }
            }
        }
        let heads = ways.iter_mut().map(|way| way.next(highest_first)).collect::<Result<_>>()?;
        Ok(ByTime { ways, heads, newest_first: highest_first })
    }
}

enum Way {
    All(redb::Range<'static, (i64, u64), ()>),
    Place(redb::Range<'static, (u32, i64, u64), ()>),
    Numbers(redb::Range<'static, u64, &'static [u8]>),
    PlaceNumbers(redb::Range<'static, (u32, u64), ()>),
}

impl Way {
    fn next(&mut self, newest_first: bool) -> Result<Option<(i64, Number)>> {
        Ok(match self {
            Self::All(range) => {
                let item = if newest_first { range.next_back() } else { range.next() };
                item.transpose()?.map(|(key, _)| key.value())
            }
            Self::Place(range) => {
                let item = if newest_first { range.next_back() } else { range.next() };
                item.transpose()?.map(|(key, _)| (key.value().1, key.value().2))
            }
            Self::Numbers(range) => {
                let item = if newest_first { range.next_back() } else { range.next() };
                item.transpose()?.map(|(key, _)| (0, key.value()))
            }
            Self::PlaceNumbers(range) => {
                let item = if newest_first { range.next_back() } else { range.next() };
                item.transpose()?.map(|(key, _)| (0, key.value().1))
            }
        })
    }
}

/// See [`View::by_time`]. A document that lies in several of the mailboxes comes once.
pub struct ByTime {
    ways: Vec<Way>,
    /// What each way gives next.
    heads: Vec<Option<(i64, Number)>>,
    newest_first: bool,
}

impl Iterator for ByTime {
    type Item = Result<(i64, Number)>;

    fn next(&mut self) -> Option<Self::Item> {
        let there = self.heads.iter().flatten().copied();
        let next = if self.newest_first { there.max() } else { there.min() }?;
        for (way, head) in self.ways.iter_mut().zip(&mut self.heads) {
            if *head == Some(next) {
                match way.next(self.newest_first) {
                    Ok(more) => *head = more,
                    Err(error) => return Some(Err(error)),
                }
            }
        }
        Some(Ok(next))
    }
}
