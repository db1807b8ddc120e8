//! Promise: of 1,000 real mails each is found by its rarest words. Which words those are, another reader of mail says.

use std::collections::{BTreeMap, BTreeSet};

use archivista::archive::view::Reads;
use archivista::pulse::Pulse;
use archivista::search::index;
use archivista::search::{Ask, Order, Query, Searchable, find};
use jiff::tz::TimeZone;
use mail_parser::MessageParser;

use crate::support::{corpus, small};

const SAMPLED: usize = 1000;
const RAREST: usize = 5;
/// More than the rarest words are in.
const PAGE: usize = SAMPLED;

/// Words of letters alone, which nobody can cut in another way.
fn words(text: &str) -> BTreeSet<String> {
    // What it cannot decode belongs to a word that it does not know.
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '\u{fffd}');
    let plain =
        words.filter(|word| (5..=20).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_alphabetic()));
    plain.map(str::to_lowercase).collect()
}

#[test]
fn five_of_each() {
    let all = corpus::mails();
    let step = all.len() / SAMPLED;
    let mails: Vec<_> = all.into_iter().step_by(step).take(SAMPLED).collect();
    let folder = tempfile::tempdir().unwrap();
    let archive = small::open(&folder.path().join("data"));
    let outcomes = small::put(&archive, "anna", (1..).zip(mails.iter().map(|mail| mail.bytes.clone())).collect());
    let index = small::index(&archive);
    index::once(&archive, &index, false, &Pulse::new()).unwrap();

    let parser = MessageParser::default();
    let mut known: Vec<(u64, &str, BTreeSet<String>)> = Vec::new();
    let mut mails_of: BTreeMap<String, usize> = BTreeMap::new();
    for (mail, outcome) in mails.iter().zip(&outcomes) {
        let parsed = parser.parse(&mail.bytes).unwrap();
        // What it makes of HTML is another matter.
        let texts = (0..parsed.text_body_count()).filter_map(|at| parsed.text_part(u32::try_from(at).unwrap()));
        let words: BTreeSet<String> =
            texts.filter(|part| !part.is_text_html()).filter_map(|part| part.text_contents()).flat_map(words).collect();
        for word in &words {
            *mails_of.entry(word.clone()).or_default() += 1;
        }
        known.push((outcome.document().unwrap(), &mail.name, words));
    }

    let view = archive.view().unwrap();
    let (mut asked, mut missed, mut mails_asked) = (0, Vec::new(), 0);
    for (number, name, words) in &known {
        let mut rarest: Vec<&String> = words.iter().collect();
        rarest.sort_by_key(|word| (mails_of[*word], std::cmp::Reverse(word.len())));
        mails_asked += usize::from(rarest.len() >= RAREST);
        for word in rarest.into_iter().take(RAREST) {
            let query = Query::parse(word, &TimeZone::UTC, &Searchable::default());
            let ask = Ask { query: &query, order: Order::default(), at: None, back: false, most: PAGE };
            let found = find(&index, &view, &Reads::All, ask, |number, _| number).unwrap();
            assert!(query.hints().is_empty() && !found.is_behind);
            asked += 1;
            if !found.rows.contains(number) {
                missed.push(format!("{name}: {word}"));
            }
        }
    }
    println!("{asked} words of {} mails, {mails_asked} of them with {RAREST} words or more", known.len());
    assert!(mails_asked > SAMPLED * 8 / 10, "{mails_asked}");
    assert!(missed.is_empty(), "{} of {asked} words: {missed:#?}", missed.len());
}
