//! The box and a DHCP server on the two ends of a cable, with the kernel's own interfaces and BusyBox as on the box: in
//! network namespaces, which root alone can make. Without the rights the test says so and does not run.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use archivista::appliance::network::{self, Places};
use archivista::appliance::settings::static_address;
use archivista::appliance::shared::Shared;
use archivista::appliance::state::{BoxSettings, BoxState, Interface};
use archivista::pulse::Pulse;
use nix::sched::{CloneFlags, unshare};

use crate::support::must_run;

const BUSYBOX: &str = "/bin/busybox";
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/rootfs-overlay/usr/share/udhcpc/default.script");
const OURS: &str = "box0";
const THEIRS: &str = "server0";

/// A process that ends with its test.
struct Running(Child);

impl Running {
    fn start(command: &mut Command) -> Self {
        Self(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The other end of the cable: a network of its own with a server in it.
struct Server {
    /// Keeps the network there.
    keeper: Running,
    folder: PathBuf,
    /// A copy of `ip` that knows `veth`: BusyBox stands in the place of the machine's own.
    ip: PathBuf,
    dhcp: Option<Running>,
}

impl Server {
    fn new(folder: &Path) -> Self {
        let ip = folder.join("iproute2");
        let path = must_run(Command::new("sh").args(["-c", "command -v ip"]));
        fs::copy(path.trim(), &ip).unwrap();
        let mut keeper = Running::start(Command::new("unshare").args(["--net", "sleep", "600"]));
        let own = fs::read_link("/proc/thread-self/ns/net").unwrap();
        eventually("the server's network", || {
            assert!(keeper.0.try_wait().unwrap().is_none());
            fs::read_link(format!("/proc/{}/ns/net", keeper.0.id())).is_ok_and(|network| network != own)
        });
        Self { keeper, folder: folder.into(), ip, dhcp: None }
    }

    /// A command on the server's side.
    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/proc/{}/ns/net", self.keeper.0.id())).arg(program);
        command
    }

    fn ip(&self, arguments: &str) {
        must_run(self.command(&self.ip).args(arguments.split(' ')));
    }

    fn plug_in(&self) {
        let keeper = self.keeper.0.id().to_string();
        let words = ["link", "add", OURS, "type", "veth", "peer", "name", THEIRS, "netns", &keeper];
        must_run(Command::new(&self.ip).args(words));
    }

    /// Is the network `10.NET.0.0/24`, with router, DNS and time server at its first address.
    fn be(&self, net: u8) {
        self.ip(&format!("addr flush dev {THEIRS}"));
        self.ip(&format!("addr add 10.{net}.0.1/24 dev {THEIRS}"));
        self.ip(&format!("link set {THEIRS} up"));
    }

    fn serve(&mut self, net: u8) {
        self.dhcp = None;
        let (file, leases) = (self.folder.join("udhcpd.conf"), self.folder.join("leases"));
        let _ = fs::remove_file(&leases);
        fs::write(&leases, "").unwrap();
        let text = format!(
            "interface {THEIRS}\nstart 10.{net}.0.100\nend 10.{net}.0.110\nlease_file {}\npidfile {}\n\
             option subnet 255.255.255.0\noption router 10.{net}.0.1\noption dns 10.{net}.0.1 9.9.9.9\n\
             option ntpsrv 10.{net}.0.1\noption domain office\noption lease 600\noption mtu 1400\n",
            leases.display(),
            self.folder.join("udhcpd.pid").display()
        );
        fs::write(&file, text).unwrap();
        self.dhcp = Some(Running::start(self.command(Path::new(BUSYBOX)).args(["udhcpd", "-f"]).arg(&file)));
    }
}

fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let since = Instant::now();
    while !is_so() {
        assert!(since.elapsed() < Duration::from_mins(2), "{what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Our interface as the box sees it; its device is made up, since a cable of the kernel's has none.
fn tree(folder: &Path) -> PathBuf {
    let net = folder.join("net");
    fs::create_dir_all(net.join(OURS)).unwrap();
    fs::create_dir_all(folder.join("device")).unwrap();
    symlink(folder.join("device"), net.join(OURS).join("device")).unwrap();
    for file in ["address", "carrier", "flags", "ifindex", "type"] {
        symlink(format!("/sys/class/net/{OURS}/{file}"), net.join(OURS).join(file)).unwrap();
    }
    symlink("/sys/class/net/lo", net.join("lo")).unwrap();
    net
}

fn said_by_kernel(what: &str) -> String {
    must_run(Command::new(BUSYBOX).args(what.split(' ')))
}

fn with_dhcp(shared: &Shared, net: u8) -> bool {
    shared.state().interfaces.first().is_some_and(|interface: &Interface| {
        let begin = format!("10.{net}.0.1");
        let router = format!("10.{net}.0.1").parse().ok();
        !interface.is_static
            && interface.addresses.iter().any(|address| address.starts_with(&begin) && address.ends_with("/24"))
            && interface.router == router
            && interface.time_servers == router.into_iter().collect::<Vec<_>>()
            && interface.dns.len() == 2
    })
}

#[test]
fn an_address_comes_goes_and_changes_as_on_a_real_cable() {
    // The namespaces are this thread's alone, and its children's.
    std::thread::spawn(|| {
        if let Err(error) = unshare(CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS) {
            eprintln!("not run: making a network of its own needs root ({error})");
            return;
        }
        on_a_cable();
    })
    .join()
    .unwrap();
}

fn on_a_cable() {
    let folder = tempfile::tempdir().unwrap();
    must_run(Command::new("mount").args(["--make-rprivate", "/"]));
    must_run(Command::new("mount").args(["-t", "sysfs", "sysfs", "/sys"]));
    let mut server = Server::new(folder.path());
    // From here on /run and `ip` are the box's.
    must_run(Command::new("mount").args(["-t", "tmpfs", "tmpfs", "/run"]));
    let ip = must_run(Command::new("sh").args(["-c", "readlink -f $(command -v ip)"]));
    must_run(Command::new("mount").args(["--bind", BUSYBOX, ip.trim()]));
    server.plug_in();
    server.be(7);

    let places = Places {
        interfaces: tree(folder.path()),
        busybox: BUSYBOX.into(),
        script: SCRIPT.into(),
        hostname: folder.path().join("hostname"),
        ..Places::of_the_box()
    };
    let (shared, _asked) = Shared::new(BoxState::default());
    let pulse = Pulse::new();
    std::thread::scope(|scope| {
        let _ended = EndsWith(&pulse);
        let role = scope.spawn(|| network::run(&shared, &places, &pulse));
        eventually("the interface is up", || shared.state().interfaces.first().is_some_and(|seen| seen.has_carrier));
        assert!(shared.state().name.starts_with("archivista-"));

        // The router starts later than the box.
        server.serve(7);
        eventually("an address", || with_dhcp(&shared, 7));
        assert!(said_by_kernel("ip route").contains("default via 10.7.0.1 dev box0"));
        assert_eq!(
            fs::read_to_string("/run/network/resolv.conf").unwrap(),
            "search office\nnameserver 10.7.0.1\nnameserver 9.9.9.9\n"
        );
        assert_eq!(fs::read_to_string("/sys/class/net/box0/mtu").unwrap().trim(), "1400");
        must_run(Command::new(BUSYBOX).args(["ping", "-c", "1", "-W", "10", "10.7.0.1"]));

        // The cable goes into another network.
        server.ip("link set server0 down");
        eventually("no cable", || !shared.state().interfaces[0].has_carrier);
        server.be(8);
        server.serve(8);
        eventually("an address of the other network", || with_dhcp(&shared, 8));
        assert!(said_by_kernel("ip addr").contains("inet6 fe80::"), "the address of the cable itself stays");
        assert!(!said_by_kernel("ip addr").contains("10.7.0."));

        // Somebody sets an address, and takes it back.
        let fixed = static_address(OURS, "10.8.0.200/24", "10.8.0.1", "10.8.0.1").unwrap();
        let mut settings = BoxSettings::default();
        settings.static_addresses.insert(OURS.into(), fixed);
        shared.change(|state| state.settings = settings);
        eventually("the fixed address", || {
            shared.state().interfaces[0].addresses.first().is_some_and(|address| address == "10.8.0.200/24")
        });
        eventually("its route", || said_by_kernel("ip route").contains("default via 10.8.0.1 dev box0"));
        assert!(!said_by_kernel("ip addr").contains("10.8.0.10"));
        must_run(Command::new(BUSYBOX).args(["ping", "-c", "1", "-W", "10", "10.8.0.1"]));
        assert!(!Path::new("/run/network/box0.lease").exists());
        shared.change(|state| state.settings = BoxSettings::default());
        eventually("an address by DHCP again", || with_dhcp(&shared, 8));
        assert!(!said_by_kernel("ip addr").contains("10.8.0.200"));

        // The adapter is pulled and plugged in again.
        must_run(Command::new(&server.ip).args(["link", "del", OURS]));
        eventually("no interface", || shared.state().interfaces.is_empty());
        assert_eq!(fs::read_to_string("/run/network/resolv.conf").unwrap(), "");
        server.plug_in();
        server.be(8);
        server.serve(8);
        eventually("an address on the new adapter", || with_dhcp(&shared, 8));

        pulse.cancel();
        role.join().unwrap().unwrap();
    });
    eprintln!("{}", shared.logged().join("\n"));
}

/// A failed look must not leave the role running, for which the scope would wait.
struct EndsWith<'a>(&'a Pulse);

impl Drop for EndsWith<'_> {
    fn drop(&mut self) {
        self.0.cancel();
    }
}
