//! Promise: a server that renumbers its messages (a new UIDVALIDITY: a restored or moved mailbox, a rebuilt index) gets
//! nothing archived a second time, and nothing new is missed meanwhile.
//!
//! Others fetch the whole mailbox again as new mail, or trust their old numbers and skip what has taken them.

use crate::support::archivista::{Archivista, Counts};
use crate::support::definition::Definition;
use crate::support::dovecot::{Dovecot, USER};
use crate::support::mails::tiny;
use crate::support::proof::{archive_equals_server, in_archive, on_server};

fn mailbox() -> (Dovecot, Archivista) {
    let dovecot = Dovecot::start();
    for folder in ["INBOX", "Ablage"] {
        for number in 1..=20 {
            let id = format!("{number}.{folder}@example.ch");
            dovecot.deliver(USER, folder, &tiny(&id, &format!("{folder} {number}")));
        }
    }
    let archivista = Archivista::new();
    archivista.define(&Definition::of(&dovecot, "büro"));
    assert_eq!(archivista.fetch_counts(), Counts::archived(40));
    (dovecot, archivista)
}

#[test]
fn of_one_folder() {
    let (dovecot, archivista) = mailbox();
    archive_equals_server(&archivista, &dovecot, USER, &["INBOX", "Ablage"]);
    dovecot.change_uid_validity(USER, "INBOX");
    assert_eq!(archivista.fetch_counts(), Counts::same(20));
    assert_eq!(archivista.fetch_counts(), Counts::default());
    let archive = in_archive(&archivista);
    assert!(on_server(&dovecot, USER, &["INBOX", "Ablage"]).is_subset(&archive));
    assert_eq!(archivista.list().len(), 40);
    let status = archivista.folder_status("INBOX");
    assert_eq!((&status["on_server"], &status["unexplained"]), (&20.into(), &0.into()), "{status}");
    archivista.verify();
}

#[test]
fn new_mail_that_took_an_old_number_is_archived() {
    let (dovecot, archivista) = mailbox();
    // UIDs 1 to 10 go; after the change the others are 1 to 10, and what is new gets 11 to 15, which were known before.
    for uid in 1..=10 {
        dovecot.remove(USER, "INBOX", uid);
    }
    for number in 21..=25 {
        dovecot.deliver(USER, "INBOX", &tiny(&format!("{number}@example.ch"), &format!("Neu {number}")));
    }
    dovecot.change_uid_validity(USER, "INBOX");
    assert_eq!(archivista.fetch_counts(), Counts { archived: 5, same: 10, ..Counts::default() });
    assert!(on_server(&dovecot, USER, &["INBOX"]).is_subset(&in_archive(&archivista)));
    assert_eq!(archivista.list().len(), 45);
    assert_eq!(archivista.fetch_counts(), Counts::default());
    archivista.verify();
}

#[test]
fn again_and_again() {
    let (dovecot, archivista) = mailbox();
    for _ in 0..3 {
        dovecot.change_uid_validity(USER, "Ablage");
        dovecot.change_uid_validity(USER, "INBOX");
        assert_eq!(archivista.fetch_counts(), Counts::same(40));
    }
    assert_eq!(archivista.list().len(), 40);
    // The catalog knows as much when it is made from the log alone.
    archivista.run(&["rebuild", "catalog"]).succeeded();
    assert_eq!(archivista.fetch_counts(), Counts::default());
    archivista.verify();
}

#[test]
fn of_a_folder_that_was_deleted_and_made_anew() {
    let (dovecot, archivista) = mailbox();
    dovecot.dialogue(USER).ok("DELETE Ablage");
    assert_eq!(archivista.fetch_counts(), Counts::default());
    assert_eq!(archivista.list().len(), 40, "what was deleted on the server stays");
    dovecot.deliver(USER, "Ablage", &tiny("neu@example.ch", "Neu"));
    dovecot.deliver(USER, "Ablage", &tiny("3.Ablage@example.ch", "Ablage 3"));
    assert_eq!(archivista.fetch_counts(), Counts { archived: 1, same: 1, ..Counts::default() });
    assert_eq!(archivista.fetch_counts(), Counts::default());
}
