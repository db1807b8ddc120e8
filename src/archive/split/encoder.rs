//! Bytes as base64 in lines (RFC 2045, section 6.8): padded at the end, no line end behind the last line.

use std::io::{self, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::BLOCK;
use super::plan::Reference;

/// Encodes a part as it stood in its message, in pieces of any size. Holds a block.
pub(super) struct Encoder {
    /// Letters of a whole line.
    width: u64,
    ends: &'static [u8],
    /// Letters of the line that was begun.
    column: u64,
    /// Bytes of the group that was begun: at most two.
    begun: Vec<u8>,
    letters: Vec<u8>,
    text: Vec<u8>,
}

impl Encoder {
    /// Lines as `reference` says.
    pub fn new(reference: &Reference) -> Self {
        Self {
            width: reference.width(),
            ends: reference.ends.text(),
            column: 0,
            begun: Vec::new(),
            letters: Vec::new(),
            text: Vec::new(),
        }
    }

    pub fn push(&mut self, mut bytes: &[u8], out: &mut dyn Write) -> io::Result<()> {
        if !self.begun.is_empty() {
            let (fill, rest) = bytes.split_at(bytes.len().min(3 - self.begun.len()));
            self.begun.extend_from_slice(fill);
            bytes = rest;
            if self.begun.len() < 3 {
                return Ok(());
            }
            self.group(out)?;
        }
        let (groups, rest) = bytes.split_at(bytes.len() - bytes.len() % 3);
        for block in groups.chunks(BLOCK) {
            self.block(block, out)?;
        }
        self.begun.extend_from_slice(rest);
        Ok(())
    }

    /// Pads the last group.
    pub fn finish(mut self, out: &mut dyn Write) -> io::Result<()> {
        if self.begun.is_empty() { Ok(()) } else { self.group(out) }
    }

    fn group(&mut self, out: &mut dyn Write) -> io::Result<()> {
        let group = std::mem::take(&mut self.begun);
        self.block(&group, out)
    }

    fn block(&mut self, bytes: &[u8], out: &mut dyn Write) -> io::Result<()> {
        self.letters.resize(bytes.len().div_ceil(3) * 4, 0);
        STANDARD.encode_slice(bytes, &mut self.letters).map_err(io::Error::other)?;
        self.text.clear();
        let mut letters = &self.letters[..];
        while !letters.is_empty() {
            if self.column == self.width {
                self.text.extend_from_slice(self.ends);
                self.column = 0;
            }
            let room = usize::try_from(self.width - self.column).unwrap_or(usize::MAX);
            let (line, rest) = letters.split_at(room.min(letters.len()));
            self.text.extend_from_slice(line);
            self.column += line.len() as u64;
            letters = rest;
        }
        out.write_all(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::split::Ends;
    use crate::hash::Sha256;

    #[test]
    fn lines_and_padding() {
        for (bytes, groups, ends, expected) in [
            ("", 1, Ends::Crlf, ""),
            ("A", 1, Ends::Crlf, "QQ=="),
            ("AB", 1, Ends::Crlf, "QUI="),
            ("ABC", 1, Ends::Crlf, "QUJD"),
            ("ABCD", 1, Ends::Crlf, "QUJD\r\nRA=="),
            ("ABCDEFGH", 2, Ends::Lf, "QUJDREVG\nR0g="),
            ("ABCDEFGH", 0, Ends::Lf, "QUJDREVGR0g="),
        ] {
            let reference = Reference { gap: 0, sha256: Sha256::default(), len: bytes.len() as u64, groups, ends };
            for size in 1..9 {
                let (mut encoder, mut text) = (Encoder::new(&reference), Vec::new());
                bytes.as_bytes().chunks(size).for_each(|piece| encoder.push(piece, &mut text).unwrap());
                encoder.finish(&mut text).unwrap();
                assert_eq!(text, expected.as_bytes(), "{bytes} by {size}");
                assert_eq!(reference.text_len(), Some(text.len() as u64));
            }
        }
    }
}
