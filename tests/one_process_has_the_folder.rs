//! Promise: one process has a data folder open, and nobody has to know which. While `serve` runs every verb works as it does
//! without; nothing that knocks at its socket, and no client that goes away, does it any harm.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::archivista::{Archivista, Output, Running, program};
use crate::support::definition::Definition;
use crate::support::dovecot::{Dovecot, PASSWORD, Setup, USER};
use crate::support::hash::sha256;
use crate::support::{mails, small};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

const OTHER: &str = "chef@mymail.ch";

/// Waits until it is so; what does not come for a minute will not come.
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < Duration::from_mins(1), "never: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

fn knock(archivista: &Archivista) -> std::io::Result<UnixStream> {
    UnixStream::connect(archivista.data().join("control.sock"))
}

/// Starts `serve` and waits until it answers.
fn serve(archivista: &Archivista) -> Running {
    let mut serve = archivista.spawn(&["serve"]);
    until("serve answers", || {
        assert!(serve.is_running(), "serve ended");
        knock(archivista).is_ok()
    });
    serve
}

fn terminate(serve: Running) -> Output {
    kill(Pid::from_raw(i32::try_from(serve.id()).unwrap()), Signal::SIGTERM).unwrap();
    serve.wait()
}

/// It is asked to end, does so, and leaves nothing to be made up for.
fn ends_well(archivista: &Archivista, mut serve: Running) -> Output {
    assert!(serve.is_running());
    let output = terminate(serve).ended_with(0);
    assert!(!archivista.data().join("control.sock").exists());
    redb::ReadOnlyDatabase::open(archivista.data().join("catalog.redb")).expect("the catalog was not closed");
    let report = archivista.run(&["verify"]).succeeded().stdout;
    assert_eq!(report.lines().count(), 1, "{report}");
    output
}

fn documents(archivista: &Archivista) -> usize {
    archivista.list().len()
}

fn last_run(archivista: &Archivista) -> Value {
    let status = archivista.run(&["status", "--json"]).json_lines().remove(0);
    status["definitions"][0]["last_run"].clone()
}

#[test]
fn every_verb_answers_the_same() {
    let server = Dovecot::start();
    for number in 1..=20 {
        server.deliver(USER, "INBOX", &small::mail(number));
    }
    let archivista = Archivista::new();
    archivista.define(&Definition::of(&server, "office").with("interval_minutes", 10080));
    let serve = serve(&archivista);
    until("the first run", || !last_run(&archivista).is_null());

    let client = archivista.beside("client");
    fs::create_dir_all(client.join("definitions")).unwrap();
    // The client works in a folder of its own; `serve` does not know it.
    let run = |words: &str| {
        let mut command = Command::new(program());
        command.arg("--data").arg(archivista.data()).args(words.split(' ')).current_dir(&client);
        Running::start(command.env("LANG", "en_US.UTF-8").env_remove("LC_ALL").env_remove("LC_MESSAGES")).wait()
    };
    let reading = [
        // First, since `serve` leaves a report of it, which `status` tells.
        "verify",
        "verify --quick",
        "verify --json",
        "list",
        "list --json",
        "list subject:7",
        "list before:1999-01-01",
        "status",
        "status --json",
        "source list",
        "source list --json",
        "source test office",
        "source test office --json",
        "source test nobody",
        "source remove nobody",
        "fetch nobody",
        "export 3 77 --format eml --out nowhere/77",
    ];
    let all = |out: &str| {
        let mut outputs: Vec<Output> = reading.iter().map(|words| run(words)).collect();
        outputs.push(run(&format!("export 2 5 --format eml --out {out}")));
        outputs
    };
    let through = all("out/through");
    assert!(knock(&archivista).is_ok(), "it went another way");
    ends_well(&archivista, serve);
    // What the journal took down meanwhile is not in question here.
    let without = all("out/without");
    for ((words, one), other) in reading.iter().chain(&["export"]).zip(&through).zip(&without) {
        assert_eq!(one.code, other.code, "{words}: {} {}", one.stderr, other.stderr);
        assert_eq!(one.stderr, other.stderr, "{words}");
        if !words.starts_with("verify") {
            assert_eq!(one.stdout, other.stdout, "{words}");
        }
    }
    assert!(through[3].stdout.lines().count() == 20);
    let report = |outputs: &[Output]| {
        let mut report = outputs[2].json_lines().remove(0);
        // The journal of an export is a commit.
        for key in ["commits", "bytes", "head"] {
            report[key].take();
        }
        report
    };
    assert_eq!(report(&through), report(&without));
    for out in ["out/through", "out/without"] {
        let files: BTreeSet<_> =
            fs::read_dir(client.join(out)).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(files, BTreeSet::from(["2.eml".into(), "5.eml".into()]));
        assert!(fs::read(client.join(out).join("5.eml")).unwrap() == small::mail(5));
    }
}

