//! A checkpoint: a small text, signed by the device key, that speaks for the whole history up to a commit
//! (docs/format.md, part 7). Each names the hash of the text before, so that `sha256sum` alone follows them.
//!
//! It is kept in the log, as the setting `checkpoint/NUMBER`, and so comes back with every catalog.

use std::collections::VecDeque;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::device::{Device, PublicKey};
use super::error::{ArchiveError, Result};
use super::history::Mark;
use super::log::ReadCommit;
use super::record::ArchiveId;
use super::rows::Row;
use super::view::View;
use crate::clock;
use crate::hash::{self, Sha256};
use crate::limits::CHECKPOINT_GAP;

/// Keys of checkpoints in the settings table.
const KEY: &str = "checkpoint/";
const TITLE: &str = "Archivista checkpoint 1";

/// Key of a checkpoint in the settings table.
pub fn key(number: u64) -> String {
    format!("{KEY}{number:06}")
}

/// What a checkpoint says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    pub archive: ArchiveId,
    /// 1, 2, 3 …
    pub number: u64,
    /// When it was signed, Unix seconds.
    pub time: i64,
    /// The last commit that it speaks for, and the link behind it.
    pub commit: u64,
    pub link: Sha256,
    /// Documents that had been archived by then, those that ended since among them.
    pub documents: u64,
    /// Hash of the history from the commit behind that of the checkpoint before up to this one.
    pub history: Sha256,
    /// Hash of the text of the checkpoint before; zeros for the first one.
    pub before: Sha256,
    /// Fingerprint of the device key that signs it, and of the one that signed the checkpoint before.
    pub device: Sha256,
    pub device_before: Option<Sha256>,
}

impl Checkpoint {
    /// The bytes that are signed.
    pub fn text(&self) -> String {
        let archive = hash::hex(&self.archive);
        let Self { number, commit, link, documents, history, before, device, .. } = self;
        let time = clock::rfc3339(self.time);
        let device_before = self.device_before.map_or_else(|| "none".into(), |before| before.to_string());
        format!(
            "{TITLE}\narchive: {archive}\ncheckpoint: {number}\ntime: {time}\ncommit: {commit}\nlink: {link}\n\
             documents: {documents}\nhistory: {history}\nbefore: {before}\ndevice-key: {device}\n\
             device-key-before: {device_before}\n"
        )
    }

    /// Reads a text; `None` where one byte of it is not as [`Self::text`] has it.
    pub fn parse(text: &str) -> Option<Self> {
        let value = |name: &str| {
            let mut lines = text.lines().filter_map(|line| line.split_once(": "));
            lines.find(|(other, _)| *other == name).map(|(_, value)| value)
        };
        let number = |name: &str| value(name)?.parse::<u64>().ok();
        let sha256 = |name: &str| Sha256::parse(value(name)?);
        let read = Self {
            archive: hash::unhex(value("archive")?)?.try_into().ok()?,
            number: number("checkpoint")?,
            time: value("time")?.parse::<Timestamp>().ok()?.as_second(),
            commit: number("commit")?,
            link: sha256("link")?,
            documents: number("documents")?,
            history: sha256("history")?,
            before: sha256("before")?,
            device: sha256("device-key")?,
            device_before: sha256("device-key-before"),
        };
        (read.text() == text).then_some(read)
    }

    /// Signs it. `pack`: where its commit lies.
    pub fn sign(&self, device: &Device, pack: u32) -> Signed {
        let text = self.text();
        let signature = STANDARD.encode(device.sign(text.as_bytes()));
        Signed { text, signature, key: STANDARD.encode(device.public().0), pack }
    }
}

/// A checkpoint as it is kept, a JSON object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    /// As it was signed, byte for byte.
    pub text: String,
    /// 64 bytes in Base64.
    signature: String,
    /// The key that signed it: 32 bytes in Base64.
    key: String,
    /// The pack in which its commit lies, so that whoever goes on from there need not look for it.
    pack: u32,
}

impl Signed {
    /// The hash that the next checkpoint names.
    pub fn sha256(&self) -> Sha256 {
        Sha256::of(self.text.as_bytes())
    }

    pub fn signature(&self) -> Vec<u8> {
        STANDARD.decode(&self.signature).unwrap_or_default()
    }

    /// The key that is kept with it; `None` where it is none.
    pub fn public(&self) -> Option<PublicKey> {
        Some(PublicKey(STANDARD.decode(&self.key).ok()?.try_into().ok()?))
    }

    /// What it says, where its text, its key and its signature belong together; else what is wrong.
    pub fn check(&self) -> std::result::Result<Checkpoint, &'static str> {
        let read = Checkpoint::parse(&self.text).ok_or("its text is not in a form that this release reads")?;
        let key = self.public().filter(|key| key.fingerprint() == read.device);
        let key = key.ok_or("the key with it is not the one that it names")?;
        if key.has_signed(self.text.as_bytes(), &self.signature()) { Ok(read) } else { Err("its signature is wrong") }
    }
}

