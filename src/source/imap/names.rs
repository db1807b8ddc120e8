//! Mailbox names: modified UTF-7 (RFC 3501, 5.1.3) both ways, and names as strings of a command.

use crate::source::{Result, SourceError};

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

/// The readable form of a name. A name that is not modified UTF-7 is its own readable form.
pub fn decode(name: &str) -> String {
    readable(name).unwrap_or_else(|| name.to_owned())
}

fn readable(name: &str) -> Option<String> {
    let mut out = String::new();
    let mut rest = name;
    while let Some((plain, shifted)) = rest.split_once('&') {
        out.push_str(plain);
        let (code, after) = shifted.split_once('-')?;
        if code.is_empty() {
            out.push('&');
        } else {
            let bytes = from_base64(code.as_bytes(), ALPHABET)?;
            let (pairs, []) = bytes.as_chunks::<2>() else { return None };
            for c in char::decode_utf16(pairs.iter().map(|pair| u16::from_be_bytes(*pair))) {
                out.push(c.ok().filter(|c| !c.is_control())?);
            }
        }
        rest = after;
    }
    out.push_str(rest);
    // Only a name that we would write the same way can be given back to the server without doubt.
    (encode(&out) == name).then_some(out)
}

/// The form in which a name goes to the server.
pub fn encode(name: &str) -> String {
    let mut out = String::new();
    let mut shifted: Vec<u8> = Vec::new();
    for c in name.chars() {
        if (' '..='~').contains(&c) {
            unshift(&mut out, &mut shifted);
            out.push(c);
            if c == '&' {
                out.push('-');
            }
        } else {
            shifted.extend(c.encode_utf16(&mut [0; 2]).iter().flat_map(|unit| unit.to_be_bytes()));
        }
    }
    unshift(&mut out, &mut shifted);
    out
}

fn unshift(out: &mut String, shifted: &mut Vec<u8>) {
    if shifted.is_empty() {
        return;
    }
    out.push('&');
    for group in shifted.chunks(3) {
        let bits = group.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for digit in 0..=group.len() {
            let index = (bits >> (18 - 6 * digit)) & 63;
            out.extend(ALPHABET.get(index as usize).copied().map(char::from));
        }
    }
    out.push('-');
    shifted.clear();
}

/// Decodes unpadded base64; `None` where a character is not of the alphabet or leftover bits are not zero.
fn from_base64(code: &[u8], alphabet: &[u8; 64]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(code.len());
    let (mut bits, mut have) = (0_u32, 0_u32);
    for c in code {
        let digit = alphabet.iter().position(|a| a == c)?;
        bits = (bits << 6 | u32::try_from(digit).ok()?) & 0xffff;
        have += 6;
        if have >= 8 {
            have -= 8;
            out.push(u8::try_from(bits >> have & 0xff).ok()?);
        }
    }
    (have < 6 && bits & ((1 << have) - 1) == 0).then_some(out)
}

/// Decodes ordinary base64 (RFC 4648, 4), with or without padding: what a server sends as a challenge.
pub(super) fn challenge(text: &str) -> Option<Vec<u8>> {
    let mut alphabet = *ALPHABET;
    alphabet[63] = b'/';
    from_base64(text.trim_end_matches('=').as_bytes(), &alphabet)
}

/// A name as quoted string of a command (RFC 9051, 4.3).
///
/// # Errors
/// [`SourceError::NoFolder`] for a name that no command can carry.
pub(super) fn quoted(name: &str) -> Result<String> {
    if name.contains(['\r', '\n', '\0']) {
        return Err(SourceError::NoFolder { name: name.to_owned() });
    }
    Ok(format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\"")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_names() {
        for (wire, name) in [
            ("INBOX", "INBOX"),
            ("Entw&APw-rfe", "Entwürfe"),
            ("Gel&APY-schte Elemente", "Gelöschte Elemente"),
            ("~peter/mail/&U,BTFw-/&ZeVnLIqe-", "~peter/mail/台北/日本語"),
            ("Lohn &- Steuern", "Lohn & Steuern"),
            ("&2D3eAA-", "😀"),
            ("&AOkA6QDp-", "ééé"),
        ] {
            assert_eq!(decode(wire), name);
            assert_eq!(encode(name), wire);
        }
    }

    #[test]
    fn broken_names_stay_as_they_are() {
        for wire in ["A&B", "&AP-", "&APw", "&APw=-", "&AGE-", "&2D0-", "Grüsse", "&APwA-", "&APx-", "&AAo-"] {
            assert_eq!(decode(wire), wire);
        }
    }

    #[test]
    fn names_in_commands() {
        assert_eq!(quoted(r#"a"b\c"#).unwrap(), r#""a\"b\\c""#);
        assert!(quoted("a\r\nb").is_err());
        assert_eq!(challenge("eyJzdGF0dXMiOiI0MDAifQ=="), Some(br#"{"status":"400"}"#.to_vec()));
        assert_eq!(challenge("?"), None);
    }

    proptest! {
        #[test]
        fn every_name_comes_back(name in "[^\\p{Cc}]*") {
            prop_assert_eq!(decode(&encode(&name)), name);
        }

        #[test]
        fn nothing_panics(name in any::<String>(), bytes in any::<Vec<u8>>()) {
            decode(&name);
            decode(&String::from_utf8_lossy(&bytes));
            challenge(&name);
        }
    }
}
