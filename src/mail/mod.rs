//! How a stored message is shown: bytes in, values out. No socket, clock or disk; what a page says around these values
//! (labels, notices, addresses) is not said here.
//!
//! The archive pushes the raw bytes of a message, so what reads a whole message is a writer of constant memory:
//!
//! 1. [`Outliner`] gives the [`Outline`]: header fields, parts, where each lies.
//! 2. A [`Plan`] says which parts are wanted to show it; a [`Collector`] takes their beginnings out of the message in one
//!    pass; [`Plan::show`] gives the [`View`]: texts, documents for frames, attachments.
//! 3. A [`PartWriter`] streams one attachment, decoded. [`special`] reads what is neither text nor a file to save.
//!
//! Rules of the room: every byte is hostile. Nothing fails and nothing panics; what cannot be read is left out or shown as
//! text. Whatever is handed on as HTML was put together from allowed names and escaped text, never copied.

pub mod charset;
pub mod file_name;
pub mod html;
pub mod outline;
pub mod part;
pub mod plain;
pub mod source;
pub mod special;

mod base64;
mod bodies;
mod entity;
mod escape;
mod link;
mod part_header;
mod quoted_printable;
mod uuencode;
mod view;

pub use bodies::{Bodies, Piece};
pub use html::{SafeHtml, safe_html};
pub use outline::{Field, Outline, Outliner};
pub use part::{Collected, Collector, PartWriter, Wanted};
pub use part_header::{Disposition, Part, Transfer};
pub use view::{Mode, Plan, Shown, View};
