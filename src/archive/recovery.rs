//! The recovery sheet: the archive key as words that a person can write down, and the way back from them (docs/format.md, part 5).
//!
//! A key comes back only where there is none, under the lock of the folder, and only if the packs that lie there were sealed with it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::disk::Disk;
use super::error::{ArchiveError, Result};
use super::keys::{self, Keys};
use super::pack::PackHeader;
use super::record::ArchiveId;
use super::start::{self, Paths};
use crate::hash::{self, Sha256};

/// Words of a sheet.
pub const WORDS: usize = 24;
/// So many letters tell a word from all others.
const LETTERS: usize = 4;
/// Bits that one word stands for.
const BITS: usize = 11;

/// The English list of BIP-39, in alphabetical order.
const LIST: &str = include_str!("words.txt");

/// Why words are no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WordsError {
    #[error("word {place} is not in the list of words: look at the sheet again")]
    Unknown {
        /// From 1.
        place: usize,
    },
    #[error("words are missing: {missing} of {WORDS}")]
    Missing { missing: usize },
    #[error("there are too many words: {more} more than the {WORDS} of a sheet")]
    TooMany { more: usize },
    #[error("the check sum does not fit: one word is wrong, or two are swapped")]
    CheckSum,
}

/// The word that somebody means by `typed`: in any case, and by its first four letters at least.
pub fn word(typed: &str) -> Option<&'static str> {
    find(typed).map(|(_, word)| word)
}

fn find(typed: &str) -> Option<(u16, &'static str)> {
    let typed = Zeroizing::new(typed.to_ascii_lowercase());
    let fits = |word: &str| word == *typed || (typed.len() >= LETTERS && word.starts_with(&*typed));
    (0..).zip(LIST.lines()).find(|(_, word)| fits(word))
}

/// The words in a text: numbers, line ends and punctuation between them are nothing.
pub fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty())
}

/// The words of a key.
pub(super) fn words(key: &[u8; 32]) -> [&'static str; WORDS] {
    let sum = Sha256::of(key).0[0];
    // Eight bits of check sum behind the key make it a whole number of words.
    let bit = |at: usize| usize::from(key.get(at / 8).copied().unwrap_or(sum) >> (7 - at % 8) & 1);
    let number = |place: usize| (place * BITS..(place + 1) * BITS).fold(0, |number, at| number << 1 | bit(at));
    std::array::from_fn(|place| LIST.lines().nth(number(place)).unwrap_or_default())
}

/// The key that words stand for.
pub(super) fn key(text: &str) -> std::result::Result<Zeroizing<[u8; 32]>, WordsError> {
    let mut numbers = Zeroizing::new(Vec::with_capacity(WORDS));
    for (place, typed) in split(text).enumerate() {
        let (number, _) = find(typed).ok_or(WordsError::Unknown { place: place + 1 })?;
        numbers.push(number);
    }
    match numbers.len() {
        WORDS => {}
        count if count < WORDS => return Err(WordsError::Missing { missing: WORDS - count }),
        count => return Err(WordsError::TooMany { more: count - WORDS }),
    }
    let bit = |at: usize| u8::from(numbers[at / BITS] >> (BITS - 1 - at % BITS) & 1 == 1);
    let byte = |place: usize| (place * 8..(place + 1) * 8).fold(0, |byte, at| byte << 1 | bit(at));
    let mut key = Zeroizing::new([0; 32]);
    for (place, own) in key.iter_mut().enumerate() {
        *own = byte(place);
    }
    if byte(key.len()) == Sha256::of(&*key).0[0] { Ok(key) } else { Err(WordsError::CheckSum) }
}

/// An archive id or a check value as people compare it: hexadecimal, four digits together.
pub fn digits(bytes: &[u8]) -> String {
    let pairs: Vec<String> = bytes.chunks(2).map(hash::hex).collect();
    pairs.join(" ")
}

/// A folder whose key is missing, locked until it has one.
pub struct Recovery {
    paths: Paths,
    head: Option<PackHeader>,
    _lock: File,
}

impl Recovery {
    /// Refuses a folder that somebody has open, and one that has a key.
    pub fn begin(paths: &Paths) -> Result<Self> {
        paths.make()?;
        let lock = start::lock(paths)?;
        let path = keys::path(&paths.keys);
        if path.symlink_metadata().is_ok() {
            return Err(ArchiveError::KeyIsThere { path });
        }
        Ok(Self { head: start::head(paths)?, paths: paths.clone(), _lock: lock })
    }

    /// Whose packs lie there; `None` where there are none with a whole head.
    pub fn archive(&self) -> Option<ArchiveId> {
        self.head.map(|head| head.archive)
    }

    /// Writes the key that the words stand for; durable on return. `who` is what the journal will say of it.
    pub fn with(self, words: &str, who: &str) -> Result<()> {
        let keys = Keys::of_words(words)?;
        if let Some(head) = self.head.filter(|head| !keys.fit(head)) {
            return Err(ArchiveError::OtherSheet { archive: digits(&head.archive), check: digits(&head.key) });
        }
        let disk = &self.paths.disk;
        keys::make_dir(disk, &self.paths.keys)?;
        // Before the key: a power cut in between must not keep it out of the journal.
        let mark = mark(&self.paths.keys);
        disk.open(&mark, OpenOptions::new().write(true).create(true).truncate(true))
            .and_then(|mut file| file.write_all(who.as_bytes()).and_then(|()| file.sync_all()))
            .map_err(ArchiveError::io(&mark))?;
        keys.write(disk, &self.paths.keys)
    }
}

