//! Is everything archived? What became of every message on the servers, counted from the ledger.

use std::collections::BTreeMap;

use crate::archive::ArchiveError;
use crate::archive::commit::{Entry, FolderNumber, LeftOut, Outcome};
use crate::archive::error::Result;
use crate::archive::rows::FolderRow;
use crate::archive::view::View;

/// Reasons of failures that are told apart in one folder; servers have many words for the same trouble.
const REASONS: usize = 20;
/// What further reasons are counted under.
pub const OTHER_REASONS: &str = "other reasons";
/// Failures rest at most a day: rows with a later look are of another kind.
const FAILED_WITHIN: i64 = 25 * 3600;

/// The ledger of one folder or of several, counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Messages on the server when it was last listed.
    pub on_server: u64,
    pub archived: u64,
    pub same: u64,
    /// Deleted from the archive after their term.
    pub deleted: u64,
    pub left_out: BTreeMap<LeftOut, u64>,
    /// By reason, in the server's words.
    pub failed: BTreeMap<String, u64>,
    /// Messages on the server without any outcome.
    pub unexplained: u64,
    /// Still to be moved or deleted on the server.
    pub after_due: u64,
}

/// One folder of a mailbox.
#[derive(Clone, Debug)]
pub struct FolderCounts {
    pub row: FolderRow,
    pub counts: Counts,
    /// When all ids were last compared with the ledger, Unix seconds.
    pub reconciled: Option<i64>,
}

impl Counts {
    pub fn failures(&self) -> u64 {
        self.failed.values().sum()
    }

    fn add(&mut self, entry: Entry) {
        self.after_due += u64::from(entry.after_due);
        match entry.outcome {
            Outcome::Archived(_) => self.archived += 1,
            Outcome::Same(_) => self.same += 1,
            Outcome::Deleted(_) => self.deleted += 1,
            Outcome::LeftOut { why, .. } => *self.left_out.entry(why).or_default() += 1,
            Outcome::Failed { why, .. } => self.add_failed(why, 1),
        }
    }

    fn add_failed(&mut self, why: String, count: u64) {
        let is_known = self.failed.contains_key(&why) || self.failed.len() < REASONS;
        let why = if is_known { why } else { OTHER_REASONS.into() };
        *self.failed.entry(why).or_default() += count;
    }

    /// Adds another folder.
    pub fn join(&mut self, other: &Self) {
        self.on_server += other.on_server;
        self.archived += other.archived;
        self.same += other.same;
        self.deleted += other.deleted;
        self.unexplained += other.unexplained;
        self.after_due += other.after_due;
        for (why, count) in &other.left_out {
            *self.left_out.entry(*why).or_default() += count;
        }
        for (why, count) in &other.failed {
            self.add_failed(why.clone(), *count);
        }
    }
}

/// What a reason to leave a message out is called in reports.
pub fn left_out(why: LeftOut) -> &'static str {
    match why {
        LeftOut::Draft => "draft",
        LeftOut::TooYoung => "too young",
        LeftOut::Gone => "gone before its turn",
    }
}

/// Calls `each` with every folder of a definition. Reads its whole ledger, in constant memory.
pub fn of<E: From<ArchiveError>>(
    view: &View,
    definition: &str,
    mut each: impl FnMut(FolderCounts) -> std::result::Result<(), E>,
) -> std::result::Result<(), E> {
    for row in view.folders()? {
        if row.folder.definition == definition {
            each(folder(view, row)?)?;
        }
    }
    Ok(())
}

/// One folder.
pub fn folder(view: &View, row: FolderRow) -> Result<FolderCounts> {
    let mut counts = Counts::default();
    view.ledger(row.folder.number, |entry| counts.add(entry))?;
    let cursor = view.cursor(row.folder.number)?;
    if let Some(cursor) = &cursor {
        (counts.on_server, counts.unexplained) = (cursor.on_server, cursor.unexplained);
    }
    Ok(FolderCounts { row, counts, reconciled: cursor.and_then(|cursor| cursor.reconciled) })
}

/// Failed messages of a folder with ids above `above`, ascending, at most `most`; and whether there are more.
pub fn failed(view: &View, folder: FolderNumber, above: &[u8], most: usize) -> Result<(Vec<Entry>, bool)> {
    let mut found = Vec::new();
    let mut is_more = false;
    view.ledger_above(folder, above, |entry| {
        if matches!(entry.outcome, Outcome::Failed { .. }) {
            is_more = found.len() == most;
            if !is_more {
                found.push(entry);
            }
        }
        !is_more
    })?;
    Ok((found, is_more))
}

/// What is still open in a definition, without reading its whole ledger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Open {
    pub mailboxes: u64,
    pub unexplained: u64,
    /// At most `most` of each folder.
    pub failed: u64,
}

/// See [`Open`]; looks at no more than `most` rows of each folder.
pub fn open(view: &View, definition: &str, now: i64, most: usize) -> Result<Open> {
    let mut open = Open::default();
    let mut places = std::collections::BTreeSet::new();
    for row in view.folders()?.iter().filter(|row| row.folder.definition == definition) {
        let number = row.folder.number;
        places.insert(row.place);
        open.unexplained += view.cursor(number)?.map_or(0, |cursor| cursor.unexplained);
        let soon = now.saturating_add(FAILED_WITHIN);
        for remote in view.again(number, soon, i64::MAX - 1, most)? {
            let entry = view.entry(number, &remote)?;
            open.failed += u64::from(entry.is_some_and(|entry| matches!(entry.outcome, Outcome::Failed { .. })));
        }
    }
    open.mailboxes = places.len() as u64;
    Ok(open)
}
