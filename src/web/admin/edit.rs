//! Adding and changing a definition.

use maud::html;

use super::super::Context;
use super::super::error::{Result, WebError};
use super::super::request::Form;
use super::super::response::Response;
use super::form::{Kind, Shown};
use super::{Part, Tab, definition, ended, entered, page, path, source_page, test};
use crate::settings::mistake::{Mistake, What};
use crate::settings::{self, Definition, SettingsError};

fn kind(context: &Context<'_>) -> Result<Kind> {
    Kind::named(&context.parameters[0]).ok_or(WebError::NotFound)
}

pub fn new(context: &Context<'_>) -> Result<Response> {
    let kind = kind(context)?;
    Ok(new_with(context, kind, &entered::new(kind), &[]))
}

fn new_with(context: &Context<'_>, kind: Kind, values: &Form, mistakes: &[Mistake]) -> Response {
    let t = &context.t.admin;
    let (module, code) = match kind {
        Kind::Imap => (t.module_imap, "imap"),
        Kind::O365 => (t.module_o365, "o365"),
    };
    let title = context.t.definition.new_title;
    let body = html! {
        p { a href="/admin/sources" { "← " (t.sources) } }
        h1 { (title) ": " (module) }
        (Shown { kind, values, mistakes, old: None }.markup(context, &format!("/admin/new/{code}")))
    };
    page(context, Part::Sources, title, &body)
}

pub fn add(context: &Context<'_>) -> Result<Response> {
    let form = context.form()?;
    let kind = kind(context)?;
    let _turn = context.web.settings();
    let (definition, mistakes) = read_new(context, &form, kind);
    if !mistakes.is_empty() {
        return Ok(new_with(context, kind, &form, &mistakes).status(400));
    }
    save(context, &form, definition)
}

/// The new definition that was entered, and what is wrong with it.
pub fn read_new(context: &Context<'_>, form: &Form, kind: Kind) -> (Definition, Vec<Mistake>) {
    let (definition, mut mistakes) = entered::read(form, kind, None);
    let known = settings::definition(&context.web.archive, &definition.name);
    if !matches!(known, Err(SettingsError::NoDefinition { .. })) {
        mistakes.push(Mistake::new("name", What::NameTaken).given(&definition.name));
    }
    mistakes.extend(ended::owner_mistake(context, &definition, None));
    (definition, mistakes)
}

pub fn show(context: &Context<'_>) -> Result<Response> {
    let old = definition(context)?;
    Ok(one(context, &old, &entered::form(&old), &[]))
}

fn one(context: &Context<'_>, old: &Definition, values: &Form, mistakes: &[Mistake]) -> Response {
    let shown = Shown { kind: Kind::of(old), values, mistakes, old: Some(old) };
    let body = shown.markup(context, &format!("{}/edit", path(&old.name)));
    source_page(context, old, Tab::Settings, &body)
}

pub fn change(context: &Context<'_>) -> Result<Response> {
    let mut form = context.form()?;
    let _turn = context.web.settings();
    let old = definition(context)?;
    let (definition, mut mistakes) = entered::read(&form, Kind::of(&old), Some(&old));
    mistakes.extend(ended::owner_mistake(context, &definition, Some(&old)));
    if !mistakes.is_empty() {
        form.push("name", &old.name);
        return Ok(one(context, &old, &form, &mistakes).status(400));
    }
    save(context, &form, definition)
}

fn save(context: &Context<'_>, form: &Form, definition: Definition) -> Result<Response> {
    settings::put(&context.web.archive, &definition, &context.who())?;
    context.notice(context.t.page.saved);
    let to = path(&definition.name);
    if form.text("then") != "test" {
        return Ok(Response::redirect(&to));
    }
    if !test::test(context, definition, false)? {
        context.notice(context.t.admin.test_busy);
    }
    Ok(Response::redirect(&format!("{to}/test")))
}
