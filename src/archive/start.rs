//! Opening a data folder: lock it, bring the catalog up to the log, put an unfinished end aside.
//!
//! Invariant: the same code heals a catalog that is from yesterday, missing or broken, and nothing but bytes that no commit
//! answers for and that the catalog never knew is ever moved.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::catalog::Catalog;
use super::disk::Disk;
use super::erase;
use super::error::{ArchiveError, Result};
use super::keys::{self, Keys};
use super::log::{self, Finding, Findings, ReadCommit, Start, Tail, Visitor};
use super::pack::{self, BadHead, Depth, PACK_HEADER_LEN, PackHeader, Scanner};
use super::record::ArchiveId;
use super::rows::Position;
use super::view::View;
use crate::ingest::Spool;
use crate::limits::{CATALOG_CACHE, CATALOG_EVERY};
use crate::pulse::Pulse;

/// The folders of a data folder.
#[derive(Clone, Debug)]
pub struct Paths {
    pub data: PathBuf,
    pub packs: PathBuf,
    pub catalog: PathBuf,
    pub spool: PathBuf,
    pub keys: PathBuf,
    pub recovered: PathBuf,
    /// The index of words, which is made from all of this.
    pub search: PathBuf,
    pub control: PathBuf,
    /// Where the gate reaches the pages.
    pub web: PathBuf,
    /// Through which all of this is changed.
    pub disk: Disk,
}

impl Paths {
    pub fn new(data: &Path) -> Self {
        Self {
            data: data.into(),
            packs: data.join("packs"),
            catalog: data.join("catalog.redb"),
            spool: data.join("spool"),
            keys: data.join("keys"),
            recovered: data.join("recovered"),
            search: data.join("search"),
            control: data.join("control.sock"),
            web: data.join("web.sock"),
            disk: Disk::default(),
        }
    }

    pub fn make(&self) -> Result<()> {
        for dir in [&self.data, &self.packs, &self.spool] {
            // Mail is nobody's business but its archive's.
            self.disk.make_folder(dir, 0o700).map_err(ArchiveError::io(dir))?;
        }
        Ok(())
    }
}

