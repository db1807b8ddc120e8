//! The mail server of the other tests does what they believe it does.

use std::collections::BTreeSet;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Command, Output, Stdio};

use nix::errno::Errno;
use nix::sys::signal::killpg;
use nix::unistd::Pid;

use crate::support::dialogue::Dialogue;
use crate::support::dovecot::{Delivery, Dovecot, Setup, USER};
use crate::support::{folder_name, must_run, tls, token};

#[test]
fn several_run_at_the_same_time() {
    let servers = [(); 3].map(|()| Dovecot::start());
    let ports: BTreeSet<u16> = servers.iter().flat_map(|server| [server.port(), server.tls_port()]).collect();
    assert_eq!(ports.len(), 6);
    for (server, mail) in servers.iter().zip([b"one\r\n", b"two\r\n", b"tri\r\n"]) {
        server.deliver(USER, "INBOX", mail);
    }
    for (server, mail) in servers.iter().zip([b"one\r\n", b"two\r\n", b"tri\r\n"]) {
        let messages = server.messages(USER, "INBOX");
        assert_eq!(messages.len(), 1);
        assert_eq!(messages[0].bytes, mail);
    }
}

#[test]
fn its_certificate_is_for_localhost_and_from_its_own_authority() {
    let server = Dovecot::start();
    for (port, options) in [(server.tls_port(), &[][..]), (server.port(), &["-starttls", "imap"])] {
        let ca = server.ca_file();
        let ca = ca.to_str().unwrap();
        let trusted = s_client(port, ca, "localhost", options);
        assert!(trusted.status.success(), "{trusted:?}");
        assert!(String::from_utf8_lossy(&trusted.stdout).contains("a OK Logout completed"), "{trusted:?}");
        assert!(!s_client(port, ca, "mail.example.ch", options).status.success());
        assert!(!s_client(port, "/dev/null", "localhost", options).status.success());
    }
}

#[test]
fn it_shows_the_certificate_that_it_was_given() {
    let certificates = Some(tls::for_name("mail.example.ch"));
    let server = Dovecot::start_with(&Setup { certificates, ..Setup::default() });
    let ca = server.ca_file();
    assert!(s_client(server.tls_port(), ca.to_str().unwrap(), "mail.example.ch", &[]).status.success());
    assert!(!s_client(server.tls_port(), ca.to_str().unwrap(), "localhost", &[]).status.success());
}

