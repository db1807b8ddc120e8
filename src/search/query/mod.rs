//! What somebody looks for: words, phrases and fields, some of them not, some of them one or the other.
//!
//! A query is a list of clauses, which all have to fit; a clause is a list of alternatives, one of which has to fit. Most of it is a question to
//! the index, what only the catalog knows is asked of each document that the index gives: see `put`.

mod put;

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;

pub use put::{Asker, Put};

use super::addresses::{JOINT, address};
use super::hint::Hint;
use super::snippet::Mark;
use super::text;
use super::versions::Ties;
use super::words::{self, Word};
use crate::limits::{BEGINNING_CHARS, QUERY_CHARS, QUERY_TERMS};
use crate::settings::document_fields::{DocumentFields, Kind};
use crate::settings::field_value::day;
use crate::settings::users::User;

/// What is looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    clauses: Vec<Vec<Literal>>,
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
    all_versions: bool,
}

/// A term, or its contrary.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Literal {
    is_not: bool,
    term: Term,
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

#[derive(Clone, Debug, PartialEq, Eq)]
enum Term {
    /// Anywhere in a document.
    Text(Phrase),
    /// In these columns of the index.
    In(&'static str, Phrase),
    Note(Phrase),
    /// A further field of text, by its name.
    Field(String, Phrase),
    /// A field that nobody defined and that a document may have, by its name and value; or the whole, anywhere.
    Other(String, Phrase, Phrase),
    Attachment,
    /// Of these places by their names. Values are in lower case, as in all that follow.
    Mailbox(String),
    Folder(String),
    Owner(String),
    /// A field of another kind, or any value of one.
    Compared(String, Kind, String),
    /// Bytes: more than that, or less.
    Larger(u64),
    Smaller(u64),
}

/// Words that stand one behind the other; of the last one perhaps only the beginning.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Phrase {
    words: Vec<String>,
    /// All of them as the one word of an address.
    address: Option<String>,
    is_beginning: bool,
    /// So short a beginning would be one of far too many words.
    is_too_short: bool,
}

impl Phrase {
    /// `None` where there is no letter and no digit.
    fn of(text: &str) -> Option<Self> {
        let found: Vec<Word> = words::words(text).collect();
        let last = found.last().map(|word| &text[word.place.clone()])?;
        let is_beginning = text.ends_with('*');
        // Letters as they were typed: an umlaut may be two of them. Where each character is a word, one is enough.
        let is_too_short = is_beginning && last.chars().count() < BEGINNING_CHARS && !last.chars().all(words::is_alone);
        let beginning = is_beginning.then(|| words::fold_beginning(last));
        let mut words: Vec<String> = found.into_iter().map(|word| word.text).collect();
        words.last_mut().zip(beginning).into_iter().for_each(|(last, beginning)| *last = beginning);
        Some(Self { address: address(text, &words), words, is_beginning, is_too_short })
    }

    /// As FTS5 wants it; each word goes through `spell`.
    fn expression(&self, spell: impl Fn(&str) -> String) -> String {
        let words: Vec<String> = self.words.iter().map(|word| spell(word)).collect();
        // Words are letters and digits, and so need no escape.
        format!("\"{}\"{}", words.join(" "), if self.is_beginning { " *" } else { "" })
    }

    /// An address may go on behind what is asked for, as a phrase may.
    fn plain(&self) -> String {
        match &self.address {
            Some(address) if self.is_beginning => format!("\"{address}\" *"),
            Some(address) => format!("(\"{address}\" OR \"{address}{JOINT}\" *)"),
            None => self.expression(str::to_owned),
        }
    }

    fn in_field(&self, name: &str) -> String {
        format!("field : {}", self.expression(|word| text::in_field(name, word)))
    }
}

impl Query {
    /// Words, phrases in quotation marks, beginnings (`offer*`), and fields: `from:`, `to:`, `cc:`, `subject:`, `file:`, `note:`, `owner:`,
    /// `mailbox:`, `folder:`, `before:`, `after:`, `larger:`, `smaller:`, `has:`, `field:NAME=VALUE`, or their German names, and further fields by
    /// theirs, in upper or lower case; a name with spaces stands in quotation marks. A word before a colon that is no field is a word like any
    /// other. `-` before something: it must not fit; `or` between two: one of them has to. `version:all` finds earlier versions too. Days are
    /// those of `zone`.
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
        if words.len() > QUERY_TERMS && !query.hints.contains(&Hint::TooLong) {
            query.hints.push(Hint::TooLong);
        }
        // Whether what comes next is an alternative to the clause before.
        let mut or = false;
        let mut may_have_or = false;
        for (word, is_quoted) in words.into_iter().take(QUERY_TERMS) {
            if !is_quoted && matches!(word.to_lowercase().as_str(), "or" | "oder" | "|") {
                if !may_have_or || or {
                    query.hints.push(Hint::NoAlternative);
                } else {
                    or = true;
                }
                continue;
            }
            let (is_not, word) = match word.strip_prefix('-') {
                Some(rest) if !is_quoted && !rest.starts_with('-') && rest.contains(char::is_alphanumeric) => {
                    (true, rest)
                }
                _ => (false, word.as_str()),
            };
            let Some(term) = query.term(word, zone, searchable) else { continue };
            let literal = Literal { is_not, term };
            match query.clauses.last_mut().filter(|_| or) {
                Some(clause) => clause.push(literal),
                None => query.clauses.push(vec![literal]),
            }
            (or, may_have_or) = (false, true);
        }
        if or {
            query.hints.push(Hint::NoAlternative);
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
        Self { newest: Some(ties).filter(|_| !self.all_versions), ..self }
    }

