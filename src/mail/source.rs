//! The header of a message as it is written, for the Source tab.

use std::io;

use crate::ingest::text::raw;
use crate::limits::HEAD;

/// Takes all bytes of a message and keeps its header, up to [`HEAD`] bytes.
#[derive(Debug, Default)]
pub struct RawHeader {
    bytes: Vec<u8>,
    over: bool,
}

/// The header as text: UTF-8, else windows-1252; line ends are LF, NUL and other control characters U+FFFD.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeaderText {
    pub text: String,
    /// Whether the header is longer.
    pub cut: bool,
}

impl RawHeader {
    pub fn new() -> Self {
        Self::default()
    }

    /// The message is over.
    pub fn finish(self) -> HeaderText {
        let end = end(&self.bytes);
        let cut = end.is_none() && self.bytes.len() == HEAD;
        let header = &self.bytes[..end.unwrap_or(self.bytes.len())];
        let text = raw(header).replace("\r\n", "\n");
        let harmless = |char: char| match char {
            '\n' | '\t' => char,
            control if control.is_control() => char::REPLACEMENT_CHARACTER,
            // They would change what stands beside them.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => char::REPLACEMENT_CHARACTER,
            other => other,
        };
        HeaderText { text: text.chars().map(harmless).collect(), cut }
    }
}

/// Where the first empty line is.
fn end(bytes: &[u8]) -> Option<usize> {
    let mut begin = 0;
    for line in bytes.split_inclusive(|&byte| byte == b'\n') {
        if line.ends_with(b"\n") && line.iter().all(|byte| matches!(byte, b'\r' | b'\n')) {
            return Some(begin);
        }
        begin += line.len();
    }
    None
}

impl io::Write for RawHeader {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.over {
            let room = (HEAD - self.bytes.len()).min(bytes.len());
            // An empty line may lie across two writes.
            let from = self.bytes.len().saturating_sub(4);
            self.bytes.extend_from_slice(&bytes[..room]);
            let seen = &self.bytes[from..];
            self.over = self.bytes.len() == HEAD
                || [&b"\n\n"[..], b"\n\r\n", b"\n\r\r\n"].iter().any(|end| memchr::memmem::find(seen, end).is_some());
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn the_header_alone() {
        for mail in ["Subject: a\r\n b\r\n\r\nbody\r\n\r\n", "Subject: a\n b\n\nbody", "Subject: a\n b\n"] {
            for size in 1..20 {
                let mut header = RawHeader::new();
                mail.as_bytes().chunks(size).for_each(|chunk| header.write_all(chunk).unwrap());
                assert_eq!(header.finish(), HeaderText { text: "Subject: a\n b\n".into(), cut: false });
            }
        }
        let mut header = RawHeader::new();
        header.write_all(&b"A: caf\xe9\0\n".repeat(100_000)).unwrap();
        let found = header.finish();
        assert!(found.cut && found.text.starts_with("A: café\u{fffd}\n"));
    }
}
