//! Promise: mailboxes, and definitions, are fetched side by side: as many as memory and servers allow. One that is slow, stuck
//! or broken keeps no other from its turn, and is tried again.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use archivista::archive::Archive;
use archivista::archive::commit::Run;
use archivista::fetch::budget::Budget;
use archivista::fetch::crew::{Crew, Patience};
use archivista::fetch::queue::Task;
use archivista::fetch::{Fetcher, schedule};
use archivista::ingest::Spool;
use archivista::pulse::{self, Pulse};
use archivista::settings::{self, Definition as Settings};
use archivista::source::{
    After, Arrival, Cursor, Done, Folder, Listed, MailSource, Mailbox, Page, RemoteId, Result, Role, Sink, SourceError,
    Step,
};

use crate::support::archivista::{Archivista, Counts};
use crate::support::definition::{Definition, imap};
use crate::support::dovecot::{Dovecot, PASSWORD, Setup, USER};
use crate::support::mails::{self, tiny};
use crate::support::proof::in_archive;
use crate::support::tenant::{self, Tenant, same};

const HANGS_AFTER: Duration = Duration::from_mins(1);

/// Waits for what has to come, however slow the machine is.
fn wait_for(what: &str, mut is_there: impl FnMut() -> bool) {
    let since = Instant::now();
    while !is_there() {
        assert!(since.elapsed() < HANGS_AFTER, "it never came: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// A mailbox with one message, and what happens before that is given.
struct Own<'a>(Box<dyn FnMut() -> Result<()> + Send + 'a>);

impl MailSource for Own<'_> {
    fn check(&mut self, _: &mut dyn FnMut(Step)) {}

    fn mailboxes(&mut self) -> Result<Vec<Mailbox>> {
        Ok(Vec::new())
    }

    fn folders(&mut self, _: &Mailbox) -> Result<Vec<Folder>> {
        let inbox =
            Folder { id: "F".into(), name: "Inbox".into(), role: Role::Inbox, selectable: true, ..Folder::default() };
        Ok(vec![inbox])
    }

    fn changes(&mut self, _: &Mailbox, _: &Folder, cursor: Option<&Cursor>, _: bool) -> Result<Page> {
        let only = Listed { id: RemoteId(b"1".to_vec()), received: None, size: None, draft: false };
        let listed = if cursor.is_none() { vec![only] } else { Vec::new() };
        let next = Cursor("1".into());
        Ok(Page { listed, next, more: false, restarted: false, renumbered: None, removed: Vec::new(), total: 1 })
    }

    fn fetch(&mut self, mailbox: &Mailbox, _: &Folder, ids: &[RemoteId], sink: &mut dyn Sink) -> Result<()> {
        (self.0)()?;
        for id in ids {
            let arrival = Arrival { id: id.clone(), received: None, flags: Vec::new(), reconstructed: false };
            sink.begin(None)
                .and_then(|()| sink.data(format!("Subject: {}\r\n\r\n", mailbox.name).as_bytes()))
                .and_then(|()| sink.end(arrival))
                .map_err(SourceError::Sink)?;
        }
        Ok(())
    }

    fn list_ids(&mut self, _: &Mailbox, _: &Folder, each: &mut dyn FnMut(RemoteId) -> Result<()>) -> Result<u64> {
        each(RemoteId(b"1".to_vec()))?;
        Ok(1)
    }

    fn after(&mut self, _: &Mailbox, _: &Folder, _: &[RemoteId], _: &After) -> Result<Vec<Done>> {
        Ok(Vec::new())
    }

    fn play_back(&mut self, _: &Mailbox, _: &str, _: &mut dyn Read, _: u64, _: Option<&Arrival>) -> Result<()> {
        Ok(())
    }
}

fn task<'a>(name: &str, before: impl FnMut() -> Result<()> + Send + 'a) -> Task<'a> {
    let mailbox = Mailbox { id: name.into(), name: name.into() };
    Task::new(vec![mailbox], Box::new(Own(Box::new(before))))
}

