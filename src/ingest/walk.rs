//! A streaming walk over a message: bytes are pushed as they arrive, a [`Head`] comes out at the end.

use memchr::{memchr, memmem};

use super::boundary::{BOUNDARY, Boundaries, Crossing};
use super::defect::{Defect, Defects};
use super::fields;
use super::head::{Attachment, Head};
use super::journal::{Report, is_report};
use super::leaf::Leaf;
use super::line_ends::LineEnds;
use super::part::{Encoding, Part};
use crate::limits;

/// Bytes of the header of a part that are read.
const PART_HEAD: usize = 64 * 1024;
/// Bytes of a line that can be a boundary line: two hyphens on both sides and a line end.
const LINE: usize = BOUNDARY + 6;

/// Where in the message the walk is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// In the header of the message, of a part or of a message within.
    Header,
    /// At the beginning of a line of a body, or within one that may be a boundary line.
    LineStart,
    /// Within a line of a body that is none.
    Line,
}

/// Whose header is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    /// That of the message itself.
    Message,
    /// That of the mail within a journal report.
    Original,
    /// That of a part, or of another message within.
    Part,
}

/// What the message consists of so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    Nothing,
    /// White space.
    Blank,
    Text,
}

/// Reads a message (RFC 5322, RFC 2045–2049) in pieces of any size; the pieces do not change the result.
///
/// Memory is constant: the message's header up to [`limits::HEAD`] bytes, a part's up to 64 KiB, one line that may be a
/// boundary, the text of a journal report up to [`limits::JOURNAL_TEXT`], [`limits::NESTING`] boundaries, [`limits::PARTS`] attachments. Time is linear in the bytes. It never fails:
/// what cannot be read is a [`Defect`] of the result.
#[derive(Debug)]
pub struct Walk {
    place: Place,
    /// The header that is being read, up to its limit.
    header: Vec<u8>,
    /// Where in `header` the current line starts.
    header_line: usize,
    header_cut: bool,
    whose: Whose,
    report: Report,
    /// Media type of a part without one.
    default_type: &'static str,
    /// The current line while it may matter, up to [`LINE`] bytes.
    line: Vec<u8>,
    /// Whether a line of a header is longer than that.
    line_over: bool,
    /// Multiparts and messages around the current part.
    depth: usize,
    boundaries: Boundaries,
    leaf: Leaf,
    line_ends: LineEnds,
    seen: Seen,
    head: Head,
    defects: Defects,
}

impl Default for Walk {
    fn default() -> Self {
        Self {
            place: Place::Header,
            header: Vec::new(),
            header_line: 0,
            header_cut: false,
            whose: Whose::Message,
            report: Report::default(),
            default_type: "text/plain",
            line: Vec::new(),
            line_over: false,
            depth: 0,
            boundaries: Boundaries::default(),
            leaf: Leaf::Unchecked,
            line_ends: LineEnds::default(),
            seen: Seen::Nothing,
            head: Head::default(),
            defects: Defects::new(),
        }
    }
}

impl Walk {
    /// At the beginning of a message.
    pub fn new() -> Self {
        Self::default()
    }

    /// The next bytes of the message.
    pub fn push(&mut self, mut bytes: &[u8]) {
        if self.seen != Seen::Text && !bytes.is_empty() {
            self.seen = if bytes.iter().all(u8::is_ascii_whitespace) { Seen::Blank } else { Seen::Text };
        }
        self.line_ends.feed(bytes);
        while !bytes.is_empty() {
            let taken = match self.place {
                Place::Header => self.header_bytes(bytes),
                _ if self.boundaries.is_empty() => {
                    self.body(bytes);
                    bytes.len()
                }
                Place::LineStart => self.line_start(bytes),
                Place::Line => self.line_rest(bytes),
            };
            bytes = &bytes[taken..];
        }
    }

    /// The message is over.
    pub fn finish(mut self) -> Head {
        match self.place {
            Place::Header => {
                // The last line has no line end.
                if !self.line.is_empty() {
                    self.header_line_end();
                }
                if self.place == Place::Header {
                    if self.whose == Whose::Message && self.seen != Seen::Nothing {
                        self.defects.insert(Defect::NoBlankLine);
                    }
                    self.header_end();
                }
            }
            Place::LineStart if !self.boundaries.is_empty() => self.line_end(),
            Place::LineStart | Place::Line => {}
        }
        self.leaf_end();
        self.boundaries.end(0, &mut self.defects);
        if self.seen != Seen::Text {
            self.defects.insert(Defect::Empty);
        }
        if self.line_ends.nul() {
            self.defects.insert(Defect::Nul);
        }
        if self.line_ends.mixed() {
            self.defects.insert(Defect::BareLineEnd);
        }
        self.head.envelope = self.report.finish();
        self.head.defects = self.defects.into_iter().collect();
        self.head
    }

