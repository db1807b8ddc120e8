//! How much fetching may disturb, and when its silence is to be told: for all definitions together.

use jiff::Zoned;
use serde::{Deserialize, Serialize};

use super::hours::Hours;
use super::{Result, read_json, write_json};
use crate::archive::Archive;

const KEY: &str = "fetching";
/// The least bandwidth, kB/s: with less, a page of a listing takes longer than Microsoft 365 waits.
pub const LEAST_BANDWIDTH: u32 = 50;
pub const MOST_BANDWIDTH: u32 = 10_000_000;
/// The longest silence that can be set, hours: a year.
pub const MOST_SILENCE: u32 = 8760;

/// What an administrator set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Fetching {
    /// Somebody paused all of it; it stays so after a restart.
    pub paused: bool,
    /// Nothing is fetched then.
    pub quiet: Hours,
    /// All sources together receive at most so many kB (1000 bytes) a second; `None`: as many as they can.
    pub bandwidth: Option<u32>,
    /// When the bandwidth is bounded; never: always.
    pub bounded: Hours,
    /// Hours without a new mail in a definition after which people are told; `None`: they are not.
    pub silence: Option<u32>,
}

impl Default for Fetching {
    fn default() -> Self {
        // Longer than Easter.
        Self { paused: false, quiet: Hours::default(), bandwidth: None, bounded: Hours::default(), silence: Some(120) }
    }
}

/// What is wrong with one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// Names the line that is no time of the week.
    Quiet(String),
    QuietAlways,
    Bandwidth,
    Bounded(String),
    Silence,
}

impl Wrong {
    /// The field that it is about.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Quiet(_) | Self::QuietAlways => "quiet",
            Self::Bandwidth => "bandwidth",
            Self::Bounded(_) => "bounded",
            Self::Silence => "silence",
        }
    }
}

impl Fetching {
    pub fn read(archive: &Archive) -> Result<Self> {
        read_json(archive, KEY)
    }

    pub fn write(&self, archive: &Archive, who: &str) -> Result<()> {
        write_json(archive, KEY, self, who)
    }

    /// From what a person wrote; empty numbers are none.
    pub fn entered(
        quiet: &str,
        bandwidth: &str,
        bounded: &str,
        silence: &str,
    ) -> std::result::Result<Self, Vec<Wrong>> {
        let mut wrong = Vec::new();
        let mut new = Self { silence: None, ..Self::default() };
        match Hours::entered(quiet) {
            Ok(hours) if hours.is_always() => wrong.push(Wrong::QuietAlways),
            Ok(hours) => new.quiet = hours,
            Err(line) => wrong.push(Wrong::Quiet(line)),
        }
        match Hours::entered(bounded) {
            Ok(hours) => new.bounded = hours,
            Err(line) => wrong.push(Wrong::Bounded(line)),
        }
        match number(bandwidth, LEAST_BANDWIDTH..=MOST_BANDWIDTH) {
            Ok(bandwidth) => new.bandwidth = bandwidth,
            Err(()) => wrong.push(Wrong::Bandwidth),
        }
        match number(silence, 1..=MOST_SILENCE) {
            Ok(silence) => new.silence = silence,
            Err(()) => wrong.push(Wrong::Silence),
        }
        if wrong.is_empty() { Ok(new) } else { Err(wrong) }
    }

    /// Bytes per second that all sources together may receive now; `None`: as many as they can.
    pub fn rate(&self, now: &Zoned) -> Option<u64> {
        let is_now = self.bounded.is_never() || self.bounded.are_now(now);
        self.bandwidth.filter(|_| is_now).map(|kilobytes| 1000 * u64::from(kilobytes))
    }
}

/// Nothing and 0 are none.
fn number(text: &str, range: std::ops::RangeInclusive<u32>) -> std::result::Result<Option<u32>, ()> {
    match text.trim() {
        "" | "0" => Ok(None),
        text => text.parse().ok().filter(|number| range.contains(number)).map(Some).ok_or(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_entered_is_kept_or_refused() {
        let set = Fetching::entered("Mo-Fr 8-18", "200", "Sa 8-12", "48").unwrap();
        assert_eq!((set.bandwidth, set.silence), (Some(200), Some(48)));
        let json = serde_json::to_string(&set).unwrap();
        assert_eq!(serde_json::from_str::<Fetching>(&json).unwrap(), set);
        assert_eq!(serde_json::from_str::<Fetching>("{}").unwrap(), Fetching::default());
        let none = Fetching::entered("", "0", "", "").unwrap();
        assert_eq!((none.bandwidth, none.silence), (None, None));
        assert_eq!(
            Fetching::entered("x", "49", "y", "-1"),
            Err(vec![Wrong::Quiet("x".into()), Wrong::Bounded("y".into()), Wrong::Bandwidth, Wrong::Silence])
        );
        assert_eq!(Fetching::entered("0-24", "", "", ""), Err(vec![Wrong::QuietAlways]));
    }

    #[test]
    fn bandwidth_is_bounded_always_or_at_times() {
        let at = |hour| jiff::civil::date(2026, 6, 1).at(hour, 0, 0, 0).in_tz("UTC").unwrap();
        let always = Fetching::entered("", "200", "", "").unwrap();
        assert_eq!(always.rate(&at(3)), Some(200_000));
        let office = Fetching::entered("", "200", "8-18", "").unwrap();
        assert_eq!((office.rate(&at(3)), office.rate(&at(9))), (None, Some(200_000)));
    }
}
