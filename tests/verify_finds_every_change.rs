//! Promise: not one bit of the archive can change unnoticed. `verify` finds it, `export` never gives out wrong bytes, and what
//! is not touched stays within reach. Nothing panics.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::archivista::Archivista;
use crate::support::every_kind::{EveryKind, names, said};
use crate::support::{small, tree};
use archivista::archive::commit::{Entry, Occurrence, Outcome};
use archivista::archive::pack::PACK_HEADER_LEN;
use archivista::archive::record::{HEADER_LEN, Kind};
use archivista::archive::rows::{DOCUMENTS, Document, LEDGER, OCCURRENCES, Row, SETTINGS};
use archivista::archive::start::Paths;
use archivista::archive::verify::{self, Report};
use archivista::archive::{Archive, ArchiveError};
use redb::{Database, ReadableDatabase};

/// Eight mails in three packs, closed.
fn archive() -> Archivista {
    let archivista = Archivista::new();
    let archive = small::open_sized(&archivista.data(), 1000);
    for (from, to) in [(1, 2), (3, 3), (4, 6), (7, 8)] {
        small::archive(&archive, from, to);
    }
    archivista
}

fn packs(archivista: &Archivista) -> Vec<u32> {
    let packs = archivista::archive::pack::numbers(&archivista.data().join("packs")).unwrap();
    assert!(packs.len() >= 3, "{packs:?}");
    packs
}

fn open(archive: &Archive, quick: bool) -> Result<Report, ArchiveError> {
    verify::open(archive, quick, &mut |_, _| Ok(()))
}

fn closed(data: &Path, quick: bool) -> Result<Report, ArchiveError> {
    verify::closed(&Paths::new(data), quick, &mut |_, _| Ok(()))
}

/// Damage is found by both depths or by the full one alone; the verb says so with its exit code.
fn is_found(archivista: &Archivista, quick_too: bool, what: &str) -> String {
    let before = tree::hashes(&archivista.data());
    let output = archivista.run(&["verify"]);
    assert_eq!(output.code, Some(1), "{what}: {}", output.stdout);
    let quick = archivista.run(&["verify", "--quick"]);
    assert_eq!(quick.code, Some(i32::from(quick_too)), "{what}: {}{}", quick.stdout, quick.stderr);
    assert_eq!(tree::hashes(&archivista.data()), before, "{what}: verify changed something");
    output.stdout + &output.stderr
}

/// Every document comes out as it went in, or not at all and with its number. Returns the numbers of the latter.
fn exported(archive: &Archive, what: &str) -> Vec<u64> {
    let mut refused = Vec::new();
    for number in 1..=8 {
        let mut bytes = Vec::new();
        match archive.read(number, &mut bytes) {
            Ok(()) => assert!(bytes == small::mail(number), "{what}: document {number} came out wrong"),
            Err(ArchiveError::DocumentDamaged { number: told, .. }) => {
                assert_eq!(told, number, "{what}");
                refused.push(number);
            }
            Err(error) => panic!("{what}: document {number}: {error}"),
        }
    }
    refused
}

#[test]
fn every_bit_of_every_pack() {
    let it = EveryKind::new();
    assert_eq!(said(it.path()), [""; 0]);
    let counts: [AtomicUsize; 2] = Default::default();
    it.at_every_byte(|spoilt, pack, at, byte| {
        let path = small::pack(spoilt.closed.path(), pack);
        let file = fs::File::options().write(true).open(&path).unwrap();
        let concern = it.concern(pack, at);
        for bit in 0..8_u64 {
            let what = format!("pack {pack}, byte {at}, bit {bit}");
            file.write_all_at(&[byte ^ (1 << bit)], at).unwrap();
            let said = said(spoilt.closed.path());
            let is_place = |line: &String| line.contains(path.to_str().unwrap()) || line.starts_with("commit ");
            assert!(said.iter().any(is_place), "{what}: {said:?}");
            for &number in concern.iter().flat_map(|concern| &concern.documents) {
                assert!(names(&said, number), "{what}, document {number}: {said:?}");
            }
            let refused = it.refused(&spoilt.open, &what);
            assert_eq!(refused, it.without(pack, at), "{what}");
            // Quick does not open messages, and sees all the rest.
            if bit == at % 8 && concern.is_none_or(|concern| at < concern.bytes.start + HEADER_LEN as u64 + 4) {
                let quick = closed(spoilt.closed.path(), true);
                assert!(quick.is_err() || quick.is_ok_and(|report| !report.findings.is_empty()), "quick: {what}");
            }
            counts[0].fetch_add(1, Ordering::Relaxed);
            counts[1].fetch_add(refused.len(), Ordering::Relaxed);
        }
        file.write_all_at(&[byte], at).unwrap();
    });
    let [flips, refusals] = counts.map(AtomicUsize::into_inner);
    println!("{flips} flips, {refusals} refused exports");
    assert!(refusals > 4 * 8 * HEADER_LEN);
    assert_eq!(said(it.path()), [""; 0]);
}

