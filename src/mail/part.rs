//! The decoded bytes of parts, taken out of a message that is pushed through.

use std::io::{self, Write};
use std::ops::Range;

use super::base64::Base64;
use super::part_header::{Part, Transfer};
use super::quoted_printable::QuotedPrintable;
use super::uuencode::Uuencode;

/// Encoded bytes that are decoded in one go.
const PIECE: usize = 16 * 1024;

#[derive(Debug)]
enum Decoder {
    Identity,
    Base64(Base64),
    QuotedPrintable(QuotedPrintable),
    Uuencode(Uuencode),
}

impl Decoder {
    fn new(transfer: Transfer) -> Self {
        match transfer {
            Transfer::Identity | Transfer::Unknown => Self::Identity,
            Transfer::Base64 => Self::Base64(Base64::default()),
            Transfer::QuotedPrintable => Self::QuotedPrintable(QuotedPrintable::default()),
            Transfer::Uuencode => Self::Uuencode(Uuencode::default()),
        }
    }

    fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        match self {
            Self::Identity => out.extend_from_slice(bytes),
            Self::Base64(decoder) => decoder.push(bytes, out),
            Self::QuotedPrintable(decoder) => decoder.push(bytes, out),
            Self::Uuencode(decoder) => decoder.push(bytes, out),
        }
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        match self {
            Self::Identity | Self::Base64(_) => {}
            Self::QuotedPrintable(decoder) => decoder.finish(out),
            Self::Uuencode(decoder) => decoder.finish(out),
        }
    }
}

/// Takes all bytes of a message and hands the decoded bytes of one part on, at most `limit`. Memory is constant.
///
/// It fails only where `out` does. What comes after the part is taken and dropped, so that the message can be read, and its
/// hash checked, to the end.
#[derive(Debug)]
pub struct PartWriter<W> {
    range: Range<u64>,
    position: u64,
    decoder: Decoder,
    piece: Vec<u8>,
    left: u64,
    cut: bool,
    out: W,
}

impl<W: Write> PartWriter<W> {
    /// For a part of the message that will be written.
    pub fn new(part: &Part, limit: u64, out: W) -> Self {
        Self {
            range: part.body.clone(),
            position: 0,
            decoder: Decoder::new(part.transfer),
            piece: Vec::new(),
            left: limit,
            cut: false,
            out,
        }
    }

    /// The message is over: gives what was written to, and whether the part was longer than the limit.
    pub fn finish(mut self) -> io::Result<(W, bool)> {
        self.decoder.finish(&mut self.piece);
        self.hand_on()?;
        self.out.flush()?;
        Ok((self.out, self.cut))
    }

    fn hand_on(&mut self) -> io::Result<()> {
        let room = usize::try_from(self.left).unwrap_or(usize::MAX).min(self.piece.len());
        self.cut |= room < self.piece.len();
        self.left -= room as u64;
        let written = self.out.write_all(&self.piece[..room]);
        self.piece.clear();
        written
    }
}

impl<W: Write> Write for PartWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let begin = self.position;
        self.position += bytes.len() as u64;
        // Where the part lies within these bytes; they are in memory, so that a usize holds it.
        let within = |at: u64| usize::try_from(at.saturating_sub(begin)).unwrap_or(usize::MAX).min(bytes.len());
        let (from, to) = (within(self.range.start), within(self.range.end));
        for piece in bytes[from..to.max(from)].chunks(PIECE) {
            if self.cut {
                break;
            }
            self.decoder.push(piece, &mut self.piece);
            self.hand_on()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// A part whose beginning is wanted in memory.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    pub part: &'a Part,
    /// Decoded bytes, at most.
    pub limit: usize,
}

/// The beginning of a part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Collected {
    /// [`Part::number`].
    pub number: usize,
    /// Decoded.
    pub bytes: Vec<u8>,
    /// Whether the part is longer.
    pub cut: bool,
}

/// Takes the beginnings of several parts out of a message in one pass. Memory is the sum of their limits.
#[derive(Debug)]
pub struct Collector {
    writers: Vec<(usize, PartWriter<Vec<u8>>)>,
}

impl Collector {
    pub fn new(wanted: &[Wanted<'_>]) -> Self {
        let writer =
            |wanted: &Wanted<'_>| (wanted.part.number, PartWriter::new(wanted.part, wanted.limit as u64, Vec::new()));
        Self { writers: wanted.iter().map(writer).collect() }
    }

    /// The message is over.
    pub fn finish(self) -> Vec<Collected> {
        // A vector takes all that is written to it.
        let finish = |(number, writer): (usize, PartWriter<Vec<u8>>)| {
            writer.finish().map(|(bytes, cut)| Collected { number, bytes, cut }).unwrap_or_default()
        };
        self.writers.into_iter().map(finish).collect()
    }

    /// The beginnings of parts of a message that is in memory.
    pub fn read(message: &[u8], wanted: &[Wanted<'_>]) -> Vec<Collected> {
        let mut collector = Self::new(wanted);
        let _ = collector.write_all(message);
        collector.finish()
    }
}

impl Write for Collector {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for (_, writer) in &mut self.writers {
            writer.write_all(bytes)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::outline::Outliner;
    use super::*;

    #[test]
    fn parts_are_decoded_in_any_pieces_up_to_their_limit() {
        let mail = b"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\nContent-Transfer-Encoding: base64\r\n\r\n\
            QUJDREVGR0hJSg==\r\n--a\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nZ=C3=BCri=\r\nch\r\n--a--\r\n";
        let outline = Outliner::read(mail);
        let wanted = [
            Wanted { part: &outline.parts[1], limit: 4 },
            Wanted { part: &outline.parts[1], limit: 10 },
            Wanted { part: &outline.parts[2], limit: 100 },
        ];
        for size in 1..50 {
            let mut collector = Collector::new(&wanted);
            mail.chunks(size).for_each(|chunk| collector.write_all(chunk).unwrap());
            let found = collector.finish();
            assert_eq!((found[0].bytes.as_slice(), found[0].cut), (&b"ABCD"[..], true));
            assert_eq!((found[1].bytes.as_slice(), found[1].cut), (&b"ABCDEFGHIJ"[..], false));
            assert_eq!((found[2].bytes.as_slice(), found[2].cut), ("Zürich".as_bytes(), false));
        }
    }
}
