//! The Proof tab: what shows that a document is the one that came, where it was seen, and who looked at it.

use maud::{Markup, html};

use super::super::Context;
use super::super::error::{Result, WebError};
use super::super::happening::Teller;
use super::super::response::Response;
use super::access::{self, Shown};
use super::document::{Tab, page};
use super::{retention, show};
use crate::archive::commit::{Event, Folder, Happening, Occurrence};
use crate::archive::view::{Reads, View};
use crate::hash::Sha256;
use crate::limits::{ACCESSES, ACCESSES_LOOKED};
use crate::search::Places;

pub fn show(context: &Context<'_>) -> Result<Response> {
    let t = &context.t.dms;
    let shown = access::readable(context)?;
    access::note_opened(context, shown.number)?;
    let view = context.view()?;
    let kept = kept(&view, &shown)?;
    let chain = view.position()?.unwrap_or_default();
    let document = &shown.document;
    let body = html! {
        dl {
            dt { (t.number) } dd { (shown.number) }
            dt { "SHA-256" } dd.mono { (document.sha256) }
            dt { (t.size) } dd { (document.size) " Bytes" }
            dt { (t.archived) } dd { (show::second(document.metadata.archived)) }
            dt { (t.commit) } dd { (kept.commit) }
            dt { (t.chain_head) } dd { (chain.sequence) ": " span.mono { (chain.commit) } }
            @for variant in &kept.variants { dt { (t.variant) } dd.mono { (variant) } }
        }
        @if retention::may_decide(context) {
            p { a.button href=(retention::path(shown.number)) { (context.t.retention.of_document) } " " small { (context.t.retention.of_document_help) } }
        }
        (occurrences(context, &shown)?)
        (accesses(context, &shown)?)
    };
    drop(view);
    page(context, &shown, Tab::Proof, &body)
}

/// What the archive did to keep a document, as far as it tells of no place that the person may not read.
pub struct Kept {
    /// That archived it.
    pub commit: u64,
    /// Other renderings, each of one mailbox, which is not noted: only for whoever reads everything.
    pub variants: Vec<Sha256>,
}

pub fn kept(view: &View, shown: &Shown) -> Result<Kept> {
    let reads = shown.reads.as_ref().ok_or(WebError::NotFound)?;
    let commit = Places::of(view, reads)?.commit(view, shown.number)?.ok_or(WebError::NotFound)?;
    let variants = if *reads == Reads::All { view.variants(shown.number)? } else { Vec::new() };
    Ok(Kept { commit, variants })
}

/// Where it was seen: only places that the person may read.
pub fn seen(view: &View, shown: &Shown) -> Result<Vec<(Folder, Occurrence)>> {
    let Some(reads) = &shown.reads else { return Ok(Vec::new()) };
    let places = Places::of(view, reads)?;
    let mut rows = Vec::new();
    for seen in view.occurrences(shown.number)? {
        if let Some(row) = places.get(seen.folder) {
            rows.push((row.folder.clone(), seen));
        }
        if rows.len() == ACCESSES {
            break;
        }
    }
    Ok(rows)
}

fn occurrences(context: &Context<'_>, shown: &Shown) -> Result<Markup> {
    let t = &context.t.dms;
    let rows = seen(&context.view()?, shown)?;
    Ok(html! {
        h2 { (t.seen_at) }
        // Whoever has no mouse scrolls it by keys.
        div.scroll role="region" tabindex="0" aria-label=(t.seen_at) { table {
            thead { tr { th { (t.definition) } th { (t.mailbox) } th { (t.folder) } th { (t.received) } th { (t.flags) } } }
            tbody { @for (folder, seen) in &rows { tr {
                td { @if folder.definition.is_empty() { (t.upload) } @else { (folder.definition) } }
                td { (folder.mailbox_name) }
                td { (folder.name) }
                td { @if let Some(received) = seen.received { (show::minute(received)) } @else { "–" } }
                td { (seen.flags.join(" ")) }
            } } }
        } }
    })
}

/// Who looked at it, newest first, and whether there may be more. Whoever does not read everything sees own accesses only:
/// others would tell in whose mailboxes the document lies.
pub fn looked(context: &Context<'_>, view: &View, shown: &Shown) -> Result<(Vec<Event>, bool)> {
    let who = context.who();
    let sees_all = shown.reads == Some(Reads::All);
    // Where others ended in one go, it is between their numbers.
    let is_of_others = |event: &Event| matches!(event.what, Happening::Deleted(..));
    let fits = |event: &Event| event.what.names(shown.number) && !is_of_others(event) && (sees_all || event.who == who);
    Ok(view.events(ACCESSES, ACCESSES_LOOKED, fits)?)
}

fn accesses(context: &Context<'_>, shown: &Shown) -> Result<Markup> {
    let t = &context.t.dms;
    let sees_all = shown.reads == Some(Reads::All);
    let (events, is_cut) = looked(context, &context.view()?, shown)?;
    let teller = Teller::of(context);
    Ok(html! {
        h2 { @if sees_all { (t.accesses) } @else { (t.own_accesses) } }
        @if events.is_empty() { p.soft { (t.no_accesses) } } @else {
            div.scroll role="region" tabindex="0" aria-label=(t.accesses) { table {
                thead { tr { th { (t.time) } th { (t.who) } th { (t.what) } } }
                tbody { @for event in &events { tr {
                    td { (show::second(event.time)) } td { (event.who) } td { (teller.what(&event.what)) }
                } } }
            } }
        }
        @if is_cut { p.soft { (t.accesses_cut) } }
    })
}
