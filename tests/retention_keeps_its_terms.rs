//! Promise: no document ends before its term, and none that may end stays: to the second, over decades, whatever a mail says of itself, what a
//! clock does, and what is set meanwhile. What looks wrong waits for a person.

use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::mpsc::channel;

use archivista::archive::commit::{Ending, Folder, Happening, Metadata, Number, Outcome};
use archivista::archive::start::Paths;
use archivista::archive::writer::{NewMessage, Task};
use archivista::archive::{Archive, verify};
use archivista::ingest::{Incoming, Spool};
use archivista::retention::pass::{self, Outcome as Done};
use archivista::retention::{Clock, Terms, due};
use archivista::settings::holds::{self, Hold, Places, Scope};
use archivista::settings::retention::{self, Retention, Rule, Term};
use archivista::settings::retention_passes::{self as passes, Doubt, Pass, Waits};
use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

use crate::support::archivista::Archivista;
use crate::support::small;

const DAY: i64 = 86_400;

/// A clock that a test sets.
struct Bent {
    now: AtomicI64,
    is_right: AtomicBool,
}

impl Clock for Bent {
    fn now(&self) -> i64 {
        self.now.load(Ordering::Relaxed)
    }

    fn is_right(&self) -> bool {
        self.is_right.load(Ordering::Relaxed)
    }
}

/// An archive, and the time around it.
struct Stage {
    archive: Archive,
    clock: Bent,
    folder: tempfile::TempDir,
    sent: AtomicU64,
}

/// The calendar year in which documents are archived: where it begins first.
fn year() -> i16 {
    Timestamp::now().to_zoned(TimeZone::fixed(Offset::constant(14))).year()
}

/// `rest` of a time, so many years from now.
fn at(years: i16, rest: &str) -> i64 {
    format!("{}-{rest}", year() + years).parse::<Timestamp>().unwrap().as_second()
}

impl Stage {
    fn new(set: &Retention) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let archive = small::open(&folder.path().join("data"));
        let now = Timestamp::now().as_second() + 60;
        let clock = Bent { now: AtomicI64::new(now), is_right: AtomicBool::new(true) };
        let stage = Self { archive, clock, folder, sent: AtomicU64::new(0) };
        stage.set(set);
        stage
    }

    /// Sets it, and that as many end as have to.
    fn set(&self, set: &Retention) {
        set.write(&self.archive, "test").unwrap();
        passes::confirm(&self.archive, &Pass { time: self.clock.now(), ..Pass::default() }, "test").unwrap();
    }

    /// Archives a mail in a folder of anna's.
    fn mail(&self, folder: &str, received: Option<i64>, raw: &[u8]) -> Outcome {
        self.mail_of("office", ("anna", folder), received, raw)
    }

    fn mail_of(&self, definition: &str, place: (&str, &str), received: Option<i64>, raw: &[u8]) -> Outcome {
        let folder = Folder {
            definition: definition.into(),
            mailbox: place.0.into(),
            id: place.1.into(),
            name: place.1.into(),
            mailbox_name: place.0.into(),
            ..Folder::default()
        };
        let folder = self.archive.folder(folder).unwrap();
        let spool = Spool::new(self.archive.paths().spool.clone()).unwrap();
        let mut incoming = Incoming::new(&spool);
        incoming.write_all(raw).unwrap();
        let message = incoming.finish().unwrap();
        let metadata = Metadata { title: message.head.subject.clone(), date: message.head.date, ..Metadata::default() };
        let (ticket, answers) = channel();
        let new = NewMessage {
            message,
            metadata,
            folder,
            remote: self.sent.fetch_add(1, Ordering::Relaxed).to_be_bytes().to_vec(),
            received,
            flags: Vec::new(),
            after_due: false,
            variant_of: None,
            brought_by: None,
            ticket,
        };
        self.archive.send(Task::Message(Box::new(new))).unwrap();
        self.archive.flush().unwrap();
        answers.recv().unwrap().outcome.unwrap()
    }

    /// Archives a mail of its own; its number.
    fn some(&self, folder: &str, received: Option<i64>) -> Number {
        let raw = small::mail(1000 + self.sent.load(Ordering::Relaxed));
        self.mail(folder, received, &raw).document().unwrap()
    }

    /// One pass at this time, without those in between.
    fn pass(&self, now: i64) -> Done {
        self.clock.now.store(now, Ordering::Relaxed);
        pass::run(&self.archive, &self.clock, &mut || Ok(())).unwrap()
    }

    /// A pass a month until then, and one at that second; what it brought, and how many ended by all of them.
    fn live_until(&self, then: i64) -> (Pass, u64) {
        let mut ended = 0;
        loop {
            let now = then.min(self.clock.now() + 30 * DAY);
            let Done::Done(pass) = self.pass(now) else { panic!("no pass at {now}") };
            assert_eq!(pass.waits, None, "{}", Timestamp::from_second(now).unwrap());
            ended += pass.ended;
            if now == then {
                return (pass, ended);
            }
        }
    }

    fn is_there(&self, number: Number) -> bool {
        let mut bytes = Vec::new();
        let view = self.archive.view().unwrap();
        assert_ne!(view.document(number).unwrap().is_some(), view.ended_row(number).unwrap().is_some());
        self.archive.read(number, &mut bytes).is_ok()
    }

    /// It is there until that second, and then it is gone.
    fn ends(&self, number: Number, then: i64) {
        self.live_until(then - 1);
        assert!(self.is_there(number), "{number} ended early");
        self.live_until(then);
        assert!(!self.is_there(number), "{number} is late");
    }

    fn hold(&self, name: &str, what: Scope) -> Hold {
        let hold = Hold { name: name.into(), reason: "test".into(), who: "test".into(), set: 0, what, lifted: None };
        holds::set(&self.archive, &hold).unwrap();
        hold
    }

    fn close(self) {
        let Self { archive, folder, .. } = self;
        drop(archive);
        clean(&folder.path().join("data"));
    }
}

