//! One folder of a mailbox in one run: what is new, what is due again, what was lost, and what is still to be done on the
//! server.

use std::time::Instant;

use super::FetchError;
use super::after;
use super::intake::Intake;
use super::progress::{Meter, Watch};
use crate::archive::Archive;
use crate::archive::commit::{self, Commit, FolderCursor, FolderNumber, LeftOut, Outcome, Run};
use crate::archive::writer::Task;
use crate::clock;
use crate::ingest::Spool;
use crate::settings::{AfterArchiving, Definition};
use crate::source::{Cursor, Folder, Listed, MailSource, Mailbox, RemoteId, Retry, Sink, SourceError};

/// Time after which all ids of a folder are compared with the ledger again, seconds.
const RECONCILE_EVERY: i64 = 24 * 3600;
/// Messages that are looked at again in one go.
const AGAIN_AT_ONCE: usize = 1000;
/// How often the connection may break at the same message before that message is booked as failed.
const BREAKS: u32 = 3;

pub struct FolderJob<'a> {
    pub archive: &'a Archive,
    pub spool: &'a Spool,
    pub definition: &'a Definition,
    pub mailbox: &'a Mailbox,
    pub folder: &'a Folder,
    /// All folders of the mailbox.
    pub all: &'a [Folder],
    pub run: &'a mut Run,
    pub watch: &'a mut dyn Watch,
}

impl FolderJob<'_> {
    /// Brings the folder to its end. After an error everything booked so far stays booked.
    pub fn run(&mut self, source: &mut dyn MailSource) -> Result<(), FetchError> {
        let number = self.archive.folder(commit::Folder {
            number: 0,
            definition: self.definition.name.clone(),
            mailbox: self.mailbox.id.clone(),
            id: self.folder.id.clone(),
            name: self.folder.name.clone(),
            mailbox_name: self.mailbox.name.clone(),
        })?;
        // What a kill or an outage left undone.
        self.after(source, number)?;
        let old = self.archive.view()?.cursor(number)?;
        let mut cursor = old.as_ref().map(|old| Cursor(old.cursor.clone()));
        let mut reconciled = old.as_ref().and_then(|old| old.reconciled);
        let dates = self.definition.min_age_days > 0;
        let last = loop {
            let page = source.changes(self.mailbox, self.folder, cursor.as_ref(), dates)?;
            // Ids that span folders outlive a lost cursor: their ledger rows stay.
            if page.restarted && !source.ids_span_folders() {
                self.archive.commit(Commit { restarted: vec![number], ..Commit::default() })?;
            }
            if page.restarted || cursor.is_none() {
                // Read from its beginning, so every id is compared with the ledger on the way.
                reconciled = Some(clock::now());
            }
            self.page(source, number, &page.listed, page.total)?;
            let moved = FolderCursor {
                folder: number,
                cursor: page.next.0.clone(),
                on_server: page.total,
                unexplained: 0,
                reconciled: old.as_ref().and_then(|old| old.reconciled),
                noted: clock::now(),
            };
            if page.more {
                self.archive.send(Task::Note(Box::new(Commit { cursors: vec![moved], ..Commit::default() })))?;
                cursor = Some(page.next);
            } else {
                break moved;
            }
        };
        self.again(source, number)?;
        let booked = self.archive.view()?.folder(number)?.map_or(0, |row| row.booked);
        let overdue = reconciled.is_none_or(|at| clock::now() - at >= RECONCILE_EVERY);
        let mut unexplained = 0;
        if overdue || booked < last.on_server {
            unexplained = self.reconcile(source, number)?;
            reconciled = Some(clock::now());
        }
        self.after(source, number)?;
        self.run.unexplained += unexplained;
        let noted = FolderCursor { unexplained, reconciled, noted: clock::now(), ..last };
        Ok(self.archive.send(Task::Note(Box::new(Commit { cursors: vec![noted], ..Commit::default() })))?)
    }

    /// Whether archived messages of this folder are to be moved or deleted.
    fn has_after(&self) -> bool {
        match &self.definition.after {
            AfterArchiving::Leave => false,
            AfterArchiving::Delete | AfterArchiving::Purge => true,
            AfterArchiving::Move(target) => !self.folder.is_named(target),
        }
    }

    fn after(&mut self, source: &mut dyn MailSource, number: FolderNumber) -> Result<(), FetchError> {
        if self.has_after() {
            after::run(self.archive, self.definition, source, self.mailbox, self.folder, self.all, number)?;
        }
        Ok(())
    }

    fn intake(&mut self, number: FolderNumber, of: u64) -> Intake<'_> {
        let meter = Meter {
            definition: self.definition.name.clone(),
            mailbox: self.mailbox.name.clone(),
            folder: self.folder.name.clone(),
            done: 0,
            of,
            bytes: 0,
            since: Instant::now(),
        };
        let after_due = self.has_after();
        let mut intake = Intake::new(self.archive, self.spool, self.definition, number, self.run, meter, self.watch);
        intake.after_due = after_due;
        intake
    }

    /// Decides on the messages of one page.
    fn page(
        &mut self,
        source: &mut dyn MailSource,
        number: FolderNumber,
        listed: &[Listed],
        total: u64,
    ) -> Result<(), FetchError> {
        let view = self.archive.view()?;
        let booked = view.folder(number)?.map_or(0, |row| row.booked);
        let min_age = i64::from(self.definition.min_age_days) * 86_400;
        let old_enough = clock::now() - min_age;
        let mut wanted = Vec::new();
        let mut young = Vec::new();
        for listed in listed {
            if view.entry(number, &listed.id.0)?.is_some() {
                continue;
            }
            match listed.received.filter(|received| self.definition.min_age_days > 0 && *received > old_enough) {
                Some(received) => young.push((listed.id.clone(), received)),
                None => wanted.push(listed.id.clone()),
            }
        }
        drop(view);
        let (mailbox, folder) = (self.mailbox, self.folder);
        let mut intake = self.intake(number, total.saturating_sub(booked));
        for (id, received) in young {
            intake.book(id, Outcome::LeftOut { why: LeftOut::TooYoung, again: Some(received + min_age) })?;
        }
        fetch(source, mailbox, folder, &wanted, &mut intake)
    }

    /// Looks again at messages whose time has come: young ones that grew old, failed ones that rested.
    fn again(&mut self, source: &mut dyn MailSource, number: FolderNumber) -> Result<(), FetchError> {
        let now = clock::now();
        loop {
            let due: Vec<RemoteId> =
                self.archive.view()?.again(number, now, AGAIN_AT_ONCE)?.into_iter().map(RemoteId).collect();
            if due.is_empty() {
                return Ok(());
            }
            let (mailbox, folder) = (self.mailbox, self.folder);
            let mut intake = self.intake(number, due.len() as u64);
            fetch(source, mailbox, folder, &due, &mut intake)?;
        }
    }

    /// Compares every id on the server with the ledger and fetches what has no outcome. Returns how many still have none.
    fn reconcile(&mut self, source: &mut dyn MailSource, number: FolderNumber) -> Result<u64, FetchError> {
        let lost = self.without_outcome(source, number)?;
        if lost.is_empty() {
            return Ok(0);
        }
        let (mailbox, folder) = (self.mailbox, self.folder);
        let mut intake = self.intake(number, lost.len() as u64);
        fetch(source, mailbox, folder, &lost, &mut intake)?;
        Ok(self.without_outcome(source, number)?.len() as u64)
    }

    fn without_outcome(
        &mut self,
        source: &mut dyn MailSource,
        number: FolderNumber,
    ) -> Result<Vec<RemoteId>, FetchError> {
        let view = self.archive.view()?;
        let mut lost = Vec::new();
        let mut trouble = None;
        source.list_ids(self.mailbox, self.folder, &mut |id| {
            match view.entry(number, &id.0) {
                Ok(Some(_)) => {}
                Ok(None) => lost.push(id),
                Err(error) => trouble = Some(error),
            }
            Ok(())
        })?;
        match trouble {
            Some(error) => Err(error.into()),
            None => Ok(lost),
        }
    }
}

