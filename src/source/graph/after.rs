//! What happens on the server to messages that are safely archived.
//! <https://learn.microsoft.com/graph/api/message-move>, `message-permanentdelete`.

use serde::Deserialize;
use serde_json::json;
use ureq::http::Method;

use super::client::{Ask, Client, Fail};
use super::fetch::message_path;
use super::folders;
use crate::limits::GRAPH_MESSAGE;
use crate::source::{After, Done, Folder, Mailbox, RemoteId, Result, SourceError};

/// The well-known name of the folder for deleted messages.
const DELETED: &str = "deleteditems";

#[derive(Deserialize)]
struct Moved {
    id: String,
}

/// Moves or deletes, one request for each; a message that is no longer there is done. What was done before an error is not
/// reported: asking again for it does no harm.
pub fn after(
    client: &Client,
    mailbox: &Mailbox,
    folder: &Folder,
    ids: &[RemoteId],
    action: &After,
) -> Result<Vec<Done>> {
    let untouched = |id: &RemoteId| Done { id: id.clone(), moved_to: None };
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    match action {
        After::Leave => Ok(ids.iter().map(untouched).collect()),
        After::Move(name) if folder.is_named(name) => Ok(ids.iter().map(untouched).collect()),
        After::Move(name) => {
            let target = folders::find_or_make(client, mailbox, name)?;
            if target.id == folder.id {
                return Ok(ids.iter().map(untouched).collect());
            }
            let to = |id: &RemoteId, moved: Option<Moved>| {
                let moved_to = moved.map(|moved| (target.name.clone(), RemoteId(moved.id.into_bytes())));
                Done { id: id.clone(), moved_to }
            };
            ids.iter().map(|id| Ok(to(id, relocate(client, mailbox, id, &target.id)?))).collect()
        }
        // What DELETE does, by another name: sent once more after a lost answer it changes nothing, where DELETE would take
        // the message out of the deleted items too.
        After::Delete => ids.iter().map(|id| relocate(client, mailbox, id, DELETED).map(|_| untouched(id))).collect(),
        // Into Purges, which the owner of the mailbox does not see. Not in every national cloud.
        After::Purge => ids.iter().map(|id| purge(client, mailbox, id)).collect(),
    }
}

/// Moves one message; `None` where it is no longer there.
fn relocate(client: &Client, mailbox: &Mailbox, id: &RemoteId, target: &str) -> Result<Option<Moved>> {
    let body = json!({ "destinationId": target }).to_string();
    let mut ask = Ask::change(mailbox, Method::POST, client.url(&format!("{}/move", message_path(mailbox, id))));
    ask.body = Some(("application/json", body.as_bytes()));
    gone_is_done(client.json(&ask, GRAPH_MESSAGE))
}

fn purge(client: &Client, mailbox: &Mailbox, id: &RemoteId) -> Result<Done> {
    let url = client.url(&format!("{}/permanentDelete", message_path(mailbox, id)));
    gone_is_done(client.done(&Ask::change(mailbox, Method::POST, url)))?;
    Ok(Done { id: id.clone(), moved_to: None })
}

fn gone_is_done<T>(result: std::result::Result<T, Fail>) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(Fail::Refused(refusal, _)) if refusal.is_gone() => Ok(None),
        Err(fail) => Err(SourceError::from(fail)),
    }
}
