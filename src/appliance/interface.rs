//! The network interfaces as the kernel shows them: which are real, whether a cable is in, what addresses they have, and the
//! name that the box takes from the first of them.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use nix::ifaddrs::getifaddrs;
use nix::net::if_::InterfaceFlags;

use super::settings::is_interface;
use crate::limits::{BOX_ADDRESSES, BOX_INTERFACES, BOX_SYSFS};

/// Ethernet, among the kernel's types of hardware (`ARPHRD_ETHER`).
const ETHERNET: &str = "1";
/// A hardware address that the driver drew by lot, another one at each start (`NET_ADDR_RANDOM`).
const RANDOM: &str = "1";

/// One real interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub name: String,
    pub index: u32,
    pub hardware_address: String,
    pub is_up: bool,
    pub has_carrier: bool,
    /// Where the interface stands among others when the box takes its name: the same at every start.
    rank: (bool, bool, Vec<Part>),
}

/// A piece of a device's path; numbers stand in their own order, `0000:00:03.0` before `0000:00:10.0`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Number(u64),
    Word(String),
}

/// All real interfaces below `/sys/class/net`, by name: Ethernet with a device behind it. No loopback, bridge, tunnel, radio
/// (nothing here speaks for one), nor the hidden half of a virtual machine's pair.
pub fn real(folder: &Path) -> Vec<Seen> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut seen: Vec<Seen> = names.filter_map(|name| look(folder, &name)).collect();
    seen.sort_by_key(|one| natural(&one.name));
    seen.truncate(BOX_INTERFACES);
    seen
}

/// Whether the interface is up; `None` where it is not there.
pub fn is_up(folder: &Path, name: &str) -> Option<bool> {
    let flags = line(&folder.join(name).join("flags"))?;
    let flags = i32::from_str_radix(flags.trim_start_matches("0x"), 16).ok()?;
    Some(flags & InterfaceFlags::IFF_UP.bits() != 0)
}

/// The interface that the box takes its name from: the lowest in the order in which they hang at the machine's buses, not the
/// one in which drivers found them; what is plugged in or has no address of its own comes last. So it is the same at every
/// start.
pub fn lowest(seen: &[Seen]) -> Option<&Seen> {
    seen.iter().min_by(|a, b| a.rank.cmp(&b.rank))
}

impl Seen {
    /// Whether the box takes its name rather from this one.
    pub fn is_before(&self, other: &Self) -> bool {
        self.rank < other.rank
    }

    /// `archivista-4f2a`: the last four digits of the hardware address.
    pub fn box_name(&self) -> String {
        let digits: Vec<char> = self.hardware_address.chars().filter(char::is_ascii_hexdigit).collect();
        let last = &digits[digits.len().saturating_sub(4)..];
        format!("archivista-{}", last.iter().collect::<String>().to_ascii_lowercase())
    }
}

/// The addresses of all interfaces with the length of their prefix: IPv4, IPv6, and last what holds on the cable alone.
pub fn addresses() -> BTreeMap<String, Vec<String>> {
    let mut all: BTreeMap<String, Vec<(IpAddr, u32)>> = BTreeMap::new();
    for entry in getifaddrs().into_iter().flatten() {
        let (Some(address), Some(mask)) = (entry.address, entry.netmask) else { continue };
        let found = if let (Some(address), Some(mask)) = (address.as_sockaddr_in(), mask.as_sockaddr_in()) {
            (IpAddr::V4(address.ip()), u32::from(mask.ip()).count_ones())
        } else if let (Some(address), Some(mask)) = (address.as_sockaddr_in6(), mask.as_sockaddr_in6()) {
            (IpAddr::V6(address.ip()), u128::from(mask.ip()).count_ones())
        } else {
            continue;
        };
        let list = all.entry(entry.interface_name).or_default();
        if list.len() < BOX_ADDRESSES {
            list.push(found);
        }
    }
    let text = |mut list: Vec<(IpAddr, u32)>| {
        list.sort_by_key(|(address, _)| (is_of_the_cable(*address), *address));
        list.iter().map(|(address, prefix)| format!("{address}/{prefix}")).collect()
    };
    all.into_iter().map(|(name, list)| (name, text(list))).collect()
}

/// Whether the address holds on one cable alone (RFC 3927, RFC 4291 2.5.6): no browser gets there by it.
pub fn is_of_the_cable(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}

fn look(folder: &Path, name: &str) -> Option<Seen> {
    let place = folder.join(name);
    if !is_interface(name)
        || !place.join("device").exists()
        || place.join("phy80211").exists()
        || place.join("master").exists()
        || line(&place.join("type"))? != ETHERNET
    {
        return None;
    }
    let hardware_address = line(&place.join("address")).filter(|address| is_hardware_address(address))?;
    let is_random = line(&place.join("addr_assign_type")).is_some_and(|kind| kind == RANDOM);
    let path = fs::canonicalize(place.join("device")).unwrap_or_else(|_| PathBuf::from(name));
    let path = path.to_string_lossy();
    let rank = (is_random, path.contains("/usb"), [natural(&path), natural(name)].concat());
    Some(Seen {
        name: name.into(),
        index: line(&place.join("ifindex"))?.parse().ok()?,
        hardware_address,
        is_up: is_up(folder, name)?,
        // Not to be read while the interface is down.
        has_carrier: line(&place.join("carrier")).is_some_and(|carrier| carrier == "1"),
        rank,
    })
}

