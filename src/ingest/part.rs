//! The header of a part: what it is, and how it is encoded (RFC 2045, 2183, 2231).

use super::defect::{Defect, Defects};
use super::fields::{Line, fields};
use super::text::{clean, decode, decode_charset, hex, knows_charset, unfold};

/// Characters of the name of an attachment, as much as file systems take.
pub(crate) const NAME_CHARS: usize = 255;
/// Characters of a media type (RFC 6838 allows 127 and 127).
const MEDIA_TYPE_CHARS: usize = 255;

/// A transfer encoding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// 7bit, 8bit or binary.
    #[default]
    Identity,
    QuotedPrintable,
    Base64,
    /// Any other; not looked into.
    Other,
}

/// What a part's header says.
#[derive(Debug, Default)]
pub(crate) struct Part {
    /// In lower case; `text/plain` or the multipart's default where the field is missing, `application/octet-stream`
    /// where it is broken.
    pub media_type: String,
    pub encoding: Encoding,
    pub boundary: Option<Vec<u8>>,
    pub charset: Option<Vec<u8>>,
    /// Decoded file name, empty where there is none.
    pub name: String,
    /// Whether the disposition is `attachment`.
    pub attachment: bool,
}

impl Part {
    /// Reads a header; `default` is the media type of a part that names none (RFC 2046, section 5.1.5).
    pub fn read(header: &[u8], default: &str, defects: &mut Defects) -> Self {
        let mut part = Self { media_type: default.to_owned(), ..Self::default() };
        let (mut content_type, mut disposition, mut encoding) = (None, None, None);
        for line in fields(header) {
            let Line::Field { name, value } = line else { continue };
            let place = match name.to_ascii_lowercase().as_slice() {
                b"content-type" => &mut content_type,
                b"content-disposition" => &mut disposition,
                b"content-transfer-encoding" => &mut encoding,
                _ => continue,
            };
            if place.is_some() {
                defects.insert(Defect::DuplicateField);
            }
            place.get_or_insert(value);
        }
        let mut name = Parameter::default();
        if let Some(value) = content_type {
            let value = unfold(value);
            let (mut boundary, mut charset) = (Parameter::default(), Parameter::default());
            let token = parameters(
                &value,
                &mut [(b"boundary", &mut boundary), (b"charset", &mut charset), (b"name", &mut name)],
            );
            part.media_type = media_type(token);
            part.boundary = boundary.bytes();
            part.charset = charset.bytes().map(|label| label.trim_ascii().to_vec()).filter(|label| !label.is_empty());
        }
        if let Some(value) = disposition {
            let value = unfold(value);
            let mut filename = Parameter::default();
            let token = parameters(&value, &mut [(b"filename", &mut filename)]);
            part.attachment = token.eq_ignore_ascii_case(b"attachment");
            part.name = filename.text(defects);
        }
        if part.name.is_empty() {
            part.name = name.text(defects);
        }
        if part.charset.as_deref().is_some_and(|label| part.media_type.starts_with("text/") && !knows_charset(label)) {
            defects.insert(Defect::Charset);
        }
        if let Some(value) = encoding {
            part.encoding = transfer_encoding(&unfold(value), defects);
        }
        part
    }

    /// Whether the part is a message whose own parts can be followed.
    pub fn is_message(&self) -> bool {
        matches!(self.media_type.as_str(), "message/rfc822" | "message/global")
    }

    pub fn is_multipart(&self) -> bool {
        self.media_type.starts_with("multipart/")
    }
}

fn transfer_encoding(value: &[u8], defects: &mut Defects) -> Encoding {
    let end = value.iter().position(|byte| matches!(byte, b'(' | b';')).unwrap_or(value.len());
    match value[..end].trim_ascii().to_ascii_lowercase().as_slice() {
        b"" | b"7bit" | b"8bit" | b"binary" => Encoding::Identity,
        b"quoted-printable" => Encoding::QuotedPrintable,
        b"base64" => Encoding::Base64,
        _ => {
            defects.insert(Defect::Encoding);
            Encoding::Other
        }
    }
}

fn media_type(token: &[u8]) -> String {
    let good = |byte: &u8| byte.is_ascii_graphic() && !b"()<>@,;:\\\"[]?=".contains(byte);
    let whole = token.iter().all(good)
        && token.len() <= MEDIA_TYPE_CHARS
        && memchr::memchr(b'/', token).is_some_and(|slash| slash > 0 && slash + 1 < token.len())
        && memchr::memchr(b'/', token) == memchr::memrchr(b'/', token);
    if whole { String::from_utf8_lossy(token).to_ascii_lowercase() } else { "application/octet-stream".to_owned() }
}

