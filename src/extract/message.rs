//! Messages within, and what Outlook and S/MIME pack messages into.

use std::borrow::Cow;

use super::text::Text;
use super::{About, Unread, file};
use crate::limits::{EXTRACT_DEPTH, MAIL_ENVELOPE, MAIL_TEXT};
use crate::mail::html::html_to_text;
use crate::mail::special::cms::{self, Cms};
use crate::mail::special::tnef;
use crate::mail::{Collected, Collector, Outline, Outliner, Part, Piece, Transfer, Wanted, charset};

/// Header fields whose values are words that people look for.
const FIELDS: [&str; 4] = ["Subject", "From", "To", "Cc"];

/// A message: some fields of its header, its text, its attachments.
pub(super) fn read(bytes: &[u8], depth: usize, text: &mut Text<'_>) -> Result<(), Unread> {
    let outline = Outliner::read(bytes);
    let mut found = Found { bytes, outline: &outline, unread: None };
    if outline.cut {
        text.cut();
    }
    found.message(0, depth, text);
    found.unread.map_or(Ok(()), Err)
}

/// A `winmail.dat`: its text, its files.
pub(super) fn tnef(bytes: &[u8], depth: usize, text: &mut Text<'_>) -> Result<(), Unread> {
    let packed = tnef::read(bytes).ok_or(Unread::Broken)?;
    let words = if packed.text.is_empty() { html_to_text(&packed.html) } else { packed.text };
    text.push(&words);
    text.line();
    let mut unread = None;
    for packed in packed.files {
        let about = About { media_type: &packed.media_type, charset: "", name: &packed.name };
        let content = bytes.get(packed.range.clone()).unwrap_or_default();
        within(Cow::Borrowed(content), &about, false, depth, text, &mut unread);
    }
    unread.map_or(Ok(()), Err)
}

/// S/MIME: what is signed is read, whatever the signature says.
pub(super) fn cms(bytes: &[u8], depth: usize, text: &mut Text<'_>) -> Result<(), Unread> {
    if bytes.len() > MAIL_ENVELOPE {
        return Err(Unread::TooLarge);
    }
    match cms::open(bytes) {
        Cms::Signed(_) if depth >= EXTRACT_DEPTH => Err(Unread::TooDeep),
        Cms::Signed(message) => read(&message, depth + 1, text),
        Cms::Encrypted => Err(Unread::Encrypted),
        Cms::Detached | Cms::Compressed => Err(Unread::Kind),
        Cms::Unknown => Err(Unread::Broken),
    }
}

/// A file within: its name, and its text. That its kind is not read is no news; of all else that is missing the first is told.
fn within(
    bytes: Cow<'_, [u8]>,
    about: &About<'_>,
    is_longer: bool,
    depth: usize,
    text: &mut Text<'_>,
    unread: &mut Option<Unread>,
) {
    text.line();
    text.push(about.name);
    text.line();
    // It may cost what comes after it, but nothing before.
    text.hand_on();
    if text.is_full() {
        return;
    }
    match file::read(bytes, about, is_longer, depth + 1, text) {
        Ok(()) | Err(Unread::Kind) => {}
        Err(reason) => {
            unread.get_or_insert(reason);
        }
    }
    text.line();
}

struct Found<'a> {
    bytes: &'a [u8],
    outline: &'a Outline,
    unread: Option<Unread>,
}

impl Found<'_> {
    /// The message itself, 0, or one within.
    fn message(&mut self, number: usize, depth: usize, text: &mut Text<'_>) {
        let root = if number == 0 { self.outline.parts.first() } else { self.outline.children(number).next() };
        let fields = root.map(|root| root.fields.as_slice()).unwrap_or_default();
        for name in FIELDS {
            for field in fields.iter().filter(|field| field.name.eq_ignore_ascii_case(name)) {
                text.push(&field.value);
                text.line();
            }
        }
        let bodies = self.outline.bodies_of(number);
        for piece in bodies.text {
            let (Piece::Plain(number) | Piece::Html(number)) = piece else { continue };
            let Some(part) = self.outline.parts.get(number) else { continue };
            let found = self.collect(part, MAIL_TEXT);
            let words = match piece {
                Piece::Html(_) => html_to_text(&charset::html_text(&found.bytes, &part.charset, found.cut)),
                _ => charset::text(&found.bytes, &part.charset, found.cut),
            };
            if found.cut {
                text.cut();
            }
            text.push(&words);
            text.line();
        }
        for number in bodies.attachments {
            let Some(part) = self.outline.parts.get(number) else { continue };
            if text.is_full() {
                return;
            }
            self.attachment(part, depth, text);
        }
    }

    fn attachment(&mut self, part: &Part, depth: usize, text: &mut Text<'_>) {
        if part.is_message() && part.transfer == Transfer::Identity {
            if depth >= EXTRACT_DEPTH {
                self.unread.get_or_insert(Unread::TooDeep);
                return;
            }
            text.push(&part.name);
            text.line();
            self.message(part.number, depth + 1, text);
            return;
        }
        let about = About { media_type: &part.media_type, charset: &part.charset, name: &part.name };
        let found = self.collect(part, usize::MAX);
        within(Cow::Owned(found.bytes), &about, found.cut, depth, text, &mut self.unread);
    }

    fn collect(&self, part: &Part, limit: usize) -> Collected {
        Collector::read(self.bytes, &[Wanted { part, limit }]).pop().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(mail: &str) -> (String, Result<(), Unread>) {
        let mut text = Text::held(100_000);
        let read = read(mail.as_bytes(), 1, &mut text);
        (text.finish().0, read)
    }

    #[test]
    fn a_message_with_an_attachment_and_a_message() {
        let mail = "Subject: =?utf-8?q?Gr=C3=BCsse?=\r\nFrom: Anna <a@b.ch>\r\nTo: Beat <b@b.ch>\r\nX-Other: no\r\n\
            Content-Type: multipart/mixed; boundary=a\r\n\r\n\
            --a\r\nContent-Type: text/html\r\n\r\n<p>Guten &amp; Tag\r\n\
            --a\r\nContent-Type: text/csv; charset=iso-8859-1\r\nContent-Disposition: attachment; filename=z.csv\r\n\
            Content-Transfer-Encoding: quoted-printable\r\n\r\nZ=FCrich\r\n\
            --a\r\nContent-Type: message/rfc822\r\n\r\nSubject: innen\r\n\r\nDrinnen\r\n\
            --a\r\nContent-Type: image/png\r\nContent-Disposition: attachment; filename=Bild.png\r\n\r\n\x01\x02\r\n--a--\r\n";
        let (text, read) = found(mail);
        assert_eq!(read, Ok(()));
        assert_eq!(
            text,
            "Grüsse\nAnna <a@b.ch>\nBeat <b@b.ch>\nGuten & Tag\nz.csv\nZürich\ninnen\nDrinnen\nBild.png\n"
        );
    }

    #[test]
    fn nesting_ends_somewhere() {
        let mut mail = "Subject: ganz innen\r\n\r\ntief\r\n".to_string();
        for level in 0..40 {
            mail = format!(
                "Subject: Stufe {level}\r\nContent-Type: multipart/mixed; boundary=b{level}\r\n\r\n\
                 --b{level}\r\nContent-Type: message/rfc822\r\n\r\n{mail}\r\n--b{level}--\r\n"
            );
        }
        let (text, read) = found(&mail);
        assert_eq!(read, Err(Unread::TooDeep));
        assert!(text.contains("Stufe 39") && text.contains("Stufe 38") && !text.contains("tief"), "{text}");
    }
}
