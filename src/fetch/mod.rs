//! The fetch loop: what is new on a server goes into the archive, and every message there ends in the ledger.
//!
//! Rules of the room: this is the only one that knows both sides. It asks a `source` what there is, hands bytes through
//! `ingest` to the `archive`, and books what became of each message. A cursor moves only after everything that it passes
//! is booked; the server is told nothing before the archive has acknowledged.
//!
//! - `job`: one run, `queue`: its mailboxes, `crew`: who works them side by side, `mailbox`: one of them, `folder`: one folder of
//!   it, `intake`: messages on their way in
//! - `budget`: how much is done at a time, all runs together
//! - `after`: moving and deleting on the server, `progress`: what people see of it, `board`: what all runs
//!   show just now, `schedule`: when,
//!   `variants`: mail that is there already when the module is switched
//! - `tokens`: access tokens of accounts that sign in by a code, and their refresh tokens kept
//! - `wait`: what keeps all runs from beginning
//! - `restore`: mails back into their mailboxes
//! - `check`: every mailbox of a definition tried step by step, `completeness`: what became of every message

pub mod after;
pub mod board;
pub mod budget;
pub mod check;
pub mod completeness;
pub mod crew;
pub mod folder;
pub mod intake;
pub mod job;
pub mod mailbox;
pub mod progress;
pub mod queue;
pub mod restore;
pub mod schedule;
pub mod tokens;
pub mod variants;
pub mod wait;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Zoned;

use crate::appliance::link::Link;
use crate::archive::commit::{Commit, Run};
use crate::archive::{Archive, ArchiveError};
use crate::clock;
use crate::disk::Room;
use crate::language::Lang;
use crate::limits::RUN_SILENCE;
use crate::pulse::Pulse;
use crate::settings::administration::{Administration, Field};
use crate::settings::fetching::Fetching;
use crate::settings::{Definition, SettingsError};
use crate::source::{SourceError, rate};
use board::{Board, Shown};
use budget::Budget;
use progress::{Progress, Watch};
use tokens::Tokens;
use wait::Wait;

/// Why a job ended before its time.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    #[error("the spool: {0}")]
    Spool(#[source] std::io::Error),
    /// Something in the archive is damaged, so its message was left alone on the server.
    #[error("{0}; on the server it was left where it is, run `archivista verify`")]
    NotSafe(#[source] ArchiveError),
    #[error("silent for {seconds} s and asked to end; the next run goes on there")]
    Stuck { seconds: u64 },
    #[error("an error of this program ended it, see the log; the next run goes on there")]
    Panicked,
    #[error("no thread: {0}")]
    NoThread(#[source] std::io::Error),
    /// By a person.
    #[error("cancelled by {0}")]
    CancelledBy(String),
}

impl FetchError {
    /// What to tell a person.
    pub fn sentence(&self, lang: Lang) -> String {
        match (self, lang) {
            (Self::Source(error), _) => error.sentence(lang),
            (Self::Stuck { seconds }, Lang::De) => format!(
                "Das Postfach gab {seconds} Sekunden lang kein Lebenszeichen und wurde beendet. Der nächste Lauf macht dort weiter; bleibt es so, melden Sie es uns."
            ),
            (Self::Stuck { seconds }, Lang::En) => format!(
                "The mailbox gave no sign of life for {seconds} seconds and was ended. The next run goes on there; if it stays like this, tell us."
            ),
            (Self::Panicked, Lang::De) => "Ein Fehler dieses Programms hat das Postfach beendet. Der nächste Lauf macht dort weiter; bleibt es so, senden Sie uns das Protokoll.".into(),
            (Self::Panicked, Lang::En) => "An error of this program ended the mailbox. The next run goes on there; if it stays like this, send us the log.".into(),
            (Self::CancelledBy(who), Lang::De) => format!("Der Lauf wurde von {who} abgebrochen. Was archiviert war, bleibt; der nächste Lauf macht dort weiter."),
            (Self::CancelledBy(who), Lang::En) => format!("The run was cancelled by {who}. What was archived stays; the next run goes on there."),
            (other, Lang::En) => other.to_string(),
            (Self::Archive(error), Lang::De) => format!(
                "Das Archiv hat es nicht angenommen ({error}). Prüfen Sie den Datenträger und seinen freien Platz; die Box versucht es wieder."
            ),
            (Self::Spool(error), Lang::De) => format!(
                "Die Mails konnten nicht bereitgelegt werden ({error}). Prüfen Sie den freien Platz der Box; sie versucht es wieder."
            ),
            (Self::NoThread(error), Lang::De) => format!(
                "Das System gab keinen weiteren Thread ({error}). Prüfen Sie den freien Speicher der Box; sie versucht es wieder."
            ),
            (Self::NotSafe(error), Lang::De) => format!(
                "Im Archiv ist etwas beschädigt ({error}). Die Mail bleibt auf dem Server, wo sie ist; führen Sie `archivista verify` aus."
            ),
        }
    }

    /// Whether going on with the next folder or mailbox is of no use: the archive itself takes nothing.
    fn is_ours(&self) -> bool {
        match self {
            Self::Source(error) => matches!(error, SourceError::Sink(_) | SourceError::Cancelled),
            Self::NotSafe(_) | Self::Stuck { .. } | Self::Panicked => false,
            Self::Archive(_) | Self::Spool(_) | Self::NoThread(_) | Self::CancelledBy(_) => true,
        }
    }
}

/// Runs definitions, several at a time, never the same one twice.
#[derive(Default)]
pub struct Fetcher {
    running: Mutex<HashMap<String, Running>>,
    budget: Budget,
    /// What goes on just now.
    pub board: Board,
    /// Access tokens of accounts that sign in by a code.
    pub tokens: Tokens,
    /// The box around this process, where there is one.
    link: Option<Arc<Link>>,
}

/// A run that is under way.
struct Running {
    pulse: Pulse,
    stopped: Option<Stop>,
}

/// Why a run ends before its time.
#[derive(Clone)]
enum Stop {
    /// Somebody wants it so.
    By(String),
    /// A quiet hour began: nothing is wrong.
    Quiet,
}

impl Running {
    fn stop(&mut self, why: Stop) {
        self.stopped.get_or_insert(why);
        self.pulse.cancel();
    }
}

struct Turn<'a> {
    fetcher: &'a Fetcher,
    name: String,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.fetcher.board.end(&self.name);
        self.fetcher.running().remove(&self.name);
    }
}

