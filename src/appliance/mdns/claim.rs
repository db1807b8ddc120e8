//! Who has the common name `archivista.local`: asked for by a probe (RFC 6762, section 8), ours where nobody else answers,
//! given up when somebody does, and asked for again after a while. It is never made another one. No socket in here.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::packet::{ANY, Data, Name, Packet, Question, Record};
use super::records::COMMON;
use crate::limits::{MDNS_LOST, MDNS_PROBE, MDNS_PROBES, MDNS_SETTLED, MDNS_YIELD};

/// How it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stand {
    /// So many probes were sent; the next one, or the end of waiting, is then.
    Asking {
        sent: u32,
        next: Instant,
    },
    Ours {
        since: Instant,
    },
    /// Somebody else has it; asked for again then.
    Theirs {
        until: Instant,
    },
}

/// What is to be done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Nothing,
    /// A probe on every interface.
    Probe,
    /// The name is ours: to be announced.
    Won,
    /// It is no longer ours.
    Lost,
}

pub struct Claim {
    stand: Stand,
    name: Name,
}

impl Claim {
    pub fn new(now: Instant) -> Self {
        Self { stand: Stand::Asking { sent: 0, next: now }, name: Name::of(COMMON) }
    }

    pub fn is_ours(&self) -> bool {
        matches!(self.stand, Stand::Ours { .. })
    }

    /// Another network, or another address in it: what was found out there does not hold any more.
    pub fn ask_again(&mut self, now: Instant) {
        self.stand = Stand::Asking { sent: 0, next: now };
    }

    /// When something is to be done, if nothing is heard.
    pub fn next(&self) -> Option<Instant> {
        match self.stand {
            Stand::Asking { next, .. } => Some(next),
            Stand::Theirs { until } => Some(until),
            Stand::Ours { .. } => None,
        }
    }

    /// What the time has brought.
    pub fn tick(&mut self, now: Instant) -> Step {
        match self.stand {
            Stand::Asking { sent, next } if next <= now && sent < MDNS_PROBES => {
                self.stand = Stand::Asking { sent: sent + 1, next: now + MDNS_PROBE };
                Step::Probe
            }
            Stand::Asking { next, .. } if next <= now => {
                self.stand = Stand::Ours { since: now };
                Step::Won
            }
            Stand::Theirs { until } if until <= now => {
                self.ask_again(now);
                Step::Nothing
            }
            _ => Step::Nothing,
        }
    }

    /// A probe with the records that we would have on an interface.
    pub fn probe(&self, records: Vec<Record>) -> Packet {
        let question = Question { name: self.name.clone(), kind: ANY, alone: true };
        // Only proposed: these tell nobody to forget anything.
        let authorities = records.into_iter().map(|record| Record { is_ours_alone: false, ..record }).collect();
        Packet { questions: vec![question], authorities, ..Packet::default() }
    }

    /// Looks for another claim of the name in a packet. `own`: the addresses of all our interfaces; `proposed`: our records
    /// on the one where it was heard. `lost_for` is how long the name is left to somebody else.
    pub fn hear(
        &mut self,
        packet: &Packet,
        own: &[IpAddr],
        proposed: &[Record],
        now: Instant,
        lost_for: Duration,
    ) -> Step {
        let address = |record: &Record| match record.data {
            Data::A(ip) => Some(IpAddr::V4(ip)),
            Data::Aaaa(ip) => Some(IpAddr::V6(ip)),
            _ => None,
        };
        let is_foreign = |record: &&Record| {
            record.name == self.name && address(record).is_some_and(|address| !own.contains(&address))
        };
        if packet.is_answer {
            let mut said = packet.answers.iter().chain(&packet.additional);
            // Whoever says goodbye has it no more.
            if !said.any(|record| record.ttl > 0 && is_foreign(&record)) {
                return Step::Nothing;
            }
            return match self.stand {
                // It was ours for long: the two networks may have just met, and the other one has to prove it as well.
                Stand::Ours { since } if now.saturating_duration_since(since) > MDNS_SETTLED => {
                    self.ask_again(now);
                    Step::Lost
                }
                Stand::Ours { .. } | Stand::Asking { .. } => {
                    let was_ours = self.is_ours();
                    self.stand = Stand::Theirs { until: now + lost_for };
                    if was_ours { Step::Lost } else { Step::Nothing }
                }
                Stand::Theirs { .. } => Step::Nothing,
            };
        }
        let theirs: Vec<&Record> = packet.authorities.iter().filter(|record| record.name == self.name).collect();
        if matches!(self.stand, Stand::Asking { .. })
            && theirs.iter().any(is_foreign)
            && order(theirs.into_iter()) > order(proposed.iter())
        {
            // Both ask at once: the later in order goes first (section 8.2).
            self.stand = Stand::Asking { sent: 0, next: now + MDNS_YIELD };
        }
        Step::Nothing
    }
}

