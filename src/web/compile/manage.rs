//! `/compilations/NAME`: one of them, for whoever manages it.

use maud::{Markup, html};

use super::super::Context;
use super::super::admin::fields::{area, line, wrong};
use super::super::error::Result;
use super::super::layout::{self, Section, Width};
use super::super::request::Form;
use super::super::response::Response;
use super::change::{self, Faults, Step, Wanted};
use super::entries::{self, Entry};
use super::list::{address, named, path, state, warning};
use super::{may_change, own, seen};
use crate::archive::commit::Number;
use crate::settings::compilations::Compilation;

pub fn show(context: &Context<'_>) -> Result<Response> {
    let one = seen(context, &context.parameters[0])?;
    show_with(context, &one, &form(&one), &Faults::default())
}

fn form(one: &Compilation) -> Form {
    let mut form = Form::default();
    form.push("title", &one.title);
    form.push("introduction", &one.introduction);
    form.push("name", &one.name);
    form.push("owner", &one.owner);
    form
}

fn show_with(context: &Context<'_>, one: &Compilation, form: &Form, faults: &Faults) -> Result<Response> {
    let t = &context.t.public;
    let entries = entries::known(context, one)?;
    let path = path(one);
    let changes = may_change(context, one);
    let administers = context.person()?.is_administrator();
    let address = address(context, one);
    let body = html! {
        p { a href="/compilations" { "← " (t.title) } }
        h1 { (one.title) " " (state(context, one)) }
        (warning(context))
        @if !faults.is_none() { (layout::trouble(context.t.page.wrong)) }
        section.card.link data-link=(format!("{}\n{address}", one.title)) data-view {
            label for="access-link" { (t.public_page) }
            textarea #access-link rows="2" readonly { (one.title) "\n" (address) }
            div.row {
                button type="button" hidden data-copy-link { (context.t.dms.copy_link) }
                span.soft role="status" data-said data-copied=(context.t.dms.copied) {}
                @if one.is_published && context.administration.is_public { a.button href=(format!("/c/{}", one.name)) { (t.public_page) } }
                @if changes {
                    form method="post" action={ (path) "/published" } {
                        (layout::token(context))
                        @if one.is_published { button { (t.withdraw) } }
                        @else { button.first name="published" value="1" { (t.publish) } }
                    }
                }
            }
        }
        section.card {
            h2 { (t.documents) }
            (documents_of(context, &path, &entries, changes))
            @if changes {
                form.stack method="post" action={ (path) "/documents" } {
                    (layout::token(context))
                    (line("numbers", t.add_numbers, form.text("numbers"), t.add_help, &faults.documents))
                    button name="do" value="add" { (t.add) }
                }
            } @else { (wrong(&faults.documents)) }
        }
        @if changes {
            form.card.definition method="post" action=(path) {
                (layout::token(context))
                h2 { (t.manage) }
                (line("title", t.name_of_list, form.text("title"), t.title_help, faults.title))
                (area("introduction", t.introduction, form.get("introduction").unwrap_or_default(), t.introduction_help, ""))
                @if administers {
                    (line("owner", t.made_by, form.text("owner"), t.owner_help, faults.owner))
                }
                (line("name", t.address, form.text("name"), &format!("{} {}", t.address_help, t.address_moves), faults.name))
                button.first { (context.t.page.save) }
            }
            form.card method="post" action={ (path) "/delete" } data-ask={ (t.delete) ": " (one.title) "?" } {
                (layout::token(context))
                p { (t.delete_help) }
                button.danger { (t.delete) }
            }
        } @else if !one.introduction.is_empty() {
            section.card { h2 { (t.introduction) } (super::super::dms::view::note(&one.introduction)) }
        }
    };
    let response = layout::page(context, Section::Compilations, Width::Usual, &one.title, &body);
    Ok(if faults.is_none() { response } else { response.status(400) })
}

fn documents_of(context: &Context<'_>, path: &str, entries: &[Entry], changes: bool) -> Markup {
    let t = &context.t.public;
    let of = |what: &str, entry: &Entry| format!("{what}: {} {}", entry.title, entry.number);
    html! {
        @if entries.is_empty() { p.soft { (t.documents_empty) } } @else {
            ol.compiled { @for (place, entry) in entries.iter().enumerate() {
                li {
                    div.row.spread {
                        span { (named(context, entry)) }
                        @if changes {
                            form.row method="post" action={ (path) "/documents" } {
                                (layout::token(context))
                                button name="up" value=(entry.number) disabled[place == 0] aria-label=(of(t.up, entry)) { "↑" }
                                button name="down" value=(entry.number) disabled[place + 1 == entries.len()]
                                    aria-label=(of(t.down, entry)) { "↓" }
                                button name="remove" value=(entry.number) aria-label=(of(t.remove, entry)) { (t.remove) }
                            }
                        }
                    }
                }
            } }
            @if entries.iter().any(|entry| !entry.is_public) { p.soft { (t.not_shown_help) } }
        }
    }
}

pub fn change(context: &Context<'_>) -> Result<Response> {
    let form = context.form()?;
    let old = own(context, &context.parameters[0])?;
    let wanted = Wanted {
        name: Some(form.text("name").to_owned()),
        title: Some(form.text("title").to_owned()),
        introduction: form.get("introduction").map(Into::into),
        owner: form.get("owner").map(|owner| owner.trim().to_owned()),
        ..Wanted::default()
    };
    answer(context, &old, &form, change::alter(context, &context.parameters[0], &wanted)?)
}

pub fn documents(context: &Context<'_>) -> Result<Response> {
    let entered = context.form()?;
    let old = own(context, &context.parameters[0])?;
    let number = |name: &str| entered.text(name).parse::<Number>().ok();
    let mut form = form(&old);
    form.push("numbers", entered.text("numbers"));
    let step = if let Some(number) = number("up") {
        Step::Up(number)
    } else if let Some(number) = number("down") {
        Step::Down(number)
    } else if let Some(number) = number("remove") {
        Step::Remove(number)
    } else {
        match change::numbers(entered.text("numbers")) {
            Ok(numbers) => Step::Add(numbers),
            Err(word) => {
                let documents = format!("{} {word}", context.t.public.unknown);
                return show_with(context, &old, &form, &Faults { documents, ..Faults::default() });
            }
        }
    };
    answer(context, &old, &form, change::step(context, &context.parameters[0], &step)?)
}

fn answer(
    context: &Context<'_>,
    old: &Compilation,
    form: &Form,
    done: std::result::Result<Compilation, Faults>,
) -> Result<Response> {
    match done {
        Ok(new) => {
            context.notice(context.t.page.saved);
            Ok(Response::redirect(&path(&new)))
        }
        Err(faults) => show_with(context, old, form, &faults),
    }
}

pub fn published(context: &Context<'_>) -> Result<Response> {
    let form = context.form()?;
    let old = own(context, &context.parameters[0])?;
    let is_published = form.is_on("published");
    let wanted = Wanted { is_published: Some(is_published), ..Wanted::default() };
    match change::alter(context, &context.parameters[0], &wanted)? {
        Ok(new) => {
            let t = &context.t.public;
            context.notice(if is_published { t.published_now } else { t.withdrawn_now });
            Ok(Response::redirect(&path(&new)))
        }
        Err(faults) => show_with(context, &old, &self::form(&old), &faults),
    }
}

pub fn delete(context: &Context<'_>) -> Result<Response> {
    context.form()?;
    change::remove(context, &context.parameters[0])?;
    context.notice(context.t.public.deleted);
    Ok(Response::redirect("/compilations"))
}
