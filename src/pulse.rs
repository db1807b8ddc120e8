//! Signs of life. A *pulse* is beaten on every byte of progress and in every idle wait; whoever supervises reads its age.
//! A *cancel* asks a role to end at its next beat.
//!
//! What works for several threads at a time is handed one pulse, and each of its threads adopts a child of that: a thread
//! then beats, and hears, its own. So one that hangs is not hidden by those that move.

use std::cell::RefCell;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, TryLockError};
use std::time::{Duration, Instant};

/// Time between two looks whether it is one's turn.
const LOOK: Duration = Duration::from_millis(100);

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Handed to everything that works for a role: it beats, and it hears a cancellation.
#[derive(Clone, Debug, Default)]
pub struct Pulse {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// Milliseconds since the process started.
    beat: Arc<AtomicU64>,
    cancelled: AtomicBool,
    /// Cancelled with it.
    above: Option<Arc<Inner>>,
}

impl Inner {
    fn beat(&self) {
        let now = u64::try_from(START.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.beat.store(now, Ordering::Relaxed);
    }

    fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed) || self.above.as_ref().is_some_and(|above| above.is_cancelled())
    }

    fn is_below(&self, other: &Arc<Self>) -> bool {
        self.above.as_ref().is_some_and(|above| Arc::ptr_eq(above, other) || above.is_below(other))
    }
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

/// Beats the pulse that this thread works for, and tells whether to go on; always, where it has none.
pub fn go_on_own() -> Result<(), Cancelled> {
    own().map_or(Ok(()), |own| own.go_on())
}

/// Waits for a turn that others may have for long. `go_on` is called at each look; its error ends the waiting. What one left
/// behind that panicked is no reason to stop.
pub fn turn<'a, T, E>(
    mutex: &'a Mutex<T>,
    go_on: &mut dyn FnMut() -> std::result::Result<(), E>,
) -> std::result::Result<MutexGuard<'a, T>, E> {
    loop {
        match mutex.try_lock() {
            Ok(turn) => return Ok(turn),
            Err(TryLockError::Poisoned(poisoned)) => return Ok(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => go_on()?,
        }
        std::thread::sleep(LOOK);
    }
}

/// Takes bytes that nobody wants, as a sign of life of this thread; fails when that is to end.
#[derive(Clone, Copy, Debug)]
pub struct Sink;

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match go_on_own() {
            Ok(()) => Ok(bytes.len()),
            Err(cancelled) => Err(io::Error::new(io::ErrorKind::ConnectionAborted, cancelled)),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
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

    /// One that beats for itself, just has, and is cancelled with this one.
    #[must_use]
    pub fn child(&self) -> Self {
        let child = Self { inner: Arc::new(Inner { above: Some(self.inner.clone()), ..Inner::default() }) };
        child.beat();
        child
    }

    /// One that can be cancelled for itself, is cancelled with this one, and beats with it.
    #[must_use]
    pub fn part(&self) -> Self {
        let (beat, above) = (self.inner.beat.clone(), Some(self.inner.clone()));
        Self { inner: Arc::new(Inner { beat, above, ..Inner::default() }) }
    }

    /// This one, or that of this thread where it is below this one.
    fn acting<T>(&self, act: impl FnOnce(&Inner) -> T) -> T {
        OWN.with_borrow(|own| match own {
            Some(own) if own.inner.is_below(&self.inner) => act(&own.inner),
            _ => act(&self.inner),
        })
    }

    /// Notes progress, of this thread's own pulse where that is a child of this one.
    pub fn beat(&self) {
        self.acting(Inner::beat);
    }

    /// Notes progress and tells whether to go on; of this thread's own pulse where that is a child of this one.
    pub fn go_on(&self) -> Result<(), Cancelled> {
        self.acting(|inner| {
            inner.beat();
            if inner.is_cancelled() { Err(Cancelled) } else { Ok(()) }
        })
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
        self.acting(Inner::is_cancelled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_beats_and_hears_its_own() {
        let role = Pulse::new();
        let (one, other) = (role.child(), role.child());
        one.adopt();
        one.cancel();
        assert!(role.go_on().is_err() && other.go_on().is_ok());
        OWN.set(None);
        assert!(role.go_on().is_ok());
        role.cancel();
        assert!(other.is_cancelled());
    }

    #[test]
    fn a_part_beats_with_the_whole_and_is_cancelled_alone() {
        let whole = Pulse::default();
        let part = whole.part();
        part.beat();
        assert!(Arc::ptr_eq(&whole.inner.beat, &part.inner.beat));
        part.cancel();
        assert!(!whole.is_cancelled() && part.is_cancelled());
        assert!(part.child().is_cancelled());
    }
}
