//! Promise: with `min_age_days` a young mail stays out, is booked with the day of its next look, and is archived when that
//! has come; whoever changes the number gets what the new number says at the next run.
//!
//! Once, a folder with nothing but young mail was archived at once: their rows in the ledger were still on their way when
//! the run looked for messages without any.

use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::support::archivista::{Archivista, Counts};
use crate::support::definition::Definition;
use crate::support::dovecot::{Delivery, Dovecot, USER};
use crate::support::mails::tiny;
use crate::support::proof::{archive_equals_server, titles};

const DAY: u64 = 86_400;
/// Seconds in which a fetch has begun for sure, and for which a test can wait.
const SOON: u64 = 6;

fn deliver_aged(dovecot: &Dovecot, title: &str, seconds: u64) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let delivery = Delivery { received: Some(now - seconds), flags: "" };
    dovecot.deliver_as(USER, "INBOX", &tiny(&format!("{title}@example.ch"), title), &delivery);
}

fn archived(archivista: &Archivista) -> Vec<String> {
    titles(archivista).into_keys().collect()
}

fn fetch_until_something_happens(archivista: &Archivista) -> Counts {
    loop {
        let counts = archivista.fetch_counts();
        if counts != Counts::default() {
            return counts;
        }
        thread::sleep(Duration::from_millis(300));
    }
}

fn left_out(count: u64) -> Counts {
    Counts { left_out: count, ..Counts::default() }
}

#[test]
fn the_day_the_server_received_it_counts() {
    let dovecot = Dovecot::start();
    deliver_aged(&dovecot, "31 Tage", 31 * DAY);
    deliver_aged(&dovecot, "knapp 30 Tage", 30 * DAY - 900);
    deliver_aged(&dovecot, "gut 30 Tage", 30 * DAY + 900);
    deliver_aged(&dovecot, "neu", 0);
    let archivista = Archivista::new();
    archivista.define(&Definition::of(&dovecot, "büro").with("min_age_days", 30));
    assert_eq!(archivista.fetch_counts(), Counts { archived: 2, left_out: 2, ..Counts::default() });
    assert_eq!(archived(&archivista), ["31 Tage", "gut 30 Tage"]);
    let status = archivista.folder_status("INBOX");
    assert_eq!(status["left_out"], serde_json::json!({ "too young": 2 }), "{status}");
    assert_eq!((&status["on_server"], &status["unexplained"]), (&4.into(), &0.into()), "{status}");
    let text = archivista.run(&["status"]).succeeded().stdout;
    assert!(text.contains("2 left out (too young), 0 unexplained"), "{text}");

    // Nothing happens before its time, and nothing is booked twice.
    assert_eq!(archivista.fetch_counts(), Counts::default());
    assert_eq!(archivista.folder_status("INBOX")["left_out"]["too young"], 2);
    archivista.verify();
}

#[test]
fn it_is_archived_once_it_is_old_enough() {
    let dovecot = Dovecot::start();
    // Old enough a few seconds from now.
    deliver_aged(&dovecot, "gleich", DAY - SOON);
    deliver_aged(&dovecot, "morgen", 0);
    let archivista = Archivista::new();
    archivista.define(&Definition::of(&dovecot, "büro").with("min_age_days", 1));
    assert_eq!(archivista.fetch_counts(), left_out(2));
    assert_eq!(fetch_until_something_happens(&archivista), Counts::archived(1));
    assert_eq!(archived(&archivista), ["gleich"]);
    assert_eq!(archivista.folder_status("INBOX")["left_out"]["too young"], 1);
    assert_eq!(archivista.fetch_counts(), Counts::default());
}

#[test]
fn a_lower_number_takes_up_at_once_what_was_left_out() {
    let dovecot = Dovecot::start();
    for (title, days) in [("40 Tage", 40), ("20 Tage", 20), ("10 Tage", 10), ("2 Tage", 2), ("neu", 0)] {
        deliver_aged(&dovecot, title, days * DAY);
    }
    let archivista = Archivista::new();
    let with = |days: u64| archivista.define(&Definition::of(&dovecot, "büro").with("min_age_days", days));
    with(30);
    assert_eq!(archivista.fetch_counts(), Counts { archived: 1, left_out: 4, ..Counts::default() });
    with(15);
    assert_eq!(archivista.fetch_counts(), Counts { archived: 1, left_out: 3, ..Counts::default() });
    assert_eq!(archived(&archivista), ["20 Tage", "40 Tage"]);
    assert_eq!(archivista.fetch_counts(), Counts::default());
    with(1);
    assert_eq!(archivista.fetch_counts(), Counts { archived: 2, left_out: 1, ..Counts::default() });
    with(0);
    assert_eq!(archivista.fetch_counts(), Counts::archived(1));
    assert_eq!(archivista.fetch_counts(), Counts::default());
    archive_equals_server(&archivista, &dovecot, USER, &["INBOX"]);
    archivista.verify();
}

#[test]
fn in_a_folder_that_is_listed_in_pieces() {
    let dovecot = Dovecot::start();
    for number in 0..2_400 {
        deliver_aged(&dovecot, &format!("Mail {number}"), if number % 3 == 0 { 0 } else { 10 * DAY });
    }
    let archivista = Archivista::new();
    archivista.define(&Definition::of(&dovecot, "büro").with("min_age_days", 5));
    assert_eq!(archivista.fetch_counts(), Counts { archived: 1_600, left_out: 800, ..Counts::default() });
    assert_eq!(archivista.fetch_counts(), Counts::default());
    archivista.define(&Definition::of(&dovecot, "büro"));
    assert_eq!(archivista.fetch_counts(), Counts::archived(800));
    assert_eq!(archivista.fetch_counts(), Counts::default());
    assert_eq!(archived(&archivista).len(), 2_400);
    let status = archivista.folder_status("INBOX");
    assert_eq!((&status["archived"], &status["left_out"]), (&2_400.into(), &serde_json::json!({})), "{status}");
}

#[test]
fn a_higher_number_leaves_out_what_waits_and_keeps_what_is_archived() {
    let dovecot = Dovecot::start();
    deliver_aged(&dovecot, "alt", 20 * DAY);
    deliver_aged(&dovecot, "gleich", DAY - SOON);
    let archivista = Archivista::new();
    archivista.define(&Definition::of(&dovecot, "büro").with("min_age_days", 1));
    assert_eq!(archivista.fetch_counts(), Counts { archived: 1, left_out: 1, ..Counts::default() });
    archivista.define(&Definition::of(&dovecot, "büro").with("min_age_days", 30));
    assert_eq!(archivista.fetch_counts(), left_out(1));
    thread::sleep(Duration::from_secs(SOON));
    assert_eq!(archivista.fetch_counts(), Counts::default(), "its day is a month away now");
    assert_eq!(archived(&archivista), ["alt"]);
}

#[test]
fn a_young_mail_that_goes_before_its_day_is_explained() {
    let dovecot = Dovecot::start();
    deliver_aged(&dovecot, "kurz da", DAY - SOON);
    let archivista = Archivista::new();
    archivista.define(&Definition::of(&dovecot, "büro").with("min_age_days", 1));
    assert_eq!(archivista.fetch_counts(), left_out(1));
    dovecot.remove(USER, "INBOX", 1);
    assert_eq!(fetch_until_something_happens(&archivista), left_out(1));
    let status = archivista.folder_status("INBOX");
    assert_eq!(status["left_out"], serde_json::json!({ "gone before its turn": 1 }), "{status}");
    assert_eq!(archivista.fetch_counts(), Counts::default());
}
