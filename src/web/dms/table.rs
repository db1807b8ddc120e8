//! The search field and the table of documents.

use std::time::Instant;

use maud::{Markup, html};

use super::super::Context;
use super::super::error::Result;
use super::super::layout;
use super::access;
use super::searches;
use super::state::{Only, State};
use super::{link, show};
use crate::archive::commit::Number;
use crate::archive::rows::Document;
use crate::limits::{
    PAGE_DOCUMENTS, RANKED, SEARCH_LOOKED, SNIPPET_MAIL, SNIPPETS, SORT_LOOKED, SUGGESTED_SENDERS, TABLE_CHARS,
};
use crate::search::snippet::{Snippet, snippet};
use crate::search::text::Body;
use crate::search::{Ask, Found, IndexError, Query, Sort, find};
use crate::settings::administration::{Field, TWIPS, Usage};
use crate::settings::document_fields::Kind;
use crate::settings::field_value;

/// CSS pixels left and right of what stands in a cell (`th` in style.css).
const CELL_PADDING: u32 = 24;

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
    owner: String,
    archived: i64,
    /// What stands in the columns of defined fields.
    further: Vec<String>,
    /// Where in its text it was found.
    snippet: Option<Snippet>,
}

/// Which columns the table has.
struct Columns {
    is_reduced: bool,
    /// Number, owner and archive date.
    internal: bool,
    /// Defined fields.
    further: Vec<(String, Kind)>,
}

impl Columns {
    fn of(context: &Context<'_>, state: &State) -> Self {
        let is_reduced = state.reduced.unwrap_or(context.administration.starts_reduced);
        let fields = context.fields.shown().filter(|field| field.is_column && context.sees(&field.name));
        let further = fields.map(|field| (field.name.clone(), field.kind));
        Self {
            is_reduced,
            internal: !is_reduced || !context.administration.hides_internal,
            further: if is_reduced { Vec::new() } else { further.collect() },
        }
    }
}

fn row(context: &Context<'_>, columns: &Columns, number: Number, document: &Document) -> Row {
    let metadata = &document.metadata;
    let further = columns.further.iter().map(|(name, kind)| {
        let value = metadata.fields.get(name).map(String::as_str).unwrap_or_default();
        show::cut(&field_value::shown(*kind, value, context.lang), TABLE_CHARS)
    });
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
        owner: show::cut(&metadata.owner, TABLE_CHARS),
        archived: metadata.archived,
        further: further.collect(),
        snippet: None,
    }
}

/// Which documents are shown: as was asked for, else what the archive is used for.
pub fn only(context: &Context<'_>, state: &State) -> Only {
    state.only.unwrap_or(match context.administration.usage {
        Usage::Documents => Only::All,
        Usage::Mails => Only::Mails,
    })
}

/// Search field and table; `chosen` is the document that is shown beside it.
pub fn table(context: &Context<'_>, state: &State, chosen: Option<Number>) -> Result<Markup> {
    let t = &context.t.dms;
    let view = context.view()?;
    let only = only(context, state);
    let query = Query::parse(&state.query, &show::zone(), &context.searchable());
    let query = query.newest(context.ties()).only(only.kind());
    let columns = Columns::of(context, state);
    let reads = context.reads(&view)?;
    let ask = Ask { query: &query, order: state.order, at: state.at, back: state.back, most: PAGE_DOCUMENTS };
    let search = |ask| {
        let keep = |number, document: &Document| row(context, &columns, number, document);
        match find(&context.web.index, &view, &reads, ask, keep) {
            Err(IndexError::TooMany) => Ok((Found::default(), Some(t.search_too_many))),
            Err(IndexError::TooLong) => Ok((Found::default(), Some(t.search_too_long))),
            found => found.map(|found| (found, None)),
        }
    };
    let (mut found, mut given_up) = search(ask)?;
    let mut state = State { is_listed: true, ..state.clone() };
    if found.rows.is_empty() && state.back && found.further.is_none() {
        // Nothing is before: the first page.
        state = state.page(None, false);
        (found, given_up) = search(Ask { at: None, back: false, ..ask })?;
    }
    drop(view);
    snippets(context, &query, &mut found.rows)?;
    Ok(html! {
        (form(context, &state, &query, &found.rows))
        (searches::list(context, &state)?)
        (views(context, &state, only, &columns, &query))
        @if let Some(why) = given_up {
            p.hint.note.warn role="status" { (why) }
        } @else if found.rows.is_empty() {
            p.empty { @if query.is_empty() && state.at.is_none() { (t.no_documents) } @else { (t.nothing_found) } }
        } @else {
            (rows(context, &state, &columns, &found, chosen))
        }
        @if found.is_behind { p.hint.note role="status" { (t.index_behind) } }
        @if found.only_newest { p.soft { ((t.only_newest)(if state.order.sort == Sort::Relevance { RANKED as u64 } else { SORT_LOOKED as u64 })) } }
        @if let Some(further) = found.further {
            p.soft { ((t.looked_at)(SEARCH_LOOKED as u64)) " "
                a href=(state.page(Some(further), state.back).table()) { (t.search_further) } }
        }
        (paging(context, &state, &found))
        @if !found.rows.is_empty() && access::shows_extended(context) {
            p.all { a href=(state.all("/export", only)) { (context.t.manage.export_all) } }
        }
    })
}

