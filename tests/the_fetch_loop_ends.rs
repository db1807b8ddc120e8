//! Promise: whatever a source says of one message, a folder comes to its end: the rest is archived, the message is booked, and
//! nothing is asked for again and again. A source of our own says what no server can be made to say.

use std::collections::HashMap;
use std::io::Read;
use std::thread;
use std::time::Duration;

use archivista::archive::Archive;
use archivista::archive::commit::{self, Commit, Entry, LeftOut, Outcome, Run};
use archivista::clock;
use archivista::fetch::FetchError;
use archivista::fetch::budget::Budget;
use archivista::fetch::folder::FolderJob;
use archivista::fetch::progress::At;
use archivista::ingest::Spool;
use archivista::pulse::Pulse;
use archivista::settings::{AfterArchiving, Definition};
use archivista::source::graph::Trouble;
use archivista::source::{
    After, Arrival, Cursor, Done, Folder, Listed, MailSource, Mailbox, Missing, Page, RemoteId, Result, Role, Sink,
    SourceError, Step,
};

use crate::support::definition::imap;

/// What becomes of a message that is asked for.
#[derive(Clone, Debug)]
enum Fate {
    Comes,
    Draft,
    Gone,
    Trouble,
    Nonsense,
}

/// A folder in memory, whose ids span folders as those of Microsoft 365 do.
#[derive(Default)]
struct Own {
    /// What `changes` tells, once each; then nothing is new.
    news: Vec<(Vec<Listed>, Vec<RemoteId>)>,
    /// What lies in the folder.
    there: Vec<Listed>,
    fates: HashMap<RemoteId, Fate>,
    asked: HashMap<RemoteId, usize>,
    told: Vec<RemoteId>,
    /// Pages of changes that lead to each other.
    circle: usize,
    pages: usize,
    /// The first message takes more than a second.
    slow: bool,
}

fn id(name: &str) -> RemoteId {
    RemoteId(name.as_bytes().to_vec())
}

fn listed(name: &str, received: i64) -> Listed {
    Listed { id: id(name), received: Some(received), size: None, draft: false }
}

impl MailSource for Own {
    fn check(&mut self, _: &mut dyn FnMut(Step)) {}

    fn mailboxes(&mut self) -> Result<Vec<Mailbox>> {
        Ok(vec![mailbox()])
    }

    fn folders(&mut self, _: &Mailbox) -> Result<Vec<Folder>> {
        Ok(vec![folder()])
    }

    fn changes(&mut self, _: &Mailbox, _: &Folder, cursor: Option<&Cursor>, _: bool) -> Result<Page> {
        let (listed, removed) = match cursor {
            None => (self.there.clone(), Vec::new()),
            Some(_) if self.news.is_empty() => (Vec::new(), Vec::new()),
            Some(_) => self.news.remove(0),
        };
        let total = self.there.len() as u64;
        let next = match cursor.and_then(|cursor| cursor.0.parse::<usize>().ok()) {
            Some(at) if self.circle > 0 => Cursor(((at + 1) % self.circle).to_string()),
            _ if self.circle > 0 => Cursor("0".to_owned()),
            _ => Cursor("x".to_owned()),
        };
        self.pages += 1;
        assert!(self.pages < 100, "pages without end");
        Ok(Page { listed, next, more: self.circle > 0, restarted: false, renumbered: None, removed, total })
    }

    fn fetch(&mut self, _: &Mailbox, _: &Folder, ids: &[RemoteId], sink: &mut dyn Sink) -> Result<()> {
        for id in ids {
            *self.asked.entry(id.clone()).or_default() += 1;
            assert!(self.asked[id] < 20, "{id} is asked for again and again");
            if std::mem::take(&mut self.slow) {
                thread::sleep(Duration::from_millis(1100));
            }
            let fate = self.fates.get(id).cloned().unwrap_or(Fate::Comes);
            match fate {
                Fate::Gone => sink.missing(id.clone(), Missing::Gone).map_err(SourceError::Sink)?,
                Fate::Trouble => return Err(Trouble::ServerTrouble { said: "HTTP 503".to_owned() }.into()),
                Fate::Nonsense => return Err(SourceError::Protocol { detail: "a header that is none".to_owned() }),
                Fate::Comes | Fate::Draft => {
                    let flags = if matches!(fate, Fate::Draft) { vec!["\\Draft".to_owned()] } else { Vec::new() };
                    let arrival = Arrival { id: id.clone(), received: None, flags, reconstructed: false };
                    sink.begin(None)
                        .and_then(|()| sink.data(format!("Subject: {id}\r\n\r\n").as_bytes()))
                        .and_then(|()| sink.end(arrival))
                        .map_err(SourceError::Sink)?;
                }
            }
        }
        Ok(())
    }

