//! The View tab: a mail as text or safe HTML with its attachments, a file as what it is.

use maud::{Markup, PreEscaped, html};

use super::super::Context;
use super::super::error::Result;
use super::access::{self, Shown};
use super::content;
use super::mail::{Mail, turn};
use super::media::{self, Show};
use super::state::State;
use super::{link, show};
use crate::archive::Archive;
use crate::archive::commit::Number;
use crate::extract::Unread;
use crate::ingest::Defect;
use crate::limits::{MAIL_ENVELOPE, MAIL_SMALL_PART, VIEW_ATTACHMENTS, VIEW_TEXT};
use crate::mail::special::{Special, calendar, report, tnef};
use crate::mail::{Part, Piece, Wanted, charset, file_name, plain};

/// What the tab shows; for a published document also what a visitor sees.
pub fn body(context: &Context<'_>, shown: &Shown) -> Result<Markup> {
    if shown.document.metadata.is_mail() { mail(context, shown) } else { file(context, shown) }
}

/// A mail as it is shown: itself and, where its content is part of its signature, what is inside that, with the number of
/// the part that it was found in.
pub fn opened(archive: &Archive, number: Number) -> Result<(Mail, Option<(Mail, usize)>)> {
    let outer = Mail::read(archive, number)?;
    // Such a mail has nothing else to show.
    let signature = outer.bodies.attachments.first().copied().filter(|_| outer.bodies.text.is_empty());
    let inner = match signature {
        Some(number) => outer.within(archive, number)?.map(|inner| (inner, number)),
        None => None,
    };
    Ok((outer, inner))
}

/// The parts of a mail that are offered as attachments, those apart that its text shows already.
pub fn attached<'a>(mail: &'a Mail, used: &[usize]) -> Vec<&'a Part> {
    let media = mail.bodies.html.iter().filter_map(|piece| match piece {
        Piece::Media(number) => Some(*number),
        Piece::Image(number) if !used.contains(number) => Some(*number),
        _ => None,
    });
    media
        .chain(mail.bodies.attachments.iter().copied())
        .filter(|number| !used.contains(number))
        .filter_map(|number| mail.outline.parts.get(number))
        .collect()
}

fn mail(context: &Context<'_>, shown: &Shown) -> Result<Markup> {
    let t = &context.t.dms;
    let archive = &context.web.archive;
    let (outer, inner) = opened(archive, shown.number)?;
    let (mail, within) = match &inner {
        Some((inner, signature)) => (inner, Some(*signature)),
        None => (&outer, None),
    };
    let metadata = &shown.document.metadata;
    let as_text = !mail.has_html() || context.request.query.text("show") == "text";
    let safe = if as_text { None } else { Some(mail.html(archive)?) };
    let text = if as_text { Some(mail.text(archive)?) } else { None };
    let used = safe.as_ref().map(|safe| safe.used.clone()).unwrap_or_default();
    let specials = specials(context, shown, mail)?;
    let mut kinds: Vec<Special> = Vec::new();
    for part in outer.outline.parts.iter().chain(&mail.outline.parts) {
        if let Some(kind) = Special::of(part)
            && !kinds.contains(&kind)
        {
            // What says of itself to be encrypted and could be opened was only signed.
            let was_opened = kind == Special::SmimeEncrypted && inner.is_some();
            kinds.push(if was_opened { Special::SmimeSigned } else { kind });
        }
    }
    kinds.dedup();
    let date = metadata.date.map(|date| show::as_sent(date, outer.outline.field("Date").unwrap_or_default()));
    Ok(html! {
        dl.head {
            (entry(t.from, &metadata.from))
            (entry(t.to, &metadata.to))
            (entry(t.cc, &metadata.cc))
            @if let Some(date) = date { dt { (t.date) } dd { (date) } }
        }
        @for defect in metadata.defects.iter().filter_map(|code| Defect::from_code(*code)) {
            p.note.warn { (defect.sentence(context.lang)) }
        }
        @for kind in &kinds { p.note { (kind.sentence(context.lang)) } }
        @if let Some(safe) = &safe {
            @if safe.remote_images > 0 { p.note { ((t.remote_pictures)(safe.remote_images as u64)) } }
            @if safe.as_text { p.note { (t.shown_as_text) } }
        }
        @if mail.has_html() { (switch(context, shown, as_text)) }
        @if let Some(text) = &text {
            @if text.fragments.trim().is_empty() { p.soft { (t.no_text) } }
            @else { div.mail-text { (PreEscaped(&text.fragments)) } }
        } @else {
            iframe.mail src=(frame(shown, within)) title=(t.mail_frame) data-mail
                sandbox="allow-same-origin allow-popups allow-popups-to-escape-sandbox" referrerpolicy="no-referrer" {}
        }
        @if text.as_ref().is_some_and(|text| text.cut) || safe.as_ref().is_some_and(|safe| safe.cut) {
            p.note.warn { (t.cut) @if shown.reads.is_some() { " " (download(context, shown)) } }
        }
        (specials)
        (attachments(context, shown, mail, within, &used))
        p.actions.row {
            // Its source has more than is shown: who got a blind copy, by which ways it came.
            @if shown.reads.is_some() { a.button href=(path(shown)) { (t.download_eml) } }
            (more_actions(context, shown, within))
        }
    })
}

