//! The diverting stream: bytes of a server go in, events come out, and no message is ever held.
//!
//! Invariants: FETCH responses are handled here from their first byte to their last, the literal of a body goes straight
//! to the [`Ear`], and nothing of it reaches the crate `imap`; the same holds for all other untagged lines. Only tagged
//! lines and continuation requests end a [`Reader::push`]. A body that began ends in [`Ear::fetched`] or [`Ear::abort`].

use super::fetch_line::{FetchParser, Fetched, Role};
use super::lines::{self, Line, Row, Status, Verdict};
use crate::limits::{IMAP_LINE, IMAP_RESPONSE, MESSAGE};
use crate::source::{Result, SourceError};

/// Listens to one command's answer.
pub trait Ear {
    /// A body of `len` bytes begins; `so_far` is what stood before it. False skips it.
    fn begin(&mut self, _so_far: &Fetched, _len: u64) -> Result<bool> {
        Ok(false)
    }
    /// Bytes of the body.
    fn data(&mut self, _bytes: &[u8]) -> Result<()> {
        Ok(())
    }
    /// The connection or the response broke: a body that began is not whole.
    fn abort(&mut self) {}
    /// A whole FETCH response; its body, if one began, is whole too.
    fn fetched(&mut self, _fetched: Fetched) -> Result<()> {
        Ok(())
    }
    /// A row of LIST.
    fn row(&mut self, _row: Row) -> Result<()> {
        Ok(())
    }
}

/// Listens to nothing.
pub struct Deaf;

impl Ear for Deaf {}

/// What a server said beside FETCH and LIST.
#[derive(Debug, Default)]
pub struct Heard {
    /// Farewell: the server ends the connection.
    pub bye: Option<Status>,
    /// In upper case, as last told; `None` where they were not.
    pub capabilities: Option<Vec<String>>,
    /// First untagged OK, PREAUTH or BYE: the greeting.
    pub greeting: Option<Status>,
    pub exists: u32,
    pub uid_validity: Option<u32>,
    pub uid_next: Option<u32>,
    pub read_only: bool,
    /// Of the first personal namespace, as the server writes it.
    pub prefix: Option<String>,
    /// Arguments of COPYUID (RFC 9051, 7.1) of this command.
    pub copied: Vec<String>,
}

impl Heard {
    /// Forgets what belongs to one selected folder.
    pub fn forget_folder(&mut self) {
        (self.exists, self.uid_validity, self.uid_next, self.read_only) = (0, None, None, false);
    }

    fn status(&mut self, status: &Status) {
        let number = |name| status.arguments(name).and_then(|text| text.trim().parse().ok());
        self.uid_validity = number("UIDVALIDITY").or(self.uid_validity);
        self.uid_next = number("UIDNEXT").or(self.uid_next);
        self.read_only |= status.has_code("READ-ONLY");
        if let Some(text) = status.arguments("CAPABILITY") {
            self.capabilities = Some(lines::capabilities(text));
        }
        // One command is answered by a handful at most; the bound keeps a babbling server small.
        if let Some(text) = status.arguments("COPYUID").filter(|_| self.copied.len() < 1000) {
            self.copied.push(text.to_owned());
        }
    }
}

/// Why a [`Reader::push`] stopped before its input was used up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// A command ended: its tag and status.
    Tagged(String, Status),
    /// The server waits for more of the command.
    Continue(String),
    /// The greeting came.
    Greeting,
}

#[derive(Debug)]
enum State {
    Line,
    /// So many bytes of a literal belong to the line that is being collected.
    Keep(u64),
    /// So many bytes of a literal go to the ear.
    Body(u64),
    /// So many bytes of a literal interest nobody.
    Skip(u64),
}

/// The state between two reads of a socket.
#[derive(Debug)]
pub struct Reader {
    state: State,
    /// The line that is being collected.
    line: Vec<u8>,
    /// A response other than FETCH, up to `line`, with its literals as quoted strings.
    response: Vec<u8>,
    /// The FETCH response that is being read.
    fetch: Option<FetchParser>,
    /// Bytes of the response beside its body.
    used: usize,
    /// A body began and has not ended.
    open: bool,
    /// The response has had a literal: if it turns out broken, nobody knows where the next line begins.
    had_literal: bool,
}

