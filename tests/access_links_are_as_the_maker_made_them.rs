//! An access link is two lines, title and address, for any document; opening it asks for the login and then shows that
//! document; and it tells nobody anything who may not read it.

use crate::support::web::{Answer, HOST, Site, unescaped};
use archivista::archive::commit::Happening;
use archivista::settings::administration::Field;
use archivista::settings::users::Role;

const MAIL: &[u8] = b"From: a@example.ch\r\nTo: b@example.ch\r\nSubject: Offerte <1> & \"2\"\r\n\
    Date: Fri, 21 Nov 2025 10:00:00 +0100\r\n\r\nhello\r\n";

/// What Ctrl+C puts on the clipboard: it stands in the page.
fn link(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let article = answer.between("<article", ">").unwrap();
    let (_, rest) = article.split_once("data-link=\"").unwrap();
    unescaped(rest.split_once('"').unwrap().0)
}

#[test]
fn a_video_has_the_link_of_the_maker_s_page() {
    let site = Site::new();
    let anna = site.user("anna", Role::User, &["anna"]);
    let number = site.file(&anna, "viastockalperhd.mp4", b"\0\0\0\x20ftypisom");
    site.administer(|administration| administration.dns_name = "https://archivistaimnetz.ch".into());
    let page = site.get(Some(&anna), &format!("/documents/{number}"));
    let expected =
        format!("viastockalperhd.mp4\nhttps://archivistaimnetz.ch/perl/avclient/index.pl?target=new&go={number}");
    assert_eq!(link(&page), expected);
    // Without script it can be copied by hand, and other tabs do not take Ctrl+C over.
    assert!(unescaped(&page.text()).contains(&format!("readonly>{expected}</textarea>")));
    assert!(page.between("<article", ">").unwrap().contains("data-view"));
    let fields = site.get(Some(&anna), &format!("/documents/{number}/fields"));
    assert!(!fields.between("<article", ">").unwrap().contains("data-view"));
}

#[test]
fn the_title_is_the_set_field_or_number_and_title() {
    let site = Site::new();
    let anna = site.user("anna", Role::User, &["anna"]);
    let number = site.mail("anna", MAIL, 1);
    let other = |site: &Site, value: &str| {
        site.administer(|administration| administration.link_title = Some(Field::Other("Projekt".into())));
        let value = value.to_string();
        site.change(number, move |metadata| drop(metadata.fields.insert("Projekt".into(), value)));
        link(&site.get(Some(&anna), &format!("/documents/{number}"))).lines().next().unwrap().to_string()
    };
    let fallback = format!("{number}: Offerte <1> & \"2\"");
    for (value, expected) in [
        ("Umbau", "Umbau"),
        ("Umbau\nZürich", "Umbau Zürich"),
        ("Umbau\r\nZürich\u{2028}West", "Umbau Zürich West"),
        ("", fallback.as_str()),
        (" \r\n ", fallback.as_str()),
    ] {
        assert_eq!(other(&site, value), expected, "{value:?}");
    }
    site.administer(|administration| administration.link_title = None);
    let page = site.get(Some(&anna), &format!("/documents/{number}"));
    assert_eq!(link(&page), format!("{fallback}\nhttps://{HOST}/perl/avclient/index.pl?target=new&go={number}"));
    // A mail has no MediaName.
    site.administer(|administration| administration.link_title = Some(Field::MediaName));
    assert!(link(&site.get(Some(&anna), &format!("/documents/{number}"))).starts_with(&fallback));
}

