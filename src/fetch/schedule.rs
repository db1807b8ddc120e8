//! When which definition runs: each active one, its interval after its last run ended, whatever others do. None while there is
//! something to wait for.
//!
//! Each run has a thread of its own, with a pulse that is watched here: while one of them is stuck, the pulse of the schedule
//! does not beat, so that whoever supervises it starts the process again.

use std::collections::{HashMap, HashSet};
use std::thread::{self, Scope, ScopedJoinHandle};
use std::time::{Duration, Instant};

use super::Fetcher;
use super::progress::{Progress, Watch};
use super::wait::Wait;
use crate::archive::Archive;
use crate::clock;
use crate::language::Lang;
use crate::limits::{ROLE_STACK, RUN_SILENCE};
use crate::pulse::Pulse;
use crate::settings::{self, Definition};

/// How often the schedule is looked at.
const TICK: Duration = Duration::from_millis(500);

/// Tells the log what a run says.
struct Log;

impl Watch for Log {
    fn progress(&mut self, _: &Progress) {}

    fn tell(&mut self, line: &str) {
        tracing::warn!("{line}");
    }
}

/// A run that is under way.
struct Underway<'scope> {
    thread: ScopedJoinHandle<'scope, ()>,
    pulse: Pulse,
    interval: u32,
}

/// What is under way, and when what is due.
#[derive(Default)]
struct Schedule<'scope> {
    underway: HashMap<String, Underway<'scope>>,
    /// Times of this process only: after a start everything is due, so that an outage is made up for at once.
    next: HashMap<String, Instant>,
    /// What was said of definitions that cannot be read: twice a second would fill the log.
    told: HashSet<String>,
    waits: Option<&'static str>,
}

/// Runs what is due until it is cancelled.
pub fn run(archive: &Archive, fetcher: &Fetcher, pulse: &Pulse) -> Result<(), super::FetchError> {
    thread::scope(|scope| {
        let mut schedule = Schedule::default();
        let mut result = Ok(());
        while !pulse.is_cancelled() {
            schedule.reap(fetcher);
            schedule.beat(fetcher, pulse);
            result = schedule.begin(scope, archive, fetcher, pulse);
            if result.is_err() {
                // Nothing is left to do for those that run: the archive cannot be read.
                schedule.underway.values().for_each(|run| run.pulse.cancel());
                break;
            }
            thread::sleep(TICK);
        }
        while !schedule.underway.is_empty() {
            schedule.reap(fetcher);
            schedule.beat(fetcher, pulse);
            thread::sleep(TICK / 10);
        }
        result
    })
}

impl<'scope> Schedule<'scope> {
    /// Beats while all runs do.
    fn beat(&self, fetcher: &Fetcher, pulse: &Pulse) {
        if fetcher.is_well() && self.underway.values().all(|run| run.pulse.age() < RUN_SILENCE) {
            pulse.beat();
        }
    }

    /// What has ended is due again after its interval.
    fn reap(&mut self, fetcher: &Fetcher) {
        let ended: Vec<String> =
            self.underway.iter().filter(|(_, run)| run.thread.is_finished()).map(|(name, _)| name.clone()).collect();
        for name in ended {
            let Some(run) = self.underway.remove(&name) else { continue };
            if run.thread.join().is_err() {
                tracing::error!("{name}: the run panicked");
            }
            fetcher.board.settle_asked(&name);
            self.next.insert(name.clone(), Instant::now() + Duration::from_secs(60 * u64::from(run.interval)));
            fetcher.board.set_next(&name, Some(clock::now() + 60 * i64::from(run.interval)));
        }
    }

    /// Begins what is due.
    fn begin<'env>(
        &mut self,
        scope: &'scope Scope<'scope, 'env>,
        archive: &'env Archive,
        fetcher: &'env Fetcher,
        pulse: &Pulse,
    ) -> Result<(), super::FetchError> {
        if self.has_to_wait(archive, fetcher) {
            // What is due or asked for stays so.
            return Ok(());
        }
        let definitions = match settings::definitions(archive) {
            Ok(definitions) => definitions,
            Err(settings::SettingsError::Archive(error)) => return Err(error.into()),
            Err(error) => {
                tracing::error!("{error}");
                Vec::new()
            }
        };
        for definition in definitions {
            let definition = match definition {
                Ok(definition) => definition,
                Err(error) => {
                    if self.told.insert(error.to_string()) {
                        tracing::error!("{error}");
                    }
                    continue;
                }
            };
            let name = definition.name.clone();
            if !definition.is_fetched() {
                fetcher.board.set_next(&name, None);
                fetcher.board.forget_asked(&name);
                continue;
            }
            if self.underway.contains_key(&name) {
                continue;
            }
            let is_due = self.next.get(&name).is_none_or(|at| *at <= Instant::now());
            let asked = fetcher.board.take_asked(&name);
            if asked.is_none() && !is_due {
                continue;
            }
            let (own, interval) = (pulse.child(), definition.interval_minutes);
            let its_pulse = own.clone();
            let work = move || {
                its_pulse.adopt();
                one(archive, fetcher, &definition, asked.unwrap_or(false), &its_pulse);
            };
            match thread::Builder::new().name("run".into()).stack_size(ROLE_STACK).spawn_scoped(scope, work) {
                Ok(thread) => drop(self.underway.insert(name, Underway { thread, pulse: own, interval })),
                // Tried again at the next tick.
                Err(error) => {
                    if let Some(reconcile) = asked {
                        fetcher.board.ask(&name, reconcile);
                    }
                    tracing::error!("{name}: no thread: {error}");
                }
            }
        }
        Ok(())
    }

    fn has_to_wait(&mut self, archive: &Archive, fetcher: &Fetcher) -> bool {
        Fetcher::pace(archive);
        let wait = fetcher.waits(archive);
        if matches!(wait, Some(Wait::Quiet(_))) {
            fetcher.be_quiet();
        }
        let code = wait.map(Wait::code);
        if code != self.waits {
            if let Some(wait) = wait {
                tracing::warn!("{}", wait.sentence(Lang::En));
            } else {
                tracing::info!("fetching goes on");
            }
            if self.waits.is_some() {
                // What was ended, or kept from its turn.
                self.next.clear();
            }
            self.waits = code;
        }
        wait.is_some()
    }
}

fn one(archive: &Archive, fetcher: &Fetcher, definition: &Definition, reconcile: bool, pulse: &Pulse) {
    let run = fetcher.run(archive, definition, reconcile, pulse, &mut Log);
    tracing::info!(
        "{}: {} archived, {} same, {} left out, {} failed, {} unexplained",
        run.definition,
        run.archived,
        run.same,
        run.left_out,
        run.failed,
        run.unexplained
    );
}
