//! One message in, one record out: bytes are spooled, hashed and read while they arrive, in constant memory.
//!
//! Rules of the room: nothing here knows where a message comes from or goes to; every function that reads foreign bytes
//! takes bytes and gives values, never fails, never panics, and says as a [`Defect`] what it could not read. The bytes
//! themselves are never changed.

pub mod defect;
pub mod head;
pub mod incoming;
pub mod journal;
pub mod spool;
pub mod variant;
pub mod walk;

mod address;
pub(crate) mod boundary;
mod date;
pub(crate) mod fields;
mod leaf;
mod line_ends;
pub(crate) mod part;
pub(crate) mod text;

pub use defect::Defect;
pub use head::{Attachment, Head};
pub use incoming::{Incoming, Message};
pub use journal::Envelope;
pub use spool::{Spool, SpoolFile};
pub use walk::Walk;
