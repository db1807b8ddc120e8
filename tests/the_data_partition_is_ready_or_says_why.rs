//! At every start the data partition is checked, mended, grown and mounted; where that cannot be, the box says why, and goes on
//! without it. Nothing is formatted for it.

use std::fs::{self, File};
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use archivista::appliance::disk;
use archivista::appliance::gpt::{self, Guids};
use archivista::appliance::state::{Storage, StorageTrouble};
use archivista::appliance::storage::prepare;
use archivista::pulse::Pulse;

use crate::support::disks::{FRESH_GUID, FileKernel, MIB, Machine, environment, guid, table_is_sound, tool};
use crate::support::must_run;

/// More than one group of blocks, so that there is a copy of the superblock.
const SIZE: u64 = 400 * MIB;

fn prepared(machine: &Machine, kernel: &FileKernel) -> (Storage, String) {
    let log = Mutex::new(String::new());
    let storage = prepare(&machine.places, kernel, &Pulse::new(), &|line| *log.lock().unwrap() += &format!("{line}\n"));
    (storage, log.into_inner().unwrap())
}

/// Has it be ready; returns what was mended.
fn ready(machine: &Machine) -> String {
    match prepared(machine, &FileKernel::of(machine)) {
        (Storage::Ready { mended, .. }, _) => mended,
        other => panic!("{other:?}"),
    }
}

fn debugfs(partition: &Path, request: &str) -> String {
    must_run(tool("debugfs").args(["-w", "-R", request]).arg(partition))
}

/// Puts a file there.
fn keep(partition: &Path, name: &str) {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), "kept").unwrap();
    debugfs(partition, &format!("write {} {name}", file.path().display()));
}

fn blocks(partition: &Path) -> u64 {
    let said = must_run(tool("dumpe2fs").arg("-h").arg(partition));
    said.lines().find_map(|line| line.strip_prefix("Block count:")).unwrap().trim().parse().unwrap()
}

#[test]
fn a_freshly_written_disk_is_grown_renamed_and_mounted_once() {
    let machine = Machine::with_box(SIZE, "2026-11-22-5-40-12", false);
    let kernel = FileKernel::of(&machine);
    let (storage, log) = prepared(&machine, &kernel);
    assert!(matches!(&storage, Storage::Ready { mended, .. } if mended.is_empty()), "{storage:?}\n{log}");
    table_is_sound(&machine.disk("sda"));
    assert!(!guid(&machine.disk("sda"), 2).starts_with(FRESH_GUID));
    assert_eq!(environment(&machine.disk("sda")), "slot=a\nnext=\nfresh=\n");
    let length = fs::metadata(machine.disk("sda4")).unwrap().len();
    assert_eq!(length, SIZE - MIB - 8192 * 512);
    assert_eq!(blocks(&machine.disk("sda4")), length / 4096);
    assert!(machine.places.data.join("box").is_dir());
    for word in ["mount", "resize 4", "grow", "give archive 900", "give box 0"] {
        assert!(kernel.was_asked(word), "{word}: {:?}", kernel.asked.borrow());
    }

    let before = [fs::read(machine.disk("sda")).unwrap(), fs::read(machine.disk("sda4")).unwrap()];
    let kernel = FileKernel::of(&machine);
    assert!(matches!(prepared(&machine, &kernel).0, Storage::Ready { .. }));
    assert!(!kernel.was_asked("resize") && !kernel.was_asked("grow") && !kernel.was_asked("add"));
    assert!(fs::read(machine.disk("sda")).unwrap() == before[0], "the table was written again");
    // The checker notes in the superblock that it was there.
    assert!(fs::read(machine.disk("sda4")).unwrap()[4096..] == before[1][4096..], "a sound file system was written to");
}

#[test]
fn a_power_cut_between_the_guids_and_their_note_only_repeats() {
    let machine = Machine::with_box(SIZE, "2026-11-22-5-40-12", false);
    let mut disk = File::options().read(true).write(true).open(machine.disk("sda")).unwrap();
    gpt::settle(&mut disk, Guids::Renew).unwrap();
    let once = guid(&machine.disk("sda"), 2);
    ready(&machine);
    assert_ne!(guid(&machine.disk("sda"), 2), once);
    let twice = guid(&machine.disk("sda"), 2);
    ready(&machine);
    assert_eq!(guid(&machine.disk("sda"), 2), twice);
}

#[test]
fn a_destroyed_superblock_is_taken_from_its_copy() {
    let machine = Machine::with_box(SIZE, "", false);
    ready(&machine);
    let partition = machine.disk("sda4");
    keep(&partition, "mail");
    File::options().write(true).open(&partition).unwrap().write_all_at(&[0; 4096], 0).unwrap();
    let mended = ready(&machine);
    assert!(!mended.is_empty());
    assert_eq!(debugfs(&partition, "cat mail"), "kept");
    assert_eq!(ready(&machine), "");
}

