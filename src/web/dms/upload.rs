//! Upload: files become documents. They are streamed from the request into the archive's spool, however large.

use std::io::{self, Write};
use std::sync::mpsc::channel;

use maud::html;

use super::super::Context;
use super::super::error::{Result, WebError};
use super::super::layout::{self, Section, Width};
use super::super::multipart::{Multipart, MultipartError};
use super::super::response::Response;
use super::versions::{self, Back, Next};
use super::{access, media};
use crate::archive::commit::{Folder, Happening, KIND_FILE, Metadata, Number};
use crate::archive::view::Reads;
use crate::archive::writer::{Booked, NewMessage, Task};
use crate::ingest::{Head, Incoming, Spool};
use crate::limits::{MEDIA_HEAD, UPLOAD_FILES};
use crate::mail::file_name;
use crate::pulse;
use crate::settings::administration::Field;

pub fn show(context: &Context<'_>) -> Result<Response> {
    if !access::may_change(context) {
        return Err(WebError::Forbidden);
    }
    Ok(page(context, ""))
}

fn page(context: &Context<'_>, wrong: &str) -> Response {
    let t = &context.t.dms;
    let body = html! {
        h1 { (t.upload_title) }
        (layout::trouble(wrong))
        form.card method="post" action="/upload" enctype="multipart/form-data" {
            // First, so that nothing is taken from a form of somebody else.
            (layout::token(context))
            div.field {
                label for="files" { (t.files) }
                input #files name="files" type="file" multiple required aria-describedby="files-help";
                small #files-help { (t.upload_help) }
            }
            button.first { (t.upload) }
        }
    };
    layout::page(context, Section::Archive, Width::Narrow, t.upload_title, &body)
}

/// A file on its way in, and the bytes by which its type is told.
struct Arriving {
    incoming: Incoming,
    head: Vec<u8>,
}

impl Write for Arriving {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        pulse::beat_own();
        let taken = self.incoming.write(bytes)?;
        let more = taken.min(MEDIA_HEAD - self.head.len());
        self.head.extend_from_slice(&bytes[..more]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.incoming.flush()
    }
}

pub fn send(context: &Context<'_>) -> Result<Response> {
    let t = &context.t.dms;
    let person = context.person()?;
    if !access::may_change(context) {
        return Err(WebError::Forbidden);
    }
    let taken = take(context, false);
    let numbers = match taken {
        Ok(numbers) => numbers,
        Err(Refused::Form(MultipartError::Io(error) | MultipartError::Out(error))) => return Err(error.into()),
        Err(Refused::Form(error)) => {
            tracing::info!("an upload of {} was refused: {error}", person.user.name);
            return Ok(page(context, t.upload_broken).status(400));
        }
        Err(Refused::Web(error)) => return Err(error),
    };
    match numbers.as_slice() {
        [] => Ok(page(context, t.no_file).status(400)),
        [one] => {
            context.notice((t.uploaded)(1));
            Ok(Response::redirect(&format!("/documents/{one}")))
        }
        several => {
            context.notice((t.uploaded)(several.len() as u64));
            Ok(Response::redirect("/?sort=number"))
        }
    }
}

pub enum Refused {
    Form(MultipartError),
    Web(WebError),
}

impl From<MultipartError> for Refused {
    fn from(error: MultipartError) -> Self {
        Self::Form(error)
    }
}

impl<E: Into<WebError>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self::Web(error.into())
    }
}

