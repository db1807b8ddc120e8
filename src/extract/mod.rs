//! Text of attachments: bytes in, words out. What the words are for is not said here.
//!
//! An [`Extractor`] takes one file at a time through a [`Job`], a writer of constant memory. What a file is, is told by its
//! first bytes, then by its media type and name ([`kind`]). Plain text and HTML are read in this process; whatever has to be
//! taken apart first (PDF, office files, archives, messages, `winmail.dat`) is read by a child, the same program with the
//! verb `extract` ([`worker`]), which binds itself before it reads a byte: memory, time, no files, no processes.
//!
//! Rules of the room: every byte is hostile, and so is the child that has read some. A file that makes the child crash, hang,
//! or talk without end costs its own text and nothing else; what the child had found until then is kept.

mod extractor;
mod file;
mod frame;
mod kind;
mod message;
mod office;
mod parts;
mod pdf;
mod text;
mod unread;
pub(crate) mod worker;
mod zip;

pub use extractor::{Extractor, Job};
pub use parts::Parts;
pub use unread::Unread;

/// What is known of a file before its bytes come; each may be empty. Whoever sent the file wrote it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct About<'a> {
    /// In lower case, `application/pdf`.
    pub media_type: &'a str,
    /// Label of the character set of a text.
    pub charset: &'a str,
    pub name: &'a str,
}

/// Reads a file in this process, bound by nothing but the limits of the readers: for whoever looks for what breaks them.
pub fn read_here(bytes: &[u8], about: &About<'_>) -> Extracted {
    let mut text = text::Text::held(crate::limits::EXTRACT_TEXT);
    let unread = file::read(bytes.into(), about, false, 0, &mut text).err();
    let (text, cut) = text.finish();
    Extracted { text, cut, unread }
}

/// What was found in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extracted {
    /// At most [`crate::limits::EXTRACT_TEXT`] bytes; no control characters but line ends and tabs.
    pub text: String,
    /// Whether the file has more text than this, or may have.
    pub cut: bool,
    /// Why something of the file, or all of it, could not be read. There may be text all the same.
    pub unread: Option<Unread>,
}
