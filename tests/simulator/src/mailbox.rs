//! One mailbox: folders, messages, and what happened to them since it was made, which is what delta queries tell.

use std::collections::{BTreeSet, VecDeque};

use crate::delta::Round;
use crate::identifier;
use crate::source::Source;

/// A message. Its properties are read from its bytes when they are asked for.
#[derive(Clone, Debug)]
pub struct Message {
    pub source: Source,
    /// `None`: purged.
    pub folder: Option<usize>,
    /// How often it has moved; a usual id changes with it, an immutable id does not.
    pub moves: u64,
    pub received: i64,
    pub sent: i64,
    pub is_draft: bool,
    pub is_read: bool,
    /// Grows with every change (`changeKey`, `@odata.etag`).
    pub version: u64,
    /// It came after the start, so it may not be found for a while (fault `not-found-window`).
    pub fresh: bool,
    /// Every folder it has lain in.
    been: Vec<usize>,
}

/// What a folder saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happening {
    Entered,
    /// Entered a folder in which it had been before.
    Returned,
    /// Left by a move or for good.
    Left,
    /// Left for the recoverable items.
    Recoverable,
    Changed,
}

#[derive(Clone, Copy, Debug)]
pub struct Event {
    pub at: u64,
    pub message: usize,
    /// The moves before, where it left, so that its old id can be told.
    pub moves: u64,
    pub happening: Happening,
}

#[derive(Debug)]
pub struct Folder {
    pub name: String,
    pub parent: Option<usize>,
    pub well_known: Option<&'static str>,
    pub hidden: bool,
    /// A search folder: shows the messages of this other folder again.
    pub searches: Option<usize>,
    pub gone: bool,
    /// By time received, so that a listing is sorted.
    pub members: BTreeSet<(i64, usize)>,
    pub events: Vec<Event>,
    pub rounds: VecDeque<Round>,
    /// Sync states before this one are lost (410).
    pub epoch: u64,
}

#[derive(Debug)]
pub struct Mailbox {
    pub tag: String,
    pub folders: Vec<Folder>,
    pub messages: Vec<Message>,
    /// Counts what happened.
    pub clock: u64,
    /// Counts delta rounds.
    pub rounds: u64,
}

/// The folder above all others; the first of `STANDARD`.
pub const ROOT: usize = 0;

/// The folders every mailbox has: well-known name, English and German display name, parent, hidden.
/// Graph docs: 'mailFolder resource type'.
const STANDARD: [(&str, &str, &str, Option<&str>, bool); 17] = [
    ("msgfolderroot", "Top of Information Store", "Oberste Ebene des Informationsspeichers", None, false),
    ("archive", "Archive", "Archiv", Some("msgfolderroot"), false),
    ("conversationhistory", "Conversation History", "Aufgezeichnete Unterhaltungen", Some("msgfolderroot"), false),
    ("deleteditems", "Deleted Items", "Gelöschte Elemente", Some("msgfolderroot"), false),
    ("drafts", "Drafts", "Entwürfe", Some("msgfolderroot"), false),
    ("inbox", "Inbox", "Posteingang", Some("msgfolderroot"), false),
    ("junkemail", "Junk Email", "Junk-E-Mail", Some("msgfolderroot"), false),
    ("outbox", "Outbox", "Postausgang", Some("msgfolderroot"), false),
    ("sentitems", "Sent Items", "Gesendete Elemente", Some("msgfolderroot"), false),
    ("clutter", "Clutter", "Clutter", Some("msgfolderroot"), true),
    ("scheduled", "Scheduled", "Geplant", Some("msgfolderroot"), true),
    ("syncissues", "Sync Issues", "Synchronisierungsprobleme", Some("msgfolderroot"), true),
    ("conflicts", "Conflicts", "Konflikte", Some("syncissues"), true),
    ("localfailures", "Local Failures", "Lokale Fehler", Some("syncissues"), true),
    ("serverfailures", "Server Failures", "Serverfehler", Some("syncissues"), true),
    ("recoverableitemsdeletions", "Deletions", "Deletions", None, true),
    ("searchfolders", "Finder", "Finder", None, true),
];

/// Names that a folder on disk may have for a standard folder, beside its display names.
const ALIASES: [(&str, &str); 9] = [
    ("sent", "sentitems"),
    ("sent mail", "sentitems"),
    ("trash", "deleteditems"),
    ("deleted", "deleteditems"),
    ("junk", "junkemail"),
    ("junk e-mail", "junkemail"),
    ("spam", "junkemail"),
    ("draft", "drafts"),
    ("recoverable items", "recoverableitemsdeletions"),
];

impl Mailbox {
    pub fn new(object_id: &str, german: bool) -> Self {
        let mut mailbox = Self {
            tag: identifier::mailbox_tag(object_id),
            folders: Vec::new(),
            messages: Vec::new(),
            clock: 0,
            rounds: 0,
        };
        for (well_known, english, local, parent, hidden) in STANDARD {
            let parent = parent.and_then(|name| mailbox.well_known(name));
            let name = if german { local } else { english };
            let number = mailbox.add_folder(name, parent, hidden);
            mailbox.folders[number].well_known = Some(well_known);
        }
        mailbox
    }

