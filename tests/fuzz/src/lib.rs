//! What is fuzzed, each as a function of an input that panics where a promise is broken.
//!
//! - `pack`: the pack reader and the walk over the log, `split`: a message there and back, `join`: plans that lie,
//!   `head`: the reader of MIME
//! - `recipe`: long messages out of short inputs, `seeds`: inputs to begin with

pub mod head;
pub mod join;
pub mod pack;
pub mod recipe;
pub mod seeds;
pub mod split;
