#![no_main]

use archivista_fuzz::{head, seeds};

libfuzzer_sys::fuzz_target!(init: seeds::write_if_asked(&head::seeds), |input: &[u8]| head::run(input));
