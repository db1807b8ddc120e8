//! Reading the catalog.
//!
//! - `by_time`: in the order in which people look for documents, `check`: what `verify` asks

mod by_time;
mod check;

use std::any::Any;
use std::ops::Bound;
use std::sync::Arc;

use redb::{ReadTransaction, ReadableDatabase, ReadableTable, ReadableTableMetadata};

use super::commit::{
    Block, Entry, Event, Folder, FolderCursor, FolderNumber, Metadata, Number, Occurrence, Outcome, Run, Setting,
};
use super::error::Result;
use super::rows::{
    AFTER_DUE, AGAIN, BLOCKED, BY_FIELD, BY_HASH, CHANGED, CHANGES, CURSORS, DOCUMENTS, Document, ENDED, ERASE_DUE,
    Ended, FIELD_NOTE, FOLDER_NUMBERS, FOLDERS, FolderRow, JOURNAL, LEDGER, OCCURRENCES, PARTS, PartRow, Position,
    RESERVED, RUNS, Row, SETTINGS, VARIANTS, VariantRow, decode, field_value, folder_row, is_blocked, read_position,
};
use crate::hash::Sha256;
use crate::limits::FIELD_KEY;

pub use by_time::ByTime;
pub use check::Sizes;

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
        Self::of(&Arc::new(database))
    }

    /// A view of the database that this process writes.
    pub fn of<D: ReadableDatabase + Send + Sync + 'static>(database: &Arc<D>) -> Result<Self> {
        Ok(Self { txn: database.begin_read()?, _database: database.clone() })
    }

    /// `None` where the catalog was never written to.
    pub fn position(&self) -> Result<Option<Position>> {
        read_position(&self.txn)
    }

    pub fn document_row(&self, number: Number) -> Result<Option<Row<Document>>> {
        let table = self.txn.open_table(DOCUMENTS)?;
        table.get(number)?.map(|bytes| decode("documents", bytes.value())).transpose()
    }

    pub fn change_row(&self, number: Number) -> Result<Option<Row<Metadata>>> {
        let table = self.txn.open_table(CHANGES)?;
        table.get(number)?.map(|bytes| decode("changes", bytes.value())).transpose()
    }

    /// A document as it is now.
    pub fn document(&self, number: Number) -> Result<Option<Document>> {
        self.reader()?.document(number)
    }

    /// Reads many documents one after the other.
    pub fn reader(&self) -> Result<Reader> {
        Ok(Reader { documents: self.txn.open_table(DOCUMENTS)?, changes: self.txn.open_table(CHANGES)? })
    }

    /// The first document from this number on, as it began.
    pub fn document_from(&self, number: Number) -> Result<Option<(Number, Document)>> {
        let table = self.txn.open_table(DOCUMENTS)?;
        let Some(item) = table.range(number..)?.next() else { return Ok(None) };
        let (number, bytes) = item?;
        let row: Row<Document> = decode("documents", bytes.value())?;
        Ok(Some((number.value(), row.value)))
    }

    /// At most `most` documents with numbers above `after`, ascending.
    pub fn documents(&self, after: Number, most: usize) -> Result<Vec<(Number, Document)>> {
        let table = self.txn.open_table(DOCUMENTS)?;
        let changes = self.txn.open_table(CHANGES)?;
        let rows = table.range(after.saturating_add(1)..)?.take(most).map(|item| {
            let (number, bytes) = item?;
            let mut row: Row<Document> = decode("documents", bytes.value())?;
            if let Some(change) = changes.get(number.value())? {
                let change: Row<Metadata> = decode("changes", change.value())?;
                row.value.metadata = change.value;
            }
            Ok((number.value(), row.value))
        });
        rows.collect()
    }

    /// Whether `reads` allows this document.
    pub fn may_read(&self, reads: &Reads, number: Number) -> Result<bool> {
        let Reads::Places(places) = reads else { return Ok(self.document_row(number)?.is_some()) };
        if self.is_blocked(number)? {
            return Ok(false);
        }
        for seen in self.occurrences(number)? {
            if self.folder(seen.folder)?.is_some_and(|folder| places.contains(&folder.place)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Numbers above `after` of documents whose field has this value, the highest first; at most `most`. Which fields: see
    /// [`field_keys`].
    pub fn with_field(&self, name: &str, value: &str, after: Number, most: usize) -> Result<Vec<Number>> {
        let value = field_value(value);
        let table = self.txn.open_table(BY_FIELD)?;
        let range = (Bound::Excluded((name, value.as_str(), after)), Bound::Included((name, value.as_str(), u64::MAX)));
        table.range::<(&str, &str, u64)>(range)?.rev().take(most).map(|item| Ok(item?.0.value().2)).collect()
    }

    /// How many mails have a value in this further field or in their note ([`FIELD_NOTE`]), found by at most `look` looks,
    /// and whether there may be more.
    pub fn mails_with(&self, name: &str, look: usize) -> Result<(u64, bool)> {
        let documents = self.reader()?;
        let is_note = name == FIELD_NOTE;
        let has = |metadata: &Metadata| {
            metadata.is_mail() && if is_note { !metadata.note.is_empty() } else { metadata.fields.contains_key(name) }
        };
        let mut count = 0;
        if is_note {
            // Notes of mails are no keys; hardly any mail begins with one.
            let table = self.txn.open_table(CHANGES)?;
            for (looked, item) in table.iter()?.enumerate() {
                if looked == look {
                    return Ok((count, true));
                }
                let change: Row<Metadata> = decode("changes", item?.1.value())?;
                count += u64::from(has(&change.value));
            }
            return Ok((count, false));
        }
        let table = self.txn.open_table(BY_FIELD)?;
        for (looked, item) in table.range::<(&str, &str, u64)>((name, "", 0)..)?.enumerate() {
            let key = item?.0;
            let (found, _, number) = key.value();
            if found != name {
                break;
            }
            if looked == look {
                return Ok((count, true));
            }
            count += u64::from(documents.document(number)?.is_some_and(|document| has(&document.metadata)));
        }
        Ok((count, false))
    }

    /// Whether any document has a value in this field.
    pub fn has_field(&self, name: &str) -> Result<bool> {
        let table = self.txn.open_table(BY_FIELD)?;
        let first = table.range::<(&str, &str, u64)>((name, "", 0)..)?.next().transpose()?;
        Ok(first.is_some_and(|(key, _)| key.value().0 == name))
    }

    /// Names of further fields in which documents have values, at most `most`.
    pub fn field_names(&self, most: usize) -> Result<Vec<String>> {
        let table = self.txn.open_table(BY_FIELD)?;
        let mut names: Vec<String> = Vec::new();
        // Behind the reserved ones.
        let mut from = String::from(char::from(RESERVED as u8 + 1));
        while names.len() < most {
            let Some((key, _)) = table.range::<(&str, &str, u64)>((from.as_str(), "", 0)..)?.next().transpose()? else {
                break;
            };
            let name = key.value().0.to_owned();
            // The next name there can be.
            from = format!("{name}\0");
            names.push(name);
        }
        Ok(names)
    }

    /// Values of a field in documents that `reads` allows, in their order: at most `most`, found by at most `look` looks, of
    /// which at most `each` for one value, so that what very many others have hides nothing behind it.
    pub fn field_values(
        &self,
        reads: &Reads,
        name: &str,
        most: usize,
        look: usize,
        each: usize,
    ) -> Result<Vec<String>> {
        let table = self.txn.open_table(BY_FIELD)?;
        let mut values: Vec<String> = Vec::new();
        let mut from = (String::new(), 0);
        let mut looked = 0;
        for _ in 0..look {
            if values.len() >= most {
                break;
            }
            let next = table.range::<(&str, &str, u64)>((name, from.0.as_str(), from.1)..)?.next().transpose()?;
            let Some((key, _)) = next else { break };
            let (found, value, number) = key.value();
            if found != name {
                break;
            }
            looked = if value == from.0 { looked + 1 } else { 1 };
            let is_offered = value.len() <= FIELD_KEY && self.may_read(reads, number)?;
            if is_offered {
                values.push(value.to_owned());
            }
            from = if is_offered || looked >= each {
                (format!("{value}\0"), 0)
            } else {
                (value.to_owned(), number.saturating_add(1))
            };
        }
        Ok(values)
    }

    pub fn by_hash(&self, sha256: &Sha256) -> Result<Option<Number>> {
        Ok(self.txn.open_table(BY_HASH)?.get(&sha256.0)?.map(|number| number.value()))
    }

    /// Whether only those see it who read everything.
    pub fn is_blocked(&self, number: Number) -> Result<bool> {
        is_blocked(&self.txn.open_table(BLOCKED)?, number)
    }

    pub fn block_row(&self, number: Number) -> Result<Option<Row<Block>>> {
        let table = self.txn.open_table(BLOCKED)?;
        table.get(number)?.map(|bytes| decode("blocked", bytes.value())).transpose()
    }

    /// Numbers of all blocked documents above `after`, at most `most`.
    pub fn blocked(&self, after: Number, most: usize) -> Result<Vec<Number>> {
        let mut numbers = Vec::new();
        for item in self.txn.open_table(BLOCKED)?.range(after.saturating_add(1)..)? {
            let (number, bytes) = item?;
            if numbers.len() == most {
                break;
            }
            if decode::<Row<Block>>("blocked", bytes.value())?.value.is_blocked {
                numbers.push(number.value());
            }
        }
        Ok(numbers)
    }

    /// What remains of a document that ended.
    pub fn ended_row(&self, number: Number) -> Result<Option<Row<Ended>>> {
        let table = self.txn.open_table(ENDED)?;
        table.get(number)?.map(|bytes| decode("ended", bytes.value())).transpose()
    }

    /// Ended documents, the highest number first, at most `most`; begins below `below`.
    pub fn ended(&self, below: Option<Number>, most: usize) -> Result<Vec<(Number, Ended)>> {
        let table = self.txn.open_table(ENDED)?;
        let rows = table.range(..below.unwrap_or(Number::MAX))?.rev().take(most).map(|item| {
            let (number, bytes) = item?;
            let row: Row<Ended> = decode("ended", bytes.value())?;
            Ok((number.value(), row.value))
        });
        rows.collect()
    }

    pub fn part_row(&self, sha256: &Sha256) -> Result<Option<Row<PartRow>>> {
        let table = self.txn.open_table(PARTS)?;
        table.get(&sha256.0)?.map(|bytes| decode("parts", bytes.value())).transpose()
    }

    /// Pack and byte of the record of a part.
    pub fn part(&self, sha256: &Sha256) -> Result<Option<(u32, u64)>> {
        Ok(self.part_row(sha256)?.and_then(|row| Some((row.value.pack, row.value.offset?))))
    }

    /// Where the later document records of a document stand: pack and byte, none where it is damaged.
    pub fn changed(&self, number: Number) -> Result<Vec<(u32, Option<u64>)>> {
        let table = self.txn.open_table(CHANGED)?;
        let rows = table.range((number, 0)..=(number, u64::MAX))?;
        rows.map(|item| Ok(item?.1.value())).collect()
    }

    /// Records of ended documents that may not have been taken out yet, in their order: pack, byte, and the sequence of the
    /// tombstone. Begins behind `after`; at most `most`.
    pub fn erase_due(&self, after: Option<(u32, u64)>, most: usize) -> Result<Vec<(u32, u64, u64)>> {
        let table = self.txn.open_table(ERASE_DUE)?;
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let rows = table.range::<(u32, u64)>((from, Bound::Unbounded))?.take(most).map(|item| {
            let (place, tombstone) = item?;
            let (pack, offset) = place.value();
            Ok((pack, offset, tombstone.value()))
        });
        rows.collect()
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
        Ok(self.occurrence_rows(number)?.into_iter().map(|row| row.value).collect())
    }

    /// Whether a document was seen in a further place since this commit.
    pub fn is_seen_since(&self, number: Number, sequence: u64) -> Result<bool> {
        Ok(self.occurrence_rows(number)?.iter().any(|row| row.commit > sequence))
    }

    fn occurrence_rows(&self, number: Number) -> Result<Vec<Row<Occurrence>>> {
        let table = self.txn.open_table(OCCURRENCES)?;
        let mut found = Vec::new();
        // Any number may be asked for, also the last one that there can be.
        let after = number.checked_add(1).map_or(Bound::Unbounded, |next| Bound::Excluded((next, 0, &[][..])));
        for item in table.range::<(u64, u32, &[u8])>((Bound::Included((number, 0, &[][..])), after))? {
            found.push(decode("occurrences", item?.1.value())?);
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

    /// Messages of a definition that have an outcome in the ledger.
    pub fn booked(&self, definition: &str) -> Result<u64> {
        Ok(self.folders()?.iter().filter(|row| row.folder.definition == definition).map(|row| row.booked).sum())
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
        self.ledger_above(folder, &[], |entry| {
            each(entry);
            true
        })
    }

    /// Calls `each` with the ledger rows of a folder with remote ids above `above`, ascending, until it says stop (`false`).
    pub fn ledger_above(&self, folder: FolderNumber, above: &[u8], mut each: impl FnMut(Entry) -> bool) -> Result<()> {
        let table = self.txn.open_table(LEDGER)?;
        let range = (Bound::Excluded((folder, above)), Bound::Excluded((folder + 1, &[][..])));
        for item in table.range::<(u32, &[u8])>(range)? {
            let row: Row<Entry> = decode("ledger", item?.1.value())?;
            if !each(row.value) {
                break;
            }
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

    pub fn setting_row(&self, key: &str) -> Result<Option<Row<Setting>>> {
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
            let row: Row<Setting> = decode("settings", bytes.value())?;
            found.extend(row.value.value.map(|value| (row.value.key, value)));
        }
        Ok(found)
    }

    /// The last row of a setting whose key begins with `prefix`, in the order of keys.
    pub fn last_setting(&self, prefix: &str) -> Result<Option<Row<Setting>>> {
        let table = self.txn.open_table(SETTINGS)?;
        // No key begins with a character behind all others.
        let end = format!("{prefix}\u{10ffff}");
        let Some(item) = table.range(prefix..end.as_str())?.next_back() else { return Ok(None) };
        decode("settings", item?.1.value()).map(Some)
    }

    /// The newest runs of a definition, newest first; at most `most`, among the newest `look` runs of all definitions.
    pub fn runs(&self, definition: &str, most: usize, look: usize) -> Result<Vec<Run>> {
        let table = self.txn.open_table(RUNS)?;
        let mut found = Vec::new();
        for item in table.iter()?.rev().take(look) {
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

    /// When a run of a definition last brought a new mail, among the newest `look` runs of all definitions, Unix seconds;
    /// where none of them did, when the first of them began.
    pub fn last_new(&self, definition: &str, look: usize) -> Result<Option<i64>> {
        let table = self.txn.open_table(RUNS)?;
        let mut first = None;
        for item in table.iter()?.rev().take(look) {
            let run = decode::<Row<Run>>("runs", item?.1.value())?.value;
            if run.definition == definition {
                if run.archived > 0 {
                    return Ok(Some(run.ended));
                }
                first = Some(run.started);
            }
        }
        Ok(first)
    }

    pub fn run_row(&self, key: u64) -> Result<Option<Row<Run>>> {
        let table = self.txn.open_table(RUNS)?;
        table.get(key)?.map(|bytes| decode("runs", bytes.value())).transpose()
    }

    pub fn event_row(&self, key: u64) -> Result<Option<Row<Event>>> {
        let table = self.txn.open_table(JOURNAL)?;
        table.get(key)?.map(|bytes| decode("journal", bytes.value())).transpose()
    }

    /// The newest events that `fits`, newest first: at most `most` of the newest `look`. Also says whether there are older
    /// ones that were not looked at.
    pub fn events(&self, most: usize, look: usize, fits: impl Fn(&Event) -> bool) -> Result<(Vec<Event>, bool)> {
        let (found, next) = self.events_before(u64::MAX, most, look, fits)?;
        Ok((found, next.is_some()))
    }

    /// The same, of those before `before` (a key of the journal), and from where it goes on.
    pub fn events_before(
        &self,
        before: u64,
        most: usize,
        look: usize,
        fits: impl Fn(&Event) -> bool,
    ) -> Result<(Vec<Event>, Option<u64>)> {
        let table = self.txn.open_table(JOURNAL)?;
        let (mut found, mut last) = (Vec::new(), before);
        for (looked, item) in table.range(..before)?.rev().enumerate() {
            if looked == look || found.len() == most {
                return Ok((found, Some(last)));
            }
            let (key, bytes) = item?;
            last = key.value();
            let row: Row<Event> = decode("journal", bytes.value())?;
            found.extend(Some(row.value).filter(|event| fits(event)));
        }
        Ok((found, None))
    }

    /// Number of documents.
    pub fn count(&self) -> Result<u64> {
        Ok(self.txn.open_table(DOCUMENTS)?.len()?)
    }
}

/// See [`View::reader`]. Opening a table costs as much as reading a row of it.
pub struct Reader {
    documents: redb::ReadOnlyTable<u64, &'static [u8]>,
    changes: redb::ReadOnlyTable<u64, &'static [u8]>,
}

impl Reader {
    /// A document as it is now.
    pub fn document(&self, number: Number) -> Result<Option<Document>> {
        let Some(bytes) = self.documents.get(number)? else { return Ok(None) };
        let Row { value: mut document, .. }: Row<Document> = decode("documents", bytes.value())?;
        if let Some(bytes) = self.changes.get(number)? {
            document.metadata = decode::<Row<Metadata>>("changes", bytes.value())?.value;
        }
        Ok(Some(document))
    }
}

/// Whose documents somebody may read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reads {
    All,
    /// Those of these mailboxes ([`super::rows::FolderRow::place`]).
    Places(Vec<FolderNumber>),
}
