//! `serve`'s end of the channel to `supervise`, on a box; elsewhere there is none.

use std::io;
use std::net::TcpListener;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::channel::{self, Ask, Notice};
use super::state::{BoxState, Clock, Pages};

/// How long a page waits for the log.
const PATIENCE: Duration = Duration::from_secs(2);
const LOOK: Duration = Duration::from_millis(20);

/// The box around `serve`.
pub struct Link {
    stream: UnixStream,
    /// One frame at a time.
    sending: Mutex<()>,
    heard: Mutex<Heard>,
}

#[derive(Default)]
struct Heard {
    state: BoxState,
    log: Option<Vec<String>>,
    refused: Option<String>,
    password_wanted: bool,
    is_gone: bool,
}

impl Link {
    /// Takes the channel from standard input, where `supervise` put it, and the listening sockets that come with it.
    pub fn open() -> io::Result<(Arc<Self>, Vec<TcpListener>)> {
        Self::over(UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?))
    }

    /// The same over a given channel.
    pub fn over(stream: UnixStream) -> io::Result<(Arc<Self>, Vec<TcpListener>)> {
        let (state, sockets) = channel::hear_hello(&stream)?;
        let link = Arc::new(Self {
            stream,
            sending: Mutex::default(),
            heard: Mutex::new(Heard { state, ..Heard::default() }),
        });
        let hearing = link.clone();
        std::thread::Builder::new().name("link".into()).stack_size(256 * 1024).spawn(move || hearing.hear())?;
        Ok((link, sockets))
    }

    pub fn state(&self) -> BoxState {
        self.heard().state.clone()
    }

    /// Whether the clock can be believed.
    pub fn clock_is_sane(&self) -> bool {
        self.heard().state.clock.is_sane()
    }

    /// Whether fetching waits, and for nothing that `serve` itself could do.
    pub fn fetching_is_paused(&self) -> bool {
        let heard = self.heard();
        heard.state.fetching_is_paused || !heard.state.clock.is_sane()
    }

    /// Whether `supervise` ended: then `serve` has to.
    pub fn is_gone(&self) -> bool {
        self.heard().is_gone
    }

    /// Whether somebody at the console waits for a new password; told once.
    pub fn password_is_wanted(&self) -> bool {
        std::mem::take(&mut self.heard().password_wanted)
    }

    /// Why something that was asked for was not done; told once.
    pub fn refusal(&self) -> Option<String> {
        self.heard().refused.take()
    }

    /// Asks for something. What became of it shows in the state; a channel that is gone in [`Link::is_gone`].
    pub fn ask(&self, ask: &Ask) {
        let _one = self.sending.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = channel::tell(&self.stream, ask) {
            tracing::warn!("the box does not listen: {error}");
            self.heard().is_gone = true;
        }
    }

    pub fn beat(&self, pages: &Pages) {
        self.ask(&Ask::Beat(pages.clone()));
    }

    /// The clock is wrong by so many microseconds.
    pub fn set_clock(&self, by: i64, clock: Clock) {
        self.ask(&Ask::SetClock { by, clock });
    }

    /// The last lines of the box's log, oldest first; empty where they do not come in time.
    pub fn log(&self) -> Vec<String> {
        self.heard().log = None;
        self.ask(&Ask::Log);
        let since = Instant::now();
        while since.elapsed() < PATIENCE {
            if let Some(log) = self.heard().log.take() {
                return log;
            }
            std::thread::sleep(LOOK);
        }
        Vec::new()
    }

    fn hear(&self) {
        loop {
            let notice = channel::hear(&self.stream);
            let mut heard = self.heard();
            match notice {
                Ok(Notice::Hello(state) | Notice::State(state)) => heard.state = *state,
                Ok(Notice::Password) => heard.password_wanted = true,
                Ok(Notice::Log(lines)) => heard.log = Some(lines),
                Ok(Notice::Refused(reason)) => {
                    tracing::warn!("{reason}");
                    heard.refused = Some(reason);
                }
                Err(_) => {
                    heard.is_gone = true;
                    return;
                }
            }
        }
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
