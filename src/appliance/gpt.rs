//! The partition table (GPT, UEFI specification 2.10, chapter 5): read, mended, grown to the end of the disk.
//!
//! Whatever is read here was written by somebody else. A table counts only if its header, the checksums of header and
//! entries and its bounds are right, as Linux demands with `gpt` on its command line: the first one, else the one in the last
//! sector of the disk.
//!
//! Every change is written to the backup first and, when that is on the disk, to the first table: its entries, sector by
//! sector from the first, then its header. At each moment one of both tables is whole. Before the entries of the first
//! table are touched the backup has the new ones; from then on Linux reads the backup, and GRUB, which compares no
//! checksums, reads the sector with the first four entries either before or after the change.

use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};

use gptman::{GPTHeader, GPTPartitionEntry};
use ring::rand::{SecureRandom, SystemRandom};

use super::medium::Medium;
use crate::limits::GPT_ENTRIES;

/// Bytes of a sector. Disks with larger logical sectors cannot start a box: its image has tables in sectors of 512.
pub const SECTOR: u64 = 512;
const SECTOR_BYTES: usize = 512;
/// Bytes of an entry; the specification allows more, nobody writes more, and Linux takes no other.
const ENTRY: u32 = 128;
/// Partitions begin and end at whole MiB.
const ALIGN: u64 = 2048;
/// The number of the data partition.
pub const DATA: u32 = 4;

/// Why a partition table cannot be used. Nothing was written then, except for [`GptError::Io`].
#[derive(Debug, thiserror::Error)]
pub enum GptError {
    #[error("the disk has no valid partition table")]
    Missing,
    #[error("the partition table reaches past the end of the disk: write the image to a larger one")]
    PastEnd,
    #[error("the partition table has no room for a data partition")]
    NoRoom,
    #[error("the partition table cannot be read or written: {0}")]
    Io(#[from] io::Error),
    #[error("the partition table cannot be written: {0}")]
    Table(#[from] gptman::Error),
}

/// A valid partition table, as its first copy has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    header: GPTHeader,
    entries: Vec<GPTPartitionEntry>,
}

/// One partition; start and length in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub number: u32,
    pub name: String,
    pub start: u64,
    pub length: u64,
    /// As in PARTUUID, in lower case.
    pub guid: String,
}

/// Whether a table gets new GUIDs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guids {
    Keep,
    Renew,
}

/// What [`settle`] found and did.
#[derive(Clone, Debug)]
pub struct Settled {
    pub table: Table,
    /// One of the two copies was damaged and was written anew from the other.
    pub was_mended: bool,
    /// The table is another one than before.
    pub was_changed: bool,
}

/// Mends the table, has it end where the disk ends, grows the data partition if that is the last one, and renews the GUIDs
/// of the disk and of all partitions if asked to. Repeating it after a power cut at any moment leads to the same; where
/// nothing is to be done, nothing is written.
pub fn settle(medium: &mut dyn Medium, guids: Guids) -> Result<Settled, GptError> {
    let last = last_sector(medium)?;
    let (first, backup) = (Table::read_at(medium, 1, last)?, Table::read_at(medium, last, last)?);
    let found = first.as_ref().or(backup.as_ref()).ok_or(GptError::Missing)?;
    let mut wanted = found.clone();
    wanted.end_at(last)?;
    wanted.grow_data();
    if guids == Guids::Renew {
        wanted.renew_guids()?;
    }
    if first.is_none() {
        // The backup is the only copy: it is not touched before there is another.
        found.write_first(medium)?;
    }
    let was_changed = wanted != *found;
    let has_backup = backup.as_ref() == Some(&wanted);
    if !has_backup {
        wanted.write_backup(medium)?;
    }
    if was_changed {
        wanted.write_first(medium)?;
    }
    let was_mended = first.is_none() || (!has_backup && !was_changed);
    Ok(Settled { table: wanted, was_mended, was_changed })
}

/// Writes a table to a disk, whatever the disk had: for the installer, and for a partition that is added.
pub fn write(medium: &mut dyn Medium, table: &Table) -> Result<(), GptError> {
    table.write_backup(medium)?;
    table.write_first(medium)
}

impl Table {
    /// The first table, else the one at the end of the disk.
    pub fn read(medium: &mut dyn Medium) -> Result<Self, GptError> {
        let last = last_sector(medium)?;
        match Self::read_at(medium, 1, last)? {
            Some(table) => Ok(table),
            None => Self::read_at(medium, last, last)?.ok_or(GptError::Missing),
        }
    }

    /// A table for a disk with the partitions of another one, and new GUIDs; its data partition, if it has one, reaches to the end.
    pub fn for_disk(&self, bytes: u64) -> Result<Self, GptError> {
        let mut table = self.clone();
        if let Some(data) = table.entries.get_mut(DATA as usize - 1) {
            // The smallest that it can be: it is grown to what this disk has.
            data.ending_lba = data.ending_lba.min(data.starting_lba.saturating_add(ALIGN - 1));
        }
        table.end_at((bytes / SECTOR).checked_sub(1).ok_or(GptError::NoRoom)?)?;
        table.grow_data();
        table.renew_guids()?;
        Ok(table)
    }

