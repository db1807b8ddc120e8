//! Promise: what was chosen or found leaves the archive as one ZIP file, byte for byte, under names that harm nobody, in constant
//! memory, and nobody gets what he may not read. Python's `zipfile` is the one who says what is in it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::archivista::{Archivista, of_status};
use crate::support::hash::sha256;
use crate::support::https::Https;
use crate::support::serving::{Serving, covered};
use crate::support::web::{Answer, HOST, Site};
use crate::support::{mails, must_run, small, tool};
use archivista::archive::commit::Happening;
use archivista::archive::record::Kind;
use archivista::settings::tokens::Rights;
use archivista::settings::users::{self, Role};
use archivista::web::request::Method;

const READ: Rights = Rights { read: true, change: false, administer: false, metrics: false };
const NAMES: [&str; 9] = [
    "../../etc/passwd",
    "..\\..\\windows\\system.ini",
    "CON",
    "nul.txt",
    "🎉🎉.pdf",
    "rech\u{202e}fdp.exe",
    "plan.pdf",
    "Plan.PDF",
    ".htaccess",
];

/// The files of a ZIP file, in their order.
fn unzip(path: &Path) -> Vec<Value> {
    let told = must_run(Command::new(tool("unzip.py")).arg(path));
    serde_json::from_str::<Value>(&told).unwrap().as_array().unwrap().clone()
}

fn unzipped(bytes: &[u8]) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.zip");
    fs::write(&path, bytes).unwrap();
    unzip(&path)
}

fn name(file: &Value) -> &str {
    file["name"].as_str().unwrap()
}

/// SHA-256 of all that is in it but the list.
fn hashes(files: &[Value]) -> BTreeSet<String> {
    files.iter().filter(|file| name(file) != "index.csv").map(|file| file["sha256"].as_str().unwrap().into()).collect()
}

/// The lines of the list, without the first.
fn list(bytes: &[u8]) -> Vec<Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.zip");
    fs::write(&path, bytes).unwrap();
    let script = "import csv, io, json, sys, zipfile\n\
        text = zipfile.ZipFile(sys.argv[1]).read('index.csv').decode('utf-8-sig')\n\
        print(json.dumps(list(csv.reader(io.StringIO(text, newline=''), delimiter=';'))[1:]))";
    serde_json::from_str(&must_run(Command::new("python3").arg("-c").arg(script).arg(&path))).unwrap()
}

fn export(site: &Site, cookie: &str, numbers: &[u64]) -> Answer {
    let numbers: Vec<String> = numbers.iter().map(u64::to_string).collect();
    let mut fields = vec![("action", "export")];
    fields.extend(numbers.iter().map(|number| ("number", number.as_str())));
    let answer = site.post(cookie, "/selection", &fields);
    assert_eq!((answer.status, answer.header("Content-Type")), (200, Some("application/zip")), "{}", answer.text());
    answer
}

