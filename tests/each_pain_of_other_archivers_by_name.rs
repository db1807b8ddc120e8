//! Promise: what people complain of in other archivers does not happen here. One test a pain, for IMAP (Dovecot) and for
//! Microsoft 365 (the simulator); where another file proves it already, it is named here.
//!
//! | pain | IMAP | Microsoft 365 |
//! |---|---|---|
//! | moved | `a_real_mailbox…::new_moved_copied_and_deleted…` | `microsoft_365_moves…::a_move_is_neither…` |
//! | late, old-dated | `a_real_mailbox…::new_moved_copied_and_deleted…` | `late_and_old_dated` |
//! | no Message-ID, no Subject | `only_equal_bytes…::mail_without_message_id…` | `without_message_id_and_subject` |
//! | Message-ID twice | `only_equal_bytes…::one_message_id_with…` | `one_message_id_twice` |
//! | huge header | `a_huge_header` | `a_huge_header` |
//! | 150 MB | `a_huge_message_needs_no_memory` | `of_150_megabytes` |
//! | inline only | `inline_pictures_only` | `inline_pictures_only` |
//! | hidden folder | `a_hidden_folder` | `a_hidden_folder` |
//! | renamed folder | `only_equal_bytes…::folders_come_go…` | `a_renamed_folder` |
//! | renamed mailbox | `a_renamed_mailbox` | `a_renamed_mailbox` |
//! | new mailbox | `a_new_mailbox` | `a_new_mailbox` |
//! | deleted folder | `uid_validity_change…::of_a_folder_that…` | `a_deleted_folder` |
//! | UIDVALIDITY | `uid_validity_change_archives_nothing_twice` | – (410: `each_fault_alone…`, kind `gone`) |
//! | throttled for an hour | `imap_dialogues`: `yahoo_limits_…`, `gmail_limits` | `throttled_for_an_hour` |
//! | token expired in mid-body | `imap_dialogues`: `outlook_com_token_…` | `a_token_that_expires_in_mid_body` |
//! | one poisoned message | `imap_dialogues`: `exchange_bad_item`, `fetch_bad_is_bisected` | `one_poisoned_message` |
//! | one poisoned page | `imap_dialogues`: `changes_refused_items` | `one_poisoned_page` |
//! | a search index that is not the archive, and looks healthy | `search_finds…::an_index_that_is_gone…`, `…::what_the_index_does_not_cover…` | the same |

use std::collections::BTreeSet;
use std::fs;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::archivista::{Archivista, Counts};
use crate::support::definition::Definition;
use crate::support::dovecot::{Dovecot, Setup, USER};
use crate::support::mails::{big, tiny};
use crate::support::proof::{archive_equals_server, in_archive, titles};
use crate::support::tenant::{self, Folders, Tenant, same};

const ANNA: &str = "anna@mymail.ch";
const BEAT: &str = "beat@mymail.ch";

fn tenant(mails: Vec<Vec<u8>>) -> Tenant {
    Tenant::with(&[(ANNA, Folders::from([("Inbox", mails)]))])
}

fn archivista(tenant: &Tenant) -> Archivista {
    let archivista = Archivista::new();
    archivista.define(&Definition::o365(tenant, "tenant", vec![ANNA]));
    archivista
}

/// All of the tenant is archived, byte for byte, and nothing twice.
fn is_archived(tenant: &Tenant, archivista: &Archivista, count: u64) {
    assert_eq!(archivista.fetch_counts(), Counts::archived(count));
    same(&in_archive(archivista), &tenant.places(&[ANNA]));
    assert_eq!(archivista.fetch_counts(), Counts::default());
    archivista.verify();
}

fn with_huge_header() -> Vec<u8> {
    let lines = "X-Lang: ".to_owned() + &"abcdefghi ".repeat(7) + "\r\n";
    let head = "From: a@b.ch\r\nSubject: Lang\r\nDate: Mon, 1 Jan 2024 09:00:00 +0100\r\n";
    format!("{head}{}\r\nText\r\n", lines.repeat(20_000)).into_bytes()
}

