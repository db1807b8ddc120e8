//! What is going on just now, for whoever looks: runs under way and when the next ones are due.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::progress::{Progress, Watch};
use crate::clock;

/// Sentences of a run that are kept while it goes on.
const SENTENCES: usize = 20;

/// How a definition stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Standing {
    /// When the run that is under way began, Unix seconds.
    pub running_since: Option<i64>,
    /// Where it is.
    pub progress: Option<Progress>,
    /// What went wrong in it so far.
    pub sentences: Vec<String>,
    /// When the next run is due, Unix seconds; `None` where there is no schedule.
    pub next: Option<i64>,
}

/// The standing of every definition, by name.
#[derive(Debug, Default)]
pub struct Board {
    standings: Mutex<BTreeMap<String, Standing>>,
    asked: Mutex<BTreeSet<String>>,
}

impl Board {
    fn standings(&self) -> MutexGuard<'_, BTreeMap<String, Standing>> {
        self.standings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn standing(&self, definition: &str) -> Standing {
        self.standings().get(definition).cloned().unwrap_or_default()
    }

    /// Asks the schedule to run a definition as soon as it can.
    pub fn ask(&self, definition: &str) {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).insert(definition.into());
    }

    pub(super) fn take_asked(&self, definition: &str) -> bool {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).remove(definition)
    }

    pub(super) fn set_next(&self, definition: &str, next: Option<i64>) {
        self.standings().entry(definition.into()).or_default().next = next;
    }

    pub(super) fn begin(&self, definition: &str) {
        let mut standings = self.standings();
        let standing = standings.entry(definition.into()).or_default();
        *standing = Standing { running_since: Some(clock::now()), next: standing.next, ..Standing::default() };
    }

    pub(super) fn end(&self, definition: &str) {
        let mut standings = self.standings();
        let standing = standings.entry(definition.into()).or_default();
        standing.running_since = None;
        standing.progress = None;
    }
}

/// Shows a run on the board, and to whoever else watches it.
pub(super) struct Shown<'a> {
    pub board: &'a Board,
    pub definition: &'a str,
    pub watch: &'a mut dyn Watch,
}

impl Watch for Shown<'_> {
    fn progress(&mut self, progress: &Progress) {
        if let Some(standing) = self.board.standings().get_mut(self.definition) {
            standing.progress = Some(progress.clone());
        }
        self.watch.progress(progress);
    }

    fn tell(&mut self, line: &str) {
        if let Some(standing) = self.board.standings().get_mut(self.definition)
            && standing.sentences.len() < SENTENCES
        {
            standing.sentences.push(line.into());
        }
        self.watch.tell(line);
    }
}
