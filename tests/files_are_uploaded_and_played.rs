//! Files come in byte for byte, are shown by what they are and not by what they say, and are played from any place.

use crate::support::archivista::Archivista;
use crate::support::serving::Serving;
use crate::support::web::Site;
use archivista::archive::commit::{KIND_FILE, KIND_MAIL};
use archivista::archive::verify;
use archivista::settings::users::Role;

fn film(len: usize) -> Vec<u8> {
    let mut bytes = b"\0\0\0\x20ftypisom".to_vec();
    bytes.extend((0..len).map(|n| u8::try_from(n * n % 251).unwrap()));
    bytes
}

#[test]
fn a_file_comes_back_as_it_was_and_is_one_document() {
    let site = Site::new();
    let anna = site.user("anna", Role::User, &[]);
    let beat = site.user("beat", Role::User, &[]);
    let bytes = film(1_000_000);
    let number = site.file(&anna, "Film \u{fc}ber %22alles%22.mp4", &bytes);
    let document = site.web.archive.view().unwrap().document(number).unwrap().unwrap();
    let metadata = &document.metadata;
    assert_eq!((metadata.kind, metadata.title.as_str()), (KIND_FILE, "Film über _alles_"));
    assert_eq!((metadata.media_name.as_str(), metadata.media_type.as_str()), ("Film über _alles_.mp4", "video/mp4"));
    assert_eq!((metadata.owner.as_str(), document.size), ("anna", bytes.len() as u64));
    let download = site.get(Some(&anna), &format!("/documents/{number}/download"));
    assert!(download.body == bytes);
    let disposition = download.header("Content-Disposition").unwrap();
    assert!(
        disposition.starts_with("attachment") && disposition.contains("Film%20%C3%BCber%20_alles_.mp4"),
        "{disposition}"
    );
    assert_eq!(site.file(&anna, "again.mp4", &bytes), number);
    assert_eq!(site.get(Some(&beat), &format!("/documents/{number}")).status, 404);
    assert_eq!(site.web.archive.view().unwrap().count().unwrap(), 1);
    let page = site.get(Some(&anna), &format!("/documents/{number}")).text();
    assert!(
        page.contains(&format!(
            "<video class=\"shown\" controls preload=\"metadata\" src=\"/documents/{number}/file\""
        ))
    );
}

#[test]
fn whoever_has_the_bytes_of_a_foreign_document_gets_to_nothing_of_it() {
    let site = Site::new();
    let anna = site.user("anna", Role::User, &[]);
    let beat = site.user("beat", Role::User, &[]);
    let auditor = site.user("revision", Role::Administrator, &[]);
    let bytes = film(1000);
    let foreign = site.file(&anna, "Kündigung Beat.mp4", &bytes);
    site.post(&anna, &format!("/documents/{foreign}/fields"), &[("note", "streng geheim"), ("title", "K")]);
    let own = site.file(&beat, "mine.mp4", &bytes);
    assert_ne!(own, foreign);
    assert_eq!(site.get(Some(&beat), &format!("/documents/{foreign}")).status, 404);
    assert_eq!(site.get(Some(&anna), &format!("/documents/{own}")).status, 404);
    for page in ["", "/fields", "/proof"] {
        let page = site.get(Some(&beat), &format!("/documents/{own}{page}")).text();
        assert!(page.contains("mine") && !page.contains("geheim") && !page.contains("anna"), "{page}");
    }
    assert_eq!(site.get(Some(&beat), "/?q=geheim").text().matches("data-row").count(), 0);
    // The same again is the same document of the same person; twice in one form, too.
    assert_eq!(site.file(&beat, "again.mp4", &bytes), own);
    assert_eq!(site.file(&anna, "again.mp4", &bytes), foreign);
    let other = film(2000);
    site.file(&anna, "other.mp4", &other);
    assert!(site.upload(&beat, &[("x.mp4", &other), ("y.mp4", &other)]).location().starts_with("/documents/"));
    assert_eq!(site.web.archive.view().unwrap().count().unwrap(), 4);
    // Whoever reads both gets the one that is there.
    assert_eq!(site.file(&auditor, "all.mp4", &bytes), foreign);
    let view = site.web.archive.view().unwrap();
    let report = verify::open(&site.web.archive, false, &mut |_, _| Ok(())).unwrap();
    assert!(report.findings.is_empty(), "{:?}", report.findings);
    assert_eq!(site.get(Some(&beat), &format!("/documents/{own}/download")).body, bytes);
    let copy = tempfile::tempdir().unwrap();
    crate::support::tree::copy(&site.data().join("packs"), &copy.path().join("packs"));
    crate::support::tree::copy(&site.data().join("keys"), &copy.path().join("keys"));
    let rebuilt = crate::support::small::open(copy.path());
    let again = rebuilt.view().unwrap();
    assert_eq!(again.document(own).unwrap(), view.document(own).unwrap());
    assert_eq!(again.by_hash(&view.document(own).unwrap().unwrap().sha256).unwrap(), Some(foreign));
    again.check_indexes(|what| panic!("{what}")).unwrap();
}

