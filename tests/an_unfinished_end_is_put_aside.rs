//! Promise: what a power cut leaves unfinished at the end of the last pack is put aside, never deleted, and nothing that was
//! acknowledged is touched. Damage that cannot be an unfinished end is reported and stays where it is. `verify` changes
//! nothing at all.

use std::fs;
use std::path::PathBuf;

use crate::support::archivista::{Archivista, Output};
use crate::support::small::{self, Place};
use crate::support::tree;
use archivista::archive::record::Kind;
use serde_json::Value;

/// Mails 1 to 6 in two commits that the catalog knows, and 7 to 9 in a third one.
struct Box {
    archivista: Archivista,
    /// What is listed up to mail 6, and up to mail 9.
    six: Vec<Value>,
    nine: Vec<Value>,
    /// The catalog that knows six.
    older: Vec<u8>,
}

impl Box {
    fn new() -> Self {
        let archivista = Archivista::new();
        let fill = |from, to| {
            let archive = small::open(&archivista.data());
            small::archive(&archive, from, to);
        };
        fill(1, 3);
        fill(4, 6);
        let six = archivista.list();
        let older = fs::read(archivista.data().join("catalog.redb")).unwrap();
        fill(7, 9);
        let nine = archivista.list();
        assert_eq!((six.len(), nine.len()), (6, 9));
        tree::copy(&archivista.data(), &archivista.beside("good"));
        Self { archivista, six, nine, older }
    }

    fn again(&self) {
        tree::copy(&self.archivista.beside("good"), &self.archivista.data());
    }

    fn pack(&self) -> PathBuf {
        small::pack(&self.archivista.data(), 1)
    }

    fn bytes(&self) -> Vec<u8> {
        fs::read(self.pack()).unwrap()
    }

    /// Puts back the catalog that knows nothing of mails 7 to 9.
    fn forget(&self) {
        fs::write(self.archivista.data().join("catalog.redb"), &self.older).unwrap();
    }

    /// Verifies twice, which has to change nothing.
    fn verify(&self, code: i32) -> Output {
        let before = tree::hashes(&self.archivista.data());
        let quick = self.archivista.run(&["verify", "--quick"]);
        assert!(quick.code == Some(code) || quick.code == Some(0), "{quick:?}");
        let output = self.archivista.run(&["verify"]).ended_with(code);
        assert_eq!(tree::hashes(&self.archivista.data()), before, "verify changed something");
        output
    }

