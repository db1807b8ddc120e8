//! Compilations (Zusammenstellungen): public lists of chosen documents under a title, each at a short address of its own.

use serde::{Deserialize, Serialize};

use super::users::User;
use super::{Result, find_json, list_json, same_name, store_at, to_json};
use crate::archive::Archive;
use crate::archive::commit::{Commit, Event, Happening, Number, Setting};
use crate::clock;

/// Keys of compilations in the settings table.
const COMPILATION: &str = "compilation/";
/// Characters of an address.
pub const NAME_CHARS: usize = 60;

/// One of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Compilation {
    /// Its address is `/c/NAME`.
    pub name: String,
    pub title: String,
    pub introduction: String,
    /// In their order, each once. What is not published any more is not shown.
    pub documents: Vec<Number>,
    pub is_published: bool,
    /// Name of the user who made it, and when that user was added: somebody else who gets the name does not get this.
    pub owner: String,
    pub owner_created: i64,
    /// Unix seconds.
    pub created: i64,
}

impl Compilation {
    pub fn is_of(&self, user: &User) -> bool {
        same_name(&self.owner, &user.name) && self.owner_created == user.created
    }

    /// Whether an address may be called so: it is read out on the telephone.
    pub fn is_name(name: &str) -> bool {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        (1..=NAME_CHARS).contains(&name.len())
            && name.chars().all(fits)
            && !name.starts_with('-')
            && !name.ends_with('-')
    }

    /// An address made from a title.
    pub fn name_of(title: &str) -> String {
        let mut name = String::new();
        for c in title.to_lowercase().chars() {
            let plain = match c {
                'ä' => "ae",
                'ö' => "oe",
                'ü' => "ue",
                'ß' => "ss",
                'à' | 'á' | 'â' => "a",
                'è' | 'é' | 'ê' | 'ë' => "e",
                'ì' | 'í' | 'î' => "i",
                'ò' | 'ó' | 'ô' => "o",
                'ù' | 'ú' | 'û' => "u",
                'ç' => "c",
                c if c.is_ascii_alphanumeric() => {
                    name.push(c);
                    continue;
                }
                _ if name.is_empty() || name.ends_with('-') => continue,
                _ => "-",
            };
            name.push_str(plain);
        }
        name.truncate(NAME_CHARS);
        name.trim_end_matches('-').to_owned()
    }
}

/// All of them, the newest first.
pub fn compilations(archive: &Archive) -> Result<Vec<Compilation>> {
    let mut all: Vec<Compilation> = list_json(archive, COMPILATION)?;
    all.sort_by(|a, b| (b.created, &a.name).cmp(&(a.created, &b.name)));
    Ok(all)
}

pub fn compilation(archive: &Archive, name: &str) -> Result<Option<Compilation>> {
    find_json(archive, &key(name))
}

/// Adds one, or changes the one at `was`, which may move to another address.
pub fn put_compilation(archive: &Archive, was: Option<&str>, new: &Compilation, who: &str) -> Result<()> {
    let json = to_json(&new.name, new)?;
    let moved = was.filter(|was| *was != new.name);
    let old = moved.map(|was| Setting { key: key(was), value: None });
    let keys: Vec<String> = moved.map(key).into_iter().chain([key(&new.name)]).collect();
    let event = |key| Event { time: clock::now(), who: who.into(), what: Happening::SettingChanged(key) };
    // In one commit: at no moment it is at two addresses, or at none.
    Ok(archive.commit(Commit {
        settings: old.into_iter().chain([Setting { key: key(&new.name), value: Some(json) }]).collect(),
        journal: keys.into_iter().map(event).collect(),
        ..Commit::default()
    })?)
}

pub fn remove_compilation(archive: &Archive, name: &str, who: &str) -> Result<()> {
    store_at(archive, key(name), None, who)
}

fn key(name: &str) -> String {
    format!("{COMPILATION}{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_short_words() {
        for (title, name) in [
            ("Frühlingsbrief 2026", "fruehlingsbrief-2026"),
            ("  Über uns: die Übersicht!  ", "ueber-uns-die-uebersicht"),
            ("Café & Co.", "cafe-co"),
            ("日本", ""),
        ] {
            assert_eq!(Compilation::name_of(title), name);
            assert!(name.is_empty() || Compilation::is_name(name));
        }
        assert!(Compilation::is_name(&Compilation::name_of(&"wort ".repeat(40))));
        for bad in ["", "-a", "a-", "A", "a b", "a/b", "ä", "..", &"x".repeat(61)] {
            assert!(!Compilation::is_name(bad), "{bad}");
        }
    }
}
