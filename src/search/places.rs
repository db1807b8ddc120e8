//! The places whose documents somebody may read, and what is known of a document there.
//!
//! A document is one for all who have it, and what is stored of it comes from whoever archived it first. Who reads only some
//! places learns of it what is so in these: everything else would tell of others.

use std::collections::BTreeMap;

use crate::archive::commit::{FolderNumber, Number};
use crate::archive::error::Result;
use crate::archive::rows::{Document, FolderRow};
use crate::archive::view::{Reads, View};
use crate::settings;

/// The folders whose documents somebody may read.
#[derive(Debug, Default)]
pub struct Places {
    folders: BTreeMap<FolderNumber, FolderRow>,
    /// To whom definitions belong; `None`: all places are read, and what is stored is what is known.
    owners: Option<BTreeMap<String, String>>,
}

impl Places {
    pub fn of(view: &View, reads: &Reads) -> Result<Self> {
        let may = |row: &FolderRow| match reads {
            Reads::All => true,
            Reads::Places(places) => places.contains(&row.place),
        };
        let folders = view.folders()?.into_iter().filter(may).map(|row| (row.folder.number, row));
        let owners = if *reads == Reads::All { None } else { Some(settings::owners(view)?) };
        Ok(Self { folders: folders.collect(), owners })
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &FolderRow> {
        self.folders.values()
    }

    pub fn get(&self, folder: FolderNumber) -> Option<&FolderRow> {
        self.folders.get(&folder)
    }

    /// The document as it is known in these places: its owners are those of their definitions, and it was archived when it was
    /// first seen in one of them.
    pub fn narrow(&self, view: &View, number: Number, mut document: Document) -> Result<Document> {
        let Some(owners) = &self.owners else { return Ok(document) };
        let mut names: Vec<&str> = Vec::new();
        let mut first = None;
        for seen in view.occurrences(number)? {
            let Some(row) = self.get(seen.folder) else { continue };
            first = first.into_iter().chain([seen.seen]).min();
            // An upload belongs to whose place it lies in.
            let is_upload = row.folder.definition.is_empty();
            let owner = if is_upload { Some(&row.folder.mailbox) } else { owners.get(&row.folder.definition) };
            names.extend(owner.map(String::as_str).filter(|owner| !owner.is_empty()));
        }
        names.sort_unstable();
        names.dedup();
        document.metadata.owner = names.join(", ");
        document.metadata.archived = first.unwrap_or(document.metadata.archived);
        Ok(document)
    }

    /// The commit that archived it, as far as these places tell: the first that noted it in one of them.
    pub fn commit(&self, view: &View, number: Number) -> Result<Option<u64>> {
        if self.owners.is_none() {
            return Ok(view.document_row(number)?.map(|row| row.commit));
        }
        let mut first = None;
        for seen in view.occurrences(number)?.iter().filter(|seen| self.get(seen.folder).is_some()) {
            let row = view.occurrence_row((number, seen.folder, &seen.remote))?;
            first = first.into_iter().chain(row.map(|row| row.commit)).min();
        }
        Ok(first)
    }
}
