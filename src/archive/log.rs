//! The log read from front to back: packs, records, commits. Start, `rebuild catalog` and `verify` all see the log through
//! this one reader.
//!
//! Invariants: nothing is changed here. A commit counts when its own record is whole and every record that it names is
//! whole, and its link too; one with missing or damaged records still counts, with the damage named, when it cannot be the
//! unfinished end of the log: a later commit follows, or the catalog knows it.

use std::collections::{HashMap, HashSet, VecDeque};
use std::path::{Path, PathBuf};

use minicbor::{Decode, Encode};

use super::catalog::Applied;
use super::commit::{Commit, Metadata, Number};
use super::error::Result;
use super::keys::Keys;
use super::pack::{self, BadHead, Depth, Found, PACK_HEADER_LEN, Scanner};
use super::record::ArchiveId;
use super::record::{Kind, Stored};
use super::rows::Position;
use crate::hash::Sha256;
use crate::limits::FINDINGS;

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Finding {
    /// File that it was found in.
    #[n(0)]
    pub path: PathBuf,
    /// Byte in that file, where it has one.
    #[n(1)]
    pub offset: Option<u64>,
    /// The document that it concerns, where it concerns one.
    #[n(2)]
    pub document: Option<Number>,
    #[n(3)]
    pub what: String,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.path.display())?;
        if let Some(offset) = self.offset {
            write!(f, " at byte {offset}")?;
        }
        if let Some(number) = self.document {
            write!(f, ", document {number}")?;
        }
        write!(f, ": {}", self.what)
    }
}

/// What was found, at most [`FINDINGS`] of it; the rest is counted.
#[derive(Clone, Debug, Default, Encode, Decode)]
pub struct Findings {
    #[n(0)]
    list: Vec<Finding>,
    #[n(1)]
    more: u64,
}

impl Findings {
    pub fn push(&mut self, finding: Finding) {
        if self.list.len() < FINDINGS {
            self.list.push(finding);
        } else {
            self.more += 1;
        }
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Those that are kept.
    pub fn kept(&self) -> &[Finding] {
        &self.list
    }

    /// With those that were only counted.
    pub fn count(&self) -> u64 {
        self.list.len() as u64 + self.more
    }

    /// [`Self::push`], unless it is there already: what is looked at twice is damaged once.
    pub fn push_new(&mut self, finding: Finding) {
        if !self.list.contains(&finding) {
            self.push(finding);
        }
    }

    /// Adds what another look at the same archive found.
    pub fn merge(&mut self, other: Self) {
        self.more = self.more.max(other.more);
        for finding in other.list {
            self.push_new(finding);
        }
    }

    pub fn extend(&mut self, other: Self) {
        self.more += other.more;
        for finding in other.list {
            self.push(finding);
        }
    }

    /// A line for each, and one for those that were only counted.
    pub fn lines(&self) -> impl Iterator<Item = String> + '_ {
        let more = (self.more > 0).then(|| format!("and {} more", self.more));
        self.list.iter().map(ToString::to_string).chain(more)
    }
}

/// A commit as it was read.
#[derive(Debug)]
pub struct ReadCommit {
    pub commit: Commit,
    /// As it has to be, and whether it stands behind the commit.
    pub link: Sha256,
    pub is_linked: bool,
    pub pack: u32,
    pub start: u64,
    pub end: u64,
    /// Where each named record stands, `None` where it is missing or damaged.
    pub offsets: Vec<Option<u64>>,
    /// Likewise the sequence of the tombstone of each that was taken out.
    pub erased: Vec<Option<u64>>,
    /// Metadata of each new document; where its record is damaged, only its number.
    pub metadata: Vec<Metadata>,
    /// Metadata of each changed document; `None` where its record is damaged.
    pub changes: Vec<Option<Metadata>>,
}

impl ReadCommit {
    pub fn applied(&self) -> Applied<'_> {
        Applied {
            commit: &self.commit,
            link: self.link,
            pack: self.pack,
            start: self.start,
            end: self.end,
            offsets: &self.offsets,
            metadata: &self.metadata,
            changes: &self.changes,
        }
    }

    fn is_whole(&self) -> bool {
        self.is_linked && self.offsets.iter().all(Option::is_some)
    }
}

