//! The pack reader over whatever stands behind a sound head.
//!
//! An input is a row of pieces: what it is (a byte), a length (two bytes, little endian), and so many bytes. Records are
//! sealed here, by docs/format.md and with a key and an archive id that never change, so that the fuzzer works on what CRC
//! and seals protect.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::{env, fs};

use archivista::archive::commit::{Commit, Metadata, Named, NewDocument};
use archivista::archive::keys::{self, Keys};
use archivista::archive::pack::{self, Depth, FORMAT, Found, LINK_LEN, PACK_HEADER_LEN, PackHeader, Scanner};
use archivista::archive::record::{ArchiveId, HEADER_LEN, Kind, MAGIC, RecordSalt};
use archivista::archive::start::Paths;
use archivista::archive::verify;
use archivista::hash::Sha256;
use ring::aead::{Aad, Nonce};

use crate::seeds;

// What a piece is: the three lowest bits.
const RAW: u8 = 0;
/// A record of the kind with this number, 1 to 4, with these bytes as its payload.
const RECORD: std::ops::RangeInclusive<u8> = 1..=4;
/// A commit that answers for all records since the last one; what else it says is taken from its bytes.
const COMMIT: u8 = 5;
/// A document record that can be read; what it says is taken from its bytes.
const DOCUMENT: u8 = 6;
/// A record of a kind that nobody knows.
const UNKNOWN: u8 = 7;
// How: the others.
/// The payload is packed.
const PACKED: u8 = 0x08;
/// The bytes are what a packed payload would be.
const FRAME: u8 = 0x10;
/// Codec and length are those of the first nine bytes.
const LIES: u8 = 0x20;
/// Chunks are as long as the first byte says.
const CUT: u8 = 0x40;
/// One stored byte is another: the last two bytes say which.
const FLIP: u8 = 0x80;

/// As in the test vectors of docs/format.md.
const ARCHIVE: ArchiveId =
    [0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf];
const PACK: u32 = 1;
/// Byte 5 of what stands in the place of an erased record.
const ERASED: u8 = 6;

/// Two data folders with the same packs, one of them without its key.
struct Place {
    keyed: Paths,
    bare: Paths,
    keys: Keys,
}

static PLACE: LazyLock<Place> = LazyLock::new(|| {
    let folder: PathBuf = env::temp_dir().join(format!("archivista-fuzz-{}", std::process::id()));
    let (keyed, bare) = (Paths::new(&folder.join("keyed")), Paths::new(&folder.join("bare")));
    for folder in [&keyed.packs, &keyed.keys, &bare.data] {
        fs::create_dir_all(folder).unwrap();
    }
    let key: Vec<u8> = (0..32).collect();
    fs::write(keys::path(&keyed.keys), key).unwrap();
    symlink(&keyed.packs, &bare.packs).unwrap();
    let keys = Keys::read(&keyed.keys).unwrap().unwrap();
    Place { keyed, bare, keys }
});

pub fn run(input: &[u8]) {
    let Place { keyed, bare, keys } = &*PLACE;
    let pack = Pack::of(input, keys);
    fs::write(pack::path(&keyed.packs, PACK), &pack.bytes).unwrap();

    let plain = scan(Some(keys), Depth::Plain);
    assert!(plain.found.starts_with(&pack.sound), "{:?} instead of {:?}", plain.found, pack.sound);
    for (keys, depth) in [(Some(keys), Depth::Stored), (Some(keys), Depth::Headers), (None, Depth::Stored)] {
        let scanned = scan(keys, depth);
        assert!(plain.broken > 0 || scanned.broken == 0 && scanned.found == plain.found, "{depth:?}");
    }
    for found in &plain.found {
        let mut out = Vec::new();
        match pack::read(&keyed.packs, ARCHIVE, keys, PACK, found.0, &mut out).unwrap() {
            Ok(whole) => assert!(Sha256::of(&out) == whole.sha256 && !plain.erased.contains(&found.0)),
            Err(why) => assert!(plain.erased.contains(&found.0) && out.is_empty(), "{found:?}: {why}"),
        }
    }

    let report = verify::closed(keyed, false, &mut |_, _| Ok(())).unwrap();
    assert!(report.opened && report.bytes == pack.bytes.len() as u64);
    assert!(report.commits >= pack.commits, "{} of {} commits: {report:?}", report.commits, pack.commits);
    let report = verify::closed(bare, false, &mut |_, _| Ok(())).unwrap();
    assert!(!report.opened && report.bytes == pack.bytes.len() as u64);
}

