//! The box's own settings: what a person may set, what is wrong with it, and the file that keeps it. The console and the
//! System page say the same.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use super::state::{BoxSettings, StaticAddress};
use crate::language::Lang;
use crate::limits::{BOX_DNS, BOX_INTERFACES, BOX_SETTINGS, BOX_TIME_SERVERS};

/// One mistake at one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// `address`, `prefix`, `router`, `dns`, `time_servers` or `interface`.
    pub key: &'static str,
    /// Of which interface; empty for what is no interface's.
    pub interface: String,
    /// Which of several, where the field is a list.
    pub row: Option<usize>,
    /// What was given, as an error shows it; empty where there is nothing to show.
    pub given: String,
    pub what: What,
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Interface,
    Interfaces,
    Address,
    AddressKind,
    AddressOfNetwork,
    AddressTaken,
    Prefix,
    Router,
    RouterOutside,
    RouterOwn,
    Dns,
    DnsMany,
    TimeServer,
    TimeServerTwice,
    TimeServers,
}

impl Mistake {
    fn new(key: &'static str, interface: &str, what: What) -> Self {
        Self { key, interface: interface.into(), row: None, given: String::new(), what }
    }

    fn given(mut self, given: impl fmt::Display) -> Self {
        self.given = format!("{:?}", given.to_string().chars().take(100).collect::<String>());
        self
    }

    fn row(mut self, row: usize) -> Self {
        self.row = Some(row);
        self
    }

    /// What is wrong and what to do, to stand beside the field.
    pub fn sentence(&self, lang: Lang) -> String {
        let (de, en) = match self.what {
            What::Interface => (
                "So heisst kein Netzwerkanschluss. Wählen Sie einen der angezeigten.",
                "No network interface has such a name. Choose one of those shown.",
            ),
            What::Interfaces => (
                "Das sind zu viele Netzwerkanschlüsse; 16 gehen.",
                "These are too many network interfaces; 16 will do.",
            ),
            What::Address => (
                "Geben Sie Adresse und Präfix an wie 192.168.1.20/24.",
                "Give address and prefix such as 192.168.1.20/24.",
            ),
            What::AddressKind => (
                "Diese Adresse kann kein Gerät haben. Geben Sie eine freie Adresse Ihres Netzes an.",
                "No device can have this address. Give a free address of your network.",
            ),
            What::AddressOfNetwork => (
                "Das ist die erste oder letzte Adresse des Netzes, die kein Gerät haben kann. Geben Sie eine dazwischen an.",
                "This is the first or last address of its network, which no device can have. Give one in between.",
            ),
            What::AddressTaken => (
                "Diese Adresse hat schon ein anderer Anschluss der Box. Geben Sie eine andere an.",
                "Another interface of the box has this address. Give another one.",
            ),
            What::Prefix => (
                "Geben Sie als Präfix 1 bis 30 an; üblich ist 24 (255.255.255.0).",
                "Give a prefix from 1 to 30; usual is 24 (255.255.255.0).",
            ),
            What::Router => (
                "Geben Sie die Adresse des Routers an wie 192.168.1.1, oder nichts.",
                "Give the address of the router such as 192.168.1.1, or nothing.",
            ),
            What::RouterOutside => (
                "Der Router liegt nicht im Netz dieser Adresse. Prüfen Sie Adresse, Präfix und Router.",
                "The router is outside the network of this address. Check address, prefix and router.",
            ),
            What::RouterOwn => (
                "Das ist die Adresse der Box selbst. Geben Sie die des Routers an.",
                "This is the address of the box itself. Give that of the router.",
            ),
            What::Dns => (
                "Geben Sie Adressen von DNS-Servern an wie 192.168.1.1, keine Namen.",
                "Give addresses of DNS servers such as 192.168.1.1, no names.",
            ),
            What::DnsMany => ("Geben Sie höchstens drei DNS-Server an.", "Give at most three DNS servers."),
            What::TimeServer => (
                "Geben Sie den Namen oder die Adresse eines Zeitservers an wie ntp.example.ch.",
                "Give the name or address of a time server such as ntp.example.ch.",
            ),
            What::TimeServerTwice => (
                "Dieser Zeitserver steht zweimal da. Löschen Sie einen.",
                "This time server is given twice. Remove one.",
            ),
            What::TimeServers => ("Geben Sie höchstens acht Zeitserver an.", "Give at most eight time servers."),
        };
        if lang == Lang::De { de } else { en }.into()
    }
}