/// Bytes at the end of the last pack that no commit answers for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tail {
    pub pack: u32,
    /// First byte; 0 where even the pack's head is not whole.
    pub from: u64,
    pub len: u64,
}

/// Where a walk starts and what is known already.
#[derive(Clone, Copy)]
pub struct Start<'a> {
    pub archive: ArchiveId,
    pub keys: &'a Keys,
    /// The last commit that needs no reading; sequence 0: from the first one.
    pub position: Position,
    /// Commits up to this sequence were acknowledged for certain, so they are never an unfinished end.
    pub known: u64,
    pub depth: Depth,
}

/// What a walk calls.
pub trait Visitor {
    /// Each commit in order. `false` ends the walk.
    fn commit(&mut self, read: &ReadCommit) -> Result<bool>;
    fn finding(&mut self, finding: Finding);
    /// Now and then: bytes of the log looked at since the last call.
    fn progress(&mut self, bytes: u64);
}

struct Seen {
    kind: Kind,
    offset: u64,
    stored: Stored,
    metadata: Option<Metadata>,
    /// It was taken out of its pack: the sequence of its tombstone.
    erased: Option<u64>,
}

/// How a walk ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// Sequence of the last commit that counted.
    pub sequence: u64,
    pub tail: Option<Tail>,
}

/// Walks the log to its end, or until the visitor has seen enough.
pub fn walk(packs: &Path, start: Start<'_>, visitor: &mut dyn Visitor) -> Result<End> {
    let numbers = pack::numbers(packs)?;
    let mut walk = Walk {
        packs,
        start,
        visitor,
        sequence: start.position.sequence,
        previous: if start.position.sequence == 0 { Sha256::of(&start.archive) } else { start.position.commit },
        damaged: HashSet::new(),
        suspect: None,
        stopped: false,
    };
    let mut expected = start.position.pack.max(1);
    let last = numbers.last().copied().unwrap_or(0);
    let mut tail = None;
    for number in numbers.into_iter().filter(|number| *number >= start.position.pack.max(1)) {
        if number > expected {
            let what = match number - expected {
                1 => "the pack is missing".to_string(),
                _ => format!("this pack and those up to {:06} are missing", number - 1),
            };
            walk.find(expected, None, None, what);
        }
        expected = number.saturating_add(1);
        let from = if number == start.position.pack && start.position.sequence > 0 { start.position.end } else { 0 };
        tail = walk.pack(number, from, number == last)?;
        if walk.stopped {
            return Ok(End { sequence: walk.sequence, tail: None });
        }
    }
    Ok(End { sequence: walk.sequence, tail })
}

struct Walk<'a> {
    packs: &'a Path,
    start: Start<'a>,
    visitor: &'a mut dyn Visitor,
    /// Sequence and link of the last commit that counted.
    sequence: u64,
    previous: Sha256,
    /// Parts whose records are damaged or missing, as many as there can be findings.
    damaged: HashSet<Sha256>,
    /// A commit with damaged records that may be the unfinished end, its findings, and where its batch begins.
    suspect: Option<(ReadCommit, Vec<Finding>, u64)>,
    stopped: bool,
}

