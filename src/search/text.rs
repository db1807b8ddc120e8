//! What of a document is searched: its words, in the columns of the index.

use std::collections::BTreeSet;
use std::io::Write;

use super::addresses::addresses;
use super::words;
use crate::archive::Archive;
use crate::archive::commit::{Metadata, Number};
use crate::archive::error::{ArchiveError, Result};
use crate::archive::rows::{Document, FIELD_NOTE};
use crate::archive::view::View;
use crate::extract::{About, Extracted, Extractor, Parts, Unread};
use crate::hash::Sha256;
use crate::limits::{ADDRESS_WORDS, INDEX_IN_MEMORY, INDEX_TEXT};
use crate::mail::html::html_to_text;
use crate::mail::{Bodies, Collected, Collector, Outline, Outliner, Part, Piece, Wanted, charset};

/// Words with a space between them, as the index takes them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Columns {
    /// Where it was seen and what it is: see [`place`], [`folder`], [`ALL`] and the others.
    pub place: String,
    pub sender: String,
    pub recipient: String,
    pub cc: String,
    pub subject: String,
    /// Names of files.
    pub file: String,
    pub body: String,
    /// Further fields and the note, by [`in_field`].
    pub field: String,
    /// The fields that it has.
    pub names: BTreeSet<String>,
    /// What of it could not be read: [`Part::number`], 0 for a file and for the text of a mail.
    pub unread: Vec<(usize, Unread)>,
}

impl Columns {
    /// Without the words of its text, which are too many.
    #[must_use]
    pub fn without_text(mut self) -> Self {
        self.unread.push((0, Unread::TooLarge));
        Self { body: String::new(), ..self }
    }
}

/// The columns in which a free word is looked for, as FTS5 writes them; fields are asked one by one.
pub const ANYWHERE: &str = "{sender recipient cc subject file body}";

/// A word of every document.
pub const ALL: &str = "d";
/// Of those that only whoever reads everything sees.
pub const BLOCKED: &str = "b";
pub const MAIL: &str = "m";
pub const FILE: &str = "u";
/// Of those with attachments.
pub const ATTACHMENT: &str = "a";

/// The word of a mailbox ([`crate::archive::rows::FolderRow::place`]).
pub fn place(place: u32) -> String {
    format!("p{place}")
}

/// The word of a folder.
pub fn folder(folder: u32) -> String {
    format!("o{folder}")
}

/// The word of a number.
pub fn number(number: Number) -> String {
    format!("n{number}")
}

/// A word of a further field: those of different fields never meet, whatever somebody calls one.
pub fn in_field(name: &str, word: &str) -> String {
    let of: String = Sha256::of(name.to_lowercase().as_bytes()).to_string().chars().take(16).collect();
    of + word
}

/// What of a document may change, as the index knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// The words of the places that it was seen in, and whether it is blocked.
    places: BTreeSet<String>,
    /// Tells one state from another: of its metadata too.
    pub mark: u64,
}

impl State {
    pub fn of(view: &View, number: Number) -> Result<Self> {
        let places = places(view, number)?;
        let mut hasher = crc32fast::Hasher::new();
        for word in &places {
            hasher.update(word.as_bytes());
            hasher.update(b" ");
        }
        let changed = view.change_row(number)?.map_or(0, |row| row.commit);
        // Rows of the log follow each other: a later change has a higher number.
        Ok(Self { mark: changed << 32 | u64::from(hasher.finalize()), places })
    }
}

/// Words of the places that it was seen in.
fn places(view: &View, number: Number) -> Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    for seen in view.occurrences(number)? {
        found.insert(folder(seen.folder));
        found.extend(view.folder(seen.folder)?.map(|row| place(row.place)));
    }
    if view.is_blocked(number)? {
        found.insert(BLOCKED.into());
    }
    Ok(found)
}

/// The columns of a document, with the text of its attachments. What of its bytes cannot be read is left out; an error is one of the
/// archive.
pub fn columns(
    archive: &Archive,
    number: Number,
    document: &Document,
    State { places, .. }: &State,
    extractor: &mut Extractor,
) -> Result<Columns> {
    let metadata = &document.metadata;
    let mut columns = of_metadata(metadata);
    let mut marks = places.clone();
    marks.extend([ALL.into(), self::number(number)]);
    marks.insert(if metadata.is_mail() { MAIL } else { FILE }.into());
    if !metadata.attachments.is_empty() {
        marks.insert(ATTACHMENT.into());
    }
    columns.place = marks.into_iter().collect::<Vec<_>>().join(" ");
    let mut body = Body::default();
    body.read_all(archive, number, document, extractor)?;
    columns.body = body.folded();
    columns.unread = body.unread;
    Ok(columns)
}

