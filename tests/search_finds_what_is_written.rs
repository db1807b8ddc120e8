//! The index of words: what it finds, for whom, and how it heals.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::FileExt;
use std::path::Path;

use archivista::archive::Archive;
use archivista::archive::commit::{Ending, Outcome};
use archivista::archive::view::Reads;
use archivista::extract::Unread;
use archivista::limits::SAVED_SEARCHES;
use archivista::pulse::Pulse;
use archivista::search::index::{self, Index};
use archivista::search::{Ask, Order, Query, Searchable, Sort, find};
use archivista::settings::document_fields::{DocumentField, DocumentFields, Who};
use archivista::settings::tokens::Rights;
use archivista::settings::users::Role;
use archivista::web::request::Method;
use jiff::tz::TimeZone;

use crate::support::small;
use crate::support::web::Site;

fn mail(number: u64, subject: &str, text: &str) -> (u64, Vec<u8>) {
    let head = format!(
        "From: Jörg Müller <joerg@xn--mller-kva.example>\r\nTo: Beat <beat@example.ch>\r\nSubject: {subject}\r\n\
         Date: Mon, 1 Jan 2024 09:{:02}:00 +0100\r\nMessage-ID: <{number}@example.ch>\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{text}\r\n",
        number % 60
    );
    (number, head.into_bytes())
}

struct Found {
    archive: Archive,
    index: Index,
}

impl Found {
    fn at(data: &Path) -> Self {
        let archive = small::open(data);
        let index = small::index(&archive);
        Self { archive, index }
    }

    fn settle(&self) {
        index::once(&self.archive, &self.index, false, &Pulse::new()).unwrap();
    }

    /// Numbers of what is found, the newest first.
    fn search(&self, query: &str) -> Vec<u64> {
        self.search_as(query, &Reads::All, Sort::Date)
    }

    fn search_as(&self, query: &str, reads: &Reads, sort: Sort) -> Vec<u64> {
        let (rows, is_behind) = self.ask(query, reads, sort);
        assert!(!is_behind);
        rows
    }

    /// The same, and whether the index is behind.
    fn ask(&self, query: &str, reads: &Reads, sort: Sort) -> (Vec<u64>, bool) {
        let query = Query::parse(query, &TimeZone::UTC, &Searchable::default());
        let order = Order { sort, descending: true };
        let ask = Ask { query: &query, order, at: None, back: false, most: 100 };
        let view = self.archive.view().unwrap();
        let found = find(&self.index, &view, reads, ask, |number, _| number).unwrap();
        (found.rows, found.is_behind)
    }
}

fn some(data: &Path) -> Found {
    let found = Found::at(data);
    let mails = vec![
        mail(1, "Letzte Offerte", "Grüsse aus Zürich, die Rechnung folgt."),
        mail(2, "Invoice", "Greetings from Zurich, the offer is attached."),
        mail(3, "Zuerich im Winter", "Die letzte schöne Offerte: 1200.50 CHF"),
        mail(4, "Newsletter", "Werbung, letzte Gelegenheit. Offerten!"),
    ];
    small::put(&found.archive, "anna", mails);
    found.settle();
    found
}