    /// `end` is an unfinished end: only `rest` counts. The next verb puts it aside and all goes on behind `rest`.
    fn puts_aside(&self, what: &str, end: &[u8], rest: &[Value]) {
        let before = self.bytes();
        assert!(before.ends_with(end));
        let notes = self.verify(0).stdout;
        assert!(
            notes.contains(&format!("ends in {} bytes that were never acknowledged", end.len())),
            "{what}: {notes}"
        );

        let output = self.archivista.run(&["list", "--json"]).succeeded();
        assert_eq!(output.json_lines(), rest, "{what}");
        assert!(output.stderr.contains("was put aside"), "{what}: {}", output.stderr);
        assert!(self.bytes() == before[..before.len() - end.len()], "{what}");
        let aside: Vec<PathBuf> = fs::read_dir(self.archivista.data().join("recovered"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        assert_eq!(aside.len(), 1, "{what}: {aside:?}");
        assert!(fs::read(&aside[0]).unwrap() == end, "{what}");

        let notes = self.verify(0).stdout;
        assert!(!notes.contains("never acknowledged"), "{what}: {notes}");
        let next = rest.len() as u64 + 1;
        let archive = small::open(&self.archivista.data());
        assert!(archive.findings().is_empty(), "{what}: {:?}", archive.findings());
        assert_eq!(small::archive(&archive, 100, 101), [next, next + 1], "{what}");
        drop(archive);
        assert_eq!(self.archivista.list()[..rest.len()], *rest, "{what}");
        self.verify(0);
    }
}

#[test]
fn bytes_behind_the_last_commit() {
    let it = Box::new();
    let good = it.bytes();
    let places = small::records(&it.archivista.data(), 1);
    let first = places.iter().find(|place| place.kind == Kind::Message).unwrap();
    let record = &good[usize::try_from(first.offset).unwrap()..usize::try_from(first.end()).unwrap()];
    let ends: [(&str, Vec<u8>); 7] = [
        ("one byte", vec![0]),
        ("zeros", vec![0; 5000]),
        ("noise", crate::support::random::Random::seeded(1).bytes(200_000)),
        ("half a header", record[..20].to_vec()),
        ("half a record", record[..record.len() / 2].to_vec()),
        ("a whole record", record.to_vec()),
        ("a record and a half", [record, &record[..record.len() - 1]].concat()),
    ];
    for (what, end) in ends {
        it.again();
        fs::write(it.pack(), [&good[..], &end].concat()).unwrap();
        it.puts_aside(what, &end, &it.nine);
    }
}

/// The third batch was never acknowledged: its commit, or one of its records, is not whole.
#[test]
fn a_torn_batch() {
    let it = Box::new();
    let good = it.bytes();
    let places = small::records(&it.archivista.data(), 1);
    let commits = small::commits(&it.archivista.data(), 1);
    let [.., before, last] = commits.as_slice() else { panic!("{commits:?}") };
    let from = usize::try_from(before.end()).unwrap();
    // Cut everywhere: within records, at their ends, within the commit.
    let cuts = (from + 1..good.len()).step_by(37).chain([usize::try_from(last.offset).unwrap(), good.len() - 1]);
    for cut in cuts {
        it.again();
        it.forget();
        fs::write(it.pack(), &good[..cut]).unwrap();
        it.puts_aside(&format!("cut at {cut}"), &good[from..cut], &it.six);
    }
    // A byte that did not reach the disk, in a record of each kind.
    let batch: Vec<Place> = places.into_iter().filter(|place| place.offset >= before.end()).collect();
    assert_eq!(batch.len(), 7);
    for place in batch {
        for at in [place.offset + 9, place.offset + 60, place.end() - 1] {
            it.again();
            it.forget();
            let mut bytes = good.clone();
            bytes[usize::try_from(at).unwrap()] ^= 0x10;
            fs::write(it.pack(), &bytes).unwrap();
            it.puts_aside(&format!("{place:?}, byte {at}"), &bytes[from..], &it.six);
        }
    }
}

#[test]
fn a_pack_that_was_just_being_made() {
    let it = Box::new();
    let head = it.bytes()[..64].to_vec();
    for (what, bytes) in [("nothing", &[][..]), ("half a head", &head[..30]), ("a head of zeros", &[0; 64])] {
        it.again();
        let second = small::pack(&it.archivista.data(), 2);
        fs::write(&second, bytes).unwrap();
        it.verify(0);
        let output = it.archivista.run(&["list", "--json"]).succeeded();
        assert_eq!(output.json_lines(), it.nine, "{what}");
        assert!(!second.exists(), "{what}");
        it.verify(0);
        let archive = small::open(&it.archivista.data());
        assert_eq!(small::archive(&archive, 100, 100), [10], "{what}");
    }
}

/// The same damages as above, but something acknowledged follows: nothing may move.
#[test]
fn damage_with_a_commit_behind_it_stays() {
    let it = Box::new();
    let good = it.bytes();
    let places = small::records(&it.archivista.data(), 1);
    let [_folder, first, second, ..] = small::commits(&it.archivista.data(), 1)[..] else { panic!() };
    // The second batch is damaged, the third is whole; no catalog knows better.
    for place in places.into_iter().filter(|place| place.offset >= first.end() && place.offset <= second.offset) {
        it.again();
        fs::remove_file(it.archivista.data().join("catalog.redb")).unwrap();
        let mut bytes = good.clone();
        bytes[usize::try_from(place.offset + 60).unwrap()] ^= 0x10;
        fs::write(it.pack(), &bytes).unwrap();
        it.verify(1);
        let output = it.archivista.run(&["list", "--json"]).succeeded();
        assert!(output.stderr.contains("damaged"), "{place:?}: {}", output.stderr);
        assert!(it.bytes() == bytes, "{place:?}");
        assert!(!it.archivista.data().join("recovered").exists(), "{place:?}");
        // What is not damaged is there, under its number.
        let numbers: Vec<u64> = output.json_lines().iter().map(|one| one["number"].as_u64().unwrap()).collect();
        for number in [1, 2, 3, 7, 8, 9] {
            assert!(numbers.contains(&number), "{place:?}: {numbers:?}");
        }
        let out = it.archivista.beside("out");
        let export = it.archivista.run(&["export", "1", "9", "--format", "eml", "--out", out.to_str().unwrap()]);
        export.succeeded();
        assert!(fs::read(out.join("9.eml")).unwrap() == small::mail(9));
        let archive = small::open(&it.archivista.data());
        assert_eq!(small::archive(&archive, 100, 100), [10], "{place:?}");
        drop(archive);
        it.verify(1);
        if place.kind == Kind::Message {
            fs::remove_dir_all(&out).unwrap();
            let export = it
                .archivista
                .run(&["export", "--all", "--format", "eml", "--out", out.to_str().unwrap()])
                .ended_with(1);
            assert!(export.stderr.contains("9 exported, 1 not"), "{}", export.stderr);
        }
    }
}

/// The end is damaged, but the catalog knows that it was acknowledged.
#[test]
fn a_damaged_end_that_was_acknowledged_stays() {
    let it = Box::new();
    let good = it.bytes();
    let [.., before, last] = small::commits(&it.archivista.data(), 1)[..] else { panic!() };
    let batch: Vec<Place> =
        small::records(&it.archivista.data(), 1).into_iter().filter(|place| place.offset >= before.end()).collect();
    for place in batch {
        for verb in [&["list"][..], &["rebuild", "catalog"]] {
            it.again();
            let mut bytes = good.clone();
            bytes[usize::try_from(place.offset + 60).unwrap()] ^= 0x10;
            fs::write(it.pack(), &bytes).unwrap();
            it.verify(1);
            let output = it.archivista.run(verb);
            assert!(it.bytes() == bytes, "{verb:?}, {place:?}: {output:?}");
            let archive = small::open(&it.archivista.data());
            let number = small::archive(&archive, 100, 100);
            drop(archive);
            assert_eq!(number, [10], "{verb:?}, {place:?}");
            assert!(it.bytes().starts_with(&bytes), "{verb:?}, {place:?}: written over");
            it.verify(1);
            if place.offset == last.offset {
                let second = small::pack(&it.archivista.data(), 2);
                assert!(second.exists(), "nothing is appended to a pack whose end is in doubt");
            }
        }
    }
}

#[test]
fn packs_without_a_readable_head_are_not_begun_anew() {
    let it = Box::new();
    let mut bytes = it.bytes();
    bytes[20] ^= 1;
    fs::write(it.pack(), &bytes).unwrap();
    // The catalog tells whose they are, so all goes on; it is reported.
    it.verify(1);
    assert_eq!(it.archivista.list(), it.nine);
    // A catalog that lags is brought up all the same.
    it.forget();
    let output = it.archivista.run(&["list", "--json"]).succeeded();
    assert_eq!(output.json_lines(), it.nine);
    assert!(output.stderr.contains("the head of the pack is damaged"), "{}", output.stderr);
    let archive = small::open(&it.archivista.data());
    assert_eq!(small::archive(&archive, 100, 100), [10]);
    drop(archive);
    assert!(it.bytes() == bytes, "written to a pack that is damaged");
    // Without it nothing tells.
    it.again();
    fs::write(it.pack(), &bytes).unwrap();
    fs::remove_file(it.archivista.data().join("catalog.redb")).unwrap();
    let before = tree::hashes(&it.archivista.data());
    let output = it.archivista.run(&["list"]).ended_with(1);
    assert!(output.stderr.contains("head of the pack is damaged"), "{}", output.stderr);
    assert_eq!(tree::hashes(&it.archivista.data()), before);
    it.verify(1);
}
