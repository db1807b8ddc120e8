//! The device that starts the box again when nobody feeds it (Linux, `Documentation/watchdog/watchdog-api.rst`).
//!
//! Invariant: once opened it is fed only while all is well, and it is never closed in the way that disarms it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::ioctl;
use super::shared::Shared;
use super::state::Watchdog;
use super::watch::Watch;

/// Seconds until the box is started again.
const TIMEOUT: u32 = 60;
/// How often it is fed.
const PERIOD: Duration = Duration::from_secs(5);
/// The kernel's own, for machines without a device; it cannot help when the kernel itself hangs.
const SOFTWARE: &str = "Software Watchdog";
/// `WDIOF_CARDRESET`: this start was the device's doing.
const CARD_RESET: u32 = 0x20;

/// An armed device.
pub struct Dog {
    device: File,
}

/// Opens the best device that can be opened below `devices` (`/dev`), which arms it: one of hardware where there is one. `class` is `/sys/class/watchdog`.
pub fn open(class: &Path, devices: &Path) -> io::Result<Option<(Dog, Watchdog)>> {
    let mut refused = None;
    for (name, identity) in found(class)? {
        match open_one(class, devices, &name, identity) {
            Ok(dog) => return Ok(Some(dog)),
            Err(error) => refused = Some(error),
        }
    }
    refused.map_or(Ok(None), Err)
}

fn open_one(class: &Path, devices: &Path, name: &str, identity: String) -> io::Result<(Dog, Watchdog)> {
    let number = |file: &str| -> Option<u32> {
        let text = fs::read_to_string(class.join(name).join(file)).ok()?;
        text.trim().parse().ok()
    };
    let caused_start = number("bootstatus").is_some_and(|status| status & CARD_RESET != 0);
    let device = OpenOptions::new().write(true).open(devices.join(name))?;
    // Some devices know only one time-out; what it is then is said.
    let timeout = ioctl::set_watchdog_timeout(device.as_fd(), TIMEOUT).ok().or_else(|| number("timeout"));
    let is_hardware = identity != SOFTWARE;
    let watchdog = Watchdog { identity, is_hardware, timeout: timeout.unwrap_or(TIMEOUT), caused_start };
    Ok((Dog { device }, watchdog))
}

/// Names and identities of the devices, those of hardware first.
fn found(class: &Path) -> io::Result<Vec<(String, String)>> {
    let entries = match fs::read_dir(class) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found: Vec<(bool, String, String)> = Vec::new();
    for entry in entries {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let identity = fs::read_to_string(class.join(&name).join("identity")).unwrap_or_default();
        let identity: String = identity.trim().chars().filter(|c| !c.is_control()).take(64).collect();
        found.push((identity == SOFTWARE, name, identity));
    }
    found.sort();
    Ok(found.into_iter().map(|(_, name, identity)| (name, identity)).collect())
}

impl Dog {
    /// Any byte but `V`, which would announce an end.
    fn feed(&mut self) -> io::Result<()> {
        self.device.write_all(b"\0")
    }

    /// Feeds the device for ever, in a thread of its own, as long as `watch` says that all is well.
    pub fn keep(mut self, watch: Arc<Watch>, shared: Arc<Shared>) -> io::Result<()> {
        let feed = move || {
            let mut told = None;
            loop {
                match watch.all_well() {
                    Ok(()) => {
                        if let Err(error) = self.feed() {
                            shared.log(&format!("watchdog: {error}"));
                        }
                        told = None;
                    }
                    Err(silent) => {
                        if told.as_ref() != Some(&silent.name) {
                            shared.log(&format!("watchdog: {silent}, so it is fed no more"));
                            told = Some(silent.name);
                        }
                    }
                }
                std::thread::sleep(PERIOD);
            }
        };
        std::thread::Builder::new().name("watchdog".into()).stack_size(64 * 1024).spawn(feed).map(drop)
    }
}

/// The folder in which the kernel lists its devices.
pub fn class(sys: &Path) -> PathBuf {
    sys.join("class/watchdog")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hardware_comes_before_software_and_its_words_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let class = folder.path().join("class");
        assert!(found(&class).unwrap().is_empty());
        for (name, identity) in [("watchdog0", "Software Watchdog\n"), ("watchdog1", "i6300ESB timer\n")] {
            fs::create_dir_all(class.join(name)).unwrap();
            fs::write(class.join(name).join("identity"), identity).unwrap();
            fs::write(class.join(name).join("bootstatus"), "32\n").unwrap();
            fs::write(folder.path().join(name), "").unwrap();
        }
        fs::write(class.join("watchdog1/timeout"), "46\n").unwrap();
        let (mut dog, watchdog) = open(&class, folder.path()).unwrap().unwrap();
        let expected =
            Watchdog { identity: "i6300ESB timer".into(), is_hardware: true, timeout: 46, caused_start: true };
        assert_eq!(watchdog, expected);
        dog.feed().unwrap();
        dog.feed().unwrap();
        assert_eq!(fs::read(folder.path().join("watchdog1")).unwrap(), [0, 0]);
        // One that cannot be opened is no reason to have none.
        fs::remove_file(folder.path().join("watchdog1")).unwrap();
        assert!(!open(&class, folder.path()).unwrap().unwrap().1.is_hardware);
    }
}
