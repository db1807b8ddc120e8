//! Promise: a full disk stops archiving with a clear error and nothing else. What was acknowledged stays, and once there is
//! room the next run completes what is missing, without a gap in the numbers.

use std::fs;
use std::io::Write;
use std::path::Path;

use crate::support::archivista::Archivista;
use crate::support::definition::Definition;
use crate::support::disk::Disk;
use crate::support::dovecot::{Dovecot, USER};
use crate::support::hash::sha256;
use crate::support::mails;
use crate::support::random::Random;

/// Fills what room is left but for so many bytes.
fn fill(path: &Path, leave: usize) {
    let mut file = fs::File::create(path).unwrap();
    let block = [0; 4096];
    while file.write_all(&block).is_ok() {}
    let len = file.metadata().unwrap().len();
    file.set_len(len.saturating_sub(leave as u64)).unwrap();
}

/// All messages of the server are archived, once, under numbers without a gap.
fn is_complete(archivista: &Archivista, mails: &[Vec<u8>]) {
    let out = archivista.beside("out");
    let _ = fs::remove_dir_all(&out);
    archivista.run(&["export", "--all", "--format", "eml", "--out", out.to_str().unwrap()]).succeeded();
    let mut exported: Vec<String> =
        (1..=mails.len()).map(|number| sha256(&fs::read(out.join(format!("{number}.eml"))).unwrap())).collect();
    let mut sent: Vec<String> = mails.iter().map(|mail| sha256(mail)).collect();
    exported.sort_unstable();
    sent.sort_unstable();
    assert!(exported == sent);
    assert_eq!(archivista.list().len(), mails.len());
    assert_eq!(archivista.fetch()[0]["seen"], 0);
    let report = archivista.run(&["verify"]).succeeded().stdout;
    assert_eq!(report.lines().count(), 1, "{report}");
}

fn says_full(said: &str) -> bool {
    said.contains("No space left on device")
}

#[test]
fn a_disk_that_fills_up_and_gets_room_again() {
    let server = Dovecot::start();
    let mails = mails::sample(60);
    for (place, mail) in mails.iter().enumerate() {
        server.deliver(USER, if place % 3 == 0 { "Ablage" } else { "INBOX" }, mail);
    }
    let archivista = Archivista::new();
    let mut kib = 3000;
    let disk = Disk::new(archivista.data(), kib);
    archivista.define(&Definition::of(&server, "office"));
    let mut acknowledged = Vec::new();
    let mut refused = 0;
    // Room is made in small steps, so that it ends at another place each time.
    loop {
        let output = archivista.run(&["fetch"]);
        if output.code == Some(0) {
            break;
        }
        refused += 1;
        assert_eq!(output.code, Some(1), "{}", output.stderr);
        assert!(says_full(&output.stderr), "{}", output.stderr);
        assert!(!output.stderr.contains("panicked"), "{}", output.stderr);
        archivista.run(&["verify", "--quick"]);
        kib += 700;
        disk.resize(kib);
        let list = archivista.list();
        assert!(list.len() >= acknowledged.len() && list[..acknowledged.len()] == acknowledged, "something is lost");
        acknowledged = list;
        assert!(kib < 100_000);
    }
    println!("{refused} runs met a full disk");
    assert!(refused >= 3);
    is_complete(&archivista, &mails);
    drop(disk);
}

#[test]
fn hardly_any_room_from_the_start() {
    let server = Dovecot::start();
    let mails = mails::small(30);
    for mail in &mails {
        server.deliver(USER, "INBOX", mail);
    }
    let archivista = Archivista::new();
    let disk = Disk::new(archivista.data(), 4000);
    archivista.define(&Definition::of(&server, "office"));
    let filler = archivista.data().join("filler");
    let mut random = Random::fresh();
    let mut refused = 0;
    let leaves = [0, 4096, 8192, 16384, 32768, 65536];
    for leave in leaves.into_iter().chain((0..20).map(|_| usize::try_from(random.below(200_000)).unwrap())) {
        fill(&filler, leave);
        for verb in [&["fetch"][..], &["list"], &["fetch"]] {
            let output = archivista.run(verb);
            if output.code != Some(0) {
                refused += 1;
                assert_eq!(output.code, Some(1), "{leave}: {}", output.stderr);
                assert!(!output.stderr.contains("panicked"), "{leave}: {}", output.stderr);
                assert!(says_full(&output.stderr), "{leave}: {}", output.stderr);
            }
        }
        fs::remove_file(&filler).unwrap();
        archivista.run(&["verify"]).succeeded();
    }
    println!("{refused} verbs met a full disk");
    assert!(refused >= 3);
    archivista.run(&["fetch"]).succeeded();
    is_complete(&archivista, &mails);
    // It was never the catalog that was thought broken.
    assert!(!archivista.data().join("recovered/catalog.redb").exists());
    drop(disk);
}

#[test]
fn serve_survives_a_full_disk() {
    let server = Dovecot::start();
    let mails = mails::sample(40);
    for mail in &mails {
        server.deliver(USER, "INBOX", mail);
    }
    let archivista = Archivista::new();
    let disk = Disk::new(archivista.data(), 3500);
    archivista.define(&Definition::of(&server, "office").with("inactive", true));
    let serve = archivista.spawn(&["serve"]);
    while !archivista.data().join("control.sock").exists() {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    archivista.define(&Definition::of(&server, "office").with("interval_minutes", 10080));
    let output = archivista.run(&["fetch"]).ended_with(1);
    assert!(says_full(&output.stderr), "{}", output.stderr);
    let before = archivista.list();
    disk.resize(100_000);
    // Where it had to stop for good, whoever started it starts it again; here the verbs go on by themselves.
    archivista.run(&["fetch"]);
    drop(serve);
    archivista.run(&["fetch"]).succeeded();
    assert!(archivista.list()[..before.len()] == before);
    is_complete(&archivista, &mails);
    drop(disk);
}