/// How long the name is left to somebody else: about that long, by chance.
pub fn lost_for(chance: u8) -> Duration {
    MDNS_LOST + MDNS_LOST * u32::from(chance) / 1024
}

/// By what simultaneous probes are compared: class is the same, then type, then bytes.
fn order<'a>(records: impl Iterator<Item = &'a Record>) -> Vec<(u16, Vec<u8>)> {
    let mut all: Vec<(u16, Vec<u8>)> = records.map(|record| (record.data.kind(), record.data.bytes())).collect();
    all.sort_unstable();
    all
}

#[cfg(test)]
mod tests {
    use super::super::records::{Address, announcement, goodbye, hosts};
    use super::*;

    const LOST: Duration = Duration::from_secs(100);

    fn records(ip: &str) -> Vec<Record> {
        hosts(&Name::of(COMMON), &[Address::read(&format!("{ip}/24")).unwrap()])
    }

    struct Stage {
        claim: Claim,
        now: Instant,
    }

    impl Stage {
        fn new() -> Self {
            let now = Instant::now();
            Self { claim: Claim::new(now), now }
        }

        fn after(&mut self, time: Duration) -> Step {
            self.now += time;
            self.claim.tick(self.now)
        }

        fn hear(&mut self, packet: &Packet) -> Step {
            let own = ["10.0.0.5".parse().unwrap(), "10.0.0.9".parse().unwrap()];
            self.claim.hear(packet, &own, &records("10.0.0.5"), self.now, LOST)
        }

        fn won() -> Self {
            let mut stage = Self::new();
            let steps: Vec<Step> = (0..4).map(|_| stage.after(MDNS_PROBE)).collect();
            assert_eq!(steps, [Step::Probe, Step::Probe, Step::Probe, Step::Won]);
            assert!(stage.claim.is_ours() && stage.claim.next().is_none());
            stage
        }
    }

    #[test]
    fn a_name_that_nobody_answers_is_ours_after_three_probes() {
        let mut stage = Stage::won();
        assert_eq!(stage.after(LOST), Step::Nothing);
        let probe = stage.claim.probe(records("10.0.0.5"));
        let read = Packet::read(&probe.write()).unwrap();
        assert_eq!((read.questions.len(), read.authorities.len(), read.is_answer), (1, 1, false));
        assert!(read.questions[0].alone);
    }

    #[test]
    fn what_somebody_else_has_is_left_to_them_and_asked_for_later() {
        let mut stage = Stage::new();
        stage.after(MDNS_PROBE);
        assert_eq!(stage.hear(&announcement(records("10.0.0.7"))), Step::Nothing);
        assert_eq!((stage.after(LOST / 2), stage.claim.is_ours()), (Step::Nothing, false));
        stage.after(LOST);
        assert_eq!(stage.after(MDNS_PROBE), Step::Probe);
    }

    #[test]
    fn our_own_voice_and_goodbyes_are_no_other_claim() {
        let mut stage = Stage::won();
        for packet in
            [announcement(records("10.0.0.5")), announcement(records("10.0.0.9")), goodbye(records("10.0.0.7"))]
        {
            assert_eq!(stage.hear(&packet), Step::Nothing);
        }
        assert!(stage.claim.is_ours());
    }

    #[test]
    fn a_name_that_somebody_else_answers_is_given_up() {
        let mut stage = Stage::won();
        stage.after(MDNS_SETTLED * 2);
        assert_eq!(stage.hear(&announcement(records("10.0.0.7"))), Step::Lost);
        // Asked for once more at once; the other one still has it.
        assert_eq!(stage.after(MDNS_PROBE), Step::Probe);
        assert_eq!(stage.hear(&announcement(records("10.0.0.7"))), Step::Nothing);
        assert_eq!(stage.after(LOST / 2), Step::Nothing);
        // Just won and contradicted: given up for longer at once.
        let mut stage = Stage::won();
        assert_eq!(stage.hear(&announcement(records("10.0.0.7"))), Step::Lost);
        assert_eq!(stage.after(LOST / 2), Step::Nothing);
    }

    #[test]
    fn of_two_that_ask_at_once_the_later_in_order_wins() {
        for (other, yields) in [("10.0.0.4", false), ("10.0.0.7", true), ("10.0.0.9", false), ("10.0.0.5", false)] {
            let mut stage = Stage::new();
            stage.after(MDNS_PROBE);
            let probe = Claim::new(stage.now).probe(records(other));
            stage.hear(&probe);
            assert_eq!(stage.after(MDNS_PROBE) == Step::Nothing, yields, "{other}");
        }
    }

    #[test]
    fn other_names_are_no_claim() {
        let mut stage = Stage::won();
        let other = hosts(&Name::of("printer.local"), &[Address::read("10.0.0.7/24").unwrap()]);
        assert_eq!(stage.hear(&announcement(other)), Step::Nothing);
    }
}