/// Reads the texts of the documents of a page, as many as there is time for, and takes out where the words stand.
fn snippets(context: &Context<'_>, query: &Query, rows: &mut [Row]) -> Result<()> {
    let marks = query.marks();
    let until = Instant::now() + SNIPPETS;
    if marks.is_empty() {
        return Ok(());
    }
    let archive = &context.web.archive;
    for row in rows {
        if Instant::now() >= until {
            break;
        }
        let Some(document) = archive.view()?.document(row.number)? else { continue };
        // A long one would take the time of all others.
        if document.size > SNIPPET_MAIL {
            continue;
        }
        let mut body = Body::default();
        match body.read(archive, row.number, &document) {
            Ok(()) => row.snippet = body.texts.iter().find_map(|text| snippet(text, &marks)),
            Err(error) => tracing::warn!(%error, "a text could not be read for a page of results"),
        }
    }
    Ok(())
}

fn form(context: &Context<'_>, state: &State, query: &Query, rows: &[Row]) -> Markup {
    let t = &context.t.dms;
    let suggested = suggested(context, rows);
    html! {
        form.search method="get" action="/" role="search" {
            label.hidden-text for="q" { (t.search) }
            input #q name="q" type="search" value=(state.query) placeholder=(t.search_example) autocomplete="off"
                aria-describedby="search-help" list="suggestions" data-search;
            datalist #suggestions { @for one in &suggested { option value=(one) {} } }
            @for (name, value) in state.hidden() { input type="hidden" name=(name) value=(value); }
            button.first { (t.search) }
            @if access::may_change(context) { a.button href="/upload" { (t.upload) } }
        }
        @for hint in query.hints() { p.hint.note.warn role="status" { (hint.sentence(context.lang)) } }
        details.help #search-help {
            summary { (t.search_help) }
            p { (t.search_help_more) " " (context.t.fields.search_fields) }
            p { (t.search_help_words) }
            p data-keys { (t.keys_help) }
        }
    }
}

/// What can be written into the search field: fields, those that people defined, and who sent what the table shows.
fn suggested(context: &Context<'_>, rows: &[Row]) -> Vec<String> {
    let mut all: Vec<String> = context.t.dms.search_words.iter().map(|word| (*word).to_owned()).collect();
    let defined = context.fields.shown().filter(|field| context.sees(&field.name));
    all.extend(defined.map(|field| {
        let name = field.name.to_lowercase();
        if name.contains(' ') { format!("\"{name}\":") } else { format!("{name}:") }
    }));
    let mut senders: Vec<&str> = rows.iter().map(|row| row.from.as_str()).filter(|from| !from.is_empty()).collect();
    senders.sort_unstable();
    senders.dedup();
    all.extend(senders.into_iter().take(SUGGESTED_SENDERS).map(|from| {
        let plain: String = from.chars().filter(|c| *c != '"').collect();
        format!("{}\"{plain}\"", context.t.dms.search_words[0])
    }));
    all
}

/// What is shown, and how much of it.
fn views(context: &Context<'_>, state: &State, only: Only, columns: &Columns, query: &Query) -> Markup {
    let (t, d) = (&context.t.fields, &context.t.dms);
    let entry = |to: Only, text: &str| {
        html! { a href=(state.showing(to).table()) aria-current=[(to == only).then_some("true")] { (text) } }
    };
    html! {
        nav.switch aria-label=(t.show_which) {
            (entry(Only::All, t.only_all))
            (entry(Only::Mails, t.only_mails))
            (entry(Only::Files, t.only_files))
            @if !query.marks().is_empty() {
                @if state.order.sort == Sort::Relevance { a href=(state.sorted(Sort::Date).table()) { (d.by_date) } }
                @else { a href=(state.sorted(Sort::Relevance).table()) { (d.by_relevance) } }
            }
            a.apart href=(state.reduced(!columns.is_reduced).table()) data-table {
                @if columns.is_reduced { (t.full_table) } @else { (t.reduced_table) }
            }
        }
    }
}