struct Place {
    archive: Archive,
    spool: Spool,
    definition: Settings,
    budget: Budget,
    pulse: Pulse,
    dir: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let archive = Archive::open(&dir.path().join("data"), &Pulse::new()).unwrap();
        let spool = Spool::new(archive.paths().spool.clone()).unwrap();
        let (budget, pulse) = (Budget::default(), Pulse::new());
        let definition = imap(dir.path(), "own", 9, &["anna"]);
        Self { archive, spool, definition, budget, pulse, dir }
    }

    fn work(&self, silence: Duration, grace: Duration, tasks: Vec<Task<'_>>) -> (Run, Vec<String>) {
        let (mut run, mut troubles) = (Run::default(), Vec::new());
        let crew = Crew {
            archive: &self.archive,
            spool: &self.spool,
            definition: &self.definition,
            budget: &self.budget,
            pulse: &self.pulse,
            reconcile: false,
            all_of_tenant: false,
            patience: Patience { silence, grace, ..Patience::default() },
        };
        crew.work(tasks, &mut (), &mut run, &mut troubles);
        self.archive.flush().unwrap();
        (run, troubles)
    }
}

#[test]
fn one_slow_mailbox_does_not_keep_the_others_waiting() {
    let place = Place::new();
    let others = AtomicUsize::new(0);
    let other = || {
        others.fetch_add(1, Ordering::SeqCst);
        Ok(())
    };
    let slow = || {
        wait_for("the other mailboxes", || others.load(Ordering::SeqCst) == 2);
        Ok(())
    };
    let (run, troubles) =
        place.work(HANGS_AFTER, HANGS_AFTER, vec![task("slow", slow), task("b", other), task("c", other)]);
    assert_eq!((run.archived, run.seen, troubles), (3, 3, Vec::new()));
}

#[test]
fn a_stuck_mailbox_is_ended_and_tried_again() {
    let place = Place::new();
    // It beats no pulse, and notices only that it is asked to end.
    let stuck = || {
        wait_for("the question to end", || pulse::own().unwrap().is_cancelled());
        Err(SourceError::Cancelled)
    };
    let fine = || Ok(());
    let short = Duration::from_millis(200);
    let (run, troubles) = place.work(short, HANGS_AFTER, vec![task("stuck", stuck), task("b", fine)]);
    assert_eq!(run.archived, 1);
    assert_eq!(troubles.len(), 1, "{troubles:?}");
    assert!(troubles[0].starts_with("stuck: silent for"), "{troubles:?}");
    assert!(!place.pulse.is_cancelled(), "the run goes on");
    let (run, troubles) = place.work(HANGS_AFTER, HANGS_AFTER, vec![task("stuck", fine), task("b", fine)]);
    assert_eq!((run.archived, run.seen, troubles), (1, 1, Vec::new()));
}

#[test]
fn a_mailbox_that_does_not_end_either_stops_the_pulse_of_the_run() {
    let place = Place::new();
    let may_end = AtomicBool::new(false);
    let never = || {
        wait_for("the end of the test", || may_end.load(Ordering::SeqCst));
        Ok(())
    };
    // The other one moves all the time, and hides nothing.
    let moves = || {
        wait_for("the end of the test", || place.pulse.go_on().is_err() || may_end.load(Ordering::SeqCst));
        Ok(())
    };
    let short = Duration::from_millis(100);
    thread::scope(|scope| {
        let work = scope.spawn(|| place.work(short, short, vec![task("never", never), task("moves", moves)]));
        wait_for("a pulse that beats no more", || place.pulse.age() > Duration::from_secs(1));
        may_end.store(true, Ordering::SeqCst);
        work.join().unwrap();
    });
}

#[test]
fn a_panic_costs_the_try_of_one_mailbox() {
    let place = Place::new();
    let tasks = vec![task("a", || panic!("a test's own")), task("b", || Ok(()))];
    let (run, troubles) = place.work(HANGS_AFTER, HANGS_AFTER, tasks);
    assert_eq!(run.archived, 1);
    // Over several lanes a panic is one of the source, over one it is one of the mailbox.
    assert!(troubles.len() == 1 && troubles[0].starts_with("a: "), "{troubles:?}");
}

