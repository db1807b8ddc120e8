//! Play back: a message returns to a folder. <https://learn.microsoft.com/graph/outlook-send-mime-message>
//!
//! Graph takes MIME only as one request of at most 4 MB in Base64, and marks what it takes as a draft; there is no other
//! way to give back the message unchanged.

use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::client::{Ask, Client};
use super::folders;
use crate::limits::GRAPH_PLAY_BACK;
use crate::source::{Mailbox, Result, SourceError};

/// Puts exactly `len` bytes of `raw` into the folder that a person calls `folder`, which is made if it is missing.
pub fn play_back(client: &Client, mailbox: &Mailbox, folder: &str, raw: &mut dyn Read, len: u64) -> Result<()> {
    if len > GRAPH_PLAY_BACK {
        let what = format!("take back a message of more than {GRAPH_PLAY_BACK} bytes (a limit of Microsoft Graph)");
        return Err(SourceError::Unsupported { what });
    }
    let bad = |detail: String| SourceError::File { path: "the message".to_owned(), detail };
    let mut message = Vec::new();
    raw.take(len).read_to_end(&mut message).map_err(|error| bad(error.to_string()))?;
    if message.len() as u64 != len {
        return Err(bad("it is shorter than announced".to_owned()));
    }
    let target = folders::find_or_make(client, mailbox, folder)?;
    let body = STANDARD.encode(&message);
    drop(message);
    let url = client.url(&format!("{}/messages", folders::folder_path(mailbox, &target.id)));
    Ok(client.done(&Ask::create(mailbox, url, ("text/plain", body.as_bytes())))?)
}
