//! What the box costs: size of its image, memory idle and fetching, time to the first page. Printed for docs/benchmarks.md by
//! `make bench-box`; that it works with 128 MiB is a promise.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::people::{add_source, port, set_up, wait_for_documents};
use crate::support::machine::{Arch, Disk, Dog, Firmware, Machine, Setup};
use crate::support::tenant::{Tenant, tiny};

const ANNA: &str = "anna@example.ch";

/// The whole main job in a machine of 128 MiB, with mails of several megabytes.
fn with_128_mib(setup: Setup) {
    let mut folders = tiny(ANNA, 30);
    let large = [b"Subject: large\r\n\r\n".to_vec(), b"0123456789abcdef\r\n".repeat(1_000_000)].concat();
    folders.get_mut("Inbox").unwrap().push(large);
    let tenant = Tenant::with(&[(ANNA, folders)]);
    let setup = Setup { memory: 128, ports: vec![port(&tenant)], ..setup };
    let disk = Disk::flashed(setup.arch, 2 << 30);
    let mut machine = Machine::start(&setup, &disk);
    let mut anna = set_up(&machine);
    add_source(&mut anna, "wolke", &tenant, ANNA);
    wait_for_documents(&mut anna, 31);
    machine.power_off();
    crate::people::prove(&disk, &tenant, &[ANNA]);
}

/// Without UEFI, both: GRUB by UEFI wants the memory that Debian's kernel unpacks itself to twice, beside what UEFI takes.
#[test]
#[ignore = "make test-box"]
fn a_box_of_128_mib_archives_on_x86_64() {
    with_128_mib(Setup { firmware: Firmware::Bios, ..Setup::of(Arch::X86_64) });
}

#[test]
#[ignore = "make test-box"]
fn a_box_of_128_mib_archives_on_aarch64() {
    with_128_mib(Setup { firmware: Firmware::Loader, ..Setup::of(Arch::Aarch64) });
}

/// MiB that are in use, as the kernel counts them: all but what is free or could be.
fn used(machine: &mut Machine) -> u64 {
    let text = machine.sh("cat /proc/meminfo");
    let value = |name: &str| -> u64 {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{text}"));
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    (value("MemTotal:") - value("MemAvailable:")) / 1024
}

fn figures(arch: Arch) {
    let tenant = Tenant::with(&[(ANNA, tiny(ANNA, 1500))]);
    tenant.control(&json!({ "op": "configure", "latency": 5 }));
    let setup = Setup { dog: Dog::I6300esb, ports: vec![port(&tenant)], ..Setup::of(arch) };
    let disk = Disk::flashed(arch, 2 << 30);
    disk.with_shell();
    let started = Instant::now();
    let mut machine = Machine::start(&setup, &disk);
    let within = Duration::from_mins(5);
    let at = |what: &str| machine.console.wait(what, 0, within, |text| text.contains(what).then(|| started.elapsed()));
    let kernel = at("Starting slot");
    let userspace = at("Run /init as init process");
    machine.wait_for_setup();
    let page = started.elapsed();
    let (kernel, userspace, page) = (kernel.as_secs_f64(), userspace.as_secs_f64(), page.as_secs_f64());
    println!(
        "{}: firmware and GRUB {kernel:.1} s, kernel to userspace {:.1} s, to the first page {:.1} s: {:.1} times",
        arch.name(),
        userspace - kernel,
        page - kernel,
        (page - kernel) / (userspace - kernel)
    );
    let mut anna = set_up(&machine);
    std::thread::sleep(Duration::from_secs(10));
    let idle = used(&mut machine);
    add_source(&mut anna, "wolke", &tenant, ANNA);
    let mut fetching = 0;
    while tenant.calls("value") < 1400 {
        fetching = fetching.max(used(&mut machine));
        std::thread::sleep(Duration::from_millis(500));
    }
    let processes = machine.sh("for p in /proc/[0-9]*; do grep -H -e VmHWM -e VmRSS $p/status; done | grep . ; cat /proc/*/comm | sort | uniq -c | sort -rn | head -3");
    println!(
        "{}: {idle} MiB in use when idle, {fetching} MiB at most while fetching, of {} MiB",
        arch.name(),
        setup.memory
    );
    println!("{processes}");
}

#[test]
#[ignore = "make bench-box"]
fn bench_x86_64() {
    figures(Arch::X86_64);
}

#[test]
#[ignore = "make bench-box"]
fn bench_aarch64() {
    figures(Arch::Aarch64);
}
