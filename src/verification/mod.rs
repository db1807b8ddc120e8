//! Verifications of the whole archive while it is open: slowly every 30 days, and at once when somebody wants it. Each leaves a
//! report and a line in the journal; what is broken off leaves nothing.
//!
//! Rules of the room: it changes nothing but the reports. What a verification looks at is `archive::verify`'s, how reports are
//! kept is `settings::verifications`'.
//!
//! - here: what is under way, and verifications at full speed; `scrub`: the slow one

pub mod scrub;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::appliance::link::Link;
use crate::archive::verify::{self, Report};
use crate::archive::{Archive, ArchiveError};
use crate::clock;
use crate::limits::ROLE_STACK;
use crate::pulse::{Cancelled, Pulse};
use crate::settings;
use crate::settings::verifications::{self, By, Verification};

/// What a verification does just now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It reads every byte.
    Reads,
    /// A scrub has read every byte, and holds the catalog against the log.
    Compares,
}

/// A verification that is under way.
#[derive(Clone, Debug)]
pub struct Underway {
    pub id: u64,
    pub by: By,
    pub who: String,
    /// Unix seconds.
    pub began: i64,
    pub stage: Stage,
    /// Bytes of this stage.
    pub looked: u64,
    pub total: u64,
    pulse: Pulse,
}

/// Knows what is under way. One per process.
#[derive(Default)]
pub struct Verifier {
    underway: Mutex<Vec<Underway>>,
    last_id: AtomicU64,
    /// Reports that this process kept.
    kept: AtomicU64,
    keeping: Mutex<()>,
    /// Of those that pages began.
    pulse: Pulse,
    /// The box around this process, where there is one.
    link: Option<Arc<Link>>,
}

/// A place among those that are under way, as long as it lives.
struct Turn<'a> {
    verifier: &'a Verifier,
    id: u64,
    pulse: Pulse,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.verifier.all().retain(|one| one.id != self.id);
    }
}

impl Turn<'_> {
    fn with(&self, change: impl FnOnce(&mut Underway)) {
        if let Some(one) = self.verifier.all().iter_mut().find(|one| one.id == self.id) {
            change(one);
        }
    }

    /// Notes how far it is; an error where it was cancelled.
    fn go_on(&self, looked: u64, total: u64) -> Result<(), ArchiveError> {
        self.with(|one| (one.looked, one.total) = (looked, total));
        Ok(self.pulse.go_on()?)
    }
}

impl Verifier {
    /// `link`: the box around this process, where there is one; without it clock and watchdog keep no scrub.
    pub fn new(link: Option<Arc<Link>>) -> Self {
        Self { link, ..Self::default() }
    }

    fn all(&self) -> MutexGuard<'_, Vec<Underway>> {
        self.underway.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is under way.
    pub fn underway(&self) -> Vec<Underway> {
        self.all().clone()
    }

    /// Ends one that somebody began; a scrub cannot be ended so. Whether there was any.
    pub fn cancel(&self, id: u64) -> bool {
        let all = self.all();
        let found = all.iter().find(|one| one.id == id && one.by != By::Scrub);
        found.inspect(|one| one.pulse.cancel()).is_some()
    }

    /// Ends those that pages began, since the process does.
    pub fn end(&self) {
        self.pulse.cancel();
    }

    fn add(&self, all: &mut Vec<Underway>, by: By, who: &str, pulse: Pulse) -> u64 {
        let id = self.last_id.fetch_add(1, Ordering::Relaxed) + 1;
        let (began, stage) = (clock::now(), Stage::Reads);
        all.push(Underway { id, by, who: who.into(), began, stage, looked: 0, total: 0, pulse });
        id
    }

