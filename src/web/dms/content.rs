//! The bytes of documents: the frame of a mail, files with ranges, attachments, downloads.
//!
//! Nothing that a stranger wrote is sent as something that runs: what is shown is told by its own first bytes, all else is
//! saved. Bytes are streamed from the archive, however many.

use std::io::{self, Write};
use std::sync::Arc;

use super::super::Context;
use super::super::entry::to_login;
use super::super::error::{Result, WebError};
use super::super::response::{Body, Response, Sending, disposition};
use super::access::{self, Shown};
use super::mail::{Mail, turn};
use super::media::{self, Show};
use super::print;
use super::range::{Asked, Window};
use super::versions;
use crate::archive::Archive;
use crate::archive::commit::Happening;
use crate::ingest::Spool;
use crate::limits::{ANSWER_SHORT, MAIL_ENVELOPE, MEDIA_HEAD, MESSAGE};
use crate::mail::html::CONTENT_SECURITY_POLICY;
use crate::mail::special::{Special, tnef};
use crate::mail::{PartWriter, Wanted, file_name as names};
use crate::settings::administration::Versioning;

/// Runs nothing and has no origin.
const SANDBOX: &str = "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
/// A player is none in a sandbox: its bytes would come from another origin.
const PLAYER: &str = "default-src 'none'; media-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'";
/// Nor does a browser's own PDF viewer start in one.
const VIEWER: &str =
    "default-src 'none'; object-src 'self'; img-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'";

fn visible(context: &Context<'_>) -> Result<Option<Shown>> {
    access::visible(context, context.number(0).ok())
}

/// An answer that a page cannot be reached from, whatever it is.
fn apart(response: Response, policy: &'static str) -> Response {
    response
        .header("Content-Security-Policy", policy)
        // A document in a sandbox is not shown at all where it asks for more isolation.
        .header("Cross-Origin-Opener-Policy", "unsafe-none")
}

/// The name under which a document is offered to be saved: where versions are made by it, `Akte_Version_Name`.
fn file_name(context: &Context<'_>, shown: &Shown) -> String {
    if context.administration.versioning == Versioning::Name {
        return versions::download_name(shown.number, &shown.document.metadata);
    }
    plain_name(shown)
}

/// The file name of a document.
pub fn plain_name(shown: &Shown) -> String {
    if shown.document.metadata.is_mail() {
        return format!("{}.eml", shown.number);
    }
    match names::safe(&shown.document.metadata.media_name) {
        name if name.is_empty() => shown.number.to_string(),
        name => name,
    }
}

/// At most the first `most` bytes of a document.
pub fn beginning(archive: &Archive, shown: &Shown, most: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    send_range(archive, shown.number, 0, shown.document.size.min(most), &mut bytes)?;
    Ok(bytes)
}

/// The bytes by which a document's type is told.
pub fn head(archive: &Archive, shown: &Shown) -> Result<Vec<u8>> {
    beginning(archive, shown, MEDIA_HEAD as u64)
}

fn send_range(archive: &Archive, number: u64, skip: u64, len: u64, out: &mut dyn Write) -> io::Result<()> {
    if len == 0 {
        return Ok(());
    }
    let mut window = Window::new(out, skip, len);
    let read = archive.read(number, &mut window);
    match (window.finish(), read) {
        (Ok(()), _) => Ok(()),
        (Err(_), Err(error)) => Err(io::Error::other(error.to_string())),
        (Err(error), Ok(())) => Err(error),
    }
}

/// `/documents/{number}/html`: a mail for its frame; with `?print=1` as a page of its own, to be printed.
pub fn frame(context: &Context<'_>) -> Result<Response> {
    let Some(shown) = visible(context)? else { return Ok(to_login(context)) };
    if !shown.document.metadata.is_mail() {
        return Err(WebError::NotFound);
    }
    access::note_opened(context, shown.number)?;
    let mail = opened(context, &shown)?;
    let mut safe = mail.html(&context.web.archive)?;
    if context.request.query.is_on("print") {
        print::begin(context, &shown, &mail, &mut safe);
    }
    let response = stored(context, safe.html.into_bytes())?;
    Ok(apart(response.header("Content-Type", "text/html; charset=utf-8"), CONTENT_SECURITY_POLICY))
}

