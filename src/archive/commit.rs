//! What a commit record says, and the values it shares with the catalog (docs/format.md, part 3). All CBOR (RFC 8949);
//! fields have numbers, so that later releases can add some.
//!
//! Invariant: a commit and its document records hold everything the catalog will know; a commit alone holds no content
//! and no header field of a message, so that deleting a message can be complete.

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};
use serde::Serialize;

pub use super::journal::{Event, Happening};
use super::record::{Kind, Stored};
use crate::hash::{Hasher, Sha256};
use crate::ingest::{Defect, Head};

/// Number of a document (Aktennummer): 1, 2, 3 …, never used again.
pub type Number = u64;
/// Number of a folder within the archive, see [`Folder`].
pub type FolderNumber = u32;

/// One commit.
#[derive(Clone, Debug, Default, Encode, Decode)]
#[cbor(map)]
pub struct Commit {
    /// 1, 2, 3 …
    #[n(0)]
    pub sequence: u64,
    /// Link of the commit before; SHA-256 of the archive id for the first one.
    #[n(1)]
    pub previous: Sha256,
    /// Unix seconds.
    #[n(2)]
    pub time: i64,
    /// Every record since the commit before, in order.
    #[cbor(n(3), default)]
    pub records: Vec<Named>,
    #[cbor(n(4), default)]
    pub documents: Vec<NewDocument>,
    #[cbor(n(5), default)]
    pub folders: Vec<Folder>,
    /// Folders whose ids count no longer (UIDVALIDITY changed): their ledger rows end here.
    #[cbor(n(6), default)]
    pub restarted: Vec<FolderNumber>,
    #[cbor(n(7), default)]
    pub occurrences: Vec<Occurrence>,
    #[cbor(n(8), default)]
    pub ledger: Vec<Entry>,
    #[cbor(n(9), default)]
    pub cursors: Vec<FolderCursor>,
    #[cbor(n(10), default)]
    pub settings: Vec<Setting>,
    #[cbor(n(11), default)]
    pub journal: Vec<Event>,
    #[cbor(n(12), default)]
    pub runs: Vec<Run>,
    #[cbor(n(13), default)]
    pub variants: Vec<Variant>,
    /// Documents whose metadata somebody changed.
    #[cbor(n(14), default)]
    pub changes: Vec<Change>,
    /// Parts that begin with this commit.
    #[cbor(n(15), default)]
    pub parts: Vec<NewPart>,
    /// Which of this commit's message records are split.
    #[cbor(n(16), default)]
    pub splits: Vec<Split>,
    /// Documents that end with this commit.
    #[cbor(n(17), default)]
    pub tombstones: Vec<Tombstone>,
    /// Documents that are blocked or no longer blocked.
    #[cbor(n(18), default)]
    pub blocks: Vec<Block>,
}

impl Commit {
    /// What stands behind this commit, whose stored bytes have the hash `own`, and in the next one as `previous`: it speaks
    /// for every stored byte up to here, and is made of hashes that can be had without the key.
    pub fn link(&self, own: Sha256) -> Sha256 {
        let mut link = Hasher::new();
        let named = self.records.iter().map(|named| &named.sha256);
        for hash in [&self.previous].into_iter().chain(named).chain([&own]) {
            link.update(&hash.0);
        }
        link.finish()
    }

    /// The document whose message record, or a variant's, is this one of [`Self::records`].
    pub fn document_at(&self, message: u32) -> Option<Number> {
        let new = self.documents.iter().find(|new| new.message == message).map(|new| new.number);
        new.or_else(|| self.variants.iter().find(|new| new.message == message).map(|new| new.document))
    }
}

/// A record that a commit answers for: kind, bytes on disk and their hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Named {
    #[n(0)]
    pub kind: u8,
    #[n(1)]
    pub len: u64,
    #[n(2)]
    pub sha256: Sha256,
}

impl Named {
    pub fn new(kind: Kind, stored: Stored) -> Self {
        Self { kind: kind as u8, len: stored.len, sha256: stored.sha256 }
    }
}

