//! A stored mail, read as far as its page needs it: pass by pass over the archive, in bounded memory.

use std::io::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::super::error::Result;
use crate::archive::Archive;
use crate::archive::commit::Number;
use crate::limits::{INLINE_IMAGE, INLINE_IMAGES, MAIL_ENVELOPE, MAIL_TEXT, VIEW_TEXT};
use crate::mail::html::{self, Inline, SafeHtml};
use crate::mail::plain::{self, Wrapping};
use crate::mail::special::{Special, cms};
use crate::mail::{Bodies, Collected, Collector, Outline, Outliner, Part, Piece, Wanted, charset};

/// More than the estimate of a part's size may be wrong by.
const SLACK: usize = 4096;

/// One mail at a time is taken apart in memory: each can need some ten megabytes.
static TURN: Mutex<()> = Mutex::new(());

/// Taken by whoever holds parts of a mail that are not small; [`Mail::text`], [`Mail::html`] and [`Mail::within`] take it
/// themselves.
pub fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

enum Bytes {
    Archived(Number),
    /// What was inside a signature.
    Memory(Vec<u8>),
}

/// A mail, or the one inside its signature.
pub struct Mail {
    bytes: Bytes,
    pub outline: Outline,
    pub bodies: Bodies,
}

/// The text of a mail as HTML fragments.
pub struct Text {
    pub fragments: String,
    /// There is more than is shown.
    pub cut: bool,
}

impl Mail {
    pub fn read(archive: &Archive, number: Number) -> Result<Self> {
        Self::of(archive, Bytes::Archived(number))
    }

    fn of(archive: &Archive, bytes: Bytes) -> Result<Self> {
        let mut mail = Self { bytes, outline: Outline::default(), bodies: Bodies::default() };
        let mut outliner = Outliner::new();
        mail.pass(archive, &mut outliner)?;
        mail.outline = outliner.finish();
        mail.bodies = mail.outline.bodies();
        Ok(mail)
    }

    /// The mail inside the signature that is part `number`, if it is one.
    pub fn within(&self, archive: &Archive, number: usize) -> Result<Option<Self>> {
        let _turn = turn();
        let Some(part) = self.outline.parts.get(number) else { return Ok(None) };
        if !matches!(Special::of(part), Some(Special::SmimeSigned | Special::SmimeEncrypted)) {
            return Ok(None);
        }
        let collected = self.collect(archive, &[Wanted { part, limit: MAIL_ENVELOPE }])?;
        match collected.first().map(|part| cms::open(&part.bytes)) {
            Some(cms::Cms::Signed(bytes)) => Ok(Some(Self::of(archive, Bytes::Memory(bytes))?)),
            _ => Ok(None),
        }
    }

    /// The whole mail, byte for byte.
    pub fn pass(&self, archive: &Archive, out: &mut dyn Write) -> Result<()> {
        match &self.bytes {
            Bytes::Archived(number) => archive.read(*number, out)?,
            Bytes::Memory(bytes) => out.write_all(bytes)?,
        }
        Ok(())
    }

