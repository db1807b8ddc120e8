//! A message as it is shown: which parts are wanted of it, and what is made of them.

use super::bodies::Piece;
use super::charset;
use super::html::{Inline, SafeHtml, html_to_text, picture_type, safe_html};
use super::outline::Outline;
use super::part::{Collected, Wanted};
use super::part_header::Part;
use super::plain::{Wrapping, fragments};
use crate::limits::{INLINE_IMAGE, INLINE_IMAGES, MAIL_TEXT};

/// What a reader prefers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    #[default]
    Html,
    Text,
}

/// What is read of a message to show it. [`Plan::wanted`] goes to a [`super::Collector`], what that collects to [`Plan::show`].
#[derive(Clone, Debug)]
pub struct Plan<'a> {
    outline: &'a Outline,
    mode: Mode,
    pieces: Vec<Piece>,
    attachments: Vec<usize>,
    wanted: Vec<Wanted<'a>>,
}

/// A message to be put on a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// What is shown, one below the other.
    pub shown: Vec<Shown>,
    /// Parts that get a row of their own: all that are not shown.
    pub attachments: Vec<usize>,
    /// Pictures that are not loaded from elsewhere.
    pub remote_images: usize,
}

/// A piece of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// Fragments for an element of the page with `white-space: pre-wrap`; `cut` says that the part is longer.
    Text { number: usize, html: String, cut: bool },
    /// A document for a frame.
    Html { number: usize, document: SafeHtml },
    /// A picture of the mail, as a part of its own.
    Image(usize),
    /// Sound or film.
    Media(usize),
}

impl<'a> Plan<'a> {
    /// For a message: 0, or the number of a message within ([`Outline::bodies_of`]).
    pub fn new(outline: &'a Outline, message: usize, mode: Mode) -> Self {
        let bodies = outline.bodies_of(message);
        let pieces = if mode == Mode::Html { bodies.html } else { bodies.text };
        let mut plan = Self { outline, mode, pieces, attachments: bodies.attachments, wanted: Vec::new() };
        plan.want();
        plan
    }

    /// The parts whose beginnings are needed; together at most [`MAIL_TEXT`] and [`INLINE_IMAGES`] bytes.
    pub fn wanted(&self) -> &[Wanted<'a>] {
        &self.wanted
    }

    fn want(&mut self) {
        let mut left = MAIL_TEXT;
        for piece in &self.pieces {
            let (Piece::Plain(number) | Piece::Html(number)) = *piece else { continue };
            let Some(part) = self.outline.parts.get(number) else { continue };
            let limit = usize::try_from(part.encoded_size()).unwrap_or(usize::MAX).min(left);
            left -= limit;
            self.wanted.push(Wanted { part, limit });
        }
        if self.mode == Mode::Text || !self.pieces.iter().any(|piece| matches!(piece, Piece::Html(_))) {
            return;
        }
        let mut left = INLINE_IMAGES;
        for number in &self.attachments {
            let Some(part) = self.outline.parts.get(*number) else { continue };
            let limit = usize::try_from(part.encoded_size()).unwrap_or(usize::MAX);
            // What is longer in its encoding may still fit; a third is what Base64 adds.
            if !part.content_id.is_empty() && may_be_picture(part) && limit / 4 * 3 <= INLINE_IMAGE.min(left) {
                left -= limit / 4 * 3;
                self.wanted.push(Wanted { part, limit: INLINE_IMAGE });
            }
        }
    }

    /// Makes a view of what was collected for [`Plan::wanted`].
    pub fn show(self, collected: Vec<Collected>) -> View {
        let mut view = View { attachments: self.attachments, ..View::default() };
        let mut inline = Vec::new();
        let mut texts = Vec::new();
        for (wanted, found) in self.wanted.iter().zip(collected) {
            let part = wanted.part;
            if view.attachments.contains(&part.number) {
                if !found.cut && picture_type(&found.bytes).is_some() {
                    inline.push(Inline {
                        number: part.number,
                        content_id: part.content_id.clone(),
                        bytes: found.bytes,
                    });
                }
            } else {
                texts.push((part, found));
            }
        }
        let mut texts = texts.into_iter();
        for piece in self.pieces {
            match piece {
                Piece::Image(number) => view.shown.push(Shown::Image(number)),
                Piece::Media(number) => view.shown.push(Shown::Media(number)),
                Piece::Plain(_) => view.shown.extend(texts.next().map(|(part, found)| plain(part, &found))),
                Piece::Html(_) => {
                    let Some((part, found)) = texts.next() else { continue };
                    let text = charset::html_text(&found.bytes, &part.charset, found.cut);
                    if self.mode == Mode::Text {
                        let html = fragments(&html_to_text(&text), Wrapping::AsWritten);
                        view.shown.push(Shown::Text { number: part.number, html, cut: found.cut });
                        continue;
                    }
                    let mut document = safe_html(&text, &inline);
                    document.cut |= found.cut;
                    view.remote_images += document.remote_images;
                    view.attachments.retain(|number| !document.used.contains(number));
                    view.shown.push(Shown::Html { number: part.number, document });
                }
            }
        }
        view
    }
}

fn may_be_picture(part: &Part) -> bool {
    part.media_type.starts_with("image/") || part.media_type == "application/octet-stream"
}

fn plain(part: &Part, found: &Collected) -> Shown {
    let text = charset::text(&found.bytes, &part.charset, found.cut);
    let wrapping = if part.flowed { Wrapping::Flowed { delsp: part.delsp } } else { Wrapping::AsWritten };
    Shown::Text { number: part.number, html: fragments(&text, wrapping), cut: found.cut }
}

#[cfg(test)]
mod tests {
    use super::super::{Collector, Outliner};
    use super::*;

    #[test]
    fn a_mail_with_an_inline_picture() {
        let mail = b"Content-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\nContent-Type: multipart/related; boundary=r\r\n\r\n\
            --r\r\nContent-Type: text/html\r\n\r\n<p>Hallo<img src=cid:a><img src=http://x.ch/>\r\n--r\r\nContent-Type: image/gif\r\n\
            Content-ID: <a>\r\n\r\nGIF89a\r\n--r\r\nContent-Type: image/gif\r\nContent-ID: <b>\r\n\r\nGIF89a\r\n--r--\r\n--m\r\n\
            Content-Type: a/b\r\n\r\nx\r\n--m--\r\n";
        let outline = Outliner::read(mail);
        let show = |mode| {
            let plan = Plan::new(&outline, 0, mode);
            let collected = Collector::read(mail, plan.wanted());
            plan.show(collected)
        };
        let view = show(Mode::Html);
        assert_eq!((view.attachments.as_slice(), view.remote_images, view.shown.len()), (&[4, 5][..], 1, 1));
        let Shown::Html { number: 2, document } = &view.shown[0] else { panic!("{view:?}") };
        assert!(document.html.contains("Hallo<img src=\"data:image/gif;base64,R0lGODlh\">"));
        let view = show(Mode::Text);
        assert_eq!(view.shown, [Shown::Text { number: 2, html: "Hallo".into(), cut: false }]);
        assert_eq!(view.attachments, [3, 4, 5]);
    }
}