#[test]
fn words_phrases_beginnings_and_what_must_not_be_there() {
    let folder = tempfile::tempdir().unwrap();
    let found = some(&folder.path().join("data"));
    for (query, numbers) in [
        ("zürich", &[3, 2, 1][..]),
        ("ZURICH", &[3, 2, 1]),
        ("Zuerich", &[3, 2, 1]),
        ("rechnung", &[1]),
        ("offerte", &[3, 1]),
        ("offert*", &[4, 3, 1]),
        ("\"letzte offerte\"", &[1]),
        ("letzte offerte", &[3, 1]),
        ("letzte -offerte", &[4]),
        ("-letzte", &[2]),
        ("rechnung or invoice", &[2, 1]),
        ("zürich rechnung oder offer", &[2, 1]),
        ("from:müller", &[4, 3, 2, 1]),
        ("von:joerg@müller.example", &[4, 3, 2, 1]),
        ("joerg@xn--mller-kva.example newsletter", &[4]),
        ("to:müller", &[]),
        ("to:beat subject:invoice", &[2]),
        ("subject:rechnung", &[]),
        ("1200.50", &[3]),
        ("3", &[3]),
        ("mailbox:anna folder:inbox werbung", &[4]),
        ("mailbox:beat", &[]),
        ("werbung or larger:1M", &[4]),
        ("werbung or -larger:1", &[4]),
        ("-larger:1M -werbung", &[3, 2, 1]),
        ("letzte after:2024-01-01", &[]),
        ("letzte before:2024-01-02", &[4, 3, 1]),
        ("folgt attached", &[]),
        ("folgt die", &[1]),
        // The end of one text and the beginning of the next are no phrase.
        ("\"offerte jorg\"", &[]),
        ("\"", &[4, 3, 2, 1]),
        ("NOT AND ( \" zurich", &[]),
    ] {
        assert_eq!(found.search(query), numbers, "{query}");
    }
    assert_eq!(found.search_as("offert*", &Reads::All, Sort::Relevance)[0], 1, "a subject counts for more");
    assert_eq!(found.search_as("letzte", &Reads::All, Sort::Title), [3, 4, 1]);
    assert_eq!(found.search_as("letzte", &Reads::All, Sort::Number), [4, 3, 1]);
}

#[test]
fn an_address_is_found_by_what_is_typed_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let found = Found::at(&folder.path().join("data"));
    let mails = vec![
        mail(1, "Adresse", "Schreiben Sie an <hans.peter-meier@firma.example>, oder rufen Sie an."),
        mail(2, "hans@firma.example", "Von Hans an firma: example"),
        mail(3, "Ohne", "Hans, Peter: firma, example"),
        mail(4, "Lang", "mailto:meier@firma.example.ch/x"),
    ];
    small::put(&found.archive, "anna", mails);
    found.settle();
    for (query, numbers) in [
        ("hans.peter-meier@firma.example", &[1][..]),
        ("peter-meier@firma.example", &[1]),
        ("meier@firma.example", &[4, 1]),
        ("\"<Meier@FIRMA.example>\"", &[4, 1]),
        ("meier@firma", &[4, 1]),
        ("meier@fir*", &[4, 1]),
        ("meier@firma.example.ch", &[4]),
        ("ier@firma.example", &[]),
        ("meier@firm", &[]),
        ("hans@firma.example", &[2]),
        ("hans@*", &[3, 2, 1]),
        ("@firma.example", &[4, 3, 2, 1]),
        ("subject:hans@firma.example", &[2]),
        ("an:beat@example.ch -meier@firma.example", &[3, 2]),
        ("von:joerg@mueller*", &[4, 3, 2, 1]),
        ("an:joerg@müller.example", &[]),
    ] {
        assert_eq!(found.search(query), numbers, "{query}");
        assert_eq!(found.search_as(query, &Reads::All, Sort::Relevance).len(), numbers.len(), "{query}");
    }
}

#[test]
fn a_mail_of_too_many_words_is_found_by_its_subject_and_delays_no_other() {
    // Of this whole process, and never raised again.
    let limit = rusqlite::Connection::open_in_memory().unwrap();
    limit.execute_batch("PRAGMA hard_heap_limit = 8388608;").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let found = Found::at(&folder.path().join("data"));
    let many: Vec<String> = (0..150_000).map(|at| format!("{at:05x}")).collect();
    let mails = vec![
        mail(1, "Vorher", "Erste Offerte"),
        mail(2, "Liste", &many.join(" ")),
        mail(3, "Nachher", "Zweite Offerte"),
    ];
    small::put(&found.archive, "anna", mails);
    found.settle();
    assert_eq!(found.search("offerte"), [3, 1]);
    assert_eq!(found.search("subject:liste"), [2]);
    assert_eq!(found.search("00a01"), [0; 0]);
    let reading = found.index.reading().unwrap().unwrap();
    assert_eq!(reading.unread(2).unwrap(), [(0, Unread::TooLarge)]);
    assert_eq!(reading.unread(1).unwrap(), []);
    found.index.done(reading);
    small::put(&found.archive, "anna", vec![mail(4, "Später", "Dritte Offerte")]);
    found.settle();
    assert_eq!(found.search("offerte"), [4, 3, 1]);
}