/// Interface, key, what was given, and what to do: as a line of a log.
impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for word in [self.interface.as_str(), self.key, &self.given].into_iter().filter(|word| !word.is_empty()) {
            write!(f, "{word} ")?;
        }
        write!(f, "- {}", self.sentence(Lang::En))
    }
}

impl std::error::Error for Mistake {}

/// All that is wrong with these settings; nothing where they can be applied as they are.
pub fn validate(settings: &BoxSettings) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    if settings.static_addresses.len() > BOX_INTERFACES {
        mistakes.push(Mistake::new("interface", "", What::Interfaces));
    }
    let mut taken = BTreeSet::new();
    for (interface, wanted) in &settings.static_addresses {
        if !is_interface(interface) {
            mistakes.push(Mistake::new("interface", "", What::Interface).given(interface));
        }
        mistakes.extend(validate_static(interface, wanted));
        if !taken.insert(wanted.address) {
            mistakes.push(Mistake::new("address", interface, What::AddressTaken).given(wanted.address));
        }
    }
    if settings.time_servers.len() > BOX_TIME_SERVERS {
        mistakes.push(Mistake::new("time_servers", "", What::TimeServers));
    }
    for (row, server) in settings.time_servers.iter().enumerate() {
        let mistake = |what| Mistake::new("time_servers", "", what).row(row).given(server);
        if !is_host(server) {
            mistakes.push(mistake(What::TimeServer));
        } else if settings.time_servers[..row].iter().any(|other| other.eq_ignore_ascii_case(server)) {
            mistakes.push(mistake(What::TimeServerTwice));
        }
    }
    mistakes
}

/// All that is wrong with the fixed address of one interface.
pub fn validate_static(interface: &str, wanted: &StaticAddress) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    let mut wrong = |key, what, given: &dyn fmt::Display| {
        mistakes.push(Mistake::new(key, interface, what).given(given));
    };
    let prefix_is_sound = (1..=30).contains(&wanted.prefix);
    if !prefix_is_sound {
        wrong("prefix", What::Prefix, &wanted.prefix);
    }
    if !is_of_a_device(wanted.address) {
        wrong("address", What::AddressKind, &wanted.address);
    } else if prefix_is_sound && is_edge(wanted.address, wanted.prefix) {
        wrong("address", What::AddressOfNetwork, &wanted.address);
    }
    if let Some(router) = wanted.router {
        if router == wanted.address {
            wrong("router", What::RouterOwn, &router);
        } else if !is_of_a_device(router) {
            wrong("router", What::Router, &router);
        } else if prefix_is_sound
            && (network(router, wanted.prefix) != network(wanted.address, wanted.prefix)
                || is_edge(router, wanted.prefix))
        {
            wrong("router", What::RouterOutside, &router);
        }
    }
    if wanted.dns.len() > BOX_DNS {
        wrong("dns", What::DnsMany, &wanted.dns.len());
    }
    for (row, server) in wanted.dns.iter().enumerate().filter(|(_, server)| !is_server(**server)) {
        mistakes.push(Mistake::new("dns", interface, What::Dns).row(row).given(server));
    }
    mistakes
}