    /// The partitions, by number; entries whose bounds make no sense are left out.
    pub fn entries(&self) -> impl Iterator<Item = Entry> + '_ {
        (1..).zip(&self.entries).filter(|(_, entry)| entry.is_used()).filter_map(|(number, entry)| {
            let sectors = entry.ending_lba.checked_sub(entry.starting_lba)?.checked_add(1)?;
            Some(Entry {
                number,
                name: entry.partition_name.as_str().into(),
                start: entry.starting_lba.checked_mul(SECTOR)?,
                length: sectors.checked_mul(SECTOR)?,
                guid: guid_text(entry.unique_partition_guid),
            })
        })
    }

    pub fn entry(&self, number: u32) -> Option<Entry> {
        self.entries().find(|entry| entry.number == number)
    }

    /// Where a data partition could be, in bytes: from the end of the last partition to the end of the table.
    pub fn free_end(&self) -> Option<(u64, u64)> {
        let start = self.used().map(|entry| entry.ending_lba).max()?.checked_add(1)?.next_multiple_of(ALIGN);
        let end = self.last_end();
        (start < end).then(|| (start * SECTOR, (end - start) * SECTOR))
    }

    /// The table with a data partition in [`Table::free_end`]; of the kind that the slots are of.
    pub fn with_data(&self) -> Result<Self, GptError> {
        let (start, length) = self.free_end().ok_or(GptError::NoRoom)?;
        let mut table = self.clone();
        let kind = self.entries.get(1).map(|slot| slot.partition_type_guid).ok_or(GptError::NoRoom)?;
        let data = table.entries.get_mut(DATA as usize - 1).ok_or(GptError::NoRoom)?;
        if data.is_used() {
            return Err(GptError::NoRoom);
        }
        *data = GPTPartitionEntry {
            partition_type_guid: kind,
            unique_partition_guid: random_guid()?,
            starting_lba: start / SECTOR,
            ending_lba: (start + length) / SECTOR - 1,
            attribute_bits: 0,
            partition_name: "data".into(),
        };
        Ok(table)
    }

    /// The table whose header is in sector `at`, as its first copy would be; none where it is not valid.
    fn read_at(medium: &mut dyn Medium, at: u64, last: u64) -> Result<Option<Self>, GptError> {
        let mut sector = [0; SECTOR_BYTES];
        medium.get(at * SECTOR, &mut sector)?;
        let Ok(mut header) = GPTHeader::read_from(&mut Cursor::new(&sector[..])) else { return Ok(None) };
        let count = header.number_of_partition_entries;
        let is_sound = header.primary_lba == at
            && header.size_of_partition_entry == ENTRY
            && (DATA..=GPT_ENTRIES).contains(&count)
            && header.first_usable_lba <= header.last_usable_lba
            && header.last_usable_lba < last
            && header.partition_entry_lba >= 2
            && header.partition_entry_lba <= last.saturating_sub(entry_sectors(count));
        if !is_sound {
            return Ok(None);
        }
        let mut bytes = vec![0; (count * ENTRY) as usize];
        medium.get(header.partition_entry_lba * SECTOR, &mut bytes)?;
        if crc32fast::hash(&bytes) != header.partition_entry_array_crc32 {
            return Ok(None);
        }
        // The crate reads on past the end of an entry.
        let entry = |bytes: &[u8]| GPTPartitionEntry::read_from(&mut bytes.chain(io::repeat(0)));
        let Ok(entries) = bytes.chunks(ENTRY as usize).map(entry).collect::<Result<Vec<_>, _>>() else {
            return Ok(None);
        };
        let bounds = header.first_usable_lba..=header.last_usable_lba;
        let fit = |entry: &GPTPartitionEntry| {
            entry.starting_lba <= entry.ending_lba
                && bounds.contains(&entry.starting_lba)
                && bounds.contains(&entry.ending_lba)
        };
        if !entries.iter().filter(|entry| entry.is_used()).all(fit) {
            return Ok(None);
        }
        if at != 1 {
            (header.primary_lba, header.backup_lba, header.partition_entry_lba) = (1, at, 2);
        }
        // Checksums are made when a table is written; without them, equal tables are equal.
        header.crc32_checksum = 0;
        Ok(Some(Self { header, entries }))
    }

    fn used(&self) -> impl Iterator<Item = &GPTPartitionEntry> {
        self.entries.iter().filter(|entry| entry.is_used())
    }

    /// Has the table end with the disk, whose last sector this is.
    fn end_at(&mut self, last: u64) -> Result<(), GptError> {
        let last_usable = last.checked_sub(entry_sectors(self.header.number_of_partition_entries) + 1);
        let last_usable = last_usable.ok_or(GptError::PastEnd)?;
        if last_usable < self.header.first_usable_lba || self.used().any(|entry| entry.ending_lba > last_usable) {
            return Err(GptError::PastEnd);
        }
        (self.header.backup_lba, self.header.last_usable_lba) = (last, last_usable);
        Ok(())
    }

    /// One past the last sector that a partition may have.
    fn last_end(&self) -> u64 {
        (self.header.last_usable_lba + 1) / ALIGN * ALIGN
    }

    fn grow_data(&mut self) {
        let end = self.last_end();
        let last_start = self.used().map(|entry| entry.starting_lba).max();
        if let Some(data) = self.entries.get_mut(DATA as usize - 1)
            && data.is_used()
            && Some(data.starting_lba) == last_start
            && data.ending_lba + 1 < end
        {
            data.ending_lba = end - 1;
        }
    }

    fn renew_guids(&mut self) -> io::Result<()> {
        self.header.disk_guid = random_guid()?;
        for entry in self.entries.iter_mut().filter(|entry| entry.is_used()) {
            entry.unique_partition_guid = random_guid()?;
        }
        Ok(())
    }

    fn write_first(&self, medium: &mut dyn Medium) -> Result<(), GptError> {
        self.write_copy(medium, self.header.clone())
    }

    fn write_backup(&self, medium: &mut dyn Medium) -> Result<(), GptError> {
        let mut header = self.header.clone();
        (header.primary_lba, header.backup_lba) = (self.header.backup_lba, self.header.primary_lba);
        header.partition_entry_lba = header.primary_lba - entry_sectors(header.number_of_partition_entries);
        self.write_copy(medium, header)
    }

    /// The entries, and when they are on the disk their header.
    fn write_copy(&self, medium: &mut dyn Medium, mut header: GPTHeader) -> Result<(), GptError> {
        let mut pieces = Pieces::default();
        header.write_into(&mut pieces, SECTOR, &self.entries)?;
        let (header_at, entries_at) = (header.primary_lba * SECTOR, header.partition_entry_lba * SECTOR);
        put_sectors(medium, entries_at, &pieces.from(entries_at))?;
        put_sectors(medium, header_at, &pieces.only(header_at))?;
        Ok(())
    }
}