fn clean(data: &Path) {
    let report = verify::closed(&Paths::new(data), false, &mut |_, _| Ok(())).unwrap();
    assert!(report.findings.is_empty(), "{:#?}", report.findings.lines().collect::<Vec<_>>());
}

fn on(term: Term, rules: Vec<Rule>) -> Retention {
    Retention { deletes: true, term, rules }
}

fn rule(folder: &str, term: Term) -> Rule {
    Rule { definition: "office".into(), folder: folder.into(), term, ..Rule::default() }
}

#[test]
fn nothing_is_early_and_nothing_is_late() {
    let stage = Stage::new(&on(
        Term::Years(3),
        vec![rule("", Term::Years(2)), rule("Werbung", Term::Months(14)), rule("Treu*", Term::Forever)],
    ));
    // When it was received, in which folder, and the first second in which it is gone.
    let new_year = |years| at(years, "01-01T12:00:00Z");
    let cases = [
        (Some(at(1, "06-15T08:00:00Z")), "INBOX", new_year(4)),
        // The last second of the year in the zone that begins it first, and the one after.
        (Some(at(1, "12-31T09:59:59Z")), "INBOX", new_year(4)),
        (Some(at(1, "12-31T10:00:00Z")), "INBOX", new_year(5)),
        // New Year's Eve in Zurich, and in Honolulu.
        (Some(at(1, "12-31T23:59:59+01:00")), "INBOX", new_year(5)),
        (Some(at(1, "12-31T23:59:59-10:00")), "INBOX", new_year(5)),
        (Some(at(2, "01-01T00:00:00Z")), "INBOX", new_year(5)),
        (Some(at(2, "02-28T12:00:00Z")), "INBOX", new_year(5)),
        (Some(at(1, "03-01T00:00:00Z")), "Werbung", at(3, "03-01T12:00:00Z")),
        (Some(at(2, "03-01T00:00:00Z")), "Werbung", at(4, "03-01T12:00:00Z")),
        // The server does not say when, or has lost the time: when it was archived counts.
        (None, "INBOX", new_year(3)),
        (Some(7), "INBOX", new_year(3)),
        // Years ago, and not over yet.
        (Some(at(-1, "07-01T00:00:00Z")), "INBOX", new_year(2)),
    ];
    let mut known: Vec<(Number, i64)> =
        cases.iter().map(|(received, folder, end)| (stage.some(folder, *received), *end)).collect();
    let for_ever = [stage.some("Treuhand", Some(at(1, "01-05T00:00:00Z"))), stage.some("treu", None)];
    let elsewhere = stage.mail_of("other", ("anna", "INBOX"), Some(at(1, "06-15T08:00:00Z")), &small::mail(1));
    known.push((elsewhere.document().unwrap(), new_year(5)));
    let mut ends: Vec<i64> = known.iter().map(|(_, end)| *end).collect();
    ends.sort_unstable();
    ends.dedup();
    for end in ends {
        for now in [end - 1, end] {
            stage.live_until(now);
            for (number, end) in &known {
                assert_eq!(stage.is_there(*number), now < *end, "{number} at {}", Timestamp::from_second(now).unwrap());
            }
        }
    }
    stage.live_until(at(9, "01-02T00:00:00Z"));
    assert!(for_ever.into_iter().all(|number| stage.is_there(number)));
    // One line for each batch, of the archive itself.
    let (events, _) =
        stage.archive.view().unwrap().events(99, 999, |event| matches!(event.what, Happening::Deleted(..))).unwrap();
    let count: u64 =
        events.iter().map(|event| if let Happening::Deleted(_, _, count) = event.what { count } else { 0 }).sum();
    assert_eq!((count, known.len()), (known.len() as u64, 13));
    assert!(events.iter().all(|event| event.who == "archivista"));
    assert_eq!(stage.archive.view().unwrap().ended(None, 99).unwrap()[0].1.why, Ending::Term);
    assert_eq!(passes::passes(&stage.archive).unwrap().iter().map(|pass| pass.ended).sum::<u64>(), count);
    stage.close();
}

