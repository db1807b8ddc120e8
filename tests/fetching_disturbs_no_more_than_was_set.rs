//! Promise: in quiet hours nothing is fetched, a bandwidth is never exceeded, and a source from which nothing new comes is told
//! of. An administrator sets it on a page; a program sets the same.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::administering::Administering;
use crate::support::archivista::{Archivista, Counts};
use crate::support::definition::Definition;
use crate::support::dovecot::{Dovecot, USER};
use crate::support::mails;
use crate::support::web::Site;
use archivista::archive::commit::{Commit, Run};
use archivista::clock;
use archivista::settings::definition_file;
use archivista::settings::tokens::Rights;
use archivista::settings::users::Role;
use archivista::web::request::Method;

const PAGE: &str = "/admin/fetching";

/// From two hours ago to in two hours, every day, as the clock on the wall goes where the archive is.
fn around_now() -> String {
    let now = jiff::Timestamp::now().in_tz("Europe/Zurich").unwrap();
    let at = |hours: i8| format!("{:02}:{:02}", (now.hour() + hours).rem_euclid(24), now.minute());
    format!("{}-{}", at(-2), at(2))
}

#[test]
fn in_quiet_hours_nothing_is_fetched() {
    let dovecot = Dovecot::start();
    dovecot.deliver(USER, "INBOX", &mails::tiny("1@example.ch", "Erste"));
    let archivista = Archivista::new();
    let (_serving, mut admin) = Administering::start(&archivista, &[]);
    admin.speak("de");
    let quiet = around_now();
    admin.done(PAGE, &[("quiet", &quiet)]);
    assert!(admin.page(PAGE).contains(&quiet));
    archivista.define(&Definition::of(&dovecot, "office"));
    let overview = admin.page("/admin");
    assert!(overview.contains("Es ist Ruhezeit: Das Archivieren geht weiter "), "{overview}");
    // A run that is asked for waits as well.
    admin.done("/admin/sources/office/run", &[]);
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(archivista.list().len(), 0);
    let status = archivista.run(&["status", "--json"]);
    assert_eq!(status.json_lines()[0]["waits"], "quiet");
    let fetch = archivista.run(&["fetch"]).ended_with(1);
    assert!(fetch.stderr.contains("These are quiet hours: archiving goes on "), "{}", fetch.stderr);
    admin.done(PAGE, &[]);
    admin.when("/", |answer| answer.text().contains("Erste"));
}

#[test]
fn a_bandwidth_is_never_exceeded() {
    let dovecot = Dovecot::start();
    // Random bytes as text: nothing on the way makes them fewer.
    let body = mails::sample(1)[0].repeat(1 + 300_000 / mails::sample(1)[0].len());
    let mail = [b"Subject: gross\r\nMessage-ID: <gross@example.ch>\r\n\r\n".as_slice(), &body].concat();
    dovecot.deliver(USER, "INBOX", &mail);
    let archivista = Archivista::new();
    let (serving, mut admin) = Administering::start(&archivista, &[]);
    admin.done(PAGE, &[("bandwidth", "100")]);
    drop(serving);
    archivista.define(&Definition::of(&dovecot, "office"));
    let began = Instant::now();
    assert_eq!(archivista.fetch_counts(), Counts::archived(1));
    // 300 kB at 100 kB/s; however slow the machine, it cannot be quicker.
    assert!(began.elapsed() >= Duration::from_millis(2900), "{:?}", began.elapsed());
    archivista.verify();
}

#[test]
fn mistakes_are_said_beside_the_field() {
    let archivista = Archivista::new();
    let (_serving, mut admin) = Administering::start(&archivista, &[]);
    for (lang, sentences) in [
        ("de", ["«Montag» ist keine Zeit", "50 bis 10000000", "«25-26» ist keine Zeit", "1 bis 8760 Stunden"]),
        ("en", ["\"Montag\" is no time", "50 to 10000000", "\"25-26\" is no time", "1 to 8760 hours"]),
    ] {
        admin.speak(lang);
        let fields = [("quiet", "Mo-Fr 8-18\nMontag"), ("bandwidth", "49"), ("bounded", "25-26"), ("silence", "x")];
        let answer = admin.post(PAGE, &fields);
        assert_eq!(answer.status, 400);
        let text = answer.text().replace("&quot;", "\"");
        for sentence in sentences {
            assert!(text.contains(sentence), "{sentence}: {text}");
        }
        // What was written is still there.
        assert!(text.contains("Mo-Fr 8-18\nMontag"), "{text}");
        let always = admin.post(PAGE, &[("quiet", "0-24")]);
        assert_eq!(always.status, 400);
    }
    admin.done(PAGE, &[("quiet", "Mo-Fr 8-18\nSu 20-22"), ("silence", "48")]);
    assert!(admin.page(PAGE).contains("Mo-Fr 08:00-18:00\nSu 20:00-22:00"));
    admin.speak("de");
    assert!(admin.page(PAGE).contains("Mo-Fr 08:00-18:00\nSo 20:00-22:00"));
}

