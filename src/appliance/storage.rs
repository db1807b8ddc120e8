//! The data partition: from the table to the mounted folder.
//!
//! Each step can be repeated after a power cut at any moment, and where nothing is to be done nothing is written. A step
//! that only makes room (table, growing) may fail: the archive is there without it. Nothing is ever formatted; where the disk
//! has no data partition, one is made of the blank file system that the release brings, and only after every sector
//! of its place has been looked at.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Read};
use std::path::Path;

use nix::sys::statvfs::statvfs;

use super::checker::{Health, check};
use super::disk::{self, OwnDisk, Partition};
use super::ext4::{self, SUPERBLOCK, Superblock};
use super::gpt::{self, DATA, GptError, Guids, Table};
use super::kernel::Kernel;
use super::medium::Medium;
use super::places::Places;
use super::signature;
use super::slots::{Slots, SlotsError};
use super::state::{Storage, StorageTrouble};
use super::wipe;
use crate::hash::{Hasher, Sha256};
use crate::limits::{DISK_STEP, DISK_UNSYNCED, GROW_STEP};
use crate::pulse::Pulse;

/// The number of the ESP.
pub const ESP: u32 = 1;
/// The user and group `archivista`.
pub const ARCHIVISTA: u32 = 900;
const ROOT: u32 = 0;
const SECTOR: usize = 512;

/// Has the archive's folders ready, whatever that takes: heals and grows the partition table, gives a freshly written
/// disk GUIDs of its own, checks, mounts and grows the file system, makes the folders.
///
/// The pulse beats on progress only. May be called again while the folder is mounted.
pub fn prepare(places: &Places, kernel: &dyn Kernel, pulse: &Pulse, log: &dyn Fn(&str)) -> Storage {
    pulse.beat();
    let preparing = Preparing { places, kernel, pulse, log };
    match preparing.run() {
        Ok(storage) => storage,
        Err(trouble) => {
            log(&format!("no storage: {trouble:?}"));
            Storage::Trouble(trouble)
        }
    }
}

struct Preparing<'a> {
    places: &'a Places,
    kernel: &'a dyn Kernel,
    pulse: &'a Pulse,
    log: &'a dyn Fn(&str),
}

