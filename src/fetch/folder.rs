//! One folder of a mailbox in one run: what is new, what is due again, what was lost, and what is still to be done on the
//! server.

use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use super::FetchError;
use super::after;
use super::budget::Budget;
use super::intake::{Intake, LONGEST_REST, Lane};
use super::progress::{At, Meter, Watch};
use super::variants::Variants;
use crate::archive::Archive;
use crate::archive::commit::{self, Commit, Entry, FolderCursor, FolderNumber, LeftOut, Outcome, Run};
use crate::archive::writer::Task;
use crate::clock;
use crate::ingest::Spool;
use crate::limits::COMMIT_MESSAGES;
use crate::pulse::{self, Pulse};
use crate::settings::{AfterArchiving, Definition, Module};
use crate::source::{Circle, Cursor, Folder, Listed, MailSource, Mailbox, Page, RemoteId, Role, SourceError};

/// Time after which all ids of a folder are compared with the ledger again, seconds.
const RECONCILE_EVERY: i64 = 24 * 3600;
/// Messages that are looked at again in one go.
const AGAIN_AT_ONCE: usize = 1000;
/// How often the connection may break at the same message before that message is booked as failed.
const BREAKS: u32 = 3;
/// Messages that make a further connection worth while.
const WORTH_A_LANE: usize = 4;
/// Pages that are decided on together, while they have fewer messages than one commit holds: a commit for each small page would
/// keep the disk busy with little.
const PAGES_TOGETHER: usize = 16;
/// Pause before a connection is made again, once more so long at each break.
const PAUSE: Duration = Duration::from_millis(300);