impl Turn<'_> {
    fn stopped(&self) -> Option<Stop> {
        self.fetcher.running().get(&self.name).and_then(|running| running.stopped.clone())
    }
}

impl Fetcher {
    /// `link`: the box around this process, where there is one; without it clock and watchdog are no reason to wait.
    pub fn new(link: Option<Arc<Link>>) -> Self {
        Self { link, ..Self::default() }
    }

    /// The box around this process, where there is one.
    pub fn link(&self) -> Option<Arc<Link>> {
        self.link.clone()
    }

    /// Why no run may begin just now.
    pub fn waits(&self, archive: &Archive) -> Option<Wait> {
        let of_box = self.link.as_deref().and_then(Wait::of_box);
        let set = set_now(archive);
        let of_person = || set.as_ref().is_some_and(|(set, _)| set.paused).then_some(Wait::Paused);
        let of_hour = || set.as_ref().and_then(|(set, now)| Wait::of_hour(set, now));
        // A disk that cannot be asked tells more clearly what is wrong with it when it is written to.
        let of_disk = || Room::of(&archive.paths().data).ok().filter(|room| room.is_short_of(0)).map(Wait::Disk);
        of_box.or_else(of_person).or_else(of_disk).or_else(of_hour)
    }

    /// Lets the sources receive as much as is set for now.
    pub fn pace(archive: &Archive) {
        if let Some((set, now)) = set_now(archive) {
            rate::bound(set.rate(&now));
        }
    }

    fn running(&self) -> MutexGuard<'_, HashMap<String, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether all runs give signs of life, also those that a verb began.
    fn is_well(&self) -> bool {
        self.running().values().all(|running| running.pulse.age() < RUN_SILENCE)
    }

