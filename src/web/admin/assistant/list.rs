//! A pasted list of mailboxes: shown as a table with every mistake before anything is stored. The list waits in memory for a
//! yes, since no page may carry its passwords back.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use maud::{Markup, html};

use super::super::super::Context;
use super::super::super::error::Result;
use super::super::super::layout;
use super::super::super::response::Response;
use super::super::fields::area;
use super::super::form::Kind;
use super::super::{Part, entered, page, test};
use super::{all, check, first_path, free_name, taken};
use crate::archive::keys::random;
use crate::limits::{ACCOUNT_LIST, ACCOUNT_LIST_WAITS, ACCOUNT_LISTS};
use crate::settings::account_list::{Entry, Fault, List};
use crate::settings::mistake::Mistake;
use crate::settings::{self, Definition, Module};

/// A list that was checked and found good.
struct Waiting {
    id: String,
    /// Who pasted it, and alone may store it.
    who: String,
    since: Instant,
    list: List,
}

/// Lists that wait for a yes.
#[derive(Default)]
pub struct Lists(Mutex<VecDeque<Waiting>>);

impl Lists {
    fn all(&self) -> MutexGuard<'_, VecDeque<Waiting>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|waiting| waiting.since.elapsed() < ACCOUNT_LIST_WAITS);
        all
    }

    fn put(&self, list: List, who: String) -> std::io::Result<String> {
        let mut bytes = [0; 16];
        random(&mut bytes)?;
        let id = URL_SAFE_NO_PAD.encode(bytes);
        let mut all = self.all();
        while all.len() >= ACCOUNT_LISTS {
            all.pop_front();
        }
        all.push_back(Waiting { id: id.clone(), who, since: Instant::now(), list });
        Ok(id)
    }

    fn take(&self, id: &str, who: &str) -> Option<List> {
        let mut all = self.all();
        let place = all.iter().position(|waiting| waiting.id == id && waiting.who == who)?;
        all.remove(place).map(|waiting| waiting.list)
    }
}

#[expect(clippy::unnecessary_wraps, reason = "every page has this form")]
pub fn show(context: &Context<'_>) -> Result<Response> {
    Ok(shown(context, "", &html! {}))
}

fn shown(context: &Context<'_>, fault: &str, above: &Markup) -> Response {
    let t = &context.t.assistant;
    let body = html! {
        p { a href="/admin/assistant" { "← " (t.question) } }
        h1 { (t.list_title) }
        (above)
        form.card.guide method="post" action="/admin/assistant/list" autocomplete="off" {
            (layout::token(context))
            p { (t.list_intro) }
            pre.lines tabindex="0" { "anna@example.ch;Passwort\nbeat@example.ch;Passwort;imap.example.ch;993;TLS" }
            (area("list", t.list_field, "", "", fault))
            button.first { (t.list_check) }
        }
    };
    page(context, Part::Sources, t.list_title, &body)
}

pub fn send(context: &Context<'_>) -> Result<Response> {
    let form = context.form()?;
    if !form.text("stored").is_empty() {
        return store(context, form.text("stored"));
    }
    let t = &context.t.assistant;
    let mut list = List::read(form.get("list").unwrap_or_default());
    if list.entries.is_empty() {
        return Ok(shown(context, t.list_empty, &html! {}).status(400));
    }
    note_taken(context, &mut list)?;
    if list.is_good() {
        let rows = table(context, &list.entries);
        let said = (t.list_good)(list.entries.len());
        let id = context.web.lists.put(list, context.who())?;
        let above = html! {
            div.note.good role="status" { p { (said) } }
            form.card method="post" action="/admin/assistant/list" {
                (layout::token(context))
                input type="hidden" name="stored" value=(id);
                (rows)
                p.row.actions {
                    button.first { (t.list_store) }
                    a.button href="/admin/assistant/list" { (context.t.page.cancel) }
                }
            }
        };
        return Ok(shown(context, "", &above));
    }
    Ok(refused(context, &list))
}

