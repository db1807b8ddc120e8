//! Promise: a plug that is pulled ten times while mail is archived costs no message that was acknowledged.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::people::{add_source, documents, log_in, port, prove, set_up, wait_for_documents};
use crate::support::machine::{Arch, Disk, Machine, Setup};
use crate::support::random::Random;
use crate::support::tenant::{Tenant, tiny};

const ANNA: &str = "anna@example.ch";
const MAILS: usize = 3000;

#[test]
#[ignore = "make test-box"]
fn pulled_ten_times() {
    let tenant = Tenant::with(&[(ANNA, tiny(ANNA, MAILS))]);
    tenant.control(&json!({ "op": "configure", "latency": 60 }));
    let setup = Setup { ports: vec![port(&tenant)], ..Setup::of(Arch::X86_64) };
    let disk = Disk::flashed(setup.arch, 2 << 30);
    let mut random = Random::seeded(10);
    let (mut acknowledged, mut asked) = (0, 0);
    for turn in 0..10 {
        let mut machine = Machine::start(&setup, &disk);
        let mut anna = if turn == 0 { set_up(&machine) } else { log_in(&machine) };
        if turn == 0 {
            add_source(&mut anna, "wolke", &tenant, ANNA);
        }
        // What was there before the plug was pulled is there, before anything could be fetched again.
        let there = documents(&mut anna);
        assert!(there >= acknowledged, "turn {turn}: {there} of {acknowledged} that were acknowledged");
        assert!(turn == 0 || tenant.calls("value") == asked, "turn {turn}: fetched again too early to tell");
        tenant.control(&json!({ "op": "configure", "latency": 60 }));
        let before = tenant.calls("value");
        let enough = before + 20 + random.below(150);
        let since = Instant::now();
        while tenant.calls("value") < enough && since.elapsed() < Duration::from_mins(2) {
            std::thread::sleep(Duration::from_millis(20));
        }
        acknowledged = documents(&mut anna);
        machine.kill();
        // Each answer takes so long from now on that no message comes before the next turn has counted.
        tenant.control(&json!({ "op": "configure", "latency": 20_000 }));
        std::thread::sleep(Duration::from_secs(1));
        asked = tenant.calls("value");
    }
    tenant.control(&json!({ "op": "configure", "latency": 0 }));
    let mut machine = Machine::start(&setup, &disk);
    let mut anna = log_in(&machine);
    wait_for_documents(&mut anna, MAILS);
    machine.power_off();
    prove(&disk, &tenant, &[ANNA]);
}
