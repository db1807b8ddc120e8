//! The Source tab: the header and the beginning of the raw text.

use maud::html;

use super::super::Context;
use super::super::error::Result;
use super::super::response::Response;
use super::access;
use super::content;
use super::document::{Tab, page};
use super::show;
use crate::limits::SOURCE_TEXT;
use crate::mail::charset;
use crate::mail::source::RawHeader;

pub fn show(context: &Context<'_>) -> Result<Response> {
    let t = &context.t.dms;
    let shown = access::readable(context)?;
    access::note_opened(context, shown.number)?;
    let archive = &context.web.archive;
    let is_mail = shown.document.metadata.is_mail();
    let download = format!("/documents/{}/download", shown.number);
    let body = if is_mail {
        let bytes = content::beginning(archive, &shown, SOURCE_TEXT as u64)?;
        let mut header = RawHeader::new();
        std::io::Write::write_all(&mut header, &bytes)?;
        let header = header.finish();
        let is_cut = shown.document.size > bytes.len() as u64;
        html! {
            h2 { (t.header) }
            pre.source tabindex="0" { (header.text) }
            h2 { (t.raw) }
            p.soft { @if is_cut { ((t.source_cut)(show::size(context.lang, SOURCE_TEXT as u64))) " " }
                a href=(download) { (t.download_eml) } }
            pre.source tabindex="0" { (plain(&bytes, is_cut)) }
        }
    } else {
        html! { p { (t.no_source) } p { a.button href=(download) { (t.download) } } }
    };
    page(context, &shown, Tab::Source, &body)
}

/// As text in which nothing hides: control characters become U+FFFD.
fn plain(bytes: &[u8], is_cut: bool) -> String {
    let text = charset::text(bytes, "", is_cut).replace("\r\n", "\n");
    let harmless = |c: char| match c {
        '\n' | '\t' => c,
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => char::REPLACEMENT_CHARACTER,
        control if control.is_control() => char::REPLACEMENT_CHARACTER,
        other => other,
    };
    text.chars().map(harmless).collect()
}
