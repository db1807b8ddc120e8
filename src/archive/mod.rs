//! The archive: packs (the log, the one truth), the catalog (a view of it), and the proof that both are whole.
//!
//! Rules of the room: only this room writes packs and document rows. It knows nothing of mail servers, schedules or pages.
//! A message comes in through [`Archive::send`] and is answered when it is durable; everything is read through a [`View`].
//!
//! - `record`: one record, `pack`: a file of records, `commit`: what a commit says, `journal`: who did what, as it says it, `log`: packs read as commits
//! - `catalog`: the view in redb, `rows`: its tables, `view`: reading it, `start`: opening and healing, `writer`: the one thread that writes
//! - `disk`: what all of these change on disk
//! - `growth`: where it stood at a moment
//! - `split`: attachments out of messages and back
//! - `read`: a message put together again, `ending`: how a document ends, `erase`: its records out of their packs
//! - `verify`: the proof, `scrub`: the slow half of it, `chain`: as much of it as there is without the key, `keys`: the archive key and sealed secrets, `recovery`: the key on paper, `error`: what can go wrong
//! - `history`: the log as a text for others, `checkpoint`: what is signed of it, `device`: the key that signs

pub mod catalog;
mod chain;
pub mod checkpoint;
pub mod commit;
pub mod device;
pub mod disk;
mod ending;
mod erase;
pub mod error;
pub mod growth;
pub mod history;
pub mod journal;
pub mod keys;
pub mod log;
pub mod pack;
pub mod read;
pub mod record;
pub mod recovery;
pub mod rows;
pub mod scrub;
pub mod split;
pub mod start;
pub mod verify;
pub mod view;
pub mod writer;

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, channel, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;

use catalog::Catalog;
use commit::{Block, Commit, Ending, Event, Folder, FolderNumber, Happening, Number};
use device::Device;
pub use error::{ArchiveError, Result};
use keys::Keys;
use log::Findings;
use read::Packs;
use record::ArchiveId;
use rows::Document;
use start::Paths;
use view::View;
use writer::{Changing, Losses, Task, Writer};

use crate::clock;
use crate::hash::Sha256;
use crate::limits::{DOCUMENTS_AT_ONCE, ERASE_AT_ONCE, INGEST_QUEUE, PACK_SIZE};
use crate::pulse::{self, Pulse};

/// Time between two looks at a full queue; a small message is packed in less.
const FULL_QUEUE: Duration = Duration::from_millis(1);
/// Time between two signs of life while an answer is waited for.
const SLOW_ANSWER: Duration = Duration::from_secs(1);

/// How an archive is written. Every reader reads what either of them made.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Bytes; a pack is closed after the commit that passes them.
    pub pack_size: u64,
    /// Attachments are stored apart from their messages, once each.
    pub is_splitting: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { pack_size: PACK_SIZE, is_splitting: true }
    }
}

/// An open data folder. One per process; shared by reference between threads.
pub struct Archive {
    paths: Paths,
    id: ArchiveId,
    keys: Keys,
    catalog: Arc<RwLock<Catalog>>,
    queue: Option<SyncSender<Task>>,
    writer: Option<JoinHandle<()>>,
    findings: Findings,
    stopped: Arc<OnceLock<String>>,
    losses: Arc<Losses>,
    /// Held while packs are rewritten or verified: either would take the other's work for damage.
    upkeep: Mutex<()>,
    /// Held while a checkpoint is made.
    signing: Mutex<()>,
    // Last: the folder is let go of when all else is closed.
    _lock: File,
}

/// What waited for a commit that failed shares its error.
pub fn shared(error: &ArchiveError) -> ArchiveError {
    match error {
        ArchiveError::Io { path, source } => {
            let source = std::io::Error::new(source.kind(), source.to_string());
            ArchiveError::Io { path: path.clone(), source }
        }
        ArchiveError::Stopped { what } => ArchiveError::Stopped { what: what.clone() },
        other => ArchiveError::Stopped { what: other.to_string() },
    }
}

fn ended() -> ArchiveError {
    ArchiveError::Stopped { what: "the archive's writer has ended".into() }
}

