//! A data partition that is missing is made only where nothing is; the installer overwrites nobody's data.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Mutex;

use archivista::appliance::install::{InstallError, install, targets};
use archivista::appliance::state::{Storage, StorageTrouble};
use archivista::appliance::storage::prepare;
use archivista::pulse::Pulse;

use crate::support::disks::{DATA, FileKernel, MIB, Machine, blank, mke2fs, sectors, sfdisk, table_is_sound, tool};
use crate::support::must_run;

const SIZE: u64 = 400 * MIB;

/// What is put on a disk before it is looked at.
type Content = Box<dyn FnOnce(&Path)>;

/// A box whose table has lost its data partition.
fn without_data(content: impl FnOnce(&Path)) -> Machine {
    let machine = Machine::with_box(SIZE, "", false);
    blank(machine.folder.path());
    let disk = machine.disk("sda");
    must_run(tool("sgdisk").args(["--delete=4"]).arg(&disk));
    must_run(tool("sgdisk").args(["--move-second-header"]).arg(&disk));
    content(&disk);
    let sys = machine.places.sys.join("block/sda/sda4");
    fs::remove_dir_all(sys).unwrap();
    fs::remove_file(machine.disk("sda4")).unwrap();
    machine
}

fn erase(disk: &Path) {
    let zeros = vec![0; usize::try_from(DATA.1 * 512).unwrap()];
    File::options().write(true).open(disk).unwrap().write_all_at(&zeros, DATA.0 * 512).unwrap();
}

fn prepared(machine: &Machine) -> (Storage, String) {
    let log = Mutex::new(String::new());
    let kernel = FileKernel::of(machine);
    let storage =
        prepare(&machine.places, &kernel, &Pulse::new(), &|line| *log.lock().unwrap() += &format!("{line}\n"));
    (storage, log.into_inner().unwrap())
}

fn is_refused(machine: &Machine) {
    let before = fs::read(machine.disk("sda")).unwrap();
    let (storage, log) = prepared(machine);
    assert_eq!(storage, Storage::Trouble(StorageTrouble::NoPartition { disk: "sda".into() }), "{log}");
    assert!(log.contains("not overwritten"), "{log}");
    assert!(fs::read(machine.disk("sda")).unwrap() == before);
}

#[test]
fn an_ext4_that_the_table_has_lost_stays() {
    is_refused(&without_data(|disk| {
        // Not as it was shipped: something was archived.
        File::options().write(true).open(disk).unwrap().write_all_at(b"mail", DATA.0 * 512 + 40 * MIB).unwrap();
    }));
}

#[test]
fn an_ext4_anywhere_in_the_place_stays() {
    is_refused(&without_data(|disk| {
        erase(disk);
        mke2fs(disk, 200 * MIB + 512, 64 * MIB);
    }));
}

#[test]
fn another_file_system_in_the_place_stays() {
    is_refused(&without_data(|disk| {
        erase(disk);
        File::options().write(true).open(disk).unwrap().write_all_at(b"XFSB", DATA.0 * 512).unwrap();
    }));
}

#[test]
fn an_empty_place_gets_the_blank_file_system() {
    let machine = without_data(erase);
    let (storage, log) = prepared(&machine);
    assert!(matches!(storage, Storage::Ready { .. }), "{storage:?}\n{log}");
    table_is_sound(&machine.disk("sda"));
    assert_eq!(fs::metadata(machine.disk("sda4")).unwrap().len(), SIZE - MIB - DATA.0 * 512);
}

#[test]
fn a_power_cut_while_it_is_made_only_repeats() {
    // Written, and not yet in the table.
    let machine = without_data(|disk| {
        erase(disk);
        let plain = fs::read(disk.parent().unwrap().join("../data.ext4")).unwrap();
        File::options().write(true).open(disk).unwrap().write_all_at(&plain, DATA.0 * 512).unwrap();
    });
    assert!(matches!(prepared(&machine).0, Storage::Ready { .. }));
    // Half written: the superblock comes last.
    let machine = without_data(|disk| {
        erase(disk);
        let mut plain = fs::read(disk.parent().unwrap().join("../data.ext4")).unwrap();
        plain[1024..1536].fill(0);
        File::options().write(true).open(disk).unwrap().write_all_at(&plain, DATA.0 * 512).unwrap();
    });
    assert!(matches!(prepared(&machine).0, Storage::Ready { .. }));
}