/// Puts a longer answer aside, so that it needs no memory as long as somebody reads it.
fn stored(context: &Context<'_>, bytes: Vec<u8>) -> Result<Response> {
    let len = bytes.len() as u64;
    if len <= ANSWER_SHORT {
        return Ok(Response::new(200, "text/html; charset=utf-8", Body::Bytes(bytes)));
    }
    let mut file = Spool::new(context.web.archive.paths().spool.clone())?.file();
    file.write_all(&bytes)?;
    let send = move |out: &mut dyn Write| io::copy(&mut file.reader()?, out).map(drop);
    Ok(Response::new(
        200,
        "text/html; charset=utf-8",
        Body::Stream { len: Some(len), reads: len, send: Box::new(send) },
    ))
}

/// The mail, or the one inside the signature that `?in=` names.
fn opened(context: &Context<'_>, shown: &Shown) -> Result<Mail> {
    let archive = &context.web.archive;
    let mail = Mail::read(archive, shown.number)?;
    match context.request.query.get("in") {
        None => Ok(mail),
        Some(part) => mail.within(archive, part.parse().map_err(|_| WebError::NotFound)?)?.ok_or(WebError::NotFound),
    }
}

/// `/documents/{number}/file`: a file as its page shows it; single ranges are sent (RFC 9110, section 14).
pub fn file(context: &Context<'_>) -> Result<Response> {
    let Some(shown) = visible(context)? else { return Ok(to_login(context)) };
    if shown.document.metadata.is_mail() {
        return Err(WebError::NotFound);
    }
    let kind = media::media_type(&head(&context.web.archive, &shown)?);
    access::note_opened(context, shown.number)?;
    let (policy, is_shown) = match media::show(kind) {
        Show::Never => (SANDBOX, false),
        Show::Video | Show::Audio => (PLAYER, true),
        Show::Pdf => (VIEWER, true),
        Show::Picture | Show::Text => (SANDBOX, true),
    };
    let charset = if kind == "text/plain" { "text/plain; charset=utf-8" } else { kind };
    let media_type = if is_shown { charset } else { "application/octet-stream" };
    Ok(apart(bytes(context, &shown, media_type, is_shown), policy))
}

/// `/documents/{number}/download`: the document byte for byte as it was archived.
pub fn download(context: &Context<'_>) -> Result<Response> {
    let Some(shown) = visible(context)? else { return Ok(to_login(context)) };
    if shown.reads.is_some() {
        context.journal(Happening::Downloaded(shown.number, None, None))?;
    } else if shown.document.metadata.is_mail() {
        // The source of a mail is more than its View; a visitor is led where an unpublished one leads.
        return if context.person.is_some() { Err(WebError::NotFound) } else { Ok(to_login(context)) };
    }
    let media_type = if shown.document.metadata.is_mail() { "message/rfc822" } else { "application/octet-stream" };
    Ok(apart(bytes(context, &shown, media_type, false), SANDBOX))
}

fn bytes(context: &Context<'_>, shown: &Shown, media_type: &str, inline: bool) -> Response {
    let (number, size) = (shown.number, shown.document.size);
    let tag = format!("\"{}\"", shown.document.sha256);
    let request = context.request;
    // A range of something else is of no use.
    let is_same = request.header("if-range").is_none_or(|given| given == tag);
    let asked = if is_same { Asked::of(request.header("range"), size) } else { Asked::Whole };
    let kind = if inline { "inline" } else { "attachment" };
    let finish = |response: Response| {
        response
            .header("Content-Disposition", disposition(kind, &file_name(context, shown)))
            .header("Accept-Ranges", "bytes")
            .header("ETag", tag)
    };
    let archive: Arc<Archive> = context.web.archive.clone();
    let (status, skip, len) = match asked {
        Asked::Whole => (200, 0, size),
        Asked::Part(first, last) => (206, first, last - first + 1),
        Asked::Beyond => {
            return finish(Response::text(416, "").header("Content-Range", format!("bytes */{size}")));
        }
    };
    let send = move |out: &mut dyn Write| {
        if skip == 0 && len == size {
            // All of it: its hash is checked too.
            return archive.read(number, out).map_err(|error| io::Error::other(error.to_string()));
        }
        send_range(&archive, number, skip, len, out)
    };
    let body = Body::Stream { len: Some(len), reads: skip + len, send: Box::new(send) };
    let response = Response::new(status, media_type, body);
    let last = (skip + len).saturating_sub(1);
    finish(if status == 206 {
        response.header("Content-Range", format!("bytes {skip}-{last}/{size}"))
    } else {
        response
    })
}

