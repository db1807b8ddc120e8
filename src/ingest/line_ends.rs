//! NUL bytes and mixed line ends, counted over the whole message at memory speed.

/// Counts of line ends. Mail with CRLF throughout and mail with LF throughout are both normal.
#[derive(Debug, Default)]
pub(super) struct LineEnds {
    last: u8,
    cr: u64,
    lf: u64,
    crlf: u64,
    nul: bool,
}

impl LineEnds {
    pub fn feed(&mut self, bytes: &[u8]) {
        let Some(&first) = bytes.first() else { return };
        self.crlf += u64::from(self.last == b'\r' && first == b'\n');
        self.last = bytes[bytes.len() - 1];
        self.nul = self.nul || memchr::memchr(0, bytes).is_some();
        if self.known() {
            return;
        }
        // Blocks whose counts fit a byte: the compiler makes vectors of the loops.
        for start in (0..bytes.len()).step_by(255) {
            let block = &bytes[start..bytes.len().min(start + 255)];
            let next = &bytes[start + 1..bytes.len().min(start + 256)];
            let (mut cr, mut lf, mut crlf) = (0u8, 0u8, 0u8);
            for byte in block {
                cr += u8::from(*byte == b'\r');
                lf += u8::from(*byte == b'\n');
            }
            for (byte, next) in block.iter().zip(next) {
                crlf += u8::from(*byte == b'\r') & u8::from(*next == b'\n');
            }
            self.cr += u64::from(cr);
            self.lf += u64::from(lf);
            self.crlf += u64::from(crlf);
        }
    }

    /// Whether more bytes cannot change the answer of [`LineEnds::mixed`]; a last CR may still get its LF.
    fn known(&self) -> bool {
        self.cr > self.crlf + 1 || (self.crlf > 0 && self.lf > self.crlf)
    }

    pub fn nul(&self) -> bool {
        self.nul
    }

    /// A CR without LF, or both LF and CRLF.
    pub fn mixed(&self) -> bool {
        self.cr > self.crlf || (self.crlf > 0 && self.lf > self.crlf)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mixed_line_ends() {
        let long_crlf = "aaaaaaa\r\n".repeat(1000);
        let long_lf = "aaaaaaa\n".repeat(1000);
        for (text, expected) in [
            ("", false),
            ("a\nb\n", false),
            ("a\r\nb\r\n", false),
            ("a\r\nb\n", true),
            ("a\nb\r\n", true),
            ("a\rb", true),
            ("a\r", true),
            ("a\r\r\n", true),
            (&long_crlf, false),
            (&long_lf, false),
            (&format!("{long_crlf}\n"), true),
            (&format!("{long_crlf}\r{long_crlf}"), true),
        ] {
            for size in [1, 2, 3, 254, 255, 256, usize::MAX] {
                let mut ends = LineEnds::default();
                text.as_bytes().chunks(size).for_each(|chunk| ends.feed(chunk));
                assert_eq!(ends.mixed(), expected, "{:?} by {size}", &text[..text.len().min(20)]);
            }
        }
    }
}
