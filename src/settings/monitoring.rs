//! Which networks may ask for the figures of `/metrics` without a token.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{Result, read_json, write_json};
use crate::archive::Archive;
use crate::limits::METRICS_NETWORKS;

const KEY: &str = "monitoring";

/// What an administrator set of monitoring.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Monitoring {
    /// As `192.0.2.0/24`; none: nobody without a token.
    pub networks: Vec<String>,
}

impl Monitoring {
    pub fn read(archive: &Archive) -> Result<Self> {
        read_json(archive, KEY)
    }

    pub fn write(&self, archive: &Archive, who: &str) -> Result<()> {
        write_json(archive, KEY, self, who)
    }

    /// Networks as people write them, with commas or blanks between; `Err` names what is none.
    pub fn entered(text: &str) -> std::result::Result<Self, String> {
        let words = text.split([',', ' ', '\t', '\r', '\n']).filter(|word| !word.is_empty());
        let networks: Vec<String> = words.map(str::to_owned).collect();
        match networks.iter().find(|network| parse(network).is_none()) {
            Some(wrong) => Err(wrong.clone()),
            None if networks.len() > METRICS_NETWORKS => Err("…".into()),
            None => Ok(Self { networks }),
        }
    }

    pub fn allows(&self, peer: IpAddr) -> bool {
        let peer = bits(peer.to_canonical());
        self.networks.iter().filter_map(|network| parse(network)).any(|(network, length)| {
            network.1 == peer.1 && (length == 0 || (network.0 ^ peer.0) >> (network.1 - length) == 0)
        })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_holds_its_addresses_and_no_others() {
        let allows = |networks: &str, peer: &str| Monitoring::entered(networks).unwrap().allows(peer.parse().unwrap());
        assert!(allows("192.0.2.0/24", "192.0.2.255") && !allows("192.0.2.0/24", "192.0.3.0"));
        assert!(allows("198.51.100.7, 192.0.2.9", "192.0.2.9") && !allows("192.0.2.9", "192.0.2.8"));
        assert!(allows("2001:db8::/32", "2001:db8:ff::1") && !allows("2001:db8::/32", "2001:db9::1"));
        assert!(allows("0.0.0.0/0", "192.0.2.9") && !allows("0.0.0.0/0", "2001:db8::1"));
        assert!(allows("192.0.2.0/24", "::ffff:192.0.2.1"));
        assert!(!allows("", "127.0.0.1"));
        for wrong in ["192.0.2.0/33", "192.0.2/24", "x", "::/129", "1.2.3.4/+1", "1.2.3.4/"] {
            assert_eq!(Monitoring::entered(wrong), Err(wrong.to_owned()));
        }
    }
}