/// Exactly one process has a data folder open. Held as long as the value lives; the kernel lets go of it after a kill.
pub fn lock(paths: &Paths) -> Result<File> {
    let path = paths.data.join("lock");
    let file = OpenOptions::new().create(true).append(true).open(&path).map_err(ArchiveError::io(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(ArchiveError::InUse { path: paths.data.clone() }),
        Err(TryLockError::Error(error)) => Err(ArchiveError::io(&path)(error)),
    }
}

/// A data folder that is ready for work.
pub struct Started {
    pub catalog: Catalog,
    pub keys: Keys,
    pub archive: ArchiveId,
    /// What was healed or is damaged, for a person to read.
    pub findings: Findings,
}

/// The head of the first pack that has a whole one: it tells whose packs these are, and with which key they were sealed.
pub fn head(paths: &Paths) -> Result<Option<PackHeader>> {
    for number in pack::numbers(&paths.packs)? {
        if let Ok((_, header)) = Scanner::open(&paths.packs, number, None)? {
            return Ok(Some(header));
        }
    }
    Ok(None)
}

/// The key of the archive whose packs begin with `head`. That of another one is refused: all would look damaged.
pub fn keys(paths: &Paths, head: &PackHeader) -> Result<Keys> {
    let key = keys::path(&paths.keys);
    match Keys::read(&paths.keys)? {
        Some(keys) if keys.fit(head) => Ok(keys),
        Some(_) => Err(ArchiveError::WrongKey { key, pack: pack::path(&paths.packs, head.number) }),
        None => Err(ArchiveError::Key { path: key }),
    }
}

/// Brings a locked data folder up.
pub fn start(paths: &Paths, pulse: &Pulse) -> Result<Started> {
    let mut findings = Findings::default();
    let head = head(paths)?;
    let from_packs = head.map(|head| head.archive);
    // Opening the catalog changes its file, so what can be refused is refused before.
    let peeked = peek(paths);
    refuse_foreign(paths, from_packs, peeked.unwrap_or_default())?;
    let keys = match &head {
        Some(head) => Some(keys(paths, head)?),
        None => Keys::read(&paths.keys)?,
    };
    let keys = keys.as_ref();
    match peeked {
        Some(position) => check(paths, from_packs, keys, position, &mut Findings::default())?,
        None if !paths.catalog.exists() => {
            check(paths, from_packs, keys, Position::default(), &mut Findings::default())?;
        }
        None => {}
    }
    let mut fresh = [0; 16];
    keys::random(&mut fresh).map_err(ArchiveError::io(&paths.data))?;
    let mut opened = open_catalog(paths, from_packs.unwrap_or(fresh), &mut findings)?;
    if let Some(archive) = from_packs.filter(|archive| *archive != opened.position().archive && is_empty(&opened)) {
        // It was made before the packs were put here.
        drop(opened);
        paths.disk.remove(&paths.catalog).map_err(ArchiveError::io(&paths.catalog))?;
        opened = Catalog::open(&paths.disk, &paths.catalog, archive)?;
    }
    check(paths, from_packs, keys, opened.position(), &mut findings)?;
    let archive = opened.position().archive;
    let keys = Keys::open(&paths.disk, &paths.keys, from_packs.is_none() && is_empty(&opened))?;
    // A process that was killed may have left names in the kernel's memory only: nothing is sealed with a key that could go.
    for folder in [&paths.keys, &paths.data] {
        paths.disk.sync_folder(folder).map_err(ArchiveError::io(folder))?;
    }
    let known = opened.position().sequence;
    let catalog = replay(paths, &keys, opened, known, pulse, &mut findings)?;
    // A kill leaves behind what it interrupted.
    erase::clean(&paths.disk, &paths.packs)?;
    Spool::new(paths.spool.clone()).and_then(|spool| spool.empty()).map_err(ArchiveError::io(&paths.spool))?;
    Ok(Started { catalog, keys, archive, findings })
}

fn is_empty(catalog: &Catalog) -> bool {
    catalog.position().sequence == 0
}

/// The position of a catalog that was closed, without a change to its file.
fn peek(paths: &Paths) -> Option<Position> {
    let position = std::panic::catch_unwind(|| {
        let database = redb::Database::builder().set_cache_size(CATALOG_CACHE).open_read_only(&paths.catalog).ok()?;
        View::over(database).and_then(|view| view.position()).ok().flatten()
    });
    position.ok().flatten()
}

/// Refuses packs and a catalog that do not belong together; what is merely damaged becomes a finding. Without a key, which
/// can only be where no pack has a whole head, nothing is opened.
fn check(
    paths: &Paths,
    from_packs: Option<ArchiveId>,
    keys: Option<&Keys>,
    position: Position,
    findings: &mut Findings,
) -> Result<()> {
    refuse_foreign(paths, from_packs, position)?;
    for number in pack::numbers(&paths.packs)?.into_iter().filter(|number| *number >= position.pack) {
        let path = pack::path(&paths.packs, number);
        match Scanner::open(&paths.packs, number, None)? {
            // What is not read could hold numbers that would be given again.
            Ok((_, header)) if from_packs.is_some_and(|id| id != header.archive) => {
                return Err(ArchiveError::Foreign { path });
            }
            Ok((_, header)) if keys.is_some_and(|keys| !keys.fit(&header)) => {
                return Err(ArchiveError::WrongKey { key: keys::path(&paths.keys), pack: path });
            }
            Err(bad @ BadHead::Renamed(_)) => {
                return Err(ArchiveError::Damaged { path, offset: 0, what: bad.to_string() });
            }
            Err(bad @ BadHead::Damaged) if from_packs.is_none() && position.sequence == 0 => {
                let len = path.metadata().map_err(ArchiveError::io(&path))?.len();
                if len > PACK_HEADER_LEN {
                    let what = format!("{bad}, and without a catalog nothing tells which archive this is");
                    return Err(ArchiveError::Damaged { path, offset: 0, what });
                }
            }
            _ => {}
        }
    }
    // After whose packs they are: another archive's shorter one is no end that is missing, and nothing is to be made anew because of it.
    check_position(paths, keys, position, findings)
}

fn refuse_foreign(paths: &Paths, from_packs: Option<ArchiveId>, position: Position) -> Result<()> {
    match from_packs {
        Some(id) if id != position.archive && position.sequence > 0 => {
            Err(ArchiveError::Foreign { path: paths.packs.clone() })
        }
        _ => Ok(()),
    }
}

/// Whether the last pack is whole and ends with the commit that the catalog knows as the last one.
pub fn ends_with(paths: &Paths, keys: &Keys, position: Position) -> Result<bool> {
    let path = pack::path(&paths.packs, position.pack);
    let meta = match path.metadata() {
        Ok(meta) => meta,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(ArchiveError::io(&path)(error)),
    };
    if meta.len() != position.end || meta.permissions().readonly() {
        return Ok(false);
    }
    let head = Scanner::open(&paths.packs, position.pack, None)?;
    if !head.is_ok_and(|(_, header)| header.archive == position.archive) {
        return Ok(false);
    }
    is_commit(paths, keys, position)
}

/// Whether the commit that the catalog knows as the last one stands where it should.
fn is_commit(paths: &Paths, keys: &Keys, position: Position) -> Result<bool> {
    let Position { archive, pack, start, .. } = position;
    let commit = pack::read(&paths.packs, archive, keys, pack, start, &mut io::sink())?;
    Ok(commit.is_ok_and(|commit| commit.link == Some(position.commit)))
}

/// Makes the catalog anew from the first commit; `known` is how far the old one was. The old one is put aside: it may be
/// all that is left of lost packs.
pub fn rebuild(
    paths: &Paths,
    archive: ArchiveId,
    keys: &Keys,
    known: Position,
    pulse: &Pulse,
    findings: &mut Findings,
) -> Result<Catalog> {
    put_catalog_aside(paths)?;
    let catalog = Catalog::open(&paths.disk, &paths.catalog, archive)?;
    let mut catalog = replay(paths, keys, catalog, known.sequence, pulse, findings)?;
    // It may soon be all that knows which numbers are lost.
    paths.disk.sync_folder(&paths.data).map_err(ArchiveError::io(&paths.data))?;
    let read = catalog.position().sequence;
    if read < known.sequence {
        let last = pack::numbers(&paths.packs)?.last().copied().unwrap_or(0);
        // One that was just being made is put aside as a whole at the next start.
        let end = match pack::size(&paths.packs, last)? {
            short if short < PACK_HEADER_LEN => 0,
            end => end,
        };
        catalog.remember(known, last, end)?;
        findings.push(Finding {
            path: paths.packs.clone(),
            offset: None,
            document: None,
            what: format!("commits {} to {} are lost; their numbers are not given again", read + 1, known.sequence),
        });
    }
    Ok(catalog)
}

/// [`rebuild`] of a folder that is locked but not open, because it cannot be opened otherwise.
pub fn rebuild_closed(paths: &Paths, pulse: &Pulse) -> Result<Findings> {
    let mut findings = Findings::default();
    let Some(head) = head(paths)? else {
        let what = "no pack with a whole head is there".to_string();
        return Err(ArchiveError::Damaged { path: paths.packs.clone(), offset: 0, what });
    };
    let (archive, keys) = (head.archive, keys(paths, &head)?);
    // One that was not closed is mended by opening it; it is put aside anyway.
    let open = || Catalog::open(&paths.disk, &paths.catalog, archive).map(|catalog| catalog.position());
    let known = peek(paths).or_else(|| std::panic::catch_unwind(open).ok()?.ok());
    let known = known.filter(|position| position.archive == archive).unwrap_or_default();
    rebuild(paths, archive, &keys, known, pulse, &mut findings)?;
    Ok(findings)
}

/// Opens the catalog, or puts a broken one aside and begins an empty one.
fn open_catalog(paths: &Paths, archive: ArchiveId, findings: &mut Findings) -> Result<Catalog> {
    // Bytes of a broken file may take redb to places its authors did not think of.
    let opened = std::panic::catch_unwind(|| Catalog::open(&paths.disk, &paths.catalog, archive));
    let what = match opened {
        Ok(Ok(catalog)) => return Ok(catalog),
        Ok(Err(error)) if !is_broken(&error) => return Err(error),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "it cannot be read".to_string(),
    };
    let aside = put_catalog_aside(paths)?;
    findings.push(Finding {
        path: paths.catalog.clone(),
        offset: None,
        document: None,
        what: format!("broken ({what}); made anew from the packs, the broken one is {}", aside.display()),
    });
    Catalog::open(&paths.disk, &paths.catalog, archive)
}

/// Whether the file itself is broken, as against a disk that is full or a file that may not be opened.
fn is_broken(error: &ArchiveError) -> bool {
    match error {
        ArchiveError::Row { .. } | ArchiveError::Layout => true,
        ArchiveError::Catalog(error) => match &**error {
            redb::Error::Io(error) => {
                matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof)
            }
            redb::Error::DatabaseAlreadyOpen => false,
            _ => true,
        },
        _ => false,
    }
}

