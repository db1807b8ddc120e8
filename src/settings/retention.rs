//! For how long documents are kept: terms, and what holds where.
//!
//! A term is counted from the end of the calendar year in which the server received a mail. It is never over early in any time zone:
//! the year is that of the zone where a new year begins first, and its last day has to have ended where days end last. The longest
//! term that applies to a document counts: of each place where it was seen, and its own.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};
use serde::{Deserialize, Serialize};

use super::{Result, find_json, open_json, read_json, to_json};
use crate::archive::Archive;
use crate::archive::commit::{Commit, Event, Folder, FolderNumber, Happening, Number, Setting};
use crate::archive::view::View;
use crate::clock;
use crate::language::Lang;

const KEY: &str = "retention";
/// Terms that rules with a folder gave to folders by the names that these had: whoever renames one shortens nothing.
const FOLDERS: &str = "retention-folders";
/// Keys of terms of single documents.
const TERM: &str = "term/";
/// That somebody confirmed to end many documents, see [`super::retention_passes`]; counts until something is shortened.
pub(super) const SURE: &str = "retention-sure";
pub const MOST_YEARS: u32 = 100;
pub const MOST_MONTHS: u32 = 1200;
/// 1982-01-01: there was no mail by SMTP before (RFC 821). A server that says an earlier time has lost it.
const EARLIEST: i64 = 378_691_200;
/// Where a new year begins first, and where a day ends last.
const FIRST: Offset = Offset::constant(14);
const LAST: Offset = Offset::constant(-12);

static TURN: Mutex<()> = Mutex::new(());

/// One change of what may end at a time, and no document ends meanwhile: what a person sets holds from then on.
pub fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// For how long something is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Term {
    Years(u32),
    Months(u32),
    Forever,
}

impl Default for Term {
    fn default() -> Self {
        Self::Years(10)
    }
}

impl Term {
    /// `None`: for ever.
    pub fn months(self) -> Option<u32> {
        match self {
            Self::Years(years) => Some(years.saturating_mul(12)),
            Self::Months(months) => Some(months),
            Self::Forever => None,
        }
    }

    /// By which terms are compared.
    pub fn length(self) -> u32 {
        self.months().unwrap_or(u32::MAX)
    }

    #[must_use]
    pub fn longer(self, other: Self) -> Self {
        if other.length() > self.length() { other } else { self }
    }

    /// The first second (Unix) in which a term is over that is counted from here; `None`: never. A time that no calendar has is
    /// none to count from.
    pub fn over(self, from: i64) -> Option<i64> {
        let months = i64::from(self.months()?);
        let year = Timestamp::from_second(from).ok()?.to_zoned(TimeZone::fixed(FIRST)).year();
        // Counted from the first month of the year after; each month has a first day.
        let month = 12 * (i64::from(year) + 1) + months;
        let (year, month) = (i16::try_from(month.div_euclid(12)).ok()?, i8::try_from(month.rem_euclid(12) + 1).ok()?);
        let day = Date::new(year, month, 1).ok()?;
        Some(day.to_zoned(TimeZone::fixed(LAST)).ok()?.timestamp().as_second())
    }

    /// `10 years`.
    pub fn text(self, lang: Lang) -> String {
        let (count, de, en) = match self {
            Self::Years(count) => (count, ["Jahr", "Jahre"], ["year", "years"]),
            Self::Months(count) => (count, ["Monat", "Monate"], ["month", "months"]),
            Self::Forever => return if lang == Lang::De { "für immer" } else { "for ever" }.into(),
        };
        format!("{count} {}", if lang == Lang::De { de } else { en }[usize::from(count != 1)])
    }

    /// `years`, `months` or `forever`.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Years(_) => "years",
            Self::Months(_) => "months",
            Self::Forever => "forever",
        }
    }

    /// How many of them.
    pub fn count(self) -> Option<u32> {
        match self {
            Self::Years(count) | Self::Months(count) => Some(count),
            Self::Forever => None,
        }
    }

    /// From what a person wrote: 1 to [`MOST_YEARS`] or [`MOST_MONTHS`].
    pub fn entered(count: &str, unit: &str) -> Option<Self> {
        let within = |most: u32| count.trim().parse().ok().filter(|count| (1..=most).contains(count));
        match unit {
            "years" => within(MOST_YEARS).map(Self::Years),
            "months" => within(MOST_MONTHS).map(Self::Months),
            "forever" => Some(Self::Forever),
            _ => None,
        }
    }
}

