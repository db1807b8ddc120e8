//! The file system checker (`e2fsck`) on a partition that is not mounted.
//!
//! Careful first: `-p` mends what nobody has to be asked for. What it refuses is mended from a copy of the superblock where
//! the first one is gone, and with `-y` after that: this may drop what cannot be told any more, but nothing else leads
//! back to the rest, and what was dropped shows, since the archive holds its own hashes against the files.
//!
//! A disk that cannot read or write a block is left as it is: `-y` would write zeros to where a second attempt, or somebody
//! who saves data, might still find something. `-p` stops at the first thing that it refuses, so before `-y` all is read with
//! `-n`, which writes nothing.
//!
//! Where the root folder is gone `-y` would leave a new, empty one. That is no mending: the partition stays as it is.

use std::cell::Cell;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;

use super::ext4::{GROUP, SUPERBLOCK, Superblock};
use crate::limits::{CHECK_LOOK, CHECK_TEXT};
use crate::pulse::Pulse;

/// Bits of the checker's exit status: it mended (and wants a restart, for a root file system), it left damage, it could not
/// work.
const MENDED: i32 = 1 | 2;
const DAMAGED: i32 = 4;
const FAILED: i32 = 8;
/// Bytes of a block of the data file system, and the first groups that have a copy of the superblock.
const BLOCK_SIZE: u64 = 4096;
const COPIES: &[u64] = &[1, 3, 5, 7, 9, 25, 27, 49, 81, 125];
/// What the checker says of a block that the disk does not give or take.
const UNREADABLE: [&str; 2] = ["Error reading block", "Error writing block"];
/// How often `-y` is tried: what it mends may show further damage.
const THOROUGH: usize = 2;

/// How a file system is after its check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    Clean,
    /// In the checker's words.
    Mended(String),
    /// Nothing helped; in the checker's words.
    Damaged(String),
}

/// Checks a partition and mends it. The pulse beats while the checker reads, writes or tells of progress: a check may
/// take a day, a checker that hangs does not stay unnoticed. A cancelled pulse ends it.
pub fn check(program: &Path, partition: &Path, pulse: &Pulse, log: &dyn Fn(&str)) -> io::Result<Health> {
    let mut said = String::new();
    let is_failing = Cell::new(false);
    let mut run = |arguments: &[&str]| -> io::Result<i32> {
        let Run { status, text, is_unreadable } = run(program, arguments, partition, pulse)?;
        log(&format!("e2fsck {}: status {status}", arguments.join(" ")));
        is_failing.set(is_failing.get() || is_unreadable);
        // What `-n` finds is told by whatever mends it.
        if status != 0 && !text.is_empty() && (is_unreadable || !arguments.contains(&"-n")) {
            text.lines().for_each(log);
            said.push_str(&text);
        }
        Ok(status)
    };
    let mut status = run(&["-p"])?;
    let mut thorough: Vec<String> = vec!["-f".into(), "-y".into()];
    let mut restored = false;
    if is_broken(status) {
        let mut file = File::open(partition)?;
        let first = Superblock::read(&mut file, SUPERBLOCK);
        let copies = if first.is_some() { Vec::new() } else { copies(&mut file) };
        let found = first.or(copies.first().map(|found| found.1));
        if !found.is_some_and(|superblock| superblock.has_root(&mut file)) {
            return Ok(Health::Damaged(shortened(said)));
        }
        if let Some((block, _)) = copies.first() {
            thorough.extend(["-b", block, "-B", "4096"].map(String::from));
        }
        for (block, _) in &copies {
            status = run(&["-p", "-b", block, "-B", "4096"])?;
            // The first superblock is written anew before anything else is done. A copy may still say that the journal is to be
            // replayed (growing writes copies while the journal is in use), and then the checker stumbles after that.
            restored = Superblock::read(&mut file, SUPERBLOCK).is_some();
            if restored {
                thorough.truncate(2);
            }
            if restored || !is_broken(status) {
                break;
            }
        }
    }
    for turn in 0..THOROUGH {
        // A copy is older than what it describes: that it says "clean" means nothing.
        if !is_failing.get() && !is_broken(status) && !restored {
            break;
        }
        if turn == 0 && !is_failing.get() {
            let reading: Vec<&str> = thorough.iter().map(|word| if word == "-y" { "-n" } else { word }).collect();
            run(&reading)?;
        }
        if is_failing.get() {
            return Ok(Health::Damaged(shortened(said)));
        }
        restored = false;
        status = run(&thorough.iter().map(String::as_str).collect::<Vec<_>>())?;
        if Superblock::read(&mut File::open(partition)?, SUPERBLOCK).is_some() {
            thorough.truncate(2);
        }
    }
    Ok(match status {
        _ if is_broken(status) => Health::Damaged(shortened(said)),
        _ if said.is_empty() => Health::Clean,
        _ => Health::Mended(shortened(said)),
    })
}