#[test]
fn pages_go_on_where_the_last_one_ended_both_ways() {
    let folder = tempfile::tempdir().unwrap();
    let found = Found::at(&folder.path().join("data"));
    // Many of one second, as a machine sends them.
    small::put(
        &found.archive,
        "anna",
        (1..=300)
            .map(|number| mail(number - number % 7, "Meldung", &format!("Nummer {number}")))
            .enumerate()
            .map(|(at, (_, bytes))| (at as u64 + 1, bytes))
            .collect(),
    );
    found.settle();
    let query = Query::parse("nummer", &TimeZone::UTC, &Searchable::default());
    let view = found.archive.view().unwrap();
    let page = |at, back| {
        let ask = Ask { query: &query, order: Order::default(), at, back, most: 17 };
        find(&found.index, &view, &Reads::All, ask, |number, _| number).unwrap()
    };
    let (mut all, mut at, mut pages) = (Vec::new(), None, Vec::new());
    loop {
        let found = page(at, false);
        all.extend(found.rows.clone());
        pages.push(found.rows);
        at = found.after;
        if at.is_none() {
            break;
        }
    }
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 300);
    assert_eq!(all.len(), 300);
    let last = page(None, false);
    let second = page(last.after, false);
    assert_eq!(page(second.before, true).rows, last.rows);
}

#[test]
fn nobody_finds_what_they_may_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let found = Found::at(&folder.path().join("data"));
    small::put(&found.archive, "anna", vec![mail(1, "Lohn", "geheim"), mail(2, "Offen", "geheim und beiden bekannt")]);
    small::put(&found.archive, "beat", vec![mail(2, "Offen", "geheim und beiden bekannt"), mail(3, "Beat", "geheim")]);
    found.settle();
    let view = found.archive.view().unwrap();
    let place = |mailbox: &str| view.folders().unwrap().iter().find(|row| row.folder.mailbox == mailbox).unwrap().place;
    let (anna, beat) = (Reads::Places(vec![place("anna")]), Reads::Places(vec![place("beat")]));
    let none = Reads::Places(Vec::new());
    assert_eq!(found.search_as("geheim", &anna, Sort::Date), [2, 1]);
    assert_eq!(found.search_as("geheim", &beat, Sort::Date), [3, 2]);
    assert_eq!(found.search_as("lohn or geheim", &beat, Sort::Relevance).len(), 2);
    assert_eq!(found.search_as("mailbox:anna geheim", &beat, Sort::Date), [0; 0]);
    assert_eq!(found.search_as("-nichts", &beat, Sort::Date), [3, 2]);
    assert_eq!(found.search_as("geheim", &none, Sort::Date), [0; 0]);
    drop(view);
    // One more place of a document that is in the index already, and a document that is blocked.
    small::put(&found.archive, "beat", vec![mail(1, "Lohn", "geheim")]);
    found.settle();
    found.archive.block("test", 3, true).unwrap();
    for sort in [Sort::Date, Sort::Relevance, Sort::Title] {
        assert_eq!(found.ask("geheim", &beat, sort), ([2, 1].into(), true), "the index does not know of the block yet");
    }
    found.settle();
    assert_eq!(found.search_as("geheim", &beat, Sort::Date), [2, 1]);
    assert_eq!(found.search("geheim"), [3, 2, 1]);
    found.archive.block("test", 3, false).unwrap();
    found.settle();
    assert_eq!(found.search_as("geheim", &beat, Sort::Date), [3, 2, 1]);
}

#[test]
fn what_changes_or_ends_is_found_as_it_is_now() {
    let folder = tempfile::tempdir().unwrap();
    let found = some(&folder.path().join("data"));
    found.archive.end(vec![1, 4], Ending::Erased, Vec::new()).unwrap();
    found.settle();
    assert_eq!(found.search("zürich"), [3, 2]);
    assert_eq!(found.search("offert*"), [3]);
    assert_eq!(found.search("-letzte"), [2]);
}

/// Whether these bytes stand in any file of the index.
fn lies_in(folder: &Path, bytes: &[u8]) -> bool {
    let files = fs::read_dir(folder).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap());
    files.into_iter().any(|file| file.windows(bytes.len()).any(|window| window == bytes))
}

