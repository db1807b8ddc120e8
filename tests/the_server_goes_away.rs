//! Promise: when the server or the connection goes away in the middle of a run, what was archived stays, the run says what
//! happened where it could not be mended, and the next one completes it; nothing is archived twice or left out.
//!
//! Others stop after some thousand mails and begin again from the first one, or mark the rest as done.

use crate::support::archivista::{Archivista, Counts};
use crate::support::definition::Definition;
use crate::support::dovecot::{Dovecot, USER};
use crate::support::mails::small;
use crate::support::proof::archive_equals_server;
use crate::support::proxy::Proxy;

const FOLDERS: [&str; 2] = ["INBOX", "Ablage"];
const MAILS: usize = 300;

/// 300 mails, about 2 MB.
fn mailbox() -> (Dovecot, u64) {
    let dovecot = Dovecot::start();
    let mails = small(MAILS);
    for (mail, folder) in mails.iter().zip(FOLDERS.iter().cycle()) {
        dovecot.deliver(USER, folder, mail);
    }
    (dovecot, mails.iter().map(|mail| mail.len() as u64).sum())
}

#[test]
fn in_the_middle_of_a_run_and_comes_back() {
    let (mut dovecot, bytes) = mailbox();
    for (part, of) in [(1, 3), (9, 10)] {
        let archivista = Archivista::new();
        let proxy = Proxy::cutting_once(dovecot.port(), bytes * part / of);
        let definition = Definition::of(&dovecot, "büro").with("encryption", "starttls");
        archivista.define(&definition.clone().with("port", proxy.port()));
        let hit = archivista.run(&["fetch", "--json"]).ended_with(1);
        assert_eq!(proxy.cuts(), 1);
        let before = Counts::of(&hit);
        assert!(before.archived > 0 && before.archived < MAILS as u64, "{before:?}");
        assert_eq!(before, Counts::archived(before.archived));
        let said = format!("The mail server localhost does not answer on port {}", proxy.port());
        assert!(hit.stderr.contains(&said), "{}", hit.stderr);
        assert_eq!(archivista.list().len() as u64, before.archived, "what is told of is kept");
        archivista.verify();
        assert!(archivista.run(&["status"]).ended_with(1).stdout.contains("cannot be reached"));

        // Still away.
        dovecot.stop();
        archivista.define(&definition.with("port", dovecot.port()));
        let away = archivista.run(&["fetch", "--json"]).ended_with(1);
        assert_eq!(Counts::of(&away), Counts::default());

        dovecot.start_again();
        assert_eq!(archivista.fetch_counts(), Counts::archived(MAILS as u64 - before.archived));
        archive_equals_server(&archivista, &dovecot, USER, &FOLDERS);
        assert_eq!(archivista.fetch_counts(), Counts::default());
        archivista.run(&["status"]).succeeded();
        archivista.verify();
    }
}

#[test]
fn again_and_again_and_the_run_mends_it_by_itself() {
    let (dovecot, bytes) = mailbox();
    let archivista = Archivista::new();
    let proxy = Proxy::cutting_each(dovecot.tls_port(), bytes / 7);
    archivista.define(&Definition::of(&dovecot, "büro").with("port", proxy.port()));
    assert_eq!(archivista.fetch_counts(), Counts::archived(MAILS as u64));
    assert!(proxy.cuts() >= 7);
    archive_equals_server(&archivista, &dovecot, USER, &FOLDERS);
    assert_eq!(archivista.fetch_counts(), Counts::default());
    archivista.verify();
}

#[test]
fn at_one_message_always() {
    // No connection lives long enough for the large mail: it is booked as failed, and all others are archived.
    let (dovecot, _) = mailbox();
    let large = [b"Subject: large\r\n\r\n".to_vec(), b"0123456789\r\n".repeat(200_000)].concat();
    dovecot.deliver(USER, "INBOX", &large);
    let more = small(MAILS + 20).split_off(MAILS);
    for mail in &more {
        dovecot.deliver(USER, "INBOX", mail);
    }
    let archivista = Archivista::new();
    let proxy = Proxy::cutting_each(dovecot.tls_port(), 1_000_000);
    archivista.define(&Definition::of(&dovecot, "büro").with("port", proxy.port()));
    let archived = (MAILS + more.len()) as u64;
    let output = archivista.run(&["fetch", "--json"]).succeeded();
    assert_eq!(Counts::of(&output), Counts { archived, failed: 1, ..Counts::default() }, "{}", output.stderr);
    let status = archivista.folder_status("INBOX");
    let failed = status["failed"].as_object().unwrap();
    assert_eq!(failed.len(), 1, "{status}");
    assert!(failed.keys().next().unwrap().contains("the connection was lost"), "{status}");
    assert_eq!(archivista.fetch_counts(), Counts::default(), "it rests before the next try");
    archivista.verify();
}
