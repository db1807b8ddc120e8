//! The setup assistant: from "where is your mail?" to the first archived mails, for somebody who does it for the first time.
//!
//! Rules of the room: nothing is stored that it could not also store by the pages beside it, and by the same functions. A
//! definition is stored inactive, tested, and becomes active by a test in which nothing failed.
//!
//! - `o365`: the steps in Entra, `other`: an address and a password, `list`: a pasted list, `sign_in`: by a code
//! - `check`: what is wrong with a value, also while it is typed, `first`: test and first run

pub(in super::super) mod check;
pub(super) mod first;
pub(in super::super) mod list;
pub(super) mod o365;
pub(super) mod other;
pub(super) mod sign_in;

use maud::{Markup, html};

use super::super::Context;
use super::super::error::Result;
use super::super::request::{Form, encode};
use super::super::response::Response;
use super::form::Kind;
use super::{Part, entered, page};
use crate::settings::mistake::Mistake;
use crate::settings::{self, Definition, Module, SettingsError};

/// Where mail is.
#[expect(clippy::unnecessary_wraps, reason = "every page has this form")]
pub fn start(context: &Context<'_>) -> Result<Response> {
    let t = &context.t.assistant;
    let way = |path: &str, title: &str, help: &str| {
        html! { li { a.card.way href=(path) { strong { (title) } span { (help) } } } }
    };
    let body = html! {
        p { a href="/admin/sources" { "← " (context.t.admin.sources) } }
        h1 { (t.question) }
        p { (t.question_help) }
        ul.plain.ways {
            (way("/admin/assistant/o365", t.o365, t.o365_help))
            (way("/admin/assistant/other", t.other, t.other_help))
            (way("/admin/assistant/list", t.list, t.list_help))
        }
        p.soft { (t.not_by_name) }
        details {
            summary { (t.by_hand) }
            (super::sources::by_hand(context))
        }
    };
    Ok(page(context, Part::Sources, t.question, &body))
}

/// A button to [`start`].
pub fn button(context: &Context<'_>) -> Markup {
    html! { a.button.first href="/admin/assistant" { (context.t.assistant.new_with) } }
}

/// Where the test and the first run of a definition are shown.
pub fn first_path(name: &str) -> String {
    format!("/admin/assistant/first/{}", encode(name))
}

/// The definition whose values are entered again, where the form or the address names one of this kind.
fn old(context: &Context<'_>, name: &str, kind: Kind) -> Result<Option<Definition>> {
    if name.is_empty() {
        return Ok(None);
    }
    match settings::definition(&context.web.archive, name) {
        Ok(definition) => Ok(Some(definition).filter(|definition| Kind::of(definition) == kind)),
        Err(SettingsError::NoDefinition { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The definition that a page of the assistant describes by the fields `keys`, the rest as it is or as usual; and its mistakes.
fn read(
    context: &Context<'_>,
    form: &Form,
    keys: &[&str],
    kind: Kind,
    old: Option<&Definition>,
) -> (Definition, Vec<Mistake>) {
    let mut whole = old.map_or_else(|| entered::new(kind), entered::form);
    for key in keys {
        whole.remove(key);
        for value in form.all(key) {
            whole.push(key, value);
        }
    }
    let (mut definition, mistakes) = match old {
        Some(old) => entered::read(&whole, kind, Some(old)),
        None => super::edit::read_new(context, &whole, kind),
    };
    definition.inactive = old.is_none_or(|old| old.inactive);
    (definition, mistakes)
}

/// All definitions that have not ended.
fn all(context: &Context<'_>) -> Result<Vec<Definition>> {
    let all = settings::definitions(&context.web.archive)?.into_iter().flatten();
    Ok(all.filter(|definition| !definition.ended).collect())
}

/// The definition among these, other than `except`, that archives this account of this server already.
fn taken<'a>(all: &'a [Definition], server: &str, account: &str, except: &str) -> Option<&'a str> {
    let is_it = |definition: &&Definition| match &definition.module {
        Module::Imap(imap) => {
            imap.server.eq_ignore_ascii_case(server)
                && imap.accounts.iter().any(|other| other.account.eq_ignore_ascii_case(account))
        }
        Module::O365(_) => false,
    };
    all.iter().filter(|definition| definition.name != except).find(is_it).map(|definition| definition.name.as_str())
}

/// A name that no definition has, and none of `others`.
fn free_name(context: &Context<'_>, wanted: &str, others: &[Definition]) -> Result<String> {
    let fits = |c: &char| c.is_alphanumeric() || " ._-@+".contains(*c);
    let wanted: String = wanted.chars().filter(fits).take(settings::definition::NAME_CHARS - 5).collect();
    let wanted = Some(wanted.trim()).filter(|name| name.contains(char::is_alphanumeric)).unwrap_or("Mail");
    let is_taken = |name: &str| match settings::definition(&context.web.archive, name) {
        Err(SettingsError::NoDefinition { .. }) => Ok(others.iter().any(|other| other.name == name)),
        Err(SettingsError::Archive(error)) => Err(error),
        _ => Ok(true),
    };
    let mut name = wanted.to_owned();
    let mut number = 2;
    while is_taken(&name)? {
        name = format!("{wanted} {number}");
        number += 1;
    }
    Ok(name)
}

/// A field that the server checks while it is typed.
struct Checked<'a> {
    name: &'a str,
    label: &'a str,
    value: &'a str,
    kind: &'a str,
    help: &'a str,
    wrong: &'a str,
    fill: &'a str,
}

impl Default for Checked<'_> {
    fn default() -> Self {
        Self { name: "", label: "", value: "", kind: "text", help: "", wrong: "", fill: "off" }
    }
}

impl maud::Render for Checked<'_> {
    fn render(&self) -> Markup {
        let described = format!("{}-help", self.name);
        let invalid = (!self.wrong.is_empty()).then_some("true");
        html! {
            div.field {
                label for=(self.name) { (self.label) }
                @if self.kind == "area" {
                    textarea id=(self.name) name=(self.name) spellcheck="false" autocomplete="off" data-check=(self.name)
                        aria-describedby=(described) aria-invalid=[invalid] { "\n" (self.value) }
                } @else {
                    input id=(self.name) name=(self.name) type=(self.kind) value=(self.value) autocomplete=(self.fill)
                        spellcheck="false" data-check=(self.name) aria-describedby=(described) aria-invalid=[invalid];
                }
                small id=(described) { span.wrong role="status" { (self.wrong) } " " (self.help) }
            }
        }
    }
}

/// The sentences about a field.
fn wrong(mistakes: &[(String, String)], key: &str) -> String {
    let about = mistakes.iter().filter(|(of, _)| of == key).map(|(_, sentence)| sentence.as_str());
    about.collect::<Vec<_>>().join(" ")
}
