//! Inputs to begin with: the test vectors of docs/format.md, real mails, and what a target knows itself.

use std::path::{Path, PathBuf};
use std::{env, fs};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Writes the inputs into the folder that `FUZZ_SEEDS` names, and ends the process; does nothing where it names none.
///
/// # Panics
/// If they cannot be made: a fuzzer without them finds less.
pub fn write_if_asked(inputs: &dyn Fn() -> Vec<Vec<u8>>) {
    let Some(folder) = env::var_os("FUZZ_SEEDS").map(PathBuf::from) else { return };
    fs::create_dir_all(&folder).unwrap();
    for (number, input) in inputs().iter().enumerate() {
        fs::write(folder.join(format!("seed-{number:04}")), input).unwrap();
    }
    std::process::exit(0);
}

/// Every twentieth mail of the corpus up to `longest` bytes.
///
/// # Panics
/// If the corpus is not there.
pub fn mails(longest: u64) -> Vec<Vec<u8>> {
    let corpus = root().join("target/tools/mail-corpus");
    let mut files = Vec::new();
    for folder in fs::read_dir(&corpus).expect("the corpus; run: make tools").map(|entry| entry.unwrap().path()) {
        files.extend(fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()));
    }
    files.sort();
    let short = files.iter().step_by(20).filter(|file| file.metadata().is_ok_and(|meta| meta.len() <= longest));
    short.map(|file| fs::read(file).unwrap()).collect()
}

/// The test vectors of docs/format.md: every block of hexadecimal lines.
///
/// # Panics
/// If there are none.
pub fn vectors() -> Vec<Vec<u8>> {
    let format = fs::read_to_string(root().join("docs/format.md")).unwrap();
    let blocks = format.split("\n\n").filter(|block| block.lines().all(|line| line.starts_with("    ")));
    let vectors: Vec<Vec<u8>> = blocks.filter_map(bytes).collect();
    assert!(vectors.len() >= 4, "{}", vectors.len());
    vectors
}

fn bytes(block: &str) -> Option<Vec<u8>> {
    let digits: String = block.split_whitespace().collect();
    let pairs = (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok());
    pairs.collect()
}
