//! Promise: a person ends a run, or pauses all fetching: what is archived stays, nothing is lost, and who did it is written down.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::archivista::{Archivista, Running};
use crate::support::definition::Definition;
use crate::support::dovecot::{Dovecot, USER};
use crate::support::mails;
use crate::support::web::Site;
use archivista::settings::tokens::Rights;
use archivista::settings::users::Role;
use archivista::web::request::Method;

const HANGS_AFTER: Duration = Duration::from_mins(1);

/// Waits for what has to come, however slow the machine is.
fn wait_for(what: &str, mut is_there: impl FnMut() -> bool) {
    let since = Instant::now();
    while !is_there() {
        assert!(since.elapsed() < HANGS_AFTER, "it never came: {what}");
        thread::sleep(Duration::from_millis(50));
    }
}

fn status(archivista: &Archivista) -> Value {
    archivista.run(&["status", "--json"]).json_lines().pop().unwrap_or_default()
}

fn serve(archivista: &Archivista) -> Running {
    let running = archivista.spawn(&["serve"]);
    // One that was killed leaves its socket behind.
    let socket = archivista.data().join("control.sock");
    wait_for("somebody who serves", || UnixStream::connect(&socket).is_ok());
    running
}

/// In front of a server: lets so many bytes of it through, and then none until `goes_on`.
fn slow(server: u16, bytes: usize, goes_on: &Arc<AtomicBool>) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let (port, goes_on) = (listener.local_addr().unwrap().port(), goes_on.clone());
    thread::spawn(move || {
        for client in listener.incoming().map_while(std::io::Result::ok) {
            let upstream = TcpStream::connect(("127.0.0.1", server)).unwrap();
            let (mut from, mut to) = (client.try_clone().unwrap(), upstream.try_clone().unwrap());
            thread::spawn(move || std::io::copy(&mut from, &mut to));
            let (mut client, mut upstream, goes_on) = (client, upstream, goes_on.clone());
            thread::spawn(move || {
                let (mut passed, mut piece) = (0, [0; 4096]);
                while let Ok(read) = upstream.read(&mut piece) {
                    while passed > bytes && !goes_on.load(Ordering::SeqCst) {
                        thread::sleep(Duration::from_millis(20));
                    }
                    passed += read;
                    if read == 0 || client.write_all(&piece[..read]).is_err() {
                        return;
                    }
                }
            });
        }
    });
    port
}

#[test]
fn a_cancelled_run_keeps_what_it_has() {
    let server = Dovecot::start();
    let mails = mails::sample(60);
    for mail in &mails {
        server.deliver(USER, "INBOX", mail);
    }
    let goes_on = Arc::default();
    let port = slow(server.port(), mails.iter().map(Vec::len).sum::<usize>() / 2, &goes_on);
    let archivista = Archivista::new();
    archivista.define(&Definition::of(&server, "office").with("encryption", "none").with("port", port));
    let running = serve(&archivista);
    // The run has come to a standstill; what came before is committed.
    wait_for("some mails", || status(&archivista)["documents"].as_u64().unwrap_or(0) > 0);
    let output = archivista.run(&["cancel", "office"]).succeeded();
    assert!(output.stderr.contains("office: the run ends."), "{}", output.stderr);
    wait_for("the end of the run", || {
        status(&archivista)["definitions"][0]["trouble"].as_str().unwrap_or_default().contains("cancelled by console")
    });
    archivista.run(&["status"]).succeeded();
    let before = archivista.list();
    assert!(!before.is_empty() && before.len() < mails.len(), "{} archived", before.len());
    archivista.run(&["cancel", "office"]).ended_with(1);
    archivista.run(&["cancel", "nobody"]).ended_with(1);
    archivista.verify();
    // The next run goes on where it was.
    goes_on.store(true, Ordering::SeqCst);
    archivista.run(&["fetch"]).succeeded();
    assert_eq!(archivista.list().len(), mails.len());
    drop(running);
}

#[test]
fn pausing_survives_a_restart() {
    let server = Dovecot::start();
    for mail in mails::small(5) {
        server.deliver(USER, "INBOX", &mail);
    }
    let archivista = Archivista::new();
    archivista.define(&Definition::of(&server, "office"));
    let output = archivista.run(&["pause"]).succeeded();
    assert!(output.stderr.contains("Archiving is paused: nothing is fetched"), "{}", output.stderr);
    let output = archivista.run(&["fetch"]).ended_with(1);
    assert!(output.stderr.contains("Archiving is paused: nothing is fetched"), "{}", output.stderr);
    for _ in 0..2 {
        let running = serve(&archivista);
        // The schedule has looked several times meanwhile.
        thread::sleep(Duration::from_secs(2));
        assert_eq!((&status(&archivista)["waits"], &status(&archivista)["documents"]), (&json!("paused"), &json!(0)));
        running.kill();
    }
    let _running = serve(&archivista);
    archivista.run(&["resume"]).succeeded();
    wait_for("all mails", || status(&archivista)["documents"] == 5);
    assert_eq!(status(&archivista)["waits"], Value::Null);
}

#[test]
fn pages_and_api_pause_and_say_so() {
    let site = Site::new();
    let chefin = site.user("chefin", Role::Administrator, &[]);
    let all = Rights { read: true, change: true, administer: true, metrics: true };
    let token = site.api_token("chefin", all);
    let text = "name = 'company'\nmodule = 'imap'\nserver = '127.0.0.1'\nport = 9\nencryption = 'none'\n\
        account = 'anna'\npassword = 'geheim'\n";
    let file = site.data().with_file_name("company.toml");
    std::fs::write(&file, text).unwrap();
    let definition = archivista::settings::definition_file::read(&file).unwrap();
    archivista::settings::put(&site.web.archive, &definition, "test").unwrap();
    let overview = || site.get(Some(&chefin), "/admin").text();
    let sentence = archivista::fetch::wait::Wait::Paused.sentence(archivista::language::Lang::En);
    assert!(overview().contains("Pause archiving") && !overview().contains(&sentence));
    site.post(&chefin, "/admin/pause", &[("paused", "1")]);
    assert!(!overview().contains("Pause archiving") && overview().contains(&sentence), "{}", overview());
    let call = |method, path: &str, body: Value| site.call(&token, method, path, &body);
    let shown = call(Method::Get, "/fetching", Value::Null).json();
    assert_eq!((&shown["paused"], &shown["waits"]), (&true.into(), &"paused".into()), "{shown}");
    let resumed = call(Method::Patch, "/fetching", json!({ "paused": false }));
    let shown = resumed.json();
    assert_eq!((resumed.status, &shown["paused"], &shown["waits"]), (200, &false.into(), &Value::Null), "{shown}");
    assert!(!overview().contains(&sentence));
    let changes = site.journal().into_iter().filter(|event| {
        event.who == "chefin" && event.what == archivista::archive::commit::Happening::SettingChanged("fetching".into())
    });
    assert_eq!(changes.count(), 2);
    // A run that was asked for and has not begun is forgotten; another one there is not.
    assert_eq!(call(Method::Post, "/definitions/company/runs", json!({})).status, 202);
    assert_eq!(call(Method::Post, "/definitions/company/cancel", Value::Null).status, 202);
    assert_eq!(call(Method::Post, "/definitions/company/cancel", Value::Null).status, 409);
    assert!(!site.web.fetcher.board.standing("company").is_asked);
}