fn of_metadata(metadata: &Metadata) -> Columns {
    let mut columns = Columns::default();
    push(&mut columns.subject, &metadata.title);
    push(&mut columns.sender, &metadata.from);
    push(&mut columns.recipient, &metadata.to);
    push(&mut columns.cc, &metadata.cc);
    if let Some(envelope) = &metadata.envelope {
        push(&mut columns.sender, &envelope.sender);
        push(&mut columns.sender, &envelope.on_behalf_of);
        for text in envelope.to_whom() {
            push(&mut columns.recipient, text);
        }
    }
    push(&mut columns.file, &metadata.media_name);
    for attachment in &metadata.attachments {
        push(&mut columns.file, &attachment.name);
    }
    let note = (!metadata.note.is_empty()).then_some((FIELD_NOTE, metadata.note.as_str()));
    let fields = metadata.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in fields.chain(note) {
        columns.names.insert(name.into());
        gap(&mut columns.field);
        for word in words::words(value) {
            add(&mut columns.field, &in_field(name, &word.text));
        }
    }
    columns
}

/// Between two texts stands a word that no query has, so that no phrase reaches from one into the other.
const GAP: &str = "·";

fn gap(column: &mut String) {
    if !column.is_empty() {
        add(column, GAP);
    }
}

fn space(column: &mut String) {
    if !column.is_empty() {
        column.push(' ');
    }
}

fn add(column: &mut String, word: &str) {
    space(column);
    column.push_str(word);
}

/// Says whether there may be more addresses than are searched.
fn push(column: &mut String, text: &str) -> bool {
    let before = column.len();
    gap(column);
    let gap = column.len();
    let mut all = words::words(text);
    loop {
        let end = column.len();
        space(column);
        if all.fold_next(column).is_none() {
            // Where there is no word, there is no gap.
            column.truncate(if end == gap { before } else { end });
            break;
        }
    }
    let mut count = 0;
    for word in addresses(text) {
        if count == 0 {
            add(column, GAP);
        }
        add(column, &word);
        count += 1;
    }
    count == ADDRESS_WORDS
}

/// The text of a document, as much of it as is searched.
#[derive(Debug, Default)]
pub struct Body {
    /// One after the other.
    pub texts: Vec<String>,
    /// As in [`Columns`].
    pub unread: Vec<(usize, Unread)>,
}

impl Body {
    /// Reads the text of a mail, without that of its attachments. Bytes that are damaged or gone leave it without.
    pub fn read(&mut self, archive: &Archive, number: Number, document: &Document) -> Result<()> {
        self.read_with(archive, number, document, None)
    }

    /// The same with the text of attachments, and that of a file.
    pub fn read_all(
        &mut self,
        archive: &Archive,
        number: Number,
        document: &Document,
        extractor: &mut Extractor,
    ) -> Result<()> {
        self.read_with(archive, number, document, Some(extractor))
    }

    fn read_with(
        &mut self,
        archive: &Archive,
        number: Number,
        document: &Document,
        extractor: Option<&mut Extractor>,
    ) -> Result<()> {
        let read = match extractor {
            extractor if document.metadata.is_mail() => self.mail(archive, number, document.size, extractor),
            Some(extractor) => self.file(archive, number, document, extractor),
            None => Ok(()),
        };
        match read {
            Err(ArchiveError::DocumentDamaged { .. } | ArchiveError::NoDocument { .. }) => Ok(()),
            read => read,
        }
    }

    fn file(
        &mut self,
        archive: &Archive,
        number: Number,
        document: &Document,
        extractor: &mut Extractor,
    ) -> Result<()> {
        let Metadata { media_type, media_name, .. } = &document.metadata;
        let mut job = extractor.begin(&About { media_type, charset: "", name: media_name });
        archive.read(number, &mut job)?;
        self.found(0, job.finish());
        Ok(())
    }

    fn found(&mut self, number: usize, Extracted { text, cut, unread }: Extracted) {
        let is_cut = self.take(text) || cut;
        self.unread.extend(unread.or(is_cut.then_some(Unread::TooLarge)).map(|unread| (number, unread)));
    }

