//! One DHCP client per interface: BusyBox `udhcpc` in the foreground, which asks for ever.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Child;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

use super::network::Places;
use super::program;
use super::settings::is_interface;
use crate::limits::{BOX_FAREWELL, BOX_INTERFACES, BOX_SYSFS};
use crate::pulse::Pulse;

/// What a server is asked for besides the address.
const OPTIONS: [&str; 6] = ["router", "dns", "ntpsrv", "domain", "lease", "mtu"];

/// A client that runs.
pub struct Client {
    child: Child,
    began: Instant,
    /// So that whoever comes after a crash of this process ends the client.
    pid_file: PathBuf,
}

impl Client {
    /// Starts the client of an interface; the box's name goes to the server, which may put it into its DNS.
    pub fn start(places: &Places, interface: &str, name: Option<&str>) -> io::Result<Self> {
        let mut command = program::command(&places.busybox);
        command.args(["udhcpc", "-f", "-i", interface, "-s"]).arg(&places.script);
        // Without a limit, every 3 seconds: a router may start later than the box.
        command.args(["-t", "0", "-T", "3"]);
        if let Some(name) = name {
            command.arg("-x").arg(format!("hostname:{name}"));
        }
        for option in OPTIONS {
            command.args(["-O", option]);
        }
        // A group of its own, so that its script ends with it.
        let child = command.process_group(0).spawn()?;
        let pid_file = places.run.join(format!("{interface}.pid"));
        let _ = fs::write(&pid_file, child.id().to_string());
        Ok(Self { child, began: Instant::now(), pid_file })
    }

    /// How it ended, where it did.
    pub fn ended(&mut self) -> Option<String> {
        match self.child.try_wait() {
            Ok(None) => None,
            Ok(Some(status)) => Some(status.to_string()),
            Err(error) => Some(error.to_string()),
        }
    }

    pub fn age(&self) -> Duration {
        self.began.elapsed()
    }

    /// Has it ask again now: the cable may be in another network.
    pub fn renew(&self) {
        let _ = kill(self.pid(), Signal::SIGUSR1);
    }

    /// Ends it and a script of it that runs, which would give the interface an address later. It has nothing to tidy up, and
    /// a signal that asks it to end may be blocked in it, as it is in the process that started it.
    pub fn end(&mut self, pulse: &Pulse) {
        if self.ended().is_none() {
            let _ = killpg(self.pid(), Signal::SIGKILL);
            let _ = program::wait(&mut self.child, BOX_FAREWELL, pulse);
        }
        let _ = fs::remove_file(&self.pid_file);
    }

    /// Not yet waited for, so that no other process has this number.
    fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).unwrap_or(i32::MAX))
    }
}

/// Ends clients of a process before this one that could not end them itself: two on one interface would take the address from
/// each other.
pub fn end_leftovers(places: &Places) {
    let Ok(entries) = fs::read_dir(&places.run) else { return };
    for file in entries.filter_map(|entry| Some(entry.ok()?.path())).take(BOX_INTERFACES * 8) {
        let Some(interface) = file.file_name().and_then(|name| name.to_str()?.strip_suffix(".pid")) else { continue };
        if let Some(pid) = read(&file).and_then(|text| text.trim().parse::<i32>().ok())
            && is_interface(interface)
            && pid > 1
            && is_client(pid, interface, places)
        {
            let _ = killpg(Pid::from_raw(pid), Signal::SIGKILL);
        }
        let _ = fs::remove_file(&file);
    }
}

/// Whether this process is a client of ours and not another one that was given the number since.
fn is_client(pid: i32, interface: &str, places: &Places) -> bool {
    let Some(line) = read(&PathBuf::from(format!("/proc/{pid}/cmdline"))) else { return false };
    let arguments: Vec<&str> = line.split('\0').collect();
    let script = places.script.to_string_lossy();
    arguments.windows(6).any(|window| window == ["udhcpc", "-f", "-i", interface, "-s", &script])
}

fn read(file: &PathBuf) -> Option<String> {
    let mut text = String::new();
    File::open(file).ok()?.take(BOX_SYSFS).read_to_string(&mut text).ok()?;
    Some(text)
}