pub struct FolderJob<'a> {
    pub archive: &'a Archive,
    pub spool: &'a Spool,
    pub definition: &'a Definition,
    pub budget: &'a Budget,
    pub mailbox: &'a Mailbox,
    pub folder: &'a Folder,
    /// All folders of the mailbox.
    pub all: &'a [Folder],
    /// All ids are to be compared with the ledger, whenever that was done last.
    pub reconcile: bool,
    /// Which of how many it is.
    pub at: At,
    /// What the definition before archived of this mailbox.
    pub variants: Option<&'a Variants>,
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
        let old = self.archive.view()?.cursor(number)?;
        let noted = self.read(source, number, old.as_ref())?;
        // An idle box writes nothing: the same words are not noted again.
        let same = |old: &FolderCursor| FolderCursor { noted: old.noted, ..noted.clone() } == *old;
        if !old.as_ref().is_some_and(same) {
            self.archive.send(Task::Note(Box::new(Commit { cursors: vec![noted], ..Commit::default() })))?;
        }
        // Also what a kill or an outage left undone: only now it is known what has left the folder since.
        self.after(source, number)
    }

    /// Archives what is new, what is due and what was lost. Returns how far the folder is read.
    fn read(
        &mut self,
        source: &mut dyn MailSource,
        number: FolderNumber,
        old: Option<&FolderCursor>,
    ) -> Result<FolderCursor, FetchError> {
        let min_age_days = self.definition.min_age_days;
        if old.is_some_and(|old| old.min_age_days != min_age_days) {
            self.young(source, number)?;
        }
        let mut reconciled = old.and_then(|old| old.reconciled);
        let cursor = old.map(|old| Cursor(old.cursor.clone()));
        let is_first = cursor.is_none();
        let (mut last, restarted) = self.pages(source, number, cursor, reconciled)?;
        self.again(source, number)?;
        let now = clock::now();
        if is_first || restarted {
            // Read from its beginning, so every id was compared with the ledger on the way.
            reconciled = Some(now);
        }
        let booked = self.archive.view()?.folder(number)?.map_or(0, |row| row.booked);
        let overdue = self.reconcile || reconciled.is_none_or(|at| !(0..RECONCILE_EVERY).contains(&(now - at)));
        // Some servers count what is no mail; the same number that was explained the last time needs no explanation again.
        let told = old.is_some_and(|old| old.on_server == last.on_server && old.unexplained == 0 && !restarted);
        let mut unexplained = 0;
        if overdue || (booked < last.on_server && !told) {
            let (without, back) = self.without_outcome(source, number)?;
            unexplained = without;
            if without + back > 0 {
                // Read again from the beginning; what has an outcome is passed over.
                (last, _) = self.pages(source, number, None, reconciled)?;
                (unexplained, _) = self.without_outcome(source, number)?;
            }
            reconciled = Some(now);
        }
        self.run.unexplained += unexplained;
        Ok(FolderCursor { unexplained, reconciled, noted: now, ..last })
    }

    /// Reads pages from `cursor` to the end of the folder. Each cursor but the last is noted on the way. Tells whether the
    /// cursor no longer counted.
    fn pages(
        &mut self,
        source: &mut dyn MailSource,
        number: FolderNumber,
        mut cursor: Option<Cursor>,
        reconciled: Option<i64>,
    ) -> Result<(FolderCursor, bool), FetchError> {
        let min_age_days = self.definition.min_age_days;
        let mut restarted = false;
        let mut circle = Circle::default();
        let mut ahead = None;
        loop {
            let mut page = match ahead.take() {
                Some(page) => page,
                None => self.changes(source, cursor.as_ref(), &mut circle),
            }?;
            let mut count = 1;
            while page.more && page.listed.len() < COMMIT_MESSAGES && count < PAGES_TOGETHER {
                match self.changes(source, Some(&page.next), &mut circle) {
                    Ok(next) if !next.restarted && next.renumbered.is_none() => page.append(next),
                    // What is listed is archived before anything else.
                    other => {
                        ahead = Some(other);
                        break;
                    }
                }
                count += 1;
            }
            let at = |cursor: &Cursor| FolderCursor {
                folder: number,
                cursor: cursor.0.clone(),
                on_server: page.total,
                unexplained: 0,
                reconciled,
                noted: clock::now(),
                min_age_days,
            };
            if let Some(beginning) = &page.renumbered {
                // In one commit with the new beginning, so that a run that is broken off does not do it once more.
                let cursors = vec![at(beginning)];
                self.archive.commit(Commit { restarted: vec![number], cursors, ..Commit::default() })?;
            }
            restarted |= page.restarted;
            self.page(source, number, &page.listed, page.total)?;
            self.removed(number, &page.removed)?;
            let moved = at(&page.next);
            if !page.more {
                return Ok((moved, restarted));
            }
            self.archive.send(Task::Note(Box::new(Commit { cursors: vec![moved], ..Commit::default() })))?;
            cursor = Some(page.next);
        }
    }

    /// The next page, unless the pages lead in a circle.
    fn changes(
        &self,
        source: &mut dyn MailSource,
        cursor: Option<&Cursor>,
        circle: &mut Circle,
    ) -> Result<Page, SourceError> {
        if cursor.is_some_and(|cursor| circle.closes(&cursor.0)) {
            return Err(SourceError::Protocol { detail: "pages of changes that lead in a circle".into() });
        }
        source.changes(self.mailbox, self.folder, cursor, self.definition.min_age_days > 0)
    }

    /// Whether archived messages of this folder are to be moved or deleted.
    fn has_after(&self) -> bool {
        // What was played back stays where somebody wanted it.
        if self.folder.role != Role::Inbox && self.folder.is_named(self.definition.play_back_to("INBOX")) {
            return false;
        }
        match &self.definition.after {
            AfterArchiving::Leave => false,
            AfterArchiving::Purge => true,
            // Graph deletes into the folder for deleted messages: what lies there is done with, or it would be deleted again
            // when it is met there. IMAP deletes for good.
            AfterArchiving::Delete => matches!(self.definition.module, Module::Imap(_)) || !self.is_trash(),
            AfterArchiving::Move(target) => !self.folder.is_named(target),
        }
    }

    /// Whether this is where deleted messages lie: the folder for them, or one below it.
    fn is_trash(&self) -> bool {
        let is_below = |trash: &Folder| {
            let rest = self.folder.name.strip_prefix(&trash.name);
            rest.is_some_and(|rest| rest.is_empty() || trash.separator.is_some_and(|level| rest.starts_with(level)))
        };
        self.all.iter().any(|folder| folder.role == Role::Trash && is_below(folder))
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
            at: self.at,
        };
        let after_due = self.has_after();
        let mut intake = Intake::new(self.archive, self.spool, self.definition, number, self.run, meter, self.watch);
        intake.after_due = after_due;
        intake.variants = self.variants;
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
        let row = view.folder(number)?.unwrap_or_default();
        let (mut new, mut moved) = (Vec::new(), Vec::new());
        // Once a page: a tenant has tens of thousands of folders.
        let beside = if source.ids_span_folders() { view.beside(&row.folder)? } else { Vec::new() };
        for listed in listed {
            match view.entry(number, &listed.id.0)?.map(|entry| entry.outcome) {
                // A draft that is one no more.
                Some(Outcome::LeftOut { why: LeftOut::Draft, .. }) if !listed.draft => new.push(listed),
                // It was gone, and is back.
                Some(Outcome::LeftOut { why: LeftOut::Gone, .. }) => new.push(listed),
                Some(_) => {}
                None => match view.place_in(&beside, &listed.id.0)? {
                    Some(place) => moved.push((listed.id.clone(), place)),
                    None => new.push(listed),
                },
            }
        }
        drop(view);
        if !moved.is_empty() {
            let mut intake = self.intake(number, moved.len() as u64);
            for (id, place) in moved {
                intake.book_moved(id, place)?;
            }
            intake.settle()?;
        }
        self.decide(source, number, &new, total.saturating_sub(row.booked))
    }

    /// The server says that these left the folder. What is archived stays so; what still waited there waits no more, and
    /// what was still to be moved or deleted is left where somebody else has put it.
    fn removed(&mut self, number: FolderNumber, removed: &[RemoteId]) -> Result<(), FetchError> {
        let view = self.archive.view()?;
        let (mut gone, mut left) = (Vec::new(), Vec::new());
        for id in removed {
            match view.entry(number, &id.0)? {
                Some(entry) if entry.outcome.again().is_some() => gone.push(id.clone()),
                Some(entry) if entry.after_due => left.push(Entry { after_due: false, ..entry }),
                _ => {}
            }
        }
        drop(view);
        if !left.is_empty() {
            self.archive.send(Task::Note(Box::new(Commit { ledger: left, ..Commit::default() })))?;
        }
        let mut intake = self.intake(number, gone.len() as u64);
        for id in gone {
            intake.book(id, Outcome::LeftOut { why: LeftOut::Gone, again: None })?;
        }
        Ok(())
    }

    /// The minimum age is another one now: looks again at everything that was too young.
    fn young(&mut self, source: &mut dyn MailSource, number: FolderNumber) -> Result<(), FetchError> {
        if self.archive.view()?.again(number, i64::MAX, i64::MAX, 1)?.is_empty() {
            return Ok(());
        }
        let mut cursor = None;
        let mut circle = Circle::default();
        loop {
            let page = self.changes(source, cursor.as_ref(), &mut circle)?;
            let view = self.archive.view()?;
            let mut young = Vec::new();
            for listed in &page.listed {
                let outcome = view.entry(number, &listed.id.0)?.map(|entry| entry.outcome);
                if matches!(outcome, Some(Outcome::LeftOut { why: LeftOut::TooYoung, .. })) {
                    young.push(listed);
                }
            }
            drop(view);
            self.decide(source, number, &young, young.len() as u64)?;
            if !page.more {
                return Ok(());
            }
            cursor = Some(page.next);
        }
    }

    /// Fetches what is old enough and books the rest.
    fn decide(
        &mut self,
        source: &mut dyn MailSource,
        number: FolderNumber,
        listed: &[&Listed],
        of: u64,
    ) -> Result<(), FetchError> {
        let min_age = i64::from(self.definition.min_age_days) * 86_400;
        let old_enough = clock::now() - min_age;
        let mut wanted = Vec::new();
        let mut young = Vec::new();
        let mut drafts = Vec::new();
        for listed in listed {
            // Where a draft keeps its id when it is sent, it is not a mail yet. Elsewhere a mail too many is better.
            if listed.draft && source.ids_span_folders() {
                drafts.push(listed.id.clone());
                continue;
            }
            match listed.received.filter(|received| min_age > 0 && *received > old_enough) {
                Some(received) => young.push((listed.id.clone(), received)),
                None => wanted.push(listed.id.clone()),
            }
        }
        let (budget, mailbox, folder) = (self.budget, self.mailbox, self.folder);
        let mut intake = self.intake(number, of);
        intake.without_drafts = source.ids_span_folders();
        if !young.is_empty() || !drafts.is_empty() {
            for id in drafts {
                intake.book_draft(id)?;
            }
            for (id, received) in young {
                // A message from the future waits no longer than one from today.
                let again = received.min(clock::now()) + min_age;
                intake.book(id, Outcome::LeftOut { why: LeftOut::TooYoung, again: Some(again) })?;
            }
            // What follows looks into the ledger: a row that is still on its way would be missed there.
            intake.settle()?;
        }
        fetch(source, budget, mailbox, folder, &wanted, &mut intake)
    }

    /// Looks again at messages whose time has come: young ones that grew old, failed ones that rested.
    fn again(&mut self, source: &mut dyn MailSource, number: FolderNumber) -> Result<(), FetchError> {
        let now = clock::now();
        let longest = LONGEST_REST.max(i64::from(self.definition.min_age_days) * 86_400);
        // Taken anew for each look: what this very run books for the longest rest must not lie beyond it, or it would be
        // due again at once and for ever.
        let horizon = || clock::now() + longest;
        if self.definition.min_age_days > 0 && !self.archive.view()?.again(number, i64::MIN, horizon(), 1)?.is_empty() {
            // The clock was wrong when these were booked; their age is looked at again before anything is fetched.
            self.young(source, number)?;
        }
        loop {
            let due = self.archive.view()?.again(number, now, horizon(), AGAIN_AT_ONCE)?;
            if due.is_empty() {
                return Ok(());
            }
            let due: Vec<RemoteId> = due.into_iter().map(RemoteId).collect();
            let (budget, mailbox, folder) = (self.budget, self.mailbox, self.folder);
            let mut intake = self.intake(number, due.len() as u64);
            intake.without_drafts = source.ids_span_folders();
            fetch(source, budget, mailbox, folder, &due, &mut intake)?;
        }
    }

    /// Compares every id on the server with the ledger: how many have no outcome, and how many were booked as gone for good
    /// and are there. Graph tells of a message that went and came back that it went, and never that it is back.
    fn without_outcome(&mut self, source: &mut dyn MailSource, number: FolderNumber) -> Result<(u64, u64), FetchError> {
        self.archive.flush()?;
        let view = self.archive.view()?;
        let (mut without, mut back) = (0, 0);
        let mut trouble = None;
        source.list_ids(self.mailbox, self.folder, &mut |id| {
            match view.entry(number, &id.0).map(|entry| entry.map(|entry| entry.outcome)) {
                Ok(Some(Outcome::LeftOut { why: LeftOut::Gone, again: None })) => back += 1,
                Ok(Some(_)) => {}
                Ok(None) => without += 1,
                Err(error) => trouble = Some(error),
            }
            Ok(())
        })?;
        match trouble {
            Some(error) => Err(error.into()),
            None => Ok((without, back)),
        }
    }
}