#[test]
fn a_program_sets_the_same() {
    let site = Site::new();
    site.user("chefin", Role::Administrator, &[]);
    let token = site.api_token("chefin", Rights { administer: true, ..Rights::default() });
    let set = |body: Value| site.call(&token, Method::Patch, "/fetching", &body);
    let first = site.call(&token, Method::Get, "/fetching", &Value::Null).json();
    let shown = |set: Value| {
        let mut all =
            json!({ "paused": false, "waits": null, "quiet": [], "bandwidth": null, "bounded": [], "silence": 120 });
        all.as_object_mut().unwrap().extend(set.as_object().unwrap().clone());
        all
    };
    assert_eq!(first, shown(json!({})));
    // Quiet hours would be waited for, if it is such an hour.
    let answer = set(json!({ "bounded": ["mo-fr 8-18", "so 22-6"], "bandwidth": 200 }));
    let expected = shown(json!({ "bounded": ["Mo-Fr 08:00-18:00", "Su 22:00-06:00"], "bandwidth": 200 }));
    assert_eq!((answer.status, answer.json()), (200, expected.clone()));
    // What is not sent stays; what is wrong changes nothing.
    for (body, at) in [
        (json!({ "quiet": ["0-24"] }), "/quiet"),
        (json!({ "bounded": ["nachts"], "bandwidth": 100 }), "/bounded"),
        (json!({ "bandwidth": 1 }), "/bandwidth"),
        (json!({ "silence": 0 }), "/silence"),
    ] {
        let answer = set(body);
        assert_eq!((answer.status, &answer.json()["errors"][0]["at"]), (400, &at.into()), "{}", answer.text());
    }
    assert_eq!(set(json!({})).json(), expected);
    assert_eq!(set(json!({ "bandwidth": null, "silence": null })).json()["silence"], Value::Null);
}

#[test]
fn silence_is_told_of() {
    let site = Site::new();
    site.user("chefin", Role::Administrator, &[]);
    let cookie = site.session("chefin");
    let file = site.data().join("office.toml");
    let text = "name = 'office'\nmodule = 'imap'\nserver = 'imap.example.ch'\naccount = 'anna'\npassword = 'x'\n";
    std::fs::write(&file, text).unwrap();
    archivista::settings::put(&site.web.archive, &definition_file::read(&file).unwrap(), "test").unwrap();
    let told = || site.get(Some(&cookie), "/admin").text().contains("No new mail came for more than ");
    let run = |hours: i64, archived: u64| {
        let at = clock::now() - hours * 3600;
        let run = Run { definition: "office".into(), started: at, ended: at, archived, ..Run::default() };
        site.web.archive.commit(Commit { runs: vec![run], ..Commit::default() }).unwrap();
    };
    assert!(!told(), "it never ran");
    run(200, 7);
    run(100, 0);
    assert!(told());
    let set = |silence: &str| assert_eq!(site.post(&cookie, PAGE, &[("silence", silence)]).status, 303);
    set("300");
    assert!(!told());
    set("");
    assert!(!told());
    set("120");
    assert!(told());
    site.web.fetcher.board.note_new("office", clock::now());
    assert!(!told());
}

/// What is archived stays, the run is no trouble, and what is left comes afterwards.
#[test]
fn a_run_ends_when_a_quiet_hour_begins() {
    let dovecot = Dovecot::start();
    // At the least bandwidth it takes a minute.
    for number in 0..30 {
        let body = "Zeile um Zeile um Zeile\r\n".repeat(4000);
        let mail = format!("Subject: Nr. {number}\r\nMessage-ID: <{number}@example.ch>\r\n\r\n{body}");
        dovecot.deliver(USER, "INBOX", mail.as_bytes());
    }
    let archivista = Archivista::new();
    let (_serving, mut admin) = Administering::start(&archivista, &[]);
    admin.done(PAGE, &[("bandwidth", "50")]);
    archivista.define(&Definition::of(&dovecot, "office"));
    admin.when("/", |answer| answer.text().contains("Nr. "));
    admin.done(PAGE, &[("quiet", &around_now())]);
    let page = admin.when("/admin/sources/office", |answer| !answer.text().contains("<progress"));
    let some = archivista.list().len();
    assert!((1..30).contains(&some), "{some}");
    assert!(!page.contains("cancelled"), "{page}");
    admin.done(PAGE, &[]);
    while archivista.list().len() < 30 {
        std::thread::sleep(Duration::from_millis(200));
    }
    archivista.verify();
}