#[test]
fn a_long_definition_does_not_keep_another_waiting() {
    let place = Place::new();
    let server = Dovecot::start();
    server.deliver(USER, "INBOX", &tiny("1@example.ch", "Mail"));
    // A server that greets and then has time.
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let clients: Vec<_> = listener.incoming().map_while(io::Result::ok).collect();
        drop(clients);
    });
    // By their names, the long one comes first.
    for definition in
        [imap(place.dir.path(), "a long", port, &[USER]), imap(place.dir.path(), "b", server.port(), &[USER])]
    {
        settings::put(&place.archive, &definition, "test").unwrap();
    }
    let fetcher = Fetcher::default();
    let runs = |name: &str| place.archive.view().unwrap().runs(name, 10, usize::MAX).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| schedule::run(&place.archive, &fetcher, &place.pulse).unwrap());
        wait_for("the run of the other one", || !runs("b").is_empty());
        assert!(fetcher.board.standing("a long").running_since.is_some());
        assert!(runs("a long").is_empty());
        assert_eq!((runs("b")[0].archived, runs("b")[0].trouble.as_str()), (1, ""));
        // And a person ends it.
        assert!(fetcher.cancel("a long", "anna"));
        wait_for("the end of the long one", || !runs("a long").is_empty());
        assert_eq!(runs("a long")[0].trouble, "cancelled by anna");
        assert!(!runs("a long")[0].has_trouble(), "it was wanted");
        assert!(!fetcher.cancel("a long", "anna"), "there is none any more");
        place.pulse.cancel();
    });
}

/// In front of a server: so many connections at a time, and a farewell for the next one.
struct Narrow {
    port: u16,
    most: Arc<AtomicUsize>,
    refused: Arc<AtomicUsize>,
}

