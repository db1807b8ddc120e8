//! Promise: documents with the same version key are versions of one, and a file that comes back under the name of its download
//! becomes the next version with the values of the one before; whoever may not change a document makes no version of it and
//! learns of none.

use crate::support::web::{Answer, Site};
use archivista::archive::commit::Happening;
use archivista::archive::verify;
use archivista::settings::administration::{Field, Versioning};
use archivista::settings::users::Role;

fn rows(site: &Site, cookie: &str, target: &str) -> Vec<u64> {
    let page = site.get(Some(cookie), target).text();
    let rows = page.split("name=\"number\" value=\"").skip(1);
    rows.map(|rest| rest.split('"').next().unwrap().parse().unwrap()).collect()
}

fn offered(answer: &Answer) -> String {
    let disposition = answer.header("Content-Disposition").unwrap();
    disposition.split("filename=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

fn by_name(site: &Site) {
    site.administer(|all| {
        all.versioning = Versioning::Name;
        all.publishing = Some(Field::Other("Web".into()));
    });
}

#[test]
fn the_newest_of_a_key_is_shown_and_the_others_stand_beside_it() {
    let site = Site::new();
    let chefin = site.user("chefin", Role::Administrator, &[]);
    let anna = site.user("anna", Role::User, &["anna"]);
    let own = |text: &str| site.mail("anna", format!("Subject: {text}\r\n\r\n{text}\r\n").as_bytes(), 1_700_000_000);
    let (first, second, other) = (own("eins"), own("zwei"), own("drei"));
    let foreign = site.mail("beat", b"Subject: fremd\r\n\r\nx\r\n", 1_700_000_000);
    for number in [first, second, foreign] {
        site.change(number, |metadata| drop(metadata.fields.insert("Vertrag".into(), "V-1".into())));
    }
    assert_eq!(rows(&site, &anna, "/?sort=number").len(), 3);
    site.administer(|all| {
        all.versioning = Versioning::Key;
        all.version_key = Some(Field::Other("Vertrag".into()));
    });
    // Of what lies in a mailbox of somebody else nothing is hidden, and nothing is told.
    assert_eq!(rows(&site, &anna, "/?sort=number"), [other, second]);
    assert_eq!(rows(&site, &anna, "/?sort=title"), [other, second]);
    assert_eq!(rows(&site, &chefin, "/?sort=number"), [foreign, other]);
    assert_eq!(rows(&site, &anna, "/?sort=number&q=version:all"), [other, second, first]);
    let page = site.get(Some(&anna), &format!("/documents/{first}")).text();
    assert!(
        page.contains("There is a newer version.") && page.contains(&format!("href=\"/documents/{second}\"")),
        "{page}"
    );
    assert!(!page.contains(&format!("/documents/{foreign}\"")), "{page}");
    let page = site.get(Some(&anna), &format!("/documents/{second}")).text();
    assert!(
        !page.contains("There is a newer version.") && page.contains("Version 1") && page.contains("Version 2"),
        "{page}"
    );
    let page = site.get(Some(&anna), &format!("/documents/{other}")).text();
    assert!(!page.contains("class=\"versions\""), "{page}");
    // A file by a field that every file has.
    site.administer(|all| all.version_key = Some(Field::MediaName));
    let (old, new) = (site.file(&anna, "plan.pdf", b"%PDF-1"), site.file(&anna, "plan.pdf", b"%PDF-2"));
    let shown = rows(&site, &anna, "/?sort=number");
    assert!(shown.contains(&new) && !shown.contains(&old) && shown.contains(&first), "{shown:?}");
}

#[test]
fn a_download_that_comes_back_is_the_next_version_with_its_values() {
    let site = Site::new();
    let anna = site.user("anna", Role::User, &[]);
    by_name(&site);
    let first = site.file(&anna, "Plan.pdf", b"%PDF-1");
    let name = offered(&site.get(Some(&anna), &format!("/documents/{first}/download")));
    assert_eq!(name, format!("{first}_1_Plan.pdf"));
    let values = [("title", "Plan der Küche"), ("note", "wichtig")];
    site.post(&anna, &format!("/documents/{first}/fields"), &values);
    site.change(first, |metadata| {
        metadata.fields.insert("Kunde".into(), "Muster".into());
        metadata.fields.insert("Web".into(), "heute".into());
    });
    // Unchanged, it is what is there.
    assert_eq!(site.file(&anna, &name, b"%PDF-1"), first);
    let second = site.file(&anna, &name, b"%PDF-2");
    assert_ne!(second, first);
    let document = |number: u64| site.web.archive.view().unwrap().document(number).unwrap().unwrap();
    let metadata = document(second).metadata;
    assert_eq!((metadata.title.as_str(), metadata.note.as_str()), ("Plan der Küche", "wichtig"));
    assert_eq!((metadata.fields["Kunde"].as_str(), metadata.fields["Web"].as_str()), ("Muster", "heute"));
    assert_eq!((metadata.media_name.as_str(), metadata.owner.as_str()), ("Plan.pdf", "anna"));
    assert_eq!((metadata.version_of, metadata.version), (Some(first), Some(2)));
    let second_name = offered(&site.get(Some(&anna), &format!("/documents/{second}/download")));
    assert_eq!(second_name, format!("{second}_2_Plan.pdf"));
    // As browsers call a second download; and back to what the first one said.
    let third = site.file(&anna, &format!("{second}_2_Plan (1).pdf"), b"%PDF-1");
    assert_eq!(document(third).metadata.version, Some(3));
    assert_eq!(rows(&site, &anna, "/"), [third]);
    let page = site.get(Some(&anna), &format!("/documents/{first}")).text();
    for version in ["Version 1", "Version 2", "Version 3", "There is a newer version."] {
        assert!(page.contains(version), "{version}: {page}");
    }
    // What is no name of a download is a document of its own.
    for other in [
        format!("{first}_7_Plan.pdf"),
        format!("{first}_1_Andere.pdf"),
        "99_1_Plan.pdf".into(),
        "2026_11_Rechnung.pdf".into(),
    ] {
        let number = site.file(&anna, &other, format!("%PDF {other}").as_bytes());
        assert_eq!((document(number).metadata.version_of, document(number).metadata.media_name), (None, other));
    }
    let view = site.web.archive.view().unwrap();
    let report = verify::open(&site.web.archive, false, &mut |_, _| Ok(())).unwrap();
    assert!(report.findings.is_empty(), "{:?}", report.findings);
    let copy = tempfile::tempdir().unwrap();
    crate::support::tree::copy(&site.data().join("packs"), &copy.path().join("packs"));
    crate::support::tree::copy(&site.data().join("keys"), &copy.path().join("keys"));
    let again = crate::support::small::open(copy.path()).view().unwrap();
    assert_eq!(again.document(third).unwrap(), view.document(third).unwrap());
    again.check_indexes(|what| panic!("{what}")).unwrap();
}

#[test]
fn nobody_makes_a_version_of_what_is_not_to_be_changed() {
    let site = Site::new();
    let anna = site.user("anna", Role::User, &[]);
    let beat = site.user("beat", Role::User, &[]);
    let chefin = site.user("chefin", Role::Administrator, &[]);
    let auditor = site.user("revision", Role::Auditor, &[]);
    by_name(&site);
    let first = site.file(&anna, "Plan.pdf", b"%PDF-1");
    let name = format!("{first}_1_Plan.pdf");
    // To somebody without a right it is what the name of a document that is not there would be.
    let own = site.file(&beat, &name, b"%PDF-beat");
    let missing = site.file(&beat, "4711_1_Plan.pdf", b"%PDF-missing");
    for number in [own, missing] {
        let page = site.get(Some(&beat), &format!("/documents/{number}")).text();
        assert!(page.contains("_1_Plan") && !page.contains("Version 2") && !page.contains("newer version"), "{page}");
    }
    assert_eq!(site.get(Some(&anna), &format!("/documents/{own}")).status, 404);
    assert_eq!(rows(&site, &anna, "/"), [first]);
    assert_eq!(site.upload(&auditor, &[(&name, b"%PDF-auditor")]).status, 403);
    // Whoever reads everything makes one, and those who read the first one read it.
    let second = site.file(&chefin, &name, b"%PDF-2");
    assert_eq!(rows(&site, &anna, "/"), [second]);
    assert_eq!(site.get(Some(&anna), &format!("/documents/{second}/download")).body, b"%PDF-2");
    assert_eq!(site.get(Some(&beat), &format!("/documents/{second}")).status, 404);
    // Mails stay what they are.
    let mail = site.mail("anna", b"Subject: Brief\r\n\r\nx\r\n", 1_700_000_000);
    let name = format!("{mail}_1_Brief.eml");
    let download = site.get(Some(&chefin), &format!("/documents/{mail}/download"));
    assert_eq!(offered(&download), name);
    let forged = site.file(&chefin, &name, b"Subject: Brief\r\n\r\ny\r\n");
    assert!(rows(&site, &chefin, "/").contains(&mail) && rows(&site, &chefin, "/").contains(&forged));
}

#[test]
fn who_may_not_publish_does_not_publish_by_a_version() {
    let site = Site::new();
    let anna = site.user("anna", Role::User, &[]);
    let chefin = site.user("chefin", Role::Administrator, &[]);
    by_name(&site);
    let rights = [("name", "Web"), ("kind", "text"), ("changed_by", "administrators")];
    assert_eq!(site.post(&chefin, "/admin/fields", &rights).status, 303);
    let first = site.file(&anna, "Plan.pdf", b"%PDF-1");
    site.change(first, |metadata| drop(metadata.fields.insert("Web".into(), "heute".into())));
    let second = site.file(&anna, &format!("{first}_1_Plan.pdf"), b"%PDF-2");
    let document = |number: u64| site.web.archive.view().unwrap().document(number).unwrap().unwrap();
    assert!(!document(second).metadata.fields.contains_key("Web"));
    // Nor does it come back by a download of the first one: the newest version is what is followed.
    let third = site.file(&chefin, &format!("{first}_1_Plan.pdf"), b"%PDF-3");
    assert!(!document(third).metadata.fields.contains_key("Web"));
    site.change(third, |metadata| drop(metadata.fields.insert("Web".into(), "heute".into())));
    let fourth = site.file(&chefin, &format!("{first}_1_Plan.pdf"), b"%PDF-4");
    assert_eq!(document(fourth).metadata.fields["Web"], "heute");
}

/// Somebody downloads a file once, and sends what becomes of it again and again.
#[test]
fn what_was_entered_since_the_download_is_not_lost() {
    let site = Site::new();
    let anna = site.user("anna", Role::User, &[]);
    by_name(&site);
    site.administer(|all| all.file_name = Some(Field::Note));
    let first = site.file(&anna, "Plan.pdf", b"%PDF-1");
    let name = format!("{first}_1_Plan.pdf");
    let second = site.file(&anna, &name, b"%PDF-2");
    site.post(&anna, &format!("/documents/{second}/fields"), &[("title", "Endfassung"), ("note", "geprüft")]);
    let third = site.file(&anna, &name, b"%PDF-3");
    let metadata = site.web.archive.view().unwrap().document(third).unwrap().unwrap().metadata;
    assert_eq!((metadata.title.as_str(), metadata.note.as_str()), ("Endfassung", "geprüft"));
    assert_eq!((metadata.version_of, metadata.version), (Some(first), Some(3)));
}

#[test]
fn what_is_withdrawn_is_withdrawn_in_its_earlier_versions_too() {
    let site = Site::new();
    let anna = site.user("anna", Role::User, &[]);
    by_name(&site);
    let first = site.file(&anna, "Plan.pdf", b"%PDF-1");
    let fields = |number: u64| format!("/documents/{number}/fields");
    site.post(&anna, &fields(first), &[("field:Web", "heute")]);
    let second = site.file(&anna, &format!("{first}_1_Plan.pdf"), b"%PDF-2");
    let is_published = |number: u64| {
        let document = site.web.archive.view().unwrap().document(number).unwrap().unwrap();
        document.metadata.fields.contains_key("Web")
    };
    assert!(is_published(first) && is_published(second));
    // Of an earlier one alone, the newest is not withdrawn.
    site.post(&anna, &fields(first), &[("field:Web", "")]);
    assert!(!is_published(first) && is_published(second));
    site.post(&anna, &fields(first), &[("field:Web", "heute")]);
    site.post(&anna, &fields(second), &[("field:Web", "")]);
    assert!(!is_published(first) && !is_published(second));
    assert_eq!(site.journal().iter().filter(|event| event.what == Happening::Withdrawn(first)).count(), 2);
}
