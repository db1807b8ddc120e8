//! Where the box finds things; a test has them elsewhere.

use std::path::PathBuf;

/// Folders and files of the running system.
#[derive(Clone, Debug)]
pub struct Places {
    /// What the kernel tells of itself, and of disks; where it has devices.
    pub proc: PathBuf,
    pub sys: PathBuf,
    pub dev: PathBuf,
    /// The root of the file system that runs.
    pub root: PathBuf,
    /// Where the data partition is mounted.
    pub data: PathBuf,
    /// The program `e2fsck`.
    pub checker: PathBuf,
    /// A blank data file system, packed with zstd.
    pub blank: PathBuf,
}

impl Default for Places {
    /// Those of a box.
    fn default() -> Self {
        Self {
            proc: "/proc".into(),
            sys: "/sys".into(),
            dev: "/dev".into(),
            root: "/".into(),
            data: "/data".into(),
            checker: "/sbin/e2fsck".into(),
            blank: "/usr/share/archivista/data.ext4.zst".into(),
        }
    }
}

impl Places {
    /// What the kernel was told at its start; empty where it cannot be read.
    pub fn command_line(&self) -> String {
        std::fs::read_to_string(self.proc.join("cmdline")).unwrap_or_default()
    }
}