#[test]
fn several_files_and_a_mail_come_in_at_a_time() {
    let site = Site::new();
    let anna = site.user("anna", Role::User, &[]);
    let mail = b"From: a@example.ch\r\nSubject: saved\r\n\r\nhello\r\n";
    let answer =
        site.upload(&anna, &[("a.txt", b"a"), ("", b""), ("saved.EML", mail), ("empty.txt", b""), ("a2.txt", b"a")]);
    assert_eq!((answer.status, answer.location()), (303, "/?sort=number"));
    let view = site.web.archive.view().unwrap();
    let documents: Vec<_> = (1..=3).map(|number| view.document(number).unwrap().unwrap().metadata).collect();
    assert_eq!(view.count().unwrap(), 3);
    assert_eq!((documents[1].kind, documents[1].title.as_str()), (KIND_MAIL, "saved"));
    assert_eq!(site.get(Some(&anna), "/documents/2/download").body, mail);
    assert_eq!(site.get(Some(&anna), "/documents/3/file").body, b"");
    assert_eq!(site.upload(&anna, &[]).status, 400);
    assert_eq!(site.upload(&anna, &[("", b"")]).status, 400);
}

#[test]
fn ranges_are_sent_as_a_player_asks_for_them() {
    let site = Site::new();
    let anna = site.user("anna", Role::User, &[]);
    let bytes = film(300_000);
    let (number, len) = (site.file(&anna, "film.mp4", &bytes), bytes.len());
    let path = format!("/documents/{number}/file");
    let ask = |range: &str| site.get_with(Some(&anna), &path, &[("range", range)]);
    let whole = site.get(Some(&anna), &path);
    assert!(whole.status == 200 && whole.body == bytes && whole.header("Accept-Ranges") == Some("bytes"));
    assert_eq!(whole.header("Content-Type"), Some("video/mp4"));
    for (range, from, to) in [
        ("bytes=0-", 0, len),
        ("bytes=0-0", 0, 1),
        ("bytes=1000-1999", 1000, 2000),
        ("bytes=65530-65550", 65530, 65551),
        ("bytes=-10", len - 10, len),
        ("bytes=299990-999999999", 299_990, len),
    ] {
        let part = ask(range);
        assert_eq!(part.status, 206, "{range}");
        assert!(part.body == bytes[from..to], "{range}");
        assert_eq!(part.header("Content-Range").unwrap(), format!("bytes {from}-{}/{len}", to - 1));
        assert_eq!(part.header("Content-Length").unwrap(), (to - from).to_string());
    }
    for range in ["bytes=900000-", "bytes=-0"] {
        let beyond = ask(range);
        assert_eq!((beyond.status, beyond.header("Content-Range").unwrap()), (416, format!("bytes */{len}").as_str()));
    }
    for range in ["bytes=0-1,5-6", "bytes=x", "items=0-1", "bytes=5-1"] {
        assert_eq!(ask(range).status, 200, "{range}");
    }
    let tag = whole.header("ETag").unwrap();
    let with = |tag: &str| site.get_with(Some(&anna), &path, &[("range", "bytes=0-4"), ("if-range", tag)]).status;
    assert_eq!((with(tag), with("\"other\"")), (206, 200));
}

