//! What the catalog knows of a message.

use super::{Defect, Envelope};

/// An attachment as its part's header announces it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attachment {
    /// Decoded file name, empty where there is none.
    pub name: String,
    /// Media type in lower case, `application/pdf`.
    pub media_type: String,
}

/// The readable fields of a message; of a journal report, those of the mail within it. Each text is bounded by [`crate::limits::FIELD_CHARS`] and has no control characters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    pub subject: String,
    /// `Name <address>`, several separated by `, `.
    pub from: String,
    pub to: String,
    pub cc: String,
    /// The `Date` field, Unix seconds.
    pub date: Option<i64>,
    /// Without angle brackets; empty where there is none.
    pub message_id: String,
    pub attachments: Vec<Attachment>,
    /// Of a journal report: among whom the mail within it went.
    pub envelope: Option<Envelope>,
    /// Sorted, each once.
    pub defects: Vec<Defect>,
}
