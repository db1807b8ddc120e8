//! The texts of several parts of a message, in one pass over it.

use std::io::{self, Write};

use super::extractor::{Extractor, Task};
use super::{About, Extracted};
use crate::limits::{EXTRACT_FILE, EXTRACT_TEXT};
use crate::mail::{Part, PartWriter};

/// Takes all bytes of a message, as [`crate::archive::Archive::read`] writes them, and gives the text of each wanted part, at most
/// [`EXTRACT_TEXT`] bytes of all of them together. Memory is that of one [`super::Job`] and of these. Writing never fails.
#[derive(Debug)]
pub struct Parts<'a> {
    extractor: &'a mut Extractor,
    /// The next one last.
    waiting: Vec<&'a Part>,
    open: Option<(&'a Part, PartWriter<Task>)>,
    position: u64,
    found: Vec<(usize, Extracted)>,
    /// Bytes of text that are still taken.
    left: usize,
}

impl<'a> Parts<'a> {
    /// For parts of the message that will be written. One that lies within another of them is left out, since the other one's text
    /// has its own.
    pub fn new(extractor: &'a mut Extractor, parts: impl IntoIterator<Item = &'a Part>) -> Self {
        let mut waiting: Vec<&Part> = parts.into_iter().collect();
        waiting.sort_by_key(|part| (part.body.start, std::cmp::Reverse(part.body.end)));
        let mut end = 0;
        waiting.retain(|part| {
            let is_apart = part.body.start >= end;
            end = end.max(part.body.end);
            is_apart
        });
        waiting.reverse();
        Self { extractor, waiting, open: None, position: 0, found: Vec::new(), left: EXTRACT_TEXT }
    }

    /// The message is over: [`Part::number`] and what was found, in the order of the message.
    pub fn finish(mut self) -> Vec<(usize, Extracted)> {
        self.close();
        while let Some(part) = self.waiting.pop() {
            self.begin(part);
            self.close();
        }
        self.found
    }

    fn begin(&mut self, part: &'a Part) {
        if self.left == 0 {
            self.found.push((part.number, Extracted { cut: true, ..Extracted::default() }));
            return;
        }
        let about = About { media_type: &part.media_type, charset: &part.charset, name: &part.name };
        let task = self.extractor.task(&about);
        let mut alone = Part::default();
        (alone.body, alone.transfer) = (0..part.encoded_size(), part.transfer);
        // A byte more than is taken says that it is longer.
        self.open = Some((part, PartWriter::new(&alone, EXTRACT_FILE + 1, task)));
    }

    fn close(&mut self) {
        if let Some((part, writer)) = self.open.take()
            && let Ok((task, _)) = writer.finish()
        {
            let mut extracted = self.extractor.done(task.finish());
            let end = extracted.text.floor_char_boundary(self.left);
            extracted.cut |= end < extracted.text.len();
            extracted.text.truncate(end);
            extracted.text.shrink_to_fit();
            self.left -= end;
            self.found.push((part.number, extracted));
        }
    }
}

impl Write for Parts<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let until = match (&self.open, self.waiting.last()) {
                (Some((part, _)), _) => part.body.end,
                (None, Some(part)) => part.body.start,
                (None, None) => u64::MAX,
            };
            let room = usize::try_from(until.saturating_sub(self.position)).unwrap_or(usize::MAX).min(rest.len());
            if let Some((_, writer)) = &mut self.open {
                writer.write_all(&rest[..room])?;
            }
            self.position += room as u64;
            rest = &rest[room..];
            if self.position < until {
                continue;
            }
            if self.open.is_some() {
                self.close();
            } else if let Some(part) = self.waiting.pop() {
                self.begin(part);
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::Outliner;

    #[test]
    fn each_part_of_a_message_in_one_pass() {
        let mail = "Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n\r\nHallo\r\n--a\r\nContent-Type: text/plain\r\n\
            Content-Transfer-Encoding: base64\r\n\r\nR3LDvHNzZQ==\r\n--a\r\nContent-Type: text/html\r\n\r\n\r\n--a\r\n\
            Content-Type: image/png\r\n\r\n\x01\x02\r\n--a--\r\n";
        let outline = Outliner::read(mail.as_bytes());
        for size in [1, 3, 1000] {
            let mut extractor = Extractor::of("/nonexistent");
            // The whole lies around all others, so it is not asked for.
            let mut parts = Parts::new(&mut extractor, outline.parts.iter().skip(1));
            mail.as_bytes().chunks(size).for_each(|piece| parts.write_all(piece).unwrap());
            let found = parts.finish();
            let texts: Vec<_> = found.iter().map(|(number, found)| (*number, found.text.as_str())).collect();
            assert_eq!(texts, [(1, "Hallo"), (2, "Grüsse"), (3, ""), (4, "")], "{size}");
            assert_eq!(found[3].1.unread, Some(super::super::Unread::Kind));
        }
    }
}
