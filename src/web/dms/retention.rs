//! The retention of one document: until when it is kept, whether it is blocked, and its erasure, on which two persons decide.
//!
//! For administrators and auditors. Whoever may not read the document sees nothing of it here but its number; whoever is neither
//! gets the same answer for every number.

use maud::{Markup, html};

use super::super::Context;
use super::super::error::{Result, WebError};
use super::super::layout::{self, Section, Width, check, select};
use super::super::request::Form;
use super::super::response::Response;
use super::super::texts;
use super::access;
use super::{document, ended, show};
use crate::archive::commit::Number;
use crate::clock;
use crate::retention::{Terms, Why};
use crate::settings::erasures::{self, Erasure, REASON_CHARS};
use crate::settings::retention::{self, Rule, Term};
use crate::settings::same_name;

/// Why something is not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Names of the holds.
    Held(String),
    Reason,
    Asked,
    NotAsked,
    /// The request has to be decided on first.
    AskedFirst,
    /// Who asked wants to agree.
    Same,
    Unsure,
    /// A term was entered that is none.
    Term,
    Shorter,
}

impl Refusal {
    pub fn sentence(&self, t: &texts::Retention) -> String {
        match self {
            Self::Held(names) => (t.held)(names),
            Self::Reason => t.reason_wrong.into(),
            Self::Asked => t.already_asked.into(),
            Self::NotAsked => t.not_asked.into(),
            Self::AskedFirst => t.asked_first.into(),
            Self::Same => t.same_person.into(),
            Self::Unsure => t.unsure.into(),
            Self::Term => t.term_wrong.into(),
            Self::Shorter => t.own_term_unsure.into(),
        }
    }

    /// The field of the form that it is about.
    fn field(&self) -> &'static str {
        match self {
            Self::Reason => "reason",
            Self::Term | Self::Shorter => "count",
            _ => "",
        }
    }
}

/// What was done, or why not.
pub type Decision = std::result::Result<(), Refusal>;

/// Whether this person decides on such things, with a token only where that gives it too.
pub fn may_decide(context: &Context<'_>) -> bool {
    context.person.as_ref().is_some_and(|person| match &person.token {
        Some(token) => erasures::may_decide_by(&person.user, token),
        None => erasures::may_decide(&person.user),
    })
}

/// The document that the path names, for somebody who decides.
pub fn decided(context: &Context<'_>) -> Result<Number> {
    if !may_decide(context) {
        return Err(WebError::Forbidden);
    }
    let number = context.number(0)?;
    context.view()?.document_row(number)?.map(|_| number).ok_or(WebError::NotFound)
}

/// Whoever acts: the person, and who made the token by which it acts.
fn persons<'a>(context: &'a Context<'_>) -> Result<(&'a str, &'a str)> {
    let person = context.person()?;
    let maker = person.token.as_ref().map(|token| token.maker.as_str()).unwrap_or_default();
    Ok((&person.user.name, if same_name(maker, &person.user.name) { "" } else { maker }))
}

/// Names of the holds that a document is under; empty where there is none.
pub fn held(context: &Context<'_>, number: Number) -> Result<String> {
    let view = context.view()?;
    let terms = Terms::read(&view)?;
    let names: Vec<&str> = terms.holds(&view, number)?.iter().map(|hold| hold.name.as_str()).collect();
    Ok(names.join(", "))
}

pub fn block(context: &Context<'_>, is_blocked: bool) -> Result<Decision> {
    let number = decided(context)?;
    let _turn = retention::turn();
    if !is_blocked && erasures::erasure(&context.web.archive, number)?.is_some() {
        return Ok(Err(Refusal::AskedFirst));
    }
    context.web.archive.block(&context.who(), number, is_blocked)?;
    Ok(Ok(()))
}

/// Asks for erasure; the document is blocked.
pub fn ask(context: &Context<'_>, reason: &str) -> Result<Decision> {
    let number = decided(context)?;
    let reason = reason.trim();
    if !(1..=REASON_CHARS).contains(&reason.chars().count()) {
        return Ok(Err(Refusal::Reason));
    }
    let _turn = retention::turn();
    let held = held(context, number)?;
    if !held.is_empty() {
        return Ok(Err(Refusal::Held(held)));
    }
    if erasures::erasure(&context.web.archive, number)?.is_some() {
        return Ok(Err(Refusal::Asked));
    }
    let (who, maker) = persons(context)?;
    let erasure =
        Erasure { number, who: who.into(), maker: maker.into(), time: clock::now(), reason: reason.to_owned() };
    erasures::ask(&context.web.archive, &erasure, &context.who())?;
    Ok(Ok(()))
}

