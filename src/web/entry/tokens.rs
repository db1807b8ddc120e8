//! Tokens of the API: everybody's own under Own account, all of them for administrators, and who may ask for figures.

use jiff::civil::Date;
use jiff::{ToSpan, Zoned};
use maud::{Markup, html};

use super::super::Context;
use super::super::api;
use super::super::error::{Result, WebError};
use super::super::layout::{self, Field, Section, Width, check, select};
use super::super::request::Form;
use super::super::response::Response;
use super::super::show;
use super::{Tab, tabs};
use crate::clock;
use crate::limits::TOKENS_EACH;
use crate::settings::monitoring::Monitoring;
use crate::settings::networks::Networks;
use crate::settings::tokens::{self, DAYS_MOST, DAYS_USUAL, NAME_CHARS, Rights, Token};
use crate::settings::users::{self, Role, User};

/// Whose tokens a page is about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    Own,
    /// For administrators.
    Everybodys,
}

impl Whose {
    fn path(self) -> &'static str {
        match self {
            Self::Own => "/account/tokens",
            Self::Everybodys => "/admin/tokens",
        }
    }
}

/// What is wrong with which field.
#[derive(Default)]
struct Faults {
    form: &'static str,
    name: &'static str,
    owner: &'static str,
    rights: &'static str,
    ends: &'static str,
    networks: String,
}

impl Faults {
    fn is_none(&self) -> bool {
        [self.form, self.name, self.owner, self.rights, self.ends].iter().all(|fault| fault.is_empty())
            && self.networks.is_empty()
    }
}

pub fn own(context: &Context<'_>) -> Result<Response> {
    page(context, Whose::Own, &fresh(context)?, &Faults::default())
}

pub fn all(context: &Context<'_>) -> Result<Response> {
    page(context, Whose::Everybodys, &fresh(context)?, &Faults::default())
}

/// A sentence for whoever changes a password: tokens that go on counting, which they should know of; nothing where there are none.
pub fn that_stay(context: &Context<'_>, owner: &User) -> Result<String> {
    let now = clock::now();
    let counts = |token: &Token| token.is_of(owner) && !token.has_ended(now);
    let count = tokens::tokens(&context.web.archive)?.iter().filter(|token| counts(token)).count();
    Ok(if count == 0 { String::new() } else { (context.t.entry.tokens_stay)(count as u64) })
}

pub fn make_own(context: &Context<'_>) -> Result<Response> {
    make(context, Whose::Own)
}

pub fn make_for(context: &Context<'_>) -> Result<Response> {
    make(context, Whose::Everybodys)
}

pub fn revoke_own(context: &Context<'_>) -> Result<Response> {
    revoke(context, Whose::Own)
}

pub fn revoke_any(context: &Context<'_>) -> Result<Response> {
    revoke(context, Whose::Everybodys)
}

/// What the form of a new token holds.
fn fresh(context: &Context<'_>) -> Result<Form> {
    let mut form = Form::default();
    form.push("read", "1");
    form.push("owner", &context.person()?.user.name);
    form.push("ends", &today().saturating_add(i64::from(DAYS_USUAL).days()).to_string());
    form.push("networks", &Monitoring::read(&context.web.archive)?.networks.to_string());
    Ok(form)
}

fn today() -> Date {
    let now = jiff::Timestamp::from_second(clock::now()).unwrap_or_default();
    now.to_zoned(show::zone()).date()
}

fn page(context: &Context<'_>, whose: Whose, form: &Form, faults: &Faults) -> Result<Response> {
    let (t, common) = (&context.t.tokens, &context.t.page);
    let own = &context.person()?.user;
    let mut tokens = tokens::tokens(&context.web.archive)?;
    tokens.retain(|token| whose == Whose::Everybodys || token.is_of(own));
    let is_own = whose == Whose::Own;
    let title = if is_own { t.title } else { t.title_all };
    let body = html! {
        @if is_own { p { a href="/account" { "← " (context.t.entry.account_title) } } } @else { (tabs(context, Tab::Tokens)) }
        h1 { (title) }
        p {
            @if is_own { (t.intro) " " a href="/api/v1/openapi.json" { "/api/v1/openapi.json" } "." } @else { (t.intro_all) }
        }
        @if !faults.is_none() { (layout::trouble(if faults.form.is_empty() { common.wrong } else { faults.form })) }
        section.card {
            @if tokens.is_empty() { p { (t.none) } } @else { (table(context, whose, &tokens)?) }
        }
        (new(context, whose, form, faults)?)
        @if !is_own { (networks(context, form, faults)) }
    };
    let section = if is_own { Section::Account } else { Section::Users };
    let response = layout::page(context, section, Width::Usual, title, &body);
    Ok(if faults.is_none() { response } else { response.status(400) })
}

