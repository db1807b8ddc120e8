//! Promise: archiving leaves no trace on the server, unless the definition says that archived mail is to be moved or
//! deleted there: then exactly the archived mails are, and only once they are safe.
//!
//! Others delete before the mail is safe, or expunge what somebody else had marked.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::support::archivista::{Archivista, Counts};
use crate::support::definition::Definition;
use crate::support::dovecot::{Delivery, Dovecot, USER};
use crate::support::mails::tiny;
use crate::support::proof::{archive_equals_server, folders_of, in_archive, on_server, titles};

fn mail(number: u32) -> Vec<u8> {
    tiny(&format!("{number}@example.ch"), &format!("Mail {number}"))
}

fn uids(dovecot: &Dovecot, folder: &str) -> Vec<u32> {
    dovecot.messages(USER, folder).iter().map(|message| message.uid).collect()
}

fn folders(dovecot: &Dovecot) -> usize {
    dovecot.dialogue(USER).ok("LIST \"\" *").len() - 1
}

#[test]
fn leave_changes_nothing() {
    let dovecot = Dovecot::start();
    for (number, flags) in (1..).zip(["", "S", "FRS", "T", "D"]) {
        dovecot.deliver_as(USER, "INBOX", &mail(number), &Delivery { received: None, flags });
    }
    let (before, folders_before) = (dovecot.messages(USER, "INBOX"), folders(&dovecot));
    for after in ["leave", ""] {
        let archivista = Archivista::new();
        archivista.define(&Definition::of(&dovecot, "büro").with("after", after));
        assert_eq!(archivista.fetch_counts(), Counts::archived(5));
        assert_eq!(archivista.fetch_counts(), Counts::default());
        archive_equals_server(&archivista, &dovecot, USER, &["INBOX"]);
    }
    assert_eq!(dovecot.messages(USER, "INBOX"), before, "flags above all: nothing became \\Seen");
    assert_eq!(folders(&dovecot), folders_before);
}

#[test]
fn move_makes_the_folder_and_moves_exactly_what_is_archived() {
    let dovecot = Dovecot::start();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    for number in 1..=6 {
        // The last two are too young and stay where they are.
        let received = if number > 4 { now } else { now - 10 * 86_400 };
        let delivery = Delivery { received: Some(received), flags: if number == 2 { "S" } else { "" } };
        dovecot.deliver_as(USER, "INBOX", &mail(number), &delivery);
    }
    let archivista = Archivista::new();
    let definition = Definition::of(&dovecot, "büro").with("after", "move:Archiviert/Jürg").with("min_age_days", 1);
    archivista.define(&definition);
    let before = dovecot.messages(USER, "INBOX");
    assert_eq!(archivista.fetch_counts(), Counts { archived: 4, left_out: 2, ..Counts::default() });

    assert_eq!(uids(&dovecot, "INBOX"), [5, 6]);
    let moved = dovecot.messages(USER, "Archiviert/Jürg");
    let told = |messages: &[crate::support::dovecot::Message]| -> Vec<_> {
        messages
            .iter()
            .map(|message| (message.sha256.clone(), message.flags.clone(), message.internal_date.clone()))
            .collect()
    };
    assert_eq!(told(&moved), told(&before[..4]), "bytes, flags and dates go along");

    // The target is archived too, which brings nothing new, neither now nor later.
    for _ in 0..2 {
        let counts = archivista.fetch_counts();
        assert_eq!((counts.archived, counts.left_out, counts.failed), (0, 0, 0));
    }
    assert_eq!(archivista.fetch_counts(), Counts::default());
    assert_eq!(archivista.list().len(), 4);
    assert_eq!(uids(&dovecot, "Archiviert/Jürg").len(), 4, "nothing is moved onto itself");
    let server = on_server(&dovecot, USER, &["Archiviert/Jürg"]);
    assert!(server.is_subset(&in_archive(&archivista)), "the new place is known");
    archivista.verify();
}

#[test]
fn what_lies_in_the_target_already_is_archived_and_stays() {
    let dovecot = Dovecot::start();
    dovecot.deliver(USER, "Archiviert", &mail(1));
    dovecot.deliver(USER, "Archiviert", &mail(2));
    dovecot.deliver(USER, "INBOX", &mail(2));
    dovecot.deliver(USER, "INBOX", &mail(3));
    let archivista = Archivista::new();
    archivista.define(&Definition::of(&dovecot, "büro").with("after", "move:Archiviert"));
    let counts = archivista.fetch_counts();
    assert_eq!((counts.archived, counts.failed), (3, 0));
    archivista.fetch_counts();
    assert_eq!(archivista.fetch_counts(), Counts::default());
    assert!(uids(&dovecot, "INBOX").is_empty());
    assert_eq!(uids(&dovecot, "Archiviert").len(), 4);
    assert_eq!(titles(&archivista).len(), 3);
    archivista.verify();
}