/// Place, kind and length of a whole record.
type At = (u64, Kind, u64);

struct Scanned {
    found: Vec<At>,
    /// Places of those that were taken out.
    erased: Vec<u64>,
    broken: u64,
}

fn scan(keys: Option<&Keys>, depth: Depth) -> Scanned {
    let packs = &PLACE.keyed.packs;
    let (mut scanner, head) = Scanner::open(packs, PACK, keys).unwrap().unwrap();
    assert!(head.archive == ARCHIVE && scanner.position() == PACK_HEADER_LEN);
    let mut scanned = Scanned { found: Vec::new(), erased: Vec::new(), broken: 0 };
    loop {
        let before = scanner.position();
        match scanner.next(depth).unwrap() {
            None => break,
            Some(Found::Record { offset, kind, stored, link, erased, .. }) => {
                scanned.erased.extend(erased.map(|_| offset));
                assert_eq!((offset, offset + stored.len), (before, scanner.position()));
                assert_eq!(link.is_some(), kind == Kind::Commit);
                scanned.found.push((offset, kind, stored.len));
            }
            Some(Found::Broken { offset, next, .. }) => {
                assert_eq!((offset, next.unwrap_or(scanner.end())), (before, scanner.position()));
                scanned.broken += 1;
            }
        }
        assert!(before < scanner.position() && scanner.position() <= scanner.end());
    }
    scanned
}

/// A pack under way.
struct Pack<'a> {
    keys: &'a Keys,
    bytes: Vec<u8>,
    salts: u64,
    /// Records since the last commit, and hash and length of their payloads.
    open: VecDeque<(Named, Sha256, u64)>,
    commits: u64,
    numbers: u64,
    link: Sha256,
    /// Whole records from the beginning on, as long as nothing else stands between them.
    sound: Vec<At>,
    is_sound: bool,
}

impl<'a> Pack<'a> {
    fn of(mut input: &[u8], keys: &'a Keys) -> Self {
        let head = PackHeader { format: FORMAT, number: PACK, archive: ARCHIVE, created: 0, key: keys.check(ARCHIVE) };
        let mut pack = Self {
            keys,
            bytes: head.encode().to_vec(),
            salts: 0,
            open: VecDeque::new(),
            commits: 0,
            numbers: 0,
            link: Sha256::of(&ARCHIVE),
            sound: Vec::new(),
            is_sound: true,
        };
        while let [what, low, high, rest @ ..] = input {
            let len = usize::from(u16::from_le_bytes([*low, *high]));
            let (bytes, rest) = rest.split_at(len.min(rest.len()));
            input = rest;
            pack.piece(*what, bytes);
        }
        pack
    }

    fn piece(&mut self, what: u8, bytes: &[u8]) {
        match what & 7 {
            RAW => {
                self.is_sound &= bytes.is_empty();
                self.bytes.extend_from_slice(bytes);
            }
            COMMIT => self.commit(what, bytes),
            DOCUMENT => {
                let mut metadata: Metadata = minicbor::decode(bytes).unwrap_or_default();
                metadata.number = self.numbers + 1;
                self.record(what, 3, &minicbor::to_vec(&metadata).unwrap(), bytes);
            }
            kind if RECORD.contains(&kind) => {
                // A commit that says anything, behind which no link stands that fits.
                self.is_sound &= kind != Kind::Commit as u8;
                self.record(what, kind, bytes, bytes);
                if kind == Kind::Commit as u8 {
                    self.bytes.extend([0; LINK_LEN as usize]);
                }
            }
            UNKNOWN => {
                self.is_sound = false;
                self.record(what, bytes.first().copied().unwrap_or(0), bytes, bytes);
            }
            _ => {}
        }
    }