/// A document that begins with this commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct NewDocument {
    #[n(0)]
    pub number: Number,
    /// Hash of the raw bytes.
    #[n(1)]
    pub sha256: Sha256,
    /// Raw bytes.
    #[n(2)]
    pub size: u64,
    /// Its message record: index in [`Commit::records`].
    #[n(3)]
    pub message: u32,
    /// Its document record, likewise.
    #[n(4)]
    pub document: u32,
}

/// Another rendering of a document that is there already; its bytes are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Variant {
    #[n(0)]
    pub document: Number,
    /// Hash of its raw bytes.
    #[n(1)]
    pub sha256: Sha256,
    #[n(2)]
    pub size: u64,
    /// Its message record: index in [`Commit::records`].
    #[n(3)]
    pub message: u32,
}

/// New metadata of a document that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Change {
    #[n(0)]
    pub number: Number,
    /// Its document record: index in [`Commit::records`].
    #[n(1)]
    pub document: u32,
}

/// Decoded bytes that several messages share, see [`split`](super::split).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct NewPart {
    /// Hash of the decoded bytes.
    #[n(0)]
    pub sha256: Sha256,
    /// How many they are.
    #[n(1)]
    pub size: u64,
    /// Its part record: index in [`Commit::records`].
    #[n(2)]
    pub part: u32,
}

/// A message record that holds a plan and a skeleton, and what else its message is made of.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Split {
    /// Index in [`Commit::records`].
    #[n(0)]
    pub message: u32,
    /// Hash of each part that the plan names, once each.
    #[n(1)]
    pub parts: Vec<Sha256>,
}

/// The end of a document: its records may be taken out of their packs from now on. Its number and the hash of its bytes stay
/// known, so that neither comes back.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Tombstone {
    #[n(0)]
    pub number: Number,
    #[n(1)]
    pub why: Ending,
    /// Hash of the stored bytes of each record that goes: the message, its variants, every document record, and parts that no
    /// other document has.
    #[n(2)]
    pub records: Vec<Sha256>,
    /// Hash of each part that this document had; as often as its message and its variants have it.
    #[n(3)]
    pub parts: Vec<Sha256>,
}

/// Why a document ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Ending {
    /// Its term was over.
    #[n(0)]
    Term,
    /// Two persons had it erased before.
    #[n(1)]
    Erased,
}

/// A document is kept from all but those who read everything, or no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Block {
    #[n(0)]
    pub number: Number,
    #[n(1)]
    pub is_blocked: bool,
}

/// What a document is.
pub const KIND_MAIL: u8 = 0;
/// A file that somebody uploaded.
pub const KIND_FILE: u8 = 1;

/// The metadata of one document: the payload of a document record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Metadata {
    #[n(0)]
    pub number: Number,
    /// [`KIND_MAIL`] or [`KIND_FILE`].
    #[n(1)]
    pub kind: u8,
    #[cbor(n(2), default)]
    pub title: String,
    #[cbor(n(3), default)]
    pub from: String,
    #[cbor(n(4), default)]
    pub to: String,
    #[cbor(n(5), default)]
    pub cc: String,
    /// The `Date` field, Unix seconds.
    #[n(6)]
    pub date: Option<i64>,
    #[cbor(n(7), default)]
    pub message_id: String,
    /// File names and media types of attachments.
    #[cbor(n(8), default)]
    pub attachments: Vec<Attachment>,
    /// Codes of [`crate::ingest::Defect`].
    #[cbor(n(9), default)]
    pub defects: Vec<u8>,
    /// Further fields, by name. Values are texts as `settings::field_value` writes them: numbers with a point, days as
    /// `2026-11-21`, `yes`; none is empty.
    #[cbor(n(10), default)]
    pub fields: BTreeMap<String, String>,
    /// When it was archived, Unix seconds.
    #[n(11)]
    pub archived: i64,
    #[cbor(n(12), default)]
    pub owner: String,
    #[cbor(n(13), default)]
    pub note: String,
    /// Of an uploaded file: its name (`MediaName`) and its media type.
    #[cbor(n(14), default)]
    pub media_name: String,
    #[cbor(n(15), default)]
    pub media_type: String,
    /// The first document of those that this one is a further version of.
    #[n(16)]
    pub version_of: Option<Number>,
    /// Which version it is: 2, 3 …
    #[n(17)]
    pub version: Option<u32>,
    /// Of a journal report: among whom the mail within it went.
    #[n(18)]
    pub envelope: Option<Envelope>,
}

