//! The system that was started from a stick installs itself to a disk of the machine. A power cut in between leaves a disk
//! that nothing starts from, and that can be installed to again; a box that is there already keeps its archive.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use archivista::appliance::install::{InstallError, Installation, install, targets};
use archivista::appliance::medium::Medium;
use archivista::appliance::state::Disk;
use archivista::pulse::Pulse;

use crate::support::disks::{
    DATA, ESP, FRESH_GUID, FileKernel, MIB, Machine, SLOT_A, SLOT_B, blank, environment, guid, partitions, sectors,
    table_is_sound, tool,
};
use crate::support::must_run;

const STICK: u64 = 400 * MIB;
const DISK: u64 = 3 * 1024 * MIB;
const BIOS: (u64, u64) = (34, 2014);

/// Started from slot b of a stick that is `sda`; `sdb` is an empty disk.
fn machine() -> Machine {
    let machine = Machine::with_box(STICK, "2026-11-22-5-40-12", true);
    machine.tell("sda", "sda2/dev", "8:2\n");
    machine.start_from("sda", 3);
    blank(machine.folder.path());
    machine.blank_disk("sdb", DISK);
    machine
}

fn install_to(machine: &Machine, name: &str) -> Result<(), InstallError> {
    install(&machine.places, &FileKernel::of(machine), name, &Pulse::new(), &|done, all| assert!(done <= all))
}

/// Everything but what a disk has for its own.
fn is_a_box(machine: &Machine, disk: &Path) {
    let stick = machine.disk("sda");
    table_is_sound(disk);
    let places: Vec<_> = partitions(disk).into_iter().map(|(number, start, _)| (number, start)).collect();
    assert_eq!(places, [(1, ESP.0), (2, SLOT_A.0), (3, SLOT_B.0), (4, DATA.0), (5, BIOS.0)]);
    let data = partitions(disk)[3];
    assert_eq!(data.1 + data.2, DISK / 512 - 2048);
    for slot in [SLOT_A, SLOT_B] {
        assert!(sectors(disk, slot) == sectors(&stick, SLOT_B), "a slot is not the one that runs");
    }
    assert!(sectors(disk, BIOS) == sectors(&stick, BIOS));
    assert_eq!(sectors(disk, (0, 1))[..440], sectors(&stick, (0, 1))[..440]);
    assert_eq!(environment(disk), "slot=a\nnext=\nfresh=\n");
    for number in 0..=5 {
        assert!(!guid(disk, number).starts_with(FRESH_GUID), "partition {number} has the GUID of the image file");
    }
}

fn data_is_sound(disk: &Path) {
    let at = format!("{}?offset={}", disk.display(), DATA.0 * 512);
    must_run(tool("e2fsck").args(["-f", "-n", &at]));
}

/// Whether UEFI or GRUB would find anything on it.
fn starts(disk: &Path) -> bool {
    sectors(disk, (ESP.0, 1)).iter().any(|byte| *byte != 0)
}

#[test]
fn an_empty_disk_becomes_a_box() {
    let machine = machine();
    let stick = fs::read(machine.disk("sda")).unwrap();
    let offered = Disk { name: "sdb".into(), model: "ACME Rocket".into(), size: DISK, holds_a_box: false };
    assert_eq!(targets(&machine.places), [offered]);
    install_to(&machine, "sdb").unwrap();
    is_a_box(&machine, &machine.disk("sdb"));
    data_is_sound(&machine.disk("sdb"));
    assert!(fs::read(machine.disk("sda")).unwrap() == stick, "the stick was written to");
    machine.plug("sdb", false);
    assert!(targets(&machine.places)[0].holds_a_box);
}

#[test]
fn only_a_stick_installs() {
    let machine = Machine::with_box(STICK, "", false);
    machine.blank_disk("sdb", DISK);
    assert!(targets(&machine.places).is_empty());
    assert!(matches!(install_to(&machine, "sdb"), Err(InstallError::Unknown(_))));
}

