//! Searches that a person keeps, by name.

use serde::{Deserialize, Serialize};

use super::{Result, read_json, store_at, write_json};
use crate::archive::Archive;
use crate::limits::{QUERY_CHARS, SAVED_SEARCHES};

/// Keys in the settings table, with the name of the user behind it.
const SEARCHES: &str = "searches/";
/// Characters of a name.
pub const NAME_CHARS: usize = 64;

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    pub name: String,
    pub query: String,
}

/// Those of a user, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Searches(pub Vec<Saved>);

/// Why a search was not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotKept {
    /// Name or query are empty, or longer than [`NAME_CHARS`] and [`QUERY_CHARS`].
    Name,
    /// There are [`SAVED_SEARCHES`] already.
    Full,
}

/// Forgets all of a user who is removed.
pub fn forget_user(archive: &Archive, user: &str, who: &str) -> Result<()> {
    if Searches::of(archive, user)?.0.is_empty() { Ok(()) } else { store_at(archive, key(user), None, who) }
}

fn key(user: &str) -> String {
    format!("{SEARCHES}{}", user.to_lowercase())
}

impl Searches {
    pub fn of(archive: &Archive, user: &str) -> Result<Self> {
        read_json(archive, &key(user))
    }

    /// Keeps a search; one of the same name is replaced.
    pub fn keep(archive: &Archive, user: &str, saved: Saved) -> Result<std::result::Result<(), NotKept>> {
        let mut all = Self::of(archive, user)?;
        let fits = |text: &str, most: usize| !text.trim().is_empty() && text.chars().count() <= most;
        if !fits(&saved.name, NAME_CHARS) || !fits(&saved.query, QUERY_CHARS) {
            return Ok(Err(NotKept::Name));
        }
        all.0.retain(|other| other.name != saved.name);
        if all.0.len() >= SAVED_SEARCHES {
            return Ok(Err(NotKept::Full));
        }
        all.0.push(saved);
        all.0.sort_by_key(|saved| saved.name.to_lowercase());
        write_json(archive, &key(user), &all, user).map(Ok)
    }

    /// Forgets the search of this name; says whether there was one.
    pub fn forget(archive: &Archive, user: &str, name: &str) -> Result<bool> {
        let mut all = Self::of(archive, user)?;
        let before = all.0.len();
        all.0.retain(|saved| saved.name != name);
        if all.0.len() == before {
            return Ok(false);
        }
        write_json(archive, &key(user), &all, user).map(|()| true)
    }
}
