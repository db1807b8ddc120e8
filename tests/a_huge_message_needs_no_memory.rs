//! Promise: a mail of 150 MB is archived, exported and verified, byte for byte, by a program that never holds more than
//! 48 MiB of memory.
//!
//! Others need gigabytes for a mailbox with large mails and are killed, or never get past one mail of 50 MB.

use std::fs;
use std::process::Command;

use crate::support::archivista::{Archivista, Counts, Output};
use crate::support::definition::Definition;
use crate::support::dovecot::{Dovecot, USER};
use crate::support::mails::{big, tiny};
use crate::support::must_run;

const SIZE: u64 = 150_000_000;
/// KiB.
const MOST: u64 = 48 * 1024;

fn is_small(output: Output) -> Output {
    let output = output.succeeded();
    assert!(output.peak_memory > 1024, "not measured: {output:?}");
    assert!(output.peak_memory <= MOST, "{} KiB", output.peak_memory);
    output
}

fn sha256sum(file: &std::path::Path) -> String {
    must_run(Command::new("sha256sum").arg(file)).split(' ').next().unwrap().to_owned()
}

#[test]
fn of_150_megabytes() {
    let dovecot = Dovecot::start();
    let archivista = Archivista::new();
    let file = archivista.beside("gross.eml");
    big(SIZE, &file);
    assert_eq!(fs::metadata(&file).unwrap().len(), SIZE);
    let truth = sha256sum(&file);
    dovecot.deliver(USER, "INBOX", &tiny("1@example.ch", "Davor"));
    dovecot.deliver_file(USER, "INBOX", &file);
    dovecot.deliver(USER, "INBOX", &tiny("2@example.ch", "Danach"));

    archivista.define(&Definition::of(&dovecot, "büro"));
    let fetched = is_small(archivista.run(&["fetch", "--json"]));
    assert_eq!(Counts::of(&fetched), Counts::archived(3));
    let spool: Vec<_> = fs::read_dir(archivista.data().join("spool")).map(Iterator::collect).unwrap_or_default();
    assert!(spool.is_empty(), "the spool is empty after a run: {spool:?}");

    let list = is_small(archivista.run(&["list", "--json"])).json_lines();
    assert_eq!((&list[1]["size"], &list[1]["sha256"]), (&SIZE.into(), &truth.as_str().into()));

    is_small(archivista.run(&["verify"]));
    let out = archivista.beside("out");
    is_small(archivista.run(&["export", "--all", "--format", "eml", "--out", out.to_str().unwrap()]));
    assert_eq!(sha256sum(&out.join("2.eml")), truth);
    fs::remove_dir_all(&out).unwrap();

    is_small(archivista.run(&["rebuild", "catalog"]));
    assert_eq!(is_small(archivista.run(&["list", "--json"])).json_lines(), list);
    // Known by its bytes: renumbered by the server, it comes again and is not kept twice.
    dovecot.change_uid_validity(USER, "INBOX");
    assert_eq!(Counts::of(&is_small(archivista.run(&["fetch", "--json"]))), Counts::same(3));
}
