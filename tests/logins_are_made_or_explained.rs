//! Promise: a login works over TLS, STARTTLS or without encryption, with a password or an access token; and where it does
//! not, one sentence says what is wrong, where, and what to do, in German and English: in `fetch`, in `source test` and in
//! `mailtest`. Trouble with one account keeps no other one from being archived.
//!
//! Others are "authenticated but not connected", or stop fetching and tell nobody.

use std::fs;
use std::path::Path;
use std::sync::mpsc::channel;

use crate::support::archivista::{Archivista, Counts, Output};
use crate::support::definition::Definition;
use crate::support::dovecot::{Dovecot, PASSWORD, Setup, USER};
use crate::support::mails::tiny;
use crate::support::{scripted, tls};

const SECOND: &str = "second@mymail.ch";
const GERMAN: &str = "de_CH.UTF-8";

fn server() -> Dovecot {
    let dovecot = Dovecot::start_with(&Setup { users: vec![SECOND.into()], ..Setup::default() });
    for user in [USER, SECOND] {
        dovecot.deliver(user, "INBOX", &tiny(&format!("1.{user}"), "Erste Offerte"));
    }
    dovecot
}

/// A definition that works, and ways to break it.
fn definition(dovecot: &Dovecot) -> Definition {
    Definition::of(dovecot, "büro")
}

/// `mailtest` with the same login as a definition's.
fn mailtest(archivista: &Archivista, locale: &str, port: u16, options: &[&str]) -> Output {
    let port = port.to_string();
    let mut words = vec!["mailtest", "--port", &port, "--account", USER];
    for (option, default) in [("--server", "localhost"), ("--password", PASSWORD)] {
        if !options.contains(&option) {
            words.extend([option, default]);
        }
    }
    words.extend(options);
    archivista.run_in(locale, &words)
}

/// `fetch` and `source test` fail with these sentences, archive nothing, and leave the data folder whole.
fn is_explained(definition: &Definition, english: &str, german: &str) {
    let archivista = Archivista::new();
    archivista.define(definition);
    let output = archivista.run(&["fetch", "--json"]).ended_with(1);
    assert_eq!(Counts::of(&output), Counts::default());
    let at_start = |text: &str| text.lines().any(|line| line.starts_with(&format!("{USER}: ")));
    assert!(output.stderr.contains(english) && at_start(&output.stderr), "{}", output.stderr);
    for (locale, sentence) in [("en_US.UTF-8", english), (GERMAN, german)] {
        let output = archivista.run_in(locale, &["source", "test", "büro"]).ended_with(1);
        assert!(output.stderr.contains(sentence), "{}", output.stderr);
        assert_eq!(output.stderr.matches(english).count() + output.stderr.matches(german).count(), 1);
        let output = archivista.run_in(locale, &["fetch"]).ended_with(1);
        assert!(output.stderr.contains(sentence) && at_start(&output.stderr), "{}", output.stderr);
        assert!(!output.stderr.contains(PASSWORD), "{}", output.stderr);
    }
    let status = archivista.run(&["status"]).ended_with(1);
    assert!(status.stdout.contains("! "), "{}", status.stdout);
    archivista.verify();
}

#[test]
fn over_tls_starttls_and_in_clear_on_purpose() {
    let dovecot = server();
    for (encryption, port, says) in [
        ("tls", dovecot.tls_port(), "TLS 1.3"),
        ("starttls", dovecot.port(), "TLS 1.3"),
        ("none", dovecot.port(), "not encrypted"),
    ] {
        let archivista = Archivista::new();
        archivista.define(&definition(&dovecot).with("encryption", encryption).with("port", port));
        assert_eq!(archivista.fetch_counts(), Counts::archived(1), "{encryption}");
        let test = archivista.run(&["source", "test", "büro"]).succeeded();
        let ca = dovecot.ca_file();
        let options = ["--encryption", encryption, "--ca-file", ca.to_str().unwrap()];
        let mailtest = mailtest(&archivista, "en_US.UTF-8", port, &options).succeeded();
        assert_eq!(test.stdout, mailtest.stdout, "the same steps");
        let steps = [
            format!("Connected to localhost:{port} ("),
            "Authenticated!".to_owned(),
            format!("MailBox from resource: {USER}"),
            "Inbox from resource: INBOX (1 messages)".to_owned(),
            "Subject: Erste Offerte".to_owned(),
        ];
        let lines: Vec<_> = test.stdout.lines().collect();
        assert_eq!(lines.len(), steps.len(), "{}", test.stdout);
        assert!(lines.iter().zip(&steps).all(|(line, step)| line.starts_with(step)), "{}", test.stdout);
        assert!(lines[0].contains(says), "{}", lines[0]);
    }
}

