//! Holds: set, listed, lifted.

use jiff::civil::Date;
use maud::{Markup, html};

use super::super::super::Context;
use super::super::super::dms::retention::reason;
use super::super::super::error::{Result, WebError};
use super::super::super::layout::{self, Field};
use super::super::super::request::{Form, encode};
use super::super::super::response::Response;
use super::super::super::texts;
use super::super::fields::{line, wrong as fault};
use super::super::show as showing;
use super::rules::{definitions, folders, mailbox, mailbox_name};
use super::{Tab, page};
use crate::archive::commit::Folder;
use crate::clock;
use crate::limits::HOLDS;
use crate::settings::holds::{self, Hold, Places, REASON_CHARS, Scope};
use crate::settings::retention;

const UPLOADS: &str = "/";

/// What is wrong with a hold that somebody wants to set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    Name,
    Taken,
    TooMany,
    Reason,
    Numbers,
    Either,
    Definition,
    Mailbox,
    Days,
}

impl Wrong {
    /// The field that it is about.
    pub fn key(self) -> &'static str {
        match self {
            Self::Name | Self::Taken | Self::TooMany => "name",
            Self::Reason => "reason",
            Self::Numbers | Self::Either => "numbers",
            Self::Definition => "definition",
            Self::Mailbox => "mailbox",
            Self::Days => "from",
        }
    }

    /// What to write instead.
    pub fn sentence(self, t: &texts::Retention) -> &'static str {
        match self {
            Self::Name => t.hold_name_wrong,
            Self::Taken => t.hold_name_taken,
            Self::TooMany => t.too_many_holds,
            Self::Reason => t.reason_wrong,
            Self::Numbers => t.numbers_wrong,
            Self::Either => t.hold_either,
            Self::Definition => t.definition_wrong,
            Self::Mailbox => t.mailbox_wrong,
            Self::Days => t.days_wrong,
        }
    }
}

/// A hold as somebody wrote it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Written<'a> {
    pub name: &'a str,
    pub reason: &'a str,
    pub numbers: &'a str,
    /// `None`: all of them; empty: what people uploaded.
    pub definition: Option<&'a str>,
    /// Name or identity.
    pub mailbox: &'a str,
    pub from: &'a str,
    pub until: &'a str,
}

/// A day, or none; an error where it is no day.
fn day(text: &str) -> std::result::Result<Option<Date>, ()> {
    let text = text.trim();
    if text.is_empty() { Ok(None) } else { text.parse().map(Some).map_err(|_| ()) }
}

fn scope(context: &Context<'_>, written: &Written<'_>) -> Result<std::result::Result<Scope, Wrong>> {
    let (from, until) = (day(written.from), day(written.until));
    let has_place = written.definition.is_some()
        || [written.mailbox, written.from, written.until].iter().any(|text| !text.trim().is_empty());
    if !written.numbers.trim().is_empty() {
        return Ok(match holds::numbers(written.numbers) {
            _ if has_place => Err(Wrong::Either),
            Some(numbers) => Ok(Scope::Numbers(numbers)),
            None => Err(Wrong::Numbers),
        });
    }
    let (Ok(from), Ok(until)) = (from, until) else { return Ok(Err(Wrong::Days)) };
    if from.zip(until).is_some_and(|(from, until)| from > until) {
        return Ok(Err(Wrong::Days));
    }
    let name = written.mailbox.trim();
    let mailbox = match written.definition {
        Some(definition) if !definition.is_empty() && !definitions(context)?.contains(definition) => {
            return Ok(Err(Wrong::Definition));
        }
        Some(definition) => mailbox(&folders(&context.view()?)?, definition, name),
        None => name.is_empty().then(String::new),
    };
    let definition = written.definition.map(str::to_owned);
    Ok(mailbox.map(|mailbox| Scope::Places(Places { definition, mailbox, from, until })).ok_or(Wrong::Mailbox))
}

/// Sets a hold, or says what is wrong with it.
pub fn create(context: &Context<'_>, written: &Written<'_>) -> Result<std::result::Result<Hold, Vec<Wrong>>> {
    let archive = &context.web.archive;
    let (name, reason) = (written.name.trim(), written.reason.trim());
    let mut wrong = Vec::new();
    if !Hold::is_name(name) {
        wrong.push(Wrong::Name);
    }
    if !(1..=REASON_CHARS).contains(&reason.chars().count()) {
        wrong.push(Wrong::Reason);
    }
    let scope = scope(context, written)?;
    let _turn = retention::turn();
    if holds::hold(archive, name)?.is_some() {
        wrong.push(Wrong::Taken);
    } else if holds::holds(archive)?.len() >= HOLDS {
        wrong.push(Wrong::TooMany);
    }
    let what = match scope {
        Ok(what) if wrong.is_empty() => what,
        Ok(_) => return Ok(Err(wrong)),
        Err(scope) => return Ok(Err([wrong, vec![scope]].concat())),
    };
    let (name, reason) = (name.to_owned(), reason.to_owned());
    let hold = Hold { name, reason, who: context.who(), set: clock::now(), what, lifted: None };
    holds::set(archive, &hold)?;
    Ok(Ok(hold))
}

/// Lifts the hold that the path names; nothing where it is lifted already.
pub fn end(context: &Context<'_>) -> Result<()> {
    let archive = &context.web.archive;
    let _turn = retention::turn();
    let hold = holds::hold(archive, &context.parameters[0])?.ok_or(WebError::NotFound)?;
    if hold.is_in_force() {
        holds::lift(archive, &hold, &context.who())?;
    }
    Ok(())
}

