//! From module Mail to module O365.

use maud::html;

use super::super::Context;
use super::super::error::{Result, WebError};
use super::super::layout;
use super::super::response::Response;
use super::{Part, page, path, sources};
use crate::settings::{self, Module};

/// Names of the definitions of each module, Mail first.
fn names(context: &Context<'_>) -> Result<[Vec<String>; 2]> {
    let mut names = [Vec::new(), Vec::new()];
    for definition in settings::definitions(&context.web.archive)?.into_iter().flatten() {
        let is_o365 = matches!(definition.module, Module::O365(_));
        // What has ended is not switched to; it may be taken up again before.
        if !(is_o365 && definition.ended) {
            names[usize::from(is_o365)].push(definition.name);
        }
    }
    Ok(names)
}

pub fn show(context: &Context<'_>) -> Result<Response> {
    let t = &context.t.admin;
    let [mail, o365] = names(context)?;
    let options =
        |names: &[String]| -> Vec<(String, String)> { names.iter().map(|name| (name.clone(), name.clone())).collect() };
    let select = |name: &str, label: &str, names: &[String]| {
        let options = options(names);
        let options: Vec<(&str, &str)> = options.iter().map(|(value, text)| (value.as_str(), text.as_str())).collect();
        layout::select(name, label, "", &options, "")
    };
    let body = html! {
        p { a href="/admin/sources" { "← " (t.sources) } }
        h1 { (t.switch) }
        p { (t.switch_intro) }
        ol { li { (t.switch_1) } li { (t.switch_2) } li { (t.switch_3) } }
        @if mail.is_empty() || o365.is_empty() {
            div.note.warn { p { (t.switch_needs) } }
            (sources::add_buttons(context))
        } @else {
            form.card method="post" action="/admin/switch" {
                (layout::token(context))
                (select("from", t.switch_from, &mail))
                (select("to", t.switch_to, &o365))
                p.row {
                    button.first { (t.switch) }
                    a.button href="/admin/sources" { (context.t.page.cancel) }
                }
            }
        }
    };
    Ok(page(context, Part::Sources, t.switch, &body))
}

pub fn send(context: &Context<'_>) -> Result<Response> {
    let form = context.form()?;
    let to = form.text("to");
    change(context, form.text("from"), to)?;
    context.notice(context.t.admin.switch_done);
    Ok(Response::redirect(&path(to)))
}

/// Switches from a definition of module Mail to one of module O365, and asks for a run of that.
pub fn change(context: &Context<'_>, from: &str, to: &str) -> Result<()> {
    let [mail, o365] = names(context)?;
    let chosen = |names: &[String], name: &str| names.iter().any(|other| other == name);
    if !chosen(&mail, from) || !chosen(&o365, to) {
        return Err(WebError::Wrong(context.t.admin.switch_needs.into()));
    }
    let archive = &context.web.archive;
    let turn = context.web.settings();
    settings::switch(archive, from, to, &context.who())?;
    drop(turn);
    context.web.fetcher.board.ask(to, false);
    Ok(())
}