/// With the key, and without key and catalog, as somebody has it who keeps a copy and knows the last link.
#[test]
fn every_bit_of_a_small_pack() {
    let it = Archivista::new();
    let archive = small::open(&it.data());
    small::archive(&archive, 1, 1);
    let copy = it.beside("copy");
    tree::copy(&it.data().join("packs"), &copy.join("packs"));
    let whole = closed(&copy, false).unwrap();
    assert!(whole.findings.is_empty() && !whole.opened, "{whole:?}");
    assert_eq!(whole.head, open(&archive, false).unwrap().head);
    let path = small::pack(&it.data(), 1);
    let bytes = fs::read(&path).unwrap();
    assert!(bytes.len() < 3000, "{}", bytes.len());
    assert!(bytes.ends_with(&archive.view().unwrap().position().unwrap().unwrap().commit.0));
    let message = small::records(&it.data(), 1).into_iter().find(|place| place.kind == Kind::Message).unwrap();
    let [file, copied] = [path, small::pack(&copy, 1)].map(|path| fs::File::options().write(true).open(path).unwrap());
    for (at, byte) in (0u64..).zip(&bytes) {
        for bit in 0..8 {
            let what = format!("byte {at}, bit {bit}");
            let flipped = [byte ^ (1 << bit)];
            file.write_all_at(&flipped, at).unwrap();
            copied.write_all_at(&flipped, at).unwrap();
            let full = open(&archive, false);
            assert!(full.is_err() || !full.unwrap().findings.is_empty(), "{what}");
            let kept = closed(&copy, false);
            assert!(
                kept.is_err() || kept.is_ok_and(|kept| !kept.findings.is_empty() || kept.head != whole.head),
                "{what}"
            );
            let mut out = Vec::new();
            let is_out = archive.read(1, &mut out).is_ok();
            assert_eq!(is_out, !(message.offset..message.end()).contains(&at), "{what}");
            assert!(!is_out || out == small::mail(1), "{what}");
        }
        file.write_all_at(&[*byte], at).unwrap();
        copied.write_all_at(&[*byte], at).unwrap();
    }
    assert!(open(&archive, false).unwrap().findings.is_empty());
}

#[test]
fn the_verbs_name_what_is_damaged_and_export_the_rest() {
    let it = archive();
    let place = small::records(&it.data(), 1).into_iter().filter(|place| place.kind == Kind::Message).nth(1).unwrap();
    let file = fs::File::options().write(true).open(small::pack(&it.data(), 1)).unwrap();
    file.write_all_at(b"!", place.end() - 30).unwrap();
    let said = is_found(&it, false, "a letter");
    assert!(said.contains("document 2"), "{said}");
    let out = it.beside("out");
    let export = it.run(&["export", "--all", "--format", "eml", "--out", out.to_str().unwrap()]).ended_with(1);
    assert!(export.stderr.contains("document 2 is damaged"), "{}", export.stderr);
    assert!(export.stderr.contains("7 exported, 1 not"), "{}", export.stderr);
    for number in 1..=8 {
        let path = out.join(format!("{number}.eml"));
        assert_eq!(fs::read(&path).ok(), (number != 2).then(|| small::mail(number)), "{number}");
    }
    assert_eq!(fs::read_dir(&out).unwrap().count(), 7);
}