#[test]
fn what_a_mail_says_of_itself_counts_for_nothing() {
    let stage = Stage::new(&on(Term::Years(2), Vec::new()));
    let dated = |date: &str, n: u64| format!("Date: {date}\r\nSubject: {n}\r\n\r\nx\r\n").into_bytes();
    let (past, future) = ("Thu, 1 Jan 1970 00:00:00 +0000", "Mon, 1 Jan 2390 00:00:00 +0000");
    let mut all = Vec::new();
    for (n, date) in (0..).zip([past, future, "no date at all"]) {
        let end = at(3, "01-01T12:00:00Z");
        all.push((stage.mail("INBOX", None, &dated(date, n)).document().unwrap(), end));
        let received = at(-1, "05-05T05:05:05Z");
        all.push((
            stage.mail("INBOX", Some(received), &dated(date, n + 10)).document().unwrap(),
            at(2, "01-01T12:00:00Z"),
        ));
    }
    for end in [at(2, "01-01T12:00:00Z"), at(3, "01-01T12:00:00Z")] {
        for now in [end - 1, end] {
            stage.live_until(now);
            for (number, end) in &all {
                assert_eq!(stage.is_there(*number), now < *end, "{number}");
            }
        }
    }
}

/// The quick look at a document never says no where the whole one says yes.
#[test]
fn the_quick_look_misses_nothing() {
    let stage = Stage::new(&on(Term::Years(1), vec![rule("Werbung", Term::Months(1))]));
    let times = [
        Some(at(-9, "12-31T09:59:59Z")),
        Some(at(0, "01-01T00:00:00Z")),
        Some(at(5, "06-01T00:00:00Z")),
        Some(0),
        None,
    ];
    for (n, (folder, received)) in
        ["INBOX", "Werbung"].iter().flat_map(|folder| times.map(|time| (folder, time))).enumerate()
    {
        for date in ["Thu, 1 Jan 1970 00:00:00 +0000", "Mon, 1 Jan 2390 00:00:00 +0000"] {
            let raw = format!("Date: {date}\r\nSubject: {n}\r\n\r\nx\r\n");
            stage.mail(folder, received, raw.as_bytes());
        }
    }
    let view = stage.archive.view().unwrap();
    let terms = Terms::read(&view).unwrap();
    let mut skipped = 0;
    for (number, document) in view.documents(0, 99).unwrap() {
        let over = terms.end(&view, number, &document).unwrap().over.unwrap();
        assert!(terms.may_be_over(&document, over), "{number}");
        assert!(terms.are_over(&view, number, &document, over).unwrap());
        assert!(!terms.are_over(&view, number, &document, over - 1).unwrap(), "{number}");
        skipped += u64::from(!terms.may_be_over(&document, at(0, "01-02T00:00:00Z")));
    }
    assert!(skipped > 0, "it skips nothing");
}

