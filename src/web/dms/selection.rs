//! What is done with several chosen documents.

use maud::html;

use super::super::Context;
use super::super::error::{Result, WebError};
use super::super::layout::{self, Section, Width};
use super::super::response::{Response, is_own_path};
use super::{access, export, fields, link, restore};
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
        "links" | "forward" => {
            let (mut links, mut short) = (Vec::new(), Vec::new());
            for number in numbers {
                if let Some(document) = view.document(number)? {
                    links.push(link::text(context, number, &document.metadata));
                    short.push(link::short(context, number, &document.metadata));
                }
            }
            drop(view);
            Ok(show_links(context, &links, &short, table))
        }
        "export" => {
            drop(view);
            Ok(export::chosen(context, numbers))
        }
        "restore" => {
            drop(view);
            restore::of_chosen(context, &numbers, table)
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

/// The links to copy by hand, for a browser without the script, or to send in a new mail.
fn show_links(context: &Context<'_>, links: &[String], short: &[[String; 2]], table: &str) -> Response {
    let (t, m) = (&context.t.dms, &context.t.manage);
    let subject = match short {
        [[title, _]] => title,
        _ => t.copy_links,
    };
    let all = links.join("\n\n");
    let mail = link::mailto(subject, short);
    let body = html! {
        p { a href=(table) { "← " (t.documents) } }
        h1 { (m.links_title) }
        section.card.link data-link=(all) {
            label for="access-links" { (t.links_by_hand) }
            textarea #access-links rows="12" readonly { (all) }
            div.row {
                @if let Some((address, _)) = &mail { a.button.first href=(address) { (m.forward) } }
                button type="button" hidden data-copy-link { (t.copy_links) }
                span.soft role="status" data-said data-copied=(t.copied) {}
            }
            @match &mail {
                Some((_, count)) if *count < links.len() => p.soft { ((m.forward_some)(*count as u64, links.len() as u64)) },
                None => p.soft { (m.forward_none) },
                Some(_) => {},
            }
        }
    };
    layout::page(context, Section::Archive, Width::Usual, m.links_title, &body)
}
