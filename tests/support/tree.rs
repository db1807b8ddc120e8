//! A folder as a whole: what lies in it, and copies of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::hash::sha256;

/// SHA-256 of every file below `root` by its path from there; folders are listed with an empty hash. The lock is left out:
/// it holds nothing and is made by everybody who looks.
pub fn hashes(root: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    walk(root, root, &mut found);
    found.remove("lock");
    found
}

fn walk(root: &Path, dir: &Path, found: &mut BTreeMap<String, String>) {
    for path in fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
        let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            found.insert(name, String::new());
            walk(root, &path, found);
        } else if path.is_file() {
            found.insert(name, sha256(&fs::read(&path).unwrap()));
        } else {
            found.insert(name, "neither file nor folder".into());
        }
    }
}

/// Makes `to` a copy of `from`; what was there before is gone.
pub fn copy(from: &Path, to: &Path) {
    if to.exists() {
        fs::remove_dir_all(to).unwrap();
    }
    fs::create_dir_all(to).unwrap();
    fs::set_permissions(to, fs::metadata(from).unwrap().permissions()).unwrap();
    for path in fs::read_dir(from).unwrap().map(|entry| entry.unwrap().path()) {
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else if path.is_file() {
            fs::copy(&path, &target).unwrap();
        }
    }
}
