//! A freshly written disk grows to its full size and gets GUIDs of its own. Whenever the power is cut, what is on the disk is
//! a table that the firmware and Linux read, and the next start completes what the last one began.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;

use archivista::appliance::gpt::{self, Guids, Table};
use archivista::appliance::medium::Medium;

use crate::support::disks::{FRESH_GUID, MIB, guid, partitions, sectors, table_is_sound, tool, write_image};
use crate::support::must_run;

const SIZE: u64 = 200 * MIB;

/// What becomes of the write during which the power is cut.
#[derive(Clone, Copy, Debug)]
enum Last {
    Lost,
    /// Only its first sectors arrive.
    Begun,
    Done,
}

/// A disk whose power is cut at some write: all later ones are forgotten.
struct Cut {
    file: File,
    writes: usize,
    at: usize,
    last: Last,
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
        if self.writes > self.at {
            return Ok(());
        }
        match (self.writes == self.at, self.last) {
            (true, Last::Lost) => Ok(()),
            (true, Last::Begun) => self.file.put(at, &bytes[..bytes.len() / 1024 * 512]),
            _ => self.file.put(at, bytes),
        }
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn open(path: &Path) -> File {
    OpenOptions::new().read(true).write(true).open(path).unwrap()
}

/// The image on a larger disk.
fn larger_disk(path: &Path) {
    write_image(path, "1");
    open(path).set_len(SIZE).unwrap();
}

/// What Linux does with `gpt` on its command line, and GRUB: a whole table at the start or at the end, and the magic word
/// at the start with slots where they always are, whose GUIDs the whole table knows.
fn starts(path: &Path) {
    let table = Table::read(&mut open(path)).expect("no table is whole");
    let places: Vec<(u32, u64)> = table.entries().map(|entry| (entry.number, entry.start / 512)).collect();
    assert_eq!(places, [(1, 2048), (2, 4096), (3, 6144), (4, 8192), (5, 34)]);
    // GRUB compares no checksums: it takes the first entries as they are.
    let first = sectors(path, (1, 2));
    assert!(first.starts_with(b"EFI PART"));
    for slot in [2_usize, 3] {
        let entry = &first[512 + (slot - 1) * 128..][..128];
        // The first three groups are written backwards; the last one is enough.
        let by_grub = entry[26..32].iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
        let by_linux = table.entry(u32::try_from(slot).unwrap()).unwrap().guid;
        assert!(by_linux.ends_with(&format!("-{by_grub:012x}")), "GRUB and Linux see different GUIDs");
        assert_eq!(u64::from_le_bytes(entry[32..40].try_into().unwrap()), 2048 * slot as u64);
    }
}

#[test]
fn it_reaches_the_end_with_guids_of_its_own_and_then_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let disk = folder.path().join("disk");
    larger_disk(&disk);
    let settled = gpt::settle(&mut open(&disk), Guids::Renew).unwrap();
    assert!(settled.was_changed);
    table_is_sound(&disk);
    let end = |(_, start, size): &(u64, u64, u64)| start + size;
    assert_eq!(partitions(&disk).iter().map(end).max(), Some(SIZE / 512 - 2048));
    let guids: Vec<String> = (0..=5).map(|number| guid(&disk, number)).collect();
    for (index, one) in guids.iter().enumerate() {
        assert!(!one.starts_with(FRESH_GUID) && !guids[..index].contains(one), "{guids:?}");
    }
    let known: Vec<String> = settled.table.entries().map(|entry| entry.guid).collect();
    assert_eq!(known, guids[1..]);

    let mut again = Cut { file: open(&disk), writes: 0, at: usize::MAX, last: Last::Done };
    assert!(!gpt::settle(&mut again, Guids::Keep).unwrap().was_changed);
    assert_eq!(again.writes, 0);
}

#[test]
fn a_cut_at_any_write_leaves_a_table_and_the_next_start_completes_it() {
    let folder = tempfile::tempdir().unwrap();
    let (image, disk) = (folder.path().join("image"), folder.path().join("disk"));
    larger_disk(&image);
    let damage_first = |path: &Path| open(path).put(512 + 16, &[0xff; 4]).unwrap();
    for is_damaged in [false, true] {
        let mut writes = 0;
        for last in [Last::Done, Last::Lost, Last::Begun] {
            for at in 1.. {
                must_run(tool("cp").arg("--sparse=always").args([&image, &disk]));
                if is_damaged {
                    // Both copies are at their places, and the first one is then damaged: only the backup is whole.
                    gpt::settle(&mut open(&disk), Guids::Keep).unwrap();
                    damage_first(&disk);
                }
                let mut cut = Cut { file: open(&disk), writes: 0, at, last };
                // The program may see that what it wrote is not there.
                let _ = gpt::settle(&mut cut, Guids::Renew);
                let is_over = cut.writes < at;
                writes = writes.max(cut.writes);
                if is_damaged {
                    Table::read(&mut open(&disk))
                        .unwrap_or_else(|error| panic!("cut at write {at}, {last:?}: {error}"));
                } else {
                    starts(&disk);
                }
                let settled = gpt::settle(&mut open(&disk), Guids::Renew).unwrap();
                starts(&disk);
                table_is_sound(&disk);
                assert!(!guid(&disk, 2).starts_with(FRESH_GUID));
                assert_eq!(settled.table.entry(4).unwrap().length / 512, SIZE / 512 - 2048 - 8192);
                if is_over {
                    break;
                }
            }
        }
        assert!(writes >= 6, "only {writes} writes were cut");
    }
}

#[test]
fn either_copy_is_mended_from_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let disk = folder.path().join("disk");
    write_image(&disk, "");
    gpt::settle(&mut open(&disk), Guids::Renew).unwrap();
    let before = fs::read(&disk).unwrap();
    let last = before.len() as u64 - 512;
    for at in [512, 1024, 1024 + 300, last - 32 * 512 + 200, last] {
        open(&disk).put(at, &[0xa5; 64]).unwrap();
        assert!(gpt::settle(&mut open(&disk), Guids::Keep).unwrap().was_mended, "byte {at}");
        assert!(fs::read(&disk).unwrap() == before, "byte {at}");
    }
    open(&disk).put(512, &[0; 512]).unwrap();
    open(&disk).put(last, &[0; 512]).unwrap();
    assert!(gpt::settle(&mut open(&disk), Guids::Keep).is_err());
}

#[test]
fn a_disk_that_ends_too_early_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let disk = folder.path().join("disk");
    write_image(&disk, "1");
    open(&disk).set_len(60 * MIB).unwrap();
    let before = fs::read(&disk).unwrap();
    assert!(gpt::settle(&mut open(&disk), Guids::Renew).is_err());
    assert!(fs::read(&disk).unwrap() == before);
    // Nor does anything happen with a disk that is hardly one.
    for size in [0, 1, 512, 20_000] {
        let small = folder.path().join("small");
        File::create(&small).unwrap().set_len(size).unwrap();
        assert!(gpt::settle(&mut open(&small), Guids::Renew).is_err());
    }
}
