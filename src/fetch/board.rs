//! What is going on just now, for whoever looks: runs under way and when the next ones are due.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::FetchError;
use super::progress::{Progress, Watch};
use crate::clock;
use crate::language::Lang;

/// Sentences of a run that are kept while it goes on.
const SENTENCES: usize = 20;

/// What a run told, in both languages.
#[derive(Clone, Debug, PartialEq)]
pub struct Sentence {
    pub de: String,
    pub en: String,
}

impl Sentence {
    pub fn of(&self, lang: Lang) -> &str {
        match lang {
            Lang::De => &self.de,
            Lang::En => &self.en,
        }
    }
}

/// How a definition stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Standing {
    /// When the run that is under way began, Unix seconds.
    pub running_since: Option<i64>,
    /// Where it is.
    pub progress: Option<Progress>,
    /// What went wrong in it so far; of the last run that this process made, where none is under way.
    pub sentences: Vec<Sentence>,
    /// Somebody asked for a run that has not begun yet.
    pub is_asked: bool,
    /// When the next run is due, Unix seconds; `None` where there is no schedule.
    pub next: Option<i64>,
    /// When a run last brought a new mail, Unix seconds; where none did, when the first one began. `None`: nobody looked yet.
    pub last_new: Option<i64>,
}

/// The standing of every definition, by name.
#[derive(Debug, Default)]
pub struct Board {
    standings: Mutex<BTreeMap<String, Standing>>,
    /// Definitions that are to run as soon as they can.
    asked: Mutex<BTreeMap<String, Asked>>,
}

/// A run that somebody asked for.
#[derive(Clone, Copy, Debug, Default)]
struct Asked {
    /// Everything is to be compared.
    reconcile: bool,
    /// It is about to begin: until it has, it is shown as asked for.
    is_taken: bool,
}

impl Board {
    fn standings(&self) -> MutexGuard<'_, BTreeMap<String, Standing>> {
        self.standings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn standing(&self, definition: &str) -> Standing {
        // First what is asked for: what has begun since then is seen to be under way, and never as neither.
        let is_asked = self.asked().contains_key(definition);
        let standing = self.standings().get(definition).cloned().unwrap_or_default();
        Standing { is_asked, ..standing }
    }

    fn asked(&self) -> MutexGuard<'_, BTreeMap<String, Asked>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks the schedule to run a definition as soon as it can; with `reconcile`, to compare all ids on the server with
    /// the ledger as well.
    pub fn ask(&self, definition: &str, reconcile: bool) {
        let mut all = self.asked();
        let asked = all.entry(definition.into()).or_default();
        *asked = Asked { reconcile: reconcile || asked.reconcile && !asked.is_taken, is_taken: false };
    }

    /// Whether a run was asked for that nobody has begun, and if so, whether everything is to be compared. Whoever takes it
    /// begins it.
    pub(super) fn take_asked(&self, definition: &str) -> Option<bool> {
        let mut all = self.asked();
        let asked = all.get_mut(definition).filter(|asked| !asked.is_taken)?;
        asked.is_taken = true;
        Some(asked.reconcile)
    }

    /// Nobody asks for a run any more. Whether somebody had.
    pub(super) fn forget_asked(&self, definition: &str) -> bool {
        self.asked().remove(definition).is_some()
    }

    /// What was taken has begun, or never will.
    pub(super) fn settle_asked(&self, definition: &str) {
        self.asked().retain(|name, asked| name != definition || !asked.is_taken);
    }

    pub(super) fn set_next(&self, definition: &str, next: Option<i64>) {
        self.standings().entry(definition.into()).or_default().next = next;
    }

    /// See [`Standing::last_new`].
    pub fn note_new(&self, definition: &str, at: i64) {
        let mut standings = self.standings();
        let standing = standings.entry(definition.into()).or_default();
        standing.last_new = standing.last_new.max(Some(at));
    }

    pub(super) fn begin(&self, definition: &str) {
        let mut standings = self.standings();
        let standing = standings.entry(definition.into()).or_default();
        let (next, last_new) = (standing.next, standing.last_new);
        *standing = Standing { running_since: Some(clock::now()), next, last_new, ..Standing::default() };
        drop(standings);
        self.settle_asked(definition);
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
        self.note(Sentence { de: line.into(), en: line.into() });
        self.watch.tell(line);
    }

    fn trouble(&mut self, place: &str, error: &FetchError) {
        let sentence = |lang| format!("{place}: {}", error.sentence(lang));
        self.note(Sentence { de: sentence(Lang::De), en: sentence(Lang::En) });
        self.watch.trouble(place, error);
    }
}

impl Shown<'_> {
    fn note(&mut self, sentence: Sentence) {
        if let Some(standing) = self.board.standings().get_mut(self.definition)
            && standing.sentences.len() < SENTENCES
        {
            standing.sentences.push(sentence);
        }
    }
}