    /// Takes bytes of a header up to the end of the line.
    fn header_bytes(&mut self, bytes: &[u8]) -> usize {
        let end = memchr(b'\n', bytes);
        let taken = end.map_or(bytes.len(), |end| end + 1);
        let limit = if self.whose == Whose::Part { PART_HEAD } else { limits::HEAD };
        let kept = taken.min(limit - self.header.len());
        self.header.extend_from_slice(&bytes[..kept]);
        self.header_cut |= kept < taken;
        let short = taken.min(LINE - self.line.len());
        self.line.extend_from_slice(&bytes[..short]);
        self.line_over |= short < taken;
        if end.is_some() {
            self.header_line_end();
        }
        taken
    }

    fn header_line_end(&mut self) {
        let line = std::mem::take(&mut self.line);
        let over = std::mem::take(&mut self.line_over);
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        // Gateways make CR CR LF of CR LF.
        let blank = !over && text.iter().all(|&byte| byte == b'\r');
        let boundary = !over && self.boundaries.is_boundary(&line);
        if blank || boundary {
            self.header.truncate(self.header_line);
            self.header_end();
        }
        if boundary {
            self.cross(&line);
        }
        self.header_line = self.header.len();
        self.line = line;
        self.line.clear();
    }

    /// Reads the header that is over, and begins what follows.
    fn header_end(&mut self) {
        let mut header = std::mem::take(&mut self.header);
        let cut = std::mem::take(&mut self.header_cut);
        if cut {
            self.defects.insert(Defect::HeaderTooLong);
        }
        let whose = std::mem::replace(&mut self.whose, Whose::Part);
        if whose != Whose::Part {
            fields::read(&header, cut, &mut self.head, &mut self.defects);
        }
        if whose == Whose::Message && is_report(&header) {
            self.report.announce();
        }
        let part = Part::read(&header, self.default_type, &mut self.defects);
        if whose == Whose::Part {
            self.report.part(&header, &part, self.depth);
        }
        header.clear();
        header.shrink_to(PART_HEAD);
        self.header = header;
        self.header_line = 0;
        self.place = Place::LineStart;
        // Of a report the mail within is no attachment: it is what was archived.
        let is_original = self.report.is_original(&part, self.depth);
        if !is_original {
            self.remember(&part);
        }
        self.begin(part);
        if is_original && self.place == Place::Header {
            self.whose = Whose::Original;
        }
    }

    fn remember(&mut self, part: &Part) {
        if part.is_multipart() || !(part.attachment || part.is_message() || !part.name.is_empty()) {
            return;
        }
        if self.head.attachments.len() == limits::PARTS {
            self.defects.insert(Defect::TooManyParts);
            return;
        }
        self.head.attachments.push(Attachment { name: part.name.clone(), media_type: part.media_type.clone() });
    }

    /// Begins the body of a part.
    fn begin(&mut self, mut part: Part) {
        self.leaf = Leaf::Unchecked;
        // RFC 2046, section 5.2.1 forbids to encode a message; one that is all the same is not followed.
        let message = part.is_message() && part.encoding == Encoding::Identity;
        if (message || part.is_multipart()) && self.depth >= limits::NESTING {
            self.defects.insert(Defect::TooDeep);
        } else if message {
            self.depth += 1;
            self.default_type = "text/plain";
            self.place = Place::Header;
        } else if !part.is_multipart() {
            self.leaf = Leaf::new(&part);
        } else {
            let digest = part.media_type == "multipart/digest";
            // A boundary line loses the white space at its end, so the boundary does too.
            let boundary = part.boundary.take().map(|boundary| boundary.trim_ascii_end().to_vec());
            match boundary.filter(|boundary| !boundary.is_empty() && boundary.len() <= BOUNDARY) {
                Some(boundary) => self.boundaries.open(boundary, self.depth + 1, digest),
                None => {
                    self.defects.insert(Defect::NoBoundary);
                }
            }
        }
    }

    /// Goes over a boundary line; false if `line` is none.
    fn cross(&mut self, line: &[u8]) -> bool {
        let Some(crossing) = self.boundaries.cross(line, &mut self.defects) else { return false };
        self.leaf_end();
        match crossing {
            Crossing::Part { depth, digest } => {
                self.depth = depth;
                self.default_type = if digest { "message/rfc822" } else { "text/plain" };
                self.place = Place::Header;
            }
            Crossing::Epilogue { .. } => self.place = Place::LineStart,
        }
        true
    }

