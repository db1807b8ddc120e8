//! The map of a font from codes to Unicode (ISO 32000-1, section 9.10.3). It is a small program in PostScript, of which
//! only the lists are read.

use std::collections::HashMap;

use super::wide;
use crate::limits::EXTRACT_CODES;

/// Ranges of codes that are looked through for each code.
const SPACES: usize = 100;
/// Bytes of one text or code.
const TEXT: usize = 64;

/// What codes stand for.
#[derive(Debug, Default)]
pub(super) struct CMap {
    /// Length of codes in bytes, the first and the last.
    spaces: Vec<(usize, u32, u32)>,
    texts: HashMap<u32, Box<str>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum List {
    None,
    Spaces,
    Chars,
    Ranges,
}

enum Token<'a> {
    Hex(Vec<u8>),
    Open,
    Close,
    Word(&'a [u8]),
}

impl CMap {
    /// Reads what is in the stream; what is not understood is passed over. At most [`EXTRACT_CODES`] codes.
    pub fn read(bytes: &[u8]) -> Self {
        let mut map = Self::default();
        let mut kind = List::None;
        let mut held: Vec<Vec<u8>> = Vec::new();
        let mut array: Option<Vec<Vec<u8>>> = None;
        let mut rest = bytes;
        while let Some(token) = token(&mut rest) {
            match token {
                Token::Word(word) => {
                    kind = match word {
                        b"begincodespacerange" => List::Spaces,
                        b"beginbfchar" => List::Chars,
                        b"beginbfrange" => List::Ranges,
                        _ => List::None,
                    };
                    held.clear();
                    array = None;
                    continue;
                }
                _ if kind == List::None => continue,
                Token::Hex(text) => match &mut array {
                    Some(array) if array.len() < EXTRACT_CODES => array.push(text),
                    Some(_) => {}
                    None => held.push(text),
                },
                Token::Open => {
                    array = Some(Vec::new());
                    continue;
                }
                Token::Close => {}
            }
            if map.texts.len() >= EXTRACT_CODES {
                break;
            }
            match (kind, held.as_slice()) {
                (List::Spaces, [first, last]) => {
                    if map.spaces.len() < SPACES && (1..=4).contains(&first.len()) {
                        map.spaces.push((first.len(), number(first), number(last)));
                    }
                }
                (List::Chars, [code, text]) => {
                    map.texts.insert(number(code), wide(text).into());
                }
                (List::Ranges, [first, last, text]) => map.range(number(first), number(last), text),
                (List::Ranges, [first, _]) => {
                    // The array is whole only at its end.
                    let Some(texts) = array.take_if(|_| matches!(token_end(bytes, rest), Some(b']'))) else { continue };
                    for (code, text) in (number(first)..).zip(&texts) {
                        map.texts.insert(code, wide(text).into());
                    }
                }
                _ => continue,
            }
            held.clear();
        }
        map
    }

    /// Codes that follow each other, to texts that follow each other.
    fn range(&mut self, first: u32, last: u32, text: &[u8]) {
        let room = EXTRACT_CODES.saturating_sub(self.texts.len());
        let text = wide(text);
        let Some(begin) = text.chars().next_back() else { return };
        let before = &text[..text.len() - begin.len_utf8()];
        for (step, code) in (0..).zip(first..=last).take(room) {
            let Some(char) = char::from_u32(u32::from(begin).saturating_add(step)) else { continue };
            self.texts.insert(code, format!("{before}{char}").into());
        }
    }

    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    pub fn get(&self, code: u32) -> Option<&str> {
        self.texts.get(&code).map(AsRef::as_ref)
    }

    /// The code at the beginning of `bytes`, and its length; two bytes where nothing fits.
    pub fn next_code(&self, bytes: &[u8]) -> (u32, usize) {
        for length in 1..=bytes.len().min(4) {
            let (found, _) = code(bytes, length);
            let fits = |(size, first, last): &(usize, u32, u32)| *size == length && (*first..=*last).contains(&found);
            if self.spaces.iter().any(fits) {
                return (found, length);
            }
        }
        code(bytes, 2)
    }
}

/// The code of so many bytes, or of all that are left, and how many these are.
pub(super) fn code(bytes: &[u8], length: usize) -> (u32, usize) {
    let length = length.min(bytes.len());
    (number(&bytes[..length]), length)
}

fn number(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |number, byte| (number << 8) | u32::from(*byte))
}

/// The last byte that was read.
fn token_end<'a>(bytes: &'a [u8], rest: &[u8]) -> Option<&'a u8> {
    bytes.get((bytes.len() - rest.len()).checked_sub(1)?)
}

fn token<'a>(rest: &mut &'a [u8]) -> Option<Token<'a>> {
    loop {
        *rest = rest.trim_ascii_start();
        match rest.first()? {
            b'%' => {
                let end = memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
                *rest = &rest[end..];
            }
            b'<' if rest.get(1) != Some(&b'<') => {
                let end = memchr::memchr(b'>', rest)?;
                let hex = hex(&rest[1..end]);
                *rest = &rest[end + 1..];
                return Some(Token::Hex(hex));
            }
            b'[' | b']' => {
                let is_open = rest[0] == b'[';
                *rest = &rest[1..];
                return Some(if is_open { Token::Open } else { Token::Close });
            }
            _ => {
                let ends = |byte: &u8| byte.is_ascii_whitespace() || b"<>[]%".contains(byte);
                let end = rest.iter().position(ends).unwrap_or(rest.len()).max(1);
                let word = &rest[..end];
                *rest = &rest[end..];
                return Some(Token::Word(word));
            }
        }
    }
}

/// The bytes of hexadecimal digits, at most [`TEXT`]; what is none is passed over.
fn hex(digits: &[u8]) -> Vec<u8> {
    let digits: Vec<u8> = digits.iter().filter_map(|digit| crate::ingest::text::hex(*digit)).take(2 * TEXT).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair.get(1).copied().unwrap_or(0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_codes() {
        let map = CMap::read(
            b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def\n\
            1 begincodespacerange <0000> <FFFF> endcodespacerange\n\
            2 beginbfchar <0001> <00FC> <0002> <00660069> endbfchar\n\
            3 beginbfrange <0010> <0012> <0041> <0020> <0021> [<00E4> <D83DDE00>] <30> <30> <0058> endbfrange\n\
            endcmap",
        );
        let get = |code| map.get(code).unwrap_or_default();
        assert_eq!([get(1), get(2), get(0x10), get(0x12)], ["ü", "fi", "A", "C"]);
        assert_eq!([get(0x20), get(0x21), get(0x30), get(0x99)], ["ä", "😀", "X", ""]);
        assert_eq!(map.next_code(&[0, 1, 0, 2]), (1, 2));
        assert_eq!(map.next_code(&[7]), (7, 1));
    }

    #[test]
    fn hostile_maps_end() {
        let wide = CMap::read(b"1 beginbfrange <00000000> <FFFFFFFF> <0041> <00000000> <FFFFFFFF> <0041>");
        assert!(wide.texts.len() <= EXTRACT_CODES);
        for bytes in
            [&b"beginbfrange <"[..], b"beginbfchar <zz> <", b"beginbfrange [[[[ ]]]] <00> [", b"<<<<>>>>", b"%"]
        {
            assert!(CMap::read(bytes).is_empty());
        }
        assert!(CMap::read(&b"beginbfrange <00> <01> [".repeat(100_000)).is_empty());
    }
}