/// From when the term of a place is counted, Unix seconds: when the server received the mail, else when it was archived. What the
/// mail says of itself counts for nothing.
pub fn counted_from(received: Option<i64>, seen: i64) -> i64 {
    received.filter(|received| *received >= EARLIEST).unwrap_or(seen)
}

/// A term for what a definition archived, or for some folders of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rule {
    /// Name of the definition; empty: what people uploaded.
    pub definition: String,
    /// Identity of a mailbox; empty: all of them.
    pub mailbox: String,
    /// The folder as people see it, a `*` at the end stands for anything; empty: all of them.
    pub folder: String,
    pub term: Term,
}

impl Rule {
    pub fn holds_for(&self, folder: &Folder) -> bool {
        let (wanted, name) = (self.folder.to_lowercase(), folder.name.to_lowercase());
        let is_named = match wanted.strip_suffix('*') {
            Some(beginning) => name.starts_with(beginning),
            None => wanted.is_empty() || wanted == name,
        };
        is_named && self.definition == folder.definition && (self.mailbox.is_empty() || self.mailbox == folder.mailbox)
    }

    /// The more of a place a rule names, the more it is about it.
    fn names(&self) -> (bool, bool, usize) {
        let is_whole = !self.folder.ends_with('*');
        (!self.folder.is_empty(), !self.mailbox.is_empty(), if is_whole { usize::MAX } else { self.folder.len() })
    }

    /// Whether two rules are about the same.
    pub fn is_like(&self, other: &Self) -> bool {
        self.definition == other.definition
            && self.mailbox == other.mailbox
            && self.folder.to_lowercase() == other.folder.to_lowercase()
    }
}

/// What an administrator set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Retention {
    /// Whether documents whose term is over end at all.
    pub deletes: bool,
    /// Where no rule holds.
    pub term: Term,
    pub rules: Vec<Rule>,
}

/// Terms by the number of a folder.
pub type Remembered = BTreeMap<FolderNumber, Term>;

impl Retention {
    pub fn read(archive: &Archive) -> Result<Self> {
        read_json(archive, KEY)
    }

    /// As a view has it.
    pub fn of(view: &View) -> Result<Self> {
        let row = view.setting_row(KEY)?.and_then(|row| row.value.value);
        row.map_or_else(|| Ok(Self::default()), |json| open_json(KEY, &json))
    }

    /// Keeps it; in the same commit what folders were remembered for is forgotten for what holds by it, and a confirmation ends.
    /// In a [`turn`].
    pub fn write(&self, archive: &Archive, who: &str) -> Result<()> {
        let remembered = self.by_folder(&archive.view()?)?;
        let settings = vec![
            Setting { key: KEY.into(), value: Some(to_json(KEY, self)?) },
            Setting { key: FOLDERS.into(), value: Some(to_json(FOLDERS, &remembered)?) },
            Setting { key: SURE.into(), value: None },
        ];
        let event = Event { time: clock::now(), who: who.into(), what: Happening::SettingChanged(KEY.into()) };
        Ok(archive.commit(Commit { settings, journal: vec![event], ..Commit::default() })?)
    }

    /// The rule that is most about this folder; the longer term of two that are equally so.
    pub fn rule(&self, folder: &Folder) -> Option<&Rule> {
        let rules = self.rules.iter().filter(|rule| rule.holds_for(folder));
        rules.max_by_key(|rule| (rule.names(), rule.term.length()))
    }

    /// How long what lies in this folder is kept.
    pub fn term_of(&self, folder: &Folder) -> Term {
        self.rule(folder).map_or(self.term, |rule| rule.term)
    }

    /// The shortest term that anything has.
    pub fn shortest(&self) -> Term {
        let all = self.rules.iter().map(|rule| rule.term).chain([self.term]);
        all.min_by_key(|term| term.length()).unwrap_or_default()
    }

