//! What is new in a folder, page by page, and every UID of a folder.
//!
//! A cursor is `UIDVALIDITY:UID`, the UID from which on nothing was read. UIDs only grow (RFC 9051, 2.3.1.1), so this is
//! enough, and a message that is moved into the folder gets a new one.

use std::collections::BTreeMap;

use super::fetch_line::Fetched;
use super::lines::Verdict;
use super::session::{Selected, Session, demand};
use super::sets::remote_id;
use super::stream::Ear;
use crate::limits::IMAP_PAGE;
use crate::source::{Cursor, Folder, Listed, Page, RemoteId, Result};

/// How many UIDs the next window asks for: many where they are sparse, few where they are dense.
#[derive(Clone, Copy, Debug)]
pub struct Width(u32);

impl Default for Width {
    fn default() -> Self {
        Self(PAGE)
    }
}

/// [`IMAP_PAGE`] as a number of UIDs.
const PAGE: u32 = {
    assert!(IMAP_PAGE < 1 << 31, "a page fits into the UIDs");
    #[allow(clippy::cast_possible_truncation)]
    {
        IMAP_PAGE as u32
    }
};

/// Collects the lowest UIDs from `low` to `high`, [`IMAP_PAGE`] at most.
struct Lister {
    low: u32,
    high: u32,
    dates: bool,
    uid_validity: u32,
    listed: BTreeMap<u32, Listed>,
    /// Lowest UID that was left out because the page was full.
    left_out: Option<u32>,
}

impl Ear for Lister {
    fn fetched(&mut self, fetched: Fetched) -> Result<()> {
        let Some(uid) = fetched.uid.filter(|uid| (self.low..=self.high).contains(uid)) else {
            // `n:*` names the last message also where it is below n, and flags of any message may change meanwhile.
            return Ok(());
        };
        let new = Listed {
            id: remote_id(self.uid_validity, uid),
            received: fetched.received.filter(|_| self.dates),
            size: fetched.size,
            draft: fetched.flags.iter().flatten().any(|flag| flag.eq_ignore_ascii_case("\\Draft")),
        };
        // A change of flags may follow the row that was asked for: what either says counts.
        let row = self.listed.entry(uid).or_insert_with(|| new.clone());
        row.received = row.received.or(new.received);
        row.size = row.size.or(new.size);
        row.draft = if fetched.flags.is_some() { new.draft } else { row.draft };
        if self.listed.len() > IMAP_PAGE
            && let Some((last, _)) = self.listed.pop_last()
        {
            self.left_out = Some(self.left_out.map_or(last, |first| first.min(last)));
        }
        Ok(())
    }
}

/// One page of what is new.
pub fn changes(
    session: &mut Session,
    folder: &Folder,
    cursor: Option<&Cursor>,
    dates: bool,
    width: &mut Width,
) -> Result<Page> {
    let selected = session.select(&folder.id, false)?;
    let known = cursor.and_then(read_cursor);
    let (start, restarted) = match known {
        Some((validity, next)) if validity == selected.uid_validity => (next, false),
        _ => (1, cursor.is_some()),
    };
    let mut page = Page {
        listed: Vec::new(),
        next: write_cursor(&selected, start),
        more: false,
        restarted,
        renumbered: restarted.then(|| write_cursor(&selected, 1)),
        removed: Vec::new(),
        total: u64::from(selected.exists),
    };
    if selected.exists == 0 {
        let next = selected.uid_next.map_or(start, |next| next.max(start));
        page.next = write_cursor(&selected, next);
        return Ok(page);
    }
    if selected.uid_next.is_some_and(|next| start >= next) {
        return Ok(page);
    }
    if selected.exists <= PAGE {
        return whole(session, &selected, start, dates, page);
    }
    windows(session, &selected, start, dates, width, page)
}

/// A folder that fits into a page is asked for in one go.
fn whole(session: &mut Session, selected: &Selected, start: u32, dates: bool, mut page: Page) -> Result<Page> {
    let mut lister = ask(session, selected, start, u32::MAX, &format!("{start}:*"), dates)?;
    let last = lister.listed.last_key_value().map_or(start.saturating_sub(1), |(uid, _)| *uid);
    // Arrived meanwhile, beyond the page.
    let next = lister.left_out.unwrap_or_else(|| selected.uid_next.unwrap_or(1).max(last.saturating_add(1)).max(start));
    page.more = lister.left_out.is_some();
    page.next = write_cursor(selected, next);
    page.listed = std::mem::take(&mut lister.listed).into_values().collect();
    Ok(page)
}

