//! Where mail comes from. A source lists mailboxes, folders and messages and streams the bytes of messages into a [`Sink`].
//!
//! Rules of the room: a source knows nothing of the archive or the fetch loop, holds no message in memory, writes nothing
//! on the server except in [`MailSource::after`] and [`MailSource::play_back`], and gives every message that it was asked
//! for exactly one fate: [`Sink::end`] or [`Sink::missing`], unless it returns an error. The one exception to holding no
//! message: Graph takes a message that is played back in one piece, so that one is held, and bounded.
//!
//! - `imap`, `graph`: the two kinds; `sign_in`: access by a code that a person types elsewhere
//! - `socket`: protected connections, `rate`: how fast all of them together receive, `pace`: pauses between tries
//! - `error`: what went wrong, in both languages, and when to try again; `step`: one step of a connection test

pub mod error;
pub mod graph;
pub mod imap;
pub mod pace;
pub mod rate;
pub mod sign_in;
mod socket;
pub mod step;

pub use error::{Retry, SourceError};
pub use step::{Passed, Step};

use std::collections::HashSet;
use std::fmt;
use std::io::{self, Read};

/// Result of everything that talks to a mail server.
pub type Result<T> = std::result::Result<T, SourceError>;

/// One mailbox of a definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    /// What identifies it for good: for IMAP the account name, for Microsoft 365 the Entra object id.
    pub id: String,
    /// What people call it: an address or account name.
    pub name: String,
}

/// What a folder is for, by SPECIAL-USE (RFC 6154), a well-known name, or a usual name in German or English.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    Inbox,
    Sent,
    Drafts,
    Outbox,
    Junk,
    Trash,
    Archive,
    /// A view that shows every message (Gmail's "All Mail").
    All,
    /// What was deleted from the trash and can still be restored (Exchange's recoverable items).
    Recoverable,
    #[default]
    Other,
}

/// One folder of a mailbox.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Folder {
    /// What the server calls it, unchanged (IMAP: modified UTF-7; Graph: folder id).
    pub id: String,
    /// Readable path with the server's own separator.
    pub name: String,
    /// The server's separator of levels, if it has one.
    pub separator: Option<char>,
    pub role: Role,
    /// False where the server only groups other folders (`\Noselect`, `\NonExistent`).
    pub selectable: bool,
    /// What the names of one's own folders begin with (`INBOX.`, RFC 2342) and people leave away; mostly nothing.
    pub prefix: String,
    /// Readable name of the folder that shows all that lies here too: a label of Gmail is one view of many.
    pub shown_in: Option<String>,
}

impl Folder {
    /// Whether a person means this folder by `wanted`: its readable name, with the server's own separator or `/`.
    /// `INBOX` is the same in any case, also as the first level (RFC 9051, 5.1). The server's prefix may be left away.
    pub fn is_named(&self, wanted: &str) -> bool {
        let levels = |name: &str, slash: bool| -> Vec<String> {
            let mut levels: Vec<String> = name
                .split(|c| Some(c) == self.separator || slash && c == '/' && self.separator.is_some())
                .map(str::to_owned)
                .collect();
            if let Some(first) = levels.first_mut().filter(|first| first.eq_ignore_ascii_case("INBOX")) {
                "INBOX".clone_into(first);
            }
            levels
        };
        let own = levels(&self.name, false);
        // Exchange names the inbox in the language of its owner.
        if self.role == Role::Inbox && wanted.eq_ignore_ascii_case("INBOX") {
            return true;
        }
        let is = |name: &str| own == levels(name, false) || own == levels(name, true);
        is(wanted) || !self.prefix.is_empty() && is(&format!("{}{wanted}", self.prefix))
    }
}

/// Names one message in one folder for as long as the server keeps its word. Opaque outside the source, ordered as listed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RemoteId(pub Vec<u8>);

/// IMAP ids as `UIDVALIDITY:UID`, others as the server wrote them.
impl fmt::Display for RemoteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match <[u8; 8]>::try_from(self.0.as_slice()) {
            Ok(bytes) => {
                let both = u64::from_be_bytes(bytes);
                write!(f, "{}:{}", both >> 32, both & 0xffff_ffff)
            }
            Err(_) => write!(f, "{}", String::from_utf8_lossy(&self.0)),
        }
    }
}

/// How far a folder was read. Opaque outside the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(pub String);

/// Notices links or cursors that lead in a circle, in constant memory (Brent): at the latest in the third turn.
#[derive(Debug, Default)]
pub struct Circle {
    mark: String,
    steps: u64,
    /// The mark is set anew when so many steps were made.
    until: u64,
}

