//! How fast all sources together may receive.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::pulse::{Cancelled, Pulse};

/// Longest wait between two beats.
const SLICE: Duration = Duration::from_millis(200);

/// Of everything that mail comes from: an office has one line.
static ALL: Rate = Rate::new();

/// A bound on bytes per second. What was received is paid for by waiting, before more is.
struct Rate {
    /// 0: none.
    bytes_per_second: AtomicU64,
    /// When all that was received so far is paid for.
    paid: Mutex<Option<Instant>>,
}

/// Bounds what all sources together receive, in bytes per second, from now on; `None`: no more.
pub fn bound(bytes_per_second: Option<u64>) {
    ALL.bytes_per_second.store(bytes_per_second.unwrap_or_default(), Ordering::Relaxed);
}

/// Notes bytes that came, and waits for as long as they cost.
pub(super) fn received(bytes: usize, pulse: &Pulse) -> Result<(), Cancelled> {
    ALL.received(bytes, pulse)
}

impl Rate {
    const fn new() -> Self {
        Self { bytes_per_second: AtomicU64::new(0), paid: Mutex::new(None) }
    }

    fn received(&self, bytes: usize, pulse: &Pulse) -> Result<(), Cancelled> {
        let rate = self.bytes_per_second.load(Ordering::Relaxed);
        if rate == 0 {
            return Ok(());
        }
        let now = Instant::now();
        let cost = Duration::from_nanos((bytes as u64).saturating_mul(1_000_000_000) / rate);
        let until = {
            let mut paid = self.paid.lock().unwrap_or_else(PoisonError::into_inner);
            let until = paid.filter(|paid| *paid > now).unwrap_or(now) + cost;
            *paid = Some(until);
            until
        };
        // The bound may be lifted meanwhile; what is owed is forgiven then.
        while self.bytes_per_second.load(Ordering::Relaxed) != 0 {
            let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) else { break };
            pulse.go_on()?;
            std::thread::sleep(left.min(SLICE));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_is_paid_for_by_all_together() {
        let (rate, pulse) = (Rate::new(), Pulse::new());
        rate.received(usize::MAX, &pulse).unwrap();
        rate.bytes_per_second.store(1_000_000, Ordering::Relaxed);
        let began = Instant::now();
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| (0..5).for_each(|_| rate.received(20_000, &pulse).unwrap()));
            }
        });
        // 200 kB at 1 MB/s: no bound was passed where it took at least that long.
        assert!(began.elapsed() >= Duration::from_millis(200));
    }

    #[test]
    fn who_waits_hears_a_cancellation() {
        let (rate, pulse) = (Rate::new(), Pulse::new());
        rate.bytes_per_second.store(1, Ordering::Relaxed);
        pulse.cancel();
        assert!(rate.received(1_000_000, &pulse).is_err());
    }
}
