//! Promise: serving pages needs little memory, however long it goes on. Over an archive of 10,000 documents, 10,000 requests
//! of every kind leave `serve` below [`MOST`] and with as many descriptors as before.

use std::fs;
use std::thread;

use crate::support::archivista::Archivista;
use crate::support::https::Https;
use crate::support::serving::Serving;
use crate::support::small;

const DOCUMENTS: u64 = 10_000;
const REQUESTS: usize = 10_000;
/// Browsers at a time.
const AT_ONCE: usize = 4;
/// KiB, at the highest ever. The program as it is tested maps 8 MiB more of its own file than the one that is shipped.
const MOST: u64 = if cfg!(debug_assertions) { 32 } else { 24 } * 1024;

fn of_status(pid: u32, key: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with(key)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn descriptors(pid: u32) -> usize {
    fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count()
}

/// The pages that people look at most, of document `number`.
fn targets(number: u64) -> [String; 8] {
    [
        "/".into(),
        format!("/?q=mail+{number}"),
        "/?sort=title".into(),
        format!("/documents/{number}"),
        format!("/documents/{number}/source"),
        format!("/documents/{number}/proof"),
        format!("/documents/{number}/download"),
        "/admin".into(),
    ]
}

fn browse(mut browser: Https, first: usize, count: usize) {
    for request in first..first + count {
        let number = 1 + (request as u64 * 7919) % DOCUMENTS;
        let target = &targets(number)[request % 8];
        let answer = browser.get(target);
        assert_eq!(answer.status, 200, "{target}: {}", answer.text());
    }
}

#[test]
fn over_ten_thousand_documents() {
    let archivista = Archivista::new();
    {
        let archive = small::open(&archivista.data());
        for from in (1..=DOCUMENTS).step_by(100) {
            small::archive(&archive, from, from + 99);
        }
    }
    let serving = Serving::start(&archivista, &[]);
    let browser = serving.set_up();
    let idle = (of_status(serving.pid(), "VmRSS"), of_status(serving.pid(), "VmHWM"));
    // Everything that is made once is made.
    browse(browser.clone(), 0, 80);
    let before = descriptors(serving.pid());
    thread::scope(|scope| {
        for turn in 0..AT_ONCE {
            let browser = browser.clone();
            scope.spawn(move || browse(browser, turn * REQUESTS, REQUESTS / AT_ONCE));
        }
    });
    let after = (of_status(serving.pid(), "VmRSS"), of_status(serving.pid(), "VmHWM"));
    println!(
        "idle: VmRSS {} KiB, VmHWM {} KiB; after {REQUESTS}: VmRSS {} KiB, VmHWM {} KiB",
        idle.0, idle.1, after.0, after.1
    );
    let grown = descriptors(serving.pid()).saturating_sub(before);
    assert!(grown <= 4, "{grown} descriptors more than before");
    assert!(after.1 <= MOST, "{} KiB at the highest", after.1);
}
