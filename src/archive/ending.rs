//! How a document ends: its tombstone in the log, what the catalog forgets then, and which of its records go.
//!
//! Invariants: what ends is named by a durable commit before a byte of it is touched; its number and the hashes of its bytes stay
//! known, so that neither comes back.

use std::io::Write;

use redb::{ReadableTable, WriteTransaction};

use super::commit::{Commit, Ending, Metadata, Number, Tombstone};
use super::error::{ArchiveError, Result};
use super::pack;
use super::read::Packs;
use super::record::{Kind, Stored};
use super::rows::{
    BLOCKED, BY_FIELD, BY_PLACE, BY_TIME, CHANGED, CHANGES, DOCUMENTS, Document, ENDED, ERASE_DUE, Ended, FOLDERS,
    OCCURRENCES, PARTS, PLACE_NUMBERS, PartRow, Row, VARIANTS, VariantRow, decode, encode, field_keys, folder_row, row,
};
use super::split::{FRAME_HEAD, Plan};
use super::view::View;
use crate::hash::Sha256;
use crate::limits::SPLIT_PLAN;

/// The catalog forgets what ended, and notes which records are to be taken out of their packs.
pub(super) fn apply(txn: &WriteTransaction, commit: &Commit) -> Result<()> {
    commit.tombstones.iter().try_for_each(|tombstone| end(txn, commit, tombstone))
}

fn end(txn: &WriteTransaction, commit: &Commit, tombstone: &Tombstone) -> Result<()> {
    let number = tombstone.number;
    let mut due = txn.open_table(ERASE_DUE)?;
    let mut erase = |pack: u32, offset: Option<u64>| -> Result<()> {
        if let Some(offset) = offset {
            due.insert((pack, offset), commit.sequence)?;
        }
        Ok(())
    };
    let document = txn.open_table(DOCUMENTS)?.remove(number)?.map(|bytes| decode("documents", bytes.value()));
    // Where the log is damaged it may never have been known.
    let Some(document): Option<Row<Document>> = document.transpose()? else { return Ok(()) };
    let document = document.value;
    let ended = Ended { sha256: document.sha256, size: document.size, why: tombstone.why, time: commit.time };
    txn.open_table(ENDED)?.insert(number, row(commit.sequence, &ended).as_slice())?;
    erase(document.pack, document.offset)?;
    erase(document.pack, document.record)?;
    txn.open_table(BY_TIME)?.remove((document.time, number))?;
    txn.open_table(BLOCKED)?.remove(number)?;

    let change = txn.open_table(CHANGES)?.remove(number)?.map(|bytes| decode("changes", bytes.value())).transpose()?;
    let metadata = change.map_or(document.metadata, |change: Row<Metadata>| change.value);
    let mut by_field = txn.open_table(BY_FIELD)?;
    for (name, value) in field_keys(&metadata) {
        by_field.remove((name, value.as_str(), number))?;
    }
    let mut changed = txn.open_table(CHANGED)?;
    for item in changed.extract_from_if((number, 0)..=(number, u64::MAX), |_, _| true)? {
        let (pack, offset) = item?.1.value();
        erase(pack, offset)?;
    }
    let mut variants = txn.open_table(VARIANTS)?;
    for item in variants.extract_from_if((number, &[0; 32])..=(number, &[0xff; 32]), |_, _| true)? {
        let variant = decode::<Row<VariantRow>>("variants", item?.1.value())?.value;
        erase(variant.pack, variant.offset)?;
    }

    let folders = txn.open_table(FOLDERS)?;
    let mut by_place = txn.open_table(BY_PLACE)?;
    let mut place_numbers = txn.open_table(PLACE_NUMBERS)?;
    let mut occurrences = txn.open_table(OCCURRENCES)?;
    for item in occurrences.extract_from_if((number, 0, &[][..])..(number + 1, 0, &[][..]), |_, _| true)? {
        if let Some(folder) = folder_row(&folders, item?.0.value().1)? {
            by_place.remove((folder.place, document.time, number))?;
            place_numbers.remove((folder.place, number))?;
        }
    }

    let mut parts = txn.open_table(PARTS)?;
    for hash in &tombstone.parts {
        let Some(bytes) = parts.get(&hash.0)?.map(|bytes| bytes.value().to_vec()) else { continue };
        let mut part: Row<PartRow> = decode("parts", &bytes)?;
        part.value.users = part.value.users.saturating_sub(1);
        if part.value.users == 0 {
            parts.remove(&hash.0)?;
            erase(part.value.pack, part.value.offset)?;
        } else {
            parts.insert(&hash.0, encode(&part).as_slice())?;
        }
    }
    Ok(())
}

/// What a tombstone says of document `number` as it is now. `released` are how many users less each part has already by others of
/// the same commit. A record that is damaged is not named: it stays where it is, and `verify` says so.
pub(super) fn tombstone(
    packs: Packs<'_>,
    view: &View,
    number: Number,
    why: Ending,
    released: &mut std::collections::HashMap<Sha256, u64>,
) -> Result<Tombstone> {
    let document = view.document_row(number)?.ok_or(ArchiveError::NoDocument { number })?.value;
    let mut places = vec![(document.pack, document.offset), (document.pack, document.record)];
    places.extend(view.changed(number)?);
    for sha256 in view.variants(number)? {
        places.extend(view.variant_row(number, &sha256)?.map(|row| (row.value.pack, row.value.offset)));
    }
    let (mut records, mut parts) = (Vec::new(), Vec::new());
    for (pack, offset) in places {
        let Some(offset) = offset else { continue };
        if let Some((stored, plan)) = look(packs, pack, offset)? {
            records.push(stored.sha256);
            // Once per message, as the commit that brought it counted them.
            let mut hashes: Vec<Sha256> = plan.parts.iter().map(|part| part.sha256).collect();
            hashes.sort_unstable();
            hashes.dedup();
            parts.extend(hashes);
        }
    }
    for hash in &parts {
        let Some(part) = view.part_row(hash)?.map(|row| row.value) else { continue };
        let gone = released.entry(*hash).or_default();
        *gone += 1;
        if *gone == part.users
            && let Some(offset) = part.offset
            && let Some((stored, _)) = look(packs, part.pack, offset)?
        {
            records.push(stored.sha256);
        }
    }
    Ok(Tombstone { number, why, records, parts })
}

/// The stored bytes of a record that is whole, and its plan where it is a skeleton.
fn look(packs: Packs<'_>, number: u32, offset: u64) -> Result<Option<(Stored, Plan)>> {
    let Ok(closed) = pack::at(packs.folder, packs.archive, number, offset)? else { return Ok(None) };
    let mut head = Head { bytes: Vec::new(), is_kept: closed.kind() == Kind::Skeleton };
    Ok(closed.open(packs.keys, &mut head)?.ok().map(|whole| (whole.stored, head.plan())))
}

/// Keeps the beginning of a payload, as long as a plan can be.
struct Head {
    bytes: Vec<u8>,
    is_kept: bool,
}

impl Head {
    fn plan(&self) -> Plan {
        let len = Plan::frame_len(&self.bytes).ok().flatten();
        let plan = len.and_then(|len| Plan::of_frame(self.bytes.get(..len)?).ok());
        plan.unwrap_or_default()
    }
}

impl Write for Head {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.is_kept {
            let room = (FRAME_HEAD + SPLIT_PLAN).saturating_sub(self.bytes.len());
            self.bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
