//! Tables and rows of the catalog: what stands where. Written by `catalog`, read by `view`.

use std::collections::BTreeSet;

use minicbor::{Decode, Encode};
use redb::{ReadTransaction, ReadableTable, TableDefinition};

use super::commit::{Block, Commit, Ending, Folder, FolderNumber, Metadata, NewDocument, Number};
use super::error::{ArchiveError, Result};
use super::record::ArchiveId;
use crate::hash::Sha256;
use crate::limits::FIELD_KEY;

/// Names in [`BY_FIELD`] that no defined field can have: fields that every file has, and what a version belongs to.
pub const FIELD_TITLE: &str = "\u{1}title";
pub const FIELD_FROM: &str = "\u{1}from";
pub const FIELD_TO: &str = "\u{1}to";
pub const FIELD_CC: &str = "\u{1}cc";
pub const FIELD_MEDIA_NAME: &str = "\u{1}media_name";
pub const FIELD_NOTE: &str = "\u{1}note";
pub const VERSION_OF: &str = "\u{1}version_of";
/// The first character of a name that is none of a defined field.
pub(super) const RESERVED: char = '\u{1}';

pub(super) type Bytes = &'static [u8];

pub const DOCUMENTS: TableDefinition<u64, Bytes> = TableDefinition::new("documents");
/// Document, hash of the variant.
pub const VARIANTS: TableDefinition<(u64, &[u8; 32]), Bytes> = TableDefinition::new("variants");
/// Metadata that replaced what the document began with.
pub const CHANGES: TableDefinition<u64, Bytes> = TableDefinition::new("changes");
/// Time and number: the documents in the order in which people look for them.
pub const BY_TIME: TableDefinition<(i64, u64), ()> = TableDefinition::new("by_time");
/// The same within one mailbox ([`FolderRow::place`]), so that rights are part of the look-up and no filter after it.
pub const BY_PLACE: TableDefinition<(u32, i64, u64), ()> = TableDefinition::new("by_place");
/// Numbers within one mailbox, likewise.
pub const PLACE_NUMBERS: TableDefinition<(u32, u64), ()> = TableDefinition::new("place_numbers");
/// Name of a field, its value as [`field_value`] shortens it, number: what is looked up by [`field_keys`].
pub const BY_FIELD: TableDefinition<(&str, &str, u64), ()> = TableDefinition::new("by_field");
/// Number and sequence of the commit: pack and byte of each later document record; no byte where it is damaged.
pub(super) const CHANGED: TableDefinition<(u64, u64), (u32, Option<u64>)> = TableDefinition::new("changed");
/// Hash of the decoded bytes.
pub const PARTS: TableDefinition<&[u8; 32], Bytes> = TableDefinition::new("parts");
/// What remains of a document that ended.
pub const ENDED: TableDefinition<u64, Bytes> = TableDefinition::new("ended");
/// Documents that only those see who read everything; a row that says no stays, as one of [`SETTINGS`] does.
pub const BLOCKED: TableDefinition<u64, Bytes> = TableDefinition::new("blocked");
/// Pack and byte of each record of an ended document that may not have been taken out yet, and its tombstone's sequence.
pub const ERASE_DUE: TableDefinition<(u32, u64), u64> = TableDefinition::new("erase_due");
/// Of live documents and of ended ones.
pub const BY_HASH: TableDefinition<&[u8; 32], u64> = TableDefinition::new("by_hash");
/// Document, folder, remote id.
pub const OCCURRENCES: TableDefinition<(u64, u32, &[u8]), Bytes> = TableDefinition::new("occurrences");
pub const FOLDERS: TableDefinition<u32, Bytes> = TableDefinition::new("folders");
/// Definition, mailbox, folder id.
pub const FOLDER_NUMBERS: TableDefinition<(&str, &str, &str), u32> = TableDefinition::new("folder_numbers");
/// Folder, remote id.
pub const LEDGER: TableDefinition<(u32, &[u8]), Bytes> = TableDefinition::new("ledger");
/// Folder, time, remote id: rows of the ledger that want another look.
pub const AGAIN: TableDefinition<(u32, i64, &[u8]), ()> = TableDefinition::new("again");
/// Folder, remote id: rows of the ledger whose message is still to be moved or deleted on the server.
pub const AFTER_DUE: TableDefinition<(u32, &[u8]), u64> = TableDefinition::new("after_due");
pub const CURSORS: TableDefinition<u32, Bytes> = TableDefinition::new("cursors");
pub const SETTINGS: TableDefinition<&str, Bytes> = TableDefinition::new("settings");
pub const JOURNAL: TableDefinition<u64, Bytes> = TableDefinition::new("journal");
pub const RUNS: TableDefinition<u64, Bytes> = TableDefinition::new("runs");
pub(super) const STATE: TableDefinition<&str, Bytes> = TableDefinition::new("state");
pub(super) const POSITION: &str = "position";