#[test]
fn the_address_begins_with_the_dns_name_or_the_box_s_own() {
    let site = Site::new();
    let anna = site.user("anna", Role::User, &["anna"]);
    let number = site.mail("anna", MAIL, 1);
    for (name, expected) in [
        ("http://192.168.0.233", "http://192.168.0.233"),
        ("https://archivistaimnetz.ch", "https://archivistaimnetz.ch"),
        ("https://archivistaimnetz.ch/", "https://archivistaimnetz.ch"),
        ("https://archiv.example.ch:8443", "https://archiv.example.ch:8443"),
        ("", "https://box.example:8443"),
        ("archiv.example.ch", "https://box.example:8443"),
        ("javascript:alert(1)", "https://box.example:8443"),
    ] {
        site.administer(|administration| administration.dns_name = name.into());
        let copied = link(&site.get(Some(&anna), &format!("/documents/{number}")));
        let (_, address) = copied.split_once('\n').unwrap();
        assert_eq!(address, format!("{expected}/perl/avclient/index.pl?target=new&go={number}"), "{name}");
    }
}

#[test]
fn several_documents_are_pairs_with_an_empty_line_between() {
    let site = Site::new();
    let anna = site.user("anna", Role::User, &["anna"]);
    let one = site.file(&anna, "a.txt", b"a");
    let two = site.file(&anna, "b.txt", b"b");
    let foreign = site.mail("beat", MAIL, 1);
    let numbers = [one, two, foreign].map(|number| number.to_string());
    let page = site.post(
        &anna,
        "/selection",
        &[("action", "links"), ("number", &numbers[0]), ("number", &numbers[1]), ("number", &numbers[2])],
    );
    let base = format!("https://{HOST}/perl/avclient/index.pl?target=new&go=");
    let expected = format!("a.txt\n{base}{one}\n\nb.txt\n{base}{two}");
    assert!(unescaped(&page.text()).contains(&format!(">{expected}</textarea>")), "{}", page.text());
}

#[test]
fn a_link_asks_for_the_login_and_then_shows_the_document() {
    let site = Site::new();
    let anna = site.user("anna", Role::User, &["anna"]);
    let number = site.mail("anna", MAIL, 1);
    for path in [format!("/perl/avclient/index.pl?target=new&go={number}"), format!("/go/{number}")] {
        let visitor = site.get(None, &path);
        assert_eq!(visitor.status, 303);
        let next = visitor.location().strip_prefix("/login?next=").unwrap().to_string();
        let login = site.get(None, visitor.location());
        assert!(unescaped(&login.text()).contains(&format!("name=\"next\" value=\"{path}\"")), "{next}");
        let opened = site.get(Some(&anna), &path);
        assert_eq!((opened.status, opened.location()), (303, format!("/documents/{number}").as_str()));
    }
    let by_link = |event: &archivista::archive::commit::Event| {
        event.who == "anna" && event.what == Happening::OpenedByLink(number)
    };
    assert_eq!(site.journal().iter().filter(|event| by_link(event)).count(), 2);
}

#[test]
fn a_wrong_number_and_no_right_look_the_same() {
    let site = Site::new();
    let anna = site.user("anna", Role::User, &["anna"]);
    let foreign = site.mail("beat", MAIL, 1);
    let wrong = foreign + 1000;
    // The number itself stands in the way back from the login only.
    let same = |answer: &Answer, number: u64| {
        let location = answer.location().replace(&format!("F{number}"), "FN").replace(&format!("D{number}"), "DN");
        (answer.status, location, answer.text())
    };
    let own = site.mail("anna", b"Subject: mine\r\n\r\n", 2);
    for form in [
        "/go/N",
        "/perl/avclient/index.pl?target=new&go=N",
        "/documents/N",
        "/documents/N/html",
        "/documents/N/download",
    ] {
        for cookie in [Some(anna.as_str()), None] {
            let ask = |number: u64| site.get(cookie, &form.replace('N', &number.to_string()));
            assert_eq!(same(&ask(foreign), foreign), same(&ask(wrong), wrong), "{form} {cookie:?}");
            assert_eq!(ask(foreign).status, if cookie.is_some() { 404 } else { 303 }, "{form}");
            if cookie.is_none() {
                // A visitor does not even learn which documents there are.
                assert_eq!(same(&ask(own), own), same(&ask(wrong), wrong), "{form}");
            }
        }
    }
    for nonsense in ["/go/0", "/go/x", "/go/-1", "/perl/avclient/index.pl?go=18446744073709551616"] {
        assert_eq!(site.get(Some(&anna), nonsense).status, 404, "{nonsense}");
        assert_eq!(site.get(None, nonsense).status, 303, "{nonsense}");
    }
}