fn path(shown: &Shown) -> String {
    format!("/documents/{}/download", shown.number)
}

fn download(context: &Context<'_>, shown: &Shown) -> Markup {
    html! { a href=(path(shown)) { (context.t.dms.download_eml) } }
}

/// What is done with a mail beside downloading it.
fn more_actions(context: &Context<'_>, shown: &Shown, within: Option<usize>) -> Markup {
    let t = &context.t.manage;
    let mark = if within.is_some() { "&" } else { "?" };
    html! {
        a.button href={ (frame(shown, within)) (mark) "print=1" } target="_blank" rel="noopener" { (t.print) }
        @if shown.reads.is_some() && access::may_change(context) && access::shows_extended(context) {
            a.button href=(format!("/documents/{}/restore", shown.number)) { (t.restore) }
        }
    }
}

fn entry(name: &str, value: &str) -> Markup {
    html! { @if !value.is_empty() { dt { (name) } dd { (value) } } }
}

fn frame(shown: &Shown, within: Option<usize>) -> String {
    let within = within.map(|part| format!("?in={part}")).unwrap_or_default();
    format!("/documents/{}/html{within}", shown.number)
}

fn switch(context: &Context<'_>, shown: &Shown, as_text: bool) -> Markup {
    let t = &context.t.dms;
    let state = State::of(&context.request.query);
    // A visitor stays at the address of the link.
    let path = match shown.reads {
        Some(_) => format!("/documents/{}", shown.number),
        None => format!("/go/{}", shown.number),
    };
    html! {
        nav.switch aria-label=(t.show_as) {
            a href=(state.document(&path, &[])) aria-current=[(!as_text).then_some("true")] { (t.as_html) }
            a href=(state.document(&path, &[("show", "text")])) aria-current=[as_text.then_some("true")] { (t.as_text) }
        }
    }
}

/// Pictures and PDF can be opened; whether a part is one is decided by its bytes when it is.
fn may_open(part: &Part, name: &str) -> bool {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default();
    matches!(part.media_type.as_str(), "application/pdf" | "image/png" | "image/jpeg" | "image/gif" | "image/webp")
        || matches!(ending.as_str(), "pdf" | "png" | "jpg" | "jpeg" | "gif" | "webp")
}