#[test]
fn the_longest_term_of_all_places_counts_and_an_own_one_only_lengthens() {
    let stage =
        Stage::new(&on(Term::Years(1), vec![rule("Verträge", Term::Years(3)), rule("Werbung", Term::Months(1))]));
    let received = at(0, "01-05T00:00:00Z");
    let (shared, alone) = (stage.some("Werbung", Some(received)), stage.some("Werbung", Some(received)));
    let raw = small::mail(1000);
    assert_eq!(stage.mail("Verträge", Some(received), &raw), Outcome::Same(shared));
    let lengthened = stage.some("INBOX", Some(received));
    let shortened = stage.some("INBOX", Some(received));
    retention::put_own_term(&stage.archive, lengthened, Some(Term::Years(2)), "test").unwrap();
    retention::put_own_term(&stage.archive, shortened, Some(Term::Months(1)), "test").unwrap();
    stage.ends(alone, at(1, "02-01T12:00:00Z"));
    stage.ends(shortened, at(2, "01-01T12:00:00Z"));
    stage.ends(lengthened, at(3, "01-01T12:00:00Z"));
    // What was set of single documents goes with them.
    assert!(stage.archive.view().unwrap().settings("term/").unwrap().is_empty());
    stage.ends(shared, at(4, "01-01T12:00:00Z"));
}

#[test]
fn a_shared_attachment_stays_until_the_later_mail_ends() {
    let stage = Stage::new(&on(Term::Years(1), vec![rule("Verträge", Term::Years(2))]));
    let shared: Vec<u8> = (0..=250).cycle().take(9000).collect();
    let mails = [small::with_attachments(1, &[&shared], 76), small::with_attachments(2, &[&shared], 76)];
    let received = Some(at(0, "01-05T00:00:00Z"));
    let first = stage.mail("INBOX", received, &mails[0]).document().unwrap();
    let second = stage.mail("Verträge", received, &mails[1]).document().unwrap();
    stage.ends(first, at(2, "01-01T12:00:00Z"));
    let mut bytes = Vec::new();
    stage.archive.read(second, &mut bytes).unwrap();
    assert!(bytes == mails[1]);
    // Still on the server, in its folder and in another one: it does not come back.
    assert_eq!(stage.mail("INBOX", received, &mails[0]), Outcome::Deleted(first));
    assert_eq!(stage.mail("Verträge", received, &mails[0]), Outcome::Deleted(first));
    stage.ends(second, at(3, "01-01T12:00:00Z"));
    assert_eq!(stage.archive.view().unwrap().erase_due(None, 1).unwrap(), []);
    stage.close();
}

