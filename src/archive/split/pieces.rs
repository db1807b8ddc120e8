//! The pieces of a split message, read out of its raw bytes by its plan.

use std::io::{self, Read, Seek, SeekFrom};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::BLOCK;
use super::plan::{Plan, Reference, damaged};

/// A part and the byte of the raw message at which its text begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub reference: Reference,
    pub at: u64,
}

impl Plan {
    /// Where the parts stand in the raw bytes. Of a plan that a splitter made.
    pub fn places(&self) -> Vec<Place> {
        let mut at = 0u64;
        let places = self.parts.iter().map(|reference| {
            at = at.saturating_add(reference.gap);
            let place = Place { reference: *reference, at };
            at = at.saturating_add(reference.text_len().unwrap_or(u64::MAX));
            place
        });
        places.collect()
    }
}

/// Reads the decoded bytes of a part out of the raw message. Constant memory: one block.
pub struct PartReader<R> {
    text: io::Take<R>,
    letters: Vec<u8>,
    decoded: Vec<u8>,
    at: usize,
}

impl<R: Read + Seek> PartReader<R> {
    pub fn new(mut raw: R, place: &Place) -> io::Result<Self> {
        raw.seek(SeekFrom::Start(place.at))?;
        let text = raw.take(place.reference.text_len().unwrap_or(0));
        Ok(Self { text, letters: Vec::with_capacity(BLOCK), decoded: Vec::new(), at: 0 })
    }

    /// Decodes the next whole groups; nothing more comes where there are none.
    fn fill(&mut self) -> io::Result<()> {
        (self.at, self.letters) = (0, std::mem::take(&mut self.letters));
        self.decoded.clear();
        let mut block = [0; 4096];
        while self.letters.len() + block.len() <= BLOCK {
            let count = self.text.read(&mut block)?;
            if count == 0 {
                break;
            }
            self.letters.extend(block[..count].iter().filter(|byte| !matches!(byte, b'\r' | b'\n')));
        }
        let whole = self.letters.len() / 4 * 4;
        STANDARD
            .decode_vec(&self.letters[..whole], &mut self.decoded)
            .map_err(|_| damaged("a part is no base64 any more"))?;
        self.letters.drain(..whole);
        Ok(())
    }
}

impl<R: Read + Seek> Read for PartReader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.at == self.decoded.len() {
            self.fill()?;
        }
        let count = into.len().min(self.decoded.len() - self.at);
        into[..count].copy_from_slice(&self.decoded[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

/// Reads what is stored of a split message: the length of its plan, its plan, and the skeleton out of the raw bytes.
pub struct SkeletonReader<R> {
    head: io::Cursor<Vec<u8>>,
    raw: R,
    /// Ranges of the raw bytes, the last one first.
    ranges: Vec<(u64, u64)>,
}

impl<R: Read + Seek> SkeletonReader<R> {
    /// `size`: raw bytes of the message.
    pub fn new(raw: R, plan: &Plan, size: u64) -> Self {
        let head = io::Cursor::new(plan.frame());
        let (mut from, mut ranges) = (0, Vec::with_capacity(plan.parts.len() + 1));
        for place in plan.places() {
            ranges.push((from, place.at));
            from = place.at.saturating_add(place.reference.text_len().unwrap_or(u64::MAX));
        }
        ranges.push((from, size));
        ranges.reverse();
        Self { head, raw, ranges }
    }

    /// Bytes that come.
    pub fn total(&self) -> u64 {
        let skeleton: u64 = self.ranges.iter().map(|(from, to)| to.saturating_sub(*from)).sum();
        self.head.get_ref().len() as u64 + skeleton
    }
}

impl<R: Read + Seek> Read for SkeletonReader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.head.read(into)?;
        if count > 0 {
            return Ok(count);
        }
        while let Some((from, to)) = self.ranges.last_mut() {
            if from >= to {
                self.ranges.pop();
                continue;
            }
            self.raw.seek(SeekFrom::Start(*from))?;
            let wanted = into.len().min(usize::try_from(*to - *from).unwrap_or(usize::MAX));
            let count = self.raw.read(&mut into[..wanted])?;
            if count == 0 && wanted > 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            *from += count as u64;
            return Ok(count);
        }
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use super::*;
    use crate::archive::split::{Sink, Splitter};
    use crate::hash::Sha256;

    /// Keeps what a splitter gives.
    #[derive(Default)]
    struct Kept {
        skeleton: Vec<u8>,
        part: Vec<u8>,
        parts: Vec<Vec<u8>>,
    }

    impl Sink for Kept {
        fn skeleton(&mut self, bytes: &[u8]) -> io::Result<()> {
            self.skeleton.extend(bytes);
            Ok(())
        }

        fn part(&mut self, bytes: &[u8]) -> io::Result<()> {
            self.part.extend(bytes);
            Ok(())
        }

        fn end_part(&mut self, _: Sha256, _: u64) -> io::Result<()> {
            self.parts.push(std::mem::take(&mut self.part));
            Ok(())
        }
    }

    #[test]
    fn the_pieces_are_those_that_the_splitter_gave() {
        let mut mail = b"Subject: two\r\n\r\n".to_vec();
        for (bytes, width, ends) in [(5000, 76, "\r\n"), (100_001, 60, "\n"), (50_000, usize::MAX, "\n")] {
            let part: Vec<u8> = (0..=255).cycle().take(bytes).collect();
            let letters = STANDARD.encode(part);
            let lines: Vec<&str> = letters
                .as_bytes()
                .chunks(width.min(letters.len()))
                .map(|line| std::str::from_utf8(line).unwrap())
                .collect();
            mail.extend(format!("--b{ends}{ends}{}{ends}{ends}--b--{ends}", lines.join(ends)).into_bytes());
        }
        let mut splitter = Splitter::new(Kept::default());
        splitter.write_all(&mail).unwrap();
        let (kept, plan) = splitter.finish().unwrap();
        assert_eq!(plan.parts.len(), 3);
        for (place, part) in plan.places().iter().zip(&kept.parts) {
            let mut read = Vec::new();
            PartReader::new(Cursor::new(&mail), place).unwrap().read_to_end(&mut read).unwrap();
            assert!(read == *part);
        }
        let mut reader = SkeletonReader::new(Cursor::new(&mail), &plan, mail.len() as u64);
        let len = reader.total();
        let mut read = Vec::new();
        reader.read_to_end(&mut read).unwrap();
        assert_eq!(read.len() as u64, len);
        assert!(read.ends_with(&kept.skeleton));
        let frame = Plan::frame_len(&read).unwrap().unwrap();
        assert_eq!(Plan::of_frame(&read[..frame]).unwrap(), plan);
        assert_eq!(read[..4], u32::try_from(frame - 4).unwrap().to_le_bytes());
        assert_eq!(read.len(), frame + kept.skeleton.len());
    }
}
