//! Messages in lists and one by one. Graph docs: 'List messages', 'Get message', 'Create message'.

use std::sync::Arc;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::failure::{self, Failure};
use crate::graph::{At, View};
use crate::question::{Question, encode};
use crate::source::Source;
use crate::tenant::Tenant;
use crate::{load, properties, select};

pub fn list_or_add(
    tenant: &mut Tenant,
    at: &mut At<'_>,
    question: &Question,
    folder: Option<usize>,
) -> Result<Answer, Failure> {
    match question.method.as_str() {
        "GET" => list(tenant, at, question, folder),
        "POST" => add(tenant, at, question, folder),
        _ => Err(Failure::new(405, "BadRequest", "The method is not allowed.")),
    }
}

/// The newest first unless `$orderby` says otherwise. The link to the next page counts (`$skip`), so what goes between two
/// pages makes the next page begin too late: as the real one.
fn list(tenant: &Tenant, at: &mut At<'_>, question: &Question, folder: Option<usize>) -> Result<Answer, Failure> {
    at.call = "list";
    let mailbox = &tenant.mailboxes[at.mailbox];
    let view = View { mailbox, question };
    let (chosen, order) = (question.option("$select"), question.option("$orderby"));
    select::check(chosen.unwrap_or_default())?;
    let clauses = select::filter(question.option("$filter"), order)?;
    let number = |name: &str, otherwise: usize| question.option(name).map_or(Ok(otherwise), str::parse);
    let (Ok(size), Ok(skip)) = (number("$top", 10), number("$skip", 0)) else {
        return Err(failure::malformed("Invalid value for an option of the query."));
    };
    if !(1..=1000).contains(&size) {
        return Err(Failure::new(400, "ErrorInvalidUrlQuery", "The value of '$top' must be between 1 and 1000."));
    }
    at.page_size = Some(size as u64);
    let mut members: Vec<usize> = if let Some(folder) = folder {
        mailbox.folders[mailbox.shown(folder)].members.iter().rev().map(|(_, message)| *message).collect()
    } else {
        let mut all: Vec<usize> =
            (0..mailbox.messages.len()).filter(|at| mailbox.messages[*at].folder.is_some()).collect();
        all.sort_by_key(|at| std::cmp::Reverse((mailbox.messages[*at].received, *at)));
        all
    };
    if order.is_some_and(|order| order.starts_with("receivedDateTime") && !order.ends_with("desc")) {
        members.reverse();
    }
    if !clauses.is_empty() {
        members.retain(|message| {
            let text = |name: &str| {
                properties::message(&view, *message, Some(name))[name].as_str().unwrap_or_default().to_owned()
            };
            clauses.iter().all(|clause| clause.holds(&mailbox.messages[*message], &text))
        });
    }
    let page: Vec<usize> = members.iter().copied().skip(skip).take(size).collect();
    at.check_page(tenant, page.iter().copied())?;
    let value: Vec<Value> = page.iter().map(|message| properties::message(&view, *message, chosen)).collect();
    let inner = folder
        .map_or("messages".to_owned(), |folder| format!("mailFolders('{}')/messages", encode(&view.folder_id(folder))));
    let chosen = chosen.map(|chosen| format!("({chosen})")).unwrap_or_default();
    let mut body = json!({ "@odata.context": at.user_context(&format!("{inner}{chosen}")), "value": value });
    if question.option("$count") == Some("true") {
        body["@odata.count"] = json!(members.len());
    }
    if skip + size < members.len() {
        let options = question.options_without("$skip");
        let inner = folder.map_or("messages".to_owned(), |_| format!("mailFolders/{}/messages", encode(at.folder)));
        let link =
            format!("{}/v1.0/users/{}/{inner}?{options}%24skip={}", question.base(), encode(at.user), skip + size);
        body["@odata.nextLink"] = json!(link);
    }
    Ok(preferred(Answer::odata(200, &body), question))
}

pub fn one(tenant: &Tenant, at: &mut At<'_>, question: &Question, message: usize) -> Result<Answer, Failure> {
    at.call = "message";
    select::check(question.option("$select").unwrap_or_default())?;
    let view = View { mailbox: &tenant.mailboxes[at.mailbox], question };
    let mut body = properties::message(&view, message, question.option("$select"));
    body["@odata.context"] = json!(at.user_context("messages/$entity"));
    Ok(preferred(Answer::odata(200, &body), question))
}

pub fn preferred(answer: Answer, question: &Question) -> Answer {
    if question.wants_text() {
        return answer.with("Preference-Applied", "outlook.body-content-type=\"text\"");
    }
    answer
}

/// A message from MIME: `text/plain` with base64. It is always a draft, whatever it was ('Create a draft of a new message in
/// either JSON or MIME format'). From JSON the simulator makes the header and the body alone.
fn add(tenant: &mut Tenant, at: &mut At<'_>, question: &Question, folder: Option<usize>) -> Result<Answer, Failure> {
    at.call = "create-message";
    let mime = if question.content_type.to_lowercase().starts_with("text/plain") {
        let packed: Vec<u8> = question.body.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
        BASE64_STANDARD.decode(packed).map_err(|_| {
            Failure::new(400, "ErrorMimeContentInvalidBase64String", "Invalid base64 string for MIME content.")
        })?
    } else {
        let asked: Value = serde_json::from_slice(&question.body)
            .map_err(|_| failure::malformed("Unable to read JSON request payload."))?;
        let (subject, body) =
            (asked["subject"].as_str().unwrap_or_default(), asked["body"]["content"].as_str().unwrap_or_default());
        let subject = BASE64_STANDARD.encode(subject);
        format!("Subject: =?utf-8?B?{subject}?=\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{body}\r\n")
            .into_bytes()
    };
    let source = Source::Memory(Arc::from(mime));
    let (received, sent) = load::dates(&source);
    let mailbox = &mut tenant.mailboxes[at.mailbox];
    let folder = folder.or_else(|| mailbox.well_known("drafts")).unwrap_or(mailbox.inbox());
    let number = mailbox.add_message(folder, source, received, sent);
    mailbox.messages[number].is_draft = true;
    mailbox.messages[number].fresh = true;
    Ok(told(tenant, at, question, number, 201))
}

/// An answer that is a message.
pub fn told(tenant: &Tenant, at: &At<'_>, question: &Question, message: usize, status: u16) -> Answer {
    let view = View { mailbox: &tenant.mailboxes[at.mailbox], question };
    let mut body = properties::message(&view, message, None);
    body["@odata.context"] = json!(at.user_context("messages/$entity"));
    body["@odata.type"] = json!("#microsoft.graph.message");
    Answer::odata(status, &body)
}
