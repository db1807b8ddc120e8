//! Retention and holds: for how long documents are kept, what is kept longer, what is to go earlier, and what went.
//!
//! - `rules`: terms as a form; `due`: what ends when; `holds`; `documents`: those that are blocked, asked to be erased, or gone

pub(in super::super) mod documents;
mod due;
pub(in super::super) mod holds;
pub(in super::super) mod rules;

use maud::{Markup, html};

use super::super::Context;
use super::super::error::Result;
use super::super::layout::{self, check};
use super::super::response::Response;
use super::{Part, page as admin_page, show as showing};
use crate::clock;
use crate::retention::schedule;
use crate::settings::retention::{self, Retention};
use crate::settings::retention_passes::{self as passes, Doubt, Pass, Waits};

pub use documents::list as list_documents;
pub use due::show as show_due;
pub use holds::{lift, list as list_holds, set};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tab {
    Terms,
    Due,
    Holds,
    Documents,
}

fn page(context: &Context<'_>, tab: Tab, body: &Markup) -> Response {
    let t = &context.t.retention;
    let entry = |of: Tab, path: &str, text: &str| {
        html! { a href=(path) aria-current=[(of == tab).then_some("page")] { (text) } }
    };
    let whole = html! {
        h1 { (t.title) }
        nav.tabs aria-label=(t.title) {
            (entry(Tab::Terms, "/admin/retention", t.tab_terms))
            (entry(Tab::Due, "/admin/retention/due", t.tab_due))
            (entry(Tab::Holds, "/admin/retention/holds", t.tab_holds))
            (entry(Tab::Documents, "/admin/retention/documents", t.tab_documents))
        }
        (body)
    };
    admin_page(context, Part::Retention, t.title, &whole)
}

/// What a pass waits for, as a sentence.
pub fn waits(context: &Context<'_>, waits: &Waits) -> String {
    let t = &context.t.retention;
    let due = showing::number(context.lang, waits.due);
    match waits.why {
        Doubt::Many => (t.many)(&due),
        Doubt::Clock => (t.jump)(&due),
    }
}

/// The pass that waits for a person, as long as anything may end at all.
pub fn waiting(context: &Context<'_>) -> Result<Option<(Pass, Waits)>> {
    let view = context.view()?;
    if !Retention::of(&view)?.deletes {
        return Ok(None);
    }
    let sure = passes::sure(&context.web.archive)?;
    let is_confirmed = |pass: &Pass| sure.as_ref().is_some_and(|sure| sure.until >= pass.time);
    let last = passes::last(&view)?.filter(|pass| !is_confirmed(pass));
    Ok(last.and_then(|pass| pass.waits.map(|waits| (pass, waits))))
}

/// Whether the pass of this time is confirmed now; it waits no longer, and goes on at once.
pub fn confirm(context: &Context<'_>, time: i64) -> Result<bool> {
    let _turn = retention::turn();
    let Some((pass, _)) = waiting(context)?.filter(|(pass, _)| pass.time == time) else { return Ok(false) };
    passes::confirm(&context.web.archive, &pass, &context.who())?;
    context.web.retention.ask();
    Ok(true)
}

/// When the next pass is, Unix seconds; `None`: there is none.
pub fn next(context: &Context<'_>, set: &Retention, last: Option<&Pass>) -> Option<i64> {
    let next = schedule::next(last.map(|last| last.time), &context.administration.zone());
    set.deletes.then(|| next.max(clock::now()))
}

/// How it stands, and what it waits for.
pub(super) fn state(context: &Context<'_>, set: &Retention, unsure: &str) -> Result<Markup> {
    let (t, lang) = (&context.t.retention, context.lang);
    let view = context.view()?;
    let last = passes::last(&view)?;
    let is_erasing = !view.erase_due(None, 1)?.is_empty();
    drop(view);
    let done = passes::passes(&context.web.archive)?;
    let number = |number| showing::number(lang, number);
    Ok(html! {
        @if let Some((pass, waits)) = waiting(context)? {
            form.card.definition method="post" action="/admin/retention/confirm" {
                (layout::token(context))
                div.note.bad role="alert" { p { (self::waits(context, &waits)) } }
                (super::fields::wrong(unsure))
                input type="hidden" name="time" value=(pass.time);
                (check("sure", t.confirm_sure, false, ""))
                button.danger { (t.confirm) }
            }
        }
        section.card {
            p { (if set.deletes { t.is_on } else { t.is_off }) }
            dl {
                @if let Some(next) = next(context, set, last.as_ref()) { dt { (t.next) } dd { (showing::time(next)) } }
                @if let Some(last) = &last {
                    dt { (t.last) }
                    dd { (showing::time(last.time)) ": " ((t.did)(&number(last.looked), &number(last.ended), &number(last.held)))
                        @if last.is_cut { ". " (t.was_cut) } }
                }
            }
            @if is_erasing { p.soft { (t.erasing) } }
            @if !done.is_empty() {
                h2 { (t.passes) }
                div.scroll role="region" tabindex="0" aria-label=(t.passes) { table {
                    thead { tr {
                        th scope="col" { (context.t.dms.time) } th.number scope="col" { (t.ended_count) }
                        th.number scope="col" { (t.freed) }
                    } }
                    tbody { @for pass in &done { tr {
                        td { (showing::time(pass.time)) } td.number { (number(pass.ended)) }
                        td.number { (showing::size(lang, pass.freed)) }
                    } } }
                } }
            }
        }
    })
}

pub fn show(context: &Context<'_>) -> Result<Response> {
    rules::show(context)
}

pub fn send(context: &Context<'_>) -> Result<Response> {
    rules::send(context)
}

/// Confirms what a pass waits for.
pub fn sure(context: &Context<'_>) -> Result<Response> {
    let form = context.form()?;
    let t = &context.t.retention;
    if !form.is_on("sure") {
        return rules::show_unsure(context, t.unsure);
    }
    let is_done = confirm(context, form.text("time").parse().unwrap_or_default())?;
    context.notice(if is_done { t.confirmed } else { t.confirm_stale });
    Ok(Response::redirect("/admin/retention"))
}