#[test]
fn delete_expunges_exactly_what_is_archived() {
    let dovecot = Dovecot::start();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    for number in 1..=8 {
        // 3 and 6 are too young; 6 and 7 were marked for deletion by somebody else, 7 is archived and may go.
        let received = if [3, 6].contains(&number) { now } else { now - 10 * 86_400 };
        let flags = if [6, 7].contains(&number) { "T" } else { "" };
        dovecot.deliver_as(USER, "INBOX", &mail(number), &Delivery { received: Some(received), flags });
    }
    let truth = on_server(&dovecot, USER, &["INBOX"]);
    let archivista = Archivista::new();
    archivista.define(&Definition::of(&dovecot, "büro").with("after", "delete").with("min_age_days", 1));
    assert_eq!(archivista.fetch_counts(), Counts { archived: 6, left_out: 2, ..Counts::default() });
    assert_eq!(uids(&dovecot, "INBOX"), [3, 6]);
    let left = on_server(&dovecot, USER, &["INBOX"]);
    let archive = in_archive(&archivista);
    assert_eq!(archive, truth.difference(&left).cloned().collect());
    assert_eq!(archivista.fetch_counts(), Counts::default());
    assert_eq!(archivista.folder_status("INBOX")["after_due"], 0);
    archivista.verify();
}

#[test]
fn delete_deletes_every_copy_and_only_of_archived_folders() {
    let dovecot = Dovecot::start();
    dovecot.deliver(USER, "INBOX", &mail(1));
    dovecot.deliver(USER, "INBOX", &mail(1));
    dovecot.deliver(USER, "Kunden", &mail(1));
    dovecot.deliver(USER, "Drafts", &mail(1));
    dovecot.deliver(USER, "Privat", &mail(2));
    let archivista = Archivista::new();
    let definition = Definition::of(&dovecot, "büro").with("after", "delete").with("exclude_folders", vec!["Privat"]);
    archivista.define(&definition);
    assert_eq!(archivista.fetch_counts(), Counts { archived: 1, same: 2, ..Counts::default() });
    let counts: Vec<_> = ["INBOX", "Kunden", "Drafts", "Privat"].map(|folder| uids(&dovecot, folder).len()).into();
    assert_eq!(counts, [0, 0, 1, 1]);
    assert_eq!(folders_of(&archivista.list()[0]), ["INBOX", "INBOX", "Kunden"]);
}

#[test]
fn a_definition_that_moves_from_now_on_leaves_what_it_archived_before() {
    let dovecot = Dovecot::start();
    dovecot.deliver(USER, "INBOX", &mail(1));
    let archivista = Archivista::new();
    archivista.define(&Definition::of(&dovecot, "büro"));
    assert_eq!(archivista.fetch_counts(), Counts::archived(1));
    archivista.define(&Definition::of(&dovecot, "büro").with("after", "delete"));
    dovecot.deliver(USER, "INBOX", &mail(2));
    assert_eq!(archivista.fetch_counts(), Counts::archived(1));
    assert_eq!(uids(&dovecot, "INBOX"), [1]);
}

#[test]
fn a_server_that_refuses_the_move_keeps_nothing_from_being_archived() {
    let dovecot = Dovecot::start();
    let archivista = Archivista::new();
    // No folder can have this name there.
    archivista.define(&Definition::of(&dovecot, "büro").with("after", "move:Archiv//x"));
    for number in 1..=3 {
        dovecot.deliver(USER, "INBOX", &mail(number));
        dovecot.deliver(USER, "Kunden", &mail(number + 10));
        let output = archivista.run(&["fetch", "--json"]).ended_with(1);
        assert_eq!(Counts::of(&output), Counts::archived(2), "{}", output.stderr);
        for folder in ["INBOX", "Kunden"] {
            let said = format!("{USER} {folder}: The mail server refused CREATE");
            assert!(output.stderr.contains(&said), "{}", output.stderr);
            assert_eq!(archivista.folder_status(folder)["after_due"], number);
        }
    }
    archive_equals_server(&archivista, &dovecot, USER, &["INBOX", "Kunden"]);
    // Put right, everything that was due is done.
    archivista.define(&Definition::of(&dovecot, "büro").with("after", "move:Archiv/x"));
    archivista.run(&["fetch"]).succeeded();
    assert_eq!(["INBOX", "Kunden", "Archiv/x"].map(|folder| uids(&dovecot, folder).len()), [0, 0, 6]);
}

