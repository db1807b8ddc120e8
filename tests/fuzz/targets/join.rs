#![no_main]

use archivista_fuzz::{join, seeds};

libfuzzer_sys::fuzz_target!(init: seeds::write_if_asked(&join::seeds), |input: &[u8]| join::run(input));
