//! The pages of one document: what is common to its tabs, with the table beside them where there is room.

use maud::{Markup, html};

use super::super::Context;
use super::super::error::{Result, WebError};
use super::super::layout::{self, Section, Width};
use super::super::response::Response;
use super::access::{self, Shown};
use super::state::State;
use super::{ended, link, show, table, versions, view};
use crate::limits::TABLE_CHARS;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tab {
    View,
    Fields,
    Source,
    Proof,
}

/// `/`: the table alone.
pub fn list(context: &Context<'_>) -> Result<Response> {
    let state = State::of(&context.request.query);
    let table = table::table(context, &state, None)?;
    let body = html! {
        h1.hidden-text { (context.t.dms.documents) }
        (table)
    };
    Ok(layout::page(context, Section::Archive, Width::Wide, context.t.dms.documents, &body))
}

/// The View tab.
pub fn show(context: &Context<'_>) -> Result<Response> {
    let shown = match access::readable(context) {
        Err(WebError::NotFound) => return ended::page(context),
        shown => shown?,
    };
    access::note_opened(context, shown.number)?;
    let body = view::body(context, &shown)?;
    page(context, &shown, Tab::View, &body)
}

/// What the document is called on its page.
pub fn title(context: &Context<'_>, shown: &Shown) -> String {
    if context.administration.suppresses_title {
        return format!("{} {}", context.t.dms.number, shown.number);
    }
    match show::cut(&shown.document.metadata.title, TABLE_CHARS).as_str() {
        "" => context.t.dms.no_title.to_string(),
        title => title.to_string(),
    }
}

/// A tab of a document.
pub fn page(context: &Context<'_>, shown: &Shown, tab: Tab, body: &Markup) -> Result<Response> {
    let t = &context.t.dms;
    let state = State::of(&context.request.query);
    let number = shown.number;
    let title = title(context, shown);
    let table = if state.is_listed { Some(table::table(context, &state, Some(number))?) } else { None };
    let versions = versions::list(context, shown, &state)?;
    let path = format!("/documents/{number}");
    let tab_link = |here: Tab, name: &str, text: &str| {
        let address = if name.is_empty() { path.clone() } else { format!("{path}/{name}") };
        html! { a href=(state.document(&address, &[])) aria-current=[(here == tab).then_some("page")] { (text) } }
    };
    let access_link = link::text(context, number, &shown.document.metadata);
    let is_blocked = context.view()?.is_blocked(number)?;
    let body = html! {
        div.panes.listed[table.is_some()] {
            @if let Some(table) = &table { section.list aria-label=(t.documents) { (table) } }
            article.document.card data-link=(access_link) data-view[tab == Tab::View] {
                p.back { a href=(state.table()) data-back { "← " (t.documents) } }
                h1 { (title) }
                p.soft { @if !context.administration.suppresses_title { (t.number) " " (number) }
                    @if link::is_published(&context.administration, &shown.document.metadata) { " " span.tag.good { (t.published) } }
                    @if is_blocked { " " span.tag.warn { (context.t.retention.is_blocked) } } }
                nav.tabs aria-label=(t.tabs) {
                    (tab_link(Tab::View, "", t.tab_view))
                    (tab_link(Tab::Fields, "fields", t.tab_fields))
                    @if access::shows_extended(context) {
                        (tab_link(Tab::Source, "source", t.tab_source))
                        (tab_link(Tab::Proof, "proof", t.tab_proof))
                    }
                }
                (body)
                (versions)
                (link_box(context, shown, &access_link))
            }
        }
    };
    Ok(layout::page(context, Section::Archive, Width::Wide, &title, &body))
}

/// The access link to copy: by a button with the script, by hand without; or to send in a new mail.
fn link_box(context: &Context<'_>, shown: &Shown, access_link: &str) -> Markup {
    let t = &context.t.dms;
    let short = link::short(context, shown.number, &shown.document.metadata);
    let mail = link::mailto(&short[0], std::slice::from_ref(&short));
    html! {
        section.link {
            label for="access-link" { (t.access_link) }
            textarea #access-link rows="2" readonly { (access_link) }
            div.row {
                button type="button" hidden data-copy-link { (t.copy_link) }
                @if let Some((address, _)) = mail { a.button href=(address) { (context.t.manage.forward) } }
                span.soft role="status" data-said data-copied=(t.copied) {}
            }
        }
    }
}
