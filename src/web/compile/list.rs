//! `/compilations`: those that somebody manages, and a new one.

use maud::{Markup, html};

use super::super::Context;
use super::super::admin::fields::{area, line, wrong};
use super::super::dms::link;
use super::super::error::Result;
use super::super::layout::{self, Section, Width};
use super::super::request::{Form, encode};
use super::super::response::Response;
use super::change::{self, Faults, Step, Wanted};
use super::entries::{self, Entry};
use super::{all, may_change, may_make};
use crate::archive::commit::Number;
use crate::settings::compilations::Compilation;

/// Its public page, as people pass it on.
pub fn address(context: &Context<'_>, compilation: &Compilation) -> String {
    format!("{}/c/{}", link::base(context), compilation.name)
}

/// Where it is managed.
pub fn path(compilation: &Compilation) -> String {
    format!("/compilations/{}", encode(&compilation.name))
}

/// Whether its page is there, as a tag.
pub fn state(context: &Context<'_>, compilation: &Compilation) -> Markup {
    let t = &context.t.public;
    html! {
        @if compilation.is_published { span.tag.good { (t.is_published) } } @else { span.tag { (t.is_withdrawn) } }
    }
}

/// That nobody sees the pages yet, where it is so.
pub fn warning(context: &Context<'_>) -> Markup {
    html! { @if !context.administration.is_public { div.note.warn { p { (context.t.public.not_public) } } } }
}

pub fn show(context: &Context<'_>) -> Result<Response> {
    list_with(context, &Form::default(), &Faults::default())
}

fn list_with(context: &Context<'_>, form: &Form, faults: &Faults) -> Result<Response> {
    let t = &context.t.public;
    let all = all(context)?;
    let rows: Vec<(Option<u64>, Compilation)> = entries::counts(context, &all)?.into_iter().zip(all).collect();
    let body = html! {
        h1 { (t.title) }
        p { (t.intro) }
        (warning(context))
        @if rows.is_empty() { p.empty { (t.none) } } @else {
            ul.plain { @for (count, one) in &rows {
                li.card.row.spread {
                    div {
                        strong { a href=(path(one)) { (one.title) } } " " (state(context, one))
                        p.soft { "/c/" (one.name) @if let Some(count) = count { " · " ((t.so_many)(*count)) } " · " (t.made_by) " " (one.owner) }
                    }
                    @if one.is_published && context.administration.is_public {
                        a.button href=(format!("/c/{}", one.name)) aria-label={ (t.public_page) ": " (one.title) } { (t.public_page) }
                    }
                }
            } }
        }
        @if may_make(context) { (new(context, form, faults, &[])) }
    };
    let response = layout::page(context, Section::Compilations, Width::Usual, t.title, &body);
    Ok(if faults.is_none() { response } else { response.status(400) })
}

/// The form of a new one.
fn new(context: &Context<'_>, form: &Form, faults: &Faults, chosen: &[Number]) -> Markup {
    let t = &context.t.public;
    html! {
        form.card.definition method="post" action="/compilations" {
            (layout::token(context))
            @for number in chosen { input type="hidden" name="number" value=(number); }
            h2 { (t.new) }
            (line("title", t.name_of_list, form.text("title"), t.title_help, faults.title))
            (area("introduction", t.introduction, form.get("introduction").unwrap_or_default(), t.introduction_help, ""))
            (line("name", t.address, form.text("name"), t.address_help, faults.name))
            (wrong(&faults.documents))
            button.first { (t.make) }
        }
    }
}

/// What becomes of the documents that somebody chose in the table.
pub fn from_selection(context: &Context<'_>, numbers: &[Number]) -> Result<Response> {
    selection_with(context, numbers, &Form::default(), &Faults::default())
}

fn selection_with(context: &Context<'_>, numbers: &[Number], form: &Form, faults: &Faults) -> Result<Response> {
    let t = &context.t.public;
    let chosen = entries::of(context, numbers)?;
    let mut own = all(context)?;
    own.retain(|one| may_change(context, one));
    let options: Vec<(&str, &str)> = own.iter().map(|one| (one.name.as_str(), one.title.as_str())).collect();
    let body = html! {
        p { a href="/" { "← " (context.t.dms.documents) } }
        h1 { (t.compile) }
        (warning(context))
        section.card {
            h2 { (t.chosen) }
            ul { @for entry in &chosen { li { (named(context, entry)) } } }
            @if chosen.iter().any(|entry| !entry.is_public) { p.soft { (t.not_shown_help) } }
        }
        @if !own.is_empty() {
            form.card method="post" action="/compilations" {
                (layout::token(context))
                @for number in numbers { input type="hidden" name="number" value=(number); }
                h2 { (t.existing) }
                (layout::select("into", t.compilation, form.text("into"), &options, ""))
                button { (t.add) }
            }
        }
        (new(context, form, faults, numbers))
    };
    let response = layout::page(context, Section::Compilations, Width::Usual, t.compile, &body);
    Ok(if faults.is_none() { response } else { response.status(400) })
}

/// Title and number of a document, and whether a visitor sees it.
pub fn named(context: &Context<'_>, entry: &Entry) -> Markup {
    html! {
        a href=(format!("/go/{}", entry.number)) {
            @if entry.title.is_empty() { (context.t.dms.no_title) } @else { (entry.title) }
        }
        " " span.soft { (context.t.dms.number) " " (entry.number) }
        @if !entry.is_public { " " span.tag.warn { (context.t.public.not_shown) } }
    }
}

pub fn add(context: &Context<'_>) -> Result<Response> {
    let form = context.form()?;
    let numbers: Vec<Number> = form.all("number").filter_map(|number| number.parse().ok()).collect();
    let refused = |faults: &Faults| {
        if numbers.is_empty() {
            list_with(context, &form, faults)
        } else {
            selection_with(context, &numbers, &form, faults)
        }
    };
    if !form.text("into").is_empty() {
        return match change::step(context, form.text("into"), &Step::Add(numbers.clone()))? {
            Ok(compilation) => Ok(Response::redirect(&path(&compilation))),
            Err(faults) => refused(&faults),
        };
    }
    let wanted = Wanted {
        name: Some(form.text("name").to_owned()),
        title: Some(form.text("title").to_owned()),
        introduction: form.get("introduction").map(Into::into),
        documents: Some(numbers.clone()),
        is_published: None,
        owner: None,
    };
    match change::make(context, &wanted)? {
        Ok(compilation) => {
            context.notice(context.t.page.saved);
            Ok(Response::redirect(&path(&compilation)))
        }
        Err(faults) => refused(&faults),
    }
}
