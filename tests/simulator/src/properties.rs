//! The properties of a message, read from its MIME. Graph docs: 'message resource type'.

use mail_parser::{Address, HeaderName, Message as Parsed, MessageParser, MimeHeaders};
use serde_json::{Map, Value, json};

use crate::attachments;
use crate::chance::hash;
use crate::date;
use crate::graph::View;
use crate::source::Source;

/// Of a message that is larger than this, body and attachments are judged by its first megabytes.
const LARGE: u64 = 8 << 20;

/// A message as JSON: everything that is shown without being asked for, or what `$select` names.
pub fn message(view: &View<'_>, number: usize, select: Option<&str>) -> Value {
    let message = &view.mailbox.messages[number];
    let chosen = |name: &str| match select.map(str::trim).filter(|select| !select.is_empty()) {
        Some(select) => select.split(',').any(|each| each.trim().eq_ignore_ascii_case(name)),
        None => !["conversationIndex", "internetMessageHeaders", "uniqueBody"].contains(&name),
    };
    let mut out = Map::new();
    out.insert("@odata.etag".to_owned(), json!(view.etag(number)));
    out.insert("id".to_owned(), json!(view.id(number)));
    let received = date::offset(message.received);
    let own = [
        ("createdDateTime", json!(received)),
        ("lastModifiedDateTime", json!(date::offset(message.received + i64::try_from(message.version).unwrap_or(0)))),
        ("changeKey", json!(view.change_key(number))),
        ("receivedDateTime", json!(received)),
        ("sentDateTime", json!(date::offset(message.sent))),
        ("parentFolderId", json!(message.folder.map(|folder| view.folder_id(folder)))),
        ("isRead", json!(message.is_read)),
        ("isDraft", json!(message.is_draft)),
        (
            "webLink",
            json!(format!(
                "https://outlook.office365.com/owa/?ItemID={}&exvsurl=1&viewmodel=ReadMessageItem",
                crate::question::encode(&view.id(number)).replace('=', "%3D")
            )),
        ),
    ];
    out.extend(own.into_iter().filter(|(name, _)| chosen(name)).map(|(name, value)| (name.to_owned(), value)));
    // Only as much is read as is needed for what was asked.
    let deep = ["body", "bodyPreview", "uniqueBody", "hasAttachments"].into_iter().any(chosen);
    let bytes = if deep { start(&message.source) } else { message.source.head().unwrap_or_default() };
    let read = if deep { of_bytes(&bytes, view.question.wants_text()) } else { of_head(&bytes) };
    out.extend(read.into_iter().filter(|(name, _)| chosen(name)));
    let expand = view.question.option("$expand").unwrap_or_default();
    if expand.contains("singleValueExtendedProperties") {
        out.insert("singleValueExtendedProperties".to_owned(), extended(&message.source, expand));
    }
    Value::Object(out)
}

/// The size and the class of a message have no property of their own in v1.0.
fn extended(source: &Source, expand: &str) -> Value {
    let mut values = Vec::new();
    if expand.to_lowercase().contains("0x0e08") || expand.to_lowercase().contains("0xe08") {
        values.push(json!({ "id": "Integer 0xe08", "value": source.length().unwrap_or(0).to_string() }));
    }
    if expand.to_lowercase().contains("0x001a") || expand.to_lowercase().contains("0x1a") {
        values.push(json!({ "id": "String 0x1a", "value": "IPM.Note" }));
    }
    Value::Array(values)
}

fn start(source: &Source) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Ok(reader) = source.open() {
        let _ = std::io::Read::read_to_end(&mut std::io::Read::take(reader, LARGE), &mut bytes);
    }
    bytes
}

/// What the header says.
fn of_head(bytes: &[u8]) -> Map<String, Value> {
    MessageParser::new().parse_headers(bytes).map(|parsed| head(&parsed)).unwrap_or_default()
}

/// What header and body say.
pub fn of_bytes(bytes: &[u8], wants_text: bool) -> Map<String, Value> {
    let Some(parsed) = MessageParser::new().parse(bytes) else { return of_head(bytes) };
    let mut out = head(&parsed);
    let text = parsed.body_text(0).unwrap_or_default();
    let preview: String = text.chars().take(255).collect();
    let (kind, content) = if wants_text { ("text", text) } else { ("html", parsed.body_html(0).unwrap_or_default()) };
    let body = json!({ "contentType": kind, "content": content });
    out.insert("bodyPreview".to_owned(), json!(preview));
    out.insert("uniqueBody".to_owned(), body.clone());
    out.insert("body".to_owned(), body);
    let plain = parsed.content_type().is_none_or(|of| of.ctype().eq_ignore_ascii_case("text"));
    let has = !plain && attachments::all(bytes).iter().any(|each| !each.is_inline);
    out.insert("hasAttachments".to_owned(), json!(has));
    out
}

fn head(parsed: &Parsed<'_>) -> Map<String, Value> {
    let subject = parsed.subject().unwrap_or_default();
    let people = |address: Option<&Address<'_>>| -> Vec<Value> {
        address.into_iter().flat_map(Address::iter).map(|each| person(each.name(), each.address())).collect()
    };
    let first = |address: Option<&Address<'_>>| people(address).into_iter().next();
    let from = first(parsed.from());
    let sender = first(parsed.sender()).or_else(|| from.clone());
    let importance = match parsed.header_raw("Importance").map(|value| value.trim().to_lowercase()).as_deref() {
        Some("high") => "high",
        Some("low") => "low",
        _ => "normal",
    };
    let thread = subject.trim_start_matches("Re: ").trim_start_matches("AW: ").to_lowercase();
    let headers: Vec<Value> =
        parsed.headers_raw().map(|(name, value)| json!({ "name": name, "value": value.trim() })).collect();
    let message_id =
        parsed.header_raw(HeaderName::MessageId).map(|id| id.trim().to_owned()).filter(|id| !id.is_empty());
    let value = json!({
        "categories": [],
        "internetMessageId": message_id,
        "subject": subject,
        "importance": importance,
        "conversationId": format!("AAQkADhJ{:016x}=", hash(&[thread.as_bytes()])),
        "conversationIndex": format!("AQHT{:016x}", hash(&[b"index", thread.as_bytes()])),
        "isDeliveryReceiptRequested": false,
        "isReadReceiptRequested": parsed.header_raw("Disposition-Notification-To").is_some(),
        "inferenceClassification": "focused",
        "sender": sender,
        "from": from,
        "toRecipients": people(parsed.to()),
        "ccRecipients": people(parsed.cc()),
        "bccRecipients": people(parsed.bcc()),
        "replyTo": people(parsed.reply_to()),
        "flag": { "flagStatus": "notFlagged" },
        "internetMessageHeaders": headers,
    });
    if let Value::Object(map) = value { map } else { Map::new() }
}

fn person(name: Option<&str>, address: Option<&str>) -> Value {
    json!({ "emailAddress": { "name": name.or(address), "address": address } })
}