#[test]
fn the_words_of_what_ended_lie_nowhere_in_the_index() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let found = Found::at(&data);
    let word = "krankschreibung";
    // In several parts of the index, and in pages that were written more than once.
    for round in 0..20 {
        let mails = (0..20).map(|at| {
            let number = round * 20 + at + 1;
            let text = if at == 7 {
                format!("Ihre {word}")
            } else {
                (0..200).map(|at| format!("werbung{number}x{at}")).collect::<Vec<_>>().join(" ")
            };
            mail(number, "Nachricht", &text)
        });
        small::put(&found.archive, "anna", mails.collect());
        found.settle();
    }
    let hits = found.search(word);
    assert_eq!(hits.len(), 20);
    let search = data.join("search");
    // Of a word there stands what it has not in common with the one before it.
    let end = b"schreibung";
    assert!(lies_in(&search, end), "what is looked for lies there in plain");
    found.archive.end(hits[..19].to_vec(), Ending::Erased, Vec::new()).unwrap();
    found.settle();
    assert_eq!(found.search(word), hits[19..]);
    found.archive.end(hits[19..].to_vec(), Ending::Erased, Vec::new()).unwrap();
    found.settle();
    assert_eq!(found.search(word), [0; 0]);
    assert!(!lies_in(&search, end));
    assert_eq!(found.search("werbung*").len(), 100, "a page of the others");
}

#[test]
fn an_index_that_is_gone_cut_foreign_or_ahead_heals_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let file = data.join("search/index.db");
    drop(some(&data));
    let old = fs::read(&file).unwrap();
    let heals = |what: &str, why: &str| {
        let found = Found::at(&data);
        found.settle();
        assert_eq!(found.search("zürich"), [3, 2, 1], "{what}");
        let healed = found.index.progress().healed;
        assert!(healed.as_ref().is_some_and(|healed| healed.contains(why)), "{what}: {healed:?}");
    };
    fs::remove_dir_all(data.join("search")).unwrap();
    heals("deleted", "there is none");
    for cut in [0, 1, 100, 5000, old.len() / 2] {
        fs::write(&file, &fs::read(&file).unwrap()[..cut]).unwrap();
        heals("cut", "");
    }
    fs::write(&file, vec![7; 50_000]).unwrap();
    heals("another file", "not a database");
    for at in [0u64, 30, 4096, 9000] {
        let open = fs::OpenOptions::new().write(true).open(&file).unwrap();
        open.write_all_at(&[0xff; 64], at).unwrap();
        let found = Found::at(&data);
        found.settle();
        let hits = found.search("zürich");
        assert_eq!(hits, [3, 2, 1], "broken at {at}");
    }
    // What only searches read: the first of them finds that it is broken.
    let good = fs::read(&file).unwrap();
    assert!(good.len() > 3 * 4096);
    let broken: Vec<u8> = good.iter().enumerate().map(|(at, byte)| if at < 2 * 4096 { *byte } else { 0x5a }).collect();
    fs::write(&file, broken).unwrap();
    {
        let found = Found::at(&data);
        for _ in 0..3 {
            found.settle();
            found.ask("zürich", &Reads::All, Sort::Date);
        }
        assert_eq!(found.search("zürich"), [3, 2, 1]);
        assert!(found.index.progress().healed.is_some());
    }
    let other = tempfile::tempdir().unwrap();
    drop(some(&other.path().join("data")));
    fs::copy(other.path().join("data/search/index.db"), &file).unwrap();
    heals("that of another archive", "another archive");
    let set = |text: &str| {
        let connection = rusqlite::Connection::open(&file).unwrap();
        connection.execute_batch(text).unwrap();
    };
    set("UPDATE state SET sequence = 900");
    heals("ahead of the log", "a commit that the archive does not have");
    set("UPDATE state SET link = zeroblob(32)");
    heals("of another history", "a commit that the archive does not have");
    set("UPDATE state SET version = version + 1");
    heals("of other words", "another release");
}

#[test]
fn an_index_from_yesterday_is_brought_up() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    drop(some(&data));
    let yesterday = fs::read(data.join("search/index.db")).unwrap();
    {
        let found = Found::at(&data);
        assert_eq!(small::put(&found.archive, "anna", vec![mail(5, "Neu", "aus Zürich")]), [Outcome::Archived(5)]);
        found.settle();
        assert_eq!(found.search("zürich"), [5, 3, 2, 1]);
    }
    fs::write(data.join("search/index.db"), yesterday).unwrap();
    let found = Found::at(&data);
    found.settle();
    assert_eq!(found.search("zürich"), [5, 3, 2, 1]);
    assert_eq!(found.index.progress().healed, None);
}

