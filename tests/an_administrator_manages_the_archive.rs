//! Promise: Archive administration takes what can work, says what cannot, and opens nothing to the public without being asked
//! twice. The overview says how the archive stands.

use crate::support::administering::{Administering, with};
use crate::support::archivista::Archivista;
use crate::support::web::Site;
use archivista::settings::administration::Field;
use archivista::settings::document_fields::{DocumentField, DocumentFields, Who};
use archivista::settings::networks::Networks;
use archivista::settings::tokens::Rights;
use archivista::settings::users::Role;
use archivista::web::request::Method;
use serde_json::{Value, json};

const ALL: Rights = Rights { read: true, change: true, administer: true, metrics: true };

const GOOD: &[(&str, &str)] =
    &[("name", "Muster AG"), ("language", "en"), ("dns_name", ""), ("link_title", "media_name"), ("publishing", "")];

#[test]
fn what_is_entered_is_kept_and_mistakes_are_told() {
    let archivista = Archivista::new();
    let (_serving, mut admin) = Administering::start(&archivista, &[]);
    let wrong = |key: &str, sentence: &str| format!("id=\"{key}-help\"><span class=\"wrong\">{sentence}");
    for (language, dns, name) in [
        ("de", "Geben Sie http:// oder https:// an", "Geben Sie 1 bis 80 Zeichen an."),
        ("en", "Give http:// or https://", "Give 1 to 80 characters."),
    ] {
        admin.speak(language);
        for bad in
            ["archiv.example.ch", "https://archiv.example.ch/", "ftp://x.ch", "https://10.0.0.300", "https://x.ch:0"]
        {
            let answer = admin.post("/admin/archive", &with(GOOD, "dns_name", bad));
            assert_eq!(answer.status, 400, "{bad}");
            assert!(answer.text().contains(&wrong("dns_name", dns)), "{bad}: {}", answer.text());
            assert!(answer.text().contains(&format!("value=\"{bad}\"")), "{bad} is to be corrected");
        }
        let answer = admin.post("/admin/archive", &with(GOOD, "name", " "));
        assert!(answer.status == 400 && answer.text().contains(&wrong("name", name)), "{}", answer.text());
    }
    for good in ["http://192.0.2.7:8080", "https://archiv.example.ch", ""] {
        admin.done("/admin/archive", &with(GOOD, "dns_name", good));
        assert!(admin.page("/admin/archive").contains(&format!("name=\"dns_name\" type=\"text\" value=\"{good}\"")));
    }
    // Fields that definitions fill can be chosen, others cannot be made up.
    let source = [("name", "muster"), ("server", "x.ch"), ("account", "a"), ("password", "b"), ("inactive", "1")];
    admin.done("/admin/new/imap", &with(&source, "field_from", "Kunde"));
    admin.done("/admin/archive", &with(GOOD, "link_title", "other:Kunde"));
    assert!(admin.page("/admin/archive").contains("<option value=\"other:Kunde\" selected>Kunde</option>"));
    admin.done("/admin/archive", &with(GOOD, "link_title", "other:Erfunden"));
    assert!(!admin.page("/admin/archive").contains("Erfunden"));
    admin.done("/admin/archive", &with(GOOD, "name", "<b>Neu</b>"));
    let page = admin.page("/admin");
    assert!(page.contains("&lt;b&gt;Neu&lt;/b&gt;") && !page.contains("<b>Neu"), "{page}");
}

#[test]
fn nothing_becomes_public_by_one_click() {
    let archivista = Archivista::new();
    let (_serving, mut admin) = Administering::start(&archivista, &[]);
    let mut refused = |fields: &[(&str, &str)], sentence: &str| {
        let answer = admin.post("/admin/archive", fields);
        assert_eq!(answer.status, 400, "{fields:?}");
        assert!(answer.text().contains(sentence), "{fields:?}: {}", answer.text());
    };
    let public = with(GOOD, "is_public", "1");
    refused(&with(&public, "is_public_sure", "1"), "Choose the field for publishing first");
    let public = with(&public, "publishing", "note");
    refused(&public, "Tick the box below");
    refused(&with(&with(GOOD, "public_mails", "1"), "public_mails_sure", "1"), "This needs a public archive.");
    let sure = with(&public, "is_public_sure", "1");
    refused(&with(&sure, "public_mails", "1"), "Tick the box below");
    let is_public = "name=\"is_public\" value=\"1\" checked";
    assert!(!admin.page("/admin/archive").contains(is_public));

    admin.done("/admin/archive", &sure);
    let page = admin.page("/admin/archive");
    assert!(page.contains(is_public) && !page.contains("name=\"public_mails\" value=\"1\" checked"), "{page}");
    // Already public: not asked again. Mails are asked for by themselves.
    admin.done("/admin/archive", &with(&with(&public, "public_mails", "1"), "public_mails_sure", "1"));
    assert!(admin.page("/admin/archive").contains("name=\"public_mails\" value=\"1\" checked"));
    admin.done("/admin/archive", GOOD);
    assert!(!admin.page("/admin/archive").contains(is_public));
}