/// A checkpoint as the catalog has it.
#[derive(Clone, Debug)]
pub struct Kept {
    pub number: u64,
    pub signed: Signed,
    /// Sequence of the commit that it came with.
    pub written: u64,
}

impl Kept {
    fn of(row: Row<super::commit::Setting>) -> Result<Option<Self>> {
        let Some(value) = row.value.value else { return Ok(None) };
        let wrong = |detail: String| ArchiveError::Row { table: "settings", detail };
        let number = row.value.key.strip_prefix(KEY).and_then(|number| number.parse().ok());
        let number = number.ok_or_else(|| wrong(format!("{} is no checkpoint", row.value.key)))?;
        let signed = serde_json::from_slice(&value).map_err(|error| wrong(format!("{}: {error}", row.value.key)))?;
        Ok(Some(Self { number, signed, written: row.commit }))
    }

    /// The last one; `None` where there is none yet.
    pub fn last(view: &View) -> Result<Option<Self>> {
        view.last_setting(KEY)?.map_or(Ok(None), Self::of)
    }

    pub fn get(view: &View, number: u64) -> Result<Option<Self>> {
        view.setting_row(&key(number))?.map_or(Ok(None), Self::of)
    }

    /// Where what it speaks for ends, to go on from there.
    pub fn mark(&self, checkpoint: &Checkpoint) -> Mark {
        Mark { sequence: checkpoint.commit, link: checkpoint.link, pack: self.signed.pack, end: 0 }
    }

    /// Whether something was committed that no checkpoint speaks for, apart from this one. `last`: the last commit.
    pub fn has_more(&self, checkpoint: &Checkpoint, last: u64) -> bool {
        last > self.written || self.written > checkpoint.commit + 1
    }
}

/// Holds all checkpoints of a log against it, commit by commit.
#[derive(Debug, Default)]
pub struct Checking {
    /// The last commits, for those that a checkpoint speaks for come shortly before it.
    links: VecDeque<(u64, Sha256)>,
    last: u64,
    before: Sha256,
    device: Option<Sha256>,
}

impl Checking {
    /// Looks at the next commit; what is wrong with the checkpoints in it.
    pub fn commit(&mut self, archive: ArchiveId, read: &ReadCommit) -> Vec<String> {
        let mut found = Vec::new();
        for setting in &read.commit.settings {
            let Some(number) = setting.key.strip_prefix(KEY) else { continue };
            let value = setting.value.as_deref().unwrap_or_default();
            let what = match serde_json::from_slice::<Signed>(value) {
                Ok(signed) => self.checkpoint(archive, number, &signed).err(),
                Err(_) => Some("it is not in a form that this release reads"),
            };
            found.extend(what.map(|what| format!("checkpoint {}: {what}", number.trim_start_matches('0'))));
        }
        if self.links.len() == CHECKPOINT_GAP {
            self.links.pop_front();
        }
        self.links.push_back((read.commit.sequence, read.link));
        found
    }

