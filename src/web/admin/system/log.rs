//! The last lines of the box's log.

use maud::html;

use super::super::super::Context;
use super::super::super::error::Result;
use super::super::super::layout::Field;
use super::super::super::response::Response;
use super::super::{Part, page};
use super::link;

/// A page; plain text with `as=text`.
pub fn show(context: &Context<'_>) -> Result<Response> {
    let mut lines = link(context)?.log();
    let word = context.request.query.text("word");
    let wanted = word.to_lowercase();
    lines.retain(|line| line.to_lowercase().contains(&wanted));
    let text = lines.join("\n");
    if context.request.query.text("as") == "text" {
        return Ok(Response::text(200, text + "\n"));
    }
    let t = &context.t.system;
    let body = html! {
        p { a href="/admin/system" { "← " (t.title) } }
        h1 { (t.log) }
        p { (t.log_help) }
        form.card method="get" action="/admin/system/log" {
            (Field { name: "word", label: t.log_word, value: word, fill: "off", ..Field::default() })
            p.row {
                button.first { (t.log_filter) }
                button name="as" value="text" { (t.log_as_text) }
            }
        }
        @if lines.is_empty() { p { (t.log_empty) } }
        @else { pre.card.scroll.log tabindex="0" { (text) } }
    };
    Ok(page(context, Part::System, t.log, &body))
}
