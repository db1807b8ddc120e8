//! What tells that a place on a disk holds somebody's data.

use super::ext4::{SUPERBLOCK, Superblock};
use super::medium::Medium;

/// Name, offset from the start of the place, bytes that are there.
const SIGNATURES: &[(&str, u64, &[u8])] = &[
    ("xfs", 0, b"XFSB"),
    ("LUKS", 0, b"LUKS\xba\xbe"),
    ("ntfs", 3, b"NTFS    "),
    ("exfat", 3, b"EXFAT   "),
    ("BitLocker", 3, b"-FVE-FS-"),
    ("squashfs", 0, b"hsqs"),
    ("apfs", 32, b"NXSB"),
    ("fat", 54, b"FAT"),
    ("fat", 82, b"FAT32   "),
    ("LVM", 0, b"LABELONE"),
    ("LVM", 512, b"LABELONE"),
    ("LVM", 1024, b"LABELONE"),
    ("LVM", 1536, b"LABELONE"),
    ("hfs+", 1024, b"H+\0\x04"),
    ("hfs+", 1024, b"HX\0\x05"),
    ("f2fs", 1024, b"\x10\x20\xf5\xf2"),
    ("bcache", 4120, b"\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65\xf5\x7f\x48\xba\x6d\x81"),
    ("swap", 4086, b"SWAPSPACE2"),
    ("RAID", 0, b"\xfc\x4e\x2b\xa9"),
    ("RAID", 4096, b"\xfc\x4e\x2b\xa9"),
    ("iso9660", 32769, b"CD001"),
    ("btrfs", 65600, b"_BHRfS_M"),
    ("VMFS", 1_048_576, b"\x0d\xd0\x01\xc0"),
    // The uberblocks of ZFS, in either byte order.
    ("zfs", 131_072, b"\x0c\xb1\xba\0\0\0\0\0"),
    ("zfs", 131_072, b"\0\0\0\0\0\xba\xb1\x0c"),
];
/// What a place holds, by the first signature that fits; none where none is known. `length` is in bytes, 0 for unknown.
pub fn of(medium: &mut dyn Medium, start: u64, length: u64) -> Option<&'static str> {
    if Superblock::read(medium, start + SUPERBLOCK).is_some() {
        return Some("ext4");
    }
    let found = SIGNATURES.iter().find(|(_, offset, wanted)| holds(medium, start + offset, wanted));
    found.map(|(name, ..)| *name).or_else(|| ends_in_raid(medium, start, length).then_some("RAID"))
}

fn holds(medium: &mut dyn Medium, at: u64, wanted: &[u8]) -> bool {
    let mut there = vec![0; wanted.len()];
    medium.get(at, &mut there).is_ok() && there == wanted
}

/// Versions 0.90 and 1.0 of Linux' RAID have their superblock near the end.
fn ends_in_raid(medium: &mut dyn Medium, start: u64, length: u64) -> bool {
    const MAGIC: &[u8] = b"\xfc\x4e\x2b\xa9";
    let newer = (length / 512).saturating_sub(16) / 8 * 8 * 512;
    let older = (length / 65536).saturating_sub(1) * 65536;
    [newer, older].into_iter().any(|offset| offset > 0 && holds(medium, start + offset, MAGIC))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn each_signature_is_found_where_it_is_and_only_there() {
        for (name, offset, bytes) in SIGNATURES {
            let mut file = tempfile::tempfile().unwrap();
            file.set_len(4 * 1024 * 1024).unwrap();
            assert_eq!(of(&mut file, 0, 0), None);
            file.put(1024 * 1024 + offset, bytes).unwrap();
            assert_eq!(of(&mut file, 1024 * 1024, 0), Some(*name));
            assert_eq!(of(&mut file, 3 * 1024 * 1024, 0), None);
        }
    }

    #[test]
    fn a_disk_shorter_than_a_signature_has_none() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"XF").unwrap();
        assert_eq!(of(&mut file, 0, 2), None);
        assert_eq!(of(&mut file, u64::MAX / 2, 0), None);
    }
}
