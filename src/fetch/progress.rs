//! What people see of a run.

use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::FetchError;
use crate::language::Lang;

/// Where a run stands: which of how many, each counted from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct At {
    /// The next one that will be done: several are worked at a time, and the one that is shown moved last.
    pub mailbox: u64,
    pub mailboxes: u64,
    /// Of the mailbox that is shown, those that are archived.
    pub folder: u64,
    pub folders: u64,
    /// The part of the whole run that is done, from 0 to 1, each mailbox and each folder as long as the other.
    #[serde(default)]
    pub done: f64,
}

impl At {
    /// The part of its mailbox that is done, where `done` of `of` messages of the folder are.
    #[expect(clippy::cast_precision_loss, reason = "for people")]
    pub fn part(&self, done: u64, of: u64) -> f64 {
        let folders = self.folders.max(1) as f64;
        let within = if of == 0 { 0.0 } else { done as f64 / of as f64 };
        ((self.folder.saturating_sub(1) as f64 + within) / folders).clamp(0.0, 1.0)
    }
}

/// One moment of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Progress {
    Folder {
        definition: String,
        mailbox: String,
        folder: String,
        /// Messages decided on in this folder in this run.
        done: u64,
        /// Messages that are to be decided on, as far as known.
        of: u64,
        /// Bytes received in this folder in this run.
        bytes: u64,
        /// Seconds since the folder was begun.
        seconds: f64,
        at: At,
        /// Messages archived in this run, all folders together.
        archived: u64,
    },
    Ended,
}

/// Sees a run.
pub trait Watch: Send {
    fn progress(&mut self, progress: &Progress);
    /// A sentence for a person: something went wrong, and the run goes on where it can.
    fn tell(&mut self, line: &str);
    /// The same, before a language is chosen: that of the terminal, unless the watcher knows better.
    fn trouble(&mut self, place: &str, error: &FetchError) {
        self.tell(&format!("{place}: {}", error.sentence(Lang::from_env())));
    }
}

/// Nobody watches.
impl Watch for () {
    fn progress(&mut self, _: &Progress) {}
    fn tell(&mut self, _: &str) {}
}

/// Counts within one folder.
pub struct Meter {
    pub definition: String,
    pub mailbox: String,
    pub folder: String,
    pub done: u64,
    pub of: u64,
    pub bytes: u64,
    pub since: Instant,
    pub at: At,
}

impl Meter {
    pub fn show(&self, archived: u64, watch: &mut dyn Watch) {
        watch.progress(&Progress::Folder {
            definition: self.definition.clone(),
            mailbox: self.mailbox.clone(),
            folder: self.folder.clone(),
            done: self.done,
            of: self.of.max(self.done),
            bytes: self.bytes,
            seconds: self.since.elapsed().as_secs_f64(),
            at: self.at,
            archived,
        });
    }
}