#[test]
fn no_password_is_sent_in_clear_to_a_server_that_wants_encryption() {
    let dovecot = server();
    let (heard, all) = channel();
    let greeting = "* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] ready\r\n";
    let port = scripted::serve(greeting, move |line| {
        heard.send(line.to_owned()).unwrap();
        Some(format!("{} BAD what?\r\n", line.split(' ').next()?))
    });
    is_explained(
        &definition(&dovecot).with("encryption", "none").with("port", port),
        "localhost takes passwords over an encrypted connection only. Choose TLS or STARTTLS as encryption.",
        "localhost nimmt Passwörter nur über eine verschlüsselte Verbindung an. Wählen Sie als Verschlüsselung TLS oder STARTTLS.",
    );
    assert!(all.try_iter().all(|line| !line.contains(PASSWORD) && !line.contains("LOGIN")));
}

#[test]
fn an_untrusted_certificate_is_refused() {
    let dovecot = server();
    for encryption in ["tls", "starttls"] {
        let port = if encryption == "tls" { dovecot.tls_port() } else { dovecot.port() };
        let definition = definition(&dovecot).with("encryption", encryption).with("port", port);
        is_explained(
            &definition.clone().without("ca_file"),
            "The certificate of localhost is not trusted (",
            "Dem Zertifikat von localhost wird nicht vertraut (",
        );
        // An authority of the same kind that is not the one.
        let dir = tempfile::tempdir().unwrap();
        tls::for_name("localhost").write(dir.path());
        is_explained(
            &definition.with("ca_file", dir.path().join("ca.pem").to_str().unwrap()),
            "or add the certificate of your own authority to the definition.",
            "oder hinterlegen Sie in der Definition das Zertifikat der eigenen Zertifizierungsstelle.",
        );
    }
}

#[test]
fn a_certificate_for_another_name_is_refused() {
    let certificates = Some(tls::for_name("mail.example.ch"));
    let dovecot = Dovecot::start_with(&Setup { certificates, ..Setup::default() });
    is_explained(
        &definition(&dovecot),
        "The server's certificate is not for the name localhost (",
        "Das Zertifikat des Servers gilt nicht für den Namen localhost (",
    );
    is_explained(
        &definition(&dovecot).with("encryption", "starttls").with("port", dovecot.port()),
        "Enter the name that the certificate was issued for.",
        "Tragen Sie den Namen ein, auf den das Zertifikat lautet.",
    );
}

#[test]
fn a_wrong_password_is_named_with_its_account() {
    let dovecot = server();
    is_explained(
        &definition(&dovecot).with("password", "falsch"),
        &format!("localhost refused the login of {USER} ("),
        &format!("localhost hat die Anmeldung von {USER} abgelehnt ("),
    );
    is_explained(
        &definition(&dovecot).with("password", ""),
        "Check account and password; some providers want an app password.",
        "Prüfen Sie Benutzerkonto und Passwort; manche Anbieter verlangen ein App-Passwort.",
    );
}

