//! Promise: in a mailbox of Microsoft 365 only mail that is safe in the archive is moved or deleted, each once, and nothing
//! is archived a second time because it lies elsewhere now; "leave" changes nothing at all.

use std::collections::BTreeSet;
use std::fs;

use crate::support::archivista::{Archivista, Counts};
use crate::support::definition::Definition;
use crate::support::hash::sha256;
use crate::support::mails::tiny;
use crate::support::proof::{Place, in_archive};
use crate::support::random::Random;
use crate::support::tenant::{self, Tenant, same};
use serde_json::{Value, json};

const ANNA: &str = "anna@mymail.ch";
const BEAT: &str = "beat@mymail.ch";
const BOTH: [&str; 2] = [ANNA, BEAT];
const TARGET: &str = "Archiv/Erledigt 2024";

fn tenant(count: usize) -> Tenant {
    Tenant::with(&BOTH.map(|address| (address, tenant::tiny(address, count))))
}

fn archivista(tenant: &Tenant, after: &str) -> Archivista {
    let archivista = Archivista::new();
    archivista.define(&Definition::o365(tenant, "tenant", BOTH.to_vec()).with("after", after));
    archivista
}

/// Hashes of all messages in these folders of a mailbox, or in all; one for each message.
fn lying(tenant: &Tenant, mailbox: &str, folder: Option<&str>) -> Vec<String> {
    let messages = tenant.control(&json!({ "op": "messages", "mailbox": mailbox }));
    let messages = messages.as_array().unwrap().iter();
    let here = messages.filter(|message| folder.is_none_or(|folder| message["folder"] == folder));
    let mut hashes: Vec<_> =
        here.map(|message| sha256(&fs::read(message["file"].as_str().unwrap()).unwrap())).collect();
    hashes.sort_unstable();
    hashes
}

fn hashes(places: &BTreeSet<Place>) -> BTreeSet<String> {
    places.iter().map(|place| place.sha256.clone()).collect()
}

fn writes(tenant: &Tenant) -> Vec<Value> {
    let log = tenant.control(&json!({ "op": "log" }));
    let of_mailbox = |line: &&Value| line["method"] != "GET" && line["call"] != "token";
    log.as_array().unwrap().iter().filter(of_mailbox).cloned().collect()
}

/// Nothing more to do and nothing due.
fn is_at_rest(archivista: &Archivista, tenant: &Tenant) {
    tenant.control(&json!({ "op": "reset_counters" }));
    let again = archivista.fetch_counts();
    assert_eq!(again.archived + again.failed, 0, "{again:?}");
    assert_eq!(archivista.fetch_counts(), Counts::default());
    assert_eq!(writes(tenant), Vec::<Value>::new(), "a second time");
    let status = archivista.run(&["status", "--json"]).succeeded().json_lines().remove(0);
    for folder in status["definitions"][0]["folders"].as_array().unwrap() {
        assert_eq!(folder["after_due"], 0, "{folder}");
    }
    archivista.verify();
}

#[test]
fn leave_changes_nothing() {
    let tenant = tenant(12);
    let before = tenant.places(&BOTH);
    assert_eq!(before.len(), 24);
    let archivista = archivista(&tenant, "leave");
    assert_eq!(archivista.fetch_counts(), Counts::archived(24));
    assert_eq!(tenant.places(&BOTH), before);
    // Nothing but the login is not a mere reading: no mark, no move.
    assert_eq!(writes(&tenant), Vec::<Value>::new());
    is_at_rest(&archivista, &tenant);
}

#[test]
fn moved_into_a_folder_that_is_made_for_it() {
    let tenant = tenant(30);
    let all = hashes(&tenant.places(&BOTH));
    let archivista = archivista(&tenant, &format!("move:{TARGET}"));
    assert_eq!(archivista.fetch_counts().archived, 60);
    for mailbox in BOTH {
        assert_eq!(lying(&tenant, mailbox, None), lying(&tenant, mailbox, Some(TARGET)), "all of it is there");
        assert_eq!(lying(&tenant, mailbox, Some(TARGET)).len(), 30);
    }
    assert_eq!(hashes(&in_archive(&archivista)), all);
    is_at_rest(&archivista, &tenant);
    assert_eq!(archivista.list().len(), 60);

    // What comes later follows; the folder is not made a second time.
    tenant.add(ANNA, "Inbox", &tiny("neu@example.ch", "Neu"));
    assert_eq!(archivista.fetch_counts().archived, 1);
    assert_eq!(lying(&tenant, ANNA, Some(TARGET)).len(), 31);
    let folders = tenant.control(&json!({ "op": "folders", "mailbox": ANNA }));
    let made = folders.as_array().unwrap().iter().filter(|folder| folder["path"] == TARGET).count();
    assert_eq!(made, 1, "{folders}");
    is_at_rest(&archivista, &tenant);
    assert_eq!(archivista.list().len(), 61);
}