/// `/documents/{number}/parts/{part}`: an attachment, to be saved or, with `?open=1`, a PDF or picture to be looked at.
pub fn part(context: &Context<'_>) -> Result<Response> {
    let Some(shown) = visible(context)? else { return Ok(to_login(context)) };
    if !shown.document.metadata.is_mail() {
        return Err(WebError::NotFound);
    }
    let archive = context.web.archive.clone();
    let mail = opened(context, &shown)?;
    let number: usize = context.parameters.get(1).and_then(|text| text.parse().ok()).ok_or(WebError::NotFound)?;
    let part = mail.outline.parts.get(number).filter(|part| !part.is_multipart()).ok_or(WebError::NotFound)?.clone();
    if let Some(place) = context.request.query.get("file") {
        return packed(context, &shown, &mail, number, place);
    }
    let is_in_memory = mail.is_in_memory();
    let name = names::of(&part);
    if shown.reads.is_some() {
        context.journal(Happening::Downloaded(shown.number, u32::try_from(number).ok(), None))?;
    }
    let mut kind = "application/octet-stream";
    if context.request.query.is_on("open") {
        let head = mail.collect(&archive, &[Wanted { part: &part, limit: MEDIA_HEAD }])?;
        let found = head.first().map_or(kind, |head| media::media_type(&head.bytes));
        if matches!(media::show(found), Show::Pdf | Show::Picture) {
            kind = found;
        }
    }
    let (placed, policy) = match media::show(kind) {
        Show::Pdf => ("inline", VIEWER),
        Show::Picture => ("inline", SANDBOX),
        _ => ("attachment", SANDBOX),
    };
    let decode = move |out: &mut dyn Write| {
        let mut writer = PartWriter::new(&part, MESSAGE, out);
        mail.pass(&archive, &mut writer).map_err(|error| io::Error::other(error.to_string()))?;
        writer.finish().map(drop)
    };
    let send: Sending = if is_in_memory {
        // It is not held as long as somebody reads.
        let mut file = Spool::new(context.web.archive.paths().spool.clone())?.file();
        decode(&mut file)?;
        Box::new(move |out| io::copy(&mut file.reader()?, out).map(drop))
    } else {
        Box::new(decode)
    };
    let response = Response::new(200, kind, Body::Stream { len: None, reads: shown.document.size, send });
    Ok(apart(response.header("Content-Disposition", disposition(placed, &name)), policy))
}

/// A file inside `winmail.dat`.
fn packed(context: &Context<'_>, shown: &Shown, mail: &Mail, number: usize, place: &str) -> Result<Response> {
    let place: usize = place.parse().map_err(|_| WebError::NotFound)?;
    let part = &mail.outline.parts[number];
    if Special::of(part) != Some(Special::Tnef) {
        return Err(WebError::NotFound);
    }
    let _turn = turn();
    let collected = mail.collect(&context.web.archive, &[Wanted { part, limit: MAIL_ENVELOPE }])?;
    let bytes = collected.into_iter().next().unwrap_or_default().bytes;
    let found = tnef::read(&bytes).and_then(|packed| packed.files.into_iter().nth(place));
    let file = found.ok_or(WebError::NotFound)?;
    let inside = bytes.get(file.range.clone()).ok_or(WebError::NotFound)?.to_vec();
    let name = if file.name.is_empty() { format!("{number}-{place}.bin") } else { file.name };
    if shown.reads.is_some() {
        let (part, file) = (u32::try_from(number).ok(), u32::try_from(place).ok());
        context.journal(Happening::Downloaded(shown.number, part, file))?;
    }
    let response = stored(context, inside)?.header("Content-Type", "application/octet-stream");
    Ok(apart(response.attachment(&name), SANDBOX))
}
