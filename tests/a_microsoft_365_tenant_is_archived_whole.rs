//! Promise: every message of every mailbox of a Microsoft 365 tenant is archived, byte for byte as Microsoft gives it, once;
//! what comes later is found by itself, and what is deleted there stays here.

use crate::support::archivista::{Archivista, Counts};
use crate::support::corpus;
use crate::support::definition::Definition;
use crate::support::mails::tiny;
use crate::support::proof::in_archive;
use crate::support::tenant::{self, Folders, Tenant, same};
use serde_json::{Value, json};
use simulator::{Config, Extra};

const ANNA: &str = "anna@mymail.ch";
const BEAT: &str = "beat@mymail.ch";
const CHEF: &str = "chef@mymail.ch";
const ALL: [&str; 3] = [ANNA, BEAT, CHEF];

const FOLDERS: [&str; 8] = [
    "Inbox",
    "Inbox/Projekte/Zürich/März",
    "Inbox/Offerten%2FRechnungen",
    "Sent Items",
    "Deleted Items",
    "Kunden/Müller & Söhne",
    "Versteckt",
    "日本語",
];

/// Real mails in nested folders of three mailboxes; one folder is hidden, one is a view of the inbox.
fn real(count: usize) -> Tenant {
    let mut mailboxes: Vec<(&str, Folders<'_>)> = ALL.iter().map(|address| (*address, Folders::new())).collect();
    for (number, mail) in corpus::mails().into_iter().step_by(5).take(count).enumerate() {
        let folders = &mut mailboxes[number % 3].1;
        folders.entry(FOLDERS[number / 3 % FOLDERS.len()]).or_default().push(mail.bytes);
    }
    let tenant = Tenant::with(&mailboxes);
    for mailbox in ALL {
        tenant.control(&json!({ "op": "hide_folder", "mailbox": mailbox, "folder": "Versteckt" }));
        tenant
            .control(&json!({ "op": "add_folder", "mailbox": mailbox, "folder": "Alles Ungelesene", "search": true }));
    }
    tenant
}

/// However small the pages are that the definition asks for, the disk is not kept busy with little.
#[test]
fn small_pages_make_no_small_commits() {
    let mut folders = Folders::new();
    folders.insert("Inbox", (0..200).map(|number| tiny(&format!("{number}@example.ch"), "Mail")).collect());
    let tenant = Tenant::with(&[(ANNA, folders)]);
    let commits = |number: u32| {
        tenant.control(&json!({ "op": "reset_counters" }));
        let archivista = Archivista::new();
        archivista.define(&Definition::o365(&tenant, "tenant", vec![ANNA]).with("number_of_mails", number));
        assert_eq!(archivista.fetch_counts(), Counts::archived(200));
        assert_eq!(tenant.counters()["page_sizes"], json!([number]), "as the definition says");
        archivista.run(&["verify", "--json"]).succeeded().json_lines()[0]["commits"].as_u64().unwrap()
    };
    let (large, small) = (commits(1000), commits(10));
    // One more for every hundred mails, and what a slow machine splits.
    assert!(small <= large + 6, "{small} commits for twenty pages, {large} for one");
}

/// What the requests of a mailbox have to keep to.
fn is_polite(tenant: &Tenant) {
    let counters = tenant.counters();
    assert_eq!(counters["without_immutable_id"], 0, "{counters}");
    assert_eq!(counters["throttled"], 0, "{counters}");
    let most = counters["max_concurrent"].as_object().unwrap();
    assert!(!most.is_empty() && most.values().all(|count| count.as_u64().unwrap() <= 4), "{counters}");
}

#[test]
fn a_thousand_real_mails_byte_for_byte() {
    let count = 1_080;
    let tenant = real(count);
    let archivista = Archivista::new();
    archivista.define(&Definition::o365(&tenant, "tenant", ALL.to_vec()));
    let first = archivista.fetch_counts();
    let before = tenant.places(&ALL);
    assert_eq!(before.len(), count);
    assert_eq!(first.archived + first.same, count as u64, "{first:?}");
    same(&in_archive(&archivista), &before);
    for folder in FOLDERS {
        let name = folder.replace("%2F", "/");
        assert!(before.iter().any(|place| place.folder == name), "the test has no mail in {name}");
    }
    assert_eq!(archivista.fetch_counts(), Counts::default(), "the second run has nothing to do");

    // Something new in an old folder and in a new one; something is deleted.
    for (number, mailbox) in ALL.iter().enumerate() {
        let mail = |at: &str| tiny(&format!("neu.{number}.{at}@example.ch"), at);
        tenant.add(mailbox, "Inbox", &mail("inbox"));
        tenant.add(mailbox, "Inbox/Projekte/Bern/Bümpliz", &mail("bern"));
        tenant.control(&json!({ "op": "delete", "mailbox": mailbox, "folder": "Versteckt", "first": 2 }));
    }
    let now = tenant.places(&ALL);
    assert_eq!(now.len(), count);
    assert_eq!(archivista.fetch_counts(), Counts::archived(6));
    same(&in_archive(&archivista), &before.union(&now).cloned().collect());
    assert_eq!(archivista.fetch_counts(), Counts::default());
    is_polite(&tenant);
    archivista.verify();
    archivista.run(&["status"]).succeeded();
}

#[test]
fn the_number_of_mails_is_the_page_size_and_never_a_limit() {
    let tenant = Tenant::with(&[(ANNA, tenant::tiny(ANNA, 70)), (BEAT, tenant::tiny(BEAT, 3))]);
    let pages = |number: usize| {
        let log = tenant.control(&json!({ "op": "log" }));
        let delta: Vec<&Value> = log.as_array().unwrap().iter().filter(|line| line["call"] == "delta").collect();
        assert!(delta.iter().all(|line| line["page_size"] == number), "{delta:?}");
        // A folder in which nothing lies has one page as well.
        delta.iter().filter(|line| line["path"].as_str().unwrap().contains("skiptoken")).count()
    };
    let mut archives = Vec::new();
    // Two folders with 47 and 23 mails, two with 2 and 1: so many further pages does each number make.
    for (number, further) in [(1, 46 + 22 + 1), (25, 1), (1000, 0)] {
        tenant.control(&json!({ "op": "reset_counters" }));
        let archivista = Archivista::new();
        let definition = Definition::o365(&tenant, "tenant", vec![ANNA, BEAT]).with("number_of_mails", number);
        archivista.define(&definition);
        assert_eq!(archivista.fetch_counts(), Counts::archived(73), "{number}");
        archives.push(in_archive(&archivista));
        assert_eq!(pages(number), further, "{number}");
        is_polite(&tenant);
    }
    same(&archives[0], &tenant.places(&[ANNA, BEAT]));
    assert!(archives.iter().all(|archive| *archive == archives[0]));
    // Without a number it is 25, as in the maker's script.
    tenant.control(&json!({ "op": "reset_counters" }));
    let archivista = Archivista::new();
    archivista.define(&Definition::o365(&tenant, "tenant", vec![ANNA]));
    archivista.fetch();
    assert_eq!(pages(25), 1);
}

fn extra(address: &str, traits: &[&str]) -> Extra {
    Extra { address: address.to_owned(), traits: traits.iter().map(|name| (*name).to_owned()).collect() }
}

#[test]
fn all_means_every_mailbox_there_is() {
    let (shared, disabled, denied) = ("info@mymail.ch", "ehemals@mymail.ch", "geheim@mymail.ch");
    let mailboxes: Vec<_> =
        [ANNA, shared, disabled, denied].iter().map(|address| (*address, tenant::tiny(address, 6))).collect();
    let users = vec![
        extra(shared, &["shared"]),
        extra(disabled, &["disabled"]),
        extra(denied, &["denied"]),
        extra("gast@example.org", &["guest"]),
        extra("ohne@mymail.ch", &["no-mailbox"]),
        extra("ohne.aus@mymail.ch", &["no-mailbox", "disabled"]),
    ];
    let tenant = Tenant::start(&mailboxes, Config { users, ..Config::default() });
    let archivista = Archivista::new();
    archivista.define(&Definition::o365(&tenant, "tenant", "all"));

    // The mailbox that is refused is named; it keeps no other from being archived. Who has none is nobody's trouble.
    let output = archivista.run(&["fetch", "--json"]).ended_with(1);
    assert_eq!(Counts::of(&output), Counts::archived(18));
    let status = archivista.run(&["status", "--json"]).ended_with(1).json_lines().remove(0);
    assert_eq!(status["definitions"][0]["module"], "o365");
    let troubles = status["definitions"][0]["trouble"].to_string();
    assert!(troubles.contains(denied), "{troubles}");
    for fine in ["gast", "ohne", ANNA, shared, disabled] {
        assert!(!troubles.contains(fine), "{troubles}");
    }
    same(&in_archive(&archivista), &tenant.places(&[ANNA, shared, disabled]));
    let status = archivista.run(&["status"]).ended_with(1);
    assert!(status.stdout.contains(denied), "{}", status.stdout);

    tenant.control(&json!({ "op": "set_user", "user": denied, "denied": false }));
    assert_eq!(archivista.fetch_counts(), Counts::archived(6), "access was given meanwhile");

    // A mailbox that is new.
    tenant.control(&json!({ "op": "add_user", "address": "neu@mymail.ch", "traits": [] }));
    tenant.add("neu@mymail.ch", "Inbox", &tiny("erste@mymail.ch", "Willkommen"));
    assert_eq!(archivista.fetch_counts(), Counts::archived(1));

    // Who marries stays the same mailbox: nothing comes a second time.
    tenant.control(&json!({ "op": "rename_user", "user": ANNA, "upn": "anna.muster@mymail.ch" }));
    assert_eq!(archivista.fetch_counts(), Counts::default());
    tenant.add("anna.muster@mymail.ch", "Inbox", &tiny("danach@mymail.ch", "Neuer Name"));
    assert_eq!(archivista.fetch_counts(), Counts::archived(1));
    assert_eq!(archivista.list().len(), 26);
    assert_eq!(tenant.counters()["without_immutable_id"], 0);
    archivista.run(&["status"]).succeeded();
    archivista.verify();
}

#[test]
fn what_lies_in_three_mailboxes_is_one_document_with_three_places() {
    let mail = tiny("rundschreiben@mymail.ch", "An alle");
    let folders = || Folders::from([("Inbox", vec![mail.clone()])]);
    let tenant = Tenant::with(&[(ANNA, folders()), (BEAT, folders()), (CHEF, folders())]);
    let archivista = Archivista::new();
    archivista.define(&Definition::o365(&tenant, "tenant", ALL.to_vec()));
    assert_eq!(archivista.fetch_counts(), Counts { archived: 1, same: 2, ..Counts::default() });
    same(&in_archive(&archivista), &tenant.places(&ALL));
    assert_eq!(archivista.list().len(), 1);
}