fn rows(context: &Context<'_>, state: &State, columns: &Columns, found: &Found<Row>, chosen: Option<Number>) -> Markup {
    let (t, m) = (&context.t.dms, &context.t.manage);
    let publishes = access::may_publish(context)
        && access::shows_extended(context)
        && matches!(context.administration.publishing, Some(Field::Other(_)));
    let compiles =
        access::may_publish(context) && access::shows_extended(context) && context.administration.publishing.is_some();
    html! {
        form method="post" action="/selection" data-documents {
            (layout::token(context))
            input type="hidden" name="table" value=(state.table());
            div.row.actions {
                button name="action" value="links" data-copy-chosen { (t.copy_links) }
                button name="action" value="forward" { (m.forward) }
                @if access::shows_extended(context) {
                    button name="action" value="export" { (m.export_zip) }
                    @if access::may_change(context) {
                        button name="action" value="restore" data-ask=(m.restore_sure) { (m.restore) }
                    }
                }
                @if publishes {
                    button name="action" value="publish" { (t.publish) }
                    button name="action" value="withdraw" { (t.withdraw) }
                }
                @if compiles { button name="action" value="compile" { (context.t.public.compile) } }
                span.soft role="status" data-said data-copied=(t.copied) data-none=(t.none_chosen) {}
            }
            div.scroll {
                table.documents {
                    caption.hidden-text { (t.documents) }
                    thead { tr {
                        th scope="col" { span.hidden-text { (t.choose) } }
                        @if columns.internal { (head(state, Sort::Number, t.number, "number", None)) }
                        (head(state, Sort::Date, t.date, "", None))
                        (head(state, Sort::From, t.from, "", None))
                        (head(state, Sort::Title, t.title, "", Some(context.administration.title_width / TWIPS)))
                        @for (name, _) in &columns.further { th.further scope="col" { (name) } }
                        @if !columns.is_reduced { th.to scope="col" { (t.to) } }
                        @if columns.internal {
                            th.owner scope="col" { (t.owner) }
                            th.archived scope="col" { (context.t.fields.archived) }
                        }
                        @if !columns.is_reduced {
                            (head(state, Sort::Size, t.size, "number size", None))
                            th.clip scope="col" { span.hidden-text { (t.attachments) } }
                        }
                    } }
                    tbody {
                        @for row in &found.rows { (one(context, state, columns, row, chosen == Some(row.number))) }
                    }
                }
            }
        }
    }
}

/// `width` in CSS pixels; else as much as it needs.
fn head(state: &State, sort: Sort, name: &str, class: &str, width: Option<u32>) -> Markup {
    let is_here = state.order.sort == sort;
    let direction = if state.order.descending { "descending" } else { "ascending" };
    html! {
        th scope="col" class=(class) width=[width] aria-sort=[is_here.then_some(direction)] {
            a href=(state.sorted(sort).table()) {
                (name) @if is_here { span aria-hidden="true" { (if state.order.descending { " ↓" } else { " ↑" }) } }
            }
            // A table gives a column less than its width where others want more; what stands in it it cannot make narrower.
            @if let Some(width) = width { svg width=(width.saturating_sub(CELL_PADDING)) height="0" aria-hidden="true" {} }
        }
    }
}

fn one(context: &Context<'_>, state: &State, columns: &Columns, row: &Row, is_chosen: bool) -> Markup {
    let t = &context.t.dms;
    let path = format!("/documents/{}", row.number);
    html! {
        tr class=[is_chosen.then_some("chosen")] data-link=(row.link) {
            td.pick { input type="checkbox" name="number" value=(row.number) aria-label={ (t.choose) " " (row.number) }; }
            @if columns.internal { td.number { (row.number) } }
            td.date { (show::minute(row.time)) }
            td.from { (row.from) }
            td.title {
                a href=(state.document(&path, &[])) data-row aria-current=[is_chosen.then_some("true")] {
                    @if row.title.is_empty() { (t.no_title) } @else { (row.title) }
                }
                @if row.is_published { " " span.tag.good { (t.published) } }
                @if let Some(snippet) = &row.snippet {
                    p.snippet { @for (bit, is_match) in &snippet.bits { @if *is_match { mark { (bit) } } @else { (bit) } } }
                }
            }
            @for ((name, _), value) in columns.further.iter().zip(&row.further) { td.further data-field=(name) { (value) } }
            @if !columns.is_reduced { td.to { (row.to) } }
            @if columns.internal {
                td.owner { (row.owner) }
                td.archived { (show::day(row.archived)) }
            }
            @if !columns.is_reduced {
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
