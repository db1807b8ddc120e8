//! A mail to be printed: its own page, with what its header says on top.
//!
//! The mail's style must not reach what we say of it: that stands in a shadow tree, whose host keeps its own style by
//! rules that none of the mail's can beat. It needs no script.

use maud::html;

use super::super::Context;
use super::access::Shown;
use super::mail::Mail;
use super::{show, view};
use crate::limits::VIEW_ATTACHMENTS;
use crate::mail::file_name;
use crate::mail::html::SafeHtml;

/// Of the host: nothing that a mail says of all elements changes it.
const HOST: &str = "all:initial!important;display:block!important;color:#000!important";
const STYLE: &str = "header{font:15px/1.45 system-ui,sans-serif;margin:8px 8px 16px;padding-bottom:12px;border-bottom:1px solid #000;overflow-wrap:anywhere}\
    h1{font-size:20px;line-height:1.25;margin:0 0 8px}dl{display:grid;grid-template-columns:max-content 1fr;gap:2px 16px;margin:0}dt{color:#444}dd{margin:0}";
/// Of the mail when it is printed: pictures are whole, and links can be read on paper.
const PRINTED: &str = "<style>@media print{body{margin:0}img{max-height:23cm;object-fit:contain;break-inside:avoid}\
    tr,blockquote>p{break-inside:avoid}\
    a[href^=http]:not(:has(img))::after{content:\" <\" attr(href) \">\";font-size:.75em;word-break:break-all}}</style>";

/// Puts title, people, date and attachments in front of a mail.
pub fn begin(context: &Context<'_>, shown: &Shown, mail: &Mail, safe: &mut SafeHtml) {
    let t = &context.t.dms;
    let metadata = &shown.document.metadata;
    let date = metadata.date.map(|date| show::as_sent(date, mail.outline.field("Date").unwrap_or_default()));
    let attached = view::attached(mail, &safe.used);
    let names: Vec<String> = attached
        .iter()
        .take(VIEW_ATTACHMENTS)
        .map(|part| format!("{} ({})", file_name::of(part), show::size(context.lang, part.decoded_size())))
        .collect();
    let row = |name: &str, value: &str| html! { @if !value.is_empty() { dt { (name) } dd { (value) } } };
    let title = if metadata.title.is_empty() { t.no_title } else { &metadata.title };
    let head = html! {
        title { (title) }
        div style=(HOST) lang=(context.t.code) {
            template shadowrootmode="open" {
                style { (maud::PreEscaped(STYLE)) }
                header {
                    h1 { (title) }
                    dl {
                        (row(t.from, &metadata.from)) (row(t.to, &metadata.to)) (row(t.cc, &metadata.cc))
                        (row(t.date, date.as_deref().unwrap_or_default()))
                        (row(context.t.manage.printed_attachments, &names.join(", ")))
                        @if shown.reads.is_some() { (row(t.number, &shown.number.to_string())) }
                    }
                }
            }
        }
    };
    safe.html.insert_str(safe.body_at, &(head.into_string() + PRINTED));
}
