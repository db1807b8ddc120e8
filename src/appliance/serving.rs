//! `serve` as a child of `supervise`: another user, no capabilities, the channel as its standard input, its log a pipe.

use std::io::{self, BufRead, BufReader, Read};
use std::net::{Shutdown, TcpListener};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::channel::{self, Ask, Notice};
use super::shared::Shared;
use super::state::BoxState;
use super::storage::ARCHIVISTA;
use crate::limits::BOX_LOG_LINE;

/// A child that does not read its notices is not waited for longer.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a running `serve` brings about.
pub enum Event {
    Asked(Ask),
    /// It ended, or closed its channel.
    Ended,
}

pub struct Serving {
    child: Child,
    stream: UnixStream,
}

impl Serving {
    /// Starts `program` for the archive in `data`, with a folder in memory. What it asks comes as events, what it logs goes to the box's log.
    pub fn start(
        program: &Path,
        data: &Path,
        runtime: &Path,
        state: &BoxState,
        sockets: &[TcpListener],
        events: &SyncSender<Event>,
        shared: &Arc<Shared>,
    ) -> io::Result<Self> {
        let (ours, theirs) = UnixStream::pair()?;
        ours.set_write_timeout(Some(PATIENCE))?;
        let mut command = Command::new(program);
        command
            .args(["serve", "--supervised", "--data"])
            .arg(data)
            .env_clear()
            .env("XDG_RUNTIME_DIR", runtime)
            .current_dir("/")
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        if nix::unistd::geteuid().is_root() {
            // With another user than root, exec leaves no capability, and the standard library drops the groups.
            command.uid(ARCHIVISTA).gid(ARCHIVISTA);
        }
        let mut child = command.spawn()?;
        let log = child.stderr.take();
        let mut serving = Self { child, stream: ours };
        let greeted = serving.greet(log, state, sockets, events, shared);
        if greeted.is_err() {
            // It waits for its greeting, which does not come.
            serving.kill();
        }
        greeted.map(|()| serving)
    }

    /// Listens to a child that was just started, and sends the first frame.
    fn greet(
        &self,
        log: Option<ChildStderr>,
        state: &BoxState,
        sockets: &[TcpListener],
        events: &SyncSender<Event>,
        shared: &Arc<Shared>,
    ) -> io::Result<()> {
        // `supervise` itself is never the one that memory is taken from.
        let _ = std::fs::write(format!("/proc/{}/oom_score_adj", self.child.id()), "200");
        if let Some(log) = log {
            let shared = shared.clone();
            spawn("serve-log", move || relay(log, &shared))?;
        }
        let (hearing, events) = (self.stream.try_clone()?, events.clone());
        spawn("serve-asks", move || {
            while let Ok(ask) = channel::hear::<Ask>(&hearing) {
                if events.send(Event::Asked(ask)).is_err() {
                    return;
                }
            }
            let _ = events.send(Event::Ended);
        })?;
        channel::hello(&self.stream, state, sockets)
    }

    /// Tells it something. A child that does not listen loses its channel, and ends.
    pub fn tell(&self, notice: &Notice) {
        if channel::tell(&self.stream, notice).is_err() {
            // Half a frame may be under way: nothing after it could be understood.
            let _ = self.stream.shutdown(Shutdown::Both);
        }
    }

    /// How it ended, where it did.
    pub fn ended(&mut self) -> Option<String> {
        match self.child.try_wait() {
            Ok(None) => None,
            Ok(Some(status)) => Some(status.to_string()),
            Err(error) => Some(error.to_string()),
        }
    }

    /// Asks it to end.
    pub fn terminate(&self) {
        self.signal(Signal::SIGTERM);
    }

    /// Ends it.
    pub fn kill(&mut self) {
        self.signal(Signal::SIGKILL);
        let _ = self.child.wait();
    }

    fn signal(&self, signal: Signal) {
        if let Ok(pid) = i32::try_from(self.child.id()) {
            let _ = kill(Pid::from_raw(pid), signal);
        }
    }
}

pub fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    std::thread::Builder::new().name(name.into()).stack_size(256 * 1024).spawn(work).map(drop)
}

/// Lines of a pipe into the log; a line without an end is cut.
fn relay(pipe: impl Read, shared: &Shared) {
    let mut pipe = BufReader::new(pipe);
    let mut line = Vec::new();
    while let Ok(1..) = (&mut pipe).take(BOX_LOG_LINE as u64).read_until(b'\n', &mut line) {
        shared.relay(&String::from_utf8_lossy(&line));
        line.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_child_logs_is_cut_into_bounded_lines() {
        let (shared, _asked) = Shared::new(BoxState::default());
        let mut text = b"one\ntwo\x1b[2J\n".to_vec();
        text.extend(vec![b'x'; 2 * BOX_LOG_LINE + 1]);
        relay(&text[..], &shared);
        let lines = shared.logged();
        assert_eq!(lines[..2], ["one", "two[2J"]);
        assert_eq!(lines[2..].iter().map(String::len).collect::<Vec<_>>(), [BOX_LOG_LINE, BOX_LOG_LINE, 1]);
    }
}
