//! Promise: the pictures of the administration show what was archived, and how runs went; whoever does not see them reads the same
//! numbers.

use crate::support::web::Site;
use archivista::archive::commit::{Commit, Run};
use archivista::clock;
use archivista::settings::administration::ZONE;
use archivista::settings::{self, users::Role};
use jiff::{Timestamp, tz::TimeZone};

fn mail(number: usize) -> Vec<u8> {
    format!("From: a@example.ch\r\nSubject: Mail {number}\r\n\r\nText {number}\r\n").into_bytes()
}

/// Now, as the archive's zone writes it.
fn today(pattern: &str) -> String {
    let zone = TimeZone::get(ZONE).unwrap();
    Timestamp::from_second(clock::now()).unwrap().to_zoned(zone).strftime(pattern).to_string()
}

fn packs(site: &Site) -> u64 {
    let packs = std::fs::read_dir(site.data().join("packs")).unwrap();
    packs.map(|pack| pack.unwrap().metadata().unwrap().len()).sum()
}

#[test]
fn what_was_archived_is_in_the_pictures_and_in_the_table() {
    let site = Site::new();
    let chefin = site.user("chefin", Role::Administrator, &[]);
    let page = |path: &str| {
        let answer = site.get(Some(&chefin), path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.text()
    };
    // Nothing is drawn of nothing.
    assert!(!page("/admin").contains("<svg"));
    assert!(!page("/admin/growth").contains("<svg"));

    let mut written = 0;
    let begun = today("%d.%m.%Y");
    for count in [3, 5, 6] {
        while written < count {
            written += 1;
            site.mail("anna", &mail(written), 1_700_000_000);
        }
        // The same mail again is no further document.
        site.mail("anna", &mail(1), 1_700_000_000);
        let before = begun.clone();
        let overview = page("/admin");
        if before != today("%d.%m.%Y") {
            return; // Midnight went by.
        }
        for part in [
            "<figcaption>New documents per day</figcaption>".to_owned(),
            format!("<title>{before}: {count}</title>"),
            format!("aria-label=\"{count} new documents; the table has the numbers.\""),
            format!("<td>{before}</td><td class=\"number\">{count}</td>"),
            "this archive is 0 days old".to_owned(),
        ] {
            assert!(overview.contains(&part), "{part}: {overview}");
        }
        // One bar for today, in either picture; 60 places.
        let drawn = |class: &str| overview.matches(&format!("<rect class=\"{class}\"")).count();
        assert_eq!((drawn("bar"), drawn("place"), drawn("mark")), (2, 120, 0));
        let months = page("/admin/growth");
        let month = today("%m.%Y");
        assert!(months.contains(&format!("<td>{month}</td><td class=\"number\">{count}</td>")), "{months}");
        let bytes = archivista::web::show::size(archivista::language::Lang::En, packs(&site));
        assert!(months.contains(&format!("<title>{month}: {bytes}</title>")), "{bytes}: {months}");
    }
}

#[test]
fn runs_are_drawn_with_what_they_brought_and_what_went_wrong() {
    let site = Site::new();
    let chefin = site.user("chefin", Role::Administrator, &[]);
    let file = site.data().join("company.toml");
    let definition =
        "name = \"company\"\nmodule = \"imap\"\nserver = \"imap.example.ch\"\naccount = \"a\"\npassword = \"b\"\n";
    std::fs::write(&file, definition).unwrap();
    settings::put(&site.web.archive, &settings::definition_file::read(&file).unwrap(), "test").unwrap();
    let run = |started: i64, seconds: i64, archived: u64, trouble: &str| Run {
        definition: "company".into(),
        started,
        ended: started + seconds,
        archived,
        trouble: trouble.into(),
        ..Run::default()
    };
    // More than are drawn: the oldest fall off.
    let mut runs: Vec<Run> = (0..70).map(|n| run(1_700_000_000 + n * 300, 2, 0, "")).collect();
    runs.push(run(1_700_100_000, 1200, 4321, ""));
    runs.push(run(1_700_200_000, 30, 0, "the server <went> away"));
    let other = Run { definition: "other".into(), archived: 99_999, ..run(1_700_300_000, 1, 0, "") };
    runs.push(other);
    for run in runs {
        site.web.archive.commit(Commit { runs: vec![run], ..Commit::default() }).unwrap();
    }
    let page = site.get(Some(&chefin), "/admin/sources/company").text();
    for part in [
        "60 runs, 1 of them with trouble or failed mails; the table has the numbers.",
        "<title>16.11.2023 03:00: 4,321</title>",
        "<title>16.11.2023 03:00: 20 minutes</title>",
        "A red stripe over the whole height",
        "<figcaption>New mails</figcaption>",
        "<span>6,000</span><span>3,000</span><span>0</span>",
        "<span>20 min</span><span>10 min</span><span>0</span>",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains("99,999") && !page.contains("<went>"), "{page}");
    let drawn = |class: &str| page.matches(&format!("<rect class=\"{class}\"")).count();
    assert_eq!((drawn("place"), drawn("mark")), (120, 2));
    // The picture of nothing new is empty, that of durations is not.
    assert_eq!(drawn("bar"), 1 + 60);
}