#[test]
fn mailtest_says_the_same_in_both_languages() {
    let dovecot = server();
    let archivista = Archivista::new();
    let ca = dovecot.ca_file();
    let trusted = ["--ca-file", ca.to_str().unwrap()];
    let wrong = [&trusted[..], &["--password", "falsch"]].concat();
    let ssh = scripted::greeting_only("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n");
    let closed = scripted::closed_port();
    let cases: [(u16, &[&str], &str, &str); 6] = [
        (
            dovecot.tls_port(),
            &wrong,
            "refused the login of test@mymail.ch",
            "hat die Anmeldung von test@mymail.ch abgelehnt",
        ),
        (dovecot.tls_port(), &[], "is not trusted", "wird nicht vertraut"),
        (
            dovecot.port(),
            &trusted,
            "Check port and encryption; 993 goes with TLS",
            "Prüfen Sie Port und Verschlüsselung; 993 gehört",
        ),
        (ssh, &["--encryption", "none"], "No IMAP server answers", "antwortet kein IMAP-Server"),
        (closed, &trusted, "does not answer on port", "antwortet nicht auf Port"),
        (993, &["--server", "nowhere.invalid"], "was not found", "wurde nicht gefunden"),
    ];
    for (port, options, english, german) in cases {
        for (locale, sentence) in [("en_GB.UTF-8", english), (GERMAN, german)] {
            let output = mailtest(&archivista, locale, port, options).ended_with(1);
            assert!(output.stderr.contains(sentence), "{}", output.stderr);
        }
        let json = mailtest(&archivista, "C", port, &[options, &["--json"]].concat()).ended_with(1).json_lines();
        let last = json.last().unwrap();
        assert_eq!(last["passed"], false);
        assert!(last["en"].as_str().unwrap().contains(english), "{last}");
        assert!(last["de"].as_str().unwrap().contains(german), "{last}");
    }
    assert!(!archivista.data().exists(), "a test of a login stores nothing");
}

#[test]
fn an_access_token_is_read_at_each_login() {
    let dovecot = server();
    let archivista = Archivista::new();
    let file = archivista.beside("token");
    let write = |token: &str| fs::write(&file, token).unwrap();
    write(&format!("{}\n", dovecot.access_token(USER)));
    let path = Path::new(&file).to_str().unwrap();
    let definition = definition(&dovecot).without("password").with("access_token_file", path);
    archivista.define(&definition);
    assert_eq!(archivista.fetch_counts(), Counts::archived(1));

    dovecot.deliver(USER, "INBOX", &tiny("2@example.ch", "Zweite"));
    let refused = format!("{USER}: localhost refused the access token of {USER} (");
    for bad in [dovecot.expired_access_token(USER), dovecot.access_token(SECOND), "kein.echtes.token".to_owned()] {
        write(&bad);
        let output = archivista.run(&["fetch", "--json"]).ended_with(1);
        assert_eq!(Counts::of(&output), Counts::default());
        assert!(output.stderr.contains(&refused), "{}", output.stderr);
        assert!(output.stderr.contains("Check that it is renewed"), "{}", output.stderr);
        assert!(!output.stderr.contains(&bad), "{}", output.stderr);
    }
    fs::remove_file(&file).unwrap();
    let output = archivista.run(&["fetch"]).ended_with(1);
    assert!(output.stderr.contains(&format!("{path} cannot be read")), "{}", output.stderr);

    // Renewed by somebody else: the next run goes on without a word to the archive.
    write(&dovecot.access_token(USER));
    assert_eq!(archivista.fetch_counts(), Counts::archived(1));
    archivista.run(&["status"]).succeeded();
}

#[test]
fn one_wrong_account_keeps_no_other_from_being_archived() {
    let dovecot = server();
    for wrong in [USER, SECOND] {
        let accounts: Vec<_> = [USER, SECOND]
            .map(|user| {
                let password = if user == wrong { "falsch" } else { PASSWORD };
                serde_json::json!({ "account": user, "password": password })
            })
            .into();
        let archivista = Archivista::new();
        let definition = definition(&dovecot).without("account").without("password").with("accounts", accounts);
        archivista.define(&definition);
        let output = archivista.run(&["fetch", "--json"]).ended_with(1);
        assert_eq!(Counts::of(&output), Counts::archived(1));
        assert!(output.stderr.contains(&format!("refused the login of {wrong}")), "{}", output.stderr);
        let mailbox = &archivista.list()[0]["occurrences"][0]["mailbox"];
        assert_ne!(mailbox, wrong);
        // Each account is tried by `source test`, and said which.
        let test = archivista.run(&["source", "test", "büro"]).ended_with(1);
        assert!(test.stdout.contains(USER) && test.stdout.contains(SECOND), "{}", test.stdout);
        assert_eq!(test.stdout.matches("Authenticated!").count(), 1);
    }
}

