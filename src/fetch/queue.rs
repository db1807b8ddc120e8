//! Mailboxes of a run that wait for their turn. One that its server asks to leave alone for a while lets the others go first
//! and goes on where it was.
//!
//! Invariant: there are never fewer threads than mailboxes that are worked, so one that is put off finds its thread again.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::FetchError;
use crate::limits::MAILBOX_REFUSED;
use crate::source::graph::Trouble;
use crate::source::pace::Pace;
use crate::source::{MailSource, Mailbox, SourceError};

/// Mailboxes that are worked one after the other, over one source.
pub struct Task<'a> {
    pub mailboxes: VecDeque<Mailbox>,
    pub source: Box<dyn MailSource + 'a>,
    /// Of the first of them.
    pub tried: Tried,
    not_before: Option<Instant>,
}

/// What earlier tries of a mailbox in this run came to.
#[derive(Default)]
pub struct Tried {
    /// Folders, by their ids, that were brought to their end or told as trouble.
    pub folders: HashSet<String>,
    /// What was told once is not told again.
    pub told_missing: bool,
    pub told_read_only: bool,
    /// Since the last one that moved something: how many there were, and when the first was.
    in_vain: u32,
    since: Option<Instant>,
}

impl<'a> Task<'a> {
    pub fn new(mailboxes: Vec<Mailbox>, source: Box<dyn MailSource + 'a>) -> Self {
        Self { mailboxes: mailboxes.into(), source, tried: Tried::default(), not_before: None }
    }
}

/// Each mailbox with a source of its own, where the place has lanes for that.
pub fn tasks<'a>(mut mailboxes: Vec<Mailbox>, source: Box<dyn MailSource + 'a>) -> Vec<Task<'a>> {
    let mut tasks = Vec::new();
    while mailboxes.len() > 1 {
        let Some(lane) = source.another_lane() else { break };
        let Some(mailbox) = mailboxes.pop() else { break };
        tasks.push(Task::new(vec![mailbox], lane));
    }
    tasks.push(Task::new(mailboxes, source));
    // In the order of the definition.
    tasks.reverse();
    tasks
}

impl Tried {
    /// A try ended with `error`, `moved` or in vain: how long to leave the mailbox alone before the next one. `None` where
    /// that would not help, or has not helped for too long.
    pub fn pause(&mut self, error: &FetchError, moved: bool, pace: &Pace) -> Option<Duration> {
        let FetchError::Source(error) = error else { return None };
        if moved {
            (self.in_vain, self.since) = (0, None);
        }
        let pause = match error {
            SourceError::Busy { crowded: true, .. } if self.in_vain < MAILBOX_REFUSED => pace.pause(self.in_vain),
            SourceError::Graph(Trouble::Throttled { seconds, .. }) => Duration::from_secs(*seconds),
            _ => return None,
        };
        self.in_vain += 1;
        let since = *self.since.get_or_insert_with(Instant::now);
        (since.elapsed().saturating_add(pause) <= pace.patience).then_some(pause)
    }
}

/// What a thread finds in the queue.
pub enum Next<'a> {
    Task(Task<'a>),
    /// All that are left are put off.
    Later,
    Nothing,
}

/// The tasks of one run that nobody works just now.
pub struct Queue<'a>(Mutex<VecDeque<Task<'a>>>);

impl<'a> Queue<'a> {
    pub fn new(tasks: Vec<Task<'a>>) -> Self {
        Self(Mutex::new(tasks.into()))
    }

    fn tasks(&self) -> MutexGuard<'_, VecDeque<Task<'a>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first one that may be worked now.
    pub fn next(&self) -> Next<'a> {
        let mut tasks = self.tasks();
        let now = Instant::now();
        let may = tasks.iter().position(|task| task.not_before.is_none_or(|at| at <= now));
        match may.and_then(|at| tasks.remove(at)) {
            Some(task) => Next::Task(task),
            None if tasks.is_empty() => Next::Nothing,
            None => Next::Later,
        }
    }

    /// To be worked again, after those that wait already, and not before `pause` has passed.
    pub fn put_off(&self, mut task: Task<'a>, pause: Duration) {
        task.not_before = Instant::now().checked_add(pause);
        self.tasks().push_back(task);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn throttled(seconds: u64) -> FetchError {
        SourceError::Graph(Trouble::Throttled { said: "slowly".into(), seconds }).into()
    }

    #[test]
    fn a_mailbox_is_left_alone_as_long_as_its_server_asks() {
        let (mut tried, pace) = (Tried::default(), Pace::default());
        let named = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(tried.pause(&throttled(600), false, &pace), named(600));
        assert_eq!(tried.pause(&throttled(3600), false, &pace), None, "longer than a run waits");
        assert_eq!(tried.pause(&SourceError::Cancelled.into(), false, &pace), None);
    }

    #[test]
    fn a_server_that_stays_crowded_is_left_for_this_run() {
        let (mut tried, pace) = (Tried::default(), Pace::default());
        let crowded = || SourceError::Busy { said: "BYE".into(), crowded: true }.into();
        for _ in 0..MAILBOX_REFUSED {
            assert!(tried.pause(&crowded(), false, &pace).is_some());
        }
        assert_eq!(tried.pause(&crowded(), false, &pace), None);
        assert!(tried.pause(&crowded(), true, &pace).is_some(), "what moves is not in vain");
    }

    #[test]
    fn patience_ends_where_nothing_moves() {
        let (mut tried, pace) = (Tried::default(), Pace { patience: Duration::from_millis(1200), ..Pace::default() });
        assert!(tried.pause(&throttled(0), false, &pace).is_some());
        tried.since = Instant::now().checked_sub(Duration::from_millis(500));
        assert_eq!(tried.pause(&throttled(1), false, &pace), None);
        assert!(tried.pause(&throttled(1), true, &pace).is_some());
    }
}