#[test]
fn what_could_run_is_saved_and_not_shown() {
    let site = Site::new();
    let anna = site.user("anna", Role::User, &[]);
    for (name, bytes) in [
        ("page.pdf", &b"<!doctype html><script>alert(1)</script>"[..]),
        ("picture.png", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"),
        ("a.txt", b"<html><body onload=alert(1)>"),
        ("b.xml", b"<?xml version='1.0'?><x/>"),
        ("c.exe", b"MZ\0\0"),
    ] {
        let number = site.file(&anna, name, bytes);
        let page = site.get(Some(&anna), &format!("/documents/{number}")).text();
        assert!(!page.contains("alert(1)") && !page.contains("<img class"), "{name}");
        let file = site.get(Some(&anna), &format!("/documents/{number}/file"));
        assert_eq!(file.header("Content-Type"), Some("application/octet-stream"), "{name}");
        assert!(file.header("Content-Disposition").unwrap().starts_with("attachment"), "{name}");
        assert!(file.header("Content-Security-Policy").unwrap().starts_with("sandbox;"), "{name}");
        assert_eq!(file.header("X-Content-Type-Options"), Some("nosniff"));
    }
    let text = site.file(&anna, "notes.html", b"plain words, see https://example.ch/x and <b>");
    let page = site.get(Some(&anna), &format!("/documents/{text}")).text();
    assert!(
        page.contains("plain words") && page.contains("&lt;b&gt;") && page.contains("href=\"https://example.ch/x\"")
    );
    for (name, bytes, media_type) in
        [("a.bin", &b"%PDF-1.7"[..], "application/pdf"), ("b.bin", b"\x89PNG\r\n\x1a\n", "image/png")]
    {
        let number = site.file(&anna, name, bytes);
        let file = site.get(Some(&anna), &format!("/documents/{number}/file"));
        assert_eq!(file.header("Content-Type"), Some(media_type));
        assert!(file.header("Content-Disposition").unwrap().starts_with("inline"));
        // A browser shows no document in a sandbox that also asks to be isolated.
        assert_eq!(file.header("Cross-Origin-Opener-Policy"), Some("unsafe-none"));
    }
}

#[test]
fn names_of_files_are_harmless() {
    let site = Site::new();
    let anna = site.user("anna", Role::User, &[]);
    for (place, name) in [
        "../../etc/passwd",
        "C:\\temp\\a.txt",
        "a%0D%0ASet-Cookie: x=1.txt",
        "\u{202e}fdp.exe",
        "CON",
        "....",
        "<img src=x onerror=alert(1)>.txt",
    ]
    .into_iter()
    .enumerate()
    {
        let number = site.file(&anna, name, format!("file {place}").as_bytes());
        let download = site.get(Some(&anna), &format!("/documents/{number}/download"));
        let disposition = download.header("Content-Disposition").unwrap();
        assert!(
            !disposition.contains("..%2F") && !disposition.contains('/') && !disposition.contains('\\'),
            "{disposition}"
        );
        assert_eq!(download.header("Set-Cookie"), None);
        assert!(!site.get(Some(&anna), "/").text().contains("<img src=x"));
    }
}

#[test]
fn a_broken_form_archives_nothing_and_says_so() {
    let site = Site::new();
    let anna = site.user("anna", Role::User, &[]);
    let token = site.token(&anna);
    let begin = format!("--B\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n{token}\r\n");
    let file = "--B\r\nContent-Disposition: form-data; name=\"files\"; filename=\"a\"\r\n\r\n";
    for body in [
        String::new(),
        begin.clone(),
        format!("{begin}{file}never ends"),
        format!("{begin}{file}x\r\n--Bgarbage\r\n"),
        format!("{begin}--B\r\nX: {}\r\n\r\nx\r\n--B--", "a".repeat(100_000)),
        format!("{begin}--B\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n{}\r\n--B--", "a".repeat(100_000)),
    ] {
        let answer = site.send(Some(&anna), "/upload", "multipart/form-data; boundary=B", body.clone().into_bytes());
        assert!(matches!(answer.status, 400 | 403), "{}: {}", answer.status, &body[..body.len().min(300)]);
    }
    assert_eq!(site.send(Some(&anna), "/upload", "text/plain", b"x".to_vec()).status, 400);
    assert_eq!(site.web.archive.view().unwrap().count().unwrap(), 0);
}

#[test]
fn fields_are_changed_and_noted_by_name() {
    let site = Site::new();
    let anna = site.user("anna", Role::User, &["anna"]);
    let file = site.file(&anna, "a.txt", b"a");
    let mail = site.mail("anna", b"Subject: as sent\r\n\r\n", 1);
    let metadata = |number: u64| site.web.archive.view().unwrap().document(number).unwrap().unwrap().metadata;
    let edits = [("title", "new"), ("note", "one\r\ntwo"), ("field:Invented", "x"), ("media_name", "y")];
    for number in [file, mail] {
        assert_eq!(site.post(&anna, &format!("/documents/{number}/fields"), &edits).status, 303);
    }
    assert_eq!((metadata(file).title.as_str(), metadata(file).note.as_str()), ("new", "one\ntwo"));
    // What a mail says of itself stays, and no field is made up.
    assert_eq!((metadata(mail).title.as_str(), metadata(mail).note.as_str()), ("as sent", "one\ntwo"));
    assert!(metadata(file).fields.is_empty() && metadata(file).media_name == "a.txt");
    let noted = site.journal().into_iter().filter_map(|event| match event.what {
        archivista::archive::commit::Happening::FieldsChanged(number, names) => Some((event.who, number, names)),
        _ => None,
    });
    let noted: Vec<_> = noted.collect();
    assert_eq!(
        noted,
        [
            ("anna".to_string(), file, vec!["title".to_string(), "note".into()]),
            ("anna".to_string(), mail, vec!["note".to_string()])
        ]
    );
}

#[test]
fn a_long_upload_comes_in_through_the_gate() {
    let archivista = Archivista::new();
    let serving = Serving::start(&archivista, &[]);
    let mut browser = serving.set_up();
    let csrf = browser.get("/upload").csrf();
    let bytes = film(3_000_000);
    let mut body = format!(
        "--=x\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n{csrf}\r\n--=x\r\nContent-Disposition: form-data; \
         name=\"files\"; filename=\"film.mp4\"\r\n\r\n"
    )
    .into_bytes();
    body.extend(&bytes);
    body.extend(b"\r\n--=x--\r\n");
    let origin = format!("https://{}", browser.host());
    let headers = [("Origin", origin.as_str()), ("Content-Type", "multipart/form-data; boundary=\"=x\"")];
    let answer = browser.ask("POST", "/upload", &headers, &body);
    assert_eq!((answer.status, answer.header("location")), (303, Some("/documents/1")), "{}", answer.text());
    assert!(browser.get("/documents/1/download").body == bytes);
    // The end of a long document is sent as well as its beginning, and nothing of the upload is left behind.
    let part = browser.ask("GET", "/documents/1/file", &[("Range", "bytes=-10")], &[]);
    assert!(part.status == 206 && part.body == bytes[bytes.len() - 10..]);
    let left = std::fs::read_dir(archivista.data().join("spool")).unwrap().count();
    assert_eq!(left, 0);
}
