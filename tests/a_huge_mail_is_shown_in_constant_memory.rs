//! Promise: a mail with an attachment of 150 MB is looked into, and the attachment given out, without being held.
//!
//! A file of its own: the memory of a process is measured, and nothing else may run in it.

use std::fs;
use std::io::{self, Write};

use archivista::mail::{Collector, Mode, Outliner, PartWriter, Plan};

const LINES: usize = 2_000_000;
/// 57 bytes in Base64.
const LINE: &[u8] = b"QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB\r\n";
/// KiB that may come on top.
const MORE: u64 = 8 * 1024;

/// Most memory that the process ever had, KiB.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// The message, as the archive would push it; returns its length.
fn push(out: &mut dyn Write) -> u64 {
    let head = b"Subject: gross\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nHallo\r\n\
        --b\r\nContent-Type: video/mp4; name=film.mp4\r\nContent-Disposition: attachment\r\nContent-Transfer-Encoding: base64\r\n\r\n";
    out.write_all(head).unwrap();
    // The archive pushes its chunks of 64 KiB.
    let chunk = LINE.repeat(800);
    for _ in 0..LINES / 800 {
        out.write_all(&chunk).unwrap();
    }
    out.write_all(b"--b--\r\n").unwrap();
    (head.len() + LINE.len() * LINES + 7) as u64
}

#[derive(Default)]
struct Counter {
    bytes: u64,
    wrong: bool,
}

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes += bytes.len() as u64;
        self.wrong |= bytes.iter().any(|byte| *byte != b'A');
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn of_150_megabytes() {
    let before = peak();
    let mut outliner = Outliner::new();
    let size = push(&mut outliner);
    let outline = outliner.finish();
    assert!(size > 150_000_000 && outline.size == size);
    let film = &outline.parts[2];
    let decoded = 57 * LINES as u64;
    assert!(film.decoded_size().abs_diff(decoded) < 10, "{} {decoded}", film.decoded_size());

    let plan = Plan::new(&outline, 0, Mode::Html);
    let mut collector = Collector::new(plan.wanted());
    push(&mut collector);
    let view = plan.show(collector.finish());
    assert_eq!((view.shown.len(), view.attachments.as_slice()), (1, &[2][..]));

    let mut writer = PartWriter::new(film, u64::MAX, Counter::default());
    push(&mut writer);
    let (counter, cut) = writer.finish().unwrap();
    assert_eq!((counter.bytes, counter.wrong, cut), (decoded, false, false));
    let grown = peak() - before;
    assert!(grown < MORE, "{grown} KiB");
}