#[test]
fn verbs_that_change_something_work_while_it_serves() {
    let server = Dovecot::start_with(&Setup { users: vec![OTHER.into()], ..Setup::default() });
    let archivista = Archivista::new();
    let serve = serve(&archivista);
    for number in 1..=5 {
        server.deliver(OTHER, "INBOX", &small::mail(number));
    }
    // Files that the definition names are read by the client, relative to the definition.
    let folder = archivista.beside("definitions");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("password"), format!("{PASSWORD}\n")).unwrap();
    fs::copy(server.ca_file(), folder.join("authority.pem")).unwrap();
    let definition = Definition::of(&server, "chef")
        .with("account", OTHER)
        .without("password")
        .with("password_file", "password")
        .with("ca_file", "authority.pem")
        .with("interval_minutes", 10080);
    fs::write(folder.join("chef.toml"), definition.toml()).unwrap();
    archivista.run(&["source", "add", folder.join("chef.toml").to_str().unwrap()]).succeeded();
    fs::remove_dir_all(&folder).unwrap();
    archivista.run(&["source", "test", "chef"]).succeeded();
    archivista.fetch();
    assert_eq!(documents(&archivista), 5);
    // By this run or by one of the schedule, which may come first.
    server.deliver(OTHER, "INBOX", &small::mail(6));
    archivista.fetch();
    assert_eq!(documents(&archivista), 6);

    let list = archivista.list();
    let output = archivista.run(&["rebuild", "catalog"]).succeeded();
    assert!(output.stderr.contains("6 documents"), "{}", output.stderr);
    assert_eq!(archivista.list(), list);
    server.deliver(OTHER, "INBOX", &small::mail(7));
    archivista.fetch();
    assert_eq!(documents(&archivista), 7);
    archivista.run(&["verify"]).succeeded();

    archivista.run(&["source", "remove", "chef"]).succeeded();
    assert_eq!(archivista.run(&["source", "list"]).succeeded().stdout, "");
    assert_eq!(documents(&archivista), 7);
    ends_well(&archivista, serve);
}

#[test]
fn it_fetches_what_is_due_and_leaves_inactive_definitions_alone() {
    let server = Dovecot::start_with(&Setup { users: vec![OTHER.into()], ..Setup::default() });
    server.deliver(USER, "INBOX", &small::mail(1));
    server.deliver(OTHER, "INBOX", &small::mail(2));
    let archivista = Archivista::new();
    archivista.define(&Definition::of(&server, "a rest").with("account", OTHER).with("inactive", true));
    archivista.define(&Definition::of(&server, "office"));
    let serve = serve(&archivista);
    until("the mail is archived", || documents(&archivista) == 1);
    // Nobody asked for the other one, and even then it rests.
    archivista.run(&["fetch"]).succeeded();
    let status = archivista.run(&["status", "--json"]).succeeded().json_lines().remove(0);
    assert_eq!(status["definitions"][0]["name"], "a rest");
    assert!(status["definitions"][0]["last_run"].is_null(), "{status}");
    assert_eq!(documents(&archivista), 1);
    // Active again, it is due at once.
    archivista.define(&Definition::of(&server, "a rest").with("account", OTHER));
    until("the other mail is archived", || documents(&archivista) == 2);
    ends_well(&archivista, serve);
}