/// Fetches `ids` until each is settled. A message at which the connection breaks, although it holds otherwise, is booked as
/// failed, so that it does not keep the rest from being archived.
fn fetch(
    source: &mut dyn MailSource,
    budget: &Budget,
    mailbox: &Mailbox,
    folder: &Folder,
    ids: &[RemoteId],
    intake: &mut Intake<'_>,
) -> Result<(), FetchError> {
    // As a server sends them, so that the first one left after a break is the one that broke it.
    let mut left = ids.to_vec();
    left.sort_unstable();
    let mut breaks = 0;
    while let Some(first) = left.first().cloned() {
        // After a break without progress the suspect is asked for alone.
        let asked = if breaks == 0 { left.clone() } else { vec![first.clone()] };
        intake.expect(&asked);
        let result = over_lanes(source, budget, mailbox, folder, &asked, intake);
        intake.settle()?;
        left = intake.unsettled(&left, &asked);
        let stuck = left.first() == Some(&first);
        match result {
            Ok(()) if stuck => {
                // A source that settles nothing and reports nothing breaks its word; it must not be asked for ever.
                intake.book_failure(first, "the server says nothing about it".into())?;
                intake.settle()?;
                left.remove(0);
            }
            Ok(()) => breaks = 0,
            Err(error) if error.may_be_of_one_message() => {
                breaks = if stuck { breaks + 1 } else { 0 };
                std::thread::sleep(PAUSE * breaks);
                // Whether it is the message or the rest: where nothing else is answered either, it is not its fault.
                source.folders(mailbox)?;
                if breaks > BREAKS {
                    intake.book_failure(first, format!("at this message: {error}"))?;
                    intake.settle()?;
                    left.remove(0);
                    breaks = 0;
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Fetches over as many connections as the source has, the work is worth and there is memory for. The first error is told; what the other lanes
/// settled stays settled.
fn over_lanes(
    source: &mut dyn MailSource,
    budget: &Budget,
    mailbox: &Mailbox,
    folder: &Folder,
    ids: &[RemoteId],
    intake: &mut Intake<'_>,
) -> Result<(), SourceError> {
    let spool = intake.spool;
    let intake = Mutex::new(intake);
    let wanted = source.lanes().min(ids.len() / WORTH_A_LANE).max(1);
    let places = budget.lanes(wanted - 1);
    let mut others: Vec<Box<dyn MailSource>> = (0..places.count).map_while(|_| source.another_lane()).collect();
    let share = ids.len().div_ceil(others.len() + 1).max(1);
    let mut shares = ids.chunks(share);
    let own = shares.next().unwrap_or_default();
    thread::scope(|scope| {
        let lanes: Vec<_> = others
            .iter_mut()
            .zip(shares)
            .map(|(lane, ids)| {
                let (intake, pulse) = (&intake, pulse::own());
                scope.spawn(move || {
                    pulse.iter().for_each(Pulse::adopt);
                    lane.fetch(mailbox, folder, ids, &mut Lane::new(intake, spool))
                })
            })
            .collect();
        let mut result = source.fetch(mailbox, folder, own, &mut Lane::new(&intake, spool));
        for lane in lanes {
            // A panic costs this try; what the lane was at is asked for again.
            let panicked = || SourceError::Protocol { detail: "a message could not be read".into() };
            result = result.and(lane.join().unwrap_or_else(|_| Err(panicked())));
        }
        result
    })
}