    /// The terms that folders have by their names now.
    fn by_folder(&self, view: &View) -> Result<Remembered> {
        let mut found = Remembered::new();
        for row in view.folders()? {
            if let Some(rule) = self.rule(&row.folder).filter(|rule| !rule.folder.is_empty()) {
                found.insert(row.folder.number, rule.term);
            }
        }
        Ok(found)
    }

    /// Notes the terms that folders have by their names now, beside longer ones that they had. In a [`turn`].
    pub fn remember(&self, archive: &Archive) -> Result<()> {
        let view = archive.view()?;
        let old = remembered(&view)?;
        let mut new = old.clone();
        for (folder, term) in self.by_folder(&view)? {
            let known = new.entry(folder).or_insert(term);
            *known = known.longer(term);
        }
        drop(view);
        if new == old {
            return Ok(());
        }
        let settings = vec![Setting { key: FOLDERS.into(), value: Some(to_json(FOLDERS, &new)?) }];
        Ok(archive.commit(Commit { settings, ..Commit::default() })?)
    }
}

/// Terms that folders had by their names.
pub fn remembered(view: &View) -> Result<Remembered> {
    let row = view.setting_row(FOLDERS)?.and_then(|row| row.value.value);
    row.map_or_else(|| Ok(Remembered::new()), |json| open_json(FOLDERS, &json))
}

/// The term of one document, beside those of its places.
pub fn own_term(view: &View, number: Number) -> Result<Option<Term>> {
    let key = format!("{TERM}{number}");
    let row = view.setting_row(&key)?.and_then(|row| row.value.value);
    row.map(|json| open_json(&key, &json)).transpose()
}

/// Gives a document a term of its own, or takes it away; where that is shorter than before, a confirmation ends. In a [`turn`].
pub fn put_own_term(archive: &Archive, number: Number, term: Option<Term>, who: &str) -> Result<()> {
    let key = format!("{TERM}{number}");
    let old: Option<Term> = find_json(archive, &key)?;
    let value = term.map(|term| to_json(&key, &term)).transpose()?;
    let event = Event { time: clock::now(), who: who.into(), what: Happening::SettingChanged(key.clone()) };
    let mut settings = vec![Setting { key, value }];
    if old.map_or(0, Term::length) > term.map_or(0, Term::length) {
        settings.push(Setting { key: SURE.into(), value: None });
    }
    Ok(archive.commit(Commit { settings, journal: vec![event], ..Commit::default() })?)
}

/// Keys of what is set of single documents, with the numbers of these.
pub(super) fn numbered(view: &View, prefix: &str) -> Result<Vec<(String, Number)>> {
    let all = view.settings(prefix)?.into_iter().map(|(key, _)| key);
    Ok(all.filter_map(|key| key.strip_prefix(prefix)?.parse().ok().map(|number| (key.clone(), number))).collect())
}