#[test]
fn what_is_held_stays_until_the_last_hold_is_lifted() {
    let stage = Stage::new(&on(Term::Months(1), Vec::new()));
    let received = Some(at(0, "03-05T00:00:00Z"));
    let (one, other, third) =
        (stage.some("INBOX", received), stage.some("INBOX", received), stage.some("INBOX", received));
    let elsewhere = stage.mail_of("other", ("beat", "INBOX"), received, &small::mail(1)).document().unwrap();
    let by_number = stage.hold("Nummern", Scope::Numbers(vec![(one, one)]));
    let day = jiff::civil::date(year(), 3, 5);
    let places =
        Places { definition: Some("office".into()), mailbox: "anna".into(), from: Some(day), until: Some(day) };
    let by_place = stage.hold("Verfahren", Scope::Places(places.clone()));
    stage.hold("Anderes", Scope::Places(Places { mailbox: "beat".into(), ..places }));
    let end = at(1, "02-01T12:00:00Z");
    let (pass, _) = stage.live_until(end);
    assert_eq!((pass.ended, pass.held), (1, 3));
    assert!([one, other, third].into_iter().all(|number| stage.is_there(number)) && !stage.is_there(elsewhere));
    holds::lift(&stage.archive, &by_place, "test").unwrap();
    // Lifting one ends a confirmation: very much may be due by it.
    let Done::Done(pass) = stage.pass(end + DAY) else { panic!() };
    assert_eq!((pass.ended, pass.waits), (0, Some(Waits { why: Doubt::Many, due: 2 })));
    passes::confirm(&stage.archive, &pass, "test").unwrap();
    let Done::Done(pass) = stage.pass(end + 2 * DAY) else { panic!() };
    assert_eq!((pass.ended, pass.held, stage.is_there(one)), (2, 1, true));
    holds::lift(&stage.archive, &by_number, "test").unwrap();
    let Done::Done(pass) = stage.pass(end + 3 * DAY) else { panic!() };
    passes::confirm(&stage.archive, &pass, "test").unwrap();
    stage.pass(end + 4 * DAY);
    assert!(!stage.is_there(one));
    assert_eq!(holds::holds(&stage.archive).unwrap().iter().filter(|hold| hold.is_in_force()).count(), 1);
    assert_eq!(holds::holds(&stage.archive).unwrap().len(), 3);
}

#[test]
fn a_clock_that_is_wrong_ends_nothing() {
    let set = on(Term::Years(10), Vec::new());
    let stage = Stage::new(&set);
    let all: Vec<Number> = (0..40).map(|_| stage.some("INBOX", Some(at(0, "01-05T00:00:00Z")))).collect();
    let nothing_ended = || all.iter().all(|number| stage.is_there(*number));
    let today = stage.clock.now();
    stage.live_until(today);
    // Behind what was committed.
    assert!(matches!(stage.pass(today - 40 * DAY), Done::Behind(_)));
    stage.clock.is_right.store(false, Ordering::Relaxed);
    assert_eq!(stage.pass(today), Done::NoClock);
    stage.clock.is_right.store(true, Ordering::Relaxed);
    // Decades ahead for a moment: it waits, although somebody confirmed something once.
    let ahead = at(30, "06-01T00:00:00Z");
    for _ in 0..2 {
        let Done::Done(pass) = stage.pass(ahead) else { panic!() };
        assert_eq!((pass.ended, pass.waits), (0, Some(Waits { why: Doubt::Clock, due: 40 })));
    }
    assert!(nothing_ended());
    // Nobody knows how long it has been so; it is not believed the next night either.
    let Done::Done(pass) = stage.pass(ahead + DAY) else { panic!() };
    assert!(pass.waits.is_some() && nothing_ended());
    // Right again, and all goes on.
    let (pass, ended) = stage.live_until(today + DAY);
    assert_eq!((pass.waits, ended), (None, 0));
    // Whoever says that it is right has it so.
    let Done::Done(pass) = stage.pass(ahead) else { panic!() };
    passes::confirm(&stage.archive, &pass, "test").unwrap();
    let Done::Done(pass) = stage.pass(ahead + DAY) else { panic!() };
    assert_eq!((pass.ended, pass.waits), (40, None));
}

