//! Promise: a journal report of Exchange is archived as it is, and shown, found and listed as the mail within it, with the
//! envelope beside: blind copies and the members of lists, which stand nowhere else.
//!
//! Others archive the report as a mail of the postmaster with an attachment, or unpack it and throw the envelope away.

use crate::support::archivista::{Archivista, Counts};
use crate::support::definition::Definition;
use crate::support::dovecot::{Dovecot, USER};
use crate::support::proof::archive_equals_server;
use crate::support::serving::Serving;

const ORIGINAL: &str = "From: Anna Meier <anna@example.ch>\r\nTo: Alle <alle@example.ch>\r\nSubject: Offerte\r\n\
    Date: Mon, 1 Jan 2024 09:00:00 +0100\r\nMessage-ID: <1@example.ch>\r\nMIME-Version: 1.0\r\n\
    Content-Type: multipart/mixed; boundary=in\r\n\r\n--in\r\n\r\nGuten Tag\r\n--in\r\n\
    Content-Type: application/pdf; name=offerte.pdf\r\nContent-Disposition: attachment\r\n\
    Content-Transfer-Encoding: base64\r\n\r\nJVBERi0=\r\n--in--\r\n";

fn report(text: &str) -> Vec<u8> {
    format!(
        "From: <MicrosoftExchange@example.ch>\r\nTo: <journal@example.ch>\r\nSubject: Journal\r\n\
         Date: Tue, 2 Jan 2024 09:00:00 +0100\r\nMessage-ID: <{:x}@journal.example.ch>\r\nX-MS-Journal-Report:\r\n\
         MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"out\"\r\n\r\n--out\r\n\
         Content-Type: text/plain; charset=\"utf-8\"\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{text}\r\n--out\r\n\
         Content-Type: message/rfc822\r\n\r\n{ORIGINAL}\r\n--out--\r\n",
        text.len()
    )
    .into_bytes()
}

#[test]
fn in_english_in_german_and_in_a_language_that_nobody_told_us_of() {
    let dovecot = Dovecot::start();
    let texts = [
        "Sender: anna@example.ch\r\nOn-Behalf-Of: chef@example.ch\r\nSubject: Offerte\r\nMessage-Id: <1@example.ch>\r\n\
         To: beat@example.ch, Expanded: alle@example.ch\r\nBcc: verborgen@example.ch\r\n",
        "Absender: anna@example.ch\r\nBetreff: Offerte\r\nNachrichten-ID: <1@example.ch>\r\n\
         An: beat@example.ch, Erweitert: alle@example.ch\r\nBcc: verborgen@example.ch\r\n",
        "Lähettäjä: anna@example.ch\r\nAihe: Offerte\r\nTunnus: <1@example.ch>\r\nVastaanottaja: beat@example.ch\r\n",
    ];
    for text in texts {
        dovecot.deliver(USER, "INBOX", &report(text));
    }
    let archivista = Archivista::new();
    archivista.define(&Definition::of(&dovecot, "journal").with("field_subject", "Betrifft"));
    assert_eq!(archivista.fetch_counts(), Counts::archived(3));
    archive_equals_server(&archivista, &dovecot, USER, &["INBOX"]);

    let list = archivista.list();
    for document in &list {
        assert_eq!(
            (&document["title"], &document["from"]),
            (&"Offerte".into(), &"Anna Meier <anna@example.ch>".into())
        );
        assert_eq!(
            (&document["to"], &document["message_id"]),
            (&"Alle <alle@example.ch>".into(), &"1@example.ch".into())
        );
        assert_eq!(document["date"], "2024-01-01T08:00:00Z");
        assert_eq!(document["fields"]["Betrifft"], "Offerte");
        let names: Vec<_> = document["attachments"].as_array().unwrap().iter().map(|part| &part["name"]).collect();
        assert_eq!(names, ["offerte.pdf"]);
        assert_eq!(document["envelope"]["sender"], "anna@example.ch");
    }
    for document in &list[..2] {
        assert_eq!(document["envelope"]["to"], "beat@example.ch (alle@example.ch)");
        assert_eq!(document["envelope"]["bcc"], "verborgen@example.ch");
    }
    assert_eq!(list[0]["envelope"]["on_behalf_of"], "chef@example.ch");
    assert_eq!(list[2]["envelope"]["recipients"], "beat@example.ch");

    // Made anew from the log alone, it is all there.
    archivista.run(&["rebuild", "catalog"]).succeeded();
    assert_eq!(archivista.list(), list);
    archivista.verify();

    let serving = Serving::start(&archivista, &[]);
    let mut browser = serving.set_up();
    let page = browser.get("/documents/1/fields").text();
    for words in ["Envelope", "Sent by", "Blind copy", "verborgen@example.ch", "beat@example.ch (alle@example.ch)"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let found = browser.get("/?q=to:verborgen").text();
    assert!(found.contains("Offerte"), "{found}");
    let csrf = browser.get("/account").csrf();
    browser.post("/account", &[("csrf", &csrf), ("language", "de")]);
    let page = browser.get("/documents/1/fields").text();
    for words in ["Umschlag", "Gesendet von", "Im Auftrag von", "Blindkopie"] {
        assert!(page.contains(words), "{words}: {page}");
    }
}