impl Archive {
    /// Opens `data`, makes it if it is missing, heals what can be healed. `pulse` is the writer's.
    pub fn open(data: &Path, pulse: &Pulse) -> Result<Self> {
        Self::open_with(data, pulse, Options::default())
    }

    /// [`Self::open`], writing in another way than the box does.
    pub fn open_with(data: &Path, pulse: &Pulse, options: Options) -> Result<Self> {
        Self::open_in(Paths::new(data), pulse, options)
    }

    /// [`Self::open_with`], on a disk that may be recorded.
    pub fn open_in(paths: Paths, pulse: &Pulse, options: Options) -> Result<Self> {
        paths.make()?;
        let lock = start::lock(&paths)?;
        let started = start::start(&paths, pulse)?;
        let catalog = Arc::new(RwLock::new(started.catalog));
        let (id, keys) = (started.archive, started.keys);
        let writer = Writer::new(paths.clone(), id, keys.clone(), catalog.clone(), pulse.clone(), options)?;
        let (stopped, losses) = (writer.stopped.clone(), writer.losses.clone());
        // Where there is no room for it, signing tries again, and tells; what is archived needs it not.
        let _ = Device::open(&paths.disk, &paths.keys);
        let (queue, tasks): (_, Receiver<Task>) = sync_channel(INGEST_QUEUE);
        let writer = std::thread::Builder::new()
            .name("archive".into())
            .spawn(move || writer.run(&tasks))
            .map_err(ArchiveError::io(&paths.data))?;
        let archive = Self {
            paths,
            id,
            keys,
            catalog,
            queue: Some(queue),
            writer: Some(writer),
            findings: started.findings,
            stopped,
            losses,
            upkeep: Mutex::new(()),
            signing: Mutex::default(),
            _lock: lock,
        };
        archive.note_recovery();
        Ok(archive)
    }

    /// Has the journal know that the key was taken from a sheet. Not before there is a commit: an empty folder may wait for the
    /// packs of the archive, and must not begin one of its own. Where it fails, the next start tries again.
    fn note_recovery(&self) {
        let is_begun =
            || self.view().and_then(|view| view.position()).is_ok_and(|at| at.is_some_and(|at| at.sequence > 0));
        if let Some(who) = recovery::recovered_by(&self.paths.keys).filter(|_| is_begun()) {
            let noted = self.journal(&who, Happening::Recovered);
            let _ = noted.and_then(|()| recovery::is_noted(&self.paths.disk, &self.paths.keys));
        }
    }

    pub fn id(&self) -> ArchiveId {
        self.id
    }

    pub fn paths(&self) -> &Paths {
        &self.paths
    }

    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The device key; made where it is missing.
    pub fn device(&self) -> Result<Device> {
        Device::open(&self.paths.disk, &self.paths.keys)
    }

