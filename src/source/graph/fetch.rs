//! Messages in MIME, streamed. <https://learn.microsoft.com/graph/outlook-get-mime-message>
//!
//! Exchange renders a message when it is asked for, often without telling its length first, and cannot continue a broken
//! transfer: it begins again.

use std::io::Read;

use super::Seen;
use super::client::{Answer, Ask, Client, Fail, from_io};
use super::delta::Item;
use super::folders;
use super::paths;
use super::rebuild;
use crate::limits::{GRAPH_ANSWER, MESSAGE};
use crate::source::error::words;
use crate::source::{Arrival, Mailbox, Missing, RemoteId, Result, Sink, SourceError};

/// Bytes that are handed over at once.
const CHUNK: usize = 64 * 1024;

/// Path of a message: the short form, the long one has failed.
pub fn message_path(mailbox: &Mailbox, id: &RemoteId) -> String {
    format!("{}/messages/{}", folders::base(mailbox), paths::segment(&String::from_utf8_lossy(&id.0)))
}

/// Gives every message its fate, in the order of `ids`.
pub fn fetch(client: &Client, seen: &Seen, mailbox: &Mailbox, ids: &[RemoteId], sink: &mut dyn Sink) -> Result<()> {
    for id in ids {
        one(client, seen, mailbox, id, sink)?;
    }
    Ok(())
}

fn one(client: &Client, seen: &Seen, mailbox: &Mailbox, id: &RemoteId, sink: &mut dyn Sink) -> Result<()> {
    let Some((received, draft)) = listed(client, seen, mailbox, id)? else {
        return sink.missing(id.clone(), Missing::Gone).map_err(SourceError::Sink);
    };
    let arrival = |reconstructed| Arrival {
        id: id.clone(),
        received,
        flags: if draft { vec!["\\Draft".to_owned()] } else { Vec::new() },
        reconstructed,
    };
    let url = client.url(&format!("{}/$value", message_path(mailbox, id)));
    // What has just come is not found for a moment, though it was listed; what is gone is not found twice.
    let answer = match client.send(&Ask::get(mailbox, url.clone())) {
        Err(Fail::Refused(refusal, _)) if refusal.is_gone() => client.send(&Ask::get(mailbox, url)),
        answer => answer,
    };
    let why = match answer {
        Ok(mut answer) => return stream(&mut answer, arrival(false), sink),
        Err(Fail::Refused(refusal, _)) if refusal.is_gone() => Missing::Gone,
        // A server error that stays is about this one message: what else can be had of it?
        Err(Fail::Refused(refusal, _)) if refusal.status == 500 => match rebuild::rebuild(client, mailbox, id, sink) {
            Ok(()) => return sink.end(arrival(true)).map_err(SourceError::Sink),
            Err(rebuild::Impossible::Gone) => Missing::Gone,
            Err(rebuild::Impossible::Refused(said)) => {
                let first = if refusal.code.is_empty() { &refusal.said } else { &refusal.code };
                Missing::Refused(words(format!("{first}; and it cannot be rebuilt: {said}").as_bytes()))
            }
            Err(rebuild::Impossible::Trouble(error)) => return Err(error),
        },
        Err(Fail::Refused(refusal, error)) => match refusal.status {
            // What concerns the mailbox or the whole service is no message's fault.
            401 | 403 | 502 | 503 => return Err(error),
            _ if refusal.is_about_the_mailbox() => return Err(error),
            _ => Missing::Refused(words(format!("{} {}", refusal.code, refusal.said).as_bytes())),
        },
        Err(Fail::Other(error)) => return Err(error),
    };
    sink.missing(id.clone(), why).map_err(SourceError::Sink)
}

/// When it was received and whether it is a draft: as listed, else asked for. `None` where it is gone.
fn listed(client: &Client, seen: &Seen, mailbox: &Mailbox, id: &RemoteId) -> Result<Option<(Option<i64>, bool)>> {
    if let Some(listed) = seen.get(id) {
        return Ok(Some(*listed));
    }
    let path = format!("{}?$select=id,receivedDateTime,isDraft", message_path(mailbox, id));
    match client.json::<Item>(&Ask::get(mailbox, client.url(&path)), GRAPH_ANSWER) {
        Ok(item) => Ok(Some((item.received(), item.is_draft()))),
        Err(Fail::Refused(refusal, _)) if refusal.is_gone() => Ok(None),
        // Its bytes may be had all the same.
        Err(Fail::Refused(refusal, _)) if refusal.status == 500 || refusal.status == 400 => Ok(Some((None, false))),
        Err(fail) => Err(fail.into()),
    }
}

fn stream(answer: &mut Answer, arrival: Arrival, sink: &mut dyn Sink) -> Result<()> {
    let too_long = |bytes: u64| Missing::Refused(format!("it has more than {bytes} bytes"));
    if answer.length.is_some_and(|length| length > MESSAGE) {
        return sink.missing(arrival.id, too_long(MESSAGE)).map_err(SourceError::Sink);
    }
    let mut buffer = vec![0; CHUNK];
    // Nothing is begun before the first byte: a message without any is none.
    let mut read = answer.read(&mut buffer).map_err(from_io)?;
    if read == 0 {
        return sink.missing(arrival.id, Missing::NoBody).map_err(SourceError::Sink);
    }
    sink.begin(answer.length).map_err(SourceError::Sink)?;
    let mut total: u64 = 0;
    while read > 0 {
        total += read as u64;
        if total > MESSAGE {
            sink.abort();
            return sink.missing(arrival.id, too_long(MESSAGE)).map_err(SourceError::Sink);
        }
        sink.data(buffer.get(..read).unwrap_or_default()).map_err(SourceError::Sink)?;
        read = match answer.read(&mut buffer) {
            Ok(read) => read,
            Err(error) => {
                sink.abort();
                return Err(from_io(error));
            }
        };
    }
    // The HTTP client watches over this too; that a message is whole is worth asking twice.
    if answer.length.is_some_and(|length| length != total) {
        sink.abort();
        return Err(SourceError::Lost { detail: format!("after {total} bytes of a message") });
    }
    sink.end(arrival).map_err(SourceError::Sink)
}