fn attachments(context: &Context<'_>, shown: &Shown, mail: &Mail, within: Option<usize>, used: &[usize]) -> Markup {
    let t = &context.t.dms;
    let all = attached(mail, used);
    // Parts of a mail within a signature have numbers of their own.
    let unread = if within.is_none() { unread(context, shown.number) } else { Vec::new() };
    let address = |part: &Part, open: bool| {
        let mut query: Vec<String> = within.map(|within| format!("in={within}")).into_iter().collect();
        if open {
            query.push("open=1".into());
        }
        let mark = if query.is_empty() { "" } else { "?" };
        format!("/documents/{}/parts/{}{mark}{}", shown.number, part.number, query.join("&"))
    };
    html! {
        @if !all.iter().any(|part| part.number == 0) {
            @for (_, why) in unread.iter().filter(|(number, _)| *number == 0) { p.soft { (why.sentence(context.lang)) } }
        }
        @if !all.is_empty() {
            section.attachments {
                h2 { (t.attachments) }
                ul {
                    @for part in all.iter().take(VIEW_ATTACHMENTS) {
                        @let name = file_name::of(part);
                        li {
                            span.name { (name) }
                            span.soft { (show::size(context.lang, part.decoded_size())) }
                            @for (_, why) in unread.iter().filter(|(number, _)| *number == part.number) {
                                span.soft { (why.sentence(context.lang)) }
                            }
                            @if may_open(part, &name) {
                                a href=(address(part, true)) target="_blank" rel="noopener" aria-label={ (t.open) " " (name) } { (t.open) }
                            }
                            a href=(address(part, false)) aria-label={ (t.download) " " (name) } { (t.download) }
                        }
                    }
                }
                @if all.len() > VIEW_ATTACHMENTS { p.soft { (t.more_attachments) } }
            }
        }
    }
}

/// What of a document is not searched, and why, where its text was expected.
fn unread(context: &Context<'_>, number: Number) -> Vec<(usize, Unread)> {
    let index = &context.web.index;
    let Ok(Some(reading)) = index.reading() else { return Vec::new() };
    let unread = reading.unread(number).unwrap_or_default();
    index.done(reading);
    unread.into_iter().filter(|(_, why)| *why != Unread::Kind).collect()
}

/// What can be said of appointments, reports and `winmail.dat`.
fn specials(context: &Context<'_>, shown: &Shown, mail: &Mail) -> Result<Markup> {
    let t = &context.t.dms;
    let wanted: Vec<Wanted<'_>> = mail
        .outline
        .parts
        .iter()
        .filter_map(|part| {
            let limit = match Special::of(part)? {
                Special::Calendar | Special::DeliveryReport | Special::ReadReceipt => MAIL_SMALL_PART,
                Special::Tnef => MAIL_ENVELOPE,
                _ => return None,
            };
            Some(Wanted { part, limit })
        })
        .take(3)
        .collect();
    let _turn = turn();
    let collected = mail.collect(&context.web.archive, &wanted)?;
    let kind = |number: usize| mail.outline.parts.get(number).and_then(Special::of);
    Ok(html! {
        @for part in &collected {
            @match kind(part.number) {
                Some(Special::Calendar) => {
                    @let charset = mail.outline.parts.get(part.number).map(|part| part.charset.as_str()).unwrap_or_default();
                    @for event in calendar::events(&charset::text(&part.bytes, charset, part.cut)) {
                        section.card {
                            h2 { (event.summary) @if event.cancelled { " " span.tag.bad { (t.cancelled) } } }
                            dl {
                                (entry(t.begins, &event.start)) (entry(t.ends, &event.end)) (entry(t.lasts, &event.duration))
                                (entry(t.place, &event.place)) (entry(t.organiser, &called(&event.organiser)))
                                @for person in &event.attendees { (entry(t.attendee, &called(person))) }
                            }
                            @if !event.description.is_empty() { div.mail-text { (event.description) } }
                        }
                    }
                }
                Some(Special::DeliveryReport | Special::ReadReceipt) => {
                    @let report = report::read(&part.bytes);
                    @for group in std::iter::once(&report.message).chain(&report.recipients).filter(|group| !group.is_empty()) {
                        dl.card { @for field in group { (entry(&field.name, &field.value)) } }
                    }
                }
                Some(Special::Tnef) => {
                    @if let Some(packed) = tnef::read(&part.bytes) { (winmail(context, shown, mail, part.number, &packed)) }
                }
                _ => {}
            }
        }
    })
}

