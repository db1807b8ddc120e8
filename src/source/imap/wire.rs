//! The wire: a socket, the [`Reader`] behind it, and the face of both that the crate `imap` sees.
//!
//! Invariant: one read of the crate gets one line at most, so that nothing waits in the crate's buffer when a command has
//! ended, and the next answer can be read here.

use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::connect::Socket;
use super::gate::is_crowded;
use super::lines::{Status, Verdict};
use super::stream::{Deaf, Ear, Heard, Reader, Stop, protocol};
use crate::source::error::words;
use crate::source::{Result, SourceError};

/// Bytes that are read at once.
const BUFFER: usize = 64 * 1024;
/// Bytes that are remembered of a server's first words.
const FIRST_WORDS: usize = 200;

/// A connection to a server.
pub struct Wire {
    socket: Socket,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    reader: Reader,
    pub heard: Heard,
    /// Status of the last tagged line.
    pub status: Option<Status>,
    /// Text of the last continuation request.
    pub challenge: Option<String>,
    /// What ended the connection, until somebody asks.
    failure: Option<SourceError>,
    /// After a failure nothing is read or written any more.
    dead: bool,
    /// How the server's first words began, for those who are no IMAP server.
    first_words: Vec<u8>,
}

impl Wire {
    pub fn new(socket: Socket) -> Self {
        Self {
            socket,
            buffer: vec![0; BUFFER].into_boxed_slice(),
            start: 0,
            end: 0,
            reader: Reader::new(),
            heard: Heard::default(),
            status: None,
            challenge: None,
            failure: None,
            dead: false,
            first_words: Vec::new(),
        }
    }

    /// A wire whose greeting was read before its socket was protected.
    pub fn after_greeting(socket: Socket) -> Self {
        let mut wire = Self::new(socket);
        wire.heard.greeting = Some(Status { verdict: Verdict::Ok, code: String::new(), said: String::new() });
        wire
    }

    /// What protects it, for people.
    pub fn protection(&self) -> Option<&'static str> {
        self.socket.protection()
    }

    /// Reads until a command ends, the server waits for more, or the greeting came. FETCH responses and rows go to `ear`.
    pub fn pump(&mut self, ear: &mut dyn Ear) -> Result<Stop> {
        if self.dead {
            return Err(self.failure());
        }
        self.try_pump(ear).inspect_err(|_| {
            self.dead = true;
            self.reader.abort(ear);
        })
    }

    fn try_pump(&mut self, ear: &mut dyn Ear) -> Result<Stop> {
        loop {
            let bytes = self.buffer.get(self.start..self.end).unwrap_or_default();
            if !bytes.is_empty() {
                let (used, stop) = self.reader.push(bytes, &mut self.heard, ear)?;
                self.start += used;
                match stop {
                    Some(Stop::Tagged(tag, status)) => {
                        self.status = Some(status.clone());
                        return Ok(Stop::Tagged(tag, status));
                    }
                    Some(stop) => return Ok(stop),
                    None => {}
                }
            }
            (self.start, self.end) = (0, 0);
            match self.socket.read(&mut self.buffer) {
                Ok(0) => return Err(self.ended("the server closed it")),
                Ok(read) => self.end = read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.broken(&error)),
            }
            let room = FIRST_WORDS.saturating_sub(self.first_words.len()).min(self.end);
            self.first_words.extend_from_slice(self.buffer.get(..room).unwrap_or_default());
        }
    }

    /// Writes everything and sends it off.
    pub fn send(&mut self, bytes: &[u8]) -> Result<()> {
        if self.dead {
            return Err(self.failure());
        }
        self.socket.write_all(bytes).and_then(|()| self.socket.flush()).map_err(|error| {
            self.dead = true;
            self.broken(&error)
        })
    }

    /// How the server's first words began.
    pub fn first_words(&self) -> String {
        words(&self.first_words)
    }

    pub fn is_dead(&self) -> bool {
        self.dead
    }

    /// Whether the server said nothing that was not read.
    pub fn is_drained(&self) -> bool {
        self.start == self.end && self.reader.is_idle()
    }

    /// Takes the socket out, to put TLS around it.
    pub fn into_socket(self) -> Socket {
        self.socket
    }

    /// What ended the connection.
    pub fn failure(&mut self) -> SourceError {
        self.failure.take().unwrap_or_else(|| self.ended("it ended before"))
    }

    /// The server ended the connection; with a farewell, its words tell why.
    fn ended(&self, detail: &str) -> SourceError {
        match &self.heard.bye {
            Some(bye) => farewell(bye),
            None => SourceError::Lost { detail: detail.to_owned() },
        }
    }

    fn broken(&self, error: &io::Error) -> SourceError {
        match (self.socket.explain(error), &self.heard.bye) {
            (SourceError::Lost { .. } | SourceError::Silent { .. }, Some(bye)) => farewell(bye),
            (error, _) => error,
        }
    }
}

