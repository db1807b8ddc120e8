//! What somebody looks for: words, phrases and fields. Everything has to fit.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::places::Places;
use super::versions::Ties;
use crate::archive::commit::{Metadata, Number};
use crate::archive::error::Result;
use crate::archive::rows::{Document, FolderRow};
use crate::archive::view::View;
use crate::language::Lang;
use crate::limits::{QUERY_CHARS, QUERY_TERMS};
use crate::settings::document_fields::{DocumentFields, Kind};
use crate::settings::field_value::{self, day};
use crate::settings::users::User;

/// What is looked for: all of it has to fit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    terms: Vec<Term>,
    hints: Vec<Hint>,
    /// Unix seconds: received before this.
    before: Option<i64>,
    /// Unix seconds: received then or later.
    since: Option<i64>,
    /// [`KIND_MAIL`](crate::archive::commit::KIND_MAIL) or the other one.
    only: Option<u8>,
    /// Of documents that are versions of one, only the newest fits.
    newest: Option<Ties>,
    /// Further fields that whoever asks does not see.
    unseen: BTreeSet<String>,
    /// Notes are not shown, so nothing is found by them.
    hides_notes: bool,
}

/// The further fields, as somebody may search them.
#[derive(Clone, Debug, Default)]
pub struct Searchable {
    /// By their names in lower case.
    fields: BTreeMap<String, (String, Kind)>,
    unseen: BTreeSet<String>,
    hides_notes: bool,
}

impl Searchable {
    /// Defined fields. `user`: who asks; whoever works on the box itself (`sees_all`) sees every one that is not hidden. Which
    /// others documents have is no part of it: their names would tell of documents that whoever asks may not read.
    pub fn of(defined: &DocumentFields, user: Option<&User>, sees_all: bool) -> Self {
        let unseen = if sees_all { BTreeSet::new() } else { defined.unseen(user) };
        let seen = defined.0.iter().filter(|field| !unseen.contains(&field.name));
        let fields = seen.map(|field| (field.name.to_lowercase(), (field.name.clone(), field.kind))).collect();
        Self { fields, unseen, hides_notes: false }
    }

    /// The same, for an archive where notes are not shown.
    #[must_use]
    pub fn without_notes(self) -> Self {
        Self { hides_notes: true, ..self }
    }
}

/// Values are in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Term {
    Word(String),
    From(String),
    To(String),
    Cc(String),
    Subject(String),
    File(String),
    Mailbox(String),
    Folder(String),
    Note(String),
    Owner(String),
    /// Earlier versions fit too.
    AllVersions,
    /// A defined field by its name.
    Field(String, Kind, String),
    /// One that nobody defined and that a document may have, by its name in lower case and its value; else the whole is a word.
    Other(String, String, String),
}

/// What could not be understood; the rest of the query counts all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hint {
    /// A field without a value, as it was written.
    NoValue(String),
    /// A field that wants a day, and what was written.
    NoDay(String),
    /// Quotation marks that nobody closed.
    Open,
    /// More than is looked at.
    TooLong,
}

impl Hint {
    /// One sentence for people.
    pub fn sentence(&self, lang: Lang) -> String {
        match (self, lang) {
            (Self::NoValue(word), Lang::En) => {
                format!("{word} what? For example from:meier or subject:\"last offer\"")
            }
            (Self::NoValue(word), Lang::De) => {
                format!("{word} was? Zum Beispiel from:meier oder subject:\"letzte Offerte\"")
            }
            (Self::NoDay(text), Lang::En) => format!("{text:?} is no day: write 2026-11-21 or 21.11.2026"),
            (Self::NoDay(text), Lang::De) => format!("«{text}» ist kein Tag: schreiben Sie 21.11.2026 oder 2026-11-21"),
            (Self::Open, Lang::En) => "A quotation mark has no partner; everything after it was taken as one.".into(),
            (Self::Open, Lang::De) => {
                "Ein Anführungszeichen hat keinen Partner; alles dahinter gilt als ein Ausdruck.".into()
            }
            (Self::TooLong, Lang::En) => "This is too much at a time; only the beginning was looked for.".into(),
            (Self::TooLong, Lang::De) => "Das ist zu viel auf einmal; gesucht wurde nur der Anfang.".into(),
        }
    }
}

