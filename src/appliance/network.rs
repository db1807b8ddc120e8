//! The network: every real interface is brought up and has its address, by DHCP for ever or as somebody set it.
//!
//! Looked at once a second, so that an interface that appears late, a cable that comes back, a client that died and a setting
//! that changed are all the same: what is there is compared with what should be. IPv6 addresses are the kernel's.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::dhcp::{self, Client};
use super::interface::{self, Seen};
use super::lease::{self, Lease};
use super::program;
use super::settings::validate_static;
use super::shared::Shared;
use super::state::{BoxSettings, Interface, StaticAddress};
use crate::limits::{DHCP_FIRST_PAUSE, DHCP_LONGEST_PAUSE};
use crate::pulse::Pulse;

const LOOK: Duration = Duration::from_secs(1);
const NAP: Duration = Duration::from_millis(200);
/// Who is preferred where two interfaces have a router: the one that the kernel found first.
const METRIC: u32 = 100;

/// Where the network is seen and changed; a test has its own.
#[derive(Clone, Debug)]
pub struct Places {
    /// A folder per interface.
    pub interfaces: PathBuf,
    /// `IFACE.lease`, `IFACE.pid` and `resolv.conf`; emptied by a start of the machine.
    pub run: PathBuf,
    /// The program that is `ip` and `udhcpc`.
    pub busybox: PathBuf,
    /// What `udhcpc` calls: it applies a lease and writes it down.
    pub script: PathBuf,
    /// What is written here becomes the machine's name.
    pub hostname: PathBuf,
}

impl Places {
    pub fn of_the_box() -> Self {
        Self {
            interfaces: "/sys/class/net".into(),
            run: "/run/network".into(),
            busybox: "/bin/busybox".into(),
            script: "/usr/share/udhcpc/default.script".into(),
            hostname: "/proc/sys/kernel/hostname".into(),
        }
    }

    fn lease(&self, interface: &str) -> PathBuf {
        self.run.join(format!("{interface}.lease"))
    }
}

/// The role: looks after the network until it is asked to end. Its DHCP clients end with it, addresses stay.
pub fn run(shared: &Shared, places: &Places, pulse: &Pulse) -> io::Result<()> {
    fs::create_dir_all(&places.run)?;
    dhcp::end_leftovers(places);
    let mut network = Network::new(shared, places, pulse);
    while pulse.go_on().is_ok() {
        network.look(Instant::now());
        let since = Instant::now();
        while since.elapsed() < LOOK && pulse.go_on().is_ok() {
            std::thread::sleep(NAP);
        }
    }
    Ok(())
}

/// All interfaces and what was done with them.
pub struct Network<'a> {
    shared: &'a Shared,
    places: &'a Places,
    pulse: &'a Pulse,
    known: BTreeMap<String, Known>,
    /// The interface that the box has its name from; kept when it goes.
    named: Option<Seen>,
    resolver: Option<String>,
}

/// What was done with one interface.
struct Known {
    index: u32,
    addressing: Addressing,
    had_carrier: bool,
    rest: Rest,
    /// As it was logged.
    told: String,
}

enum Addressing {
    None,
    Dhcp(Client),
    Fixed(StaticAddress),
}

/// A pause after what went wrong, longer each time.
#[derive(Default)]
struct Rest {
    until: Option<Instant>,
    pause: Duration,
}

impl Rest {
    fn is_over(&self, now: Instant) -> bool {
        self.until.is_none_or(|until| now >= until)
    }

    fn begin(&mut self, now: Instant) -> Duration {
        self.pause = (self.pause * 2).clamp(DHCP_FIRST_PAUSE, DHCP_LONGEST_PAUSE);
        self.until = Some(now + self.pause);
        self.pause
    }
}

impl<'a> Network<'a> {
    pub fn new(shared: &'a Shared, places: &'a Places, pulse: &'a Pulse) -> Self {
        Self { shared, places, pulse, known: BTreeMap::new(), named: None, resolver: None }
    }

