//! What of a document is searched: its words, in the columns of the index.

use std::collections::BTreeSet;

use super::words::{self, Word};
use crate::archive::Archive;
use crate::archive::commit::{KIND_FILE, Metadata, Number};
use crate::archive::error::{ArchiveError, Result};
use crate::archive::rows::{Document, FIELD_NOTE};
use crate::archive::view::View;
use crate::limits::{INDEX_IN_MEMORY, INDEX_TEXT};
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
    /// There is more text than is searched, or it cannot be read.
    pub cut: bool,
}

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

/// A word of a further field: those of different fields never meet.
pub fn in_field(name: &str, word: &str) -> String {
    format!("{:08x}{word}", crc32fast::hash(name.to_lowercase().as_bytes()))
}

/// What tells one state of a document from another: where it was seen, its metadata, whether it is blocked.
pub fn mark(view: &View, number: Number) -> Result<u64> {
    let mut hasher = crc32fast::Hasher::new();
    for word in places(view, number)?.0 {
        hasher.update(word.as_bytes());
        hasher.update(b" ");
    }
    let changed = view.change_row(number)?.map_or(0, |row| row.commit);
    // Rows of the log follow each other: a later change has a higher number.
    Ok(changed << 32 | u64::from(hasher.finalize()))
}

/// Words of the places that it was seen in.
fn places(view: &View, number: Number) -> Result<(BTreeSet<String>, bool)> {
    let mut found = BTreeSet::new();
    for seen in view.occurrences(number)? {
        found.insert(folder(seen.folder));
        found.extend(view.folder(seen.folder)?.map(|row| place(row.place)));
    }
    let is_blocked = view.is_blocked(number)?;
    if is_blocked {
        found.insert(BLOCKED.into());
    }
    Ok((found, is_blocked))
}

/// The columns of a document. What of its bytes cannot be read is left out; an error is one of the archive.
pub fn columns(archive: &Archive, view: &View, number: Number, document: &Document) -> Result<Columns> {
    let metadata = &document.metadata;
    let mut columns = of_metadata(metadata);
    let mut marks = places(view, number)?.0;
    marks.extend([ALL.into(), self::number(number)]);
    marks.insert(if metadata.is_mail() { MAIL } else { FILE }.into());
    if !metadata.attachments.is_empty() {
        marks.insert(ATTACHMENT.into());
    }
    columns.place = marks.into_iter().collect::<Vec<_>>().join(" ");
    let mut body = Body::default();
    body.read(archive, number, document)?;
    columns.body = body.folded();
    columns.cut = body.cut;
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

fn add(column: &mut String, word: &str) {
    if !column.is_empty() {
        column.push(' ');
    }
    column.push_str(word);
}

fn push(column: &mut String, text: &str) {
    let mut all = words::words(text).peekable();
    if all.peek().is_some() {
        gap(column);
    }
    all.for_each(|Word { text, .. }| add(column, &text));
}

/// The text of a document, as much of it as is searched.
#[derive(Debug, Default)]
pub struct Body {
    /// One after the other.
    pub texts: Vec<String>,
    /// There is more, or something cannot be read.
    pub cut: bool,
}

impl Body {
    /// Reads the text of a document. Bytes that are damaged or gone leave it without.
    pub fn read(&mut self, archive: &Archive, number: Number, document: &Document) -> Result<()> {
        let read = if document.metadata.kind == KIND_FILE {
            self.file(archive, number, document)
        } else {
            self.mail(archive, number, document.size)
        };
        match read {
            Err(ArchiveError::DocumentDamaged { .. } | ArchiveError::NoDocument { .. }) => {
                self.cut = true;
                Ok(())
            }
            read => read,
        }
    }

    fn file(&mut self, archive: &Archive, number: Number, document: &Document) -> Result<()> {
        let is_html = document.metadata.media_type.starts_with("text/html");
        if !document.metadata.media_type.starts_with("text/") {
            return Ok(());
        }
        let mut beginning = Beginning { bytes: Vec::new(), cut: false };
        archive.read(number, &mut beginning)?;
        let text = if is_html {
            html_to_text(&charset::html_text(&beginning.bytes, "", beginning.cut))
        } else {
            charset::text(&beginning.bytes, "", beginning.cut)
        };
        self.take(text);
        self.cut |= beginning.cut;
        Ok(())
    }

    fn mail(&mut self, archive: &Archive, number: Number, size: u64) -> Result<()> {
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
                self.cut = true;
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
        drop(held);
        let mut plain = 0;
        for collected in collected {
            let Some(part) = outline.parts.get(collected.number) else { continue };
            let is_other = pieces.iter().any(|(number, is_other)| *number == collected.number && *is_other);
            let text = text(part, &collected);
            self.cut |= collected.cut;
            if !is_other {
                plain += text.len();
            } else if text.len() / 2 < plain {
                // It says the same again.
                continue;
            }
            self.take(text);
        }
        Ok(())
    }

    fn take(&mut self, text: String) {
        let held: usize = self.texts.iter().map(String::len).sum();
        let end = text.floor_char_boundary(INDEX_TEXT.saturating_sub(held));
        self.cut |= end < text.len();
        let mut text = text;
        text.truncate(end);
        if !text.trim().is_empty() {
            self.texts.push(text);
        }
    }

    fn folded(&self) -> String {
        let mut column = String::new();
        self.texts.iter().for_each(|text| push(&mut column, text));
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

/// Keeps the beginning of what is written.
struct Beginning {
    bytes: Vec<u8>,
    cut: bool,
}

impl std::io::Write for Beginning {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let taken = bytes.len().min(INDEX_TEXT - self.bytes.len());
        self.bytes.extend_from_slice(&bytes[..taken]);
        self.cut |= taken < bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