    /// The beginnings of some parts.
    pub fn collect(&self, archive: &Archive, wanted: &[Wanted<'_>]) -> Result<Vec<Collected>> {
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let mut collector = Collector::new(wanted);
        self.pass(archive, &mut collector)?;
        Ok(collector.finish())
    }

    /// Whether the mail lies in memory, because it was inside a signature.
    pub fn is_in_memory(&self) -> bool {
        matches!(self.bytes, Bytes::Memory(_))
    }

    pub fn has_html(&self) -> bool {
        self.bodies.html.iter().any(|piece| matches!(piece, Piece::Html(_)))
    }

    fn part(&self, number: usize) -> Option<&Part> {
        self.outline.parts.get(number)
    }

    /// Parts within a number of bytes, the first ones first.
    fn within_budget(&self, numbers: impl Iterator<Item = usize>, total: usize) -> (Vec<Wanted<'_>>, bool) {
        let (mut left, mut cut) = (total, false);
        let mut wanted = Vec::new();
        for part in numbers.filter_map(|number| self.part(number)) {
            if left == 0 {
                cut = true;
                break;
            }
            let size = usize::try_from(part.decoded_size()).unwrap_or(usize::MAX).saturating_add(SLACK);
            let limit = size.min(left);
            left -= limit;
            wanted.push(Wanted { part, limit });
        }
        (wanted, cut)
    }

    /// The mail as text.
    pub fn text(&self, archive: &Archive) -> Result<Text> {
        let _turn = turn();
        let shown = self.bodies.text.iter().filter_map(|piece| match piece {
            Piece::Plain(number) | Piece::Html(number) => Some(*number),
            Piece::Image(_) | Piece::Media(_) => None,
        });
        let (wanted, mut cut) = self.within_budget(shown, VIEW_TEXT);
        let mut fragments = String::new();
        for collected in self.collect(archive, &wanted)? {
            let Some(part) = self.part(collected.number) else { continue };
            cut |= collected.cut;
            if !fragments.is_empty() {
                fragments.push_str("\n\n");
            }
            fragments.push_str(&as_fragments(part, &collected));
        }
        Ok(Text { fragments, cut })
    }

    /// The mail as a document that can be shown in a frame.
    pub fn html(&self, archive: &Archive) -> Result<SafeHtml> {
        let _turn = turn();
        let shown = self.bodies.html.iter().filter_map(|piece| match piece {
            Piece::Plain(number) | Piece::Html(number) => Some(*number),
            Piece::Image(_) | Piece::Media(_) => None,
        });
        let (wanted, over) = self.within_budget(shown, MAIL_TEXT);
        let mut texts = self.collect(archive, &wanted)?;
        let mut cut = over;
        let mut all = String::new();
        let mut pictures: Vec<(usize, String)> = Vec::new();
        for piece in &self.bodies.html {
            match piece {
                Piece::Plain(number) | Piece::Html(number) => {
                    let (Some(part), Some(place)) =
                        (self.part(*number), texts.iter().position(|text| text.number == *number))
                    else {
                        continue;
                    };
                    let collected = texts.swap_remove(place);
                    cut |= collected.cut;
                    if matches!(piece, Piece::Html(_)) {
                        all.push_str(&charset::html_text(&collected.bytes, &part.charset, collected.cut));
                    } else {
                        all.push_str(&format!("<pre>{}</pre>", as_fragments(part, &collected)));
                    }
                }
                Piece::Image(number) => {
                    // Its own name may be that of no or of another picture.
                    let name = format!("part-{number}@archivista.invalid");
                    all.push_str(&format!("<p><img src=\"cid:{name}\"></p>"));
                    pictures.push((*number, name));
                }
                Piece::Media(_) => {}
            }
        }
        for number in &self.bodies.attachments {
            if let Some(part) = self.part(*number)
                && !part.content_id.is_empty()
                && all.contains("cid:")
            {
                pictures.push((*number, part.content_id.clone()));
            }
        }
        let fits = |number: &usize| self.part(*number).is_some_and(|part| part.decoded_size() <= INLINE_IMAGE as u64);
        let (wanted, _) = self.within_budget(pictures.iter().map(|(number, _)| *number).filter(fits), INLINE_IMAGES);
        let inline: Vec<Inline> = self
            .collect(archive, &wanted)?
            .into_iter()
            .filter(|collected| !collected.cut)
            .filter_map(|collected| {
                let name = pictures.iter().find(|(number, _)| *number == collected.number)?.1.clone();
                Some(Inline { number: collected.number, content_id: name, bytes: collected.bytes })
            })
            .collect();
        let mut safe = html::safe_html(&all, &inline);
        safe.cut |= cut;
        Ok(safe)
    }
}

fn as_fragments(part: &Part, collected: &Collected) -> String {
    if part.media_type == "text/html" {
        let text = charset::html_text(&collected.bytes, &part.charset, collected.cut);
        return plain::fragments(&html::html_to_text(&text), Wrapping::AsWritten);
    }
    let wrapping = if part.flowed { Wrapping::Flowed { delsp: part.delsp } } else { Wrapping::AsWritten };
    plain::fragments(&charset::text(&collected.bytes, &part.charset, collected.cut), wrapping)
}
