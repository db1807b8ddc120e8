//! A text part to HTML: escaped, with links, quoted passages marked by their level.

use super::escape::escape;
use super::link;

/// Levels of quotation that look different.
const LEVELS: usize = 5;
/// Passages that are marked; what follows is one.
const PASSAGES: usize = 20_000;
/// Links that are made.
const LINKS: usize = 5_000;
/// Bytes of an address; a longer one stays text.
const ADDRESS: usize = 2000;
/// Signs at the end of an address that are taken for those of the sentence.
const PUNCTUATION: usize = 8;

/// Where the lines of a text end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wrapping {
    #[default]
    AsWritten,
    /// `format=flowed` (RFC 3676); with `delsp` the space at the end of a flowed line is none of the text's.
    Flowed { delsp: bool },
}

/// The text as HTML fragments for an element with `white-space: pre-wrap`: text, `<a>`, and `<span class="quote quote-N">`
/// around quoted passages, N being their level, 1 to 5. Length is bounded by that of the text.
pub fn fragments(text: &str, wrapping: Wrapping) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    let mut writer = Fragments { out: &mut out, level: 0, passages: 0, links: 0, first: true };
    match wrapping {
        Wrapping::AsWritten => text.lines().for_each(|line| writer.line(level(line).0, line)),
        Wrapping::Flowed { delsp } => flowed(text, delsp, &mut writer),
    }
    writer.level(0);
    out
}

/// The level of a line, and what follows the signs of it. Spaces may stand between them, as people write.
fn level(line: &str) -> (usize, &str) {
    let (mut level, mut rest) = (0, line);
    loop {
        let next = if level == 0 { rest } else { rest.strip_prefix(' ').unwrap_or(rest) };
        let Some(after) = next.strip_prefix('>') else { return (level, rest) };
        // A line of an mbox, not a quotation.
        if level == 0 && after.starts_with("From ") {
            return (0, line);
        }
        (level, rest) = (level + 1, after);
    }
}

/// Puts the lines of a paragraph together again (RFC 3676, section 4).
fn flowed(text: &str, delsp: bool, out: &mut Fragments<'_>) {
    let mut paragraph = String::new();
    let mut begun: Option<usize> = None;
    for line in text.lines() {
        let depth = line.len() - line.trim_start_matches('>').len();
        let body = &line[depth..];
        let body = body.strip_prefix(' ').unwrap_or(body);
        let signature = body == "-- ";
        if begun.is_some_and(|level| level != depth || signature) {
            out.paragraph(begun.take().unwrap_or(0), &mut paragraph);
        }
        let soft = body.ends_with(' ') && !signature;
        paragraph.push_str(if soft && delsp { &body[..body.len() - 1] } else { body });
        if soft {
            begun = Some(depth);
        } else {
            begun = None;
            out.paragraph(depth, &mut paragraph);
        }
    }
    if let Some(depth) = begun {
        out.paragraph(depth, &mut paragraph);
    }
}

struct Fragments<'a> {
    out: &'a mut String,
    level: usize,
    passages: usize,
    links: usize,
    first: bool,
}

impl Fragments<'_> {
    fn level(&mut self, level: usize) {
        let level = level.min(LEVELS);
        if level == self.level || (self.passages >= PASSAGES && level > 0) {
            return;
        }
        if self.level > 0 {
            self.out.push_str("</span>");
        }
        if level > 0 {
            self.passages += 1;
            self.out.push_str(&format!("<span class=\"quote quote-{level}\">"));
        }
        self.level = level;
    }

    /// A paragraph that was put together, with the signs of its level.
    fn paragraph(&mut self, level: usize, text: &mut String) {
        if level > 0 {
            // Signs beyond those that look different say nothing more.
            text.insert_str(0, &format!("{} ", ">".repeat(level.min(2 * LEVELS))));
        }
        self.line(level, text);
        text.clear();
    }

    fn line(&mut self, level: usize, line: &str) {
        if !std::mem::take(&mut self.first) {
            self.out.push('\n');
        }
        self.level(level);
        let mut rest = line;
        while self.links < LINKS
            && let Some((start, length, address)) = find_link(rest)
        {
            escape(&rest[..start], self.out);
            self.out.push_str("<a href=\"");
            escape(&address, self.out);
            self.out.push_str("\" rel=\"noopener noreferrer nofollow\" target=\"_blank\">");
            escape(&rest[start..start + length], self.out);
            self.out.push_str("</a>");
            self.links += 1;
            rest = &rest[start + length..];
        }
        escape(rest, self.out);
    }
}

