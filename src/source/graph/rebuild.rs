//! A message that Exchange cannot turn into MIME (`ErrorMimeContentConversionFailed`), put together from what it can give:
//! its headers, its text and its attachments, streamed. Marked with `X-Archivista-Reconstructed: yes`.
//!
//! The same message gives the same bytes each time, so that it is recognised when it is met again. For S/MIME the
//! attachment is the original: signed or encrypted content comes through untouched.

use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;

use super::client::{Answer, Ask, Client, Fail, from_io};
use super::fetch::message_path;
use super::listing::{self, text};
use super::mime::{self, Content};
use super::paths;
use crate::limits::{GRAPH_ATTACHMENTS, GRAPH_MESSAGE, MESSAGE};
use crate::source::error::words;
use crate::source::{Mailbox, RemoteId, Sink, SourceError};

const HEADERS: &str = "$select=id,internetMessageId,subject,from,sender,toRecipients,ccRecipients,bccRecipients,replyTo,\
                       sentDateTime,receivedDateTime,internetMessageHeaders";
/// Bytes of an attachment that are encoded at once: whole lines of Base64, 57 bytes each.
const PIECE: usize = 57 * 1024;

/// Why a message cannot be rebuilt.
pub enum Impossible {
    Gone,
    /// Graph does not give its parts either; the server's words.
    Refused(String),
    Trouble(SourceError),
}

impl From<Fail> for Impossible {
    fn from(fail: Fail) -> Self {
        match fail {
            Fail::Refused(refusal, _) if refusal.is_gone() => Self::Gone,
            Fail::Refused(refusal, error) if matches!(refusal.status, 401 | 403 | 502 | 503) => Self::Trouble(error),
            Fail::Refused(refusal, _) => Self::Refused(words(format!("{} {}", refusal.code, refusal.said).as_bytes())),
            // Larger than its bound, or not as documented: about this message only.
            Fail::Other(SourceError::Protocol { detail }) => Self::Refused(detail),
            Fail::Other(error) => Self::Trouble(error),
        }
    }
}

impl From<SourceError> for Impossible {
    fn from(error: SourceError) -> Self {
        Self::Trouble(error)
    }
}

/// <https://learn.microsoft.com/graph/api/resources/attachment>
#[derive(Debug, Deserialize)]
struct Attachment {
    #[serde(default)]
    id: String,
    #[serde(rename = "@odata.type", default, deserialize_with = "text")]
    kind: Option<String>,
    #[serde(default, deserialize_with = "text")]
    name: Option<String>,
    #[serde(rename = "contentType", default, deserialize_with = "text")]
    media_type: Option<String>,
}

impl Attachment {
    fn is(&self, kind: &str) -> bool {
        self.kind.as_deref().and_then(|kind| kind.rsplit('.').next()).is_some_and(|own| own.eq_ignore_ascii_case(kind))
    }

    fn has_type(&self, kind: &str) -> bool {
        self.media_type.as_deref().is_some_and(|own| own.to_ascii_lowercase().starts_with(kind))
    }

    /// The message itself, where it is signed or encrypted.
    fn content(&self) -> Option<Content> {
        let is_p7m = self.name.as_deref().is_some_and(|name| name.eq_ignore_ascii_case("smime.p7m"));
        if self.has_type("multipart/signed") {
            Some(Content::Entity)
        } else if is_p7m || self.has_type("application/pkcs7-mime") || self.has_type("application/x-pkcs7-mime") {
            Some(Content::Pkcs7)
        } else {
            None
        }
    }
}

/// Rebuilds a message into `sink`, up to but without `end`. After an error the sink has forgotten it.
pub fn rebuild(
    client: &Client,
    mailbox: &Mailbox,
    id: &RemoteId,
    sink: &mut dyn Sink,
) -> std::result::Result<(), Impossible> {
    let path = message_path(mailbox, id);
    // The text may be what cannot be converted: headers and attachments are worth having without it.
    let with_body = client.url(&format!("{path}?{HEADERS},body"));
    let message: Value = match client.json(&Ask::get(mailbox, with_body), GRAPH_MESSAGE) {
        Err(Fail::Refused(refusal, _)) if refusal.status == 500 => {
            client.json(&Ask::get(mailbox, client.url(&format!("{path}?{HEADERS}"))), GRAPH_MESSAGE)?
        }
        other => other?,
    };
    let mut attachments = Vec::new();
    let url = client.url(&format!("{path}/attachments?$select=id,name,contentType,size,isInline"));
    listing::each(client, Ask::get(mailbox, url), &mut |attachment: Attachment| {
        attachments.push(attachment);
        if attachments.len() > GRAPH_ATTACHMENTS {
            return Err(SourceError::Protocol { detail: format!("more than {GRAPH_ATTACHMENTS} attachments") });
        }
        Ok(())
    })?;
    sink.begin(None).map_err(SourceError::Sink)?;
    let mut out = Out { sink, written: 0 };
    let written = write(client, mailbox, &path, &message, &attachments, &mut out);
    if written.is_err() {
        out.sink.abort();
    }
    written
}