#[test]
fn a_copy_of_the_superblock_from_the_middle_of_growing_will_do() {
    let machine = Machine::with_box(SIZE, "", false);
    ready(&machine);
    let partition = machine.disk("sda4");
    keep(&partition, "mail");
    // All copies say now that the journal is to be replayed, and that all is clean; and a bitmap is wrong.
    debugfs(&partition, "feature needs_recovery");
    debugfs(&partition, "freeb 2000 16");
    File::options().write(true).open(&partition).unwrap().write_all_at(&[0; 4096], 0).unwrap();
    assert!(!ready(&machine).is_empty());
    must_run(tool("e2fsck").args(["-f", "-n"]).arg(&partition));
    assert_eq!(debugfs(&partition, "cat mail"), "kept");
    assert_eq!(ready(&machine), "");
}

/// A box whose kernel noticed damage: a folder is gone, and the file in it has no place any more; or another folder.
fn damaged(folder: &str) -> Machine {
    let machine = Machine::with_box(SIZE, "", false);
    ready(&machine);
    let partition = machine.disk("sda4");
    debugfs(&partition, "mkdir folder");
    keep(&partition, "folder/mail");
    debugfs(&partition, &format!("clri {folder}"));
    debugfs(&partition, "set_super_value state 2");
    let copy = machine.folder.path().join("copy");
    must_run(tool("cp").arg("--sparse=always").args([&partition, &copy]));
    assert_eq!(tool("e2fsck").arg("-p").arg(&copy).output().unwrap().status.code(), Some(4), "-p is enough for it");
    machine
}

#[test]
fn damage_that_the_careful_check_refuses_is_mended_and_told() {
    let machine = damaged("folder");
    let partition = machine.disk("sda4");
    let mended = ready(&machine);
    assert!(mended.contains("Unattached inode 13"), "{mended}");
    must_run(tool("e2fsck").args(["-f", "-n"]).arg(&partition));
    assert_eq!(debugfs(&partition, "cat lost+found/#13"), "kept");
    assert_eq!(ready(&machine), "");
}

#[test]
fn without_its_root_a_file_system_is_left_for_those_who_save_data() {
    let machine = damaged("<2>");
    let kernel = FileKernel::of(&machine);
    let (storage, log) = prepared(&machine, &kernel);
    assert!(matches!(storage, Storage::Trouble(StorageTrouble::Damaged { .. })), "{storage:?}");
    assert!(!log.contains("-y") && !kernel.was_asked("mount"), "{log}");
    assert_eq!(debugfs(&machine.disk("sda4"), "cat <13>"), "kept");
}

#[test]
fn no_empty_archive_takes_the_place_of_one_that_was_lost() {
    let machine = Machine::with_box(SIZE, "", false);
    fs::create_dir_all(machine.places.data.join("lost+found/#12")).unwrap();
    for _ in 0..2 {
        let (storage, _) = prepared(&machine, &FileKernel::of(&machine));
        assert!(matches!(storage, Storage::Trouble(StorageTrouble::Damaged { .. })), "{storage:?}");
        assert!(!machine.places.data.join("archive").exists());
    }
    fs::create_dir(machine.places.data.join("archive")).unwrap();
    ready(&machine);
}

#[test]
fn a_partition_without_a_file_system_is_told_and_left_as_it_is() {
    let machine = Machine::with_box(SIZE, "", false);
    ready(&machine);
    let partition = machine.disk("sda4");
    let noise: Vec<u8> = (0..SIZE / 4).map(|index| ((index * index) >> 7).to_le_bytes()[0]).collect();
    File::options().write(true).open(&partition).unwrap().write_all_at(&noise, 0).unwrap();
    let before = fs::read(&partition).unwrap();
    let kernel = FileKernel::of(&machine);
    let (storage, _) = prepared(&machine, &kernel);
    assert!(
        matches!(&storage, Storage::Trouble(StorageTrouble::Damaged { partition, what }) if partition == "sda4" && !what.is_empty()),
        "{storage:?}"
    );
    assert!(!kernel.was_asked("mount"));
    assert!(fs::read(&partition).unwrap() == before);
}

#[test]
fn a_machine_without_the_disk_says_so() {
    let machine = Machine::new();
    fs::write(machine.places.proc.join("cmdline"), "root=PARTUUID=6F3A1C52-8a1e-4d0b-9c57-1f0e2b7a4d02 slot=a")
        .unwrap();
    assert_eq!(prepared(&machine, &FileKernel::of(&machine)).0, Storage::Trouble(StorageTrouble::NoDisk));
}

#[test]
fn of_two_disks_with_the_same_guids_the_mounted_root_decides() {
    let machine = Machine::with_box(SIZE, "1", false);
    must_run(tool("cp").arg("--sparse=always").args([machine.disk("sda"), machine.disk("sdb")]));
    machine.plug("sdb", true);
    fs::write(machine.places.proc.join("cmdline"), "root=PARTUUID=6F3A1C52-8a1e-4d0b-9c57-1f0e2b7a4d02 slot=a")
        .unwrap();
    assert_eq!(disk::own(&machine.places).unwrap().disk.name, "sda");
    machine.tell("sda", "sda2/dev", "8:2\n");
    // Now only the command line tells, and two fit.
    assert_eq!(disk::own(&machine.places).unwrap_err(), disk::DiskError::Several(vec!["sda".into(), "sdb".into()]));
    machine.start_from("sdb", 3);
    let own = disk::own(&machine.places).unwrap();
    assert_eq!((&*own.disk.name, own.root, own.disk.is_removable), ("sdb", 3, true));
    assert_eq!(own.disk.model, "ACME Rocket");
    machine.tell("sdb", "sdb3/dev", "8:19\n");
    ready_after_renewal(&machine);
}

