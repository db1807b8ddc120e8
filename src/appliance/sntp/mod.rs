//! The time, asked of time servers: a role of `serve` on a box. `supervise` sets the clock.
//!
//! Servers are asked in this order, until three have answered: those that an administrator set, one that DHCP named, the
//! usual ones, the others of DHCP. Where three answered, two have to agree, so that a wrong one does not set the clock.
//!
//! - `packet`: a question and its answer as bytes; `ask`: one server over the network

mod ask;
pub mod packet;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use ring::rand::{SecureRandom, SystemRandom};

use super::link::Link;
use super::state::{BoxState, Clock};
use crate::clock;
use crate::limits::{
    SNTP_AGREE, SNTP_AT_ONCE, SNTP_CHANGED, SNTP_EVERY, SNTP_FIRST, SNTP_OFF, SNTP_REST, SNTP_SERVERS, SNTP_TOLERATED,
};
use crate::pulse::Pulse;
use ask::Heard;

/// Asked where nobody named others, or too few of them answer.
const USUAL: [&str; 4] = ["0.pool.ntp.org", "1.pool.ntp.org", "2.pool.ntp.org", "3.pool.ntp.org"];
/// UDP port of time servers.
const PORT: u16 = 123;
/// Time between two looks at whether to go on.
const LOOK: Duration = Duration::from_millis(200);

/// What one server says of this clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    pub server: String,
    /// What this clock is behind, microseconds; negative: ahead.
    pub by: i64,
    /// Time that the packets were on their way, microseconds.
    pub on_the_way: i64,
}

/// Keeps asking for the time.
pub struct Sntp {
    /// UDP port of the servers.
    pub port: u16,
    /// Names or addresses that are asked after those of the box's state.
    pub usual: Vec<String>,
    /// The time is never earlier than this, Unix seconds: the last commit.
    pub floor: i64,
    /// Servers that asked to be left alone, and until when; `None`: for as long as this process runs.
    resting: HashMap<String, Option<Instant>>,
}

impl Sntp {
    pub fn new(floor: i64) -> Self {
        Self { port: PORT, usual: USUAL.map(String::from).to_vec(), floor, resting: HashMap::new() }
    }

    /// Asks, has the clock set, waits, asks again, until it is cancelled.
    pub fn run(&mut self, link: &Link, pulse: &Pulse) {
        while pulse.go_on().is_ok() {
            let state = link.state();
            let known = addresses(&state);
            let is_set = self.round(link, &state, pulse);
            let pause = if is_set { jittered(SNTP_EVERY) } else { SNTP_FIRST };
            let since = Instant::now();
            while since.elapsed() < pause && pulse.go_on().is_ok() {
                // A network that has just come up, or another one: the answer may be another one as well.
                if since.elapsed() > SNTP_CHANGED && addresses(&link.state()) != known {
                    break;
                }
                std::thread::sleep(LOOK);
            }
        }
    }

    /// Asks once. Tells whether the time is known now.
    pub fn round(&mut self, link: &Link, state: &BoxState, pulse: &Pulse) -> bool {
        let offers = self.offers(&self.servers(state), pulse);
        let Some(offer) = choose(&offers) else {
            if !offers.is_empty() {
                tracing::warn!("time servers disagree: {}", said(&offers));
            }
            return false;
        };
        let now = clock::now().saturating_add(offer.by / 1_000_000);
        if now < self.floor {
            tracing::warn!(
                "{} says that it is {}, but the archive was written to at {}; the clock is left as it is",
                offer.server,
                clock::rfc3339(now),
                clock::rfc3339(self.floor)
            );
            return false;
        }
        let clock = Clock::Server { server: offer.server.clone(), at: now, corrected: offer.by / 1000 };
        // A small difference is not worth a jump; the answer is told all the same.
        let by = if offer.by.unsigned_abs() > micros(SNTP_TOLERATED) { offer.by } else { 0 };
        link.set_clock(by, clock);
        true
    }

    /// The servers to ask, in their order, each once.
    fn servers(&self, state: &BoxState) -> Vec<String> {
        let given = state.settings.time_servers.clone();
        let named = state.interfaces.iter().flat_map(|interface| &interface.time_servers).map(ToString::to_string);
        let mut named = named.filter(|server| !given.contains(server));
        // One that DHCP named, then the usual ones, then its others: whoever plays the network's DHCP has one voice of three,
        // as long as the others can be reached.
        let first = named.next();
        let mut servers: Vec<String> = Vec::new();
        for server in given.iter().cloned().chain(first).chain(self.usual.iter().cloned()).chain(named) {
            if servers.len() < SNTP_SERVERS && !servers.contains(&server) {
                servers.push(server);
            }
        }
        servers
    }