impl Circle {
    /// Whether this one, which is followed next, was followed before.
    pub fn closes(&mut self, next: &str) -> bool {
        if self.steps > 0 && self.mark == next {
            return true;
        }
        if self.steps >= self.until {
            next.clone_into(&mut self.mark);
            self.until = self.steps.saturating_mul(2).max(1);
        }
        self.steps += 1;
        false
    }
}

/// A message as the server lists it, before its bytes were asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub id: RemoteId,
    /// When the server received it, Unix seconds, if it was asked and says so.
    pub received: Option<i64>,
    /// Size as the server claims it: a hint for the progress bar and nothing else.
    pub size: Option<u64>,
    /// An unsent draft (IMAP `\Draft`).
    pub draft: bool,
}

/// One bounded step through the changes of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    pub listed: Vec<Listed>,
    /// To be stored once all of `listed` is archived or booked.
    pub next: Cursor,
    /// Whether to ask again with `next` at once.
    pub more: bool,
    /// The cursor that was given no longer counts (UIDVALIDITY changed, sync state lost): the folder is read from its
    /// beginning. Unless [`MailSource::ids_span_folders`], the ids that were listed before mean nothing any more.
    pub restarted: bool,
    /// The server has numbered the folder anew (UIDVALIDITY changed): no id from before names anything any more. The cursor
    /// is that of the folder's beginning.
    pub renumbered: Option<Cursor>,
    /// Messages that are no longer in the folder: moved or deleted. Empty where the server does not tell (IMAP). A message
    /// may be named here that was never listed.
    pub removed: Vec<RemoteId>,
    /// Messages in the folder now.
    pub total: u64,
}

impl Page {
    /// Adds the page that was asked for with `next`: what it lists is there, whatever was said before.
    pub fn append(&mut self, page: Self) {
        let listed: HashSet<&RemoteId> = page.listed.iter().map(|listed| &listed.id).collect();
        self.listed.retain(|before| !listed.contains(&before.id));
        self.removed.retain(|before| !listed.contains(before));
        self.listed.extend(page.listed);
        self.removed.extend(page.removed);
        (self.next, self.more, self.total) = (page.next, page.more, page.total);
    }
}

/// What the server said of a message when it sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    pub id: RemoteId,
    /// When the server received it (IMAP INTERNALDATE), Unix seconds; `None` where it says nothing usable.
    pub received: Option<i64>,
    /// IMAP flags without `\Recent`, as sent.
    pub flags: Vec<String>,
    /// The server cannot give the message itself; the source put it together from what the server could give.
    pub reconstructed: bool,
}

/// Why a message could not be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// The server no longer knows it.
    Gone,
    /// The server knows it but answers its request with an error; the server's own words.
    Refused(String),
    /// The server answered without the message's bytes.
    NoBody,
}

/// Takes the bytes of messages, one message after the other.
///
/// Order of calls: `begin`, any number of `data`, then `end` or `abort`; `missing` only between messages.
/// An error from a sink ends the transfer with [`SourceError::Sink`].
pub trait Sink {
    /// A message begins. `len` is exact where given.
    fn begin(&mut self, len: Option<u64>) -> io::Result<()>;
    fn data(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// The message is whole.
    fn end(&mut self, arrival: Arrival) -> io::Result<()>;
    /// The message broke off: what was given since `begin` is to be forgotten.
    fn abort(&mut self);
    /// This message cannot be had.
    fn missing(&mut self, id: RemoteId, why: Missing) -> io::Result<()>;
}

/// What happens on the server to a message that is safely archived.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum After {
    #[default]
    Leave,
    /// Readable folder name.
    Move(String),
    Delete,
    /// Deleted so that the owner of the mailbox cannot restore it. The same as [`Self::Delete`] where that is final anyway.
    Purge,
}

/// What became of a message after [`MailSource::after`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    pub id: RemoteId,
    /// Its new place, where the server names it (UIDPLUS COPYUID): readable folder name and id.
    pub moved_to: Option<(String, RemoteId)>,
}

