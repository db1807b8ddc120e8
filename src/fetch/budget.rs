//! How much is done at a time by all runs together: the one place that keeps their memory bounded.
//!
//! Invariant: a run without any place waits for a free one only, never for the end of another run's other mailboxes, as
//! long as there are fewer runs than [`MAILBOXES_AT_ONCE`].

use std::collections::HashMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::limits::{LANES_AT_ONCE, MAILBOXES_AT_ONCE};
use crate::pulse::Pulse;
use crate::source::SourceError;

/// Longest wait between two beats.
const SLICE: Duration = Duration::from_millis(200);

/// The places of this process.
#[derive(Debug, Default)]
pub struct Budget {
    inner: Mutex<Inner>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Inner {
    /// Mailboxes that are worked, by the definition that runs.
    mailboxes: HashMap<String, usize>,
    lanes: usize,
}

/// A place for one mailbox.
pub struct Place<'a> {
    budget: &'a Budget,
    run: String,
}

/// Places for further connections of one mailbox.
pub struct Lanes<'a> {
    budget: &'a Budget,
    pub count: usize,
}

impl Budget {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits, beating, for a place for a mailbox of `run`, the name of a definition.
    pub fn mailbox(&self, run: &str, pulse: &Pulse) -> Result<Place<'_>, SourceError> {
        let mut inner = self.inner();
        loop {
            pulse.go_on().map_err(|_| SourceError::Cancelled)?;
            let all: usize = inner.mailboxes.values().sum();
            // However long the mailboxes of one run take, another one finds a place for its first.
            let most = if inner.mailboxes.contains_key(run) { MAILBOXES_AT_ONCE / 2 } else { MAILBOXES_AT_ONCE };
            if all < most {
                *inner.mailboxes.entry(run.to_owned()).or_default() += 1;
                return Ok(Place { budget: self, run: run.to_owned() });
            }
            inner = self.changed.wait_timeout(inner, SLICE).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// As many further connections as are wanted and free; nobody waits.
    pub fn lanes(&self, wanted: usize) -> Lanes<'_> {
        let mut inner = self.inner();
        let count = wanted.min(LANES_AT_ONCE.saturating_sub(inner.lanes));
        inner.lanes += count;
        Lanes { budget: self, count }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut inner = self.budget.inner();
        if let Some(count) = inner.mailboxes.get_mut(&self.run) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                inner.mailboxes.remove(&self.run);
            }
        }
        drop(inner);
        self.budget.changed.notify_all();
    }
}

impl Drop for Lanes<'_> {
    fn drop(&mut self) {
        let mut inner = self.budget.inner();
        inner.lanes = inner.lanes.saturating_sub(self.count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_mailbox_of_a_run_finds_a_place_beside_a_long_run() {
        let (budget, pulse) = (Budget::default(), Pulse::new());
        let held: Vec<_> = (0..MAILBOXES_AT_ONCE / 2).map(|_| budget.mailbox("long", &pulse).unwrap()).collect();
        let firsts: Vec<_> =
            (held.len()..MAILBOXES_AT_ONCE).map(|n| budget.mailbox(&n.to_string(), &pulse).unwrap()).collect();
        assert_eq!(budget.inner().mailboxes.values().sum::<usize>(), MAILBOXES_AT_ONCE);
        drop(held);
        assert_eq!(budget.inner().mailboxes.len(), firsts.len());
        pulse.cancel();
        assert!(matches!(budget.mailbox("late", &pulse), Err(SourceError::Cancelled)));
    }

    #[test]
    fn lanes_are_given_as_far_as_there_are_some() {
        let budget = Budget::default();
        let first = budget.lanes(3);
        let rest = budget.lanes(LANES_AT_ONCE);
        assert_eq!((first.count, rest.count, budget.lanes(1).count), (3, LANES_AT_ONCE - 3, 0));
        drop(rest);
        assert_eq!(budget.lanes(1).count, 1);
    }
}
