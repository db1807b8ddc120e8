//! Every real interface gets and keeps its address, whatever comes and goes: interfaces, cables, clients, settings. Over a
//! tree of files like the kernel's and a program that notes how it was called.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use archivista::appliance::network::{self, Network, Places};
use archivista::appliance::settings::static_address;
use archivista::appliance::shared::Shared;
use archivista::appliance::state::{BoxSettings, BoxState};
use archivista::pulse::Pulse;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Stands in for BusyBox: notes each call and each signal in `calls`; `ip link set … up` shows in the tree, and a script of
/// `udhcpc` runs for long.
const BUSYBOX: &str = r#"#!/bin/sh
cd "$(dirname "$0")" || exit 1
case $1 in
ip)
    echo "$*" >>calls
    [ ! -e broken ] || { echo "no such thing" >&2; exit 2; }
    if [ "$2 $6" = "link up" ]; then echo 0x1003 >"net/$5/flags"; fi
    ;;
udhcpc)
    trap 'echo "renew $4" >>calls' USR1
    sleep 300 & echo $! >"script.$4"
    echo "$*" >>calls
    while :; do sleep 0.05 & wait $!; done
    ;;
esac
"#;

struct Machine {
    folder: tempfile::TempDir,
    places: Places,
    shared: Shared,
    pulse: Pulse,
}

impl Machine {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("net")).unwrap();
        fs::create_dir(at("run")).unwrap();
        fs::write(at("calls"), "").unwrap();
        fs::write(at("busybox"), BUSYBOX).unwrap();
        fs::set_permissions(at("busybox"), fs::Permissions::from_mode(0o755)).unwrap();
        let places = Places {
            interfaces: at("net"),
            run: at("run"),
            busybox: at("busybox"),
            script: at("script"),
            hostname: at("hostname"),
        };
        let machine = Self { folder, places, shared: Shared::new(BoxState::default()).0, pulse: Pulse::new() };
        fs::create_dir(machine.at("net/lo")).unwrap();
        fs::write(machine.at("net/lo/flags"), "0x8\n").unwrap();
        machine
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn network(&self) -> Network<'_> {
        Network::new(&self.shared, &self.places, &self.pulse)
    }

    fn plug(&self, name: &str, index: u32, address: &str) {
        let (place, device) = (self.at("net").join(name), self.at("devices").join(name));
        fs::create_dir_all(&device).unwrap();
        fs::create_dir(&place).unwrap();
        symlink(&device, place.join("device")).unwrap();
        let index = index.to_string();
        for (file, text) in
            [("address", address), ("flags", "0x1002"), ("ifindex", &index), ("type", "1"), ("carrier", "1")]
        {
            fs::write(place.join(file), text).unwrap();
        }
    }

    fn unplug(&self, name: &str) {
        fs::remove_dir_all(self.at("net").join(name)).unwrap();
    }

    fn carrier(&self, name: &str, is_in: bool) {
        fs::write(self.at("net").join(name).join("carrier"), if is_in { "1\n" } else { "0\n" }).unwrap();
    }

    fn set(&self, addresses: &[(&str, &str, &str)]) {
        let fixed = addresses.iter().map(|(interface, address, router)| {
            (interface.to_string(), static_address(interface, address, router, "10.0.0.53").unwrap())
        });
        let settings = BoxSettings { static_addresses: fixed.collect(), ..BoxSettings::default() };
        self.shared.change(|state| state.settings = settings);
    }

    fn lease(&self, name: &str, text: &str) {
        fs::write(self.at("run").join(format!("{name}.lease")), text).unwrap();
    }

    fn calls(&self) -> Vec<String> {
        fs::read_to_string(self.at("calls")).unwrap().lines().map(String::from).collect()
    }

    /// Calls since the last time.
    fn new_calls(&self) -> Vec<String> {
        let calls = self.calls();
        fs::write(self.at("calls"), "").unwrap();
        calls
    }

    /// Clients and signals are noted by processes of their own.
    fn wait_for(&self, call: &str) {
        self.wait_for_times(call, 1);
    }

    fn wait_for_times(&self, call: &str, times: usize) {
        eventually(&format!("{call:?} among {:?}", self.calls()), || {
            self.calls().iter().filter(|line| line.starts_with(call)).count() >= times
        });
    }

    fn pid(&self, name: &str) -> Option<Pid> {
        let text = fs::read_to_string(self.at("run").join(format!("{name}.pid"))).ok()?;
        Some(Pid::from_raw(text.parse().unwrap()))
    }

    /// The client and its script.
    fn running(&self, name: &str) -> [Pid; 2] {
        let text = fs::read_to_string(self.at(&format!("script.{name}"))).unwrap();
        [self.pid(name).unwrap(), Pid::from_raw(text.trim().parse().unwrap())]
    }

    fn resolver(&self) -> String {
        fs::read_to_string(self.at("run/resolv.conf")).unwrap()
    }
}

fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let since = Instant::now();
    while !is_so() {
        assert!(since.elapsed() < Duration::from_secs(30), "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Waits for the end of processes; one that nobody has waited for is dead too.
fn wait_for_end(processes: &[Pid]) {
    let is_dead = |pid: &Pid| {
        let state = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        state.rsplit_once(") ").is_none_or(|(_, after)| after.starts_with(['Z', 'X']))
    };
    eventually("an end", || processes.iter().all(is_dead));
}

#[test]
fn an_interface_that_comes_is_asked_for_and_one_that_goes_is_forgotten() {
    let machine = Machine::new();
    let mut network = machine.network();
    let now = Instant::now();
    network.look(now);
    assert_eq!(machine.new_calls(), ["ip link set dev lo up"]);
    assert_eq!(machine.resolver(), "");

    machine.plug("eth0", 2, "52:54:00:00:4F:2A");
    network.look(now);
    let script = machine.at("script");
    let asked = format!(
        "udhcpc -f -i eth0 -s {} -t 0 -T 3 -x hostname:archivista-4f2a \
         -O router -O dns -O ntpsrv -O domain -O lease -O mtu",
        script.display()
    );
    machine.wait_for("udhcpc");
    assert_eq!(machine.calls(), ["ip link set dev eth0 up", asked.as_str()]);
    assert_eq!(fs::read_to_string(machine.at("hostname")).unwrap(), "archivista-4f2a");
    assert_eq!(machine.shared.state().name, "archivista-4f2a");
    network.look(now);
    network.look(now);
    assert_eq!(machine.new_calls().len(), 2, "what is as it should be is left alone");

    machine.plug("eth1", 3, "52:54:00:00:00:01");
    network.look(now);
    machine.wait_for("udhcpc -f -i eth1");
    assert_eq!(machine.shared.state().name, "archivista-4f2a");

    machine.lease("eth0", "ip=10.0.0.2\nmask=24\ndns=10.0.0.1\n");
    network.look(now);
    assert_eq!(machine.resolver(), "nameserver 10.0.0.1\n");
    let running = machine.running("eth0");
    machine.unplug("eth0");
    network.look(now);
    wait_for_end(&running);
    assert!(!machine.at("run/eth0.lease").exists() && machine.pid("eth0").is_none());
    assert_eq!(machine.resolver(), "");
    let state = machine.shared.state();
    assert_eq!(state.interfaces.iter().map(|interface| interface.name.as_str()).collect::<Vec<_>>(), ["eth1"]);
    assert_eq!(state.name, "archivista-4f2a", "the box keeps its name");

    machine.new_calls();
    machine.plug("eth0", 7, "52:54:00:00:4F:2A");
    network.look(now);
    machine.wait_for("udhcpc -f -i eth0");
    let running = [machine.running("eth0"), machine.running("eth1")].concat();
    drop(network);
    wait_for_end(&running);
}

#[test]
fn a_name_that_is_another_device_now_begins_anew() {
    let machine = Machine::new();
    machine.plug("eth0", 2, "52:54:00:00:00:01");
    let mut network = machine.network();
    let now = Instant::now();
    network.look(now);
    machine.wait_for("udhcpc");
    let running = machine.running("eth0");
    machine.unplug("eth0");
    machine.plug("eth0", 3, "52:54:00:00:00:02");
    network.look(now);
    wait_for_end(&running);
    machine.wait_for_times("udhcpc", 2);
}

#[test]
fn a_cable_that_comes_back_makes_the_client_ask_again() {
    let machine = Machine::new();
    machine.plug("eth0", 2, "52:54:00:00:00:01");
    let mut network = machine.network();
    let now = Instant::now();
    network.look(now);
    machine.wait_for("udhcpc");
    machine.carrier("eth0", false);
    network.look(now);
    assert!(!machine.shared.state().interfaces[0].has_carrier);
    machine.carrier("eth0", true);
    network.look(now);
    machine.wait_for("renew eth0");
    network.look(now);
    assert!(machine.shared.state().interfaces[0].has_carrier);
    assert_eq!(machine.calls().iter().filter(|call| *call == "renew eth0").count(), 1);
}

#[test]
fn a_fixed_address_is_applied_changed_and_withdrawn_at_once() {
    let machine = Machine::new();
    machine.plug("eth0", 2, "52:54:00:00:00:01");
    machine.plug("eth1", 3, "52:54:00:00:00:02");
    let mut network = machine.network();
    let now = Instant::now();
    network.look(now);
    machine.wait_for_times("udhcpc", 2);
    machine.lease("eth0", "ip=10.9.9.9\nmask=8\nrouter=10.0.0.99\ndns=10.9.9.53\nntpsrv=10.9.9.123");
    machine.lease("eth1", "ip=10.8.8.8\nmask=8\ndns=10.8.8.53 10.0.0.53\nntpsrv=10.8.8.123\ndomain=lan");
    network.look(now);
    assert_eq!(machine.resolver(), "search lan\nnameserver 10.9.9.53\nnameserver 10.8.8.53\nnameserver 10.0.0.53\n");

    machine.new_calls();
    let running = machine.running("eth1");
    machine.set(&[("eth1", "10.0.0.2/24", "10.0.0.1")]);
    network.look(now);
    wait_for_end(&running);
    let applied = [
        "ip -4 addr flush dev eth1",
        "ip addr add 10.0.0.2/24 broadcast + dev eth1",
        "ip route replace default via 10.0.0.1 dev eth1 metric 103",
    ];
    assert_eq!(machine.new_calls(), applied);
    assert!(!machine.at("run/eth1.lease").exists());
    assert_eq!(machine.resolver(), "nameserver 10.0.0.53\nnameserver 10.9.9.53\n", "what somebody set comes first");
    let state = machine.shared.state();
    let [dhcp, fixed] = &state.interfaces[..] else { panic!("{state:?}") };
    assert!(!dhcp.is_static && fixed.is_static);
    assert_eq!(fixed.router.unwrap().to_string(), "10.0.0.1");
    assert_eq!(dhcp.time_servers[0].to_string(), "10.9.9.123");
    assert!(fixed.time_servers.is_empty());

    network.look(now);
    assert_eq!(machine.new_calls(), [""; 0]);
    machine.set(&[("eth1", "10.0.0.3/24", "")]);
    network.look(now);
    assert_eq!(machine.new_calls(), ["ip -4 addr flush dev eth1", "ip addr add 10.0.0.3/24 broadcast + dev eth1"]);

    // A driver that starts again takes the interface down, and the kernel its routes with it.
    fs::write(machine.at("net/eth1/flags"), "0x1002").unwrap();
    network.look(now);
    assert_eq!(
        machine.new_calls(),
        ["ip link set dev eth1 up", "ip -4 addr flush dev eth1", "ip addr add 10.0.0.3/24 broadcast + dev eth1"]
    );

    machine.set(&[]);
    network.look(now);
    machine.wait_for("udhcpc -f -i eth1");
    assert_eq!(machine.new_calls()[0], "ip -4 addr flush dev eth1");
}

#[test]
fn settings_that_are_wrong_are_not_applied() {
    let machine = Machine::new();
    machine.plug("eth0", 2, "52:54:00:00:00:01");
    machine.set(&[("eth0", "10.0.0.2/24", "")]);
    machine.shared.change(|state| {
        state.settings.static_addresses.get_mut("eth0").unwrap().address = [127, 0, 0, 1].into();
    });
    let mut network = machine.network();
    network.look(Instant::now());
    machine.wait_for("udhcpc -f -i eth0");
}

#[test]
fn a_client_that_dies_is_started_again_after_a_growing_pause() {
    let machine = Machine::new();
    machine.plug("eth0", 2, "52:54:00:00:00:01");
    let mut network = machine.network();
    let mut now = Instant::now();
    network.look(now);
    for pause in [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000] {
        machine.wait_for("udhcpc");
        machine.lease("eth0", "ip=10.0.0.2\nmask=24\ndns=10.0.0.1\n");
        let pid = machine.pid("eth0").unwrap();
        for process in machine.running("eth0") {
            kill(process, Signal::SIGKILL).unwrap();
        }
        eventually("the client is seen to be dead", || {
            network.look(now);
            machine.pid("eth0").is_none()
        });
        assert!(kill(pid, None).is_err(), "it is reaped");
        assert_eq!(machine.resolver(), "");
        machine.new_calls();
        now += Duration::from_millis(pause - 1);
        network.look(now);
        assert!(machine.pid("eth0").is_none(), "before {pause} ms");
        now += Duration::from_millis(1);
        network.look(now);
        assert!(machine.pid("eth0").is_some(), "after {pause} ms");
    }
}

#[test]
fn what_fails_is_said_and_tried_again_later_and_keeps_no_other() {
    let machine = Machine::new();
    machine.plug("eth0", 2, "52:54:00:00:00:01");
    machine.plug("eth1", 3, "52:54:00:00:00:02");
    machine.set(&[("eth0", "10.0.0.2/24", "10.0.0.1")]);
    fs::write(machine.at("net/eth1/flags"), "0x1003").unwrap();
    fs::write(machine.at("net/lo/flags"), "0x9").unwrap();
    fs::write(machine.at("broken"), "").unwrap();
    let mut network = machine.network();
    let now = Instant::now();
    for _ in 0..5 {
        network.look(now);
    }
    machine.wait_for("udhcpc -f -i eth1");
    assert_eq!(machine.calls().iter().filter(|call| call.starts_with("ip ")).count(), 1);
    let log = machine.shared.logged().join("\n");
    assert!(log.contains("eth0: ip link set dev eth0 up: exit status: 2 no such thing; tried again in 1 s"), "{log}");
    fs::remove_file(machine.at("broken")).unwrap();
    network.look(now + Duration::from_secs(1));
    assert!(machine.calls().contains(&"ip addr add 10.0.0.2/24 broadcast + dev eth0".to_string()));
}

#[test]
fn a_hostile_lease_is_none() {
    let machine = Machine::new();
    machine.plug("eth0", 2, "52:54:00:00:00:01");
    let mut network = machine.network();
    let now = Instant::now();
    for text in ["ip=10.0.0.2\nmask=99\ndns=10.0.0.1", "ip=10.0.0.255\nmask=24\ndns=10.0.0.1", &"x".repeat(100_000)] {
        machine.lease("eth0", text);
        network.look(now);
        let state = machine.shared.state();
        assert!(state.interfaces[0].dns.is_empty() && machine.resolver().is_empty());
    }
    machine.lease("eth0", "ip=10.0.0.2\nmask=24\ndns=10.0.0.1 10.0.0.1\\nnameserver 6.6.6.6\ndomain=a\u{8}b");
    network.look(now);
    let lines = machine.resolver();
    assert!(lines.lines().all(|line| ["nameserver 10.0.0.1", "nameserver 6.6.6.6"].contains(&line)), "{lines}");
}

#[test]
fn clients_of_a_crashed_process_are_ended_and_others_are_not() {
    let machine = Machine::new();
    machine.plug("eth0", 2, "52:54:00:00:00:01");
    let mut network = machine.network();
    network.look(Instant::now());
    machine.wait_for("udhcpc");
    let left = machine.running("eth0");
    std::mem::forget(network);
    let mut stranger = std::process::Command::new("sleep").arg("60").spawn().unwrap();
    fs::write(machine.at("run/eth1.pid"), stranger.id().to_string()).unwrap();
    std::thread::scope(|scope| {
        let role = scope.spawn(|| network::run(&machine.shared, &machine.places, &machine.pulse));
        wait_for_end(&left);
        machine.wait_for_times("udhcpc", 2);
        let running = machine.running("eth0");
        assert_ne!(running, left);
        machine.pulse.cancel();
        role.join().unwrap().unwrap();
        wait_for_end(&running);
    });
    assert!(stranger.try_wait().unwrap().is_none(), "a process that is no client is left alone");
    stranger.kill().unwrap();
    stranger.wait().unwrap();
    assert!(!Path::new(&machine.at("run/eth1.pid")).exists());
}
