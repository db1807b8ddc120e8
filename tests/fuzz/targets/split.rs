#![no_main]

use archivista_fuzz::{seeds, split};

libfuzzer_sys::fuzz_target!(init: seeds::write_if_asked(&split::seeds), |input: &[u8]| split::run(input));