/// One of the two gets other GUIDs: the command line is enough then.
fn ready_after_renewal(machine: &Machine) {
    let mut disk = File::options().read(true).write(true).open(machine.disk("sdb")).unwrap();
    gpt::settle(&mut disk, Guids::Renew).unwrap();
    assert_eq!(disk::own(&machine.places).unwrap().disk.name, "sda");
}

#[test]
fn what_is_mounted_already_is_left_mounted() {
    let machine = Machine::with_box(SIZE, "", false);
    ready(&machine);
    let line = format!("36 35 8:4 / {} rw,noatime - ext4 /dev/sda4 rw\n", machine.places.data.display());
    fs::write(machine.places.proc.join("self/mountinfo"), line).unwrap();
    let kernel = FileKernel::of(&machine);
    assert!(matches!(prepared(&machine, &kernel).0, Storage::Ready { .. }));
    assert!(kernel.asked.borrow().is_empty());
}

/// Prepares with a script in the checker's stead until `enough` says so, half a minute at most; returns whether it did.
fn with_checker(script: &str, enough: impl Fn(&Pulse) -> bool + Send) -> bool {
    let mut machine = Machine::with_box(SIZE, "", false);
    let path = machine.folder.path().join("checker");
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    machine.places.checker = path;
    let (pulse, kernel) = (Pulse::new(), FileKernel::of(&machine));
    let watched = pulse.clone();
    std::thread::scope(|scope| {
        let watching = scope.spawn(move || {
            let was_enough = (0..600).any(|_| {
                std::thread::sleep(Duration::from_millis(50));
                enough(&watched)
            });
            watched.cancel();
            was_enough
        });
        let storage = prepare(&machine.places, &kernel, &pulse, &|_| {});
        assert!(matches!(storage, Storage::Trouble(StorageTrouble::NotMounted { .. })), "{storage:?}");
        watching.join().unwrap()
    })
}

#[test]
fn a_checker_that_hangs_does_not_beat_and_is_ended_when_asked_to() {
    assert!(with_checker("#!/bin/sh\nexec sleep 600\n", |pulse| pulse.age() > Duration::from_secs(2)));
}

#[test]
fn a_checker_that_reads_or_speaks_beats_however_long_it_takes() {
    for script in ["exec dd if=/dev/zero of=/dev/null bs=4096", "while sleep 0.1; do echo 1 2 3 /dev/sda4; done"] {
        let (beats, last) = (AtomicU32::new(0), Mutex::new(Duration::MAX));
        // Younger than before: it has beaten. Preparing itself beats a few times before the checker.
        let has_beaten = |pulse: &Pulse| {
            let (age, mut last) = (pulse.age(), last.lock().unwrap());
            let is_younger = age < std::mem::replace(&mut *last, age);
            beats.fetch_add(u32::from(is_younger), Ordering::Relaxed) > 30
        };
        assert!(with_checker(&format!("#!/bin/sh\n{script}\n"), has_beaten), "{script}");
    }
}

#[test]
fn a_disk_that_cannot_be_read_is_not_written_over_with_zeros() {
    let unreadable = "echo 'Error reading block 77 (Input/output error) while reading inode'";
    // The careful check meets the block; it stops at something else before; it says very much before.
    for (careful, thorough, expected) in [
        (unreadable, ":", vec!["-p"]),
        ("echo 'Inode 12 has a bad size'", unreadable, vec!["-p", "-f -n"]),
        (
            "echo 'Inode 12 has a bad size'",
            "yes 'Inode has a bad size.  Fix? no' | head -n 2000; echo 'Error reading block 77 (x).  Ignore error? no'",
            vec!["-p", "-f -n"],
        ),
    ] {
        let mut machine = Machine::with_box(SIZE, "", false);
        ready(&machine);
        let asked = machine.folder.path().join("asked");
        let script = format!(
            "#!/bin/sh\necho \"$@\" >>{}\nif [ \"$1\" = -p ]; then {careful}; else {thorough}; fi\nexit 4\n",
            asked.display()
        );
        machine.places.checker = machine.folder.path().join("checker");
        fs::write(&machine.places.checker, script).unwrap();
        fs::set_permissions(&machine.places.checker, fs::Permissions::from_mode(0o755)).unwrap();
        let (storage, _) = prepared(&machine, &FileKernel::of(&machine));
        assert!(matches!(storage, Storage::Trouble(StorageTrouble::Damaged { .. })), "{storage:?}");
        let asked = fs::read_to_string(asked).unwrap();
        let asked: Vec<&str> = asked.lines().map(|line| line.split(" -C").next().unwrap()).collect();
        assert_eq!(asked, expected);
    }
}
