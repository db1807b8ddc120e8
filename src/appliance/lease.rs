//! What DHCP gave an interface, as the client's script wrote it down, and the resolver's file that is made of all of it.
//!
//! A lease comes from whoever answers first in the network: every value is bounded, and what is not sound is left out.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use super::settings::{is_domain, is_edge, is_of_a_device, is_server};
use crate::limits::{BOX_DNS, BOX_LEASE, BOX_TIME_SERVERS};

/// A lease (RFC 2131, options of RFC 2132).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    pub address: Ipv4Addr,
    /// 1 to 32.
    pub prefix: u8,
    pub router: Option<Ipv4Addr>,
    pub dns: Vec<IpAddr>,
    pub time_servers: Vec<IpAddr>,
    pub domain: Option<String>,
    /// How long it holds, where that is known.
    pub seconds: Option<u32>,
}

impl Lease {
    /// Reads `KEY=value` lines. `None` where there is no address that a device can have; other values that are not sound are
    /// left out, unknown keys too. The first of several lines with one key counts.
    pub fn parse(text: &str) -> Option<Self> {
        let value = |key: &str| {
            text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('=')).map(str::trim).unwrap_or_default()
        };
        let servers = |key: &str, most: usize| {
            let mut servers: Vec<IpAddr> = Vec::new();
            for server in
                value(key).split_ascii_whitespace().filter_map(|word| word.parse().ok()).filter(|a| is_server(*a))
            {
                if servers.len() < most && !servers.contains(&server) {
                    servers.push(server);
                }
            }
            servers
        };
        let address = value("ip").parse().ok().filter(|address| is_of_a_device(*address))?;
        let prefix = value("mask").parse().ok().filter(|prefix| (1..=32).contains(prefix))?;
        if is_edge(address, prefix) {
            return None;
        }
        let routers = value("router").split_ascii_whitespace().filter_map(|word| word.parse().ok());
        Some(Self {
            address,
            prefix,
            router: routers.filter(|router| is_of_a_device(*router) && *router != address).take(1).next(),
            dns: servers("dns", BOX_DNS),
            time_servers: servers("ntpsrv", BOX_TIME_SERVERS),
            domain: value("domain").split_ascii_whitespace().next().filter(|name| is_domain(name)).map(String::from),
            seconds: value("lease").parse().ok(),
        })
    }

    /// Reads a file of a lease; `None` where there is none, or none that is sound.
    pub fn read(file: &Path) -> Option<Self> {
        let mut text = String::new();
        File::open(file).ok()?.take(BOX_LEASE + 1).read_to_string(&mut text).ok()?;
        if text.len() as u64 > BOX_LEASE { None } else { Self::parse(&text) }
    }
}

/// The resolver's file: servers in the given order, each once and as many as a resolver asks, and where names without a dot are
/// looked for.
pub fn resolv_conf<'a>(servers: impl IntoIterator<Item = &'a IpAddr>, domain: Option<&str>) -> String {
    let mut once: Vec<&IpAddr> = Vec::new();
    for server in servers {
        if once.len() < BOX_DNS && !once.contains(&server) {
            once.push(server);
        }
    }
    let mut text = domain.map_or_else(String::new, |domain| format!("search {domain}\n"));
    for server in once {
        text.push_str(&format!("nameserver {server}\n"));
    }
    text
}

