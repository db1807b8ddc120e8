//! The slot that is started is set in GRUB's environment without touching anything else on the ESP; GRUB's own tool reads
//! what the box wrote, and the box reads what GRUB's tool wrote.

use std::fs::{self, OpenOptions};
use std::path::Path;

use archivista::appliance::medium::Medium;
use archivista::appliance::slots::{BLOCK, Environment, Slots, SlotsError};
use archivista::appliance::state::Slot;
use proptest::prelude::*;

use crate::support::disks::{ESP, environment, environment_file, sectors, tool, write_image};
use crate::support::must_run;

fn with_slots<T>(disk: &Path, what: impl FnOnce(&mut Slots) -> T) -> T {
    let mut file = OpenOptions::new().read(true).write(true).open(disk).unwrap();
    what(&mut Slots::find(&mut file, ESP.0 * 512, ESP.1 * 512, &|| {}).unwrap())
}

#[test]
fn one_sector_changes_and_grub_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    let disk = folder.path().join("disk");
    write_image(&disk, "1");
    let before = fs::read(&disk).unwrap();
    let place = with_slots(&disk, |slots| {
        assert_eq!((slots.committed(), slots.next(), slots.is_fresh()), (Slot::A, None, true));
        slots.clear_fresh().unwrap();
        slots.try_next(Slot::B).unwrap();
        assert_eq!((slots.committed(), slots.next(), slots.is_fresh()), (Slot::A, Some(Slot::B), false));
        usize::try_from(slots.at()).unwrap()
    });
    assert_eq!(environment(&disk), "slot=a\nnext=b\nfresh=\n");
    with_slots(&disk, |slots| slots.commit(Slot::B).unwrap());
    assert_eq!(environment(&disk), "slot=b\nnext=\nfresh=\n");
    with_slots(&disk, |slots| assert_eq!((slots.committed(), slots.next()), (Slot::B, None)));
    let after = fs::read(&disk).unwrap();
    let differs: Vec<usize> = (0..before.len()).filter(|at| before[*at] != after[*at]).collect();
    assert!(!differs.is_empty() && differs.iter().all(|at| (place..place + 512).contains(at)), "{differs:?}");
}

#[test]
fn what_looks_like_one_and_is_none_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let disk = folder.path().join("disk");
    write_image(&disk, "");
    let mut file = OpenOptions::new().read(true).write(true).open(&disk).unwrap();
    let at = with_slots(&disk, |slots| slots.at());
    file.put(at, b"# GRUB Environment Block\nslot=b\n\0").unwrap();
    let start = ESP.0 * 512;
    assert!(matches!(Slots::find(&mut file, start, ESP.1 * 512, &|| {}), Err(SlotsError::Missing)));
    // One at the very end of the partition, of which only a half is in it.
    file.put(start + ESP.1 * 512 - 512, &Environment::new().bytes()).unwrap();
    assert!(matches!(Slots::find(&mut file, start, ESP.1 * 512, &|| {}), Err(SlotsError::Missing)));
    file.put(start + ESP.1 * 512 - 1024, &Environment::new().bytes()).unwrap();
    assert_eq!(Slots::find(&mut file, start, ESP.1 * 512, &|| {}).unwrap().at(), start + ESP.1 * 512 - 1024);
    assert_eq!(sectors(&disk, ESP).len(), 1024 * 1024);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn grub_s_own_tool_reads_and_writes_the_same(values in prop::collection::vec(("[a-z_]{1,8}", "[ -~]{0,40}"), 1..6)) {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut ours = Environment::new();
        must_run(tool("grub-editenv").arg(file.path()).arg("create"));
        must_run(tool("grub-editenv").arg(file.path()).args(["set", "slot=a", "next=", "fresh="]));
        for (name, value) in &values {
            ours.set(name, value.as_bytes()).unwrap();
            must_run(tool("grub-editenv").arg(file.path()).arg("set").arg(format!("{name}={value}")));
        }
        let theirs: [u8; BLOCK] = fs::read(file.path()).unwrap().try_into().unwrap();
        let read = Environment::parse(&theirs).expect("what GRUB's tool writes is taken");
        prop_assert_eq!(read.bytes(), theirs);
        let theirs = must_run(tool("grub-editenv").arg(file.path()).arg("list"));
        fs::write(file.path(), ours.bytes()).unwrap();
        prop_assert_eq!(must_run(tool("grub-editenv").arg(file.path()).arg("list")), theirs);
        for (name, _) in &values {
            prop_assert_eq!(read.get(name), ours.get(name));
        }
    }
}

/// The environment stays one piece, and the FAT around it as it is, says mtools.
#[test]
fn the_file_is_the_block() {
    let folder = tempfile::tempdir().unwrap();
    let disk = folder.path().join("disk");
    write_image(&disk, "2026-11-22-5-40-12");
    let at = with_slots(&disk, |slots| {
        slots.commit(Slot::B).unwrap();
        slots.at()
    });
    assert_eq!(fs::read(environment_file(&disk).path()).unwrap(), sectors(&disk, (at / 512, 2)));
}