fn with_inline_picture_only() -> Vec<u8> {
    b"From: a@b.ch\r\nSubject: Nur ein Bild\r\nDate: Mon, 1 Jan 2024 09:00:00 +0100\r\nMIME-Version: 1.0\r\n\
      Content-Type: multipart/related; boundary=x\r\n\r\n--x\r\nContent-Type: text/html\r\n\r\n<img src=\"cid:bild\">\r\n\
      --x\r\nContent-Type: image/png; name=bild.png\r\nContent-Disposition: inline; filename=bild.png\r\n\
      Content-ID: <bild>\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n--x--\r\n"
        .to_vec()
}

#[test]
fn late_and_old_dated() {
    let tenant = tenant(vec![tiny("1@example.ch", "Neu")]);
    let archivista = archivista(&tenant);
    is_archived(&tenant, &archivista, 1);
    let old = b"From: a@b.ch\r\nSubject: Alt\r\nDate: Tue, 3 Jun 1997 12:00:00 +0200\r\n\r\nalt\r\n";
    tenant.add(ANNA, "Inbox", old);
    tenant.add(ANNA, "Ablage", b"Subject: Ur\r\nDate: Thu, 1 Jan 1970 00:00:01 +0000\r\n\r\n");
    is_archived(&tenant, &archivista, 2);
}

#[test]
fn without_message_id_and_subject() {
    let tenant = tenant(vec![
        b"From: a@b.ch\r\nDate: Mon, 1 Jan 2024 09:00:00 +0100\r\n\r\neins\r\n".to_vec(),
        b"From: a@b.ch\r\nDate: Mon, 1 Jan 2024 09:00:00 +0100\r\n\r\nzwei\r\n".to_vec(),
        b"From: a@b.ch\r\n\r\n".to_vec(),
    ]);
    is_archived(&tenant, &archivista(&tenant), 3);
}

#[test]
fn one_message_id_twice() {
    let tenant = tenant(vec![tiny("1@example.ch", "Eins"), tiny("1@example.ch", "Zwei")]);
    let archivista = archivista(&tenant);
    is_archived(&tenant, &archivista, 2);
    tenant.add(ANNA, "Sent Items", &tiny("1@example.ch", "Drei"));
    is_archived(&tenant, &archivista, 1);
}

#[test]
fn a_huge_header() {
    let mail = with_huge_header();
    assert!(mail.len() > 1_500_000);
    let dovecot = Dovecot::start();
    dovecot.deliver(USER, "INBOX", &mail);
    let imap = Archivista::new();
    imap.define(&Definition::of(&dovecot, "büro"));
    assert_eq!(imap.fetch_counts(), Counts::archived(1));
    archive_equals_server(&imap, &dovecot, USER, &["INBOX"]);
    let tenant = tenant(vec![mail]);
    let cloud = archivista(&tenant);
    is_archived(&tenant, &cloud, 1);
    for archivista in [imap, cloud] {
        assert_eq!(titles(&archivista).keys().collect::<Vec<_>>(), ["Lang"]);
    }
}

#[test]
fn of_150_megabytes() {
    let tenant = tenant(vec![tiny("1@example.ch", "Davor")]);
    let archivista = archivista(&tenant);
    let file = archivista.beside("gross.eml");
    big(150_000_000, &file);
    tenant.control(&json!({ "op": "add", "mailbox": ANNA, "folder": "Inbox", "path": file }));
    let fetched = archivista.run(&["fetch", "--json"]).succeeded();
    assert_eq!(Counts::of(&fetched), Counts::archived(2));
    assert!((1024..=64 * 1024).contains(&fetched.peak_memory), "{} KiB", fetched.peak_memory);
    assert_eq!(archivista.list().iter().map(|document| document["size"].as_u64().unwrap()).max(), Some(150_000_000));
    archivista.verify();
}

#[test]
fn inline_pictures_only() {
    let mail = with_inline_picture_only();
    let dovecot = Dovecot::start();
    dovecot.deliver(USER, "INBOX", &mail);
    let imap = Archivista::new();
    imap.define(&Definition::of(&dovecot, "büro"));
    assert_eq!(imap.fetch_counts(), Counts::archived(1));
    let tenant = tenant(vec![mail]);
    let cloud = archivista(&tenant);
    is_archived(&tenant, &cloud, 1);
    for archivista in [imap, cloud] {
        assert_eq!(archivista.list()[0]["attachments"][0]["name"], "bild.png");
    }
}

