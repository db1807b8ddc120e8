//! The mailboxes of one run, worked by a few threads side by side.
//!
//! Invariants: each mailbox has a pulse of its own, watched by the thread of the run: one that is silent for too long is
//! asked to end, and is trouble of this run alone. Only while all of them are well, or end when asked to, does the pulse of
//! the run beat. A failure of our own ends all of them; what one is booked for stays booked.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::FetchError;
use super::budget::Budget;
use super::mailbox::MailboxJob;
use super::progress::{At, Progress, Watch};
use super::queue::{Next, Queue, Task, Tried};
use crate::archive::Archive;
use crate::archive::commit::Run;
use crate::ingest::Spool;
use crate::limits::{MAILBOX_GRACE, MAILBOX_SILENCE, MAILBOXES_PER_RUN, ROLE_STACK};
use crate::pulse::Pulse;
use crate::settings::Definition;
use crate::source::graph::Trouble;
use crate::source::pace::Pace;
use crate::source::{MailSource, Mailbox, SourceError};

/// How often the threads are looked after.
const LOOK: Duration = Duration::from_millis(50);

/// What is waited for, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// How long a mailbox may give no sign of life.
    pub silence: Duration,
    /// How long one that was asked to end may take.
    pub grace: Duration,
    /// Of tries of a mailbox whose server asks to be left alone: what is between two of them, and for how long in all where none
    /// moves anything.
    pub pace: Pace,
}

impl Default for Patience {
    fn default() -> Self {
        Self { silence: MAILBOX_SILENCE, grace: MAILBOX_GRACE, pace: Pace::default() }
    }
}

/// What the threads of a run share.
pub struct Crew<'a> {
    pub archive: &'a Archive,
    pub spool: &'a Spool,
    pub definition: &'a Definition,
    pub budget: &'a Budget,
    /// Of the run: each mailbox has a child of it.
    pub pulse: &'a Pulse,
    /// All ids are to be compared with the ledger, whenever that was done last.
    pub reconcile: bool,
    /// Who has no mailbox is no trouble.
    pub all_of_tenant: bool,
    pub patience: Patience,
}

/// What they tell.
struct Told<'w> {
    watch: &'w mut dyn Watch,
    run: &'w mut Run,
    troubles: &'w mut Vec<String>,
    /// Users of the tenant.
    without_mailbox: Vec<String>,
    mailboxes: u64,
    done: u64,
    /// Messages archived so far, as far as they were shown.
    archived: u64,
    /// The part of its mailbox that each thread has done, from 0 to 1.
    parts: Vec<f64>,
}

/// A mailbox that is being worked.
struct Active {
    pulse: Pulse,
    /// When it was asked to end, because it was silent.
    asked: Option<Instant>,
}

/// One thread.
struct Hand<'c, 'a, 'w> {
    number: usize,
    crew: &'c Crew<'a>,
    told: &'c Mutex<Told<'w>>,
    active: &'c Mutex<Option<Active>>,
    /// Nothing further is begun.
    ends: &'c AtomicBool,
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Crew<'_> {
    /// Works all of them. What they brought is added to `run`; what went wrong is told and added to `troubles`.
    pub fn work(&self, tasks: Vec<Task<'_>>, watch: &mut dyn Watch, run: &mut Run, troubles: &mut Vec<String>) {
        let count = tasks.len().min(MAILBOXES_PER_RUN);
        let mailboxes = tasks.iter().map(|task| task.mailboxes.len() as u64).sum();
        let told = Mutex::new(Told {
            watch,
            run,
            troubles,
            without_mailbox: Vec::new(),
            mailboxes,
            done: 0,
            archived: 0,
            parts: vec![0.0; count],
        });
        let queue = Queue::new(tasks);
        let actives: Vec<Mutex<Option<Active>>> = (0..count).map(|_| Mutex::new(None)).collect();
        let ends = AtomicBool::new(false);
        thread::scope(|scope| {
            let mut hands = Vec::new();
            for (number, active) in actives.iter().enumerate() {
                let hand = Hand { number, crew: self, told: &told, active, ends: &ends };
                let queue = &queue;
                let name = format!("mailbox-{}", number + 1);
                let started = thread::Builder::new()
                    .name(name)
                    .stack_size(ROLE_STACK)
                    .spawn_scoped(scope, move || hand.work(queue));
                match started {
                    Ok(hand) => hands.push(hand),
                    Err(error) if hands.is_empty() => {
                        lock(&told).trouble(&self.definition.name, &FetchError::NoThread(error));
                        break;
                    }
                    // Fewer do it as well.
                    Err(_) => break,
                }
            }
            while hands.iter().any(|hand| !hand.is_finished()) {
                if self.look_after(&actives) {
                    self.pulse.beat();
                }
                thread::sleep(LOOK);
            }
        });
        let told = told.into_inner().unwrap_or_else(PoisonError::into_inner);
        if !told.without_mailbox.is_empty() {
            let (count, names) = (told.without_mailbox.len(), told.without_mailbox.join(", "));
            tracing::info!("{}: {count} users have no mailbox in Exchange Online: {names}", self.definition.name);
        }
    }

    /// Asks those to end that are silent; whether all that were asked do so.
    fn look_after(&self, actives: &[Mutex<Option<Active>>]) -> bool {
        let mut is_well = true;
        for active in actives {
            let mut active = lock(active);
            let Some(active) = active.as_mut() else { continue };
            let silence = active.pulse.age();
            if let Some(asked) = active.asked {
                is_well &= asked.elapsed() < self.patience.grace;
            } else if silence > self.patience.silence {
                active.pulse.cancel();
                active.asked = Some(Instant::now());
            }
        }
        is_well
    }
}

