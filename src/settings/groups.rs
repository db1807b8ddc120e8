//! Groups of users, to whom mailboxes are given together.

use serde::{Deserialize, Serialize};

use super::users::MailboxId;
use super::{Result, find_json, list_json, same_name, store_at, write_json};
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
    list_json(archive, GROUP)
}

/// The groups that a user is in.
pub fn of(archive: &Archive, user: &str) -> Result<Vec<Group>> {
    Ok(groups(archive)?.into_iter().filter(|group| group.has(user)).collect())
}

/// One group; names are the same in upper and lower case.
pub fn group(archive: &Archive, name: &str) -> Result<Option<Group>> {
    find_json(archive, &key(name))
}

/// Adds a group, or changes the one of this name.
pub fn put_group(archive: &Archive, group: &Group, who: &str) -> Result<()> {
    write_json(archive, &key(&group.name), group, who)
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