/// Archives the files of the request; returns their numbers, each once. Where the sender `is_sure` no token of a session has
/// to come first.
pub fn take(context: &Context<'_>, is_sure: bool) -> std::result::Result<Vec<Number>, Refused> {
    let archive = &context.web.archive;
    let user = &context.person()?.user.name;
    let kind = context.request.header("content-type").unwrap_or_default();
    let mut form = Multipart::new(kind, context.request.reader()?)?;
    let spool = Spool::new(archive.paths().spool.clone())?;
    let mut is_ours = is_sure;
    let mut place_and_reads = None;
    let (ticket, tickets) = channel::<Booked>();
    let mut count = 0;
    let (mut numbers, mut unchanged): (Vec<Number>, Vec<Number>) = (Vec::new(), Vec::new());
    while let Some(part) = form.next_part()? {
        let Some(name) = part.file_name else {
            let value = form.text()?;
            if part.name == "csrf" && !is_sure {
                context.check_token(&value)?;
                is_ours = true;
            }
            continue;
        };
        if !is_ours {
            return Err(WebError::Stale.into());
        }
        // A field without a file is sent as one without a name.
        if name.is_empty() {
            continue;
        }
        count += 1;
        if count > UPLOAD_FILES {
            return Err(MultipartError::TooLong.into());
        }
        let (folder, reads) = if let Some(known) = &place_and_reads {
            known
        } else {
            let folder = archive.folder(place(user))?;
            // After the place is there: own uploads count as known.
            place_and_reads.insert((folder, context.reads(&context.view()?)?))
        };
        let is_mail = name.to_ascii_lowercase().ends_with(".eml");
        let incoming = if is_mail { Incoming::new(&spool) } else { Incoming::of_file(&spool) };
        let mut arriving = Arriving { incoming, head: Vec::new() };
        form.copy(&mut arriving)?;
        let mut message = arriving.incoming.finish()?;
        let mut metadata = if is_mail {
            of_mail(std::mem::take(&mut message.head), user)
        } else {
            of_file(&name, &arriving.head, user)
        };
        // Nobody fills by an upload what it may not change.
        let may_fill = |field: &Field| !matches!(field, Field::Other(name) if !context.changes(name));
        if context.administration.file_name.as_ref().is_some_and(may_fill) {
            context.administration.save_file_name(&file_name::safe(&name), &mut metadata);
        }
        let _turn = versions::turn();
        let back = if is_mail { None } else { versions::back(context, reads, &name, &metadata, message.sha256)? };
        let new = NewMessage {
            // The same bytes again are the same place of the same document.
            remote: message.sha256.0.to_vec(),
            message,
            metadata,
            folder: *folder,
            received: None,
            flags: Vec::new(),
            after_due: false,
            variant_of: None,
            brought_by: Some(reads.clone()),
            ticket: ticket.clone(),
        };
        match back {
            Some(Back::Unchanged(number)) => unchanged.push(number),
            Some(Back::Next(next)) => numbers.push(further(context, new, &next)?),
            None => archive.send(Task::Message(Box::new(new)))?,
        }
    }
    if !is_ours {
        return Err(WebError::Stale.into());
    }
    drop(ticket);
    archive.flush()?;
    for booked in tickets {
        match booked.outcome {
            Ok(outcome) => numbers.extend(outcome.document().filter(|number| !numbers.contains(number))),
            Err(error) => return Err(WebError::Archive(crate::archive::shared(&error)).into()),
        }
    }
    for number in &numbers {
        context.journal(Happening::Uploaded(*number))?;
    }
    numbers.extend(unchanged);
    Ok(numbers)
}

/// Archives a file as the next version of another one.
fn further(context: &Context<'_>, new: NewMessage, next: &Next) -> std::result::Result<Number, Refused> {
    let archive = &context.web.archive;
    let (ticket, booked) = channel::<Booked>();
    let new = NewMessage {
        remote: next.remote.clone(),
        metadata: next.metadata.clone(),
        folder: next.folder,
        // A document of its own, whoever has the same bytes.
        brought_by: Some(Reads::Places(Vec::new())),
        ticket,
        ..new
    };
    archive.send(Task::Message(Box::new(new)))?;
    archive.flush()?;
    let booked = booked.recv().map_err(|_| WebError::NotFound)?;
    let outcome = booked.outcome.map_err(|error| WebError::Archive(crate::archive::shared(&error)))?;
    let number = outcome.document().ok_or(WebError::NotFound)?;
    next.place(context, number)?;
    if next.is_published(context) {
        context.journal(Happening::Published(number))?;
    }
    archive.flush()?;
    Ok(number)
}

/// Where a person's uploads lie; nobody else reads them without a right to.
fn place(user: &str) -> Folder {
    Folder {
        number: 0,
        definition: String::new(),
        mailbox: user.into(),
        id: "uploads".into(),
        name: "Uploads".into(),
        mailbox_name: user.into(),
    }
}

fn of_file(name: &str, head: &[u8], user: &str) -> Metadata {
    let name = file_name::safe(name);
    let stem = name.rsplit_once('.').map_or(name.as_str(), |(stem, _)| stem);
    Metadata {
        kind: KIND_FILE,
        title: stem.into(),
        media_type: media::media_type(head).into(),
        owner: user.into(),
        media_name: name,
        ..Metadata::default()
    }
}

fn of_mail(head: Head, user: &str) -> Metadata {
    Metadata { owner: user.into(), ..head.into() }
}
