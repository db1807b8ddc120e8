//! Goes after the log: what a commit says of documents is brought into the index, and then that commit is behind it.

use std::collections::BTreeSet;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use super::store::{Store, Useless};
use super::{Index, IndexError, Result, SLICE};
use crate::archive::commit::Number;
use crate::archive::history::{self, Mark, Of};
use crate::archive::log::ReadCommit;
use crate::archive::view::View;
use crate::archive::{Archive, ArchiveError, pack};
use crate::disk::Room;
use crate::extract::Extractor;
use crate::limits::{INDEX_BATCH, INDEX_LOOK};
use crate::pulse::{Cancelled, Pulse};
use crate::search::text;

/// The longest time of one transaction.
const HELD: Duration = Duration::from_secs(2);

/// Follows the log until it is cancelled.
pub fn follow(archive: &Archive, index: &Index, pulse: &Pulse) -> Result<()> {
    let _following = Following::of(index);
    let mut store = open(archive, index)?;
    let mut extractor = index.extractor();
    while pulse.go_on().is_ok() {
        if index.with(|progress| std::mem::take(&mut progress.again)) {
            store = make_anew(archive, index, &Useless("somebody asked for it".into()))?;
        }
        match settle(archive, index, &store, &mut extractor, pulse) {
            Ok(()) => {}
            Err(_) if pulse.go_on().is_err() => break,
            // What SQLite finds broken is not mended but made anew.
            Err(IndexError::Sqlite { source, .. }) if is_damage(&source) => {
                store = make_anew(archive, index, &Useless(source.to_string()))?;
            }
            Err(error) => return Err(error),
        }
        let rested = Instant::now();
        while pulse.go_on().is_ok() && rested.elapsed() < INDEX_LOOK && !index.is_wanted(SLICE) {}
        index.with(|progress| progress.wanted = false);
        if rested.elapsed() >= INDEX_LOOK {
            extractor.rest();
        }
    }
    Ok(())
}

/// Somebody keeps the index behind the log, as long as this is there.
struct Following<'a>(&'a Index);

impl<'a> Following<'a> {
    fn of(index: &'a Index) -> Self {
        index.with(|progress| progress.is_followed = true);
        Self(index)
    }
}

impl Drop for Following<'_> {
    fn drop(&mut self) {
        self.0.with(|progress| progress.is_followed = false);
    }
}

/// Brings it up to the last commit that there is, and returns.
pub fn once(archive: &Archive, index: &Index, anew: bool, pulse: &Pulse) -> Result<()> {
    let mut extractor = index.extractor();
    let store =
        if anew { make_anew(archive, index, &Useless("somebody asked for it".into()))? } else { open(archive, index)? };
    match settle(archive, index, &store, &mut extractor, pulse) {
        Err(IndexError::Sqlite { source, .. }) if is_damage(&source) => {
            let store = make_anew(archive, index, &Useless(source.to_string()))?;
            settle(archive, index, &store, &mut extractor, pulse)
        }
        done => done,
    }
}

fn is_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    use rusqlite::ffi::{SQLITE_IOERR_READ, SQLITE_IOERR_SHORT_READ};
    matches!(error.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase))
        // A table that is gone, or has other columns.
        || matches!(error, rusqlite::Error::SqliteFailure(code, _) if code.extended_code == 1)
        // Sectors that cannot be read any more.
        || matches!(error, rusqlite::Error::SqliteFailure(code, _)
            if [SQLITE_IOERR_READ, SQLITE_IOERR_SHORT_READ].contains(&code.extended_code))
}

/// The index of this archive, made anew where there is none that fits.
fn open(archive: &Archive, index: &Index) -> Result<Store> {
    let useless = match Store::open(index.folder(), archive.id())? {
        Ok((store, mark)) if is_of_log(archive, &mark)? => {
            index.with(|progress| {
                progress.through = mark;
                progress.generation += 1;
            });
            return Ok(store);
        }
        Ok(_) => Useless("it knows a commit that the archive does not have".into()),
        Err(useless) => useless,
    };
    make_anew(archive, index, &useless)
}

fn make_anew(archive: &Archive, index: &Index, why: &Useless) -> Result<Store> {
    tracing::info!("the search index is made anew: {}", why.0);
    // Who reads the old one goes on with it until it asks again.
    let store = Store::create(index.folder(), archive.id())?;
    index.with(|progress| {
        progress.through = Mark::default();
        progress.generation += 1;
        progress.healed = Some(why.0.clone());
    });
    Ok(store)
}

