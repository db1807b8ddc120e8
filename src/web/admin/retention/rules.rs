//! Terms and rules as a form: shown, and read back. Mistakes stand at the fields that they are about; what shortens a term is
//! confirmed, with how many documents would end at once.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::super::super::Context;
use super::super::super::dms::retention::units;
use super::super::super::error::Result;
use super::super::super::layout::{self, check, select};
use super::super::super::request::Form;
use super::super::super::response::Response;
use super::super::super::texts;
use super::super::fields::wrong as fault;
use super::super::show as showing;
use super::{Tab, page, state};
use crate::archive::commit::Folder;
use crate::archive::view::View;
use crate::clock;
use crate::limits::RETENTION_RULES;
use crate::retention::Terms;
use crate::retention::due::{self, Counted};
use crate::settings;
use crate::settings::retention::{self, Remembered, Retention, Rule, Term};

/// Rows for rules beyond those that are there.
const EMPTY_ROWS: usize = 3;
/// What stands in a form for what people uploaded: no definition is called so.
const UPLOADS: &str = "/";

/// What is wrong with one entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Term,
    Definition,
    Mailbox,
    Twice,
    TooMany,
}

/// At which rule; `None`: at the usual term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wrong {
    pub row: Option<usize>,
    pub what: What,
}

impl Wrong {
    /// What to write instead.
    pub fn sentence(self, t: &texts::Retention) -> &'static str {
        match self.what {
            What::Term => t.term_wrong,
            What::Definition => t.definition_wrong,
            What::Mailbox => t.mailbox_wrong,
            What::Twice => t.rule_twice,
            What::TooMany => t.too_many_rules,
        }
    }
}

/// A rule as somebody wrote it.
#[derive(Clone, Copy, Debug)]
pub struct Written<'a> {
    /// Empty: what people uploaded.
    pub definition: Option<&'a str>,
    /// Name or identity.
    pub mailbox: &'a str,
    pub folder: &'a str,
    pub term: Option<Term>,
}

/// Names of all definitions that there are, or that have archived something.
pub(super) fn definitions(context: &Context<'_>) -> Result<BTreeSet<String>> {
    let known = settings::definitions(&context.web.archive)?.into_iter().flatten().map(|definition| definition.name);
    let places = context.view()?.folders()?.into_iter().map(|row| row.folder.definition);
    Ok(known.chain(places).filter(|name| !name.is_empty()).collect())
}

/// The identity of a mailbox of a definition, which is called by it or by its name; `None` where there is none or more than one.
pub(super) fn mailbox(folders: &[Folder], definition: &str, name: &str) -> Option<String> {
    if name.is_empty() {
        return Some(String::new());
    }
    let of_it = || folders.iter().filter(|folder| folder.definition == definition);
    if of_it().any(|folder| folder.mailbox == name) {
        return Some(name.to_owned());
    }
    let named = of_it().filter(|folder| settings::same_name(&folder.mailbox_name, name));
    let found: BTreeSet<&str> = named.map(|folder| folder.mailbox.as_str()).collect();
    found.first().filter(|_| found.len() == 1).map(|found| (*found).to_owned())
}

/// What people call a mailbox, where only one of its definition is called so.
pub(super) fn mailbox_name(folders: &[Folder], definition: &str, id: &str) -> String {
    let name = folders.iter().find(|folder| folder.definition == definition && folder.mailbox == id);
    let name = name.map(|folder| folder.mailbox_name.clone()).unwrap_or_default();
    if mailbox(folders, definition, &name).as_deref() == Some(id) { name } else { id.to_owned() }
}

pub(super) fn folders(view: &View) -> Result<Vec<Folder>> {
    Ok(view.folders()?.into_iter().map(|row| row.folder).collect())
}

