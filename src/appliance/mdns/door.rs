//! One socket: one interface, one version of IP. It hears and says only what goes over that interface.

use std::collections::HashMap;
use std::ffi::OsString;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::BindToDevice;
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, socket_with, sockopt};

use super::packet::{Name, Packet};
use crate::limits::{MDNS_PACKET, MDNS_PER_SECOND};

/// Where multicast DNS is spoken.
pub const PORT: u16 = 5353;
const GROUP_V4: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 251);
const GROUP_V6: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0xfb);
/// Whoever checks it sees that a packet was sent by a neighbour.
const HOPS: u32 = 255;

pub struct Door {
    socket: UdpSocket,
    group: SocketAddr,
    /// When each of our records was last said to all.
    said: HashMap<(Name, u16), Instant>,
    /// Packets of the present second.
    heard: (Instant, u32),
}

impl Door {
    /// Opens the door of an interface.
    pub fn open(interface: &str, is_v4: bool) -> io::Result<Self> {
        let index = nix::net::if_::if_nametoindex(interface)?;
        let family = if is_v4 { AddressFamily::INET } else { AddressFamily::INET6 };
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(family, SocketType::DGRAM, flags, None)?;
        // Somebody else on this machine may speak it too.
        sockopt::set_socket_reuseaddr(&socket, true)?;
        setsockopt(&socket, BindToDevice, &OsString::from(interface))?;
        let (any, group): (IpAddr, SocketAddr) = if is_v4 {
            sockopt::set_ip_multicast_ttl(&socket, HOPS)?;
            sockopt::set_ip_ttl(&socket, HOPS)?;
            sockopt::set_ip_add_membership_with_ifindex(&socket, &GROUP_V4, &Ipv4Addr::UNSPECIFIED, index)?;
            sockopt::set_ip_multicast_if_with_ifindex(&socket, &Ipv4Addr::UNSPECIFIED, &Ipv4Addr::UNSPECIFIED, index)?;
            (Ipv4Addr::UNSPECIFIED.into(), (GROUP_V4, PORT).into())
        } else {
            sockopt::set_ipv6_v6only(&socket, true)?;
            sockopt::set_ipv6_multicast_hops(&socket, HOPS)?;
            sockopt::set_ipv6_unicast_hops(&socket, u8::try_from(HOPS).ok())?;
            sockopt::set_ipv6_add_membership(&socket, &GROUP_V6, index)?;
            sockopt::set_ipv6_multicast_if(&socket, index)?;
            (Ipv6Addr::UNSPECIFIED.into(), SocketAddrV6::new(GROUP_V6, PORT, 0, index).into())
        };
        bind(&socket, &SocketAddr::new(any, PORT))?;
        Ok(Self { socket: UdpSocket::from(socket), group, said: HashMap::new(), heard: (Instant::now(), 0) })
    }

    /// The next packet that is there, and who sent it; `None` where there is none. What is no sound packet, or more than a
    /// second may bring, is passed over.
    pub fn hear(&mut self, now: Instant) -> io::Result<Option<(Packet, SocketAddr)>> {
        let mut bytes = [0; MDNS_PACKET + 1];
        for _ in 0..MDNS_PER_SECOND {
            let (length, from) = match self.socket.recv_from(&mut bytes) {
                Ok(heard) => heard,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if now.saturating_duration_since(self.heard.0).as_secs() >= 1 {
                self.heard = (now, 0);
            }
            self.heard.1 += 1;
            if self.heard.1 <= MDNS_PER_SECOND
                && let Some(packet) = Packet::read(&bytes[..length])
            {
                return Ok(Some((packet, from)));
            }
        }
        Ok(None)
    }

    /// Says something to all, at once.
    pub fn tell_all(&mut self, packet: &Packet, now: Instant) {
        if packet.is_answer {
            self.said.extend(packet.answers.iter().map(|record| ((record.name.clone(), record.data.kind()), now)));
        }
        self.tell(packet, self.group);
    }

    /// Answers a question so that all hear it; what was said less than `pause` ago is not said again.
    pub fn answer_all(&mut self, mut packet: Packet, pause: Duration, now: Instant) {
        packet.answers.retain(|record| {
            let last = self.said.get(&(record.name.clone(), record.data.kind()));
            last.is_none_or(|at| now.saturating_duration_since(*at) >= pause)
        });
        if !packet.answers.is_empty() {
            self.tell_all(&packet, now);
        }
    }

    /// Sends to one address. A packet that cannot be sent is lost, as any other may be.
    pub fn tell(&self, packet: &Packet, to: SocketAddr) {
        if let Err(error) = self.socket.send_to(&packet.write(), to) {
            tracing::debug!("multicast DNS to {to}: {error}");
        }
    }
}

impl AsFd for Door {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
