//! Which parts of a message are its text, and which are attachments: the algorithm of RFC 8621, section 4.1.4.

use super::outline::Outline;
use super::part_header::{Disposition, Part, Transfer};

/// A part that is shown in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece {
    /// `text/plain` and other text, by part number.
    Plain(usize),
    Html(usize),
    /// A picture between texts, as Apple Mail sends them.
    Image(usize),
    /// Sound or film between texts: a row like an attachment's.
    Media(usize),
}

/// The parts of a message by what they are for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bodies {
    /// What is shown, where HTML is preferred. Empty for a message without text.
    pub html: Vec<Piece>,
    /// What is shown, where text is preferred; HTML where there is nothing else.
    pub text: Vec<Piece>,
    /// All others but multiparts, in their order. Pictures with a content id among them may be part of the HTML:
    /// [`super::SafeHtml::used`] says which are, and need no row of their own.
    pub attachments: Vec<usize>,
}

impl Outline {
    /// The parts of the message by what they are for.
    pub fn bodies(&self) -> Bodies {
        self.bodies_of(0)
    }

    /// The same for a message within: `number` is a part that [`Part::is_message`], or 0 for the message itself.
    pub fn bodies_of(&self, number: usize) -> Bodies {
        let mut sorter = Sorter { outline: self, bodies: Bodies::default() };
        let root = match self.parts.get(number) {
            // Followed, it has one child: the outermost part of the message within.
            Some(part) if part.is_message() && part.transfer == Transfer::Identity => self.children(number).next(),
            other if number == 0 => other,
            _ => None,
        };
        if let Some(root) = root {
            sorter.sort(&mut std::iter::once(root), "mixed", false, Wanted { html: true, text: true });
        }
        let mut bodies = sorter.bodies;
        if bodies.html.is_empty() {
            bodies.html.clone_from(&bodies.text);
        } else if bodies.text.is_empty() {
            bodies.text.clone_from(&bodies.html);
        }
        bodies
    }
}

/// Into which of the two lists parts go. Within an alternative that has settled for one, only into that.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    html: bool,
    text: bool,
}

struct Sorter<'a> {
    outline: &'a Outline,
    bodies: Bodies,
}

impl<'a> Sorter<'a> {
    /// The depth of the recursion is that of the outline, which is bounded.
    fn sort(
        &mut self,
        parts: &mut dyn Iterator<Item = &'a Part>,
        multipart: &str,
        within_alternative: bool,
        mut wanted: Wanted,
    ) {
        let before = (self.bodies.html.len(), self.bodies.text.len());
        for (index, part) in parts.enumerate() {
            if part.is_multipart() && self.outline.children(part.number).next().is_none() {
                // Its boundary is missing or never comes: what is there is read as text.
                self.bodies.html.push(Piece::Plain(part.number));
                self.bodies.text.push(Piece::Plain(part.number));
                continue;
            }
            if part.is_multipart() {
                let kind = &part.media_type["multipart/".len()..];
                let alternative = within_alternative || kind == "alternative";
                self.sort(&mut self.outline.children(part.number), kind, alternative, wanted);
                continue;
            }
            let Some(piece) = shown(part, index, multipart) else {
                self.bodies.attachments.push(part.number);
                continue;
            };
            if multipart == "alternative" {
                match piece {
                    Piece::Plain(_) if wanted.text => self.bodies.text.push(piece),
                    Piece::Html(_) if wanted.html => self.bodies.html.push(piece),
                    _ => self.bodies.attachments.push(part.number),
                }
                continue;
            }
            if within_alternative {
                wanted.html &= !matches!(piece, Piece::Plain(_));
                wanted.text &= !matches!(piece, Piece::Html(_));
            }
            if wanted.html {
                self.bodies.html.push(piece);
            }
            if wanted.text {
                self.bodies.text.push(piece);
            }
            if !(wanted.html && wanted.text) && matches!(piece, Piece::Image(_) | Piece::Media(_)) {
                self.bodies.attachments.push(part.number);
            }
        }
        if multipart == "alternative" && wanted.html && wanted.text {
            self.fill(before);
        }
    }

    /// An alternative that has only one of the two is used for both.
    fn fill(&mut self, before: (usize, usize)) {
        let Bodies { html, text, .. } = &mut self.bodies;
        if text.len() == before.1 {
            text.extend_from_slice(&html[before.0..]);
        } else if html.len() == before.0 {
            html.extend_from_slice(&text[before.1..]);
        }
    }
}

