//! Goes after the log: what a commit says of documents is brought into the index, and then that commit is behind it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use super::store::Store;
use super::{Followed, Index, IndexError, Result, SLICE};
use crate::archive::commit::Number;
use crate::archive::history::{self, Mark, Of};
use crate::archive::log::ReadCommit;
use crate::archive::view::View;
use crate::archive::{Archive, ArchiveError, pack};
use crate::disk::Room;
use crate::extract::Extractor;
use crate::limits::{INDEX_BATCH, INDEX_DOCUMENT_TIME, INDEX_LOOK, INDEX_TRY_AGAIN};
use crate::pulse::{Cancelled, Pulse};
use crate::search::text::{self, State};

/// The longest time of one transaction.
const HELD: Duration = Duration::from_secs(5);

/// Follows the log until it is cancelled.
pub fn follow(archive: &Archive, index: &Index, pulse: &Pulse) -> Result<()> {
    let _turn = match index.turn(pulse) {
        Err(_) if pulse.go_on().is_err() => return Ok(()),
        turn => turn?,
    };
    index.with(|progress| progress.followed = Followed::Yes);
    let ended = follow_on(archive, index, pulse);
    let why = ended.as_ref().map_or_else(ToString::to_string, |()| "it was ended".into());
    index.with(|progress| progress.followed = Followed::Ended(why));
    ended
}

fn follow_on(archive: &Archive, index: &Index, pulse: &Pulse) -> Result<()> {
    let mut following = Following::open(archive, index, pulse)?;
    let mut tried = Instant::now();
    while pulse.go_on().is_ok() {
        if index.with(|progress| std::mem::take(&mut progress.again)) {
            following.make_anew(ASKED)?;
        }
        match following.settle() {
            Err(_) if pulse.go_on().is_err() => break,
            // What is broken is not mended but made anew.
            Err(error) if error.is_damage() => following.make_anew(&error.to_string())?,
            settled => settled?,
        }
        let rested = Instant::now();
        while pulse.go_on().is_ok() && rested.elapsed() < INDEX_LOOK && !index.is_wanted(SLICE) {}
        index.with(|progress| progress.wanted = false);
        if rested.elapsed() >= INDEX_LOOK {
            following.extractor.rest();
        }
        if tried.elapsed() >= INDEX_TRY_AGAIN {
            following.try_again()?;
            tried = Instant::now();
        }
    }
    Ok(())
}

/// Brings it up to the last commit that there is, and returns.
pub fn once(archive: &Archive, index: &Index, anew: bool, pulse: &Pulse) -> Result<()> {
    let _turn = index.turn(pulse)?;
    let mut following = Following::open(archive, index, pulse)?;
    if anew || index.with(|progress| std::mem::take(&mut progress.again)) {
        following.make_anew(ASKED)?;
    }
    match following.settle() {
        Err(error) if error.is_damage() => {
            following.make_anew(&error.to_string())?;
            following.settle()
        }
        settled => settled,
    }
}

const ASKED: &str = "somebody asked for it";

/// The one who writes the index.
struct Following<'a> {
    archive: &'a Archive,
    index: &'a Index,
    pulse: &'a Pulse,
    store: Store,
    extractor: Extractor,
    /// How often there was too little memory for the words of a document.
    refused: BTreeMap<Number, u8>,
}

impl<'a> Following<'a> {
    /// With the index of this archive, made anew where there is none that fits.
    fn open(archive: &'a Archive, index: &'a Index, pulse: &'a Pulse) -> Result<Self> {
        let (store, healed) = match Store::open(index.folder(), archive.id())? {
            Ok(store) => match store.through() {
                Ok(mark) if is_of_log(archive, &mark)? => (store, None),
                Ok(_) => create(archive, index, "it knows a commit that the archive does not have")?,
                Err(error) if error.is_damage() => create(archive, index, &error.to_string())?,
                Err(error) => return Err(error),
            },
            Err(useless) => create(archive, index, &useless.0)?,
        };
        let following = Self { archive, index, pulse, store, extractor: index.extractor(), refused: BTreeMap::new() };
        following.opened(healed)?;
        Ok(following)
    }

    fn make_anew(&mut self, why: &str) -> Result<()> {
        let (store, healed) = create(self.archive, self.index, why)?;
        self.store = store;
        self.opened(healed)
    }

    /// From here on others can read it.
    fn opened(&self, healed: Option<String>) -> Result<()> {
        let through = self.store.through()?;
        self.index.with(|progress| {
            progress.through = through;
            progress.generation += 1;
            progress.is_there = true;
            if healed.is_some() {
                progress.healed = healed;
            }
        });
        Ok(())
    }
}

/// An empty index, and why.
fn create(archive: &Archive, index: &Index, why: &str) -> Result<(Store, Option<String>)> {
    tracing::info!("the search index is made anew: {why}");
    // Who reads the old one goes on with it until it asks again.
    index.with(|progress| (progress.is_there, progress.through) = (false, Mark::default()));
    Ok((Store::create(index.folder(), archive.id())?, Some(why.into())))
}

