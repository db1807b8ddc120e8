//! The Archivista Box as a library, so that its tests reach every room. The map is in `main.rs`.

pub mod ingest;
pub mod language;
pub mod limits;
pub mod pulse;
pub mod source;
pub mod archive;
pub mod clock;
pub mod hash;
