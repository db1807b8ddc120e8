//! The pages as people use them: real clicks and keys in Chromium. A flow fails at any error on the console, any break of
//! the content security policy, any request to another host.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::support::archivista::Archivista;
use crate::support::browser;
use crate::support::definition::Definition;
use crate::support::hostile;
use crate::support::https::Https;
use crate::support::serving::{ADMINISTRATOR, Serving};
use crate::support::tenant::{CLIENT, Folders, SECRET, TENANT, Tenant, certificate, tiny};
use crate::support::{must_run, tool};

/// A small company, archived and served; [`ADMINISTRATOR`] reads everything.
struct Company {
    archivista: Archivista,
    serving: Serving,
    administrator: Https,
    documents: Vec<Value>,
    _tenant: Tenant,
    _mails: tempfile::TempDir,
}

fn company() -> Company {
    let mails = tempfile::tempdir().unwrap();
    must_run(Command::new("python3").arg(tool("company.py")).arg(mails.path()));
    let mailboxes = ["anna.muster@muster-soehne.ch", "info@muster-soehne.ch"]
        .map(|address| (address.to_owned(), mails.path().join(address)))
        .to_vec();
    let tenant = Tenant::start(&[], simulator::Config { mailboxes, ..simulator::Config::default() });
    let archivista = Archivista::new();
    archivista.define(&Definition::o365(&tenant, "muster", "all"));
    archivista.fetch();
    let serving = Serving::start(&archivista, &[]);
    let administrator = serving.set_up();
    let documents = archivista.list();
    Company { archivista, serving, administrator, documents, _tenant: tenant, _mails: mails }
}

impl Company {
    /// A mail whose title begins so.
    fn mail(&self, title: &str) -> &Value {
        let fits = |document: &&Value| document["title"].as_str().unwrap().starts_with(title);
        self.documents.iter().find(fits).unwrap_or_else(|| panic!("no mail {title:?}"))
    }

    /// Uploads a file and returns its number.
    fn upload(&mut self, path: &Path) -> u64 {
        let csrf = self.administrator.get("/upload").csrf();
        let name = path.file_name().unwrap().to_str().unwrap();
        let mut body = format!(
            "--=x\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n{csrf}\r\n--=x\r\nContent-Disposition: form-data; \
             name=\"files\"; filename=\"{name}\"\r\nContent-Type: application/octet-stream\r\n\r\n"
        )
        .into_bytes();
        body.extend(std::fs::read(path).unwrap());
        body.extend(b"\r\n--=x--\r\n");
        let origin = format!("https://{}", self.administrator.host());
        let headers = [("Origin", origin.as_str()), ("Content-Type", "multipart/form-data; boundary=\"=x\"")];
        let answer = self.administrator.ask("POST", "/upload", &headers, &body);
        assert_eq!(answer.status, 303, "{}", answer.text());
        let documents = self.archivista.list();
        documents.iter().map(|document| document["number"].as_u64().unwrap()).max().unwrap()
    }
}

fn sample(name: &str) -> PathBuf {
    tool("sample").join(name)
}

/// A PDF with one empty page (ISO 32000-1, annex H).
fn pdf(dir: &Path) -> PathBuf {
    let path = dir.join("offerte-gross.pdf");
    std::fs::write(
        &path,
        "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj 3 0 \
         obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n",
    )
    .unwrap();
    path
}

fn set(administrator: &mut Https, fields: &[(&str, &str)]) {
    let csrf = administrator.get("/admin/archive").csrf();
    let mut all = vec![("csrf", csrf.as_str()), ("name", "Muster AG"), ("language", "de"), ("shows_note", "1")];
    all.extend(fields);
    let answer = administrator.post("/admin/archive", &all);
    assert_eq!(answer.status, 303, "{}", answer.text());
}

#[test]
fn somebody_sets_up_the_archive_and_lets_a_second_person_in() {
    let archivista = Archivista::new();
    let serving = Serving::start(&archivista, &[]);
    let more = json!({ "language": "de-CH", "setup_code": serving.setup_code });
    browser::flow("setup_and_users", &serving.origin(), &more);
}

#[test]
fn somebody_finds_looks_writes_and_uploads() {
    let mut company = company();
    set(&mut company.administrator, &[("link_title", "media_name")]);
    let dir = tempfile::tempdir().unwrap();
    let newsletter = company.mail("Nordlicht Neuigkeiten");
    let more = json!({
        "language": "de-CH",
        "documents": company.documents.len(),
        "html_mail": newsletter["number"],
        "html_words": "Dämmplatten aus Hanf",
        "files": [sample("viastockalperhd.mp4"), pdf(dir.path())],
    });
    browser::flow("documents", &company.serving.origin(), &more);
}

#[test]
fn a_link_is_copied_where_it_should_be_and_nowhere_else() {
    let mut company = company();
    let dir = tempfile::tempdir().unwrap();
    let (video, pdf) = (company.upload(&sample("viastockalperhd.mp4")), company.upload(&pdf(dir.path())));
    set(&mut company.administrator, &[("link_title", "media_name"), ("dns_name", "https://archivistaimnetz.ch")]);
    let newsletter = company.mail("Nordlicht Neuigkeiten");
    let more = json!({
        "language": "de-CH",
        "html_mail": newsletter["number"],
        "html_title": newsletter["title"],
        "html_words": "Dämmplatten aus Hanf",
        "video": video,
        "pdf": pdf,
    });
    browser::flow("links", &company.serving.origin(), &more);
}

/// The text of a printed page, and how many pages and pictures there are.
fn printed(path: &Path) -> (String, usize, usize) {
    let text = must_run(Command::new("pdftotext").arg("-layout").arg(path).arg("-"));
    let pages = text.matches('\u{c}').count();
    let pictures = must_run(Command::new("pdfimages").arg("-list").arg(path)).lines().count().saturating_sub(2);
    (text, pages, pictures)
}