/// Agrees to what another person asked for: the document ends.
pub fn agree(context: &Context<'_>, is_sure: bool) -> Result<Decision> {
    let number = decided(context)?;
    let _turn = retention::turn();
    let Some(erasure) = erasures::erasure(&context.web.archive, number)? else { return Ok(Err(Refusal::NotAsked)) };
    let (who, maker) = persons(context)?;
    if erasure.is_by(&[who, maker]) {
        return Ok(Err(Refusal::Same));
    }
    let held = held(context, number)?;
    if !held.is_empty() {
        return Ok(Err(Refusal::Held(held)));
    }
    if !is_sure {
        return Ok(Err(Refusal::Unsure));
    }
    erasures::agree(&context.web.archive, &erasure, &context.who())?;
    context.web.retention.ask_erase();
    Ok(Ok(()))
}

/// Refuses, or takes back.
pub fn refuse(context: &Context<'_>) -> Result<Decision> {
    let number = decided(context)?;
    let _turn = retention::turn();
    if erasures::erasure(&context.web.archive, number)?.is_none() {
        return Ok(Err(Refusal::NotAsked));
    }
    erasures::refuse(&context.web.archive, number, &context.who())?;
    Ok(Ok(()))
}

/// Gives the document a term of its own, or takes it away; for administrators.
pub fn give_term(context: &Context<'_>, term: Option<Term>, is_sure: bool) -> Result<Decision> {
    let number = decided(context)?;
    if !context.person()?.is_administrator() {
        return Err(WebError::Forbidden);
    }
    let _turn = retention::turn();
    let old = retention::own_term(&context.view()?, number)?;
    if old == term {
        return Ok(Ok(()));
    }
    if old.map_or(0, Term::length) > term.map_or(0, Term::length) && !is_sure {
        return Ok(Err(Refusal::Shorter));
    }
    retention::put_own_term(&context.web.archive, number, term, &context.who())?;
    Ok(Ok(()))
}

pub fn page(context: &Context<'_>) -> Result<Response> {
    match decided(context) {
        Err(WebError::NotFound) => ended::page(context),
        number => page_with(context, number?, &Form::default(), None),
    }
}

/// What a form of the page asks for.
pub fn send(context: &Context<'_>) -> Result<Response> {
    let form = context.form()?;
    let number = decided(context)?;
    let t = &context.t.retention;
    let (done, said) = match form.text("do") {
        "block" => (block(context, true)?, t.blocked_now),
        "unblock" => (block(context, false)?, t.unblocked_now),
        "ask" => (ask(context, form.text("reason"))?, t.asked_now),
        "agree" => (agree(context, form.is_on("sure"))?, t.agreed_now),
        "refuse" => (refuse(context)?, t.refused_now),
        "term" => {
            let is_none = form.text("count").is_empty() && form.text("unit") != "forever";
            let term = Term::entered(form.text("count"), form.text("unit"));
            if term.is_none() && !is_none {
                (Err(Refusal::Term), "")
            } else {
                (give_term(context, term, form.is_on("shorter"))?, context.t.page.saved)
            }
        }
        _ => return Err(WebError::NotFound),
    };
    match done {
        Ok(()) => {
            context.notice(said);
            Ok(Response::redirect(&path(number)))
        }
        Err(refusal) => Ok(page_with(context, number, &form, Some(&refusal))?.status(400)),
    }
}

pub fn path(number: Number) -> String {
    format!("/documents/{number}/retention")
}

/// By what a document has its term, in words.
pub fn why(context: &Context<'_>, why: &Why) -> String {
    let t = &context.t.retention;
    match why {
        Why::Default => t.by_default.into(),
        Why::Own => t.by_own.into(),
        Why::Rule(rule) => format!("{} {}", t.by_rule, place(context, rule)),
    }
}

/// What a rule is about, in words.
pub fn place(context: &Context<'_>, rule: &Rule) -> String {
    let definition = if rule.definition.is_empty() { context.t.retention.uploads } else { &rule.definition };
    let parts = [definition, &rule.mailbox, &rule.folder];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}

