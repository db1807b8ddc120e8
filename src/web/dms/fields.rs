//! The Fields tab: what is known of a document, and what people may write beside it.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::super::Context;
use super::super::error::{Result, WebError};
use super::super::layout::{self, Field as Input};
use super::super::response::Response;
use super::access::{self, Shown};
use super::document::{Tab, page};
use super::state::State;
use super::view::note;
use super::{link, show};
use crate::archive::commit::{Event, Happening, Metadata, Number};
use crate::clock;
use crate::limits::{DOCUMENT_FIELDS, FIELD_CHARS, NOTE_CHARS};
use crate::settings::administration::{Administration, Field};

/// Further fields of a document: those that it has, and those that Archive administration names.
fn names(administration: &Administration, metadata: &Metadata) -> Vec<String> {
    let configured = [&administration.publishing, &administration.link_title].into_iter().flatten();
    let configured = configured.filter_map(|field| match field {
        Field::Other(name) => Some(name.clone()),
        _ => None,
    });
    let mut names: Vec<String> = metadata.fields.keys().cloned().chain(configured).collect();
    names.sort();
    names.dedup();
    names.truncate(DOCUMENT_FIELDS);
    names
}

/// What the journal calls the fields that every document has, whatever the language of who changes them.
const TITLE: &str = "title";
const NOTE: &str = "note";

/// The name of a field in the journal as its reader knows it.
pub fn called<'a>(context: &Context<'_>, name: &'a str) -> &'a str {
    match name {
        TITLE => context.t.dms.title,
        NOTE => context.t.dms.note,
        other => other,
    }
}

fn input(name: &str) -> String {
    format!("field:{name}")
}

pub fn show(context: &Context<'_>) -> Result<Response> {
    let shown = access::readable(context)?;
    access::note_opened(context, shown.number)?;
    let body = body(context, &shown);
    page(context, &shown, Tab::Fields, &body)
}

fn body(context: &Context<'_>, shown: &Shown) -> Markup {
    let t = &context.t.dms;
    let metadata = &shown.document.metadata;
    let may_change = access::may_change(context);
    let names = names(&context.administration, metadata);
    let publishing = match &context.administration.publishing {
        Some(Field::Other(name)) => name.as_str(),
        _ => "",
    };
    let value = |name: &str| metadata.fields.get(name).map(String::as_str).unwrap_or_default();
    let state = State::of(&context.request.query);
    html! {
        dl {
            @if metadata.is_mail() || !may_change { (row(t.title, &metadata.title)) }
            (row(t.date, &metadata.date.map(show::second).unwrap_or_default()))
            (row(t.from, &metadata.from))
            (row(t.to, &metadata.to))
            (row(t.cc, &metadata.cc))
            (row("MediaName", &metadata.media_name))
            (row(t.owner, &metadata.owner))
            @if !may_change { @for name in &names { (row(name, value(name))) } }
        }
        @if !metadata.note.is_empty() { h2 { (t.note) } (note(&metadata.note)) }
        @if may_change {
            form.stack method="post" action=(state.document(&format!("/documents/{}/fields", shown.number), &[])) {
                (layout::token(context))
                @if !metadata.is_mail() {
                    (Input { name: "title", label: t.title, value: &metadata.title, ..Input::default() })
                }
                @for name in &names {
                    (Input { name: &input(name), label: name, value: value(name),
                        help: if name == publishing { t.publishing_help } else { "" }, ..Input::default() })
                }
                div.field {
                    label for="note" { (t.note) }
                    textarea #note name="note" rows="5" maxlength=(NOTE_CHARS) aria-describedby="note-help" { "\n" (metadata.note) }
                    small #note-help { (t.note_help) }
                }
                button.first { (context.t.page.save) }
            }
        }
    }
}

fn row(name: &str, value: &str) -> Markup {
    html! { dt { (name) } dd { @if value.is_empty() { "–" } @else { (value) } } }
}

/// What a form changes.
#[derive(Clone, Debug, Default)]
struct Edits {
    title: Option<String>,
    note: Option<String>,
    fields: BTreeMap<String, String>,
}

pub fn change(context: &Context<'_>) -> Result<Response> {
    let form = context.form()?;
    let shown = access::readable(context)?;
    if !access::may_change(context) {
        return Err(WebError::Forbidden);
    }
    let metadata = &shown.document.metadata;
    let plain = |text: &str| one_line(text).chars().take(FIELD_CHARS).collect::<String>();
    let mut edits = Edits {
        title: form.get("title").filter(|_| !metadata.is_mail()).map(plain),
        note: form.get("note").map(note_text),
        fields: BTreeMap::new(),
    };
    for name in names(&context.administration, metadata) {
        if let Some(value) = form.get(&input(&name)) {
            edits.fields.insert(name.clone(), plain(value));
        }
    }
    apply(context, shown.number, edits)?;
    context.notice(context.t.page.saved);
    let state = State::of(&context.request.query);
    Ok(Response::redirect(&state.document(&format!("/documents/{}/fields", shown.number), &[])))
}

fn one_line(text: &str) -> String {
    text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Lines of a note end with LF, whatever a browser sends.
fn note_text(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let plain = text.trim_end().chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t'));
    plain.take(NOTE_CHARS).collect()
}

/// Publishes a document or takes it back, by its field for publishing.
pub fn publish(context: &Context<'_>, number: Number, is_published: bool) -> Result<()> {
    let Some(Field::Other(name)) = &context.administration.publishing else { return Err(WebError::NotFound) };
    let value = if is_published { show::day(clock::now()) } else { String::new() };
    apply(context, number, Edits { fields: BTreeMap::from([(name.clone(), value)]), ..Edits::default() })
}

/// Changes what differs, and notes by name what was changed.
fn apply(context: &Context<'_>, number: Number, edits: Edits) -> Result<()> {
    let (who, administration) = (context.who(), context.administration.clone());
    let change = move |metadata: &mut Metadata| {
        let was_published = link::is_published(&administration, metadata);
        let mut changed: Vec<String> = Vec::new();
        if let Some(new) = edits.title
            && new != metadata.title
        {
            metadata.title = new;
            changed.push(TITLE.into());
        }
        if let Some(new) = edits.note
            && new != metadata.note
        {
            metadata.note = new;
            changed.push(NOTE.into());
        }
        for (name, new) in edits.fields {
            let old = metadata.fields.get(&name).map(String::as_str).unwrap_or_default();
            if new == old {
                continue;
            }
            if new.is_empty() {
                metadata.fields.remove(&name);
            } else {
                metadata.fields.insert(name.clone(), new);
            }
            changed.push(name);
        }
        if changed.is_empty() {
            return Vec::new();
        }
        let mut happened = vec![Happening::FieldsChanged(number, changed)];
        match (was_published, link::is_published(&administration, metadata)) {
            (false, true) => happened.push(Happening::Published(number)),
            (true, false) => happened.push(Happening::Withdrawn(number)),
            _ => {}
        }
        let time = clock::now();
        happened.into_iter().map(|what| Event { time, who: who.clone(), what }).collect()
    };
    Ok(context.web.archive.change(number, Box::new(change))?)
}