#[test]
fn a_box_keeps_its_archive() {
    let machine = machine();
    install_to(&machine, "sdb").unwrap();
    let disk = machine.disk("sdb");
    let file = File::options().write(true).open(&disk).unwrap();
    file.write_all_at(b"mail", (DATA.0 * 512) + 50 * MIB).unwrap();
    file.write_all_at(&[0; 4096], SLOT_A.0 * 512).unwrap();
    machine.plug("sdb", false);
    let data = (DATA.0, DATA.1 * 2);
    let before = sectors(&disk, data);
    install_to(&machine, "sdb").unwrap();
    is_a_box(&machine, &disk);
    assert!(sectors(&disk, data) == before);
}

/// "Initialize disk", as other systems offer it for a disk that they do not know.
#[test]
fn a_box_whose_table_is_gone_is_not_written_over() {
    let machine = machine();
    install_to(&machine, "sdb").unwrap();
    let disk = machine.disk("sdb");
    let file = File::options().write(true).open(&disk).unwrap();
    file.write_all_at(b"mail", (DATA.0 * 512) + 50 * MIB).unwrap();
    must_run(tool("sgdisk").arg("--clear").arg(&disk));
    machine.plug("sdb", false);
    assert!(!targets(&machine.places)[0].holds_a_box);
    let all = (0, DATA.0 + DATA.1);
    let before = sectors(&disk, all);
    let refused = install_to(&machine, "sdb");
    assert!(matches!(&refused, Err(InstallError::Holds { what, .. }) if what == "ext4"), "{refused:?}");
    assert!(sectors(&disk, all) == before, "something was written");
}

/// Forgets every write from one on.
struct Cut {
    file: File,
    left: usize,
    writes: usize,
}

impl Medium for Cut {
    fn end(&mut self) -> io::Result<u64> {
        self.file.end()
    }

    fn get(&mut self, at: u64, bytes: &mut [u8]) -> io::Result<()> {
        self.file.get(at, bytes)
    }

    fn put(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.writes += 1;
        if self.writes > self.left { Ok(()) } else { self.file.put(at, bytes) }
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn cut_install(machine: &Machine, is_fresh: bool, left: usize) -> usize {
    let mut target =
        Cut { file: File::options().read(true).write(true).open(machine.disk("sdb")).unwrap(), left, writes: 0 };
    let mut from = File::open(machine.disk("sda")).unwrap();
    let installation = Installation {
        blank: &machine.places.blank,
        from: &mut from,
        target: &mut target,
        root: 3,
        name: "sdb",
        pulse: &Pulse::new(),
        progress: &|_, _| {},
    };
    let ended = installation.run(is_fresh);
    assert_eq!(ended.is_ok(), target.writes <= left, "{ended:?}");
    target.writes
}

#[test]
fn a_power_cut_leaves_nothing_that_starts_and_can_be_repeated() {
    for is_fresh in [true, false] {
        let machine = machine();
        if !is_fresh {
            install_to(&machine, "sdb").unwrap();
        }
        let disk = machine.disk("sdb");
        let all = cut_install(&machine, is_fresh, usize::MAX);
        let before = sectors(&disk, (DATA.0 + 1024, 2048));
        for left in (1..8).chain((8..all.saturating_sub(12)).step_by(25)).chain(all.saturating_sub(12)..all) {
            if is_fresh {
                File::create(&disk).unwrap().set_len(DISK).unwrap();
            }
            cut_install(&machine, is_fresh, left);
            assert!(!starts(&disk), "it starts after {left} of {all} writes");
            if !is_fresh {
                assert!(sectors(&disk, (DATA.0 + 1024, 2048)) == before);
            }
            machine.plug("sdb", false);
            install_to(&machine, "sdb").unwrap_or_else(|error| panic!("after {left} of {all} writes: {error}"));
            assert!(starts(&disk));
        }
        is_a_box(&machine, &disk);
        data_is_sound(&disk);
    }
}
