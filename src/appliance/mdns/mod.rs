//! The box's names in its network, without a server for names (RFC 6762): a role of `serve` on a box. `archivista-4f2a.local` always,
//! `archivista.local` where nobody else has it, and a service `_https._tcp` for those who look around (RFC 6763).
//!
//! - `packet`: bytes; `records`: what is said and how a question is answered; `claim`: who has the common name; `door`: one
//!   socket per interface and version of IP

pub mod claim;
mod door;
pub mod packet;
pub mod records;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use ring::rand::{SecureRandom, SystemRandom};

use super::link::Link;
use super::state::BoxState;
use crate::limits::{
    BOX_INTERFACES, MDNS_ANNOUNCE, MDNS_ANNOUNCEMENTS, MDNS_DOOR_AGAIN, MDNS_LOOK, MDNS_PER_SECOND, MDNS_PROBE,
    MDNS_SAID_AGAIN,
};
use crate::pulse::Pulse;
use claim::{Claim, Step};
use door::{Door, PORT};
use packet::{Name, Packet, Record};
use records::{Address, COMMON};

/// One interface and what was said on it.
#[derive(Default)]
struct Place {
    addresses: Vec<Address>,
    /// For IPv4 and IPv6; those that could not be opened are tried again.
    doors: [Option<Door>; 2],
    tried: Option<Instant>,
    told: Vec<Record>,
    /// Announcements that are still to be made, and when the next one is.
    announce: (u32, Option<Instant>),
}

/// What the role knows.
struct Mdns {
    own: String,
    claim: Claim,
    places: BTreeMap<String, Place>,
}

/// Answers until it is cancelled, then says goodbye.
pub fn run(link: &Link, pulse: &Pulse) -> std::io::Result<()> {
    let mut mdns = Mdns { own: String::new(), claim: Claim::new(Instant::now()), places: BTreeMap::new() };
    let mut looked: Option<Instant> = None;
    while pulse.go_on().is_ok() {
        let now = Instant::now();
        if looked.is_none_or(|at| now.saturating_duration_since(at) >= MDNS_LOOK) {
            looked = Some(now);
            mdns.look(&link.state(), now);
        }
        mdns.act(now);
        mdns.wait(now)?;
        mdns.listen();
    }
    mdns.end();
    Ok(())
}

impl Mdns {
    /// Follows the box's interfaces, addresses and name.
    fn look(&mut self, state: &BoxState, now: Instant) {
        let mut there: BTreeMap<&str, Vec<Address>> = BTreeMap::new();
        for interface in state.interfaces.iter().take(BOX_INTERFACES).filter(|interface| interface.has_carrier) {
            let addresses: Vec<Address> =
                interface.addresses.iter().filter_map(|address| Address::read(address)).collect();
            if !addresses.is_empty() {
                there.insert(&interface.name, addresses);
            }
        }
        let mut has_changed = self.own != state.name;
        self.own.clone_from(&state.name);
        self.places.retain(|name, _| there.contains_key(name.as_str()));
        for (name, addresses) in there {
            let place = self.places.entry(name.to_owned()).or_default();
            if place.addresses != addresses {
                place.addresses = addresses;
                has_changed = true;
            }
            place.open(name, now);
        }
        if has_changed {
            let was_ours = self.claim.is_ours();
            self.claim.ask_again(now);
            // What holds no more is taken back; the common name has to be asked for anew.
            self.tell(now, was_ours);
        }
    }

    /// What is to be said on a place.
    fn records(&self, place: &Place) -> Vec<Record> {
        records::all(&self.own, self.claim.is_ours(), &place.addresses)
    }

    /// Says goodbye to what holds no more, and announces what is new. With `keep_common`, the common name is not taken back
    /// yet: most often it is ours again in a moment.
    fn tell(&mut self, now: Instant, keep_common: bool) {
        let common = Name::of(COMMON);
        let all: Vec<(String, Vec<Record>)> =
            self.places.iter().map(|(name, place)| (name.clone(), self.records(place))).collect();
        for (name, new) in all {
            let Some(place) = self.places.get_mut(&name) else { continue };
            let is_kept = |record: &Record| {
                keep_common && record.name == common && new.iter().any(|other| other.data == record.data)
            };
            let gone: Vec<Record> =
                place.told.iter().filter(|record| !new.contains(record) && !is_kept(record)).cloned().collect();
            if !gone.is_empty() {
                place.tell_all(&records::goodbye(gone), now);
            }
            if new != place.told {
                place.told = new;
                place.announce = (MDNS_ANNOUNCEMENTS, Some(now));
            }
        }
    }

    /// What the time has brought: probes, announcements.
    fn act(&mut self, now: Instant) {
        match self.claim.tick(now) {
            Step::Probe => {
                let common = Name::of(COMMON);
                for place in self.places.values_mut() {
                    let probe = self.claim.probe(records::hosts(&common, &place.addresses));
                    place.tell_all(&probe, now);
                }
            }
            Step::Won => {
                if !self.places.is_empty() {
                    tracing::info!("{COMMON} is this box");
                }
                self.tell(now, false);
            }
            Step::Lost | Step::Nothing => {}
        }
        for place in self.places.values_mut() {
            if let (left @ 1.., Some(next)) = place.announce
                && next <= now
            {
                place.announce = (left - 1, Some(now + MDNS_ANNOUNCE));
                let announcement = records::announcement(place.told.clone());
                place.tell_all(&announcement, now);
            }
        }
    }

