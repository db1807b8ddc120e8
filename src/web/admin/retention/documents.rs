//! Documents that are blocked, whose erasure is asked for, or that ended.

use maud::html;

use super::super::super::Context;
use super::super::super::dms::{ended, retention};
use super::super::super::error::Result;
use super::super::super::request::number;
use super::super::super::response::Response;
use super::super::fields::line;
use super::super::show as showing;
use super::{Tab, page};
use crate::limits::RETENTION_LISTED;
use crate::settings::erasures;

pub fn list(context: &Context<'_>) -> Result<Response> {
    let t = &context.t.retention;
    let query = &context.request.query;
    let wanted = query.text("number");
    let view = context.view()?;
    let is_there = |number| {
        Ok::<_, crate::archive::ArchiveError>(view.document_row(number)?.is_some() || view.ended_row(number)?.is_some())
    };
    if let Some(number) = number(wanted)
        && is_there(number)?
    {
        return Ok(Response::redirect(&retention::path(number)));
    }
    let after = number(query.text("blocked")).unwrap_or_default();
    let blocked = view.blocked(after, RETENTION_LISTED)?;
    let more_blocked = blocked.last().copied().filter(|_| blocked.len() == RETENTION_LISTED);
    let gone = view.ended(number(query.text("ended")), RETENTION_LISTED)?;
    let more_gone = gone.last().map(|(number, _)| *number).filter(|_| gone.len() == RETENTION_LISTED);
    drop(view);
    let requests = erasures::erasures(&context.web.archive)?;
    let unknown = if wanted.is_empty() { "" } else { t.number_wrong };
    let open = |number: u64| html! { a href=(retention::path(number)) { (number) } };
    let body = html! {
        p { (t.documents_intro) }
        form.card.definition method="get" action="/admin/retention/documents" {
            (line("number", context.t.dms.number, wanted, "", unknown))
            button { (t.open_document) }
        }
        section.card {
            h2 { (t.requests) }
            @if requests.is_empty() { p.soft { (t.requests_none) } } @else {
                ul { @for request in &requests {
                    li { (open(request.number)) ": " ((t.asked)(&request.who, &showing::minute(request.time))) " " (request.reason) }
                } }
            }
        }
        section.card {
            h2 { (t.blocked) }
            @if blocked.is_empty() { p.soft { (t.blocked_none) } } @else {
                ul { @for number in &blocked { li { (open(*number)) } } }
                @if let Some(last) = more_blocked { p { a href={ "/admin/retention/documents?blocked=" (last) } { (t.more) } } }
            }
        }
        section.card {
            h2 { (t.ended) }
            @if gone.is_empty() { p.soft { (t.ended_none) } } @else {
                div.scroll role="region" tabindex="0" aria-label=(t.ended) { table {
                    thead { tr {
                        th scope="col" { (context.t.dms.number) } th scope="col" { (t.ended_on) } th scope="col" { (t.why) }
                    } }
                    tbody { @for (number, row) in &gone { tr {
                        th scope="row" { (number) } td { (showing::time(row.time)) } td { (ended::why(t, row.why)) }
                    } } }
                } }
                @if let Some(last) = more_gone { p { a href={ "/admin/retention/documents?ended=" (last) } { (t.more) } } }
            }
        }
    };
    Ok(page(context, Tab::Documents, &body))
}
