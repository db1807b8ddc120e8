//! Who hands files over, and keeps the child that reads them.

use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use super::kind::Kind;
use super::text::Text;
use super::{About, Extracted, Unread, file, frame};
use crate::limits::{EXTRACT_FILE, EXTRACT_FILES, EXTRACT_HEAD, EXTRACT_TEXT, EXTRACT_TIME, MAIL_TEXT};
use crate::pulse::Pulse;

/// How long the death of a child that went silent is waited for, and how often it is looked at.
const GRACE: Duration = Duration::from_secs(2);
const LOOK: Duration = Duration::from_millis(2);
/// The longest time without a look at the pulse.
const SLICE: Duration = Duration::from_millis(250);

/// Takes files one after the other. Its child is started when a file needs it, and ends with it, after some time without work
/// ([`crate::limits::EXTRACT_IDLE`]) and after [`EXTRACT_FILES`] files.
#[derive(Debug)]
pub struct Extractor {
    program: PathBuf,
    worker: Option<Worker>,
    bound: Bound,
}

/// What holds for several files together.
#[derive(Clone, Debug, Default)]
struct Bound {
    /// Beats while a child is waited for, and says when to stop.
    pulse: Option<Pulse>,
    /// No file takes longer than until then.
    until: Option<Instant>,
}

impl Bound {
    /// How long a file may take that made us wait so long; none where it is over.
    fn left(&self, waited: Duration) -> Option<Duration> {
        let left = EXTRACT_TIME.saturating_sub(waited);
        let all = self.until.map_or(left, |until| until.saturating_duration_since(Instant::now()).min(left));
        let goes_on = self.pulse.as_ref().is_none_or(|pulse| pulse.go_on().is_ok());
        Some(all).filter(|left| goes_on && !left.is_zero())
    }
}

impl Default for Extractor {
    fn default() -> Self {
        Self::new()
    }
}

impl Extractor {
    /// By this program, also after its file was replaced.
    pub fn new() -> Self {
        Self::of("/proc/self/exe")
    }

    /// By another file of this program: tests are programs of their own.
    pub fn of(program: impl Into<PathBuf>) -> Self {
        Self { program: program.into(), worker: None, bound: Bound::default() }
    }

    /// From now on `pulse` beats while a child is waited for, and all files that follow take at most so long together: what comes
    /// after that, or after it was cancelled, is [`Unread::TooSlow`].
    pub fn bound(&mut self, pulse: &Pulse, at_most: Duration) {
        self.bound = Bound { pulse: Some(pulse.clone()), until: Some(Instant::now() + at_most) };
    }

    /// Begins a file. Its bytes are written to the [`Job`], in pieces of any size.
    pub fn begin(&mut self, about: &About<'_>) -> Job<'_> {
        let task = self.task(about);
        Job { extractor: self, task }
    }

    /// Reads a file; fails only where `input` does.
    pub fn read(&mut self, about: &About<'_>, input: &mut dyn Read) -> io::Result<Extracted> {
        let mut job = self.begin(about);
        io::copy(input, &mut job)?;
        Ok(job.finish())
    }

    /// Ends the child; the next file that needs one starts another.
    pub fn rest(&mut self) {
        self.worker = None;
    }

    /// The id of the child, as long as there is one.
    pub fn child(&self) -> Option<u32> {
        self.worker.as_ref().map(|worker| worker.child.id())
    }

    pub(super) fn task(&mut self, about: &About<'_>) -> Task {
        Task {
            program: self.program.clone(),
            worker: self.worker.take(),
            bound: self.bound.clone(),
            media_type: about.media_type.to_ascii_lowercase(),
            charset: about.charset.into(),
            name: about.name.into(),
            state: State::Head(Vec::new()),
        }
    }

    /// Takes back what a task has left over.
    pub(super) fn done(&mut self, (extracted, worker): (Extracted, Option<Worker>)) -> Extracted {
        self.worker = worker;
        extracted
    }
}

/// One file on its way. Memory is constant: at most [`MAIL_TEXT`] bytes of a text, [`EXTRACT_HEAD`] of all else. Writing never
/// fails: whatever becomes of the file is told by [`Job::finish`]. A job that is dropped before costs its child.
#[derive(Debug)]
pub struct Job<'a> {
    extractor: &'a mut Extractor,
    task: Task,
}

impl Job<'_> {
    /// The file is over: gives what was found in it.
    pub fn finish(self) -> Extracted {
        self.extractor.done(self.task.finish())
    }
}

impl Write for Job<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.task.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The same, with the child in its own hands.
#[derive(Debug)]
pub(super) struct Task {
    program: PathBuf,
    /// Not at work.
    worker: Option<Worker>,
    bound: Bound,
    media_type: String,
    charset: String,
    name: String,
    state: State,
}

#[derive(Debug)]
enum State {
    /// What it is is not known yet.
    Head(Vec<u8>),
    /// It is read here.
    Here { kind: Kind, bytes: Vec<u8>, is_longer: bool },
    /// A child has it.
    There { worker: Worker, sent: u64, is_longer: bool },
    /// It is over before its end.
    Over(Unread),
}