#[test]
fn a_hidden_folder() {
    // Over IMAP: one that nobody subscribed to, so that mail programs do not show it.
    let dovecot = Dovecot::start();
    dovecot.deliver(USER, "Verborgen", &tiny("1@example.ch", "Eins"));
    dovecot.dialogue(USER).command("UNSUBSCRIBE Verborgen");
    let archivista = Archivista::new();
    archivista.define(&Definition::of(&dovecot, "büro"));
    assert_eq!(archivista.fetch_counts(), Counts::archived(1));

    let tenant = tenant(vec![]);
    tenant.add(ANNA, "Verborgen", &tiny("1@example.ch", "Eins"));
    tenant.control(&json!({ "op": "hide_folder", "mailbox": ANNA, "folder": "Verborgen" }));
    is_archived(&tenant, &self::archivista(&tenant), 1);
}

#[test]
fn a_renamed_folder() {
    let tenant = Tenant::with(&[(ANNA, tenant::tiny(ANNA, 6))]);
    let archivista = archivista(&tenant);
    is_archived(&tenant, &archivista, 6);
    tenant.control(&json!({ "op": "rename_folder", "mailbox": ANNA, "folder": "Inbox/Projekte", "name": "Vorhaben" }));
    tenant.control(&json!({ "op": "reset_counters" }));
    tenant.add(ANNA, "Inbox/Vorhaben", &tiny("neu@example.ch", "Neu"));
    assert_eq!(archivista.fetch_counts(), Counts::archived(1));
    assert_eq!(tenant.calls("value"), 1, "what is here is not asked for again");
    assert_eq!(archivista.list().len(), 7);
    same(&in_archive(&archivista), &tenant.places(&[ANNA]));
}

#[test]
fn a_renamed_mailbox() {
    let tenant = Tenant::with(&[(ANNA, tenant::tiny(ANNA, 6))]);
    let archivista = Archivista::new();
    archivista.define(&Definition::o365(&tenant, "tenant", "all"));
    assert_eq!(archivista.fetch_counts(), Counts::archived(6));
    tenant.control(&json!({ "op": "rename_user", "user": ANNA, "upn": "anna.meier@mymail.ch" }));
    tenant.control(&json!({ "op": "reset_counters" }));
    assert_eq!(archivista.fetch_counts(), Counts::default());
    assert_eq!(tenant.calls("value"), 0, "it is the same mailbox under another address");

    // An account of IMAP has nothing but its name: under another one its mails are met again, and are the same documents.
    let renamed = "anna.meier@mymail.ch";
    let dovecot = Dovecot::start_with(&Setup { users: vec![renamed.to_owned()], ..Setup::default() });
    let archivista = Archivista::new();
    for user in [USER, renamed] {
        dovecot.deliver(user, "INBOX", &tiny("1@example.ch", "Eins"));
    }
    archivista.define(&Definition::of(&dovecot, "büro"));
    assert_eq!(archivista.fetch_counts(), Counts::archived(1));
    archivista.define(&Definition::of(&dovecot, "büro").with("account", renamed));
    assert_eq!(archivista.fetch_counts(), Counts::same(1));
    assert_eq!(archivista.list().len(), 1);
}

