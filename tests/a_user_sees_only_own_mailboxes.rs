//! Whoever may not read a document gets on every page what a number gets that nobody has; and whoever may read it learns
//! nothing of the other mailboxes in which it lies.

use crate::support::web::Site;
use archivista::archive::commit::Happening;
use archivista::settings::administration::Field;
use archivista::settings::users::Role;

const SHARED: &[u8] = b"From: a@example.ch\r\nTo: all@example.ch\r\nSubject: to all\r\n\r\nhello\r\n";
const WITH_PDF: &[u8] = b"From: a@example.ch\r\nSubject: Rechnung\r\nMIME-Version: 1.0\r\n\
    Content-Type: multipart/mixed; boundary=B\r\n\r\n--B\r\nContent-Type: text/html\r\n\r\n<p>hi</p>\r\n\
    --B\r\nContent-Type: application/pdf; name=r.pdf\r\nContent-Disposition: attachment\r\n\r\n%PDF-1.7\r\n--B--\r\n";

const PAGES: [&str; 13] = [
    "/documents/N",
    "/documents/N?list=1&q=x",
    "/documents/N?show=text",
    "/documents/N/fields",
    "/documents/N/source",
    "/documents/N/proof",
    "/documents/N/html",
    "/documents/N/download",
    "/documents/N/parts/1",
    "/documents/N/parts/2",
    "/documents/N/parts/2?open=1",
    "/go/N",
    "/perl/avclient/index.pl?target=new&go=N",
];

#[test]
fn every_page_of_a_foreign_document_is_that_of_no_document() {
    let site = Site::new();
    let anna = site.user("anna", Role::User, &["anna"]);
    let beat = site.user("beat", Role::User, &["beat"]);
    // An administrator reads mail only with the right to.
    let admin = site.user("admin", Role::Administrator, &[]);
    let mut user = archivista::settings::users::user(&site.web.archive, "admin").unwrap().unwrap();
    user.reads_all = false;
    archivista::settings::users::put_user(&site.web.archive, &user, "test").unwrap();
    let number = site.mail("anna", WITH_PDF, 1);
    let file = site.file(&anna, "plan.pdf", b"%PDF-1.7 own");
    for page in PAGES {
        let path = page.replace('N', &number.to_string());
        let allowed = site.get(Some(&anna), &path);
        assert!(matches!(allowed.status, 200 | 303), "{path}: {}", allowed.status);
        for (cookie, who) in [(&beat, "beat"), (&admin, "admin")] {
            let denied = site.get(Some(cookie), &path);
            let none = site.get(Some(cookie), &page.replace('N', "4711"));
            assert_eq!((denied.status, &denied.body), (404, &none.body), "{who} {path}");
        }
        let visitor = site.get(None, &path);
        assert_eq!((visitor.status, visitor.body.len()), (303, 0), "{path}");
        assert!(visitor.location().starts_with("/login?next="), "{path}");
    }
    for page in ["/documents/N/file", "/documents/N/download", "/documents/N"] {
        let path = page.replace('N', &file.to_string());
        assert_eq!(site.get(Some(&anna), &path).status, 200);
        assert_eq!(site.get(Some(&beat), &path).status, 404);
    }
    let change = format!("/documents/{number}/fields");
    assert_eq!(site.post(&beat, &change, &[("note", "mine")]).status, 404);
    site.administer(|administration| administration.publishing = Some(Field::Other("Web".into())));
    site.post(&beat, "/selection", &[("action", "publish"), ("number", &number.to_string())]);
    let links = site.post(&beat, "/selection", &[("action", "links"), ("number", &number.to_string())]);
    assert_eq!(links.location(), "/");
    let metadata = site.web.archive.view().unwrap().document(number).unwrap().unwrap().metadata;
    assert!(metadata.note.is_empty() && metadata.fields.is_empty());
    for query in
        ["/", "/?q=rechnung", "/?sort=title", "/?sort=number", "/?sort=title&at=1.1", "/?sort=size&at=1.1&back=1"]
    {
        let table = site.get(Some(&beat), query).text();
        assert!(!table.contains("Rechnung") && !table.contains("plan"), "{query}");
    }
}

