//! As much of ext4's layout (Linux, Documentation/filesystems/ext4) as it takes not to harm one. Whatever is read may be
//! damaged or made up.

use std::io;

use super::medium::Medium;
use crate::limits::DISK_STEP;

/// Where the first superblock of ext2, ext3 and ext4 is.
pub const SUPERBLOCK: u64 = 1024;
/// Blocks of a group where they have 4 KiB, as in the data file system.
pub const GROUP: u64 = 32768;
const SECTOR: usize = 512;
/// Where in a superblock its mark is.
const MAGIC: usize = 56;
/// The number of the root folder, its kind among the bits of an inode's mode, and all bits of the kind.
const ROOT: u64 = 2;
const FOLDER: u16 = 0x4000;
const KIND: u16 = 0xf000;

/// A superblock of ext2, ext3 or ext4 that makes sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Superblock {
    /// Bytes.
    pub block_size: u64,
    pub blocks: u64,
    /// The block group that this copy belongs to.
    pub group: u16,
    /// Bytes of an inode, and of the description of a group.
    inode_size: u16,
    description_size: u16,
}

impl Superblock {
    /// Reads the bytes of a superblock, of which the first 512 are needed.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let (inodes, blocks, log_size, revision) =
            (word(bytes, 0)?, word(bytes, 4)?, word(bytes, 24)?, word(bytes, 76)?);
        if half(bytes, MAGIC)? != 0xef53 || inodes == 0 || blocks == 0 || log_size > 6 || revision > 1 {
            return None;
        }
        // Only with the feature of 64 bits are the upper half of the number of blocks and the size of a description there.
        let is_64 = word(bytes, 96)? & 0x80 != 0;
        let upper = if is_64 { word(bytes, 336)? } else { 0 };
        Some(Self {
            block_size: 1024 << log_size,
            blocks: u64::from(upper) << 32 | u64::from(blocks),
            group: half(bytes, 90)?,
            inode_size: if revision == 0 { 128 } else { half(bytes, 88)? },
            description_size: if is_64 { half(bytes, 254)? } else { 32 },
        })
    }

    /// The superblock at a place, in bytes; none beyond the end of the disk.
    pub fn read(medium: &mut dyn Medium, at: u64) -> Option<Self> {
        let mut bytes = [0; SECTOR];
        medium.get(at, &mut bytes).ok()?;
        Self::parse(&bytes)
    }

    /// Whether the file system that begins with the disk still has its root folder, by the description of the first group or
    /// the copy of that in the second. Without it the checker would make an empty one: that is formatting.
    pub fn has_root(&self, medium: &mut dyn Medium) -> bool {
        let after_superblock = SUPERBLOCK / self.block_size + 1;
        [after_superblock, GROUP + 1].into_iter().any(|block| self.root_by(medium, block) == Some(true))
    }

    fn root_by(&self, medium: &mut dyn Medium, descriptions: u64) -> Option<bool> {
        let mut first = [0; 64];
        medium.get(descriptions.checked_mul(self.block_size)?, &mut first).ok()?;
        let upper = if self.description_size >= 64 { word(&first, 40)? } else { 0 };
        let table = u64::from(upper) << 32 | u64::from(word(&first, 8)?);
        if table == 0 || table >= self.blocks {
            return None;
        }
        let mut inode = [0; 128];
        let place = table.checked_mul(self.block_size)?.checked_add((ROOT - 1) * u64::from(self.inode_size))?;
        medium.get(place, &mut inode).ok()?;
        let (mode, links) = (half(&inode, 0)?, half(&inode, 26)?);
        Some(mode & KIND == FOLDER && links > 0)
    }
}

/// Whether a superblock of ext2, ext3 or ext4, the first one or a copy, is anywhere between two places. Reads all of it;
/// `step` is called with each piece and may end it.
pub fn is_anywhere(
    medium: &mut dyn Medium,
    start: u64,
    end: u64,
    step: &mut dyn FnMut(u64) -> io::Result<()>,
) -> io::Result<bool> {
    let mut piece = vec![0; DISK_STEP];
    let mut at = start;
    while at < end {
        step(at - start)?;
        let size = piece.len().min(usize::try_from(end - at).unwrap_or(usize::MAX));
        medium.get(at, &mut piece[..size])?;
        let may_be_one = |sector: &&[u8]| sector.get(MAGIC..MAGIC + 2) == Some(&[0x53, 0xef]);
        if piece[..size].chunks(SECTOR).filter(may_be_one).any(|sector| Superblock::parse(sector).is_some()) {
            return Ok(true);
        }
        at += size as u64;
    }
    Ok(false)
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes)
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2)?.try_into().ok().map(u16::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_bytes_are_looked_at_without_a_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..9000), size in 0..8_u8) {
            if bytes.len() > 1600 {
                bytes[1024..1028].fill(1);
                bytes[1048..1052].copy_from_slice(&[size, 0, 0, 0]);
                bytes[1080..1082].copy_from_slice(&[0x53, 0xef]);
                bytes[1100..1104].fill(0);
            }
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(&bytes).unwrap();
            let superblock = Superblock::read(&mut file, SUPERBLOCK);
            prop_assert_eq!(superblock.is_some(), bytes.len() > 1600 && size <= 6);
            superblock.map(|superblock| superblock.has_root(&mut file));
        }
    }
}
