//! A query as it is put for somebody: what the index is asked, and what the catalog is asked of each document that the index gives.

use std::collections::BTreeSet;

use super::{Literal, Phrase, Query, Term};
use crate::archive::commit::{KIND_FILE, Metadata, Number};
use crate::archive::rows::{Document, FIELD_NOTE, FolderRow};
use crate::archive::view::{Reads, View};
use crate::limits::EXPRESSION_FOLDERS;
use crate::search::index::{self, Rank, Reading};
use crate::search::places::Places;
use crate::search::text;
use crate::settings::field_value;

/// Who asks, and what they may see: what a query is put to the index for.
#[derive(Clone, Copy)]
pub struct Asker<'a> {
    pub reads: &'a Reads,
    pub places: &'a Places,
    /// Fields that documents have, see [`Reading::fields`].
    pub fields: &'a BTreeSet<String>,
}

impl Query {
    /// Whether somebody may look into a field. Its name counts whatever its case, as the index has it.
    fn may_ask(&self, name: &str) -> bool {
        let name = name.to_lowercase();
        !self.unseen.iter().any(|field| field.to_lowercase() == name) && (name != FIELD_NOTE || !self.hides_notes)
    }

    /// The query as it is put for somebody.
    pub fn put<'a>(&'a self, asker: Asker<'_>) -> Put<'a> {
        let mut must = Vec::new();
        let mut not = Vec::new();
        match asker.reads {
            Reads::All => {}
            Reads::Places(places) => {
                must.push(any_of(places.iter().map(|place| text::place(*place))));
                not.push(format!("place : {}", text::BLOCKED));
            }
        }
        if let Some(kind) = self.only {
            must.push(format!("place : {}", if kind == KIND_FILE { text::FILE } else { text::MAIL }));
        }
        let asks_index = self.asks_index();
        let mut rest = Vec::new();
        for clause in &self.clauses {
            let open: Vec<Asked<'_>> = clause
                .iter()
                .map(|Literal { is_not, term }| {
                    let expression = if asks_index { term.expression(self, asker) } else { None };
                    Asked { is_not: *is_not, term, expression }
                })
                .collect();
            let is_known = open.iter().all(|one| one.expression.is_some());
            if is_known && open.iter().all(|one| !one.is_not) {
                must.push(open.into_iter().filter_map(|one| one.expression).collect::<Vec<_>>().join(" OR "));
            } else if is_known && open.len() == 1 {
                not.extend(open.into_iter().filter_map(|one| one.expression));
            } else {
                rest.push(open);
            }
        }
        if must.is_empty() {
            must.push(format!("place : {}", text::ALL));
        }
        let mut expression = format!("({})", must.join(") AND ("));
        for term in not {
            expression = format!("({expression}) NOT ({term})");
        }
        let ranks = self.wanted().filter_map(|(term, is_alone)| {
            let phrase = term.phrase()?.plain();
            // A free word may be one of a field, or the number of a document.
            let is_in_text = match term {
                Term::In(..) => true,
                _ => term.expression(self, asker) == Some(format!("{} : {phrase}", text::ANYWHERE)),
            };
            Some(Rank { phrase, is_in_all: is_alone && is_in_text })
        });
        Put { query: self, expression: asks_index.then_some(expression), rest, ranks: ranks.collect() }
    }
}

/// A query as it is put for somebody.
pub struct Put<'a> {
    query: &'a Query,
    /// The question to the index, where it is asked: every document that fits is among those that it finds, and nothing that whoever
    /// asks may not read.
    pub expression: Option<String>,
    /// The words and phrases that are looked for, as they count for the order of what fits.
    pub ranks: Vec<Rank>,
    /// The clauses that it leaves open.
    rest: Vec<Vec<Asked<'a>>>,
}

struct Asked<'a> {
    is_not: bool,
    term: &'a Term,
    /// What the index is asked, where it knows.
    expression: Option<String>,
}

impl Put<'_> {
    /// Whether a document that the index found, or any one where it is not asked, fits in every other way too. `places` are those of its
    /// reader: a mailbox that somebody may not read finds nothing.
    pub fn fits(
        &self,
        view: &View,
        places: &Places,
        index: Option<(&Reading, i64)>,
        number: Number,
        document: &Document,
    ) -> index::Result<bool> {
        let query = self.query;
        if query.before.is_some_and(|before| document.time >= before)
            || query.since.is_some_and(|since| document.time < since)
            || query.only.is_some_and(|kind| kind != document.metadata.kind)
        {
            return Ok(false);
        }
        for clause in &self.rest {
            let mut fits = false;
            for Asked { is_not, term, expression } in clause {
                let has = match (expression, index) {
                    (Some(expression), Some((reading, id))) => reading.fits(expression, id)?,
                    _ => term.fits(view, places, number, document)?,
                };
                fits |= has != *is_not;
            }
            if !fits {
                return Ok(false);
            }
        }
        // Last of the questions about the document itself: it takes a look-up.
        match &query.newest {
            Some(ties) => Ok(!ties.has_newer(view, places, number, &document.metadata)?),
            None => Ok(true),
        }
    }
}