/// A row and the sequence of the commit that wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Row<T> {
    #[n(0)]
    pub commit: u64,
    #[n(1)]
    pub value: T,
}

/// A document as the catalog knows it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Document {
    #[n(0)]
    pub sha256: Sha256,
    /// Raw bytes.
    #[n(1)]
    pub size: u64,
    /// Where its message record stands; no offset where that record could not be found (damage).
    #[n(2)]
    pub pack: u32,
    #[n(3)]
    pub offset: Option<u64>,
    #[n(4)]
    pub metadata: Metadata,
    /// When a server received it, else its date, else when it was archived: Unix seconds. It never changes, so that a
    /// table that people page through stands still.
    #[n(5)]
    pub time: i64,
    /// Where its first document record stands, in the same pack.
    #[n(6)]
    pub record: Option<u64>,
}

impl Document {
    /// The row of a document that begins with `commit`, whose records stand in `pack` at `offsets`.
    pub fn of(commit: &Commit, new: &NewDocument, metadata: &Metadata, pack: u32, offsets: &[Option<u64>]) -> Self {
        let at = |place: u32| offsets.get(place as usize).copied().flatten();
        let (offset, record) = (at(new.message), at(new.document));
        let places = commit.occurrences.iter().filter(|place| place.document == new.number);
        let received = places.filter_map(|place| place.received).min();
        let time = received.or(metadata.date).unwrap_or(metadata.archived);
        Self { sha256: new.sha256, size: new.size, pack, offset, metadata: metadata.clone(), time, record }
    }
}

/// What remains of a document that ended: enough to know it again and to say so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Ended {
    #[n(0)]
    pub sha256: Sha256,
    #[n(1)]
    pub size: u64,
    #[n(2)]
    pub why: Ending,
    /// When, Unix seconds.
    #[n(3)]
    pub time: i64,
}

/// A part as the catalog knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct PartRow {
    /// Decoded bytes.
    #[n(0)]
    pub size: u64,
    #[n(1)]
    pub pack: u32,
    /// No byte where its record could not be found (damage).
    #[n(2)]
    pub offset: Option<u64>,
    /// Messages that are made of it, variants of their own.
    #[n(3)]
    pub users: u64,
}

/// A variant of a document as the catalog knows it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct VariantRow {
    #[n(0)]
    pub size: u64,
    #[n(1)]
    pub pack: u32,
    #[n(2)]
    pub offset: Option<u64>,
}

/// A folder and how many rows the ledger has for it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct FolderRow {
    #[n(0)]
    pub folder: Folder,
    #[n(1)]
    pub booked: u64,
    /// Commit that last ended all its ledger rows.
    #[n(2)]
    pub restarted: u64,
    /// Commit that gave it its number or its present name.
    #[n(3)]
    pub declared: u64,
    /// Its mailbox: the number of the folder of it that was found first.
    #[n(4)]
    pub place: FolderNumber,
}

/// How far the catalog has read the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Position {
    /// The archive that this is a catalog of.
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub archive: ArchiveId,
    /// Sequence and link of the last applied commit.
    #[n(1)]
    pub sequence: u64,
    #[n(2)]
    pub commit: Sha256,
    /// Pack, and bytes where that commit's record starts and its link ends.
    #[n(3)]
    pub pack: u32,
    #[n(4)]
    pub start: u64,
    #[n(5)]
    pub end: u64,
    /// The last document number and folder number that were given.
    #[n(6)]
    pub last_number: Number,
    #[n(7)]
    pub last_folder: FolderNumber,
}

