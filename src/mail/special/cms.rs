//! What S/MIME holds (CMS, RFC 5652), as far as it can be seen without keys and without checking a signature.

/// Depth of nested elements that is followed.
const DEPTH: usize = 16;
/// Pieces that a content may come in.
const PIECES: usize = 100_000;

/// `1.2.840.113549.1.7.n`, `1.2.840.113549.1.9.16.1.n`
const PKCS7: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07];
const SMIME: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01];

const OCTETS: u8 = 0x04;
const OBJECT: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const FIRST: u8 = 0xa0;
const CONSTRUCTED: u8 = 0x20;

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cms {
    /// Signed, with its content: a MIME entity, header and all, to be read by [`super::super::Outliner`].
    Signed(Vec<u8>),
    /// A signature of something else, or certificates alone.
    Detached,
    Encrypted,
    Compressed,
    /// Cut, broken or something else.
    Unknown,
}

/// Looks into the decoded body of an `application/pkcs7-mime`. The caller bounds its length
/// ([`crate::limits::MAIL_ENVELOPE`]); a content is never longer than that.
pub fn open(bytes: &[u8]) -> Cms {
    content(bytes).unwrap_or(Cms::Unknown)
}

fn content(bytes: &[u8]) -> Option<Cms> {
    let mut outer = Reader { bytes }.enter(SEQUENCE)?;
    let kind = outer.take(OBJECT)?;
    let mut kinds = (kind.strip_prefix(PKCS7), kind.strip_prefix(SMIME));
    match &mut kinds {
        (Some([2]), _) => {}
        (Some([3 | 6]), _) | (_, Some([23])) => return Some(Cms::Encrypted),
        (_, Some([9])) => return Some(Cms::Compressed),
        _ => return Some(Cms::Unknown),
    }
    let mut signed = outer.enter(FIRST)?.enter(SEQUENCE)?;
    signed.take(0x02)?;
    signed.skip(SET)?;
    let mut inner = signed.enter(SEQUENCE)?;
    inner.take(OBJECT)?;
    let Some(mut explicit) = inner.enter(FIRST) else { return Some(Cms::Detached) };
    let mut out = Vec::new();
    octets(&mut explicit, &mut out, &mut 0, 0)?;
    Some(if out.is_empty() { Cms::Detached } else { Cms::Signed(out) })
}

/// An octet string, whole or in pieces.
fn octets(reader: &mut Reader<'_>, out: &mut Vec<u8>, pieces: &mut usize, depth: usize) -> Option<()> {
    if reader.bytes.first() == Some(&OCTETS) {
        out.extend_from_slice(reader.take(OCTETS)?);
        return Some(());
    }
    let mut inner = reader.enter(OCTETS | CONSTRUCTED)?;
    while matches!(inner.bytes.first(), Some(&tag) if tag & !CONSTRUCTED == OCTETS) {
        *pieces += 1;
        if *pieces > PIECES || depth > 1 {
            return None;
        }
        if inner.bytes.first() == Some(&OCTETS) {
            out.extend_from_slice(inner.take(OCTETS)?);
        } else {
            let (_, length) = inner.element(0)?;
            octets(&mut Reader { bytes: inner.bytes.get(..length)? }, out, pieces, depth + 1)?;
            inner.bytes = &inner.bytes[length..];
        }
    }
    Some(())
}

