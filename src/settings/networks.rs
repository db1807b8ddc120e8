//! Networks from which something may be asked for.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use serde::{Deserialize, Serialize};

use crate::limits::NETWORKS;

/// The machine itself, and what belongs to no one on the internet (RFC 1918, 3927, 4193, 4291).
const PRIVATE: [&str; 8] = [
    "127.0.0.0/8",
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "169.254.0.0/16",
    "::1/128",
    "fc00::/7",
    "fe80::/10",
];

/// Networks as people write them, such as `192.0.2.0/24`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Networks(Vec<String>);

impl Networks {
    /// What people write, with commas or blanks between; `Err` names what is no network.
    pub fn entered(text: &str) -> Result<Self, String> {
        let words = text.split([',', ' ', '\t', '\r', '\n']).filter(|word| !word.is_empty());
        let networks: Vec<String> = words.map(str::to_owned).collect();
        match networks.iter().find(|network| parse(network).is_none()) {
            Some(wrong) => Err(wrong.clone()),
            None if networks.len() > NETWORKS => Err("…".into()),
            None => Ok(Self(networks)),
        }
    }

    /// The private ones and this machine.
    pub fn private() -> Self {
        Self(PRIVATE.map(str::to_owned).to_vec())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn allows(&self, peer: IpAddr) -> bool {
        let peer = bits(peer.to_canonical());
        self.0.iter().filter_map(|network| parse(network)).any(|(network, length)| {
            network.1 == peer.1 && (length == 0 || (network.0 ^ peer.0) >> (network.1 - length) == 0)
        })
    }
}

/// As [`Networks::entered`] reads it.
impl fmt::Display for Networks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(", "))
    }
}

/// The bits of an address, and how many they are.
fn bits(address: IpAddr) -> (u128, u32) {
    match address {
        IpAddr::V4(address) => (u32::from(address).into(), 32),
        IpAddr::V6(address) => (address.into(), 128),
    }
}

/// A network, or a single address.
fn parse(text: &str) -> Option<((u128, u32), u32)> {
    let (address, length) = text.split_once('/').map_or((text, None), |(address, length)| (address, Some(length)));
    let address = bits(address.parse::<IpAddr>().ok()?);
    let length = length.map_or(Some(address.1), |length| {
        length.parse().ok().filter(|_| length.bytes().all(|byte| byte.is_ascii_digit()))
    })?;
    (length <= address.1).then_some((address, length))
}

/// What counts as one address where somebody is to be told from others: a household, even a single computer, has a /64 of IPv6.
pub fn household(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_holds_its_addresses_and_no_others() {
        let allows = |networks: &str, peer: &str| Networks::entered(networks).unwrap().allows(peer.parse().unwrap());
        assert!(allows("192.0.2.0/24", "192.0.2.255") && !allows("192.0.2.0/24", "192.0.3.0"));
        assert!(allows("198.51.100.7, 192.0.2.9", "192.0.2.9") && !allows("192.0.2.9", "192.0.2.8"));
        assert!(allows("2001:db8::/32", "2001:db8:ff::1") && !allows("2001:db8::/32", "2001:db9::1"));
        assert!(allows("0.0.0.0/0", "192.0.2.9") && !allows("0.0.0.0/0", "2001:db8::1"));
        assert!(allows("192.0.2.0/24", "::ffff:192.0.2.1"));
        assert!(!allows("", "127.0.0.1"));
        for wrong in ["192.0.2.0/33", "192.0.2/24", "x", "::/129", "1.2.3.4/+1", "1.2.3.4/"] {
            assert_eq!(Networks::entered(wrong), Err(wrong.to_owned()));
        }
    }

    #[test]
    fn private_is_what_no_stranger_comes_from() {
        let is_private = |peer: &str| Networks::private().allows(peer.parse().unwrap());
        for inside in ["127.0.0.1", "10.1.2.3", "172.31.0.1", "192.168.1.9", "169.254.7.7", "::1", "fd00::1", "fe80::1"]
        {
            assert!(is_private(inside), "{inside}");
        }
        for outside in ["8.8.8.8", "172.32.0.1", "192.169.0.1", "100.64.0.1", "2001:db8::1", "::ffff:8.8.8.8"] {
            assert!(!is_private(outside), "{outside}");
        }
    }
}
