//! HTML as a sequence of tags and texts, in linear time (HTML, section 13.2.5). What it finds need not be what a browser
//! finds: whoever writes HTML from it writes each tag and text anew.

use super::super::entity;
use crate::limits::{HTML_ATTRIBUTES, HTML_VALUE, INLINE_IMAGE};

/// Elements whose content is text up to their end tag.
const RAW: [&str; 10] =
    ["iframe", "noembed", "noframes", "plaintext", "script", "style", "textarea", "title", "xmp", "listing"];
/// A picture within the HTML is longer than other values.
const SOURCE: usize = INLINE_IMAGE / 3 * 4 + 100;
/// Bytes of a name of an element or attribute; no known one is as long.
const NAME: usize = 32;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// References not yet replaced.
    Text(&'a str),
    /// Name in lower case.
    Start(String, Attributes),
    End(String),
    /// The content of an element of text: `style`, `script`, `title`, …
    Raw(&'static str, &'a str),
}

/// Attributes in their order, names in lower case, references replaced; of two with one name the first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Attributes(pub Vec<(String, String)>);

impl Attributes {
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// The tags and texts of `html`.
pub(super) struct Tokens<'a> {
    html: &'a str,
    at: usize,
    raw: Option<&'static str>,
    /// In a list of choices of a form, whose texts are not shown.
    choices: bool,
    /// Elements of text whose end does not come any more: it is looked for once.
    endless: [bool; RAW.len()],
}

impl<'a> Tokens<'a> {
    pub fn new(html: &'a str) -> Self {
        Self { html, at: 0, raw: None, choices: false, endless: [false; RAW.len()] }
    }

    fn rest(&self) -> &'a str {
        self.html.get(self.at..).unwrap_or_default()
    }

    /// Content up to the end tag of `name`, or to the end of all.
    fn raw_text(&mut self, name: &'static str) -> Token<'a> {
        let rest = self.rest();
        let index = RAW.iter().position(|known| *known == name).unwrap_or(0);
        let end = if name == "plaintext" || self.endless[index] { None } else { find_end_tag(rest, name) };
        self.endless[index] |= end.is_none();
        let end = end.unwrap_or(rest.len());
        self.at += end;
        Token::Raw(name, &rest[..end])
    }

    /// What begins with `<`; none for what shows nothing, and `Text` where the sign is text.
    fn markup(&mut self) -> Option<Token<'a>> {
        let rest = self.rest();
        let bytes = rest.as_bytes();
        match bytes.get(1) {
            Some(byte) if byte.is_ascii_alphabetic() => self.tag(1),
            Some(b'/') if bytes.get(2).is_some_and(u8::is_ascii_alphabetic) => self.tag(2),
            Some(b'!') if rest.starts_with("<!--") => {
                self.at += comment(rest);
                None
            }
            Some(b'!' | b'?' | b'/') => {
                self.at += rest.find('>').map_or(rest.len(), |end| end + 1);
                None
            }
            _ => {
                self.at += 1;
                Some(Token::Text(&rest[..1]))
            }
        }
    }

    fn tag(&mut self, start: usize) -> Option<Token<'a>> {
        let rest = self.rest();
        let bytes = rest.as_bytes();
        let length = bytes[start..].iter().take_while(|byte| !ends_name(**byte)).count();
        let name = lower(&rest[start..start + length]);
        let mut cursor = Cursor { text: rest, at: start + length };
        let attributes = cursor.attributes(start == 1);
        self.at += cursor.at;
        // A tag that does not end is none (HTML, section 13.2.5.6 and following: eof-in-tag).
        let attributes = attributes?;
        // Whatever does not belong into such a list ends it, so that a forgotten end hides nothing.
        self.choices = match name.as_str() {
            "select" => start == 1,
            "option" | "optgroup" => self.choices,
            _ => false,
        };
        if start == 2 {
            return Some(Token::End(name));
        }
        self.raw = RAW.iter().find(|known| **known == name && name != "listing").copied();
        Some(Token::Start(name, attributes))
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        if let Some(name) = self.raw.take() {
            return Some(self.raw_text(name));
        }
        loop {
            let rest = self.rest();
            if rest.is_empty() {
                return None;
            }
            if !rest.starts_with('<') {
                let end = rest.find('<').unwrap_or(rest.len());
                self.at += end;
                if self.choices {
                    continue;
                }
                return Some(Token::Text(&rest[..end]));
            }
            if let Some(token) = self.markup() {
                return Some(token);
            }
        }
    }
}

fn ends_name(byte: u8) -> bool {
    byte.is_ascii_whitespace() || matches!(byte, b'/' | b'>' | 0x0b)
}

fn lower(name: &str) -> String {
    if name.len() > NAME { String::new() } else { name.to_ascii_lowercase() }
}

/// Length of the comment at the beginning.
fn comment(text: &str) -> usize {
    let body = &text[4..];
    if body.starts_with('>') {
        return 5;
    }
    if body.starts_with("->") {
        return 6;
    }
    // Both ends of a comment end in this sign: the first one that fits is found without looking further.
    let ends = |at: &usize| body[..*at].ends_with("--") || body[..*at].ends_with("--!");
    4 + memchr::memchr_iter(b'>', body.as_bytes()).find(ends).map_or(body.len(), |at| at + 1)
}