/// A name in `recovered/` that is not taken.
fn free_name(paths: &Paths, stem: &str, ending: &str) -> Result<PathBuf> {
    paths.disk.make_folder(&paths.recovered, 0o700).map_err(ArchiveError::io(&paths.recovered))?;
    let free = (0..=u32::MAX)
        .map(|n| paths.recovered.join(if n == 0 { format!("{stem}.{ending}") } else { format!("{stem}-{n}.{ending}") }))
        .find(|path| !path.exists());
    Ok(free.unwrap_or_else(|| paths.recovered.join(stem)))
}

fn put_catalog_aside(paths: &Paths) -> Result<PathBuf> {
    let aside = free_name(paths, "catalog", "redb")?;
    match paths.disk.rename(&paths.catalog, &aside) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(ArchiveError::io(&paths.catalog)(error)),
    }
    Ok(aside)
}

/// Holds the catalog's last commit against the log.
fn check_position(paths: &Paths, keys: Option<&Keys>, position: Position, findings: &mut Findings) -> Result<()> {
    if position.sequence == 0 {
        return Ok(());
    }
    let path = pack::path(&paths.packs, position.pack);
    let len = match path.metadata() {
        Ok(meta) => meta.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
        Err(error) => return Err(ArchiveError::io(&path)(error)),
    };
    if len < position.end {
        return Err(ArchiveError::CatalogAhead {
            catalog: position.sequence,
            log: last_sequence(paths, keys, position)?,
        });
    }
    if let Some(keys) = keys
        && !is_commit(paths, keys, position)?
    {
        findings.push(Finding {
            path,
            offset: Some(position.start),
            document: None,
            what: format!("commit {} is damaged; run `archivista verify`", position.sequence),
        });
    }
    Ok(())
}