fn any_of(words: impl Iterator<Item = String>) -> String {
    let words: Vec<String> = words.collect();
    // Nothing has this word.
    if words.is_empty() { "place : none".into() } else { format!("place : ({})", words.join(" OR ")) }
}
impl Term {
    fn expression(&self, query: &Query, asker: Asker<'_>) -> Option<String> {
        let anywhere = |phrase: &Phrase| {
            let plain = phrase.plain();
            let mut terms = vec![format!("{} : {plain}", text::ANYWHERE)];
            terms.extend(asker.fields.iter().filter(|name| query.may_ask(name)).map(|name| phrase.in_field(name)));
            if let ([word], false) = (&phrase.words[..], phrase.is_beginning)
                && let Ok(number) = word.parse()
            {
                terms.push(format!("place : {}", text::number(number)));
            }
            terms.join(" OR ")
        };
        let among = |is_it: &dyn Fn(&FolderRow) -> bool| {
            let found: Vec<String> =
                asker.places.all().filter(|row| is_it(row)).map(|row| text::folder(row.folder.number)).collect();
            (found.len() <= EXPRESSION_FOLDERS).then(|| any_of(found.into_iter()))
        };
        match self {
            Self::Text(phrase) => Some(anywhere(phrase)),
            Self::In(columns, phrase) => Some(format!("{columns} : {}", phrase.plain())),
            Self::Note(_) if query.hides_notes => Some("place : none".into()),
            Self::Note(phrase) => Some(phrase.in_field(FIELD_NOTE)),
            Self::Field(name, phrase) => Some(phrase.in_field(name)),
            Self::Other(name, value, whole) => {
                // Fields that documents have, and no other name that somebody makes up.
                let is_it =
                    |field: &&String| *field != FIELD_NOTE && field.to_lowercase() == *name && query.may_ask(field);
                let field = asker.fields.iter().find(is_it).map(|field| value.in_field(field));
                Some(std::iter::once(anywhere(whole)).chain(field).collect::<Vec<_>>().join(" OR "))
            }
            Self::Attachment => Some(format!("place : {}", text::ATTACHMENT)),
            Self::Mailbox(_) | Self::Folder(_) => among(&|row| self.is_at(row)),
            Self::Owner(_) | Self::Compared(..) | Self::Larger(_) | Self::Smaller(_) => None,
        }
    }

    /// What only the catalog knows, and what it knows as well as the index.
    fn fits(&self, view: &View, places: &Places, number: Number, document: &Document) -> index::Result<bool> {
        let metadata = &document.metadata;
        Ok(match self {
            Self::Attachment => !metadata.attachments.is_empty(),
            Self::Larger(size) => document.size > *size,
            Self::Smaller(size) => document.size < *size,
            Self::Owner(value) => {
                // Whose it is depends on who asks.
                let document = places.narrow(view, number, document.clone())?;
                document.metadata.owner.to_lowercase().contains(value)
            }
            Self::Compared(..) => self.compares(metadata),
            Self::Mailbox(_) | Self::Folder(_) => {
                let seen = view.occurrences(number)?;
                seen.iter().filter_map(|seen| places.get(seen.folder)).any(|row| self.is_at(row))
            }
            // Words are the index's.
            Self::Text(_) | Self::In(..) | Self::Note(_) | Self::Field(..) | Self::Other(..) => false,
        })
    }

    fn compares(&self, metadata: &Metadata) -> bool {
        let Self::Compared(name, kind, value) = self else { return false };
        field_value::fits(*kind, metadata.fields.get(name).map(String::as_str), value)
    }