struct Out<'a> {
    sink: &'a mut dyn Sink,
    written: u64,
}

impl Out<'_> {
    fn put(&mut self, bytes: &[u8]) -> std::result::Result<(), Impossible> {
        self.written += bytes.len() as u64;
        if self.written > MESSAGE {
            return Err(Impossible::Refused(format!("it has more than {MESSAGE} bytes")));
        }
        Ok(self.sink.data(bytes).map_err(SourceError::Sink)?)
    }
}

fn write(
    client: &Client,
    mailbox: &Mailbox,
    path: &str,
    message: &Value,
    attachments: &[Attachment],
    out: &mut Out<'_>,
) -> std::result::Result<(), Impossible> {
    let value = |attachment: &Attachment| {
        let url = client.url(&format!("{path}/attachments/{}/$value", paths::segment(&attachment.id)));
        client.send(&Ask::get(mailbox, url))
    };
    let original = match attachments {
        [one] => one.content().map(|content| (one, content)),
        _ => None,
    };
    if let Some((attachment, content)) = original {
        let mut bytes = value(attachment)?;
        out.put(mime::head(message, content).as_bytes())?;
        return match content {
            Content::Entity => copy(&mut bytes, out),
            Content::Pkcs7 | Content::Mixed => encode(&mut bytes, out),
        };
    }
    let boundary = mime::boundary(message);
    out.put(mime::head(message, Content::Mixed).as_bytes())?;
    out.put(mime::body(message, &boundary).as_bytes())?;
    for attachment in attachments {
        let name = attachment.name.as_deref().unwrap_or_default();
        let bytes = if attachment.is("referenceAttachment") { None } else { Some(value(attachment)) };
        match bytes {
            Some(Ok(mut bytes)) if attachment.is("itemAttachment") => {
                out.put(mime::item_part(&boundary).as_bytes())?;
                copy(&mut bytes, out)?;
            }
            Some(Ok(mut bytes)) => {
                let media_type = attachment.media_type.as_deref().unwrap_or_default();
                out.put(mime::file_part(&boundary, name, media_type).as_bytes())?;
                encode(&mut bytes, out)?;
            }
            // What cannot be had is named in its place.
            None => out.put(mime::note_part(&boundary, name, "a link to a file that is kept elsewhere").as_bytes())?,
            Some(Err(Fail::Refused(refusal, _))) if !matches!(refusal.status, 401 | 403 | 502 | 503) => {
                let why = format!("the server does not give it ({} {})", refusal.status, refusal.code);
                out.put(mime::note_part(&boundary, name, &why).as_bytes())?;
            }
            Some(Err(fail)) => return Err(fail.into()),
        }
    }
    out.put(format!("\r\n--{boundary}--\r\n").as_bytes())
}

/// Bytes as they are.
fn copy(from: &mut Answer, out: &mut Out<'_>) -> std::result::Result<(), Impossible> {
    let mut piece = vec![0; PIECE];
    loop {
        let read = from.read(&mut piece).map_err(from_io)?;
        if read == 0 {
            return Ok(());
        }
        out.put(piece.get(..read).unwrap_or_default())?;
    }
}

/// Bytes in Base64, 76 characters a line.
fn encode(from: &mut Answer, out: &mut Out<'_>) -> std::result::Result<(), Impossible> {
    let mut piece = vec![0; PIECE];
    loop {
        let filled = fill(from, &mut piece)?;
        let bytes = piece.get(..filled).unwrap_or_default();
        let mut text = String::with_capacity(PIECE * 3 / 2);
        for line in bytes.chunks(57) {
            STANDARD.encode_string(line, &mut text);
            text.push_str("\r\n");
        }
        out.put(text.as_bytes())?;
        if filled < PIECE {
            return Ok(());
        }
    }
}

/// Reads until the piece is full or the end has come.
fn fill(from: &mut Answer, piece: &mut [u8]) -> std::result::Result<usize, SourceError> {
    let mut filled = 0;
    while let Some(room) = piece.get_mut(filled..).filter(|room| !room.is_empty()) {
        match from.read(room).map_err(from_io)? {
            0 => break,
            read => filled += read,
        }
    }
    Ok(filled)
}
