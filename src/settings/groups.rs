//! Groups of users, to whom mailboxes are given together.

use serde::{Deserialize, Serialize};

use super::users::MailboxId;
use super::{Result, SettingsError, same_name, store_at};
use crate::archive::Archive;

/// Keys of groups in the settings table.
const GROUP: &str = "group/";
/// Characters of a group's name.
pub const NAME_CHARS: usize = 64;

/// Some users.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Group {
    /// Never changes: definitions refer to it. No user has it too.
    pub name: String,
    /// Names of users.
    pub members: Vec<String>,
    /// Whose documents every member reads.
    pub mailboxes: Vec<MailboxId>,
}

impl Group {
    pub fn has(&self, user: &str) -> bool {
        self.members.iter().any(|member| same_name(member, user))
    }

    /// Whether a group may be called so.
    pub fn is_name(name: &str) -> bool {
        let fits = |c: char| c.is_alphanumeric() || " ._-@+".contains(c);
        name.trim() == name
            && name.chars().count() <= NAME_CHARS
            && name.contains(char::is_alphanumeric)
            && name.chars().all(fits)
    }
}

/// All groups, by name.
pub fn groups(archive: &Archive) -> Result<Vec<Group>> {
    let stored = archive.view()?.settings(GROUP)?;
    stored.iter().map(|(key, value)| open(key, value)).collect()
}

/// The groups that a user is in.
pub fn of(archive: &Archive, user: &str) -> Result<Vec<Group>> {
    Ok(groups(archive)?.into_iter().filter(|group| group.has(user)).collect())
}

/// One group; names are the same in upper and lower case.
pub fn group(archive: &Archive, name: &str) -> Result<Option<Group>> {
    let Some(row) = archive.view()?.setting_row(&key(name))? else { return Ok(None) };
    row.value.value.as_deref().map(|value| open(&row.value.key, value)).transpose()
}

/// Adds a group, or changes the one of this name.
pub fn put_group(archive: &Archive, group: &Group, who: &str) -> Result<()> {
    let json = serde_json::to_vec(group)
        .map_err(|error| SettingsError::Wrong { place: group.name.clone(), what: error.to_string() })?;
    store_at(archive, key(&group.name), Some(json), who)
}

/// Removes a group. What its members read by it they read no longer.
pub fn remove_group(archive: &Archive, name: &str, who: &str) -> Result<()> {
    store_at(archive, key(name), None, who)
}

/// Takes a user out of every group: whoever gets the name later is in none of them.
pub fn forget_member(archive: &Archive, user: &str, who: &str) -> Result<()> {
    for mut group in of(archive, user)? {
        group.members.retain(|member| !same_name(member, user));
        put_group(archive, &group, who)?;
    }
    Ok(())
}

fn key(name: &str) -> String {
    format!("{GROUP}{}", name.to_lowercase())
}

fn open(key: &str, value: &[u8]) -> Result<Group> {
    serde_json::from_slice(value).map_err(|error| SettingsError::Stored { name: key.into(), detail: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_names() {
        for good in ["Verkauf", "Team Zürich", "a", "2. Stock"] {
            assert!(Group::is_name(good), "{good}");
        }
        for bad in ["", " a", "a ", "a/b", "..", "a\nb", &"x".repeat(65)] {
            assert!(!Group::is_name(bad), "{bad}");
        }
    }
}
