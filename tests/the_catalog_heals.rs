//! Promise: the catalog is a view of the packs and nothing more. Whatever happens to its file, the next verb works as before,
//! with the same numbers, hashes and places, and nothing has to be called for that.

use std::fs;
use std::path::PathBuf;

use crate::support::archivista::{Archivista, Output};
use crate::support::random::Random;
use crate::support::{small, tree};
use serde_json::Value;

type Damage<'a> = Box<dyn Fn(&mut Vec<u8>) + 'a>;

/// An archive, closed properly, and what it lists. Its packs are small, so there are several.
struct Good {
    archivista: Archivista,
    list: Vec<Value>,
}

impl Good {
    fn new() -> Self {
        let archivista = Archivista::new();
        let archive = small::open_sized(&archivista.data(), 3000);
        for batch in 0..10 {
            small::archive(&archive, 3 * batch + 1, 3 * batch + 3);
        }
        drop(archive);
        let list = archivista.list();
        assert_eq!(list.len(), 30);
        tree::copy(&archivista.data(), &archivista.beside("good"));
        Self { archivista, list }
    }

    fn catalog(&self) -> PathBuf {
        self.archivista.data().join("catalog.redb")
    }

    /// The folder as it was before any damage.
    fn again(&self) -> Vec<u8> {
        tree::copy(&self.archivista.beside("good"), &self.archivista.data());
        fs::read(self.catalog()).unwrap()
    }

    /// The next verb works and lists the same; then all is clean.
    fn is_healed(&self, what: &str) -> Output {
        let output = self.archivista.run(&["list", "--json"]).succeeded();
        assert!(output.json_lines() == self.list, "{what}: {}\n{}", output.stdout, output.stderr);
        self.archivista.run(&["verify"]).succeeded();
        output
    }

    fn recovered(&self) -> usize {
        fs::read_dir(self.archivista.data().join("recovered")).map_or(0, Iterator::count)
    }
}

#[test]
fn deleted() {
    let good = Good::new();
    fs::remove_file(good.catalog()).unwrap();
    // Until then it is reported.
    let output = good.archivista.run(&["verify"]).ended_with(1);
    assert!(output.stdout.contains("catalog.redb: missing"), "{}", output.stdout);
    good.is_healed("deleted");
}

#[test]
fn emptied() {
    let good = Good::new();
    fs::write(good.catalog(), "").unwrap();
    good.is_healed("emptied");
}

#[test]
fn from_yesterday() {
    let good = Good::new();
    let newer = good.again();
    // Two more days, of which the first one's catalog is put back.
    let yesterday = good.archivista.beside("yesterday.redb");
    for (from, to) in [(31, 33), (34, 40)] {
        fs::copy(good.catalog(), &yesterday).unwrap();
        let archive = small::open_sized(&good.archivista.data(), 3000);
        assert_eq!(small::archive(&archive, from, to).first(), Some(&from));
    }
    let list = good.archivista.list();
    assert_eq!(list.len(), 40);
    for old in [fs::read(&yesterday).unwrap(), newer] {
        fs::write(good.catalog(), old).unwrap();
        let notes = good.archivista.run(&["verify"]).succeeded().stdout;
        assert!(notes.contains("the catalog lags"), "{notes}");
        assert!(good.archivista.list() == list);
        let notes = good.archivista.run(&["verify"]).succeeded().stdout;
        assert!(!notes.contains("lags"), "{notes}");
    }
    assert_eq!(good.recovered(), 0);
}

#[test]
fn cut_or_overwritten() {
    let good = Good::new();
    let mut random = Random::fresh();
    let len = good.again().len();
    let cut = |keep: usize| move |bytes: &mut Vec<u8>| bytes.truncate(keep);
    let noise = random.bytes(len);
    let damages: Vec<(&str, Damage)> = vec![
        ("cut to half", Box::new(cut(len / 2))),
        ("cut to a page", Box::new(cut(4096))),
        ("cut to a few bytes", Box::new(cut(100))),
        ("cut by one byte", Box::new(cut(len - 1))),
        ("all noise", Box::new(|bytes| bytes.copy_from_slice(&noise))),
        ("noise behind the head", Box::new(|bytes| bytes[4096..].copy_from_slice(&noise[4096..]))),
        ("a page of noise", Box::new(|bytes| bytes[len / 2..][..4096].copy_from_slice(&noise[..4096]))),
        ("all zero", Box::new(|bytes| bytes.fill(0))),
        ("longer by noise", Box::new(|bytes| bytes.extend(&noise[..5000]))),
    ];
    for (what, damage) in damages {
        let mut bytes = good.again();
        damage(&mut bytes);
        fs::write(good.catalog(), &bytes).unwrap();
        println!("{what}");
        let output = good.is_healed(what);
        if good.recovered() > 0 {
            assert!(output.stderr.contains("catalog.redb: broken"), "{what}: {}", output.stderr);
            assert!(output.stderr.contains("recovered/catalog.redb"), "{what}: {}", output.stderr);
        }
        // What cannot be read is always put aside; what redb can mend by itself need not be.
        if ["cut to half", "cut to a page", "all noise", "noise behind the head"].contains(&what) {
            assert_eq!(good.recovered(), 1, "{what}: {}", output.stderr);
        }
    }
}

