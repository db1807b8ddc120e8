//! The search field and the table of documents.

use maud::{Markup, html};

use super::super::Context;
use super::super::error::Result;
use super::super::layout;
use super::access;
use super::state::State;
use super::{link, show};
use crate::archive::commit::Number;
use crate::archive::rows::Document;
use crate::limits::{PAGE_DOCUMENTS, SEARCH_LOOKED, SORT_LOOKED, TABLE_CHARS};
use crate::search::{Ask, Found, Query, Sort, find};
use crate::settings::administration::Field;

/// What the table shows of a document.
struct Row {
    number: Number,
    time: i64,
    from: String,
    title: String,
    to: String,
    size: u64,
    attachments: usize,
    is_published: bool,
    link: String,
}

fn row(context: &Context<'_>, number: Number, document: &Document) -> Row {
    let metadata = &document.metadata;
    Row {
        number,
        time: document.time,
        from: show::cut(&show::person(&metadata.from), TABLE_CHARS),
        title: show::cut(&metadata.title, TABLE_CHARS),
        to: show::cut(&metadata.to, TABLE_CHARS),
        size: document.size,
        attachments: metadata.attachments.len(),
        is_published: link::is_published(&context.administration, metadata),
        link: link::text(context, number, metadata),
    }
}

/// Search field and table; `chosen` is the document that is shown beside it.
pub fn table(context: &Context<'_>, state: &State, chosen: Option<Number>) -> Result<Markup> {
    let t = &context.t.dms;
    let query = Query::parse(&state.query, &show::zone());
    let view = context.view()?;
    let reads = context.reads(&view)?;
    let ask = Ask { query: &query, order: state.order, at: state.at, back: state.back, most: PAGE_DOCUMENTS };
    let mut found = find(&view, &reads, ask, |number, document| row(context, number, document))?;
    let mut state = State { is_listed: true, ..state.clone() };
    if found.rows.is_empty() && state.back && found.further.is_none() {
        // Nothing is before: the first page.
        state = state.page(None, false);
        let ask = Ask { at: None, back: false, ..ask };
        found = find(&view, &reads, ask, |number, document| row(context, number, document))?;
    }
    drop(view);
    Ok(html! {
        (search(context, &state, &query))
        @if found.rows.is_empty() {
            p.empty { @if query.is_empty() && state.at.is_none() { (t.no_documents) } @else { (t.nothing_found) } }
        } @else {
            (rows(context, &state, &found, chosen))
        }
        @if found.only_newest { p.soft { ((t.only_newest)(SORT_LOOKED as u64)) } }
        @if let Some(further) = found.further {
            p.soft { ((t.looked_at)(SEARCH_LOOKED as u64)) " "
                a href=(state.page(Some(further), state.back).table()) { (t.search_further) } }
        }
        (paging(context, &state, &found))
    })
}

fn search(context: &Context<'_>, state: &State, query: &Query) -> Markup {
    let t = &context.t.dms;
    html! {
        form.search method="get" action="/" role="search" {
            label.hidden-text for="q" { (t.search) }
            input #q name="q" type="search" value=(state.query) placeholder=(t.search_example) autocomplete="off"
                aria-describedby="search-help" data-search;
            @for (name, value) in state.hidden() { input type="hidden" name=(name) value=(value); }
            button.first { (t.search) }
            @if access::may_change(context) { a.button href="/upload" { (t.upload) } }
        }
        @for hint in query.hints() { p.hint.note.warn role="status" { (hint.sentence(context.lang)) } }
        details.help #search-help {
            summary { (t.search_help) }
            p { (t.search_help_more) }
            p data-keys { (t.keys_help) }
        }
    }
}

fn rows(context: &Context<'_>, state: &State, found: &Found<Row>, chosen: Option<Number>) -> Markup {
    let t = &context.t.dms;
    let publishes = access::may_change(context) && matches!(context.administration.publishing, Some(Field::Other(_)));
    html! {
        form method="post" action="/selection" data-documents {
            (layout::token(context))
            input type="hidden" name="table" value=(state.table());
            div.row.actions {
                button name="action" value="links" data-copy-chosen { (t.copy_links) }
                @if publishes {
                    button name="action" value="publish" { (t.publish) }
                    button name="action" value="withdraw" { (t.withdraw) }
                }
                span.soft role="status" data-said data-copied=(t.copied) data-none=(t.none_chosen) {}
            }
            div.scroll {
                table.documents {
                    caption.hidden-text { (t.documents) }
                    thead { tr {
                        th scope="col" { span.hidden-text { (t.choose) } }
                        (head(state, Sort::Number, t.number, "number"))
                        (head(state, Sort::Date, t.date, ""))
                        (head(state, Sort::From, t.from, ""))
                        (head(state, Sort::Title, t.title, ""))
                        th.to scope="col" { (t.to) }
                        (head(state, Sort::Size, t.size, "number"))
                        th scope="col" { span.hidden-text { (t.attachments) } }
                    } }
                    tbody {
                        @for row in &found.rows { (one(context, state, row, chosen == Some(row.number))) }
                    }
                }
            }
        }
    }
}

fn head(state: &State, sort: Sort, name: &str, class: &str) -> Markup {
    let is_here = state.order.sort == sort;
    let direction = if state.order.descending { "descending" } else { "ascending" };
    html! {
        th scope="col" class=(class) aria-sort=[is_here.then_some(direction)] {
            a href=(state.sorted(sort).table()) {
                (name) @if is_here { span aria-hidden="true" { (if state.order.descending { " ↓" } else { " ↑" }) } }
            }
        }
    }
}

fn one(context: &Context<'_>, state: &State, row: &Row, is_chosen: bool) -> Markup {
    let t = &context.t.dms;
    let path = format!("/documents/{}", row.number);
    html! {
        tr class=[is_chosen.then_some("chosen")] data-link=(row.link) {
            td.pick { input type="checkbox" name="number" value=(row.number) aria-label={ (t.choose) " " (row.number) }; }
            td.number { (row.number) }
            td.date { (show::minute(row.time)) }
            td.from { (row.from) }
            td.title {
                a href=(state.document(&path, &[])) data-row aria-current=[is_chosen.then_some("true")] {
                    @if row.title.is_empty() { (t.no_title) } @else { (row.title) }
                }
                @if row.is_published { " " span.tag.good { (t.published) } }
            }
            td.to { (row.to) }
            td.number.size { (show::size(context.lang, row.size)) }
            td.clip {
                @if row.attachments > 0 {
                    span title=((t.count_attachments)(row.attachments as u64)) aria-hidden="true" { "📎" }
                    span.hidden-text { ((t.count_attachments)(row.attachments as u64)) }
                }
            }
        }
    }
}

fn paging(context: &Context<'_>, state: &State, found: &Found<Row>) -> Markup {
    let t = &context.t.dms;
    html! {
        @if found.before.is_some() || found.after.is_some() {
            nav.paging.row aria-label=(t.pages) {
                @if let Some(before) = found.before {
                    a.button rel="prev" href=(state.page(Some(before), true).table()) { "← " (t.page_before) }
                    a.button href=(state.page(None, false).table()) { (t.page_first) }
                }
                @if let Some(after) = found.after {
                    a.button rel="next" href=(state.page(Some(after), false).table()) { (t.page_after) " →" }
                }
            }
        }
    }
}
