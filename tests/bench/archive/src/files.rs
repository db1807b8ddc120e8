//! The mails of a folder and the folders in it, in the order of their names.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::pipe::Mail;

pub fn mails(dir: &Path) -> io::Result<impl Iterator<Item = Mail>> {
    let mut files = Vec::new();
    collect(dir, &mut files)?;
    files.sort();
    Ok(files.into_iter().filter_map(|file| Some(Mail { mailbox: 0, bytes: as_sent(&fs::read(file).ok()?) })))
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() { collect(&path, files)? } else { files.push(path) }
    }
    Ok(())
}

/// With the line ends of the wire, and without the line that an mbox has before a mail.
fn as_sent(file: &[u8]) -> Vec<u8> {
    let mut mail = Vec::with_capacity(file.len() + file.len() / 20);
    let mut lines = file.split_inclusive(|byte| *byte == b'\n').peekable();
    lines.next_if(|line| line.starts_with(b"From "));
    for line in lines {
        match line.strip_suffix(b"\n") {
            Some(text) => {
                mail.extend_from_slice(text.strip_suffix(b"\r").unwrap_or(text));
                mail.extend_from_slice(b"\r\n");
            }
            None => mail.extend_from_slice(line),
        }
    }
    mail
}
