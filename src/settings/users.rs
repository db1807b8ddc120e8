//! Who may log in, and whose mail they may read.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::document_fields;
use super::groups::{self, Group};
use super::password::Password;
use super::searches;
use super::{Result, find_json, list_json, same_name, store_at, write_json};
use crate::archive::Archive;
use crate::archive::commit::FolderNumber;
use crate::archive::view::{Reads, View};
use crate::clock;
use crate::language::Lang;

/// Keys of users in the settings table.
const USER: &str = "user/";
/// Keys of names that users had who were removed; the value is when, as decimal Unix seconds.
const GONE: &str = "gone/";
/// Who works at the box or on its command line, as the journal writes it.
pub const CONSOLE: &str = "console";
/// The archive itself, likewise.
pub const ITSELF: &str = "archivista";
/// Characters of a user's name, and the fewest of a password.
pub const NAME_CHARS: usize = 64;
pub const PASSWORD_CHARS: usize = 10;
/// A longer one only costs time.
pub const PASSWORD_MOST: usize = 200;

/// What somebody may do beside reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Settings and users; reads no mail by that.
    Administrator,
    /// Reads everything, changes nothing; each access stands in the journal.
    Auditor,
    User,
}

/// A mailbox by its identity: definition, and account or Entra object id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MailboxId {
    pub definition: String,
    pub mailbox: String,
}

/// A person who may log in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Never changes: documents and the journal refer to it.
    pub name: String,
    pub role: Role,
    /// An administrator who may also read everything: the first one gets it at setup, and it can be taken away.
    #[serde(default)]
    pub reads_all: bool,
    #[serde(default)]
    pub mailboxes: Vec<MailboxId>,
    /// `None`: that of the archive.
    #[serde(default)]
    pub language: Option<Lang>,
    pub password: Password,
    #[serde(default)]
    pub inactive: bool,
    /// Unix seconds.
    pub created: i64,
}

impl User {
    /// Whether the user reads documents of all mailboxes.
    pub fn reads_everything(&self) -> bool {
        self.role == Role::Auditor || (self.role == Role::Administrator && self.reads_all)
    }

    /// The mailboxes that the user may read, as the catalog numbers them: those given to it or to one of its groups, those of
    /// definitions that belong to it or to one of its groups, and its own uploads. The one place where reading is decided.
    pub fn reads(&self, archive: &Archive, view: &View) -> Result<Reads> {
        if self.reads_everything() {
            return Ok(Reads::All);
        }
        let groups = groups::of(archive, &self.name)?;
        let given: BTreeSet<&MailboxId> =
            self.mailboxes.iter().chain(groups.iter().flat_map(|group| &group.mailboxes)).collect();
        let owners = super::owners(view)?;
        let mut places = BTreeSet::<FolderNumber>::new();
        for row in view.folders()? {
            let folder = row.folder;
            if folder.definition.is_empty() && folder.mailbox == self.name {
                places.insert(row.place);
                continue;
            }
            let is_owned = owners.get(&folder.definition).is_some_and(|owner| self.owns(owner, &groups));
            let id = MailboxId { definition: folder.definition, mailbox: folder.mailbox };
            if is_owned || given.contains(&id) {
                places.insert(row.place);
            }
        }
        Ok(Reads::Places(places.into_iter().collect()))
    }

    /// Whether what has this owner belongs to the user, or to one of these groups of it.
    pub fn owns<'a>(&self, owner: &str, groups: impl IntoIterator<Item = &'a Group>) -> bool {
        let is_owner = |name: &str| !owner.is_empty() && same_name(owner, name);
        is_owner(&self.name) || groups.into_iter().any(|group| is_owner(&group.name))
    }

    /// Whether somebody may be called so. The journal names others than users too: visitors by their addresses, whoever
    /// works at the box, and the archive itself.
    pub fn is_name(name: &str) -> bool {
        let fits = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '@' | '+');
        let is_of_others =
            [CONSOLE, ITSELF].iter().any(|other| same_name(name, other)) || name.parse::<IpAddr>().is_ok();
        !name.is_empty() && name.chars().count() <= NAME_CHARS && name.chars().all(fits) && !is_of_others
    }
}

/// All users, by name.
pub fn users(archive: &Archive) -> Result<Vec<User>> {
    list_json(archive, USER)
}

/// One user; names are the same in upper and lower case.
pub fn user(archive: &Archive, name: &str) -> Result<Option<User>> {
    find_json(archive, &key(name))
}

/// Adds a user, or changes the one of this name.
pub fn put_user(archive: &Archive, user: &User, who: &str) -> Result<()> {
    write_json(archive, &key(&user.name), user, who)
}

/// Whether somebody had this name and was removed: lines of the journal would be taken for those of whoever gets it next.
pub fn was_removed(archive: &Archive, name: &str) -> Result<bool> {
    Ok(archive.view()?.setting_row(&gone(name))?.is_some())
}

/// Removes a user, its tokens and those that it made for others, its places in groups and its rights to fields. Uploaded
/// documents and compilations stay, and so does the name: nobody gets it again.
pub fn remove_user(archive: &Archive, name: &str, who: &str) -> Result<()> {
    super::tokens::revoke_all(archive, name, who)?;
    groups::forget_member(archive, name, who)?;
    document_fields::forget_user(archive, name, who)?;
    searches::forget_user(archive, name, who)?;
    // First, so that nobody gets the name in between.
    store_at(archive, gone(name), Some(clock::now().to_string().into_bytes()), who)?;
    store_at(archive, key(name), None, who)
}

fn gone(name: &str) -> String {
    format!("{GONE}{}", name.to_lowercase())
}

fn key(name: &str) -> String {
    format!("{USER}{}", name.to_lowercase())
}