/// Elements of BER (X.690), one after the other.
struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Tag, length of the head, and length of the content if it is said.
    fn head(&self) -> Option<(u8, usize, Option<usize>)> {
        let (&tag, &first) = (self.bytes.first()?, self.bytes.get(1)?);
        // Tags of several bytes occur nowhere here.
        if tag & 0x1f == 0x1f {
            return None;
        }
        match first {
            0x80 => Some((tag, 2, None)),
            0..0x80 => Some((tag, 2, Some(usize::from(first)))),
            _ => {
                let count = usize::from(first & 0x7f);
                let digits = self.bytes.get(2..2 + count).filter(|_| count <= 4)?;
                let length = digits.iter().fold(0usize, |length, digit| length << 8 | usize::from(*digit));
                Some((tag, 2 + count, Some(length)))
            }
        }
    }

    /// The content of the element at the beginning, which is passed over. Where its length is not said, it reaches to the
    /// end of what there is.
    fn enter(&mut self, tag: u8) -> Option<Reader<'a>> {
        let (found, head, length) = self.head()?;
        if found != tag {
            return None;
        }
        let rest = self.bytes.get(head..)?;
        // Cut short, the beginning is still worth reading.
        let content = length.map_or(rest, |length| &rest[..length.min(rest.len())]);
        self.bytes = &rest[if length.is_some() { content.len() } else { rest.len() }..];
        Some(Reader { bytes: content })
    }

    /// The bytes of a primitive element.
    fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (found, head, length) = self.head()?;
        let content = self.bytes.get(head..)?.get(..length?)?;
        if found != tag {
            return None;
        }
        self.bytes = &self.bytes[head + content.len()..];
        Some(content)
    }

    /// Passes over an element.
    fn skip(&mut self, tag: u8) -> Option<()> {
        let (found, length) = self.element(0)?;
        self.bytes = self.bytes.get(length..)?;
        (found == tag).then_some(())
    }

    /// Tag and whole length of the element at the beginning.
    fn element(&self, depth: usize) -> Option<(u8, usize)> {
        let (tag, head, length) = self.head()?;
        if let Some(length) = length {
            return Some((tag, head.checked_add(length)?)).filter(|(_, end)| *end <= self.bytes.len());
        }
        if depth > DEPTH {
            return None;
        }
        let mut at = head;
        loop {
            let rest = Reader { bytes: self.bytes.get(at..)? };
            if rest.bytes.starts_with(&[0, 0]) {
                return Some((tag, at + 2));
            }
            at += rest.element(depth + 1)?.1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = u16::try_from(content.len()).unwrap().to_be_bytes();
        [&[tag, 0x82][..], &length, content].concat()
    }

    fn endless(tag: u8, content: &[u8]) -> Vec<u8> {
        [&[tag, 0x80][..], content, &[0, 0]].concat()
    }

    fn signed(wrap: fn(u8, &[u8]) -> Vec<u8>, octets: &[u8]) -> Vec<u8> {
        let data = tlv(OBJECT, &[PKCS7, &[1]].concat());
        let content = if octets.is_empty() { data } else { [data, wrap(FIRST, octets)].concat() };
        let body =
            [tlv(2, &[1]), wrap(SET, &tlv(SEQUENCE, &[])), wrap(SEQUENCE, &content), tlv(FIRST, b"certs")].concat();
        wrap(SEQUENCE, &[tlv(OBJECT, &[PKCS7, &[2]].concat()), wrap(FIRST, &wrap(SEQUENCE, &body))].concat())
    }

    #[test]
    fn contents() {
        let text = b"Content-Type: text/plain\r\n\r\nHallo";
        let whole = Cms::Signed(text.to_vec());
        assert_eq!(open(&signed(tlv, &tlv(OCTETS, text))), whole);
        let pieces = endless(0x24, &[tlv(OCTETS, &text[..9]), tlv(OCTETS, &text[9..])].concat());
        assert_eq!(open(&signed(endless, &pieces)), whole);
        assert_eq!(open(&signed(tlv, &tlv(0x24, &tlv(OCTETS, text)))), whole);
        assert_eq!(open(&signed(tlv, &[])), Cms::Detached);
        assert_eq!(open(&tlv(SEQUENCE, &tlv(OBJECT, &[PKCS7, &[3]].concat()))), Cms::Encrypted);
        assert_eq!(open(b""), Cms::Unknown);
        assert_eq!(open(&[0x30, 0x80].repeat(100_000)), Cms::Unknown);
        assert_eq!(open(&signed(endless, &[0x24, 0x80].repeat(10_000))), Cms::Unknown);
    }
}