/// A machine that was started from a stick, and has one more disk.
fn with_stick(content: impl FnOnce(&Path)) -> Machine {
    let machine = Machine::with_box(SIZE, "", true);
    blank(machine.folder.path());
    let disk = machine.disk("sdb");
    File::create(&disk).unwrap().set_len(3 * 1024 * MIB).unwrap();
    content(&disk);
    machine.plug("sdb", false);
    machine
}

fn refusal(machine: &Machine) -> InstallError {
    let edges = || [sectors(&machine.disk("sdb"), (0, 8192)), sectors(&machine.disk("sdb"), (6_283_264, 8192))];
    let before = edges();
    let error = install(&machine.places, &FileKernel::of(machine), "sdb", &Pulse::new(), &|_, _| {}).unwrap_err();
    assert!(edges() == before, "{error}");
    error
}

#[test]
fn the_installer_names_what_a_disk_holds_and_leaves_it() {
    let put = |bytes: &'static [u8], at: u64| {
        move |disk: &Path| File::options().write(true).open(disk).unwrap().write_all_at(bytes, at).unwrap()
    };
    let partitioned = |disk: &Path| sfdisk(disk, "label: gpt\nstart=2048, size=409600\nstart=411648, size=409600\n");
    let cases: Vec<(&str, Content)> = vec![
        ("sdb ext4", Box::new(|disk| mke2fs(disk, 0, 64 * MIB))),
        ("sdb LUKS", Box::new(put(b"LUKS\xba\xbe", 0))),
        ("sdb LVM", Box::new(put(b"LABELONE", 512))),
        ("sdb btrfs", Box::new(put(b"_BHRfS_M", 65600))),
        ("sdb2 ntfs", Box::new(move |disk| (partitioned(disk), put(b"NTFS    ", 411_648 * 512 + 3)(disk)).1)),
        ("sdb1 xfs", Box::new(move |disk| (partitioned(disk), put(b"XFSB", 2048 * 512)(disk)).1)),
        ("sdb2 ext4", Box::new(move |disk| (partitioned(disk), mke2fs(disk, 411_648 * 512, 64 * MIB)).1)),
    ];
    for (what, content) in cases {
        let error = refusal(&with_stick(content));
        assert!(matches!(&error, InstallError::Holds { what: said, .. } if said == what), "{what}: {error}");
        assert!(error.to_string().contains(what) && error.to_string().contains("wipe"));
    }
}

#[test]
fn the_installer_takes_no_disk_that_is_used_too_small_or_not_there() {
    let machine = with_stick(|_| {});
    fs::write(machine.places.proc.join("self/mountinfo"), "36 35 8:16 / /mnt rw - xfs /dev/sdb rw\n").unwrap();
    assert!(matches!(refusal(&machine), InstallError::InUse { by, .. } if by == "/mnt"));
    fs::remove_file(machine.places.proc.join("self/mountinfo")).unwrap();
    fs::create_dir_all(machine.places.sys.join("block/sdb/holders/md0")).unwrap();
    assert!(matches!(refusal(&machine), InstallError::InUse { .. }));
    fs::remove_dir_all(machine.places.sys.join("block/sdb/holders")).unwrap();
    machine.tell("sdb", "ro", "1\n");
    assert!(matches!(refusal(&machine), InstallError::ReadOnly(_)));
    machine.tell("sdb", "ro", "0\n");
    machine.tell("sdb", "queue/logical_block_size", "4096\n");
    assert!(matches!(refusal(&machine), InstallError::Sectors(_)));
    machine.tell("sdb", "queue/logical_block_size", "512\n");
    machine.tell("sdb", "size", "2097152\n");
    assert!(matches!(refusal(&machine), InstallError::TooSmall { .. }));
    assert!(targets(&machine.places).is_empty());
    for name in ["sda", "sdc", "", "../sdb", "loop0"] {
        let error = install(&machine.places, &FileKernel::of(&machine), name, &Pulse::new(), &|_, _| {}).unwrap_err();
        assert!(matches!(error, InstallError::Unknown(_)), "{name}: {error}");
    }
}
