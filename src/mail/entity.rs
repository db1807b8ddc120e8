//! Character references of HTML to characters (HTML, section 13.5).

use mail_parser::decoders::html::add_html_token;

/// Bytes of a name; the longest of HTML has 31.
const NAME: usize = 32;
/// Names may lack their semicolon if they stand for a sign of Latin-1 or of HTML itself; the longest has this many bytes. These few
/// may not, although they stand for one.
const BARE: usize = 6;
const NOT_BARE: [&str; 7] = ["Dot", "angst", "die", "div", "half", "pm", "strns"];

/// Where a text stands: in an attribute, `?a=1&copy2=3` is an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Content,
    Attribute,
}

/// Appends `text` with its references replaced. Each is read once: what comes out is not read again.
pub(super) fn decode(text: &str, place: Place, out: &mut String) {
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let (char, length) = reference(rest, place);
        match char {
            Some(chars) => out.push_str(&chars),
            None => out.push_str(&rest[..length]),
        }
        rest = &rest[length..];
    }
    out.push_str(rest);
}

/// What the reference at the beginning of `text` stands for, and its length; without it, how much is plain text.
fn reference(text: &str, place: Place) -> (Option<String>, usize) {
    let body = &text.as_bytes()[1..];
    if body.first() == Some(&b'#') {
        return number(&body[1..]).map_or((None, 1), |(char, length)| (Some(char.to_string()), length + 2));
    }
    let length = body.iter().take(NAME).take_while(|byte| byte.is_ascii_alphanumeric()).count();
    if length > 0
        && body.get(length) == Some(&b';')
        && let Some(found) = named(&text[1..=length])
    {
        return (Some(found), length + 2);
    }
    for end in (2..=length.min(BARE)).rev() {
        let name = &text[1..=end];
        let sign = named(name)
            .filter(|found| found.chars().all(|char| matches!(char, '&' | '<' | '>' | '"' | '\u{a0}'..='\u{ff}')));
        let Some(sign) = sign.filter(|_| !NOT_BARE.contains(&name)) else { continue };
        let next = body.get(end).copied().unwrap_or(b' ');
        if place == Place::Attribute && (next == b'=' || next.is_ascii_alphanumeric()) {
            break;
        }
        return (Some(sign), end + 1);
    }
    (None, 1)
}

/// What a name stands for.
fn named(name: &str) -> Option<String> {
    let token = format!("&{name};");
    let mut found = String::new();
    add_html_token(&mut found, token.as_bytes(), false);
    (found != token).then_some(found)
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
            ("&lt&gt &Oacuten &reg &nosuch; &die &", "<> Ón ® &nosuch; &die &"),
            ("&;&#;&#x;&#xg", "&;&#;&#x;&#xg"),
            ("&colon;&Tab;&NewLine;&lpar;", ":\t\n("),
        ] {
            let mut out = String::new();
            decode(text, Place::Content, &mut out);
            assert_eq!(out, expected, "{text}");
        }
        let mut out = String::new();
        decode("?a=1&lt=2&copy2=3&amp;b&amp", Place::Attribute, &mut out);
        assert_eq!(out, "?a=1&lt=2&copy2=3&b&");
    }
}
