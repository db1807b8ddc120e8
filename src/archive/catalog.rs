//! The catalog: what the log says, laid out for look-ups, in redb. A view and nothing more: it can be deleted at any time
//! and comes back from the packs with the same numbers.
//!
//! Invariants: the catalog never knows a commit that is not durable in the log; every row remembers the commit that wrote
//! it, so that `verify` can hold row and log against each other in constant memory.

use std::path::Path;
use std::sync::Arc;

use minicbor::Encode;
use redb::{Database, Durability, ReadTransaction, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};

use super::commit::{Commit, Entry, Folder, FolderNumber, Metadata};
use super::disk::Disk;
use super::ending;
use super::error::{ArchiveError, Result};
use super::record::ArchiveId;
use super::rows::{
    AFTER_DUE, AGAIN, BLOCKED, BY_FIELD, BY_HASH, BY_PLACE, BY_TIME, Bytes, CHANGED, CHANGES, CURSORS, DOCUMENTS,
    Document, ENDED, ERASE_DUE, FOLDER_NUMBERS, FOLDERS, FolderRow, JOURNAL, LEDGER, OCCURRENCES, PARTS, PLACE_NUMBERS,
    POSITION, PartRow, Position, RUNS, Row, SETTINGS, STATE, VARIANTS, VariantRow, decode, encode, field_keys,
    folder_row, is_blocked, position_row, read_position, row, row_number,
};
use super::view::View;
use crate::hash::Sha256;
use crate::limits::CATALOG_CACHE;

const LAYOUT: &str = "layout";
/// Grows with every change of a table or row; a catalog of another layout is made anew from the packs.
const KNOWN_LAYOUT: u32 = 5;

/// A commit with what its readers know beside it.
pub struct Applied<'a> {
    pub commit: &'a Commit,
    pub link: Sha256,
    pub pack: u32,
    /// Bytes where the commit record starts and its link ends.
    pub start: u64,
    pub end: u64,
    /// Where each named record stands, `None` where it is damaged.
    pub offsets: &'a [Option<u64>],
    /// Metadata of each new document, in order.
    pub metadata: &'a [Metadata],
    /// Likewise of each changed one; `None` where its record is damaged.
    pub changes: &'a [Option<Metadata>],
}

/// The open catalog.
pub struct Catalog {
    database: Arc<Database>,
    position: Position,
}

impl Catalog {
    /// Opens or makes the catalog at `path`; repairs it if it was not closed. Every page in use is held against its check
    /// sum: reading a row would not notice a flipped bit.
    pub fn open(disk: &Disk, path: &Path, archive: ArchiveId) -> Result<Self> {
        let mut database = disk.database(path, Database::builder().set_cache_size(CATALOG_CACHE))?;
        // Where it is not whole but can be mended, it goes back to an earlier state, and the log brings it up again.
        database.check_integrity()?;
        Self::over(Arc::new(database), archive)
    }

    fn over(database: Arc<Database>, archive: ArchiveId) -> Result<Self> {
        let position = read_position(&database.begin_read()?)?;
        if let Some(position) = position {
            let known = read_layout(&database.begin_read()?)? == KNOWN_LAYOUT;
            return if known { Ok(Self { database, position }) } else { Err(ArchiveError::Layout) };
        }
        let position = Position { archive, ..Position::default() };
        let mut catalog = Self { database, position };
        let txn = catalog.begin(Durability::Immediate)?;
        // All tables exist from the start, so that readers need not ask.
        txn.open_table(DOCUMENTS)?;
        txn.open_table(CHANGES)?;
        txn.open_table(BY_TIME)?;
        txn.open_table(BY_PLACE)?;
        txn.open_table(PLACE_NUMBERS)?;
        txn.open_table(BY_FIELD)?;
        txn.open_table(BY_HASH)?;
        txn.open_table(CHANGED)?;
        txn.open_table(PARTS)?;
        txn.open_table(ENDED)?;
        txn.open_table(BLOCKED)?;
        txn.open_table(ERASE_DUE)?;
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
        txn.open_table(STATE)?.insert(LAYOUT, encode(&KNOWN_LAYOUT).as_slice())?;
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
        txn.open_table(STATE)?.insert(POSITION, position_row(&position).as_slice())?;
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
            commit: applied.link,
            pack: applied.pack,
            start: applied.start,
            end: applied.end,
            ..self.position
        };
        apply_parts(txn, applied)?;
        apply_documents(txn, applied, &mut position)?;
        apply_folders(txn, commit, &mut position)?;
        apply_ledger(txn, commit)?;
        apply_occurrences(txn, commit)?;
        apply_blocks(txn, commit)?;
        ending::apply(txn, commit)?;
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

