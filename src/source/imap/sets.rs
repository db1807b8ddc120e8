//! UID sets of commands and answers (RFC 9051, `sequence-set`), and how UIDs become remote ids.

use std::ops::RangeInclusive;

use crate::limits::{IMAP_COMMAND, IMAP_FETCH_SET};
use crate::source::RemoteId;

/// What a command line needs besides its set: tag, words, items and a folder name.
const ROOM_FOR_WORDS: usize = 1000;

/// A remote id is UIDVALIDITY and UID, four bytes each, big-endian: it sorts as the server lists.
pub fn remote_id(uid_validity: u32, uid: u32) -> RemoteId {
    RemoteId([uid_validity.to_be_bytes(), uid.to_be_bytes()].concat())
}

/// UIDVALIDITY and UID of a remote id; `None` where it is not one of ours.
pub fn uid_of(id: &RemoteId) -> Option<(u32, u32)> {
    let (validity, uid) = id.0.split_first_chunk::<4>()?;
    Some((u32::from_be_bytes(*validity), u32::from_be_bytes(uid.try_into().ok()?)))
}

/// One set of a command: `text` covers exactly `uids`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Set {
    pub uids: Vec<u32>,
    pub text: String,
}

/// Packs UIDs, ascending and each once, into sets that respect the bounds of a command line. No set covers a UID that
/// was not given: a range must not touch somebody else's message.
pub fn pack(uids: &[u32]) -> Vec<Set> {
    let mut sets = Vec::new();
    let mut set = Set { uids: Vec::new(), text: String::new() };
    let mut rest = uids;
    while let Some(&first) = rest.first() {
        let room = IMAP_FETCH_SET - set.uids.len();
        let run = rest.iter().zip(first..=u32::MAX).take(room).take_while(|(uid, want)| **uid == *want).count();
        let (taken, after) = rest.split_at(run);
        let range = match taken {
            [one] => one.to_string(),
            [low, .., high] => format!("{low}:{high}"),
            [] => String::new(),
        };
        let full = set.text.len() + 1 + range.len() > IMAP_COMMAND - ROOM_FOR_WORDS;
        if taken.is_empty() || full {
            sets.push(std::mem::replace(&mut set, Set { uids: Vec::new(), text: String::new() }));
            continue;
        }
        if !set.text.is_empty() {
            set.text.push(',');
        }
        set.text.push_str(&range);
        set.uids.extend_from_slice(taken);
        rest = after;
    }
    if !set.uids.is_empty() {
        sets.push(set);
    }
    sets
}

/// The UIDs of a set that a server wrote, in its order; `None` where it is not a set or names more than `most`.
pub fn unpack(text: &str, most: usize) -> Option<Vec<u32>> {
    let mut uids = Vec::new();
    for part in text.split(',') {
        let (low, high) = part.split_once(':').unwrap_or((part, part));
        let (low, high): (u32, u32) = (low.parse().ok()?, high.parse().ok()?);
        let range: RangeInclusive<u32> = low.min(high)..=low.max(high);
        let room = most.checked_sub(uids.len())?;
        if usize::try_from(range.end() - range.start()).ok()? >= room {
            return None;
        }
        uids.extend(range);
    }
    Some(uids)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ids() {
        assert_eq!(remote_id(1, 2).0, [0, 0, 0, 1, 0, 0, 0, 2]);
        assert_eq!(uid_of(&remote_id(7, u32::MAX)), Some((7, u32::MAX)));
        for bad in [vec![], vec![0; 7], vec![0; 9]] {
            assert_eq!(uid_of(&RemoteId(bad)), None);
        }
    }

    #[test]
    fn answers() {
        assert_eq!(unpack("4,7:9,3:2", 10), Some(vec![4, 7, 8, 9, 2, 3]));
        for bad in ["", "a", "1:", "1,,2", "1:4294967295", "1:*", "1:4,5:9"] {
            assert_eq!(unpack(bad, 8), None, "{bad}");
        }
    }

    #[test]
    fn neighbours_become_ranges() {
        let text = |uids: &[u32]| pack(uids).into_iter().map(|set| set.text).collect::<Vec<_>>();
        assert_eq!(text(&[]), Vec::<String>::new());
        assert_eq!(text(&[1, 2, 3, 4, 5, 9]), ["1:5,9"]);
        assert_eq!(text(&[u32::MAX - 1, u32::MAX]), ["4294967294:4294967295"]);
        assert_eq!(text(&(1..=251).collect::<Vec<_>>()), ["1:250", "251"]);
    }

    proptest! {
        #[test]
        fn sets_cover_exactly_what_was_asked(uids in proptest::collection::btree_set(any::<u32>(), 0..900), step in 1_u32..3) {
            let mut uids: Vec<u32> = uids.into_iter().collect();
            uids.extend((0..300).map(|n| n * step));
            uids.sort_unstable();
            uids.dedup();
            let sets = pack(&uids);
            let mut all: Vec<u32> = Vec::new();
            for set in &sets {
                prop_assert!(set.uids.len() <= IMAP_FETCH_SET && set.text.len() <= IMAP_COMMAND - ROOM_FOR_WORDS);
                let covered = unpack(&set.text, IMAP_FETCH_SET);
                prop_assert_eq!(covered.as_ref(), Some(&set.uids));
                all.extend(&set.uids);
            }
            prop_assert_eq!(all, uids);
        }
    }
}
