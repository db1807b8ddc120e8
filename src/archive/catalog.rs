//! The catalog: what the log says, laid out for look-ups, in redb. A view and nothing more: it can be deleted at any time
//! and comes back from the packs with the same numbers.
//!
//! Invariants: the catalog never knows a commit that is not durable in the log; every row remembers the commit that wrote
//! it, so that `verify` can hold row and log against each other in constant memory.

use std::any::Any;
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;

use minicbor::{Decode, Encode};
use redb::{Database, Durability, ReadTransaction, ReadableDatabase, ReadableTable, ReadableTableMetadata};
use redb::{TableDefinition, WriteTransaction};

use super::commit::{
    Commit, Entry, Event, Folder, FolderCursor, FolderNumber, Metadata, Number, Occurrence, Outcome, Run,
};
use super::error::{ArchiveError, Result};
use super::record::ArchiveId;
use crate::hash::Sha256;
use crate::limits::CATALOG_CACHE;

type Bytes = &'static [u8];

pub const DOCUMENTS: TableDefinition<u64, Bytes> = TableDefinition::new("documents");
/// Document, hash of the variant.
pub const VARIANTS: TableDefinition<(u64, &[u8; 32]), Bytes> = TableDefinition::new("variants");
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
const STATE: TableDefinition<&str, Bytes> = TableDefinition::new("state");
const POSITION: &str = "position";

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
}

/// How far the catalog has read the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Position {
    /// The archive that this is a catalog of.
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub archive: ArchiveId,
    /// Sequence and hash of the last applied commit.
    #[n(1)]
    pub sequence: u64,
    #[n(2)]
    pub commit: Sha256,
    /// Pack, and bytes where that commit's record starts and ends.
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

/// A commit with what its readers know beside it.
pub struct Applied<'a> {
    pub commit: &'a Commit,
    pub sha256: Sha256,
    pub pack: u32,
    /// Bytes where the commit record starts and ends.
    pub start: u64,
    pub end: u64,
    /// Where each named record stands, `None` where it is damaged.
    pub offsets: &'a [Option<u64>],
    /// Metadata of each new document, in order.
    pub metadata: &'a [Metadata],
}

/// The open catalog.
pub struct Catalog {
    database: Arc<Database>,
    position: Position,
}

fn encode<T: Encode<()>>(value: &T) -> Vec<u8> {
    // Writing to a Vec cannot fail.
    minicbor::to_vec(value).unwrap_or_default()
}

fn decode<'b, T: Decode<'b, ()>>(table: &'static str, bytes: &'b [u8]) -> Result<T> {
    minicbor::decode(bytes).map_err(|error| ArchiveError::Row { table, detail: error.to_string() })
}

impl Catalog {
    /// Opens or makes the catalog at `path`; repairs it if it was not closed. Every page in use is held against its check
    /// sum: reading a row would not notice a flipped bit.
    pub fn open(path: &Path, archive: ArchiveId) -> Result<Self> {
        let mut database = Database::builder().set_cache_size(CATALOG_CACHE).create(path)?;
        // Where it is not whole but can be mended, it goes back to an earlier state, and the log brings it up again.
        database.check_integrity()?;
        Self::over(Arc::new(database), archive)
    }

    fn over(database: Arc<Database>, archive: ArchiveId) -> Result<Self> {
        let position = read_position(&database.begin_read()?)?;
        if let Some(position) = position {
            return Ok(Self { database, position });
        }
        let position = Position { archive, ..Position::default() };
        let mut catalog = Self { database, position };
        let txn = catalog.begin(Durability::Immediate)?;
        // All tables exist from the start, so that readers need not ask.
        txn.open_table(DOCUMENTS)?;
        txn.open_table(BY_HASH)?;
        txn.open_table(VARIANTS)?;
        txn.open_table(OCCURRENCES)?;
        txn.open_table(FOLDERS)?;
        txn.open_table(FOLDER_NUMBERS)?;
        txn.open_table(LEDGER)?;
        txn.open_table(AGAIN)?;
        txn.open_table(AFTER_DUE)?;
        txn.open_table(CURSORS)?;
        txn.open_table(SETTINGS)?;
        txn.open_table(JOURNAL)?;
        txn.open_table(RUNS)?;
        catalog.write_position(&txn, position)?;
        txn.commit()?;
        Ok(catalog)
    }

