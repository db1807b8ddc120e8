//! Promise: what a release archived is read by every later one. `tests/archives/N` is an archive of format N as the release
//! that froze it wrote it: packs, a key for tests, and what that release said of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;

use serde_json::{Value, json};

use crate::support::archivista::Archivista;
use crate::support::definition::Definition;
use crate::support::dovecot::{Dovecot, USER};
use crate::support::hash::sha256;
use crate::support::{small, tree};
use archivista::archive::Archive;
use archivista::archive::commit::{Ending, Event, Folder, Happening, KIND_FILE, Metadata};
use archivista::archive::pack::FORMAT;
use archivista::archive::writer::{NewMessage, Task};
use archivista::ingest::{Incoming, Spool};
use archivista::settings::password::Password;
use archivista::settings::users::{self, Role, User};

fn kept() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/archives")
}

/// Whether `now` says all that was said `then`; a later release may say more.
fn still_says(then: &Value, now: &Value) -> bool {
    match (then, now) {
        (Value::Object(then), Value::Object(now)) => {
            then.iter().all(|(key, then)| now.get(key).is_some_and(|now| still_says(then, now)))
        }
        (Value::Array(then), Value::Array(now)) => {
            then.len() == now.len() && then.iter().zip(now).all(|(then, now)| still_says(then, now))
        }
        _ => then == now,
    }
}

/// All that a release says of an archive. The documents come first: that makes a catalog where there is none.
fn said(archivista: &Archivista) -> Value {
    let documents = archivista.list();
    let sources = archivista.run(&["source", "list", "--json"]).succeeded().json_lines();
    let mut proof = archivista.run(&["verify", "--json"]).succeeded().json_lines().remove(0);
    proof.as_object_mut().unwrap().retain(|key, _| ["commits", "documents", "erased", "head"].contains(&key.as_str()));
    json!({ "documents": documents, "sources": sources, "proof": proof })
}

fn hashes(exported: &BTreeMap<u64, Vec<u8>>) -> Vec<String> {
    exported.values().map(|bytes| sha256(bytes)).collect()
}

#[test]
fn lists_exports_and_verifies_them() {
    let mut formats = Vec::new();
    for entry in fs::read_dir(kept()).unwrap().map(Result::unwrap) {
        formats.push(entry.file_name().to_str().unwrap().parse::<u32>().unwrap());
        let then: Value = serde_json::from_slice(&fs::read(entry.path().join("said.json")).unwrap()).unwrap();
        // Without its key it can be proved, before it is opened and after.
        let outside = Archivista::new();
        tree::copy(&entry.path().join("packs"), &outside.data().join("packs"));
        let proof = outside.run(&["verify", "--json"]).succeeded().json_lines().remove(0);
        assert_eq!((&proof["head"], &proof["commits"]), (&then["proof"]["head"], &then["proof"]["commits"]));

        let archivista = Archivista::new();
        for folder in ["packs", "keys"] {
            tree::copy(&entry.path().join(folder), &archivista.data().join(folder));
        }
        let now = said(&archivista);
        assert!(still_says(&then, &now), "{then:#}\nis now\n{now:#}");
        let documents = then["documents"].as_array().unwrap();
        let exported = archivista.export();
        let hashes_then: Vec<&str> = documents.iter().map(|one| one["sha256"].as_str().unwrap()).collect();
        assert_eq!(hashes(&exported), hashes_then);
        assert_eq!(then["proof"]["erased"], now["proof"]["erased"]);

        // And it goes on.
        let archive = small::open(&archivista.data());
        assert!(archive.findings().is_empty(), "{:?}", archive.findings());
        let user = users::user(&archive, "anna").unwrap().unwrap();
        assert!(user.password.is("a long enough password"));
        let next = documents.last().unwrap()["number"].as_u64().unwrap() + 1;
        assert_eq!(small::archive(&archive, 1000, 1001), [next, next + 1]);
        drop(archive);
        archivista.verify();
    }
    formats.sort_unstable();
    assert!(formats.into_iter().eq(1..=FORMAT), "each format has its archive");
}

#[test]
fn what_was_never_frozen_is_refused_with_a_sentence() {
    let archivista = Archivista::new();
    small::archive(&small::open(&archivista.data()), 1, 2);
    let path = small::pack(&archivista.data(), 1);
    let good = fs::read(&path).unwrap();
    for (format, sentence) in
        [(0u32, "carries format 0, which was never frozen"), (FORMAT + 1, "use the release that wrote it")]
    {
        let mut bytes = good.clone();
        bytes[16..20].copy_from_slice(&format.to_le_bytes());
        let crc = crc32fast::hash(&bytes[..60]);
        bytes[60..64].copy_from_slice(&crc.to_le_bytes());
        fs::write(&path, bytes).unwrap();
        let before = tree::hashes(&archivista.data());
        for verb in [&["list"][..], &["fetch"], &["serve"], &["verify"], &["rebuild", "catalog"]] {
            let output = archivista.run(verb).ended_with(1);
            assert!(output.stderr.contains(sentence), "{verb:?}: {}", output.stderr);
            assert_eq!(tree::hashes(&archivista.data()), before, "{verb:?}");
        }
    }
}

struct Item<'a> {
    mailbox: &'a str,
    bytes: &'a [u8],
    metadata: Metadata,
    variant_of: Option<u64>,
}