/// The rules that somebody wrote, each with its place; or what is wrong with them.
pub fn rules(
    context: &Context<'_>,
    all: &[(usize, Written<'_>)],
) -> Result<std::result::Result<Vec<Rule>, Vec<Wrong>>> {
    let (folders, definitions) = (folders(&context.view()?)?, definitions(context)?);
    let (mut rules, mut wrong): (Vec<Rule>, Vec<Wrong>) = (Vec::new(), Vec::new());
    for (row, written) in all {
        let mut at = |what| wrong.push(Wrong { row: Some(*row), what });
        let definition = written.definition.filter(|name| name.is_empty() || definitions.contains(*name));
        let mailbox = definition.and_then(|definition| mailbox(&folders, definition, written.mailbox));
        match (definition, mailbox, written.term) {
            (None, ..) => at(What::Definition),
            (_, None, _) => at(What::Mailbox),
            (.., None) => at(What::Term),
            (Some(definition), Some(mailbox), Some(term)) => {
                let folder = written.folder.trim().to_owned();
                let rule = Rule { definition: definition.to_owned(), mailbox, folder, term };
                if rules.iter().any(|other| other.is_like(&rule)) {
                    at(What::Twice);
                }
                rules.push(rule);
            }
        }
    }
    if all.len() > RETENTION_RULES {
        wrong.push(Wrong { row: None, what: What::TooMany });
    }
    Ok(if wrong.is_empty() { Ok(rules) } else { Err(wrong) })
}

/// What would be shortened, or would end at all from now on: how many documents would end at once; `None`: nothing.
pub fn shortens(context: &Context<'_>, new: &Retention) -> Result<Option<Counted>> {
    let view = context.view()?;
    let (old, new) = (Terms::read(&view)?, Terms::of(&view, new.clone(), &Remembered::new())?);
    let begins = new.set.deletes && !old.set.deletes;
    if !begins && !new.are_shorter_than(&old) {
        return Ok(None);
    }
    Ok(Some(due::count(&view, &new, clock::now())?))
}

/// The question that is to be answered before this holds.
pub fn question(context: &Context<'_>, counted: &Counted) -> String {
    let number = |number| showing::number(context.lang, number);
    let of = counted.is_cut.then(|| number(counted.looked));
    (context.t.retention.shortens)(&number(counted.due), of.as_deref())
}

/// Keeps what was set.
pub fn keep(context: &Context<'_>, new: &Retention) -> Result<()> {
    let _settings = context.web.settings();
    let _turn = retention::turn();
    if *new != Retention::read(&context.web.archive)? {
        new.write(&context.web.archive, &context.who())?;
    }
    Ok(())
}

/// What the form holds of what is set.
fn form(context: &Context<'_>, set: &Retention) -> Result<Form> {
    let folders = folders(&context.view()?)?;
    let mut form = Form::default();
    let count = |term: Term| term.count().map(|count| count.to_string()).unwrap_or_default();
    form.push("deletes", if set.deletes { "1" } else { "" });
    form.push("count", &count(set.term));
    form.push("unit", set.term.unit());
    for rule in &set.rules {
        form.push("rule-definition", if rule.definition.is_empty() { UPLOADS } else { &rule.definition });
        form.push("rule-mailbox", &mailbox_name(&folders, &rule.definition, &rule.mailbox));
        form.push("rule-folder", &rule.folder);
        form.push("rule-count", &count(rule.term));
        form.push("rule-unit", rule.term.unit());
    }
    Ok(form)
}

/// One row of the form.
#[derive(Clone, Copy, Debug, Default)]
struct Row<'a> {
    definition: &'a str,
    mailbox: &'a str,
    folder: &'a str,
    count: &'a str,
    unit: &'a str,
}

impl Row<'_> {
    fn is_empty(&self) -> bool {
        self.definition.is_empty() && self.mailbox.is_empty() && self.folder.is_empty() && self.count.is_empty()
    }
}

fn rows(form: &Form) -> Vec<Row<'_>> {
    let all = |name| form.all(name).map(str::trim).collect::<Vec<_>>();
    let [mailboxes, folders, counts, units] = ["rule-mailbox", "rule-folder", "rule-count", "rule-unit"].map(all);
    let definitions = all("rule-definition");
    (0..definitions.len())
        .map(|row| Row {
            definition: definitions[row],
            mailbox: mailboxes.get(row).copied().unwrap_or_default(),
            folder: folders.get(row).copied().unwrap_or_default(),
            count: counts.get(row).copied().unwrap_or_default(),
            unit: units.get(row).copied().unwrap_or_default(),
        })
        .collect()
}

