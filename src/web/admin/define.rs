//! Felder definieren / Define fields.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::super::Context;
use super::super::error::{Result, WebError};
use super::super::layout::{self, check, select};
use super::super::request::{Form, encode};
use super::super::response::Response;
use super::fields::{area, line, list as names_of, listed, wrong};
use super::{Part, page};
use crate::limits::DOCUMENT_FIELDS;
use crate::settings::administration::{Administration, Field};
use crate::settings::definition::FieldMap;
use crate::settings::document_fields::{DocumentField, DocumentFields, Fault, Kind, Who};
use crate::settings::users;
use crate::settings::{self};

const KINDS: [(Kind, &str); 5] = [
    (Kind::Text, "text"),
    (Kind::Number, "number"),
    (Kind::Date, "date"),
    (Kind::YesNo, "yes_no"),
    (Kind::Selection, "selection"),
];

/// What is wrong with which field of the form.
#[derive(Default)]
pub struct Faults {
    name: String,
    values: String,
    seen: String,
    changed: String,
    kind: String,
}

impl Faults {
    /// Those that there are, by field of the form.
    pub fn named(&self) -> Vec<(&'static str, &str)> {
        let all = [
            ("name", &self.name),
            ("values", &self.values),
            ("seen_names", &self.seen),
            ("changed_names", &self.changed),
            ("kind", &self.kind),
        ];
        all.into_iter().map(|(key, fault)| (key, fault.as_str())).filter(|(_, fault)| !fault.is_empty()).collect()
    }

    pub fn is_none(&self) -> bool {
        self.named().is_empty()
    }
}

/// Names of fields that nobody defined, and that documents have or definitions of mail archiving fill.
pub fn undefined(context: &Context<'_>) -> Result<Vec<String>> {
    let mut names: BTreeSet<String> = context.view()?.field_names(DOCUMENT_FIELDS)?.into_iter().collect();
    for definition in settings::definitions(&context.web.archive)?.into_iter().flatten() {
        let map = definition.fields;
        names.extend([map.from, map.cc, map.to, map.subject].into_iter().flatten());
    }
    names.retain(|name| context.fields.get(name).is_none());
    Ok(names.into_iter().collect())
}

fn kind_name(context: &Context<'_>, kind: Kind) -> &'static str {
    let t = &context.t.fields;
    match kind {
        Kind::Text => t.kind_text,
        Kind::Number => t.kind_number,
        Kind::Date => t.kind_date,
        Kind::YesNo => t.kind_yes_no,
        Kind::Selection => t.kind_selection,
    }
}

fn right_name(context: &Context<'_>, who: &Who) -> String {
    let t = &context.t.fields;
    match who {
        Who::Everybody => t.right_everybody.into(),
        Who::Administrators => t.right_administrators.into(),
        Who::Users(names) => names.join(", "),
    }
}

fn path(name: &str) -> String {
    format!("/admin/fields/{}", encode(name))
}

pub fn list(context: &Context<'_>) -> Result<Response> {
    let mut form = Form::default();
    form.push("name", context.request.query.text("name"));
    form.push("kind", "text");
    list_with(context, &form, &Faults::default())
}

fn list_with(context: &Context<'_>, form: &Form, faults: &Faults) -> Result<Response> {
    let t = &context.t.fields;
    let (shown, hidden): (Vec<_>, Vec<_>) = context.fields.0.iter().partition(|field| !field.is_hidden);
    let others = undefined(context)?;
    let body = html! {
        p { a href="/admin/archive" { "← " (context.t.managing.title) } }
        h1 { (t.define) }
        p { (t.define_help) }
        @if shown.is_empty() { p.soft { (t.define_none) } } @else {
            div.card.scroll role="region" tabindex="0" aria-label=(t.define) { table {
                thead { tr {
                    th { (t.name) } th { (t.kind) } th { (t.seen_by) } th { (t.changed_by) } th { (t.is_column) } th { (t.order) }
                } }
                tbody { @for (place, field) in shown.iter().enumerate() { tr {
                    td { a href=(path(&field.name)) { (field.name) } }
                    td { (kind_name(context, field.kind)) }
                    td { (right_name(context, &field.seen_by)) }
                    td { (right_name(context, &field.changed_by)) }
                    td { @if field.is_column { "✓" span.hidden-text { (t.is_column) } } @else { "–" } }
                    td { form.row method="post" action={ (path(&field.name)) "/move" } {
                        (layout::token(context))
                        button name="up" value="1" disabled[place == 0] aria-label={ (t.up) ": " (field.name) } { "↑" }
                        button name="down" value="1" disabled[place + 1 == shown.len()] aria-label={ (t.down) ": " (field.name) } { "↓" }
                    } }
                } } }
            } }
        }
        @if !others.is_empty() {
            section.card {
                h2 { (t.others) }
                p { (t.others_help) }
                ul { @for name in &others { li { a href=(format!("/admin/fields?name={}#new", encode(name))) { (name) } } } }
            }
        }
        @if !hidden.is_empty() {
            section.card {
                h2 { (t.hidden) }
                ul.plain { @for field in &hidden { li {
                    form.row method="post" action={ (path(&field.name)) "/hidden" } {
                        (layout::token(context))
                        span { (field.name) " (" (kind_name(context, field.kind)) ")" }
                        button name="back" value="1" aria-label={ (t.bring_back) ": " (field.name) } { (t.bring_back) }
                    }
                } } }
            }
        }
        form.card.definition #new method="post" action="/admin/fields" {
            (layout::token(context))
            h2 { (t.define_new) }
            (line("name", t.name, form.text("name"), t.name_help, &faults.name))
            (rest(context, form, faults))
            button.first { (t.define_add) }
        }
    };
    Ok(page(context, Part::Archive, t.define, &body))
}

