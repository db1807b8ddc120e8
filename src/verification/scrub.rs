//! The scrub: the whole archive read slowly in the background, when the last verification is 30 days old.
//!
//! It works a part of its time only, steps back while somebody verifies at full speed, and goes on after a restart with the pack
//! that it was at. Where somebody else's verification came first it is not due any more, and ends.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use minicbor::{Decode, Encode};

use super::{Stage, Turn, Verifier};
use crate::archive::scrub::{Reading, read};
use crate::archive::verify::{self, Report};
use crate::archive::{Archive, ArchiveError};
use crate::clock;
use crate::limits::{SCRUB_DAYS, SCRUB_FILE, SCRUB_LOOK, SCRUB_RATE, SCRUB_SHARE};
use crate::pulse::{Cancelled, Pulse};
use crate::settings;
use crate::settings::users::ITSELF;
use crate::settings::verifications::{By, Standing, Verification};

/// The longest time without a look at the pulse.
const SLICE: Duration = Duration::from_millis(250);
const DAY: i64 = 86_400;

/// How it works.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// How often it looks whether it is due.
    pub look: Duration,
    /// It works one part of its time in so many.
    pub share: u32,
    /// Bytes a second that it reads at most.
    pub rate: u64,
}

impl Default for Manner {
    fn default() -> Self {
        Self { look: SCRUB_LOOK, share: SCRUB_SHARE, rate: SCRUB_RATE }
    }
}

/// What is remembered over a restart. Losing it costs a new beginning, and nothing else.
#[derive(Clone, Debug, Encode, Decode)]
pub struct Kept {
    /// Unix seconds.
    #[n(0)]
    pub began: i64,
    #[n(1)]
    pub reading: Reading,
}

impl Kept {
    fn path(data: &Path) -> PathBuf {
        data.join("scrub.cbor")
    }

    /// What an earlier process left, unless it is too old to be a part of a verification of today.
    fn find(data: &Path, now: i64) -> Option<Self> {
        let path = Self::path(data);
        let is_small = fs::metadata(&path).is_ok_and(|file| file.is_file() && file.len() <= SCRUB_FILE);
        let kept: Self = is_small.then(|| minicbor::decode(&fs::read(&path).ok()?).ok())??;
        ((now - SCRUB_DAYS * DAY)..=(now + DAY)).contains(&kept.began).then_some(kept)
    }

    /// Best effort.
    pub fn write(&self, data: &Path) {
        let (path, new) = (Self::path(data), Self::path(data).with_extension("new"));
        let written = minicbor::to_vec(self).map(|bytes| fs::write(&new, bytes).and_then(|()| fs::rename(&new, &path)));
        if !matches!(written, Ok(Ok(()))) {
            tracing::warn!("{}: not written; after a restart the scrub begins anew", path.display());
        }
    }

    fn forget(data: &Path) {
        let _ = fs::remove_file(Self::path(data));
    }
}

/// Scrubs whenever it is due, until it is cancelled.
pub fn run(archive: &Archive, verifier: &Verifier, manner: Manner, pulse: &Pulse) -> settings::Result<()> {
    let mut looked: Option<Instant> = None;
    while pulse.go_on().is_ok() {
        if looked.is_none_or(|at| at.elapsed() >= manner.look) {
            looked = Some(Instant::now());
            if verifier.may_scrub() && verifier.underway().is_empty() && is_due(archive)? {
                once(archive, verifier, manner, pulse)?;
            }
        }
        std::thread::sleep(SLICE.min(manner.look));
    }
    Ok(())
}

fn is_due(archive: &Archive) -> settings::Result<bool> {
    let now = clock::now();
    Ok(Standing::at(archive, now)?.next.is_some_and(|next| next <= now))
}