impl Reader {
    pub fn new() -> Self {
        Self {
            state: State::Line,
            line: Vec::new(),
            response: Vec::new(),
            fetch: None,
            used: 0,
            open: false,
            had_literal: false,
        }
    }

    /// Whether nothing is half read.
    pub fn is_idle(&self) -> bool {
        matches!(self.state, State::Line) && self.line.is_empty() && self.response.is_empty() && self.fetch.is_none()
    }

    /// Digests bytes until they are used up or something ends the wait: how many were used, and what it was.
    ///
    /// # Errors
    /// [`SourceError::Protocol`] where lines, responses or messages pass their bounds or make no sense, and what the ear
    /// returns. After an error the reader is of no more use; a body that began was aborted.
    pub fn push(&mut self, bytes: &[u8], heard: &mut Heard, ear: &mut dyn Ear) -> Result<(usize, Option<Stop>)> {
        let mut rest = bytes;
        let result = loop {
            match self.step(&mut rest, heard, ear) {
                Ok(None) if rest.is_empty() => break Ok((bytes.len(), None)),
                Ok(None) => {}
                Ok(stop) => break Ok((bytes.len() - rest.len(), stop)),
                Err(error) => break Err(error),
            }
        };
        if result.is_err() {
            self.abort(ear);
        }
        result
    }

    /// Tells the ear that a body which began will not end.
    pub fn abort(&mut self, ear: &mut dyn Ear) {
        if std::mem::take(&mut self.open) {
            ear.abort();
        }
    }

    fn step(&mut self, rest: &mut &[u8], heard: &mut Heard, ear: &mut dyn Ear) -> Result<Option<Stop>> {
        let left = match self.state {
            State::Line => return self.collect(rest, heard, ear),
            State::Keep(left) | State::Body(left) | State::Skip(left) => left,
        };
        let take = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
        let (now, after) = rest.split_at_checked(take).unwrap_or((rest, &[]));
        *rest = after;
        let left = left - now.len() as u64;
        self.state = match self.state {
            State::Keep(_) => {
                for c in now {
                    if matches!(c, b'"' | b'\\') {
                        self.response.push(b'\\');
                    }
                    self.response.push(*c);
                }
                if left == 0 {
                    self.response.push(b'"');
                }
                State::Keep(left)
            }
            State::Body(_) => {
                ear.data(now)?;
                State::Body(left)
            }
            State::Skip(_) | State::Line => State::Skip(left),
        };
        if left == 0 {
            self.state = State::Line;
        }
        Ok(None)
    }

    fn collect(&mut self, rest: &mut &[u8], heard: &mut Heard, ear: &mut dyn Ear) -> Result<Option<Stop>> {
        let end = memchr::memchr(b'\n', rest).map(|end| end + 1);
        let (now, after) = rest.split_at_checked(end.unwrap_or(rest.len())).unwrap_or((rest, &[]));
        *rest = after;
        self.line.extend_from_slice(now);
        if self.line.len() > IMAP_LINE {
            return Err(protocol("a line is too long"));
        }
        if end.is_none() {
            return Ok(None);
        }
        let mut line = std::mem::take(&mut self.line);
        let kept = line.strip_suffix(b"\n").map_or(line.len(), |line| line.strip_suffix(b"\r").unwrap_or(line).len());
        line.truncate(kept);
        self.count(line.len())?;
        let stop = self.line_done(&line, heard, ear)?;
        // The room of a usual line is kept for the next one.
        if line.capacity() <= 64 * 1024 {
            line.clear();
            self.line = line;
        }
        Ok(stop)
    }

    fn count(&mut self, bytes: usize) -> Result<()> {
        self.used = self.used.saturating_add(bytes);
        if self.used > IMAP_RESPONSE { Err(protocol("a response is too long")) } else { Ok(()) }
    }

