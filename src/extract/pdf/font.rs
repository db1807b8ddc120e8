//! What the codes of a font stand for (ISO 32000-1, sections 9.6 to 9.10): by its own map to Unicode, else by the names of its glyphs.

use std::collections::HashMap;

use hayro_syntax::object::{Array, Dict, Name, Object, Stream};
use mail_parser::decoders::charsets::map::charset_decoder;

use super::cmap::CMap;
use super::glyphs;
use crate::limits::EXTRACT_CODES;

/// Width of a character of which nothing is known, in thousandths of the height.
const WIDTH: f64 = 500.0;
/// Widths of Helvetica from the space on; Times is narrower, but not by much.
const HELVETICA: [u16; 95] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556,
    556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833,
    722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556,
    556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334,
    260, 334, 584,
];

/// A font as far as its text is concerned.
pub(super) struct Font {
    /// Codes of more than one byte.
    is_wide: bool,
    /// Codes that are UTF-16 themselves.
    is_utf16: bool,
    unicode: Option<CMap>,
    /// Of codes of one byte.
    letters: Vec<Option<Box<str>>>,
    widths: Widths,
}

enum Widths {
    /// From the first code on, what all others have, and what they are to be multiplied with.
    Simple {
        first: usize,
        widths: Vec<f64>,
        missing: f64,
        scale: f64,
    },
    Wide {
        widths: HashMap<u32, f64>,
        missing: f64,
    },
    Standard {
        is_fixed: bool,
    },
}

impl Font {
    /// Reads the dictionary of a font; `decode` gives what is in a stream.
    pub fn read(dict: &Dict<'_>, decode: &mut dyn FnMut(&Stream<'_>) -> Vec<u8>) -> Self {
        let unicode = dict.get::<Stream<'_>>("ToUnicode").map(|stream| CMap::read(&decode(&stream)));
        let unicode = unicode.filter(|map| !map.is_empty());
        let kind = dict.get::<Name<'_>>("Subtype");
        let is = |wanted: &[u8]| kind.as_ref().is_some_and(|kind| kind.as_ref() == wanted);
        if is(b"Type0") {
            let encoding = dict.get::<Name<'_>>("Encoding");
            let is_utf16 = encoding.is_some_and(|name| {
                let name = name.as_str();
                name.contains("UCS2") || name.contains("UTF16")
            });
            let descendant = dict.get::<Array<'_>>("DescendantFonts").and_then(|fonts| fonts.iter::<Dict<'_>>().next());
            let widths = wide_widths(descendant.as_ref());
            return Self { is_wide: true, is_utf16, unicode, letters: Vec::new(), widths };
        }
        let is_true_type = is(b"TrueType");
        Self {
            is_wide: false,
            is_utf16: false,
            unicode,
            letters: letters(dict, is_true_type),
            widths: simple_widths(dict, is(b"Type3")),
        }
    }

    /// Gives each code's text, its width in thousandths, and whether it is the space that words are set apart by.
    pub fn read_codes(&self, bytes: &[u8], give: &mut dyn FnMut(&str, f64, bool)) {
        if !self.is_wide {
            for byte in bytes {
                let code = u32::from(*byte);
                let mapped = self.unicode.as_ref().and_then(|map| map.get(code));
                let text = mapped.or_else(|| self.letters[usize::from(*byte)].as_deref()).unwrap_or_default();
                give(text, self.widths.of(code), *byte == b' ');
            }
            return;
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            let (code, length) = match &self.unicode {
                Some(map) => map.next_code(rest),
                None => super::cmap::code(rest, 2),
            };
            let width = self.widths.of(code);
            match &self.unicode {
                Some(map) => give(map.get(code).unwrap_or_default(), width, false),
                None if self.is_utf16 => give(&super::wide(&rest[..length]), width, false),
                None => give("", width, false),
            }
            rest = &rest[length..];
        }
    }
}

impl Widths {
    fn of(&self, code: u32) -> f64 {
        match self {
            Self::Simple { first, widths, missing, scale } => {
                let index = usize::try_from(code).ok().and_then(|code| code.checked_sub(*first));
                index.and_then(|index| widths.get(index)).unwrap_or(missing) * scale
            }
            Self::Wide { widths, missing } => *widths.get(&code).unwrap_or(missing),
            Self::Standard { is_fixed: true } => 600.0,
            Self::Standard { .. } => {
                let index = usize::try_from(code).ok().and_then(|code| code.checked_sub(0x20));
                index.and_then(|index| HELVETICA.get(index)).map_or(WIDTH, |width| f64::from(*width))
            }
        }
    }
}