/// Archives something as a fetch or an upload would.
fn add(archive: &Archive, item: Item<'_>) -> u64 {
    let definition = if item.metadata.kind == KIND_FILE { "" } else { "office" };
    let folder = Folder {
        definition: definition.into(),
        mailbox: item.mailbox.into(),
        id: "Ablage".into(),
        name: "Ablage".into(),
        mailbox_name: item.mailbox.into(),
        ..Folder::default()
    };
    let folder = archive.folder(folder).unwrap();
    let spool = Spool::new(archive.paths().spool.clone()).unwrap();
    let mut incoming = Incoming::new(&spool);
    std::io::Write::write_all(&mut incoming, item.bytes).unwrap();
    let message = incoming.finish().unwrap();
    let (ticket, tickets) = channel();
    let new = NewMessage {
        remote: message.sha256.0.to_vec(),
        message,
        metadata: item.metadata,
        folder,
        received: Some(1_704_067_200),
        flags: vec!["\\Flagged".into()],
        after_due: false,
        variant_of: item.variant_of,
        brought_by: None,
        ticket,
    };
    archive.send(Task::Message(Box::new(new))).unwrap();
    archive.flush().unwrap();
    tickets.recv().unwrap().outcome.unwrap().document().unwrap()
}

/// Makes `tests/archives/FORMAT`, once for each format: run by name with `--ignored` by the release that freezes one.
#[test]
#[ignore = "makes what the others read"]
fn make_the_archive_of_this_format() {
    let target = kept().join(FORMAT.to_string());
    assert!(!target.exists(), "{} is there, and stays as it is", target.display());
    let server = Dovecot::start();
    for number in 1..=3 {
        server.deliver(USER, "INBOX", &small::mail(number));
    }
    server.deliver(USER, "Sent", &small::mail(1));
    server.deliver(USER, "INBOX", b"no header at all\n");
    let mixed = "From: =?utf-8?q?J=C3=BCrg?= <j@example.ch>\r\nTo: a@example.ch\r\nSubject: =?utf-8?q?Pl=C3=A4ne?=\r\n\
        MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nHallo\r\n--b\r\n\
        Content-Type: application/pdf; name=plan.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n";
    let large = "JVBERi0xLjQKJVBERi0xLjQKJVBERi0xLjQKJVBERi0xLjQKJVBERi0xLjQKJVBERi0xLjQKJVBE\r\n".repeat(4000);
    server.deliver(USER, "INBOX", format!("{mixed}{large}\r\n--b--\r\n").as_bytes());
    let archivista = Archivista::new();
    archivista.define(&Definition::of(&server, "office"));
    archivista.define(&Definition::of(&server, "gone").with("inactive", true));
    archivista.fetch();
    archivista.run(&["source", "remove", "gone"]).succeeded();

    let archive = small::open(&archivista.data());
    let user = User {
        name: "anna".into(),
        role: Role::Administrator,
        reads_all: true,
        mailboxes: Vec::new(),
        language: None,
        password: Password::new("a long enough password").unwrap(),
        inactive: false,
        created: 1_704_067_200,
    };
    users::put_user(&archive, &user, "test").unwrap();
    let file = |version_of: Option<u64>| Metadata {
        kind: KIND_FILE,
        title: "Plan".into(),
        owner: "anna".into(),
        media_name: "Plan.pdf".into(),
        media_type: "application/pdf".into(),
        version_of,
        version: version_of.map(|_| 2),
        ..Metadata::default()
    };
    let upload = |bytes: &[u8], metadata| add(&archive, Item { mailbox: "anna", bytes, metadata, variant_of: None });
    let first = upload(b"%PDF-1.4 one", file(None));
    upload(b"%PDF-1.4 two", file(Some(first)));
    upload(b"", Metadata { media_name: "empty.txt".into(), ..file(None) });
    let variant = String::from_utf8(small::mail(2)).unwrap().replace("\r\n\r\n", "\r\nX-Other: server\r\n\r\n");
    let metadata = Metadata::default();
    let two = add(&archive, Item { mailbox: USER, bytes: variant.as_bytes(), metadata, variant_of: Some(2) });
    assert_eq!(two, 2);
    for note in ["first", "zweite Notiz"] {
        let change = move |metadata: &mut Metadata| {
            metadata.note = note.into();
            metadata.fields.insert("Betrag".into(), "1200.50".into());
            metadata.fields.insert("Kunde".into(), "Müller & Söhne".into());
            vec![Event {
                time: 1_704_067_300,
                who: "anna".into(),
                what: Happening::FieldsChanged(3, vec!["note".into()]),
            }]
        };
        archive.change(3, Box::new(change)).unwrap();
    }
    archive.journal("anna", Happening::Opened(3)).unwrap();
    archive.journal("anna", Happening::ExportedSome(vec![1, 3])).unwrap();
    // Two that have an attachment of their own and one that others have too; one of them ends.
    let own: Vec<u8> = (0..=255).cycle().take(6000).collect();
    let shared: Vec<u8> = (0..=250).cycle().take(7000).collect();
    let mail = |number, attachments: &[&[u8]]| {
        let bytes = small::with_attachments(number, attachments, 76);
        add(&archive, Item { mailbox: USER, bytes: &bytes, metadata: Metadata::default(), variant_of: None })
    };
    let private = mail(71, &[&shared, &own]);
    mail(70, &[&shared]);
    archive.block("anna", private, true).unwrap();
    let erased = Event { time: 1_704_067_400, who: "beat".into(), what: Happening::Erased(private, "anna".into()) };
    archive.end(vec![private], Ending::Erased, vec![erased]).unwrap();
    assert!(archive.erase(&mut || Ok(())).unwrap() > 0);
    archive.block("anna", 3, true).unwrap();
    drop(archive);

    let then = said(&archivista);
    for folder in ["packs", "keys"] {
        tree::copy(&archivista.data().join(folder), &target.join(folder));
    }
    fs::write(target.join("said.json"), format!("{then:#}\n")).unwrap();
    println!("{}: {} bytes", target.display(), fs::metadata(target.join("packs/000001.pack")).unwrap().len());
}
