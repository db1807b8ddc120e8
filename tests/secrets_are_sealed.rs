//! Promise: a password that was entered stands nowhere in readable form, a pack tells nothing of its mails to whoever has no
//! key, and the key belongs to its owner only and is never replaced by another one behind somebody's back.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::support::archivista::Archivista;
use crate::support::definition::Definition;
use crate::support::dovecot::{Dovecot, PASSWORD, USER};
use crate::support::{small, tree};
use archivista::archive::keys::Keys;
use archivista::archive::pack::{self, Depth, Found, Scanner};

/// All files below `dir`.
fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window.eq_ignore_ascii_case(text.as_bytes()))
}

fn hex(text: &str) -> String {
    text.bytes().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}

#[test]
fn no_file_and_no_answer_holds_the_password() {
    let server = Dovecot::start();
    server.deliver(USER, "INBOX", &small::mail(1));
    let archivista = Archivista::new();
    let wrong = "falsches Passwort";
    archivista.define(&Definition::of(&server, "office"));
    archivista.define(&Definition::of(&server, "wrong").with("password", wrong));
    let mut said = String::new();
    for verb in [
        &["fetch"][..],
        &["fetch", "--json"],
        &["source", "list"],
        &["source", "list", "--json"],
        &["source", "test", "office"],
        &["source", "test", "wrong", "--json"],
        &["status", "--json"],
        &["verify"],
        &["rebuild", "catalog"],
        &["source", "remove", "wrong"],
    ] {
        let output = archivista.run(verb);
        said += &output.stdout;
        said += &output.stderr;
    }
    assert_eq!(archivista.list().len(), 1, "the password was used");
    let texts = [PASSWORD, wrong].into_iter().flat_map(|text| [text.to_owned(), hex(text)]);
    let texts: Vec<String> = texts.chain([crate::support::token::base64(wrong.as_bytes())]).collect();
    for text in &texts {
        assert!(!holds(said.as_bytes(), text), "{text} was said: {said}");
    }
    let mut looked = 0;
    for path in files(&archivista.data()).into_iter().filter(|path| path.is_file()) {
        let bytes = fs::read(&path).unwrap();
        looked += bytes.len();
        for text in &texts {
            assert!(!holds(&bytes, text), "{text} in {}", path.display());
        }
    }
    assert!(looked > 10_000);
    // What is sealed has to be opened to be looked at.
    let packs = archivista.data().join("packs");
    let keys = Keys::read(&archivista.data().join("keys")).unwrap().unwrap();
    let (mut records, mut settings) = (0, 0);
    for number in pack::numbers(&packs).unwrap() {
        let (mut scanner, header) = Scanner::open(&packs, number, Some(&keys)).unwrap().unwrap();
        while let Some(found) = scanner.next(Depth::Plain).unwrap() {
            let Found::Record { offset, .. } = found else { panic!("{found:?}") };
            let mut plain = Vec::new();
            pack::read(&packs, header.archive, &keys, number, offset, &mut plain).unwrap().unwrap();
            records += 1;
            settings += usize::from(holds(&plain, "definition/office"));
            for text in &texts {
                assert!(!holds(&plain, text), "{text} in the record at {offset}");
            }
        }
    }
    assert!(records > 4 && settings > 0, "{records} records, {settings} with a definition");
}

