//! A small archive of every kind of record, to be spoilt: what it holds, and which byte concerns which document.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::thread;

use archivista::archive::commit::Metadata;
use archivista::archive::keys::Keys;
use archivista::archive::log::{self, Finding, ReadCommit, Start, Visitor};
use archivista::archive::pack::{self, Depth};
use archivista::archive::rows::Position;
use archivista::archive::start::{self, Paths};
use archivista::archive::{Archive, ArchiveError, verify};
use archivista::hash::Sha256;
use tempfile::TempDir;

use super::cuts::scratch;
use super::work::Work;
use super::{small, tree};

/// So that there are several packs.
pub const PACK_SIZE: u64 = 1000;

/// A record, and the documents that it concerns.
#[derive(Debug)]
pub struct Concern {
    pub pack: u32,
    pub bytes: Range<u64>,
    pub documents: Vec<u64>,
    pub holds: Holds,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// Without it the documents cannot be had.
    Content,
    /// What is known of them, or another rendering.
    Rest,
    /// That they were archived: without it and without a catalog nobody knows of them.
    Commit,
}

pub struct EveryKind {
    root: TempDir,
    /// What was archived, by number.
    pub documents: BTreeMap<u64, Vec<u8>>,
    pub concerns: Vec<Concern>,
}

impl EveryKind {
    /// The one place where the records come from: a kind that is new in the format is archived here, and [`concerns`] says
    /// which documents it concerns.
    pub fn new() -> Self {
        let root = scratch();
        let archive = small::open_sized(root.path(), PACK_SIZE);
        small::archive(&archive, 1, 2);
        let change = |metadata: &mut Metadata| {
            metadata.note = "a note".into();
            Vec::new()
        };
        archive.change(1, Box::new(change)).unwrap();
        small::archive(&archive, 3, 3);
        let mut work = Work::over(archive, None, 10);
        work.variant(&[&b"X-Other: server\r\n"[..], &small::mail(3)].concat(), 3);
        small::archive(&work.archive, 4, 4);
        let mut documents: BTreeMap<_, _> = (1..=4).map(|number| (number, small::mail(number))).collect();
        // Two that share an attachment, and one more that had it, and one of its own, and has ended.
        let split = |number, attachments: &[&[u8]]| small::with_attachments(number, attachments, 76);
        let mails = [split(20, &[&[7; 4500]]), split(21, &[&[7; 4500]]), split(22, &[&[7; 4500], &[8; 4500]])];
        small::put(&work.archive, "anna", (20..).zip(mails.iter().cloned()).collect());
        documents.extend((5..).zip(mails.into_iter().take(2)));
        work.end(&[7]);
        assert!(work.archive.erase(&mut || Ok(())).unwrap() > 0);
        // A later number tells of those before it.
        small::archive(&work.archive, 8, 8);
        documents.insert(8, small::mail(8));
        drop(work);
        let concerns = concerns(root.path());
        let it = Self { root, documents, concerns };
        assert!(it.packs().len() >= 3);
        it
    }

    pub fn path(&self) -> &Path {
        self.root.path()
    }

    pub fn packs(&self) -> Vec<u32> {
        pack::numbers(&Paths::new(self.path()).packs).unwrap()
    }

    /// A copy that can be spoilt.
    pub fn copy(&self) -> TempDir {
        let copy = scratch();
        tree::copy(self.path(), copy.path());
        copy
    }

    pub fn concern(&self, pack: u32, at: u64) -> Option<&Concern> {
        self.concerns.iter().find(|concern| concern.pack == pack && concern.bytes.contains(&at))
    }

    /// Documents that cannot be had where this byte is damaged.
    pub fn without(&self, pack: u32, at: u64) -> Vec<u64> {
        let concern = self.concern(pack, at).filter(|concern| concern.holds == Holds::Content);
        concern.map_or(Vec::new(), |concern| concern.documents.clone())
    }

    /// Documents of which something lies in a pack.
    pub fn within(&self, pack: u32) -> impl Iterator<Item = u64> {
        self.concerns.iter().filter(move |concern| concern.pack == pack).flat_map(|concern| concern.documents.clone())
    }

    /// All that can be had comes out as it went in; tells the numbers of the rest.
    pub fn refused(&self, archive: &Archive, what: &str) -> Vec<u64> {
        let mut refused = Vec::new();
        for (&number, mail) in &self.documents {
            let mut bytes = Vec::new();
            match archive.read(number, &mut bytes) {
                Ok(()) => assert!(bytes == *mail, "{what}: document {number} came out wrong"),
                Err(ArchiveError::DocumentDamaged { number: told, .. } | ArchiveError::NoDocument { number: told }) => {
                    assert_eq!(told, number, "{what}");
                    refused.push(number);
                }
                Err(error) => panic!("{what}: document {number}: {error}"),
            }
        }
        refused
    }