pub(super) fn encode<T: Encode<()>>(value: &T) -> Vec<u8> {
    // Writing to a Vec cannot fail.
    minicbor::to_vec(value).unwrap_or_default()
}

pub(super) fn decode<'b, T: Decode<'b, ()>>(table: &'static str, bytes: &'b [u8]) -> Result<T> {
    minicbor::decode(bytes).map_err(|error| ArchiveError::Row { table, detail: error.to_string() })
}

pub(super) fn row<T: Encode<()> + Clone>(commit: u64, value: &T) -> Vec<u8> {
    encode(&Row { commit, value: value.clone() })
}

/// Bytes of the hash behind the row of a [`Position`].
const POSITION_CHECK: usize = 8;

/// The row of a position. It is the one row that is read before the file is held against its check sums, and a flipped bit of it
/// would read as packs of another archive: so it has a check sum of its own.
pub(super) fn position_row(position: &Position) -> Vec<u8> {
    let mut row = encode(position);
    let check = Sha256::of(&row);
    row.extend(&check.0[..POSITION_CHECK]);
    row
}

fn position_of(row: &[u8]) -> Result<Position> {
    let mut decoder = minicbor::Decoder::new(row);
    let damaged = |detail: String| ArchiveError::Row { table: "state", detail };
    let position = decoder.decode().map_err(|error| damaged(error.to_string()))?;
    let (fields, check) = row.split_at(decoder.position());
    // Rows of earlier releases have none.
    if !check.is_empty() && check != &Sha256::of(fields).0[..POSITION_CHECK] {
        return Err(damaged("its check sum is another".into()));
    }
    Ok(position)
}

pub(super) fn read_position(txn: &ReadTransaction) -> Result<Option<Position>> {
    match txn.open_table(STATE) {
        Ok(table) => table.get(POSITION)?.map(|row| position_of(row.value())).transpose(),
        Err(redb::TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

pub(super) fn folder_row(table: &impl ReadableTable<u32, Bytes>, number: FolderNumber) -> Result<Option<FolderRow>> {
    table.get(number)?.map(|bytes| decode("folders", bytes.value()).map(|row: Row<FolderRow>| row.value)).transpose()
}

/// Whether only those see it who read everything.
pub(super) fn is_blocked(table: &impl ReadableTable<u64, Bytes>, number: Number) -> Result<bool> {
    let row = table.get(number)?.map(|bytes| decode::<Row<Block>>("blocked", bytes.value())).transpose()?;
    Ok(row.is_some_and(|row| row.value.is_blocked))
}

/// A value as [`BY_FIELD`] has it: itself, or its beginning and its hash where it is long.
pub fn field_value(value: &str) -> String {
    if value.len() <= FIELD_KEY {
        return value.into();
    }
    format!("{}{}", &value[..value.floor_char_boundary(FIELD_KEY)], Sha256::of(value.as_bytes()))
}

/// What a document is found by in [`BY_FIELD`]: its further fields, of a file also the fields that every document has (mails
/// have them by the million, and none of them ties versions together), and what it is a version of.
pub fn field_keys(metadata: &Metadata) -> BTreeSet<(&str, String)> {
    let mut all: Vec<(&str, &str)> =
        metadata.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    if !metadata.is_mail() {
        all.extend([
            (FIELD_TITLE, metadata.title.as_str()),
            (FIELD_FROM, &metadata.from),
            (FIELD_TO, &metadata.to),
            (FIELD_CC, &metadata.cc),
            (FIELD_MEDIA_NAME, &metadata.media_name),
            (FIELD_NOTE, &metadata.note),
        ]);
    }
    let some = all.into_iter().filter(|(name, value)| !name.is_empty() && !value.is_empty());
    let root = metadata.version_of.map(|root| (VERSION_OF, root.to_string()));
    some.map(|(name, value)| (name, field_value(value))).chain(root).collect()
}

/// Key of the `place`th row that commit `sequence` appended. A commit appends far fewer than 2^20 rows to a table.
pub fn row_number(sequence: u64, place: u64) -> u64 {
    (sequence << 20) | (place & 0xf_ffff)
}
