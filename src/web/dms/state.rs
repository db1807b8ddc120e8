//! What the table shows: kept in every link, so that going back finds it as it was left.

use super::super::request::Form;
use crate::archive::commit::{KIND_FILE, KIND_MAIL};
use crate::limits::QUERY_CHARS;
use crate::search::{Cursor, Order, Sort};

/// Which documents the table shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Only {
    All,
    Mails,
    Files,
}

/// With their names in addresses.
const ONLY: [(Only, &str); 3] = [(Only::All, "all"), (Only::Mails, "mails"), (Only::Files, "files")];

impl Only {
    /// Its code in the archive.
    pub fn kind(self) -> Option<u8> {
        match self {
            Self::All => None,
            Self::Mails => Some(KIND_MAIL),
            Self::Files => Some(KIND_FILE),
        }
    }

    /// Its name in addresses.
    pub fn name(self) -> &'static str {
        ONLY.iter().find(|(only, _)| *only == self).map_or("", |(_, name)| name)
    }
}

/// The state of the table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// As it was typed.
    pub query: String,
    pub order: Order,
    pub at: Option<Cursor>,
    pub back: bool,
    /// The page was reached from the table, which is shown beside the document.
    pub is_listed: bool,
    /// `None`: what the archive is used for.
    pub only: Option<Only>,
    /// Only the main fields; `None`: as the archive is set.
    pub reduced: Option<bool>,
}

/// The columns by which the table can be put in order, with their names in addresses.
const SORTS: [(Sort, &str); 6] = [
    (Sort::Date, "date"),
    (Sort::Number, "number"),
    (Sort::Title, "title"),
    (Sort::From, "from"),
    (Sort::Size, "size"),
    (Sort::Relevance, "relevance"),
];

impl State {
    pub fn of(query: &Form) -> Self {
        let sort = SORTS.iter().find(|(_, name)| *name == query.text("sort")).map_or(Sort::Date, |(sort, _)| *sort);
        let descending = match query.text("order") {
            "up" => false,
            "down" => true,
            _ => usual(sort),
        };
        Self {
            query: query.text("q").chars().take(QUERY_CHARS + 1).collect(),
            order: Order { sort, descending },
            at: query.text("at").parse().ok(),
            back: query.is_on("back"),
            is_listed: query.is_on("list"),
            only: ONLY.iter().find(|(_, name)| *name == query.text("only")).map(|(only, _)| *only),
            reduced: match query.text("table") {
                "full" => Some(false),
                "reduced" => Some(true),
                _ => None,
            },
        }
    }

    fn form(&self) -> Form {
        let mut form = Form::default();
        if !self.query.is_empty() {
            form.push("q", &self.query);
        }
        for (name, value) in self.hidden() {
            form.push(name, value);
        }
        if let Some(at) = self.at {
            form.push("at", &at.to_string());
            if self.back {
                form.push("back", "1");
            }
        }
        form
    }

    /// The table's own address.
    pub fn table(&self) -> String {
        address("/", &self.form())
    }

    /// The address of a page about all that is found.
    pub fn all(&self, path: &str, only: Only) -> String {
        let mut form = Form::default();
        form.push("q", &self.query);
        form.push("only", only.name());
        address(path, &form)
    }

    /// The address of a page of a document, from which the table is found again; `more` is what the page itself asks for.
    pub fn document(&self, path: &str, more: &[(&str, &str)]) -> String {
        let mut form = Form::default();
        for (name, value) in more {
            form.push(name, value);
        }
        if !self.is_listed {
            return address(path, &form);
        }
        form.push("list", "1");
        let rest = self.form().encode();
        let begin = address(path, &form);
        if rest.is_empty() { begin } else { format!("{begin}&{rest}") }
    }

    /// The same table from another place.
    #[must_use]
    pub fn page(&self, at: Option<Cursor>, back: bool) -> Self {
        Self { at, back, ..self.clone() }
    }

    /// The same table from its beginning, by this column; by the same one, the other way round.
    #[must_use]
    pub fn sorted(&self, sort: Sort) -> Self {
        let descending = if self.order.sort == sort { !self.order.descending } else { usual(sort) };
        Self { order: Order { sort, descending }, at: None, back: false, ..self.clone() }
    }

    /// Other documents, from their beginning.
    #[must_use]
    pub fn showing(&self, only: Only) -> Self {
        Self { only: Some(only), at: None, back: false, ..self.clone() }
    }

    /// Another search, from its beginning.
    #[must_use]
    pub fn looking_for(&self, query: &str) -> Self {
        Self { query: query.into(), at: None, back: false, ..self.clone() }
    }

    /// The same place with all or only the main fields.
    #[must_use]
    pub fn reduced(&self, reduced: bool) -> Self {
        Self { reduced: Some(reduced), ..self.clone() }
    }

    /// The state as hidden fields of a form that searches anew.
    pub fn hidden(&self) -> Vec<(&'static str, &'static str)> {
        let mut fields = Vec::new();
        if self.order.sort != Sort::Date {
            fields.extend(SORTS.iter().find(|(sort, _)| *sort == self.order.sort).map(|(_, name)| ("sort", *name)));
        }
        if self.order.descending != usual(self.order.sort) {
            fields.push(("order", if self.order.descending { "down" } else { "up" }));
        }
        fields.extend(self.only.map(|only| ("only", only.name())));
        fields.extend(self.reduced.map(|reduced| ("table", if reduced { "reduced" } else { "full" })));
        fields
    }
}

/// Newest, highest and largest first; texts from A to Z.
fn usual(sort: Sort) -> bool {
    matches!(sort, Sort::Date | Sort::Number | Sort::Size | Sort::Relevance)
}

fn address(path: &str, form: &Form) -> String {
    let query = form.encode();
    if query.is_empty() { path.into() } else { format!("{path}?{query}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_brings_the_table_back() {
        let state = State {
            query: "from:meier & \"x\"".into(),
            order: Order { sort: Sort::Title, descending: true },
            at: Some(Cursor { time: -5, number: 7 }),
            back: true,
            is_listed: true,
            only: Some(Only::Files),
            reduced: Some(true),
        };
        let address = state.document("/documents/3/fields", &[("show", "text")]);
        let (path, query) = address.split_once('?').unwrap();
        assert_eq!(path, "/documents/3/fields");
        assert_eq!(State::of(&Form::parse(query)), state);
        assert_eq!(State::of(&Form::default()).table(), "/");
        assert_eq!(State::of(&Form::default()).document("/documents/3", &[]), "/documents/3");
        let broken = State::of(&Form::parse("at=x&sort=no&order=1"));
        assert_eq!(broken, State::of(&Form::default()));
    }
}
