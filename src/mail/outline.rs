//! What a message consists of, found in one pass over its bytes.

use std::io;

use memchr::{memchr, memmem};

use crate::ingest::boundary::{BOUNDARY, Boundaries, Crossing};
use crate::ingest::defect::Defects;
use crate::ingest::fields::{Line, fields};
use crate::ingest::text::{clean, decode, unfold};
use crate::limits::{FIELD_CHARS, HEAD, MAIL_FIELDS, MAIL_FIELDS_TEXT, MAIL_TOKEN_CHARS, NESTING, PARTS};

use super::part_header::{Part, Transfer};

/// Bytes of the header of a part that are read.
const PART_HEAD: usize = 64 * 1024;
/// Bytes of a line that can be a boundary line: two hyphens on both sides and a line end.
const LINE: usize = BOUNDARY + 6;

/// A header field, decoded: one line without control characters, at most [`FIELD_CHARS`] characters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Field {
    /// As written, `Subject`.
    pub name: String,
    pub value: String,
}

/// What a message consists of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outline {
    /// In the order of the message; the first is the message itself, there is always one. At most [`PARTS`].
    pub parts: Vec<Part>,
    /// Bytes of the message.
    pub size: u64,
    /// Whether parts, nested messages or fields are missing here, because there are more than are followed.
    pub cut: bool,
}

impl Outline {
    /// The header fields of the message in their order.
    pub fn fields(&self) -> &[Field] {
        self.parts.first().map_or(&[], |part| &part.fields)
    }

    /// The value of the first field of this name.
    pub fn field(&self, name: &str) -> Option<&str> {
        let field = self.fields().iter().find(|field| field.name.eq_ignore_ascii_case(name))?;
        Some(&field.value)
    }

