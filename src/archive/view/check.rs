//! What `verify` asks of the catalog: how much there is, and whether its tables fit each other.

use redb::{ReadableTable, ReadableTableMetadata};

use super::super::commit::{Entry, Metadata};
use super::super::error::Result;
use super::super::rows::{
    AFTER_DUE, AGAIN, BLOCKED, BY_FIELD, BY_HASH, BY_PLACE, BY_TIME, CHANGED, CHANGES, CURSORS, DOCUMENTS, Document,
    ENDED, FOLDER_NUMBERS, FOLDERS, JOURNAL, LEDGER, OCCURRENCES, PARTS, PLACE_NUMBERS, PartRow, RUNS, Row, SETTINGS,
    VARIANTS, decode, field_keys,
};
use super::View;

impl View {
    /// How often messages use parts.
    pub fn part_users(&self) -> Result<u64> {
        let table = self.txn.open_table(PARTS)?;
        let mut users = 0;
        for item in table.iter()? {
            users += decode::<Row<PartRow>>("parts", item?.1.value())?.value.users;
        }
        Ok(users)
    }

    /// Rows of the tables that `verify` holds against the log.
    pub fn sizes(&self) -> Result<Sizes> {
        Ok(Sizes {
            documents: self.count()?,
            changes: self.txn.open_table(CHANGES)?.len()?,
            hashes: self.txn.open_table(BY_HASH)?.len()?,
            variants: self.txn.open_table(VARIANTS)?.len()?,
            changed: self.txn.open_table(CHANGED)?.len()?,
            parts: self.txn.open_table(PARTS)?.len()?,
            ended: self.txn.open_table(ENDED)?.len()?,
            blocked: self.txn.open_table(BLOCKED)?.len()?,
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
            go_on()?;
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
        // A row of these cannot be more than the documents and occurrences explain: each key is one of theirs.
        let by_time = self.txn.open_table(BY_TIME)?;
        let by_place = self.txn.open_table(BY_PLACE)?;
        let place_numbers = self.txn.open_table(PLACE_NUMBERS)?;
        let by_field = self.txn.open_table(BY_FIELD)?;
        let changes = self.txn.open_table(CHANGES)?;
        let (mut rows, mut fields) = (0, 0);
        for item in self.txn.open_table(DOCUMENTS)?.iter()? {
            go_on()?;
            let (number, bytes) = item?;
            let number = number.value();
            let row: Row<Document> = decode("documents", bytes.value())?;
            missing += u64::from(by_time.get((row.value.time, number))?.is_none());
            let change = changes.get(number)?;
            let change: Option<Row<Metadata>> = change.map(|bytes| decode("changes", bytes.value())).transpose()?;
            let metadata = change.map_or(row.value.metadata, |change| change.value);
            for (name, value) in field_keys(&metadata) {
                fields += 1;
                missing += u64::from(by_field.get((name, value.as_str(), number))?.is_none());
            }
            let mut places = std::collections::BTreeSet::new();
            let seen = if self.is_blocked(number)? { Vec::new() } else { self.occurrences(number)? };
            for seen in seen {
                places.extend(self.folder(seen.folder)?.map(|folder| folder.place));
            }
            rows += places.len() as u64;
            for place in places {
                missing += u64::from(by_place.get((place, row.value.time, number))?.is_none());
                missing += u64::from(place_numbers.get((place, number))?.is_none());
            }
        }
        let extra = by_time.len()? != self.count()?
            || by_place.len()? != rows
            || place_numbers.len()? != rows
            || by_field.len()? != fields;
        for folder in self.folders()? {
            let folder = folder.folder;
            missing +=
                u64::from(self.folder_number(&folder.definition, &folder.mailbox, &folder.id)? != Some(folder.number));
        }
        if missing > 0 || extra || again.len()? != agains || after.len()? != afters {
            find("its indexes do not fit its rows".into());
        }
        Ok(())
    }
}

/// How many rows the catalog's tables have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    pub documents: u64,
    pub changes: u64,
    pub hashes: u64,
    pub variants: u64,
    pub changed: u64,
    pub parts: u64,
    pub ended: u64,
    pub blocked: u64,
    pub occurrences: u64,
    pub folders: u64,
    pub ledger: u64,
    pub cursors: u64,
    pub settings: u64,
    pub journal: u64,
    pub runs: u64,
    pub folder_numbers: u64,
}

/// A sign of life in the middle of a long look.
fn go_on() -> Result<()> {
    Ok(crate::pulse::go_on_own()?)
}
