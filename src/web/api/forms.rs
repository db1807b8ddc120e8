//! From JSON to what a form of WebAdmin holds, and back: so that both are checked by the same functions.

use serde_json::{Map, Value};

use super::super::admin::fields::{list, listed};
use super::super::request::Form;
use super::schema::{Member, Schema, may};

/// One member of JSON and the field of a form that it is.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    pub member: Member,
    /// Name of the field.
    pub key: &'static str,
    pub how: How,
}

/// How a value stands in a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    Text,
    Number,
    Flag,
    /// Commas between.
    Names,
    /// One on each line.
    Lines,
    /// Only ever sent.
    Secret,
    /// Put into the form by whoever knows how.
    Apart,
}

impl Entry {
    pub const fn text(name: &'static str, key: &'static str, most: usize, what: &'static str) -> Self {
        Self { member: may(name, Schema::Text(0, most), what), key, how: How::Text }
    }

    pub const fn secret(name: &'static str, key: &'static str, most: usize, what: &'static str) -> Self {
        Self { member: may(name, Schema::Text(0, most), what), key, how: How::Secret }
    }

    pub const fn number(name: &'static str, least: i64, most: i64, what: &'static str) -> Self {
        Self { member: may(name, Schema::Integer(least, most), what), key: name, how: How::Number }
    }

    pub const fn flag(name: &'static str, what: &'static str) -> Self {
        Self { member: may(name, Schema::Flag, what), key: name, how: How::Flag }
    }

    pub const fn word(name: &'static str, words: &'static [&'static str], what: &'static str) -> Self {
        Self { member: may(name, Schema::Word(words), what), key: name, how: How::Text }
    }
}

/// The members of all entries, for a schema.
pub const fn members<const N: usize>(entries: &[Entry; N]) -> [Member; N] {
    let mut members = [entries[0].member; N];
    let mut place = 0;
    while place < N {
        members[place] = entries[place].member;
        place += 1;
    }
    members
}

/// Puts what was sent in place of what the form holds; what was not sent stays.
pub fn fill(form: &mut Form, entries: &[Entry], sent: &Map<String, Value>) {
    for entry in entries {
        let Some(value) = sent.get(entry.member.name) else { continue };
        let texts = |value: &Value| -> Vec<String> {
            value.as_array().into_iter().flatten().filter_map(|text| text.as_str().map(str::to_owned)).collect()
        };
        let text = match entry.how {
            How::Text | How::Secret => value.as_str().unwrap_or_default().to_owned(),
            How::Number => value.to_string(),
            How::Flag => if value == &Value::Bool(true) { "1" } else { "" }.to_owned(),
            How::Names => listed(&texts(value)),
            How::Lines => texts(value).join("\n"),
            How::Apart => continue,
        };
        form.set(entry.key, &text);
    }
}

/// What a form holds, as it is sent; fields that it has not are left out.
pub fn read(form: &Form, entries: &[Entry]) -> Map<String, Value> {
    let mut json = Map::new();
    for entry in entries {
        let Some(text) = form.get(entry.key) else { continue };
        let value = match entry.how {
            How::Text => text.into(),
            How::Number => text.parse::<i64>().map_or(Value::Null, Value::from),
            How::Flag => (!text.is_empty()).into(),
            How::Names => list(text).unwrap_or_default().into(),
            How::Lines => text.lines().filter(|line| !line.is_empty()).collect::<Vec<_>>().into(),
            How::Secret | How::Apart => continue,
        };
        json.insert(entry.member.name.into(), value);
    }
    json
}

/// The member that a field of a form is, as a JSON pointer.
pub fn pointer(entries: &[Entry], key: &str) -> String {
    let entry = entries.iter().find(|entry| entry.key == key);
    format!("/{}", entry.map_or(key, |entry| entry.member.name))
}
