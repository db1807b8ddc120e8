//! The parts of a message that is rebuilt (RFC 5322, RFC 2045): text made from JSON that is foreign. Nothing in it can end
//! a header or a part before its time.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::hash::{self, Sha256};

/// The header by which a rebuilt message is known.
pub const MARK: &str = "X-Archivista-Reconstructed: yes\r\n";
/// Headers of one message that are kept.
const HEADERS: usize = 2000;
/// Bytes of one header value that are kept.
const VALUE: usize = 64 * 1024;
/// Bytes of one encoded word before Base64 (RFC 2047, 2: 75 characters in all).
const WORD: usize = 42;

/// What stands below the headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// Text and attachments.
    Mixed,
    /// A whole MIME entity with headers of its own: clear-signed S/MIME.
    Entity,
    /// CMS bytes: encrypted or opaquely signed S/MIME.
    Pkcs7,
}

/// The headers, and the empty line below them unless the content brings its own.
pub fn head(message: &Value, content: Content) -> String {
    let mut out = MARK.to_owned();
    let mut has = Vec::new();
    let mut media_type = None;
    let headers = message["internetMessageHeaders"].as_array().map(Vec::as_slice).unwrap_or_default();
    for header in headers.iter().take(HEADERS) {
        let (Some(name), Some(value)) = (header["name"].as_str(), header["value"].as_str()) else { continue };
        let lower = name.to_ascii_lowercase();
        if lower == "content-type" {
            media_type = Some(value);
        }
        // What describes the content is ours to say; nobody else marks a message as rebuilt.
        let ours = lower.starts_with("content-") || lower == "mime-version" || lower.starts_with("x-archivista-");
        if !ours && is_name(name) {
            out.push_str(&line(name, value));
            has.push(lower);
        }
    }
    let mut put = |name: &str, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty())
            && !has.contains(&name.to_ascii_lowercase())
        {
            out.push_str(&line(name, &value));
        }
    };
    let text = |key: &str| message[key].as_str().map(str::to_owned);
    put("From", addresses(&message["from"]).or_else(|| addresses(&message["sender"])));
    put("To", addresses(&message["toRecipients"]));
    put("Cc", addresses(&message["ccRecipients"]));
    put("Bcc", addresses(&message["bccRecipients"]));
    put("Reply-To", addresses(&message["replyTo"]));
    put("Subject", text("subject"));
    put("Message-ID", text("internetMessageId"));
    put("Date", date(&message["sentDateTime"]).or_else(|| date(&message["receivedDateTime"])));
    out.push_str("MIME-Version: 1.0\r\n");
    match content {
        Content::Mixed => {
            let _ = write!(out, "Content-Type: multipart/mixed; boundary=\"{}\"\r\n\r\n", boundary(message));
        }
        Content::Entity => {}
        Content::Pkcs7 => {
            let known = media_type.filter(|value| value.to_ascii_lowercase().contains("pkcs7-mime"));
            out.push_str(&line("Content-Type", known.unwrap_or("application/pkcs7-mime; name=\"smime.p7m\"")));
            out.push_str("Content-Transfer-Encoding: base64\r\n\r\n");
        }
    }
    out
}

/// The same for the same message, and in no text that is encoded.
pub fn boundary(message: &Value) -> String {
    let seed = format!("{}\0{}\0{}", message["internetMessageId"], message["sentDateTime"], message["subject"]);
    format!("=_archivista_{}", hash::hex(&Sha256::of(seed.as_bytes()).0[..16]))
}

/// The text of the message as the first part.
pub fn body(message: &Value, boundary: &str) -> String {
    let body = &message["body"];
    let kind = if body["contentType"].as_str().is_some_and(|kind| kind.eq_ignore_ascii_case("html")) {
        "html"
    } else {
        "plain"
    };
    let text = body["content"].as_str().unwrap_or("[The server does not give the text of this message.]\r\n");
    text_part(boundary, kind, text)
}