impl Walk<'_> {
    fn find(&mut self, number: u32, offset: Option<u64>, document: Option<Number>, what: impl Into<String>) {
        let path = pack::path(self.packs, number);
        self.visitor.finding(Finding { path, offset, document, what: what.into() });
    }

    fn pack(&mut self, number: u32, from: u64, is_last: bool) -> Result<Option<Tail>> {
        let path = pack::path(self.packs, number);
        let Start { archive, keys, .. } = self.start;
        let mut scanner = match Scanner::open(self.packs, number, Some(keys))? {
            Ok((scanner, header)) if header.archive == archive && keys.fit(&header) => scanner,
            Ok((_, header)) => {
                let is_foreign = header.archive != archive;
                let what = if is_foreign { "belongs to another archive" } else { "was sealed with another key" };
                self.find(number, Some(16), None, format!("the pack {what}; it was not read"));
                return Ok(None);
            }
            Err(bad) => {
                let len = path.metadata().map_or(0, |meta| meta.len());
                // A pack without a whole head was being made when the power went: nothing in it was acknowledged.
                if is_last && len <= PACK_HEADER_LEN {
                    return Ok(Some(Tail { pack: number, from: 0, len }));
                }
                self.find(number, Some(0), None, bad.to_string());
                if bad != BadHead::Damaged {
                    return Ok(None);
                }
                // What follows was acknowledged all the same.
                Scanner::behind_head(self.packs, number, archive, Some(keys))?
            }
        };
        if from > 0 {
            scanner.seek(from)?;
        }
        // First byte that no commit answers for.
        let mut open_from = scanner.position();
        let mut batch: Vec<Seen> = Vec::new();
        let mut broken: Vec<Finding> = Vec::new();
        let mut told = scanner.position();
        while let Some(found) = scanner.next(self.start.depth)? {
            if scanner.position() - told > 1 << 20 {
                self.visitor.progress(scanner.position() - told);
                told = scanner.position();
            }
            match found {
                Found::Broken { offset, what, .. } => {
                    broken.push(Finding { path: path.clone(), offset: Some(offset), document: None, what });
                }
                Found::Record { offset, kind, stored, plain, link: None, erased } => {
                    let metadata = if kind == Kind::Document { minicbor::decode(&plain).ok() } else { None };
                    batch.push(Seen { kind, offset, stored, metadata, erased });
                }
                Found::Record { offset, stored, plain, link: Some(link), .. } => {
                    let Ok(commit) = minicbor::decode::<Commit>(&plain) else {
                        let what = "the commit is not in a form that this release reads".to_string();
                        broken.push(Finding { path: path.clone(), offset: Some(offset), document: None, what });
                        continue;
                    };
                    let end = offset + stored.len;
                    let read = join(commit, (stored.sha256, link), (number, offset, end), &mut batch);
                    if !read.is_linked {
                        let what = format!("the link behind commit {} is damaged", read.commit.sequence);
                        broken.push(Finding { path: path.clone(), offset: Some(offset), document: None, what });
                    }
                    broken.extend(batch.drain(..).map(|seen| Finding {
                        path: path.clone(),
                        offset: Some(seen.offset),
                        document: None,
                        what: "a record that no commit names".into(),
                    }));
                    self.take(read, std::mem::take(&mut broken), open_from)?;
                    if self.stopped {
                        return Ok(None);
                    }
                    open_from = end;
                }
            }
        }
        self.visitor.progress(scanner.position() - told);
        let tail_from = self.suspect.as_ref().map_or(open_from, |(_, _, from)| *from);
        if tail_from == scanner.end() {
            return Ok(None);
        }
        if is_last {
            return Ok(Some(Tail { pack: number, from: tail_from, len: scanner.end() - tail_from }));
        }
        // Only the last pack may end unfinished.
        self.confirm_suspect()?;
        if open_from < scanner.end() {
            for finding in broken {
                self.visitor.finding(finding);
            }
            self.find(number, Some(open_from), None, "the pack ends in records that no commit names");
        }
        Ok(None)
    }

    /// A commit record that is whole was read.
    fn take(&mut self, read: ReadCommit, broken: Vec<Finding>, batch_from: u64) -> Result<()> {
        self.confirm_suspect()?;
        if self.stopped {
            return Ok(());
        }
        if read.is_whole() || read.commit.sequence <= self.start.known {
            for finding in broken {
                self.visitor.finding(finding);
            }
            self.give(&read)
        } else {
            self.suspect = Some((read, broken, batch_from));
            Ok(())
        }
    }

    /// A commit followed the suspect one, so that one was acknowledged: its broken records are damage.
    fn confirm_suspect(&mut self) -> Result<()> {
        let Some((read, findings, _)) = self.suspect.take() else { return Ok(()) };
        for finding in findings {
            self.visitor.finding(finding);
        }
        self.give(&read)
    }

    fn give(&mut self, read: &ReadCommit) -> Result<()> {
        let commit = &read.commit;
        let expected = self.sequence + 1;
        if commit.sequence < expected {
            let what = format!("commit {} stands here a second time; it was not read", commit.sequence);
            self.find(read.pack, Some(read.start), None, what);
            return Ok(());
        }
        if commit.sequence > expected {
            let what = match commit.sequence - expected {
                1 => format!("commit {expected} is missing or damaged"),
                _ => format!("commits {expected} to {} are missing or damaged", commit.sequence - 1),
            };
            self.find(read.pack, Some(read.start), None, what);
        } else if commit.previous != self.previous {
            let what = format!("the chain is broken: commit {} does not follow the commit before it", commit.sequence);
            self.find(read.pack, Some(read.start), None, what);
        }
        let at = |index: u32| read.offsets.get(index as usize).copied().flatten();
        for new in &commit.parts {
            if at(new.part).is_some() {
                self.damaged.remove(&new.sha256);
            } else if self.damaged.len() < FINDINGS {
                self.damaged.insert(new.sha256);
            }
        }
        for split in &commit.splits {
            if split.parts.iter().any(|part| self.damaged.contains(part)) {
                let number = commit.document_at(split.message);
                self.find(read.pack, None, number, "an attachment of it is missing or damaged");
            }
        }
        for new in &commit.documents {
            if at(new.message).is_none() {
                self.find(read.pack, None, Some(new.number), "its bytes are missing or damaged");
            }
            if at(new.document).is_none() {
                self.find(read.pack, None, Some(new.number), "its metadata is missing or damaged");
            }
        }
        for change in &commit.changes {
            if at(change.document).is_none() {
                self.find(read.pack, None, Some(change.number), "a change of its metadata is missing or damaged");
            }
        }
        for variant in &commit.variants {
            if at(variant.message).is_none() {
                self.find(read.pack, None, Some(variant.document), "the bytes of a variant are missing or damaged");
            }
        }
        self.sequence = commit.sequence;
        self.previous = read.link;
        self.stopped = !self.visitor.commit(read)?;
        Ok(())
    }
}