fn table(context: &Context<'_>, whose: Whose, tokens: &[Token]) -> Result<Markup> {
    let t = &context.t.tokens;
    let mut rows = Vec::new();
    for token in tokens {
        rows.push((token, api::last_use(context.web, &token.id)?, token.is_backed(&context.web.archive)?));
    }
    Ok(html! {
        div.scroll role="region" tabindex="0" aria-label=(t.title) {
            table {
                thead { tr {
                    th scope="col" { (t.name) }
                    @if whose == Whose::Everybodys { th scope="col" { (t.owner) } }
                    th scope="col" { (t.rights) } th scope="col" { (t.ends) } th scope="col" { (t.last_use) }
                    th scope="col" { span.hidden-text { (t.revoke) } }
                } }
                tbody {
                    @for (token, used, is_backed) in &rows {
                        tr {
                            th scope="row" {
                            (token.name)
                            @if token.is_made_by_another() { " " span.soft { ((t.made_by)(&token.maker)) } }
                        }
                            @if whose == Whose::Everybodys { td { (token.owner) } }
                            td { (rights(context, token.rights).join(", ")) }
                            td {
                                (show::day(token.ends - 1))
                                @if token.has_ended(clock::now()) { " " span.tag.bad { (t.has_ended) } }
                                @else if !is_backed { " " span.tag.bad { (t.not_backed) } }
                            }
                            td { @if let Some(used) = used { (show::ago(context.lang, *used)) } @else { (t.never) } }
                            td {
                                form method="post" action={ (whose.path()) "/" (token.id) "/revoke" } {
                                    (layout::token(context))
                                    button aria-label={ (t.revoke) ": " (token.name) } { (t.revoke) }
                                }
                            }
                        }
                    }
                }
            }
        }
    })
}

