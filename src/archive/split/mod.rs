//! Reversible splitting: attachments out of a message, and back to the same bytes.
//!
//! A [`Splitter`] takes the raw bytes of a message, gives the decoded attachments (*parts*) and what is left (the *skeleton*) to
//! its [`Sink`], and ends with a [`Plan`]: which part stood where, and how its lines were broken. A [`Joiner`] takes the skeleton,
//! asks for the parts and gives the raw bytes. Equal attachments are equal parts, however each mail broke their lines, so the
//! archive stores them once.
//!
//! ```text
//! raw bytes ──▶ Splitter ──▶ skeleton, parts, plan         skeleton, parts, plan ──▶ Joiner ──▶ raw bytes
//! ```
//!
//! - **What a part is**: base64 (RFC 4648, section 4) from the beginning of a line on, in lines of one length with one kind of
//!   line end, the last line as short as it likes (RFC 2045, section 6.8), that decodes to [`SPLIT_PART`](crate::limits::SPLIT_PART)
//!   bytes or more. It ends before the first byte that its own encoding would not give again: foreign letters, padding in the
//!   middle or with bits in it, another line length or line end. The rest stays in the skeleton byte by byte.
//! - **By content alone**: no header and no boundary is believed, since a mail can lie in both and be nested in ways that readers
//!   disagree on. In a sound mail it is the same: an attachment begins behind an empty line and ends before an empty line or a
//!   hyphen, and none of these is base64.
//! - **Out of band**: the plan is no part of the skeleton, so nothing that stands in a mail can be taken for a reference.
//! - **Constant memory**: nothing is held by the line or by the part, so a line and a part may have any length.
//!
//! Functions from bytes to values: no file, no clock, no catalog in here. Who stores a split message must have joined it again and
//! compared its hash before; what does not come back bit for bit is stored whole.
//!
//! - `splitter`, `joiner`: the two ways, `encoder`: base64 in lines, `plan`: what joins them, `pieces`: parts and skeleton
//!   read out of the raw bytes once the plan is known

mod encoder;
mod joiner;
mod pieces;
mod plan;
mod splitter;

pub use joiner::Joiner;
pub use pieces::{PartReader, SkeletonReader};
pub use plan::{Ends, FRAME_HEAD, Plan, Reference};
pub use splitter::{Sink, Splitter};

/// Decoded bytes that are held before they go on: whole groups, and more than the smallest part has.
const BLOCK: usize = 24 * 1024;