/// How a part is shown in its place; none for an attachment.
fn shown(part: &Part, index: usize, multipart: &str) -> Option<Piece> {
    if part.disposition == Disposition::Attachment {
        return None;
    }
    let number = part.number;
    let (piece, media) = match part.media_type.as_str() {
        // The last two are older than MIME's names for them, and read as the text they are.
        "text/plain" | "text/enriched" | "text/richtext" => (Piece::Plain(number), false),
        "text/html" => (Piece::Html(number), false),
        other if other.starts_with("image/") => (Piece::Image(number), true),
        other if other.starts_with("audio/") || other.starts_with("video/") => (Piece::Media(number), true),
        _ => return None,
    };
    (index == 0 || (multipart != "related" && (media || part.name.is_empty()))).then_some(piece)
}

#[cfg(test)]
mod tests {
    use super::super::outline::Outliner;
    use super::*;

    /// `(mixed a b)`-like shorthand to a message: each word is a part.
    fn mail(shape: &[&str]) -> Vec<u8> {
        let mut out = String::new();
        let mut open: Vec<usize> = Vec::new();
        for (index, word) in shape.iter().enumerate() {
            if *word == ")" {
                out.push_str(&format!("--b{}--\r\n", open.pop().unwrap()));
                continue;
            }
            if let Some(parent) = open.last() {
                out.push_str(&format!("--b{parent}\r\n"));
            }
            if let Some(kind) = word.strip_prefix('(') {
                out.push_str(&format!("Content-Type: multipart/{kind}; boundary=b{index}\r\n\r\n"));
                open.push(index);
            } else {
                let (kind, rest) = word.split_once(' ').unwrap_or((word, ""));
                out.push_str(&format!("Content-Type: {kind}\r\n{rest}\r\n\r\nx\r\n"));
            }
        }
        out.into_bytes()
    }

    #[test]
    fn usual_shapes() {
        use Piece::{Html, Image, Plain};
        type Case = (&'static [&'static str], &'static [Piece], &'static [Piece], &'static [usize]);
        let cases: &[Case] = &[
            (&["text/plain"], &[Plain(0)], &[Plain(0)], &[]),
            (&["text/html"], &[Html(0)], &[Html(0)], &[]),
            (&["application/pdf"], &[], &[], &[0]),
            (&["(alternative", "text/plain", "text/html", ")"], &[Html(2)], &[Plain(1)], &[]),
            (
                &["(mixed", "(alternative", "text/plain", "(related", "text/html", "image/png", ")", ")", "a/b", ")"],
                &[Html(4)],
                &[Plain(2)],
                &[5, 6],
            ),
            // Apple Mail
            (
                &["(mixed", "text/plain", "image/jpeg Content-Disposition: inline; filename=a.jpg", "text/plain", ")"],
                &[Plain(1), Image(2), Plain(3)],
                &[Plain(1), Image(2), Plain(3)],
                &[],
            ),
            (
                &["(mixed", "text/plain", "text/plain Content-Disposition: attachment", "text/x-log", ")"],
                &[Plain(1)],
                &[Plain(1)],
                &[2, 3],
            ),
            (&["(alternative", "text/plain", "text/calendar", "text/html", ")"], &[Html(3)], &[Plain(1)], &[2]),
            (&["(alternative", "text/html", ")"], &[Html(1)], &[Html(1)], &[]),
            (&["multipart/mixed; boundary=missing"], &[Plain(0)], &[Plain(0)], &[]),
        ];
        for (shape, html, text, attachments) in cases {
            let bodies = Outliner::read(&mail(shape)).bodies();
            assert_eq!((bodies.html.as_slice(), bodies.text.as_slice()), (*html, *text), "{shape:?}");
            assert_eq!(bodies.attachments, *attachments, "{shape:?}");
        }
    }

    #[test]
    fn a_message_within_has_bodies_of_its_own() {
        let inner = "Subject: x\r\n\r\nHallo\r\n";
        let mail = format!(
            "Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n\r\nx\r\n--a\r\nContent-Type: message/rfc822\r\n\r\n{inner}--a--"
        );
        let outline = Outliner::read(mail.as_bytes());
        assert_eq!(outline.bodies().attachments, [2]);
        assert_eq!(outline.bodies_of(2).text, [Piece::Plain(3)]);
        assert_eq!(outline.bodies_of(1), Bodies::default());
        assert_eq!(outline.bodies_of(99), Bodies::default());
    }
}
