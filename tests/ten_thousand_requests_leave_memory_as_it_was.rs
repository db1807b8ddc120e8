//! Promise: serving pages needs little memory, however long it goes on. Over an archive of 10,000 documents, 10,000 requests
//! of every kind leave `serve` below [`most`] and with as many descriptors as before.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;
use std::{env, fs};

use archivista::pulse::Pulse;
use archivista::search::index;

use crate::support::archivista::{Archivista, of_status};
use crate::support::https::Https;
use crate::support::serving::Serving;
use crate::support::small;

const DOCUMENTS: u64 = 10_000;
const REQUESTS: usize = 10_000;
/// Browsers at a time.
const AT_ONCE: usize = 4;
/// KiB, at the highest ever, while the index is made too: of the static program, which `make bench-web` names and which is what is shipped;
/// the program as it is tested otherwise maps more of its own file, and the usual libc keeps more of what is freed.
fn most() -> u64 {
    1024 * if env::var_os("ARCHIVISTA_BINARY").is_some() { 24 } else { 40 }
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
    assert!(after.1 <= most(), "{} KiB at the highest", after.1);
}

/// Documents of the large archive, and how often each page is asked for.
const LARGE: u64 = 100_000;
const TIMES: usize = 101;
/// Users at a time, each from an address of its own.
const USERS: u8 = 32;
/// KiB that may come on top between the half and the end of all requests: the allocator keeps some for whoever comes next.
const GROWN: u64 = 1024;

fn large() -> Archivista {
    let archivista = Archivista::new();
    let archive = small::open(&archivista.data());
    for from in (1..=LARGE).step_by(100) {
        small::archive(&archive, from, from + 99);
    }
    // Pages of results are to have some.
    index::once(&archive, &small::index(&archive), false, &Pulse::new()).unwrap();
    archivista
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// No time is asserted: `make bench-web` tells them.
#[test]
#[ignore = "make bench-web"]
fn pages_of_a_hundred_thousand_documents_beside_those_of_none() {
    let (none, large) = (Archivista::new(), large());
    let (none, large) = (Serving::start(&none, &[]), Serving::start(&large, &[]));
    let (none, mut large) = (none.set_up(), large.set_up());
    for (what, target) in [
        ("the table", "/"),
        ("a page of results, many fit", "/?q=mail"),
        ("a page of results, few fit", "/?q=betreff:99999"),
        ("a page of results, of a day", "/?q=mail+vor:2.1.2024"),
        ("the last page", "/?sort=number&order=up"),
        ("by title", "/?sort=title"),
    ] {
        assert!(large.get(target).text().contains("/documents/"), "{what}: nothing is found");
        let (mut of_none, mut of_large) = (Vec::new(), Vec::new());
        for _ in 0..TIMES {
            of_none.push(none.time(target));
            of_large.push(large.time(target));
        }
        let (of_none, of_large) = (median(of_none).as_secs_f64() * 1e3, median(of_large).as_secs_f64() * 1e3);
        println!("{what}: none {of_none:.2} ms, {LARGE} {of_large:.2} ms, ratio {:.1}", of_large / of_none);
    }
}

/// The same as above over more documents, by more people, each from an address of its own.
#[test]
#[ignore = "make bench-web"]
fn by_thirty_two_users_at_once() {
    let archivista = large();
    let serving = Serving::start(&archivista, &[]);
    let mut administrator = serving.set_up();
    let csrf = administrator.get("/admin/users").csrf();
    let password = "Ein ganzer Satz ist gut.";
    let browsers: Vec<Https> = (1..=USERS)
        .map(|number| {
            let name = format!("user{number}");
            let fields = [
                ("csrf", csrf.as_str()),
                ("user", &name),
                ("role", "auditor"),
                ("password", password),
                ("again", password),
            ];
            assert_eq!(administrator.post("/admin/users", &fields).status, 303);
            let mut browser = serving.log_in(&name, password);
            browser.from = Some(Ipv4Addr::new(127, 0, 0, 1 + number));
            browser
        })
        .collect();
    let rss = || of_status(serving.pid(), "VmRSS");
    let idle = rss();
    let (done, half) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for (turn, mut browser) in browsers.into_iter().enumerate() {
            let (done, half) = (&done, &half);
            scope.spawn(move || {
                for request in 0..REQUESTS / usize::from(USERS) {
                    let number = 1 + ((turn * REQUESTS + request) as u64 * 7919) % LARGE;
                    // WebAdmin is not for auditors.
                    let target = &targets(number)[(turn + request) % 7];
                    let answer = browser.get(target);
                    assert_eq!(answer.status, 200, "{target}: {}", answer.text());
                    if done.fetch_add(1, Ordering::Relaxed) + 1 == REQUESTS / 2 {
                        half.store(usize::try_from(rss()).unwrap(), Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let (half, end) = (half.load(Ordering::Relaxed) as u64, rss());
    let most = of_status(serving.pid(), "VmHWM");
    println!(
        "{USERS} users: idle {idle} KiB; after half {half} KiB, after {REQUESTS} {end} KiB; at the highest {most} KiB"
    );
    assert!(end <= half + GROWN, "{} KiB more than after half of them", end - half);
}
