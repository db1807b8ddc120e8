//! Deleting all that was archived and set, for a factory reset. Nothing is formatted.
//!
//! First both folders are put aside in one step each, which a power cut leaves either done or not; what is put aside counts for
//! nothing any more, and is deleted now or, after a power cut, at the next start ([`finish`]).

use std::fs::{self, File};
use std::io;
use std::path::Path;

use crate::pulse::Pulse;

/// The folders of the data partition that a box works with.
const FOLDERS: [&str; 2] = ["archive", "box"];
/// Behind the name of a folder that is put aside.
const DELETED: &str = "deleted";

/// Deletes everything. What cannot be deleted is told to `log`, and keeps nothing else.
pub fn wipe(data: &Path, pulse: &Pulse, log: &dyn Fn(&str)) {
    // What the checker once put aside comes first: beside it, a missing archive would be one that was lost. The folder itself
    // is the checker's.
    empty(&data.join("lost+found"), pulse, log);
    // A folder that an earlier reset left makes room for this one's.
    finish(data, pulse, log);
    for name in FOLDERS {
        let folder = data.join(name);
        let put_aside = || -> io::Result<()> {
            fs::rename(&folder, folder.with_added_extension(DELETED))?;
            File::open(data)?.sync_all()
        };
        match put_aside() {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                log(&format!("{}: {error}", folder.display()));
                remove(&folder, pulse, log);
            }
            _ => {}
        }
    }
    finish(data, pulse, log);
}

/// Deletes what a reset has put aside.
pub fn finish(data: &Path, pulse: &Pulse, log: &dyn Fn(&str)) {
    for name in FOLDERS {
        let aside = data.join(name).with_added_extension(DELETED);
        if aside.symlink_metadata().is_ok() {
            remove(&aside, pulse, log);
        }
    }
}

/// Deletes a folder and all in it, beating with every entry.
fn remove(folder: &Path, pulse: &Pulse, log: &dyn Fn(&str)) {
    empty(folder, pulse, log);
    if let Err(error) = fs::remove_dir(folder) {
        log(&format!("{}: {error}", folder.display()));
    }
}

fn empty(folder: &Path, pulse: &Pulse, log: &dyn Fn(&str)) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        pulse.beat();
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove(&path, pulse, log);
        } else if let Err(error) = fs::remove_file(&path) {
            log(&format!("{}: {error}", path.display()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled() -> tempfile::TempDir {
        let data = tempfile::tempdir().unwrap();
        for folder in ["archive/packs", "archive/keys", "box", "lost+found/#12"] {
            fs::create_dir_all(data.path().join(folder)).unwrap();
            fs::write(data.path().join(folder).join("file"), "x").unwrap();
        }
        data
    }

    fn left(data: &Path) -> Vec<String> {
        let entries = fs::read_dir(data).unwrap();
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn everything_goes_but_the_checkers_own_folder() {
        let data = filled();
        wipe(data.path(), &Pulse::new(), &|line| panic!("{line}"));
        assert_eq!(left(data.path()), ["lost+found"]);
        assert_eq!(fs::read_dir(data.path().join("lost+found")).unwrap().count(), 0);
    }

    #[test]
    fn what_a_power_cut_left_goes_at_the_next_start() {
        let data = filled();
        fs::rename(data.path().join("archive"), data.path().join("archive.deleted")).unwrap();
        finish(data.path(), &Pulse::new(), &|line| panic!("{line}"));
        assert_eq!(left(data.path()), ["box", "lost+found"]);
        // A reset over the rest of an earlier one.
        fs::create_dir_all(data.path().join("archive.deleted/packs")).unwrap();
        fs::create_dir_all(data.path().join("archive")).unwrap();
        wipe(data.path(), &Pulse::new(), &|line| panic!("{line}"));
        assert_eq!(left(data.path()), ["lost+found"]);
    }
}