fn find_end_tag(text: &str, name: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    memchr::memmem::find_iter(bytes, b"</").find(|at| {
        let after = &bytes[at + 2..];
        after.get(..name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes()))
            && after.get(name.len()).is_none_or(|byte| ends_name(*byte))
    })
}

struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Takes bytes while `wanted`; its ends are ASCII, so that the text stays whole.
    fn take(&mut self, wanted: impl Fn(u8) -> bool) -> &'a str {
        let rest = &self.text.as_bytes()[self.at..];
        let length = rest.iter().take_while(|byte| wanted(**byte)).count();
        let taken = self.text.get(self.at..self.at + length).unwrap_or_default();
        self.at += length;
        taken
    }

    /// Attributes up to the end of the tag; none if it does not end.
    fn attributes(&mut self, keep: bool) -> Option<Attributes> {
        let mut list = Attributes::default();
        loop {
            self.take(|byte| ends_name(byte) && byte != b'>');
            match self.peek()? {
                b'>' => {
                    self.at += 1;
                    return Some(list);
                }
                first => {
                    let begin = self.at;
                    // An equals sign at the beginning is part of the name.
                    self.at += usize::from(first == b'=');
                    self.take(|byte| !ends_name(byte) && byte != b'=');
                    let name = lower(self.text.get(begin..self.at).unwrap_or_default());
                    let value = self.value();
                    let limit = if name == "src" { SOURCE } else { HTML_VALUE };
                    if keep
                        && !name.is_empty()
                        && list.0.len() < HTML_ATTRIBUTES
                        && value.len() <= limit
                        && list.get(&name).is_none()
                    {
                        let mut plain = String::new();
                        entity::decode(value, entity::Place::Attribute, &mut plain);
                        list.0.push((name, plain));
                    }
                }
            }
        }
    }

    fn value(&mut self) -> &'a str {
        let name_end = self.at;
        self.take(|byte| byte.is_ascii_whitespace());
        if self.peek() != Some(b'=') {
            self.at = name_end;
            return "";
        }
        self.at += 1;
        self.take(|byte| byte.is_ascii_whitespace());
        match self.peek() {
            Some(quote @ (b'"' | b'\'')) => {
                self.at += 1;
                let value = self.take(|byte| byte != quote);
                self.at = (self.at + 1).min(self.text.len());
                value
            }
            _ => self.take(|byte| !byte.is_ascii_whitespace() && byte != b'>'),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(html: &str) -> String {
        let show = |token: Token<'_>| match token {
            Token::Text(text) => format!("[{text}]"),
            Token::Start(name, attributes) => {
                let list: Vec<String> = attributes.0.iter().map(|(name, value)| format!(" {name}={value}")).collect();
                format!("<{name}{}>", list.concat())
            }
            Token::End(name) => format!("</{name}>"),
            Token::Raw(name, text) => format!("{name}({text})"),
        };
        Tokens::new(html).map(show).collect()
    }

    #[test]
    fn tags_and_texts() {
        for (html, expected) in [
            ("a<B>c</b >d", "[a]<b>[c]</b>[d]"),
            ("<a HREF='x>y' b c=\"&amp;\" d=e/>f", "<a href=x>y b= c=& d=e/>[f]"),
            ("<a/href=x>", "<a href=x>"),
            ("<a x=1 X=2 =y>", "<a x=1 =y=>"),
            ("1 < 2 <3 <", "[1 ][<][ 2 ][<][3 ][<]"),
            ("a<!-- <b> --!>c<!-->d<!--->e<!-- f", "[a][c][d][e]"),
            ("a<!doctype html>b<?x?>c</ d>e</>f", "[a][b][c][e][f]"),
            ("<script>a</scripty></SCRIPT >b", "<script>script(a</scripty>)</script>[b]"),
            ("<style>a", "<style>style(a)"),
            ("<plaintext>a</plaintext>", "<plaintext>plaintext(a</plaintext>)"),
            ("a<b c=\"d", "[a]"),
            ("a<b", "[a]"),
            ("<![if !mso]>a<![endif]>", "[a]"),
            ("<select><option>a</option>b</select>c", "<select><option></option></select>[c]"),
            ("<select><option>a<p>b", "<select><option><p>[b]"),
            ("<a b\u{e4}c=\u{e4}>\u{e4}<\u{e4}>", "<a bäc=ä>[ä][<][ä>]"),
        ] {
            assert_eq!(show(html), expected, "{html}");
        }
    }

    #[test]
    fn hostile_html_is_read_in_linear_time() {
        for unit in [
            "<",
            "</",
            "<!--",
            "<!---->",
            "<!----!>",
            "<a ",
            "<style>",
            "<a b='",
            "&#",
            "&amp",
            "<title>x</titl",
            "<a b=c d",
            "</script ",
        ] {
            let html = unit.repeat(crate::limits::MAIL_TEXT / unit.len());
            let start = std::time::Instant::now();
            let _ = Tokens::new(&html).count();
            assert!(start.elapsed().as_secs() < 10, "{unit}");
        }
    }
}