#[test]
fn what_is_damaged_in_the_archive_is_not_deleted_on_the_server() {
    let dovecot = Dovecot::start();
    let archivista = Archivista::new();
    let noise: Vec<u8> =
        (0..50_000_u32).flat_map(|number| format!("{:x}", number.wrapping_mul(2_654_435_761)).into_bytes()).collect();
    dovecot.deliver(USER, "INBOX", &mail(1));
    dovecot.deliver(USER, "INBOX", &[&mail(2), &noise[..], b"\r\n"].concat());
    dovecot.deliver(USER, "INBOX", &mail(3));
    // All three are archived and still to be moved.
    archivista.define(&Definition::of(&dovecot, "büro").with("after", "move:Archiv//x"));
    archivista.run(&["fetch"]).ended_with(1);
    assert_eq!(archivista.folder_status("INBOX")["after_due"], 3);

    // Nearly all of the pack is the second mail.
    let pack = archivista.data().join("packs/000001.pack");
    let mut bytes = std::fs::read(&pack).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&pack, bytes).unwrap();

    archivista.define(&Definition::of(&dovecot, "büro").with("after", "delete"));
    for number in 4..=5 {
        dovecot.deliver(USER, "INBOX", &mail(number));
        dovecot.deliver(USER, "Kunden", &mail(number + 10));
        let output = archivista.run(&["fetch", "--json"]).ended_with(1);
        assert_eq!(Counts::of(&output), Counts::archived(2), "{}", output.stderr);
        assert!(output.stderr.contains("document 2"), "{}", output.stderr);
        assert_eq!(uids(&dovecot, "INBOX"), [2]);
        assert!(uids(&dovecot, "Kunden").is_empty(), "the next folder follows");
    }
}

/// Kills `fetch` again and again at whatever it does, and looks each time: what is gone from its place must be archived.
fn killed_at_random(after: &str, places: &[&str]) {
    let dovecot = Dovecot::start();
    for number in 1..=300 {
        dovecot.deliver(USER, "INBOX", &mail(number));
    }
    let truth: BTreeSet<_> = on_server(&dovecot, USER, &["INBOX"]).into_iter().map(|place| place.sha256).collect();
    let archivista = Archivista::new();
    archivista.define(&Definition::of(&dovecot, "büro").with("after", after));
    let seed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().subsec_nanos();
    let mut random = u64::from(seed);
    for _ in 0..8 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let running = archivista.spawn(&["fetch"]);
        std::thread::sleep(Duration::from_millis(20 + (random >> 33) % 250));
        running.kill();
        let archived: BTreeSet<_> = in_archive(&archivista).into_iter().map(|place| place.sha256).collect();
        let inbox: BTreeSet<_> = on_server(&dovecot, USER, &["INBOX"]).into_iter().map(|place| place.sha256).collect();
        let unsafe_moves: Vec<_> =
            truth.iter().filter(|hash| !inbox.contains(*hash) && !archived.contains(*hash)).collect();
        assert!(unsafe_moves.is_empty(), "seed {seed}: left the inbox before it was safe: {unsafe_moves:?}");
    }
    archivista.run(&["fetch"]).succeeded();
    archivista.run(&["fetch"]).succeeded();
    assert_eq!(archivista.fetch_counts(), Counts::default(), "seed {seed}");
    assert!(uids(&dovecot, "INBOX").is_empty(), "seed {seed}: all of it is repeated");
    assert_eq!(archivista.list().len(), 300, "seed {seed}");
    let archived: BTreeSet<_> = in_archive(&archivista).into_iter().map(|place| place.sha256).collect();
    assert_eq!(archived, truth, "seed {seed}");
    assert_eq!(archivista.folder_status("INBOX")["after_due"], 0, "seed {seed}");
    archivista.verify();
    if let [_, target] = places {
        assert_eq!(uids(&dovecot, target).len(), 300, "seed {seed}: each moved once");
    }
}

#[test]
fn a_kill_between_archiving_and_moving_is_made_good() {
    killed_at_random("move:Archiviert", &["INBOX", "Archiviert"]);
}

#[test]
fn a_kill_between_archiving_and_deleting_is_made_good() {
    killed_at_random("delete", &["INBOX"]);
}
