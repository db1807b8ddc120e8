//! At a switch of module, mail that is there already becomes no second document: what differs from a document of the same
//! mailbox only as another server renders it is kept as a *variant* of that document.

use std::io::Read;

use crate::archive::commit::{FolderNumber, Metadata, Number};
use crate::archive::view::View;
use crate::archive::{Archive, ArchiveError};
use crate::hash::Sha256;
use crate::ingest::Message;
use crate::ingest::variant::essence;
use crate::limits::ESSENCE;
use crate::pulse;
use crate::source::Mailbox;

/// Documents that are compared with one message.
const CANDIDATES: usize = 20;

/// The documents of one mailbox as the definition before archived it, by what makes a message worth comparing. 16 bytes each.
pub struct Variants {
    /// Sorted.
    hints: Vec<(u64, Number)>,
}

impl Variants {
    /// Reads what definition `before` archived of this mailbox.
    pub fn of(archive: &Archive, before: &str, mailbox: &Mailbox) -> Result<Self, ArchiveError> {
        let folders = folders(&archive.view()?, before, mailbox)?;
        let mut hints = Vec::new();
        if !folders.is_empty() {
            archive.documents::<ArchiveError>(|view, number, document| {
                pulse::beat_own();
                let seen = view.occurrences(number)?.iter().any(|seen| folders.contains(&seen.folder));
                if seen && document.size <= ESSENCE as u64 {
                    hints.push((hint(&document.metadata), number));
                }
                Ok(true)
            })?;
        }
        hints.sort_unstable();
        Ok(Self { hints })
    }

    /// The document that this message is another rendering of.
    pub fn find(
        &self,
        archive: &Archive,
        metadata: &Metadata,
        message: &mut Message,
    ) -> Result<Option<Number>, ArchiveError> {
        let hint = hint(metadata);
        let from = self.hints.partition_point(|(other, _)| *other < hint);
        let candidates: Vec<Number> = self.hints[from..]
            .iter()
            .take_while(|(other, _)| *other == hint)
            .take(CANDIDATES)
            .map(|(_, number)| *number)
            .collect();
        if candidates.is_empty() || message.size > ESSENCE as u64 {
            return Ok(None);
        }
        let mut raw = Vec::new();
        let spool = ArchiveError::io(&archive.paths().spool);
        message.bytes.reader().and_then(|mut bytes| bytes.read_to_end(&mut raw)).map_err(spool)?;
        let Some(wanted) = essence(&raw) else { return Ok(None) };
        for number in candidates {
            raw.clear();
            match archive.read(number, &mut raw) {
                Ok(()) if essence(&raw) == Some(wanted) => return Ok(Some(number)),
                // A damaged document is no measure for another one.
                Ok(()) | Err(ArchiveError::DocumentDamaged { .. } | ArchiveError::NoDocument { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }
}

/// Folders of this mailbox in the definition before: its account was called as the mailbox is, or as the part before the @.
fn folders(view: &View, before: &str, mailbox: &Mailbox) -> Result<Vec<FolderNumber>, ArchiveError> {
    let local = mailbox.name.split('@').next().unwrap_or_default();
    let is_it = |name: &str| name.eq_ignore_ascii_case(&mailbox.name) || name.eq_ignore_ascii_case(local);
    let rows = view.folders()?.into_iter().map(|row| row.folder);
    Ok(rows.filter(|row| row.definition == before && is_it(&row.mailbox)).map(|row| row.number).collect())
}

/// Equal for renderings of one message; mostly different otherwise.
fn hint(metadata: &Metadata) -> u64 {
    let text = if metadata.message_id.is_empty() {
        format!("{}\0{:?}", metadata.title, metadata.date)
    } else {
        metadata.message_id.clone()
    };
    let Sha256(hash) = Sha256::of(text.as_bytes());
    u64::from_be_bytes([hash[0], hash[1], hash[2], hash[3], hash[4], hash[5], hash[6], hash[7]])
}
