//! What the last verifications of the whole archive found: the periodic check that it can still be read, as the law asks for.
//!
//! Each report has a number; the last [`VERIFICATIONS`] are kept, in places that are used again, so that nothing grows.

use serde::{Deserialize, Serialize};

use super::{Result, list_json, to_json};
use crate::archive::Archive;
use crate::archive::commit::{Commit, Event, Happening, Number, Setting};
use crate::archive::verify::Report;
use crate::clock;
use crate::limits::{
    SCRUB_DAYS, SCRUB_LATE_DAYS, VERIFICATION_CHARS, VERIFICATION_DOCUMENTS, VERIFICATION_FINDINGS, VERIFICATIONS,
};

/// Keys of reports in the settings table; the place follows.
const VERIFICATION: &str = "verification/";
const DAY: i64 = 86_400;

/// Who wanted a verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// The box itself, since it was due.
    Scrub,
    /// Somebody on a page, or a program with a token.
    Person,
    /// The command line.
    Console,
}

impl By {
    /// For programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::Scrub => "scrub",
            Self::Person => "person",
            Self::Console => "console",
        }
    }
}

/// One report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    /// From 1, without a gap.
    pub number: u64,
    /// Unix seconds.
    pub began: i64,
    pub ended: i64,
    pub by: By,
    /// As the journal writes it.
    pub who: String,
    /// The release that verified.
    pub release: String,
    /// Whether it came to its end; what kept it from that is its last finding.
    pub is_complete: bool,
    pub packs: u64,
    pub bytes: u64,
    pub commits: u64,
    pub documents: u64,
    /// The last link that was verified, in hexadecimal.
    pub head: String,
    /// How many findings there are; `lines` has the first of them.
    pub findings: u64,
    pub lines: Vec<String>,
    /// Documents that are damaged, ascending.
    pub damaged: Vec<Number>,
    pub notes: Vec<String>,
}

impl Verification {
    /// The report of a verification that ends now. `error`: what kept it from its end.
    pub fn of(by: By, who: &str, began: i64, found: &Report, error: Option<&str>) -> Self {
        let cut = |line: String| line.chars().take(VERIFICATION_CHARS).collect::<String>();
        let mut lines: Vec<String> =
            found.findings.kept().iter().take(VERIFICATION_FINDINGS).map(|finding| cut(finding.to_string())).collect();
        lines.extend(error.map(|error| cut(error.to_owned())));
        let mut damaged: Vec<Number> = found.findings.kept().iter().filter_map(|finding| finding.document).collect();
        damaged.sort_unstable();
        damaged.dedup();
        damaged.truncate(VERIFICATION_DOCUMENTS);
        Self {
            number: 0,
            began,
            ended: clock::now(),
            by,
            who: who.into(),
            release: env!("CARGO_PKG_VERSION").into(),
            is_complete: error.is_none(),
            packs: found.packs as u64,
            bytes: found.bytes,
            commits: found.commits,
            documents: found.documents,
            head: found.head.clone(),
            findings: found.findings.count() + u64::from(error.is_some()),
            lines,
            damaged,
            notes: found.notes.iter().take(VERIFICATION_FINDINGS).map(|note| cut(note.clone())).collect(),
        }
    }

    /// Whether all was read and nothing found.
    pub fn is_clean(&self) -> bool {
        self.is_complete && self.findings == 0
    }
}

/// The reports that are kept, newest first.
pub fn all(archive: &Archive) -> Result<Vec<Verification>> {
    let mut all: Vec<Verification> = list_json(archive, VERIFICATION)?;
    // By number and not by time: a clock may have been wrong.
    all.sort_by_key(|report| std::cmp::Reverse(report.number));
    Ok(all)
}

/// Keeps a report in place of the oldest one, with its line in the journal; returns its number. One at a time.
pub fn keep(archive: &Archive, report: Verification) -> Result<u64> {
    let number = all(archive)?.first().map_or(1, |last| last.number + 1);
    let key = format!("{VERIFICATION}{:02}", number % VERIFICATIONS as u64);
    let what = Happening::Verified(report.findings);
    let event = Event { time: clock::now(), who: report.who.clone(), what };
    let value = to_json(&key, &Verification { number, ..report })?;
    let settings = vec![Setting { key, value: Some(value) }];
    archive.commit(Commit { settings, journal: vec![event], ..Commit::default() })?;
    Ok(number)
}

/// How an archive stands.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    pub last: Option<Verification>,
    /// When the next one is due, Unix seconds; past: now. `None` while nothing is archived.
    pub next: Option<i64>,
    /// Days since the last complete one, or since the first document, where those are too many.
    pub late: Option<i64>,
}

impl Standing {
    /// How it stands at this moment, Unix seconds.
    pub fn at(archive: &Archive, now: i64) -> Result<Self> {
        let all = all(archive)?;
        let first = archive.view()?.document_from(1)?.map(|(_, document)| document.metadata.archived);
        let complete = all.iter().find(|report| report.is_complete).map(|report| report.ended);
        Ok(Self {
            next: next(all.first().map(|report| (report.ended, report.is_complete)), first, now),
            late: complete.or(first).map(|since| (now - since) / DAY).filter(|days| *days > SCRUB_LATE_DAYS),
            last: all.into_iter().next(),
        })
    }
}

/// When the next one is due. `last`: when the last one ended, and whether it was complete; one that was not is tried again after a
/// day. A last one that has not been yet was noted by a clock that was wrong: when it was, nobody knows.
fn next(last: Option<(i64, bool)>, first: Option<i64>, now: i64) -> Option<i64> {
    let (since, days) = match last {
        Some((ended, true)) => (ended, SCRUB_DAYS),
        Some((ended, false)) => (ended, 1),
        None => (first?, SCRUB_DAYS),
    };
    // A clock that is set right by less is no reason.
    Some(if since > now + DAY { now } else { since + days * DAY })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_one_is_due_whatever_the_clock_did() {
        let now = 1_800_000_000;
        let due = |last, first| next(last, first, now).is_some_and(|next| next <= now);
        assert_eq!(next(None, None, now), None);
        assert_eq!(next(Some((now - 5, true)), None, now), Some(now - 5 + 30 * DAY));
        // The box was off for long.
        assert!(due(Some((now - 400 * DAY, true)), None) && due(None, Some(now - 31 * DAY)));
        assert!(!due(Some((now - 29 * DAY, true)), Some(0)) && !due(None, Some(now - 29 * DAY)));
        assert!(due(Some((now - DAY, false)), None) && !due(Some((now - 5, false)), None));
        // Set back by an hour, and by years.
        assert!(!due(Some((now + 3600, true)), None));
        assert!(due(Some((now + 3000 * DAY, true)), None));
    }
}
