//! What is read of a mailbox after its definition gave way to another one ([`switch`](super::switch)).
//!
//! The same mailbox has another identity then, and is known as the same by its name alone. A name can be given to somebody else
//! later. So it is looked at once, when the mailbox is first seen, and what is read is written down as a right like any other:
//! the matrix shows it and takes it away.

use std::collections::{BTreeMap, BTreeSet};

use super::users::{ITSELF, MailboxId};
use super::{DEFINITION, Result, definition, groups, read_json, users, write_json};
use crate::archive::Archive;

/// Keys of the settings that say which mailboxes of a definition were looked at: a JSON array of their identities.
const INHERITED: &str = "inherited/";

/// Mailboxes of one definition that were not looked at yet.
struct Heir {
    definition: String,
    /// The definition in whose place it is.
    before: String,
    /// Identities and names.
    mailboxes: BTreeMap<String, String>,
}

fn key(definition: &str) -> String {
    format!("{INHERITED}{definition}")
}

fn heirs(archive: &Archive) -> Result<Vec<Heir>> {
    let view = archive.view()?;
    let mut heirs = Vec::new();
    for (name, value) in view.settings(DEFINITION)? {
        let Some(before) = definition::known(&value).and_then(|known| known.succeeds) else { continue };
        let definition = name.strip_prefix(DEFINITION).unwrap_or_default().to_owned();
        heirs.push(Heir { definition, before, mailboxes: BTreeMap::new() });
    }
    if heirs.is_empty() {
        return Ok(heirs);
    }
    for folder in view.folders()?.into_iter().map(|row| row.folder) {
        for heir in heirs.iter_mut().filter(|heir| heir.definition == folder.definition) {
            heir.mailboxes.entry(folder.mailbox.clone()).or_insert_with(|| folder.mailbox_name.clone());
        }
    }
    drop(view);
    for heir in &mut heirs {
        let known: BTreeSet<String> = read_json(archive, &key(&heir.definition))?;
        heir.mailboxes.retain(|id, _| !known.contains(id));
    }
    heirs.retain(|heir| !heir.mailboxes.is_empty());
    Ok(heirs)
}

/// Whether a mailbox was first seen that has to be looked at.
pub fn is_due(archive: &Archive) -> Result<bool> {
    Ok(!heirs(archive)?.is_empty())
}

/// Gives whoever reads a mailbox of the definition before the one of the same name in its place. Nobody else changes users and
/// groups meanwhile.
pub fn settle(archive: &Archive) -> Result<()> {
    for heir in heirs(archive)? {
        let inherited = |given: &[MailboxId]| -> Vec<MailboxId> {
            let is_given = |name: &str| {
                given.iter().any(|id| id.definition == heir.before && id.mailbox.eq_ignore_ascii_case(name))
            };
            let named = heir.mailboxes.iter().filter(|(_, name)| is_given(name));
            let ids = named.map(|(id, _)| MailboxId { definition: heir.definition.clone(), mailbox: id.clone() });
            ids.filter(|id| !given.contains(id)).collect()
        };
        for mut user in users::users(archive)? {
            let new = inherited(&user.mailboxes);
            if !new.is_empty() {
                user.mailboxes.extend(new);
                users::put_user(archive, &user, ITSELF)?;
            }
        }
        for mut group in groups::groups(archive)? {
            let new = inherited(&group.mailboxes);
            if !new.is_empty() {
                group.mailboxes.extend(new);
                groups::put_group(archive, &group, ITSELF)?;
            }
        }
        // Last: what was begun before a kill is done again.
        let key = key(&heir.definition);
        let mut known: BTreeSet<String> = read_json(archive, &key)?;
        known.extend(heir.mailboxes.into_keys());
        write_json(archive, &key, &known, ITSELF)?;
    }
    Ok(())
}
