//! Pictures within a mail, embedded in its HTML.

use super::super::base64::{self, Base64};
use crate::limits::{INLINE_IMAGE, INLINE_IMAGES};

/// A part of the mail that its HTML may show: a picture with a content id, decoded and whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inline {
    /// [`super::super::Part::number`].
    pub number: usize,
    /// Without angle brackets.
    pub content_id: String,
    pub bytes: Vec<u8>,
}

/// The media type of a picture that browsers show without running anything, by its first bytes. Never SVG.
pub fn picture_type(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

/// What is embedded so far.
#[derive(Debug, Default)]
pub(super) struct Pictures {
    total: usize,
    /// Numbers of the parts that are embedded, each once.
    pub used: Vec<usize>,
}

impl Pictures {
    /// Appends the picture of a content id as a `data:` address; false where there is none or it is too large.
    pub fn embed(&mut self, content_id: &str, inline: &[Inline], out: &mut String) -> bool {
        let content_id = content_id.trim().trim_start_matches('<').trim_end_matches('>');
        let decoded = percent_decoded(content_id);
        let found = inline.iter().find(|part| {
            !part.content_id.is_empty()
                && (part.content_id.eq_ignore_ascii_case(content_id) || part.content_id.eq_ignore_ascii_case(&decoded))
        });
        let Some(part) = found else { return false };
        if !self.write(&part.bytes, out) {
            return false;
        }
        if !self.used.contains(&part.number) {
            self.used.push(part.number);
        }
        true
    }

    /// Appends a picture that the HTML holds itself: what follows `data:`.
    pub fn embed_data(&mut self, data: &str, out: &mut String) -> bool {
        let Some((head, body)) = data.split_once(',') else { return false };
        if !head.trim_end().to_ascii_lowercase().ends_with(";base64") {
            return false;
        }
        let mut bytes = Vec::new();
        Base64::default().push(percent_decoded(body).as_bytes(), &mut bytes);
        self.write(&bytes, out)
    }

    fn write(&mut self, bytes: &[u8], out: &mut String) -> bool {
        let Some(media_type) = picture_type(bytes) else { return false };
        if bytes.len() > INLINE_IMAGE || self.total + bytes.len() > INLINE_IMAGES {
            return false;
        }
        self.total += bytes.len();
        out.push_str("data:");
        out.push_str(media_type);
        out.push_str(";base64,");
        base64::encode(bytes, out);
        true
    }

    /// Bytes that embedding added.
    pub fn embedded(&self) -> usize {
        self.total.div_ceil(3) * 4
    }
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        let digit = |at: usize| after.get(at).copied().and_then(crate::ingest::text::hex);
        match (first, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push(high << 4 | low);
                rest = &after[2..];
            }
            _ => bytes.push(first),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
