//! All that an administrator can set: typed, kept in the archive's log, secrets sealed with the archive key.
//!
//! Rules of the room: only this room reads or writes settings. A definition comes in from a file (`definition_file`) or a
//! page, is kept by name, and its name never changes: the ledger and every occurrence refer to it. What is wrong with one is a
//! `mistake`, with a sentence in both languages.
//!
//! - `definition`, `o365`: one source; `users`, `groups`, `password`, `tokens`: who logs in and reads what, `rescue`: the way back in; `administration`: the archive as
//!   a whole, `monitoring`: who watches it, `networks`: from where; `compilations`: public lists of documents
//! - `succession`: what is read of a mailbox after a switch
//! - `retention`: how long documents are kept, `holds`: what is kept longer, `erasures`: what is to go earlier, `retention_passes`: what was done
//! - `fetching`: how much fetching may disturb, `hours`: times of the week
//! - `sign_in`: accounts without a password; `providers`: where whose mail lies; `account_list` with `csv`: a pasted list of mailboxes
//! - `recovery_sheet`: whether the key of the archive is in somebody's safe
//! - `verifications`: what the last looks at the whole archive found
//! - `searches`: what a person looks for again and again
//! - `document_fields`: the fields of documents that people defined, `field_value`: what stands in one

pub mod account_list;
pub mod administration;
pub mod compilations;
pub mod csv;
pub mod definition;
pub mod definition_file;
pub mod document_fields;
pub mod erasures;
pub mod fetching;
pub mod field_value;
pub mod groups;
pub mod holds;
pub mod hours;
pub mod mistake;
pub mod monitoring;
pub mod networks;
pub mod o365;
pub mod password;
pub mod providers;
pub mod recovery_sheet;
pub mod rescue;
pub mod retention;
pub mod retention_passes;
pub mod searches;
pub mod sign_in;
pub mod succession;
pub mod tokens;
pub mod users;
pub mod verifications;

pub use definition::{Account, AfterArchiving, Definition, Encryption, FieldMap, Imap, Module, Secret};
pub use o365::O365;
pub use sign_in::SignIn;

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::archive::commit::{Commit, Event, Happening, Setting};
use crate::archive::view::View;
use crate::archive::{Archive, ArchiveError};
use crate::clock;

/// Keys of definitions in the settings table.
const DEFINITION: &str = "definition/";

/// What is wrong with a setting that somebody entered.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    #[error("{place}: {what}")]
    Wrong { place: String, what: String },
    #[error("there is no definition {name:?}; {known}")]
    NoDefinition { name: String, known: String },
    #[error("definition {name:?} is stored in a form that this release does not read: {detail}")]
    Stored { name: String, detail: String },
    #[error(transparent)]
    Archive(#[from] ArchiveError),
}

/// Result of everything in this room.
pub type Result<T> = std::result::Result<T, SettingsError>;

/// What is stored under each definition's name, by name.
fn stored(archive: &Archive) -> Result<Vec<(String, Vec<u8>)>> {
    let stored = archive.view()?.settings(DEFINITION)?;
    Ok(stored.into_iter().filter_map(|(key, value)| Some((key.strip_prefix(DEFINITION)?.to_string(), value))).collect())
}

/// All definitions, by name, with their secrets opened. One that cannot be opened does not keep the others.
pub fn definitions(archive: &Archive) -> Result<Vec<Result<Definition>>> {
    let open = |(name, value): (String, Vec<u8>)| Definition::open(&name, &value, archive.keys());
    Ok(stored(archive)?.into_iter().map(open).collect())
}

/// One definition.
pub fn definition(archive: &Archive, name: &str) -> Result<Definition> {
    let row = archive.view()?.setting_row(&format!("{DEFINITION}{name}"))?;
    match row.and_then(|row| row.value.value) {
        Some(value) => Definition::open(name, &value, archive.keys()),
        None => Err(unknown(name, &stored(archive)?)),
    }
}

fn unknown(name: &str, all: &[(String, Vec<u8>)]) -> SettingsError {
    let names: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
    let known = match names.as_slice() {
        [] => "none is defined yet, add one with `source add FILE.toml`".to_string(),
        names => format!("defined are: {}", names.join(", ")),
    };
    SettingsError::NoDefinition { name: name.into(), known }
}

/// Adds a definition, or changes the one with this name. Returns whether it is new.
pub fn put(archive: &Archive, definition: &Definition, who: &str) -> Result<bool> {
    let is_new = stored(archive)?.iter().all(|(name, _)| *name != definition.name);
    let mut definition = definition.clone();
    let old = if is_new { None } else { self::definition(archive, &definition.name).ok() };
    if let Some(old) = &old {
        // Not in the file that a person writes, and not to be lost with every change of it.
        definition.succeeds = definition.succeeds.or_else(|| old.succeeds.clone());
        // What has ended is taken up again on purpose only ([`end`]).
        definition.ended = old.ended;
    }
    let value = definition.seal(archive.keys())?;
    let old = old.as_ref().map(|old| &old.module);
    let gone = sign_in::gone(archive, &definition.name, old, Some(&definition.module))?;
    store(archive, &definition.name, Some(value), gone, who)?;
    Ok(is_new)
}