/// What was confirmed holds for the documents that the field of then published, and for no others.
#[test]
fn another_field_publishes_nothing_unasked() {
    let site = Site::new();
    let chefin = site.user("chefin", Role::Administrator, &[]);
    let mail = site.mail("anna", b"Subject: Alt\r\n\r\nx\r\n", 1);
    site.change(mail, |metadata| drop(metadata.fields.insert("Kunde".into(), "Muster".into())));
    site.administer(|all| {
        (all.publishing, all.is_public, all.public_mails) = (Some(Field::Note), true, true);
        all.admin_networks = Networks::entered("0.0.0.0/0").unwrap();
    });
    let is_shown = || site.get(None, &format!("/go/{mail}")).status == 200;
    let fields = [
        ("name", "Test"),
        ("language", "en"),
        ("publishing", "other:Kunde"),
        ("is_public", "1"),
        ("public_mails", "1"),
        ("is_public_sure", "1"),
        ("public_mails_sure", "1"),
    ];
    for count in [5, 6] {
        let answer = site.post(&chefin, "/admin/archive", &fields[..count]);
        assert_eq!(answer.status, 400);
        let text = answer.text();
        assert!(text.contains("Tick the box below") && text.contains("would be published at once: 1."), "{text}");
        assert!(text.contains("name=\"is_public_sure\"") && text.contains("name=\"public_mails_sure\""), "{text}");
        assert!(!is_shown());
    }
    let token = site.api_token("chefin", ALL);
    let body = json!({ "publishing": "other:Kunde" });
    let refused = site.call(&token, Method::Patch, "/administration", &body);
    let at: Vec<Value> = refused.json()["errors"].as_array().unwrap().iter().map(|error| error["at"].clone()).collect();
    assert_eq!((refused.status, at), (400, vec![json!("/is_public"), json!("/public_mails")]));
    assert!(!is_shown());
    assert_eq!(site.post(&chefin, "/admin/archive", &fields).status, 303);
    assert!(is_shown());
    // Saved again: asked for nothing.
    assert_eq!(site.post(&chefin, "/admin/archive", &fields[..5]).status, 303);
    // Nor is what somebody uploads published unasked.
    let answer = site.post(&chefin, "/admin/archive", &[&fields[..5], &[("file_name", "other:Kunde")]].concat());
    assert!(answer.status == 400 && answer.text().contains("This is the field for publishing"), "{}", answer.text());
    site.administer(|all| all.file_name = all.publishing.clone());
    let file = site.file(&chefin, "plan.pdf", b"%PDF-1.7");
    assert_eq!(site.get(None, &format!("/go/{file}")).status, 303);
}

#[test]
fn nobody_fills_a_field_by_an_upload_that_he_may_not_change() {
    let site = Site::new();
    let anna = site.user("anna", Role::User, &[]);
    let chefin = site.user("chefin", Role::Administrator, &[]);
    let field = DocumentField { name: "Ablage".into(), changed_by: Who::Administrators, ..DocumentField::default() };
    DocumentFields(vec![field]).write(&site.web.archive, "test").unwrap();
    site.administer(|all| all.file_name = Some(Field::Other("Ablage".into())));
    let filled = |number: u64| {
        let document = site.web.archive.view().unwrap().document(number).unwrap().unwrap();
        document.metadata.fields.get("Ablage").cloned()
    };
    assert_eq!(filled(site.file(&anna, "a.txt", b"a")), None);
    assert_eq!(filled(site.file(&chefin, "b.txt", b"b")).as_deref(), Some("b.txt"));
}

#[test]
fn the_overview_of_an_empty_archive_offers_to_begin() {
    let archivista = Archivista::new();
    let (_serving, mut admin) = Administering::start(&archivista, &[]);
    admin.speak("de");
    let page = admin.page("/admin");
    for part in [
        "Es wird noch nichts archiviert.",
        "/admin/new/imap",
        "/admin/new/o365",
        "Freier Platz",
        "Arbeitsspeicher",
        " MB (max. ",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
}