    fn turn(&self, by: By, who: &str, pulse: Pulse) -> Turn<'_> {
        let id = self.add(&mut self.all(), by, who, pulse.clone());
        Turn { verifier: self, id, pulse }
    }

    /// Verifies at full speed in a thread of its own; `false` where a page began one that is still under way.
    pub fn begin(self: &Arc<Self>, archive: &Arc<Archive>, who: &str) -> std::io::Result<bool> {
        let mut all = self.all();
        if all.iter().any(|one| one.by == By::Person) {
            return Ok(false);
        }
        let pulse = self.pulse.part();
        let id = self.add(&mut all, By::Person, who, pulse.clone());
        drop(all);
        let (verifier, archive, who) = (self.clone(), archive.clone(), who.to_owned());
        let work = move || {
            let turn = Turn { verifier: &verifier, id, pulse };
            turn.pulse.adopt();
            match verifier.work(&turn, &archive, By::Person, &who) {
                Ok(report) => tracing::info!("verified: {} findings", report.findings.count()),
                Err(error) => tracing::warn!("the verification ended: {error}"),
            }
        };
        let spawned = thread::Builder::new().name("verify".into()).stack_size(2 * ROLE_STACK).spawn(work);
        if spawned.is_err() {
            self.all().retain(|one| one.id != id);
        }
        spawned.map(|_| true)
    }

    /// Verifies at full speed, and leaves a report.
    pub fn run(&self, archive: &Archive, by: By, who: &str, pulse: &Pulse) -> Result<Report, ArchiveError> {
        let turn = self.turn(by, who, pulse.part());
        self.work(&turn, archive, by, who)
    }

    fn work(&self, turn: &Turn<'_>, archive: &Archive, by: By, who: &str) -> Result<Report, ArchiveError> {
        let began = clock::now();
        let result = verify::open(archive, false, &mut |looked, total| turn.go_on(looked, total));
        let report = match &result {
            Err(_) if turn.pulse.is_cancelled() => return Err(Cancelled.into()),
            Ok(report) => Verification::of(by, who, began, report, None),
            Err(error) => Verification::of(by, who, began, &Report::default(), Some(&error.to_string())),
        };
        if let Err(error) = self.keep(archive, report) {
            tracing::error!("the report of a verification was not kept: {error}");
        }
        result
    }

    fn keep(&self, archive: &Archive, report: Verification) -> settings::Result<u64> {
        let _turn = self.keeping.lock().unwrap_or_else(PoisonError::into_inner);
        let number = verifications::keep(archive, report)?;
        self.kept.fetch_add(1, Ordering::SeqCst);
        Ok(number)
    }

    /// Whether the box knows the time that a report would bear, and starts again no more often than it should: a disk that
    /// hangs when it is read may be why.
    fn may_scrub(&self) -> bool {
        self.link.as_ref().is_none_or(|link| !link.fetching_is_paused())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_began_is_cancelled_and_begun_once() {
        let dir = tempfile::tempdir().unwrap();
        let archive = Arc::new(Archive::open(&dir.path().join("data"), &Pulse::new()).unwrap());
        let verifier = Arc::new(Verifier::default());
        let scrub = verifier.turn(By::Scrub, "archivista", Pulse::new());
        let person = verifier.turn(By::Person, "anna", Pulse::new());
        assert!(!verifier.begin(&archive, "beat").unwrap());
        person.go_on(1, 2).unwrap();
        assert_eq!(verifier.underway().iter().map(|one| one.looked).collect::<Vec<_>>(), [0, 1]);
        assert!(verifier.cancel(person.id) && !verifier.cancel(scrub.id) && !verifier.cancel(4711));
        assert!(person.go_on(2, 2).is_err() && scrub.go_on(2, 2).is_ok());
        drop(person);
        // Cancelled before it begins: no report.
        verifier.end();
        assert!(verifier.begin(&archive, "beat").unwrap());
        while verifier.underway().len() > 1 {
            thread::yield_now();
        }
        let pulse = Pulse::new();
        assert!(verifier.run(&archive, By::Console, "console", &pulse).unwrap().findings.is_empty());
        assert_eq!(verifications::all(&archive).unwrap().iter().filter(|report| report.by == By::Console).count(), 1);
    }
}
