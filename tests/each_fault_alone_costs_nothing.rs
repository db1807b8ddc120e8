//! Promise: whatever Microsoft 365 does wrong, alone or all at once, and however often the program is killed meanwhile: in
//! the end every message is archived once, nothing is unexplained, and the archive is whole.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::support::archivista::{Archivista, Output};
use crate::support::definition::Definition;
use crate::support::mails::tiny;
use crate::support::proof::{Place, in_archive};
use crate::support::random::Random;
use crate::support::tenant::{self, Folders, Tenant, same};
use serde_json::{Value, json};
use simulator::{Config, Kind};

const MAILBOXES: [&str; 3] = ["anna@mymail.ch", "beat@mymail.ch", "chef@mymail.ch"];
/// Runs in which a fault has to be over.
const RUNS: usize = 3;

/// Three mailboxes with 20 mails each, in pages of 5.
fn small() -> (Tenant, Archivista) {
    let tenant = Tenant::with(&MAILBOXES.map(|address| (address, tenant::tiny(address, 20))));
    let archivista = Archivista::new();
    archivista.define(&Definition::o365(&tenant, "tenant", MAILBOXES.to_vec()).with("number_of_mails", 5));
    (tenant, archivista)
}

/// How often a kind of fault fell.
fn fallen(tenant: &Tenant, kind: &str) -> u64 {
    tenant.counters()["faults"][kind].as_u64().unwrap_or(0)
}

/// Every message has an outcome, those that stayed out included.
fn is_explained(archivista: &Archivista, kind: &str) {
    let status = archivista.run(&["status", "--json"]).succeeded().json_lines().remove(0);
    let folders = status["definitions"][0]["folders"].as_array().unwrap();
    assert!(!folders.is_empty());
    for folder in folders {
        assert_eq!(folder["unexplained"], 0, "{kind}: {folder}");
        assert_eq!(folder["failed"], json!({}), "{kind}: {folder}");
    }
}

/// Fetches until a run has no trouble, and returns how many runs that took.
fn fetch_to_the_end(archivista: &Archivista, most: usize, kind: &str) -> usize {
    let mut last = None::<Output>;
    for run in 1..=most {
        let output = archivista.run(&["fetch", "--json"]);
        if output.code == Some(0) {
            return run;
        }
        last = Some(output);
    }
    panic!("{kind}: no end after {most} runs: {last:?}");
}

/// One fault over a small tenant, in a first run and in one that brings something new.
fn alone(kind: Kind, rate: &str) {
    let name = kind.name();
    let (tenant, archivista) = small();
    tenant.fault(&format!("{name}:{rate}"));
    let mut expected = tenant.places(&MAILBOXES);
    fetch_to_the_end(&archivista, RUNS, name);
    same(&in_archive(&archivista), &expected);
    for (number, mailbox) in MAILBOXES.iter().enumerate() {
        for more in 0..4 {
            let mail = tiny(&format!("{number}.{more}.neu@example.ch"), &format!("Neu {more}"));
            tenant.add(mailbox, if more == 0 { "Neuer Ordner" } else { "Inbox" }, &mail);
        }
    }
    expected = tenant.places(&MAILBOXES);
    assert_eq!(expected.len(), 72);
    fetch_to_the_end(&archivista, RUNS, name);
    // What was not to be found for a moment is looked for again in a later run.
    if kind == Kind::NotFoundWindow {
        fetch_to_the_end(&archivista, 1, name);
    }
    same(&in_archive(&archivista), &expected);
    assert!(fallen(&tenant, name) > 0, "{name} never fell");
    assert_eq!(archivista.list().len(), 72, "{name}: nothing is there twice");
    is_explained(&archivista, name);
    archivista.verify();
}

macro_rules! alone {
    ($($test:ident = $kind:ident $rate:literal),* $(,)?) => {
        $(#[test]
        fn $test() {
            alone(Kind::$kind, $rate);
        })*

        /// Those that a fetch can meet, and that need no look of their own.
        const ALONE: &[Kind] = &[$(Kind::$kind),*];
    };
}

alone! {
    throttled = Throttle "0.3",
    unavailable = Unavailable "0.04",
    bad_gateways = Gateway "0.04",
    no_tokens_for_a_while = TokenUnavailable "1",
    pages_that_fail = PoisonedPage "0.2",
    lost_sync_states = Gone "1",
    broken_off = Cut "0.1",
    trickling = Slow "0.1",
    tokens_that_expire = TokenExpired "0.1",
    refusals_without_reason = Spurious401 "0.2",
    empty_pages = EmptyPages "0.5",
    replays = Replays "0.5",
    lengths_that_lie = LyingLength "0.1",
    pages_of_html = HtmlError "0.04",
}

