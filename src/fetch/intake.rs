//! Messages on their way in: what every lane of a source feeds, and the count of what is settled.
//!
//! A [`Lane`] is the sink of one connection. It spools, hashes and reads its message alone, so that lanes do not wait for
//! each other, and takes the [`Intake`] for a moment when the message is whole.

use std::collections::HashSet;
use std::io::{self, Write};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::progress::{Meter, Watch};
use super::variants::Variants;
use crate::archive::commit::{Commit, Entry, FolderNumber, LeftOut, Metadata, Occurrence, Outcome, Run};
use crate::archive::writer::{Booked, NewMessage, Task};
use crate::archive::{Archive, ArchiveError};
use crate::clock;
use crate::ingest::{Defect, Head, Incoming, Spool};
use crate::settings::Definition;
use crate::source::{Arrival, Missing, RemoteId, Sink};

/// Wait before the first further try of a message that could not be had; doubled at each try.
const FIRST_AGAIN: i64 = 15 * 60;
/// Longest wait between two tries, seconds.
pub const LONGEST_REST: i64 = 24 * 3600;
/// Time between two signs of progress.
const SHOW_EVERY: Duration = Duration::from_millis(100);

/// Wait before a message that was gone is looked for once more, seconds.
const GONE_AGAIN: i64 = 3600;
/// Wait before a draft is looked at again: a sent one keeps its id. Seconds.
const DRAFT_AGAIN: i64 = 24 * 3600;

/// What comes into one folder.
pub struct Intake<'a> {
    pub archive: &'a Archive,
    pub spool: &'a Spool,
    pub definition: &'a Definition,
    pub folder: FolderNumber,
    /// Archived messages are to be moved or deleted.
    pub after_due: bool,
    /// Drafts are left out: they keep their ids when they are sent.
    pub without_drafts: bool,
    /// What the definition before archived of this mailbox.
    pub variants: Option<&'a Variants>,
    pub run: &'a mut Run,
    pub meter: Meter,
    pub watch: &'a mut dyn Watch,
    /// Asked for and not settled yet.
    open: HashSet<RemoteId>,
    ticket: Sender<Booked>,
    tickets: Receiver<Booked>,
    error: Option<std::sync::Arc<ArchiveError>>,
    /// Of the archive, before anything was handed over.
    losses: u64,
    shown: Instant,
}

impl<'a> Intake<'a> {
    pub fn new(
        archive: &'a Archive,
        spool: &'a Spool,
        definition: &'a Definition,
        folder: FolderNumber,
        run: &'a mut Run,
        meter: Meter,
        watch: &'a mut dyn Watch,
    ) -> Self {
        let (ticket, tickets) = channel();
        Self {
            archive,
            spool,
            definition,
            folder,
            after_due: false,
            without_drafts: false,
            variants: None,
            run,
            meter,
            watch,
            open: HashSet::new(),
            ticket,
            tickets,
            error: None,
            losses: archive.losses(),
            shown: Instant::now(),
        }
    }

    /// These are asked for next.
    pub fn expect(&mut self, ids: &[RemoteId]) {
        self.open.extend(ids.iter().cloned());
    }

    /// Which of `ids` are not settled, in their order, when `asked` was asked for.
    pub fn unsettled(&self, ids: &[RemoteId], asked: &[RemoteId]) -> Vec<RemoteId> {
        let asked: HashSet<&RemoteId> = asked.iter().collect();
        ids.iter().filter(|id| self.open.contains(id) || !asked.contains(id)).cloned().collect()
    }

    /// Books a message that is not archived.
    pub fn book(&mut self, id: RemoteId, outcome: Outcome) -> Result<(), ArchiveError> {
        self.run.seen += 1;
        match &outcome {
            Outcome::LeftOut { .. } => self.run.left_out += 1,
            _ => self.run.failed += 1,
        }
        self.meter.done += 1;
        self.open.remove(&id);
        let entry = Entry { folder: self.folder, remote: id.0, outcome, after_due: false, booked: clock::now() };
        self.archive.send(Task::Note(Box::new(Commit { ledger: vec![entry], ..Commit::default() })))
    }

