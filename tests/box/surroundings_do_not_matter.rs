//! Promise: a large disk, a clock at 1970, a network that comes late and another box's disk in the same machine do no harm.

use std::process::Command;
use std::time::Duration;

use serde_json::json;

use crate::people::{add_source, log_in, port, set_up};
use crate::support::machine::{Arch, Disk, Machine, Setup};
use crate::support::tenant::{Tenant, tiny};

const ANNA: &str = "anna@example.ch";

#[test]
#[ignore = "make test-box"]
fn the_archive_grows_to_64_gib() {
    let setup = Setup::of(Arch::X86_64);
    let disk = Disk::flashed(setup.arch, 64 << 30);
    let mut machine = Machine::start(&setup, &disk);
    let mut anna = set_up(&machine);
    let page = anna.page("/admin/system");
    machine.power_off();
    let (start, length) = disk.partition(4);
    assert!(start + length > (64 << 30) - (2 << 20), "{start} {length}");
    let image = format!("{}?offset={start}", disk.path.display());
    let out = Command::new("/sbin/dumpe2fs").arg("-h").arg(&image).output().unwrap();
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let blocks: u64 = text
        .lines()
        .find_map(|line| line.strip_prefix("Block count:"))
        .and_then(|count| count.trim().parse().ok())
        .unwrap_or_else(|| panic!("{text}"));
    assert!(blocks * 4096 + (1 << 20) > length, "{blocks} blocks in {length} bytes; {page}");
    let check = Command::new("/sbin/sgdisk").arg("-v").arg(&disk.path).output().unwrap();
    assert!(String::from_utf8_lossy(&check.stdout).contains("No problems found"), "{check:?}");
    // The second start finds nothing to grow.
    let machine = Machine::start(&setup, &disk);
    log_in(&machine);
}

#[test]
#[ignore = "make test-box"]
fn a_clock_at_1970_is_lifted_and_nothing_is_fetched_until_a_time_server_answers() {
    let tenant = Tenant::with(&[(ANNA, tiny(ANNA, 3))]);
    let setup = Setup { clock: Some("1970-01-01"), ports: vec![port(&tenant)], ..Setup::of(Arch::X86_64) };
    let disk = Disk::flashed(setup.arch, 1 << 30);
    let machine = Machine::start(&setup, &disk);
    let mut anna = set_up(&machine);
    add_source(&mut anna, "wolke", &tenant, ANNA);
    std::thread::sleep(Duration::from_secs(20));
    assert_eq!(tenant.calls("value"), 0);
    assert_eq!(anna.get(&crate::people::link(1)).status, 404);
    let page = anna.page("/admin");
    assert!(page.contains("waits for the time"), "{page}");
}

#[test]
#[ignore = "make test-box"]
fn a_network_that_comes_two_minutes_late_is_used() {
    let setup = Setup::of(Arch::X86_64);
    let disk = Disk::flashed(setup.arch, 1 << 30);
    let machine = Machine::start(&setup, &disk);
    machine.qmp("set_link", &json!({ "name": "nic", "up": false }));
    machine.wait_for_log("serving /data/archive", 0);
    std::thread::sleep(Duration::from_mins(2));
    machine.qmp("set_link", &json!({ "name": "nic", "up": true }));
    let (_, mut browser) = machine.wait_for_setup();
    assert_eq!(browser.get("/setup").status, 200);
}

#[test]
#[ignore = "make test-box"]
fn two_flashed_disks_never_mix() {
    let first = Disk::flashed(Arch::X86_64, 1 << 30);
    let second = Disk::flashed(Arch::X86_64, 1 << 30);
    let other = format!("if=none,id=other,format=raw,file={}", second.path.display());
    let more = vec!["-drive".into(), other, "-device".into(), "virtio-blk-pci,drive=other".into()];
    let setup = Setup { more, ..Setup::of(Arch::X86_64) };
    {
        let mut machine = Machine::start(&setup, &first);
        set_up(&machine);
        machine.power_off();
    }
    // The second disk was not touched; the first one is set up whichever way they stand.
    assert!(second.environment().contains("\nfresh=1\n"), "{}", second.environment());
    assert!(!first.environment().contains("\nfresh=1\n"), "{}", first.environment());
    let machine = Machine::start(&setup, &first);
    log_in(&machine);
}
