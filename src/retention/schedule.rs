//! When retention works: every night, and when somebody asks.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::pass::{self, Outcome};
use super::{Board, Clock, go_on};
use crate::archive::Archive;
use crate::pulse::Pulse;
use crate::settings::administration::Administration;
use crate::settings::retention::Retention;
use crate::settings::retention_passes::{self as passes, Pass};
use crate::settings::{Result, SettingsError};

/// How often it is looked whether somebody asks, whether a pass is due, and whether bytes that could not go are to go.
const TICK: Duration = Duration::from_millis(500);
const LOOK: Duration = Duration::from_mins(1);
const ERASE_AGAIN: Duration = Duration::from_hours(1);
/// The hour of the day.
const HOUR: i8 = 2;

/// When the next pass is due, Unix seconds: the first night after the last one, in this time zone; at once where there was none.
pub fn next(last: Option<i64>, zone: &TimeZone) -> i64 {
    let night = last.and_then(|last| {
        let last = Timestamp::from_second(last).ok()?.to_zoned(zone.clone());
        let mut day = last.date();
        loop {
            let night = day.at(HOUR, 0, 0, 0).to_zoned(zone.clone()).ok()?;
            if night > last {
                return Some(night.timestamp().as_second());
            }
            day = day.checked_add(1.day()).ok()?;
        }
    });
    night.unwrap_or(i64::MIN)
}

/// Works until it is cancelled.
pub fn run(archive: &Archive, clock: &dyn Clock, board: &Board, pulse: &Pulse) -> Result<()> {
    let (mut look, mut erase) = (None::<Instant>, None::<Instant>);
    while !pulse.is_cancelled() {
        pulse.beat();
        // What ended shortly before a kill is made good first.
        let is_asked = board.erase.swap(false, Ordering::Relaxed);
        if is_asked || erase.is_none_or(|since| since.elapsed() >= ERASE_AGAIN) {
            erase = Some(Instant::now());
            settle(archive.erase(&mut || go_on(pulse)).map(drop).map_err(SettingsError::from), pulse)?;
        }
        let is_asked = board.pass.load(Ordering::Relaxed);
        if is_asked || look.is_none_or(|since| since.elapsed() >= LOOK) {
            look = Some(Instant::now());
            if is_asked || is_due(archive, clock)? {
                board.running.store(true, Ordering::Relaxed);
                board.pass.store(false, Ordering::Relaxed);
                let done = pass::run(archive, clock, &mut || go_on(pulse));
                board.running.store(false, Ordering::Relaxed);
                settle(done.map(|outcome| tell(&outcome)), pulse)?;
            }
        }
        std::thread::sleep(TICK);
    }
    Ok(())
}

/// Whether a pass is due: also where the last one was in a time that is still to come.
fn is_due(archive: &Archive, clock: &dyn Clock) -> Result<bool> {
    if !Retention::read(archive)?.deletes || !clock.is_right() {
        return Ok(false);
    }
    let (now, last) = (clock.now(), passes::last(&archive.view()?)?.map(|last| last.time));
    Ok(last.is_some_and(|last| last > now) || next(last, &Administration::read(archive)?.zone()) <= now)
}

/// What was cancelled is no error; what went wrong once is tried again.
fn settle(done: Result<()>, pulse: &Pulse) -> Result<()> {
    match done {
        Err(_) if pulse.is_cancelled() => Ok(()),
        done => done,
    }
}

fn tell(outcome: &Outcome) {
    match outcome {
        Outcome::Off => tracing::info!("retention is off"),
        Outcome::NoClock => tracing::warn!("retention waits for the time"),
        Outcome::Behind(_) => tracing::warn!("retention waits: the clock is behind the last commit"),
        Outcome::Done(Pass { waits: Some(waits), .. }) => {
            tracing::warn!("retention waits for a person: {} documents would end", waits.due);
        }
        Outcome::Done(pass) => tracing::info!("retention: {} documents ended, {} are held", pass.ended, pass.held),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_night_comes_after_the_last_one() {
        let zone = TimeZone::get("Europe/Zurich").unwrap();
        let at = |text: &str| text.parse::<Timestamp>().unwrap().as_second();
        for (last, night) in [
            ("2026-01-10T12:00:00Z", "2026-01-11T01:00:00Z"),
            ("2026-01-10T00:59:59Z", "2026-01-10T01:00:00Z"),
            ("2026-01-10T01:00:00Z", "2026-01-11T01:00:00Z"),
            // The night in which clocks are set forward has no such hour.
            ("2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z"),
        ] {
            assert_eq!(next(Some(at(last)), &zone), at(night), "{last}");
        }
        assert_eq!(next(None, &zone), i64::MIN);
        assert_eq!(next(Some(i64::MAX), &zone), i64::MIN);
    }
}