/// Writes the sectors that differ, each of them to the disk itself before the next: a sector is written wholly or not at all.
fn put_sectors(medium: &mut dyn Medium, at: u64, bytes: &[u8]) -> io::Result<()> {
    let mut there = [0; SECTOR_BYTES];
    for (at, sector) in (at..).step_by(SECTOR_BYTES).zip(bytes.chunks(SECTOR_BYTES)) {
        let is_same = medium.get(at, &mut there).is_ok() && there == sector;
        if !is_same {
            medium.put(at, sector)?;
            medium.sync()?;
        }
    }
    Ok(())
}

fn last_sector(medium: &mut dyn Medium) -> Result<u64, GptError> {
    // A table with its backup and one sector between them.
    let smallest = 2 * (entry_sectors(128) + 1) + 2;
    (medium.end()? / SECTOR).checked_sub(1).filter(|last| *last >= smallest).ok_or(GptError::Missing)
}

fn entry_sectors(count: u32) -> u64 {
    (u64::from(count) * u64::from(ENTRY)).div_ceil(SECTOR)
}

/// A random GUID (RFC 9562, version 4) in the byte order of a GPT.
fn random_guid() -> io::Result<[u8; 16]> {
    let mut guid = [0; 16];
    SystemRandom::new().fill(&mut guid).map_err(|_| io::Error::other("the system gives no random numbers"))?;
    guid[7] = guid[7] & 0x0f | 0x40;
    guid[8] = guid[8] & 0x3f | 0x80;
    Ok(guid)
}

fn guid_text(guid: [u8; 16]) -> String {
    let order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
    let mut text = String::with_capacity(36);
    for (position, index) in order.into_iter().enumerate() {
        if matches!(position, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push_str(&format!("{:02x}", guid[index]));
    }
    text
}

/// Takes what the crate writes, so that it can be written in our order.
#[derive(Default)]
struct Pieces {
    position: u64,
    pieces: Vec<(u64, Vec<u8>)>,
}

impl Pieces {
    /// The piece at this place, filled up to a whole sector.
    fn only(&self, at: u64) -> Vec<u8> {
        let mut bytes = self.pieces.iter().find(|piece| piece.0 == at).map(|piece| piece.1.clone()).unwrap_or_default();
        bytes.resize(SECTOR_BYTES, 0);
        bytes
    }

    /// All pieces that follow one another from this place.
    fn from(&self, at: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (_, piece) in self.pieces.iter().skip_while(|piece| piece.0 != at) {
            bytes.extend_from_slice(piece);
        }
        bytes.resize(bytes.len().next_multiple_of(SECTOR_BYTES), 0);
        bytes
    }
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.pieces.push((self.position, bytes.to_vec()));
        self.position += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Pieces {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let SeekFrom::Start(position) = to else { return Err(io::ErrorKind::Unsupported.into()) };
        self.position = position;
        Ok(position)
    }
}
