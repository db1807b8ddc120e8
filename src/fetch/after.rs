//! What happens on the server to messages that are safe: move or delete.
//!
//! Invariants: only a message whose bytes were read back from the archive is touched; what was begun stays due in the
//! ledger until the server has confirmed it; a damaged document keeps no other message from its turn.

use super::FetchError;
use crate::archive::commit::{self, Commit, Entry, FolderNumber, Occurrence, Outcome};
use crate::archive::{Archive, ArchiveError};
use crate::clock;
use crate::settings::{AfterArchiving, Definition};
use crate::source::{After, Done, Folder, MailSource, Mailbox, RemoteId};

/// Messages that the server is told about at once.
const AT_ONCE: usize = 250;

/// Moves or deletes all messages of a folder for which that is due.
pub fn run(
    archive: &Archive,
    definition: &Definition,
    source: &mut dyn MailSource,
    mailbox: &Mailbox,
    folder: &Folder,
    all: &[Folder],
    number: FolderNumber,
) -> Result<(), FetchError> {
    let action = match &definition.after {
        AfterArchiving::Leave => return Ok(()),
        AfterArchiving::Move(target) => After::Move(target.clone()),
        AfterArchiving::Delete => After::Delete,
        AfterArchiving::Purge => After::Purge,
    };
    archive.flush()?;
    let mut damaged = None;
    let mut above = Vec::new();
    loop {
        // Each row is tried once a run: one that the server does not confirm stays due for the next.
        let due = archive.view()?.after_due(number, &above, AT_ONCE)?;
        let Some((last, _)) = due.last() else { break };
        above.clone_from(last);
        let mut ids = Vec::with_capacity(due.len());
        for (remote, document) in due {
            match archive.read(document, &mut std::io::sink()) {
                Ok(()) => ids.push(RemoteId(remote)),
                // It stays on the server, which may hold the only good copy.
                Err(error @ (ArchiveError::DocumentDamaged { .. } | ArchiveError::NoDocument { .. })) => {
                    damaged.get_or_insert(error);
                }
                Err(error) => return Err(error.into()),
            }
        }
        if ids.is_empty() {
            continue;
        }
        let done = source.after(mailbox, folder, &ids, &action)?;
        let note = confirmed(archive, definition, mailbox, all, number, &done)?;
        if !note.ledger.is_empty() {
            archive.commit(note)?;
        }
    }
    match damaged {
        Some(error) => Err(FetchError::NotSafe(error)),
        None => Ok(()),
    }
}

fn confirmed(
    archive: &Archive,
    definition: &Definition,
    mailbox: &Mailbox,
    all: &[Folder],
    number: FolderNumber,
    done: &[Done],
) -> Result<Commit, FetchError> {
    let view = archive.view()?;
    let mut note = Commit::default();
    for done in done {
        let Some(entry) = view.entry(number, &done.id.0)?.filter(|entry| entry.after_due) else { continue };
        // Where the server tells the new place, the message needs no second download there.
        if let Some((name, id)) = &done.moved_to
            && let Some(target) = all.iter().find(|folder| folder.is_named(name))
            && let Some(document) = entry.outcome.document()
        {
            let folder = archive.folder(commit::Folder {
                number: 0,
                definition: definition.name.clone(),
                mailbox: mailbox.id.clone(),
                id: target.id.clone(),
                name: target.name.clone(),
                mailbox_name: mailbox.name.clone(),
            })?;
            if view.entry(folder, &id.0)?.is_none() {
                let now = clock::now();
                let here = view.occurrences(document)?.into_iter().find(|seen| seen.remote == done.id.0);
                let (received, flags) = here.map_or((None, Vec::new()), |seen| (seen.received, seen.flags));
                let remote = id.0.clone();
                note.occurrences.push(Occurrence {
                    document,
                    folder,
                    remote: remote.clone(),
                    seen: now,
                    received,
                    flags,
                });
                note.ledger.push(Entry {
                    folder,
                    remote,
                    outcome: Outcome::Same(document),
                    after_due: false,
                    booked: now,
                });
            }
        }
        note.ledger.push(Entry { after_due: false, ..entry });
    }
    Ok(note)
}