fn windows(
    session: &mut Session,
    selected: &Selected,
    start: u32,
    dates: bool,
    width: &mut Width,
    mut page: Page,
) -> Result<Page> {
    let end = match selected.uid_next {
        Some(next) => next - 1,
        None => highest(session)?,
    };
    let mut low = start;
    while low <= end && page.listed.len() < IMAP_PAGE / 2 {
        let high = end.min(low.saturating_add(width.0 - 1));
        let mut lister = ask(session, selected, low, high, &format!("{low}:{high}"), dates)?;
        let count = lister.listed.len();
        page.listed.append(&mut std::mem::take(&mut lister.listed).into_values().collect());
        // The rest of a window that turned out dense is asked for again, narrowly.
        if let Some(left_out) = lister.left_out {
            width.0 = PAGE;
            low = left_out;
        } else {
            width.0 = match count {
                count if count < IMAP_PAGE / 4 => width.0.saturating_mul(2),
                count if count > IMAP_PAGE / 2 => (width.0 / 2).max(PAGE),
                _ => width.0,
            };
            let Some(next) = high.checked_add(1) else {
                low = high;
                break;
            };
            low = next;
        }
    }
    page.more = low <= end && low < u32::MAX;
    if !page.more && low < u32::MAX && selected.uid_next.is_some() {
        // The next UID that a server tells may be out of date: what lies beyond would be met by no window.
        let mut lister = ask(session, selected, low, u32::MAX, &format!("{low}:*"), dates)?;
        let last = lister.listed.last_key_value().map_or(low, |(uid, _)| uid.saturating_add(1));
        page.more = lister.left_out.is_some();
        low = lister.left_out.unwrap_or(last);
        page.listed.append(&mut std::mem::take(&mut lister.listed).into_values().collect());
    }
    page.next = write_cursor(selected, low);
    Ok(page)
}

/// The highest UID, where the server does not tell the next one.
fn highest(session: &mut Session) -> Result<u32> {
    struct Highest(u32);
    impl Ear for Highest {
        fn fetched(&mut self, fetched: Fetched) -> Result<()> {
            self.0 = self.0.max(fetched.uid.unwrap_or(0));
            Ok(())
        }
    }
    let mut highest = Highest(0);
    session.demand("UID FETCH * (UID)", &mut highest)?;
    Ok(highest.0)
}

fn ask(session: &mut Session, selected: &Selected, low: u32, high: u32, set: &str, dates: bool) -> Result<Lister> {
    let lister =
        || Lister { low, high, dates, uid_validity: selected.uid_validity, listed: BTreeMap::new(), left_out: None };
    let items = if dates { "UID FLAGS INTERNALDATE RFC822.SIZE" } else { "UID FLAGS RFC822.SIZE" };
    let mut full = lister();
    let status = session.run(&format!("UID FETCH {set} ({items})"), &mut full)?;
    if status.verdict == Verdict::Ok {
        return Ok(full);
    }
    // One message whose size or date cannot be had must not hide the others.
    let mut bare = lister();
    let command = format!("UID FETCH {set} (UID FLAGS)");
    let second = session.run(&command, &mut bare)?;
    demand(&command, second)?;
    Ok(bare)
}

fn read_cursor(cursor: &Cursor) -> Option<(u32, u32)> {
    let (validity, next) = cursor.0.split_once(':')?;
    Some((validity.parse().ok()?, next.parse().ok().filter(|next| *next > 0)?))
}

fn write_cursor(selected: &Selected, next: u32) -> Cursor {
    Cursor(format!("{}:{next}", selected.uid_validity))
}

/// Calls `each` for every message in the folder; nothing is held.
pub fn list_ids(session: &mut Session, folder: &Folder, each: &mut dyn FnMut(RemoteId) -> Result<()>) -> Result<u64> {
    struct Each<'a> {
        call: &'a mut dyn FnMut(RemoteId) -> Result<()>,
        uid_validity: u32,
        count: u64,
        last: Option<u32>,
    }
    impl Ear for Each<'_> {
        fn fetched(&mut self, fetched: Fetched) -> Result<()> {
            // Twice in a row is a change of flags; further apart it cannot be told in constant memory.
            let Some(uid) = fetched.uid.filter(|uid| Some(*uid) != self.last) else { return Ok(()) };
            self.last = Some(uid);
            self.count += 1;
            (self.call)(remote_id(self.uid_validity, uid))
        }
    }
    let selected = session.select(&folder.id, false)?;
    if selected.exists == 0 {
        return Ok(0);
    }
    let mut ear = Each { call: each, uid_validity: selected.uid_validity, count: 0, last: None };
    session.demand("UID FETCH 1:* (UID)", &mut ear)?;
    Ok(ear.count)
}