/// A fixed address as a person types it: `192.168.1.20/24` (a space or the mask `255.255.255.0` will do as well, since `/` is
/// hard to find on a keyboard of another country), the router or nothing, DNS servers separated by spaces or commas.
pub fn static_address(
    interface: &str,
    address: &str,
    router: &str,
    dns: &str,
) -> std::result::Result<StaticAddress, Vec<Mistake>> {
    let mut mistakes = Vec::new();
    let both = address_and_prefix(address);
    if both.is_none() {
        mistakes.push(Mistake::new("address", interface, What::Address).given(address.trim()));
    }
    let router = match router.trim() {
        "" => None,
        text => text.parse().map_or_else(
            |_| {
                mistakes.push(Mistake::new("router", interface, What::Router).given(text));
                None
            },
            Some,
        ),
    };
    let mut servers = Vec::new();
    for (row, text) in words(dns).enumerate().take(BOX_DNS + 1) {
        match text.parse() {
            Ok(server) => servers.push(server),
            Err(_) => mistakes.push(Mistake::new("dns", interface, What::Dns).row(row).given(text)),
        }
    }
    let Some((address, prefix)) = both else { return Err(mistakes) };
    let wanted = StaticAddress { address, prefix, router, dns: servers };
    mistakes.extend(validate_static(interface, &wanted));
    if mistakes.is_empty() { Ok(wanted) } else { Err(mistakes) }
}

/// Names or addresses separated by spaces, commas or lines; whether they are sound says [`validate`].
pub fn time_servers(text: &str) -> Vec<String> {
    words(text).take(BOX_TIME_SERVERS + 1).map(String::from).collect()
}

/// Reads the settings. A file that is not there is no settings; one that cannot be read or is wrong is told to `log` and
/// counts as none, so that the box asks by DHCP and can be reached.
pub fn load(file: &Path, log: &dyn Fn(&str)) -> BoxSettings {
    let read = File::open(file).and_then(|file| {
        let mut bytes = Vec::new();
        file.take(BOX_SETTINGS + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    });
    let wrong = match read {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return BoxSettings::default(),
        Err(error) => error.to_string(),
        Ok(bytes) if bytes.len() as u64 > BOX_SETTINGS => "it is too long".into(),
        Ok(bytes) => match serde_json::from_slice::<BoxSettings>(&bytes) {
            Err(error) => error.to_string(),
            Ok(settings) => match validate(&settings).first() {
                None => return settings,
                Some(mistake) => mistake.to_string(),
            },
        },
    };
    log(&format!(
        "{}: {wrong}; the network is asked by DHCP. Set it again in System or at the console.",
        file.display()
    ));
    BoxSettings::default()
}

/// Writes the settings; after a power cut the old ones or the new ones are there.
pub fn save(file: &Path, settings: &BoxSettings) -> io::Result<()> {
    let half = file.with_extension("new");
    let mut new = File::create(&half)?;
    new.write_all(&serde_json::to_vec_pretty(settings)?)?;
    new.sync_all()?;
    fs::rename(&half, file)?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// Whether an interface can have this name: 1 to 15 characters as the kernel takes them, and none that means something to a
/// program that is given it.
pub fn is_interface(name: &str) -> bool {
    (1..=15).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.@".contains(c))
}

/// Whether this is an address or a host name (RFC 1123) whose last label is no number, so that a mistyped address is none.
pub fn is_host(text: &str) -> bool {
    text.parse::<IpAddr>().map_or_else(|_| is_domain(text), is_server)
}

/// Whether this is a domain name (RFC 1123).
pub fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253
        && text.split('.').all(is_label)
        && !text.rsplit('.').next().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Whether a server of the network can have this address.
pub fn is_server(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_of_a_device(address),
        IpAddr::V6(address) => !address.is_unspecified() && !address.is_loopback() && !address.is_multicast(),
    }
}

/// Whether a device can have this address: not 0.0.0.0/8, loopback, multicast or reserved (RFC 6890).
pub fn is_of_a_device(address: Ipv4Addr) -> bool {
    (1..224).contains(&address.octets()[0]) && !address.is_loopback()
}

/// Whether this is the first or the last address of its network. A prefix above 30 has neither (RFC 3021).
pub fn is_edge(address: Ipv4Addr, prefix: u8) -> bool {
    let hosts = !mask(prefix);
    prefix <= 30 && [0, hosts].contains(&(u32::from(address) & hosts))
}

fn network(address: Ipv4Addr, prefix: u8) -> u32 {
    u32::from(address) & mask(prefix)
}

fn mask(prefix: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(prefix.min(32))).unwrap_or(0)
}

