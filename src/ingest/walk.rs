//! A streaming walk over a message: bytes are pushed as they arrive, a [`Head`] comes out at the end.
pub struct Walk;
