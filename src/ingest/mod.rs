//! One message in, one record out: bytes are spooled, hashed and read while they arrive, in constant memory.
//!
//! Rules of the room: nothing here knows where a message comes from or goes to; every function that reads foreign bytes
//! takes bytes and gives values, never fails, never panics, and says as a [`Defect`] what it could not read. The bytes
//! themselves are never changed.

pub mod head;
pub mod walk;

pub use head::Head;
pub use walk::Walk;

/// Something in a message that could not be read as it should be. The message is archived byte for byte all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Defect {
    /// No header field at all.
    NoHeader,
    /// The header does not end in an empty line.
    NoBlankLine,
    /// The header is longer than what is read ([`crate::limits::HEAD`]).
    HeaderTooLong,
    /// A line of the header is neither a field nor its continuation.
    BrokenHeaderLine,
    /// NUL bytes.
    Nul,
    /// Bytes over 127 in the header that are not UTF-8 (RFC 6532).
    EightBitHeader,
    /// A character set that is not known or does not fit its text.
    Charset,
    /// Carriage returns or line feeds that stand alone.
    BareLineEnd,
    /// More nested parts than are followed ([`crate::limits::NESTING`]).
    TooDeep,
    /// More parts than are remembered ([`crate::limits::PARTS`]).
    TooManyParts,
    /// A multipart without a boundary, or whose boundary never comes.
    NoBoundary,
    /// A multipart that never ends.
    NoFinalBoundary,
    /// A transfer encoding that is not known, or base64 that is not base64.
    Encoding,
    /// No usable date.
    Date,
    /// An empty message.
    Empty,
}