fn called(person: &calendar::Person) -> String {
    let answer = if person.answer.is_empty() { String::new() } else { format!(" ({})", person.answer) };
    let name = if person.name.is_empty() { &person.address } else { &person.name };
    format!("{name}{answer}")
}

fn winmail(context: &Context<'_>, shown: &Shown, mail: &Mail, number: usize, packed: &tnef::Tnef) -> Markup {
    let t = &context.t.dms;
    let text = if packed.text.is_empty() { crate::mail::html::html_to_text(&packed.html) } else { packed.text.clone() };
    let is_all = mail.bodies.text.is_empty();
    html! {
        @if is_all && !text.is_empty() {
            div.mail-text { (PreEscaped(plain::fragments(&text[..text.floor_char_boundary(VIEW_TEXT)], plain::Wrapping::AsWritten))) }
        }
        @if !packed.files.is_empty() {
            section.attachments {
                h2 { (t.in_winmail) }
                ul {
                    @for (place, file) in packed.files.iter().enumerate().take(VIEW_ATTACHMENTS) {
                        li {
                            span.name { (file.name) }
                            span.soft { (show::size(context.lang, file.range.len() as u64)) }
                            a href=(format!("/documents/{}/parts/{number}?file={place}", shown.number)) { (t.download) }
                        }
                    }
                }
            }
        }
    }
}

fn file(context: &Context<'_>, shown: &Shown) -> Result<Markup> {
    let t = &context.t.dms;
    let head = content::head(&context.web.archive, shown)?;
    let kind = media::media_type(&head);
    let metadata = &shown.document.metadata;
    let address = format!("/documents/{}/file", shown.number);
    let name = content::plain_name(shown);
    let text = match media::show(kind) {
        Show::Text => {
            let bytes = content::beginning(&context.web.archive, shown, VIEW_TEXT as u64)?;
            let cut = shown.document.size > VIEW_TEXT as u64;
            plain::fragments(&charset::text(&bytes, "", cut), plain::Wrapping::AsWritten)
        }
        _ => String::new(),
    };
    Ok(html! {
        dl.head {
            (entry(t.file_name, &metadata.media_name))
            dt { (t.date) } dd { (show::minute(shown.document.time)) }
            dt { (t.size) } dd { (show::size(context.lang, shown.document.size)) }
        }
        @for (_, why) in unread(context, shown.number) { p.soft { (why.sentence(context.lang)) } }
        @match media::show(kind) {
            Show::Picture => { img.shown src=(address) alt=(name); }
            Show::Video => { video.shown controls preload="metadata" src=(address) aria-label=(name) data-media {} }
            Show::Audio => { audio.shown controls preload="metadata" src=(address) aria-label=(name) data-media {} }
            Show::Pdf => { p { a.button.first href=(address) target="_blank" rel="noopener" { (t.open_pdf) } } }
            Show::Text => {
                div.mail-text { (PreEscaped(text)) }
                @if shown.document.size > VIEW_TEXT as u64 { p.note.warn { (t.cut) } }
            }
            Show::Never => { p.soft { (t.cannot_show) } }
        }
        p.actions { a.button href=(format!("/documents/{}/download", shown.number)) { (t.download) } }
    })
}

/// A note with its links, pasted access links among them.
pub fn note(text: &str) -> Markup {
    html! { div.mail-text.given { (PreEscaped(plain::fragments(text, plain::Wrapping::AsWritten))) } }
}

/// The page of a published document: nothing but this.
pub fn public(context: &Context<'_>, shown: &Shown) -> Result<Markup> {
    let body = body(context, shown)?;
    let access_link = link::public_text(context, shown.number, &shown.document.metadata);
    Ok(html! {
        article.document.card data-link=(access_link) data-view {
            h1 { (super::document::title(context, shown)) }
            (body)
        }
    })
}