    fn term(&mut self, word: &str, zone: &TimeZone, searchable: &Searchable) -> Option<Term> {
        let Some((name, value)) = word.split_once(':') else {
            return self.phrase(word, word).map(Term::Text);
        };
        let lower = name.to_lowercase();
        let column = match lower.as_str() {
            "from" | "von" => "sender",
            "to" | "an" => "{recipient cc}",
            "cc" => "cc",
            "subject" | "betreff" | "title" | "titel" => "subject",
            "file" | "datei" => "file",
            "text" => "body",
            _ => return self.special(&lower, word, value, zone, searchable),
        };
        self.phrase(word, value).map(|phrase| Term::In(column, phrase))
    }

    /// What is not simply words in a column.
    fn special(
        &mut self,
        name: &str,
        word: &str,
        value: &str,
        zone: &TimeZone,
        searchable: &Searchable,
    ) -> Option<Term> {
        let lower = value.to_lowercase();
        match name {
            "version" | "versionen" if matches!(lower.as_str(), "all" | "alle") => {
                self.all_versions = true;
                return None;
            }
            "field" | "feld" if value.contains('=') => {
                let (name, value) = value.split_once('=')?;
                return self.field(&name.trim().to_lowercase(), word, value.trim(), searchable);
            }
            _ => {}
        }
        let is_known = matches!(
            name,
            "note"
                | "notiz"
                | "owner"
                | "eigentümer"
                | "mailbox"
                | "postfach"
                | "folder"
                | "ordner"
                | "before"
                | "vor"
                | "after"
                | "nach"
                | "larger"
                | "grösser"
                | "größer"
                | "smaller"
                | "kleiner"
                | "has"
                | "hat"
        );
        if is_known && value.trim().is_empty() {
            self.hints.push(Hint::NoValue(word.into()));
            return None;
        }
        match name {
            "note" | "notiz" => self.phrase(word, value).map(Term::Note),
            "owner" | "eigentümer" => Some(Term::Owner(lower)),
            "mailbox" | "postfach" => Some(Term::Mailbox(lower)),
            "folder" | "ordner" => Some(Term::Folder(lower)),
            "before" | "vor" | "after" | "nach" => {
                self.add_day(matches!(name, "before" | "vor"), &lower, zone);
                None
            }
            "larger" | "grösser" | "größer" | "smaller" | "kleiner" => {
                let size = size(&lower);
                if size.is_none() {
                    self.hints.push(Hint::NoSize(value.into()));
                }
                let is_smaller = matches!(name, "smaller" | "kleiner");
                size.map(if is_smaller { Term::Smaller } else { Term::Larger })
            }
            "has" | "hat" => match lower.as_str() {
                "attachment" | "attachments" | "anhang" | "anhänge" => Some(Term::Attachment),
                _ => {
                    self.hints.push(Hint::NoThing(value.into()));
                    None
                }
            },
            name => self.field(name.trim(), word, value.trim(), searchable),
        }
    }

    fn field(&mut self, name: &str, word: &str, value: &str, searchable: &Searchable) -> Option<Term> {
        let Some((field, kind)) = searchable.fields.get(name) else {
            let whole = self.phrase(word, word)?;
            // A value without a word is none: `re:` is.
            return Some(match Phrase::of(value).filter(|value| !value.is_too_short) {
                Some(value) => Term::Other(name.into(), value, whole),
                None => Term::Text(whole),
            });
        };
        if value.is_empty() {
            self.hints.push(Hint::NoValue(word.into()));
            return None;
        }
        if *kind == Kind::Text && value != "*" {
            return self.phrase(word, value).map(|phrase| Term::Field(field.clone(), phrase));
        }
        Some(Term::Compared(field.clone(), *kind, value.to_lowercase()))
    }

    /// The words of a value.
    fn phrase(&mut self, word: &str, value: &str) -> Option<Phrase> {
        let phrase = Phrase::of(value);
        match &phrase {
            // A mark alone fits everything; a field wants a word.
            None if value.len() < word.len() => self.hints.push(Hint::NoValue(word.into())),
            Some(phrase) if phrase.is_too_short => {
                self.hints.push(Hint::TooShort(value.into()));
                return None;
            }
            _ => {}
        }
        phrase
    }

    fn add_day(&mut self, is_before: bool, value: &str, zone: &TimeZone) {
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
        self.clauses.is_empty() && self.before.is_none() && self.since.is_none() && self.only.is_none()
    }

    /// The times that can fit, Unix seconds: from the first on, and before the second.
    pub fn times(&self) -> (Option<i64>, Option<i64>) {
        (self.since, self.before)
    }