fn page_with(context: &Context<'_>, number: Number, form: &Form, refusal: Option<&Refusal>) -> Result<Response> {
    let t = &context.t.retention;
    let archive = &context.web.archive;
    let view = context.view()?;
    let row = view.document(number)?.ok_or(WebError::NotFound)?;
    let terms = Terms::read(&view)?;
    let end = terms.end(&view, number, &row)?;
    let (is_blocked, own) = (view.is_blocked(number)?, retention::own_term(&view, number)?);
    drop(view);
    let shown = access::with_right(context, number)?;
    let held = held(context, number)?;
    let erasure = erasures::erasure(archive, number)?;
    let at = |field: &str| {
        refusal.filter(|refusal| refusal.field() == field).map(|refusal| refusal.sentence(t)).unwrap_or_default()
    };
    let button = |what: &str, text: &str, class: Option<&str>| {
        html! { button class=[class] name="do" value=(what) { (text) } }
    };
    let own_form = || own_term(context, number, form, own, &at("count"), refusal == Some(&Refusal::Shorter));
    let body = html! {
        p { @if shown.is_some() { a href={ "/documents/" (number) } { "← " (context.t.dms.number) " " (number) } }
            @else if context.person()?.is_administrator() { a href="/admin/retention/documents" { "← " (t.tab_documents) } } }
        h1 { (t.of_document) }
        @if let Some(shown) = &shown { p { strong { (document::title(context, shown)) } } }
        (layout::trouble(&at("")))
        dl.card {
            dt { (context.t.dms.number) } dd { (number) @if is_blocked { " " span.tag.warn { (t.is_blocked) } } }
            dt { (t.kept_until) }
            dd {
                @match end.over { Some(over) => (show::time(over)), None => (t.forever) }
                " (" (end.term.text(context.lang)) ", " (why(context, &end.why)) ")"
            }
            @if !held.is_empty() { dt { (t.held_by) } dd { (held) } }
        }
        form.card method="post" action=(path(number)) {
            (layout::token(context))
            h2 { (t.block) }
            p { (t.block_help) }
            @if is_blocked { (button("unblock", t.unblock, None)) } @else { (button("block", t.block, None)) }
        }
        form.card.definition method="post" action=(path(number)) {
            (layout::token(context))
            h2 { (t.erase) }
            p { (t.erase_help) }
            @if !held.is_empty() { div.note.warn { p { ((t.held)(&held)) } } }
            @if let Some(erasure) = &erasure {
                (decision(context, erasure, held.is_empty())?)
            } @else if held.is_empty() {
                @if erasures::deciders(archive)? < 2 { div.note.warn { p { (t.second_needed) } } }
                (reason(t, form.text("reason"), &at("reason")))
                (button("ask", t.ask, None))
            }
        }
        @if context.person()?.is_administrator() { (own_form()) }
    };
    Ok(layout::page(context, Section::None, Width::Usual, t.of_document, &body))
}

/// What a person may decide on a request.
fn decision(context: &Context<'_>, erasure: &Erasure, may_agree: bool) -> Result<Markup> {
    let t = &context.t.retention;
    let (who, maker) = persons(context)?;
    let is_own = erasure.is_by(&[who, maker]);
    let is_alone = erasures::deciders(&context.web.archive)? < 2;
    Ok(html! {
        p { ((t.asked)(&erasure.who, &show::minute(erasure.time))) }
        blockquote { p { (erasure.reason) } }
        @if is_own { div.note { p { (if is_alone { t.second_needed } else { t.same_person }) } } }
        @if may_agree && !is_own { (check("sure", t.agree_sure, false, "")) }
        p.row {
            @if may_agree && !is_own { button.danger name="do" value="agree" { (t.agree) } }
            button name="do" value="refuse" { (if is_own { t.take_back } else { t.refuse }) }
        }
    })
}

/// A field of several lines for why something is to be.
pub fn reason(t: &texts::Retention, value: &str, wrong: &str) -> Markup {
    html! {
        div.field {
            label for="reason" { (t.reason) }
            textarea #reason name="reason" rows="3" aria-describedby="reason-help" aria-invalid=[(!wrong.is_empty()).then_some("true")] {
                "\n" (value)
            }
            small #reason-help { @if !wrong.is_empty() { span.wrong { (wrong) " " } } (t.reason_help) }
        }
    }
}

fn own_term(
    context: &Context<'_>,
    number: Number,
    form: &Form,
    own: Option<Term>,
    wrong: &str,
    is_shorter: bool,
) -> Markup {
    let t = &context.t.retention;
    let stored = own.and_then(Term::count).map(|count| count.to_string()).unwrap_or_default();
    let count = form.get("count").unwrap_or(&stored);
    let unit = form.get("unit").unwrap_or(own.map_or("years", Term::unit));
    html! {
        form.card.definition method="post" action=(path(number)) {
            (layout::token(context))
            h2 { (t.own_term) }
            (layout::Field { name: "count", label: t.count, value: count, kind: "number", help: t.own_term_help, wrong, fill: "off",
                ..layout::Field::default() })
            (select("unit", t.unit, unit, &units(t), ""))
            @if is_shorter { (check("shorter", t.own_term_sure, false, "")) }
            button name="do" value="term" { (context.t.page.save) }
        }
    }
}

/// The units of a term.
pub fn units(t: &texts::Retention) -> [(&'static str, &'static str); 3] {
    [("years", t.years), ("months", t.months), ("forever", t.forever)]
}
