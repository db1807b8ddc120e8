//! What the integration tests share: a mail server, mails, and a handle on the real program.
//!
//! Truth never comes from the code under test: what lies on the server is read by [`dialogue`], what is a folder's name on
//! the wire by [`folder_name`], both written for the tests alone.

// Every test file compiles its own copy of this module and uses a part of it.
#![allow(dead_code)]

pub mod administering;
pub mod archivista;
pub mod around;
pub mod browser;
pub mod corpus;
pub mod cuts;
pub mod definition;
pub mod dialogue;
pub mod disk;
pub mod disks;
pub mod dovecot;
pub mod every_kind;
pub mod files;
pub mod folder_name;
pub mod hash;
pub mod hostile;
pub mod https;
pub mod machine;
pub mod mail_server;
pub mod mails;
pub mod pages;
pub mod proof;
pub mod proxy;
pub mod random;
pub mod scripted;
pub mod served;
pub mod serving;
pub mod sheet;
pub mod small;
pub mod supervisor;
pub mod tenant;
pub mod tls;
pub mod token;
pub mod tree;
pub mod web;
pub mod work;
pub mod workloads;

use std::path::PathBuf;
use std::process::Command;

/// A script of `tests/tools`.
pub fn tool(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "tools", name].iter().collect()
}

/// Runs a helper program to its end and returns what it printed.
///
/// # Panics
/// If it cannot be started or fails: nothing that follows would mean anything.
pub fn must_run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}; run: make tools"));
    assert!(output.status.success(), "{command:?}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