/// Whether the log has the commit that the index read last: one that was put back from a backup may not.
fn is_of_log(archive: &Archive, mark: &Mark) -> Result<bool> {
    if mark.sequence == 0 {
        return Ok(true);
    }
    if mark.sequence > super::last(archive)? {
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

impl Following<'_> {
    /// Reads what is new, and takes out of the file what ended.
    fn settle(&mut self) -> Result<()> {
        self.catch_up()?;
        while has_room(self.archive) && self.store.purge()? {
            // New mail does not wait for that.
            self.catch_up()?;
            self.pulse.go_on().map_err(ArchiveError::from)?;
        }
        Ok(())
    }

    /// A document that was refused for want of memory is put in alone, and then without its text: those behind it do not wait for it.
    fn catch_up(&mut self) -> Result<()> {
        loop {
            let before = self.refused.clone();
            match self.read_on() {
                Err(error) if error.is_out_of_memory() && self.refused != before => self.store.rest()?,
                read => return read,
            }
        }
    }

    fn read_on(&mut self) -> Result<()> {
        loop {
            let last = super::last(self.archive)?;
            let through = self.store.through()?;
            if through.sequence >= last {
                return Ok(());
            }
            if !has_room(self.archive) {
                return Err(IndexError::NoRoom);
            }
            let (archive, pulse) = (self.archive, self.pulse);
            let of = Of { paths: archive.paths(), archive: archive.id(), keys: archive.keys() };
            let mut batch = Batch::begin(self, through)?;
            let mut failed = None;
            let walked = history::walk(of, through, last, pulse, &mut |read| {
                batch.take(read).map_err(|error| {
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

    /// Tries again what could not be read for want of a process.
    fn try_again(&mut self) -> Result<()> {
        let through = self.store.through()?;
        let mut batch = Batch::begin(self, through)?;
        for number in batch.following.store.untried(INDEX_BATCH)? {
            batch.add(number)?;
        }
        batch.end()
    }
}

/// Whether there is more room on the disk than people and the journal need. A disk that cannot be asked tells more clearly what is wrong
/// with it when it is written to.
fn has_room(archive: &Archive) -> bool {
    !Room::of(&archive.paths().data).is_ok_and(|room| room.is_short_of(0))
}

/// Documents that are put in together, in the order of their rows: FTS5 begins a new part of the index wherever a row comes before the
/// one that was put in last.
struct Batch<'a, 'b> {
    following: &'b mut Following<'a>,
    view: View,
    /// What is in the index when all of these are.
    through: Mark,
    /// By their times.
    waiting: BTreeSet<(i64, Number)>,
    /// What is in it now.
    is_in: Mark,
    began: Instant,
    is_open: bool,
}

impl<'a, 'b> Batch<'a, 'b> {
    fn begin(following: &'b mut Following<'a>, is_in: Mark) -> Result<Self> {
        following.store.begin()?;
        let view = following.archive.view()?;
        let waiting = BTreeSet::new();
        Ok(Self { following, view, through: is_in, waiting, is_in, began: Instant::now(), is_open: true })
    }

    fn take(&mut self, read: &ReadCommit) -> Result<()> {
        for number in touched(read) {
            self.add(number)?;
        }
        self.through = Mark { sequence: read.commit.sequence, link: read.link, pack: read.pack, end: read.end };
        if self.waiting.len() >= INDEX_BATCH {
            self.put_all()?;
            self.go_on()?;
        }
        Ok(())
    }

    fn add(&mut self, number: Number) -> Result<()> {
        let time = self.view.document(number)?.map_or(i64::MIN, |document| document.time);
        self.waiting.insert((time, number));
        Ok(())
    }

    fn put_all(&mut self) -> Result<()> {
        while let Some((_, number)) = self.waiting.pop_first() {
            self.put(number)?;
            if self.began.elapsed() >= HELD || self.following.store.is_tired() {
                // Those that are in already are passed over when the same commits are read again.
                self.go_on()?;
            }
        }
        self.is_in = self.through;
        Ok(())
    }

    /// Ends the transaction, and begins another one.
    fn go_on(&mut self) -> Result<()> {
        self.commit()?;
        self.following.store.begin()?;
        (self.view, self.is_open, self.began) = (self.following.archive.view()?, true, Instant::now());
        Ok(())
    }

    /// A document as it is now, which may be later than the commit that is read: then the later one finds nothing to do.
    fn put(&mut self, number: Number) -> Result<()> {
        let refused = self.following.refused.get(&number).copied().unwrap_or(0);
        if refused > 0 {
            self.go_on()?;
        }
        let Following { archive, pulse, store, extractor, .. } = &mut *self.following;
        pulse.go_on().map_err(ArchiveError::from)?;
        let Some(document) = self.view.document(number)? else { return store.remove(number) };
        let state = State::of(&self.view, number)?;
        if store.has(number, state.mark)? {
            return Ok(());
        }
        extractor.bound(pulse, INDEX_DOCUMENT_TIME);
        let mut columns = text::columns(archive, number, &document, &state, extractor)?;
        // What was broken off is not what there is.
        pulse.go_on().map_err(ArchiveError::from)?;
        if refused > 1 {
            columns = columns.without_text();
        }
        let put = store.put(number, document.time, state.mark, &columns);
        if put.is_ok() {
            self.following.refused.remove(&number);
        } else if put.as_ref().is_err_and(IndexError::is_out_of_memory) && refused < 2 {
            self.following.refused.insert(number, refused + 1);
        }
        put
    }

    fn end(mut self) -> Result<()> {
        self.put_all()?;
        self.commit()
    }

    fn commit(&mut self) -> Result<()> {
        self.following.store.commit(&self.is_in)?;
        self.is_open = false;
        if self.following.store.is_tired() {
            self.following.store.rest()?;
        }
        let is_in = self.is_in;
        self.following.index.with(|progress| progress.through = is_in);
        Ok(())
    }
}

impl Drop for Batch<'_, '_> {
    fn drop(&mut self) {
        if self.is_open {
            self.following.store.roll_back();
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
