//! Promise: where the archive's disk cannot be used the page still comes up and says what is wrong; nothing is formatted.

use crate::people::{add_source, log_in, port, prove, set_up, wait_for_documents};
use crate::support::machine::{Arch, Disk, Machine, Setup};
use crate::support::tenant::{Tenant, tiny};

const ANNA: &str = "anna@example.ch";

#[test]
#[ignore = "make test-box"]
fn a_broken_superblock_is_mended_from_its_copy_and_the_archive_is_whole() {
    let tenant = Tenant::with(&[(ANNA, tiny(ANNA, 12))]);
    let setup = Setup { ports: vec![port(&tenant)], ..Setup::of(Arch::X86_64) };
    let disk = Disk::flashed(setup.arch, 2 << 30);
    {
        let mut machine = Machine::start(&setup, &disk);
        let mut anna = set_up(&machine);
        add_source(&mut anna, "wolke", &tenant, ANNA);
        wait_for_documents(&mut anna, 12);
        machine.power_off();
    }
    let (start, _) = disk.partition(4);
    disk.write(start + 1024, &[0xa5; 1024]);
    let mut machine = Machine::start(&setup, &disk);
    let mut anna = log_in(&machine);
    wait_for_documents(&mut anna, 12);
    // In the words of the checker.
    let page = anna.page("/admin/system");
    assert!(page.contains("Bad magic number"), "{page}");
    machine.power_off();
    prove(&disk, &tenant, &[ANNA]);
}

#[test]
#[ignore = "make test-box"]
fn a_file_system_beyond_repair_is_said_and_left_alone() {
    let setup = Setup::of(Arch::X86_64);
    let disk = Disk::flashed(setup.arch, 2 << 30);
    {
        let mut machine = Machine::start(&setup, &disk);
        set_up(&machine);
        machine.power_off();
    }
    let (start, length) = disk.partition(4);
    // Every copy of the superblock.
    for group in [0_u64, 1, 3, 5, 7, 9] {
        let at = if group == 0 { 1024 } else { group * (128 << 20) };
        if at + 4096 < length {
            disk.write(start + at, &[0; 4096]);
        }
    }
    let before = disk.read(start, 1 << 20);
    let machine = Machine::start(&setup, &disk);
    let mut browser = machine.visitor();
    let answer = browser.get("/");
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert!(
        answer.text().contains("cannot be used") || answer.text().contains("is being checked"),
        "{}",
        answer.text()
    );
    machine.wait_for_log("disk: Trouble", 0);
    assert_eq!(disk.read(start, 1 << 20), before, "nothing was written");
}

#[test]
#[ignore = "make test-box"]
fn a_disk_without_a_free_byte_is_said_and_what_is_archived_is_read() {
    let tenant = Tenant::with(&[(ANNA, tiny(ANNA, 12))]);
    let setup = Setup { ports: vec![port(&tenant)], ..Setup::of(Arch::X86_64) };
    let disk = Disk::flashed(setup.arch, 1 << 30);
    disk.with_shell();
    {
        let mut machine = Machine::start(&setup, &disk);
        let mut anna = set_up(&machine);
        add_source(&mut anna, "wolke", &tenant, ANNA);
        wait_for_documents(&mut anna, 12);
        machine.sh("dd if=/dev/zero of=/data/filler bs=1M 2>/dev/null; dd if=/dev/zero of=/data/filler2 bs=1k 2>/dev/null; sync");
        machine.power_off();
    }
    let mut machine = Machine::start(&setup, &disk);
    let mut anna = log_in(&machine);
    let page = anna.page("/admin");
    assert!(page.contains("are free on the disk"), "{page}");
    assert!([200, 302, 303].contains(&anna.get(&crate::people::link(12)).status));
    machine.power_off();
    prove(&disk, &tenant, &[ANNA]);
}