/// Says who brought the key back, until that is in the journal.
fn mark(keys: &Path) -> PathBuf {
    keys.join("recovered")
}

/// Who brought the key back, where the journal does not know yet.
pub(super) fn recovered_by(keys: &Path) -> Option<String> {
    fs::read_to_string(mark(keys)).ok()
}

/// The journal knows.
pub(super) fn is_noted(disk: &Disk, keys: &Path) -> Result<()> {
    let mark = mark(keys);
    match disk.remove(&mark) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(ArchiveError::io(&mark)(error)),
        _ => disk.sync_folder(keys).map_err(ArchiveError::io(keys)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FORMAT: &str = include_str!("../../docs/format.md");

    #[test]
    fn the_list_is_the_one_that_all_the_world_has() {
        let hash = "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda";
        assert_eq!(Sha256::of(LIST.as_bytes()).to_string(), hash);
        assert_eq!(LIST.lines().count(), 1 << BITS);
        for word in LIST.lines() {
            assert_eq!(super::word(&word[..LETTERS.min(word.len())]), Some(word));
        }
    }

    /// Of docs/format.md, part 5, and the vectors of the inventors of the words.
    #[test]
    fn the_vectors_fit() {
        let told = words(&std::array::from_fn(|n| u8::try_from(n).unwrap())).join(" ");
        assert!(FORMAT.split_whitespace().collect::<Vec<_>>().join(" ").contains(&told), "{told}");
        for (byte, first, last) in
            [(0, "abandon", "art"), (0x7f, "legal", "title"), (0x80, "letter", "bless"), (0xff, "zoo", "vote")]
        {
            let words = words(&[byte; 32]);
            assert_eq!((words[0], words[WORDS - 1]), (first, last));
            assert_eq!(*key(&words.join(" ")).unwrap(), [byte; 32]);
        }
    }

    #[test]
    fn what_is_wrong_is_said_by_its_place() {
        let good = words(&[7; 32]);
        let with = |place: usize, word: &'static str| {
            let mut words = good;
            words[place] = word;
            key(&words.join(" ")).unwrap_err()
        };
        assert_eq!(with(6, "hose"), WordsError::Unknown { place: 7 });
        assert_eq!(with(23, "ab"), WordsError::Unknown { place: 24 });
        assert_eq!(with(0, "abandonx"), WordsError::Unknown { place: 1 });
        assert_eq!(key(&good[..21].join(" ")).unwrap_err(), WordsError::Missing { missing: 3 });
        assert_eq!(key("").unwrap_err(), WordsError::Missing { missing: WORDS });
        assert_eq!(key(&[good.as_slice(), &["zoo"]].concat().join(" ")).unwrap_err(), WordsError::TooMany { more: 1 });
        let mut swapped = words(&std::array::from_fn(|n| u8::try_from(n).unwrap()));
        swapped.swap(2, 9);
        assert_eq!(key(&swapped.join(" ")).unwrap_err(), WordsError::CheckSum);
    }

    proptest! {
        #[test]
        fn words_lead_back_however_they_are_written(bytes: [u8; 32], upper: bool, short: bool, between in "[ \n\t.,;:0-9]{1,3}") {
            let written = words(&bytes).map(|word| {
                let word = if short { &word[..LETTERS.min(word.len())] } else { word };
                if upper { word.to_uppercase() } else { word.to_owned() }
            });
            prop_assert_eq!(*key(&written.join(&between)).unwrap(), bytes);
            let listed: Vec<String> = (1..).zip(&written).map(|(place, word)| format!("{place}. {word}\r\n")).collect();
            prop_assert_eq!(*key(&listed.concat()).unwrap(), bytes);
        }

        #[test]
        fn any_text_is_words_or_an_error(text in ".{0,300}") {
            let _ = key(&text);
        }

        /// One of 256 wrong words fits by chance.
        #[test]
        fn a_wrong_word_is_another_key_or_none(bytes: [u8; 32], place in 0..WORDS, number in 0..2048_usize) {
            let mut changed = words(&bytes);
            let word = LIST.lines().nth(number).unwrap();
            prop_assume!(changed[place] != word);
            changed[place] = word;
            prop_assert!(key(&changed.join(" ")).map_or(true, |key| *key != bytes));
        }
    }

    #[test]
    fn a_key_comes_back_only_where_none_is() {
        let dir = tempfile::tempdir().unwrap();
        let paths = Paths::new(&dir.path().join("data"));
        let words = words(&[9; 32]).join(" ");
        let recovery = Recovery::begin(&paths).unwrap();
        assert!(recovery.archive().is_none());
        assert!(matches!(Recovery::begin(&paths), Err(ArchiveError::InUse { .. })));
        recovery.with(&words, "console").unwrap();
        assert_eq!(Keys::read(&paths.keys).unwrap().unwrap().words(), self::words(&[9; 32]));
        assert!(matches!(Recovery::begin(&paths), Err(ArchiveError::KeyIsThere { .. })));
        assert_eq!(recovered_by(&paths.keys).as_deref(), Some("console"));
        is_noted(&paths.disk, &paths.keys).unwrap();
        assert!(recovered_by(&paths.keys).is_none());
    }
}