impl Preparing<'_> {
    fn run(&self) -> Result<Storage, StorageTrouble> {
        let data = &self.places.data;
        let mut own = self.own()?;
        if let Some(partition) = own.disk.partition(DATA)
            && partition.is_mounted_at(self.places, data)
        {
            if !data.join("archive").is_dir() || !data.join("box").is_dir() {
                self.folders(&partition.name)?;
            }
            return Ok(Storage::Ready { size: size_of_mounted(data), mended: String::new() });
        }
        let made_room = self.make_room(&own);
        if let Err(error) = &made_room {
            (self.log)(&format!("{}: {error}", own.disk.name));
        }
        own = self.own()?;
        let partition = own.disk.partition(DATA).ok_or(StorageTrouble::NoPartition { disk: own.disk.name.clone() })?;
        let path = partition.path(self.places);
        let trouble = |what: String| StorageTrouble::NotMounted { partition: partition.name.clone(), what };
        let mended = match check(&self.places.checker, &path, self.pulse, self.log) {
            Ok(Health::Clean) => String::new(),
            Ok(Health::Mended(text)) => text,
            Ok(Health::Damaged(what)) => {
                return Err(StorageTrouble::Damaged { partition: partition.name.clone(), what });
            }
            Err(error) => return Err(trouble(format!("the checker cannot be run: {error}"))),
        };
        self.kernel.mount(&path, data).map_err(|error| trouble(error.to_string()))?;
        self.pulse.beat();
        if let Err(error) = self.grow(partition) {
            (self.log)(&format!("{}: the file system does not grow: {error}", partition.name));
        }
        self.folders(&partition.name)?;
        Ok(Storage::Ready { size: size_of_mounted(data), mended })
    }

    fn own(&self) -> Result<OwnDisk, StorageTrouble> {
        disk::own(self.places).map_err(|error| {
            (self.log)(&error.to_string());
            StorageTrouble::NoDisk
        })
    }

    /// The table, the GUIDs and the kernel's view of the data partition.
    fn make_room(&self, own: &OwnDisk) -> Result<(), RoomError> {
        let path = own.disk.path(self.places);
        let mut disk = OpenOptions::new().read(true).write(true).open(&path)?;
        let esp = own.disk.partition(ESP).map_or((0, 0), |esp| (esp.start, esp.length));
        let is_fresh = match Slots::find(&mut disk, esp.0, esp.1, &|| self.pulse.beat()) {
            Ok(slots) => slots.is_fresh(),
            Err(error) => {
                (self.log)(&error.to_string());
                false
            }
        };
        let settled = gpt::settle(&mut disk, if is_fresh { Guids::Renew } else { Guids::Keep })?;
        self.pulse.beat();
        if settled.was_mended {
            (self.log)(&format!("{}: one copy of the partition table was damaged and is whole again", own.disk.name));
        }
        if is_fresh {
            // Only now: after a power cut in between, GUIDs are made once more.
            Slots::find(&mut disk, esp.0, esp.1, &|| self.pulse.beat())?.clear_fresh()?;
            (self.log)(&format!("{}: has GUIDs of its own now", own.disk.name));
        }
        let mut table = settled.table;
        if table.entry(DATA).is_none() && own.disk.partition(DATA).is_none() {
            table = self.make_data(&mut disk, &table)?;
        }
        let Some(entry) = table.entry(DATA) else { return Ok(()) };
        match own.disk.partition(DATA) {
            None => self.kernel.add_partition(&path, DATA, entry.start, entry.length)?,
            Some(known) if known.start == entry.start && known.length < entry.length => {
                self.kernel.resize_partition(&path, DATA, entry.start, entry.length)?;
                (self.log)(&format!("{}: grown to {} MiB", known.name, entry.length >> 20));
            }
            Some(_) => {}
        }
        Ok(())
    }

    /// Puts the blank file system where the data partition belongs, and then the partition into the table.
    fn make_data(&self, disk: &mut File, table: &Table) -> Result<Table, RoomError> {
        let (start, length) = table.free_end().ok_or(GptError::NoRoom)?;
        (self.log)("the disk has no data partition; its place is searched for a file system");
        let mut step = |_| self.pulse.go_on().map_err(io::Error::other);
        // After a power cut the blank file system may be there already, and not yet in the table.
        if !holds_blank(&self.places.blank, disk, start, length, &mut step)? {
            let holds = match signature::of(disk, start, length) {
                Some(name) => Some(name),
                None => ext4::is_anywhere(disk, start, start + length, &mut step)?.then_some("ext4"),
            };
            if let Some(name) = holds {
                return Err(RoomError::Holds(name));
            }
            write_blank(&self.places.blank, disk, start, length, &mut step)?;
        }
        let table = table.with_data()?;
        gpt::write(disk, &table)?;
        Ok(table)
    }

    /// Grows the mounted file system to its partition, in steps.
    fn grow(&self, partition: &Partition) -> io::Result<()> {
        let own = self.own().ok();
        let length = own.and_then(|own| own.disk.partition(DATA).map(|now| now.length)).unwrap_or(partition.length);
        let superblock = Superblock::read(&mut File::open(partition.path(self.places))?, SUPERBLOCK)
            .ok_or(io::ErrorKind::InvalidData)?;
        let wanted = length / superblock.block_size;
        let mut blocks = superblock.blocks;
        while blocks < wanted {
            blocks = wanted.min(blocks + GROW_STEP / superblock.block_size);
            self.kernel.grow(&self.places.data, blocks)?;
            self.pulse.beat();
        }
        Ok(())
    }

    /// An archive that is not there although something was found without a place is one that the checker could not save: an
    /// empty one in its stead would look as if there had never been another.
    fn folders(&self, partition: &str) -> Result<(), StorageTrouble> {
        wipe::finish(&self.places.data, self.pulse, self.log);
        let (archive, found) = (self.places.data.join("archive"), self.places.data.join("lost+found"));
        if !archive.exists() && fs::read_dir(found).is_ok_and(|mut found| found.next().is_some()) {
            let what = "the folder of the archive is gone; parts of it are in lost+found".into();
            return Err(StorageTrouble::Damaged { partition: partition.into(), what });
        }
        for (name, user) in [("archive", ARCHIVISTA), ("box", ROOT)] {
            self.folder(&self.places.data.join(name), user).map_err(|error| {
                let what = format!("{name}: {error}");
                StorageTrouble::NotMounted { partition: partition.into(), what }
            })?;
        }
        Ok(())
    }

    /// On a full disk the folder is there already.
    fn folder(&self, folder: &Path, user: u32) -> io::Result<()> {
        match fs::create_dir(folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => self.kernel.give(folder, user),
        }
    }
}