/// What a farewell (BYE, RFC 9051, 7.1.5) means.
pub fn farewell(bye: &Status) -> SourceError {
    if is_busy(bye) {
        busy(bye)
    } else {
        SourceError::Lost { detail: format!("the server said goodbye: {}", bye.said) }
    }
}

/// The refusal of a server that has too much to do.
pub fn busy(status: &Status) -> SourceError {
    SourceError::Busy { said: status.said.clone(), crowded: is_crowded(status) }
}

/// Whether a server says that it has too much to do, now or for this account (RFC 5530, and what providers write).
pub fn is_busy(status: &Status) -> bool {
    const BUSY: [&str; 10] = [
        "too many",
        "throttled",
        "try again",
        "try later",
        "temporar",
        "overload",
        "connection limit",
        "rate limit",
        // Gmail, when an account has had its share of the day.
        "bandwidth",
        // Exchange Online, when it took the login and has no room for what follows.
        "authenticated but not connected",
    ];
    let said = status.said.to_ascii_lowercase();
    ["UNAVAILABLE", "INUSE", "LIMIT", "THROTTLED"].iter().any(|code| status.has_code(code))
        || BUSY.iter().any(|words| said.contains(words))
        || is_crowded(status)
}

/// Whether a refusal to give messages holds up the whole account, whichever messages were asked for. Narrower than
/// [`is_busy`]: one message that a server cannot give must not keep the others from their turn.
pub fn is_held_up(status: &Status) -> bool {
    const HELD_UP: [&str; 5] = ["throttled", "rate limit", "bandwidth", "too many", "authenticated but not connected"];
    let said = status.said.to_ascii_lowercase();
    ["INUSE", "LIMIT", "THROTTLED"].iter().any(|code| status.has_code(code))
        || HELD_UP.iter().any(|words| said.contains(words))
}

/// The wire, shared between the crate `imap` and the code that listens.
#[derive(Clone)]
pub struct Handle(Arc<Mutex<Wire>>);

impl Handle {
    pub fn new(wire: Wire) -> Self {
        Self(Arc::new(Mutex::new(wire)))
    }

    /// The wire itself. The two users of a wire take turns within one thread: nobody ever waits here.
    pub fn wire(&self) -> MutexGuard<'_, Wire> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the crate reads: tagged lines and continuation requests, rewritten so that its grammar cannot stumble over a
/// server's text, which is kept in [`Wire::status`] and [`Wire::challenge`].
impl Read for Handle {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let mut wire = self.wire();
        let line = match wire.pump(&mut Deaf) {
            Ok(Stop::Tagged(tag, status)) => match status.verdict {
                Verdict::Ok => format!("{tag} OK done\r\n"),
                Verdict::No => format!("{tag} NO refused\r\n"),
                Verdict::Bad | Verdict::Bye | Verdict::PreAuth => format!("{tag} BAD refused\r\n"),
            },
            Ok(Stop::Continue(text)) => {
                wire.challenge = Some(text);
                "+ \r\n".to_owned()
            }
            Ok(Stop::Greeting) => "* OK\r\n".to_owned(),
            Err(error) => {
                wire.failure = Some(error);
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
        };
        let Some(room) = to.get_mut(..line.len()) else {
            wire.failure = Some(protocol("no room for a line"));
            return Err(io::ErrorKind::InvalidInput.into());
        };
        room.copy_from_slice(line.as_bytes());
        Ok(line.len())
    }
}

impl Write for Handle {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut wire = self.wire();
        wire.send(bytes).map(|()| bytes.len()).map_err(|error| {
            wire.failure = Some(error);
            io::ErrorKind::ConnectionAborted.into()
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The crate wants to show its stream.
impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Handle")
    }
}
