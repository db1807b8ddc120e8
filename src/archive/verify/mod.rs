//! `verify`: every byte of every pack, every hash, the chain, and the catalog against the log. Changes nothing and heals
//! nothing; runs in constant memory. Without the key as much of it as there is, see [`chain`](super::chain).
//!
//! - `endings`: whether all that is gone was to go

mod endings;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use minicbor::Encode;

use endings::Endings;

use super::Archive;
use super::chain;
use super::checkpoint::Checking;
use super::commit::{Commit, FolderNumber};
use super::error::{ArchiveError, Result};
use super::keys::{self, Keys};
use super::log::{self, Finding, Findings, ReadCommit, Start, Visitor};
use super::pack::{self, Depth, PackHeader};
use super::read::Packs;
use super::record::ArchiveId;
use super::rows::{Document, PartRow, Position, Row, VariantRow, row_number};
use super::start::{self, Paths};
use super::view::{Sizes, View};

/// What is said of a document that only the catalog, or a gap in the numbers, still tells of.
const LOST: &str = "the commit that archived it is missing or damaged";

/// What a verification found.
#[derive(Debug, Default)]
pub struct Report {
    pub quick: bool,
    /// Whether the key was there, so that contents were looked at.
    pub opened: bool,
    pub packs: usize,
    /// Bytes of the packs.
    pub bytes: u64,
    pub commits: u64,
    /// Those that have not ended. Unknown without the key.
    pub documents: u64,
    /// Records that were taken out of their packs.
    pub erased: u64,
    /// Link of the last commit, the last 32 bytes of the last pack: who knows it can prove the whole history.
    pub head: String,
    /// Damage. Empty: the archive is complete and unaltered.
    pub findings: Findings,
    /// What is not damage but worth a line: an unfinished end, a catalog that lags behind.
    pub notes: Vec<String>,
    /// Messages are not opened, all else is as ever.
    skims: bool,
}

/// Called now and then with the bytes looked at and the bytes there are. An error ends the verification.
pub type Progress<'a> = dyn FnMut(u64, u64) -> Result<()> + 'a;

/// Verifies an archive that this process has open: up to the commit that the catalog knows now.
pub fn open(archive: &Archive, quick: bool, progress: &mut Progress<'_>) -> Result<Report> {
    let mut report = Report { quick, ..Report::default() };
    let _alone = archive.alone(&mut || progress(0, 0))?;
    let view = archive.view()?;
    let position = view.position()?.unwrap_or_default();
    run(archive.paths(), Some(&view), position, Some(archive.keys()), &mut report, progress)?;
    Ok(report)
}

/// Holds the catalog of an archive that this process has open against its log, without opening messages: what is left to do
/// after a [reading](super::scrub).
pub fn compare(archive: &Archive, progress: &mut Progress<'_>) -> Result<Report> {
    let mut report = Report { skims: true, ..Report::default() };
    let _alone = archive.alone(&mut || progress(0, 0))?;
    let view = archive.view()?;
    let position = view.position()?.unwrap_or_default();
    run(archive.paths(), Some(&view), position, Some(archive.keys()), &mut report, progress)?;
    Ok(report)
}

/// Verifies an archive that nobody has open.
pub fn closed(paths: &Paths, quick: bool, progress: &mut Progress<'_>) -> Result<Report> {
    let mut report = Report { quick, ..Report::default() };
    let copy = paths.spool.join("verify.redb");
    let result = open_view(paths, &copy, &mut report).and_then(|view| {
        let position = view.as_ref().map(View::position).transpose()?.flatten().unwrap_or_default();
        let result = run(paths, view.as_ref(), position, None, &mut report, progress);
        // Closing a broken copy writes to it, and may take redb to places its authors did not think of.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(view)));
        result
    });
    if copy.exists() {
        fs::remove_file(&copy).map_err(ArchiveError::io(&copy))?;
    }
    result.map(|()| report)
}