/// Puts the text in the place of the file, whole or not at all.
pub fn replace(file: &Path, text: &str) -> io::Result<()> {
    let half = file.with_extension("new");
    File::create(&half)?.write_all(text.as_bytes())?;
    fs::rename(&half, file)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SOUND: &str = "ip=192.168.1.20\nmask=24\nrouter=192.168.1.1\ndns=192.168.1.1 9.9.9.9\nntpsrv=192.168.1.1\n\
                         domain=lan\nlease=86400\n";

    #[test]
    fn a_lease_says_what_the_server_gave() {
        let lease = Lease::parse(SOUND).unwrap();
        assert_eq!((lease.address, lease.prefix), (Ipv4Addr::new(192, 168, 1, 20), 24));
        assert_eq!(lease.router, Some(Ipv4Addr::new(192, 168, 1, 1)));
        assert_eq!(lease.dns.iter().map(ToString::to_string).collect::<Vec<_>>(), ["192.168.1.1", "9.9.9.9"]);
        assert_eq!(lease.time_servers.len(), 1);
        assert_eq!((lease.domain.as_deref(), lease.seconds), (Some("lan"), Some(86400)));
    }

    #[test]
    fn without_a_sound_address_there_is_no_lease() {
        for text in [
            "",
            "ip=192.168.1.20",
            "mask=24",
            "ip=192.168.1.20\nmask=33",
            "ip=192.168.1.20\nmask=0",
            "ip=192.168.1.20\nmask=255.255.255.0",
            "ip=192.168.1.20\nmask=+\n",
            "ip=192.168.1.255\nmask=24",
            "ip=192.168.1.0\nmask=24",
            "ip=127.0.0.1\nmask=8",
            "ip=224.0.0.1\nmask=24",
            "ip=0.0.0.0\nmask=24",
            "ip=192.168.1.020\nmask=24",
            "ip=1.2.3\nmask=24",
            "ip=192.168.1.20; reboot\nmask=24",
            "ip=::1\nmask=24",
            "IP=192.168.1.20\nMASK=24",
            "ipx=192.168.1.20\nmask=24",
        ] {
            assert_eq!(Lease::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn what_is_not_sound_is_left_out() {
        let lease = |rest: &str| Lease::parse(&format!("ip=10.0.0.2\nmask=32\n{rest}")).unwrap();
        for (rest, router) in [
            ("router=", None),
            ("router=10.0.0.2", None),
            ("router=nowhere", None),
            ("router=255.255.255.255 10.0.0.1 10.0.0.3", Some(Ipv4Addr::new(10, 0, 0, 1))),
            ("router=10.0.0.1\nrouter=10.0.0.9", Some(Ipv4Addr::new(10, 0, 0, 1))),
        ] {
            assert_eq!(lease(rest).router, router, "{rest}");
        }
        assert!(lease("dns=127.0.0.1 0.0.0.0 x 239.1.1.1 ::").dns.is_empty());
        assert_eq!(lease("dns=9.9.9.9 9.9.9.9 9.9.9.8 9.9.9.7 9.9.9.6").dns.len(), BOX_DNS);
        assert_eq!(lease(&format!("ntpsrv={}", "10.0.0.1 10.0.0.2 ".repeat(40))).time_servers.len(), 2);
        for domain in ["domain=-x", "domain=a..b", "domain=", "domain=e\u{1b}[2J", "domain=1.2"] {
            assert_eq!(lease(domain).domain, None, "{domain:?}");
        }
        assert_eq!(lease("lease=-1").seconds, None);
        assert_eq!(lease("lease=99999999999").seconds, None);
    }

    #[test]
    fn a_file_that_is_too_long_or_no_text_is_no_lease() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("eth0.lease");
        assert_eq!(Lease::read(&file), None);
        fs::write(&file, SOUND).unwrap();
        assert_eq!(Lease::read(&file), Lease::parse(SOUND));
        fs::write(&file, format!("{SOUND}{}", "#\n".repeat(4096))).unwrap();
        assert_eq!(Lease::read(&file), None);
        fs::write(&file, b"ip=10.0.0.2\nmask=24\ndomain=\xff\n").unwrap();
        assert_eq!(Lease::read(&file), None);
    }

    #[test]
    fn the_resolver_gets_each_server_once_and_three_at_most() {
        let servers =
            ["9.9.9.9", "10.0.0.1", "9.9.9.9", "2001:db8::1", "10.0.0.3"].map(|a| a.parse::<IpAddr>().unwrap());
        assert_eq!(
            resolv_conf(&servers, Some("lan")),
            "search lan\nnameserver 9.9.9.9\nnameserver 10.0.0.1\nnameserver 2001:db8::1\n"
        );
        assert_eq!(resolv_conf(&[], None), "");
    }

    proptest! {
        #[test]
        fn no_text_makes_a_panic_or_an_unsound_lease(text in "((ip|mask|router|dns|ntpsrv|domain|lease|.{0,4})=(([0-9]{1,3}\\.){3}[0-9]{1,3}|[0-9]{1,10}|.{0,20})( .{0,9})?\n){0,9}") {
            if let Some(lease) = Lease::parse(&text) {
                prop_assert!(is_of_a_device(lease.address) && (1..=32).contains(&lease.prefix));
                prop_assert!(lease.dns.len() <= BOX_DNS && lease.time_servers.len() <= BOX_TIME_SERVERS);
                let lines = resolv_conf(&lease.dns, lease.domain.as_deref());
                prop_assert!(lines.lines().all(|line| line.starts_with("nameserver ") || line.starts_with("search ")));
            }
        }

        #[test]
        fn sound_leases_are_read_whole(address: u32, prefix in 1_u8..=32, router: u32, seconds: u32) {
            let (address, router) = (Ipv4Addr::from(address), Ipv4Addr::from(router));
            prop_assume!(is_of_a_device(address) && !is_edge(address, prefix) && is_of_a_device(router) && router != address);
            let text = format!("lease={seconds}\nrouter={router}\nmask={prefix}\nip={address}\n");
            let lease = Lease::parse(&text).unwrap();
            prop_assert_eq!((lease.address, lease.prefix), (address, prefix));
            prop_assert_eq!((lease.router, lease.seconds), (Some(router), Some(seconds)));
        }
    }
}