#[test]
fn a_published_document_of_a_public_archive_opens_without_login() {
    let site = Site::new();
    let anna = site.user("anna", Role::User, &["anna"]);
    let film = site.file(&anna, "film.mp4", b"\0\0\0\x20ftypisom....");
    let hidden = site.file(&anna, "hidden.txt", b"hidden");
    let mail = site.mail("anna", MAIL, 1);
    let go = |number: u64| site.get(None, &format!("/go/{number}")).status;
    let publish = |number: u64, field: &str| {
        let path = format!("/documents/{number}/fields");
        let answer = site.post(&anna, &path, &[("field:Web", field), ("note", "secret note"), ("publish_sure", "1")]);
        assert_eq!(answer.status, 303, "{}", answer.text());
    };
    site.administer(|administration| administration.publishing = Some(Field::Other("Web".into())));
    publish(film, "yes");
    publish(mail, "yes");
    assert_eq!(go(film), 303, "the archive is not public");
    site.administer(|administration| administration.is_public = true);
    assert_eq!((go(film), go(hidden), go(mail)), (200, 303, 303));
    let page = site.get(None, &format!("/perl/avclient/index.pl?target=new&go={film}"));
    let text = page.text();
    assert_eq!(page.header("X-Robots-Tag"), Some("noindex"));
    assert!(text.contains("<video") && text.contains("film"), "{text}");
    assert!(!text.contains("secret note") && !text.contains("/fields") && !text.contains("anna"), "{text}");
    assert_eq!(site.get(None, &format!("/documents/{film}/file")).status, 200);
    for path in ["", "/fields", "/source", "/proof"] {
        assert_eq!(site.get(None, &format!("/documents/{film}{path}")).status, 303, "{path}");
    }
    // Somebody without a right to it sees the public page as well.
    let beat = site.user("beat", Role::User, &[]);
    assert_eq!(site.get(Some(&beat), &format!("/go/{film}")).status, 200);
    assert_eq!(site.get(Some(&beat), &format!("/documents/{film}")).status, 404);
    site.administer(|administration| administration.public_mails = true);
    assert_eq!(go(mail), 200);
    publish(film, "");
    assert_eq!(go(film), 303);
    assert_eq!(site.get(None, &format!("/documents/{film}/file")).status, 303);
    let what = |what: &Happening| site.journal().iter().filter(|event| event.what == *what).count();
    assert_eq!((what(&Happening::Published(film)), what(&Happening::Withdrawn(film))), (1, 1));
}

#[test]
fn a_link_in_a_note_can_be_clicked() {
    let site = Site::new();
    let anna = site.user("anna", Role::User, &["anna"]);
    let (one, two) = (site.file(&anna, "a.txt", b"a"), site.file(&anna, "b.txt", b"b"));
    let copied = link(&site.get(Some(&anna), &format!("/documents/{one}")));
    site.post(&anna, &format!("/documents/{two}/fields"), &[("note", &copied.replace('\n', "\r\n"))]);
    let page = site.get(Some(&anna), &format!("/documents/{two}/fields"));
    let address = format!("https://{HOST}/perl/avclient/index.pl?target=new&go={one}");
    assert!(unescaped(&page.text()).contains(&format!("<a href=\"{address}\"")), "{}", page.text());
    let kept = site.web.archive.view().unwrap().document(two).unwrap().unwrap().metadata.note;
    assert_eq!(kept, copied);
}