    pub fn well_known(&self, name: &str) -> Option<usize> {
        let same = |folder: &Folder| folder.well_known.is_some_and(|known| known.eq_ignore_ascii_case(name));
        self.folders.iter().position(same)
    }

    pub fn inbox(&self) -> usize {
        self.well_known("inbox").unwrap_or(0)
    }

    pub fn add_folder(&mut self, name: &str, parent: Option<usize>, hidden: bool) -> usize {
        self.folders.push(Folder {
            name: name.to_owned(),
            parent,
            well_known: None,
            hidden,
            searches: None,
            gone: false,
            members: BTreeSet::new(),
            events: Vec::new(),
            rounds: VecDeque::new(),
            epoch: 0,
        });
        self.folders.len() - 1
    }

    /// The folders below this one, in the order of their names as Outlook has it.
    pub fn children(&self, parent: usize) -> Vec<usize> {
        let mut children: Vec<usize> = (0..self.folders.len())
            .filter(|at| self.folders[*at].parent == Some(parent) && !self.folders[*at].gone)
            .collect();
        children.sort_by_key(|at| (self.folders[*at].name.to_lowercase(), *at));
        children
    }

    pub fn child(&self, parent: usize, name: &str) -> Option<usize> {
        self.children(parent).into_iter().find(|at| self.folders[*at].name.eq_ignore_ascii_case(name))
    }

    /// The folder of this path as a mailbox on disk names it; made where it is missing.
    pub fn folder_of(&mut self, path: &[impl AsRef<str>]) -> usize {
        let mut at = None;
        for name in path {
            let name = name.as_ref();
            let standard = if at.is_none() { self.standard(name) } else { None };
            let parent = at.unwrap_or(ROOT);
            at = Some(match standard.or_else(|| self.child(parent, name)) {
                Some(found) => found,
                None => self.add_folder(name, Some(parent), false),
            });
        }
        at.unwrap_or(self.inbox())
    }

    fn standard(&self, name: &str) -> Option<usize> {
        let lower = name.to_lowercase();
        let by_name = STANDARD.iter().find(|(known, english, german, ..)| {
            *known == lower || english.to_lowercase() == lower || german.to_lowercase() == lower
        });
        let known = by_name.map(|found| found.0).or(ALIASES.iter().find(|alias| alias.0 == lower).map(|alias| alias.1));
        known.and_then(|known| self.well_known(known))
    }

    pub fn add_message(&mut self, folder: usize, source: Source, received: i64, sent: i64) -> usize {
        let number = self.messages.len();
        let is_draft = self.folders[folder].well_known == Some("drafts");
        self.messages.push(Message {
            source,
            folder: Some(folder),
            moves: 0,
            received,
            sent,
            is_draft,
            is_read: !crate::chance::mix(number as u64).is_multiple_of(3),
            version: 0,
            fresh: false,
            been: vec![folder],
        });
        self.folders[folder].members.insert((received, number));
        self.happened(folder, number, 0, Happening::Entered);
        number
    }

    /// Moves a message to a folder, or purges it (`None`).
    pub fn relocate(&mut self, number: usize, to: Option<usize>) {
        let message = &mut self.messages[number];
        let (from, moves, received) = (message.folder, message.moves, message.received);
        message.folder = to;
        message.moves += 1;
        message.fresh = true;
        let recoverable = self.well_known("recoverableitemsdeletions");
        if let Some(from) = from {
            self.folders[from].members.remove(&(received, number));
            let soft = to.is_some() && to == recoverable;
            self.happened(from, number, moves, if soft { Happening::Recoverable } else { Happening::Left });
        }
        if let Some(to) = to {
            self.folders[to].members.insert((received, number));
            let been = self.messages[number].been.contains(&to);
            self.messages[number].been.push(to);
            self.happened(to, number, moves + 1, if been { Happening::Returned } else { Happening::Entered });
        }
    }

    /// Something but its place changed.
    pub fn touch(&mut self, number: usize) {
        let (folder, moves) = (self.messages[number].folder, self.messages[number].moves);
        if let Some(folder) = folder {
            self.happened(folder, number, moves, Happening::Changed);
        }
    }

    fn happened(&mut self, folder: usize, message: usize, moves: u64, happening: Happening) {
        self.clock += 1;
        self.messages[message].version = self.clock;
        self.folders[folder].events.push(Event { at: self.clock, message, moves, happening });
    }

    /// The folder whose messages a folder shows: itself, or where it searches.
    pub fn shown(&self, folder: usize) -> usize {
        self.folders[folder].searches.unwrap_or(folder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_on_disk_find_their_standard_folder() {
        let mut mailbox = Mailbox::new("a", false);
        let inbox = mailbox.inbox();
        assert_eq!(mailbox.folder_of(&["INBOX"]), inbox);
        assert_eq!(mailbox.folder_of(&[] as &[&str]), inbox);
        assert_eq!(mailbox.folder_of(&["Posteingang"]), inbox);
        let sent = mailbox.folder_of(&["Sent"]);
        assert_eq!(mailbox.folders[sent].well_known, Some("sentitems"));
        let deep = mailbox.folder_of(&["inbox", "A/B", "c"]);
        assert_eq!(mailbox.folder_of(&["Inbox", "A/B", "c"]), deep);
        assert_eq!(mailbox.folders[mailbox.folders[deep].parent.unwrap()].parent, Some(inbox));
    }
}
