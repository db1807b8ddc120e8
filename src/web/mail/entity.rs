//! Character references of HTML to characters (HTML, section 13.5).

use mail_parser::decoders::html::add_html_token;

/// Bytes of a name; the longest of HTML has 31.
const NAME: usize = 32;
/// Names that mail writes without the semicolon.
const BARE: [(&str, char); 5] = [("amp", '&'), ("lt", '<'), ("gt", '>'), ("quot", '"'), ("nbsp", '\u{a0}')];

/// Appends `text` with its references replaced. Each is read once: what comes out is not read again.
pub(super) fn decode(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let (char, length) = reference(rest);
        match char {
            Some(chars) => out.push_str(&chars),
            None => out.push_str(&rest[..length]),
        }
        rest = &rest[length..];
    }
    out.push_str(rest);
}

/// What the reference at the beginning of `text` stands for, and its length; without it, how much is plain text.
fn reference(text: &str) -> (Option<String>, usize) {
    let body = &text.as_bytes()[1..];
    if body.first() == Some(&b'#') {
        return number(&body[1..]).map_or((None, 1), |(char, length)| (Some(char.to_string()), length + 2));
    }
    let length = body.iter().take(NAME).take_while(|byte| byte.is_ascii_alphanumeric()).count();
    if length > 0 && body.get(length) == Some(&b';') {
        let token = &text[..length + 2];
        let mut found = String::new();
        add_html_token(&mut found, token.as_bytes(), false);
        return if found == token { (None, length + 2) } else { (Some(found), length + 2) };
    }
    let bare = BARE.iter().find(|(name, _)| body.get(..name.len()) == Some(name.as_bytes()) && name.len() == length);
    match bare {
        // In an address `?a=1&lt=2` it is none.
        Some((name, char)) if body.get(length) != Some(&b'=') => (Some(char.to_string()), name.len() + 1),
        _ => (None, 1),
    }
}

/// A number in either base, and how long it is with its semicolon, which may be missing.
fn number(bytes: &[u8]) -> Option<(char, usize)> {
    let (digits, radix, start) = match bytes.first() {
        Some(b'x' | b'X') => (&bytes[1..], 16, 1),
        _ => (bytes, 10, 0),
    };
    let mut value = 0u32;
    let mut length = 0;
    while let Some(digit) = digits.get(length).and_then(|byte| char::from(*byte).to_digit(radix)) {
        value = value.saturating_mul(radix).saturating_add(digit);
        length += 1;
    }
    if length == 0 {
        return None;
    }
    let end = start + length + usize::from(digits.get(length) == Some(&b';'));
    let char = match value {
        0 => char::REPLACEMENT_CHARACTER,
        // Browsers read these as windows-1252.
        0x80..=0x9f => crate::ingest::text::raw(&[value.to_le_bytes()[0]]).chars().next()?,
        other => char::from_u32(other).unwrap_or(char::REPLACEMENT_CHARACTER),
    };
    Some((char, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references() {
        for (text, expected) in [
            ("a &amp; b", "a & b"),
            ("&auml;&euro;&nbsp;&hellip;", "ä€\u{a0}…"),
            ("&#228;&#xE4;&#Xe4;&#228", "ääää"),
            ("&#128;&#0;&#xd800;&#99999999999;", "€\u{fffd}\u{fffd}\u{fffd}"),
            ("&amp;lt;", "&lt;"),
            ("&lt&gt &ltx; &", "<> &ltx; &"),
            ("?a=1&lt=2&copy=3&nosuch;", "?a=1&lt=2&copy=3&nosuch;"),
            ("&;&#;&#x;&#xg", "&;&#;&#x;&#xg"),
            ("&colon;&Tab;&NewLine;&lpar;", ":\t\n("),
        ] {
            let mut out = String::new();
            decode(text, &mut out);
            assert_eq!(out, expected, "{text}");
        }
    }
}
