//! Raw bytes in, skeleton and parts out.

use std::io::{self, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::BLOCK;
use super::encoder::Encoder;
use super::plan::{Ends, Plan, Reference};
use crate::hash::{Hasher, Sha256};
use crate::limits::{SPLIT_PART, SPLIT_PARTS};

/// Letters that decode to less than the smallest part.
const SHORT: usize = SPLIT_PART / 3 * 4;

/// Where a [`Splitter`] puts what it makes. An error ends the splitting.
pub trait Sink {
    /// The next bytes of the skeleton.
    fn skeleton(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// The next decoded bytes of a part; the first call after [`Self::end_part`] begins one.
    fn part(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// The part is over: the hash of its bytes, and how many they are.
    fn end_part(&mut self, sha256: Sha256, len: u64) -> io::Result<()>;
}

/// Takes a message apart. Its raw bytes are written to it, in pieces of any size: what comes out does not depend on them.
/// Constant memory: one block. After an error it can only be dropped.
pub struct Splitter<S> {
    sink: S,
    plan: Plan,
    /// Bytes of the skeleton since the last part.
    gap: u64,
    at: At,
    run: Run,
}

/// Where the next byte stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    /// At the beginning of a line, where a run can begin.
    Line,
    /// In a line that stays as it is.
    Text,
    /// In a run.
    Run,
}

/// Base64 that may become a part. Invariant: what was decoded, encoded again in lines of this width, is the text of the run up
/// to its last whole group.
struct Run {
    /// Letters of a whole line and what ends it, once the first line is over.
    lines: Option<(u64, Ends)>,
    /// Letters in whole groups of the present line.
    column: u64,
    /// The text behind the last whole group: a line end, letters of a group that was begun, a line end that was begun. At most
    /// seven bytes.
    begun: Vec<u8>,
    /// How many of these are letters of a group.
    letters: usize,
    /// Decoded bytes that the sink has.
    given: u64,
    /// Decoded bytes that it does not have yet: the first `filled` ones.
    block: Vec<u8>,
    filled: usize,
    hasher: Hasher,
}

impl Run {
    fn len(&self) -> u64 {
        self.given + self.filled as u64
    }

    /// Lines as they are written down: those of a single line need no width.
    fn reference(&self, gap: u64, sha256: Sha256) -> Reference {
        let len = self.len();
        let (groups, ends) = match self.lines {
            Some((width, ends)) if len.div_ceil(3) > width / 4 => (width / 4, ends),
            _ => (0, Ends::Crlf),
        };
        Reference { gap, sha256, len, groups, ends }
    }
}

impl<S: Sink> Splitter<S> {
    pub fn new(sink: S) -> Self {
        let run = Run {
            lines: None,
            column: 0,
            begun: Vec::with_capacity(7),
            letters: 0,
            given: 0,
            block: vec![0; BLOCK],
            filled: 0,
            hasher: Hasher::new(),
        };
        Self { sink, plan: Plan::default(), gap: 0, at: At::Line, run }
    }

    /// The message is over. Without parts in the plan the skeleton is the message.
    pub fn finish(mut self) -> io::Result<(S, Plan)> {
        if self.at == At::Run {
            self.end(At::Text)?;
        }
        Ok((self.sink, self.plan))
    }

    /// Takes some of `bytes`, and says how many.
    fn step(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.at {
            At::Run => self.run(bytes),
            At::Line if self.plan.parts.len() == SPLIT_PARTS => self.skeleton(bytes),
            At::Line => self.line(bytes),
            At::Text => {
                let line = line(bytes);
                self.at = after(line);
                self.skeleton(line)
            }
        }
    }

    fn skeleton(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !bytes.is_empty() {
            self.gap += bytes.len() as u64;
            self.sink.skeleton(bytes)?;
        }
        Ok(bytes.len())
    }

    /// A line begins. What cannot grow to a part before its first foreign letter, as most lines of text, goes on as it is: a
    /// run would come to the same, but slower.
    fn line(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let line = line(bytes);
        if !line.iter().take(SHORT).all(|byte| is_known(*byte)) {
            self.at = after(line);
            return self.skeleton(line);
        }
        self.at = At::Run;
        self.run(bytes)
    }

    /// Some more of a run.
    fn run(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let cr = self.run.begun.last() == Some(&b'\r');
        match bytes.first() {
            None => Ok(0),
            Some(b'\n') => {
                self.line_end(if cr { Ends::Crlf } else { Ends::Lf })?;
                Ok(1)
            }
            Some(_) if cr => self.end(At::Text),
            Some(b'\r') => {
                self.run.begun.push(b'\r');
                Ok(1)
            }
            Some(_) => self.letters(bytes),
        }
    }

    /// A line of the run is over, with the byte that comes now. A line of another length, with another end or within a group was
    /// the last one.
    fn line_end(&mut self, ends: Ends) -> io::Result<()> {
        let run = &mut self.run;
        run.begun.push(b'\n');
        let whole = run.letters == 0 && run.column > 0;
        if whole && run.lines.is_none_or(|lines| lines == (run.column, ends)) {
            run.lines = Some((run.column, ends));
            run.column = 0;
            return Ok(());
        }
        self.end(At::Line)?;
        Ok(())
    }

    /// Some letters, or what stands where they are expected.
    fn letters(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let run = &mut self.run;
        let room = run.lines.map_or(u64::MAX, |(width, _)| width - run.column - run.letters as u64);
        if room == 0 {
            return self.end(At::Text);
        }
        let line = &bytes[..bytes.len().min(usize::try_from(room).unwrap_or(usize::MAX))];
        let line = &line[..memchr::memchr2(b'\r', b'\n', line).unwrap_or(line.len())];
        let whole = line.len() - line.len() % 4;
        if run.letters == 0 && whole > 0 {
            return self.groups(&line[..whole]);
        }
        let some = &line[..line.len().min(4 - run.letters)];
        run.begun.extend_from_slice(some);
        run.letters += some.len();
        if run.letters == 4 {
            let group: [u8; 4] = run.begun.last_chunk().copied().unwrap_or_default();
            self.groups(&group)?;
        }
        Ok(some.len())
    }

    /// Decodes whole groups. The run ends before one that cannot be decoded, and behind one with padding. Says how many letters
    /// were decoded.
    fn groups(&mut self, letters: &[u8]) -> io::Result<usize> {
        let mut taken = 0;
        let mut most = usize::MAX;
        while taken < letters.len() {
            if BLOCK - self.run.filled < 3 {
                self.give()?;
            }
            let run = &mut self.run;
            let count = (letters.len() - taken).min((BLOCK - run.filled) / 3 * 4).min(most);
            match STANDARD.decode_slice(&letters[taken..taken + count], &mut run.block[run.filled..]) {
                Ok(bytes) => {
                    run.begun.clear();
                    run.letters = 0;
                    run.column += count as u64;
                    run.filled += bytes;
                    taken += count;
                    if bytes % 3 != 0 {
                        self.end(At::Text)?;
                        break;
                    }
                }
                // Group by group up to the one that is none.
                Err(_) if count > 4 => most = 4,
                Err(_) => {
                    self.end(At::Text)?;
                    break;
                }
            }
        }
        Ok(taken)
    }

    /// Hands on what was decoded.
    fn give(&mut self) -> io::Result<()> {
        let run = &mut self.run;
        let block = &run.block[..run.filled];
        if block.is_empty() {
            return Ok(());
        }
        run.hasher.update(block);
        run.given += block.len() as u64;
        run.filled = 0;
        self.sink.part(block)
    }

    /// The run is over: it was a part, or too short for one and goes back to what it was. What was begun behind it is text. Takes
    /// none of the bytes that come.
    fn end(&mut self, at: At) -> io::Result<usize> {
        self.at = at;
        if self.run.len() >= SPLIT_PART as u64 {
            self.give()?;
            let sha256 = std::mem::take(&mut self.run.hasher).finish();
            let reference = self.run.reference(std::mem::take(&mut self.gap), sha256);
            self.plan.parts.push(reference);
            self.sink.end_part(sha256, reference.len)?;
        } else if self.run.filled > 0 {
            let mut text = Vec::new();
            let mut encoder = Encoder::new(&self.run.reference(0, Sha256::default()));
            encoder.push(&self.run.block[..self.run.filled], &mut text)?;
            encoder.finish(&mut text)?;
            self.skeleton(&text)?;
        }
        let run = &mut self.run;
        (run.lines, run.column, run.letters, run.given, run.filled) = (None, 0, 0, 0, 0);
        let mut begun = std::mem::take(&mut run.begun);
        self.skeleton(&begun)?;
        begun.clear();
        self.run.begun = begun;
        Ok(0)
    }
}

impl<S: Sink> Write for Splitter<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut rest = bytes;
        while !rest.is_empty() {
            rest = &rest[self.step(rest)?..];
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Up to the end of the line, or all.
fn line(bytes: &[u8]) -> &[u8] {
    memchr::memchr(b'\n', bytes).map_or(bytes, |end| &bytes[..=end])
}

/// Whether a byte is one of those that base64 in lines is made of.
fn is_known(byte: u8) -> bool {
    matches!(byte, b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' | b'=' | b'\r' | b'\n')
}

/// Where the byte behind a line, or a piece of one, stands that is no base64.
fn after(line: &[u8]) -> At {
    if line.ends_with(b"\n") { At::Line } else { At::Text }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keeps the skeleton, and how long the longest piece was.
    #[derive(Default)]
    struct Counts {
        skeleton: Vec<u8>,
        parts: Vec<u64>,
        longest: usize,
    }

    impl Sink for Counts {
        fn skeleton(&mut self, bytes: &[u8]) -> io::Result<()> {
            self.skeleton.extend_from_slice(bytes);
            Ok(())
        }

        fn part(&mut self, bytes: &[u8]) -> io::Result<()> {
            assert!(!bytes.is_empty());
            self.longest = self.longest.max(bytes.len());
            Ok(())
        }

        fn end_part(&mut self, _: Sha256, len: u64) -> io::Result<()> {
            self.parts.push(len);
            Ok(())
        }
    }

    /// Splits `head`, `text` as often as said, and `tail`: the skeleton, the lengths and the lines of the parts.
    fn split(head: &str, text: &str, times: usize, tail: &str) -> (String, Vec<u64>, Vec<(u64, Ends)>) {
        let mut splitter = Splitter::new(Counts::default());
        let texts = std::iter::repeat_n(text, times);
        for piece in std::iter::once(head).chain(texts).chain(std::iter::once(tail)) {
            splitter.write_all(piece.as_bytes()).unwrap();
            assert!(splitter.run.block.len() == BLOCK && splitter.run.begun.capacity() == 7);
        }
        let (counts, plan) = splitter.finish().unwrap();
        assert!(counts.longest <= BLOCK);
        let lines = plan.parts.iter().map(|part| (part.groups, part.ends)).collect();
        (String::from_utf8(counts.skeleton).unwrap(), counts.parts, lines)
    }

    #[test]
    fn a_part_ends_before_what_its_encoding_would_not_give() {
        let line = &format!("{}\r\n", "QUJD".repeat(19));
        for (tail, skeleton, rest) in [
            ("", "\r\n", 0),
            ("\r\n--x\r\n", "\r\n\r\n--x\r\n", 0),
            ("--x", "\r\n--x", 0),
            ("QQ==\r\n", "\r\n", 1),
            ("QQ==", "", 1),
            ("QQ== ", " ", 1),
            ("QQ==QUJD\r\n", "QUJD\r\n", 1),
            ("QUI=", "", 2),
            ("QUI", "\r\nQUI", 0),
            ("QUI=\n", "\n", 2),
            // Bits behind the last byte.
            ("QR==", "\r\nQR==", 0),
            ("QUJ=", "\r\nQUJ=", 0),
            ("====", "\r\n====", 0),
            ("Q===", "\r\nQ===", 0),
            ("QUJD\r\nQUJD\r\n", "\r\nQUJD\r\n", 3),
            ("QUJDQ\r\n", "Q\r\n", 3),
            ("QUJD\rQUJD", "\rQUJD", 3),
            ("QUJD\r\r\nQUJD", "\r\r\nQUJD", 3),
            ("QUJD-QUJD", "-QUJD", 3),
            ("\n", "\r\n\n", 0),
            ("\r", "\r\n\r", 0),
            ("\rQUJD", "\r\n\rQUJD", 0),
        ] {
            let found = split("A: b\r\n\r\n", line, 100, tail);
            let expected = (format!("A: b\r\n\r\n{skeleton}"), vec![5700 + rest], vec![(19, Ends::Crlf)]);
            assert_eq!(found, expected, "{tail:?}");
        }
    }

    #[test]
    fn another_line_length_or_line_end_is_another_part() {
        let line = |groups: usize, end: &str| format!("{}{end}", "QUJD".repeat(groups));
        let (crlf, lf) = (line(19, "\r\n"), line(19, "\n"));
        let (skeleton, parts, lines) = split(&crlf.repeat(100), &lf, 100, "");
        assert_eq!((skeleton.as_str(), &parts[..]), ("\n\n", &[5757, 5643][..]));
        assert_eq!(lines, [(19, Ends::Crlf), (19, Ends::Lf)]);
        // The first longer line is read up to the length of the others, the next one begins a part.
        let (skeleton, parts, lines) = split(&crlf.repeat(100), &line(20, "\r\n"), 100, "");
        assert_eq!((skeleton.as_str(), &parts[..]), ("QUJD\r\n\r\n", &[5757, 5940][..]));
        assert_eq!(lines, [(19, Ends::Crlf), (20, Ends::Crlf)]);
        // A shorter one is the last.
        let (skeleton, parts, lines) = split(&crlf.repeat(100), &line(18, "\r\n"), 100, "");
        assert_eq!((skeleton.as_str(), &parts[..]), ("\r\n\r\n", &[5754, 5346][..]));
        assert_eq!(lines, [(19, Ends::Crlf), (18, Ends::Crlf)]);
    }

    #[test]
    fn one_long_line_is_one_part_in_constant_memory() {
        let (skeleton, parts, lines) = split("\n", &"QUJD".repeat(10_000), 100, "QUI=\r\n");
        assert_eq!((skeleton.as_str(), &parts[..], &lines[..]), ("\n\r\n", &[3_000_002][..], &[(0, Ends::Crlf)][..]));
    }

    #[test]
    fn what_is_too_short_stays() {
        for (times, found) in [(1365, false), (1366, true)] {
            for end in ["", "\n", "\r\n"] {
                let text = format!("QUJD{end}");
                let (skeleton, parts, _) = split("\n", &text, times, "-");
                assert_eq!(parts.is_empty(), !found);
                assert!(found || skeleton == format!("\n{}-", text.repeat(times)));
            }
        }
    }
}
