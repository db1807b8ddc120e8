//! A part of a message: what its header says, and where its body lies.

use std::ops::Range;

use crate::ingest::defect::Defects;
use crate::ingest::fields::{Line, fields};
use crate::ingest::part::{self, Parameter, parameters};
use crate::ingest::text::{clean, decode, raw, unfold};
use crate::limits::MAIL_TOKEN_CHARS;

use super::outline::Field;

/// How a part wants to be shown (RFC 2183).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Disposition {
    /// Not said.
    #[default]
    Unsaid,
    Inline,
    /// `attachment`, or a word that is not known: RFC 2183, section 2.8 treats it the same.
    Attachment,
}

/// A transfer encoding (RFC 2045, section 6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Transfer {
    /// 7bit, 8bit, binary.
    #[default]
    Identity,
    QuotedPrintable,
    Base64,
    /// `x-uuencode` and its other names.
    Uuencode,
    /// Any other: the bytes are given as they are.
    Unknown,
}

/// A part of a message. All texts are bounded, one line each, without control characters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// Its place in [`super::Outline::parts`]; the same at every reading of the same bytes.
    pub number: usize,
    /// The multipart or message that it is a part of.
    pub parent: Option<usize>,
    /// In lower case, `text/html`.
    pub media_type: String,
    /// As written, empty where there is none.
    pub charset: String,
    /// File name as the sender wrote it, decoded (RFC 2047, 2231). [`super::file_name::safe`] makes one that can be offered.
    pub name: String,
    /// Without angle brackets.
    pub content_id: String,
    pub disposition: Disposition,
    pub transfer: Transfer,
    /// `format=flowed` (RFC 3676), and its `delsp=yes`.
    pub flowed: bool,
    pub delsp: bool,
    /// Further parameters of the content type that say what it is: `smime-type`, `protocol`, `method`, `report-type`.
    pub kind: String,
    /// Where its encoded body lies in the message, bytes.
    pub body: Range<u64>,
    /// Length of the first line of the body with its line end, and of the line end alone.
    pub(super) line: (u64, u64),
    /// Header fields of the message whose outermost part this is; empty for all others.
    pub fields: Vec<Field>,
}

impl Part {
    /// Reads a header. `default` is the media type of a part that names none. The boundary of a multipart is returned beside it.
    pub(super) fn read(header: &[u8], default: &str) -> (Self, Option<Vec<u8>>) {
        let mut defects = Defects::new();
        let known = part::Part::read(header, default, &mut defects);
        let mut part = Self {
            charset: known.charset.map(|label| short(&label)).unwrap_or_default(),
            media_type: known.media_type,
            name: known.name,
            ..Self::default()
        };
        part.transfer = match known.encoding {
            part::Encoding::Identity => Transfer::Identity,
            part::Encoding::QuotedPrintable => Transfer::QuotedPrintable,
            part::Encoding::Base64 => Transfer::Base64,
            part::Encoding::Other => Transfer::Unknown,
        };
        let mut seen = [false; 4];
        for line in fields(header) {
            let Line::Field { name, value } = line else { continue };
            let names: [&[u8]; 4] =
                [b"content-type", b"content-disposition", b"content-id", b"content-transfer-encoding"];
            let Some(index) = names.iter().position(|known| name.eq_ignore_ascii_case(known)) else { continue };
            // The first one counts, as in the catalog.
            if std::mem::replace(&mut seen[index], true) {
                continue;
            }
            let value = unfold(value);
            match index {
                0 => part.content_type(&value),
                1 => part.disposition = disposition(parameters(&value, &mut [])),
                2 => part.content_id = content_id(&value),
                _ if part.transfer == Transfer::Unknown => part.transfer = other_transfer(&value),
                _ => {}
            }
        }
        (part, known.boundary)
    }