/// A parameter that may come whole, or in numbered and percent-encoded pieces (RFC 2231).
#[derive(Default)]
pub(crate) struct Parameter {
    whole: Option<Vec<u8>>,
    /// Number, whether it is percent-encoded, value.
    pieces: Vec<(u32, bool, Vec<u8>)>,
}

impl Parameter {
    /// The value with the character set that RFC 2231 names.
    fn joined(mut self) -> Option<(Vec<u8>, Option<Vec<u8>>)> {
        if self.pieces.is_empty() {
            return self.whole.map(|value| (value, None));
        }
        // Stable: of two pieces with one number the first stays first.
        self.pieces.sort_by_key(|(number, ..)| *number);
        let mut charset = None;
        let mut value = Vec::new();
        for (index, (_, encoded, piece)) in self.pieces.iter().enumerate() {
            let mut piece = piece.as_slice();
            if !encoded {
                value.extend_from_slice(piece);
                continue;
            }
            // charset'language'text
            if index == 0 && memchr::memchr(b'\'', piece) != memchr::memrchr(b'\'', piece) {
                let mut split = piece.splitn(3, |&byte| byte == b'\'');
                charset = split.next().filter(|label| !label.is_empty()).map(<[u8]>::to_vec);
                piece = split.nth(1).unwrap_or_default();
            }
            percent(piece, &mut value);
        }
        Some((value, charset))
    }

    pub fn bytes(self) -> Option<Vec<u8>> {
        self.joined().map(|(value, _)| value).filter(|value| !value.is_empty())
    }

    fn text(self, defects: &mut Defects) -> String {
        let text = match self.joined() {
            None => String::new(),
            Some((value, Some(charset))) => decode_charset(&charset, &value, defects),
            Some((value, None)) => decode(&value, defects),
        };
        clean(&text, NAME_CHARS)
    }
}

fn percent(piece: &[u8], out: &mut Vec<u8>) {
    let mut at = 0;
    while let Some(&byte) = piece.get(at) {
        match (byte, piece.get(at + 1).copied().and_then(hex), piece.get(at + 2).copied().and_then(hex)) {
            (b'%', Some(high), Some(low)) => {
                out.push(high << 4 | low);
                at += 2;
            }
            _ => out.push(byte),
        }
        at += 1;
    }
}

/// Reads `token; name=value; …` into the wanted parameters and returns the token.
pub(crate) fn parameters<'a>(value: &'a [u8], wanted: &mut [(&[u8], &mut Parameter)]) -> &'a [u8] {
    let end = memchr::memchr(b';', value).unwrap_or(value.len());
    let token = value[..end].split(|&byte| byte == b'(').next().unwrap_or_default().trim_ascii();
    let token = token.split(u8::is_ascii_whitespace).next().unwrap_or_default();
    let mut rest = value.get(end + 1..).unwrap_or_default();
    while !rest.is_empty() {
        let end = memchr::memchr2(b'=', b';', rest).unwrap_or(rest.len());
        let name = rest[..end].trim_ascii();
        if rest.get(end) != Some(&b'=') {
            rest = rest.get(end + 1..).unwrap_or_default();
            continue;
        }
        let (text, after) = parameter_value(rest[end + 1..].trim_ascii_start());
        rest = after;
        // `name`, `name*`, `name*2` or `name*2*`
        let mut pieces = name.split(|&byte| byte == b'*');
        let base = pieces.next().unwrap_or_default();
        let Some((_, parameter)) = wanted.iter_mut().find(|(known, _)| base.eq_ignore_ascii_case(known)) else {
            continue;
        };
        if base.len() == name.len() {
            parameter.whole.get_or_insert(text);
        } else {
            let number = pieces.next().and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
            parameter.pieces.push((number.unwrap_or(0), name.ends_with(b"*"), text));
        }
    }
    token
}

