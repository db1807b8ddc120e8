#![no_main]

use archivista_fuzz::{pack, seeds};

libfuzzer_sys::fuzz_target!(init: seeds::write_if_asked(&pack::seeds), |input: &[u8]| pack::run(input));
