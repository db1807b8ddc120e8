//! On a box `serve` is told by `supervise` how the box is, and shows signs of life: with an archive, and without one.

use std::time::{Duration, Instant};

use archivista::appliance::channel::{Ask, Notice};
use archivista::appliance::state::{BoxState, Clock, PagesState, Storage, StorageTrouble};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::archivista::Archivista;
use crate::support::https::Https;
use crate::support::serving::{ADMINISTRATOR, setup_fields};
use crate::support::supervisor::Supervisor;

fn good() -> BoxState {
    BoxState {
        name: "archivista-4f2a".into(),
        storage: Storage::Ready { size: 1 << 30, mended: String::new() },
        clock: Clock::Own,
        ..BoxState::default()
    }
}

#[test]
fn signs_of_life_tell_the_setup_code_until_somebody_is_set_up_and_the_release_proves_itself() {
    let archivista = Archivista::new();
    let mut supervisor = Supervisor::start(&archivista, good());
    supervisor.hear(|ask| matches!(ask, Ask::Proved).then_some(()));
    let pages = supervisor.wait_for_pages(PagesState::Ready);
    let code = pages.setup_code.expect("a setup code");
    assert_eq!(pages.fingerprint.len(), 32 * 3 - 1);

    let status = std::fs::read_to_string(format!("/proc/{}/status", supervisor.pid())).unwrap();
    assert!(status.contains("NoNewPrivs:\t1"), "{status}");

    let (name, password) = ADMINISTRATOR;
    assert_eq!(supervisor.visitor().post("/setup", &setup_fields(&code)).status, 303);
    supervisor.hear(|ask| match ask {
        Ask::Beat(pages) if pages.setup_code.is_none() => Some(()),
        _ => None,
    });

    supervisor.tell(&Notice::Password);
    let line = supervisor.hear(|ask| match ask {
        Ask::Password(answer) => Some(answer.clone()),
        _ => None,
    });
    let line = line.unwrap();
    let (who, anew) = line.split_once(": ").unwrap();
    assert_eq!(who, name);
    let log_in = |password: &str| supervisor.visitor().post("/login", &[("user", name), ("password", password)]).status;
    assert_ne!(log_in(password), 303, "the old password is no longer one");
    assert_eq!(log_in(anew), 303);

    supervisor.leave();
    supervisor.wait_for_end();
}

#[test]
fn a_stopped_serve_gives_no_sign_of_life() {
    let archivista = Archivista::new();
    let supervisor = Supervisor::start(&archivista, good());
    supervisor.wait_for_pages(PagesState::Ready);
    let pid = Pid::from_raw(i32::try_from(supervisor.pid()).unwrap());
    kill(pid, Signal::SIGSTOP).unwrap();
    // Stopped, and what it said before has been heard.
    let status = || std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let since = Instant::now();
    while !status().contains("State:\tT") {
        assert!(since.elapsed() < Duration::from_secs(30), "{}", status());
        std::thread::sleep(Duration::from_millis(10));
    }
    std::thread::sleep(Duration::from_secs(1));
    assert!(!supervisor.beats_within(Duration::from_secs(5)));
    kill(pid, Signal::SIGCONT).unwrap();
    assert!(supervisor.beats_within(Duration::from_secs(30)));
}

/// The page of a box without an archive; its certificate lies in the runtime folder.
fn page(archivista: &Archivista, supervisor: &Supervisor, path: &str) -> (u16, String) {
    let pem = std::fs::read_to_string(archivista.beside("run/keys/tls.pem")).unwrap();
    let answer = Https::new(supervisor.address, &pem).get(path);
    (answer.status, answer.text())
}

#[test]
fn without_a_disk_the_page_says_so_until_there_is_one() {
    let archivista = Archivista::new();
    let trouble = StorageTrouble::Damaged { partition: "sda4".into(), what: "<b>superblock</b>".into() };
    let mut supervisor = Supervisor::start(&archivista, BoxState { storage: Storage::Preparing, ..good() });
    supervisor.wait_for_pages(PagesState::Waiting);
    let (status, text) = page(&archivista, &supervisor, "/");
    assert_eq!(status, 503);
    assert!(text.contains("is being checked"), "{text}");

    supervisor.change(|state| state.storage = Storage::Trouble(trouble));
    let mut text = String::new();
    for _ in 0..100 {
        text = page(&archivista, &supervisor, "/perl/avclient/index.pl?target=new&go=1").1;
        if text.contains("sda4") {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(text.contains("sda4") && text.contains("&lt;b&gt;superblock"), "{text}");
    assert!(!archivista.data().join("packs").exists(), "nothing is made where the disk should be");
    let style = text.split("/assets/").nth(2).unwrap().split('"').next().unwrap();
    assert_eq!(page(&archivista, &supervisor, &format!("/assets/{style}")).0, 200);

    supervisor.change(|state| state.storage = good().storage);
    supervisor.wait_for_end();
    let supervisor = Supervisor::start(&archivista, good());
    supervisor.wait_for_pages(PagesState::Ready);
}

/// On a slow box the disk is ready before the page is that says it is not: that page once stayed for five minutes.
#[test]
fn a_disk_that_is_ready_at_once_is_not_waited_for() {
    let archivista = Archivista::new();
    for _ in 0..5 {
        let mut supervisor = Supervisor::start(&archivista, BoxState { storage: Storage::Preparing, ..good() });
        let since = Instant::now();
        while !archivista.beside("run/keys").exists() {
            assert!(since.elapsed() < Duration::from_secs(30), "no certificate is made");
        }
        supervisor.change(|state| state.storage = good().storage);
        supervisor.wait_for_end();
        std::fs::remove_dir_all(archivista.beside("run/keys")).unwrap();
    }
}

#[test]
fn an_archive_that_cannot_be_opened_is_said_on_the_page() {
    let archivista = Archivista::new();
    std::fs::create_dir_all(archivista.data()).unwrap();
    std::fs::write(archivista.data().join("packs"), "this should be a folder").unwrap();
    let supervisor = Supervisor::start(&archivista, good());
    supervisor.wait_for_pages(PagesState::Trouble);
    let (status, text) = page(&archivista, &supervisor, "/");
    assert_eq!(status, 503);
    assert!(text.contains("packs"), "{text}");
}