#[test]
fn deleted_and_purged() {
    for after in ["delete", "purge"] {
        let tenant = tenant(12);
        let all = hashes(&tenant.places(&BOTH));
        let archivista = archivista(&tenant, after);
        assert_eq!(archivista.fetch_counts().archived, 24, "{after}");
        archivista.run(&["fetch"]).succeeded();
        assert_eq!(writes(&tenant).len(), 24, "{after}: each once, wherever it is met afterwards");
        for mailbox in BOTH {
            // A deletion can be taken back by the owner of the mailbox, a purge cannot. What lies with the deleted messages
            // is left there: who met it and deleted it again would do so for ever.
            let deleted = lying(&tenant, mailbox, Some("Deleted Items"));
            assert_eq!(deleted.len(), if after == "delete" { 12 } else { 0 }, "{after}");
            assert_eq!(lying(&tenant, mailbox, None), deleted, "{after}: nothing lies elsewhere");
        }
        assert_eq!(hashes(&in_archive(&archivista)), all, "{after}");
        is_at_rest(&archivista, &tenant);
    }
}

#[test]
fn an_answer_that_is_lost_after_the_deed_doubles_nothing() {
    for after in [format!("move:{TARGET}"), "delete".to_owned(), "purge".to_owned()] {
        let tenant = tenant(12);
        let all = hashes(&tenant.places(&BOTH));
        tenant.fault("late-gateway:0.15");
        let archivista = archivista(&tenant, &after);
        for _ in 0..3 {
            archivista.run(&["fetch"]);
        }
        assert!(tenant.counters()["faults"]["late-gateway"].as_u64().unwrap() >= 1, "{after}");
        tenant.control(&json!({ "op": "clear_faults" }));
        archivista.run(&["fetch"]).succeeded();
        assert_eq!(hashes(&in_archive(&archivista)), all, "{after}");
        assert_eq!(archivista.list().len(), 24, "{after}");
        for mailbox in BOTH {
            let target = match after.as_str() {
                "purge" => None,
                "delete" => Some("Deleted Items"),
                _ => Some(TARGET),
            };
            // Not further either: a deletion that is asked for again leaves the message with the deleted ones.
            let left = lying(&tenant, mailbox, None);
            assert_eq!(left.len(), if target.is_some() { 12 } else { 0 }, "{after}: each once");
            assert_eq!(left, target.map_or(Vec::new(), |target| lying(&tenant, mailbox, Some(target))), "{after}");
        }
        is_at_rest(&archivista, &tenant);
    }
}

#[test]
fn without_the_permission_mail_is_archived_and_stays() {
    let tenant = tenant(9);
    let archivista = archivista(&tenant, "delete");
    tenant.control(&json!({ "op": "configure", "permissions": ["Mail.Read", "User.Read.All"] }));
    let output = archivista.run(&["fetch", "--json"]).ended_with(1);
    assert_eq!(Counts::of(&output).archived, 18, "what may be read is archived");
    assert!(output.stderr.contains("Mail.ReadWrite"), "{}", output.stderr);
    assert_eq!(tenant.places(&BOTH).len(), 18, "nothing is deleted without the permission");
    same(&in_archive(&archivista), &tenant.places(&BOTH));
    tenant.control(&json!({ "op": "configure", "permissions": ["Mail.ReadWrite", "User.Read.All"] }));
    archivista.run(&["fetch"]).succeeded();
    let left = tenant.places(&BOTH).into_iter().find(|place| place.folder != "Deleted Items");
    assert_eq!(left, None);
    archivista.run(&["fetch"]).succeeded();
    is_at_rest(&archivista, &tenant);
    assert_eq!(archivista.list().len(), 18);
}

#[test]
fn a_kill_leaves_no_message_outside_both() {
    let mut random = Random::fresh();
    let tenant = tenant(90);
    let all = hashes(&tenant.places(&BOTH));
    let archivista = archivista(&tenant, "purge");
    for _ in 0..8 {
        let running = archivista.spawn(&["fetch"]);
        std::thread::sleep(std::time::Duration::from_millis(60 + random.below(200)));
        running.kill();
        let safe: BTreeSet<_> = in_archive(&archivista).into_iter().map(|place| place.sha256).collect();
        let there = hashes(&tenant.places(&BOTH));
        let lost: Vec<_> = all.iter().filter(|hash| !safe.contains(*hash) && !there.contains(*hash)).collect();
        assert!(lost.is_empty(), "purged before it was safe: {lost:?}");
    }
    archivista.run(&["fetch"]).succeeded();
    archivista.run(&["fetch"]).succeeded();
    assert!(tenant.places(&BOTH).is_empty());
    assert_eq!(hashes(&in_archive(&archivista)), all);
    assert_eq!(archivista.list().len(), 180);
    is_at_rest(&archivista, &tenant);
}
