//! One time server over the network.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs, UdpSocket};
use std::time::{Duration, Instant};

use ring::rand::{SecureRandom, SystemRandom};

use super::packet::{self, Answer};
use crate::limits::{SNTP_PACKETS, SNTP_TIMEOUT};
use crate::pulse::Pulse;

/// What became of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// What this clock is behind, and how long the packets were on their way; microseconds.
    Time { by: i64, on_the_way: i64 },
    /// It wants to be asked less often.
    Rest,
    /// It does not want to be asked.
    Never,
}

/// Asks a server by its name or address; `near`: about what time it is at least, Unix seconds. A name with several addresses
/// is tried at the first of each kind.
pub fn ask(server: &str, port: u16, near: i64, pulse: &Pulse) -> io::Result<Heard> {
    let all: Vec<SocketAddr> = (server, port).to_socket_addrs()?.collect();
    pulse.beat();
    let first = |is_v4: bool| all.iter().find(|address| address.is_ipv4() == is_v4);
    let mut result = Err(io::Error::new(io::ErrorKind::NotFound, "it has no address"));
    for address in [first(true), first(false)].into_iter().flatten() {
        result = ask_address(*address, near, pulse);
        if result.is_ok() {
            break;
        }
    }
    result
}

fn ask_address(address: SocketAddr, near: i64, pulse: &Pulse) -> io::Result<Heard> {
    let own: SocketAddr = match address {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(own)?;
    // From now on the kernel passes on what comes from there only.
    socket.connect(address)?;
    let mut cookie = [0; 8];
    SystemRandom::new().fill(&mut cookie).map_err(|_| io::Error::other("no random numbers"))?;
    // The clock may be set while the answer is on its way: the time between is measured by another one.
    let (asked, since) = (now(), Instant::now());
    socket.send(&packet::question(cookie))?;
    let mut bytes = [0; 512];
    for _ in 0..SNTP_PACKETS {
        pulse.beat();
        let left = SNTP_TIMEOUT.saturating_sub(since.elapsed());
        if left.is_zero() {
            break;
        }
        socket.set_read_timeout(Some(left.max(Duration::from_millis(1))))?;
        let length = match socket.recv(&mut bytes) {
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let took = i64::try_from(since.elapsed().as_micros()).unwrap_or(i64::MAX);
        match packet::read(&bytes[..length], cookie, near) {
            Ok(Answer::Times { received, sent }) => {
                let (by, on_the_way) = packet::offset(asked, took, received, sent)
                    .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "its times contradict each other"))?;
                return Ok(Heard::Time { by, on_the_way });
            }
            Ok(Answer::Rate) => return Ok(Heard::Rest),
            Ok(Answer::Deny) => return Ok(Heard::Never),
            // Whoever sends rubbish in its name does not keep the answer away.
            Err(packet::Unusable::Foreign | packet::Unusable::NoAnswer) => {}
            Err(unusable) => return Err(io::Error::new(io::ErrorKind::InvalidData, unusable)),
        }
    }
    Err(io::ErrorKind::TimedOut.into())
}

/// This clock, microseconds since 1970.
fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}
