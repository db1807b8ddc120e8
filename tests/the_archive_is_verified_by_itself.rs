//! Promise: every 30 days the archive reads itself as a whole, whatever the clock did and however often the box started again.
//! Each verification leaves a report that names what is damaged by document number, and damage stops nothing.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::administering::Administering;
use crate::support::archivista::Archivista;
use crate::support::around::Around;
use crate::support::serving::{ADMINISTRATOR, Serving};
use crate::support::small;
use archivista::appliance::state::Clock;
use archivista::archive::commit::Happening;
use archivista::archive::log::Finding;
use archivista::archive::record::Kind;
use archivista::archive::scrub::{Reading, read};
use archivista::archive::verify::Report;
use archivista::archive::{Archive, ArchiveError};
use archivista::clock;
use archivista::limits::{VERIFICATION_FINDINGS, VERIFICATIONS};
use archivista::pulse::Pulse;
use archivista::settings::verifications::{self, By, Standing, Verification};
use archivista::verification::Verifier;
use archivista::verification::scrub::{self, Kept, Manner};
use serde_json::Value;

const DAY: i64 = 86_400;
const HANGS_AFTER: Duration = Duration::from_mins(1);
const AT_ONCE: Manner = Manner { look: Duration::from_millis(10), share: 1, rate: u64::MAX };
const PASSWORD: &str = "Auch ein ganzer Satz.";

/// Eight mails in several packs, last verified so many days ago.
fn archive(archivista: &Archivista, days: i64) -> Archive {
    let archive = small::open_sized(&archivista.data(), 1000);
    for (from, to) in [(1, 2), (3, 3), (4, 6), (7, 8)] {
        small::archive(&archive, from, to);
    }
    verified(&archive, clock::now() - days * DAY);
    archive
}

fn verified(archive: &Archive, ended: i64) -> u64 {
    let report = Verification::of(By::Scrub, "archivista", ended, &Report::default(), None);
    verifications::keep(archive, Verification { ended, ..report }).unwrap()
}

/// Changes a byte within the sealed message of document 2, or puts it back.
fn flip(data: &Path) {
    let place = small::records(data, 1).into_iter().filter(|place| place.kind == Kind::Message).nth(1);
    let at = place.map_or_else(|| panic!("no second message"), |place| place.end() - 30);
    let file = fs::File::options().read(true).write(true).open(small::pack(data, 1)).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[byte[0] ^ 1], at).unwrap();
}

/// Lets the scrub work until it has left report `number`, and a while longer.
fn scrubbed(archive: &Archive, verifier: &Verifier, number: u64) -> Verification {
    let pulse = Pulse::new();
    thread::scope(|scope| {
        let role = scope.spawn(|| scrub::run(archive, verifier, AT_ONCE, &pulse));
        let since = Instant::now();
        let last = || verifications::all(archive).unwrap().into_iter().next().filter(|last| last.number >= number);
        while last().is_none() && since.elapsed() < HANGS_AFTER {
            thread::sleep(Duration::from_millis(20));
        }
        // Were it due again, it would be done again.
        thread::sleep(Duration::from_millis(500));
        pulse.cancel();
        role.join().unwrap().unwrap();
        let last = last().expect("a report");
        assert_eq!(last.number, number);
        last
    })
}

