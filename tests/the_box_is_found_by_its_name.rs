//! Promise: in a network without a server for names, the box is found as `archivista-XXXX.local`, and as `archivista.local` where
//! nobody else is; it follows its addresses, gives the common name up when somebody else has it, and says goodbye.
//!
//! A network of its own in the kernel, two machines, and foreign programs on the other one: python's zeroconf, and avahi.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use archivista::appliance::link::Link;
use archivista::appliance::mdns;
use archivista::appliance::state::{BoxState, Interface};
use archivista::pulse::Pulse;

use crate::support::around::Around;
use crate::support::must_run;

const HANGS_AFTER: Duration = Duration::from_secs(30);

/// Asks for names as a browser's machine would, and prints what is found: addresses, or the service.
const RESOLVE: &str = "
import socket, sys, time
from zeroconf import DNSOutgoing, DNSQuestion, IPVersion, ServiceInfo, Zeroconf
kind, name, version = sys.argv[1:]
if version == '4':
    zc = Zeroconf(interfaces=['10.77.0.2'], ip_version=IPVersion.V4Only)
else:
    zc = Zeroconf(interfaces=[socket.if_nametoindex('inner')], ip_version=IPVersion.V6Only)
if kind == 'service':
    info = ServiceInfo('_https._tcp.local.', name)
    print(info.server, info.port, sorted(info.parsed_addresses())) if info.request(zc, 5000) else print('nobody')
else:
    found, end = set(), time.monotonic() + 5
    while time.monotonic() < end and not found:
        out = DNSOutgoing(0)
        for kind in (1, 28):
            out.add_question(DNSQuestion(name, kind, 1))
        zc.send(out)
        time.sleep(.5)
        for kind in (1, 28):
            found.update(record.address for record in zc.cache.get_all_by_details(name, kind, 1))
    families = {4: socket.AF_INET, 16: socket.AF_INET6}
    print(sorted(socket.inet_ntop(families[len(address)], address) for address in found))
zc.close()
";

/// Two machines with a cable between them. This thread is on the first one (interface `outer`), and so is what it starts.
struct Cable {
    neighbour: Child,
    dir: tempfile::TempDir,
}

impl Cable {
    /// # Panics
    /// Without the right to make networks: a test that skips itself proves nothing. It needs root.
    fn new() -> Self {
        nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNET)
            .expect("a network of its own: only root may make one");
        let mut neighbour = Command::new("unshare").args(["--net", "sleep", "600"]).spawn().unwrap();
        let pid = neighbour.id().to_string();
        let since = Instant::now();
        let network = |pid: &str| fs::read_link(format!("/proc/{pid}/ns/net")).unwrap();
        let own = fs::read_link("/proc/thread-self/ns/net").unwrap();
        while network(&pid) == own || fs::read_to_string(format!("/proc/{pid}/comm")).unwrap().trim() != "sleep" {
            assert!(since.elapsed() < HANGS_AFTER && neighbour.try_wait().unwrap().is_none());
            thread::sleep(Duration::from_millis(10));
        }
        let cable = Self { neighbour, dir: tempfile::tempdir().unwrap() };
        ip(&format!("link add outer type veth peer name inner netns {pid}"));
        ip("address add 10.77.0.1/24 dev outer");
        ip("address add fe80::1/64 dev outer nodad");
        ip("address add 2001:db8:77::1/64 dev outer nodad");
        ip("link set lo up");
        ip("link set outer up");
        for words in [
            "address add 10.77.0.2/24 dev inner",
            "address add fe80::2/64 dev inner nodad",
            "link set inner up",
            "link set lo up",
        ] {
            must_run(cable.beside("ip").args(words.split(' ')));
        }
        cable
    }

    /// A program on the other machine.
    fn beside(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.neighbour.id().to_string(), "--net", program]);
        command
    }

    fn resolve(&self, kind: &str, name: &str, version: &str) -> String {
        must_run(self.beside("/usr/bin/python3").args(["-c", RESOLVE, kind, name, version])).trim().to_owned()
    }

    fn addresses(&self, name: &str) -> String {
        self.resolve("host", name, "4")
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        let _ = self.neighbour.kill();
        let _ = self.neighbour.wait();
    }
}

fn ip(words: &str) {
    must_run(Command::new("ip").args(words.split(' ')));
}

const ADDRESSES: [&str; 3] = ["10.77.0.1/24", "fe80::1/64", "2001:db8:77::1/64"];

fn on(addresses: &[&str]) -> BoxState {
    let interface = Interface {
        name: "outer".into(),
        has_carrier: true,
        addresses: addresses.iter().map(|address| (*address).to_owned()).collect(),
        ..Interface::default()
    };
    BoxState { name: "archivista-4f2a".into(), interfaces: vec![interface], ..BoxState::default() }
}

