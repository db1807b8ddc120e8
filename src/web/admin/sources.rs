//! Mail archiving: the list of definitions, and what is done to one with a button.

use maud::{Markup, html};

use super::super::Context;
use super::super::error::Result;
use super::super::layout;
use super::super::response::Response;
use super::state::State;
use super::{Part, assistant, definition, module_name, page, path, show};
use crate::archive::commit::Happening;
use crate::settings::{self, Definition};

/// The assistant, and a button for each module.
pub fn add_buttons(context: &Context<'_>) -> Markup {
    html! { p { (assistant::button(context)) } (by_hand(context)) }
}

/// A button for each module.
pub fn by_hand(context: &Context<'_>) -> Markup {
    let t = &context.t.admin;
    html! {
        p.row {
            a.button href="/admin/new/imap" { (t.add) ": " (t.module_imap) }
            a.button href="/admin/new/o365" { (t.add) ": " (t.module_o365) }
        }
    }
}

pub fn list(context: &Context<'_>) -> Result<Response> {
    let t = &context.t.admin;
    let view = context.view()?;
    let (mut rows, mut unreadable) = (Vec::new(), Vec::new());
    for definition in settings::definitions(&context.web.archive)? {
        match definition {
            Ok(definition) => rows.push((State::of(context, &view, &definition)?, definition)),
            Err(error) => unreadable.push(error.to_string()),
        }
    }
    let (ended, rows): (Vec<_>, Vec<_>) = rows.into_iter().partition(|(_, definition)| definition.ended);
    let body = html! {
        h1 { (t.sources) }
        p { (t.sources_intro) }
        @for why in &unreadable { div.note.bad { p { (t.unreadable) ": " (why) } } }
        section.card {
            @if rows.is_empty() { p { (if ended.is_empty() { t.sources_empty } else { context.t.rights.all_ended }) } } @else {
                div.scroll {
                    table {
                        thead { tr {
                            th scope="col" { (t.definition) } th scope="col" { (t.module) } th scope="col" { (t.state) }
                            th scope="col" { (t.last_run) } th scope="col" { (t.next_run) }
                            th.number scope="col" { (t.mailboxes) } th scope="col" { span.hidden-text { (t.actions) } }
                        } }
                        tbody {
                            @for (state, definition) in &rows {
                                tr {
                                    th scope="row" { a href=(path(&definition.name)) { (definition.name) } }
                                    td { (module_name(context, definition)) }
                                    td.said { (state.tag()) " " (state.sentence) }
                                    td { (state.last_run(context)) }
                                    td { (state.next_run(context)) }
                                    td.number { (show::number(context.lang, state.open.mailboxes)) }
                                    td {
                                        @if definition.is_fetched() { (run_button(context, &definition.name, false)) }
                                        @if state.is_untested { (test_link(context, &definition.name)) }
                                    }
                                }
                            }
                        }
                    }
                }
            }
            (add_buttons(context))
            p.row {
                a href="/admin/fetching" { (context.t.fetching.title) }
                @if !rows.is_empty() { a href="/admin/switch" { (t.switch) } }
            }
        }
        @if !ended.is_empty() { (super::ended::list(context, &ended)) }
    };
    Ok(page(context, Part::Sources, t.sources, &body))
}

/// To where a definition that was never begun is tested and begun.
pub fn test_link(context: &Context<'_>, name: &str) -> Markup {
    let text = context.t.admin.test_and_begin;
    html! { a.button href=(assistant::first_path(name)) aria-label={ (text) ": " (name) } { (text) } }
}

/// Asks for a run, with everything compared if `reconcile`.
pub fn run_button(context: &Context<'_>, name: &str, reconcile: bool) -> Markup {
    let t = &context.t.admin;
    let text = if reconcile { t.reconcile_now } else { t.run_now };
    html! {
        form method="post" action={ (path(name)) "/run" } {
            (layout::token(context))
            @if reconcile { input type="hidden" name="reconcile" value="1"; }
            button aria-label={ (text) ": " (name) } { (text) }
        }
    }
}

pub fn run(context: &Context<'_>) -> Result<Response> {
    let form = context.form()?;
    let definition = definition(context)?;
    let is_asked = ask_run(context, &definition, form.is_on("reconcile"))?;
    let t = &context.t.admin;
    context.notice(match (is_asked, definition.ended) {
        (true, _) => t.run_asked,
        (false, true) => context.t.rights.is_ended,
        (false, false) => t.is_inactive,
    });
    Ok(Response::redirect(&path(&definition.name)))
}

/// Asks for a run; `false` where the definition is inactive or has ended.
pub fn ask_run(context: &Context<'_>, definition: &Definition, reconcile: bool) -> Result<bool> {
    if !definition.is_fetched() {
        return Ok(false);
    }
    context.journal(Happening::RunAsked(definition.name.clone()))?;
    context.web.fetcher.board.ask(&definition.name, reconcile);
    Ok(true)
}

/// Switches between active and inactive.
pub fn inactive(context: &Context<'_>) -> Result<Response> {
    let form = context.form()?;
    let _turn = context.web.settings();
    let mut definition = definition(context)?;
    definition.inactive = form.is_on("inactive");
    settings::put(&context.web.archive, &definition, &context.who())?;
    context.notice(context.t.page.saved);
    Ok(Response::redirect(&path(&definition.name)))
}

pub fn ask_delete(context: &Context<'_>) -> Result<Response> {
    let (t, common) = (&context.t.admin, &context.t.page);
    let definition = definition(context)?;
    let body = html! {
        h1 { (t.delete) ": " (definition.name) }
        form.card method="post" action={ (path(&definition.name)) "/delete" } {
            (layout::token(context))
            p { (t.delete_help) }
            p.row {
                button.danger { (t.delete) }
                a.button href=(path(&definition.name)) { (common.cancel) }
            }
        }
    };
    Ok(page(context, Part::Sources, t.delete, &body))
}

pub fn delete(context: &Context<'_>) -> Result<Response> {
    context.form()?;
    let definition = definition(context)?;
    remove(context, &definition)?;
    context.notice(context.t.admin.deleted);
    Ok(Response::redirect("/admin/sources"))
}

/// Takes a definition away; what it archived stays.
pub fn remove(context: &Context<'_>, definition: &Definition) -> Result<()> {
    let _turn = context.web.settings();
    settings::remove(&context.web.archive, &definition.name, &context.who())?;
    context.web.tests.forget(&definition.name);
    context.web.sign_ins.forget(&definition.name);
    Ok(())
}
