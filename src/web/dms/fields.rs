//! The Fields tab: what is known of a document, and what people may write beside it.

use std::collections::BTreeMap;

use super::super::Context;
use super::super::error::{Result, WebError};
use super::super::response::Response;
use super::super::texts::Texts;
use super::access::{self, Shown};
use super::document::{Tab, page};
use super::entries::{self, Filled};
use super::link;
use super::show;
use super::state::State;
use super::versions;
use crate::archive::commit::{Event, Happening, Metadata, Number};
use crate::clock;
use crate::limits::{DOCUMENT_FIELDS, FIELD_CHARS, NOTE_CHARS};
use crate::settings::administration::Field;
use crate::settings::document_fields::Kind;
use crate::settings::field_value;

/// Further fields of a document that the person sees: the defined ones in their order, then those that nobody defined and that
/// the document has or Archive administration names.
pub fn names(context: &Context<'_>, metadata: &Metadata) -> Vec<String> {
    let administration = &context.administration;
    let configured = [&administration.publishing, &administration.link_title, &administration.version_key];
    let configured = configured.into_iter().flatten().filter_map(|field| match field {
        Field::Other(name) => Some(name.clone()),
        _ => None,
    });
    let mut others: Vec<String> = metadata.fields.keys().cloned().chain(configured).collect();
    others.retain(|name| context.fields.get(name).is_none());
    others.sort();
    others.dedup();
    let defined = context.fields.shown().map(|field| field.name.clone()).filter(|name| context.sees(name));
    let mut names: Vec<String> = defined.chain(others).collect();
    names.truncate(DOCUMENT_FIELDS);
    names
}

/// What the journal calls the fields that every document has, whatever the language of who changes them.
const TITLE: &str = "title";
const NOTE: &str = "note";

/// The name of a field in the journal as its reader knows it.
pub fn called<'a>(t: &'static Texts, name: &'a str) -> &'a str {
    match name {
        TITLE => t.dms.title,
        NOTE => t.dms.note,
        other => other,
    }
}

pub fn show(context: &Context<'_>) -> Result<Response> {
    let shown = access::readable(context)?;
    access::note_opened(context, shown.number)?;
    let body = entries::body(context, &shown, &Filled::default())?;
    page(context, &shown, Tab::Fields, &body)
}

/// What somebody wants to change; what is not named stays.
#[derive(Clone, Debug, Default)]
pub struct Edits {
    pub title: Option<String>,
    pub note: Option<String>,
    pub fields: BTreeMap<String, String>,
    /// A mail may be published by that.
    pub is_sure: bool,
}

/// Why nothing was changed.
#[derive(Clone, Debug, Default)]
pub struct Wrong {
    /// Of further fields, by their names.
    pub fields: BTreeMap<String, &'static str>,
    /// It would publish a mail, and nobody confirmed that.
    pub is_unsure: bool,
}

impl Wrong {
    pub fn is_none(&self) -> bool {
        self.fields.is_empty() && !self.is_unsure
    }
}

pub fn change(context: &Context<'_>) -> Result<Response> {
    let form = context.form()?;
    let shown = access::readable(context)?;
    if !access::may_change(context) {
        return Err(WebError::Forbidden);
    }
    let mut edits = Edits {
        title: entries::entered(&form, "title").map(Into::into),
        note: entries::entered(&form, "note").map(Into::into),
        fields: BTreeMap::new(),
        is_sure: form.is_on("publish_sure"),
    };
    for name in names(context, &shown.document.metadata).into_iter().filter(|name| context.changes(name)) {
        if let Some(entered) = entries::entered(&form, &entries::input(&name)) {
            let entered = entered.to_owned();
            edits.fields.insert(name, entered);
        }
    }
    let wrong = edit(context, &shown, edits.clone())?;
    if !wrong.is_none() {
        let filled = Filled { title: edits.title, note: edits.note, values: edits.fields, wrong };
        let body = entries::body(context, &shown, &filled)?;
        return Ok(page(context, &shown, Tab::Fields, &body)?.status(400));
    }
    context.notice(context.t.page.saved);
    let state = State::of(&context.request.query);
    Ok(Response::redirect(&state.document(&format!("/documents/{}/fields", shown.number), &[])))
}

