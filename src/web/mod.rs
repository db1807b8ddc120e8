//! What people see in a browser.
//!
//! - `mail`: how a stored message is shown; functions from bytes to values

pub mod mail;