fn is_broken(status: i32) -> bool {
    status & !MENDED != 0
}

/// The blocks with a copy of the superblock that makes sense.
fn copies(file: &mut File) -> Vec<(String, Superblock)> {
    let mut copy = |group: u64| {
        let copy = Superblock::read(file, group * GROUP * BLOCK_SIZE)?;
        let is_one = copy.block_size == BLOCK_SIZE && u64::from(copy.group) == group;
        is_one.then(|| ((group * GROUP).to_string(), copy))
    };
    COPIES.iter().filter_map(|group| copy(*group)).collect()
}

/// What became of one run of the checker.
struct Run {
    status: i32,
    /// What it said, shortened.
    text: String,
    /// It spoke of a block that the disk does not give or take, be it in what was left out of the text.
    is_unreadable: bool,
}

/// Runs the checker once.
fn run(program: &Path, arguments: &[&str], partition: &Path, pulse: &Pulse) -> io::Result<Run> {
    let (out, writer) = io::pipe()?;
    let mut child = Command::new(program)
        .args(arguments)
        // Progress as lines of numbers among the words.
        .args(["-C", "1"])
        .arg(partition)
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(writer.try_clone()?)
        .stderr(writer)
        .spawn()?;
    let (said, text) = mpsc::channel();
    let its_pulse = pulse.clone();
    let reading = std::thread::Builder::new().name("checker".into()).stack_size(256 * 1024).spawn(move || {
        let _ = said.send(listen(out, &its_pulse));
    });
    let counters = format!("/proc/{}/io", child.id());
    let mut seen = String::new();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        let now = fs::read_to_string(&counters).unwrap_or_default();
        if now != seen {
            pulse.beat();
            seen = now;
        }
        if pulse.is_cancelled() || reading.is_err() {
            child.kill()?;
            child.wait()?;
            return Err(io::Error::new(io::ErrorKind::Interrupted, "the check was ended"));
        }
        std::thread::sleep(CHECK_LOOK);
    };
    let (text, is_unreadable) = text.recv().unwrap_or_default();
    Ok(Run { status: status.code().unwrap_or(FAILED | DAMAGED), text, is_unreadable })
}

/// What the checker says until its end, without its progress, and whether a block cannot be read or written; each line is a
/// sign of life.
fn listen(out: impl Read, pulse: &Pulse) -> (String, bool) {
    let mut text = String::new();
    let mut is_unreadable = false;
    let mut left_out = 0_u64;
    let mut out = BufReader::new(out);
    let mut line = Vec::new();
    loop {
        line.clear();
        match out.by_ref().take(CHECK_TEXT as u64).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => break,
            Ok(_) => pulse.beat(),
        }
        let words = String::from_utf8_lossy(&line);
        let words = words.trim();
        is_unreadable = is_unreadable || UNREADABLE.iter().any(|other| words.contains(other));
        if words.is_empty() || is_progress(words) {
            continue;
        }
        if text.len() + words.len() < CHECK_TEXT {
            text.push_str(words);
            text.push('\n');
        } else {
            left_out += 1;
        }
    }
    if left_out > 0 {
        text.push_str(&format!("({left_out} more lines)\n"));
    }
    (text, is_unreadable)
}

/// `PASS DONE ALL DEVICE`.
fn is_progress(line: &str) -> bool {
    let words: Vec<&str> = line.split(' ').collect();
    words.len() == 4 && words[..3].iter().all(|word| word.bytes().all(|byte| byte.is_ascii_digit()))
}

fn shortened(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(2 * CHECK_TEXT));
    text.trim_end().to_string()
}
