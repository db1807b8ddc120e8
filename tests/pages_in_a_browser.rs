//! The pages as people use them: real clicks and keys in Chromium. A flow fails at any error on the console, any break of
//! the content security policy, any request to another host.

use crate::support::archivista::Archivista;
use crate::support::browser;
use crate::support::serving::Serving;
use serde_json::json;

#[test]
fn somebody_sets_up_the_archive_and_lets_a_second_person_in() {
    let archivista = Archivista::new();
    let serving = Serving::start(&archivista, &[]);
    let more = json!({ "language": "de-CH", "setup_code": serving.setup_code });
    browser::flow("setup_and_users", &serving.origin(), &more);
}

#[test]
fn a_document_is_found_and_its_link_copied() {
    let archivista = Archivista::new();
    let serving = Serving::start(&archivista, &[]);
    let mail = archivista.beside("letter.eml");
    std::fs::write(&mail, LETTER).unwrap();
    let film = archivista.beside("viastockalperhd.mp4");
    std::fs::write(&film, b"\0\0\0\x20ftypisom....").unwrap();
    let more = json!({ "language": "de-CH", "setup_code": serving.setup_code, "files": [mail, film] });
    browser::flow("find_and_link", &serving.origin(), &more);
}

const LETTER: &str = "From: Anna Meier <anna@example.ch>\r\nTo: beat@example.ch\r\nSubject: Letzte Offerte\r\n\
    Date: Fri, 21 Nov 2025 10:00:00 +0100\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=A\r\n\r\n\
    --A\r\nContent-Type: text/plain\r\n\r\nplain words\r\n\
    --A\r\nContent-Type: text/html\r\n\r\n<h1>Rich words</h1><p>and <b>more</b><script>alert(1)</script>\
    <img src=\"https://tracker.example/x.png\"></p>\r\n--A--\r\n";
