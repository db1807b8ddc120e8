//! A box on another disk: the system that runs, from the stick that it was started from.
//!
//! What somebody else has on a disk is never overwritten: a disk with any known file system or volume is refused, and has
//! to be wiped elsewhere first; so is one on which any sector begins an ext4, listed in a table or not. A disk that holds a box gets the system anew, and its archive stays.
//!
//! First what starts the disk is taken away: the partition table, or, on a box, the beginning of its ESP. Then everything is
//! written and compared, then the table; the beginning of the ESP comes last. A power cut before that leaves a disk that no
//! firmware starts, and that can be installed to again.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::disk::{self, DiskError, OwnDisk, WholeDisk};
use super::ext4::{self, SUPERBLOCK, Superblock};
use super::gpt::{self, DATA, Entry, GptError, Guids, SECTOR, Table};
use super::kernel::Kernel;
use super::medium::Medium;
use super::places::Places;
use super::signature;
use super::slots::{Environment, Slots, SlotsError};
use super::state::Disk;
use super::storage::{ESP, hash, holds_blank, write_blank};
use crate::hash::Hasher;
use crate::limits::{DISK_STEP, DISK_UNSYNCED, SMALLEST_DISK};
use crate::pulse::Pulse;

const SLOT_A: u32 = 2;
const SLOT_B: u32 = 3;
/// The BIOS boot partition, where there is one.
const BIOS: u32 = 5;
/// The part of the first sector that is boot code; the protective partition entry, and the mark at the sector's end.
const BOOT_CODE: usize = 440;
const PROTECTIVE: usize = 446;
const SECTOR_BYTES: usize = 512;

