//! What the roles of `supervise` share: the state of the box, the log, and what people at the console ask for.

use std::collections::VecDeque;
use std::fs::File;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::port;
use super::state::{BoxSettings, BoxState, Power};
use crate::clock;
use crate::limits::{BOX_LOG_LINE, BOX_LOG_LINES};

/// What somebody at the console may ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// A new password for an administrator, shown at the console.
    ResetPassword,
    Settings(BoxSettings),
    Power(Power),
    /// Everything that was archived and set is deleted. Nothing is formatted.
    FactoryReset,
    /// Installs to a disk of [`BoxState::install_targets`].
    Install {
        disk: String,
    },
}

/// A line for the person who asked.
pub type Answer = Result<String, String>;

/// An [`Action`] and where its answer goes.
pub struct Asked {
    pub action: Action,
    pub answer: Sender<Answer>,
}

pub struct Shared {
    state: Mutex<BoxState>,
    log: Mutex<Log>,
    actions: Sender<Asked>,
}

#[derive(Default)]
struct Log {
    lines: VecDeque<String>,
    /// Where each line goes as well.
    port: Option<File>,
}

impl Shared {
    /// The second value is what [`Shared::ask`] puts into, for the one thread that carries actions out.
    pub fn new(state: BoxState) -> (Self, Receiver<Asked>) {
        let (actions, asked) = mpsc::channel();
        (Self { state: Mutex::new(state), log: Mutex::default(), actions }, asked)
    }

    pub fn state(&self) -> BoxState {
        self.locked().clone()
    }

    /// Changes the state; whoever shows it sees the change within a second.
    pub fn change(&self, change: impl FnOnce(&mut BoxState)) {
        change(&mut self.locked());
    }

    /// Has an action carried out and waits for its answer, at most `patience`.
    pub fn ask(&self, action: Action, patience: Duration) -> Answer {
        let (answer, answered) = mpsc::channel();
        let gone = |_| "The box is about to end. / Die Box wird gerade beendet.".to_string();
        self.actions.send(Asked { action, answer }).map_err(|_| gone(mpsc::RecvTimeoutError::Disconnected))?;
        answered.recv_timeout(patience).map_err(|error| match error {
            mpsc::RecvTimeoutError::Timeout => {
                "No answer yet; look again later. / Noch keine Antwort; später nachsehen.".into()
            }
            mpsc::RecvTimeoutError::Disconnected => gone(error),
        })?
    }

    /// A line of `supervise` itself.
    pub fn log(&self, line: &str) {
        self.relay(&format!("{} {line}", clock::rfc3339(clock::now())));
    }

    /// Keeps a line in memory: the last ones, each cut to a bound. Nothing is written to the disk.
    pub fn relay(&self, line: &str) {
        let line: String = line.chars().filter(|c| !c.is_control()).take(BOX_LOG_LINE).collect();
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = &mut log.port {
            port::write(file, &line);
        }
        if log.lines.len() >= BOX_LOG_LINES {
            log.lines.pop_front();
        }
        log.lines.push_back(line);
    }

    /// From now on each line goes there as well.
    pub fn log_to(&self, port: File) {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).port = Some(port);
    }

    /// The last lines, oldest first.
    pub fn logged(&self) -> Vec<String> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).lines.iter().cloned().collect()
    }

    fn locked(&self) -> MutexGuard<'_, BoxState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