    /// Answers for the records before it, and for the documents among them unless the bytes say something of documents.
    fn commit(&mut self, what: u8, bytes: &[u8]) {
        let mut commit: Commit = minicbor::decode(bytes).unwrap_or_default();
        commit.sequence = self.commits + 1;
        commit.previous = self.link;
        let open = std::mem::take(&mut self.open);
        commit.records = open.iter().map(|(named, ..)| *named).collect();
        if commit.documents.is_empty() {
            let kind = |at: usize| open.get(at).map(|(named, ..)| named.kind);
            for at in (0..open.len()).filter(|at| kind(*at) == Some(1) && kind(at + 1) == Some(3)) {
                let (number, message) = (self.numbers + 1, u32::try_from(at).unwrap());
                let (_, sha256, size) = open[at];
                self.numbers = number;
                commit.documents.push(NewDocument { number, sha256, size, message, document: message + 1 });
            }
        }
        let encoded = minicbor::to_vec(&commit).unwrap();
        let was_sound = self.is_sound;
        self.record(what, 4, &encoded, bytes);
        let Some((named, ..)) = self.open.pop_back() else { return };
        self.open.clear();
        let link = commit.link(named.sha256);
        self.bytes.extend_from_slice(&link.0);
        if self.is_sound
            && let Some(last) = self.sound.last_mut()
        {
            last.2 += LINK_LEN;
        }
        if was_sound && self.is_sound {
            self.commits += 1;
            self.link = link;
        }
    }

    /// Appends a record; `how` is from where it is told to lie.
    fn record(&mut self, what: u8, kind: u8, payload: &[u8], how: &[u8]) {
        let at = |place: usize| how.get(place).copied().unwrap_or(0);
        let (mut codec, mut packed, mut plain) = (0, payload.to_vec(), payload.to_vec());
        if what & FRAME != 0 {
            (codec, plain) = (1, unpacked(payload));
        } else if what & PACKED != 0 {
            (codec, packed) = (1, zstd::bulk::compress(payload, 3).unwrap());
        }
        let sha256 = Sha256::of(&plain);
        let mut len = plain.len() as u64;
        if what & LIES != 0 {
            codec = at(0);
            len = u64::from_le_bytes(std::array::from_fn(|place| at(place + 1)));
        }
        let contents = [&[codec], &len.to_le_bytes()[..], &sha256.0, &packed].concat();
        let chunk = if what & CUT != 0 { usize::from(at(0)) + 1 } else { 65_536 };
        let mut stored = self.seal(kind, &contents, chunk);
        if what & FLIP != 0 {
            let place = how.iter().rev().take(2).fold(0, |place, byte| place << 8 | usize::from(*byte));
            let place = place % stored.len();
            stored[place] ^= 1 << (at(0) % 8);
        }
        self.is_sound &= what & (FRAME | LIES | FLIP) == 0;
        if self.is_sound {
            let kind = [Kind::Message, Kind::Part, Kind::Document, Kind::Commit][usize::from(kind) - 1];
            self.sound.push((self.bytes.len() as u64, kind, stored.len() as u64));
        }
        let named = Named { kind, len: stored.len() as u64, sha256: Sha256::of(&stored) };
        self.open.push_back((named, sha256, len));
        self.bytes.extend(stored);
    }

    /// docs/format.md, part 2.
    fn seal(&mut self, kind: u8, contents: &[u8], chunk: usize) -> Vec<u8> {
        self.salts += 1;
        let mut salt = RecordSalt::default();
        salt[..8].copy_from_slice(&self.salts.to_le_bytes());
        let mut header = [&MAGIC[..], &[1, kind, 0, 0], &salt].concat();
        header.extend(crc32fast::hash(&[&ARCHIVE[..], &header].concat()).to_le_bytes());
        assert_eq!(header.len(), HEADER_LEN);
        let key = self.keys.record(&salt);
        let mut stored = header.clone();
        let chunks: Vec<&[u8]> = contents.chunks(chunk).collect();
        for (number, chunk) in chunks.iter().enumerate() {
            let is_last = number + 1 == chunks.len();
            let mut nonce = [0; 12];
            nonce[..8].copy_from_slice(&(number as u64).to_le_bytes());
            nonce[8] = u8::from(is_last);
            let mut sealed = chunk.to_vec();
            let nonce = Nonce::assume_unique_for_key(nonce);
            key.seal_in_place_append_tag(nonce, Aad::from(&header), &mut sealed).unwrap();
            let len = u32::try_from(sealed.len()).unwrap() | if is_last { 1 << 31 } else { 0 };
            stored.extend(len.to_le_bytes());
            stored.extend(sealed);
        }
        stored
    }
}

/// What the frame unpacks to, as far as it does.
fn unpacked(frame: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    if let Ok(decoder) = zstd::stream::read::Decoder::new(frame) {
        let _: io::Result<usize> = decoder.single_frame().take(1 << 20).read_to_end(&mut plain);
    }
    plain
}

