//! Where the text of a file gathers.

use std::io::Write;

use super::frame;

/// Bytes of text that wait before they are handed on.
const PIECE: usize = 32 * 1024;
/// Bytes of the rest of a divided word.
const REST: usize = 64;
/// Words that follow half a word without being its end: `Ein- und Ausgang`.
const APART: [&str; 9] = ["und", "oder", "sowie", "bzw", "and", "or", "et", "ou", "e"];

/// Text that is found: at most so many bytes, without what no reader sees. Held, or handed on in frames as it comes, so that what
/// follows cannot cost it.
pub(super) struct Text<'a> {
    held: String,
    left: usize,
    cut: bool,
    last: char,
    /// What stands behind a hyphen at the end of a line, as long as it is not settled whether it is the rest of a word.
    rest: Option<String>,
    /// Whether a letter or digit was among it.
    has_words: bool,
    out: Option<&'a mut dyn Write>,
}

impl<'a> Text<'a> {
    /// At most `limit` bytes, held.
    pub fn held(limit: usize) -> Self {
        Self { held: String::new(), left: limit, cut: false, last: '\n', rest: None, has_words: false, out: None }
    }

    /// At most `limit` bytes, handed on.
    pub fn handed_on(limit: usize, out: &'a mut dyn Write) -> Self {
        Self { out: Some(out), ..Self::held(limit) }
    }

    /// Nothing more is taken.
    pub fn is_full(&self) -> bool {
        self.left == 0
    }

    /// There is more than what was read.
    pub fn cut(&mut self) {
        self.cut = true;
    }

    /// Whether a letter or digit came since the last time that this was asked.
    pub fn take_has_words(&mut self) -> bool {
        std::mem::take(&mut self.has_words)
    }

    /// Text as it is found. Control characters are spaces; soft hyphens and other marks without width are left out, as they
    /// stand within words.
    pub fn push(&mut self, text: &str) {
        let mut chars = text.chars().peekable();
        while let Some(char) = chars.next() {
            match char {
                '\r' if chars.peek() == Some(&'\n') => {}
                '\r' | '\u{c}' | '\u{2028}' | '\u{2029}' => self.put('\n'),
                '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' => {
                }
                '\n' | '\t' => self.put(char),
                // Two or three letters that are printed as one.
                '\u{fb00}'..='\u{fb06}' => {
                    let letters = ["ff", "fi", "fl", "ffi", "ffl", "st", "st"][(u32::from(char) - 0xfb00) as usize];
                    letters.chars().for_each(|letter| self.put(letter));
                }
                _ if char.is_control() => self.put(' '),
                _ => self.put(char),
            }
            if self.left == 0 {
                self.cut |= chars.peek().is_some();
                return;
            }
        }
    }

    /// The next text begins a line, and may go on with a word that was divided.
    pub fn next_line(&mut self) {
        self.settle();
        let mut before = self.held.chars().rev();
        if before.next() == Some('-') && before.next().is_some_and(char::is_alphabetic) {
            self.rest.get_or_insert_default();
        } else {
            self.line();
        }
    }

    /// Decides what is behind a hyphen at the end of a line.
    fn settle(&mut self) {
        let Some(rest) = self.rest.take() else { return };
        let is_rest = rest.chars().next().is_some_and(char::is_lowercase) && !APART.contains(&rest.as_str());
        if is_rest && self.held.pop().is_some() {
            self.left += 1;
        } else {
            self.put('\n');
        }
        rest.chars().for_each(|char| self.put(char));
    }

    /// The next text begins a line.
    pub fn line(&mut self) {
        self.settle();
        if self.last != '\n' {
            self.put('\n');
        }
    }

    /// The next text begins a word.
    pub fn space(&mut self) {
        self.settle();
        if !self.last.is_whitespace() {
            self.put(' ');
        }
    }

    fn put(&mut self, char: char) {
        if let Some(rest) = &mut self.rest {
            if char.is_alphabetic() && rest.len() < REST {
                rest.push(char);
                return;
            }
            self.settle();
        }
        let length = char.len_utf8();
        if length > self.left {
            (self.left, self.cut) = (0, true);
            return;
        }
        self.held.push(char);
        self.left -= length;
        self.last = char;
        self.has_words |= char.is_alphanumeric();
        if self.held.len() >= PIECE && self.out.is_some() {
            self.hand_on();
        }
    }

    /// Hands on what is held, if it is to be. Where nobody takes it nothing more is gathered.
    pub fn hand_on(&mut self) {
        self.settle();
        let Some(out) = &mut self.out else { return };
        if !self.held.is_empty() {
            let sent = frame::send(*out, self.held.as_bytes()).and_then(|()| out.flush());
            if sent.is_err() {
                self.left = 0;
            }
            self.held.clear();
        }
    }

    /// What is held, and whether there is more.
    pub fn finish(mut self) -> (String, bool) {
        self.hand_on();
        (self.held, self.cut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn divided_words_are_put_together() {
        let mut text = Text::held(1000);
        for line in ["ein Ver-", "trag", "Ein-", "und Aus-", "gang, Nord-", "Süd, 1-", "zwei, offen-"] {
            text.push(line);
            text.next_line();
        }
        assert_eq!(text.finish().0, "ein Vertrag\nEin-\nund Ausgang, Nord-\nSüd, 1-\nzwei, offen-\n");
    }

    #[test]
    fn bounded_and_clean() {
        let mut text = Text::held(100);
        text.line();
        text.push("a\r\nb\rc\0d\u{ad}e\u{202e}f\u{feff}");
        text.space();
        text.space();
        text.line();
        text.line();
        text.push("üﬃ");
        assert_eq!(text.finish(), ("a\nb\nc def \nüffi".into(), false));
        for (limit, expected) in [(3, ("aü", true)), (4, ("aüb", false)), (2, ("a", true))] {
            let mut text = Text::held(limit);
            text.push("aüb");
            let (found, cut) = text.finish();
            assert_eq!((found.as_str(), cut), expected);
        }
    }
}