/// Six bytes in hexadecimal, not all of them zero.
fn is_hardware_address(text: &str) -> bool {
    let bytes: Vec<_> = text.split(':').collect();
    bytes.len() == 6
        && bytes.iter().all(|byte| byte.len() == 2 && byte.bytes().all(|digit| digit.is_ascii_hexdigit()))
        && bytes.iter().any(|byte| *byte != "00")
}

fn natural(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let is_number = rest.starts_with(|c: char| c.is_ascii_digit());
        let end = rest.find(|c: char| c.is_ascii_digit() != is_number).unwrap_or(rest.len());
        let (part, after) = rest.split_at(end);
        let number = part.parse().ok().filter(|_| is_number);
        parts.push(number.map_or_else(|| Part::Word(part.into()), Part::Number));
        rest = after;
    }
    parts
}

/// A small file of the kernel without its line end.
fn line(file: &Path) -> Option<String> {
    let mut text = String::new();
    File::open(file).ok()?.take(BOX_SYSFS).read_to_string(&mut text).ok()?;
    Some(text.trim().into())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    struct Tree(tempfile::TempDir);

    impl Tree {
        fn new() -> Self {
            let tree = Self(tempfile::tempdir().unwrap());
            fs::create_dir(tree.net()).unwrap();
            tree
        }

        fn net(&self) -> PathBuf {
            self.0.path().join("net")
        }

        /// An interface at a bus address, with a hardware address.
        fn add(&self, name: &str, bus: &str, address: &str) -> PathBuf {
            let (place, device) = (self.net().join(name), self.0.path().join("devices").join(bus));
            fs::create_dir_all(&device).unwrap();
            fs::create_dir(&place).unwrap();
            symlink(&device, place.join("device")).unwrap();
            let files = [("address", address), ("flags", "0x1003"), ("ifindex", "2"), ("type", "1"), ("carrier", "1")];
            for (file, text) in files {
                fs::write(place.join(file), format!("{text}\n")).unwrap();
            }
            place
        }
    }

    fn names(tree: &Tree) -> Vec<String> {
        real(&tree.net()).into_iter().map(|seen| seen.name).collect()
    }

    #[test]
    fn only_real_interfaces_are_looked_after() {
        let tree = Tree::new();
        for name in ["lo", "br0", "tun0"] {
            let place = tree.net().join(name);
            fs::create_dir(&place).unwrap();
            fs::write(place.join("address"), "52:54:00:12:34:56").unwrap();
        }
        tree.add("eth10", "pci/5", "52:54:00:00:00:05");
        tree.add("eth2", "pci/4", "52:54:00:00:00:04");
        fs::create_dir(tree.add("wlan0", "pci/3", "52:54:00:00:00:03").join("phy80211")).unwrap();
        fs::create_dir(tree.add("half0", "pci/2", "52:54:00:00:00:02").join("master")).unwrap();
        fs::write(tree.add("wwan0", "pci/1", "52:54:00:00:00:01").join("type"), "512").unwrap();
        tree.add("none0", "pci/6", "00:00:00:00:00:00");
        tree.add("odd0", "pci/7", "nonsense");
        tree.add("bad name", "pci/8", "52:54:00:00:00:08");
        assert_eq!(names(&tree), ["eth2", "eth10"]);
        assert!(real(&tree.net().join("nowhere")).is_empty());
    }

    #[test]
    fn a_cable_that_cannot_be_read_of_is_not_in() {
        let tree = Tree::new();
        let place = tree.add("eth0", "pci/1", "52:54:00:00:00:01");
        assert!(real(&tree.net())[0].has_carrier && real(&tree.net())[0].is_up);
        fs::remove_file(place.join("carrier")).unwrap();
        fs::write(place.join("flags"), "0x1002\n").unwrap();
        assert!(!real(&tree.net())[0].has_carrier && !real(&tree.net())[0].is_up);
    }

    #[test]
    fn the_name_is_the_same_in_whichever_order_interfaces_are_found() {
        let tree = Tree::new();
        let name = || lowest(&real(&tree.net())).map(Seen::box_name);
        assert_eq!(name(), None);
        tree.add("eth0", "usb1/1-1", "52:54:00:00:0A:01");
        assert_eq!(name().unwrap(), "archivista-0a01");
        tree.add("eth1", "pci0000:00/0000:00:10.0", "52:54:00:00:0a:02");
        assert_eq!(name().unwrap(), "archivista-0a02");
        tree.add("eth2", "pci0000:00/0000:00:3.0", "52:54:00:00:4f:2a");
        assert_eq!(name().unwrap(), "archivista-4f2a");
        let random = tree.add("eth3", "pci0000:00/0000:00:1.0", "52:54:00:00:0a:03");
        fs::write(random.join("addr_assign_type"), "1\n").unwrap();
        assert_eq!(name().unwrap(), "archivista-4f2a");
    }

    #[test]
    fn addresses_come_with_their_prefix() {
        let all = addresses();
        if let Some(lo) = all.get("lo") {
            assert!(lo.contains(&"127.0.0.1/8".to_string()), "{lo:?}");
        }
    }
}
