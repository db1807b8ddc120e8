//! Promise: whatever happens to one slot, the other one starts by itself; a trial that comes to nothing leads back.

use std::fs;

use crate::support::machine::{Arch, Disk, Firmware, Machine, Setup};

fn of(arch: Arch, firmware: Firmware) -> (Setup, Disk) {
    let setup = Setup { firmware, ..Setup::of(arch) };
    (setup.clone(), Disk::flashed(setup.arch, 1 << 30))
}

/// Starts and returns which slot runs.
fn slot(setup: &Setup, disk: &Disk) -> String {
    let machine = Machine::start(setup, disk);
    let (_, mut browser) = machine.wait_for_setup();
    assert_eq!(browser.get("/setup").status, 200);
    let line = machine.wait_for_log("runs from slot", 0);
    line.rsplit(' ').next().unwrap().to_owned()
}

/// The committed slot's first bytes are gone.
fn destroyed(arch: Arch, firmware: Firmware) {
    let (setup, disk) = of(arch, firmware);
    let (start, _) = disk.partition(2);
    disk.write(start, &vec![0xff; 1 << 16]);
    assert_eq!(slot(&setup, &disk), "b");
}

/// A trial of slot b, which was changed, leads back to a, and is made only once.
fn tried_in_vain(arch: Arch, firmware: Firmware, change: impl FnOnce(&std::path::Path)) {
    let (setup, disk) = of(arch, firmware);
    disk.remake(&[3], change);
    disk.set_environment("next", "b");
    assert_eq!(slot(&setup, &disk), "a");
    assert!(disk.environment().contains("\nnext=\n"), "{}", disk.environment());
    assert!(disk.environment().contains("\nslot=a\n"), "{}", disk.environment());
}

fn without_init(tree: &std::path::Path) {
    fs::remove_file(tree.join("sbin/init")).unwrap();
}

/// The kernel's first process ends at once.
fn panicking(tree: &std::path::Path) {
    fs::remove_file(tree.join("sbin/init")).unwrap();
    fs::write(tree.join("sbin/init"), "#!/bin/sh\nexit 1\n").unwrap();
    fs::set_permissions(tree.join("sbin/init"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
}

#[test]
#[ignore = "make test-box"]
fn destroyed_by_uefi() {
    destroyed(Arch::X86_64, Firmware::Uefi);
}

#[test]
#[ignore = "make test-box"]
fn destroyed_by_bios() {
    destroyed(Arch::X86_64, Firmware::Bios);
}

#[test]
#[ignore = "make test-box"]
fn destroyed_on_aarch64() {
    destroyed(Arch::Aarch64, Firmware::Uefi);
}

#[test]
#[ignore = "make test-box"]
fn no_init_by_uefi() {
    tried_in_vain(Arch::X86_64, Firmware::Uefi, without_init);
}

#[test]
#[ignore = "make test-box"]
fn no_init_by_bios() {
    tried_in_vain(Arch::X86_64, Firmware::Bios, without_init);
}

#[test]
#[ignore = "make test-box"]
fn panic_by_uefi() {
    tried_in_vain(Arch::X86_64, Firmware::Uefi, panicking);
}

#[test]
#[ignore = "make test-box"]
fn panic_by_bios() {
    tried_in_vain(Arch::X86_64, Firmware::Bios, panicking);
}

#[test]
#[ignore = "make test-box"]
fn a_good_trial_is_committed_once_it_has_proved_itself() {
    let (setup, disk) = of(Arch::X86_64, Firmware::Uefi);
    disk.set_environment("next", "b");
    {
        let machine = Machine::start(&setup, &disk);
        machine.wait_for_setup();
        machine.wait_for_log("is committed", 0);
    }
    assert!(disk.environment().contains("\nslot=b\n"), "{}", disk.environment());
    assert_eq!(slot(&setup, &disk), "b");
}
