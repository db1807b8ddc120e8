//! `list [QUERY]`: the documents, one per line.

use std::collections::BTreeSet;

use anyhow::bail;
use jiff::tz::TimeZone;
use serde_json::json;

use super::terminal::Terminal;
use super::{Exit, Session};
use crate::archive::commit::Number;
use crate::archive::rows::Document;
use crate::archive::view::{Reads, View};
use crate::clock;
use crate::ingest::Defect;
use crate::language::Lang;
use crate::search::index::{self, Hit, Reading, Within};
use crate::search::query::{Asker, Put};
use crate::search::{IndexError, Places, Query, Searchable};
use crate::settings::document_fields::DocumentFields;
use crate::source::RemoteId;

/// What is looked for; a mistake is an error here.
pub fn query(text: &str, searchable: &Searchable) -> anyhow::Result<Query> {
    let query = Query::parse(text, &TimeZone::UTC, searchable);
    match query.hints().first() {
        Some(hint) => bail!("{}", hint.sentence(Lang::En)),
        None => Ok(query),
    }
}

pub fn run(session: &Session<'_>, query: &str, as_json: bool, terminal: &mut dyn Terminal) -> anyhow::Result<Exit> {
    let view = session.archive.view()?;
    let fields = DocumentFields::read(session.archive)?;
    let query = self::query(query, &Searchable::of(&fields, None, true))?;
    let places = Places::of(&view, &Reads::All)?;
    drop(view);
    if !query.asks_index() {
        let put = query.put(Asker { reads: &Reads::All, places: &places, fields: &BTreeSet::new() });
        session.archive.documents(|view, number, document| {
            if put.fits(view, &places, None, number, document)? {
                show(view, number, document, as_json, terminal)?;
            }
            anyhow::Ok(true)
        })?;
        return Ok(Exit::Fine);
    }
    session.index.settle(session.archive, session.pulse)?;
    let (reading, put, hits) = match hits(session, &query, &places) {
        Err(error) if error.is_damage() => {
            session.index.make_anew(session.archive, session.pulse)?;
            hits(session, &query, &places)?
        }
        found => found?,
    };
    let view = session.archive.view()?;
    let mut fit = Vec::new();
    for Hit { number, id } in hits {
        session.pulse.go_on()?;
        if let Some(document) = view.document(number)?
            && put.fits(&view, &places, Some((&reading, id)), number, &document)?
        {
            fit.push(number);
        }
    }
    fit.sort_unstable();
    for number in fit {
        session.pulse.go_on()?;
        if let Some(document) = view.document(number)? {
            show(&view, number, &document, as_json, terminal)?;
        }
    }
    session.index.done(reading);
    Ok(Exit::Fine)
}

/// What the index finds: all of it, by row.
fn hits<'a>(session: &Session<'_>, query: &'a Query, places: &Places) -> index::Result<(Reading, Put<'a>, Vec<Hit>)> {
    let reading = session.index.reading()?.ok_or_else(|| IndexError::Stopped("there is none".into()))?;
    reading.until(None);
    let put = query.put(Asker { reads: &Reads::All, places, fields: &reading.fields()? });
    let (since, before) = query.times();
    let within = Within { since, before, ..Within::default() };
    let mut hits = Vec::new();
    reading.hits(put.expression.as_deref().unwrap_or_default(), within, |hit| {
        hits.push(hit);
        index::Result::Ok(true)
    })?;
    Ok((reading, put, hits))
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
            "kind": if metadata.is_mail() { "mail" } else { "file" },
            "title": metadata.title,
            "date": metadata.date.map(clock::rfc3339),
            "from": metadata.from,
            "to": metadata.to,
            "cc": metadata.cc,
            "envelope": metadata.envelope,
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