#[test]
fn fetches_at_the_same_time_do_not_double() {
    let server = Dovecot::start();
    let mails = mails::small(150);
    for mail in &mails {
        server.deliver(USER, "INBOX", mail);
    }
    let archivista = Archivista::new();
    archivista.define(&Definition::of(&server, "office"));
    // The schedule is a third one.
    let serve = serve(&archivista);
    let fetches = [(); 2].map(|()| archivista.spawn(&["fetch", "--json"]));
    for fetch in fetches {
        fetch.wait().succeeded();
    }
    let list = archivista.list();
    assert_eq!(list.len(), mails.iter().map(|mail| sha256(mail)).collect::<BTreeSet<_>>().len());
    let places: usize = list.iter().map(|document| document["occurrences"].as_array().unwrap().len()).sum();
    assert_eq!(places, mails.len());
    let counted = archivista.run(&["status", "--json"]).succeeded().json_lines().remove(0);
    let folder = &counted["definitions"][0]["folders"][0];
    assert_eq!(folder["archived"].as_u64().unwrap() + folder["same"].as_u64().unwrap(), mails.len() as u64);
    ends_well(&archivista, serve);
}

#[test]
fn a_second_one_is_refused_and_a_killed_one_leaves_no_obstacle() {
    let archivista = Archivista::new();
    let mut first = serve(&archivista);
    let mode = fs::metadata(archivista.data().join("control.sock")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let second = archivista.run(&["serve"]).ended_with(1);
    assert!(second.stderr.contains("is in use by another archivista"), "{}", second.stderr);
    assert!(first.is_running());
    archivista.run(&["list"]).succeeded();

    assert_eq!(first.kill().code, None);
    assert!(archivista.data().join("control.sock").exists());
    archivista.run(&["list"]).succeeded();
    archivista.run(&["verify"]).succeeded();
    let third = serve(&archivista);
    archivista.run(&["list"]).succeeded();
    ends_well(&archivista, third);
}

#[test]
fn garbage_and_slow_clients_do_not_hinder() {
    let archivista = Archivista::new();
    small::archive(&small::open(&archivista.data()), 1, 1000);
    let mut serve = serve(&archivista);
    let garbage: [&[u8]; 8] = [
        b"",
        b"\x00",
        b"\x00\x00\x00\x00",
        b"\xff\xff\xff\xff",
        b"\x04\x00\x00\x00null",
        b"\x02\x00\x00\x00\xff\xff",
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x10\x00\x00\x00{\"Nonsense\":{}}.",
    ];
    for bytes in garbage {
        let mut client = knock(&archivista).unwrap();
        client.write_all(bytes).unwrap();
        drop(client);
        let mut client = knock(&archivista).unwrap();
        client.write_all(bytes).unwrap();
        // Something whole is answered by hanging up.
        if bytes.len() > 4 {
            let mut answer = Vec::new();
            let _ = client.read_to_end(&mut answer);
            assert_eq!(answer, b"", "{bytes:?}");
        }
    }
    // Clients that say nothing, and clients that go on and on: a request of a megabyte, byte by byte.
    let silent: Vec<UnixStream> = (0..10).map(|_| knock(&archivista).unwrap()).collect();
    let over = Arc::new(AtomicBool::new(false));
    let slow: Vec<_> = (0..10)
        .map(|_| {
            let (mut client, over) = (knock(&archivista).unwrap(), over.clone());
            client.write_all(&1_000_000u32.to_le_bytes()).unwrap();
            thread::spawn(move || {
                while !over.load(Ordering::Relaxed) && client.write_all(b" ").is_ok() {
                    thread::sleep(Duration::from_millis(300));
                }
            })
        })
        .collect();
    for _ in 0..3 {
        let mut list = archivista.spawn(&["list"]);
        until("the list is there", || !list.is_running());
        assert_eq!(list.wait().succeeded().stdout.lines().count(), 1000);
    }
    // A client that asks and does not read: the answer has to be longer than what the kernel holds.
    let request = br#"{"List":{"query":"","json":true}}"#;
    let unread: Vec<UnixStream> = (0..3)
        .map(|_| {
            let mut client = knock(&archivista).unwrap();
            client.write_all(&u32::try_from(request.len()).unwrap().to_le_bytes()).unwrap();
            client.write_all(request).unwrap();
            client
        })
        .collect();
    assert_eq!(documents(&archivista), 1000);
    assert!(serve.is_running());
    // And it ends although they are all still there.
    ends_well(&archivista, serve);
    over.store(true, Ordering::Relaxed);
    drop((silent, unread));
    for thread in slow {
        thread.join().unwrap();
    }
}

#[test]
fn clients_that_die_leave_it_healthy() {
    let server = Dovecot::start();
    let archivista = Archivista::new();
    for mail in mails::sample(60) {
        server.deliver(USER, "INBOX", &mail);
    }
    // Not by schedule, so that there is something left to fetch.
    archivista.define(&Definition::of(&server, "office").with("inactive", true));
    let mut serve = serve(&archivista);
    let pack = small::pack(&archivista.data(), 1);
    let packed = || fs::metadata(&pack).map_or(0, |meta| meta.len());
    archivista.define(&Definition::of(&server, "office").with("interval_minutes", 10080));
    for round in 1..=3 {
        let before = packed();
        let mut fetch = archivista.spawn(&["fetch"]);
        until("something is fetched, or all is", || !fetch.is_running() || packed() > before + round * 100_000);
        fetch.kill();
    }
    archivista.fetch();
    let list = archivista.list();
    assert_eq!(list.len(), 60);

    let out = archivista.beside("out");
    let export = ["export", "--all", "--format", "eml", "--out", out.to_str().unwrap()];
    for _ in 0..3 {
        let _ = fs::remove_dir_all(&out);
        let mut client = archivista.spawn(&export);
        until("something is exported", || !client.is_running() || out.join("1.eml").exists());
        client.kill();
        // What is there under its name is whole.
        for entry in fs::read_dir(&out).unwrap().map(|entry| entry.unwrap()) {
            let name = entry.file_name().into_string().unwrap();
            if let Some(number) = name.strip_suffix(".eml").filter(|_| !name.starts_with('.')) {
                let number: usize = number.parse().unwrap();
                assert_eq!(sha256(&fs::read(entry.path()).unwrap()), list[number - 1]["sha256"]);
            }
        }
    }
    archivista.run(&export).succeeded();
    assert!(serve.is_running());
    ends_well(&archivista, serve);
    assert_eq!(archivista.list(), list);
}

#[test]
fn it_ends_in_the_middle_of_fetches_and_loses_nothing() {
    let server = Dovecot::start();
    // A server that says nothing keeps the schedule waiting.
    let silent = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let mails = mails::sample(200);
    for mail in &mails {
        server.deliver(USER, "INBOX", mail);
    }
    let archivista = Archivista::new();
    let silence = Definition::of(&server, "a silence").with("port", silent.local_addr().unwrap().port());
    archivista.define(&silence.with("encryption", "none"));
    archivista.define(&Definition::of(&server, "office"));
    let pack = small::pack(&archivista.data(), 1);
    let serve = serve(&archivista);
    let connection = silent.accept().unwrap();
    let mut waits = archivista.spawn(&["fetch", "a silence"]);
    let mut fetch = archivista.spawn(&["fetch", "office"]);
    until("it has begun", || !fetch.is_running() || fs::metadata(&pack).is_ok_and(|meta| meta.len() > 100_000));
    assert!(waits.is_running());
    ends_well(&archivista, serve);
    // Whoever waited is told.
    assert_eq!(waits.wait().code, Some(1));
    fetch.wait();
    drop(connection);
    archivista.run(&["source", "remove", "a silence"]).succeeded();
    archivista.fetch();
    assert_eq!(documents(&archivista), mails.len());
    archivista.run(&["verify"]).succeeded();
}
