//! Header bytes to readable text: encoded words (RFC 2047), character sets, hostile characters.

use std::panic::{AssertUnwindSafe, catch_unwind};

use mail_parser::decoders::charsets::map::charset_decoder;
use memchr::memmem;

use super::defect::{Defect, Defects};

/// Bytes of a label of a character set; longer ones are not one.
const LABEL: usize = 64;

/// Whether text in the character set `label` can be read.
pub(crate) fn knows_charset(label: &[u8]) -> bool {
    is_utf8(label) || (label.len() <= LABEL && charset_decoder(label).is_some())
}

/// Whether `label` is a name of UTF-8.
pub(crate) fn is_utf8(label: &[u8]) -> bool {
    label.eq_ignore_ascii_case(b"utf-8") || label.eq_ignore_ascii_case(b"utf8")
}

/// Whether `label` is a name of US-ASCII.
pub(crate) fn is_ascii(label: &[u8]) -> bool {
    label.eq_ignore_ascii_case(b"us-ascii") || label.eq_ignore_ascii_case(b"ascii")
}

/// Text in a named character set; a label that is not known or does not fit is a [`Defect::Charset`].
pub(crate) fn decode_charset(label: &[u8], bytes: &[u8], defects: &mut Defects) -> String {
    if is_utf8(label) {
        if std::str::from_utf8(bytes).is_err() {
            defects.insert(Defect::Charset);
        }
        return raw(bytes);
    }
    // A panic of a decoder costs its text, not the message.
    let decoded = Some(label)
        .filter(|label| label.len() <= LABEL)
        .and_then(charset_decoder)
        .and_then(|decode| catch_unwind(AssertUnwindSafe(|| decode(bytes))).ok());
    let fits = decoded.as_ref().is_some_and(|text| !text.contains(char::REPLACEMENT_CHARACTER));
    if !fits || (is_ascii(label) && !bytes.is_ascii()) {
        defects.insert(Defect::Charset);
    }
    decoded.unwrap_or_else(|| raw(bytes))
}

/// Text whose character set nobody names: UTF-8, else windows-1252 as most readers of mail do.
pub(crate) fn raw(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => match charset_decoder(b"windows-1252") {
            Some(decode) => decode(bytes),
            None => String::from_utf8_lossy(bytes).into_owned(),
        },
    }
}

/// Takes the folds out of a field body (RFC 5322, section 2.2.3): a line end before white space.
pub(crate) fn unfold(value: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(value.len());
    for line in value.split_inclusive(|&byte| byte == b'\n') {
        plain.extend_from_slice(line.strip_suffix(b"\n").map_or(line, |line| line.strip_suffix(b"\r").unwrap_or(line)));
    }
    plain
}

/// An encoded word, `=?charset?encoding?data?=`.
pub(crate) struct Word<'a> {
    charset: &'a [u8],
    base64: bool,
    data: &'a [u8],
    /// Where the word ends.
    pub end: usize,
}

/// Finds encoded words in linear time: the end of a word is never looked for behind the last `?=`.
pub(crate) struct Words<'a> {
    bytes: &'a [u8],
    last_end: usize,
}

impl<'a> Words<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, last_end: memmem::rfind(bytes, b"?=").unwrap_or(0) }
    }

    /// The word that starts at `at`.
    pub fn at(&self, at: usize) -> Option<Word<'a>> {
        let rest = self.bytes.get(at..)?.strip_prefix(b"=?")?;
        let mark = memchr::memchr(b'?', &rest[..rest.len().min(LABEL + 1)])?;
        // RFC 2231, section 5: a language may follow the character set.
        let charset = rest[..mark].split(|&byte| byte == b'*').next()?;
        if charset.is_empty() || charset.iter().any(|byte| byte.is_ascii_whitespace() || byte.is_ascii_control()) {
            return None;
        }
        let base64 = match rest.get(mark + 1)? {
            b'b' | b'B' => true,
            b'q' | b'Q' => false,
            _ => return None,
        };
        if rest.get(mark + 2) != Some(&b'?') {
            return None;
        }
        let start = at + 2 + mark + 3;
        if start > self.last_end {
            return None;
        }
        let length = memmem::find(self.bytes.get(start..)?, b"?=")?;
        Some(Word { charset, base64, data: &self.bytes[start..start + length], end: start + length + 2 })
    }
}