    fn checkpoint(
        &mut self,
        archive: ArchiveId,
        number: &str,
        signed: &Signed,
    ) -> std::result::Result<(), &'static str> {
        let expected = (self.last + 1, self.before, self.device);
        // What follows is held against what stands there, right or wrong.
        self.last = number.parse().unwrap_or(expected.0);
        self.before = signed.sha256();
        self.device = signed.public().map(|key| key.fingerprint());
        let read = signed.check()?;
        if read.archive != archive {
            return Err("it is one of another archive");
        }
        if read.number != self.last {
            return Err("it has another number");
        }
        if (read.number, read.before) != (expected.0, expected.1) {
            return Err("it does not follow the checkpoint before it");
        }
        if read.device_before != expected.2 {
            return Err("it names another device key before its own");
        }
        if !self.links.contains(&(read.commit, read.link)) {
            return Err("the commit that it speaks for has another link");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::commit::{Commit, Setting};
    use super::*;

    const ARCHIVE: ArchiveId = [0xa0; 16];

    fn device(seed: u8) -> Device {
        Device::of(&std::array::from_fn(|n| seed + u8::try_from(n).unwrap()))
    }

    fn first() -> Checkpoint {
        Checkpoint {
            archive: std::array::from_fn(|n| 0xa0 + u8::try_from(n).unwrap()),
            number: 1,
            time: 1_700_000_200,
            commit: 12,
            link: Sha256::of(b"link"),
            documents: 7,
            history: Sha256::of(super::super::history::tests::text().as_bytes()),
            before: Sha256::default(),
            device: device(0).public().fingerprint(),
            device_before: None,
        }
    }

    /// Key, texts and signatures of docs/format.md, part 7.
    #[test]
    fn text_and_signature_are_frozen() {
        let format = include_str!("../../docs/format.md");
        let is_there = |text: &str| {
            let indented: String = text.lines().fold(String::new(), |all, line| format!("{all}    {line}\n"));
            assert!(format.contains(&indented), "{indented}");
        };
        is_there(&device(0).public().pem());
        let one = first().sign(&device(0), 1);
        is_there(&one.text);
        is_there(&one.signature);
        // Another key, after the first one was lost.
        let second = Checkpoint {
            number: 2,
            time: 1_700_086_600,
            commit: 99,
            documents: 8,
            before: one.sha256(),
            device: device(32).public().fingerprint(),
            device_before: Some(device(0).public().fingerprint()),
            ..first()
        };
        let two = second.sign(&device(32), 1);
        is_there(&two.text);
        is_there(&two.signature);
        assert_eq!((one.check(), two.check()), (Ok(first()), Ok(second)));
    }

    #[test]
    fn not_a_byte_of_a_text_can_be_another_one() {
        let signed = first().sign(&device(0), 1);
        for place in 0..signed.text.len() {
            let mut bytes = signed.text.clone().into_bytes();
            bytes[place] ^= 1;
            let text = String::from_utf8(bytes).unwrap();
            assert!(Signed { text, ..signed.clone() }.check().is_err(), "{place}");
        }
        for more in ["\n", "x: y\n", " "] {
            assert_eq!(Checkpoint::parse(&format!("{}{more}", signed.text)), None);
        }
        assert!(Signed { key: STANDARD.encode([1; 32]), ..signed.clone() }.check().is_err());
        assert!(Signed { signature: STANDARD.encode([1; 64]), ..signed }.check().is_err());
    }

    fn read(sequence: u64, settings: Vec<Setting>) -> ReadCommit {
        ReadCommit {
            commit: Commit { sequence, settings, ..Commit::default() },
            link: Sha256::of(&sequence.to_le_bytes()),
            is_linked: true,
            pack: 1,
            start: 0,
            end: 0,
            offsets: Vec::new(),
            erased: Vec::new(),
            metadata: Vec::new(),
            changes: Vec::new(),
        }
    }

    fn setting(number: u64, signed: &Signed) -> Vec<Setting> {
        vec![Setting { key: key(number), value: Some(serde_json::to_vec(signed).unwrap()) }]
    }

    #[test]
    fn a_wrong_checkpoint_is_named_and_the_next_one_judged_for_itself() {
        let of = |number: u64, before: Sha256, device_before| Checkpoint {
            archive: ARCHIVE,
            number,
            commit: number,
            link: Sha256::of(&number.to_le_bytes()),
            before,
            device_before,
            ..first()
        };
        let known = Some(device(0).public().fingerprint());
        let one = of(1, Sha256::default(), None).sign(&device(0), 1);
        let good = of(2, one.sha256(), known);
        let two = |checkpoint: &Checkpoint| checkpoint.sign(&device(0), 1);
        let cases = [
            (two(&good), None),
            (two(&Checkpoint { archive: [1; 16], ..good.clone() }), Some("of another archive")),
            (two(&Checkpoint { number: 3, ..good.clone() }), Some("another number")),
            (two(&Checkpoint { before: Sha256::of(b"x"), ..good.clone() }), Some("does not follow")),
            (two(&Checkpoint { device_before: None, ..good.clone() }), Some("another device key")),
            (two(&Checkpoint { link: Sha256::of(b"x"), ..good.clone() }), Some("another link")),
            (two(&Checkpoint { commit: 1, ..good.clone() }), Some("another link")),
            (Signed { signature: one.signature.clone(), ..two(&good) }, Some("signature is wrong")),
            (Signed { text: "x".into(), ..two(&good) }, Some("not in a form")),
        ];
        for (signed, expected) in cases {
            let mut checking = Checking::default();
            assert!(checking.commit(ARCHIVE, &read(1, Vec::new())).is_empty());
            assert!(checking.commit(ARCHIVE, &read(2, setting(1, &one))).is_empty());
            let found = checking.commit(ARCHIVE, &read(3, setting(2, &signed)));
            match expected {
                None => assert!(found.is_empty(), "{found:?}"),
                Some(what) => {
                    assert!(found.len() == 1 && found[0].starts_with("checkpoint 2: "), "{found:?}");
                    assert!(found[0].contains(what), "{found:?}");
                }
            }
            let three = of(3, signed.sha256(), known).sign(&device(0), 1);
            let found = checking.commit(ARCHIVE, &read(4, setting(3, &three)));
            assert!(found.is_empty(), "{found:?}");
        }
        let found = Checking::default().commit(ARCHIVE, &read(1, vec![Setting { key: key(1), value: None }]));
        assert_eq!(found.len(), 1);
    }
}