    /// Waits until no other run of this definition is under way. `pulse` is that of the run.
    fn turn(&self, name: &str, pulse: &Pulse) -> Result<Turn<'_>, SourceError> {
        loop {
            pulse.go_on().map_err(|_| SourceError::Cancelled)?;
            if let Entry::Vacant(free) = self.running().entry(name.into()) {
                free.insert(Running { pulse: pulse.clone(), stopped: None });
                return Ok(Turn { fetcher: self, name: name.into() });
            }
            std::thread::sleep(std::time::Duration::from_millis(200));
        }
    }

    /// Ends the run of a definition that is under way, and forgets that one was asked for. What is booked stays, and the
    /// record of the run says that `who` did it. Whether there was any.
    pub fn cancel(&self, definition: &str, who: &str) -> bool {
        let was_asked = self.board.forget_asked(definition);
        let mut running = self.running();
        let Some(running) = running.get_mut(definition) else { return was_asked };
        running.stop(Stop::By(who.into()));
        true
    }

    /// Lets nothing be fetched any more, until somebody lets it go on: also after a restart. Runs that are under way end.
    pub fn pause(&self, archive: &Archive, is_paused: bool, who: &str) -> Result<(), SettingsError> {
        let set = Fetching::read(archive)?;
        if set.paused != is_paused {
            Fetching { paused: is_paused, ..set }.write(archive, who)?;
        }
        if is_paused {
            self.running().values_mut().for_each(|running| running.stop(Stop::By(who.into())));
        }
        Ok(())
    }

    /// Ends the runs that are under way, since a quiet hour began. What they are booked for stays.
    fn be_quiet(&self) {
        self.running().values_mut().for_each(|running| running.stop(Stop::Quiet));
    }

    /// Runs one definition to its end: all its mailboxes and folders, whatever happens in one of them. The run is recorded.
    /// `reconcile` compares all ids on the server with the ledger, whenever that was done last.
    pub fn run(
        &self,
        archive: &Archive,
        definition: &Definition,
        reconcile: bool,
        pulse: &Pulse,
        watch: &mut dyn Watch,
    ) -> Run {
        let mut run =
            Run { definition: definition.name.clone(), started: clock::now(), ended: clock::now(), ..Run::default() };
        let mut troubles: Vec<String> = Vec::new();
        let pulse = &pulse.part();
        match self.turn(&definition.name, pulse) {
            Ok(turn) => {
                self.board.begin(&definition.name);
                Self::pace(archive);
                let definition = &without_publishing(archive, definition);
                let (tokens, budget) = (&self.tokens, &self.budget);
                let mut shown = Shown { board: &self.board, definition: &definition.name, watch };
                let job = job::Job { archive, tokens, budget, definition, pulse, reconcile };
                job::run(&job, &mut shown, &mut run, &mut troubles);
                if pulse.is_cancelled() {
                    let error = match turn.stopped() {
                        Some(Stop::Quiet) => None,
                        Some(Stop::By(who)) => Some(FetchError::CancelledBy(who)),
                        None => Some(SourceError::Cancelled.into()),
                    };
                    run.is_cancelled = troubles.is_empty() && matches!(error, Some(FetchError::CancelledBy(_)));
                    if let Some(error) = error {
                        shown.trouble(&definition.name, &error);
                        troubles.push(error.to_string());
                    }
                }
            }
            Err(error) => troubles.push(error.to_string()),
        }
        run.ended = clock::now();
        run.trouble = troubles.join("; ");
        let note = Commit { runs: vec![run.clone()], ..Commit::default() };
        if let Err(error) = archive.commit(note) {
            let what = error.to_string();
            if !run.trouble.contains(&what) {
                watch.tell(&what);
                (run.trouble, run.is_cancelled) = (what, false);
            }
        }
        if run.archived > 0 {
            self.board.note_new(&definition.name, run.ended);
        }
        watch.progress(&Progress::Ended);
        run
    }
}

/// What is set for all definitions, and the time where the archive is. Settings that cannot be read keep nothing from being
/// archived.
fn set_now(archive: &Archive) -> Option<(Fetching, Zoned)> {
    let zone = Administration::read(archive).unwrap_or_default().zone();
    Some((Fetching::read(archive).ok()?, jiff::Timestamp::now().to_zoned(zone)))
}

/// The definition as a run takes it: a mail is published by a person alone, so that no run fills the field for publishing.
fn without_publishing(archive: &Archive, definition: &Definition) -> Definition {
    let mut definition = definition.clone();
    let publishing = Administration::read(archive).ok().and_then(|administration| administration.publishing);
    if let Some(Field::Other(publishing)) = publishing {
        let map = &mut definition.fields;
        for target in [&mut map.from, &mut map.cc, &mut map.to, &mut map.subject] {
            target.take_if(|target| *target == publishing);
        }
    }
    definition
}