#[test]
fn packs_that_are_cut_gone_swapped_or_foreign() {
    let it = archive();
    let good = it.beside("good");
    tree::copy(&it.data(), &good);
    let foreign = archive();
    let [first, second, last] = [1, 2, *packs(&it).last().unwrap()];
    let pack = |number| small::pack(&it.data(), number);
    let again = || tree::copy(&good, &it.data());

    for number in [first, second, last] {
        let len = fs::metadata(pack(number)).unwrap().len();
        for keep in [0, 10, 64, 100, len / 2, len - 1] {
            again();
            fs::File::options().write(true).open(pack(number)).unwrap().set_len(keep).unwrap();
            is_found(&it, true, &format!("pack {number} cut to {keep}"));
        }
        again();
        fs::remove_file(pack(number)).unwrap();
        is_found(&it, true, &format!("pack {number} gone"));
        again();
        fs::copy(small::pack(&foreign.data(), number), pack(number)).unwrap();
        let said = is_found(&it, true, &format!("pack {number} of another archive"));
        assert!(said.contains("another archive"), "{said}");
        if number != second {
            continue;
        }
        // The last pack is whole, so the archive opens, and the rest can be read.
        let archive = small::open(&it.data());
        exported(&archive, "foreign");
    }
    for (one, other) in [(first, second), (second, last), (first, last)] {
        again();
        let aside = it.beside("aside");
        fs::rename(pack(one), &aside).unwrap();
        fs::rename(pack(other), pack(one)).unwrap();
        fs::rename(&aside, pack(other)).unwrap();
        let said = is_found(&it, true, &format!("packs {one} and {other} swapped"));
        assert!(said.contains("renamed"), "{said}");
        let before = tree::hashes(&it.data().join("packs"));
        let out = it.beside("out");
        let export = it.run(&["export", "--all", "--format", "eml", "--out", out.to_str().unwrap()]).ended_with(1);
        for number in 1..=8 {
            if let Ok(bytes) = fs::read(out.join(format!("{number}.eml"))) {
                assert!(bytes == small::mail(number), "document {number} came out wrong: {}", export.stderr);
            }
        }
        // The journal of the export goes into a new pack if need be.
        let after = tree::hashes(&it.data().join("packs"));
        assert!(before.iter().all(|(name, hash)| after.get(name) == Some(hash)), "{one} and {other}");
    }
    // All packs of another archive, under our catalog.
    again();
    tree::copy(&foreign.data().join("packs"), &it.data().join("packs"));
    let said = is_found(&it, true, "all packs of another archive");
    assert!(said.contains("another archive"), "{said}");
    let before = tree::hashes(&it.data());
    let output = it.run(&["list"]).ended_with(1);
    assert!(output.stderr.contains("another archive"), "{}", output.stderr);
    assert_eq!(tree::hashes(&it.data()), before);
}

#[test]
fn records_that_are_gone_doubled_or_swapped() {
    let it = archive();
    let good = it.beside("good");
    tree::copy(&it.data(), &good);
    for pack in packs(&it) {
        let bytes = fs::read(small::pack(&good, pack)).unwrap();
        let places = small::records(&good, pack);
        let cut = |place: small::Place| {
            bytes[usize::try_from(place.offset).unwrap()..usize::try_from(place.end()).unwrap()].to_vec()
        };
        let records: Vec<Vec<u8>> = places.into_iter().map(cut).collect();
        let write = |records: &[Vec<u8>]| {
            tree::copy(&good, &it.data());
            let head = usize::try_from(PACK_HEADER_LEN).unwrap();
            fs::write(small::pack(&it.data(), pack), [&bytes[..head], &records.concat()].concat()).unwrap();
        };
        for place in 0..records.len() {
            let mut without = records.clone();
            without.remove(place);
            write(&without);
            is_found(&it, true, &format!("pack {pack} without record {place}"));

            let mut doubled = records.clone();
            doubled.insert(place, records[place].clone());
            write(&doubled);
            is_found(&it, true, &format!("pack {pack} with record {place} twice"));

            if place > 0 && records[place] != records[place - 1] {
                let mut swapped = records.clone();
                swapped.swap(place - 1, place);
                write(&swapped);
                is_found(&it, true, &format!("pack {pack} with records {} and {place} swapped", place - 1));
            }
        }
    }
}

/// Changes the catalog behind the archive's back.
fn tamper(data: &Path, change: impl FnOnce(&redb::WriteTransaction)) {
    let database = Database::open(data.join("catalog.redb")).unwrap();
    let txn = database.begin_write().unwrap();
    change(&txn);
    txn.commit().unwrap();
}

