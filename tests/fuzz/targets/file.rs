#![no_main]

use archivista_fuzz::{file, seeds};

libfuzzer_sys::fuzz_target!(init: seeds::write_if_asked(&file::seeds), |input: &[u8]| file::run(input));
