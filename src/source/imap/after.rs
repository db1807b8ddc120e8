//! What happens on the server to messages that are safely archived: moved or deleted, and nothing else.
//!
//! A plain EXPUNGE would also delete what others marked; without UIDPLUS nothing is deleted at all.

use std::collections::{BTreeSet, HashMap};

use super::fetch::Present;
use super::folders;
use super::lines::{Status, Verdict};
use super::names;
use super::session::{Session, demand};
use super::sets::{Set, pack, remote_id, uid_of, unpack};
use super::stream::Deaf;
use crate::limits::IMAP_FETCH_SET;
use crate::source::{After, Done, Folder, RemoteId, Result, SourceError};

/// Whether the messages are where they should be, so that the server need not be asked.
pub fn is_done(folder: &Folder, ids: &[RemoteId], action: &After) -> bool {
    match action {
        After::Leave => true,
        After::Move(name) => ids.is_empty() || folder.is_named(name),
        After::Delete | After::Purge => ids.is_empty(),
    }
}

/// Messages with which nothing had to be done.
pub fn untouched(ids: &[RemoteId]) -> Vec<Done> {
    ids.iter().map(|id| Done { id: id.clone(), moved_to: None }).collect()
}

/// Moves or deletes; what is no longer there is done.
pub fn after(session: &mut Session, folder: &Folder, ids: &[RemoteId], action: &After) -> Result<Vec<Done>> {
    let target = match action {
        _ if is_done(folder, ids, action) => return Ok(untouched(ids)),
        After::Leave => return Ok(untouched(ids)),
        After::Move(_) if !session.can("MOVE") && !session.can("UIDPLUS") => {
            return Err(cannot("move single messages (neither MOVE nor UIDPLUS)"));
        }
        After::Delete | After::Purge if !session.can("UIDPLUS") => {
            return Err(cannot("delete single messages (no UIDPLUS)"));
        }
        After::Move(name) => Some((name, folders::find_or_make(session, name)?)),
        After::Delete | After::Purge => None,
    };
    if target.as_ref().is_some_and(|(_, id)| *id == folder.id) {
        return Ok(untouched(ids));
    }
    let selected = session.select(&folder.id, true)?;
    // A message of another UIDVALIDITY is not there under that name: nothing may be done to whoever has its UID now.
    let uids: BTreeSet<u32> = ids
        .iter()
        .filter_map(uid_of)
        .filter(|(validity, uid)| *validity == selected.uid_validity && *uid > 0)
        .map(|(_, uid)| uid)
        .collect();
    let mut places = HashMap::new();
    for set in pack(&uids.into_iter().collect::<Vec<_>>()) {
        match &target {
            Some((name, id)) => {
                let moved = relocate(session, &set, id)?;
                for (from, to) in moved {
                    places.insert(remote_id(selected.uid_validity, from), ((*name).clone(), to));
                }
            }
            None => delete(session, &set.text)?,
        }
    }
    Ok(ids.iter().map(|id| Done { id: id.clone(), moved_to: places.get(id).cloned() }).collect())
}

fn cannot(what: &str) -> SourceError {
    SourceError::Unsupported { what: what.to_owned() }
}

/// Moves a set; where the server tells, the new places.
fn relocate(session: &mut Session, set: &Set, target: &str) -> Result<Vec<(u32, RemoteId)>> {
    let verb = if session.can("MOVE") { "UID MOVE" } else { "UID COPY" };
    let name = names::quoted(target)?;
    let command = |set: &str| format!("{verb} {set} {name}");
    let mut status = session.run(&command(&set.text), &mut Deaf)?;
    let mut places = places(&session.copied());
    let mut text = set.text.clone();
    if status.verdict != Verdict::Ok {
        if status.has_code("TRYCREATE") {
            folders::make(session, target)?;
        }
        // Some servers refuse a set that names a message which is gone.
        match still_there(session, set)? {
            None => return Ok(places),
            Some(rest) => text = rest.text,
        }
        status = session.run(&command(&text), &mut Deaf)?;
        places.extend(self::places(&session.copied()));
        demand(&command(&text), status)?;
    }
    if verb == "UID COPY" {
        delete(session, &text)?;
    }
    Ok(places)
}

fn delete(session: &mut Session, set: &str) -> Result<()> {
    let mark = format!("UID STORE {set} +FLAGS.SILENT (\\Deleted)");
    let status = session.run(&mark, &mut Deaf)?;
    // Messages of the set may be gone, and the others are marked all the same (RFC 9051, 6.4.6): the expunge decides.
    if status.verdict != Verdict::Ok && !tells_of_gone(&status) {
        return demand(&mark, status);
    }
    session.demand(&format!("UID EXPUNGE {set}"), &mut Deaf)
}

fn tells_of_gone(status: &Status) -> bool {
    status.has_code("EXPUNGEISSUED") || status.has_code("NONEXISTENT")
}

/// Which messages of a set are still in the folder.
fn still_there(session: &mut Session, set: &Set) -> Result<Option<Set>> {
    let mut present = Present::of(&set.uids);
    session.demand(&format!("UID FETCH {} (UID)", set.text), &mut present)?;
    Ok(pack(&present.there.into_iter().collect::<Vec<_>>()).into_iter().next())
}

/// `UIDVALIDITY source-set target-set`, message by message in the order of both sets (RFC 9051, 7.1).
fn places(copied: &[String]) -> Vec<(u32, RemoteId)> {
    let one = |text: &String| -> Option<Vec<(u32, RemoteId)>> {
        let mut words = text.split_ascii_whitespace();
        let validity: u32 = words.next()?.parse().ok()?;
        let from = unpack(words.next()?, IMAP_FETCH_SET)?;
        let to = unpack(words.next()?, IMAP_FETCH_SET)?;
        let pairs = from.iter().zip(&to).map(|(from, to)| (*from, remote_id(validity, *to)));
        (from.len() == to.len()).then(|| pairs.collect())
    };
    copied.iter().filter_map(one).flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_places() {
        let read = |text: &str| places(&[text.to_owned()]);
        assert_eq!(read("7 12,3:4 30:32"), [(12, remote_id(7, 30)), (3, remote_id(7, 31)), (4, remote_id(7, 32))]);
        for bad in ["", "7", "7 1:2 3", "7 1:4294967295 1:4294967295", "x 1 2"] {
            assert_eq!(read(bad), [], "{bad}");
        }
    }
}