/// The role, as `serve` runs it; ended when dropped.
struct Speaking {
    around: Around,
    link: Arc<Link>,
    end: Pulse,
    thread: Option<thread::JoinHandle<()>>,
}

impl Speaking {
    fn start() -> Self {
        let (around, link) = Around::new(on(&ADDRESSES));
        let end = Pulse::new();
        let (its_link, its_end) = (link.clone(), end.clone());
        let thread = thread::spawn(move || mdns::run(&its_link, &its_end).unwrap());
        Self { around, link, end, thread: Some(thread) }
    }

    fn end(&mut self) {
        self.end.cancel();
        self.thread.take().into_iter().for_each(|thread| thread.join().unwrap());
    }
}

impl Drop for Speaking {
    fn drop(&mut self) {
        self.end.cancel();
    }
}

/// Looks until it is so.
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let since = Instant::now();
    while !is_so() {
        assert!(since.elapsed() < HANGS_AFTER, "{what}");
        thread::sleep(Duration::from_millis(200));
    }
}

const ALL: &str = "['10.77.0.1', '2001:db8:77::1']";

#[test]
fn a_neighbour_finds_it_by_both_names_and_as_a_service() {
    let cable = Cable::new();
    let mut speaking = Speaking::start();
    until("its own name", || cable.addresses("archivista-4f2a.local.") == ALL);
    until("archivista.local", || cable.addresses("archivista.local.") == ALL);
    until("its own name over IPv6", || cable.resolve("host", "archivista-4f2a.local.", "6") == ALL);
    let service = cable.resolve("service", "archivista-4f2a._https._tcp.local.", "4");
    assert_eq!(service, format!("archivista-4f2a.local. 443 {ALL}"));
    assert_eq!(cable.addresses("archivista-0000.local."), "[]");

    // Another address: the old one is forgotten.
    ip("address add 10.77.0.99/24 dev outer");
    speaking.around.change(&speaking.link.clone(), |state| *state = on(&["10.77.0.99/24"]));
    until("the new address", || cable.addresses("archivista-4f2a.local.") == "['10.77.0.99']");
    until("the new address", || cable.addresses("archivista.local.") == "['10.77.0.99']");
    // No cable, no voice.
    speaking.around.change(&speaking.link.clone(), |state| state.interfaces[0].has_carrier = false);
    until("silence", || cable.addresses("archivista-4f2a.local.") == "[]");
    speaking.around.change(&speaking.link.clone(), |state| state.interfaces[0].has_carrier = true);
    until("the voice is back", || cable.addresses("archivista-4f2a.local.") == "['10.77.0.99']");
    speaking.end();
    assert_eq!(cable.addresses("archivista-4f2a.local."), "[]");
}

/// avahi on the other machine; ended when dropped.
struct Avahi {
    child: Child,
    log: std::path::PathBuf,
}

impl Avahi {
    fn start(cable: &Cable, name: &str) -> Self {
        let (config, log) = (cable.dir.path().join("avahi.conf"), cable.dir.path().join("avahi.log"));
        let text = format!(
            "[server]\nhost-name={name}\nuse-ipv6=no\nenable-dbus=no\nallow-interfaces=inner\n[wide-area]\n\
             enable-wide-area=no\n[publish]\npublish-hinfo=no\npublish-workstation=no\n"
        );
        fs::write(&config, text).unwrap();
        // A machine of its own has a /run of its own.
        let script = "mount -t tmpfs run /run && exec /usr/sbin/avahi-daemon --no-drop-root --no-chroot --no-rlimits --file \"$0\"";
        let mut command = cable.beside("unshare");
        command.args(["--mount", "sh", "-c", script]).arg(&config).stdin(Stdio::null()).stdout(Stdio::null());
        let child = command.stderr(fs::File::create(&log).unwrap()).spawn().unwrap();
        Self { child, log }
    }