fn simple_widths(dict: &Dict<'_>, is_type_3: bool) -> Widths {
    let Some(array) = dict.get::<Array<'_>>("Widths") else {
        let is_fixed = dict.get::<Name<'_>>("BaseFont").is_some_and(|name| name.as_str().contains("Courier"));
        return Widths::Standard { is_fixed };
    };
    let descriptor = dict.get::<Dict<'_>>("FontDescriptor").unwrap_or_default();
    // The glyphs of such a font have a measure of their own.
    let own = || dict.get::<Array<'_>>("FontMatrix").and_then(|matrix| matrix.iter::<f64>().next());
    Widths::Simple {
        first: dict.get::<i32>("FirstChar").and_then(|first| usize::try_from(first).ok()).unwrap_or(0),
        widths: array.iter::<f64>().take(256).collect(),
        missing: descriptor.get::<f64>("MissingWidth").unwrap_or(0.0),
        scale: if is_type_3 { own().unwrap_or(0.001) * 1000.0 } else { 1.0 },
    }
}

/// `W` of a font for codes of several bytes: `c [w1 … wn]` or `first last w`.
fn wide_widths(descendant: Option<&Dict<'_>>) -> Widths {
    let missing = descendant.and_then(|font| font.get::<f64>("DW")).unwrap_or(1000.0);
    let mut widths = HashMap::new();
    let Some(array) = descendant.and_then(|font| font.get::<Array<'_>>("W")) else {
        return Widths::Wide { widths, missing };
    };
    let number = |object: &Object<'_>| match object {
        Object::Number(number) => u32::try_from(number.as_i64()).ok(),
        _ => None,
    };
    let mut objects = array.iter::<Object<'_>>();
    while let (Some(first), Some(second)) = (objects.next(), objects.next()) {
        let Some(first) = number(&first) else { break };
        if let Object::Array(list) = second {
            for (code, width) in (first..).zip(list.iter::<f64>()) {
                widths.insert(code, width);
            }
        } else if let (Some(last), Some(Object::Number(width))) = (number(&second), objects.next()) {
            for code in (first..=last).take(EXTRACT_CODES) {
                widths.insert(code, width.as_f64());
            }
        }
        if widths.len() > EXTRACT_CODES {
            break;
        }
    }
    Widths::Wide { widths, missing }
}

/// What the codes of a font of 256 stand for.
fn letters(dict: &Dict<'_>, is_true_type: bool) -> Vec<Option<Box<str>>> {
    let named = dict.get::<Name<'_>>("Encoding");
    let own = dict.get::<Dict<'_>>("Encoding");
    let base = named.or_else(|| own.as_ref()?.get::<Name<'_>>("BaseEncoding"));
    let mut letters: Vec<Option<Box<str>>> = match base.as_ref().map(AsRef::as_ref) {
        Some(b"WinAnsiEncoding") => by_label(b"windows-1252"),
        Some(b"MacRomanEncoding") => by_label(b"macintosh"),
        _ if is_true_type => by_label(b"windows-1252"),
        _ => (0..=u8::MAX).map(|code| glyphs::standard(code).map(|char| char.to_string().into())).collect(),
    };
    let Some(differences) = own.and_then(|own| own.get::<Array<'_>>("Differences")) else { return letters };
    let mut code = 0;
    for object in differences.iter::<Object<'_>>() {
        match object {
            Object::Number(number) => code = usize::try_from(number.as_i64()).unwrap_or(usize::MAX),
            Object::Name(name) => {
                if let Some(letter) = letters.get_mut(code) {
                    *letter = glyphs::text(name.as_str()).map(String::into_boxed_str);
                }
                code = code.saturating_add(1);
            }
            _ => {}
        }
    }
    letters
}

fn by_label(label: &[u8]) -> Vec<Option<Box<str>>> {
    let decode = charset_decoder(label);
    (0..=u8::MAX).map(|code| decode.map(|decode| decode(&[code]).into_boxed_str())).collect()
}