impl Task {
    fn about(&self) -> About<'_> {
        About { media_type: &self.media_type, charset: &self.charset, name: &self.name }
    }

    /// Looks at the beginning, and decides who reads it.
    fn decide(&mut self, head: Vec<u8>) {
        let kind = Kind::of(&head, &self.about());
        self.state = match kind {
            Kind::Text | Kind::Html => State::Here { kind, bytes: head, is_longer: false },
            Kind::Encrypted => State::Over(Unread::Encrypted),
            Kind::None => State::Over(Unread::Kind),
            _ => {
                debug_assert!(kind.is_container());
                self.hand_over(&head)
            }
        };
    }

    fn hand_over(&mut self, head: &[u8]) -> State {
        if self.bound.left(Duration::ZERO).is_none() {
            return State::Over(Unread::TooSlow);
        }
        let old = self.worker.take().filter(|worker| worker.files < EXTRACT_FILES);
        // One that ended meanwhile is no fault of this file's.
        let worker = old.and_then(|worker| worker.begin(&self.about(), &self.bound).ok());
        let worker = worker.map_or_else(|| Worker::start(&self.program)?.begin(&self.about(), &self.bound), Ok);
        match worker {
            Ok(worker) => Self::send(worker, 0, head),
            Err(error) => {
                tracing::warn!(%error, "an attachment could not be read, for want of a process");
                State::Over(Unread::NotTried)
            }
        }
    }

    fn send(mut worker: Worker, sent: u64, bytes: &[u8]) -> State {
        let room = usize::try_from(EXTRACT_FILE - sent).unwrap_or(usize::MAX).min(bytes.len());
        match frame::send(&mut worker, &bytes[..room]) {
            Ok(()) => State::There { worker, sent: sent + room as u64, is_longer: room < bytes.len() },
            Err(error) => State::Over(worker.end(&error)),
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        match &mut self.state {
            State::Head(head) => {
                let room = (EXTRACT_HEAD - head.len()).min(bytes.len());
                head.extend_from_slice(&bytes[..room]);
                if head.len() == EXTRACT_HEAD {
                    let head = std::mem::take(head);
                    self.decide(head);
                    self.take(&bytes[room..]);
                }
            }
            State::Here { bytes: taken, is_longer, .. } => {
                let room = (MAIL_TEXT - taken.len()).min(bytes.len());
                taken.extend_from_slice(&bytes[..room]);
                *is_longer |= room < bytes.len();
            }
            State::There { is_longer: false, .. } if !bytes.is_empty() => {
                let state = std::mem::replace(&mut self.state, State::Over(Unread::NotTried));
                if let State::There { worker, sent, .. } = state {
                    self.state = Self::send(worker, sent, bytes);
                }
            }
            State::There { .. } | State::Over(_) => {}
        }
    }

    /// What was found, and the child if it goes on.
    pub fn finish(mut self) -> (Extracted, Option<Worker>) {
        if let State::Head(head) = &mut self.state {
            let head = std::mem::take(head);
            self.decide(head);
        }
        match std::mem::replace(&mut self.state, State::Over(Unread::NotTried)) {
            State::Here { kind, bytes, is_longer } => {
                let mut text = Text::held(EXTRACT_TEXT);
                file::plain(kind, &bytes, &self.about(), is_longer, &mut text);
                let (text, cut) = text.finish();
                (Extracted { text, cut, unread: None }, self.worker)
            }
            State::There { worker, is_longer, .. } => worker.answer(is_longer),
            State::Over(unread) => (Extracted { unread: Some(unread), ..Extracted::default() }, self.worker),
            State::Head(_) => (Extracted::default(), self.worker),
        }
    }
}

impl Write for Task {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.take(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A child and the socket to it, which is its standard input and output. Dropped, it is killed.
#[derive(Debug)]
pub(super) struct Worker {
    child: Child,
    socket: UnixStream,
    files: u32,
    /// Time that this file made us wait so far.
    waited: Duration,
    bound: Bound,
}

impl Worker {
    fn start(program: &PathBuf) -> io::Result<Self> {
        let (socket, theirs) = UnixStream::pair()?;
        let child = Command::new(program)
            .arg0("archivista")
            .arg("extract")
            .env_clear()
            .current_dir("/")
            .stdin(OwnedFd::from(theirs.try_clone()?))
            .stdout(OwnedFd::from(theirs))
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self { child, socket, files: 0, waited: Duration::ZERO, bound: Bound::default() })
    }

    /// Begins a file: the child says that it is bound before it gets a byte of it.
    fn begin(mut self, about: &About<'_>, bound: &Bound) -> io::Result<Self> {
        self.files += 1;
        (self.waited, self.bound) = (Duration::ZERO, bound.clone());
        let mut said = Vec::new();
        for word in [about.media_type, about.charset, about.name] {
            frame::send_word(&mut said, word)?;
        }
        self.write_all(&said)?;
        let mut ready = [0];
        self.read_exact(&mut ready)?;
        if ready[0] == frame::READY { Ok(self) } else { Err(io::Error::other("the child is not ready")) }
    }

    /// Ends the file, and waits for what was found in it.
    fn answer(mut self, is_longer: bool) -> (Extracted, Option<Self>) {
        let mut found = Vec::new();
        let outcome = frame::end(&mut self, &[is_longer.into()]).and_then(|()| self.listen(&mut found));
        // It has read what strangers wrote, so that its word is worth no more than theirs.
        let mut text = Text::held(EXTRACT_TEXT);
        text.push(&String::from_utf8_lossy(&found));
        let (text, is_more) = text.finish();
        match outcome {
            Ok((unread, cut)) => (Extracted { text, cut: cut || is_more, unread }, Some(self)),
            Err(error) => (Extracted { text, cut: true, unread: Some(self.end(&error)) }, None),
        }
    }

    fn listen(&mut self, found: &mut Vec<u8>) -> io::Result<(Option<Unread>, bool)> {
        let invalid = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what);
        loop {
            let length = frame::length(self)?;
            if length == 0 {
                break;
            }
            let begin = found.len();
            if begin + length > EXTRACT_TEXT {
                return Err(invalid("the child talks without end"));
            }
            found.resize(begin + length, 0);
            self.read_exact(&mut found[begin..])?;
        }
        let mut said = [0; 2];
        self.read_exact(&mut said)?;
        let unread = match said[0] {
            0 => None,
            code => Some(Unread::from_code(code).ok_or_else(|| invalid("a reason that is none"))?),
        };
        Ok((unread, said[1] != 0))
    }

