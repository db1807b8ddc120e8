//! Promise: Archive administration takes what can work, says what cannot, and opens nothing to the public without being asked
//! twice. The overview says how the archive stands.

use crate::support::administering::{Administering, with};
use crate::support::archivista::Archivista;

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