/// The catalog for reading. One that was not closed would be repaired by opening it, so a copy of it is opened instead.
fn open_view(paths: &Paths, copy: &Path, report: &mut Report) -> Result<Option<View>> {
    let catalog = &paths.catalog;
    let mut find = |what: String| {
        report.findings.push(Finding { path: catalog.clone(), offset: None, document: None, what });
    };
    if !catalog.exists() {
        // Whoever keeps the packs alone, without the key, needs none.
        if !pack::numbers(&paths.packs)?.is_empty() && keys::path(&paths.keys).exists() {
            find("missing; the next start makes it anew from the packs".into());
        }
        return Ok(None);
    }
    let opened = catch_unwind(|| {
        let mut builder = redb::Database::builder();
        builder.set_cache_size(crate::limits::CATALOG_CACHE);
        let view = if let Ok(database) = builder.open_read_only(catalog) {
            View::over(database)
        } else {
            fs::copy(catalog, copy).map_err(ArchiveError::io(copy))?;
            View::over(builder.open(copy)?)
        }?;
        // Reading finds pages that are none.
        view.position()?;
        Ok(view)
    });
    match opened {
        Ok(Ok(view)) => Ok(Some(view)),
        Ok(Err(error @ ArchiveError::Io { .. })) => Err(error),
        Ok(Err(error)) => {
            find(format!("broken ({error}); the next start makes it anew from the packs"));
            Ok(None)
        }
        Err(_) => {
            find("broken; the next start makes it anew from the packs".into());
            Ok(None)
        }
    }
}

