//! The one thread that writes: it takes messages and notes in the order in which they come, appends records, commits, and
//! only then tells those who wait.
//!
//! Invariants: a ticket is answered after the `fdatasync` of the pack and after the catalog knows the commit, so that the
//! next look-up sees it; a batch that fails leaves no byte behind; after a failed sync nothing more is written.
//!
//! - `store`: the bytes of a message, split where it can be

mod store;

use std::collections::{BTreeSet, HashMap};
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use super::Options;
use super::catalog::{Applied, Catalog};
use super::commit::{
    Change, Commit, Ending, Entry, Event, Folder, FolderNumber, Metadata, Named, NewDocument, Number, Occurrence,
    Outcome, Variant,
};
use super::ending;
use super::error::{ArchiveError, Result};
use super::keys::Keys;
use super::log::Findings;
use super::pack::{self, Appender, PACK_HEADER_LEN, Placed};
use super::read::Packs;
use super::record::{ArchiveId, Kind, RecordWriter};
use super::start::{self, Paths};
use super::view::Reads;
use crate::clock;
use crate::hash::Sha256;
use crate::ingest;
use crate::limits::{CATALOG_EVERY, COMMIT_INTERVAL, COMMIT_MESSAGES};
use crate::pulse::Pulse;

/// How long the writer waits for work before it makes the catalog durable and beats its pulse.
const IDLE: Duration = Duration::from_secs(1);

/// A message on its way into the archive.
pub struct NewMessage {
    pub message: ingest::Message,
    /// Number and archive time are filled in here.
    pub metadata: Metadata,
    pub folder: FolderNumber,
    pub remote: Vec<u8>,
    /// When the server received it, Unix seconds.
    pub received: Option<i64>,
    pub flags: Vec<String>,
    /// It is to be moved or deleted on the server once it is safe.
    pub after_due: bool,
    /// It is another rendering of this document.
    pub variant_of: Option<Number>,
    /// Who brings it, where a person does: bytes that lie where the person may not read become a document of their own, so
    /// that nobody gets to a document, and to what is noted on it, by having its bytes.
    pub brought_by: Option<Reads>,
    /// Told once the message is durable.
    pub ticket: Sender<Booked>,
}

/// The answer to a [`NewMessage`] or a note.
#[derive(Clone, Debug)]
pub struct Booked {
    pub remote: Vec<u8>,
    /// Bytes of the message.
    pub size: u64,
    pub outcome: std::result::Result<Outcome, Arc<ArchiveError>>,
}

/// What the writer is asked to do.
pub enum Task {
    Message(Box<NewMessage>),
    /// Ledger rows, cursors, settings, journal lines, runs: everything of a commit that brings no record. Lost without a
    /// word if the batch fails, so only for what would be noted again.
    Note(Box<Commit>),
    /// The same, committed at once and answered.
    Commit(Box<Commit>, Sender<std::result::Result<(), Arc<ArchiveError>>>),
    /// Gives a folder its number (`number` in the question does not count).
    Folder(Folder, Sender<std::result::Result<FolderNumber, Arc<ArchiveError>>>),
    /// Commits what waits and answers.
    Flush(Sender<std::result::Result<(), Arc<ArchiveError>>>),
    Rebuild(Sender<Result<Findings>>),
    /// Ends documents, committed at once with what is noted of it in the journal.
    End {
        /// The last commit that who decided it knew.
        decided: u64,
        numbers: Vec<Number>,
        why: Ending,
        journal: Vec<Event>,
        answer: Sender<std::result::Result<(), Arc<ArchiveError>>>,
    },
    /// Closes this pack if it is the one that is written.
    Close(u32, Sender<std::result::Result<(), Arc<ArchiveError>>>),
    /// These records of a pack were taken out of it.
    Erased(u32, Vec<u64>, Sender<std::result::Result<(), Arc<ArchiveError>>>),
    /// Changes the metadata of a document, committed at once with what is noted of it in the journal.
    Change {
        number: Number,
        change: Changing,
        answer: Sender<std::result::Result<(), Arc<ArchiveError>>>,
    },
}

/// Changes metadata as it is now, and says what the journal notes; an empty list: nothing was changed.
pub type Changing = Box<dyn FnOnce(&mut Metadata) -> Vec<Event> + Send>;