    /// Whether the index has to be asked.
    pub fn asks_index(&self) -> bool {
        self.clauses.iter().flatten().any(|literal| literal.term.is_known_to_index())
    }

    /// The words and phrases that are looked for: what is shown in bright letters.
    pub fn marks(&self) -> Vec<Mark> {
        let phrases = self.wanted().filter_map(|(term, _)| term.phrase());
        phrases.map(|phrase| (phrase.words.clone(), phrase.is_beginning)).collect()
    }

    /// The terms of which something has to fit, and whether one is without alternative.
    fn wanted(&self) -> impl Iterator<Item = (&Term, bool)> {
        let literals = self.clauses.iter().flat_map(|clause| clause.iter().map(|literal| (literal, clause.len() == 1)));
        literals.filter(|(literal, _)| !literal.is_not).map(|(literal, is_alone)| (&literal.term, is_alone))
    }
}

impl Term {
    /// What of it may stand in a text.
    fn phrase(&self) -> Option<&Phrase> {
        match self {
            Self::Text(phrase) | Self::In(_, phrase) | Self::Other(_, _, phrase) => Some(phrase),
            _ => None,
        }
    }

    fn is_known_to_index(&self) -> bool {
        !matches!(self, Self::Owner(_) | Self::Compared(..) | Self::Larger(_) | Self::Smaller(_))
    }
}

/// `500k`, `2M`, `1.5G`, or bytes.
fn size(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches('b');
    let (digits, unit) = match digits.chars().last()? {
        'k' => (&digits[..digits.len() - 1], 1_000),
        'm' => (&digits[..digits.len() - 1], 1_000_000),
        'g' => (&digits[..digits.len() - 1], 1_000_000_000),
        _ => (digits, 1),
    };
    let (whole, part) = digits.trim().split_once(['.', ',']).unwrap_or((digits.trim(), "0"));
    let tenths: u64 = part.get(..1)?.parse().ok()?;
    let whole: u64 = whole.parse().ok()?;
    whole.checked_mul(unit)?.checked_add(tenths * unit / 10)
}

/// Splits at spaces that stand outside quotation marks; the marks fall away, and of each is said whether it began with one. Also says
/// whether a mark has no partner.
fn words(text: &str) -> (Vec<(String, bool)>, bool) {
    let mut words = vec![(String::new(), false)];
    let mut quoted = false;
    for c in text.chars() {
        match c {
            '"' | '«' | '»' | '„' | '“' | '”' => {
                quoted = !quoted;
                words.last_mut().into_iter().for_each(|(word, begins)| *begins |= word.is_empty());
            }
            c if c.is_whitespace() && !quoted => words.push((String::new(), false)),
            c => words.last_mut().into_iter().for_each(|(word, _)| word.push(c)),
        }
    }
    words.retain(|(word, _)| !word.is_empty());
    (words, quoted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_hints_and_the_rest_counts() {
        let hints = |text: &str| Query::parse(text, &TimeZone::UTC, &Searchable::default()).hints.clone();
        assert_eq!(hints("before:gestern"), [Hint::NoDay("gestern".into())]);
        assert_eq!(hints("before:31.2.2026"), [Hint::NoDay("31.2.2026".into())]);
        assert_eq!(hints("From: meier"), [Hint::NoValue("From:".into())]);
        assert_eq!(hints("owner:"), [Hint::NoValue("owner:".into())]);
        assert_eq!(hints("\"letzte offerte"), [Hint::Open]);
        assert_eq!(hints(&"x ".repeat(QUERY_TERMS + 1)), [Hint::TooLong]);
        assert_eq!(hints("after:-009999-01-01 before:9999-12-31"), []);
        assert_eq!(hints("larger:viel"), [Hint::NoSize("viel".into())]);
        assert_eq!(hints("has:mut"), [Hint::NoThing("mut".into())]);
        assert_eq!(hints("or a"), [Hint::NoAlternative]);
        assert_eq!(hints("a or"), [Hint::NoAlternative]);
        assert_eq!(hints("a or or b"), [Hint::NoAlternative]);
        assert_eq!(hints("a* b"), [Hint::TooShort("a*".into())]);
        assert_eq!(hints("re:a*"), [Hint::TooShort("re:a*".into())]);
        assert_eq!(hints("from:*"), [Hint::NoValue("from:*".into())]);
        assert_eq!(hints("re:offerte - -- *"), []);
        assert!(Query::parse("before:gestern", &TimeZone::UTC, &Searchable::default()).is_empty());
    }

    #[test]
    fn sizes_are_read() {
        for (text, bytes) in [
            ("500", Some(500)),
            ("500k", Some(500_000)),
            ("2m", Some(2_000_000)),
            ("1.5g", Some(1_500_000_000)),
            ("1,5kb", Some(1_500)),
            ("", None),
            ("k", None),
            ("x", None),
            ("1.k", None),
            ("99999999999999999999g", None),
            ("18446744073709551615k", None),
        ] {
            assert_eq!(size(text), bytes, "{text}");
        }
    }
}