/// The first address in a text: where, how long, and as it is linked. What is passed over once is not looked at again.
fn find_link(text: &str) -> Option<(usize, usize, String)> {
    let bytes = text.as_bytes();
    let mut from = 0;
    while let Some(start) = memchr::memmem::find(&bytes[from..], b"://").map(|at| from + at) {
        from = start + 3;
        let scheme = ["https", "http"].into_iter().find(|scheme| {
            start.checked_sub(scheme.len()).is_some_and(|at| bytes[at..start].eq_ignore_ascii_case(scheme.as_bytes()))
        });
        let Some(scheme) = scheme else { continue };
        let begin = start - scheme.len();
        if begin > 0 && bytes[begin - 1].is_ascii_alphanumeric() {
            continue;
        }
        let rest = &text[begin..];
        let end = rest.find(|char: char| char.is_whitespace() || char.is_control() || "<>\"`".contains(char));
        let end = end.unwrap_or(rest.len());
        from = begin + end;
        if end > ADDRESS {
            continue;
        }
        let address = trimmed(&rest[..end]);
        if let Some(safe) = link::safe(address) {
            return Some((begin, address.len(), safe));
        }
    }
    None
}

/// Without the punctuation of the sentence around it; a closing bracket stays with its partner.
fn trimmed(mut address: &str) -> &str {
    for _ in 0..PUNCTUATION {
        let Some(last) = address.chars().next_back() else { return address };
        let open = match last {
            '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '*' | '_' => '\0',
            ')' => '(',
            ']' => '[',
            '}' => '{',
            _ => return address,
        };
        if open != '\0' && address.contains(open) {
            return address;
        }
        address = &address[..address.len() - last.len_utf8()];
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    fn as_written(text: &str) -> String {
        fragments(text, Wrapping::AsWritten)
    }

    fn link(address: &str) -> String {
        let shown = address.replace('&', "&amp;");
        format!("<a href=\"{shown}\" rel=\"noopener noreferrer nofollow\" target=\"_blank\">{shown}</a>")
    }

    #[test]
    fn text_is_escaped_and_linked() {
        assert_eq!(as_written("<script>\"&'\r\nb\0"), "&lt;script&gt;&quot;&amp;&#39;\nb\u{fffd}");
        for (text, before, address, after) in [
            ("see https://a.ch/x?a=1&b=2.", "see ", "https://a.ch/x?a=1&b=2", "."),
            ("(http://a.ch/)", "(", "http://a.ch/", ")"),
            ("http://a.ch/(x)", "", "http://a.ch/(x)", ""),
            ("<https://a.ch>", "&lt;", "https://a.ch", "&gt;"),
        ] {
            assert_eq!(as_written(text), format!("{before}{}{after}", link(address)), "{text}");
        }
        for text in ["javascript://a.ch/%0aalert(1)", "xhttp://a.ch", "http://", "://", "http:// a"] {
            assert!(!as_written(text).contains("<a"), "{text}");
        }
    }

    #[test]
    fn quotations_are_marked() {
        assert_eq!(
            as_written("a\n> b\n> > c\n>> d\ne\n>From x"),
            "a\n<span class=\"quote quote-1\">&gt; b\n</span><span class=\"quote quote-2\">&gt; &gt; c\n&gt;&gt; d\n</span>e\n&gt;From x"
        );
        assert!(as_written(&">".repeat(1000)).starts_with("<span class=\"quote quote-5\">"));
    }

    #[test]
    fn flowed_lines_are_put_together() {
        let flow = |text, delsp| fragments(text, Wrapping::Flowed { delsp });
        assert_eq!(flow("Guten \nTag\n  x\n-- \nAnna", false), "Guten Tag\n x\n-- \nAnna");
        assert_eq!(flow("日 \n本", true), "日本");
        assert_eq!(
            flow(">a \n>b\n>> c \nd", false),
            "<span class=\"quote quote-1\">&gt; a b\n</span><span class=\"quote quote-2\">&gt;&gt; c \n</span>d"
        );
    }

    #[test]
    fn hostile_text_is_read_in_linear_time() {
        for unit in ["http://", "https://a.ch/ ", ">\n\n", "> ", "://", "a \n", "https://a.ch/)))))", ">>>>>>>>>\n"] {
            let text = unit.repeat(crate::limits::MAIL_TEXT / unit.len());
            let start = std::time::Instant::now();
            let length = as_written(&text).len() + fragments(&text, Wrapping::Flowed { delsp: false }).len();
            assert!(length < 40 * text.len() && start.elapsed().as_secs() < 10, "{unit}");
        }
    }
}
