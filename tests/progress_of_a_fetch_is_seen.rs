//! Promise: a run shows how far it is: folder, n of m, rate and time left; as a bar on a terminal, as lines otherwise, and
//! never on standard output, where results go.

use std::process::Command;

use crate::support::archivista::{Archivista, program};
use crate::support::definition::Definition;
use crate::support::dovecot::{Dovecot, USER};
use crate::support::mails::tiny;
use crate::support::must_run;

fn mailbox() -> (Dovecot, Archivista) {
    let dovecot = Dovecot::start();
    for number in 1..=30 {
        let folder = if number % 3 == 0 { "Kunden/Müller" } else { "INBOX" };
        dovecot.deliver(USER, folder, &tiny(&format!("{number}@example.ch"), "Mail"));
    }
    let archivista = Archivista::new();
    archivista.define(&Definition::of(&dovecot, "büro"));
    (dovecot, archivista)
}

#[test]
fn as_lines_where_there_is_no_terminal() {
    let (_dovecot, archivista) = mailbox();
    let output = archivista.run(&["fetch"]).succeeded();
    for place in ["INBOX: 20 of 20, ", "Kunden/Müller: 10 of 10, "] {
        let line = output.stderr.lines().find(|line| line.contains(place));
        let line = line.unwrap_or_else(|| panic!("{place} is missing:\n{}", output.stderr));
        assert!(line.starts_with(USER) && line.ends_with("B/s"), "{line}");
    }
    assert!(!output.stderr.contains('\u{1b}'), "no escape sequences: {:?}", output.stderr);
    assert_eq!(output.stdout, "büro: 30 archived, 0 same, 0 left out, 0 failed, 0 unexplained\n");

    let nothing = archivista.run(&["fetch"]).succeeded();
    assert_eq!(nothing.stderr, "", "nothing to do, nothing to say");
    assert_eq!(nothing.stdout, "büro: 0 archived, 0 same, 0 left out, 0 failed, 0 unexplained\n");
}

#[test]
fn as_a_bar_on_a_terminal() {
    let (_dovecot, archivista) = mailbox();
    let verb = format!("stty cols 120; {} --data {} fetch", program().display(), archivista.data().display());
    let mut command = Command::new("script");
    command.args(["--quiet", "--return", "--command", &verb, "/dev/null"]).env("TERM", "xterm").env("LANG", "C.UTF-8");
    let shown = must_run(&mut command);
    assert!(shown.contains("INBOX ") && shown.contains("20 of 20 "), "{shown:?}");
    assert!(shown.contains('█'), "{shown:?}");
    assert!(!shown.contains("INBOX: 20 of 20"), "no lines where there is a bar: {shown:?}");
    assert!(shown.contains("büro: 30 archived, 0 same"), "{shown:?}");
}
