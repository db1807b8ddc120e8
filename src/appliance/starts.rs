//! How the starts of this box went: a guard against one that the watchdog ends again and again.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// So many starts in a row by the watchdog, none followed by an hour of health, and the next one fetches nothing.
const PATIENCE: u32 = 3;

/// Kept as JSON beside the archive.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Kept {
    by_watchdog: u32,
    /// Who was silent, when that was noticed in time.
    silent: String,
    /// Whether the watchdog was fed no more when this was written. The drivers of some devices, that of PCs among them, do
    /// not tell whether they caused a start.
    starved: bool,
}

pub struct Starts {
    file: PathBuf,
    kept: Kept,
}

impl Starts {
    /// As they were counted; for a process that is started again within the same start of the machine.
    pub fn open(file: &Path) -> Self {
        Self { file: file.into(), kept: read(file) }
    }

    /// Counts this start. What was noticed before it is told to `tell`.
    pub fn count(file: &Path, by_watchdog: bool, tell: impl Fn(&str)) -> Self {
        let mut kept = read(file);
        kept.by_watchdog = if by_watchdog || kept.starved { kept.by_watchdog.saturating_add(1) } else { 0 };
        if !kept.silent.is_empty() {
            tell(&format!("before this start: {}", kept.silent));
        }
        kept.silent.clear();
        kept.starved = false;
        let mut starts = Self { file: file.into(), kept };
        starts.keep(tell);
        starts
    }

    /// Starts in a row that the watchdog caused.
    pub fn by_watchdog(&self) -> u32 {
        self.kept.by_watchdog
    }

    /// Whether fetching waits for a person.
    pub fn are_too_many(&self) -> bool {
        self.kept.by_watchdog >= PATIENCE
    }

    /// An hour of health, or a person, makes good for them.
    pub fn forget(&mut self, tell: impl Fn(&str)) {
        if self.kept != Kept::default() {
            self.kept = Kept::default();
            self.keep(tell);
        }
    }

    /// Somebody is silent: said after the next start.
    pub fn note(&mut self, silent: &str, tell: impl Fn(&str)) {
        if self.kept.silent != silent {
            self.kept.silent = silent.into();
            self.keep(tell);
        }
    }

    /// Whether the watchdog is fed no more from now on. An orderly end is none of its doing.
    pub fn starve(&mut self, starved: bool, tell: impl Fn(&str)) {
        if self.kept.starved != starved {
            self.kept.starved = starved;
            self.keep(tell);
        }
    }

    /// Either whole or as it was.
    fn keep(&mut self, tell: impl Fn(&str)) {
        let half = self.file.with_added_extension("new");
        let write = || -> io::Result<()> {
            let mut file = File::create(&half)?;
            file.write_all(&serde_json::to_vec(&self.kept)?)?;
            file.sync_all()?;
            fs::rename(&half, &self.file)
        };
        if let Err(error) = write() {
            tell(&format!("{}: {error}", self.file.display()));
        }
    }
}

/// What is kept; nothing where it cannot be read.
fn read(file: &Path) -> Kept {
    fs::read(file).ok().and_then(|json| serde_json::from_slice(&json).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[test]
    fn three_starts_in_a_row_by_the_watchdog_are_too_many() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("starts.json");
        for (by_watchdog, count) in [(false, 0), (true, 1), (true, 2), (false, 0), (true, 1), (true, 2), (true, 3)] {
            let starts = Starts::count(&file, by_watchdog, |_| {});
            assert_eq!((starts.by_watchdog(), starts.are_too_many()), (count, count == 3));
        }
        // Whoever is started again in the same start counts nothing, and clears nothing.
        assert_eq!(Starts::open(&file).by_watchdog(), 3);
        Starts::count(&file, true, |_| {}).forget(|_| {});
        assert_eq!(Starts::count(&file, true, |_| {}).by_watchdog(), 1);
    }

    #[test]
    fn a_device_that_does_not_tell_is_counted_by_what_was_noticed_before() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("starts.json");
        Starts::count(&file, false, |_| {}).starve(true, |_| {});
        let mut again = Starts::count(&file, false, |_| {});
        assert_eq!(again.by_watchdog(), 1);
        again.starve(true, |_| {});
        again.starve(false, |_| {});
        assert_eq!(Starts::count(&file, false, |_| {}).by_watchdog(), 0);
    }

    #[test]
    fn who_was_silent_is_said_once_after_the_start() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("starts.json");
        Starts::count(&file, false, |_| {}).note("serve was silent for 50 s", |_| {});
        let told = RefCell::new(Vec::new());
        Starts::count(&file, true, |line| told.borrow_mut().push(line.to_string()));
        Starts::count(&file, true, |line| told.borrow_mut().push(line.to_string()));
        assert_eq!(told.into_inner(), ["before this start: serve was silent for 50 s"]);
    }

    #[test]
    fn a_broken_file_counts_nothing_and_a_full_disk_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("starts.json");
        fs::write(&file, "{").unwrap();
        assert_eq!(Starts::count(&file, true, |_| {}).by_watchdog(), 1);
        let told = RefCell::new(Vec::new());
        Starts::count(&folder.path().join("no/starts.json"), true, |line| told.borrow_mut().push(line.to_string()));
        assert_eq!(told.borrow().len(), 1);
    }
}
