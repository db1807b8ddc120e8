//! Requests for the erasure of a document before its term: one person asks, another one agrees or refuses.

use serde::{Deserialize, Serialize};

use super::tokens::Token;
use super::users::{Role, User};
use super::{Result, find_json, list_json, same_name, to_json, users};
use crate::archive::Archive;
use crate::archive::commit::{Block, Commit, Ending, Event, Happening, Number, Setting};
use crate::clock;

/// Keys of requests in the settings table.
pub(super) const ERASURE: &str = "erasure/";
/// Characters of a reason.
pub const REASON_CHARS: usize = 1000;

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erasure {
    pub number: Number,
    /// Name of the user who asks.
    pub who: String,
    /// Who made the token by which it was asked for, where that is somebody else: this person does not agree either.
    #[serde(default)]
    pub maker: String,
    /// Unix seconds.
    pub time: i64,
    pub reason: String,
}

impl Erasure {
    /// Whether one of these is who asked.
    pub fn is_by(&self, persons: &[&str]) -> bool {
        let asked = [self.who.as_str(), &self.maker];
        asked.iter().filter(|name| !name.is_empty()).any(|name| persons.iter().any(|other| same_name(name, other)))
    }
}

/// Whether a user may block documents, and ask for erasures or agree to them.
pub fn may_decide(user: &User) -> bool {
    user.role != Role::User && !user.inactive
}

/// Whether this user may with this token, which gives it only where it gives what the user's role is about.
pub fn may_decide_by(user: &User, token: &Token) -> bool {
    let rights = token.rights;
    may_decide(user) && if user.role == Role::Administrator { rights.administer } else { rights.read }
}

/// How many may.
pub fn deciders(archive: &Archive) -> Result<usize> {
    Ok(users::users(archive)?.iter().filter(|user| may_decide(user)).count())
}

/// All requests, by number.
pub fn erasures(archive: &Archive) -> Result<Vec<Erasure>> {
    let mut all: Vec<Erasure> = list_json(archive, ERASURE)?;
    all.sort_by_key(|erasure| erasure.number);
    Ok(all)
}

pub fn erasure(archive: &Archive, number: Number) -> Result<Option<Erasure>> {
    find_json(archive, &key(number))
}

/// Asks; the document is blocked in the same commit. In a [`super::retention::turn`].
pub fn ask(archive: &Archive, erasure: &Erasure, by: &str) -> Result<()> {
    let number = erasure.number;
    let event = |what| Event { time: clock::now(), who: by.into(), what };
    let (mut blocks, mut journal) = (Vec::new(), Vec::new());
    if !archive.view()?.is_blocked(number)? {
        blocks.push(Block { number, is_blocked: true });
        journal.push(event(Happening::Blocked(number)));
    }
    journal.push(event(Happening::ErasureAsked(number, erasure.reason.clone())));
    let settings = vec![Setting { key: key(number), value: Some(to_json(&key(number), erasure)?) }];
    Ok(archive.commit(Commit { settings, journal, blocks, ..Commit::default() })?)
}

/// Refuses, or takes back; the document stays blocked. In a [`super::retention::turn`].
pub fn refuse(archive: &Archive, number: Number, by: &str) -> Result<()> {
    let settings = vec![Setting { key: key(number), value: None }];
    let journal = vec![Event { time: clock::now(), who: by.into(), what: Happening::ErasureRefused(number) }];
    Ok(archive.commit(Commit { settings, journal, ..Commit::default() })?)
}

/// Agrees: the document ends. Its bytes are still to be erased. In a [`super::retention::turn`].
pub fn agree(archive: &Archive, erasure: &Erasure, by: &str) -> Result<()> {
    let number = erasure.number;
    let what = Happening::Erased(number, erasure.who.clone());
    archive.end(vec![number], Ending::Erased, vec![Event { time: clock::now(), who: by.into(), what }])?;
    super::retention::sweep(archive)
}

fn key(number: Number) -> String {
    format!("{ERASURE}{number}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_agrees_to_what_the_same_person_asked() {
        let mut erasure =
            Erasure { number: 1, who: "Anna".into(), maker: String::new(), time: 0, reason: "privat".into() };
        assert!(erasure.is_by(&["anna"]) && erasure.is_by(&["beat", "ANNA"]));
        assert!(!erasure.is_by(&["beat"]) && !erasure.is_by(&[""]));
        erasure.maker = "Chefin".into();
        assert!(erasure.is_by(&["chefin"]) && erasure.is_by(&["anna"]) && !erasure.is_by(&["beat"]));
    }
}