/// Whether the log has the commit that the index read last: one that was put back from a backup may not.
fn is_of_log(archive: &Archive, mark: &Mark) -> Result<bool> {
    if mark.sequence == 0 {
        return Ok(true);
    }
    let last = archive.view()?.position()?.unwrap_or_default();
    if mark.sequence > last.sequence {
        return Ok(false);
    }
    let path = pack::path(&archive.paths().packs, mark.pack);
    let mut link = [0; 32];
    let read = File::open(path).and_then(|file| match mark.end.checked_sub(32) {
        Some(from) => file.read_exact_at(&mut link, from),
        None => Err(std::io::ErrorKind::InvalidData.into()),
    });
    Ok(read.is_ok() && link == mark.link.0)
}

/// Reads what is new, and takes out of the file what ended.
fn settle(archive: &Archive, index: &Index, store: &Store, extractor: &mut Extractor, pulse: &Pulse) -> Result<()> {
    catch_up(archive, index, store, extractor, pulse)?;
    while store.purge()? {
        // New mail does not wait for that.
        catch_up(archive, index, store, extractor, pulse)?;
        pulse.go_on().map_err(ArchiveError::from)?;
    }
    Ok(())
}

fn catch_up(archive: &Archive, index: &Index, store: &Store, extractor: &mut Extractor, pulse: &Pulse) -> Result<()> {
    loop {
        let last = archive.view()?.position()?.unwrap_or_default().sequence;
        let through = index.progress().through;
        index.with(|progress| progress.until = last);
        if through.sequence >= last {
            return Ok(());
        }
        // A disk that cannot be asked tells more clearly what is wrong with it when it is written to.
        if Room::of(&archive.paths().data).is_ok_and(|room| room.is_short_of(0)) {
            return Err(IndexError::NoRoom);
        }
        let of = Of { paths: archive.paths(), archive: archive.id(), keys: archive.keys() };
        let mut batch = Batch::begin(archive, index, store, through, pulse)?;
        let mut failed = None;
        let walked = history::walk(of, through, last, pulse, &mut |read| {
            batch.take(read, extractor).map_err(|error| {
                let told = ArchiveError::from(Cancelled);
                failed = Some(error);
                told
            })
        });
        if let Some(error) = failed {
            return Err(error);
        }
        walked?;
        // Commits at the end that cannot be read are passed over: what the catalog knows of their documents is there all the same.
        if batch.through.sequence < last {
            batch.through.sequence = last;
        }
        batch.end()?;
    }
}

/// What one transaction takes.
struct Batch<'a> {
    archive: &'a Archive,
    index: &'a Index,
    store: &'a Store,
    pulse: &'a Pulse,
    view: View,
    through: Mark,
    began: Instant,
    taken: usize,
    is_open: bool,
}

impl<'a> Batch<'a> {
    fn begin(
        archive: &'a Archive,
        index: &'a Index,
        store: &'a Store,
        through: Mark,
        pulse: &'a Pulse,
    ) -> Result<Self> {
        store.begin()?;
        let view = archive.view()?;
        Ok(Self { archive, index, store, pulse, view, through, began: Instant::now(), taken: 0, is_open: true })
    }

    fn take(&mut self, read: &ReadCommit, extractor: &mut Extractor) -> Result<()> {
        let commit = &read.commit;
        for number in touched(read) {
            self.pulse.go_on().map_err(ArchiveError::from)?;
            // As it is now, which may be later than this commit: then the later one finds nothing to do.
            match self.view.document(number)? {
                Some(document) => {
                    let mark = text::mark(&self.view, number)?;
                    let (archive, view) = (self.archive, &self.view);
                    let columns = || Ok(text::columns(archive, view, number, &document, extractor)?);
                    self.taken += usize::from(self.store.put(number, document.time, mark, columns)?);
                }
                None => self.store.remove(number)?,
            }
        }
        self.through = Mark { sequence: commit.sequence, link: read.link, pack: read.pack, end: read.end };
        if self.taken >= INDEX_BATCH || self.began.elapsed() >= HELD {
            self.end()?;
            *self = Self::begin(self.archive, self.index, self.store, self.through, self.pulse)?;
        }
        Ok(())
    }

    fn end(&mut self) -> Result<()> {
        self.store.commit(&self.through)?;
        self.is_open = false;
        let through = self.through;
        self.index.with(|progress| progress.through = through);
        Ok(())
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        if self.is_open {
            self.store.roll_back();
        }
    }
}

/// The documents that a commit says something of.
fn touched(read: &ReadCommit) -> BTreeSet<Number> {
    let commit = &read.commit;
    let mut numbers: BTreeSet<Number> = commit.documents.iter().map(|new| new.number).collect();
    numbers.extend(commit.changes.iter().map(|change| change.number));
    numbers.extend(commit.occurrences.iter().map(|seen| seen.document));
    numbers.extend(commit.tombstones.iter().map(|tombstone| tombstone.number));
    numbers.extend(commit.blocks.iter().map(|block| block.number));
    numbers
}