/// Forgets what was set of single documents that have ended.
pub fn sweep(archive: &Archive) -> Result<()> {
    let view = archive.view()?;
    let mut settings = Vec::new();
    for prefix in [TERM, super::erasures::ERASURE] {
        for (key, number) in numbered(&view, prefix)? {
            if view.ended_row(number)?.is_some() {
                settings.push(Setting { key, value: None });
            }
        }
    }
    drop(view);
    if settings.is_empty() {
        return Ok(());
    }
    Ok(archive.commit(Commit { settings, ..Commit::default() })?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_second()
    }

    /// Nothing of it is early anywhere, and nothing late to the second.
    #[test]
    fn terms_count_from_the_end_of_the_year() {
        for (received, term, over) in [
            ("2024-06-15T12:00:00Z", Term::Years(10), "2035-01-01T12:00:00Z"),
            ("2024-01-01T00:00:00Z", Term::Years(10), "2035-01-01T12:00:00Z"),
            // The last second of the year in Kiritimati, and the first one of the next.
            ("2024-12-31T09:59:59Z", Term::Years(1), "2026-01-01T12:00:00Z"),
            ("2024-12-31T10:00:00Z", Term::Years(1), "2027-01-01T12:00:00Z"),
            // New Year's Eve in Zurich and in Honolulu is the new year there.
            ("2024-12-31T23:59:59+01:00", Term::Years(1), "2027-01-01T12:00:00Z"),
            ("2024-12-31T23:59:59-10:00", Term::Years(1), "2027-01-01T12:00:00Z"),
            // Leap days.
            ("2024-02-29T12:00:00Z", Term::Years(1), "2026-01-01T12:00:00Z"),
            ("2023-03-01T00:00:00Z", Term::Months(2), "2024-03-01T12:00:00Z"),
            ("2022-03-01T00:00:00Z", Term::Months(2), "2023-03-01T12:00:00Z"),
            ("2024-03-01T00:00:00Z", Term::Months(1), "2025-02-01T12:00:00Z"),
            ("2024-03-01T00:00:00Z", Term::Months(18), "2026-07-01T12:00:00Z"),
            ("2024-03-01T00:00:00Z", Term::Months(120), "2035-01-01T12:00:00Z"),
            ("1969-03-01T00:00:00Z", Term::Years(1), "1971-01-01T12:00:00Z"),
        ] {
            assert_eq!(term.over(at(received)), Some(at(over)), "{received} {term:?}");
        }
        for absurd in [i64::MIN, i64::MAX, 253_402_207_200] {
            assert_eq!(Term::Years(10).over(absurd), None, "{absurd}");
        }
        assert_eq!(Term::Forever.over(0), None);
    }

    #[test]
    fn a_year_and_twelve_months_are_the_same() {
        for years in 1..=MOST_YEARS {
            assert_eq!(Term::Years(years).over(1_700_000_000), Term::Months(12 * years).over(1_700_000_000));
        }
        assert_eq!(Term::Years(1).longer(Term::Months(13)), Term::Months(13));
        assert_eq!(Term::Forever.longer(Term::Years(100)), Term::Forever);
    }

    #[test]
    fn a_server_that_lost_the_time_does_not_count() {
        assert_eq!(counted_from(Some(at("1982-01-01T00:00:00Z")), 7), EARLIEST);
        assert_eq!((counted_from(Some(0), 7), counted_from(Some(EARLIEST - 1), 7), counted_from(None, 7)), (7, 7, 7));
    }

    #[test]
    fn the_rule_that_names_most_holds() {
        let rule = |mailbox: &str, folder: &str, years| Rule {
            definition: "office".into(),
            mailbox: mailbox.into(),
            folder: folder.into(),
            term: Term::Years(years),
        };
        let set = Retention {
            rules: vec![
                rule("", "", 5),
                rule("anna", "", 7),
                rule("", "Offerten", 3),
                rule("", "Offerten*", 4),
                rule("anna", "Offerten", 2),
            ],
            ..Retention::default()
        };
        let years = |definition: &str, mailbox: &str, name: &str| {
            let folder = Folder {
                definition: definition.into(),
                mailbox: mailbox.into(),
                name: name.into(),
                ..Folder::default()
            };
            set.term_of(&folder)
        };
        assert_eq!(years("other", "anna", "Offerten"), Term::Years(10));
        assert_eq!(years("office", "beat", "INBOX"), Term::Years(5));
        assert_eq!(years("office", "anna", "INBOX"), Term::Years(7));
        assert_eq!(years("office", "beat", "offerten"), Term::Years(3));
        assert_eq!(years("office", "beat", "Offerten/2024"), Term::Years(4));
        assert_eq!(years("office", "anna", "Offerten"), Term::Years(2));
        assert_eq!(set.shortest(), Term::Years(2));
    }

    #[test]
    fn what_is_stored_comes_back() {
        let json = r#"{"deletes":true,"term":{"years":7},"rules":[{"definition":"o","term":{"months":6}},{"definition":"p","folder":"x","term":"forever"}]}"#;
        let set: Retention = serde_json::from_str(json).unwrap();
        assert_eq!((set.term, set.rules[0].term, set.rules[1].term), (Term::Years(7), Term::Months(6), Term::Forever));
        assert_eq!(serde_json::from_str::<Retention>(&serde_json::to_string(&set).unwrap()).unwrap(), set);
        assert_eq!(serde_json::from_str::<Retention>("{}").unwrap(), Retention::default());
        assert_eq!(Term::entered(" 10 ", "years"), Some(Term::Years(10)));
        for (count, unit) in
            [("0", "years"), ("101", "years"), ("1201", "months"), ("", "months"), ("x", "years"), ("1", "days")]
        {
            assert_eq!(Term::entered(count, unit), None, "{count} {unit}");
        }
    }
}
