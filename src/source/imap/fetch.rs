//! Bodies: every message that is asked for gets exactly one fate.
//!
//! Sets of messages are asked for in one command each. What a set leaves open is looked up, asked for one by one, or, where
//! the server refuses the set, by halves, until the one message is found that it cannot give.

use std::collections::{BTreeMap, BTreeSet};

use super::fetch_line::Fetched;
use super::lines::{Status, Verdict};
use super::session::Session;
use super::sets::{Set, pack, remote_id, uid_of};
use super::stream::Ear;
use super::wire::{busy, is_held_up};
use crate::source::{Arrival, Folder, Missing, RemoteId, Result, Sink, SourceError};

const ITEMS: &str = "(UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])";

/// Connections that answers without sense may cost in one call.
const MOST_BROKEN: u32 = 20;

/// What is known of a message that has no fate yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Seen {
    #[default]
    Nothing,
    /// Its response came without its bytes.
    NoBody,
}

/// Hears the answer to one set and passes wanted bodies on.
struct Catch<'a> {
    sink: &'a mut dyn Sink,
    uid_validity: u32,
    /// Messages of the set without a fate.
    open: BTreeMap<u32, Seen>,
    /// The one that was asked for, where it was asked for alone: a body that comes without any UID is its own.
    only: Option<u32>,
    /// A body came without any UID, of whichever message.
    has_nameless: bool,
    /// A body is under way to the sink.
    flowing: bool,
}

impl Ear for Catch<'_> {
    fn begin(&mut self, so_far: &Fetched, len: u64) -> Result<bool> {
        // A body that nobody asked for, or that came already, is skipped; where the UID follows the body, it tells later.
        if so_far.uid.is_some_and(|uid| !self.open.contains_key(&uid)) {
            return Ok(false);
        }
        self.sink.begin(Some(len)).map_err(SourceError::Sink)?;
        self.flowing = true;
        Ok(true)
    }

    fn data(&mut self, bytes: &[u8]) -> Result<()> {
        self.sink.data(bytes).map_err(SourceError::Sink)
    }

    fn abort(&mut self) {
        if std::mem::take(&mut self.flowing) {
            self.sink.abort();
        }
    }

    fn fetched(&mut self, fetched: Fetched) -> Result<()> {
        let flowing = std::mem::take(&mut self.flowing);
        self.has_nameless |= flowing && fetched.uid.is_none();
        let wanted = fetched
            .uid
            .or(self.only.filter(|_| flowing))
            .and_then(|uid| self.open.get_mut(&uid).map(|seen| (uid, seen)));
        match wanted {
            Some((uid, _)) if flowing => {
                self.open.remove(&uid);
                let arrival = Arrival {
                    id: remote_id(self.uid_validity, uid),
                    received: fetched.received,
                    flags: fetched.flags.unwrap_or_default(),
                    reconstructed: false,
                };
                self.sink.end(arrival).map_err(SourceError::Sink)?;
            }
            Some((_, seen)) if fetched.no_body => *seen = Seen::NoBody,
            _ if flowing => self.sink.abort(),
            _ => {}
        }
        Ok(())
    }
}

/// Hears which messages of a set the server still knows.
pub struct Present<'a> {
    asked: &'a [u32],
    pub there: BTreeSet<u32>,
}

impl<'a> Present<'a> {
    pub fn of(asked: &'a [u32]) -> Self {
        Self { asked, there: BTreeSet::new() }
    }
}

impl Ear for Present<'_> {
    fn fetched(&mut self, fetched: Fetched) -> Result<()> {
        // Changes of flags may name any message.
        self.there.extend(fetched.uid.filter(|uid| self.asked.contains(uid)));
        Ok(())
    }
}

/// How an attempt to fetch a set ended.
enum Answer {
    Done,
    /// It does not say of which messages the bodies are: they are asked for one by one.
    Nameless,
    Refused(Status),
    /// The connection is of no more use, and it is the answer's fault.
    Broken(SourceError),
}

/// Streams the messages. `session` is asked for a session with the folder selected, a new one where the last broke.
pub fn fetch(sessions: &mut dyn Sessions, folder: &Folder, ids: &[RemoteId], sink: &mut dyn Sink) -> Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let uid_validity = sessions.get()?.reading(folder)?.uid_validity;
    let mut uids = BTreeSet::new();
    let mut strangers = BTreeSet::new();
    for id in ids {
        match uid_of(id) {
            Some((validity, uid)) if validity == uid_validity && uid > 0 => {
                uids.insert(uid);
            }
            _ => {
                strangers.insert(id);
            }
        }
    }
    for id in strangers {
        sink.missing(id.clone(), Missing::Gone).map_err(SourceError::Sink)?;
    }
    let uids: Vec<u32> = uids.into_iter().collect();
    let mut work = Work { sessions, folder, uid_validity, sink, queue: pack(&uids), broken: 0 };
    work.queue.reverse();
    work.run()
}

/// Gives sessions out.
pub trait Sessions {
    /// The session, a new one if there is none.
    fn get(&mut self) -> Result<&mut Session>;
    /// The session broke.
    fn forget(&mut self);
}