pub struct Writer {
    pub paths: Paths,
    pub archive: ArchiveId,
    pub keys: Keys,
    pub catalog: Arc<RwLock<Catalog>>,
    pub pulse: Pulse,
    pub options: Options,
    records: RecordWriter,
    appender: Option<Appender>,
    /// The highest pack that was closed to be rewritten: nothing is appended to it, also where a file system does not know of
    /// read-only files.
    closed: u32,
    batch: Batch,
    /// Commits since the catalog was last made durable.
    lagging: u32,
    /// A batch with notes was lost since the last flush: whoever sent them is not told otherwise.
    lost: Option<Arc<ArchiveError>>,
    /// All of them: who flushes last hears of one, but others may have sent notes of the same batch.
    pub losses: Arc<Losses>,
    /// Why nothing more is written; set once.
    pub stopped: Arc<OnceLock<String>>,
}

/// Batches with notes that were lost since the start.
#[derive(Debug, Default)]
pub struct Losses(Mutex<(u64, Option<Arc<ArchiveError>>)>);

impl Losses {
    /// How many, and why the last one was.
    pub fn get(&self) -> (u64, Option<Arc<ArchiveError>>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn add(&self, error: &Arc<ArchiveError>) {
        let mut losses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *losses = (losses.0 + 1, Some(error.clone()));
    }
}

#[derive(Default)]
struct Batch {
    commit: Commit,
    metadata: Vec<Metadata>,
    changes: Vec<Option<Metadata>>,
    offsets: Vec<Option<u64>>,
    by_hash: HashMap<Sha256, Number>,
    /// Bytes where the parts of this batch stand.
    parts: HashMap<Sha256, u64>,
    /// Place of a row in `commit.ledger`: a later word on the same message replaces the earlier one.
    ledger: HashMap<(FolderNumber, Vec<u8>), usize>,
    tickets: Vec<(Sender<Booked>, Booked)>,
    /// Something came without a ticket.
    has_notes: bool,
    since: Option<Instant>,
}

impl Batch {
    fn is_empty(&self) -> bool {
        self.since.is_none()
    }

    fn touch(&mut self) {
        self.since.get_or_insert_with(Instant::now);
    }

    fn book(&mut self, entry: Entry) {
        let key = (entry.folder, entry.remote.clone());
        if let Some(&place) = self.ledger.get(&key) {
            self.commit.ledger[place] = entry;
        } else {
            self.ledger.insert(key, self.commit.ledger.len());
            self.commit.ledger.push(entry);
        }
    }
}

/// A long record is progress all the way.
struct Beating<'a> {
    payload: &'a mut dyn Read,
    pulse: &'a Pulse,
}

impl Read for Beating<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.pulse.beat();
        self.payload.read(into)
    }
}

impl Writer {
    pub fn new(
        paths: Paths,
        archive: ArchiveId,
        keys: Keys,
        catalog: Arc<RwLock<Catalog>>,
        pulse: Pulse,
        options: Options,
    ) -> Result<Self> {
        let records = RecordWriter::new(archive, keys.clone()).map_err(ArchiveError::io(&paths.packs))?;
        Ok(Self {
            paths,
            archive,
            keys,
            catalog,
            pulse,
            options,
            records,
            appender: None,
            closed: 0,
            batch: Batch::default(),
            lagging: 0,
            lost: None,
            losses: Arc::default(),
            stopped: Arc::default(),
        })
    }

    /// Works until all who could ask are gone, then leaves a durable catalog behind. A panic stops it like a failed write.
    pub fn run(self, tasks: &Receiver<Task>) {
        let stopped = self.stopped.clone();
        if catch_unwind(AssertUnwindSafe(|| self.work(tasks))).is_err() {
            let _ = stopped.set("the writer panicked".into());
        }
    }

