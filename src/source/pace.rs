//! How trouble that passes by itself is waited out: pauses that grow, with some chance in them, and beat.

use std::time::{Duration, Instant};

use super::{Result, SourceError};
use crate::pulse::Pulse;

/// Longest wait between two beats.
pub(super) const SLICE: Duration = Duration::from_millis(200);

const PATIENCE: Duration = Duration::from_mins(15);

/// How failures that pass by themselves are waited out.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// First pause where the server names none; doubled at each further one.
    pub first: Duration,
    pub longest: Duration,
    /// Longest time that one request is waited for in all, and longest pause that the server may name; beyond it the run ends
    /// with what the server said.
    pub patience: Duration,
    /// Longest pause named for a mailbox that is waited out on the spot; a longer one ends the request at once with what the
    /// server said.
    pub in_place: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { first: Duration::from_secs(1), longest: Duration::from_mins(1), patience: PATIENCE, in_place: PATIENCE }
    }
}

impl Pace {
    /// The pause before a further attempt: what the server names and a little more, so that lanes that were refused together
    /// do not come back together, nor at once where it names none at all.
    pub fn after(&self, named: Option<Duration>, attempt: u32) -> Duration {
        let spread = |named: Duration| self.pause(0).min(named.saturating_add(self.first / 10)) / 4;
        named.map_or_else(|| self.pause(attempt), |named| named.saturating_add(spread(named)))
    }

    /// The pause before a further attempt, where the server names none: between half and all of what doubling gives, so that
    /// lanes do not come back together.
    pub fn pause(&self, attempt: u32) -> Duration {
        let full = self.first.saturating_mul(1_u32 << attempt.min(16)).min(self.longest);
        let mut random = [0; 1];
        let spread = match ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut random) {
            Ok(()) => u32::from(random[0]),
            Err(_) => 255,
        };
        full / 2 + full * spread / 510
    }
}

/// Waits, beating.
pub fn rest(pause: Duration, pulse: &Pulse) -> Result<()> {
    let until = Instant::now() + pause;
    loop {
        pulse.go_on().map_err(|_| SourceError::Cancelled)?;
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        std::thread::sleep(left.min(SLICE));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_stay_bounded() {
        let pace = Pace::default();
        for attempt in 0..40 {
            let full = Duration::from_secs(1 << attempt.min(16)).min(pace.longest);
            let pause = pace.pause(attempt);
            assert!(pause >= full / 2 && pause <= full, "{attempt}: {pause:?}");
        }
    }

    #[test]
    fn a_named_pause_is_kept_and_spread() {
        let pace = Pace::default();
        for named in [0, 5] {
            let named = Duration::from_secs(named);
            let pause = pace.after(Some(named), 7);
            assert!(pause > named && pause <= named + pace.first / 4, "{pause:?}");
        }
        assert_eq!(pace.after(Some(Duration::MAX), 0), Duration::MAX);
    }
}