/// What can be changed of a field.
fn rest(context: &Context<'_>, form: &Form, faults: &Faults) -> Markup {
    let t = &context.t.fields;
    let kinds: Vec<(&str, &str)> = KINDS.iter().map(|(kind, code)| (*code, kind_name(context, *kind))).collect();
    let rights =
        [("everybody", t.right_everybody), ("administrators", t.right_administrators), ("users", t.right_users)];
    html! {
        (select("kind", t.kind, form.text("kind"), &kinds, t.kind_help))
        (wrong(&faults.kind))
        (area("values", t.values, form.get("values").unwrap_or_default(), t.values_help, &faults.values))
        (select("seen_by", t.seen_by, form.text("seen_by"), &rights, ""))
        (line("seen_names", t.right_names_seen, form.text("seen_names"), t.right_names_help, &faults.seen))
        (select("changed_by", t.changed_by, form.text("changed_by"), &rights, ""))
        (line("changed_names", t.right_names_changed, form.text("changed_names"), "", &faults.changed))
        (check("is_column", t.is_column, form.is_on("is_column"), t.is_column_help))
    }
}

/// A right as the form has it.
fn who(context: &Context<'_>, form: &Form, right: &str, names: &str, fault: &mut String) -> Result<Who> {
    let t = &context.t.fields;
    match form.text(right) {
        "administrators" => return Ok(Who::Administrators),
        "users" => {}
        _ => return Ok(Who::Everybody),
    }
    let Some(given) = names_of(form.text(names)) else {
        *fault = t.fault_list.into();
        return Ok(Who::Users(Vec::new()));
    };
    if given.is_empty() {
        *fault = t.fault_nobody.into();
    }
    let mut users = Vec::new();
    for name in given {
        match users::user(&context.web.archive, &name)? {
            Some(user) => users.push(user.name),
            None => *fault = (t.fault_no_user)(&name),
        }
    }
    Ok(Who::Users(users))
}

/// The field that a form describes, under this name.
fn described(context: &Context<'_>, form: &Form, name: String, faults: &mut Faults) -> Result<DocumentField> {
    let mut values: Vec<String> = Vec::new();
    for value in form.text("values").lines().map(str::trim).filter(|value| !value.is_empty()) {
        if !values.iter().any(|other| other == value) {
            values.push(value.chars().map(|c| if c.is_control() { ' ' } else { c }).collect());
        }
    }
    Ok(DocumentField {
        name,
        kind: KINDS.iter().find(|(_, code)| *code == form.text("kind")).map_or(Kind::Text, |(kind, _)| *kind),
        values,
        seen_by: who(context, form, "seen_by", "seen_names", &mut faults.seen)?,
        changed_by: who(context, form, "changed_by", "changed_names", &mut faults.changed)?,
        is_column: form.is_on("is_column"),
        is_hidden: false,
    })
}

