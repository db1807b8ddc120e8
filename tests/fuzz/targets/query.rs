#![no_main]

use archivista_fuzz::{query, seeds};

libfuzzer_sys::fuzz_target!(init: seeds::write_if_asked(&query::seeds), |input: &[u8]| query::run(input));