/// Marks what another definition archives already.
fn note_taken(context: &Context<'_>, list: &mut List) -> Result<()> {
    let all = all(context)?;
    for entry in list.entries.iter_mut().filter(|entry| entry.faults.is_empty()) {
        let name = taken(&all, &entry.server, &entry.login, "");
        entry.faults.extend(name.map(|name| Fault::Taken(name.to_owned())));
    }
    Ok(())
}

fn refused(context: &Context<'_>, list: &List) -> Response {
    let t = &context.t.assistant;
    let bad = list.entries.iter().filter(|entry| !entry.faults.is_empty()).count();
    let above = html! {
        @if list.is_too_long { (layout::trouble(&(t.list_long)(ACCOUNT_LIST))) }
        @if bad > 0 { (layout::trouble(&(t.list_bad)(bad))) }
        section.card { (table(context, &list.entries)) }
    };
    shown(context, "", &above).status(400)
}

fn table(context: &Context<'_>, entries: &[Entry]) -> Markup {
    let (t, d) = (&context.t.assistant, &context.t.definition);
    html! {
        div.scroll tabindex="0" role="region" aria-label=(t.list_field) {
            table {
                thead { tr {
                    th.number scope="col" { (t.list_line) } th scope="col" { (t.address) } th scope="col" { (t.list_server) }
                    th.number scope="col" { (d.port) } th scope="col" { (d.encryption) }
                } }
                tbody {
                    @for entry in entries {
                        tr {
                            td.number { (entry.line) }
                            // The mistakes beside the address: on a phone the rest is out of sight.
                            td.said {
                                (entry.address) " "
                                @if entry.faults.is_empty() { span.tag.good { (t.list_fine) } }
                                @for fault in &entry.faults { p.wrong { (fault.sentence(context.lang)) } }
                            }
                            td { (entry.server) }
                            td.number { @if entry.port > 0 { (entry.port) } }
                            td { (check::encryption(entry.encryption).to_uppercase()) }
                        }
                    }
                }
            }
        }
    }
}

/// The definitions of a list, one for each server, inactive as yet; or the first mistake of one.
fn definitions(context: &Context<'_>, list: &List) -> Result<std::result::Result<Vec<Definition>, Mistake>> {
    let (usual, _) = entered::read(&entered::new(Kind::Imap), Kind::Imap, None);
    let mut all: Vec<Definition> = Vec::new();
    for imap in list.servers() {
        let name = free_name(context, &imap.server, &all)?;
        let definition = Definition { name, module: Module::Imap(imap), inactive: true, ..usual.clone() };
        if let Err(mistake) = definition.check() {
            return Ok(Err(mistake));
        }
        all.push(definition);
    }
    Ok(Ok(all))
}

/// Stores a list that waited, a definition for each server, if nothing is wrong with any. They are tested one after the other,
/// and each begins when its test has passed.
fn store(context: &Context<'_>, id: &str) -> Result<Response> {
    let t = &context.t.assistant;
    let Some(mut list) = context.web.lists.take(id, &context.who()) else {
        return Ok(shown(context, "", &layout::trouble(t.list_gone)).status(400));
    };
    let turn = context.web.settings();
    // Somebody may have set one of them up since the list was looked at.
    note_taken(context, &mut list)?;
    if !list.is_good() {
        return Ok(refused(context, &list));
    }
    let definitions = match definitions(context, &list)? {
        Ok(definitions) => definitions,
        Err(mistake) => {
            let said = format!("{} {}", mistake.given, mistake.sentence(context.lang));
            return Ok(shown(context, "", &layout::trouble(&said)).status(400));
        }
    };
    for definition in &definitions {
        settings::put(&context.web.archive, definition, &context.who())?;
    }
    drop(turn);
    let to = match definitions.as_slice() {
        [one] => first_path(&one.name),
        _ => "/admin/sources".to_owned(),
    };
    let (count, mut left) = (definitions.len(), Vec::new());
    for definition in definitions {
        let name = definition.name.clone();
        if !test::test(context, definition, true)? {
            left.push(name);
        }
    }
    let left = if left.is_empty() { String::new() } else { (t.list_left)(&left.join(", ")) };
    context.notice(format!("{} {left}", (t.list_stored)(count)).trim_end());
    Ok(Response::redirect(&to))
}
