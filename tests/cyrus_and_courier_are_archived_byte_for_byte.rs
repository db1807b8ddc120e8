//! Promise: what holds for Dovecot holds for Cyrus and Courier, which separate levels, name folders, number messages and answer
//! in their own ways: everything is archived byte for byte, a second run has nothing to do, what moves is no second document,
//! and what is to be moved, deleted or played back lies where people look for it.

use std::collections::BTreeSet;

use crate::mails_are_played_back::play_back;
use crate::support::archivista::{Archivista, Counts};
use crate::support::hash::sha256;
use crate::support::mail_server::{KINDS, Kind, MailServer};
use crate::support::mails::{small, tiny};
use crate::support::proof::{Place, in_archive, titles};
use crate::support::serving::Serving;
use crate::support::tenant::same;

/// As people name them; characters that the server takes for its own are left to the others.
fn folders(kind: Kind) -> Vec<&'static str> {
    let mut folders = vec![
        "INBOX",
        "Kunden",
        "Kunden/Müller & Söhne",
        "Kunden/Müller & Söhne/Rechnungen 2024",
        "Übersee/Öffentlich/日本語",
        "Договоры/Архив",
        "合同 2024",
        "R&D",
        "it's",
    ];
    match kind {
        Kind::CyrusDots => {}
        Kind::CyrusSlashes => folders.extend(["Version 1.2", "Kunden/a.b"]),
        Kind::Courier => folders.extend(["say \"hi\"", "back\\slash", "100% *neu*", "(Klammer) {5}", "NIL"]),
    }
    folders
}

/// Levels that hold others have to be there before what they hold.
fn make(server: &MailServer, folders: &[&str]) {
    let mut made = BTreeSet::from(["INBOX".to_owned()]);
    for folder in folders {
        let levels: Vec<&str> = folder.split('/').collect();
        for depth in 1..=levels.len() {
            let level = levels[..depth].join("/");
            if made.insert(level.clone()) {
                server.create(&level);
            }
        }
    }
}

/// 8-bit text, bytes that no character set knows, long lines, no headers at all: whatever both take.
fn special() -> Vec<Vec<u8>> {
    let head = "From: a@b.ch\r\nDate: Mon, 1 Jan 2024 09:00:00 +0100\r\n";
    let mut binary = format!("{head}Subject: binaer\r\nContent-Transfer-Encoding: binary\r\n\r\n").into_bytes();
    // Every byte but NUL, which IMAP carries in no literal of this kind, and bare line ends, which Cyrus refuses.
    binary.extend((1..=255_u8).filter(|byte| !matches!(byte, b'\r' | b'\n')).cycle().take(2000));
    binary.extend_from_slice(b"\r\n");
    vec![
        format!("{head}Subject: =?utf-8?Q?Gr=C3=BCezi?=\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nGrüezi\r\n")
            .into(),
        [format!("{head}Subject: 8bit\r\n\r\n").as_bytes(), b"Gr\xfc\xdfe\r\n"].concat(),
        binary,
        format!("{head}Subject: lang\r\n\r\n{}\r\n", "x".repeat(200_000)).into(),
        format!("{head}Subject: kein Ende der Zeile\r\n\r\nx").into(),
        format!("{head}Subject: sieht aus wie IMAP\r\n\r\n)\r\na2 OK done\r\n* 1 FETCH (UID 1 BODY[] {{4}}\r\n").into(),
    ]
}

#[test]
fn everything_in_every_folder() {
    for kind in KINDS {
        let server = MailServer::start(kind);
        let folders = folders(kind);
        make(&server, &folders);
        let mails = small(40);
        for (number, folder) in folders.iter().enumerate() {
            let some: Vec<_> = mails.iter().skip(number).step_by(folders.len()).cloned().collect();
            server.append(folder, if number % 2 == 0 { "\\Seen" } else { "" }, &some);
        }
        server.append("Kunden", "\\Flagged $Wichtig", &special());
        let places = server.places(&folders);
        assert_eq!(places.len(), mails.len() + special().len(), "{kind:?}");

        let archivista = Archivista::new();
        archivista.define(&server.definition("büro"));
        assert_eq!(archivista.fetch_counts(), Counts::archived(places.len() as u64), "{kind:?}");
        same(&in_archive(&archivista), &places);
        assert_eq!(archivista.fetch_counts(), Counts::default(), "{kind:?}");
        archivista.run(&["reconcile"]).succeeded();
        assert_eq!(archivista.run(&["status"]).code, Some(0), "{kind:?}");
        archivista.verify();
        // Courier ends a last line that has no end, which is its own affair.
        if kind != Kind::Courier {
            let sent: BTreeSet<_> = mails.iter().chain(&special()).map(|mail| sha256(mail)).collect();
            let kept: BTreeSet<_> = places.iter().map(|place: &Place| place.sha256.clone()).collect();
            assert_eq!(kept, sent, "{kind:?}: the server keeps what it is given");
        }

        // People name folders as their mail program shows them, or as the server does.
        for named in ["Kunden/Müller & Söhne", &server.name("Kunden/Müller & Söhne")] {
            let archivista = Archivista::new();
            archivista.define(&server.definition("büro").with("folders", vec![named]));
            let count = server.messages("Kunden/Müller & Söhne").len() as u64;
            assert_eq!(archivista.fetch_counts(), Counts::archived(count), "{kind:?} {named}");
        }
    }
}