    /// Books a message that the server listed and no longer knows. Looked for once more: a server may know of a message
    /// before it can give it.
    fn book_gone(&mut self, id: RemoteId) -> Result<(), ArchiveError> {
        let before = self.archive.view()?.entry(self.folder, &id.0)?.map(|entry| entry.outcome);
        let again = match before {
            Some(Outcome::LeftOut { why: LeftOut::Gone, .. }) => None,
            _ => Some(clock::now() + GONE_AGAIN),
        };
        self.book(id, Outcome::LeftOut { why: LeftOut::Gone, again })
    }

    /// Books a draft.
    pub fn book_draft(&mut self, id: RemoteId) -> Result<(), ArchiveError> {
        self.book(id, Outcome::LeftOut { why: LeftOut::Draft, again: Some(clock::now() + DRAFT_AGAIN) })
    }

    /// Books a message that is known from another folder of its mailbox: one more place, and no second download.
    pub fn book_moved(&mut self, id: RemoteId, from: Occurrence) -> Result<(), ArchiveError> {
        self.run.seen += 1;
        self.run.same += 1;
        self.meter.done += 1;
        let now = clock::now();
        let occurrence = Occurrence { folder: self.folder, seen: now, ..from };
        let outcome = Outcome::Same(occurrence.document);
        let entry = Entry { folder: self.folder, remote: id.0, outcome, after_due: self.after_due, booked: now };
        let note = Commit { ledger: vec![entry], occurrences: vec![occurrence], ..Commit::default() };
        self.archive.send(Task::Note(Box::new(note)))
    }

    /// Books a message that could not be had; how long it rests depends on how often it was tried.
    pub fn book_failure(&mut self, id: RemoteId, why: String) -> Result<(), ArchiveError> {
        let before = match self.archive.view()?.entry(self.folder, &id.0)?.map(|entry| entry.outcome) {
            Some(Outcome::Failed { tries, .. }) => tries,
            _ => 0,
        };
        let rest = FIRST_AGAIN.saturating_mul(1 << before.min(10)).min(LONGEST_REST);
        let outcome = Outcome::Failed { why, tries: before + 1, again: clock::now() + rest };
        self.book(id, outcome)
    }

    /// Commits what was handed over and waits for every answer. On an error, what is not acknowledged is asked for again
    /// by the next run.
    pub fn settle(&mut self) -> Result<(), ArchiveError> {
        let flushed = self.archive.flush_all(self.losses);
        self.hear();
        self.meter.show(self.run.archived, self.watch);
        if let Some(error) = self.error.take() {
            return Err(crate::archive::shared(&error));
        }
        flushed
    }

    /// Takes the answers that are there.
    fn hear(&mut self) {
        while let Ok(booked) = self.tickets.try_recv() {
            match booked.outcome {
                Ok(Outcome::Archived(_)) => self.run.archived += 1,
                // It ended in the archive, and is still on the server.
                Ok(Outcome::Deleted(_)) => self.run.left_out += 1,
                Ok(_) => self.run.same += 1,
                Err(error) => {
                    self.error.get_or_insert(error);
                    continue;
                }
            }
            self.run.seen += 1;
            self.run.bytes += booked.size;
            self.meter.done += 1;
        }
        if self.shown.elapsed() >= SHOW_EVERY {
            self.shown = Instant::now();
            self.meter.show(self.run.archived, self.watch);
        }
    }

    fn metadata(&self, head: Head, reconstructed: bool) -> Metadata {
        let map = &self.definition.fields;
        let targets =
            [(&map.from, &head.from), (&map.cc, &head.cc), (&map.to, &head.to), (&map.subject, &head.subject)];
        let mut fields = std::collections::BTreeMap::<String, String>::new();
        for (target, value) in targets {
            if let Some(target) = target
                && !value.is_empty()
            {
                // Two fields of the mail may go into one of the document.
                let field = fields.entry(target.clone()).or_default();
                if !field.is_empty() {
                    field.push_str(", ");
                }
                field.push_str(value);
            }
        }
        let mut metadata = Metadata { fields, owner: self.definition.owner.clone(), ..head.into() };
        metadata.defects.extend(reconstructed.then_some(Defect::Reconstructed.code()));
        metadata
    }