    fn list_ids(&mut self, _: &Mailbox, _: &Folder, each: &mut dyn FnMut(RemoteId) -> Result<()>) -> Result<u64> {
        for listed in &self.there {
            each(listed.id.clone())?;
        }
        Ok(self.there.len() as u64)
    }

    fn after(&mut self, _: &Mailbox, _: &Folder, ids: &[RemoteId], _: &After) -> Result<Vec<Done>> {
        self.told.extend(ids.iter().cloned());
        Ok(ids.iter().map(|id| Done { id: id.clone(), moved_to: None }).collect())
    }

    fn play_back(&mut self, _: &Mailbox, _: &str, _: &mut dyn Read, _: u64, _: Option<&Arrival>) -> Result<()> {
        Ok(())
    }

    fn ids_span_folders(&self) -> bool {
        true
    }
}

fn mailbox() -> Mailbox {
    Mailbox { id: "u".to_owned(), name: "u".to_owned() }
}

fn folder() -> Folder {
    Folder {
        id: "F".into(),
        name: "Inbox".into(),
        separator: Some('/'),
        role: Role::Inbox,
        selectable: true,
        ..Folder::default()
    }
}

struct Place {
    archive: Archive,
    spool: Spool,
    definition: Definition,
    _dir: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let archive = Archive::open(dir.path(), &Pulse::new()).unwrap();
        let spool = Spool::new(archive.paths().spool.clone()).unwrap();
        Self { archive, spool, definition: imap(dir.path(), "own", 143, &["anna"]), _dir: dir }
    }

    fn number(&self) -> u32 {
        let row = commit::Folder {
            number: 0,
            definition: "own".to_owned(),
            mailbox: "u".to_owned(),
            id: "F".to_owned(),
            name: "Inbox".to_owned(),
            mailbox_name: "u".to_owned(),
        };
        self.archive.folder(row).unwrap()
    }

    fn book(&self, name: &str, outcome: Outcome, after_due: bool) {
        let entry = Entry { folder: self.number(), remote: id(name).0, outcome, after_due, booked: 0 };
        self.archive.commit(Commit { ledger: vec![entry], ..Commit::default() }).unwrap();
    }

    fn outcome(&self, name: &str) -> Option<Outcome> {
        let number = self.number();
        self.archive.view().unwrap().entry(number, &id(name).0).unwrap().map(|entry| entry.outcome)
    }

    fn run(&self, source: &mut Own, reconcile: bool) -> Run {
        self.try_run(source, reconcile).unwrap()
    }

    fn try_run(&self, source: &mut Own, reconcile: bool) -> std::result::Result<Run, FetchError> {
        let mut run = Run::default();
        let (mailbox, folder) = (mailbox(), folder());
        let mut job = FolderJob {
            budget: &Budget::default(),
            at: At::default(),
            archive: &self.archive,
            spool: &self.spool,
            definition: &self.definition,
            mailbox: &mailbox,
            folder: &folder,
            all: std::slice::from_ref(&folder),
            reconcile,
            variants: None,
            run: &mut run,
            watch: &mut (),
        };
        job.run(source)?;
        self.archive.flush().unwrap();
        Ok(run)
    }
}

/// Once, what was booked for the longest rest a second after the run began lay beyond all that a right clock can note, was
/// due at once, and was asked for as long as the box ran.
#[test]
fn what_rests_longest_is_looked_at_once_a_run() {
    let place = Place::new();
    let long_ago = Some(clock::now() - 100);
    place.book("draft", Outcome::LeftOut { why: LeftOut::Draft, again: long_ago }, false);
    place.book("often", Outcome::Failed { why: "x".into(), tries: 9, again: clock::now() - 100 }, false);
    let mut source = Own { slow: true, ..Own::default() };
    source.fates.extend([(id("draft"), Fate::Draft), (id("often"), Fate::Trouble)]);
    place.run(&mut source, false);
    assert_eq!(source.asked[&id("draft")], 1);
    assert!(matches!(place.outcome("draft"), Some(Outcome::LeftOut { why: LeftOut::Draft, .. })));
    assert!(matches!(place.outcome("often"), Some(Outcome::Failed { tries: 10, .. })));
}

