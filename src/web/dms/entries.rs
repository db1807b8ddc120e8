//! The form of the Fields tab: each field with what may stand in it, for whom it may be changed by; as words for the others.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::super::Context;
use super::super::error::Result;
use super::super::layout::{self, Field as Input};
use super::super::request::Form;
use super::access::{self, Shown};
use super::fields::{Wrong, asks_to_publish, names};
use super::show;
use super::state::State;
use super::view::note;
use crate::archive::commit::Envelope;
use crate::hash::Sha256;
use crate::limits::{COMBOBOX_EACH, COMBOBOX_LOOKED, FIELD_CHARS, NOTE_CHARS};
use crate::settings::administration::Field;
use crate::settings::document_fields::Kind;
use crate::settings::field_value;

/// What somebody entered and has to correct.
#[derive(Default)]
pub struct Filled {
    pub title: Option<String>,
    pub note: Option<String>,
    /// By the names of fields.
    pub values: BTreeMap<String, String>,
    pub wrong: Wrong,
}

/// The name of a further field in the form.
pub fn input(name: &str) -> String {
    format!("field:{name}")
}

/// What stands beside an input called `name` and says what was shown in it.
fn was(name: &str, shown: &str) -> Markup {
    html! { input type="hidden" name=(format!("was:{name}")) value=(mark(shown)); }
}

/// A value in short: whether something was entered is told by it alone.
fn mark(value: &str) -> String {
    let value = value.replace("\r\n", "\n").replace('\r', "\n");
    Sha256::of(value.trim_end().as_bytes()).to_string().chars().take(32).collect()
}

/// What somebody entered in place of what was shown; `None` where that stands unchanged: it may have been changed by somebody
/// else since then, or be of a kind that its field no longer has.
pub fn entered<'a>(form: &'a Form, name: &'a str) -> Option<&'a str> {
    // Of a box to tick, which is sent behind an empty value, the last one counts.
    let value = form.all(name).last()?;
    (form.get(&format!("was:{name}")) != Some(mark(value).as_str())).then_some(value)
}

pub fn body(context: &Context<'_>, shown: &Shown, filled: &Filled) -> Result<Markup> {
    let t = &context.t.dms;
    let metadata = &shown.document.metadata;
    let may_change = access::may_change(context);
    let names = names(context, metadata);
    let value = |name: &str| metadata.fields.get(name).map(String::as_str).unwrap_or_default();
    let state = State::of(&context.request.query);
    let with_note = context.administration.shows_note;
    let columns = context.administration.field_columns;
    let mut entries = Vec::new();
    for (place, name) in names.iter().enumerate().filter(|(_, name)| context.changes(name)) {
        entries.push(entry(context, shown, filled, place, name)?);
    }
    Ok(html! {
        dl.(format!("columns-{columns}")) {
            @if metadata.is_mail() || !may_change { (row(t.title, &metadata.title)) }
            (row(t.date, &metadata.date.map(show::second).unwrap_or_default()))
            (row(t.from, &metadata.from))
            (row(t.to, &metadata.to))
            (row(t.cc, &metadata.cc))
            (row("MediaName", &metadata.media_name))
            (row(t.owner, &metadata.owner))
            @for name in names.iter().filter(|name| !context.changes(name)) {
                (row(name, &field_value::shown(context.fields.kind(name), value(name), context.lang)))
            }
        }
        @if let Some(envelope) = &metadata.envelope {
            h2 { (t.envelope) }
            p { small { (t.envelope_help) } }
            dl.(format!("columns-{columns}")) {
                @for (name, value) in of_envelope(context, envelope).into_iter().filter(|(_, value)| !value.is_empty()) {
                    (row(name, value))
                }
            }
        }
        @if with_note && !metadata.note.is_empty() { h2 { (t.note) } (note(&metadata.note)) }
        @if may_change {
            @if filled.wrong.is_unsure { (layout::trouble(context.t.public.mail_unsure)) }
            @else if !filled.wrong.is_none() { (layout::trouble(context.t.fields.value_wrong)) }
            form.stack method="post" action=(state.document(&format!("/documents/{}/fields", shown.number), &[])) {
                (layout::token(context))
                div.entries.(format!("columns-{columns}")) {
                    @if !metadata.is_mail() {
                        (was("title", &metadata.title))
                        (Input { name: "title", label: t.title, value: filled.title.as_deref().unwrap_or(&metadata.title),
                            ..Input::default() })
                    }
                    @for entry in &entries { (entry) }
                }
                @if with_note {
                    div.field {
                        (was("note", &metadata.note))
                        label for="note" { (t.note) }
                        textarea #note name="note" rows="5" maxlength=(NOTE_CHARS) aria-describedby="note-help" {
                            "\n" (filled.note.as_deref().unwrap_or(&metadata.note))
                        }
                        small #note-help { (t.note_help) }
                    }
                }
                @if asks_to_publish(context, metadata) {
                    (layout::check("publish_sure", context.t.public.mail_sure, false, context.t.public.mail_sure_help))
                }
                button.first { (context.t.page.save) }
            }
        }
    })
}