#[test]
fn rows_of_the_catalog() {
    let it = archive();
    let definition = it.beside("office.toml");
    fs::write(&definition, "name='office'\nmodule='imap'\nserver='x.example.ch'\naccount='a'\npassword='b'\n").unwrap();
    it.run(&["source", "add", definition.to_str().unwrap()]).succeeded();
    it.run(&["verify"]).succeeded();
    let good = it.beside("good");
    tree::copy(&it.data(), &good);

    let database = Database::open(good.join("catalog.redb")).unwrap();
    let txn = database.begin_read().unwrap();
    let documents = txn.open_table(DOCUMENTS).unwrap();
    let document: Row<Document> = minicbor::decode(documents.get(4).unwrap().unwrap().value()).unwrap();
    let remote = 4u64.to_be_bytes();
    let ledger = txn.open_table(LEDGER).unwrap();
    let entry: Row<Entry> = minicbor::decode(ledger.get((1, &remote[..])).unwrap().unwrap().value()).unwrap();
    let occurrences = txn.open_table(OCCURRENCES).unwrap();
    let place = (4, 1, &remote[..]);
    let seen: Row<Occurrence> = minicbor::decode(occurrences.get(place).unwrap().unwrap().value()).unwrap();
    drop((documents, ledger, occurrences, txn, database));

    let found = |what: &str, change: &dyn Fn(&redb::WriteTransaction)| {
        tree::copy(&good, &it.data());
        tamper(&it.data(), change);
        is_found(&it, false, what);
        // The log knows better.
        it.run(&["rebuild", "catalog"]).succeeded();
        it.run(&["verify"]).succeeded();
    };

    let put = |number: u64, row: Row<Document>| {
        let row = minicbor::to_vec(row).unwrap();
        move |txn: &redb::WriteTransaction| {
            txn.open_table(DOCUMENTS).unwrap().insert(number, row.as_slice()).unwrap();
        }
    };
    let with = |change: &dyn Fn(&mut Row<Document>)| {
        let mut row = document.clone();
        change(&mut row);
        put(4, row)
    };
    found("title", &with(&|row| row.value.metadata.title.push('x')));
    found("date", &with(&|row| row.value.metadata.date = Some(1)));
    found("size", &with(&|row| row.value.size += 1));
    found("hash", &with(&|row| row.value.sha256.0[31] ^= 1));
    found("offset", &with(&|row| row.value.offset = None));
    found("pack", &with(&|row| row.value.pack += 1));
    found(
        "title in the name of a later commit",
        &with(&|row| {
            row.commit = 1000;
            row.value.metadata.title.push('x');
        }),
    );
    found("title in the name of an earlier commit", &with(&|row| row.commit = 1));
    found("a document that nobody archived", &put(9, document.clone()));
    found("a document less", &|txn| {
        txn.open_table(DOCUMENTS).unwrap().remove(4).unwrap().unwrap();
    });
    found("a document that is no row", &|txn| {
        txn.open_table(DOCUMENTS).unwrap().insert(4, &b"\xff\xff"[..]).unwrap();
    });

    let book = |remote: &[u8], row: &Row<Entry>| {
        let (remote, row) = (remote.to_vec(), minicbor::to_vec(row).unwrap());
        move |txn: &redb::WriteTransaction| {
            txn.open_table(LEDGER).unwrap().insert((1, remote.as_slice()), row.as_slice()).unwrap();
        }
    };
    let other = |outcome: Outcome| Row { commit: entry.commit, value: Entry { outcome, ..entry.value.clone() } };
    found("same instead of archived", &book(&remote, &other(Outcome::Same(4))));
    found("another document", &book(&remote, &other(Outcome::Archived(3))));
    found("a message that was never there", &book(b"new", &entry));
    found("a message less", &|txn| {
        txn.open_table(LEDGER).unwrap().remove((1, &remote[..])).unwrap().unwrap();
    });

    let note = |remote: &[u8], row: Row<Occurrence>| {
        let (remote, row) = (remote.to_vec(), minicbor::to_vec(row).unwrap());
        move |txn: &redb::WriteTransaction| {
            txn.open_table(OCCURRENCES).unwrap().insert((4, 1, remote.as_slice()), row.as_slice()).unwrap();
        }
    };
    let mut later = seen.clone();
    later.value.received = Some(5);
    found("received at another time", &note(&remote, later));
    found("seen at a place where it never was", &note(b"new", seen.clone()));
    found("a place less", &|txn| {
        txn.open_table(OCCURRENCES).unwrap().remove(place).unwrap().unwrap();
    });

    found("a definition less", &|txn| {
        txn.open_table(SETTINGS).unwrap().remove("definition/office").unwrap().unwrap();
    });

    // What a later commit took out is no damage.
    tree::copy(&good, &it.data());
    it.run(&["source", "remove", "office"]).succeeded();
    it.run(&["verify"]).succeeded();
}
