//! Document fields that people defined (Felder definieren): what may stand in them, and who may see and change them.
//!
//! Documents carry the values by the field's name, so the name never changes. A field that is taken away while documents have
//! values in it is hidden and nothing more: the values are part of the archive.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::users::{Role, User};
use super::{Result, read_json, same_name, write_json};
use crate::archive::Archive;
use crate::limits::{DEFINED_FIELDS, FIELD_CHARS, FIELD_NAME_CHARS, SELECTION_VALUES};

const KEY: &str = "fields";

/// Words before a colon that a search knows, in both languages: no defined field can have one of them as its name.
pub const SEARCH_WORDS: [&str; 31] = [
    "from",
    "von",
    "absender",
    "to",
    "an",
    "empfänger",
    "cc",
    "mitempfänger",
    "subject",
    "betreff",
    "title",
    "titel",
    "file",
    "datei",
    "medianame",
    "note",
    "notiz",
    "date",
    "datum",
    "owner",
    "eigentümer",
    "mailbox",
    "postfach",
    "folder",
    "ordner",
    "before",
    "vor",
    "after",
    "nach",
    "version",
    "versionen",
];

/// What may stand in a field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    #[default]
    Text,
    Number,
    Date,
    YesNo,
    /// One of the field's own values.
    Selection,
}

/// Whom a right is for, among those who may read a document.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    #[default]
    Everybody,
    Administrators,
    /// Users by their names.
    Users(Vec<String>),
}

impl Who {
    fn is(&self, user: Option<&User>) -> bool {
        match (self, user) {
            (Self::Everybody, _) => true,
            (_, None) => false,
            (Self::Administrators, Some(user)) => user.role == Role::Administrator,
            (Self::Users(names), Some(user)) => names.iter().any(|name| same_name(name, &user.name)),
        }
    }
}

/// One defined field.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DocumentField {
    /// Never changes.
    pub name: String,
    pub kind: Kind,
    /// Of a selection.
    pub values: Vec<String>,
    pub seen_by: Who,
    pub changed_by: Who,
    /// It is a column of the table.
    pub is_column: bool,
    /// It was taken away, and documents have values in it.
    pub is_hidden: bool,
}

/// What is wrong with a field that somebody defines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    NoName,
    /// A character that a search or a form could not carry.
    Character,
    /// Every document has it, or a search knows the word.
    BuiltIn,
    Taken,
    NoValues,
    TooManyValues,
    TooManyFields,
}

/// All defined fields, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DocumentFields(pub Vec<DocumentField>);

impl DocumentFields {
    pub fn read(archive: &Archive) -> Result<Self> {
        read_json(archive, KEY)
    }

    pub fn write(&self, archive: &Archive, who: &str) -> Result<()> {
        write_json(archive, KEY, self, who)
    }

    /// The field of this name, hidden or not.
    pub fn get(&self, name: &str) -> Option<&DocumentField> {
        self.0.iter().find(|field| field.name == name)
    }

    pub fn get_mut(&mut self, name: &str) -> Option<&mut DocumentField> {
        self.0.iter_mut().find(|field| field.name == name)
    }

    /// Those that are not hidden.
    pub fn shown(&self) -> impl Iterator<Item = &DocumentField> {
        self.0.iter().filter(|field| !field.is_hidden)
    }

    /// What may stand in a field of this name; in one that nobody defined, any text.
    pub fn kind(&self, name: &str) -> Kind {
        self.get(name).map(|field| field.kind).unwrap_or_default()
    }

    /// Whether somebody sees this field of documents that it may read. An auditor reads everything; one that nobody defined
    /// is for everybody. `None`: a visitor.
    pub fn sees(&self, user: Option<&User>, name: &str) -> bool {
        let Some(field) = self.get(name) else { return true };
        !field.is_hidden && (field.seen_by.is(user) || user.is_some_and(|user| user.role == Role::Auditor))
    }

    /// Whether somebody changes it; who does not see it does not.
    pub fn changes(&self, user: Option<&User>, name: &str) -> bool {
        let may = self.get(name).is_none_or(|field| field.changed_by.is(user));
        may && self.sees(user, name) && user.is_some_and(|user| user.role != Role::Auditor)
    }