    fn begin(&self, durability: Durability) -> Result<WriteTransaction> {
        let mut txn = self.database.begin_write()?;
        txn.set_durability(durability)?;
        if matches!(durability, Durability::Immediate) {
            // Opening after a crash then takes milliseconds instead of a walk over the whole file.
            txn.set_quick_repair(true);
        }
        Ok(txn)
    }

    fn write_position(&mut self, txn: &WriteTransaction, position: Position) -> Result<()> {
        txn.open_table(STATE)?.insert(POSITION, encode(&position).as_slice())?;
        self.position = position;
        Ok(())
    }

    pub fn position(&self) -> Position {
        self.position
    }

    /// Takes over one commit of the log. Not durable before [`Self::make_durable`]: the log carries it until then.
    pub fn apply(&mut self, applied: &Applied<'_>) -> Result<()> {
        let txn = self.begin(Durability::None)?;
        let before = self.position;
        let result = self.apply_in(&txn, applied);
        match result {
            Ok(()) => Ok(txn.commit()?),
            Err(error) => {
                self.position = before;
                txn.abort()?;
                Err(error)
            }
        }
    }

    fn apply_in(&mut self, txn: &WriteTransaction, applied: &Applied<'_>) -> Result<()> {
        let commit = applied.commit;
        let sequence = commit.sequence;
        let mut position = Position {
            sequence,
            commit: applied.sha256,
            pack: applied.pack,
            start: applied.start,
            end: applied.end,
            ..self.position
        };
        apply_documents(txn, applied, &mut position)?;
        apply_folders(txn, commit, &mut position)?;
        apply_ledger(txn, commit)?;
        {
            let mut table = txn.open_table(OCCURRENCES)?;
            for occurrence in &commit.occurrences {
                let key = (occurrence.document, occurrence.folder, occurrence.remote.as_slice());
                table.insert(key, row(sequence, occurrence).as_slice())?;
            }
        }
        {
            let mut table = txn.open_table(CURSORS)?;
            for cursor in &commit.cursors {
                table.insert(cursor.folder, row(sequence, cursor).as_slice())?;
            }
        }
        {
            let mut table = txn.open_table(SETTINGS)?;
            for setting in &commit.settings {
                // A removed one keeps its row, so that `verify` misses one that somebody took away.
                table.insert(setting.key.as_str(), row(sequence, setting).as_slice())?;
            }
        }
        append(txn, JOURNAL, sequence, &commit.journal)?;
        append(txn, RUNS, sequence, &commit.runs)?;
        self.write_position(txn, position)
    }

    /// Remembers what an older catalog knew of a log that is not whole any more: its numbers are not given again, and the
    /// commit that follows names the last one that was acknowledged, lost or not. `end` is where the last pack ends.
    pub fn remember(&mut self, older: Position, pack: u32, end: u64) -> Result<()> {
        let position = Position {
            pack,
            start: end,
            end,
            last_number: older.last_number.max(self.position.last_number),
            last_folder: older.last_folder.max(self.position.last_folder),
            ..older
        };
        let txn = self.begin(Durability::Immediate)?;
        self.write_position(&txn, position)?;
        Ok(txn.commit()?)
    }

    /// Makes everything applied so far durable.
    pub fn make_durable(&self) -> Result<()> {
        Ok(self.begin(Durability::Immediate)?.commit()?)
    }

    /// A view of the catalog as it is now.
    pub fn read(&self) -> Result<View> {
        Ok(View { txn: self.database.begin_read()?, _database: self.database.clone() })
    }
}

fn row<T: Encode<()> + Clone>(commit: u64, value: &T) -> Vec<u8> {
    encode(&Row { commit, value: value.clone() })
}