#[test]
fn hostile_names_harm_nobody_and_every_byte_is_there() {
    let site = Site::new();
    let anna = site.user("anna", Role::User, &["anna"]);
    let mut truth = BTreeMap::new();
    let long = format!("{}.pdf", "ü".repeat(300));
    for (place, name) in NAMES.into_iter().chain([long.as_str()]).enumerate() {
        let bytes = format!("file {place}").into_bytes();
        truth.insert(site.file(&anna, name, &bytes), bytes);
    }
    // Two files of the same name, and mails with hostile subjects.
    let again = b"another plan".to_vec();
    truth.insert(site.file(&anna, "plan.pdf", &again), again);
    for (place, subject) in ["../x", "=HYPERLINK(1)", "Offerte; \"gross\"", "", "COM1"].into_iter().enumerate() {
        let raw = format!("From: Zoë <z@example.ch>\r\nTo: a@example.ch\r\nSubject: {subject}\r\n\r\nMail {place}\r\n");
        truth
            .insert(site.mail("anna", raw.as_bytes(), 1_700_000_000 + i64::try_from(place).unwrap()), raw.into_bytes());
    }
    let numbers: Vec<u64> = truth.keys().copied().collect();
    let answer = export(&site, &anna, &numbers);
    let files = unzipped(&answer.body);
    assert_eq!(files.len(), truth.len() + 1);
    assert_eq!(hashes(&files), truth.values().map(|bytes| sha256(bytes)).collect());
    for file in &files {
        let name = name(file);
        assert!(name.len() <= 255 && !name.contains(['/', '\\', ':', '\u{202e}']), "{name}");
    }
    let mail = files.iter().find(|file| name(file).ends_with("_x.eml")).unwrap();
    assert!(name(mail).starts_with("2023-11-14_"), "{mail}");
    assert_eq!(mail["time"], json!([2023, 11, 14, 23, 13, 20]), "the time of this country");
    let names: BTreeSet<&str> = files.iter().map(name).collect();
    assert!(names.iter().any(|name| name.ends_with("_🎉🎉.pdf")) && names.contains("index.csv"));

    let rows = list(&answer.body);
    assert_eq!(rows.len(), truth.len());
    for row in &rows {
        let number: u64 = row[0].parse().unwrap();
        assert_eq!(row[5], sha256(&truth[&number]));
        assert!(names.contains(row[7].as_str()) && row[8].is_empty(), "{row:?}");
    }
    // What a spreadsheet would take for a formula is a text, and a semicolon is none between columns.
    assert!(rows.iter().any(|row| row[4] == "'=HYPERLINK(1)"));
    assert!(rows.iter().any(|row| row[4] == "Offerte; \"gross\"" && row[2] == "Zoë <z@example.ch>"));
    let noted = site.journal().into_iter().find_map(|event| match event.what {
        Happening::ExportedSome(numbers) => Some((event.who, numbers)),
        _ => None,
    });
    assert_eq!(noted, Some(("anna".into(), numbers)));
}

/// An answer to whoever asked for these documents, which is not sent yet.
fn begun(site: &Site, cookie: &str, numbers: &[u64]) -> archivista::web::Response {
    let mut form = format!("csrf={}&action=export", archivista::web::request::encode(&site.token(cookie)));
    for number in numbers {
        form.push_str(&format!("&number={number}"));
    }
    let headers = [
        ("cookie", format!("{}={cookie}", archivista::web::session::COOKIE)),
        ("content-type", "application/x-www-form-urlencoded".into()),
        ("host", HOST.into()),
        ("x-scheme", "https".into()),
        ("x-peer", "192.0.2.7".into()),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value)).to_vec();
    let body = archivista::web::request::Body::Bytes(form.into_bytes());
    archivista::web::routes::answer(
        &site.web,
        &archivista::web::Request::new(Method::Post, "/selection", headers, body),
    )
}

#[test]
fn an_export_ends_with_the_rights_of_whoever_asked() {
    let site = Site::new();
    let anna = site.user("anna", Role::User, &["anna", "beat"]);
    let raw = |subject: &str| format!("Subject: {subject}\r\n\r\n{subject}\r\n").into_bytes();
    let own = site.mail("anna", &raw("own"), 1);
    let other = site.mail("beat", &raw("other"), 2);
    let write = |response: archivista::web::Response| {
        let mut bytes = Vec::new();
        response.write(Method::Post, &mut bytes).map(|()| bytes)
    };
    let has = |bytes: &[u8], text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    let whole = write(begun(&site, &anna, &[own, other])).unwrap();
    assert!(has(&whole, "Subject: own") && has(&whole, "Subject: other"));
    // One mailbox is taken away while it is under way.
    let under_way = begun(&site, &anna, &[own, other]);
    let user = users::user(&site.web.archive, "anna").unwrap().unwrap();
    let fewer = users::User { mailboxes: user.mailboxes[..1].to_vec(), ..user.clone() };
    users::put_user(&site.web.archive, &fewer, "test").unwrap();
    let rest = write(under_way).unwrap();
    assert!(has(&rest, "Subject: own") && !has(&rest, "Subject: other"));
    // All of it: what is sent breaks off, and is no whole file.
    let under_way = begun(&site, &anna, &[own]);
    users::put_user(&site.web.archive, &users::User { inactive: true, ..fewer }, "test").unwrap();
    assert!(write(under_way).is_err());
}

