//! What stands in the place of a record that was taken out of its pack (docs/format.md, part 2).
//!
//! Invariant: it is as long as what stood there, and carries the hash of that: nothing moves, and the chain verifies with the key
//! and without.

use std::io::{self, Read};

use ring::aead::{Aad, NONCE_LEN, Nonce};

use super::super::keys::Keys;
use super::{ArchiveId, HEADER_LEN, Kind, MAGIC, Stored, TAG_LEN, VERSION, crc, damaged};
use crate::hash::Sha256;

/// Kind of what stands in the place of a record that was taken out.
const ERASED: u8 = 6;
/// Bytes of the smallest record, and of what is written into its place: no record is too short for it.
pub(super) const ERASED_LEN: usize = HEADER_LEN + 8 + 8 + TAG_LEN;

/// What stands in the place of a record that was taken out of its pack: as long as that was, so that nothing moves, and with the
/// hash of its stored bytes, so that the chain can still be checked, without the key too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Erased {
    /// What the record was.
    pub kind: Kind,
    pub stored: Stored,
    /// Sequence of the commit that says why. Zero where it was read without the key.
    pub tombstone: u64,
}

impl Erased {
    /// Layout, little endian: as a header, with the kind 6, the former kind in byte 6 and the former hash in place of the salt;
    /// then the former length 8, and sealed the sequence of the tombstone 8 and a tag 16. Zeros follow up to the former length.
    pub fn encode(&self, archive: ArchiveId, keys: &Keys) -> io::Result<[u8; ERASED_LEN]> {
        let mut bytes = [0; ERASED_LEN];
        bytes[..4].copy_from_slice(&MAGIC);
        (bytes[4], bytes[5], bytes[6]) = (VERSION, ERASED, self.kind as u8);
        bytes[8..40].copy_from_slice(&self.stored.sha256.0);
        let crc = crc(archive, &bytes[..40]);
        bytes[40..HEADER_LEN].copy_from_slice(&crc.to_le_bytes());
        let (head, sealed) = bytes.split_at_mut(HEADER_LEN + 8);
        head[HEADER_LEN..].copy_from_slice(&self.stored.len.to_le_bytes());
        let mut sequence = self.tombstone.to_le_bytes();
        // The same record has the same tombstone for ever: what is sealed twice with this key is the same twice.
        let nonce = Nonce::assume_unique_for_key([0; NONCE_LEN]);
        let key = keys.erased(&self.stored.sha256.0);
        let tag = key.seal_in_place_separate_tag(nonce, Aad::from(&*head), &mut sequence);
        let tag = tag.map_err(|_| io::Error::other("a tombstone cannot be sealed"))?;
        sealed[..8].copy_from_slice(&sequence);
        sealed[8..].copy_from_slice(tag.as_ref());
        Ok(bytes)
    }

    /// Whether a header is followed by an erased record.
    pub fn is_head(bytes: &[u8; HEADER_LEN], archive: ArchiveId) -> bool {
        bytes[..6] == [MAGIC[0], MAGIC[1], MAGIC[2], MAGIC[3], VERSION, ERASED]
            && bytes[7] == 0
            && Kind::from_code(bytes[6]).is_some_and(|kind| kind != Kind::Commit)
            && crc(archive, &bytes[..40]).to_le_bytes() == bytes[40..]
    }

    /// Reads what stands behind such a `head`, without the zeros.
    pub fn read(
        head: &[u8; HEADER_LEN],
        archive: ArchiveId,
        keys: Option<&Keys>,
        input: &mut impl Read,
    ) -> io::Result<Self> {
        let mut rest = [0; ERASED_LEN - HEADER_LEN];
        input.read_exact(&mut rest)?;
        let no = || damaged("an erased record is not what was written in its place");
        let kind = Kind::from_code(head[6]).filter(|_| Self::is_head(head, archive)).ok_or_else(no)?;
        let (len, sealed) = rest.split_at_mut(8);
        let mut sha256 = Sha256::default();
        sha256.0.copy_from_slice(&head[8..40]);
        let stored = Stored { len: u64::from_le_bytes((&*len).try_into().map_err(io::Error::other)?), sha256 };
        let mut tombstone = 0;
        if let Some(keys) = keys {
            let aad = [&head[..], &*len].concat();
            let nonce = Nonce::assume_unique_for_key([0; NONCE_LEN]);
            let opened = keys.erased(&sha256.0).open_in_place(nonce, Aad::from(&aad), sealed).map_err(|_| no())?;
            tombstone = u64::from_le_bytes((&*opened).try_into().map_err(io::Error::other)?);
        }
        if stored.len < ERASED_LEN as u64 {
            return Err(no());
        }
        Ok(Self { kind, stored, tombstone })
    }

    /// Zeros behind it.
    pub fn zeros(&self) -> u64 {
        self.stored.len - ERASED_LEN as u64
    }
}

#[cfg(test)]
mod tests {
    use super::super::Header;
    use super::*;
    use crate::hash::{hex, unhex};

    /// What stands in the place of the first record of docs/format.md, part 2.
    #[test]
    fn an_erased_record_is_frozen_and_comes_back() {
        let keys = Keys::of(std::array::from_fn(|n| u8::try_from(n).unwrap()));
        let archive = std::array::from_fn(|n| 0xa0 + u8::try_from(n).unwrap());
        let format = include_str!("../../../docs/format.md");
        let record: String = format.split("stored:\n\n").nth(1).unwrap().split("\n\n").next().unwrap().into();
        let record: String = record.split_whitespace().collect();
        let record = unhex(&record).unwrap();
        let stored = Stored { len: record.len() as u64, sha256: Sha256::of(&record) };
        let erased = Erased { kind: Kind::Message, stored, tombstone: 7 };
        let bytes = erased.encode(archive, &keys).unwrap();
        let text = hex(&bytes);
        let vector = format!("    {}\n    {}\n", &text[..120], &text[120..]);
        assert!(format.contains(&vector), "{vector}");
        let head: &[u8; HEADER_LEN] = bytes.first_chunk().unwrap();
        assert!(Erased::is_head(head, archive) && Header::decode(head, archive).is_none());
        assert_eq!(Erased::read(head, archive, Some(&keys), &mut &bytes[HEADER_LEN..]).unwrap(), erased);
        let outside = Erased::read(head, archive, None, &mut &bytes[HEADER_LEN..]).unwrap();
        assert_eq!(outside, Erased { tombstone: 0, ..erased });
        for bit in 0..bytes.len() * 8 {
            let mut broken = bytes;
            broken[bit / 8] ^= 1 << (bit % 8);
            let head = broken.first_chunk().unwrap();
            Erased::read(head, archive, Some(&keys), &mut &broken[HEADER_LEN..]).unwrap_err();
        }
    }
}
