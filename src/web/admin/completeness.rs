//! Completeness: what became of every message, folder by folder.

use maud::{Markup, html};

use super::super::Context;
use super::super::error::{Result, WebError};
use super::super::response::Response;
use super::sources::run_button;
use super::{Tab, definition, path, show, source_page};
use crate::archive::commit::{FolderNumber, LeftOut, Outcome};
use crate::fetch::completeness::{self, Counts, FolderCounts, OTHER_REASONS};
use crate::hash::{hex, unhex};
use crate::limits::{FAILED_PER_PAGE, FOLDERS_PER_PAGE};
use crate::settings::{AfterArchiving, Definition};
use crate::source::RemoteId;

pub fn show(context: &Context<'_>) -> Result<Response> {
    let t = &context.t.admin;
    let definition = definition(context)?;
    let from: usize = context.request.query.text("from").parse().unwrap_or(0);
    let (mut sum, mut shown, mut count) = (Counts::default(), Vec::new(), 0);
    completeness::of(&context.view()?, &definition.name, |folder| {
        sum.join(&folder.counts);
        if (from..from.saturating_add(FOLDERS_PER_PAGE)).contains(&count) {
            shown.push(folder);
        }
        count += 1;
        Ok::<_, WebError>(())
    })?;
    let path = path(&definition.name);
    let body = html! {
        p { (t.completeness_intro) }
        @if count == 0 { p { (t.completeness_empty) } } @else {
            section.card {
                div.scroll tabindex="0" {
                    table {
                        thead { tr {
                            th scope="col" { (t.mailbox) } th scope="col" { (t.folder) }
                            th.number scope="col" { (t.on_server) } th.number scope="col" { (t.archived) }
                            th.number scope="col" { (t.same) } th scope="col" { (t.left_out) }
                            th.number scope="col" { (t.deleted_after) } th scope="col" { (t.failed) }
                            th.number scope="col" { (t.unexplained) } th scope="col" { (t.reconciled) }
                        } }
                        tbody { @for folder in &shown { (row(context, &path, folder)) } }
                        tfoot {
                            tr { th scope="row" colspan="2" { (t.sum) } (cells(context, &sum, None)) td {} }
                        }
                    }
                }
                @if from > 0 || count > from.saturating_add(FOLDERS_PER_PAGE) {
                    p.row {
                        @if from > 0 { a href={ (path) "/completeness" } { (t.first_page) } }
                        @if count > from.saturating_add(FOLDERS_PER_PAGE) {
                            a href={ (path) "/completeness?from=" (from + FOLDERS_PER_PAGE) } { (t.further) }
                        }
                    }
                }
            }
        }
        (after(context, &definition, sum.after_due))
        @if definition.is_fetched() {
            section.card {
                p { (t.reconcile_help) }
                (run_button(context, &definition.name, true))
            }
        }
    };
    Ok(source_page(context, &definition, Tab::Completeness, &body))
}

/// What is still to be done on the server.
fn after(context: &Context<'_>, definition: &Definition, due: u64) -> Markup {
    let m = &context.t.manage;
    if due == 0 && definition.after == AfterArchiving::Leave {
        return html! {};
    }
    let count = show::number(context.lang, due);
    let how = match &definition.after {
        AfterArchiving::Leave => None,
        AfterArchiving::Move(folder) => Some((m.after_moved)(folder)),
        AfterArchiving::Delete => Some(m.after_deleted.to_owned()),
        AfterArchiving::Purge => Some(m.after_purged.to_owned()),
    };
    html! {
        section.card #after-due {
            h2 { (m.after_due) }
            @match how {
                None => p { ((m.after_left)(&count)) },
                Some(_) if due == 0 => p { (m.after_due_none) },
                Some(how) => p { ((m.after_due_some)(&count, &how)) },
            }
        }
    }
}

fn row(context: &Context<'_>, path: &str, folder: &FolderCounts) -> Markup {
    let named = &folder.row.folder;
    let failed = format!("{path}/failed/{}", named.number);
    html! {
        tr {
            td { (named.mailbox_name) } th scope="row" { (named.name) }
            (cells(context, &folder.counts, Some(&failed)))
            td { @if let Some(time) = folder.reconciled { (show::time(time)) } @else { (context.t.admin.never) } }
        }
    }
}

/// From *on server* to *unexplained*; `failed` is where the failed messages are listed.
fn cells(context: &Context<'_>, counts: &Counts, failed: Option<&str>) -> Markup {
    let (t, lang) = (&context.t.admin, context.lang);
    let number = |count: u64| html! { td.number { (show::number(lang, count)) } };
    html! {
        (number(counts.on_server)) (number(counts.archived)) (number(counts.same))
        td {
            @if counts.left_out.is_empty() { "0" }
            @for (why, count) in &counts.left_out { div { (show::number(lang, *count)) " " (left_out(context, *why)) } }
        }
        (number(counts.deleted))
        td {
            @if counts.failed.is_empty() { "0" }
            @for (why, count) in &counts.failed {
                div { (show::number(lang, *count)) " " (if why == OTHER_REASONS { t.other_reasons } else { why }) }
            }
            @if let Some(failed) = failed.filter(|_| !counts.failed.is_empty()) {
                a href=(failed) { (t.failed_title) }
            }
        }
        td.number { @if counts.unexplained > 0 { span.tag.bad { (show::number(lang, counts.unexplained)) } } @else { "0" } }
    }
}

fn left_out(context: &Context<'_>, why: LeftOut) -> &'static str {
    let t = &context.t.admin;
    match why {
        LeftOut::Draft => t.draft,
        LeftOut::TooYoung => t.too_young,
        LeftOut::Gone => t.gone,
    }
}

/// The failed messages of one folder.
pub fn failed(context: &Context<'_>) -> Result<Response> {
    let t = &context.t.admin;
    let definition = definition(context)?;
    let view = context.view()?;
    let number: FolderNumber = context.parameters[1].parse().map_err(|_| WebError::NotFound)?;
    let row = view.folder(number)?.filter(|row| row.folder.definition == definition.name).ok_or(WebError::NotFound)?;
    let above = unhex(context.request.query.text("above")).ok_or(WebError::NotFound)?;
    let (entries, is_more) = completeness::failed(&view, number, &above, FAILED_PER_PAGE)?;
    let here = format!("{}/failed/{number}", path(&definition.name));
    let body = html! {
        h2 { (t.failed_title) }
        p { (row.folder.mailbox_name) " · " (row.folder.name) }
        p { (t.failed_intro) }
        section.card {
            @if entries.is_empty() { p { (t.failed_empty) } } @else {
                div.scroll tabindex="0" {
                    table {
                        thead { tr {
                            th scope="col" { (t.remote_id) } th scope="col" { (t.reason) }
                            th.number scope="col" { (t.tries) } th scope="col" { (t.next_try) }
                        } }
                        tbody {
                            @for entry in &entries {
                                @if let Outcome::Failed { why, tries, again } = &entry.outcome {
                                    tr {
                                        td.mono { (RemoteId(entry.remote.clone())) } td.said { (why) }
                                        td.number { (tries) } td { (show::time(*again)) }
                                    }
                                }
                            }
                        }
                    }
                }
            }
            p.row {
                @if !above.is_empty() { a href=(here) { (t.first_page) } }
                @if let Some(last) = entries.last().filter(|_| is_more) {
                    a href={ (here) "?above=" (hex(&last.remote)) } { (t.further) }
                }
            }
        }
        p { a href={ (path(&definition.name)) "/completeness" } { "← " (t.tab_completeness) } }
    };
    Ok(source_page(context, &definition, Tab::Completeness, &body))
}
