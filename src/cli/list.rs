//! `list [QUERY]`: the documents, one per line.

use anyhow::{Context, bail};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::json;

use super::terminal::Terminal;
use super::{Exit, Session};
use crate::archive::catalog::Document;
use crate::archive::commit::{Metadata, Number};
use crate::archive::view::View;
use crate::clock;
use crate::ingest::Defect;
use crate::language::Lang;
use crate::source::RemoteId;

/// What is looked for: all of it has to fit.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Query {
    terms: Vec<Term>,
}

#[derive(Debug, PartialEq, Eq)]
enum Term {
    /// Lower case.
    Word(String),
    From(String),
    To(String),
    Subject(String),
    /// Unix seconds.
    Before(i64),
    After(i64),
}

impl Query {
    /// Words, phrases in quotation marks, and `from:`, `to:`, `subject:`, `before:`, `after:`.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let mut terms = Vec::new();
        for word in words(text) {
            let lower = word.to_lowercase();
            let term = match lower.split_once(':') {
                Some(("from", value)) => Term::From(value.into()),
                Some(("to", value)) => Term::To(value.into()),
                Some(("subject", value)) => Term::Subject(value.into()),
                Some(("before", value)) => Term::Before(day(value)?),
                Some(("after", value)) => Term::After(day(value)?),
                _ => Term::Word(lower),
            };
            if let Term::From(value) | Term::To(value) | Term::Subject(value) = &term
                && value.is_empty()
            {
                bail!("{word} what? For example from:meier or subject:\"last offer\"");
            }
            terms.push(term);
        }
        Ok(Self { terms })
    }

    fn fits(&self, metadata: &Metadata) -> bool {
        let has = |text: &str, value: &str| text.to_lowercase().contains(value);
        let to = |value: &str| has(&metadata.to, value) || has(&metadata.cc, value);
        let time = metadata.date.unwrap_or(metadata.archived);
        self.terms.iter().all(|term| match term {
            Term::From(value) => has(&metadata.from, value),
            Term::To(value) => to(value),
            Term::Subject(value) => has(&metadata.title, value),
            Term::Before(day) => time < *day,
            // The day itself is not after itself.
            Term::After(day) => time >= day + 86_400,
            Term::Word(value) => {
                has(&metadata.title, value)
                    || has(&metadata.from, value)
                    || to(value)
                    || metadata.fields.values().any(|field| has(field, value))
            }
        })
    }
}

/// Splits at spaces that stand outside quotation marks; the marks fall away.
fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            c if c.is_whitespace() && !quoted => words.push(String::new()),
            c => words.last_mut().into_iter().for_each(|word| word.push(c)),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

fn day(text: &str) -> anyhow::Result<i64> {
    let date: Date = text.parse().with_context(|| format!("{text:?} is no day: write 2026-11-21"))?;
    Ok(date.to_zoned(TimeZone::UTC)?.timestamp().as_second())
}

pub fn run(session: &Session<'_>, query: &str, as_json: bool, terminal: &mut dyn Terminal) -> anyhow::Result<Exit> {
    let query = Query::parse(query)?;
    session.archive.documents(|view, number, document| {
        if query.fits(&document.metadata) {
            show(view, number, document, as_json, terminal)?;
        }
        anyhow::Ok(true)
    })?;
    Ok(Exit::Fine)
}

fn show(
    view: &View,
    number: Number,
    document: &Document,
    as_json: bool,
    terminal: &mut dyn Terminal,
) -> anyhow::Result<()> {
    let metadata = &document.metadata;
    let defects = || metadata.defects.iter().filter_map(|code| Defect::from_code(*code));
    if as_json {
        let mut occurrences = Vec::new();
        for seen in view.occurrences(number)? {
            let folder = view.folder(seen.folder)?.unwrap_or_default().folder;
            occurrences.push(json!({
                "definition": folder.definition,
                "mailbox": folder.mailbox_name,
                "folder": folder.name,
                "remote": RemoteId(seen.remote).to_string(),
                "received": seen.received.map(clock::rfc3339),
                "flags": seen.flags,
                "seen": clock::rfc3339(seen.seen),
            }));
        }
        let attachments: Vec<_> = metadata
            .attachments
            .iter()
            .map(|part| json!({ "name": part.name, "media_type": part.media_type }))
            .collect();
        let variants: Vec<String> = view.variants(number)?.iter().map(ToString::to_string).collect();
        let object = json!({
            "variants": variants,
            "number": number,
            "kind": "mail",
            "title": metadata.title,
            "date": metadata.date.map(clock::rfc3339),
            "from": metadata.from,
            "to": metadata.to,
            "cc": metadata.cc,
            "message_id": metadata.message_id,
            "sha256": document.sha256.to_string(),
            "size": document.size,
            "archived": clock::rfc3339(metadata.archived),
            "owner": metadata.owner,
            "fields": metadata.fields,
            "attachments": attachments,
            "defects": defects().map(Defect::name).collect::<Vec<_>>(),
            "occurrences": occurrences,
        });
        terminal.line(&object.to_string())?;
        return Ok(());
    }
    let date = metadata.date.map_or_else(|| "no date".to_string(), clock::short);
    terminal.line(&format!("{number:>7}  {date:<16}  {:<40}  {}", cut(&metadata.from, 40), metadata.title))?;
    for defect in defects() {
        terminal.line(&format!("         ! {}", defect.sentence(Lang::from_env())))?;
    }
    Ok(())
}

fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.into();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_mean_what_they_say() {
        let mail = Metadata {
            title: "Letzte Offerte für Zürich".into(),
            from: "Anna Meier <anna@example.ch>".into(),
            to: "chef@example.ch".into(),
            cc: "buero@example.ch".into(),
            date: Some(1_700_000_000), // 2023-11-14 22:13 UTC
            ..Metadata::default()
        };
        let cases = [
            ("", true),
            ("OFFERTE zürich", true),
            ("offerte basel", false),
            ("\"letzte offerte\"", true),
            ("\"offerte letzte\"", false),
            ("from:meier to:chef", true),
            ("to:buero", true),
            ("from:chef", false),
            ("subject:\"letzte offerte\"", true),
            ("before:2023-11-15", true),
            ("before:2023-11-14", false),
            ("after:2023-11-13", true),
            ("after:2023-11-14", false),
            ("anna@example.ch", true),
        ];
        for (query, fits) in cases {
            assert_eq!(Query::parse(query).unwrap().fits(&mail), fits, "{query}");
        }
        assert!(Query::parse("before:gestern").is_err());
        assert!(Query::parse("from:").is_err());
    }
}
