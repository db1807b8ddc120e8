//! Promise: the image is written to a disk, set up from the LAN, and archives; a restart and a pulled plug lose nothing.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::people::{add_source, link, log_in, port, prove, set_up, wait_for_documents};
use crate::support::machine::{Arch, Disk, Machine, Setup};
use crate::support::tenant::{Tenant, tiny};

const ANNA: &str = "anna@example.ch";
const BEAT: &str = "beat@example.ch";
const GIB: u64 = 1 << 30;

fn main_job(setup: Setup) {
    let tenant = Tenant::with(&[(ANNA, tiny(ANNA, 12)), (BEAT, tiny(BEAT, 120))]);
    let setup = Setup { ports: vec![port(&tenant)], ..setup };
    let disk = Disk::flashed(setup.arch, 2 * GIB);

    let mut machine = Machine::start(&setup, &disk);
    let mut anna = set_up(&machine);
    add_source(&mut anna, "wolke", &tenant, ANNA);
    wait_for_documents(&mut anna, 12);
    let opened = anna.get(&link(1));
    let page = match opened.header("location") {
        Some(target) => anna.page(target),
        None => opened.text(),
    };
    assert!(page.contains("target=new&amp;go=1"), "the link is not shown: {page}");
    machine.power_off();

    let mut machine = Machine::start(&setup, &disk);
    let mut anna = log_in(&machine);
    wait_for_documents(&mut anna, 12);
    // The second mailbox comes slowly, and the plug is pulled in the middle of it.
    tenant.control(&json!({ "op": "configure", "latency": 100 }));
    let before = tenant.calls("value");
    add_source(&mut anna, "zweite", &tenant, BEAT);
    let since = Instant::now();
    while tenant.calls("value") < before + 60 {
        assert!(since.elapsed() < Duration::from_mins(3), "the second mailbox is not fetched: {}", machine.log.all());
        std::thread::sleep(Duration::from_millis(50));
    }
    machine.kill();

    let mut machine = Machine::start(&setup, &disk);
    let mut anna = log_in(&machine);
    wait_for_documents(&mut anna, 132);
    machine.power_off();
    prove(&disk, &tenant, &[ANNA, BEAT]);
}

#[test]
fn on_x86_64() {
    main_job(Setup::of(Arch::X86_64));
}

#[test]
#[ignore = "make test-box"]
fn on_aarch64() {
    main_job(Setup::of(Arch::Aarch64));
}

#[test]
fn aarch64_boots_to_the_setup_page() {
    let setup = Setup::of(Arch::Aarch64);
    let disk = Disk::flashed(setup.arch, 2 * GIB);
    let machine = Machine::start(&setup, &disk);
    let (_, mut browser) = machine.wait_for_setup();
    let answer = browser.get("/setup");
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(answer.text().contains("name=\"code\""));
}
