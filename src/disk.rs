//! Room on the file system that a folder lies on.

use std::io;
use std::path::Path;

use nix::sys::statvfs::statvfs;

use crate::limits::{DISK_RESERVE, DISK_SMALL};

/// How much room there is, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// What this process may still use.
    pub free: u64,
    pub size: u64,
}

impl Room {
    pub fn of(folder: &Path) -> io::Result<Self> {
        let disk = statvfs(folder)?;
        let bytes = |blocks: u64| blocks.saturating_mul(disk.fragment_size());
        Ok(Self { free: bytes(disk.blocks_available()), size: bytes(disk.blocks()) })
    }

    /// What fetching leaves free, so that people can still log in, change what is set, and have their journal kept.
    pub fn reserve(self) -> u64 {
        if self.size < DISK_SMALL { 0 } else { DISK_RESERVE.min(self.size / 8) }
    }

    /// Whether the reserve is all that will be left soon.
    pub fn is_nearly_short(self) -> bool {
        !self.is_short_of(0) && self.is_short_of(self.reserve())
    }

    /// Whether `more` bytes would need the reserve.
    pub fn is_short_of(self, more: u64) -> bool {
        self.reserve() > 0 && self.free < self.reserve().saturating_add(more)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reserve_fits_the_disk() {
        let room = |free, size| Room { free, size };
        assert_eq!(room(0, 500 << 30).reserve(), DISK_RESERVE);
        assert_eq!(room(0, 1 << 30).reserve(), 128 << 20);
        assert!(room(DISK_RESERVE - 1, 500 << 30).is_short_of(0));
        assert!(!room(DISK_RESERVE, 500 << 30).is_short_of(0));
        assert!(room(DISK_RESERVE, 500 << 30).is_short_of(1));
        assert!(room(u64::MAX - 1, 500 << 30).is_short_of(u64::MAX));
        assert!(room(DISK_RESERVE * 2 - 1, 500 << 30).is_nearly_short());
        assert!(!room(DISK_RESERVE * 2, 500 << 30).is_nearly_short());
        assert!(!room(0, DISK_SMALL - 1).is_short_of(1));
        assert!(Room::of(Path::new("/")).unwrap().size > 0);
    }
}