fn of_envelope<'a>(context: &Context<'a>, envelope: &'a Envelope) -> [(&'static str, &'a str); 6] {
    let t = &context.t.dms;
    [
        (t.envelope_sender, &envelope.sender),
        (t.envelope_on_behalf_of, &envelope.on_behalf_of),
        (t.to, &envelope.to),
        (t.cc, &envelope.cc),
        (t.envelope_bcc, &envelope.bcc),
        (t.envelope_recipients, &envelope.recipients),
    ]
}

fn row(name: &str, value: &str) -> Markup {
    html! { dt { (name) } dd { @if value.is_empty() { "–" } @else { (value) } } }
}

/// One further field to be changed.
fn entry(context: &Context<'_>, shown: &Shown, filled: &Filled, place: usize, name: &str) -> Result<Markup> {
    let t = &context.t.fields;
    let stored = shown.document.metadata.fields.get(name).map(String::as_str).unwrap_or_default();
    let value = filled.values.get(name).map_or(stored, String::as_str);
    let wrong = filled.wrong.fields.get(name).copied().unwrap_or_default();
    let kind = context.fields.kind(name);
    let is_publishing = context.administration.publishing == Some(Field::Other(name.to_owned()));
    let help = match kind {
        _ if is_publishing => context.t.dms.publishing_help,
        Kind::Number => t.number_help,
        _ => "",
    };
    let (id, field) = (format!("field-{place}"), input(name));
    let (described, offered) = (format!("{id}-help"), format!("{id}-offered"));
    let said = !(help.is_empty() && wrong.is_empty());
    let invalid = (!wrong.is_empty()).then_some("true");
    let described_by = said.then_some(&described);
    let mut offers: Vec<String> = Vec::new();
    if kind == Kind::Text
        && let Some(reads) = &shown.reads
    {
        // Only what stands in documents that the person reads.
        let most = context.administration.combobox as usize;
        offers = context.view()?.field_values(reads, name, most, COMBOBOX_LOOKED, COMBOBOX_EACH)?;
    }
    let values = context.fields.get(name).map(|field| field.values.as_slice()).unwrap_or_default();
    // A day can be entered with the browser's own means only where it is one.
    let is_day =
        kind == Kind::Date && (value.is_empty() || field_value::day(value).is_some_and(|day| day.to_string() == value));
    Ok(html! {
        div.field {
            (was(&field, if kind == Kind::YesNo && stored != field_value::YES { "" } else { stored }))
            @if kind == Kind::YesNo {
                // A box that is not ticked is not sent.
                input type="hidden" name=(field) value="";
                label.check {
                    input type="checkbox" id=(id) name=(field) value=(field_value::YES) checked[value == field_value::YES] aria-describedby=[described_by];
                    span { (name) }
                }
            } @else {
                label for=(id) { (name) }
                @if kind == Kind::Selection {
                    select id=(id) name=(field) aria-invalid=[invalid] aria-describedby=[described_by] {
                        option value="" { "–" }
                        @if !value.is_empty() && !values.iter().any(|other| other == value) { option value=(value) selected { (value) } }
                        @for one in values { option value=(one) selected[one == value] { (one) } }
                    }
                } @else {
                    input id=(id) name=(field) type=(if is_day { "date" } else { "text" }) value=(value) maxlength=(FIELD_CHARS)
                        inputmode=[(kind == Kind::Number).then_some("decimal")] list=[(!offers.is_empty()).then_some(&offered)]
                        aria-invalid=[invalid] aria-describedby=[described_by];
                    @if !offers.is_empty() { datalist id=(offered) { @for one in &offers { option value=(one) {} } } }
                }
            }
            @if said { small id=(described) { @if !wrong.is_empty() { span.wrong { (wrong) " " } } (help) } }
        }
    })
}