fn note(context: &Context<'_>, fault: Option<Fault>, faults: &mut Faults) {
    let t = &context.t.fields;
    match fault {
        None => {}
        Some(Fault::NoName) => faults.name = t.fault_no_name.into(),
        Some(Fault::Character) => faults.name = t.fault_character.into(),
        Some(Fault::BuiltIn) => faults.name = t.fault_built_in.into(),
        Some(Fault::Taken) => faults.name = t.fault_taken.into(),
        Some(Fault::TooManyFields) => faults.name = t.fault_too_many_fields.into(),
        Some(Fault::NoValues) => faults.values = t.fault_no_values.into(),
        Some(Fault::TooManyValues) => faults.values = t.fault_too_many_values.into(),
    }
}

pub fn add(context: &Context<'_>) -> Result<Response> {
    let form = context.form()?;
    let faults = take_new(context, &form)?;
    if !faults.is_none() {
        return Ok(list_with(context, &form, &faults)?.status(400));
    }
    context.notice(context.t.page.saved);
    Ok(Response::redirect("/admin/fields"))
}

/// Keeps a new field, unless something is wrong with it. In the turn of people, as all that changes fields: a field says who
/// sees it, and who is removed is taken out of it.
pub fn take_new(context: &Context<'_>, form: &Form) -> Result<Faults> {
    let _turn = context.web.people();
    let mut all = DocumentFields::read(&context.web.archive)?;
    let mut faults = Faults::default();
    let field = described(context, form, form.text("name").to_owned(), &mut faults)?;
    // A name that documents have already keeps its meaning, whatever it is.
    let is_known = undefined(context)?.contains(&field.name);
    let fault = all.fault(&field, true).filter(|fault| !(is_known && *fault == Fault::BuiltIn));
    note(context, fault, &mut faults);
    if faults.is_none() {
        all.0.push(field);
        all.write(&context.web.archive, &context.who())?;
    }
    Ok(faults)
}

/// The field that the path names.
fn field(context: &Context<'_>) -> Result<DocumentField> {
    let all = DocumentFields::read(&context.web.archive)?;
    all.get(&context.parameters[0]).filter(|field| !field.is_hidden).cloned().ok_or(WebError::NotFound)
}

pub fn show(context: &Context<'_>) -> Result<Response> {
    let field = field(context)?;
    Ok(show_with(context, &field.name, &entered(&field), &Faults::default(), ""))
}

/// A field as its form has it.
pub fn entered(field: &DocumentField) -> Form {
    let mut form = Form::default();
    form.push("kind", KINDS.iter().find(|(kind, _)| *kind == field.kind).map_or("", |(_, code)| code));
    form.push("values", &field.values.join("\n"));
    for (who, right, names) in
        [(&field.seen_by, "seen_by", "seen_names"), (&field.changed_by, "changed_by", "changed_names")]
    {
        match who {
            Who::Everybody => form.push(right, "everybody"),
            Who::Administrators => form.push(right, "administrators"),
            Who::Users(users) => {
                form.push(right, "users");
                form.push(names, &listed(users));
            }
        }
    }
    form.push("is_column", if field.is_column { "1" } else { "" });
    form
}

fn show_with(context: &Context<'_>, name: &str, form: &Form, faults: &Faults, in_use: &str) -> Response {
    let t = &context.t.fields;
    let body = html! {
        p { a href="/admin/fields" { "← " (t.define) } }
        h1 { (name) }
        form.card.definition method="post" action=(path(name)) {
            (layout::token(context))
            (rest(context, form, faults))
            button.first { (context.t.page.save) }
        }
        form.card method="post" action={ (path(name)) "/hidden" } data-ask=((t.take_away_ask)(name)) {
            (layout::token(context))
            p { (t.take_away_help) }
            (wrong(in_use))
            button.danger { (t.take_away) }
        }
    };
    page(context, Part::Archive, name, &body)
}

pub fn change(context: &Context<'_>) -> Result<Response> {
    let form = context.form()?;
    let faults = take_change(context, false, |_| form.clone())?;
    if !faults.is_none() {
        return Ok(show_with(context, &field(context)?.name, &form, &faults, "").status(400));
    }
    context.notice(context.t.page.saved);
    Ok(Response::redirect("/admin/fields"))
}

