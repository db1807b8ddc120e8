//! `DATA/control.sock`: how a verb reaches the process that has the data folder open.
//!
//! The asking process sends one request (length, JSON) and then reads frames until the exit code. The socket file is
//! mode 0600 in the data folder: who may open the data may ask.
//!
//! Frames: kind 1 byte, length 4 bytes little endian, payload.

use std::fs::Permissions;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::cli::terminal::{Console, Fill, Terminal};
use crate::cli::{Exit, Request, Session};
use crate::fetch::progress::Progress;
use crate::limits::{CHUNK, CONTROL_REQUEST};
use crate::pulse::Pulse;

const LINE: u8 = b'o';
const LOG: u8 = b'l';
const PROGRESS: u8 = b'p';
const FILE: u8 = b'f';
const DATA: u8 = b'd';
/// The file is whole.
const FILE_END: u8 = b'e';
/// The file is not to be kept.
const FILE_ABORT: u8 = b'a';
const EXIT: u8 = b'x';

/// How often a wait for it looks whether to go on.
const SLICE: Duration = Duration::from_millis(200);
/// How long an asking process may take to say what it wants.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// How long it may leave its frames unread.
const READER_TIMEOUT: Duration = Duration::from_mins(10);

fn put(out: &mut impl Write, kind: u8, payload: &[u8]) -> io::Result<()> {
    let len = u32::try_from(payload.len()).map_err(io::Error::other)?;
    out.write_all(&[kind])?;
    out.write_all(&len.to_le_bytes())?;
    out.write_all(payload)
}

/// The payload of a frame; at most `most` bytes.
fn take(input: &mut impl Read, most: usize) -> io::Result<Vec<u8>> {
    let mut len = [0; 4];
    input.read_exact(&mut len)?;
    let len = u32::from_le_bytes(len) as usize;
    if len > most {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a frame of impossible length"));
    }
    let mut payload = vec![0; len];
    input.read_exact(&mut payload)?;
    Ok(payload)
}

/// Lets the process that serves this data folder carry out `request`. `None` where nobody serves it.
pub fn ask(socket: &Path, request: &Request, console: &mut Console) -> anyhow::Result<Option<Exit>> {
    let stream = match UnixStream::connect(socket) {
        Ok(stream) => stream,
        // A socket without a listener is what a killed `serve` leaves behind.
        // A path that is too long for a socket has no listener either.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused | io::ErrorKind::InvalidInput
            ) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(error).with_context(|| format!("{}", socket.display())),
    };
    let json = serde_json::to_vec(request)?;
    let mut out = &stream;
    out.write_all(&u32::try_from(json.len())?.to_le_bytes())?;
    out.write_all(&json)?;
    let mut input = BufReader::new(&stream);
    loop {
        let (kind, payload) = frame(&mut input).context("`serve` ended before its answer")?;
        match kind {
            LINE => console.line(&text(payload)?)?,
            LOG => console.log(&text(payload)?),
            PROGRESS => console.progress(&serde_json::from_slice(&payload)?)?,
            FILE => receive_file(&text(payload)?, &mut input, console)?,
            EXIT => {
                return Ok(Some(match payload.first() {
                    Some(0) => Exit::Fine,
                    _ => Exit::Trouble,
                }));
            }
            _ => bail!("`serve` speaks another release's language: stop it and start this one"),
        }
    }
}

fn frame(input: &mut impl Read) -> io::Result<(u8, Vec<u8>)> {
    let mut kind = [0];
    input.read_exact(&mut kind)?;
    Ok((kind[0], take(input, CONTROL_REQUEST)?))
}

fn text(payload: Vec<u8>) -> anyhow::Result<String> {
    Ok(String::from_utf8(payload)?)
}

/// The serving side broke a file off; what was wrong stands in a log frame.
#[derive(Debug, thiserror::Error)]
#[error("the file was broken off")]
struct BrokenOff;

fn receive_file(name: &str, input: &mut impl Read, console: &mut Console) -> anyhow::Result<()> {
    // Below the folder at most, and nothing hidden.
    if name.split('/').any(|part| part.is_empty() || part.starts_with('.')) {
        bail!("`serve` names a file outside the folder: {name:?}");
    }
    let received = console.file(name, &mut |out| {
        loop {
            match frame(input)? {
                (DATA, bytes) => out.write_all(&bytes)?,
                (FILE_END, _) => return Ok(()),
                _ => return Err(BrokenOff.into()),
            }
        }
    });
    match received {
        Err(error) if error.is::<BrokenOff>() => Ok(()),
        other => other,
    }
}

/// The terminal of an asking process.
struct Remote<'a> {
    out: BufWriter<&'a UnixStream>,
}

impl Terminal for Remote<'_> {
    fn line(&mut self, text: &str) -> io::Result<()> {
        put(&mut self.out, LINE, text.as_bytes())
    }

    fn log(&mut self, text: &str) {
        let _ = put(&mut self.out, LOG, text.as_bytes()).and_then(|()| self.out.flush());
    }

    fn progress(&mut self, progress: &Progress) -> io::Result<()> {
        put(&mut self.out, PROGRESS, &serde_json::to_vec(progress)?)?;
        self.out.flush()
    }

    fn file(&mut self, name: &str, fill: &mut Fill<'_>) -> anyhow::Result<()> {
        put(&mut self.out, FILE, name.as_bytes())?;
        let filled = fill(&mut Chunks(&mut self.out));
        let kind = if filled.is_ok() { FILE_END } else { FILE_ABORT };
        put(&mut self.out, kind, &[])?;
        filled
    }
}

struct Chunks<'a, W: Write>(&'a mut W);

impl<W: Write> Write for Chunks<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = bytes.len().min(CHUNK);
        put(self.0, DATA, &bytes[..count])?;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Makes the socket, in place of one that a killed process left behind. Only the holder of the folder's lock may call it.
pub fn listen(socket: &Path) -> io::Result<UnixListener> {
    match std::fs::remove_file(socket) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(socket)?;
    std::fs::set_permissions(socket, Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Waits for what an asking process wants.
pub fn request(stream: &UnixStream, pulse: &Pulse) -> anyhow::Result<Request> {
    stream.set_read_timeout(Some(SLICE))?;
    let mut input = Asking { stream, pulse, until: Instant::now() + REQUEST_TIMEOUT };
    Ok(serde_json::from_slice(&take(&mut input, CONTROL_REQUEST)?)?)
}

/// Reads a request, which has to be whole in time however slowly it comes.
struct Asking<'a> {
    stream: &'a UnixStream,
    pulse: &'a Pulse,
    until: Instant,
}

impl Read for Asking<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            self.pulse.go_on().map_err(io::Error::other)?;
            if Instant::now() >= self.until {
                return Err(io::ErrorKind::TimedOut.into());
            }
            match (&mut &*self.stream).read(into) {
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {}
                other => return other,
            }
        }
    }
}

/// Carries out what an asking process wants, and answers it.
pub fn answer(stream: &UnixStream, request: &Request, session: &Session<'_>) -> anyhow::Result<()> {
    stream.set_write_timeout(Some(READER_TIMEOUT))?;
    let mut remote = Remote { out: BufWriter::with_capacity(CHUNK, stream) };
    let exit = request.run(session, &mut remote).unwrap_or_else(|error| {
        remote.log(&format!("archivista: {error:#}"));
        Exit::Trouble
    });
    put(&mut remote.out, EXIT, &[exit as u8])?;
    Ok(remote.out.flush()?)
}
