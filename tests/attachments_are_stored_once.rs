//! Promise: an attachment is stored once, however many mails have it, and every mail comes back byte for byte all the same.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::os::unix::fs::PermissionsExt;

use archivista::archive::commit::Outcome;
use archivista::archive::record::Kind;
use archivista::archive::start::Paths;
use archivista::archive::{Archive, Options, verify};

use crate::support::small;

/// Bytes that no packer makes shorter.
fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2) + 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..len).map(|_| next()).collect()
}

fn bytes_of(archive: &Archive, number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    archive.read(number, &mut bytes).unwrap();
    bytes
}

fn kinds(data: &std::path::Path) -> Vec<Kind> {
    small::records(data, 1).iter().map(|place| place.kind).collect()
}

fn verified(paths: &Paths) -> verify::Report {
    verify::closed(paths, false, &mut |_, _| Ok(())).unwrap()
}

#[test]
fn in_one_mail_in_twenty_mailboxes_and_in_lines_of_another_length() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let archive = small::open(&data);
    let plan = noise(1, 400_000);
    let picture = noise(2, 5000);
    let mails: Vec<Vec<u8>> = (1..=20)
        .map(|number| {
            let width = [76, 72, 60, 64][usize::try_from(number).unwrap() % 4];
            small::with_attachments(number, &[&plan, &picture, &plan], width)
        })
        .collect();
    for (number, mail) in (1..).zip(&mails) {
        let outcomes = small::put(&archive, &format!("person {number}"), vec![(number, mail.clone())]);
        assert_eq!(outcomes, [Outcome::Archived(number)]);
    }
    // Others know these attachments from the same batch only.
    let again = small::put(
        &archive,
        "others",
        vec![(21, mails[0].clone()), (22, small::with_attachments(22, &[&picture], 76))],
    );
    assert_eq!(again, [Outcome::Same(1), Outcome::Archived(21)]);
    for (number, mail) in (1..).zip(&mails) {
        assert!(bytes_of(&archive, number) == *mail, "{number}");
    }
    assert!(archive.rebuild_catalog().unwrap().is_empty());
    for (number, mail) in (1..).zip(&mails) {
        assert!(bytes_of(&archive, number) == *mail, "{number}");
    }
    drop(archive);
    let paths = Paths::new(&data);
    let report = verified(&paths);
    assert!(report.findings.is_empty(), "{:?}", report.findings);
    let kinds = kinds(&data);
    assert_eq!(kinds.iter().filter(|kind| **kind == Kind::Part).count(), 2);
    assert_eq!(kinds.iter().filter(|kind| **kind == Kind::Skeleton).count(), 21);
    assert!(fs::metadata(small::pack(&data, 1)).unwrap().len() < 460_000);
}

#[test]
fn not_where_it_was_switched_off_and_both_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mail = small::with_attachments(1, &[&noise(1, 9000)], 76);
    let whole = small::open_with(&data, Options { is_splitting: false, ..Options::default() });
    small::put(&whole, "anna", vec![(1, mail.clone())]);
    drop(whole);
    assert!(kinds(&data).contains(&Kind::Message) && !kinds(&data).contains(&Kind::Part));
    let archive = small::open(&data);
    let other = small::with_attachments(2, &[&noise(1, 9000)], 76);
    small::put(&archive, "anna", vec![(2, other.clone())]);
    assert!(bytes_of(&archive, 1) == mail && bytes_of(&archive, 2) == other);
}

#[test]
fn what_looks_like_base64_and_is_none_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let archive = small::open(&folder.path().join("data"));
    let line = format!("{}\r\n", "QUJD".repeat(19));
    let tricky = [
        format!("{}QR==\r\n", line.repeat(100)),
        format!("{}\r\n{}", line.repeat(100).trim_end(), "QUJD".repeat(30)),
        format!("x\n{}{}", line.repeat(100).replace("\r\n", "\n"), line.repeat(100)),
        line.repeat(60) + " " + &line.repeat(60),
        "QUJD".repeat(500_000),
        line.repeat(8000) + "=",
    ];
    let mails: Vec<(u64, Vec<u8>)> = (1..).zip(tricky).map(|(number, text)| (number, text.into_bytes())).collect();
    small::put(&archive, "anna", mails.clone());
    for (number, mail) in mails {
        assert!(bytes_of(&archive, number) == mail, "{number}");
    }
}

/// The mail that brings a damaged attachment again mends all that have it.
#[test]
fn a_damaged_attachment_is_named_with_its_mails_and_mended_by_the_next_one_that_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let plan = noise(1, 20_000);
    let mails: Vec<Vec<u8>> = (1..=3).map(|number| small::with_attachments(number, &[&plan], 76)).collect();
    let archive = small::open(&data);
    small::put(&archive, "anna", vec![(1, mails[0].clone()), (2, mails[1].clone())]);
    small::archive(&archive, 100, 100);
    let part = small::records(&data, 1).into_iter().find(|place| place.kind == Kind::Part).unwrap();
    let path = small::pack(&data, 1);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let pack = OpenOptions::new().write(true).open(&path).unwrap();
    pack.write_all_at(&[0], part.offset + 9000).unwrap();
    let report = verify::open(&archive, false, &mut |_, _| Ok(())).unwrap();
    let lines: Vec<String> = report.findings.lines().collect();
    for number in [1, 2] {
        let named =
            |line: &String| line.contains(&format!("document {number}: an attachment of it is missing or damaged"));
        assert!(lines.iter().any(named), "{lines:#?}");
        archive.read(number, &mut std::io::sink()).unwrap_err();
    }
    assert!(!lines.iter().any(|line| line.contains("document 3")), "{lines:#?}");
    archive.read(3, &mut std::io::sink()).unwrap();

    small::put(&archive, "beat", vec![(3, mails[2].clone())]);
    for (number, mail) in [(1, &mails[0]), (2, &mails[1]), (4, &mails[2])] {
        assert!(bytes_of(&archive, number) == *mail, "{number}");
    }
}