impl Narrow {
    fn before(server: u16, allowed: usize) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (most, refused, open) =
            (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let told = (most.clone(), refused.clone());
        thread::spawn(move || {
            for mut client in listener.incoming().map_while(io::Result::ok) {
                if open.load(Ordering::SeqCst) >= allowed {
                    told.1.fetch_add(1, Ordering::SeqCst);
                    let _ = client.write_all(b"* BYE [UNAVAILABLE] Maximum number of connections exceeded\r\n");
                    continue;
                }
                let now = open.fetch_add(1, Ordering::SeqCst) + 1;
                told.0.fetch_max(now, Ordering::SeqCst);
                let open = open.clone();
                thread::spawn(move || {
                    let mut upstream = TcpStream::connect(("127.0.0.1", server)).unwrap();
                    let (mut from, mut to) = (client.try_clone().unwrap(), upstream.try_clone().unwrap());
                    let there = thread::spawn(move || {
                        let _ = io::copy(&mut from, &mut to);
                        let _ = to.shutdown(Shutdown::Both);
                    });
                    let _ = io::copy(&mut upstream, &mut client);
                    let _ = client.shutdown(Shutdown::Both);
                    there.join().unwrap();
                    open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Self { port, most, refused }
    }
}

#[test]
fn a_server_that_allows_two_connections_gets_two() {
    let users: Vec<String> = (1..=5).map(|number| format!("user{number}@mymail.ch")).collect();
    let server = Dovecot::start_with(&Setup { users: users.clone(), ..Setup::default() });
    for user in &users {
        for (number, mail) in mails::sample(40).iter().enumerate() {
            let mail = [format!("X-Of: {user} {number}\r\n").as_bytes(), mail].concat();
            server.deliver(user, "INBOX", &mail);
        }
    }
    let narrow = Narrow::before(server.port(), 2);
    let archivista = Archivista::new();
    let names: Vec<&str> = users.iter().map(String::as_str).collect();
    let definition = Definition::of(&server, "büro").with("encryption", "none").with("port", narrow.port);
    archivista.define(&definition.accounts(&names));
    assert_eq!(archivista.fetch_counts(), Counts::archived(5 * 40));
    assert_eq!(narrow.most.load(Ordering::SeqCst), 2);
    assert!(narrow.refused.load(Ordering::SeqCst) > 0, "nothing was to be learned");
}

#[test]
fn a_mailbox_with_too_many_connections_is_tried_again_within_the_run() {
    let config = "mail_max_userip_connections = 1\n".to_owned();
    let server = Dovecot::start_with(&Setup { config, ..Setup::default() });
    server.deliver(USER, "INBOX", &tiny("1@example.ch", "Mail"));
    let mut other = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    other.write_all(format!("a LOGIN {USER} {PASSWORD}\r\n").as_bytes()).unwrap();
    let mut lines = BufReader::new(other.try_clone().unwrap()).lines();
    lines.find(|line| line.as_ref().unwrap().starts_with("a OK")).unwrap().unwrap();
    let archivista = Archivista::new();
    archivista.define(&Definition::of(&server, "büro"));
    let fetch = archivista.spawn(&["fetch", "--json"]);
    wait_for("the refusal", || server.log().contains("Maximum number of connections"));
    drop((lines, other));
    assert_eq!(Counts::of(&fetch.wait().succeeded()), Counts::archived(1));
}

/// Small mails of each mailbox of the tenant, beside the large ones.
const PAGE: usize = 1000;

/// More than are worked at a time.
const USERS: usize = archivista::limits::MAILBOXES_PER_RUN + 2;

/// Seconds until the server takes more requests: longer than what is waited for on the spot.
const SPAN: u64 = 15;

#[test]
fn a_mailbox_that_had_too_many_requests_lets_the_others_go_first() {
    let users: Vec<String> = (1..=USERS).map(|number| format!("user{number}@example.ch")).collect();
    let mailboxes: Vec<_> = users.iter().map(|user| (user.as_str(), tenant::tiny(user, 60))).collect();
    let config = simulator::Config { quota: Some((50, SPAN)), ..simulator::Config::default() };
    let tenant = Tenant::start(&mailboxes, config);
    let archivista = Archivista::new();
    let names: Vec<&str> = users.iter().map(String::as_str).collect();
    archivista.define(&Definition::o365(&tenant, "c", names.clone()));
    assert_eq!(archivista.fetch_counts(), Counts::archived(USERS as u64 * 60));
    let counters = tenant.counters();
    assert!(counters["throttled"].as_u64().unwrap() > 0, "nobody was to wait: {counters}");
    assert!(counters["throttled"].as_u64().unwrap() < 80, "the server is asked while it wants rest: {counters}");
    // Each has to wait: the last ones, beyond those that are worked at a time, had begun before any of the first was done.
    let log = tenant.control(&serde_json::json!({ "op": "log" }));
    let is_mail = |line: &&serde_json::Value| line["call"] == "value" && line["status"] == 200;
    let mut spans: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for (at, line) in log.as_array().unwrap().iter().filter(is_mail).enumerate() {
        spans.entry(line["mailbox"].as_str().unwrap()).or_insert((at, at)).1 = at;
    }
    assert_eq!(spans.len(), USERS);
    let (first_end, last_begin) =
        (spans.values().map(|span| span.1).min().unwrap(), spans.values().map(|span| span.0).max().unwrap());
    assert!(last_begin < first_end, "{spans:?}");
    same(&in_archive(&archivista), &tenant.places(&names));
}

#[test]
fn many_mailboxes_at_a_time_stay_within_their_memory() {
    let users: Vec<String> = (1..=6).map(|number| format!("user{number}@mymail.ch")).collect();
    let server = Dovecot::start_with(&Setup { users: users.clone(), ..Setup::default() });
    let line = b"0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz\r\n".repeat(4000);
    let large = |of: &str, number: usize| [&tiny(&format!("{of}.{number}"), "Mail")[..], &line[..]].concat();
    for user in &users {
        for number in 0..25 {
            server.deliver(user, "INBOX", &large(user, number));
        }
    }
    let mut mailboxes = Vec::new();
    for user in &users {
        let mut folders = tenant::Folders::new();
        let mut mails: Vec<Vec<u8>> = (100..125).map(|number| large(user, number)).collect();
        // Pages of a thousand mails, and of several mailboxes at a time.
        mails.extend((0..PAGE).map(|number| tiny(&format!("{user}.{number}@example.ch"), "Mail")));
        folders.insert("Inbox", mails);
        mailboxes.push((user.as_str(), folders));
    }
    let tenant = Tenant::with(&mailboxes);
    let archivista = Archivista::new();
    let names: Vec<&str> = users.iter().map(String::as_str).collect();
    archivista.define(&Definition::of(&server, "a").accounts(&names[..3]));
    archivista.define(&Definition::of(&server, "b").accounts(&names[3..]));
    archivista.define(&Definition::o365(&tenant, "c", names.clone()).with("number_of_mails", 1000));
    let serve = archivista.spawn(&["serve"]);
    let socket = archivista.data().join("control.sock");
    wait_for("somebody who serves", || UnixStream::connect(&socket).is_ok());
    wait_for("all mails", || archivista.run(&["status", "--json"]).json_lines()[0]["documents"] == 300 + 6 * PAGE);
    let output = serve.kill();
    eprintln!("{} KiB at most", output.peak_memory);
    // With what brings them into the search index meanwhile.
    assert!(output.peak_memory < 64 * 1024, "{} KiB", output.peak_memory);
}
