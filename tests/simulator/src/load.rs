//! Reads a mailbox from disk: a folder of `.eml` files with its sub-folders, or an mbox.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use mail_parser::MessageParser;

use crate::source::Source;

/// A message that was found, and the folder it belongs in (names from the top; none means the inbox).
pub struct Found {
    pub folder: Vec<String>,
    pub source: Source,
}

/// Everything in a folder or an mbox, in the order of the names. Empty folders count too: their messages are none.
pub fn mailbox(path: &Path) -> Result<(Vec<Vec<String>>, Vec<Found>)> {
    let (mut folders, mut found) = (Vec::new(), Vec::new());
    if path.is_dir() {
        walk(path, &[], &mut folders, &mut found).with_context(|| path.display().to_string())?;
    } else {
        mbox(path, &mut found).with_context(|| path.display().to_string())?;
    }
    Ok((folders, found))
}

fn walk(dir: &Path, folder: &[String], folders: &mut Vec<Vec<String>>, found: &mut Vec<Found>) -> Result<()> {
    let mut entries = BTreeMap::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        entries.insert(entry.file_name().to_string_lossy().into_owned(), entry.path());
    }
    for (name, path) in entries {
        if name.starts_with('.') {
            continue;
        }
        if path.is_dir() {
            let mut inner = folder.to_vec();
            // A mail folder's name may hold a slash, a file's name may not.
            inner.push(name.replace("%2F", "/"));
            folders.push(inner.clone());
            walk(&path, &inner, folders, found)?;
        } else {
            found.push(Found { folder: folder.to_vec(), source: Source::File(Arc::new(path)) });
        }
    }
    Ok(())
}

/// Notes where each message of an mbox begins and ends; none is read into memory. The line `From …` and the empty line
/// before the next one belong to the mbox and not to the message.
fn mbox(path: &Path, found: &mut Vec<Found>) -> io::Result<()> {
    let shared = Arc::new(path.to_path_buf());
    let mut reader = BufReader::new(fs::File::open(path)?);
    let (mut at, mut begun, mut line, mut blank) = (0_u64, None, Vec::new(), 0_u64);
    let mut keep = |start: Option<u64>, end: u64| {
        if let Some(start) = start.filter(|start| *start < end) {
            let source = Source::Slice { path: Arc::clone(&shared), start, length: end - start };
            found.push(Found { folder: Vec::new(), source });
        }
    };
    loop {
        line.clear();
        let read = reader.read_until(b'\n', &mut line)? as u64;
        let is_blank = line == b"\n" || line == b"\r\n";
        if read == 0 || (line.starts_with(b"From ") && (blank > 0 || at == 0)) {
            keep(begun, at - blank);
            begun = Some(at + read);
        }
        if read == 0 {
            return Ok(());
        }
        at += read;
        blank = if is_blank { read } else { 0 };
    }
}

/// When a message was received and sent, as far as its header says: the uppermost `Received`, else `Date`.
pub fn dates(source: &Source) -> (i64, i64) {
    let head = source.head().unwrap_or_default();
    let parsed = MessageParser::new().parse_headers(&head);
    let sent = parsed.as_ref().and_then(|mail| mail.date()).map(mail_parser::DateTime::to_timestamp);
    let received = parsed
        .as_ref()
        .and_then(|mail| mail.received())
        .and_then(mail_parser::Received::date)
        .map(|date| date.to_timestamp());
    let sent_or = received.or(sent).unwrap_or(0);
    (sent_or, sent.unwrap_or(sent_or))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_mbox_is_cut_at_its_from_lines() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mbox");
        fs::write(&path, "From a\nSubject: 1\n\nFrom here on\n\nFrom b\nSubject: 2\n\nend\n").unwrap();
        let (_, found) = mailbox(&path).unwrap();
        let mails: Vec<_> = found.iter().map(|mail| String::from_utf8(mail.source.whole().unwrap()).unwrap()).collect();
        assert_eq!(mails[0], "Subject: 1\n", "a line after an empty one that begins with `From ` begins a message");
        assert_eq!(mails.last().unwrap(), "Subject: 2\n\nend\n");
    }
}
