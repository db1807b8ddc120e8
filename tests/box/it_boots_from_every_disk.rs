//! Promise: the image starts to the setup page by UEFI and by BIOS, from every kind of disk.

use crate::support::machine::{Arch, Bus, Disk, Firmware, Machine, Setup};

fn boots(setup: &Setup) {
    let disk = Disk::flashed(setup.arch, 1 << 30);
    let machine = Machine::start(setup, &disk);
    let (_, mut browser) = machine.wait_for_setup();
    let answer = browser.get("/setup");
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[test]
#[ignore = "make test-box"]
fn bios() {
    boots(&Setup { firmware: Firmware::Bios, ..Setup::of(Arch::X86_64) });
}

#[test]
#[ignore = "make test-box"]
fn nvme() {
    boots(&Setup { bus: Bus::Nvme, ..Setup::of(Arch::X86_64) });
}

#[test]
#[ignore = "make test-box"]
fn nvme_on_aarch64() {
    boots(&Setup { bus: Bus::Nvme, ..Setup::of(Arch::Aarch64) });
}

#[test]
#[ignore = "make test-box"]
fn ahci() {
    boots(&Setup { bus: Bus::Ahci, ..Setup::of(Arch::X86_64) });
}

#[test]
#[ignore = "make test-box"]
fn ahci_by_bios() {
    boots(&Setup { bus: Bus::Ahci, firmware: Firmware::Bios, ..Setup::of(Arch::X86_64) });
}

#[test]
#[ignore = "make test-box"]
fn usb_stick() {
    boots(&Setup { bus: Bus::Usb, ..Setup::of(Arch::X86_64) });
}