    fn line_done(&mut self, line: &[u8], heard: &mut Heard, ear: &mut dyn Ear) -> Result<Option<Stop>> {
        let first = self.fetch.is_none() && self.response.is_empty();
        if first && let Some(text) = lines::fetch(line) {
            self.fetch = Some(FetchParser::new());
            return self.fetch_piece(text, ear).map(|()| None);
        }
        if self.fetch.is_some() {
            return self.fetch_piece(line, ear).map(|()| None);
        }
        // The text of a status may end like the announcement of a literal and is none.
        let may_have_literal = !first || line.starts_with(b"* ") && !lines::is_status(line);
        if may_have_literal && let Some((mark, len)) = lines::literal(line) {
            let announced = usize::try_from(len).unwrap_or(usize::MAX);
            self.count(announced)?;
            self.response.extend_from_slice(line.get(..mark).unwrap_or_default());
            self.response.push(b'"');
            if len == 0 {
                self.response.push(b'"');
            } else {
                self.state = State::Keep(len);
            }
            return Ok(None);
        }
        let line = if first {
            lines::parse(line)
        } else {
            self.response.extend_from_slice(line);
            lines::parse(&std::mem::take(&mut self.response))
        };
        self.used = 0;
        hear(line, heard, ear)
    }

    fn fetch_piece(&mut self, text: &[u8], ear: &mut dyn Ear) -> Result<()> {
        let Some(parser) = &mut self.fetch else { return Ok(()) };
        let literal = lines::literal(text);
        let piece = literal.and_then(|(mark, _)| text.get(..mark)).unwrap_or(text);
        parser.text(piece);
        if let Some(quoted) = parser.take_quoted_body()
            && ear.begin(parser.so_far(), quoted.len() as u64)?
        {
            self.open = true;
            ear.data(&quoted)?;
        }
        let Some((_, len)) = literal else { return self.fetch_done(ear) };
        self.had_literal = true;
        if parser.literal() == Role::Body {
            if len > MESSAGE {
                return Err(protocol(&format!("a message of {len} bytes is longer than what is taken over")));
            }
            self.open = ear.begin(parser.so_far(), len)?;
            self.state = if self.open { State::Body(len) } else { State::Skip(len) };
        } else {
            self.count(usize::try_from(len).unwrap_or(usize::MAX))?;
            self.state = State::Skip(len);
        }
        if len == 0 {
            self.state = State::Line;
        }
        Ok(())
    }

    fn fetch_done(&mut self, ear: &mut dyn Ear) -> Result<()> {
        let (fetched, whole) = self.fetch.take().unwrap_or_default().finish();
        self.used = 0;
        let had_literal = std::mem::take(&mut self.had_literal);
        if whole {
            // The ear ends the body itself, or an error ends the transfer.
            self.open = false;
            return ear.fetched(fetched);
        }
        self.abort(ear);
        // Without a literal the next line is where it should be, and the message is asked for again.
        if had_literal { Err(protocol("a FETCH response does not end as it should")) } else { Ok(()) }
    }
}

impl Default for Reader {
    fn default() -> Self {
        Self::new()
    }
}

fn hear(line: Line, heard: &mut Heard, ear: &mut dyn Ear) -> Result<Option<Stop>> {
    match line {
        Line::Tagged(tag, status) => {
            heard.status(&status);
            return Ok(Some(Stop::Tagged(tag, status)));
        }
        Line::Continue(text) => return Ok(Some(Stop::Continue(text))),
        Line::Untagged(status) => {
            heard.status(&status);
            let greeting = heard.greeting.is_none();
            if status.verdict == Verdict::Bye {
                heard.bye = Some(status.clone());
            }
            if greeting {
                heard.greeting = Some(status);
                return Ok(Some(Stop::Greeting));
            }
        }
        Line::Exists(number) => heard.exists = number,
        Line::Capabilities(names) => heard.capabilities = Some(names),
        Line::Row(row) => ear.row(row)?,
        Line::Prefix(prefix) => heard.prefix = Some(prefix),
        Line::Unknown => {}
        Line::Garbage => return Err(protocol("a line is neither an answer nor a notice")),
    }
    Ok(None)
}

