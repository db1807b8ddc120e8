//! Signs of life. A *pulse* is beaten on every byte of progress and in every idle wait; whoever supervises reads its age.
//! A *cancel* asks a role to end at its next beat.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Handed to everything that works for a role: it beats, and it hears a cancellation.
#[derive(Clone, Debug, Default)]
pub struct Pulse {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// Milliseconds since the process started.
    beat: AtomicU64,
    cancelled: AtomicBool,
}

/// The role was asked to end.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("cancelled")]
pub struct Cancelled;

thread_local! {
    static OWN: RefCell<Option<Pulse>> = const { RefCell::new(None) };
}

/// Beats the pulse that this thread works for ([`Pulse::adopt`]); nothing where it has none.
pub fn beat_own() {
    OWN.with_borrow(|own| own.iter().for_each(Pulse::beat));
}

/// The pulse that this thread works for.
pub fn own() -> Option<Pulse> {
    OWN.with_borrow(Clone::clone)
}

impl Pulse {
    /// From now on this thread works for this pulse.
    pub fn adopt(&self) {
        OWN.set(Some(self.clone()));
    }

    /// A pulse that has just beaten.
    pub fn new() -> Self {
        let pulse = Self::default();
        pulse.beat();
        pulse
    }

    /// Notes progress.
    pub fn beat(&self) {
        let now = u64::try_from(START.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.inner.beat.store(now, Ordering::Relaxed);
    }

    /// Notes progress and tells whether to go on.
    pub fn go_on(&self) -> Result<(), Cancelled> {
        self.beat();
        if self.is_cancelled() { Err(Cancelled) } else { Ok(()) }
    }

    /// Time since the last beat.
    pub fn age(&self) -> Duration {
        let beat = Duration::from_millis(self.inner.beat.load(Ordering::Relaxed));
        START.elapsed().saturating_sub(beat)
    }

    /// Asks the role to end at its next beat.
    pub fn cancel(&self) {
        self.inner.cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether the role was asked to end.
    pub fn is_cancelled(&self) -> bool {
        self.inner.cancelled.load(Ordering::Relaxed)
    }
}
