//! The Archivista Box as a library, so that its tests reach every room. The map is in `main.rs`.

pub mod appliance;
pub mod archive;
pub mod cli;
pub mod clock;
pub mod control;
pub mod disk;
pub mod ending;
pub mod export;
pub mod extract;
pub mod fetch;
pub mod hash;
pub mod ingest;
pub mod language;
pub mod limits;
pub mod mail;
pub mod proof;
pub mod pulse;
pub mod retention;
pub mod roles;
pub mod search;
pub mod settings;
pub mod source;
pub mod verification;
pub mod web;