impl From<Head> for Metadata {
    /// What the catalog takes from a mail; its fields of the archive's own stay empty.
    fn from(head: Head) -> Self {
        let attachments = head.attachments.into_iter();
        Self {
            title: head.subject,
            from: head.from,
            to: head.to,
            cc: head.cc,
            date: head.date,
            message_id: head.message_id,
            attachments: attachments.map(|part| Attachment { name: part.name, media_type: part.media_type }).collect(),
            defects: head.defects.into_iter().map(Defect::code).collect(),
            envelope: head.envelope.map(Into::into),
            ..Self::default()
        }
    }
}

impl Metadata {
    pub fn is_mail(&self) -> bool {
        self.kind == KIND_MAIL
    }
}

/// Among whom a journaled mail went. See [`ingest::Envelope`](crate::ingest::Envelope). For programs, an object of its fields.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(map)]
pub struct Envelope {
    #[cbor(n(0), default)]
    pub sender: String,
    #[cbor(n(1), default)]
    pub on_behalf_of: String,
    #[cbor(n(2), default)]
    pub to: String,
    #[cbor(n(3), default)]
    pub cc: String,
    #[cbor(n(4), default)]
    pub bcc: String,
    #[cbor(n(5), default)]
    pub recipients: String,
}

impl From<crate::ingest::Envelope> for Envelope {
    fn from(read: crate::ingest::Envelope) -> Self {
        let crate::ingest::Envelope { sender, on_behalf_of, to, cc, bcc, recipients } = read;
        Self { sender, on_behalf_of, to, cc, bcc, recipients }
    }
}

impl Envelope {
    /// Each of those to whom it went, whatever they were.
    pub fn to_whom(&self) -> [&str; 4] {
        [&self.to, &self.cc, &self.bcc, &self.recipients]
    }
}

/// An attachment, opened inside its mail.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Attachment {
    #[n(0)]
    pub name: String,
    #[n(1)]
    pub media_type: String,
}

/// A folder of a mailbox of a definition gets its number, or a new name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Folder {
    #[n(0)]
    pub number: FolderNumber,
    #[n(1)]
    pub definition: String,
    /// Identity of the mailbox: account, or Entra object id.
    #[n(2)]
    pub mailbox: String,
    /// Identity of the folder as the server gives it.
    #[n(3)]
    pub id: String,
    /// Readable name.
    #[n(4)]
    pub name: String,
    /// Readable name of the mailbox.
    #[n(5)]
    pub mailbox_name: String,
}

/// One place where a document was seen.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Occurrence {
    #[n(0)]
    pub document: Number,
    #[n(1)]
    pub folder: FolderNumber,
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    pub remote: Vec<u8>,
    /// When we saw it, Unix seconds.
    #[n(3)]
    pub seen: i64,
    /// When the server received it, Unix seconds.
    #[n(4)]
    pub received: Option<i64>,
    #[n(5)]
    pub flags: Vec<String>,
}