#[test]
fn a_clock_that_goes_back_in_the_middle_of_a_pass_ends_it() {
    let stage = Stage::new(&on(Term::Months(1), Vec::new()));
    for _ in 0..120 {
        stage.some("INBOX", Some(at(0, "01-05T00:00:00Z")));
    }
    let end = at(1, "02-01T12:00:00Z");
    stage.live_until(end - 1);
    stage.clock.now.store(end, Ordering::Relaxed);
    let mut steps = 0;
    let done = pass::run(&stage.archive, &stage.clock, &mut || {
        steps += 1;
        // Behind the first look at all of them, and 70 of the second.
        if steps == 120 + 70 {
            stage.clock.now.store(end - 3 * DAY, Ordering::Relaxed);
        }
        Ok(())
    });
    let Ok(Done::Done(pass)) = done else { panic!("{done:?}") };
    assert_eq!((pass.ended, pass.is_cut), (50, true));
    let (pass, _) = stage.live_until(end + DAY);
    assert_eq!((pass.ended, pass.is_cut), (70, false));
}

#[test]
fn lowering_a_term_waits_for_a_person_and_raising_it_does_not() {
    let stage = Stage::new(&on(Term::Years(10), Vec::new()));
    let all: Vec<Number> = (0..30).map(|_| stage.some("INBOX", Some(at(-3, "01-05T00:00:00Z")))).collect();
    let today = stage.clock.now();
    stage.live_until(today);
    let shorter = on(Term::Years(1), Vec::new());
    {
        let view = stage.archive.view().unwrap();
        let [old, new] =
            [Terms::read(&view), Terms::of(&view, shorter.clone(), &retention::Remembered::new())].map(Result::unwrap);
        assert!(new.are_shorter_than(&old) && !old.are_shorter_than(&new));
        assert_eq!(due::count(&view, &new, today).unwrap().due, 30);
        assert_eq!(due::count(&view, &old, today).unwrap().due, 0);
        let years = due::by_year(&view, &old).unwrap().years;
        assert_eq!(years, [(Some(year() + 8), 30)].into());
    }
    shorter.write(&stage.archive, "test").unwrap();
    let Done::Done(pass) = stage.pass(today + 60) else { panic!() };
    assert_eq!((pass.ended, pass.waits), (0, Some(Waits { why: Doubt::Many, due: 30 })));
    // Raised again before anybody said yes: nothing is due, and nothing waits.
    on(Term::Years(20), Vec::new()).write(&stage.archive, "test").unwrap();
    let Done::Done(pass) = stage.pass(today + 120) else { panic!() };
    assert_eq!((pass.ended, pass.waits), (0, None));
    shorter.write(&stage.archive, "test").unwrap();
    let Done::Done(pass) = stage.pass(today + 180) else { panic!() };
    passes::confirm(&stage.archive, &pass, "test").unwrap();
    let Done::Done(pass) = stage.pass(today + 240) else { panic!() };
    assert_eq!((pass.ended, stage.is_there(all[0])), (30, false));
    // Off, nothing ends whatever is due.
    let late = stage.some("INBOX", Some(at(-3, "01-05T00:00:00Z")));
    Retention { deletes: false, ..shorter }.write(&stage.archive, "test").unwrap();
    assert_eq!(stage.pass(today + 300), Done::Off);
    assert!(stage.is_there(late));
}

#[test]
fn few_end_without_a_question_and_many_do_not() {
    let stage = Stage::new(&on(Term::Years(1), vec![rule("Werbung", Term::Months(1))]));
    on(Term::Years(1), vec![rule("Werbung", Term::Months(1))]).write(&stage.archive, "test").unwrap();
    for _ in 0..38 {
        stage.some("INBOX", Some(at(0, "01-05T00:00:00Z")));
    }
    let few =
        [stage.some("Werbung", Some(at(0, "01-05T00:00:00Z"))), stage.some("Werbung", Some(at(0, "01-05T00:00:00Z")))];
    // Two of forty, then 38 of 38.
    let (_, ended) = stage.live_until(at(1, "02-01T12:00:00Z"));
    assert!(ended == 2 && few.into_iter().all(|number| !stage.is_there(number)));
    let end = at(2, "01-01T12:00:00Z");
    stage.live_until(end - 1);
    let Done::Done(pass) = stage.pass(end) else { panic!() };
    assert_eq!(pass.waits, Some(Waits { why: Doubt::Many, due: 38 }));
    passes::confirm(&stage.archive, &pass, "test").unwrap();
    let Done::Done(pass) = stage.pass(end + 60) else { panic!() };
    assert_eq!(pass.ended, 38);
}

