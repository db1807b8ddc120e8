//! What `make run` shows is true: the sample company is the same every time, and every mail of it is archived, byte for byte.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::archivista::Archivista;
use crate::support::definition::Definition;
use crate::support::hash::sha256;
use crate::support::tenant::{Folders, Tenant};
use crate::support::{must_run, tool};
use serde_json::json;

/// Folders that a definition leaves out by itself.
const LEFT_OUT: [&str; 2] = ["Drafts", "Junk Email"];

fn make(hash_seed: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new("python3");
    must_run(command.arg(tool("company.py")).arg(dir.path()).env("PYTHONHASHSEED", hash_seed));
    dir
}

/// All files below a folder, with their path from there.
fn files(root: &Path, inner: &str, found: &mut BTreeSet<(PathBuf, String)>) {
    for entry in fs::read_dir(root.join(inner)).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{inner}/{}", entry.file_name().into_string().unwrap());
        let path = path.trim_start_matches('/');
        if entry.file_type().unwrap().is_dir() {
            files(root, path, found);
        } else {
            found.insert((path.into(), sha256(&fs::read(entry.path()).unwrap())));
        }
    }
}

fn all_files(root: &Path) -> BTreeSet<(PathBuf, String)> {
    let mut found = BTreeSet::new();
    files(root, "", &mut found);
    found
}

#[test]
fn it_is_the_same_every_time() {
    let (one, two) = (all_files(make("1").path()), all_files(make("2").path()));
    assert!(one.len() > 400, "{}", one.len());
    assert!(one == two, "{:#?}", one.symmetric_difference(&two).take(5).collect::<Vec<_>>());
}

#[test]
fn every_mail_of_it_is_archived() {
    let company = make("0");
    let files = all_files(company.path());
    let left_out =
        |path: &Path| LEFT_OUT.iter().any(|folder| path.components().any(|part| part.as_os_str() == *folder));
    let wanted: BTreeSet<String> =
        files.iter().filter(|(path, _)| !left_out(path)).map(|(_, hash)| hash.clone()).collect();

    let mut mailboxes: Vec<(String, PathBuf)> = fs::read_dir(company.path())
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), entry.path()))
        .collect();
    mailboxes.sort();
    assert_eq!(mailboxes.len(), 5);
    let tenant =
        Tenant::start(&[] as &[(&str, Folders<'_>)], simulator::Config { mailboxes, ..simulator::Config::default() });
    tenant.control(&json!({ "op": "add_user", "address": "info@muster-soehne.ch", "traits": ["shared"] }));

    let archivista = Archivista::new();
    archivista.define(&Definition::o365(&tenant, "Muster AG", "all"));
    archivista.fetch();
    let exported: BTreeSet<String> = archivista.export().values().map(|bytes| sha256(bytes)).collect();
    assert!(exported == wanted, "{} exported, {} wanted", exported.len(), wanted.len());
    archivista.verify();
}