/// What became of one message on a server. Exactly one per message.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Outcome {
    /// Archived as a new document.
    #[n(0)]
    Archived(#[n(0)] Number),
    /// Its bytes are a document already.
    #[n(1)]
    Same(#[n(0)] Number),
    /// Left out on purpose.
    #[n(2)]
    LeftOut {
        #[n(0)]
        why: LeftOut,
        /// When to look again, Unix seconds.
        #[n(1)]
        again: Option<i64>,
    },
    /// Could not be had.
    #[n(3)]
    Failed {
        /// One line.
        #[n(0)]
        why: String,
        #[n(1)]
        tries: u32,
        /// When to try again, Unix seconds.
        #[n(2)]
        again: i64,
    },
    /// Deleted from the archive after its term.
    #[n(4)]
    Deleted(#[n(0)] Number),
}

/// Why a message was left out on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum LeftOut {
    #[n(0)]
    Draft,
    #[n(1)]
    /// Younger than the definition's minimum age.
    TooYoung,
    /// No longer on the server when its turn came.
    #[n(2)]
    Gone,
}

impl Outcome {
    /// The document that holds the message.
    pub fn document(&self) -> Option<Number> {
        match self {
            Self::Archived(number) | Self::Same(number) | Self::Deleted(number) => Some(*number),
            Self::LeftOut { .. } | Self::Failed { .. } => None,
        }
    }

    /// When the message wants another look, Unix seconds.
    pub fn again(&self) -> Option<i64> {
        match self {
            Self::LeftOut { again, .. } => *again,
            Self::Failed { again, .. } => Some(*again),
            _ => None,
        }
    }
}

/// A row of the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Entry {
    #[n(0)]
    pub folder: FolderNumber,
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub remote: Vec<u8>,
    #[n(2)]
    pub outcome: Outcome,
    /// Moving or deleting on the server is still to be done.
    #[n(3)]
    pub after_due: bool,
    /// Unix seconds.
    #[n(4)]
    pub booked: i64,
}

/// How far a folder was read.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct FolderCursor {
    #[n(0)]
    pub folder: FolderNumber,
    /// The source's own words.
    #[n(1)]
    pub cursor: String,
    /// Messages in the folder on the server then.
    #[n(2)]
    pub on_server: u64,
    /// Of these, how many had no outcome after the run.
    #[n(3)]
    pub unexplained: u64,
    /// When all ids of the folder were last compared with the ledger, Unix seconds.
    #[n(4)]
    pub reconciled: Option<i64>,
    /// When this was noted, Unix seconds.
    #[n(5)]
    pub noted: i64,
    /// The minimum age by which its messages were left out.
    #[cbor(n(6), default)]
    pub min_age_days: u32,
}

/// A changed setting; secrets in `value` are sealed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Setting {
    #[n(0)]
    pub key: String,
    /// `None`: removed.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub value: Option<Vec<u8>>,
}

/// One run of a definition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Run {
    #[n(0)]
    pub definition: String,
    /// Unix seconds.
    #[n(1)]
    pub started: i64,
    #[n(2)]
    pub ended: i64,
    /// Messages that the run had to decide on.
    #[n(3)]
    pub seen: u64,
    #[n(4)]
    pub archived: u64,
    #[n(5)]
    pub same: u64,
    #[n(6)]
    pub left_out: u64,
    #[n(7)]
    pub failed: u64,
    /// Bytes of archived and same messages.
    #[n(8)]
    pub bytes: u64,
    /// Messages on the server that have no outcome.
    #[n(9)]
    pub unexplained: u64,
    /// What ended the run before its time, one line; empty where nothing did.
    #[n(10)]
    pub trouble: String,
    /// A person ended it, and that is all its trouble.
    #[cbor(n(11), default)]
    pub is_cancelled: bool,
}

impl Run {
    /// Whether something went wrong that nobody wanted.
    pub fn has_trouble(&self) -> bool {
        !self.trouble.is_empty() && !self.is_cancelled
    }

