//! Promise: a box that hangs is started again by its watchdog, and says so; the device is the one of the machine.

use serde_json::json;

use crate::support::machine::{Arch, Disk, Dog, Firmware, Machine, Setup};

/// Stops a process in the middle of its work; the device has to start the box again.
fn hung(setup: &Setup, process: &str, identity: &str) {
    let disk = Disk::flashed(setup.arch, 1 << 30);
    disk.with_shell();
    let mut machine = Machine::start(setup, &disk);
    machine.wait_for_setup();
    let armed = machine.wait_for_log("watchdog: ", 0);
    assert!(armed.contains(identity), "{armed}");
    let mark = machine.log.mark();
    machine.sh(&format!("for p in /proc/[0-9]*; do tr '\\0' ' ' <$p/cmdline | grep -q 'archivista {process}' && kill -STOP ${{p##*/}}; done"));
    machine.wait_for_log("supervises", mark);
    assert!(machine.saw("WATCHDOG") && machine.saw("RESET"), "{:?}", machine.events.lock().unwrap());
    let status = machine.sh("cat /sys/class/watchdog/watchdog0/identity /sys/class/watchdog/watchdog0/bootstatus");
    // The driver of the PC's device has no word for it; then what was noticed before the start counts.
    let told = if setup.dog == Dog::Itco { "0" } else { "32" };
    assert!(status.contains(identity) && status.lines().any(|line| line.trim() == told), "{status}");
    if told != "0" || process == "serve" {
        machine.wait_for_log("it caused this start", mark);
    }
    machine.wait_for_log("serving /data/archive", mark);
    assert_eq!(machine.qmp("query-status", &json!({}))["status"], "running");
}

#[test]
#[ignore = "make test-box"]
fn serve_under_i6300esb() {
    hung(&Setup::of(Arch::X86_64), "serve", "i6300ESB");
}

#[test]
#[ignore = "make test-box"]
fn supervise_under_i6300esb() {
    hung(&Setup::of(Arch::X86_64), "supervise", "i6300ESB");
}

#[test]
#[ignore = "make test-box"]
fn serve_under_itco() {
    hung(&Setup { dog: Dog::Itco, firmware: Firmware::Bios, ..Setup::of(Arch::X86_64) }, "serve", "iTCO_wdt");
}

#[test]
#[ignore = "make test-box"]
fn supervise_under_itco() {
    hung(&Setup { dog: Dog::Itco, ..Setup::of(Arch::X86_64) }, "supervise", "iTCO_wdt");
}

#[test]
#[ignore = "make test-box"]
fn serve_on_aarch64() {
    hung(&Setup::of(Arch::Aarch64), "serve", "i6300ESB");
}