impl Query {
    /// Words, phrases in quotation marks, and fields: `from:`, `to:`, `cc:`, `subject:`, `file:`, `note:`, `owner:`,
    /// `mailbox:`, `folder:`, `before:`, `after:`, or their German names, and further fields by theirs, in upper or lower
    /// case; a name with spaces stands in quotation marks. A word before a colon that is no field is a word like any other.
    /// `version:all` finds earlier versions too. Days are those of `zone`.
    pub fn parse(text: &str, zone: &TimeZone, searchable: &Searchable) -> Self {
        let mut query =
            Self { unseen: searchable.unseen.clone(), hides_notes: searchable.hides_notes, ..Self::default() };
        if text.chars().count() > QUERY_CHARS {
            query.hints.push(Hint::TooLong);
        }
        let text: String = text.chars().take(QUERY_CHARS).collect();
        let (words, is_open) = words(&text);
        if is_open {
            query.hints.push(Hint::Open);
        }
        if words.len() > QUERY_TERMS {
            query.hints.push(Hint::TooLong);
        }
        for word in words.into_iter().take(QUERY_TERMS) {
            query.add(&word, zone, searchable);
        }
        query
    }

    /// Only documents of this kind fit.
    #[must_use]
    pub fn only(self, kind: Option<u8>) -> Self {
        Self { only: kind, ..self }
    }

    /// Of documents that are versions of one, only the newest fits, unless all versions are asked for.
    #[must_use]
    pub fn newest(self, ties: Ties) -> Self {
        let asks_for_all = self.terms.contains(&Term::AllVersions);
        Self { newest: Some(ties).filter(|_| !asks_for_all), ..self }
    }

    fn add(&mut self, word: &str, zone: &TimeZone, searchable: &Searchable) {
        let lower = word.to_lowercase();
        let Some((name, value)) = lower.split_once(':') else {
            self.terms.push(Term::Word(lower));
            return;
        };
        let term = match name {
            "from" | "von" => Term::From,
            "to" | "an" => Term::To,
            "cc" => Term::Cc,
            "subject" | "betreff" | "title" | "titel" => Term::Subject,
            "file" | "datei" => Term::File,
            "note" | "notiz" => Term::Note,
            "owner" | "eigentümer" => Term::Owner,
            "version" | "versionen" if matches!(value, "all" | "alle") => |_| Term::AllVersions,
            "mailbox" | "postfach" => Term::Mailbox,
            "folder" | "ordner" => Term::Folder,
            "before" | "vor" | "after" | "nach" => {
                self.add_day(matches!(name, "before" | "vor"), word, value, zone);
                return;
            }
            name => {
                let (name, value) = (name.trim(), value.trim());
                let Some((field, kind)) = searchable.fields.get(name) else {
                    self.terms.push(Term::Other(name.into(), value.into(), lower.clone()));
                    return;
                };
                if value.is_empty() {
                    self.hints.push(Hint::NoValue(word.into()));
                } else {
                    self.terms.push(Term::Field(field.clone(), *kind, value.into()));
                }
                return;
            }
        };
        if value.is_empty() {
            self.hints.push(Hint::NoValue(word.into()));
        } else {
            self.terms.push(term(value.into()));
        }
    }

    fn add_day(&mut self, is_before: bool, word: &str, value: &str, zone: &TimeZone) {
        if value.is_empty() {
            self.hints.push(Hint::NoValue(word.into()));
            return;
        }
        let Some(date) = day(value) else {
            self.hints.push(Hint::NoDay(value.into()));
            return;
        };
        let start = |date: Date| date.to_zoned(zone.clone()).ok().map(|day| day.timestamp().as_second());
        if is_before {
            let at = start(date);
            self.before = at.into_iter().chain(self.before).min();
        } else {
            // The day itself is not after itself.
            let at = date.checked_add(1.day()).ok().and_then(start);
            self.since = at.into_iter().chain(self.since).max();
        }
    }

    /// What could not be understood.
    pub fn hints(&self) -> &[Hint] {
        &self.hints
    }

