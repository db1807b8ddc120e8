//! Promise: a mail is the same as another one if, and only if, every byte is equal. Each is kept once, with every place
//! where it was seen.
//!
//! Others go by Message-ID: the Sent copy or the second mailbox's copy is lost, a forged Message-ID replaces an archived
//! mail, and what has none is never archived (19 of 23,000, without a word). Or they do not look at all, and one mail
//! appears again every ten minutes.

use std::collections::BTreeMap;

use crate::support::archivista::{Archivista, Counts};
use crate::support::definition::Definition;
use crate::support::dovecot::{Dovecot, Setup, USER};
use crate::support::mails::tiny;
use crate::support::proof::{archive_equals_server, folders_of, titles};

const SECOND: &str = "second@mymail.ch";

#[test]
fn one_message_id_with_different_bytes_is_two_mails() {
    let dovecot = Dovecot::start();
    let sent =
        b"From: a@b.ch\r\nTo: c@d.ch\r\nBcc: secret@d.ch\r\nMessage-ID: <1@b.ch>\r\nSubject: Offerte\r\n\r\nx\r\n";
    let received =
        b"Received: by d.ch\r\nFrom: a@b.ch\r\nTo: c@d.ch\r\nMessage-ID: <1@b.ch>\r\nSubject: Offerte\r\n\r\nx\r\n";
    let forged = b"From: evil@x.ch\r\nTo: c@d.ch\r\nMessage-ID: <1@b.ch>\r\nSubject: Offerte\r\n\r\ny\r\n";
    dovecot.deliver(USER, "Sent", sent);
    dovecot.deliver(USER, "INBOX", received);
    let archivista = Archivista::new();
    archivista.define(&Definition::of(&dovecot, "büro"));
    assert_eq!(archivista.fetch_counts(), Counts::archived(2));
    dovecot.deliver(USER, "INBOX", forged);
    assert_eq!(archivista.fetch_counts(), Counts::archived(1));
    archive_equals_server(&archivista, &dovecot, USER, &["INBOX", "Sent"]);
    assert!(archivista.list().iter().all(|document| document["message_id"] == "1@b.ch"));
}

#[test]
fn one_byte_makes_another_mail() {
    let dovecot = Dovecot::start();
    let mail = tiny("1@example.ch", "Gleich");
    let mut other = mail.clone();
    *other.iter_mut().rfind(|byte| byte.is_ascii_lowercase()).unwrap() ^= 1;
    for bytes in [&mail[..], &other, &mail[..mail.len() - 2], &[&mail[..], b"\r\n"].concat()] {
        dovecot.deliver(USER, "INBOX", bytes);
    }
    let archivista = Archivista::new();
    archivista.define(&Definition::of(&dovecot, "büro"));
    assert_eq!(archivista.fetch_counts(), Counts::archived(4));
    archive_equals_server(&archivista, &dovecot, USER, &["INBOX"]);
}

#[test]
fn equal_bytes_in_two_folders_are_one_document_with_two_places() {
    let dovecot = Dovecot::start();
    let mail = tiny("1@example.ch", "Gleich");
    dovecot.deliver(USER, "INBOX", &mail);
    dovecot.deliver(USER, "INBOX", &mail);
    dovecot.deliver(USER, "Kunden/Bär", &mail);
    let archivista = Archivista::new();
    archivista.define(&Definition::of(&dovecot, "büro"));
    assert_eq!(archivista.fetch_counts(), Counts { archived: 1, same: 2, ..Counts::default() });
    archive_equals_server(&archivista, &dovecot, USER, &["INBOX", "Kunden/Bär"]);
    let list = archivista.list();
    assert_eq!(list.len(), 1);
    assert_eq!(folders_of(&list[0]), ["INBOX", "INBOX", "Kunden/Bär"]);
    assert_eq!(archivista.fetch_counts(), Counts::default());
}

#[test]
fn equal_bytes_in_two_accounts_and_two_definitions_are_one_document() {
    let dovecot = Dovecot::start_with(&Setup { users: vec![SECOND.into()], ..Setup::default() });
    let mail = tiny("1@example.ch", "Rundschreiben");
    dovecot.deliver(USER, "INBOX", &mail);
    dovecot.deliver(SECOND, "INBOX", &mail);
    dovecot.deliver(SECOND, "INBOX", &tiny("2@example.ch", "Nur eine"));
    let archivista = Archivista::new();
    archivista.define(&Definition::of(&dovecot, "alle").accounts(&[USER, SECOND]));
    assert_eq!(archivista.fetch_counts(), Counts { archived: 2, same: 1, ..Counts::default() });
    archivista.define(&Definition::of(&dovecot, "nochmals"));
    let runs = archivista.fetch();
    assert_eq!((&runs[1]["definition"], &runs[1]["same"]), (&"nochmals".into(), &1.into()), "{runs:?}");

    let list = archivista.list();
    assert_eq!(list.len(), 2);
    let shared = list.iter().find(|document| document["title"] == "Rundschreiben").unwrap();
    let mut places: Vec<_> = shared["occurrences"]
        .as_array()
        .unwrap()
        .iter()
        .map(|seen| (seen["definition"].as_str().unwrap(), seen["mailbox"].as_str().unwrap()))
        .collect();
    places.sort_unstable();
    assert_eq!(places, [("alle", SECOND), ("alle", USER), ("nochmals", USER)]);
}

