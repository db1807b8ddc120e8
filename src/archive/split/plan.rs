//! What joins a split message: which part stands where in the skeleton, and how its lines are broken.
//!
//! Invariant: where a part stands is told as a distance from the one before, so that parts can neither overlap nor go back.

use std::io;

use minicbor::{Decode, Decoder, Encode};

use crate::hash::Sha256;
use crate::limits::SPLIT_PLAN;

/// Bytes of a frame before its plan.
pub const FRAME_HEAD: usize = 4;

/// The references of a split message, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Plan {
    #[n(0)]
    pub parts: Vec<Reference>,
}

/// One part in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Reference {
    /// Bytes of the skeleton between the part before, or the beginning, and this one.
    #[n(0)]
    pub gap: u64,
    /// Hash of the decoded bytes.
    #[n(1)]
    pub sha256: Sha256,
    /// How many they are; what does not fill a group of three is padded.
    #[n(2)]
    pub len: u64,
    /// Groups of four letters per line: 19 in most mails. 0: all in one line.
    #[n(3)]
    pub groups: u64,
    /// What stands between the lines. The end of the last line is in the skeleton.
    #[n(4)]
    pub ends: Ends,
}

/// Line ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Ends {
    #[n(0)]
    Crlf,
    #[n(1)]
    Lf,
}

impl Ends {
    pub(super) fn text(self) -> &'static [u8] {
        match self {
            Self::Crlf => b"\r\n",
            Self::Lf => b"\n",
        }
    }
}

impl Plan {
    /// As it is stored: CBOR, at most [`SPLIT_PLAN`] bytes of what a splitter made.
    pub fn encode(&self) -> Vec<u8> {
        minicbor::to_vec(self).unwrap_or_default()
    }

    /// As it stands in front of its skeleton (docs/format.md, part 2): its length in four bytes, and itself.
    pub fn frame(&self) -> Vec<u8> {
        let plan = self.encode();
        // A plan is far shorter than 4 GiB.
        [&u32::try_from(plan.len()).unwrap_or(u32::MAX).to_le_bytes()[..], &plan].concat()
    }

    /// How many bytes a frame has that begins so; `None` where more of it has to come. `InvalidData` where no plan is so long.
    pub fn frame_len(beginning: &[u8]) -> io::Result<Option<usize>> {
        let Some(len) = beginning.first_chunk() else { return Ok(None) };
        match usize::try_from(u32::from_le_bytes(*len)) {
            Ok(len) if len <= SPLIT_PLAN => Ok(Some(FRAME_HEAD + len)),
            _ => Err(damaged("the plan of a split message is too long")),
        }
    }

    /// The plan in a whole frame.
    pub fn of_frame(frame: &[u8]) -> io::Result<Self> {
        Self::decode(frame.get(FRAME_HEAD..).unwrap_or_default())
    }

    /// Reads what [`Self::encode`] gave. `InvalidData` where `bytes` are something else or too many. Whether the plan fits its
    /// message is seen when it is joined.
    pub fn decode(bytes: &[u8]) -> io::Result<Self> {
        if bytes.len() > SPLIT_PLAN {
            return Err(damaged("the plan of a split message is too long"));
        }
        let mut decoder = Decoder::new(bytes);
        let plan: Self =
            decoder.decode().map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))?;
        if decoder.position() != bytes.len() {
            return Err(damaged("something stands behind the plan of a split message"));
        }
        Ok(plan)
    }
}

impl Reference {
    /// Letters of a whole line.
    pub(super) fn width(&self) -> u64 {
        if self.groups == 0 { u64::MAX } else { self.groups.saturating_mul(4) }
    }

    /// Bytes of the part as it stands in the message; `None` where no message has so many.
    pub fn text_len(&self) -> Option<u64> {
        let letters = self.len.div_ceil(3).checked_mul(4)?;
        let breaks = letters.saturating_sub(1) / self.width();
        letters.checked_add(breaks.checked_mul(self.ends.text().len() as u64)?)
    }
}

pub(super) fn damaged(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::SPLIT_PARTS;

    fn reference(gap: u64, len: u64, groups: u64, ends: Ends) -> Reference {
        Reference { gap, sha256: Sha256([7; 32]), len, groups, ends }
    }

    #[test]
    fn a_plan_is_small_and_comes_back() {
        let usual = reference(300, 250_000, 19, Ends::Crlf);
        let plan = Plan { parts: vec![usual, reference(0, u64::MAX, 0, Ends::Lf)] };
        assert_eq!(Plan::decode(&plan.encode()).unwrap(), plan);
        let hex = crate::hash::hex(&Plan { parts: vec![usual] }.encode());
        assert_eq!(hex, format!("81818519012c5820{}1a0003d0901300", "07".repeat(32)));
        let longest = Plan { parts: vec![reference(u64::MAX, u64::MAX, u64::MAX, Ends::Lf); SPLIT_PARTS] };
        assert_eq!(Plan::decode(&longest.encode()).unwrap(), longest);
    }

    #[test]
    fn what_is_no_plan_is_refused() {
        let bytes = Plan { parts: vec![reference(300, 250_000, 19, Ends::Crlf)] }.encode();
        for len in 0..bytes.len() {
            Plan::decode(&bytes[..len]).unwrap_err();
        }
        Plan::decode(&[&bytes[..], b"x"].concat()).unwrap_err();
        // A list that claims to be longer than memory.
        Plan::decode(&[0x81, 0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]).unwrap_err();
        let many = Plan { parts: vec![reference(0, 4096, 19, Ends::Crlf); 2000] };
        assert_eq!(Plan::decode(&many.encode()).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn the_length_of_a_part_in_its_message() {
        for (len, groups, ends, expected) in [
            (0, 19, Ends::Crlf, Some(0)),
            (1, 19, Ends::Crlf, Some(4)),
            (57, 19, Ends::Crlf, Some(76)),
            (58, 19, Ends::Crlf, Some(82)),
            (58, 19, Ends::Lf, Some(81)),
            (58, 0, Ends::Lf, Some(80)),
            (6, 1, Ends::Crlf, Some(10)),
            (58, u64::MAX, Ends::Lf, Some(80)),
            (u64::MAX, 0, Ends::Lf, None),
            (u64::MAX / 4 * 3, 1, Ends::Crlf, None),
        ] {
            assert_eq!(reference(0, len, groups, ends).text_len(), expected, "{len} in {groups}");
        }
    }
}