pub fn list(context: &Context<'_>) -> Result<Response> {
    show_with(context, &Form::default(), &[])
}

pub fn set(context: &Context<'_>) -> Result<Response> {
    let form = context.form()?;
    let definition = match form.text("definition") {
        "" => None,
        UPLOADS => Some(""),
        name => Some(name),
    };
    let text = |name| form.text(name);
    let written = Written {
        name: text("name"),
        reason: text("reason"),
        numbers: text("numbers"),
        definition,
        mailbox: text("mailbox"),
        from: text("from"),
        until: text("until"),
    };
    match create(context, &written)? {
        Ok(_) => {
            context.notice(context.t.retention.hold_set);
            Ok(Response::redirect("/admin/retention/holds"))
        }
        Err(wrong) => Ok(show_with(context, &form, &wrong)?.status(400)),
    }
}

pub fn lift(context: &Context<'_>) -> Result<Response> {
    context.form()?;
    end(context)?;
    context.notice(context.t.retention.hold_lifted);
    Ok(Response::redirect("/admin/retention/holds"))
}

/// What a hold is about, in words.
fn what(context: &Context<'_>, folders: &[Folder], scope: &Scope) -> String {
    let t = &context.t.retention;
    match scope {
        Scope::Numbers(ranges) => {
            let range = |(low, high): &(u64, u64)| if low == high { low.to_string() } else { format!("{low}-{high}") };
            let some: Vec<String> = ranges.iter().take(20).map(range).collect();
            let more = if ranges.len() > some.len() { " …" } else { "" };
            format!("{}: {}{more}", t.numbers, some.join(", "))
        }
        Scope::Places(places) => {
            let mut parts = vec![match places.definition.as_deref() {
                None => format!("{}: {}", t.definition, t.all_definitions),
                Some("") => t.uploads.to_owned(),
                Some(name) => format!("{}: {name}", t.definition),
            }];
            if !places.mailbox.is_empty() {
                let name = mailbox_name(folders, places.definition.as_deref().unwrap_or_default(), &places.mailbox);
                parts.push(format!("{}: {name}", t.mailbox));
            }
            parts.extend(places.from.map(|day| format!("{} {day}", t.from)));
            parts.extend(places.until.map(|day| format!("{} {day}", t.until)));
            parts.join("; ")
        }
    }
}

fn show_with(context: &Context<'_>, form: &Form, wrong: &[Wrong]) -> Result<Response> {
    let t = &context.t.retention;
    let all = holds::holds(&context.web.archive)?;
    let folders = folders(&context.view()?)?;
    let body = html! {
        p { (t.holds_intro) }
        section.card {
            @if all.is_empty() { p.soft { (t.holds_none) } } @else {
                div.scroll role="region" tabindex="0" aria-label=(t.tab_holds) { table {
                    thead { tr {
                        th scope="col" { (t.hold) } th scope="col" { (t.what) } th scope="col" { (t.reason) }
                        th scope="col" { (t.set_by) } th scope="col" { span.hidden-text { (t.lift) } }
                    } }
                    tbody { @for hold in &all { tr {
                        th scope="row" { (hold.name) }
                        td { (what(context, &folders, &hold.what)) }
                        td { (hold.reason) }
                        td { (hold.who) ", " (showing::time(hold.set)) }
                        td { (state(context, hold)) }
                    } } }
                } }
            }
        }
        @if !wrong.is_empty() { (layout::trouble(context.t.page.wrong)) }
        (entry(context, form, wrong)?)
    };
    Ok(page(context, Tab::Holds, &body))
}

fn state(context: &Context<'_>, hold: &Hold) -> Markup {
    let t = &context.t.retention;
    html! {
        @match &hold.lifted {
            Some(lifted) => { (t.lifted) ": " (lifted.who) ", " (showing::time(lifted.time)) }
            None => {
                form method="post" action={ "/admin/retention/holds/" (encode(&hold.name)) "/lift" } {
                    (layout::token(context))
                    button aria-label={ (t.lift) ": " (hold.name) } { (t.lift) }
                }
            }
        }
    }
}

fn entry(context: &Context<'_>, form: &Form, wrong: &[Wrong]) -> Result<Markup> {
    let t = &context.t.retention;
    let definitions = definitions(context)?;
    let at = |key: &str| {
        let mine = wrong.iter().filter(|wrong| wrong.key() == key);
        mine.map(|wrong| wrong.sentence(t)).collect::<Vec<_>>().join(" ")
    };
    let chosen = form.text("definition");
    let day = |name: &'static str, label: &str, wrong: &str| {
        html! { (Field { name, label, value: form.text(name), kind: "date", help: t.days_help, wrong, fill: "off", ..Field::default() }) }
    };
    Ok(html! {
        form.card.definition method="post" action="/admin/retention/holds" {
            (layout::token(context))
            h2 { (t.set_hold) }
            (line("name", t.hold_name, form.text("name"), "", &at("name")))
            (reason(t, form.text("reason"), &at("reason")))
            (line("numbers", t.numbers, form.text("numbers"), t.numbers_help, &at("numbers")))
            div.field {
                label for="definition" { (t.definition) }
                select #definition name="definition" {
                    option value="" { (t.all_definitions) }
                    @for name in &definitions { option value=(name) selected[chosen == name] { (name) } }
                    option value=(UPLOADS) selected[chosen == UPLOADS] { (t.uploads) }
                }
            }
            (fault(&at("definition")))
            (line("mailbox", t.mailbox, form.text("mailbox"), "", &at("mailbox")))
            div.pair { (day("from", t.from, &at("from"))) (day("until", t.until, "")) }
            button.first { (t.set_hold) }
        }
    })
}
