//! Promise: From, To, Cc and Subject of a mail go into the fields of the document that the definition names, as they read,
//! and the owner is the one it names.

use crate::support::archivista::{Archivista, Counts};
use crate::support::definition::Definition;
use crate::support::dovecot::{Dovecot, USER};
use serde_json::{Value, json};

const MAIL: &[u8] =
    b"From: =?utf-8?Q?J=C3=BCrg?= Meier <juerg@meier.ch>\r\nTo: Anna <anna@example.ch>, beat@example.ch\r\n\
    Cc: =?iso-8859-1?Q?B=FCro?= <buero@example.ch>\r\nSubject: =?utf-8?B?T2ZmZXJ0ZSBmw7xyIFrDvHJpY2g=?=\r\n\
    Date: Mon, 1 Jan 2024 09:00:00 +0100\r\nMessage-ID: <1@meier.ch>\r\n\r\nGuten Tag\r\n";
const FROM: &str = "Jürg Meier <juerg@meier.ch>";
const TO: &str = "Anna <anna@example.ch>, beat@example.ch";
const CC: &str = "Büro <buero@example.ch>";
const SUBJECT: &str = "Offerte für Zürich";

/// The document that a definition with these keys makes of a mail.
fn archived(dovecot: &Dovecot, keys: &[(&str, &str)]) -> Value {
    let mut definition = Definition::of(dovecot, "büro");
    for (key, value) in keys {
        definition = definition.with(key, *value);
    }
    let archivista = Archivista::new();
    archivista.define(&definition);
    assert_eq!(archivista.fetch_counts(), Counts::archived(1));
    archivista.list().remove(0)
}

#[test]
fn each_goes_where_it_should() {
    let dovecot = Dovecot::start();
    dovecot.deliver(USER, "INBOX", MAIL);
    let cases: [(&[(&str, &str)], Value); 8] = [
        (&[], json!({})),
        (&[("field_from", "Absender")], json!({ "Absender": FROM })),
        (&[("field_to", "Empfänger")], json!({ "Empfänger": TO })),
        (&[("field_cc", "Kopie")], json!({ "Kopie": CC })),
        (&[("field_subject", "Betreff")], json!({ "Betreff": SUBJECT })),
        (
            &[("field_from", "Von"), ("field_to", "An"), ("field_cc", "Kopie an"), ("field_subject", "Titel")],
            json!({ "Von": FROM, "An": TO, "Kopie an": CC, "Titel": SUBJECT }),
        ),
        (&[("field_to", "Personen"), ("field_from", "Personen")], json!({ "Personen": format!("{FROM}, {TO}") })),
        (&[("field_cc", "An"), ("field_to", "An"), ("field_from", "")], json!({ "An": format!("{CC}, {TO}") })),
    ];
    for (keys, fields) in cases {
        let document = archived(&dovecot, keys);
        assert_eq!(document["fields"], fields, "{keys:?}");
        // Whatever the fields take, the mail's own stay as they are.
        assert_eq!(
            [&document["title"], &document["from"], &document["to"], &document["cc"], &document["owner"]],
            [SUBJECT, FROM, TO, CC, ""],
            "{keys:?}"
        );
    }
}

#[test]
fn an_empty_field_of_the_mail_leaves_no_trace() {
    let dovecot = Dovecot::start();
    dovecot.deliver(USER, "INBOX", b"From: a@b.ch\r\nDate: Mon, 1 Jan 2024 09:00:00 +0100\r\n\r\n");
    let keys = [("field_from", "Personen"), ("field_cc", "Personen"), ("field_subject", "Betreff")];
    assert_eq!(archived(&dovecot, &keys)["fields"], json!({ "Personen": "a@b.ch" }));
}

#[test]
fn the_owner_is_the_definition_s_and_a_changed_definition_changes_what_comes_after_it() {
    let dovecot = Dovecot::start();
    dovecot.deliver(USER, "INBOX", MAIL);
    let archivista = Archivista::new();
    let definition = Definition::of(&dovecot, "büro").with("owner", "Buchhaltung").with("field_subject", "Betreff");
    archivista.define(&definition);
    assert_eq!(archivista.fetch_counts(), Counts::archived(1));
    archivista.define(&definition.with("owner", "Verkauf").with("field_subject", "Titel"));
    dovecot.deliver(USER, "INBOX", b"Subject: Zwei\r\nDate: Mon, 1 Jan 2024 09:00:00 +0100\r\n\r\n");
    assert_eq!(archivista.fetch_counts(), Counts::archived(1));
    let list = archivista.list();
    assert_eq!((&list[0]["owner"], &list[0]["fields"]), (&"Buchhaltung".into(), &json!({ "Betreff": SUBJECT })));
    assert_eq!((&list[1]["owner"], &list[1]["fields"]), (&"Verkauf".into(), &json!({ "Titel": "Zwei" })));
    // What stands in a field is found by plain words and survives a new catalog.
    archivista.run(&["rebuild", "catalog"]).succeeded();
    assert_eq!(archivista.list(), list);
}
