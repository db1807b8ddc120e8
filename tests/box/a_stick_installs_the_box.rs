//! Promise: a machine started from a stick installs the box to its own disk from the console, and then starts from that.

use std::time::Duration;

use crate::people::set_up;
use crate::support::machine::{Arch, Bus, Disk, Firmware, Machine, Setup};

const INSTALLS_WITHIN: Duration = Duration::from_mins(6);

fn installed(firmware: Firmware) {
    let stick = Disk::flashed(Arch::X86_64, 1 << 30);
    let inner = stick.beside("inner.img", 4 << 30);
    let more = vec![
        "-drive".into(),
        format!("if=none,id=inner,format=raw,file={}", inner.display()),
        "-device".into(),
        "virtio-blk-pci,drive=inner,id=vd".into(),
    ];
    let setup = Setup { bus: Bus::Usb, firmware, more, ..Setup::of(Arch::X86_64) };
    {
        let mut machine = Machine::start(&setup, &stick);
        machine.wait_for_setup();
        let mut says = |line: &str, answer: &str| {
            let mark = machine.console.mark();
            machine.type_line(line);
            machine.console.wait(answer, mark, INSTALLS_WITHIN, |text| text.contains(answer).then_some(()));
        };
        says("3", "Type the name of the disk");
        says("vdz", "nothing was written");
        says("", "Setup code");
        says("3", "Type the name of the disk");
        says("vda", "Enter: back");
        let shown = machine.console.all();
        assert!(!shown.rsplit("Type the name").next().unwrap().contains("!!"), "{shown}");
        machine.power_off();
    }
    let alone = Disk::of(inner);
    let setup = Setup { firmware, ..Setup::of(Arch::X86_64) };
    let mut machine = Machine::start(&setup, &alone);
    set_up(&machine);
    machine.power_off();
    let (_, length) = alone.partition(4);
    assert!(length > 3 << 30, "the archive has the disk: {length}");
}

#[test]
#[ignore = "make test-box"]
fn by_uefi() {
    installed(Firmware::Uefi);
}

#[test]
#[ignore = "make test-box"]
fn by_bios() {
    installed(Firmware::Bios);
}