#[test]
fn a_new_mailbox() {
    let tenant = Tenant::with(&[(ANNA, tenant::tiny(ANNA, 3))]);
    let archivista = Archivista::new();
    archivista.define(&Definition::o365(&tenant, "tenant", "all"));
    assert_eq!(archivista.fetch_counts(), Counts::archived(3));
    tenant.control(&json!({ "op": "add_user", "address": BEAT }));
    tenant.add(BEAT, "Inbox", &tiny("neu@example.ch", "Neu"));
    assert_eq!(archivista.fetch_counts(), Counts::archived(1));
    let mailboxes: BTreeSet<String> = in_archive(&archivista).into_iter().map(|place| place.mailbox).collect();
    assert_eq!(mailboxes.len(), 2);

    let second = "second@mymail.ch";
    let dovecot = Dovecot::start_with(&Setup { users: vec![second.to_owned()], ..Setup::default() });
    dovecot.deliver(USER, "INBOX", &tiny("1@example.ch", "Eins"));
    dovecot.deliver(second, "INBOX", &tiny("2@example.ch", "Zwei"));
    let archivista = Archivista::new();
    archivista.define(&Definition::of(&dovecot, "büro"));
    assert_eq!(archivista.fetch_counts(), Counts::archived(1));
    archivista.define(&Definition::of(&dovecot, "büro").accounts(&[USER, second]));
    assert_eq!(archivista.fetch_counts(), Counts::archived(1));
}

#[test]
fn a_deleted_folder() {
    let tenant = Tenant::with(&[(ANNA, tenant::tiny(ANNA, 6))]);
    let archivista = archivista(&tenant);
    is_archived(&tenant, &archivista, 6);
    tenant.control(&json!({ "op": "remove_folder", "mailbox": ANNA, "folder": "Inbox/Projekte" }));
    assert_eq!(archivista.fetch_counts(), Counts::default());
    assert_eq!(archivista.list().len(), 6, "what was deleted there stays here");
    archivista.run(&["status"]).succeeded();
}

#[test]
fn throttled_for_an_hour() {
    let tenant = Tenant::with(&[(ANNA, tenant::tiny(ANNA, 20))]);
    let archivista = archivista(&tenant);
    tenant.control(&json!({ "op": "configure", "retry_after": 3600 }));
    tenant.fault("throttle:1:always");
    let started = Instant::now();
    let output = archivista.run(&["fetch", "--json"]);
    assert!(started.elapsed() < Duration::from_mins(2), "nobody waits for an hour with a connection open");
    assert_ne!(output.code, Some(0));
    assert!(
        output.stderr.contains("3600") || output.stderr.contains("60 min") || output.stderr.contains("throttl"),
        "{output:?}"
    );
    let calls =
        tenant.counters()["calls"].as_object().unwrap().values().filter_map(serde_json::Value::as_u64).sum::<u64>();
    assert!(calls < 20, "{calls} requests while the server asks for rest");
    tenant.control(&json!({ "op": "clear_faults" }));
    is_archived(&tenant, &archivista, 20);
}

#[test]
fn a_token_that_expires_in_mid_body() {
    let tenant = Tenant::with(&[(ANNA, tenant::tiny(ANNA, 20))]);
    let archivista = archivista(&tenant);
    tenant.fault("cut:1");
    tenant.fault("token-expired:0.5");
    archivista.run(&["fetch", "--json"]);
    tenant.control(&json!({ "op": "clear_faults" }));
    archivista.run(&["fetch", "--json"]).succeeded();
    same(&in_archive(&archivista), &tenant.places(&[ANNA]));
    assert_eq!(archivista.list().len(), 20);
    archivista.run(&["status"]).succeeded();
    archivista.verify();
}

#[test]
fn one_poisoned_message() {
    let tenant = Tenant::with(&[(ANNA, tenant::tiny(ANNA, 20))]);
    let archivista = archivista(&tenant);
    tenant.control(&json!({ "op": "poison", "mailbox": ANNA, "message_id": format!("7.{ANNA}") }));
    assert_eq!(archivista.fetch_counts(), Counts::archived(20), "the others as they are, this one put together");
    assert_eq!(archivista.fetch_counts(), Counts::default());
    archivista.verify();
}

#[test]
fn one_poisoned_page() {
    let tenant = Tenant::with(&[(ANNA, tenant::tiny(ANNA, 40))]);
    let archivista = archivista(&tenant);
    tenant.fault("poisoned-page:0.1:always");
    archivista.run(&["fetch", "--json"]).succeeded();
    assert_eq!(archivista.list().len(), 40);
    same(&in_archive(&archivista), &tenant.places(&[ANNA]));
    archivista.verify();
    let spool = fs::read_dir(archivista.data().join("spool")).map(Iterator::count).unwrap_or_default();
    assert_eq!(spool, 0);
}