    /// Compares what is there with what should be, and mends it.
    pub fn look(&mut self, now: Instant) {
        let settings = self.shared.state().settings;
        if interface::is_up(&self.places.interfaces, "lo") == Some(false) {
            let _ = self.ip(&["link", "set", "dev", "lo", "up"]);
        }
        let seen = interface::real(&self.places.interfaces);
        self.forget_gone(&seen);
        self.take_name(&seen);
        for one in &seen {
            self.pulse.beat();
            let mut known = self.known.remove(&one.name).unwrap_or_else(|| {
                self.shared.log(&format!("{}: {}", one.name, one.hardware_address));
                Known {
                    index: one.index,
                    addressing: Addressing::None,
                    had_carrier: one.has_carrier,
                    rest: Rest::default(),
                    told: String::new(),
                }
            });
            self.mend(one, &mut known, &settings, now);
            self.known.insert(one.name.clone(), known);
        }
        self.show(&seen);
    }

    /// Interfaces that are gone, or whose name is another device's now, keep nothing.
    fn forget_gone(&mut self, seen: &[Seen]) {
        let is_there = |name: &str, known: &Known| seen.iter().any(|one| one.name == name && one.index == known.index);
        let gone = self.known.extract_if(.., |name, known| !is_there(name, known));
        for (name, mut known) in gone {
            self.shared.log(&format!("{name}: gone"));
            end_dhcp(self.places, self.pulse, &name, &mut known);
        }
    }

    /// The box has its name from the lowest interface that it has seen since its start.
    fn take_name(&mut self, seen: &[Seen]) {
        let Some(lowest) = interface::lowest(seen) else { return };
        if self.named.as_ref().is_some_and(|named| !lowest.is_before(named)) {
            return;
        }
        let name = lowest.box_name();
        if let Err(error) = fs::write(&self.places.hostname, &name) {
            self.shared.log(&format!("{}: {error}", self.places.hostname.display()));
        }
        self.shared.change(|state| state.name.clone_from(&name));
        self.named = Some(lowest.clone());
        // Clients told the server another name.
        for (interface, known) in &mut self.known {
            end_dhcp(self.places, self.pulse, interface, known);
        }
    }

    fn mend(&self, seen: &Seen, known: &mut Known, settings: &BoxSettings, now: Instant) {
        let name = &seen.name;
        let returned = seen.has_carrier && !known.had_carrier;
        if seen.has_carrier != known.had_carrier {
            self.shared.log(&format!("{name}: cable {}", if seen.has_carrier { "in" } else { "out" }));
            known.had_carrier = seen.has_carrier;
        }
        if let Addressing::Dhcp(client) = &mut known.addressing
            && let Some(how) = client.ended()
        {
            if client.age() > DHCP_LONGEST_PAUSE {
                known.rest = Rest::default();
            }
            end_dhcp(self.places, self.pulse, name, known);
            let pause = known.rest.begin(now);
            self.shared.log(&format!("{name}: udhcpc ended ({how}); started again in {} s", pause.as_secs()));
        }
        let wanted = settings.static_addresses.get(name).filter(|wanted| validate_static(name, wanted).is_empty());
        if seen.is_up
            && match (&known.addressing, wanted) {
                (Addressing::Fixed(is), Some(wanted)) => is == wanted,
                (Addressing::Dhcp(client), None) => {
                    if returned {
                        client.renew();
                    }
                    true
                }
                _ => false,
            }
        {
            return;
        }
        // What somebody changed is done at once; what went wrong waits.
        let has_changed = match &known.addressing {
            Addressing::None => false,
            Addressing::Fixed(is) => wanted != Some(is),
            Addressing::Dhcp(_) => wanted.is_some(),
        };
        if !has_changed && !known.rest.is_over(now) {
            return;
        }
        if let Err(error) = self.address(seen, known, wanted) {
            let pause = known.rest.begin(now);
            self.shared.log(&format!("{name}: {error}; tried again in {} s", pause.as_secs()));
        }
    }

    /// Gives an interface its address, or a client that asks for one.
    fn address(&self, seen: &Seen, known: &mut Known, wanted: Option<&StaticAddress>) -> io::Result<()> {
        let name = seen.name.as_str();
        let was_fixed = matches!(known.addressing, Addressing::Fixed(_));
        if !seen.is_up {
            self.ip(&["link", "set", "dev", name, "up"])?;
            // An interface that was down has lost its routes.
            if was_fixed {
                known.addressing = Addressing::None;
            }
        }
        match (wanted, &known.addressing) {
            (None, Addressing::Dhcp(_)) => {}
            (None, _) => {
                if was_fixed {
                    self.flush(name)?;
                    known.rest = Rest::default();
                }
                let _ = fs::remove_file(self.places.lease(name));
                let name_of_box = self.named.as_ref().map(Seen::box_name);
                known.addressing = Addressing::None;
                known.addressing = Addressing::Dhcp(Client::start(self.places, name, name_of_box.as_deref())?);
            }
            (Some(wanted), _) => {
                end_dhcp(self.places, self.pulse, name, known);
                known.addressing = Addressing::None;
                self.flush(name)?;
                let address = format!("{}/{}", wanted.address, wanted.prefix);
                self.ip(&["addr", "add", &address, "broadcast", "+", "dev", name])?;
                if let Some(router) = wanted.router {
                    let (router, metric) = (router.to_string(), (METRIC + seen.index).to_string());
                    self.ip(&["route", "replace", "default", "via", &router, "dev", name, "metric", &metric])?;
                }
                known.addressing = Addressing::Fixed(wanted.clone());
                known.rest = Rest::default();
            }
        }
        Ok(())
    }