    fn work(mut self, tasks: &Receiver<Task>) {
        loop {
            let wait = match self.batch.since {
                Some(since) => COMMIT_INTERVAL.saturating_sub(since.elapsed()),
                None => IDLE,
            };
            let is_idle = match tasks.recv_timeout(wait) {
                Ok(task) => {
                    self.pulse.beat();
                    self.handle(task);
                    false
                }
                Err(RecvTimeoutError::Timeout) => true,
                Err(RecvTimeoutError::Disconnected) => break,
            };
            self.pulse.beat();
            let full = self.batch.commit.documents.len() >= COMMIT_MESSAGES
                || self.batch.tickets.len() >= 10 * COMMIT_MESSAGES;
            let late = self.batch.since.is_some_and(|since| since.elapsed() >= COMMIT_INTERVAL);
            if full || late {
                // Whoever waits is told by its ticket.
                let _ = self.commit_and_tell();
            } else if is_idle && self.batch.is_empty() && self.lagging > 0 {
                self.settle();
            }
        }
        let _ = self.commit_and_tell();
        self.settle();
    }

    fn handle(&mut self, task: Task) {
        match task {
            Task::Message(new) => {
                let ticket = new.ticket.clone();
                let (remote, size) = (new.remote.clone(), new.message.size);
                if let Err(error) = self.running().and_then(|()| self.add(*new).map_err(Arc::new)) {
                    self.fail(&error);
                    let _ = ticket.send(Booked { remote, size, outcome: Err(error) });
                }
            }
            Task::Note(note) => self.note(*note),
            Task::Commit(note, answer) => {
                // What waited before may fail for reasons of its own.
                let _ = self.commit_and_tell();
                self.note(*note);
                let _ = answer.send(self.commit_and_tell());
            }
            Task::Folder(folder, answer) => {
                // A number that is told must not be taken back with a batch that fails.
                let number = self.running().and_then(|()| self.folder(folder).map_err(Arc::new));
                let is_new = !self.batch.commit.folders.is_empty();
                let number =
                    number.and_then(|number| if is_new { self.commit_and_tell().map(|()| number) } else { Ok(number) });
                let _ = answer.send(number);
            }
            Task::Flush(answer) => {
                let flushed = self.commit_and_tell().and_then(|()| self.running());
                let _ = answer.send(match self.lost.take() {
                    Some(error) => Err(error),
                    None => flushed,
                });
            }
            Task::Change { number, change, answer } => {
                let _ = self.commit_and_tell();
                let changed = self.running().and_then(|()| self.change(number, change).map_err(Arc::new));
                let _ = answer.send(match changed {
                    Ok(()) => self.commit_and_tell(),
                    Err(error) => {
                        self.fail(&error);
                        Err(error)
                    }
                });
            }
            Task::End { decided, numbers, why, journal, answer } => {
                let _ = self.commit_and_tell();
                let ended = self.running().and_then(|()| self.end(decided, &numbers, why, journal).map_err(Arc::new));
                let _ = answer.send(ended.and_then(|()| self.commit_and_tell()));
            }
            Task::Close(number, answer) => {
                let closed = self.commit_and_tell().and_then(|()| self.running()).and_then(|()| {
                    self.closed = self.closed.max(number);
                    match self.appender.take_if(|pack| pack.number() == number) {
                        Some(pack) => pack.close(),
                        None => pack::close(&self.paths.disk, &self.paths.packs, number),
                    }
                    .map_err(Arc::new)
                });
                let _ = answer.send(closed);
            }
            Task::Erased(pack, offsets, answer) => {
                let erased = self.running().and_then(|()| {
                    self.catalog
                        .write()
                        .unwrap_or_else(PoisonError::into_inner)
                        .erased(pack, &offsets)
                        .map_err(Arc::new)
                });
                self.lagging += 1;
                let _ = answer.send(erased);
            }
            Task::Rebuild(answer) => {
                let _ = answer.send(self.rebuild());
            }
        }
    }