#[test]
fn a_pack_that_cannot_be_read_costs_no_other_document() {
    let site = Site::new();
    let anna = site.user("anna", Role::User, &["anna"]);
    let number = site.mail("anna", b"Subject: lost\r\n\r\nx\r\n", 1);
    // Reading fails here as on a disk with a bad sector.
    let pack = site.data().join("packs/000001.pack");
    fs::rename(&pack, pack.with_extension("away")).unwrap();
    fs::create_dir(&pack).unwrap();
    let rows = list(&export(&site, &anna, &[number]).body);
    fs::remove_dir(&pack).unwrap();
    fs::rename(pack.with_extension("away"), &pack).unwrap();
    assert_eq!(rows.len(), 1);
    assert!(rows[0][0] == number.to_string() && rows[0][7].is_empty() && rows[0][8].contains("damaged"), "{rows:?}");
}

#[test]
fn nobody_gets_what_another_may_read() {
    let site = Site::new();
    let mail = |who: &str| format!("Subject: von {who}\r\n\r\nx").into_bytes();
    let (of_anna, of_beat) = (site.mail("anna", &mail("anna"), 1), site.mail("beat", &mail("beat"), 2));
    let anna = site.user("anna", Role::User, &["anna"]);
    let answer = export(&site, &anna, &[of_anna, of_beat, 4711]);
    assert_eq!(hashes(&unzipped(&answer.body)), [sha256(&mail("anna"))].into());
    for query in ["", "von", "betreff:beat"] {
        let answer = site.post(&anna, "/export", &[("q", query)]);
        let expected = if query.contains("beat") { BTreeSet::new() } else { [sha256(&mail("anna"))].into() };
        assert_eq!(hashes(&unzipped(&answer.body)), expected, "{query}");
        let page = site.get(Some(&anna), &format!("/export?q={query}"));
        assert!(!page.text().contains("Documents: 2"), "{}", page.text());
    }
    assert!(site.get(Some(&anna), "/export").text().contains("Documents: 1"));
    // Only what was handed out is noted.
    let all: BTreeSet<u64> = site
        .journal()
        .into_iter()
        .filter_map(|event| if let Happening::ExportedSome(numbers) = event.what { Some(numbers) } else { None })
        .flatten()
        .collect();
    assert_eq!(all, [of_anna].into());

    let token = site.api_token("anna", READ);
    let post = |body: &Value| site.call(&token, Method::Post, "/exports", body);
    let zip = post(&json!({ "numbers": [of_anna] }));
    assert_eq!(hashes(&unzipped(&zip.body)), [sha256(&mail("anna"))].into());
    let zip = post(&json!({ "q": "von", "only": "mails" }));
    assert_eq!(hashes(&unzipped(&zip.body)), [sha256(&mail("anna"))].into());
    assert_eq!(hashes(&unzipped(&post(&json!({ "q": "", "only": "files" })).body)), BTreeSet::new());
    let (foreign, missing) = (post(&json!({ "numbers": [of_beat] })), post(&json!({ "numbers": [4711] })));
    assert_eq!((foreign.status, foreign.text()), (400, missing.text()));
    for wrong in [json!({}), json!({ "numbers": [] }), json!({ "numbers": [1], "q": "x" }), json!({ "numbers": [0] })] {
        assert_eq!(post(&wrong).status, 400, "{wrong}");
    }
}