impl Hand<'_, '_, '_> {
    fn work(&self, queue: &Queue<'_>) {
        let is_over = || self.ends.load(Ordering::Relaxed) || self.crew.pulse.is_cancelled();
        while !is_over() {
            let mut task = match queue.next() {
                Next::Task(task) => task,
                Next::Later => {
                    thread::sleep(LOOK);
                    continue;
                }
                Next::Nothing => return,
            };
            while let Some(mailbox) = task.mailboxes.pop_front() {
                if is_over() {
                    return;
                }
                let Some(pause) = self.one(task.source.as_mut(), &mailbox, &mut task.tried) else {
                    task.tried = Tried::default();
                    continue;
                };
                tracing::info!("{}: its server wants to be left alone for {} s", mailbox.name, pause.as_secs());
                task.mailboxes.push_front(mailbox);
                queue.put_off(task, pause);
                break;
            }
        }
    }

    /// One mailbox to its end, whatever that is; or, where its server asks for it, how long it is left alone first.
    fn one(&self, source: &mut dyn MailSource, mailbox: &Mailbox, tried: &mut Tried) -> Option<Duration> {
        let pulse = self.crew.pulse.child();
        pulse.adopt();
        *lock(self.active) = Some(Active { pulse: pulse.clone(), asked: None });
        let known = tried.folders.len();
        let (result, moved) = self.once(source, mailbox, &pulse, tried);
        // What is asked of the run from here on is not answered for a mailbox that was asked to end.
        self.crew.pulse.adopt();
        let asked = lock(self.active).take().and_then(|active| active.asked);
        let is_run_over = self.crew.pulse.is_cancelled();
        let mut told = lock(self.told);
        if let Some(part) = told.parts.get_mut(self.number) {
            *part = 0.0;
        }
        if let Err(error) = &result
            && let Some(pause) = tried.pause(error, moved || tried.folders.len() > known, &self.crew.patience.pace)
        {
            return Some(pause);
        }
        told.done += 1;
        match result {
            Ok(()) => {}
            Err(FetchError::Source(SourceError::Cancelled)) if is_run_over => {}
            Err(FetchError::Source(SourceError::Cancelled)) if asked.is_some() => {
                told.trouble(&mailbox.name, &FetchError::Stuck { seconds: self.crew.patience.silence.as_secs() });
            }
            Err(error) if self.crew.all_of_tenant && has_no_mailbox(&error) => {
                told.without_mailbox.push(mailbox.name.clone());
            }
            Err(error) => {
                // What is ours the others meet as well: said once.
                if !error.is_ours() || !self.ends.swap(true, Ordering::Relaxed) {
                    told.trouble(&mailbox.name, &error);
                }
            }
        }
        None
    }

    /// Tries a mailbox once. What that came to, and whether it moved anything.
    fn once(
        &self,
        source: &mut dyn MailSource,
        mailbox: &Mailbox,
        pulse: &Pulse,
        tried: &mut Tried,
    ) -> (Result<(), FetchError>, bool) {
        let crew = self.crew;
        let _place = match crew.budget.mailbox(&crew.definition.name, pulse) {
            Ok(place) => place,
            Err(error) => return (Err(error.into()), false),
        };
        let mut run = Run::default();
        let mut watch = Seen { hand: self, archived: 0 };
        let mut job = MailboxJob {
            archive: crew.archive,
            spool: crew.spool,
            definition: crew.definition,
            budget: crew.budget,
            pulse,
            mailbox,
            reconcile: crew.reconcile,
            at: At::default(),
            tried,
            watch: &mut watch,
            run: &mut run,
        };
        let worked = catch_unwind(AssertUnwindSafe(|| job.run(source)));
        lock(self.told).run.add(&run);
        (worked.unwrap_or(Err(FetchError::Panicked)), run.seen > 0)
    }
}

fn has_no_mailbox(error: &FetchError) -> bool {
    let FetchError::Source(SourceError::Graph(trouble)) = error else { return false };
    matches!(trouble, Trouble::NotInTheCloud { .. } | Trouble::NoSuchMailbox { .. })
}

impl Told<'_> {
    fn trouble(&mut self, place: &str, error: &FetchError) {
        self.watch.trouble(place, error);
        self.troubles.push(format!("{place}: {error}"));
    }

    /// Where the run is: the next mailbox that will be done, and where in its own the one is that moved.
    fn at(&self, at: At) -> At {
        let mailboxes = self.mailboxes.max(1);
        #[expect(clippy::cast_precision_loss, reason = "for people")]
        let done = (self.done as f64 + self.parts.iter().sum::<f64>()) / mailboxes as f64;
        At { mailbox: (self.done + 1).min(mailboxes), mailboxes, done: done.clamp(0.0, 1.0), ..at }
    }
}

/// What one thread shows of its mailbox, in the whole.
struct Seen<'h, 'c, 'a, 'w> {
    hand: &'h Hand<'c, 'a, 'w>,
    /// What it has shown so far.
    archived: u64,
}

impl Watch for Seen<'_, '_, '_, '_> {
    fn progress(&mut self, progress: &Progress) {
        let mut told = lock(self.hand.told);
        let mut progress = progress.clone();
        if let Progress::Folder { done, of, at, archived, .. } = &mut progress {
            told.archived += archived.saturating_sub(self.archived);
            self.archived = *archived;
            *archived = told.archived;
            if let Some(part) = told.parts.get_mut(self.hand.number) {
                *part = at.part(*done, *of);
            }
            *at = told.at(*at);
        }
        told.watch.progress(&progress);
    }

    fn tell(&mut self, line: &str) {
        lock(self.hand.told).watch.tell(line);
    }

    fn trouble(&mut self, place: &str, error: &FetchError) {
        lock(self.hand.told).trouble(place, error);
    }
}