    fn is_at(&self, row: &FolderRow) -> bool {
        let has = |text: &str, value: &str| text.to_lowercase().contains(value);
        match self {
            Self::Mailbox(value) => has(&row.folder.mailbox_name, value) || has(&row.folder.mailbox, value),
            Self::Folder(value) => has(&row.folder.name, value),
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::search::Searchable;
    use crate::settings::document_fields::Kind;

    fn searchable() -> Searchable {
        let known = [("kunde", "Kunde", Kind::Text), ("betrag chf", "Betrag CHF", Kind::Number)];
        let fields = known.map(|(lower, name, kind)| (lower.to_owned(), (name.to_owned(), kind))).into();
        Searchable { fields, unseen: ["Geheim".to_owned()].into(), hides_notes: false }
    }

    /// What is asked of the index, without the columns of free words, and how many clauses are left for the catalog.
    fn asked(text: &str) -> (String, usize) {
        let query = Query::parse(text, &TimeZone::UTC, &searchable());
        let (places, fields) = (Places::default(), ["Kunde".to_owned(), "Geheim".to_owned()].into());
        let put = query.put(Asker { reads: &Reads::All, places: &places, fields: &fields });
        let expression = put.expression.unwrap_or_default();
        let kunde = text::in_field("Kunde", "");
        (expression.replace("{sender recipient cc subject file body} : ", "").replace(&kunde, "K."), put.rest.len())
    }

    #[test]
    fn queries_are_put_to_the_index() {
        for (query, expression, rest) in [
            ("OFFERTE", r#"("offerte" OR field : "K.offerte")"#, 0),
            ("\"letzte Offerte\"", r#"("letzte offerte" OR field : "K.letzte K.offerte")"#, 0),
            ("von:Müller@example.ch", r#"(sender : ("muller·example·ch" OR "muller·example·ch·" *))"#, 0),
            ("von:müller@exam*", r#"(sender : "muller·exam" *)"#, 0),
            ("von:@example.ch", r#"(sender : "example ch")"#, 0),
            ("to:a file:plan", r#"({recipient cc} : "a") AND (file : "plan")"#, 0),
            ("subject:offer*", r#"(subject : "offer" *)"#, 0),
            ("text:zue*", r#"(body : "zu" *)"#, 0),
            ("subject:a -subject:b", r#"((subject : "a")) NOT (subject : "b")"#, 0),
            ("-subject:b", r#"((place : d)) NOT (subject : "b")"#, 0),
            ("subject:a oder cc:b text:c", r#"(subject : "a" OR cc : "b") AND (body : "c")"#, 0),
            ("subject:a or -subject:b", "(place : d)", 1),
            ("kunde:Muster", r#"(field : "K.muster")"#, 0),
            ("feld:Kunde=Muster", r#"(field : "K.muster")"#, 0),
            ("kunde:* subject:a", r#"(subject : "a")"#, 1),
            ("has:attachment", "(place : a)", 0),
            ("subject:a larger:2M", r#"(subject : "a")"#, 1),
            ("larger:2M owner:anna", "", 2),
            ("7", r#"("7" OR field : "K.7" OR place : n7)"#, 0),
            ("postfach:nirgends", "(place : none)", 0),
            ("geheim:lohn", r#"("geheim lohn" OR field : "K.geheim K.lohn")"#, 0),
            ("GEHEIM:lohn", r#"("geheim lohn" OR field : "K.geheim K.lohn")"#, 0),
            ("feld:\u{1}note=lohn", r#"("feld note lohn" OR field : "K.feld K.note K.lohn")"#, 0),
            ("subject:ae*", r#"(subject : "a" *)"#, 0),
            ("subject:東*", r#"(subject : "東" *)"#, 0),
            ("subject:a -@example.com", r#"((subject : "a")) NOT ("example com" OR field : "K.example K.com")"#, 0),
            ("subject:a --x", r#"(subject : "a") AND ("x" OR field : "K.x")"#, 0),
            ("\"or\" subject:a", r#"("or" OR field : "K.or") AND (subject : "a")"#, 0),
            ("— subject:a", r#"(subject : "a")"#, 0),
            (
                "NEAR( AND * ^ { } subject:a",
                r#"("near" OR field : "K.near") AND ("and" OR field : "K.and") AND (subject : "a")"#,
                0,
            ),
        ] {
            assert_eq!(asked(query), (expression.to_owned(), rest), "{query}");
        }
    }

    #[test]
    fn where_all_that_fits_has_a_phrase_is_known() {
        let ranks = |text: &str, fields: &BTreeSet<String>| -> Vec<bool> {
            let query = Query::parse(text, &TimeZone::UTC, &searchable());
            let put = query.put(Asker { reads: &Reads::All, places: &Places::default(), fields });
            put.ranks.iter().map(|rank| rank.is_in_all).collect()
        };
        let (none, some) = (BTreeSet::new(), BTreeSet::from(["Kunde".to_owned()]));
        assert_eq!(ranks("a subject:b -c 7 re:d e or f", &none), [true, true, false, true, false, false]);
        assert_eq!(ranks("a subject:b", &some), [false, true]);
        assert_eq!(ranks("a", &BTreeSet::from(["Geheim".to_owned()])), [true]);
    }

    #[test]
    fn who_reads_some_places_is_asked_for_these_alone() {
        let query = Query::parse("subject:a", &TimeZone::UTC, &Searchable::default());
        let put = |places: &[u32]| {
            let reads = Reads::Places(places.to_vec());
            query.put(Asker { reads: &reads, places: &Places::default(), fields: &BTreeSet::new() }).expression.unwrap()
        };
        assert_eq!(put(&[3, 7]), r#"((place : (p3 OR p7)) AND (subject : "a")) NOT (place : b)"#);
        assert_eq!(put(&[]), r#"((place : none) AND (subject : "a")) NOT (place : b)"#);
    }
}