/// Why nothing was installed, for the person who asked.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    #[error("There is no disk {0} to install to. / Es gibt keine Disk {0}, auf die installiert werden kann.")]
    Unknown(String),
    #[error("{disk} is in use ({by}). / {disk} wird gerade benutzt ({by}).")]
    InUse { disk: String, by: String },
    #[error("{0} cannot be written to. / {0} ist schreibgeschützt.")]
    ReadOnly(String),
    #[error("{disk} is too small: {needed} MiB are needed. / {disk} ist zu klein: {needed} MiB sind nötig.")]
    TooSmall { disk: String, needed: u64 },
    #[error(
        "{0} has sectors of 4096 bytes, which the box cannot start from. / {0} hat Sektoren von 4096 Byte, davon kann die Box nicht starten."
    )]
    Sectors(String),
    #[error(
        "{disk} holds data: {what}. If nobody needs it, wipe the disk on another computer first. / Auf {disk} liegen Daten: {what}. Werden sie nicht mehr gebraucht, zuerst die Disk an einem anderen Computer löschen."
    )]
    Holds { disk: String, what: String },
    #[error(
        "{0} does not hold what was written to it: it is failing. / {0} hat nicht behalten, was geschrieben wurde: Die Disk ist defekt."
    )]
    ReadBack(String),
    #[error(
        "The disk that this system runs from cannot be read: {0} / Die Disk, von der dieses System läuft, ist nicht lesbar: {0}"
    )]
    Source(String),
    #[error("The disk cannot be read or written: {0} / Die Disk ist nicht les- oder schreibbar: {0}")]
    Io(#[from] io::Error),
    #[error("{0} / Die Partitionstabelle kann nicht geschrieben werden.")]
    Gpt(#[from] GptError),
}

impl From<DiskError> for InstallError {
    fn from(error: DiskError) -> Self {
        Self::Source(error.to_string())
    }
}

impl From<SlotsError> for InstallError {
    fn from(error: SlotsError) -> Self {
        Self::Source(error.to_string())
    }
}

/// The disks that a box can be offered to be installed to: none, unless this one runs from a removable disk or from USB.
/// Whether one of them holds somebody else's data is looked at by [`install`], which says so.
pub fn targets(places: &Places) -> Vec<Disk> {
    let Ok(own) = disk::own(places) else { return Vec::new() };
    if !own.disk.is_removable {
        return Vec::new();
    }
    let Ok(table) = source(places, &own).and_then(|mut file| Ok(Table::read(&mut file)?)) else { return Vec::new() };
    let others = disk::all(places).into_iter().filter(|disk| disk.name != own.disk.name);
    let fit = others.filter(|disk| !disk.is_read_only && disk.size >= needed(&table) && disk.sector == SECTOR);
    fit.map(|disk| {
        let holds_a_box = File::open(disk.path(places)).is_ok_and(|mut file| box_on(&mut file, &table));
        Disk { name: disk.name, model: disk.model, size: disk.size, holds_a_box }
    })
    .collect()
}

/// Installs the system that runs to a disk of [`targets`]. `progress` is told bytes that are done, and all of them; the
/// pulse beats with each. Takes minutes.
pub fn install(
    places: &Places,
    kernel: &dyn Kernel,
    name: &str,
    pulse: &Pulse,
    progress: &dyn Fn(u64, u64),
) -> Result<(), InstallError> {
    let own = disk::own(places)?;
    if !targets(places).iter().any(|target| target.name == name) {
        return Err(refusal(places, &own, name));
    }
    let disk = disk::all(places).into_iter().find(|disk| disk.name == name);
    let disk = disk.ok_or_else(|| InstallError::Unknown(name.into()))?;
    if let Some(by) = disk.user(places) {
        return Err(InstallError::InUse { disk: name.into(), by });
    }
    let mut from = source(places, &own)?;
    let layout = Table::read(&mut from)?;
    let path = disk.path(places);
    // On a block device: nobody else has it, and nobody gets it meanwhile.
    let exclusive = OpenOptions::new().read(true).write(true).custom_flags(nix::libc::O_EXCL).open(&path);
    let mut target = exclusive.map_err(|error| match error.kind() {
        io::ErrorKind::ResourceBusy => InstallError::InUse { disk: name.into(), by: error.to_string() },
        _ => error.into(),
    })?;
    let is_fresh = !box_on(&mut target, &layout);
    if is_fresh {
        let held = match holdings(&mut target, &disk)? {
            None => unlisted(&places.blank, &mut target, &layout, disk.size, pulse, progress)?,
            held => held,
        };
        if let Some(what) = held {
            return Err(InstallError::Holds { disk: name.into(), what });
        }
    }
    let (blank, root) = (&*places.blank, own.root);
    let installation = Installation { blank, from: &mut from, target: &mut target, root, name, pulse, progress };
    installation.run(is_fresh)?;
    // The disk is started from later; that the kernel knows its partitions now is not needed.
    let _ = kernel.reread_partitions(&path);
    Ok(())
}

/// Why a disk is none of the targets.
fn refusal(places: &Places, own: &OwnDisk, name: &str) -> InstallError {
    let Some(disk) = disk::all(places).into_iter().find(|disk| disk.name == name && disk.name != own.disk.name) else {
        return InstallError::Unknown(name.into());
    };
    let layout = source(places, own).and_then(|mut file| Ok(Table::read(&mut file)?));
    match layout {
        Err(error) => error,
        Ok(_) if disk.is_read_only => InstallError::ReadOnly(name.into()),
        Ok(_) if disk.sector != SECTOR => InstallError::Sectors(name.into()),
        Ok(layout) if disk.size < needed(&layout) => {
            InstallError::TooSmall { disk: name.into(), needed: needed(&layout) >> 20 }
        }
        Ok(_) => InstallError::Unknown(name.into()),
    }
}

fn source(places: &Places, own: &OwnDisk) -> Result<File, InstallError> {
    File::open(own.disk.path(places)).map_err(|error| InstallError::Source(error.to_string()))
}

fn needed(layout: &Table) -> u64 {
    let system = layout.entries().filter(|entry| entry.number != DATA).map(|entry| entry.start + entry.length).max();
    SMALLEST_DISK.max(2 * system.unwrap_or_default())
}

/// Whether a disk is laid out as this box is, and has its data.
fn box_on(disk: &mut File, layout: &Table) -> bool {
    let Ok(table) = Table::read(disk) else { return false };
    let Some(data) = table.entry(DATA) else { return false };
    let place = |entry: &Entry| (entry.number, entry.name.clone(), entry.start, entry.length);
    let system = |table: &Table| {
        table.entries().filter(|entry| entry.number != DATA).map(|entry| place(&entry)).collect::<Vec<_>>()
    };
    system(&table) == system(layout)
        && layout.entry(ESP).is_some()
        && Some(data.start) == layout.entry(DATA).map(|data| data.start)
        && Superblock::read(disk, data.start + SUPERBLOCK).is_some()
}

/// What lies on a disk: each place that the kernel or the table knows, and what its first bytes tell.
fn holdings(file: &mut File, disk: &WholeDisk) -> io::Result<Option<String>> {
    let mut places = vec![(disk.name.clone(), 0, file.end()?)];
    places.extend(disk.partitions.iter().map(|part| (part.name.clone(), part.start, part.length)));
    if let Ok(table) = Table::read(file) {
        let unknown = table.entries().filter(|entry| disk.partition(entry.number).is_none());
        places.extend(unknown.map(|entry| (format!("{} {}", disk.name, entry.number), entry.start, entry.length)));
    }
    let held = places
        .into_iter()
        .filter_map(|(name, start, length)| Some(format!("{name} {}", signature::of(file, start, length)?)));
    let held = held.collect::<Vec<_>>().join(", ");
    Ok((!held.is_empty()).then_some(held))
}

/// An ext4 that no partition table leads to any more, such as the archive of a box whose table is gone: the whole disk is
/// searched for one. What an interrupted installation left is none.
fn unlisted(
    blank: &Path,
    target: &mut File,
    layout: &Table,
    size: u64,
    pulse: &Pulse,
    progress: &dyn Fn(u64, u64),
) -> io::Result<Option<String>> {
    let mut step = |done| {
        progress(done, size);
        pulse.go_on().map_err(io::Error::other)
    };
    if let Some(data) = layout.entry(DATA)
        && holds_blank(blank, target, data.start, size.saturating_sub(data.start), &mut step)?
    {
        return Ok(None);
    }
    Ok(ext4::is_anywhere(target, 0, size, &mut step)?.then(|| "ext4".into()))
}

/// The writing of a box to a disk that was looked at before.
pub struct Installation<'a> {
    /// The blank data file system, packed.
    pub blank: &'a Path,
    /// The disk that this system runs from.
    pub from: &'a mut dyn Medium,
    pub target: &'a mut dyn Medium,
    /// The number of the partition that runs.
    pub root: u32,
    /// The target's name, for people.
    pub name: &'a str,
    pub pulse: &'a Pulse,
    pub progress: &'a dyn Fn(u64, u64),
}

