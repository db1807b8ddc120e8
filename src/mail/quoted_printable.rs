//! Quoted-printable in pieces of any size (RFC 2045, section 6.7). What is no code stays as it is.

use crate::ingest::text::hex;

/// White space that is held until it is known whether a line end follows; longer runs are given out.
const SPACES: usize = 1024;

/// What is not yet decided.
#[derive(Debug, Default)]
pub(super) struct QuotedPrintable {
    state: State,
    /// White space that falls away at the end of a line.
    spaces: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Text,
    /// After `=`.
    Equals,
    /// After `=` and a hexadecimal digit, as written.
    Digit(u8),
    /// After `=` and white space or CR: a soft line break, if a line end follows.
    Soft,
}

impl QuotedPrintable {
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        for &byte in bytes {
            self.byte(byte, out);
        }
    }

    /// The body is over.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        match std::mem::take(&mut self.state) {
            State::Digit(digit) => out.extend_from_slice(&[b'=', digit]),
            State::Text | State::Equals | State::Soft => {}
        }
        self.spaces.clear();
    }

    fn byte(&mut self, byte: u8, out: &mut Vec<u8>) {
        match (self.state, byte) {
            (State::Text, b'=') => {
                out.append(&mut self.spaces);
                self.state = State::Equals;
            }
            (State::Text, b' ' | b'\t') => {
                if self.spaces.len() == SPACES {
                    out.append(&mut self.spaces);
                }
                self.spaces.push(byte);
            }
            (State::Text, b'\r' | b'\n') => {
                self.spaces.clear();
                out.push(byte);
            }
            (State::Text, _) => {
                out.append(&mut self.spaces);
                out.push(byte);
            }
            (State::Equals, _) if hex(byte).is_some() => self.state = State::Digit(byte),
            (State::Digit(digit), _) => {
                self.state = State::Text;
                if let (Some(high), Some(low)) = (hex(digit), hex(byte)) {
                    out.push(high << 4 | low);
                } else {
                    out.extend_from_slice(&[b'=', digit]);
                    self.byte(byte, out);
                }
            }
            (State::Equals | State::Soft, b'\n') => {
                self.state = State::Text;
                self.spaces.clear();
            }
            (State::Equals | State::Soft, b' ' | b'\t' | b'\r') => {
                if self.spaces.len() < SPACES {
                    self.spaces.push(byte);
                }
                self.state = State::Soft;
            }
            (State::Equals | State::Soft, _) => {
                out.push(b'=');
                out.append(&mut self.spaces);
                self.state = State::Text;
                self.byte(byte, out);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tolerant_in_any_pieces() {
        for (text, expected) in [
            ("Gr=C3=bcsse", "Grüsse"),
            ("a=\r\nb=\nc", "abc"),
            ("a= \t\r\nb", "ab"),
            ("a  \r\nb\t\n", "a\r\nb\n"),
            ("a=zb", "a=zb"),
            ("a=4zb", "a=4zb"),
            ("a=4=41", "a=4A"),
            ("a== b", "a== b"),
            ("a=", "a"),
            ("a=4", "a=4"),
            ("a b", "a b"),
        ] {
            for size in 1..9 {
                let (mut decoder, mut out) = (QuotedPrintable::default(), Vec::new());
                text.as_bytes().chunks(size).for_each(|chunk| decoder.push(chunk, &mut out));
                decoder.finish(&mut out);
                assert_eq!(String::from_utf8(out).unwrap(), expected, "{text} by {size}");
            }
        }
    }
}
