//! Promise: a mailbox of 5,000 folders, one of them with 500,000 messages, is listed and compared with the archive by a
//! program that never holds more than 48 MiB of memory.
//!
//! Others hold every id, or the whole listing, and are killed on large mailboxes. The whole size takes minutes:
//! `cargo nextest run --test promises --run-ignored all half_a_million`. A tenth of it shows every time that
//! memory does not grow with the number.

use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Instant;

use crate::support::archivista::{Archivista, Counts};
use crate::support::definition::Definition;

/// KiB.
const MOST: u64 = 48 * 1024;

/// A server with nothing but numbers: no program that runs beside a test could hold so much mail.
fn serve(folders: u32, messages: u32) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || converse(client, folders, messages));
        }
    });
    port
}

fn converse(client: TcpStream, folders: u32, messages: u32) -> io::Result<()> {
    client.set_nodelay(true)?;
    let mut out = BufWriter::with_capacity(64 * 1024, client.try_clone()?);
    let mut selected = 0;
    write!(out, "* OK [CAPABILITY IMAP4rev1] ready\r\n")?;
    out.flush()?;
    for line in BufReader::new(client).lines() {
        let line = line?;
        let (tag, command) = line.split_once(' ').unwrap_or((&line, ""));
        if command.starts_with("LIST") {
            write!(out, "* LIST () \"/\" INBOX\r\n")?;
            for folder in 1..folders {
                write!(out, "* LIST () \"/\" \"Kunden/{folder}\"\r\n")?;
            }
        } else if command.starts_with("EXAMINE") {
            selected = if command.contains("INBOX") { messages } else { 0 };
            write!(out, "* {selected} EXISTS\r\n* OK [UIDVALIDITY 7] so\r\n* OK [UIDNEXT {}] so\r\n", selected + 1)?;
        } else if let Some(asked) = command.strip_prefix("UID FETCH ") {
            let (set, items) = asked.split_once(' ').unwrap_or((asked, ""));
            let (low, high) = set.split_once(':').unwrap_or((set, set));
            let high = if high == "*" { selected } else { high.parse().unwrap_or(0).min(selected) };
            // `n:*` names the last message also where it is below n.
            let low = low.parse::<u32>().unwrap_or(1).min(high.max(1));
            let rest = if items == "(UID)" {
                ""
            } else {
                " FLAGS () INTERNALDATE \"01-Jan-2024 00:00:00 +0000\" RFC822.SIZE 99"
            };
            for uid in low..=high {
                write!(out, "* {uid} FETCH (UID {uid}{rest})\r\n")?;
            }
        }
        write!(out, "{tag} OK done\r\n")?;
        out.flush()?;
    }
    Ok(())
}

#[test]
fn fifty_thousand_in_five_hundred_folders() {
    is_small(500, 50_000);
}

#[test]
#[ignore = "takes minutes"]
fn half_a_million_in_five_thousand_folders() {
    is_small(5000, 500_000);
}

fn is_small(folders: u32, messages: u32) {
    let archivista = Archivista::new();
    // All are too young for longer than anybody will run this test: each is listed and booked, and no body is asked for.
    let definition = Definition::named("büro")
        .with("module", "imap")
        .with("server", "127.0.0.1")
        .with("port", serve(folders, messages))
        .with("encryption", "none")
        .with("account", "test@mymail.ch")
        .with("password", "geheim")
        .with("min_age_days", 36_500);
    archivista.define(&definition);
    let mut told = String::new();
    for verb in [&["fetch", "--json"][..], &["fetch", "--json"], &["reconcile"], &["status", "--json"]] {
        let started = Instant::now();
        let output = archivista.run(verb).succeeded();
        writeln!(told, "{}: {} KiB, {:.1} s", verb[0], output.peak_memory, started.elapsed().as_secs_f64()).unwrap();
        assert!(output.peak_memory > 1024, "not measured: {told}");
        assert!(output.peak_memory <= MOST, "{told}");
        if told.lines().count() == 1 {
            assert_eq!(Counts::of(&output), Counts { left_out: messages.into(), ..Counts::default() });
        }
    }
    eprintln!("{told}");
    let status = archivista.folder_status("INBOX");
    assert_eq!((&status["on_server"], &status["unexplained"]), (&messages.into(), &0.into()), "{status}");
}