fn rights(context: &Context<'_>, rights: Rights) -> Vec<&'static str> {
    let t = &context.t.tokens;
    let all = [
        (rights.read, t.read),
        (rights.change, t.change),
        (rights.administer, t.administer),
        (rights.metrics, t.metrics),
    ];
    all.into_iter().filter(|(is_given, _)| *is_given).map(|(_, text)| text).collect()
}

fn new(context: &Context<'_>, whose: Whose, form: &Form, faults: &Faults) -> Result<Markup> {
    let t = &context.t.tokens;
    let own = &context.person()?.user;
    let administers = whose == Whose::Everybodys || own.role == Role::Administrator;
    let changes = whose == Whose::Everybodys || own.role != Role::Auditor;
    let people = if whose == Whose::Everybodys { users::users(&context.web.archive)? } else { Vec::new() };
    let names: Vec<(&str, &str)> = people.iter().map(|user| (user.name.as_str(), user.name.as_str())).collect();
    Ok(html! {
        form.card method="post" action=(whose.path()) {
            (layout::token(context))
            h2 { (t.new) }
            (Field { name: "name", label: t.name, value: form.text("name"), help: t.name_help, wrong: faults.name,
                required: true, fill: "off", ..Field::default() })
            @if whose == Whose::Everybodys {
                (select("owner", t.owner, form.text("owner"), &names, t.owner_help))
                (said(faults.owner))
            }
            fieldset.field {
                legend { (t.rights) " " small { (t.rights_help) } }
                (said(faults.rights))
                (check("read", t.read, form.is_on("read"), ""))
                @if changes { (check("change", t.change, form.is_on("change"), "")) }
                @if administers {
                    (check("administer", t.administer, form.is_on("administer"), ""))
                    (check("metrics", t.metrics, form.is_on("metrics"), ""))
                }
            }
            (Field { name: "ends", label: t.ends, value: form.text("ends"), kind: "date", help: t.ends_help,
                wrong: faults.ends, required: true, fill: "off" })
            button.first { (t.make) }
        }
    })
}

fn said(fault: &str) -> Markup {
    html! { @if !fault.is_empty() { p.field { span.wrong role="alert" { (fault) } } } }
}

fn networks(context: &Context<'_>, form: &Form, faults: &Faults) -> Markup {
    let t = &context.t.tokens;
    html! {
        form.card method="post" action="/admin/metrics" {
            (layout::token(context))
            h2 { (t.networks_title) }
            (Field { name: "networks", label: t.networks, value: form.text("networks"), help: t.networks_help,
                wrong: &faults.networks, fill: "off", ..Field::default() })
            button { (context.t.page.save) }
        }
    }
}

/// The end of the day that was entered, Unix seconds.
fn end_of(day: &str) -> Option<i64> {
    let day: Date = day.parse().ok()?;
    let last = today().saturating_add(i64::from(DAYS_MOST).days());
    if day < today() || day > last {
        return None;
    }
    let end: Zoned = day.tomorrow().ok()?.to_zoned(show::zone()).ok()?;
    Some(end.timestamp().as_second())
}

fn make(context: &Context<'_>, whose: Whose) -> Result<Response> {
    let mut form = context.form()?;
    let t = &context.t.tokens;
    let archive = &context.web.archive;
    let _turn = context.web.people();
    let name = if whose == Whose::Own { context.person()?.user.name.clone() } else { form.text("owner").to_owned() };
    let owner = users::user(archive, &name)?;
    let mut faults = Faults::default();
    if !(1..=NAME_CHARS).contains(&form.text("name").chars().count()) || form.text("name").contains(char::is_control) {
        faults.name = t.name_wrong;
    }
    if owner.is_none() {
        faults.owner = t.owner_wrong;
    }
    let rights = Rights {
        read: form.is_on("read"),
        change: form.is_on("change"),
        administer: form.is_on("administer"),
        metrics: form.is_on("metrics"),
    };
    let maker = &context.person()?.user;
    if rights == Rights::default() {
        faults.rights = t.rights_wrong;
    } else if owner.as_ref().is_some_and(|owner| owner.name != maker.name)
        && !tokens::may_make_for_another(maker, rights)
    {
        faults.rights = t.rights_of_others;
    }
    let ends = end_of(form.text("ends"));
    if ends.is_none() {
        faults.ends = t.ends_wrong;
    }
    if let Some(owner) = &owner
        && tokens::tokens(archive)?.iter().filter(|token| token.is_of(owner)).count() >= TOKENS_EACH
    {
        faults.form = t.too_many;
    }
    let (Some(owner), Some(ends), true) = (&owner, ends, faults.is_none()) else {
        form.set("networks", &Monitoring::read(archive)?.networks.to_string());
        return page(context, whose, &form, &faults);
    };
    let new = tokens::New { name: form.text("name"), owner, maker, rights, created: clock::now(), ends };
    let (token, text) = tokens::make(archive, new, &context.who())?;
    Ok(made(context, whose, owner, &token, &text))
}

/// The one page that ever shows a token.
fn made(context: &Context<'_>, whose: Whose, owner: &User, token: &Token, text: &str) -> Response {
    let t = &context.t.tokens;
    let body = html! {
        h1 { (t.made) }
        div.note.warn role="status" { p { (t.made_help) } }
        section.card.link {
            label for="token" { (t.token) }
            textarea #token rows="3" readonly { (text) }
            dl {
                dt { (t.name) } dd { (token.name) }
                dt { (t.owner) } dd { (owner.name) }
                dt { (t.rights) } dd { (rights(context, token.rights).join(", ")) }
                dt { (t.ends) } dd { (show::day(token.ends - 1)) }
            }
            p { a.button href=(whose.path()) { (context.t.page.back) } }
        }
    };
    let section = if whose == Whose::Own { Section::Account } else { Section::Users };
    layout::page(context, section, Width::Narrow, t.made, &body)
}

fn revoke(context: &Context<'_>, whose: Whose) -> Result<Response> {
    context.form()?;
    let archive = &context.web.archive;
    let token = tokens::token(archive, &context.parameters[0])?;
    let own = &context.person()?.user;
    let token = token.filter(|token| whose == Whose::Everybodys || token.is_of(own)).ok_or(WebError::NotFound)?;
    tokens::revoke(archive, &token.id, &context.who())?;
    context.notice(context.t.tokens.revoked);
    Ok(Response::redirect(whose.path()))
}

/// Keeps the networks that may ask for figures.
pub fn monitored(context: &Context<'_>, new: &Monitoring) -> Result<()> {
    if *new != Monitoring::read(&context.web.archive)? {
        new.write(&context.web.archive, &context.who())?;
    }
    Ok(())
}

/// Takes the networks that may ask for figures.
pub fn networks_entered(context: &Context<'_>) -> Result<Response> {
    let form = context.form()?;
    match Networks::entered(form.text("networks")) {
        Ok(networks) => {
            monitored(context, &Monitoring { networks })?;
            context.notice(context.t.page.saved);
            Ok(Response::redirect("/admin/tokens"))
        }
        Err(wrong) => {
            let mut shown = fresh(context)?;
            shown.set("networks", form.text("networks"));
            let networks = format!("{} {wrong}", context.t.tokens.networks_wrong);
            page(context, Whose::Everybodys, &shown, &Faults { networks, ..Faults::default() })
        }
    }
}
