//! Promise: everything in a real mailbox is archived, byte for byte, in every folder, and later changes are treated right.
//!
//! Others lose mail in silence (83,640 shown, 1,515 archived), rebuild it from its parts, and look for new mail by date, so
//! that what is moved or copied in later is never fetched.

use std::collections::BTreeSet;

use crate::support::archivista::{Archivista, Counts};
use crate::support::corpus;
use crate::support::definition::Definition;
use crate::support::dovecot::{Delivery, Dovecot, USER};
use crate::support::mails::tiny;
use crate::support::proof::{archive_equals_server, folders_of, in_archive, on_server, titles};

const FOLDERS: [&str; 7] = [
    "INBOX",
    "Sent",
    "Kunden",
    "Kunden/Müller & Söhne",
    "Kunden/Müller & Söhne/Rechnungen 2024",
    "Übersee/Öffentlich/日本語",
    "Archiv~alt",
];

#[test]
fn over_a_thousand_real_mails_in_nested_folders_over_tls() {
    let dovecot = Dovecot::start();
    let mails: Vec<_> = corpus::mails().into_iter().step_by(5).collect();
    assert!(mails.len() >= 1200, "{}", mails.len());
    for (mail, folder) in mails.iter().zip(FOLDERS.iter().cycle()) {
        dovecot.deliver(USER, folder, &mail.bytes);
    }
    let server = on_server(&dovecot, USER, &FOLDERS);
    assert_eq!(server.len(), mails.len());
    let different: BTreeSet<_> = server.iter().map(|place| &place.sha256).collect();

    let archivista = Archivista::new();
    archivista.define(&Definition::of(&dovecot, "büro"));
    let expected =
        Counts { archived: different.len() as u64, same: (server.len() - different.len()) as u64, ..Counts::default() };
    assert_eq!(archivista.fetch_counts(), expected);
    archive_equals_server(&archivista, &dovecot, USER, &FOLDERS);
    archivista.verify();

    let documents = archivista.list();
    for document in &documents {
        let keys = ["number", "kind", "title", "date", "from", "to", "message_id", "sha256", "size", "occurrences"];
        for key in keys {
            assert!(document.get(key).is_some(), "no {key}: {document}");
        }
        for seen in document["occurrences"].as_array().unwrap() {
            assert_eq!((&seen["definition"], &seen["mailbox"]), (&"büro".into(), &USER.into()), "{document}");
        }
        assert_eq!(document["kind"], "mail");
    }

    let bytes: usize = mails.iter().map(|mail| mail.bytes.len()).sum();
    assert!(bytes > 1_000_000, "the corpus is not what it was");
    for folder in FOLDERS {
        let status = archivista.folder_status(folder);
        let here = server.iter().filter(|place| place.folder == folder).count();
        assert_eq!(status["on_server"], here, "{status}");
        assert_eq!(status["unexplained"], 0, "{status}");
        assert_eq!(status["archived"].as_u64().unwrap() + status["same"].as_u64().unwrap(), here as u64, "{status}");
    }

    assert_eq!(archivista.fetch_counts(), Counts::default(), "a second fetch has nothing to do");
    assert_eq!(archivista.list(), documents);
}