    /// Names of the fields that somebody may not see.
    pub fn unseen(&self, user: Option<&User>) -> BTreeSet<String> {
        self.0.iter().map(|field| field.name.clone()).filter(|name| !self.sees(user, name)).collect()
    }

    /// What is wrong with this new or changed field beside the others.
    pub fn fault(&self, field: &DocumentField, is_new: bool) -> Option<Fault> {
        let lower = field.name.to_lowercase();
        let is_odd = |c: char| c.is_control() || matches!(c, ':' | '"' | '«' | '»' | '„' | '“' | '”' | '*');
        if field.name.trim().is_empty() {
            return Some(Fault::NoName);
        }
        if field.name.trim() != field.name
            || field.name.chars().count() > FIELD_NAME_CHARS
            || field.name.contains("  ")
            || field.name.chars().any(is_odd)
        {
            return Some(Fault::Character);
        }
        if is_new && SEARCH_WORDS.contains(&lower.as_str()) {
            return Some(Fault::BuiltIn);
        }
        if is_new && self.0.iter().any(|other| other.name.to_lowercase() == lower) {
            return Some(Fault::Taken);
        }
        if is_new && self.0.len() >= DEFINED_FIELDS {
            return Some(Fault::TooManyFields);
        }
        if field.kind == Kind::Selection && field.values.is_empty() {
            return Some(Fault::NoValues);
        }
        let is_long = field.values.iter().any(|value| value.chars().count() > FIELD_CHARS);
        (field.values.len() > SELECTION_VALUES || is_long).then_some(Fault::TooManyValues)
    }

    /// Moves a field one place up or down among those that are shown.
    pub fn shift(&mut self, name: &str, up: bool) {
        let shown: Vec<usize> = (0..self.0.len()).filter(|&at| !self.0[at].is_hidden).collect();
        let Some(at) = shown.iter().position(|&at| self.0[at].name == name) else { return };
        let other = if up { at.checked_sub(1) } else { Some(at + 1) };
        if let Some(&other) = other.and_then(|other| shown.get(other)) {
            self.0.swap(shown[at], other);
        }
    }
}

/// Takes a user out of every right: whoever gets the name later has none of them.
pub fn forget_user(archive: &Archive, user: &str, who: &str) -> Result<()> {
    let before = DocumentFields::read(archive)?;
    let mut fields = before.clone();
    for field in &mut fields.0 {
        for right in [&mut field.seen_by, &mut field.changed_by] {
            if let Who::Users(names) = right {
                names.retain(|name| !same_name(name, user));
            }
        }
    }
    if fields != before {
        fields.write(archive, who)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str, is_hidden: bool) -> DocumentField {
        DocumentField { name: name.into(), is_hidden, ..DocumentField::default() }
    }

    #[test]
    fn names_are_names() {
        let all = DocumentFields(vec![field("Kunde", false), field("Alt", true)]);
        let fault = |name: &str| all.fault(&field(name, false), true);
        assert_eq!(fault("Rechnungs-Nr. (alt) 2/3"), None);
        for (name, expected) in [
            ("", Fault::NoName),
            ("a:b", Fault::Character),
            ("a\"b", Fault::Character),
            (" a", Fault::Character),
            ("a\u{1}", Fault::Character),
            (&"x".repeat(FIELD_NAME_CHARS + 1), Fault::Character),
            ("Betreff", Fault::BuiltIn),
            ("DATUM", Fault::BuiltIn),
            ("kunde", Fault::Taken),
            ("ALT", Fault::Taken),
        ] {
            assert_eq!(fault(name), Some(expected), "{name}");
        }
        let selection = DocumentField { kind: Kind::Selection, ..field("Art", false) };
        assert_eq!(all.fault(&selection, true), Some(Fault::NoValues));
    }

    #[test]
    fn hidden_ones_are_jumped_over() {
        let mut all = DocumentFields(vec![field("a", false), field("x", true), field("b", false), field("c", false)]);
        let names = |all: &DocumentFields| all.0.iter().map(|field| field.name.clone()).collect::<String>();
        all.shift("b", true);
        assert_eq!(names(&all), "bxac");
        all.shift("b", true);
        all.shift("c", false);
        all.shift("x", true);
        assert_eq!(names(&all), "bxac");
        all.shift("a", false);
        assert_eq!(names(&all), "bxca");
    }
}