#[test]
fn packs_say_nothing_without_the_key() {
    let archivista = Archivista::new();
    let archive = small::open(&archivista.data());
    // The same mail twice would be one document: these differ in their number alone.
    small::archive(&archive, 1, 9);
    drop(archive);
    let bytes = fs::read(small::pack(&archivista.data(), 1)).unwrap();
    let list = archivista.list();
    for document in &list {
        let hash = document["sha256"].as_str().unwrap();
        assert!(!hex_of(&bytes).contains(&hash[..16]));
    }
    for text in ["example.ch", "office", "anna", "mail 1", "line one", "Subject", "INBOX", "\\Seen"] {
        assert!(!holds(&bytes, text), "{text}");
    }
    // Equal records do not look alike.
    let mut seen = HashSet::new();
    assert!(bytes.windows(16).all(|window| seen.insert(window)));

    // Packs alone can be proved all the same, and are as whole as with the key.
    let copy = archivista.beside("copy");
    tree::copy(&archivista.data().join("packs"), &copy.join("packs"));
    let verify = |data: &Path| {
        let data = data.to_str().unwrap();
        let arguments = ["--data", data, "verify", "--json"];
        archivista.run(&arguments).succeeded().json_lines().remove(0)
    };
    let (whole, outside) = (verify(&archivista.data()), verify(&copy));
    for key in ["clean", "packs", "bytes", "commits", "head"] {
        assert_eq!(whole[key], outside[key], "{key}");
    }
    assert_eq!(whole["opened"], true);
    assert_eq!(outside["opened"], false);
    let said = archivista.run(&["--data", copy.to_str().unwrap(), "verify"]).succeeded().stdout;
    assert!(said.contains("nothing was opened") && said.contains("archive.key is missing"), "{said}");
    let before = tree::hashes(&copy);
    for verb in [&["list"][..], &["rebuild", "catalog"]] {
        let arguments = [&["--data", copy.to_str().unwrap()][..], verb].concat();
        let output = archivista.run(&arguments).ended_with(1);
        assert!(output.stderr.contains("archive.key is missing"), "{verb:?}: {}", output.stderr);
        assert_eq!(tree::hashes(&copy).get("packs/000001.pack"), before.get("packs/000001.pack"));
    }
}

fn hex_of(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|half| char::from_digit(u32::from(half), 16))
        .collect()
}

#[test]
fn the_key_is_its_owners_and_stays_the_same() {
    let server = Dovecot::start();
    server.deliver(USER, "INBOX", &small::mail(1));
    let archivista = Archivista::new();
    archivista.define(&Definition::of(&server, "office"));
    let keys = archivista.data().join("keys");
    let key = keys.join("archive.key");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&keys), mode(&key)), (0o700, 0o600));
    assert_eq!(fs::metadata(&key).unwrap().len(), 32);
    archivista.fetch();

    let good = fs::read(&key).unwrap();
    let verbs = [&["fetch"][..], &["list"], &["status"], &["source", "list"], &["serve"]];
    for (what, bytes) in [("gone", None), ("empty", Some(&b""[..])), ("cut", Some(&good[..31]))] {
        match bytes {
            None => fs::remove_file(&key).unwrap(),
            Some(bytes) => fs::write(&key, bytes).unwrap(),
        }
        let before = tree::hashes(&keys);
        for verb in verbs {
            let output = archivista.run(verb).ended_with(1);
            assert!(output.stderr.contains("archive.key is missing"), "{what}, {verb:?}: {}", output.stderr);
            assert!(output.stderr.contains("put it back from a backup"), "{what}, {verb:?}: {}", output.stderr);
        }
        // That nothing was altered can be proved without it.
        let said = archivista.run(&["verify"]).succeeded().stdout;
        assert!(said.contains("nothing was opened"), "{what}: {said}");
        assert_eq!(tree::hashes(&keys), before, "{what}: another key was made");
    }
    // Not even where everything else is gone that could be made anew.
    fs::remove_dir_all(&keys).unwrap();
    fs::remove_file(archivista.data().join("catalog.redb")).unwrap();
    archivista.run(&["list"]).ended_with(1);
    assert!(!key.exists());

    fs::create_dir_all(&keys).unwrap();
    fs::write(&key, &good).unwrap();
    fs::set_permissions(&keys, fs::Permissions::from_mode(0o755)).unwrap();
    server.deliver(USER, "INBOX", &small::mail(2));
    archivista.fetch();
    assert_eq!(archivista.list().len(), 2);
    assert_eq!(mode(&keys), 0o700);

    // Another archive's key opens nothing, and nothing is taken for damaged.
    fs::write(&key, [7; 32]).unwrap();
    let before = tree::hashes(&archivista.data());
    for verb in verbs.into_iter().chain([&["rebuild", "catalog"][..], &["verify"]]) {
        let output = archivista.run(verb).ended_with(1);
        let said = output.stdout + &output.stderr;
        assert!(said.contains("archive.key is not the key that") && said.contains("000001.pack"), "{verb:?}: {said}");
        assert!(!said.contains("at byte"), "{verb:?}: {said}");
        assert_eq!(tree::hashes(&archivista.data()), before, "{verb:?}");
    }
    fs::write(&key, &good).unwrap();
    archivista.verify();
}
