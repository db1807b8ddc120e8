//! How a box ends, and the button that asks for it.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use nix::mount::{MntFlags, umount2};
use nix::sys::reboot::{RebootMode, reboot};

use super::state::Power;

/// `struct input_event` of 64-bit Linux (`include/uapi/linux/input.h`): 16 bytes of time, type, code, value.
const EVENT: usize = 24;
const EV_KEY: u16 = 1;
const KEY_POWER: u16 = 116;

/// Ends the machine: what was written is on the disk, the data folder unmounted. Returns only where that fails.
pub fn end(how: Power, data: &Path) -> nix::Error {
    nix::unistd::sync();
    // A busy one is detached: its journal makes good for it.
    let _ = umount2(data, MntFlags::empty()).or_else(|_| umount2(data, MntFlags::MNT_DETACH));
    nix::unistd::sync();
    let mode = match how {
        Power::Restart => RebootMode::RB_AUTOBOOT,
        Power::Off => RebootMode::RB_POWER_OFF,
    };
    match reboot(mode) {
        Err(error) => error,
        Ok(never) => match never {},
    }
}

/// The devices of power buttons; also of those that a hypervisor presses.
pub fn buttons(sys: &Path, dev: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(sys.join("class/input")).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let is_button = name.to_string_lossy().starts_with("event")
            && fs::read_to_string(entry.path().join("device/name"))
                .is_ok_and(|name| matches!(name.trim(), "Power Button" | "gpio-keys" | "pwrkey"));
        if is_button {
            found.push(dev.join("input").join(name));
        }
    }
    found.sort();
    found
}

/// Waits until the button is pressed. `false` where the device went away.
pub fn pressed(button: &mut File) -> bool {
    let mut event = [0; EVENT];
    while button.read_exact(&mut event).is_ok() {
        if is_press(&event) {
            return true;
        }
    }
    false
}

fn is_press(event: &[u8; EVENT]) -> bool {
    let word = |at: usize| u16::from_ne_bytes([event[at], event[at + 1]]);
    word(16) == EV_KEY && word(18) == KEY_POWER && event[20..24] == 1_i32.to_ne_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_power_key_going_down_is_a_press() {
        let event = |kind: u16, code: u16, value: i32| {
            let mut bytes = [0; EVENT];
            bytes[16..18].copy_from_slice(&kind.to_ne_bytes());
            bytes[18..20].copy_from_slice(&code.to_ne_bytes());
            bytes[20..].copy_from_slice(&value.to_ne_bytes());
            bytes
        };
        assert!(is_press(&event(1, 116, 1)));
        for other in [event(1, 116, 0), event(1, 30, 1), event(0, 0, 0)] {
            assert!(!is_press(&other));
        }
    }

    #[test]
    fn buttons_are_found_by_their_name() {
        let folder = tempfile::tempdir().unwrap();
        for (event, name) in
            [("event0", "AT Translated Set 2 keyboard\n"), ("event1", "Power Button\n"), ("mouse0", "Power Button\n")]
        {
            let device = folder.path().join("class/input").join(event).join("device");
            fs::create_dir_all(&device).unwrap();
            fs::write(device.join("name"), name).unwrap();
        }
        assert_eq!(buttons(folder.path(), Path::new("/dev")), [PathBuf::from("/dev/input/event1")]);
    }
}