/// The text of an unfolded field body. Words that follow each other in one character set are joined before they are
/// decoded, because senders split characters between them.
pub(crate) fn decode(bytes: &[u8], defects: &mut Defects) -> String {
    let words = Words::new(bytes);
    let mut text = String::new();
    let mut pending: Option<(&[u8], Vec<u8>)> = None;
    let mut literal = 0;
    let mut at = 0;
    while let Some(found) = memmem::find(&bytes[at..], b"=?") {
        at += found;
        let Some(word) = words.at(at) else {
            at += 2;
            continue;
        };
        let between = &bytes[literal..at];
        let joined = pending.is_some() && between.iter().all(u8::is_ascii_whitespace);
        // Text that went back to ASCII (ISO-2022-JP) is whole; joined, its two escapes in a row would be an error.
        let same = joined
            && pending.as_ref().is_some_and(|(charset, data)| {
                charset.eq_ignore_ascii_case(word.charset) && !data.ends_with(b"\x1b(B")
            });
        if !same {
            flush(&mut pending, &mut text, defects);
            if !joined {
                text.push_str(&plain(between, defects));
            }
        }
        let (_, data) = pending.get_or_insert_with(|| (word.charset, Vec::new()));
        if word.base64 {
            base64(word.data, data);
        } else {
            quoted(word.data, data);
        }
        at = word.end;
        literal = at;
    }
    flush(&mut pending, &mut text, defects);
    text.push_str(&plain(&bytes[literal..], defects));
    text
}

/// Text outside encoded words. ISO-2022-JP stands there unlabelled in Japanese mail, and its escapes are telling.
fn plain(bytes: &[u8], defects: &mut Defects) -> String {
    let japanese = [&b"\x1b$B"[..], b"\x1b$@"].iter().any(|escape| memmem::find(bytes, escape).is_some());
    if japanese {
        defects.insert(Defect::Charset);
        return decode_charset(b"iso-2022-jp", bytes, defects);
    }
    raw(bytes)
}

fn flush(pending: &mut Option<(&[u8], Vec<u8>)>, text: &mut String, defects: &mut Defects) {
    if let Some((charset, bytes)) = pending.take() {
        text.push_str(&decode_charset(charset, &bytes, defects));
    }
}

/// Base64 as far as it can be read: foreign characters are skipped, padding ends a group.
fn base64(data: &[u8], out: &mut Vec<u8>) {
    let mut bits = 0u32;
    let mut count = 0;
    for &byte in data {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' => {
                (bits, count) = (0, 0);
                continue;
            }
            _ => continue,
        };
        bits = ((bits << 6) | u32::from(value)) & 0xff_ffff;
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push(((bits >> count) & 0xff) as u8);
        }
    }
}

/// The Q encoding of RFC 2047, section 4.2; what is not hexadecimal stays as it is.
fn quoted(data: &[u8], out: &mut Vec<u8>) {
    let mut at = 0;
    while let Some(&byte) = data.get(at) {
        match (byte, data.get(at + 1).copied().and_then(hex), data.get(at + 2).copied().and_then(hex)) {
            (b'=', Some(high), Some(low)) => {
                out.push(high << 4 | low);
                at += 2;
            }
            (b'_', ..) => out.push(b' '),
            _ => out.push(byte),
        }
        at += 1;
    }
}