#[test]
fn one_definition_in_trouble_keeps_no_other_from_being_archived() {
    let dovecot = server();
    let archivista = Archivista::new();
    archivista.define(&Definition::of(&dovecot, "a kaputt").with("port", scripted::closed_port()));
    archivista.define(&Definition::of(&dovecot, "b gut"));
    archivista.define(&Definition::of(&dovecot, "c aus").with("inactive", true));
    let output = archivista.run(&["fetch", "--json"]).ended_with(1);
    let runs = output.json_lines();
    let told: Vec<_> = runs.iter().map(|run| (run["definition"].as_str().unwrap(), &run["archived"])).collect();
    assert_eq!(told, [("a kaputt", &0.into()), ("b gut", &1.into())]);
    assert!(output.stderr.contains("c aus: inactive"), "{}", output.stderr);
    archivista.run(&["fetch", "b gut"]).succeeded();
    let unknown = archivista.run(&["fetch", "b güt"]).ended_with(1);
    assert!(
        unknown.stderr.contains("there is no definition \"b güt\"; defined are: a kaputt, b gut, c aus"),
        "{}",
        unknown.stderr
    );
}

#[test]
fn imap_switched_off_is_told_apart_from_a_wrong_password() {
    let dovecot = server();
    for refusal in ["[ALERT] Your account is not enabled for IMAP use.", "User is authenticated but not connected."] {
        let port = scripted::serve("* OK [CAPABILITY IMAP4rev1] ready\r\n", move |line| {
            let (tag, command) = line.split_once(' ')?;
            command.starts_with("LOGIN").then(|| format!("{tag} NO {refusal}\r\n"))
        });
        let definition = definition(&dovecot).with("encryption", "none").with("port", port);
        is_explained(
            &definition,
            &format!(
                "IMAP is switched off for {USER} (\"{refusal}\"). Switch IMAP on for this account at the provider."
            ),
            &format!(
                "IMAP ist für {USER} ausgeschaltet («{refusal}»). Schalten Sie IMAP für dieses Konto beim Anbieter ein."
            ),
        );
    }
}

#[test]
fn a_server_that_is_none_or_not_there_is_named() {
    let dovecot = server();
    let in_clear = definition(&dovecot).with("encryption", "none");
    for greeting in
        ["SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", "HTTP/1.1 400 Bad Request\r\n\r\n", "220 mail ESMTP\r\n", "+OK POP3\r\n"]
    {
        let port = scripted::greeting_only(greeting);
        let said = greeting.trim_end();
        is_explained(
            &in_clear.clone().with("port", port),
            &format!(
                "No IMAP server answers on localhost, port {port} (\"{said}\"). Check server, port and encryption."
            ),
            &format!(
                "Auf localhost, Port {port}, antwortet kein IMAP-Server («{said}»). Prüfen Sie Server, Port und Verschlüsselung."
            ),
        );
    }
    let closed = scripted::closed_port();
    is_explained(
        &definition(&dovecot).with("port", closed),
        &format!("The mail server localhost does not answer on port {closed} ("),
        &format!("Der Mail-Server localhost antwortet nicht auf Port {closed} ("),
    );
    is_explained(
        &definition(&dovecot).with("server", "nowhere.invalid"),
        "The mail server nowhere.invalid was not found (",
        "Der Mail-Server nowhere.invalid wurde nicht gefunden (",
    );
    // TLS where the server speaks plain IMAP, as with port 143 by mistake.
    is_explained(
        &definition(&dovecot).with("port", dovecot.port()),
        &format!("The encrypted connection to localhost, port {}, could not be made (", dovecot.port()),
        &format!("Die verschlüsselte Verbindung zu localhost, Port {}, kam nicht zustande (", dovecot.port()),
    );
}