#[test]
fn serve_finds_damage_names_it_everywhere_and_goes_on() {
    let archivista = Archivista::new();
    drop(archive(&archivista, 31));
    flip(&archivista.data());
    let serving = Serving::start(&archivista, &[]);
    let mut admin = Administering::of(serving.set_up(), &[]);
    let listed = |admin: &mut Administering, number: u64| {
        let link = format!("href=\"/admin/verification/{number}\"");
        admin.when("/admin/verification", |answer| answer.text().contains(&link))
    };
    // By itself.
    let page = listed(&mut admin, 2);
    assert!(
        page.contains("The last verification found damage.") && page.contains("the box, since it was time"),
        "{page}"
    );
    let report = admin.page("/admin/verification/2");
    assert!(report.contains("href=\"/documents/2\"") && !report.contains("href=\"/documents/3\""), "{report}");
    assert!(report.contains("document 2: its bytes are missing or damaged"), "{report}");
    let json: Value = serde_json::from_str(&admin.page("/admin/verification/2?as=json")).unwrap();
    assert_eq!((&json["by"], &json["damaged"], &json["documents"]), (&"scrub".into(), &[2].into(), &8.into()));
    assert!(admin.page("/admin/verification/2?as=text").contains("Damaged documents: 2\n"));
    assert_eq!(admin.get("/admin/verification/3").status, 404);
    let overview = admin.page("/admin");
    assert!(overview.contains("not all was well: ") && overview.contains("href=\"/admin/verification\""), "{overview}");
    assert!(admin.page("/admin/system").contains("The last verification found damage."));
    admin.done("/admin/metrics", &[("networks", "127.0.0.0/8 ::1")]);
    let metrics = admin.page("/metrics");
    assert!(metrics.contains("archivista_last_verification_damaged_documents 1\n"), "{metrics}");
    assert!(metrics.contains("archivista_verification_late 0\n"), "{metrics}");
    let status = archivista.run(&["status"]).ended_with(1).stdout;
    assert!(status.contains("UTC: DAMAGED, ") && status.contains("! damaged documents: 2\n"), "{status}");
    // All the others come out.
    let out = archivista.beside("out");
    archivista.run(&["export", "--all", "--format", "eml", "--out", out.to_str().unwrap()]).ended_with(1);
    for number in 1..=8 {
        let bytes = fs::read(out.join(format!("{number}.eml"))).ok();
        assert_eq!(bytes, (number != 2).then(|| small::mail(number)), "{number}");
    }

    // Mended, and verified by an auditor, who sees these pages and no others of the administration.
    flip(&archivista.data());
    let fields = [("user", "rita"), ("role", "auditor"), ("password", PASSWORD), ("again", PASSWORD)];
    admin.done("/admin/users", &fields);
    let mut auditor = Administering::of(serving.log_in("rita", PASSWORD), &[]);
    assert!(auditor.page("/").contains("href=\"/admin/proof\""));
    assert!(auditor.page("/admin/proof").contains("href=\"/admin/verification\""));
    auditor.done("/admin/verification", &[]);
    let page = listed(&mut auditor, 3);
    assert!(page.contains("At the last verification all of it could be read"), "{page}");
    assert!(!page.contains("href=\"/admin/system\""), "{page}");
    assert!(!auditor.page("/admin/verification/3").contains("Findings"));
    assert!(admin.page("/metrics").contains("archivista_last_verification_findings 0\n"));
    let status = archivista.run(&["status", "--json"]).succeeded().json_lines().remove(0);
    assert_eq!((&status["verification"]["number"], &status["verification"]["clean"]), (&3.into(), &true.into()));

    // From the command line; a quick look is none.
    archivista.run(&["verify", "--quick"]).succeeded();
    archivista.run(&["verify"]).succeeded();
    let page = listed(&mut admin, 4);
    assert!(page.contains("command line") && !page.contains("/admin/verification/5"), "{page}");
    drop(serving);

    // Nobody has it open: nothing is changed.
    archivista.run(&["verify"]).succeeded();
    let archive = small::open(&archivista.data());
    assert_eq!(verifications::all(&archive).unwrap().len(), 4);
    let (events, _) = archive.view().unwrap().events(1000, 1000, |_| true).unwrap();
    let mut said: Vec<(String, bool)> = events
        .into_iter()
        .filter_map(|event| match event.what {
            Happening::Verified(findings) => Some((event.who, findings > 0)),
            _ => None,
        })
        .collect();
    said.reverse();
    let expected = [("archivista", false), ("archivista", true), ("rita", false), ("console", false)];
    assert_eq!(said, expected.map(|(who, is_damaged)| (who.to_owned(), is_damaged)));
    assert_ne!(ADMINISTRATOR.0, "rita");
}