#[test]
fn what_the_index_does_not_cover_yet_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let found = Found::at(&folder.path().join("data"));
    let search = |query: &str| found.ask(query, &Reads::All, Sort::Date);
    assert_eq!(search("zürich"), (vec![], false), "nothing is there to be read");
    small::put(&found.archive, "anna", vec![mail(1, "Eins", "aus Zürich")]);
    assert_eq!(search("zürich"), (vec![], true));
    assert_eq!(search(""), (vec![1], false), "the catalog is not behind");
    assert_eq!(search("larger:1"), (vec![1], false));
    found.settle();
    assert_eq!(search("zürich"), (vec![1], false));
    small::put(&found.archive, "anna", vec![mail(2, "Zwei", "aus Zürich")]);
    assert_eq!(search("zürich"), (vec![1], true));
    found.settle();
    assert_eq!(search("zürich"), (vec![2, 1], false));
}

fn letter(subject: &str, text: &str, number: u64) -> Vec<u8> {
    mail(number, subject, text).1
}

#[test]
fn what_others_have_leaves_no_trace_on_a_page() {
    let site = Site::new();
    let anna = site.user("anna", Role::User, &["anna"]);
    let beat = site.user("beat", Role::User, &["beat"]);
    site.mail("beat", &letter("Offen selten", "für alle", 1), 1);
    site.mail("beat", &letter("Für alle", "offen oft oft, und selten", 2), 2);
    site.mail("beat", &letter("Noch eine", "oft und offen", 3), 3);
    let targets =
        ["/?q=offen+or+selten+or+oft&sort=relevance", "/?q=selten+or+oft&sort=relevance", "/?q=sel*", "/?q=-oft"];
    let pages = || targets.map(|target| site.get(Some(&beat), target).text());
    let before = pages();
    assert!(before[0].contains("Offen selten"), "{}", before[0]);
    assert!(before[1].contains("Noch eine"), "{}", before[1]);
    for at in 0..40 {
        let text = format!("geheimwort und selten, selten, seltenheit {at}");
        site.mail("anna", &letter("Geheimwort", &text, 10 + at), 100 + i64::try_from(at).unwrap());
    }
    assert!(site.get(Some(&anna), "/?q=geheimwort").text().contains("Geheimwort"));
    assert!(pages() == before, "what anna has moves nothing on beat's pages");
    for question in [
        "W",
        "-W",
        "W*",
        "subject:W",
        "from:W",
        "text:W",
        "\"W und\"",
        "W or offen",
        "offen or -W",
        "W mailbox:anna",
        "W folder:inbox",
        "W larger:1",
        "W field:Kunde=x",
        "kunde:W",
        "note:W",
        "file:W",
    ] {
        for sort in ["date", "relevance", "title", "from", "size", "number"] {
            let page = |word: &str| {
                let question = archivista::web::request::encode(&question.replace('W', word));
                site.get(Some(&beat), &format!("/?q={question}&sort={sort}")).text().replace(word, "W")
            };
            assert!(page("geheimwort") == page("nirgendwoo"), "{question} by {sort}");
        }
    }
    // A place to begin at that is a document of somebody else's tells as little as one that is none.
    let numbers = |page: String| page.matches("/documents/").count();
    for at in ["5.10", "5.4711", "150.10", "150.4711"] {
        let (known, unknown) = (at.replace("4711", "10"), at.replace(".10", ".4711"));
        let page = |at: &str| site.get(Some(&beat), &format!("/?q=offen&at={at}")).text();
        assert_eq!(numbers(page(&known)), numbers(page(&unknown)), "{at}");
    }
    let token = site.api_token("beat", Rights { read: true, ..Rights::default() });
    let call = |q: &str| site.call(&token, Method::Get, &format!("/documents?q={q}"), &serde_json::Value::Null).json();
    assert_eq!(call("geheimwort"), call("nirgendwoo"));
    assert_eq!(call("geheimwort")["documents"], serde_json::json!([]));
    assert_eq!(call("oft")["documents"].as_array().unwrap().len(), 2);
}

