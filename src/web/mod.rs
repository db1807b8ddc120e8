//! The front door: pages and API over HTTPS.

pub mod gate;