/// The value of a hexadecimal digit.
pub(crate) fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// Text as it may be shown in one line: controls and line ends become one space, with the white space around them;
/// characters that reverse the direction of text are gone; at most `limit` characters.
pub(crate) fn clean(text: &str, limit: usize) -> String {
    let mut line = String::new();
    let mut count = 0;
    // White space is held back: it may be trimmed, or merge with a control character.
    let mut spaces = 0;
    let mut control = false;
    for char in text.chars() {
        match char {
            '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}' => {}
            ' ' => spaces += 1,
            '\u{2028}' | '\u{2029}' => control = true,
            _ if char.is_control() => control = true,
            _ => {
                let gap = match (line.is_empty(), control) {
                    (true, _) => 0,
                    (false, true) => 1,
                    (false, false) => spaces,
                };
                if count + gap + 1 > limit {
                    break;
                }
                line.extend(std::iter::repeat_n(' ', gap));
                line.push(char);
                count += gap + 1;
                spaces = 0;
                control = false;
            }
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_words() {
        for (field, expected, charset_defect) in [
            ("plain  text", "plain  text", false),
            ("=?utf-8?Q?Gr=C3=BCsse?= aus =?utf-8?B?WsO8cmljaA==?=", "Grüsse aus Zürich", false),
            // One character split between two words, and between two encodings.
            ("=?utf-8?Q?Z=C3?= =?utf-8?Q?=BCrich?=", "Zürich", false),
            ("=?UTF-8?B?WsM=?=\t=?utf-8?Q?=BCrich?=", "Zürich", false),
            ("=?utf-8*de?Q?Z=C3=BCrich?=", "Zürich", false),
            ("=?iso-8859-1?q?=E9t=E9?= =?utf-8?q?_=C3=A9?=", "été é", false),
            ("=?iso-2022-jp?B?GyRCJEYkOSRIGyhC?=", "てすと", false),
            ("=?iso-2022-jp?B?GyRCJEYbKEI=?= =?iso-2022-jp?B?GyRCJDkbKEI=?=", "てす", false),
            ("\u{1b}$B$F$9$H\u{1b}(B", "てすと", true),
            ("a=?utf-8?Q?b?=c", "abc", false),
            ("=?utf-8?Q?sp ace?=", "sp ace", false),
            ("=?klingon?Q?a=E4?=", "aä", true),
            ("=?utf-8?Q?=E4?=", "ä", true),
            ("=?us-ascii?Q?=E4?=", "ä", true),
            ("=?utf-8?X?no?=", "=?utf-8?X?no?=", false),
            ("=?utf-8?Q?open", "=?utf-8?Q?open", false),
            ("=?=?utf-8?Q?a?=", "=?a", false),
            ("=?utf-8?Q?=ZZ=?=", "=ZZ=", false),
            ("=?utf-8?B?QQ=QQ==?=", "AA", false),
            ("=?utf-8?B??=", "", false),
        ] {
            let mut defects = Defects::new();
            assert_eq!(decode(field.as_bytes(), &mut defects), expected, "{field}");
            assert_eq!(defects.contains(&Defect::Charset), charset_defect, "{field}");
        }
    }

    #[test]
    fn unlabelled_bytes_are_windows_1252() {
        assert_eq!(decode(b"caf\xe9 \x80", &mut Defects::new()), "café €");
        assert_eq!(decode("é".as_bytes(), &mut Defects::new()), "é");
    }

    #[test]
    fn cleaned_text_is_one_harmless_line() {
        for (text, expected) in [
            ("  a  b  ", "a  b"),
            ("a \r\n\t b", "a b"),
            ("a\0\0b", "a b"),
            ("a\u{202e}fdp.exe\u{2069}", "afdp.exe"),
            ("a\u{2028}b\u{85}c", "a b c"),
            ("\n", ""),
        ] {
            assert_eq!(clean(text, 100), expected, "{text:?}");
        }
        assert_eq!(clean("äöü x", 3), "äöü");
        assert_eq!(clean("äöü x", 4), "äöü");
    }

    #[test]
    fn hostile_words_are_read_in_linear_time() {
        // Each start would look for an end through the whole field: 256 KiB take hours if that is quadratic.
        for unit in ["=?utf-8?Q?", "=?utf-8?Q?a ", "=?", "=?a?", "=?utf-8?Q?a?=", "=?utf-8?B?QQ==?= "] {
            let field = unit.repeat(crate::limits::HEAD * 16 / unit.len());
            let start = std::time::Instant::now();
            decode(field.as_bytes(), &mut Defects::new());
            assert!(start.elapsed().as_secs() < 10, "{unit}");
        }
    }
}
