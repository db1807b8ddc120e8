//! Words as the index knows them: what a text and a query are both cut into, so that they meet.
//!
//! A word is a run of letters and digits, in lower case and without accents: *Zürich*, *ZURICH* and *Zuerich* are `zurich`. Changing any of
//! this changes what lies in the index: raise [`VERSION`] with it.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::limits::WORD_CHARS;

/// Of these rules; an index of another one is made anew.
pub const VERSION: u32 = 2;

/// A word and where it stands in its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// Letters and digits only; at most [`WORD_CHARS`] of them.
    pub text: String,
    /// Bytes.
    pub place: Range<usize>,
}

/// The words of a text, in their order.
pub fn words(text: &str) -> Words<'_> {
    Words { text, at: 0 }
}

/// See [`words`].
#[derive(Clone, Debug)]
pub struct Words<'a> {
    text: &'a str,
    at: usize,
}

impl Iterator for Words<'_> {
    type Item = Word;

    fn next(&mut self) -> Option<Word> {
        let mut text = String::new();
        let place = self.fold_next(&mut text)?;
        Some(Word { text, place })
    }
}

impl Words<'_> {
    /// The place of the next word, which is appended to `out`.
    pub fn fold_next(&mut self, out: &mut String) -> Option<Range<usize>> {
        let before = out.len();
        loop {
            let rest = self.text.get(self.at..)?;
            let from = self.at + rest.find(|c: char| c.is_alphanumeric())?;
            let run = &self.text[from..];
            let mut chars = run.char_indices();
            let stands_alone = chars.next().is_some_and(|(_, c)| is_alone(c));
            let end =
                chars.find(|(_, c)| stands_alone || !is_inside(*c) || is_alone(*c)).map_or(run.len(), |(at, _)| at);
            let place = from..self.label(from, from + end);
            self.at = place.end;
            fold_into(&self.text[place.clone()], out);
            if out.len() > before {
                return Some(place);
            }
        }
    }

    /// An international name is written `xn--` and letters, digits and hyphens: one word, where it can be read.
    fn label(&self, from: usize, end: usize) -> usize {
        let rest = &self.text[from..];
        if !self.text[from..end].eq_ignore_ascii_case("xn") || !rest[2..].starts_with("--") {
            return end;
        }
        // Further than the longest name is not looked: such beginnings may follow each other without end.
        let name = rest.bytes().take(LABEL + 1).take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'-');
        let len = name.count();
        if unpacked(&rest[..len]).is_some() { from + len } else { end }
    }
}

/// Whether a character goes on with a word that has begun.
fn is_inside(c: char) -> bool {
    // Soft hyphens and marks without width: where a line may end within a word, newsletters are full of them.
    c.is_alphanumeric()
        || is_combining_mark(c)
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}')
}

