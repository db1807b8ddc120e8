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
use crate::support::tenant::{Folders, Tenant};
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
    assert!(all < 60_000, "{all} bytes");
}