#[test]
fn searches_are_kept_by_name_for_whoever_keeps_them() {
    let site = Site::new();
    let anna = site.user("anna", Role::User, &["anna"]);
    let beat = site.user("beat", Role::User, &["beat"]);
    let keep = |name: &str, q: &str| site.post(&anna, "/searches", &[("name", name), ("q", q)]);
    assert_eq!(keep("Offerten", "offert* -newsletter").status, 303);
    assert_eq!(keep(" ", "offert*").status, 303, "a notice says that it needs a name");
    let page = site.get(Some(&anna), "/").text();
    assert!(page.contains(">Offerten</a>") && page.contains("offert* -newsletter"), "{page}");
    assert!(!site.get(Some(&beat), "/").text().contains("Offerten"));
    assert_eq!(keep("Offerten", "offert*").status, 303);
    let token = site.api_token("anna", Rights { read: true, change: true, ..Rights::default() });
    let call = |method, path: &str, body: serde_json::Value| site.call(&token, method, path, &body);
    let kept = |q: &str, name: &str| serde_json::json!({ "name": name, "q": q });
    assert_eq!(call(Method::Post, "/searches", kept("von:meier", "Meier")).status, 201);
    let list = || call(Method::Get, "/searches", serde_json::Value::Null).json()["searches"].clone();
    assert_eq!(list(), serde_json::json!([kept("von:meier", "Meier"), kept("offert*", "Offerten")]));
    assert_eq!(call(Method::Post, "/searches", kept("von:meier", " ")).status, 400);
    assert_eq!(call(Method::Delete, "/searches/Meier", serde_json::Value::Null).status, 204);
    assert_eq!(call(Method::Delete, "/searches/Meier", serde_json::Value::Null).status, 404);
    assert_eq!(site.post(&anna, "/searches", &[("forget", "Offerten"), ("q", "")]).status, 303);
    assert_eq!(list(), serde_json::json!([]));
    for at in 0..SAVED_SEARCHES {
        assert_eq!(call(Method::Post, "/searches", kept("x", &format!("Suche {at}"))).status, 201);
    }
    let full = call(Method::Post, "/searches", kept("x", "noch eine"));
    assert_eq!(full.status, 400);
    assert!(full.text().contains("50"), "{}", full.text());
}

#[test]
fn nobody_finds_by_fields_and_notes_that_they_do_not_see() {
    let site = Site::new();
    let anna = site.user("anna", Role::User, &["anna"]);
    let number = site.mail("anna", &letter("Vertrag", "mit Anhang", 1), 1);
    site.change(number, |metadata| {
        metadata.fields =
            [("Geheim".to_owned(), "lohnliste".to_owned()), ("Offen".to_owned(), "bekannt".to_owned())].into();
        metadata.note = "merkzettel".into();
    });
    let finds = |q: &str| {
        let q = archivista::web::request::encode(q);
        site.get(Some(&anna), &format!("/?q={q}")).text().contains("Vertrag")
    };
    for q in
        ["lohnliste", "geheim:lohnliste", "feld:Geheim=lohnliste", "offen:bekannt", "merkzettel", "note:merkzettel"]
    {
        assert!(finds(q), "{q}: nobody defined it, so everybody sees it");
    }
    let field = DocumentField { name: "Geheim".into(), seen_by: Who::Administrators, ..DocumentField::default() };
    DocumentFields(vec![field]).write(&site.web.archive, "test").unwrap();
    site.administer(|administration| administration.shows_note = false);
    for q in [
        "lohnliste",
        "lohn*",
        "geheim:lohnliste",
        "GEHEIM:lohnliste",
        "feld:Geheim=lohnliste",
        "feld:geheim=lohn*",
        "\"geheim\":lohnliste",
        "merkzettel",
        "note:merkzettel",
        "feld:note=merkzettel",
        "feld:\u{1}note=merkzettel",
        "\u{1}note:merkzettel",
    ] {
        assert!(!finds(q), "{q}");
        assert!(finds(&format!("vertrag -{q}")), "{q}: nor by what is not there");
    }
    assert!(finds("offen:bekannt"));
}
