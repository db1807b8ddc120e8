//! Attachments. Graph docs: 'List attachments', 'Get attachment'. A signed message has one attachment, `smime.p7m`, which is
//! all that was signed with its signature.

use base64::{Engine, prelude::BASE64_STANDARD};
use mail_parser::{Message, MessageParser, MimeHeaders};
use serde_json::{Map, Value, json};

use crate::answer::Answer;
use crate::date;
use crate::failure::{self, Failure};
use crate::graph::{At, View};
use crate::identifier;
use crate::properties;
use crate::question::Question;
use crate::tenant::Tenant;

/// An attachment taken out of its message.
pub struct Attachment {
    kind: &'static str,
    name: Option<String>,
    content_type: Option<String>,
    pub is_inline: bool,
    content_id: Option<String>,
    bytes: Vec<u8>,
}

/// All attachments of a message's bytes.
pub fn all(mail: &[u8]) -> Vec<Attachment> {
    let Some(parsed) = MessageParser::new().parse(mail) else { return Vec::new() };
    if let Some(signed) = signed(&parsed, mail) {
        return vec![signed];
    }
    parsed
        .attachments()
        .map(|part| {
            let content_type = part.content_type().map(|of| match of.subtype() {
                Some(subtype) => format!("{}/{subtype}", of.ctype()),
                None => of.ctype().to_owned(),
            });
            let external = content_type.as_deref().is_some_and(|of| of.eq_ignore_ascii_case("message/external-body"));
            let kind = match (part.is_message(), external) {
                (true, _) => "itemAttachment",
                (_, true) => "referenceAttachment",
                _ => "fileAttachment",
            };
            let inner = part.message().and_then(Message::subject).map(ToOwned::to_owned);
            let is_inline = part.content_disposition().is_some_and(mail_parser::ContentType::is_inline)
                && part.content_id().is_some();
            Attachment {
                kind,
                name: inner.or_else(|| part.attachment_name().map(ToOwned::to_owned)),
                content_type: if kind == "itemAttachment" { None } else { content_type },
                is_inline,
                content_id: part.content_id().map(ToOwned::to_owned),
                bytes: part.contents().to_vec(),
            }
        })
        .collect()
}

fn signed(parsed: &Message<'_>, mail: &[u8]) -> Option<Attachment> {
    let content_type = parsed.content_type()?;
    if !content_type.ctype().eq_ignore_ascii_case("multipart")
        || !content_type.subtype()?.eq_ignore_ascii_case("signed")
    {
        return None;
    }
    let (_, field) = parsed.headers_raw().find(|(name, _)| name.eq_ignore_ascii_case("Content-Type"))?;
    let body = usize::try_from(parsed.root_part().raw_body_offset()).ok()?;
    let bytes = [b"Content-Type:", field.as_bytes(), b"\r\n", mail.get(body..)?].concat();
    Some(Attachment {
        kind: "fileAttachment",
        name: Some("smime.p7m".to_owned()),
        content_type: Some("multipart/signed".to_owned()),
        is_inline: false,
        content_id: None,
        bytes,
    })
}

fn read(tenant: &Tenant, at: &At<'_>, message: usize) -> Result<Vec<Attachment>, Failure> {
    let source = &tenant.mailboxes[at.mailbox].messages[message].source;
    let bytes =
        source.whole().map_err(|_| Failure::new(500, "InternalServerError", "The file of this message is gone."))?;
    Ok(all(&bytes))
}

pub fn list(tenant: &Tenant, at: &mut At<'_>, question: &Question, message: usize) -> Result<Answer, Failure> {
    at.call = "attachments";
    let view = View { mailbox: &tenant.mailboxes[at.mailbox], question };
    let found = read(tenant, at, message)?;
    let value: Vec<Value> = found.iter().enumerate().map(|(number, each)| show(&view, message, number, each)).collect();
    let context = at.user_context(&format!("messages('{}')/attachments", crate::question::encode(&view.id(message))));
    Ok(Answer::odata(200, &json!({ "@odata.context": context, "value": value })))
}

pub fn one(
    tenant: &Tenant,
    at: &mut At<'_>,
    question: &Question,
    message: usize,
    id: &str,
    raw: bool,
) -> Result<Answer, Failure> {
    at.call = if raw { "attachment-value" } else { "attachment" };
    let view = View { mailbox: &tenant.mailboxes[at.mailbox], question };
    let number = identifier::attachment_number(&view.id(message), id).ok_or_else(failure::malformed_id)?;
    let mut found = read(tenant, at, message)?;
    if number >= found.len() {
        return Err(failure::no_item());
    }
    let attachment = found.swap_remove(number);
    if raw {
        if attachment.kind == "referenceAttachment" {
            return Err(failure::unsupported());
        }
        let content_type = attachment.content_type.unwrap_or_else(|| "text/plain".to_owned());
        return Ok(Answer::stream(&content_type, Box::new(std::io::Cursor::new(attachment.bytes))));
    }
    let mut body = show(&view, message, number, &attachment);
    let context =
        at.user_context(&format!("messages('{}')/attachments/$entity", crate::question::encode(&view.id(message))));
    body["@odata.context"] = json!(context);
    let expand = question.option("$expand").unwrap_or_default().to_lowercase();
    if attachment.kind == "itemAttachment" && expand.contains("itemattachment/item") {
        let mut item = properties::of_bytes(&attachment.bytes, question.wants_text());
        item.insert("@odata.type".to_owned(), json!("#microsoft.graph.message"));
        item.insert("id".to_owned(), json!(""));
        body["item"] = Value::Object(item);
    }
    Ok(Answer::odata(200, &body))
}

fn show(view: &View<'_>, message: usize, number: usize, attachment: &Attachment) -> Value {
    let mut body = json!({
        "@odata.type": format!("#microsoft.graph.{}", attachment.kind),
        "id": identifier::attachment(&view.id(message), number),
        "lastModifiedDateTime": date::offset(view.mailbox.messages[message].received),
        "name": attachment.name,
        "contentType": attachment.content_type,
        "size": attachment.bytes.len(),
        "isInline": attachment.is_inline,
    });
    if attachment.kind == "fileAttachment" {
        body["@odata.mediaContentType"] = json!(attachment.content_type);
        body["contentId"] = json!(attachment.content_id);
        body["contentLocation"] = Value::Null;
        body["contentBytes"] = json!(BASE64_STANDARD.encode(&attachment.bytes));
    }
    let Some(select) = view.question.option("$select") else { return body };
    let chosen =
        |name: &str| name.starts_with("@odata") || name == "id" || select.split(',').any(|each| each.trim() == name);
    let all = body.as_object().cloned().unwrap_or_default();
    Value::Object(all.into_iter().filter(|(name, _)| chosen(name)).collect::<Map<_, _>>())
}