    /// The parts directly within a part.
    pub fn children(&self, number: usize) -> impl Iterator<Item = &Part> {
        self.parts.iter().skip(number + 1).filter(move |part| part.parent == Some(number))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// In the header of the message, of a part or of a message within.
    Header,
    /// In the first line of a body, whose length is wanted.
    FirstLine,
    /// At the beginning of a line of a body, or within one that may be a boundary line.
    LineStart,
    /// Within a line of a body that is none.
    Line,
}

/// Reads a message in pieces of any size, which do not change the result; [`Outliner::finish`] gives the [`Outline`].
///
/// Memory is constant: one header up to [`HEAD`] bytes, one line that may be a boundary, [`PARTS`] parts,
/// [`MAIL_FIELDS_TEXT`] of fields. Time is linear.
#[derive(Debug)]
pub struct Outliner {
    place: Place,
    /// Bytes before the ones that are being read.
    position: u64,
    last: u8,
    /// Where the current line starts, and how long the line end before it is.
    line_begins: u64,
    line_end: u64,
    /// The header that is being read, up to its limit.
    header: Vec<u8>,
    header_line: usize,
    /// Whether the header begins a message: the top one or one within.
    message: bool,
    default_type: &'static str,
    /// The current line while it may matter, up to [`LINE`] bytes.
    line: Vec<u8>,
    line_over: bool,
    /// Multiparts and messages around the current part.
    depth: usize,
    boundaries: Boundaries,
    /// Parts that have not ended: depth, number (none beyond [`PARTS`]).
    open: Vec<(usize, Option<usize>)>,
    fields: usize,
    fields_text: usize,
    outline: Outline,
}

impl Default for Outliner {
    fn default() -> Self {
        Self {
            place: Place::Header,
            position: 0,
            last: 0,
            line_begins: 0,
            line_end: 0,
            header: Vec::new(),
            header_line: 0,
            message: true,
            default_type: "text/plain",
            line: Vec::new(),
            line_over: false,
            depth: 0,
            boundaries: Boundaries::default(),
            open: Vec::new(),
            fields: 0,
            fields_text: 0,
            outline: Outline::default(),
        }
    }
}

impl io::Write for Outliner {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.push(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Outliner {
    /// At the beginning of a message.
    pub fn new() -> Self {
        Self::default()
    }

    /// The outline of a message that is in memory.
    pub fn read(message: &[u8]) -> Outline {
        let mut outliner = Self::new();
        outliner.push(message);
        outliner.finish()
    }

    /// The next bytes of the message.
    pub fn push(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let taken = match self.place {
                Place::Header => self.header_bytes(bytes),
                Place::FirstLine => self.first_line(bytes),
                _ if self.boundaries.is_empty() => bytes.len(),
                Place::LineStart => self.line_start(bytes),
                Place::Line => self.line_rest(bytes),
            };
            self.position += taken as u64;
            self.last = bytes[..taken].last().copied().unwrap_or(self.last);
            bytes = &bytes[taken..];
        }
    }

    /// The message is over.
    pub fn finish(mut self) -> Outline {
        if self.place == Place::Header {
            if !self.line.is_empty() {
                self.header_line_end(self.position);
            }
            if self.place == Place::Header {
                self.header_end(self.position);
            }
        } else if !self.line.is_empty() && !self.boundaries.is_empty() {
            self.boundary_line();
        }
        self.close(0, self.position);
        self.outline.size = self.position;
        self.outline
    }

    fn header_bytes(&mut self, bytes: &[u8]) -> usize {
        let end = memchr(b'\n', bytes);
        let taken = end.map_or(bytes.len(), |end| end + 1);
        let limit = if self.outline.parts.is_empty() { HEAD } else { PART_HEAD };
        let kept = taken.min(limit - self.header.len());
        self.header.extend_from_slice(&bytes[..kept]);
        let short = taken.min(LINE - self.line.len());
        self.line.extend_from_slice(&bytes[..short]);
        self.line_over |= short < taken;
        if end.is_some() {
            let crlf = self.ends_in_crlf(&bytes[..taken]);
            self.header_line_end(self.position + taken as u64);
            self.begin_line(self.position + taken as u64, crlf);
        }
        taken
    }

    /// A line of a header is over; the next one starts at `next`.
    fn header_line_end(&mut self, next: u64) {
        let line = std::mem::take(&mut self.line);
        let over = std::mem::take(&mut self.line_over);
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        // Gateways make CR CR LF of CR LF.
        let blank = !over && text.iter().all(|&byte| byte == b'\r');
        let boundary = !over && self.boundaries.is_boundary(&line);
        if blank || boundary {
            self.header.truncate(self.header_line);
            self.header_end(if blank { next } else { self.line_begins });
        }
        if boundary {
            self.cross(&line);
        }
        self.header_line = self.header.len();
        self.line = line;
        self.line.clear();
    }

    /// Reads the header that is over; the body starts at `body`.
    fn header_end(&mut self, body: u64) {
        let mut header = std::mem::take(&mut self.header);
        let (mut part, boundary) = Part::read(&header, self.default_type);
        if std::mem::take(&mut self.message) {
            part.fields = self.read_fields(&header);
        }
        header.clear();
        header.shrink_to(PART_HEAD);
        self.header = header;
        self.header_line = 0;
        self.place = Place::FirstLine;
        part.body = body..body;
        part.parent = self.open.last().and_then(|(_, number)| *number);
        self.begin(part, boundary);
    }

    fn read_fields(&mut self, header: &[u8]) -> Vec<Field> {
        let mut list = Vec::new();
        for line in fields(header) {
            let Line::Field { name, value } = line else { continue };
            if self.fields == MAIL_FIELDS || self.fields_text >= MAIL_FIELDS_TEXT {
                self.outline.cut = true;
                break;
            }
            let name = clean(&String::from_utf8_lossy(name), MAIL_TOKEN_CHARS);
            let value = clean(&decode(&unfold(value), &mut Defects::new()), FIELD_CHARS);
            self.fields += 1;
            self.fields_text += name.len() + value.len();
            list.push(Field { name, value });
        }
        list
    }

    /// Begins the body of a part.
    fn begin(&mut self, mut part: Part, boundary: Option<Vec<u8>>) {
        // RFC 2046, section 5.2.1 forbids to encode a message; one that is all the same is not followed.
        let message = part.is_message() && part.transfer == Transfer::Identity;
        let multipart = part.is_multipart();
        let digest = part.media_type == "multipart/digest";
        if self.outline.parts.len() < PARTS {
            part.number = self.outline.parts.len();
            self.open.push((self.depth, Some(part.number)));
            self.outline.parts.push(part);
        } else {
            self.outline.cut = true;
            // Never deeper than the containers that are open.
            self.open.push((self.depth, None));
        }
        if (message || multipart) && self.depth >= NESTING {
            self.outline.cut = true;
        } else if message {
            self.depth += 1;
            self.default_type = "text/plain";
            self.message = true;
            self.place = Place::Header;
        } else if multipart {
            let boundary = boundary.map(|boundary| boundary.trim_ascii_end().to_vec());
            if let Some(boundary) = boundary.filter(|boundary| !boundary.is_empty() && boundary.len() <= BOUNDARY) {
                self.boundaries.open(boundary, self.depth + 1, digest);
            }
        }
    }

    /// Goes over a boundary line that starts at `line_begins`; false if `line` is none.
    fn cross(&mut self, line: &[u8]) -> bool {
        let Some(crossing) = self.boundaries.cross(line, &mut Defects::new()) else { return false };
        let (Crossing::Part { depth, .. } | Crossing::Epilogue { depth }) = crossing;
        // The line end before a boundary belongs to it (RFC 2046, section 5.1.1).
        self.close(depth, self.line_begins.saturating_sub(self.line_end));
        self.place = Place::LineStart;
        if let Crossing::Part { depth, digest } = crossing {
            self.depth = depth;
            self.default_type = if digest { "message/rfc822" } else { "text/plain" };
            self.message = false;
            self.place = Place::Header;
        }
        true
    }

    /// Ends the parts from `depth` on.
    fn close(&mut self, depth: usize, end: u64) {
        while let Some((_, number)) = self.open.pop_if(|(open, _)| *open >= depth) {
            if let Some(part) = number.and_then(|number| self.outline.parts.get_mut(number)) {
                part.body.end = end.max(part.body.start);
            }
        }
    }

    fn ends_in_crlf(&self, line: &[u8]) -> bool {
        line.ends_with(b"\r\n") || (line.len() == 1 && self.last == b'\r')
    }

    fn begin_line(&mut self, at: u64, crlf: bool) {
        self.line_begins = at;
        self.line_end = if crlf { 2 } else { 1 };
    }

    /// Measures the first line of a body, which may be a boundary line too.
    fn first_line(&mut self, bytes: &[u8]) -> usize {
        let end = memchr(b'\n', bytes);
        let taken = end.map_or(bytes.len(), |end| end + 1);
        let short = taken.min(LINE - self.line.len());
        self.line.extend_from_slice(&bytes[..short]);
        self.line_over |= short < taken;
        if end.is_some() {
            let crlf = self.ends_in_crlf(&bytes[..taken]);
            let next = self.position + taken as u64;
            if !self.line_over && self.boundary_line() {
                self.begin_line(next, crlf);
                return taken;
            }
            let length = next - self.line_begins;
            self.begin_line(next, crlf);
            if let Some((_, Some(number))) = self.open.last() {
                self.outline.parts[*number].line = (length, self.line_end);
            }
            self.line.clear();
            self.line_over = false;
            self.place = Place::LineStart;
        }
        taken
    }

    /// Takes bytes of a body's line while they may be a boundary line.
    fn line_start(&mut self, bytes: &[u8]) -> usize {
        if self.line.len() < 2 && bytes[0] != b'-' {
            self.line.clear();
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
            let crlf = self.ends_in_crlf(&room[..taken]);
            self.boundary_line();
            self.begin_line(self.position + taken as u64, crlf);
        } else if self.line.len() == LINE {
            self.line.clear();
            self.place = Place::Line;
        }
        taken
    }

    /// Whether the line that is held is a boundary line; then it is gone over. The line is let go if so, or at a line's end.
    fn boundary_line(&mut self) -> bool {
        let line = std::mem::take(&mut self.line);
        let crossed = self.cross(&line);
        self.line = line;
        self.line.clear();
        self.line_over = false;
        crossed
    }

    /// Skips to the next line that begins with a hyphen.
    fn line_rest(&mut self, bytes: &[u8]) -> usize {
        let end = memmem::find(bytes, b"\n-");
        let taken = end.map_or(bytes.len(), |end| end + 1);
        if bytes[..taken].ends_with(b"\n") {
            let crlf = self.ends_in_crlf(&bytes[..taken]);
            self.begin_line(self.position + taken as u64, crlf);
            self.place = Place::LineStart;
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIL: &str = "Subject: =?utf-8?q?Gr=C3=BCsse?=\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\npreamble\r\n\
        --a\r\nContent-Type: text/plain\r\n\r\nHallo\r\nWelt\r\n--a\r\nContent-Type: message/rfc822\r\n\r\n\
        Subject: innen\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\nx\r\n\r\n--b\r\n\
        Content-Type: text/html\r\n\r\n--b--\r\nepilogue\r\n--a\r\nContent-Type: a/b\r\nContent-Transfer-Encoding: base64\
        \r\n\r\nQUJD\r\n--a--\r\n";

    fn bodies(mail: &str) -> Vec<(Option<usize>, String, String)> {
        let outline = Outliner::read(mail.as_bytes());
        assert_eq!(outline.size, mail.len() as u64);
        let range = |part: &Part| usize::try_from(part.body.start).unwrap()..usize::try_from(part.body.end).unwrap();
        outline.parts.iter().map(|part| (part.parent, part.media_type.clone(), mail[range(part)].to_string())).collect()
    }

    #[test]
    fn parts_lie_where_they_are() {
        let found = bodies(MAIL);
        let short: Vec<_> = found.iter().map(|(parent, kind, _)| (*parent, kind.as_str())).collect();
        assert_eq!(
            short,
            [
                (None, "multipart/mixed"),
                (Some(0), "text/plain"),
                (Some(0), "message/rfc822"),
                (Some(2), "multipart/alternative"),
                (Some(3), "text/plain"),
                (Some(3), "text/html"),
                (Some(0), "a/b"),
            ]
        );
        assert_eq!(found[1].2, "Hallo\r\nWelt");
        assert!(found[2].2.starts_with("Subject: innen") && found[2].2.ends_with("epilogue"), "{}", found[2].2);
        assert_eq!((found[4].2.as_str(), found[5].2.as_str(), found[6].2.as_str()), ("x\r\n", "", "QUJD"));
        let outline = Outliner::read(MAIL.as_bytes());
        assert_eq!(outline.field("subject"), Some("Grüsse"));
        assert_eq!(outline.parts[3].fields[0].value, "innen");
        assert_eq!(outline.children(3).count(), 2);
        assert!(!outline.cut);
    }

    #[test]
    fn line_feeds_alone_and_odd_ends() {
        let unix = MAIL.replace("\r\n", "\n");
        let found = bodies(&unix);
        assert_eq!((found[1].2.as_str(), found[4].2.as_str(), found[6].2.as_str()), ("Hallo\nWelt", "x\n", "QUJD"));
        assert_eq!(bodies("Subject: x"), [(None, "text/plain".into(), String::new())]);
        assert_eq!(bodies(""), [(None, "text/plain".into(), String::new())]);
        assert_eq!(bodies("A: b\n\nxy")[0].2, "xy");
        let open = "Content-Type: multipart/mixed; boundary=a\n\n--a\n\ntext\n--a";
        assert_eq!(bodies(open)[1].2, "text");
    }

    #[test]
    fn pieces_do_not_matter() {
        for mail in [MAIL.to_string(), MAIL.replace("\r\n", "\n")] {
            let whole = Outliner::read(mail.as_bytes());
            for size in 1..40 {
                let mut outliner = Outliner::new();
                mail.as_bytes().chunks(size).for_each(|chunk| outliner.push(chunk));
                assert_eq!(outliner.finish(), whole, "{size}");
            }
        }
    }

    #[test]
    fn many_parts_and_deep_nesting_are_cut() {
        let parts = format!("Content-Type: multipart/mixed; boundary=A\n\n{}", "--A\n\nx\n".repeat(5000));
        let outline = Outliner::read(parts.as_bytes());
        assert!(outline.cut && outline.parts.len() == PARTS);
        let deep = "Content-Type: message/rfc822\n\n".repeat(5000);
        let outline = Outliner::read(deep.as_bytes());
        assert!(outline.cut && outline.parts.len() == NESTING + 1, "{}", outline.parts.len());
        let fields = "A: b\n".repeat(50_000);
        let outline = Outliner::read(fields.as_bytes());
        assert!(outline.cut && outline.fields().len() == MAIL_FIELDS);
    }
}