#[test]
fn a_search_leaves_page_by_page_until_its_end() {
    let archivista = Archivista::new();
    {
        let archive = small::open(&archivista.data());
        for from in (1..=700).step_by(100) {
            small::archive(&archive, from, from + 99);
        }
    }
    let serving = Serving::start(&archivista, &[]);
    let mut browser = serving.set_up();
    let csrf = browser.get("/export").csrf();
    let answer = browser.post("/export", &[("csrf", &csrf), ("q", "mail")]);
    assert_eq!(answer.status, 200);
    let files = unzipped(&answer.body);
    assert_eq!(hashes(&files), (1..=700).map(|number| sha256(&small::mail(number))).collect());
    assert_eq!(list(&answer.body).len(), 700);
    drop(serving);

    // The same on the command line, with one that is damaged: it is named, and costs no other.
    let pack = fs::read_dir(archivista.data().join("packs")).unwrap().next().unwrap().unwrap().path();
    let records = small::records(&archivista.data(), 1);
    let record = records.iter().find(|record| record.kind == Kind::Message).unwrap();
    let mut bytes = fs::read(&pack).unwrap();
    let place = usize::try_from(record.end() - 8).unwrap();
    bytes[place] ^= 1;
    fs::write(&pack, bytes).unwrap();
    let out = archivista.beside("out");
    let told = archivista.run(&["export", "--all", "--format", "zip", "--out", out.to_str().unwrap()]).ended_with(1);
    assert!(told.stderr.contains("document 1 is damaged") && told.stderr.contains("699 exported, 1 not"), "{told:?}");
    let zip = out.join("documents-1.zip");
    assert_eq!(hashes(&unzip(&zip)), (2..=700).map(|number| sha256(&small::mail(number))).collect());
    let rows = list(&fs::read(&zip).unwrap());
    assert!(rows.len() == 700 && rows[0][7].is_empty() && rows[0][8].contains("damaged"), "{:?}", rows[0]);
    let some = archivista.beside("some");
    archivista.run(&["export", "7", "9", "--format", "zip", "--out", some.to_str().unwrap()]).succeeded();
    assert_eq!(hashes(&unzip(&some.join("documents-7.zip"))), [7, 9].map(|number| sha256(&small::mail(number))).into());
    let missing = archivista.run(&["export", "4711", "--format", "zip", "--out", some.to_str().unwrap()]).ended_with(1);
    assert!(missing.stderr.contains("no document 4711"), "{missing:?}");
}

fn upload(browser: &mut Https, csrf: &str, name: &str, bytes: &[u8]) {
    let mut body = format!(
        "--=x\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n{csrf}\r\n--=x\r\nContent-Disposition: form-data; \
         name=\"files\"; filename=\"{name}\"\r\n\r\n"
    )
    .into_bytes();
    body.extend(bytes);
    body.extend(b"\r\n--=x--\r\n");
    let headers = [("Content-Type", "multipart/form-data; boundary=\"=x\"")];
    let answer = browser.ask("POST", "/upload", &headers, &body);
    assert_eq!(answer.status, 303, "{}", answer.text());
}

#[test]
fn a_document_of_150_megabytes_needs_no_memory_and_who_leaves_keeps_nobody() {
    let archivista = Archivista::new();
    let serving = Serving::start(&archivista, &[]);
    let mut browser = serving.set_up();
    let big = archivista.beside("gross.bin");
    mails::big(150_000_000, &big);
    let bytes = fs::read(&big).unwrap();
    let csrf = browser.get("/upload").csrf();
    upload(&mut browser, &csrf, "gross.bin", &bytes);
    upload(&mut browser, &csrf, "klein.txt", b"klein");
    // What indexes them is done with that.
    assert!(covered(&mut browser, "/?q=klein").contains("klein.txt"));
    let before = of_status(serving.pid(), "VmHWM");
    let body = format!("csrf={csrf}&action=export&number=1&number=2");
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let answer = browser.ask("POST", "/selection", &form, body.as_bytes());
    assert_eq!(answer.status, 200);
    assert_eq!(hashes(&unzipped(&answer.body)), [sha256(&bytes), sha256(b"klein")].into());
    let grown = of_status(serving.pid(), "VmHWM") - before;
    assert!(grown < 4 * 1024, "{grown} KiB more at the highest");

    // More of them than may be under way at a time leave in mid-download: nothing of them is left.
    let descriptors = || fs::read_dir(format!("/proc/{}/fd", serving.pid())).unwrap().count();
    let held = descriptors();
    for _ in 0..archivista::limits::ANSWERS_LONG + 4 {
        let some = browser.leave("POST", "/selection", &form, body.as_bytes(), 300_000);
        assert!(some.starts_with(b"HTTP/1.1 200 OK"));
    }
    let mut tries = 0;
    let answer = loop {
        let answer = browser.ask("POST", "/selection", &form, format!("csrf={csrf}&action=export&number=2").as_bytes());
        tries += 1;
        if answer.status != 503 || tries == 100 {
            break answer;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    };
    assert_eq!((answer.status, hashes(&unzipped(&answer.body))), (200, [sha256(b"klein")].into()));
    let end = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while descriptors() > held + 4 && std::time::Instant::now() < end {
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    assert!(descriptors() <= held + 4, "{} descriptors more", descriptors() - held);
}