    /// One checkpoint is made at a time. Waits for its turn, and beats meanwhile.
    pub fn signing(&self, pulse: &Pulse) -> Result<MutexGuard<'_, ()>> {
        pulse::turn(&self.signing, &mut || Ok(pulse.go_on()?))
    }

    /// What the start healed or found damaged.
    pub fn findings(&self) -> &Findings {
        &self.findings
    }

    /// Why the writer takes nothing any more (a failed sync); it goes on after a restart of the process.
    pub fn stopped(&self) -> Option<String> {
        self.stopped.get().cloned()
    }

    /// The catalog as it is now.
    pub fn view(&self) -> Result<View> {
        self.catalog.read().unwrap_or_else(PoisonError::into_inner).read()
    }

    /// When the last commit was made, Unix seconds; `None` where there is none yet.
    pub fn last_commit(&self) -> Result<Option<i64>> {
        let Some(last) = self.view()?.position()?.filter(|last| last.sequence > 0) else { return Ok(None) };
        let mut plain = Vec::new();
        let read = pack::read(&self.paths.packs, self.id, &self.keys, last.pack, last.start, &mut plain)?;
        let commit = read.and_then(|_| minicbor::decode::<Commit>(&plain).map_err(|error| error.to_string()));
        let path = pack::path(&self.paths.packs, last.pack);
        commit.map(|commit| Some(commit.time)).map_err(|what| ArchiveError::Damaged { path, offset: last.start, what })
    }

    /// Hands a task to the writer; waits while its queue is full. Who waits for the writer is alive as long as the writer
    /// is, so the waiting beats the pulse of this thread's role; the writer's own pulse is watched for itself.
    pub fn send(&self, mut task: Task) -> Result<()> {
        let queue = self.queue.as_ref().ok_or_else(ended)?;
        loop {
            match queue.try_send(task) {
                Ok(()) => return Ok(()),
                Err(TrySendError::Disconnected(_)) => return Err(ended()),
                Err(TrySendError::Full(again)) => task = again,
            }
            pulse::beat_own();
            std::thread::sleep(FULL_QUEUE);
        }
    }

    fn ask<T>(&self, task: impl FnOnce(std::sync::mpsc::Sender<T>) -> Task) -> Result<T> {
        let (answer, waits) = channel();
        self.send(task(answer))?;
        loop {
            match waits.recv_timeout(SLOW_ANSWER) {
                Ok(answer) => return Ok(answer),
                Err(RecvTimeoutError::Disconnected) => return Err(ended()),
                Err(RecvTimeoutError::Timeout) => pulse::beat_own(),
            }
        }
    }

    /// Commits what was sent so far; durable on return.
    pub fn flush(&self) -> Result<()> {
        self.ask(Task::Flush)?.map_err(|error| shared(&error))
    }

    /// How many batches with notes were lost so far. Several who send notes side by side share their batches, and
    /// [`Self::flush`] tells one of them only: whoever has to know looks before it sends, and after its flush.
    pub fn losses(&self) -> u64 {
        self.losses.get().0
    }

    /// [`Self::flush`]; fails too where a batch was lost since [`Self::losses`] were `before`, whoever heard of it.
    pub fn flush_all(&self, before: u64) -> Result<()> {
        self.flush()?;
        match self.losses.get() {
            (now, Some(error)) if now != before => Err(shared(&error)),
            _ => Ok(()),
        }
    }

    /// Commits a note at once; durable on return.
    pub fn commit(&self, note: Commit) -> Result<()> {
        self.ask(|answer| Task::Commit(Box::new(note), answer))?.map_err(|error| shared(&error))
    }

    /// The number of a folder of a mailbox; given at its first mention.
    pub fn folder(&self, folder: Folder) -> Result<FolderNumber> {
        self.ask(|answer| Task::Folder(folder, answer))?.map_err(|error| shared(&error))
    }

    /// Writes a line of the journal.
    pub fn journal(&self, who: &str, what: Happening) -> Result<()> {
        let event = Event { time: clock::now(), who: who.into(), what };
        self.commit(Commit { journal: vec![event], ..Commit::default() })
    }

    /// Changes the metadata of a document; durable on return.
    pub fn change(&self, number: Number, change: Changing) -> Result<()> {
        self.ask(|answer| Task::Change { number, change, answer })?.map_err(|error| shared(&error))
    }

    /// Writes a line of the journal with the next commit: for what happens often and need not be waited for.
    pub fn journal_soon(&self, who: &str, what: Happening) -> Result<()> {
        let event = Event { time: clock::now(), who: who.into(), what };
        self.send(Task::Note(Box::new(Commit { journal: vec![event], ..Commit::default() })))
    }

    /// Makes the catalog anew from the packs, with the same numbers.
    pub fn rebuild_catalog(&self) -> Result<Findings> {
        self.ask(Task::Rebuild)?
    }

    /// Calls `each` with every document, ascending, until it says stop (`false`). What is archived meanwhile is seen too.
    pub fn documents<E: From<ArchiveError>>(
        &self,
        mut each: impl FnMut(&View, Number, &Document) -> std::result::Result<bool, E>,
    ) -> std::result::Result<(), E> {
        let mut after = 0;
        loop {
            let view = self.view()?;
            let some = view.documents(after, DOCUMENTS_AT_ONCE)?;
            let Some((last, _)) = some.last() else { return Ok(()) };
            after = *last;
            for (number, document) in &some {
                if !each(&view, *number, document)? {
                    return Ok(());
                }
            }
        }
    }

    /// Writes the raw bytes of a document, byte for byte as they came, and checks their hash: on an error, what was
    /// written is worth nothing.
    pub fn read(&self, number: Number, out: &mut dyn Write) -> Result<()> {
        let document = self.view()?.document(number)?.ok_or(ArchiveError::NoDocument { number })?;
        let damaged = |what: String| ArchiveError::DocumentDamaged { number, what };
        let Some(offset) = document.offset else {
            return Err(damaged("its bytes were missing when the catalog was made".into()));
        };
        let find = |hash: &Sha256| self.view()?.part(hash);
        let read = read::message(self.packs(), (document.pack, offset), document.size, &find, out)?;
        if read.map_err(damaged)? != document.sha256 {
            return Err(ArchiveError::DocumentDamaged { number, what: "its record holds another message".into() });
        }
        Ok(())
    }

    /// Waits for its turn with the packs; a verification may take hours.
    fn alone(&self, beat: &mut dyn FnMut() -> Result<()>) -> Result<MutexGuard<'_, ()>> {
        pulse::turn(&self.upkeep, beat)
    }

    fn packs(&self) -> Packs<'_> {
        Packs { folder: &self.paths.packs, archive: self.id, keys: &self.keys }
    }

    /// Keeps a document from all but those who read everything, or no longer; durable on return.
    pub fn block(&self, who: &str, number: Number, is_blocked: bool) -> Result<()> {
        let view = self.view()?;
        view.document_row(number)?.ok_or(ArchiveError::NoDocument { number })?;
        if view.is_blocked(number)? == is_blocked {
            return Ok(());
        }
        let what = if is_blocked { Happening::Blocked(number) } else { Happening::Unblocked(number) };
        let event = Event { time: clock::now(), who: who.into(), what };
        let blocks = vec![Block { number, is_blocked }];
        self.commit(Commit { blocks, journal: vec![event], ..Commit::default() })
    }

    /// Ends documents for good, with what the journal says of it; durable on return. Whether they may end is the caller's
    /// question. Their bytes go with [`Self::erase`].
    pub fn end(&self, numbers: Vec<Number>, why: Ending, journal: Vec<Event>) -> Result<()> {
        self.end_decided(u64::MAX, numbers, why, journal)
    }

    /// [`Self::end`], as it was decided when `sequence` was the last commit: none of them ends, with
    /// [`ArchiveError::SeenAgain`], where one was seen in a further place since, of which the decision did not know.
    pub fn end_decided(&self, sequence: u64, numbers: Vec<Number>, why: Ending, journal: Vec<Event>) -> Result<()> {
        let answer = self.ask(|answer| Task::End { decided: sequence, numbers, why, journal, answer })?;
        answer.map_err(|error| match *error {
            ArchiveError::SeenAgain { number } => ArchiveError::SeenAgain { number },
            _ => shared(&error),
        })
    }

    /// Takes the records of ended documents out of their packs, and empties `recovered/` where there were any; gives how many bytes
    /// became free. Needs room for a copy of one pack. `beat` is called on every step; its error ends the work, and what was not
    /// done is done the next time. Waits while the archive is verified, and the other way round.
    pub fn erase(&self, beat: &mut dyn FnMut() -> Result<()>) -> Result<u64> {
        let mut freed = 0;
        loop {
            let due = self.view()?.erase_due(None, ERASE_AT_ONCE)?;
            let Some(&(number, ..)) = due.first() else { break };
            let due: Vec<(u64, u64)> =
                due.into_iter().take_while(|(pack, ..)| *pack == number).map(|(_, at, why)| (at, why)).collect();
            self.ask(|answer| Task::Close(number, answer))?.map_err(|error| shared(&error))?;
            {
                let _alone = self.alone(beat)?;
                freed += erase::rewrite(&self.paths.disk, self.packs(), number, &due, beat)?;
                let offsets = due.into_iter().map(|(offset, _)| offset).collect();
                self.ask(|answer| Task::Erased(number, offsets, answer))?.map_err(|error| shared(&error))?;
            }
            erase::purge(&self.paths.disk, &self.paths.recovered)?;
        }
        Ok(freed)
    }
}

impl Drop for Archive {
    /// Commits what was sent, leaves a durable catalog, and only then lets go of the folder.
    fn drop(&mut self) {
        self.queue = None;
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}