/// Fetches `ids` until each is settled. A message at which the connection breaks again and again is booked as failed, so
/// that it does not keep the rest from being archived.
fn fetch(
    source: &mut dyn MailSource,
    mailbox: &Mailbox,
    folder: &Folder,
    ids: &[RemoteId],
    intake: &mut Intake<'_>,
) -> Result<(), FetchError> {
    let mut left = ids.to_vec();
    let mut at: Option<RemoteId> = None;
    let mut breaks = 0;
    while let Some(first) = left.first().cloned() {
        intake.expect(&left);
        let result = source.fetch(mailbox, folder, &left, intake);
        intake.abort();
        let settled = intake.settle();
        match result {
            Err(SourceError::Sink(error)) => {
                settled?;
                return Err(SourceError::Sink(error).into());
            }
            result => {
                settled?;
                left = intake.unsettled(&left);
                match result {
                    Ok(()) => {
                        // A source that settles nothing and reports nothing breaks its word; it must not be asked for ever.
                        if left.first() == Some(&first) {
                            for id in std::mem::take(&mut left) {
                                intake.book_failure(id, "the server says nothing about it".into())?;
                            }
                            intake.settle()?;
                        }
                    }
                    Err(error) if error.retry() == Retry::Now => {
                        let stuck = left.first().cloned();
                        breaks = if stuck == at { breaks + 1 } else { 1 };
                        at = stuck;
                        if breaks >= BREAKS
                            && let Some(id) = at.take()
                        {
                            intake.book_failure(id.clone(), format!("at this message: {error}"))?;
                            intake.settle()?;
                            left.retain(|other| *other != id);
                            breaks = 0;
                        }
                    }
                    Err(error) => return Err(error.into()),
                }
            }
        }
    }
    Ok(())
}