#[test]
fn an_auditor_reads_everything_changes_nothing_and_is_seen() {
    let site = Site::new();
    let auditor = site.user("revision", Role::Auditor, &[]);
    let anna = site.user("anna", Role::User, &["anna"]);
    let number = site.mail("anna", WITH_PDF, 1);
    let page = site.get(Some(&auditor), &format!("/documents/{number}"));
    assert_eq!(page.status, 200);
    site.get(Some(&auditor), &format!("/documents/{number}/source"));
    let change = format!("/documents/{number}/fields");
    assert_eq!(site.post(&auditor, &change, &[("note", "x")]).status, 403);
    assert!(!site.get(Some(&auditor), &change).text().contains("<textarea id=\"note\""));
    assert_eq!(site.get(Some(&auditor), "/upload").status, 403);
    assert_eq!(site.upload(&auditor, &[("a.txt", b"a")]).status, 403);
    site.administer(|administration| administration.publishing = Some(Field::Other("Web".into())));
    assert_eq!(
        site.post(&auditor, "/selection", &[("action", "publish"), ("number", &number.to_string())]).status,
        403
    );
    let opened = |who: &str| {
        site.journal().iter().filter(|event| event.who == who && event.what == Happening::Opened(number)).count()
    };
    // One look, however many tabs.
    assert_eq!((opened("revision"), opened("anna")), (1, 0));
    site.get(Some(&anna), &format!("/documents/{number}"));
    assert_eq!(opened("anna"), 1);
}

#[test]
fn nobody_learns_in_whose_mailbox_a_mail_lies_too() {
    let site = Site::new();
    let anna = site.user("anna", Role::User, &["anna"]);
    let beat = site.user("beat", Role::User, &["beat"]);
    let admin = site.user("admin", Role::Administrator, &[]);
    let number = site.mail("anna", SHARED, 1);
    assert_eq!(site.mail("beat", SHARED, 1), number);
    site.get(Some(&beat), &format!("/documents/{number}"));
    site.web.archive.flush().unwrap();
    let proof = site.get(Some(&anna), &format!("/documents/{number}/proof")).text();
    assert!(proof.contains("anna@example.ch") && !proof.contains("beat"), "{proof}");
    let all = site.get(Some(&admin), &format!("/documents/{number}/proof")).text();
    assert!(
        all.contains("anna@example.ch") && all.contains("beat@example.ch") && all.contains("<td>beat</td>"),
        "{all}"
    );
    let sha256 = site.web.archive.view().unwrap().document(number).unwrap().unwrap().sha256.to_string();
    assert!(proof.contains(&sha256));
}

#[test]
fn a_form_without_the_session_s_token_changes_nothing() {
    let site = Site::new();
    let anna = site.user("anna", Role::User, &["anna"]);
    let number = site.mail("anna", SHARED, 1);
    let form = "application/x-www-form-urlencoded";
    for (path, body) in [
        (format!("/documents/{number}/fields"), "note=x&csrf=wrong"),
        (format!("/documents/{number}/fields"), "note=x"),
        ("/selection".to_string(), "action=publish&number=1"),
    ] {
        assert_eq!(site.send(Some(&anna), &path, form, body.into()).status, 403, "{path} {body}");
    }
    let multipart = "multipart/form-data; boundary=B";
    for token in ["", "--B\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\nwrong\r\n"] {
        let file = "--B\r\nContent-Disposition: form-data; name=\"files\"; filename=\"a\"\r\n\r\nx\r\n--B--\r\n";
        assert_eq!(site.send(Some(&anna), "/upload", multipart, format!("{token}{file}").into()).status, 403);
    }
    assert_eq!(site.web.archive.view().unwrap().count().unwrap(), 1);
    assert!(site.web.archive.view().unwrap().document(number).unwrap().unwrap().metadata.note.is_empty());
}
