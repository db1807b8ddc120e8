//! Promise: whatever is wrong with a mail, it is archived as the server gives it, byte for byte, and what could not be read
//! is said in `list`.
//!
//! In others one broken mail ends the batch, the same one in every run, and everything behind it is never archived.

use std::collections::BTreeMap;

use crate::support::archivista::{Archivista, Counts};
use crate::support::definition::Definition;
use crate::support::dovecot::{Dovecot, USER};
use crate::support::mails::tiny;
use crate::support::proof::archive_equals_server;
use crate::support::{hash, scripted};

const DATE: &str = "Date: Mon, 3 Jun 2002 12:00:00 +0000\r\n";

/// A mail with a date and the defects that have to be named, in the order of their numbers.
fn mails() -> Vec<(Vec<u8>, &'static [&'static str])> {
    let dated = |rest: &[u8]| [DATE.as_bytes(), rest].concat();
    let level = |depth| format!("Content-Type: multipart/mixed; boundary=b{depth}\r\n\r\n--b{depth}\r\n");
    let nested = (0..500).map(level).collect::<Vec<_>>().concat();
    let forwarded = "Content-Type: message/rfc822\r\n\r\n".repeat(2000);
    let parts = "--x\r\nContent-Type: a/b; name=1\r\n\r\nx\r\n".repeat(20_000);
    vec![
        (b"\r\nno header, only text\r\n".to_vec(), &["no-header", "date"]),
        (b"no header, no empty line, no end".to_vec(), &["no-header", "no-blank-line", "date"]),
        (b"\r\n \r\n\r\n".to_vec(), &["no-header", "date", "empty"]),
        (dated(b"Subject: no empty line\r\n"), &["no-blank-line"]),
        (dated(b"Subject: ends within a fie"), &["no-blank-line"]),
        (dated(b"Subject: a line that is none\r\nthis one\r\nFrom: a@b.ch\r\n\r\nx\r\n"), &["broken-header-line"]),
        (dated(b"Subject: caf\xe9 \x80\r\n\r\n8-bit header\r\n"), &["eight-bit-header"]),
        (dated(b"Subject: twice\r\nSubject: twice\r\n\r\nx\r\n"), &["duplicate-field"]),
        (dated(b"Subject: =?utf-8?Q?Z=FCrich?=\r\n\r\nword in another charset\r\n"), &["charset"]),
        (dated(b"Subject: =?x-klingon?B?YWJj?=\r\n\r\nunknown charset\r\n"), &["charset"]),
        (dated(b"Content-Type: text/plain; charset=utf-8\r\n\r\nZ\xfcrich is not UTF-8\r\n"), &["charset"]),
        (dated(b"Content-Type: text/plain; charset=us-ascii\r\n\r\n\xff\xfe\xfd\r\n"), &["charset"]),
        (dated(b"Subject: lone CR\rin it\r\n\r\na\rb\r\n"), &["bare-line-end"]),
        (dated(b"Content-Type: multipart/mixed\r\n\r\n--x\r\n\r\nno boundary\r\n"), &["no-boundary"]),
        (dated(b"Content-Type: multipart/mixed; boundary=x\r\n\r\nit never comes\r\n"), &["no-boundary"]),
        (
            dated(b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nthe final one is missing\r\n"),
            &["no-final-boundary"],
        ),
        (dated(nested.as_bytes()), &["too-deep", "no-final-boundary"]),
        (dated(forwarded.as_bytes()), &["too-deep"]),
        (
            dated(format!("Content-Type: multipart/mixed; boundary=x\r\n\r\n{parts}--x--\r\n").as_bytes()),
            &["too-many-parts"],
        ),
        (dated(b"Content-Transfer-Encoding: x-zip\r\n\r\nunknown encoding\r\n"), &["encoding"]),
        (dated(b"Content-Transfer-Encoding: base64\r\n\r\nthis is not base64!\r\n"), &["encoding"]),
        (dated(format!("Subject: long\r\nX: {}\r\n\r\nx\r\n", "x".repeat(1_000_000)).as_bytes()), &["header-too-long"]),
        (b"Date: the day before yesterday\r\nSubject: bad date\r\n\r\nx\r\n".to_vec(), &["date"]),
        (b"Subject: no date\r\n\r\nx\r\n".to_vec(), &["date"]),
        (dated(format!("Subject: one line\r\n\r\n{}", "y".repeat(2_000_000)).as_bytes()), &[]),
        (dated(b"Subject: no end of line at the end\r\n\r\nx"), &[]),
        (dated(b"\r\n.\r\n..\r\n)\r\n* 1 FETCH (BODY[] {5}\r\na4 OK done\r\n"), &[]),
    ]
}

#[test]
fn from_a_real_server() {
    let mails = mails();
    let dovecot = Dovecot::start();
    for (mail, _) in &mails {
        dovecot.deliver(USER, "INBOX", mail);
    }
    // None of them may hold up what comes after it.
    dovecot.deliver(USER, "INBOX", &tiny("last@example.ch", "Die letzte"));

    let archivista = Archivista::new();
    archivista.define(&Definition::of(&dovecot, "büro"));
    assert_eq!(archivista.fetch_counts(), Counts::archived(mails.len() as u64 + 1));
    archive_equals_server(&archivista, &dovecot, USER, &["INBOX"]);
    assert_eq!(archivista.fetch_counts(), Counts::default());
    archivista.verify();

    let list = archivista.list();
    let by_hash: BTreeMap<_, _> =
        list.iter().map(|document| (document["sha256"].as_str().unwrap(), document)).collect();
    let lines: usize = mails.iter().map(|(_, defects)| defects.len()).sum();
    for (mail, defects) in &mails {
        let document = by_hash[hash::sha256(mail).as_str()];
        assert_eq!(document["defects"], serde_json::json!(defects), "{document}");
    }
    for (locale, words) in [
        ("en_US.UTF-8", ["The message has no header.", "The last boundary is missing", "Parts are nested too deeply"]),
        (
            "de_CH.UTF-8",
            ["Die Nachricht hat keinen Kopf.", "Die letzte Grenze fehlt", "Teile sind zu tief verschachtelt"],
        ),
    ] {
        let text = archivista.run_in(locale, &["list"]).succeeded().stdout;
        assert_eq!(text.lines().filter(|line| line.trim_start().starts_with("! ")).count(), lines, "{text}");
        for sentence in words {
            assert!(text.contains(sentence), "{sentence}\n{text}");
        }
    }
}

/// Dovecot turns NUL into 0x80 when it sends a message, because a literal cannot carry it (RFC 9051, 4.3): the archive
/// holds what the server gave.
#[test]
fn nul_bytes_as_dovecot_gives_them() {
    let dovecot = Dovecot::start();
    dovecot.deliver(USER, "INBOX", b"Date: Mon, 3 Jun 2002 12:00:00 +0000\r\nSubject: a\0b\r\n\r\nc\0d\r\n");
    assert!(!dovecot.messages(USER, "INBOX")[0].bytes.contains(&0));
    let archivista = Archivista::new();
    archivista.define(&Definition::of(&dovecot, "büro"));
    assert_eq!(archivista.fetch_counts(), Counts::archived(1));
    archive_equals_server(&archivista, &dovecot, USER, &["INBOX"]);
}

#[test]
fn nul_bytes_from_a_server_that_sends_them() {
    let mail = "Date: Mon, 3 Jun 2002 12:00:00 +0000\r\nSubject: a\0b\r\n\r\nc\0d\0\0\r\n";
    let port = scripted::serve("* OK [CAPABILITY IMAP4rev1] ready\r\n", move |line| {
        let (tag, command) = line.split_once(' ')?;
        let items = "FLAGS () INTERNALDATE \" 3-Jun-2002 12:00:00 +0000\"";
        let said = match command.split(' ').next()? {
            "LIST" => "* LIST () \"/\" INBOX\r\n".to_owned(),
            "EXAMINE" => "* 1 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 2] x\r\n".to_owned(),
            "UID" if command.contains("BODY") => {
                format!(
                    "* 1 FETCH (UID 1 {items} RFC822.SIZE {size} BODY[] {{{size}}}\r\n{mail})\r\n",
                    size = mail.len()
                )
            }
            "UID" => format!("* 1 FETCH (UID 1 {items})\r\n"),
            _ => String::new(),
        };
        Some(format!("{said}{tag} OK done\r\n"))
    });
    let dovecot = Dovecot::start();
    let archivista = Archivista::new();
    archivista.define(&Definition::of(&dovecot, "büro").with("encryption", "none").with("port", port));
    assert_eq!(archivista.fetch_counts(), Counts::archived(1));
    let document = archivista.list().remove(0);
    assert_eq!(document["defects"], serde_json::json!(["nul"]));
    assert_eq!(archivista.export()[&1], mail.as_bytes());
    archivista.verify();
}
