//! How the archive grew: where it stood at a moment. Looked up by halving, never counted through.
//!
//! Document numbers are given in the order of archiving, and records lie in the packs in the same order: the first document
//! that was archived at a moment or later tells how many came before it, and how far the packs reached. A look at one moment
//! reads 20 rows of a million documents; what was found of the past is kept, since nothing comes in there any more. Where a clock
//! was set back (never on a box), days are off by what came in meanwhile; their sum stays right.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::commit::Number;
use super::error::{ArchiveError, Result};
use super::pack;
use super::view::View;
use crate::clock;
use crate::limits::GROWTH_MARKS;

/// What may still be on its way in with an earlier time, in seconds.
const UNSETTLED: i64 = 3600;

/// Where the archive stood at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// Documents, those counted that were deleted since.
    pub documents: u64,
    /// The last pack, and its bytes.
    pub pack: u32,
    pub end: u64,
}

/// What was looked up of the past.
#[derive(Debug, Default)]
pub struct Marks(Mutex<BTreeMap<i64, Mark>>);

impl Marks {
    /// Where the archive stood at each of these moments (Unix seconds), which ascend.
    pub fn at(&self, view: &View, moments: &[i64]) -> Result<Vec<Mark>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() + moments.len() > GROWTH_MARKS {
            known.clear();
        }
        let settled = clock::now() - UNSETTLED;
        let mut marks = Vec::with_capacity(moments.len());
        let mut from = 1;
        for &moment in moments {
            let mark = match known.get(&moment) {
                Some(mark) => *mark,
                None => look_up(view, moment, from)?,
            };
            if moment < settled {
                known.insert(moment, mark);
            }
            from = mark.documents + 1;
            marks.push(mark);
        }
        Ok(marks)
    }
}

/// Where the archive stands now.
pub fn now(view: &View) -> Result<Mark> {
    let position = view.position()?.unwrap_or_default();
    Ok(Mark { documents: position.last_number, pack: position.pack, end: position.end })
}

/// Everything below `from` was archived before.
fn look_up(view: &View, moment: i64, from: Number) -> Result<Mark> {
    let now = now(view)?;
    let (mut low, mut high) = (from, now.documents + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        match view.document_from(middle)? {
            Some((number, document)) if document.metadata.archived < moment => low = number + 1,
            _ => high = middle,
        }
    }
    // What is there before the first document are settings.
    if low == 1 {
        return Ok(Mark::default());
    }
    Ok(match view.document_from(low)? {
        Some((_, document)) => {
            Mark { documents: low - 1, pack: document.pack, end: document.offset.unwrap_or_default() }
        }
        None => now,
    })
}

/// How large each pack is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Packs(Vec<(u32, u64)>);

impl Packs {
    /// Asks the file system about each file of the folder; one in some 256 MiB.
    pub fn of(folder: &Path) -> Result<Self> {
        let size = |number: u32| {
            let path = pack::path(folder, number);
            let file = std::fs::metadata(&path).map_err(ArchiveError::io(path))?;
            Ok((number, file.len()))
        };
        pack::numbers(folder)?.into_iter().map(size).collect::<Result<_>>().map(Self)
    }

    /// All bytes.
    pub fn bytes(&self) -> u64 {
        self.0.iter().map(|(_, size)| size).sum()
    }

    /// Bytes that there were at a mark.
    pub fn until(&self, mark: &Mark) -> u64 {
        let before = self.0.iter().filter(|(number, _)| *number < mark.pack);
        before.map(|(_, size)| size).sum::<u64>() + mark.end
    }
}

#[cfg(test)]
mod tests {
    use super::super::catalog::{Applied, Catalog};
    use super::super::commit::{Commit, Metadata, NewDocument};
    use super::super::disk::Disk;
    use super::*;
    use crate::hash::Sha256;

    /// A commit per moment, each with so many documents; the n-th commit ends at byte n * 1000 of pack 1 (even: of pack 2).
    fn catalog(folder: &Path, days: &[(i64, u64)]) -> Catalog {
        let mut catalog = Catalog::open(&Disk::default(), &folder.join("catalog.redb"), [7; 16]).unwrap();
        let mut number = 0;
        for (sequence, (archived, count)) in (1..).zip(days) {
            let numbers: Vec<Number> = (0..*count).map(|more| number + 1 + more).collect();
            number += count;
            let new = |number: &Number| NewDocument {
                number: *number,
                sha256: Sha256::of(&number.to_le_bytes()),
                size: 5,
                message: 0,
                document: 0,
            };
            let commit = Commit { sequence, documents: numbers.iter().map(new).collect(), ..Commit::default() };
            let metadata = |number: &Number| Metadata { number: *number, archived: *archived, ..Metadata::default() };
            let metadata: Vec<Metadata> = numbers.iter().map(metadata).collect();
            let pack = u32::try_from(sequence).unwrap().div_ceil(2);
            let applied = Applied {
                commit: &commit,
                link: Sha256::default(),
                pack,
                start: 500,
                end: sequence * 1000 + 900,
                offsets: &[Some(sequence * 1000)],
                metadata: &metadata,
                changes: &[],
            };
            catalog.apply(&applied).unwrap();
        }
        catalog
    }

    #[test]
    fn each_moment_tells_what_there_was_before() {
        let folder = tempfile::tempdir().unwrap();
        let catalog = catalog(folder.path(), &[(100, 3), (200, 1), (200, 4), (300, 1000)]);
        let view = catalog.read().unwrap();
        let marks = Marks::default();
        let mark = |documents, pack, end| Mark { documents, pack, end };
        let now = mark(1008, 2, 4900);
        let expected = [
            (i64::MIN, Mark::default()),
            (100, Mark::default()),
            (101, mark(3, 1, 2000)),
            (200, mark(3, 1, 2000)),
            (201, mark(8, 2, 4000)),
            (300, mark(8, 2, 4000)),
            (301, now),
            (i64::MAX, now),
        ];
        let moments = expected.map(|(moment, _)| moment);
        // Looked up, then remembered, then looked up alone.
        assert_eq!(marks.at(&view, &moments).unwrap(), expected.map(|(_, mark)| mark));
        assert_eq!(marks.at(&view, &moments).unwrap(), expected.map(|(_, mark)| mark));
        for (moment, mark) in expected {
            assert_eq!(Marks::default().at(&view, &[moment]).unwrap(), [mark], "{moment}");
        }
        assert_eq!(super::now(&view).unwrap(), now);
    }

    #[test]
    fn an_empty_archive_and_too_many_moments_are_no_trouble() {
        let folder = tempfile::tempdir().unwrap();
        let catalog = catalog(folder.path(), &[]);
        let view = catalog.read().unwrap();
        let marks = Marks::default();
        for start in 0..5 {
            let moments: Vec<i64> = (0..).take(GROWTH_MARKS / 2).map(|n: i64| start * 10_000 + n).collect();
            assert!(marks.at(&view, &moments).unwrap().iter().all(|mark| mark.documents == 0));
            assert!(marks.0.lock().unwrap().len() <= GROWTH_MARKS);
        }
    }

    #[test]
    fn packs_before_a_mark_count_whole() {
        let packs = Packs(vec![(1, 100), (2, 50), (4, 7)]);
        assert_eq!(packs.bytes(), 157);
        assert_eq!(packs.until(&Mark::default()), 0);
        assert_eq!(packs.until(&Mark { documents: 3, pack: 1, end: 64 }), 64);
        assert_eq!(packs.until(&Mark { documents: 9, pack: 4, end: 7 }), 157);
    }
}