struct Work<'a> {
    sessions: &'a mut dyn Sessions,
    folder: &'a Folder,
    uid_validity: u32,
    sink: &'a mut dyn Sink,
    /// Sets to ask for, the next one last.
    queue: Vec<Set>,
    broken: u32,
}

impl Work<'_> {
    fn run(&mut self) -> Result<()> {
        while let Some(set) = self.queue.pop() {
            let mut open: BTreeMap<u32, Seen> = set.uids.iter().map(|uid| (*uid, Seen::Nothing)).collect();
            let alone = set.uids.len() == 1;
            match self.ask(&set, &mut open)? {
                Answer::Done => self.leftovers(&open, alone)?,
                Answer::Nameless => self.one_by_one(open.into_keys()),
                Answer::Refused(status) => self.refused(&open, alone, status.said)?,
                Answer::Broken(error) => {
                    self.sessions.forget();
                    self.broken += 1;
                    if self.broken > MOST_BROKEN {
                        return Err(error);
                    }
                    self.refused(&open, alone, error.to_string())?;
                }
            }
        }
        Ok(())
    }

    /// The session with the folder selected. A folder that was made anew meanwhile has none of our messages.
    fn session(&mut self) -> Result<Option<&mut Session>> {
        let session = self.sessions.get()?;
        let same = session.reading(self.folder)?.uid_validity == self.uid_validity;
        Ok(same.then_some(session))
    }

    fn ask(&mut self, set: &Set, open: &mut BTreeMap<u32, Seen>) -> Result<Answer> {
        let uid_validity = self.uid_validity;
        let command = format!("UID FETCH {} {ITEMS}", set.text);
        let session = self.sessions.get()?;
        if session.reading(self.folder)?.uid_validity != uid_validity {
            return self.gone(std::mem::take(open).into_keys()).map(|()| Answer::Done);
        }
        let only = if let [only] = set.uids[..] { Some(only) } else { None };
        let open_now = std::mem::take(open);
        let mut catch =
            Catch { sink: self.sink, uid_validity, open: open_now, only, has_nameless: false, flowing: false };
        let result = session.run(&command, &mut catch);
        *open = catch.open;
        let is_nameless = catch.has_nameless && only.is_none();
        match result {
            Ok(status) if status.verdict == Verdict::Ok && is_nameless => Ok(Answer::Nameless),
            Ok(status) if status.verdict == Verdict::Ok => Ok(Answer::Done),
            // The whole account is held up, not one message.
            Ok(status) if is_held_up(&status) => Err(busy(&status)),
            Ok(status) => Ok(Answer::Refused(status)),
            Err(error @ SourceError::Protocol { .. }) => Ok(Answer::Broken(error)),
            Err(error) => Err(error),
        }
    }

    /// The command went well, and yet these did not come.
    fn leftovers(&mut self, open: &BTreeMap<u32, Seen>, alone: bool) -> Result<()> {
        if open.is_empty() {
            return Ok(());
        }
        let uids: Vec<u32> = open.keys().copied().collect();
        if alone && open.values().all(|seen| *seen == Seen::NoBody) {
            return self.missing(&uids, &Missing::NoBody);
        }
        let there = self.present(&uids)?;
        self.gone(uids.iter().copied().filter(|uid| !there.contains(uid)))?;
        if alone {
            return self.missing(&there.into_iter().collect::<Vec<_>>(), &Missing::NoBody);
        }
        self.one_by_one(there.into_iter());
        Ok(())
    }

    fn one_by_one(&mut self, uids: impl DoubleEndedIterator<Item = u32>) {
        self.queue.extend(uids.rev().flat_map(|uid| pack(&[uid])));
    }

    /// The server refused the set, or choked on it.
    fn refused(&mut self, open: &BTreeMap<u32, Seen>, alone: bool, said: String) -> Result<()> {
        let uids: Vec<u32> = open.keys().copied().collect();
        if alone {
            return self.missing(&uids, &Missing::Refused(said));
        }
        let (low, high) = uids.split_at(uids.len().div_ceil(2));
        self.queue.extend(pack(high));
        self.queue.extend(pack(low));
        Ok(())
    }

    /// Which of these messages the server still knows.
    fn present(&mut self, uids: &[u32]) -> Result<BTreeSet<u32>> {
        let mut there = BTreeSet::new();
        for set in pack(uids) {
            let Some(session) = self.session()? else { break };
            let mut present = Present::of(&set.uids);
            session.demand(&format!("UID FETCH {} (UID FLAGS)", set.text), &mut present)?;
            there.append(&mut present.there);
        }
        Ok(there)
    }

    fn gone(&mut self, uids: impl Iterator<Item = u32>) -> Result<()> {
        self.missing(&uids.collect::<Vec<_>>(), &Missing::Gone)
    }

    fn missing(&mut self, uids: &[u32], why: &Missing) -> Result<()> {
        for uid in uids {
            self.sink.missing(remote_id(self.uid_validity, *uid), why.clone()).map_err(SourceError::Sink)?;
        }
        Ok(())
    }
}