/// The key that opens these packs; `None` where there is none that does, and the report says why.
fn keys_of(paths: &Paths, live: Option<&Keys>, head: Option<&PackHeader>, report: &mut Report) -> Result<Option<Keys>> {
    let keys = match (live, head) {
        (Some(keys), _) => Ok(Some(keys.clone())),
        (None, Some(head)) => start::keys(paths, head).map(Some),
        (None, None) => Keys::read(&paths.keys),
    };
    match keys {
        Ok(keys) => Ok(keys),
        // A copy that is kept without its key is as it should be; one with another's is not.
        Err(error @ ArchiveError::Key { .. }) => {
            report.notes.push(error.to_string());
            Ok(None)
        }
        Err(error @ ArchiveError::WrongKey { .. }) => {
            report.findings.push(Finding {
                path: paths.keys.clone(),
                offset: None,
                document: None,
                what: error.to_string(),
            });
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// `live` is the key of an archive that is open.
fn run(
    paths: &Paths,
    view: Option<&View>,
    position: Position,
    live: Option<&Keys>,
    report: &mut Report,
    progress: &mut Progress<'_>,
) -> Result<()> {
    let numbers = pack::numbers(&paths.packs)?;
    report.packs = numbers.len();
    for number in &numbers {
        let path = pack::path(&paths.packs, *number);
        report.bytes += path.metadata().map_err(ArchiveError::io(&path))?.len();
    }
    let head = start::head(paths)?;
    let from_packs = head.map(|head| head.archive);
    let keys = keys_of(paths, live, head.as_ref(), report)?;
    let live = live.is_some();
    report.opened = keys.is_some();
    let archive = match from_packs {
        // Where no head is whole, the catalog tells whose packs these are; without one, zeros fit none of them.
        None if report.bytes == 0 && position.sequence == 0 => return Ok(()),
        None => position.archive,
        Some(archive) => {
            if position.sequence > 0 && position.archive != archive {
                let what = ArchiveError::Foreign { path: paths.packs.clone() }.to_string();
                report.findings.push(Finding { path: paths.packs.clone(), offset: None, document: None, what });
            }
            archive
        }
    };
    if live && position.sequence == 0 {
        // What is being written has not been acknowledged.
        return Ok(());
    }
    let Some(keys) = keys else { return chain::check(paths, archive, position, report, progress) };
    let depth = if report.quick || report.skims { Depth::Headers } else { Depth::Plain };
    let total = report.bytes;
    let mut check = Check {
        view,
        report,
        position,
        live,
        progress,
        looked: 0,
        total,
        sequence: 0,
        lagging: 0,
        last_number: 0,
        matched: Sizes::default(),
        packs: numbers.iter().copied().collect(),
        users: 0,
        endings: Endings::new(view.map(|_| position.sequence)),
        unseen: Unseen::default(),
        checkpoints: Checking::default(),
        archive,
        stopped: None,
    };
    let start = Start { archive, keys: &keys, position: Position::default(), known: position.sequence, depth };
    let tail = log::walk(&paths.packs, start, &mut check)?.tail;
    if let Some(error) = check.stopped {
        return Err(error);
    }
    check.unseen_rows();
    let packs = Packs { folder: &paths.packs, archive, keys: &keys };
    let endings = std::mem::take(&mut check.endings);
    // One that was just being made has no tables yet.
    let due = check.view.filter(|_| position.sequence > 0);
    match catch_unwind(AssertUnwindSafe(|| endings.finish(packs, due, check.report))) {
        Ok(ended) => ended?,
        Err(_) => check.report.findings.push(broken_pages(paths)),
    }
    let Check { view, report, sequence, last_number, lagging, matched, users, .. } = check;
    // While the archive is open, its last batch is being written there.
    if let Some(tail) = tail {
        if sequence < position.sequence {
            let path = pack::path(&paths.packs, tail.pack);
            let what = "what stands here was acknowledged, and is damaged".to_string();
            report.findings.push(Finding { path, offset: Some(tail.from), document: None, what });
        } else if !live {
            report.notes.push(format!(
                "pack {:06} ends in {} bytes that were never acknowledged; the next start puts them aside",
                tail.pack, tail.len
            ));
        }
    }
    if lagging > 0 {
        report.notes.push(format!("the catalog lags {lagging} commits behind the packs; the next start replays them"));
    }
    for number in last_number + 1..=position.last_number {
        let what = LOST.to_string();
        report.findings.push(Finding { path: paths.packs.clone(), offset: None, document: Some(number), what });
    }
    if sequence < position.sequence {
        let what = ArchiveError::CatalogAhead { catalog: position.sequence, log: sequence }.to_string();
        report.findings.push(Finding { path: paths.catalog.clone(), offset: None, document: None, what });
    } else if let Some(view) = view
        && !report.quick
        // One that was just being made has no tables yet.
        && position.sequence > 0
    {
        match catch_unwind(AssertUnwindSafe(|| compare_sizes(paths, view, &matched, users, report))) {
            Ok(compared) => compared?,
            Err(_) => report.findings.push(broken_pages(paths)),
        }
    }
    Ok(())
}

/// What redb says of pages that are none is a panic.
fn broken_pages(paths: &Paths) -> Finding {
    let what = "its pages are broken".to_string();
    Finding { path: paths.catalog.clone(), offset: None, document: None, what }
}

/// Every row that the log explains was counted; more rows than that were made by nobody.
fn compare_sizes(paths: &Paths, view: &View, matched: &Sizes, users: u64, report: &mut Report) -> Result<()> {
    let there = view.sizes()?;
    let used = view.part_users()?;
    let pairs = [
        ("documents", there.documents, matched.documents),
        ("changes", there.changes, matched.changes),
        ("by_hash", there.hashes, matched.hashes),
        ("variants", there.variants, matched.variants),
        ("changed", there.changed, matched.changed),
        ("parts", there.parts, matched.parts),
        ("ended", there.ended, matched.ended),
        ("blocked", there.blocked, matched.blocked),
        ("occurrences", there.occurrences, matched.occurrences),
        ("folders", there.folders, matched.folders),
        ("ledger", there.ledger, matched.ledger),
        ("cursors", there.cursors, matched.cursors),
        ("settings", there.settings, matched.settings),
        ("journal", there.journal, matched.journal),
        ("runs", there.runs, matched.runs),
        ("folder_numbers", there.folder_numbers, there.folders),
    ];
    for (table, there, explained) in pairs {
        if there != explained {
            report.findings.push(Finding {
                path: paths.catalog.clone(),
                offset: None,
                document: None,
                what: format!("table {table} has {there} rows, the log explains {explained}"),
            });
        }
    }
    if used != users {
        let what = format!("parts are used {used} times, by the log {users} times");
        report.findings.push(Finding { path: paths.catalog.clone(), offset: None, document: None, what });
    }
    view.check_indexes(|what| {
        report.findings.push(Finding { path: paths.catalog.clone(), offset: None, document: None, what });
    })
}

struct Check<'a, 'p> {
    view: Option<&'a View>,
    report: &'a mut Report,
    /// How far the catalog is.
    position: Position,
    live: bool,
    progress: &'a mut Progress<'p>,
    looked: u64,
    total: u64,
    sequence: u64,
    lagging: u64,
    last_number: u64,
    matched: Sizes,
    /// Packs that are there.
    packs: BTreeSet<u32>,
    /// How often messages of documents that live use parts.
    users: u64,
    endings: Endings,
    unseen: Unseen,
    checkpoints: Checking,
    archive: ArchiveId,
    stopped: Option<ArchiveError>,
}

/// Rows of the ledger that the catalog does not have, by folder; right only if a later commit ended that folder's rows.
type Unseen = BTreeMap<FolderNumber, u64>;

impl Visitor for Check<'_, '_> {
    fn commit(&mut self, read: &ReadCommit) -> Result<bool> {
        let commit = &read.commit;
        if self.stopped.is_some() {
            return Ok(false);
        }
        self.sequence = commit.sequence;
        self.report.commits += 1;
        let ended = commit.tombstones.len() as u64;
        self.report.documents = (self.report.documents + commit.documents.len() as u64).saturating_sub(ended);
        self.report.head = read.link.to_string();
        self.numbers(read);
        self.report.erased += self.endings.commit(read);
        for what in self.checkpoints.commit(self.archive, read) {
            self.find(read, None, what);
        }
        if commit.sequence == self.position.sequence && read.link != self.position.commit {
            self.find(read, None, "the catalog knows another commit of this number".into());
        }
        if commit.sequence > self.position.sequence {
            self.lagging += u64::from(self.view.is_some());
        } else if let Some(view) = self.view
            && !self.report.quick
        {
            // A catalog that cannot be read is looked at no further; the packs are.
            let what = match catch_unwind(AssertUnwindSafe(|| self.rows(view, read))) {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some(error.to_string()),
                Err(_) => Some("its pages are broken".into()),
            };
            if let Some(what) = what {
                self.find(read, None, format!("the catalog cannot be read: {what}"));
                self.view = None;
            }
        }
        // What lies behind is being written just now.
        Ok(!self.live || commit.sequence < self.position.sequence)
    }

    fn finding(&mut self, finding: Finding) {
        self.report.findings.push(finding);
    }

    fn progress(&mut self, bytes: u64) {
        self.looked += bytes;
        if self.stopped.is_none() {
            self.stopped = (self.progress)(self.looked, self.total).err();
        }
    }
}

impl Check<'_, '_> {
    fn find(&mut self, read: &ReadCommit, document: Option<u64>, what: String) {
        let path = format!("commit {}", read.commit.sequence).into();
        self.report.findings.push(Finding { path, offset: None, document, what });
    }

    /// Rows that are missing although no commit ended them.
    fn unseen_rows(&mut self) {
        for (folder, rows) in std::mem::take(&mut self.unseen) {
            let what = format!("{rows} rows of folder {folder} are missing in the catalog's table ledger");
            self.report.findings.push(Finding { path: "catalog.redb".into(), offset: None, document: None, what });
        }
    }

    /// Document numbers follow each other without a gap.
    fn numbers(&mut self, read: &ReadCommit) {
        for new in &read.commit.documents {
            // One by one, so that each is named.
            for number in self.last_number + 1..new.number {
                self.find(read, Some(number), LOST.into());
            }
            if new.number <= self.last_number {
                let what = format!("number {} follows number {}", new.number, self.last_number);
                self.find(read, Some(new.number), what);
            }
            self.last_number = new.number;
        }
    }

    /// Every row that this commit wrote is in the catalog as it was written, or a later commit has replaced it.
    fn rows(&mut self, view: &View, read: &ReadCommit) -> Result<()> {
        let commit = &read.commit;
        let sequence = commit.sequence;
        for folder in &commit.restarted {
            self.unseen.remove(folder);
        }
        let at = |place: u32| read.offsets.get(place as usize).copied().flatten();
        let known = self.position.sequence;
        let is_erased = |place: u32| read.erased.get(place as usize).copied().flatten();
        let ended =
            |number: u64| -> Result<bool> { Ok(view.ended_row(number)?.is_some_and(|row| row.commit > sequence)) };
        for (new, metadata) in commit.documents.iter().zip(&read.metadata) {
            let document = Document::of(commit, new, metadata, read.pack, &read.offsets);
            let row = view.document_row(new.number)?;
            // A damaged record is a finding of its own; what the catalog knew before the damage is not another one.
            let whole = at(new.document).is_some() && at(new.message).is_some();
            if row.is_none() && ended(new.number)? {
                // Its tombstone counts it.
            } else if let Some(tombstone) = is_erased(new.message).or(is_erased(new.document)) {
                if tombstone > known {
                    // The catalog lags behind.
                    self.matched.documents += 1;
                } else {
                    self.find(read, Some(new.number), "it was taken out of its pack, and no tombstone names it".into());
                }
            } else if self.same(read, "documents", row, &document, whole) {
                self.matched.documents += 1;
            }
            let found = view.by_hash(&new.sha256)?;
            let is_first_of_equals = |first: u64| -> Result<bool> {
                let live = view.document_row(first)?.map(|row| row.value.sha256);
                let sha256 = live.or(view.ended_row(first)?.map(|row| row.value.sha256));
                Ok(first < new.number && sha256 == Some(new.sha256))
            };
            if found == Some(new.number) {
                self.matched.hashes += 1;
            } else if !found.is_some_and(|first| is_first_of_equals(first).unwrap_or(false)) {
                self.find(read, Some(new.number), "the catalog does not find it by its hash".into());
            }
        }
        for (change, metadata) in commit.changes.iter().zip(&read.changes) {
            if ended(change.number)? {
                continue;
            }
            self.matched.changed += 1;
            // A damaged record is a finding of its own.
            let row = view.change_row(change.number)?;
            let Some(metadata) = metadata else {
                self.matched.changes += u64::from(row.is_some_and(|row| row.commit == sequence));
                continue;
            };
            if self.same(read, "changes", row, metadata, true) {
                self.matched.changes += 1;
            }
        }
        for variant in &commit.variants {
            let offset = read.offsets.get(variant.message as usize).copied().flatten();
            let value = VariantRow { size: variant.size, pack: read.pack, offset };
            let row = view.variant_row(variant.document, &variant.sha256)?;
            if row.is_none() && ended(variant.document)? {
                // Gone with its document.
            } else if self.same(read, "variants", row, &value, offset.is_some()) {
                self.matched.variants += 1;
            }
            if view.by_hash(&variant.sha256)? == Some(variant.document) {
                self.matched.hashes += 1;
            } else {
                self.find(read, Some(variant.document), "the catalog does not find a variant by its hash".into());
            }
        }
        for folder in &commit.folders {
            match view.folder(folder.number)? {
                Some(row) if row.declared == sequence && row.folder == *folder => self.matched.folders += 1,
                // Renamed later: the later commit counts it.
                Some(row) if row.declared > sequence && row.folder.id == folder.id => {}
                _ => self.find(read, None, format!("the catalog does not know folder {}", folder.number)),
            }
        }
        for entry in &commit.ledger {
            let row = view.entry_row(entry.folder, &entry.remote)?;
            if row.is_none() && view.folder(entry.folder)?.is_some_and(|folder| folder.restarted > sequence) {
                *self.unseen.entry(entry.folder).or_default() += 1;
                continue;
            }
            if self.same(read, "ledger", row, entry, true) {
                self.matched.ledger += 1;
            }
        }
        for occurrence in &commit.occurrences {
            let row = view.occurrence_row((occurrence.document, occurrence.folder, &occurrence.remote))?;
            if row.is_none() && ended(occurrence.document)? {
                continue;
            }
            if self.same(read, "occurrences", row, occurrence, true) {
                self.matched.occurrences += 1;
            }
        }
        for cursor in &commit.cursors {
            if self.same(read, "cursors", view.cursor_row(cursor.folder)?, cursor, true) {
                self.matched.cursors += 1;
            }
        }
        self.part_rows(view, read)?;
        self.plain_rows(view, read, commit)
    }

    /// Parts, and what ended or was blocked.
    fn part_rows(&mut self, view: &View, read: &ReadCommit) -> Result<()> {
        let commit = &read.commit;
        let sequence = commit.sequence;
        for new in &commit.parts {
            // Without a row it was taken out with the last message that had it; those that live are looked at below.
            let row = view.part_row(&new.sha256)?.filter(|row| row.commit == sequence);
            let offset = read.offsets.get(new.part as usize).copied().flatten();
            if let Some(row) = row {
                self.matched.parts += 1;
                let PartRow { size, pack, offset: there, .. } = row.value;
                if (size, pack) != (new.size, read.pack) || offset.is_some() && there != offset {
                    self.find(read, None, "a row of the catalog's table parts is not what the log says".into());
                }
            }
        }
        for split in &commit.splits {
            let Some(number) = commit.document_at(split.message) else { continue };
            if view.document_row(number)?.is_none() {
                continue;
            }
            self.users += split.parts.len() as u64;
            for part in &split.parts {
                let is_there = view.part_row(part)?.is_some_and(|row| self.packs.contains(&row.value.pack));
                if !is_there {
                    self.find(read, Some(number), "an attachment of it is missing".into());
                }
            }
        }
        for tombstone in &commit.tombstones {
            let number = tombstone.number;
            let row = view.ended_row(number)?.filter(|row| row.commit == sequence && row.value.why == tombstone.why);
            if row.is_some() && view.document_row(number)?.is_none() {
                self.matched.ended += 1;
            } else {
                self.find(read, Some(number), "it ended, and the catalog does not know".into());
            }
        }
        for block in &commit.blocks {
            let row = view.block_row(block.number)?;
            if row.is_none() && view.ended_row(block.number)?.is_some_and(|row| row.commit >= sequence) {
                continue;
            }
            if self.same(read, "blocked", row, block, true) {
                self.matched.blocked += 1;
            }
        }
        Ok(())
    }

    fn plain_rows(&mut self, view: &View, read: &ReadCommit, commit: &Commit) -> Result<()> {
        for setting in &commit.settings {
            if self.same(read, "settings", view.setting_row(&setting.key)?, setting, true) {
                self.matched.settings += 1;
            }
        }
        for (place, event) in (0u64..).zip(&commit.journal) {
            let row = view.event_row(row_number(commit.sequence, place))?;
            if self.same(read, "journal", row, event, true) {
                self.matched.journal += 1;
            }
        }
        for (place, run) in (0u64..).zip(&commit.runs) {
            let row = view.run_row(row_number(commit.sequence, place))?;
            if self.same(read, "runs", row, run, true) {
                self.matched.runs += 1;
            }
        }
        Ok(())
    }

    /// Whether the catalog's row is the one of this commit. One of a later commit is neither counted nor a finding.
    fn same<T: PartialEq + Encode<()>>(
        &mut self,
        read: &ReadCommit,
        table: &str,
        row: Option<Row<T>>,
        value: &T,
        whole: bool,
    ) -> bool {
        match row {
            Some(row) if row.commit > read.commit.sequence => false,
            Some(row) if row.commit == read.commit.sequence => {
                if row.value != *value && whole {
                    self.find(read, None, format!("a row of the catalog's table {table} is not what the log says"));
                }
                true
            }
            _ => {
                self.find(read, None, format!("a row of the catalog's table {table} is missing or not the log's"));
                false
            }
        }
    }
}