#[test]
fn new_moved_copied_and_deleted_mail_is_treated_right() {
    let dovecot = Dovecot::start();
    for number in 1..=5 {
        let subject = format!("Mail {number}");
        dovecot.deliver(USER, "INBOX", &tiny(&format!("{number}@example.ch"), &subject));
    }
    dovecot.create_folder(USER, "Ablage");
    let archivista = Archivista::new();
    archivista.define(&Definition::of(&dovecot, "büro"));
    assert_eq!(archivista.fetch_counts(), Counts::archived(5));
    let before = archivista.list();

    // New.
    dovecot.deliver(USER, "INBOX", &tiny("6@example.ch", "Mail 6"));
    assert_eq!(archivista.fetch_counts(), Counts::archived(1));

    // Moved: one more place, no second document.
    dovecot.move_message(USER, "INBOX", 2, "Ablage");
    assert_eq!(archivista.fetch_counts(), Counts::same(1));
    assert_eq!(titles(&archivista)["Mail 2"], ["Ablage", "INBOX"]);

    // Deleted: it stays.
    dovecot.remove(USER, "INBOX", 3);
    assert_eq!(archivista.fetch_counts(), Counts::default());
    assert_eq!(titles(&archivista)["Mail 3"], ["INBOX"]);
    assert_eq!(archivista.folder_status("INBOX")["on_server"], 4);

    // Copied in late: received and written long before everything else, and read.
    let old = b"From: a@b.ch\r\nSubject: Alt\r\nDate: Tue, 3 Jun 1997 12:00:00 +0200\r\n\r\nalt\r\n";
    dovecot.deliver_as(USER, "INBOX", old, &Delivery { received: Some(865_332_000), flags: "S" });
    dovecot.deliver_as(USER, "Ablage", b"Subject: Ur\r\n\r\n", &Delivery { received: Some(1), flags: "FRS" });
    assert_eq!(archivista.fetch_counts(), Counts::archived(2));
    let list = archivista.list();
    let old = list.iter().find(|document| document["title"] == "Alt").unwrap();
    assert_eq!(old["date"], "1997-06-03T10:00:00Z");
    assert_eq!(old["occurrences"][0]["received"], "1997-06-03T10:00:00Z");
    assert_eq!(old["occurrences"][0]["flags"][0], "\\Seen");

    // Numbers stay for good, and everything that is on the server is in the archive.
    for (earlier, now) in before.iter().zip(&list) {
        assert_eq!((&earlier["number"], &earlier["sha256"]), (&now["number"], &now["sha256"]));
    }
    let (server, archive) = (on_server(&dovecot, USER, &["INBOX", "Ablage"]), in_archive(&archivista));
    assert!(server.is_subset(&archive));
    assert_eq!(archive.len(), server.len() + 2, "the deleted one, and where the moved one was");
    archivista.verify();
    assert_eq!(archivista.fetch_counts(), Counts::default());
}

#[test]
fn mail_that_is_moved_away_and_back_has_every_place_once() {
    let dovecot = Dovecot::start();
    dovecot.deliver(USER, "INBOX", &tiny("1@example.ch", "Hin und her"));
    let archivista = Archivista::new();
    archivista.define(&Definition::of(&dovecot, "büro"));
    assert_eq!(archivista.fetch_counts(), Counts::archived(1));
    dovecot.move_message(USER, "INBOX", 1, "Ablage");
    dovecot.move_message(USER, "Ablage", 1, "INBOX");
    assert_eq!(archivista.fetch_counts(), Counts::same(1));
    let list = archivista.list();
    assert_eq!(list.len(), 1);
    assert_eq!(folders_of(&list[0]), ["INBOX", "INBOX"], "two messages of the same bytes, UIDs 1 and 2");
}

#[test]
fn a_definition_that_is_removed_and_added_again_goes_on() {
    let dovecot = Dovecot::start();
    dovecot.deliver(USER, "INBOX", &tiny("1@example.ch", "Eins"));
    let archivista = Archivista::new();
    archivista.define(&Definition::of(&dovecot, "büro"));
    assert_eq!(archivista.fetch_counts(), Counts::archived(1));
    archivista.run(&["source", "remove", "büro"]).succeeded();
    assert!(archivista.fetch().is_empty());
    assert_eq!(archivista.list().len(), 1, "what was archived stays");
    dovecot.deliver(USER, "INBOX", &tiny("2@example.ch", "Zwei"));
    archivista.define(&Definition::of(&dovecot, "büro"));
    assert_eq!(archivista.fetch_counts(), Counts::archived(1));
}

#[test]
fn folders_with_every_name_that_a_person_may_give() {
    let names = [
        "INBOX",
        "\"Wichtig\"",
        "back\\slash",
        "100% *neu*",
        "&",
        "R&D & Co",
        "(Klammer) {5}",
        "zwei  Leerzeichen",
        "NIL",
        "inbox 2",
        "😀/🏔️ Alpen",
        "Ärzte/Ärzte/Ärzte",
        "Ελληνικά",
        "'; DROP TABLE --",
    ];
    let dovecot = Dovecot::start();
    for (name, number) in names.iter().zip(1..) {
        dovecot.deliver(USER, name, &tiny(&format!("{number}@example.ch"), name));
    }
    let archivista = Archivista::new();
    archivista.define(&Definition::of(&dovecot, "büro"));
    assert_eq!(archivista.fetch_counts(), Counts::archived(names.len() as u64));
    archive_equals_server(&archivista, &dovecot, USER, &names);
    // A person can name each of them.
    for name in names {
        let archivista = Archivista::new();
        archivista.define(&Definition::of(&dovecot, "büro").with("folders", vec![name]));
        assert_eq!(archivista.fetch_counts(), Counts::archived(1), "{name}");
    }
}