#[test]
fn a_mail_is_printed_with_its_header_and_without_what_is_to_be_clicked() {
    let mut company = company();
    set(&mut company.administrator, &[]);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/screenshots/printed");
    std::fs::create_dir_all(&folder).unwrap();
    let (html, text) = (company.mail("Nordlicht Neuigkeiten"), company.mail("Offerte"));
    let more = json!({
        "language": "de-CH", "folder": folder, "html_mail": html["number"], "text_mail": text["number"],
    });
    browser::flow("print", &company.serving.origin(), &more);
    for (name, mail) in [("view-html", html), ("page-html", html), ("view-text", text), ("page-text", text)] {
        let path = folder.join(format!("{name}.pdf"));
        let (words, pages, pictures) = printed(&path);
        let title = mail["title"].as_str().unwrap().split_whitespace().next().unwrap();
        for expected in [title, "Absender", "Empfänger", "Datum"] {
            assert!(words.contains(expected), "{name} lacks {expected}: {words}");
        }
        for clicked in ["Verwaltung", "Zugriffslink", "Herunterladen", "Quelltext", "Druckansicht", "Suchen"] {
            assert!(!words.contains(clicked), "{name} has {clicked}: {words}");
        }
        assert!((1..=6).contains(&pages), "{name}: {pages} pages");
        if mail["number"] == html["number"] {
            assert!(words.contains("Dämmplatten aus Hanf") && pictures > 0, "{name}: {pictures} pictures, {words}");
        }
        must_run(Command::new("pdftoppm").args(["-png", "-r", "60"]).arg(&path).arg(path.with_extension("")));
    }
    // On paper nobody can click: the address stands behind the words.
    let (words, ..) = printed(&folder.join("page-html.pdf"));
    assert!(words.contains("<http"), "{words}");
}

#[test]
fn a_hostile_mail_harms_nobody_who_looks_at_it() {
    let hostile = hostile::all();
    let anna = "anna@example.ch";
    let mails: Folders<'_> = [("Inbox", hostile.iter().map(|mail| mail.raw.clone()).collect())].into();
    let tenant = Tenant::with(&[(anna, mails)]);
    let archivista = Archivista::new();
    archivista.define(&Definition::o365(&tenant, "office", "all"));
    archivista.fetch();
    let serving = Serving::start(&archivista, &[]);
    serving.set_up();
    let documents = archivista.list();
    assert_eq!(documents.len(), hostile.len());
    let hash = |raw: &[u8]| crate::support::hash::sha256(raw);
    let mails: Vec<Value> = documents
        .iter()
        .map(|document| {
            let mail = hostile.iter().find(|mail| document["sha256"] == hash(&mail.raw)).unwrap();
            json!({ "number": document["number"], "name": mail.name, "shows": mail.shows })
        })
        .collect();
    let more = json!({
        "language": "de-CH", "mails": mails, "mark": hostile::MARK, "visible": hostile::VISIBLE, "user": ADMINISTRATOR.0,
    });
    browser::flow("hostile", &serving.origin(), &more);
}

#[test]
fn all_but_one_key_works_without_script() {
    let mut company = company();
    set(&mut company.administrator, &[]);
    let more = json!({ "language": "de-CH", "files": [sample("viastockalperhd.mp4")] });
    browser::flow("without_script", &company.serving.origin(), &more);
}

#[test]
fn the_first_page_is_small() {
    let mut company = company();
    let page = company.administrator.get("/");
    assert_eq!(page.status, 200);
    let text = page.text();
    let mut all = page.body.len();
    let assets = text.split('"').filter(|part| part.starts_with("/assets/")).collect::<std::collections::BTreeSet<_>>();
    assert!(assets.len() >= 3, "{assets:?}");
    for asset in assets {
        all += company.administrator.get(asset).body.len();
    }
    println!("{all} bytes");
    assert!(all < 64_000, "{all} bytes");
}

#[test]
fn somebody_sets_every_field_of_a_tenant() {
    let (anna, beat) = ("anna@mymail.ch", "beat@mymail.ch");
    let dir = tempfile::tempdir().unwrap();
    let (certificate, key) = certificate(dir.path(), "own", &["rsa:2048"]);
    let config = simulator::Config { certificates: vec![certificate.clone().into()], ..simulator::Config::default() };
    let tenant = Tenant::start(&[(anna, tiny(anna, 9)), (beat, tiny(beat, 9))], config);
    let archivista = Archivista::new();
    let serving = Serving::start(&archivista, &[]);
    serving.set_up();
    let config = json!({
        "language": "de-CH", "user": ADMINISTRATOR.0, "tenant": TENANT, "client": CLIENT, "secret": SECRET,
        "simulator": tenant.simulator.url(), "authority": tenant.ca_file(), "mailboxes": [anna, beat],
        "certificate": certificate, "key": key, "soon": in_days(20),
    });
    browser::flow("definition_o365", &serving.origin(), &config);
    // Each run asked for as many as the field said then.
    let log = tenant.control(&json!({ "op": "log" }));
    let delta = log.as_array().unwrap().iter().filter(|line| line["call"] == "delta");
    let mut asked: Vec<u64> = delta.filter_map(|line| line["page_size"].as_u64()).collect();
    asked.dedup();
    assert_eq!(asked, [3, 7]);
}

/// A day, as a field takes it.
fn in_days(days: u64) -> String {
    let day = std::time::SystemTime::now() + std::time::Duration::from_hours(24 * days);
    let day = jiff::Timestamp::try_from(day).unwrap();
    day.strftime("%Y-%m-%d").to_string()
}