    /// A message is whole.
    fn arrived(&mut self, message: Incoming, arrival: Arrival) -> io::Result<()> {
        if !self.open.remove(&arrival.id) {
            return Ok(());
        }
        // It may have become one, or have been one all the time, since it was listed.
        if self.without_drafts && arrival.flags.iter().any(|flag| flag == "\\Draft") {
            return self.book_draft(arrival.id).map_err(|error| archive_error(&error));
        }
        let mut message = message.finish()?;
        let metadata = self.metadata(std::mem::take(&mut message.head), arrival.reconstructed);
        let variant_of = match self.variants {
            Some(variants) => {
                variants.find(self.archive, &metadata, &mut message).map_err(|error| archive_error(&error))?
            }
            None => None,
        };
        let new = NewMessage {
            variant_of,
            brought_by: None,
            message,
            metadata,
            folder: self.folder,
            remote: arrival.id.0,
            received: arrival.received,
            flags: arrival.flags,
            after_due: self.after_due,
            ticket: self.ticket.clone(),
        };
        self.archive.send(Task::Message(Box::new(new))).map_err(|error| archive_error(&error))?;
        self.hear();
        match &self.error {
            Some(error) => Err(archive_error(error)),
            None => Ok(()),
        }
    }

    fn missing(&mut self, id: RemoteId, why: Missing) -> io::Result<()> {
        if !self.open.contains(&id) {
            return Ok(());
        }
        let booked = match why {
            Missing::Gone => self.book_gone(id),
            Missing::Refused(words) => self.book_failure(id, format!("the server refuses it: {words}")),
            Missing::NoBody => self.book_failure(id, "the server sends it without its content".into()),
        };
        booked.map_err(|error| archive_error(&error))
    }

    /// Bytes came, on whichever lane.
    fn received(&mut self, bytes: u64) {
        self.meter.bytes += bytes;
        if self.shown.elapsed() >= SHOW_EVERY {
            self.hear();
        }
    }
}

fn archive_error(error: &ArchiveError) -> io::Error {
    io::Error::other(error.to_string())
}

/// Bytes that a lane counts alone before it tells.
const TELL_EVERY: u64 = 256 * 1024;

/// The sink of one connection.
pub struct Lane<'l, 'a> {
    intake: &'l Mutex<&'l mut Intake<'a>>,
    spool: &'l Spool,
    incoming: Option<Incoming>,
    untold: u64,
}

impl<'l, 'a> Lane<'l, 'a> {
    pub fn new(intake: &'l Mutex<&'l mut Intake<'a>>, spool: &'l Spool) -> Self {
        Self { intake, spool, incoming: None, untold: 0 }
    }

    fn intake(&mut self) -> MutexGuard<'l, &'l mut Intake<'a>> {
        let mut intake = self.intake.lock().unwrap_or_else(PoisonError::into_inner);
        intake.received(std::mem::take(&mut self.untold));
        intake
    }
}

impl Sink for Lane<'_, '_> {
    fn begin(&mut self, len: Option<u64>) -> io::Result<()> {
        self.spool.keep_reserve(len.unwrap_or_default())?;
        self.incoming = Some(Incoming::new(self.spool));
        Ok(())
    }

    fn data(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.untold += bytes.len() as u64;
        if self.untold >= TELL_EVERY {
            drop(self.intake());
        }
        match &mut self.incoming {
            Some(incoming) => incoming.write_all(bytes),
            None => Ok(()),
        }
    }

    fn end(&mut self, arrival: Arrival) -> io::Result<()> {
        let Some(incoming) = self.incoming.take() else { return Ok(()) };
        self.intake().arrived(incoming, arrival)
    }

    fn abort(&mut self) {
        self.incoming = None;
    }

    fn missing(&mut self, id: RemoteId, why: Missing) -> io::Result<()> {
        self.intake().missing(id, why)
    }
}
