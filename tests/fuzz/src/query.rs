//! What people type: any text is a query; every hint says something; the index takes what it is asked as a question and never as a mistake;
//! and a word is found where it stands, whatever it is folded to.

use std::cell::RefCell;
use std::collections::BTreeSet;

use archivista::archive::view::Reads;
use archivista::language::Lang;
use archivista::search::query::Asker;
use archivista::search::snippet::snippet;
use archivista::search::words::{fold, fold_beginning, words};
use archivista::search::{Places, Query, Searchable};
use jiff::tz::TimeZone;
use rusqlite::Connection;

thread_local! {
    static INDEX: RefCell<Connection> = RefCell::new(index());
}

fn index() -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    let table = "CREATE VIRTUAL TABLE words USING fts5 (place, sender, recipient, cc, subject, file, body, field, tokenize = 'ascii')";
    connection.execute_batch(table).unwrap();
    connection
}

pub fn run(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let query = Query::parse(&text, &TimeZone::UTC, &Searchable::default());
    for hint in query.hints() {
        assert!(!hint.sentence(Lang::De).is_empty() && !hint.sentence(Lang::En).is_empty());
    }
    let fields = BTreeSet::from(["Kunde".to_owned()]);
    for reads in [Reads::All, Reads::Places(vec![1, 2])] {
        let put = query.put(Asker { reads: &reads, places: &Places::default(), fields: &fields });
        let Some(expression) = put.expression else { continue };
        INDEX.with_borrow(|index| {
            let mut asked = index.prepare_cached("SELECT rowid FROM words WHERE words MATCH ?1").unwrap();
            let found = asked.exists([&expression]);
            assert!(matches!(found, Ok(false)), "{text:?} as {expression}: {found:?}");
        });
    }
    for word in words(&text) {
        let written = &text[word.place.clone()];
        assert_eq!(fold(written), word.text, "{written:?}");
        assert!(word.text.chars().all(char::is_alphanumeric), "{word:?}");
        for (at, c) in written.char_indices() {
            let beginning = fold_beginning(&written[..at + c.len_utf8()]);
            // A name in punycode means nothing before it is whole.
            assert!(written.to_ascii_lowercase().starts_with("xn--") || word.text.starts_with(&beginning), "{beginning:?} of {word:?}");
        }
    }
    let marks = query.marks();
    if let Some(found) = snippet(&text, &marks) {
        assert!(found.bits.iter().any(|(_, is_match)| *is_match), "{found:?}");
    }
}

pub fn seeds() -> Vec<Vec<u8>> {
    [
        "from:müller \"letzte offerte\" -newsletter",
        "offert* or rechnung after:2026-01-01 before:31.12.2026",
        "larger:1.5M has:attachment mailbox:info folder:\"Gesendete Objekte\"",
        "field:Kunde=muster kunde:* -subject:x note:y",
        "xn--mller-kva.ch 東京 Straße „Zitat“ Zuerich",
        "NEAR(a b) AND ^x {y} : ' \" *",
    ]
    .map(|text| text.as_bytes().to_vec())
    .into()
}
