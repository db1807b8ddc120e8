//! The matrix of rights: mailbox × user or group.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::super::Context;
use super::super::error::{Result, WebError};
use super::super::layout::{self, Section, Width};
use super::super::request::Form;
use super::super::response::Response;
use super::users::mailboxes;
use super::{Tab, tabs};
use crate::limits::{MATRIX_COLUMNS, MATRIX_ROWS};
use crate::settings::groups::{self, Group};
use crate::settings::users::{self, MailboxId, User};
use crate::settings::{self, Definition};

/// Somebody to whom mailboxes are given.
#[derive(Clone, Debug)]
pub enum Holder {
    Group(Group),
    User(User),
}

impl Holder {
    pub fn name(&self) -> &str {
        match self {
            Self::Group(group) => &group.name,
            Self::User(user) => &user.name,
        }
    }

    pub fn mailboxes(&self) -> &[MailboxId] {
        match self {
            Self::Group(group) => &group.mailboxes,
            Self::User(user) => &user.mailboxes,
        }
    }

    fn mailboxes_mut(&mut self) -> &mut Vec<MailboxId> {
        match self {
            Self::Group(group) => &mut group.mailboxes,
            Self::User(user) => &mut user.mailboxes,
        }
    }

    /// As forms carry it.
    fn code(&self) -> String {
        match self {
            Self::Group(group) => format!("group:{}", group.name),
            Self::User(user) => format!("user:{}", user.name),
        }
    }
}

/// Everybody to whom mailboxes can be given: groups first. Who reads everything is not among them.
pub fn holders(context: &Context<'_>) -> Result<Vec<Holder>> {
    let archive = &context.web.archive;
    context.web.settle_rights()?;
    let users = users::users(archive)?.into_iter().filter(|user| !user.reads_everything());
    Ok(groups::groups(archive)?.into_iter().map(Holder::Group).chain(users.map(Holder::User)).collect())
}

/// The holder that a code or a name of the API stands for.
pub fn holder(context: &Context<'_>, is_group: bool, name: &str) -> Result<Option<Holder>> {
    let archive = &context.web.archive;
    Ok(if is_group {
        groups::group(archive, name)?.map(Holder::Group)
    } else {
        users::user(archive, name)?.filter(|user| !user.reads_everything()).map(Holder::User)
    })
}

/// One change of a right.
pub struct Change {
    pub is_group: bool,
    pub holder: String,
    pub mailbox: MailboxId,
    pub reads: bool,
}

/// Carries changes out, and leaves all else as it is: what somebody else changed meanwhile stays.
pub fn apply(context: &Context<'_>, changes: &[Change]) -> Result<()> {
    let (archive, who) = (&context.web.archive, context.who());
    let _turn = context.web.people();
    let names: BTreeSet<(bool, &str)> = changes.iter().map(|change| (change.is_group, &*change.holder)).collect();
    for (is_group, name) in names {
        let Some(mut holder) = holder(context, is_group, name)? else { continue };
        let before = holder.mailboxes().to_vec();
        let mailboxes = holder.mailboxes_mut();
        for change in changes.iter().filter(|change| (change.is_group, &*change.holder) == (is_group, name)) {
            mailboxes.retain(|id| *id != change.mailbox);
            if change.reads {
                mailboxes.push(change.mailbox.clone());
            }
        }
        mailboxes.sort();
        if *mailboxes == before {
            continue;
        }
        match &holder {
            Holder::Group(group) => groups::put_group(archive, group, &who)?,
            Holder::User(user) => users::put_user(archive, user, &who)?,
        }
    }
    Ok(())
}

/// What of the matrix is shown: filters, and where the page begins.
struct Part {
    mailboxes: String,
    people: String,
    row: usize,
    column: usize,
}

impl Part {
    fn of(query: &Form) -> Self {
        let number = |name: &str| query.text(name).parse().unwrap_or(0);
        let text = |name: &str| query.text(name).chars().take(100).collect();
        Self { mailboxes: text("mailboxes"), people: text("people"), row: number("row"), column: number("column") }
    }

