//! What is done with several chosen documents.

use maud::html;

use super::super::Context;
use super::super::error::{Result, WebError};
use super::super::layout::{self, Section, Width};
use super::super::response::{Response, is_own_path};
use super::{access, fields, link};
use crate::archive::commit::Number;
use crate::limits::CHOSEN;

/// `POST /selection`
pub fn act(context: &Context<'_>) -> Result<Response> {
    let t = &context.t.dms;
    let form = context.form()?;
    let table = Some(form.text("table")).filter(|path| is_own_path(path)).unwrap_or("/");
    let mut numbers: Vec<Number> = Vec::new();
    let view = context.view()?;
    let reads = context.reads(&view)?;
    for text in form.all("number").take(CHOSEN) {
        // What somebody may not read is not there.
        if let Ok(number) = text.parse()
            && view.may_read(&reads, number)?
            && !numbers.contains(&number)
        {
            numbers.push(number);
        }
    }
    if numbers.is_empty() {
        context.notice(t.none_chosen);
        return Ok(Response::redirect(table));
    }
    match form.text("action") {
        "links" => {
            let mut links = Vec::new();
            for number in numbers {
                if let Some(document) = view.document(number)? {
                    links.push(link::text(context, number, &document.metadata));
                }
            }
            drop(view);
            Ok(show_links(context, &links, table))
        }
        action @ ("publish" | "withdraw") => {
            drop(view);
            if !access::may_publish(context) {
                return Err(WebError::Forbidden);
            }
            let count = numbers.len() as u64;
            for number in numbers {
                fields::publish(context, number, action == "publish")?;
            }
            context.notice(if action == "publish" {
                (t.published_so_many)(count)
            } else {
                (t.withdrawn_so_many)(count)
            });
            Ok(Response::redirect(table))
        }
        _ => Err(WebError::NotFound),
    }
}

/// The links to copy by hand, for a browser without the script.
fn show_links(context: &Context<'_>, links: &[String], table: &str) -> Response {
    let t = &context.t.dms;
    let body = html! {
        p { a href=(table) { "← " (t.documents) } }
        h1 { (t.copy_links) }
        section.card.link {
            label for="access-links" { (t.links_by_hand) }
            textarea #access-links rows="12" readonly { (links.join("\n\n")) }
        }
    };
    layout::page(context, Section::Archive, Width::Usual, t.copy_links, &body)
}