/// A quoted or a plain value, and what follows the semicolon behind it. Plain values may contain spaces: RFC 2045 forbids
/// it, senders do it.
fn parameter_value(bytes: &[u8]) -> (Vec<u8>, &[u8]) {
    let Some(inner) = bytes.strip_prefix(b"\"") else {
        let end = memchr::memchr(b';', bytes).unwrap_or(bytes.len());
        return (bytes[..end].trim_ascii().to_vec(), bytes.get(end + 1..).unwrap_or_default());
    };
    let mut value = Vec::new();
    let mut at = 0;
    while let Some(&byte) = inner.get(at) {
        at += 1;
        match (byte, inner.get(at)) {
            (b'"', _) => break,
            // Other backslashes are those of a Windows path.
            (b'\\', Some(&escaped @ (b'"' | b'\\'))) => {
                value.push(escaped);
                at += 1;
            }
            _ => value.push(byte),
        }
    }
    let after = &inner[at..];
    let end = memchr::memchr(b';', after).unwrap_or(after.len());
    (value, after.get(end + 1..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(header: &str) -> (Part, Vec<Defect>) {
        let mut defects = Defects::new();
        let part = Part::read(header.as_bytes(), "text/plain", &mut defects);
        (part, defects.into_iter().collect())
    }

    #[test]
    fn names() {
        for (header, expected) in [
            ("Content-Type: a/b; name=x.pdf", "x.pdf"),
            ("Content-Type: a/b; NAME = \"x y.pdf\"", "x y.pdf"),
            ("Content-Type: a/b; name=x y.pdf ; z=1", "x y.pdf"),
            ("Content-Type: a/b; name=\"x;\\\"y\\\".pdf\"; z", "x;\"y\".pdf"),
            ("Content-Type: a/b; name=\"C:\\temp\\x.doc\"", "C:\\temp\\x.doc"),
            ("Content-Type: a/b; name=\"=?utf-8?Q?=C3=A4?=\r\n =?utf-8?Q?b.pdf?=\"", "äb.pdf"),
            ("Content-Type: a/b; name=\"caf\u{e9}.pdf\"", "café.pdf"),
            ("Content-Disposition: inline; filename*=UTF-8''%C3%A4%20b.pdf", "ä b.pdf"),
            ("Content-Disposition: inline; filename*=iso-8859-1'de'%E4.pdf; filename=a.pdf", "ä.pdf"),
            ("Content-Disposition: inline; filename*1*=%A4.pdf; filename*0*=utf-8''x%C3", "xä.pdf"),
            ("Content-Disposition: inline; filename*0=\"a b\"; filename*1=c.pdf", "a bc.pdf"),
            ("Content-Disposition: inline; filename*10=k; filename*2=c; filename*0=a", "ack"),
            ("Content-Disposition: inline; filename*=%zz%", "%zz%"),
            ("Content-Disposition: inline; filename=\"../../etc\r\n\t/passwd\u{202e}\"", "../../etc /passwd"),
            ("Content-Disposition: inline; filename=\"open.pdf", "open.pdf"),
            ("Content-Disposition: attachment", ""),
            ("Content-Disposition: ;;;=;filename==;", "="),
        ] {
            assert_eq!(part(header).0.name, expected, "{header}");
        }
        let long = format!("Content-Type: a/b; name={}", "ä".repeat(1000));
        assert_eq!(part(&long).0.name.chars().count(), NAME_CHARS);
    }

    #[test]
    fn types() {
        for (value, expected) in [
            ("Text/HTML", "text/html"),
            ("text/plain (really); charset=x", "text/plain"),
            ("text", "application/octet-stream"),
            ("a/b/c", "application/octet-stream"),
            ("", "application/octet-stream"),
            ("text/pl\u{e4}in", "application/octet-stream"),
        ] {
            assert_eq!(part(&format!("Content-Type: {value}")).0.media_type, expected, "{value}");
        }
        assert_eq!(part("X: y").0.media_type, "text/plain");
    }

    #[test]
    fn encodings_and_charsets() {
        for (header, encoding, defects) in [
            ("Content-Transfer-Encoding: BASE64 (yes)", Encoding::Base64, vec![]),
            ("Content-Transfer-Encoding: 8bit;", Encoding::Identity, vec![]),
            ("Content-Transfer-Encoding: quoted-printable", Encoding::QuotedPrintable, vec![]),
            ("Content-Transfer-Encoding: x-zip", Encoding::Other, vec![Defect::Encoding]),
            ("Content-Type: text/plain; charset=klingon", Encoding::Identity, vec![Defect::Charset]),
            ("Content-Type: text/plain; charset=\"UTF-8\"", Encoding::Identity, vec![]),
            ("Content-Type: text/plain; charset=iso-8859-15", Encoding::Identity, vec![]),
            ("Content-Type: image/png; charset=klingon", Encoding::Identity, vec![]),
            ("Content-Type: a/b\nContent-Type: c/d", Encoding::Identity, vec![Defect::DuplicateField]),
        ] {
            let (part, found) = part(header);
            assert_eq!((part.encoding, found), (encoding, defects), "{header}");
        }
    }
}
