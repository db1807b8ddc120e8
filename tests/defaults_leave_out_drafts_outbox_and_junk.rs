//! Promise: every folder is archived unless it holds drafts, unsent mail or junk, or the definition says otherwise; a
//! folder that the definition names and that is not there is said, and keeps nothing else from being archived.
//!
//! Others take the inbox and the sent mail only, and whoever sorts his mail into folders has none of it in the archive.

use crate::support::archivista::{Archivista, Counts};
use crate::support::definition::Definition;
use crate::support::dovecot::{Dovecot, Setup, USER};
use crate::support::mails::tiny;
use crate::support::proof::folders_of;

fn deliver_one_each(dovecot: &Dovecot, folders: &[&str]) {
    for folder in folders {
        dovecot.deliver(USER, folder, &tiny(&format!("{}@example.ch", folder.len()), folder));
    }
}

/// The folders from which something was archived, sorted.
fn archived_folders(archivista: &Archivista) -> Vec<String> {
    let list = archivista.list();
    let mut folders: Vec<_> = list.iter().flat_map(folders_of).map(str::to_owned).collect();
    folders.sort_unstable();
    folders
}

#[test]
fn by_special_use_whatever_the_name() {
    let config = "namespace inbox {\n\
        mailbox Konzepte {\n special_use = \\Drafts\n }\n\
        mailbox \"Müll\" {\n special_use = \\Junk\n }\n\
        mailbox \"Outbox 2\" {\n special_use = \\Sent\n }\n}\n";
    let dovecot = Dovecot::start_with(&Setup { config: config.to_owned(), ..Setup::default() });
    deliver_one_each(&dovecot, &["INBOX", "Konzepte", "Müll", "Drafts", "Junk", "Sent", "Trash", "Outbox 2"]);
    let archivista = Archivista::new();
    archivista.define(&Definition::of(&dovecot, "büro"));
    assert_eq!(archivista.fetch_counts(), Counts::archived(4));
    assert_eq!(archived_folders(&archivista), ["INBOX", "Outbox 2", "Sent", "Trash"]);
}

#[test]
fn by_german_and_english_names() {
    let out = [
        "Entwürfe",
        "ENTWÜRFE/Entwürfe",
        "Ablage/Drafts",
        "Draft",
        "Postausgang",
        "Outbox",
        "Spam",
        "Spamverdacht",
        "Junk-E-Mail",
        "Junk Email",
        "Bulk Mail",
    ];
    let archived = [
        "Ablage",
        "Archiv",
        "Draftsmen",
        "Gelöschte Elemente",
        "Gesendet",
        "Gesendete Elemente",
        "INBOX",
        "Outboxes",
        "Papierkorb",
        "Spam melden",
        "Spam/Doch nicht",
    ];
    let dovecot = Dovecot::start();
    deliver_one_each(&dovecot, &out);
    deliver_one_each(&dovecot, &archived);
    let archivista = Archivista::new();
    archivista.define(&Definition::of(&dovecot, "büro"));
    assert_eq!(archivista.fetch_counts(), Counts::archived(archived.len() as u64));
    assert_eq!(archived_folders(&archivista), archived);
}

#[test]
fn as_the_definition_says() {
    let dovecot = Dovecot::start();
    let folders = ["INBOX", "Drafts", "Entwürfe", "Junk", "Kunden", "Kunden/Müller", "Privat", "Sent"];
    deliver_one_each(&dovecot, &folders);
    let cases = [
        // What is named is taken, whatever it is for; nothing below it.
        (vec!["Entwürfe", "Junk", "Kunden"], vec![], vec!["Entwürfe", "Junk", "Kunden"]),
        (vec!["inbox", "Kunden/Müller"], vec![], vec!["INBOX", "Kunden/Müller"]),
        // What is excluded stays out, also where it is named.
        (vec![], vec!["Privat", "Kunden/Müller"], vec!["INBOX", "Kunden", "Sent"]),
        (vec!["Sent", "Privat"], vec!["Privat", "gibt es nicht"], vec!["Sent"]),
    ];
    for (folders, exclude, expected) in cases {
        let archivista = Archivista::new();
        let definition = Definition::of(&dovecot, "büro").with("folders", folders).with("exclude_folders", exclude);
        archivista.define(&definition);
        assert_eq!(archivista.fetch_counts(), Counts::archived(expected.len() as u64));
        assert_eq!(archived_folders(&archivista), expected);
    }
}

#[test]
fn a_named_folder_that_is_missing_is_said_and_the_rest_is_archived() {
    let dovecot = Dovecot::start();
    deliver_one_each(&dovecot, &["INBOX", "Sent"]);
    let archivista = Archivista::new();
    archivista.define(&Definition::of(&dovecot, "büro").with("folders", vec!["INBOX", "Rechnungen", "Sent"]));
    let output = archivista.run(&["fetch", "--json"]).ended_with(1);
    assert_eq!(Counts::of(&output), Counts::archived(2));
    let sentence =
        format!("{USER}: There is no folder \"Rechnungen\" on the mail server. Check the folders of the definition.");
    assert!(output.stderr.contains(&sentence), "{}", output.stderr);
    let status = archivista.run(&["status"]).ended_with(1);
    assert!(status.stdout.contains("Rechnungen"), "{}", status.stdout);

    // It is said again as long as it is so, in German too, and is over once the folder is there.
    let german = archivista.run_in("de_CH.UTF-8", &["fetch"]).ended_with(1);
    assert!(german.stderr.contains("Den Ordner «Rechnungen» gibt es auf dem Mail-Server nicht."), "{}", german.stderr);
    deliver_one_each(&dovecot, &["Rechnungen"]);
    assert_eq!(archivista.fetch_counts(), Counts::archived(1));
    archivista.run(&["status"]).succeeded();
}

#[test]
fn a_named_folder_that_only_holds_others_is_said() {
    let dovecot = Dovecot::start();
    deliver_one_each(&dovecot, &["Kunden/Müller"]);
    let archivista = Archivista::new();
    archivista.define(&Definition::of(&dovecot, "büro").with("folders", vec!["Kunden"]));
    let output = archivista.run(&["fetch", "--json"]).ended_with(1);
    assert_eq!(Counts::of(&output), Counts::default());
    assert!(output.stderr.contains("There is no folder \"Kunden\""), "{}", output.stderr);
}

#[test]
fn a_folder_that_a_definition_takes_up_later_is_archived_from_its_beginning() {
    let dovecot = Dovecot::start();
    deliver_one_each(&dovecot, &["INBOX", "Privat"]);
    let archivista = Archivista::new();
    let definition = Definition::of(&dovecot, "büro");
    archivista.define(&definition.clone().with("exclude_folders", vec!["Privat"]));
    assert_eq!(archivista.fetch_counts(), Counts::archived(1));
    archivista.define(&definition);
    assert_eq!(archivista.fetch_counts(), Counts::archived(1));
    assert_eq!(archived_folders(&archivista), ["INBOX", "Privat"]);
}