/// Finds the records that `commit` names among those that were seen since the commit before. What it does not name stays
/// in `batch`. `own` is the hash of its stored bytes, `told` the link that stands behind it.
fn join(
    commit: Commit,
    (own, told): (Sha256, Sha256),
    (pack, start, end): (u32, u64, u64),
    batch: &mut Vec<Seen>,
) -> ReadCommit {
    let mut seen: VecDeque<Seen> = std::mem::take(batch).into();
    let mut offsets = Vec::with_capacity(commit.records.len());
    let mut erased = Vec::with_capacity(commit.records.len());
    let mut metadata_at = HashMap::new();
    let mut rest = Vec::new();
    for (index, named) in commit.records.iter().enumerate() {
        // Order is kept, so those before the one that fits are named by nobody, and one that fits nowhere is damaged.
        let place = seen.iter().position(|seen| {
            // At `Depth::Headers` messages are not hashed.
            let hash = seen.stored.sha256 == named.sha256 || seen.stored.sha256 == Sha256::default();
            seen.kind as u8 == named.kind && seen.stored.len == named.len && hash
        });
        rest.extend(seen.drain(..place.unwrap_or(0)));
        let found = place.and_then(|_| seen.pop_front());
        offsets.push(found.as_ref().map(|found| found.offset));
        erased.push(found.as_ref().and_then(|found| found.erased));
        if let Some(metadata) = found.and_then(|found| found.metadata) {
            metadata_at.insert(index, metadata);
        }
    }
    rest.extend(seen);
    *batch = rest;
    let mut of = |number: Number, index: u32| {
        metadata_at.remove(&(index as usize)).filter(|metadata: &Metadata| metadata.number == number)
    };
    let damaged = |number| Metadata { number, ..Metadata::default() };
    let new = commit.documents.iter();
    let metadata = new.map(|new| of(new.number, new.document).unwrap_or_else(|| damaged(new.number))).collect();
    let changes = commit.changes.iter().map(|change| of(change.number, change.document)).collect();
    let link = commit.link(own);
    ReadCommit { commit, link, is_linked: link == told, pack, start, end, offsets, erased, metadata, changes }
}