/// A part that says in words what is missing in its place.
pub fn note_part(boundary: &str, name: &str, why: &str) -> String {
    text_part(boundary, "plain", &format!("[Attachment \"{}\": {why}]\r\n", clean(name)))
}

fn text_part(boundary: &str, kind: &str, text: &str) -> String {
    let mut out = format!(
        "\r\n--{boundary}\r\nContent-Type: text/{kind}; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    );
    for line in text.as_bytes().chunks(57) {
        STANDARD.encode_string(line, &mut out);
        out.push_str("\r\n");
    }
    out
}

/// The head of a part for a file; Base64 follows.
pub fn file_part(boundary: &str, name: &str, media_type: &str) -> String {
    let (main, sub) = media_type.split(';').next().unwrap_or_default().trim().split_once('/').unwrap_or_default();
    let is_simple = is_name(main)
        && is_name(sub)
        && !main.eq_ignore_ascii_case("multipart")
        && !main.eq_ignore_ascii_case("message");
    let media_type = if is_simple { format!("{main}/{sub}") } else { "application/octet-stream".to_owned() };
    let mut out = format!("\r\n--{boundary}\r\nContent-Type: {media_type}\r\nContent-Disposition: attachment");
    // RFC 2231, 4: the charset, no language, percent-encoded.
    if !name.is_empty() {
        let _ = write!(out, ";\r\n filename*=utf-8''");
        for byte in clean(name).bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                out.push(char::from(byte));
            } else {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out.push_str("\r\nContent-Transfer-Encoding: base64\r\n\r\n");
    out
}

/// The head of a part for a message, which follows as it is.
pub fn item_part(boundary: &str) -> String {
    format!("\r\n--{boundary}\r\nContent-Type: message/rfc822\r\nContent-Disposition: attachment\r\n\r\n")
}

/// A token of RFC 2045, 5.1, which is also a field name of RFC 5322.
fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 200
        && name.bytes().all(|c| c.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?=".contains(&c))
}

/// Control characters become spaces, the rest is cut.
fn clean(text: &str) -> String {
    let end = (0..=VALUE.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text.get(..end).unwrap_or_default().chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A header line: as it is where it is ASCII, in encoded words where it is not.
fn line(name: &str, value: &str) -> String {
    let value = clean(value);
    let value = value.trim();
    if value.is_ascii() {
        return format!("{name}: {value}\r\n");
    }
    let (mut out, mut word) = (format!("{name}:"), String::new());
    let mut put = |word: &mut String| {
        let _ = write!(out, " =?utf-8?B?{}?=\r\n", STANDARD.encode(&*word));
        word.clear();
    };
    for c in value.chars() {
        if word.len() + c.len_utf8() > WORD {
            put(&mut word);
        }
        word.push(c);
    }
    put(&mut word);
    out
}

/// One recipient or a list of them as addresses; names that are not plain become encoded words.
fn addresses(value: &Value) -> Option<String> {
    let one = |value: &Value| {
        let value = &value["emailAddress"];
        let address = clean(value["address"].as_str().unwrap_or_default()).replace(['<', '>'], "");
        let name = clean(value["name"].as_str().unwrap_or_default());
        match (name.is_empty() || name == address, address.is_empty()) {
            (true, true) => None,
            (true, false) => Some(address),
            (false, _) if name.is_ascii() => {
                Some(format!("\"{}\" <{address}>", name.replace('\\', "\\\\").replace('"', "\\\"")))
            }
            (false, _) => {
                let short: String = name.chars().take(10).collect();
                let name = if name.len() <= WORD { name } else { short };
                Some(format!("=?utf-8?B?{}?= <{address}>", STANDARD.encode(name)))
            }
        }
    };
    match value {
        Value::Array(list) => Some(list.iter().filter_map(one).collect::<Vec<_>>().join(", ")),
        other => one(other),
    }
}

/// A date of Graph as RFC 5322 writes it.
fn date(value: &Value) -> Option<String> {
    let time: jiff::Timestamp = value.as_str()?.parse().ok()?;
    Some(time.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string())
}

#[cfg(test)]
mod tests {
    use mail_parser::{MessageParser, MimeHeaders};
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn headers_are_kept_and_filled_up() {
        let message = json!({
            "internetMessageId": "<1@x>", "subject": "Grüezi\r\nX-Evil: yes", "sentDateTime": "2026-01-02T03:04:05Z",
            "from": { "emailAddress": { "name": "Jürg \"J\"", "address": "j@x.ch" } },
            "toRecipients": [{ "emailAddress": { "name": "A, B", "address": "a@x.ch" } }, { "emailAddress": { "address": "c@x.ch" } }],
            "internetMessageHeaders": [
                { "name": "Received", "value": "from a\r\n by b" }, { "name": "Content-Type", "value": "text/plain" },
                { "name": "X-Archivista-Reconstructed", "value": "no" }, { "name": "Bad Name", "value": "x" },
                { "name": "MIME-Version", "value": "1.0" }, { "name": 7 },
            ],
        });
        let head = head(&message, Content::Mixed);
        assert!(head.starts_with(MARK), "{head}");
        assert_eq!(head.matches("Reconstructed").count(), 1);
        assert!(head.contains("Received: from a   by b\r\n") && !head.contains("Bad Name"), "{head}");
        let parsed = MessageParser::default().parse(head.as_bytes()).unwrap();
        assert_eq!(parsed.subject(), Some("Grüezi  X-Evil: yes"));
        assert_eq!(parsed.from().unwrap().first().unwrap().address(), Some("j@x.ch"));
        assert_eq!(parsed.to().unwrap().iter().count(), 2);
        assert_eq!(parsed.date().unwrap().to_rfc3339(), "2026-01-02T03:04:05Z");
    }

    #[test]
    fn a_rebuilt_message_is_read_again() {
        let message = json!({ "subject": "x", "body": { "contentType": "html", "content": "<p>Grüezi</p>" } });
        let edge = boundary(&message);
        let mail = [
            head(&message, Content::Mixed),
            body(&message, &edge),
            file_part(&edge, "Rechnung für Müller.pdf", "application/pdf; x=y"),
            "AAEC\r\n".to_owned(),
            item_part(&edge),
            "Subject: inner\r\n\r\ntext".to_owned(),
            note_part(&edge, "a\r\nb", "why"),
            format!("\r\n--{edge}--\r\n"),
        ]
        .concat();
        let parsed = MessageParser::default().parse(mail.as_bytes()).unwrap();
        assert_eq!(parsed.body_html(0).unwrap(), "<p>Grüezi</p>");
        assert_eq!(parsed.attachment(0).unwrap().attachment_name(), Some("Rechnung für Müller.pdf"));
        assert_eq!(parsed.attachment(0).unwrap().contents(), [0, 1, 2]);
        assert_eq!(parsed.attachment(1).unwrap().message().unwrap().subject(), Some("inner"));
    }

    proptest! {
        #[test]
        fn nothing_breaks_out_of_its_line(name in ".*", value in ".*", media_type in ".*") {
            let message = json!({
                "subject": value, "internetMessageHeaders": [{ "name": name, "value": value }],
                "from": { "emailAddress": { "name": value, "address": name } }, "body": { "content": value },
            });
            for content in [Content::Mixed, Content::Pkcs7] {
                let head = head(&message, content);
                let inner = head.strip_suffix("\r\n\r\n").unwrap();
                prop_assert!(!inner.contains("\r\n\r\n") && !inner.replace("\r\n", "").contains(['\r', '\n']));
            }
            let part = file_part("b", &name, &media_type);
            prop_assert!(part.matches("\r\n\r\n").count() == 1 && part.is_ascii());
        }
    }
}
