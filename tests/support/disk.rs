//! A small file system of its own, to be filled.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::must_run;

/// Taken away at the end.
pub struct Disk(PathBuf);

impl Disk {
    /// # Panics
    /// If nothing may be mounted here: a test that skips itself proves nothing.
    pub fn new(path: PathBuf, kib: u64) -> Self {
        fs::create_dir_all(&path).unwrap();
        let options = format!("size={kib}k");
        must_run(Command::new("mount").args(["-t", "tmpfs", "-o", &options, "archivista"]).arg(&path));
        Self(path)
    }

    pub fn resize(&self, kib: u64) {
        let options = format!("remount,size={kib}k");
        must_run(Command::new("mount").args(["-o", &options]).arg(&self.0));
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
