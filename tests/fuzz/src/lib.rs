//! What is fuzzed, each as a function of an input that panics where a promise is broken.
//!
//! - `pack`: the pack reader and the walk over the log, `split`: a message there and back, `join`: plans that lie,
//!   `head`: the reader of MIME, `file`: the readers of attachments, `query`: what people type, and words
//! - `recipe`: long messages out of short inputs, `seeds`: inputs to begin with

pub mod file;
pub mod head;
pub mod join;
pub mod pack;
pub mod query;
pub mod recipe;
pub mod seeds;
pub mod split;
