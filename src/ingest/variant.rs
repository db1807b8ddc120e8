//! When two renderings are the same message: at a switch of module, a server gives the same mail with other boundaries,
//! encodings and header lines.
//!
//! The *essence* of a message is the hash of what a reader would see of it: From, To, Cc, Bcc, Subject, Date, Message-ID, and
//! the decoded parts in their order with their file names. Two messages with one essence differ only in boundaries, transfer
//! encodings, character sets, white space at the ends of lines, and other header fields.

use std::panic::catch_unwind;

use mail_parser::{Message, MessageParser, MimeHeaders, PartType};

use super::{Head, Walk};
use crate::hash::{Hasher, Sha256};
use crate::limits::{ESSENCE, NESTING};

/// The essence of a message; `None` where it is too long for that ([`ESSENCE`]) or cannot be read. What has none is the same
/// as nothing else.
pub fn essence(raw: &[u8]) -> Option<Sha256> {
    if raw.len() > ESSENCE {
        return None;
    }
    let mut walk = Walk::new();
    walk.push(raw);
    let Head { subject, from, to, cc, date, message_id, .. } = walk.finish();
    // Bytes of strangers may take the parser to places its authors did not think of.
    catch_unwind(|| {
        let message = MessageParser::default().parse(raw)?;
        let bcc = message.header_raw("Bcc").unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
        let mut hasher = Hasher::new();
        let date = date.map(|date| date.to_string()).unwrap_or_default();
        for field in [&from, &to, &cc, &bcc, &subject, &date, &message_id] {
            put(&mut hasher, b"field", field.as_bytes());
        }
        parts(&message, &mut hasher, 0)?;
        Some(hasher.finish())
    })
    .ok()
    .flatten()
}

/// Lengths go in front, so that no two different lists of pieces look alike.
fn put(hasher: &mut Hasher, kind: &[u8], bytes: &[u8]) {
    hasher.update(kind);
    hasher.update(&(bytes.len() as u64).to_be_bytes());
    hasher.update(bytes);
}

fn parts(message: &Message<'_>, hasher: &mut Hasher, depth: usize) -> Option<()> {
    if depth > NESTING {
        return None;
    }
    for part in &message.parts {
        let name = part.attachment_name().unwrap_or_default();
        match &part.body {
            PartType::Text(text) | PartType::Html(text) => {
                put(hasher, b"text", plain(text).as_bytes());
                put(hasher, b"name", name.as_bytes());
            }
            PartType::Binary(bytes) | PartType::InlineBinary(bytes) => {
                put(hasher, b"data", bytes);
                put(hasher, b"name", name.as_bytes());
            }
            PartType::Message(nested) => {
                put(hasher, b"mail", nested.subject().unwrap_or_default().as_bytes());
                parts(nested, hasher, depth + 1)?;
            }
            PartType::Multipart(_) => {}
        }
    }
    Some(())
}

/// Text without what encodings do to the ends of its lines.
fn plain(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.join("\n").trim_end().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIL: &str = "From: A <a@x.ch>\r\nTo: b@x.ch\r\nSubject: =?utf-8?q?Gr=C3=BCsse?=\r\n\
        Date: Tue, 14 Nov 2023 22:13:20 +0000\r\nMessage-ID: <1@x.ch>\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/mixed; boundary=\"one\"\r\n\r\n--one\r\nContent-Type: text/plain; charset=utf-8\r\n\
        Content-Transfer-Encoding: quoted-printable\r\n\r\nGr=C3=BCezi \r\n--one\r\n\
        Content-Type: application/pdf; name=\"a.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\nAAECAw==\r\n--one--\r\n";

    /// The same mail as another server gives it.
    const OTHER: &str = "Received: from somewhere\r\nMIME-Version: 1.0\r\nMessage-ID: <1@x.ch>\r\n\
        Date: Tue, 14 Nov 2023 23:13:20 +0100\r\nSubject: =?iso-8859-1?q?Gr=FCsse?=\r\nTo: b@x.ch\r\nFrom: A <a@x.ch>\r\n\
        X-Server: 2\r\nContent-Type: multipart/mixed; boundary=\"two\"\r\n\r\n--two\r\n\
        Content-Type: text/plain; charset=\"iso-8859-1\"\r\nContent-Transfer-Encoding: base64\r\n\r\nR3L8ZXppDQo=\r\n--two\r\n\
        Content-Type: application/pdf; name=\"a.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\nAAEC\r\nAw==\r\n--two--\r\n";

    #[test]
    fn another_rendering_has_the_same_essence() {
        assert!(essence(MAIL.as_bytes()).is_some());
        assert_eq!(essence(MAIL.as_bytes()), essence(OTHER.as_bytes()));
    }

    #[test]
    fn another_message_has_another_essence() {
        let changes = [
            ("To: b@x.ch", "To: c@x.ch"),
            ("To: b@x.ch", "To: b@x.ch\r\nBcc: chef@x.ch"),
            ("To: b@x.ch", "To: b@x.ch\r\nCc: chef@x.ch"),
            ("<1@x.ch>", "<2@x.ch>"),
            ("22:13:20", "22:13:21"),
            ("=C3=BCezi", "=C3=BCess"),
            ("AAECAw==", "AAECBA=="),
            ("a.pdf", "b.pdf"),
            ("Gr=C3=BCsse", "Gruss"),
        ];
        for (from, to) in changes {
            assert!(MAIL.contains(from));
            assert_ne!(essence(MAIL.as_bytes()), essence(MAIL.replacen(from, to, 1).as_bytes()), "{to}");
        }
    }
}
