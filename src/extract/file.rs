//! One file that is in memory, whatever it is: what the child does with what it was handed.

use std::borrow::Cow;

use super::kind::Kind;
use super::text::Text;
use super::{About, Unread, message, office, pdf};
use crate::limits::{EXTRACT_DEPTH, EXTRACT_HEAD, MAIL_TEXT};
use crate::mail::charset;
use crate::mail::html::html_to_text;

/// Reads a file. `is_longer` says that the bytes are only its beginning, `depth` how many files are around it.
pub(super) fn read(
    bytes: Cow<'_, [u8]>,
    about: &About<'_>,
    is_longer: bool,
    depth: usize,
    text: &mut Text<'_>,
) -> Result<(), Unread> {
    if depth > EXTRACT_DEPTH {
        return Err(Unread::TooDeep);
    }
    let kind = Kind::of(&bytes[..bytes.len().min(EXTRACT_HEAD)], about);
    if is_longer {
        text.cut();
    }
    match kind {
        Kind::Text | Kind::Html => {
            plain(kind, &bytes, about, is_longer, text);
            Ok(())
        }
        // Its beginning says as much as there is of it.
        Kind::Message => {
            let read = message::read(&bytes, depth, text);
            if is_longer { Err(Unread::TooLarge) } else { read }
        }
        Kind::Encrypted => Err(Unread::Encrypted),
        Kind::None => Err(Unread::Kind),
        _ if is_longer => Err(Unread::TooLarge),
        Kind::Pdf => pdf::read(bytes.into_owned(), text),
        Kind::Zip => office::read(&bytes, text),
        Kind::Tnef => message::tnef(&bytes, depth, text),
        Kind::Cms => message::cms(&bytes, depth, text),
    }
}

/// Text or HTML, at most [`MAIL_TEXT`] bytes of it.
pub(super) fn plain(kind: Kind, bytes: &[u8], about: &About<'_>, is_longer: bool, text: &mut Text<'_>) {
    let taken = &bytes[..bytes.len().min(MAIL_TEXT)];
    let is_longer = is_longer || taken.len() < bytes.len();
    if is_longer {
        text.cut();
    }
    let label = |taken: &[u8]| match taken {
        [0xff, 0xfe, ..] => Some("utf-16le"),
        [0xfe, 0xff, ..] => Some("utf-16be"),
        _ => None,
    };
    let decoded = match (label(taken), kind) {
        (Some(label), _) => charset::text(&taken[2..], label, is_longer),
        (None, Kind::Html) => charset::html_text(taken, about.charset, is_longer),
        (None, _) => charset::text(taken, about.charset, is_longer),
    };
    if kind == Kind::Html { text.push(&html_to_text(&decoded)) } else { text.push(&decoded) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(bytes: &[u8], media_type: &str, charset: &str) -> (String, bool) {
        let mut text = Text::held(1000);
        read(bytes.into(), &About { media_type, charset, name: "" }, false, 0, &mut text).unwrap();
        text.finish()
    }

    #[test]
    fn character_sets_by_label_mark_and_guess() {
        let wide: Vec<u8> = "\u{feff}Grüsse".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = "\u{feff}Grüsse".encode_utf16().flat_map(u16::to_be_bytes).collect();
        for (bytes, label) in [
            (&b"Gr\xfcsse"[..], "iso-8859-1"),
            (b"Gr\xfcsse", ""),
            ("Grüsse".as_bytes(), ""),
            ("\u{feff}Grüsse".as_bytes(), "us-ascii"),
            (&wide, ""),
            (&big, "utf-8"),
        ] {
            assert_eq!(found(bytes, "text/plain", label).0, "Grüsse", "{label}");
        }
    }

    #[test]
    fn html_without_what_is_no_text() {
        let html = b"<html><style>p{}</style><script>var x</script><p>Gr&uuml;sse</p><p>Zwei";
        assert_eq!(found(html, "text/html", "").0, "Grüsse\n\nZwei");
    }
}