/// Why a disk was not mended, grown or completed.
#[derive(Debug, thiserror::Error)]
enum RoomError {
    #[error("the place of the data partition holds {0}, which is not overwritten")]
    Holds(&'static str),
    #[error(transparent)]
    Gpt(#[from] GptError),
    #[error(transparent)]
    Slots(#[from] SlotsError),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Writes the blank file system to a place on a disk and compares what is there afterwards. What makes it a file system,
/// the beginning of its superblock, comes last. `step` is told how much is done, in bytes, and may end it.
pub fn write_blank(
    blank: &Path,
    disk: &mut dyn Medium,
    start: u64,
    length: u64,
    step: &mut dyn FnMut(u64) -> io::Result<()>,
) -> io::Result<()> {
    let mut head = [0; SECTOR];
    let superblock = usize::try_from(SUPERBLOCK).map_err(io::Error::other)?;
    let (wanted, size) = unpack(blank, &mut |done, piece| {
        step(done)?;
        if done % DISK_UNSYNCED == 0 {
            disk.sync()?;
        }
        if done + piece.len() as u64 > length {
            return Err(io::Error::other("the blank file system is larger than the data partition"));
        }
        if done == 0 && piece.len() >= superblock + SECTOR {
            let (before, rest) = piece.split_at(superblock);
            let (sector, after) = rest.split_at(SECTOR);
            head.copy_from_slice(sector);
            disk.put(start, before)?;
            disk.put(start + SUPERBLOCK, &[0; SECTOR])?;
            return disk.put(start + SUPERBLOCK + SECTOR as u64, after);
        }
        disk.put(start + done, piece)
    })?;
    disk.sync()?;
    disk.put(start + SUPERBLOCK, &head)?;
    disk.sync()?;
    if hash(disk, start, size, step)? == wanted {
        Ok(())
    } else {
        Err(io::Error::other("the disk does not hold what was written to it: it is failing"))
    }
}

/// Whether a place on a disk holds the blank file system, as it was written.
pub fn holds_blank(
    blank: &Path,
    disk: &mut dyn Medium,
    start: u64,
    length: u64,
    step: &mut dyn FnMut(u64) -> io::Result<()>,
) -> io::Result<bool> {
    if Superblock::read(disk, start + SUPERBLOCK).is_none() {
        return Ok(false);
    }
    let (wanted, size) = unpack(blank, &mut |done, _| step(done))?;
    Ok(size <= length && hash(disk, start, size, step)? == wanted)
}

/// Gives the unpacked file piece by piece, with its place; returns its hash and size.
fn unpack(packed: &Path, each: &mut dyn FnMut(u64, &[u8]) -> io::Result<()>) -> io::Result<(Sha256, u64)> {
    let mut stream = zstd::stream::read::Decoder::with_buffer(BufReader::new(File::open(packed)?))?;
    let mut hasher = Hasher::new();
    let mut piece = vec![0; DISK_STEP];
    let mut done = 0;
    loop {
        let size = fill(&mut stream, &mut piece)?;
        if size == 0 {
            return Ok((hasher.finish(), done));
        }
        hasher.update(&piece[..size]);
        each(done, &piece[..size])?;
        done += size as u64;
    }
}

/// The hash of a place on a disk.
pub fn hash(
    disk: &mut dyn Medium,
    start: u64,
    length: u64,
    step: &mut dyn FnMut(u64) -> io::Result<()>,
) -> io::Result<Sha256> {
    let mut hasher = Hasher::new();
    let mut piece = vec![0; DISK_STEP];
    let mut done = 0;
    while done < length {
        step(done)?;
        let size = piece.len().min(usize::try_from(length - done).unwrap_or(usize::MAX));
        disk.get(start + done, &mut piece[..size])?;
        hasher.update(&piece[..size]);
        done += size as u64;
    }
    Ok(hasher.finish())
}

/// Reads until the piece is full or the stream ends.
fn fill(stream: &mut dyn Read, piece: &mut [u8]) -> io::Result<usize> {
    let mut size = 0;
    while size < piece.len() {
        match stream.read(&mut piece[size..]) {
            Ok(0) => break,
            Ok(read) => size += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(size)
}

fn size_of_mounted(folder: &Path) -> u64 {
    statvfs(folder).map_or(0, |found| found.blocks() * found.fragment_size())
}