/// Changes the field that the path names to what `asked` makes of it, unless something is wrong with it; a hidden one only
/// where it is to be brought back by that.
pub fn take_change(context: &Context<'_>, back: bool, asked: impl FnOnce(&DocumentField) -> Form) -> Result<Faults> {
    let _turn = context.web.people();
    let mut all = DocumentFields::read(&context.web.archive)?;
    let before = all.get(&context.parameters[0]).filter(|field| back || !field.is_hidden).cloned();
    let before = before.ok_or(WebError::NotFound)?;
    let mut faults = Faults::default();
    let field = described(context, &asked(&before), before.name.clone(), &mut faults)?;
    note(context, all.fault(&field, false), &mut faults);
    if field.kind != Kind::Text && before.kind == Kind::Text && holds_names(context, &field.name)? {
        faults.kind = context.t.fields.kind_in_use.into();
    }
    if faults.is_none()
        && let Some(old) = all.get_mut(&field.name)
        && *old != field
    {
        *old = field;
        all.write(&context.web.archive, &context.who())?;
    }
    Ok(faults)
}

/// Whether Archive administration puts file names into this field.
fn holds_names(context: &Context<'_>, name: &str) -> Result<bool> {
    let file_name = Administration::read(&context.web.archive)?.file_name;
    Ok(matches!(file_name, Some(Field::Other(field)) if field == name))
}

/// Whether Archive administration or a definition of mail archiving names this field.
fn is_in_use(context: &Context<'_>, name: &str) -> Result<bool> {
    let is_filled =
        |map: &FieldMap| [&map.from, &map.cc, &map.to, &map.subject].into_iter().flatten().any(|field| field == name);
    let mut definitions = settings::definitions(&context.web.archive)?.into_iter().flatten();
    Ok(Administration::read(&context.web.archive)?.names(name) || definitions.any(|other| is_filled(&other.fields)))
}

pub fn shift(context: &Context<'_>) -> Result<Response> {
    shift_by(context, context.form()?.is_on("up"))?;
    Ok(Response::redirect("/admin/fields"))
}

/// Moves the field that the path names one place up or down.
pub fn shift_by(context: &Context<'_>, up: bool) -> Result<()> {
    let _turn = context.web.people();
    let field = field(context)?;
    let mut all = DocumentFields::read(&context.web.archive)?;
    let before = all.clone();
    all.shift(&field.name, up);
    if all != before {
        all.write(&context.web.archive, &context.who())?;
    }
    Ok(())
}

/// What became of a field that was to be hidden or shown.
pub enum Hiding {
    Shown,
    Hidden,
    /// No document had a value in it.
    Gone,
    /// Archive administration or a definition names it: it stays.
    InUse,
}

/// Takes a field away, or shows a hidden one again.
pub fn hide(context: &Context<'_>) -> Result<Response> {
    let t = &context.t.fields;
    match hide_or_show(context, context.form()?.is_on("back"))? {
        Hiding::Shown => context.notice(context.t.page.saved),
        Hiding::Hidden => context.notice(t.now_hidden),
        Hiding::Gone => context.notice(t.taken_away),
        Hiding::InUse => {
            let field = known(context)?;
            let form = entered(field);
            return Ok(show_with(context, &field.name, &form, &Faults::default(), t.in_use).status(400));
        }
    }
    Ok(Response::redirect("/admin/fields"))
}

/// The field that the path names, hidden or not.
pub fn known<'a>(context: &'a Context<'_>) -> Result<&'a DocumentField> {
    context.fields.get(&context.parameters[0]).ok_or(WebError::NotFound)
}

pub fn hide_or_show(context: &Context<'_>, back: bool) -> Result<Hiding> {
    let _turn = context.web.people();
    let mut all = DocumentFields::read(&context.web.archive)?;
    let name = context.parameters[0].as_str();
    let Some(place) = all.0.iter().position(|field| field.name == name) else { return Err(WebError::NotFound) };
    let done = if back {
        all.0[place].is_hidden = false;
        Hiding::Shown
    } else if is_in_use(context, name)? {
        return Ok(Hiding::InUse);
    } else if context.view()?.has_field(name)? {
        all.0[place].is_hidden = true;
        Hiding::Hidden
    } else {
        all.0.remove(place);
        Hiding::Gone
    };
    all.write(&context.web.archive, &context.who())?;
    Ok(done)
}