/// A piece of an input.
fn piece(what: u8, bytes: &[u8]) -> Vec<u8> {
    let len = u16::try_from(bytes.len()).unwrap();
    [&[what], &len.to_le_bytes()[..], bytes].concat()
}

pub fn seeds() -> Vec<Vec<u8>> {
    let mail = b"Subject: x\r\n\r\nGr\xfcezi\r\n".repeat(5);
    let message = |how: u8| piece(1 | how, &mail);
    let (document, commit) = (piece(DOCUMENT, b""), piece(COMMIT, b""));
    let batch = [message(0), document.clone(), message(PACKED), document.clone(), commit.clone()].concat();
    let mut inputs = vec![
        batch.clone(),
        batch.repeat(3),
        [batch.clone(), piece(RAW, b"junk"), batch.clone()].concat(),
        [batch.clone(), message(CUT), document.clone(), commit.clone()].concat(),
        [message(FLIP), batch.clone()].concat(),
        [batch.clone(), piece(UNKNOWN, &[9]), commit.clone(), batch.clone()].concat(),
        [batch.clone(), message(LIES), commit].concat(),
    ];
    let frame = zstd::bulk::compress(&mail, 3).unwrap();
    inputs.push([piece(1 | FRAME, &frame), piece(2 | FRAME, &frame), piece(3 | FRAME, &frame), batch.clone()].concat());
    // The vectors: as they are stored, and as payloads of document records and of commits.
    for vector in seeds::vectors() {
        inputs.push([piece(RAW, &vector), batch.clone()].concat());
        // What stands in the place of an erased record, with the zeros up to its former length.
        if vector.starts_with(&MAGIC)
            && vector.get(5) == Some(&ERASED)
            && let Some(len) = vector.get(HEADER_LEN..).and_then(|rest| rest.first_chunk())
        {
            let zeros = usize::try_from(u64::from_le_bytes(*len)).unwrap().saturating_sub(vector.len());
            inputs.push([piece(RAW, &vector), piece(RAW, &vec![0; zeros]), batch.clone()].concat());
        }
        inputs.push([message(0), piece(DOCUMENT, &vector), piece(3, &vector), piece(COMMIT, &vector)].concat());
    }
    // A commit that says something in every field.
    for number in [1, 2, 7, u64::MAX] {
        inputs.push([batch.clone(), message(0), document.clone(), piece(COMMIT, &talkative(number))].concat());
    }
    inputs
}

fn talkative(number: u64) -> Vec<u8> {
    use archivista::archive::commit::{
        Block, Change, Ending, Entry, Event, Folder, FolderCursor, Happening, NewPart, Occurrence, Outcome, Run,
        Setting, Split, Tombstone, Variant,
    };
    let sha256 = Sha256([7; 32]);
    let entry = Entry { folder: 1, remote: vec![1], outcome: Outcome::Archived(number), after_due: true, booked: 1 };
    let folder = Folder {
        number: 1,
        definition: "d".into(),
        mailbox: "m".into(),
        id: "i".into(),
        name: "n".into(),
        mailbox_name: "m".into(),
    };
    let commit = Commit {
        folders: vec![folder],
        restarted: vec![1],
        occurrences: vec![Occurrence {
            document: number,
            folder: 1,
            remote: vec![1],
            seen: 1,
            received: None,
            flags: vec!["f".into()],
        }],
        ledger: vec![
            entry.clone(),
            Entry { outcome: Outcome::Failed { why: "w".into(), tries: 1, again: 1 }, ..entry },
        ],
        cursors: Vec::<FolderCursor>::new(),
        settings: vec![Setting { key: "k".into(), value: Some(vec![1]) }],
        journal: vec![Event { time: 1, who: "w".into(), what: Happening::Opened(number) }],
        runs: vec![Run::default()],
        variants: vec![Variant { document: number, sha256, size: 1, message: 0 }],
        changes: vec![Change { number, document: 1 }],
        parts: vec![NewPart { sha256, size: 5000, part: 0 }],
        splits: vec![Split { message: 0, parts: vec![sha256] }],
        tombstones: vec![Tombstone { number, why: Ending::Erased, records: vec![sha256], parts: vec![sha256] }],
        blocks: vec![Block { number, is_blocked: true }],
        ..Commit::default()
    };
    minicbor::to_vec(&commit).unwrap()
}
