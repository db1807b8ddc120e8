//! Text of a PDF (ISO 32000-1). The crate reads objects, filters and the encryption that needs no password; what a page shows, and which
//! characters its codes stand for, is read here.

mod cmap;
mod content;
mod font;
mod glyphs;
mod matrix;

use std::borrow::Cow;

use hayro_syntax::object::{Array, Dict, Name, Stream};
use hayro_syntax::page::{Page, Resources};
use hayro_syntax::{DecryptionError, LoadPdfError, Pdf};

use super::Unread;
use super::text::Text;
use crate::ingest::text::raw;
use crate::limits::{EXTRACT_ANNOTATIONS, EXTRACT_PAGES, FIELD_CHARS};
use content::Content;
use matrix::Matrix;

/// Reads a PDF: its title, then page after page, at most [`EXTRACT_PAGES`].
pub(super) fn read(bytes: Vec<u8>, text: &mut Text<'_>) -> Result<(), Unread> {
    let pdf = Pdf::new(bytes).map_err(|error| match error {
        LoadPdfError::Decryption(DecryptionError::PasswordProtected | DecryptionError::UnsupportedAlgorithm) => {
            Unread::Encrypted
        }
        LoadPdfError::Decryption(_) | LoadPdfError::Invalid => Unread::Broken,
    })?;
    let metadata = pdf.metadata();
    for value in [&metadata.title, &metadata.subject, &metadata.keywords].into_iter().flatten() {
        let value = string(value);
        text.push(&value[..value.floor_char_boundary(FIELD_CHARS)]);
        text.line();
    }
    text.take_has_words();
    let mut content = Content::new(text);
    for (index, page) in pdf.pages().iter().enumerate() {
        if index == EXTRACT_PAGES {
            content.text.cut();
            break;
        }
        if content.is_over() {
            break;
        }
        show(page, &mut content);
        content.text.line();
        content.text.hand_on();
    }
    let is_over = content.is_over() && !content.text.is_full();
    let has_words = content.text.take_has_words();
    match (pdf.pages().is_empty(), has_words, is_over) {
        (true, ..) => Err(Unread::Broken),
        (_, _, true) => {
            text.cut();
            Err(Unread::TooLarge)
        }
        (_, false, _) => Err(Unread::NoText),
        _ => Ok(()),
    }
}

/// What a page shows: its contents, then what stands on top of it, forms that were filled in among it.
fn show(page: &Page<'_>, content: &mut Content<'_, '_>) {
    let dict = page.raw();
    // Not by the page itself, which would hold it until the end.
    let mut bytes = Vec::new();
    if let Some(stream) = dict.get::<Stream<'_>>("Contents") {
        content.decode(&stream, &mut bytes);
    } else if let Some(streams) = dict.get::<Array<'_>>("Contents") {
        for stream in streams.iter::<Stream<'_>>() {
            content.decode(&stream, &mut bytes);
        }
    }
    content.begin();
    content.run(&bytes, page.resources(), Matrix::ONE, 0);
    let Some(annotations) = dict.get::<Array<'_>>("Annots") else { return };
    for annotation in annotations.iter::<Dict<'_>>().take(EXTRACT_ANNOTATIONS) {
        if content.is_over() {
            return;
        }
        annotated(&annotation, page.resources(), content);
    }
}

fn annotated<'a>(annotation: &Dict<'a>, resources: &Resources<'a>, content: &mut Content<'_, '_>) {
    let is_note = annotation.get::<Name<'_>>("Subtype").is_some_and(|kind| kind.as_ref() != b"Widget");
    if is_note && let Some(note) = annotation.get::<hayro_syntax::object::String<'_>>("Contents") {
        content.text.line();
        content.text.push(&string(note.as_bytes()));
        content.text.line();
        return;
    }
    let Some(appearance) = annotation.get::<Dict<'_>>("AP") else { return };
    let form = appearance.get::<Stream<'_>>("N").or_else(|| {
        let state = annotation.get::<Name<'_>>("AS")?;
        appearance.get::<Dict<'_>>("N")?.get::<Stream<'_>>(&state)
    });
    if let Some(form) = form {
        content.begin();
        content.form(&form, resources, Matrix::ONE, 0);
    }
}

/// A text string (ISO 32000-1, section 7.9.2.2).
fn string(bytes: &[u8]) -> Cow<'_, str> {
    match bytes {
        [0xfe, 0xff, rest @ ..] => wide(rest).into(),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest),
        _ => raw(bytes).into(),
    }
}

/// UTF-16, big endian.
fn wide(bytes: &[u8]) -> String {
    let units = bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
    char::decode_utf16(units).map(|char| char.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

#[cfg(test)]
mod tests;
