//! What is done with several chosen documents.

use maud::html;

use super::super::error::{Result, WebError};
use super::super::layout::{self, Section, Width};
use super::super::response::{Response, is_own_path};
use super::super::{Context, compile};
use super::{access, export, fields, link, restore, show};
use crate::archive::commit::Number;
use crate::archive::view::View;
use crate::limits::{CHOSEN, TABLE_CHARS};

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
            export::chosen(context, numbers)
        }
        "restore" => {
            drop(view);
            restore::of_chosen(context, &numbers, table)
        }
        "compile" => {
            drop(view);
            if !compile::may_make(context) {
                return Err(WebError::Forbidden);
            }
            compile::from_selection(context, &numbers)
        }
        action @ ("publish" | "withdraw") => {
            if !access::may_publish(context) {
                return Err(WebError::Forbidden);
            }
            if action == "publish" && !form.is_on("sure") {
                let mails = unpublished_mails(context, &view, &numbers)?;
                if !mails.is_empty() {
                    return Ok(ask(context, &numbers, &mails, table));
                }
            }
            drop(view);
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

/// Titles of the mails that would be published now.
fn unpublished_mails(context: &Context<'_>, view: &View, numbers: &[Number]) -> Result<Vec<(Number, String)>> {
    let mut mails = Vec::new();
    for number in numbers {
        let Some(document) = view.document(*number)? else { continue };
        let metadata = &document.metadata;
        if metadata.is_mail() && !link::is_published(&context.administration, metadata) {
            mails.push((*number, show::cut(&metadata.title, TABLE_CHARS)));
        }
    }
    Ok(mails)
}

/// Asks whether mails are to be published.
fn ask(context: &Context<'_>, numbers: &[Number], mails: &[(Number, String)], table: &str) -> Response {
    let (t, dms) = (&context.t.public, &context.t.dms);
    let body = html! {
        h1 { (t.mails_title) }
        form.card method="post" action="/selection" {
            (layout::token(context))
            input type="hidden" name="table" value=(table);
            input type="hidden" name="sure" value="1";
            @for number in numbers { input type="hidden" name="number" value=(number); }
            p { (t.mails_intro) }
            ul { @for (number, title) in mails {
                li { @if title.is_empty() { (dms.no_title) } @else { (title) } " " span.soft { (dms.number) " " (number) } }
            } }
            div.note.warn { p { (t.mail_sure_help) } }
            p.row {
                button.first name="action" value="publish" { (t.mails_sure) }
                a.button href=(table) { (context.t.page.cancel) }
            }
        }
    };
    layout::page(context, Section::Archive, Width::Usual, t.mails_title, &body)
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