    fn running(&self) -> std::result::Result<(), Arc<ArchiveError>> {
        match self.stopped.get() {
            Some(what) => Err(Arc::new(ArchiveError::Stopped { what: what.clone() })),
            None => Ok(()),
        }
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Catalog> {
        self.catalog.read().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Opens the pack to append to.
    fn open_pack(&mut self) -> Result<()> {
        if self.appender.is_none() {
            let position = self.read().position();
            // Numbers of lost packs are not used again, so that a pack that turns up later fits.
            let packs = &self.paths.packs;
            let last = pack::numbers(packs)?.last().copied().unwrap_or(0).max(position.pack);
            // Nothing is ever written over: only a pack that ends with the last commit is gone on with.
            let goes_on = last > 0
                && last == position.pack
                && last > self.closed
                && position.end < self.options.pack_size
                && start::ends_with(&self.paths, &self.keys, position)?;
            let unused = last > position.pack && pack::size(packs, last)? == PACK_HEADER_LEN;
            self.appender = Some(if goes_on {
                Appender::reopen(&self.paths.disk, packs, last, position.end)?
            } else if unused {
                // It was begun, and its first commit failed.
                Appender::reopen(&self.paths.disk, packs, last, PACK_HEADER_LEN)?
            } else {
                Appender::create(&self.paths.disk, packs, last.saturating_add(1), self.archive, &self.keys)?
            });
        }
        Ok(())
    }

    fn add(&mut self, new: NewMessage) -> Result<()> {
        let NewMessage { mut message, mut metadata, folder, remote, .. } = new;
        let NewMessage { received, flags, after_due, variant_of, brought_by, ticket, .. } = new;
        let view = self.read().read()?;
        // Told a second time of a message that is safe: nothing is archived or counted twice.
        if let Some(entry) = view.entry(folder, &remote)?.filter(|entry| entry.outcome.document().is_some()) {
            let _ = ticket.send(Booked { remote, size: message.size, outcome: Ok(entry.outcome) });
            return Ok(());
        }
        // Told twice before it is safe: one place is one occurrence.
        let waits =
            self.batch.ledger.get(&(folder, remote.clone())).map(|&place| &self.batch.commit.ledger[place].outcome);
        if let Some(outcome) = waits.filter(|outcome| outcome.document().is_some()).cloned() {
            self.batch.tickets.push((ticket, Booked { remote, size: message.size, outcome: Ok(outcome) }));
            return Ok(());
        }
        let sha256 = message.sha256;
        let now = clock::now();
        let known = match self.batch.by_hash.get(&sha256) {
            Some(number) => Some(*number),
            None => view.by_hash(&sha256)?,
        };
        let known = match (known, &brought_by) {
            (Some(number), Some(reads)) if !view.may_read(reads, number)? => None,
            (known, _) => known,
        };
        // What ended does not come back, wherever it is still found.
        if let Some(number) = known
            && view.ended_row(number)?.is_some()
        {
            let outcome = Outcome::Deleted(number);
            let entry =
                Entry { folder, remote: remote.clone(), outcome: outcome.clone(), after_due: false, booked: now };
            self.batch.book(entry);
            self.batch.tickets.push((ticket, Booked { remote, size: message.size, outcome: Ok(outcome) }));
            self.batch.touch();
            return Ok(());
        }
        let variant_of = match variant_of {
            Some(document) if view.document_row(document)?.is_some() => Some(document),
            _ => None,
        };
        let (number, outcome) = if let Some(number) = known {
            (number, Outcome::Same(number))
        } else if let Some(document) = variant_of {
            let place = self.store(&view, &mut message)?;
            let variant = Variant { document, sha256, size: message.size, message: place };
            self.batch.commit.variants.push(variant);
            self.batch.by_hash.insert(sha256, document);
            (document, Outcome::Same(document))
        } else {
            let number = self.read().position().last_number + self.batch.commit.documents.len() as u64 + 1;
            metadata.number = number;
            metadata.archived = now;
            let encoded = minicbor::to_vec(&metadata).unwrap_or_default();
            let place = self.store(&view, &mut message)?;
            let document =
                self.append(Kind::Document, encoded.len() as u64, Sha256::of(&encoded), &mut &encoded[..])?;
            let new = NewDocument { number, sha256, size: message.size, message: place, document };
            self.batch.commit.documents.push(new);
            self.batch.metadata.push(metadata);
            // The first one is who has these bytes.
            self.batch.by_hash.entry(sha256).or_insert(number);
            (number, Outcome::Archived(number))
        };
        let occurrence = Occurrence { document: number, folder, remote: remote.clone(), seen: now, received, flags };
        self.batch.commit.occurrences.push(occurrence);
        self.batch.book(Entry { folder, remote: remote.clone(), outcome: outcome.clone(), after_due, booked: now });
        self.batch.tickets.push((ticket, Booked { remote, size: message.size, outcome: Ok(outcome) }));
        self.batch.touch();
        Ok(())
    }

    /// Appends a record that the commit of this batch will name; gives its place there.
    fn append(&mut self, kind: Kind, plain_len: u64, plain_sha256: Sha256, payload: &mut dyn Read) -> Result<u32> {
        let placed = self.put(kind, plain_len, plain_sha256, payload)?;
        self.batch.commit.records.push(Named::new(kind, placed.stored));
        self.batch.offsets.push(Some(placed.offset));
        Ok(u32::try_from(self.batch.offsets.len() - 1).unwrap_or(u32::MAX))
    }

    /// Ends documents: what the log says of it, and their rows in the ledger.
    fn end(&mut self, decided: u64, numbers: &[Number], why: Ending, journal: Vec<Event>) -> Result<()> {
        let view = self.read().read()?;
        let packs = Packs { folder: &self.paths.packs, archive: self.archive, keys: &self.keys };
        let (mut tombstones, mut entries) = (Vec::with_capacity(numbers.len()), Vec::new());
        let mut released = HashMap::new();
        let numbers: BTreeSet<Number> = numbers.iter().copied().collect();
        for number in numbers {
            self.pulse.beat();
            if view.is_seen_since(number, decided)? {
                return Err(ArchiveError::SeenAgain { number });
            }
            tombstones.push(ending::tombstone(packs, &view, number, why, &mut released)?);
            for seen in view.occurrences(number)? {
                let entry = view.entry(seen.folder, &seen.remote)?;
                if let Some(entry) = entry.filter(|entry| entry.outcome.document() == Some(number)) {
                    let outcome = Outcome::Deleted(number);
                    entries.push(Entry { outcome, after_due: false, booked: clock::now(), ..entry });
                }
            }
        }
        self.batch.commit.tombstones = tombstones;
        for entry in entries {
            self.batch.book(entry);
        }
        self.batch.commit.journal.extend(journal);
        self.batch.touch();
        Ok(())
    }

    fn put(&mut self, kind: Kind, plain_len: u64, plain_sha256: Sha256, payload: &mut dyn Read) -> Result<Placed> {
        self.open_pack()?;
        let Some(pack) = &mut self.appender else { return Err(ArchiveError::Stopped { what: "no pack".into() }) };
        let mut payload = Beating { payload, pulse: &self.pulse };
        pack.append(&mut self.records, kind, plain_len, plain_sha256, &mut payload)
    }

    fn change(&mut self, number: Number, change: Changing) -> Result<()> {
        let document = self.read().read()?.document(number)?.ok_or(ArchiveError::NoDocument { number })?;
        let mut metadata = document.metadata.clone();
        let events = change(&mut metadata);
        metadata.number = number;
        if metadata == document.metadata && events.is_empty() {
            return Ok(());
        }
        let encoded = minicbor::to_vec(&metadata).unwrap_or_default();
        let document = self.append(Kind::Document, encoded.len() as u64, Sha256::of(&encoded), &mut &encoded[..])?;
        self.batch.commit.changes.push(Change { number, document });
        self.batch.changes.push(Some(metadata));
        self.batch.commit.journal.extend(events);
        self.batch.touch();
        Ok(())
    }

    fn note(&mut self, note: Commit) {
        self.batch.touch();
        self.batch.has_notes = true;
        let mine = &mut self.batch.commit;
        mine.restarted.extend(note.restarted);
        for new in note.occurrences {
            let same =
                |old: &Occurrence| old.document == new.document && old.folder == new.folder && old.remote == new.remote;
            if !mine.occurrences.iter().any(same) {
                mine.occurrences.push(new);
            }
        }
        mine.cursors.retain(|old| note.cursors.iter().all(|new| new.folder != old.folder));
        mine.cursors.extend(note.cursors);
        mine.settings.retain(|old| note.settings.iter().all(|new| new.key != old.key));
        mine.settings.extend(note.settings);
        mine.journal.extend(note.journal);
        mine.runs.extend(note.runs);
        mine.blocks.extend(note.blocks);
        for entry in note.ledger {
            self.batch.book(entry);
        }
    }

    fn folder(&mut self, mut folder: Folder) -> Result<FolderNumber> {
        let view = self.read().read()?;
        if let Some(number) = view.folder_number(&folder.definition, &folder.mailbox, &folder.id)? {
            folder.number = number;
            if view.folder(number)?.is_some_and(|row| row.folder == folder) {
                return Ok(number);
            }
        } else {
            // Each new folder is committed at once, so none is pending.
            folder.number = self.read().position().last_folder + 1;
        }
        let number = folder.number;
        self.batch.commit.folders.push(folder);
        self.batch.touch();
        Ok(number)
    }

    /// Takes back an unfinished batch; everybody who waits for it is told.
    fn fail(&mut self, error: &Arc<ArchiveError>) {
        let batch = std::mem::take(&mut self.batch);
        if batch.has_notes {
            self.lost = Some(error.clone());
            self.losses.add(error);
        }
        if let Some(appender) = &mut self.appender
            && let Err(error) = appender.roll_back()
        {
            // What lies behind the last commit is put aside at the next start.
            let _ = self.stopped.set(error.to_string());
        }
        for (ticket, booked) in batch.tickets {
            let _ = ticket.send(Booked { outcome: Err(error.clone()), ..booked });
        }
    }

    fn commit_and_tell(&mut self) -> std::result::Result<(), Arc<ArchiveError>> {
        if self.batch.is_empty() {
            return Ok(());
        }
        match self.running().and_then(|()| self.commit().map_err(Arc::new)) {
            Ok(()) => {
                for (ticket, booked) in std::mem::take(&mut self.batch).tickets {
                    let _ = ticket.send(booked);
                }
                Ok(())
            }
            Err(error) => {
                self.fail(&error);
                Err(error)
            }
        }
    }

    fn commit(&mut self) -> Result<()> {
        let position = self.read().position();
        self.batch.commit.sequence = position.sequence + 1;
        self.batch.commit.previous = if position.sequence == 0 { Sha256::of(&self.archive) } else { position.commit };
        self.batch.commit.time = clock::now();
        let encoded = minicbor::to_vec(&self.batch.commit).unwrap_or_default();
        let Placed { offset: start, stored } =
            self.put(Kind::Commit, encoded.len() as u64, Sha256::of(&encoded), &mut &encoded[..])?;
        let link = self.batch.commit.link(stored.sha256);
        let Some(appender) = &mut self.appender else { return Err(ArchiveError::Stopped { what: "no pack".into() }) };
        appender.append_link(link)?;
        if let Err(error) = appender.sync() {
            // After a failed sync the kernel takes what it could not write for written; reading it back proves nothing. It
            // is cut off ([`Self::fail`]), and nothing is written until the next start.
            let _ = self.stopped.set(error.to_string());
            return Err(error);
        }
        let (pack, end) = (appender.number(), appender.end());
        let applied = Applied {
            commit: &self.batch.commit,
            link,
            pack,
            start,
            end,
            offsets: &self.batch.offsets,
            metadata: &self.batch.metadata,
            changes: &self.batch.changes,
        };
        let result = self.catalog.write().unwrap_or_else(std::sync::PoisonError::into_inner).apply(&applied);
        if let Err(error) = result {
            // The log is ahead now: the next start replays it.
            let _ = self.stopped.set(error.to_string());
            self.appender = None;
            return Err(error);
        }
        self.lagging += 1;
        if self.lagging >= CATALOG_EVERY {
            self.settle();
        }
        if end >= self.options.pack_size
            && let Some(full) = self.appender.take()
        {
            // Read-only is a courtesy; some file systems do not know it.
            let _ = full.close();
        }
        Ok(())
    }

    /// Makes the catalog durable. Where that fails the log carries it; redb takes nothing more after an I/O error, so the
    /// reason is kept for whoever comes next.
    fn settle(&mut self) {
        if self.stopped.get().is_some() {
            return;
        }
        let settled = self.read().make_durable();
        match settled {
            Ok(()) => self.lagging = 0,
            Err(error) => drop(self.stopped.set(error.to_string())),
        }
    }

    fn rebuild(&mut self) -> Result<Findings> {
        if let Err(error) = self.running().and_then(|()| self.commit_and_tell()) {
            return Err(ArchiveError::Stopped { what: error.to_string() });
        }
        self.appender = None;
        let mut findings = Findings::default();
        let mut catalog = self.catalog.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        let known = catalog.position();
        let rebuilt = start::rebuild(&self.paths, self.archive, &self.keys, known, &self.pulse, &mut findings);
        match rebuilt {
            Ok(new) => {
                *catalog = new;
                Ok(findings)
            }
            Err(error) => {
                let _ = self.stopped.set(error.to_string());
                Err(error)
            }
        }
    }
}
