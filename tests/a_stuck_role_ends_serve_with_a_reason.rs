//! Promise: a role that neither works nor ends, as one does whose parser spins or whose socket or disk is stuck, ends `serve` by
//! a code that asks for a new start, and the overview says afterwards which role it was.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::ptrace;
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;

use crate::support::administering::Administering;
use crate::support::archivista::Archivista;
use crate::support::serving::{ADMINISTRATOR, Serving};

/// The archive has five minutes for one record, any other role has three; nothing here takes longer.
const HANGS_AFTER: Duration = Duration::from_mins(7);

/// The thread of a role.
fn thread_named(process: u32, name: &str) -> Pid {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).unwrap().map(|task| task.unwrap().path());
    let is_it = |task: &std::path::PathBuf| fs::read_to_string(task.join("comm")).is_ok_and(|comm| comm.trim() == name);
    let task = tasks.into_iter().find(is_it).unwrap_or_else(|| panic!("no thread {name}"));
    Pid::from_raw(task.file_name().unwrap().to_str().unwrap().parse().unwrap())
}

/// One that fetches: a parser that spins, a socket that never answers.
#[test]
fn and_the_overview_says_which() {
    is_seen("fetch", "fetch");
}

/// The one that writes, as it would be in a write or a sync that the disk never answers.
#[test]
fn a_stuck_disk_is_one() {
    is_seen("archive", "archive");
}

/// Holds a thread of `serve` and looks for the role of which the overview tells.
fn is_seen(thread: &str, role: &str) {
    let archivista = Archivista::new();
    let mut serving = Serving::start(&archivista, &[]);
    let browser = serving.set_up();
    // It stands still from now on; all others go on.
    let held = thread_named(serving.pid(), thread);
    ptrace::seize(held, ptrace::Options::empty()).unwrap();
    ptrace::interrupt(held).unwrap();
    let since = Instant::now();
    let status = loop {
        // The process is not gone before whoever holds its thread has seen that end.
        let _ = waitpid(held, Some(WaitPidFlag::__WALL | WaitPidFlag::WNOHANG));
        if let Some(status) = serving.ended() {
            break status;
        }
        assert!(since.elapsed() < HANGS_AFTER, "it goes on without its role");
        thread::sleep(Duration::from_millis(200));
    };
    assert_eq!(status.code(), Some(70));
    drop((serving, browser));
    let serving = Serving::start(&archivista, &[]);
    let mut admin = Administering::of(serving.log_in(ADMINISTRATOR.0, ADMINISTRATOR.1), &[]);
    admin.speak("de");
    let overview = admin.page("/admin");
    assert!(
        overview.contains("Das Programm hat sich am ") && overview.contains(&format!("die Rolle «{role}» regte sich ")),
        "{overview}"
    );
    admin.speak("en");
    assert!(admin.page("/admin").contains("The program started itself again at "));
}