    /// Two threads, each with every other byte of every pack of a copy of its own.
    pub fn at_every_byte(&self, each: impl Fn(&Spoilt, u32, u64, u8) + Sync) {
        let half = |half: u64| {
            let spoilt = Spoilt::of(self);
            for pack in self.packs() {
                let bytes = fs::read(small::pack(self.path(), pack)).unwrap();
                for (at, byte) in (0u64..).zip(bytes).filter(|(at, _)| at % 2 == half) {
                    each(&spoilt, pack, at, byte);
                }
            }
        };
        thread::scope(|scope| {
            let other = scope.spawn(|| half(1));
            half(0);
            other.join().unwrap();
        });
    }
}

/// Packs to be spoilt, with a catalog beside them, and an open archive that reads the same packs.
pub struct Spoilt {
    pub closed: TempDir,
    pub open: Archive,
    _beside: TempDir,
}

impl Spoilt {
    fn of(it: &EveryKind) -> Self {
        let (closed, beside) = (it.copy(), it.copy());
        fs::remove_dir_all(beside.path().join("packs")).unwrap();
        symlink(closed.path().join("packs"), beside.path().join("packs")).unwrap();
        let open = small::open_sized(beside.path(), PACK_SIZE);
        Self { closed, open, _beside: beside }
    }
}

fn concerns(data: &Path) -> Vec<Concern> {
    #[derive(Default)]
    struct Reader {
        concerns: Vec<Concern>,
        /// Which of them a part is.
        parts: BTreeMap<Sha256, usize>,
    }
    impl Visitor for Reader {
        fn commit(&mut self, read: &ReadCommit) -> archivista::archive::Result<bool> {
            let commit = &read.commit;
            let is_live = |message: u32| read.erased[usize::try_from(message).unwrap()].is_none();
            let concerns = &mut self.concerns;
            let mut add = |index: u32, documents: &[u64], holds: Holds| {
                let index = usize::try_from(index).unwrap();
                let start = read.offsets[index].unwrap();
                let bytes = start..start + commit.records[index].len;
                // What was erased concerns nobody any more.
                let (documents, holds) =
                    if read.erased[index].is_some() { (&[][..], Holds::Rest) } else { (documents, holds) };
                concerns.push(Concern { pack: read.pack, bytes, documents: documents.into(), holds });
                concerns.len() - 1
            };
            for new in &commit.parts {
                self.parts.insert(new.sha256, add(new.part, &[], Holds::Content));
            }
            for new in &commit.documents {
                add(new.message, &[new.number], Holds::Content);
                add(new.document, &[new.number], Holds::Rest);
            }
            for change in &commit.changes {
                add(change.document, &[change.number], Holds::Rest);
            }
            for variant in &commit.variants {
                add(variant.message, &[variant.document], Holds::Rest);
            }
            for split in &commit.splits {
                let number = commit.document_at(split.message).unwrap();
                for part in split.parts.iter().filter(|_| is_live(split.message)) {
                    concerns[self.parts[part]].documents.push(number);
                }
            }
            let live = commit.documents.iter().filter(|new| is_live(new.message));
            let documents = live.map(|new| new.number).collect();
            let bytes = read.start..read.end - pack::LINK_LEN;
            concerns.push(Concern { pack: read.pack, bytes, documents, holds: Holds::Commit });
            Ok(true)
        }
        fn finding(&mut self, finding: Finding) {
            panic!("{finding}");
        }
        fn progress(&mut self, _: u64) {}
    }
    let paths = Paths::new(data);
    let keys = Keys::read(&paths.keys).unwrap().unwrap();
    let archive = start::head(&paths).unwrap().unwrap().archive;
    let from = Start { archive, keys: &keys, position: Position::default(), known: u64::MAX, depth: Depth::Stored };
    let mut reader = Reader::default();
    log::walk(&paths.packs, from, &mut reader).unwrap();
    reader.concerns
}

/// What a proof of an archive that nobody has open says of damage, or why there is no proof.
pub fn said(data: &Path) -> Vec<String> {
    match verify::closed(&Paths::new(data), false, &mut |_, _| Ok(())) {
        Ok(report) => report.findings.lines().collect(),
        Err(error) => vec![error.to_string()],
    }
}

/// Whether a document is named among what is said.
pub fn names(said: &[String], document: u64) -> bool {
    said.iter().any(|line| line.contains(&format!("document {document}:")))
}