#[test]
fn a_scrub_goes_on_where_it_stood() {
    let archivista = Archivista::new();
    let archive = archive(&archivista, 31);
    let data = archivista.data();
    // As a process that ended in its middle left it.
    let (mut calls, mut through) = (0, None);
    let mut progress = |_, _| {
        calls += 1;
        if calls < 3 { Ok(()) } else { Err(ArchiveError::Stopped { what: "test".into() }) }
    };
    let broken = read(&archive, &mut Reading::default(), &mut progress, &mut |reading| through = Some(reading.clone()));
    assert!(broken.is_err());
    let reading = through.expect("a pack was read");
    assert!(reading.position.pack >= 1 && reading.documents >= 2 && reading.documents < 8, "{reading:?}");
    let began = clock::now() - 3600;
    Kept { began, reading }.write(&data);
    // What was read is not read again, so this is for the next one to find.
    flip(&data);
    let verifier = Verifier::default();
    let report = scrubbed(&archive, &verifier, 2);
    assert!(report.is_clean(), "{report:?}");
    assert_eq!((report.began, report.documents, report.by), (began, 8, By::Scrub));
    assert!(!data.join("scrub.cbor").exists());
    let found = verifier.run(&archive, By::Console, "console", &Pulse::new()).unwrap();
    assert_eq!(verifications::all(&archive).unwrap()[0].damaged, [2]);
    assert!(!found.findings.is_empty());
    // A scrub that finds it says the same.
    verified(&archive, clock::now() - 31 * DAY);
    let whole = scrubbed(&archive, &verifier, 5);
    assert_eq!((whole.damaged.as_slice(), whole.findings), (&[2][..], found.findings.count()));
    // Where the packs are others by now it begins anew.
    let mut other = Reading::default();
    read(&archive, &mut other, &mut |_, _| Ok(()), &mut |_| ()).unwrap();
    other.position.commit.0[0] ^= 1;
    other.findings = archivista::archive::log::Findings::default();
    read(&archive, &mut other, &mut |_, _| Ok(()), &mut |_| ()).unwrap();
    assert!(other.documents == 8 && !other.findings.is_empty());
}

#[test]
fn it_waits_for_the_clock_and_a_clock_that_goes_back_costs_one_verification() {
    let archivista = Archivista::new();
    let archive = archive(&archivista, 31);
    let (mut around, link) = Around::well();
    around.change(&link, |state| state.clock = Clock::Unknown);
    let verifier = Verifier::new(Some(link.clone()));
    let pulse = Pulse::new();
    thread::scope(|scope| {
        scope.spawn(|| scrub::run(&archive, &verifier, AT_ONCE, &pulse));
        thread::sleep(Duration::from_millis(500));
        pulse.cancel();
    });
    assert_eq!(verifications::all(&archive).unwrap().len(), 1);
    around.change(&link, |state| state.clock = Clock::Own);
    assert!(scrubbed(&archive, &verifier, 2).is_clean());
    // One was noted by a clock that was ten years ahead.
    verified(&archive, clock::now() + 3650 * DAY);
    assert!(scrubbed(&archive, &verifier, 4).is_clean());
    let standing = Standing::at(&archive, clock::now()).unwrap();
    assert!(standing.late.is_none() && standing.next.is_some_and(|next| next > clock::now() + 29 * DAY));
}

#[test]
fn none_for_long_is_told() {
    let archivista = Archivista::new();
    let archive = archive(&archivista, 41);
    assert_eq!(Standing::at(&archive, clock::now()).unwrap().late, Some(41));
    drop(archive);
    let status = archivista.run(&["status"]).ended_with(1).stdout;
    assert!(status.contains("! not verified as a whole for 41 days"), "{status}");
}

#[test]
fn reports_do_not_grow() {
    let archivista = Archivista::new();
    let archive = archive(&archivista, 0);
    let mut found = Report::default();
    for number in 0..2000 {
        let what = "x".repeat(1000);
        found.findings.push(Finding { path: "000001.pack".into(), offset: None, document: Some(number), what });
    }
    let report = Verification::of(By::Person, "anna", 0, &found, None);
    assert_eq!((report.findings, report.lines.len(), report.damaged.len()), (2000, VERIFICATION_FINDINGS, 1000));
    for _ in 0..2 * VERIFICATIONS {
        verifications::keep(&archive, report.clone()).unwrap();
    }
    let numbers: Vec<u64> = verifications::all(&archive).unwrap().iter().map(|report| report.number).collect();
    let last = 2 * VERIFICATIONS as u64 + 1;
    assert!(numbers.into_iter().eq((last - VERIFICATIONS as u64 + 1..=last).rev()));
    assert_eq!(archive.view().unwrap().settings("verification/").unwrap().len(), VERIFICATIONS);
}