    /// Why it does not go on, after this error; it ends.
    fn end(mut self, error: &io::Error) -> Unread {
        match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => return Unread::TooSlow,
            io::ErrorKind::InvalidData => return Unread::Crashed,
            _ => {}
        }
        let since = Instant::now();
        while since.elapsed() < GRACE {
            match self.child.try_wait() {
                Ok(None) => std::thread::sleep(LOOK),
                Ok(Some(status)) => {
                    return match status.signal().and_then(|signal| Signal::try_from(signal).ok()) {
                        Some(Signal::SIGXCPU) => Unread::TooSlow,
                        // How an allocation ends that fails, and what the kernel does to whoever has most.
                        Some(Signal::SIGABRT | Signal::SIGKILL) => Unread::TooLarge,
                        _ => Unread::Crashed,
                    };
                }
                Err(_) => break,
            }
        }
        Unread::Crashed
    }

    /// Does something with the socket that may wait, for as long as this file has left.
    fn wait<T>(&mut self, mut work: impl FnMut(&mut UnixStream) -> io::Result<T>) -> io::Result<T> {
        loop {
            let left = self.bound.left(self.waited).ok_or(io::ErrorKind::TimedOut)?;
            self.socket.set_read_timeout(Some(left.min(SLICE)))?;
            self.socket.set_write_timeout(Some(left.min(SLICE)))?;
            let since = Instant::now();
            let done = work(&mut self.socket);
            self.waited += since.elapsed();
            match done {
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {}
                done => return done,
            }
        }
    }
}

impl Read for Worker {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.wait(|socket| socket.read(out))
    }
}

impl Write for Worker {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.wait(|socket| socket.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It has nothing that is worth waiting for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_needs_no_child_and_pieces_do_not_matter() {
        let mut extractor = Extractor::of("/nonexistent");
        let about = About { media_type: "text/plain", charset: "iso-8859-1", name: "a.txt" };
        let bytes = b"Gr\xfcsse ".repeat(1000);
        for size in [1, 7, 4096, 10_000] {
            let mut job = extractor.begin(&about);
            bytes.chunks(size).for_each(|piece| job.write_all(piece).unwrap());
            let found = job.finish();
            assert_eq!((found.text, found.cut, found.unread), ("Grüsse ".repeat(1000), false, None));
        }
        let found = extractor.read(&about, &mut io::repeat(b'x').take(100 << 20)).unwrap();
        assert_eq!((found.text.len(), found.cut), (EXTRACT_TEXT, true));
        let found = extractor.read(&About::default(), &mut &b""[..]).unwrap();
        assert_eq!(found, Extracted::default());
    }

    #[test]
    fn what_cannot_be_tried_is_told() {
        let about = About { media_type: "application/pdf", charset: "", name: "" };
        let found = |program: &str| Extractor::of(program).read(&about, &mut &b"%PDF-1.7"[..]).unwrap().unread;
        assert_eq!(found("/nonexistent"), Some(Unread::NotTried));
        // Programs that end at once, and that say something else.
        assert_eq!(found("/bin/false"), Some(Unread::NotTried));
        assert_eq!(found("/bin/echo"), Some(Unread::NotTried));
    }

    #[test]
    fn pictures_and_sealed_files_are_not_handed_over() {
        let mut extractor = Extractor::of("/nonexistent");
        let mut found = |bytes: &[u8], name| {
            let about = About { media_type: "application/octet-stream", charset: "", name };
            extractor.read(&about, &mut &*bytes).unwrap().unread
        };
        assert_eq!(found(b"\x89PNG\r\n\x1a\n\0\0", "a.png"), Some(Unread::Kind));
        assert_eq!(found(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0", "a.docx"), Some(Unread::Encrypted));
    }
}