    fn content_type(&mut self, value: &[u8]) {
        let [mut format, mut delsp, mut smime, mut protocol, mut method, mut report]: [Parameter; 6] =
            std::array::from_fn(|_| Parameter::default());
        parameters(
            value,
            &mut [
                (b"format", &mut format),
                (b"delsp", &mut delsp),
                (b"smime-type", &mut smime),
                (b"protocol", &mut protocol),
                (b"method", &mut method),
                (b"report-type", &mut report),
            ],
        );
        let is = |value: Parameter, word: &[u8]| value.bytes().is_some_and(|text| text.eq_ignore_ascii_case(word));
        self.flowed = is(format, b"flowed");
        self.delsp = is(delsp, b"yes");
        let kind = [smime, protocol, method, report].into_iter().find_map(Parameter::bytes);
        self.kind = kind.map(|text| short(&text).to_ascii_lowercase()).unwrap_or_default();
    }

    pub fn is_multipart(&self) -> bool {
        self.media_type.starts_with("multipart/")
    }

    /// Whether it is a message of its own, which can be saved as `.eml`.
    pub fn is_message(&self) -> bool {
        matches!(self.media_type.as_str(), "message/rfc822" | "message/global")
    }

    /// Bytes of its encoded body.
    pub fn encoded_size(&self) -> u64 {
        self.body.end.saturating_sub(self.body.start)
    }

    /// Bytes of its decoded body, estimated from the length of its first line: exact within some bytes for regular
    /// Base64, too large by a few percent for quoted-printable.
    pub fn decoded_size(&self) -> u64 {
        let size = self.encoded_size();
        let (line, end) = self.line;
        let lines = |size: u64| if line > end { size.div_ceil(line) } else { 0 };
        match self.transfer {
            Transfer::Base64 => size.saturating_sub(lines(size) * end) / 4 * 3,
            Transfer::Uuencode => size.saturating_sub(lines(size) * (end + 1)) / 4 * 3,
            Transfer::Identity | Transfer::QuotedPrintable | Transfer::Unknown => size,
        }
    }
}

fn short(text: &[u8]) -> String {
    clean(&raw(text), MAIL_TOKEN_CHARS)
}

fn disposition(token: &[u8]) -> Disposition {
    if token.is_empty() {
        Disposition::Unsaid
    } else if token.eq_ignore_ascii_case(b"inline") {
        Disposition::Inline
    } else {
        Disposition::Attachment
    }
}

fn content_id(value: &[u8]) -> String {
    let text = decode(value, &mut Defects::new());
    let inner = text.split_once('<').map_or(text.as_str(), |(_, rest)| rest);
    clean(inner.split('>').next().unwrap_or_default().trim(), MAIL_TOKEN_CHARS)
}

fn other_transfer(value: &[u8]) -> Transfer {
    match value.trim_ascii().to_ascii_lowercase().as_slice() {
        b"x-uuencode" | b"uuencode" | b"x-uue" | b"uue" => Transfer::Uuencode,
        _ => Transfer::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_header_says() {
        let header = "Content-Type: text/plain; charset=\"ISO-8859-1\"; Format=Flowed; delsp=YES; name*=utf-8''%C3%A4.txt\r\n\
            Content-ID: <a@b>\r\nContent-Disposition: Inline;\r\n filename=\"b.txt\"\r\n\
            Content-Transfer-Encoding: X-UUencode\r\nContent-ID: <c@d>\r\n";
        let (part, boundary) = Part::read(header.as_bytes(), "text/plain");
        assert_eq!(boundary, None);
        assert_eq!(
            (part.charset.as_str(), part.content_id.as_str(), part.name.as_str()),
            ("ISO-8859-1", "a@b", "b.txt")
        );
        assert_eq!((part.flowed, part.delsp), (true, true));
        assert_eq!((part.disposition, part.transfer), (Disposition::Inline, Transfer::Uuencode));
        let (part, _) = Part::read(b"Content-Type: application/pkcs7-mime; smime-type=Signed-Data", "text/plain");
        assert_eq!(part.kind, "signed-data");
        let (part, _) = Part::read(b"Content-Disposition: strange", "text/plain");
        assert_eq!(part.disposition, Disposition::Attachment);
    }

    #[test]
    fn the_size_of_base64_is_nearly_right() {
        let part =
            Part { transfer: Transfer::Base64, body: 100..100 + 78 * 1000 + 42, line: (78, 2), ..Part::default() };
        assert_eq!(part.decoded_size(), 57 * 1000 + 30);
    }
}
