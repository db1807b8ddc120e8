//! Promise: nothing is fetched before the box knows the time, after the watchdog had to start it too often, or when what is
//! free on the disk is the reserve. It is said why, reading goes on, and fetching goes on by itself.

use std::fs;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use archivista::appliance::state::Clock;
use archivista::archive::Archive;
use archivista::fetch::wait::Wait;
use archivista::fetch::{Fetcher, schedule};
use archivista::pulse::Pulse;
use archivista::settings;

use crate::support::archivista::Archivista;
use crate::support::around::Around;
use crate::support::definition::Definition;
use crate::support::disk::Disk;
use crate::support::dovecot::{Dovecot, USER};
use crate::support::mails;

const HANGS_AFTER: Duration = Duration::from_mins(1);

#[test]
fn the_schedule_rests_until_the_box_lets_it_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let archive = Archive::open(&dir.path().join("data"), &Pulse::new()).unwrap();
    let file = dir.path().join("company.toml");
    // Nobody answers there; a run that was made says so.
    let text = "name = 'company'\nmodule = 'imap'\nserver = '127.0.0.1'\nport = 9\nencryption = 'none'\n\
        account = 'anna'\npassword = 'geheim'\n";
    fs::write(&file, text).unwrap();
    settings::put(&archive, &settings::definition_file::read(&file).unwrap(), "test").unwrap();
    let (mut around, link) = Around::well();
    around.change(&link, |state| state.clock = Clock::Unknown);
    let fetcher = Arc::new(Fetcher::new(Some(link.clone())));
    assert_eq!(fetcher.waits(&archive), Some(Wait::Clock));
    let runs = || archive.view().unwrap().runs("company", 10, usize::MAX).unwrap().len();
    let end = Pulse::new();
    thread::scope(|scope| {
        scope.spawn(|| schedule::run(&archive, &fetcher, &end).unwrap());
        let rests = || {
            fetcher.board.ask("company", false);
            thread::sleep(Duration::from_secs(2));
            (runs(), fetcher.board.standing("company").is_asked)
        };
        let clock = rests();
        around.change(&link, |state| (state.clock, state.fetching_is_paused) = (Clock::Own, true));
        let guard = (fetcher.waits(&archive), rests());
        around.change(&link, |state| state.fetching_is_paused = false);
        let since = Instant::now();
        while runs() == 0 && since.elapsed() < HANGS_AFTER {
            thread::sleep(Duration::from_millis(50));
        }
        end.cancel();
        assert_eq!(clock, (0, true));
        assert_eq!(guard, (Some(Wait::Guard), (0, true)));
        assert_eq!(runs(), 1);
    });
}

#[test]
fn fetching_keeps_the_reserve_of_the_disk() {
    let server = Dovecot::start();
    let mails = mails::sample(60);
    for mail in &mails {
        server.deliver(USER, "INBOX", mail);
    }
    let archivista = Archivista::new();
    // An eighth of it is the reserve.
    let disk = Disk::new(archivista.data(), 80 * 1024);
    archivista.define(&Definition::of(&server, "office"));
    let filler = archivista.data().join("filler");
    let free = || archivista::disk::Room::of(&archivista.data()).unwrap();
    let leave = |bytes: u64| {
        let len = fs::metadata(&filler).map_or(0, |file| file.len());
        let room = free();
        let wanted = len + room.free - room.reserve() - bytes;
        fs::write(&filler, vec![0; usize::try_from(wanted).unwrap()]).unwrap();
    };
    // In the middle of a run: what fits is archived, and the rest is left.
    leave(1_000_000);
    let output = archivista.run(&["fetch"]).ended_with(1);
    assert!(output.stderr.contains("stay in reserve"), "{}", output.stderr);
    let before = archivista.list();
    assert!(!before.is_empty() && before.len() < mails.len(), "{} archived", before.len());
    // At the beginning: the server is not even asked.
    let more = free().free.saturating_sub(free().reserve()) + 100_000;
    fs::write(archivista.data().join("more"), vec![0; usize::try_from(more).unwrap()]).unwrap();
    let output = archivista.run(&["fetch"]).ended_with(1);
    assert!(output.stderr.contains("Archiving is paused: only"), "{}", output.stderr);
    let output = archivista.run(&["status"]).ended_with(1);
    assert!(output.stdout.contains("! Archiving is paused: only"), "{}", output.stdout);
    assert_eq!(archivista.list(), before);
    archivista.run(&["verify"]).succeeded();
    for name in ["filler", "more"] {
        fs::remove_file(archivista.data().join(name)).unwrap();
    }
    archivista.run(&["fetch"]).succeeded();
    assert_eq!(archivista.list().len(), mails.len());
    drop(disk);
}
