//! 6,046 real mails with the character sets, broken structures and oddities that people sent around 2002.

use std::fs;
use std::path::PathBuf;

pub struct Mail {
    /// `easy-ham-1/00001.7c53336b37003a9286aba55d2945844c`
    pub name: String,
    /// As it would come from a server: CRLF line ends, without the mbox line before the header.
    pub bytes: Vec<u8>,
}

/// All of them, in the order of their names.
///
/// # Panics
/// If they are not there: a test that skips itself proves nothing.
pub fn mails() -> Vec<Mail> {
    let root: PathBuf = [env!("CARGO_MANIFEST_DIR"), "target/tools/mail-corpus"].iter().collect();
    let folders = fs::read_dir(&root).unwrap_or_else(|error| panic!("{}: {error}; run: make tools", root.display()));
    let mut mails = Vec::new();
    for folder in folders.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
        for file in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            let name = file.strip_prefix(&root).unwrap().with_extension("").to_str().unwrap().to_owned();
            mails.push(Mail { name, bytes: as_sent(&fs::read(&file).unwrap()) });
        }
    }
    mails.sort_by(|one, other| one.name.cmp(&other.name));
    mails
}

fn as_sent(file: &[u8]) -> Vec<u8> {
    let mut lines = file.split_inclusive(|byte| *byte == b'\n').peekable();
    lines.next_if(|line| line.starts_with(b"From "));
    let mut bytes = Vec::with_capacity(file.len() + file.len() / 20);
    for line in lines {
        let text = line.strip_suffix(b"\n").map_or(line, |text| text.strip_suffix(b"\r").unwrap_or(text));
        bytes.extend_from_slice(text);
        if text.len() < line.len() {
            bytes.extend_from_slice(b"\r\n");
        }
    }
    bytes
}