/// A place where mail comes from: one account of an IMAP server, or a Microsoft 365 tenant.
pub trait MailSource: Send {
    /// Tests the connection step by step up to the subject of the first message of the inbox.
    fn check(&mut self, report: &mut dyn FnMut(Step));
    fn mailboxes(&mut self) -> Result<Vec<Mailbox>>;
    /// All folders, also those that are left out by default.
    fn folders(&mut self, mailbox: &Mailbox) -> Result<Vec<Folder>>;
    /// The next page of messages that are new since `cursor`; the whole folder, page by page, without one.
    /// `dates` asks for [`Listed::received`] too.
    fn changes(&mut self, mailbox: &Mailbox, folder: &Folder, cursor: Option<&Cursor>, dates: bool) -> Result<Page>;
    /// Streams the messages into `sink`. After an error that allows a retry, those that got no fate may be asked for again.
    fn fetch(&mut self, mailbox: &Mailbox, folder: &Folder, ids: &[RemoteId], sink: &mut dyn Sink) -> Result<()>;
    /// Calls `each` with the id of every message in the folder, in ascending order where the server has one, in constant memory.
    /// Returns how many there are.
    fn list_ids(
        &mut self,
        mailbox: &Mailbox,
        folder: &Folder,
        each: &mut dyn FnMut(RemoteId) -> Result<()>,
    ) -> Result<u64>;
    /// Moves or deletes messages that are safely archived. A message that is no longer there counts as done.
    fn after(&mut self, mailbox: &Mailbox, folder: &Folder, ids: &[RemoteId], action: &After) -> Result<Vec<Done>>;
    /// Puts a message back into a folder, which is made if it is missing.
    fn play_back(
        &mut self,
        mailbox: &Mailbox,
        folder: &str,
        raw: &mut dyn Read,
        len: u64,
        arrival: Option<&Arrival>,
    ) -> Result<()>;

    /// Whether an id names the same message in every folder of its mailbox, so that a message that was moved needs no second
    /// download, and a lost cursor makes no id void.
    fn ids_span_folders(&self) -> bool {
        false
    }

    /// How many connections may fetch from one mailbox at a time, this one included. At least 1.
    fn lanes(&self) -> usize {
        1
    }

    /// A further connection to the same place, which shares login and limits with this one; `None` where there is none to be
    /// had.
    fn another_lane(&self) -> Option<Box<dyn MailSource>> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_pages_that_follow_each_other_the_later_counts() {
        let id = |number: u8| RemoteId(vec![number]);
        let page = |listed: &[u8], removed: &[u8], total: u64| Page {
            listed: listed
                .iter()
                .map(|n| Listed { id: id(*n), received: None, size: None, draft: total == 9 })
                .collect(),
            next: Cursor(total.to_string()),
            more: total == 9,
            restarted: total == 9,
            renumbered: None,
            removed: removed.iter().map(|n| id(*n)).collect(),
            total,
        };
        let mut pages = page(&[1, 2, 3], &[4, 5], 9);
        pages.append(page(&[2, 4], &[3], 8));
        let ids: Vec<u8> = pages.listed.iter().map(|listed| listed.id.0[0]).collect();
        // What is listed and then removed may still be had: it was moved.
        assert_eq!((&ids[..], &pages.removed[..]), (&[1, 3, 2, 4][..], &[id(5), id(3)][..]));
        assert!(pages.restarted && !pages.more && !pages.listed[2].draft && pages.next == Cursor("8".into()));
    }

    #[test]
    fn circles_are_noticed_and_nothing_else() {
        for (lead, length) in [(0, 1), (0, 2), (5, 1), (100, 7), (3, 1000)] {
            let mut circle = Circle::default();
            let step = |at: usize| if at < lead { at } else { lead + (at - lead) % length };
            let closed = (0..10_000).position(|at| circle.closes(&step(at).to_string())).unwrap();
            assert!(closed >= lead + length && closed <= 3 * (lead + length) + 1, "{lead} {length}: {closed}");
        }
        let mut circle = Circle::default();
        assert!((0..10_000).all(|at| !circle.closes(&at.to_string())));
    }

    #[test]
    fn folders_are_found_by_what_people_write() {
        let folder = |name: &str, separator| Folder {
            id: String::new(),
            name: name.to_owned(),
            separator,
            selectable: true,
            ..Folder::default()
        };
        for (name, separator, wanted, is) in [
            ("INBOX", Some('/'), "inbox", true),
            ("Inbox", None, "INBOX", true),
            ("INBOX.Rechnungen", Some('.'), "Inbox/Rechnungen", true),
            ("INBOX.Rechnungen", Some('.'), "INBOX.Rechnungen", true),
            ("INBOX.Rechnungen", Some('.'), "INBOX.rechnungen", false),
            ("Archiv/2024", Some('/'), "Archiv/2024", true),
            ("Archiv\\2024", Some('\\'), "Archiv/2024", true),
            // A slash inside a name where the separator is another one.
            ("Ein/Aus", Some('.'), "Ein/Aus", true),
            ("Ein/Aus", None, "Ein/Aus", true),
            ("Sent", Some('/'), "Sent Items", false),
            ("Sent", Some('/'), "", false),
        ] {
            assert_eq!(folder(name, separator).is_named(wanted), is, "{name} {wanted}");
        }
        let below = Folder { prefix: "INBOX.".into(), ..folder("INBOX.Archiv.2024", Some('.')) };
        for (wanted, is) in [("Archiv/2024", true), ("Archiv.2024", true), ("inbox/Archiv/2024", true), ("2024", false)]
        {
            assert_eq!(below.is_named(wanted), is, "{wanted}");
        }
    }
}