#[test]
fn mail_without_message_id_subject_or_date_is_archived() {
    let dovecot = Dovecot::start();
    let mails: [&[u8]; 6] = [
        b"From: a@b.ch\r\nSubject: Ohne Message-ID\r\nDate: Mon, 1 Jan 2024 09:00:00 +0100\r\n\r\na\r\n",
        b"From: a@b.ch\r\nMessage-ID: <ohne.betreff@b.ch>\r\nDate: Mon, 1 Jan 2024 09:00:00 +0100\r\n\r\nb\r\n",
        b"From: a@b.ch\r\nMessage-ID: <ohne.datum@b.ch>\r\nSubject: Ohne Datum\r\n\r\nc\r\n",
        b"From: a@b.ch\r\n\r\nohne alle drei\r\n",
        b"From: a@b.ch\r\n\r\nohne alle drei, die zweite\r\n",
        b"From: a@b.ch\r\nMessage-ID: \r\nSubject:\r\nDate: gestern\r\n\r\nleer\r\n",
    ];
    for mail in mails {
        dovecot.deliver(USER, "INBOX", mail);
    }
    let archivista = Archivista::new();
    archivista.define(&Definition::of(&dovecot, "büro"));
    assert_eq!(archivista.fetch_counts(), Counts::archived(6));
    archive_equals_server(&archivista, &dovecot, USER, &["INBOX"]);
    assert_eq!(archivista.fetch_counts(), Counts::default());
    let plain = archivista.run(&["list"]).succeeded();
    assert_eq!(plain.stdout.matches("The message has no usable date.").count(), 4, "{}", plain.stdout);
}

#[test]
fn folders_come_go_empty_themselves_and_change_their_names() {
    let dovecot = Dovecot::start();
    for (folder, number) in [("INBOX", 1), ("Sent", 2), ("Projekt", 3), ("Projekt", 4), ("Projekt/Teil", 5)] {
        dovecot.deliver(USER, folder, &tiny(&format!("{number}@example.ch"), &format!("Mail {number}")));
    }
    let archivista = Archivista::new();
    archivista.define(&Definition::of(&dovecot, "büro"));
    assert_eq!(archivista.fetch_counts(), Counts::archived(5));

    // A new folder is found by itself, also below another one.
    dovecot.deliver(USER, "Neu/Ärzte", &tiny("6@example.ch", "Mail 6"));
    assert_eq!(archivista.fetch_counts(), Counts::archived(1));

    // A renamed folder: no document twice, and its new name is known.
    dovecot.dialogue(USER).ok("RENAME Projekt Vorhaben");
    assert_eq!(archivista.fetch_counts(), Counts::same(3));
    assert_eq!(archivista.fetch_counts(), Counts::default());

    // An emptied folder keeps its mails in the archive, and goes on with new ones.
    dovecot.remove(USER, "INBOX", 1);
    assert_eq!(archivista.fetch_counts(), Counts::default());
    assert_eq!(archivista.folder_status("INBOX")["on_server"], 0);
    dovecot.deliver(USER, "INBOX", &tiny("7@example.ch", "Mail 7"));
    assert_eq!(archivista.fetch_counts(), Counts::archived(1));

    let expected: BTreeMap<String, Vec<String>> = [
        ("Mail 1", vec!["INBOX"]),
        ("Mail 2", vec!["Sent"]),
        ("Mail 3", vec!["Projekt", "Vorhaben"]),
        ("Mail 4", vec!["Projekt", "Vorhaben"]),
        ("Mail 5", vec!["Projekt/Teil", "Vorhaben/Teil"]),
        ("Mail 6", vec!["Neu/Ärzte"]),
        ("Mail 7", vec!["INBOX"]),
    ]
    .map(|(title, folders)| (title.to_owned(), folders.into_iter().map(str::to_owned).collect()))
    .into();
    assert_eq!(titles(&archivista), expected);
    archivista.verify();
}