    /// Bytes of the body of a single part.
    fn body(&mut self, bytes: &[u8]) {
        self.leaf.feed(bytes);
        self.report.feed(bytes);
    }

    fn leaf_end(&mut self) {
        self.report.end_of_part();
        self.defects.extend(self.leaf.finish());
        self.leaf = Leaf::Unchecked;
    }

    /// Takes bytes of a body's line while they may be a boundary line.
    fn line_start(&mut self, bytes: &[u8]) -> usize {
        if self.line.len() < 2 && bytes[0] != b'-' {
            self.release_line();
            self.place = Place::Line;
            return 0;
        }
        if self.line.is_empty() {
            self.line.push(b'-');
            return 1;
        }
        // A line that does not end within LINE bytes is no boundary line.
        let room = &bytes[..bytes.len().min(LINE - self.line.len())];
        let end = memchr(b'\n', room);
        let taken = end.map_or(room.len(), |end| end + 1);
        self.line.extend_from_slice(&room[..taken]);
        if end.is_some() {
            self.line_end();
        } else if self.line.len() == LINE {
            self.release_line();
            self.place = Place::Line;
        }
        taken
    }

    /// A line of a body that began with two hyphens is over.
    fn line_end(&mut self) {
        let line = std::mem::take(&mut self.line);
        if !self.cross(&line) {
            self.body(&line);
        }
        self.line = line;
        self.line.clear();
    }

    /// The line is none of a boundary: it belongs to the body.
    fn release_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        self.body(&line);
        self.line = line;
        self.line.clear();
    }

    /// Skips to the next line that begins with a hyphen.
    fn line_rest(&mut self, bytes: &[u8]) -> usize {
        let end = memmem::find(bytes, b"\n-");
        let taken = end.map_or(bytes.len(), |end| end + 1);
        if bytes[..taken].ends_with(b"\n") {
            self.place = Place::LineStart;
        }
        self.body(&bytes[..taken]);
        taken
    }

    /// Bytes, boundaries and attachments that are held now.
    #[cfg(test)]
    fn held(&self) -> (usize, usize, usize, usize) {
        (self.header.capacity(), self.line.capacity(), self.boundaries.len(), self.head.attachments.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails as soon as a buffer of the walk is larger than its bound allows.
    fn walk_bounded(pieces: impl Iterator<Item = Vec<u8>>) -> Head {
        let mut walk = Walk::new();
        for piece in pieces {
            walk.push(&piece);
            let (header, line, boundaries, attachments) = walk.held();
            // A vector that doubles may hold twice what is in it.
            assert!(header <= 2 * limits::HEAD && line <= 2 * LINE, "{header} {line}");
            assert!(boundaries <= limits::NESTING && attachments <= limits::PARTS, "{boundaries} {attachments}");
        }
        walk.finish()
    }

    #[test]
    fn fifty_megabytes_without_a_line_end_are_not_kept() {
        let stream = || (0..800).map(|_| vec![b'A'; 64 * 1024]);
        let head = walk_bounded(stream());
        assert!(head.defects.contains(&Defect::HeaderTooLong));
        let multipart = b"Content-Type: multipart/mixed; boundary=A\n\n--A\n".to_vec();
        let part_header = walk_bounded(std::iter::once(multipart.clone()).chain(stream()));
        assert!(part_header.defects.contains(&Defect::HeaderTooLong));
        let body_line = std::iter::once(multipart).chain(std::iter::once(b"\n--".to_vec())).chain(stream());
        assert_eq!(walk_bounded(body_line).defects, [Defect::NoFinalBoundary, Defect::Date]);
    }

    #[test]
    fn many_parts_and_deep_nesting_are_not_kept() {
        let parts = (0..100_000).map(|_| b"--A\nContent-Type: a/b; name=x\n\nx\n".to_vec());
        let multipart = b"Content-Type: multipart/mixed; boundary=A\n\n".to_vec();
        let head = walk_bounded(std::iter::once(multipart).chain(parts));
        assert_eq!(head.attachments.len(), limits::PARTS);
        let nested = (0..10_000)
            .map(|depth| format!("Content-Type: multipart/mixed; boundary=b{depth}\n\n--b{depth}\n").into_bytes());
        assert!(walk_bounded(nested).defects.contains(&Defect::TooDeep));
        let messages = (0..10_000).map(|_| b"Content-Type: message/rfc822\n\n".to_vec());
        assert!(walk_bounded(messages).defects.contains(&Defect::TooDeep));
    }
}
