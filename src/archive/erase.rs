//! Takes the records of ended documents out of their packs.
//!
//! A pack is never changed in place: a copy is written beside it, with as many zeros (a hole in the file) where a record was, made
//! durable, held against the old one byte by byte, and takes its name. So nothing moves within a pack, every byte that the catalog
//! knows stays right, and at any moment there is one whole file of the name: the old one or the new one.
//!
//! Invariant: only what a durable tombstone names goes, and only from a pack that nobody writes to any more.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::disk::Disk;
use super::error::{ArchiveError, Result};
use super::pack;
use super::read::Packs;
use super::record::Erased;
use crate::disk::Room;

/// Bytes that are copied at a time; so many zeros in a row are not written.
const BLOCK: usize = 64 * 1024;

/// The copy of pack `number` while it is written.
fn beside(packs: &Path, number: u32) -> PathBuf {
    pack::path(packs, number).with_extension("rewrite")
}

/// Removes copies that a kill left behind.
pub fn clean(disk: &Disk, packs: &Path) -> Result<()> {
    for entry in fs::read_dir(packs).map_err(ArchiveError::io(packs))? {
        let path = entry.map_err(ArchiveError::io(packs))?.path();
        if path.extension().is_some_and(|ending| ending == "rewrite") {
            disk.remove(&path).map_err(ArchiveError::io(&path))?;
        }
    }
    Ok(())
}

/// Takes the records at these bytes (ascending, each with the sequence of its tombstone) out of closed pack `number`; gives how many
/// bytes are free afterwards. One that is gone already, or that is damaged, is passed over. `beat` is called on every step; its error
/// ends the work, and nothing has happened.
pub fn rewrite(
    disk: &Disk,
    packs: Packs<'_>,
    number: u32,
    due: &[(u64, u64)],
    beat: &mut dyn FnMut() -> Result<()>,
) -> Result<u64> {
    let mut gone = Vec::new();
    for &(offset, tombstone) in due {
        beat()?;
        let Ok(closed) = pack::at(packs.folder, packs.archive, number, offset)? else { continue };
        let kind = closed.kind();
        if let Ok(whole) = closed.open(packs.keys, &mut io::sink())? {
            gone.push((offset, Erased { kind, stored: whole.stored, tombstone }));
        }
    }
    if gone.is_empty() {
        return Ok(0);
    }
    let path = pack::path(packs.folder, number);
    let copy = beside(packs.folder, number);
    let freed = gone.iter().map(|(_, erased)| erased.zeros()).sum();
    let written = write_copy(disk, packs, &path, &copy, &gone, beat)
        .and_then(|()| disk.rename(&copy, &path).map_err(ArchiveError::io(&path)))
        .and_then(|()| disk.sync_folder(packs.folder).map_err(ArchiveError::io(packs.folder)));
    if written.is_err() {
        let _ = disk.remove(&copy);
    }
    written.map(|()| freed)
}

fn write_copy(
    disk: &Disk,
    packs: Packs<'_>,
    path: &Path,
    copy: &Path,
    gone: &[(u64, Erased)],
    beat: &mut dyn FnMut() -> Result<()>,
) -> Result<()> {
    let from = File::open(path).map_err(ArchiveError::io(path))?;
    let len = from.metadata().map_err(ArchiveError::io(path))?.len();
    let room = Room::of(packs.folder).map_err(ArchiveError::io(packs.folder))?;
    if room.is_short_of(len) {
        let what = format!("{} bytes are free on the disk, {} stay in reserve", room.free, room.reserve());
        return Err(ArchiveError::io(copy)(io::Error::new(io::ErrorKind::StorageFull, what)));
    }
    let mut to = disk
        .open(copy, OpenOptions::new().write(true).create(true).truncate(true).mode(0o600))
        .map_err(ArchiveError::io(copy))?;
    to.set_len(len).map_err(ArchiveError::io(copy))?;
    kept((&from, path), len, gone, beat, &mut |at, block| {
        if block.iter().all(|byte| *byte == 0) { Ok(()) } else { to.seek(at).and_then(|()| to.write_all(block)) }
    })?;
    for (offset, erased) in gone {
        erased
            .encode(packs.archive, packs.keys)
            .and_then(|bytes| to.seek(*offset).and_then(|()| to.write_all(&bytes)))
            .map_err(ArchiveError::io(copy))?;
    }
    disk.set_mode(copy, 0o440).and_then(|()| to.sync_all()).map_err(ArchiveError::io(copy))?;
    let to = File::open(copy).map_err(ArchiveError::io(copy))?;
    let mut there = vec![0; BLOCK];
    kept((&from, path), len, gone, beat, &mut |at, block| {
        to.read_exact_at(&mut there[..block.len()], at)?;
        if there[..block.len()] == *block {
            Ok(())
        } else {
            Err(io::Error::other("the copy is not what was copied; the disk or the memory is faulty"))
        }
    })
}

/// Calls `each` with all bytes of a pack that stay, and where they are.
fn kept(
    (from, path): (&File, &Path),
    len: u64,
    gone: &[(u64, Erased)],
    beat: &mut dyn FnMut() -> Result<()>,
    each: &mut dyn FnMut(u64, &[u8]) -> io::Result<()>,
) -> Result<()> {
    let mut block = vec![0; BLOCK];
    let mut at = 0;
    let ends = gone.iter().map(|(offset, erased)| (*offset, offset + erased.stored.len)).chain([(len, len)]);
    for (end, next) in ends {
        while at < end {
            beat()?;
            let count = usize::try_from(end - at).unwrap_or(BLOCK).min(BLOCK);
            from.read_exact_at(&mut block[..count], at)
                .and_then(|()| each(at, &block[..count]))
                .map_err(ArchiveError::io(path))?;
            at += count as u64;
        }
        at = next;
    }
    Ok(())
}

/// Empties `recovered/`: what was put aside there (catalogs, unfinished ends) may hold what was to go.
pub fn purge(disk: &Disk, recovered: &Path) -> Result<()> {
    let entries = match fs::read_dir(recovered) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(ArchiveError::io(recovered)(error)),
    };
    for entry in entries {
        let path = entry.map_err(ArchiveError::io(recovered))?.path();
        disk.remove(&path).map_err(ArchiveError::io(&path))?;
    }
    disk.sync_folder(recovered).map_err(ArchiveError::io(recovered))
}
