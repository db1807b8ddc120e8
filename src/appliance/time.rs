//! The system's clock: never earlier than this release or the last commit.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::sys::time::TimeSpec;
use nix::time::{ClockId, clock_gettime, clock_settime};

use super::state::Clock;

/// No box of this release runs longer than this after it was built, seconds: a clock beyond it is not believed.
const LONGEST: i64 = 40 * 366 * 24 * 60 * 60;
const MICROS: i64 = 1_000_000;

/// The earliest time that can be now, Unix seconds.
#[derive(Clone, Copy, Debug)]
pub struct Floor {
    built: i64,
    seconds: i64,
}

/// What to do with a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Fine,
    /// To be set to this, Unix seconds.
    Wrong(i64),
}

impl Floor {
    /// From the file that the build leaves: seconds since 1970, a space, the release.
    pub fn of_build(file: &Path) -> Self {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        let built = text.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or(0);
        Self { built, seconds: built }
    }

    /// Lifts the floor to a commit of the archive. A commit from a far future lifts nothing.
    pub fn lift(&mut self, seconds: i64) {
        if seconds <= self.built.saturating_add(LONGEST) {
            self.seconds = self.seconds.max(seconds);
        }
    }

    fn look(&self, now: i64) -> Verdict {
        if now < self.seconds || now > self.built.saturating_add(LONGEST) {
            Verdict::Wrong(self.seconds)
        } else {
            Verdict::Fine
        }
    }

    /// Sets the clock where it is earlier than can be. `clock` is how far it was trusted.
    pub fn hold(&self, clock: &Clock) -> io::Result<Clock> {
        match self.look(clock_gettime(ClockId::CLOCK_REALTIME)?.tv_sec()) {
            Verdict::Fine => Ok(clock.clone()),
            Verdict::Wrong(seconds) => {
                clock_settime(ClockId::CLOCK_REALTIME, TimeSpec::new(seconds, 0))?;
                Ok(Clock::Unknown)
            }
        }
    }

    /// Corrects the clock by so many microseconds, as a time server wants it. Refuses what cannot be.
    pub fn correct(&self, by: i64) -> io::Result<()> {
        let now = clock_gettime(ClockId::CLOCK_REALTIME)?;
        let micros = now.tv_sec().saturating_mul(MICROS).saturating_add(now.tv_nsec() / 1000).saturating_add(by);
        let (seconds, rest) = (micros.div_euclid(MICROS), micros.rem_euclid(MICROS));
        if self.look(seconds) != Verdict::Fine {
            return Err(io::Error::other("a time server says a time that cannot be"));
        }
        clock_settime(ClockId::CLOCK_REALTIME, TimeSpec::new(seconds, rest * 1000))?;
        // The battery's clock as well, where there is one.
        let _ = Command::new("hwclock")
            .args(["-w", "-u"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_before_the_floor_or_beyond_the_life_of_a_box_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("build");
        std::fs::write(&file, "1760000000 0.1.0\n").unwrap();
        let mut floor = Floor::of_build(&file);
        assert_eq!(floor.look(0), Verdict::Wrong(1_760_000_000));
        assert_eq!(floor.look(1_760_000_001), Verdict::Fine);
        floor.lift(1_800_000_000);
        floor.lift(1_700_000_000);
        assert_eq!(floor.look(1_760_000_001), Verdict::Wrong(1_800_000_000));
        floor.lift(i64::MAX);
        assert_eq!(floor.look(1_800_000_000), Verdict::Fine);
        assert_eq!(floor.look(4_000_000_000), Verdict::Wrong(1_800_000_000));
    }

    #[test]
    fn without_a_file_the_floor_is_the_beginning() {
        assert_eq!(Floor::of_build(Path::new("/nowhere")).look(1), Verdict::Fine);
    }
}