/// Sequence of the last commit that the packs hold; 0 without a key.
fn last_sequence(paths: &Paths, keys: Option<&Keys>, position: Position) -> Result<u64> {
    struct Nobody;
    impl Visitor for Nobody {
        fn commit(&mut self, _: &ReadCommit) -> Result<bool> {
            Ok(true)
        }
        fn finding(&mut self, _: Finding) {}
        fn progress(&mut self, _: u64) {}
    }
    let Some(keys) = keys else { return Ok(0) };
    let archive = position.archive;
    let start = Start { archive, keys, position: Position::default(), known: u64::MAX, depth: Depth::Headers };
    Ok(log::walk(&paths.packs, start, &mut Nobody)?.sequence)
}

struct Replay<'a> {
    catalog: Catalog,
    pulse: &'a Pulse,
    findings: &'a mut Findings,
    applied: u32,
}

impl Visitor for Replay<'_> {
    fn commit(&mut self, read: &ReadCommit) -> Result<bool> {
        self.catalog.apply(&read.applied())?;
        self.applied += 1;
        if self.applied.is_multiple_of(CATALOG_EVERY) {
            self.catalog.make_durable()?;
        }
        self.pulse.beat();
        Ok(true)
    }

    fn finding(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    fn progress(&mut self, _: u64) {
        self.pulse.beat();
    }
}

/// Applies what the catalog does not know yet and puts an unfinished end aside.
fn replay(
    paths: &Paths,
    keys: &Keys,
    catalog: Catalog,
    known: u64,
    pulse: &Pulse,
    findings: &mut Findings,
) -> Result<Catalog> {
    let position = catalog.position();
    // What a killed process wrote may be in the kernel's memory only; what is read here counts as acknowledged afterwards.
    for number in pack::numbers(&paths.packs)?.into_iter().filter(|number| *number >= position.pack) {
        pack::sync(&paths.disk, &paths.packs, number)?;
        pulse.beat();
    }
    paths.disk.sync_folder(&paths.packs).map_err(ArchiveError::io(&paths.packs))?;
    let start = Start { archive: position.archive, keys, position, known, depth: Depth::Stored };
    let mut replay = Replay { catalog, pulse, findings, applied: 0 };
    let tail = log::walk(&paths.packs, start, &mut replay)?.tail;
    let Replay { catalog, findings, applied, .. } = replay;
    if applied > 0 {
        catalog.make_durable()?;
    }
    // An end that the catalog knew is damage, and stays where it is.
    if let Some(tail) = tail.filter(|_| catalog.position().sequence >= known) {
        findings.push(put_tail_aside(paths, &tail)?);
    }
    Ok(catalog)
}

/// Copies the tail to `recovered/`, and only when that copy is durable cuts it off the pack.
fn put_tail_aside(paths: &Paths, tail: &Tail) -> Result<Finding> {
    let disk = &paths.disk;
    let path = pack::path(&paths.packs, tail.pack);
    let aside = free_name(paths, &format!("{:06}-{}", tail.pack, tail.from), "tail")?;
    let copy = || -> io::Result<()> {
        let mut from = File::open(&path)?;
        from.seek(SeekFrom::Start(tail.from))?;
        let mut to = disk.open(&aside, OpenOptions::new().write(true).create_new(true))?;
        io::copy(&mut from.take(tail.len), &mut to)?;
        to.sync_all()?;
        disk.sync_folder(&paths.recovered)?;
        disk.sync_folder(&paths.data)?;
        if tail.from == 0 {
            disk.remove(&path)?;
            disk.sync_folder(&paths.packs)
        } else {
            let pack = disk.open(&path, OpenOptions::new().write(true))?;
            pack.set_len(tail.from)?;
            pack.sync_all()
        }
    };
    copy().map_err(ArchiveError::io(&path))?;
    Ok(Finding {
        path,
        offset: Some(tail.from),
        document: None,
        what: format!(
            "an unfinished end of {} bytes, never acknowledged, was put aside as {}",
            tail.len,
            aside.display()
        ),
    })
}