    fn mail(&mut self, archive: &Archive, number: Number, size: u64, extractor: Option<&mut Extractor>) -> Result<()> {
        // A short one is read once.
        let mut held = Vec::new();
        if size <= INDEX_IN_MEMORY as u64 {
            archive.read(number, &mut held)?;
        }
        let outline = if held.is_empty() {
            let mut outliner = Outliner::new();
            archive.read(number, &mut outliner)?;
            outliner.finish()
        } else {
            Outliner::read(&held)
        };
        let pieces = pieces(&outline);
        let mut left = INDEX_TEXT;
        let mut wanted = Vec::new();
        for part in pieces.iter().filter_map(|(number, _)| outline.parts.get(*number)) {
            let limit = usize::try_from(part.decoded_size()).unwrap_or(usize::MAX).saturating_add(SLACK).min(left);
            left -= limit;
            if limit == 0 {
                break;
            }
            wanted.push(Wanted { part, limit });
        }
        let collected = if held.is_empty() && !wanted.is_empty() {
            let mut collector = Collector::new(&wanted);
            archive.read(number, &mut collector)?;
            collector.finish()
        } else {
            Collector::read(&held, &wanted)
        };
        let (mut plain, mut is_cut) = (0, false);
        for collected in collected {
            let Some(part) = outline.parts.get(collected.number) else { continue };
            let is_other = pieces.iter().any(|(number, is_other)| *number == collected.number && *is_other);
            let text = text(part, &collected);
            if !is_other {
                plain += text.len();
            } else if text.len() / 2 < plain {
                // It says the same again.
                continue;
            }
            is_cut |= self.take(text) || collected.cut;
        }
        if is_cut {
            self.unread.push((0, Unread::TooLarge));
        }
        let Some(extractor) = extractor else { return Ok(()) };
        let attached = attached(&outline, &pieces);
        if attached.is_empty() {
            return Ok(());
        }
        let mut parts = Parts::new(extractor, attached);
        if held.is_empty() {
            archive.read(number, &mut parts)?;
        } else {
            // Writing to it never fails.
            let _ = parts.write_all(&held);
        }
        for (number, extracted) in parts.finish() {
            self.found(number, extracted);
        }
        Ok(())
    }

    /// Whether there is more of it than is searched.
    fn take(&mut self, mut text: String) -> bool {
        let held: usize = self.texts.iter().map(String::len).sum();
        let end = text.floor_char_boundary(INDEX_TEXT.saturating_sub(held));
        let is_cut = end < text.len();
        text.truncate(end);
        if !text.trim().is_empty() {
            self.texts.push(text);
        }
        is_cut
    }

    fn folded(&mut self) -> String {
        let mut column = String::new();
        let mut is_cut = false;
        for text in &self.texts {
            is_cut |= push(&mut column, text);
        }
        self.unread.extend(is_cut.then_some((0, Unread::TooLarge)));
        column
    }
}

/// More than the estimate of a part's size may be wrong by.
const SLACK: usize = 4096;

/// The text parts of a message and of those within it; and whether one is the HTML beside a text that came before.
fn pieces(outline: &Outline) -> Vec<(usize, bool)> {
    let mut found = Vec::new();
    let within = outline.parts.iter().enumerate().filter(|(number, part)| *number > 0 && part.is_message());
    for number in std::iter::once(0).chain(within.map(|(number, _)| number)) {
        let Bodies { html, text, .. } = outline.bodies_of(number);
        let is_text = |piece: &Piece| match piece {
            Piece::Plain(number) | Piece::Html(number) => Some(*number),
            Piece::Image(_) | Piece::Media(_) => None,
        };
        let plain: Vec<usize> = text.iter().filter_map(is_text).collect();
        let other = html.iter().filter_map(is_text).filter(|number| !plain.contains(number));
        let other: Vec<usize> = other.collect();
        found.extend(plain.into_iter().map(|number| (number, false)));
        found.extend(other.into_iter().map(|number| (number, true)));
    }
    let mut known = BTreeSet::new();
    found.retain(|(number, _)| known.insert(*number));
    found
}

fn text(part: &Part, collected: &Collected) -> String {
    if part.media_type == "text/html" {
        html_to_text(&charset::html_text(&collected.bytes, &part.charset, collected.cut))
    } else {
        charset::text(&collected.bytes, &part.charset, collected.cut)
    }
}

/// The parts that are neither text nor parts of parts, and may have a text.
fn attached<'a>(outline: &'a Outline, pieces: &[(usize, bool)]) -> Vec<&'a Part> {
    let may_have_text = |part: &Part| {
        !["image/", "audio/", "video/", "multipart/"].iter().any(|kind| part.media_type.starts_with(kind))
    };
    // One that is followed has parts of its own.
    let is_followed = |number: usize| outline.children(number).next().is_some();
    let all = outline.parts.iter().enumerate().filter(|(number, part)| {
        !pieces.iter().any(|(piece, _)| piece == number) && may_have_text(part) && !is_followed(*number)
    });
    all.map(|(_, part)| part).collect()
}
