//! What goes wrong, and how often. A fault is decided by the seed, its kind and what it falls on, never by the order of the
//! requests; so a run with many connections is the same run again.
//!
//! A passing fault (`throttle`, `cut`, …) falls on the share `rate` of all that it could fall on, and on each of these for
//! the first `times` requests (1 by default), so that every run can end. `KIND:1:always` never stops.

use std::collections::HashMap;
use std::str::FromStr;

use anyhow::{Context, bail};

use crate::chance::{falls, hash};

macro_rules! kinds {
    ($($variant:ident = $name:literal: $what:literal),* $(,)?) => {
        /// A kind of fault.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Kind { $(#[doc = $what] $variant),* }

        impl Kind {
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            pub fn what(self) -> &'static str {
                match self { $(Self::$variant => $what),* }
            }
        }
    };
}

kinds! {
    Throttle = "throttle": "429 with Retry-After in seconds or as an HTTP-date, per request",
    Unavailable = "unavailable": "503, with or without Retry-After, per request",
    Gateway = "gateway": "502 or 504 with a JSON body, per request",
    LateGateway = "late-gateway": "504 after a write was done, per write",
    TokenUnavailable = "token-unavailable": "503 of the token endpoint, per request",
    Poisoned = "poisoned": "500 `ErrorMimeContentConversionFailed` on $value, for good, per message",
    PoisonedSmime = "poisoned-smime": "the same, for every message with S/MIME (rate per such message)",
    PoisonedPage = "poisoned-page": "500 on a page of more than 4 messages that holds one of these, for good, per message",
    Gone = "gone": "410 `SyncStateNotFound` on a `nextLink` or `deltaLink`, per folder",
    Cut = "cut": "the connection ends in the middle of $value, per message",
    Slow = "slow": "$value trickles, per message",
    TokenExpired = "token-expired": "the token is no longer valid, per request",
    Spurious401 = "spurious-401": "401 though the token is valid, per request",
    EmptyPages = "empty-pages": "an empty page with a nextLink, per page of a delta query",
    Replays = "replays": "messages come once more in a page and in a later round, per page and per message",
    LyingLength = "lying-length": "a Content-Length of $value that is too large, then the end, per message",
    NotFoundWindow = "not-found-window": "404 on a message or mailbox that has just come, per item",
    HtmlError = "html-error": "502 with a page of HTML, per request",
    WrongContentType = "wrong-content-type": "200 with a page of HTML in place of what was asked for, per request",
    Redirect = "redirect": "307 to the same address, per request",
}

/// A kind of fault with its share and how often it falls on the same thing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fault {
    pub kind: Kind,
    pub rate: f64,
    /// `None`: always.
    pub times: Option<u32>,
}

impl FromStr for Fault {
    type Err = anyhow::Error;

    /// `KIND[:rate[:times|always]]`
    fn from_str(text: &str) -> anyhow::Result<Self> {
        let mut parts = text.split(':');
        let name = parts.next().unwrap_or_default();
        let kind = Kind::ALL.iter().find(|kind| kind.name() == name);
        let Some(kind) = kind else {
            let all: Vec<_> = Kind::ALL.iter().map(|kind| kind.name()).collect();
            bail!("unknown fault {name}; there are: {}", all.join(", "))
        };
        let rate = parts.next().map_or(Ok(1.0), str::parse).context("rate of a fault")?;
        let times = match parts.next() {
            None => Some(1),
            Some("always") => None,
            Some(times) => Some(times.parse().context("times of a fault")?),
        };
        Ok(Self { kind: *kind, rate, times })
    }
}

/// All faults in force.
#[derive(Debug, Default)]
pub struct Faults {
    pub seed: u64,
    pub inforce: Vec<Fault>,
    /// Messages that the control interface has poisoned, by mailbox and number.
    pub poisoned: Vec<(usize, usize)>,
    fallen: HashMap<(Kind, u64), u32>,
}

impl Faults {
    pub fn new(seed: u64, faults: &[Fault]) -> Self {
        Self { seed, inforce: faults.to_vec(), ..Self::default() }
    }

    pub fn set(&mut self, fault: Fault) {
        self.inforce.retain(|other| other.kind != fault.kind);
        self.inforce.push(fault);
        self.fallen.retain(|(kind, _), _| *kind != fault.kind);
    }

    pub fn clear(&mut self) {
        self.inforce.clear();
        self.poisoned.clear();
        self.fallen.clear();
    }

    /// Whether a lasting fault is on this thing.
    pub fn on(&self, kind: Kind, thing: &str) -> bool {
        let fault = self.inforce.iter().find(|fault| fault.kind == kind);
        fault.is_some_and(|fault| falls(self.number(kind, thing), fault.rate))
    }

    /// Whether a passing fault falls on this thing now; counts it.
    pub fn fall(&mut self, kind: Kind, thing: &str) -> bool {
        if !self.on(kind, thing) {
            return false;
        }
        let times = self.inforce.iter().find(|fault| fault.kind == kind).and_then(|fault| fault.times);
        let count = self.fallen.entry((kind, hash(&[thing.as_bytes()]))).or_default();
        *count += 1;
        times.is_none_or(|times| *count <= times)
    }

    /// A number that belongs to this kind and thing.
    pub fn number(&self, kind: Kind, thing: &str) -> u64 {
        hash(&[&self.seed.to_le_bytes(), kind.name().as_bytes(), thing.as_bytes()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passing_fault_passes() {
        let mut faults = Faults::new(1, &["throttle".parse().unwrap(), "cut:1:always".parse().unwrap()]);
        assert!(faults.fall(Kind::Throttle, "a"));
        assert!(!faults.fall(Kind::Throttle, "a"));
        assert!(faults.fall(Kind::Throttle, "b"));
        assert!((0..9).all(|_| faults.fall(Kind::Cut, "a")));
        assert!(!faults.fall(Kind::Slow, "a"));
        assert!("nonsense".parse::<Fault>().is_err());
    }
}
