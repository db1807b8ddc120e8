//! What only the kernel of a running box can do to its disk, so that everything else is tested on files.

use std::fs::File;
use std::io;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;

use nix::mount::{MsFlags, mount};

use super::ioctl;

pub trait Kernel {
    /// Has the kernel know a partition of a disk; start and length in bytes.
    fn add_partition(&self, disk: &Path, number: u32, start: u64, length: u64) -> io::Result<()>;
    /// Has the kernel know that a partition of a disk is longer.
    fn resize_partition(&self, disk: &Path, number: u32, start: u64, length: u64) -> io::Result<()>;
    /// Has the kernel read the table of a disk that nobody uses.
    fn reread_partitions(&self, disk: &Path) -> io::Result<()>;
    /// Mounts an ext4.
    fn mount(&self, partition: &Path, folder: &Path) -> io::Result<()>;
    /// Grows the ext4 that is mounted at a folder to so many blocks.
    fn grow(&self, folder: &Path, blocks: u64) -> io::Result<()>;
    /// Gives a folder to a user and the group of the same number, and to nobody else.
    fn give(&self, folder: &Path, user: u32) -> io::Result<()>;
}

/// The one that runs.
pub struct Linux;

impl Kernel for Linux {
    fn add_partition(&self, disk: &Path, number: u32, start: u64, length: u64) -> io::Result<()> {
        ioctl::add_partition(File::open(disk)?, number, start, length)
    }

    fn resize_partition(&self, disk: &Path, number: u32, start: u64, length: u64) -> io::Result<()> {
        ioctl::resize_partition(File::open(disk)?, number, start, length)
    }

    fn reread_partitions(&self, disk: &Path) -> io::Result<()> {
        ioctl::reread_partitions(File::open(disk)?)
    }

    fn mount(&self, partition: &Path, folder: &Path) -> io::Result<()> {
        let flags = MsFlags::MS_NOATIME | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC | MsFlags::MS_NOSUID;
        Ok(mount(Some(partition), folder, Some("ext4"), flags, Some("errors=remount-ro"))?)
    }

    fn grow(&self, folder: &Path, blocks: u64) -> io::Result<()> {
        ioctl::resize_ext4(File::open(folder)?, blocks)
    }

    fn give(&self, folder: &Path, user: u32) -> io::Result<()> {
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))?;
        chown(folder, Some(user), Some(user))
    }
}
