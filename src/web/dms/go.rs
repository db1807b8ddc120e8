//! Access links: the login first, the document after.

use maud::html;

use super::super::Context;
use super::super::entry::to_login;
use super::super::error::{Result, WebError};
use super::super::layout::{self, Section, Width};
use super::super::request::number;
use super::super::response::Response;
use super::{access, document, ended, view};
use crate::archive::commit::{Happening, Number};

/// `/perl/avclient/index.pl?target=new&go=8441`: the address that the maker has given documents since 2023.
pub fn as_the_maker(context: &Context<'_>) -> Result<Response> {
    let Some(go) = context.request.query.get("go") else { return Ok(Response::redirect("/")) };
    open(context, number(go.trim()))
}

/// `/go/8441`: the short form.
pub fn short(context: &Context<'_>) -> Result<Response> {
    open(context, context.number(0).ok())
}

/// Whoever is not logged in is led to the login whatever the number is; whoever has no right sees what a wrong number shows.
fn open(context: &Context<'_>, number: Option<Number>) -> Result<Response> {
    let shown = match (access::visible(context, number), number) {
        (Err(WebError::NotFound), Some(number)) => return ended::page_of(context, number),
        (shown, _) => shown?,
    };
    let Some(shown) = shown else { return Ok(to_login(context)) };
    if shown.reads.is_some() {
        context.journal(Happening::OpenedByLink(shown.number))?;
        return Ok(Response::redirect(&format!("/documents/{}", shown.number)));
    }
    // Anybody can ask as often as he likes: what the journal keeps of it is bounded.
    access::note_opened(context, shown.number)?;
    let title = document::title(context, &shown);
    let body = html! { (view::public(context, &shown)?) };
    Ok(layout::page(context, Section::None, Width::Usual, &title, &body))
}