#[test]
fn flipped_bits() {
    let good = Good::new();
    let mut random = Random::fresh();
    let len = good.again().len() as u64;
    let mut noticed = 0;
    for round in 0..150 {
        let mut bytes = good.again();
        // The head of the file decides how all of the rest is read.
        let byte = usize::try_from(random.below(if round % 5 == 0 { 320 } else { len })).unwrap();
        let bit = random.below(8);
        bytes[byte] ^= 1 << bit;
        fs::write(good.catalog(), &bytes).unwrap();
        let what = format!("bit {bit} of byte {byte}");
        noticed += usize::from(good.is_healed(&what).stderr.contains("broken"));
    }
    println!("{noticed} noticed");
    assert!(noticed > 0);
}

/// How far it is, is looked at before the file is held against its check sums: damage of that once read as the packs of another archive.
#[test]
fn flipped_bits_of_how_far_it_is() {
    let good = Good::new();
    let mut random = Random::fresh();
    // The keys of a table stand before its rows.
    let keys = b"layoutposition";
    let found = good.again();
    let tables: Vec<usize> = (0..found.len()).filter(|at| found[*at..].starts_with(keys)).collect();
    assert!(!tables.is_empty());
    for table in tables {
        for byte in table + keys.len()..table + keys.len() + 120 {
            let mut bytes = good.again();
            let bit = random.below(8);
            bytes[byte] ^= 1 << bit;
            fs::write(good.catalog(), &bytes).unwrap();
            good.is_healed(&format!("bit {bit} of byte {byte}"));
        }
    }
}

#[test]
fn rebuilt_on_demand() {
    let good = Good::new();
    good.again();
    let output = good.archivista.run(&["rebuild", "catalog"]).succeeded();
    assert!(output.stderr.contains("30 documents"), "{}", output.stderr);
    good.is_healed("rebuilt");
    // And goes on from there.
    let archive = small::open_sized(&good.archivista.data(), 3000);
    assert_eq!(small::archive(&archive, 31, 31), [31]);
}

/// Packs that are older than the catalog: something acknowledged is gone, which no program may paper over.
#[test]
fn a_catalog_ahead_of_the_packs_is_reported_and_nothing_changes() {
    let good = Good::new();
    good.again();
    let data = good.archivista.data();
    let archive = small::open(&data);
    small::archive(&archive, 31, 32);
    drop(archive);
    let last = small::pack(&data, *archivista::archive::pack::numbers(&data.join("packs")).unwrap().last().unwrap());
    let older = fs::read(&last).unwrap();
    let archive = small::open(&data);
    small::archive(&archive, 33, 35);
    drop(archive);
    assert!(fs::metadata(&last).unwrap().len() > older.len() as u64);
    fs::write(&last, older).unwrap();

    let before = tree::hashes(&data);
    let verbs: [&[&str]; 5] = [&["list"], &["fetch"], &["status"], &["verify"], &["verify", "--quick"]];
    for verb in verbs {
        let output = good.archivista.run(verb).ended_with(1);
        let said = output.stdout + &output.stderr;
        assert!(said.contains("packs are missing or cut"), "{verb:?}: {said}");
        assert!(said.contains("rebuild catalog"), "{verb:?}: {said}");
        assert_eq!(tree::hashes(&data), before, "{verb:?}");
    }
    good.archivista.run(&["serve"]).ended_with(1);
    assert_eq!(tree::hashes(&data), before, "serve");

    let output = good.archivista.run(&["rebuild", "catalog"]).ended_with(1);
    assert!(output.stderr.contains("are lost"), "{}", output.stderr);
    assert_eq!(good.archivista.list().len(), 32);
    // The numbers of what is lost are never used again: somebody may hold a link to them.
    let archive = small::open(&data);
    assert_eq!(small::archive(&archive, 36, 36), [36]);
    drop(archive);
    let numbers: Vec<u64> = good.archivista.list().iter().map(|one| one["number"].as_u64().unwrap()).collect();
    assert!(numbers.iter().copied().eq((1..=32).chain([36])), "{numbers:?}");
    // And the loss is told for good.
    let output = good.archivista.run(&["verify"]).ended_with(1);
    assert!(output.stdout.contains("missing or damaged"), "{}", output.stdout);
    good.archivista.run(&["rebuild", "catalog"]).ended_with(1);
    assert_eq!(good.archivista.list().len(), 33);
}