/// Changes a document, or nothing of it where a further field cannot be changed as is wanted: the answer says of each such
/// field, in the language of the context, why not. The title of a mail stays, and so does a note that is not shown. A mail is
/// published only where that is confirmed.
pub fn edit(context: &Context<'_>, shown: &Shown, mut edits: Edits) -> Result<Wrong> {
    let t = &context.t.fields;
    let metadata = &shown.document.metadata;
    let plain = |text: &str| one_line(text).chars().take(FIELD_CHARS).collect::<String>();
    edits.title = edits.title.filter(|_| !metadata.is_mail()).as_deref().map(plain);
    edits.note = edits.note.filter(|_| context.administration.shows_note).as_deref().map(note_text);
    let names = names(context, metadata);
    let mut wrong = Wrong::default();
    for (name, entered) in std::mem::take(&mut edits.fields) {
        let entered = plain(&entered);
        if !names.contains(&name) {
            // Of one that it may not see the person learns nothing.
            wrong.fields.insert(name, t.value_of_none);
            continue;
        }
        if entered == metadata.fields.get(&name).map(String::as_str).unwrap_or_default() {
            // What is there already may be older than what is asked of it now.
            continue;
        }
        if !context.changes(&name) {
            wrong.fields.insert(name, t.value_of_others);
            continue;
        }
        let field = context.fields.get(&name);
        let (kind, values) = field.map_or((Kind::Text, &[][..]), |field| (field.kind, field.values.as_slice()));
        if let Some(value) = field_value::read(kind, values, &entered) {
            edits.fields.insert(name, value);
        } else {
            let sentence = match kind {
                Kind::Number => t.value_number,
                Kind::Date => t.value_date,
                Kind::Text | Kind::YesNo | Kind::Selection => t.value_selection,
            };
            wrong.fields.insert(name, sentence);
        }
    }
    wrong.is_unsure = !edits.is_sure && publishes_mail(context, metadata, &edits);
    if wrong.is_none() {
        let is_published = |metadata: &Metadata| link::is_published(&context.administration, metadata);
        let was_published = is_published(metadata);
        apply(context, shown.number, edits)?;
        let now = context.view()?.document(shown.number)?;
        if was_published && now.is_some_and(|document| !is_published(&document.metadata)) {
            withdraw_earlier(context, shown.number)?;
        }
    }
    Ok(wrong)
}

/// Whether the person could publish this mail by what it may change of it, and has to confirm that.
pub fn asks_to_publish(context: &Context<'_>, metadata: &Metadata) -> bool {
    let administration = &context.administration;
    metadata.is_mail()
        && administration.publishes_mails()
        && !link::is_published(administration, metadata)
        && access::may_publish(context)
}

fn publishes_mail(context: &Context<'_>, metadata: &Metadata, edits: &Edits) -> bool {
    let administration = &context.administration;
    let value = match &administration.publishing {
        Some(Field::Note) => edits.note.as_deref(),
        Some(Field::Other(name)) => edits.fields.get(name).map(String::as_str),
        _ => None,
    };
    metadata.is_mail()
        && !link::is_published(administration, metadata)
        && value.is_some_and(|value| !value.trim().is_empty())
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
    let today = show::day(clock::now());
    let field = context.fields.get(name);
    let value = match field.map(|field| field.kind).unwrap_or_default() {
        Kind::Text => today,
        Kind::Number => "1".into(),
        Kind::Date => field_value::read(Kind::Date, &[], &today).unwrap_or_default(),
        Kind::YesNo => field_value::YES.into(),
        Kind::Selection => field.and_then(|field| field.values.first().cloned()).unwrap_or(today),
    };
    let value = if is_published { value } else { String::new() };
    apply(context, number, Edits { fields: BTreeMap::from([(name.clone(), value)]), ..Edits::default() })?;
    if is_published { Ok(()) } else { withdraw_earlier(context, number) }
}

/// Takes back the earlier versions of a document that is no longer published: their links would go on opening them.
fn withdraw_earlier(context: &Context<'_>, number: Number) -> Result<()> {
    let emptied = match &context.administration.publishing {
        Some(Field::Note) => Edits { note: Some(String::new()), ..Edits::default() },
        Some(Field::Title) => Edits { title: Some(String::new()), ..Edits::default() },
        Some(Field::Other(name)) => {
            Edits { fields: BTreeMap::from([(name.clone(), String::new())]), ..Edits::default() }
        }
        // Nobody changes the others.
        _ => return Ok(()),
    };
    let view = context.view()?;
    let Some(document) = view.document(number)? else { return Ok(()) };
    let reads = context.reads(&view)?;
    let versions = versions::all(context, &view, &reads, number, &document.metadata)?;
    drop(view);
    for (_, other, document) in versions {
        if other < number && link::is_published(&context.administration, &document.metadata) {
            apply(context, other, emptied.clone())?;
        }
    }
    Ok(())
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