#[test]
fn no_kind_of_fault_is_forgotten() {
    // Looked at below, or where something is written.
    let elsewhere = [
        Kind::LateGateway,
        Kind::Poisoned,
        Kind::PoisonedSmime,
        Kind::NotFoundWindow,
        Kind::WrongContentType,
        Kind::Redirect,
    ];
    let forgotten: Vec<_> =
        Kind::ALL.iter().filter(|kind| !ALONE.contains(kind) && !elsewhere.contains(kind)).collect();
    assert!(forgotten.is_empty(), "{forgotten:?}");
}

#[test]
fn not_found_for_a_while() {
    alone(Kind::NotFoundWindow, "1");
}

#[test]
fn answers_of_another_kind() {
    alone(Kind::WrongContentType, "0.05");
}

#[test]
fn redirected() {
    alone(Kind::Redirect, "0.02");
}

/// All but the bytes: what cannot be converted is put together from its parts.
fn rebuilt(kind: Kind, mailboxes: &[(&str, Folders<'_>)], expected: usize) {
    let name = kind.name();
    let tenant = Tenant::with(mailboxes);
    let archivista = Archivista::new();
    let addresses: Vec<_> = mailboxes.iter().map(|(address, _)| *address).collect();
    archivista.define(&Definition::o365(&tenant, "tenant", addresses.clone()));
    tenant.fault(&format!("{name}:0.3:always"));
    fetch_to_the_end(&archivista, RUNS, name);
    let remotes = |places: &BTreeSet<Place>| -> BTreeSet<_> {
        places.iter().map(|place| (place.mailbox.clone(), place.folder.clone(), place.remote.clone())).collect()
    };
    let (archive, server) = (in_archive(&archivista), tenant.places(&addresses));
    let rebuilt: Vec<_> = archive.difference(&server).collect();
    assert!(!rebuilt.is_empty() && rebuilt.len() < expected, "{} of {expected}", rebuilt.len());
    assert_eq!(remotes(&archive), remotes(&server));
    let exported = archivista.export();
    let marked = exported
        .values()
        .filter(|bytes| String::from_utf8_lossy(bytes).lines().any(|line| line == "X-Archivista-Reconstructed: yes"));
    assert_eq!(marked.count(), rebuilt.len(), "what is no original says so");
    let titles: BTreeSet<_> = archivista.list().iter().map(|document| document["title"].to_string()).collect();
    assert!(titles.iter().all(|title| title.starts_with("\"Mail ")), "{titles:?}");
    assert_eq!(exported.len(), expected);
    fetch_to_the_end(&archivista, 1, name);
    assert_eq!(archivista.list().len(), expected, "nothing is rebuilt a second time");
    is_explained(&archivista, name);
    archivista.verify();
}

#[test]
fn what_cannot_be_converted_is_rebuilt() {
    rebuilt(Kind::Poisoned, &MAILBOXES.map(|address| (address, tenant::tiny(address, 20))), 60);
}

#[test]
fn what_is_signed_and_cannot_be_converted_is_rebuilt() {
    let signed = |number: usize| {
        format!(
            "From: Anna <anna@example.ch>\r\nTo: Beat <beat@example.ch>\r\nSubject: Mail {number} signiert\r\n\
             Date: Mon, 1 Jan 2024 09:00:00 +0100\r\nMessage-ID: <signiert.{number}@example.ch>\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; micalg=sha-256; boundary=\"b\"\r\n\r\n\
             --b\r\nContent-Type: text/plain\r\n\r\nGuten Tag {number}\r\n--b\r\n\
             Content-Type: application/pkcs7-signature; name=\"smime.p7s\"\r\nContent-Transfer-Encoding: base64\r\n\
             Content-Disposition: attachment; filename=\"smime.p7s\"\r\n\r\nTUlJ\r\n--b--\r\n"
        )
        .into_bytes()
    };
    let mut folders = tenant::tiny(MAILBOXES[0], 10);
    folders.insert("Signiert", (0..12).map(signed).collect());
    rebuilt(Kind::PoisonedSmime, &[(MAILBOXES[0], folders)], 22);
}

#[test]
fn tokens_expire_between_two_runs_and_so_do_links() {
    let (tenant, archivista) = small();
    fetch_to_the_end(&archivista, 1, "none");
    for op in ["expire_tokens", "expire_delta_tokens"] {
        tenant.control(&json!({ "op": op }));
        tenant.control(&json!({ "op": "reset_counters" }));
        for mailbox in MAILBOXES {
            tenant.add(mailbox, "Inbox", &tiny(&format!("{op}.{mailbox}"), op));
        }
        fetch_to_the_end(&archivista, 1, op);
        assert_eq!(tenant.calls("value"), 3, "{op}: only what is new is downloaded");
    }
    same(&in_archive(&archivista), &tenant.places(&MAILBOXES));
    assert_eq!(archivista.list().len(), 66);
    archivista.verify();
}

/// One request in twenty meets a fault, and so do messages, pages and folders. A kill comes at any time, ten of them in the course of the whole.
#[test]
fn all_at_once_and_killed() {
    const KILLS: usize = 10;
    let mut random = Random::fresh();
    let (users, each) = (20, 500);
    let tenant = Tenant::start(&[], Config { generate: Some((users, each, 7)), ..Config::default() });
    let archivista = Archivista::new();
    // In pages of 100, so that the pauses of four lanes pass together.
    archivista.define(&Definition::o365(&tenant, "tenant", "all").with("number_of_mails", 100));
    for kind in Kind::ALL {
        let rate = match kind {
            // Each costs most of a second that nothing shortens; some ten of each kind are met all the same.
            Kind::Unavailable | Kind::Gateway | Kind::HtmlError | Kind::WrongContentType | Kind::Slow => 0.001,
            Kind::Throttle => 0.02,
            // The first three fall on requests, the others on messages.
            Kind::TokenExpired
            | Kind::Spurious401
            | Kind::Redirect
            | Kind::Cut
            | Kind::LyingLength
            | Kind::Poisoned => 0.01,
            Kind::PoisonedPage => 0.0025,
            // These on pages, folders, logins, writes, signed and new mails, which are few.
            _ => 0.05,
        };
        tenant.fault(&format!("{}:{rate}", kind.name()));
    }
    let mut kills = 0;
    while kills < KILLS {
        let mut fetch = archivista.spawn(&["fetch"]);
        let until = std::time::Instant::now() + Duration::from_millis(300 + random.below(4_000));
        while fetch.is_running() && std::time::Instant::now() < until {
            std::thread::sleep(Duration::from_millis(5));
        }
        if fetch.kill().code.is_none() {
            kills += 1;
        } else {
            // It came to its end: there has to be something new for the next one.
            let number = random.next();
            for user in 0..users {
                let mail = tiny(&format!("{number}.{user}@example.ch"), "Neu");
                tenant.add(&format!("user{user:04}@example.org"), "Inbox", &mail);
            }
        }
    }
    fetch_to_the_end(&archivista, 10, "all");
    fetch_to_the_end(&archivista, 2, "all");
    // What cannot be rendered is put together from its parts: its place is known, not its bytes.
    let (mut expected, mut rebuilt) = (BTreeSet::new(), BTreeSet::new());
    for user in 0..users {
        let mailbox = format!("user{user:04}@example.org");
        let messages = tenant.control(&json!({ "op": "messages", "mailbox": mailbox, "sha256": true }));
        for message in messages.as_array().unwrap() {
            let text = |key: &str| message[key].as_str().unwrap().to_owned();
            let remote = text("immutable_id");
            if message["poisoned"] == true {
                rebuilt.insert(remote.clone());
            }
            expected.insert(Place { mailbox: mailbox.clone(), folder: text("folder"), remote, sha256: text("sha256") });
        }
    }
    assert!(expected.len() >= 10_000 && rebuilt.len() > 50, "{} of {}", rebuilt.len(), expected.len());
    let places = |places: BTreeSet<Place>| -> BTreeSet<Place> {
        let without =
            |place: &Place| if rebuilt.contains(&place.remote) { String::new() } else { place.sha256.clone() };
        places.into_iter().map(|place| Place { sha256: without(&place), ..place }).collect()
    };
    let count = expected.len();
    same(&places(in_archive(&archivista)), &places(expected));
    assert_eq!(archivista.list().len(), count, "nothing is there twice");
    for kind in Kind::ALL.iter().filter(|kind| **kind != Kind::LateGateway) {
        // Mails come later only where a run was quicker than its kill; whoever polls does not ask for a token each time.
        let may_miss = matches!(kind, Kind::NotFoundWindow | Kind::TokenUnavailable);
        assert!(may_miss || fallen(&tenant, kind.name()) > 0, "{} never fell", kind.name());
    }
    // A fault that passes may still wait for a request that was never made before; what counts now is that nothing is left.
    tenant.control(&json!({ "op": "clear_faults" }));
    let counts: Vec<Value> = archivista.fetch();
    assert_eq!(counts[0]["seen"], 0, "{counts:?}");
    is_explained(&archivista, "all");
    archivista.verify();
}
