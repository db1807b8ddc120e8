//! Retention: which documents' terms are over, and their end.
//!
//! Rules of the room: nothing ends before its term, whatever the clock, a rule or a mail says; what is doubtful waits for a person.
//! It asks `settings` what holds and `archive` what there is; `web` and `cli` ask it.
//!
//! - `terms`: what holds for a document, `due`: what is due and when, `pass`: one look at all documents, `schedule`: every night

pub mod due;
pub mod pass;
pub mod schedule;
pub mod terms;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::appliance::link::Link;
use crate::archive::ArchiveError;
use crate::clock;
use crate::pulse::Pulse;

pub use terms::{End, Terms, Why};

/// What time it is, and whether that can be believed.
pub trait Clock: Send + Sync {
    /// Unix seconds.
    fn now(&self) -> i64;
    fn is_right(&self) -> bool;
}

/// The clock of this machine; of a box as far as it knows the time.
#[derive(Clone, Default)]
pub struct OwnClock {
    pub link: Option<Arc<Link>>,
}

impl Clock for OwnClock {
    fn now(&self) -> i64 {
        clock::now()
    }

    fn is_right(&self) -> bool {
        self.link.as_ref().is_none_or(|link| link.clock_is_sane())
    }
}

/// What pages ask the schedule for, and what it says to them.
#[derive(Debug, Default)]
pub struct Board {
    pass: AtomicBool,
    erase: AtomicBool,
    running: AtomicBool,
}

impl Board {
    /// Asks for a pass now.
    pub fn ask(&self) {
        self.pass.store(true, Ordering::Relaxed);
    }

    /// Something ended: its bytes are to go.
    pub fn ask_erase(&self) {
        self.erase.store(true, Ordering::Relaxed);
    }

    /// Whether a pass is under way or asked for.
    pub fn is_busy(&self) -> bool {
        self.running.load(Ordering::Relaxed) || self.pass.load(Ordering::Relaxed)
    }
}

/// What a step tells whoever works for this pulse: go on, or not.
pub fn go_on(pulse: &Pulse) -> Result<(), ArchiveError> {
    Ok(pulse.go_on()?)
}