fn entered(context: &Context<'_>, form: &Form) -> Result<std::result::Result<Retention, Vec<Wrong>>> {
    let written = |row: &Row<'_>| match row.definition {
        "" => None,
        UPLOADS => Some(String::new()),
        name => Some(name.to_owned()),
    };
    let rows: Vec<(usize, Row<'_>, Option<String>)> = rows(form)
        .into_iter()
        .enumerate()
        .filter(|(_, row)| !row.is_empty())
        .map(|(at, row)| (at, row, written(&row)))
        .collect();
    let all: Vec<(usize, Written<'_>)> = rows
        .iter()
        .map(|(at, row, definition)| {
            let term = Term::entered(row.count, row.unit);
            (*at, Written { definition: definition.as_deref(), mailbox: row.mailbox, folder: row.folder, term })
        })
        .collect();
    let term = Term::entered(form.text("count"), form.text("unit"));
    Ok(match (term, rules(context, &all)?) {
        (Some(term), Ok(rules)) => Ok(Retention { deletes: form.is_on("deletes"), term, rules }),
        (term, rules) => {
            let usual = term.is_none().then_some(Wrong { row: None, what: What::Term });
            Err(usual.into_iter().chain(rules.err().into_iter().flatten()).collect())
        }
    })
}

pub fn show(context: &Context<'_>) -> Result<Response> {
    let set = Retention::read(&context.web.archive)?;
    show_with(context, &set, &form(context, &set)?, &[], "", "")
}

/// The page when a pass was to be confirmed without the box.
pub(super) fn show_unsure(context: &Context<'_>, unsure: &str) -> Result<Response> {
    let set = Retention::read(&context.web.archive)?;
    Ok(show_with(context, &set, &form(context, &set)?, &[], "", unsure)?.status(400))
}

pub fn send(context: &Context<'_>) -> Result<Response> {
    let form = context.form()?;
    let set = Retention::read(&context.web.archive)?;
    let new = match entered(context, &form)? {
        Ok(new) => new,
        Err(wrong) => return Ok(show_with(context, &set, &form, &wrong, "", "")?.status(400)),
    };
    if !form.is_on("sure")
        && let Some(counted) = shortens(context, &new)?
    {
        let question = question(context, &counted);
        return Ok(show_with(context, &set, &form, &[], &question, "")?.status(400));
    }
    keep(context, &new)?;
    context.notice(context.t.page.saved);
    Ok(Response::redirect("/admin/retention"))
}

fn show_with(
    context: &Context<'_>,
    set: &Retention,
    form: &Form,
    wrong: &[Wrong],
    question: &str,
    unsure: &str,
) -> Result<Response> {
    let t = &context.t.retention;
    let mut rows = rows(form);
    while rows.last().is_some_and(Row::is_empty) {
        rows.pop();
    }
    let filled = rows.len();
    rows.resize(filled + EMPTY_ROWS, Row { unit: "years", ..Row::default() });
    let definitions = definitions(context)?;
    let at = |row: Option<usize>| {
        let mine = wrong.iter().filter(|wrong| wrong.row == row);
        mine.map(|wrong| wrong.sentence(t)).collect::<Vec<_>>().join(" ")
    };
    let terms = Terms::read(&context.view()?)?;
    let folders_of = |row: usize| {
        let rule = set.rules.get(row).filter(|_| wrong.is_empty() && question.is_empty());
        rule.map(|rule| (t.holds_for)(&showing::number(context.lang, terms.folders_of(rule) as u64)))
    };
    let body = html! {
        p { (t.intro) }
        (state(context, set, unsure)?)
        @if !wrong.is_empty() { (layout::trouble(context.t.page.wrong)) }
        form.card.definition method="post" action="/admin/retention" {
            (layout::token(context))
            h2 { (t.tab_terms) }
            (check("deletes", t.deletes, form.is_on("deletes"), t.deletes_help))
            fieldset {
                legend { (t.term) }
                div.pair {
                    (layout::Field { name: "count", label: t.count, value: form.text("count"), kind: "number", help: t.term_help,
                        wrong: &at(None), fill: "off", ..layout::Field::default() })
                    (select("unit", t.unit, form.text("unit"), &units(t), ""))
                }
            }
            h3 { (t.rules) }
            p.soft { (t.rules_help) }
            @for (row, rule) in rows.iter().enumerate() { (one(context, row, rule, &definitions, &at(Some(row)), folders_of(row))) }
            @if !question.is_empty() {
                div.note.bad role="alert" { p { (question) } }
                (check("sure", t.shortens_sure, false, ""))
            }
            p.row { button.first { (context.t.page.save) } }
        }
    };
    Ok(page(context, Tab::Terms, &body))
}

fn one(
    context: &Context<'_>,
    row: usize,
    rule: &Row<'_>,
    definitions: &BTreeSet<String>,
    wrong: &str,
    folders: Option<String>,
) -> Markup {
    let t = &context.t.retention;
    let id = |name: &str| format!("rule-{name}-{row}");
    let is_known = rule.definition.is_empty() || rule.definition == UPLOADS || definitions.contains(rule.definition);
    let field = |name: &str, label: &str, value: &str, kind: &str| {
        html! {
            div.field {
                label for=(id(name)) { (label) }
                input id=(id(name)) name={ "rule-" (name) } type=(kind) value=(value) autocomplete="off" spellcheck="false";
            }
        }
    };
    html! {
        fieldset.rule {
            legend { (t.rule) " " (row + 1) @if let Some(folders) = folders { " " small { "(" (folders) ")" } } }
            (fault(wrong))
            div.pair {
                div.field {
                    label for=(id("definition")) { (t.definition) }
                    select id=(id("definition")) name="rule-definition" aria-invalid=[(!wrong.is_empty()).then_some("true")] {
                        option value="" { (t.definition_none) }
                        @if !is_known { option value=(rule.definition) selected { (rule.definition) } }
                        @for name in definitions { option value=(name) selected[rule.definition == name] { (name) } }
                        option value=(UPLOADS) selected[rule.definition == UPLOADS] { (t.uploads) }
                    }
                }
                (field("mailbox", t.mailbox, rule.mailbox, "text"))
                (field("folder", t.folder, rule.folder, "text"))
                (field("count", t.count, rule.count, "number"))
                div.field {
                    label for=(id("unit")) { (t.unit) }
                    select id=(id("unit")) name="rule-unit" {
                        @for (unit, text) in units(t) { option value=(unit) selected[rule.unit == unit] { (text) } }
                    }
                }
            }
        }
    }
}