fn once(archive: &Archive, verifier: &Verifier, manner: Manner, pulse: &Pulse) -> settings::Result<()> {
    let data = &archive.paths().data;
    let found = Kept::find(data, clock::now());
    let mut kept = found.unwrap_or_else(|| Kept { began: clock::now(), reading: Reading::default() });
    let turn = verifier.turn(By::Scrub, ITSELF, pulse.part());
    turn.with(|one| one.began = kept.began);
    tracing::info!("the scrub begins at commit {}", kept.reading.position.sequence + 1);
    let pace = Pace::new(&turn, manner, kept.reading.position.sequence == 0);
    let began = kept.began;
    let read = read(archive, &mut kept.reading, &mut |looked, total| pace.rest(looked, total), &mut |reading| {
        Kept { began, reading: reading.clone() }.write(data);
    });
    let compared = read.and_then(|()| {
        turn.with(|one| one.stage = Stage::Compares);
        verify::compare(archive, &mut |looked, total| turn.go_on(looked, total))
    });
    let reading = kept.reading;
    let (mut report, error) = match compared {
        Ok(compared) => (compared, None),
        Err(_) if pulse.is_cancelled() => return Ok(()),
        Err(_) if pace.is_overtaken() => {
            tracing::info!("the scrub ends: somebody has verified the archive meanwhile");
            Kept::forget(data);
            return Ok(());
        }
        Err(error) => (Report::default(), Some(error.to_string())),
    };
    // What was read byte by byte counts, and not what came in while the catalog was compared.
    let mut findings = reading.findings;
    findings.merge(std::mem::take(&mut report.findings));
    report.findings = findings;
    (report.commits, report.documents) = (reading.commits, reading.documents);
    report.head = reading.position.commit.to_string();
    let report = Verification::of(By::Scrub, ITSELF, kept.began, &report, error.as_deref());
    tracing::info!("the scrub ended: {} findings", report.findings);
    verifier.keep(archive, report)?;
    Kept::forget(data);
    Ok(())
}

/// Keeps a reading slow.
struct Pace<'a> {
    turn: &'a Turn<'a>,
    manner: Manner,
    /// Since when it works, and what it had read then; `None` where it begins within the archive.
    since: Cell<Instant>,
    read: Cell<Option<u64>>,
    /// Reports of this process when it began.
    kept: u64,
}

impl<'a> Pace<'a> {
    fn new(turn: &'a Turn<'a>, manner: Manner, is_whole: bool) -> Self {
        let kept = turn.verifier.kept.load(Ordering::SeqCst);
        Self { turn, manner, since: Cell::new(Instant::now()), read: Cell::new(is_whole.then_some(0)), kept }
    }

    /// Somebody else has verified the archive since.
    fn is_overtaken(&self) -> bool {
        self.turn.verifier.kept.load(Ordering::SeqCst) != self.kept
    }

    /// Rests from what was read since the last call, and as long as others verify. An error where it is to end.
    fn rest(&self, looked: u64, total: u64) -> Result<(), ArchiveError> {
        let worked = self.since.get().elapsed();
        let bytes = looked.saturating_sub(self.read.get().unwrap_or(looked));
        self.read.set(Some(looked));
        let pause = pause(self.manner, worked, bytes);
        let began = Instant::now();
        loop {
            self.turn.go_on(looked, total)?;
            if self.is_overtaken() {
                return Err(Cancelled.into());
            }
            let left = pause.saturating_sub(began.elapsed());
            let others = self.turn.verifier.all().len() > 1;
            if left.is_zero() && !others {
                break;
            }
            std::thread::sleep(if others { SLICE } else { left.min(SLICE) });
        }
        self.since.set(Instant::now());
        Ok(())
    }
}

/// How long to rest from so much work.
fn pause(manner: Manner, worked: Duration, bytes: u64) -> Duration {
    let of_time = worked * manner.share.saturating_sub(1);
    let of_rate = Duration::from_micros(bytes.saturating_mul(1_000_000) / manner.rate.max(1)).saturating_sub(worked);
    of_time.max(of_rate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_works_a_part_of_its_time_and_no_faster_than_its_rate() {
        let manner = Manner { look: SLICE, share: 4, rate: 1_000_000 };
        let second = Duration::from_secs(1);
        assert_eq!(pause(manner, second, 10), 3 * second);
        assert_eq!(pause(manner, second, 9_000_000), 8 * second);
        assert_eq!(pause(manner, Duration::ZERO, 500_000), second / 2);
    }

    #[test]
    fn what_is_too_old_or_broken_is_a_new_beginning() {
        let dir = tempfile::tempdir().unwrap();
        let now = 1_800_000_000;
        assert!(Kept::find(dir.path(), now).is_none());
        for (began, counts) in [(now - 5, true), (now - 31 * DAY, false), (now + 2 * DAY, false)] {
            Kept { began, reading: Reading::default() }.write(dir.path());
            assert_eq!(Kept::find(dir.path(), now).is_some(), counts, "{began}");
        }
        fs::write(dir.path().join("scrub.cbor"), b"nonsense").unwrap();
        assert!(Kept::find(dir.path(), now).is_none());
    }
}