#[test]
fn trouble_with_one_message_is_booked_and_the_rest_is_archived() {
    for fate in [Fate::Trouble, Fate::Nonsense] {
        let place = Place::new();
        let mut source = Own { there: ["a", "b", "c"].map(|name| listed(name, 0)).into(), ..Own::default() };
        source.fates.insert(id("b"), fate.clone());
        let run = place.run(&mut source, false);
        assert_eq!((run.archived, run.failed), (2, 1), "{fate:?}");
        assert!(matches!(place.outcome("b"), Some(Outcome::Failed { tries: 1, .. })), "{fate:?}");
    }
}

/// A server may know of a message before it can give it.
#[test]
fn what_is_gone_is_looked_for_once_more() {
    let place = Place::new();
    let mut source = Own { there: vec![listed("a", 0)], ..Own::default() };
    source.fates.insert(id("a"), Fate::Gone);
    place.run(&mut source, false);
    let Some(Outcome::LeftOut { why: LeftOut::Gone, again: Some(again) }) = place.outcome("a") else { panic!() };
    assert!((3500..=3600).contains(&(again - clock::now())), "{again}");
    place.book("a", Outcome::LeftOut { why: LeftOut::Gone, again: Some(clock::now()) }, false);
    place.run(&mut source, false);
    assert_eq!(place.outcome("a"), Some(Outcome::LeftOut { why: LeftOut::Gone, again: None }));
    assert_eq!(source.asked[&id("a")], 2);
    place.book("a", Outcome::LeftOut { why: LeftOut::Gone, again: Some(clock::now()) }, false);
    source.fates.clear();
    assert_eq!(place.run(&mut source, false).archived, 1);
}

/// From A to B and back to A: Graph tells that it went, and never that it is back. What waited there for its day, or failed,
/// was booked as gone for good and counted as explained.
#[test]
fn what_waited_went_and_came_back_is_found_by_comparing_ids() {
    let mut place = Place::new();
    place.definition.min_age_days = 30;
    let mut source = Own { there: vec![listed("young", clock::now()), listed("old", 0)], ..Own::default() };
    let first = place.run(&mut source, false);
    assert_eq!((first.archived, first.left_out), (1, 1));
    source.news.push((Vec::new(), vec![id("young"), id("old")]));
    place.run(&mut source, false);
    assert_eq!(place.outcome("young"), Some(Outcome::LeftOut { why: LeftOut::Gone, again: None }));
    let run = place.run(&mut source, true);
    assert_eq!((run.archived, run.unexplained), (0, 0));
    let again = Some(source.there[0].received.unwrap() + 30 * 86_400);
    assert_eq!(place.outcome("young"), Some(Outcome::LeftOut { why: LeftOut::TooYoung, again }), "it waits again");

    // What is listed and yet not to be had stays explained, and is asked for once in each comparison.
    source.fates.insert(id("old"), Fate::Gone);
    place.book("old", Outcome::LeftOut { why: LeftOut::Gone, again: None }, false);
    assert_eq!(place.run(&mut source, true).unexplained, 0);
    assert_eq!(source.asked[&id("old")], 2);
}

/// It was archived, then taken elsewhere before its turn on the server came: what holds for this folder holds there no more.
#[test]
fn what_left_the_folder_is_not_deleted_elsewhere() {
    let mut place = Place::new();
    let mut source = Own { there: vec![listed("a", 0), listed("b", 0)], ..Own::default() };
    place.run(&mut source, false);
    for name in ["a", "b"] {
        let outcome = place.outcome(name).unwrap();
        place.book(name, outcome, true);
    }
    place.definition.after = AfterArchiving::Delete;
    source.news.push((Vec::new(), vec![id("a")]));
    place.run(&mut source, false);
    assert_eq!(source.told, [id("b")]);
    place.run(&mut source, false);
    assert_eq!(source.told, [id("b")], "each once");
}

#[test]
fn pages_that_lead_in_a_circle_come_to_an_end() {
    let place = Place::new();
    let mut source = Own { there: vec![listed("a", 0)], circle: 3, ..Own::default() };
    let error = place.try_run(&mut source, false).unwrap_err();
    assert!(error.to_string().contains("circle"), "{error}");
    assert!(matches!(place.outcome("a"), Some(Outcome::Archived(1))));
}
