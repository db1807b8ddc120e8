//! Which slot is started: GRUB's environment, 1024 bytes on the ESP.
//!
//! The ESP is never mounted for writing, so that no power cut can damage its FAT. The block is looked for in the sectors of the
//! partition, where it lies in one piece, and overwritten in place: only the sector that changes. All that the box sets fits
//! into the first one, so that a change is made wholly or not at all.

use std::io;

use super::medium::Medium;
use super::state::Slot;
use crate::limits::{DISK_STEP, ESP_LOOKED};

/// Bytes of the environment.
pub const BLOCK: usize = 1024;
const SIGNATURE: &[u8] = b"# GRUB Environment Block\n";
const SECTOR: usize = 512;

/// Why the slots cannot be told or set.
#[derive(Debug, thiserror::Error)]
pub enum SlotsError {
    #[error("the ESP holds no grubenv: the box starts slot a, and cannot be updated until the image is written anew")]
    Missing,
    #[error("grubenv has no room for {0}")]
    NoRoom(String),
    #[error("grubenv was written, and is another one when it is read back: the disk is failing")]
    ReadBack,
    #[error("grubenv cannot be read or written: {0}")]
    Io(#[from] io::Error),
}

/// The slot that runs, from what GRUB told the kernel.
pub fn running(command_line: &str) -> Option<Slot> {
    match command_line.split_ascii_whitespace().filter_map(|word| word.strip_prefix("slot=")).next_back()? {
        "a" => Some(Slot::A),
        "b" => Some(Slot::B),
        _ => None,
    }
}

/// Whether the kernel was started as a trial of this slot, by what it was told (grub.cfg).
pub fn is_trial(command_line: &str) -> bool {
    command_line.split_ascii_whitespace().any(|word| word == "trial")
}

/// The environment on a disk.
pub struct Slots<'a> {
    medium: &'a mut dyn Medium,
    /// Where the block is, in bytes.
    at: u64,
    environment: Environment,
}

impl<'a> Slots<'a> {
    /// Looks for the environment in an ESP, whose start and length are in bytes. `step` is called now and then.
    pub fn find(medium: &'a mut dyn Medium, start: u64, length: u64, step: &dyn Fn()) -> Result<Self, SlotsError> {
        let mut piece = vec![0; DISK_STEP];
        let length = length.min(ESP_LOOKED);
        let mut done = 0;
        while done < length {
            step();
            let size = piece.len().min(usize::try_from(length - done).unwrap_or(usize::MAX));
            medium.get(start + done, &mut piece[..size])?;
            for (at, sector) in (start + done..).step_by(SECTOR).zip(piece[..size].chunks(SECTOR)) {
                if sector.starts_with(SIGNATURE)
                    && at + BLOCK as u64 <= start + length
                    && let Some(environment) = read(medium, at)?
                {
                    return Ok(Self { medium, at, environment });
                }
            }
            done += size as u64;
        }
        Err(SlotsError::Missing)
    }

    /// Where the block is on the disk, in bytes.
    pub fn at(&self) -> u64 {
        self.at
    }

    /// The slot that the next start takes, unless one is to be tried; as GRUB sees it, anything but b is a.
    pub fn committed(&self) -> Slot {
        if self.environment.get("slot") == Some(b"b") { Slot::B } else { Slot::A }
    }

    /// The slot that is tried once at the next start.
    pub fn next(&self) -> Option<Slot> {
        match self.environment.get("next") {
            Some(b"a") => Some(Slot::A),
            Some(b"b") => Some(Slot::B),
            _ => None,
        }
    }

    /// Whether the disk still has the GUIDs of the image file.
    pub fn is_fresh(&self) -> bool {
        self.environment.get("fresh").is_some_and(|value| !value.is_empty())
    }

    /// From now on this slot is started; nothing is tried.
    pub fn commit(&mut self, slot: Slot) -> Result<(), SlotsError> {
        self.write(&[("slot", letter(slot)), ("next", "")])
    }

    /// The next start tries this slot, once.
    pub fn try_next(&mut self, slot: Slot) -> Result<(), SlotsError> {
        self.write(&[("next", letter(slot))])
    }

    /// Notes that the disk has GUIDs of its own.
    pub fn clear_fresh(&mut self) -> Result<(), SlotsError> {
        self.write(&[("fresh", "")])
    }

    fn write(&mut self, values: &[(&str, &str)]) -> Result<(), SlotsError> {
        let there = read(self.medium, self.at)?.ok_or(SlotsError::Missing)?;
        let mut wanted = there.clone();
        for (name, value) in values {
            wanted.set(name, value.as_bytes())?;
        }
        let (before, after) = (there.bytes(), wanted.bytes());
        for (index, sector) in after.chunks(SECTOR).enumerate() {
            if before[index * SECTOR..][..SECTOR] != *sector {
                self.medium.put(self.at + (index * SECTOR) as u64, sector)?;
            }
        }
        self.medium.sync()?;
        self.environment = read(self.medium, self.at)?.ok_or(SlotsError::ReadBack)?;
        if self.environment == wanted { Ok(()) } else { Err(SlotsError::ReadBack) }
    }
}

/// A valid environment block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    /// Comments and variables as they are written, without the line feed at their end.
    lines: Vec<Vec<u8>>,
}

impl Environment {
    /// That of a new box: slot a, nothing to try, GUIDs of its own.
    pub fn new() -> Self {
        Self { lines: vec![b"slot=a".to_vec(), b"next=".to_vec(), b"fresh=".to_vec()] }
    }

