//! Bytes of a text part to text.

use crate::ingest::defect::Defects;
use crate::ingest::text::{decode_charset, is_ascii, is_utf8, raw};

/// Bytes of an HTML part in which it may name its character set, as browsers look for it.
const META: usize = 1024;

/// Text in the character set `label`, empty where the part names none. `cut` says that `bytes` are only the beginning of the
/// part, so that they may end within a character. What does not fit is shown as U+FFFD.
pub fn text(mut bytes: &[u8], label: &str, cut: bool) -> String {
    if let Some(rest) = bytes.strip_prefix(b"\xef\xbb\xbf") {
        return utf8(rest, cut);
    }
    let label = label.trim();
    if is_utf8(label.as_bytes()) {
        return utf8(bytes, cut);
    }
    if label.is_empty() || is_ascii(label.as_bytes()) {
        if cut {
            bytes = whole_characters(bytes);
        }
        return if mostly_utf8(bytes) { String::from_utf8_lossy(bytes).into_owned() } else { raw(bytes) };
    }
    let mut text = decode_charset(label.as_bytes(), bytes, &mut Defects::new());
    if cut {
        text.truncate(text.trim_end_matches(char::REPLACEMENT_CHARACTER).len());
    }
    text
}

/// Text of an HTML part: where its header names no character set, the part itself may.
pub fn html_text(bytes: &[u8], label: &str, cut: bool) -> String {
    if label.trim().is_empty()
        && let Some(found) = meta(&bytes[..bytes.len().min(META)])
    {
        return text(bytes, &found, cut);
    }
    text(bytes, label, cut)
}

fn utf8(bytes: &[u8], cut: bool) -> String {
    let bytes = if cut { whole_characters(bytes) } else { bytes };
    // Labelled UTF-8 and yet nothing of it: the label is wrong.
    if bytes.is_ascii() || mostly_utf8(bytes) { String::from_utf8_lossy(bytes).into_owned() } else { raw(bytes) }
}

/// Without the character that was begun at the end.
fn whole_characters(bytes: &[u8]) -> &[u8] {
    let tail = bytes.len().saturating_sub(4);
    let begun = bytes[tail..].iter().rposition(|byte| byte & 0xc0 == 0xc0).map(|at| &bytes[tail + at..]);
    match begun.map(|begun| (begun, std::str::from_utf8(begun))) {
        Some((begun, Err(error))) if error.error_len().is_none() => &bytes[..bytes.len() - begun.len()],
        _ => bytes,
    }
}

/// Whether of what is not ASCII more is UTF-8 than is not: one bad byte must not spoil all umlauts.
fn mostly_utf8(bytes: &[u8]) -> bool {
    let (mut good, mut bad) = (0usize, 0usize);
    for chunk in bytes.utf8_chunks() {
        good += chunk.valid().chars().filter(|char| !char.is_ascii()).count();
        bad += usize::from(!chunk.invalid().is_empty());
    }
    good > bad
}

/// The word after `charset=`.
fn meta(bytes: &[u8]) -> Option<String> {
    let lower = bytes.to_ascii_lowercase();
    let at = memchr::memmem::find(&lower, b"charset=")? + "charset=".len();
    let rest = lower[at..].trim_ascii_start();
    let rest = rest.strip_prefix(b"\"").or(rest.strip_prefix(b"'")).unwrap_or(rest);
    let end = rest.iter().position(|byte| !(byte.is_ascii_alphanumeric() || b"-_:.".contains(byte)));
    let label = &rest[..end.unwrap_or(rest.len())];
    // It could be read as bytes of ASCII, so it is not in UTF-16 (HTML, section 13.2.3.2).
    (!label.is_empty() && !label.starts_with(b"utf-16")).then(|| String::from_utf8_lossy(label).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_right_wrong_and_missing() {
        for (bytes, label, expected) in [
            (&b"caf\xe9"[..], "iso-8859-1", "café"),
            (b"caf\xe9", "", "café"),
            (b"caf\xe9", "utf-8", "café"),
            (b"caf\xc3\xa9", "", "café"),
            (b"caf\xc3\xa9", "us-ascii", "café"),
            (b"caf\xc3\xa9 \xc3\xbc \xff", "utf-8", "café ü \u{fffd}"),
            (b"\xef\xbb\xbfa", "iso-8859-1", "a"),
            (b"\x1b$B$F\x1b(B", "iso-2022-jp", "て"),
            (b"a", "klingon", "a"),
        ] {
            assert_eq!(text(bytes, label, false), expected, "{label}");
        }
    }

    #[test]
    fn a_cut_within_a_character_is_no_fault() {
        assert_eq!(text(b"caf\xc3\xa9 \xe2\x82", "utf-8", true), "café ");
        assert_eq!(text(b"caf\xc3\xa9", "utf-8", true), "café");
        assert_eq!(text(b"caf\xc3", "", true), "caf");
    }

    #[test]
    fn html_may_name_its_own() {
        let html = b"<meta http-equiv=Content-Type content='text/html; charset=koi8-r'>\xc1";
        assert!(html_text(html, "", false).ends_with('а'));
        assert!(html_text(html, "iso-8859-1", false).ends_with('Á'));
    }
}