#[test]
fn what_is_moved_deleted_and_renumbered() {
    for kind in KINDS {
        let server = MailServer::start(kind);
        make(&server, &["Ablage"]);
        let mail = |number: u32| tiny(&format!("{number}@example.ch"), &format!("Mail {number}"));
        server.append("INBOX", "", &(1..=5).map(mail).collect::<Vec<_>>());
        let archivista = Archivista::new();
        archivista.define(&server.definition("büro"));
        assert_eq!(archivista.fetch_counts(), Counts::archived(5), "{kind:?}");

        server.relocate("INBOX", 2, "Ablage");
        assert_eq!(archivista.fetch_counts(), Counts::same(1), "{kind:?}");
        let mut seen = vec!["INBOX".to_owned(), server.name("Ablage")];
        seen.sort_unstable();
        assert_eq!(titles(&archivista)["Mail 2"], seen, "{kind:?}");
        server.remove("INBOX", 3);
        server.append("INBOX", "\\Seen", &[mail(6)]);
        assert_eq!(archivista.fetch_counts(), Counts::archived(1), "{kind:?}");
        assert_eq!(archivista.folder_status("INBOX")["on_server"], 4, "{kind:?}");

        server.append("Ablage", "", &(11..=15).map(mail).collect::<Vec<_>>());
        assert_eq!(archivista.fetch_counts(), Counts::archived(5), "{kind:?}");
        server.renumber("Ablage");
        assert_eq!(archivista.fetch_counts(), Counts::same(6), "{kind:?}");
        assert_eq!(archivista.fetch_counts(), Counts::default(), "{kind:?}");
        server.delete("Ablage");
        assert_eq!(archivista.fetch_counts(), Counts::default(), "{kind:?}");
        assert_eq!(archivista.list().len(), 11, "{kind:?}: what was deleted on the server stays");
        archivista.verify();
    }
}

#[test]
fn what_is_archived_is_moved_or_deleted() {
    for kind in KINDS {
        for after in ["move:Archiviert/Jürg", "delete"] {
            let server = MailServer::start(kind);
            make(&server, &["Kunden"]);
            let mail = |number: u32| tiny(&format!("{number}@example.ch"), &format!("Mail {number}"));
            server.append("INBOX", "", &(1..=4).map(mail).collect::<Vec<_>>());
            server.append("Kunden", "\\Seen", &(5..=7).map(mail).collect::<Vec<_>>());
            // What somebody else marked is somebody else's business.
            let mut dialogue = server.dialogue();
            dialogue.ok(&format!("SELECT \"{}\"", server.name("Kunden")));
            let archivista = Archivista::new();
            let definition = server.definition("büro").with("after", after).with("folders", vec!["INBOX"]);
            archivista.define(&definition);
            dialogue.ok("UID STORE 1 +FLAGS.SILENT (\\Deleted)");
            drop(dialogue);
            assert_eq!(archivista.fetch_counts(), Counts::archived(4), "{kind:?} {after}");
            assert_eq!(server.messages("INBOX").len(), 0, "{kind:?} {after}");
            assert_eq!(server.messages("Kunden").len(), 3, "{kind:?} {after}");
            if after != "delete" {
                assert_eq!(server.messages("Archiviert/Jürg").len(), 4, "{kind:?}");
            }
            // All folders from now on: what lies in the target stays there and is no second document.
            archivista.define(&server.definition("büro").with("after", after));
            let counts = archivista.fetch_counts();
            assert_eq!(counts.archived, 3, "{kind:?} {after}: {counts:?}");
            assert_eq!(server.messages("Kunden").len(), 0, "{kind:?} {after}");
            assert_eq!(archivista.list().len(), 7, "{kind:?} {after}");
            archivista.run(&["status"]).succeeded();
            archivista.verify();
        }
    }
}

#[test]
fn a_mail_is_played_back_and_stays() {
    for kind in KINDS {
        let server = MailServer::start(kind);
        let mail = tiny("1@example.ch", "Offerte");
        server.append("INBOX", "\\Seen", std::slice::from_ref(&mail));
        let archivista = Archivista::new();
        archivista
            .define(&server.definition("büro").with("after", "delete").with("play_back_folder", "Zurück/Küsnacht"));
        assert_eq!(archivista.fetch_counts(), Counts::archived(1), "{kind:?}");
        let serving = Serving::start(&archivista, &[]);
        let mut browser = serving.set_up();
        let told = play_back(&mut browser);
        assert!(told.contains("The mail is played back."), "{kind:?}: {told}");
        let back = server.messages("Zurück/Küsnacht");
        assert_eq!((back.len(), &back[0].bytes), (1, &mail), "{kind:?}");
        assert!(back[0].flags.contains(&"\\Seen".to_owned()), "{kind:?}: {:?}", back[0].flags);
        assert_eq!(back[0].internal_date, "01-Jan-2024 00:00:00 +0000", "{kind:?}");
        drop(serving);
        assert_eq!(archivista.fetch_counts(), Counts::same(1), "{kind:?}");
        assert_eq!(server.messages("Zurück/Küsnacht").len(), 1, "{kind:?}: it is not deleted again");
        archivista.verify();
    }
}
