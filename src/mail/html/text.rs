//! HTML to text: for previews, and for those who prefer text.

use super::super::entity;
use super::tokens::{Token, Tokens};
use crate::limits::MAIL_TEXT;

/// Elements that stand on lines of their own.
const BLOCKS: [&str; 34] = [
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "center",
    "dd",
    "details",
    "dir",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "li",
    "main",
    "menu",
    "ol",
    "p",
    "pre",
    "section",
    "table",
    "tr",
    "ul",
];
/// Those with an empty line before and after.
const SPACED: [&str; 11] = ["blockquote", "dl", "h1", "h2", "h3", "h4", "h5", "h6", "ol", "p", "ul"];

/// The text of an HTML mail: paragraphs and rows on lines, pictures by their description. Never more than [`MAIL_TEXT`] bytes.
pub fn html_to_text(html: &str) -> String {
    let mut lines = Lines::default();
    let mut plain = String::new();
    let (mut preformatted, mut head) = (0usize, false);
    for token in Tokens::new(html) {
        if lines.out.len() >= MAIL_TEXT {
            break;
        }
        match token {
            Token::Text(text) | Token::Raw("textarea", text) if !head => {
                plain.clear();
                entity::decode(text, entity::Place::Content, &mut plain);
                lines.text(&plain, preformatted > 0);
            }
            Token::Raw("xmp" | "plaintext", text) => lines.text(text, true),
            Token::Text(_) | Token::Raw(..) => {}
            Token::Start(name, attributes) => match name.as_str() {
                // Within it only what has no text of its own may stand; anything else ends it.
                "head" => head = true,
                "meta" | "link" | "base" | "style" | "script" | "title" | "noscript" => {}
                "br" => lines.line(),
                "td" | "th" => lines.cell(),
                "li" => {
                    lines.block(1);
                    lines.word("- ");
                }
                "hr" => {
                    lines.block(1);
                    lines.word("---");
                    lines.block(1);
                }
                "img" => {
                    if let Some(alt) = attributes.get("alt").map(str::trim).filter(|alt| !alt.is_empty()) {
                        lines.text(&format!("[{alt}]"), false);
                    }
                }
                name => {
                    head = false;
                    preformatted += usize::from(name == "pre");
                    lines.around(name);
                }
            },
            Token::End(name) => {
                head &= name != "head";
                preformatted = preformatted.saturating_sub(usize::from(name == "pre"));
                lines.around(&name);
            }
        }
    }
    lines.finish()
}

#[derive(Default)]
struct Lines {
    out: String,
    /// Line ends that come before the next word.
    ends: usize,
    space: bool,
}

impl Lines {
    fn around(&mut self, name: &str) {
        if SPACED.contains(&name) {
            self.block(2);
        } else if BLOCKS.contains(&name) {
            self.block(1);
        }
    }

    fn block(&mut self, ends: usize) {
        self.ends = self.ends.max(ends);
    }

    /// A line end that the mail asks for.
    fn line(&mut self) {
        self.ends = (self.ends + 1).min(3);
    }

    fn cell(&mut self) {
        self.space = true;
    }

    fn word(&mut self, word: &str) {
        if self.ends > 0 {
            if !self.out.is_empty() {
                self.out.push_str(&"\n\n\n"[..self.ends.min(3)]);
            }
        } else if self.space && !self.out.is_empty() && !self.out.ends_with([' ', '\n']) {
            self.out.push(' ');
        }
        (self.ends, self.space) = (0, false);
        self.out.push_str(word);
    }

    fn text(&mut self, text: &str, preformatted: bool) {
        if preformatted {
            for (index, line) in text.split('\n').enumerate() {
                if index > 0 {
                    self.ends += 1;
                }
                if !line.trim().is_empty() {
                    self.word(line.trim_end());
                }
            }
            return;
        }
        let space = |char: char| matches!(char, ' ' | '\t' | '\r' | '\n' | '\x0c');
        self.space |= text.starts_with(space);
        for word in text.split(space).filter(|word| !word.is_empty()) {
            self.word(word);
            self.space = true;
        }
        self.space = text.ends_with(space) || (self.space && text.trim_matches(space).is_empty());
    }

    fn finish(mut self) -> String {
        let harmless = |char: char| {
            if char.is_control() && !matches!(char, '\n' | '\t') { char::REPLACEMENT_CHARACTER } else { char }
        };
        if self.out.chars().any(|char| harmless(char) != char) {
            self.out = self.out.chars().map(harmless).collect();
        }
        let end = self.out.floor_char_boundary(MAIL_TEXT).min(self.out.trim_end().len());
        self.out.truncate(end);
        self.out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts() {
        for (html, expected) in [
            ("<p>Guten  Tag\n<b>Anna</b>!</p><p>b<br>c</p>", "Guten Tag Anna!\n\nb\nc"),
            ("<head><title>t</title>x</head><body>a<script>b</script>", "a"),
            ("<head><meta charset=utf-8><div>a</div>", "a"),
            ("<table><tr><td>a<td>b<tr><td>c</table>", "a b\nc"),
            ("<ul><li>a<li>b</ul>c", "- a\n- b\n\nc"),
            ("a<pre>x\n  y\n\nz</pre>b", "a\nx\n  y\n\nz\nb"),
            ("a<img alt=' Logo '>b &lt;&amp;&gt; &copy;", "a[Logo]b <&> ©"),
            ("<style>x</style>a<!-- b -->c", "ac"),
            ("", ""),
            ("a<b> b</b> <i>c</i>", "a b c"),
        ] {
            assert_eq!(html_to_text(html), expected, "{html}");
        }
    }
}