    fn path(&self, row: usize, column: usize) -> String {
        let mut query = Form::default();
        for (name, value) in [("mailboxes", &self.mailboxes), ("people", &self.people)] {
            if !value.is_empty() {
                query.push(name, value);
            }
        }
        for (name, value) in [("row", row), ("column", column)] {
            if value > 0 {
                query.push(name, &value.to_string());
            }
        }
        let query = query.encode();
        if query.is_empty() { "/admin/rights".into() } else { format!("/admin/rights?{query}") }
    }
}

/// From a place that begins a page, at most so many.
fn window(from: usize, most: usize, of: usize) -> std::ops::Range<usize> {
    let from = if from < of { from - from % most } else { 0 };
    from..of.min(from + most)
}

pub fn show(context: &Context<'_>) -> Result<Response> {
    let t = &context.t.rights;
    let part = Part::of(&context.request.query);
    let fits = |text: &str, filter: &str| text.to_lowercase().contains(&filter.to_lowercase());
    let mut mailboxes: Vec<(MailboxId, String)> = mailboxes(context)?.into_iter().collect();
    let is_empty = mailboxes.is_empty();
    mailboxes.retain(|(_, name)| fits(name, &part.mailboxes));
    mailboxes.sort_by_cached_key(|(id, name)| (id.definition.is_empty(), name.to_lowercase()));
    let mut holders = holders(context)?;
    holders.retain(|holder| fits(holder.name(), &part.people));
    let everything: Vec<String> =
        users::users(&context.web.archive)?.into_iter().filter(User::reads_everything).map(|user| user.name).collect();
    let rows = window(part.row, MATRIX_ROWS, mailboxes.len());
    let columns = window(part.column, MATRIX_COLUMNS, holders.len());
    let body = html! {
        (tabs(context, Tab::Matrix))
        h1 { (t.matrix) }
        p { (t.matrix_intro) }
        @if !everything.is_empty() { p.soft { (t.matrix_reads_all) " " (everything.join(", ")) } }
        @if is_empty { p.empty { (context.t.entry.matrix_empty) } } @else {
            form.filter.row method="get" action="/admin/rights" {
                div.field { label for="mailboxes" { (t.matrix_filter_mailboxes) }
                    input #mailboxes name="mailboxes" type="search" value=(part.mailboxes) autocomplete="off"; }
                div.field { label for="people" { (t.matrix_filter_people) }
                    input #people name="people" type="search" value=(part.people) autocomplete="off"; }
                button { (t.matrix_filter) }
            }
            @if mailboxes.is_empty() || holders.is_empty() { p.empty { (t.matrix_nothing) } } @else {
                div.row.spread {
                    (paging(context, t.matrix_mailboxes, &rows, mailboxes.len(), MATRIX_ROWS, &|row| part.path(row, columns.start)))
                    (paging(context, t.matrix_people, &columns, holders.len(), MATRIX_COLUMNS, &|column| part.path(rows.start, column)))
                }
                (table(context, &mailboxes[rows.clone()], &holders[columns.clone()], &part.path(rows.start, columns.start))?)
            }
        }
    };
    Ok(layout::page(context, Section::Users, Width::Wide, t.matrix, &body))
}

/// Which of how many are shown, and the way to the others.
fn paging(
    context: &Context<'_>,
    what: &str,
    shown: &std::ops::Range<usize>,
    of: usize,
    most: usize,
    path: &dyn Fn(usize) -> String,
) -> Markup {
    let t = &context.t.rights;
    html! {
        nav.row aria-label=(what) {
            span.soft { (what) " " (shown.start + 1) "–" (shown.end) " / " (of) }
            @if shown.start > 0 {
                a href=(path(shown.start - most)) aria-label={ (what) ": " (t.matrix_before) } { "← " (t.matrix_before) }
            }
            @if shown.end < of { a href=(path(shown.end)) aria-label={ (what) ": " (t.matrix_after) } { (t.matrix_after) " →" } }
        }
    }
}

/// By what somebody reads a mailbox beside a tick of its own.
fn beside(
    context: &Context<'_>,
    id: &MailboxId,
    (holder, groups): &(&Holder, Vec<&Group>),
    definition: Option<&Definition>,
) -> Markup {
    let t = &context.t.rights;
    let is_owner = definition.is_some_and(|definition| match holder {
        Holder::User(user) => user.owns(&definition.owner, groups.iter().copied()),
        Holder::Group(group) => settings::same_name(&definition.owner, &group.name),
    });
    html! {
        @if groups.iter().any(|group| group.mailboxes.contains(id)) { small { (t.by_group) } }
        @if is_owner { small { (t.by_owner) } }
    }
}

/// A table of boxes. Beside what is ticked the form carries what was, so that only what a person changed is changed.
fn table(context: &Context<'_>, rows: &[(MailboxId, String)], columns: &[Holder], next: &str) -> Result<Markup> {
    let t = &context.t.rights;
    let groups = groups::groups(&context.web.archive)?;
    let definitions: Vec<Definition> = settings::definitions(&context.web.archive)?.into_iter().flatten().collect();
    // Each with the groups that it is in.
    let columns: Vec<(&Holder, Vec<&Group>)> = columns
        .iter()
        .map(|holder| match holder {
            Holder::User(user) => (holder, groups.iter().filter(|group| group.has(&user.name)).collect()),
            Holder::Group(_) => (holder, Vec::new()),
        })
        .collect();
    let definition = |id: &MailboxId| definitions.iter().find(|definition| definition.name == id.definition);
    Ok(html! {
        form method="post" action="/admin/rights" {
            (layout::token(context))
            input type="hidden" name="next" value=(next);
            @for (id, _) in rows { input type="hidden" name="mailbox" value=(value(id)); }
            @for (holder, _) in &columns { input type="hidden" name="holder" value=(holder.code()); }
            div.scroll.card role="region" tabindex="0" aria-label=(t.matrix) {
                table.matrix {
                    thead { tr {
                        th scope="col" { (context.t.entry.mailbox) }
                        @for (holder, _) in &columns {
                            th scope="col" { (holder.name()) @if matches!(holder, Holder::Group(_)) { " " span.tag { (t.group) } } }
                        }
                    } }
                    tbody { @for (row, (id, name)) in rows.iter().enumerate() { tr {
                        th scope="row" { (name) }
                        @for (column, held) in columns.iter().enumerate() {
                            @let holder = held.0;
                            @let is_given = holder.mailboxes().contains(id);
                            td {
                                @if is_given { input type="hidden" name="was" value=(format!("{row}.{column}")); }
                                input type="checkbox" name="is" value=(format!("{row}.{column}")) checked[is_given]
                                    aria-label={ (name) ": " (holder.name()) };
                                (beside(context, id, held, definition(id)))
                            }
                        }
                    } } }
                }
            }
            button.first { (context.t.page.save) }
        }
    })
}

/// A mailbox as a value of a form; neither part can hold a line end.
fn value(id: &MailboxId) -> String {
    format!("{}\n{}", id.definition, id.mailbox)
}

pub fn send(context: &Context<'_>) -> Result<Response> {
    let form = context.form()?;
    let known = mailboxes(context)?;
    // Browsers send line ends of values as CR LF.
    let id = |text: &str| {
        let text = text.replace("\r\n", "\n");
        let (definition, mailbox) = text.split_once('\n')?;
        Some(MailboxId { definition: definition.into(), mailbox: mailbox.into() }).filter(|id| known.contains_key(id))
    };
    let rows: Vec<Option<MailboxId>> = form.all("mailbox").map(id).collect();
    let columns: Vec<(bool, &str)> = form
        .all("holder")
        .map(|code| code.split_once(':').unwrap_or_default())
        .map(|(kind, name)| (kind == "group", name))
        .collect();
    let cells = |name: &str| -> Result<BTreeSet<(usize, usize)>> {
        let cell = |text: &str| {
            let (row, column) = text.split_once('.')?;
            let (row, column) = (row.parse().ok()?, column.parse().ok()?);
            (row < rows.len() && column < columns.len()).then_some((row, column))
        };
        form.all(name).map(|text| cell(text).ok_or(WebError::NotFound)).collect()
    };
    let (was, is) = (cells("was")?, cells("is")?);
    let changes: Vec<Change> = was
        .symmetric_difference(&is)
        .filter_map(|cell| {
            let (is_group, holder) = columns[cell.1];
            let mailbox = rows[cell.0].clone()?;
            Some(Change { is_group, holder: holder.into(), mailbox, reads: is.contains(cell) })
        })
        .collect();
    apply(context, &changes)?;
    context.notice(context.t.page.saved);
    let next = form.text("next");
    Ok(Response::redirect(if next.starts_with("/admin/rights") { next } else { "/admin/rights" }))
}