    fn says(&self, words: &str) {
        let since = Instant::now();
        loop {
            let said = fs::read_to_string(&self.log).unwrap();
            if said.contains(words) {
                return;
            }
            assert!(since.elapsed() < HANGS_AFTER, "{words}: {said}");
            thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Avahi {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_common_name_is_left_to_whoever_has_it() {
    let cable = Cable::new();
    let avahi = Avahi::start(&cable, "archivista");
    avahi.says("Server startup complete. Host name is archivista.local");
    let mut speaking = Speaking::start();
    assert_eq!(cable.addresses("archivista-4f2a.local."), ALL);
    // Long enough that the box has asked, and would have taken it.
    thread::sleep(Duration::from_secs(3));
    until("avahi alone", || {
        let found = cable.addresses("archivista.local.");
        found.contains("'10.77.0.2'") && !found.contains("10.77.0.1") && !found.contains("2001:db8")
    });
    speaking.end();
}

#[test]
fn whoever_comes_later_sees_that_the_name_is_taken() {
    let cable = Cable::new();
    let _speaking = Speaking::start();
    until("archivista.local", || cable.addresses("archivista.local.") == ALL);
    let avahi = Avahi::start(&cable, "archivista");
    // avahi hears that the name is taken, and makes another one of its own.
    avahi.says("Host name is archivista-2.local");
    assert_eq!(cable.addresses("archivista.local."), ALL);
}

/// Found where avahi took the name as soon as it started: three probes pass within a second.
#[test]
fn a_probe_is_answered_though_the_same_was_just_said() {
    let cable = Cable::new();
    let _speaking = Speaking::start();
    until("archivista.local", || cable.addresses("archivista.local.") == ALL);
    let script = "
import socket, struct, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(('', 5353))
own = socket.inet_aton('10.77.0.2')
s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton('224.0.0.251') + own)
s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, own)
s.settimeout(5)
name = b'\\x0aarchivista\\x05local\\0'
def ask(head, rest=b''):
    s.sendto(struct.pack('!6H', *head) + name + struct.pack('!2H', 255, 1) + rest, ('224.0.0.251', 5353))
def answered(until):
    while time.monotonic() < until:
        s.settimeout(max(until - time.monotonic(), .001))
        try:
            packet, peer = s.recvfrom(9000)
        except TimeoutError:
            return False
        if peer[0] == '10.77.0.1' and name in packet and struct.unpack('!H', packet[2:4])[0] & 0x8000:
            return True
# What was said before may still hold an answer back.
while True:
    ask((0, 0, 1, 0, 0, 0))
    if answered(time.monotonic() + 1.1):
        break
probe = name + struct.pack('!2HIH', 1, 1, 120, 4) + own
said = time.monotonic()
count = 0
for turn in range(1, 4):
    time.sleep(max(said + turn * .25 + .01 - time.monotonic(), 0))
    ask((0, 0, 1, 0, 1, 0), probe)
    count += answered(time.monotonic() + .2)
print('answered' if count else 'silent')
";
    let said = must_run(cable.beside("/usr/bin/python3").args(["-c", script]));
    assert_eq!(said.trim(), "answered");
}

#[test]
fn old_resolvers_and_hostile_packets() {
    let cable = Cable::new();
    let _speaking = Speaking::start();
    until("it speaks", || cable.addresses("archivista-4f2a.local.") == ALL);
    // A resolver that knows no multicast asks from a port of its own; the answer comes to it alone, as plain DNS.
    let script = "
import socket, struct, os
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton('10.77.0.2'))
s.settimeout(5)
for size in range(0, 9001, 500):
    s.sendto(os.urandom(size), ('224.0.0.251', 5353))
s.sendto(b'\\0' * 4 + b'\\xff' * 8, ('224.0.0.251', 5353))
s.sendto(b'\\0' * 5 + b'\\1' + b'\\0' * 6 + b'\\xc0\\x0c\\0\\1\\0\\1', ('224.0.0.251', 5353))
s.sendto(struct.pack('!6H', 4711, 0, 1, 0, 0, 0) + b'\\x0farchivista-4f2a\\x05local\\0\\0\\1\\0\\1', ('224.0.0.251', 5353))
answer, peer = s.recvfrom(9000)
print(struct.unpack('!6H', answer[:12])[0:4], peer, answer[-4:] == socket.inet_aton('10.77.0.1'))
";
    let said = must_run(cable.beside("/usr/bin/python3").args(["-c", script]));
    assert_eq!(said.trim(), "(4711, 33792, 1, 1) ('10.77.0.1', 5353) True");
}

#[test]
fn a_socket_that_cannot_be_opened_costs_nothing_else() {
    let (around, link) = Around::new(BoxState {
        interfaces: vec![Interface {
            name: "there-is-none".into(),
            has_carrier: true,
            addresses: vec!["10.0.0.1/8".into()],
            ..Interface::default()
        }],
        name: "archivista-4f2a".into(),
        ..BoxState::default()
    });
    let end = Pulse::new();
    thread::scope(|scope| {
        let role = scope.spawn(|| mdns::run(&link, &end));
        thread::sleep(Duration::from_secs(1));
        assert!(!role.is_finished());
        end.cancel();
        role.join().unwrap().unwrap();
    });
    drop(around);
}