    /// Adds what another part of the same run brought.
    pub fn add(&mut self, part: &Self) {
        self.seen += part.seen;
        self.archived += part.archived;
        self.same += part.same;
        self.left_out += part.left_out;
        self.failed += part.failed;
        self.bytes += part.bytes;
        self.unexplained += part.unexplained;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WITHOUT_VERSION: &str = "b0001920f901010264506c616e036004600560061a6553f1000760088009800aa26642657472616767313230302e3530654b \
             756e6465664d75737465720b1a6553f1010c64616e6e610d67776963687469670e68506c616e2e7064660f6f6170706c6963 \
             6174696f6e2f706466";
    const WITH_VERSION: &str = "b2001920f901010264506c616e036004600560061a6553f1000760088009800aa26642657472616767313230302e3530654b \
             756e6465664d75737465720b1a6553f1010c64616e6e610d67776963687469670e68506c616e2e7064660f6f6170706c6963 \
             6174696f6e2f70646610071102";

    /// The link of docs/format.md, part 3, over the records of part 2.
    #[test]
    fn the_link_is_frozen() {
        let format = include_str!("../../docs/format.md");
        let is_record = |lines: &&str| lines.starts_with("    8941565201") && !lines.starts_with("    894156520106");
        let records = format.split("\n\n").filter(is_record);
        let named = |lines: &str| {
            let hex: String = lines.split_whitespace().collect();
            let bytes = (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap());
            let bytes: Vec<u8> = bytes.collect();
            Named { kind: bytes[5], len: bytes.len() as u64, sha256: Sha256::of(&bytes) }
        };
        let archive: [u8; 16] = std::array::from_fn(|n| 0xa0 + u8::try_from(n).unwrap());
        let previous = Sha256::of(&archive);
        let commit = Commit { previous, records: records.map(named).collect(), ..Commit::default() };
        assert_eq!(commit.records.len(), 2);
        let link = commit.link(Sha256::of(b"abc"));
        assert!(format.contains(&format!("\n    {link}\n")), "{link}");
    }

    #[test]
    fn a_commit_comes_back_and_an_unknown_field_does_not_hinder() {
        let commit = Commit {
            sequence: 7,
            previous: Sha256::of(b"6"),
            time: 1,
            ledger: vec![Entry {
                folder: 1,
                remote: vec![1, 2],
                outcome: Outcome::Failed { why: "x".into(), tries: 1, again: 2 },
                after_due: true,
                booked: 3,
            }],
            settings: vec![Setting { key: "k".into(), value: None }, Setting { key: "l".into(), value: Some(vec![0]) }],
            ..Commit::default()
        };
        let bytes = minicbor::to_vec(&commit).unwrap();
        let back: Commit = minicbor::decode(&bytes).unwrap();
        assert_eq!(format!("{commit:?}"), format!("{back:?}"));

        // A map with one pair more, key 99.
        let mut more = bytes.clone();
        // Longer than 23 pairs it would need another head.
        assert_eq!(more[..2], [0xb3, 0x00]);
        more[0] += 1;
        more.extend([0x18, 99, 0x01]);
        let back: Commit = minicbor::decode(&more).unwrap();
        assert_eq!(back.sequence, 7);
    }

    /// docs/format.md, part 2: the same bytes in every release.
    #[test]
    fn document_records_of_every_release_are_read() {
        let bytes = |hex: &str| -> Vec<u8> {
            let digits: Vec<u8> = hex.bytes().filter_map(|c| u8::try_from(char::from(c).to_digit(16)?).ok()).collect();
            digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
        };
        let plain = Metadata {
            number: 8441,
            kind: KIND_FILE,
            title: "Plan".into(),
            date: Some(1_700_000_000),
            fields: [("Betrag", "1200.50"), ("Kunde", "Muster")]
                .map(|(name, value)| (name.into(), value.into()))
                .into(),
            archived: 1_700_000_001,
            owner: "anna".into(),
            note: "wichtig".into(),
            media_name: "Plan.pdf".into(),
            media_type: "application/pdf".into(),
            ..Metadata::default()
        };
        let version = Metadata { version_of: Some(7), version: Some(2), ..plain.clone() };
        for (hex, metadata) in [(WITHOUT_VERSION, plain), (WITH_VERSION, version)] {
            assert_eq!(minicbor::decode::<Metadata>(&bytes(hex)).unwrap(), metadata);
            assert_eq!(minicbor::to_vec(&metadata).unwrap(), bytes(hex));
        }
    }
}
