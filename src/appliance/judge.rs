//! When `supervise` starts the box again by itself, and when a time of health has made good for bad starts: decided from what
//! it sees, so that every case is a row of a table.

use std::time::Duration;

use crate::limits::{BOX_HEALTHY, BOX_READ_ONLY, BOX_TRIAL};

/// What is seen at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is seen by itself")]
pub struct Sight {
    /// Since this start.
    pub since_start: Duration,
    /// Everybody shows signs of life and pages are served, for so long; `None`: not so.
    pub healthy_for: Option<Duration>,
    /// The kernel was told that this release is tried. A fall-back to the other slot is no trial.
    pub is_trial: bool,
    /// The release has become the committed one.
    pub is_committed: bool,
    /// The disk is still being looked for, checked or grown.
    pub waits_for_disk: bool,
    /// The archive's file system can no longer be written to.
    pub is_read_only: bool,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    GoOn,
    /// An hour of health: bad starts before count no more.
    Forget,
    /// Only the check at a start leads back from a file system that the kernel takes no writes for.
    CheckDisk,
    /// The release on trial does not come up; the start after this is that of the committed one.
    GiveUpTrial,
}

pub fn judge(sight: Sight) -> Verdict {
    if sight.is_read_only && sight.since_start >= BOX_READ_ONLY {
        return Verdict::CheckDisk;
    }
    let on_trial = sight.is_trial && !sight.is_committed;
    if on_trial && sight.healthy_for.is_none() && !sight.waits_for_disk && sight.since_start >= BOX_TRIAL {
        return Verdict::GiveUpTrial;
    }
    if sight.healthy_for.is_some_and(|time| time >= BOX_HEALTHY) { Verdict::Forget } else { Verdict::GoOn }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WELL: Sight = Sight {
        since_start: BOX_TRIAL,
        healthy_for: Some(Duration::from_secs(1)),
        is_trial: false,
        is_committed: true,
        waits_for_disk: false,
        is_read_only: false,
    };
    const TRIAL: Sight = Sight { is_trial: true, is_committed: false, ..WELL };

    #[test]
    fn each_sight_has_its_verdict() {
        let moment = Duration::from_secs(1);
        for (what, sight, verdict) in [
            ("a good box", WELL, Verdict::GoOn),
            ("an hour of health", Sight { healthy_for: Some(BOX_HEALTHY), ..WELL }, Verdict::Forget),
            ("no page, no trial", Sight { healthy_for: None, ..WELL }, Verdict::GoOn),
            (
                "a fall-back to the other slot, and a disk in trouble: that is to be read on the page",
                Sight { healthy_for: None, is_committed: false, since_start: BOX_TRIAL * 100, ..WELL },
                Verdict::GoOn,
            ),
            ("a trial that serves", TRIAL, Verdict::GoOn),
            ("a trial that does not", Sight { healthy_for: None, ..TRIAL }, Verdict::GiveUpTrial),
            (
                "a trial that has time left",
                Sight { healthy_for: None, since_start: BOX_TRIAL.saturating_sub(moment), ..TRIAL },
                Verdict::GoOn,
            ),
            (
                "a trial whose disk is checked",
                Sight { healthy_for: None, waits_for_disk: true, ..TRIAL },
                Verdict::GoOn,
            ),
            (
                "a trial that was committed, and fails later",
                Sight { healthy_for: None, is_committed: true, ..TRIAL },
                Verdict::GoOn,
            ),
            ("a disk without writes, just started", Sight { is_read_only: true, ..WELL }, Verdict::GoOn),
            (
                "a disk without writes",
                Sight { is_read_only: true, since_start: BOX_READ_ONLY, ..WELL },
                Verdict::CheckDisk,
            ),
            (
                "a disk without writes under a trial",
                Sight { is_read_only: true, since_start: BOX_READ_ONLY, healthy_for: None, ..TRIAL },
                Verdict::CheckDisk,
            ),
        ] {
            assert_eq!(judge(sight), verdict, "{what}");
        }
    }
}