#[test]
fn delivered_messages_are_listed_as_they_are() {
    let server = Dovecot::start();
    let folder = "Kunden/Müller & Söhne/日本語";
    let received = 1_600_000_000;
    server.deliver_as(
        USER,
        folder,
        b"Subject: a\r\n\r\nh\xe4\r\n",
        &Delivery { received: Some(received), flags: "DS" },
    );
    server.deliver(USER, folder, b"no header, no end");
    let messages = server.messages(USER, folder);
    assert_eq!(messages.iter().map(|message| message.uid).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(messages[0].bytes, b"Subject: a\r\n\r\nh\xe4\r\n");
    assert_eq!(messages[0].internal_date, "13-Sep-2020 12:26:40 +0000");
    assert_eq!(
        messages[0].flags.iter().collect::<BTreeSet<_>>(),
        BTreeSet::from([&"\\Draft".into(), &"\\Seen".into()])
    );
    assert_eq!(messages[1].bytes, b"no header, no end");
    assert_eq!(messages[1].flags, [""; 0]);

    let file = tempfile::NamedTempFile::new().unwrap();
    file.as_file().write_all(&messages[0].bytes).unwrap();
    let sum = must_run(Command::new("sha256sum").arg(file.path()));
    assert_eq!(sum.split_whitespace().next(), Some(messages[0].sha256.as_str()));

    let folders = server.dialogue(USER).ok("LIST \"\" *");
    let name = "Kunden/M&APw-ller &- S&APY-hne/&ZeVnLIqe-";
    assert!(folders.iter().any(|response| response.text.contains(name)), "{folders:?}");
}

#[test]
fn messages_are_removed_and_moved() {
    let server = Dovecot::start();
    for mail in ["first\r\n", "second\r\n", "third\r\n"] {
        server.deliver(USER, "INBOX", mail.as_bytes());
    }
    server.remove(USER, "INBOX", 2);
    server.move_message(USER, "INBOX", 1, "Ablage");
    let bytes = |folder| server.messages(USER, folder).into_iter().map(|message| message.bytes).collect::<Vec<_>>();
    assert_eq!(bytes("INBOX"), [b"third\r\n"]);
    assert_eq!(bytes("Ablage"), [b"first\r\n"]);
    server.deliver(USER, "INBOX", b"fourth\r\n");
    assert_eq!(server.messages(USER, "INBOX").iter().map(|message| message.uid).collect::<Vec<_>>(), [3, 4]);
}

#[test]
fn access_tokens_open_the_mailbox_until_they_expire() {
    let server = Dovecot::start_with(&Setup { users: vec!["chef@mymail.ch".into()], ..Setup::default() });
    let login = |user: &str, token: &str| {
        let initial = token::base64(format!("user={user}\x01auth=Bearer {token}\x01\x01").as_bytes());
        let responses = Dialogue::connect(server.port()).command(&format!("AUTHENTICATE XOAUTH2 {initial}"));
        responses.last().unwrap().text.clone()
    };
    let valid = server.access_token("chef@mymail.ch");
    assert!(login("chef@mymail.ch", &valid).starts_with("OK"));
    assert!(login(USER, &valid).starts_with("NO"), "somebody else's token");
    assert!(login(USER, &server.expired_access_token(USER)).starts_with("NO [AUTHENTICATIONFAILED]"));
    assert!(login(USER, &Dovecot::start().access_token(USER)).starts_with("NO"), "another server's token");
    assert!(login(USER, "not.a.token").starts_with("NO"));
}

#[test]
fn a_wrong_password_is_refused() {
    let server = Dovecot::start();
    let responses = Dialogue::connect(server.port()).command("LOGIN test@mymail.ch falsch");
    assert!(responses.last().unwrap().text.starts_with("NO [AUTHENTICATIONFAILED]"), "{responses:?}");
}

#[test]
fn uid_validity_changes_and_the_messages_stay() {
    let server = Dovecot::start();
    for folder in ["INBOX", "Ablage", "Andere"] {
        for mail in ["first\r\n", "second\r\n", "third\r\n"] {
            server.deliver(USER, folder, mail.as_bytes());
        }
        server.remove(USER, folder, 1);
    }
    let uids = |folder| server.messages(USER, folder).iter().map(|message| message.uid).collect::<Vec<_>>();
    let untouched = server.uid_validity(USER, "Andere");
    for folder in ["INBOX", "Ablage", "INBOX"] {
        let before = server.uid_validity(USER, folder);
        assert_eq!(uids("Andere"), [2, 3]);
        server.change_uid_validity(USER, folder);
        assert_ne!(server.uid_validity(USER, folder), before);
        assert_eq!(uids(folder), [1, 2]);
        assert_eq!(server.messages(USER, folder)[0].bytes, b"second\r\n");
    }
    assert_eq!(server.uid_validity(USER, "Andere"), untouched);
    assert_eq!(uids("Andere"), [2, 3]);
}

#[test]
fn folder_names_travel_as_the_standard_shows() {
    assert_eq!(folder_name::to_wire("~peter/mail/台北/日本語"), "~peter/mail/&U,BTFw-/&ZeVnLIqe-");
    assert_eq!(folder_name::to_wire("Müller & Söhne"), "M&APw-ller &- S&APY-hne");
}

#[test]
fn it_takes_further_configuration() {
    let config = "imap_capability = IMAP4rev1 XTEST\nimap_id_send = name *\n".to_owned();
    let server = Dovecot::start_with(&Setup { config, ..Setup::default() });
    let responses = server.dialogue(USER).ok("CAPABILITY");
    assert_eq!(responses[0].text, "* CAPABILITY IMAP4rev1 XTEST");
}

#[test]
fn it_comes_back_on_the_same_ports_with_the_same_mail() {
    let mut server = Dovecot::start();
    server.deliver(USER, "INBOX", b"stays\r\n");
    let before = (server.port(), server.tls_port(), server.messages(USER, "INBOX"), server.uid_validity(USER, "INBOX"));
    server.stop();
    server.start_again();
    let after = (server.port(), server.tls_port(), server.messages(USER, "INBOX"), server.uid_validity(USER, "INBOX"));
    assert_eq!(before, after);
}

#[test]
fn nothing_of_it_is_left_after_a_test_that_panics() {
    let mut group = None;
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let server = Dovecot::start();
        server.messages(USER, "INBOX");
        group = server.process_group();
        panic!("as a failing test does");
    }));
    assert!(panicked.is_err());
    let group = Pid::from_raw(i32::try_from(group.unwrap()).unwrap());
    // Killed processes vanish once init has taken note of them.
    for _ in 0..500 {
        if killpg(group, None) == Err(Errno::ESRCH) {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("processes of Dovecot are left");
}

/// Asks OpenSSL what it thinks of the server's certificate, and says good-bye inside the TLS connection.
fn s_client(port: u16, ca: &str, name: &str, options: &[&str]) -> Output {
    let address = format!("127.0.0.1:{port}");
    let mut command = Command::new("openssl");
    command.args(["s_client", "-quiet", "-verify_return_error", "-no-CApath", "-no-CAstore", "-CAfile", ca]);
    command.args(["-verify_hostname", name, "-connect", &address]).args(options);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // It may have given up already, which is what some of these tests are for.
    let _ = child.stdin.take().unwrap().write_all(b"a LOGOUT\r\n");
    child.wait_with_output().unwrap()
}