pub(super) fn protocol(detail: &str) -> SourceError {
    SourceError::Protocol { detail: detail.to_owned() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Writes down what it hears.
    #[derive(Default)]
    struct Scribe(Vec<String>, Vec<u8>);

    impl Ear for Scribe {
        fn begin(&mut self, so_far: &Fetched, len: u64) -> Result<bool> {
            self.0.push(format!("begin {:?} {len}", so_far.uid));
            self.1.clear();
            Ok(so_far.uid != Some(666))
        }
        fn data(&mut self, bytes: &[u8]) -> Result<()> {
            self.1.extend_from_slice(bytes);
            Ok(())
        }
        fn abort(&mut self) {
            self.0.push("abort".into());
        }
        fn fetched(&mut self, fetched: Fetched) -> Result<()> {
            self.0.push(format!("fetched {:?} {}", fetched.uid, std::mem::take(&mut self.1).escape_ascii()));
            Ok(())
        }
        fn row(&mut self, row: Row) -> Result<()> {
            self.0.push(format!("row {}", row.name));
            Ok(())
        }
    }

    fn run(bytes: &[u8], pace: usize) -> Vec<String> {
        let (mut reader, mut heard, mut ear) = (Reader::new(), Heard::default(), Scribe::default());
        for chunk in bytes.chunks(pace) {
            let mut rest = chunk;
            while !rest.is_empty() {
                match reader.push(rest, &mut heard, &mut ear) {
                    Ok((taken, stop)) => {
                        ear.0.extend(stop.map(|stop| format!("{stop:?}")));
                        rest = &rest[taken..];
                    }
                    Err(error) => {
                        ear.0.push(error.to_string());
                        return ear.0;
                    }
                }
            }
        }
        ear.0
    }

    #[test]
    fn literals_are_diverted() {
        let wire = b"* 1 FETCH (UID 12 BODY[] {12}\r\na2 OK done\r\n FLAGS ())\r\n\
            * 2 FETCH (BODY[] ~{2}\r\nxy UID 13)\r\n\
            * 3 FETCH (UID 666 BODY[] {2}\r\nxy)\r\n\
            * 4 FETCH (UID 5 BODY[] {0}\r\n)\r\n\
            * 5 FETCH (UID 6 BODY[] \"q\\\"\")\r\n\
            * LIST () \"/\" {3}\r\na\"b\r\n";
        let want = [
            "begin Some(12) 12",
            "fetched Some(12) a2 OK done\\r\\n",
            "begin None 2",
            "fetched Some(13) xy",
            "begin Some(666) 2",
            "fetched Some(666) ",
            "begin Some(5) 0",
            "fetched Some(5) ",
            "begin Some(6) 2",
            "fetched Some(6) q\\\"",
            "row a\"b",
        ];
        for step in [1, 2, 7, 1000] {
            assert_eq!(run(wire, step), want);
        }
    }

    #[test]
    fn bounds_hold() {
        let endless = vec![b'x'; IMAP_LINE + 2];
        assert_eq!(run(&endless, 5000), ["the server's answer was not understood: a line is too long"]);
        let huge = b"* 1 FETCH (UID 1 BODY[] {99999999999999999999}\r\n";
        assert_eq!(run(huge, 9).len(), 1);
        let other = b"* 1 FETCH (UID 1 X {99999999}\r\n";
        assert_eq!(run(other, 9), ["the server's answer was not understood: a response is too long"]);
        let list = b"* LIST () \"/\" {99999999}\r\n";
        assert_eq!(run(list, 9), ["the server's answer was not understood: a response is too long"]);
    }

    #[test]
    fn a_body_that_ends_wrong_is_aborted() {
        let got = run(b"* 1 FETCH (UID 1 BODY[] {3}\r\nabcdef)\r\n", 4);
        assert_eq!(got[..2], ["begin Some(1) 3", "abort"]);
    }

    proptest! {
        #[test]
        fn nothing_panics_and_pieces_do_not_matter(
            parts in proptest::collection::vec(prop_oneof![
                any::<Vec<u8>>(),
                prop::sample::select(vec![&b"\r\n"[..], b"* 1 FETCH (", b"UID 3 ", b"BODY[] ", b"{2}\r\n", b"* LIST () NIL ", b")", b"\"", b"a1 OK ", b"* OK [COPYUID ", b"abc"])
                    .prop_map(<[u8]>::to_vec),
            ], 0..30),
        ) {
            let wire = parts.concat();
            prop_assert_eq!(run(&wire, 1), run(&wire, 1 << 20));
        }
    }
}