    /// None where GRUB would not take the block, or where it holds anything but lines and what fills it up.
    pub fn parse(block: &[u8; BLOCK]) -> Option<Self> {
        let mut rest = block.strip_prefix(SIGNATURE)?;
        let mut lines = Vec::new();
        while !rest.iter().all(|byte| *byte == b'#') {
            let end = line_end(rest)?;
            let line = &rest[..end];
            if !line.starts_with(b"#") && line.iter().position(|byte| *byte == b'=').is_none_or(|name| name == 0) {
                return None;
            }
            lines.push(line.to_vec());
            rest = &rest[end + 1..];
        }
        Some(Self { lines })
    }

    /// The last value of this name, as it is written: a backslash stands before each backslash and line feed.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.lines.iter().rev().find_map(|line| value(line, name))
    }

    /// Sets a variable, and keeps everything else as it is.
    pub fn set(&mut self, name: &str, new: &[u8]) -> Result<(), SlotsError> {
        let mut line = [name.as_bytes(), b"="].concat();
        for byte in new {
            if matches!(byte, b'\\' | b'\n') {
                line.push(b'\\');
            }
            line.push(*byte);
        }
        let mut lines = self.lines.clone();
        match lines.iter().position(|line| value(line, name).is_some()) {
            Some(first) => {
                lines[first] = line;
                let mut index = 0;
                lines.retain(|line| {
                    index += 1;
                    index - 1 <= first || value(line, name).is_none()
                });
            }
            None => lines.push(line),
        }
        let size: usize = SIGNATURE.len() + lines.iter().map(|line| line.len() + 1).sum::<usize>();
        if size > BLOCK {
            return Err(SlotsError::NoRoom(name.into()));
        }
        self.lines = lines;
        Ok(())
    }

    pub fn bytes(&self) -> [u8; BLOCK] {
        let mut block = [b'#'; BLOCK];
        let mut text = SIGNATURE.to_vec();
        for line in &self.lines {
            text.extend_from_slice(line);
            text.push(b'\n');
        }
        block[..text.len()].copy_from_slice(&text);
        block
    }
}

impl Default for Environment {
    fn default() -> Self {
        Self::new()
    }
}

/// The line feed that ends a line; one after a backslash does not, except in a comment.
fn line_end(rest: &[u8]) -> Option<usize> {
    let is_comment = rest.starts_with(b"#");
    let mut escaped = false;
    rest.iter().position(|byte| {
        let ends = *byte == b'\n' && !escaped;
        escaped = !is_comment && *byte == b'\\' && !escaped;
        ends
    })
}

fn value<'a>(line: &'a [u8], name: &str) -> Option<&'a [u8]> {
    line.strip_prefix(name.as_bytes())?.strip_prefix(b"=")
}

fn letter(slot: Slot) -> &'static str {
    match slot {
        Slot::A => "a",
        Slot::B => "b",
    }
}

fn read(medium: &mut dyn Medium, at: u64) -> io::Result<Option<Environment>> {
    let mut block = [0; BLOCK];
    medium.get(at, &mut block)?;
    Ok(Environment::parse(&block))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_slot_that_runs_is_what_grub_told() {
        assert_eq!(running("root=PARTUUID=1 ro slot=b stamp=2"), Some(Slot::B));
        assert_eq!(running("slot=a\n"), Some(Slot::A));
        assert_eq!(running("slot=c"), None);
        assert_eq!(running("root=/dev/sda2"), None);
    }

    #[test]
    fn a_block_that_is_not_whole_is_none() {
        let whole = Environment::new().bytes();
        assert_eq!(Environment::parse(&whole).unwrap(), Environment::new());
        for (at, byte) in [(0, b'X'), (BLOCK - 1, 0), (SIGNATURE.len(), b'='), (600, b'x')] {
            let mut block = whole;
            block[at] = byte;
            assert_eq!(Environment::parse(&block), None, "byte {at}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic_and_written_as_they_were(mut bytes in prop::collection::vec(any::<u8>(), BLOCK), text in "([a-z#=\\\\\n]{0,40}\n){0,20}") {
            let mut block: [u8; BLOCK] = bytes.clone().try_into().unwrap();
            prop_assert_eq!(Environment::parse(&block), None);
            bytes[..SIGNATURE.len()].copy_from_slice(SIGNATURE);
            block.copy_from_slice(&bytes);
            let _ = Environment::parse(&block);
            block = [b'#'; BLOCK];
            block[..SIGNATURE.len()].copy_from_slice(SIGNATURE);
            block[SIGNATURE.len()..][..text.len()].copy_from_slice(text.as_bytes());
            if let Some(environment) = Environment::parse(&block) {
                prop_assert_eq!(environment.bytes(), block);
            }
        }

        #[test]
        fn what_is_set_is_read_and_the_rest_stays(values in prop::collection::vec(("[a-z_]{1,8}", prop::collection::vec(any::<u8>(), 0..30)), 0..40)) {
            let mut environment = Environment::new();
            for (name, value) in values {
                let before = environment.clone();
                if environment.set(&name, &value).is_err() {
                    prop_assert_eq!(&environment, &before);
                    continue;
                }
                let read = Environment::parse(&environment.bytes()).unwrap();
                prop_assert_eq!(&read, &environment);
                let escaped = value.iter().flat_map(|byte| match byte { b'\\' | b'\n' => vec![b'\\', *byte], byte => vec![*byte] });
                prop_assert_eq!(read.get(&name).unwrap(), escaped.collect::<Vec<u8>>());
                let others = |environment: &Environment| environment.lines.iter().filter(|line| super::value(line, &name).is_none()).cloned().collect::<Vec<_>>();
                prop_assert_eq!(others(&before), others(&read));
            }
        }
    }
}
