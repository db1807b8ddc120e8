//! Uuencode in pieces of any size: older than MIME, still found in old mail (POSIX, `uuencode`).

/// Bytes of a line; longer ones are none of it.
const LINE: usize = 128;

#[derive(Debug, Default)]
pub(super) struct Uuencode {
    line: Vec<u8>,
    over: bool,
    begun: bool,
    ended: bool,
}

impl Uuencode {
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        for &byte in bytes {
            if byte == b'\n' {
                self.line_end(out);
            } else if self.line.len() < LINE {
                self.line.push(byte);
            } else {
                self.over = true;
            }
        }
    }

    /// The body is over.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        self.line_end(out);
    }

    fn line_end(&mut self, out: &mut Vec<u8>) {
        let line = std::mem::take(&mut self.line);
        let text = line.strip_suffix(b"\r").unwrap_or(&line);
        if std::mem::take(&mut self.over) || self.ended {
        } else if !self.begun {
            self.begun = text.starts_with(b"begin ");
        } else if text == b"end" {
            self.ended = true;
        } else if let Some((&first, data)) = text.split_first() {
            decode(usize::from(value(first)), data, out);
        }
        self.line = line;
        self.line.clear();
    }
}

fn value(byte: u8) -> u8 {
    byte.wrapping_sub(b' ') & 0x3f
}

/// Appends `count` bytes, or as many as the line has.
fn decode(count: usize, data: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    for group in data.chunks(4) {
        let at = |index: usize| value(group.get(index).copied().unwrap_or(b' '));
        let [a, b, c, d] = std::array::from_fn(at);
        out.extend_from_slice(&[a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d]);
    }
    out.truncate(start + count.min(out.len() - start));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file() {
        let text = "begin 644 cat.txt\r\n#0V%T\r\n`\r\nend\r\nrest\r\n";
        for size in 1..9 {
            let (mut decoder, mut out) = (Uuencode::default(), Vec::new());
            text.as_bytes().chunks(size).for_each(|chunk| decoder.push(chunk, &mut out));
            decoder.finish(&mut out);
            assert_eq!(out, b"Cat");
        }
    }
}