    /// Takes all IPv4 addresses; the last one that goes takes the routes with it.
    fn flush(&self, interface: &str) -> io::Result<()> {
        self.ip(&["-4", "addr", "flush", "dev", interface])
    }

    fn ip(&self, arguments: &[&str]) -> io::Result<()> {
        let arguments = [&["ip"], arguments].concat();
        program::run(&self.places.busybox, &arguments, self.pulse)
    }

    /// Tells the others, and the resolver.
    fn show(&mut self, seen: &[Seen]) {
        let mut addresses = interface::addresses();
        let mut interfaces = Vec::new();
        let mut domain = None;
        for one in seen {
            let Some(known) = self.known.get_mut(&one.name) else { continue };
            let mut shown = Interface {
                name: one.name.clone(),
                hardware_address: one.hardware_address.clone(),
                has_carrier: one.has_carrier,
                addresses: addresses.remove(&one.name).unwrap_or_default(),
                ..Interface::default()
            };
            let mut told = String::new();
            match &known.addressing {
                Addressing::None => {}
                Addressing::Fixed(fixed) => {
                    shown.is_static = true;
                    shown.router = fixed.router.map(IpAddr::V4);
                    shown.dns.clone_from(&fixed.dns);
                    told = format!("{}/{}, set by hand{}", fixed.address, fixed.prefix, via(shown.router));
                }
                Addressing::Dhcp(_) => {
                    if let Some(lease) = Lease::read(&self.places.lease(&one.name)) {
                        shown.router = lease.router.map(IpAddr::V4);
                        told = format!("{}/{} by DHCP{}", lease.address, lease.prefix, via(shown.router));
                        shown.dns = lease.dns;
                        shown.time_servers = lease.time_servers;
                        domain = domain.or(lease.domain);
                    }
                }
            }
            if told != known.told {
                let line = if told.is_empty() { "no address any more" } else { &told };
                self.shared.log(&format!("{}: {line}", one.name));
                known.told = told;
            }
            interfaces.push(shown);
        }
        // What somebody set comes first, then what servers say; each in the order of the interfaces.
        let (fixed, leased): (Vec<_>, Vec<_>) = interfaces.iter().partition(|interface| interface.is_static);
        let servers = fixed.into_iter().chain(leased).flat_map(|interface| &interface.dns);
        self.write_resolver(lease::resolv_conf(servers, domain.as_deref()));
        self.shared.change(|state| state.interfaces = interfaces);
    }

    fn write_resolver(&mut self, text: String) {
        let file = self.places.run.join("resolv.conf");
        if self.resolver.as_ref() == Some(&text) && file.exists() {
            return;
        }
        match lease::replace(&file, &text) {
            Ok(()) => self.resolver = Some(text),
            Err(error) => self.shared.log(&format!("{}: {error}", file.display())),
        }
    }
}

impl Drop for Network<'_> {
    fn drop(&mut self) {
        for (name, known) in &mut self.known {
            end_dhcp(self.places, self.pulse, name, known);
        }
    }
}

/// Ends the client, if there is one, and forgets what it got.
fn end_dhcp(places: &Places, pulse: &Pulse, interface: &str, known: &mut Known) {
    if let Addressing::Dhcp(client) = &mut known.addressing {
        client.end(pulse);
        forget(&places.lease(interface));
        known.addressing = Addressing::None;
    }
}

fn forget(lease: &Path) {
    let _ = fs::remove_file(lease);
}

fn via(router: Option<IpAddr>) -> String {
    router.map_or_else(String::new, |router| format!(", router {router}"))
}
