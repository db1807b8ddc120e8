//! Made-up mails, the same ones every time; what they contain is told in `tests/tools/sample_mails.py`.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::{must_run, tool};

/// Text, HTML with pictures, PDFs and large archives: 1,000 are about 111 MB.
pub fn sample(count: usize) -> Vec<Vec<u8>> {
    make(count, &[])
}

/// Text only, some 7 kB each.
pub fn small(count: usize) -> Vec<Vec<u8>> {
    make(count, &["--small"])
}

/// One mail of exactly so many bytes, written without being held.
pub fn big(bytes: u64, file: &Path) {
    must_run(Command::new(tool("sample_mails.py")).args(["big", &bytes.to_string()]).arg(file));
}

/// A mail of one line with this Message-ID and subject, for tests that need many different ones or a certain one.
pub fn tiny(message_id: &str, subject: &str) -> Vec<u8> {
    format!(
        "From: Anna <anna@example.ch>\r\nTo: Beat <beat@example.ch>\r\nSubject: {subject}\r\n\
         Date: Mon, 1 Jan 2024 09:00:00 +0100\r\nMessage-ID: <{message_id}>\r\n\r\nGuten Tag\r\n"
    )
    .into_bytes()
}

fn make(count: usize, options: &[&str]) -> Vec<Vec<u8>> {
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new(tool("sample_mails.py"));
    must_run(command.args(["mails", &count.to_string()]).arg(dir.path()).args(options));
    (1..=count).map(|number| fs::read(dir.path().join(format!("{number:06}.eml"))).unwrap()).collect()
}