/// Scripts without spaces between their words: each character is a word, and a query of several is a phrase.
pub fn is_alone(c: char) -> bool {
    matches!(c, '\u{0e00}'..='\u{0eff}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// Bytes of a name in DNS (RFC 1035).
const LABEL: usize = 63;

/// The name behind `xn--` (RFC 5891), at most as long as DNS allows.
fn unpacked(label: &str) -> Option<String> {
    let packed = label.get(4..).filter(|packed| !packed.is_empty() && label.len() <= LABEL)?;
    idna::punycode::decode_to_string(&packed.to_ascii_lowercase())
}

/// A word without case and accents.
pub fn fold(word: &str) -> String {
    let mut out = String::with_capacity(word.len());
    fold_into(word, &mut out);
    out
}

fn fold_into(word: &str, out: &mut String) {
    // Nearly all words: no character becomes several, and none is left out.
    if word.is_ascii() && !word.contains('-') {
        without_e(word.chars().map(|c| c.to_ascii_lowercase()), out);
    } else {
        without_e(plain(word).chars(), out);
    }
}

/// An umlaut written as two letters is its vowel, as one written as one is by now. Behind a vowel or a q, and at the end of a word, it is none:
/// *neue*, *Quelle*, *due*.
fn without_e(letters: impl Iterator<Item = char>, out: &mut String) {
    let mut letters = letters.peekable();
    let mut before = None;
    let mut count = 0;
    while let Some(c) = letters.next() {
        // Of what is left, however it is written.
        if count == WORD_CHARS {
            break;
        }
        count += 1;
        out.push(c);
        let may_be =
            matches!(c, 'a' | 'o' | 'u') && !before.is_some_and(|c| matches!(c, 'a' | 'e' | 'i' | 'o' | 'u' | 'q'));
        before = Some(c);
        if may_be && letters.next_if_eq(&'e').is_some() {
            if letters.peek().is_none() {
                out.push('e');
            }
            before = Some('e');
        }
    }
}

/// The beginning of a word, as [`fold`] has it of any longer one.
pub fn fold_beginning(word: &str) -> String {
    let mut folded = fold(word);
    // What follows says whether that is an umlaut; both begin with its vowel.
    if folded.ends_with("ae") || folded.ends_with("oe") || folded.ends_with("ue") {
        folded.pop();
    }
    folded
}

fn plain(word: &str) -> String {
    let unpacked =
        if word.len() >= 4 && word.as_bytes()[..4].eq_ignore_ascii_case(b"xn--") { unpacked(word) } else { None };
    let word = unpacked.as_deref().unwrap_or(word);
    let mut out = String::with_capacity(word.len());
    for c in word.nfkd().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase) {
        match c {
            'ß' => out.push_str("ss"),
            'æ' => out.push('a'),
            'ø' | 'œ' => out.push('o'),
            'ł' => out.push('l'),
            'đ' | 'ð' => out.push('d'),
            'ı' => out.push('i'),
            'þ' => out.push_str("th"),
            c if is_combining_mark(c) => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<String> {
        words(text).map(|word| word.text).collect()
    }

    #[test]
    fn a_word_is_found_however_it_is_written() {
        for same in [
            &["Zürich", "ZÜRICH", "zurich", "Zuerich", "Zu\u{308}rich", "Ｚｕ\u{308}rich"][..],
            &["Straße", "STRASSE", "strasse"],
            &["Café", "cafe", "CAFÉ"],
            &["Müller", "Mueller", "muller", "xn--mller-kva"],
            &["Ærø", "Aero"],
            &["ﬁn", "fin"],
            &["Łódź", "lodz"],
            &["İstanbul", "istanbul"],
            &["Versicherungs\u{ad}vertrag", "versicherungs\u{200b}vertrag", "Versicherungsvertrag"],
            &[
                "Donaudampfschifffahrtselektrizitätenhauptbetriebswerk",
                "Donaudampfschifffahrtselektrizitaetenhauptbetriebswerk",
            ],
        ] {
            let folded: Vec<String> = same.iter().map(|word| fold(word)).collect();
            assert!(folded.iter().all(|word| *word == folded[0]), "{same:?}: {folded:?}");
        }
    }

    #[test]
    fn what_is_no_umlaut_stays() {
        for word in ["neue", "quelle", "due", "true", "feuer", "treue", "soeben1"] {
            assert_eq!(fold(word) == word, word != "soeben1", "{word}");
        }
    }

    #[test]
    fn texts_fall_into_words() {
        assert_eq!(
            of("Anna Meier <anna.meier@xn--mller-kva.example>"),
            ["anna", "meier", "anna", "meier", "muller", "example"]
        );
        assert_eq!(of("xn--, xn--\u{fc} xn---"), ["xn", "xn", "u", "xn"]);
        assert_eq!(of("CHF 1’200.50 – 2026-11-21_x"), ["chf", "1", "200", "50", "2026", "11", "21", "x"]);
        assert_eq!(of("東京に行く abc東"), ["東", "京", "に", "行", "く", "abc", "東"]);
        assert_eq!(of("Versiche\u{ad}rung und\u{ad} mehr"), ["versicherung", "und", "mehr"]);
        assert_eq!(of(""), [""; 0]);
        assert_eq!(of("…—\u{301} "), [""; 0]);
        assert_eq!(fold(&"x".repeat(1000)).len(), WORD_CHARS);
        assert!(of(&"xn--".repeat(300_000)).len() > 299_000);
    }

    #[test]
    fn places_are_those_of_the_text() {
        let text = "Grüße aus Zürich, xn--mller-kva.ch";
        let found: Vec<&str> = words(text).map(|word| &text[word.place]).collect();
        assert_eq!(found, ["Grüße", "aus", "Zürich", "xn--mller-kva", "ch"]);
    }

    #[test]
    fn a_beginning_is_one_of_its_word() {
        for word in ["Zuerich", "Zürich", "neue", "Mueller", "Aerosol", "due"] {
            let whole = fold(word);
            for at in word.char_indices().map(|(at, c)| at + c.len_utf8()) {
                let beginning = fold_beginning(&word[..at]);
                assert!(whole.starts_with(&beginning), "{beginning} of {whole}");
            }
        }
    }
}