    /// Whether everything fits.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty() && self.before.is_none() && self.since.is_none() && self.only.is_none()
    }

    /// The times that can fit, Unix seconds: from the first on, and before the second.
    pub fn times(&self) -> (Option<i64>, Option<i64>) {
        (self.since, self.before)
    }

    /// Whether a document fits. `places` are those of its reader: a mailbox that somebody may not read finds nothing.
    pub fn fits(&self, view: &View, places: &Places, number: Number, document: &Document) -> Result<bool> {
        if self.before.is_some_and(|before| document.time >= before)
            || self.since.is_some_and(|since| document.time < since)
        {
            return Ok(false);
        }
        if self.only.is_some_and(|kind| kind != document.metadata.kind) {
            return Ok(false);
        }
        let is_place = |term: &Term| matches!(term, Term::Mailbox(_) | Term::Folder(_));
        // Whose it is depends on who asks.
        let document = if self.terms.iter().any(|term| matches!(term, Term::Owner(_))) {
            Cow::Owned(places.narrow(view, number, document.clone())?)
        } else {
            Cow::Borrowed(document)
        };
        let mut plain = self.terms.iter().filter(|term| !is_place(term));
        if !plain.all(|term| term.fits(number, &document.metadata, self)) {
            return Ok(false);
        }
        // Last of the questions about the document itself: it takes a look-up.
        if let Some(ties) = &self.newest
            && ties.has_newer(view, places, number, &document.metadata)?
        {
            return Ok(false);
        }
        if !self.terms.iter().any(is_place) {
            return Ok(true);
        }
        let mut seen: Vec<&FolderRow> = Vec::new();
        for occurrence in view.occurrences(number)? {
            seen.extend(places.get(occurrence.folder));
        }
        Ok(self.terms.iter().filter(|term| is_place(term)).all(|term| seen.iter().any(|row| term.is_at(row))))
    }
}

