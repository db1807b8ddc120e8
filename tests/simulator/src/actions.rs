//! What a client does to messages. Graph docs: 'message: move', 'message: copy', 'Delete message', 'message: permanentDelete',
//! 'Update message'.

use serde_json::Value;

use crate::answer::Answer;
use crate::failure::{self, Failure};
use crate::folders;
use crate::graph::At;
use crate::messages;
use crate::question::Question;
use crate::tenant::Tenant;

fn destination(tenant: &Tenant, at: &At<'_>, question: &Question) -> Result<usize, Failure> {
    let asked: Value = serde_json::from_slice(&question.body)
        .map_err(|_| failure::malformed("Unable to read JSON request payload."))?;
    let name = asked["destinationId"].as_str().or(asked["DestinationId"].as_str());
    let name = name.ok_or_else(|| failure::malformed("The value of the parameter 'DestinationId' is empty."))?;
    folders::find(&tenant.mailboxes[at.mailbox], name)
}

/// The answer has the message's new id; an immutable id is the old one.
pub fn relocate(tenant: &mut Tenant, at: &mut At<'_>, question: &Question, message: usize) -> Result<Answer, Failure> {
    at.call = "move";
    let to = destination(tenant, at, question)?;
    tenant.mailboxes[at.mailbox].relocate(message, Some(to));
    Ok(messages::told(tenant, at, question, message, 201))
}

pub fn copy(tenant: &mut Tenant, at: &mut At<'_>, question: &Question, message: usize) -> Result<Answer, Failure> {
    at.call = "copy";
    let to = destination(tenant, at, question)?;
    let mailbox = &mut tenant.mailboxes[at.mailbox];
    let original = mailbox.messages[message].clone();
    let number = mailbox.add_message(to, original.source, original.received, original.sent);
    mailbox.messages[number].is_draft = original.is_draft;
    mailbox.messages[number].fresh = true;
    Ok(messages::told(tenant, at, question, number, 201))
}

/// To the deleted items; from there to the recoverable items; from there for good.
pub fn delete(tenant: &mut Tenant, at: &mut At<'_>, message: usize) -> Answer {
    at.call = "delete";
    let mailbox = &mut tenant.mailboxes[at.mailbox];
    let lies_in = mailbox.messages[message].folder.and_then(|folder| mailbox.folders[folder].well_known);
    let to = match lies_in {
        Some("recoverableitemsdeletions") => None,
        Some("deleteditems") => mailbox.well_known("recoverableitemsdeletions"),
        _ => mailbox.well_known("deleteditems"),
    };
    mailbox.relocate(message, to);
    Answer::empty(204)
}

/// To the purges, which no request reaches.
pub fn purge(tenant: &mut Tenant, at: &mut At<'_>, message: usize) -> Answer {
    at.call = "permanent-delete";
    tenant.mailboxes[at.mailbox].relocate(message, None);
    Answer::empty(204)
}

/// Of properties that may be changed only `isRead` is kept.
pub fn update(tenant: &mut Tenant, at: &mut At<'_>, question: &Question, message: usize) -> Result<Answer, Failure> {
    at.call = "update";
    let asked: Value = serde_json::from_slice(&question.body)
        .map_err(|_| failure::malformed("Unable to read JSON request payload."))?;
    let mailbox = &mut tenant.mailboxes[at.mailbox];
    if let Some(is_read) = asked["isRead"].as_bool() {
        mailbox.messages[message].is_read = is_read;
    }
    mailbox.touch(message);
    Ok(messages::told(tenant, at, question, message, 200))
}