    /// Waits until something is heard or to be done.
    fn wait(&self, now: Instant) -> std::io::Result<()> {
        let announcements =
            self.places.values().filter(|place| place.announce.0 > 0).filter_map(|place| place.announce.1);
        let next = announcements.chain(self.claim.next()).min().unwrap_or(now + MDNS_LOOK);
        let pause = next.saturating_duration_since(now).min(MDNS_LOOK).max(Duration::from_millis(5));
        let doors = self.places.values().flat_map(|place| place.doors.iter().flatten());
        let mut waiting: Vec<PollFd<'_>> =
            doors.map(|door| PollFd::new(std::os::fd::AsFd::as_fd(door), PollFlags::POLLIN)).collect();
        let timeout = PollTimeout::try_from(pause).unwrap_or(PollTimeout::ZERO);
        match poll(&mut waiting, timeout) {
            Ok(_) | Err(nix::errno::Errno::EINTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Hears what is there, and answers.
    fn listen(&mut self) {
        let names: Vec<String> = self.places.keys().cloned().collect();
        for name in names {
            for version in [0, 1] {
                for _ in 0..MDNS_PER_SECOND {
                    let now = Instant::now();
                    let Some(door) = self.places.get_mut(&name).and_then(|place| place.doors[version].as_mut()) else {
                        break;
                    };
                    match door.hear(now) {
                        Ok(Some((packet, from))) => self.heard(&name, version, &packet, from, now),
                        Ok(None) => break,
                        Err(error) => {
                            tracing::debug!("multicast DNS on {name}: {error}");
                            // Most often the interface is gone.
                            if let Some(place) = self.places.get_mut(&name) {
                                place.doors[version] = None;
                            }
                            break;
                        }
                    }
                }
            }
        }
    }

    fn heard(&mut self, name: &str, version: usize, packet: &Packet, from: SocketAddr, now: Instant) {
        let own: Vec<IpAddr> =
            self.places.values().flat_map(|place| place.addresses.iter().map(|address| address.ip)).collect();
        let Some(place) = self.places.get(name) else { return };
        if !records::is_local(&place.addresses, from.ip()) {
            return;
        }
        // Of what is said from any other port nothing is to be believed (RFC 6762, section 6).
        if from.port() == PORT {
            let proposed = records::hosts(&Name::of(COMMON), &place.addresses);
            let mut chance = [0];
            let _ = SystemRandom::new().fill(&mut chance);
            let lost_for = claim::lost_for(chance[0]);
            if self.claim.hear(packet, &own, &proposed, now, lost_for) == Step::Lost {
                tracing::warn!("{COMMON} is somebody else ({}) as well; this box gives it up", from.ip());
                self.tell(now, false);
            }
        }
        if packet.is_answer {
            return;
        }
        let Some(place) = self.places.get_mut(name) else { return };
        let Some(answer) = records::answer(packet, &place.told) else { return };
        let Some(door) = place.doors[version].as_mut() else { return };
        if from.port() != PORT {
            door.tell(&records::legacy(answer, packet), from);
        } else if packet.questions.iter().all(|question| question.alone) {
            door.tell(&answer, from);
        } else {
            // Whoever asks in order to take a name takes it after three questions of a quarter of a second each: this one has
            // to be answered although the same was just said (RFC 6762, section 6).
            let pause = if packet.is_probe() { MDNS_PROBE } else { MDNS_SAID_AGAIN };
            door.answer_all(answer, pause, now);
        }
    }

    fn end(&mut self) {
        let now = Instant::now();
        for place in self.places.values_mut() {
            let goodbye = records::goodbye(std::mem::take(&mut place.told));
            if !goodbye.answers.is_empty() {
                place.tell_all(&goodbye, now);
            }
        }
    }
}

impl Place {
    /// Opens the doors that are not open; after one that could not be opened, not at once again.
    fn open(&mut self, name: &str, now: Instant) {
        if self.tried.is_some_and(|at| now.saturating_duration_since(at) < MDNS_DOOR_AGAIN) {
            return;
        }
        for (version, door) in self.doors.iter_mut().enumerate() {
            let is_v4 = version == 0;
            if door.is_some() || !self.addresses.iter().any(|address| address.ip.is_ipv4() == is_v4) {
                continue;
            }
            self.tried = Some(now);
            match Door::open(name, is_v4) {
                Ok(open) => {
                    *door = Some(open);
                    // Who can only hear this one has heard nothing yet.
                    self.announce = (MDNS_ANNOUNCEMENTS, Some(now));
                }
                Err(error) => tracing::debug!("multicast DNS on {name}: {error}"),
            }
        }
    }

    fn tell_all(&mut self, packet: &Packet, now: Instant) {
        for door in self.doors.iter_mut().flatten() {
            door.tell_all(packet, now);
        }
    }
}