impl Term {
    fn fits(&self, number: Number, metadata: &Metadata, query: &Query) -> bool {
        let has = |text: &str, value: &str| text.to_lowercase().contains(value);
        let note = |value: &str| !query.hides_notes && has(&metadata.note, value);
        let file = |value: &str| {
            has(&metadata.media_name, value) || metadata.attachments.iter().any(|part| has(&part.name, value))
        };
        // Of a journaled mail, also those whom only its envelope names.
        let envelope = metadata.envelope.as_ref();
        let from = |value: &str| {
            has(&metadata.from, value)
                || envelope.is_some_and(|it| has(&it.sender, value) || has(&it.on_behalf_of, value))
        };
        let to = |value: &str| {
            has(&metadata.to, value)
                || has(&metadata.cc, value)
                || envelope.is_some_and(|it| it.to_whom().into_iter().any(|text| has(text, value)))
        };
        let word = |value: &str| {
            has(&metadata.title, value)
                || from(value)
                || to(value)
                || note(value)
                || metadata.fields.iter().any(|(name, field)| !query.unseen.contains(name) && has(field, value))
                || file(value)
                || number.to_string() == *value
        };
        match self {
            Self::From(value) => from(value),
            Self::To(value) => to(value),
            Self::Cc(value) => has(&metadata.cc, value),
            Self::Subject(value) => has(&metadata.title, value),
            Self::File(value) => file(value),
            Self::Word(value) => word(value),
            Self::Note(value) => note(value),
            Self::Owner(value) => has(&metadata.owner, value),
            Self::Field(name, kind, value) => {
                field_value::fits(*kind, metadata.fields.get(name).map(String::as_str), value)
            }
            Self::Other(name, value, whole) => {
                let is_meant = |field: &str| !query.unseen.contains(field) && field.to_lowercase() == *name;
                let mut fields = metadata.fields.iter().filter(|(field, _)| is_meant(field));
                word(whole) || fields.any(|(_, field)| field_value::fits(Kind::Text, Some(field), value))
            }
            Self::Mailbox(_) | Self::Folder(_) | Self::AllVersions => true,
        }
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

/// Splits at spaces that stand outside quotation marks; the marks fall away. Also says whether a mark has no partner.
fn words(text: &str) -> (Vec<String>, bool) {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in text.chars() {
        match c {
            '"' | '«' | '»' | '„' | '“' | '”' => quoted = !quoted,
            c if c.is_whitespace() && !quoted => words.push(String::new()),
            c => words.last_mut().into_iter().for_each(|word| word.push(c)),
        }
    }
    words.retain(|word| !word.is_empty());
    (words, quoted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::commit::Envelope;
    use crate::hash::Sha256;

    fn fits(query: &str, document: &Document) -> bool {
        let known = [("kunde", "Kunde", Kind::Text), ("betrag chf", "Betrag CHF", Kind::Number)];
        let fields = known.map(|(lower, name, kind)| (lower.to_owned(), (name.to_owned(), kind))).into();
        let searchable = Searchable { fields, unseen: ["Geheim".to_owned()].into(), hides_notes: false };
        let query = Query::parse(query, &TimeZone::UTC, &searchable);
        let (since, before) = query.times();
        let in_time =
            before.is_none_or(|before| document.time < before) && since.is_none_or(|since| document.time >= since);
        in_time && query.terms.iter().all(|term| term.fits(7, &document.metadata, &query))
    }

    #[test]
    fn queries_mean_what_they_say() {
        let metadata = Metadata {
            title: "Letzte Offerte für Zürich".into(),
            from: "Anna Meier <anna@example.ch>".into(),
            to: "chef@example.ch".into(),
            cc: "buero@example.ch".into(),
            media_name: "plan.pdf".into(),
            note: "dringend".into(),
            envelope: Some(Envelope { bcc: "verborgen@example.ch".into(), ..Envelope::default() }),
            fields: [("Kunde", "Muster AG"), ("Betrag CHF", "1200.50"), ("Geheim", "Lohn")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            ..Metadata::default()
        };
        let time = 1_700_000_000; // 2023-11-14 22:13 UTC
        let mail = Document { sha256: Sha256::of(b""), size: 0, pack: 1, offset: None, metadata, time, record: None };
        let cases = [
            ("", true),
            ("OFFERTE zürich", true),
            ("to:verborgen", true),
            ("verborgen@example.ch", true),
            ("cc:verborgen", false),
            ("from:verborgen", false),
            ("offerte basel", false),
            ("\"letzte offerte\"", true),
            ("«letzte offerte»", true),
            ("\"offerte letzte\"", false),
            ("from:meier to:chef", true),
            ("von:meier an:chef", true),
            ("to:buero", true),
            ("cc:buero", true),
            ("cc:chef", false),
            ("from:chef", false),
            ("file:plan", true),
            ("subject:\"letzte offerte\"", true),
            ("before:2023-11-15", true),
            ("before:15.11.2023", true),
            ("before:2023-11-14", false),
            ("after:2023-11-13", true),
            ("after:2023-11-14", false),
            ("anna@example.ch", true),
            ("7", true),
            ("8", false),
            ("re:offerte", false),
            ("note:dringend", true),
            ("KUNDE:muster", true),
            ("kunde:\"muster ag\"", true),
            ("kunde:meier", false),
            ("kunde:*", true),
            ("\"betrag chf\":>1000", true),
            ("\"Betrag CHF\":1’200.5", true),
            ("\"betrag chf: 7\"", false),
            ("1200.50", true),
            ("lohn", false),
            ("geheim:lohn", false),
            ("version:all", true),
        ];
        for (query, expected) in cases {
            assert_eq!(fits(query, &mail), expected, "{query}");
        }
    }

    #[test]
    fn mistakes_are_hints_and_the_rest_counts() {
        let hints = |text: &str| Query::parse(text, &TimeZone::UTC, &Searchable::default()).hints.clone();
        assert_eq!(hints("before:gestern"), [Hint::NoDay("gestern".into())]);
        assert_eq!(hints("before:31.2.2026"), [Hint::NoDay("31.2.2026".into())]);
        assert_eq!(hints("From: meier"), [Hint::NoValue("From:".into())]);
        assert_eq!(hints("\"letzte offerte"), [Hint::Open]);
        assert_eq!(hints(&"x ".repeat(QUERY_TERMS + 1)), [Hint::TooLong]);
        assert_eq!(hints("after:-009999-01-01 before:9999-12-31"), []);
        assert!(Query::parse("before:gestern", &TimeZone::UTC, &Searchable::default()).is_empty());
    }
}
