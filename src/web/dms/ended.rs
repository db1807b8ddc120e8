//! What stands in the place of a document that ended, for administrators and auditors. For everybody else it is a number that nobody has.

use maud::html;

use super::super::Context;
use super::super::error::{Result, WebError};
use super::super::layout::{self, Section, Width};
use super::super::response::Response;
use super::super::texts;
use super::{retention, show};
use crate::archive::commit::{Ending, Number};
use crate::archive::rows::Ended;

/// The page, in place of that of the document that the path names.
pub fn page(context: &Context<'_>) -> Result<Response> {
    page_of(context, context.number(0)?)
}

pub fn page_of(context: &Context<'_>, number: Number) -> Result<Response> {
    let ended = of(context, number)?.ok_or(WebError::NotFound)?;
    let t = &context.t.retention;
    let title = format!("{} {number}", context.t.dms.number);
    let body = html! {
        h1 { (title) }
        p { (sentence(context, &ended)) }
        p { (t.ended_more) }
        dl.card { dt { "SHA-256" } dd.mono { (ended.sha256) } dt { (context.t.dms.size) } dd { (ended.size) " Bytes" } }
        p { a.button href="/" { (context.t.page.to_start) } }
    };
    Ok(layout::page(context, Section::None, Width::Narrow, &title, &body).status(410))
}

/// What remains of it, for whoever may know that it was there.
pub fn of(context: &Context<'_>, number: Number) -> Result<Option<Ended>> {
    if !retention::may_decide(context) {
        return Ok(None);
    }
    Ok(context.view()?.ended_row(number)?.map(|row| row.value))
}

/// When it ended, and why.
pub fn sentence(context: &Context<'_>, ended: &Ended) -> String {
    let t = &context.t.retention;
    (t.is_ended)(&show::minute(ended.time), why(t, ended.why))
}

pub fn why(t: &texts::Retention, why: Ending) -> &'static str {
    match why {
        Ending::Term => t.why_term,
        Ending::Erased => t.why_erased,
    }
}