    /// Forgets that these records of a pack were to be taken out: they are. Not logged: what is still to be done is seen by
    /// looking, and doing it again changes nothing.
    pub fn erased(&mut self, pack: u32, offsets: &[u64]) -> Result<()> {
        let txn = self.begin(Durability::None)?;
        {
            let mut due = txn.open_table(ERASE_DUE)?;
            for offset in offsets {
                due.remove((pack, *offset))?;
            }
        }
        Ok(txn.commit()?)
    }

    /// Makes everything applied so far durable.
    pub fn make_durable(&self) -> Result<()> {
        Ok(self.begin(Durability::Immediate)?.commit()?)
    }

    /// A view of the catalog as it is now.
    pub fn read(&self) -> Result<View> {
        View::of(&self.database)
    }
}

fn read_layout(txn: &ReadTransaction) -> Result<u32> {
    let layout = txn.open_table(STATE)?.get(LAYOUT)?.map(|bytes| decode("state", bytes.value())).transpose()?;
    Ok(layout.unwrap_or_default())
}

fn apply_documents(txn: &WriteTransaction, applied: &Applied<'_>, position: &mut Position) -> Result<()> {
    let mut documents = txn.open_table(DOCUMENTS)?;
    let mut by_time = txn.open_table(BY_TIME)?;
    let mut by_hash = txn.open_table(BY_HASH)?;
    let mut by_field = txn.open_table(BY_FIELD)?;
    for (new, metadata) in applied.commit.documents.iter().zip(applied.metadata) {
        let document = Document::of(applied.commit, new, metadata, applied.pack, applied.offsets);
        by_time.insert((document.time, new.number), ())?;
        for (name, value) in field_keys(metadata) {
            by_field.insert((name, value.as_str(), new.number), ())?;
        }
        documents.insert(new.number, row(applied.commit.sequence, &document).as_slice())?;
        // Of equal bytes that several people brought, the first document is found.
        if by_hash.get(&new.sha256.0)?.is_none() {
            by_hash.insert(&new.sha256.0, new.number)?;
        }
        position.last_number = position.last_number.max(new.number);
    }
    let mut changes = txn.open_table(CHANGES)?;
    let mut records = txn.open_table(CHANGED)?;
    for (change, metadata) in applied.commit.changes.iter().zip(applied.changes) {
        let offset = applied.offsets.get(change.document as usize).copied().flatten();
        records.insert((change.number, applied.commit.sequence), (applied.pack, offset))?;
        // Where its record is damaged, the document keeps what was known of it before.
        if let Some(metadata) = metadata {
            let before = match changes.get(change.number)? {
                Some(bytes) => Some(decode::<Row<Metadata>>("changes", bytes.value())?.value),
                None => match documents.get(change.number)? {
                    Some(bytes) => Some(decode::<Row<Document>>("documents", bytes.value())?.value.metadata),
                    None => None,
                },
            };
            for (name, value) in before.iter().flat_map(field_keys) {
                by_field.remove((name, value.as_str(), change.number))?;
            }
            for (name, value) in field_keys(metadata) {
                by_field.insert((name, value.as_str(), change.number), ())?;
            }
            changes.insert(change.number, row(applied.commit.sequence, metadata).as_slice())?;
        }
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

/// What a part was used for stays when its record is written anew.
fn apply_parts(txn: &WriteTransaction, applied: &Applied<'_>) -> Result<()> {
    let mut parts = txn.open_table(PARTS)?;
    for new in &applied.commit.parts {
        let old = parts.get(&new.sha256.0)?.map(|bytes| decode::<Row<PartRow>>("parts", bytes.value())).transpose()?;
        let offset = applied.offsets.get(new.part as usize).copied().flatten();
        let users = old.map_or(0, |old| old.value.users);
        let part = PartRow { size: new.size, pack: applied.pack, offset, users };
        parts.insert(&new.sha256.0, row(applied.commit.sequence, &part).as_slice())?;
    }
    for hash in applied.commit.splits.iter().flat_map(|split| &split.parts) {
        let old = parts.get(&hash.0)?.map(|bytes| decode::<Row<PartRow>>("parts", bytes.value())).transpose()?;
        // It can be missing where the log is damaged.
        if let Some(mut part) = old {
            part.value.users += 1;
            parts.insert(&hash.0, encode(&part).as_slice())?;
        }
    }
    Ok(())
}

/// Who does not read everything finds a document by its mailbox, so a blocked one leaves these tables.
fn apply_blocks(txn: &WriteTransaction, commit: &Commit) -> Result<()> {
    let documents = txn.open_table(DOCUMENTS)?;
    let folders = txn.open_table(FOLDERS)?;
    let occurrences = txn.open_table(OCCURRENCES)?;
    let mut blocked = txn.open_table(BLOCKED)?;
    let mut by_place = txn.open_table(BY_PLACE)?;
    let mut place_numbers = txn.open_table(PLACE_NUMBERS)?;
    for block in &commit.blocks {
        let Some(document) = documents.get(block.number)? else { continue };
        let time = decode::<Row<Document>>("documents", document.value())?.value.time;
        blocked.insert(block.number, row(commit.sequence, block).as_slice())?;
        for item in occurrences.range((block.number, 0, &[][..])..)? {
            let (number, folder, _) = item?.0.value();
            if number != block.number {
                break;
            }
            let Some(FolderRow { place, .. }) = folder_row(&folders, folder)? else { continue };
            if block.is_blocked {
                by_place.remove((place, time, number))?;
                place_numbers.remove((place, number))?;
            } else {
                by_place.insert((place, time, number), ())?;
                place_numbers.insert((place, number), ())?;
            }
        }
    }
    Ok(())
}

/// After the documents and the folders that they name.
fn apply_occurrences(txn: &WriteTransaction, commit: &Commit) -> Result<()> {
    let documents = txn.open_table(DOCUMENTS)?;
    let folders = txn.open_table(FOLDERS)?;
    let blocked = txn.open_table(BLOCKED)?;
    let mut by_place = txn.open_table(BY_PLACE)?;
    let mut place_numbers = txn.open_table(PLACE_NUMBERS)?;
    let mut table = txn.open_table(OCCURRENCES)?;
    for occurrence in &commit.occurrences {
        let key = (occurrence.document, occurrence.folder, occurrence.remote.as_slice());
        table.insert(key, row(commit.sequence, occurrence).as_slice())?;
        // Either can be missing where the log is damaged.
        let document = documents.get(occurrence.document)?;
        let document: Option<Row<Document>> = document.map(|bytes| decode("documents", bytes.value())).transpose()?;
        if let Some(document) = document
            && let Some(folder) = folder_row(&folders, occurrence.folder)?
            && !is_blocked(&blocked, occurrence.document)?
        {
            by_place.insert((folder.place, document.value.time, occurrence.document), ())?;
            place_numbers.insert((folder.place, occurrence.document), ())?;
        }
    }
    Ok(())
}

fn apply_folders(txn: &WriteTransaction, commit: &Commit, position: &mut Position) -> Result<()> {
    let mut folders = txn.open_table(FOLDERS)?;
    let mut numbers = txn.open_table(FOLDER_NUMBERS)?;
    for folder in &commit.folders {
        let old = folder_row(&folders, folder.number)?;
        numbers.insert((folder.definition.as_str(), folder.mailbox.as_str(), folder.id.as_str()), folder.number)?;
        let place = match &old {
            Some(old) => old.place,
            None => place(&numbers, folder)?,
        };
        let new = FolderRow { folder: folder.clone(), declared: commit.sequence, place, ..old.unwrap_or_default() };
        folders.insert(folder.number, row(commit.sequence, &new).as_slice())?;
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

/// The lowest number of a folder of the same mailbox.
fn place(
    numbers: &impl ReadableTable<(&'static str, &'static str, &'static str), u32>,
    folder: &Folder,
) -> Result<FolderNumber> {
    let (definition, mailbox) = (folder.definition.as_str(), folder.mailbox.as_str());
    let mut lowest = folder.number;
    for item in numbers.range((definition, mailbox, "")..)? {
        let (key, number) = item?;
        if key.value().0 != definition || key.value().1 != mailbox {
            break;
        }
        lowest = lowest.min(number.value());
    }
    Ok(lowest)
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