    /// Asks until enough have answered.
    fn offers(&mut self, servers: &[String], pulse: &Pulse) -> Vec<Offer> {
        self.resting.retain(|_, until| until.is_none_or(|until| until > Instant::now()));
        let mut offers = Vec::new();
        for server in servers {
            if offers.len() == SNTP_AT_ONCE || pulse.go_on().is_err() {
                break;
            }
            if self.resting.contains_key(server) {
                continue;
            }
            match ask::ask(server, self.port, self.floor, pulse) {
                Ok(Heard::Time { by, on_the_way }) => offers.push(Offer { server: server.clone(), by, on_the_way }),
                Ok(Heard::Rest) => drop(self.resting.insert(server.clone(), Some(Instant::now() + SNTP_REST))),
                Ok(Heard::Never) => drop(self.resting.insert(server.clone(), None)),
                Err(error) => tracing::debug!("time server {server}: {error}"),
            }
        }
        offers
    }
}

/// The offer to follow: the only one; of several, the quickest of those that most agree with. `None` where two contradict
/// each other, or three.
pub fn choose(offers: &[Offer]) -> Option<&Offer> {
    let agree = |one: &Offer, other: &Offer| one.by.abs_diff(other.by) <= micros(SNTP_AGREE);
    let friends = |one: &Offer| offers.iter().filter(|other| agree(one, other)).count();
    let most = offers.iter().map(friends).max()?;
    let agreed = offers.iter().filter(|offer| friends(offer) == most && 2 * most > offers.len());
    agreed.min_by_key(|offer| offer.on_the_way)
}

fn said(offers: &[Offer]) -> String {
    let each = |offer: &Offer| format!("{} {} ms", offer.server, offer.by / 1000);
    offers.iter().map(each).collect::<Vec<_>>().join(", ")
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// By what a change of the network is seen.
fn addresses(state: &BoxState) -> Vec<(Vec<String>, Vec<std::net::IpAddr>, Vec<String>)> {
    let of = |interface: &super::state::Interface| {
        (interface.addresses.clone(), interface.time_servers.clone(), state.settings.time_servers.clone())
    };
    state.interfaces.iter().map(of).collect()
}

/// A little more or less, so that the boxes of one office do not ask all at once.
fn jittered(time: Duration) -> Duration {
    let mut byte = [128];
    let _ = SystemRandom::new().fill(&mut byte);
    time.saturating_sub(time / SNTP_OFF) + time * 2 * u32::from(byte[0]) / (255 * SNTP_OFF)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::appliance::state::Interface;

    fn offers(all: &[(i64, i64)]) -> Vec<Offer> {
        let offer = |(place, (by, way)): (usize, &(i64, i64))| Offer {
            server: place.to_string(),
            by: by * 1000,
            on_the_way: *way,
        };
        all.iter().enumerate().map(offer).collect()
    }

    #[test]
    fn one_wrong_server_does_not_set_the_clock() {
        for (given, chosen) in [
            (&[][..], None),
            (&[(5000, 9)], Some("0")),
            (&[(5000, 9), (5900, 3)], Some("1")),
            (&[(5000, 9), (6100, 3)], None),
            (&[(5000, 9), (5100, 8), (90_000_000, 1)], Some("1")),
            (&[(90_000_000, 1), (5000, 9), (5100, 8)], Some("2")),
            (&[(1, 1), (5000, 9), (90_000, 8)], None),
            // The one in the middle agrees with both.
            (&[(0, 1), (900, 9), (1800, 2)], Some("1")),
            (&[(i64::MIN / 1000, 1), (i64::MAX / 1000, 9)], None),
        ] {
            assert_eq!(choose(&offers(given)).map(|offer| offer.server.as_str()), chosen, "{given:?}");
        }
    }

    #[test]
    fn servers_come_in_their_order_once_and_bounded() {
        let mut state = BoxState::default();
        let sntp = Sntp::new(0);
        assert_eq!(sntp.servers(&state), USUAL);
        state.settings.time_servers = vec!["time.example".into(), "192.0.2.1".into()];
        let time_servers = ["192.0.2.1", "192.0.2.2", "192.0.2.3"].map(|server| server.parse().unwrap()).to_vec();
        state.interfaces = vec![Interface { time_servers, ..Interface::default() }];
        let servers = sntp.servers(&state);
        assert_eq!(servers[..4], ["time.example", "192.0.2.1", "192.0.2.2", "0.pool.ntp.org"]);
        assert_eq!(servers.last().unwrap(), "192.0.2.3");
        state.settings.time_servers = (0..100).map(|number| format!("t{number}.example")).collect();
        assert_eq!(sntp.servers(&state).len(), SNTP_SERVERS);
    }

    #[test]
    fn the_pause_is_about_an_hour() {
        for _ in 0..100 {
            let pause = jittered(SNTP_EVERY);
            assert!(pause.abs_diff(SNTP_EVERY) <= SNTP_EVERY / SNTP_OFF);
        }
    }
}