fn address_and_prefix(text: &str) -> Option<(Ipv4Addr, u8)> {
    let (address, prefix) = text.trim().split_once(|c: char| c == '/' || c.is_whitespace())?;
    let prefix = prefix.trim();
    let number = prefix.parse().ok().or_else(|| {
        let given = u32::from(prefix.parse::<Ipv4Addr>().ok()?);
        u8::try_from(given.leading_ones()).ok().filter(|ones| mask(*ones) == given)
    })?;
    Some((address.parse().ok()?, number))
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c == ',' || c == ';' || c.is_whitespace()).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn typed(address: &str, router: &str, dns: &str) -> Vec<(&'static str, What)> {
        static_address("eth0", address, router, dns)
            .err()
            .unwrap_or_default()
            .iter()
            .map(|mistake| (mistake.key, mistake.what))
            .collect()
    }

    #[test]
    fn a_fixed_address_is_what_a_device_can_have() {
        for (address, router, dns, wrong) in [
            ("192.168.1.20/24", "192.168.1.1", "192.168.1.1, 9.9.9.9", &[] as &[(&str, What)]),
            ("192.168.1.20 24", "", "", &[]),
            ("192.168.1.20/255.255.255.0", "", "2001:db8::1", &[]),
            ("10.0.0.1/30", "10.0.0.2", "", &[]),
            ("10.255.255.254/8", "10.0.0.1", "", &[]),
            ("", "", "", &[("address", What::Address)]),
            ("192.168.1.20", "", "", &[("address", What::Address)]),
            ("192.168.1.300/24", "", "", &[("address", What::Address)]),
            ("192.168.1.20/255.0.255.0", "", "", &[("address", What::Address)]),
            ("192.168.1.20/0", "", "", &[("prefix", What::Prefix)]),
            ("192.168.1.20/31", "", "", &[("prefix", What::Prefix)]),
            ("192.168.1.20/33", "192.168.1.1", "", &[("prefix", What::Prefix)]),
            ("192.168.1.0/24", "", "", &[("address", What::AddressOfNetwork)]),
            ("192.168.1.255/24", "", "", &[("address", What::AddressOfNetwork)]),
            ("127.0.0.1/8", "", "", &[("address", What::AddressKind)]),
            ("224.0.0.251/24", "", "", &[("address", What::AddressKind)]),
            ("255.255.255.255/24", "", "", &[("address", What::AddressKind)]),
            ("0.0.0.0/24", "", "", &[("address", What::AddressKind)]),
            ("192.168.1.20/24", "192.168.2.1", "", &[("router", What::RouterOutside)]),
            ("192.168.1.20/24", "192.168.1.255", "", &[("router", What::RouterOutside)]),
            ("192.168.1.20/24", "192.168.1.20", "", &[("router", What::RouterOwn)]),
            ("192.168.1.20/24", "fritz.box", "", &[("router", What::Router)]),
            ("192.168.1.20/24", "", "dns.example.ch", &[("dns", What::Dns)]),
            ("192.168.1.20/24", "", "9.9.9.9 127.0.0.1", &[("dns", What::Dns)]),
            ("192.168.1.20/24", "", "9.9.9.9 9.9.9.8 9.9.9.7 9.9.9.6", &[("dns", What::DnsMany)]),
        ] {
            assert_eq!(typed(address, router, dns), wrong, "{address} {router} {dns}");
        }
    }

    #[test]
    fn two_interfaces_have_two_addresses() {
        let fixed = static_address("eth0", "10.0.0.2/24", "", "").unwrap();
        let mut settings = BoxSettings::default();
        settings.static_addresses.insert("eth0".into(), fixed.clone());
        settings.static_addresses.insert("eth1".into(), fixed.clone());
        settings.static_addresses.insert("-a; reboot".into(), fixed);
        let wrong: Vec<_> = validate(&settings).into_iter().map(|mistake| mistake.what).collect();
        assert_eq!(wrong, [What::Interface, What::AddressTaken, What::AddressTaken]);
    }

    #[test]
    fn time_servers_are_hosts() {
        let check = |text: &str| {
            let settings = BoxSettings { time_servers: time_servers(text), ..BoxSettings::default() };
            validate(&settings).into_iter().map(|mistake| (mistake.row, mistake.what)).collect::<Vec<_>>()
        };
        assert_eq!(check("ntp.example.ch, 192.168.1.1\n2001:db8::1 zeit"), []);
        assert_eq!(check("ntp.example.ch NTP.example.ch"), [(Some(1), What::TimeServerTwice)]);
        for wrong in ["192.168.1.300", "-x", "a..b", "ntp_1", "http://ntp", "127.0.0.1", "::", "ü.ch"] {
            assert_eq!(check(wrong), [(Some(0), What::TimeServer)], "{wrong}");
        }
        assert_eq!(check("a b c d e f g h i j"), [(None, What::TimeServers)]);
    }

    #[test]
    fn settings_come_back_and_a_broken_file_counts_as_none() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("settings.json");
        let told = std::cell::RefCell::new(Vec::new());
        let load = || load(&file, &|line| told.borrow_mut().push(line.to_string()));
        assert_eq!(load(), BoxSettings::default());
        assert!(told.borrow().is_empty());
        let mut settings = BoxSettings { time_servers: vec!["ntp.example.ch".into()], ..BoxSettings::default() };
        settings
            .static_addresses
            .insert("eth0".into(), static_address("eth0", "10.0.0.2/24", "10.0.0.1", "9.9.9.9").unwrap());
        save(&file, &settings).unwrap();
        assert_eq!(load(), settings);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(told.borrow().is_empty());
        let long = vec![b' '; usize::try_from(BOX_SETTINGS).unwrap() + 1];
        for broken in [
            &b""[..],
            b"{",
            b"{\"unknown\": 1}",
            b"\xff\xfe",
            b"{\"time_servers\": [\"a b\"]}",
            br#"{"static_addresses":{"eth0":{"address":"10.0.0.0","prefix":24,"router":null,"dns":[]}}}"#,
            &long,
        ] {
            fs::write(&file, broken).unwrap();
            told.borrow_mut().clear();
            assert_eq!(load(), BoxSettings::default());
            assert_eq!(told.borrow().len(), 1);
        }
    }

    #[test]
    fn every_mistake_has_a_sentence_in_both_languages() {
        for mistake in [What::Interface, What::Prefix, What::RouterOutside, What::TimeServers] {
            let mistake = Mistake::new("address", "eth0", mistake).given("a\u{1b}[2J");
            assert!(mistake.sentence(Lang::De).len() > 20 && mistake.sentence(Lang::En).len() > 20);
            assert_ne!(mistake.sentence(Lang::De), mistake.sentence(Lang::En));
            assert!(!mistake.to_string().chars().any(char::is_control));
        }
    }

    proptest! {
        #[test]
        fn nothing_typed_makes_a_panic(address in ".{0,60}", router in ".{0,40}", dns in ".{0,80}") {
            let _ = static_address("eth0", &address, &router, &dns);
            let _ = time_servers(&dns);
        }

        #[test]
        fn what_is_accepted_is_in_one_network(address: u32, prefix: u8, router: u32) {
            let wanted = StaticAddress { address: address.into(), prefix, router: Some(router.into()), dns: vec![] };
            if validate_static("eth0", &wanted).is_empty() {
                let (size, hosts) = (1_u64 << (32 - prefix), u64::from(address) % (1 << (32 - prefix)));
                prop_assert!((1..=30).contains(&prefix) && hosts != 0 && hosts != size - 1 && router != address);
                prop_assert_eq!(u64::from(address) / size, u64::from(router) / size);
            }
        }

        #[test]
        fn settings_survive_the_file(last in 1_u8..254, prefix in 1_u8..=24, servers in proptest::collection::vec("[a-z]{1,9}", 0..8)) {
            let wanted = StaticAddress { address: Ipv4Addr::new(10, 1, 2, last), prefix, router: None, dns: vec![] };
            let mut settings = BoxSettings::default();
            settings.static_addresses.insert("eth0".into(), wanted);
            settings.time_servers = servers;
            settings.time_servers.dedup();
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("settings.json");
            save(&file, &settings).unwrap();
            let expected = if validate(&settings).is_empty() { settings } else { BoxSettings::default() };
            prop_assert_eq!(load(&file, &|_| {}), expected);
        }
    }
}