/// Ends a definition: nothing is fetched any more, what it archived stays for good. Or takes an ended one up again.
pub fn end(archive: &Archive, name: &str, is_ended: bool, who: &str) -> Result<()> {
    let mut definition = definition(archive, name)?;
    if definition.ended == is_ended {
        return Ok(());
    }
    definition.ended = is_ended;
    let value = definition.seal(archive.keys())?;
    store(archive, name, Some(value), Vec::new(), who)
}

/// To whom definitions belong, by their names, as the catalog has it: for whoever needs nothing else of them.
pub fn owners(view: &View) -> crate::archive::error::Result<BTreeMap<String, String>> {
    let owner = |(key, value): (String, Vec<u8>)| {
        Some((key.strip_prefix(DEFINITION)?.to_owned(), definition::known(&value)?.owner))
    };
    Ok(view.settings(DEFINITION)?.into_iter().filter_map(owner).collect())
}

/// Names of the definitions that belong to this user or group.
pub fn owned_by(archive: &Archive, owner: &str) -> Result<Vec<String>> {
    let all = definitions(archive)?.into_iter().flatten();
    Ok(all.filter(|definition| same_name(&definition.owner, owner)).map(|definition| definition.name).collect())
}

/// Names of users and groups are the same in upper and lower case.
pub fn same_name(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

/// Switches from a definition of module Mail to one of module O365: the first becomes inactive and keeps its archive, and
/// mail that it archived becomes no second document in the second.
pub fn switch(archive: &Archive, from: &str, to: &str, who: &str) -> Result<()> {
    let mut old = definition(archive, from)?;
    let mut new = definition(archive, to)?;
    let wrong = |name: &str, what: &str| SettingsError::Wrong { place: name.into(), what: what.into() };
    if !matches!(old.module, Module::Imap(_)) {
        return Err(wrong(from, "is not of module imap: `switch NAME_IMAP NAME_O365`"));
    }
    if !matches!(new.module, Module::O365(_)) {
        return Err(wrong(to, "is not of module o365: `switch NAME_IMAP NAME_O365`"));
    }
    if new.ended {
        return Err(wrong(to, "has ended: take it up again first"));
    }
    // First who knows what is there already, then who is silent: in between, a kill costs nothing.
    new.succeeds = Some(from.into());
    new.inactive = false;
    put(archive, &new, who)?;
    old.inactive = true;
    put(archive, &old, who)?;
    Ok(())
}

/// Removes a definition. What it archived stays, and so does its ledger: added again under its name, it goes on.
pub fn remove(archive: &Archive, name: &str, who: &str) -> Result<()> {
    let all = stored(archive)?;
    if all.iter().all(|(other, _)| other != name) {
        return Err(unknown(name, &all));
    }
    store(archive, name, None, sign_in::gone(archive, name, None, None)?, who)
}

/// Stores a definition, or takes it away, in one commit with `others`.
fn store(archive: &Archive, name: &str, value: Option<Vec<u8>>, others: Vec<Setting>, who: &str) -> Result<()> {
    let key = format!("{DEFINITION}{name}");
    let event = Event { time: clock::now(), who: who.into(), what: Happening::SettingChanged(key.clone()) };
    let settings = [vec![Setting { key, value }], others].concat();
    Ok(archive.commit(Commit { settings, journal: vec![event], ..Commit::default() })?)
}

fn open_json<T: DeserializeOwned>(key: &str, json: &[u8]) -> Result<T> {
    serde_json::from_slice(json).map_err(|error| SettingsError::Stored { name: key.into(), detail: error.to_string() })
}

/// What is stored as JSON under a key of its own, if anything is.
fn find_json<T: DeserializeOwned>(archive: &Archive, key: &str) -> Result<Option<T>> {
    let row = archive.view()?.setting_row(key)?;
    row.and_then(|row| row.value.value).map(|json| open_json(key, &json)).transpose()
}

/// The same; the default where nothing is.
fn read_json<T: DeserializeOwned + Default>(archive: &Archive, key: &str) -> Result<T> {
    Ok(find_json(archive, key)?.unwrap_or_default())
}

/// All that is stored as JSON under keys that begin so, by key.
fn list_json<T: DeserializeOwned>(archive: &Archive, prefix: &str) -> Result<Vec<T>> {
    archive.view()?.settings(prefix)?.iter().map(|(key, json)| open_json(key, json)).collect()
}

fn to_json(place: &str, value: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|error| SettingsError::Wrong { place: place.into(), what: error.to_string() })
}

fn write_json(archive: &Archive, key: &str, value: &impl Serialize, who: &str) -> Result<()> {
    store_at(archive, key.into(), Some(to_json(key, value)?), who)
}

fn store_at(archive: &Archive, key: String, value: Option<Vec<u8>>, who: &str) -> Result<()> {
    let event = Event { time: clock::now(), who: who.into(), what: Happening::SettingChanged(key.clone()) };
    let setting = Setting { key, value };
    Ok(archive.commit(Commit { settings: vec![setting], journal: vec![event], ..Commit::default() })?)
}
