//! What is read of a mailbox after its definition gave way to another one ([`switch`](super::switch)).
//!
//! The same mailbox has another identity then, and is known as the same by its name alone. A name can be given to somebody else
//! later. So it is looked at once, when the mailbox is first seen, and what is read is written down as a right like any other:
//! the matrix shows it and takes it away.

use std::collections::BTreeMap;

use super::users::{ITSELF, MailboxId};
use super::{DEFINITION, Result, definition, groups, read_json, users, write_json};
use crate::archive::Archive;

/// Keys of the settings that say which mailboxes of a definition were looked at: a JSON object of their identities, and the names
/// that they had then, in lower case.
const INHERITED: &str = "inherited/";

/// Mailboxes of one definition that were not looked at yet.
struct Heir {
    definition: String,
    /// The definition in whose place it is.
    before: String,
    /// Those that were looked at.
    known: BTreeMap<String, String>,
    /// Identities and names in lower case, in the order in which they were found.
    mailboxes: Vec<(String, String)>,
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
        heirs.push(Heir { definition, before, known: BTreeMap::new(), mailboxes: Vec::new() });
    }
    if heirs.is_empty() {
        return Ok(heirs);
    }
    for folder in view.folders()?.into_iter().map(|row| row.folder) {
        for heir in heirs.iter_mut().filter(|heir| heir.definition == folder.definition) {
            if heir.mailboxes.iter().all(|(id, _)| *id != folder.mailbox) {
                heir.mailboxes.push((folder.mailbox.clone(), folder.mailbox_name.to_lowercase()));
            }
        }
    }
    drop(view);
    for heir in &mut heirs {
        heir.known = read_json(archive, &key(&heir.definition))?;
        heir.mailboxes.retain(|(id, _)| !heir.known.contains_key(id));
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
    for mut heir in heirs(archive)? {
        // A name leads to the first mailbox that has it: whoever gets it afterwards is somebody else.
        let mut first: Vec<&(String, String)> = Vec::new();
        for found in &heir.mailboxes {
            let is_taken = |name: &String| *name == found.1;
            if !heir.known.values().any(is_taken) && !first.iter().any(|(_, name)| is_taken(name)) {
                first.push(found);
            }
        }
        let inherited = |given: &[MailboxId]| -> Vec<MailboxId> {
            let is_given =
                |name: &str| given.iter().any(|id| id.definition == heir.before && id.mailbox.to_lowercase() == *name);
            let named = first.iter().filter(|(_, name)| is_given(name));
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
        heir.known.extend(heir.mailboxes);
        write_json(archive, &key(&heir.definition), &heir.known, ITSELF)?;
    }
    Ok(())
}
