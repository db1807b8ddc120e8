//! The body of a single part: does it fit what its header says of it?

use super::defect::Defect;
use super::part::{Encoding, Part};
use super::text::{is_ascii, is_utf8};

/// Bytes of a base64 body that are looked at.
const BASE64_CHECKED: usize = 4096;

/// A check of a body while its bytes pass by; constant memory.
#[derive(Debug)]
pub(super) enum Leaf {
    /// Nothing is checked, or nothing more.
    Unchecked,
    Bad(Defect),
    Ascii,
    Utf8 {
        /// A character that the last bytes began.
        begun: [u8; 4],
        length: usize,
    },
    Base64 {
        left: usize,
        padded: bool,
    },
}

impl Leaf {
    pub fn new(part: &Part) -> Self {
        let text = part.media_type.starts_with("text/");
        match (part.encoding, part.charset.as_deref()) {
            (Encoding::Base64, _) => Self::Base64 { left: BASE64_CHECKED, padded: false },
            (Encoding::Identity, Some(label)) if text && is_ascii(label) => Self::Ascii,
            (Encoding::Identity, Some(label)) if text && is_utf8(label) => Self::Utf8 { begun: [0; 4], length: 0 },
            _ => Self::Unchecked,
        }
    }

    /// Takes the next bytes of the body.
    pub fn feed(&mut self, bytes: &[u8]) {
        match self {
            Self::Unchecked | Self::Bad(_) => {}
            Self::Ascii => {
                if !bytes.is_ascii() {
                    *self = Self::Bad(Defect::Charset);
                }
            }
            Self::Utf8 { begun, length } => {
                if !utf8(begun, length, bytes) {
                    *self = Self::Bad(Defect::Charset);
                }
            }
            Self::Base64 { left, padded } => {
                let seen = &bytes[..bytes.len().min(*left)];
                *left -= seen.len();
                if !base64(padded, seen) {
                    *self = Self::Bad(Defect::Encoding);
                } else if *left == 0 {
                    *self = Self::Unchecked;
                }
            }
        }
    }

    /// The body is over.
    pub fn finish(&self) -> Option<Defect> {
        match self {
            Self::Bad(defect) => Some(*defect),
            Self::Utf8 { length, .. } if *length > 0 => Some(Defect::Charset),
            _ => None,
        }
    }
}

fn base64(padded: &mut bool, bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| match byte {
        b'\r' | b'\n' | b' ' | b'\t' => true,
        b'=' => {
            *padded = true;
            true
        }
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' => !*padded,
        _ => false,
    })
}

fn utf8(begun: &mut [u8; 4], length: &mut usize, mut bytes: &[u8]) -> bool {
    while *length > 0 {
        let Some((first, rest)) = bytes.split_first() else { return true };
        bytes = rest;
        // A begun character has at most three bytes: four are whole or wrong.
        begun[*length] = *first;
        *length += 1;
        match std::str::from_utf8(&begun[..*length]) {
            Ok(_) => *length = 0,
            Err(error) if error.error_len().is_some() => return false,
            Err(_) => {}
        }
    }
    match std::str::from_utf8(bytes) {
        Ok(_) => true,
        Err(error) if error.error_len().is_some() => false,
        Err(error) => {
            let rest = &bytes[error.valid_up_to()..];
            begun[..rest.len()].copy_from_slice(rest);
            *length = rest.len();
            true
        }
    }
}