#[test]
fn a_folder_that_gets_another_name_keeps_its_term() {
    let stage = Stage::new(&on(Term::Months(1), vec![rule("Verträge", Term::Years(3)), rule("Kurz", Term::Years(1))]));
    let received = Some(at(0, "01-05T00:00:00Z"));
    let (long, short) = (stage.some("Verträge", received), stage.some("Kurz", received));
    stage.live_until(stage.clock.now());
    for (id, name) in [("Verträge", "Alte Verträge"), ("Kurz", "Verträge")] {
        let folder = Folder {
            definition: "office".into(),
            mailbox: "anna".into(),
            id: id.into(),
            name: name.into(),
            mailbox_name: "anna".into(),
            ..Folder::default()
        };
        stage.archive.folder(folder).unwrap();
        stage.archive.flush().unwrap();
    }
    // The one is kept as it was promised, the other as its new name says: the longer one of both.
    stage.ends(long, at(4, "01-01T12:00:00Z"));
    assert!(!stage.is_there(short));
    // Somebody sets it anew: what holds then holds by the names of then.
    let (long, short) = (stage.some("Verträge", received), stage.some("Kurz", received));
    stage.set(&on(Term::Months(1), vec![rule("Alte Verträge", Term::Months(2))]));
    let (_, ended) = stage.live_until(stage.clock.now() + DAY);
    assert!(ended == 2 && !stage.is_there(long) && !stage.is_there(short));
}

#[test]
fn the_verb_says_what_would_end_and_does_it() {
    let archivista = Archivista::new();
    let archive = small::open(&archivista.data());
    small::archive(&archive, 1, 3);
    let set = Retention { deletes: false, ..on(Term::Months(1), Vec::new()) };
    set.write(&archive, "test").unwrap();
    holds::set(
        &archive,
        &Hold {
            name: "Verfahren".into(),
            reason: "x".into(),
            who: "test".into(),
            set: 0,
            what: Scope::Numbers(vec![(2, 2)]),
            lifted: None,
        },
    )
    .unwrap();
    drop(archive);
    // Received at the beginning of 2024.
    let listed = archivista.run(&["retention", "--dry-run"]).succeeded().stdout;
    let line = "1  over since 2025-02-01T12:00:00Z: 1 month, the usual term\n";
    assert!(listed.starts_with(line), "{listed}");
    assert!(
        listed.contains("held by Verfahren")
            && listed.ends_with("2 documents would end; they are kept, since deleting is off\n"),
        "{listed}"
    );
    assert!(archivista.run(&["retention"]).ended_with(1).stdout.contains("switch deleting on"));
    let archive = small::open(&archivista.data());
    Retention { deletes: true, ..set }.write(&archive, "test").unwrap();
    drop(archive);
    let waits = archivista.run(&["retention", "--json"]).ended_with(1).json_lines().remove(0);
    assert_eq!((&waits["waits"], &waits["due"], &waits["ended"]), (&"many".into(), &2.into(), &0.into()));
    let archive = small::open(&archivista.data());
    let last = passes::last(&archive.view().unwrap()).unwrap().unwrap();
    passes::confirm(&archive, &last, "test").unwrap();
    drop(archive);
    let done = archivista.run(&["retention", "--json"]).succeeded().json_lines().remove(0);
    assert_eq!((&done["ended"], &done["held"]), (&2.into(), &1.into()));
    assert!(done["freed"].as_u64().unwrap() > 0, "{done}");
    let listed = archivista.run(&["retention", "--dry-run", "--json"]).succeeded().json_lines();
    assert_eq!((listed.len(), &listed[0]["held"][0]), (1, &"Verfahren".into()));
    archivista.run(&["verify"]).succeeded();
}