fn read_position(txn: &ReadTransaction) -> Result<Option<Position>> {
    match txn.open_table(STATE) {
        Ok(table) => table.get(POSITION)?.map(|bytes| decode("state", bytes.value())).transpose(),
        Err(redb::TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn apply_documents(txn: &WriteTransaction, applied: &Applied<'_>, position: &mut Position) -> Result<()> {
    let mut documents = txn.open_table(DOCUMENTS)?;
    let mut by_hash = txn.open_table(BY_HASH)?;
    for (new, metadata) in applied.commit.documents.iter().zip(applied.metadata) {
        let offset = applied.offsets.get(new.message as usize).copied().flatten();
        let document =
            Document { sha256: new.sha256, size: new.size, pack: applied.pack, offset, metadata: metadata.clone() };
        documents.insert(new.number, row(applied.commit.sequence, &document).as_slice())?;
        by_hash.insert(&new.sha256.0, new.number)?;
        position.last_number = position.last_number.max(new.number);
    }
    let mut variants = txn.open_table(VARIANTS)?;
    for variant in &applied.commit.variants {
        let offset = applied.offsets.get(variant.message as usize).copied().flatten();
        let value = VariantRow { size: variant.size, pack: applied.pack, offset };
        variants.insert((variant.document, &variant.sha256.0), row(applied.commit.sequence, &value).as_slice())?;
        by_hash.insert(&variant.sha256.0, variant.document)?;
    }
    Ok(())
}

fn apply_folders(txn: &WriteTransaction, commit: &Commit, position: &mut Position) -> Result<()> {
    let mut folders = txn.open_table(FOLDERS)?;
    let mut numbers = txn.open_table(FOLDER_NUMBERS)?;
    for folder in &commit.folders {
        let old = folder_row(&folders, folder.number)?.unwrap_or_default();
        let new = FolderRow { folder: folder.clone(), declared: commit.sequence, ..old };
        folders.insert(folder.number, row(commit.sequence, &new).as_slice())?;
        numbers.insert((folder.definition.as_str(), folder.mailbox.as_str(), folder.id.as_str()), folder.number)?;
        position.last_folder = position.last_folder.max(folder.number);
    }
    if commit.restarted.is_empty() {
        return Ok(());
    }
    let mut ledger = txn.open_table(LEDGER)?;
    let mut again = txn.open_table(AGAIN)?;
    let mut after = txn.open_table(AFTER_DUE)?;
    for &number in &commit.restarted {
        ledger.retain_in((number, &[][..])..(number + 1, &[][..]), |_, _| false)?;
        again.retain_in((number, i64::MIN, &[][..])..(number + 1, i64::MIN, &[][..]), |_, ()| false)?;
        after.retain_in((number, &[][..])..(number + 1, &[][..]), |_, _| false)?;
        if let Some(old) = folder_row(&folders, number)? {
            let new = FolderRow { booked: 0, restarted: commit.sequence, ..old };
            folders.insert(number, row(commit.sequence, &new).as_slice())?;
        }
    }
    Ok(())
}

fn folder_row(table: &impl ReadableTable<u32, Bytes>, number: FolderNumber) -> Result<Option<FolderRow>> {
    table.get(number)?.map(|bytes| decode("folders", bytes.value()).map(|row: Row<FolderRow>| row.value)).transpose()
}

fn apply_ledger(txn: &WriteTransaction, commit: &Commit) -> Result<()> {
    let mut ledger = txn.open_table(LEDGER)?;
    let mut again = txn.open_table(AGAIN)?;
    let mut after = txn.open_table(AFTER_DUE)?;
    let mut new_rows = std::collections::BTreeMap::<FolderNumber, u64>::new();
    for entry in &commit.ledger {
        let key = (entry.folder, entry.remote.as_slice());
        let old = ledger.insert(key, row(commit.sequence, entry).as_slice())?;
        let old: Option<Row<Entry>> = old.map(|bytes| decode("ledger", bytes.value())).transpose()?;
        match old.map(|old| old.value.outcome.again()) {
            None => *new_rows.entry(entry.folder).or_default() += 1,
            Some(None) => {}
            Some(Some(time)) => {
                again.remove((entry.folder, time, entry.remote.as_slice()))?;
            }
        }
        if let Some(time) = entry.outcome.again() {
            again.insert((entry.folder, time, entry.remote.as_slice()), ())?;
        }
        match entry.outcome.document() {
            Some(number) if entry.after_due => after.insert(key, number)?,
            _ => after.remove(key)?,
        };
    }
    let mut folders = txn.open_table(FOLDERS)?;
    for (number, more) in new_rows {
        let Some(bytes) = folders.get(number)?.map(|bytes| bytes.value().to_vec()) else { continue };
        let mut old: Row<FolderRow> = decode("folders", &bytes)?;
        old.value.booked += more;
        folders.insert(number, encode(&old).as_slice())?;
    }
    Ok(())
}

/// Rows without a key of their own: numbered by commit and place in it.
fn append<T: Encode<()> + Clone>(
    txn: &WriteTransaction,
    table: TableDefinition<u64, Bytes>,
    sequence: u64,
    values: &[T],
) -> Result<()> {
    let mut table = txn.open_table(table)?;
    for (place, value) in (0u64..).zip(values) {
        table.insert(row_number(sequence, place), row(sequence, value).as_slice())?;
    }
    Ok(())
}

/// Key of the `place`th row that commit `sequence` appended. A commit appends far fewer than 2^20 rows to a table.
pub fn row_number(sequence: u64, place: u64) -> u64 {
    (sequence << 20) | (place & 0xf_ffff)
}

/// A consistent view of the catalog; not disturbed by what is archived meanwhile. As long as it lives, pages that it sees
/// cannot be used again, so it is not kept while waiting for a network or a person.
pub struct View {
    txn: ReadTransaction,
    // After the transaction: a database that is dropped refuses its readers, also while the catalog is made anew.
    _database: Arc<dyn Any + Send + Sync>,
}

impl View {
    /// A view of a database that this process does not write.
    pub fn over(database: impl ReadableDatabase + Send + Sync + 'static) -> Result<Self> {
        Ok(Self { txn: database.begin_read()?, _database: Arc::new(database) })
    }

    /// `None` where the catalog was never written to.
    pub fn position(&self) -> Result<Option<Position>> {
        read_position(&self.txn)
    }

    pub fn document_row(&self, number: Number) -> Result<Option<Row<Document>>> {
        let table = self.txn.open_table(DOCUMENTS)?;
        table.get(number)?.map(|bytes| decode("documents", bytes.value())).transpose()
    }

    pub fn document(&self, number: Number) -> Result<Option<Document>> {
        Ok(self.document_row(number)?.map(|row| row.value))
    }

    /// At most `most` documents with numbers above `after`, ascending.
    pub fn documents(&self, after: Number, most: usize) -> Result<Vec<(Number, Document)>> {
        let table = self.txn.open_table(DOCUMENTS)?;
        let rows = table.range(after.saturating_add(1)..)?.take(most).map(|item| {
            let (number, bytes) = item?;
            let row: Row<Document> = decode("documents", bytes.value())?;
            Ok((number.value(), row.value))
        });
        rows.collect()
    }

    pub fn by_hash(&self, sha256: &Sha256) -> Result<Option<Number>> {
        Ok(self.txn.open_table(BY_HASH)?.get(&sha256.0)?.map(|number| number.value()))
    }

    pub fn variant_row(&self, number: Number, sha256: &Sha256) -> Result<Option<Row<VariantRow>>> {
        let table = self.txn.open_table(VARIANTS)?;
        table.get((number, &sha256.0))?.map(|bytes| decode("variants", bytes.value())).transpose()
    }

    /// Hashes of the variants of a document.
    pub fn variants(&self, number: Number) -> Result<Vec<Sha256>> {
        let table = self.txn.open_table(VARIANTS)?;
        let rows = table.range((number, &[0; 32])..=(number, &[0xff; 32]))?;
        rows.map(|item| Ok(Sha256(*item?.0.value().1))).collect()
    }

    /// Where a document was seen, oldest place first.
    pub fn occurrences(&self, number: Number) -> Result<Vec<Occurrence>> {
        let table = self.txn.open_table(OCCURRENCES)?;
        let mut found = Vec::new();
        for item in table.range((number, 0, &[][..])..(number + 1, 0, &[][..]))? {
            let row: Row<Occurrence> = decode("occurrences", item?.1.value())?;
            found.push(row.value);
        }
        Ok(found)
    }

    /// The other folders of a folder's mailbox that have rows in the ledger.
    pub fn beside(&self, folder: &Folder) -> Result<Vec<FolderNumber>> {
        let is_beside = |row: &FolderRow| {
            let same = row.folder.definition == folder.definition && row.folder.mailbox == folder.mailbox;
            same && row.booked > 0 && row.folder.number != folder.number
        };
        Ok(self.folders()?.into_iter().filter(is_beside).map(|row| row.folder.number).collect())
    }

    /// The place of a message that is archived from one of `folders` under this id.
    pub fn place_in(&self, folders: &[FolderNumber], remote: &[u8]) -> Result<Option<Occurrence>> {
        for folder in folders {
            let entry = self.entry(*folder, remote)?;
            let archived = |entry: Entry| match entry.outcome {
                Outcome::Archived(number) | Outcome::Same(number) => Some(number),
                _ => None,
            };
            if let Some(number) = entry.and_then(archived)
                && let Some(row) = self.occurrence_row((number, *folder, remote))?
            {
                return Ok(Some(row.value));
            }
        }
        Ok(None)
    }

    pub fn occurrence_row(&self, key: (u64, u32, &[u8])) -> Result<Option<Row<Occurrence>>> {
        let table = self.txn.open_table(OCCURRENCES)?;
        table.get(key)?.map(|bytes| decode("occurrences", bytes.value())).transpose()
    }

    pub fn folder(&self, number: FolderNumber) -> Result<Option<FolderRow>> {
        folder_row(&self.txn.open_table(FOLDERS)?, number)
    }

    /// All folders of all definitions, in the order in which they were found.
    pub fn folders(&self) -> Result<Vec<FolderRow>> {
        let table = self.txn.open_table(FOLDERS)?;
        let rows = table.iter()?.map(|item| {
            let row: Row<FolderRow> = decode("folders", item?.1.value())?;
            Ok(row.value)
        });
        rows.collect()
    }

    pub fn folder_number(&self, definition: &str, mailbox: &str, id: &str) -> Result<Option<FolderNumber>> {
        let table = self.txn.open_table(FOLDER_NUMBERS)?;
        Ok(table.get((definition, mailbox, id))?.map(|number| number.value()))
    }

    pub fn entry_row(&self, folder: FolderNumber, remote: &[u8]) -> Result<Option<Row<Entry>>> {
        let table = self.txn.open_table(LEDGER)?;
        table.get((folder, remote))?.map(|bytes| decode("ledger", bytes.value())).transpose()
    }

    /// What became of a message on a server.
    pub fn entry(&self, folder: FolderNumber, remote: &[u8]) -> Result<Option<Entry>> {
        Ok(self.entry_row(folder, remote)?.map(|row| row.value))
    }

    /// Calls `each` with every ledger row of a folder, ascending by remote id.
    pub fn ledger(&self, folder: FolderNumber, mut each: impl FnMut(Entry)) -> Result<()> {
        let table = self.txn.open_table(LEDGER)?;
        for item in table.range((folder, &[][..])..(folder + 1, &[][..]))? {
            let row: Row<Entry> = decode("ledger", item?.1.value())?;
            each(row.value);
        }
        Ok(())
    }

    /// Remote ids of a folder whose next look is due at `now`, at most `most`, longest due first. A time beyond `horizon` was
    /// noted by a clock that was wrong, and is due too.
    pub fn again(&self, folder: FolderNumber, now: i64, horizon: i64, most: usize) -> Result<Vec<Vec<u8>>> {
        let table = self.txn.open_table(AGAIN)?;
        let due = (folder, i64::MIN, &[][..])..(folder, now.saturating_add(1), &[][..]);
        let absurd = (folder, horizon.max(now).saturating_add(1), &[][..])..(folder + 1, i64::MIN, &[][..]);
        let rows = table.range(due)?.chain(table.range(absurd)?);
        rows.take(most).map(|item| Ok(item?.0.value().2.to_vec())).collect()
    }

    /// Messages of a folder that are still to be moved or deleted on the server, at most `most`, with ids above `above`.
    pub fn after_due(&self, folder: FolderNumber, above: &[u8], most: usize) -> Result<Vec<(Vec<u8>, Number)>> {
        let table = self.txn.open_table(AFTER_DUE)?;
        let above = (Bound::Excluded((folder, above)), Bound::Excluded((folder + 1, &[][..])));
        let rows = table.range::<(u32, &[u8])>(above)?.take(most).map(|item| {
            let (key, number) = item?;
            Ok((key.value().1.to_vec(), number.value()))
        });
        rows.collect()
    }

    pub fn cursor_row(&self, folder: FolderNumber) -> Result<Option<Row<FolderCursor>>> {
        let table = self.txn.open_table(CURSORS)?;
        table.get(folder)?.map(|bytes| decode("cursors", bytes.value())).transpose()
    }

    pub fn cursor(&self, folder: FolderNumber) -> Result<Option<FolderCursor>> {
        Ok(self.cursor_row(folder)?.map(|row| row.value))
    }

    pub fn setting_row(&self, key: &str) -> Result<Option<Row<super::commit::Setting>>> {
        let table = self.txn.open_table(SETTINGS)?;
        table.get(key)?.map(|bytes| decode("settings", bytes.value())).transpose()
    }

    /// All settings whose key begins with `prefix`, by key.
    pub fn settings(&self, prefix: &str) -> Result<Vec<(String, Vec<u8>)>> {
        let table = self.txn.open_table(SETTINGS)?;
        let mut found = Vec::new();
        for item in table.range(prefix..)? {
            let (key, bytes) = item?;
            if !key.value().starts_with(prefix) {
                break;
            }
            let row: Row<super::commit::Setting> = decode("settings", bytes.value())?;
            found.extend(row.value.value.map(|value| (row.value.key, value)));
        }
        Ok(found)
    }

    /// The newest runs of a definition, newest first.
    pub fn runs(&self, definition: &str, most: usize) -> Result<Vec<Run>> {
        let table = self.txn.open_table(RUNS)?;
        let mut found = Vec::new();
        for item in table.iter()?.rev() {
            let row: Row<Run> = decode("runs", item?.1.value())?;
            if row.value.definition == definition {
                found.push(row.value);
                if found.len() == most {
                    break;
                }
            }
        }
        Ok(found)
    }

    pub fn run_row(&self, key: u64) -> Result<Option<Row<Run>>> {
        let table = self.txn.open_table(RUNS)?;
        table.get(key)?.map(|bytes| decode("runs", bytes.value())).transpose()
    }

    pub fn event_row(&self, key: u64) -> Result<Option<Row<Event>>> {
        let table = self.txn.open_table(JOURNAL)?;
        table.get(key)?.map(|bytes| decode("journal", bytes.value())).transpose()
    }

    /// Number of documents.
    pub fn count(&self) -> Result<u64> {
        Ok(self.txn.open_table(DOCUMENTS)?.len()?)
    }

    /// Rows of the tables that `verify` holds against the log.
    pub fn sizes(&self) -> Result<Sizes> {
        Ok(Sizes {
            documents: self.count()?,
            hashes: self.txn.open_table(BY_HASH)?.len()?,
            variants: self.txn.open_table(VARIANTS)?.len()?,
            occurrences: self.txn.open_table(OCCURRENCES)?.len()?,
            folders: self.txn.open_table(FOLDERS)?.len()?,
            ledger: self.txn.open_table(LEDGER)?.len()?,
            cursors: self.txn.open_table(CURSORS)?.len()?,
            settings: self.txn.open_table(SETTINGS)?.len()?,
            journal: self.txn.open_table(JOURNAL)?.len()?,
            runs: self.txn.open_table(RUNS)?.len()?,
            folder_numbers: self.txn.open_table(FOLDER_NUMBERS)?.len()?,
        })
    }

    /// Holds the tables that are made from the ledger and the folders alone against these, in constant memory.
    pub fn check_indexes(&self, mut find: impl FnMut(String)) -> Result<()> {
        let again = self.txn.open_table(AGAIN)?;
        let after = self.txn.open_table(AFTER_DUE)?;
        let (mut agains, mut afters) = (0, 0);
        let mut missing = 0u64;
        for item in self.txn.open_table(LEDGER)?.iter()? {
            let (key, bytes) = item?;
            let (folder, remote) = key.value();
            let row: Row<Entry> = decode("ledger", bytes.value())?;
            if let Some(time) = row.value.outcome.again() {
                agains += 1;
                missing += u64::from(again.get((folder, time, remote))?.is_none());
            }
            if row.value.after_due && row.value.outcome.document().is_some() {
                afters += 1;
                missing += u64::from(after.get((folder, remote))?.is_none());
            }
        }
        for folder in self.folders()? {
            let folder = folder.folder;
            missing +=
                u64::from(self.folder_number(&folder.definition, &folder.mailbox, &folder.id)? != Some(folder.number));
        }
        if missing > 0 || again.len()? != agains || after.len()? != afters {
            find("its indexes do not fit its rows".into());
        }
        Ok(())
    }
}

/// How many rows the catalog's tables have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    pub documents: u64,
    pub hashes: u64,
    pub variants: u64,
    pub occurrences: u64,
    pub folders: u64,
    pub ledger: u64,
    pub cursors: u64,
    pub settings: u64,
    pub journal: u64,
    pub runs: u64,
    pub folder_numbers: u64,
}