/// A place to be copied, in bytes.
struct Copying {
    from: u64,
    to: u64,
    length: u64,
}

impl Installation<'_> {
    /// A fresh disk gets everything; one that holds a box keeps its data and where that begins.
    pub fn run(mut self, is_fresh: bool) -> Result<(), InstallError> {
        let layout = Table::read(self.from)?;
        let size = self.target.end()?;
        let lost = |what: &str| InstallError::Source(format!("no partition {what}"));
        let esp = layout.entry(ESP).ok_or_else(|| lost("esp"))?;
        let root = layout.entry(self.root).ok_or_else(|| lost("of the running slot"))?;
        let table = layout.for_disk(size)?;
        if is_fresh {
            self.forget_table(size)?;
        } else {
            self.target.put(esp.start, &[0; SECTOR_BYTES])?;
        }
        self.target.sync()?;

        let mut copies = Vec::new();
        for slot in [SLOT_A, SLOT_B] {
            let slot = layout.entry(slot).filter(|slot| slot.length >= root.length).ok_or_else(|| lost("slot"))?;
            copies.push(Copying { from: root.start, to: slot.start, length: root.length });
        }
        copies.extend(layout.entry(BIOS).map(|bios| Copying { from: bios.start, to: bios.start, length: bios.length }));
        copies.push(Copying { from: esp.start, to: esp.start, length: esp.length });
        // Everything is written once and read back once.
        let all = 2 * copies.iter().map(|copy| copy.length).sum::<u64>();
        let environment = Slots::find(self.from, esp.start, esp.length, &|| self.pulse.beat())?.at();
        let first = self.sector(esp.start)?;
        let mut done = 0;
        for copy in &copies {
            self.copy(copy, esp.start, environment, (&mut done, all))?;
        }
        if is_fresh {
            let data = layout.entry(DATA).ok_or_else(|| lost("data"))?;
            let (pulse, length) = (self.pulse, size - data.start);
            write_blank(self.blank, self.target, data.start, length, &mut |_| pulse.go_on().map_err(io::Error::other))?;
            gpt::write(self.target, &table)?;
        } else {
            gpt::settle(self.target, Guids::Renew)?;
        }
        self.start_sectors(size, &esp, &first)
    }

    /// Without these sectors a disk has no partition, and BIOS and UEFI start nothing from it.
    fn forget_table(&mut self, size: u64) -> io::Result<()> {
        for at in [0, SECTOR, (size / SECTOR - 1) * SECTOR] {
            self.target.put(at, &[0; SECTOR_BYTES])?;
        }
        Ok(())
    }

    /// Copies one place and compares it. The first sector of the ESP is left empty, and its environment is that of a new box.
    fn copy(
        &mut self,
        copy: &Copying,
        esp: u64,
        environment: u64,
        (done, all): (&mut u64, u64),
    ) -> Result<(), InstallError> {
        let mut hasher = Hasher::new();
        let mut piece = vec![0; DISK_STEP];
        let mut at = 0;
        while at < copy.length {
            self.step(*done, all)?;
            let size = piece.len().min(usize::try_from(copy.length - at).unwrap_or(usize::MAX));
            let piece = &mut piece[..size];
            self.from.get(copy.from + at, piece)?;
            lay_over(piece, copy.from + at, esp, &[0; SECTOR_BYTES]);
            lay_over(piece, copy.from + at, environment, &Environment::new().bytes());
            hasher.update(piece);
            self.target.put(copy.to + at, piece)?;
            at += size as u64;
            *done += size as u64;
            if at % DISK_UNSYNCED == 0 {
                self.target.sync()?;
            }
        }
        self.target.sync()?;
        let before = *done;
        let (pulse, progress) = (self.pulse, self.progress);
        let there = hash(self.target, copy.to, copy.length, &mut |read| {
            progress(before + read, all);
            pulse.go_on().map_err(io::Error::other)
        })?;
        *done += copy.length;
        if there == hasher.finish() { Ok(()) } else { Err(InstallError::ReadBack(self.name.into())) }
    }

    /// The first sector of the disk, and then the one that makes the ESP readable.
    fn start_sectors(&mut self, size: u64, esp: &Entry, first: &[u8; SECTOR_BYTES]) -> Result<(), InstallError> {
        let mut boot = [0; SECTOR_BYTES];
        boot[..BOOT_CODE].copy_from_slice(&self.sector(0)?[..BOOT_CODE]);
        let sectors = u32::try_from(size / SECTOR - 1).unwrap_or(u32::MAX);
        // From the second sector on, type EE; the numbers of heads and cylinders are those that the specification names.
        boot[PROTECTIVE..][..12].copy_from_slice(&[0, 0, 2, 0, 0xee, 0xff, 0xff, 0xff, 1, 0, 0, 0]);
        boot[PROTECTIVE + 12..][..4].copy_from_slice(&sectors.to_le_bytes());
        boot[SECTOR_BYTES - 2..].copy_from_slice(&[0x55, 0xaa]);
        for (at, sector) in [(0, &boot), (esp.start, first)] {
            self.target.put(at, sector)?;
            self.target.sync()?;
            let mut there = [0; SECTOR_BYTES];
            self.target.get(at, &mut there)?;
            if there != *sector {
                return Err(InstallError::ReadBack(self.name.into()));
            }
        }
        Ok(())
    }

    fn sector(&mut self, at: u64) -> io::Result<[u8; SECTOR_BYTES]> {
        let mut sector = [0; SECTOR_BYTES];
        self.from.get(at, &mut sector)?;
        Ok(sector)
    }

    fn step(&self, done: u64, all: u64) -> io::Result<()> {
        (self.progress)(done, all);
        self.pulse.go_on().map_err(io::Error::other)
    }
}

/// Puts what belongs to `place` over a piece of a disk that was read from `at`, as far as it is in it.
fn lay_over(piece: &mut [u8], at: u64, place: u64, bytes: &[u8]) {
    for (place, byte) in (place..).zip(bytes) {
        if let Some(there) =
            place.checked_sub(at).and_then(|index| usize::try_from(index).ok()).and_then(|index| piece.get_mut(index))
        {
            *there = *byte;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_laid_over_may_cross_the_ends_of_a_piece() {
        let mut piece = [0; 8];
        lay_over(&mut piece, 100, 98, &[1, 2, 3, 4]);
        assert_eq!(piece, [3, 4, 0, 0, 0, 0, 0, 0]);
        lay_over(&mut piece, 100, 107, &[5, 6]);
        assert_eq!(piece, [3, 4, 0, 0, 0, 0, 0, 5]);
        lay_over(&mut piece, 100, 0, &[9; 50]);
        lay_over(&mut piece, 100, 200, &[9; 50]);
        assert_eq!(piece, [3, 4, 0, 0, 0, 0, 0, 5]);
    }
}
